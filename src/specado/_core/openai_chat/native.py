"""Makes the records of answers with members that OpenAI does not document, which go back.

Servers of this dialect add their reasoning to an answer under several names, and Gemini's signature
to its calls. A record has one block for each such member: kind "member" for a text, "reasoning" for
an entry of `reasoning_details`, "part" for a part of the content that is reasoning, "call_member"
for a call with `extra_content`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

import msgspec
from msgspec.structs import astuple, replace

from specado._core.native import READERS, model_family
from specado._core.repair import REASONING_MEMBERS, is_reasoning_part, text_of_reasoning
from specado.types import NativeBlock, NativeContent, ReasoningBlock

if TYPE_CHECKING:
    from collections.abc import Iterable

    from specado.types import Choice, Message

__all__ = [
    "DIALECT",
    "add_records",
    "added_to_calls",
    "are_openrouters",
    "extra_content_in",
    "native_of_pieces",
    "unread_members_of_details",
]

DIALECT = "openai_chat"

# The names under which servers give the text of reasoning.
TEXT_MEMBERS = ("reasoning", "reasoning_content")


class _Function(msgspec.Struct):
    name: str
    arguments: str


class _Call(msgspec.Struct):
    """A call of a stored record, with what its server added."""

    id: str
    function: _Function
    extra_content: msgspec.Raw


class _GivenCall(msgspec.Struct):
    id: Any = None
    extra_content: msgspec.Raw = msgspec.Raw(b"")


class _GivenMessage(msgspec.Struct):
    """The members of a reply's message that its server may want back."""

    content: Any = None
    reasoning: Any = None
    reasoning_content: Any = None
    reasoning_details: Optional[list[msgspec.Raw]] = None
    tool_calls: Optional[list[_GivenCall]] = None


class _Choice(msgspec.Struct):
    message: _GivenMessage


class _Reply(msgspec.Struct):
    choices: list[_Choice]


class _PieceOfCall(_GivenCall):
    index: Any = None


class _Delta(msgspec.Struct):
    tool_calls: Optional[list[_PieceOfCall]] = None


class _ChunkChoice(msgspec.Struct):
    delta: _Delta
    index: int = 0


class _Chunk(msgspec.Struct):
    choices: list[_ChunkChoice]


# The members of a reasoning block that are read of a stream.
_READ_MEMBERS = tuple(name for name in ReasoningBlock.__struct_fields__ if name != "model")
_ReadBlock = msgspec.defstruct(
    "_ReadBlock",
    [(name, Any, None) for name in _READ_MEMBERS],
    forbid_unknown_fields=True,
)


class _ReadDelta(msgspec.Struct):
    reasoning_details: Optional[list[_ReadBlock]] = None  # type: ignore[valid-type]


class _ReadChoice(msgspec.Struct):
    delta: Optional[_ReadDelta] = None


class _ReadChunk(msgspec.Struct):
    choices: list[_ReadChoice]


class _Details(msgspec.Struct):
    reasoning_details: Optional[list[dict[str, Any]]] = None


class _DetailsChoice(msgspec.Struct):
    delta: Optional[_Details] = None


class _DetailsChunk(msgspec.Struct):
    choices: list[_DetailsChoice]


class _Members(msgspec.Struct):
    reasoning: Optional[str] = None
    reasoning_content: Optional[str] = None


_decode_reply = msgspec.json.Decoder(_Reply).decode
_decode_chunk = msgspec.json.Decoder(_Chunk).decode
_decode_read = msgspec.json.Decoder(_ReadChunk).decode
_decode_details = msgspec.json.Decoder(_DetailsChunk).decode
_decode_call = msgspec.json.Decoder(_Call).decode


def add_records(choices: list[Choice], body: bytes, provider: str, model: str) -> None:
    """Give the messages of a reply their records, from the JSON of its *body*."""
    try:
        found = _decode_reply(body).choices
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    if len(found) == len(choices):
        for choice, given in zip(choices, found):
            choice.message.native = native_of(choice.message, given.message, provider, model)


