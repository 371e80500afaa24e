"""The journal over HTTP: C2SP tlog-tiles for monitors and witnesses, a public list, and each resident's own proofs."""

from datetime import datetime
from typing import Annotated, Any

from litestar import MediaType, Response, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import PathParameter, QueryParameter
from msgspec import Struct

from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.web import problem_responses
from sanpo.journal import actions
from sanpo.journal.model import TileNotFound
from sanpo.journal.sequencer import verifier_key

FOREVER = "public, max-age=31536000, immutable"
_Limit = Annotated[int, QueryParameter(ge=1, le=actions.MAX_PAGE, description="Entries on a page.")]
_Before = Annotated[
    int | None, QueryParameter(ge=1, le=2**53, description="Entries older than this one, as `next_before` gave it.")
]
_EntryId = Annotated[str, PathParameter(description="An entry's identifier, `ent_…`.", max_length=64)]
_Level = Annotated[str, PathParameter(description="0 to 63, or `entries`.", max_length=8)]
_TilePath = Annotated[str, PathParameter(description="Index and partial width, such as `x001/x234/067.p/8`.")]


class EntryOut(Struct):
    """The public part of an entry. `leaf_index` is null for the second until the tree holds it."""

    entry_no: int
    entry_id: str
    kind: str
    appended_at: datetime
    body: dict[str, Any]
    leaf_index: int | None


class EntriesOut(Struct):
    """A page, newest first; `next_before` asks for the next one and is null on the last."""

    entries: list[EntryOut]
    next_before: int | None


def _bytes_of(what: str) -> dict[int, ResponseSpec]:
    return {200: ResponseSpec(data_container=bytes, media_type="application/octet-stream", description=what)}


@get(
    "/api/journal/checkpoint",
    media_type=MediaType.TEXT,
    responses=problem_responses(404),
    sync_to_thread=True,
    summary="The newest signed tree head (C2SP tlog-checkpoint)",
)
def get_checkpoint(city: City) -> Response[str]:
    return Response(actions.latest_checkpoint(city).note, headers={"Cache-Control": "public, max-age=1"})


@get(
    "/api/journal/vkey",
    media_type=MediaType.TEXT,
    responses=problem_responses(),
    sync_to_thread=False,
    summary="The journal's public key in the C2SP vkey form",
)
def get_vkey(city: City) -> str:
    """Get it once from somewhere you trust; a key fetched beside the proof proves little."""
    return f"{verifier_key(city)}\n"


@get(
    "/api/journal/tile/{level:str}/{tile_path:path}",
    media_type="application/octet-stream",
    responses={**problem_responses(404), **_bytes_of("Hashes of 32 bytes, or an entry bundle.")},
    sync_to_thread=True,
    summary="A tile, or with the level `entries` a bundle of entries (C2SP tlog-tiles)",
)
def get_tile(city: City, level: _Level, tile_path: _TilePath) -> Response[bytes]:
    path = str(tile_path).removeprefix("/")
    if level == "entries":
        data = actions.read_bundle(city, path)
    elif level.isascii() and level.isdecimal() and str(int(level)) == level:
        data = actions.read_tile(city, int(level), path)
    else:
        raise TileNotFound(path=f"{level}/{path}"[:80])
    return Response(data, media_type="application/octet-stream", headers={"Cache-Control": FOREVER})


@get(
    "/api/journal/entries",
    responses=problem_responses(),
    sync_to_thread=True,
    summary="The public journal, newest first",
)
def get_entries(city: City, before: _Before = None, limit: _Limit = 50) -> EntriesOut:
    found = actions.list_entries(city, before=before, limit=limit)
    entries = [EntryOut(e.entry_no, e.entry_id, e.kind, e.appended_at, e.body, e.leaf_index) for e in found]
    return EntriesOut(entries, found[-1].entry_no if len(found) == limit else None)


@get(
    "/api/journal/proofs/{entry_id:str}",
    media_type=MediaType.TEXT,
    responses=problem_responses(404, 409),
    sync_to_thread=True,
    summary="A proof of one entry that can be checked offline (C2SP tlog-proof)",
)
def get_proof(city: City, actor: Actor, entry_id: _EntryId) -> Response[str]:
    """A signed-in resident's proof also says whether they were in it; anyone else's proves the public entry."""
    text = actions.prove_entry(city, actor, entry_id)
    name = f'attachment; filename="{entry_id}.tlog-proof"'
    return Response(text, headers={"Content-Disposition": name, "Cache-Control": "private, no-store"})


handlers: list[Any] = [get_checkpoint, get_vkey, get_tile, get_entries, get_proof]
