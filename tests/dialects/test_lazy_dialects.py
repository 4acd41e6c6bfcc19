"""A dialect is imported when a call, a reply or a stored answer first needs it, and not before."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import specado
from specado._core.exports import EXPORTS, FOLDERS
from specado.dialects.registry import DIALECTS

LISTED = """
import sys
parts = [name.split(".") for name in sys.modules if name.startswith("specado.")]
print(*sorted({each[2] for each in parts if each[1] in ("dialects", "_core") and len(each) > 3}))
"""
CALL = """
import specado
client = specado.Client({"simulate": True})
client.chat.completions.create("%s", "Hello")
"""
FAILED_CALL = """
import specado
client = specado.Client({"simulate": True, "max_retries": 0})
try:
    client.chat.completions.create("openai/auth-error-test-model", "Hello", fallback_models=[])
except specado.AuthenticationError:
    pass
"""
STORED = """
import json, sys
import specado
messages = [json.loads(sys.stdin.read()), {"role": "user", "content": "And?"}]
client = specado.Client({"simulate": True})
client.chat.completions.create("openai/gpt-4.1", messages, fallback_models=[])
"""


def loaded_after(program, given=b""):
    """Return the dialects whose folders a new process has imported at the end of *program*."""
    finished = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program + LISTED],
        input=given,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert finished.returncode == 0, finished.stderr.decode()
    return set(finished.stdout.decode().split())


def test_the_folders_are_those_of_the_dialects():
    assert set(DIALECTS) == FOLDERS


@pytest.mark.parametrize("name", EXPORTS)
def test_every_export_is_there(name):
    assert getattr(specado._core, name).__name__.startswith(EXPORTS[name][1])


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'decode_nothing'"):
        specado._core.decode_nothing  # noqa: B018


def test_a_client_needs_no_dialect():
    program = "import specado\nspecado.Client({'providers': {'openai': {'api_key': 'k'}}})"

    assert loaded_after(program) == set()


@pytest.mark.parametrize(
    ("model", "dialects"),
    [
        ("openai/gpt-4.1", {"openai_chat", "openai_responses"}),
        ("anthropic/claude-opus-4-5", {"anthropic_messages"}),
        ("gemini/gemini-3.8-flash", {"gemini"}),
    ],
)
def test_a_call_imports_the_dialects_of_its_route(model, dialects):
    assert loaded_after(CALL % model) == dialects


def test_an_error_imports_no_encoder_of_another_dialect():
    program = (
        FAILED_CALL + "import sys; assert 'specado._core.gemini.decode_reply' not in sys.modules"
    )

    loaded_after(program)


def test_a_record_tells_whether_it_is_bound_before_any_reply_of_its_dialect():
    program = "from specado._core.native import is_bound\n"
    program += "assert is_bound('openai_responses') and not is_bound('openai_chat')\n"
    program += "assert not is_bound('os') and not is_bound('')\n"

    assert loaded_after(program) == {"openai_chat", "openai_responses"}


def test_a_stored_answer_imports_its_dialect():
    reply = specado.parse_response(
        b'{"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-4-5",'
        b' "content": [{"type": "thinking", "thinking": "hm", "signature": "c2ln"},'
        b' {"type": "text", "text": "Hello"}], "stop_reason": "end_turn",'
        b' "usage": {"input_tokens": 1, "output_tokens": 1}}',
        "anthropic",
    )
    message = reply.choices[0].message.to_dict(native=True)
    assert "dialect" in message["reasoning_details"][-1]

    assert "anthropic_messages" in loaded_after(STORED, json.dumps(message).encode())
