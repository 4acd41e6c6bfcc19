"""Restores the caller's names of tools in replies, where a request had to rename them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from specado.dialects.contract import StreamDecoder
    from specado.types import ChatCompletionChunk, ChatCompletionResponse

__all__ = ["RestoringDecoder", "restore_tool_names"]


def restore_tool_names(reply: ChatCompletionResponse, names: Mapping[str, str]) -> None:
    """Give the calls of a reply the caller's names; *names* has them by the names in the request.

    The names in `raw` stay as the provider sent them.
    """
    for choice in reply.choices:
        _restore(choice.message.tool_calls or (), names)


def _restore(calls: Iterable[Any], names: Mapping[str, str]) -> None:
    for call in calls:
        if call.function is not None and call.function.name in names:
            call.function.name = names[call.function.name]
        custom = call.custom
        if isinstance(custom, dict) and custom.get("name") in names:
            call.custom = {**custom, "name": names[custom["name"]]}


class RestoringDecoder:
    """A stream decoder whose chunks and reply have the caller's names of tools.

    Belongs to one stream, as the decoder that it gets its chunks from.
    """

    def __init__(self, decoder: StreamDecoder, names: Mapping[str, str]) -> None:
        self._decoder = decoder
        self._names = names

    @property
    def is_over(self) -> bool:
        """True once the terminal event has come."""
        return self._decoder.is_over

    @property
    def has_content(self) -> bool:
        """True once content has come, or a normal end."""
        return self._decoder.has_content

    @property
    def is_refusal(self) -> bool:
        """True if the first content, or the end in its place, is the model's refusal."""
        return self._decoder.is_refusal

    @property
    def failure(self) -> bytes | None:
        """The body of an error that came as an event, `None` without one."""
        return self._decoder.failure

    def feed(self, data: bytes) -> list[ChatCompletionChunk]:
        """Return the chunks that are complete with *data*."""
        return self._restored(self._decoder.feed(data))

    def finish(self, *, is_clean: bool = True) -> list[ChatCompletionChunk]:
        """Return the last chunks, at the end of the body; see `StreamDecoder.finish`."""
        return self._restored(self._decoder.finish(is_clean=is_clean))

    def response(self) -> tuple[ChatCompletionResponse, list[str]]:
        """Return the reply that the chunks so far add up to, and its notes."""
        reply, notes = self._decoder.response()
        restore_tool_names(reply, self._names)
        return reply, notes

    def _restored(self, chunks: list[ChatCompletionChunk]) -> list[ChatCompletionChunk]:
        for chunk in chunks:
            for choice in chunk.choices:
                _restore(choice.delta.tool_calls or (), self._names)
        return chunks
