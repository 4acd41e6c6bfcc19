"""Anthropic messages dialect."""

from __future__ import annotations

from specado._core import (
    AnthropicStream,
    AnthropicStreamEncoder,
    decode_anthropic_reply,
    encode_anthropic_reply,
)
from specado._core.anthropic_messages.loss_rows import ROW_IDS
from specado.dialects.anthropic_messages.error_encoder import encode_anthropic_error
from specado.dialects.anthropic_messages.errors import ERRORS, REQUEST_ID_HEADERS, decode_error
from specado.dialects.anthropic_messages.fields import (
    REQUEST_FIELDS,
    REQUEST_PARAMETERS,
    SOURCE_FIELDS,
    SOURCE_MEMBERS,
)
from specado.dialects.anthropic_messages.requests import (
    NAME,
    decode_request,
    encode_request,
)
from specado.dialects.contract import Dialect
from specado.losses.rows import check_row_ids
from specado.settings.parameters import PARAMETERS

__all__ = ["DIALECT"]


def _path(_model: str, _is_stream: bool) -> str:
    return "/v1/messages"


def _stream_encoder(*, include_usage: bool = False) -> AnthropicStreamEncoder:  # noqa: ARG001
    return AnthropicStreamEncoder()  # its streams always have the usage


check_row_ids(ROW_IDS, "specado._core.anthropic_messages.loss_rows")

DIALECT = Dialect(
    name=NAME,
    provider="anthropic",
    path=_path,
    framing="sse",
    request_fields=REQUEST_FIELDS,
    source_fields=SOURCE_FIELDS,
    members=SOURCE_MEMBERS,
    parameters=frozenset(name for name in PARAMETERS if REQUEST_PARAMETERS.get(name, True) is None),
    errors=ERRORS,
    request_id_headers=REQUEST_ID_HEADERS,
    reply_members=frozenset({"content"}),
    encode_request=encode_request,
    decode_reply=decode_anthropic_reply,
    stream_decoder=AnthropicStream,
    decode_error=decode_error,
    decode_request=decode_request,
    encode_reply=encode_anthropic_reply,
    stream_encoder=_stream_encoder,
    encode_error=encode_anthropic_error,
)
