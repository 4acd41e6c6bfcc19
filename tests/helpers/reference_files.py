"""Where the reference documents and recordings are: beside the repository, when they are there.

`SPECADO_REFERENCE` names another folder. It is read when the tests are collected: the
environment is cleaned before each of them.
"""

from __future__ import annotations

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

_folder = Path(os.environ.get("SPECADO_REFERENCE") or REPOSITORY.parent / "shared" / "reference")

REFERENCE: Path | None = _folder.resolve() if _folder.is_dir() else None
WHY_ABSENT = f"no reference documents in {_folder}; SPECADO_REFERENCE names their folder"
