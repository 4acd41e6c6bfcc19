"""Whole replies of Gemini: parts, finish reasons, annotations, usage, and what is not an answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

import specado
from specado._core import ReportedFailure, decode_gemini_reply
from specado._core.gemini.finish_reasons import FINISH_REASONS
from specado.errors import MalformedResponseError
from specado.types import CompletionTokensDetails, PromptTokensDetails

USAGE = {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}


def candidate(*parts: Any, **more: Any) -> dict[str, Any]:
    return {"content": {"role": "model", "parts": list(parts)}, "finishReason": "STOP", **more}


def reply(*candidates: Any, **more: Any) -> dict[str, Any]:
    return {"candidates": list(candidates), "usageMetadata": USAGE, "modelVersion": "gemini-x",
            "responseId": "r1", **more}  # fmt: skip


def decoded(body: Any) -> tuple[Any, list[str]]:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decode_gemini_reply(text, "gemini", "asked", 7)


def choice(*parts: Any, **more: Any) -> Any:
    return decoded(reply(candidate(*parts, **more)))[0].choices[0]


def test_a_reply_has_the_canonical_form() -> None:
    found, notes = decoded(reply(candidate({"text": "Hello"}), createTime="2026-11-30T10:00:00Z"))

    assert notes == []
    assert found.to_dict() == {
        "id": "r1",
        "object": "chat.completion",
        "created": 1796032800,
        "model": "gemini-x",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello"},
                "finish_reason": "stop",
                "logprobs": None,
            }
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    }


def test_what_a_reply_lacks_is_noted() -> None:
    found, notes = decoded({"candidates": [candidate({"text": "a"})]})

    assert (found.id, found.model, found.created, found.usage) == ("", "asked", 7, None)
    assert notes == ["responseId: missing", "modelVersion: missing", "usageMetadata: missing"]


@pytest.mark.parametrize(
    "content",
    [None, {}, {"role": "model"}, {"role": "model", "parts": []}, {"parts": [{"text": ""}]}],
)
def test_an_answer_may_be_empty(content: Any) -> None:
    given: dict[str, Any] = {"finishReason": "MAX_TOKENS"}
    if content is not None:
        given["content"] = content

    found = decoded(reply(given))[0].choices[0]

    assert found.message.content == ""
    assert found.finish_reason == "length"


# The whole table of `google.genai.types.FinishReason` 3.6.1.
EXPECTED = {
    "FINISH_REASON_UNSPECIFIED": None, "STOP": "stop", "MAX_TOKENS": "length",
    "SAFETY": "content_filter", "RECITATION": "content_filter", "LANGUAGE": "content_filter",
    "OTHER": "OTHER", "BLOCKLIST": "content_filter", "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter", "MALFORMED_FUNCTION_CALL": MalformedResponseError,
    "IMAGE_SAFETY": "content_filter", "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_OTHER": "IMAGE_OTHER", "NO_IMAGE": "NO_IMAGE", "IMAGE_RECITATION": "content_filter",
    "UNEXPECTED_TOOL_CALL": MalformedResponseError, "TOO_MANY_TOOL_CALLS": MalformedResponseError,
    "MISSING_THOUGHT_SIGNATURE": specado.InvalidRequestError,
    "MALFORMED_RESPONSE": MalformedResponseError, "ESCALATION": "ESCALATION",
    "PUP_LIMITED_DISABLED": "PUP_LIMITED_DISABLED", "CONTINUATION": None,
    "MODEL_ARMOR": "content_filter", "A_NEW_ONE": "A_NEW_ONE",
}  # fmt: skip


@pytest.mark.parametrize("reason", EXPECTED)
def test_a_finish_reason_has_its_meaning(reason: str) -> None:
    body = reply(candidate({"text": "a"}, finishReason=reason, finishMessage="It said why."))
    expected: Any = EXPECTED[reason]

    if expected is None or isinstance(expected, str):
        found, notes = decoded(body)
        assert found.choices[0].finish_reason == expected
        is_plain = reason in ("STOP", "MAX_TOKENS", "SAFETY")
        assert any(reason in note for note in notes) != is_plain
    else:
        with pytest.raises(ReportedFailure) as caught:
            decoded(body)
        error = specado.parse_error(200, {}, caught.value.body, "gemini")
        assert type(error) is expected
        assert "It said why." in str(error)


def test_the_table_has_every_finish_reason() -> None:
    types = pytest.importorskip("google.genai.types", reason="google-genai needs Python 3.10")

    assert set(FINISH_REASONS) == {reason.value for reason in types.FinishReason}


def test_one_answer_of_several_may_fail() -> None:
    bad = candidate(finishReason="MALFORMED_FUNCTION_CALL", index=1)

    found, _ = decoded(reply(candidate({"text": "a"}, index=0), bad))

    assert [each.finish_reason for each in found.choices] == ["stop", "MALFORMED_FUNCTION_CALL"]


def test_calls_have_ids_and_their_arguments_as_text() -> None:
    body = json.dumps(
        reply(
            candidate(
                {"functionCall": {"name": "f", "args": {"n": 1.0, "é": "a b"}}},
                {"functionCall": {"name": "g"}},
                {"functionCall": {"name": "h", "args": {}, "id": "own"}},
            )
        ),
        indent=2,
        ensure_ascii=False,
    )

    found = decoded(body.encode())[0].choices[0]

    calls = found.message.tool_calls
    assert [(call.function.name, call.function.arguments) for call in calls] == [
        ("f", '{"n":1.0,"é":"a b"}'), ("g", "{}"), ("h", "{}"),
    ]  # fmt: skip
    assert len({call.id for call in calls}) == 3
    assert calls[2].id == "own"
    assert found.finish_reason == "tool_calls"
    assert found.message.content is None


def test_numbers_in_arguments_keep_their_digits() -> None:
    part = b'{"functionCall":{"name":"f","args":{"n":123456789012345678901234567890}}}'
    body = b'{"candidates":[{"content":{"parts":[' + part + b']},"finishReason":"STOP"}]}'

    found = decoded(body)[0].choices[0]

    assert found.message.tool_calls[0].function.arguments == (
        '{"n":123456789012345678901234567890}'
    )


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        ({"inlineData": {"mimeType": "image/png", "data": "AAAA"}}, "inlineData"),
        ({"executableCode": {"language": "PYTHON", "code": "1"}}, "executableCode"),
        ({"codeExecutionResult": {"outcome": "OUTCOME_OK"}}, "codeExecutionResult"),
        ({"toolCall": {"toolType": "GOOGLE_SEARCH_WEB"}}, "toolCall"),
        ({"fileData": {"fileUri": "u"}}, "fileData"),
    ],
)
def test_a_part_without_a_place_is_noted_and_goes_back(part: Any, kind: str) -> None:
    found, notes = decoded(reply(candidate({"text": "a"}, part)))

    assert notes == [f"candidates[0].content.parts[1]: {kind}, left in response.raw"]
    assert [json.loads(block.raw) for block in found.choices[0].message.native.blocks] == [
        {"text": "a"}, part,
    ]  # fmt: skip


# Annotations


def grounding(start: int, end: int, said: str | None = None, **more: Any) -> dict[str, Any]:
    segment: dict[str, Any] = {"startIndex": start, "endIndex": end, **more}
    if said is not None:
        segment["text"] = said
    return {
        "groundingChunks": [
            {"web": {"uri": "https://a", "title": "A"}},
            {"retrievedContext": {"text": "b"}},
        ],
        "groundingSupports": [{"segment": segment, "groundingChunkIndices": [0, 1]}],
        "webSearchQueries": ["q"],
        "searchEntryPoint": {"renderedContent": "<div>"},
    }


def test_byte_offsets_become_character_offsets() -> None:
    metadata = grounding(len("é𝄞 ".encode()), len("é𝄞 Grün".encode()), "Grün")

    found = choice({"text": "é𝄞 Grün!"}, groundingMetadata=metadata)

    assert found.message.annotations == [
        {
            "type": "url_citation",
            "url_citation": {"start_index": 3, "end_index": 7, "url": "https://a", "title": "A"},
        }
    ]


def test_places_are_counted_from_the_part_that_they_name() -> None:
    metadata = grounding(0, 3, "two", partIndex=2)

    found = choice({"text": "é", "thought": True}, {"text": "öne "}, {"text": "two"},
                   groundingMetadata=metadata)  # fmt: skip

    citation = found.message.annotations[0]["url_citation"]
    assert found.message.content[citation["start_index"] : citation["end_index"]] == "two"


def test_a_citation_with_wrong_offsets_is_found_by_its_text() -> None:
    found = choice({"text": "one two"}, groundingMetadata=grounding(0, 3, "two"))

    citation = found.message.annotations[0]["url_citation"]
    assert (citation["start_index"], citation["end_index"]) == (4, 7)


def test_citations_are_annotations_too() -> None:
    cited = {"startIndex": 2, "endIndex": 4, "uri": "https://b"}
    citations = {"citations": [cited, {"title": "x"}]}

    found = choice({"text": "éab"}, citationMetadata=citations)

    assert found.message.annotations == [
        {
            "type": "url_citation",
            "url_citation": {"start_index": 1, "end_index": 3, "url": "https://b", "title": ""},
        }
    ]


def test_what_a_search_costs_is_not_counted() -> None:
    found, notes = decoded(reply(candidate({"text": "abc"}, groundingMetadata=grounding(0, 3))))

    assert found.usage_certainty == "at_least"
    assert notes == [
        "candidates[0].groundingMetadata.searchEntryPoint: left in response.raw",
        "candidates[0].groundingMetadata.groundingChunks: without an address, left in response.raw",
        "candidates[0].groundingMetadata.webSearchQueries: not priced",
    ]


def test_log_probabilities_have_openais_form() -> None:
    result = {
        "chosenCandidates": [{"token": "é", "tokenId": 1, "logProbability": -0.5}],
        "topCandidates": [{"candidates": [{"token": "é", "logProbability": -0.5}, {"token": "a"}]}],
        "logProbabilitySum": -0.5,
    }

    found = choice({"text": "é"}, logprobsResult=result)

    assert found.logprobs == {
        "content": [
            {
                "token": "é",
                "logprob": -0.5,
                "bytes": [195, 169],
                "top_logprobs": [
                    {"token": "é", "logprob": -0.5, "bytes": [195, 169]},
                    {"token": "a", "logprob": 0.0, "bytes": [97]},
                ],
            }
        ],
        "refusal": None,
    }


# Usage


def usage_of(**members: Any) -> tuple[Any, Any]:
    found, _ = decoded(reply(candidate({"text": "a"}), usageMetadata=members))
    return found, found.usage


def test_thoughts_are_part_of_the_completion() -> None:
    found, usage = usage_of(
        promptTokenCount=10, cachedContentTokenCount=4, candidatesTokenCount=2,
        thoughtsTokenCount=5, toolUsePromptTokenCount=3, totalTokenCount=20,
        promptTokensDetails=[{"modality": "TEXT", "tokenCount": 7},
                             {"modality": "AUDIO", "tokenCount": 2},
                             {"modality": "IMAGE", "tokenCount": 1}],
        serviceTier="flex",
    )  # fmt: skip

    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (13, 7, 20)
    assert usage.prompt_tokens_details == PromptTokensDetails(
        cached_tokens=4, audio_tokens=2, image_tokens=1
    )
    assert usage.completion_tokens_details == CompletionTokensDetails(reasoning_tokens=5)
    assert (found.service_tier, found.usage_certainty) == ("flex", "exact")


def test_members_with_no_tokens_are_left_out() -> None:
    found, usage = usage_of(promptTokenCount=10, totalTokenCount=10)

    assert (usage.prompt_tokens, usage.completion_tokens) == (10, 0)
    assert found.usage_certainty == "exact"


@pytest.mark.parametrize(
    ("members", "certainty", "tier"),
    [
        ({"trafficType": "ON_DEMAND"}, "exact", None),
        ({"trafficType": "ON_DEMAND_FLEX"}, "exact", "flex"),
        ({"trafficType": "ON_DEMAND_PRIORITY"}, "exact", "priority"),
        ({"trafficType": "PROVISIONED_THROUGHPUT"}, "unknown", None),
        ({"serviceTier": "standard"}, "exact", "default"),
        ({"newTokenCount": 3}, "at_least", None),
        ({"candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 9}]}, "at_least", None),
        ({"thoughtsTokenCount": -1}, "unknown", None),
    ],
)
def test_tokens_that_miss_a_part_of_the_bill_lower_the_usage_certainty(
    members: Any, certainty: str, tier: Any
) -> None:
    found, _ = usage_of(promptTokenCount=10, **members)

    assert (found.usage_certainty, found.service_tier) == (certainty, tier)


# What is not an answer


def test_a_blocked_prompt_is_a_content_policy_error() -> None:
    feedback = {"blockReason": "SAFETY", "blockReasonMessage": "No."}

    with pytest.raises(ReportedFailure) as caught:
        decoded({"promptFeedback": feedback, "usageMetadata": USAGE})

    error = specado.parse_error(200, {}, caught.value.body, "gemini")
    assert type(error) is specado.ContentPolicyError
    assert error.code == "prompt_blocked"


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": 503, "message": "Busy", "status": "UNAVAILABLE"}},
        [{"error": {"code": 503, "message": "Busy", "status": "UNAVAILABLE"}}],
    ],
)
def test_an_error_beside_a_status_of_success_is_that_error(body: Any) -> None:
    with pytest.raises(ReportedFailure) as caught:
        decoded(body)

    error = specado.parse_error(200, {}, caught.value.body, "gemini")
    assert type(error) is specado.OverloadedError


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{}", "no_choice"),
        (b'{"candidates": []}', "no_choice"),
        (b'{"candidates": [5]}', "no_choice"),
        (b"[]", "no_choice"),
        (b"nonsense", "not_json"),
        (b"", "not_json"),
    ],
)
def test_a_body_without_candidates_is_malformed(body: bytes, code: str) -> None:
    with pytest.raises(MalformedResponseError) as caught:
        decoded(body)

    assert caught.value.code == code


def test_what_is_not_as_documented_is_repaired_with_a_note() -> None:
    body = reply(candidate({"text": "a"}, "part", index="0"), responseId=5)

    found, notes = decoded(body)

    assert found.choices[0].message.content == "a"
    assert notes[:3] == [
        "candidates[0].content.parts[1]: not a part, left out",
        "candidates[0].index: a str, read as a whole number",
        "responseId: int where another type is documented, read as ''",
    ]
