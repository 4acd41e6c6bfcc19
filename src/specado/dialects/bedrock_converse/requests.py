"""Encodes Bedrock Converse requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional
from urllib.parse import quote

from specado._core import Conversation, encode_bedrock_request
from specado.dialects.bedrock_converse.fields import REQUEST_PARAMETERS
from specado.dialects.bedrock_converse.model_change import change_model
from specado.dialects.contract import DecodedRequest, Encoded, Target

if TYPE_CHECKING:
    from specado.catalog.lookup import Model, RequestRules

__all__ = ["NAME", "encode_request", "path"]

NAME = "bedrock_converse"


def path(model: str, is_stream: bool) -> str:
    """Return the path of a request after the base URL; the model is one encoded segment of it.

    A model is an id, an inference profile or an ARN: its colons and slashes are encoded.
    """
    method = "converse-stream" if is_stream else "converse"
    return f"/model/{quote(model, safe='{}')}/{method}"


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
        return change_model(source, model, facts, rules)
    return Encoded(
        *encode_bedrock_request(conversation, model, parameters, facts, REQUEST_PARAMETERS, target)
    )
