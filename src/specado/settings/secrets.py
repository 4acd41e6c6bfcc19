"""API keys that no repr, log, pickle or traceback shows."""

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
    """Return a number that only *value* has, for as long as the process lives.

    What cannot be known again (it has no hash, or takes no weak reference) gets a new number.
    """
    try:
        return _serials.setdefault(value, next(_next_serial))
    except TypeError:
        return next(_next_serial)


def _callable_identity(source: Any) -> tuple[str, ...]:
    """Return what tells a callable from others: a method is a new object at each look."""
    owner = getattr(source, "__self__", None)
    if owner is None or isinstance(owner, types.ModuleType):
        return (str(_serial(source)),)
    return (str(_serial(owner)), str(_serial(getattr(source, "__func__", source))))


class Secret:
    """A key. Only `reveal` shows it; it cannot be pickled. *setting* is what errors call it."""

    __slots__ = ("_setting", "_source")

    def __init__(self, source: Union[str, Callable[[], str]], setting: str = "api_key") -> None:
        self._source = source
        self._setting = setting

    def reveal(self) -> str:
        """Return the key; a callable is asked each time.

        Raises:
            ConfigurationError: the callable gave something else than visible ASCII text.
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
        """Whether it is always the same."""
        return isinstance(self._source, str)

    def is_same(self, other: Optional[Secret]) -> bool:
        """Return whether it is the same key as *other*, or the same callable."""
        return other is not None and self._source == other._source

    def identity(self) -> tuple[str, ...]:
        """Return what tells this key from others; a callable counts, not the keys it gives."""
        if isinstance(self._source, str):
            return ("text", self._source)
        return ("callable", *_callable_identity(self._source))

    def __repr__(self) -> str:
        return REDACTED

    def __reduce__(self) -> Any:
        raise TypeError("a key is not pickled: configure it again in the other process")
