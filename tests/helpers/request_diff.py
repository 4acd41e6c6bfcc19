"""Hold a translation against its report: what differs must be what the report says.

`unexplained(…)` lists what one translation did that its report does not say; `round_trip(…)`
translates there and back and does so for both ways and for the whole.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import specado
from gemini_diff import calls_by_order, number_of_logprobs
from request_facts import Fact, facts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ANSWER = "assistant"
# The dialect in whose requests an answer has one text.
JOINING = "openai_responses"
# Dialects whose URL names the model, and what in it asks for a stream.
IN_URL = {"gemini": ":streamGenerateContent", "bedrock_converse": "/converse-stream"}
# Codes by which a translation leaves something out.
LEAVING_OUT = ("Drop", "Unsupported")
# Facts that stand beside a text and not between two.
BESIDE = ("cache", "key", "name", "citations", "thinking", "redacted")
OTHER = {"openai": "anthropic", "anthropic": "openai_chat", "gemini": "openai_chat"}
# Codes by which a translation may say something that the request did not say.
ADDING = ("Relocate", "Emulate", "Default", "Clamp", "Unsupported", "Conflict")
# The parameters that a report of another one may have made.
MADE_BY: dict[str, tuple[str, ...]] = {
    "max_completion_tokens": ("max_tokens",),
    "max_output_tokens": ("max_tokens",),
    "reasoning_effort": ("effort", "budget", "adaptive", "includeThoughts"),
    "thinking": ("effort", "budget", "adaptive", "includeThoughts"),
    "output_config": (
        "effort",
        "budget",
        "schema",
        "schema name",
        "loose schema",
        "includeThoughts",
        "tool_choice",
    ),
    "output_format": ("schema", "schema name", "loose schema"),
    "response_format": ("tool_choice", "schema"),
    "tools": ("tool_choice", "web_search_options"),
    "text": ("schema", "format", "verbosity", "loose schema", "schema name", "tool_choice"),
    "reasoning": ("effort", "budget", "adaptive", "includeThoughts"),
    "include": ("logprobs",),
    "top_logprobs": ("logprobs",),
    "inferenceConfig": ("max_tokens",),
    "outputConfig": (
        "schema",
        "schema name",
        "loose schema",
        "effort",
        "budget",
        "adaptive",
        "includeThoughts",
        "tool_choice",
    ),
    "additionalModelRequestFields": (
        "effort",
        "budget",
        "adaptive",
        "max_tokens",
        "includeThoughts",
    ),
    "toolConfig": ("tool_choice", "web_search_options"),
    "generationConfig": (
        "effort",
        "budget",
        "adaptive",
        "schema",
        "schema name",
        "loose schema",
        "max_tokens",
        "tool_choice",
    ),
}
TOKEN = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")


class Trip(NamedTuple):
    there: Any
    back: Any
    unexplained: list[str]


def covers(reported: str, path: str) -> bool:
    """Whether a reported path is *path*, above it or below it."""
    shorter, longer = sorted((reported, path), key=len)
    return longer.startswith(shorter) and longer[len(shorter) : len(shorter) + 1] in ("", ".", "[")


def is_covered(fact: Fact, losses: list[Any]) -> bool:
    return any(covers(loss.path, path) for loss in losses for path in fact.paths)


def exists(request: Any, path: str) -> bool:
    """Whether a JSON path leads to something in a request, also within text that is JSON."""
    found = request
    try:
        for name, place in TOKEN.findall(path):
            if isinstance(found, str):
                found = json.loads(found)
            found = found[int(place)] if place else found[name]
    except (KeyError, IndexError, TypeError, ValueError):
        return False
    return True


class Difference(NamedTuple):
    """The facts outside the best common subsequence, and those in it that changed sides."""

    missing: list[Fact]
    added: list[Fact]
    moved: list[Fact]


def is_moved_with_word(fact: Fact, losses: list[Any]) -> bool:
    return is_covered(fact, losses) or any(covers(loss.path, fact.role_path) for loss in losses)


def difference(before: list[Fact], after: list[Fact], losses: list[Any]) -> Difference:
    """Align two requests; of equal facts rather those are missing, or moved, that are reported."""
    worth = [2 if is_covered(fact, losses) else 2 * len(before) + 2 for fact in before]
    may_move = [is_moved_with_word(fact, losses) for fact in before]

    def gain(i: int, j: int) -> int:
        """How much it is worth to call two facts, which say the same, the same fact."""
        if before[i].side == after[j].side:
            return worth[i] + 1
        return worth[i] if may_move[i] else 1

    rows = [[0] * (len(after) + 1) for _ in range(len(before) + 1)]
    for i in reversed(range(len(before))):
        for j in reversed(range(len(after))):
            both = 0
            if before[i].what == after[j].what:
                both = rows[i + 1][j + 1] + gain(i, j)
            rows[i][j] = max(both, rows[i + 1][j], rows[i][j + 1])
    i = j = 0
    missing, added, moved = [], [], []
    while i < len(before) and j < len(after):
        same = before[i].what == after[j].what
        if same and rows[i][j] == rows[i + 1][j + 1] + gain(i, j):
            if before[i].side != after[j].side:
                moved.append(before[i])
            i, j = i + 1, j + 1
        elif rows[i + 1][j] >= rows[i][j + 1]:
            missing.append(before[i])
            i += 1
        else:
            added.append(after[j])
            j += 1
    return Difference(missing + before[i:], added + after[j:], moved)


def parameters_last(found: list[Fact]) -> list[Fact]:
    """Facts of messages in order, then those of parameters sorted: their order says nothing."""
    plain = [fact for fact in found if fact.what[0] not in ("param", "stop")]
    return plain + sorted((fact for fact in found if fact not in plain), key=repr)


def comparable(
    *requests: tuple[str, dict[str, Any]], in_one: bool, losses: Sequence[Any] = ()
) -> Iterator[list[Fact]]:
    """Facts of requests to be compared; *in_one*: the texts of an answer are one text.

    They are so over what the *losses* say is left out between them.
    """
    gone = [loss for loss in losses if loss.code in LEAVING_OUT]
    moved = [loss for loss in losses if loss.code == "Relocate"]
    in_order = any(name in IN_URL for name, _ in requests)  # of the calls
    for name, request in requests:
        found = facts(name, request)
        if in_order:
            found = number_of_logprobs(calls_by_order(found))
        yield parameters_last(texts_in_one(found, gone, moved) if in_one else found)


def texts_in_one(found: list[Fact], gone: list[Any], moved: list[Any]) -> list[Fact]:
    """Join the texts and refusals of an answer that follow each other; leave out empty ones.

    A text that was moved before the answer's calls follows the text before them.
    """
    made: list[Fact] = []
    for fact in found:
        if fact.side != ANSWER or fact.what[0] not in ("text", "refusal"):
            made.append(fact)
            continue
        at = len(made)
        over_calls = is_covered(fact, moved)
        while at and (
            _is_beside(made[at - 1], gone) or (over_calls and made[at - 1].what[0] == "call")
        ):
            at -= 1
        last = made[at - 1] if at else fact
        if last is fact or last.side != ANSWER or last.what[0] != "text":
            made.append(fact._replace(what=("text", fact.what[1])))
        else:
            said, paths = last.what[1] + fact.what[1], (*last.paths, *fact.paths)
            made[at - 1] = last._replace(what=("text", said), paths=paths)
    return [fact for fact in made if fact.side != ANSWER or fact.what != ("text", "")]


def _is_beside(fact: Fact, gone: list[Any]) -> bool:
    if fact.side == ANSWER and fact.what[0] == "text":
        return False
    return fact.what[0] in BESIDE or any(
        path.startswith(loss.path) and covers(loss.path, path)
        for loss in gone
        for path in fact.paths
    )


def unexplained(
    source: str, before: dict[str, Any], target: str, after: dict[str, Any], losses: list[Any]
) -> list[str]:
    """What *after* lost or added without a word in the report, and what is reported wrongly."""
    old, new = comparable(
        (source, before), (target, after), in_one=target == JOINING, losses=losses
    )
    missing, added, moved = difference(old, new, losses)
    found = [
        f"said by another: {fact.what} at {fact.role_path}"
        for fact in moved
        if not is_moved_with_word(fact, losses)
    ]
    found += [
        f"lost: {fact.what} at {fact.paths[0]}" for fact in missing if not is_covered(fact, losses)
    ]
    found += [f"added: {fact.what}" for fact in added if not _is_told(fact, losses)]
    found += [
        f"no such path: {loss.path} ({loss.message})"
        for loss in losses
        if loss.code != "Default" and not exists(before, loss.path)
    ]
    found += [
        f"reported, yet nothing is lost: {loss}"
        for loss in losses
        if loss.code in ("Drop", "Clamp", "Conflict")
        and loss.severity != "None"
        and not any(covers(loss.path, path) for fact in missing for path in fact.paths)
        # Of equal marks in results whose order changed, another one may count as missing.
        and not (
            loss.path.endswith(".cache_control") and any(f.what[0] == "cache" for f in missing)
        )
    ]
    if target == "gemini" and re.search('"mode": "(ANY|NONE)"', json.dumps(after)):
        # A model that must call a function follows its schema; one that may call none needs none.
        found = [text for text in found if not text.startswith("lost: ('strict',")]
    return found


def _is_told(fact: Fact, losses: list[Any]) -> bool:
    telling = [loss for loss in losses if loss.code in ADDING]
    if fact.what == ("text", ""):
        return bool(losses)
    if fact.what[0] not in ("param", "stop"):
        return any(loss.code in ("Relocate", "Emulate", "Drop", "Default") for loss in losses)
    names = {re.split(r"[.\[]", loss.path)[0] for loss in telling}
    return any(fact.what[1] == name or fact.what[1] in MADE_BY.get(name, ()) for name in names)


def round_trip(
    request: dict[str, Any], source: str, model: str | None = None, target: str | None = None
) -> Trip:
    """Translate *request* to the other provider and back, and say what no report explains.

    *source* and *target*, by default the other provider, may be names of dialects.
    """
    target = OTHER[source] if target is None else target
    there = specado.translate(request, target, source=source, model=model)
    if there.dialect == JOINING:  # what is asked for needs this one of the provider's dialects
        target = JOINING
    between, sent = json.loads(there.body), there.body
    if target in IN_URL:  # the model and the way to answer stand in the URL
        in_url = {"model": there.model, "stream": IN_URL[target] in there.url}
        between = {**in_url, **between}
        sent = json.dumps(between).encode()
    model = request["model"]
    if source == "bedrock_converse":  # an ARN has a slash
        model = f"bedrock/{model}"
    back = specado.translate(sent, source, source=target, model=model)
    returned = json.loads(back.body)
    if source in IN_URL:
        returned["stream"] = IN_URL[source] in back.url
    found = [
        f"there, {text}"
        for text in unexplained(source, request, target, between, there.report.items)
    ]
    found += [
        f"back, {text}"
        for text in unexplained(target, between, source, returned, back.report.items)
    ]
    whole = _whole(((source, request), (target, between), (source, returned)))
    return Trip(there, back, found + whole)


def _whole(stations: tuple[tuple[str, dict[str, Any]], ...]) -> list[str]:
    """What the whole trip lost that neither of its ways did.

    The ways are held to the order: of equal facts that moved either may count as the moved one.
    """
    first, middle, last = comparable(*stations, in_one=any(name == JOINING for name, _ in stations))
    lost = {fact.what for fact in difference(first, middle, []).missing}
    lost |= {fact.what for fact in difference(middle, last, []).missing}
    gone = Counter(fact.what for fact in first) - Counter(fact.what for fact in last)
    return [f"there and back, lost: {what}" for what in gone if what not in lost]
