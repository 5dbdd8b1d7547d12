"""A server of our own that answers as it is told: well, badly, slowly, or by halves."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    """One answer."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    keep_back: int = 0
    """So many bytes are promised and never sent."""
    drip_seconds: float = 0.0
    """Between one byte and the next."""


def chat(text: str | None, *, model: str = "m", finish: str | None = "stop", **choice: Any) -> Reply:
    """Return a chat completion."""
    told = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish, **choice}
    return of_json({"model": model, "choices": [told], "usage": {"prompt_tokens": 7}})


def of_json(content: Any, status: int = 200, **headers: str) -> Reply:
    """Return an answer of JSON."""
    return Reply(status, json.dumps(content).encode(), headers)


@dataclass
class Scripted:
    """A running server and what it was asked."""

    url: str
    answer: Callable[[str, dict[str, Any]], Reply]
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def scripted(answer: Callable[[str, dict[str, Any]], Reply]) -> Iterator[Scripted]:
    """Run a server that answers POSTs as ``answer`` says, given path and body; GETs of /v1/models with one model, ``m``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/v1/models"
            self._reply(of_json({"data": [{"id": "m", "owned_by": "test"}]}) if found else Reply(404))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            server.asked.append((self.path, body))
            server.headers.append({name.lower(): value for name, value in self.headers.items()})
            self._reply(server.answer(self.path, body))

        def _reply(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(reply.body) + reply.keep_back))
            self.end_headers()
            try:
                if not reply.drip_seconds:
                    self.wfile.write(reply.body)
                for byte in reply.body if reply.drip_seconds else b"":
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    time.sleep(reply.drip_seconds)
            except OSError:  # nobody waits for it any more
                pass
            self.close_connection = reply.keep_back > 0

        def log_message(self, format: str, *args: Any) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    server = Scripted(f"http://127.0.0.1:{listener.server_port}/v1", answer)
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()
