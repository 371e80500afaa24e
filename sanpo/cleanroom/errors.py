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


class TooManyQuestions(DomainError):
    """Every place for questions is taken; nothing was done. Fields: at_once, retry_after_s."""

    code = "cleanroom.too_many_questions"
    kind = Kind.TOO_MANY


class QuestionIdIsTaken(DomainError):
    """A question of this identifier is under way. Field: question_id."""

    code = "cleanroom.question_id_is_taken"
    kind = Kind.CONFLICT


class QuestionWasEnded(DomainError):
    """Whoever asked ended the question while it ran; nothing was released."""

    code = "cleanroom.question_was_ended"
    kind = Kind.GONE


class QuestionScansTooMuch(DomainError):
    """The question would read more rows than one question may. Fields: rows, most, dataset."""

    code = "cleanroom.question_scans_too_much"
    kind = Kind.UNSUPPORTED


class DisclosureIsNotSafe(DomainError):
    """Enough subjects were found, but small groups could be worked out from what would be told. Field: minimum."""

    code = "cleanroom.disclosure_is_not_safe"
    kind = Kind.REFUSED


class AnswersAreTooClose(DomainError):
    """What is left of the answer differs from an earlier one to the same organisation by fewer people than the minimum,
    so that subtracting both would show those few. Field: minimum."""

    code = "cleanroom.answers_are_too_close"
    kind = Kind.REFUSED


class MultiplicationHasTooLittle(DomainError):
    """There are too few units to judge a gain by, or nothing to predict. Field: problem."""

    code = "cleanroom.multiplication_has_too_little"
    kind = Kind.UNSUPPORTED


class OpenDataIsTooLarge(DomainError):
    """An open dataset has more rows than a multiplication reads. Fields: dataset, rows, most."""

    code = "cleanroom.open_data_is_too_large"
    kind = Kind.UNSUPPORTED


class EngineIsUnavailable(DomainError):
    """The engine could not read the lake. Nothing was answered or recorded as answered. Fields: dataset, problem."""

    code = "cleanroom.engine_is_unavailable"
    kind = Kind.UNAVAILABLE


class EngineIsNotInstalled(DomainError):
    """The setting `engine` names an engine whose packages are missing here. Fields: engine, install (a command)."""

    code = "cleanroom.engine_is_not_installed"
    kind = Kind.UNAVAILABLE


class ConsentMovedDuringQuestion(DomainError):
    """Residents withdrew while the question ran, at each attempt; nothing was released. Field: attempts."""

    code = "cleanroom.consent_moved_during_question"
    kind = Kind.UNAVAILABLE


class QueryBudgetIsSpent(DomainError):
    """The agreement's questions of this period are used up. Fields: limit, days, spent, next_at, retry_after_s."""

    code = "cleanroom.query_budget_is_spent"
    kind = Kind.TOO_MANY


class PrivacyBudgetIsSpent(DomainError):
    """The answer would cost more epsilon than is left in this period; limit, spent and asked are in thousandths.

    Fields: limit, days, spent, asked, next_at, retry_after_s.
    """

    code = "cleanroom.privacy_budget_is_spent"
    kind = Kind.TOO_MANY


class PrivacyIsNotInRule(DomainError):
    """The agreement sets no privacy budget, so that nothing can be released with differential privacy under it."""

    code = "cleanroom.privacy_is_not_in_rule"
    kind = Kind.REFUSED


class EpsilonIsOutOfRange(DomainError):
    """More epsilon is asked for one answer than the agreement has at all, in thousandths. Fields: asked, lowest, highest."""

    code = "cleanroom.epsilon_is_out_of_range"
    kind = Kind.REFUSED


class FunctionIsNotPrivate(DomainError):
    """The function has no form with differential privacy here. Fields: function, accepted."""

    code = "cleanroom.function_is_not_private"
    kind = Kind.UNSUPPORTED


class EndsAreMissing(DomainError):
    """With differential privacy a question says between which ends a measured column counts. Fields: column, accepted."""

    code = "cleanroom.ends_are_missing"
    kind = Kind.INVALID


class DomainIsMissing(DomainError):
    """With differential privacy all cells must be known before any row is read, and this dimension's values are not.

    Fields: dimension, accepted (a condition that would make them known).
    """

    code = "cleanroom.domain_is_missing"
    kind = Kind.INVALID
