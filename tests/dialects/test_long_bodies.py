"""Long bodies: complete at any length, whatever the writer's buffer size."""

from __future__ import annotations

import json
from typing import Any

import pytest

from anthropic_core import encode_anthropic_request
from specado._core import dumps, encode_openai_request, normalize

LENGTHS = [0, 1, 1021, 1022, 1023, 65_533, 65_534, 65_535, 80_000, 262_142, 1_000_000, 2_097_150]


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("letter", ["x", "\n", "é"], ids=["plain", "escaped", "two bytes"])
def test_a_text_of_any_length_is_written_whole(length: int, letter: str) -> None:
    text = letter * length

    body = dumps(text)

    assert body == json.dumps(text, ensure_ascii=False).encode()
    assert len(body) == len(bytes(bytearray(body)))


def test_a_body_that_outgrows_its_room_is_whole() -> None:
    asked = [{"role": "user", "content": "\x00" * 300_000}]

    body = encode_anthropic_request(normalize(asked), "m", {"max_tokens": 1}, None)[0]

    assert json.loads(body)["messages"] == asked


@pytest.mark.parametrize("encode", [encode_openai_request, encode_anthropic_request])
def test_bodies_of_a_length_are_objects_of_their_own(encode: Any) -> None:
    bodies = [
        encode(normalize([{"role": "user", "content": letter * 200_000}]), "m", {}, None)[0]
        for letter in "abab"
    ]

    assert bodies[0] == bodies[2] != bodies[1] == bodies[3]
    assert hash(bodies[0]) == hash(bytes(bytearray(bodies[0])))
    assert [body[-3:-1] for body in bodies] == [bodies[0][-3:-1]] * 4
