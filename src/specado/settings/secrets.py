"""Secret wrapper for API keys: no repr, log, pickle or traceback shows them."""

from __future__ import annotations

import inspect
import itertools
import types
import weakref
from collections.abc import Awaitable
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


KeySource = Union[str, Callable[[], str], Callable[[], Awaitable[str]]]


def _is_async(source: Any) -> bool:
    return inspect.iscoroutinefunction(source) or inspect.iscoroutinefunction(
        getattr(type(source), "__call__", None)  # noqa: B004 - the function, not whether it is one
    )


def _called(source: Callable[[], Any]) -> tuple[Any, Optional[Exception]]:
    """Return what *source* gives and what it raises.

    A future of asyncio would pass on a copy of a `TimeoutError`, and no `StopIteration`.
    """
    try:
        return source(), None
    except Exception as error:  # noqa: BLE001 - it is the caller's, and raised again
        return None, error


class Secret:
    """An API key, as text or a callable; only `reveal` returns it, and it cannot be pickled.

    *setting* is the name of the setting for errors. *as_text* makes text of what the callable
    gives, where that is no text.
    """

    __slots__ = ("_as_text", "_setting", "_source")

    def __init__(
        self,
        source: KeySource,
        setting: str = "api_key",
        as_text: Optional[Callable[[Any], Any]] = None,
    ) -> None:
        self._source = source
        self._setting = setting
        self._as_text = as_text

    def reveal(self) -> str:
        """Return the key; a callable is called each time.

        Raises:
            ConfigurationError: the callable did not return visible ASCII text, or is asynchronous.
        """
        if isinstance(self._source, str):
            return self._source
        try:
            return checked_header_value(self._text_of(self._given_at_once()), self._setting)
        except ConfigurationError as error:
            # The frame below holds the key: not in a traceback that shows locals.
            raise error.with_traceback(None) from None

    def _text_of(self, given: Any) -> Any:
        return given if self._as_text is None else self._as_text(given)

    def _given_at_once(self) -> Any:
        source: Any = self._source
        if _is_async(source):
            raise self._asynchronous()
        given = source()
        if inspect.isawaitable(given):
            if inspect.iscoroutine(given):
                given.close()  # otherwise Python warns that it was never awaited
            raise self._asynchronous()
        return given

    def _asynchronous(self) -> ConfigurationError:
        return ConfigurationError(
            f"{self._setting} is an async callable, which only an async call can await: use "
            "create_async, or give a callable that is not async",
            key=self._setting,
        )

    async def fetched(self, timeout_s: float) -> Secret:
        """Return the key that the callable gives for one request, without stalling the event loop.

        An async callable is awaited; another one runs in a thread of the loop's executor.

        Raises:
            ConfigurationError: it took longer than *timeout_s*.
        """
        # Imported here: a synchronous call needs no asyncio.
        import asyncio

        task = asyncio.ensure_future(self._given())
        try:
            done, _ = await asyncio.wait({task}, timeout=timeout_s)
        finally:
            task.cancel()
        if not done:
            text = f"{self._setting}: the callable gave no key within {timeout_s:g} s"
            raise ConfigurationError(text, key=self._setting)
        given = task.result()
        return Secret(lambda: given, self._setting, self._as_text)

    async def _given(self) -> Any:
        import asyncio

        source: Any = self._source
        if _is_async(source):
            return await source()
        given, error = await asyncio.to_thread(_called, source)
        if error is not None:
            raise error
        return await given if inspect.isawaitable(given) else given

    @property
    def is_text(self) -> bool:
        """True if the key is text, False if a callable gives it."""
        return isinstance(self._source, str)

    def renew(self) -> bool:
        """Return whether another key may come: from a callable, which forgets the one it kept."""
        forget = getattr(self._source, "forget_credentials", None)
        if forget is not None:
            forget()
        return not self.is_text

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
