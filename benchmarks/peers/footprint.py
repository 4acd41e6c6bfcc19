"""What a library costs before its first call: time and memory to import it, and its size."""

from __future__ import annotations

import json
import statistics
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from peers import environments

if TYPE_CHECKING:
    from pathlib import Path

    from peers.progress import Progress

__all__ = ["Footprint", "measure"]

MEGABYTE = 1_000_000
# Environments are made with these; they are nobody's dependency.
TOOLS = ("pip", "setuptools", "wheel")
PROGRAM = """
import json, os, time
def memory_kb():
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024
    except OSError:
        return 0.0
before_kb, started, started_cpu = memory_kb(), time.perf_counter(), time.process_time()
import {imported}
took, cpu = time.perf_counter() - started, time.process_time() - started_cpu
print(json.dumps([cpu * 1000, took * 1000, (memory_kb() - before_kb) / 1024]))
"""


class Footprint(NamedTuple):
    """Medians over fresh processes; memory is what the import adds."""

    label: str
    import_cpu_ms: float
    import_ms: float
    memory_mib: float
    installed_mb: float
    packages: int


def _installed(environment: str) -> tuple[float, int]:
    """Return the size of an environment's packages without bytecode, in MB, and their number."""
    root = environments.python_of(environment).parent.parent
    (site,) = [*root.glob("lib/python*/site-packages"), *root.glob("Lib/site-packages")]

    def is_tool(path: Path) -> bool:
        name = path.relative_to(site).parts[0]
        return name.startswith((*TOOLS, "_distutils_hack", "distutils-precedence", "pkg_resources"))

    size = sum(
        path.stat().st_size
        for path in site.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not is_tool(path)
    )
    count = sum(not is_tool(path) for path in site.glob("*.dist-info"))
    return size / MEGABYTE, count


def measure(sides: list[tuple[str, str, str]], rounds: int, progress: Progress) -> list[Footprint]:
    """Return the footprint of each side; a side is label, environment and what is imported."""
    if not sides:
        return []
    progress.say("Footprint: importing each in fresh processes")
    taken: dict[str, list[list[float]]] = {label: [] for label, _, _ in sides}
    for turn in range(rounds + 1):
        for label, environment, imported in sides:
            python = str(environments.python_of(environment))
            told = subprocess.run(
                [python, "-c", PROGRAM.replace("{imported}", imported)],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            if told.returncode:
                progress.skip("footprint", label, told.stderr.strip().splitlines()[-1][:120])
                continue
            # The first one of each writes bytecode and warms the file cache.
            if turn:
                taken[label].append(json.loads(told.stdout.splitlines()[-1]))
                progress.block("footprint", label, None, taken[label][-1][0], "ms to import")
    found = []
    for label, environment, _ in sides:
        if taken[label]:
            cpu_ms, took_ms, mib = (statistics.median(each) for each in zip(*taken[label]))
            found.append(Footprint(label, cpu_ms, took_ms, mib, *_installed(environment)))
    return found
