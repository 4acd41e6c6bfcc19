"""Makes many calls at once against a faulty server in another process, and checks each one.

    python scripts/soak.py --calls 100000

So many calls from 64 threads, and as many from 256 tasks. One in five meets a fault at the first
provider; the second one answers. Checked: every call ends as its fault says, every reply answers
its own request, memory stays flat after the first tenth, and no descriptor is left.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import itertools
import json
import multiprocessing
import os
import random
import struct
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import specado

KINDS = ("64 threads", "256 tasks")
THREADS = 64
TASKS = 256
FAULT_SHARE = 0.2
STREAM_SHARE = 0.25
SLOW_S = 3.0
ATTEMPT_TIMEOUT_S = 2.0
MAX_GROWTH_BYTES = 20_000_000

# What a call comes to whose message names the fault; `None`: the second provider answers.
FAULTS: dict[str, type[specado.ProviderError] | None] = {
    "error": None,
    "overloaded": None,
    "throttled": None,
    "reset": None,
    "closed": None,
    "truncated": None,
    "garbage": None,
    "page": None,
    "quiet": None,
    "refused": specado.InvalidRequestError,
    "key": specado.AuthenticationError,
}
WEIGHTS = {"quiet": 0.1}
STATUSES = {"error": 500, "overloaded": 503, "throttled": 429, "refused": 400, "key": 401}


# The server


class _Faulty(asyncio.Protocol):
    """One connection: answers with the message that it got, or with the fault it names."""

    def __init__(self) -> None:
        self._buffer = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            head, separator, rest = self._buffer.partition(b"\r\n\r\n")
            if not separator:
                return
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            if len(rest) < length:
                return
            self._buffer = rest[length:]
            is_first = head.startswith(b"POST /v1/chat/completions")
            self._answer(json.loads(rest[:length]), is_first=is_first)

    def _answer(self, request: dict[str, Any], *, is_first: bool) -> None:
        content = request["messages"][-1]["content"]
        text = content if isinstance(content, str) else content[0]["text"]
        fault = text.partition(" ")[0] if is_first else ""
        if fault == "quiet":
            asyncio.get_running_loop().call_later(SLOW_S, self._transport.abort)
        elif fault == "reset":
            sock = self._transport.get_extra_info("socket")
            sock.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SOL_SOCKET, SO_LINGER on Linux
            self._transport.abort()
        elif fault == "closed":
            self._transport.close()
        elif fault == "garbage":
            self._transport.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
            self._transport.close()
        elif fault == "page":
            self._transport.write(_reply(b"<html>Try later</html>"))
        elif fault in STATUSES:
            body = {"error": {"type": "of_the_test", "message": text}}
            self._transport.write(_reply(json.dumps(body).encode(), STATUSES[fault]))
        elif fault == "truncated":
            self._transport.write(_answer_bytes(request, text, is_first=True)[:-20])
            self._transport.close()
        else:
            self._transport.write(_answer_bytes(request, text, is_first=is_first))


def _reply(body: bytes, status: int = 200, kind: str = "application/json") -> bytes:
    head = f"HTTP/1.1 {status} Said\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _answer_bytes(request: dict[str, Any], text: str, *, is_first: bool) -> bytes:
    if request.get("stream"):
        events = _openai_events(text) if is_first else _anthropic_events(text)
        return _reply("".join(events).encode(), kind="text/event-stream")
    if is_first:
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        body = {"id": "c", "object": "chat.completion", "created": 1, "model": "m"}
        return _reply(json.dumps({**body, "choices": [choice]}).encode())
    return _reply(json.dumps({**_message([_block(text)]), "stop_reason": "end_turn"}).encode())


def _block(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _message(content: list[Any]) -> dict[str, Any]:
    usage = {"input_tokens": 1, "output_tokens": 1}
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": content,
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }


def _openai_events(text: str) -> list[str]:
    found = []
    for delta, reason in (({"role": "assistant", "content": text}, None), ({}, "stop")):
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        found.append(f"data: {json.dumps({**chunk, 'choices': [choice]})}\n\n")
    return [*found, "data: [DONE]\n\n"]


def _anthropic_events(text: str) -> list[str]:
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": _message([])},
        {"type": "content_block_start", "index": 0, "content_block": _block("")},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 1},
        },
        {"type": "message_stop"},
    ]
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events]


def serve(told: Any) -> None:
    """Serve until the process is ended; send the port to *told*."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(_Faulty, "127.0.0.1", 0, backlog=1024)
        told.send(server.sockets[0].getsockname()[1])
        await asyncio.Event().wait()

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())


