"""The benchmarks' list of cases agrees with what is to run, and with the aims that read it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"


@pytest.fixture
def peers(monkeypatch):
    """Return the harness's modules `cases`, `aims`, `measure` and `footprint`, by name."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from peers import aims, cases, footprint, measure

    return {"aims": aims, "cases": cases, "footprint": footprint, "measure": measure}


def test_every_side_names_a_function_with_its_arguments(peers):
    wrong = []
    for case in peers["cases"].CASES:
        for side in case.sides:
            path = BENCHMARKS / "peers" / "sides" / f"{side.module}.py"
            defined = {
                node.name: {argument.arg for argument in node.args.args}
                for node in ast.parse(path.read_text(encoding="utf-8")).body
                if isinstance(node, ast.FunctionDef)
            }
            given = {*side.arguments, *(["url"] if case.needs_server else [])}
            given |= {case.argument} if case.argument else set()
            if side.function not in defined or given - defined[side.function]:
                wrong.append(f"{case.key}: {side.label}: {side.module}.{side.function}")

    assert wrong == []


def test_every_environment_is_pinned(peers):
    pins = json.loads((BENCHMARKS / "peers" / "environments.json").read_text(encoding="utf-8"))
    cases = peers["cases"]
    used = {side.environment for case in cases.CASES for side in case.sides}

    assert used | {each[1] for each in cases.FOOTPRINTS} == set(pins)


def test_labels_of_a_case_differ(peers):
    for case in peers["cases"].CASES:
        labels = [side.label for side in case.sides]
        assert len(set(labels)) == len(labels), case.key


def found_by_a_whole_run(peers, value):
    result, footprint = peers["measure"].Result, peers["footprint"].Footprint
    results = [
        result(case.key, side.label, point, value, value, value, value, 3, None, {})
        for case in peers["cases"].CASES
        for side in case.sides
        for point in (case.points or (None,))
        if side.takes(point)
    ]
    return results, [footprint(each[0], *[value] * 4, 1) for each in peers["cases"].FOOTPRINTS]


def test_a_whole_run_tells_of_every_aim(peers):
    lines = peers["aims"].aims_table(*found_by_a_whole_run(peers, 1.0))

    assert len([line for line in lines if line.endswith(("| yes |", "| no |"))]) == 28


def test_an_aim_is_scaled_by_its_yardstick_and_met_at_its_limit(peers):
    lines = peers["aims"].aims_table(*found_by_a_whole_run(peers, 447.0))

    assert "| a call without its transport | 25 µs | 25.0 | 447 | no |" in lines
    assert "| a call | 1 of specado 0.2.2's |  | 1.00 | yes |" in lines


def test_a_run_without_an_aims_rows_leaves_it_out(peers):
    assert peers["aims"].aims_table([], []) == []


@pytest.mark.heavy
def test_the_benchmarks_of_specado_run():
    """Each does its work once and checks what comes of it; nothing is timed."""
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(BENCHMARKS)],
        cwd=BENCHMARKS.parent,
        capture_output=True,
        text=True,
        timeout=100,
    )

    assert ran.returncode == 0, ran.stdout[-2000:]


def test_whole_calls_without_a_transport_are_answered_from_memory():
    code = (
        f"import sys; sys.path.insert(0, {str(BENCHMARKS)!r})\n"
        "from peers.sides import plain, specado_alone as alone\n"
        "print(alone.call().run(), alone.failover().run(), alone.stream(5).run())"
    )

    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=BENCHMARKS.parent,
        capture_output=True,
        text=True,
        timeout=100,
    )

    assert ran.returncode == 0, ran.stderr[-2000:]
