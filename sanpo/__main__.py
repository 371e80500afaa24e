"""The command line: `sanpo COMMAND`. Each district brings its own commands; the ones of the whole city are here."""

import locale
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from sanpo import app as house
from sanpo.ground.city import City
from sanpo.ground.cli import AsJson, print_error, print_json, print_table, set_opener
from sanpo.ground.config import load_settings
from sanpo.ground.errors import DomainError
from sanpo.ground.log import start_log
from sanpo.ground.words import load_words

cli = typer.Typer(no_args_is_help=True, add_completion=False, help="Sanpo (三方): a city operating system.")
_overrides: dict[str, Any] = {}


@cli.callback()
def options(
    home: Annotated[Path | None, typer.Option(help="Folder of the embedded database, lake and keys.")] = None,
) -> None:
    """Options of every command."""
    if home is not None:
        _overrides["home"] = home


@cli.command()
def config(as_json: AsJson = False) -> None:
    """Prints every setting, its value and where it came from."""
    _, shown = load_settings(_overrides)
    if as_json:
        print_json([asdict(setting) for setting in shown])
    else:
        print_table(("setting", "value", "source", "meaning"), [(s.name, s.value, s.source, s.help) for s in shown])


@cli.command()
def migrate(as_json: AsJson = False) -> None:
    """Brings the database to this version of the schema."""
    settings, _ = load_settings(_overrides)
    settings, _embedded = house.with_database(settings)
    ran = [f"{migration.district}/{migration.name}" for migration in house.prepare(settings)]
    print_json({"ran": ran}) if as_json else print_table(("migration",), [(name,) for name in ran])


@cli.command()
def serve() -> None:
    """Runs the city: HTTP workers and the worker of jobs, until Ctrl-C."""
    from sanpo.serving import serve_city

    settings, _ = load_settings(_overrides)
    serve_city(settings)


@cli.command()
def worker(once: Annotated[bool, typer.Option(help="Work off the queue and end.")] = False) -> None:
    """Runs the jobs and the recurring duties. `sanpo serve` starts one by itself."""
    from sanpo.ground.jobs import run_worker
    from sanpo.serving import end_with_server

    end_with_server()
    city = _open()
    start_log(city.settings.log_level)
    run_worker(city, house.create_registry(), once=once)
    city.db.close()


@cli.command()
def demo(
    data: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="CSV of real meters in place of made-up ones.")
    ] = None,
    timezone: Annotated[str | None, typer.Option(help="Time zone of that file.")] = None,
    residents: Annotated[int, typer.Option(min=200, max=200_000)] = 2_000,
    households: Annotated[int, typer.Option(min=20, max=50_000)] = 100,
    seed: Annotated[int, typer.Option(help="The same seed makes the same city.")] = 1,
    port: Annotated[int, typer.Option()] = 8000,
    only_build: Annotated[bool, typer.Option(help="Build the city and end, without a server.")] = False,
) -> None:
    """Builds a small city and opens it on 127.0.0.1."""
    from sanpo.serving import serve_demo
    from sanpo.simulator.demo import DemoPlan

    _overrides.update(mode="demo", host="127.0.0.1", port=port, origin=f"http://127.0.0.1:{port}")
    _overrides.setdefault("webhook_private_hosts", True)
    plan = DemoPlan(residents, households, seed, data.resolve() if data else None, timezone)
    settings, _ = load_settings(_overrides)
    settings = replace(settings, home=settings.home / plan.folder)
    serve_demo(settings, plan, only_build=only_build)


def _open() -> City:
    """The city for one command. In a folder where a demo was built, its mode holds."""
    settings, _ = load_settings(_overrides)
    demo = settings.home / "demo"
    if settings.mode == "production" and not settings.master_secret and demo.exists():
        settings, _ = load_settings({"origin": demo.read_text(encoding="utf-8"), **_overrides, "mode": "demo"})
    settings, _embedded = house.with_database(settings)
    house.prepare(settings)
    return house.open_city(settings, pool=4)


def _add_districts() -> None:
    for package in house.packages()[1:]:  # the first is ground, whose cli.py is what commands stand on
        module = house.room(package, "cli")
        if module is not None:
            cli.add_typer(module.cli, name=package.rsplit(".", 1)[-1])
    cli.command("ask")(_command("sanpo.cleanroom", "ask"))
    cli.command("verify")(_command("sanpo.journal", "verify"))


def _command(package: str, name: str) -> Any:
    """A district's command that is also a command of the whole city."""
    return getattr(house.room(package, "cli"), name)


def main() -> None:
    """Entry point. Errors of the domain become a message and an exit code, never a traceback."""
    set_opener(_open)
    try:
        _add_districts()
        cli(standalone_mode=True)
    except DomainError as error:
        sys.exit(print_error(error, load_words(house.packages()), _language()))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _language() -> str:
    name = os.environ.get("LC_ALL") or os.environ.get("LANG") or locale.getlocale()[0] or ""
    return "ja" if name.startswith("ja") else "en"


if __name__ == "__main__":
    main()
