"""Gemini and Vertex AI as providers: URLs, keys, refused signatures, cached content, prices."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import httpx
import pytest

import specado
from specado.catalog.lookup import find_model
from specado.errors import ConfigurationError

PROVIDERS = {
    "gemini": {"api_key": "any-key"},
    "vertex": {"credentials": "a-token", "project": "my-project"},
    "openai": {"api_key": "any-key"},
    "anthropic": {"api_key": "any-key"},
}
VERTEX = "https://aiplatform.googleapis.com/v1beta1"
IN_PROJECT = f"{VERTEX}/projects/my-project/locations/global"
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
HELLO = {"role": "user", "content": "Hello"}
SIGNED_CALL = {"functionCall": {"name": "f", "args": {"q": 1}}, "thoughtSignature": "c2lnbmVk"}
USAGE = {
    "promptTokenCount": 1000,
    "cachedContentTokenCount": 400,
    "candidatesTokenCount": 50,
    "thoughtsTokenCount": 150,
    "totalTokenCount": 1200,
}


def answer(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "candidates": [
            {
                "content": {"role": "model", "parts": list(parts) or [{"text": "Hi"}]},
                "finishReason": "STOP",
                "index": 0,
            }
        ],
        "usageMetadata": USAGE,
        "modelVersion": "gemini-3.8-flash",
        "responseId": "r-1",
        **more,
    }


def refusal(message: str, code: int = 400, status: str = "INVALID_ARGUMENT") -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status}}


class Google:
    """Answers of Google's servers, and what was asked."""

    def __init__(self, *replies: Any) -> None:
        self.replies = list(replies)
        self.urls: list[str] = []
        self.headers: list[httpx.Headers] = []
        self.bodies: list[dict[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.urls.append(str(request.url))
        self.headers.append(request.headers)
        self.bodies.append(json.loads(request.content))
        reply = self.replies.pop(0) if self.replies else answer()
        if isinstance(reply, bytes):
            headers = {"content-type": "text/event-stream"}
            return httpx.Response(200, headers=headers, content=reply)
        return httpx.Response(reply.get("error", {}).get("code", 200), json=reply)


def client(server: Google, **config: Any) -> specado.Client:
    return specado.Client(
        {"simulate": False, "max_retries": 0, "providers": PROVIDERS, **config},
        http_client=httpx.Client(transport=httpx.MockTransport(server)),
    )


def ask(server: Google, model: str = "gemini/gemini-3.8-flash", **given: Any) -> Any:
    config = given.pop("config", {})
    messages = given.pop("messages", "Hello")
    return client(server, **config).chat.completions.create(model, messages, **given)


# Addresses and keys


@pytest.mark.parametrize(
    ("model", "url"),
    [
        (
            "gemini/gemini-3.8-flash",
            "https://generativelanguage.googleapis.com/v1beta/models/gemini-3.8-flash:",
        ),
        (
            "gemini/models/gemini-3.8-flash",
            "https://generativelanguage.googleapis.com/v1beta/models/gemini-3.8-flash:",
        ),
        (
            "gemini/tunedModels/mine",
            "https://generativelanguage.googleapis.com/v1beta/tunedModels/mine:",
        ),
        (
            "vertex/gemini-3.8-flash",
            f"{IN_PROJECT}/publishers/google/models/gemini-3.8-flash:",
        ),
    ],
)
def test_each_provider_is_asked_at_its_address(model: str, url: str) -> None:
    event = b"data: " + json.dumps(answer()).encode() + b"\r\n\r\n"
    server = Google(answer(), event)

    whole = ask(server, model)
    with ask(server, model, stream=True) as stream:
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)

    assert server.urls == [f"{url}generateContent", f"{url}streamGenerateContent?alt=sse"]
    assert whole.choices[0].message.content == text == "Hi"
    assert whole.extensions.metadata["dialect"] == "gemini"


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("europe-west4", "europe-west4-aiplatform.googleapis.com"),
        ("us", "aiplatform.us.rep.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
        ("global", "aiplatform.googleapis.com"),
    ],
)
def test_vertex_is_asked_in_its_location(location: str, host: str) -> None:
    server = Google()
    own = {"vertex": {**PROVIDERS["vertex"], "location": location}}

    ask(server, "vertex/gemini-3.8-flash", config={"providers": own})

    assert server.urls[0].startswith(
        f"https://{host}/v1beta1/projects/my-project/locations/{location}/publishers/"
    )
    assert server.headers[0]["authorization"] == "Bearer a-token"
    assert "x-goog-api-key" not in server.headers[0]


