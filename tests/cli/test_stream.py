"""`specado chat --stream`: output while the answer arrives, and at its end."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading

import msgspec
import pytest

from specado.cli import main
from specado.simulator import server as simulator
from specado.simulator.reply import EventStream

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and pipes of POSIX")
PATIENCE_S = 60
PIECES_OF_THE_BEGINNING = 2  # the role, and the first four characters of the answer
BEGINNING = "Simu"


class Writes(io.StringIO):
    """A stdout that notes what stood in it at each flush."""

    def __init__(self, *, is_terminal=False):
        super().__init__()
        self.is_terminal = is_terminal
        self.flushed = []

    def isatty(self):
        return self.is_terminal

    def flush(self):
        self.flushed.append(self.getvalue())


@pytest.fixture
def run(capsys):
    """Run the command line; give the exit code, stdout and the lines of stderr."""

    def run(*argv):
        code = main(["chat", "--simulate", "--stream", *argv])
        captured = capsys.readouterr()
        return code, captured.out, captured.err.splitlines()

    return run


def test_the_answer_is_that_of_the_call_without_stream(run):
    code, out, err = run("-m", "timeout-test-model", "Hello")

    assert (code, out) == (0, "Simulated reply to: Hello\n")
    assert err[0].startswith("specado: answered by anthropic/claude-")
    assert err[0].endswith(", fallback from openai, 2 attempts, simulated")
    assert err[1:] == [
        "specado: failed: openai/timeout-test-model: no reply within 300 s (simulated)"
    ]


def test_what_is_lost_and_cut_off_is_told(run):
    _, out, err = run("-m", "claude-opus-4-5", "-t", "1.5", "--max-tokens", "2", "Hello")

    assert out == "Simulate\n"
    assert err[-2].endswith("1 attempt, cut off at the token limit, simulated")
    assert err[-1] == (
        "specado: lost: Low Clamp temperature: 1 is the highest temperature there (1.5 -> 1)"
    )


def test_each_piece_is_flushed_as_it_comes(monkeypatch):
    stdout = Writes()
    monkeypatch.setattr(sys, "stdout", stdout)

    main(["chat", "--simulate", "--stream", "Hi"])

    assert stdout.flushed[:4] == ["Simu", "Simulate", "Simulated re", "Simulated reply "]
    assert stdout.getvalue() == "Simulated reply to: Hi\n"


@pytest.mark.parametrize(("is_terminal", "shown"), [(True, "\\x1b[31mred"), (False, "\x1b[31mred")])
def test_a_terminal_gets_control_characters_as_escapes(monkeypatch, is_terminal, shown):
    stdout = Writes(is_terminal=is_terminal)
    monkeypatch.setattr(sys, "stdout", stdout)

    assert main(["chat", "--simulate", "--stream", "\x1b[31mred"]) == 0

    assert stdout.getvalue() == f"Simulated reply to: {shown}\n"


def test_an_answer_that_ends_its_line_gets_no_second_end(run):
    assert run("Hello\n")[1] == "Simulated reply to: Hello\n"


def test_json_is_a_chunk_a_line_and_the_whole_reply_at_the_end(run):
    code, out, _ = run("--json", "héllo")
    *chunks, reply = map(json.loads, out.splitlines())

    assert code == 0
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    assert "".join(delta.get("content", "") for delta in deltas) == "Simulated reply to: héllo"
    assert reply["object"] == "chat.completion"
    assert reply["choices"][0]["message"]["content"] == "Simulated reply to: héllo"
    assert reply["usage"]["total_tokens"] > 0
    assert reply["extensions"]["provider_used"] == "openai"


@pytest.mark.parametrize("model", ["openai", "anthropic"])
@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("stream-cut-test-model", "the answer is not whole"),
        ("stream-late-error-test-model", "the answer is not whole"),
        ("stream-unterminated-test-model", "without its terminal event"),
    ],
)
def test_an_interrupted_answer_is_printed_and_then_the_error(run, model, fault, why):
    code, out, err = run("-m", f"{model}/{fault}", "Tell me about the sea")

    assert code == 1
    assert out.startswith(BEGINNING)
    assert out.count("\n") == 1
    assert out.endswith("\n")
    assert len(err) == 1
    assert err[0].startswith(f"specado: {model}/{fault}: ")
    assert why in err[0]


def test_json_of_an_interrupted_answer_has_no_whole_reply(run):
    code, out, err = run("--json", "-m", "stream-cut-test-model", "Tell me about the sea")

    assert code == 1
    assert {json.loads(line)["object"] for line in out.splitlines()} == {"chat.completion.chunk"}
    assert len(err) == 1


def test_what_fails_before_the_answer_prints_nothing_of_one(run):
    code, out, err = run("-m", "auth-error-test-model", "Hello")

    assert (code, out) == (1, "")
    assert len(err) == 1
    assert err[0].startswith("specado: openai/auth-error-test-model: Incorrect API key")


# as a process, of an answer that the simulator goes on with when it is told to


class Held:
    """A simulator that sends the beginning of a stream, and the rest when it is let go."""

    def __init__(self, monkeypatch):
        self.let_go = threading.Event()
        self._handle = simulator.handle
        monkeypatch.setattr(simulator, "handle", self.handle)

    def handle(self, *request, **options):
        reply = self._handle(*request, **options)
        return msgspec.structs.replace(reply, stream=EventStream(self.pieces(reply.stream.pieces)))

    def pieces(self, pieces):
        yield from pieces[:PIECES_OF_THE_BEGINNING]
        assert self.let_go.wait(PATIENCE_S)
        yield from pieces[PIECES_OF_THE_BEGINNING:]


@pytest.fixture
def held(monkeypatch):
    found = Held(monkeypatch)
    with simulator.running() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.openai_base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "any-key")
        yield found
        found.let_go.set()


def start(*argv):
    return subprocess.Popen(
        [sys.executable, "-m", "specado", "chat", "--stream", "-m", "gpt-4o", *argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_text_arrives_before_the_answer_has_ended(held):
    with start("Hello") as process:
        begun = process.stdout.read(len(BEGINNING))
        held.let_go.set()
        rest, err = process.communicate(timeout=PATIENCE_S)

    assert (begun, rest) == (BEGINNING, "lated reply to: Hello\n")
    assert process.returncode == 0
    assert err == "specado: answered by openai/gpt-4o, no fallback, 1 attempt\n"


def test_a_chunk_arrives_as_json_before_the_answer_has_ended(held):
    with start("--json", "Hello") as process:
        begun = [process.stdout.readline() for _ in range(PIECES_OF_THE_BEGINNING)]
        held.let_go.set()
        rest, _ = process.communicate(timeout=PATIENCE_S)

    assert json.loads(begun[-1])["choices"][0]["delta"]["content"] == BEGINNING
    assert json.loads(rest.splitlines()[-1])["object"] == "chat.completion"
    assert process.returncode == 0


@POSIX
@pytest.mark.usefixtures("held")
def test_ctrl_c_ends_the_line_and_tells_nothing():
    with start("Hello") as process:
        begun = process.stdout.read(len(BEGINNING))
        process.send_signal(signal.SIGINT)
        rest, err = process.communicate(timeout=PATIENCE_S)

    assert (begun, rest, err) == (BEGINNING, "\n", "")
    assert process.returncode == 130


@POSIX
@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_a_reader_that_leaves_ends_the_stream(held, options):
    with start(*options, "Hello") as process:
        process.stdout.read(len(BEGINNING))
        process.stdout.close()
        held.let_go.set()
        code = process.wait(PATIENCE_S)
        err = process.stderr.read()

    assert (code, err) == (141, "")
