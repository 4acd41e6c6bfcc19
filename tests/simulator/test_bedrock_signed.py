"""Calls of specado's own client to the simulated Bedrock, signed or with a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from specado import AuthenticationError, Client
from specado.simulator.bedrock_signatures import ACCESS_KEY_ID, SECRET_ACCESS_KEY

if TYPE_CHECKING:
    from specado.simulator.server import Server

MODELS = [
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "amazon.nova-pro-v1:0",
    "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/mi1dadi0g15f",
]


def client(server: Server, **provider: str) -> Client:
    own = {"base_url": server.bedrock_base_url, **provider}
    return Client({"simulate": False, "max_retries": 0, "providers": {"bedrock": own}})


@pytest.fixture
def signing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)


@pytest.mark.usefixtures("signing")
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("token", ["", "a session token"])
def test_a_signature_is_taken(
    server: Server, monkeypatch: pytest.MonkeyPatch, model: str, token: str
) -> None:
    if token:
        monkeypatch.setenv("AWS_SESSION_TOKEN", token)

    reply = client(server).chat.completions.create(model=f"bedrock/{model}", messages="Hello")

    assert reply.choices[0].message.content == "Simulated reply to: Hello"
    assert reply.extensions.metadata["simulated"] is False


@pytest.mark.usefixtures("signing")
def test_a_streamed_answer(server: Server) -> None:
    stream = client(server).chat.completions.create(
        model=f"bedrock/{MODELS[0]}", messages="Hello", stream=True
    )

    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    assert text == "Simulated reply to: Hello"
    assert stream.response().usage.total_tokens > 0


@pytest.mark.usefixtures("signing")
def test_a_wrong_secret_is_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")

    with pytest.raises(AuthenticationError, match="signature we calculated does not match"):
        client(server).chat.completions.create(model=f"bedrock/{MODELS[0]}", messages="Hello")


def test_a_key_needs_no_signature(server: Server) -> None:
    def ask(key: str) -> str | None:
        one = client(server, api_key=key)
        reply = one.chat.completions.create(model=f"bedrock/{MODELS[1]}", messages="Hello")
        return reply.choices[0].message.content

    assert ask("any") == "Simulated reply to: Hello"
    with pytest.raises(AuthenticationError):
        ask("wrong")
