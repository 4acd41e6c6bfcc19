"""Contents of the sdist and the wheel; the wheel works without a source tree.

Both are built once, by `package_builds`, from trees with stray files planted in them.
"""

from __future__ import annotations

import importlib.machinery
import json
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest

import specado
from package_builds import tracked_files
from reference_files import REPOSITORY

# The first test waits for the build.
pytestmark = pytest.mark.timeout(600)

RUN_TIMEOUT_S = 120
NOT_IN_AN_SDIST = (".ci/", ".github/", ".gitignore")


def run(*command, cwd, **options):
    finished = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=RUN_TIMEOUT_S,
        **options,
    )
    assert finished.returncode == 0, finished.stdout
    return finished.stdout


@pytest.fixture(scope="session")
def tracked():
    """Return the names of the files that git tracks."""
    found = tracked_files()
    if found is None:
        pytest.skip("not in a git checkout, or no git: what is tracked cannot be told")
    return found


def of_the_package(tracked, suffix):
    """Return the package's tracked files that end in *suffix*, as a wheel names them."""
    inside = (name[len("src/") :] for name in tracked if name.startswith("src/specado/"))
    return {name for name in inside if name.endswith(suffix)}


@pytest.fixture(scope="session")
def sdist(tracked, package_build):
    return package_build.archive("sdist")


@pytest.fixture(scope="session")
def wheel(tracked, package_build):
    return package_build.archive("wheel")


@pytest.fixture(scope="session")
def wheel_files(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory):
    """Return the interpreter of a fresh environment with the wheel, in another directory.

    What the package depends on is lent by the environment that runs the tests (a `.pth` file
    puts it after the fresh one's own packages), so that nothing is fetched.
    """
    environment = tmp_path_factory.mktemp("fresh") / "venv"
    run(sys.executable, "-m", "venv", environment, cwd=environment.parent)
    python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    run(
        *(python, "-m", "pip", "--disable-pip-version-check", "install"),
        *("--no-index", "--no-deps", wheel),
        cwd=environment.parent,
    )
    purelib = run(
        python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=environment
    )
    (Path(purelib.strip()) / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def test_an_sdist_holds_exactly_what_git_tracks(sdist, tracked):
    with tarfile.open(sdist) as archive:
        held = {PurePosixPath(*PurePosixPath(name).parts[1:]) for name in archive.getnames()}
    held = {path.as_posix() for path in held} - {"PKG-INFO"}

    assert held == {name for name in tracked if not name.startswith(NOT_IN_AN_SDIST)}


def test_a_wheel_holds_the_package_and_nothing_else(wheel_files, tracked):
    package = {name for name in wheel_files if ".dist-info/" not in name}
    compiled = {
        name for name in package if name.endswith(importlib.machinery.EXTENSION_SUFFIXES[0])
    }

    kept = {"specado/py.typed", "specado/_core/__init__.pyi"}
    kept |= of_the_package(tracked, ".py") | of_the_package(tracked, ".json")
    assert package - compiled == kept
    assert not [name for name in wheel_files if "planted" in name or "tests" in name]


def test_a_wheel_holds_a_compiled_module_for_each_source(wheel_files, tracked):
    suffix = importlib.machinery.EXTENSION_SUFFIXES[0]

    compiled = {name[: -len(suffix)] for name in wheel_files if name.endswith(suffix)}

    assert compiled == {name[: -len(".pyx")] for name in of_the_package(tracked, ".pyx")}


def test_a_wheel_holds_the_licence_and_names_what_it_needs(wheel, wheel_files):
    (information,) = {name.partition("/")[0] for name in wheel_files if ".dist-info/" in name}
    with zipfile.ZipFile(wheel) as archive:
        lines = archive.read(f"{information}/METADATA").decode().splitlines()

    needed = [line.partition(": ")[2] for line in lines if line.startswith("Requires-Dist: ")]
    run_time = sorted(re.split("[<>=]", line)[0] for line in needed if "extra ==" not in line)
    developing = {
        line.partition(";")[0].strip(" <>=.0123456789") for line in needed if "dev" in line
    }
    assert run_time == ["httptools", "httpx", "msgspec", "orjson"]
    assert {"pytest", "black", "ruff", "mypy"} <= developing
    assert "Requires-Python: >=3.9" in lines
    assert f"{information}/licenses/LICENSE" in wheel_files


def test_an_installed_wheel_works_in_another_directory(installed, tmp_path):
    program = (
        "import json, specado, specado._core;"
        "print(json.dumps([specado.version(), specado.__file__, specado._core.__file__]))"
    )

    version, *files = json.loads(run(installed, "-c", program, cwd=tmp_path))

    assert version == specado.__version__
    for file in files:
        assert installed.parents[1] in Path(file).parents


def test_an_installed_wheel_passes_the_smoke_test(installed, tmp_path):
    output = run(installed, REPOSITORY / "scripts" / "smoke.py", cwd=tmp_path)

    assert output.startswith(f"specado {specado.__version__}: ")


def test_an_installed_wheel_brings_its_command(installed, tmp_path):
    command = installed.with_name("specado.exe" if os.name == "nt" else "specado")

    assert specado.__version__ in run(command, "--version", cwd=tmp_path)
