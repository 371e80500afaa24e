"""Writes the generated pages of docs/reference/ from the code itself (`make docs`); `--check` only says what is stale.

Nothing is known here that the code does not say: settings, errors with their messages, the tree of commands, the
OpenAPI document and the table of consent's moves. `tests/docs` fails while a page differs.
"""

import argparse
import inspect
import pkgutil
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import MISSING, fields
from functools import cache
from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import Any, get_args, get_origin

import typer
from litestar import Litestar

import sanpo
from sanpo import __main__ as command_line
from sanpo import app as house
from sanpo.consent.states import BY_RESIDENT, MOVES, Decision, State
from sanpo.ground.city import City
from sanpo.ground.clock import SystemClock
from sanpo.ground.config import Settings
from sanpo.ground.db import Database
from sanpo.ground.errors import SURFACES, DomainError, all_errors
from sanpo.ground.keys import Keys
from sanpo.ground.outbox import Outbox
from sanpo.ground.plugins import load_plugins
from sanpo.ground.words import load_words

ROOT = Path(__file__).resolve().parent.parent
MADE = "<!-- Made by tools/reference.py from {source}; `make docs` writes it anew. -->"


def page(title: str, source: str, *parts: str) -> str:
    return "\n\n".join((MADE.format(source=source), f"# {title}", *parts)) + "\n"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; `|` and line breaks inside a cell are made harmless."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines
    )


def code(text: str) -> str:
    return f"`{text}`" if text else ""


# Settings ------------------------------------------------------------------------------------------------------------


def settings_page() -> str:
    rows = []
    for f in fields(Settings):
        default = "" if f.default in ("", MISSING) else str(f.default).replace(str(Path.home()), "~")
        meaning = f.metadata["help"] + (" (a secret: never printed)" if f.metadata.get("secret") else "")
        rows.append([code(f.name), code(f"SANPO_{f.name.upper()}"), _kind(f.type), code(default), meaning])
    return page(
        "Settings",
        "sanpo/ground/config.py",
        "One typed object. A value comes from the command line, else from the environment, else from `sanpo.toml` in the "
        "working folder (or the file that `SANPO_CONFIG` names), else it is the default. `sanpo config` prints every "
        "value and where it came from. A name that is no setting, or a value that does not fit, is refused at the start.",
        table(("setting", "environment", "type", "default", "meaning"), rows),
    )


def _kind(annotation: Any) -> str:
    """How a type is called for people."""
    if get_args(annotation) and get_origin(annotation) is not list:
        given = [each for each in get_args(annotation) if each is not type(None)]
        return " or ".join(code(each) if isinstance(each, str) else _kind(each) for each in given)
    inner = (get_args(annotation) or (annotation,))[0]
    names = {str: "text", int: "number", float: "number", bool: "true or false", Path: "path"}
    return names.get(inner, getattr(inner, "__name__", str(inner)))


# Errors --------------------------------------------------------------------------------------------------------------


@cache
def errors() -> tuple[type[DomainError], ...]:
    """Every error of the house, by code. All modules are imported first, so that none is missed."""
    for module in pkgutil.walk_packages(sanpo.__path__, "sanpo."):
        import_module(module.name)
    return tuple(error for error in all_errors() if error.__module__.startswith("sanpo."))


def errors_page() -> str:
    words = load_words(house.packages())
    kinds = [[code(k.value), str(s.status), str(s.exit_code), code(s.ngsi_ld)] for k, s in SURFACES.items()]
    parts = []
    for district, found in groupby(errors(), key=lambda error: error.code.split(".")[0]):
        rows = []
        for error in found:
            key, surface = f"error.{error.code}", error().surface
            outside = f"{error.kind.value}<br>{surface.status}, exit {surface.exit_code}"
            messages = f"{words.text('en', key)}<br>{words.text('ja', key)}"
            rows.append([code(error.code), outside, _sentences(error), messages])
        parts += [f"## {district}", table(("code", "kind, HTTP, exit", "when", "message"), rows)]
    return page(
        "Errors",
        "the error classes and words of sanpo/**",
        "Every refusal that a user can act on has a code, a kind and fields; the fields fill the places in the message. "
        "Over HTTP it is an RFC 9457 problem: `code` is the code below, `type` is `/problems/` and the code, `detail` the "
        "message in the reader's language, `fields` the fields. On the command line it is the message on stderr and the "
        "exit code. What is not there and what is not yours to see look the same.",
        "## Kinds",
        table(("kind", "HTTP status", "exit code", "NGSI-LD error type"), kinds),
        *parts,
    )


