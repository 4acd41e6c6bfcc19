"""Simulated Gemini API, of AI Studio and of Vertex AI: content, token counts and models."""

from __future__ import annotations

from datetime import datetime, timezone
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
from specado.simulator.gemini_checks import (
    check_content,
    check_request,
    functions_of,
    responses_of,
    too_long,
)
from specado.simulator.gemini_models import SERVED, GeminiRules, gemini_rules
from specado.simulator.gemini_requests import Backend, invalid_argument, read_message
from specado.simulator.gemini_schemas import as_json_schema
from specado.simulator.gemini_signatures import sign_part
from specado.simulator.gemini_stream import ARRAY, STREAM, array_of, events_of
from specado.simulator.models import ModelRules
from specado.simulator.reply import SimulatedError, SimulatedReply, streamed
from specado.simulator.stream_faults import play, without_answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from specado.simulator.faults import Fault, WireError
    from specado.simulator.models import ListedModel, ModelLookup

__all__ = [
    "GeminiCall",
    "broken_stream",
    "complete",
    "count",
    "empty",
    "error_reply",
    "list_models",
    "one_model",
]

DIALECT = "gemini"
THOUGHT = "**Considering the request**\n\nThe request is answered by a simulated model.\n"
IMAGE_TOKENS = 258
FILE_TOKENS = 1000
DEFAULT_PAGE = 50
MAX_PAGE = 1000
_HEADERS = (
    ("content-type", "application/json; charset=UTF-8"),
    ("server-timing", "gfet4t7; dur=1"),
    ("vary", "Origin"),
    ("vary", "X-Origin"),
    ("vary", "Referer"),
)
_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
_MODALITIES = {"image": "IMAGE", "audio": "AUDIO", "video": "VIDEO"}


class GeminiCall(msgspec.Struct, frozen=True):
    """The facts in the URL of a request."""

    model: str
    backend: Backend
    version: str
    is_sse: bool = True


class _Asked(msgspec.Struct):
    """An accepted request, and the facts derived from it."""

    call: GeminiCall
    config: dict[str, Any]
    rules: GeminiRules
    prompt: PromptFacts
    mark: str
    thinks: bool
    media_tokens: dict[str, int]
    now_s: float
    searches: bool = False


def _limits(call: GeminiCall, models: ModelLookup, url: str) -> ModelRules:
    limits = models(DIALECT, call.model, url)
    if limits is None and call.model in SERVED:
        limits = ModelRules(call.model)
    if limits is not None:
        return limits
    if call.backend == "vertex":
        raise SimulatedError(
            f"Publisher Model `publishers/google/models/{call.model}` was not found or your "
            "project does not have access to it. Please ensure you are using a valid model "
            "version.",
            status=404,
        )
    raise SimulatedError(
        f"models/{call.model} is not found for API version {call.version}, or is not supported "
        "for generateContent. Call ModelService.ListModels to see the list of available models "
        "and their supported methods.",
        status=404,
    )


def read_request(
    body: bytes, call: GeminiCall, models: ModelLookup, url: str, now_s: float, *, streams: bool
) -> _Asked:
    """Return the request in *body*; raises `SimulatedError` where Google refuses."""
    request = read_message("GenerateContentRequest", body, call.backend, call.version)
    limits = _limits(call, models, url)
    rules = gemini_rules(call.model, limits.efforts)
    check_request(request, rules, limits, call.backend, streams=streams)
    media: dict[str, int] = {}
    prompt = _conversation(request, media)
    window = limits.context_window
    if window is not None and prompt.prompt_tokens > window:
        raise too_long(prompt.prompt_tokens, window)
    config = request.get("generationConfig", {})
    searches = any("googleSearch" in tool for tool in request.get("tools") or ())
    thinks = _thinks(config.get("thinkingConfig", {}), rules)
    return _Asked(
        call, config, rules, prompt, digest(body), thinks, media, now_s, searches=searches
    )


