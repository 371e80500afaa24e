"""The API of previews: what would become of a question, before it is asked?"""

from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Request, Response, post
from msgspec import Meta, Struct, structs

from sanpo.cleanroom.budgets import BudgetLeft
from sanpo.cleanroom.errors import QuestionIsMalformed
from sanpo.cleanroom.model import Private, Question
from sanpo.cleanroom.parse import parse_sql
from sanpo.cleanroom.preview import Problem, check_question
from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.problems import language_of, problem_responses


class PreviewBody(Struct, forbid_unknown_fields=True):
    """A question as for `/api/cleanroom/questions`: as `sql` (with `release`, where it is to be answered with differential
    privacy) or as `question`, under the token's agreement or the one named."""

    sql: Annotated[str, Meta(max_length=20_000)] | None = None
    question: Question | None = None
    agreement_id: str | None = None
    release: Private | None = None


@dataclass(frozen=True)
class PreviewProblem:
    """One choice that would be refused, in the words of the refusal. `where` is its path in the question."""

    where: str
    code: str
    kind: str
    detail: str
    fields: dict[str, str | int]


@dataclass(frozen=True)
class PreviewAnswer:
    """`sql` is the question's canonical form; `minimum` the fewest residents of a cell that would be told, null with
    differential privacy; `left` what is left of the agreement's budgets."""

    sql: str
    problems: list[PreviewProblem]
    minimum: int | None
    left: BudgetLeft


@post(
    "/api/cleanroom/previews",
    sync_to_thread=True,
    status_code=200,
    responses=problem_responses(401, 403, 404),
)
def post_preview(
    request: Request[Any, Any, Any], city: City, actor: Actor, data: PreviewBody
) -> Response[PreviewAnswer]:
    """Says which rule each choice of a question would break and what would pass. Nothing is read, recorded or charged.

    Without problems the question can be asked; whether enough residents are behind its cells shows only then.
    """
    if (data.sql is None) == (data.question is None):
        raise QuestionIsMalformed(where="$", problem="give either `sql` or `question`")
    question = data.question if data.question is not None else parse_sql(data.sql or "")
    if data.release is not None:
        question = structs.replace(question, release=data.release)
    found = check_question(city, actor, data.agreement_id, question)
    lang = language_of(request)

    def problem(each: Problem) -> PreviewProblem:
        fields = {name: value if isinstance(value, int) else str(value) for name, value in each.error.fields.items()}
        detail = city.words.text(lang, f"error.{each.error.code}", **each.error.fields)
        return PreviewProblem(each.where, each.error.code, each.error.kind.value, detail, fields)

    answer = PreviewAnswer(found.sql, [problem(each) for each in found.problems], found.minimum, found.left)
    return Response(answer, headers={"Cache-Control": "no-store"})


handlers: list[Any] = [post_preview]
