"""Bedrock requests to chat completions: each form of a request, and what is malformed."""

from __future__ import annotations

import json
from typing import Any

import pytest

import specado
from lossy_bedrock import CALLED, IMAGE, PROMPT_ARN, TOOLS, USE, family, said, turns, user
from lossy_parts import FUNCTION, SCHEMA

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
HELLO = {"role": "user", "content": "Hello"}
DATA = "iVBORw0KGgo="
PNG = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{DATA}"}}
TEXT = {"type": "text", "text": "Hello"}


def translated(request: Any, to: str = "openai_chat/gpt-4o") -> Any:
    return specado.translate(request, to, source="bedrock_converse")


def sent(request: dict[str, Any], to: str = "openai_chat/gpt-4o") -> Any:
    found: Any = json.loads(translated({"model": MODEL, **request}, to).body)
    del found["model"]
    return found


def test_a_conversation_with_a_call() -> None:
    request = turns(
        said({"text": "Hello"}),
        said({"text": "I ask."}, USE, role="assistant"),
        said(
            {"toolResult": {"toolUseId": "c1", "content": [{"text": "a"}, {"text": "b"}]}},
            {"text": "And?"},
        ),
        system=[{"text": "Be brief."}, {"text": "Be kind."}],
        toolConfig={**TOOLS, "toolChoice": {"tool": {"name": "f"}}},
    )

    assert sent(request) == {
        "messages": [
            {
                "role": "system",
                "content": [
                    {"type": "text", "text": "Be brief."},
                    {"type": "text", "text": "Be kind."},
                ],
            },
            HELLO,
            {
                "role": "assistant",
                "content": "I ask.",
                "tool_calls": [
                    {
                        "id": "c1",
                        "type": "function",
                        "function": {"name": "f", "arguments": "{}"},
                    }
                ],
            },
            {
                "role": "tool",
                "tool_call_id": "c1",
                "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
            },
            {"role": "user", "content": "And?"},
        ],
        "tools": [FUNCTION],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
    }


def test_the_parameters_have_their_names() -> None:
    request = user(
        inferenceConfig={
            "maxTokens": 100,
            "temperature": 0.5,
            "topP": 0.9,
            "stopSequences": ["END"],
        },
        toolConfig={**TOOLS, "toolChoice": {"any": {}}},
        additionalModelRequestFields={"tool_choice": {"disable_parallel_tool_use": True}},
        requestMetadata={"team": "a"},
        serviceTier={"type": "flex"},
        performanceConfig={"latency": "standard"},
        stream=True,
    )

    made = translated({"model": MODEL, **request})

    found = json.loads(made.body)
    assert found == {
        "model": "gpt-4o",
        "messages": [HELLO],
        "max_tokens": 100,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["END"],
        "tools": [FUNCTION],
        "tool_choice": "required",
        "parallel_tool_calls": False,
        "metadata": {"team": "a"},
        "service_tier": "flex",
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert made.report.items == []


@pytest.mark.parametrize("data", [DATA, b"\x89PNG\r\n\x1a\n", bytearray(b"\x89PNG\r\n\x1a\n")])
def test_data_is_base64_or_bytes_as_in_the_package_of_aws(data: Any) -> None:
    request = user({"image": {"format": "png", "source": {"bytes": data}}})

    assert sent(request)["messages"] == [{"role": "user", "content": [TEXT, PNG]}]
    same = json.loads(translated({"model": MODEL, **request}, f"bedrock/{MODEL}").body)
    assert same["messages"][0]["content"][1] == IMAGE


def test_bytes_in_a_tools_result_are_data_too() -> None:
    image = {"image": {"format": "png", "source": {"bytes": b"\x89PNG\r\n\x1a\n"}}}
    result = {"toolResult": {"toolUseId": "c1", "content": [image]}}
    request = turns(said({"text": "Hello"}), CALLED, said(result), toolConfig=TOOLS)

    assert sent(request)["messages"][3]["content"] == [
        {"type": "text", "text": "From the result of the tool call c1:"},
        PNG,
    ]


@pytest.mark.parametrize("name", ["model", "modelId"])
def test_either_name_of_the_model_is_taken(name: str) -> None:
    made = translated({name: MODEL, **user()}, f"bedrock/{MODEL}")

    assert json.loads(made.body) == user()
    assert made.model == MODEL


def test_the_error_for_a_missing_model_says_where_to_write_it() -> None:
    with pytest.raises(specado.ConfigurationError, match="a member, 'model'"):
        translated(user())


def test_a_stored_prompt_is_reported_and_needs_no_messages() -> None:
    made = translated({"model": PROMPT_ARN, "promptVariables": {"a": {"text": "b"}}})

    assert [item.path for item in made.report.items if item.severity == "Critical"] == [
        "model",
        "promptVariables",
    ]


def test_the_input_of_a_call_in_json_text_is_sent_unchanged() -> None:
    text = (
        '{"model":"m","messages":[{"role":"user","content":[{"text":"Hello"}]},'
        '{"role":"assistant","content":[{"toolUse":{"toolUseId":"c1","name":"f",'
        '"input":{"n": 1e400}}}]},{"role":"user","content":[{"toolResult":{"toolUseId":"c1",'
        '"content":[{"json":{"n": 12345678901234567890.5}}]}}]}]}'
    )

    messages = json.loads(translated(text).body)["messages"]

    assert messages[1]["tool_calls"][0]["function"]["arguments"] == '{"n": 1e400}'
    assert messages[2]["content"] == '{"n": 12345678901234567890.5}'


def test_two_answers_in_a_row_are_one() -> None:
    request = turns(
        said({"text": "Hello"}),
        said({"text": "a"}, role="assistant"),
        said({"text": "b"}, role="assistant"),
        said({"text": "And?"}),
    )

    assert [each["content"] for each in sent(request)["messages"]] == [
        "Hello",
        [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
        "And?",
    ]


@pytest.mark.parametrize(
    ("fields", "effort"),
    [
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, "low"),
        ({"thinking": {"type": "disabled"}}, "none"),
        ({"output_config": {"effort": "high"}}, "high"),
        ({"reasoning_effort": "low"}, "low"),
        ({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "medium"}}, "medium"),
        ({"reasoningConfig": {"type": "disabled"}}, "none"),
    ],
)
def test_each_familys_way_to_ask_for_reasoning_is_an_effort(fields: Any, effort: str) -> None:
    request = {**family(**fields), "inferenceConfig": {"maxTokens": 10_000}}

    assert sent(request, "openai_chat/gpt-5.1")["reasoning_effort"] == effort


