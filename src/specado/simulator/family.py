"""Chat completions of the simulated OpenAI-compatible providers.

A request is checked against the provider's row of the table, answered as OpenAI would, and written
in the provider's form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional, Union

import orjson

from specado.simulator import openai_api
from specado.simulator.answers import digest, tokens_of
from specado.simulator.family_api import REASONING, FamilyApi, Object, object_of, objects_of
from specado.simulator.family_table import APIS
from specado.simulator.family_unrecorded import UNRECORDED
from specado.simulator.faults import FAULT_MODELS
from specado.simulator.models import ModelRules
from specado.simulator.openai_requests import ChatRequest
from specado.simulator.openai_stream import events_of
from specado.simulator.reply import SimulatedError, SimulatedReply, streamed
from specado.simulator.stream_faults import Events, play

if TYPE_CHECKING:
    from specado.simulator.faults import Fault, WireError
    from specado.simulator.models import ModelLookup

__all__ = ["FAMILY", "as_openai", "complete", "error_reply", "family_of", "reasoning_read"]


_OPENAI_MEMBERS = frozenset(ChatRequest.__struct_encode_fields__)
_OPENAI_TIERS = ("auto", "default", "flex", "priority")
_MESSAGE_MEMBERS = ("role", "content", "name", "tool_calls", "tool_call_id", "refusal")
_LONGEST_ID = 40
# What a simulated call has in place of a customer's host that is not set.
UNSET_HOST = "{host}"


def family_of(url: str) -> tuple[Optional[FamilyApi], str]:
    """Return the provider of a request's URL or path, and the path below its root.

    The simulator's server has each provider below a prefix: `/groq/openai/v1/chat/completions`.
    """
    scheme, found, rest = url.partition("://")
    name, _, path = (rest if found else scheme[1:]).partition("/")
    path, _, query = f"/{path}".partition("?")
    family = _by_host(name, path) if found else FAMILY.get(name)
    root = None if family is None else _root_of(family, path)
    if family is None or root is None:
        return None, ""
    if (
        family.versioned is not None
        and family.versioned.match(path)
        and "api-version=" not in query
    ):
        return family, ""
    return family, path[len(root) :]


def _by_host(host: str, path: str) -> Optional[FamilyApi]:
    found = _BY_HOST.get(host)
    if found is None and host == UNSET_HOST:
        return next((each for each in _HOSTED if _root_of(each, path) is not None), None)
    if found is None and host.endswith(_HOST_SUFFIXES):
        found = next(each for each in _HOSTED if host.endswith(each.host_suffixes))
    return found


def _root_of(family: FamilyApi, path: str) -> Optional[str]:
    """Return the root with which a path begins, `None` if it is none of the provider's."""
    if family.roots is not None:
        found = family.roots.match(path)
        return found[0] if found else None
    return family.root if path.startswith(f"{family.root}/") else None


# Requests.


