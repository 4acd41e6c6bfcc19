"""Facts of Bedrock's manifest against the simulated Bedrock: a changed fact changes the outcome.

The simulator's table of families is written from AWS's documentation and recordings, so that a
wrong trait is seen: the request that it makes is refused, or answered otherwise.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

import specado
from reference_files import REPOSITORY
from specado.simulator import handle

USER = {"role": "user", "content": "Hello"}
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
TOOL = {"type": "function", "function": {"name": "f", "parameters": SCHEMA}}
STRICT = {"type": "function", "function": {"name": "f", "parameters": SCHEMA, "strict": True}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": "b"}'}}
CALLED = [
    USER,
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call_1", "content": "done"},
]
FORMAT = {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA, "strict": True}}
REQUIRED = {"tools": [TOOL], "tool_choice": "required"}


def cached(**mark: str) -> dict[str, Any]:
    part = {"type": "text", "text": "Hello", "cache_control": {"type": "ephemeral", **mark}}
    return {"messages": [{"role": "user", "content": [part]}]}


OPUS = "anthropic.claude-opus-5"
OLD_OPUS = "anthropic.claude-opus-4-1-20250805-v1:0"
OLDEST = "anthropic.claude-3-7-sonnet-20250219-v1:0"
LLAMA = "meta.llama4-maverick-17b-instruct-v1:0"
NOVA = "amazon.nova-pro-v1:0"
GPT = "openai.gpt-oss-120b-1:0"
THINK = {"reasoning_effort": "high"}
# Model, trait, a wrong value of it, and a request for which it counts.
CHANGED = [
    (OPUS, "sampling", True, {"temperature": 0.5}),
    (OPUS, "assistant_prefill", True, {"messages": [USER, {"role": "assistant", "content": "H"}]}),
    (OPUS, "thinking", "budget", THINK),
    (OPUS, "thinking", "none", THINK),
    (OLD_OPUS, "temperature_with_top_p", True, {"temperature": 0.5, "top_p": 0.5}),
    (OLD_OPUS, "thinking", "adaptive", THINK),
    (OLDEST, "cache_ttls", ["5m", "1h"], cached(ttl="1h")),
    (LLAMA, "cache_ttls", ["5m"], cached()),
    (LLAMA, "tool_choices", ["auto", "any", "tool"], REQUIRED),
    (LLAMA, "results_alone", False, {"messages": [*CALLED, USER], "tools": [TOOL]}),
    (LLAMA, "max_stops", None, {"stop": list("abcdef")}),
    (GPT, "stop", True, {"stop": ["a"]}),
    (NOVA, "max_stops", None, {"stop": list("abcdef")}),
    (NOVA, "structured_output", True, {"response_format": FORMAT}),
    (NOVA, "strict_tools", True, {"tools": [STRICT]}),
]


def shipped() -> dict[str, Any]:
    path = REPOSITORY / "src" / "specado" / "catalog" / "providers" / "bedrock.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def outcome(model: str, request: dict[str, Any]) -> tuple[int, list[str]]:
    """Return the status of the simulated answer and the kinds of its blocks."""
    given = {"model": model, "messages": [USER], **request}
    sent = specado.translate(given, f"bedrock/{model}", strictness="coerce")
    reply = handle("POST", f"/model/{quote(model, safe='')}/converse", {}, sent.body)
    if reply.status != 200:
        return reply.status, []
    blocks = json.loads(reply.body)["output"]["message"]["content"]
    return reply.status, [kind for block in blocks for kind in block]


@pytest.mark.parametrize(
    ("model", "trait", "wrong", "request_"),
    CHANGED,
    ids=[f"{model}-{trait}-{wrong}" for model, trait, wrong, _ in CHANGED],
)
def test_a_wrong_fact_is_seen(model: str, trait: str, wrong: Any, request_: dict[str, Any]) -> None:
    good = outcome(model, request_)
    changed = shipped()
    traits = changed["models"][model]["traits"]
    assert traits.get(trait) != wrong
    traits[trait] = wrong
    if wrong is None:
        del traits[trait]
    specado.register_manifest(changed, name="bedrock", replace=True)

    assert good[0] == 200
    assert outcome(model, request_) != good


@pytest.mark.parametrize("model", shipped()["models"])
@pytest.mark.parametrize(
    "request_",
    [
        THINK,
        {"temperature": 0.5, "top_p": 0.5},
        {"stop": list("abcdef")},
        REQUIRED,
        {"tools": [STRICT]},
        {"messages": [*CALLED, USER], "tools": [TOOL]},
        {"response_format": FORMAT},
        cached(),
        cached(ttl="1h"),
    ],
    ids=["effort", "sampling", "stop", "choice", "strict", "results", "format", "cache", "hour"],
)
def test_each_model_answers_what_its_facts_make_of_a_request(
    model: str, request_: dict[str, Any]
) -> None:
    assert outcome(model, request_)[0] == 200
