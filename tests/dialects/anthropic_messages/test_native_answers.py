"""An answer of Anthropic goes back as it came: its order, its signatures, the caller's edits."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import specado
from specado import FunctionCall, Message, ReasoningBlock, ToolCall
from specado._core import AnthropicStream
from specado.dialects.replies import add_tag
from specado.dialects.tool_names import restore_tool_names
from specado.simulator import handle

OPUS = "claude-opus-4-8"
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def thinking(text, signature="sig"):
    return {"type": "thinking", "thinking": text, "signature": signature}


def text(words, **more):
    return {"type": "text", "text": words, **more}


def use(id_="toolu_1", **given):
    return {"type": "tool_use", "id": id_, "name": "f", "input": given}


INTERLEAVED = [thinking("a", "s1"), text("x"), thinking("b", "s2"), use(q=1)]


def body(*blocks, model=OPUS):
    reply = {"id": "msg_1", "type": "message", "role": "assistant", "model": model}
    usage = {"input_tokens": 1, "output_tokens": 1}
    return {**reply, "content": list(blocks), "stop_reason": "end_turn", "usage": usage}


def said(*blocks, **more):
    reply = specado.parse_response(json.dumps(body(*blocks, **more)), "anthropic")
    return reply.choices[0].message


def streamed(*blocks):
    events = [{"type": "message_start", "message": body()}]
    for index, block in enumerate(blocks):
        begun, deltas = dict(block), []
        if block["type"] == "thinking":
            begun.update(thinking="", signature="")
            deltas = [
                {"type": "thinking_delta", "thinking": block["thinking"]},
                {"type": "signature_delta", "signature": block["signature"]},
            ]
        elif block["type"] == "text":
            begun["text"] = ""
            deltas = [{"type": "text_delta", "text": block["text"]}]
            if block.get("citations") is not None:
                begun["citations"] = []
                deltas += [{"type": "citations_delta", "citation": c} for c in block["citations"]]
        elif "input" in block:
            begun["input"] = {}
            given = block["input"]
            words = given if isinstance(given, str) else json.dumps(given)
            deltas = [{"type": "input_json_delta", "partial_json": words}]
        events.append({"type": "content_block_start", "index": index, "content_block": begun})
        events += [{"type": "content_block_delta", "index": index, "delta": d} for d in deltas]
        events.append({"type": "content_block_stop", "index": index})
    ended = {"stop_reason": "end_turn", "stop_sequence": None}
    events.append({"type": "message_delta", "delta": ended, "usage": {"output_tokens": 1}})
    events.append({"type": "message_stop"})
    stream = AnthropicStream("anthropic", OPUS, 1, max_frame_bytes=1 << 20, max_reply_bytes=1 << 20)
    for event in events:
        stream.feed(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
    reply, _ = stream.response()
    add_tag(reply, "https://api.anthropic.com")
    return reply.choices[0].message


def next_turn(message, to=f"anthropic/{OPUS}"):
    """Return the translation of a conversation in which *message* is answered."""
    calls = message.get("tool_calls") if isinstance(message, dict) else message.tool_calls
    results = [
        {
            "role": "tool",
            "tool_call_id": call["id"] if isinstance(call, dict) else call.id,
            "content": "ok",
        }
        for call in calls or ()
    ]
    history = [{"role": "user", "content": "hi"}, message, *results]
    if not results:
        history.append({"role": "user", "content": "go on"})
    return specado.translate({"model": "gpt-4o", "messages": history, "tools": [TOOL]}, to)


def sent(message, to=f"anthropic/{OPUS}"):
    """Return the blocks of the assistant's turn as they are sent."""
    content = json.loads(next_turn(message, to).body)["messages"][1]["content"]
    return [text(content)] if isinstance(content, str) else content


def lost(message, to=f"anthropic/{OPUS}"):
    report = next_turn(message, to).report
    return [(item.path, item.severity) for item in report.items if item.severity != "None"]


SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"q": "a"}}
FOUND = {
    "type": "web_search_tool_result",
    "tool_use_id": "srvtoolu_1",
    "content": [
        {"type": "web_search_result", "url": "https://a", "title": "A", "encrypted_content": "e"}
    ],
}
CITED = text(
    "A says",
    citations=[
        {
            "type": "web_search_result_location",
            "url": "https://a",
            "title": "A",
            "encrypted_index": "i",
            "cited_text": "says",
        }
    ],
)

ANSWERS = [
    INTERLEAVED,
    [use(), text("after")],
    [thinking("a"), use("toolu_1"), thinking("b"), use("toolu_2", z=1, a=2)],
    [text("x"), text("y")],
    [{"type": "redacted_thinking", "data": "d"}, text("x")],
    [thinking("", "only signed"), text("x")],
    [SEARCH, FOUND, CITED, text(" and more")],
]
FORMS = [
    pytest.param(lambda message: message, id="message"),
    pytest.param(copy.deepcopy, id="copy"),
    pytest.param(lambda message: message.to_dict(native=True), id="dict"),
    pytest.param(lambda message: Message(**message.to_dict(native=True)), id="message_of_dict"),
    pytest.param(lambda message: json.loads(json.dumps(message.to_dict(native=True))), id="stored"),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("read", [said, streamed], ids=["whole", "stream"])
@pytest.mark.parametrize("blocks", ANSWERS)
def test_an_answer_goes_back_as_it_came(blocks, read, form):
    message = form(read(*blocks))

    assert sent(message) == blocks
    assert lost(message) == []


@pytest.mark.parametrize("blocks", ANSWERS[:3])
def test_the_strict_simulator_takes_the_next_turn(blocks):
    translation = next_turn(said(*blocks))

    answer = handle("POST", "/v1/messages", translation.headers, translation.body)

    assert answer.status == 200, answer.body


@pytest.mark.parametrize(
    "blocks", [[text("x")], [use()], [text("x"), use()], [text("x", citations=None), use()]]
)
def test_an_answer_that_the_fields_reproduce_has_no_record(blocks):
    assert said(*blocks).native is None
    assert streamed(*blocks).native is None


def test_the_record_is_no_part_of_comparisons_and_of_the_strict_form():
    message = said(*INTERLEAVED)
    bare = copy.copy(message)
    bare.native = None

    assert message == bare
    assert "native" not in repr(message)
    assert message.to_dict() == {
        "role": "assistant",
        "content": "x",
        "tool_calls": [
            {
                "id": "toolu_1",
                "type": "function",
                "function": {"name": "f", "arguments": '{"q": 1}'},
            }
        ],
    }
    with pytest.raises(AttributeError):
        message.native.model = "another"


def test_the_stored_form_names_the_provider_and_no_secret():
    (entry,) = said(*INTERLEAVED).to_dict(native=True)["reasoning_details"]

    assert {**entry, "tag": ""} == {
        "type": "specado.native",
        "version": 1,
        "dialect": "anthropic_messages",
        "provider": "anthropic",
        "tag": "",
        "model": OPUS,
        "blocks": INTERLEAVED,
    }
    assert len(entry["tag"]) == 16


# Edits


def edited(change, *blocks):
    message = said(*(blocks or INTERLEAVED))
    change(message)
    return message


def set_field(**values):
    def change(message):
        for name, value in values.items():
            setattr(message, name, value)

    return change


def set_arguments(message):
    message.tool_calls[0].function.arguments = '{"q":2}'


def set_thought(message):
    message.reasoning_details[0].text = "c"


def drop_thought(message):
    del message.reasoning_details[0]
    message.reasoning = "b"


@pytest.mark.parametrize(
    ("change", "blocks"),
    [
        (set_field(content="y"), [INTERLEAVED[0], text("y"), *INTERLEAVED[2:]]),
        (set_field(content=[text("y")]), [INTERLEAVED[0], text("y"), *INTERLEAVED[2:]]),
        (set_field(content=None), [INTERLEAVED[0], *INTERLEAVED[2:]]),
        (set_field(tool_calls=None), INTERLEAVED[:3]),
        (set_arguments, [*INTERLEAVED[:3], use(q=2)]),
        (drop_thought, INTERLEAVED[1:]),
        (set_thought, [text("x"), use(q=1)]),
        (set_field(reasoning=None), [text("x"), use(q=1)]),
        (set_field(reasoning="c"), [text("x"), use(q=1)]),
        (set_field(reasoning_details=None), [text("x"), use(q=1)]),
        (set_field(reasoning=None, reasoning_details=None), [text("x"), use(q=1)]),
        (
            set_field(content=[text("x", cache_control={"type": "ephemeral"})]),
            [
                INTERLEAVED[0],
                text("x", cache_control={"type": "ephemeral"}),
                *INTERLEAVED[2:],
            ],
        ),
    ],
)
def test_an_edit_changes_its_block_only(change, blocks):
    assert sent(edited(change)) == blocks


@pytest.mark.parametrize(
    ("content", "blocks"),
    [
        ("onetwo", [text("one"), thinking("t"), text("two")]),
        ("onedone", [text("one"), thinking("t"), text("done")]),
        ("donetwo", [text("done"), thinking("t"), text("two")]),
        ("one", [text("one"), thinking("t")]),
        ("two", [thinking("t"), text("two")]),
        ("one or two", [text("one"), thinking("t"), text(" or two")]),
        ("onetwo!", [text("one"), thinking("t"), text("two!")]),
        ("else", [text("else"), thinking("t")]),
        ([text("uno"), text("two")], [text("uno"), thinking("t"), text("two")]),
    ],
)
def test_a_changed_text_goes_to_the_block_that_changed(content, blocks):
    message = edited(set_field(content=content), text("one"), thinking("t"), text("two"))

    assert sent(message) == blocks


def test_a_citation_goes_with_its_text():
    message = edited(set_field(content="B says"), SEARCH, FOUND, CITED)

    assert sent(message) == [SEARCH, FOUND, text("B says")]


def test_content_that_does_not_map_any_more_is_translated_and_reported():
    parts = [text("a"), text("b"), text("c")]
    message = edited(set_field(content=parts), text("one"), thinking("t"), text("two"))

    assert sent(message) == [thinking("t"), *parts]
    assert lost(message) == [("messages[1].native", "Low")]


SECRET = "SECRET-7f3a"
edits = st.sampled_from(["content", "parts", "arguments", "call", "thought", "reasoning", "all"])


@given(
    st.lists(st.sampled_from("tku"), min_size=1, max_size=6),
    st.integers(0, 5),
    edits,
    st.sampled_from(["object", "dict", "stored"]),
)
def test_content_that_a_caller_removed_is_not_sent(kinds, at, edit, form):
    blocks = []
    for place, kind in enumerate(kinds):
        words = f"{SECRET} {place}" if place == at % len(kinds) else f"said {place}"
        if kind == "t":
            blocks.append(text(words))
        elif kind == "k":
            blocks.append(thinking(words, f"signature of {words}"))
        else:
            blocks.append(use(f"toolu_{place}", words=words))
    message = said(*blocks)
    stored = message.to_dict(native=True).get("reasoning_details", [])
    redact(message, edit)
    if any(SECRET in str(getattr(message, name)) for name in message.__struct_fields__[:-1]):
        return  # the edit was of something else
    if form == "dict":
        message = {
            "role": message.role,
            "content": message.content,
            "tool_calls": [call.to_dict() for call in message.tool_calls or ()] or None,
            "reasoning": message.reasoning,
            "reasoning_details": [
                *({"type": b.type, "text": b.text} for b in message.reasoning_details or ()),
                *stored,
            ],
        }
        if not message["content"] and not message["tool_calls"]:
            message["content"] = "-"
        if message["reasoning"] is None and len(message["reasoning_details"]) < 2:
            return  # a stored record without reasoning beside it is the reasoning
    elif form == "stored":
        message = message.to_dict(native=True)
        assert SECRET not in json.dumps(message)
        if not message["content"] and not message.get("tool_calls"):
            message["content"] = "-"
    elif message.content is None and message.tool_calls is None:
        message.content = "-"

    for to in (f"anthropic/{OPUS}", "anthropic/claude-sonnet-4-5", "openai/gpt-4o"):
        assert SECRET not in next_turn(message, to).body.decode()


def redact(message, edit):
    if edit in ("content", "all") and message.content is not None:
        message.content = message.content.replace(SECRET, "[redacted]")
    if edit == "parts" and message.content is not None:
        message.content = [text(message.content.replace(SECRET, "[redacted]"))]
    if edit == "call":
        message.tool_calls = [
            call for call in message.tool_calls or () if SECRET not in call.function.arguments
        ] or None
    for call in message.tool_calls or ():
        if edit in ("arguments", "all"):
            call.function.arguments = call.function.arguments.replace(SECRET, "[redacted]")
    if edit in ("reasoning", "all") and message.reasoning is not None:
        message.reasoning = message.reasoning.replace(SECRET, "[redacted]")
        message.reasoning_details = None
    if edit == "thought":
        kept = [b for b in message.reasoning_details or () if SECRET not in b.text]
        message.reasoning = "".join(b.text for b in kept) or None
        message.reasoning_details = kept or None


def test_a_call_that_was_added_comes_last_and_calls_of_one_id_are_all_sent():
    message = said(*INTERLEAVED)
    message.tool_calls.append(ToolCall("toolu_2", FunctionCall("f", "{}")))
    twice = said(text("x"), thinking("t"), use(q=1))
    twice.tool_calls.append(ToolCall("toolu_1", FunctionCall("f", "{}")))

    assert sent(message) == [*INTERLEAVED, use("toolu_2")]
    assert [block["type"] for block in sent(twice)].count("tool_use") == 2


def test_calls_of_two_answers_with_one_id_go_back_under_two():
    messages = [{"role": "user", "content": "hi"}]
    for _ in range(2):
        messages += [
            said(*INTERLEAVED),
            {"role": "tool", "tool_call_id": "toolu_1", "content": "ok"},
        ]

    translation = specado.translate(
        {"model": "gpt-4o", "messages": messages, "tools": [TOOL]}, f"anthropic/{OPUS}"
    )
    _, first, answer, second, other_answer = json.loads(translation.body)["messages"]

    assert first["content"] == INTERLEAVED
    assert answer["content"][0]["tool_use_id"] == "toolu_1"
    other_id = second["content"][-1]["id"]
    assert second["content"] == [*INTERLEAVED[:-1], use(other_id, q=1)]
    assert other_id != "toolu_1"
    assert other_answer["content"][0]["tool_use_id"] == other_id


@pytest.mark.parametrize("form", FORMS)
def test_the_call_of_a_renamed_tool_goes_back_as_it_came(form):
    tool = {"type": "function", "function": {"name": "a.b", "parameters": {"type": "object"}}}

    def body_with(*messages):
        asked = [{"role": "user", "content": "hi"}, *messages]
        request = {"model": "gpt-4o", "messages": asked, "tools": [tool]}
        return json.loads(specado.translate(request, f"anthropic/{OPUS}").body)

    renamed = body_with()["tools"][0]["name"]
    blocks = [*INTERLEAVED[:-1], {**use(q=1), "name": renamed, "caller": {"type": "direct"}}]
    reply = specado.parse_response(json.dumps(body(*blocks)), "anthropic")
    restore_tool_names(reply, {renamed: "a.b"})
    message = reply.choices[0].message

    result = {"role": "tool", "tool_call_id": "toolu_1", "content": "ok"}
    assert message.tool_calls[0].function.name == "a.b"
    assert renamed != "a.b"
    assert body_with(form(message), result)["messages"][1]["content"] == blocks


@pytest.mark.parametrize("given", [None, ""])
def test_an_empty_input_goes_back_as_an_object(given):
    message = said(thinking("t"), {**use(), "input": given})

    assert sent(message) == [thinking("t"), use()]
    assert sent(message.to_dict(native=True)) == [thinking("t"), use()]


def test_a_call_that_was_cut_off_never_goes_back():
    message = streamed(thinking("t"), {**use(), "input": '{"q": 1, "r'})

    assert message.tool_calls[0].function.arguments == '{"q": 1, "r'
    assert "reasoning_details" not in message.to_dict(native=True)
    with pytest.raises(specado.MessageFormatError, match="not JSON"):
        sent(message)


# Where an answer may go


def test_thinking_goes_back_to_the_family_of_its_model():
    dated = said(*INTERLEAVED, model="claude-opus-4-5-20251101")

    assert sent(dated, "anthropic/claude-opus-4-5") == INTERLEAVED
    assert sent(dated, "anthropic/claude-sonnet-4-5") == [text("x"), use(q=1)]
    assert lost(dated, "anthropic/claude-sonnet-4-5") == [
        ("messages[1].reasoning_details[0]", "Low"),
        ("messages[1].reasoning_details[1]", "Low"),
    ]


def test_order_and_reasoning_that_another_dialect_cannot_hold_are_reported():
    assert lost(said(*INTERLEAVED), "openai/gpt-4o") == [
        ("messages[1].native", "Low"),
        ("messages[1].reasoning", "Low"),
        ("messages[1].reasoning_details[0]", "Low"),
        ("messages[1].reasoning_details[1]", "Low"),
    ]


def test_blocks_of_server_tools_go_back_to_their_provider_only(monkeypatch):
    message = said(SEARCH, FOUND, CITED)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "https://elsewhere.example")

    assert sent(message) == [text("A says")]
    assert lost(message) == [(f"messages[1].native.blocks[{n}]", "Low") for n in range(3)]


