"""The shipped models of Bedrock: families, region profiles, and requests in each family's form."""

from __future__ import annotations

import json
from typing import Any

import pytest

import official_bedrock
import specado
from specado._core.bedrock_converse.native import model_of_profile
from specado.catalog import lookup as catalog

USER = {"role": "user", "content": "Hello"}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
CALL = {"id": "t1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLED = {"role": "assistant", "content": None, "tool_calls": [CALL]}
ANSWER = {"role": "tool", "tool_call_id": "t1", "content": "done"}
SONNET = "anthropic.claude-sonnet-4-5-20250929-v1:0"


def body(model: str, *messages: Any, **members: Any) -> dict[str, Any]:
    request = {"model": model, "messages": list(messages) or [USER], **members}
    sent = specado.translate(request, f"bedrock/{model}", strictness="coerce")
    assert official_bedrock.problems(sent.body) == []
    found: dict[str, Any] = json.loads(sent.body)
    return found


@pytest.mark.parametrize(
    "model",
    [
        f"us.{SONNET}", f"global.{SONNET}", "us.amazon.nova-pro-v1:0", "eu.amazon.nova-2-lite-v1:0",
        "us.meta.llama3-3-70b-instruct-v1:0", "us.mistral.pixtral-large-2502-v1:0",
        "us.deepseek.r1-v1:0", "qwen.qwen3-32b-v1:0", "openai.gpt-oss-120b-1:0",
    ],
)  # fmt: skip
def test_each_family_is_known_by_its_profiles(model: str) -> None:
    found = catalog.find_model("bedrock", model)

    assert found is not None
    assert found.pricing.input is not None
    assert found.context_window is not None


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        (f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{SONNET}", f"us.{SONNET}"),
        (f"arn:aws:bedrock:us-east-1::foundation-model/{SONNET}", SONNET),
        ("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2", None),
        ("foundation-model/", None),
    ],
)
def test_an_arn_that_names_a_model_has_its_facts(arn: str, expected: str | None) -> None:
    found = catalog.find_model("bedrock", arn)

    assert (None if found is None else found.id) == expected


def test_an_arn_is_asked_in_the_form_of_its_model() -> None:
    arn = f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{SONNET}"

    assert body(arn, reasoning_effort="low") == body(f"us.{SONNET}", reasoning_effort="low")
    assert body(arn, reasoning_effort="low") != body(SONNET)


@pytest.mark.parametrize(
    "model",
    [
        SONNET,
        f"us-gov.{SONNET}",
        f"arn:aws:bedrock:us-east-1::foundation-model/{SONNET}",
        f"arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:inference-profile/us-gov.{SONNET}",
    ],
)
def test_profiles_and_arns_of_a_model_are_that_model(model: str) -> None:
    assert model_of_profile(model) == SONNET


def test_a_profile_of_one_region_has_its_own_price() -> None:
    plain, regional = (catalog.find_model("bedrock", each) for each in (SONNET, f"us.{SONNET}"))

    assert plain is not None
    assert regional is not None
    assert (plain.pricing.input, regional.pricing.input) == (3.0, 3.3)
    assert plain.traits == regional.traits


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (f"us.{SONNET}", {"thinking": {"type": "enabled", "budget_tokens": 8000}}),
        (
            "us.anthropic.claude-opus-4-8",
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}},
        ),
        ("us.anthropic.claude-opus-5-5", {"output_config": {"effort": "high"}}),
        ("openai.gpt-oss-120b-1:0", {"reasoning_effort": "high"}),
        (
            "us.amazon.nova-2-lite-v1:0",
            {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}},
        ),
        ("us.amazon.nova-pro-v1:0", None),
        ("us.meta.llama3-3-70b-instruct-v1:0", None),
    ],
)
def test_an_effort_has_the_form_of_the_family(model: str, expected: Any) -> None:
    sent = body(model, reasoning_effort="high", max_tokens=10_000)

    assert sent.get("additionalModelRequestFields") == expected


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (f"us.{SONNET}", {"tool": {"name": "f"}}),
        ("us.amazon.nova-pro-v1:0", {"tool": {"name": "f"}}),
        ("us.meta.llama3-3-70b-instruct-v1:0", None),
        ("openai.gpt-oss-120b-1:0", None),
    ],
)
def test_a_tool_is_forced_where_the_family_takes_that(model: str, expected: Any) -> None:
    sent = body(model, tools=[TOOL], tool_choice={"type": "function", "function": {"name": "f"}})

    assert sent["toolConfig"].get("toolChoice") == expected


def test_results_stand_alone_for_llama() -> None:
    for model, count in (("us.meta.llama3-3-70b-instruct-v1:0", 4), (f"us.{SONNET}", 3)):
        assert len(body(model, USER, CALLED, ANSWER, USER, tools=[TOOL])["messages"]) == count


def test_claude_alone_caches_for_an_hour() -> None:
    cached = {**USER, "cache_control": {"type": "ephemeral", "ttl": "1h"}}

    points = [
        [block.get("cachePoint") for block in body(model, cached)["messages"][0]["content"][1:]]
        for model in (f"us.{SONNET}", "us.amazon.nova-pro-v1:0", "openai.gpt-oss-120b-1:0")
    ]

    assert points == [[{"type": "default", "ttl": "1h"}], [{"type": "default"}], []]
