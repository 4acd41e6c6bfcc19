"""Folder of reference documents and recordings, next to the repository or absent.

`SPECADO_REFERENCE` names another folder. It is read when the tests are collected: the
environment is cleaned before each of them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

_folder = Path(os.environ.get("SPECADO_REFERENCE") or REPOSITORY.parent / "shared" / "reference")

REFERENCE: Path | None = _folder.resolve() if _folder.is_dir() else None


def require_reference() -> Path:
    """Return the folder; where there is none, skip the test, or the whole module, that asks."""
    __tracebackhide__ = True  # the skip is reported where it is asked for
    if REFERENCE is None:
        reason = f"no reference documents in {_folder}; SPECADO_REFERENCE names their folder"
        pytest.skip(reason, allow_module_level=True)
    return REFERENCE
