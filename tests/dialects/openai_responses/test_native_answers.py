"""An answer of a Responses API goes back as it came: its items, their ids, the caller's edits."""

from __future__ import annotations

import copy
import itertools
import json
from typing import Any

import msgspec
import pytest

from official import problems
from responses_core import OPENAI, TAG, encode_responses_request
from specado import FunctionCall, Message, ToolCall
from specado._core import ResponsesStream, decode_responses_reply, normalize
from specado.catalog import lookup as catalog
from specado.dialects.contract import Target

MODEL = "gpt-5"
OTHER_ADDRESS = Target("openai", "f" * 16, frozenset())
OTHER_PROVIDER = Target("azure", TAG, frozenset())
OPEN_SERVER = Target("openai", TAG, frozenset({"reasoning_content"}))
USER = {"role": "user", "content": "hi"}


def thought(id_: str = "rs_1", *texts: str, **more: Any) -> dict[str, Any]:
    summary = [{"type": "summary_text", "text": each} for each in texts]
    made = {"id": id_, "type": "reasoning", "summary": summary, "encrypted_content": f"enc-{id_}"}
    return {**made, **more}


def text(words: str, id_: str = "msg_1", **more: Any) -> dict[str, Any]:
    part = {"type": "output_text", "annotations": [], "logprobs": [], "text": words}
    message = {"id": id_, "type": "message", "status": "completed", "role": "assistant"}
    return {**message, "content": [part], **more}


def call(id_: str = "call_1", arguments: str = '{"q":1}', **more: Any) -> dict[str, Any]:
    made = {"id": f"fc_{id_}", "type": "function_call", "status": "completed", "name": "f"}
    return {**made, "arguments": arguments, "call_id": id_, **more}


SEARCH = {
    "id": "ws_1",
    "type": "web_search_call",
    "status": "completed",
    "action": {"type": "search", "query": "secret query"},
}
CITED = text("See a.", "msg_2")
CITED["content"][0]["annotations"] = [
    {"type": "url_citation", "start_index": 4, "end_index": 5, "title": "A", "url": "https://a"}
]
INTERLEAVED = [
    thought("rs_1", "first"),
    text("Let me see.", "msg_1", phase="commentary"),
    thought("rs_2", "second"),
    call("call_1"),
    call("call_2"),
]


def body(*items: Any, **more: Any) -> dict[str, Any]:
    usage = {
        "input_tokens": 1,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 1,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 2,
    }
    reply = {"id": "resp_1", "object": "response", "created_at": 1, "status": "completed"}
    return {**reply, "model": f"{MODEL}-2025-08-07", "output": list(items), "usage": usage, **more}


def said(*items: Any) -> Message:
    """Return the message of a reply with these items, from the address of `OPENAI`."""
    reply, _ = decode_responses_reply(json.dumps(body(*items)).encode(), "openai", MODEL, 1)
    return with_tag(reply.choices[0].message)


def with_tag(message: Message) -> Message:
    if message.native is not None:
        message.native = msgspec.structs.replace(message.native, tag=TAG)
    return message


