"""What a reply's `extensions.metadata` say of the call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from specado.errors import ConnectionFailedError

if TYPE_CHECKING:
    from specado.errors import ProviderError
    from specado.routing.attempts import CallHistory
    from specado.routing.plan import Candidate, Plan, Skipped

__all__ = ["is_stale", "not_asked", "of_call"]

STALE_CONNECTION_NOTE = (
    "connection: the server had closed an idle connection; the request was sent again on a new one"
)


def is_stale(error: ProviderError) -> bool:
    """Return whether an attempt failed on an idle connection only: nothing else did."""
    return isinstance(error, ConnectionFailedError) and error.is_stale_connection


def not_asked(plan: Plan, history: CallHistory) -> list[Skipped]:
    """Return the candidates of a call that were not asked, and why."""
    return plan.skipped + history.skipped + history.not_asked(plan)


def of_call(
    plan: Plan, history: CallHistory, candidate: Candidate, *, latency_ms: float, simulated: bool
) -> dict[str, Any]:
    """Return what is known of a call when *candidate* has answered."""
    index = candidate.fallback_index
    waited_s = history.waited_s
    metadata: dict[str, Any] = {
        "primary_provider": plan.primary_provider,
        "fallback_provider": plan.fallback_provider if index is None else candidate.provider,
        "fallback_used": index is not None,
        "attempts": history.attempts,
        "retry_delay_ms": round(waited_s * 1000, 3) if waited_s else 0.0,
        "latency_ms": latency_ms,
        "simulated": simulated,
    }
    if index is not None:
        metadata["fallback_index"] = index
    if history.errors:
        failed = [error.message for error in history.errors if not is_stale(error)]
        if failed:
            metadata["provider_errors"] = failed
        if len(failed) < len(history.errors):
            metadata["reply_notes"] = [STALE_CONNECTION_NOTE]
    skipped = not_asked(plan, history)
    if skipped:
        metadata["skipped"] = [
            {"provider": each.provider, "model": each.model, "reason": each.reason}
            for each in skipped
        ]
    report = candidate.report
    if report is not None:
        metadata["lossiness"] = report
    return metadata
