"""The `specado` command as a process: entry points, signals, closed pipes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

import httpx
import pytest

import specado

TIMEOUT_S = 60
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and pipes of POSIX")
SCRIPT = Path(sysconfig.get_path("scripts")) / ("specado.exe" if os.name == "nt" else "specado")
MODULE = [sys.executable, "-m", "specado"]


def start(*argv, **options):
    return subprocess.Popen(
        [*MODULE, *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


@pytest.mark.parametrize("program", [[str(SCRIPT)], MODULE], ids=["script", "module"])
def test_both_entry_points_tell_the_version(program):
    finished = subprocess.run(
        [*program, "--version"], capture_output=True, text=True, timeout=TIMEOUT_S
    )

    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout == f"specado {specado.__version__}\n"


def test_the_version_loads_nothing_of_the_library():
    program = (
        "import sys\n"
        "from specado.cli import main\n"
        "try:\n"
        "    main(['--version'])\n"
        "except SystemExit:\n"
        "    print({'msgspec', 'orjson', 'httpx', 'h11', 'rich', 'asyncio'} & set(sys.modules))\n"
    )

    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=TIMEOUT_S
    )

    assert finished.stdout.splitlines()[1:] == ["set()"]


def test_a_script_without_a_key_is_told_of_simulate():
    with start("chat", "Hello") as process:
        out, err = process.communicate(timeout=TIMEOUT_S)

    assert (process.returncode, out) == (1, "")
    assert err == (
        "specado: no provider has an API key or an address: set OPENAI_API_KEY, or say "
        "--simulate for a simulated reply\n"
    )


def test_a_script_that_says_simulate_gets_a_simulated_reply():
    with start("chat", "--simulate", "Hello") as process:
        out, err = process.communicate(timeout=TIMEOUT_S)

    assert (process.returncode, out) == (0, "Simulated reply to: Hello\n")
    assert err == "specado: answered by openai/gpt-5.4, no fallback, 1 attempt, simulated\n"


@POSIX
def test_a_terminal_without_a_key_gets_a_simulated_reply_and_a_warning():
    import pty

    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [*MODULE, "chat", "Hello"],
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=subprocess.PIPE,
            text=True,
        )
        os.close(theirs)
        with process:
            _, err = process.communicate(timeout=TIMEOUT_S)
        out = os.read(ours, 1000)
    finally:
        os.close(ours)

    assert (process.returncode, out) == (0, b"Simulated reply to: Hello\r\n")
    assert err == (
        "specado: warning: no provider has an API key or an address: replies are simulated in "
        "this process. Set OPENAI_API_KEY; simulate=True or False decides for good.\n"
        "specado: answered by openai/gpt-5.4, no fallback, 1 attempt, simulated\n"
    )


@POSIX
@pytest.mark.parametrize("argv", [["models"], ["models", "--json"], ["--help"]])
def test_a_closed_stdout_ends_quietly(argv):
    process = start(*argv)
    process.stdout.close()

    with process.stderr:
        assert process.wait(TIMEOUT_S) in (0, 141)
        assert process.stderr.read() == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_an_error_of_one_line():
    with Path("/dev/full").open("w") as full:
        finished = subprocess.run(
            [*MODULE, "models"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=TIMEOUT_S
        )

    assert finished.returncode == 1
    assert finished.stderr == "specado: No space left on device\n"


@POSIX
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_the_simulator_serves_until_a_signal(number):
    with start("simulate", "--port", "0", "--verbose") as process:
        base_url = re.search(r"http://127\.0\.0\.1:\d+/v1", process.stdout.readline())[0]
        reply = httpx.post(
            f"{base_url}/chat/completions",
            headers={"Authorization": "Bearer any"},
            json={"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]},
            trust_env=False,
        )
        process.send_signal(number)
        process.wait(TIMEOUT_S)
        out, err = process.stdout.read(), process.stderr.read()

    assert reply.json()["choices"][0]["message"]["content"] == "Simulated reply to: Hello"
    assert process.returncode == 0
    assert f'openai.OpenAI(base_url="{base_url}", api_key="any")' in out
    assert err == "specado: POST /v1/chat/completions 200\n"
