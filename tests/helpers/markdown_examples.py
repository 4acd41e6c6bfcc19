"""The Python examples of a Markdown page, run in the page's order in one namespace."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import textwrap
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

_FENCED = re.compile(
    r"^(?P<indent> *)```python\n(?P<source>.*?)^(?P=indent)```\n"
    r"(?:\s*^(?P=indent)```text\n(?P<shown>.*?)^(?P=indent)```)?",
    re.MULTILINE | re.DOTALL,
)


class Example(NamedTuple):
    """One block: the line of the page that its source begins on, the source, the output shown.

    The output stands in a `text` block right below; `shown` is `None` where there is none.
    """

    line: int
    source: str
    shown: str | None = None


class Outcome(NamedTuple):
    """What running one example gave: its output, its error if any, the names it left."""

    output: str
    error: BaseException | None
    names: dict[str, Any]


def examples(page: Path) -> list[Example]:
    """Return the Python blocks of *page*, in order, without their indentation."""
    text = page.read_text(encoding="utf-8")
    return [
        Example(
            text.count("\n", 0, match.start()) + 2,
            textwrap.dedent(match["source"]),
            None if match["shown"] is None else textwrap.dedent(match["shown"]),
        )
        for match in _FENCED.finditer(text)
    ]


class ExamplePage:
    """Runs a page's examples, each once, and always after those above it."""

    def __init__(self, page: Path, scratch: Path, *, fragments: Container[int] = ()) -> None:
        """Read *page*; the examples on the lines *fragments* are not meant to run."""
        self.page = page
        self.scratch = scratch
        self.runnable = [example for example in examples(page) if example.line not in fragments]
        self.namespace: dict[str, Any] = {"__name__": "examples"}
        self._outcomes: dict[int, Outcome] = {}
        self._registered: dict[str, Any] = {}

    def outcome(self, line: int) -> Outcome:
        """Return what the example on *line* gave; raise what it raised."""
        for example in self.runnable:
            if example.line not in self._outcomes:
                self._outcomes[example.line] = self._run(example)
            if example.line == line:
                break
        outcome = self._outcomes[line]
        if outcome.error is not None:
            raise outcome.error
        return outcome

    def _run(self, example: Example) -> Outcome:
        output = io.StringIO()
        error = None
        # Blank lines above the source make a traceback show the page's own line numbers.
        source = "\n" * (example.line - 1) + example.source
        with self.surroundings(), contextlib.redirect_stdout(output):
            try:
                exec(compile(source, str(self.page), "exec"), self.namespace)
            except Exception as raised:  # noqa: BLE001 - raised again in the example's own test
                error = raised
        return Outcome(output.getvalue(), error, dict(self.namespace))

    @contextlib.contextmanager
    def surroundings(self) -> Iterator[None]:
        """Be in a scratch folder, wait for nothing, and allow the warning about simulation.

        Providers that a page registers are there for that page alone.
        """
        import specado
        from specado.catalog import lookup as catalog

        root = logging.getLogger()
        handlers, level, folder = root.handlers[:], root.level, Path.cwd()
        os.chdir(self.scratch)
        try:
            with (
                warnings.catch_warnings(),
                mock.patch("time.sleep"),
                mock.patch.object(catalog, "_registered", self._registered),
            ):
                warnings.simplefilter("ignore", specado.SimulatedReplyWarning)
                yield
        finally:
            os.chdir(folder)
            root.handlers[:] = handlers
            root.setLevel(level)
