"""Recorded Bedrock requests: to every other dialect and back, the reports name what differs."""

from __future__ import annotations

import json

import pytest

import official
import official_bedrock
import official_gemini
import specado
from bedrock_facts import own
from bedrock_recordings import REQUESTS
from request_diff import round_trip

ACCEPTED = [pytest.param(each, id=each.id) for each in REQUESTS if each.status == 200]
TARGETS = {
    "openai_chat": "gpt-5.4",
    "openai_responses": "gpt-5.4",
    "anthropic": "claude-opus-4-6",
    "gemini": "gemini-3-flash-preview",
}
KINDS = {
    "openai_chat": "openai-request",
    "openai_responses": "responses-request",
    "anthropic": "anthropic-request",
}


def with_model(recorded):
    """Return a request with the model and the way to answer, which stand in its URL."""
    return {"model": recorded.model, "stream": recorded.is_stream, **recorded.body}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("recorded", ACCEPTED)
def test_what_differs_is_what_is_reported(recorded, target):
    trip = round_trip(with_model(recorded), "bedrock_converse", TARGETS[target], target)

    assert trip.unexplained == []
    if target == "gemini":
        assert official_gemini.problems(trip.there.body) == []
    else:
        assert official.problems(KINDS[target], trip.there.body) == []
    assert official_bedrock.problems(trip.back.body) == []


@pytest.mark.parametrize("recorded", ACCEPTED)
def test_a_request_for_servers_that_nothing_is_known_of_goes_on_unchanged(recorded):
    text = json.dumps(with_model(recorded))

    sent = specado.translate(text, f"{own()}/{recorded.model}", source="bedrock_converse")

    assert json.loads(sent.body) == recorded.body
    assert sent.report.items == []
    assert sent.url.rpartition("/")[2] == recorded.path.rpartition("/")[2]
