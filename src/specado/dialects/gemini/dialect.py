"""Google Gemini dialect: `generateContent` and `streamGenerateContent`."""

from __future__ import annotations

from specado._core import (
    GeminiStream,
    GeminiStreamEncoder,
    decode_gemini_reply,
    encode_gemini_reply,
)
from specado._core.gemini.loss_rows import ROW_IDS
from specado.dialects.contract import Dialect
from specado.dialects.gemini.error_encoder import encode_gemini_error
from specado.dialects.gemini.errors import ERRORS, REQUEST_ID_HEADERS, decode_error
from specado.dialects.gemini.fields import REQUEST_FIELDS, REQUEST_PARAMETERS
from specado.dialects.gemini.request_decoder import decode_request
from specado.dialects.gemini.requests import NAME, encode_request, path
from specado.dialects.gemini.source_fields import SOURCE_FIELDS, SOURCE_MEMBERS
from specado.losses.rows import check_row_ids
from specado.settings.parameters import PARAMETERS

__all__ = ["DIALECT"]


def _stream_encoder(*, include_usage: bool = False) -> GeminiStreamEncoder:  # noqa: ARG001
    return GeminiStreamEncoder()  # its streams always have the usage


check_row_ids(ROW_IDS, "specado._core.gemini.loss_rows")

DIALECT = Dialect(
    name=NAME,
    provider="gemini",
    path=path,
    framing="sse",
    request_fields=REQUEST_FIELDS,
    source_fields=SOURCE_FIELDS,
    members=SOURCE_MEMBERS,
    nested_members=frozenset({"generationConfig", "toolConfig"}),
    parameters=frozenset(name for name in PARAMETERS if REQUEST_PARAMETERS.get(name, True) is None),
    errors=ERRORS,
    request_id_headers=REQUEST_ID_HEADERS,
    reply_members=frozenset({"candidates", "promptFeedback"}),
    binding_members=frozenset({"cachedContent", "cached_content"}),
    encode_request=encode_request,
    decode_reply=decode_gemini_reply,
    stream_decoder=GeminiStream,
    decode_error=decode_error,
    decode_request=decode_request,
    encode_reply=encode_gemini_reply,
    stream_encoder=_stream_encoder,
    encode_error=encode_gemini_error,
)