def _thinks(config: dict[str, Any], rules: GeminiRules) -> bool:
    if not rules.thinks:
        return False
    budget, level = config.get("thinkingBudget"), config.get("thinkingLevel")
    if budget is not None:
        return bool(budget != 0)
    # At this level the model answers most questions without thinking.
    return level != "MINIMAL" and (rules.thinks_by_default or level is not None)


def _conversation(request: dict[str, Any], media: dict[str, int]) -> PromptFacts:
    """Return the facts of the request; counts the tokens of images and the like in *media*."""
    contents = request["contents"]
    config = request.get("generationConfig", {})
    prompt = PromptFacts(
        messages=len(contents),
        stops=config.get("stopSequences") or [],
        max_tokens=config.get("maxOutputTokens"),
    )
    prompt.characters = sum(
        len(part.get("text", "")) for part in request.get("systemInstruction", {}).get("parts", ())
    )
    for content in contents:
        texts = [part["text"] for part in content["parts"] if "text" in part]
        prompt.characters += sum(map(len, texts))
        responses = responses_of(content)
        if content.get("role") == "model":
            calls = [part["functionCall"] for part in content["parts"] if "functionCall" in part]
            prompt.characters += sum(len(msgspec.json.encode(one)) for one in calls)
        elif responses:
            prompt.last_result = "\n".join(_result(one) for one in responses)
            prompt.characters += len(prompt.last_result)
        else:
            prompt.user_text = "\n".join(texts)
            prompt.user_turns += 1
            prompt.last_result = None
            prompt.attachments = 0
            _count_media(content["parts"], prompt, media)
    _read_choice(request, prompt)
    prompt.schema = _schema(config, prompt)
    return prompt


def _result(response: dict[str, Any]) -> str:
    """Return a function's result: its `output` if it has one, else the whole response."""
    value = response.get("response") or {}
    said = value.get("output", value)
    return said if isinstance(said, str) else msgspec.json.encode(said).decode()


def _count_media(
    parts: Sequence[dict[str, Any]], prompt: PromptFacts, media: dict[str, int]
) -> None:
    for part in parts:
        data = part.get("inlineData") or part.get("fileData")
        if data is None:
            continue
        prompt.attachments += 1
        kind = _MODALITIES.get(data.get("mimeType", "").partition("/")[0], "DOCUMENT")
        size = IMAGE_TOKENS if kind == "IMAGE" else FILE_TOKENS
        prompt.image_tokens += size
        media[kind] = media.get(kind, 0) + size


def _read_choice(request: dict[str, Any], prompt: PromptFacts) -> None:
    config = request.get("toolConfig", {}).get("functionCallingConfig", {})
    allowed = config.get("allowedFunctionNames") or None
    mode = config.get("mode", "AUTO")
    prompt.choice = {"NONE": "none", "ANY": "required"}.get(mode, "auto")
    for function in functions_of(request):
        schema = function.get("parametersJsonSchema")
        if schema is None:
            schema = as_json_schema(function.get("parameters") or {})
        prompt.characters += len(msgspec.json.encode(function))
        if allowed is None or function["name"] in allowed:
            prompt.tools.append(ToolOffer(function["name"], schema))


def _schema(config: dict[str, Any], prompt: PromptFacts) -> Any:
    """Return the JSON Schema that the answer must obey, if it must obey one."""
    if "responseJsonSchema" in config:
        return config["responseJsonSchema"]
    if "responseSchema" in config:
        return as_json_schema(config["responseSchema"])
    if config.get("responseMimeType") == "application/json":
        return {"properties": {"answer": {"const": f"Simulated: {prompt.user_text[:200]}"}}}
    return None


