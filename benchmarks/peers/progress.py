"""Shows how far a run is: a line per block, with the time left."""

from __future__ import annotations

import time
from typing import Optional

__all__ = ["Progress"]


class Progress:
    """Counts blocks; *expected* of them are to come."""

    def __init__(self, expected: int) -> None:
        self._expected = expected
        self._done = 0
        self._started_s = time.monotonic()
        self.skipped: list[tuple[str, str, str]] = []

    def say(self, text: str) -> None:
        spent_s = time.monotonic() - self._started_s
        print(f"\n[after {spent_s:.0f} s] {text}", flush=True)

    def block(self, case: str, side: str, point: Optional[int], cost: float, unit: str) -> None:
        self._done += 1
        spent_s = time.monotonic() - self._started_s
        left_s = spent_s / self._done * max(0, self._expected - self._done)
        at = "" if point is None else f" at {point:,}"
        print(
            f"[{self._done:4}/{self._expected}, {left_s // 60:.0f} min {left_s % 60:02.0f} s left] "
            f"{case} · {side}{at}: {cost:,.1f} {unit}",
            flush=True,
        )

    def fewer(self, blocks: int) -> None:
        """Expect so many blocks less."""
        self._expected -= blocks

    def skip(self, case: str, side: str, reason: str) -> None:
        """Say why a side is not measured, once a case."""
        entry = (case, side, reason)
        if entry not in self.skipped:
            self.skipped.append(entry)
        print(f"skipped in {case}: {side}: {reason}", flush=True)
