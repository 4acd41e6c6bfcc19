"""Every field of a request, to every model: a value that is missing is reported."""

from __future__ import annotations

import json
from typing import Any

import pytest
from anthropic.types import MessageCreateParams
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming

import specado
from example_inputs import USER
from official import SENT_AS_HEADERS
from request_diff import unexplained
from specado.catalog import lookup as catalog
from specado.settings.parameters import PARAMETERS

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
TOOLS = [
    {"type": "function", "function": {"name": "f", "parameters": SCHEMA, "strict": True}},
    {"type": "custom", "custom": {"name": "c"}},
]
FORMAT = {"name": "x", "description": "the answer", "schema": SCHEMA, "strict": False}
CACHE = {"type": "ephemeral"}
# Some fields say something only beside another one.
OPENAI: dict[str, list[dict[str, Any]]] = {
    "audio": [{"audio": {"voice": "alloy", "format": "wav"}}],
    "frequency_penalty": [{"frequency_penalty": 0.5}],
    "function_call": [{"function_call": {"name": "f"}}],
    "functions": [{"functions": [{"name": "f"}]}],
    "logit_bias": [{"logit_bias": {"5": 1}}],
    "logprobs": [{"logprobs": True}],
    "max_completion_tokens": [{"max_completion_tokens": 7}, {"max_completion_tokens": 10**7}],
    "max_tokens": [
        {"max_tokens": 7},
        {"max_tokens": 10**7},
        {"max_tokens": 7, "max_completion_tokens": 9},
    ],
    "metadata": [{"metadata": {"a": "b"}}],
    "modalities": [{"modalities": ["text", "audio"]}],
    "moderation": [{"moderation": {"model": "omni-moderation-latest"}}],
    "n": [{"n": 2}],
    "parallel_tool_calls": [
        {"parallel_tool_calls": False, "tools": TOOLS},
        {"parallel_tool_calls": False, "tools": TOOLS, "tool_choice": "none"},
        {"parallel_tool_calls": False, "tools": TOOLS[1:]},
    ],
    "prediction": [{"prediction": {"type": "content", "content": "a"}}],
    "presence_penalty": [{"presence_penalty": -1}],
    "prompt_cache_key": [{"prompt_cache_key": "k"}],
    "prompt_cache_options": [{"prompt_cache_options": {"ttl": "1h"}}],
    "prompt_cache_retention": [{"prompt_cache_retention": "24h"}],
    "reasoning_effort": [
        {"reasoning_effort": level, "max_tokens": room}
        for level in ("none", "minimal", "low", "medium", "high", "xhigh", "max", "new")
        for room in (100, 9000)
    ],
    "response_format": [
        {"response_format": {"type": "json_object"}},
        {"response_format": {"type": "json_schema", "json_schema": FORMAT}},
        {"response_format": {"type": "json_schema", "json_schema": FORMAT}, "tools": TOOLS},
        {"response_format": {"type": "grammar", "grammar": "a"}},
    ],
    "safety_identifier": [{"safety_identifier": "u"}, {"safety_identifier": "u", "user": "v"}],
    "seed": [{"seed": 5}],
    "service_tier": [{"service_tier": tier} for tier in ("default", "flex", "priority", "scale")],
    "stop": [{"stop": "END"}, {"stop": [" ", "a", "b", "c", "d"]}],
    "store": [{"store": True}],
    "stream": [{"stream": True}],
    "stream_options": [{"stream": True, "stream_options": {"include_obfuscation": False}}],
    "temperature": [{"temperature": 0.3}, {"temperature": 1.5}, {"temperature": 2, "top_p": 0.3}],
    "tool_choice": [
        {"tools": TOOLS, "tool_choice": "required"},
        {"tools": TOOLS, "tool_choice": "required", "reasoning_effort": "high"},
        {"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": "f"}}},
        {"tools": TOOLS, "tool_choice": {"type": "custom", "custom": {"name": "c"}}},
        {"tools": TOOLS[1:], "tool_choice": "required"},
        {"tools": TOOLS, "tool_choice": {"type": "allowed_tools", "allowed_tools": {
            "mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}]}}},
    ],
    "tools": [{"tools": TOOLS}, {"tools": [{**TOOLS[0], "cache_control": CACHE, "zz": 1}]}],
    "top_logprobs": [{"logprobs": True, "top_logprobs": 3}],
    "top_p": [{"top_p": 0.2}, {"top_p": 0.96, "reasoning_effort": "high"}],
    "user": [{"user": "u"}],
    "verbosity": [{"verbosity": "low"}],
    "web_search_options": [{"web_search_options": {}}],
}  # fmt: skip
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
ASKED = {"role": "assistant", "content": None, "tool_calls": [CALL]}
ANSWER = {"role": "tool", "tool_call_id": "c1", "content": "r"}
PNG = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo=", "zz": 1}}
THOUGHT = {"type": "thinking", "text": "hm", "signature": "s", "model": "claude-opus-5"}
MESSAGES = {
    "system": [{"role": "system", "content": "s", "name": "n"}, USER],
    "developer later": [USER, {"role": "developer", "content": [{"type": "text", "text": "s"}]}],
    "system alone": [{"role": "system", "content": "s"}, {"role": "developer", "content": "t"}],
    "unknown role": [{"role": "critic", "content": "s"}],
    "name": [{**USER, "name": "n"}],
    "unknown keys": [{**USER, "zz": {"a": 1}}, {"role": "user", "content": [
        {"type": "text", "text": "t", "zz": 1, "cache_control": CACHE}]}],
    "cache_control": [{**USER, "cache_control": CACHE}],
    "image": [{"role": "user", "content": [
        {**PNG, "zz": 1}, {"type": "image_url", "image_url": {
            "url": "https://example.org/a.png", "detail": "high"}},
        {"type": "image_url", "image_url": {"url": "data:image/tiff;base64,AAAA"}}]}],
    "audio": [{"role": "user", "content": [
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
        {"type": "text", "text": "t"}]}],
    "file": [{"role": "user", "content": [
        {"type": "file", "file": {"file_id": "f"}, "cache_control": CACHE},
        {"type": "file", "file": {"file_data": "JVBERi0x", "file_id": "f", "filename": "a"}},
        {"type": "file", "file": {"file_data": "data:text/plain;base64,AAAA"}}]}],
    "tool calls": [USER, {**ASKED, "tool_calls": [{**CALL, "zz": 1, "function": {
        **CALL["function"], "zz": 2}}]}, {**ANSWER, "name": "n", "zz": 3}],
    "blank result": [USER, ASKED, {**ANSWER, "content": " "}],
    "result parts": [USER, ASKED, {**ANSWER, "content": [PNG, {"type": "text", "text": "t"}]}],
    "late result": [USER, ASKED, {"role": "user", "content": "wait"}, ANSWER],
    "custom call": [USER, {"role": "assistant", "content": "a", "tool_calls": [
        {"id": "c", "type": "custom", "custom": {"name": "c", "input": "x"}}]}, USER],
    "function call": [USER, {"role": "assistant", "content": None, "function_call": {
        "name": "f", "arguments": "{}"}}, {"role": "function", "name": "f", "content": "r"}, USER],
    "assistant's other fields": [USER, {
        "role": "assistant", "content": "a", "refusal": "no", "audio": {"id": "x"},
        "reasoning": "r", "annotations": [{"type": "url_citation"}]}, USER],
    "reasoning": [USER, {"role": "assistant", "content": "a", "reasoning_details": [
        THOUGHT, {**THOUGHT, "signature": None}, {**THOUGHT, "model": None},
        {"type": "redacted_thinking", "data": "d", "model": "claude-opus-5"}]}, USER],
    "refusal part": [USER, {"role": "assistant", "content": [
        {"type": "refusal", "refusal": "no"}]}, USER],
    "assistant last": [USER, {"role": "assistant", "content": "a "}],
}  # fmt: skip
BLOCK = {"type": "text", "text": "t"}
TOOL = {"name": "f", "input_schema": SCHEMA}
ANTHROPIC: dict[str, list[dict[str, Any]]] = {
    "cache_control": [{"cache_control": CACHE}],
    "container": [{"container": "c"}],
    "context_management": [{"context_management": {"edits": []}}],
    "diagnostics": [{"diagnostics": {"previous_message_id": "msg_1"}}],
    "inference_geo": [{"inference_geo": "us"}],
    "max_tokens": [{"max_tokens": 10**7}],
    "metadata": [{"metadata": {"user_id": "u", "zz": 1}}],
    "mcp_servers": [{"mcp_servers": [{"name": "m", "url": "u"}]}],
    "output_config": [
        {"output_config": {"effort": "max"}},
        {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA, "zz": 1}}},
        {"output_config": {"zz": 1}},
    ],
    "service_tier": [{"service_tier": "standard_only"}],
    "speed": [{"speed": "fast"}],
    "stop_sequences": [{"stop_sequences": ["a", "b", "c", "d", "e"]}],
    "stream": [{"stream": True}],
    "system": [{"system": "s"}, {"system": [{**BLOCK, "cache_control": CACHE}, BLOCK]}],
    "temperature": [{"temperature": 0.3}],
    "thinking": [
        {"thinking": {"type": "disabled"}},
        {"thinking": {"type": "adaptive", "display": "omitted", "zz": 1}},
        {"thinking": {"type": "enabled", "budget_tokens": 2000}},
        {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
    ],
    "tool_choice": [
        {"tools": [TOOL], "tool_choice": {"type": "any", "disable_parallel_tool_use": True}},
        {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "f", "zz": 1}},
        {"tools": [{"type": "bash_20250124", "name": "bash"}], "tool_choice": {
            "type": "any", "disable_parallel_tool_use": True}},
        {"tools": [TOOL, {"type": "bash_20250124", "name": "bash"}], "tool_choice": {
            "type": "tool", "name": "bash"}},
    ],
    "tools": [
        {"tools": [{**TOOL, "strict": True, "cache_control": CACHE, "input_examples": [{}]}]},
        {"tools": [{"type": "bash_20250124", "name": "bash"}, {**TOOL, "strict": True}]},
    ],
    "top_k": [{"top_k": 5}],
    "top_p": [{"top_p": 0.3}],
}  # fmt: skip
OPENAI_MODELS = sorted(catalog.provider("openai").models)  # type: ignore[union-attr]
ANTHROPIC_MODELS = sorted(catalog.provider("anthropic").models)  # type: ignore[union-attr]