def complete(
    body: bytes,
    call: GeminiCall,
    models: ModelLookup,
    url: str,
    now_s: float,
    *,
    streams: bool,
    fault: Fault | None = None,
) -> SimulatedReply:
    """Return the answer to `…:generateContent` and `…:streamGenerateContent`.

    *fault* applies to a streamed request.
    """
    asked = read_request(body, call, models, url, now_s, streams=streams)
    config, prompt, mark = asked.config, asked.prompt, asked.mark
    thought = 0
    if asked.thinks:
        thought = tokens_of(THOUGHT)
        if prompt.max_tokens is not None:
            thought = min(thought, prompt.max_tokens)
            prompt.max_tokens -= thought
    choices = config.get("candidateCount") or 1
    simulated = [answer(prompt, number) for number in range(choices)]
    candidates = [
        _candidate(asked, one, number, is_streamed=streams) for number, one in enumerate(simulated)
    ]
    used = sum(one.tokens for one in simulated) if prompt.max_tokens != 0 else 0
    reply = {
        "candidates": candidates,
        "usageMetadata": _usage(asked, used, thought),
        **_origin(call, mark, now_s),
    }
    if not streams:
        return SimulatedReply(200, _HEADERS, orjson.dumps(reply))
    events = events_of(reply)
    if call.is_sse:
        return streamed(_HEADERS, play(events, fault, STREAM, mark), "text/event-stream")
    return streamed(_HEADERS, play(array_of(events), fault, ARRAY, mark), _HEADERS[0][1])


def _origin(call: GeminiCall, mark: str, now_s: float) -> dict[str, Any]:
    """Return the members that say where a reply comes from."""
    made: dict[str, Any] = {"modelVersion": call.model, "responseId": f"sim-{mark}"}
    if call.backend == "vertex":
        made["createTime"] = _time(now_s)
    return made


