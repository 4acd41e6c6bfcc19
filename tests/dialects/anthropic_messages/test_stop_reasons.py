"""Stop reasons in Anthropic's dialect: its own, those of other vendors, and none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import specado
from finish_words import FAILED, READ
from stream_readers import named, read

if TYPE_CHECKING:
    from specado.errors import ProviderError

OWN = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
MEANT = [(word, reason) for reason, words in READ.items() for word in words if word not in OWN]
MEANT += [(word, word) for word in ("stop", "length", "tool_calls", "content_filter")]
NONE = ["", "null", "NONE", "not_finished"]
CALL = {"type": "tool_use", "id": "t1", "name": "f", "input": {}}
HI = {"type": "text", "text": "Hi"}


def whole(*content: Any, **more: Any) -> dict[str, Any]:
    facts = {"id": "m", "type": "message", "role": "assistant", "model": "claude-opus-4-8"}
    usage = {"input_tokens": 1, "output_tokens": 1}
    return {**facts, "content": list(content or [HI]), "usage": usage, **more}


def events(*content: Any, start: Any = None, deltas: Any = ({},)) -> bytes:
    """Return a stream with a `message_delta` for each of *deltas*."""
    message = {**whole(), "content": [], "stop_reason": start}
    found: list[Any] = [{"type": "message_start", "message": message}]
    for index, block in enumerate(content or [HI]):
        found.append({"type": "content_block_start", "index": index, "content_block": block})
        found.append({"type": "content_block_stop", "index": index})
    found += [{"type": "message_delta", "delta": delta} for delta in deltas]
    return named(*found, {"type": "message_stop"})


def parsed(body: Any) -> Any:
    return specado.parse_response(body, "anthropic")


def finish_of(chunks: Any) -> list[str]:
    return [each.choices[0].finish_reason for each in chunks if each.choices[0].finish_reason]


@pytest.mark.parametrize(("word", "reason"), OWN.items())
def test_each_documented_stop_reason_is_openais_word(word: str, reason: str) -> None:
    reply = parsed(whole(stop_reason=word))
    stream, chunks = read("anthropic", events(deltas=[{"stop_reason": word}]))

    assert reply.choices[0].finish_reason == reason
    assert stream.response()[0].choices[0].finish_reason == reason
    assert finish_of(chunks) == [reason]
    assert not any("is not known" in note for note in stream.response()[1])


@pytest.mark.parametrize(("word", "reason"), MEANT)
def test_each_vendors_stop_reason_is_read_as_openais_with_a_note(word: str, reason: str) -> None:
    reply = parsed(whole(stop_reason=word))
    stream, chunks = read("anthropic", events(deltas=[{"stop_reason": word}]))
    streamed, notes = stream.response()

    note = f"stop_reason: {word!r}, read as {reason!r}"
    assert reply.choices[0].finish_reason == reason
    assert reply.extensions.metadata["reply_notes"] == [note]
    assert streamed.choices[0].finish_reason == reason
    assert finish_of(chunks) == [reason]
    assert note in notes


@pytest.mark.parametrize(("word", "kind"), FAILED)
@pytest.mark.parametrize("place", ["start", "delta"])
def test_a_stop_reason_of_a_failure_is_an_error(
    word: str, kind: type[ProviderError], place: str
) -> None:
    given = {"start": word} if place == "start" else {"deltas": [{"stop_reason": word}]}
    stream, chunks = read("anthropic", events(**given))

    with pytest.raises(kind) as caught:
        parsed(whole(stop_reason=word))
    assert repr(word) in str(caught.value)
    assert type(specado.parse_error(200, {}, stream.failure, "anthropic")) is kind
    assert finish_of(chunks) == []
    assert not stream.is_over
    assert stream.response()[0].choices[0].finish_reason is None


@pytest.mark.parametrize("word", ["zzz", "OTHER"])
def test_a_stop_reason_that_nobody_defines_is_kept_and_noted(word: str) -> None:
    reply = parsed(whole(stop_reason=word))
    stream, chunks = read("anthropic", events(deltas=[{"stop_reason": word}]))

    note = f"stop_reason: {word!r} is not known, kept as it is"
    assert reply.to_dict()["choices"][0]["finish_reason"] == word
    assert reply.extensions.metadata["reply_notes"] == [note]
    assert finish_of(chunks) == [word]
    assert note in stream.response()[1]


@pytest.mark.parametrize("given", [{}, {"stop_reason": None}])
def test_a_missing_stop_reason_is_noted_and_never_stop(given: Any) -> None:
    reply = parsed(whole(**given))
    stream, chunks = read("anthropic", events(deltas=[given]))
    streamed, notes = stream.response()

    assert reply.to_dict()["choices"][0]["finish_reason"] is None
    assert reply.extensions.metadata["reply_notes"] == ["stop_reason: missing"]
    assert streamed.choices[0].finish_reason is None
    assert finish_of(chunks) == []
    assert notes == ["stop_reason: missing"]


@pytest.mark.parametrize("word", NONE)
def test_a_word_for_no_stop_reason_does_not_end_the_answer(word: str) -> None:
    reply = parsed(whole(stop_reason=word))
    ends = [{"stop_reason": word}, {"stop_reason": "max_tokens"}]
    stream, chunks = read("anthropic", events(deltas=ends))

    assert reply.choices[0].finish_reason is None
    assert reply.extensions.metadata["reply_notes"] == [f"stop_reason: {word!r}, read as None"]
    assert finish_of(chunks) == ["length"]
    assert stream.response()[0].choices[0].finish_reason == "length"


def test_the_part_of_an_interrupted_answer_has_no_note_on_its_stop_reason() -> None:
    begun = events().split(b"event: message_delta")[0]

    assert read("anthropic", begun)[0].response()[1] == []


@pytest.mark.parametrize("is_compatible", [True, False])
@pytest.mark.parametrize("word", ["end_turn", "stop"])
def test_a_stop_beside_tool_calls_is_read_in_streams_too(word: str, is_compatible: bool) -> None:
    data = events(CALL, deltas=[{"stop_reason": word}])
    stream, chunks = read("anthropic", data, stop_means_calls=is_compatible)
    reply, notes = stream.response()

    finish = "tool_calls" if is_compatible else "stop"
    note = "choices[0].finish_reason: 'stop' beside tool calls, read as 'tool_calls'"
    assert finish_of(chunks) == [finish]
    assert reply.choices[0].finish_reason == finish
    assert (note in notes) is is_compatible
