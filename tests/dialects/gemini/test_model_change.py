"""A Gemini request for another Gemini model: what that model takes, and what is reported."""

from __future__ import annotations

import json
from typing import Any

import pytest

import official_gemini
import specado
from lossy_gemini import CALLED, TOOLS, inline, user

HELLO = {"role": "user", "parts": [{"text": "Hello"}]}
ANSWERED = {
    "role": "user",
    "parts": [{"functionResponse": {"id": "c1", "name": "f", "response": {"output": "done"}}}],
}
SEEN = {"id": "c1", "name": "f", "response": {}, "parts": [inline("image/png")]}


def sent(request: dict[str, Any], *, rules: Any = None, **facts: Any) -> Any:
    """Translate a request for a model of a provider of one's own, with these traits."""
    manifest: dict[str, Any] = {
        "name": "own",
        "base_url": "https://own.example",
        "dialect": "gemini",
        "models": {"m": facts},
    }
    if rules is not None:
        manifest["request_rules"] = rules
    specado.register_manifest(manifest)
    return specado.translate({"model": "gemini-2.5-flash", **request}, "own/m", source="gemini")


def refitted(request: dict[str, Any], **facts: Any) -> tuple[Any, list[tuple[str, str]]]:
    found = sent(request, **facts)
    return json.loads(found.body), [(item.path, item.message) for item in found.report.items]


def configured(**settings: Any) -> dict[str, Any]:
    return {"contents": [HELLO], "generationConfig": settings}


@pytest.mark.parametrize(
    ("traits", "given", "expected", "path"),
    [
        ({"sampling": False}, {"temperature": 0.5, "topK": 3}, {}, "temperature"),
        ({"penalties": False}, {"presencePenalty": 1}, {}, "presencePenalty"),
        ({"logprobs": False}, {"responseLogprobs": True}, {}, "responseLogprobs"),
        ({"stop": False}, {"stopSequences": ["a"]}, {}, "stopSequences"),
        (
            {"thinking": "none"},
            {"thinkingConfig": {"thinkingBudget": 100}},
            {},
            "thinkingConfig",
        ),
        (
            {"thinking": "budget"},
            {"thinkingConfig": {"thinkingLevel": "MEDIUM", "includeThoughts": True}},
            {"thinkingConfig": {"includeThoughts": True, "thinkingBudget": 8192}},
            "thinkingConfig.thinkingLevel",
        ),
        (
            {"thinking": "level"},
            {"thinking_config": {"thinking_budget": 500}},
            {"thinking_config": {"thinkingLevel": "LOW"}},
            "thinking_config.thinking_budget",
        ),
        (
            {"thinking": "level", "reasoning_efforts": ["low", "high"]},
            {"thinkingConfig": {"thinkingLevel": "MINIMAL"}},
            {"thinkingConfig": {"thinkingLevel": "LOW"}},
            "thinkingConfig.thinkingLevel",
        ),
        (
            {"structured_output": False},
            {"responseMimeType": "application/json", "responseSchema": {"type": "OBJECT"}},
            {},
            "responseSchema",
        ),
        ({"media_resolution": False}, {"mediaResolution": "MEDIA_RESOLUTION_LOW"}, {},
         "mediaResolution"),
    ],
)  # fmt: skip
def test_settings_become_what_the_model_takes(
    traits: dict[str, Any], given: dict[str, Any], expected: dict[str, Any], path: str
) -> None:
    body, lost = refitted(configured(**given), traits=traits)

    assert body.get("generationConfig", {}) == expected
    assert f"generationConfig.{path}" in [where for where, _ in lost]


@pytest.mark.parametrize("name", ["generationConfig", "generation_config"])
def test_a_limit_is_cut_to_the_models(name: str) -> None:
    capabilities = {"constraints": {"tokens": {"max_output_tokens": 500}}}
    request = {"contents": "Hi", name: {"maxOutputTokens": 900}}

    body, lost = refitted(request, capabilities=capabilities)

    assert body == {
        "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
        name: {"maxOutputTokens": 500},
    }
    assert lost == [(f"{name}.maxOutputTokens", "the model's limit is lower")]


