"""The clean room's API: ask a question, and see what can be asked for."""

from typing import Annotated, Any

from litestar import Response, get, post
from litestar.datastructures import ResponseHeader
from msgspec import Meta, Struct

from sanpo.cleanroom import actions, catalogue
from sanpo.cleanroom.answer import Answer
from sanpo.cleanroom.catalogue import AskableDataset
from sanpo.cleanroom.errors import QuestionIsMalformed
from sanpo.cleanroom.model import Question, check_shape
from sanpo.cleanroom.stages import server_timing
from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.problems import problem_responses

PATH = "/api/cleanroom"


class AskBody(Struct, forbid_unknown_fields=True):
    """A question as `sql` (the subset) or as `question` (the JSON model). The client's token names the agreement;
    staff, whose session does not, give `agreement_id`."""

    sql: Annotated[str, Meta(max_length=20_000)] | None = None
    question: Question | None = None
    agreement_id: str | None = None


@post(
    f"{PATH}/questions",
    sync_to_thread=True,
    status_code=200,
    response_headers=[
        ResponseHeader(name="Server-Timing", description="Time of each stage, ms", documentation_only=True)
    ],
    responses=problem_responses(401, 403, 404, 410, 422),
)
def post_question(city: City, actor: Actor, data: AskBody) -> Response[Answer]:
    """Answers a question under an agreement, or refuses it and says which rule and what would pass.

    Only residents whose grant is valid at this moment are counted; cells of too few are suppressed (null, named in
    `suppressed`). The use is in the journal under `entry_id` before the answer leaves.
    """
    if (data.sql is None) == (data.question is None):
        raise QuestionIsMalformed(where="$", problem="give either `sql` or `question`")
    asked = data.sql if data.question is None else check_shape(data.question)
    answer = actions.ask(city, actor, data.agreement_id, asked or "")
    headers = {"Server-Timing": server_timing(answer.timings_ms), "Cache-Control": "no-store"}
    return Response(answer, headers=headers)


@get(f"{PATH}/datasets", sync_to_thread=True, responses=problem_responses())
def get_datasets(city: City) -> list[AskableDataset]:
    """The datasets and columns that questions can name. What may be used of them is in each agreement."""
    return catalogue.list_catalogue(city)


handlers: list[Any] = [post_question, get_datasets]
