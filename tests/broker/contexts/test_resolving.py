"""Where a context's document comes from, and what the way there is not allowed to do (§5.5.5, §5.5.6, §5.13.1)."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sanpo.broker.contexts import CORE, CORE_CONTEXT_URL, ContextIsInvalid, ContextIsNotAvailable, read_map, resolve
from sanpo.broker.contexts import resolving as module
from sanpo.broker.contexts import shelf as shelf_module
from sanpo.broker.contexts.actions import add_context, delete_context, list_contexts, reload_context
from sanpo.broker.contexts.addresses import path_of
from sanpo.broker.contexts.shelf import shelf_of
from sanpo.ground.city import City
from sanpo.ground.clock import FixedClock
from sanpo.ground.config import SettingIsInvalid
from tests.broker.contexts.documents import ContextServer, context_server

SPEED = {"speed": "https://e.org/speed"}


def other_process(city: City) -> City:
    """The same city as another process has it: nothing is remembered."""
    return replace(city)


def test_no_context_is_the_core(city: City) -> None:
    assert resolve(city, None) is CORE
    assert resolve(city, CORE_CONTEXT_URL) is CORE
    assert resolve(city, [CORE_CONTEXT_URL]).expand("location") == CORE.expand("location")


def test_same_context_is_compiled_once(city: City) -> None:
    assert resolve(city, {"a": "https://e.org/a", "b": "https://e.org/b"}) is resolve(
        city, {"b": "https://e.org/b", "a": "https://e.org/a"}
    )


def test_document_is_fetched_once_for_all_processes(reader: City, server: ContextServer) -> None:
    url = server.put("/c.jsonld", SPEED)
    for city in (reader, reader, other_process(reader)):
        assert resolve(city, url).expand("speed") == "https://e.org/speed"
        assert resolve(city, [url, {"other": "https://e.org/o"}]).expand("speed") == "https://e.org/speed"
    assert server.asked == ["/c.jsonld"]


def test_copy_is_read_anew_when_its_time_is_over(reader: City, server: ContextServer, clock: FixedClock) -> None:
    url = server.put("/c.jsonld", SPEED, Cache_Control="public, max-age=600")
    resolve(reader, url)
    server.put("/c.jsonld", {"speed": "https://e.org/new"})
    clock.advance(seconds=599)
    assert resolve(reader, url).expand("speed") == "https://e.org/speed"
    clock.advance(seconds=1)
    assert resolve(reader, url).expand("speed") == "https://e.org/new"


def test_old_copy_serves_while_its_origin_is_away(reader: City, server: ContextServer, clock: FixedClock) -> None:
    url = server.put("/c.jsonld", SPEED, Cache_Control="max-age=60")
    resolve(reader, url)
    server.answers.clear()
    clock.advance(hours=1)
    assert resolve(reader, url).expand("speed") == "https://e.org/speed"
    assert resolve(other_process(reader), url).expand("speed") == "https://e.org/speed"


@pytest.mark.parametrize(
    ("control", "fresh"),
    [
        ("", timedelta(days=1)),
        ("max-age=7200", timedelta(hours=2)),
        ("max-age=1", timedelta(minutes=1)),
        ("max-age=999999999", timedelta(days=7)),
        ("no-store", timedelta(minutes=1)),
        ("max-age=x", timedelta(days=1)),
    ],
)
def test_time_that_a_copy_stays_is_the_servers_within_bounds(
    reader: City, server: ContextServer, control: str, fresh: timedelta
) -> None:
    """§6.3.16"""
    assert resolve(reader, server.put("/c.jsonld", SPEED, Cache_Control=control)).fresh_until == reader.now() + fresh


def test_configured_document_is_used_without_a_way_out(city: City, tmp_path: Path) -> None:
    (tmp_path / "speed.jsonld").write_text(json.dumps({"@context": SPEED}))
    (tmp_path / "map.json").write_text(
        json.dumps({"https://far.example/c.jsonld": "speed.jsonld", "urn:short": "speed.jsonld"})
    )
    mapped = replace(city, settings=replace(city.settings, broker_contexts=str(tmp_path / "map.json")))
    assert resolve(mapped, "https://far.example/c.jsonld").expand("speed") == "https://e.org/speed"
    assert [(each.url, each.kind) for each in list_contexts(mapped, "", "Cached")[1:]] == [
        ("https://far.example/c.jsonld", "Cached")
    ]
    (tmp_path / "speed.jsonld").write_text(json.dumps({"@context": {"speed": "https://e.org/new"}}))
    reload_context(mapped, "", "https://far.example/c.jsonld")
    assert resolve(mapped, "https://far.example/c.jsonld").expand("speed") == "https://e.org/new"
    (tmp_path / "speed.jsonld").unlink()
    with pytest.raises(ContextIsNotAvailable):
        reload_context(mapped, "", "https://far.example/c.jsonld")


@pytest.mark.parametrize(
    ("text", "document"),
    [
        ("", "{}"),
        ("[]", "{}"),
        ('{"https://far.example/": 5}', "{}"),
        ('{"https://far.example/": "gone.jsonld"}', "{}"),
        ('{"https://far.example/": "c.jsonld"}', "no json"),
        ('{"https://far.example/": "c.jsonld"}', '{"speed": "https://e.org/speed"}'),
        ('{"https://far.example/": "c.jsonld"}', '{"@context": 5}'),
    ],
)
def test_map_that_cannot_be_used_is_refused(city: City, tmp_path: Path, text: str, document: str) -> None:
    (tmp_path / "map.json").write_text(text)
    (tmp_path / "c.jsonld").write_text(document)
    with pytest.raises(SettingIsInvalid, match="broker_contexts"):
        read_map(replace(city.settings, broker_contexts=str(tmp_path / "map.json")))


def test_own_context_is_found_whatever_the_citys_machine_is_called(city: City) -> None:
    local_id = add_context(city, "", {"@context": SPEED})
    for origin in (city.settings.origin, "http://localhost:9090", "https://proxy.example/broker"):
        assert resolve(city, origin + path_of(local_id)).expand("speed") == "https://e.org/speed"


def test_own_context_that_is_gone_is_not_available(city: City) -> None:
    local_id = add_context(city, "", {"@context": SPEED})
    url = city.settings.origin + path_of(local_id)
    resolve(city, url)
    delete_context(city, "", local_id)
    with pytest.raises(ContextIsNotAvailable):
        resolve(city, url)


def test_deletion_acts_in_every_process(reader: City, server: ContextServer) -> None:
    other = other_process(reader)
    url = server.put("/c.jsonld", SPEED)
    resolve(reader, url)
    resolve(other, url)
    delete_context(reader, "", url)
    server.put("/c.jsonld", {"speed": "https://e.org/new"})
    shelf_of(other)._look_at = 0.0  # a second later
    assert resolve(reader, url).expand("speed") == "https://e.org/new"
    assert resolve(other, url).expand("speed") == "https://e.org/new"


# What a hostile or broken server gets ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/c.jsonld",
        "http://localhost:{port}/c.jsonld",
        "http://[::1]:{port}/c.jsonld",
        "http://[::ffff:127.0.0.1]:{port}/c.jsonld",
        "http://[64:ff9b::7f00:1]:{port}/c.jsonld",
        "http://[2002:7f00:1::]:{port}/c.jsonld",
        "http://2130706433:{port}/c.jsonld",
        "http://0x7f.1:{port}/c.jsonld",
        "http://0.0.0.0:{port}/c.jsonld",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/c.jsonld",
        "http://192.168.1.1/c.jsonld",
        "http://100.64.0.1/c.jsonld",
        "http://[fe80::1]/c.jsonld",
        "http://[fd00::1]/c.jsonld",
        "http://224.0.0.1/c.jsonld",
    ],
)
def test_private_address_is_not_read(city: City, server: ContextServer, url: str) -> None:
    server.put("/c.jsonld", SPEED)
    with pytest.raises(ContextIsNotAvailable, match=r"private|no address|nobody answers"):
        resolve(city, url.format(port=server.address.rpartition(":")[2]))
    assert server.asked == []


def test_allowed_port_opens_no_other(reader: City) -> None:
    with context_server() as other, pytest.raises(ContextIsNotAvailable, match="private"):
        resolve(reader, other.put("/c.jsonld", SPEED))


def test_redirect_is_followed_to_an_allowed_address(reader: City, server: ContextServer) -> None:
    server.put("/c.jsonld", SPEED)
    assert resolve(reader, server.redirect("/r", "c.jsonld")).expand("speed") == "https://e.org/speed"


def test_redirect_to_a_private_address_is_not_followed(reader: City, server: ContextServer) -> None:
    with context_server() as other:
        other.put("/c.jsonld", SPEED)
        for location in (other.address + "/c.jsonld", "http://169.254.169.254/", "file:///etc/passwd", "http://[::1/"):
            with pytest.raises(ContextIsNotAvailable):
                resolve(reader, server.redirect("/" + str(len(server.answers)), location))
        assert other.asked == []


def test_redirects_end(reader: City, server: ContextServer) -> None:
    server.redirect("/r", "/r")
    with pytest.raises(ContextIsNotAvailable, match="redirects"):
        resolve(reader, server.address + "/r")
    assert len(server.asked) == module.MOST_REDIRECTS + 1


def test_name_is_looked_up_once_and_that_address_is_used(
    reader: City, server: ContextServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: public at the first look, private at the second."""
    answers: Iterator[str] = iter(["127.0.0.1", "127.0.0.1"])
    monkeypatch.setattr("socket.getaddrinfo", lambda host, port, **_: [(2, 1, 6, "", (next(answers), port))])
    with pytest.raises(ContextIsNotAvailable, match="private"):
        resolve(reader, f"http://rebinding.example:{server.address.rpartition(':')[2]}/c.jsonld")
    assert next(answers) == "127.0.0.1"  # the second was never asked for
    assert server.asked == []


