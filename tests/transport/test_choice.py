"""Which library carries a call: `transport`, SPECADO_TRANSPORT, and what is installed."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import pytest

import sockets
import transports
from specado import Client, ConfigurationError
from specado import transport as t

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


@pytest.fixture
def installed(monkeypatch):
    """Set which libraries can be found besides httpx."""
    found = set()
    real = importlib.util.find_spec
    optional = {"httptools", "httpx2"}
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *more: object() if name in found else None if name in optional else real(name),
    )
    t.library_for.cache_clear()
    yield found
    t.library_for.cache_clear()


@pytest.mark.parametrize(
    ("present", "choice", "library"),
    [
        (set(), "auto", "httpx"),
        ({"httpx2"}, "auto", "httpx"),
        ({"httptools"}, "auto", "httptools"),
        ({"httptools"}, "httpx", "httpx"),
        ({"httptools", "httpx2"}, "httpx2", "httpx2"),
        ({"httptools"}, "httptools", "httptools"),
    ],
)
def test_the_library_of_a_choice(installed, present, choice, library):
    installed |= present

    assert t.library_for(choice) == library


@pytest.mark.parametrize(
    ("choice", "install"),
    [("httptools", "pip install 'specado[fast]'"), ("httpx2", "pip install 'httpx2==2.*'")],
)
def test_a_call_through_what_is_not_installed_tells_what_to_install(installed, choice, install):
    providers = {"openai": {"api_key": "k", "base_url": "http://127.0.0.1:1"}}
    client = Client({"transport": choice, "simulate": False, "providers": providers})

    with pytest.raises(ConfigurationError, match=f"transport: '{choice}' is not installed") as e:
        client.chat.completions.create("gpt-4.1", "hi")

    assert install in str(e.value)
    assert e.value.key == "transport"


def test_a_call_goes_through_the_library_that_was_asked_for(library):
    with sockets.ScriptedServer(sockets.answers(REPLY)) as server:
        providers = {"openai": {"api_key": "k", "base_url": server.url}}
        client = Client({"transport": library, "simulate": False, "providers": providers})
        reply = client.chat.completions.create("gpt-4.1", "hi")

    assert reply.choices[0].message.content == "Hello"
    assert len(server.requests) == 1


@transports.needs("httptools")
def test_the_fast_transport_imports_no_other_http_library():
    code = """
import sys, sockets
from specado import transport as t
with sockets.ScriptedServer(sockets.echoes) as server:
    request = t.WireRequest("POST", server.url, (), b"{}")
    t.shared_transport(t.TransportSettings(library="httptools")).send(request, 5, t.Limits())
    t.shutdown()
print(sorted({"httpx", "httpcore", "httpcore2", "h11", "httptools"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=sockets.__file__[:-11]
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "['httptools']\n", "")
