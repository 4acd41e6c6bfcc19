"""Requests that hypothesis makes: there and back they lose only what is reported."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import anthropic_conversations
import conversations
import gemini_conversations
import responses_requests
from request_diff import covers, exists, round_trip, unexplained
from specado.losses.report import Loss

CLAUDES = ("claude-3-haiku", "claude-haiku-4-5", "claude-opus-4-6", "claude-opus-5", "unheard-of")
GPTS = ("gpt-3.5-turbo", "gpt-4o", "gpt-5.4", "o1", "unheard-of")
GEMINIS = ("gemini-2.0-flash", "gemini-2.5-flash", "gemini-3-pro", "unheard-of")
# Those that may call several tools at once.
PARALLEL = ("gpt-4o", "gpt-5.4", "unheard-of")


@pytest.mark.no_cover
@given(conversations.MESSAGES, conversations.PARAMS, st.sampled_from(CLAUDES))
def test_openai_requests_lose_only_what_is_reported(
    messages: Any, parameters: Any, model: str
) -> None:
    trip = round_trip({"model": "gpt-4o", "messages": messages, **parameters}, "openai", model)

    assert trip.unexplained == []


@pytest.mark.no_cover
@given(anthropic_conversations.REQUESTS, st.sampled_from(GPTS))
def test_anthropic_requests_lose_only_what_is_reported(request: Any, model: str) -> None:
    trip = round_trip(request, "anthropic", model)

    assert trip.unexplained == []


@pytest.mark.no_cover
@given(conversations.MESSAGES, conversations.PARAMS, st.sampled_from(PARALLEL))
def test_requests_to_responses_lose_only_what_is_reported(
    messages: Any, parameters: Any, model: str
) -> None:
    request = {"model": "gpt-4o", "messages": messages, **parameters}

    trip = round_trip(request, "openai_chat", model, "openai_responses")

    assert trip.unexplained == []


@pytest.mark.no_cover
@given(anthropic_conversations.REQUESTS, st.sampled_from(GPTS))
def test_anthropic_requests_to_responses_lose_only_what_is_reported(
    request: Any, model: str
) -> None:
    trip = round_trip(request, "anthropic", model, "openai_responses")

    assert trip.unexplained == []


@pytest.mark.no_cover
@pytest.mark.parametrize(("target", "models"), [("openai_chat", PARALLEL), ("anthropic", CLAUDES)])
@given(data=st.data())
def test_responses_requests_lose_only_what_is_reported(
    target: str, models: tuple[str, ...], data: Any
) -> None:
    request, model = data.draw(responses_requests.REQUESTS), data.draw(st.sampled_from(models))

    trip = round_trip(request, "openai_responses", model, target)

    assert trip.unexplained == []


@pytest.mark.no_cover
@given(gemini_conversations.REQUESTS, st.sampled_from(GPTS))
def test_gemini_requests_lose_only_what_is_reported(request: Any, model: str) -> None:
    trip = round_trip(request, "gemini", model, "openai_chat")

    assert trip.unexplained == []


@pytest.mark.heavy
@pytest.mark.no_cover
@given(gemini_conversations.REQUESTS, st.sampled_from(GPTS))
def test_gemini_requests_lose_only_what_is_reported_at_responses(request: Any, model: str) -> None:
    trip = round_trip(request, "gemini", model, "openai_responses")

    assert trip.unexplained == []


@pytest.mark.heavy
@pytest.mark.no_cover
@given(gemini_conversations.REQUESTS, st.sampled_from(CLAUDES))
def test_gemini_requests_lose_only_what_is_reported_at_anthropic(request: Any, model: str) -> None:
    # A prefill that a model refuses is reported at the first content of its turn.
    request["contents"].append({"role": "user", "parts": [{"text": "And?"}]})

    trip = round_trip(request, "gemini", model, "anthropic")

    assert trip.unexplained == []


@pytest.mark.heavy
@pytest.mark.no_cover
@given(conversations.MESSAGES, conversations.PARAMS, st.sampled_from(GEMINIS))
def test_openai_requests_lose_only_what_is_reported_at_gemini(
    messages: Any, parameters: Any, model: str
) -> None:
    if parameters.get("user") == parameters.get("safety_identifier"):
        parameters.pop("user", None)  # one fact, reported twice
    if parameters.get("tool_choice") == "none":
        parameters.pop("parallel_tool_calls", None)

    parameters = conversations.with_tools_told_apart(parameters)
    trip = round_trip({"model": "gpt-4o", "messages": messages, **parameters}, "openai", model,
                      "gemini")  # fmt: skip

    assert trip.unexplained == []


@pytest.mark.heavy
@pytest.mark.no_cover
@given(anthropic_conversations.REQUESTS, st.sampled_from(GEMINIS))
def test_anthropic_requests_lose_only_what_is_reported_at_gemini(request: Any, model: str) -> None:
    trip = round_trip(request, "anthropic", model, "gemini")

    assert trip.unexplained == []


# The measure itself

SAID = {
    "model": "gpt-4o",
    "messages": [
        {"role": "user", "content": "Hello", "name": "n"},
        {"role": "assistant", "content": "Yes"},
    ],
    "seed": 5,
    "tools": [{"type": "function", "function": {"name": "f", "strict": True}}],
}


def changed(**more: Any) -> dict[str, Any]:
    return {**json.loads(json.dumps(SAID)), **more}


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (changed(), []),
        (changed(seed=None), ["lost: ('param', 'seed', ('number', 5)) at seed"]),
        (
            changed(seed=6),
            [
                "lost: ('param', 'seed', ('number', 5)) at seed",
                "added: ('param', 'seed', ('number', 6))",
            ],
        ),
        (changed(n=2), ["added: ('param', 'n', ('number', 2))"]),
        (changed(n=1, temperature=1.0, stream=False), []),
        (
            changed(messages=SAID["messages"][:1]),
            ["lost: ('text', 'Yes') at messages[1].content"],
        ),
        (
            changed(messages=[{"role": "user", "content": "Hello"}, SAID["messages"][1]]),
            ["lost: ('name', 'n') at messages[0].name"],
        ),
        (
            changed(messages=[SAID["messages"][0], {"role": "user", "content": "Yes"}]),
            ["said by another: ('text', 'Yes') at messages[1].role"],
        ),
        (
            changed(tools=[{"type": "function", "function": {"name": "f"}}]),
            ["lost: ('strict', 'f') at tools[0].function.strict"],
        ),
    ],
)
def test_what_nobody_reports_is_found(after: dict[str, Any], expected: list[str]) -> None:
    assert unexplained("openai", SAID, "openai", after, []) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("seed", []),
        ("tools", ["reported, yet nothing is lost"]),
        ("messages[2].content", ["no such path", "reported, yet nothing is lost"]),
    ],
)
def test_what_is_reported_must_be_so(path: str, expected: list[str]) -> None:
    losses = [
        Loss("Drop", "seed", "gone", 5, None, "Low", "tuning"),
        Loss("Drop", path, "gone", None, None, "Low", "tuning"),
    ]

    found = unexplained("openai", SAID, "openai", changed(seed=None), losses)

    assert [text.split(":")[0] for text in found] == expected


@pytest.mark.parametrize(
    ("reported", "path", "expected"),
    [
        ("a", "a", True),
        ("a", "a.b", True),
        ("a.b", "a", True),
        ("a[1]", "a", True),
        ("a", "ab", False),
        ("a[1]", "a[10]", False),
        ("a.b", "a.c", False),
    ],
)
def test_a_path_covers_what_is_above_and_below(reported: str, path: str, expected: bool) -> None:
    assert covers(reported, path) is expected


def test_of_equal_texts_the_reported_one_has_moved() -> None:
    said = ["system", "user"]
    before, after = (
        {"model": "gpt-4o", "messages": [{"role": role, "content": "Hello"} for role in roles]}
        for roles in (said, said[::-1])
    )
    loss = Loss("Relocate", "messages[0]", "moved", None, None, "Low", "tuning")

    assert unexplained("openai", before, "openai", after, [loss]) == []
    assert unexplained("openai", before, "openai", after, []) != []


def test_equal_texts_that_change_places_are_not_lost_on_the_whole_way() -> None:
    result = {"type": "search_result", "source": "a", "title": "b"}
    quoted = {**result, "content": [{"type": "text", "text": "Hello"}]}
    turns = [
        ("user", "Hello"),
        ("system", "plain"),
        ("system", "Hello"),
        ("user", [{"type": "text", "text": "plain"}, quoted]),
    ]
    request = {
        "model": "claude-opus-4-6",
        "max_tokens": 1,
        "messages": [{"role": role, "content": content} for role, content in turns],
    }

    assert round_trip(request, "anthropic", "gpt-3.5-turbo").unexplained == []


@pytest.mark.parametrize(
    "bounded", [{"type": "string", "minLength": 1}, {"$ref": "#/$defs/gone", "minLength": 1}]
)
def test_a_schema_whose_bound_moved_into_a_description_is_told(bounded: Any) -> None:
    properties = {"type": "object", "properties": {"a": bounded}, "required": ["a"]}
    schema = {**properties, "additionalProperties": False}
    request = {
        "model": "claude-opus-4-6",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": "Hello"}],
        "output_config": {"format": {"type": "json_schema", "schema": schema}},
    }

    assert round_trip(request, "anthropic", "gpt-4o").unexplained == []


def test_paths_lead_into_the_request() -> None:
    assert exists(SAID, "tools[0].function.name")
    assert not exists(SAID, "tools[1]")
    assert not exists(SAID, "tools[0].function.zz")
