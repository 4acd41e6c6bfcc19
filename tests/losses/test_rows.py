"""Every row of the table of losses is reported where it should be, and nowhere silently lost."""

from __future__ import annotations

import json
from collections.abc import Mapping  # noqa: TC003 - read by NamedTuple
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

import official
import official_bedrock
import official_gemini
import specado
from example_inputs import USER
from lossy_anthropic import FROM_ANTHROPIC
from lossy_bedrock import FROM_BEDROCK
from lossy_gemini import FROM_GEMINI
from lossy_parts import (
    ANSWER,
    CACHE,
    CALLED,
    CUSTOM,
    FORMAT,
    FUNCTION,
    OPUS,
    PNG,
    SAID,
    STRICT,
    TOOL,
    image,
    messages,
)
from lossy_requests import FROM_OPENAI
from lossy_responses import FROM_RESPONSES
from lossy_to_bedrock import BEDROCK_SERVER, FROM_OPENAI_TO_BEDROCK
from lossy_to_gemini import FROM_OPENAI_TO_GEMINI
from lossy_to_responses import FROM_OPENAI_TO_RESPONSES
from specado._core import loss_rows
from specado._core.anthropic_messages import loss_rows as anthropic_rows
from specado._core.bedrock_converse import loss_rows as bedrock_rows
from specado._core.gemini import loss_rows as gemini_rows
from specado._core.openai_chat import loss_rows as openai_rows
from specado._core.openai_responses import loss_rows as responses_rows
from specado._core.openai_responses import server_loss_rows
from specado.catalog.manifests import Traits
from specado.losses.rows import ROWS
from specado.simulator import handle

# The requests of each source, by the row that they lose.
LOST = {
    "openai": {
        **FROM_OPENAI_TO_RESPONSES,
        **FROM_OPENAI_TO_GEMINI,
        **FROM_OPENAI_TO_BEDROCK,
        **FROM_OPENAI,
    },
    "anthropic": FROM_ANTHROPIC,
    "gemini": FROM_GEMINI,
    "bedrock_converse": FROM_BEDROCK,
    "openai_responses": FROM_RESPONSES,
}
KINDS = {
    "openai_chat": "openai-request",
    "openai_responses": "responses-request",
    "anthropic_messages": "anthropic-request",
}
OF_ROW = {row: lost for found in LOST.values() for row, lost in found.items()}


def source_of(row: str) -> str:
    return next(source for source, found in LOST.items() if row in found)


def translated(row: str, **options: Any) -> specado.Translation:
    lost = OF_ROW[row]
    source = source_of(row)
    request: dict[str, Any] = {"model": "gpt-4o", **lost.request}
    if source == "gemini":
        request["model"] = "gemini-2.5-flash"
    if source == "bedrock_converse":
        request["model"] = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
    if source == "anthropic":
        request = {"max_tokens": 4000, **request, "model": OPUS}
    to = lost.to
    if "/" not in to:
        to = f"{'anthropic' if to.startswith('claude') else 'openai'}/{to}"
    if lost.to.startswith("converse/"):
        specado.register_manifest(BEDROCK_SERVER)
    return specado.translate(request, to, source=source, **options)


# Shown in tests/dialects/openai_chat/test_server_rules.py: no model of OpenAI has them.
OF_SERVERS = {
    "member.range",
    "member.refused",
    "member.renamed",
    "member.value",
    "reasoning.empty",
    "reasoning_effort.members",
    "stop.limit",
    "tool_choice.refused",
}


def test_every_row_has_a_request() -> None:
    # No shipped model has only one of the two roles: see the test of that below. No shipped
    # provider takes text only: tests/dialects/test_histories.py. No shipped model lets an image's
    # resolution be chosen: tests/dialects/gemini/test_encode_gemini.py. A provider's refusal is
    # seen in a call only.
    of_requests = {row for row in ROWS if not row.startswith("reply.")}
    assert {*OF_ROW} == of_requests - {
        "role.system_name",
        "content.joined",
        "image.resolution",
        "reasoning.refused",
        *OF_SERVERS,
    }


