"""Dialect contract: the functions and facts of one wire format.

A dialect translates between its wire format and the canonical form, for both sides of a
connection. `specado.dialects.registry` lists the dialects. No dialect imports another one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Callable, Literal, Optional, Protocol

import msgspec

from specado._core import Conversation, Reported
from specado.errors import ProviderError, SpecadoError
from specado.losses.field import FieldTable
from specado.types import ChatCompletionChunk, ChatCompletionResponse

if TYPE_CHECKING:
    from specado.catalog.lookup import Model, RequestRules

__all__ = [
    "DecodedRequest",
    "Dialect",
    "EncodeRequest",
    "Encoded",
    "ErrorFacts",
    "ErrorTable",
    "MakeStreamDecoder",
    "MakeStreamEncoder",
    "StreamDecoder",
    "StreamEncoder",
    "Target",
]

# Parts of a canonical path that name one item of the caller's request.
_TURN = r"messages\[(\d+)\](?:\.(content|tool_calls|reasoning_details)\[(\d+)\])?.*"
_TOOL = r"tools\[\d+\]"
_FUNCTION = ".function"
_TOOL_SCHEMA = ".parameters"
_CACHE = ".cache_control"


class Encoded(msgspec.Struct, frozen=True):
    """An encoded request body, and the losses of its translation.

    `answer_tool` is the name of the forced tool whose input is the answer, if structured output is
    emulated by a forced tool call; else `None`. `tool_names` has the caller's name of each tool
    that was renamed, by the name in the body; `None` if none was.
    """

    body: bytes
    losses: list[Reported]
    answer_tool: Optional[str] = None
    tool_names: Optional[dict[str, str]] = None


class DecodedRequest(msgspec.Struct, frozen=True):
    """A request in a dialect, decoded into the canonical form.

    Attributes:
        dialect: name of the dialect in which the request was written.
        native: the request as the caller gave it, by its members. It belongs to the caller.
        model: the model that the request names.
        conversation: its messages in the canonical form.
        parameters: its other members in the canonical form.
        losses: the losses of decoding, with paths in *native*.
        places: the path in *native* of each canonical parameter, or member of one, that has
            another name there. The entry "parameters" is the path of a schema below its tool, a
            path in *native* with `.cache_control` that of a cache mark which stands elsewhere.
            `None` if *native* has the canonical form.
    """

    dialect: str
    native: dict[str, Any]
    model: str
    conversation: Conversation
    parameters: dict[str, Any]
    losses: list[Reported]
    places: Optional[dict[str, str]] = None

    def losses_with(self, encoded: list[Reported], dialect: str) -> list[Reported]:
        """Return the losses of decoding and encoding, with paths in the caller's request.

        *encoded* are the losses of encoding this request in *dialect*. An encoder that is given a
        request in its own dialect starts from `native`: its losses are complete already.
        """
        if self.places is None or dialect == self.dialect:
            return encoded
        return self.losses + [
            (row, self._native_path(path), before, after) for row, path, before, after in encoded
        ]

    def _native_path(self, path: str) -> str:
        """Return the path in the caller's request of a canonical *path*."""
        places = self.places or {}
        found = re.fullmatch(_TURN, path)
        if found is not None:
            index, name, place = found.groups()
            origin = self.conversation.origin(int(index), name, int(place or 0))
            _, mark, option = path.partition(_CACHE)
            if not mark:
                return origin
            return places.get(origin + _CACHE, origin + _CACHE) + option
        name = _longest_known(path, places)
        if name is None:
            return path
        rest = path[len(name) :]
        if re.fullmatch(_TOOL, name):
            rest = rest.removeprefix(_FUNCTION)
            if rest.startswith(_TOOL_SCHEMA):
                rest = places.get("parameters", _TOOL_SCHEMA) + rest[len(_TOOL_SCHEMA) :]
        return places[name] + rest


def _longest_known(path: str, places: Mapping[str, str]) -> Optional[str]:
    """Return the longest beginning of *path* that is a path in *places*, `None` without one."""
    end = len(path)
    while end > 0:
        if path[:end] in places:
            return path[:end]
        end = max(path.rfind(".", 0, end), path.rfind("[", 0, end))
    return None


class Target(msgspec.Struct, frozen=True):
    """The provider that a request is for, and what it takes back of its answers.

    `tag` is a hash of its address. `returns` names the members of OpenAI-compatible answers that
    are sent back: `reasoning`, `reasoning_content`, `reasoning_details`, `content[].reasoning`,
    `tool_calls[].extra_content`.
    """

    provider: str
    tag: str
    returns: frozenset[str]


