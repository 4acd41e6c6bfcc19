"""`specado preview`: shows a request translated for another provider, its URL, and the losses."""

from __future__ import annotations

import json
import re
import shutil
import sys
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from specado.cli import output
from specado.errors import MessageFormatError
from specado.translation import translate

if TYPE_CHECKING:
    from argparse import Namespace

    from specado.translation import Translation

__all__ = ["run"]

# From this width on the two bodies are shown side by side, below it one under the other.
SIDE_BY_SIDE_COLUMNS = 120
GAP = "  "
# Base64 from this length on is shown by its first characters and its size in bytes. Text has
# spaces and punctuation: a text with neither for this long is data.
LONG_BASE64 = 256
SHOWN_BASE64 = 32
_BASE64 = re.compile(
    rb'"((?:data:[^",;\\]*(?:;[^",;\\]*)*;base64,)?)'
    rb'((?:[A-Za-z0-9+/_-]|\\/){%d,}={0,2})"' % LONG_BASE64
)


def run(arguments: Namespace) -> int:
    """Print the translated body next to the original, the URL, and the losses."""
    request = _read(arguments.request)
    found = translate(
        request, arguments.to, source=arguments.source, strictness=arguments.strictness
    )
    if arguments.json:
        output.document(_as_document(found))
        return 0
    _show_bodies(request, found, arguments.source)
    output.line(f"{found.dialect}: POST {found.url}")
    for text in str(found.report).splitlines():
        output.line(text)
    return 0


def _read(path: str) -> bytes:
    """Return a file's bytes, stdin's for `-`."""
    if path == "-":
        return b"" if sys.stdin is None else sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise MessageFormatError(f"{path}: {error.strerror}", field="request") from None


def _as_document(found: Translation) -> dict[str, Any]:
    return {
        "provider": found.provider,
        "model": found.model,
        "dialect": found.dialect,
        "url": found.url,
        "headers": found.headers,
        "body": json.loads(found.body),
        "report": found.report.to_dict(),
    }


def _show_bodies(request: bytes, found: Translation, source: str) -> None:
    width = shutil.get_terminal_size().columns
    before = [f"{source}:", *_lines(request)]
    after = [f"{found.provider}/{found.model}:", *_lines(found.body)]
    if width < SIDE_BY_SIDE_COLUMNS:
        for text in (*before, "", *after, ""):
            output.line(text)
        return
    column = (width - len(GAP)) // 2
    for left, right in zip_longest(_folded(before, column), _folded(after, column), fillvalue=""):
        output.line(f"{left.ljust(column)}{GAP}{right}".rstrip())
    output.line()


def _lines(body: bytes) -> list[str]:
    """Return JSON text indented, numbers with their digits as they were, long base64 cut short."""
    return msgspec.json.format(_BASE64.sub(_shortened, body), indent=2).decode().splitlines()


def _shortened(found: re.Match[bytes]) -> bytes:
    start, data = found[1], found[2].replace(b"\\", b"")
    size = len(data.rstrip(b"=")) * 3 // 4
    return b'"%s%s\xe2\x80\xa6(%d bytes)"' % (start, data[:SHOWN_BASE64], size)


def _folded(lines: list[str], width: int) -> list[str]:
    """Return lines cut to pieces of at most *width* characters."""
    return [
        line[start : start + width]
        for line in lines
        for start in range(0, max(len(line), 1), width)
    ]
