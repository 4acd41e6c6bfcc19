"""Maps error replies and transport failures to the library's errors, for every dialect."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Optional, TypeVar

import msgspec
from msgspec.structs import replace

from specado.catalog import lookup as catalog
from specado.catalog.manifests import ERROR_CLASSES, NO_ERRORS
from specado.dialects.contract import Dialect, ErrorFacts, ErrorTable
from specado.dialects.registry import DIALECTS, errors_of
from specado.errors import (
    MAX_QUOTED_CHARACTERS,
    AuthenticationError,
    ConnectionFailedError,
    DeadlineExceededError,
    InvalidRequestError,
    MalformedResponseError,
    ModelNotFoundError,
    OverloadedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    redact,
)
from specado.settings.validators import close_matches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from specado.catalog.manifests import ProviderErrors
    from specado.transport import TransportFailure, WireReply

__all__ = [
    "ReplySource",
    "classify",
    "error_from_failure",
    "error_from_reply",
    "error_in_success",
    "error_table",
    "names_expired",
    "parse_retry_after_s",
    "path_hint",
    "refuses_signed",
    "reported_error",
]

Error = TypeVar("Error", bound=ProviderError)

# The class of an error whose codes and types say nothing. The statuses up to 504 are those of HTTP
# (RFC 9110); 529 is an overload at several providers, 498 a lack of capacity at Groq.
_BY_STATUS: dict[int, type[ProviderError]] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    402: QuotaExceededError,
    403: AuthenticationError,
    404: ModelNotFoundError,
    408: ServerError,
    409: ServerError,
    413: InvalidRequestError,
    422: InvalidRequestError,
    429: RateLimitError,
    498: OverloadedError,
    500: ServerError,
    502: ServerError,
    503: OverloadedError,
    504: ServerError,
    529: OverloadedError,
}

# An HTTP date has 29 characters, the obsolete forms up to 33 (RFC 9110, section 5.6.7).
MAX_DATE_CHARACTERS = 100

# A server closes an idle connection at its own time-out. A reset within this time after a request's
# last byte is such a close that crossed the request on the network.
STALE_CONNECTION_S = 1.0

# Failures caused by this machine or its setup: a retry cannot succeed.
LOCAL_KINDS = ("certificate", "resources")

NEAREST_MODEL_RATIO = 0.6

# Bounds of `ProviderError.body`: bytes that are decoded and redacted, characters that are kept.
MAX_READ_BYTES = 64_000
MAX_BODY_CHARACTERS = 8_000

# The patterns are compiled at their first use, which few programs come to.
# Headers that hold a credential or a session. (`x-ratelimit-remaining-tokens` does not.)
_CONFIDENTIAL_HEADER = (
    r"(?i)cookie|authorization|authentication-info|api-?key|secret|passw|credential|token$"
)
# JSON may write a visible ASCII character as an escape, which would hide a key from redaction.
_ESCAPED = r"\\(?:\\|/|u00[2-7][0-9a-fA-F])"

# `float` also accepts "1_000", "infinity" and digits of other scripts, which no header may use.
_DECIMAL = r"[ \t]*\+?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[ \t]*"

# The words that error messages of various servers use for a model.
_MODEL_WORD = r"(?i)\b(?:model|deployment|engine)s?\b"
_STATUS = "[45][0-9][0-9]"
_PATH = r"(?<![\w.-])/\S+"


class ReplySource(msgspec.Struct, frozen=True):
    """Provider, model and dialect of a request, for the errors that its reply reports.

    `secrets` are redacted in error messages.
    """

    provider: str
    model: str
    dialect: Dialect
    secrets: Iterable[str] = ()
    base_url: str = ""

    def error(self, kind: type[Error], text: str, **facts: Any) -> Error:
        """Return an error of this provider and model."""
        return kind(
            f"{self.provider}/{self.model}: {text}",
            provider=self.provider,
            model=self.model,
            **facts,
        )

    def redacted(self, text: str) -> str:
        """Return a provider's text with the secrets redacted."""
        return redact(text, self.secrets)

    def facts_of(
        self, status: int, headers: Mapping[str, str], body: Optional[bytes] = None
    ) -> dict[str, Any]:
        """Return the facts of an error that tell what the reply was; *body* of a whole one."""
        return {
            "status_code": status,
            "request_id": self.dialect.request_id_in(headers),
            "headers": self._shown_headers(headers),
            "body": None if body is None else self._shown_body(body),
        }

    def _shown_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return *headers* without those that hold a secret, the others redacted."""
        shown = {name: text for name, text in headers.items() if not _is_secret_header(name)}
        together = "\n".join(shown.values())
        if self.redacted(together) == together:  # as a rule: one search for all
            return shown
        return {name: self.redacted(text) for name, text in shown.items()}

    def _shown_body(self, body: bytes) -> str:
        """Return *body* as text, redacted first and then truncated."""
        text = body[:MAX_READ_BYTES].decode("utf-8", "replace")
        text = self.redacted(re.sub(_ESCAPED, _unescaped, text))
        return text if len(text) <= MAX_BODY_CHARACTERS else text[:MAX_BODY_CHARACTERS] + "…"

    def __repr__(self) -> str:
        return f"ReplySource({self.provider}/{self.model}, {self.dialect.name})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:  # msgspec's own shows the secrets
        return [("provider", self.provider), ("model", self.model)]


@functools.lru_cache(maxsize=1024)  # the names recur from reply to reply
def _is_secret_header(name: str) -> bool:
    return re.search(_CONFIDENTIAL_HEADER, name) is not None


@functools.cache
def error_table(dialect: str) -> ErrorTable:
    """Return the error table for replies in a dialect.

    A gateway often passes on the error of a provider that speaks another dialect: the tables of
    all dialects apply, the own one first. Its words are in lower case.
    """
    tables = [errors_of(dialect), *(errors_of(each) for each in DIALECTS if each != dialect)]
    codes: dict[str, type[ProviderError]] = {}
    general_types: dict[str, type[ProviderError]] = {}
    refinements: dict[type[ProviderError], list[tuple[str, type[ProviderError]]]] = {}
    for base, part, refined in (message for table in tables for message in table.messages):
        refinements.setdefault(base, []).append((part, refined))
    for table in reversed(tables):
        codes.update({word.lower(): kind for word, kind in table.codes.items()})
        general_types.update({word.lower(): kind for word, kind in table.general_types.items()})
    return ErrorTable(
        codes,
        general_types,
        tuple(message for table in tables for message in table.messages),
        frozenset(word.lower() for table in tables for word in table.unknown_model),
        refinements,
    )


# 200: the answer of a successful reply may fail for the same reason.
_REFUSING_STATUSES = (200, 400, 404)


def refuses_signed(error: ProviderError) -> bool:
    """Return whether an error refuses the signature or the encryption of reasoning sent back."""
    if error.status_code not in _REFUSING_STATUSES:
        return False
    return _refused_signed().search(f"{error.code}: {error.message}") is not None


def names_expired(error: ProviderError) -> bool:
    """Return whether an error says that temporary credentials have expired."""
    return isinstance(error, AuthenticationError) and (error.code or "").lower() in _expired()


@functools.cache
def _expired() -> frozenset[str]:
    """Return the codes and types of all dialects that say that credentials have expired."""
    return frozenset(word.lower() for name in DIALECTS for word in errors_of(name).expired)


@functools.cache
def _refused_signed() -> re.Pattern[str]:
    """Return the pattern of the codes and messages of all dialects that refuse a signature."""
    patterns = [each for name in DIALECTS for each in errors_of(name).refused_signed]
    return re.compile("|".join(patterns), re.IGNORECASE | re.DOTALL)


def classify(
    status: Optional[int],
    facts: ErrorFacts,
    table: ErrorTable,
    stated: ProviderErrors = NO_ERRORS,
) -> type[ProviderError]:
    """Return the class for a provider's error: by its code or type, else by the status.

    What the manifest has *stated* counts first: its codes and messages before those of the table,
    its statuses before the usual ones.

    A code that is an HTTP status counts before the reply's: a gateway may answer 200 or 500 with
    the error of an upstream. Total: an unknown 4xx is an `InvalidRequestError`, an unknown 5xx a
    `ServerError`, a redirect an `InvalidRequestError`, anything else a plain `ProviderError`.
    """
    code, type_ = (facts.code or "").lower(), (facts.type or "").lower()
    if re.fullmatch(_STATUS, code):
        status = int(code)
    if stated is not NO_ERRORS:
        known = _stated_class(status, facts, stated)
        if known is not None:
            return known
    found = (
        table.codes.get(code)
        or table.codes.get(type_)
        or ERROR_CLASSES.get(stated.statuses.get(str(status), ""))
        or _BY_STATUS.get(status or 0)
        or table.general_types.get(code)
        or table.general_types.get(type_)
        or _by_range(status or 0)
    )
    lowered = (facts.message or "").lower()
    for part, refined in table.refinements.get(found, ()):
        if part in lowered:
            return refined
    return found


def _stated_class(
    status: Optional[int], facts: ErrorFacts, stated: ProviderErrors
) -> Optional[type[ProviderError]]:
    """Return the class that a manifest states for the code, the type or the words of an error."""
    name = stated.codes.get(facts.code or "") or stated.codes.get(facts.type or "")
    if name is None:
        lowered = (facts.message or "").lower()
        for each in stated.messages:
            if each.status in (None, status) and each.words in lowered:
                name = each.error
                break
    return None if name is None else ERROR_CLASSES[name]


def _stated_errors(source: ReplySource) -> ProviderErrors:
    """Return the errors that the manifest of a provider states, for its own servers."""
    provider = catalog.provider(source.provider)
    if provider is None or (source.base_url and not provider.is_at(source.base_url)):
        return NO_ERRORS
    return provider.errors


def _by_range(status: int) -> type[ProviderError]:
    if status >= 500:
        return ServerError
    return InvalidRequestError if status >= 300 else ProviderError


def error_in_success(
    source: ReplySource, reply: WireReply, now: datetime
) -> Optional[ProviderError]:
    """Return the error in a reply whose status is a success; `None` if it holds none."""
    error = error_from_reply(source, reply, now)
    return None if type(error) is ProviderError else error


def reported_error(source: ReplySource, reply: WireReply, now: datetime) -> ProviderError:
    """Return the error that a reply of a successful status reports.

    One whose class nothing tells is a `MalformedResponseError`, as for a reply without an answer:
    the next candidate is asked.
    """
    found = error_in_success(source, reply, now)
    if found is not None:
        return found
    facts = source.dialect.decode_error(reply.status, reply.headers, reply.body)
    return source.error(
        MalformedResponseError,
        f"{_text_of(source, reply, facts)} (HTTP {reply.status})",
        status_code=reply.status,
        code="no_choice",
        request_id=source.dialect.request_id_in(reply.headers) or facts.request_id,
    )


def error_from_reply(source: ReplySource, reply: WireReply, now: datetime) -> ProviderError:
    """Return the error that a reply reports, by its body and then its status."""
    status, headers = reply.status, reply.headers
    facts = source.dialect.decode_error(status, headers, reply.body)
    table = error_table(source.dialect.name)
    kind = classify(status, _with_text(facts, reply), table, _stated_errors(source))
    hint = ""
    if status == 405 or (status == 404 and kind is ModelNotFoundError):
        about_model = (facts.code or "").lower() in table.unknown_model or _is_about_model(
            facts.message or "", source.model
        )
        hint = _model_hint(source, now) if about_model else path_hint(source)
    named = facts.code or facts.type
    if named is not None:
        named = source.redacted(named)
    shown = f"HTTP {status}" + (f", {named[:80]}" if named else "")
    should_retry = {"true": True, "false": False}.get(headers.get("x-should-retry", ""))
    retry_after_s = _retry_after_s(headers, now)
    of_reply = source.facts_of(status, headers, reply.body)
    of_reply["request_id"] = of_reply["request_id"] or facts.request_id
    return source.error(
        kind,
        f"{_text_of(source, reply, facts)} ({shown}){hint}",
        code=named,
        retry_after_s=facts.retry_after_s if retry_after_s is None else retry_after_s,
        retryable=kind.retryable and should_retry is not False,
        should_retry=should_retry,
        **of_reply,
    )


def _unescaped(found: re.Match[str]) -> str:
    """Return the character of a JSON escape, or the escape where the character needs one."""
    escape = found.group()
    if escape == "\\/":
        return "/"
    character = chr(int(escape[2:], 16)) if escape[1] == "u" else "\\"
    return escape if character in '"\\\x7f' else character


def _with_text(facts: ErrorFacts, reply: WireReply) -> ErrorFacts:
    """Return the facts of an error reply, with a body that is plain text as its message."""
    if facts.message is not None or reply.status < 300 or reply.body.lstrip()[:1] in b"<{[":
        return facts
    return replace(facts, message=_quoted(reply.body))


def _text_of(source: ReplySource, reply: WireReply, facts: ErrorFacts) -> str:
    """Return the redacted message of an error reply, or the beginning of its body."""
    message = facts.message
    if message is None:
        message = _quoted(reply.body) or "the reply has no body"
        if 300 <= reply.status < 400:
            message = "the provider redirects, which is never followed: check base_url"
    text = source.redacted(message)
    return text if len(text) <= MAX_QUOTED_CHARACTERS else text[:MAX_QUOTED_CHARACTERS] + "…"


def _is_about_model(message: str, model: str) -> bool:
    """Return whether the message of a 404 concerns the model and not the path."""
    words = re.sub(_PATH, "", message)  # a path may hold the model, or the word
    return bool((model and model in words) or re.search(_MODEL_WORD, words))


def path_hint(source: ReplySource) -> str:
    """Return a hint to check `base_url`, for a reply that is not from the provider's API."""
    known = catalog.provider(source.provider)
    usual = catalog.provider(source.dialect.provider)
    if known is None or usual is None:
        return "; check base_url"
    given = (each.path for each in known.dialects if each.name == source.dialect.name)
    path = next(given, None) or source.dialect.path("{model}", False)
    path = path.replace("{parent}", "/projects/{project}/locations/{location}")
    return f"; check base_url: {path} is added to it ({usual.title}'s is {usual.base_url})"


def _model_hint(source: ReplySource, now: datetime) -> str:
    """Return a hint with the known model whose id is most similar to an unknown one."""
    provider, model = source.provider, source.model
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


def error_from_failure(source: ReplySource, failure: TransportFailure) -> ProviderError:
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
    text = source.redacted(str(failure))[:MAX_QUOTED_CHARACTERS]
    return source.error(kind, text, code=failure.kind, sent=failure.sent, **facts)


def _quoted(body: bytes) -> str:
    text = body[: 4 * MAX_QUOTED_CHARACTERS].decode("utf-8", "replace")
    return " ".join(text.split())


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
    if not re.fullmatch(_DECIMAL, text):
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
