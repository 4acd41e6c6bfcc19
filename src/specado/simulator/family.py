"""Simulated OpenAI-compatible providers: where each differs from OpenAI's chat completions.

`FAMILY` is a table of its own, written from recorded traffic (pydantic/pydantic-ai, read
2026-08-22) and the providers' documentation (read 2026-11-30), never from the manifests. A request
is checked against the provider's table, answered as OpenAI would, and written in the provider's
form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Optional, Union

import msgspec
import orjson

from specado.simulator import openai_api
from specado.simulator.answers import digest
from specado.simulator.faults import error_object
from specado.simulator.openai_requests import ChatRequest
from specado.simulator.openai_stream import STREAM, events_of
from specado.simulator.reply import SimulatedError, SimulatedReply, streamed
from specado.simulator.stream_faults import Events, StreamFormat, play

if TYPE_CHECKING:
    from specado.simulator.faults import Fault, WireError
    from specado.simulator.models import ModelLookup

__all__ = ["FAMILY", "FamilyApi", "as_openai", "complete", "error_reply", "family_of"]

Object = dict[str, Any]
Shape = Callable[[Object, Object], None]

REASONING = "Simulated reasoning."
_REASONING_TOKENS = 5
_OPENAI_MEMBERS = frozenset(ChatRequest.__struct_encode_fields__)
_OPENAI_TIERS = ("auto", "default", "flex", "priority")
_MESSAGE_MEMBERS = ("role", "content", "name", "tool_calls", "tool_call_id", "refusal")
_LONGEST_ID = 40


class FamilyApi(msgspec.Struct, frozen=True, kw_only=True):
    """Chat completions of one provider, as far as they differ from OpenAI's.

    Attributes:
        name: the provider; also the prefix of its paths at the simulator's server.
        host: the host of its address.
        root: the path before `/chat/completions`.
        source: where the facts come from: recordings, documentation.
        members: the only top-level members that are taken; `None` if others are ignored.
        refused: top-level members that are refused; `messages[].name` too.
        refused_values: words that a member may not have.
        roles: roles of messages that are refused.
        ignored: members that are taken, and have no effect.
        renamed: OpenAI's name of a member, by the provider's; OpenAI's has no effect.
        values: OpenAI's word for a value of a member, by the provider's.
        call_id: the form of the ids of tool calls; `None` for any.
        empty_tools: whether an empty list of tools is taken.
        custom_tools: whether tools need not be functions.
        max_choices: the largest `n`.
        max_stops: the most stop sequences.
        ranges: the least and the greatest value of a number.
        thinks: says whether a request is answered with reasoning.
        shape: changes a whole reply to the provider's form; takes the request too.
        shape_chunk: the same of a chunk of a stream.
        opening: what a stream begins with.
        stream: how a stream tells an error, and keeps the connection open.
        has_usage: whether a stream has its usage unasked.
        joins_usage: whether the usage stands in the chunk with the finish reason.
        error: returns the body of an error.
        needs_key: whether a key is asked for.
        wrong_key, out_of_quota: the status and code of these errors.
        status_of_refusal: the status of a refused request.
        headers: headers of every reply.
    """

    name: str
    host: str
    root: str
    source: str
    members: Optional[frozenset[str]] = None
    refused: frozenset[str] = frozenset()
    refused_values: Mapping[str, tuple[str, ...]] = {}
    roles: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()
    renamed: Mapping[str, str] = {}
    values: Mapping[str, Mapping[str, str]] = {}
    call_id: Optional[re.Pattern[str]] = None
    empty_tools: bool = True
    custom_tools: bool = True
    max_choices: Optional[int] = None
    max_stops: Optional[int] = None
    ranges: Mapping[str, tuple[float, float]] = {}
    thinks: Callable[[Object], bool]
    shape: Shape
    shape_chunk: Shape
    opening: bytes = b""
    stream: StreamFormat = STREAM
    has_usage: bool = False
    joins_usage: bool = False
    error: Callable[[Object, int], Object]
    needs_key: bool = True
    wrong_key: tuple[int, Optional[str]] = (401, "invalid_api_key")
    out_of_quota: tuple[int, Optional[str]] = (429, "insufficient_quota")
    status_of_refusal: int = 400
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def address(self) -> str:
        """The base URL of the provider."""
        scheme = "http" if self.host.startswith("localhost") else "https"
        return f"{scheme}://{self.host}{self.root}"


def family_of(url: str) -> tuple[Optional[FamilyApi], str]:
    """Return the provider of a request's URL or path, and the path below its root.

    The simulator's server has each provider below a prefix: `/groq/openai/v1/chat/completions`.
    """
    scheme, found, rest = url.partition("://")
    if found:
        host, _, path = rest.partition("/")
        family = _BY_HOST.get(host)
        path = f"/{path}"
    else:
        name, _, path = scheme[1:].partition("/")
        family = FAMILY.get(name)
        path = f"/{path}"
    path = path.partition("?")[0]
    if family is None or not path.startswith(f"{family.root}/"):
        return None, ""
    return family, path[len(family.root) :]


# Requests.


def complete(
    family: FamilyApi, body: bytes, models: ModelLookup, now_s: float, fault: Fault | None = None
) -> SimulatedReply:
    """Return the provider's answer to a request; *fault* strikes if it is streamed."""
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError:
        request = None
    if not isinstance(request, dict):
        raise SimulatedError(openai_api.NOT_JSON)
    _check(family, request)
    inner = {**as_openai(family, request), "stream": False}
    inner.pop("stream_options", None)
    made = openai_api.complete(orjson.dumps(inner), models, family.address, now_s)
    whole = orjson.loads(made.body)
    mark = digest(body)
    if not request.get("stream"):
        _finish(family, request, whole)
        return SimulatedReply(200, _headers(family, mark), orjson.dumps(whole))
    return _streamed(family, request, whole, fault, mark)


