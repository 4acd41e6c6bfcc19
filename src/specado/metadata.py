"""What a reply's `extensions.metadata` say of the call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from specado.routing.attempts import Course
    from specado.routing.plan import Candidate, Plan, Skipped

__all__ = ["not_asked", "of_call"]


def not_asked(plan: Plan, course: Course) -> list[Skipped]:
    """Return the candidates of a call that were not asked, and why."""
    return plan.skipped + course.skipped + course.not_asked()


def of_call(
    plan: Plan, course: Course, candidate: Candidate, *, latency_ms: float, simulated: bool
) -> dict[str, Any]:
    """Return what is known of a call when *candidate* has answered."""
    index = candidate.fallback_index
    waited_s = course.waited_s
    metadata: dict[str, Any] = {
        "primary_provider": plan.primary_provider,
        "fallback_provider": plan.fallback_provider if index is None else candidate.provider,
        "fallback_used": index is not None,
        "attempts": course.attempts,
        "retry_delay_ms": round(waited_s * 1000, 3) if waited_s else 0.0,
        "latency_ms": latency_ms,
        "simulated": simulated,
    }
    if index is not None:
        metadata["fallback_index"] = index
    if course.errors:
        metadata["provider_errors"] = [error.message for error in course.errors]
    skipped = not_asked(plan, course)
    if skipped:
        metadata["skipped"] = [
            {"provider": each.provider, "model": each.model, "reason": each.reason}
            for each in skipped
        ]
    report = candidate.report
    if report is not None:
        metadata["lossiness"] = report
    return metadata
