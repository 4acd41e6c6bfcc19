"""Secret wrapper for API keys: no repr, log, pickle or traceback shows them."""

from __future__ import annotations

import itertools
import types
import weakref
from typing import Any, Callable, Optional, Union

from specado.errors import (
    REDACTED,
    ConfigurationError,
)
from specado.settings.validators import (
    checked_header_value,
)

__all__ = ["Secret"]


_serials: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()


_next_serial = itertools.count()


def _serial(value: Any) -> int:
    """Return a number that identifies *value* for the life of the process.

    A value without a hash or a weak reference gets a new number each time.
    """
    try:
        return _serials.setdefault(value, next(_next_serial))
    except TypeError:
        return next(_next_serial)


def _callable_identity(source: Any) -> tuple[str, ...]:
    """Return an identity of a callable; a bound method is a new object at each access."""
    owner = getattr(source, "__self__", None)
    if owner is None or isinstance(owner, types.ModuleType):
        return (str(_serial(source)),)
    return (str(_serial(owner)), str(_serial(getattr(source, "__func__", source))))


class Secret:
    """An API key, as text or a callable; only `reveal` returns it, and it cannot be pickled.

    *setting* is the name of the setting for errors.
    """

    __slots__ = ("_setting", "_source")

    def __init__(self, source: Union[str, Callable[[], str]], setting: str = "api_key") -> None:
        self._source = source
        self._setting = setting

    def reveal(self) -> str:
        """Return the key; a callable is called each time.

        Raises:
            ConfigurationError: the callable did not return visible ASCII text.
        """
        if isinstance(self._source, str):
            return self._source
        try:
            return checked_header_value(self._source(), self._setting)
        except ConfigurationError as error:
            # The frame below holds the key: not in a traceback that shows locals.
            raise error.with_traceback(None) from None

    @property
    def is_text(self) -> bool:
        """Whether the key is fixed text and not a callable."""
        return isinstance(self._source, str)

    def is_same(self, other: Optional[Secret]) -> bool:
        """Return whether *other* holds the same key text or the same callable."""
        return other is not None and self._source == other._source

    def identity(self) -> tuple[str, ...]:
        """Return an identity of the key: its text, or its callable, whatever that returns."""
        if isinstance(self._source, str):
            return ("text", self._source)
        return ("callable", *_callable_identity(self._source))

    def __repr__(self) -> str:
        return REDACTED

    def __reduce__(self) -> Any:
        raise TypeError("a key is not pickled: configure it again in the other process")
