"""Traits that a manifest states of all models of a provider hold in Responses too."""

from __future__ import annotations

import json

import pytest

import specado

USER = {"role": "user", "content": "Hello"}
FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {}, "strict": True}}
CUSTOM = {"type": "custom", "custom": {"name": "grep"}}


def sent(traits, **parameters):
    """Return the body that goes to servers with these traits, and the losses."""
    manifest = {
        "name": "other",
        "base_url": "https://llm.example/v1",
        "dialects": [{"name": "openai_responses"}],
        "request_rules": {"traits": traits},
    }
    specado.register_manifest(manifest, replace=True)
    found = specado.translate({"model": "m", "messages": [USER], **parameters}, "other/m")
    losses = [(item.path, item.code, item.kind, item.severity) for item in found.report.items]
    return json.loads(found.body), losses


def test_a_custom_tool_is_left_out_where_tools_are_functions():
    body, losses = sent({"custom_tools": False}, tools=[CUSTOM, FUNCTION])

    assert [tool["name"] for tool in body["tools"]] == ["f"]
    assert ("tools[0]", "Unsupported", "contract", "High") in losses


def test_no_tool_is_left_of_custom_ones():
    body, _ = sent({"custom_tools": False}, tools=[CUSTOM], tool_choice="required")

    assert "tools" not in body
    assert "tool_choice" not in body


@pytest.mark.parametrize(
    ("traits", "parameter", "value", "kind"),
    [
        ({"logprobs": False}, "logprobs", True, "contract"),
        ({"sampling": False}, "temperature", 0.5, "tuning"),
        ({"structured_output": False}, "response_format", {"type": "json_schema"}, "contract"),
    ],
)
def test_what_no_model_of_the_provider_takes_is_left_out(traits, parameter, value, kind):
    if parameter == "response_format":
        value = {**value, "json_schema": {"name": "s", "schema": {"type": "object"}}}

    _, losses = sent(traits, **{parameter: value})

    assert (parameter, kind) in [(path, kind) for path, _, kind, _ in losses]


def test_a_models_own_traits_count():
    manifest = {
        "name": "other",
        "base_url": "https://llm.example/v1",
        "dialects": [{"name": "openai_responses"}],
        "request_rules": {"traits": {"custom_tools": False}},
        "models": {"own": {"traits": {"custom_tools": True}}},
    }
    specado.register_manifest(manifest, replace=True)

    found = specado.translate({"model": "m", "messages": [USER], "tools": [CUSTOM]}, "other/own")

    assert json.loads(found.body)["tools"][0]["type"] == "custom"


@pytest.mark.parametrize(("effort", "choice"), [("high", "auto"), ("none", "required")])
def test_a_tool_is_forced_unless_the_model_is_to_reason(effort, choice):
    traits = {"forced_tool_choice_while_reasoning": False}
    forced = {"tools": [FUNCTION], "tool_choice": "required"}

    body, losses = sent(traits, reasoning_effort=effort, **forced)

    assert body["tool_choice"] == choice
    assert ("tool_choice", "Unsupported", "contract", "High") in losses or effort == "none"
