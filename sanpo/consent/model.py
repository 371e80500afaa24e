"""Agreements: who asks for what, why, how long, under which rule, and what the three sides gain. Pure.

Terms follow ISO/IEC TS 27560 (consent records) and the W3C Data Privacy Vocabulary.
"""

from datetime import date, datetime
from functools import lru_cache
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from sanpo.consent.vocabulary import PURPOSES
from sanpo.ground.canonical import canonical_json, sha256_hex
from sanpo.ground.errors import DomainError, Kind

Short = Annotated[str, Meta(min_length=1, max_length=200)]
Prose = Annotated[str, Meta(min_length=1, max_length=4000)]
Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$", max_length=80)]
Function = Literal["count", "sum", "avg", "min", "max", "quantile", "variance", "correlation"]
Side = Literal["giver", "city", "organisation"]
SIDES: tuple[Side, ...] = ("giver", "city", "organisation")


class AgreementHasEmptyGain(DomainError):
    """A side gains nothing. Field: side."""

    code = "consent.agreement_has_empty_gain"
    kind = Kind.INVALID


class AgreementIsInvalid(DomainError):
    """A part of the draft cannot stand. Fields: where, problem."""

    code = "consent.agreement_is_invalid"
    kind = Kind.INVALID


class PurposeIsUnknown(DomainError):
    """A purpose term is not one of DPV's that the city uses. Fields: given, accepted."""

    code = "consent.purpose_is_unknown"
    kind = Kind.INVALID


class ChangeIsMaterial(DomainError):
    """A replacement calls itself immaterial but changes what residents agreed to. Field: parts."""

    code = "consent.change_is_material"
    kind = Kind.INVALID


class Text(Struct, frozen=True, forbid_unknown_fields=True):
    """The same words in Japanese and English."""

    ja: Prose
    en: Prose

    def in_language(self, lang: str) -> str:
        return self.en if lang == "en" else self.ja


class Purpose(Struct, frozen=True, forbid_unknown_fields=True):
    text: Text
    dpv: Annotated[tuple[str, ...], Meta(min_length=1, max_length=5)]


class DataUse(Struct, frozen=True, forbid_unknown_fields=True):
    """One dataset of the lake and the columns that may be touched."""

    name: Name
    columns: Annotated[tuple[Name, ...], Meta(min_length=1, max_length=100)]


class Term(Struct, frozen=True, forbid_unknown_fields=True):
    """First and last day (inclusive, local) on which the agreement can be used; a grant lasts `grant_days`."""

    first_day: date
    last_day: date
    grant_days: Annotated[int, Meta(ge=1, le=3660)]


class OnWithdrawal(Struct, frozen=True, forbid_unknown_fields=True):
    """What withdrawal does to results already given."""

    effect: Literal["aggregates_stay", "results_deleted"]
    text: Text


class Dominance(Struct, frozen=True, forbid_unknown_fields=True):
    """A value is withheld where the `n` largest subjects hold more than `percent` of it ((n, k) rule)."""

    n: Annotated[int, Meta(ge=1, le=5)]
    percent: Annotated[int, Meta(ge=1, le=99)]


class Budget(Struct, frozen=True, forbid_unknown_fields=True):
    """At most so many answered questions in any `days` days."""

    questions: Annotated[int, Meta(ge=1, le=1_000_000)]
    days: Annotated[int, Meta(ge=1, le=3660)]


class Privacy(Struct, frozen=True, forbid_unknown_fields=True):
    """Differential privacy: the epsilon (in thousandths) to be spent in any `days` days, and the most rows by which one
    subject may count in one answer."""

    epsilon_milli: Annotated[int, Meta(ge=1, le=100_000)]
    days: Annotated[int, Meta(ge=1, le=3660)]
    contribution_rows: Annotated[int, Meta(ge=1, le=100_000)]


class Clamp(Struct, frozen=True, forbid_unknown_fields=True):
    """`min` and `max` of the column are told no further out than these whole numbers."""

    column: Name
    low: int
    high: int


