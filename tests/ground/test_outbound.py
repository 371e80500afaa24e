"""Calls outside: never to private addresses unless allowed, bounded, and failing with a plain reason."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from sanpo.ground.outbound import CallFailed, post


class Receiver(BaseHTTPRequestHandler):
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
