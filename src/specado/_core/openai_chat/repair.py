"""Repair of replies and chunks that deviate from OpenAI's documentation, each with a note.

A reply or a chunk as documented never comes here: its bytes are decoded straight to Structs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Union

import msgspec

from specado._core.error_bodies import error_facts, first_error
from specado._core.finish_reasons import ends_without_message
from specado._core.openai_chat.usage import read_usage
from specado._core.openai_chat.wire import Completion, ReasoningChunk, ReasoningCompletion
from specado._core.repair import (
    is_reasoning_part,
    json_text,
    made_call_id,
    read_field,
    text_of_reasoning,
)
from specado._core.replies import UNREADABLE, parse
from specado.errors import MalformedResponseError
from specado.types import (
    ChatCompletionChunk,
    Choice,
    ChoiceDelta,
    ChoiceDeltaToolCall,
    ChoiceDeltaToolCallFunction,
    ChunkChoice,
    FunctionCall,
    Message,
    ReasoningBlock,
    ToolCall,
)

if TYPE_CHECKING:
    from specado._core.replies import Notes

__all__ = [
    "NO_INDEX",
    "add_chunk_reasoning",
    "add_reply_reasoning",
    "error_in",
    "is_error_event",
    "repair_chunk",
    "repair_reply",
]

# The index of a tool call's piece that came without one.
NO_INDEX = -1

_STATUS = re.compile("[45][0-9][0-9]")

# The words by which a member `status` says that an answer failed.
_FAILED = ("failed", "error")

# MiniMax's codes (its page on error codes, 2026-11-30) in the words of others: as numbers, Z.ai's
# mean something else.
_MINIMAX_CODES = {
    **dict.fromkeys(("1000", "1001", "1013", "1024", "1033"), "server_error"),
    **dict.fromkeys(("1002", "1039", "1041", "2045", "2056"), "rate_limit_exceeded"),
    **dict.fromkeys(("1004", "2049"), "invalid_api_key"),
    "1008": "insufficient_quota",
    **dict.fromkeys(("1026", "1027"), "content_policy_violation"),
    **dict.fromkeys(("1042", "2013"), "invalid_request_error"),
}

_decode_chunk_reasoning = msgspec.json.Decoder(ReasoningChunk).decode
_decode_reply_reasoning = msgspec.json.Decoder(ReasoningCompletion).decode


def add_chunk_reasoning(chunk: ChatCompletionChunk, frame: bytes) -> bool:
    """Read `reasoning_content`, as many servers call `reasoning`; return whether it is text."""
    try:
        found = _decode_chunk_reasoning(frame)
    except UNREADABLE:
        return False
    for choice, given in zip(chunk.choices, found.choices):
        if choice.delta.reasoning is None:
            choice.delta.reasoning = given.delta.reasoning_content
    return True


def add_reply_reasoning(reply: Completion, body: bytes) -> bool:
    """Read `reasoning_content` of a whole reply; as `add_chunk_reasoning`."""
    try:
        found = _decode_reply_reasoning(body)
    except UNREADABLE:
        return False
    for choice, given in zip(reply.choices, found.choices):
        if choice.message.reasoning is None:
            choice.message.reasoning = given.message.reasoning_content
    return True


def error_in(data: dict[str, Any]) -> Any:
    """Return the error that a reply or a chunk reports, beside its choices or in one; else None.

    In a choice it stands beside its message or delta, in it, or as a part of its content. Beside
    the choices it may be a list `errors`, MiniMax's `base_resp`, or a word in `status`.
    """
    choices = data.get("choices")
    places = [data]
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict):
            said = [choice.get("message"), choice.get("delta")]
            places += [choice, *(each for each in said if isinstance(each, dict))]
    errors = [error for place in places for error in (place.get("error"), *_error_parts(place))]
    found = first_error(errors)
    if found is None:
        found = _error_beside_choices(data)
    return data if found is None and data.get("object") == "error" else found


def _error_beside_choices(data: dict[str, Any]) -> Any:
    """Return the error that a reply reports by another member than `error`, else None."""
    result = data.get("base_resp")
    if isinstance(result, dict) and str(result.get("status_code") or 0) != "0":
        code = str(result["status_code"])
        text = result.get("status_msg") or f"the answer failed: its base_resp has the code {code}"
        return {"code": _MINIMAX_CODES.get(code, code), "message": text}
    errors = data.get("errors")
    if isinstance(errors, list) and first_error(errors) is not None:
        return errors
    status = data.get("status")
    if not isinstance(status, str) or status.lower() not in _FAILED:
        return None
    said = data.get("message")
    text = (
        said if isinstance(said, str) and said else f"the answer failed: its status is {status!r}"
    )
    return {"code": "error", "message": text}


def _error_parts(message: dict[str, Any]) -> list[Any]:
    """Return the parts of a message's content that are errors."""
    content = message.get("content")
    if not isinstance(content, list):
        return []
    return [
        part.get("error") or part
        for part in content
        if isinstance(part, dict) and part.get("type") == "error"
    ]


