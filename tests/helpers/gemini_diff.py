"""Facts of requests made comparable with those of Gemini's requests; see `request_diff`."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from request_facts import Fact


def calls_by_order(found: list[Fact]) -> list[Fact]:
    """Facts with the place of a call among the calls instead of its id.

    The results of a turn are in the order of their calls. Empty texts are no facts.
    """
    ids: list[str] = []
    made = []
    for fact in found:
        kind = str(fact.what[0])
        what = fact.what
        if kind in ("call", "custom call"):
            ids.append(fact.what[1])
            what = (kind, len(ids) - 1, *fact.what[2:])
        elif kind.startswith("result"):
            id_ = fact.what[1] if kind == "result" else kind.split(" ")[1]
            place = len(ids) - 1 - ids[::-1].index(id_) if id_ in ids else id_
            what = (kind, place) if kind == "result" else (
                kind.replace(id_, str(place)), *fact.what[1:]
            )  # fmt: skip
        if not (kind.endswith("text") and what[1:] == ("",)):
            made.append(fact._replace(what=what))
    return _results_by_call(made)


# What may stand beside a result's content, and goes with it.
WITH_RESULT = ("is_error", "title", "detail", "key", "cache", "citations", "other document")


def _results_by_call(found: list[Fact]) -> list[Fact]:
    """Facts with the results of each turn in the order of their calls."""
    placed: list[tuple[int, Fact]] = []
    for fact in found:
        kind = str(fact.what[0])
        place = -1
        if kind == "result" or kind.startswith("result "):
            said = str(fact.what[1] if kind == "result" else kind.split(" ")[1])
            place = int(said) if said.isdecimal() else 0
        elif kind in WITH_RESULT and placed:
            place = placed[-1][0]
        placed.append((place, fact))
    ordered: list[Fact] = []
    for is_result, group in itertools.groupby(placed, lambda each: each[0] >= 0):
        run = list(group)
        run = sorted(run, key=lambda each: each[0]) if is_result else run
        ordered += [fact for _, fact in run]
    return ordered


def number_of_logprobs(found: list[Fact]) -> list[Fact]:
    """Facts without that log probabilities are wanted, where their number is said."""
    is_said = any(fact.what[:2] == ("param", "top_logprobs") for fact in found)
    return [fact for fact in found if not (is_said and fact.what[:2] == ("param", "logprobs"))]
