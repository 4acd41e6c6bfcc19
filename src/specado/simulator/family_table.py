"""Table of the simulated OpenAI-compatible providers that recordings or their pages describe.

It is written from recorded traffic (pydantic/pydantic-ai, read 2026-08-22) and the providers'
documentation (read 2026-11-30), never from the manifests.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import orjson

from specado.simulator.family_api import (
    DEVELOPER,
    REASONING,
    FamilyApi,
    Object,
    add_reasoning,
    add_reasoning_tokens,
    asks_effort,
    deltas_of,
    never,
    object_of,
    openai_error,
    plain,
    plain_chunk,
    rename_delta,
)
from specado.simulator.faults import error_object
from specado.simulator.stream_faults import StreamFormat

if TYPE_CHECKING:
    from specado.simulator.faults import Fault

__all__ = ["APIS"]

# Groq: recorded (40 whole replies, 5 streams, 400 and 404) and its "OpenAI compatibility" page.


def _groq(request: Object, whole: Object) -> None:
    whole["system_fingerprint"] = "fp_simulated"
    whole["usage"].update(
        queue_time=0.1, prompt_time=0.003, completion_time=0.029, total_time=0.032
    )
    whole["usage_breakdown"] = None
    whole["x_groq"] = {"id": "req_simulated"}
    if asks_effort(request):
        add_reasoning(whole, "reasoning")
        add_reasoning_tokens(whole["usage"])


def _groq_chunk(request: Object, chunk: Object) -> None:
    if chunk.get("usage") and asks_effort(request):
        add_reasoning_tokens(chunk["usage"])
    if any("role" in delta for delta in deltas_of(chunk)) or chunk.get("usage"):
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


def _shorten_ids(message: Object) -> None:
    """Give calls ids of the nine characters that come back."""
    for call in message.get("tool_calls") or ():
        if "id" in call:
            call["id"] = call["id"][-9:]


def _mistral(request: Object, whole: Object) -> None:
    for choice in whole["choices"]:
        message = choice["message"]
        message.setdefault("tool_calls", None)
        _shorten_ids(message)
        if choice["finish_reason"] == "length":
            choice["finish_reason"] = "model_length"
        if message["content"] is None:
            message["content"] = ""
        if asks_effort(request):
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
        _shorten_ids(delta)
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
    return bool(object_of(request.get("thinking")).get("type") != "disabled")  # the default


def _deepseek(request: Object, whole: Object) -> None:
    usage = whole["usage"]
    usage["prompt_cache_hit_tokens"] = 0
    usage["prompt_cache_miss_tokens"] = usage["prompt_tokens"]
    usage["prompt_tokens_details"] = {"cached_tokens": 0}
    if _deepseek_thinks(request):
        add_reasoning(whole, "reasoning_content")
        add_reasoning_tokens(usage)


def _deepseek_chunk(request: Object, chunk: Object) -> None:
    rename_delta(chunk, "reasoning_content")
    if chunk.get("usage") and _deepseek_thinks(request):
        add_reasoning_tokens(chunk["usage"])


# OpenRouter: recorded (40 whole replies, 8 streams, a 429) and its API reference.


def _openrouter_thinks(request: Object) -> bool:
    return bool(request.get("reasoning")) or asks_effort(request)


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
        add_reasoning_tokens(whole["usage"])


def _openrouter_chunk(request: Object, chunk: Object) -> None:
    chunk["provider"] = "Simulated"
    for choice in chunk["choices"]:
        choice["native_finish_reason"] = choice["finish_reason"]
        if "reasoning" in choice["delta"]:
            choice["delta"]["reasoning_details"] = _details(choice["delta"]["reasoning"])
    if chunk.get("usage"):
        chunk["usage"]["cost"] = 0
        if _openrouter_thinks(request):
            add_reasoning_tokens(chunk["usage"])


def _openrouter_error(fields: Object, status: int) -> Object:
    error: Object = {"message": fields["message"], "code": status}
    if status == 403 and fields["code"] == "content_policy_violation":
        error["metadata"] = {
            "reasons": ["violence"],
            "flagged_input": "Hello",
            "provider_name": "a",
        }
    return {"error": error, "user_id": "user_simulated"}


# xAI: its API reference; the usage is that of recorded chat completions.


def _xai(request: Object, whole: Object) -> None:
    if asks_effort(request):
        add_reasoning(whole, "reasoning_content")
        add_reasoning_tokens(whole["usage"], inside=False)
    whole["usage"]["num_sources_used"] = 0


def _xai_chunk(request: Object, chunk: Object) -> None:
    rename_delta(chunk, "reasoning_content")
    if chunk.get("usage") and asks_effort(request):
        add_reasoning_tokens(chunk["usage"], inside=False)


def _xai_error(fields: Object, _status: int) -> Object:
    return {"code": fields["code"] or fields["type"], "error": fields["message"]}


# Cerebras, Ollama: their API references.


def _cerebras(request: Object, whole: Object) -> None:
    whole["time_info"] = {"queue_time": 0.1, "total_time": 0.2}
    plain(request, whole)


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
    if object_of(request.get("thinking")).get("type") == "enabled":
        add_reasoning(whole, "reasoning_content")


def _zai_thinks(request: Object) -> bool:
    return bool(object_of(request.get("thinking")).get("type") == "enabled")


def _zai_chunk(_request: Object, chunk: Object) -> None:
    rename_delta(chunk, "reasoning_content")


def _zai_error(fields: Object, status: int) -> Object:
    code = fields["code"]
    if code != "1113":
        refused = code == "content_policy_violation"
        code = "1301" if refused else _ZAI_CODES.get(status, "1210")
    return {"error": {"code": code, "message": fields["message"]}}


# Azure OpenAI: recorded (a whole reply; first chunks without choices) and its "Content filtering"
# page.

_FILTERS = ("hate", "self_harm", "sexual", "violence")


def _filter_results() -> Object:
    return {name: {"filtered": False, "severity": "safe"} for name in _FILTERS}


def _prompt_results() -> list[Object]:
    results = {**_filter_results(), "jailbreak": {"detected": False, "filtered": False}}
    return [{"prompt_index": 0, "content_filter_results": results}]


def _azure(_request: Object, whole: Object) -> None:
    whole["prompt_filter_results"] = _prompt_results()
    whole["system_fingerprint"] = "fp_simulated"
    for choice in whole["choices"]:
        choice["content_filter_results"] = _filter_results()


def _azure_chunk(_request: Object, chunk: Object) -> None:
    for choice in chunk["choices"]:
        has_text = choice["delta"].get("content")
        choice["content_filter_results"] = _filter_results() if has_text else {}


_AZURE_OPENING = {
    "id": "",
    "object": "",
    "created": 0,
    "model": "",
    "choices": [],
    "prompt_filter_results": _prompt_results(),
}


def _azure_error(fields: Object, status: int) -> Object:
    if fields["code"] == "content_policy_violation":
        results = {**_filter_results(), "hate": {"filtered": True, "severity": "high"}}
        return {
            "error": {
                "message": "The response was filtered due to the prompt triggering Azure OpenAI's "
                "content management policy. Please modify your prompt and retry.",
                "type": None,
                "param": "prompt",
                "code": "content_filter",
                "status": status,
                "innererror": {
                    "code": "ResponsibleAIPolicyViolation",
                    "content_filter_result": results,
                },
            }
        }
    if status == 404:
        return {
            "error": {
                "code": "DeploymentNotFound" if fields["code"] else "404",
                "message": fields["message"],
            }
        }
    return openai_error({**fields, "code": fields["code"] or str(status)}, status)


_GROQ_MODELS = re.compile(
    r"(?:openai/gpt-oss|meta-llama/llama|qwen/qwen|moonshotai/kimi|groq/compound)[\w.-]*|"
    r"llama-?3(?:\.\d)?-\d+b-(?:versatile|instant|8192)|gemma2-9b-it"
)
_RECORDED = "https://github.com/pydantic/pydantic-ai, tests/**/cassettes"
APIS = (
    FamilyApi(
        name="groq",
        host="api.groq.com",
        root="/openai/v1",
        source=f"{_RECORDED}; https://console.groq.com/docs/openai",
        served=_GROQ_MODELS,
        refused=frozenset({"logprobs", "top_logprobs", "logit_bias", "messages[].name"}),
        roles=DEVELOPER,
        custom_tools=False,
        max_choices=1,
        thinks=asks_effort,
        reads=("reasoning",),
        overloaded=(498, None),
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
        roles=DEVELOPER,
        renamed={"random_seed": "seed"},
        values={"tool_choice": {"any": "required"}},
        call_id=re.compile("[a-zA-Z0-9]{9}"),
        empty_tools=False,
        custom_tools=False,
        thinks=asks_effort,
        reads=("content[].thinking",),
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
        roles=DEVELOPER,
        ignored=frozenset({"max_completion_tokens"}),
        renamed={"user_id": "user"},
        custom_tools=False,
        thinks=_deepseek_thinks,
        reads=("reasoning_content",),
        needs_reasoning=True,
        shape=_deepseek,
        shape_chunk=_deepseek_chunk,
        opening=b": keep-alive\n\n",
        error=openai_error,
        out_of_quota=(402, "invalid_request_error"),
        status_of_refusal=422,
    ),
    FamilyApi(
        name="openrouter",
        host="openrouter.ai",
        root="/api/v1",
        source=f"{_RECORDED}; https://openrouter.ai/docs/api-reference",
        thinks=_openrouter_thinks,
        reads=("reasoning", "reasoning_details"),
        shape=_openrouter,
        shape_chunk=_openrouter_chunk,
        opening=b": OPENROUTER PROCESSING\n\n",
        has_usage=True,
        error=_openrouter_error,
        moderated=403,
        out_of_quota=(402, None),
    ),
    FamilyApi(
        name="xai",
        host="api.x.ai",
        root="/v1",
        source="https://docs.x.ai/docs/api-reference",
        refused=frozenset({"logit_bias"}),
        thinks=asks_effort,
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
        roles=DEVELOPER,
        thinks=asks_effort,
        shape=_cerebras,
        shape_chunk=plain_chunk,
        error=openai_error,
        out_of_quota=(402, None),
    ),
    FamilyApi(
        name="perplexity",
        host="api.perplexity.ai",
        root="",
        source="https://docs.perplexity.ai/api-reference",
        refused=frozenset({"tools", "tool_choice", "parallel_tool_calls"}),
        roles=DEVELOPER,
        ignored=frozenset({"max_completion_tokens"}),
        thinks=never,
        shape=_perplexity,
        shape_chunk=_perplexity_chunk,
        has_usage=True,
        sends_done=False,
        error=_perplexity_error,
    ),
    FamilyApi(
        name="zai",
        host="api.z.ai",
        root="/api/paas/v4",
        source="https://docs.z.ai/api-reference",
        refused_values={"response_format": ("json_schema",), "tool_choice": ("required", "none")},
        roles=DEVELOPER,
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
        thinks=asks_effort,
        shape=plain,
        shape_chunk=plain_chunk,
        error=openai_error,
        needs_key=False,
    ),
    FamilyApi(
        name="azure",
        host="simulated.openai.azure.com",
        host_suffixes=(
            ".openai.azure.com",
            ".services.ai.azure.com",
            ".cognitiveservices.azure.com",
        ),
        root="/openai/v1",
        roots=re.compile(r"/openai/(?:v1|deployments/[^/]+)(?=/)"),
        versioned=re.compile(r"/openai/deployments/"),
        source=f"{_RECORDED}; https://learn.microsoft.com/azure/ai-foundry/openai/reference",
        serves_openai=True,
        thinks=never,
        shape=_azure,
        shape_chunk=_azure_chunk,
        opening=b"data: " + orjson.dumps(_AZURE_OPENING) + b"\n\n",
        error=_azure_error,
        key_header="api-key",
        wrong_key=(401, "401"),
        headers=(("apim-request-id", "simulated"), ("x-ms-region", "East US")),
    ),
)  # fmt: skip
