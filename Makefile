# Nothing but Python >= 3.11 and make is needed: each target sets up what it uses.
VENV ?= .venv
PYTHON ?= python3
PIP = $(VENV)/bin/python -m pip --disable-pip-version-check -q
SANPO = $(VENV)/bin/sanpo
JOBS ?= 2
LONG ?= 1
CLIENT = PYTHONPATH="$(CURDIR)/$(VENV)-client"
# However the shell is set, what was compiled is kept: to rewrite the asserts of all tests anew costs each worker 4 s.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-long test-s3 test-clients test-spark lint format bench lock clean help docs clauses

help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

demo: $(VENV)/.run ## build a small city and open it on 127.0.0.1:8000 (DATA=file.csv.gz for real meters)
	@SANPO_HOME="$${SANPO_HOME:-$(CURDIR)/.sanpo}" $(SANPO) demo $(if $(DATA),--data "$(DATA)") $(if $(TIMEZONE),--timezone "$(TIMEZONE)") $(if $(PORT),--port $(PORT)) $(DEMO_OPTIONS)

test: $(VENV)/.dev ## the default suite, with one walk through a real browser (a minute)
	@$(VENV)/bin/python -m pytest -n $(JOBS) $(PYTEST_OPTIONS)

test-long: $(VENV)/.dev ## every page in every browser, crashes, races, and much more by chance (LONG=4: four times as much)
	@SANPO_LONG=$(LONG) $(VENV)/bin/python -m pytest -n $(JOBS) -m "long or hypothesis" $(PYTEST_OPTIONS)

test-s3: $(VENV)/.dev $(VENV)-s3/.made ## the lake on an object store: a local S3 server
	@$(VENV)/bin/python -m pytest -m long tests/lake/test_object_store.py $(PYTEST_OPTIONS)

test-clients: $(VENV)/.dev $(VENV)-ngsi/.made ## independent clients of NGSI against a server of its own
	@SANPO_CLIENTS="$(CURDIR)/$(VENV)-ngsi/bin/python" $(VENV)/bin/python -m pytest -m long tests/broker/clients $(PYTEST_OPTIONS)

test-spark: $(VENV)/.dev $(VENV)-client/.made $(VENV)-sail/.made $(if $(shell command -v java),$(VENV)-spark/.made) ## engines agree: Sail, its cluster; Apache Spark where Java is
	@SANPO_SPARK=1 $(CLIENT) $(VENV)/bin/python -m pytest -rs tests/cleanroom/spark $(PYTEST_OPTIONS)

lint: $(VENV)/.dev ## ruff, mypy --strict, import contracts
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check . && $(VENV)/bin/mypy && $(VENV)/bin/lint-imports --no-cache > .cache/imports.log || { cat .cache/imports.log; exit 1; }

format: $(VENV)/.dev ## put the sources in form
	@$(VENV)/bin/ruff check --fix-only . ; $(VENV)/bin/ruff format .

bench: $(VENV)/.dev ## all benchmarks, or one: make bench QUESTION=consent_scan
	@for file in benchmarks/bench_$(or $(QUESTION),*).py; do $(if $(filter cluster,$(QUESTION)),$(CLIENT)) $(VENV)/bin/python $$file || exit 1; done

docs: $(VENV)/.dev ## rewrite the generated reference pages
	@$(VENV)/bin/python tools/reference.py

clauses: $(VENV)/.dev ## run the broker's tests and publish which clauses of NGSI-LD they cover (TESTS=file for some)
	@$(VENV)/bin/python -m pytest -n $(JOBS) -p tests.broker.clauses.record $(or $(TESTS),tests/broker) && $(VENV)/bin/python tools/reference.py

lock: $(VENV)/.dev ## compile requirements/*.in into hashed lock files that name no index
	@cd requirements && for name in dev run build s3 clients spark sail spark-server; do \
	  ../$(VENV)/bin/uv pip compile -q --native-tls --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url $$( case $$name in dev|s3|clients|sail|spark-server) ;; *) echo -c dev.txt;; esac ) $$name.in -o $$name.txt; done

clean: ## remove what was built (not the city in .sanpo)
	rm -rf $(VENV) $(VENV)-s3 $(VENV)-ngsi $(VENV)-client $(VENV)-sail $(VENV)-spark .cache sanpo/portal/static/dist *.egg-info

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Sanpo needs Python 3.11 or newer; found $$($(PYTHON) --version)"; exit 1; }
	@echo "· environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements/run.txt requirements/build.txt pyproject.toml | $(VENV)/bin/python
	@echo "· packages (the first time about a minute)"
	@$(PIP) install --require-hashes -r requirements/run.txt -r requirements/build.txt
	@echo "· Sanpo and its front-end bundle"
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	@echo "· packages for tests"
	@mkdir -p .cache
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@$(VENV)/bin/python tools/bundle.py --with-tests
	@touch $@

$(VENV)-s3/.made: requirements/s3.txt
	@echo "· a local S3 server"
	@$(PYTHON) -m venv $(VENV)-s3
	@$(VENV)-s3/bin/python -m pip --disable-pip-version-check -q install --require-hashes -r requirements/s3.txt
	@touch $@

$(VENV)-ngsi/.made: requirements/clients.txt
	@echo "· independent clients of NGSI"
	@$(PYTHON) -m venv $(VENV)-ngsi
	@$(VENV)-ngsi/bin/python -m pip --disable-pip-version-check -q install --no-deps --require-hashes -r requirements/clients.txt
	@touch $@

# Beside the environment: once pandas is in it, pyarrow imports it everywhere.
$(VENV)-client/.made: requirements/spark.txt | $(VENV)/bin/python
	@echo "· the client of Spark Connect"
	@$(PIP) install --target $(VENV)-client --upgrade --require-hashes -r requirements/spark.txt
	@touch $@

$(VENV)-sail/.made: requirements/sail.txt
	@echo "· Sail"
	@$(PYTHON) -m venv $(VENV)-sail
	@$(VENV)-sail/bin/python -m pip --disable-pip-version-check -q install --require-hashes -r requirements/sail.txt
	@touch $@

$(VENV)-spark/.made: requirements/spark-server.txt
	@echo "· Apache Spark (450 MB, some minutes)"
	@$(PYTHON) -m venv $(VENV)-spark
	@$(VENV)-spark/bin/python -m pip --disable-pip-version-check -q install --require-hashes -r requirements/spark-server.txt
	@touch $@
