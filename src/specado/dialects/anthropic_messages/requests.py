"""Encodes and decodes Anthropic messages requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional, Union

import msgspec
from msgspec.structs import asdict, replace

from specado._core import Conversation, encode_anthropic_request, read_anthropic_request
from specado.catalog import lookup as catalog
from specado.catalog.lookup import Traits
from specado.dialects.anthropic_messages.fields import (
    REQUEST_PARAMETERS,
    SERVER_BLOCKS,
    SOURCE_MEMBERS,
    SOURCE_PARAMETERS,
)
from specado.dialects.anthropic_messages.model_change import change_model
from specado.dialects.contract import DecodedRequest, Encoded, Target
from specado.dialects.request_text import checked_model, decode_json, read_request
from specado.settings.parameters import PARAMETERS

if TYPE_CHECKING:
    from specado.catalog.lookup import Model, RequestRules

__all__ = ["decode_request", "encode_request"]

NAME = "anthropic_messages"
# Members with the same name and type in the canonical form.
SAME_IN_CANONICAL_FORM = ("max_tokens", "temperature", "top_p", "stream", "service_tier")


class _Block(msgspec.Struct):
    """The raw input of a content block; empty if the block has none."""

    input: msgspec.Raw = msgspec.Raw(b"")


class _Turn(msgspec.Struct):
    """The content of a message."""

    content: Union[str, list[_Block], None] = None


class _Inputs(msgspec.Struct):
    """The part of a request that holds the raw inputs of tool calls."""

    messages: list[_Turn]


def encode_request(
    conversation: Conversation,
    model: str,
    parameters: dict[str, Any],
    facts: Optional[Model],
    rules: RequestRules,  # noqa: ARG001 - no manifest of this dialect has any
    source: Optional[DecodedRequest] = None,
    target: Optional[Target] = None,
) -> Encoded:
    """Return the encoded request body; see `specado.dialects.contract.EncodeRequest`.

    A *source* in this dialect is adapted to the model, and keeps the fields that the canonical
    form lacks.
    """
    if source is not None and source.dialect == NAME:
        return change_model(source, model, facts)
    known = _assumed_facts(model) if facts is None else facts
    is_assumed = known is not facts
    return Encoded(
        *encode_anthropic_request(
            conversation, model, parameters, known, REQUEST_PARAMETERS, is_assumed, target
        )
    )


def _assumed_facts(model: str) -> Model | None:
    """Return what is assumed of a Claude model that no manifest has, `None` for another model.

    It takes what the newest family takes. What that family refuses is not known to be refused.
    """
    provider = catalog.provider("anthropic") if "claude" in model else None
    if provider is None or not provider.models:
        return None
    newest = max(provider.models.values(), key=lambda each: each.release_date or "")
    taken = {name: value for name, value in asdict(newest.traits).items() if value is not False}
    return replace(
        newest,
        features=None,
        input_modalities=None,
        output_modalities=None,
        traits=Traits(**{**taken, "max_tokens_parameter": None, "system_role": None}),
    )


def decode_request(request: Any) -> DecodedRequest:
    """Return a messages request (a dict or JSON text) in the canonical form.

    In a request from JSON text the inputs of tool calls are raw JSON: they are sent unchanged.

    Raises:
        MessageFormatError: the request is not well formed.
        ConfigurationError: the request names no model.
    """
    given = read_request(request, SOURCE_MEMBERS, _decode)
    for name in SAME_IN_CANONICAL_FORM:
        if given.get(name) is not None:
            PARAMETERS[name](name, given[name])
    conversation, parameters, losses, places = read_anthropic_request(
        dict(given), SOURCE_PARAMETERS, SERVER_BLOCKS
    )
    places["parameters"] = ".input_schema"
    model = checked_model(given.get("model"))
    return DecodedRequest(NAME, given, model, conversation, parameters, losses, places)


def _decode(text: Any) -> Any:
    found = decode_json(text)
    if isinstance(found, dict):
        _keep_inputs(found, text)
    return found


def _keep_inputs(found: dict[str, Any], text: Any) -> None:
    """Replace the inputs of tool calls by their raw JSON in *text*, the source of *found*."""
    try:
        turns = msgspec.json.decode(text, type=_Inputs).messages
    except msgspec.ValidationError:
        return  # another form: the decoder reports the error
    for turn, message in zip(turns, found["messages"]):
        if isinstance(turn.content, list):
            for block, given in zip(turn.content, message["content"]):
                if given.get("type") == "tool_use" and isinstance(given.get("input"), dict):
                    given["input"] = block.input
