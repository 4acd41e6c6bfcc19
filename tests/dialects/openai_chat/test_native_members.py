"""Members that OpenAI-compatible servers add to an answer go back to them, and to nobody else."""

from __future__ import annotations

import copy
import json

import msgspec
import pytest

import specado
from specado import Message
from specado._core import OpenAIStream
from specado.dialects.replies import address_tag

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"q": 1}'}}
SIGNED_CALL = {**CALL, "extra_content": {"google": {"thought_signature": "c2ln"}}}
DETAILS = [
    {
        "type": "reasoning.summary",
        "summary": "Short.",
        "format": "openai-responses-v1",
        "id": "rs_1",
        "index": 0,
    },
    {
        "type": "reasoning.text",
        "text": "Long.",
        "signature": "s",
        "format": "anthropic-claude-v1",
        "id": None,
        "index": 1,
        "novel": [1, 2],
    },
    {
        "type": "reasoning.encrypted",
        "data": "ZGF0YQ==",
        "format": "openai-responses-v1",
        "id": "rs_2",
        "index": 2,
    },
]


@pytest.fixture(autouse=True)
def _servers():
    for name, more in (("compatible", {}), ("picky", {"returns": ["reasoning_content"]})):
        specado.register_manifest(
            {
                "name": name,
                "base_url": f"http://{name}.example/v1",
                "dialect": "openai_chat",
                **more,
            }
        )
    specado.register_manifest(
        {"name": "other", "base_url": "http://other.example/v1", "dialect": "openai_chat"}
    )


def reply(provider="compatible", model="m-1", **members):
    message = {"role": "assistant", "content": None, **members}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    body = {"id": "a", "model": model, "created": 1, "choices": [choice], "usage": usage}
    return specado.parse_response(json.dumps(body), provider).choices[0].message


def next_turn(message, to="compatible/m-1", **options):
    given = message if isinstance(message, dict) else message.to_dict()
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": "ok"}
        for call in given.get("tool_calls") or ()
    ]
    history = [{"role": "user", "content": "hi"}, message, *results]
    if not results:
        history.append({"role": "user", "content": "go on"})
    request = {"model": "m-1", "messages": history, "tools": [TOOL]}
    return specado.translate(request, to, **options)


def sent(message, to="compatible/m-1"):
    return json.loads(next_turn(message, to).body)["messages"][1]


def lost(message, to="compatible/m-1"):
    report = next_turn(message, to).report
    return [(item.path, item.severity) for item in report.items if item.severity != "None"]