@pytest.mark.parametrize(
    "module",
    [
        loss_rows,
        openai_rows,
        anthropic_rows,
        bedrock_rows,
        gemini_rows,
        responses_rows,
        server_loss_rows,
    ],
)
def test_the_row_ids_of_compiled_code_are_rows_of_the_table(module: Any) -> None:
    named = [value for name, value in vars(module).items() if name.isupper() and name != "ROW_IDS"]

    assert sorted(module.ROW_IDS) == sorted(named)
    assert set(named) <= set(ROWS)


@pytest.mark.parametrize("row", OF_ROW)
def test_a_request_that_loses_a_row_reports_it_where_the_caller_put_it(row: str) -> None:
    path = OF_ROW[row].path

    items = translated(row).report.items

    shown = [(item.code, item.kind, item.severity, item.message, item.path) for item in items]
    found = ROWS[row]
    assert (found.code, found.kind, found.severity, found.message, path) in shown


@pytest.mark.parametrize("row", OF_ROW)
def test_strictness_decides_by_the_row(row: str) -> None:
    items = translated(row).report.items
    refused_by_strict = any(item.severity != "None" for item in items)
    refused_by_warn = any(item.severity != "None" and item.kind == "contract" for item in items)

    for strictness, refused in (("strict", refused_by_strict), ("warn", refused_by_warn)):
        if refused:
            with pytest.raises(specado.LossyTranslationError) as caught:
                translated(row, strictness=strictness)
            assert caught.value.setting in ("strictness='warn'", "strictness='coerce'")
        else:
            assert translated(row, strictness=strictness).report.items == items


# A conversation without any text is refused, and so is a model that no manifest has.
@pytest.mark.parametrize("row", sorted({*OF_ROW} - {"messages.blank", "model.assumed"}))
def test_what_is_left_is_accepted(row: str) -> None:
    sent = translated(row)
    if sent.dialect == "bedrock_converse":
        assert official_bedrock.problems(sent.body) == []
        return
    path = sent.url.partition(".com")[2]

    reply = handle("POST", path, {"anthropic-version": "2023-06-01"}, sent.body)

    if sent.dialect == "gemini":
        assert official_gemini.problems(sent.body) == []
    else:
        assert official.problems(KINDS[sent.dialect], sent.body) == []
    assert reply.status == 200, reply.body


# Interaction rules, in detail.


def body(to: str, **params: Any) -> dict[str, Any]:
    provider = "anthropic" if to.startswith("claude") else "openai"
    request = {"model": to, "messages": [USER], **params}
    found: dict[str, Any] = json.loads(specado.translate(request, f"{provider}/{to}").body)
    del found["messages"], found["model"]
    found.pop("max_tokens", None)
    return found


