"""Error classes for the codes, types and messages of OpenAI's and compatible servers' errors.

Sources: OpenAI's "Error codes" guide and `openai.types` (3.54), read 2026-11-22; for the others
the vendors' error pages, and the source of vLLM, SGLang, llama.cpp, Ollama and Text Generation
Inference, read 2026-11-30.
"""

from __future__ import annotations

from specado._core.finish_reasons import FINISH_REASONS
from specado.dialects.contract import ErrorTable
from specado.errors import (
    AuthenticationError,
    ContentPolicyError,
    ContextLengthError,
    InvalidRequestError,
    ModelNotFoundError,
    OverloadedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)

__all__ = ["ERRORS", "REQUEST_ID_HEADERS"]

# Compatible servers and proxies use the second name.
REQUEST_ID_HEADERS = ("x-request-id", "request-id")

_OPENAI = {
    "account_deactivated": AuthenticationError,
    "invalid_api_key": AuthenticationError,
    "invalid_organization": AuthenticationError,
    "ip_not_authorized": AuthenticationError,
    "unsupported_country_region_territory": AuthenticationError,
    "rate_limit_error": RateLimitError,
    "rate_limit_exceeded": RateLimitError,
    "requests": RateLimitError,
    "tokens": RateLimitError,
    "billing_hard_limit_reached": QuotaExceededError,
    "billing_not_active": QuotaExceededError,
    "enforced_spend_limit_reached": QuotaExceededError,
    "insufficient_quota": QuotaExceededError,
    "engine_overloaded": OverloadedError,
    "server_is_overloaded": OverloadedError,
    "server_overloaded": OverloadedError,
    "service_unavailable_error": OverloadedError,
    "slow_down": OverloadedError,
    "model_not_found": ModelNotFoundError,
    "context_length_exceeded": ContextLengthError,
    "bio_policy": ContentPolicyError,
    "content_filter": ContentPolicyError,
    "content_policy_violation": ContentPolicyError,
    "cyber_policy_violation": ContentPolicyError,
    "image_content_policy_violation": ContentPolicyError,
    "invalid_prompt": ContentPolicyError,
    "misalignment_policy_violation": ContentPolicyError,
    "moderation_blocked": ContentPolicyError,
}

# Codes and types of other servers, each by the first vendor that documents it (2026-11-30).
_COMPATIBLE: dict[str, type[ProviderError]] = {
    # llama.cpp (tools/server)
    "exceed_context_size_error": ContextLengthError,
    "unavailable_error": OverloadedError,
    "not_supported_error": InvalidRequestError,
    # Text Generation Inference: `error_type`
    "overloaded": OverloadedError,
    "generation": ServerError,
    "incomplete_generation": ServerError,
    # Azure OpenAI, Azure AI Foundry and GitHub Models
    "ResponsibleAIPolicyViolation": ContentPolicyError,
    "ContentFiltered": ContentPolicyError,
    "DeploymentNotFound": ModelNotFoundError,
    "unknown_model": ModelNotFoundError,
    "RateLimitReached": RateLimitError,
    "too_many_requests": RateLimitError,
    "NoCapacity": OverloadedError,
    "ServiceUnavailable": OverloadedError,
    "tokens_limit_reached": ContextLengthError,
    # OpenRouter: the name of the member `metadata.flagged_input`
    "flagged_input": ContentPolicyError,
    # Moonshot
    "invalid_authentication_error": AuthenticationError,
    "incorrect_api_key_error": AuthenticationError,
    "permission_denied_error": AuthenticationError,
    "exceeded_current_quota_error": QuotaExceededError,
    "rate_limit_reached_error": RateLimitError,
    "engine_overloaded_error": OverloadedError,
    "resource_not_found_error": ModelNotFoundError,
    # Mistral
    "rate_limited": RateLimitError,
    "service_tier_capacity_exceeded": RateLimitError,
    "invalid_model": ModelNotFoundError,
    # Groq
    "model_decommissioned": ModelNotFoundError,
    "blocked_api_access": QuotaExceededError,
    "capacity_exceeded": OverloadedError,
    "over_capacity": OverloadedError,
    # Together, Hugging Face's router, Cerebras
    "model_not_available": ModelNotFoundError,
    "model_not_supported": ModelNotFoundError,
    "credit_limit": QuotaExceededError,
    "request_quota_exceeded": RateLimitError,
    "token_quota_exceeded": RateLimitError,
    "queue_exceeded": OverloadedError,
    "wrong_api_key": AuthenticationError,
    # Alibaba Model Studio
    "Arrearage": QuotaExceededError,
    "InvalidApiKey": AuthenticationError,
    "DataInspectionFailed": ContentPolicyError,
    "data_inspection_failed": ContentPolicyError,
    "ModelNotFound": ModelNotFoundError,
    "Throttling": RateLimitError,
    "Throttling.RateQuota": RateLimitError,
    "Throttling.BurstRate": RateLimitError,
    "Throttling.AllocationQuota": RateLimitError,
    "limit_requests": RateLimitError,
    "limit_burst_rate": RateLimitError,
    # Gemini's compatible endpoint: `error.status`
    "UNAUTHENTICATED": AuthenticationError,
    "PERMISSION_DENIED": AuthenticationError,
    "RESOURCE_EXHAUSTED": RateLimitError,
    "UNAVAILABLE": OverloadedError,
    "DEADLINE_EXCEEDED": ServerError,
    "INTERNAL": ServerError,
    # Databricks: `error_code`
    "REQUEST_LIMIT_EXCEEDED": RateLimitError,
    "RESOURCE_DOES_NOT_EXIST": ModelNotFoundError,
    "TEMPORARILY_UNAVAILABLE": OverloadedError,
    # LiteLLM's proxy
    "budget_exceeded": QuotaExceededError,
}

