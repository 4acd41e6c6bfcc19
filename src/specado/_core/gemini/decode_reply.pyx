"""Gemini reply decoder: a `GenerateContentResponse` to the canonical reply (google-genai 3.6.1)."""

from specado._core.reply_fields cimport field, offset_of

import msgspec

from specado._core.gemini.annotations import annotations_of, note_citations, note_grounding
from specado._core.gemini.finish_reasons import FINISH_REASONS, STOP
from specado._core.gemini.logprobs import read_logprobs
from specado._core.gemini.native import (
    compact, native_of, raw_parts, signature_block, thought_block,
)
from specado._core.gemini.repair import repair_reply, repair_usage
from specado._core.gemini.wire import (
    NO_JSON, Candidate, FunctionCall as CalledFunction, OtherReply, Part, Reply, TokenUsage,
)
from specado._core.repair import made_call_id
from specado._core.replies import UNREADABLE, Notes, ReportedFailure, parse
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

cdef object _decode = msgspec.json.Decoder(Reply).decode
cdef object _decode_but_usage = msgspec.json.Decoder(OtherReply).decode

# Where the Structs of a reply keep the fields that most replies have.
cdef Py_ssize_t CONTENT = offset_of(Candidate, "content")
cdef Py_ssize_t FINISH_REASON = offset_of(Candidate, "finish_reason")
cdef Py_ssize_t FINISH_MESSAGE = offset_of(Candidate, "finish_message")
cdef Py_ssize_t INDEX = offset_of(Candidate, "index")
cdef Py_ssize_t CITATIONS = offset_of(Candidate, "citation_metadata")
cdef Py_ssize_t GROUNDING = offset_of(Candidate, "grounding_metadata")
cdef Py_ssize_t URL_CONTEXT = offset_of(Candidate, "url_context_metadata")
cdef Py_ssize_t LOGPROBS = offset_of(Candidate, "logprobs_result")
cdef Py_ssize_t TEXT = offset_of(Part, "text")
cdef Py_ssize_t THOUGHT = offset_of(Part, "thought")
cdef Py_ssize_t SIGNATURE = offset_of(Part, "thought_signature")
cdef Py_ssize_t CALL = offset_of(Part, "function_call")
cdef Py_ssize_t CALL_ID = offset_of(CalledFunction, "id")
cdef Py_ssize_t PROMPT = offset_of(TokenUsage, "prompt_token_count")
cdef Py_ssize_t CACHED = offset_of(TokenUsage, "cached_content_token_count")
cdef Py_ssize_t CANDIDATES = offset_of(TokenUsage, "candidates_token_count")
cdef Py_ssize_t THOUGHTS = offset_of(TokenUsage, "thoughts_token_count")
cdef Py_ssize_t TOOL_PROMPT = offset_of(TokenUsage, "tool_use_prompt_token_count")
cdef Py_ssize_t PROMPT_DETAILS = offset_of(TokenUsage, "prompt_tokens_details")
cdef Py_ssize_t CANDIDATES_DETAILS = offset_of(TokenUsage, "candidates_tokens_details")
cdef Py_ssize_t TRAFFIC = offset_of(TokenUsage, "traffic_type")

# The members that hold the kinds of data of a part beside text and calls, and their names.
cdef tuple OTHER_KINDS = (
    ("inline_data", "inlineData"),
    ("file_data", "fileData"),
    ("executable_code", "executableCode"),
    ("code_execution_result", "codeExecutionResult"),
    ("function_response", "functionResponse"),
    ("tool_call", "toolCall"),
    ("tool_response", "toolResponse"),
)
# Vertex AI's words for the traffic of each service tier; provisioned throughput has none.
cdef dict TIERS = {
    None: None,
    "TRAFFIC_TYPE_UNSPECIFIED": None,
    "ON_DEMAND": None,
    "ON_DEMAND_FLEX": "flex",
    "ON_DEMAND_PRIORITY": "priority",
}


def decode_reply(bytes body not None, str provider not None, str model not None, created):
    """Return the `ChatCompletionResponse` in *body*, and notes on members without a place in it.

    *model* and *created* are the defaults of a reply without its own. A body that is not JSON is a
    `MalformedResponseError` with code `not_json`, one without candidates `no_choice`. A blocked
    prompt, an error in a reply of status 200, and an answer that failed are a `ReportedFailure`.
    The result shares no object with another reply; threads may decode at the same time.
    """
    notes = Notes()
    found = read_reply(body, notes)
    if found.error is not NO_JSON:
        raise ReportedFailure(body)
    if not found.candidates:
        failure = blocked(found.prompt_feedback)
        if failure is not None:
            raise ReportedFailure(failure)
        raise MalformedResponseError("the reply has no candidates", code="no_choice")
    name = found.model_version or model
    if not (found.response_id and found.model_version and found.usage_metadata is not None):
        notes += [f"{shown}: missing" for each, shown in (
            ("response_id", "responseId"), ("model_version", "modelVersion"),
            ("usage_metadata", "usageMetadata"),
        ) if not getattr(found, each)]
    choices = []
    for place, candidate in enumerate(found.candidates):
        choices.append(_choice(candidate, place, body, provider, name, notes))
    _check_failure(found.candidates, choices)
    usage = usage_of(found.usage_metadata, notes)
    return ChatCompletionResponse(
        found.response_id,
        name,
        choices,
        Extensions(provider),
        created_of(found, created),
        "chat.completion",
        usage,
        None,
        tier_of(found.usage_metadata),
        body,
        {},
        notes.usage_certainty,
        notes.other_usage,
    ), notes


