"""Fault models: reserved model names, and the failure that each simulates.

A request for one of these models fails on either API, in that API's format. `FAULT_MODELS` is the
complete list: no other name causes a fault.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Optional

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FAULTS", "FAULT_MODELS", "SLOW_REPLY_S", "Fault", "WireError", "error_info"]

SLOW_REPLY_S = 2.0
RETRY_AFTER_S = 1


class WireError(msgspec.Struct, frozen=True):
    """An error reply: the status, the error object's fields, and headers of its own.

    Gemini's `type` is the name of its status, `details` its error details; a status of 200 is
    a prompt that was blocked for the reason `type`. Bedrock's `type` is the exception's name.
    """

    status: int
    type: str
    message: str
    code: Optional[str] = None
    param: Optional[str] = None
    headers: dict[str, str] = {}
    details: tuple[dict[str, Any], ...] = ()


class Fault(msgspec.Struct, frozen=True):
    """One simulated failure.

    `kind` is `error` (an error reply, in the words of each API), `timeout` (no answer),
    `refused` (no connection), `reset` (the connection breaks before the first byte), `truncated`
    (it breaks within the body), `malformed` (200, not JSON), `gateway` (a 502 page of a proxy),
    `empty` (200 with no answer in it) or `slow` (a good reply, late). A kind that begins `stream_`
    fails only with `stream: true`; any other request gets a good reply. `responses` is OpenAI's
    Responses API's error where it is not that of `openai`, `vertex` Vertex AI's where it is not
    that of `gemini`.
    """

    model: str
    kind: str
    summary: str
    openai: Optional[WireError] = None
    anthropic: Optional[WireError] = None
    gemini: Optional[WireError] = None
    responses: Optional[WireError] = None
    vertex: Optional[WireError] = None
    bedrock: Optional[WireError] = None

    @property
    def is_of_streams(self) -> bool:
        """True if the fault concerns streamed requests only."""
        return self.kind.startswith("stream_")


_LIMIT_HEADERS = {
    "retry-after": str(RETRY_AFTER_S),
    "x-ratelimit-remaining-requests": "0",
    "x-ratelimit-reset-requests": f"{RETRY_AFTER_S}s",
}
_ANTHROPIC_LIMIT_HEADERS = {
    "retry-after": str(RETRY_AFTER_S),
    "anthropic-ratelimit-requests-remaining": "0",
}


def _error(model: str, summary: str, openai: WireError, anthropic: WireError) -> Fault:
    return Fault(model, "error", summary, openai, anthropic)


_SERVER_ERROR = WireError(
    500, "server_error", "The server had an error while processing your request. Sorry about that!"
)
_ANTHROPIC_SERVER_ERROR = WireError(500, "api_error", "Internal server error")

# Wording and shape as the providers send them: OpenAI's "Error codes" guide and Anthropic's
# "Errors" page, read 2026-11-22.
_ALL = (
    Fault("timeout-test-model", "timeout", "never answers"),
    _error(
        "rate-limit-test-model",
        "429: too many requests, with retry-after",
        WireError(
            429,
            "requests",
            "Rate limit reached for rate-limit-test-model in organization org-simulated on "
            "requests per min (RPM): Limit 500, Used 500, Requested 1. Please try again in 1s. "
            "Visit https://platform.openai.com/account/rate-limits to learn more.",
            "rate_limit_exceeded",
            headers=_LIMIT_HEADERS,
        ),
        WireError(
            429,
            "rate_limit_error",
            "This request would exceed your organization's rate limit of 50 requests per minute. "
            "For details, refer to: https://docs.claude.com/en/api/rate-limits.",
            headers=_ANTHROPIC_LIMIT_HEADERS,
        ),
    ),
    _error(
        "server-error-test-model",
        "500: the provider fails",
        _SERVER_ERROR,
        _ANTHROPIC_SERVER_ERROR,
    ),
    _error(
        "auth-error-test-model",
        "401: the key is wrong",
        WireError(
            401,
            "invalid_request_error",
            "Incorrect API key provided. You can find your API key at "
            "https://platform.openai.com/account/api-keys.",
            "invalid_api_key",
        ),
        WireError(401, "authentication_error", "invalid x-api-key"),
    ),
    _error(
        "permission-test-model",
        "403: the key may not do this",
        WireError(
            403,
            "invalid_request_error",
            "Country, region, or territory not supported",
            "unsupported_country_region_territory",
        ),
        WireError(
            403,
            "permission_error",
            "Your API key does not have permission to use the specified resource.",
        ),
    ),
    _error(
        "overloaded-test-model",
        "503 (OpenAI) or 529 (Anthropic): no capacity for now",
        WireError(
            503,
            "server_error",
            "The server is currently overloaded with other requests. Sorry about that! You can "
            "retry your request, or contact us through our help center at help.openai.com if the "
            "error persists.",
        ),
        WireError(529, "overloaded_error", "Overloaded"),
    ),
    _error(
        "quota-test-model",
        "429 `insufficient_quota` (OpenAI) or 400 (Anthropic): the credit is used up",
        WireError(
            429,
            "insufficient_quota",
            "You exceeded your current quota, please check your plan and billing details. For "
            "more information on this error, read the docs: "
            "https://platform.openai.com/docs/guides/error-codes/api-errors.",
            "insufficient_quota",
        ),
        WireError(
            400,
            "invalid_request_error",
            "Your credit balance is too low to access the Anthropic API. Please go to Plans & "
            "Billing to upgrade or purchase credits.",
        ),
    ),
    _error(
        "context-length-test-model",
        "400: the request is longer than the context window",
        WireError(
            400,
            "invalid_request_error",
            "This model's maximum context length is 8192 tokens. However, your messages resulted "
            "in 8193 tokens. Please reduce the length of the messages.",
            "context_length_exceeded",
            "messages",
        ),
        WireError(
            400,
            "invalid_request_error",
            "prompt is too long: 200001 tokens > 200000 maximum",
        ),
    ),
    _error(
        "content-policy-test-model",
        "400: the content is refused by policy",
        WireError(
            400,
            "invalid_request_error",
            "Your request was rejected as a result of our safety system.",
            "content_policy_violation",
        ),
        WireError(
            400,
            "invalid_request_error",
            "Output blocked by content filtering policy",
        ),
    ),
    _error(
        "not-found-test-model",
        "404: the model does not exist",
        WireError(
            404,
            "invalid_request_error",
            "The model `not-found-test-model` does not exist or you do not have access to it.",
            "model_not_found",
        ),
        WireError(404, "not_found_error", "model: not-found-test-model"),
    ),
    Fault("bad-gateway-test-model", "gateway", "502 with a proxy's HTML page"),
    Fault("connection-refused-test-model", "refused", "no connection: nothing was sent"),
    Fault("connection-reset-test-model", "reset", "the connection breaks before the first byte"),
    Fault("truncated-test-model", "truncated", "the connection breaks within the body"),
    Fault("malformed-test-model", "malformed", "200, but the body is not JSON"),
    Fault("empty-test-model", "empty", "200 with no choice, no content block"),
    Fault("slow-test-model", "slow", f"a good reply, {SLOW_REPLY_S:g} s late"),
    Fault(
        "stream-error-test-model",
        "stream_error",
        "streamed: an error event before the first content",
        _SERVER_ERROR,
        _ANTHROPIC_SERVER_ERROR,
    ),
    # OpenAI's words as users of its stream report them (anomalyco/opencode#25884, read 2026-11-22).
    Fault(
        "stream-overloaded-test-model",
        "stream_error",
        "streamed: 200, then an overload before the first content",
        WireError(
            503,
            "service_unavailable_error",
            "Our servers are currently overloaded. Please try again later.",
            "server_is_overloaded",
        ),
        WireError(529, "overloaded_error", "Overloaded"),
    ),
    Fault(
        "stream-late-error-test-model",
        "stream_late_error",
        "streamed: an error event after some content",
        _SERVER_ERROR,
        _ANTHROPIC_SERVER_ERROR,
    ),
    Fault(
        "stream-cut-test-model",
        "stream_cut",
        "streamed: the connection breaks after some content, within an event",
    ),
    Fault(
        "stream-early-cut-test-model",
        "stream_early_cut",
        "streamed: the connection breaks before the first content",
    ),
    Fault("stream-stall-test-model", "stream_stall", "streamed: headers, then silence"),
    Fault("stream-idle-test-model", "stream_idle", "streamed: silence after some content"),
    Fault(
        "stream-malformed-test-model",
        "stream_malformed",
        "streamed: an event after some content is not JSON",
    ),
    Fault(
        "stream-unterminated-test-model",
        "stream_unterminated",
        "streamed: a clean end of the body without the last event",
    ),
    Fault("stream-bytewise-test-model", "stream_bytewise", "streamed: good, byte by byte"),
    Fault(
        "stream-crlf-test-model",
        "stream_crlf",
        "streamed: good, with CRLF line ends cut between the two",
    ),
    Fault("stream-cr-test-model", "stream_cr", "streamed: good, with CR line ends"),
    Fault("stream-ping-test-model", "stream_ping", "streamed: good, with a ping before each event"),
)

# OpenAI's Responses API where it says something else than chat completions: recorded replies
# (model_not_found, 2026-02) and error bodies that users report, read 2026-11-30.
_RESPONSES = {
    "context-length-test-model": WireError(
        400,
        "invalid_request_error",
        "Your input exceeds the context window of this model. Please adjust your input and try "
        "again.",
        "context_length_exceeded",
        "input",
    ),
    "content-policy-test-model": WireError(
        400,
        "invalid_request_error",
        "Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please "
        "try again with a different prompt: "
        "https://platform.openai.com/docs/guides/reasoning#advice-on-prompting",
        "invalid_prompt",
    ),
    "not-found-test-model": WireError(
        400,
        "invalid_request_error",
        "The requested model 'not-found-test-model' does not exist.",
        "model_not_found",
        "model",
    ),
}


def _quota(model: str, period: str, limit: int, delay_s: int) -> WireError:
    """Return the error of an exhausted quota, with its retry delay."""
    metric = "generativelanguage.googleapis.com/generate_content_free_tier_requests"
    return WireError(
        429,
        "RESOURCE_EXHAUSTED",
        "You exceeded your current quota, please check your plan and billing details. For more "
        "information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.\n"
        f"* Quota exceeded for metric: {metric}, limit: {limit}, model: {model}\n"
        f"Please retry in {delay_s}s.",
        details=(
            {
                "@type": "type.googleapis.com/google.rpc.Help",
                "links": [
                    {
                        "description": "Learn more about Gemini API quotas",
                        "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
                    }
                ],
            },
            {
                "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                "violations": [
                    {
                        "quotaMetric": metric,
                        "quotaId": f"GenerateRequests{period}PerProjectPerModel-FreeTier",
                        "quotaDimensions": {"location": "global", "model": model},
                        "quotaValue": str(limit),
                    }
                ],
            },
            {
                "@type": "type.googleapis.com/google.rpc.RetryInfo",
                "retryDelay": f"{delay_s}s",
            },
        ),
    )


def error_info(reason: str) -> dict[str, Any]:
    """Return the error detail in which Google's APIs name the *reason* of a refusal."""
    return {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": {"service": "generativelanguage.googleapis.com"},
    }


