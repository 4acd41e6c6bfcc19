"""Decodes Gemini requests into the canonical form."""

from __future__ import annotations

from typing import Any, Optional, Union

import msgspec

from specado._core import read_gemini_request
from specado.dialects.contract import DecodedRequest
from specado.dialects.gemini.requests import NAME
from specado.dialects.gemini.source_fields import SETTINGS, SOURCE_MEMBERS, SOURCE_PARAMETERS
from specado.dialects.request_text import checked_model, decode_json, read_request
from specado.settings.parameters import PARAMETERS

__all__ = ["decode_request"]

_PREFIX = "models/"
# Canonical parameters that hold a value of the request as it was given.
_CHECKED = frozenset(
    (
        "frequency_penalty",
        "logprobs",
        "max_tokens",
        "n",
        "presence_penalty",
        "seed",
        "store",
        "stream",
        "temperature",
        "top_logprobs",
        "top_p",
    )
)
_NO_JSON = msgspec.Raw(b"")


class _Call(msgspec.Struct):
    """The raw arguments of a function call."""

    args: msgspec.Raw = _NO_JSON


class _Result(msgspec.Struct):
    """The raw result of a function."""

    response: msgspec.Raw = _NO_JSON


class _Part(msgspec.Struct):
    """The objects of a part that go on as the caller wrote them; both spellings are taken."""

    functionCall: Optional[_Call] = None  # noqa: N815 - names of the wire
    function_call: Optional[_Call] = None
    functionResponse: Optional[_Result] = None  # noqa: N815
    function_response: Optional[_Result] = None


class _Content(msgspec.Struct):
    parts: Union[list[_Part], None] = None


class _Request(msgspec.Struct):
    """The part of a request that holds raw arguments and results."""

    contents: list[_Content]


def decode_request(request: Any) -> DecodedRequest:
    """Return a `generateContent` request (a dict or JSON text) in the canonical form.

    The model stands in the URL, so it has no member in the body: it is given as `model`, with or
    without `models/` before it, and whether the reply is streamed as `stream`. In a request from
    JSON text the arguments of function calls are raw JSON: they are sent unchanged.

    Raises:
        MessageFormatError: the request is not well formed.
        ConfigurationError: the request names no model.
    """
    given = read_request(request, SOURCE_MEMBERS, _decode)
    hint = ": Gemini's API has it in the address, here it is a member, 'model'"
    named = checked_model(given.get("model"), hint)
    model = named[len(_PREFIX) :] if named.startswith(_PREFIX) else named
    conversation, parameters, losses, places = read_gemini_request(
        given, SOURCE_PARAMETERS, SETTINGS, model
    )
    for name in _CHECKED & parameters.keys():
        PARAMETERS[name](places.get(name, name), parameters[name])
    return DecodedRequest(NAME, given, model, conversation, parameters, losses, places)


def _decode(text: Any) -> Any:
    found = decode_json(text)
    if isinstance(found, dict) and (b"unction" if isinstance(text, bytes) else "unction") in text:
        _keep_objects(found, text)  # the second look at the text is for calls and results only
    return found


def _keep_objects(found: dict[str, Any], text: Any) -> None:
    """Replace arguments and results by their raw JSON in *text*, the source of *found*."""
    try:
        contents = msgspec.json.decode(text, type=_Request).contents
    except msgspec.ValidationError:
        return  # contents in another form
    for content, given_content in zip(contents, found["contents"]):
        for part, given in zip(content.parts or (), given_content.get("parts") or ()):
            for name, member in (
                ("functionCall", "args"),
                ("function_call", "args"),
                ("functionResponse", "response"),
                ("function_response", "response"),
            ):
                raw = getattr(getattr(part, name), member, _NO_JSON)
                if bytes(raw).startswith(b"{") and not _is_output(given[name][member]):
                    given[name][member] = raw


def _is_output(value: Any) -> bool:
    """Return whether a result is only the text of its member `output`."""
    return isinstance(value, dict) and list(value) == ["output"]
