"""The earlier specado, 0.2.2: another implementation under the same name, text only."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import specado
from peers.job import MESSAGES, Job

SPEC = """\
provider: openai
interface: conversational.generate
contract_version: "1.0.0"
auth: {{type: bearer, token_env: OPENAI_API_KEY}}
endpoints:
  chat:
    method: POST
    url: {url}/v1/chat/completions
    headers: {{Content-Type: application/json}}
mappings:
  request:
    - {{from: "$.metadata.openai_model", to: "$.model"}}
    - {{from: "$.messages", to: "$.messages"}}
  response:
    - {{from: "$.choices[0].message.content", to: "content"}}
    - {{from: "$.choices[0].finish_reason", to: "finish_reason"}}
constraints: {{supports: {{json_mode: true, tools: true}}}}
models: [{{id: gpt-4o}}]
capabilities: {{context_window: 128000}}
"""
PROMPT = {"version": "1", "messages": MESSAGES, "sampling": {}, "strict_mode": "Warn"}


def _client(url: str) -> Any:
    os.environ["OPENAI_API_KEY"] = "benchmark"
    path = Path(tempfile.mkdtemp()) / "provider.yaml"
    path.write_text(SPEC.format(url=url), encoding="utf-8")
    return specado.Client(str(path))


def call(url: str) -> Job:
    complete = _client(url).complete

    def run() -> str:
        return complete(PROMPT)["content"]

    return Job(run)


def call_async(url: str) -> Job:
    complete = _client(url).acomplete

    async def run() -> str:
        return (await complete(PROMPT))["content"]

    return Job(run)
