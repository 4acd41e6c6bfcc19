"""Decodes a provider's whole reply into a completion, or into the error that it reports."""

from __future__ import annotations

import functools
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from msgspec.structs import replace

from specado._core import ReportedFailure, unwrap_emulated
from specado._core.finish_reasons import stop_beside_calls
from specado.dialects.errors import (
    ReplySource,
    error_from_reply,
    error_in_success,
    path_hint,
    reported_error,
)
from specado.dialects.tool_names import restore_tool_names
from specado.errors import MAX_QUOTED_CHARACTERS, MalformedResponseError, ProviderError
from specado.transport import WireReply

if TYPE_CHECKING:
    from specado.types import ChatCompletionResponse

__all__ = ["BYTE_ORDER_MARK", "add_tag", "address_tag", "read_reply"]

TAG_DIGITS = 16
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_reply(
    source: ReplySource,
    reply: WireReply,
    *,
    answer_tool: str | None,
    tool_names: dict[str, str] | None = None,
    now_s: float,
    stop_means_calls: bool = False,
) -> ChatCompletionResponse | ProviderError:
    """Return the completion in *reply*, or the error that it reports; never raises that error.

    *answer_tool* names the forced tool whose input is the answer, where structured output is
    emulated. *tool_names* are as in `Encoded`. *stop_means_calls*: `stop` beside tool calls is read
    as `tool_calls`.
    `extensions.metadata["reply_notes"]` lists each repair of a reply that deviates from the
    provider's documentation.
    """
    if not 200 <= reply.status < 300:
        return error_from_reply(source, reply, _utc(now_s))
    body = reply.body[len(BYTE_ORDER_MARK) :] if reply.body[:3] == BYTE_ORDER_MARK else reply.body
    try:
        found, notes = source.dialect.decode_reply(body, source.provider, source.model, int(now_s))
    except ReportedFailure as failure:
        reported = WireReply(reply.status, reply.headers, failure.body)
        return reported_error(source, reported, _utc(now_s))
    except MalformedResponseError as error:
        return error_in_success(source, reply, _utc(now_s)) or _malformed(source, reply, error)
    if source.dialect.reply_id_header:
        found.id = reply.headers.get(source.dialect.reply_id_header, "")
    if answer_tool is not None:
        unwrap_emulated(found)
    if stop_means_calls:
        _read_stop(found, notes)
    if tool_names is not None:
        restore_tool_names(found, tool_names)
    add_tag(found, source.base_url)
    found.headers = reply.headers
    if notes:
        found.extensions.metadata["reply_notes"] = list(notes)
    return found


def _read_stop(found: ChatCompletionResponse, notes: list[str]) -> None:
    """Read `stop` beside tool calls as `tool_calls`, with a note."""
    for choice in found.choices:
        if choice.finish_reason == "stop" and choice.message.tool_calls:
            choice.finish_reason = "tool_calls"
            notes.append(stop_beside_calls(choice.index))


def add_tag(reply: ChatCompletionResponse, base_url: str) -> None:
    """Note in the records of a reply's answers the address from which they came."""
    for choice in reply.choices:
        native = choice.message.native
        if native is not None:
            choice.message.native = replace(native, tag=address_tag(base_url))


@functools.lru_cache(maxsize=256)
def address_tag(base_url: str) -> str:
    """Return a hash of an address, by which it can be recognised and not be read."""
    # Imported where it is used: it loads OpenSSL.
    import hashlib

    return hashlib.sha256(base_url.encode()).hexdigest()[:TAG_DIGITS]


def _utc(now_s: float) -> datetime:
    return datetime.fromtimestamp(now_s, timezone.utc)


def _malformed(
    source: ReplySource, reply: WireReply, error: MalformedResponseError
) -> MalformedResponseError:
    """Return *error* with the facts of the reply, and the server's error message if it has one."""
    problem, status = error.message, reply.status
    message = source.dialect.decode_error(status, reply.headers, reply.body).message
    if message is not None:
        problem += f": {source.redacted(message)[:MAX_QUOTED_CHARACTERS]}"
    hint = path_hint(source) if reply.body.lstrip()[:1] == b"<" else ""
    return source.error(
        MalformedResponseError,
        f"{problem} (HTTP {status}){hint}",
        code=error.code,
        **source.facts_of(status, reply.headers, reply.body),
    )
