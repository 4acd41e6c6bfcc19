"""Recorded requests, replies and streams of Bedrock's Converse API."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any, NamedTuple

from reference_files import REPOSITORY

__all__ = ["REPLIES", "REQUESTS", "RecordedReply", "RecordedRequest"]

_DATA = REPOSITORY / "tests" / "data"


class RecordedReply(NamedTuple):
    """One recorded reply; `body` is its JSON, or the frames of its events."""

    id: str
    model: str
    status: int
    headers: dict[str, str]
    is_stream: bool
    body: bytes


class RecordedRequest(NamedTuple):
    """One recorded request; `path` is that of its URL."""

    id: str
    model: str
    path: str
    status: int
    body: dict[str, Any]

    @property
    def is_stream(self) -> bool:
        """True for a request that asks for a stream."""
        return self.path.endswith("-stream")


def _replies() -> list[RecordedReply]:
    found = []
    with gzip.open(_DATA / "recorded_bedrock_replies.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            given = json.loads(line)
            is_stream = "bytes_b64" in given
            found.append(
                RecordedReply(
                    given["id"],
                    given["model"],
                    given["status"],
                    given["headers"],
                    is_stream,
                    base64.b64decode(given["bytes_b64"])
                    if is_stream
                    else json.dumps(given["json"]).encode(),
                )
            )
    return found


def _requests() -> list[RecordedRequest]:
    text = (_DATA / "recorded_bedrock_requests.jsonl").read_text(encoding="utf-8")
    return [RecordedRequest(**json.loads(line)) for line in text.splitlines()]


REPLIES = _replies()
REQUESTS = _requests()
