"""OpenAI chat stream decoder: repair of chunks that deviate from the documentation."""

from typing import Any, Dict, List, Optional, Union

import msgspec

from specado._core.openai_replies import usage_loosely
from specado._core.replies import UNREADABLE, json_text_of, mended
from specado.types import (
    ChatCompletionChunk,
    ChoiceDelta,
    ChoiceDeltaToolCall,
    ChoiceDeltaToolCallFunction,
    ChunkChoice,
    ReasoningBlock,
)

# The index of a tool call that came without one.
NO_INDEX = -1


class _ReasoningDelta(msgspec.Struct):
    reasoning_content: Optional[str] = None


class _ReasoningChoice(msgspec.Struct):
    delta: _ReasoningDelta


class _ReasoningChunk(msgspec.Struct):
    choices: List[_ReasoningChoice]


cdef object _reasoning_decoder = msgspec.json.Decoder(_ReasoningChunk)


def add_reasoning(chunk, bytes frame not None):
    """Read `reasoning_content`, as many servers call `reasoning`; return whether it is text."""
    try:
        found = _reasoning_decoder.decode(frame)
    except UNREADABLE:
        return False
    for choice, given in zip(chunk.choices, found.choices):
        if choice.delta.reasoning is None:
            choice.delta.reasoning = given.delta.reasoning_content
    return True


def read_loosely(dict data not None, notes):
    """Return what is usable of a chunk; *notes* names the rest."""
    given = data.get("choices")
    if given is not None and not isinstance(given, list):
        notes.append(f"choices: {type(given).__name__} where a list is documented, read as empty")
        given = None
    choices = []
    for place, item in enumerate(given or ()):
        choice = _choice(item, place, notes)
        if choice is not None:
            choices.append(choice)
    return ChatCompletionChunk(
        id=mended(data, "id", str, "", "id", notes),
        model=mended(data, "model", str, "", "model", notes),
        choices=choices,
        created=_created(data, notes),
        usage=usage_loosely(data.get("usage"), notes),
        system_fingerprint=mended(data, "system_fingerprint", str, None, "system_fingerprint",
                                  notes),
        service_tier=mended(data, "service_tier", str, None, "service_tier", notes),
    )


def _created(dict data, notes):
    found = mended(data, "created", Union[int, float], 0, "created", notes)
    if type(found) is float:
        notes.append("created: a float, read as a whole number of seconds")
        return int(found)
    return found


def _choice(given, Py_ssize_t place, notes):
    """Return a `ChunkChoice`, or `None` (with a note) if it is none."""
    path = f"choices[{place}]"
    if not isinstance(given, dict):
        notes.append(f"{path}: not an object, left out")
        return None
    if given.get("index") is None:
        notes.append(f"{path}.index: missing, read as {place}")
    delta = given.get("delta")
    if delta is not None and not isinstance(delta, dict):
        notes.append(f"{path}.delta: {type(delta).__name__}, read as empty")
        delta = None
    return ChunkChoice(
        index=mended(given, "index", int, place, f"{path}.index", notes),
        delta=ChoiceDelta() if delta is None else _delta(delta, f"{path}.delta", notes),
        finish_reason=mended(given, "finish_reason", str, None, f"{path}.finish_reason", notes),
        logprobs=mended(given, "logprobs", dict, None, f"{path}.logprobs", notes),
    )


def _delta(dict given, str path, notes):
    reasoning = "reasoning" if given.get("reasoning") is not None else "reasoning_content"
    return ChoiceDelta(
        content=_content(given.get("content"), f"{path}.content", notes),
        role=mended(given, "role", str, None, f"{path}.role", notes),
        tool_calls=_calls(given.get("tool_calls"), f"{path}.tool_calls", notes),
        reasoning=mended(given, reasoning, str, None, f"{path}.{reasoning}", notes),
        reasoning_details=mended(given, "reasoning_details", List[ReasoningBlock], None,
                                 f"{path}.reasoning_details", notes),
        refusal=mended(given, "refusal", str, None, f"{path}.refusal", notes),
        annotations=mended(given, "annotations", List[Any], None, f"{path}.annotations", notes),
        audio=mended(given, "audio", Dict[str, Any], None, f"{path}.audio", notes),
    )


def _content(given, str path, notes):
    if given is None or isinstance(given, str):
        return given
    if not isinstance(given, list):
        notes.append(f"{path}: {type(given).__name__}, read as None")
        return None
    notes.append(f"{path}: a list of parts, its text joined")
    return "".join(
        part["text"] for part in given
        if isinstance(part, dict) and isinstance(part.get("text"), str)
    )


def _calls(given, str path, notes):
    if given is None:
        return None
    if not isinstance(given, list):
        notes.append(f"{path}: {type(given).__name__} where a list is documented, read as None")
        return None
    calls = [
        _call(item, f"{path}[{place}]", notes)
        for place, item in enumerate(given) if isinstance(item, dict)
    ]
    if len(calls) < len(given):
        notes.append(f"{path}: what is not a tool call, left out")
    return calls or None


def _call(dict given, str path, notes):
    if given.get("index") is None:
        notes.append(f"{path}.index: missing, told by the call's id")
    function = given.get("function")
    if function is not None and not isinstance(function, dict):
        notes.append(f"{path}.function: {type(function).__name__}, read as None")
        function = None
    return ChoiceDeltaToolCall(
        index=mended(given, "index", int, NO_INDEX, f"{path}.index", notes),
        id=mended(given, "id", str, None, f"{path}.id", notes),
        function=None if function is None else ChoiceDeltaToolCallFunction(
            name=mended(function, "name", str, None, f"{path}.function.name", notes),
            arguments=_arguments(function.get("arguments"), f"{path}.function.arguments", notes),
        ),
        type=mended(given, "type", str, None, f"{path}.type", notes),
        custom=mended(given, "custom", dict, None, f"{path}.custom", notes),
    )


def _arguments(given, str path, notes):
    if given is None or isinstance(given, str):
        return given
    notes.append(
        f"{path}: {type(given).__name__} where text is documented, written as JSON text"
    )
    return json_text_of(given).decode()
