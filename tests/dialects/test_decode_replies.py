"""Replies of both dialects: recorded ones, and those that are not quite as documented."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

import specado
from specado._core import decode_anthropic_reply, decode_openai_reply, error_facts
from specado.errors import InvalidRequestError, MalformedResponseError, ModelNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OPENAI: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 5,
    "model": "gpt-4o-2024",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}
ANTHROPIC: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-1",
    "content": [{"type": "text", "text": "Hi"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 2},
}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}


def openai(body: Any) -> tuple[Any, list[str]]:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decode_openai_reply(text, "openai", "asked-for", 7)


def anthropic(body: Any) -> tuple[Any, list[str]]:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decode_anthropic_reply(text, "anthropic", "asked-for", 7)


def changed(reply: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return *reply* with the value at a dotted path replaced; `...` takes the key away."""
    found = copy.deepcopy(reply)
    *steps, last = path.split(".")
    place: Any = found
    for step in steps:
        place = place[int(step)] if isinstance(place, list) else place[step]
    if value is ...:
        del place[last]
    else:
        place[int(last) if isinstance(place, list) else last] = value
    return found


def looked_up(reply: Any, path: str) -> Any:
    for step in path.split("."):
        reply = reply[int(step)] if step.isdigit() else getattr(reply, step)
    return reply


MESSAGE = "choices.0.message"

# (path changed, value, path read, its value, whether a note names it)
OPENAI_MENDED = [
    ("created", 1.0, "created", 1, "created"),
    ("created", 1.9, "created", 1, "created"),
    ("created", ..., "created", 7, "created"),
    ("created", None, "created", 7, "created"),
    ("created", "x", "created", 7, "created"),
    ("created", True, "created", 7, "created"),
    ("id", ..., "id", "", "id"),
    ("id", None, "id", "", "id"),
    ("id", 5, "id", "", "id"),
    ("model", ..., "model", "asked-for", "model"),
    ("model", {}, "model", "asked-for", "model"),
    ("object", ..., "object", "chat.completion", None),
    ("usage", ..., "usage", None, "usage"),
    ("usage", None, "usage", None, "usage"),
    ("usage", "many", "usage", None, "usage"),
    ("usage.prompt_tokens", 1.0, "usage.prompt_tokens", 1, "usage.prompt_tokens"),
    ("usage.prompt_tokens", "1", "usage.prompt_tokens", 1, "usage.prompt_tokens"),
    ("usage.prompt_tokens", None, "usage.prompt_tokens", 0, "usage.prompt_tokens"),
    ("usage.total_tokens", ..., "usage.total_tokens", 3, "usage.total_tokens"),
    ("usage.prompt_tokens_details", {"cached_tokens": 1.0},
     "usage.prompt_tokens_details.cached_tokens", 1, "usage.prompt_tokens_details"),
    ("usage.prompt_tokens_details", [], "usage.prompt_tokens_details", None,
     "usage.prompt_tokens_details"),
    ("usage.completion_tokens", 10**30, "usage.completion_tokens", 10**30, None),
    ("system_fingerprint", 5, "system_fingerprint", None, "system_fingerprint"),
    ("service_tier", [], "service_tier", None, "service_tier"),
    ("choices.0.index", ..., "choices.0.index", 0, "choices[0].index"),
    ("choices.0.index", None, "choices.0.index", 0, "choices[0].index"),
    ("choices.0.index", "x", "choices.0.index", 0, "choices[0].index"),
    ("choices.0.finish_reason", ..., "choices.0.finish_reason", None, "choices[0].finish_reason"),
    ("choices.0.finish_reason", 5, "choices.0.finish_reason", None, "choices[0].finish_reason"),
    ("choices.0.logprobs", [], "choices.0.logprobs", None, "choices[0].logprobs"),
    (f"{MESSAGE}.role", ..., f"{MESSAGE}.role", "assistant", None),
    (f"{MESSAGE}.role", None, f"{MESSAGE}.role", "assistant", None),
    (f"{MESSAGE}.content", None, f"{MESSAGE}.content", None, None),
    (f"{MESSAGE}.content", 5, f"{MESSAGE}.content", None, "choices[0].message.content"),
    (f"{MESSAGE}.content", [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
     f"{MESSAGE}.content", "ab", "choices[0].message.content"),
    (f"{MESSAGE}.refusal", 5, f"{MESSAGE}.refusal", None, "choices[0].message.refusal"),
    (f"{MESSAGE}.annotations", "x", f"{MESSAGE}.annotations", None,
     "choices[0].message.annotations"),
    (f"{MESSAGE}.reasoning_content", "hm", f"{MESSAGE}.reasoning", "hm", None),
    (f"{MESSAGE}.reasoning", "hm", f"{MESSAGE}.reasoning", "hm", None),
    (f"{MESSAGE}.tool_calls", "x", f"{MESSAGE}.tool_calls", None,
     "choices[0].message.tool_calls"),
    (f"{MESSAGE}.tool_calls", [{k: v for k, v in CALL.items() if k != "type"}],
     f"{MESSAGE}.tool_calls.0.type", "function", None),
    (f"{MESSAGE}.tool_calls", [{k: v for k, v in CALL.items() if k != "id"}],
     f"{MESSAGE}.tool_calls.0.type", "function", "choices[0].message.tool_calls[0].id"),
    (f"{MESSAGE}.tool_calls", [{"id": "c", "function": {"name": "f", "arguments": {"a": 10**30}}}],
     f"{MESSAGE}.tool_calls.0.function.arguments", f'{{"a":{10**30}}}',
     "choices[0].message.tool_calls[0].function.arguments"),
    (f"{MESSAGE}.tool_calls", [{"id": "c", "function": {"name": "f"}}],
     f"{MESSAGE}.tool_calls.0.function.arguments", "{}",
     "choices[0].message.tool_calls[0].function.arguments"),
    (f"{MESSAGE}.tool_calls", [{"id": "c", "type": "function"}, CALL],
     f"{MESSAGE}.tool_calls.0.function.name", "f", "choices[0].message.tool_calls[0]"),
    ("zz", {"a": [1, {"b": None}]}, "id", "chatcmpl-1", None),
    (f"{MESSAGE}.zz", 10**30, f"{MESSAGE}.content", "Hi", None),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "read", "expected", "noted"), OPENAI_MENDED)
