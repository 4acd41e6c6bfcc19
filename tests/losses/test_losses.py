"""Table of loss rows, loss report, and the losses that each strictness refuses."""

from __future__ import annotations

import json

import pytest

from specado.losses.report import SEVERITIES, RefusedLoss, refusal, refuses, report_of
from specado.losses.rows import ROWS

CODES = {"Relocate", "Emulate", "Default", "Clamp", "Drop", "Conflict", "Unsupported"}
NOTE = ("max_tokens.default", "max_tokens", None, 4096)
TUNING = ("seed", "seed", 5, None)
CLAMP = ("temperature.above_one", "temperature", 1.5, 1)
CONTRACT = ("n", "n", 2, None)
CRITICAL = ("input.audio", "messages[0].content[1]", None, None)


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
        "nothing lost\n  note  Default  max_tokens: a limit is required there (None -> 4096)"
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


@pytest.mark.parametrize(
    ("strictness", "reported", "expected"),
    [
        ("strict", [NOTE], None),
        ("strict", [NOTE, TUNING], RefusedLoss("seed: there is no seed", "strictness='warn'")),
        (
            "strict",
            [TUNING, CONTRACT],
            RefusedLoss("n: one answer a request", "strictness='coerce'"),
        ),
        ("warn", [TUNING], None),
        ("warn", [TUNING, CONTRACT], RefusedLoss("n: one answer a request", "strictness='coerce'")),
        ("coerce", [TUNING, CONTRACT], None),
    ],
)
def test_a_refusal_names_the_loss_that_needs_the_setting(
    strictness: str, reported: list[tuple[str, str, object, object]], expected: RefusedLoss | None
) -> None:
    assert refusal(strictness, reported) == expected


def test_a_report_is_aligned_in_a_terminal() -> None:
    assert str(report_of([NOTE, CLAMP, CONTRACT])) == (
        "High loss\n"
        "  note  Default      max_tokens: a limit is required there (None -> 4096)\n"
        "  Low   Clamp        temperature: 1 is the highest temperature there (1.5 -> 1)\n"
        "  High  Unsupported  n: one answer a request (2 -> None)"
    )


def test_a_report_commands_no_terminal_and_stays_short() -> None:
    report = report_of([("param.unknown", "a\x1b[2J\n", "x" * 10**6, None)])

    assert str(report).count("\n") == 1
    assert "\x1b" not in str(report)
    assert len(str(report)) < 200
    assert len(report.details[0]) < 200


def test_a_report_is_an_escaped_table_in_a_notebook() -> None:
    report = report_of([NOTE, ("param.unknown", "<script>", "<b>&", None)])

    assert report._repr_html_() == (
        "<table><caption><b>Medium loss</b></caption><thead><tr><th>Severity</th><th>Code</th>"
        "<th>Where</th><th>What</th><th>Before</th><th>After</th></tr></thead><tbody>"
        "<tr><td>note</td><td>Default</td><td>max_tokens</td><td>a limit is required there</td>"
        "<td></td><td>4096</td></tr>"
        "<tr><td>Medium</td><td>Drop</td><td>&lt;script&gt;</td>"
        "<td>the API does not know the parameter</td>"
        "<td>&#x27;&lt;b&gt;&amp;&#x27;</td><td></td></tr>"
        "</tbody></table>"
    )
    assert report_of([])._repr_html_() == "<p><b>nothing lost</b></p>"


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        (("input.image", "messages[0].content[1]", None, None), {"MissingModality": "input_Image"}),
        (("audio.output", "modalities", ["audio"], None), {"MissingModality": "output_Audio"}),
        (("system.later", "messages[2].role", "system", "user"), {"MissingRole": "system_role"}),
        (("role.unknown", "messages[0].role", "critic", "user"), {"MissingRole": "critic_role"}),
        (("functions", "functions", [], None), {"MissingRole": "function_role"}),
        (("param.unknown", "mood", 1, None), {"MissingExtension": "mood"}),
        (("max_tokens.above_limit", "max_tokens", 9, 8), "TokenLimitExceeded"),
        (("sampling.both", "top_p", 0.5, None), {"ConstrainedParameter": "top_p"}),
        (("n", "n", 2, None), {"MissingFeature": "n"}),
    ],
)
def test_kinds_of_losses_are_the_words_of_comparisons(
    reported: tuple[str, str, object, object], expected: object
) -> None:
    assert report_of([reported, reported]).lossiness_types == [expected]


def test_a_report_reads_like_the_dict_of_a_comparison() -> None:
    report = report_of([("seed", "seed", 7, None)])

    assert report["severity"] == report.severity == "Low"
    with pytest.raises(KeyError):
        report["nothing"]


def test_a_long_report_shows_the_worst_losses_and_says_how_many_more() -> None:
    report = report_of([*[("seed", f"seed[{at}]", 1, None) for at in range(5000)], CONTRACT])

    text = str(report)
    table = report._repr_html_()

    assert len(report.items) == 5001
    assert len(text.splitlines()) == 102
    assert "  High  Unsupported  n: one answer a request (2 -> None)" in text.splitlines()
    assert text.endswith("\n  … and 4,901 more, none of them worse: see items")
    assert table.count("<tr>") == 101
    assert table.endswith("</table><p>… and 4,901 more, none of them worse: see items</p>")


def test_a_report_of_a_hundred_losses_is_shown_whole() -> None:
    report = report_of([("seed", f"seed[{at}]", 1, None) for at in range(100)])

    assert len(str(report).splitlines()) == 101
    assert "more" not in str(report) + report._repr_html_()