def native_of(
    message: Message, given: _GivenMessage, provider: str, model: str
) -> NativeContent | None:
    """Return the record of a *message*, from what its server *given*; `None` without such members.

    Members that are null are left out: some servers refuse nulls that they wrote themselves.
    """
    made = []
    for name in TEXT_MEMBERS:
        text = getattr(given, name)
        if isinstance(text, str) and text == message.reasoning:
            made.append(NativeBlock("member", msgspec.json.encode({name: text}), (name, text)))
    for place, part in enumerate(_leading_thoughts(given.content)):
        made.append(NativeBlock("part", msgspec.json.encode(part), (place,)))
    for block, raw in zip(message.reasoning_details or (), given.reasoning_details or ()):
        made.append(NativeBlock("reasoning", bytes(raw), astuple(block)))
    for call, given_call in zip(message.tool_calls or (), given.tool_calls or ()):
        added = bytes(given_call.extra_content)
        if added in (b"", b"null") or call.function is None:
            continue
        if given_call.id != call.id and given_call.id:
            continue
        function = {"name": call.function.name, "arguments": call.function.arguments}
        raw_call = msgspec.json.encode(
            {"id": call.id, "function": function, "extra_content": msgspec.Raw(added)}
        )
        values = (call.id, call.function.name, call.function.arguments)
        made.append(NativeBlock("call_member", raw_call, values))
    if not made:
        return None
    family = model_family(model)
    return NativeContent(DIALECT, provider, "", model, family, tuple(made), message.reasoning)


def _leading_thoughts(content: Any) -> list[Any]:
    """Return the parts of a content that are reasoning; none where other parts come before one.

    Then `Message.content`, one text, would not keep the order.
    """
    if not isinstance(content, list):
        return []
    thoughts = [part for part in content if is_reasoning_part(part)]
    return thoughts if thoughts == content[: len(thoughts)] else []


def added_to_calls(frame: bytes) -> list[tuple[int, Any, Any, bytes]]:
    """Return what a chunk adds to calls: the choice, the call's index and id, and the JSON."""
    try:
        found = _decode_chunk(frame).choices
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []
    return [
        (choice.index, call.index, call.id, bytes(call.extra_content))
        for choice in found
        for call in choice.delta.tool_calls or ()
        if bytes(call.extra_content) not in (b"", b"null")
    ]


def unread_members_of_details(frame: bytes) -> list[list[dict[str, Any]]]:
    """Return the members of reasoning blocks in a chunk that are not read, by choice and block.

    Empty where there are none, as a rule.
    """
    try:
        _decode_read(frame)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    else:
        return []
    try:
        choices = _decode_details(frame).choices
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    return [
        [
            {name: value for name, value in block.items() if name not in _READ_MEMBERS}
            for block in (choice.delta and choice.delta.reasoning_details) or ()
        ]
        for choice in choices
    ]


def native_of_pieces(
    message: Message,
    names: Iterable[str],
    parts: Iterable[dict[str, Any]],
    unread: Iterable[dict[str, Any]],
    extra: dict[str, bytes],
    provider: str,
    model: str,
) -> NativeContent | None:
    """Return the record of a streamed answer.

    *names* are those under which the text of its reasoning came, *parts* the pieces of its content
    that are reasoning, *unread* the members of its reasoning blocks that are not read; *extra* is
    the JSON that its server added to a call, by the call's id.
    """
    details = [
        _members_of(block, more) for block, more in zip(message.reasoning_details or (), unread)
    ]
    calls = [
        _GivenCall(call.id, msgspec.Raw(extra.get(call.id, b"")))
        for call in message.tool_calls or ()
    ]
    given = _GivenMessage(_joined_parts(parts), None, None, details, calls)
    for name in names:
        setattr(given, name, message.reasoning)
    return native_of(message, given, provider, model)


