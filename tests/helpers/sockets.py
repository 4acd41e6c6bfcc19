"""A server on a loopback socket that answers, or fails, as a test's script says."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

PATIENCE_S = 10.0
# What a busy machine may add to a time that is to be short of `PATIENCE_S`.
SLACK_S = 2.0


class Peer:
    """The server's end of one connection."""

    def __init__(self, sock: socket.socket, server: ScriptedServer) -> None:
        self.sock = sock
        self.server = server
        self._buffer = b""

    def request(self) -> bytes:
        """Return the next request, head and body, and note it in `server.requests`."""
        while b"\r\n\r\n" not in self._buffer:
            self._more()
        head, _, _ = self._buffer.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        size = len(head) + 4 + (int(length[1]) if length else 0)
        while len(self._buffer) < size:
            self._more()
        request, self._buffer = self._buffer[:size], self._buffer[size:]
        self.server.requests.append(request)
        return request

    def take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._more()
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def reset(self) -> None:
        """End the connection with a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        self.sock.close()

    def pause(self, seconds: float) -> None:
        """Say nothing for a time, or until the server ends."""
        if self.server.ending.wait(seconds):
            raise ConnectionError("the server has ended")

    def wait_until_gone(self) -> None:
        """Return when the client has closed its end."""
        with contextlib.suppress(OSError):
            while self.sock.recv(65_536):
                pass

    def _more(self) -> None:
        data = self.sock.recv(65_536)
        if not data:
            raise ConnectionError("the client has gone")
        self._buffer += data


Script = Callable[[Peer], None]


class ScriptedServer:
    """Runs one script for each connection, in turn; the last one for all further ones."""

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.ended = threading.Semaphore(0)
        self.ending = threading.Event()
        self._scripts = scripts
        self._tls = tls
        self._peers: list[Peer] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> ScriptedServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join(PATIENCE_S)
        for peer in self._peers:
            with contextlib.suppress(OSError):
                peer.sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads[1:]:
            thread.join(PATIENCE_S)

    def wait_for_end(self) -> None:
        """Return when one more script has ended, and its connection with it."""
        assert self.ended.acquire(timeout=PATIENCE_S)

    def forget_ended(self, count: int) -> None:
        """Return when *count* more scripts have ended; keep nothing of them."""
        for _ in range(count):
            self.wait_for_end()
        self.requests.clear()
        self._peers.clear()
        self._threads[1:] = [thread for thread in self._threads[1:] if thread.is_alive()]

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            script = self._scripts[min(self.connections, len(self._scripts) - 1)]
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(sock, script), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket, script: Script) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
            peer = Peer(sock, self)
            self._peers.append(peer)
            script(peer)
        except OSError:
            pass
        finally:
            sock.close()
            self.ended.release()


def reply(body: bytes = b"{}", status: int = 200, headers: str = "") -> bytes:
    """Return the bytes of a reply with a length; *headers* are whole lines."""
    lines = f"HTTP/1.1 {status} Fine\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return lines.encode("latin-1") + body


def chunked(*pieces: bytes, headers: str = "") -> bytes:
    """Return the bytes of a reply in chunks."""
    head = f"HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\n{headers}\r\n".encode()
    return head + b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"


def answers(*replies: bytes) -> Script:
    """Answer each request in turn, the last reply for all further ones."""

    def script(peer: Peer) -> None:
        for data in replies:
            peer.request()
            peer.send(data)
        while True:
            peer.request()
            peer.send(replies[-1])

    return script


def echoes(peer: Peer) -> None:
    """Answer every request with its own body."""
    while True:
        peer.send(reply(peer.request().partition(b"\r\n\r\n")[2]))


def answers_then_closes(data: bytes, *, reset: bool = False) -> Script:
    """Answer one request with *data*, whole or not, and end the connection."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(data)
        if reset:
            peer.reset()

    return script


def never_answers(peer: Peer) -> None:
    """Read everything and say nothing."""
    peer.wait_until_gone()


def drips(data: bytes, every_s: float) -> Script:
    """Answer a byte at a time."""

    def script(peer: Peer) -> None:
        peer.request()
        for index in range(len(data)):
            peer.send(data[index : index + 1])
            peer.pause(every_s)

    return script


@contextlib.contextmanager
def refusing_url() -> Iterator[str]:
    """Give a URL that nothing listens on: the port is bound, so nothing else takes it."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
