"""The table of losses, what a report says of it, and what strictness refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from specado.losses import ROWS, SEVERITIES, refuses, report_of

SOURCES = Path(__file__).parents[1] / "src" / "specado" / "_core"
CODES = {"Relocate", "Emulate", "Default", "Clamp", "Drop", "Conflict", "Unsupported"}
NOTE = ("max_tokens.default", "max_tokens", None, 4096)
TUNING = ("seed", "seed", 5, None)
CLAMP = ("temperature.above_one", "temperature", 1.5, 1)
CONTRACT = ("n", "n", 2, None)
CRITICAL = ("input.audio", "messages[0].content[1]", None, None)


def sources() -> str:
    return "\n".join(
        path.read_text(encoding="utf-8")
        for path in sorted(SOURCES.glob("*.pyx"))
        if path.name not in ("compare.pyx", "capability.pyx")
    )


def test_every_row_is_reported_and_every_report_has_a_row() -> None:
    text = sources()
    reported = set(re.findall(r'self\.lose\(\s*"([a-z_.]+)"', text))
    named = set(re.findall(r'"([a-z][a-z_.]*)"', text))

    assert reported
    assert reported <= set(ROWS)
    assert set(ROWS) <= named


@pytest.mark.parametrize("row_id", ROWS)
def test_rows_are_well_formed(row_id: str) -> None:
    row = ROWS[row_id]

    assert row.code in CODES
    assert row.kind in ("contract", "tuning")
    assert row.severity in SEVERITIES
    assert row.message
    assert not row.message.endswith(".")
    assert row.kind == "tuning" or row.severity != "None"


def test_a_note_is_not_lossy() -> None:
    report = report_of([NOTE])

    assert (report.is_lossy, report.severity) == (False, "None")
    assert (report.lossiness_types, report.details, report.recommendations) == ([], [], [])
    assert [item.path for item in report.items] == ["max_tokens"]
    assert str(report) == (
        "nothing lost\n  None Default max_tokens: a limit is required there (None -> 4096)"
    )


def test_nothing_lost_says_so() -> None:
    assert str(report_of([])) == "nothing lost"


def test_a_report_is_as_severe_as_its_worst() -> None:
    report = report_of([NOTE, CLAMP, CONTRACT, TUNING])

    assert (report.is_lossy, report.severity) == (True, "High")
    assert report.lossiness_types == [
        {"ConstrainedParameter": "temperature"},
        {"MissingFeature": "n"},
        {"MissingFeature": "seed"},
    ]
    assert report.details == [
        "Low Clamp temperature: 1 is the highest temperature there (1.5 -> 1)",
        "High Unsupported n: one answer a request (2 -> None)",
        "Low Drop seed: there is no seed (5 -> None)",
    ]
    assert report.recommendations == [
        "Check that the answer does not depend on temperature.",
        "Leave out n, or choose a model that takes it.",
        "Check that the answer does not depend on seed.",
    ]
    assert json.loads(json.dumps(report.to_dict()))["items"][2]["kind"] == "contract"
    assert report_of([CONTRACT, CRITICAL]).severity == "Critical"


@pytest.mark.parametrize(
    ("strictness", "reported", "expected"),
    [
        ("strict", [], None),
        ("strict", [NOTE], None),
        ("strict", [NOTE, TUNING], "seed"),
        ("strict", [CONTRACT, TUNING], "n"),
        ("warn", [NOTE, TUNING, CLAMP], None),
        ("warn", [TUNING, CONTRACT], "n"),
        ("coerce", [TUNING, CONTRACT, CRITICAL], None),
    ],
)
def test_strictness_refuses_by_kind(strictness: str, reported: list, expected: object) -> None:  # type: ignore[type-arg]
    assert refuses(strictness, reported) == expected


def test_a_report_reads_like_the_dict_of_a_comparison_and_shows_in_a_notebook() -> None:
    report = report_of(
        [("input.image", "messages[0].content[1]", None, None), ("seed", "seed", "<7>", None)]
    )

    assert report["severity"] == report.severity == "Critical"
    assert report["lossiness_types"] == [
        {"MissingModality": "Image"},
        {"MissingFeature": "seed"},
    ]
    with pytest.raises(KeyError):
        report["nothing"]
    assert "&lt;7&gt;" in report._repr_html_()
