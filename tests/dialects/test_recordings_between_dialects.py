"""Recorded requests, translated between all dialects: the strict simulator takes them.

Those of chat completions and of Anthropic's API are skipped where there are no recordings.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

import specado
from bedrock_recordings import REQUESTS
from reference_files import require_reference
from specado.simulator import handle

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = Path(__file__).parents[1] / "data"
VERTEX = "/v1beta1/projects/p/locations/global/publishers/google"
CONTENT = "{}/models/{}:generateContent"
# The provider or dialect, its model, and the address that answers.
TARGETS = [
    ("openai_chat", "gpt-4o", "/v1/chat/completions"),
    ("openai_chat", "gpt-5.5", "/v1/chat/completions"),
    ("openai_responses", "gpt-4o", "/v1/responses"),
    ("openai_responses", "gpt-5.5", "/v1/responses"),
    ("openai_responses", "gpt-5.4-pro", "/v1/responses"),
    ("anthropic", "claude-sonnet-4-6", "/v1/messages"),
    *(
        ("gemini", model, CONTENT.format("/v1beta", model))
        for model in ("gemini-2.5-flash", "gemini-3-flash-preview", "gemini-3.6-flash")
    ),
    ("vertex", "gemini-3-flash-preview", CONTENT.format(VERTEX, "gemini-3-flash-preview")),
    *(
        ("bedrock", model, f"/model/{quote(model, safe='')}/converse")
        for model in (
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "us.amazon.nova-2-lite-v1:0",
            "us.meta.llama4-maverick-17b-instruct-v1:0",
            "openai.gpt-oss-120b-1:0",
            "us.mistral.pixtral-large-2502-v1:0",
        )
    ),
]
SOURCES = {
    "openai_chat": "openai_chat",
    "openai_responses": "openai_responses",
    "anthropic": "anthropic_messages",
    "gemini": "gemini",
    "vertex": "gemini",
    "bedrock": "bedrock_converse",
}
# A dialect's own requests hold what only their provider knows: ids, signatures, encrypted content.
PAIRS = [
    pytest.param(source, *target, id=f"{source}-{target[0]}-{target[1]}")
    for source in sorted(set(SOURCES.values()))
    for target in TARGETS
    if SOURCES[target[0]] != source
]
HEADERS = {"anthropic-version": "2023-06-01", "authorization": "Bearer any-key"}


def recorded(source: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the requests of a dialect that were answered, with their ids."""
    if source in ("openai_chat", "anthropic_messages"):
        folder = require_reference()
        name = "openai" if source == "openai_chat" else "anthropic"
        for line in (folder / "recordings" / f"{name}.jsonl").read_text("utf-8").splitlines():
            row = json.loads(line)
            if row["response"]["status"] == 200:
                yield row["id"], row["request"]
        return
    if source == "bedrock_converse":
        for each in REQUESTS:
            if each.status == 200:
                yield each.id, {"model": each.model, **each.body}
        return
    name = "responses" if source == "openai_responses" else "gemini"
    for line in (DATA / f"recorded_{name}_requests.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        if row["status"] == 200:
            named = {"model": "gemini-2.0-flash"} if name == "gemini" else {}
            yield row["id"], {**row["request"], **named}


@pytest.mark.parametrize(("source", "target", "model", "path"), PAIRS)
def test_a_translation_is_taken_or_its_contract_losses_are_reported(
    source: str, target: str, model: str, path: str
) -> None:
    refused = {}
    for name, request in recorded(source):
        made = specado.translate(request, target, source=source, model=model)
        body = {**json.loads(made.body), "stream": False}
        body.pop("stream_options", None)
        if path.endswith((":generateContent", "/converse")):
            body.pop("stream")
        reply = handle("POST", path, HEADERS, json.dumps(body).encode(), now_s=0)
        losses = [item.kind for item in made.report.items if item.severity != "None"]
        if reply.status != 200 and "contract" not in losses:
            refused[name] = reply.body

    assert refused == {}