def _sentences(documented: object) -> str:
    """The docstring as one line."""
    return " ".join((inspect.getdoc(documented) or "").split())


# Commands ------------------------------------------------------------------------------------------------------------


@cache
def commands() -> dict[str, Any]:
    """Every command by its words (`people add-client`), with Typer's own object."""
    if not any(group.name == "people" for group in command_line.cli.registered_groups):
        command_line._add_districts()
    found: dict[str, Any] = {}

    def walk(words: str, command: Any) -> None:
        below = getattr(command, "commands", None)
        if below is None:
            found[words] = command
        for name, each in (below or {}).items():
            walk(f"{words} {name}".strip(), each)

    walk("", typer.main.get_command(command_line.cli))
    return found


def commands_page() -> str:
    parts = []
    for words, command in commands().items():
        parts += [f"## sanpo {words}", _sentences_of(command.help), code(_usage(words, command))]
        rows = [_parameter(each) for each in command.params if each.name != "help"]
        if rows:
            parts.append(table(("parameter", "type", "default", "meaning"), rows))
    return page(
        "Commands",
        "the Typer tree of sanpo/__main__.py",
        "`sanpo --home FOLDER COMMAND …` works on the city in that folder (default: `SANPO_HOME`, else `~/.sanpo`). A "
        "command that fails prints a message on stderr and ends with the [exit code of its kind](errors.md#kinds); wrong "
        "usage ends with 2.",
        *parts,
    )


def _sentences_of(text: str | None) -> str:
    return " ".join((text or "").split())


def _is_argument(parameter: Any) -> bool:
    return not parameter.opts[0].startswith("-")


def _usage(words: str, command: Any) -> str:
    arguments = [_argument(each) for each in command.params if _is_argument(each)]
    needed = [f"{each.opts[0]} …" for each in command.params if not _is_argument(each) and each.required]
    has_options = any(not _is_argument(each) and not each.required for each in command.params)
    return " ".join(["sanpo", words, *arguments, *needed, *(["[OPTIONS]"] if has_options else [])])


def _argument(each: Any) -> str:
    name = each.name.upper() + (" …" if each.nargs == -1 else "")
    return name if each.required else f"[{name}]"


def _parameter(each: Any) -> list[str]:
    name = _argument(each) if _is_argument(each) else ", ".join(each.opts)
    needed = each.required
    default = "" if needed or each.default in (None, False) or callable(each.default) else str(each.default)
    kind = "flag" if getattr(each, "is_flag", False) else _kind(each.type_descriptor.annotation)
    if each.multiple if hasattr(each, "multiple") else False:
        kind += ", may be repeated"
    lowest, highest = getattr(each, "min", None), getattr(each, "max", None)
    if lowest is not None and highest is not None:
        kind += f", {lowest} – {highest}"
    return [code(name), kind, "needed" if needed else code(default), each.help or ""]


# The API -------------------------------------------------------------------------------------------------------------


@cache
def web() -> Litestar:
    """The web application of a city that is never asked: no database is opened."""
    words, plugins = load_words(house.packages()), load_plugins()
    city = City(Settings(), Database(""), SystemClock(), Keys(bytes(32)), words, plugins, Outbox())
    return house.create_app(city)


def operations() -> list[tuple[str, str, str, list[str]]]:
    """(district, METHOD and path, what it does, statuses) of everything in the OpenAPI document."""
    told = _docstrings()
    found = []
    for path, item in web().openapi_schema.to_schema()["paths"].items():
        for method, operation in item.items():
            text = told.get((method.upper(), path)) or operation.get("description") or operation.get("summary", "")
            found.append((_district(path), f"{method.upper()} {path}", text, sorted(operation["responses"])))
    return found


