"""OpenAI chat reply decoder (openai.types.chat 3.54, 2026-11-22)."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.string cimport memchr, memcmp

from typing import Dict, List, Optional, Union

import msgspec

from specado._core.replies import (
    UNREADABLE,
    Notes,
    json_text_of,
    mended,
    parse,
    whole_numbers,
)
from specado.errors import MalformedResponseError
from specado.types import (
    ChatCompletionResponse,
    Choice,
    CompletionTokensDetails,
    Extensions,
    FunctionCall,
    Message,
    PromptTokensDetails,
    ToolCall,
    Usage,
)


class Completion(msgspec.Struct):
    """A reply as OpenAI documents it."""

    choices: List[Choice]
    id: str = ""
    model: str = ""
    created: Union[int, float] = 0
    object: str = "chat.completion"
    usage: Optional[Usage] = None
    system_fingerprint: Optional[str] = None
    service_tier: Optional[str] = None
    moderation: Optional[Dict[str, msgspec.Raw]] = None


cdef object _decode = msgspec.json.Decoder(Completion).decode


cdef bint has_reasoning_content(bytes text):
    """Return whether `reasoning_content`, as many servers call `reasoning`, is a name there.

    `in` takes 0.5 us for a usual reply, a third of what decoding it takes.
    """
    cdef const char* begin = PyBytes_AS_STRING(text)
    cdef const char* end = begin + PyBytes_GET_SIZE(text)
    cdef const char* at = begin
    while True:
        at = <const char*>memchr(at, b"_", end - at)
        if at is NULL:
            return False
        if (
            at - begin >= 10 and end - at >= 9
            and memcmp(at, b'_content"', 9) == 0 and memcmp(at - 10, b'"reasoning', 10) == 0
        ):
            return True
        at += 1


def decode_reply(bytes body not None, str provider not None, str model not None, created):
    """Return the `ChatCompletionResponse` in *body* and notes on what was mended.

    *model* and *created* stand in where the reply names none. A body that is not JSON is a
    `MalformedResponseError` with code `not_json`, one without a usable choice `no_choice`.
    """
    notes = Notes()
    if has_reasoning_content(body):
        found = _read_loosely(body, notes)
    else:
        try:
            found = _decode(body)
        except UNREADABLE:
            found = _read_loosely(body, notes)
        else:
            if not _is_whole(found.choices):
                found = _read_loosely(body, notes)
    if not found.choices:
        raise MalformedResponseError("the reply has no choice", code="no_choice")
    return reply_of(found, notes, provider, model, created, body), notes


def reply_of(found, notes, str provider, str model, created, bytes body):
    """Return the `ChatCompletionResponse` that a `Completion` stands for."""
    id_, name, made, usage = found.id, found.model, found.created, found.usage
    if not (id_ and name and made and usage is not None):
        notes += [f"{each}: missing" for each in ("id", "model", "created", "usage")
                  if not getattr(found, each) and each not in notes.mended]
    if found.moderation is not None:
        notes.append("moderation: left in response.raw")
    if type(made) is float:
        notes.append("created: a float, read as a whole number of seconds")
        made = int(made)
    return ChatCompletionResponse(
        id_,
        name or model,
        found.choices,
        Extensions(provider),
        made or created,
        "chat.completion",
        usage,
        found.system_fingerprint,
        found.service_tier,
        body,
        {},
        notes.usage_certainty,
    )


def _read_loosely(bytes body, notes):
    """Return what is usable of a reply that is not quite as documented; *notes* names the rest."""
    data = parse(body, notes)
    if not isinstance(data, dict) or not isinstance(data.get("choices"), list):
        raise MalformedResponseError("the reply has no choices", code="no_choice")
    choices = []
    for place, given in enumerate(data["choices"]):
        choice = _choice_loosely(given, place, notes)
        if choice is not None:
            choices.append(choice)
    return Completion(
        choices=choices,
        id=mended(data, "id", str, "", "id", notes),
        model=mended(data, "model", str, "", "model", notes),
        created=mended(data, "created", Union[int, float], 0, "created", notes),
        usage=usage_loosely(data.get("usage"), notes),
        system_fingerprint=mended(data, "system_fingerprint", str, None, "system_fingerprint",
                                  notes),
        service_tier=mended(data, "service_tier", str, None, "service_tier", notes),
    )


cdef bint _is_whole(list choices):
    """Return whether every message has what its type cannot say: text, and calls of something."""
    for choice in choices:
        if choice.finish_reason == "function_call":
            return False
        message = choice.message
        if type(message.content) is list:
            return False
        calls = message.tool_calls
        if calls is not None and not _are_whole(calls):
            return False
    return True


cdef bint _are_whole(list calls):
    for call in calls:
        if call.function is None and call.custom is None:
            return False
    return True


def usage_loosely(given, notes):
    """Return a `Usage`, with a note on each number that is missing or not whole."""
    cdef Py_ssize_t noted = len(notes)
    tokens = whole_numbers(given, ("prompt_tokens", "completion_tokens"), "usage", notes)
    if len(notes) > noted:
        notes.bill("unknown")
    if not isinstance(given, dict):
        return None
    total = whole_numbers(given, ("total_tokens",), "usage", notes)  # nothing is priced by it
    if tokens is None and total is None:
        return None
    tokens = {**(tokens or {}), **(total or {})}
    for name in ("prompt_tokens", "completion_tokens"):
        if name not in tokens:
            tokens[name] = 0
            notes.append(f"usage.{name}: missing, read as 0")
            notes.bill("unknown")
    if "total_tokens" not in tokens:
        tokens["total_tokens"] = tokens["prompt_tokens"] + tokens["completion_tokens"]
        notes.append("usage.total_tokens: missing, added up")
    noted = len(notes)
    for name, type_ in (("prompt_tokens_details", PromptTokensDetails),
                        ("completion_tokens_details", CompletionTokensDetails)):
        details = whole_numbers(given.get(name), type_.__struct_fields__, f"usage.{name}", notes)
        tokens[name] = None if details is None else type_(**details)
    if len(notes) > noted:
        notes.bill("unknown")
    return Usage(**tokens)


def _calls_loosely(given, str path, notes):
    """Return the usable tool calls, `None` if there is none."""
    if given is None:
        return None
    if not isinstance(given, list):
        notes.append(f"{path}: {type(given).__name__} where a list is documented, read as None")
        return None
    calls = []
    for place, item in enumerate(given):
        call = _call_loosely(item, place, f"{path}[{place}]", notes)
        if call is None:
            notes.append(f"{path}[{place}]: not a tool call, left out")
        else:
            calls.append(call)
    return calls or None


def _call_loosely(given, Py_ssize_t place, str path, notes):
    if not isinstance(given, dict):
        return None
    id_ = mended(given, "id", str, "", f"{path}.id", notes)
    if not id_:
        id_ = f"call_{place}"
        notes.append(f"{path}.id: missing, called {id_}")
    function = given.get("function")
    if not isinstance(function, dict):
        custom = given.get("custom")
        return ToolCall(id_, type="custom", custom=custom) if isinstance(custom, dict) else None
    if not isinstance(function.get("name"), str):
        return None
    arguments = function.get("arguments")
    if arguments is None:
        arguments = "{}"
        notes.append(f"{path}.function.arguments: missing, read as {arguments}")
    elif not isinstance(arguments, str):
        notes.append(
            f"{path}.function.arguments: {type(arguments).__name__} where text is documented, "
            "written as JSON text"
        )
        arguments = json_text_of(arguments).decode()
    return ToolCall(id_, FunctionCall(function["name"], arguments))


def _choice_loosely(given, Py_ssize_t place, notes):
    """Return a `Choice`, or `None` (with a note) if there is no message in it."""
    path = f"choices[{place}]"
    if not isinstance(given, dict) or not isinstance(given.get("message"), dict):
        notes.append(f"{path}: no message, left out")
        return None
    message = given["message"]
    content = message.get("content")
    if isinstance(content, list):
        notes.append(f"{path}.message.content: a list of parts, its text joined")
        content = "".join(
            part.get("text") or "" for part in content
            if isinstance(part, dict) and isinstance(part.get("text"), str)
        )
    elif content is not None and not isinstance(content, str):
        notes.append(f"{path}.message.content: {type(content).__name__}, read as None")
        content = None
    where = f"{path}.message"
    calls = _calls_loosely(message.get("tool_calls"), f"{where}.tool_calls", notes)
    if calls is None and content is None and not any(
        message.get(name) for name in ("refusal", "reasoning", "reasoning_content", "audio")
    ) and "content" not in message:
        notes.append(f"{where}: neither content nor tool_calls, left out")
        return None
    if message.get("function_call") is not None:
        notes.append(f"{where}.function_call: left in response.raw")
    if given.get("index") is None:
        notes.append(f"{path}.index: missing, read as {place}")
    reasoning = "reasoning" if message.get("reasoning") is not None else "reasoning_content"
    return Choice(
        index=mended(given, "index", int, place, f"{path}.index", notes),
        message=Message(
            role=mended(message, "role", str, "assistant", f"{where}.role", notes),
            content=content,
            tool_calls=calls,
            reasoning=mended(message, reasoning, str, None, f"{where}.{reasoning}", notes),
            refusal=mended(message, "refusal", str, None, f"{where}.refusal", notes),
            annotations=mended(message, "annotations", list, None, f"{where}.annotations", notes),
            audio=mended(message, "audio", dict, None, f"{where}.audio", notes),
        ),
        finish_reason=mended(given, "finish_reason", str, None, f"{path}.finish_reason", notes),
        logprobs=mended(given, "logprobs", dict, None, f"{path}.logprobs", notes),
    )
