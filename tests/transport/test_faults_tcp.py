"""What each fault of a connection leads to: the outcome, the attempts, and when it is over.

Each row is played by a thread and by asyncio, alone and with a fallback that answers. Calls
have `DEADLINE_S` and one retry, which waits for nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Optional, Union

import pytest

import fault_scripts as f
import sockets
from specado import (
    Client,
    ConnectionFailedError,
    DeadlineExceededError,
    InvalidRequestError,
    MalformedResponseError,
    ModelNotFoundError,
    ProviderError,
    ServerError,
)

pytestmark = pytest.mark.usefixtures("no_backoff")

DEADLINE_S = 0.4
OVERRUN_S = 0.05
SMALL = {"max_reply_bytes": 1_000_000}
HURRIED = {"connect_timeout_seconds": 0.1}
KEY = "sk-first-4711"


class Row(NamedTuple):
    """A fault, and what a call comes to.

    `error` with `code` ends the call alone after `attempts`; the fallback answers with one
    more, unless `is_final`. `None` is the first provider's answer. What `hangs` takes the
    whole deadline alone and half of it, the attempt's share, with the fallback.
    """

    script: Any
    error: Optional[type] = None
    code: Union[str, tuple, None] = None
    attempts: int = 1
    hangs: bool = False
    is_final: bool = False
    settings: dict = {}  # noqa: RUF012 - never written to


def unsent(script, code, **more):
    return Row(script, ConnectionFailedError, code, **{"attempts": 2, **more})


def reset(script):
    return Row(script, ConnectionFailedError, "reset", attempts=2)


def malformed(script, code, **more):
    return Row(script, MalformedResponseError, code, attempts=2, **more)


def hangs(script, **more):
    return Row(script, DeadlineExceededError, "timeout", hangs=True, **more)


def well(script):
    return Row(script)


def not_http(data):
    return malformed(f.says(data), "protocol")


def redirect(status):
    """Point to a place that must not be asked; a script of two servers, see `_first`."""
    return Row(status, InvalidRequestError, None, is_final=True)


BODY = f.ANSWER
SHORT = sockets.reply(BODY, headers=f.JSON)
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
HEAD = f.HEAD_BYTES
LAST = len(f.REPLY) - 1
PLAIN = b"HTTP/1.1 200 OK\r\n"
LONG = PLAIN + b"Content-Length: %d\r\n\r\n" % (len(BODY) + 10) + BODY
GZIP = "Content-Encoding: gzip\r\n"

TABLE = {
    # no connection
    "refuses": unsent(sockets.refusing_url, "connect"),
    "full queue": hangs(f.hanging_url),
    "full queue, short connect timeout": Row(
        f.hanging_url, ConnectionFailedError, "connect", attempts=2, settings=HURRIED
    ),
    # a connection, and no byte
    # which of the two is a race: the reset may come before the connection is noticed
    "accepts and resets": Row(
        f.resets_at_once, ConnectionFailedError, ("connect", "reset"), attempts=2
    ),
    "accepts and closes": reset(f.closes_at_once),
    "reads and resets": reset(f.resets_at(0)),
    "reads and closes": reset(f.closes_at(0)),
    "never answers": hangs(sockets.never_answers),
    # reset at byte k
    "resets after a byte": malformed(f.resets_at(1), "truncated"),
    "resets in the status line": malformed(f.resets_at(12), "truncated"),
    "resets in the head": malformed(f.resets_at(30), "truncated"),
    "resets a byte before the head's end": malformed(f.resets_at(HEAD - 1), "truncated"),
    "resets at the head's end": malformed(f.resets_at(HEAD), "truncated"),
    "resets in the body": malformed(f.resets_at(HEAD + 20), "truncated"),
    "resets a byte before the end": malformed(f.resets_at(LAST), "truncated"),
    "resets at the end": well(f.resets_at(LAST + 1)),
    # closed at byte k
    "closes in the head": malformed(f.closes_at(30), "truncated"),
    "closes at the head's end": malformed(f.closes_at(HEAD), "truncated"),
    "closes in the body": malformed(f.closes_at(HEAD + 20), "truncated"),
    "closes a byte before the end": malformed(f.closes_at(LAST), "truncated"),
    "closes in a chunk": malformed(f.closes_at(HEAD + 60, f.CHUNKED), "truncated"),
    "closes between chunks": malformed(f.closes_at(len(f.CHUNKED) - 5, f.CHUNKED), "truncated"),
    "closes before the last line": malformed(
        f.closes_at(len(f.CHUNKED) - 2, f.CHUNKED), "truncated"
    ),
    "closes a body without a length": well(f.closes_at(10_000, PLAIN + b"\r\n" + BODY)),
    "closes it early": malformed(f.closes_at(60, PLAIN + b"\r\n" + BODY), "not_json"),
    # late
    "delays the head": well(f.delays(0.1)),
    "delays the body": well(f.delays(0.1, HEAD)),
    "delays the head too long": hangs(f.delays(1.0)),
    "delays the body too long": hangs(f.delays(1.0, HEAD)),
    "delays a chunk too long": hangs(f.delays(1.0, HEAD + 60, f.CHUNKED)),
    "drips": well(f.drips(LAST - 5)),
    "drips the head too long": hangs(f.drips(0)),
    "drips the body too long": hangs(f.drips(HEAD)),
    "drips chunks too long": hangs(f.drips(HEAD, reply=f.CHUNKED)),
    # not HTTP
    "speaks SSH": not_http(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    "speaks TLS": not_http(b"\x15\x03\x01\x00\x02\x02\x50" * 20),
    "speaks HTTP/0.9": malformed(f.closes_at(99, b"<html>hello</html>\r\n\r\n"), "protocol"),
    "speaks HTTP/2": not_http(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" * 9),
    "random bytes": not_http(bytes(range(256)) * 4),
    "no line end": not_http(b"x" * 200_000),
    "a broken header": not_http(PLAIN + b"broken header\r\n\r\n"),
    "a huge header": not_http(PLAIN + b"X: " + b"y" * 200_000),
    "too many headers": not_http(PLAIN + (b"X: " + b"y" * 60 + b"\r\n") * 2_000),
    "two lengths": not_http(PLAIN + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
    "a negative length": not_http(PLAIN + b"Content-Length: -1\r\n\r\n"),
    "a length beyond bounds": malformed(
        f.says(PLAIN + b"Content-Length: 9%018d\r\n\r\n" % 0), "too_large"
    ),
    "a length without bounds": not_http(PLAIN + b"Content-Length: 9%030d\r\n\r\n" % 0),
    "a wrong chunk": not_http(PLAIN + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "an upgrade": not_http(b"HTTP/1.1 101 Up\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
    # HTTP, and no answer
    "a length too long, and open": hangs(f.says(LONG)),
    "a length too long, and closed": malformed(f.closes_at(len(LONG), LONG), "truncated"),
    "a length too short": malformed(
        f.says(PLAIN + b"Content-Length: 20\r\n\r\n" + BODY), "not_json"
    ),
    "no content": malformed(f.says(b"HTTP/1.1 204 No Content\r\n\r\n"), "not_json"),
    "a page": malformed(f.says(sockets.reply(b"<html>Hello</html>")), "not_json"),
    "binary": malformed(f.says(sockets.reply(bytes(range(256)))), "not_json"),
    "nothing but brackets": malformed(f.says(sockets.reply(b"[" * 100_000)), "not_json"),
    "too large": malformed(f.says(sockets.reply(b" " * 2_000_000)), "too_large", settings=SMALL),
    "endless": malformed(
        f.repeats(PLAIN + b"Transfer-Encoding: chunked\r\n\r\n" + b"ffff\r\n" + b" " * 65_535),
        "protocol",
    ),
    "a compression bomb": malformed(
        f.says(sockets.reply(f.bomb(100_000_000), headers=GZIP)), "too_large", settings=SMALL
    ),
    "a compression bomb as an error": Row(
        f.says(sockets.reply(f.bomb(100_000_000), 500, GZIP)), ServerError, None, attempts=2
    ),
    "broken gzip": malformed(f.says(sockets.reply(b"\x1f\x8b" * 9, headers=GZIP)), "protocol"),
    "an unknown encoding": malformed(
        f.says(sockets.reply(BODY, headers="Content-Encoding: compress\r\n")), "protocol"
    ),
    # interim replies
    "100 first": well(f.says(INTERIM + f.REPLY)),
    "103 first": well(f.says(HINTS + INTERIM + f.REPLY)),
    "100 and no more": hangs(f.says(INTERIM)),
    "100 for ever": hangs(f.repeats(INTERIM, 0.01)),
    # redirects
    **{f"redirects with {status}": redirect(status) for status in (301, 302, 303, 307, 308)},
    "not found": Row(
        f.says(sockets.reply(b"404 page not found", 404)), ModelNotFoundError, None, is_final=True
    ),
}


class Outcome(NamedTuple):
    """How a call ended."""

    error: Optional[ProviderError]
    answer: Optional[str]
    attempts: int
    took_s: float


@contextlib.contextmanager
def _first(script):
    """Give the address of the provider that has the fault."""
    if script in (sockets.refusing_url, f.hanging_url):
        with script() as url:
            yield url
    elif isinstance(script, int):
        with sockets.ScriptedServer(sockets.answers(f.REPLY)) as target:
            place = f"Location: {target.url}/v1/chat/completions\r\n"
            reply = sockets.reply(b"", script, place)
            with sockets.ScriptedServer(sockets.answers(reply)) as server:
                yield server.url
            assert target.connections == 0
    else:
        with sockets.ScriptedServer(script) as server:
            yield server.url


def config(url, other_url, **more):
    return {
        "primary_provider": "openai",
        "fallback_provider": "anthropic",
        "simulate": False,
        "max_retries": 1,
        "timeout_seconds": DEADLINE_S,
        "providers": {
            "openai": {"api_key": KEY, "base_url": url},
            "anthropic": {"api_key": "sk-second", "base_url": other_url},
        },
        **more,
    }


def ask(settings, *, is_async, fallback, model="gpt-4.1"):
    """Make one call; return its `Outcome`."""
    completions = Client(settings).chat.completions
    models = ["claude-sonnet-4-6"] if fallback else []
    given = {"model": model, "messages": "hi", "max_tokens": 9, "fallback_models": models}
    began = time.monotonic()
    try:
        if is_async:

            async def main():
                nonlocal began
                began = time.monotonic()
                try:
                    return await completions.create_async(**given)
                finally:
                    began -= time.monotonic()

            reply = asyncio.run(main())
        else:
            try:
                reply = completions.create(**given)
            finally:
                began -= time.monotonic()
    except ProviderError as error:
        return Outcome(error, None, error.attempts, -began)
    return Outcome(None, reply.choices[0].message.content, reply.extensions.attempts, -began)


def ask_in_time(row, other_url, way):
    """Play a row up to three times: another process may have had the processor.

    An attempt that may take half the deadline may have been cut short by that, too.
    """
    is_async, fallback = way
    for _ in range(3):
        with _first(row.script) as url:
            settings = config(url, other_url, **row.settings)
            outcome = ask(settings, is_async=is_async, fallback=fallback)
        if outcome.took_s <= (DEADLINE_S + OVERRUN_S if row.hangs else DEADLINE_S / 2):
            break
    return outcome


@pytest.fixture(scope="module")
def other():
    with sockets.ScriptedServer(sockets.answers(f.OTHER_REPLY)) as found:
        for is_async in (False, True):  # what is loaded at first use is no call's delay
            ask(config(found.url, found.url), is_async=is_async, fallback=False)
        yield found


WAYS = [(is_async, fallback) for is_async in (False, True) for fallback in (False, True)]


@pytest.mark.parametrize("name", TABLE)
def test_a_fault(other, name):
    row = TABLE[name]
    with ThreadPoolExecutor(len(WAYS)) as threads:
        outcomes = list(threads.map(lambda way: ask_in_time(row, other.url, way), WAYS))

    for (_, fallback), outcome in zip(WAYS, outcomes):
        assert outcome.took_s <= DEADLINE_S + OVERRUN_S
        if row.error is None:
            assert (outcome.error, outcome.answer) == (None, "from the first")
            assert outcome.attempts == row.attempts
        elif fallback and not row.is_final:
            assert (outcome.error, outcome.answer) == (None, "from the second")
            assert outcome.attempts == row.attempts + 1
            assert outcome.took_s >= DEADLINE_S / 2 or not row.hangs
        else:
            error = outcome.error
            assert type(error) is row.error
            assert error.code in (row.code if isinstance(row.code, tuple) else (row.code,))
            assert error.attempts == len(error.errors) == row.attempts
            assert error.sent is not (error.code == "connect" or row.script is f.hanging_url)
            assert outcome.took_s >= DEADLINE_S or not row.hangs
            assert KEY not in str(error)


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("is_async", [False, True])
def test_a_kept_connection_that_was_closed_meanwhile_is_not_noticed(other, is_async, reset):
    once = sockets.answers_then_closes(f.REPLY, reset=reset)
    with sockets.ScriptedServer(once, once, sockets.answers(f.REPLY)) as server:
        completions = Client(config(server.url, other.url, max_retries=0)).chat.completions

        async def main():
            found = []
            for _ in range(3):
                found.append(await completions.create_async("gpt-4.1", "hi", fallback_models=[]))
                if len(found) < 3:
                    await asyncio.to_thread(server.wait_for_end)
            return found

        if is_async:
            found = asyncio.run(main())
        else:
            found = []
            for _ in range(3):
                found.append(completions.create("gpt-4.1", "hi", fallback_models=[]))
                if len(found) < 3:
                    server.wait_for_end()

    assert [reply.extensions.attempts for reply in found] == [1, 1, 1]
    assert (server.connections, len(server.requests)) == (3, 3)


def test_a_connection_closed_in_the_race_is_repeated_outside_of_retries(other):
    """The server closes an idle connection just as the next request comes in."""

    def closes_on_the_second(peer):
        peer.request()
        peer.send(f.REPLY)
        peer.request()

    with sockets.ScriptedServer(closes_on_the_second, sockets.answers(f.REPLY)) as server:
        completions = Client(config(server.url, other.url, max_retries=0)).chat.completions
        found = [completions.create("gpt-4.1", "hi", fallback_models=[]) for _ in range(2)]

    metadata = found[1].extensions.metadata
    assert [reply.extensions.attempts for reply in found] == [1, 2]
    assert "provider_errors" not in metadata
    assert metadata["retry_delay_ms"] == 0.0
    assert any("closed an idle connection" in note for note in metadata["reply_notes"])


def test_a_reply_with_bytes_after_it_costs_the_next_call_nothing(other):
    polluted = sockets.answers(f.REPLY + b"HTTP/1.1 200 OK\r\nContent-Le")
    with sockets.ScriptedServer(polluted) as server:
        completions = Client(config(server.url, other.url, max_retries=0)).chat.completions
        found = [completions.create("gpt-4.1", "hi", fallback_models=[]) for _ in range(3)]

    assert [reply.extensions.attempts for reply in found] == [1, 1, 1]
    assert server.connections == 3
