"""Requests to Gemini: bodies that Google's own types accept, and the form of each field."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import conversations
import official_gemini
import specado

OLD, PRO, NEW = "gemini-2.5-flash", "gemini-2.5-pro", "gemini-3.5-flash"
MODELS = [OLD, PRO, NEW, "gemini-4-hydrogen", "gemini-1.5-flash", "gemini-flash-latest", "gemma-3"]
USER = {"role": "user", "content": "Hello"}
PNG = "iVBORw0KGgo="
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
STAND_IN = "skip_thought_signature_validator"


def function(name: str = "f", **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": SCHEMA, **more}}


def calling(*ids: str, content: Any = None) -> dict[str, Any]:
    return {
        "role": "assistant",
        "content": content,
        "tool_calls": [
            {"id": id_, "type": "function", "function": {"name": f"f_{id_}", "arguments": "{}"}}
            for id_ in ids
        ],
    }


def result(id_: str, content: Any = "done") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id_, "content": content}


def translated(*messages: Any, model: str = NEW, **params: Any) -> specado.Translation:
    request = {"model": model, "messages": list(messages) or [USER], **params}
    found = specado.translate(request, f"gemini/{model}")
    assert official_gemini.problems(found.body) == []
    return found


def body(*messages: Any, model: str = NEW, **params: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(translated(*messages, model=model, **params).body)
    return found


def lost(*messages: Any, model: str = NEW, **params: Any) -> list[tuple[str, str, str]]:
    report = translated(*messages, model=model, **params).report
    return [(item.severity, item.code, item.path) for item in report.items]


def parts(*content: Any, model: str = NEW) -> list[Any]:
    found = body({"role": "user", "content": list(content)}, model=model)
    return list(found["contents"][0]["parts"])


def config(model: str = NEW, **params: Any) -> dict[str, Any]:
    found: dict[str, Any] = body(model=model, **params).get("generationConfig", {})
    return found


@given(conversations.MESSAGES, conversations.PARAMS, st.sampled_from(MODELS))
def test_every_body_is_as_google_documents_it(
    messages: list[Any], params: dict[str, Any], model: str
) -> None:
    sent = specado.translate({"model": model, "messages": messages, **params}, f"gemini/{model}")

    found = official_gemini.problems(sent.body)
    # The caller's own mistake, which the provider reports.
    found = [each for each in found if each != "toolConfig: a name that is not declared"]
    if any(item.message == "the conversation has no text" for item in sent.report.items):
        assert found == ["contents[0]: an empty text"]
    else:
        assert found == []


# Contents


def test_leading_system_text_is_the_system_instruction() -> None:
    first = {"role": "system", "content": "Be brief."}
    second = {"role": "developer", "content": "Now."}

    found = body(first, second, USER, {"role": "system", "content": "Later."})

    assert found == {
        "systemInstruction": {"parts": [{"text": "Be brief."}, {"text": "Now."}]},
        "contents": [{"role": "user", "parts": [{"text": "Hello"}, {"text": "Later."}]}],
    }


def test_system_text_alone_becomes_a_user_content() -> None:
    found = body({"role": "system", "content": "Be brief."})

    assert found == {"contents": [{"role": "user", "parts": [{"text": "Be brief."}]}]}


def test_results_come_in_one_content_in_the_order_of_the_calls() -> None:
    found = body(USER, calling("a", "b"), result("b", "B"), result("a", "A"), USER, model=OLD)

    assert found["contents"][2:] == [
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "f_a", "response": {"output": "A"}}},
                {"functionResponse": {"name": "f_b", "response": {"output": "B"}}},
            ],
        },
        {"role": "user", "parts": [{"text": "Hello"}]},
    ]


def test_a_result_that_is_missing_is_added() -> None:
    messages = [USER, calling("a", "b"), result("b"), USER]

    assert body(*messages, model=OLD)["contents"][2]["parts"] == [
        {"functionResponse": {"name": "f_a", "response": {"error": "no result"}}},
        {"functionResponse": {"name": "f_b", "response": {"output": "done"}}},
    ]
    assert ("Low", "Default", "messages[1].tool_calls[0]") in lost(*messages, model=OLD)


def test_a_result_after_user_text_is_sent_before_it() -> None:
    messages = [USER, calling("a"), {"role": "user", "content": "So?"}, result("a")]

    found = body(*messages, model=OLD)["contents"]

    assert [list(part) for content in found[2:] for part in content["parts"]] == [
        ["functionResponse"], ["text"],
    ]  # fmt: skip
    assert ("Low", "Relocate", "messages[3]") in lost(*messages, model=OLD)


def test_calls_at_the_end_wait_for_their_results() -> None:
    assert body(USER, calling("a"), model=OLD)["contents"][1:] == [
        {"role": "model", "parts": [{"functionCall": {"name": "f_a", "args": {}}}]}
    ]


def test_a_result_is_text_whatever_it_looks_like() -> None:
    found = body(USER, calling("a"), result("a", '{"$ref": "#"}'), model=OLD)

    assert found["contents"][2]["parts"][0]["functionResponse"]["response"] == {
        "output": '{"$ref": "#"}'
    }


def image(url: str, **more: Any) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, **more}}


DATA = f"data:image/png;base64,{PNG}"


def test_the_media_of_a_result_stay_in_it_or_follow() -> None:
    messages = [USER, calling("a"), result("a", [{"type": "text", "text": "See"}, image(DATA)])]
    medium = {"inlineData": {"mimeType": "image/png", "data": PNG}}
    answer = {"name": "f_a", "response": {"output": "See"}}

    assert body(*messages, model=NEW)["contents"][2:] == [
        {"role": "user", "parts": [{"functionResponse": {**answer, "parts": [medium]}}]}
    ]
    assert body(*messages, USER, model=OLD)["contents"][2:] == [
        {"role": "user", "parts": [{"functionResponse": answer}]},
        {"role": "user", "parts": [medium, {"text": "Hello"}]},
    ]
    assert ("Low", "Relocate", "messages[2].content[1]") in lost(*messages, model=OLD)


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (image(DATA), {"inlineData": {"mimeType": "image/png", "data": PNG}}),
        (
            image("https://example.org/a.webp?b=c"),
            {"fileData": {"fileUri": "https://example.org/a.webp?b=c", "mimeType": "image/webp"}},
        ),
        (
            image("https://example.org/a"),
            {"fileData": {"fileUri": "https://example.org/a", "mimeType": "image/jpeg"}},
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
            {"inlineData": {"mimeType": "audio/wav", "data": "UklGRg=="}},
        ),
        (
            {"type": "file", "file": {"file_data": "JVBERi0x", "filename": "a.pdf"}},
            {"inlineData": {"mimeType": "application/pdf", "data": "JVBERi0x"}},
        ),
        (
            {"type": "file", "file": {"file_data": "data:application/json;base64,e30="}},
            {"inlineData": {"mimeType": "text/plain", "data": "e30="}},
        ),
        (
            {"type": "file", "file": {"file_data": "data:video/mp4;base64,AAAA"}},
            {"inlineData": {"mimeType": "video/mp4", "data": "AAAA"}},
        ),
        (
            {"type": "file", "file": {"file_id": "https://youtu.be/a"}},
            {"fileData": {"fileUri": "https://youtu.be/a", "mimeType": "video/mp4"}},
        ),
        (
            {"type": "file", "file": {"file_id": "https://a.example/b", "format": "text/csv"}},
            {"fileData": {"fileUri": "https://a.example/b", "mimeType": "text/csv"}},
        ),
    ],
)
def test_media_travel_as_data_or_by_address(part: Any, expected: Any) -> None:
    assert parts(part) == [expected]


@pytest.mark.parametrize(
    ("detail", "level"),
    [("low", "LOW"), ("high", "HIGH"), ("original", "ULTRA_HIGH")],
)
def test_a_detail_is_a_resolution_where_the_model_takes_one(detail: str, level: str) -> None:
    manifest = {
        "name": "own",
        "base_url": "https://own.example",
        "dialect": "gemini",
        "models": {"m": {"traits": {"media_resolution": True}}},
    }
    specado.register_manifest(manifest)
    message = {"role": "user", "content": [image(DATA, detail=detail)]}

    sent = specado.translate({"model": "m", "messages": [message]}, "own/m")

    part = json.loads(sent.body)["contents"][0]["parts"][0]
    assert official_gemini.problems(sent.body) == []
    assert part["mediaResolution"] == {"level": f"MEDIA_RESOLUTION_{level}"}
    assert [(item.severity, item.code) for item in sent.report.items] == [("Low", "Emulate")]


@pytest.mark.parametrize(
    "part",
    [
        image("data:image/gif;base64,R0lGOD=="),
        image("http://example.org/a.png"),
        image("gs://bucket/a.png"),
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "file", "file": {"file_data": "data:application/zip;base64,AAAA"}},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "midi"}},
    ],
)
def test_media_that_are_not_taken_are_contract_losses(part: Any) -> None:
    messages = {"role": "user", "content": [{"type": "text", "text": "See"}, part]}

    assert ("High", "Unsupported", "messages[0].content[1]") in lost(messages)
    assert body(messages)["contents"][0]["parts"] == [{"text": "See"}]


def test_a_malformed_address_is_refused() -> None:
    with pytest.raises(specado.MessageFormatError, match=r"image_url.url: must be an http"):
        parts(image("ftp://a/b.png"))


# Tools


def test_a_tool_is_a_function_declaration() -> None:
    found = body(tools=[function("f", description="d")], tool_choice="required")

    assert found["tools"] == [
        {"functionDeclarations": [
            {"name": "f", "description": "d", "parametersJsonSchema": SCHEMA}
        ]}
    ]  # fmt: skip
    assert found["toolConfig"] == {"functionCallingConfig": {"mode": "ANY"}}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("auto", {"mode": "AUTO"}),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        (
            {"type": "function", "function": {"name": "g"}},
            {"mode": "ANY", "allowedFunctionNames": ["g"]},
        ),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "required",
                    "tools": [{"type": "function", "function": {"name": "g"}}],
                },
            },
            {"mode": "ANY", "allowedFunctionNames": ["g"]},
        ),
    ],
)
def test_a_tool_choice_is_a_mode(given: Any, expected: Any) -> None:
    found = body(tools=[function("f"), function("g")], tool_choice=given)

    assert found["toolConfig"]["functionCallingConfig"] == expected
    assert len(found["tools"][0]["functionDeclarations"]) == 2


def test_allowed_tools_that_may_be_called_are_the_only_ones_sent() -> None:
    allowed = {"mode": "auto", "tools": [{"type": "function", "function": {"name": "g"}}]}
    choice = {"type": "allowed_tools", "allowed_tools": allowed}

    found = body(tools=[function("f"), function("g")], tool_choice=choice)

    assert [each["name"] for each in found["tools"][0]["functionDeclarations"]] == ["g"]
    assert found["toolConfig"] == {"functionCallingConfig": {"mode": "AUTO"}}


def test_strict_tools_are_a_mode_of_all_tools() -> None:
    strict = function("f", strict=True)

    both = translated(tools=[strict, function("g")])

    assert body(tools=[strict])["toolConfig"] == {"functionCallingConfig": {"mode": "VALIDATED"}}
    assert ("None", "Emulate", "tools[0].function.strict") in lost(tools=[strict])
    assert json.loads(both.body)["toolConfig"]["functionCallingConfig"]["mode"] == "VALIDATED"
    assert both.report.severity == "Low"


def test_a_name_that_is_not_allowed_is_replaced_everywhere() -> None:
    call = {"id": "a", "type": "function", "function": {"name": "1 é", "arguments": "{}"}}
    asked = {"role": "assistant", "content": None, "tool_calls": [call]}

    found = body(USER, asked, result("a"), model=OLD, tools=[function("1 é")],
                 tool_choice={"type": "function", "function": {"name": "1 é"}})  # fmt: skip

    name = found["tools"][0]["functionDeclarations"][0]["name"]
    assert name.startswith("_1__")
    assert found["contents"][1]["parts"][0]["functionCall"]["name"] == name
    assert found["contents"][2]["parts"][0]["functionResponse"]["name"] == name
    assert found["toolConfig"]["functionCallingConfig"]["allowedFunctionNames"] == [name]


def test_web_search_options_become_google_search() -> None:
    assert body(web_search_options={})["tools"] == [{"googleSearch": {}}]
    assert ("High", "Unsupported", "web_search_options") in lost(
        web_search_options={}, tools=[function()]
    )


# Schemas


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"type": ["string", "null"]}, {"type": ["string", "null"]}),
        ({"const": "a"}, {"enum": ["a"]}),
        ({"const": None}, {"description": "{const: null}"}),
        (
            {"type": "string", "pattern": "a+"},
            {"type": "string", "description": '{pattern: "a+"}'},
        ),
        (
            {"type": "integer", "description": "d", "exclusiveMinimum": 0, "default": 1},
            {"type": "integer", "description": "d\n\n{exclusiveMinimum: 0, default: 1}"},
        ),
        ({"allOf": [{"type": "string"}]}, {"anyOf": [{"type": "string"}]}),
        ({"type": "array", "items": {"type": "string", "minLength": 1}},
         {"type": "array", "items": {"type": "string", "description": "{minLength: 1}"}}),
        ({"$ref": "#/definitions/A", "description": "d"},
         {"description": "d", "anyOf": [{"$ref": "#/$defs/A"}]}),
        ({"enum": [1, "a", True]}, {"description": "{enum: [1,\"a\",true]}"}),
    ],
)  # fmt: skip
def test_a_schema_has_the_keywords_that_the_api_reads(given: Any, expected: Any) -> None:
    schema = {
        "type": "object",
        "properties": {"a": given},
        "definitions": {"A": {"type": "string"}},
        "$schema": "https://json-schema.org/draft/2020-12/schema",
    }

    found = body(tools=[function(parameters=schema)])

    declared = found["tools"][0]["functionDeclarations"][0]["parametersJsonSchema"]
    assert declared == {
        "type": "object",
        "properties": {"a": expected},
        "$defs": {"A": {"type": "string"}},
    }


def test_parameters_without_a_type_get_the_type_object() -> None:
    found = body(tools=[function(parameters={"properties": {}})])
    without = body(tools=[function(parameters=None)])

    declared = found["tools"][0]["functionDeclarations"][0]
    assert declared["parametersJsonSchema"] == {"properties": {}, "type": "object"}
    assert without["tools"] == [{"functionDeclarations": [{"name": "f"}]}]


# The form of the answer


def answer_format(schema: Any = SCHEMA, **more: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "n", "schema": schema, **more}}


def test_a_response_format_is_a_json_schema() -> None:
    found = config(response_format=answer_format(description="d", strict=True))

    assert found == {
        "responseMimeType": "application/json",
        "responseJsonSchema": {"description": "d", "title": "n", **SCHEMA},
    }


def test_json_mode_is_a_media_type() -> None:
    found = config(response_format={"type": "json_object"})

    assert found == {"responseMimeType": "application/json"}


def test_a_bound_that_is_checked_on_the_reply_is_a_note() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "minLength": 2}}}

    items = lost(response_format=answer_format(schema, strict=True))

    path = "response_format.json_schema.schema.properties.a.minLength"
    assert ("None", "Emulate", path) in items
    assert {severity for severity, _, _ in items} == {"None"}


@pytest.mark.parametrize("format_", [answer_format(), {"type": "json_object"}])
def test_a_format_beside_tools_depends_on_the_model(format_: Any) -> None:
    assert ("High", "Unsupported", "response_format") in lost(
        model=OLD, response_format=format_, tools=[function()]
    )
    assert "responseMimeType" in config(NEW, response_format=format_, tools=[function()])


# Settings


@pytest.mark.parametrize(
    ("model", "effort", "expected"),
    [
        (OLD, "none", {"thinkingBudget": 0}),
        (OLD, "low", {"thinkingBudget": 1024, "includeThoughts": True}),
        (OLD, "medium", {"thinkingBudget": 8192, "includeThoughts": True}),
        (OLD, "high", {"thinkingBudget": 24576, "includeThoughts": True}),
        (OLD, "max", {"thinkingBudget": 24576, "includeThoughts": True}),
        (PRO, "none", {"thinkingBudget": 1024, "includeThoughts": True}),
        (NEW, "none", {"thinkingLevel": "MINIMAL", "includeThoughts": True}),
        (NEW, "minimal", {"thinkingLevel": "MINIMAL", "includeThoughts": True}),
        (NEW, "high", {"thinkingLevel": "HIGH", "includeThoughts": True}),
        (NEW, "xhigh", {"thinkingLevel": "HIGH", "includeThoughts": True}),
        ("gemini-4-hydrogen", "xhigh", {"thinkingLevel": "XHIGH", "includeThoughts": True}),
    ],
)
def test_an_effort_is_a_budget_or_a_level(model: str, effort: str, expected: Any) -> None:
    assert config(model, reasoning_effort=effort) == {"thinkingConfig": expected}


def test_an_effort_that_the_model_lacks_is_clamped() -> None:
    assert ("Low", "Clamp", "reasoning_effort") in lost(model=PRO, reasoning_effort="none")


def test_efforts_with_one_budget_are_one() -> None:
    assert lost(model=OLD, reasoning_effort="minimal") == [("None", "Emulate", "reasoning_effort")]
    assert config(OLD, reasoning_effort="minimal") == config(OLD, reasoning_effort="low")


def test_settings_have_googles_names() -> None:
    found = config(OLD, temperature=1.5, top_p=0.5, max_tokens=10, seed=3, stop=["a", "b"], n=2,
                   presence_penalty=0.5, frequency_penalty=0.25, logprobs=True,
                   top_logprobs=3)  # fmt: skip

    assert found == {
        "maxOutputTokens": 10, "temperature": 1.5, "topP": 0.5, "presencePenalty": 0.5,
        "frequencyPenalty": 0.25, "seed": 3, "stopSequences": ["a", "b"], "candidateCount": 2,
        "responseLogprobs": True, "logprobs": 3,
    }  # fmt: skip


def test_six_stop_sequences_are_too_many() -> None:
    assert config(stop=list("abcdef"))["stopSequences"] == list("abcde")
    assert ("Medium", "Drop", "stop[5]") in lost(stop=list("abcdef"))


def test_a_stream_has_one_answer() -> None:
    sent = translated(n=2, stream=True)

    assert sent.url.endswith(f"/v1beta/models/{NEW}:streamGenerateContent?alt=sse")
    assert [item.path for item in sent.report.items if item.severity == "High"] == ["n"]
    assert translated().url.endswith(f"/v1beta/models/{NEW}:generateContent")


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("models/gemini-x", "/v1beta/models/gemini-x:generateContent"),
        ("tunedModels/a b", "/v1beta/tunedModels/a%20b:generateContent"),
    ],
)
def test_a_model_may_name_its_collection(model: str, path: str) -> None:
    from specado.dialects.registry import DIALECTS

    assert DIALECTS["gemini"].path(model, False) == path


def test_service_tiers_have_googles_names() -> None:
    assert body(service_tier="default")["serviceTier"] == "standard"
    assert "serviceTier" not in body(service_tier="auto")
    assert ("Low", "Drop", "service_tier") in lost(service_tier="scale")


def test_images_may_be_asked_for() -> None:
    assert config(modalities=["text", "image"])["responseModalities"] == ["TEXT", "IMAGE"]
    assert ("Critical", "Unsupported", "modalities") in lost(modalities=["text", "audio"])


def test_an_extra_body_adds_to_the_settings() -> None:
    from specado._core import normalize
    from specado.dialects.registry import encode

    extra = {
        "generationConfig": {"topK": 5, "thinkingConfig": {"includeThoughts": False}},
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
        "cachedContent": "cachedContents/a",
        "labels": {"team": "a"},
    }

    found = encode("gemini", normalize("Hi"), "gemini-3-pro", {"reasoning_effort": "low",
                   "temperature": 1}, None, extra)  # fmt: skip

    assert official_gemini.problems(found.body) == []
    assert json.loads(found.body) == {
        "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
        "generationConfig": {
            "temperature": 1,
            "topK": 5,
            "thinkingConfig": {"thinkingLevel": "LOW", "includeThoughts": False},
        },
        **{name: extra[name] for name in ("safetySettings", "cachedContent", "labels")},
    }
