"""Runs the benchmarks: `make bench`, `make bench-quick`, or a part with `--only call,stream`."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from typing import Any, NamedTuple, Optional

from peers import environments, footprint, report
from peers.cases import CASES, FOOTPRINTS, Case, Side
from peers.measure import Pace, Workers, measure
from peers.progress import Progress

DOCS = environments.REPOSITORY / "docs"


class Amount(NamedTuple):
    """How much a run measures."""

    name: str
    rounds: int
    growth_rounds: int
    block_s: float
    longest_s: float  # of one side at one point, if it has had enough blocks
    imports: int


FULL = Amount("full", 11, 4, 0.1, 2.0, 2)
QUICK = Amount("quick", 5, 2, 0.04, 0.5, 2)


def _chosen(case: Case, quick: bool, missing: dict[str, str]) -> tuple[list[Side], list[Any]]:
    """Return the sides and the points of a case that are measured."""
    sides = [side for side in case.sides if side.quick or not quick]
    there = [side for side in sides if side.environment not in missing]
    points: tuple[int, ...] = case.quick_points if quick else case.points
    return there, list(points) or [None]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m peers", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer peers and rounds")
    parser.add_argument("--only", help="these cases, by key, comma-separated; footprint is one")
    parser.add_argument("--rounds", type=int, help="blocks of each side")
    parser.add_argument("--write", action="store_true", help="put the table into the docs")
    return parser.parse_args()


def _cases(only: Optional[str], quick: bool) -> list[Case]:
    known = [case.key for case in CASES]
    wanted = only.split(",") if only else [*known, "footprint"]
    unknown = sorted(set(wanted) - {*known, "footprint"})
    if unknown:
        sys.exit(f"unknown case {', '.join(unknown)}; known: {', '.join(known)}, footprint")
    named = [case for case in CASES if case.key in wanted]
    return [case for case in named if only or not quick or (case.quick and not case.axis)]


def _write(
    cases: dict[str, Case],
    results: list[Any],
    found: list[Any],
    progress: Progress,
    ran_on: dict[str, Any],
    arguments: argparse.Namespace,
) -> None:
    name = "quick" if arguments.quick else "full"
    told = report.as_json(results, found, progress.skipped, ran_on, name)
    text = report.table(cases, results, found, progress.skipped, ran_on)
    environments.BUILD.mkdir(parents=True, exist_ok=True)
    (environments.BUILD / f"{name}.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
    (environments.BUILD / f"{name}.md").write_text(text, encoding="utf-8")
    folder = environments.BUILD
    if arguments.write:
        page, folder = DOCS / "performance.md", DOCS
        written = report.between_markers(page.read_text(encoding="utf-8"), text)
        page.write_text(written, encoding="utf-8")
    report.pictures(cases, results, folder / report.PLOTS)
    print(f"\n{text}\nwritten: build/bench/{name}.json, {name}.md", flush=True)


def main() -> None:
    arguments = _arguments()
    amount = QUICK if arguments.quick else FULL
    cases = _cases(arguments.only, arguments.quick)
    ran_on = report.machine()
    imports = [each[:3] for each in FOOTPRINTS if each[3] or not arguments.quick]
    if arguments.only and "footprint" not in arguments.only.split(","):
        imports = []
    wanted = {side.environment for case in cases for side in _chosen(case, arguments.quick, {})[0]}
    environments.compile_server()  # first: without it the environments are made in vain
    missing = environments.prepare(sorted(wanted | {each[1] for each in imports}))
    imports = [each for each in imports if each[1] not in missing]
    plans = []
    for case in cases:
        rounds = arguments.rounds or (amount.growth_rounds if case.axis else amount.rounds)
        pace = Pace(rounds, amount.block_s, amount.longest_s)
        plans.append((case, *_chosen(case, arguments.quick, missing), pace))
    times = min(amount.imports, arguments.rounds or amount.imports)
    expected = len(imports) * times
    for case, sides, points, pace in plans:
        blocks = sum(side.takes(point) for side in sides for point in points)
        expected += blocks * (1 if case.fresh else pace.rounds)
    progress = Progress(expected)
    for name, reason in missing.items():
        progress.skip("all", name, reason)
    started_s = time.monotonic()
    results: list[Any] = []
    found: list[Any] = []
    # Asked for by name: a run in the background would not hear it otherwise.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with environments.served() as server, Workers() as workers:
            for case, sides, points, pace in plans:
                if case.axis and not found:
                    found = footprint.measure(imports, times, progress)
                results += measure(case, sides, points, server, pace, workers, progress)
        found = found or footprint.measure(imports, times, progress)
    except KeyboardInterrupt:
        print("\ninterrupted: what was measured so far follows", flush=True)
    print(f"\nall in {(time.monotonic() - started_s) / 60:.1f} minutes", flush=True)
    _write({case.key: case for case in cases}, results, found, progress, ran_on, arguments)


if __name__ == "__main__":
    try:
        main()
    except environments.MissingError as error:
        sys.exit(f"benchmarks: {error}")
