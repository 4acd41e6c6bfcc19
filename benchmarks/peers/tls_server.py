"""A server that speaks TLS and closes each connection after its reply.

As a program it serves with the certificate and key in a file, prints its port, and ends with its
standard input. `served_over_tls` runs it for a side. Standard library and the command openssl only:
it runs in every peer's environment.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

__all__ = ["served_over_tls"]

REPLY_CHARACTERS = 300
READ_BYTES = 65_536
_NEW_CERTIFICATE = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
    "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out trusted.pem"
)


def served_over_tls() -> tuple[str, str]:
    """Run the server until this process ends; return its address and what to trust, a path."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    subprocess.run(_NEW_CERTIFICATE.split(), cwd=folder, check=True, capture_output=True)
    trusted = folder / "trusted.pem"
    both = folder / "server.pem"
    both.write_text(trusted.read_text() + (folder / "key.pem").read_text(), encoding="ascii")
    command = [sys.executable, str(Path(__file__).resolve()), str(both)]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdin is not None
    assert server.stdout is not None
    atexit.register(server.stdin.close)
    return f"https://127.0.0.1:{server.stdout.readline().strip()}", str(trusted)


def _answer(connection: socket.socket, context: ssl.SSLContext, answer: bytes) -> None:
    with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as tls:
        received = b""
        while b"\r\n\r\n" not in received:
            received += tls.recv(READ_BYTES)
        head, _, body = received.partition(b"\r\n\r\n")
        _, _, after = head.lower().partition(b"content-length:")
        length = int(after.split(b"\r\n")[0])
        while len(body) < length:
            body += tls.recv(READ_BYTES)
        tls.sendall(answer)


def _serve(certificate: str) -> None:
    # Imported here: as a program this module finds it beside its own folder.
    from peers.conversations import reply

    if hasattr(os, "sched_setaffinity"):  # the core that the other server stays on
        os.sched_setaffinity(0, {min(os.sched_getaffinity(os.getppid()) | {0})})
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    body = reply(REPLY_CHARACTERS)
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    answer = head.encode() + b"connection: close\r\n\r\n" + body
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_answer, args=(connection, context, answer), daemon=True).start()


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    threading.Thread(target=_serve, args=(sys.argv[1],), daemon=True).start()
    sys.stdin.read()