def _time(now_s: float) -> str:
    moment = datetime.fromtimestamp(now_s, timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _candidate(
    asked: _Asked, simulated: SimulatedAnswer, number: int, *, is_streamed: bool
) -> dict[str, Any]:
    parts: list[dict[str, Any]] = []
    shows = asked.config.get("thinkingConfig", {}).get("includeThoughts")
    if asked.thinks and shows:
        parts.append({"text": THOUGHT, "thought": True})
    is_cut = simulated.ended == "length" or asked.prompt.max_tokens == 0
    if asked.prompt.max_tokens != 0:
        parts += _parts(asked, simulated, number, is_streamed=is_streamed)
    content: dict[str, Any] = {"role": "model"}
    if parts:
        content = {"parts": parts, "role": "model"}
    made: dict[str, Any] = {
        "content": content,
        "finishReason": "MAX_TOKENS" if is_cut else "STOP",
    }
    if asked.call.backend == "studio" or number:
        made["index"] = number
    if asked.config.get("responseLogprobs") and simulated.text:
        made["avgLogprobs"] = -0.1
        made["logprobsResult"] = _logprobs(simulated.text, asked.config.get("logprobs") or 0)
    if asked.searches and simulated.text:
        made["groundingMetadata"] = _grounding(asked.prompt.user_text, simulated.text)
    return made


def _parts(
    asked: _Asked, simulated: SimulatedAnswer, number: int, *, is_streamed: bool
) -> list[dict[str, Any]]:
    tool = simulated.tool
    backend, mark = asked.call.backend, asked.mark
    if tool is None:
        part: dict[str, Any] = {"text": simulated.text}
        if not asked.rules.is_newest:
            return [part] if simulated.text else []
        if not is_streamed:
            part["thoughtSignature"] = sign_part(part, mark, backend)
            return [part]
        # In a stream the signature comes last, beside an empty text.
        last: dict[str, Any] = {"text": ""}
        last["thoughtSignature"] = sign_part(last, mark, backend)
        return [part, last]
    if simulated.ended == "length":
        return []  # a truncated call is left out
    call: dict[str, Any] = {"name": tool.name, "args": msgspec.json.decode(simulated.arguments)}
    if asked.rules.is_newest and backend == "studio":
        call["id"] = f"{mark[:6]}{number:02}"
    part = {"functionCall": call}
    if asked.rules.is_newest or asked.thinks:
        part["thoughtSignature"] = sign_part(part, mark, backend)
    return [part]


def _logprobs(text: str, rivals: int) -> dict[str, Any]:
    chosen, top = [], []
    for place in range(0, len(text), CHARACTERS_PER_TOKEN):
        token = text[place : place + CHARACTERS_PER_TOKEN]
        first = {"token": token, "tokenId": place + 1, "logProbability": -0.1}
        chosen.append(first)
        others = [
            {
                "token": f"{token}{rank}",
                "tokenId": place + 1 + rank,
                "logProbability": -2.0 - rank,
            }
            for rank in range(1, rivals)
        ]
        top.append({"candidates": [first, *others]})
    return {"chosenCandidates": chosen, **({"topCandidates": top} if rivals else {})}


def _grounding(question: str, text: str) -> dict[str, Any]:
    """Return a search of which the answer's last word is the result; indices count bytes."""
    word = text.split()[-1] if text.split() else text
    end = len(text.encode())
    return {
        "webSearchQueries": [question[:100]],
        "searchEntryPoint": {"renderedContent": "<div>simulated</div>"},
        "groundingChunks": [
            {"web": {"uri": "https://example.com/simulated", "title": "example.com"}}
        ],
        "groundingSupports": [
            {
                "segment": {
                    "startIndex": end - len(word.encode()),
                    "endIndex": end,
                    "text": word,
                },
                "groundingChunkIndices": [0],
            }
        ],
    }


def _usage(asked: _Asked, used: int, thought: int) -> dict[str, Any]:
    """Return the usage; members of value 0 are left out."""
    prompt = asked.prompt.prompt_tokens
    words = {"modality": "TEXT", "tokenCount": prompt - sum(asked.media_tokens.values())}
    media = [{"modality": kind, "tokenCount": size} for kind, size in asked.media_tokens.items()]
    made: dict[str, Any] = {"promptTokenCount": prompt}
    if used:
        made["candidatesTokenCount"] = used
    made["totalTokenCount"] = prompt + used + thought
    made["promptTokensDetails"] = [words, *media]
    if thought:
        made["thoughtsTokenCount"] = thought
    if asked.call.backend == "vertex":
        if used:
            made["candidatesTokensDetails"] = [{"modality": "TEXT", "tokenCount": used}]
        made["trafficType"] = "ON_DEMAND"
    return made


def count(body: bytes, call: GeminiCall, models: ModelLookup, url: str) -> SimulatedReply:
    """Return the answer to `…:countTokens`."""
    asked = read_message("CountTokensRequest", body, call.backend, call.version)
    _limits(call, models, url)
    if "generateContentRequest" in asked and "contents" in asked:
        raise invalid_argument("Only one of contents and generate_content_request can be set.")
    request = asked.get("generateContentRequest", asked)
    check_content(request, gemini_rules(call.model), call.backend)
    media: dict[str, int] = {}
    prompt = _conversation(request, media)
    words = prompt.prompt_tokens - sum(media.values())
    details = [{"modality": "TEXT", "tokenCount": words}]
    details += [{"modality": kind, "tokenCount": size} for kind, size in media.items()]
    reply = {"totalTokens": prompt.prompt_tokens, "promptTokensDetails": details}
    return SimulatedReply(200, _HEADERS, orjson.dumps(reply))


def error_reply(
    error: WireError | SimulatedError, mark: str, *, call: GeminiCall | None = None
) -> SimulatedReply:
    """Return an error as Google writes it; a status of 200 is a blocked prompt."""
    if error.status == 200:
        return _blocked(error.type, mark, call)
    status = _STATUSES.get(error.status, "UNKNOWN") if error.type.islower() else error.type
    fields: dict[str, Any] = {"code": error.status, "message": error.message, "status": status}
    if error.details:
        fields["details"] = list(error.details)
    body: Any = {"error": fields}
    if call is not None and not call.is_sse:
        body = [body]
    return SimulatedReply(error.status, _HEADERS, orjson.dumps(body, option=orjson.OPT_INDENT_2))


def _blocked(reason: str, mark: str, call: GeminiCall | None) -> SimulatedReply:
    """Return the reply to a prompt that was blocked: it has no candidates."""
    call = call or GeminiCall("", "studio", "v1beta")
    reply = {
        "promptFeedback": {"blockReason": reason},
        "usageMetadata": {"promptTokenCount": 1, "totalTokenCount": 1},
        **_origin(call, mark, 0.0),
    }
    return SimulatedReply(200, _HEADERS, orjson.dumps(reply))


def empty(call: GeminiCall, mark: str, now_s: float, *, streams: bool) -> SimulatedReply:
    """Return a reply of status 200 without a candidate."""
    used = tokens_of(call.model)
    reply = {
        "usageMetadata": {"promptTokenCount": used, "totalTokenCount": used},
        **_origin(call, mark, now_s),
    }
    if streams:
        events = events_of({**reply, "candidates": []})
        return streamed(_HEADERS, play(events, None, STREAM, mark), "text/event-stream")
    return SimulatedReply(200, _HEADERS, orjson.dumps(reply))


def blocked_stream(error: WireError, mark: str, call: GeminiCall) -> SimulatedReply:
    """Return the stream of a prompt that was blocked: one event."""
    reply = _blocked(error.type, mark, call)
    frames = play(events_of({**orjson.loads(reply.body)}), None, STREAM, mark)
    return streamed(_HEADERS, frames, "text/event-stream")


def broken_stream(kind: str, mark: str) -> SimulatedReply:  # noqa: ARG001 - as of every API
    """Return a stream without an answer in it: `malformed` or `truncated`."""
    return streamed(_HEADERS, without_answer(kind, STREAM), "text/event-stream")


def _row(model: ListedModel, backend: Backend) -> dict[str, Any]:
    if backend == "vertex":
        return {"name": f"publishers/google/models/{model.id}", "versionId": "default"}
    made: dict[str, Any] = {
        "name": f"models/{model.id}",
        "version": "001",
        "displayName": model.id,
        "inputTokenLimit": model.max_input_tokens or 1_048_576,
        "outputTokenLimit": model.max_output_tokens or 65_536,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
        "temperature": 1,
        "topP": 0.95,
        "topK": 64,
        "maxTemperature": 2,
    }
    if gemini_rules(model.id).thinks:
        made["thinking"] = True
    return made


def _all(models: Sequence[ListedModel]) -> list[ListedModel]:
    from specado.simulator.models import ListedModel

    known = {model.id for model in models}
    return [*models, *(ListedModel(name, 0, "active") for name in SERVED if name not in known)]


def list_models(
    models: Sequence[ListedModel], query: Mapping[str, str], backend: Backend
) -> SimulatedReply:
    """Return one page of the answer to `GET …/models`; *query* may have `pageSize`, `pageToken`."""
    rows = [_row(model, backend) for model in _all(models)]
    size_text = query.get("pageSize", str(DEFAULT_PAGE))
    start_text = query.get("pageToken", "0")
    if not size_text.isdecimal() or not start_text.isdecimal() or len(size_text + start_text) > 12:
        raise invalid_argument("Invalid page size or page token.")
    start = int(start_text)
    end = start + min(int(size_text) or DEFAULT_PAGE, MAX_PAGE)
    name = "publisherModels" if backend == "vertex" else "models"
    reply: dict[str, Any] = {name: rows[start:end]}
    if end < len(rows):
        reply["nextPageToken"] = str(end)
    return SimulatedReply(200, _HEADERS, orjson.dumps(reply))


def one_model(
    wanted: str, found: ListedModel | None, backend: Backend, version: str
) -> SimulatedReply:
    """Return the answer to `GET …/models/{id}`."""
    row = found or next((model for model in _all(()) if model.id == wanted), None)
    if row is None:
        raise SimulatedError(
            f"models/{wanted} is not found for API version {version}. Call ModelService.ListModels "
            "to see the list of available models and their supported methods.",
            status=404,
        )
    return SimulatedReply(200, _HEADERS, orjson.dumps(_row(row, backend)))
