"""Table of the simulated OpenAI-compatible providers of which there are no recordings.

It is written from the providers' documentation and from reports of their users, read 2026-11-30,
never from the manifests. What no source states is as OpenAI has it.
"""

from __future__ import annotations

from specado.simulator.family_api import (
    DEVELOPER,
    FamilyApi,
    Object,
    add_reasoning,
    add_reasoning_tokens,
    asks_effort,
    openai_error,
    plain,
    plain_chunk,
    rename_delta,
)

__all__ = ["UNRECORDED"]

_MCT = frozenset({"max_completion_tokens"})


def _reasoning_content(request: Object, whole: Object) -> None:
    if asks_effort(request):
        add_reasoning(whole, "reasoning_content")
        add_reasoning_tokens(whole["usage"])


def _reasoning_content_chunk(request: Object, chunk: Object) -> None:
    rename_delta(chunk, "reasoning_content")
    if chunk.get("usage") and asks_effort(request):
        add_reasoning_tokens(chunk["usage"])


# Together: its "OpenAI compatibility" page. An answer that is whole ends with `eos`.


def _together(request: Object, whole: Object) -> None:
    plain(request, whole)
    whole["usage"]["cached_tokens"] = 0
    _say_eos(whole)


def _together_chunk(_request: Object, chunk: Object) -> None:
    _say_eos(chunk)


def _say_eos(reply: Object) -> None:
    for choice in reply["choices"]:
        if choice["finish_reason"] == "stop":
            choice["finish_reason"] = "eos"


# Fireworks: its "Inference error codes" page.


def _fireworks_error(fields: Object, _status: int) -> Object:
    named = {name: fields[name] for name in ("type", "code", "message")}
    return {"error": {"object": "error", **named}}


# Moonshot: its API reference and its help pages, where a used-up balance is a 403.


def _moonshot(request: Object, whole: Object) -> None:
    _reasoning_content(request, whole)
    whole["usage"]["cached_tokens"] = 0


def _moonshot_error(fields: Object, status: int) -> Object:
    if status == 403 and fields["code"] is None:
        return {"error": {"message": "Forbidden (simulated).", "type": "forbidden"}}
    return {"error": {"message": fields["message"], "type": fields["code"] or fields["type"]}}


# DashScope: its "OpenAI compatible - Chat" and "Error codes" pages.

_DASHSCOPE_CODES = {
    "content_policy_violation": "data_inspection_failed",
    "rate_limit_exceeded": "Throttling.RateQuota",
}


def _dashscope_thinks(request: Object) -> bool:
    return request.get("enable_thinking") is True


def _dashscope(request: Object, whole: Object) -> None:
    whole["usage"]["prompt_tokens_details"] = {"cached_tokens": 0}
    if _dashscope_thinks(request):
        add_reasoning(whole, "reasoning_content")
        add_reasoning_tokens(whole["usage"])


def _dashscope_chunk(request: Object, chunk: Object) -> None:
    rename_delta(chunk, "reasoning_content")
    if chunk.get("usage") and _dashscope_thinks(request):
        add_reasoning_tokens(chunk["usage"])


def _dashscope_error(fields: Object, status: int) -> Object:
    code = _DASHSCOPE_CODES.get(fields["code"], fields["code"])
    return openai_error({**fields, "code": code, "type": code or fields["type"]}, status)


# DeepInfra: its "OpenAI-compatible API" page.


def _deepinfra(request: Object, whole: Object) -> None:
    _reasoning_content(request, whole)
    whole["usage"]["estimated_cost"] = 0.0


# vLLM and SGLang: the protocol files of their servers.


def _vllm(request: Object, whole: Object) -> None:
    plain(request, whole)
    whole["prompt_logprobs"] = None
    for choice in whole["choices"]:
        choice["stop_reason"] = None


def _sglang(request: Object, whole: Object) -> None:
    _reasoning_content(request, whole)
    whole["metadata"] = {"weight_version": "default"}
    for choice in whole["choices"]:
        choice["matched_stop"] = None


def _numbered_error(fields: Object, status: int) -> Object:
    """Return an error whose code is the HTTP status."""
    named = {name: fields[name] for name in ("message", "type", "param")}
    return {"error": {**named, "code": status}}


# llama.cpp: the README of its server.


def _llamacpp(request: Object, whole: Object) -> None:
    _reasoning_content(request, whole)
    usage = whole["usage"]
    whole["timings"] = {
        "prompt_n": usage["prompt_tokens"],
        "predicted_n": usage["completion_tokens"],
        "predicted_per_second": 50.0,
    }


def _llamacpp_error(fields: Object, status: int) -> Object:
    if fields["code"] == "context_length_exceeded":
        return {
            "error": {
                "code": status,
                "message": "the request exceeds the available context size, try increasing it",
                "type": "exceed_context_size_error",
                "n_prompt_tokens": 8193,
                "n_ctx": 8192,
            }
        }
    return {"error": {"code": status, "message": fields["message"], "type": fields["type"]}}


# LM Studio: reports of its users; an error is a text.


def _lmstudio_error(fields: Object, _status: int) -> Object:
    if fields["code"] == "context_length_exceeded":
        return {
            "error": "Trying to keep the first 8193 tokens when context the overflows. However, "
            "the model is loaded with context length of only 8192 tokens, which is not enough."
        }
    return {"error": fields["message"]}