_GEMINI_INTERNAL = WireError(
    500,
    "INTERNAL",
    "An internal error has occurred. Please retry or report in "
    "https://developers.generativeai.google/guide/troubleshooting",
)
_GEMINI_OVERLOADED = WireError(
    503, "UNAVAILABLE", "The model is overloaded. Please try again later."
)
# Gemini's errors as its "Troubleshooting" guide, recorded replies and users show them, read
# 2026-11-30.
_GEMINI = {
    "rate-limit-test-model": _quota("rate-limit-test-model", "PerMinute", 10, RETRY_AFTER_S),
    "server-error-test-model": _GEMINI_INTERNAL,
    "auth-error-test-model": WireError(
        400,
        "INVALID_ARGUMENT",
        "API key not valid. Please pass a valid API key.",
        details=(error_info("API_KEY_INVALID"),),
    ),
    "permission-test-model": WireError(
        403,
        "PERMISSION_DENIED",
        "Generative Language API has not been used in project 0 before or it is disabled.",
        details=(error_info("SERVICE_DISABLED"),),
    ),
    "overloaded-test-model": _GEMINI_OVERLOADED,
    "quota-test-model": _quota("quota-test-model", "PerDay", 250, 48),
    "context-length-test-model": WireError(
        400,
        "INVALID_ARGUMENT",
        "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).",
    ),
    "content-policy-test-model": WireError(200, "PROHIBITED_CONTENT", ""),
    "not-found-test-model": WireError(
        404,
        "NOT_FOUND",
        "models/not-found-test-model is not found for API version v1beta, or is not supported for "
        "generateContent. Call ModelService.ListModels to see the list of available models and "
        "their supported methods.",
    ),
    "stream-error-test-model": _GEMINI_INTERNAL,
    "stream-overloaded-test-model": _GEMINI_OVERLOADED,
    "stream-late-error-test-model": _GEMINI_INTERNAL,
}

