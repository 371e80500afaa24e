"""`/api/broker/ingest/{mapping}`: CSV or JSON lines over HTTP, by one of the city's mappings (`broker_mappings`)."""

from dataclasses import dataclass

from litestar import post
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema

from sanpo.broker.ingest.files import Given, Import
from sanpo.broker.ingest.folder import find_mapping
from sanpo.broker.sight import check_writer
from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.problems import problem_responses

PATH = "/api/broker/ingest/{mapping:str}"


@dataclass(frozen=True)
class BadLineView:
    line: int
    reason: str


@dataclass(frozen=True)
class ImportedView:
    """`records` were stored by this call or, `before`, by one with the same body."""

    mapping: str
    records: int
    before: int
    observations: int
    entities: int
    skipped: int
    bad: list[BadLineView]


@dataclass
class Lines(Operation):
    """The operation as OpenAPI describes it: its body is text as it comes."""

    def __post_init__(self) -> None:
        text = OpenAPIMediaType(
            schema=Schema(type=OpenAPIType.STRING, description="lines of CSV, or a JSON document on each")
        )
        self.request_body = RequestBody(content={"text/plain": text}, required=True)


@post(
    PATH,
    sync_to_thread=True,
    status_code=200,
    responses=problem_responses(400, 401, 403, 404, 413),
    operation_class=Lines,
)
def post_lines(city: City, actor: Actor, mapping: str, body: bytes, skip_bad: bool = False) -> ImportedView:
    """Stores lines of measurements: all of them, or with `skip_bad` those that can be used. The same body is stored once.

    For organisations that may write entities. Which columns and members become what, the mapping says.
    """
    check_writer(city, actor)
    found, sha256 = find_mapping(city, mapping)
    done = Import(city, actor, Given.of_body("request", body), found, sha256, skip_bad).run()
    bad = [BadLineView(line, reason) for line, reason in done.bad]
    return ImportedView(done.mapping, done.records, done.before, done.observations, done.entities, done.skipped, bad)
