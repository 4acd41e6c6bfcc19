"""An application that PyInstaller made holds all of specado, and can call it."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import metadata

import pytest

pytest.importorskip("PyInstaller")


PROGRAM = """\
import asyncio, json, warnings
import specado

warnings.simplefilter("ignore")
client = specado.Client({"simulate": True})
reply = client.chat.completions.create(model="gpt-4o", messages="Hello")
other = asyncio.run(client.chat.completions.create_async("claude-sonnet-5", "Hello"))
pieces = list(client.chat.completions.create("gpt-4o", "Hello", stream=True))
body = specado.translate({"model": "gpt-4o", "messages": [
    {"role": "user", "content": "Hello"}]}, "anthropic").body
print(json.dumps([reply.extensions.provider_used, other.extensions.provider_used,
                  len(pieces) > 1, json.loads(body)["messages"]]))
"""


def test_pyinstaller_finds_the_hook_of_the_installed_package():
    entry_points = metadata.distribution("specado").entry_points
    found = [each.load()() for each in entry_points if each.group == "pyinstaller40"]

    assert len(found) == 1


@pytest.mark.heavy  # building the application takes about half a minute
@pytest.mark.timeout(600)
def test_a_frozen_application_calls_streams_and_translates(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    build = [sys.executable, "-m", "PyInstaller", "--onedir", "--noconfirm", "--log-level=ERROR"]
    subprocess.run([*build, program.name], cwd=tmp_path, check=True, timeout=500)

    ran = subprocess.run(
        [tmp_path / "dist" / "program" / "program"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
    )

    assert json.loads(ran.stdout) == [
        "openai",
        "anthropic",
        True,
        [{"role": "user", "content": "Hello"}],
    ]
