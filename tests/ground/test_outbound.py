"""Calls outside: never to private addresses unless allowed, bounded, and failing with a plain reason."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from sanpo.ground.outbound import CallFailed, fetch, is_named, is_public, post


class Receiver(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """`/n` redirects to `/n-1`, and `/0` answers."""
        left = int(self.path[1:])
        self.send_response(302 if left else 200)
        if left:
            self.send_header("Location", f"/{left - 1}")
        self.end_headers()
        self.wfile.write(b"xx")

    def do_POST(self) -> None:
        self.send_response(302 if self.path == "/away" else 200)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()
        self.wfile.write(b"x" * (200_000 if self.path == "/long" else 2))

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def receiver() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_reply_comes_back_when_the_address_is_allowed(receiver: str) -> None:
    reply = post(receiver + "/", b"{}", {}, allow_private=True)
    assert (reply.status, reply.body) == (200, b"xx")


def test_redirect_is_not_followed(receiver: str) -> None:
    assert post(receiver + "/away", b"{}", {}, allow_private=True).status == 302


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:9/",
        "https://localhost:9/",
        "https://[::1]:9/",
        "https://169.254.169.254/",
        "https://10.0.0.1/",
    ],
)
def test_private_address_is_not_called(url: str) -> None:
    with pytest.raises(CallFailed, match="private"):
        post(url, b"{}", {})


@pytest.mark.parametrize("url", ["http://example.com/", "ftp://example.com/", "file:///etc/passwd", "https://"])
def test_other_schemes_are_not_called(url: str) -> None:
    with pytest.raises(CallFailed, match="https"):
        post(url, b"{}", {})


def test_long_reply_is_cut_off(receiver: str) -> None:
    with pytest.raises(CallFailed, match="too long"):
        post(receiver + "/long", b"{}", {}, allow_private=True)


def test_dead_receiver_is_a_plain_failure() -> None:
    with pytest.raises(CallFailed):
        post("http://127.0.0.1:1/", b"{}", {}, allow_private=True)


def read(url: str, *private_hosts: str) -> bytes:
    return fetch(url, {}, timeout_s=2, max_bytes=10, most_redirects=2, private_hosts=private_hosts).body


def test_document_is_fetched_over_so_many_redirects_and_no_more(receiver: str) -> None:
    host = receiver.removeprefix("http://")
    assert read(receiver + "/2", host) == b"xx"
    with pytest.raises(CallFailed, match="redirects"):
        read(receiver + "/3", host)


def test_document_is_fetched_from_a_private_address_only_where_its_host_is_named(receiver: str) -> None:
    assert read(receiver + "/0", "127.0.0.1") == b"xx"
    for hosts in ((), ("localhost",), ("127.0.0.1:1",), ("",)):
        with pytest.raises(CallFailed, match="private"):
            read(receiver + "/0", *hosts)


@pytest.mark.parametrize(
    "url", ["ftp://example.com/", "file:///etc/passwd", "https://", "http://[::1/", "http://x:99999/"]
)
def test_other_address_is_not_read(url: str) -> None:
    with pytest.raises(CallFailed):
        read(url)


@pytest.mark.parametrize(
    ("url", "hosts", "named"),
    [
        ("https://a.example/x", ["a.example"], True),
        ("https://A.example/x", ["a.example"], True),
        ("https://a.example/x", ["a.example:443"], True),
        ("http://a.example/x", ["a.example:443"], False),
        ("http://a.example:8080/x", ["a.example:8080"], True),
        ("http://[::1]:8080/x", ["[::1]:8080"], True),
        ("http://a.example@evil.example/x", ["a.example"], False),
        ("http://sub.a.example/x", ["a.example"], False),
    ],
)
def test_host_is_named(url: str, hosts: list[str], named: bool) -> None:
    assert is_named(url, hosts) is named


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "64:ff9b::808:808"])
def test_address_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.1.1",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fd00::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::",
    ],
)
def test_address_is_not_public(address: str) -> None:
    assert not is_public(address)
