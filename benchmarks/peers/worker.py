"""A library's jobs, in a process of its own and in its environment.

Reads commands as lines of JSON from standard input and answers each with a line of JSON:
`setup` makes a job ready and checks it, `block` runs it a number of times, `told` asks it for
a figure of its own, `in_flight` tells how much memory calls take that wait, `forget` drops the
jobs. Standard library only: it runs in every peer's environment.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import inspect
import itertools
import json
import os
import sys
import threading
import time
import traceback
import urllib.request
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

sys.path[0] = str(Path(__file__).resolve().parent.parent)

if TYPE_CHECKING:
    from peers.job import Job

CALIBRATION_TURNS = 60_000
MEBIBYTE = 1 << 20
POLL_S = 0.05


def calibrate_s() -> float:
    """Return the CPU seconds of a fixed loop: how fast the machine is just now."""
    total, started_s = 0, time.process_time()
    for turn in range(CALIBRATION_TURNS):
        total += turn & 7
    return time.process_time() - started_s


def memory_mb() -> float:
    """Return the resident memory of this process, in MiB; 0.0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / MEBIBYTE


class Prepared:
    """A job that was checked, and how its calls are run."""

    def __init__(
        self,
        job: Job,
        at_once: int,
        loop: asyncio.AbstractEventLoop,
        like: Prepared | None = None,
        *,
        warm: bool = True,
    ) -> None:
        self._job = job
        self._at_once = at_once
        self._loop = loop
        self._run: Callable[[], Any] = job.run
        self._is_async = inspect.iscoroutinefunction(job.run)
        self.outcome: Any
        self._expected: Any
        if like is not None:
            self.outcome, self._expected = like.outcome, like._expected
            return
        self.outcome, self._expected = None, None
        if not warm:
            return
        first = self._one()
        if job.check is not None:
            job.check()
        self.outcome = self._digested(first)
        self._expected = self.outcome if job.digest else first

    def _one(self) -> Any:
        return self._loop.run_until_complete(self._run()) if self._is_async else self._run()

    def _digested(self, outcome: Any) -> Any:
        return self._job.digest(outcome) if self._job.digest else outcome

    def block(self, calls: int) -> dict[str, float]:
        """Run so many calls; return CPU and wall seconds, and those of the fixed loop."""
        before_s = calibrate_s()
        gc.collect()
        started_s, started_cpu_s = time.perf_counter(), time.process_time()
        last = self._all(calls)
        cpu_s, wall_s = time.process_time() - started_cpu_s, time.perf_counter() - started_s
        if last is not None and self._digested(last) != self.outcome:
            raise AssertionError(f"a call gave {str(last)[:200]!r}, the first did not")
        return {"cpu_s": cpu_s, "wall_s": wall_s, "calibration_s": (before_s + calibrate_s()) / 2}

    def told(self) -> dict[str, float]:
        """Return the figure that the side itself takes, and the seconds of the fixed loop."""
        before_s = calibrate_s()
        gc.collect()
        figure = self._one()
        return {"figure": figure, "calibration_s": (before_s + calibrate_s()) / 2}

    def _all(self, calls: int) -> Any:
        if self._is_async:
            return self._loop.run_until_complete(self._tasks(calls))
        if self._at_once > 1:
            return self._threads(calls)
        run, compared, last = self._run, self._job.digest is None, None
        for _ in range(calls):
            last = run()
            if compared and last != self._expected:
                return last
        return last

    async def _tasks(self, calls: int) -> Any:
        run, compared, left, wrong = self._run, self._job.digest is None, iter(range(calls)), []

        async def task() -> None:
            for _ in left:
                outcome = await run()
                if compared and outcome != self._expected:
                    wrong.append(outcome)

        await asyncio.gather(*(task() for _ in range(min(self._at_once, calls))))
        return wrong[0] if wrong else None

    def _threads(self, calls: int) -> Any:
        run, wrong, numbers = self._run, [], itertools.count()

        def work() -> None:
            while next(numbers) < calls:
                try:
                    outcome = run()
                except Exception as error:  # noqa: BLE001 - told by the thread that started this
                    wrong.append(repr(error))
                    return
                if outcome != self._expected:
                    wrong.append(outcome)

        threads = [threading.Thread(target=work) for _ in range(min(self._at_once, calls))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return wrong[0] if wrong else None

    def in_flight(self, calls: int, server: str) -> dict[str, float]:
        """Return the memory before so many calls, and when the server has them all, unanswered."""
        gc.collect()
        before_mb, came = memory_mb(), requests_at(server)

        async def hold() -> float:
            tasks = [asyncio.ensure_future(self._run()) for _ in range(calls)]
            while requests_at(server) - came < calls and not any(map(asyncio.Task.done, tasks)):
                await asyncio.sleep(POLL_S)
            held_mb = memory_mb()
            requests_at(server, "/release")
            if any(outcome != self._expected for outcome in await asyncio.gather(*tasks)):
                raise AssertionError("a call gave something else than the first")
            return held_mb

        return {"before_mb": before_mb, "held_mb": self._loop.run_until_complete(hold())}


def requests_at(server: str, path: str = "/count") -> int:
    """Return how many requests have come to the server."""
    with urllib.request.urlopen(server + path, timeout=30) as reply:
        return int(reply.read())


def version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "?"


def answers(commands: Any, reply: Callable[[Any], None]) -> None:
    """Carry out each command and answer it; an error is an answer too."""
    loop: asyncio.AbstractEventLoop | None = None
    jobs: dict[str, Prepared] = {}
    for line in commands:
        command = json.loads(line)
        try:
            what = command["do"]
            if what == "setup":
                module = importlib.import_module(f"peers.sides.{command['module']}")
                job = getattr(module, command["function"])(**command["arguments"])
                loop = loop or asyncio.new_event_loop()  # the job may have chosen its kind
                like = jobs.get(command.get("like", ""))
                warm = command["warm"]
                prepared = Prepared(job, command["at_once"], loop, like, warm=warm)
                jobs[command["job"]] = prepared
                answer = {
                    "outcome": prepared.outcome,
                    "versions": {name: version(name) for name in command["packages"]},
                }
            elif what == "block":
                answer = jobs[command["job"]].block(command["calls"])
            elif what == "told":
                answer = jobs[command["job"]].told()
            elif what == "forget":
                jobs.clear()
                gc.collect()
                answer = {}
            elif what == "in_flight":
                answer = jobs[command["job"]].in_flight(command["calls"], command["server"])
            else:
                raise ValueError(f"unknown command {what!r}")
        except BaseException as error:  # noqa: BLE001 - the runner shows it and goes on
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {str(error)[:300]}"}
        reply(answer)


def raise_file_limit() -> None:
    """Let this process have as many connections as the system allows."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        resource = importlib.import_module("resource")
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main() -> None:
    raise_file_limit()
    cores = json.loads(sys.argv[1])
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
    # What a library prints goes to standard error: standard output carries the answers.
    told = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def reply(answer: Any) -> None:
        told.write(json.dumps(answer) + "\n")
        told.flush()

    answers(sys.stdin, reply)


if __name__ == "__main__":
    main()