# Z.ai's and BigModel's codes (their page "Error codes", read 2026-11-30). Not 1300, the API's own
# policy: Mistral has that number for its rate limit.
_GLM: dict[str, type[ProviderError]] = {
    **dict.fromkeys(("1000", "1001", "1002", "1003", "1004"), AuthenticationError),
    **dict.fromkeys(("1100", "1110", "1111", "1112", "1121"), AuthenticationError),
    **dict.fromkeys(("1220", "1311"), AuthenticationError),
    **dict.fromkeys(("1113", "1304", "1308", "1309", "1310"), QuotaExceededError),
    **dict.fromkeys(("1302", "1303", "1305", "1313"), RateLimitError),
    **dict.fromkeys(("1120", "1230", "1234"), ServerError),
    "1312": OverloadedError,
    "1211": ModelNotFoundError,
    "1222": ModelNotFoundError,
    "1261": ContextLengthError,
    "1301": ContentPolicyError,
}

# Parts of messages, for servers that have no code for the case. Each list tells the classes, by
# status and code, that the words refine: an error that is told as a rate limit is none of context.
_UNTOLD = (InvalidRequestError, ProviderError, ServerError)

_CONTEXT_LENGTH = (
    "maximum context length",  # OpenAI, vLLM, OpenRouter, DeepSeek, Mistral, SGLang
    "longer than the model's context length",  # SGLang, Together
    "longer than the maximum model length",  # vLLM: "The decoder prompt (length …) is …"
    "max_model_len",
    "context length is only",  # vLLM: "However, the model's context length is only …"
    "exceeds the maximum allowed length",  # SGLang
    "exceeds the context window",  # OpenAI
    "input tokens exceed the configured limit",
    "exceed context window",  # llama-cpp-python: "Requested tokens (…) exceed context window of …"
    "context window exceeds",  # MiniMax
    "exceeded this model context window limit",  # Cloudflare
    "available context size",  # llama.cpp: "… exceeds the available context size"
    "context size has been exceeded",  # llama.cpp, LM Studio
    "context size exceeded",
    "when context the overflows",  # LM Studio: "Trying to keep the first … tokens when …"
    "when context overflows",
    "greater than the context length",  # LM Studio
    "exceeds the context length",  # Ollama: "the input length exceeds the context length"
    "exceeded max context length",  # Ollama: "prompt too long; exceeded max context length by …"
    "prompt too long",
    "prompt is too long",  # Anthropic, Fireworks
    "`inputs` tokens + `max_new_tokens` must be",  # Text Generation Inference
    "`inputs` must have less than",
    "maximum prompt length is",  # xAI
    "reduce the length of the messages",  # Groq
    "reduce the length of the input",  # vLLM
    "input token length too long",  # Moonshot
    "exceeded model token limit",
    "maximum allowed input length",  # Poolside
    "too many tokens: total number of tokens in the prompt",  # Cohere
    "token limit reached",  # MiniMax through OpenRouter, recorded
    "exceeds the maximum number of tokens",  # Gemini
    "range of input length should be",  # Alibaba
    "prompt token count of",  # GitHub Copilot: "prompt token count of … exceeds the limit of …"
    "prompt exceeds max length",  # Z.ai
    "prompt 超长",  # BigModel
    "input is too long for requested model",  # Bedrock
    "contextwindowexceedederror",  # LiteLLM
    "context_length_exceeded",  # a code in the text of a gateway
    "context_window_exceeded",
)
_QUOTA = (
    "exceeded your current quota",  # OpenAI, Moonshot
    "insufficient balance",  # DeepSeek, MiniMax
    "insufficient credits",  # OpenRouter
    "requires more credits",
    "key limit exceeded",
    "used all available credits",  # xAI
    "monthly spending limit",
    "any credits or licenses",
    "monthly included credits",  # Hugging Face
    "spend limit",
    "reached your usage limit",  # Kimi Code
    "usage limit reached",  # Z.ai
    "weekly usage limit",  # Ollama's cloud
    "account balance",
    "余额不足",  # BigModel: the balance is too low
    "欠费",  # BigModel: payment is overdue
    "please make sure your account is in good standing",  # Alibaba
    "budget has been exceeded",  # LiteLLM
)
_POLICY = (
    "content management policy",  # Azure
    "violates usage guidelines",  # xAI
    "safety_check_type",
    "content exists risk",  # DeepSeek
    "considered high risk",  # Moonshot
    "flagged as potentially violating",  # OpenAI
    "unsafe or sensitive content",  # Z.ai
    "不安全或敏感内容",  # BigModel
    "input was flagged",  # OpenRouter
    "inappropriate content",  # Alibaba
    "contentpolicyviolationerror",  # LiteLLM
)
_MODEL_NOT_FOUND = (
    "model not exist",  # DeepSeek
    "model not found",  # llama.cpp, gateways
    "invalid model identifier",  # LM Studio
    "model does not exist",
    "is not a valid model id",  # OpenRouter
    "no endpoints found for",
    "invalid model:",  # Mistral
    "invalid model '",  # Perplexity
    "invalid model name",  # LiteLLM
    "unknown model:",  # Azure
    "not found, try pulling it first",  # Ollama
    "no models loaded",  # LM Studio
    "not supported by any provider you have enabled",  # Hugging Face
    "模型不存在",  # BigModel: the model does not exist
)
_AUTHENTICATION = (
    "incorrect api key provided",  # xAI answers 400
    "api key not valid",  # Gemini answers 400
    "invalid api key",
)
_OVERLOADED = (
    "overloaded",
    "server busy",  # Ollama
    "request queue is full",  # SGLang
    "no available model provider",  # OpenRouter
    "loading model",  # llama.cpp
)

