"""The journal over HTTP: a monitor rebuilds the tree from tiles and bundles; a resident fetches a proof."""

from collections.abc import Callable
from typing import Any

from litestar.testing import TestClient

from sanpo.ground.actors import Resident, System
from sanpo.ground.city import City
from sanpo.journal import SubjectSet, append, merkle, sequence, verify
from sanpo.journal.note import is_signed_by, parse_key, parse_note, parse_tree_head
from sanpo.journal.tiles import tile_number, width

Http = Callable[..., TestClient[Any]]
AYA = Resident("res_a", 7, "res_a")


def write(city: City, count: int) -> list[str]:
    with city.transaction(System("operator")) as tx:
        return [append(tx, kind="note", body={"番号": n}).entry_id for n in range(count)]


def test_monitor_rebuilds_the_signed_tree_from_tiles_and_entries(city: City, http: Http) -> None:
    write(city, 300)
    sequence(city)
    client = http()
    checkpoint = client.get("/api/journal/checkpoint")
    assert checkpoint.headers["content-type"] == "text/plain; charset=utf-8"
    note = parse_note(checkpoint.text)
    head = parse_tree_head(note.text)
    assert is_signed_by(note, parse_key(client.get("/api/journal/vkey").text))
    leaves: list[bytes] = []
    for index in range(2):
        wide = width(0, index, head.size)
        suffix = "" if wide == 256 else f".p/{wide}"
        tile = client.get(f"/api/journal/tile/0/{tile_number(index)}{suffix}")
        bundle = client.get(f"/api/journal/tile/entries/{tile_number(index)}{suffix}")
        assert "immutable" in tile.headers["cache-control"]
        assert tile.headers["content-type"] == bundle.headers["content-type"] == "application/octet-stream"
        data, entries = bundle.content, []
        while data:
            size = int.from_bytes(data[:2])
            entries.append(data[2 : 2 + size])
            data = data[2 + size :]
        hashes = [merkle.leaf_hash(entry) for entry in entries]
        assert tile.content == b"".join(hashes)
        leaves += hashes
    assert merkle.root(leaves) == head.root
    assert client.get("/api/journal/tile/1/000.p/1").content == merkle.root(leaves[:256])


def test_earlier_partial_tile_is_still_served_when_the_tile_has_grown(city: City, http: Http) -> None:
    write(city, 10)
    sequence(city)
    client = http()
    before = client.get("/api/journal/tile/0/000.p/10").content
    write(city, 10)
    sequence(city)
    assert client.get("/api/journal/tile/0/000.p/10").content == before
    assert client.get("/api/journal/tile/0/000.p/20").content.startswith(before)


def test_tile_is_not_found_when_the_tree_does_not_have_it(city: City, http: Http) -> None:
    write(city, 10)
    sequence(city)
    client = http()
    paths = ["0/000", "0/000.p/11", "0/001.p/1", "1/000.p/1", "63/000.p/1", "64/000.p/1", "00/000.p/1", "-1/000.p/1"]
    paths += ["entries/000", "entries/000.p/11", "entries/x", "entries/x999/x999/x999/x999/999", "x/000.p/1", "0/x"]
    paths += ["0/x999/x999/x999/x999/999.p/1", "٠/000.p/1", "0/%00", "99999999999/000"]
    for path in paths:
        answer = client.get(f"/api/journal/tile/{path}")
        assert answer.status_code in (400, 404), path
        assert answer.headers["content-type"] == "application/problem+json", path
    assert client.get("/api/journal/tile/0/000").json()["code"] == "journal.tile_not_found"


def test_checkpoint_is_not_found_while_the_journal_is_empty(http: Http) -> None:
    answer = http().get("/api/journal/checkpoint")
    assert (answer.status_code, answer.json()["code"]) == (404, "journal.journal_is_empty")


def test_public_list_is_paged_newest_first(city: City, http: Http) -> None:
    ids = write(city, 5)
    client = http()
    first = client.get("/api/journal/entries?limit=3").json()
    second = client.get(f"/api/journal/entries?limit=3&before={first['next_before']}").json()
    assert [entry["entry_id"] for entry in first["entries"] + second["entries"]] == ids[::-1]
    assert second["next_before"] is None
    assert first["entries"][0] == {
        "entry_no": 5,
        "entry_id": ids[4],
        "kind": "note",
        "appended_at": "2026-04-01T00:00:00Z",
        "body": {"番号": 4},
        "leaf_index": None,
    }
    for query in ("limit=0", "limit=201", "before=0", "before=x", f"before={2**64}"):
        assert client.get(f"/api/journal/entries?{query}").status_code == 400


def test_resident_downloads_a_proof_of_their_own(city: City, http: Http, people: Callable[..., SubjectSet]) -> None:
    with city.transaction(System("operator")) as tx:
        use = append(tx, kind="use", body={}, subjects=people(7)).entry_id
    client, stranger = http(AYA), http()
    waiting = client.get(f"/api/journal/proofs/{use}")
    assert (waiting.status_code, waiting.json()["code"]) == (409, "journal.entry_not_yet_sequenced")
    sequence(city)
    answer = client.get(f"/api/journal/proofs/{use}")
    assert f'filename="{use}.tlog-proof"' in answer.headers["content-disposition"]
    key = client.get("/api/journal/vkey").text
    assert verify(answer.text, key).included is True
    assert verify(stranger.get(f"/api/journal/proofs/{use}").text, key).included is None
    missing = stranger.get("/api/journal/proofs/ent_none")
    assert (missing.status_code, missing.json()["code"]) == (404, "journal.entry_not_found")
