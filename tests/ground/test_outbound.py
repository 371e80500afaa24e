"""Calls outside: never to private addresses unless allowed, bounded, and failing with a plain reason."""

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from unittest.mock import ANY

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sanpo.ground import outbound
from sanpo.ground.outbound import CallFailed, Reply, fetch, is_named, is_public, post, send


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
        self.rfile.read(
            int(self.headers["content-length"])
        )  # else the end of the connection would take the answer back
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


class Keeping(Receiver):
    """Keeps its connections, but for those over which `/bye` came: they end unannounced after the answer."""

    protocol_version = "HTTP/1.1"
    met: ClassVar[list[tuple[str, int]]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.met.append((self.path, self.client_address[1]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
        self.close_connection = self.path == "/bye"


@pytest.fixture(params=["http", "https"])
def keeping(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    Keeping.met.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Keeping)
    if request.param == "https":
        server.socket = _secured(server.socket, monkeypatch, tmp_path)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"{request.param}://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


def _secured(plain: socket.socket, monkeypatch: pytest.MonkeyPatch, folder: Path) -> ssl.SSLSocket:
    """With a certificate for localhost, which calls trust from here on."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(begin).not_valid_after(datetime(2099, 1, 1, tzinfo=UTC))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    certificate = made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    both = folder / "both.pem"
    both.write_bytes(certificate + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    outbound.certificates.cache_clear()
    outbound.certificates().load_verify_locations(cadata=certificate.decode())
    monkeypatch.setattr(outbound, "_KEPT", outbound._Kept())
    return context.wrap_socket(plain, server_side=True)


def test_connection_is_kept_for_the_next_message(keeping: str) -> None:
    for _ in range(3):
        assert post(keeping + "/", b"{}", {}, allow_private=True) == Reply(200, b"ok", ANY)
    assert len({port for _, port in Keeping.met}) == 1


def test_message_over_a_connection_that_was_closed_is_sent_over_a_new_one(keeping: str) -> None:
    for path in ("/", "/bye", "/", "/"):
        assert post(keeping + path, b"{}", {}, allow_private=True).status == 200
    assert [path for path, _ in Keeping.met] == ["/", "/bye", "/", "/"]
    assert len({port for _, port in Keeping.met}) == 2


def test_what_may_not_come_twice_goes_over_a_connection_of_its_own(keeping: str) -> None:
    for _ in range(2):
        send("POST", keeping + "/", b"{}", {}, allow_private=True, timeout_s=2, max_bytes=10)
    assert len({port for _, port in Keeping.met}) == 2


def test_certificate_that_nobody_vouches_for_is_refused(keeping: str) -> None:
    outbound.certificates.cache_clear()
    if keeping.startswith("https"):
        with pytest.raises(CallFailed, match="SSLCertVerification"):
            post(keeping + "/", b"{}", {}, allow_private=True)


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
