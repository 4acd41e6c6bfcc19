"""OpenAI Responses dialect."""

from __future__ import annotations

from specado._core import (
    ResponsesStream,
    ResponsesStreamEncoder,
    decode_responses_reply,
    encode_responses_reply,
)
from specado._core.openai_responses.loss_rows import ROW_IDS
from specado._core.openai_responses.server_loss_rows import ROW_IDS as SERVER_ROW_IDS
from specado.dialects.contract import Dialect
from specado.dialects.error_objects import decode_error_object
from specado.dialects.openai_responses.error_encoder import encode_responses_error
from specado.dialects.openai_responses.errors import ERRORS, REQUEST_ID_HEADERS
from specado.dialects.openai_responses.fields import (
    REQUEST_FIELDS,
    REQUEST_PARAMETERS,
    SOURCE_FIELDS,
)
from specado.dialects.openai_responses.requests import NAME, decode_request, encode_request
from specado.dialects.openai_responses.source_fields import SOURCE_MEMBERS
from specado.losses.rows import check_row_ids
from specado.settings.parameters import PARAMETERS

__all__ = ["DIALECT"]


def _path(_model: str, _is_stream: bool) -> str:
    return "/responses"


def _stream_encoder(*, include_usage: bool = False) -> ResponsesStreamEncoder:  # noqa: ARG001
    return ResponsesStreamEncoder()  # its streams always have the usage


check_row_ids(ROW_IDS, "specado._core.openai_responses.loss_rows")
check_row_ids(SERVER_ROW_IDS, "specado._core.openai_responses.server_loss_rows")

DIALECT = Dialect(
    name=NAME,
    provider="openai",
    path=_path,
    framing="sse",
    request_fields=REQUEST_FIELDS,
    source_fields=SOURCE_FIELDS,
    members=SOURCE_MEMBERS,
    parameters=frozenset(name for name in PARAMETERS if REQUEST_PARAMETERS.get(name, True) is None),
    errors=ERRORS,
    request_id_headers=REQUEST_ID_HEADERS,
    reply_members=frozenset({"output"}),
    binding_members=frozenset({"conversation", "previous_response_id", "prompt", "store"}),
    encode_request=encode_request,
    decode_reply=decode_responses_reply,
    stream_decoder=ResponsesStream,
    decode_error=decode_error_object,
    decode_request=decode_request,
    encode_reply=encode_responses_reply,
    stream_encoder=_stream_encoder,
    encode_error=encode_responses_error,
)
