"""OpenAI chat completions dialect, which is the canonical form."""

from __future__ import annotations

from specado._core import (
    OpenAIStream,
    OpenAIStreamEncoder,
    decode_openai_reply,
    encode_openai_reply,
)
from specado._core.openai_chat.loss_rows import ROW_IDS
from specado.dialects.contract import Dialect
from specado.dialects.error_objects import decode_error_object
from specado.dialects.openai_chat.error_encoder import encode_openai_error
from specado.dialects.openai_chat.errors import ERRORS, REQUEST_ID_HEADERS
from specado.dialects.openai_chat.fields import REQUEST_FIELDS, SOURCE_FIELDS
from specado.dialects.openai_chat.requests import MEMBERS, NAME, decode_request, encode_request
from specado.losses.rows import check_row_ids
from specado.settings.parameters import PARAMETERS

__all__ = ["DIALECT"]


def _path(_model: str, _is_stream: bool) -> str:
    return "/chat/completions"


check_row_ids(ROW_IDS, "specado._core.openai_chat.loss_rows")

DIALECT = Dialect(
    name=NAME,
    provider="openai",
    path=_path,
    framing="sse",
    request_fields=REQUEST_FIELDS,
    source_fields=SOURCE_FIELDS,
    members=MEMBERS,
    parameters=frozenset(PARAMETERS),
    errors=ERRORS,
    request_id_headers=REQUEST_ID_HEADERS,
    reply_members=frozenset({"choices"}),
    encode_request=encode_request,
    decode_reply=decode_openai_reply,
    stream_decoder=OpenAIStream,
    decode_error=decode_error_object,
    decode_request=decode_request,
    encode_reply=encode_openai_reply,
    stream_encoder=OpenAIStreamEncoder,
    encode_error=encode_openai_error,
)
