"""The soak, in short: `make soak` runs it long."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).parents[2] / "scripts" / "soak.py"


@pytest.mark.heavy
@pytest.mark.skipif(sys.platform != "linux", reason="counts by /proc, resets as Linux does")
@pytest.mark.skipif(not SOAK.exists(), reason="only in a checkout")
def test_every_call_of_a_short_soak_ends_as_it_should():
    command = [sys.executable, "-W", "error", str(SOAK), "--calls", "1000", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
