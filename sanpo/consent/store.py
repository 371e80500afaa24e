"""The vault's door: rows of `consent` as the district's own types."""

from typing import Any

from sanpo.consent.model import PublishedAgreement, parse_document
from sanpo.ground.db import Transaction
from sanpo.ground.errors import NotFound
from sanpo.ground.queries import load_queries

SQL = load_queries(__package__)


def agreement_of(row: Any) -> PublishedAgreement:
    """A row of `consent.agreements` as the published agreement."""
    return PublishedAgreement(
        agreement_id=row.agreement_id,
        agreement_no=row.agreement_no,
        organisation_no=row.organisation_no,
        sha256=row.sha256,
        state=row.state,
        published_at=row.published_at,
        document=parse_document(bytes(row.document)),
        decision_note=row.decision_note,
    )


def get_agreement(tx: Transaction, agreement_id: str) -> PublishedAgreement:
    """The agreement; raises `NotFound`."""
    row = tx.one(SQL.agreement, agreement_id=agreement_id)
    if row is None:
        raise NotFound(what="agreement")
    return agreement_of(row)
