"""Every row of the table of losses is reported where it should be, and nowhere silently lost."""

from __future__ import annotations

import json
from typing import Any

import pytest

import official
import specado
from example_inputs import USER
from lossy_anthropic import FROM_ANTHROPIC
from lossy_parts import ANSWER, CALLED, FUNCTION, OPUS, TOOL, messages
from lossy_requests import FROM_OPENAI
from reference_files import REPOSITORY
from specado.catalog.manifests import Traits
from specado.losses.rows import ROWS
from specado.simulator import handle


def source_of(row: str) -> str:
    return "openai" if row in FROM_OPENAI else "anthropic"


def translated(row: str, **options: Any) -> specado.Translation:
    lost = {**FROM_OPENAI, **FROM_ANTHROPIC}[row]
    source = source_of(row)
    request: dict[str, Any] = {"model": "gpt-4o", **lost.request}
    if source == "anthropic":
        request = {"max_tokens": 4000, **request, "model": OPUS}
    to = "anthropic" if lost.to.startswith("claude") else "openai"
    return specado.translate(request, f"{to}/{lost.to}", source=source, **options)


def test_every_row_has_a_request() -> None:
    # A model that takes only one of the two names is a manifest's to state.
    assert {*FROM_OPENAI, *FROM_ANTHROPIC} == {*ROWS} - {"role.system_name"}


@pytest.mark.parametrize("row", [*FROM_OPENAI, *FROM_ANTHROPIC])
def test_a_request_that_loses_a_row_reports_it_where_the_caller_put_it(row: str) -> None:
    path = {**FROM_OPENAI, **FROM_ANTHROPIC}[row].path

    items = translated(row).report.items

    shown = [(item.code, item.kind, item.severity, item.message, item.path) for item in items]
    found = ROWS[row]
    assert (found.code, found.kind, found.severity, found.message, path) in shown


@pytest.mark.parametrize("row", [*FROM_OPENAI, *FROM_ANTHROPIC])
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


# A conversation without any text is refused, whatever else there is.
@pytest.mark.parametrize("row", sorted({*FROM_OPENAI, *FROM_ANTHROPIC} - {"messages.blank"}))
def test_what_is_left_is_accepted(row: str) -> None:
    sent = translated(row)
    path = sent.url.partition(".com")[2]

    reply = handle("POST", path, {"anthropic-version": "2023-06-01"}, sent.body)

    assert official.problems(f"{sent.provider}-request", sent.body) == []
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
        ("gpt-5.4", {"tools": [FUNCTION], "reasoning_effort": "high"}, {"tools": [FUNCTION]}),
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


@pytest.mark.parametrize("trait", Traits.__struct_fields__)
def test_every_trait_of_a_model_is_read_by_an_encoder(trait: str) -> None:
    sources = [path.read_text("utf-8") for path in (REPOSITORY / "src/specado/_core").glob("*.pyx")]

    assert any(f'self.trait("{trait}")' in text for text in sources)
