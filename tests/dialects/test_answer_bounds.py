"""Answers held to the bounds of their schema, which providers do not enforce."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

import sockets
import specado
from example_inputs import KEYS
from played_calls import call, drive, ok
from played_streams import CALLERS, EVENT_STREAM, USAGE, chunk, client, play, reply_json, streamed
from specado.errors import StreamInterruptedError
from stream_readers import named, sse

SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 3},
        "ages": {"type": "array", "items": {"type": "integer", "minimum": 0}},
    },
    "required": ["name", "ages"],
    "additionalProperties": False,
}
BAD = '{"name": "A😀", "ages": [1, -1]}'
GOOD = '{"name": "Ada", "ages": [1]}'
NOTES = [
    "choices[0].message.content: name breaks minLength: 3",
    "choices[0].message.content: ages[1] breaks minimum: 0",
]
NATIVE = "claude-opus-4-5"
EMULATED = "a-model-of-tomorrow"  # not known to enforce a schema: it gets a forced tool


def answer_format(schema: Any = SCHEMA, strict: Any = True) -> dict[str, Any]:
    inner = {"name": "person", "schema": schema, "strict": strict}
    return {"type": "json_schema", "json_schema": inner}


def anthropic_block(text: str, model: str) -> dict[str, Any]:
    if model == NATIVE:
        return {"type": "text", "text": text}
    use = {"type": "tool_use", "id": "toolu_1", "name": "structured_output"}
    return {**use, "input": json.loads(text)}


def anthropic_message(model: str, content: list[Any], stop: Any) -> dict[str, Any]:
    usage = {"input_tokens": 3, "output_tokens": 2}
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": model,
            "content": content, "stop_reason": stop, "stop_sequence": None,
            "usage": usage}  # fmt: skip


def anthropic_events(text: str, model: str) -> bytes:
    block = anthropic_block(text, model)
    if model == NATIVE:
        begun = {**block, "text": ""}
        deltas = [{"type": "text_delta", "text": part} for part in (text[:9], text[9:])]
    else:
        begun = {**block, "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": text}]
    stop = "end_turn" if model == NATIVE else "tool_use"
    return named(
        {"type": "message_start", "message": anthropic_message(model, [], None)},
        {"type": "content_block_start", "index": 0, "content_block": begun},
        *[{"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas],
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None},
         "usage": {"output_tokens": 2}},
        {"type": "message_stop"},
    )  # fmt: skip


def openai_events(text: str) -> bytes:
    return sse(
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": text[:9]}),
        chunk({"content": text[9:]}),
        chunk({}, "stop"),
        {**chunk({}), "choices": [], "usage": USAGE},
    )


def staged(model: str, text: str, *, stream: bool) -> bytes:
    """Return the reply of a model's provider that answers *text*."""
    if model == "gpt-4.1":
        if stream:
            return streamed(openai_events(text))
        return sockets.reply(reply_json(content=text), headers="Content-Type: application/json\r\n")
    if stream:
        return sockets.chunked(anthropic_events(text, model), headers=EVENT_STREAM)
    stop = "end_turn" if model == NATIVE else "tool_use"
    body = anthropic_message(model, [anthropic_block(text, model)], stop)
    return sockets.reply(json.dumps(body).encode(), headers="Content-Type: application/json\r\n")


def client_of(model: str, url: str, **config: Any) -> specado.Client:
    if model == "gpt-4.1":
        return client(url, **config)
    provider = {"anthropic": {"api_key": "sk-test-key-two", "base_url": url}}
    return specado.Client(
        {"simulate": False, "primary_provider": "anthropic", "enable_fallback": False,
         "max_retries": 0, "providers": provider, **config}
    )  # fmt: skip


def asked(model: str, text: str, caller: str, *, stream: bool, **given: Any) -> Any:
    """Return the reply to a call whose provider answers *text*."""
    with sockets.ScriptedServer(sockets.answers(staged(model, text, stream=stream))) as server:
        found = client_of(model, server.url)
        if stream:
            return play(found, caller, model, "Who?", **given).stream.response()
        given = {"max_tokens": 200, **given}
        if caller == "sync":
            return found.chat.completions.create(model, "Who?", **given)
        return asyncio.run(found.chat.completions.create_async(model, "Who?", **given))


