"""Bedrock's model families: which ids exist, and the rules that differ by family.

Source: AWS's "Supported foundation models" and "Inference request parameters" pages and recorded
replies, read 2026-11-30.
"""

from __future__ import annotations

import re
from typing import Optional

import msgspec

__all__ = ["FamilyRules", "family_of"]

_ID = re.compile(
    r"(?:(?:us|us-gov|eu|apac|jp|au|ca|global)\.)?"
    r"(?P<family>amazon\.nova|amazon\.titan-text|anthropic\.claude|meta\.llama|mistral\.\w+|"
    r"deepseek\.(?:r1|v3)|qwen\.qwen3|openai\.gpt|zai\.glm|cohere\.command|ai21\.jamba|"
    r"writer\.palmyra|moonshot(?:ai)?\.kimi|minimax\.minimax|google\.gemma|nvidia\.nemotron)"
    r"[a-z0-9.-]*(?::\d+)?(?::\d+k)?"
)
_ARN = re.compile(
    r"arn:aws(?:-[^:]+)?:bedrock:[a-z0-9-]{1,20}:(?:\d{12})?:(?:foundation-model|custom-model|"
    r"imported-model|provisioned-model|custom-model-deployment|inference-profile|"
    r"application-inference-profile|prompt|prompt-router|default-prompt-router)/(?P<name>\S+)"
)
_CLAUDE = re.compile(r"claude-(?:(?:sonnet|opus|haiku|fable|mythos)-)?(\d+)(?:-(\d)(?!\d))?")
# Of an id without a number: the newest.
_NEWEST = (5, 5)


class FamilyRules(msgspec.Struct, frozen=True):
    """Rules of a family; the defaults refuse nothing.

    `family` is `claude`, `nova` or the maker's name, empty where an ARN does not say it.
    `tool_choices` are the forms of `toolChoice` that the models take, `cache_ttls` the lifetimes
    of a cache point (none: no cache points), `thinking` the words for its type, `max_stops` the
    most stop sequences.
    """

    family: str = ""
    tool_choices: tuple[str, ...] = ("auto", "any", "tool")
    cache_ttls: tuple[str, ...] = ("5m", "1h")
    max_stops: Optional[int] = None
    structured: bool = True
    media: tuple[str, ...] = ("image", "document", "video", "audio")
    result_alone: bool = False
    s3: bool = True
    thinking: tuple[str, ...] = ()
    always_reasons: bool = False
    sampling: bool = True
    temperature_with_top_p: bool = True
    prefill: bool = True


def family_of(model: str) -> Optional[FamilyRules]:
    """Return the rules for a model id, an inference profile or an ARN; `None` if there is none."""
    arn = _ARN.fullmatch(model)
    found = _ID.fullmatch(arn["name"] if arn else model)
    if found is None:
        return FamilyRules() if arn else None
    family = found["family"]
    if family == "anthropic.claude":
        return _claude(model)
    if family == "amazon.nova":
        return FamilyRules(
            "nova",
            structured=False,
            cache_ttls=("5m",),
            max_stops=4,
            thinking=("enabled",) if "nova-2" in model else (),
        )
    maker = family.partition(".")[0]
    choices: tuple[str, ...] = ("auto", "any") if "mistral-large" in model else ()
    rules = FamilyRules(
        maker,
        choices,
        cache_ttls=(),
        max_stops=0 if maker == "openai" else 4,
        structured=maker not in ("amazon", "meta", "cohere", "ai21", "writer"),
        s3=False,
        result_alone=maker in ("meta", "mistral"),
    )
    if maker in ("openai", "deepseek"):
        rules = msgspec.structs.replace(rules, always_reasons=family != "deepseek.v3")
    return rules


def _claude(model: str) -> FamilyRules:
    found = _CLAUDE.search(model)
    version = (int(found[1]), int(found[2] or 0)) if found else _NEWEST
    thinking: tuple[str, ...] = ()
    if (3, 7) <= version < (4, 7):
        thinking = ("enabled",)
    if version >= (4, 6):
        thinking = (*thinking, "adaptive")
    return FamilyRules(
        "claude",
        structured=version >= (4, 5),
        media=("image", "document"),
        s3=False,
        thinking=thinking,
        cache_ttls=("5m", "1h") if version >= (4, 5) else ("5m",),
        # Anthropic's migration guides, read 2026-11-30.
        sampling=version < (4, 7),
        temperature_with_top_p=version < (4, 1),
        prefill=version < (4, 6),
    )
