"""Request router of the simulator: maps an HTTP request to the reply of its API."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Optional
from urllib.parse import parse_qsl, unquote

import msgspec

from specado.simulator import (
    anthropic_api,
    bedrock_api,
    family,
    gemini_api,
    openai_api,
    responses_api,
)
from specado.simulator.answers import digest
from specado.simulator.bedrock_signatures import check_access
from specado.simulator.family_api import FamilyApi
from specado.simulator.faults import FAULTS, Fault, error_info
from specado.simulator.models import find_listed, find_rules, listed_models
from specado.simulator.reply import SimulatedError, SimulatedReply

if TYPE_CHECKING:
    from specado.simulator.faults import WireError
    from specado.simulator.gemini_requests import Backend
    from specado.simulator.models import ModelLookup

__all__ = ["MAX_BODY_BYTES", "WRONG_KEY", "handle"]

# Anthropic's limit (its "Errors" page, read 2026-11-22); OpenAI documents none for JSON.
MAX_BODY_BYTES = 32_000_000
WRONG_KEY = "wrong"
# Anthropic's "Versions" page, read 2026-11-30.
ANTHROPIC_VERSIONS = (anthropic_api.SAMPLING_REMOVED, "2023-06-01", "2023-01-01")
SERVED = (
    "POST /v1/chat/completions",
    "POST /v1/responses",
    "GET /v1/responses/{id}",
    "DELETE /v1/responses/{id}",
    "POST /v1/conversations",
    "POST /v1/messages",
    "POST /v1/messages/count_tokens",
    "GET /v1/models",
    "GET /v1/models/{id}",
    "POST /v1beta/models/{id}:generateContent",
    "POST /v1beta/models/{id}:streamGenerateContent",
    "POST /v1beta/models/{id}:countTokens",
    "GET /v1beta/models",
    "GET /v1beta/models/{id}",
    "POST /model/{id}/converse",
    "POST /model/{id}/converse-stream",
    "GET /foundation-models",
    "POST /{provider}/…/chat/completions",
)
_ANTHROPIC_ROOTS = ("/v1/messages/", "/v1/complete")
_METHODS = {
    "chat": ("POST",),
    "responses": ("POST",),
    "response": ("GET", "DELETE"),
    "conversations": ("POST",),
    "messages": ("POST",),
    "count": ("POST",),
    "models": ("GET",),
    "generateContent": ("POST",),
    "streamGenerateContent": ("POST",),
    "countTokens": ("POST",),
    "converse": ("POST",),
    "converse-stream": ("POST",),
    "foundation-models": ("GET",),
}
_TAILS = (
    ("/chat/completions", "chat", "openai"),
    ("/responses", "responses", "openai"),
    ("/conversations", "conversations", "openai"),
    ("/messages", "messages", "anthropic"),
    ("/messages/count_tokens", "count", "anthropic"),
)
_APIS: dict[str, Any] = {
    "openai": openai_api,
    "anthropic": anthropic_api,
    "gemini": gemini_api,
    "bedrock": bedrock_api,
}
# AI Studio's addresses, and those of Vertex AI with a project or, with an express key, without.
_GEMINI_MODELS = re.compile(
    r"(?P<prefix>.*?)/(?P<version>v1|v1beta|v1beta1)"
    r"(?P<vertex>(?:/projects/[^/]+/locations/[^/]+)?/publishers/google)?"
    r"/models(?:/(?P<model>[^/:]+)(?::(?P<method>\w+))?)?"
)
_GEMINI_METHODS = ("generateContent", "streamGenerateContent", "countTokens")
# The model's id, or an ARN, is one segment of the path; other APIs have no such tails.
_BEDROCK_MODEL = re.compile(r"(?P<prefix>.*?)/model/(?P<model>[^/]+)/(?P<end>converse(?:-stream)?)")
_GATEWAY_PAGE = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    b"<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
)
_MALFORMED_BODY = b'{"id": "chatcmpl-sim-malformed", "choices": [{"index": 0, "message"'


class _RequestedModel(msgspec.Struct):
    model: Any = None
    stream: Any = None


_named = msgspec.json.Decoder(_RequestedModel).decode


class _Call(msgspec.Struct):
    """A request as the endpoints see it; header names are in lower case."""

    method: str
    url: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes
    api: str
    endpoint: str
    models: Any
    now_s: float
    gemini: Optional[gemini_api.GeminiCall] = None
    bedrock: Optional[bedrock_api.BedrockCall] = None
    family: Optional[FamilyApi] = None


def handle(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now_s: Optional[float] = None,
    models: ModelLookup = find_rules,
    keys: bool = False,
    any_prefix: bool = False,
) -> SimulatedReply:
    """Return the simulated reply to a request; the same request gets the same reply.

    Only the Responses API has state: the responses that this process stored.

    Args:
        method: the HTTP method.
        url: the path with its query, or a whole URL.
        headers: the request's headers, names in lower case.
        body: the request's body.
        now_s: the time of day for `created`, in seconds since the epoch; default now.
        models: says which models exist and what they take.
        keys: whether a key is asked for; any but `WRONG_KEY` will do.
        any_prefix: take an API's path after any prefix, not only after `/v1`.
    """
    own, below = family.family_of(url)
    path, _, query = url.partition("?")
    if "://" in path:
        path = "/" + path.split("://", 1)[1].partition("/")[2]
    named = dict(parse_qsl(query, keep_blank_values=True)) if query else {}
    endpoint, api, gemini = _gemini_endpoint(path, named, headers, any_prefix=any_prefix)
    bedrock = None
    if own is not None:
        endpoint, api = _endpoint(f"/v1{below}", {}, any_prefix=any_prefix)
    elif gemini is None:
        endpoint, api, bedrock = _bedrock_endpoint(path, any_prefix=any_prefix)
        if not endpoint:
            endpoint, api = _endpoint(path, headers, any_prefix=any_prefix)
    now_s = time.time() if now_s is None else now_s
    call = _Call(
        method, url, path, named, headers, body, api, endpoint, models, now_s, gemini, bedrock, own
    )
    try:
        if keys and endpoint and (own is None or own.needs_key):
            _check_key(call)
        if len(body) > MAX_BODY_BYTES:
            raise _too_large(api)
        return _answer(call)
    except RecursionError:
        return _refused(call, SimulatedError("The request body is nested too deeply."))
    except SimulatedError as refusal:
        return _refused(call, refusal)


def _refused(call: _Call, refusal: SimulatedError) -> SimulatedReply:
    reply = _error_reply(call, refusal, digest(call.body))
    if reply.status == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = ("allow", ", ".join(_METHODS[call.endpoint]))
        reply = msgspec.structs.replace(reply, headers=(*reply.headers, allowed))
    return reply


def _error_reply(call: _Call, error: WireError | SimulatedError, mark: str) -> SimulatedReply:
    if call.api == "gemini":
        return gemini_api.error_reply(error, mark, call=call.gemini)
    if call.family is not None:
        return family.error_reply(call.family, error, mark)
    reply: SimulatedReply = _APIS[call.api].error_reply(error, mark)
    return reply


def _gemini_endpoint(
    path: str, query: Mapping[str, str], headers: Mapping[str, str], *, any_prefix: bool
) -> tuple[str, str, Optional[gemini_api.GeminiCall]]:
    """Return the endpoint of a Gemini URL, with the facts in the URL."""
    # The regular expression is tried only on paths that may match.
    found = _GEMINI_MODELS.fullmatch(unquote(path)) if "/models" in path else None
    if found is None or (found["prefix"] and not any_prefix):
        return "", "", None
    is_gemini = (
        found["version"] != "v1"
        or found["vertex"]
        or found["method"]
        or "x-goog-api-key" in headers
        or "key" in query
    )
    if not is_gemini:
        return "", "", None
    method = found["method"]
    endpoint = "models" if method is None else method if method in _GEMINI_METHODS else ""
    is_sse = method != "streamGenerateContent" or query.get("alt") == "sse"
    backend: Backend = "vertex" if found["vertex"] else "studio"
    call = gemini_api.GeminiCall(found["model"] or "", backend, found["version"], is_sse)
    return endpoint, "gemini", call


def _bedrock_endpoint(
    path: str, *, any_prefix: bool
) -> tuple[str, str, Optional[bedrock_api.BedrockCall]]:
    """Return the endpoint of a Bedrock URL, with the model in the URL."""
    if path == "/foundation-models" or (any_prefix and path.endswith("/foundation-models")):
        return "foundation-models", "bedrock", None
    found = _BEDROCK_MODEL.fullmatch(path) if "/converse" in path else None
    if found is None or (found["prefix"] and not any_prefix):
        return "", "", None
    return found["end"], "bedrock", bedrock_api.BedrockCall(unquote(found["model"]))


def _endpoint(path: str, headers: Mapping[str, str], *, any_prefix: bool) -> tuple[str, str]:
    for tail, endpoint, api in _TAILS:
        if path == "/v1" + tail or (any_prefix and path.endswith(tail)):
            return endpoint, api
    parent, _, last = path.rpartition("/")
    is_stored = parent == "/v1/responses" or (any_prefix and parent.endswith("/responses"))
    if is_stored and last.startswith("resp_"):
        return "response", "openai"
    is_anthropic = (
        "x-api-key" in headers
        or "anthropic-version" in headers
        or path.startswith(_ANTHROPIC_ROOTS)
    )
    api = "anthropic" if is_anthropic else "openai"
    start = path.rfind("/models") if any_prefix else 3 if path.startswith("/v1/models") else -1
    if start >= 0:
        rest = path[start + len("/models") :]
        if rest == "" or (rest[0] == "/" and len(rest) > 1):
            return "models", api
    return "", api


def _too_large(api: str) -> SimulatedError:
    if api == "anthropic":
        return SimulatedError(
            "Request exceeds the maximum size", status=413, type="request_too_large"
        )
    return SimulatedError(
        f"The request body is too large: the limit is {MAX_BODY_BYTES} bytes.", status=413
    )


def _bearer(call: _Call) -> str:
    scheme, _, bearer = call.headers.get("authorization", "").partition(" ")
    return bearer.strip() if scheme.lower() == "bearer" else ""


def _check_gemini_key(call: _Call, gemini: gemini_api.GeminiCall) -> None:
    key = call.headers.get("x-goog-api-key") or call.query.get("key", "")
    token = _bearer(call)
    if key == WRONG_KEY:
        raise SimulatedError(
            "API key not valid. Please pass a valid API key.",
            type="INVALID_ARGUMENT",
            details=(error_info("API_KEY_INVALID"),),
        )
    if token == WRONG_KEY or (gemini.backend == "vertex" and not key and not token):
        given = "had invalid authentication credentials"
        raise SimulatedError(
            f"Request {given if token else 'is missing required authentication credential'}. "
            "Expected OAuth 2 access token, login cookie or other valid authentication "
            "credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
            status=401,
            details=(error_info("ACCESS_TOKEN_INVALID" if token else "CREDENTIALS_MISSING"),),
        )
    if not key and not token:
        raise SimulatedError(
            "Method doesn't allow unregistered callers (callers without established identity). "
            "Please use API Key or other form of API consumer identity to call this API.",
            status=403,
        )


def _check_key(call: _Call) -> None:
    if call.api == "bedrock":
        check_access(
            call.method, call.url, call.headers, call.body, now_s=call.now_s, wrong=WRONG_KEY
        )
        return
    if call.gemini is not None:
        _check_gemini_key(call, call.gemini)
        return
    key = _bearer(call)
    if call.family is not None and call.family.key_header:
        key = call.headers.get(call.family.key_header, "") or key
    if call.api == "anthropic":
        key = call.headers.get("x-api-key", "") or key
        if not key:
            raise SimulatedError(
                "x-api-key header is required", status=401, type="authentication_error"
            )
        if key == WRONG_KEY:
            wrong = "invalid x-api-key" if "x-api-key" in call.headers else "Invalid bearer token"
            raise SimulatedError(wrong, status=401, type="authentication_error")
    elif not key:
        raise SimulatedError(
            "You didn't provide an API key. You need to provide your API key in an Authorization "
            "header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY). You can obtain an API "
            "key from https://platform.openai.com/account/api-keys.",
            status=401,
        )
    elif key == WRONG_KEY:
        raise SimulatedError(
            f"Incorrect API key provided: {WRONG_KEY}. You can find your API key at "
            "https://platform.openai.com/account/api-keys.",
            status=401,
            code="invalid_api_key",
        )


def _answer(call: _Call) -> SimulatedReply:
    if not call.endpoint:
        raise _not_served(call)
    if call.method not in _METHODS[call.endpoint]:
        if call.api == "anthropic":
            raise SimulatedError("Method Not Allowed", status=405)
        if call.api == "gemini":
            raise _not_served(call)
        raise SimulatedError(f"Invalid method for URL ({call.method} {call.path})", status=405)
    if call.api == "anthropic":
        _check_version(call)
    if call.endpoint == "models":
        return _models(call)
    if call.endpoint == "foundation-models":
        listed = listed_models(bedrock_api.DIALECT, call.now_s)
        return bedrock_api.list_models(listed, digest(call.path.encode()))
    if call.endpoint == "response":
        return _stored_response(call)
    if call.endpoint == "conversations":
        return responses_api.begin_conversation(call.body, call.now_s)
    fault, streams = _fault_of(call)
    if fault is not None and fault.kind != "slow" and not fault.is_of_streams:
        return _failed(call, fault, streams=streams and call.endpoint != "count")
    reply = _completed(call, fault)
    if fault is None or (fault.is_of_streams and reply.stream is None):
        return reply
    return msgspec.structs.replace(reply, fault=fault)


def _completed(call: _Call, fault: Fault | None) -> SimulatedReply:
    """Return the answer to a request, streamed with the *fault* of its model."""
    if call.gemini is not None:
        if call.endpoint == "countTokens":
            return gemini_api.count(call.body, call.gemini, call.models, call.url)
        streams = call.endpoint == "streamGenerateContent"
        return gemini_api.complete(
            call.body,
            call.gemini,
            call.models,
            call.url,
            call.now_s,
            streams=streams,
            fault=fault,
        )
    if call.bedrock is not None:
        streams = call.endpoint == "converse-stream"
        return bedrock_api.complete(
            call.body, call.bedrock, call.models, call.url, streams=streams, fault=fault
        )
    if call.endpoint == "chat" and call.family is not None:
        return family.complete(call.family, call.body, call.now_s, fault)
    if call.endpoint == "chat":
        return openai_api.complete(call.body, call.models, call.url, call.now_s, fault)
    if call.endpoint == "responses":
        account = _bearer(call)
        return responses_api.complete(call.body, call.models, call.url, call.now_s, account, fault)
    version = call.headers["anthropic-version"]
    if call.endpoint == "count":
        return anthropic_api.count(call.body, call.models, call.url, version=version)
    beta = "anthropic-beta" in call.headers or call.query.get("beta") == "true"
    return anthropic_api.complete(
        call.body, call.models, call.url, fault, beta=beta, version=version
    )


def _stored_response(call: _Call) -> SimulatedReply:
    wanted = unquote(call.path.rpartition("/")[2])
    mark = digest(call.path.encode())
    if call.method == "DELETE":
        return responses_api.delete(wanted, mark)
    return responses_api.retrieve(wanted, mark)


def _not_served(call: _Call) -> SimulatedError:
    """Return the provider's 404 with a list of the paths that the simulator serves."""
    asked = f"{call.method} {call.path}"
    served = f"The simulator serves {', '.join(SERVED)}."
    if call.api == "gemini":
        return SimulatedError(f"Not found: {asked}. {served}", status=404)
    if call.api == "anthropic":
        return SimulatedError(f"Not Found: {asked}. {served}", status=404, type="not_found_error")
    return SimulatedError(f"Invalid URL ({asked}). {served}", status=404)


