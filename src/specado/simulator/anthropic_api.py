"""Simulated Anthropic API: messages, token counting and models."""

from __future__ import annotations

import base64
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import msgspec
import orjson

from specado.simulator.answers import (
    PromptFacts,
    SimulatedAnswer,
    ToolOffer,
    answer,
    digest,
    tokens_of,
)
from specado.simulator.anthropic_checks import (
    check_count_request,
    check_messages_request,
    check_stricter_content,
)
from specado.simulator.anthropic_requests import (
    BETA_DECODER,
    COUNT_DECODER,
    MESSAGES_DECODER,
    SAMPLING_DECODER,
    AdaptiveThinking,
    AnyChoice,
    BetaMessagesRequest,
    CountRequest,
    EnabledThinking,
    InputMessage,
    MessagesRequest,
    NamedChoice,
    NoChoice,
    UserDefinedTool,
)
from specado.simulator.anthropic_stream import STREAM, events_of
from specado.simulator.anthropic_wording import refusal_for
from specado.simulator.reply import SimulatedError, SimulatedReply, streamed
from specado.simulator.stream_faults import play, without_answer
from specado.simulator.violations import Broken, read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from specado.simulator.faults import Fault, WireError
    from specado.simulator.models import ListedModel, ModelLookup, ModelRules

__all__ = [
    "SAMPLING_REMOVED",
    "broken_stream",
    "complete",
    "count",
    "empty",
    "error_reply",
    "list_models",
    "one_model",
]

DIALECT = "anthropic_messages"
# The API version that refuses sampling parameters, documents of the assistant and citations of
# the user; the rest is as in 2023-06-01 (Anthropic's "Migrating to API version 2026-10-21", read
# 2026-11-30).
SAMPLING_REMOVED = "2026-10-21"
IMAGE_TOKENS = 1600
DOCUMENT_TOKENS = 1500
DEFAULT_PAGE = 20
MAX_PAGE = 1000
LINES = ("haiku", "sonnet", "opus", "fable", "mythos")
_HEADERS = (
    ("content-type", "application/json"),
    ("anthropic-organization-id", "00000000-0000-4000-8000-000000000000"),
    ("anthropic-ratelimit-input-tokens-limit", "2000000"),
    ("anthropic-ratelimit-input-tokens-remaining", "2000000"),
    ("anthropic-ratelimit-output-tokens-limit", "400000"),
    ("anthropic-ratelimit-output-tokens-remaining", "400000"),
    ("anthropic-ratelimit-requests-limit", "4000"),
    ("anthropic-ratelimit-requests-remaining", "3999"),
)
_ENDED = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "stop_sequence": "stop_sequence",
}


def _decode(body: bytes, decoder: msgspec.json.Decoder[Any]) -> Any:
    try:
        return read(body, decoder)
    except Broken as broken:
        if broken.violation is None:
            raise SimulatedError("The request body is not valid JSON") from None
        raise refusal_for(broken.violation, broken.data) from None


def _rules(models: ModelLookup, model: str, url: str) -> ModelRules:
    rules = models(DIALECT, model, url)
    if rules is None:
        raise SimulatedError(f"model: {model}", status=404, type="not_found_error")
    return rules


def _check_window(prompt: PromptFacts, window: int | None) -> None:
    if window is not None and prompt.prompt_tokens > window:
        raise SimulatedError(
            f"prompt is too long: {prompt.prompt_tokens} tokens > {window} maximum"
        )


def _refuse_sampling(body: bytes) -> None:
    """Refuse sampling parameters, at their defaults too, as fields that do not exist."""
    try:
        given = SAMPLING_DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return  # refused by the whole reading, which knows why
    for name in given.__struct_fields__:
        if getattr(given, name) is not msgspec.UNSET:
            # Wording: an error body that a user of the API reports, read 2026-11-30.
            raise SimulatedError(f"{name}: Extra inputs are not permitted")


def read_request(
    body: bytes, models: ModelLookup, url: str, *, beta: bool, version: str
) -> tuple[MessagesRequest, PromptFacts]:
    """Return the request in *body* and its facts; raises `SimulatedError` if it is invalid.

    A *beta* request may have the beta fields; *version* is the `anthropic-version`.
    """
    if version == SAMPLING_REMOVED:
        _refuse_sampling(body)
    request = _decode(body, BETA_DECODER if beta else MESSAGES_DECODER)
    rules = _rules(models, request.model, url)
    if version == SAMPLING_REMOVED:
        check_stricter_content(request.messages)
    prompt = conversation(request, check_messages_request(request, rules))
    prompt.stops = request.stop_sequences or []
    prompt.max_tokens = request.max_tokens
    wanted = request.output_config.format if request.output_config is not None else None
    if wanted is None and isinstance(request, BetaMessagesRequest):
        wanted = request.output_format
    if wanted is not None:
        prompt.schema = wanted.schema
    _check_window(prompt, rules.context_window)
    return request, prompt


