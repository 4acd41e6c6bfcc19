"""Receive-side state of a streamed reply (sans-I/O): chunks, commit point, failure, end.

The *commit point* of a stream is its first content. A failure before it counts as a failure of
the attempt, which may be retried. After it nothing is retried, and a failure becomes a
`StreamInterruptedError`. Only the provider's terminal event completes a stream.
"""

from __future__ import annotations

import math
import time
from collections import deque
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Optional

from specado.dialects.errors import ReplySource, error_from_failure, reported_error
from specado.dialects.replies import add_tag
from specado.errors import (
    CONTENT_TIMEOUT,
    DeadlineExceededError,
    MalformedResponseError,
    ProviderError,
    StreamInterruptedError,
)
from specado.transport import StreamBody, TransportFailure, WireReply, until_after
from specado.types import (
    ChatCompletionChunk,
    ChoiceDelta,
    ChoiceDeltaToolCall,
    ChoiceDeltaToolCallFunction,
    ChunkChoice,
    Extensions,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Callable

    from specado.dialects.contract import StreamDecoder
    from specado.transport import AsyncOpenReply, OpenReply
    from specado.types import ChatCompletionResponse

__all__ = ["StreamState", "WholeReply", "is_abandoned"]

_ABANDONED = ("closed", "cancelled", "interrupted")


def is_abandoned(error: ProviderError) -> bool:
    """Return whether an error says that the caller stopped reading: no failure of the provider."""
    # A provider may use one of these codes too, but its error has a status.
    return error.code in _ABANDONED and error.status_code is None


class WholeReply:
    """Adapter that presents a whole reply as a stream, where a stream was requested."""

    is_over = True
    has_content = True
    failure = None

    def __init__(self, reply: ChatCompletionResponse, *, include_usage: bool) -> None:
        self._reply = reply
        self._include_usage = include_usage
        noted = reply.extensions.metadata.get("reply_notes", ())
        self._notes = ["stream: the provider answered with a whole reply", *noted]

    @property
    def is_refusal(self) -> bool:
        """True if the model refused."""
        return any(
            choice.message.refusal or choice.finish_reason == "content_filter"
            for choice in self._reply.choices
        )

    def feed(self, data: bytes) -> list[ChatCompletionChunk]:  # noqa: ARG002
        """Return no chunks: the reply is complete."""
        return []

    def finish(self, *, is_clean: bool = True) -> list[ChatCompletionChunk]:  # noqa: ARG002
        """Return no chunks."""
        return []

    def chunks(self) -> list[ChatCompletionChunk]:
        """Return the reply as chunks: one for each choice, and one for the usage if requested."""
        reply = self._reply
        found = [self._chunk([_chunk_choice(choice)]) for choice in reply.choices]
        if self._include_usage and reply.usage is not None:
            found.append(self._chunk([]))
            found[-1].usage = reply.usage
        return found

    def _chunk(self, choices: list[ChunkChoice]) -> ChatCompletionChunk:
        reply = self._reply
        return ChatCompletionChunk(
            id=reply.id,
            model=reply.model,
            choices=choices,
            created=reply.created,
            system_fingerprint=reply.system_fingerprint,
            service_tier=reply.service_tier,
        )

    def response(self) -> tuple[ChatCompletionResponse, list[str]]:
        """Return the reply and its notes; the first note says that it was no stream."""
        return self._reply, self._notes


def _chunk_choice(choice: Any) -> ChunkChoice:
    message = choice.message
    calls = None
    if message.tool_calls is not None:
        calls = [
            ChoiceDeltaToolCall(
                index,
                call.id,
                None
                if call.function is None
                else ChoiceDeltaToolCallFunction(call.function.name, call.function.arguments),
                call.type,
                call.custom,
            )
            for index, call in enumerate(message.tool_calls)
        ]
    delta = ChoiceDelta(
        role="assistant",
        content=message.content,
        tool_calls=calls,
        reasoning=message.reasoning,
        reasoning_details=message.reasoning_details,
        refusal=message.refusal,
        annotations=message.annotations,
        audio=message.audio,
    )
    return ChunkChoice(choice.index, delta, choice.finish_reason, choice.logprobs)


def _has_content(chunk: ChatCompletionChunk) -> bool:
    """Return whether a chunk brings a part of the answer or ends one; a keep-alive does not."""
    for choice in chunk.choices:
        delta = choice.delta
        if (
            delta.content
            or delta.reasoning
            or delta.reasoning_details
            or delta.refusal
            or delta.annotations
            or delta.audio
            or choice.finish_reason is not None
            or any(map(_adds_to_call, delta.tool_calls or ()))
        ):
            return True
    return False


def _adds_to_call(call: ChoiceDeltaToolCall) -> bool:
    function = call.function
    return bool(
        call.id or call.custom or (function is not None and (function.name or function.arguments))
    )


class StreamState:
    """Receive-side state of one stream: takes bytes, gives chunks; does no I/O itself.

    Only its methods change it. The thread or task that reads the stream calls them; `abandon`,
    `take_opened` and `end` may come from another one.

    Args:
        reader: the dialect's stream decoder, which turns bytes into chunks.
        source: provider and model that answer, and the secrets to redact in errors.
        status: the reply's HTTP status.
        headers: the reply's headers, names in lower case.
        idle_timeout_s: longest wait for the next bytes after the commit point.
        content_timeout_s: longest wait for the next content; only the waits for bytes count, not
            the time that the caller takes.
        max_frame_bytes: limit of the decompressed size of one piece of a compressed body.
        opened: open reply that holds the rest of the body, `None` if the body is complete.
        now: the clock, `time.monotonic` or one that is played.

    Attributes:
        ready: the decoded chunks that no reader has taken yet, the oldest first.
        next_chunk: removes and returns the oldest of them; an `IndexError` if there is none.
        error: the failure of the stream, `None` if it has not failed.
        extensions: the metadata of the call, which the caller reads.
        earlier_errors: the errors of the attempts before this one.
    """

    def __init__(
        self,
        reader: StreamDecoder | WholeReply,
        source: ReplySource,
        *,
        status: int,
        headers: dict[str, str],
        idle_timeout_s: float,
        max_frame_bytes: int,
        opened: OpenReply | AsyncOpenReply | None,
        content_timeout_s: float = math.inf,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.source = source
        self.headers = headers
        self._idle_timeout_s = idle_timeout_s
        self._content_timeout_s = content_timeout_s
        self._now = now
        self._read_began_s = now()
        # How long the reads since the last content took, and whether the bound on that ends the
        # current one.
        self._silent_s = 0.0
        self._is_bound_by_content = False
        self.ready: deque[ChatCompletionChunk] = deque()
        self.next_chunk = self.ready.popleft
        self.error: Optional[ProviderError] = None
        self.extensions = Extensions(source.provider)
        self.earlier_errors: tuple[ProviderError, ...] = ()
        self._earlier_notes: tuple[str, ...] = ()
        self._skipped: Optional[str] = None
        self._on_end: Optional[Callable[[StreamState], None]] = None
        self._opened = opened
        self._has_marked_end = opened is None or opened.has_marked_end
        self._reader = reader
        self._body = StreamBody(headers if opened is not None else {}, max_frame_bytes)
        self._status = status
        self._response: Optional[ChatCompletionResponse] = None
        if isinstance(reader, WholeReply):
            self.ready.extend(reader.chunks())

    def commit(
        self,
        on_end: Callable[[StreamState], None],
        *,
        earlier_errors: Sequence[ProviderError],
        earlier_notes: Sequence[str],
        skipped: Optional[str],
    ) -> None:
        """Make the stream the result of its call, past the commit point.

        *on_end* is called once, at the end of the stream. *earlier_errors* and *earlier_notes* are
        those of the attempts before; *skipped* says why the first candidate was not asked, if it
        was not.
        """
        self._on_end = on_end
        self.earlier_errors = tuple(earlier_errors)
        self._earlier_notes = tuple(earlier_notes)
        self._skipped = skipped
        metadata = self.extensions.metadata
        metadata["time_to_first_content_ms"] = metadata["latency_ms"]

    def add_metadata(self, **facts: Any) -> None:
        """Add to the metadata of the call, or replace it there."""
        self.extensions.metadata.update(facts)

    @property
    def has_ended(self) -> bool:
        """True once `end` was called."""
        return self._on_end is None

    @property
    def opened(self) -> OpenReply | AsyncOpenReply | None:
        """The open reply to read the rest of the body from; `None` where there is none."""
        return self._opened

    def take_opened(self) -> OpenReply | AsyncOpenReply | None:
        """Return the open reply, which the caller has to free; from then on there is none."""
        opened, self._opened = self._opened, None
        return opened

    @property
    def is_over(self) -> bool:
        """True once the stream is complete: its terminal event has come, without an error."""
        return self._reader.is_over and self.error is None

    @property
    def is_committed(self) -> bool:
        """True once the stream is past its commit point: content, or a normal end, has come."""
        return self._reader.has_content

    @property
    def is_pending(self) -> bool:
        """True while the stream is neither past its commit point nor failed."""
        return self.error is None and not self._reader.has_content

    @property
    def is_refusal(self) -> bool:
        """True if the first content, or the end in its place, is the model's refusal."""
        return self._reader.is_refusal

    def reply_facts(self) -> dict[str, Any]:
        """Return the facts of an error that tell what the reply was; it has no body to show."""
        return self.source.facts_of(self._status, self.headers)

    def next_read(self, until: Optional[float] = None) -> float:
        """Begin to wait for bytes; return the time of `time.monotonic` until when to wait.

        That is *until* or, without one, when the stream has been idle for too long; earlier where
        the time for the next content is up by then.
        """
        self._read_began_s = self._now()
        if until is None:
            until = until_after(self._idle_timeout_s)
        content_until = until_after(self._content_timeout_s - self._silent_s)
        self._is_bound_by_content = content_until < until
        return content_until if self._is_bound_by_content else until

    def is_silence(self, failure: TransportFailure) -> bool:
        """Return whether *failure* of a read is that no content came for too long."""
        return failure.kind == "timeout" and self._is_bound_by_content

    def _add(self, chunks: list[ChatCompletionChunk]) -> None:
        self.ready.extend(chunks)
        if any(map(_has_content, chunks)):
            self._silent_s = 0.0

    def take(self, data: bytes) -> None:
        """Decode the next bytes of the body, `b""` at its end; a failed stream ignores them.

        Another thread may have closed the stream while the bytes were read.
        """
        reader = self._reader
        if self.error is not None:
            return
        self._silent_s += self._now() - self._read_began_s
        try:
            if data:
                self._add(reader.feed(self._body.decode(data)))
                self._add(reader.feed(b""))  # raises the error after the last good chunk
            else:
                self._add(reader.finish(is_clean=self._has_marked_end))
                self._add(reader.feed(b""))
        except TransportFailure as failure:
            self.break_off(failure)
        except MalformedResponseError as error:
            self._fail(self._malformed(error.message, error.code))
        else:
            if reader.failure is not None:
                reply = WireReply(self._status, self.headers, reader.failure)
                self._fail(reported_error(self.source, reply, datetime.now(timezone.utc)))
            elif not data and not reader.is_over:
                text = "the stream ended without its terminal event"
                self._fail(self._malformed(text, "truncated"))
            elif self._silent_s >= self._content_timeout_s and not reader.is_over:
                self._fail(self._silence())

    def break_off(self, failure: TransportFailure) -> None:
        """Record a transport failure as the error of the stream."""
        if self.is_silence(failure):
            self._fail(self._silence())
            return
        error = error_from_failure(self.source, failure)
        facts = self.reply_facts()
        error.headers, error.request_id = facts["headers"], facts["request_id"]
        self._fail(error)

    def abandon(self, code: str, message: str) -> None:
        """Record that the caller stopped reading, unless the stream is already complete."""
        if not self._reader.is_over:
            source = self.source
            self._fail(
                ProviderError(message, provider=source.provider, model=source.model, code=code)
            )

    def _fail(self, error: ProviderError) -> None:
        if self.error is None:  # the first error counts
            self.error = error

    def _silence(self) -> DeadlineExceededError:
        facts = self.reply_facts()
        return self.source.error(
            DeadlineExceededError,
            f"no content came for {self._content_timeout_s:g} s (content_timeout_seconds)",
            code=CONTENT_TIMEOUT,
            **{**facts, "status_code": None},
        )

    def _malformed(self, message: str, code: str | None) -> MalformedResponseError:
        return self.source.error(
            MalformedResponseError,
            message,
            code=code,
            **self.reply_facts(),
        )

    def end(self) -> None:
        """Call the `on_end` of `commit`, once: the stream is complete, failed or abandoned."""
        on_end, self._on_end = self._on_end, None
        if on_end is not None:
            on_end(self)

    def response(self) -> ChatCompletionResponse:
        """Return the reply that the chunks so far add up to."""
        if self._response is None or self.error is not None:
            response, notes = self._reader.response()
            add_tag(response, self.source.base_url)
            response.headers = self.headers
            response.extensions = self.extensions
            if notes:
                self.extensions.metadata["reply_notes"] = [*self._earlier_notes, *notes]
            self._response = response
        return self._response

    def interruption(self) -> StreamInterruptedError:
        """Return the `StreamInterruptedError` of a stream that failed after its commit point."""
        cause = self.error
        if cause is None:
            raise TypeError("the stream has not failed")
        if isinstance(cause, StreamInterruptedError):
            return cause
        partial = self.response()
        addition = "" if self._skipped is None else f"; {self._skipped}"
        self.error = StreamInterruptedError(
            f"{cause.message}: the answer is not whole{addition}",
            partial=partial,
            provider=self.source.provider,
            model=self.source.model,
            status_code=cause.status_code,
            code=cause.code,
            retryable=cause.retryable,
            retry_after_s=cause.retry_after_s,
            request_id=self.extensions.metadata.get("request_id"),
            attempts=self.extensions.attempts,
            errors=(*self.earlier_errors, cause),
            stopped_by="not_retryable",
            headers=self.reply_facts()["headers"],
            body=cause.body,
        )
        return self.error
