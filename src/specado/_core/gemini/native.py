"""Records of Gemini's answers, which are sent back as they came (google-genai 3.6.1).

A record has a block for each part. A thought signature beside a text or a call is a block of its
own, of kind "reasoning", before the block of its part; the encoder joins the two again. A caller
who removes the reasoning of a message thereby removes the signatures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

import msgspec
from msgspec.structs import astuple

from specado._core.gemini.wire import Part, RawReply
from specado._core.native import READERS, model_family
from specado.types import NativeBlock, NativeContent, ReasoningBlock

if TYPE_CHECKING:
    from specado.types import Message

__all__ = [
    "DIALECT",
    "SIGNATURE",
    "SIGNATURE_FORMAT",
    "STAND_IN",
    "THOUGHT",
    "compact",
    "native_of",
    "raw_parts",
    "signature_block",
    "thought_block",
]

DIALECT = "gemini"
# The format of a reasoning block with a thought signature, by OpenRouter's name (2026-11-30).
SIGNATURE_FORMAT = "google-gemini-v1"
# What Gemini 3 takes for the signature of a call that another model made ("Thought signatures"
# guide, read 2026-11-30).
STAND_IN = "skip_thought_signature_validator"
# The type of a reasoning block that is a signature, and that of a thought.
SIGNATURE = "reasoning.encrypted"
THOUGHT = "reasoning.text"

# The kinds of data that an answer's part may have beside text and calls.
_OTHER_KINDS = (
    "inline_data",
    "file_data",
    "executable_code",
    "code_execution_result",
    "tool_call",
    "tool_response",
)

_decode_reply = msgspec.json.Decoder(RawReply).decode
_decode_part = msgspec.json.Decoder(Part).decode
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def compact(raw: bytes) -> bytes:
    """Return JSON without white space between its tokens: whole replies are indented."""
    if b"\n" not in raw:
        return raw
    found: bytes = msgspec.json.format(raw, indent=-1)
    return found


def raw_parts(body: bytes, place: int) -> list[bytes]:
    """Return the JSON of each part of the candidate at *place*; none where it is not readable."""
    try:
        content = _decode_reply(body).candidates[place].content
    except (*_UNREADABLE, IndexError):
        return []
    return [] if content is None else [compact(bytes(raw)) for raw in content.parts]


def thought_block(part: Part, model: str) -> ReasoningBlock:
    """Return the canonical reasoning block of a thought."""
    return ReasoningBlock(
        THOUGHT, part.text, part.thought_signature, model=model, format=SIGNATURE_FORMAT
    )


def signature_block(signature: str, call_id: str | None, model: str) -> ReasoningBlock:
    """Return the canonical reasoning block of a signature that stands beside a call or a text."""
    return ReasoningBlock(
        SIGNATURE, data=signature, model=model, id=call_id, format=SIGNATURE_FORMAT
    )


def native_of(
    parts: list[Part], raws: list[bytes], message: Message, provider: str, model: str
) -> NativeContent | None:
    """Return the record of an answer; *raws* is the JSON of its *parts*, `None` without it."""
    if not parts or len(raws) != len(parts):
        return None
    calls = [call.id for call in message.tool_calls or ()]
    made = _native_blocks(parts, raws, calls, model)
    return NativeContent(DIALECT, provider, "", model, model_family(model), made, message.reasoning)


def _native_blocks(
    parts: list[Part], raws: list[bytes], call_ids: list[Any], model: str
) -> tuple[NativeBlock, ...]:
    """Return the blocks of an answer; *call_ids* are those of its calls."""
    ids = iter(call_ids)
    made = []
    for part, raw in zip(parts, raws):
        call = part.function_call
        id_ = next(ids, None) if call is not None and call.name and not part.thought else None
        if part.thought and part.text is not None:
            made.append(NativeBlock("reasoning", raw, astuple(thought_block(part, model))))
            continue
        signature = part.thought_signature
        if signature is not None:
            block = signature_block(signature, id_, model)
            own = msgspec.json.encode({"thoughtSignature": signature})
            made.append(NativeBlock("reasoning", own, astuple(block)))
            raw = _without_signature(raw)
        if call is not None and call.name:
            arguments = compact(bytes(call.args)).decode() or "{}"
            made.append(NativeBlock("call", raw, (id_, call.name, arguments, call.id)))
        elif part.text is not None:
            made.append(NativeBlock("text", raw, (part.text, False)))
        else:
            made.append(NativeBlock("other", raw, (_kind_of(part),)))
    return tuple(made)


def _without_signature(raw: bytes) -> bytes:
    members = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    members.pop("thoughtSignature", None)
    return msgspec.json.encode(members)


def _kind_of(part: Part) -> str:
    for name in _OTHER_KINDS:
        value = getattr(part, name)
        if value is not None and (not isinstance(value, msgspec.Raw) or len(value)):
            return name
    return ""


def _read_stored(raws: list[bytes], model: str) -> tuple[tuple[NativeBlock, ...], Optional[str]]:
    """Return the blocks of a stored record and the canonical reasoning; see `READERS`.

    Raises:
        ValueError: one is not a well-formed part of an answer.
    """
    made: list[NativeBlock] = []
    thoughts: list[str] = []
    waiting: Optional[str] = None  # a signature, until its part comes
    for raw in raws:
        part = _decode_part(raw)
        if _is_signature_alone(part, raw):
            if waiting is not None:
                raise ValueError("two signatures of one part")
            waiting = part.thought_signature
            continue
        _check_stored(part)
        if waiting is not None:
            part.thought_signature = waiting
            waiting = None
        elif part.thought_signature is not None and not part.thought:
            raise ValueError("a signature stands before its part")
        if part.thought:
            thoughts.append(part.text or "")
        call = part.function_call
        ids = [] if call is None else [call.id]
        made += _native_blocks([part], [raw], ids, model)
    if waiting is not None:
        raise ValueError("a signature without its part")
    return tuple(made), "".join(thoughts) or None


def _is_signature_alone(part: Part, raw: bytes) -> bool:
    members = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    return part.thought_signature is not None and len(members) == 1


def _check_stored(part: Part) -> None:
    """Refuse what is no part of an answer."""
    call = part.function_call
    kinds = (part.text is not None) + (call is not None) + bool(_kind_of(part))
    if kinds != 1 or len(part.function_response) or (part.thought and part.text is None):
        raise ValueError("not a well-formed part of an answer")
    if call is not None:
        given = msgspec.json.decode(call.args) if len(call.args) else {}
        if not call.name or not isinstance(given, dict):
            raise ValueError("not a well-formed call")


READERS[DIALECT] = _read_stored