def conversation(request: CountRequest, tools: list[UserDefinedTool]) -> PromptFacts:
    """Return the facts of the request that determine its answer."""
    prompt = PromptFacts(messages=len(request.messages))
    system = request.system
    if system:
        texts = [system] if isinstance(system, str) else [block.text for block in system]
        prompt.characters += sum(map(len, texts))
    before = ""
    for message in request.messages:
        _hear(message, prompt, same_turn=message.role == before)
        before = message.role
    for tool in tools:
        prompt.tools = [*prompt.tools, ToolOffer(tool.name, tool.input_schema)]
        prompt.characters += len(tool.description or "") + len(
            msgspec.json.encode(tool.input_schema)
        )
    choice = request.tool_choice
    if isinstance(choice, NamedChoice):
        prompt.named = choice.name
    elif isinstance(choice, AnyChoice):
        prompt.choice = "required"
    elif isinstance(choice, NoChoice):
        prompt.choice = "none"
    return prompt


def _hear(message: InputMessage, prompt: PromptFacts, *, same_turn: bool) -> None:
    content = message.content
    user = message.role == "user"
    if user and not same_turn:
        prompt.user_turns += 1
        prompt.attachments = 0
        prompt.last_result = None
    if isinstance(content, str):
        prompt.characters += len(content)
        texts = [content]
    else:
        texts = []
        for block in content:
            _hear_block(block, texts, prompt)
    if user and texts:
        text = "\n".join(texts)
        prompt.user_text = f"{prompt.user_text}\n{text}" if same_turn else text
        if isinstance(content, str) or content[-1].__struct_config__.tag == "text":
            prompt.last_result = None


def _hear_block(block: Any, texts: list[str], prompt: PromptFacts) -> None:
    kind = block.__struct_config__.tag
    if kind == "text":
        texts.append(block.text)
        prompt.characters += len(block.text)
    elif kind == "image":
        prompt.image_tokens += IMAGE_TOKENS
        prompt.attachments += 1
    elif kind == "document":
        prompt.image_tokens += DOCUMENT_TOKENS
        prompt.attachments += 1
    elif kind == "tool_result":
        inner: list[str] = []
        if isinstance(block.content, str):
            inner.append(block.content)
            prompt.characters += len(block.content)
        else:
            for part in block.content or ():
                _hear_block(part, inner, prompt)
        prompt.last_result = "\n".join(inner)
    else:
        prompt.characters += len(msgspec.json.encode(block))


def complete(
    body: bytes,
    models: ModelLookup,
    url: str,
    fault: Fault | None = None,
    *,
    beta: bool,
    version: str,
) -> SimulatedReply:
    """Return the answer to `POST /v1/messages`; *fault* strikes if it is streamed."""
    request, prompt = read_request(body, models, url, beta=beta, version=version)
    mark = digest(body)
    simulated = answer(prompt)
    content, thinking_tokens = _thinking(request, prompt, mark)
    if simulated.tool is not None:
        content.append(_tool_use(simulated, mark))
    elif simulated.text:
        content.append({"type": "text", "text": simulated.text})
    message = _message(request.model, content, simulated, prompt, thinking_tokens, mark)
    if request.stream:
        return streamed(_headers(mark), play(events_of(message), fault, STREAM, mark))
    return _reply(200, message, mark)


def _message(
    model: str,
    content: list[dict[str, Any]],
    simulated: SimulatedAnswer,
    prompt: PromptFacts,
    thinking_tokens: int,
    mark: str,
) -> dict[str, Any]:
    return {
        "id": f"msg_sim_{mark}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": _ENDED[simulated.ended],
        "stop_sequence": simulated.stop_sequence,
        "stop_details": None,
        "usage": {
            "input_tokens": prompt.prompt_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens": simulated.tokens + thinking_tokens,
            "output_tokens_details": {"thinking_tokens": thinking_tokens},
            "service_tier": "standard",
            "inference_geo": "not_available",
        },
    }


def _thinking(
    request: MessagesRequest, prompt: PromptFacts, mark: str
) -> tuple[list[dict[str, Any]], int]:
    thinking = request.thinking
    if not isinstance(thinking, (EnabledThinking, AdaptiveThinking)):
        return [], 0
    thought = f"The user says: {prompt.user_text[:200]}"
    shown = "" if thinking.display == "omitted" else thought
    signature = base64.b64encode(f"simulated:{mark}".encode()).decode()
    block = {"type": "thinking", "thinking": shown, "signature": signature}
    return [block], tokens_of(thought)