def _check(family: FamilyApi, request: Object) -> None:
    """Refuse what the provider refuses."""
    for name, value in request.items():
        if family.members is not None and name not in family.members:
            raise _unknown(name, value)
        if name in family.refused:
            raise _refusal(family, f"property '{name}' is unsupported", name)
        if isinstance(value, str) and value in family.refused_values.get(name, ()):
            raise _refusal(family, f"'{name}': {value!r} is not supported", name)
    kind = (request.get("response_format") or {}).get("type")
    if kind in family.refused_values.get("response_format", ()):
        raise _refusal(family, "This response_format type is unavailable now", "response_format")
    if request.get("tools") == [] and not family.empty_tools:
        raise _refusal(family, "'tools' must not be empty", "tools")
    if not family.custom_tools and any(
        isinstance(tool, dict) and tool.get("type", "function") != "function"
        for tool in request.get("tools") or ()
    ):
        raise _refusal(family, "tools: `type` must be `function`", "tools")
    if family.max_choices is not None and (request.get("n") or 1) > family.max_choices:
        raise _refusal(family, f"'n': must be at most {family.max_choices}", "n")
    stop = request.get("stop")
    if family.max_stops is not None and isinstance(stop, list) and len(stop) > family.max_stops:
        raise _refusal(family, f"'stop': at most {family.max_stops} words", "stop")
    for name, (least, most) in family.ranges.items():
        value = request.get(name)
        if isinstance(value, (int, float)) and not least <= value <= most:
            raise _refusal(family, f"'{name}' must be between {least} and {most}", name)
    for place, message in enumerate(request.get("messages") or ()):
        if isinstance(message, dict):
            _check_message(family, message, f"messages[{place}]")


