"""`python -m specado`: the command line."""

from __future__ import annotations

import sys

from specado.cli import main

if __name__ == "__main__":
    sys.exit(main())