def test_a_cache_point_marks_what_stands_before_it() -> None:
    hour = {"cachePoint": {"type": "default", "ttl": "1h"}}
    point = {"cachePoint": {"type": "default"}}
    request = turns(
        said({"text": "Hello"}, point),
        system=[{"text": "Be brief."}, hour],
        toolConfig={"tools": [*TOOLS["tools"], hour]},
    )

    found = sent(request, "anthropic/claude-opus-4-6")

    mark = {"type": "ephemeral"}
    assert found["system"] == [
        {"type": "text", "text": "Be brief.", "cache_control": {**mark, "ttl": "1h"}}
    ]
    assert found["messages"][0]["content"] == [{**TEXT, "cache_control": mark}]
    assert found["tools"] == [
        {"name": "f", "input_schema": SCHEMA, "cache_control": {**mark, "ttl": "1h"}}
    ]


def test_reasoning_and_its_signature_go_on() -> None:
    thought = {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "c2ln"}}}
    hidden = {"reasoningContent": {"redactedContent": "ZGF0YQ=="}}
    request = turns(
        said({"text": "Hello"}),
        said(thought, hidden, USE, role="assistant"),
        said({"toolResult": {"toolUseId": "c1", "content": [{"text": "done"}]}}),
        toolConfig=TOOLS,
    )

    made = translated({"model": MODEL, **request}, f"bedrock/{MODEL}")

    assert json.loads(made.body) == request
    assert made.report.items == []
    other = translated({"model": MODEL, **request}, "bedrock/amazon.nova-micro-v1:0")
    assert json.loads(other.body)["messages"][1]["content"] == [USE]
    assert [item.path for item in other.report.items] == [
        "messages[1].content[0].reasoningContent",
        "messages[1].content[1].reasoningContent",
    ]


MALFORMED = [
    ({"messages": []}, "messages must be a list"),
    ({"messages": "Hello"}, "messages must be a list"),
    (turns({"role": "tool", "content": []}), r"messages\[0\].role: must be user"),
    (turns({"role": "user", "content": "Hello"}), r"content: must be a list"),
    (turns(said({"text": "a", "image": {}})), "must have one member, not text, image"),
    (turns(said({})), "must have one member, not none"),
    (turns({"role": "user", "content": [{1: 2}]}), "must have one member, not 1"),
    (turns(said({"text": 1})), r"content\[0\].text: must be a str"),
    (turns(said(USE)), "'toolUse' is no block of a user message"),
    (turns(said({"toolResult": {"toolUseId": "c9", "content": []}})), "'c9' answers no toolUse"),
    (
        user({"image": {"format": "png", "source": {"bytes": "%%%"}}}),
        r"image.source.bytes: the data is not base64",
    ),
    (
        user({"document": {"format": "odt", "name": "a", "source": {"bytes": DATA}}}),
        "'odt' is not a format of documents",
    ),
    (user(system=[IMAGE]), "'image' is not a block of the system text"),
    (user(toolConfig={"tools": {}, "toolChoice": {"none": {}}}), "must be auto, any or tool"),
    (user(toolConfig={"tools": [{"toolSpec": {"name": "f", "strict": 1}}]}), "strict: must be"),
    (user(inferenceConfig={"maxTokens": "many"}), "inferenceConfig.maxTokens"),
    (user(inferenceConfig={"stopSequences": "END"}), "stopSequences: must be a list"),
    (family(thinking={"type": "enabled"}), "budget_tokens: must be a whole number"),
    (family(thinking={"type": "deep"}), "must be enabled, adaptive or disabled"),
    (
        user(outputConfig={"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {
            "schema": "{"}}}}),
        "schema: must be JSON text",
    ),
    (
        user(outputConfig={"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {
            "schema": "\ud800"}}}}),
        "schema: must be JSON text",
    ),
    (
        turns(said({"text": "a"}), said({"reasoningContent": {"redactedContent": "%"}},
                                        role="assistant")),
        "redactedContent: the data is not base64",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "message"), MALFORMED)
def test_a_malformed_request_is_refused_with_its_path(request_: Any, message: str) -> None:
    with pytest.raises(specado.SpecadoError, match=message):
        translated({"model": MODEL, **request_})
