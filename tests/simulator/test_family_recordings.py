"""Recorded requests to OpenAI-compatible providers get the recorded status, and like members."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reference_files import require_reference
from specado.simulator import handle

# Refused for the model's or another server's doing, not for what the request says.
NOT_OF_THE_REQUEST = {
    "5641b1bdec3e8530": "the model did not call the tool that it had to",
    "b64cea37e7846027": "the model's call did not fit the tool's schema",
    "0e0939f5b58253c1": "the model's own provider had a rate limit",
}
# Members that depend on the question, or that OpenAI has too and the provider leaves null.
CHANCE = {
    "choices[].message.annotations", "choices[].message.reasoning_details",
    "choices[].logprobs", "choices[].message.tool_calls", "choices[].message.reasoning",
    "choices[].message.content", "choices[].message.refusal", "usage.prompt_tokens_details",
    "usage.completion_tokens_details", "usage.server_tool_use_details", "usage.cost_details",
    "system_fingerprint", "service_tier", "usage.num_cached_tokens",
    "choices[].message.reasoning_content", "usage.cost", "usage.is_byok",
}  # fmt: skip


def _recordings() -> list[Any]:
    path = require_reference() / "recordings-new" / "family.jsonl"
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [each for each in lines if each["request"] and each["request"]["body"]]


RECORDINGS = _recordings()
EACH = pytest.mark.parametrize("recorded", RECORDINGS, ids=lambda recorded: recorded["id"])


def played(recorded: Any) -> Any:
    body = json.dumps(recorded["request"]["body"]).encode()
    url = f"https://{recorded['host']}{recorded['path']}"
    return handle("POST", url, {}, body, now_s=0, any_prefix=True)


def members(reply: Any) -> set[str]:
    """Return the paths of a whole reply's members, two levels deep."""
    found = set(reply)
    found |= {f"usage.{name}" for name in reply["usage"]}
    for choice in reply["choices"]:
        found |= {f"choices[].{name}" for name in choice}
        found |= {f"choices[].message.{name}" for name in choice["message"]}
    return found - CHANCE


@EACH
def test_recorded_requests_get_the_recorded_status(recorded: Any) -> None:
    reply = played(recorded)

    if recorded["id"] in NOT_OF_THE_REQUEST:
        assert reply.status == 200
    else:
        assert reply.status == recorded["status"], reply.body


@EACH
def test_replies_have_the_recorded_members(recorded: Any) -> None:
    told = recorded["response"].get("json")
    if recorded["status"] != 200 or told is None:
        return

    assert members(json.loads(played(recorded).body)) == members(told)


def test_errors_have_the_recorded_members() -> None:
    for recorded in RECORDINGS:
        if recorded["status"] >= 400 and recorded["id"] not in NOT_OF_THE_REQUEST:
            assert json.loads(played(recorded).body) == recorded["response"]["json"]
