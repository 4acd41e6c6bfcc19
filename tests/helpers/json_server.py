"""An HTTP server on the loopback that answers each request with the next of some bodies."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Seen", "serving"]


class Seen(NamedTuple):
    """A request that came: its target, its headers in lower case, its JSON body."""

    method: str
    target: str
    headers: dict[str, str]
    body: Any


@contextmanager
def serving(*bodies: Any, status: int = 200) -> Iterator[tuple[str, list[Seen]]]:
    """Serve one body after the other; give the server's address and the requests that came.

    A body of bytes is sent as an event stream if it begins as one, else as it is; any other is
    sent as JSON.
    """
    seen: list[Seen] = []
    left = list(bodies)

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            given = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): text for name, text in self.headers.items()}
            seen.append(Seen(self.command, self.path, headers, json.loads(given or b"null")))
            body = left.pop(0)
            text = body if isinstance(body, bytes) else json.dumps(body).encode()
            kind = "text/event-stream" if text.startswith(b"data:") else "application/json"
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = answer

        def log_message(self, *_arguments: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", seen
        finally:
            server.shutdown()
            thread.join(timeout=10)
