"""The aims, and where this run stands: made from its results, so that none is older than they.

An aim in microseconds was set on another machine. Its yardstick is a row that took so many there:
the limit here is in proportion to what that row takes in this run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, NamedTuple, Optional

if TYPE_CHECKING:
    from peers.footprint import Footprint
    from peers.measure import Result

__all__ = ["aims_table"]

IN_A_CALL = "specado, as in a call"
TRANSLATE = "specado.translate"
TWO, FAILED = "two calls, one to each provider", "a 503, and the other provider's reply"


class _Found:
    """What a run found; a row that it has not is a KeyError."""

    def __init__(self, results: list[Result], footprints: list[Footprint]) -> None:
        self._values = {(each.case, each.side, each.point): each.value for each in results}
        self._footprints = {each.label: each for each in footprints}

    def __call__(self, case: str, side: str = "specado", point: Optional[int] = None) -> float:
        return self._values[case, side, point]

    def ratio(self, case: str, side: str, other: str) -> float:
        return self(case, side) / self(case, other)

    def import_cpu_ms(self, label: str) -> float:
        return self._footprints[label].import_cpu_ms

    def footprint(self, label: str) -> Footprint:
        return self._footprints[label]


Take = Callable[[_Found], float]


class _Yardstick(NamedTuple):
    there: float
    here: Take


class _Aim(NamedTuple):
    what: str
    most: float
    unit: str
    take: Take
    yardstick: Optional[_Yardstick] = None


_PYTHON = _Yardstick(447, lambda found: found("call", "httpx"))
_CHUNK = _Yardstick(28, lambda found: found("stream", "anthropic"))
_IMPORT = _Yardstick(63, lambda found: found.import_cpu_ms("httpx"))


def _beyond_two_calls(found: _Found, case: str) -> float:
    return found(case, FAILED) - found(case, TWO)


def _in_flight(found: _Found) -> float:
    case, point = "growth-in-flight", 10_000
    return found(case, "specado", point) - found(case, "raw socket (the limit)", point)


def _stall(found: _Found) -> float:
    sides = ("specado", "specado, to Anthropic")
    return max(found("stall", side) for side in sides) / found("stall", "msgspec encode, alone")


def _peak(found: _Found) -> float:
    return max(found("peak", side) for side in ("specado", "specado, to Anthropic"))


_MSGSPEC, _ORJSON = "msgspec encode, untranslated", "orjson loads + dumps, untranslated"
_AIMS = (
    _Aim("a call", 0.45, "of httpx's", lambda found: found.ratio("call", "specado", "httpx")),
    _Aim(
        "a call among 64 tasks",
        0.10,
        "of httpx's",
        lambda found: found.ratio("call-async", "specado", "httpx"),
    ),
    _Aim(
        "a call",
        1,
        "of specado 0.2.2's",
        lambda found: found.ratio("call", "specado", "specado 0.2.2"),
    ),
    _Aim(
        "a call over TLS on a connection of its own",
        1,
        "of httpx's",
        lambda found: found.ratio("call-tls", "specado", "httpx"),
    ),
    _Aim("a call without its transport", 25, "µs", lambda found: found("alone", "a call"), _PYTHON),
    _Aim("the same, async", 30, "µs", lambda found: found("alone-async", "a call"), _PYTHON),
    _Aim(
        "a failed attempt and a fallback, beyond two calls",
        20,
        "µs",
        lambda found: _beyond_two_calls(found, "alone"),
        _PYTHON,
    ),
    _Aim(
        "the same, async",
        20,
        "µs",
        lambda found: _beyond_two_calls(found, "alone-async"),
        _PYTHON,
    ),
    _Aim("a chunk of a stream", 5, "µs", lambda found: found("stream"), _CHUNK),
    _Aim(
        "a chunk of a stream, beyond a raw socket's",
        3,
        "µs",
        lambda found: found("stream") - found("stream", "raw socket + msgspec (the limit)"),
        _CHUNK,
    ),
    _Aim(
        "a chunk of a stream",
        0.30,
        "of httpx + split + json's",
        lambda found: found.ratio("stream", "specado", "httpx + split + json"),
    ),
    _Aim("a chunk without its transport", 1.5, "µs", lambda found: found("alone-stream"), _CHUNK),
    _Aim(
        "10 messages to the other provider",
        4,
        "µs",
        lambda found: found("translate-10", IN_A_CALL),
    ),
    *(
        _Aim(
            f"{named} to the other provider",
            1,
            "of msgspec's, untranslated",
            lambda found, key=key: found.ratio(f"translate-{key}", IN_A_CALL, _MSGSPEC),
        )
        for key, named in (("1000", "1,000 messages"), ("rich", "the same with tools and images"))
    ),
    _Aim(
        "10 messages, JSON text to JSON text",
        8,
        "µs",
        lambda found: found("translate-text-10", TRANSLATE),
    ),
    *(
        _Aim(
            f"{named}, JSON text to JSON text",
            1,
            "of orjson's, untranslated",
            lambda found, key=key: found.ratio(f"translate-text-{key}", TRANSLATE, _ORJSON),
        )
        for key, named in (("1000", "1,000 messages"), ("rich", "the same with tools and images"))
    ),
    _Aim(
        "a reply's bytes to a response",
        1.5,
        "of msgspec's into Structs",
        lambda found: found.ratio("reply", "specado", "msgspec into Structs"),
    ),
    _Aim("compare_capabilities", 8, "µs", lambda found: found("compare"), _PYTHON),
    _Aim(
        "compare_capabilities",
        0.1,
        "of its twin's in Python",
        lambda found: found.ratio("compare", "specado", "the tests' twin in Python"),
    ),
    _Aim("Client(), after the first", 20, "µs", lambda found: found("client"), _PYTHON),
    _Aim("10,000 calls in flight, beyond a raw socket's", 40, "KiB each", _in_flight),
    _Aim("a request of 10 MB holds up a loop", 1.2, "of msgspec encoding it", _stall),
    _Aim("a request of 100 MB takes, at its peak", 2, "times its size", _peak),
    _Aim(
        "the import, with a client, CPU",
        60,
        "ms",
        lambda found: found.import_cpu_ms("specado, with a client"),
        _IMPORT,
    ),
    _Aim(
        "memory that it adds, beside msgspec + orjson",
        11,
        "MiB",
        lambda found: (
            found.footprint("specado, with a client").memory_mib
            - found.footprint("msgspec + orjson").memory_mib
        ),
    ),
    _Aim(
        "installed, with what it needs",
        12,
        "MB",
        lambda found: found.footprint("specado").installed_mb,
    ),
)


def _number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _row(aim: _Aim, found: _Found) -> Optional[str]:
    """Return an aim's row, None where the run did not measure what it takes."""
    try:
        measured = aim.take(found)
        stick = aim.yardstick
        most = aim.most if stick is None else aim.most * stick.here(found) / stick.there
    except KeyError:
        return None
    limit = f"{aim.most:g} {aim.unit}"
    here = "" if aim.yardstick is None else _number(most)
    met = "yes" if measured <= most else "no"
    return f"| {aim.what} | {limit} | {here} | {_number(measured)} | {met} |"


def aims_table(results: list[Result], footprints: list[Footprint]) -> list[str]:
    """Return the lines of the table; none if the run measured nothing that an aim speaks of."""
    found = _Found(results, footprints)
    rows = [row for row in (_row(aim, found) for aim in _AIMS) if row is not None]
    if not rows:
        return []
    heads = ["### The aims, and where it stands", "", "| | at most | here | measured | met |"]
    return [*heads, "|---|---:|---:|---:|---|", *rows, ""]
