"""Context documents for tests: a loader over a dictionary, and a server that answers as it is told."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sanpo.broker.contexts.compiling import Document


def reading(documents: dict[str, Any]) -> Callable[[str], Document]:
    """A loader of these documents; each is what stands under its `@context`."""
    return lambda url: Document({"@context": documents[url]})


class ContextServer:
    """An HTTP server on loopback. `answers` has (status, headers, body) by path; `asked` the paths that were read."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[str] = []
        self.drip_s = 0.0
        self.stopped = threading.Event()

    def put(self, path: str, context: Any, **headers: str) -> str:
        """Serves `{"@context": context}` there; returns the URL."""
        body = json.dumps({"@context": context}).encode()
        self.answers[path] = (200, {name.replace("_", "-"): value for name, value in headers.items()}, body)
        return self.address + path

    def redirect(self, path: str, location: str) -> str:
        self.answers[path] = (302, {"Location": location}, b"")
        return self.address + path


@contextmanager
def context_server() -> Iterator[ContextServer]:
    """A running server."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append(self.path)
            status, headers, body = server.answers.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if not server.drip_s:
                self.wfile.write(body)
                return
            for byte in body:
                if server.stopped.wait(server.drip_s):
                    return
                self.wfile.write(bytes([byte]))

        def log_message(self, *args: object) -> None:
            """Quiet."""

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:  # the client has had enough
                self.close_connection = True

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server = ContextServer(f"http://127.0.0.1:{http.server_port}")
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stopped.set()
        http.shutdown()
        http.server_close()
        thread.join()
