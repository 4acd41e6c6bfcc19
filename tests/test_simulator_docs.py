"""The page about the simulator says what is so."""

from __future__ import annotations

import re
from pathlib import Path

from specado.simulator import FAULTS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "simulator.md"


def test_the_blocks_of_the_page_run_in_order():
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)
    names = {}

    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)

    assert len(blocks) >= 4


def test_the_page_lists_every_fault():
    listed = re.findall(r"^\| `([a-z-]+-test-model)` \|", PAGE.read_text("utf-8"), re.M)

    assert listed == list(FAULTS)