def test_an_express_key_asks_vertex_without_a_project() -> None:
    server = Google()
    own = {"vertex": {"api_key": "express"}}

    ask(server, "vertex/gemini-3.8-flash", config={"providers": own})

    assert server.urls == [f"{VERTEX}/publishers/google/models/gemini-3.8-flash:generateContent"]
    assert server.headers[0]["x-goog-api-key"] == "express"


@pytest.mark.parametrize(
    ("variables", "key"),
    [
        ({"GEMINI_API_KEY": "one"}, "one"),
        ({"GOOGLE_API_KEY": "two"}, "two"),
        ({"GEMINI_API_KEY": "one", "GOOGLE_API_KEY": "two"}, "two"),
    ],
)
def test_geminis_key_comes_from_either_variable(
    variables: dict[str, str], key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    server = Google()

    ask(server, config={"providers": {}})

    assert server.headers[0]["x-goog-api-key"] == key
    assert "authorization" not in server.headers[0]
    assert "key=" not in server.urls[0]


def test_a_missing_key_names_both_variables() -> None:
    with pytest.raises(ConfigurationError) as caught:
        ask(Google(), config={"providers": {}})

    assert str(caught.value) == (
        "Configuration error: no API key for 'gemini': set GOOGLE_API_KEY or GEMINI_API_KEY, or "
        "providers['gemini']['api_key']"
    )


@pytest.mark.parametrize(
    ("model", "say"),
    [
        ("gemini-3.8-flash", "say 'gemini/gemini-3.8-flash' or 'vertex/gemini-3.8-flash'"),
        ("gemini-flash-latest", "say 'gemini/gemini-flash-latest'"),
    ],
)
def test_a_bare_model_names_the_providers_that_have_it(model: str, say: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ask(Google(), model)

    assert say in str(caught.value)


def test_a_wrong_key_is_an_authentication_error_whatever_its_status() -> None:
    reply = refusal("API key not valid. Please pass a valid API key.")

    with pytest.raises(specado.AuthenticationError):
        ask(Google(reply))


# Wholeness of streams


def test_a_stream_is_whole_by_its_finish_reason() -> None:
    event = b"data: " + json.dumps(answer()).encode() + b"\r\n\r\n"
    unfinished = answer()
    del unfinished["candidates"][0]["finishReason"]
    cut_off = b"data: " + json.dumps(unfinished).encode() + b"\r\n\r\n"

    whole = ask(Google(event), stream=True)
    chunks = list(whole)
    with pytest.raises(specado.StreamInterruptedError):
        list(ask(Google(cut_off), stream=True))

    assert chunks[-1].choices[0].finish_reason == "stop"
    assert "reply_notes" not in whole.response().extensions.metadata


# The repeat without a signature


@pytest.mark.parametrize("provider", ["gemini", "vertex"])
@pytest.mark.parametrize(
    "message",
    [
        "Corrupted thought signature.",
        "Thought signature is not valid",
        "Unable to submit request because Invalid thought_signature in part 1.",
    ],
)
def test_a_refused_thought_signature_is_left_out_once(provider: str, message: str) -> None:
    server = Google(answer(SIGNED_CALL), refusal(message), answer())
    one = client(server)
    model = f"{provider}/gemini-3.8-flash"
    first = one.chat.completions.create(model, [HELLO], tools=TOOLS).choices[0].message
    result = {"role": "tool", "tool_call_id": first.tool_calls[0].id, "content": "ok"}

    reply = one.chat.completions.create(model, [HELLO, first, result], tools=TOOLS)

    signatures = [
        part["thoughtSignature"]
        for body in server.bodies[1:]
        for content in body["contents"]
        for part in content["parts"]
        if "thoughtSignature" in part
    ]
    assert signatures == ["c2lnbmVk", "skip_thought_signature_validator"]
    assert reply.extensions.attempts == 2
    (note,) = reply.extensions.metadata["reply_notes"]
    assert note.startswith("reasoning: the provider refused a signature")
    items = reply.extensions.metadata["lossiness"].items
    assert "messages[1]" in [item.path for item in items]


def test_a_second_refusal_is_the_error() -> None:
    refused = refusal("Corrupted thought signature.")
    server = Google(answer(SIGNED_CALL), refused, refused)
    one = client(server)
    model = "gemini/gemini-3.8-flash"
    first = one.chat.completions.create(model, [HELLO], tools=TOOLS).choices[0].message
    result = {"role": "tool", "tool_call_id": first.tool_calls[0].id, "content": "ok"}

    with pytest.raises(specado.InvalidRequestError):
        one.chat.completions.create(model, [HELLO, first, result], tools=TOOLS)

    assert len(server.bodies) == 3


def test_a_signature_of_one_provider_does_not_go_to_the_other() -> None:
    server = Google(answer(SIGNED_CALL))
    one = client(server)
    first = one.chat.completions.create("gemini/gemini-3.8-flash", [HELLO], tools=TOOLS)
    said = first.choices[0].message
    result = {"role": "tool", "tool_call_id": said.tool_calls[0].id, "content": "ok"}

    reply = one.chat.completions.create(
        "vertex/gemini-3.8-flash", [HELLO, said, result], tools=TOOLS
    )

    parts = server.bodies[1]["contents"][1]["parts"]
    assert [part.get("thoughtSignature") for part in parts] == ["skip_thought_signature_validator"]
    assert reply.extensions.metadata["lossiness"].items


# What is stored with one provider


@pytest.mark.parametrize("name", ["cachedContent", "cached_content"])
def test_cached_content_forbids_every_other_candidate(name: str) -> None:
    given = {
        "extra_body": {name: "cachedContents/abc"},
        "fallback_models": ["vertex/gemini-3.8-flash", "openai/gpt-5.6"],
    }

    first, *others = client(Google()).chat.completions.plan(
        "gemini/gemini-3.8-flash", "Hello", **given
    )

    assert first.eligible
    for other in others:
        assert not other.eligible
        assert other.losses is not None
        shown = [(item.path, item.kind, item.severity) for item in other.losses.items]
        assert (f"extra_body.{name}", "contract", "Critical") in shown


def test_cached_content_is_sent_and_its_fallbacks_are_named_as_skipped() -> None:
    server = Google(refusal("high demand", 503, "UNAVAILABLE"))
    given = {
        "extra_body": {"cachedContent": "cachedContents/abc"},
        "fallback_models": ["openai/gpt-5.6"],
    }

    with pytest.raises(specado.OverloadedError):
        ask(server, **given)

    assert server.bodies[0]["cachedContent"] == "cachedContents/abc"
    assert len(server.bodies) == 1


# Prices


def test_thoughts_are_billed_as_output_and_cached_content_at_its_price() -> None:
    created = int(dt.datetime(2026, 11, 30, tzinfo=dt.timezone.utc).timestamp())
    facts = find_model("gemini", "gemini-3.8-flash")
    assert facts is not None
    assert facts.pricing is not None

    reply = ask(Google())

    assert reply.usage.completion_tokens == 200
    rates = facts.pricing.on(dt.datetime.now(dt.timezone.utc).date())
    expected = 600 * rates.input + 400 * rates.cached_input + 200 * rates.output
    assert reply.extensions.metadata["cost"]["usd"] == pytest.approx(expected / 1_000_000)
    assert reply.created >= created


@pytest.mark.parametrize(
    ("model", "day", "prices"),
    [
        ("gemini-3.8-flash", dt.date(2026, 12, 31), (0.75, 3.75, 0.075)),
        ("gemini-3.8-flash", dt.date(2027, 1, 1), (1.5, 7.5, 0.15)),
        ("gemini-4-argon", dt.date(2026, 11, 30), (2.0, 10.0, 0.1)),
        ("gemini-4-argon", dt.date(2026, 12, 1), (4.0, 20.0, 0.2)),
        ("gemini-2.5-pro", dt.date(2026, 12, 1), (1.25, 10.0, 0.125)),
    ],
)
def test_announced_prices_hold_from_their_day(
    model: str, day: dt.date, prices: tuple[float, float, float]
) -> None:
    facts = find_model("gemini", model)
    assert facts is not None
    assert facts.pricing is not None

    found = facts.pricing.on(day)

    assert (found.input, found.output, found.cached_input) == prices


def test_a_long_prompt_is_estimated_at_its_own_price() -> None:
    given = {"model": "gemini/gemini-2.5-pro", "messages": "word " * 200_000}

    (found,) = client(Google()).chat.completions.plan(**given)

    assert found.estimated_tokens is not None
    assert found.estimated_tokens > 200_000
    assert found.estimated_price_usd == pytest.approx(found.estimated_tokens * 2.5e-6)