ERRORS = ErrorTable(
    codes={**_GLM, **_COMPATIBLE, **_OPENAI},
    general_types={
        # A failed answer's finish reason is its error's code.
        **{word: kind for word, kind in FINISH_REASONS.items() if not isinstance(kind, str)},
        "BadRequestError": InvalidRequestError,
        "InternalServerError": ServerError,
        "NotFoundError": ModelNotFoundError,
        "internal_server_error": ServerError,
        "invalid_request_error": InvalidRequestError,
        "not_found_error": ModelNotFoundError,
        "server_error": ServerError,
    },
    messages=(
        *((base, words, ContextLengthError) for words in _CONTEXT_LENGTH for base in _UNTOLD),
        *(
            (base, words, QuotaExceededError)
            for words in _QUOTA
            for base in (*_UNTOLD, AuthenticationError, RateLimitError)
        ),
        *(
            (base, words, ContentPolicyError)
            for words in _POLICY
            for base in (*_UNTOLD, AuthenticationError)
        ),
        *((base, words, ModelNotFoundError) for words in _MODEL_NOT_FOUND for base in _UNTOLD),
        *((base, words, AuthenticationError) for words in _AUTHENTICATION for base in _UNTOLD),
        *(
            (base, words, OverloadedError)
            for words in _OVERLOADED
            for base in (ProviderError, ServerError, RateLimitError)
        ),
        (ProviderError, "rate limit", RateLimitError),
        (ProviderError, "too many requests", RateLimitError),
    ),
    unknown_model=frozenset(
        word for word, kind in _COMPATIBLE.items() if kind is ModelNotFoundError
    )
    | {"model_not_found"},
)
