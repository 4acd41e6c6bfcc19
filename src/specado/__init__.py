"""One call to any large language model, with retry, fallback and loss reports.

import specado

client = specado.Client()
response = client.chat.completions.create(model="gpt-5.4", messages="Hello")
print(response.choices[0].message.content, response.extensions)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from specado._version import __version__

if TYPE_CHECKING:
    from specado.calls.streams import AsyncStream, Stream
    from specado.catalog.lookup import (
        compare_capabilities,
        get_anthropic_manifest,
        get_manifest,
        get_model_capabilities,
        get_openai_manifest,
        list_providers,
    )
    from specado.client import AsyncClient, Client
    from specado.dialects.registration import register_manifest
    from specado.errors import (
        AuthenticationError,
        ConfigurationError,
        ConfigurationWarning,
        ConnectionFailedError,
        ContentPolicyError,
        ContextLengthError,
        DeadlineExceededError,
        InvalidRequestError,
        LossyTranslationError,
        MalformedResponseError,
        MessageFormatError,
        ModelNotFoundError,
        OverloadedError,
        ProviderError,
        QuotaExceededError,
        RateLimitError,
        RetiredModelWarning,
        ServerError,
        SimulatedReplyWarning,
        SpecadoError,
        StreamInterruptedError,
    )
    from specado.losses.report import Loss, LossinessReport
    from specado.routing.health import health, reset_state
    from specado.routing.plan import PlannedCandidate
    from specado.translation import Translation, parse_error, parse_response, translate
    from specado.transport import InsecureTransportWarning, shutdown
    from specado.types import (
        AttemptEvent,
        ChatCompletionChunk,
        ChatCompletionResponse,
        Choice,
        ChoiceDelta,
        ChoiceDeltaToolCall,
        ChoiceDeltaToolCallFunction,
        ChunkChoice,
        Extensions,
        FallbackEvent,
        FunctionCall,
        Message,
        ReasoningBlock,
        ToolCall,
        Usage,
    )

# The module of each public name; it is imported at the first use of such a name.
_SOURCES = {
    "specado.catalog.lookup": (
        "compare_capabilities",
        "get_anthropic_manifest",
        "get_manifest",
        "get_model_capabilities",
        "get_openai_manifest",
        "list_providers",
    ),
    "specado.client": ("AsyncClient", "Client"),
    "specado.dialects.registration": ("register_manifest",),
    "specado.errors": (
        "AuthenticationError",
        "ConfigurationError",
        "ConfigurationWarning",
        "ConnectionFailedError",
        "ContentPolicyError",
        "ContextLengthError",
        "DeadlineExceededError",
        "InvalidRequestError",
        "LossyTranslationError",
        "MalformedResponseError",
        "MessageFormatError",
        "ModelNotFoundError",
        "OverloadedError",
        "ProviderError",
        "QuotaExceededError",
        "RateLimitError",
        "RetiredModelWarning",
        "ServerError",
        "SimulatedReplyWarning",
        "SpecadoError",
        "StreamInterruptedError",
    ),
    "specado.losses.report": ("Loss", "LossinessReport"),
    "specado.translation": ("Translation", "parse_error", "parse_response", "translate"),
    "specado.routing.health": ("health", "reset_state"),
    "specado.routing.plan": ("PlannedCandidate",),
    "specado.calls.streams": ("AsyncStream", "Stream"),
    "specado.transport": ("InsecureTransportWarning", "shutdown"),
    "specado.types": (
        "AttemptEvent",
        "ChatCompletionChunk",
        "ChatCompletionResponse",
        "Choice",
        "ChoiceDelta",
        "ChoiceDeltaToolCall",
        "ChoiceDeltaToolCallFunction",
        "ChunkChoice",
        "Extensions",
        "FallbackEvent",
        "FunctionCall",
        "Message",
        "ReasoningBlock",
        "ToolCall",
        "Usage",
    ),
}
_MODULE_OF = {name: module for module, names in _SOURCES.items() for name in names}

__all__ = [
    "AsyncClient",
    "AsyncStream",
    "AttemptEvent",
    "AuthenticationError",
    "ChatCompletionChunk",
    "ChatCompletionResponse",
    "Choice",
    "ChoiceDelta",
    "ChoiceDeltaToolCall",
    "ChoiceDeltaToolCallFunction",
    "ChunkChoice",
    "Client",
    "ConfigurationError",
    "ConfigurationWarning",
    "ConnectionFailedError",
    "ContentPolicyError",
    "ContextLengthError",
    "DeadlineExceededError",
    "Extensions",
    "FallbackEvent",
    "FunctionCall",
    "InsecureTransportWarning",
    "InvalidRequestError",
    "Loss",
    "LossinessReport",
    "LossyTranslationError",
    "MalformedResponseError",
    "Message",
    "MessageFormatError",
    "ModelNotFoundError",
    "OverloadedError",
    "PlannedCandidate",
    "ProviderError",
    "QuotaExceededError",
    "RateLimitError",
    "ReasoningBlock",
    "RetiredModelWarning",
    "ServerError",
    "SimulatedReplyWarning",
    "SpecadoError",
    "Stream",
    "StreamInterruptedError",
    "ToolCall",
    "Translation",
    "Usage",
    "__version__",
    "compare_capabilities",
    "get_anthropic_manifest",
    "get_manifest",
    "get_model_capabilities",
    "get_openai_manifest",
    "health",
    "list_providers",
    "parse_error",
    "parse_response",
    "register_manifest",
    "reset_state",
    "shutdown",
    "translate",
    "version",
]


def version() -> str:
    """Return the version of the library."""
    return __version__


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(module), name)
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
