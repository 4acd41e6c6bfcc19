"""The limit: a socket, a request written in advance, and a fast decoder."""

from __future__ import annotations

import asyncio
import socket
from typing import Any
from urllib.parse import urlsplit

import msgspec
import orjson

from peers.job import MESSAGES, Job

HEADERS = (
    "host: {netloc}\r\ncontent-type: application/json\r\naccept: application/json\r\n"
    "user-agent: limit\r\nauthorization: Bearer benchmark\r\n"
)


def _request(url: str, *, stream: bool = False) -> bytes:
    parts = urlsplit(url)
    asked: dict[str, Any] = {"model": "gpt-4o", "messages": MESSAGES}
    if stream:
        asked["stream"] = True
    body = orjson.dumps(asked)
    head = (
        f"POST {parts.path}/v1/chat/completions HTTP/1.1\r\n"
        + HEADERS.format(netloc=parts.netloc)
        + f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _body(reply: bytes) -> bytes:
    head, _, body = reply.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    return body


def call(url: str) -> Job:
    parts = urlsplit(url)
    connection = socket.create_connection((parts.hostname, parts.port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def run() -> str:
        connection.sendall(_request(url))
        reply = orjson.loads(_body(connection.recv(65536)))
        return reply["choices"][0]["message"]["content"]

    return Job(run)


def call_async(url: str) -> Job:
    parts = urlsplit(url)
    idle: list[socket.socket] = []

    async def run() -> str:
        loop = asyncio.get_running_loop()
        if idle:
            connection = idle.pop()
        else:
            connection = socket.socket()
            connection.setblocking(False)
            await loop.sock_connect(connection, (parts.hostname, parts.port))
        await loop.sock_sendall(connection, _request(url))
        reply = orjson.loads(_body(await loop.sock_recv(connection, 65536)))
        idle.append(connection)
        return reply["choices"][0]["message"]["content"]

    return Job(run)


class _Delta(msgspec.Struct):
    content: str = ""


class _Choice(msgspec.Struct):
    delta: _Delta


class _Chunk(msgspec.Struct):
    choices: list[_Choice]


def stream(url: str) -> Job:
    parts = urlsplit(url)
    connection = socket.create_connection((parts.hostname, parts.port))
    request, decode = _request(url, stream=True), msgspec.json.Decoder(_Chunk).decode

    def run() -> list[Any]:
        connection.sendall(request)
        received = bytearray()
        while not received.endswith(b"\r\n0\r\n\r\n"):
            received += connection.recv(262_144)
        text = ""
        count = 0
        for line in bytes(received).split(b"\n"):
            if line.startswith(b"data: {"):
                piece = decode(line[6:]).choices[0].delta.content
                if piece:
                    text += piece
                    count += 1
        return [text, count]

    return Job(run)
