"""Recorded Responses requests, to other dialects and back: the reports name every difference."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

import official
import specado
from reference_files import REPOSITORY
from request_diff import round_trip
from specado.simulator import handle

FILE = REPOSITORY / "tests" / "data" / "recorded_responses_requests.jsonl.gz"
MODELS = {"openai_chat": "gpt-4o", "anthropic": "claude-haiku-4-5"}
KINDS = {"openai_chat": "openai-request", "anthropic": "anthropic-request"}


def _read() -> list[Any]:
    with gzip.open(FILE, "rt", encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    return [pytest.param(each["request"], id=each["id"]) for each in found]


RECORDED = pytest.mark.parametrize("request_", _read())


@RECORDED
@pytest.mark.parametrize("target", MODELS)
def test_what_differs_is_what_is_reported(request_: dict[str, Any], target: str) -> None:
    trip = round_trip(request_, "openai_responses", MODELS[target], target)

    assert trip.unexplained == []
    assert official.problems(KINDS[target], trip.there.body) == []


@RECORDED
@pytest.mark.parametrize("as_text", [False, True])
def test_a_request_stays_as_it_is_in_its_own_dialect(
    request_: dict[str, Any], as_text: bool
) -> None:
    given = json.dumps(request_) if as_text else request_

    sent = specado.translate(
        given, f"openai_responses/{request_['model']}", source="openai_responses"
    )

    assert json.loads(sent.body) == request_
    assert sent.report.items == []


# What the provider refused when it was recorded, has stored, or does not offer for the model.
REFUSED = ("not found", "file type", "decimal below minimum value", "Invalid service_tier")


@RECORDED
@pytest.mark.parametrize("model", ["gpt-4o", "gpt-5.4", "gpt-5.4-pro"])
def test_another_model_takes_the_request(request_: dict[str, Any], model: str) -> None:
    sent = specado.translate(request_, f"openai_responses/{model}", source="openai_responses")

    body = {**json.loads(sent.body), "stream": False}
    reply = handle("POST", "/v1/responses", {}, json.dumps(body).encode(), now_s=0)

    if reply.status != 200:
        message = json.loads(reply.body)["error"]["message"]
        assert any(reason in message for reason in REFUSED), message
