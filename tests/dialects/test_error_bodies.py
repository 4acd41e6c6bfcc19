"""The class of the error bodies that OpenAI-compatible servers send, in every form they have."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import specado
from specado._core import error_facts
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


def error(message: str = "", **members: Any) -> dict[str, Any]:
    return {"error": {"message": message, **members}}


def glm(code: str) -> dict[str, Any]:
    return error("…", code=code)


# (server, status, body, class). Text and bytes stand as they are, the others as JSON. Sources: the
# servers' documentation and source, read 2026-11-30.
BODIES: list[tuple[str, int, Any, type[ProviderError]]] = [
    # Context overflow
    ("cloudflare", 400, {"errors": [{"message": "AiError: The estimated number of input and maximum output tokens (90000) exceeded this model context window limit (24000).", "code": 5021}], "success": False}, ContextLengthError),  # noqa: E501
    ("openai", 400, error("This model's maximum context length is 8192 tokens.", type="invalid_request_error", code="context_length_exceeded"), ContextLengthError),  # noqa: E501
    ("openai", 400, error("Your input exceeds the context window of this model.", type="invalid_request_error"), ContextLengthError),  # noqa: E501
    ("llama.cpp", 400, error("the request exceeds the available context size, try increasing it", code=400, type="exceed_context_size_error", n_prompt_tokens=9000, n_ctx=4096), ContextLengthError),  # noqa: E501
    ("llama.cpp", 500, error("context size exceeded", code=500, type="server_error"), ContextLengthError),  # noqa: E501
    ("llama-cpp-python", 500, error("Requested tokens (11280) exceed context window of 2048", type="internal_server_error"), ContextLengthError),  # noqa: E501
    ("vllm", 400, {"object": "error", "message": "This model's maximum context length is 262144 tokens. However, you requested 0 output tokens", "type": "BadRequestError", "param": None, "code": 400}, ContextLengthError),  # noqa: E501
    ("vllm", 400, error("The decoder prompt (length 9) is longer than the maximum model length of 8.", type="BadRequestError", code=400), ContextLengthError),  # noqa: E501
    ("sglang", 400, {"object": "error", "message": "The input (70000 tokens) is longer than the model's context length (65536 tokens).", "type": "BadRequestError", "param": None, "code": 400}, ContextLengthError),  # noqa: E501
    ("sglang", 400, {"object": "error", "message": "Requested token count exceeds the model's maximum context length of 131072 tokens.", "type": "BadRequestError", "code": 400}, ContextLengthError),  # noqa: E501
    ("lm studio", 400, {"error": "Trying to keep the first 9 tokens when context the overflows. However, the model is loaded with context length of only 8 tokens"}, ContextLengthError),  # noqa: E501
    ("lm studio", 400, {"error": "The number of tokens to keep from the initial prompt is greater than the context length"}, ContextLengthError),  # noqa: E501
    ("lm studio", 400, "Context size has been exceeded.", ContextLengthError),
    ("ollama", 400, error("prompt too long; exceeded max context length by 4 tokens", type="invalid_request_error"), ContextLengthError),  # noqa: E501
    ("ollama", 500, {"error": "the input length exceeds the context length"}, ContextLengthError),
    ("tgi", 422, {"error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens", "error_type": "validation"}, ContextLengthError),  # noqa: E501
    ("tgi", 422, {"error": "Input validation error: `inputs` must have less than 1024 tokens. Given: 1100", "error_type": "validation"}, ContextLengthError),  # noqa: E501
    ("xai", 400, {"code": "Client specified an invalid argument", "error": "This model's maximum prompt length is 131072 but the request contains 537812 tokens."}, ContextLengthError),  # noqa: E501
    ("moonshot", 400, error("Input token length too long", type="invalid_request_error"), ContextLengthError),  # noqa: E501
    ("moonshot", 400, error("Your request exceeded model token limit : 8192", type="invalid_request_error"), ContextLengthError),  # noqa: E501
    ("glm", 400, glm("1261"), ContextLengthError),
    ("glm", 400, error("Prompt 超长", code="1210"), ContextLengthError),
    ("mistral", 400, {"object": "error", "message": "Prompt contains 65673 tokens, too large for model with 32768 maximum context length", "type": "invalid_request_error", "code": "3051"}, ContextLengthError),  # noqa: E501
    ("deepseek", 400, error("This model's maximum context length is 65536 tokens. However, you requested 70000 tokens", type="invalid_request_error", code="invalid_request_error"), ContextLengthError),  # noqa: E501
    ("groq", 400, error("Please reduce the length of the messages or completion.", type="invalid_request_error", code="context_length_exceeded"), ContextLengthError),  # noqa: E501
    ("openrouter", 400, error("This endpoint's maximum context length is 4096 tokens.", code=400), ContextLengthError),  # noqa: E501
    ("openrouter", 400, error("Provider returned error", code=400, metadata={"provider_name": "x", "raw": json.dumps(error("too long", code="context_length_exceeded"))}), ContextLengthError),  # noqa: E501
    ("openrouter", 400, error("Provider returned error", code=400, metadata={"raw": "prompt is too long: 9 tokens > 8 maximum"}), ContextLengthError),  # noqa: E501
    ("openrouter", 400, error("Input length 131393 exceeds the maximum allowed input length of 131040 tokens.", code=400), ContextLengthError),  # noqa: E501
    ("azure", 400, error("This model's maximum context length is 8192 tokens.", type="invalid_request_error", code="context_length_exceeded"), ContextLengthError),  # noqa: E501
    ("openrouter", 200, error("Token limit reached", code=400), ContextLengthError),
    ("vllm", 400, error("You passed 9000 input tokens and requested 100 output tokens. However, the model's context length is only 8192 tokens.", type="BadRequestError", code=400), ContextLengthError),  # noqa: E501
    ("sglang", 400, {"object": "error", "message": "Input length (9 tokens) exceeds the maximum allowed length (8 tokens).", "type": "BadRequestError", "code": 400}, ContextLengthError),  # noqa: E501
    ("openai", 400, error("Input tokens exceed the configured limit of 272000 tokens."), ContextLengthError),  # noqa: E501
    ("cohere", 400, {"message": "too many tokens: total number of tokens in the prompt cannot exceed 4081"}, ContextLengthError),  # noqa: E501
    ("github models", 413, error("Request body too large for gpt-4o model. Max size: 8000 tokens.", code="tokens_limit_reached"), ContextLengthError),  # noqa: E501
    ("gemini", 400, [error("The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).", code=400, status="INVALID_ARGUMENT")], ContextLengthError),  # noqa: E501
    ("together", 422, error("The input (9 tokens) is longer than the model's context length (8 tokens).", type="invalid_request_error"), ContextLengthError),  # noqa: E501
    ("alibaba", 400, error("Range of input length should be [1, 30720]", code="InvalidParameter"), ContextLengthError),  # noqa: E501
    ("litellm", 400, error("litellm.ContextWindowExceededError: …", type=None, code="400"), ContextLengthError),  # noqa: E501
    # Quota
    ("deepseek", 402, error("Insufficient Balance", type="unknown_error", code="invalid_request_error"), QuotaExceededError),  # noqa: E501
    ("moonshot", 429, error("Your account is suspended, please check your plan", type="exceeded_current_quota_error"), QuotaExceededError),  # noqa: E501
    ("xai", 429, {"code": "Some resource has been exhausted", "error": "Your team has either used all available credits or reached its monthly spending limit."}, QuotaExceededError),  # noqa: E501
    ("xai", 403, {"code": "The caller does not have permission", "error": "Your newly created team doesn't have any credits or licenses yet."}, QuotaExceededError),  # noqa: E501
    ("glm", 429, glm("1113"), QuotaExceededError),
    ("glm", 429, glm("1308"), QuotaExceededError),
    ("openrouter", 402, error("Insufficient credits. This account never purchased credits.", code=402), QuotaExceededError),  # noqa: E501
    ("openrouter", 403, error("Key limit exceeded (total limit).", code=403), QuotaExceededError),
    ("openrouter", 200, error("This request requires more credits, or fewer max_tokens.", code=402), QuotaExceededError),  # noqa: E501
    ("groq", 400, error("Organization has reached its spend limit", type="invalid_request_error", code="blocked_api_access"), QuotaExceededError),  # noqa: E501
    ("azure", 429, error("You exceeded your current quota, please check your plan", type="insufficient_quota", code="insufficient_quota"), QuotaExceededError),  # noqa: E501
    ("kimi code", 403, error("You've reached your usage limit for this billing cycle"), QuotaExceededError),  # noqa: E501
    ("ollama", 429, {"error": "you've reached your weekly usage limit"}, QuotaExceededError),
    ("hugging face", 402, {"error": "You have exceeded your monthly included credits"}, QuotaExceededError),  # noqa: E501
    ("alibaba", 400, error("Access denied, please make sure your account is in good standing.", code="Arrearage", type="Arrearage"), QuotaExceededError),  # noqa: E501
    ("litellm", 400, error("Budget has been exceeded! Current cost: 1", type="budget_exceeded", code="400"), QuotaExceededError),  # noqa: E501
    # Rate limits and capacity
    ("groq", 429, error("Rate limit reached for model `x`", type="tokens", code="rate_limit_exceeded"), RateLimitError),  # noqa: E501
    ("groq", 498, error("Flex tier capacity exceeded", type="x", code="y"), OverloadedError),
    ("mistral", 429, {"object": "error", "message": "Requests rate limit exceeded", "type": "rate_limited", "param": None, "code": "1300"}, RateLimitError),  # noqa: E501
    ("mistral", 429, {"message": "Requests rate limit exceeded"}, RateLimitError),
    ("moonshot", 429, error("Your account reached max request", type="rate_limit_reached_error"), RateLimitError),  # noqa: E501
    ("moonshot", 429, error("The engine is currently overloaded, please try again later", type="engine_overloaded_error"), OverloadedError),  # noqa: E501
    ("glm", 429, glm("1302"), RateLimitError),
    ("glm", 429, glm("1305"), RateLimitError),
    ("glm", 429, glm("1312"), OverloadedError),
    ("azure", 429, error("Requests to the ChatCompletions_Create Operation have exceeded token rate limit", code="429"), RateLimitError),  # noqa: E501
    ("azure", 429, error("Rate limit of 10 per 86400s exceeded", code="RateLimitReached"), RateLimitError),  # noqa: E501
    ("openrouter", 429, error("Provider returned error", code=429, metadata={"raw": "x is temporarily rate-limited upstream", "provider_name": "Google"}), RateLimitError),  # noqa: E501
    ("openrouter", 503, error("No available model provider meets your routing requirements", code=503), OverloadedError),  # noqa: E501
    ("gateway", 500, error("upstream said no", code=429), RateLimitError),
    ("gateway", 200, error("upstream said no", code="503"), OverloadedError),
    ("gemini", 200, [error("Resource exhausted", code=429, status="RESOURCE_EXHAUSTED")], RateLimitError),  # noqa: E501
    ("tgi", 429, {"error": "Model is overloaded", "error_type": "overloaded"}, OverloadedError),
    ("tgi", 424, {"error": "Request failed during generation", "error_type": "generation"}, ServerError),  # noqa: E501
    ("llama.cpp", 503, error("Loading model", code=503, type="unavailable_error"), OverloadedError),
    ("llama.cpp", 501, error("This server does not support tools", code=501, type="not_supported_error"), InvalidRequestError),  # noqa: E501
    ("ollama", 503, {"error": "server busy, please try again. maximum pending requests exceeded"}, OverloadedError),  # noqa: E501
    ("ollama", 500, {"error": "llama runner process has terminated"}, ServerError),
    ("sglang", 500, {"object": "error", "message": "The request queue is full.", "type": "InternalServerError", "code": 500}, OverloadedError),  # noqa: E501
    ("vllm", 500, error("EngineCore died", type="InternalServerError", code=500), ServerError),
    ("xai", 503, "Service temporarily unavailable. The model is at capacity", OverloadedError),
    ("cloudflare", 502, "<html>Bad gateway</html>", ServerError),
    ("databricks", 429, {"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "Exceeded"}, RateLimitError),  # noqa: E501
    # Policy
    ("azure", 400, error("The response was filtered due to the prompt triggering Azure OpenAI's content management policy.", code="content_filter", status=400, innererror={"code": "ResponsibleAIPolicyViolation"}), ContentPolicyError),  # noqa: E501
    ("azure", 400, error("…", code=None, innererror={"code": "ContentFiltered"}), ContentPolicyError),  # noqa: E501
    ("azure", 400, error("The response was filtered due to the prompt triggering Azure OpenAI's content management policy.", code="400"), ContentPolicyError),  # noqa: E501
    ("openrouter", 403, error("openai/x requires moderation on OpenAI. Your input was flagged", code=403, metadata={"reasons": ["violence"], "flagged_input": "…", "provider_name": "OpenAI"}), ContentPolicyError),  # noqa: E501
    ("openrouter", 200, error("Forbidden", code=403, metadata={"reasons": [], "flagged_input": ""}), ContentPolicyError),  # noqa: E501
    ("deepseek", 400, error("Content Exists Risk", type="invalid_request_error", code="invalid_request_error"), ContentPolicyError),  # noqa: E501
    ("moonshot", 400, error("The request was rejected because it was considered high risk", type="content_filter"), ContentPolicyError),  # noqa: E501
    ("glm", 400, {"contentFilter": [{"level": 1, "role": "user"}], **glm("1301")}, ContentPolicyError),  # noqa: E501
    ("xai", 403, {"code": "The caller does not have permission", "error": "Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO"}, ContentPolicyError),  # noqa: E501
    ("alibaba", 400, error("Output data may contain inappropriate content.", code="data_inspection_failed"), ContentPolicyError),  # noqa: E501
    # The model is not known
    ("vllm", 404, error("The model `x` does not exist.", type="NotFoundError", code=404), ModelNotFoundError),  # noqa: E501
    ("ollama", 404, error('model "x" not found, try pulling it first', type="api_error"), ModelNotFoundError),  # noqa: E501
    ("lm studio", 400, {"error": "No models loaded. Please load a model in the developer page."}, ModelNotFoundError),  # noqa: E501
    ("lm studio", 400, error('Invalid model identifier "x".', type="invalid_request_error"), ModelNotFoundError),  # noqa: E501
    ("llama.cpp", 400, error("model not found", code=400, type="invalid_request_error"), ModelNotFoundError),  # noqa: E501
    ("deepseek", 400, error("Model Not Exist", type="invalid_request_error", code="invalid_request_error"), ModelNotFoundError),  # noqa: E501
    ("mistral", 400, {"object": "error", "message": "Invalid model: x", "type": "invalid_model", "code": "1500"}, ModelNotFoundError),  # noqa: E501
    ("openrouter", 400, error("x is not a valid model ID", code=400), ModelNotFoundError),
    ("openrouter", 404, error("No endpoints found for x.", code=404), ModelNotFoundError),
    ("glm", 400, glm("1211"), ModelNotFoundError),
    ("groq", 400, error("The model `x` has been decommissioned", type="invalid_request_error", code="model_decommissioned"), ModelNotFoundError),  # noqa: E501
    ("azure", 404, error("The API deployment for this resource does not exist.", code="DeploymentNotFound"), ModelNotFoundError),  # noqa: E501
    ("azure", 400, error("Unknown model: x", code="unknown_model"), ModelNotFoundError),
    ("perplexity", 400, error("Invalid model 'x'.", type="invalid_model", code=400), ModelNotFoundError),  # noqa: E501
    ("hugging face", 400, error("The requested model 'x' is not supported by any provider you have enabled.", type="invalid_request_error", code="model_not_supported"), ModelNotFoundError),  # noqa: E501
    ("xai", 404, {"code": "Some requested entity was not found", "error": "The model x does not exist"}, ModelNotFoundError),  # noqa: E501
    ("moonshot", 404, error("Not found the model x", type="resource_not_found_error"), ModelNotFoundError),  # noqa: E501
    # Keys
    ("xai", 400, {"code": "Client specified an invalid argument", "error": "Incorrect API key provided: x."}, AuthenticationError),  # noqa: E501
    ("gemini", 400, [error("API key not valid. Please pass a valid API key.", code=400, status="INVALID_ARGUMENT")], AuthenticationError),  # noqa: E501
    ("azure", 401, {"statusCode": 401, "message": "Unauthorized. Access token is missing"}, AuthenticationError),  # noqa: E501
    ("mistral", 401, {"detail": "Unauthorized"}, AuthenticationError),
    ("vllm", 401, {"error": "Unauthorized"}, AuthenticationError),
    ("glm", 401, glm("1002"), AuthenticationError),
    ("moonshot", 401, error("Invalid Authentication", type="invalid_authentication_error"), AuthenticationError),  # noqa: E501
    ("gateway", 200, error("no key", type="incorrect_api_key_error"), AuthenticationError),
    # Other refusals, in each form
    ("mistral", 422, {"detail": [{"loc": ["body", "n"], "msg": "Input should be 1", "type": "less_than_equal"}]}, InvalidRequestError),  # noqa: E501
    ("mistral", 422, {"object": "error", "message": {"detail": [{"loc": ["body", "n"], "msg": "Input should be 1", "type": "x"}]}, "type": "invalid_request_error"}, InvalidRequestError),  # noqa: E501
    ("fastapi", 400, {"detail": "something is wrong"}, InvalidRequestError),
    ("fastapi", 400, {"detail": error("too long", code="context_length_exceeded")}, ContextLengthError),  # noqa: E501
    ("gateway", 400, {"error": error("too long", code="context_length_exceeded")}, ContextLengthError),  # noqa: E501
    ("gateway", 502, error(json.dumps(error("busy", code=429))), RateLimitError),
    ("gateway", 400, {"errors": [{"message": "no", "code": 7003}]}, InvalidRequestError),
    ("gateway", 418, "I'm a teapot", InvalidRequestError),
    ("gateway", 500, "", ServerError),
    ("gateway", 400, "[]", InvalidRequestError),
    ("gateway", 200, {"error": "rate limit exceeded"}, RateLimitError),
    ("gateway", 200, {"message": "Too many requests"}, RateLimitError),
    # A rate limit is not a matter of context, whatever its words
    ("bedrock", 429, error("Too many tokens, please reduce the length of the messages"), RateLimitError),  # noqa: E501
    ("anyone", 400, error("messages[3]: 429 rate limit overloaded"), InvalidRequestError),
]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [case[1:] for case in BODIES],
    ids=[f"{index}-{server}-{status}" for index, (server, status, _, _) in enumerate(BODIES)],
)
def test_each_servers_error_body_has_its_class(
    status: int, body: Any, expected: type[ProviderError]
) -> None:
    text = body if isinstance(body, str) else json.dumps(body)

    found = specado.parse_error(status, {}, text, "openai")

    assert type(found) is expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"error": {"type": "t", "code": 5, "message": "m"}}, ("t", "5", "m")),
        ({"error": {"type": None, "code": True, "message": 5}}, (None, None, None)),
        ({"error": "m"}, (None, None, "m")),
        ({"error": "m", "error_type": "t"}, ("t", None, "m")),
        ({"error": ["m", "n"]}, (None, None, "m; n")),
        ({"error": {"error": {"message": "m", "code": "c"}}}, (None, "c", "m")),
        ({"code": "c", "error": "m"}, (None, "c", "m")),
        ({"error": "Forbidden", "message": "no such key"}, (None, None, "no such key: Forbidden")),
        ({"object": "error", "message": "m", "type": "t", "code": 400}, ("t", "400", "m")),
        ({"message": "m", "status": 404}, (None, "404", "m")),
        ({"detail": "m"}, (None, None, "m")),
        (
            {"detail": [{"loc": ["body", 0], "msg": "a", "type": "missing"}, {"msg": "b"}]},
            (None, None, "body.0: a; b"),
        ),
        ([{"error": {"message": "m", "status": "S", "code": 400}}], ("S", "400", "m")),
        ("m", (None, None, "m")),
        (
            {"error": {"message": "outer", "code": 400, "metadata": {"raw": '{"error":"inner"}'}}},
            (None, "400", "outer: inner"),
        ),
        ({"error": {"message": "m", "details": {"error_code": "c"}}}, (None, None, "m")),
        ({"type": "error", "message": "m"}, (None, None, "m")),
        ({"error": {}}, (None, None, None)),
        ([], (None, None, None)),
        (5, (None, None, None)),
    ],
)
def test_the_facts_of_an_error_body_in_each_form(
    body: Any, expected: tuple[str | None, str | None, str | None]
) -> None:
    assert error_facts(json.dumps(body).encode()) == expected


WORDS = st.sampled_from([None, "", " ", "error", "m", "{", '{"error": "inner"}', 5, 0, True])


@given(
    st.fixed_dictionaries({}, optional={"type": WORDS, "code": WORDS, "message": WORDS}),
    st.fixed_dictionaries({}, optional={"type": WORDS, "request_id": WORDS}),
)
def test_a_member_that_nobody_documents_changes_nothing(
    inner: dict[str, Any], outer: dict[str, Any]
) -> None:
    body = {**outer, "error": inner}

    plain = error_facts(json.dumps(body).encode())

    assert plain == error_facts(json.dumps({**body, "x": 0}).encode())


def test_an_error_that_encloses_too_many_others_has_no_facts() -> None:
    body: Any = {"error": "m"}
    for _ in range(100):
        body = {"error": body}

    assert error_facts(json.dumps(body).encode()) == (None, None, None)


def test_the_upstreams_words_are_in_the_message_of_a_gateways_error() -> None:
    body = error("Provider returned error", code=400, metadata={"raw": '{"message": "bad n"}'})

    found = specado.parse_error(400, {}, json.dumps(body), "openai")

    assert "Provider returned error: bad n" in str(found)


@pytest.mark.parametrize("body", [b"not found: \xff", b"{broken", b"<p>maximum context length</p>"])
def test_a_body_that_is_no_json_keeps_the_class_of_its_status(body: bytes) -> None:
    found = specado.parse_error(400, {}, body, "openai")

    assert type(found) is InvalidRequestError