class AnalysisRule(Struct, frozen=True, forbid_unknown_fields=True):
    """Which columns may be split by and measured, by which functions, and the fewest subjects in a released cell.

    What is not set is not written, so that an agreement's text, and its hash, stay what they were when more can be set.
    `join_keys`: keys by which this agreement's datasets may be joined to others. `protection_percent`: how close an
    estimate of a withheld sum may come. `household` `any`: a household counts when one of its members agreed.
    """

    dimensions: tuple[Name, ...]
    measures: tuple[Name, ...]
    functions: Annotated[tuple[Function, ...], Meta(min_length=1)] = ("count", "sum", "avg")
    min_subjects: Annotated[int, Meta(ge=2, le=100_000)] = 10
    join_keys: tuple[Name, ...] | msgspec.UnsetType = msgspec.UNSET
    clamps: tuple[Clamp, ...] | msgspec.UnsetType = msgspec.UNSET
    dominance: Dominance | msgspec.UnsetType = msgspec.UNSET
    rounding: Annotated[int, Meta(ge=2, le=1000)] | msgspec.UnsetType = msgspec.UNSET
    protection_percent: Annotated[int, Meta(ge=1, le=100)] | msgspec.UnsetType = msgspec.UNSET
    budget: Budget | msgspec.UnsetType = msgspec.UNSET
    privacy: Privacy | msgspec.UnsetType = msgspec.UNSET
    household: Literal["each", "any"] | msgspec.UnsetType = msgspec.UNSET

    def clamp_of(self, column: str) -> Clamp | None:
        """The ends of a column's `min` and `max`, where the rule sets them."""
        clamps = () if self.clamps is msgspec.UNSET else self.clamps
        return next((clamp for clamp in clamps if clamp.column == column), None)


class Metric(Struct, frozen=True, forbid_unknown_fields=True):
    """How a gain is measured: `per` units for each answer, released cell or subject; or reported by the recipient.

    `paid_in` points: the recipient pays each subject of a use `per` yen, in points, with the answer. For givers only.
    """

    name: Name
    unit: Text
    basis: Literal["answer", "cell", "subject", "reported"]
    per: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    paid_in: Literal["points"] | msgspec.UnsetType = msgspec.UNSET


class Gain(Struct, frozen=True, forbid_unknown_fields=True):
    text: Text
    metric: Metric


class Gains(Struct, frozen=True, forbid_unknown_fields=True):
    """三方良し: each side gains something that is measured."""

    giver: Gain
    city: Gain
    organisation: Gain

    def of(self, side: Side) -> Gain:
        return {"giver": self.giver, "city": self.city, "organisation": self.organisation}[side]


class Replaces(Struct, frozen=True, forbid_unknown_fields=True):
    agreement_id: str
    material: bool


class Draft(Struct, frozen=True, forbid_unknown_fields=True):
    """What an organisation writes. Publication adds the recipient and freezes it."""

    title: Text
    purpose: Purpose
    datasets: Annotated[tuple[DataUse, ...], Meta(min_length=1, max_length=10)]
    term: Term
    retention_days: Annotated[int, Meta(ge=0, le=36_600)]
    on_withdrawal: OnWithdrawal
    rule: AnalysisRule
    gains: Gains
    replaces: Replaces | None = None
    service: Name | None = None


class Recipient(Struct, frozen=True):
    organisation_id: str
    name: Text
    contact: str


class Document(Struct, frozen=True):
    """The immutable text of an agreement: the draft and its recipient. Its canonical JSON is what is hashed."""

    draft: Draft
    recipient: Recipient
    city: Text


class PublishedAgreement(Struct, frozen=True):
    """An agreement as the city keeps it. `state` and times are the city's record, everything else is the document."""

    agreement_id: str
    agreement_no: int
    organisation_no: int
    sha256: str
    state: Literal["proposed", "approved", "rejected", "closed"]
    published_at: datetime
    document: Document
    decision_note: str = ""

    @property
    def draft(self) -> Draft:
        return self.document.draft

    @property
    def organisation_id(self) -> str:
        return self.document.recipient.organisation_id

    @property
    def rule(self) -> AnalysisRule:
        return self.draft.rule

    @property
    def gains(self) -> Gains:
        return self.draft.gains

    @property
    def purpose_codes(self) -> tuple[str, ...]:
        return self.draft.purpose.dpv

    def columns_of(self, dataset: str) -> frozenset[str]:
        """The columns of this dataset that the agreement covers; empty where it does not name the dataset."""
        return frozenset(name for use in self.draft.datasets if use.name == dataset for name in use.columns)

    def runs_on(self, day: date) -> bool:
        return self.draft.term.first_day <= day <= self.draft.term.last_day


