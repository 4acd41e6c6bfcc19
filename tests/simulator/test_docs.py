"""The page about the simulator agrees with the simulator."""

from __future__ import annotations

import re

from reference_files import REPOSITORY
from specado.simulator import FAULTS

PAGE = REPOSITORY / "docs" / "simulator.md"


def test_the_page_lists_every_fault():
    listed = re.findall(r"^\| `([a-z-]+-test-model)` \|", PAGE.read_text("utf-8"), re.M)

    assert listed == list(FAULTS)