@pytest.mark.parametrize(
    ("model", "given", "expected"),
    [
        # The effort is none by default, or by request.
        ("gpt-5.1", {"temperature": 0.5}, {"temperature": 0.5}),
        ("gpt-5.1", {"top_p": 0.5, "reasoning_effort": "low"}, {"reasoning_effort": "low"}),
        ("gpt-5.6", {"temperature": 0.5}, {}),
        ("gpt-5.6", {"temperature": 1}, {"temperature": 1}),
        (
            "gpt-5.6",
            {"temperature": 0.5, "reasoning_effort": "none"},
            {"temperature": 0.5, "reasoning_effort": "none"},
        ),
        ("gpt-6-sol", {"logprobs": True, "top_logprobs": 2, "logit_bias": {"1": 1}}, {}),
        # Tools: no effort where none is the default, none where it is not.
        ("gpt-5.4", {"tools": [FUNCTION]}, {"tools": [FUNCTION]}),
        # `seed` keeps it on chat completions: Responses takes both.
        (
            "gpt-5.4",
            {"tools": [FUNCTION], "reasoning_effort": "high", "seed": 1},
            {"tools": [FUNCTION], "seed": 1},
        ),
        (
            "gpt-5.5",
            {"tools": [FUNCTION], "temperature": 0.5},
            {"tools": [FUNCTION], "temperature": 0.5, "reasoning_effort": "none"},
        ),
        (
            "gpt-5.1",
            {"tools": [FUNCTION], "reasoning_effort": "high"},
            {"tools": [FUNCTION], "reasoning_effort": "high"},
        ),
        ("o3", {"stop": "END", "parallel_tool_calls": True}, {}),
        ("gpt-4o", {"stop": "END"}, {"stop": "END"}),
        # Nothing is known of this one: everything passes.
        (
            "gpt-99",
            {"temperature": 2, "reasoning_effort": "low", "stop": "END", "logprobs": True},
            {"temperature": 2, "reasoning_effort": "low", "stop": "END", "logprobs": True},
        ),
        # Anthropic: a model that always thinks may still be made to call a tool.
        (
            "claude-fable-5",
            {"tools": [FUNCTION], "tool_choice": "required"},
            {"tools": [TOOL], "tool_choice": {"type": "any"}},
        ),
        (
            "claude-opus-5-5",
            {"tools": [FUNCTION], "tool_choice": "required"},
            {"tools": [TOOL], "tool_choice": {"type": "auto"}},
        ),
        (
            "claude-opus-4-5",
            {"temperature": 0.5, "top_p": 0.9},
            {"temperature": 0.5},
        ),
    ],
)
def test_a_model_gets_what_it_takes(
    model: str, given: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert body(model, **given) == expected


def test_only_the_allowed_tools_are_sent() -> None:
    other = {"type": "function", "function": {"name": "g"}}
    choice = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [FUNCTION]}}

    assert body(OPUS, tools=[FUNCTION, other], tool_choice=choice) == {
        "tools": [TOOL],
        "tool_choice": {"type": "any"},
    }


def test_a_history_with_calls_names_its_tools_for_no_further_use() -> None:
    request = messages(USER, CALLED, ANSWER, model="gpt-4o")

    found = json.loads(specado.translate(request, f"anthropic/{OPUS}").body)

    assert found["tools"] == [{"name": "f", "input_schema": {"type": "object"}}]
    assert found["tool_choice"] == {"type": "none"}


class Trait(NamedTuple):
    """A value of a trait, and a request that a model with that value gets in another form.

    `others` are traits that the model has with or without it.
    """

    dialect: str
    value: Any
    request: dict[str, Any]
    others: Mapping[str, Any] = MappingProxyType({})