def api_page() -> str:
    parts = []
    for district, found in groupby(sorted(operations(), key=lambda each: each[0]), key=lambda each: each[0]):
        rows = [[code(where), text, ", ".join(statuses)] for _, where, text, statuses in found]
        parts += [f"## {district}", table(("request", "what it does", "answers"), rows)]
    return page(
        "HTTP API",
        "the OpenAPI document of the application",
        "The whole document, with every body and field, is served by each city at `/schema/openapi.json` (OpenAPI 3.1). "
        "Programs send `Authorization: Bearer …` from `POST /oauth/token`; browsers send their session's cookie and, with "
        'every change, the header `x-csrf-token` with the token that each page carries in `<meta name="csrf-token">`. '
        "Every status of 400 and above is a problem as in [errors](errors.md).",
        *parts,
    )


def _docstrings() -> dict[tuple[str, str], str]:
    """What the handlers say of themselves: their summary, else the first paragraph of their docstring."""
    found = {}
    for route in web().routes:
        for handler in getattr(route, "route_handlers", ()):
            fn: Callable[..., Any] = inspect.unwrap(handler.fn)
            doc = inspect.getdoc(getattr(fn, "func", fn)) or ""
            text = handler.summary or " ".join(doc.split("\n\n")[0].split())
            for method in handler.http_methods:
                found[str(method), re.sub(r":\w+}", "}", route.path)] = text
    return found


def _district(path: str) -> str:
    parts = path.strip("/").split("/")
    return parts[1] if parts[0] == "api" else "people" if parts[0] in ("oauth", ".well-known") else parts[0]


# Consent's states ----------------------------------------------------------------------------------------------------


def states_page() -> str:
    decisions = list(Decision)
    moves = []
    for state in State:
        reached = [MOVES.get((state, decision)) for decision in decisions]
        moves.append([f"**{state.value}**", *(each.value if each else "" for each in reached)])
    by = [[code(d.value), "the resident, or a parent or carer" if d in BY_RESIDENT else "the city"] for d in decisions]
    states = [[code(s.value), code(f"dpv:{s.dpv}"), "yes" if s.counts else "no"] for s in State]
    return page(
        "States of a grant",
        "sanpo/consent/states.py",
        "A grant is one resident's answer to one agreement. Rows are states, columns are decisions, a cell is the state "
        "after; an empty cell is refused with `consent.decision_does_not_apply`.",
        table(("state", *(d.value for d in decisions)), moves),
        "## Which states let data be used",
        "Terms are those of the W3C Data Privacy Vocabulary; ISO/IEC TS 27560 asks each record to carry one.",
        table(("state", "DPV term in the record", "data may be used"), states),
        "## Who decides",
        table(("decision", "by"), by),
    )


# The broker ----------------------------------------------------------------------------------------------------------


def ngsi_ld_page() -> str:
    from sanpo.broker.api import PATH
    from sanpo.broker.api import table as operations_of_broker

    ordered = sorted(operations_of_broker.operations, key=lambda each: (each.path, each.method))
    rows = [
        [
            code(f"{each.method} {PATH}/{each.path.lstrip('/')}"),
            each.clause,
            " ".join((inspect.getdoc(each.handler) or "").split()),
            ", ".join(code(name) for name in sorted(each.parameters)),
        ]
        for each in ordered
    ]
    return page(
        "NGSI-LD",
        "sanpo/broker/api.py",
        "The operations of ETSI GS CIM 009 that the broker has, each with its clause and every parameter that it takes. "
        "Any other parameter is refused with 400 `InvalidRequest` (clause 6.3.20). Values are compared as JSON, but those of "
        "attributes that `expandValues` names and `jsonKeys` does not. `via` is taken but changes nothing: the way of a "
        "request is in its header Via. An answer to an operation that was carried out says in `Server-Timing` how many "
        "milliseconds its stages took: `actor` (to know who asks and what), `context` (to read the body and its @context; "
        "those of a batch count as work) and `work` (all else). Which clauses the tests of the broker "
        "cover is told in [tests by clause](ngsi-ld-clauses.md).",
        table(("request", "clause", "what it does", "parameters"), rows),
    )


