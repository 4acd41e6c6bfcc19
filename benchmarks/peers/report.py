"""The table and the plots of a run."""

from __future__ import annotations

import os
import platform
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

from peers.aims import aims_table
from peers.plots import plot

if TYPE_CHECKING:
    from peers.cases import Case
    from peers.footprint import Footprint
    from peers.measure import Result

__all__ = ["BEGIN", "END", "as_json", "between_markers", "machine", "pictures", "table"]

BEGIN = "<!-- measured: begin -->"
END = "<!-- measured: end -->"
PLOTS = "plots"


def machine() -> dict[str, Any]:
    """Return what the run ran on."""
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    return {
        "date": datetime.now(timezone.utc).date().isoformat(),
        "processor": model,
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load": [round(each, 1) for each in os.getloadavg()] if hasattr(os, "getloadavg") else [],
    }


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _ratio(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:,.0f}"


def _rows(results: list[Result], *, with_wall: bool) -> list[str]:
    ours = results[0].value
    lines = []
    for each in results:
        name = f"**{each.side}**" if each is results[0] else each.side
        cells = [
            name,
            _number(each.value),
            f"{_number(each.low)}-{_number(each.high)}",
            *([_number(each.wall)] if with_wall else []),
            _ratio(each.value / ours),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _case_table(case: Case, results: list[Result]) -> list[str]:
    """Return one case's table; the first side is specado's, the others in order of their cost."""
    ordered = [results[0], *sorted(results[1:], key=lambda each: each.value)]
    beside = f"beside {ordered[0].side}"
    of_cpu = case.kind == "cpu"
    wall = ["wall time"] if of_cpu and case.needs_server else []
    heads = [case.unit, "CPU, median" if of_cpu else "median", "middle half", *wall, beside]
    lines = [f"### {case.title}", "", "| " + " | ".join(heads) + " |"]
    lines.append("|---|" + "---:|" * (len(heads) - 1))
    return [*lines, *_rows(ordered, with_wall=bool(wall)), ""]


def _growth_table(case: Case, results: list[Result]) -> list[str]:
    points = sorted({each.point for each in results if each.point is not None})
    sides = list(dict.fromkeys(each.side for each in results))
    heads = [f"{case.unit}, {case.axis}:", *(f"{point:,}" for point in points)]
    lines = [f"### {case.title}", "", "| " + " | ".join(heads) + " |"]
    lines.append("|---|" + "---:|" * len(points))
    for side in sides:
        at = {each.point: each.value for each in results if each.side == side}
        cells = [_number(at[point]) if point in at else "" for point in points]
        lines.append(f"| {side} | " + " | ".join(cells) + " |")
    return [*lines, "", f"![{case.title}]({PLOTS}/{case.key}.svg)", ""]


def _footprint_table(found: list[Footprint]) -> list[str]:
    lines = [
        "### Footprint",
        "",
        "| | import, CPU ms | import, ms | memory it adds, MiB | installed, MB | packages |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for each in found:
        cells = [
            f"**{each.label}**" if each is found[0] else each.label,
            *(_number(value) for value in each[1:5]),
            str(each.packages),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]


def _versions(results: list[Result], cases: dict[str, Case]) -> str:
    found: dict[str, dict[str, str]] = {}
    environments = {side.label: side.environment for case in cases.values() for side in case.sides}
    for each in results:
        found.setdefault(environments[each.side], each.versions)
    shown = []
    for name, versions in found.items():
        told = ", ".join(f"{package} {version}" for package, version in versions.items())
        shown.append(f"{name}: {told}" if len(found) > 1 else told)
    return "; ".join(shown)


def table(
    cases: dict[str, Case],
    results: list[Result],
    found: list[Footprint],
    skipped: list[tuple[str, str, str]],
    ran_on: dict[str, Any],
) -> str:
    """Return the whole table as Markdown."""
    load = ", ".join(str(each) for each in ran_on["load"])
    where = ", ".join(str(ran_on[key]) for key in ("processor", "system", "python"))
    lines = [
        f"Measured {ran_on['date']} on {ran_on['cores']} cores: {where}; load before: {load}.",
        "",
        f"Versions, by environment: {_versions(results, cases)}.",
        "",
    ]
    lines += aims_table(results, found)
    for case in cases.values():
        of_case = [each for each in results if each.case == case.key]
        if of_case:
            lines += (_growth_table if case.axis else _case_table)(case, of_case)
    if found:
        lines += _footprint_table(found)
    if skipped:
        lines += ["### Not measured", "", "| case | side | why |", "|---|---|---|"]
        lines += [f"| {case} | {side} | {_plain(why)} |" for case, side, why in skipped]
        lines.append("")
    return "\n".join(lines)


def _plain(text: str) -> str:
    return " ".join(text.replace("|", "/").split())[:120]


def pictures(cases: dict[str, Case], results: list[Result], folder: Path) -> None:
    """Write the plot of each case that shows growth."""
    folder.mkdir(parents=True, exist_ok=True)
    for case in cases.values():
        series: dict[str, list[tuple[int, float]]] = {}
        for each in results:
            if each.case == case.key and each.point is not None and each.value > 0:
                series.setdefault(each.side, []).append((each.point, each.value))
        if case.axis is not None and series:
            drawn = plot(case.title, case.axis, case.unit, series)
            (folder / f"{case.key}.svg").write_text(drawn, encoding="utf-8")


def between_markers(page: str, text: str) -> str:
    """Return *page* with *text* between its markers."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page lacks {BEGIN} … {END}")
    return f"{before}{BEGIN}\n\n{text.rstrip()}\n\n{END}{after}"


def as_json(
    results: list[Result],
    found: list[Footprint],
    skipped: list[tuple[str, str, str]],
    ran_on: dict[str, Any],
    profile: Optional[str],
) -> dict[str, Any]:
    return {
        "machine": ran_on,
        "run": profile,
        "results": [each._asdict() for each in results],
        "footprint": [each._asdict() for each in found],
        "skipped": skipped,
    }