def is_error_event(data: dict[str, Any], frame: bytes) -> bool:
    """Return whether an event without choices is an error that is not in a member `error`."""
    type_, code, message = error_facts(frame)
    if message is None:
        return False
    words = f"{type_ or ''} {code or ''}".lower()
    return "detail" in data or "error" in words or bool(_STATUS.fullmatch(code or ""))


def repair_reply(body: bytes, notes: Notes) -> Completion:
    """Return the usable part of a reply; *notes* names the rest.

    Raises:
        MalformedResponseError: *body* is not JSON (code `not_json`) or has no choices
            (`no_choice`).
    """
    data = parse(body, notes)
    if not isinstance(data, dict) or not isinstance(data.get("choices"), list):
        raise MalformedResponseError("the reply has no choices", code="no_choice")
    choices = [_choice(given, place, notes) for place, given in enumerate(data["choices"])]
    return Completion(
        choices=[choice for choice in choices if choice is not None],
        id=read_field(data, "id", str, "", "id", notes),
        model=read_field(data, "model", str, "", "model", notes),
        created=read_field(data, "created", Union[int, float], 0, "created", notes),
        usage=read_usage(data.get("usage"), notes),
        system_fingerprint=_text(data, "system_fingerprint", notes),
        service_tier=_text(data, "service_tier", notes),
    )


def repair_chunk(data: dict[str, Any], notes: Notes) -> ChatCompletionChunk:
    """Return the usable part of a chunk; *notes* names the rest."""
    given = data.get("choices")
    if given is not None and not isinstance(given, list):
        notes.append(f"choices: {type(given).__name__} where a list is documented, read as empty")
        given = None
    choices = [_chunk_choice(item, place, notes) for place, item in enumerate(given or ())]
    created = read_field(data, "created", Union[int, float], 0, "created", notes)
    if type(created) is float:
        notes.append("created: a float, read as a whole number of seconds")
        created = int(created)
    return ChatCompletionChunk(
        id=read_field(data, "id", str, "", "id", notes),
        model=read_field(data, "model", str, "", "model", notes),
        choices=[choice for choice in choices if choice is not None],
        created=created,
        usage=read_usage(data.get("usage"), notes),
        system_fingerprint=_text(data, "system_fingerprint", notes),
        service_tier=_text(data, "service_tier", notes),
    )


def _text(data: dict[str, Any], name: str, notes: Notes) -> str | None:
    found: str | None = read_field(data, name, str, None, name, notes)
    return found


