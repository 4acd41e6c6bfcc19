"""Encodes and decodes OpenAI Responses requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from specado._core import Conversation, encode_responses_request
from specado.dialects.contract import DecodedRequest, Encoded, Target
from specado.dialects.openai_responses.fields import REQUEST_PARAMETERS

if TYPE_CHECKING:
    from specado.catalog.lookup import Model, RequestRules

__all__ = ["NAME", "encode_request"]

NAME = "openai_responses"


def encode_request(
    conversation: Conversation,
    model: str,
    parameters: dict[str, Any],
    facts: Optional[Model],
    rules: RequestRules,
    source: Optional[DecodedRequest] = None,
    target: Optional[Target] = None,
) -> Encoded:
    """Return the encoded request body; see `specado.dialects.contract.EncodeRequest`."""
    return Encoded(
        *encode_responses_request(
            conversation, model, parameters, facts, REQUEST_PARAMETERS, rules, target
        )
    )