def _check_message(family: FamilyApi, message: Object, path: str) -> None:
    role = message.get("role")
    if role in family.roles:
        raise _refusal(family, f"{path}.role: unknown variant `{role}`", "messages")
    if "name" in message and "messages[].name" in family.refused:
        raise _refusal(family, f"'{path}': property 'name' is unsupported", "messages")
    parts = message.get("content")
    for part in [message, *(parts if isinstance(parts, list) else ())]:
        if family.members is not None and "cache_control" in part:
            raise _unknown("cache_control", part["cache_control"])
    ids = [call.get("id") for call in message.get("tool_calls") or () if isinstance(call, dict)]
    for id_ in [*ids, message.get("tool_call_id")]:
        if family.call_id is not None and id_ is not None and not family.call_id.fullmatch(id_):
            raise _refusal(
                family,
                f"Tool call id was {id_} but must be a-z, A-Z, 0-9, with a length of 9.",
                "messages",
            )


def _refusal(family: FamilyApi, text: str, param: str) -> SimulatedError:
    return SimulatedError(text, status=family.status_of_refusal, param=param)


def _unknown(name: str, value: Any) -> SimulatedError:
    """Return the error for a member that a strict server does not know."""
    detail = {
        "type": "extra_forbidden",
        "loc": ["body", name],
        "msg": "Extra inputs are not permitted",
        "input": value,
    }
    return SimulatedError(
        "Extra inputs are not permitted", status=422, param=name, details=(detail,)
    )


def as_openai(family: FamilyApi, request: Object) -> Object:
    """Return what the provider understands of a request, as a request to OpenAI.

    Members that only the provider knows are left out.
    """
    made: Object = {}
    unread = family.ignored.union(family.renamed.values())
    for given, value in request.items():
        if given in unread:
            continue
        name = family.renamed.get(given, given)
        if value is None or name not in _OPENAI_MEMBERS or (name == "tools" and not value):
            continue
        if isinstance(value, str):
            value = family.values.get(given, {}).get(value, value)
        made[name] = value
    if isinstance(made.get("tools"), list):
        tools = [_openai_tool(each) for each in made["tools"]]
        made["tools"] = [each for each in tools if each is not None]
        if not made["tools"]:
            for name in ("tools", "tool_choice"):
                made.pop(name, None)
    if isinstance(made.get("messages"), list):
        made["messages"] = [_openai_message(each) for each in made["messages"]]
    if made.get("service_tier") not in _OPENAI_TIERS:
        made.pop("service_tier", None)
    return made


def _openai_tool(tool: Any) -> Any:
    """Return a function as OpenAI takes it, `None` for a tool of another kind.

    OpenAI alone wants complete schemas, and enforces its rules for strict ones.
    """
    if not isinstance(tool, dict) or tool.get("type", "function") != "function":
        return tool if isinstance(tool, dict) and tool.get("type") == "custom" else None
    function = tool.get("function")
    if not isinstance(function, dict):
        return tool
    kept = {name: function[name] for name in ("name", "description") if name in function}
    if isinstance(function.get("parameters"), dict):
        kept["parameters"] = _complete(function["parameters"])
    return {"type": "function", "function": kept}