def notes_of(response: Any) -> Any:
    return response.extensions.metadata.get("reply_notes")


EACH_CALLER = pytest.mark.parametrize("caller", CALLERS)
EACH_WAY = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
EACH_MODEL = pytest.mark.parametrize("model", ["gpt-4.1", NATIVE, EMULATED])


@EACH_CALLER
@EACH_WAY
@EACH_MODEL
def test_an_answer_that_breaks_a_bound_says_so(model: str, stream: bool, caller: str) -> None:
    found = asked(model, BAD, caller, stream=stream, response_format=answer_format())

    assert json.loads(found.choices[0].message.content) == json.loads(BAD)
    assert found.choices[0].finish_reason == "stop"
    assert notes_of(found) == NOTES
    certainty = "unknown" if model == EMULATED else "exact"
    assert found.extensions.metadata["cost"]["certainty"] == certainty


@EACH_WAY
@EACH_MODEL
def test_an_answer_within_its_bounds_says_nothing(model: str, stream: bool) -> None:
    found = asked(model, GOOD, "sync", stream=stream, response_format=answer_format())

    assert notes_of(found) is None


@pytest.mark.parametrize("strict", [True, False, None])
@pytest.mark.parametrize("strictness", ["strict", "warn", "coerce"])
@pytest.mark.parametrize("model", ["gpt-4.1", NATIVE])
def test_under_every_strictness_a_call_goes_to_its_model_and_is_checked(
    model: str, strictness: str, strict: Any
) -> None:
    wanted = answer_format(strict=strict)

    found = asked(
        model, BAD, "sync", stream=False, response_format=wanted, strictness=strictness
    )  # fmt: skip

    assert notes_of(found) == NOTES
    assert found.extensions.metadata.get("skipped") is None
    assert found.extensions.metadata.get("lossiness") is None


def test_a_bound_makes_no_candidate_less_eligible_and_none_weigh_more() -> None:
    plain = {**SCHEMA, "properties": {"name": {"type": "string"}, "ages": {"type": "null"}}}
    found = specado.Client(KEYS).chat.completions

    for strictness in ("strict", "warn", "coerce"):
        plans = [
            found.plan("gpt-4.1", "Who?", response_format=answer_format(each), max_tokens=9,
                       strictness=strictness)
            for each in (plain, SCHEMA)
        ]  # fmt: skip
        seen = [[(one.provider, one.model, one.eligible) for one in plan] for plan in plans]
        assert seen[0] == seen[1]
        assert [one.losses.severity for one in plans[1]] == [
            one.losses.severity for one in plans[0]
        ]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, NOTES),
        ({"finish_reason": "length"}, None),
        ({"finish_reason": "tool_calls"}, None),
        ({"finish_reason": "content_filter"}, None),
        ({"message": {"role": "assistant", "content": BAD, "refusal": "No."}}, None),
        ({"message": {"role": "assistant", "content": None}}, None),
        ({"message": {"role": "assistant", "content": "Sorry, I cannot."}}, None),
        ({"message": {"role": "assistant", "content": '{"name": 1, "ages": []}'}}, None),
    ],
)
def test_only_an_answer_that_is_complete_and_json_is_checked(more: Any, expected: Any) -> None:
    found = drive(call(response_format=answer_format()), [ok(BAD, **more)])

    assert notes_of(found) == expected


@pytest.mark.parametrize(
    "wanted",
    [
        {"type": "text"},
        {"type": "json_object"},
        {"type": "json_object", "json_schema": {"name": "a", "schema": SCHEMA}},
        {"type": "json_schema", "json_schema": {"name": "a"}},
        {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}},
    ],
)
def test_without_a_bound_nothing_is_checked(wanted: Any) -> None:
    assert notes_of(drive(call(response_format=wanted), [ok(BAD)])) is None


