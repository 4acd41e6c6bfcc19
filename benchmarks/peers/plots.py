"""Line plots as SVG, both axes logarithmic: how a cost grows."""

from __future__ import annotations

import math
from html import escape

__all__ = ["plot"]

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 76, 200, 44, 52
COLOURS = ("#d62728", "#1f77b4", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f")
LINE_HEIGHT = 20
GRID = "#e3e3e3"
INK = "#222222"


class _Scale:
    """A logarithmic axis from the data's span, out to whole decades, onto pixels."""

    def __init__(self, values: list[float], start: float, end: float, *, whole: bool) -> None:
        low, high = math.log10(min(values)), math.log10(max(values))
        self.low = math.floor(low + 1e-9) if whole else low
        self.high = max(math.ceil(high - 1e-9) if whole else high, self.low + 0.3)
        self._start, self._end = start, end

    def __call__(self, value: float) -> float:
        part = (math.log10(value) - self.low) / (self.high - self.low)
        return self._start + part * (self._end - self._start)

    def decades(self) -> list[float]:
        return [10.0**power for power in range(math.ceil(self.low), math.floor(self.high) + 1)]


def _text(x: float, y: float, text: str, anchor: str = "middle", more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{colour}"/>'


def _curve(points: list[tuple[float, float]], colour: str, width: float) -> list[str]:
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
    return [f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>', *dots]


def plot(title: str, axis: str, unit: str, series: dict[str, list[tuple[int, float]]]) -> str:
    """Return the picture of *series*: for each name its points, all of them above 0."""
    points = [point for each in series.values() for point in each]
    across = _Scale([float(x) for x, _ in points], LEFT, WIDTH - RIGHT, whole=False)
    up = _Scale([y for _, y in points], HEIGHT - BOTTOM, TOP, whole=True)
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    font = f'font-family="sans-serif" font-size="12" fill="{INK}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(LEFT, 22, title, "start", ' font-size="14" font-weight="bold"'),
    ]
    for value in up.decades():
        parts.append(_line(LEFT, up(value), WIDTH - RIGHT, up(value), GRID))
        parts.append(_text(LEFT - 8, up(value) + 4, f"{value:,.10g}", "end"))
    for place in sorted({x for x, _ in points}):
        parts.append(_line(across(place), TOP, across(place), HEIGHT - BOTTOM, GRID))
        parts.append(_text(across(place), HEIGHT - BOTTOM + 18, f"{place:,}"))
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(_text(middle, HEIGHT - 12, axis))
    turned = f' transform="rotate(-90 16 {HEIGHT / 2:.0f})"'
    parts.append(_text(16, HEIGHT / 2, unit, "middle", turned))
    ends = sorted(series.items(), key=lambda item: -item[1][-1][1])
    for place, (name, curve) in enumerate(ends):
        number = list(series).index(name)
        colour = COLOURS[number % len(COLOURS)]
        drawn = [(across(x), up(y)) for x, y in sorted(curve)]
        parts += _curve(drawn, colour, 2.5 if number == 0 else 1.5)
        x, y = WIDTH - RIGHT + 14, TOP + 10 + place * LINE_HEIGHT
        parts.append(f'<circle cx="{x}" cy="{y - 4}" r="4" fill="{colour}"/>')
        parts.append(_text(x + 10, y, name, "start"))
    return "\n".join([*parts, "</svg>", ""])
