"""Decodes a provider's replies, and maps error replies and transport failures to errors."""

from __future__ import annotations

import math
import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import msgspec

from specado._core import (
    error_facts,
    unwrap_emulated,
)
from specado.catalog import lookup as catalog
from specado.dialects.registry import DIALECTS
from specado.errors import (
    MAX_QUOTED_CHARACTERS,
    ConnectionFailedError,
    DeadlineExceededError,
    MalformedResponseError,
    ProviderError,
    classify,
    redact,
)
from specado.settings.validators import close_matches

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from specado.transport import TransportFailure, WireReply
    from specado.types import ChatCompletionResponse

__all__ = [
    "error_from_failure",
    "error_from_reply",
    "parse_retry_after_s",
    "read_reply",
    "request_id_of",
]


BYTE_ORDER_MARK = b"\xef\xbb\xbf"


# An HTTP date has 29 characters, the obsolete forms up to 33 (RFC 9110, section 5.6.7).
MAX_DATE_CHARACTERS = 100


# A server closes an idle connection at its own time-out. A reset within this time after a request's
# last byte is such a close that crossed the request on the network.
STALE_CONNECTION_S = 1.0


# Failures caused by this machine or its setup: a retry cannot succeed.
LOCAL_KINDS = ("certificate", "resources")


# `float` also accepts "1_000", "infinity" and digits of other scripts, which no header may use.
_DECIMAL = re.compile(r"[ \t]*\+?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[ \t]*")


# The words that error messages of various servers use for a model.
_MODEL_WORD = re.compile(r"\b(?:model|deployment|engine)s?\b", re.IGNORECASE)


_PATH = re.compile(r"(?<![\w.-])/\S+")


NEAREST_MODEL_RATIO = 0.6


def read_reply(
    dialect: str,
    reply: WireReply,
    *,
    provider: str,
    model: str,
    emulated: bool,
    now_s: float,
    secrets: Iterable[str] = (),
) -> ChatCompletionResponse | ProviderError:
    """Return the completion in *reply*, or the error that it reports; never raises that error.

    `extensions.metadata["reply_notes"]` lists each repair of a reply that deviates from the
    provider's documentation.
    """
    if not 200 <= reply.status < 300:
        return error_from_reply(
            reply, provider=provider, model=model, now=_utc(now_s), secrets=secrets
        )
    body = reply.body[len(BYTE_ORDER_MARK) :] if reply.body[:3] == BYTE_ORDER_MARK else reply.body
    try:
        found, notes = DIALECTS[dialect].decode(body, provider, model, int(now_s))
    except MalformedResponseError as error:
        if _class_in_success(reply.body) is not None:
            return error_from_reply(
                reply, provider=provider, model=model, now=_utc(now_s), secrets=secrets
            )
        problem = _problem(error, reply.body, secrets)
        hint = _path_hint(provider) if reply.body.lstrip()[:1] == b"<" else ""
        return MalformedResponseError(
            f"{provider}/{model}: {problem} (HTTP {reply.status}){hint}",
            provider=provider,
            model=model,
            status_code=reply.status,
            code=error.code,
            request_id=request_id_of(reply.headers),
        )
    if emulated:
        unwrap_emulated(found)
    found.headers = reply.headers
    if notes:
        found.extensions.metadata["reply_notes"] = list(notes)
    return found


def _utc(now_s: float) -> datetime:
    return datetime.fromtimestamp(now_s, timezone.utc)


def _class_in_success(body: bytes) -> type[ProviderError] | None:
    """Return the error class of an error object in a reply of status 200, `None` without one.

    Some OpenAI-compatible servers send errors so; a numeric code is the intended HTTP status.
    """
    type_, code, message = error_facts(body)
    meant = int(code) if code is not None and code.isdecimal() and len(code) == 3 else None
    kind = classify(meant, type_, code, message or "")
    return None if kind is ProviderError else kind


def error_from_reply(
    reply: WireReply,
    *,
    provider: str,
    model: str,
    now: datetime,
    secrets: Iterable[str] = (),
) -> ProviderError:
    """Return the error that a reply reports, by its body and then its status."""
    type_, code, message = error_facts(reply.body)
    status = reply.status
    kind = classify(status, type_, code, message or "")
    if 200 <= status < 300:
        kind = _class_in_success(reply.body) or ProviderError
    hint = ""
    if status in (404, 405):
        about_model = code == "model_not_found" or _is_about_model(message or "", model)
        hint = _model_hint(provider, model, now) if about_model else _path_hint(provider)
    if message is None:
        message = _quoted(reply.body) or "the reply has no body"
        if 300 <= status < 400:
            message = "the provider redirects, which is never followed: check base_url"
    secrets = tuple(secrets)  # each iteration may compute them again
    text = redact(message, secrets)
    if len(text) > MAX_QUOTED_CHARACTERS:
        text = text[:MAX_QUOTED_CHARACTERS] + "…"
    named = code or type_
    if named is not None:
        named = redact(named, secrets)
    shown = f"HTTP {status}" + (f", {named[:80]}" if named else "")
    should_retry = {"true": True, "false": False}.get(reply.headers.get("x-should-retry", ""))
    return kind(
        f"{provider}/{model}: {text} ({shown}){hint}",
        provider=provider,
        model=model,
        status_code=status,
        code=named,
        retry_after_s=_retry_after_s(reply.headers, now),
        retryable=kind.retryable and should_retry is not False,
        request_id=request_id_of(reply.headers) or _request_id_in(reply.body),
        should_retry=should_retry,
    )


