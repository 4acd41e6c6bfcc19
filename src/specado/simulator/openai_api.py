"""Simulated OpenAI API: chat completions and models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import orjson

from specado.simulator.answers import (
    CHARACTERS_PER_TOKEN,
    PromptFacts,
    SimulatedAnswer,
    ToolOffer,
    answer,
    digest,
    tokens_of,
)
from specado.simulator.faults import error_object
from specado.simulator.openai_checks import check_chat_request, texts_of
from specado.simulator.openai_requests import (
    CHAT_DECODER,
    AllowedChoice,
    ChatRequest,
    CustomChoice,
    CustomTool,
    FunctionChoice,
    JsonObjectFormat,
    JsonSchemaFormat,
    StreamOptions,
    ToolMessage,
    UserMessage,
)
from specado.simulator.openai_stream import STREAM, events_of
from specado.simulator.openai_wording import refusal_for
from specado.simulator.reply import SimulatedError, SimulatedReply, streamed
from specado.simulator.stream_faults import play, without_answer
from specado.simulator.violations import Broken, read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from specado.simulator.faults import Fault, WireError
    from specado.simulator.models import ListedModel, ModelLookup

__all__ = [
    "FILE_TOKENS",
    "IMAGE_TOKENS",
    "LOW_DETAIL_TOKENS",
    "NOT_JSON",
    "broken_stream",
    "complete",
    "empty",
    "error_reply",
    "headers_of",
    "list_models",
    "logprobs_of",
    "one_model",
    "read_request",
]

DIALECT = "openai_chat"
FINGERPRINT = "fp_simulated"
IMAGE_TOKENS = 765
LOW_DETAIL_TOKENS = 85
FILE_TOKENS = 1000
_HEADERS = (
    ("content-type", "application/json"),
    ("openai-organization", "org-simulated"),
    ("openai-processing-ms", "1"),
    ("openai-version", "2020-10-01"),
    ("x-ratelimit-limit-requests", "10000"),
    ("x-ratelimit-limit-tokens", "2000000"),
    ("x-ratelimit-remaining-requests", "9999"),
    ("x-ratelimit-remaining-tokens", "1999000"),
    ("x-ratelimit-reset-requests", "6ms"),
    ("x-ratelimit-reset-tokens", "30ms"),
)
NOT_JSON = (
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using "
    "your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was "
    "not valid JSON. If you have trouble figuring out how to fix this, please contact us through "
    "our help center at help.openai.com.)"
)


def read_request(body: bytes, models: ModelLookup, url: str) -> tuple[ChatRequest, PromptFacts]:
    """Return the request in *body* and its facts; raises `SimulatedError` where OpenAI refuses."""
    try:
        request = read(body, CHAT_DECODER)
    except Broken as broken:
        if broken.violation is None:
            raise SimulatedError(NOT_JSON) from None
        raise refusal_for(broken.violation) from None
    rules = models(DIALECT, request.model, url)
    if rules is None:
        raise SimulatedError(
            f"The model `{request.model}` does not exist or you do not have access to it.",
            status=404,
            code="model_not_found",
        )
    if not rules.is_served:
        raise SimulatedError(
            "This model is only supported in v1/responses and not in v1/chat/completions.",
            status=404,
            param="model",
        )
    check_chat_request(request, rules)
    prompt = conversation(request)
    window = rules.context_window
    if window is not None and prompt.prompt_tokens > window:
        raise SimulatedError(
            f"This model's maximum context length is {window} tokens. However, your messages "
            f"resulted in {prompt.prompt_tokens} tokens. Please reduce the length of the messages.",
            param="messages",
            code="context_length_exceeded",
        )
    return request, prompt


def conversation(request: ChatRequest) -> PromptFacts:
    """Return the facts of the request that determine its answer."""
    prompt = PromptFacts(
        messages=len(request.messages),
        stops=request.stops,
        max_tokens=request.max_completion_tokens or request.max_tokens,
    )
    for message in request.messages:
        texts = texts_of(message)
        prompt.characters += sum(map(len, texts))
        if isinstance(message, UserMessage):
            prompt.user_text = "\n".join(texts)
            prompt.user_turns += 1
            prompt.last_result = None
            prompt.attachments = 0
            if not isinstance(message.content, str):
                _count_parts(message.content, prompt)
        elif isinstance(message, ToolMessage):
            prompt.last_result = "\n".join(texts)
        else:
            for call in getattr(message, "tool_calls", None) or ():
                prompt.characters += len(str(call))
    _read_choice(request, prompt)
    wanted = request.response_format
    if isinstance(wanted, JsonSchemaFormat):
        prompt.schema = wanted.json_schema.schema or {}
    elif isinstance(wanted, JsonObjectFormat):
        prompt.schema = {
            "properties": {"answer": {"const": f"Simulated: {prompt.user_text[:200]}"}}
        }
    return prompt


def _count_parts(parts: Any, prompt: PromptFacts) -> None:
    for part in parts:
        kind = part.__struct_config__.tag
        if kind == "text":
            continue
        prompt.attachments += 1
        if kind == "image_url":
            low = part.image_url.detail == "low"
            prompt.image_tokens += LOW_DETAIL_TOKENS if low else IMAGE_TOKENS
        else:
            prompt.image_tokens += FILE_TOKENS


def _read_choice(request: ChatRequest, prompt: PromptFacts) -> None:
    choice = request.tool_choice
    allowed: set[str] | None = None
    if isinstance(choice, str):
        prompt.choice = choice
    elif isinstance(choice, FunctionChoice):
        prompt.named = choice.function.name
    elif isinstance(choice, CustomChoice):
        prompt.named = choice.custom.name
    elif isinstance(choice, AllowedChoice):
        prompt.choice = choice.allowed_tools.mode
        allowed = {
            str((tool.get("function") or tool.get("custom") or {}).get("name"))
            for tool in choice.allowed_tools.tools
        }
    offers = []
    for tool in request.tools or ():
        if isinstance(tool, CustomTool):
            offers.append(ToolOffer(tool.custom.name, None))
            prompt.characters += len(tool.custom.description or "")
        else:
            function = tool.function
            offers.append(ToolOffer(function.name, function.parameters or {}))
            prompt.characters += len(function.description or "")
            prompt.characters += len(msgspec.json.encode(function.parameters))
    prompt.tools = [tool for tool in offers if allowed is None or tool.name in allowed]


def complete(
    body: bytes, models: ModelLookup, url: str, now_s: float, fault: Fault | None = None
) -> SimulatedReply:
    """Return the answer to `POST …/chat/completions`; *fault* strikes if it is streamed."""
    request, prompt = read_request(body, models, url)
    mark = digest(body)
    simulated = [answer(prompt, number) for number in range(request.n or 1)]
    used = sum(one.tokens for one in simulated)
    reply = {
        "id": f"chatcmpl-sim-{mark}",
        "object": "chat.completion",
        "created": int(now_s),
        "model": request.model,
        "choices": [_choice(number, one, mark, request) for number, one in enumerate(simulated)],
        "usage": {
            "prompt_tokens": prompt.prompt_tokens,
            "completion_tokens": used,
            "total_tokens": prompt.prompt_tokens + used,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        },
        "service_tier": "default",
        "system_fingerprint": FINGERPRINT,
    }
    if not request.stream:
        return _reply(200, reply, mark)
    options = request.stream_options or StreamOptions()
    events = events_of(
        reply,
        include_usage=options.include_usage is True,
        obfuscated=options.include_obfuscation is not False,
    )
    return streamed(headers_of(mark), play(events, fault, STREAM, mark))


def _choice(
    number: int, simulated: SimulatedAnswer, mark: str, request: ChatRequest
) -> dict[str, Any]:
    message: dict[str, Any] = {
        "role": "assistant",
        "content": simulated.text,
        "refusal": None,
        "annotations": [],
    }
    tool = simulated.tool
    if tool is not None:
        message["content"] = None
        call: dict[str, Any] = {"id": f"call_{mark[:22]}{number:02}", "type": "function"}
        if tool.schema is None:
            call["type"] = "custom"
            call["custom"] = {"name": tool.name, "input": simulated.arguments}
        else:
            call["function"] = {"name": tool.name, "arguments": simulated.arguments}
        message["tool_calls"] = [call]
    ended = "stop" if simulated.ended == "stop_sequence" else simulated.ended
    if ended == "tool_calls" and isinstance(request.tool_choice, (FunctionChoice, CustomChoice)):
        # A named tool ends with "stop" (API reference, finish_reason, read 2026-11-22).
        ended = "stop"
    return {
        "index": number,
        "message": message,
        "logprobs": {
            "content": logprobs_of(simulated.text, request.top_logprobs or 0),
            "refusal": None,
        }
        if request.logprobs
        else None,
        "finish_reason": ended,
    }


def logprobs_of(text: str, rivals: int) -> list[dict[str, Any]]:
    """Return the probabilities of the tokens of *text*, each with those of its best *rivals*."""
    content = []
    for start in range(0, len(text), CHARACTERS_PER_TOKEN):
        token = text[start : start + CHARACTERS_PER_TOKEN]
        first = {"token": token, "logprob": -0.1, "bytes": list(token.encode())}
        others = [
            {"token": f"{token}{rank}", "logprob": -2.0 - rank, "bytes": None}
            for rank in range(1, rivals)
        ]
        content.append({**first, "top_logprobs": [first, *others] if rivals else []})
    return content


def headers_of(mark: str) -> tuple[tuple[str, str], ...]:
    """Return the headers of a reply; *mark* becomes its request id."""
    return (*_HEADERS, ("x-request-id", f"req_{mark}"))


def _reply(status: int, value: Any, mark: str) -> SimulatedReply:
    return SimulatedReply(status, headers_of(mark), orjson.dumps(value))


def error_reply(error: WireError | SimulatedError, mark: str) -> SimulatedReply:
    """Return an error as OpenAI writes it."""
    if isinstance(error, SimulatedError):
        fields: dict[str, Any] = {
            "message": error.message,
            "type": error.type,
            "param": error.param,
            "code": error.code,
        }
        return _reply(error.status, {"error": fields}, mark)
    reply = _reply(error.status, {"error": error_object(error)}, mark)
    if error.headers:
        kept = tuple(pair for pair in reply.headers if pair[0] not in error.headers)
        reply = msgspec.structs.replace(reply, headers=(*kept, *error.headers.items()))
    return reply


def empty(model: str, mark: str, now_s: float, *, streams: bool) -> SimulatedReply:
    """Return a reply of status 200 without a choice."""
    used = tokens_of(model)
    reply = {
        "id": f"chatcmpl-sim-{mark}",
        "object": "chat.completion",
        "created": int(now_s),
        "model": model,
        "choices": [],
        "usage": {"prompt_tokens": used, "completion_tokens": 0, "total_tokens": used},
        "service_tier": "default",
        "system_fingerprint": FINGERPRINT,
    }
    if streams:
        return streamed(headers_of(mark), play(events_of(reply), None, STREAM, mark))
    return _reply(200, reply, mark)


def broken_stream(kind: str, mark: str) -> SimulatedReply:
    """Return a stream without an answer in it: `malformed` or `truncated`."""
    return streamed(headers_of(mark), without_answer(kind, STREAM))


def _row(model: ListedModel) -> dict[str, Any]:
    return {
        "id": model.id,
        "object": "model",
        "created": model.created,
        "owned_by": "openai",
    }


def list_models(models: Sequence[ListedModel], mark: str) -> SimulatedReply:
    """Return the answer to `GET …/models`."""
    return _reply(200, {"object": "list", "data": [_row(model) for model in models]}, mark)


def one_model(wanted: str, found: ListedModel | None, mark: str) -> SimulatedReply:
    """Return the answer to `GET …/models/{id}`."""
    if found is None:
        raise SimulatedError(
            f"The model '{wanted}' does not exist",
            status=404,
            param="model",
            code="model_not_found",
        )
    return _reply(200, _row(found), mark)
