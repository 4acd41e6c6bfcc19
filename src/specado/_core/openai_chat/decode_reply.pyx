"""OpenAI chat reply decoder (openai.types.chat 3.54, 2026-11-22).

Bytes as documented are decoded straight to Structs; others go through `repair`. The functions keep
no state: any number of threads may call them.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.string cimport memchr, memcmp

from specado._core.replies cimport has_error

import msgspec

from specado._core.finish_reasons import OPENAI_REASONS, failure_body, meaning_of
from specado._core.openai_chat.native import add_records
from specado._core.openai_chat.repair import add_reply_reasoning, error_in, repair_reply
from specado._core.openai_chat.usage import read_usage_text
from specado._core.openai_chat.wire import NO_JSON, Completion, OtherCompletion
from specado._core.replies import UNREADABLE, Notes, ReportedFailure, check_for_error
from specado.errors import MalformedResponseError
from specado.types import NATIVE_ENTRY, ChatCompletionResponse, Extensions

cdef object _decode = msgspec.json.Decoder(Completion).decode
cdef object _decode_but_usage = msgspec.json.Decoder(OtherCompletion).decode


cdef int members_in(bytes text) noexcept:
    """Return which of two names *text* has, as a sum of flags.

    `reasoning_content`, as many servers call `reasoning`, and `extra_content`, which Gemini adds to
    calls. `in` takes 0.5 us for a usual reply, a third of what decoding it takes.
    """
    cdef const char* begin = PyBytes_AS_STRING(text)
    cdef const char* end = begin + PyBytes_GET_SIZE(text)
    cdef const char* at = begin
    cdef int found = 0
    while True:
        at = <const char*>memchr(at, b"_", end - at)
        if at is NULL:
            return found
        if end - at >= 9 and memcmp(at, b'_content"', 9) == 0:
            if at - begin >= 10 and memcmp(at - 10, b'"reasoning', 10) == 0:
                found |= REASONING_CONTENT
            elif at - begin >= 6 and memcmp(at - 6, b'"extra', 6) == 0:
                found |= EXTRA_CONTENT
        at += 1


cdef bint may_have_failed(found) except -1:
    """Return whether a reply has a member in which a server tells a failure."""
    return (
        found.base_resp is not NO_JSON
        or found.errors is not NO_JSON
        or found.status is not NO_JSON
    )


cdef bint returns_members(list choices, int members) except -1:
    """Return whether an answer has members that go back; take out those that no server may give."""
    cdef bint has_reasoning = False
    cdef bint has_calls = False
    for choice in choices:
        message = choice.message
        if message.native is not None:
            message.native = None
        details = message.reasoning_details
        if details is not None and any([block.type == NATIVE_ENTRY for block in details]):
            message.reasoning_details = [block for block in details if block.type != NATIVE_ENTRY]
        if details is not None or message.reasoning is not None:
            has_reasoning = True
        if message.tool_calls is not None:
            has_calls = True
    return has_reasoning or (has_calls and members & EXTRA_CONTENT != 0)


def decode_reply(bytes body not None, str provider not None, str model not None, created):
    """Return the `ChatCompletionResponse` in *body* and the `Notes` on repairs.

    *model* and *created* are the defaults of a reply that names none. A body that is not JSON is a
    `MalformedResponseError` with code `not_json`, one without a usable choice `no_choice`. One that
    reports an error, also beside an answer or on a choice, is a `ReportedFailure`.
    """
    cdef int members = members_in(body)
    notes = Notes()
    if has_error(body):
        check_for_error(body, error_in)
    found = _completion_in(body)
    if found is None or may_have_failed(found):
        check_for_error(body, error_in)
    if found is None or not _is_whole(found.choices) or (
        members & REASONING_CONTENT and not add_reply_reasoning(found, body)
    ):
        found = repair_reply(body, notes)
    elif type(found) is OtherCompletion:
        found.usage = read_usage_text(bytes(found.usage), notes)
    if not found.choices:
        raise MalformedResponseError("the reply has no choice", code="no_choice")
    for choice in found.choices:
        if choice.finish_reason not in OPENAI_REASONS:
            _read_reason(choice, notes)
    if returns_members(found.choices, members):
        add_records(found.choices, body, provider, model or found.model)
    return reply_of(found, notes, provider, model, created, body), notes


cdef int _read_reason(choice, notes) except -1:
    """Read a finish reason that is none of OpenAI's."""
    reason = choice.finish_reason
    path = f"choices[{choice.index}].finish_reason"
    if reason is None:
        if path not in notes.repaired:
            notes.append(f"{path}: missing")
        return 0
    meaning = meaning_of(reason)
    if meaning is None:
        notes.append(f"{path}: {reason!r} is not known, kept as it is")
    elif not isinstance(meaning, str):
        raise ReportedFailure(failure_body(reason))
    else:
        choice.finish_reason = meaning or None
        notes.append(f"{path}: {reason!r}, read as {choice.finish_reason!r}")
    return 0


cdef object _completion_in(bytes body):
    """Return the reply in *body*, its usage as it came if only that is not as documented."""
    try:
        return _decode(body)
    except UNREADABLE:
        pass
    try:
        return _decode_but_usage(body)
    except UNREADABLE:
        return None


cpdef reply_of(found, notes, str provider, str model, created, bytes body):
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
        notes.other_usage,
    )


cdef bint _is_whole(list choices):
    """Return whether every message has what its type cannot say: text, and calls with arguments."""
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
        if not call.id:
            return False
        function = call.function
        if function is None:
            if call.custom is None:
                return False
        elif not function.arguments or function.arguments.isspace() or (
            function.arguments == "null"
        ):
            return False
    return True