# Vertex AI's shared capacity: the error names neither a quota nor a delay.
_VERTEX = {
    "rate-limit-test-model": WireError(
        429,
        "RESOURCE_EXHAUSTED",
        "Resource exhausted. Please try again later. Please refer to "
        "https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 for more details.",
    ),
    "auth-error-test-model": WireError(
        401,
        "UNAUTHENTICATED",
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login "
        "cookie or other valid authentication credential. See "
        "https://developers.google.com/identity/sign-in/web/devconsole-project.",
        details=(error_info("ACCESS_TOKEN_EXPIRED"),),
    ),
    "not-found-test-model": WireError(
        404,
        "NOT_FOUND",
        "Publisher Model `publishers/google/models/not-found-test-model` was not found or your "
        "project does not have access to it. Please ensure you are using a valid model version.",
    ),
}

_BEDROCK_INTERNAL = WireError(
    500,
    "InternalServerException",
    "The system encountered an unexpected error during processing. Try your request again.",
)
# Bedrock's errors as its "Troubleshooting error codes" page and its users show them, read
# 2026-11-30. A policy does not refuse a request there: a guardrail answers it.
_BEDROCK = {
    "rate-limit-test-model": WireError(
        429, "ThrottlingException", "Too many requests, please wait before trying again."
    ),
    "server-error-test-model": _BEDROCK_INTERNAL,
    "auth-error-test-model": WireError(
        403,
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    ),
    "permission-test-model": WireError(
        403,
        "AccessDeniedException",
        "User: arn:aws:iam::123456789012:user/simulated is not authorized to perform: "
        "bedrock:InvokeModel because no identity-based policy allows the bedrock:InvokeModel "
        "action",
    ),
    "overloaded-test-model": WireError(
        503,
        "ServiceUnavailableException",
        "The service is temporarily unable to handle the request. Try again later.",
    ),
    "quota-test-model": WireError(
        400,
        "ServiceQuotaExceededException",
        "Your request exceeds the service quota for your account.",
    ),
    "context-length-test-model": WireError(
        400, "ValidationException", "Input is too long for requested model."
    ),
    "content-policy-test-model": WireError(200, "guardrail_intervened", ""),
    "not-found-test-model": WireError(
        400, "ValidationException", "The provided model identifier is invalid."
    ),
    "stream-error-test-model": _BEDROCK_INTERNAL,
    "stream-overloaded-test-model": WireError(
        503,
        "ServiceUnavailableException",
        "Bedrock is unable to process your request.",
    ),
    "stream-late-error-test-model": WireError(
        424,
        "ModelStreamErrorException",
        "The model encountered an error while processing the stream.",
    ),
}

FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        fault.model: msgspec.structs.replace(
            fault,
            gemini=_GEMINI.get(fault.model),
            responses=_RESPONSES.get(fault.model),
            vertex=_VERTEX.get(fault.model),
            bedrock=_BEDROCK.get(fault.model),
        )
        for fault in _ALL
    }
)
FAULT_MODELS: frozenset[str] = frozenset(FAULTS)


def error_object(error: WireError) -> dict[str, Any]:
    """Return the fields of OpenAI's error object."""
    return {
        "message": error.message,
        "type": error.type,
        "param": error.param,
        "code": error.code,
    }
