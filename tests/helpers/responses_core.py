"""The compiled encoder of Responses requests, with the dialect's field table."""

from __future__ import annotations

import json
from typing import Any

from specado import _core
from specado.catalog import lookup as catalog
from specado.dialects.contract import Target
from specado.dialects.openai_responses.fields import REQUEST_PARAMETERS

__all__ = ["OPENAI", "TAG", "encode_responses_request", "encoded", "items_of"]

TAG = "0123456789abcdef"
OPENAI = Target("openai", TAG, frozenset())


def encode_responses_request(
    conversation: Any,
    model: Any,
    params: dict[str, Any],
    facts: Any = None,
    rules: Any = None,
    target: Any = None,
) -> tuple[bytes, list[Any]]:
    found = _core.encode_responses_request(
        conversation, model, params, facts, REQUEST_PARAMETERS, rules, target
    )
    return found[:2]


def encoded(
    messages: Any, model: str = "m", *, known: bool = False, rules: Any = None, **params: Any
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Return the body and the rows and paths of the losses; *known*: by the catalog's facts."""
    facts = catalog.find_model("openai", model) if known else None
    assert facts is not None or not known
    body, losses = encode_responses_request(_core.normalize(messages), model, params, facts, rules)
    return json.loads(body), [(row, path) for row, path, _, _ in losses]


def items_of(*messages: Any) -> list[Any]:
    """Return the input items of messages."""
    found: list[Any] = encoded(list(messages))[0]["input"]
    return found
