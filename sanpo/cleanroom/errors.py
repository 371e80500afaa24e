"""Refusals of the clean room. Each says which rule it is and what would pass."""

from sanpo.ground.errors import DomainError, Kind


class QuestionNotInSubset(DomainError):
    """The SQL is not in the subset. Fields: line, column (both from 1), found, suggestion."""

    code = "cleanroom.question_not_in_subset"
    kind = Kind.INVALID


class QuestionIsMalformed(DomainError):
    """The question's parts do not have the shape asked for or do not fit together. Fields: where, problem."""

    code = "cleanroom.question_is_malformed"
    kind = Kind.INVALID


class AgreementIsNotNamed(DomainError):
    """Neither the token nor the question says under which agreement it is asked."""

    code = "cleanroom.agreement_is_not_named"
    kind = Kind.INVALID


class ColumnIsUnknown(DomainError):
    """The dataset has no such column. Fields: column, dataset, accepted."""

    code = "cleanroom.column_is_unknown"
    kind = Kind.INVALID


class ColumnIsAmbiguous(DomainError):
    """Several joined datasets have a column of this name. Fields: column, accepted."""

    code = "cleanroom.column_is_ambiguous"
    kind = Kind.INVALID


class KeyIsUnknown(DomainError):
    """A join names a key that the dataset does not declare. Fields: key, dataset, accepted."""

    code = "cleanroom.key_is_unknown"
    kind = Kind.INVALID


class KeyHasNoMatch(DomainError):
    """Nothing on the side of the rows has a key of this kind. Fields: key, kind, dataset."""

    code = "cleanroom.key_has_no_match"
    kind = Kind.INVALID


class JoinIsAmbiguous(DomainError):
    """Several columns on the side of the rows could be meant by this key. Fields: key, accepted."""

    code = "cleanroom.join_is_ambiguous"
    kind = Kind.INVALID


class JoinMultipliesRows(DomainError):
    """The joined dataset can have several rows for one row: it must be unique by the keys or be put together by them.

    Fields: dataset, on, unique (the keys by which it is unique).
    """

    code = "cleanroom.join_multiplies_rows"
    kind = Kind.INVALID


class JoinNeedsSubject(DomainError):
    """Two datasets about people are joined by their people only. Fields: dataset, accepted."""

    code = "cleanroom.join_needs_subject"
    kind = Kind.REFUSED


class JoinIsNotInRule(DomainError):
    """The agreement does not let its data be joined by this key. Fields: key, accepted."""

    code = "cleanroom.join_is_not_in_rule"
    kind = Kind.REFUSED


class BoundsAreMissing(DomainError):
    """A minimum or maximum would show one person's value: the agreement must set its ends first. Fields: function, column."""

    code = "cleanroom.bounds_are_missing"
    kind = Kind.REFUSED


class TypeDoesNotFit(DomainError):
    """A column is used in a way that its type does not allow. Fields: column, type, found, accepted."""

    code = "cleanroom.type_does_not_fit"
    kind = Kind.INVALID


class TimeNeedsBucket(DomainError):
    """A moment is asked for as a dimension, which would show every row by itself. Fields: column, accepted."""

    code = "cleanroom.time_needs_bucket"
    kind = Kind.INVALID


class DatasetIsNotPersonal(DomainError):
    """The dataset is about no one, so that there are no subjects to protect or to count. Field: dataset."""

    code = "cleanroom.dataset_is_not_personal"
    kind = Kind.UNSUPPORTED


class ColumnIdentifiesPeople(DomainError):
    """A column that names a person or a device is asked for. Fields: column, accepted."""

    code = "cleanroom.column_identifies_people"
    kind = Kind.REFUSED


class DimensionIsNotInRule(DomainError):
    """The agreement does not let answers be split by this column. Fields: column, accepted."""

    code = "cleanroom.dimension_is_not_in_rule"
    kind = Kind.REFUSED


class MeasureIsNotInRule(DomainError):
    """The agreement does not let this column be measured. Fields: column, accepted."""

    code = "cleanroom.measure_is_not_in_rule"
    kind = Kind.REFUSED


class FunctionIsNotInRule(DomainError):
    """The agreement does not allow this function. Fields: function, accepted."""

    code = "cleanroom.function_is_not_in_rule"
    kind = Kind.REFUSED


class QuantileIsExtreme(DomainError):
    """So low or high a quantile tells as much as a minimum or maximum, which the agreement does not allow.

    Fields: q, function, lowest, highest.
    """

    code = "cleanroom.quantile_is_extreme"
    kind = Kind.REFUSED


class TooFewSubjects(DomainError):
    """No cell of the answer has the fewest subjects that the agreement asks for. Field: minimum."""

    code = "cleanroom.too_few_subjects"
    kind = Kind.REFUSED


class AnswerIsTooLarge(DomainError):
    """The question splits into more cells than an answer may have. Field: most."""

    code = "cleanroom.answer_is_too_large"
    kind = Kind.UNSUPPORTED


class QuestionRunsTooLong(DomainError):
    """The engine was stopped at the time limit of one question. Field: limit_ms."""

    code = "cleanroom.question_runs_too_long"
    kind = Kind.UNSUPPORTED


class QuestionNeedsTooMuchMemory(DomainError):
    """The engine was stopped at the memory limit of questions. Field: limit_mb."""

    code = "cleanroom.question_needs_too_much_memory"
    kind = Kind.UNSUPPORTED


class EngineIsUnavailable(DomainError):
    """The engine could not read the lake. Nothing was answered or recorded as answered. Fields: dataset, problem."""

    code = "cleanroom.engine_is_unavailable"
    kind = Kind.UNAVAILABLE


class ConsentMovedDuringQuestion(DomainError):
    """Residents withdrew while the question ran, at each attempt; nothing was released. Field: attempts."""

    code = "cleanroom.consent_moved_during_question"
    kind = Kind.UNAVAILABLE
