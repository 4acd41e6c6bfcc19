"""Requests that hypothesis makes: there and back they lose only what is reported."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import anthropic_conversations
import conversations
from request_diff import covers, exists, round_trip, unexplained

CLAUDES = ("claude-3-haiku", "claude-haiku-4-5", "claude-opus-4-6", "claude-opus-5", "unheard-of")
GPTS = ("gpt-3.5-turbo", "gpt-4o", "gpt-5.4", "o1", "unheard-of")


@settings(max_examples=300, deadline=None)
@given(conversations.MESSAGES, conversations.PARAMS, st.sampled_from(CLAUDES))
def test_openai_requests_lose_only_what_is_reported(
    messages: Any, parameters: Any, model: str
) -> None:
    trip = round_trip({"model": "gpt-4o", "messages": messages, **parameters}, "openai", model)

    assert trip.unexplained == []


@settings(max_examples=300, deadline=None)
@given(anthropic_conversations.REQUESTS, st.sampled_from(GPTS))
def test_anthropic_requests_lose_only_what_is_reported(request: Any, model: str) -> None:
    trip = round_trip(request, "anthropic", model)

    assert trip.unexplained == []
