"""`sanpo journal`: check a proof, show the newest checkpoint, audit the whole journal."""

import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from sanpo.ground.canonical import canonical_json
from sanpo.ground.cli import AsJson, err, open_city, out, print_json, print_table
from sanpo.ground.words import Words, load_words
from sanpo.journal import actions, auditor
from sanpo.journal.model import ProofIsInvalid
from sanpo.journal.sequencer import verifier_key
from sanpo.journal.verifier import Verdict
from sanpo.journal.verifier import verify as verify_text

cli = typer.Typer(no_args_is_help=True, help="The verifiable log of every use.")

ProofFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A .tlog-proof file.")]
Key = Annotated[str, typer.Option("--key", help="The journal's public key (name+hash+base64), or its file.")]
Witness = Annotated[list[str] | None, typer.Option("--witness", help="A witness's key or its file; may be repeated.")]


@cli.command()
def verify(file: ProofFile, key: Key, witness: Witness = None, as_json: AsJson = False) -> None:
    """Check a proof offline, with the public key alone."""
    try:
        text = file.read_bytes().decode()
    except UnicodeDecodeError:
        raise ProofIsInvalid(step="format", problem="not UTF-8") from None
    verdict = verify_text(text, _key(key), witnesses=[_key(item) for item in witness or []])
    if as_json:
        print_json(asdict(verdict))
        return
    words, lang = load_words(["sanpo.journal"]), _lang()
    out.print(f"[bold green]✓[/] {words.text(lang, _finding(verdict), subject_no=verdict.subject_no)}", highlight=False)
    print_table(("", ""), _rows(verdict, words, lang))


@cli.command()
def checkpoint(as_json: AsJson = False) -> None:
    """Print the newest signed tree head and the key that checks it."""
    with open_city() as city:
        newest, key = actions.latest_checkpoint(city), str(verifier_key(city))
    if as_json:
        print_json({"size": newest.size, "root": newest.root.hex(), "note": newest.note, "vkey": key})
        return
    typer.echo(newest.note, nl=False)
    typer.echo(f"\n{key}")


@cli.command()
def audit(as_json: AsJson = False) -> None:
    """Recompute everything from the entries and compare it with every checkpoint, tile and sealed set."""
    with open_city() as city, Progress(console=err, transient=True) as progress:
        task = progress.add_task("journal", total=None)
        report = auditor.audit(city, lambda done, size: progress.update(task, completed=done, total=size))
    if as_json:
        print_json(asdict(report))
        return
    words, lang = load_words(["sanpo.journal"]), _lang()
    out.print(f"[bold green]✓[/] {words.text(lang, 'journal.audit.in_order', **asdict(report))}", highlight=False)


def _finding(verdict: Verdict) -> str:
    """The key of the sentence that says what was proven."""
    if verdict.included is None:
        return "journal.verify.logged"
    return "journal.verify.included" if verdict.included else "journal.verify.not_included"


def _rows(verdict: Verdict, words: Words, lang: str) -> list[tuple[str, str]]:
    shown = {
        "kind": verdict.kind,
        "at": verdict.at,
        "entry": verdict.entry_id,
        "body": canonical_json(verdict.body).decode(),
        "place": f"{verdict.leaf_index} / {verdict.size}",
        "origin": verdict.origin,
    }
    rows = [(words.text(lang, f"journal.verify.{name}"), value) for name, value in shown.items()]
    for cosignature in verdict.cosignatures:
        moment = datetime.fromtimestamp(cosignature.unix_s, UTC).isoformat()
        rows.append((words.text(lang, "journal.verify.witness"), f"{cosignature.name} {moment}"))
    return rows


def _key(given: str) -> str:
    """A key given as such, or in a file."""
    if "+" not in given and Path(given).is_file():
        return Path(given).read_text(encoding="utf-8").strip()
    return given


def _lang() -> str:
    spoken = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "ja" if spoken.startswith("ja") else "en"
