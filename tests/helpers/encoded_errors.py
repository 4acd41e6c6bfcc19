"""One error of each class, as a gateway would answer with it."""

from __future__ import annotations

import specado
from specado import errors
from specado.losses.report import report_of

KEY = "sk-abcdefghijklmnop"


def provider_error(kind: type[errors.ProviderError], **facts: object) -> errors.ProviderError:
    """Return an error of a provider whose message quotes a key."""
    defaults = {"provider": "openai", "model": "gpt-4o", "request_id": "req_1"}
    return kind(f"openai/gpt-4o: refused {KEY}", **{**defaults, **facts})


LOSSY = specado.LossyTranslationError(
    "openai/gpt-4o: n: one answer a request; strictness='coerce' would let the request through",
    report=report_of([("n", "n", 2, None), ("seed", "seed", 7, None)]),
    setting="strictness='coerce'",
)
ERRORS: dict[str, specado.SpecadoError] = {
    "authentication": provider_error(specado.AuthenticationError, status_code=401),
    "permission": provider_error(specado.AuthenticationError, status_code=403),
    "rate limit": provider_error(specado.RateLimitError, status_code=429, retry_after_s=1.25),
    "quota": provider_error(specado.QuotaExceededError, status_code=429),
    "overloaded": provider_error(specado.OverloadedError, status_code=503),
    "invalid": provider_error(specado.InvalidRequestError, status_code=400, code="unknown_value"),
    "unprocessable": provider_error(specado.InvalidRequestError, status_code=422),
    "redirect": provider_error(specado.InvalidRequestError, status_code=302),
    "model": provider_error(specado.ModelNotFoundError, status_code=404),
    "context": provider_error(specado.ContextLengthError, status_code=400),
    "policy": provider_error(specado.ContentPolicyError, status_code=400),
    "server": provider_error(specado.ServerError, status_code=500),
    "malformed": provider_error(specado.MalformedResponseError, code="not_json"),
    "connection": provider_error(specado.ConnectionFailedError, code="reset"),
    "deadline": provider_error(specado.DeadlineExceededError),
    "interrupted": provider_error(errors.StreamInterruptedError),
    "unknown": provider_error(specado.ProviderError, status_code=218),
    "configuration": specado.ConfigurationError("temperature must be a number", key="temperature"),
    "lossy": LOSSY,
    "message": specado.MessageFormatError("wrong", index=2, field="content[1].type"),
    "whole message": specado.MessageFormatError("wrong", index=2),
    "argument": specado.MessageFormatError("wrong", field="messages"),
    "any other": specado.SpecadoError("wrong"),
}