SYSTEM = {"role": "system", "content": "s"}
WITH_TOOL = messages(USER, tools=[FUNCTION])
WITH_EFFORT = messages(USER, reasoning_effort="low")
OPENAI, ANTHROPIC, GEMINI = "openai_chat", "anthropic_messages", "gemini"
BEDROCK = "bedrock_converse"
SEEN = messages(USER, CALLED, {**ANSWER, "content": [image(PNG, detail="low")]})
TRAITS = {
    "max_tokens_parameter": Trait(OPENAI, "max_completion_tokens", messages(USER, max_tokens=9)),
    "system_role": Trait(OPENAI, "developer", messages(SYSTEM, USER)),
    "sampling": Trait(OPENAI, False, messages(USER, temperature=0.5)),
    "temperature_with_top_p": Trait(ANTHROPIC, False, messages(USER, temperature=0.5, top_p=0.5)),
    "sampling_while_reasoning": Trait(OPENAI, False, {**WITH_EFFORT, "temperature": 0.5}),
    "penalties": Trait(OPENAI, False, messages(USER, presence_penalty=1)),
    "logprobs": Trait(OPENAI, False, messages(USER, logprobs=True)),
    "stop": Trait(OPENAI, False, messages(USER, stop="END")),
    "reasoning_efforts": Trait(OPENAI, [], WITH_EFFORT),
    "default_effort": Trait(
        OPENAI, "medium", messages(USER, temperature=0.5), {"sampling_while_reasoning": False}
    ),
    "effort_parameter": Trait(ANTHROPIC, False, WITH_EFFORT, {"thinking": "adaptive"}),
    "thinking": Trait(ANTHROPIC, "budget", WITH_EFFORT),
    "tools_while_reasoning": Trait(OPENAI, False, {**WITH_TOOL, "reasoning_effort": "low"}),
    "forced_tool_choice": Trait(ANTHROPIC, False, {**WITH_TOOL, "tool_choice": "required"}),
    "forced_tool_choice_while_reasoning": Trait(
        OPENAI, False, {**WITH_TOOL, "tool_choice": "required", "reasoning_effort": "low"}
    ),
    "parallel_tool_calls": Trait(OPENAI, False, {**WITH_TOOL, "parallel_tool_calls": True}),
    "strict_tools": Trait(ANTHROPIC, True, messages(USER, tools=[STRICT])),
    "structured_output": Trait(ANTHROPIC, True, messages(USER, response_format=FORMAT)),
    "web_search": Trait(OPENAI, False, messages(USER, web_search_options={})),
    "mid_conversation_system": Trait(ANTHROPIC, True, messages(USER, SYSTEM)),
    "assistant_prefill": Trait(ANTHROPIC, False, messages(USER, SAID)),
    "signed_calls": Trait(GEMINI, True, messages(USER, CALLED, ANSWER)),
    "media_in_tool_results": Trait(GEMINI, True, SEEN),
    "schema_with_tools": Trait(GEMINI, False, {**WITH_TOOL, "response_format": FORMAT}),
    "media_resolution": Trait(GEMINI, True, SEEN),
    "max_choices": Trait(GEMINI, 1, messages(USER, n=2)),
    "custom_tools": Trait(OPENAI, False, messages(USER, tools=[CUSTOM])),
    "effort_members": Trait(OPENAI, {"low": {"thinking": {"type": "enabled"}}}, WITH_EFFORT),
    "empty_reasoning": Trait(OPENAI, True, messages(USER, CALLED, ANSWER, reasoning_effort="low")),
    "system_prompt": Trait(BEDROCK, False, messages(SYSTEM, USER)),
    "tool_choices": Trait(BEDROCK, ["auto"], {**WITH_TOOL, "tool_choice": "required"}),
    "parallel_tool_switch": Trait(BEDROCK, True, {**WITH_TOOL, "parallel_tool_calls": False}),
    "cache_ttls": Trait(BEDROCK, [], messages({**USER, "cache_control": CACHE})),
    "max_stops": Trait(BEDROCK, 1, messages(USER, stop=["a", "b"])),
    "results_alone": Trait(BEDROCK, True, messages(USER, CALLED, ANSWER, USER)),
}


def to_own_model(dialect: str, traits: Mapping[str, Any], request: dict[str, Any]) -> Any:
    """Return the body that a model of a provider of one's own gets, and its losses."""
    specado.register_manifest(
        {
            "name": "own",
            "base_url": "https://own.example",
            "dialect": dialect,
            "models": {"m": {"traits": dict(traits)}},
        }
    )
    made = specado.translate({"model": "m", **request}, "own/m")
    return json.loads(made.body), made.report.items


@pytest.mark.parametrize("name", Traits.__struct_fields__)
def test_every_trait_of_a_model_changes_a_request_and_is_reported(name: str) -> None:
    trait = TRAITS[name]

    unknown, lost_before = to_own_model(trait.dialect, trait.others, trait.request)
    known, lost = to_own_model(trait.dialect, {**trait.others, name: trait.value}, trait.request)

    assert known != unknown
    assert lost != lost_before


def test_the_models_name_of_the_system_role_is_reported() -> None:
    body, lost = to_own_model(OPENAI, {"system_role": "developer"}, messages(SYSTEM, USER))

    assert body["messages"][0] == {"role": "developer", "content": "s"}
    assert [(item.path, item.message) for item in lost] == [
        ("messages[0].role", "the model's name for the system role")
    ]