def _joined_parts(pieces: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the parts that pieces in a stream's content add up to.

    Pieces of one type are one part, which ends with a piece that is `closed`, as Mistral writes.
    """
    runs: list[list[dict[str, Any]]] = []
    for piece in pieces:
        last = runs[-1][-1] if runs else None
        if last is None or last["type"] != piece["type"] or last.get("closed") is True:
            runs.append([])
        runs[-1].append(piece)
    return [_joined_members(run) for run in runs]


def _joined_members(pieces: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the members of all pieces: texts and their lists are joined, the rest is the last."""
    made: dict[str, Any] = {}
    for name in dict.fromkeys(name for piece in pieces for name in piece):
        values = [piece[name] for piece in pieces if piece.get(name) is not None]
        if name in REASONING_MEMBERS and all(isinstance(value, str) for value in values):
            made[name] = "".join(values)
        elif name in REASONING_MEMBERS and all(isinstance(value, list) for value in values):
            made[name] = _joined_texts([item for value in values for item in value])
        else:
            made[name] = values[-1] if values else None
    return made


def _joined_texts(items: list[Any]) -> list[Any]:
    """Return a list of parts in which neighbours that differ in their text only are one."""
    made: list[Any] = []
    texts: list[str] = []
    for item in items:
        rest, text = item, None
        if isinstance(item, dict) and isinstance(item.get("text"), str):
            rest, text = {**item, "text": None}, item["text"]
        if text is not None and texts and made[-1] == rest:
            texts.append(text)
            continue
        if texts:
            made[-1] = {**made[-1], "text": "".join(texts)}
        texts = [] if text is None else [text]
        made.append(rest)
    if texts:
        made[-1] = {**made[-1], "text": "".join(texts)}
    return made


def _members_of(block: ReasoningBlock, more: dict[str, Any]) -> msgspec.Raw:
    """Return a reasoning block in OpenRouter's form, with *more* members."""
    found = msgspec.json.encode(replace(block, model=None))
    if more:
        found = msgspec.json.encode({**msgspec.json.decode(found), **more})
    return msgspec.Raw(found)


def extra_content_in(raw: bytes) -> bytes:
    """Return the JSON of what a server added to the call in a record's block."""
    return bytes(_decode_call(raw).extra_content)


def are_openrouters(details: list[dict[str, Any]] | None) -> bool:
    """Return whether reasoning blocks have OpenRouter's form, and not Anthropic's."""
    return details is not None and all(
        str(block.get("type")).startswith("reasoning.") for block in details
    )


def _read_stored(
    raws: list[bytes],
    model: str,  # noqa: ARG001 - part of every reader
) -> tuple[tuple[NativeBlock, ...], Optional[str]]:
    """Return the blocks of a stored record and the canonical reasoning; see `READERS`."""
    made = []
    reasoning = None
    for place, raw in enumerate(raws):
        members = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        part = msgspec.json.decode(raw)
        if is_reasoning_part(part):
            reasoning = (reasoning or "") + text_of_reasoning(part)
            made.append(NativeBlock("part", raw, (place,)))
        elif "type" in members:
            block = msgspec.json.decode(raw, type=ReasoningBlock)
            if not block.type.startswith("reasoning."):
                raise ValueError(f"{block.type} is not a type of reasoning")
            made.append(NativeBlock("reasoning", raw, astuple(block)))
        elif "extra_content" in members:
            call = _decode_call(raw)
            values = (call.id, call.function.name, call.function.arguments)
            made.append(NativeBlock("call_member", raw, values))
        else:
            if len(members) != 1:
                raise ValueError("a text of reasoning is one member")
            given = msgspec.json.decode(raw, type=_Members)
            for name in TEXT_MEMBERS:
                text = getattr(given, name)
                if text is not None:
                    reasoning = text
                    made.append(NativeBlock("member", raw, (name, text)))
    if len(made) != len(raws):
        raise ValueError("not members of an answer")
    return tuple(made), reasoning


READERS[DIALECT] = _read_stored
