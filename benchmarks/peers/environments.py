"""What the benchmarks need: the server, compiled, and an environment for each peer."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "BUILD",
    "MissingError",
    "cores",
    "packages_of",
    "prepare",
    "python_of",
    "requests",
    "served",
]

FOLDER = Path(__file__).resolve().parent
REPOSITORY = FOLDER.parent.parent
BUILD = REPOSITORY / "build" / "bench"
PINS = json.loads((FOLDER / "environments.json").read_text(encoding="utf-8"))
INSTALL_TIMEOUT_S = 1200
SOURCES = ("CMakeLists.txt", "pyproject.toml", "src/**/*")


class MissingError(Exception):
    """Something that cannot be made on this machine; the text says what and why."""


def _run(*command: object) -> None:
    finished = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=INSTALL_TIMEOUT_S,
        check=False,
    )
    if finished.returncode:
        told = [line for line in finished.stdout.splitlines() if line.strip()]
        wrong = [line for line in told if line.lower().startswith("error")]
        raise MissingError((wrong or told or [f"status {finished.returncode}"])[-1][:200])


def python_of(name: str) -> Path:
    inside = "Scripts/python.exe" if os.name == "nt" else "bin/python"
    return BUILD / "environments" / name / inside


def packages_of(name: str) -> list[str]:
    """Return the packages whose versions the table tells."""
    return list(PINS[name]["packages"])


def _tree() -> str:
    """Return a digest of what specado is built from."""
    digest = hashlib.sha256()
    for pattern in SOURCES:
        for path in sorted(REPOSITORY.glob(pattern)):
            if path.is_file() and path.suffix != ".pyc":
                digest.update(str(path.relative_to(REPOSITORY)).encode() + path.read_bytes())
    return digest.hexdigest()


@functools.cache
def _wheel() -> Path:
    """Build specado as it stands here; the objects of the last build are used again."""
    folder = BUILD / "wheels"
    shutil.rmtree(folder, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel"]
    _run(*pip, "--no-deps", "--no-build-isolation", "-w", folder, REPOSITORY)
    (wheel,) = folder.glob("specado-*.whl")
    return wheel


def prepare(names: Iterable[str]) -> dict[str, str]:
    """Make the environments that are not there yet; return why some cannot be made."""
    missing = {}
    for name in names:
        reason = _prepared(name)
        if reason is not None:
            missing[name] = reason
            print(f"  skipped: {reason}", flush=True)
    return missing


def _prepared(name: str) -> str | None:
    """Make one environment; return why it cannot be made."""
    pins, beside = PINS[name]["requirements"], PINS[name].get("beside", [])
    wanted = json.dumps([sys.version, pins or _tree(), *beside])
    stamp = python_of(name).parent.parent / "made"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return None
    print(f"making the environment {name}: {', '.join(pins) or 'this tree'}", flush=True)
    try:
        _run(sys.executable, "-m", "venv", "--clear", stamp.parent)
        pip = [python_of(name), "-m", "pip", "--disable-pip-version-check", "install"]
        _run(*pip, *(pins or [_wheel(), *beside]))
    except (MissingError, subprocess.TimeoutExpired, OSError) as error:
        return str(error)
    stamp.write_text(wanted, encoding="utf-8")
    return None


def cores() -> tuple[int, list[int]]:
    """Return the server's core and the clients'; -1 and none if there is but one."""
    if not hasattr(os, "sched_getaffinity"):
        return -1, []
    found = sorted(os.sched_getaffinity(0))
    return (found[0], [found[1]]) if len(found) > 1 else (-1, [])


def compile_server() -> Path:
    """Compile the server if it is older than its source; return the program."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if sys.platform != "linux":
        raise MissingError("the benchmarks' server uses epoll: calls are measured on Linux only")
    if compiler is None:
        raise MissingError(
            "there is no C compiler: install one (cc), or name it: CC=clang make bench"
        )
    source, program = FOLDER / "server.c", BUILD / "server"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        BUILD.mkdir(parents=True, exist_ok=True)
        _run(compiler, "-O2", "-Wall", "-o", program, source)
    return program


@contextlib.contextmanager
def served() -> Iterator[str]:
    """Run the server; give its address."""
    command = [str(compile_server()), str(cores()[0])]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.stdin.close()
        process.wait()


def requests(server: str) -> int:
    """Return how many requests have come to the server."""
    with urllib.request.urlopen(f"{server}/count", timeout=30) as reply:
        return int(reply.read())
