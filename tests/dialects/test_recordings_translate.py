"""Recorded requests and replies: the report of a translation names its losses.

One test for every recording; skipped where there are no recordings.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

import official
import specado
from reference_files import require_reference
from request_diff import OTHER, round_trip
from specado.simulator import handle

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORDINGS = require_reference() / "recordings"
HEADERS: dict[str, dict[str, str]] = {
    "openai": {},
    "anthropic": {"anthropic-version": "2023-06-01"},
}
PATHS = {
    "openai_chat": "/v1/chat/completions",
    "openai_responses": "/v1/responses",
    "anthropic_messages": "/v1/messages",
}
KINDS = {
    "openai_chat": "openai-request",
    "openai_responses": "responses-request",
    "anthropic_messages": "anthropic-request",
}
CURRENT = {"openai": ("gpt-4o", "gpt-5.4"), "anthropic": ("claude-haiku-4-5", "claude-opus-4-6")}
# What of a reply is in the canonical one, or says nothing beside what is.
KEPT = {
    "openai": re.compile(
        r"(id|object|created|model|system_fingerprint|service_tier)|usage\..*"
        r"|choices\[\d+\]\.(index|finish_reason|logprobs.*|message\."
        r"(role|content|refusal|annotations.*|audio.*|tool_calls.*|reasoning|reasoning_content))"
    ),
    "anthropic": re.compile(
        r"(id|type|role|model|stop_reason|usage\.service_tier)"
        r"|content\[\d+\]\.(type|text|thinking|signature|data|id|name|input.*|caller\.type)"
        r"|usage\.(input_tokens|output_tokens|cache_read_input_tokens|cache_creation_input_tokens)"
        r"|usage\.output_tokens_details\.thinking_tokens"
        r"|usage\.cache_creation\.ephemeral_(5m|1h)_input_tokens"
    ),
}
UNCHANGED_GEO = ("not_available", "global")


def _read_recordings() -> Iterator[Any]:
    for provider in ("openai", "anthropic"):
        with (RECORDINGS / f"{provider}.jsonl").open(encoding="utf-8") as lines:
            for line in lines:
                recording = json.loads(line)
                yield pytest.param(provider, recording, id=f"{provider}-{recording['id']}")


def _has_reply(made: Any) -> bool:
    response = made.values[1].get("response", {"status": 200, "json": {}})
    return response["status"] == 200 and "json" in response


RECORDINGS = list(_read_recordings())
REPLIES = [made for made in RECORDINGS if _has_reply(made)]


@pytest.mark.parametrize(("provider", "recording"), RECORDINGS)
def test_what_differs_is_what_is_reported(provider: str, recording: dict[str, Any]) -> None:
    trip = round_trip(recording["request"], provider)

    assert trip.unexplained == []


@pytest.mark.parametrize(("provider", "recording"), RECORDINGS)
def test_current_models_take_the_translation(provider: str, recording: dict[str, Any]) -> None:
    to = OTHER[provider]
    target = to.partition("_")[0]
    for model in CURRENT[target]:
        made = specado.translate(recording["request"], to, source=provider, model=model)

        assert official.problems(KINDS[made.dialect], made.body) == []
        _assert_accepted_or_reported(target, made)


def _assert_accepted_or_reported(target: str, made: specado.Translation) -> None:
    request = {**json.loads(made.body), "stream": False}
    request.pop("stream_options", None)
    body = json.dumps(request).encode()
    reply = handle("POST", PATHS[made.dialect], HEADERS[target], body, now_s=0)
    if reply.status != 200:
        assert any(
            item.kind == "contract" and item.severity != "None" for item in made.report.items
        ), (made.model, reply.body)


@pytest.mark.parametrize(("provider", "recording"), REPLIES)
def test_what_a_reply_cannot_say_is_noted(provider: str, recording: dict[str, Any]) -> None:
    raw = recording["response"]["json"]

    found = specado.parse_response(raw, provider)

    notes = found.extensions.metadata.get("reply_notes", [])
    left = [path for path, value in leaves(raw) if not KEPT[provider].fullmatch(path)]
    assert [path for path in left if not any(is_named(path, note) for note in notes)] == []
    if provider == "openai":
        assert official.problems("openai-response", with_what_is_always_sent(found)) == []
    texts = [block["text"] for block in raw.get("content", ()) if block["type"] == "text"] or [
        raw["choices"][0]["message"]["content"] if provider == "openai" else None
    ]
    assert (found.choices[0].message.content or "") == "".join(text or "" for text in texts)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The values that say something, with their paths."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from leaves(item, f"{path}[{place}]")
    elif value and not (path == "usage.inference_geo" and value in UNCHANGED_GEO):
        yield path, value


def is_named(path: str, note: str) -> bool:
    named = note.split(":")[0]
    return path.startswith(named) and path[len(named) : len(named) + 1] in ("", ".", "[")


def with_what_is_always_sent(found: Any) -> bytes:
    data = found.to_dict()
    data.setdefault("system_fingerprint", None)
    for choice in data["choices"]:
        for name, value in (("refusal", None), ("annotations", [])):
            choice["message"].setdefault(name, value)
    return json.dumps(data).encode()