ANSWERS = [
    {"content": "Hi", "reasoning_content": "Hm."},
    {"content": "Hi", "reasoning": "Hm."},
    {"content": "Hi", "reasoning": "Hm.", "reasoning_content": "Hm."},
    {"content": None, "reasoning_content": "Hm.", "tool_calls": [CALL]},
    {"content": None, "tool_calls": [SIGNED_CALL]},
    {"content": "Hi", "reasoning": "Long.", "reasoning_details": DETAILS},
    {"content": "Hi", "reasoning_details": DETAILS[2:]},
]
FORMS = [
    pytest.param(lambda message: message, id="message"),
    pytest.param(copy.deepcopy, id="copy"),
    pytest.param(lambda message: message.to_dict(native=True), id="dict"),
    pytest.param(lambda message: Message(**message.to_dict(native=True)), id="message_of_dict"),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("members", ANSWERS)
def test_members_go_back_to_the_server_that_wrote_them(members, form):
    message = form(reply(**members))

    assert sent(message) == {"role": "assistant", **members}
    assert lost(message) == []


def test_nulls_do_not_go_back():
    message = reply(content="Hi", reasoning=None, reasoning_content="Hm.", reasoning_details=None)

    assert sent(message) == {"role": "assistant", "content": "Hi", "reasoning_content": "Hm."}


def test_all_documented_members_of_reasoning_details_are_read():
    read = reply(content="Hi", reasoning_details=DETAILS).reasoning_details

    assert [(b.type, b.text, b.summary, b.data, b.signature) for b in read] == [
        ("reasoning.summary", None, "Short.", None, None),
        ("reasoning.text", "Long.", None, None, "s"),
        ("reasoning.encrypted", None, None, "ZGF0YQ==", None),
    ]
    assert [(b.id, b.format, b.index) for b in read] == [
        ("rs_1", "openai-responses-v1", 0),
        (None, "anthropic-claude-v1", 1),
        ("rs_2", "openai-responses-v1", 2),
    ]


@pytest.mark.parametrize("members", ANSWERS)
@pytest.mark.parametrize("to", ["other/m-1", "openai/gpt-4o", "anthropic/claude-opus-4-8"])
def test_members_do_not_go_to_another_provider_and_that_is_reported(members, to):
    body = next_turn(reply(**members), to).body

    for text in (b"reasoning", b"Hm.", b"extra_content", b"c2ln", b"ZGF0YQ"):
        assert text not in body
    assert lost(reply(**members), to)


def test_only_the_members_of_the_manifest_go_back():
    members = {"content": None, "reasoning": "Hm.", "reasoning_content": "Hm."}
    message = reply("picky", **members, tool_calls=[SIGNED_CALL])

    assert sent(message, "picky/m-1") == {
        "role": "assistant",
        "content": None,
        "tool_calls": [CALL],
        "reasoning_content": "Hm.",
    }
    assert lost(message, "picky/m-1") == [("messages[1].tool_calls[0].extra_content", "Low")]


def test_details_go_back_to_the_model_that_was_asked():
    message = reply(content="Hi", reasoning_details=DETAILS)

    assert "reasoning_details" not in sent(message, "compatible/m-2")
    assert lost(message, "compatible/m-2") == [
        (f"messages[1].reasoning_details[{place}]", "Low") for place in range(3)
    ]


def edited(members, **values):
    message = reply(**members)
    for name, value in values.items():
        setattr(message, name, value)
    return message


@pytest.mark.parametrize(
    ("values", "members"),
    [
        ({"reasoning": "[redacted]"}, {"reasoning_content": "[redacted]"}),
        ({"reasoning": None}, {}),
        ({"content": "Bye"}, {"reasoning_content": "Hm."}),
    ],
)
def test_an_edited_text_replaces_the_one_of_the_answer(values, members):
    message = edited({"content": "Hi", "reasoning_content": "Hm."}, **values)

    assert sent(message) == {"role": "assistant", "content": message.content, **members}


def test_details_whose_text_was_redacted_do_not_go_back():
    message = edited({"content": "Hi", "reasoning": "Long.", "reasoning_details": DETAILS})
    message.reasoning = "[redacted]"

    assert sent(message) == {"role": "assistant", "content": "Hi", "reasoning": "[redacted]"}
    assert lost(message) == [("messages[1].reasoning_details", "Low")]


def test_removed_details_leave_no_text_behind():
    message = edited({"content": "Hi", "reasoning": "Long.", "reasoning_details": DETAILS})
    message.reasoning_details = None

    assert sent(message) == {"role": "assistant", "content": "Hi"}


def test_a_signature_does_not_go_with_other_arguments():
    message = reply(content=None, tool_calls=[SIGNED_CALL])
    message.tool_calls[0].function.arguments = '{"q": 2}'

    assert "extra_content" not in sent(message)["tool_calls"][0]
    assert lost(message) == [("messages[1].tool_calls[0]", "Low")]


def test_the_signature_of_a_renamed_tools_call_goes_back():
    specado.register_manifest(
        {
            "name": "short",
            "base_url": "http://short.example/v1",
            "dialect": "openai_chat",
            "request_rules": {"tool_name_characters": 64},
        }
    )
    tool = {"type": "function", "function": {"name": "a.b", "parameters": {"type": "object"}}}

    def body_with(*messages):
        asked = [{"role": "user", "content": "hi"}, *messages]
        request = {"model": "m-1", "messages": asked, "tools": [tool]}
        return json.loads(specado.translate(request, "short/m-1").body)

    renamed = body_with()["tools"][0]["function"]["name"]
    call = {**SIGNED_CALL, "function": {**CALL["function"], "name": renamed}}
    message = reply("short", tool_calls=[call])
    message.tool_calls[0].function.name = "a.b"  # as calls give it to the caller
    result = {"role": "tool", "tool_call_id": "call_1", "content": "ok"}

    assert renamed != "a.b"
    for said in (message, message.to_dict(native=True)):
        assert body_with(said, result)["messages"][1]["tool_calls"] == [call]


# Histories of other libraries


def history(**members):
    return {"role": "assistant", "content": "Hi", **members}


OTHERS = [
    {"reasoning_content": "Hm."},
    {"reasoning": "Hm."},
    {"reasoning_details": DETAILS},
    {"reasoning_content": "Hm.", "reasoning": "So."},
    {"thinking_blocks": [{"type": "thinking", "thinking": "Hm.", "signature": "s"}]},
    {"content": None, "tool_calls": [SIGNED_CALL]},
]


@pytest.mark.parametrize("members", OTHERS)
def test_a_compatible_server_gets_reasoning_as_the_history_has_it(members):
    assert sent(history(**members)) == history(**members)


@pytest.mark.parametrize("members", OTHERS)
@pytest.mark.parametrize("to", ["openai/gpt-4o", "anthropic/claude-opus-4-8"])
def test_foreign_reasoning_is_a_tuning_loss_elsewhere(members, to):
    translation = next_turn(history(**members), to, strictness="warn")

    items = [item for item in translation.report.items if item.severity != "None"]
    assert items
    assert {(item.kind, item.severity) for item in items} == {("tuning", "Low")}
    assert b"Hm." not in translation.body


def test_openai_at_another_address_is_a_compatible_server(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://proxy.example/v1")

    assert sent(history(reasoning_content="Hm."), "openai/gpt-4o") == history(
        reasoning_content="Hm."
    )


def test_a_subdomain_of_a_provider_takes_back_what_the_provider_does(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "https://eu.api.openai.com/v1")

    assert sent(history(reasoning_content="Hm."), "openai/gpt-4o") == history()


def test_reasoning_in_a_message_of_ones_own_is_not_sent_under_a_guessed_name():
    message = Message("assistant", "Hi", reasoning="Hm.")

    assert sent(message) == {"role": "assistant", "content": "Hi"}
    assert lost(message) == [("messages[1].reasoning", "Low")]


def test_the_json_of_a_whole_message_brings_no_record():
    plain = msgspec.to_builtins(reply(content="Hi", reasoning_content="Hm."))
    plain = {name: value for name, value in plain.items() if value is not None}

    assert sent(plain) == {"role": "assistant", "content": "Hi", "reasoning": "Hm."}
    noted = [item.path for item in next_turn(plain).report.items]
    assert noted == ["messages[1].native"]


def test_thinking_blocks_with_their_model_go_back_to_it():
    block = {"type": "thinking", "thinking": "Hm.", "signature": "s", "model": "claude-opus-4-8"}

    message = sent(history(thinking_blocks=[block]), "anthropic/claude-opus-4-8")

    assert message["content"] == [
        {"type": "thinking", "thinking": "Hm.", "signature": "s"},
        {"type": "text", "text": "Hi"},
    ]


@pytest.mark.parametrize(
    ("reasoning", "members"),
    [("[redacted]", {"reasoning_content": "[redacted]"}), (None, {})],
)
def test_the_stored_form_has_no_reasoning_that_was_redacted(reasoning, members):
    message = edited({"content": "Hi", "reasoning_content": "Hm."}, reasoning=reasoning)

    stored = json.loads(json.dumps(message.to_dict(native=True)))

    assert "Hm." not in json.dumps(stored)
    assert sent(stored) == {"role": "assistant", "content": "Hi", **members}


@pytest.mark.parametrize(
    ("returns", "path"), [("reasoning", "returns"), (["thoughts"], "returns[0]")]
)
def test_a_manifest_names_only_known_members(returns, path):
    manifest = {"name": "wrong", "base_url": "http://wrong.example/v1", "returns": returns}

    with pytest.raises(specado.ConfigurationError) as caught:
        specado.register_manifest(manifest)

    assert caught.value.key == path


REASONING_PARTS = [
    {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
    {"type": "thinking", "thinking": "Hm.", "signature": "s"},
    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
]


@pytest.mark.parametrize("part", REASONING_PARTS)
@pytest.mark.parametrize("to", ["picky/m", "openai/gpt-4o", "anthropic/claude-opus-4-8"])
def test_reasoning_in_the_content_of_a_history_is_reasoning(part, to):
    message = {"role": "assistant", "content": [part, {"type": "text", "text": "Hi"}]}
    translation = next_turn(message, to, strictness="warn")

    items = [item for item in translation.report.items if item.severity != "None"]
    assert [(item.path, item.kind, item.severity) for item in items] == [
        ("messages[1].reasoning", "tuning", "Low")
    ]
    answer = json.loads(translation.body)["messages"][1]
    assert answer == {"role": "assistant", "content": [{"type": "text", "text": "Hi"}]}


def test_reasoning_in_content_beside_calls_leaves_only_the_calls():
    message = {"role": "assistant", "content": REASONING_PARTS[:1], "tool_calls": [CALL]}

    assert sent(message, "picky/m") == {"role": "assistant", "content": None, "tool_calls": [CALL]}
    assert sent(message) == message


SAID = {"type": "text", "text": "Hi"}
ORDERS = [
    *([part, SAID] for part in REASONING_PARTS),
    [REASONING_PARTS[0]],
    [SAID, REASONING_PARTS[0]],
    [REASONING_PARTS[0], SAID, REASONING_PARTS[2], SAID],
    [REASONING_PARTS[1], REASONING_PARTS[0], SAID],
]


@pytest.mark.parametrize("content", ORDERS)
def test_a_compatible_server_gets_reasoning_in_content_as_the_history_has_it(content):
    message = {"role": "assistant", "content": content}

    assert sent(message) == message
    assert lost(message) == []


def test_reasoning_in_content_beside_a_member_of_its_own_is_reported_where_it_is_not_sent():
    message = history(content=ORDERS[0], reasoning_content="So.")

    assert sent(message) == message
    assert sent(message, "picky/m") == history(content=[SAID], reasoning_content="So.")
    assert lost(message, "picky/m") == [("messages[1].content[0]", "Low")]


@pytest.mark.parametrize("to", ["anthropic/claude-opus-4-8", "gemini/gemini-2.5-pro"])
def test_a_loss_behind_reasoning_in_the_content_names_the_callers_part(to):
    odd = {"type": "text", "text": "Hi", "prompt_cache_breakpoint": {"mode": "explicit"}}
    content = [REASONING_PARTS[0], SAID, REASONING_PARTS[2], odd]
    message = {"role": "assistant", "content": content}

    assert ("messages[1].content[3].prompt_cache_breakpoint", "Low") in lost(message, to)


def test_a_malformed_part_behind_reasoning_in_the_content_is_named_by_its_place():
    message = {"role": "assistant", "content": [REASONING_PARTS[0], {"type": "text", "text": 5}]}

    with pytest.raises(specado.MessageFormatError, match=r"content\[1\]"):
        sent(message)


def test_a_server_that_takes_text_only_gets_no_reasoning_in_content():
    specado.register_manifest(
        {
            "name": "texts",
            "base_url": "http://texts.example/v1",
            "request_rules": {"text_content_only": True},
        }
    )
    message = {"role": "assistant", "content": ORDERS[0]}

    assert sent(message, "texts/m") == {"role": "assistant", "content": "Hi"}
    assert ("messages[1].reasoning", "Low") in lost(message, "texts/m")


@pytest.mark.parametrize("content", [*ORDERS[:4], ORDERS[6]])
def test_an_answer_with_reasoning_in_its_content_goes_back_so(content):
    message = reply(content=content)

    assert message.reasoning
    for given in (message, message.to_dict(native=True)):
        assert sent(given) == {"role": "assistant", "content": content}
        assert lost(given) == []
        for to in ("other/m-1", "picky/m", "openai/gpt-4o", "anthropic/claude-opus-4-8"):
            assert b"Hm." not in next_turn(given, to).body
            assert lost(given, to) == [("messages[1].reasoning", "Low")]


@pytest.mark.parametrize("content", ORDERS[4:6])
def test_an_answer_whose_reasoning_follows_text_goes_back_without_it(content):
    message = reply(content=content)

    assert sent(message) == {"role": "assistant", "content": message.content}
    assert lost(message) == [("messages[1].reasoning", "Low")]


def test_edits_of_an_answer_with_reasoning_in_its_content_count():
    content = ORDERS[0]
    changed, removed, retold = (reply(content=content) for _ in range(3))
    changed.content = "Hello"
    removed.reasoning = None
    retold.reasoning = "Redacted."

    hello = {"type": "text", "text": "Hello"}
    assert sent(changed)["content"] == [content[0], hello]
    assert sent(removed)["content"] == "Hi"
    assert sent(retold)["content"] == "Hi"
    assert lost(retold) == [("messages[1].reasoning", "Low")]


def streamed_contents(*contents):
    stream = OpenAIStream("compatible", "m-1", 1, max_frame_bytes=9999, max_reply_bytes=99999)
    for content in contents:
        choices = [{"index": 0, "delta": {"content": content}}]
        stream.feed(b"data: " + json.dumps({"choices": choices}).encode() + b"\n\n")
    stream.feed(b"data: [DONE]\n\n")
    message = stream.response()[0].choices[0].message
    if message.native is not None:
        tag = address_tag("http://compatible.example/v1")
        message.native = msgspec.structs.replace(message.native, tag=tag)
    return message


def mistrals(text, **more):
    return {"type": "thinking", "thinking": [{"type": "text", "text": text}], **more}


def summary(text, **more):
    return {"type": "reasoning", "summary": [{"type": "summary_text", "text": text, **more}]}


STREAMED_PARTS = [
    ([[mistrals("Hm")], [mistrals(".")], "Hi"], [mistrals("Hm.")]),
    ([[mistrals("Hm.")], [mistrals("", closed=True), SAID]], [mistrals("Hm.", closed=True)]),
    (
        [[mistrals("a", closed=True)], [mistrals("b", closed=True)], "Hi"],
        [mistrals("a", closed=True), mistrals("b", closed=True)],
    ),
    ([[summary("a"), summary("b")], "Hi"], [summary("ab")]),
    (
        [[{"type": "thinking", "thinking": each}] for each in "ab"]
        + [[{"type": "thinking", "thinking": "", "signature": "s"}], "Hi"],
        [{"type": "thinking", "thinking": "ab", "signature": "s"}],
    ),
    (
        [[summary("a", x=1)], [summary("b", x=2)], [mistrals("c")], "Hi"],
        [
            {
                "type": "reasoning",
                "summary": [
                    {"type": "summary_text", "text": "a", "x": 1},
                    {"type": "summary_text", "text": "b", "x": 2},
                ],
            },
            mistrals("c"),
        ],
    ),
]


@pytest.mark.parametrize(("contents", "parts"), STREAMED_PARTS)
def test_reasoning_in_the_content_of_a_stream_goes_back_in_its_parts(contents, parts):
    message = streamed_contents(*contents)

    assert sent(message) == {"role": "assistant", "content": [*parts, SAID]}
    assert lost(message) == []
    stored = message.to_dict(native=True)
    assert sent(stored) == {"role": "assistant", "content": [*parts, SAID]}


@pytest.mark.parametrize("contents", [("Hi", [mistrals("Hm.")]), ([SAID, mistrals("Hm.")],)])
def test_reasoning_behind_the_text_of_a_stream_is_reported(contents):
    message = streamed_contents(*contents)

    assert message.reasoning == "Hm."
    assert sent(message) == {"role": "assistant", "content": "Hi"}
    assert lost(message) == [("messages[1].reasoning", "Low")]


def test_reasoning_in_the_content_of_a_user_is_refused():
    request = {"model": "m", "messages": [{"role": "user", "content": REASONING_PARTS[:1]}]}

    with pytest.raises(specado.MessageFormatError, match="'thinking' is not a part type"):
        specado.translate(request, "compatible/m")


# Members of reasoning blocks that nobody documents, in streams


def streamed(*pieces, **options):
    """Return the message of a stream with these pieces of `reasoning_details`, each in a chunk."""
    stream = OpenAIStream("compatible", "m-1", 1, max_frame_bytes=9999, max_reply_bytes=99999)
    deltas = [{"reasoning_details": [piece]} for piece in pieces] + [{"content": "Hi"}]
    for delta in deltas:
        choices = [{"index": 0, "delta": delta, "finish_reason": None}]
        chunk = {"id": "a", "model": "m-1", "created": 1, "choices": choices, **options}
        stream.feed(b"data: " + json.dumps(chunk).encode() + b"\n\n")
    end = [{"index": 0, "delta": {}, "finish_reason": "stop"}]
    stream.feed(b"data: " + json.dumps({"choices": end}).encode() + b"\n\ndata: [DONE]\n\n")
    message = stream.response()[0].choices[0].message
    base_url = "http://compatible.example/v1"
    message.native = msgspec.structs.replace(message.native, tag=address_tag(base_url))
    return message


PIECE = {"type": "reasoning.text", "format": "f", "index": 0}


@pytest.mark.parametrize(
    ("pieces", "whole"),
    [
        (
            [{**PIECE, "text": "Lo", "novel": [1]}, {**PIECE, "text": "ng."}],
            [{**PIECE, "text": "Long.", "novel": [1]}],
        ),
        (
            [{**PIECE, "text": "Lo"}, {**PIECE, "text": "ng.", "novel": {"a": None}}],
            [{**PIECE, "text": "Long.", "novel": {"a": None}}],
        ),
        (
            [{**PIECE, "text": "Lo", "novel": 1}, {**PIECE, "text": "ng.", "novel": None}],
            [{**PIECE, "text": "Long.", "novel": 1}],
        ),
        (
            [{**PIECE, "text": "Lo", "novel": 1}, {**PIECE, "text": "ng.", "novel": 2}],
            [{**PIECE, "text": "Long.", "novel": 2}],
        ),
        (
            [{**PIECE, "text": "A", "a": 1}, {**PIECE, "index": 1, "text": "B", "b": "c"}],
            [{**PIECE, "text": "A", "a": 1}, {**PIECE, "index": 1, "text": "B", "b": "c"}],
        ),
        (
            [{"type": "reasoning.encrypted", "data": "ZA==", "novel": "x", "model": "m-0"}],
            [{"type": "reasoning.encrypted", "data": "ZA==", "novel": "x", "model": "m-0"}],
        ),
    ],
)
def test_members_of_streamed_reasoning_blocks_are_kept(pieces, whole):
    for options in ({}, {"created": None}):  # without `created` the chunks are read leniently
        message = streamed(*pieces, **options)

        assert sent(message)["reasoning_details"] == whole
        assert sent(message.to_dict(native=True))["reasoning_details"] == whole
    assert sent(reply(content="Hi", reasoning_details=whole))["reasoning_details"] == whole


def test_a_stored_entry_of_a_server_is_no_block_of_its_stream():
    entry = {"type": "specado.native", "blocks": [], "novel": 1}
    message = streamed(entry, {**PIECE, "text": "Long.", "novel": 2})

    assert sent(message)["reasoning_details"] == [{**PIECE, "text": "Long.", "novel": 2}]
