"""Parses a request (a dict or JSON text) to a dict; unknown members stay raw JSON.

The `decode_request` of each dialect uses these functions.
"""

from __future__ import annotations

import json
import math
from typing import Any, Callable

import msgspec

from specado._core import NotJson, dumps
from specado.errors import ConfigurationError, MessageFormatError

__all__ = ["checked_model", "decode_json", "plain", "read_request"]

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def decode_json(text: Any) -> Any:
    """Return the value of JSON text; numbers outside the range of floats are `msgspec.Raw`."""
    try:
        return msgspec.json.decode(text)
    except msgspec.ValidationError:  # valid JSON with a number outside the range of floats
        text = text.decode() if isinstance(text, bytes) else text
        return json.loads(text, parse_float=_number, parse_constant=_refuse_constant)


def read_request(
    request: Any, members: frozenset[str], decode: Callable[[Any], Any] = decode_json
) -> dict[str, Any]:
    """Return a request, given as a dict or as JSON text, as a dict.

    A dict is returned as it is. In a request from JSON text, a member that is not in *members*
    becomes raw JSON (`msgspec.Raw`) if decoding and encoding would change its text: such members
    are sent unchanged. *decode* decodes the text.

    Raises:
        MessageFormatError: the request is not a JSON object.
    """
    if isinstance(request, dict):
        return request
    if not isinstance(request, (str, bytes, bytearray)):
        raise MessageFormatError(
            f"request must be a dict or JSON text, not {type(request).__name__}", field="request"
        )
    if isinstance(request, str):
        request = request.removeprefix("\ufeff")
    else:
        request = bytes(request).removeprefix(BYTE_ORDER_MARK)
    try:
        found = decode(request)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise MessageFormatError(f"request is not JSON: {error}", field="request") from None
    if not isinstance(found, dict):
        raise MessageFormatError("request must be a JSON object", field="request")
    _keep_members(found, request, members)
    return found


def checked_model(model: Any, hint: str = "") -> str:
    """Return the model that a request names; *hint* says in the error where to write it.

    Raises:
        ConfigurationError: the model is missing, blank or not text.
    """
    if not isinstance(model, str) or not model.strip():
        raise ConfigurationError(f"request: model is missing, or not text{hint}", key="model")
    return model


def _number(text: str) -> Any:
    number = float(text)
    return number if math.isfinite(number) else msgspec.Raw(text.encode())


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no value of JSON")


def plain(value: Any) -> Any:
    """Return a value of `read_request` with each `msgspec.Raw` decoded, to be shown in a report.

    A number outside the range of floats, or a value that holds one, becomes text.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, msgspec.Raw):
        try:
            return msgspec.json.decode(value)
        except msgspec.ValidationError:
            return bytes(value).decode()
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def _keep_members(found: dict[str, Any], text: Any, read: frozenset[str]) -> None:
    """Replace members that are not *read* by their raw JSON; make other raw numbers floats."""
    names = []
    for name in found:
        if name not in read:
            names.append(name)
        elif isinstance(found[name], msgspec.Raw):
            found[name] = float(bytes(found[name]))  # not finite: its check refuses it
    if not names:
        return
    given = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    try:
        changed = [name for name in names if dumps(found[name]) != bytes(given[name])]
    except NotJson:
        return  # too deep, or a key that is no text: the encoder reports it
    for name in changed:
        found[name] = msgspec.Raw(bytes(given[name]))
