"""Errors with every fact set, in a module that another process can import."""

from __future__ import annotations

from specado.errors import RateLimitError, SpecadoError


def full(kind: type[SpecadoError]) -> SpecadoError:
    inner = RateLimitError("inner", provider="openai", status_code=429)
    return kind("outer", errors=[inner], retry_after_s=1.5, index=3, key="k", report={"a": 1})


def raise_one(kind: type[SpecadoError]) -> None:
    raise full(kind)
