"""Output of the commands: answers, tables and JSON on stdout, one-line notices on stderr.

Tables are drawn by rich if it is installed and stdout is a terminal, and are aligned text
otherwise; both show the same cells.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Optional, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Callable

__all__ = [
    "Column",
    "answer",
    "discard",
    "document",
    "escape_what_cannot_be_encoded",
    "flush",
    "is_on_terminal",
    "line",
    "notice",
    "pieces",
    "record",
    "table",
]

GAP = 2

# A terminal obeys control characters; text from elsewhere may not command it.
_CONTROLS = {
    code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"
}


class Column(NamedTuple):
    """A table's column: its heading, and whether its cells are numbers (set to the right)."""

    title: str
    is_number: bool = False


def escape_what_cannot_be_encoded() -> None:
    """Write characters that the terminal's encoding lacks as escapes."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def flush() -> None:
    """Flush the buffers; an `OSError` is raised here and not at the interpreter's exit."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


def discard() -> None:
    """Discard the buffered output after stdout or stderr was closed."""
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            continue
        try:
            stream.flush()
        except OSError:
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def is_on_terminal() -> bool:
    """Return whether stdout is a terminal."""
    return sys.stdout is not None and sys.stdout.isatty()


def line(text: str = "") -> None:
    """Print a line of text to stdout."""
    _write(sys.stdout, text.translate(_CONTROLS))


def notice(text: str) -> None:
    """Print one line to stderr, whatever *text* holds."""
    _write(sys.stderr, f"specado: {' '.join(text.split())}".translate(_CONTROLS))


def answer(text: str) -> None:
    """Print a model's answer to stdout, without the control characters of a terminal."""
    if is_on_terminal():
        text = text.translate(_CONTROLS)
    _write(sys.stdout, text[:-1] if text.endswith("\n") else text)


@contextlib.contextmanager
def pieces() -> Iterator[Callable[[str], None]]:
    """Give a function that prints the next piece of an answer at once, as `answer` would.

    Leaving the block ends the answer's line, also where the answer broke off in its middle.
    """
    ended = ""
    controls = _CONTROLS if is_on_terminal() else {}

    def write(text: str) -> None:
        nonlocal ended
        if text and sys.stdout is not None:
            ended = text[-1]  # first: an interrupt after the writing must find it
            sys.stdout.write(text.translate(controls))
            sys.stdout.flush()

    try:
        yield write
    except BaseException:
        if ended not in ("", "\n"):
            with contextlib.suppress(OSError):
                write("\n")
        raise
    if ended != "\n":
        write("\n")


def document(data: Any) -> None:
    """Print *data* as JSON, in ASCII where stdout is not UTF-8."""
    _write(sys.stdout, _json(data, indent=2))


def record(data: Any) -> None:
    """Print *data* as JSON on one line, at once; otherwise as `document`."""
    _write(sys.stdout, _json(data, indent=None))
    if sys.stdout is not None:
        sys.stdout.flush()


def _json(data: Any, indent: Optional[int]) -> str:
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower().replace("-", "")
    return json.dumps(data, indent=indent, ensure_ascii=encoding != "utf8")


def table(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
    """Print a table to stdout."""
    cells = [[cell.translate(_CONTROLS) for cell in row] for row in rows]
    console = _rich_console()
    if console is None:
        _plain_table(columns, cells)
    else:
        _rich_table(console, columns, cells)


def _plain_table(columns: Sequence[Column], rows: list[list[str]]) -> None:
    lines = [[column.title for column in columns], *rows]
    widths = [max(map(len, cells)) for cells in zip(*lines)]
    for cells in lines:
        aligned = [
            cell.rjust(width) if column.is_number else cell.ljust(width)
            for column, cell, width in zip(columns, cells, widths)
        ]
        _write(sys.stdout, (" " * GAP).join(aligned).rstrip())


def _rich_table(console: Any, columns: Sequence[Column], rows: list[list[str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold cyan")
    for column in columns:
        justify: Literal["left", "right"] = "right" if column.is_number else "left"
        drawn.add_column(Text(column.title), justify=justify, overflow="fold")
    for row in rows:
        drawn.add_row(*map(Text, row))
    console.print(drawn)


def _rich_console() -> Optional[Any]:
    """Return a console that draws on stdout, `None` without a terminal or without rich."""
    if not is_on_terminal():
        return None
    try:
        from rich.console import Console
    except ImportError:
        return None
    return Console(file=sys.stdout, markup=False, highlight=False, emoji=False)


def _write(stream: Optional[TextIO], text: str) -> None:
    # A program that was started with stdout or stderr closed has None in its place.
    if stream is not None:
        stream.write(f"{text}\n")