def _complete(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_complete(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _complete(value) for name, value in schema.items()}
    if made.get("type") == "object":
        made.setdefault("properties", {})
    elif made.get("type") == "array":
        made.setdefault("items", {})
    return made


def _openai_message(message: Any) -> Any:
    """Return a message without what OpenAI alone refuses: reasoning, media of other kinds."""
    if not isinstance(message, dict):
        return message
    made = {name: message[name] for name in _MESSAGE_MEMBERS if message.get(name) is not None}
    if isinstance(made.get("content"), list):
        kept = [_openai_part(part) for part in made["content"]]
        made["content"] = [part for part in kept if part is not None]
    if made.get("role") == "assistant" and not made.get("content"):
        made["content"] = None if made.get("tool_calls") else ""
    if isinstance(made.get("tool_call_id"), str):
        made["tool_call_id"] = _short_id(made["tool_call_id"])
    if "tool_calls" in made:
        made["tool_calls"] = [_openai_call(call) for call in made["tool_calls"]]
        if not made["tool_calls"]:
            del made["tool_calls"]
    return made


def _openai_part(part: Any) -> Any:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "text":
        return {"type": "text", "text": part.get("text")}
    if kind == "image_url":
        return {"type": "image_url", "image_url": part.get("image_url")}
    if kind in ("thinking", "reasoning") or kind is None:
        return None
    return {"type": "text", "text": f"({kind})"}


def _openai_call(call: Any) -> Any:
    if not isinstance(call, dict):
        return call
    made = {name: call[name] for name in ("function", "custom") if name in call}
    return {"id": _short_id(call.get("id")), "type": call.get("type") or "function", **made}


def _short_id(given: Any) -> Any:
    """Return the id of a call in the length that OpenAI takes."""
    is_long = isinstance(given, str) and len(given) > _LONGEST_ID
    return digest(given.encode()) if is_long else given


# Replies.


def _headers(family: FamilyApi, mark: str) -> tuple[tuple[str, str], ...]:
    return (("content-type", "application/json"), *family.headers, ("x-request-id", f"req_{mark}"))


def _finish(family: FamilyApi, request: Object, whole: Object) -> None:
    """Write a whole reply in the provider's form."""
    for name in ("service_tier", "system_fingerprint"):
        del whole[name]
    usage = whole["usage"]
    del usage["prompt_tokens_details"], usage["completion_tokens_details"]
    for choice in whole["choices"]:
        for name in ("refusal", "annotations"):
            choice["message"].pop(name, None)
    family.shape(request, whole)


def _streamed(
    family: FamilyApi, request: Object, whole: Object, fault: Fault | None, mark: str
) -> SimulatedReply:
    options = request.get("stream_options") or {}
    asked = family.has_usage or options.get("include_usage") is True
    events = events_of(whole, include_usage=asked, obfuscated=False)
    if family.joins_usage and asked:
        _join_usage(events)
    shaped = [_shaped_frame(family, request, frame) for frame in events.frames]
    if family.thinks(request):
        thought = orjson.loads(events.frames[0][len(b"data: ") :])
        thought["choices"][0]["delta"] = {"reasoning": REASONING}
        shaped.insert(events.first, _shaped_frame(family, request, _frame(thought)))
    if family.opening:
        shaped.insert(0, family.opening)
        events.first += 1
        events.end += 1
    events.frames = shaped
    return streamed(_headers(family, mark), play(events, fault, family.stream, mark))


def _join_usage(events: Events) -> None:
    """Move the usage from a chunk of its own to the chunk with the finish reason."""
    *_, last, counted, _done = events.frames
    chunk = orjson.loads(last[len(b"data: ") :])
    chunk["usage"] = orjson.loads(counted[len(b"data: ") :])["usage"]
    events.frames[-3:-1] = [_frame(chunk)]


def _frame(chunk: Object) -> bytes:
    return b"data: " + orjson.dumps(chunk) + b"\n\n"


def _shaped_frame(family: FamilyApi, request: Object, frame: bytes) -> bytes:
    """Return an event in the provider's form; the last one is no JSON."""
    if not frame.startswith(b"data: {"):
        return frame
    chunk = orjson.loads(frame[len(b"data: ") :])
    for name in ("service_tier", "system_fingerprint"):
        chunk.pop(name, None)
    if chunk.get("usage") is None:
        chunk.pop("usage", None)
    else:
        for name in ("prompt_tokens_details", "completion_tokens_details"):
            chunk["usage"].pop(name, None)
    for choice in chunk["choices"]:
        choice["delta"].pop("refusal", None)
    family.shape_chunk(request, chunk)
    return _frame(chunk)


def error_reply(
    family: FamilyApi, error: Union[WireError, SimulatedError], mark: str
) -> SimulatedReply:
    """Return an error in the provider's form."""
    status, code = error.status, error.code
    if code == "invalid_api_key" or status == 401:
        status, code = family.wrong_key
    elif code == "insufficient_quota":
        status, code = family.out_of_quota
    message = error.message
    if (status, code) == family.wrong_key:
        message = "Incorrect API key provided: wr***ng."
    fields = {"message": message, "type": error.type, "param": error.param,
              "code": code, "details": error.details}  # fmt: skip
    own = dict(getattr(error, "headers", {}) or {})
    headers = [pair for pair in _headers(family, mark) if pair[0] not in own]
    body = orjson.dumps(family.error(fields, status))
    return SimulatedReply(status, (*headers, *own.items()), body)


# What the providers' replies and errors have in common.


def _asks_effort(request: Object) -> bool:
    return request.get("reasoning_effort") not in (None, "none")


def _never(_request: Object) -> bool:
    return False


def _messages(whole: Object) -> list[Object]:
    return [choice["message"] for choice in whole["choices"]]


def _deltas(chunk: Object) -> list[Object]:
    return [choice["delta"] for choice in chunk["choices"]]


def _add_reasoning(whole: Object, name: str) -> None:
    for message in _messages(whole):
        message[name] = REASONING


def _rename_delta(chunk: Object, name: str) -> None:
    for delta in _deltas(chunk):
        if name != "reasoning" and "reasoning" in delta:
            delta[name] = delta.pop("reasoning")


def _add_reasoning_tokens(usage: Object, *, inside: bool = True) -> None:
    """Add reasoning to the usage: a part of the completion, or beside it."""
    usage["completion_tokens_details"] = {"reasoning_tokens": _REASONING_TOKENS}
    usage["total_tokens"] += _REASONING_TOKENS
    if inside:
        usage["completion_tokens"] += _REASONING_TOKENS


def _openai_error(fields: Object, _status: int) -> Object:
    return {"error": {name: fields[name] for name in ("message", "type", "param", "code")}}


# Groq: recorded (40 whole replies, 5 streams, 400 and 404) and its "OpenAI compatibility" page.


def _groq(request: Object, whole: Object) -> None:
    whole["system_fingerprint"] = "fp_simulated"
    whole["usage"].update(
        queue_time=0.1, prompt_time=0.003, completion_time=0.029, total_time=0.032
    )
    whole["usage_breakdown"] = None
    whole["x_groq"] = {"id": "req_simulated"}
    if _asks_effort(request):
        _add_reasoning(whole, "reasoning")
        _add_reasoning_tokens(whole["usage"])


def _groq_chunk(request: Object, chunk: Object) -> None:
    if chunk.get("usage") and _asks_effort(request):
        _add_reasoning_tokens(chunk["usage"])
    if any("role" in delta for delta in _deltas(chunk)) or chunk.get("usage"):
        chunk["x_groq"] = {"id": "req_simulated"}
        if chunk.get("usage"):
            chunk["x_groq"]["usage"] = chunk["usage"]


def _groq_error_frames(fault: Fault, _mark: str, _number: int) -> bytes:
    """Return a named event with the error, after which no end comes (recorded)."""
    if fault.openai is None:
        return b"data: [DONE]\n\n"
    error = {**error_object(fault.openai), "status_code": fault.openai.status}
    return b"event: error\ndata: " + orjson.dumps({"error": error}) + b"\n\n"


def _groq_error(fields: Object, _status: int) -> Object:
    return {"error": {name: fields[name] for name in ("message", "type", "code") if fields[name]}}


# Mistral: recorded (40 whole replies, a stream) and mistralai 3.7.0.


def _mistral(request: Object, whole: Object) -> None:
    for choice in whole["choices"]:
        message = choice["message"]
        message.setdefault("tool_calls", None)
        if choice["finish_reason"] == "length":
            choice["finish_reason"] = "model_length"
        if message["content"] is None:
            message["content"] = ""
        if _asks_effort(request):
            message["content"] = [
                {"type": "thinking", "thinking": [{"type": "text", "text": REASONING}]},
                {"type": "text", "text": message["content"]},
            ]
    whole["usage"]["num_cached_tokens"] = 0


def _mistral_chunk(_request: Object, chunk: Object) -> None:
    for choice in chunk["choices"]:
        if choice["finish_reason"] == "length":
            choice["finish_reason"] = "model_length"
        delta = choice["delta"]
        if "reasoning" in delta:
            part = {"type": "text", "text": delta.pop("reasoning")}
            delta["content"] = [{"type": "thinking", "thinking": [part]}]


def _mistral_error(fields: Object, status: int) -> Object:
    if status == 401:
        return {"detail": "Unauthorized"}
    message = {"detail": list(fields["details"])} if fields["details"] else fields["message"]
    return {"object": "error", "message": message, "type": fields["type"],
            "param": fields["param"], "code": fields["code"]}  # fmt: skip


# DeepSeek: recorded (4 whole replies) and its API reference.


def _deepseek_thinks(request: Object) -> bool:
    return bool((request.get("thinking") or {}).get("type") != "disabled")  # the default


def _deepseek(request: Object, whole: Object) -> None:
    usage = whole["usage"]
    usage["prompt_cache_hit_tokens"] = 0
    usage["prompt_cache_miss_tokens"] = usage["prompt_tokens"]
    usage["prompt_tokens_details"] = {"cached_tokens": 0}
    if _deepseek_thinks(request):
        _add_reasoning(whole, "reasoning_content")
        _add_reasoning_tokens(usage)


def _deepseek_chunk(request: Object, chunk: Object) -> None:
    _rename_delta(chunk, "reasoning_content")
    if chunk.get("usage") and _deepseek_thinks(request):
        _add_reasoning_tokens(chunk["usage"])


# OpenRouter: recorded (40 whole replies, 8 streams, a 429) and its API reference.


def _openrouter_thinks(request: Object) -> bool:
    return bool(request.get("reasoning")) or _asks_effort(request)


def _details(text: str) -> list[Object]:
    return [{"type": "reasoning.text", "text": text, "format": None, "index": 0}]


def _openrouter(request: Object, whole: Object) -> None:
    whole["provider"] = "Simulated"
    whole["usage"].update(cost=0, is_byok=False, cost_details={"upstream_inference_cost": None})
    for choice in whole["choices"]:
        choice["native_finish_reason"] = choice["finish_reason"]
        choice["message"].update(refusal=None, reasoning=None)
        if _openrouter_thinks(request):
            choice["message"].update(reasoning=REASONING, reasoning_details=_details(REASONING))
    if _openrouter_thinks(request):
        _add_reasoning_tokens(whole["usage"])


def _openrouter_chunk(request: Object, chunk: Object) -> None:
    chunk["provider"] = "Simulated"
    for choice in chunk["choices"]:
        choice["native_finish_reason"] = choice["finish_reason"]
        if "reasoning" in choice["delta"]:
            choice["delta"]["reasoning_details"] = _details(choice["delta"]["reasoning"])
    if chunk.get("usage"):
        chunk["usage"]["cost"] = 0
        if _openrouter_thinks(request):
            _add_reasoning_tokens(chunk["usage"])


def _openrouter_error(fields: Object, status: int) -> Object:
    return {"error": {"message": fields["message"], "code": status}, "user_id": "user_simulated"}


# xAI: its API reference; the usage is that of recorded chat completions.


def _xai(request: Object, whole: Object) -> None:
    if _asks_effort(request):
        _add_reasoning(whole, "reasoning_content")
        _add_reasoning_tokens(whole["usage"], inside=False)
    whole["usage"]["num_sources_used"] = 0


def _xai_chunk(request: Object, chunk: Object) -> None:
    _rename_delta(chunk, "reasoning_content")
    if chunk.get("usage") and _asks_effort(request):
        _add_reasoning_tokens(chunk["usage"], inside=False)


def _xai_error(fields: Object, _status: int) -> Object:
    return {"code": fields["code"] or fields["type"], "error": fields["message"]}


# Cerebras, Ollama: their API references.


def _cerebras(request: Object, whole: Object) -> None:
    whole["time_info"] = {"queue_time": 0.1, "total_time": 0.2}
    _plain(request, whole)


def _plain(request: Object, whole: Object) -> None:
    if _asks_effort(request):
        _add_reasoning(whole, "reasoning")


def _plain_chunk(_request: Object, _chunk: Object) -> None:
    return


# Perplexity: its API reference. A chunk has the message so far beside the delta.


def _perplexity(_request: Object, whole: Object) -> None:
    page = "https://example.com/"
    whole["citations"] = [page]
    whole["search_results"] = [{"title": "Example", "url": page, "date": None}]
    whole["usage"].update(search_context_size="low", cost={"total_cost": 0.0})


def _perplexity_chunk(request: Object, chunk: Object) -> None:
    for choice in chunk["choices"]:
        choice["message"] = {"role": "assistant", "content": choice["delta"].get("content") or ""}
    if chunk.get("usage"):
        _perplexity(request, chunk)


def _perplexity_error(fields: Object, status: int) -> Object:
    return {"error": {"message": fields["message"], "type": fields["type"], "code": status}}


# Z.ai: its "Errors" page (docs.z.ai/api-reference/api-code), where a used-up balance is a 429.

_ZAI_CODES = {401: "1002", 404: "1211", 429: "1302"}


def _zai(request: Object, whole: Object) -> None:
    if (request.get("thinking") or {}).get("type") == "enabled":
        _add_reasoning(whole, "reasoning_content")


def _zai_thinks(request: Object) -> bool:
    return bool((request.get("thinking") or {}).get("type") == "enabled")


def _zai_chunk(_request: Object, chunk: Object) -> None:
    _rename_delta(chunk, "reasoning_content")


def _zai_error(fields: Object, status: int) -> Object:
    code = fields["code"] if fields["code"] == "1113" else _ZAI_CODES.get(status, "1210")
    return {"error": {"code": code, "message": fields["message"]}}


_DEVELOPER = frozenset({"developer"})
_RECORDED = "https://github.com/pydantic/pydantic-ai, tests/**/cassettes"
_APIS = (
    FamilyApi(
        name="groq",
        host="api.groq.com",
        root="/openai/v1",
        source=f"{_RECORDED}; https://console.groq.com/docs/openai",
        refused=frozenset({"logprobs", "top_logprobs", "logit_bias", "messages[].name"}),
        roles=_DEVELOPER,
        custom_tools=False,
        max_choices=1,
        thinks=_asks_effort,
        shape=_groq,
        shape_chunk=_groq_chunk,
        stream=StreamFormat(error=_groq_error_frames, ping=b": ping\n\n", opening=b""),
        has_usage=True,
        joins_usage=True,
        error=_groq_error,
        headers=(
            ("x-ratelimit-limit-requests", "14400"),
            ("x-ratelimit-limit-tokens", "18000"),
            ("x-ratelimit-remaining-requests", "14399"),
            ("x-ratelimit-remaining-tokens", "17999"),
            ("x-ratelimit-reset-requests", "6s"),
            ("x-ratelimit-reset-tokens", "7.66ms"),
        ),
    ),
    FamilyApi(
        name="mistral",
        host="api.mistral.ai",
        root="/v1",
        source=f"{_RECORDED}; mistralai 3.7.0, ChatCompletionRequest",
        members=frozenset(
            {
                "model", "messages", "temperature", "top_p", "max_tokens", "stream", "stop",
                "random_seed", "metadata", "response_format", "tools", "tool_choice",
                "presence_penalty", "frequency_penalty", "min_tokens", "repetition_penalty",
                "top_k", "logprobs", "top_logprobs", "prompt_logprobs", "top_prompt_logprobs", "n",
                "prediction", "parallel_tool_calls", "reasoning_effort", "prompt_mode",
                "guardrails", "prompt_cache_key", "service_tier", "safe_prompt",
            }
        ),
        refused=frozenset({"messages[].name"}),
        roles=_DEVELOPER,
        renamed={"random_seed": "seed"},
        values={"tool_choice": {"any": "required"}},
        call_id=re.compile("[a-zA-Z0-9]{9}"),
        empty_tools=False,
        custom_tools=False,
        thinks=_asks_effort,
        shape=_mistral,
        shape_chunk=_mistral_chunk,
        has_usage=True,
        joins_usage=True,
        error=_mistral_error,
        headers=(("mistral-correlation-id", "simulated"),),
    ),
    FamilyApi(
        name="deepseek",
        host="api.deepseek.com",
        root="",
        source=f"{_RECORDED}; https://api-docs.deepseek.com",
        refused_values={"response_format": ("json_schema",)},
        roles=_DEVELOPER,
        ignored=frozenset({"max_completion_tokens"}),
        renamed={"user_id": "user"},
        custom_tools=False,
        thinks=_deepseek_thinks,
        shape=_deepseek,
        shape_chunk=_deepseek_chunk,
        opening=b": keep-alive\n\n",
        error=_openai_error,
        out_of_quota=(402, "invalid_request_error"),
        status_of_refusal=422,
    ),
    FamilyApi(
        name="openrouter",
        host="openrouter.ai",
        root="/api/v1",
        source=f"{_RECORDED}; https://openrouter.ai/docs/api-reference",
        thinks=_openrouter_thinks,
        shape=_openrouter,
        shape_chunk=_openrouter_chunk,
        opening=b": OPENROUTER PROCESSING\n\n",
        has_usage=True,
        error=_openrouter_error,
        out_of_quota=(402, None),
    ),
    FamilyApi(
        name="xai",
        host="api.x.ai",
        root="/v1",
        source="https://docs.x.ai/docs/api-reference",
        refused=frozenset({"logit_bias"}),
        thinks=_asks_effort,
        shape=_xai,
        shape_chunk=_xai_chunk,
        error=_xai_error,
        wrong_key=(400, "Client specified an invalid argument"),
    ),
    FamilyApi(
        name="cerebras",
        host="api.cerebras.ai",
        root="/v1",
        source="https://inference-docs.cerebras.ai/resources/openai",
        refused=frozenset({"logit_bias", "frequency_penalty", "presence_penalty"}),
        roles=_DEVELOPER,
        thinks=_asks_effort,
        shape=_cerebras,
        shape_chunk=_plain_chunk,
        error=_openai_error,
        out_of_quota=(402, None),
    ),
    FamilyApi(
        name="perplexity",
        host="api.perplexity.ai",
        root="",
        source="https://docs.perplexity.ai/api-reference",
        refused=frozenset({"tools", "tool_choice", "parallel_tool_calls"}),
        roles=_DEVELOPER,
        ignored=frozenset({"max_completion_tokens"}),
        thinks=_never,
        shape=_perplexity,
        shape_chunk=_perplexity_chunk,
        has_usage=True,
        error=_perplexity_error,
    ),
    FamilyApi(
        name="zai",
        host="api.z.ai",
        root="/api/paas/v4",
        source="https://docs.z.ai/api-reference",
        refused_values={"response_format": ("json_schema",), "tool_choice": ("required", "none")},
        roles=_DEVELOPER,
        ignored=frozenset({"max_completion_tokens"}),
        renamed={"user_id": "user"},
        max_stops=1,
        ranges={"temperature": (0, 1)},
        thinks=_zai_thinks,
        shape=_zai,
        shape_chunk=_zai_chunk,
        error=_zai_error,
        out_of_quota=(429, "1113"),
    ),
    FamilyApi(
        name="ollama",
        host="localhost:11434",
        root="/v1",
        source="https://docs.ollama.com/api/openai-compatibility",
        thinks=_asks_effort,
        shape=_plain,
        shape_chunk=_plain_chunk,
        error=_openai_error,
        needs_key=False,
    ),
)  # fmt: skip

FAMILY = {each.name: each for each in _APIS}
_BY_HOST = {each.host: each for each in _APIS}