def _choice(given: Any, place: int, notes: Notes) -> Choice | None:
    """Return a `Choice`, or None (with a note) without a message.

    An answer that a filter, the length or a failure ended may lack its message.
    """
    path = f"choices[{place}]"
    if not isinstance(given, dict):
        notes.append(f"{path}: no message, left out")
        return None
    reason = read_field(given, "finish_reason", str, None, f"{path}.finish_reason", notes)
    may_lack = reason is not None and ends_without_message(reason)
    found = given.get("message")
    if not isinstance(found, dict) and not may_lack:
        notes.append(f"{path}: no message, left out")
        return None
    message = None
    if isinstance(found, dict):
        message = _message(found, f"{path}.message", notes, may_be_empty=may_lack)
        if message is None:
            return None
    if message is None:
        notes.append(f"{path}.message: missing, read as empty")
        message = Message("assistant", None)
    if given.get("index") is None:
        notes.append(f"{path}.index: missing, read as {place}")
    return Choice(
        index=read_field(given, "index", int, place, f"{path}.index", notes),
        message=message,
        finish_reason=reason,
        logprobs=read_field(given, "logprobs", dict, None, f"{path}.logprobs", notes),
    )


def _message(
    given: dict[str, Any], path: str, notes: Notes, *, may_be_empty: bool
) -> Message | None:
    """Return a `Message`, or None (with a note) without an answer that *may_be_empty*."""
    content, thoughts = _content(given.get("content"), f"{path}.content", notes)
    calls = _calls(given.get("tool_calls"), f"{path}.tool_calls", notes)
    is_answer = "content" in given or any(
        given.get(name) for name in ("refusal", "reasoning", "reasoning_content", "audio")
    )
    if calls is None and content is None and not is_answer and not may_be_empty:
        notes.append(f"{path}: neither content nor tool_calls, left out")
        return None
    if given.get("function_call") is not None:
        notes.append(f"{path}.function_call: left in response.raw")
    reasoning = "reasoning" if given.get("reasoning") is not None else "reasoning_content"
    return Message(
        role=read_field(given, "role", str, "assistant", f"{path}.role", notes),
        content=content,
        tool_calls=calls,
        reasoning=read_field(given, reasoning, str, thoughts, f"{path}.{reasoning}", notes),
        reasoning_details=read_field(
            given,
            "reasoning_details",
            list[ReasoningBlock],
            None,
            f"{path}.reasoning_details",
            notes,
        ),
        refusal=read_field(given, "refusal", str, None, f"{path}.refusal", notes),
        annotations=read_field(given, "annotations", list, None, f"{path}.annotations", notes),
        audio=read_field(given, "audio", dict, None, f"{path}.audio", notes),
    )


def _content(given: Any, path: str, notes: Notes) -> tuple[str | None, str | None]:
    """Return the text of a content and the reasoning in it, `None` without any.

    Mistral's and Databricks' models have parts with their reasoning in the content; a server that
    was asked for JSON may answer with the object itself.
    """
    if given is None or isinstance(given, str):
        return given, None
    if isinstance(given, dict):
        notes.append(f"{path}: an object where text is documented, written as JSON text")
        return json_text(given), None
    if not isinstance(given, list):
        notes.append(f"{path}: {type(given).__name__}, read as None")
        return None, None
    notes.append(f"{path}: a list of parts, its text joined")
    texts, thoughts = [], []
    for part in given:
        if is_reasoning_part(part):
            thoughts.append(text_of_reasoning(part))
        elif isinstance(part, dict) and isinstance(part.get("text"), str):
            texts.append(part["text"])
    return None if thoughts and not texts else "".join(texts), "".join(thoughts) or None


def _calls(given: Any, path: str, notes: Notes) -> list[ToolCall] | None:
    """Return the usable tool calls of a reply, None without any."""
    if given is None:
        return None
    if not isinstance(given, list):
        notes.append(f"{path}: {type(given).__name__} where a list is documented, read as None")
        return None
    calls = []
    for place, item in enumerate(given):
        call = _call(item, f"{path}[{place}]", notes)
        if call is None:
            notes.append(f"{path}[{place}]: not a tool call, left out")
        else:
            calls.append(call)
    return calls or None


