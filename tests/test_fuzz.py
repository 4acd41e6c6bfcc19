"""Random bytes from a provider give a reply or a `ProviderError`, nothing else."""

from __future__ import annotations

import gzip
import json
import zlib

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fault_scripts as f
import fuzz_targets

NAMES = [
    "id",
    "object",
    "created",
    "model",
    "choices",
    "index",
    "message",
    "role",
    "content",
    "refusal",
    "tool_calls",
    "function",
    "name",
    "arguments",
    "type",
    "finish_reason",
    "usage",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "delta",
    "error",
    "code",
    "param",
    "details",
    "error_code",
    "logprobs",
    "annotations",
    "audio",
    "text",
    "input",
    "stop_reason",
    "stop_sequence",
    "input_tokens",
    "output_tokens",
    "content_block",
    "partial_json",
    "thinking",
    "signature",
    "citations",
    "custom",
    "output",
    "item",
    "response",
    "status",
    "incomplete_details",
    "reason",
    "call_id",
    "summary",
    "output_index",
    "content_index",
    "encrypted_content",
    "total_tokens",
]
WORDS = [
    "chat.completion",
    "assistant",
    "stop",
    "length",
    "tool_calls",
    "content_filter",
    "text",
    "tool_use",
    "thinking",
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "ping",
    "error",
    "text_delta",
    "input_json_delta",
    "thinking_delta",
    "signature_delta",
    "end_turn",
    "refusal",
    "overloaded_error",
    "rate_limit_error",
    "insufficient_quota",
    "server_error",
    "[DONE]",
    "message",
    "output_text",
    "function_call",
    "reasoning",
    "completed",
    "incomplete",
    "response.created",
    "response.output_item.added",
    "response.output_text.delta",
    "response.output_item.done",
    "response.completed",
]
plain = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(WORDS)
)
values = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6)
    ),
    max_leaves=30,
)
texts = st.builds(lambda value: json.dumps(value).encode(), values)


@st.composite
def changed(draw):
    """A real reply with one of its values, at any depth, replaced."""
    found = json.loads(draw(st.sampled_from([f.ANSWER, f.OTHER_ANSWER])))
    here = found
    while True:
        places = list(here) if isinstance(here, dict) else range(len(here))
        place = draw(st.sampled_from(list(places)))
        inner = here[place]
        if not isinstance(inner, (dict, list)) or not inner or draw(st.booleans()):
            here[place] = draw(values)
            return json.dumps(found).encode()
        here = inner


def framed(text):
    return b"data: " + text + b"\n\n"


bodies = st.one_of(
    st.binary(max_size=200),
    texts,
    changed(),
    st.builds(gzip.compress, texts),
    st.builds(zlib.compress, texts),
    st.lists(st.one_of(texts.map(framed), changed().map(framed), st.binary(max_size=9))).map(
        b"".join
    ),
)
headers = st.one_of(
    st.binary(max_size=12),
    st.sampled_from([b"1e400", b"-5", b"nan", b"Wed, 21 Oct 2015 07:28:00 GMT", b"1" * 400]),
)
inputs = st.builds(
    lambda first, second, value, body: bytes([first, second]) + value + body,
    st.integers(0, 255),
    st.integers(0, 255),
    st.just(b"") | st.builds(lambda one, two: one + b"\n" + two + b"\n", headers, headers),
    bodies,
)


@pytest.mark.no_cover
@pytest.mark.parametrize("name", fuzz_targets.TARGETS)
@hypothesis.settings(deadline=1000)
@given(inputs)
def test_any_bytes_are_read_or_refused(name, data):
    # A target raises what is no `ProviderError`, and asserts what it reads.
    assert fuzz_targets.TARGETS[name](data) is None