def silent(request: dict[str, Any], source: str, target: str, models: list[str]) -> list[str]:
    found = []
    for model in [*models, "unheard-of"]:
        made = specado.translate(request, target, source=source, model=model)
        body = json.loads(made.body)
        # OpenAI's other API takes what chat completions cannot express.
        shape = made.dialect if made.dialect == "openai_responses" else target
        found += [
            f"{shape}/{model}: {text}"
            for text in unexplained(source, request, shape, body, made.report.items)
        ]
    return found


def test_every_openai_parameter_is_tried() -> None:
    official = set(CompletionCreateParamsNonStreaming.__annotations__)

    assert set(OPENAI) == set(PARAMETERS)
    assert official - set(OPENAI) <= {"messages", "model"}


def test_every_anthropic_parameter_is_tried() -> None:
    official = set(MessageCreateParamsNonStreaming.__annotations__)
    official |= set(MessageCreateParams.__args__[0].__mro__[0].__annotations__)

    assert official - SENT_AS_HEADERS - set(ANTHROPIC) <= {"messages", "model"}


@pytest.mark.parametrize("name", OPENAI)
def test_no_openai_parameter_is_lost_silently(name: str) -> None:
    for given in OPENAI[name]:
        request = {"model": "gpt-4o", "messages": [USER], **given}

        assert silent(request, "openai", "anthropic", ANTHROPIC_MODELS) == []
        assert silent(request, "openai", "openai", OPENAI_MODELS) == []


@pytest.mark.parametrize("name", MESSAGES)
def test_nothing_of_a_message_is_lost_silently(name: str) -> None:
    request = {"model": "gpt-4o", "messages": MESSAGES[name]}

    assert silent(request, "openai", "anthropic", ANTHROPIC_MODELS) == []
    assert silent(request, "openai", "openai", OPENAI_MODELS) == []


@pytest.mark.parametrize("name", ANTHROPIC)
def test_no_anthropic_parameter_is_lost_silently(name: str) -> None:
    for given in ANTHROPIC[name]:
        messages = [{"role": "user", "content": [BLOCK]}]
        request = {"model": "claude-opus-4-6", "max_tokens": 4000, "messages": messages, **given}

        assert silent(request, "anthropic", "openai", OPENAI_MODELS) == []
        assert silent(request, "anthropic", "anthropic", ANTHROPIC_MODELS) == []
