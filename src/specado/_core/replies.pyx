"""Common functions of the reply decoders: error bodies, repair of deviating replies."""

from libc.math cimport isfinite

import json

import msgspec

from specado._core.json_text import NotJson, dumps
from specado.errors import MalformedResponseError

# What msgspec raises for a body that is not JSON, not UTF-8, or nested without end.
UNREADABLE = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)

cdef enum:
    DEPTH_LIMIT = 200

cdef object _decoder = msgspec.json.Decoder()


def parse(bytes body not None, list notes not None):
    """Return *body* as plain objects; what is not JSON is a `MalformedResponseError`.

    What only Python's own decoder reads (a number out of range, NaN, a lone surrogate) is
    mended, with a note.
    """
    try:
        return _decoder.decode(body)
    except UNREADABLE:
        pass
    try:
        found = _scrubbed(json.loads(body.decode(), parse_constant=_nothing), 0)
    except (ValueError, RecursionError):
        raise MalformedResponseError("the reply is not JSON", code="not_json") from None
    notes.append("not quite JSON: numbers out of range are null, lone surrogates U+FFFD")
    return found


def _nothing(_text):
    return None


cdef object _scrubbed(object value, int depth):
    """Return a decoded value as JSON could have held it."""
    if depth > DEPTH_LIMIT:
        raise ValueError("nested too deep")
    if type(value) is str:
        return (<str>value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if type(value) is float:
        return value if isfinite(<double>value) else None
    if type(value) is list:
        return [_scrubbed(item, depth + 1) for item in <list>value]
    if type(value) is dict:
        return {
            _scrubbed(name, depth + 1): _scrubbed(item, depth + 1)
            for name, item in (<dict>value).items()
        }
    return value


def json_text_of(value):
    """Return a decoded value as JSON text; one nested too deep is a `MalformedResponseError`."""
    try:
        return dumps(value)
    except NotJson as error:
        raise MalformedResponseError(f"the reply is {error}", code="not_json") from None


def mended(dict data, str name, type_, default, str path, list notes):
    """Return a field converted to its type, else its default with a note.

    A whole number may be written as a float or as text.
    """
    value = data.get(name)
    if value is None:
        return default
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError:
        pass
    if type_ is int and isinstance(value, (float, str)):
        try:
            found = msgspec.convert(value, int, strict=False)
        except msgspec.ValidationError:
            pass
        else:
            notes.append(f"{path}: a {type(value).__name__}, read as a whole number")
            return found
    notes.append(f"{path}: {type(value).__name__} where another type is documented, "
                 f"read as {default!r}")
    return default


def whole_numbers(value, tuple names not None, str path, list notes):
    """Return the members of *value* that are named and are whole numbers, mended; None if none."""
    if value is None:
        return None
    if not isinstance(value, dict):
        notes.append(f"{path}: {type(value).__name__} where another type is documented, "
                     "read as None")
        return None
    found = {name: mended(value, name, int, None, f"{path}.{name}", notes) for name in names}
    return {name: number for name, number in found.items() if number is not None} or None


def error_facts(bytes body not None):
    """Return `(type, code, message)` of an error body, each text or None; never raises."""
    try:
        data = _decoder.decode(body)
    except UNREADABLE:
        return None, None, None
    error = data.get("error") if isinstance(data, dict) else None
    if isinstance(error, str):
        return None, None, error
    if not isinstance(error, dict):
        message = data.get("message") if isinstance(data, dict) else None
        return None, None, message if isinstance(message, str) else None
    type_, code, message = error.get("type"), error.get("code"), error.get("message")
    if code is None and isinstance(error.get("details"), dict):
        code = error["details"].get("error_code")  # Anthropic's place for one
    return (
        type_ if isinstance(type_, str) else None,
        str(code) if isinstance(code, (str, int)) and not isinstance(code, bool) else None,
        message if isinstance(message, str) else None,
    )