def complete(
    family: FamilyApi, body: bytes, now_s: float, fault: Fault | None = None
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
    made = openai_api.complete(orjson.dumps(inner), _served_by(family), family.address, now_s)
    whole = orjson.loads(made.body)
    read = sum(map(tokens_of, reasoning_read(family, request)))
    for name in ("prompt_tokens", "total_tokens"):
        whole["usage"][name] += read
    mark = digest(body)
    if not request.get("stream"):
        _finish(family, request, whole)
        return SimulatedReply(200, _headers(family, mark), orjson.dumps(whole))
    return _streamed(family, request, whole, fault, mark)


def _served_by(family: FamilyApi) -> ModelLookup:
    """Return the lookup of the provider's models: a manifest counts for nothing here."""

    def find(_dialect: str, model: str, _url: str) -> Optional[ModelRules]:
        is_served = family.served is None or family.served.fullmatch(model) is not None
        return ModelRules(model) if is_served or model in FAULT_MODELS else None

    return find


def _check(family: FamilyApi, request: Object) -> None:
    """Refuse what the provider refuses."""
    for name, value in request.items():
        if family.members is not None and name not in family.members:
            raise _unknown(name, value)
        if name in family.refused:
            raise _refusal(family, f"property '{name}' is unsupported", name)
        if isinstance(value, str) and value in family.refused_values.get(name, ()):
            raise _refusal(family, f"'{name}': {value!r} is not supported", name)
    kind = object_of(request.get("response_format")).get("type")
    if isinstance(kind, str) and kind in family.refused_values.get("response_format", ()):
        raise _refusal(family, "This response_format type is unavailable now", "response_format")
    if request.get("tools") == [] and not family.empty_tools:
        raise _refusal(family, "'tools' must not be empty", "tools")
    if not family.custom_tools and any(
        tool.get("type", "function") != "function" for tool in objects_of(request.get("tools"))
    ):
        raise _refusal(family, "tools: `type` must be `function`", "tools")
    wanted = request.get("n")
    if family.max_choices is not None and isinstance(wanted, int) and wanted > family.max_choices:
        raise _refusal(family, f"'n': must be at most {family.max_choices}", "n")
    stop = request.get("stop")
    if family.max_stops is not None and isinstance(stop, list) and len(stop) > family.max_stops:
        raise _refusal(family, f"'stop': at most {family.max_stops} words", "stop")
    for name, (least, most) in family.ranges.items():
        value = request.get(name)
        if isinstance(value, (int, float)) and not least <= value <= most:
            raise _refusal(family, f"'{name}' must be between {least} and {most}", name)
    messages = objects_of(request.get("messages"))
    if family.needs_reasoning and family.thinks(request):
        _check_reasoning(family, messages)
    for place, message in enumerate(messages):
        _check_message(family, message, f"messages[{place}]")


def _check_reasoning(family: FamilyApi, messages: list[Object]) -> None:
    """Refuse a call of the current turn that has lost its reasoning."""
    for message in reversed(messages):
        if message.get("role") == "user":
            return
        if message.get("tool_calls") and not any(name in message for name in family.reads):
            raise SimulatedError(
                f"The `{family.reads[0]}` in the thinking mode must be passed back to the API."
            )


def reasoning_read(family: FamilyApi, request: Object) -> list[str]:
    """Return the reasoning of earlier answers that the provider reads."""
    found: list[Any] = []
    for message in objects_of(request.get("messages")):
        if message.get("role") != "assistant":
            continue
        found += [message[name] for name in family.reads if message.get(name)]
        if "content[].thinking" in family.reads:
            parts = objects_of(message.get("content"))
            found += [part["thinking"] for part in parts if "thinking" in part]
    return [each if isinstance(each, str) else orjson.dumps(each).decode() for each in found]


def _check_message(family: FamilyApi, message: Object, path: str) -> None:
    role = message.get("role")
    if isinstance(role, str) and role in family.roles:
        raise _refusal(family, f"{path}.role: unknown variant `{role}`", "messages")
    if "name" in message and "messages[].name" in family.refused:
        raise _refusal(family, f"'{path}': property 'name' is unsupported", "messages")
    for part in [message, *objects_of(message.get("content"))]:
        if family.members is not None and "cache_control" in part:
            raise _unknown("cache_control", part["cache_control"])
    ids = [call.get("id") for call in objects_of(message.get("tool_calls"))]
    for id_ in [*ids, message.get("tool_call_id")]:
        if not isinstance(id_, str) or family.call_id is None:
            continue
        if not family.call_id.fullmatch(id_):
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
    if family.serves_openai:
        return request
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
    tier = made.get("service_tier")
    if isinstance(tier, str) and tier not in _OPENAI_TIERS:
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
        if not made["tool_calls"]:
            del made["tool_calls"]
        elif isinstance(made["tool_calls"], list):
            made["tool_calls"] = [_openai_call(call) for call in made["tool_calls"]]
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
    if not family.serves_openai:
        _strip(whole)
    family.shape(request, whole)


def _strip(whole: Object) -> None:
    """Leave out what only OpenAI's replies have."""
    for name in ("service_tier", "system_fingerprint"):
        del whole[name]
    usage = whole["usage"]
    del usage["prompt_tokens_details"], usage["completion_tokens_details"]
    for choice in whole["choices"]:
        for name in ("refusal", "annotations"):
            choice["message"].pop(name, None)


def _streamed(
    family: FamilyApi, request: Object, whole: Object, fault: Fault | None, mark: str
) -> SimulatedReply:
    options = object_of(request.get("stream_options"))
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
    if not family.sends_done:
        shaped.pop()
        if fault is not None and fault.kind == "stream_unterminated":
            ended = next(n for n, frame in enumerate(shaped) if b'"finish_reason":"' in frame)
            del shaped[ended + 1 :]  # what is cut off then is the finish reason
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
    elif code == "content_policy_violation":
        status = family.moderated
    elif status == 503 and family.overloaded is not None:
        status, code = family.overloaded
    message = error.message
    if (status, code) == family.wrong_key:
        message = "Incorrect API key provided: wr***ng."
    fields = {"message": message, "type": error.type, "param": error.param,
              "code": code, "details": error.details}  # fmt: skip
    own = dict(getattr(error, "headers", {}) or {})
    headers = [pair for pair in _headers(family, mark) if pair[0] not in own]
    body = orjson.dumps(family.error(fields, status))
    return SimulatedReply(status, (*headers, *own.items()), body)


_APIS = (*APIS, *UNRECORDED)
FAMILY = {each.name: each for each in _APIS}
_BY_HOST = {each.host: each for each in _APIS}
# Providers without a host of their own: each customer has one.
_HOSTED = [each for each in _APIS if each.host_suffixes]
_HOST_SUFFIXES = tuple(suffix for each in _HOSTED for suffix in each.host_suffixes)
