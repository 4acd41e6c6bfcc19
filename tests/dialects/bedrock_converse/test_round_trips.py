"""Requests that hypothesis makes, to Bedrock or from it: they lose only what is reported."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import anthropic_conversations
import conversations
import converse_conversations
import gemini_conversations
from request_diff import round_trip

CLAUDES = ("claude-3-haiku", "claude-haiku-4-5", "claude-opus-4-6", "claude-opus-5", "unheard-of")
GPTS = ("gpt-3.5-turbo", "gpt-4o", "gpt-5.4", "o1", "unheard-of")
GEMINIS = ("gemini-2.0-flash", "gemini-2.5-flash", "gemini-3-pro", "unheard-of")
BEDROCK = ("anthropic.claude-sonnet-4-5-20250929-v1:0", "amazon.nova-2-lite-v1:0", "unheard-of")

pytestmark = pytest.mark.no_cover


@given(converse_conversations.REQUESTS, st.sampled_from(GPTS))
def test_requests_to_chat_lose_only_what_is_reported(request: Any, model: str) -> None:
    trip = round_trip(request, "bedrock_converse", model, "openai_chat")

    assert trip.unexplained == []


@pytest.mark.heavy
@given(converse_conversations.REQUESTS, st.sampled_from(GPTS))
def test_requests_to_responses_lose_only_what_is_reported(request: Any, model: str) -> None:
    trip = round_trip(request, "bedrock_converse", model, "openai_responses")

    assert trip.unexplained == []


@pytest.mark.heavy
@given(converse_conversations.REQUESTS, st.sampled_from(CLAUDES))
def test_requests_to_anthropic_lose_only_what_is_reported(request: Any, model: str) -> None:
    request["messages"].append({"role": "user", "content": [{"text": "And?"}]})

    trip = round_trip(request, "bedrock_converse", model, "anthropic")

    assert trip.unexplained == []


@pytest.mark.heavy
@given(converse_conversations.REQUESTS, st.sampled_from(GEMINIS))
def test_requests_to_gemini_lose_only_what_is_reported(request: Any, model: str) -> None:
    trip = round_trip(request, "bedrock_converse", model, "gemini")

    assert trip.unexplained == []


@pytest.mark.heavy
@given(conversations.MESSAGES, conversations.PARAMS, st.sampled_from(BEDROCK))
def test_requests_of_chat_lose_only_what_is_reported(
    messages: Any, parameters: Any, model: str
) -> None:
    if parameters.get("user") == parameters.get("safety_identifier"):
        parameters.pop("user", None)  # one fact, reported twice
    if parameters.get("tool_choice") == "none":
        parameters.pop("parallel_tool_calls", None)
    parameters = conversations.with_tools_told_apart(parameters)
    request = {"model": "gpt-4o", "messages": messages, **parameters}

    trip = round_trip(request, "openai_chat", model, "bedrock_converse")

    assert trip.unexplained == []


@pytest.mark.heavy
@given(anthropic_conversations.REQUESTS, st.sampled_from(BEDROCK))
def test_requests_of_anthropic_lose_only_what_is_reported(request: Any, model: str) -> None:
    # White space at the end of the last answer is reported at the first content of its turn.
    request["messages"].append({"role": "user", "content": "And?"})

    trip = round_trip(request, "anthropic", model, "bedrock_converse")

    assert trip.unexplained == []


@pytest.mark.heavy
@given(gemini_conversations.REQUESTS, st.sampled_from(BEDROCK))
def test_requests_of_gemini_lose_only_what_is_reported(request: Any, model: str) -> None:
    trip = round_trip(request, "gemini", model, "bedrock_converse")

    assert trip.unexplained == []
