"""Requests of the Responses dialect: items, flat tools, and each parameter's place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations import MESSAGES, PARAMS
from official import problems
from responses_core import encode_responses_request, encoded, items_of
from specado._core import normalize
from specado.catalog import lookup as catalog
from specado.catalog.lookup import RequestRules
from specado.dialects.registry import encode
from specado.errors import MessageFormatError
from specado.losses.rows import ROWS

MODELS = ("gpt-4o", "gpt-4.1", "o3", "gpt-5", "gpt-5.4")
FACTS = [None, *(catalog.find_model("openai", model) for model in MODELS)]
USER = {"role": "user", "content": "Hello"}
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
FUNCTION = {"type": "function", "function": {"name": "f", "parameters": SCHEMA}}
STORE = ("store.default", "store")
RULES = RequestRules(
    complete_schemas=True, tool_name_characters=64, call_id_characters=40, user_characters=64
)


def call(id_: str = "c1", arguments: str = '{"a": 1}') -> dict[str, Any]:
    return {"id": id_, "type": "function", "function": {"name": "f", "arguments": arguments}}


def custom(id_: str = "c2") -> dict[str, Any]:
    return {"id": id_, "type": "custom", "custom": {"name": "g", "input": "1 + 1"}}


def result(id_: str = "c1", content: Any = "ok") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id_, "content": content}


def part(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, **more}


@pytest.mark.no_cover
@given(MESSAGES, PARAMS, st.sampled_from(FACTS), st.sampled_from([None, RULES]))
def test_bodies_are_what_the_package_types_say(
    messages: Any, parameters: Any, facts: Any, rules: Any
) -> None:
    body, losses = encode_responses_request(normalize(messages), "m", parameters, facts, rules)

    assert problems("responses-request", body) == []
    assert {row for row, _, _, _ in losses} <= set(ROWS)


# Messages.


def test_a_conversation_becomes_items() -> None:
    body, losses = encoded(
        [
            {"role": "system", "content": "Be brief."},
            USER,
            {"role": "assistant", "content": "Hi."},
            {"role": "developer", "content": "Now in French."},
            USER,
        ]
    )

    assert body == {
        "model": "m",
        "input": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": "Hi."},
            {"role": "developer", "content": "Now in French."},
            {"role": "user", "content": "Hello"},
        ],
        "store": False,
    }
    assert losses == [STORE]


def test_calls_and_their_results_are_items_of_their_own() -> None:
    asked = {"role": "assistant", "content": "Let me see.", "tool_calls": [call(), custom()]}
    parts = [part("text", text="2"), part("image_url", image_url={"url": "https://a/b.png"})]

    assert items_of(USER, asked, result(), result("c2", parts)) == [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Let me see."},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a": 1}'},
        {"type": "custom_tool_call", "call_id": "c2", "name": "g", "input": "1 + 1"},
        {"type": "function_call_output", "call_id": "c1", "output": "ok"},
        {
            "type": "custom_tool_call_output",
            "call_id": "c2",
            "output": [
                {"type": "input_text", "text": "2"},
                {"type": "input_image", "image_url": "https://a/b.png", "detail": "auto"},
            ],
        },
    ]


@pytest.mark.parametrize("content", [None, "", [{"type": "text", "text": ""}]])
def test_an_answer_without_text_is_only_its_calls(content: Any) -> None:
    asked = {"role": "assistant", "content": content, "tool_calls": [call()]}

    assert [item.get("type") for item in items_of(USER, asked, result())] == [
        None,
        "function_call",
        "function_call_output",
    ]


def test_parts_of_a_user_message() -> None:
    data = "data:image/png;base64,iVBORw0KGgo="
    content = [
        part("text", text="a", prompt_cache_breakpoint={"mode": "explicit"}),
        part("image_url", image_url={"url": data, "detail": "high"}),
        part("file", file={"file_data": "data:application/pdf;base64,JVBERg==", "filename": "x"}),
        part("file", file={"file_data": "JVBERi0x"}),
        part("file", file={"file_id": "file-1"}),
    ]
    body, losses = encoded([{"role": "user", "content": content}])

    assert body["input"][0]["content"] == [
        {"type": "input_text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit"}},
        {"type": "input_image", "image_url": data, "detail": "high"},
        {
            "type": "input_file",
            "filename": "x",
            "file_data": "data:application/pdf;base64,JVBERg==",
        },
        {
            "type": "input_file",
            "filename": "file.pdf",
            "file_data": "data:application/pdf;base64,JVBERi0x",
        },
        {"type": "input_file", "file_id": "file-1"},
    ]
    assert losses == [("file.name", "messages[0].content[3].file.filename"), STORE]


@pytest.mark.parametrize(
    ("message", "row", "path"),
    [
        ({**USER, "name": "Ann"}, "message.name", "name"),
        ({**USER, "zz": 1}, "message.unknown_key", "zz"),
        ({**USER, "cache_control": {"type": "ephemeral"}}, "cache_control.openai", "cache_control"),
        ({"role": "critic", "content": "x"}, "role.unknown", "role"),
        ({"role": "assistant", "content": "x", "audio": {"id": "a"}}, "assistant.audio", "audio"),
        (
            {"role": "assistant", "content": "x", "annotations": [{"type": "url_citation"}]},
            "message.annotations",
            "annotations",
        ),
        ({"role": "assistant", "content": "x", "reasoning": "hm"}, "reasoning.openai", "reasoning"),
        ({"role": "assistant", "content": None, "refusal": "No."}, "assistant.refusal", "refusal"),
        (
            {"role": "assistant", "content": "", "function_call": {"name": "f", "arguments": ""}},
            "functions",
            "function_call",
        ),
        (
            {"role": "user", "content": [part("text", text="a", zz=1)]},
            "part.unknown_key",
            "content[0].zz",
        ),
        (
            {"role": "user", "content": [
                part("input_audio", input_audio={"data": "UklGRg==", "format": "wav"})]},
            "input.audio",
            "content[0]",
        ),
        (
            {"role": "user", "content": [
                part("file", file={"file_data": "data:audio/mpeg;base64,AAAA", "filename": "x"})]},
            "input.audio",
            "content[0]",
        ),
        (
            {"role": "user", "content": [
                part("file", file={"file_data": "data:video/mp4;base64,AAAA", "filename": "x"})]},
            "input.video",
            "content[0]",
        ),
        (
            {"role": "assistant", "content": [part("text", text="a"), part("text", text="b")]},
            "content.joined",
            "content",
        ),
        ({"role": "function", "name": "f", "content": "x"}, "functions", ""),
    ],
)  # fmt: skip
def test_what_a_message_loses(message: dict[str, Any], row: str, path: str) -> None:
    body, losses = encoded([USER, message])

    assert losses == [(row, f"messages[1].{path}" if path else "messages[1]"), STORE]
    assert problems("responses-request", json.dumps(body)) == []


def test_a_message_of_only_what_is_not_taken_is_empty() -> None:
    sound = part("input_audio", input_audio={"data": "UklGRg==", "format": "wav"})

    assert items_of({"role": "user", "content": [sound]}) == [{"role": "user", "content": ""}]


def test_a_model_has_its_own_name_for_the_system() -> None:
    body, losses = encoded([{"role": "developer", "content": "x"}, USER], "gpt-4o", known=True)

    only = catalog.find_model("openai", "gpt-4o").traits.system_role
    assert body["input"][0]["role"] == (only or "developer")
    assert (("role.system_name", "messages[0].role") in losses) is (only == "system")


def test_repeated_ids_are_told_apart() -> None:
    asked = {"role": "assistant", "content": None, "tool_calls": [call()]}
    body, losses = encoded([USER, asked, result(), asked, result()])
    ids = [item["call_id"] for item in body["input"] if "call_id" in item]

    assert ids[:2] == ["c1", "c1"]
    assert ids[2] == ids[3] != "c1"
    assert ("tool_call.repeated_id", "messages[3].tool_calls[0].id") in losses


def test_names_and_ids_that_the_servers_refuse_are_replaced() -> None:
    long = {**call("i" * 50), "function": {"name": "a.b", "arguments": "{}"}}
    tool = {"type": "function", "function": {"name": "a.b"}}
    body, losses = encoded(
        [USER, {"role": "assistant", "content": None, "tool_calls": [long]}, result("i" * 50)],
        rules=RULES,
        tools=[tool],
        tool_choice=tool,
        user="u" * 65,
    )
    made = body["tools"][0]["name"]

    assert made != "a.b"
    assert (body["input"][1]["name"], body["tool_choice"]["name"]) == (made, made)
    assert body["input"][1]["call_id"] == body["input"][2]["call_id"] != "i" * 50
    assert len(body["user"]) == 64
    assert {row for row, _ in losses} == {
        "tool_call.id",
        "tool_call.name",
        "tool.name",
        "strict.default",
        "user.hashed",
        "store.default",
    }


# Parameters.


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"max_tokens": 100}, {"max_output_tokens": 100}),
        ({"max_completion_tokens": 100}, {"max_output_tokens": 100}),
        ({"reasoning_effort": "none"}, {"reasoning": {"effort": "none"}}),
        ({"verbosity": "low"}, {"text": {"verbosity": "low"}}),
        ({"response_format": {"type": "text"}}, {"text": {"format": {"type": "text"}}}),
        (
            {"response_format": {"type": "json_object"}, "verbosity": "high"},
            {"text": {"format": {"type": "json_object"}, "verbosity": "high"}},
        ),
        (
            {"response_format": {"type": "json_schema", "json_schema": {
                "name": "n", "description": "d", "schema": SCHEMA, "strict": True}}},
            {"text": {"format": {"type": "json_schema", "name": "n", "description": "d",
                                 "schema": SCHEMA, "strict": True}}},
        ),
        ({"logprobs": True}, {"include": ["message.output_text.logprobs"]}),
        (
            {"logprobs": True, "top_logprobs": 2},
            {"include": ["message.output_text.logprobs"], "top_logprobs": 2},
        ),
        ({"logprobs": False}, {}),
        (
            {"reasoning_effort": "high"},
            {"reasoning": {"effort": "high"}, "include": ["reasoning.encrypted_content"]},
        ),
        ({"stream": True}, {"stream": True}),
        ({"stream": False}, {}),
        ({"stream": True, "stream_options": {"include_usage": True}}, {"stream": True}),
        (
            {"stream": True, "stream_options": {"include_obfuscation": False}},
            {"stream": True, "stream_options": {"include_obfuscation": False}},
        ),
        ({"temperature": 0.2, "top_p": 0.5}, {"temperature": 0.2, "top_p": 0.5}),
        ({"parallel_tool_calls": False}, {"parallel_tool_calls": False}),
        ({"n": 1, "modalities": ["text"], "logit_bias": {}, "frequency_penalty": 0}, {}),
        *[
            ({name: value}, {name: value})
            for name, value in {
                "service_tier": "flex",
                "metadata": {"a": "b"},
                "user": "u",
                "safety_identifier": "s",
                "prompt_cache_key": "k",
                "prompt_cache_options": {"mode": "explicit"},
                "prompt_cache_retention": "24h",
                "moderation": {"model": "omni-moderation-latest"},
            }.items()
        ],
    ],
)  # fmt: skip
def test_parameters_have_their_place(given: dict[str, Any], sent: dict[str, Any]) -> None:
    body, losses = encoded([USER], **given)

    assert body == {"model": "m", "input": [USER], **sent, "store": False}
    assert losses == [STORE]
    assert problems("responses-request", json.dumps(body)) == []


@pytest.mark.parametrize("stored", [True, False])
def test_store_is_as_asked(stored: bool) -> None:
    body, losses = encoded([USER], store=stored, reasoning_effort="high")

    assert body["store"] is stored
    # Hidden reasoning cannot be asked for with a stored response.
    assert ("include" in body) is not stored
    assert losses == []


@pytest.mark.parametrize(
    ("given", "row", "path"),
    [
        ({"n": 2}, "n", "n"),
        ({"stop": "x"}, "stop", "stop"),
        ({"seed": 1}, "seed", "seed"),
        ({"frequency_penalty": 1}, "penalty", "frequency_penalty"),
        ({"presence_penalty": 1}, "penalty", "presence_penalty"),
        ({"logit_bias": {"5": 1}}, "logit_bias", "logit_bias"),
        ({"prediction": {"type": "content", "content": "x"}}, "prediction", "prediction"),
        ({"modalities": ["text", "audio"]}, "audio.output", "modalities"),
        ({"audio": {"voice": "v", "format": "wav"}}, "audio.output", "audio"),
        ({"functions": [{"name": "f"}]}, "functions", "functions"),
        ({"function_call": "auto"}, "functions", "function_call"),
        ({"zz": 1}, "param.unknown", "zz"),
        ({"stream_options": {"zz": 1}}, "stream_options", "stream_options.zz"),
    ],
)
def test_parameters_without_a_place_are_reported(
    given: dict[str, Any], row: str, path: str
) -> None:
    body, losses = encoded([USER], **given)

    assert body == {"model": "m", "input": [USER], "store": False}
    assert losses == [(row, path), STORE]


@pytest.mark.parametrize(
    ("given", "known", "sent", "losses"),
    [
        ({"max_tokens": 5}, None, 16, [("max_tokens.below_limit", "max_tokens")]),
        ({"max_completion_tokens": 15}, None, 16,
         [("max_tokens.below_limit", "max_completion_tokens")]),
        ({"max_tokens": 16}, None, 16, []),
        ({"max_tokens": 10**7}, None, 10**7, []),
        ({"max_tokens": 10**7}, "gpt-4o", 16384, [("max_tokens.above_limit", "max_tokens")]),
        ({"max_tokens": 50, "max_completion_tokens": 40}, None, 40,
         [("max_tokens.twice", "max_tokens")]),
    ],
)  # fmt: skip
def test_the_limit_of_tokens(given: Any, known: Any, sent: int, losses: Any) -> None:
    body, found = encoded([USER], known or "m", known=known is not None, **given)

    assert body["max_output_tokens"] == sent
    assert found == [*losses, STORE]


@pytest.mark.parametrize(
    ("model", "given", "losses"),
    [
        ("gpt-5", {"temperature": 0.2}, [("sampling.unsupported", "temperature")]),
        ("gpt-5.4", {"temperature": 0.2, "reasoning_effort": "high"},
         [("sampling.thinking", "temperature")]),
        ("gpt-5.4", {"temperature": 0.2}, []),
        ("gpt-5", {"temperature": 1}, []),
        ("gpt-4o", {"reasoning_effort": "high"},
         [("reasoning_effort.unsupported", "reasoning_effort")]),
        ("gpt-4o", {"reasoning_effort": "none"}, [("reasoning_effort.none", "reasoning_effort")]),
        ("gpt-5", {"reasoning_effort": "xhigh"}, [("reasoning_effort.level", "reasoning_effort")]),
        ("gpt-5", {"logprobs": True, "top_logprobs": 2},
         [("logprobs.model", "logprobs"), ("logprobs.model", "top_logprobs")]),
    ],
)  # fmt: skip
def test_what_a_model_does_not_take_is_left_out(model: str, given: Any, losses: Any) -> None:
    body, found = encoded([USER], model, known=True, **given)

    assert found == [*losses, STORE]
    assert {path for _, path in losses}.isdisjoint(body)


@pytest.mark.parametrize(
    ("model", "effort", "included"),
    [
        ("gpt-5", None, True),
        ("o3", None, True),
        ("gpt-5.4", None, False),
        ("gpt-5.4", "low", True),
        ("gpt-5.4", "none", False),
        ("gpt-4o", None, False),
    ],
)
def test_hidden_reasoning_is_asked_for_where_the_model_reasons(
    model: str, effort: Any, included: bool
) -> None:
    given = {} if effort is None else {"reasoning_effort": effort}
    body, _ = encoded([USER], model, known=True, **given)

    assert ("include" in body) is included


# Tools.


def test_tools_are_flat() -> None:
    grammar = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: /a/"}}
    strict = {"name": "h", "description": "d", "parameters": SCHEMA, "strict": True}
    body, losses = encoded(
        [USER],
        tools=[
            FUNCTION,
            {"type": "function", "function": strict},
            {"type": "custom", "custom": {"name": "g", "description": "d", "format": grammar}},
            {"type": "web_search"},
        ],
        parallel_tool_calls=False,
    )

    assert body["tools"] == [
        {"type": "function", "name": "f", "parameters": SCHEMA, "strict": False},
        {
            "type": "function",
            "name": "h",
            "description": "d",
            "parameters": SCHEMA,
            "strict": True,
        },
        {
            "type": "custom",
            "name": "g",
            "description": "d",
            "format": {"type": "grammar", "syntax": "lark", "definition": "start: /a/"},
        },
        {"type": "web_search"},
    ]
    assert body["parallel_tool_calls"] is False
    assert losses == [("strict.default", "tools[0].function.strict"), STORE]


def test_a_function_without_parameters_takes_none() -> None:
    body, _ = encoded([USER], tools=[{"type": "function", "function": {"name": "f"}}])

    assert body["tools"][0]["parameters"] == {
        "type": "object",
        "properties": {},
        "required": [],
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ("required", "required"),
        ({"type": "function", "function": {"name": "f"}}, {"type": "function", "name": "f"}),
        ({"type": "custom", "custom": {"name": "g"}}, {"type": "custom", "name": "g"}),
        ({"type": "web_search"}, {"type": "web_search"}),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [
                {"type": "function", "function": {"name": "f"}}, {"type": "web_search"}]}},
            {"type": "allowed_tools", "mode": "required", "tools": [
                {"type": "function", "name": "f"}, {"type": "web_search"}]},
        ),
    ],
)  # fmt: skip
def test_the_choice_of_a_tool_is_flat(choice: Any, sent: Any) -> None:
    body, losses = encoded([USER], tools=[FUNCTION], tool_choice=choice)

    assert body["tool_choice"] == sent
    assert losses == [("strict.default", "tools[0].function.strict"), STORE]


def test_web_search_options_become_a_tool() -> None:
    place = {"type": "approximate", "approximate": {"city": "Berlin", "country": "DE"}}
    body, losses = encoded(
        [USER], web_search_options={"search_context_size": "low", "user_location": place}
    )

    assert body["tools"] == [
        {
            "type": "web_search",
            "user_location": {"type": "approximate", "city": "Berlin", "country": "DE"},
            "search_context_size": "low",
        }
    ]
    assert losses == [("web_search.tool", "web_search_options"), STORE]


@pytest.mark.parametrize(
    ("tool", "row", "path"),
    [
        ({**FUNCTION, "zz": 1}, "param.unknown", "tools[0].zz"),
        ({**FUNCTION, "cache_control": {}}, "cache_control.openai", "tools[0].cache_control"),
        (
            {"type": "function", "function": {"name": "f", "zz": 1}},
            "param.unknown",
            "tools[0].function.zz",
        ),
        (
            {"type": "custom", "custom": {"name": "f", "zz": 1}},
            "param.unknown",
            "tools[0].custom.zz",
        ),
    ],
)
def test_unknown_members_of_tools_are_reported(tool: Any, row: str, path: str) -> None:
    body, losses = encoded([USER], tools=[tool])

    assert (row, path) in losses
    assert problems("responses-request", json.dumps(body)) == []


def test_the_schema_of_an_answer_is_not_strict_unless_asked() -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}
    body, losses = encoded([USER], response_format=wanted)

    assert body["text"]["format"]["strict"] is False
    assert losses == [("strict.default", "response_format.json_schema.strict"), STORE]


def test_a_strict_schema_has_the_form_that_the_model_enforces() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string", "minLength": 2}},
        "required": ["a"],
        "additionalProperties": False,
    }
    wanted = {
        "type": "json_schema",
        "json_schema": {"name": "n", "schema": schema, "strict": True},
    }
    body, losses = encoded([USER], "gpt-4o", known=True, response_format=wanted)

    assert "minLength" not in body["text"]["format"]["schema"]["properties"]["a"]
    assert losses == [
        ("response_format.bound", "response_format.json_schema.schema.properties.a.minLength"),
        STORE,
    ]


# Bad input.


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"tools": [{"type": "function"}]}, "tools[0].function"),
        ({"tools": [{"type": "function", "function": {"name": "f", "parameters": 1}}]},
         "tools[0].function.parameters"),
        ({"tool_choice": {"type": "allowed_tools", "allowed_tools": {}}},
         "tool_choice.allowed_tools"),
        ({"metadata": {"a": float("nan")}}, "metadata.a"),
        ({"zz": {"a": {1, 2}}}, "zz.a"),
    ],
)  # fmt: skip
def test_what_is_not_well_formed_is_named(given: dict[str, Any], field: str) -> None:
    with pytest.raises(MessageFormatError) as caught:
        encoded([USER], **given)

    assert caught.value.field == field


def test_lone_surrogates_are_named() -> None:
    with pytest.raises(MessageFormatError, match="surrogate") as caught:
        encoded([USER, {"role": "assistant", "content": "\ud800"}])

    assert (caught.value.index, caught.value.field) == (1, "content")


def test_the_same_leading_messages_give_the_same_leading_bytes() -> None:
    history = [USER, {"role": "assistant", "content": "Hi."}]
    first, _ = encode_responses_request(normalize(history[:1]), "m", {}, None)
    second, _ = encode_responses_request(normalize([*history, USER]), "m", {}, None)

    shared = first[: first.index(b"]")]
    assert second.startswith(shared)


def test_a_store_in_extra_body_counts_too() -> None:
    facts = catalog.find_model("openai", "gpt-5")
    conversation = normalize([USER])

    stored = encode("openai_responses", conversation, "gpt-5", {}, facts, {"store": True})
    other = encode("openai_responses", conversation, "gpt-5", {}, facts, {"store": False})

    # Hidden reasoning cannot be asked for with a stored response.
    assert json.loads(stored.body) == {"model": "gpt-5", "input": [USER], "store": True}
    assert json.loads(other.body)["include"] == ["reasoning.encrypted_content"]
    assert (stored.losses, other.losses) == ([], [])
