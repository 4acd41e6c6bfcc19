"""Hints for misspelt names: the nearest known name."""

from __future__ import annotations

import subprocess
import sys

import pytest

from specado.settings.client_settings import SETTINGS
from specado.settings.parameters import OPTIONS, PARAMETERS
from specado.settings.validators import closest

NAMES = [*PARAMETERS, *OPTIONS, "model", "messages"]
MODELS = ["gpt-4", "gpt-4o", "gpt-4.1", "gpt-5", "openai/gpt-4o", "claude-sonnet-4-5"]

MISSPELT = [
    ("temprature", NAMES, "temperature"),
    ("Temperature", NAMES, "temperature"),
    ("max_token", NAMES, "max_tokens"),
    ("maxTokens", NAMES, "max_tokens"),
    ("Top_P", NAMES, "top_p"),
    ("topP", NAMES, "top_p"),
    ("toolchoice", NAMES, "tool_choice"),
    ("tool", NAMES, "tools"),
    ("respons_format", NAMES, "response_format"),
    ("frequency_penality", NAMES, "frequency_penalty"),
    ("top_logprob", NAMES, "top_logprobs"),
    ("extra_header", NAMES, "extra_headers"),
    ("fallback_model", NAMES, "fallback_models"),
    ("max_retry", NAMES, "max_retries"),
    ("timeout_sec", NAMES, "timeout_seconds"),
    ("messags", NAMES, "messages"),
    ("primary_provder", SETTINGS, "primary_provider"),
    ("idle_timeout_second", SETTINGS, "idle_timeout_seconds"),
    ("provider", SETTINGS, "providers"),
    ("gpt-4oo", MODELS, "gpt-4o"),
    ("gpt4o", MODELS, "gpt-4o"),
    ("opnai/gpt-4o", MODELS, "openai/gpt-4o"),
    ("claude-sonet-4.5", MODELS, "claude-sonnet-4-5"),
]
# Alike, yet something else.
DIFFERENT = [
    ("top_k", NAMES),
    ("top_a", NAMES),
    ("top_n", NAMES),
    ("instructions", NAMES),
    ("instruction", NAMES),
    ("system", NAMES),
    ("min_tokens", NAMES),
    ("max_new_tokens", NAMES),
    ("max_turns", NAMES),
    ("max_length", NAMES),
    ("max_attempts", NAMES),
    ("max_tool_calls", NAMES),
    ("num_retries", NAMES),
    ("timeout_ms", NAMES),
    ("repetition_penalty", NAMES),
    ("reasoning_format", NAMES),
    ("response_model", NAMES),
    ("response_schema", NAMES),
    ("response_mime_type", NAMES),
    ("safety_settings", NAMES),
    ("tool_config", NAMES),
    ("tool_resources", NAMES),
    ("organization", NAMES),
    ("conversation", NAMES),
    ("truncation", NAMES),
    ("callbacks", NAMES),
    ("model_list", NAMES),
    ("user_id", NAMES),
    ("options", NAMES),
    ("timeout_ms", SETTINGS),
    ("max_keepalive", SETTINGS),
    ("gpt-6", MODELS),
    ("gpt-4.2", MODELS),
    ("claude-sonnet-4-7", MODELS),
]


@pytest.mark.parametrize(("name", "known", "meant"), MISSPELT)
def test_a_misspelt_name_means_the_nearest(name, known, meant):
    assert closest(name, known) == meant


@pytest.mark.parametrize(("name", "known"), DIFFERENT)
def test_a_name_that_is_only_alike_means_none(name, known):
    assert closest(name, known) is None


@pytest.mark.parametrize("name", [None, 5, ("a",), ""])
def test_what_is_no_name_means_none(name):
    assert closest(name, SETTINGS) is None


def test_an_httpx_timeout_is_known_without_httpx():
    code = (
        "import sys, specado.settings.validators as c\n"
        "class T: connect, read, write, pool = 1, 2, None, None\n"
        "print(c.timeouts('timeout', T()), 'httpx' in sys.modules)"
    )

    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    ).stdout

    expected = "{'connect_timeout_seconds': 1, 'idle_timeout_seconds': 2} False"
    assert shown.strip() == expected
