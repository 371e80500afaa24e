"""Invitations: letters with a link that signs one person in once, where they then add their first passkey.

Invariants: a person has at most one open invitation, the newest; a link is stored as a hash only, and what the letter
shop gets is one file of mode 0600, written before the links are committed, so that there is no link without a letter.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sanpo.ground.actors import Actor, System
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.errors import InputIsInvalid, NotFound
from sanpo.people.actions import require_register
from sanpo.people.private_files import write_private_csv
from sanpo.people.sign_in import SIGN_IN, find_holder, link_url
from sanpo.people.store import SQL
from sanpo.people.tokens import hash_of, new_token

LETTERS = System("letters")
LETTER_LIFETIME = timedelta(days=14)
STAFF_LIFETIME = timedelta(days=3)
LONGEST_LIFETIME = timedelta(days=60)
_HEADER = ("holder_id", "name", "address", "email", "language", "url", "last_day")
_CHUNK = 2_000


@dataclass(frozen=True)
class Invited:
    """What an invitation made. Left out were those whose invitation is open, and those whom the register lost."""

    file: str | None
    letters: int
    expires_at: datetime
    already_invited: int
    vanished: int


@dataclass(frozen=True)
class _Letter:
    """To whom a letter goes. Staff have an e-mail address in place of a postal one."""

    subject_no: int | None
    staff_id: str | None
    holder_id: str
    name: str
    address: str
    email: str
    language: str


def invite(
    city: City,
    actor: Actor,
    file: Path,
    *,
    holder_ids: Sequence[str] = (),
    staff: bool = False,
    again: bool = False,
    lifetime: timedelta | None = None,
) -> Invited:
    """Writes a letter for each resident (or with `staff` each member of staff) without a passkey, or for those named.

    Who has an open invitation is left out unless named, or `again`: their earlier link is then refused. Residents who
    have vanished from the register get a letter only when they are named. For the operator. Raises `NotFound` for a name
    that is nobody's, `InputIsInvalid`, `FileCannotBeWritten`; then no link was made.
    """
    require_register(actor)
    to_staff = staff or any(holder_id.startswith("stf_") for holder_id in holder_ids)
    usual = STAFF_LIFETIME if to_staff else LETTER_LIFETIME
    lasts = usual if lifetime is None else lifetime
    if not timedelta(0) < lasts <= LONGEST_LIFETIME:
        raise InputIsInvalid(where="lifetime", problem=f"≤ {LONGEST_LIFETIME.days} days")
    with _posted_or_removed() as written, city.transaction(SIGN_IN) as tx:
        # One at a time, or two files could hold links for the same person, of which the first is void already.
        tx.execute(SQL.lock_invitations)
        rows = _named(tx, holder_ids) if holder_ids else _without_passkey(tx, staff=staff)
        wanted = [row for row in rows if holder_ids or again or not row.invited]
        letters, vanished = _addressed(city, wanted, all_of_them=bool(holder_ids))
        expires_at = tx.now + lasts
        if letters:
            _write(city, tx, file, letters, expires_at)
            written.append(file)
    return Invited(str(file) if letters else None, len(letters), expires_at, len(rows) - len(wanted), vanished)


def cancel_invitations(city: City, actor: Actor, holder_ids: Sequence[str] | None) -> int:
    """The open invitations of these people (None: of everybody) are refused from now on; returns how many were."""
    require_register(actor)
    with city.transaction(SIGN_IN) as tx:
        if holder_ids is None:
            return tx.execute(SQL.cancel_all_invitations, at=tx.now)
        holders = [find_holder(tx, holder_id) for holder_id in holder_ids]
        return tx.execute(
            SQL.cancel_links,
            at=tx.now,
            subject_nos=[holder.subject_no for holder in holders if holder.subject_no],
            staff_ids=[holder.staff_id for holder in holders if holder.staff_id],
        )


@contextmanager
def _posted_or_removed() -> Iterator[list[Path]]:
    """A file whose links were not committed is removed: its letters would lead nowhere."""
    written: list[Path] = []
    try:
        yield written
    except BaseException:
        for file in written:
            file.unlink(missing_ok=True)
        raise


def _without_passkey(tx: Transaction, *, staff: bool) -> list[Any]:
    return tx.all(SQL.staff_to_invite if staff else SQL.residents_to_invite, at=tx.now)


def _named(tx: Transaction, holder_ids: Sequence[str]) -> list[Any]:
    rows = tx.all(SQL.named_to_invite, holder_ids=list(holder_ids))
    if strangers := set(holder_ids) - {row.holder_id for row in rows}:
        raise NotFound(what=min(strangers))
    return rows


def _addressed(city: City, rows: Sequence[Any], *, all_of_them: bool) -> tuple[list[_Letter], int]:
    """The letters, and how many residents get none because the register does not list them any more."""
    numbers = [row.subject_no for row in rows if row.subject_no is not None]
    with city.transaction(LETTERS) as tx:
        found = {row.subject_no: row for row in tx.all(SQL.letter_addresses, subject_nos=numbers)}
    letters = []
    for row in rows:
        home = found.get(row.subject_no)
        if home is None:
            letters.append(_Letter(None, row.staff_id, row.holder_id, row.name, "", row.email or "", row.language))
        elif all_of_them or not home.vanished:
            letters.append(_Letter(row.subject_no, None, row.holder_id, home.name, home.address, "", row.language))
    return letters, len(rows) - len(letters)


def _write(city: City, tx: Transaction, file: Path, letters: Sequence[_Letter], expires_at: datetime) -> None:
    tokens = [new_token() for _ in letters]
    for start in range(0, len(letters), _CHUNK):
        chunk = letters[start : start + _CHUNK]
        subject_nos, staff_ids = [one.subject_no for one in chunk], [one.staff_id for one in chunk]
        tx.execute(SQL.cancel_links, subject_nos=subject_nos, staff_ids=staff_ids, at=tx.now)
        tx.execute(
            SQL.insert_invitations,
            token_hashes=[hash_of(token) for token in tokens[start : start + _CHUNK]],
            subject_nos=subject_nos,
            staff_ids=staff_ids,
            at=tx.now,
            expires_at=expires_at,
        )
    write_private_csv(file, _HEADER, _lines(city, letters, tokens, expires_at), replace=False)


def _lines(
    city: City, letters: Sequence[_Letter], tokens: Sequence[str], expires_at: datetime
) -> Iterator[tuple[str, ...]]:
    # The day before the last moment: whoever reads the letter on the day it names has that whole day.
    last_day = (expires_at.astimezone(city.settings.zone) - timedelta(days=1)).date().isoformat()
    for letter, token in zip(letters, tokens, strict=True):
        url = link_url(city, token)
        yield letter.holder_id, letter.name, letter.address, letter.email, letter.language, url, last_day
