"""Command line `specado`: parses the arguments, runs a subcommand, returns its exit code.

Each subcommand is a module of this package with `run(arguments) -> int`. It is imported only when
it runs, so that `--help` and `--version` do not load the library.
"""

from __future__ import annotations

import contextlib
import importlib
import warnings
from typing import TYPE_CHECKING, Any, Optional

from specado.cli import output
from specado.cli.arguments import make_parser
from specado.errors import SpecadoError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

FAILED = 1
# The exit code that a shell reports after SIGINT or SIGPIPE: 128 plus the signal's number.
INTERRUPTED = 130
OUTPUT_CLOSED = 141


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run the command line and return its exit code; *argv* is `sys.argv[1:]` by default.

    Raises:
        SystemExit: with 0 after `--help` and `--version`, with 2 for a wrong command line.
    """
    output.escape_what_cannot_be_encoded()
    try:
        try:
            return _run(argv)
        finally:
            output.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        output.discard()
        return OUTPUT_CLOSED
    except OSError as error:
        with contextlib.suppress(OSError):
            output.notice(error.strerror or str(error))
        output.discard()
        return FAILED


def _run(argv: Optional[Sequence[str]]) -> int:
    arguments = make_parser().parse_args(argv)
    command = importlib.import_module(f"specado.cli.{arguments.command}")
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = _show_warning
        try:
            code: int = command.run(arguments)
        except SpecadoError as error:
            output.notice(error.message)
            return FAILED
    return code


def _show_warning(message: Any, *_args: Any, **_more: Any) -> None:
    output.notice(f"warning: {message}")
