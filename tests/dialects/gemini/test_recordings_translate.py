"""Recorded Gemini requests: to every other dialect and back, the reports name what differs."""

from __future__ import annotations

import json

import pytest

import official
import official_gemini
import specado
from reference_files import REPOSITORY
from request_diff import round_trip

FILE = REPOSITORY / "tests" / "data" / "recorded_gemini_requests.jsonl"
RECORDED = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
ACCEPTED = [
    pytest.param(row["request"], row["path"], id=row["id"])
    for row in RECORDED
    if row["status"] == 200
]
TARGETS = {
    "openai_chat": "gpt-5.4",
    "openai_responses": "gpt-5.4",
    "anthropic": "claude-opus-4-6",
}
KINDS = {
    "openai_chat": "openai-request",
    "openai_responses": "responses-request",
    "anthropic": "anthropic-request",
}


def with_model(request, path):
    """Return a request with the model and the way to answer, which stand in its URL."""
    model, _, method = path.rpartition("/")[2].partition(":")
    return {"model": model, "stream": method.startswith("stream"), **request}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("request_", "path"), ACCEPTED)
def test_what_differs_is_what_is_reported(request_, path, target):
    trip = round_trip(with_model(request_, path), "gemini", TARGETS[target], target)

    assert trip.unexplained == []
    assert official.problems(KINDS[target], trip.there.body) == []
    # One request has an empty text, which was answered.
    problems = {*official_gemini.problems(trip.back.body)} - {"contents[0]: an empty text"}
    assert problems == set()


@pytest.mark.parametrize(("request_", "path"), ACCEPTED)
def test_a_request_for_servers_that_nothing_is_known_of_goes_on_unchanged(request_, path):
    specado.register_manifest(
        {"name": "own", "base_url": "https://own.example", "dialect": "gemini", "models": {}}
    )
    text = json.dumps(with_model(request_, path))

    sent = specado.translate(text, "own/m", source="gemini")

    assert json.loads(sent.body) == request_
    assert sent.report.items == []
    assert sent.url.rpartition(":")[2] == path.rpartition(":")[2]
