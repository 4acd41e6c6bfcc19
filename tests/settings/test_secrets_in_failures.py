"""After every kind of failure: whatever a user can print, log, pickle or see shows no key."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import io
import json
import logging
import pickle
import traceback

import httpx
import pytest
import rich.console
import rich.pretty
import rich.traceback

import fault_scripts as f
import sockets
from specado import AsyncClient, Client, SpecadoError, shutdown
from specado.types import AttemptEvent

HIDDEN = "hush4711"
KEY = f"sk-{HIDDEN}-key"
ECHO = json.dumps({"error": {"message": f"wrong key {KEY}", "type": f"t-{KEY}", "code": KEY}})
EVENT = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":'
    b'[{"index":0,"delta":{"role":"assistant","content":"Hello"},"finish_reason":null}]}\n\n'
)
SSE = "Content-Type: text/event-stream\r\n"
BROKEN_STREAM = sockets.reply(EVENT, headers=SSE)
ERROR_STREAM = sockets.reply(EVENT + b"data: " + ECHO.encode() + b"\n\n", headers=SSE)
MAX_DEPTH = 3


def echoes_headers(peer):
    """Answer with a line that is not HTTP and holds all that was sent."""
    peer.send(peer.request().replace(b"\r\n", b" ") + b"\r\n\r\n")


FAULTS = {
    "reset": f.resets_at(0),
    "truncated": f.closes_at(40),
    "garbage": echoes_headers,
    "silent": sockets.never_answers,
    "not JSON": f.says(sockets.reply(KEY.encode())),
    "no choice": f.says(sockets.reply(b'{"choices":[]}')),
    "error in a 200": f.says(sockets.reply(ECHO.encode())),
    **{
        f"status {status}": f.says(sockets.reply(ECHO.encode(), status, f"Retry-After: {KEY}\r\n"))
        for status in (302, 400, 401, 429, 500)
    },
}
STREAM_FAULTS = {
    "cut after its first content": f.says(BROKEN_STREAM),
    "error after its first content": f.says(ERROR_STREAM),
    "silent after its first content": f.says(
        b"HTTP/1.1 200 Fine\r\nContent-Length: 9999\r\n" + SSE.encode() + b"\r\n" + EVENT
    ),
}


def config(url, **more):
    return {
        "fallback_provider": "anthropic",
        "simulate": False,
        "max_retries": 1,
        "timeout_seconds": 0.2,
        "idle_timeout_seconds": 0.2,
        "providers": {
            "openai": {"api_key": KEY, "base_url": url, "headers": {"X-Gate": HIDDEN}},
            "anthropic": {"api_key": KEY, "base_url": url},
        },
        **more,
    }


def given(**more):
    return {"model": "gpt-4.1", "messages": "hi", "max_tokens": 9, **more}


def rich_traceback(error):
    """Return Rich's traceback with locals, of what comes after this module's last frame."""
    here = frame = error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == __file__:
            here = frame.tb_next
        frame = frame.tb_next
    if here is None:
        return None
    return rich.traceback.Traceback.from_exception(
        type(error), error, here, show_locals=True, locals_max_string=None
    )


class Seen:
    """All that a user can see of a call, as text."""

    def __init__(self):
        self.text = []
        self._done = set()

    def look_at(self, found, depth=0):
        if id(found) in self._done or depth > MAX_DEPTH:
            return
        self._done.add(id(found))
        self.text += [repr(found), str(found), f"{found}", rich.pretty.pretty_repr(found)]
        with contextlib.suppress(TypeError, AttributeError, pickle.PicklingError):
            self.text.append(pickle.dumps(found).decode("latin-1"))
        with contextlib.suppress(TypeError):
            self.text.append(repr(copy.copy(found)))
        if isinstance(found, BaseException):
            self.look_at_error(found, is_drawn=depth == 0)
        if not isinstance(found, (str, bytes, int, float, type(None))):
            for name in dir(found):
                if not name.startswith("_"):
                    with contextlib.suppress(Exception):
                        self.look_at(getattr(found, name), depth + 1)
        if isinstance(found, (list, tuple)):
            for each in found:
                self.look_at(each, depth + 1)

    def look_at_error(self, error, *, is_drawn):
        self.text.append(
            "".join(traceback.format_exception(type(error), error, error.__traceback__))
        )
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        todo = [shown]
        while todo:
            one = todo.pop()
            self.text += one.format_exception_only()
            for frame in one.stack:
                if frame.filename != __file__:
                    self.text.append(f"{frame.name}: {frame.locals}")
            todo += [each for each in (one.__cause__, one.__context__) if each is not None]
        drawn = rich_traceback(error) if is_drawn else None
        for one in drawn.trace.stacks if drawn is not None else ():
            self.text.append(f"{one.exc_type}: {one.exc_value} {one.notes}")
            for frame in one.frames:
                self.text += [f"{name} = {node}" for name, node in frame.locals.items()]

    def draw(self, error):
        """Draw what `look_at_error` reads the parts of: the lines of code take a second."""
        file = io.StringIO()
        rich.console.Console(file=file, width=500).print(rich_traceback(error))
        assert " locals " in file.getvalue()
        self.text.append(file.getvalue())

    def check(self):
        for text in self.text:
            assert HIDDEN not in text, text[max(0, text.index(HIDDEN) - 800) :][:1200]


@pytest.fixture
def seen(caplog):
    caplog.set_level(logging.DEBUG)
    found = Seen()
    yield found
    found.text += [record.getMessage() for record in caplog.records]
    found.text += [repr(record.args) for record in caplog.records]
    found.text.append(caplog.text)
    found.check()
    shutdown()


@pytest.fixture
def told(seen):
    """Hooks that look at what they are told, and fail."""

    def hook(event):
        seen.look_at(event)
        raise ValueError("the hook's own")

    return {"on_attempt": hook, "on_fallback": hook, "on_reply": hook}


async def nothing():
    """Close nothing."""


def call(client, way, seen, aclose=nothing, **more):
    """Make one call in *way*; look at the client, the stream and the error."""
    seen.look_at(client)
    stream = None
    try:
        if way == "sync":
            seen.look_at(client.chat.completions.create(**given(**more)))
        elif way == "stream":
            stream = client.chat.completions.create(**given(stream=True, **more))
            for chunk in stream:
                seen.look_at(chunk)
        elif way == "async":

            async def main():
                try:
                    seen.look_at(await client.chat.completions.create_async(**given(**more)))
                finally:
                    await aclose()

            asyncio.run(main())
        else:

            async def main():
                nonlocal stream
                create = client.chat.completions.create_async
                try:
                    stream = await create(**given(stream=True, **more))
                    async for chunk in stream:
                        seen.look_at(chunk)
                finally:
                    await aclose()

            asyncio.run(main())
    except Exception as error:  # noqa: BLE001 - looked at, whatever it is
        seen.look_at(error)
        if stream is not None:
            seen.look_at(stream)
        return error
    raise AssertionError("the call did not fail")


WAYS = ["sync", "async", "stream", "async stream"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_failure_of_the_provider(seen, told, fault, way):
    with sockets.ScriptedServer(FAULTS[fault]) as server:
        error = call(
            Client(config(server.url, hooks=told)), way, seen, fallback_models=["claude-opus-4-5"]
        )

    assert isinstance(error, SpecadoError)


@pytest.mark.parametrize("way", WAYS[2:])
@pytest.mark.parametrize("fault", STREAM_FAULTS)
def test_a_stream_that_breaks_off(seen, told, fault, way):
    with sockets.ScriptedServer(STREAM_FAULTS[fault]) as server:
        error = call(Client(config(server.url, hooks=told)), way, seen)

    assert isinstance(error, SpecadoError)


@pytest.mark.parametrize("way", WAYS)
def test_nobody_listens(seen, told, way):
    with sockets.refusing_url() as url:
        error = call(Client(config(url, hooks=told)), way, seen)

    seen.draw(error)
    assert isinstance(error, SpecadoError)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fault", ["reset", "garbage", "silent", "status 401", "truncated"])
def test_a_failure_through_a_client_of_the_callers_own(seen, told, fault, way):
    with sockets.ScriptedServer(FAULTS[fault]) as server:
        one = httpx.AsyncClient() if "async" in way else httpx.Client()
        http_client = {"async_http_client" if "async" in way else "http_client": one}
        close = one.aclose if "async" in way else nothing
        error = call(Client(config(server.url, hooks=told), **http_client), way, seen, close)
        if "async" not in way:
            one.close()

    assert isinstance(error, SpecadoError)


@pytest.mark.parametrize("way", WAYS[:2])
def test_a_client_of_the_callers_own_that_raises_what_it_likes(seen, way):
    class Own:
        def send(self, request, **_):
            raise LookupError("its own words")

    class AsyncOwn:
        async def send(self, request, **_):
            raise LookupError("its own words")

    with sockets.refusing_url() as url:
        client = Client(config(url), http_client=Own(), async_http_client=AsyncOwn())
        assert isinstance(call(client, way, seen), LookupError)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("value", [lambda: f"{KEY}\n", lambda: None, lambda: f"“{KEY}”"])
def test_a_key_that_a_callable_gives_wrongly(seen, way, value):
    providers = {"openai": {"api_key": value, "base_url": "http://127.0.0.1:9"}}

    call(Client({"simulate": False, "timeout_seconds": 0.2, "providers": providers}), way, seen)


@pytest.mark.parametrize("way", ["sync", "async stream"])
@pytest.mark.parametrize(
    "wrong",
    [
        {"extra_headers": {"X-Own": f"{HIDDEN}\nX"}},
        {"extra_headers": {"X-Own": HIDDEN, "X\n": "a"}},
        {"extra_headers": {"X-Own": HIDDEN}, "temperature": "hot"},
        {"extra_headers": {"X-Own": HIDDEN}, "messages": [{"role": "user", "content": object()}]},
        {"extra_headers": {"X-Own": HIDDEN}, "model": "no-provider/x", "fallback_models": [5]},
        {"extra_headers": {"X-Own": HIDDEN}, "timeout_seconds": -1},
        {"extra_headers": {"X-Own": HIDDEN}, "n": 2, "model": "claude-opus-4-5"},
    ],
)
def test_a_wrong_call(seen, way, wrong):
    with sockets.refusing_url() as url:
        call(Client(config(url)), way, seen, **wrong)


def test_what_a_call_that_goes_well_shows(seen, told):
    with sockets.ScriptedServer(f.says(f.REPLY)) as server:
        for client in (Client(config(server.url, hooks=told)), AsyncClient(config(server.url))):
            seen.look_at(client)
            seen.look_at(client.chat)
            seen.look_at(client.chat.completions)
            seen.look_at(client.chat.completions.plan(**given(extra_headers={"X-Own": HIDDEN})))
        seen.look_at(Client(config(server.url)).chat.completions.create(**given()))
    seen.look_at(AttemptEvent("openai", "m", 1, 1.0, None))
