"""Measures the sides of a case against each other: short blocks in turn, each in its process."""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from peers import environments

if TYPE_CHECKING:
    from peers.cases import Case, Side
    from peers.progress import Progress

__all__ = ["Pace", "Result", "Workers", "measure"]

WORKER = Path(__file__).resolve().parent / "worker.py"
# A block counts if the fixed loop beside it took at most so much more than the fastest tenth.
FAST_STATE = 1.15
# A side has had its turn after so many blocks if they took long: slow ones vary less.
ENOUGH_BLOCKS = 3
MICROSECONDS = 1e6
KIBIBYTES = 1024


class Pace(NamedTuple):
    """How many blocks of each side, of how much CPU time, and how long all of them may take."""

    rounds: int
    block_s: float
    longest_s: float


class Result(NamedTuple):
    """What one side cost at one point: the median of its blocks, and their middle half."""

    case: str
    side: str
    point: Optional[int]
    value: float
    low: float
    high: float
    wall: float
    blocks: int
    requests: Optional[float]
    versions: dict[str, str]


class FailedError(Exception):
    """A side that cannot do its work here; the text says why."""


class _Worker:
    """A process in a library's environment."""

    def __init__(self, environment: str) -> None:
        python = environments.python_of(environment)
        self._process = subprocess.Popen(
            [str(python), str(WORKER), json.dumps(environments.cores()[1])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, **command: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise FailedError("its process ended")
        answer = json.loads(line)
        if "error" in answer:
            raise FailedError(answer["error"])
        return answer

    @property
    def is_there(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        """End the process; one that does not end by itself is killed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdout.close()
        try:
            self._process.stdin.close()
            self._process.wait(timeout=5)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()


class Workers:
    """A process for each environment, for as long as a run takes: some take seconds to import."""

    def __init__(self) -> None:
        self._workers: dict[str, _Worker] = {}

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *failure: object) -> None:
        for worker in self._workers.values():
            worker.end()

    def of(self, side: Side) -> _Worker:
        """Return the process of a side's environment; a new one where it has ended."""
        found = self._workers.get(side.environment)
        if found is None or not found.is_there:
            found = self._workers[side.environment] = _Worker(side.environment)
        return found

    def forget(self) -> None:
        """Drop what the last case left in the processes."""
        for worker in self._workers.values():
            with contextlib.suppress(FailedError):
                worker.ask(do="forget")


class _Runner:
    """One side at one point, its work checked."""

    def __init__(
        self, case: Case, side: Side, point: Optional[int], server: str, worker: _Worker
    ) -> None:
        self.side, self.point, self.server = side, point, server
        self._case = case
        self.blocks: list[dict[str, float]] = []
        self.calls = 1
        self.spent_s = 0.0
        self.requests: Optional[float] = None
        self._job = f"{side.label} at {point}"
        self._worker = worker
        answer = self._set_up()
        self.outcome, self.versions = answer["outcome"], answer["versions"]

    def _set_up(self, **more: Any) -> Any:
        arguments = dict(self.side.arguments)
        at_once = self._case.at_once
        if self._case.needs_server:
            chunks = f"/chunks/{self.point}" if self._case.axis == "chunks" else ""
            arguments["url"] = f"{self.server}{more.pop('prefix', chunks)}"
        if self._case.argument is not None:
            arguments[self._case.argument] = self.point
        if self._case.axis in ("threads", "tasks"):
            at_once = self.point or 1
        self._at_once = at_once
        return self._worker.ask(
            do="setup",
            **{"job": self._job, **more},
            module=self.side.module,
            function=self.side.function,
            arguments=arguments,
            at_once=at_once,
            # A first run would leave memory behind, in which the next finds room.
            warm=not (self._case.fresh and self._case.kind == "told"),
            packages=environments.packages_of(self.side.environment),
        )

    def settle(self, block_s: float) -> None:
        """Warm up, and find how many calls fill a block; count what they send."""
        self.calls = max(1, self._at_once)
        if self._case.kind == "told":
            return  # its first run, which was checked, warmed it up
        while True:
            before = environments.requests(self.server) if self._case.needs_server else 0
            took = self._worker.ask(do="block", job=self._job, calls=self.calls)
            if self._case.needs_server:
                sent = environments.requests(self.server) - before
                self.requests = sent / self.calls
            if took["cpu_s"] >= block_s / 4 or took["wall_s"] >= block_s * 4:
                break
            self.calls *= 4
        enough = int(self.calls * block_s / max(took["cpu_s"], 1e-6))
        self.calls = max(1, self._at_once, enough)

    def timed_block(self) -> float:
        """Run a block as `block` does; note how long it took."""
        started_s = time.monotonic()
        try:
            return self.block()
        finally:
            self.spent_s += time.monotonic() - started_s

    def block(self) -> float:
        """Run a block; return the CPU time of a unit in it, or the figure that its side tells."""
        if self._case.kind == "told":
            took = self._worker.ask(do="told", job=self._job)
            self.blocks.append({**took, "cpu": took["figure"], "wall": 0.0})
            return took["figure"]
        took = self._worker.ask(do="block", job=self._job, calls=self.calls)
        units = self.calls * self._case.per / MICROSECONDS
        took["cpu"], took["wall"] = took["cpu_s"] / units, took["wall_s"] / units
        self.blocks.append(took)
        return took["cpu"]

    def memory(self) -> float:
        """Return the memory that each of the point's calls takes while it waits, in KiB."""
        calls = self.point or 1
        self._set_up(job="held", like=self._job, prefix="/held")
        took = self._worker.ask(do="in_flight", job="held", calls=calls, server=self.server)
        each = (took["held_mb"] - took["before_mb"]) * KIBIBYTES / calls
        self.blocks.append({"cpu": each, "wall": 0.0, "calibration_s": 1.0})
        return each

    def result(self, fastest_s: float) -> Result:
        kept = [each for each in self.blocks if each["calibration_s"] <= fastest_s * FAST_STATE]
        if len(kept) < 3:
            kept = sorted(self.blocks, key=lambda each: each["calibration_s"])[:3]
        costs = sorted(each["cpu"] for each in kept)
        low, _, high = statistics.quantiles(costs, n=4) if len(costs) > 1 else costs * 3
        return Result(
            self._case.key,
            self.side.label,
            self.point,
            statistics.median(costs),
            low,
            high,
            statistics.median(each["wall"] for each in kept),
            len(kept),
            self.requests,
            self.versions,
        )


def _start(
    case: Case,
    side: Side,
    point: Optional[int],
    server: str,
    worker: _Worker,
    progress: Progress,
) -> list[_Runner]:
    """Make a side ready in its process; one that cannot be is left out, and said why."""
    if not side.takes(point):
        return []
    try:
        return [_Runner(case, side, point, server, worker)]
    except FailedError as failed:
        progress.skip(case.key, side.label, str(failed))
        return []


def _settles(runner: _Runner, case: Case, block_s: float, progress: Progress) -> bool:
    try:
        runner.settle(block_s)
    except FailedError as failed:
        progress.skip(case.key, runner.side.label, str(failed))
        return False
    return True


def _same_work(case: Case, runners: list[_Runner], progress: Progress) -> list[_Runner]:
    """Return the sides that did what the first one did, or other work and say so (no outcome)."""
    kept = []
    for runner in runners:
        first = next(each for each in runners if each.point == runner.point)
        if runner.outcome not in (first.outcome, None):
            text = f"another outcome than {first.side.label}: {str(runner.outcome)[:120]}"
        elif case.requests is not None and runner.requests != case.requests:
            text = f"sent {runner.requests} requests a call instead of {case.requests}"
        else:
            kept.append(runner)
            continue
        progress.skip(case.key, runner.side.label, text)
    return kept


def measure(
    case: Case,
    sides: list[Side],
    points: list[Optional[int]],
    server: str,
    pace: Pace,
    workers: Workers,
    progress: Progress,
) -> list[Result]:
    """Return what each side costs at each point; each line of progress is a block."""
    if not sides:
        return []
    progress.say(f"{case.title}: starting {len(sides)} sides")
    if case.fresh:
        return _apart(case, sides, points, server, progress)
    results = []
    for point in points:
        ready = [
            runner
            for side in sides
            for runner in _start(case, side, point, server, workers.of(side), progress)
        ]
        runners = [each for each in ready if _settles(each, case, pace.block_s, progress)]
        runners = _same_work(case, runners, progress)
        results += _in_turn(case, runners, pace, progress)
        workers.forget()
    return results


def _in_turn(case: Case, runners: list[_Runner], pace: Pace, progress: Progress) -> list[Result]:
    """Return what each costs; another one begins each round, and slow ones have fewer rounds."""
    failing: list[_Runner] = []
    for turn in range(pace.rounds):
        shift = turn % len(runners) if runners else 0
        for runner in runners[shift:] + runners[:shift]:
            if runner in failing or (turn >= ENOUGH_BLOCKS and runner.spent_s > pace.longest_s):
                progress.fewer(1)
                continue
            try:
                cost = runner.timed_block()
            except FailedError as failed:
                progress.skip(case.key, runner.side.label, str(failed))
                failing.append(runner)
                continue
            progress.block(case.key, runner.side.label, runner.point, cost, case.unit)
    runners = [each for each in runners if each not in failing]
    times = sorted(each["calibration_s"] for one in runners for each in one.blocks)
    fastest_s = times[len(times) // 10] if times else 0.0
    return [runner.result(fastest_s) for runner in runners]


def _apart(
    case: Case, sides: list[Side], points: list[Optional[int]], server: str, progress: Progress
) -> list[Result]:
    """Measure each point in a fresh process: memory that was freed is not given back."""
    return [
        result
        for point in points
        for side in sides
        for result in _once(case, side, point, server, progress)
    ]


def _once(
    case: Case, side: Side, point: Optional[int], server: str, progress: Progress
) -> list[Result]:
    worker = _Worker(side.environment)
    try:
        for runner in _start(case, side, point, server, worker, progress):
            each = runner.memory() if case.kind == "memory" else runner.block()
            progress.block(case.key, side.label, point, each, case.unit)
            return [runner.result(1.0)]
    except FailedError as failed:
        progress.skip(case.key, side.label, f"{point}: {failed}")
    finally:
        worker.end()
    return []