def _check_version(call: _Call) -> None:
    version = call.headers.get("anthropic-version")
    if version is None:
        raise SimulatedError("anthropic-version: header is required")
    if version not in ANTHROPIC_VERSIONS:
        raise SimulatedError(f'anthropic-version: "{version}" is not a valid version')


def _models(call: _Call) -> SimulatedReply:
    if call.gemini is not None:
        return _gemini_models(call, call.gemini)
    api = _APIS[call.api]
    mark = digest(f"{call.path}{call.query}".encode())
    wanted = unquote(call.path.rpartition("/models")[2][1:])
    if wanted:
        one: SimulatedReply = api.one_model(
            wanted, find_listed(api.DIALECT, wanted, call.now_s), mark
        )
        return one
    listed = listed_models(api.DIALECT, call.now_s)
    if call.api == "anthropic":
        return anthropic_api.list_models(listed, call.query, mark)
    return openai_api.list_models(listed, mark)


def _gemini_models(call: _Call, gemini: gemini_api.GeminiCall) -> SimulatedReply:
    if gemini.model:
        found = find_listed(gemini_api.DIALECT, gemini.model, call.now_s)
        return gemini_api.one_model(gemini.model, found, gemini.backend, gemini.version)
    listed = listed_models(gemini_api.DIALECT, call.now_s)
    return gemini_api.list_models(listed, call.query, gemini.backend)