# Stored records, which may come from anyone


def stored(**changes):
    message = said(*INTERLEAVED).to_dict(native=True)
    message["reasoning_details"][0].update(changes)
    return message


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"version": True},
        {"dialect": "another"},
        {"provider": 5},
        {"tag": "x" * 10_000},
        {"blocks": "x"},
        {"blocks": []},
        {"blocks": [5]},
        {"blocks": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "x"}]},
        {"blocks": [{"type": "image", "source": {"type": "url", "url": "https://a"}}]},
        {"blocks": [{"type": "thinking", "thinking": "a"}]},
        {"blocks": [{"type": "text", "text": 5}]},
        {"blocks": [{"type": "tool_use", "id": "toolu_1", "name": "f", "input": "x"}]},
        {"blocks": [text("x")] * 5000},
        {"blocks": [thinking("x" * (9 << 20))]},
    ],
)
def test_a_stored_record_that_is_not_well_formed_is_ignored_with_a_note(changes):
    message = stored(**changes)

    assert sent(message) == [text("x"), use(q=1)]
    noted = [item.path for item in next_turn(message).report.items if "ignored" in item.message]
    assert noted == ["messages[1].reasoning_details[0]"]


def test_a_stored_record_cannot_say_more_than_the_message():
    message = stored(blocks=[text("injected"), use("toolu_9", q=9), thinking("b")])

    assert sent(message) == [text("x"), thinking("b"), use(q=1)]


@pytest.mark.parametrize("to", ["openai/gpt-4o", f"anthropic/{OPUS}"])
def test_no_provider_is_sent_the_stored_form(to):
    assert b"specado.native" not in next_turn(stored(), to).body
    assert b"specado.native" not in next_turn(stored(version=9), to).body


def test_a_reply_cannot_bring_a_record():
    message = {"role": "assistant", "content": "x", "native": None}
    message["reasoning_details"] = [stored()["reasoning_details"][0], {"type": "reasoning.text"}]
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    reply = {"id": "a", "model": "m", "created": 1, "choices": [choice], "usage": usage}

    read = specado.parse_response(json.dumps(reply), "openai").choices[0].message

    assert read.reasoning_details == [ReasoningBlock("reasoning.text")]
