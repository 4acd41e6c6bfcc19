"""PyInstaller support: the folder with the hook that collects specado into an application.

PyInstaller finds it through the entry point `pyinstaller40` of the installed package
("PyInstaller Hooks", https://pyinstaller.org/en/stable/hooks.html, read 2026-11-30).
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["get_hook_dirs"]


def get_hook_dirs() -> list[str]:
    """Return the folders in which PyInstaller looks for hooks."""
    return [str(Path(__file__).parent)]