UNRECORDED = (
    FamilyApi(
        name="together",
        host="api.together.xyz",
        root="/v1",
        source="https://docs.together.ai/docs/openai-api-compatibility",
        roles=DEVELOPER,
        ignored=_MCT,
        thinks=asks_effort,
        shape=_together,
        shape_chunk=_together_chunk,
        error=openai_error,
        headers=(("x-ratelimit-limit", "10"), ("x-ratelimit-remaining", "9")),
    ),
    FamilyApi(
        name="fireworks",
        host="api.fireworks.ai",
        root="/inference/v1",
        source="https://docs.fireworks.ai/api-reference/post-chatcompletions",
        values={"tool_choice": {"any": "required"}},
        thinks=asks_effort,
        shape=_reasoning_content,
        shape_chunk=_reasoning_content_chunk,
        has_usage=True,
        joins_usage=True,
        error=_fireworks_error,
    ),
    FamilyApi(
        name="moonshot",
        host="api.moonshot.ai",
        root="/v1",
        source="https://platform.moonshot.ai/docs/api/chat; "
        "https://www.kimi.com/help/kimi-api/api-troubleshooting",
        refused_values={"tool_choice": ("required",)},
        roles=DEVELOPER,
        ranges={"temperature": (0, 1)},
        thinks=asks_effort,
        shape=_moonshot,
        shape_chunk=_reasoning_content_chunk,
        error=_moonshot_error,
        out_of_quota=(403, None),
    ),
    FamilyApi(
        name="dashscope",
        host="dashscope-intl.aliyuncs.com",
        root="/compatible-mode/v1",
        source="https://help.aliyun.com/en/model-studio/error-code",
        roles=DEVELOPER,
        ignored=_MCT,
        thinks=_dashscope_thinks,
        shape=_dashscope,
        shape_chunk=_dashscope_chunk,
        error=_dashscope_error,
        out_of_quota=(400, "Arrearage"),
    ),
    FamilyApi(
        name="nvidia",
        host="integrate.api.nvidia.com",
        root="/v1",
        source="https://docs.api.nvidia.com/nim/reference/llm-apis",
        roles=DEVELOPER,
        ignored=_MCT,
        thinks=asks_effort,
        shape=_reasoning_content,
        shape_chunk=_reasoning_content_chunk,
        error=openai_error,
        status_of_refusal=422,
    ),
    FamilyApi(
        name="huggingface",
        host="router.huggingface.co",
        root="/v1",
        source="https://huggingface.co/docs/inference-providers",
        thinks=asks_effort,
        shape=plain,
        shape_chunk=plain_chunk,
        has_usage=True,
        sends_done=False,
        error=openai_error,
        out_of_quota=(402, None),
    ),
    FamilyApi(
        name="databricks",
        host="simulated.cloud.databricks.com",
        host_suffixes=(".cloud.databricks.com", ".azuredatabricks.net", ".gcp.databricks.com"),
        root="/serving-endpoints",
        source="https://docs.databricks.com/aws/en/machine-learning/foundation-model-apis/",
        thinks=asks_effort,
        shape=plain,
        shape_chunk=plain_chunk,
        error=openai_error,
    ),
    FamilyApi(
        name="cohere",
        host="api.cohere.ai",
        root="/compatibility/v1",
        source="https://docs.cohere.com/docs/compatibility-api",
        thinks=asks_effort,
        shape=_reasoning_content,
        shape_chunk=_reasoning_content_chunk,
        error=openai_error,
    ),
    FamilyApi(
        name="sambanova",
        host="api.sambanova.ai",
        root="/v1",
        source="https://docs.sambanova.ai/docs/en/api-reference/chat/create-chat-based-completion",
        thinks=asks_effort,
        shape=plain,
        shape_chunk=plain_chunk,
        error=openai_error,
    ),
    FamilyApi(
        name="deepinfra",
        host="api.deepinfra.com",
        root="/v1/openai",
        source="https://deepinfra.com/docs/openai_api",
        thinks=asks_effort,
        shape=_deepinfra,
        shape_chunk=_reasoning_content_chunk,
        error=openai_error,
        out_of_quota=(402, None),
    ),
    FamilyApi(
        name="vllm",
        host="localhost:8000",
        root="/v1",
        source="https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
        thinks=asks_effort,
        shape=_vllm,
        shape_chunk=plain_chunk,
        error=_numbered_error,
        needs_key=False,
    ),
    FamilyApi(
        name="llamacpp",
        host="127.0.0.1:8080",
        root="/v1",
        source="https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md",
        thinks=asks_effort,
        shape=_llamacpp,
        shape_chunk=_reasoning_content_chunk,
        error=_llamacpp_error,
        needs_key=False,
    ),
    FamilyApi(
        name="lmstudio",
        host="localhost:1234",
        root="/v1",
        source="https://lmstudio.ai/docs/developer/openai-compat",
        ignored=_MCT,
        thinks=asks_effort,
        shape=plain,
        shape_chunk=plain_chunk,
        error=_lmstudio_error,
        needs_key=False,
    ),
    FamilyApi(
        name="sglang",
        host="localhost:30000",
        root="/v1",
        source="https://docs.sglang.ai/basic_usage/openai_api.html",
        thinks=asks_effort,
        shape=_sglang,
        shape_chunk=_reasoning_content_chunk,
        error=_numbered_error,
        needs_key=False,
    ),
)