cpdef read_reply(bytes body, notes):
    """Return the `Reply` in *body*; *notes* names the repairs."""
    try:
        return _decode(body)
    except UNREADABLE:
        pass
    try:
        found = _decode_but_usage(body)
    except UNREADABLE:
        return repair_reply(body, notes)
    found.usage_metadata = repair_usage(parse(bytes(found.usage_metadata), notes), notes)
    return found


cdef int _check_failure(list candidates, list choices) except -1:
    """Refuse a reply of which every candidate failed."""
    for choice in choices:
        if type(FINISH_REASONS.get(choice.finish_reason, "")) is str:
            return 0
    raise ReportedFailure(
        failure_of(choices[0].finish_reason, candidates[0].finish_message)
    )


cdef object _choice(candidate, Py_ssize_t place, bytes body, str provider, str model, notes):
    """Return a candidate as a choice."""
    path = "candidates[0]" if place == 0 else f"candidates[{place}]"
    content = field(candidate, CONTENT)
    parts = [] if content is None else content.parts
    message = _message(parts, model, path, notes)
    has_calls = message.tool_calls is not None
    if needs_native(parts):
        message.native = native_of(parts, raw_parts(body, place), message, provider, model)
    if field(candidate, CITATIONS) is not NO_JSON or field(candidate, GROUNDING) is not NO_JSON:
        texts = [part.text or "" if not part.thought else None for part in parts]
        message.annotations = annotations_of(
            texts, [bytes(candidate.grounding_metadata)], [bytes(candidate.citation_metadata)]
        )
        note_grounding(bytes(candidate.grounding_metadata), f"{path}.groundingMetadata", notes)
        note_citations(bytes(candidate.citation_metadata), f"{path}.citationMetadata", notes)
    if field(candidate, URL_CONTEXT) is not NO_JSON:
        notes.append(f"{path}.urlContextMetadata: left in response.raw")
    logprobs = None
    if field(candidate, LOGPROBS) is not NO_JSON:
        logprobs = read_logprobs(bytes(candidate.logprobs_result), f"{path}.logprobsResult", notes)
    finish = None
    reason = field(candidate, FINISH_REASON)
    if reason is not None:
        finish = finish_of(reason, has_calls, path, notes)
    else:
        notes.append(f"{path}.finishReason: missing")
    if field(candidate, FINISH_MESSAGE) and reason != STOP:
        notes.append(f"{path}.finishMessage: {candidate.finish_message[:200]}")
    index = field(candidate, INDEX)
    return Choice(place if index is None else index, message, finish, logprobs)


cdef object finish_of(str reason, bint has_call, str path, notes):
    """Return the canonical finish reason; that of a failed answer is returned unchanged."""
    found = FINISH_REASONS.get(reason)
    if reason == STOP:
        return "tool_calls" if has_call else found
    if found == "":
        notes.append(f"{path}.finishReason: {reason}, the answer is not finished")
        return None
    if type(found) is str and found != reason:
        if found == "content_filter" and reason != "SAFETY":
            notes.append(f"{path}.finishReason: {reason}, read as {found}")
        return found
    notes.append(f"{path}.finishReason: {reason!r} is no reason of the canonical form, kept")
    return reason


cdef object failure_of(str reason, str message):
    """Return the body of an error reply that says how an answer failed."""
    text = f"the answer failed: its finishReason is {reason!r}"
    if message:
        text = f"{text}: {message}"
    return msgspec.json.encode({"error": {"code": reason.lower(), "message": text}})


cdef object blocked(object feedback):
    """Return the body of an error reply that says why a prompt was blocked, None if it was not."""
    if feedback is None or not feedback.block_reason:
        return None
    text = f"the prompt was blocked: its blockReason is {feedback.block_reason!r}"
    if feedback.block_reason_message:
        text = f"{text}: {feedback.block_reason_message}"
    return msgspec.json.encode({"error": {"code": "prompt_blocked", "message": text}})


cdef object _message(list parts, str model, str path, notes):
    """Return the parts of the candidate at *path* as an assistant message."""
    cdef list texts = []
    cdef list calls = None
    cdef list details = None
    cdef Py_ssize_t place = -1
    thoughts = None
    for part in parts:
        place += 1
        text, signature = field(part, TEXT), field(part, SIGNATURE)
        if text is not None and field(part, THOUGHT):
            if details is None:
                details = []
            details.append(thought_block(part, model))
            thoughts = text if thoughts is None else thoughts + text
            continue
        call, called = None, field(part, CALL)
        if called is not None:
            call = call_of(part, notes, f"{path}.content.parts[{place}]")
        if signature is not None:
            if details is None:
                details = []
            details.append(signature_block(signature, None if call is None else call.id, model))
        if call is not None:
            if calls is None:
                calls = []
            calls.append(call)
        elif text is not None:
            if text:
                texts.append(text)
        elif called is None:
            notes.append(f"{path}.content.parts[{place}]: {kind_of(part)}, left in response.raw")
    content = texts[0] if len(texts) == 1 else "".join(texts)
    return Message(
        "assistant",
        content if content or calls is None else None,
        None,
        calls,
        None,
        thoughts or None,
        details,
    )


