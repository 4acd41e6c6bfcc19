"""Makes the records of Anthropic's answers that go back as they came (anthropic 0.125.0)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import astuple

from specado._core.anthropic_messages.wire import Block, RawContent
from specado._core.native import model_family
from specado.types import NativeBlock, NativeContent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from specado.types import Message

__all__ = ["DIALECT", "native_of", "raw_block", "raw_blocks", "stored_blocks"]

DIALECT = "anthropic_messages"

# The types of an answer's blocks beside text, thinking and calls (`anthropic.types.ContentBlock`
# 0.125.0, read 2026-11-30).
_SERVER_BLOCKS = frozenset(
    {
        "bash_code_execution_tool_result",
        "code_execution_tool_result",
        "container_upload",
        "server_tool_use",
        "text_editor_code_execution_tool_result",
        "tool_search_tool_result",
        "web_fetch_tool_result",
        "web_search_tool_result",
    }
)


def raw_blocks(body: bytes, blocks: Sequence[Block], named: Sequence[int]) -> list[bytes]:
    """Return the JSON of each content block in a reply's *body*; none where it is not readable.

    *named* has the places of the *blocks* that got an id; their JSON gets the id too.
    """
    try:
        raws = [bytes(raw) for raw in msgspec.json.decode(body, type=RawContent).content]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []
    if len(raws) == len(blocks):
        for place in named:
            members = msgspec.json.decode(raws[place], type=dict[str, Any])
            input_ = msgspec.Raw(bytes(blocks[place].input) or b"{}")
            raws[place] = msgspec.json.encode({**members, "id": blocks[place].id, "input": input_})
    return raws


def raw_block(start: bytes | None, block: Block, citations: Sequence[bytes]) -> bytes:
    """Return the JSON of a streamed block: the members of its *start* event, and what came later.

    *citations* are the events that added one. `b""` for a call that was cut off: it has no JSON.
    """
    given: dict[str, Any] = {}
    if start is not None:
        given = msgspec.json.decode(start).get("content_block") or {}
    made: dict[str, Any] = {**given, "type": block.type}
    for name in ("id", "text", "thinking", "signature"):
        value = getattr(block, name)
        if value is not None:
            made[name] = value
    if block.input:
        try:
            msgspec.json.decode(block.input)
        except msgspec.DecodeError:
            return b""
        made["input"] = block.input
    if citations:
        added = [msgspec.json.decode(event)["delta"].get("citation") for event in citations]
        made["citations"] = [*(given.get("citations") or ()), *added]
    return msgspec.json.encode(made)


def native_of(
    blocks: list[Block], raws: list[bytes], message: Message, provider: str, model: str
) -> NativeContent | None:
    """Return the record of an answer; *raws* is the JSON of its *blocks*, `None` without it."""
    if len(raws) != len(blocks) or b"" in raws:
        return None
    made = _native_blocks(blocks, raws, message)
    return NativeContent(DIALECT, provider, "", model, model_family(model), made, message.reasoning)


def _native_blocks(
    blocks: list[Block], raws: list[bytes], message: Message
) -> tuple[NativeBlock, ...]:
    calls, thoughts = iter(message.tool_calls or ()), iter(message.reasoning_details or ())
    made = []
    for block, raw in zip(blocks, raws):
        if block.type == "text" and block.text is not None:
            is_cited = len(block.citations) > len(b"null")
            made.append(NativeBlock("text", raw, (block.text, is_cited)))
        elif block.type == "tool_use" and block.id is not None and block.name is not None:
            function = next(calls).function
            # An input that is no object was read as one, or is none: it never goes back.
            arguments = None
            if function is not None and bytes(block.input).lstrip().startswith(b"{"):
                arguments = function.arguments
            made.append(NativeBlock("call", raw, (block.id, block.name, arguments)))
        elif block.type in ("thinking", "redacted_thinking"):
            made.append(NativeBlock("reasoning", raw, astuple(next(thoughts))))
        else:
            made.append(NativeBlock("other", raw, (block.type,)))
    return tuple(made)


def stored_blocks(
    blocks: list[Block], raws: list[bytes], message: Message
) -> tuple[NativeBlock, ...]:
    """Return the blocks of a stored record, which may come from anyone.

    Raises:
        ValueError: one is not a well-formed block of an answer.
    """
    for block, raw in zip(blocks, raws):
        if not _is_of_an_answer(block, raw):
            raise ValueError(f"{block.type} is not a well-formed block of an answer")
    return _native_blocks(blocks, raws, message)


def _is_of_an_answer(block: Block, raw: bytes) -> bool:
    if block.type == "text":
        return block.text is not None
    if block.type == "thinking":
        return block.thinking is not None and block.signature is not None
    if block.type == "redacted_thinking":
        return block.data is not None
    if block.type == "tool_use":
        given = json.loads(raw).get("input")
        return block.id is not None and block.name is not None and isinstance(given, dict)
    return block.type in _SERVER_BLOCKS