def _tool_use(simulated: SimulatedAnswer, mark: str) -> dict[str, Any]:
    tool = simulated.tool
    name = tool.name if tool is not None else ""
    # An input that max_tokens cut off is no valid JSON; Anthropic then sends the parsed part.
    arguments = msgspec.json.decode(simulated.arguments) if simulated.ended == "tool_calls" else {}
    return {
        "type": "tool_use",
        "id": f"toolu_sim_{mark}",
        "name": name,
        "input": arguments,
        "caller": {"type": "direct"},
    }


def count(body: bytes, models: ModelLookup, url: str, *, version: str) -> SimulatedReply:
    """Return the answer to `POST /v1/messages/count_tokens`: the estimate that usage reports."""
    request = _decode(body, COUNT_DECODER)
    rules = _rules(models, request.model, url)
    if version == SAMPLING_REMOVED:
        check_stricter_content(request.messages)
    prompt = conversation(request, check_count_request(request, rules))
    return _reply(200, {"input_tokens": prompt.prompt_tokens}, digest(body))


def _headers(mark: str) -> tuple[tuple[str, str], ...]:
    return (*_HEADERS, ("request-id", f"req_sim_{mark}"))


def _reply(status: int, value: Any, mark: str) -> SimulatedReply:
    return SimulatedReply(status, _headers(mark), orjson.dumps(value))


def error_reply(error: WireError | SimulatedError, mark: str) -> SimulatedReply:
    """Return an error as Anthropic writes it."""
    body = {
        "type": "error",
        "error": {"type": error.type, "message": error.message},
        "request_id": f"req_sim_{mark}",
    }
    reply = _reply(error.status, body, mark)
    if not isinstance(error, SimulatedError) and error.headers:
        kept = tuple(pair for pair in reply.headers if pair[0] not in error.headers)
        reply = msgspec.structs.replace(reply, headers=(*kept, *error.headers.items()))
    return reply


def empty(model: str, mark: str, _now_s: float, *, streams: bool) -> SimulatedReply:
    """Return a reply of status 200 without a content block."""
    message = _message(model, [], SimulatedAnswer("", "stop", 1), PromptFacts(messages=1), 0, mark)
    if streams:
        return streamed(_headers(mark), play(events_of(message), None, STREAM, mark))
    return _reply(200, message, mark)


def broken_stream(kind: str, mark: str) -> SimulatedReply:
    """Return a stream without an answer in it: `malformed` or `truncated`."""
    return streamed(_headers(mark), without_answer(kind, STREAM))


def _row(model: ListedModel) -> dict[str, Any]:
    created = datetime.fromtimestamp(model.created, timezone.utc)
    retires = None if model.retires is None else f"{model.retires}T00:00:00Z"
    line = next((line for line in LINES if f"-{line}-" in f"-{model.id}-"), None)
    return {
        "type": "model",
        "id": model.id,
        "display_name": model.id,
        "created_at": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "max_input_tokens": model.max_input_tokens,
        "max_tokens": model.max_output_tokens,
        "capabilities": None,
        "lifecycle": model.lifecycle,
        "deprecated_at": None,  # the manifests do not know when it was announced
        "retires_at": retires,
        "line": line,
    }


def list_models(
    models: Sequence[ListedModel], query: Mapping[str, str], mark: str
) -> SimulatedReply:
    """Return one page of the answer to `GET /v1/models`.

    *query* may have `limit`, `after_id` and `before_id`.
    """
    text = query.get("limit", str(DEFAULT_PAGE))
    limit = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
    if not 1 <= limit <= MAX_PAGE:
        raise SimulatedError(f"limit: Input should be between 1 and {MAX_PAGE}")
    ids = [model.id for model in models]
    first, last = 0, len(models)
    after, before = query.get("after_id"), query.get("before_id")
    for name, value in (("after_id", after), ("before_id", before)):
        if value is not None and value not in ids:
            raise SimulatedError(f"{name}: no model has this id")
    if after is not None:
        first = ids.index(after) + 1
    if before is not None:
        last = ids.index(before)
        page = models[max(first, last - limit) : last]
        more = last - len(page) > first
    else:
        page = models[first : min(first + limit, last)]
        more = first + len(page) < last
    return _reply(
        200,
        {
            "data": [_row(model) for model in page],
            "has_more": more,
            "first_id": page[0].id if page else None,
            "last_id": page[-1].id if page else None,
        },
        mark,
    )


def one_model(wanted: str, found: ListedModel | None, mark: str) -> SimulatedReply:
    """Return the answer to `GET /v1/models/{id}`."""
    if found is None:
        raise SimulatedError(f"model: {wanted}", status=404, type="not_found_error")
    return _reply(200, _row(found), mark)