def test_each_choice_is_checked() -> None:
    reply = ok(BAD)
    body = json.loads(reply.body)
    first = body["choices"][0]
    good = {**first, "index": 1, "message": {"role": "assistant", "content": GOOD}}
    third = {**first, "index": 2}
    body["choices"] = [first, good, third]

    one = call(response_format=answer_format(), n=3)
    found = drive(one, [type(reply)(200, {}, json.dumps(body).encode())])

    assert notes_of(found) == [*NOTES, *[note.replace("[0]", "[2]", 1) for note in NOTES]]


def test_notes_of_bounds_come_after_the_others() -> None:
    body = json.loads(ok(BAD).body)
    body["moderation"] = {"flagged": False}

    found = drive(
        call(response_format=answer_format()),
        [type(ok())(200, {}, json.dumps(body).encode())],
    )

    assert notes_of(found) == ["moderation: left in response.raw", *NOTES]


def test_the_answer_of_a_fallback_is_checked_too() -> None:
    text = json.dumps(anthropic_message(NATIVE, [{"type": "text", "text": BAD}], "end_turn"))
    failed = type(ok())(500, {"x-should-retry": "false"}, b"{}")

    found = drive(
        call(response_format=answer_format(), max_retries=0, fallback_models=[NATIVE]),
        [failed, type(ok())(200, {}, text.encode())],
    )

    assert found.extensions.fallback_triggered
    assert notes_of(found) == NOTES


def test_a_schema_that_extra_body_replaces_is_not_the_answers() -> None:
    one = call(
        response_format=answer_format(), extra_body={"response_format": {"type": "json_object"}}
    )

    assert notes_of(drive(one, [ok(BAD)])) is None


def test_the_schema_is_that_of_the_call_whatever_becomes_of_the_callers_own() -> None:
    schema = json.loads(json.dumps(SCHEMA))
    one = call(response_format=answer_format(schema))

    schema["properties"]["name"]["minLength"] = 1

    assert notes_of(drive(one, [ok(BAD)])) == NOTES


def test_a_whole_reply_in_place_of_a_stream_is_checked() -> None:
    reply = sockets.reply(reply_json(content=BAD), headers="Content-Type: application/json\r\n")
    with sockets.ScriptedServer(sockets.answers(reply)) as server:
        played = play(client(server.url), "sync", response_format=answer_format())

    assert notes_of(played.stream) == [
        "stream: the provider answered with a whole reply",
        *NOTES,
    ]


def test_a_stream_that_breaks_off_is_not_checked() -> None:
    cut = openai_events(BAD)[:-200]
    with sockets.ScriptedServer(sockets.answers(streamed(cut))) as server:
        played = play(client(server.url), "sync", response_format=answer_format())

    assert isinstance(played.error, StreamInterruptedError)
    assert notes_of(played.stream) == ["usage: missing"]


def test_of_many_breaches_some_are_named() -> None:
    text = json.dumps({"name": "Ada", "ages": [-1] * 30})

    found = notes_of(drive(call(response_format=answer_format()), [ok(text)]))

    where = "choices[0].message.content:"
    assert found == [
        *[f"{where} ages[{place}] breaks minimum: 0" for place in range(10)],
        f"{where} breaks 20 more bounds of its schema",
    ]


def test_an_answer_too_deep_to_check_says_so() -> None:
    schema = {"$defs": {"N": {"items": {"$ref": "#/$defs/N"}, "minItems": 1}}, "$ref": "#/$defs/N"}

    found = notes_of(
        drive(call(response_format=answer_format(schema)), [ok("[" * 150 + "1" + "]" * 150)])
    )

    assert found == [
        "choices[0].message.content: not all bounds of its schema were checked: too large or deep"
    ]


def test_what_a_note_says_holds_nothing_of_the_answer_but_its_names() -> None:
    text = '{"name": "s3", "ages": []}'

    assert notes_of(drive(call(response_format=answer_format()), [ok(text)])) == [NOTES[0]]