def ngsi_v2_page() -> str:
    from sanpo.broker.api import table_of_v2
    from sanpo.broker.ngsi_v2.calls import OPTIONS
    from sanpo.broker.ngsi_v2.names import V2
    from sanpo.broker.ngsi_v2.problems import SURFACES
    from sanpo.broker.ngsi_v2.syntax import BUILT_IN, BUILT_IN_METADATA, FORBIDDEN
    from sanpo.broker.ngsi_v2.values import MAPPING

    def listed(names: Iterable[str]) -> str:
        return ", ".join(code(name) for name in names)

    ordered = sorted(table_of_v2.operations, key=lambda each: (each.path, each.method))
    rows = [
        [
            code(f"{each.method} /{each.path}"),
            " ".join((inspect.getdoc(each.handler) or "").split()),
            listed(sorted(each.parameters)),
        ]
        for each in ordered
    ]
    kept = [
        ["id that is a URI", "the same"],
        ["any other id, or name that NGSI-LD cannot have", code(f"{V2}…") + ", percent-encoded"],
        ["type of the entity", "first of the types; others are kept"],
        ["attribute", "its default instance; others are kept"],
        ["metadatum", "sub-attribute"],
        ["metadata `observedAt` (DateTime), `unitCode` (Text)", "members of the instance"],
        ["`dateCreated`, `dateModified`, `dateExpires`", "`createdAt`, `modifiedAt`, `expiresAt`"],
        ["`Fiware-Service`", "`NGSILD-Tenant`"],
        ["`Fiware-ServicePath`, `servicePath`", "`scope`"],
    ]
    return page(
        "NGSIv2",
        "sanpo/broker/api.py",
        "The operations of NGSIv2, on the same entities as [NGSI-LD](ngsi-ld.md); the reasons are in "
        "[0016](../decisions/0016-ngsi-v2.md). Any other parameter, and any other word of `options`, is refused with 400. "
        f"Words of `options`: {listed(sorted(OPTIONS))}. Built-in attributes: {listed(BUILT_IN)}; built-in metadata: "
        f"{listed(BUILT_IN_METADATA)}. Characters that no id, name or text may hold: {listed(sorted(FORBIDDEN))}.",
        table(("request", "what it does", "parameters"), rows),
        "## The same in NGSI-LD",
        table(("in NGSIv2", "in NGSI-LD"), kept),
        table(
            ("type", "value", "in NGSI-LD"),
            [
                [listed(kind.split(", ")) if ":" in kind or len(kind) < 20 else kind, value, what]
                for kind, value, what in MAPPING
            ],
        ),
        "## Errors",
        table(
            ("kind", "status", "error"),
            [[code(kind.value), str(status), code(name)] for kind, (status, name) in SURFACES.items()],
        ),
    )


PAGES: dict[str, Callable[[], str]] = {
    "settings": settings_page,
    "errors": errors_page,
    "commands": commands_page,
    "api": api_page,
    "agreement-states": states_page,
    "ngsi-ld": ngsi_ld_page,
    "ngsi-v2": ngsi_v2_page,
}


def all_pages() -> dict[str, Callable[[], str]]:
    """Every generated page by its path: the ones above, and those that come from tables of rules."""
    sys.path.insert(0, str(ROOT))
    from tests.broker.reference_pages import PAGES as BROKER
    from tests.cleanroom.reference_pages import PAGES as CLEANROOM
    from tests.ledger.reference_pages import PAGES as LEDGER
    from tests.services.cash.settling.reference_pages import PAGES as SETTLING
    from tests.services.cash.slips.reference_pages import PAGES as SLIPS

    own = {f"docs/reference/{name}.md": make for name, make in PAGES.items()}
    return {**own, **BROKER, **CLEANROOM, **LEDGER, **SETTLING, **SLIPS}


def main() -> None:
    options = argparse.ArgumentParser(description="Rewrites the generated reference pages.")
    options.add_argument("--check", action="store_true", help="change nothing; fail if a page is stale")
    check = options.parse_args().check
    stale = []
    for path, make in all_pages().items():
        file, text = ROOT / path, make()
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            stale.append(path)
            if not check:
                file.write_text(text, encoding="utf-8")
    found = [f"{'stale' if check else 'written'}: {path}" for path in stale]
    print("\n".join(found) or "the reference pages are current")
    sys.exit(1 if check and stale else 0)


if __name__ == "__main__":
    main()
