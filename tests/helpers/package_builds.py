"""Builds the sdist and the wheel in a process of its own, beside the tests that run meanwhile.

The sdist is built from a copy of the tree with stray files planted in it, the wheel from the
unpacked sdist with stray files planted in that, so that both show what stays out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD_TIMEOUT_S = 500
# Half the time; the other tests run on a package that was built with optimization.
NOT_OPTIMIZED = "CMAKE_C_FLAGS_RELEASE=-DNDEBUG"
STRAYS = {
    ".env": "OPENAI_API_KEY=sk-planted",
    ".venv/lib/python/site-packages/planted.py": "",
    "build/cp39/planted.py": "",
    "dist/specado-0.0.0.tar.gz": "",
    "notes.txt": "",
    "docs/draft.html": "",
    "src/planted.egg-info/PKG-INFO": "",
    "src/specado/.env": "OPENAI_API_KEY=sk-planted",
    "src/specado/__pycache__/planted.cpython-39.pyc": "",
    "src/specado/_core/planted.c": "",
    "src/specado/_core/planted.cpython-39-x86_64-linux-gnu.so": "",
    "src/specado/_core/planted.html": "",
    "src/specado/notes.txt": "",
    "tests/__pycache__/planted.cpython-39.pyc": "",
    "tests/planted.log": "",
}


def tracked_files() -> set[str] | None:
    """Return the names of the files that git tracks, `None` where there is no git checkout."""
    if not (REPOSITORY / ".git").exists() or shutil.which("git") is None:
        return None
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return {name for name in listed.stdout.split("\0") if name and (REPOSITORY / name).is_file()}


class PackageBuild:
    """The build, which begins when it is made; the results wait for its end."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="specado-packages-"))
        self._log = self.folder / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(self.folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def archive(self, kind: str) -> Path:
        """Return the built archive; *kind* is `"sdist"` or `"wheel"`."""
        status = self._process.wait(BUILD_TIMEOUT_S)
        assert status == 0, self._log.read_text(encoding="utf-8", errors="replace")
        (archive,) = (self.folder / kind).iterdir()
        return archive

    def stop(self) -> None:
        """End the build if it still runs, and remove what it made."""
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def _plant_strays(tree: Path) -> None:
    for name, text in STRAYS.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _build(kind: str, tree: Path, folder: Path, *options: str) -> None:
    command = [sys.executable, "-m", "build", "--no-isolation", f"--{kind}", *options]
    subprocess.run([*command, "--outdir", folder / kind, tree], cwd=folder, check=True)


def _build_both(folder: Path) -> None:
    tree = folder / "tree"
    for name in tracked_files() or ():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(REPOSITORY / name, tree / name)
    _plant_strays(tree)
    _build("sdist", tree, folder)

    (sdist,) = (folder / "sdist").iterdir()
    with tarfile.open(sdist) as archive:
        options = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        archive.extractall(folder / "unpacked", **options)
    (unpacked,) = (folder / "unpacked").iterdir()
    _plant_strays(unpacked)
    _build("wheel", unpacked, folder, f"-Ccmake.define.{NOT_OPTIMIZED}")


if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(19)  # the tests that run meanwhile measure time
    _build_both(Path(sys.argv[1]))
