"""Decodes requests of OpenAI's Responses API."""

from __future__ import annotations

from typing import Any

from specado._core import read_responses_request
from specado.dialects.contract import DecodedRequest
from specado.dialects.openai_responses.source_fields import SOURCE_MEMBERS, SOURCE_PARAMETERS
from specado.dialects.request_text import checked_model, read_request
from specado.settings.parameters import PARAMETERS

__all__ = ["decode_request"]

NAME = "openai_responses"
# The canonical parameter whose check a member of the request passes.
CHECKS = {
    "max_output_tokens": "max_completion_tokens",
    **{
        name: name
        for name in (
            "temperature",
            "top_p",
            "stream",
            "stream_options",
            "parallel_tool_calls",
            "service_tier",
            "metadata",
            "user",
            "safety_identifier",
            "store",
            "moderation",
            "prompt_cache_key",
            "prompt_cache_options",
            "prompt_cache_retention",
            "top_logprobs",
        )
    },
}


def decode_request(request: Any) -> DecodedRequest:
    """Return a Responses request (a dict or JSON text) in the canonical form.

    Raises:
        MessageFormatError: the request is not well formed.
        ConfigurationError: the request names no model.
    """
    given = read_request(request, SOURCE_MEMBERS)
    for name, checked in CHECKS.items():
        if given.get(name) is not None:
            PARAMETERS[checked](name, given[name])
    conversation, parameters, losses, places = read_responses_request(
        dict(given), SOURCE_PARAMETERS
    )
    places["parameters"] = ".parameters"
    model = checked_model(given.get("model"))
    return DecodedRequest(NAME, given, model, conversation, parameters, losses, places)
