"""A Bedrock request for another model of Bedrock: what the model refuses is adapted."""

from __future__ import annotations

import json
from typing import Any

import pytest

import specado
from bedrock_facts import ADAPTIVE, CLAUDE, GPT_OSS, LLAMA, NOVA, facts
from lossy_bedrock import CALLED, IMAGE, POINT, TOOLS, family, formatted, said, turns, user
from specado.catalog.lookup import NO_RULES, Model, Traits
from specado.dialects.registry import DIALECTS

MODEL = "anthropic.claude-sonnet-4-5-20250929-v1:0"
FIELDS = "additionalModelRequestFields"
BUDGET = {"thinking": {"type": "enabled", "budget_tokens": 2048}}


def changed(request: dict[str, Any], to: Model, model: str = MODEL) -> tuple[Any, list[Any]]:
    """Return the body for a model with these facts, and the losses as (row, path)."""
    dialect = DIALECTS["bedrock_converse"]
    source = dialect.decode_request({"model": MODEL, **request})
    made = dialect.encode_request(
        source.conversation, model, source.parameters, to, NO_RULES, source
    )
    return json.loads(made.body), [loss[:2] for loss in made.losses]


def unchanged(request: dict[str, Any], to: Model) -> bool:
    return changed(request, to) == (request, [])


def test_a_model_that_nothing_is_known_of_gets_the_request_unchanged() -> None:
    request = {
        **user(IMAGE, POINT, {"video": {"format": "mp4", "source": {"bytes": "AAAA"}}}),
        "system": [{"text": "Be brief."}, POINT],
        "toolConfig": {**TOOLS, "toolChoice": {"any": {}}},
        "inferenceConfig": {"maxTokens": 9, "temperature": 1, "topP": 1},
        FIELDS: {**BUDGET, "anthropic_beta": ["a"]},
        "guardrailConfig": {"guardrailIdentifier": "a"},
        "zzUnknown": [1],
    }

    assert unchanged(request, facts())


def test_a_cut_answer_is_shorter_than_the_models_limit() -> None:
    body, losses = changed(user(inferenceConfig={"maxTokens": 100_000}), CLAUDE)

    assert body["inferenceConfig"] == {"maxTokens": 64_000}
    assert losses == [("max_tokens.above_limit", "inferenceConfig.maxTokens")]


def test_media_that_the_model_lacks_are_left_out() -> None:
    text_only = Model("bedrock", "m", input_modalities=("Text",), traits=Traits())
    request = user(IMAGE)
    request["messages"].append(said({"text": "Hi"}, role="assistant"))
    request["messages"].append(said(IMAGE))

    body, losses = changed(request, text_only)

    assert body == turns(said({"text": "Hello"}), said({"text": "Hi"}, role="assistant"))
    assert losses == [
        ("input.image", "messages[0].content[1].image"),
        ("input.image", "messages[2].content[0].image"),
    ]


def test_cache_points_are_those_that_the_model_has() -> None:
    hour = {"cachePoint": {"type": "default", "ttl": "1h"}}
    request = {**user(hour), "system": [{"text": "s"}, hour], "toolConfig": {
        "tools": [*TOOLS["tools"], hour]}}  # fmt: skip

    body, losses = changed(request, NOVA)

    assert body["messages"][0]["content"][1] == POINT
    assert body["system"][1] == body["toolConfig"]["tools"][1] == POINT
    assert [row for row, _ in losses] == ["cache_control.model"] * 3
    body, losses = changed(request, GPT_OSS)
    assert body["messages"][0]["content"] == [{"text": "Hello"}]
    assert body["system"] == [{"text": "s"}]
    assert body["toolConfig"] == TOOLS
    assert [row for row, _ in losses] == ["cache_control.model"] * 3


def test_a_prefill_that_the_model_refuses_is_left_out() -> None:
    request = turns(said({"text": "Hello"}), said({"text": "I"}, role="assistant"))

    body, losses = changed(request, ADAPTIVE)

    assert body == turns(said({"text": "Hello"}))
    assert losses == [("assistant.last", "messages[1].content")]
    assert unchanged(request, CLAUDE)


def test_results_stand_alone_where_they_must_and_system_text_is_the_users() -> None:
    result = {"toolResult": {"toolUseId": "c1", "content": [{"text": "done"}]}}
    request = turns(
        said({"text": "Hello"}), CALLED, said(result, {"text": "And?"}),
        system=[{"text": "Be brief."}], toolConfig=TOOLS,
    )  # fmt: skip

    body, losses = changed(request, LLAMA)

    assert body["messages"] == [
        said({"text": "Be brief."}, {"text": "Hello"}), CALLED, said(result),
        said({"text": "And?"}),
    ]  # fmt: skip
    assert "system" not in body
    assert losses == [
        ("tool.result_alone", "messages[2].content"),
        ("system.later", "system"),
    ]


@pytest.mark.parametrize(
    ("to", "choice", "lost"),
    [
        (CLAUDE, {"tool": {"name": "f"}}, None),
        (LLAMA, {"any": {}}, "tool_choice.model"),
        (LLAMA, {"auto": {}}, None),
    ],
)
def test_a_tool_choice_is_one_that_the_model_takes(to: Model, choice: Any, lost: Any) -> None:
    body, losses = changed(user(toolConfig={**TOOLS, "toolChoice": choice}), to)

    kept = {"toolChoice": choice} if to is CLAUDE else {}
    assert body["toolConfig"] == {**TOOLS, **kept}
    assert losses == ([(lost, "toolConfig.toolChoice")] if lost else [])