def _fault_of(call: _Call) -> tuple[Fault | None, bool]:
    """Return the fault of the reserved model of a request, and whether a stream is requested."""
    if call.gemini is not None:
        return FAULTS.get(call.gemini.model), call.endpoint == "streamGenerateContent"
    if call.bedrock is not None:
        return FAULTS.get(call.bedrock.model), call.endpoint == "converse-stream"
    # Every reserved name ends so; most bodies are spared the second reading.
    if b"-test-model" not in call.body:
        return None, False
    try:
        named = _named(call.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None, False
    fault = FAULTS.get(named.model) if isinstance(named.model, str) else None
    return fault, named.stream is True


def _failed(call: _Call, fault: Fault, *, streams: bool) -> SimulatedReply:
    mark = digest(call.body)
    api = responses_api if call.endpoint == "responses" else _APIS[call.api]
    error = _error_of(call, fault)
    reply: SimulatedReply
    if error is not None and streams and error.status == HTTPStatus.OK and call.gemini is not None:
        reply = gemini_api.blocked_stream(error, mark, call.gemini)
    elif error is not None and error.status == HTTPStatus.OK and call.bedrock is not None:
        reply = bedrock_api.empty(mark, streams=streams, reason=error.type)
    elif error is not None:
        reply = _error_reply(call, error, mark)
    elif fault.kind == "gateway":
        reply = SimulatedReply(502, (("content-type", "text/html"),), _GATEWAY_PAGE)
    elif streams and fault.kind in ("malformed", "truncated"):
        reply = api.broken_stream(fault.kind, mark)
    elif fault.kind == "malformed":
        reply = SimulatedReply(200, (("content-type", "application/json"),), _MALFORMED_BODY)
    elif call.bedrock is not None:
        reply = bedrock_api.empty(mark, streams=streams)
    else:
        named = call.gemini or fault.model
        reply = api.empty(named, mark, call.now_s, streams=streams)
    return msgspec.structs.replace(reply, fault=fault)


def _error_of(call: _Call, fault: Fault) -> WireError | None:
    if call.gemini is not None:
        is_vertex = call.gemini.backend == "vertex"
        return (fault.vertex if is_vertex else None) or fault.gemini
    if call.bedrock is not None:
        return fault.bedrock
    if call.api == "anthropic":
        return fault.anthropic
    if call.endpoint == "responses" and fault.responses is not None:
        return fault.responses
    return fault.openai
