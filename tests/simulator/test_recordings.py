"""Recorded requests get the recorded status; skipped where there are no recordings."""

from __future__ import annotations

import json

import pytest

import official
from reference_files import require_reference
from specado.simulator import handle

RECORDINGS = require_reference() / "recordings"
HEADERS = {"openai": {}, "anthropic": {"anthropic-version": "2023-06-01"}}
RESPONSE = {"openai": "openai-response", "anthropic": "anthropic-response"}
EVENT = {"openai": "openai-chunk", "anthropic": "anthropic-event"}


@pytest.fixture
def recordings(provider):
    with (RECORDINGS / f"{provider}.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def ask(provider, recording):
    request = {**recording["request"], "stream": False}
    request.pop("stream_options", None)
    body = json.dumps(request).encode()
    return handle("POST", recording["path"], HEADERS[provider], body, now_s=0)


def test_recorded_requests_get_the_recorded_status(provider, recordings):
    wrong = {}
    for recording in recordings:
        reply = ask(provider, recording)
        if reply.status != recording["response"]["status"]:
            wrong[recording["id"]] = (reply.status, reply.body)

    assert wrong == {}


def test_replies_to_recorded_requests_are_valid(provider, recordings):
    wrong = {}
    for recording in recordings:
        reply = ask(provider, recording)
        if reply.status == 200:
            found = official.problems(RESPONSE[provider], reply.body)
            if found:
                wrong[recording["id"]] = found

    assert wrong == {}


def test_streams_for_recorded_requests_are_valid(provider, recordings):
    wrong = {}
    for recording in recordings:
        if recording["request"].get("stream"):
            body = json.dumps(recording["request"]).encode()
            reply = handle("POST", recording["path"], HEADERS[provider], body, now_s=0)
            lines = [line for line in reply.body.split(b"\n") if line.startswith(b"data: {")]
            found = [
                problem
                for line in lines
                for problem in official.problems(EVENT[provider], line[6:])
            ]
            if found or reply.stream is None:
                wrong[recording["id"]] = found

    assert wrong == {}


def test_recorded_errors_are_told_in_the_same_words(provider, recordings):
    for recording in recordings:
        if recording["response"]["status"] != 200:
            error = json.loads(ask(provider, recording).body)["error"]

            assert error == recording["response"]["json"]["error"]