def test_what_a_tool_asks_for_is_dropped_where_the_model_cannot_give_it() -> None:
    spec = {**TOOLS["tools"][0]["toolSpec"], "strict": True}
    tools = [{"toolSpec": spec}, {"systemTool": {"name": "nova_grounding"}}]

    body, losses = changed(
        user(toolConfig={"tools": tools}), facts(strict_tools=False, web_search=False)
    )

    assert body["toolConfig"] == TOOLS
    assert losses == [
        ("tool.strict", "toolConfig.tools[0].toolSpec.strict"),
        ("web_search.model", "toolConfig.tools[1].systemTool"),
    ]


@pytest.mark.parametrize(
    ("to", "given", "kept", "rows"),
    [
        (facts(sampling=False), {"temperature": 0.5, "topP": 0.5, "maxTokens": 9},
         {"maxTokens": 9}, ["sampling.unsupported", "sampling.unsupported"]),
        (CLAUDE, {"temperature": 0.5, "topP": 0.5}, {"temperature": 0.5}, ["sampling.both"]),
        (GPT_OSS, {"stopSequences": ["a"]}, None, ["stop.unsupported"]),
        (LLAMA, {"stopSequences": list("abcdef")}, {"stopSequences": list("abcd")},
         ["stop.model_most", "stop.model_most"]),
    ],
)  # fmt: skip
def test_settings_are_those_that_the_model_takes(
    to: Model, given: Any, kept: Any, rows: list[str]
) -> None:
    body, losses = changed(user(inferenceConfig=given), to)

    assert body.get("inferenceConfig") == kept
    assert [row for row, _ in losses] == rows


def test_a_model_that_thinks_is_not_told_how_to_sample() -> None:
    request = {**family(**BUDGET), "inferenceConfig": {"temperature": 0.5, "maxTokens": 4096}}

    body, losses = changed(request, CLAUDE)

    assert body["inferenceConfig"] == {"maxTokens": 4096}
    assert losses == [("sampling.thinking", "inferenceConfig.temperature")]


@pytest.mark.parametrize(
    ("to", "given", "made", "row"),
    [
        (CLAUDE, BUDGET, BUDGET, None),
        (NOVA, BUDGET, {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "medium"}},
         "bedrock.thinking_budget"),
        (ADAPTIVE, {"reasoning_effort": "low"},
         {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
         "reasoning_effort.thinking"),
        (GPT_OSS, {"output_config": {"effort": "max"}}, {"reasoning_effort": "high"},
         "reasoning_effort.thinking"),
        (CLAUDE, {"reasoning_effort": "low"},
         {"thinking": {"type": "enabled", "budget_tokens": 1024}}, "reasoning_effort.thinking"),
        (LLAMA, BUDGET, None, "reasoning_effort.unsupported"),
        (LLAMA, {"thinking": {"type": "disabled"}, "top_k": 5}, {"top_k": 5}, None),
        (ADAPTIVE, {"reasoningConfig": {"type": "disabled"}}, {"thinking": {"type": "disabled"}},
         "reasoning_effort.thinking"),
        (NOVA, {"thinking": {"type": "disabled"}}, {"reasoningConfig": {"type": "disabled"}},
         "bedrock.thinking_budget"),
    ],
)  # fmt: skip
def test_reasoning_is_asked_for_in_the_familys_way(
    to: Model, given: Any, made: Any, row: Any
) -> None:
    request = {**family(**given), "inferenceConfig": {"maxTokens": 4096}}

    body, losses = changed(request, to)

    assert body.get(FIELDS) == made
    assert [found for found, _ in losses] == ([row] if row else [])


def test_a_short_answer_has_no_room_for_a_thinking_budget() -> None:
    body, losses = changed(family(reasoning_effort="low"), CLAUDE)

    assert FIELDS not in body
    assert losses == [("reasoning_effort.no_room", f"{FIELDS}.reasoning_effort")]


def test_a_schema_that_the_model_cannot_enforce_is_dropped() -> None:
    request = formatted({"type": "object"})

    body, losses = changed(request, facts(structured_output=False))

    assert body == user()
    assert losses == [("response_format.unsupported", "outputConfig.textFormat")]
    assert unchanged(request, CLAUDE)


def test_the_same_model_in_another_region_keeps_its_reasoning() -> None:
    thought = {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "c2ln"}}}
    request = turns(
        said({"text": "Hello"}), said(thought, {"text": "Hi"}, role="assistant"),
        said({"text": "And?"}),
    )  # fmt: skip

    assert changed(request, CLAUDE, f"eu.{MODEL}") == (request, [])
    assert changed(request, CLAUDE, "anthropic.claude-opus-4-6-v1")[1] == [
        ("reasoning.foreign", "messages[1].content[0].reasoningContent")
    ]


def test_a_value_that_is_no_json_is_refused() -> None:
    request = {"model": MODEL, **user(zzUnknown={1, 2})}

    with pytest.raises(specado.MessageFormatError, match="zzUnknown: set has no JSON form"):
        specado.translate(request, f"bedrock/{MODEL}", source="bedrock_converse")
