"""Slow, obvious twins of the stream readers: whole bytes to frames, frames to a whole reply."""

from __future__ import annotations

import re
from typing import Optional

Frame = tuple[Optional[str], bytes]


def frames(data: bytes) -> list[Frame]:
    """Return the frames of a whole stream (WHATWG HTML, 9.2.6), the unfinished last one too."""
    found: list[Frame] = []
    name: Optional[str] = None
    lines: list[bytes] = []
    for line in [*re.split(rb"\r\n|\n|\r", data.removeprefix(b"\xef\xbb\xbf")), b""]:
        if line == b"":
            if lines:
                found.append((name, b"\n".join(lines)))
            name, lines = None, []
            continue
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            lines.append(value)
        elif field == b"event":
            name = value.decode("utf-8", "replace") or None
    return found