def test_tools_beside_a_schema_come_first() -> None:
    request = {**configured(responseJsonSchema={"type": "object"}), "tools": TOOLS}

    body, lost = refitted(request, traits={"schema_with_tools": False})

    assert body == {"contents": [HELLO], "tools": TOOLS}
    assert [path for path, _ in lost] == ["generationConfig.responseJsonSchema"]


def test_a_search_and_a_mode_that_the_model_lacks_are_left_out() -> None:
    request = {
        "contents": [HELLO],
        "tools": [{"googleSearch": {}}, *TOOLS],
        "toolConfig": {"functionCallingConfig": {"mode": "VALIDATED"}},
    }

    body, lost = refitted(request, traits={"web_search": False, "strict_tools": False})

    assert body["tools"] == TOOLS
    assert body["toolConfig"] == {"functionCallingConfig": {"mode": "AUTO"}}
    assert [path for path, _ in lost] == [
        "tools[0].googleSearch",
        "toolConfig.functionCallingConfig.mode",
    ]


def test_media_leave_a_result_for_the_turn() -> None:
    answer = {"role": "user", "parts": [{"functionResponse": SEEN}]}

    body, lost = refitted(
        {"contents": [HELLO, CALLED, answer]}, traits={"media_in_tool_results": False}
    )

    assert body["contents"][2]["parts"] == [
        {"functionResponse": {"id": "c1", "name": "f", "response": {}}},
        inline("image/png"),
    ]
    assert [path for path, _ in lost] == ["contents[2].parts[0].functionResponse.parts[0]"]


def test_media_that_the_model_does_not_take_are_left_out() -> None:
    capabilities = {"modalities": {"input": ["Text"]}}

    body, lost = refitted(user(inline("image/png")), capabilities=capabilities)

    assert body["contents"] == [HELLO]
    assert lost == [("contents[0].parts[1]", "the model takes no images")]


def test_unsigned_calls_of_the_current_turn_get_the_stand_in() -> None:
    request = {"contents": [HELLO, CALLED, ANSWERED, HELLO, CALLED, ANSWERED]}

    body, lost = refitted(request, traits={"signed_calls": True})

    old, new = body["contents"][1]["parts"][0], body["contents"][4]["parts"][0]
    assert "thoughtSignature" not in old
    assert new["thoughtSignature"] == "skip_thought_signature_validator"
    assert [path for path, _ in lost] == ["contents[4].parts[0]"]
    assert official_gemini.problems(json.dumps(body).encode()) == []


def test_the_stand_in_is_no_signature_elsewhere() -> None:
    call = {**CALLED["parts"][0], "thoughtSignature": "skip_thought_signature_validator"}
    request = {"contents": [HELLO, {"role": "model", "parts": [call]}, ANSWERED], "tools": TOOLS}

    found = specado.translate({"model": "m", **request}, "openai_chat/gpt-4o", source="gemini")

    assert found.report.items == []


def test_what_the_servers_do_not_know_is_left_out() -> None:
    rules = {
        "media_uri_schemes": ["https"],
        "unknown_members": ["labels", "tools[].fileSearch", "generationConfig.audioTimestamp"],
    }
    request = {
        **user({"fileData": {"fileUri": "gs://a/b.png", "mimeType": "image/png"}}),
        "labels": {"a": "b"},
        "tools": [{"fileSearch": {}}, *TOOLS],
        "generation_config": {"audio_timestamp": True, "seed": 1},
    }

    found = sent(request, rules=rules)

    assert json.loads(found.body) == {
        "contents": [HELLO],
        "tools": TOOLS,
        "generation_config": {"seed": 1},
    }
    assert [(item.path, item.kind) for item in found.report.items] == [
        ("labels", "contract"),
        ("tools[0].fileSearch", "contract"),
        ("generation_config.audio_timestamp", "contract"),
        ("contents[0].parts[1]", "contract"),
    ]


def test_what_no_manifest_lists_gets_the_request_unchanged() -> None:
    request = {**user(inline("video/mp4")), "generationConfig": {"topK": 3}, "zzUnknown": [1]}

    found = specado.translate({"model": "m", **request}, "gemini/unheard-of", source="gemini")

    assert json.loads(found.body) == request
    assert found.report.items == []
