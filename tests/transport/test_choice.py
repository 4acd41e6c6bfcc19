"""Whose connections carry a call: the setting `transport` and SPECADO_TRANSPORT."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import sockets
from specado import Client, ConfigurationError, ConfigurationWarning

REPLY = sockets.reply(
    json.dumps(
        {
            "id": "c",
            "object": "chat.completion",
            "created": 1,
            "model": "gpt-4.1",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": "Hello"},
                    "finish_reason": "stop",
                }
            ],
        }
    ).encode()
)


def ask(server, **settings):
    providers = {"openai": {"api_key": "k", "base_url": server.url}}
    client = Client({"simulate": False, "providers": providers, **settings})
    return client.chat.completions.create("gpt-4.1", "hi")


@pytest.mark.parametrize(
    ("choice", "agent"), [("auto", None), ("httpx", b"user-agent: python-httpx")]
)
def test_a_call_goes_through_what_was_asked_for(choice, agent):
    with sockets.ScriptedServer(sockets.answers(REPLY)) as server:
        reply = ask(server, transport=choice)

    assert reply.choices[0].message.content == "Hello"
    assert len(server.requests) == 1
    # httpx adds headers of its own, such as this one.
    assert (b"\r\nconnection: keep-alive\r\n" in server.requests[0].lower()) is bool(agent)


@pytest.mark.parametrize(("old", "new"), [("httptools", "auto"), ("httpx2", "httpx")])
def test_an_old_value_is_taken_with_a_warning(old, new):
    with pytest.warns(ConfigurationWarning, match=f"'{old}'.*'{new}'") as seen:
        client = Client({"transport": old})

    assert client.get_config("transport") == new
    assert seen[0].filename == __file__


def test_an_old_value_in_the_environment_is_taken_with_a_warning(monkeypatch):
    monkeypatch.setenv("SPECADO_TRANSPORT", "httptools")
    with pytest.warns(ConfigurationWarning, match="'httptools'.*'auto'"):
        client = Client()

    assert client.get_config("transport") == "auto"


def test_httpx_that_is_not_installed_tells_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "httpx", None)
    with (
        sockets.ScriptedServer(sockets.answers(REPLY)) as server,
        pytest.raises(ConfigurationError, match=r"transport: 'httpx' .*pip install") as caught,
    ):
        ask(server, transport="httpx")

    assert caught.value.key == "transport"


def test_the_default_imports_no_other_http_library():
    code = """
import asyncio, sys, sockets
from specado import transport as t
with sockets.ScriptedServer(sockets.echoes) as server:
    request = t.WireRequest("POST", server.url, (), b"{}")
    t.shared_transport(t.TransportSettings()).send(request, 5, t.Limits())
    asyncio.run(t.shared_async_transport(t.TransportSettings()).send(request, 5, t.Limits()))
    t.shutdown()
others = {"anyio", "httpx", "httpx2", "httpcore", "httpcore2", "h11", "httptools"}
print(sorted(others & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=sockets.__file__[:-11]
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "['httptools']\n", "")
