"""Requests to Bedrock: bodies that botocore's model accepts, and the form of each field."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import conversations
import official_bedrock
import specado
from bedrock_facts import ADAPTIVE, CLAUDE, GPT_OSS, LLAMA, NOVA, OWN, Sent, facts, send
from specado._core import normalize
from specado.dialects.registry import encode

USER = {"role": "user", "content": "Hello"}
PNG = "data:image/png;base64,iVBORw0KGgo="
PDF = "data:application/pdf;base64,JVBERi0="
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
CLOSED = {**SCHEMA, "additionalProperties": False}
MODELS = [None, CLAUDE, ADAPTIVE, NOVA, GPT_OSS, LLAMA]


def function(name: str = "f", **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": SCHEMA, **more}}


def calling(*ids: str, content: Any = None, name: str = "f") -> dict[str, Any]:
    return {
        "role": "assistant",
        "content": content,
        "tool_calls": [
            {"id": id_, "type": "function", "function": {"name": name, "arguments": '{"a": 1}'}}
            for id_ in ids
        ],
    }


def result(id_: str, content: Any = "done") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id_, "content": content}


def file(name: str | None = None, data: str = PDF, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"file_data": data, **more}
    if name is not None:
        given["filename"] = name
    return {"type": "file", "file": given}


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


def user(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(parts)}


def image(url: str, **more: Any) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, **more}}


@settings(max_examples=150)
@given(conversations.MESSAGES, conversations.PARAMS, st.sampled_from(MODELS))
def test_every_body_is_as_botocore_documents_it(messages: Any, params: Any, model: Any) -> None:
    conversation = normalize(messages)
    try:
        encoded = encode("bedrock_converse", conversation, "m", params, model, target=OWN)
    except specado.MessageFormatError:
        return

    assert official_bedrock.problems(encoded.body, is_stream=bool(params.get("stream"))) == []


def test_system_text_is_written_first() -> None:
    sent = send({"role": "system", "content": "Be brief."}, USER)

    assert sent.body["system"] == [{"text": "Be brief."}]
    assert sent.messages == [{"role": "user", "content": [{"text": "Hello"}]}]
    assert sent.losses == [("system.top_level", "messages[0].role")]


def test_a_later_system_message_becomes_user_text() -> None:
    sent = send(USER, {"role": "assistant", "content": "Hi"}, {"role": "system", "content": "s"})

    assert sent.messages[2] == {"role": "user", "content": [{"text": "s"}]}
    assert ("system.later", "messages[2].role") in sent.losses


def test_a_model_without_system_text_gets_it_from_the_user() -> None:
    sent = send({"role": "system", "content": "s"}, USER, to=LLAMA)

    assert sent.messages == [{"role": "user", "content": [{"text": "s"}, {"text": "Hello"}]}]
    assert ("system.later", "messages[0].role") in sent.losses


def test_neighbours_of_one_role_become_one_message() -> None:
    answers = [{"role": "assistant", "content": each} for each in ("a", "b")]

    sent = send(USER, USER, *answers, USER)

    assert [message["role"] for message in sent.messages] == ["user", "assistant", "user"]
    assert sent.messages[1]["content"] == [{"text": "a"}, {"text": "b"}]


@pytest.mark.parametrize("blank", ["", " \n", None])
def test_blank_text_is_left_out_or_replaced(blank: Any) -> None:
    empty = {"role": "assistant", "content": blank or ""}

    sent = send(USER, empty, {"role": "user", "content": [text(" "), text("b")]})

    assert sent.messages[1]["content"] == [{"text": "(empty)"}]
    assert sent.messages[2]["content"] == [{"text": "b"}]
    assert ("content.stand_in", "messages[1]") in sent.losses


def test_a_conversation_of_blank_text_is_a_loss() -> None:
    sent = send({"role": "user", "content": " "})

    assert sent.content == [{"text": "(empty)"}]
    assert ("messages.blank", "messages[0]") in sent.losses


def test_an_answer_at_the_end_loses_its_trailing_space() -> None:
    sent = send(USER, {"role": "assistant", "content": "It is \n"})

    assert sent.messages[1]["content"] == [{"text": "It is"}]
    assert ("assistant.trailing_space", "messages[1].content") in sent.losses


def test_a_model_without_prefill_gets_no_answer_at_the_end() -> None:
    sent = send(USER, {"role": "assistant", "content": "It is"}, to=ADAPTIVE)

    assert len(sent.messages) == 1
    assert ("assistant.last", "messages[1]") in sent.losses


# Media.


def test_images_are_written_by_their_format() -> None:
    sent = send(user(image(PNG), image("s3://bucket/a.jpg"), text("b")))

    assert sent.content == [
        {"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}},
        {"image": {"format": "jpeg", "source": {"s3Location": {"uri": "s3://bucket/a.jpg"}}}},
        {"text": "b"},
    ]


def test_an_image_has_the_format_that_its_bytes_say() -> None:
    sent = send(user(image("data:image/jpeg;base64,iVBORw0KGgo=")))

    assert sent.content[0]["image"]["format"] == "png"
    assert ("media_type.corrected", "messages[0].content[0]") in sent.losses


@pytest.mark.parametrize("url", ["https://a.example/b.png", "http://a.example/b.png"])
def test_no_url_is_fetched(url: str) -> None:
    sent = send(user(text("a"), image(url)))

    assert sent.content == [{"text": "a"}]
    assert ("media.uri_unsupported", "messages[0].content[1]") in sent.losses


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        ("application/pdf", "pdf"), ("text/csv", "csv"), ("application/msword", "doc"),
        ("text/html", "html"), ("text/plain", "txt"), ("text/markdown", "md"),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
        ("text/x-python", "txt"), ("application/json", "txt"),
    ],
)  # fmt: skip
def test_documents_are_written_by_their_format(media: str, expected: str) -> None:
    sent = send(user(text("a"), file("b", f"data:{media};base64,AAAA")))

    assert sent.content[1] == {
        "document": {"format": expected, "name": "b", "source": {"bytes": "AAAA"}}
    }


def test_a_file_of_another_type_is_a_loss() -> None:
    sent = send(user(text("a"), file("b", "data:application/zip;base64,AAAA")))

    assert sent.content == [{"text": "a"}]
    assert ("document.format", "messages[0].content[1]") in sent.losses


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("a", "a"), ("Report (1) [final]", "Report (1) [final]"), ("a_b.pdf", "a-b-pdf"),
        ("a \t b", "a b"), (" a ", "a"), ("über", "-ber"), ("...", "-"), ("", "document"),
        ("a" * 300, "a" * 200),
    ],
)  # fmt: skip
def test_names_of_documents_are_cleaned(given: str, expected: str) -> None:
    sent = send(user(text("a"), file(given)))

    assert sent.content[1]["document"]["name"] == expected
    changed = ("document.name", "messages[0].content[1].file.filename")
    assert (changed in sent.losses) is (given != expected)


def test_names_of_documents_differ_over_the_request() -> None:
    sent = send(
        user(text("a"), file("b.c"), file("b_c")), {"role": "assistant", "content": "d"},
        user(text("e"), file("b-c"), file()),
    )  # fmt: skip

    found = [
        block["document"]["name"]
        for message in sent.messages
        for block in message["content"]
        if "document" in block
    ]
    assert found == ["b-c", "b-c 2", "b-c 3", "document"]


def test_a_document_has_text_beside_it() -> None:
    sent = send(user(file("a")))

    assert sent.content[1] == {"text": "See the attached document."}
    assert ("document.text", "messages[0]") in sent.losses


def test_sounds_and_videos_have_blocks_of_their_own() -> None:
    sound = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}}
    sent = send(user(sound, file("a", "data:video/quicktime;base64,AAAA"), text("b")))

    assert sent.content[:2] == [
        {"audio": {"format": "mp3", "source": {"bytes": "AAAA"}}},
        {"video": {"format": "mov", "source": {"bytes": "AAAA"}}},
    ]


# Tools.


def test_tools_are_written_with_their_schemas() -> None:
    sent = send(USER, tools=[function(description="d"), function("g", description=" ")])

    assert sent.body["toolConfig"] == {
        "tools": [
            {"toolSpec": {"name": "f", "description": "d", "inputSchema": {"json": SCHEMA}}},
            {"toolSpec": {"name": "g", "inputSchema": {"json": SCHEMA}}},
        ]
    }


def test_results_of_one_turn_stand_together_before_other_content() -> None:
    sent = send(USER, calling("a", "b"), result("b"), USER, result("a"), tools=[function()])

    assert sent.messages[2]["content"] == [
        {"toolResult": {"toolUseId": "a", "content": [{"text": "done"}]}},
        {"toolResult": {"toolUseId": "b", "content": [{"text": "done"}]}},
        {"text": "Hello"},
    ]
    assert ("tool.result_late", "messages[4]") in sent.losses


def test_results_stand_alone_where_the_model_wants_that() -> None:
    sent = send(USER, calling("a"), result("a", [text("b"), image(PNG)]), USER, to=LLAMA)

    assert sent.messages[2:] == [
        {
            "role": "user",
            "content": [{"toolResult": {"toolUseId": "a", "content": [{"text": "b"}]}}],
        },
        {
            "role": "user",
            "content": [
                {"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}},
                {"text": "Hello"},
            ],
        },
    ]
    assert ("media.moved", "messages[2].content[1]") in sent.losses


def test_a_call_without_a_result_gets_one() -> None:
    sent = send(USER, calling("a", "b"), result("b"), USER)

    assert sent.messages[2]["content"][0] == {
        "toolResult": {"toolUseId": "a", "content": [{"text": "no result"}], "status": "error"}
    }
    assert ("tool.result_missing", "messages[1].tool_calls[0]") in sent.losses


@pytest.mark.parametrize("content", ["", " ", [{"type": "text", "text": ""}]])
def test_a_blank_result_gets_a_placeholder(content: Any) -> None:
    sent = send(USER, calling("a"), result("a", content))

    [block] = sent.messages[2]["content"]
    assert block["toolResult"]["content"] == [{"text": "(empty)"}]


def test_tools_of_the_history_are_declared() -> None:
    sent = send(USER, calling("a", name="search"), result("a"))

    assert sent.body["toolConfig"] == {
        "tools": [{"toolSpec": {"name": "search", "inputSchema": {"json": {"type": "object"}}}}]
    }
    assert ("tools.declared", "tools") in sent.losses


def test_a_name_is_cleaned_in_specs_history_and_choice_alike() -> None:
    odd, plain = "$READ.file", "READ_file"
    sent = send(
        USER, calling("a", name=odd), result("a"), tools=[function(odd), function(plain)],
        tool_choice={"type": "function", "function": {"name": odd}},
    )  # fmt: skip

    [first, second] = [tool["toolSpec"]["name"] for tool in sent.body["toolConfig"]["tools"]]
    assert sent.messages[1]["content"][0]["toolUse"]["name"] == first
    assert sent.body["toolConfig"]["toolChoice"] == {"tool": {"name": first}}
    assert (second, first != plain) == (plain, True)
    assert sent.encoded.tool_names == {first: odd}


@pytest.mark.parametrize("id_", ["a b", "é", "a" * 65, "a/b"])
def test_an_id_has_the_allowed_form_in_call_and_result(id_: str) -> None:
    sent = send(USER, calling(id_), result(id_))

    made = sent.messages[1]["content"][0]["toolUse"]["toolUseId"]
    assert sent.messages[2]["content"][0]["toolResult"]["toolUseId"] == made != id_
    assert ("tool_call.id", "messages[1].tool_calls[0].id") in sent.losses
    assert ("tool_call.id", "messages[2].tool_call_id") in sent.losses


@pytest.mark.parametrize("id_", ["tooluse_a", "call.a:b-c", "a" * 64])
def test_an_allowed_id_is_kept(id_: str) -> None:
    sent = send(USER, calling(id_), result(id_))

    assert sent.messages[1]["content"][0]["toolUse"]["toolUseId"] == id_


def test_arguments_are_an_object() -> None:
    with pytest.raises(specado.MessageFormatError, match="not a JSON object"):
        send(USER, {"role": "assistant", "content": None, "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": "[1]"}}
        ]})  # fmt: skip


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("auto", {"auto": {}}),
        ("required", {"any": {}}),
        ({"type": "function", "function": {"name": "f"}}, {"tool": {"name": "f"}}),
    ],
)
def test_a_tool_choice_has_its_counterpart(given: Any, expected: Any) -> None:
    sent = send(USER, tools=[function()], tool_choice=given)

    assert sent.body["toolConfig"]["toolChoice"] == expected
    assert sent.losses == []


def test_no_tool_is_offered_where_none_may_be_called() -> None:
    sent = send(USER, tools=[function()], tool_choice="none")

    assert "toolConfig" not in sent.body
    assert sent.losses == [("tools.withheld", "tools")]


def test_tools_stay_where_the_history_needs_them() -> None:
    sent = send(USER, calling("a"), result("a"), tools=[function()], tool_choice="none")

    assert "toolChoice" not in sent.body["toolConfig"]
    assert ("tool_choice.none", "tool_choice") in sent.losses


def test_a_model_that_takes_no_choice_gets_none() -> None:
    auto = send(USER, to=GPT_OSS, tools=[function()], tool_choice="auto")
    forced = send(USER, to=GPT_OSS, tools=[function()], tool_choice="required")

    assert "toolChoice" not in auto.body["toolConfig"]
    assert auto.losses == []
    assert "toolChoice" not in forced.body["toolConfig"]
    assert forced.losses == [("tool_choice.model", "tool_choice")]


def test_no_tool_is_forced_while_the_model_thinks() -> None:
    sent = send(USER, to=CLAUDE, tools=[function()], tool_choice="required", reasoning_effort="low")

    assert sent.body["toolConfig"]["toolChoice"] == {"auto": {}}
    assert ("tool_choice.thinking", "tool_choice") in sent.losses


def test_allowed_tools_are_the_tools_that_are_sent() -> None:
    allowed = {"mode": "required", "tools": [{"type": "function", "function": {"name": "g"}}]}
    sent = send(
        USER, tools=[function(), function("g")],
        tool_choice={"type": "allowed_tools", "allowed_tools": allowed},
    )  # fmt: skip

    assert [tool["toolSpec"]["name"] for tool in sent.body["toolConfig"]["tools"]] == ["g"]
    assert sent.body["toolConfig"]["toolChoice"] == {"any": {}}


def test_parallel_calls_are_forbidden_where_the_model_takes_that() -> None:
    found = [
        send(USER, to=to, tools=[function()], parallel_tool_calls=False)
        for to in (CLAUDE, LLAMA, None)
    ]

    assert found[0].body["additionalModelRequestFields"] == {
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}
    }
    assert [sent.losses for sent in found] == [
        [],
        [("parallel_tool_calls.never", "parallel_tool_calls")],
        [("parallel_tool_calls.many", "parallel_tool_calls")],
    ]


def test_a_strict_tool_is_enforced_where_the_model_does_that() -> None:
    tools = [function(strict=True)]

    enforced, dropped = send(USER, to=CLAUDE, tools=tools), send(USER, tools=tools)

    assert enforced.body["toolConfig"]["tools"][0]["toolSpec"] == {
        "name": "f", "inputSchema": {"json": CLOSED}, "strict": True,
    }  # fmt: skip
    assert "strict" not in dropped.body["toolConfig"]["tools"][0]["toolSpec"]
    assert dropped.losses == [("tool.strict", "tools[0].function.strict")]


def test_at_most_twenty_tools_are_strict() -> None:
    tools = [function(f"f{place}", strict=True) for place in range(21)]

    sent = send(USER, to=CLAUDE, tools=tools)

    strict = [tool["toolSpec"].get("strict") for tool in sent.body["toolConfig"]["tools"]]
    assert strict == [True] * 20 + [None]
    assert ("tool.strict_limit", "tools[20].function.strict") in sent.losses


def test_a_web_search_is_a_tool_of_the_service() -> None:
    sent, other = send(USER, to=NOVA, web_search_options={}), send(USER, web_search_options={})

    assert sent.body["toolConfig"]["tools"] == [{"systemTool": {"name": "nova_grounding"}}]
    assert "toolConfig" not in other.body
    assert other.losses == [("web_search.model", "web_search_options")]


# The form of the answer.

FORMAT = {
    "type": "json_schema",
    "json_schema": {"name": "n", "description": "d", "schema": SCHEMA, "strict": True},
}


def test_a_schema_is_json_text_where_the_model_enforces_it() -> None:
    sent = send(USER, to=CLAUDE, response_format=FORMAT)

    form = sent.body["outputConfig"]["textFormat"]
    asked = form["structure"]["jsonSchema"]
    assert (form["type"], asked["name"], asked["description"]) == ("json_schema", "n", "d")
    assert json.loads(asked["schema"]) == CLOSED
    assert sent.encoded.answer_tool is None


@pytest.mark.parametrize(
    ("to", "choice"),
    [(None, {"tool": {"name": "structured_output"}}), (facts(tool_choices=("any",)), {"any": {}})],
)
def test_a_schema_is_a_forced_tool_elsewhere(to: Any, choice: Any) -> None:
    sent = send(USER, to=to, response_format=FORMAT)

    assert sent.encoded.answer_tool == "structured_output"
    assert sent.body["toolConfig"] == {
        "tools": [
            {
                "toolSpec": {
                    "name": "structured_output",
                    "description": "d",
                    "inputSchema": {"json": SCHEMA},
                }
            }
        ],
        "toolChoice": choice,
    }


def test_a_schema_that_cannot_be_had_is_a_loss() -> None:
    for sent in (
        send(USER, to=GPT_OSS, response_format=FORMAT),
        send(USER, response_format=FORMAT, tools=[function()]),
    ):
        assert ("response_format.conflict", "response_format") in sent.losses


@pytest.mark.parametrize("to", [None, LLAMA])
def test_json_mode_is_an_instruction(to: Any) -> None:
    sent = send(USER, to=to, response_format={"type": "json_object"})

    assert "Answer with one JSON object" in json.dumps(sent.body)
    assert ("response_format.json_object", "response_format") in sent.losses


# Reasoning, by the model's family.


def more(sent: Sent) -> Any:
    return sent.body.get("additionalModelRequestFields")


def test_thinking_has_a_budget_of_the_limit() -> None:
    sent = send(USER, to=CLAUDE, reasoning_effort="medium", max_tokens=10_000, temperature=0.5)

    assert more(sent) == {"thinking": {"type": "enabled", "budget_tokens": 5000}}
    assert sent.body["inferenceConfig"] == {"maxTokens": 10_000}
    assert ("sampling.thinking", "temperature") in sent.losses


def test_a_budget_without_a_limit_sets_one() -> None:
    whole = send(USER, to=CLAUDE, reasoning_effort="high")
    streamed = send(USER, to=CLAUDE, reasoning_effort="high", stream=True)

    assert whole.body["inferenceConfig"] == {"maxTokens": 21_333}
    assert streamed.body["inferenceConfig"] == {"maxTokens": 64_000}
    assert ("max_tokens.default", "max_tokens") in whole.losses


def test_a_budget_needs_room_and_a_history_that_thought() -> None:
    tight = send(USER, to=CLAUDE, reasoning_effort="high", max_tokens=1024)
    begun = send(USER, calling("a"), result("a"), to=CLAUDE, reasoning_effort="high")

    assert (more(tight), more(begun)) == (None, None)
    assert ("reasoning_effort.no_room", "reasoning_effort") in tight.losses
    assert ("reasoning_effort.history", "reasoning_effort") in begun.losses


@pytest.mark.parametrize(
    ("to", "effort", "expected"),
    [
        (ADAPTIVE, "xhigh",
         {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}),
        (ADAPTIVE, "none", {"thinking": {"type": "disabled"}}),
        (facts(thinking="always"), "low", {"output_config": {"effort": "low"}}),
        (facts(thinking="always"), "none", None),
        (GPT_OSS, "minimal", {"reasoning_effort": "low"}),
        (GPT_OSS, "none", None),
        (NOVA, "high", {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}}),
        (NOVA, "none", {"reasoningConfig": {"type": "disabled"}}),
        (CLAUDE, "none", None),
        (LLAMA, "high", None),
        (None, "high", None),
    ],
)  # fmt: skip
def test_an_effort_has_the_form_of_the_models_family(to: Any, effort: str, expected: Any) -> None:
    assert more(send(USER, to=to, reasoning_effort=effort)) == expected


# Cache points.

CACHED = {"cache_control": {"type": "ephemeral"}}
HOUR = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
POINT = {"cachePoint": {"type": "default"}}


def test_cache_points_follow_their_blocks() -> None:
    sent = send(
        {"role": "system", "content": [text("s", **HOUR)]}, user(text("a", **CACHED), text("b")),
        to=CLAUDE, tools=[{**function(), **HOUR}],
    )  # fmt: skip

    hour = {"cachePoint": {"type": "default", "ttl": "1h"}}
    assert sent.body["system"] == [{"text": "s"}, hour]
    assert sent.content == [{"text": "a"}, POINT, {"text": "b"}]
    assert sent.body["toolConfig"]["tools"][1] == hour


def test_a_message_has_its_cache_point_after_its_last_block() -> None:
    sent = send({**USER, **CACHED}, calling("a"), {**result("a"), **CACHED}, to=CLAUDE)

    assert sent.content == [{"text": "Hello"}, POINT]
    assert sent.messages[2]["content"][1] == POINT


def test_only_the_last_four_cache_points_are_sent() -> None:
    sent = send(user(*[text(str(place), **CACHED) for place in range(6)]), to=CLAUDE)

    assert [next(iter(block)) for block in sent.content] == [
        "text", "text", *["text", "cachePoint"] * 4,
    ]  # fmt: skip
    assert ("cache_control.most", "messages[0].content[0].cache_control") in sent.losses


def test_a_longer_cache_point_after_a_shorter_one_is_shortened() -> None:
    sent = send(user(text("a", **CACHED), text("b", **HOUR)), to=CLAUDE)

    assert sent.content[3] == {"cachePoint": {"type": "default", "ttl": "5m"}}
    assert ("cache_control.order", "messages[0].content[1].cache_control.ttl") in sent.losses


def test_models_without_cache_points_get_none() -> None:
    none, short = (send(user(text("a", **HOUR)), to=to) for to in (LLAMA, NOVA))

    assert none.content == [{"text": "a"}]
    assert ("cache_control.model", "messages[0].content[0].cache_control") in none.losses
    assert short.content == [{"text": "a"}, POINT]
    assert ("cache_control.model", "messages[0].content[0].cache_control.ttl") in short.losses


# The rest.


def test_sampling_has_its_places() -> None:
    sent = send(USER, temperature=1.5, top_p=0.9, max_tokens=5, stop=["a", " "])

    assert sent.body["inferenceConfig"] == {
        "maxTokens": 5, "temperature": 1, "topP": 0.9, "stopSequences": ["a"],
    }  # fmt: skip
    assert sent.losses == [("temperature.above_one", "temperature"), ("stop.blank", "stop[1]")]


def test_temperature_and_top_p_exclude_each_other_on_some_models() -> None:
    sent = send(USER, to=CLAUDE, temperature=0.5, top_p=0.9)

    assert sent.body["inferenceConfig"] == {"temperature": 0.5}
    assert sent.losses == [("sampling.both", "top_p")]


def test_more_stop_sequences_than_the_model_takes_are_left_out() -> None:
    sent = send(USER, to=LLAMA, stop=list("abcde"))

    assert sent.body["inferenceConfig"]["stopSequences"] == list("abcd")
    assert ("stop.model_most", "stop[4]") in sent.losses


def test_metadata_is_sent_where_its_form_fits() -> None:
    many = {f"k{place}": "v" for place in range(17)}

    sent = send(USER, metadata={"a b": "c/d", "é": "x", "e": "f!"})

    assert sent.body["requestMetadata"] == {"a b": "c/d"}
    assert sent.losses == [("metadata.form", "metadata.é"), ("metadata.form", "metadata.e")]
    assert len(send(USER, metadata=many).body["requestMetadata"]) == 16


@pytest.mark.parametrize(
    ("given", "expected"),
    [("auto", None), ("default", "default"), ("flex", "flex"), ("priority", "priority"),
     ("scale", None)],
)  # fmt: skip
def test_a_service_tier_is_sent_by_its_name(given: str, expected: Any) -> None:
    sent = send(USER, service_tier=given)

    assert sent.body.get("serviceTier", {}).get("type") == expected
    assert sent.losses == ([("service_tier", "service_tier")] if given == "scale" else [])


def test_an_extra_body_adds_to_the_members_that_hold_settings() -> None:
    extra = {
        "guardrailConfig": {"guardrailIdentifier": "abc", "guardrailVersion": "1"},
        "additionalModelRequestFields": {"top_k": 20},
        "inferenceConfig": {"topP": 0.5},
        "performanceConfig": {"latency": "optimized"},
    }
    params = {"reasoning_effort": "low", "max_tokens": 9000}
    encoded = encode("bedrock_converse", normalize([USER]), "m", params, ADAPTIVE, extra_body=extra)

    body = json.loads(encoded.body)
    assert official_bedrock.problems(encoded.body) == []
    assert body["additionalModelRequestFields"]["top_k"] == 20
    assert body["additionalModelRequestFields"]["thinking"] == {"type": "adaptive"}
    assert body["inferenceConfig"] == {"maxTokens": 9000, "topP": 0.5}
    assert body["guardrailConfig"]["guardrailIdentifier"] == "abc"


@pytest.mark.parametrize(
    "model",
    [
        "amazon.nova-micro-v1:0",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/mi1dadi0g15f",
        "arn:aws:sagemaker:us-east-1:1:endpoint/a b",
    ],
)
@pytest.mark.parametrize("is_stream", [False, True])
def test_the_url_and_body_are_those_that_botocore_sends(model: str, is_stream: bool) -> None:
    from specado.dialects.bedrock_converse.requests import path

    body = send(user(image(PNG), text("a")), calling("a"), result("a")).encoded.body

    assert official_bedrock.request_of(model, body, is_stream=is_stream) == (
        path(model, is_stream),
        json.loads(body),
    )