class ErrorFacts(msgspec.Struct, frozen=True):
    """Facts in an error reply: type, code, message, delay, request id; `None` if it lacks one.

    `retry_after_s` and `request_id` are those of the body, or of headers that only this dialect
    has. The usual `Retry-After` headers and the dialect's `request_id_headers` count before them.
    """

    type: Optional[str] = None
    code: Optional[str] = None
    message: Optional[str] = None
    retry_after_s: Optional[float] = None
    request_id: Optional[str] = None


class ErrorTable(msgspec.Struct, frozen=True):
    """The error class for each code, type and fixed message of a dialect's error replies.

    Attributes:
        codes: class by code or type; the table counts before the HTTP status.
        general_types: class by a code or type that is less specific than the HTTP status.
        messages: for errors without a code of their own: (class by status and code, part of the
            lower-case message, class).
        unknown_model: codes that say that the model is unknown, and not the path.
        refinements: *messages* by the class that they refine; filled where tables are merged.
        refused_signed: regular expressions of the code and message (`code: message`) of errors
            that refuse the signature or the encryption of reasoning which was sent back.
        expired: codes and types that say that temporary credentials have expired.
    """

    codes: Mapping[str, type[ProviderError]]
    general_types: Mapping[str, type[ProviderError]]
    messages: tuple[tuple[type[ProviderError], str, type[ProviderError]], ...] = ()
    unknown_model: frozenset[str] = frozenset()
    refinements: Mapping[type[ProviderError], Sequence[tuple[str, type[ProviderError]]]] = {}
    refused_signed: tuple[str, ...] = ()
    expired: frozenset[str] = frozenset()


class EncodeRequest(Protocol):
    """Encodes a canonical request as the bytes of a request body."""

    def __call__(
        self,
        conversation: Conversation,
        model: str,
        parameters: dict[str, Any],
        facts: Optional[Model],
        rules: RequestRules,
        source: Optional[DecodedRequest] = None,
        target: Optional[Target] = None,
    ) -> Encoded:
        """Return the encoded body, its losses and the tool of an emulated answer.

        *model* is the id that the body names; *facts* are the catalog's facts about the model,
        `None` if it does not list it; *rules* are those of the servers that get the request.
        *source* is given where the request was decoded from a dialect. If that is the encoder's own
        dialect, the encoder keeps what the canonical form lacks, and its losses have paths in
        `source.native`; else it ignores *source*. *target* tells which answers in the conversation
        are the provider's own; without it none is.

        Raises:
            MessageFormatError: the request holds a value that JSON cannot represent.
        """


class StreamDecoder(Protocol):
    """Decodes the bytes of one streamed reply into chunks, and assembles the whole reply.

    One stream has one decoder; threads do not share it.
    """

    @property
    def is_over(self) -> bool:
        """True once the terminal event has come."""

    @property
    def has_content(self) -> bool:
        """True once content has come, or a normal end."""

    @property
    def is_refusal(self) -> bool:
        """True if the first content, or the end in its place, is the model's refusal."""

    @property
    def failure(self) -> Optional[bytes]:
        """The body of an error that came as an event, `None` without one."""

    def feed(self, data: bytes) -> list[ChatCompletionChunk]:
        """Return the chunks that are complete with *data*.

        Raises:
            MalformedResponseError: an event is malformed. The chunks before it have been returned:
                the error comes from the next `feed`, so call `feed(b"")` after each piece.
        """

    def finish(self, *, is_clean: bool = True) -> list[ChatCompletionChunk]:
        """Return the last chunks, at the end of the body.

        The end *is_clean* if it is marked, and not only the closing of the connection.
        """

    def response(self) -> tuple[ChatCompletionResponse, list[str]]:
        """Return the reply that the chunks so far add up to, and its notes."""


class MakeStreamDecoder(Protocol):
    """Makes the stream decoder of one reply."""

    def __call__(
        self,
        provider: str,
        model: str,
        created: int,
        *,
        emulated: bool = False,
        include_usage: bool = False,
        stop_means_calls: bool = False,
        stream_end: str = "",
        reply_id: str = "",
        max_frame_bytes: int,
        max_reply_bytes: int,
    ) -> StreamDecoder:
        """Return a decoder; *model* and *created* are used where the reply has none.

        Args:
            provider: the provider's name.
            model: the model id in the request.
            created: seconds since the epoch.
            emulated: the answer comes as the input of a forced tool.
            include_usage: add a last chunk with the usage.
            stop_means_calls: `stop` beside tool calls is read as `tool_calls`, with a note.
            stream_end: what proves that the stream is whole: `""`, the dialect's terminal event
                alone; also, at a clean end of the bytes, `"finish_reason"`, the finish reason of
                every choice; `"finish_and_usage"`, that and the usage; `"unknown"`, the same with
                a note. `"sentinel"` and `"terminal_event"` are as `""`.
            reply_id: the id in the reply's `reply_id_header`, for a dialect that has one.
            max_frame_bytes: limit of one event.
            max_reply_bytes: limit of the assembled reply.
        """


