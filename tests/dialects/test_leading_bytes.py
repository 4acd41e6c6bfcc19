"""The same leading messages give the same leading bytes, whatever follows."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import specado
from conversations import MESSAGES

MARK = r',"cache_control":\{"type":"ephemeral"(,"ttl":"(5m|1h)")?\}'


def turns(body: bytes) -> list[str]:
    """Return each turn as it is written, without the marks of what is to be cached."""
    text = body.decode()
    decoder = json.JSONDecoder()
    at = text.index('"messages":[') + len('"messages":[')
    found = []
    while text[at] != "]":
        start = at + (text[at] == ",")
        _, at = decoder.raw_decode(text, start)
        found.append(re.sub(MARK, "", text[start:at]))
    return found


@pytest.mark.no_cover
@pytest.mark.parametrize("to", ["anthropic/claude-opus-4-5", "anthropic/claude-opus-5", "openai"])
@given(messages=MESSAGES, data=st.data())
def test_all_turns_but_the_last_are_written_the_same_whatever_follows(
    to: str, messages: list[dict[str, Any]], data: st.DataObject
) -> None:
    count = data.draw(st.integers(1, len(messages)))
    request = {"model": "gpt-4.1", "messages": messages}

    before = turns(specado.translate({**request, "messages": messages[:count]}, to).body)
    # What follows may join the last turn, before a system message at the end too.
    before = before[: -2 if '"role":"system"' in before[-1] else -1]

    assert turns(specado.translate(request, to).body)[: len(before)] == before
