"""The clean room's API: ask a question, and see what can be asked for."""

from typing import Annotated, Any

from litestar import Response, delete, get, post
from litestar.datastructures import ResponseHeader
from msgspec import Meta, Struct, structs

from sanpo.cleanroom import actions, api_budgets, api_multiplications, api_previews, catalogue, running
from sanpo.cleanroom.answer import Answer
from sanpo.cleanroom.catalogue import AskableDataset
from sanpo.cleanroom.errors import QuestionIsMalformed
from sanpo.cleanroom.model import Private, Question, check_shape
from sanpo.cleanroom.parse import parse_sql
from sanpo.cleanroom.stages import server_timing
from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.problems import problem_responses

PATH = "/api/cleanroom"


QuestionId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,80}$")]


class AskBody(Struct, forbid_unknown_fields=True):
    """A question as `sql` (the subset) or as `question` (the JSON model). The client's token names the agreement;
    staff, whose session does not, give `agreement_id`.

    `release` asks for differential privacy, where the SQL is to be answered so. `as_of` names versions of datasets, as
    an answer's `snapshots` do. With a `question_id` of your choice the question can be ended while it runs.
    """

    sql: Annotated[str, Meta(max_length=20_000)] | None = None
    question: Question | None = None
    agreement_id: str | None = None
    release: Private | None = None
    as_of: dict[str, Annotated[int, Meta(ge=0)]] = {}
    question_id: QuestionId | None = None


@post(
    f"{PATH}/questions",
    sync_to_thread=True,
    status_code=200,
    response_headers=[
        ResponseHeader(name="Server-Timing", description="Time of each stage, ms", documentation_only=True)
    ],
    responses=problem_responses(401, 403, 404, 409, 410, 422, 429),
)
def post_question(city: City, actor: Actor, data: AskBody) -> Response[Answer]:
    """Answers a question under an agreement, or refuses it and says which rule and what would pass.

    Only residents whose grant is valid at this moment are counted; cells of too few are suppressed (null, named in
    `suppressed`). The use is in the journal under `entry_id` before the answer leaves.
    """
    if (data.sql is None) == (data.question is None):
        raise QuestionIsMalformed(where="$", problem="give either `sql` or `question`")
    asked = parse_sql(data.sql) if data.question is None and data.sql is not None else check_shape(data.question)  # type: ignore[arg-type]
    if data.release is not None:
        asked = check_shape(structs.replace(asked, release=data.release))
    answer = actions.ask(city, actor, data.agreement_id, asked, as_of=data.as_of, question_id=data.question_id)
    headers = {"Server-Timing": server_timing(answer.timings_ms), "Cache-Control": "no-store"}
    return Response(answer, headers=headers)


@delete(
    f"{PATH}/questions/{{question_id:str}}",
    sync_to_thread=True,
    status_code=204,
    responses=problem_responses(401, 403, 404),
)
def delete_question(city: City, actor: Actor, question_id: str) -> None:
    """Ends a question of the caller's organisation that is under way; whoever waits for it gets a 410."""
    running.end_question(city, actor, question_id)


@get(f"{PATH}/datasets", sync_to_thread=True, responses=problem_responses())
def get_datasets(city: City) -> list[AskableDataset]:
    """The datasets and columns that questions can name. What may be used of them is in each agreement."""
    return catalogue.list_catalogue(city)


handlers: list[Any] = [
    post_question,
    delete_question,
    get_datasets,
    *api_budgets.handlers,
    *api_multiplications.handlers,
    *api_previews.handlers,
]
