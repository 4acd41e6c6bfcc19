"""Recorded replies and streams, encoded again; skipped where there are none."""

from __future__ import annotations

import json

import pytest

import official
import reference_streams
from reference_files import require_reference
from specado._core import (
    AnthropicStreamEncoder,
    OpenAIStreamEncoder,
    decode_anthropic_reply,
    decode_openai_reply,
    encode_anthropic_reply,
    encode_openai_reply,
)
from stream_readers import read

FOLDER = require_reference() / "recordings"
DECODE = {"openai": decode_openai_reply, "anthropic": decode_anthropic_reply}
ENCODE = {"openai": encode_openai_reply, "anthropic": encode_anthropic_reply}
ENCODERS = {
    "openai": lambda: OpenAIStreamEncoder(include_usage=True),
    "anthropic": AnthropicStreamEncoder,
}


def recorded(kind):
    rows = [
        (provider, json.loads(line))
        for provider in DECODE
        for line in (FOLDER / f"{provider}.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    return [
        pytest.param(provider, row["response"][kind], id=f"{provider}-{row['id']}")
        for provider, row in rows
        if kind in row["response"] and row["response"]["status"] == 200
    ]


def without_body(found):
    reply, _ = found
    reply.raw = b""
    return reply


def comparable(reply):
    """Return a reply as what it says: a count that is zero may be left out.

    What a provider bills beside tokens is not in the canonical form, only that there is some.
    """
    reply.usage_certainty = "exact"
    usage = reply.usage
    for name in ("prompt_tokens_details", "completion_tokens_details"):
        details = None if usage is None else getattr(usage, name)
        if details is not None and not any(
            getattr(details, each) for each in details.__struct_fields__
        ):
            setattr(usage, name, None)
    return reply


@pytest.mark.parametrize("other", DECODE)
@pytest.mark.parametrize(("provider", "given"), recorded("json"))
def test_a_reply_is_read_alike_and_valid(provider, given, other):
    reply = without_body(DECODE[provider](json.dumps(given).encode(), "p", "m", 7))

    body, losses = ENCODE[other](reply)
    again = without_body(DECODE[other](body, "p", "m", 7))

    lossy = {"reply.created", "reply.fingerprint", "reply.usage", "reply.service_tier"}
    if other == provider:
        assert comparable(again) == comparable(reply)
        assert {row for row, *_ in losses} <= {"reply.created", "reply.usage"}
    else:
        assert again.choices[0].message.text == reply.choices[0].message.text
        assert {row for row, *_ in losses} - lossy <= {
            "reply.annotations",
            "reply.custom_call",
            "reply.logprobs",
            "reply.reasoning_unsigned",
            "reply.refusal",
            "reply.tool_use",
        }
    problems = official.problems(f"{other}-response", body)
    assert [each for each in problems if "reasoning" not in each] == []


@pytest.mark.parametrize(("provider", "given"), recorded("sse"))
def test_a_stream_is_read_alike(provider, given):
    stream, chunks = read(provider, given.encode(), include_usage=True)
    encoder = ENCODERS[provider]()

    data = b"".join([encoder.encode(each) for each in chunks]) + encoder.finish()
    again, _ = read(provider, data, include_usage=True)

    expected, found = stream.response()[0], again.response()[0]
    assert again.is_over
    assert found.choices == expected.choices
    assert comparable(found).usage == comparable(expected).usage


@pytest.mark.parametrize(("provider", "given"), recorded("sse"))
def test_a_stream_in_the_other_dialect_says_the_same(provider, given):
    other = "anthropic" if provider == "openai" else "openai"
    stream, chunks = read(provider, given.encode(), include_usage=True)
    encoder = ENCODERS[other]()

    data = b"".join([encoder.encode(each) for each in chunks]) + encoder.finish()
    again, _ = read(other, data, include_usage=True)

    expected, found = stream.response()[0].choices[0], again.response()[0].choices[0]
    frames = [frame for _, frame in reference_streams.frames(data)]
    assert again.is_over
    assert len(frames) >= 2
    assert found.message.text == expected.message.text + (expected.message.refusal or "")
    assert found.message.reasoning == expected.message.reasoning
    assert [(call.id, call.function) for call in found.message.tool_calls or ()] == [
        (call.id, call.function) for call in expected.message.tool_calls or ()
    ]
