"""Amazon Bedrock dialect: `Converse` and `ConverseStream`."""

from __future__ import annotations

from specado._core import (
    BedrockStream,
    BedrockStreamEncoder,
    decode_bedrock_reply,
    encode_bedrock_reply,
)
from specado._core.bedrock_converse.loss_rows import ROW_IDS
from specado.dialects.bedrock_converse.error_encoder import encode_bedrock_error
from specado.dialects.bedrock_converse.errors import ERRORS, REQUEST_ID_HEADERS, decode_error
from specado.dialects.bedrock_converse.fields import REQUEST_FIELDS, REQUEST_PARAMETERS
from specado.dialects.bedrock_converse.request_decoder import decode_request
from specado.dialects.bedrock_converse.requests import NAME, encode_request, path
from specado.dialects.bedrock_converse.source_fields import SOURCE_FIELDS, SOURCE_MEMBERS
from specado.dialects.contract import Dialect
from specado.losses.rows import check_row_ids
from specado.settings.parameters import PARAMETERS

__all__ = ["DIALECT"]


def _stream_encoder(*, include_usage: bool = False) -> BedrockStreamEncoder:  # noqa: ARG001
    return BedrockStreamEncoder()  # its streams always have the usage


check_row_ids(ROW_IDS, "specado._core.bedrock_converse.loss_rows")

DIALECT = Dialect(
    name=NAME,
    provider="bedrock",
    path=path,
    framing="aws_event_stream",
    request_fields=REQUEST_FIELDS,
    source_fields=SOURCE_FIELDS,
    members=SOURCE_MEMBERS,
    nested_members=frozenset(
        {"additionalModelRequestFields", "inferenceConfig", "outputConfig", "toolConfig"}
    ),
    parameters=frozenset(name for name in PARAMETERS if REQUEST_PARAMETERS.get(name, True) is None),
    errors=ERRORS,
    request_id_headers=REQUEST_ID_HEADERS,
    reply_id_header=REQUEST_ID_HEADERS[0],
    reply_members=frozenset({"stopReason"}),
    encode_request=encode_request,
    decode_reply=decode_bedrock_reply,
    stream_decoder=BedrockStream,
    decode_error=decode_error,
    decode_request=decode_request,
    encode_reply=encode_bedrock_reply,
    stream_encoder=_stream_encoder,
    encode_error=encode_bedrock_error,
)
