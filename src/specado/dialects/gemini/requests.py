"""Encodes Gemini requests."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, Optional
from urllib.parse import quote

from specado._core import Conversation, encode_gemini_request
from specado.catalog.lookup import Model, Traits
from specado.dialects.contract import DecodedRequest, Encoded, Target
from specado.dialects.gemini.fields import REQUEST_PARAMETERS
from specado.dialects.gemini.model_change import change_model

if TYPE_CHECKING:
    from specado.catalog.lookup import RequestRules

__all__ = ["NAME", "encode_request", "path"]

NAME = "gemini"

_GENERATION = re.compile(r"gemini-(\d{1,2})(?:\.(\d{1,2}))?(?![\d.])")
# The generation of names such as `gemini-flash-latest` (2026-11-30).
_LATEST = (3, 0)


def path(model: str, is_stream: bool) -> str:
    """Return the path of a request after the base URL; the model stands in it.

    A model id may begin with its collection: `models/…`, which is the usual one, or
    `tunedModels/…`.
    """
    name = model if "/" in model else f"models/{model}"
    method = "streamGenerateContent?alt=sse" if is_stream else "generateContent"
    return f"/v1beta/{quote(name, safe='/{}:@')}:{method}"


def encode_request(
    conversation: Conversation,
    model: str,
    parameters: dict[str, Any],
    facts: Optional[Model],
    rules: RequestRules,
    source: Optional[DecodedRequest] = None,
    target: Optional[Target] = None,
) -> Encoded:
    """Return the encoded request body; see `specado.dialects.contract.EncodeRequest`.

    A *source* in this dialect is adapted to the model, and keeps the fields that the canonical
    form lacks.
    """
    if source is not None and source.dialect == NAME:
        return change_model(source, model, facts, rules)
    known = _assumed_facts(model) if facts is None else facts
    return Encoded(
        *encode_gemini_request(
            conversation,
            model,
            parameters,
            known,
            REQUEST_PARAMETERS,
            known is not facts,
            rules.media_uri_schemes,
            target,
        )
    )


@functools.lru_cache(maxsize=256)
def _assumed_facts(model: str) -> Model | None:
    """Return the facts assumed for a Gemini model that no manifest has, `None` for another model.

    Google's guides say for each generation how its models think, and which options they take beside
    tools (read 2026-11-30). Facts that differ within a generation are unknown.
    """
    found = _GENERATION.search(model)
    if found is None and not model.rpartition("/")[2].startswith("gemini-"):
        return None
    generation = _LATEST if found is None else (int(found[1]), int(found[2] or 0))
    if generation >= (3, 0):
        traits = Traits(
            thinking="level",
            signed_calls=True,
            media_in_tool_results=True,
            schema_with_tools=True,
        )
    elif generation >= (2, 5):
        traits = Traits(thinking="budget", signed_calls=False, schema_with_tools=False)
    else:
        traits = Traits(thinking="none", signed_calls=False, schema_with_tools=False)
    return Model(NAME, f"gemini-{generation[0]}.{generation[1]}", traits=traits)
