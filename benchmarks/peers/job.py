"""What a side hands to the worker, and the request that all sides send."""

from __future__ import annotations

from typing import Any, Callable, NamedTuple, Optional

__all__ = ["MESSAGES", "SYSTEM", "USER", "Job", "no_outcome"]

SYSTEM = "You are a helpful assistant."
USER = "Why does the fox rest?"
MESSAGES = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": USER}]


class Job(NamedTuple):
    """One side of one case, ready to run.

    *run* does one unit of work and returns what came of it; a coroutine function is awaited.
    Without *digest* every outcome is compared with the first, with it the last of a block only:
    *digest* then gives what is compared. *check* is called after the first one: it raises if the
    side did its work in another way than it says. Where a case asks its sides for a figure, *run*
    returns that, and *digest* is `no_outcome`.
    """

    run: Callable[[], Any]
    digest: Optional[Callable[[Any], Any]] = None
    check: Optional[Callable[[], None]] = None


def no_outcome(figure: float) -> None:
    """Return what is compared of a figure: nothing."""
