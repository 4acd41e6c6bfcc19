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
_CLAUDE = re.compile(r"claude-(?:(?:sonnet|opus|haiku|fable)-)?(\d+)(?:-(\d)(?!\d))?")


class FamilyRules(msgspec.Struct, frozen=True):
    """Rules of a family; the defaults refuse nothing.

    `family` is `claude`, `nova` or the maker's name, empty where an ARN does not say it.
    `tool_choices` are the forms of `toolChoice` that the models take.
    """

    family: str = ""
    tool_choices: tuple[str, ...] = ("auto", "any", "tool")
    caches: bool = True
    structured: bool = True
    media: tuple[str, ...] = ("image", "document", "video", "audio")
    result_alone: bool = False
    s3: bool = True
    thinks: bool = False
    always_reasons: bool = False
    temperature_with_top_p: bool = True


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
        return FamilyRules("nova", structured=False, thinks="nova-2" in model)
    maker = family.partition(".")[0]
    choices: tuple[str, ...] = ("auto", "any") if "mistral-large" in model else ()
    rules = FamilyRules(
        maker,
        choices,
        caches=False,
        structured=maker not in ("amazon", "meta", "cohere", "ai21", "writer"),
        s3=False,
        result_alone=maker in ("meta", "mistral"),
    )
    if maker in ("openai", "deepseek"):
        rules = msgspec.structs.replace(rules, always_reasons=family != "deepseek.v3")
    return rules


def _claude(model: str) -> FamilyRules:
    found = _CLAUDE.search(model)
    version = (int(found[1]), int(found[2] or 0)) if found else (4, 5)
    return FamilyRules(
        "claude",
        structured=version >= (4, 5),
        media=("image", "document"),
        s3=False,
        thinks=version >= (3, 7),
        temperature_with_top_p=version < (4, 5),
    )