cdef object call_of(part, notes, str path):
    """Return a part's call, with an id made up where it has none; None without a name."""
    given = part.function_call
    if not given.name:
        notes.append(f"{path}.functionCall: without a name, left in response.raw")
        return None
    arguments = compact(bytes(given.args)).decode()
    if not arguments or arguments == "null":
        arguments = "{}"
    return ToolCall(given.id or made_call_id(), FunctionCall(given.name, arguments))


cdef str kind_of(part):
    """Return the kind of a part's data that has no canonical form, for a note."""
    for name, shown in OTHER_KINDS:
        value = getattr(part, name)
        if value is not None and (type(value) is not msgspec.Raw or len(value)):
            return shown
    return "a part without data" if part.thought_signature is None else "a signature alone"


cpdef needs_native(list parts):
    """Return whether the canonical fields do not reproduce the parts of an answer."""
    cdef bint has_text = False
    cdef bint has_call = False
    for part in parts:
        if field(part, THOUGHT) or field(part, SIGNATURE) is not None:
            return True
        call = field(part, CALL)
        if call is not None:
            if field(call, CALL_ID) is not None:
                return True
            has_call = True
        elif has_text or has_call or field(part, TEXT) is None:
            return True
        else:
            has_text = True
    return False


cdef Py_ssize_t created_of(found, created) except? -1:
    """Return the time of a reply in seconds since the epoch."""
    if found.create_time is None:
        return created
    # Imported here: only Vertex AI's replies have a time of creation.
    from datetime import datetime

    try:
        return int(msgspec.convert(found.create_time, datetime).timestamp())
    except (msgspec.ValidationError, ValueError, OverflowError):
        return created


cdef object tier_of(found):
    """Return the service tier by OpenAI's name: Gemini's "standard" is its "default"."""
    if found is None:
        return None
    if found.service_tier is None:
        return TIERS.get(found.traffic_type)
    return "default" if found.service_tier == "standard" else found.service_tier


cdef object usage_of(found, notes):
    """Return the canonical usage, whose completion includes the thoughts; note what it lacks."""
    if found is None:
        return None
    prompt, used = field(found, PROMPT), field(found, TOOL_PROMPT) or 0
    completion, thoughts = field(found, CANDIDATES) or 0, field(found, THOUGHTS) or 0
    cached = field(found, CACHED) or 0
    if prompt is None:
        notes.append("usageMetadata.promptTokenCount: missing, read as 0")
        notes.bill("unknown")
        prompt = 0
    if prompt < 0 or used < 0 or completion < 0 or thoughts < 0 or cached < 0:
        notes.append("usageMetadata: a negative count, read as 0")
        notes.bill("unknown")
        prompt, used, completion, thoughts, cached = [
            max(each, 0) for each in (prompt, used, completion, thoughts, cached)
        ]
    if field(found, TRAFFIC) not in TIERS:
        notes.append("usageMetadata.trafficType: not priced")
        notes.bill("unknown")
        notes.other_usage = {**notes.other_usage, "trafficType": found.traffic_type}
    prompt += used
    completion += thoughts
    return Usage(
        prompt,
        completion,
        prompt + completion,
        _prompt_details(cached, field(found, PROMPT_DETAILS)),
        _completion_details(thoughts, field(found, CANDIDATES_DETAILS), notes),
    )


cdef dict _by_modality(list counts):
    """Return the tokens of each modality but text, None where there is only text."""
    cdef dict found = None
    for each in counts or ():
        if each.token_count and each.modality != "TEXT":
            if found is None:
                found = {}
            found[each.modality] = found.get(each.modality, 0) + each.token_count
    return found


cdef object _prompt_details(cached, list counts):
    found = _by_modality(counts)
    if not cached and found is None:
        return None
    if found is None:
        return PromptTokensDetails(cached_tokens=cached)
    return PromptTokensDetails(
        cached_tokens=cached or None,
        audio_tokens=found.get("AUDIO"),
        image_tokens=found.get("IMAGE"),
    )


cdef object _completion_details(thoughts, list counts, notes):
    found = _by_modality(counts)
    if found is not None:
        for modality in found:
            if modality != "AUDIO":
                notes.append(f"usageMetadata.candidatesTokensDetails: {modality} is not priced")
                notes.bill("at_least")
    audio = None if found is None else found.get("AUDIO")
    if not thoughts and audio is None:
        return None
    return CompletionTokensDetails(reasoning_tokens=thoughts or None, audio_tokens=audio)
