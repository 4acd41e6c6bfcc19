"""Recorded streams: the same frames, chunks and reply at every cut; skipped where there are none.

The reply is held against what the official packages add the stream up to.
"""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionChunk

import reference_streams
from reference_files import require_reference
from specado._core import FrameDecoder, decode_anthropic_reply, decode_openai_reply
from stream_readers import calls, cut, joined, read

FOLDER = require_reference() / "recordings"


def recorded():
    rows = [
        (provider, json.loads(line))
        for provider in ("openai", "anthropic")
        for line in (FOLDER / f"{provider}.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    return [
        pytest.param(provider, row["response"]["sse"].encode(), id=f"{provider}-{row['id']}")
        for provider, row in rows
        if "sse" in row["response"]
    ]


RECORDED = recorded()
DECODE = {"openai": decode_openai_reply, "anthropic": decode_anthropic_reply}
TWIN = {
    "openai": reference_streams.openai_reply,
    "anthropic": reference_streams.anthropic_reply,
}


def frames_of(pieces):
    decoder = FrameDecoder(1 << 20)
    return [frame for piece in pieces for frame in decoder.feed(piece)] + decoder.finish()


def comparable(reply):
    """Return a reply with tool calls' arguments in one form: a twin has only their values."""
    found = copy.deepcopy(reply)
    for choice in found.choices:
        for call in choice.message.tool_calls or ():
            call.function.arguments = json.dumps(json.loads(call.function.arguments or "{}"))
    return found


@pytest.mark.parametrize(("provider", "data"), RECORDED)
def test_every_cut_in_two_gives_the_same_frames(provider, data):
    expected = reference_streams.frames(data)

    assert frames_of([data]) == expected
    assert frames_of([data[i : i + 1] for i in range(len(data))]) == expected
    step = max(1, len(data) // 4000)
    for place in range(0, len(data), step):
        assert frames_of([data[:place], data[place:]]) == expected


@pytest.mark.parametrize("ending", [b"\r\n", b"\r"])
@pytest.mark.parametrize(("provider", "data"), RECORDED)
def test_other_line_ends_give_the_same_frames(provider, data, ending):
    assert frames_of([data.replace(b"\n", ending)]) == reference_streams.frames(data)


@pytest.mark.parametrize(("provider", "data"), RECORDED)
def test_any_cut_gives_the_same_chunks_and_reply(provider, data):
    stream, expected = read(provider, data, include_usage=True)
    reply = stream.response()
    step = max(1, len(data) // 250)

    assert stream.is_over
    for pieces in [
        [data[i : i + 1] for i in range(len(data))],
        *([data[:place], data[place:]] for place in range(0, len(data), step)),
    ]:
        other, chunks = read(provider, pieces, include_usage=True)
        assert chunks == expected
        assert other.response() == reply


@given(st.data())
def test_random_cuts_give_the_same_chunks(draw):
    provider, data = draw.draw(st.sampled_from([param.values for param in RECORDED]))
    places = draw.draw(st.lists(st.integers(0, len(data)), max_size=20))

    assert read(provider, cut(data, places))[1] == read(provider, data)[1]


@pytest.mark.parametrize(("provider", "data"), RECORDED)
def test_the_reply_is_what_the_official_package_adds_the_stream_up_to(provider, data):
    stream, _ = read(provider, data)
    body = TWIN[provider](data)
    expected, notes = DECODE[provider](body, provider, "asked-for", 7)
    expected.raw = b""

    reply, own_notes = stream.response()

    assert comparable(reply) == comparable(expected)
    assert own_notes == [note.replace("in response.raw", "out of the stream") for note in notes]


@pytest.mark.parametrize(("provider", "data"), RECORDED)
def test_the_chunks_add_up_to_the_reply(provider, data):
    stream, chunks = read(provider, data, include_usage=True)
    (choice,) = stream.response()[0].choices
    message = choice.message

    assert joined(chunks, "content") == (message.content or "")
    assert joined(chunks, "reasoning") == (message.reasoning or "")
    assert calls(chunks) == {
        place: [call.id, call.function.name, call.function.arguments]
        for place, call in enumerate(message.tool_calls or ())
    }
    details = [
        block
        for chunk in chunks
        for piece in chunk.choices
        for block in piece.delta.reasoning_details or ()
    ]
    assert details == (message.reasoning_details or [])
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == (
        choice.finish_reason
    )


@pytest.mark.parametrize(("provider", "data"), RECORDED)
def test_every_chunk_is_one_of_openais(provider, data):
    _, chunks = read(provider, data, include_usage=True)
    whole, _ = read(provider, data)

    for chunk in chunks:
        found = ChatCompletionChunk.model_validate_json(chunk.to_json(), strict=True)
        assert found.model_dump(exclude_unset=True) == chunk.to_dict()
    assert len({(chunk.id, chunk.model, chunk.created) for chunk in chunks}) == 1
    assert all(chunk.usage is None for chunk in read(provider, data)[1])
    if whole.response()[0].usage is not None:
        assert [chunk.usage for chunk in chunks if not chunk.choices] == [whole.response()[0].usage]