def _is_about_model(message: str, model: str) -> bool:
    """Return whether the message of a 404 concerns the model and not the path."""
    words = _PATH.sub("", message)  # a path may hold the model, or the word
    return bool((model and model in words) or _MODEL_WORD.search(words))


def _path_hint(provider: str) -> str:
    """Return a hint to check `base_url`, for a reply that is not from the provider's API."""
    known = catalog.provider(provider)
    of_dialect = catalog.provider(
        "anthropic" if known is not None and known.dialect == "anthropic_messages" else "openai"
    )
    if known is None or of_dialect is None:
        return "; check base_url"
    return (
        f"; check base_url: {known.path} is added to it "
        f"({of_dialect.title}'s is {of_dialect.base_url})"
    )


def _model_hint(provider: str, model: str, now: datetime) -> str:
    """Return a hint with the known model whose id is most similar to an unknown one."""
    known = catalog.provider(provider)
    if known is None or not model or known.find(model) is not None:
        return ""
    current = [
        name
        for each in known.models.values()
        if not each.is_retired(now.date())
        for name in (each.id, *each.aliases)
    ]
    near = close_matches(model.lower(), current, NEAREST_MODEL_RATIO)
    return f"; the nearest model known for {provider!r} is {near[0]!r}" if near else ""


def error_from_failure(
    failure: TransportFailure, *, provider: str, model: str, secrets: Iterable[str] = ()
) -> ProviderError:
    """Return the error for a transport failure.

    The error of a `reset` says whether the connection was reused or stale. `certificate` and
    `resources` are not retryable.
    """
    kind: type[ProviderError] = ConnectionFailedError
    facts: dict[str, bool] = {}
    if failure.kind == "timeout":
        kind = DeadlineExceededError
    elif failure.kind in ("truncated", "protocol", "too_large"):
        kind = MalformedResponseError
    elif failure.kind in LOCAL_KINDS:
        facts["retryable"] = False
    elif failure.kind == "reset" and failure.is_reused:
        facts["is_reused_connection"] = True
        if failure.since_written_s is None or failure.since_written_s <= STALE_CONNECTION_S:
            facts["is_stale_connection"] = True
    return kind(
        f"{provider}/{model}: {redact(str(failure), secrets)[:MAX_QUOTED_CHARACTERS]}",
        provider=provider,
        model=model,
        code=failure.kind,
        sent=failure.sent,
        **facts,
    )


def _problem(error: MalformedResponseError, body: bytes, secrets: Iterable[str]) -> str:
    """Return what is malformed in a reply, with the server's error message if it has one."""
    message = error_facts(body)[2]
    if message is None:
        return error.message
    return f"{error.message}: {redact(message, secrets)[:MAX_QUOTED_CHARACTERS]}"


def _quoted(body: bytes) -> str:
    text = body[: 4 * MAX_QUOTED_CHARACTERS].decode("utf-8", "replace")
    return " ".join(text.split())


def request_id_of(headers: Mapping[str, str]) -> str | None:
    """Return the provider's id of a request, by either provider's header."""
    return headers.get("x-request-id") or headers.get("request-id")


class _Identified(msgspec.Struct):
    request_id: str


def _request_id_in(body: bytes) -> str | None:
    """Return the `request_id` at the top level of Anthropic's error bodies."""
    try:
        return msgspec.json.decode(body, type=_Identified).request_id
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the delay that the headers ask for, in seconds; `retry-after-ms` comes first."""
    milliseconds = headers.get("retry-after-ms")
    if milliseconds is not None:
        value = _finite(milliseconds)
        if value is not None:
            return value / 1000
    seconds = headers.get("retry-after")
    return None if seconds is None else parse_retry_after_s(seconds, now, headers.get("date", ""))


def _finite(text: str) -> float | None:
    if not _DECIMAL.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def parse_retry_after_s(value: str, now: datetime, date: str = "") -> float | None:
    """Return the delay that a Retry-After header asks for, in seconds.

    *value* is delay-seconds (fractions allowed) or an HTTP date (RFC 9110, section 10.2.3). A
    date is measured by the server's clock, the reply's `Date` header in *date*; by ours, *now*,
    where that is no date. One in the past gives 0.0, one without a zone is in UTC; text that is
    neither a date nor a number from 0 gives None.
    """
    found = _finite(value)
    if found is not None:
        return found
    until = _date(value)
    return None if until is None else max(0.0, (until - (_date(date) or now)).total_seconds())


def _date(value: str) -> datetime | None:
    """Return the time of an HTTP date, `None` for text that is no date."""
    if len(value) > MAX_DATE_CHARACTERS:
        return None
    # Imported here: it loads many modules, and dates are rare in this header.
    from email.utils import parsedate_to_datetime

    try:
        date = parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return date.replace(tzinfo=timezone.utc) if date.tzinfo is None else date