def _call(given: Any, path: str, notes: Notes) -> ToolCall | None:
    if not isinstance(given, dict):
        return None
    id_ = read_field(given, "id", str, "", f"{path}.id", notes)
    if not id_:
        id_ = made_call_id()
        notes.append(f"{path}.id: missing, called {id_}")
    function = given.get("function")
    if not isinstance(function, dict):
        custom = given.get("custom")
        return ToolCall(id_, type="custom", custom=custom) if isinstance(custom, dict) else None
    if not isinstance(function.get("name"), str):
        return None
    arguments = _arguments(function.get("arguments"), f"{path}.function.arguments", notes)
    if arguments is None or arguments.strip() in ("", "null"):
        said = "missing" if arguments is None else arguments.strip() or "empty"
        arguments = "{}"
        notes.append(f"{path}.function.arguments: {said}, read as {arguments}")
    return ToolCall(id_, FunctionCall(function["name"], arguments))


def _arguments(given: Any, path: str, notes: Notes) -> str | None:
    if given is None or isinstance(given, str):
        return given
    notes.append(f"{path}: {type(given).__name__} where text is documented, written as JSON text")
    return json_text(given)


def _chunk_choice(given: Any, place: int, notes: Notes) -> ChunkChoice | None:
    """Return a `ChunkChoice`, or None (with a note) for another type."""
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
        index=read_field(given, "index", int, place, f"{path}.index", notes),
        delta=ChoiceDelta() if delta is None else _delta(delta, f"{path}.delta", notes),
        finish_reason=read_field(given, "finish_reason", str, None, f"{path}.finish_reason", notes),
        logprobs=read_field(given, "logprobs", dict, None, f"{path}.logprobs", notes),
    )


def _delta(given: dict[str, Any], path: str, notes: Notes) -> ChoiceDelta:
    def read(name: str, type_: Any) -> Any:
        return read_field(given, name, type_, None, f"{path}.{name}", notes)

    reasoning = "reasoning" if given.get("reasoning") is not None else "reasoning_content"
    content, thoughts = _content(given.get("content"), f"{path}.content", notes)
    return ChoiceDelta(
        content=content,
        role=read("role", str),
        tool_calls=_call_pieces(given.get("tool_calls"), f"{path}.tool_calls", notes),
        reasoning=read_field(given, reasoning, str, thoughts, f"{path}.{reasoning}", notes),
        reasoning_details=read("reasoning_details", list[ReasoningBlock]),
        refusal=read("refusal", str),
        annotations=read("annotations", list[Any]),
        audio=read("audio", dict[str, Any]),
    )


def _call_pieces(given: Any, path: str, notes: Notes) -> list[ChoiceDeltaToolCall] | None:
    if given is None:
        return None
    if not isinstance(given, list):
        notes.append(f"{path}: {type(given).__name__} where a list is documented, read as None")
        return None
    calls = [
        _call_piece(item, f"{path}[{place}]", notes)
        for place, item in enumerate(given)
        if isinstance(item, dict)
    ]
    if len(calls) < len(given):
        notes.append(f"{path}: not a tool call, left out")
    return calls or None


def _call_piece(given: dict[str, Any], path: str, notes: Notes) -> ChoiceDeltaToolCall:
    if given.get("index") is None:
        notes.append(f"{path}.index: missing, known from the call's id")
    function = given.get("function")
    if function is not None and not isinstance(function, dict):
        notes.append(f"{path}.function: {type(function).__name__}, read as None")
        function = None
    piece = None
    if function is not None:
        piece = ChoiceDeltaToolCallFunction(
            name=read_field(function, "name", str, None, f"{path}.function.name", notes),
            arguments=_arguments(function.get("arguments"), f"{path}.function.arguments", notes),
        )
    return ChoiceDeltaToolCall(
        index=read_field(given, "index", int, NO_INDEX, f"{path}.index", notes),
        id=read_field(given, "id", str, None, f"{path}.id", notes),
        function=piece,
        type=read_field(given, "type", str, None, f"{path}.type", notes),
        custom=read_field(given, "custom", dict, None, f"{path}.custom", notes),
    )
