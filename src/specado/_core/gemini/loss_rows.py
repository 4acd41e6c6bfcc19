"""Ids of the loss rows that the Gemini dialect reports, checked against the table of rows.

The encoder and the decoder import them by name, so that a wrong name is an error of the build.
"""

from __future__ import annotations

ROW_IDS: tuple[str, ...] = ()
