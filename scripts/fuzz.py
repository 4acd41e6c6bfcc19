"""Fuzzes what reads a provider's bytes, each target for so many seconds: python fuzz.py 60 [name]

Needs atheris. An input that breaks a promise is written to the working directory and shown.
"""

from __future__ import annotations

import gzip
import itertools
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "helpers"))

# An input that takes longer than this counts as a hang.
HANG_S = 5
OPENAI = (
    b'{"id":"c","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant",'
    b'"content":"a","tool_calls":[{"id":"t","type":"function","function":{"name":"f",'
    b'"arguments":"{}"}}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}'
)
ANTHROPIC = (
    b'{"id":"m","type":"message","role":"assistant","model":"m","content":[{"type":"text",'
    b'"text":"a"},{"type":"tool_use","id":"t","name":"f","input":{}}],"stop_reason":"end_turn",'
    b'"usage":{"input_tokens":1,"output_tokens":1}}'
)
CHUNK = OPENAI.replace(b'"message"', b'"delta"')
ERROR = b'{"type":"error","error":{"type":"rate_limit_error","code":"c","message":"m"}}'
SEEDS = (
    OPENAI,
    ANTHROPIC,
    ERROR,
    b"12.5\nWed, 21 Oct 2026 07:28:00 GMT\n" + ERROR,
    b"data: " + CHUNK + b"\n\ndata: [DONE]\n\n",
    b'event: message_start\ndata: {"type":"message_start","message":' + ANTHROPIC + b"}\n\n"
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n',
    gzip.compress(OPENAI),
)


def fuzz(name: str, seconds: str) -> None:
    """Run one target; it ends the process."""
    import atheris

    with atheris.instrument_imports(include=["specado"]):
        import fuzz_targets

    # The compiled core tells nothing of its branches: what is changed has to be near a reply.
    seeds = tempfile.mkdtemp()
    for number, (choice, seed) in enumerate(itertools.product(range(4), SEEDS)):
        Path(seeds, str(number)).write_bytes(bytes([choice, 255]) + seed)
        Path(seeds, f"{number}-whole").write_bytes(bytes([choice]) + seed)
    options = [seeds, f"-max_total_time={seconds}", f"-timeout={HANG_S}", "-max_len=4096"]
    atheris.Setup([sys.argv[0], *options], fuzz_targets.TARGETS[name])
    atheris.Fuzz()


def main() -> int:
    """Run every target, or the one that is named, in a process of its own; return the status."""
    seconds, *named = sys.argv[1:] or ["60"]
    if named:
        fuzz(named[0], seconds)
    from fuzz_targets import TARGETS

    command = [sys.executable, __file__, seconds]
    statuses = [subprocess.call([*command, name]) for name in TARGETS]  # noqa: S603 - our own
    return max(map(abs, statuses))


if __name__ == "__main__":
    sys.exit(main())
