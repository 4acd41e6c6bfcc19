"""Drivers that carry out the steps of a call (send, wait), for threads and for asyncio.

They hold no policy: `routing.attempts` decides what to send and when to wait.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Union

from specado import transport
from specado.calls.call import CompletionCall
from specado.calls.stream_state import StreamState
from specado.calls.streams import AsyncStream, Stream
from specado.errors import ConfigurationError
from specado.routing.attempts import Wait

if TYPE_CHECKING:
    from collections.abc import Mapping

    from specado.endpoints.access import Access
    from specado.routing.attempts import Effect, Outcome, Result, Send, Steps
    from specado.settings.client_settings import Settings
    from specado.transport import AsyncOpenReply, AsyncTransport, OpenReply, Transport
    from specado.types import ChatCompletionResponse

__all__ = ["Driver"]


class Driver:
    """Runs calls with one client's settings and transports; shared by the client's namespaces.

    It has no reference to the client, so that no reference cycle keeps a key in memory.
    """

    def __init__(
        self, settings: Settings, access: Access, http_client: Any, async_http_client: Any
    ) -> None:
        self.settings = settings
        self.access = access
        self._http_client = http_client
        self._async_http_client = async_http_client

    def run(
        self, model: Any, messages: Any, given: Mapping[str, Any]
    ) -> ChatCompletionResponse | Stream:
        """Return a call's reply or stream, or raise its error."""
        call = CompletionCall(self.settings, self.access, model, messages, given)
        if call.instrumentation is None:
            return self._run(call)
        with call.instrumentation:
            return self._run(call)

    def _run(self, call: CompletionCall) -> ChatCompletionResponse | Stream:
        sender = self._transport(call)
        steps = call.steps()
        try:
            effect, result = _step(steps, None)
            while effect is not None:
                outcome: Outcome = None
                if isinstance(effect, Wait):
                    time.sleep(call.waits(effect.delay_s))
                else:
                    outcome = _ask(call, sender, effect)
                effect, result = _step(steps, outcome)
        finally:
            steps.close()
            call.abandon()
        ended = call.conclude(result)
        return Stream(ended) if isinstance(ended, StreamState) else ended

    async def run_async(
        self, model: Any, messages: Any, given: Mapping[str, Any]
    ) -> ChatCompletionResponse | AsyncStream:
        """Return a call's reply or stream without blocking the event loop, or raise its error."""
        _require_asyncio()
        call = CompletionCall(self.settings, self.access, model, messages, given)
        if call.instrumentation is None:
            return await self._run_async(call)
        with call.instrumentation:
            return await self._run_async(call)

    async def _run_async(self, call: CompletionCall) -> ChatCompletionResponse | AsyncStream:
        sender = self._async_transport(call)
        steps = call.steps()
        try:
            effect, result = _step(steps, None)
            while effect is not None:
                outcome: Outcome = None
                if isinstance(effect, Wait):
                    # Imported here: calls that wait for no retry need no asyncio.
                    import asyncio

                    await asyncio.sleep(call.waits(effect.delay_s))
                else:
                    outcome = await _ask_async(call, sender, effect)
                effect, result = _step(steps, outcome)
        finally:
            steps.close()
            call.abandon()
        ended = call.conclude(result)
        return AsyncStream(ended) if isinstance(ended, StreamState) else ended

    def _transport(self, call: CompletionCall) -> Transport:
        if call.simulated:
            # Imported here: most processes never simulate.
            from specado.simulator.inprocess import InProcessTransport

            return InProcessTransport()
        if self._http_client is not None:
            return transport.client_transport(self._http_client)
        if self._async_http_client is not None:
            raise _no_client("http_client", "create")
        call.uses_own_connections = self.access.transport_settings.library == "own"
        return transport.shared_transport(self.access.transport_settings)

    def _async_transport(self, call: CompletionCall) -> AsyncTransport:
        if call.simulated:
            from specado.simulator.inprocess import AsyncInProcessTransport

            return AsyncInProcessTransport()
        if self._async_http_client is not None:
            return transport.async_client_transport(self._async_http_client)
        if self._http_client is not None:
            raise _no_client("async_http_client", "create_async")
        call.uses_own_connections = self.access.transport_settings.library == "own"
        return transport.shared_async_transport(self.access.transport_settings)


