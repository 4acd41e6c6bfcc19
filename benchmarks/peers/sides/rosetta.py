"""llm-rosetta: translation alone."""

from __future__ import annotations

import json
from typing import Any

import llm_rosetta

from peers.conversations import request, what_is_in
from peers.job import Job


def translate(count: int, rich: bool = False, text: bool = False) -> Job:
    asked = request(count, rich=rich)
    data = json.dumps(asked)

    def run() -> Any:
        given = json.loads(data) if text else asked
        body = llm_rosetta.convert(given, "anthropic", "openai_chat")
        return json.dumps(body) if text else body

    return Job(run, what_is_in)
