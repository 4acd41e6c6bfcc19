"""Common functions of the reply decoders: error bodies, repair of deviating replies."""

from libc.math cimport isfinite

import json

import msgspec

from specado._core.json_text import NotJson, dumps
from specado.errors import MalformedResponseError

# What msgspec raises for a body that is not JSON, not UTF-8, or nested without end.
UNREADABLE = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)

# From the most certain to the least.
cdef tuple CERTAINTIES = ("exact", "at_least", "unknown")

cdef enum:
    DEPTH_LIMIT = 200

cdef object _decoder = msgspec.json.Decoder()


cdef class Notes(list):
    """Texts on what was mended in a reply or left out of it, and facts for code that decides.

    `mended` has the paths of the fields that were not as documented. `usage_certainty` tells how
    much of the provider's bill the counted tokens are: "exact", "at_least" where it has more
    than tokens, "unknown" where a count was mended. Owned by one reply.
    """

    cdef readonly set mended
    cdef readonly str usage_certainty

    def __cinit__(self, *_args):
        self.usage_certainty = "exact"
        self.mended = set()

    def mend(self, str path not None, str text not None):
        """Note what was mended in the field at *path*."""
        self.mended.add(path)
        self.append(f"{path}: {text}")

    def bill(self, str certainty not None):
        """Note how much of the bill the tokens are; the least certain counts."""
        if CERTAINTIES.index(certainty) > CERTAINTIES.index(self.usage_certainty):
            self.usage_certainty = certainty

    def add_facts(self, set mended not None, str usage_certainty not None):
        """Take over what was mended and billed before."""
        self.mended |= mended
        self.bill(usage_certainty)


def parse(bytes body not None, notes):
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


def mended(dict data, str name, type_, default, str path, notes):
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
            notes.mend(path, f"a {type(value).__name__}, read as a whole number")
            return found
    notes.mend(path, f"{type(value).__name__} where another type is documented, "
                     f"read as {default!r}")
    return default


def whole_numbers(value, tuple names not None, str path, notes):
    """Return the members of *value* that are named and are whole numbers, mended; None if none."""
    if value is None:
        return None
    if not isinstance(value, dict):
        notes.mend(path, f"{type(value).__name__} where another type is documented, "
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
