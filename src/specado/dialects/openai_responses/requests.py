"""Encodes and decodes OpenAI Responses requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from specado._core import Conversation, encode_responses_request
from specado.dialects.contract import DecodedRequest, Encoded, Target
from specado.dialects.openai_responses.fields import REQUEST_PARAMETERS
from specado.dialects.openai_responses.model_change import change_model
from specado.dialects.openai_responses.request_decoder import NAME, decode_request

if TYPE_CHECKING:
    from specado.catalog.lookup import Model, RequestRules

__all__ = ["NAME", "decode_request", "encode_request"]


def encode_request(
    conversation: Conversation,
    model: str,
    parameters: dict[str, Any],
    facts: Optional[Model],
    rules: RequestRules,
    source: Optional[DecodedRequest] = None,
    target: Optional[Target] = None,
) -> Encoded:
    """Return the encoded request body; see `specado.dialects.contract.EncodeRequest`.

    A *source* in this dialect is adapted to the model, and keeps the fields that the canonical
    form lacks.
    """
    if source is not None and source.dialect == NAME:
        return change_model(source, model, facts)
    return Encoded(
        *encode_responses_request(
            conversation, model, parameters, facts, REQUEST_PARAMETERS, rules, target
        )
    )
