"""Builds the metadata of a call: `extensions.metadata` of its reply or stream."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from specado._core import dumps
from specado.errors import ConnectionFailedError

if TYPE_CHECKING:
    from specado.errors import ProviderError
    from specado.routing.attempts import CallHistory
    from specado.routing.plan import Candidate, Plan, Skipped
    from specado.types import ChatCompletionResponse

__all__ = ["is_stale", "not_asked", "note_broken_bounds", "of_call"]

STALE_CONNECTION_NOTE = (
    "connection: the server had closed an idle connection; the request was sent again on a new one"
)
UNSIGNED_NOTE = (
    "reasoning: the provider refused a signature or encrypted content of its answers; the request "
    "was sent again without them"
)
# At most this many broken bounds of one answer are named; the rest are counted.
MAX_NAMED_BREACHES = 10


def is_stale(error: ProviderError) -> bool:
    """Return whether an attempt failed only because the server had closed the idle connection."""
    return isinstance(error, ConnectionFailedError) and error.is_stale_connection


def not_asked(plan: Plan, history: CallHistory) -> list[Skipped]:
    """Return the candidates of a call that were not asked, and why."""
    return plan.skipped + history.skipped + history.not_asked(plan)


def of_call(
    plan: Plan, history: CallHistory, candidate: Candidate, *, latency_ms: float, simulated: bool
) -> dict[str, Any]:
    """Return the metadata of a call that *candidate* has answered."""
    index, waited_s = candidate.index, history.waited_s  # 0 is the candidate that was meant
    metadata: dict[str, Any] = {
        "primary_provider": plan.primary_provider,
        "fallback_provider": candidate.provider if index else plan.fallback_provider,
        "fallback_used": index > 0,
        "dialect": candidate.dialect.name,
        "attempts": history.attempts,
        "retry_delay_ms": round(waited_s * 1000, 3) if waited_s else 0.0,
        "latency_ms": latency_ms,
        "simulated": simulated,
    }
    if index:
        metadata["fallback_index"] = candidate.fallback_index
    notes = [UNSIGNED_NOTE] if history.is_unsigned else []
    if history.errors:
        failed = [error.message for error in history.errors if not is_stale(error)]
        if failed:
            metadata["provider_errors"] = failed
        if len(failed) < len(history.errors):
            notes.insert(0, STALE_CONNECTION_NOTE)
    if notes:
        metadata["reply_notes"] = notes
    skipped = not_asked(plan, history) if plan.ineligible or history.skipped or history.held else ()
    if skipped:
        metadata["skipped"] = [
            {"provider": each.provider, "model": each.model, "reason": each.reason}
            for each in skipped
        ]
    if candidate.encoded.losses:
        report = candidate.report
        if report is not None:
            metadata["lossiness"] = report
    return metadata


def note_broken_bounds(reply: ChatCompletionResponse, wanted: dict[str, Any]) -> None:
    """Add a note for each bound of its schema that an answer of *reply* breaks.

    *wanted* is the call's `response_format`. Only complete answers are checked: no refusal, no
    answer that was cut off or that calls tools. An answer that is not JSON gets no notes.
    """
    given = wanted.get("json_schema")
    if wanted.get("type") != "json_schema" or not isinstance(given, dict):
        return
    # Imported here: most calls ask for no schema.
    from specado.json_schema import has_bounds

    try:
        # As it was when it was sent: the caller's own dict may have changed since.
        schema = json.loads(dumps(given.get("schema")))
    except (ValueError, RecursionError):  # Python cannot read it back
        return
    if not has_bounds(schema):
        return
    notes: list[str] = []
    for choice in reply.choices:
        text = choice.message.content
        if choice.finish_reason == "stop" and isinstance(text, str) and not choice.message.refusal:
            where = f"choices[{choice.index}].message.content"
            notes.extend(f"{where}: {note}" for note in _breaches(schema, text))
    if notes:
        known = reply.extensions.metadata
        known["reply_notes"] = [*known.get("reply_notes", ()), *notes]


def _breaches(schema: Any, text: str) -> list[str]:
    """Return the notes on the bounds that an answer breaks."""
    from specado.json_schema import check_answer

    check = check_answer(schema, text)
    if check is None:
        return []
    notes = [str(breach) for breach in check.breaches[:MAX_NAMED_BREACHES]]
    more = len(check.breaches) - len(notes)
    if more:
        notes.append(f"breaks {more} more bounds of its schema")
    if not check.is_whole:
        notes.append("not all bounds of its schema were checked: too large or deep")
    return notes
