"""An answer of Bedrock goes back as it came: its blocks, its signatures, the caller's edits."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from msgspec.structs import replace

from bedrock_facts import OWN, Sent, send
from bedrock_frames import event, reply_stream
from specado import FunctionCall, Message, ToolCall
from specado._core import BedrockStream, decode_bedrock_reply, normalize
from specado.dialects.contract import Target
from specado.dialects.registry import encode

CLAUDE, SAME = "us.anthropic.claude-a-v1:0", "eu.anthropic.claude-a-v1:0"
USER = {"role": "user", "content": "Hello"}
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
WEB = {"title": "A", "location": {"web": {"url": "https://a.example"}}}


def text(words: str) -> dict[str, Any]:
    return {"text": words}


def thought(words: str, **more: Any) -> dict[str, Any]:
    return {"reasoningContent": {"reasoningText": {"text": words, **more}}}


def call(q: int = 1, id_: str = "t1") -> dict[str, Any]:
    return {"toolUse": {"toolUseId": id_, "name": "f", "input": {"q": q}}}


SIGNED = [thought("hm", signature="s1"), text("Let me see"), call(1, "t1"), call(2, "t2")]
HIDDEN = {"reasoningContent": {"redactedContent": "AAAA"}}
CITED = {"citationsContent": {"content": [text("cited")], "citations": [WEB]}}
SERVER = {"toolUse": {"toolUseId": "s", "name": "code", "input": {}, "type": "server_tool_use"}}
ANSWERS = {
    "calls": SIGNED,
    "reasoning without a signature": [thought("hm"), text("Hi")],
    "encrypted reasoning": [HIDDEN, text("Hi"), call()],
    "a signature alone": [thought("", signature="s1"), text("Hi")],
    "reasoning between texts": [text("a"), thought("hm", signature="s1"), text("b")],
    "text after calls": [call(), text("Done")],
    "citations": [text("It is "), CITED, text(".")],
    "server tools": [
        SERVER, {"toolResult": {"toolUseId": "s", "content": [{"json": {"a": 1}}]}}, text("Hi"),
    ],
}  # fmt: skip
EACH_ANSWER = pytest.mark.parametrize("blocks", ANSWERS.values(), ids=list(ANSWERS))


def tagged(reply: Any, tag: str = "tag") -> Message:
    message: Message = reply.choices[0].message
    if message.native is not None:
        message.native = replace(message.native, tag=tag)
    return message


def said(*blocks: Any, model: str = CLAUDE, tag: str = "tag") -> Message:
    """Return the message of a whole reply."""
    body = {"output": {"message": {"role": "assistant", "content": list(blocks)}},
            "stopReason": "end_turn"}  # fmt: skip
    reply, _ = decode_bedrock_reply(json.dumps(body).encode(), "bedrock", model, 1)
    return tagged(reply, tag)


def streamed(*blocks: Any) -> Message:
    """Return the message of a stream of these blocks."""
    events = []
    for place, block in enumerate(blocks):
        [(kind, given)] = block.items()
        if kind in ("toolUse", "toolResult"):
            begun = {name: value for name, value in given.items() if name not in (
                "input", "content")}  # fmt: skip
            events.append(event("contentBlockStart", contentBlockIndex=place, start={kind: begun}))
        events += [
            event("contentBlockDelta", contentBlockIndex=place, delta=delta)
            for delta in deltas_of(kind, given)
        ]
        events.append(event("contentBlockStop", contentBlockIndex=place))
    stream = BedrockStream("bedrock", CLAUDE, 1, max_frame_bytes=10**6, max_reply_bytes=10**6)
    stream.feed(reply_stream(*events))
    assert stream.is_over
    return tagged(stream.response()[0])


def deltas_of(kind: str, given: Any) -> list[Any]:
    """Return the pieces in which a block comes."""
    if kind == "text":
        return [{"text": given}]
    if kind == "toolUse":
        return [{"toolUse": {"input": json.dumps(given["input"])}}]
    if kind == "toolResult":
        return [{"toolResult": given["content"]}]
    if kind == "citationsContent":
        return [*given["content"], *[{"citation": each} for each in given["citations"]]]
    if "redactedContent" in given:
        return [{"reasoningContent": given}]
    return [{"reasoningContent": {name: value}} for name, value in given["reasoningText"].items()]


def results(message: Message) -> list[Any]:
    return [
        {"role": "tool", "tool_call_id": each.id, "content": "done"}
        for each in message.tool_calls or ()
    ]


def sent(message: Any, *after: Any, model: str = CLAUDE, **options: Any) -> Sent:
    return send(USER, message, *after, model=model, tools=TOOLS, **options)


def blocks_of(found: Sent) -> list[Any]:
    return list(found.messages[1]["content"])


def stored(message: Message) -> Any:
    return json.loads(json.dumps(message.to_dict(native=True)))


@pytest.mark.parametrize(
    "form",
    [lambda m: m, stored, lambda m: Message(**stored(m)), copy.deepcopy],
    ids=["itself", "stored", "read back", "copied"],
)
@pytest.mark.parametrize("read", [said, streamed])
@EACH_ANSWER
def test_an_answer_goes_back_as_it_came(blocks: Any, read: Any, form: Any) -> None:
    message = read(*blocks)

    found = sent(form(message), *(results(message) or [USER]))

    assert blocks_of(found) == blocks
    assert [loss for loss in found.losses if "messages[1]" in loss[1]] == (
        [("message.annotations", "messages[1].annotations")] if CITED in blocks else []
    )


def test_plain_answers_need_no_record() -> None:
    assert said(text("Hello")).native is None
    assert said(text("Hello"), call()).native is None
    assert said(text(""), call()).native is None


def test_a_profile_of_another_region_is_the_same_model() -> None:
    message = said(*SIGNED)

    assert blocks_of(sent(message, *results(message), model=SAME)) == SIGNED


@pytest.mark.parametrize(
    ("options", "row"),
    [
        ({"model": "us.anthropic.claude-b-v1:0"}, "reasoning.foreign"),
        ({"target": Target("bedrock", "elsewhere", frozenset())}, "reasoning.endpoint"),
        ({"target": Target("other", "tag", frozenset())}, "reasoning.endpoint"),
        ({"target": None}, "reasoning.endpoint"),
    ],
)
def test_reasoning_goes_only_to_its_model_and_provider(options: Any, row: str) -> None:
    message = said(*SIGNED)

    found = sent(message, *results(message), **options)

    assert blocks_of(found) == SIGNED[1:]
    assert (row, "messages[1].reasoning_details[0]") in found.losses


def test_reasoning_without_a_signature_goes_only_with_its_record() -> None:
    message = said(thought("hm"), text("Hi"))
    message.native = None

    found = sent(message, USER)

    assert blocks_of(found) == [text("Hi")]
    assert ("reasoning.unsigned", "messages[1].reasoning_details[0]") in found.losses


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        (
            {"type": "thinking", "text": "hm", "signature": "s", "model": CLAUDE},
            [thought("hm", signature="s")],
        ),
        ({"type": "redacted_thinking", "data": "AAAA", "model": SAME}, [HIDDEN]),
        ({"type": "thinking", "text": "hm", "signature": "s", "model": "claude-opus-4-5"}, []),
        ({"type": "thinking", "text": "hm", "signature": "s"}, []),
    ],
)
def test_reasoning_details_are_sent_to_the_model_that_wrote_them(
    details: Any, expected: Any
) -> None:
    found = sent({"role": "assistant", "content": "Hi", "reasoning_details": [details]}, USER)

    assert blocks_of(found) == [*expected, text("Hi")]
    assert len(found.losses) == (0 if expected else 1)


# Edits


def test_text_that_was_changed_is_written_as_it_is_now() -> None:
    message = said(*SIGNED)
    message.content = "Goodbye"

    found = sent(message, *results(message))

    assert blocks_of(found) == [SIGNED[0], text("Goodbye"), *SIGNED[2:]]


def test_what_was_removed_never_goes_back() -> None:
    hidden = thought("secret1", signature="s1")
    message = said(hidden, text("secret2"), call(1, "t1"), call(7, "t2"))
    message.content = message.reasoning = message.reasoning_details = None
    del message.tool_calls[1]

    found = sent(message, *results(message))

    assert blocks_of(found) == [call(1, "t1")]
    assert "secret" not in json.dumps(stored(message))


def test_a_changed_call_is_written_as_it_is_now() -> None:
    message = said(*SIGNED)
    message.tool_calls[0].function.arguments = '{"q": 5}'
    message.tool_calls.append(ToolCall("mine", FunctionCall("f", '{"q":9}')))

    found = sent(message, *results(message))

    assert blocks_of(found) == [*SIGNED[:2], call(5, "t1"), SIGNED[3], call(9, "mine")]


def test_text_with_citations_that_was_changed_goes_without_them() -> None:
    message = said(text("It is "), CITED)
    message.content = "It is new"

    found = sent(message, USER)

    assert blocks_of(found) == [text("It is "), text("new")]


def test_edited_reasoning_is_left_out() -> None:
    message = said(*SIGNED)
    message.reasoning_details[0].text = "other"

    found = sent(message, *results(message))

    assert blocks_of(found) == SIGNED[1:]
    assert ("reasoning.edited", "messages[1].reasoning_details") in found.losses


def test_content_parts_take_the_place_of_the_text() -> None:
    message = said(*SIGNED)
    message.content = [{"type": "text", "text": "Let me see", "cache_control": {
        "type": "ephemeral"}}]  # fmt: skip

    found = sent(message, *results(message))

    assert blocks_of(found)[1:3] == [text("Let me see"), {"cachePoint": {"type": "default"}}]


def test_a_renamed_tool_goes_back_by_its_written_name() -> None:
    first = send(USER, tools=[{"type": "function", "function": {"name": "$READ"}}])
    [(name, given)] = (first.encoded.tool_names or {}).items()
    message = said(thought("hm", signature="s"), {
        "toolUse": {"toolUseId": "t", "name": name, "input": {}}})  # fmt: skip
    message.tool_calls[0].function.name = given

    found = send(USER, message, *results(message), model=CLAUDE, tools=[
        {"type": "function", "function": {"name": "$READ"}}])  # fmt: skip

    assert given == "$READ"
    assert blocks_of(found)[1] == {"toolUse": {"toolUseId": "t", "name": name, "input": {}}}


# Stored records


@pytest.mark.parametrize(
    "blocks",
    [
        [{}], [{"text": 5}], [{"text": "a", "image": {}}], [{"image": {}}], [{"cachePoint": {}}],
        [{"toolUse": {"toolUseId": "t", "name": "f"}}],
        [{"toolUse": {"toolUseId": "t", "name": "f", "input": [1]}}],
        [{"toolUse": {"toolUseId": "", "name": "f", "input": {}}}],
        [{"reasoningContent": {}}], [{"reasoningContent": {"reasoningText": {"signature": "a"}}}],
        [{"citationsContent": {"citations": []}}], [{"guardContent": {}}],
    ],
)  # fmt: skip
def test_a_stored_record_that_is_no_answer_is_ignored(blocks: Any) -> None:
    entry = {"type": "specado.native", "version": 1, "dialect": "bedrock_converse",
             "provider": "bedrock", "tag": "tag", "model": CLAUDE, "blocks": blocks}  # fmt: skip
    message = {"role": "assistant", "content": "Hi", "reasoning_details": [entry]}

    found = sent(message, USER)

    assert blocks_of(found) == [text("Hi")]
    assert ("native.unusable", "messages[1].reasoning_details[0]") in found.losses


def test_the_repeat_after_a_refused_signature_has_none() -> None:
    message = said(*SIGNED)
    conversation = normalize([USER, message, *results(message)])

    plain = conversation.without_signed()

    body = json.loads(encode("bedrock_converse", plain, CLAUDE, {}, None, target=OWN).body)
    assert body["messages"][1]["content"] == SIGNED[1:]
    assert conversation.native_dialect() == "bedrock_converse"