def test_an_openai_reply_not_quite_as_documented_is_a_reply(
    path: str, value: Any, read: str, expected: Any, noted: str | None
) -> None:
    reply, notes = openai(changed(OPENAI, path, value))

    assert looked_up(reply, read) == expected
    if noted is None:
        assert notes == []
    else:
        assert [note for note in notes if note.startswith(noted)]
        assert len(notes) == len(set(notes))
    json.loads(reply.to_json())


ANTHROPIC_MENDED = [
    ("id", ..., "id", "", "id"),
    ("id", 5, "id", "", "id"),
    ("model", None, "model", "asked-for", "model"),
    ("usage", ..., "usage", None, "usage"),
    ("usage.input_tokens", 1.0, "usage.prompt_tokens", 1, "usage.input_tokens"),
    ("usage.input_tokens", ..., "usage.total_tokens", 2, "usage.input_tokens"),
    ("usage.input_tokens", None, "usage.total_tokens", 2, "usage.input_tokens"),
    ("usage.output_tokens", -3, "usage.completion_tokens", 0, "usage.output_tokens: negative"),
    ("usage", {}, "usage.total_tokens", 0, "usage.output_tokens: missing"),
    ("usage.cache_read_input_tokens", 4, "usage.prompt_tokens", 5, None),
    ("usage.cache_creation_input_tokens", 4, "usage.total_tokens", 7, None),
    ("stop_reason", 5, "choices.0.finish_reason", None, "stop_reason"),
    ("stop_reason", None, "choices.0.finish_reason", None, "stop_reason"),
    ("stop_reason", "max_tokens", "choices.0.finish_reason", "length", None),
    ("stop_reason", "refusal", "choices.0.finish_reason", "content_filter", None),
    ("stop_reason", "pause_turn", "choices.0.finish_reason", "stop", "stop_reason"),
    ("stop_reason", "brand_new", "choices.0.finish_reason", "brand_new", "stop_reason"),
    ("content", [], f"{MESSAGE}.content", None, None),
    ("content.0", {"type": "brand_new", "zz": 1}, f"{MESSAGE}.content", None, "content[0]"),
    ("content", [5, {"type": "text", "text": "Hi"}], f"{MESSAGE}.content", "Hi", "content[0]"),
    ("content.0", {"type": "tool_use", "id": "c", "name": "f", "input": None},
     f"{MESSAGE}.tool_calls.0.function.arguments", "{}", "content[0].input"),
    ("content.0", {"type": "tool_use", "id": "c", "name": "f"},
     f"{MESSAGE}.tool_calls.0.function.arguments", "{}", None),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "read", "expected", "noted"), ANTHROPIC_MENDED)
def test_an_anthropic_reply_not_quite_as_documented_is_a_reply(
    path: str, value: Any, read: str, expected: Any, noted: str | None
) -> None:
    reply, notes = anthropic(changed(ANTHROPIC, path, value))

    assert looked_up(reply, read) == expected
    assert bool(noted) == bool(notes)
    assert not noted or [note for note in notes if note.startswith(noted)]
    json.loads(reply.to_json())


@pytest.mark.parametrize("mangled", ["", ',"id":5'])
def test_a_tools_input_keeps_its_text(mangled: str) -> None:
    text = '{"b": 1,  "a":12345678901234567890123, "c":1.50}'
    block = f'{{"type":"tool_use","id":"c","name":"f","input":{text}}}'
    body = f'{{"content":[{block}]{mangled}}}'

    reply, _ = anthropic(body.encode())

    assert reply.choices[0].message.tool_calls[0].function.arguments == text


