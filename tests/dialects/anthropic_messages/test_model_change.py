"""Change of the model of an Anthropic request: adapted fields and losses."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

import specado
from example_inputs import USER
from specado.catalog import lookup as catalog
from specado.simulator import handle

SAID = {"role": "assistant", "content": "pre"}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "s"}
USE = {"type": "tool_use", "id": "c1", "name": "f", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "c1", "content": "r"}
TOOL = {"name": "f", "input_schema": {"type": "object"}}
BUDGET = {"type": "enabled", "budget_tokens": 2000}
SCHEMA = {"type": "object", "properties": {}, "additionalProperties": False}
FORMAT = {"type": "json_schema", "schema": SCHEMA}
BASE: dict[str, Any] = {"model": "claude-opus-4-5", "max_tokens": 8000, "messages": [USER]}
LOOP = [
    USER,
    {"role": "assistant", "content": [THOUGHT, USE]},
    {"role": "user", "content": [RESULT]},
]


def refitted(request: dict[str, Any], to: str) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    made = specado.translate({**BASE, **request}, f"anthropic/{to}", source="anthropic")
    body = json.loads(made.body)
    reply = handle("POST", "/v1/messages", {"anthropic-version": "2023-06-01"}, made.body)
    assert reply.status == 200, reply.body
    changed = {
        name: body.get(name)
        for name in {*body, *BASE, *request}
        if name != "model" and body.get(name) != {**BASE, **request}.get(name)
    }
    return changed, [(item.severity, item.path) for item in made.report.items]


@pytest.mark.parametrize(
    ("request_", "to", "changed", "lost"),
    [
        ({"temperature": 0.5, "top_k": 3, "stop_sequences": ["a"]}, "claude-haiku-4-5", {}, []),
        ({"temperature": 1, "top_p": 1}, "claude-opus-5", {"top_p": None}, []),
        (
            {"temperature": 0.5, "top_p": 0.9, "top_k": 3},
            "claude-opus-5",
            {"temperature": None, "top_p": None, "top_k": None},
            [("Low", "temperature"), ("Low", "top_p"), ("Low", "top_k")],
        ),
        (
            {"temperature": 0.5, "top_p": 0.9},
            "claude-opus-4-5",
            {"top_p": None},
            [("Low", "top_p")],
        ),
        ({"temperature": 1, "top_p": 0.9}, "claude-opus-4-5", {"temperature": None}, []),
        (
            {"thinking": BUDGET, "temperature": 0.5},
            "claude-opus-4-5",
            {"temperature": None},
            [("Low", "temperature")],
        ),
        (
            {"max_tokens": 64_000},
            "claude-3-haiku",
            {"max_tokens": 4096},
            [("Medium", "max_tokens")],
        ),
        (
            {"max_tokens": 64_000, "thinking": {**BUDGET, "budget_tokens": 63_000}},
            "claude-opus-4-0",
            {"max_tokens": 32_000, "thinking": {**BUDGET, "budget_tokens": 31_999}},
            [("Medium", "max_tokens"), ("Low", "thinking.budget_tokens")],
        ),
        (
            {"thinking": {**BUDGET, "display": "omitted"}},
            "claude-opus-5",
            {
                "thinking": {"type": "adaptive", "display": "omitted"},
                "output_config": {"effort": "low"},
            },
            [("None", "thinking.budget_tokens")],
        ),
        ({"thinking": BUDGET}, "claude-opus-4-6", {}, []),
        (
            {"thinking": BUDGET, "max_tokens": 4000},
            "claude-3-haiku",
            {"thinking": None},
            [("Low", "thinking")],
        ),
        (
            {"thinking": {"type": "adaptive"}},
            "claude-haiku-4-5",
            {"thinking": {"type": "enabled", "budget_tokens": 6400}},
            [("None", "thinking")],
        ),
        (
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
            "claude-haiku-4-5",
            {"thinking": {"type": "enabled", "budget_tokens": 1600}, "output_config": None},
            [("None", "thinking"), ("Low", "output_config.effort")],
        ),
        (
            {"thinking": {"type": "adaptive"}, "max_tokens": 1024},
            "claude-haiku-4-5",
            {"thinking": None},
            [("Low", "thinking")],
        ),
        (
            {"thinking": {"type": "disabled"}},
            "claude-opus-5-5",
            {"thinking": None},
            [("Low", "thinking")],
        ),
        (
            {"output_config": {"effort": "max"}},
            "claude-opus-4-5",
            {"output_config": {"effort": "high"}},
            [("Low", "output_config.effort")],
        ),
        (
            {"messages": [USER, SAID]},
            "claude-opus-5",
            {"messages": [USER]},
            [("High", "messages[1].content")],
        ),
        (
            {"messages": [USER, {"role": "system", "content": "s"}]},
            "claude-opus-4-5",
            {"messages": [USER, {"role": "user", "content": "s"}]},
            [("Low", "messages[1].role")],
        ),
        (
            {"messages": LOOP, "tools": [TOOL], "thinking": BUDGET},
            "claude-opus-4-5-20251101",
            {},
            [],
        ),
        (
            {"messages": LOOP, "tools": [TOOL], "thinking": BUDGET},
            "claude-haiku-4-5",
            {
                "messages": [USER, {"role": "assistant", "content": [USE]}, LOOP[2]],
                "thinking": None,
            },
            [("Low", "messages[1].content[0]"), ("Low", "thinking")],
        ),
        (
            {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "f"}},
            "claude-opus-5-5",
            {"tool_choice": {"type": "auto"}},
            [("High", "tool_choice")],
        ),
        (
            {"tools": [{**TOOL, "strict": True}], "output_config": {"format": FORMAT}},
            "claude-opus-4-0",
            {"tools": [TOOL], "output_config": None},
            [("Low", "tools[0].strict"), ("Medium", "output_config.format")],
        ),
    ],
)
def test_a_model_of_the_same_api_gets_what_it_takes(
    request_: dict[str, Any], to: str, changed: dict[str, Any], lost: list[tuple[str, str]]
) -> None:
    before = copy.deepcopy(request_)

    assert refitted(request_, to) == (changed, lost)
    assert request_ == before


@pytest.mark.parametrize("to", [*catalog.provider("anthropic").models, "claude-99"])  # type: ignore[union-attr]
def test_keys_that_are_not_known_stay_and_a_plain_request_loses_nothing(to: str) -> None:
    block = {"type": "text", "text": "a", "zz": 1, "cache_control": {"type": "ephemeral"}}
    request = {
        "max_tokens": 100,
        "messages": [{"role": "user", "content": [block], "zz": 2}],
        "zz": {"a": 3},
        "container": "c",
    }

    made = specado.translate(
        {"model": "claude-opus-4-5", **request}, f"anthropic/{to}", source="anthropic"
    )

    assert json.loads(made.body) == {"model": to, **request}
    assert made.report.items == []


def test_media_that_a_model_does_not_take_are_left_out() -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}}
    text = {"type": "text", "text": "a"}
    specado.register_manifest(
        {
            "name": "textual",
            "dialect": "anthropic_messages",
            "base_url": "http://127.0.0.1:9",
            "models": {"plain": {"capabilities": {"modalities": {"input": ["Text"]}}}},
        }
    )
    turns = [
        {"role": "user", "content": [image, text]},
        {"role": "assistant", "content": [USE]},
        {"role": "user", "content": [{**RESULT, "content": [text, image]}]},
        {"role": "user", "content": [image]},
    ]

    made = specado.translate({**BASE, "messages": turns}, "textual/plain", source="anthropic")

    assert json.loads(made.body)["messages"] == [
        {"role": "user", "content": [text]},
        {"role": "assistant", "content": [USE]},
        {"role": "user", "content": [{**RESULT, "content": [text]}]},
    ]
    assert [item.path for item in made.report.items] == [
        "messages[0].content[0]",
        "messages[2].content[0].content[1]",
        "messages[3].content[0]",
    ]


def test_a_paused_answer_goes_on_with_any_model() -> None:
    search = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}}
    turns = [USER, {"role": "assistant", "content": [{"type": "text", "text": "a"}, search]}]

    made = specado.translate(
        {**BASE, "messages": turns}, "anthropic/claude-opus-5", source="anthropic"
    )

    assert json.loads(made.body)["messages"] == turns


def test_strictness_counts_between_models_of_one_api() -> None:
    with pytest.raises(specado.LossyTranslationError, match=r"messages\[1\].content"):
        specado.translate(
            {**BASE, "messages": [USER, SAID]},
            "anthropic/claude-opus-5",
            source="anthropic",
            strictness="warn",
        )