def test_long_document_is_not_read_to_its_end(reader: City, server: ContextServer) -> None:
    url = server.put("/c.jsonld", {f"t{n}": "https://e.org/" + "x" * 90 for n in range(50_000)})
    assert len(server.answers["/c.jsonld"][2]) > 5_000_000
    with pytest.raises(ContextIsNotAvailable, match="too long"):
        resolve(reader, url)


def test_slow_server_is_left_after_the_time_for_all(
    reader: City, server: ContextServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FETCH_S", 0.4)
    server.drip_s = 0.05
    url = server.put("/c.jsonld", {f"t{n}": "https://e.org/x" for n in range(100)})
    begun = time.monotonic()
    with pytest.raises(ContextIsNotAvailable, match="too long"):
        resolve(reader, url)
    assert time.monotonic() - begun < 2
    with pytest.raises(ContextIsNotAvailable, match="too long"):
        resolve(reader, url)
    assert server.asked == ["/c.jsonld"]  # the failure is remembered: the second time nobody waits


def test_many_slow_documents_take_the_time_of_one(
    reader: City, server: ContextServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FETCH_S", 0.4)
    server.drip_s = 0.01
    urls = [server.put(f"/{n}.jsonld", {}) for n in range(20)]  # 16 bytes each: none takes too long, all together do
    begun = time.monotonic()
    with pytest.raises(ContextIsNotAvailable, match="too long"):
        resolve(reader, urls)
    assert time.monotonic() - begun < 1.5


def test_readers_of_slow_servers_leave_threads_for_others(
    reader: City, server: ContextServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf_module, "WAIT_S", 0.1)
    server.drip_s = 0.05
    urls = [server.put(f"/{n}.jsonld", {"x": "https://e.org/x"}) for n in range(8)]
    ended: list[float] = []

    def ask(url: str) -> None:
        with pytest.raises(ContextIsNotAvailable):
            resolve(reader, url)
        ended.append(time.monotonic())

    monkeypatch.setattr(module, "FETCH_S", 0.8)
    begun = time.monotonic()
    threads = [threading.Thread(target=ask, args=(url,)) for url in urls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(moment - begun < 0.6 for moment in ended) == 8 - shelf_module.READ_AT_ONCE


def test_threads_that_want_the_same_document_read_it_once(reader: City, server: ContextServer) -> None:
    url = server.put("/c.jsonld", SPEED)
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: resolve(reader, url).expand("speed"), range(16)))
    assert set(found) == {"https://e.org/speed"}
    assert server.asked == ["/c.jsonld"]


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (404, b"", ContextIsNotAvailable),
        (500, b"{}", ContextIsNotAvailable),
        (200, b"<html>", ContextIsInvalid),
        (200, b"\xff\xfe", ContextIsInvalid),
        (200, b"[]", ContextIsInvalid),
        (200, b"{}", ContextIsInvalid),
        (200, b'{"@context": 5}', ContextIsInvalid),
        (200, b'{"@context": {"x": {"@id": "https://e.org/x", "@context": {}}}}', ContextIsInvalid),
        (200, b"[" * 10_000 + b"]" * 10_000, ContextIsInvalid),
        (200, b'{"@context":' * 10_000 + b"{}" + b"}" * 10_000, ContextIsInvalid),
    ],
)
def test_broken_document_is_refused_and_not_kept(
    reader: City, server: ContextServer, status: int, body: bytes, error: type[Exception]
) -> None:
    server.answers["/c.jsonld"] = (status, {}, body)
    with pytest.raises(error):
        resolve(reader, server.address + "/c.jsonld")
    assert list_contexts(reader, "", "Cached")[1:] == []


