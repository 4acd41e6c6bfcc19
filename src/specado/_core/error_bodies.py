"""Reads the type, code and message of an error body, in the forms that servers use.

One reader for all dialects: gateways pass on the errors of other providers. The forms, each by the
servers that send it (their documentation and source, read 2026-11-30):

- `{"error": {"type", "code", "message"}}`: OpenAI, Anthropic, vLLM, llama.cpp, Groq, OpenRouter
- the same members without `error`: vLLM before 0.10, SGLang, Mistral
- `{"error": "text"}`: LM Studio, Ollama, TGI (with `error_type`), xAI (with a text as `code`)
- `{"detail": "text"}` or a list of `{"loc", "msg"}`: FastAPI, so Mistral and many small servers
- a list that holds one of the others: Gemini's compatible endpoint
- `error.error`, a message that is JSON text, `metadata.raw` (OpenRouter): an upstream's error
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Union

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["error_facts", "first_error"]

# Deeper than any gateway nests another one's error.
MAX_DEPTH = 5

_MESSAGES = ("message", "msg", "error_message", "error_description", "Message", "status_msg")
_CODES = ("code", "error_code", "status_code", "statusCode", "http_status_code")
_TYPES = ("type", "error_type", "__type", "status")
_INNER = ("error", "errors", "detail", "message", "innererror", "base_resp")

_UNREADABLE = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
_decode = msgspec.json.Decoder().decode


class _DocumentedError(msgspec.Struct, forbid_unknown_fields=True):
    message: str
    type: Optional[str] = None
    code: Union[str, int, None] = None
    param: msgspec.Raw = msgspec.Raw()


class _DocumentedBody(msgspec.Struct, forbid_unknown_fields=True):
    """An error body as OpenAI and Anthropic document it, without any other member."""

    error: _DocumentedError
    type: str = ""
    request_id: Optional[str] = None


_decode_documented = msgspec.json.Decoder(_DocumentedBody).decode


class _Facts(NamedTuple):
    type: Optional[str] = None
    code: Optional[str] = None
    message: Optional[str] = None

    def with_outer(self, outer: _Facts) -> _Facts:
        """Return the facts of a nested error, completed by those of the error around it."""
        said, around = self.message, outer.message
        if said and around and around not in said:
            said = said if said in around else f"{around}: {said}"
        # A number is as good as the HTTP status; a word of the error around it says more.
        code = self.code
        if code is None or (code.isdecimal() and outer.code is not None):
            code = outer.code or code
        return _Facts(self.type or outer.type, code, said or around)


def error_facts(body: bytes) -> tuple[Optional[str], Optional[str], Optional[str]]:
    """Return `(type, code, message)` of an error body, each text or None; never raises.

    A whole number as code is its digits. An upstream's error that a gateway encloses counts before
    the gateway's own, and both messages are joined.
    """
    # The usual form is decoded by its type: a quarter of the time.
    try:
        whole = _decode_documented(body)
    except _UNREADABLE:
        pass
    else:
        error, code = whole.error, whole.error.code
        is_plain = error.message.lstrip()[:1] not in "{["  # nor blank
        if is_plain and error.type != "error" and whole.type in ("", "error"):
            return error.type or None, None if code in (None, "") else str(code), error.message
    try:
        found = _facts(_decode(body), 0)
    except _UNREADABLE:
        return None, None, None
    return found.type, found.code, found.message


def first_error(values: Iterable[Any]) -> Any:
    """Return the first of *values* that is an error, `None` without any.

    An object whose members are all empty is no error.
    """
    for error in values:
        if error and (not isinstance(error, dict) or any(error.values())):
            return error
    return None


def _facts(data: Any, depth: int) -> _Facts:
    if depth > MAX_DEPTH:
        return _Facts()
    if isinstance(data, str):
        return _facts_of_text(data, depth)
    if isinstance(data, list):
        return _facts_of_list(data, depth)
    return _facts_of_object(data, depth) if isinstance(data, dict) else _Facts()


def _facts_of_text(text: str, depth: int) -> _Facts:
    """Return a message; one that is the JSON text of an error gives that error's facts."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            found = _facts(_decode(text), depth + 1)
        except _UNREADABLE:
            found = _Facts()
        if found.message:
            return found
    return _Facts(message=text or None)


def _facts_of_list(items: list[Any], depth: int) -> _Facts:
    """Return the facts of the first error in a list; the messages of all are joined."""
    found = [_facts(item, depth + 1) for item in items]
    said = [each.message for each in found if each.message]
    if not said:
        return _Facts()
    first = next(each for each in found if each.message)
    return first._replace(message="; ".join(dict.fromkeys(said)))


def _facts_of_object(data: dict[str, Any], depth: int) -> _Facts:
    place = data.get("loc")
    if isinstance(place, list) and isinstance(data.get("msg"), str):
        # One complaint of FastAPI's; its `type` is a word of pydantic's and no error class.
        return _Facts(message=f"{'.'.join(map(str, place))}: {data['msg']}")
    type_, code = _word(data, _TYPES), _word(data, _CODES) or _digits(data.get("status"))
    said = _facts_of_text(_word(data, _MESSAGES) or "", depth)
    found = said.with_outer(_Facts(None if type_ == "error" else type_, code))
    for name in _INNER:
        inner = data.get(name)
        if inner and (name != "message" or not isinstance(inner, str)):
            found = _facts(inner, depth + 1).with_outer(found)
    metadata = data.get("metadata")
    return found if not isinstance(metadata, dict) else _with_metadata(found, metadata, depth)


def _with_metadata(found: _Facts, metadata: dict[str, Any], depth: int) -> _Facts:
    """Return the facts of an OpenRouter error with those in its `metadata`."""
    if "flagged_input" in metadata:
        return found._replace(type="flagged_input", code="flagged_input")
    word = metadata.get("error_type")
    found = found._replace(type=word if isinstance(word, str) and not found.type else found.type)
    raw = metadata.get("raw")
    return _facts(raw, depth + 1).with_outer(found) if raw else found


def _word(data: dict[str, Any], names: tuple[str, ...]) -> Optional[str]:
    """Return the first named member that is text, or a whole number as a code, as text."""
    for name in names:
        value = data.get(name)
        if isinstance(value, str) and value:
            return value
        digits = _digits(value) if names is _CODES else None
        if digits is not None:
            return digits
    return None


def _digits(value: Any) -> Optional[str]:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else None