def _ask(call: CompletionCall, sender: Transport, send: Send) -> Outcome:
    """Send one request and return its outcome."""
    candidate, timeout_s = send.candidate, send.timeout_s
    request = call.request_of(candidate)
    if isinstance(request, ConfigurationError):
        return request
    try:
        if not call.is_stream:
            reply = sender.send(
                request, timeout_s, call.wire_limits, is_fresh=send.fresh_connection
            )
            return call.read(candidate, request, reply)
        until = transport.until_after(timeout_s)
        opened = sender.open(request, until, call.wire_limits, is_fresh=send.fresh_connection)
        kept = False
        try:
            state = call.begin(candidate, request, opened)
            if state is None:
                reply = transport.read_whole(opened, until, call.wire_limits)
                return call.read(candidate, request, reply)
            _read_to_content(state, opened, until)
            outcome = call.opened(candidate, state)
            if outcome is state:
                kept = True
            return outcome
        finally:
            if not kept:
                opened.close()
    except transport.TransportFailure as failure:
        return call.failed(candidate, request, failure, timeout_s)


async def _ask_async(call: CompletionCall, sender: AsyncTransport, send: Send) -> Outcome:
    """Send one request and return its outcome."""
    candidate, timeout_s = send.candidate, send.timeout_s
    key, source = None, call.key_callable(candidate)
    if source is not None:
        began_s = time.monotonic()
        fetched = await call.fetched_key(candidate, source, timeout_s)
        if isinstance(fetched, ConfigurationError):
            return fetched
        key = fetched
        timeout_s = max(0.0, timeout_s - (time.monotonic() - began_s))
    request = call.request_of(candidate, key)
    if isinstance(request, ConfigurationError):
        return request
    try:
        if not call.is_stream:
            reply = await sender.send(
                request, timeout_s, call.wire_limits, is_fresh=send.fresh_connection
            )
            return call.read(candidate, request, reply)
        until = transport.until_after(timeout_s)
        opened = await sender.open(request, until, call.wire_limits, is_fresh=send.fresh_connection)
        kept = False
        try:
            state = call.begin(candidate, request, opened)
            if state is None:
                reply = await transport.read_whole_async(opened, until, call.wire_limits)
                return call.read(candidate, request, reply)
            await _read_to_content_async(state, opened, until)
            outcome = call.opened(candidate, state)
            if outcome is state:
                kept = True
            return outcome
        finally:
            if not kept:
                opened.close()
    except transport.TransportFailure as failure:
        return call.failed(candidate, request, failure, timeout_s)


def _read_to_content(state: StreamState, opened: OpenReply, until: float) -> None:
    """Read a stream until its commit point or its failure."""
    try:
        while state.is_pending:
            state.take(opened.read(state.next_read(until)))
    except transport.TransportFailure as failure:
        if not state.is_silence(failure):
            raise
        state.break_off(failure)


async def _read_to_content_async(state: StreamState, opened: AsyncOpenReply, until: float) -> None:
    """Read a stream until its commit point or its failure."""
    try:
        while state.is_pending:
            state.take(await opened.read(state.next_read(until)))
    except transport.TransportFailure as failure:
        if not state.is_silence(failure):
            raise
        state.break_off(failure)


def _step(steps: Steps, outcome: Outcome) -> tuple[Union[Effect, None], Any]:
    """Return the next effect, or `None` and the call's `Result`.

    Only here does a `StopIteration` mean the end of the steps: a key's callable or a caller's own
    HTTP client may raise one too, and that one is the caller's.
    """
    try:
        return steps.send(outcome), None
    except StopIteration as stop:
        result: Result = stop.value
        return None, result


def _require_asyncio() -> None:
    """Refuse to make an asynchronous call where no event loop of asyncio runs, as under trio."""
    # Imported here: a synchronous call needs no asyncio.
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigurationError(
            "asynchronous calls need asyncio, and no event loop of asyncio is running here: await "
            "them under asyncio.run (specado does not run on trio), or use create in a thread"
        ) from None


def _no_client(argument: str, method: str) -> ConfigurationError:
    """Return the error for a call whose kind (sync or async) has no HTTP client of the caller."""
    return ConfigurationError(
        f"{method} needs {argument}: this client has an HTTP client of your own for the other "
        "kind of call only",
        key=argument,
    )