DEEP = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
NOT_JSON = {
    "empty": b"",
    "text": b"Bad gateway",
    "HTML": b"<html></html>",
    "cut": json.dumps(OPENAI).encode()[:-9],
    "not UTF-8": b'{"choices":[{"index":0,"message":{"role":"assistant","content":"\xff"}}]}',
    "endless": b"[" * 100_000,
    "deep": b'{"choices":' + DEEP + b',"content":' + DEEP + b"}",
    "two": b"{}{}",
}
NO_CHOICE: dict[str, Any] = {
    "null": None,
    "a list": [],
    "a text": "Hello",
    "nothing": {},
    "null choices": {"choices": None, "content": None},
    "empty choices": {"choices": []},
    "choices an object": {"choices": {}, "content": {}},
    "no message": {"choices": [{"index": 0}], "content": [5]},
    "message null": {"choices": [{"index": 0, "message": None}]},
    "message empty": {"choices": [{"index": 0, "message": {}}]},
}


@pytest.mark.parametrize("decode", [openai, anthropic])
@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
def test_what_is_not_json_is_malformed(decode: Any, body: bytes) -> None:
    with pytest.raises(MalformedResponseError) as caught:
        decode(body)

    assert caught.value.code == "not_json"
    assert error_facts(body) == (None, None, None)


@pytest.mark.parametrize("decode", [openai, anthropic])
@pytest.mark.parametrize("body", NO_CHOICE.values(), ids=NO_CHOICE)
def test_json_without_a_usable_choice_is_malformed(decode: Any, body: Any) -> None:
    with pytest.raises(MalformedResponseError) as caught:
        decode(body)

    assert caught.value.code == "no_choice"


@pytest.mark.parametrize(
    ("inner", "content"),
    [
        (b'"content":"a","zz":1e999', "a"),
        (b'"content":"a","zz":NaN', "a"),
        (b'"content":"a\\ud83d"', "a\ufffd"),
        (b'"content":"x","content":"a"', "a"),
    ],
)
def test_what_only_lenient_decoders_read_is_read(inner: bytes, content: str) -> None:
    body = b'{"id":"i","choices":[{"index":0,"message":{"role":"assistant",%s}}]}' % inner

    reply, _ = openai(body)

    assert reply.choices[0].message.content == content
    assert reply.raw == body
    json.loads(reply.to_json())


def test_usable_choices_are_kept_beside_others() -> None:
    good = OPENAI["choices"][0]
    reply, notes = openai({**OPENAI, "choices": [None, {**good, "index": 1}]})

    assert [choice.index for choice in reply.choices] == [1]
    assert notes == ["choices[0]: no message, left out"]


# What recorded replies have and `to_dict()` has not: it stays in `response.raw`.
BEYOND = {"moderation"}


def recorded(reference: Path, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    with (reference / "recordings" / f"{name}.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            found = json.loads(line)
            if "json" in found["response"]:
                yield found["id"], found["response"]


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: without_nulls(item)
            for name, item in value.items()
            if item is not None and name not in BEYOND
        }
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def test_recorded_openai_replies_come_back_whole(reference: Path) -> None:
    count = 0
    for id_, response in recorded(reference, "openai"):
        if response["status"] != 200:
            continue
        reply, notes = openai(response["json"])
        left = ["moderation: left in response.raw"] if response["json"].get("moderation") else []
        assert (id_, notes) == (id_, left)
        assert without_nulls(reply.to_dict()) == without_nulls(response["json"])
        count += 1
    assert count > 100


def test_recorded_anthropic_replies_are_read(reference: Path) -> None:
    count = 0
    for id_, response in recorded(reference, "anthropic"):
        if response["status"] != 200:
            continue
        given = response["json"]
        message = anthropic(given)[0].choices[0].message
        texts = [block["text"] for block in given["content"] if block["type"] == "text"]
        uses = [block for block in given["content"] if block["type"] == "tool_use"]
        assert (id_, message.text) == (id_, "".join(texts))
        calls = message.tool_calls or []
        assert [(call.id, call.function.name) for call in calls] == [
            (use["id"], use["name"]) for use in uses
        ]
        assert [json.loads(call.function.arguments) for call in calls] == [
            use["input"] for use in uses
        ]
        usage, tokens = anthropic(given)[0].usage, given["usage"]
        assert usage.prompt_tokens == sum(
            tokens.get(name) or 0
            for name in (
                "input_tokens",
                "cache_read_input_tokens",
                "cache_creation_input_tokens",
            )
        )
        assert usage.total_tokens == usage.prompt_tokens + tokens["output_tokens"]
        count += 1
    assert count > 200


@pytest.mark.parametrize("name", ["openai", "anthropic"])
def test_recorded_errors_have_their_class(reference: Path, name: str) -> None:
    expected = {400: InvalidRequestError, 404: ModelNotFoundError}
    errors = [found for found in recorded(reference, name) if found[1]["status"] != 200]

    assert errors
    for id_, response in errors:
        status, body = response["status"], json.dumps(response["json"])
        error = specado.parse_error(status, {}, body, name)
        assert (id_, type(error)) == (id_, expected[status])
        assert error_facts(body.encode())[2]
