"""Gauges for what CPU time does not tell: stalls of an event loop, and peaks of memory."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    from collections.abc import Awaitable

__all__ = ["longest_stall_ms", "peak_bytes"]

KIBIBYTE = 1024
# Sets the peak that the system remembers back to what is in use (proc(5), clear_refs).
FORGET_PEAK = "5"


async def longest_stall_ms(work: Awaitable[Any]) -> float:
    """Return the longest time that other tasks of the loop waited for their turn during *work*."""
    task = asyncio.ensure_future(work)
    longest_s, last_s = 0.0, time.perf_counter()
    while not task.done():
        await asyncio.sleep(0)
        now_s = time.perf_counter()
        longest_s, last_s = max(longest_s, now_s - last_s), now_s
    await task
    return longest_s * 1000


def peak_bytes(work: Callable[[], Any]) -> int:
    """Return how much more memory than before *work* took at its peak."""
    Path("/proc/self/clear_refs").write_text(FORGET_PEAK, encoding="ascii")
    before = _peak()
    work()
    return _peak() - before


def _peak() -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (line,) = [line for line in lines if line.startswith("VmHWM:")]
    return int(line.split()[1]) * KIBIBYTE
