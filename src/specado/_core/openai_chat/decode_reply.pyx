"""OpenAI chat reply decoder (openai.types.chat 3.54, 2026-11-22).

Bytes as documented are decoded straight to Structs; others go through `repair`. The functions keep
no state: any number of threads may call them.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.string cimport memchr, memcmp

import msgspec

from specado._core.openai_chat.repair import add_reply_reasoning, repair_reply
from specado._core.openai_chat.wire import Completion
from specado._core.replies import UNREADABLE, Notes
from specado.errors import MalformedResponseError
from specado.types import ChatCompletionResponse, Extensions

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
    """Return the `ChatCompletionResponse` in *body* and the `Notes` on repairs.

    *model* and *created* are the defaults of a reply that names none. A body that is not JSON is a
    `MalformedResponseError` with code `not_json`, one without a usable choice `no_choice`.
    """
    notes = Notes()
    try:
        found = _decode(body)
    except UNREADABLE:
        found = None
    if found is None or not _is_whole(found.choices) or (
        has_reasoning_content(body) and not add_reply_reasoning(found, body)
    ):
        found = repair_reply(body, notes)
    if not found.choices:
        raise MalformedResponseError("the reply has no choice", code="no_choice")
    return reply_of(found, notes, provider, model, created, body), notes


def reply_of(found, notes, str provider, str model, created, bytes body):
    """Return the `ChatCompletionResponse` that a `Completion` stands for."""
    id_, name, made, usage = found.id, found.model, found.created, found.usage
    if not (id_ and name and made and usage is not None):
        notes += [f"{each}: missing" for each in ("id", "model", "created", "usage")
                  if not getattr(found, each) and each not in notes.repaired]
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
