"""The index of manifests: what a process reads of the shipped providers, and when."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROGRAM = """\
import json, os, sys

opened = []
def note(event, arguments):
    if event == "open" and isinstance(arguments[0], str) and arguments[0].endswith(".json"):
        opened.append(os.path.basename(arguments[0]))
sys.addaudithook(note)

import httpx
import specado

at_import = list(opened)

def answer(request):
    message = {"role": "assistant", "content": "Hi"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return httpx.Response(200, json={"choices": [choice]})

config, model = json.loads(sys.argv[1]), sys.argv[2]
with httpx.Client(transport=httpx.MockTransport(answer)) as http_client:
    client = specado.Client(config, http_client=http_client)
    client.chat.completions.create(model, "Hello")
print(json.dumps([at_import, sorted(opened)]))
"""


def opened_files(config, model):
    """The JSON files that a process opens by the import, and by its first call too."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(config), model],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("config", "model", "expected"),
    [
        ({"providers": {"openai": {"api_key": "k"}}}, "openai/gpt-5.4", ["openai.json"]),
        (
            {"providers": {"openai": {"api_key": "k"}}},
            "gpt-5.4",
            ["anthropic.json", "openai.json"],
        ),
        (
            {"primary_provider": "groq", "providers": {"groq": {"api_key": "k"}}},
            "openai/gpt-oss-120b",
            ["groq.json"],
        ),
        (
            {"providers": {"groq": {"api_key": "k"}}},
            "groq/openai/gpt-oss-120b",
            ["groq.json", "openai.json", "provider_index.json"],
        ),
        (
            {"providers": {"openai": {"api_key": "k"}}},
            "nobody-knows-it",
            ["anthropic.json", "model_index.json", "openai.json", "provider_index.json"],
        ),
        (
            {"simulate": True},
            "gpt-5.4",
            ["anthropic.json", "openai.json", "provider_index.json"],
        ),
    ],
)
def test_no_manifest_of_a_provider_that_is_not_asked_is_opened(config, model, expected):
    at_import, at_first_call = opened_files(config, model)

    assert at_import == []
    assert at_first_call == expected
