"""What the dialects' reply decoders have in common: reading what is not quite as documented."""

import msgspec

from specado.errors import MalformedResponseError

# What msgspec raises for a body that is not JSON, not UTF-8, or nested without end.
UNREADABLE = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)

cdef object _decoder = msgspec.json.Decoder()


def parse(bytes body not None):
    """Return *body* as plain objects; what is not JSON is a `MalformedResponseError`."""
    try:
        return _decoder.decode(body)
    except UNREADABLE:
        raise MalformedResponseError("the reply is not JSON", code="not_json") from None


def mended(dict data, str name, type_, default, str path, list notes):
    """Return a field converted to its type, else its default with a note."""
    value = data.get(name)
    if value is None:
        return default
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError:
        notes.append(f"{path}: {type(value).__name__} where another type is documented, "
                     f"read as {default!r}")
        return default


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
    return (
        type_ if isinstance(type_, str) else None,
        str(code) if isinstance(code, (str, int)) and not isinstance(code, bool) else None,
        message if isinstance(message, str) else None,
    )