def read_draft(data: bytes | str) -> Draft:
    """Decodes a draft from JSON. Raises `AgreementHasEmptyGain` or `AgreementIsInvalid` with the path of the problem."""
    try:
        raw = msgspec.json.decode(data)
        _check_gains_present(raw)
        return msgspec.convert(raw, Draft)
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(" - at `")
        raise AgreementIsInvalid(where=where.rstrip("`") or "$", problem=problem) from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise AgreementIsInvalid(where="$", problem=str(error)) from None


def check_draft(draft: Draft, *, today: date) -> None:
    """Raises where the parts do not fit together: empty gain, unknown purpose, term in the past, rule outside datasets."""
    for side in SIDES:
        text = draft.gains.of(side).text
        if not text.ja.strip() or not text.en.strip():
            raise AgreementHasEmptyGain(side=side)
        metric = draft.gains.of(side).metric
        if metric.paid_in is not msgspec.UNSET and (side, metric.basis) != ("giver", "subject"):
            raise AgreementIsInvalid(where=f"$.gains.{side}.metric.paid_in", problem="only givers are paid, by subject")
    for term in draft.purpose.dpv:
        if term not in PURPOSES:
            raise PurposeIsUnknown(given=term, accepted=", ".join(sorted(PURPOSES)))
    if draft.term.last_day < draft.term.first_day or draft.term.last_day < today:
        raise AgreementIsInvalid(where="$.term.last_day", problem="is before the first day or already past")
    covered = {name for use in draft.datasets for name in use.columns}
    clamps = () if draft.rule.clamps is msgspec.UNSET else draft.rule.clamps
    named = (
        ("dimensions", draft.rule.dimensions),
        ("measures", draft.rule.measures),
        ("clamps", [c.column for c in clamps]),
    )
    for clamp in clamps:
        if clamp.low >= clamp.high:
            raise AgreementIsInvalid(where="$.rule.clamps", problem=f"{clamp.column}: low lies below high")
    for place, names in named:
        outside = sorted(set(names) - covered)
        if outside:
            raise AgreementIsInvalid(where=f"$.rule.{place}", problem=f"not among the datasets' columns: {outside}")


def check_replacement(old: Draft, new: Draft) -> None:
    """A change that calls itself immaterial may touch words only; raises `ChangeIsMaterial` otherwise."""
    if new.replaces is None or new.replaces.material:
        return
    kept = {
        "purpose.dpv": (old.purpose.dpv, new.purpose.dpv),
        "datasets": (old.datasets, new.datasets),
        "rule": (old.rule, new.rule),
        "term": (old.term, new.term),
        "retention_days": (old.retention_days, new.retention_days),
        "on_withdrawal.effect": (old.on_withdrawal.effect, new.on_withdrawal.effect),
        "gains": tuple(tuple(d.gains.of(side).metric for side in SIDES) for d in (old, new)),
        "service": (old.service, new.service),
    }
    changed = [part for part, (before, after) in kept.items() if before != after]
    if changed:
        raise ChangeIsMaterial(parts=", ".join(changed))


def document_bytes(document: Document) -> bytes:
    """The canonical JSON of the document (RFC 8785)."""
    return canonical_json(msgspec.to_builtins(document))


def document_sha256(document: Document) -> str:
    return sha256_hex(document_bytes(document))


@lru_cache(maxsize=4096)
def parse_document(data: bytes) -> Document:
    """The document from its stored bytes; immutable, so it is decoded once per process."""
    return msgspec.json.decode(data, type=Document)


def _check_gains_present(raw: object) -> None:
    gains = raw.get("gains") if isinstance(raw, dict) else None
    for side in SIDES:
        gain = gains.get(side) if isinstance(gains, dict) else None
        text = gain.get("text") if isinstance(gain, dict) else None
        words = [text.get(lang) for lang in ("ja", "en")] if isinstance(text, dict) else [None]
        if not all(isinstance(word, str) and word.strip() for word in words):
            raise AgreementHasEmptyGain(side=side)
