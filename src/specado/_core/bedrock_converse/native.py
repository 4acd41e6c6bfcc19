"""Records of Bedrock's answers, which are sent back as they came (botocore 1.44.8).

A record has a block for each content block. Signed and encrypted reasoning is valid for the model
that wrote it, whichever of its region profiles is asked.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Optional

import msgspec
from msgspec.structs import astuple

from specado._core.bedrock_converse.wire import BLOCK_KINDS, Block, RawReply, Reasoning
from specado._core.native import READERS
from specado.types import NativeBlock, NativeContent, ReasoningBlock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from specado.types import Message

__all__ = [
    "DIALECT",
    "citations_of",
    "is_call",
    "kind_of",
    "model_of_profile",
    "native_of",
    "raw_blocks",
    "reasoning_block",
    "text_of",
]

DIALECT = "bedrock_converse"
# The type of a call that the service runs itself.
SERVER_TOOL = "server_tool_use"

# What stands before a model's id: an ARN up to the resource's own name, and the regions of a
# profile that answers in several.
_PROFILE = re.compile(
    r"^(?:arn:[^/]*/)?(?:(?:us|eu|apac|jp|au|ca|us-gov|global)\.(?=[a-z0-9]+\.))?"
)

_decode_reply = msgspec.json.Decoder(RawReply).decode
_decode_block = msgspec.json.Decoder(Block).decode
_decode_citations = msgspec.json.Decoder(dict[str, Any]).decode
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def model_of_profile(model: str) -> str:
    """Return the model id in an ARN and in that of a cross-region profile (`us.` before it)."""
    return _PROFILE.sub("", model, count=1)


def raw_blocks(body: bytes) -> list[bytes]:
    """Return the JSON of each content block of a reply; none where it is not readable."""
    try:
        output = _decode_reply(body).output
    except _UNREADABLE:
        return []
    if output is None or output.message is None:
        return []
    return [bytes(raw) for raw in output.message.content]


def reasoning_block(given: Reasoning, model: str) -> ReasoningBlock:
    """Return the canonical reasoning block of a block with reasoning."""
    if given.redacted_content is not None:
        return ReasoningBlock("redacted_thinking", data=given.redacted_content, model=model)
    text = given.reasoning_text
    if text is None:
        return ReasoningBlock("thinking", model=model)
    return ReasoningBlock("thinking", text.text, text.signature, model=model)


def is_call(block: Block) -> bool:
    """Return whether a block is a call that the caller answers."""
    use = block.tool_use
    return use is not None and bool(use.name) and use.type != SERVER_TOOL


def citations_of(block: Block) -> tuple[str, list[dict[str, Any]]]:
    """Return the text of a block with citations, and the citations."""
    try:
        given = _decode_citations(block.citations_content)
    except _UNREADABLE:
        return "", []
    texts = [each.get("text") for each in _dicts(given.get("content"))]
    return "".join(text for text in texts if isinstance(text, str)), _dicts(given.get("citations"))


def text_of(block: Block) -> str:
    """Return the text of a block that is text, with or without citations."""
    return block.text if block.text is not None else citations_of(block)[0]


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def kind_of(block: Block) -> str:
    """Return the member of a block that has no canonical form; "" for a block without a member."""
    if block.tool_use is not None:
        return "toolUse"
    for name, shown in BLOCK_KINDS:
        if len(getattr(block, name)):
            return shown
    return ""


def native_of(
    blocks: Sequence[Block], raws: list[bytes], message: Message, provider: str, model: str
) -> NativeContent | None:
    """Return the record of an answer; *raws* is the JSON of its *blocks*, `None` without it."""
    if not blocks or len(raws) != len(blocks) or b"" in raws:
        return None
    calls: list[tuple[Optional[str], str]] = [
        (call.id, call.function.arguments if call.function is not None else "{}")
        for call in message.tool_calls or ()
    ]
    made = _native_blocks(blocks, raws, calls, model)
    family = model_of_profile(model)
    return NativeContent(DIALECT, provider, "", model, family, made, message.reasoning)


def _native_blocks(
    blocks: Sequence[Block], raws: list[bytes], calls: list[tuple[Optional[str], str]], model: str
) -> tuple[NativeBlock, ...]:
    """Return the blocks of an answer; *calls* are the ids and arguments of its calls."""
    left = iter(calls)
    made = []
    for block, raw in zip(blocks, raws):
        if block.reasoning_content is not None:
            values = astuple(reasoning_block(block.reasoning_content, model))
            made.append(NativeBlock("reasoning", raw, values))
        elif block.tool_use is not None and is_call(block):
            id_, arguments = next(left)
            made.append(NativeBlock("call", raw, (id_, block.tool_use.name, arguments)))
        elif block.text is not None:
            made.append(NativeBlock("text", raw, (block.text, False)))
        elif len(block.citations_content):
            made.append(NativeBlock("text", raw, (citations_of(block)[0], True)))
        else:
            made.append(NativeBlock("other", raw, (kind_of(block),)))
    return tuple(made)


def _read_stored(raws: list[bytes], model: str) -> tuple[tuple[NativeBlock, ...], Optional[str]]:
    """Return the blocks of a stored record and the canonical reasoning; see `READERS`.

    Raises:
        ValueError: one is not a well-formed block of an answer.
    """
    blocks = [_decode_block(raw) for raw in raws]
    calls: list[tuple[Optional[str], str]] = []
    thoughts = []
    for block, raw in zip(blocks, raws):
        _check_stored(block, raw)
        use = block.tool_use
        if use is not None and is_call(block):
            calls.append((use.tool_use_id, bytes(use.input).decode()))
        if block.reasoning_content is not None:
            thoughts.append(reasoning_block(block.reasoning_content, model).text or "")
    return _native_blocks(blocks, raws, calls, model), "".join(thoughts) or None


def _check_stored(block: Block, raw: bytes) -> None:
    """Refuse what is no block of an answer: the API wants one member, and its own kinds."""
    members = msgspec.json.decode(raw, type=dict[str, Any])
    known = (
        block.text is not None
        or block.tool_use is not None
        or block.reasoning_content is not None
        or len(block.citations_content) > 0
        or len(block.tool_result) > 0
    )
    if len(members) != 1 or not known:
        raise ValueError("not a well-formed block of an answer")
    use, reasoning = block.tool_use, block.reasoning_content
    if use is not None:
        given = msgspec.json.decode(use.input) if len(use.input) else None
        if not use.tool_use_id or not use.name or not isinstance(given, dict):
            raise ValueError("not a well-formed call")
    if reasoning is not None and reasoning.redacted_content is None:
        told = reasoning.reasoning_text
        if told is None or told.text is None:
            raise ValueError("not well-formed reasoning")
    if len(block.citations_content) and not citations_of(block)[0]:
        raise ValueError("citations without a text")


READERS[DIALECT] = _read_stored
