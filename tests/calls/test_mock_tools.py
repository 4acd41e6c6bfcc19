"""Errors of calls that a test's mocking tool did not see, and calls that it sees."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import sys
import types
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import sockets
from played_streams import client, reply_json
from specado import AsyncClient, AuthenticationError, Client, ConnectionFailedError, ProviderError

if TYPE_CHECKING:
    from collections.abc import Iterator

URL = "https://api.openai.com/v1/chat/completions"
KEYS = {"simulate": False, "max_retries": 0, "providers": {"openai": {"api_key": "any-key"}}}
WRONG_KEY = sockets.reply(b'{"error": {"message": "wrong key", "code": "invalid_api_key"}}', 401)


@contextlib.contextmanager
def vcrpy(tmp_path: Any) -> Iterator[None]:
    vcr = pytest.importorskip("vcr")
    with vcr.use_cassette(str(tmp_path / "cassette.yaml"), record_mode="none"):
        yield


@contextlib.contextmanager
def respx(_tmp_path: Any) -> Iterator[None]:
    tool = pytest.importorskip("respx")
    with tool.mock(assert_all_called=False) as router:
        router.post(URL).respond(200)
        yield


@contextlib.contextmanager
def pytest_httpx(_tmp_path: Any) -> Iterator[None]:
    pytest.importorskip("pytest_httpx")
    handle_request = types.FunctionType((lambda *_: None).__code__, {})
    handle_request.__module__ = "pytest_httpx"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx.HTTPTransport, "handle_request", handle_request)
        yield


TOOLS = {"vcrpy": vcrpy, "respx": respx, "pytest-httpx": pytest_httpx}


def failed(one: Any, kind: type[ProviderError], caller: str) -> ProviderError:
    completions = one.chat.completions

    def ask() -> Any:
        if caller == "async":
            return asyncio.run(completions.create_async("gpt-4.1", "Hi"))
        return completions.create("gpt-4.1", "Hi")

    with pytest.raises(kind) as caught:
        ask()
    return caught.value


def hint(tool: str) -> str:
    return (
        f"; {tool} is active but does not see specado's own connections: give the client an "
        "http_client or async_http_client of httpx"
    )


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("caller", ["sync", "async"])
def test_an_error_names_an_active_tool_that_did_not_see_the_call(
    tool: str, caller: str, tmp_path: Any
) -> None:
    with sockets.ScriptedServer(sockets.answers(WRONG_KEY)) as server, TOOLS[tool](tmp_path):
        error = failed(client(server.url), AuthenticationError, caller)

    assert str(error).endswith(f"wrong key (HTTP 401, invalid_api_key){hint(tool)}")
    assert error.status_code == 401
    assert error.stopped_by == "not_retryable"


def test_so_does_one_without_a_connection(tmp_path: Any) -> None:
    with sockets.refusing_url() as url, vcrpy(tmp_path):
        error = failed(client(url), ConnectionFailedError, "sync")

    assert str(error).endswith(hint("vcrpy"))


def test_a_tool_that_is_not_active_is_not_named(tmp_path: Any) -> None:
    for tool in TOOLS.values():
        with tool(tmp_path):
            pass
    with sockets.ScriptedServer(sockets.answers(WRONG_KEY)) as server:
        error = failed(client(server.url), AuthenticationError, "sync")

    assert str(error).endswith("wrong key (HTTP 401, invalid_api_key)")


def test_a_class_of_vcrpy_in_the_standard_library_is_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    patched = type("HTTPSConnection", (), {"__module__": "vcr.patch"})
    monkeypatch.setattr(http.client, "HTTPSConnection", patched)
    with sockets.ScriptedServer(sockets.answers(WRONG_KEY)) as server:
        error = failed(client(server.url), AuthenticationError, "sync")

    assert str(error).endswith(hint("vcrpy"))


@pytest.mark.parametrize(("library", "is_seen"), [("httpx", True), ("auto", False)])
def test_respx_sees_the_connections_of_httpx(
    monkeypatch: pytest.MonkeyPatch, library: str, is_seen: bool
) -> None:
    active = types.SimpleNamespace(routers=[object()])
    mocker = types.SimpleNamespace(registry={"httpcore": active})
    module: Any = types.ModuleType("respx.mocks")
    module.Mocker = mocker
    monkeypatch.setitem(sys.modules, "respx.mocks", module)
    with sockets.ScriptedServer(sockets.answers(WRONG_KEY)) as server:
        error = failed(client(server.url, transport=library), AuthenticationError, "sync")

    assert str(error).endswith(hint("respx")) is not is_seen


# A client of httpx is seen


def test_a_call_through_the_callers_own_client_has_no_hint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    patched = type("HTTPSConnection", (), {"__module__": "vcr.patch"})
    monkeypatch.setattr(http.client, "HTTPSConnection", patched)
    refusal = httpx.Response(401, json={"error": {"message": "no"}})
    with httpx.Client(transport=httpx.MockTransport(lambda _: refusal)) as own:
        error = failed(Client(KEYS, http_client=own), AuthenticationError, "sync")

    assert error.message == "openai/gpt-4.1: no (HTTP 401)"


@pytest.mark.parametrize("caller", ["sync", "async"])
def test_respx_mocks_the_callers_own_client(caller: str) -> None:
    tool = pytest.importorskip("respx")
    with tool.mock() as router:
        route = router.post(URL).respond(200, content=reply_json())
        if caller == "sync":
            with httpx.Client() as own:
                reply = Client(KEYS, http_client=own).chat.completions.create("gpt-4.1", "Hi")
        else:
            reply = asyncio.run(by_own_async_client())

    assert reply.choices[0].message.content == "Hello"
    assert json.loads(route.calls.last.request.content)["model"] == "gpt-4.1"


async def by_own_async_client() -> Any:
    async with httpx.AsyncClient() as own:
        one = AsyncClient(KEYS, http_client=own)
        return await one.chat.completions.create("gpt-4.1", "Hi")


def test_vcrpy_records_and_replays_the_callers_own_client(tmp_path: Any) -> None:
    vcr = pytest.importorskip("vcr")
    cassette = str(tmp_path / "cassette.yaml")
    texts = []
    with sockets.ScriptedServer(sockets.answers(sockets.reply(reply_json()))) as server:
        for mode in ("once", "none"):
            with (
                vcr.use_cassette(cassette, record_mode=mode, filter_headers=["authorization"]),
                httpx.Client() as own,
            ):
                config = {"api_key": "any-key", "base_url": server.url}
                one = Client({**KEYS, "providers": {"openai": config}}, http_client=own)
                reply = one.chat.completions.create("gpt-4.1", "Hi")
                texts.append(reply.choices[0].message.content)

    assert texts == ["Hello", "Hello"]
    assert len(server.requests) == 1
    assert "any-key" not in (tmp_path / "cassette.yaml").read_text()


@pytest.mark.parametrize("caller", ["sync", "async"])
def test_pytest_httpx_mocks_the_callers_own_client(
    caller: str, request: pytest.FixtureRequest
) -> None:
    pytest.importorskip("pytest_httpx")
    request.getfixturevalue("httpx_mock").add_response(url=URL, content=reply_json())
    if caller == "sync":
        with httpx.Client() as own:
            reply = Client(KEYS, http_client=own).chat.completions.create("gpt-4.1", "Hi")
    else:
        reply = asyncio.run(by_own_async_client())

    assert reply.choices[0].message.content == "Hello"
