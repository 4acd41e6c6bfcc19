"""Stream iterators that a caller reads (`Stream`, `AsyncStream`); they free the connection."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, cast

from specado.transport import TransportFailure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator
    from types import TracebackType

    from typing_extensions import Self

    from specado.calls.stream_state import StreamState
    from specado.transport import AsyncOpenReply, OpenReply
    from specado.types import ChatCompletionChunk, ChatCompletionResponse, Extensions

__all__ = ["AsyncStream", "Stream"]

# Time limit for reading the rest of the body after the terminal event. Past it the connection is
# closed instead of kept in the pool.
DRAIN_S = 0.1
_CLOSED = "the stream was closed before its end"


class _Stream:
    """Base of `Stream` and `AsyncStream`."""

    def __init__(self, state: StreamState) -> None:
        self._state = state
        self._reading = threading.Lock()

    @property
    def extensions(self) -> Extensions:
        """Metadata of the call (provider, attempts, fallback); available from the start."""
        return self._state.extensions

    @property
    def headers(self) -> dict[str, str]:
        """The reply's headers, names in lower case; available from the start."""
        return self._state.headers

    @property
    def request_id(self) -> str | None:
        """The provider's id of the request; available from the start, `None` if it gave none."""
        found: str | None = self._state.extensions.metadata.get("request_id")
        return found

    def response(self) -> ChatCompletionResponse:
        """Return the whole reply, as the call without `stream` would have given it.

        `raw` is empty. Only once the stream has ended.

        Raises:
            StreamInterruptedError: it broke off, or was closed before its end.
            RuntimeError: it has not ended.
        """
        state = self._state
        if state.error is not None:
            raise state.interruption()
        if not state.is_over:
            raise RuntimeError("the stream has not ended: iterate to its end, then ask for this")
        return state.response()

    def __del__(self) -> None:
        if not self._state.has_ended:  # dropped without being read
            self._drop()

    def _drop(self) -> None:
        """Free the connection; the garbage collector may call this in any thread."""
        raise NotImplementedError

    def __repr__(self) -> str:
        state = self._state
        shown = "ended" if state.is_over else "open"
        if state.error is not None:
            shown = "broken off"
        return f"{type(self).__name__}({state.source.provider}/{state.source.model}, {shown})"

    def __reduce__(self) -> Any:
        raise TypeError(f"a {type(self).__name__} holds a connection and is not pickled")

    def _start_reading(self) -> None:
        if not self._reading.acquire(blocking=False):
            raise RuntimeError("the stream is being read by another thread or task")

    def _source(self) -> Any:
        """Return the open reply to read from; raise if the stream has failed or was closed."""
        state = self._state
        opened = state.opened
        if state.error is not None or opened is None:
            self._stop("closed", _CLOSED)
            raise state.interruption()
        return opened

    def _stop(self, code: str, message: str) -> None:
        state = self._state
        state.abandon(code, message)
        opened = state.take_opened()
        if opened is not None:
            opened.close()
        state.end()


class Stream(_Stream):
    """Iterator over the chunks of a streamed reply; made by `create(stream=True)`.

    Iterate it once; leaving the `for`, the `with` block or dropping the iterator frees the
    connection. The iteration raises `StreamInterruptedError` if the answer breaks off.
    """

    def __iter__(self) -> Generator[ChatCompletionChunk, None, None]:
        ready, next_chunk = self._state.ready, self._state.next_chunk
        try:
            while True:
                while ready:
                    yield next_chunk()
                if not self._more():
                    return
        finally:
            # If another thread is reading, that thread closes the stream.
            if not self._reading.locked():
                self.close()

    def __next__(self) -> ChatCompletionChunk:
        state = self._state
        if not state.ready and not self._more():
            raise StopIteration
        try:
            return state.next_chunk()
        except IndexError:  # another thread took it
            return next(self)

    def close(self) -> None:
        """Free the connection now; a stream that has not ended is interrupted."""
        self._stop("closed", _CLOSED)

    _drop = close

    def _more(self) -> bool:
        """Read until a chunk is ready; return whether there is one."""
        state = self._state
        self._start_reading()
        try:
            while not state.ready:
                if state.is_over:
                    self._drain()
                    return False
                opened: OpenReply = self._source()
                try:
                    state.take(opened.read(state.next_read()))
                except TransportFailure as failure:
                    state.break_off(failure)
                except BaseException:
                    self._stop("interrupted", "the reading of the stream was interrupted")
                    raise
            return True
        finally:
            self._reading.release()

    def _drain(self) -> None:
        """Read the bytes after the terminal event, so that the connection can be reused."""
        opened = cast("OpenReply | None", self._state.opened)
        if opened is not None:
            until = time.monotonic() + DRAIN_S
            try:
                while opened.read(until):
                    pass
            except TransportFailure:
                pass
            finally:
                self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class AsyncStream(_Stream):
    """Asynchronous iterator over the chunks of a streamed reply, by `create_async(stream=True)`.

    Use it only on the event loop of the call.
    """

    def __aiter__(self) -> AsyncIterator[ChatCompletionChunk]:
        return _Chunks(self)

    async def __anext__(self) -> ChatCompletionChunk:
        state = self._state
        if not state.ready and not await self._more():
            raise StopAsyncIteration
        return state.next_chunk()

    async def aclose(self) -> None:
        """Free the connection now; a stream that has not ended is interrupted."""
        self._close()

    close = aclose

    def _close(self) -> None:
        self._stop("closed", _CLOSED)

    def _drop(self) -> None:
        """Drop the open reply, in any thread: its finalizer closes the connection."""
        state = self._state
        state.abandon("closed", _CLOSED)
        state.take_opened()
        state.end()

    async def _more(self) -> bool:
        state = self._state
        self._start_reading()
        try:
            while not state.ready:
                if state.is_over:
                    await self._drain()
                    return False
                opened: AsyncOpenReply = self._source()
                try:
                    state.take(await opened.read(state.next_read()))
                except TransportFailure as failure:
                    state.break_off(failure)
                except BaseException as error:
                    self._stop(*_why_stopped(error))
                    raise
            return True
        finally:
            self._reading.release()

    async def _drain(self) -> None:
        opened = cast("AsyncOpenReply | None", self._state.opened)
        if opened is not None:
            until = time.monotonic() + DRAIN_S
            try:
                while await opened.read(until):
                    pass
            except TransportFailure:
                pass
            finally:
                self._close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()


def _why_stopped(error: BaseException) -> tuple[str, str]:
    """Return code and message for an exception that ended the reading but is no stream failure."""
    # Imported here: a `Stream` needs no asyncio.
    from asyncio import CancelledError

    if isinstance(error, CancelledError):
        return "cancelled", "the task that read the stream was cancelled"
    return "interrupted", "the reading of the stream was interrupted"


class _Chunks:
    """Iterator of one `async for`; its finalizer frees the connection when the loop is left."""

    def __init__(self, stream: AsyncStream) -> None:
        self._stream = stream

    def __aiter__(self) -> _Chunks:
        return self

    async def __anext__(self) -> ChatCompletionChunk:
        state = self._stream._state
        if not state.ready and not await self._stream._more():
            raise StopAsyncIteration
        return state.next_chunk()

    def __del__(self) -> None:
        # If another task is reading, that task closes the stream.
        if not self._stream._reading.locked():
            self._stream._drop()