def streamed(*items: Any) -> Message:
    """Return the message of the same reply as a stream, from the address of `OPENAI`."""
    events: list[dict[str, Any]] = [{"type": "response.created", "response": body()}]
    for index, item in enumerate(items):
        begun = {**item, "status": "in_progress"}
        events.append({"type": "response.output_item.added", "output_index": index, "item": begun})
        events.append({"type": "response.output_item.done", "output_index": index, "item": item})
    events.append({"type": "response.completed", "response": body(*items)})
    limits = {"max_frame_bytes": 1 << 20, "max_reply_bytes": 1 << 20}
    stream = ResponsesStream("openai", MODEL, 1, **limits)
    for event in events:
        stream.feed(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
    assert stream.is_over
    return with_tag(stream.response()[0].choices[0].message)


def request(
    message: Any, target: Target | None = OPENAI, model: str = MODEL
) -> tuple[str, list[str]]:
    """Return the body and the rows of a request in which *message* was the answer."""
    calls = (message.get("tool_calls") if isinstance(message, dict) else message.tool_calls) or ()
    results = [
        {
            "role": "tool",
            "tool_call_id": each["id"] if isinstance(each, dict) else each.id,
            "content": "ok",
        }
        for each in calls
    ]
    history = normalize([USER, message, *results, USER])
    facts = catalog.find_model("openai", model)
    found, losses = encode_responses_request(history, model, {}, facts, None, target)
    assert problems("responses-request", found) == []
    return found.decode(), [row for row, _, _, _ in losses if row != "store.default"]


def sent(message: Any, target: Target | None = OPENAI, model: str = MODEL) -> list[Any]:
    """Return the items of the answer as they are sent."""
    items = json.loads(request(message, target, model)[0])["input"][1:-1]
    return [item for item in items if not item.get("type", "").endswith("_call_output")]


def easy(words: str, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": words, **more}


def item(words: str, id_: str, **more: Any) -> dict[str, Any]:
    part = {"type": "output_text", "text": words, "annotations": []}
    made = {"type": "message", "id": id_, "status": "completed", "role": "assistant"}
    return {**made, "content": [part], **more}


def plain_call(id_: str = "call_1", arguments: str = '{"q":1}') -> dict[str, Any]:
    return {"type": "function_call", "call_id": id_, "name": "f", "arguments": arguments}


ANSWERS = {
    "reasoning and text": [thought(), text("Hello.")],
    "interleaved": INTERLEAVED,
    "hosted tool": [thought(), SEARCH, text("Found.", "msg_1"), CITED],
    "phase": [text("a", phase="commentary"), text("b", "msg_2", phase="final_answer")],
    "text after a call": [call(), text("x")],
    "custom": [
        thought(),
        {"id": "ctc_1", "type": "custom_tool_call", "call_id": "c", "name": "g", "input": "1"},
    ],
    "namespace": [call(namespace="n")],
}


@pytest.mark.parametrize("items", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("answered", [said, streamed])
def test_an_answer_goes_back_as_it_came(answered: Any, items: Any) -> None:
    message = answered(*items)

    assert sent(message) == items
    assert request(message)[1] == []


@pytest.mark.parametrize("items", ANSWERS.values(), ids=ANSWERS)
def test_a_stored_answer_goes_back_as_it_came(items: Any) -> None:
    stored = json.loads(json.dumps(said(*items).to_dict(native=True)))

    assert sent(stored) == items
    assert sent(Message(**stored)) == items


@pytest.mark.parametrize(
    "items", [[text("Hello.")], [text("Let me see."), call()], [call(), call("call_2")]]
)
def test_what_the_canonical_fields_say_needs_no_record(items: Any) -> None:
    assert said(*items).native is None
    assert streamed(*items).native is None


@pytest.mark.parametrize("model", ["gpt-5", "gpt-5-2025-08-07"])
def test_a_dated_model_is_of_the_same_family(model: str) -> None:
    assert sent(said(*INTERLEAVED), model=model) == INTERLEAVED


def test_another_model_gets_the_answer_without_reasoning_and_ids() -> None:
    message = said(*INTERLEAVED)

    assert sent(message, model="gpt-5-mini") == [
        easy("Let me see.", phase="commentary"),
        plain_call("call_1"),
        plain_call("call_2"),
    ]
    assert request(message, model="gpt-5-mini")[1] == ["reasoning.foreign"] * 2


@pytest.mark.parametrize("target", [None, OTHER_ADDRESS, OTHER_PROVIDER])
def test_another_account_gets_the_answer_without_reasoning_and_ids(target: Any) -> None:
    message = said(thought("rs_1", "hm"), SEARCH, CITED, call())

    assert sent(message, target) == [easy("See a."), plain_call()]
    assert request(message, target)[1] == [
        "reasoning.foreign",
        "native.foreign",
        "native.foreign",
        "message.annotations",
    ]


def test_reasoning_that_was_not_encrypted_goes_back_to_servers_that_take_it() -> None:
    shown = thought(content=[{"type": "reasoning_text", "text": "hm"}])
    del shown["encrypted_content"]
    message = said(shown, text("x"))

    assert message.reasoning == "hm"
    assert sent(message, OPEN_SERVER) == [shown, text("x")]
    assert sent(message) == [easy("x")]
    assert request(message)[1] == ["reasoning.openai"]


def test_null_members_do_not_go_back() -> None:
    shown = thought(content=None, status=None)
    message = said(shown, text("x", phase=None))

    assert sent(message) == [thought(), text("x")]
    assert sent(streamed(shown, text("x", phase=None))) == [thought(), text("x")]


# Edits.


def test_a_changed_text_after_reasoning_has_the_form_and_the_id_of_its_item() -> None:
    message = said(*INTERLEAVED)
    message.content = "Changed."

    assert sent(message) == [
        INTERLEAVED[0],
        item("Changed.", "msg_1", phase="commentary"),
        *INTERLEAVED[2:],
    ]


def test_a_changed_text_without_reasoning_is_a_plain_message() -> None:
    message = said(*ANSWERS["text after a call"])
    message.content = "Changed."

    assert sent(message) == [ANSWERS["text after a call"][0], easy("Changed.")]


def test_a_removed_text_removes_the_reasoning_before_it() -> None:
    message = said(*INTERLEAVED)
    message.content = None

    assert sent(message) == INTERLEAVED[2:]
    assert request(message)[1] == ["reasoning.edited"]


def test_a_removed_call_removes_the_reasoning_before_it() -> None:
    message = said(*INTERLEAVED)
    assert message.tool_calls is not None
    del message.tool_calls[0]

    # Without its reasoning the other call has no id: the server would look for it.
    assert sent(message) == [*INTERLEAVED[:2], plain_call("call_2")]


def test_a_removed_call_after_others_leaves_them() -> None:
    message = said(*INTERLEAVED)
    assert message.tool_calls is not None
    del message.tool_calls[1]

    assert sent(message) == INTERLEAVED[:4]


def test_changed_arguments_replace_the_item() -> None:
    message = said(*INTERLEAVED)
    assert message.tool_calls is not None
    message.tool_calls[0] = ToolCall("call_1", FunctionCall("f", '{"q":2}'))

    assert sent(message) == [*INTERLEAVED[:3], plain_call("call_1", '{"q":2}'), INTERLEAVED[4]]


def test_an_added_call_comes_last() -> None:
    message = said(thought(), text("x"))
    message.tool_calls = [ToolCall("call_9", FunctionCall("f", "{}"))]

    assert sent(message) == [thought(), text("x"), plain_call("call_9", "{}")]


def test_removed_reasoning_does_not_go_back_nor_do_ids() -> None:
    message = said(*INTERLEAVED)
    message.reasoning = message.reasoning_details = None

    assert sent(message) == [
        easy("Let me see.", phase="commentary"),
        plain_call("call_1"),
        plain_call("call_2"),
    ]
    assert request(message)[1] == []


def test_the_remaining_reasoning_goes_back() -> None:
    message = said(*INTERLEAVED)
    assert message.reasoning_details is not None
    message.reasoning = "second"
    del message.reasoning_details[0]

    assert sent(message) == [easy("Let me see.", phase="commentary"), *INTERLEAVED[2:]]


def test_changed_reasoning_does_not_go_back() -> None:
    message = said(thought("rs_1", "secret"), text("x"))
    message.reasoning = "redacted"

    assert sent(message) == [easy("x")]


def test_reasoning_without_an_item_after_it_is_left_out() -> None:
    message = said(thought())

    assert sent(message) == []
    assert request(message)[1] == ["reasoning.edited"]


SECRETS = {
    "content": "secret text",
    "call": '{"secret":"arguments"}',
    "reasoning": "secret thought",
}
EDITS = [edits for count in range(1, 4) for edits in itertools.combinations(SECRETS, count)]


@pytest.mark.parametrize("edits", EDITS)
@pytest.mark.parametrize("how", ["removed", "redacted"])
@pytest.mark.parametrize("target", [OPENAI, OTHER_ADDRESS, OPEN_SERVER])
@pytest.mark.parametrize("is_stored", [False, True])
def test_content_that_a_caller_removed_is_not_sent(
    edits: Any, how: str, target: Target, is_stored: bool
) -> None:
    message = said(
        thought("rs_1", SECRETS["reasoning"]),
        text(SECRETS["content"], "msg_1", phase="final_answer"),
        call("call_1", SECRETS["call"]),
        call("call_2"),
    )
    is_removed = how == "removed"
    assert message.tool_calls is not None
    if "content" in edits:
        message.content = None if is_removed else "[redacted]"
    if "call" in edits:
        redacted = ToolCall("call_1", FunctionCall("f", "{}"))
        message.tool_calls[:1] = [] if is_removed else [redacted]
    if "reasoning" in edits:
        message.reasoning = None if is_removed else "[redacted]"
        if is_removed:
            message.reasoning_details = None
    given: Any = message
    if is_stored:
        given = json.loads(json.dumps(message.to_dict(native=True)))

    written = request(given, target)[0]

    for name in edits:
        assert SECRETS[name] not in written
        assert json.dumps(SECRETS[name]) not in written
    if "reasoning" in edits:
        assert "enc-rs_1" not in written


def test_texts_that_do_not_map_are_sent_as_one() -> None:
    message = said(*ANSWERS["phase"])
    message.content = [{"type": "text", "text": each} for each in "xyz"]

    assert sent(message) == [easy("xyz")]
    assert request(message)[1] == ["native.order", "content.joined"]


def test_parts_stand_for_the_messages_of_an_answer() -> None:
    message = said(*ANSWERS["phase"])
    message.content = [{"type": "text", "text": "a"}, {"type": "text", "text": "B"}]

    assert sent(message) == [ANSWERS["phase"][0], easy("B", phase="final_answer")]


def test_a_refusal_goes_back_as_text() -> None:
    part = {"type": "refusal", "refusal": "No."}
    message = said(thought(), {**text(""), "content": [part]})

    assert (message.content, message.refusal, message.native) == (None, "No.", None)
    assert sent(message)[-1] == easy("No.")


# Histories that do not come from this process.


@pytest.mark.parametrize(
    "item",
    [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x"}]},
        {**text("x"), "role": "system"},
        {"type": "function_call_output", "call_id": "c", "output": "x"},
        {"type": "item_reference", "id": "x"},
        {"type": "reasoning", "summary": []},
        {"type": "reasoning", "id": "rs_1"},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": {}},
        {"type": "custom_tool_call", "call_id": "c", "name": "f"},
        {"type": "zz"},
        {"no": "type"},
        {**text("x"), "content": [{"type": "input_text", "text": "x"}]},
    ],
)
def test_a_stored_record_has_items_of_answers_only(item: Any) -> None:
    stored = said(thought(), text("x")).to_dict(native=True)
    stored["reasoning_details"][0]["blocks"] = [item]

    assert sent(stored) == [easy("x")]
    assert request(stored)[1] == ["native.unusable"]


def test_the_encrypted_reasoning_of_another_library_goes_back() -> None:
    block = {
        "type": "reasoning.encrypted",
        "data": "enc",
        "id": "rs_1",
        "format": "openai-responses-v1",
    }
    message = {**easy("x"), "reasoning_details": [block]}

    assert sent(message) == [
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "enc"},
        item("x", "msg_1"),
    ]
    assert request(message)[1] == []


@pytest.mark.parametrize("more", [{"content": None, "refusal": "No."}, {"content": ""}])
def test_encrypted_reasoning_without_an_item_after_it_is_reported(more: Any) -> None:
    block = {
        "type": "reasoning.encrypted",
        "data": "enc",
        "id": "rs_1",
        "format": "openai-responses-v1",
    }

    message = {"role": "assistant", **more, "reasoning_details": [block]}

    assert sent(message) == [easy(more.get("refusal", ""))]
    assert "reasoning.openai" in request(message)[1]


@pytest.mark.parametrize(
    ("change", "row"),
    [
        ({"format": "anthropic-claude-v1"}, "reasoning.foreign"),
        ({"model": "o3"}, "reasoning.foreign"),
        ({"format": None}, "reasoning.foreign"),
        ({"id": None}, "reasoning.openai"),
        ({"data": None}, "reasoning.openai"),
        ({"type": "reasoning.summary", "summary": "x"}, "reasoning.openai"),
    ],
)
def test_other_reasoning_of_a_history_is_reported(change: Any, row: str) -> None:
    block = {
        "type": "reasoning.encrypted",
        "data": "enc",
        "id": "rs_1",
        "format": "openai-responses-v1",
        **change,
    }
    message = {**easy("x"), "reasoning_details": [block]}

    assert sent(message) == [easy("x")]
    assert request(message)[1] == [row]


def test_encoding_leaves_the_message_as_it_was() -> None:
    message = said(*INTERLEAVED)
    before = copy.deepcopy(message)

    request(message)

    assert message == before
    assert message.native == before.native