class StreamEncoder(Protocol):
    """Encodes the chunks of one streamed reply as the bytes of its events, framing included.

    One stream has one encoder; threads do not share it.
    """

    @property
    def losses(self) -> list[Reported]:
        """The losses so far, with paths in the canonical chunks."""

    def encode(self, chunk: ChatCompletionChunk) -> bytes:
        """Return the events that are complete with *chunk*; `b""` if none is."""

    def finish(self) -> bytes:
        """Return the last events of a stream that is whole, the terminal event included."""

    def fail(self, body: bytes) -> bytes:
        """Return the error event with *body*, that of `encode_error`; the stream is not whole."""


class MakeStreamEncoder(Protocol):
    """Makes the stream encoder of one reply."""

    def __call__(self, *, include_usage: bool = False) -> StreamEncoder:
        """Return an encoder.

        Args:
            include_usage: the client asked for a last chunk with the usage; without effect in a
                dialect whose streams always have it.
        """


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """One wire format: its facts and functions.

    Facts:
        name: name in manifests.
        provider: the shipped provider whose API defines the dialect; its address is in hints.
        path: takes the model id and whether the reply is streamed, and returns the path after the
            base URL. The manifest of a provider may give another path.
        framing: the form of the events in a stream: server-sent events or AWS event streams.
        request_fields: the counterpart of each canonical field in this dialect's requests.
        source_fields: the counterpart of each field of its requests in the canonical form.
        members: the top-level members of its requests that are read.
        nested_members: members of its requests that hold the request's settings: an `extra_body`
            adds to them instead of replacing them.
        parameters: the canonical parameters that its requests can express.
        binding_members: those of the *members* that name something stored with the provider, and so
            keep the conversation there, unless they are false or null.
        reply_members: top-level members by which a whole reply of this dialect is recognised.
        errors: the classes of its errors.
        request_id_headers: response headers (lower case) with the provider's id of the request,
            the usual one first.
        reply_id_header: response header (lower case) with the id of a reply, for a dialect whose
            replies have no id; `""` for the others.

    Client side (this process calls a provider):
        encode_request: see `EncodeRequest`.
        decode_reply: takes the body, the provider's name, the model id and the seconds since the
            epoch; returns the completion and the notes on its repairs. Raises
            `MalformedResponseError`, and `ReportedFailure` for an error beside an answer.
        stream_decoder: see `MakeStreamDecoder`.
        decode_error: takes the HTTP status, the headers (names in lower case) and the body;
            returns `ErrorFacts`. Total: any body gives facts.

    Server side (another program calls this process):
        decode_request: takes a dict, or JSON text (str, bytes or bytearray); returns a
            `DecodedRequest`. In a request from JSON text, members that the dialect does not know
            may stay raw JSON (`msgspec.Raw`). Raises `MessageFormatError` for a request that is
            not well formed, and `ConfigurationError` for one that names no model.
        encode_reply: takes a completion; returns the body and the losses, with paths in the
            completion.
        stream_encoder: see `MakeStreamEncoder`.
        encode_error: takes an exception; returns the HTTP status, the headers and the body with
            which the API answers such an error. None of them has a key.
    """

    name: str
    provider: str
    path: Callable[[str, bool], str]
    framing: Literal["sse", "aws_event_stream"]
    request_fields: FieldTable
    source_fields: FieldTable
    members: frozenset[str]
    parameters: frozenset[str]
    errors: ErrorTable
    request_id_headers: tuple[str, ...]
    reply_id_header: str = ""
    nested_members: frozenset[str] = frozenset()
    binding_members: frozenset[str] = frozenset()
    reply_members: frozenset[str]

    encode_request: EncodeRequest
    decode_reply: Callable[[bytes, str, str, int], tuple[ChatCompletionResponse, list[str]]]
    stream_decoder: MakeStreamDecoder
    decode_error: Callable[[int, Mapping[str, str], bytes], ErrorFacts]

    decode_request: Callable[[Any], DecodedRequest]
    encode_reply: Callable[[ChatCompletionResponse], tuple[bytes, list[Reported]]]
    stream_encoder: MakeStreamEncoder
    encode_error: Callable[[SpecadoError], tuple[int, dict[str, str], bytes]]

    def request_id_in(self, headers: Mapping[str, str]) -> Optional[str]:
        """Return the provider's id of a request in a reply's headers, `None` without one."""
        for name in self.request_id_headers:
            found = headers.get(name)
            if found:
                return found
        return None
