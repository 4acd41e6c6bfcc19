"""Facts of models on Bedrock, as a manifest gives them, and requests to such models."""

from __future__ import annotations

import json
from typing import Any, Optional

import official_bedrock
import specado
from specado._core import normalize
from specado.catalog.lookup import Model, Traits
from specado.dialects.contract import Encoded, Target
from specado.dialects.registry import encode

__all__ = ["ADAPTIVE", "CLAUDE", "GPT_OSS", "LLAMA", "NOVA", "OWN", "Sent", "facts", "own", "send"]


def facts(**traits: Any) -> Model:
    """Return the facts of a model with these traits."""
    return Model("bedrock", "m", max_output_tokens=64_000, traits=Traits(**traits))


CLAUDE = facts(
    thinking="budget", sampling_while_reasoning=False, temperature_with_top_p=False,
    structured_output=True, strict_tools=True, parallel_tool_switch=True,
    tool_choices=("auto", "any", "tool"), cache_ttls=("5m", "1h"),
)  # fmt: skip
ADAPTIVE = facts(
    thinking="adaptive", reasoning_efforts=("none", "low", "medium", "high", "max"),
    sampling=False, assistant_prefill=False, tool_choices=("auto", "any", "tool"),
)  # fmt: skip
NOVA = facts(
    thinking="reasoning_config", reasoning_efforts=("none", "low", "medium", "high"),
    tool_choices=("auto", "any", "tool"), cache_ttls=("5m",), web_search=True,
)  # fmt: skip
GPT_OSS = facts(
    thinking="effort", reasoning_efforts=("low", "medium", "high"), tool_choices=(), stop=False,
    cache_ttls=(),
)  # fmt: skip
LLAMA = facts(
    thinking="none", results_alone=True, media_in_tool_results=False, tool_choices=(),
    cache_ttls=(), max_stops=4, system_prompt=False, parallel_tool_calls=False,
)  # fmt: skip
# The provider whose answers go back to it.
OWN = Target("bedrock", "tag", frozenset())


class Sent:
    """An encoded request: its body and its losses as (row, path)."""

    def __init__(self, encoded: Encoded) -> None:
        self.encoded = encoded
        self.body: dict[str, Any] = json.loads(encoded.body)
        self.losses = [(row, path) for row, path, _, _ in encoded.losses]

    @property
    def messages(self) -> list[Any]:
        """The messages of the body."""
        return list(self.body["messages"])

    @property
    def content(self) -> list[Any]:
        """The blocks of the first message."""
        return list(self.messages[0]["content"])


def send(
    *messages: Any,
    to: Optional[Model] = None,
    model: str = "m",
    target: Optional[Target] = OWN,
    **params: Any,
) -> Sent:
    """Return a request to a model with these facts, once botocore's model has accepted it."""
    given = list(messages) or [{"role": "user", "content": "Hello"}]
    encoded = encode("bedrock_converse", normalize(given), model, params, to, target=target)
    assert official_bedrock.problems(encoded.body) == []
    return Sent(encoded)


def own() -> str:
    """Register a server that speaks Converse, and return its name."""
    return specado.register_manifest(
        {
            "name": "own",
            "base_url": "https://own.example",
            "dialect": "bedrock_converse",
            "models": {},
        }
    )