def test_document_with_a_byte_order_mark_is_read(reader: City, server: ContextServer) -> None:
    url = server.put("/c.jsonld", SPEED)
    status, headers, body = server.answers["/c.jsonld"]
    server.answers["/c.jsonld"] = (status, headers, b"\xef\xbb\xbf" + body)
    assert resolve(reader, url).expand("speed") == "https://e.org/speed"


def test_loop_over_the_network_is_refused(reader: City, server: ContextServer) -> None:
    server.put("/a.jsonld", [server.address + "/b.jsonld"])
    server.put("/b.jsonld", ["a.jsonld"])
    with pytest.raises(ContextIsInvalid, match="contains itself"):
        resolve(reader, server.address + "/a.jsonld")


def test_body_nested_without_end_is_refused(city: City) -> None:
    value: Any = {}
    for _ in range(100_000):
        value = {"x": value}
    with pytest.raises(ContextIsInvalid):
        resolve(city, value)


def test_copies_used_longest_ago_make_room(
    reader: City, server: ContextServer, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_CACHED", 2)
    for number in range(4):
        resolve(reader, server.put(f"/{number}", SPEED))
        clock.advance(seconds=1)
    assert [each.url.rpartition("/")[2] for each in list_contexts(reader, "", "Cached")[1:]] == ["2", "3"]