# The calls


class Planned(NamedTuple):
    """One call: its message begins with its fault and is like no other's."""

    text: str
    fault: str
    is_stream: bool


def planned(number: int) -> Planned:
    """Return call *number*; the same each time."""
    chance = random.Random(number)  # noqa: S311 - to be the same each time
    fault = "none"
    if chance.random() < FAULT_SHARE:
        names = list(FAULTS)
        fault = chance.choices(names, [WEIGHTS.get(name, 1.0) for name in names])[0]
    text = f"{fault} call-{number}-{chance.getrandbits(64):x}"
    return Planned(text, fault, chance.random() < STREAM_SHARE)


class Books:
    """Counts how calls ended, and what was wrong."""

    def __init__(self, calls: int, *, is_quiet: bool) -> None:
        self.calls = calls
        self.ends: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.memory_bytes: list[int] = []
        self._is_quiet = is_quiet
        self._done = 0
        self._lock = threading.Lock()
        self._began_s = time.monotonic()

    def ended(self, call: Planned, reply: Any, text: str | None, error: Exception | None) -> None:
        """Note one call."""
        end, is_right = self._judge(call, reply, text, error)
        with self._lock:
            self.ends[f"{call.fault}: {end}"] += 1
            if not is_right:
                self.wrong.append(f"{call}: {end}, {text!r}, {error!r}")
            self._done += 1
            if self._done % max(1, self.calls // 10) == 0:
                gc.collect()
                self.memory_bytes.append(memory_bytes())
            if not self._is_quiet and self._done % 100 == 0:
                self._show()

    def _judge(
        self, call: Planned, reply: Any, text: str | None, error: Exception | None
    ) -> tuple[str, bool]:
        expected = FAULTS.get(call.fault)
        if isinstance(error, specado.StreamInterruptedError):  # the first content had come
            partial = error.partial.choices[0].message.content
            return "interrupted", call.fault == "truncated" and partial == call.text
        if error is not None:
            return type(error).__name__, expected is not None and type(error) is expected
        used = reply.extensions.provider_used
        # A breaker may be open for a moment: the call then goes to the second provider.
        was_skipped = bool(reply.extensions.metadata.get("skipped"))
        other = call.fault != "none" or was_skipped
        is_right = used == ("anthropic" if other else "openai")
        return used, text == call.text and is_right and (expected is None or was_skipped)

    def _show(self) -> None:
        share = self._done / self.calls
        bar = ("#" * int(40 * share)).ljust(40)
        rate = self._done / (time.monotonic() - self._began_s)
        text = f"\r[{bar}] {self._done}/{self.calls}, {rate:.0f}/s, {len(self.wrong)} wrong"
        sys.stderr.write(text + ("\n" if self._done == self.calls else ""))
        sys.stderr.flush()

    def growth_bytes(self) -> int:
        """Return by how much memory grew after the first tenth."""
        return max(self.memory_bytes) - self.memory_bytes[0]


def memory_bytes() -> int:
    """Return this process's resident memory, 0 where that is not known."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if statm.exists() else 0


def descriptors() -> int:
    """Return how many files and sockets are open, 0 where that is not known."""
    folder = Path("/proc/self/fd")
    return sum(1 for _ in folder.iterdir()) if folder.exists() else 0


def arguments(call: Planned) -> dict[str, Any]:
    """Return what `create` is called with.

    A call whose key is refused has a key of its own: other calls would avoid a shared one.
    """
    given = {
        "model": "openai/gpt-4.1",
        "messages": call.text,
        "max_tokens": 100,
        "stream": call.is_stream,
        "fallback_models": ["claude-sonnet-4-6"],
    }
    if call.fault == "key":
        given["extra_headers"] = {"Authorization": "Bearer sk-refused-" + call.text.split()[1]}
    return given


def soak_threads(client: specado.Client, books: Books) -> None:
    """Make the calls from threads."""
    numbers = iter(range(books.calls))
    lock = threading.Lock()

    def work() -> None:
        create = client.chat.completions.create
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            call, text = planned(number), None
            try:
                reply: Any = create(**arguments(call))
                if call.is_stream:
                    text = "".join(c.choices[0].delta.content or "" for c in reply if c.choices)
                else:
                    text = reply.choices[0].message.content
            except Exception as error:  # noqa: BLE001 - judged, whatever it is
                books.ended(call, None, text, error)
            else:
                books.ended(call, reply, text, None)

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


async def soak_tasks(client: specado.Client, books: Books) -> None:
    """Make the calls from tasks of one loop."""
    numbers = iter(range(books.calls))

    async def work() -> None:
        create = client.chat.completions.create_async
        for number in numbers:
            call, text = planned(number), None
            try:
                reply: Any = await create(**arguments(call))
                if call.is_stream:
                    text = ""
                    async for chunk in reply:
                        text += (chunk.choices[0].delta.content or "") if chunk.choices else ""
                else:
                    text = reply.choices[0].message.content
            except Exception as error:  # noqa: BLE001 - judged, whatever it is
                books.ended(call, None, text, error)
            else:
                books.ended(call, reply, text, None)

    await asyncio.gather(*[work() for _ in range(TASKS)])


def soak(calls: int, *, is_quiet: bool) -> bool:
    """Run both soaks; return whether all was well."""
    # Spawned, not forked: the other process is to have none of this one's sockets.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    try:
        url = f"http://127.0.0.1:{ours.recv()}/v1"
        # A key of its own for each: both have one address, and what is known of a key is shared.
        providers = {
            name: {"api_key": f"sk-of-the-soak-{name}", "base_url": url}
            for name in ("openai", "anthropic")
        }
        client = specado.Client(
            {
                "primary_provider": "openai",
                "fallback_provider": "anthropic",
                "simulate": False,
                "max_retries": 1,
                "timeout_seconds": 60,
                "attempt_timeout_seconds": ATTEMPT_TIMEOUT_S,
                "providers": providers,
            }
        )
        return all(
            # Both are run, whatever comes of the first.
            tuple(_one(client, calls, kind, is_quiet=is_quiet) for kind in KINDS)
        )
    finally:
        server.terminate()
        server.join()
        ours.close()
        theirs.close()


def _one(client: specado.Client, calls: int, kind: str, *, is_quiet: bool) -> bool:
    specado.reset_state()
    open_before = descriptors()
    books = Books(calls, is_quiet=is_quiet)
    began_s = time.monotonic()
    if kind == "64 threads":
        soak_threads(client, books)
    else:
        asyncio.run(soak_tasks(client, books))
    took_s = time.monotonic() - began_s
    specado.shutdown()
    gc.collect()
    left = descriptors() - open_before
    print(f"{kind}: {calls} calls in {took_s:.0f} s ({calls / took_s:.0f}/s)")
    growth = books.growth_bytes()
    print(f"  memory after each tenth, MB: {[size // 10**6 for size in books.memory_bytes]}")
    print(f"  growth after the first tenth: {growth / 1e6:.1f} MB; descriptors left: {left}")
    for end, count in sorted(books.ends.items()):
        print(f"  {end}: {count}")
    for wrong in itertools.islice(books.wrong, 10):
        print(f"  WRONG {wrong}")
    return not books.wrong and growth <= MAX_GROWTH_BYTES and left <= 0


def main() -> int:
    """Run what the command line says; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--calls", type=int, default=100_000, help="from threads, and from tasks")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    given = parser.parse_args()
    return 0 if soak(given.calls, is_quiet=given.quiet) else 1


if __name__ == "__main__":
    sys.exit(main())
