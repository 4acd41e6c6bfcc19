"""What the standard tools do at best: the floors that specado is held against."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path
from typing import Any, Optional

import msgspec
import orjson

import specado
from peers.conversations import LARGE_COUNT, request
from peers.conversations import reply as reply_of
from peers.job import Job, no_outcome

TWIN = Path(__file__).resolve().parents[3] / "tests" / "helpers" / "reference.py"
BY = {
    "orjson loads + dumps": lambda data: orjson.dumps(orjson.loads(data)),
    "msgspec decode + encode": lambda data: msgspec.json.encode(msgspec.json.decode(data)),
    "orjson dumps": orjson.dumps,
    "msgspec encode": msgspec.json.encode,
}


def through(count: int, by: str, rich: bool = False) -> Job:
    """The request as it is: nothing is translated, so there is no outcome to compare."""
    asked: Any = request(count, rich=rich)
    expected = orjson.dumps(asked)
    if "loads" in by or "decode" in by:
        asked = expected
    work = BY[by]

    def run() -> bytes:
        return work(asked)

    def digest(data: bytes) -> None:
        assert orjson.loads(data) == orjson.loads(expected)

    return Job(run, digest)


def encode_ms(url: str) -> Job:
    """How long msgspec takes to encode the request of 10 MB, and do nothing else."""
    asked = request(LARGE_COUNT)

    def run() -> float:
        started_s = time.perf_counter()
        msgspec.json.encode(asked)
        return (time.perf_counter() - started_s) * 1000

    return Job(run, no_outcome)


def compare() -> Job:
    spec = importlib.util.spec_from_file_location("compare_twin", TWIN)
    assert spec is not None
    assert spec.loader is not None
    twin = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(twin)
    source = specado.get_model_capabilities("openai", "gpt-4-turbo")
    target = specado.get_model_capabilities("anthropic", "claude-3-opus")

    def run() -> Any:
        return twin.compare_capabilities(source, target)

    return Job(run)


class PlainReply(msgspec.Struct):
    """The same reply as Structs alone: the floor for reading it."""

    id: str
    model: str
    choices: list[specado.Choice]
    created: int
    usage: Optional[specado.Usage] = None


def reply(length: int = 300) -> Job:
    decode, data = msgspec.json.Decoder(PlainReply).decode, reply_of(length)

    def run() -> str:
        return decode(data).choices[0].message.content

    return Job(run)
