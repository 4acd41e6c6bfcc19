"""Whole replies of Bedrock: content, usage, stop reasons, citations, and what deviates."""

from __future__ import annotations

import json
from typing import Any

import pytest

import specado
from specado._core import ReportedFailure, decode_bedrock_reply
from specado.errors import MalformedResponseError
from specado.types import ReasoningBlock

USAGE = {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5}
WEB = {"title": "A", "location": {"web": {"url": "https://a.example", "domain": "a.example"}}}
PAGE = {"title": "B", "location": {"documentPage": {"documentIndex": 0, "start": 1, "end": 2}}}


def reply(*blocks: Any, stop: Any = "end_turn", **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": list(blocks)}
    return {"output": {"message": message}, "stopReason": stop, "usage": USAGE,
            "metrics": {"latencyMs": 5}, **more}  # fmt: skip


def read(*blocks: Any, **more: Any) -> tuple[Any, list[str]]:
    return decode_bedrock_reply(json.dumps(reply(*blocks, **more)).encode(), "bedrock", "m", 7)


def text(words: str) -> dict[str, Any]:
    return {"text": words}


def call(name: str = "f", id_: str = "t1", **more: Any) -> dict[str, Any]:
    return {"toolUse": {"toolUseId": id_, "name": name, "input": {"a": 1}, **more}}


def thought(words: str, signature: str | None = None) -> dict[str, Any]:
    told = {"text": words}
    if signature is not None:
        told["signature"] = signature
    return {"reasoningContent": {"reasoningText": told}}


def test_text_is_read() -> None:
    found, notes = read(text("Hello"))

    [choice] = found.choices
    assert (choice.message.content, choice.finish_reason) == ("Hello", "stop")
    assert (found.model, found.created, found.id, notes) == ("m", 7, "", [])
    assert choice.message.native is None
    assert json.loads(found.raw)["metrics"] == {"latencyMs": 5}


def test_calls_and_reasoning_are_read() -> None:
    hidden = {"reasoningContent": {"redactedContent": "AAAA"}}
    found, _ = read(thought("hm", "s"), hidden, text("Now"), call(), call("g", "t2"))

    message = found.choices[0].message
    assert message.content == "Now"
    assert message.reasoning == "hm"
    assert message.reasoning_details == [
        ReasoningBlock("thinking", "hm", "s", model="m"),
        ReasoningBlock("redacted_thinking", data="AAAA", model="m"),
    ]
    assert [(each.id, each.function.name) for each in message.tool_calls] == [
        ("t1", "f"), ("t2", "g"),
    ]  # fmt: skip
    assert message.tool_calls[0].function.arguments == '{"a": 1}'


@pytest.mark.parametrize(
    ("stop", "expected"),
    [
        ("end_turn", "stop"), ("stop_sequence", "stop"), ("tool_use", "tool_calls"),
        ("max_tokens", "length"), ("model_context_window_exceeded", "length"),
        ("guardrail_intervened", "content_filter"), ("content_filtered", "content_filter"),
        ("MAX_TOKENS", "length"),
    ],
)  # fmt: skip
def test_a_stop_reason_has_its_counterpart(stop: str, expected: str) -> None:
    found, notes = read(text("a"), stop=stop)

    assert found.choices[0].finish_reason == expected
    assert bool(notes) is (stop == "MAX_TOKENS")


@pytest.mark.parametrize("stop", ["malformed_model_output", "malformed_tool_use"])
def test_an_answer_that_failed_is_an_error(stop: str) -> None:
    with pytest.raises(ReportedFailure) as raised:
        read(text("a"), stop=stop)

    assert stop in raised.value.body.decode()


def test_an_unknown_stop_reason_is_kept_with_a_note() -> None:
    found, notes = read(text("a"), stop="tired")

    assert found.choices[0].finish_reason == "tired"
    assert notes == ["stopReason: 'tired' is not known, kept as it is"]


def test_the_stop_sequence_is_noted() -> None:
    found, notes = read(
        text("a"), stop="stop_sequence", additionalModelResponseFields={"stop_sequence": "END"}
    )

    assert notes == ["stop_sequence: 'END' ended the answer"]
    assert found.choices[0].finish_reason == "stop"


def test_cached_tokens_are_part_of_the_prompt() -> None:
    usage = {
        "inputTokens": 3, "outputTokens": 2, "totalTokens": 35, "cacheReadInputTokens": 10,
        "cacheWriteInputTokens": 20, "cacheReadInputTokenCount": 10,
        "cacheWriteInputTokenCount": 20, "serverToolUsage": {},
        "cacheDetails": [{"ttl": "1h", "inputTokens": 15}, {"ttl": "5m", "inputTokens": 5}],
    }  # fmt: skip
    found, notes = read(text("a"), usage=usage)

    assert (found.usage.prompt_tokens, found.usage.completion_tokens) == (33, 2)
    assert found.usage.total_tokens == 35
    details = found.usage.prompt_tokens_details
    assert (details.cached_tokens, details.cache_write_tokens) == (10, 20)
    assert details.cache_write_1h_tokens == 15
    assert notes == []


@pytest.mark.parametrize(
    ("usage", "certainty", "note"),
    [
        ({**USAGE, "totalTokens": 9}, "unknown", "usage.totalTokens: 9, not the sum of its parts"),
        ({"outputTokens": 2}, "unknown", "usage.inputTokens: missing, read as 0"),
        ({**USAGE, "inputTokens": "3"}, "unknown", "usage.inputTokens: a str, read as"),
        ({**USAGE, "webSearchRequests": 2}, "at_least", "usage.webSearchRequests: not priced"),
        ({**USAGE, "serverToolUsage": {"a": 1}}, "at_least", "usage.serverToolUsage: not priced"),
        ({**USAGE, "inputTokens": -3, "totalTokens": 2}, "unknown", "usage: a negative count"),
        (None, "exact", "usage: missing"),
    ],
)
def test_a_usage_that_deviates_is_noted(usage: Any, certainty: str, note: str) -> None:
    found, notes = read(text("a"), usage=usage)

    assert found.usage_certainty == certainty
    assert any(each.startswith(note) for each in notes)


def test_an_optimized_latency_is_not_priced() -> None:
    found, notes = read(text("a"), performanceConfig={"latency": "optimized"})

    assert found.usage_certainty == "unknown"
    assert notes == ["performanceConfig.latency: optimized, not priced"]


def test_the_service_tier_is_read() -> None:
    found, _ = read(text("a"), serviceTier={"type": "flex"})

    assert found.service_tier == "flex"


def test_the_text_of_citations_is_part_of_the_content() -> None:
    cited = {"citationsContent": {"content": [{"text": "cited"}], "citations": [WEB, PAGE]}}
    found, notes = read(text("It is "), cited, text("."))

    message = found.choices[0].message
    assert message.content == "It is cited."
    assert message.annotations == [
        {
            "type": "url_citation",
            "url_citation": {
                "start_index": 6, "end_index": 11, "url": "https://a.example", "title": "A",
            },
        }
    ]  # fmt: skip
    assert notes == [
        "output.message.content[1].citationsContent: citations of documents, left in response.raw"
    ]


def test_the_services_own_calls_are_not_the_callers() -> None:
    own = call("nova_code_interpreter", type="server_tool_use")
    answer = {"toolResult": {"toolUseId": "t1", "content": [{"json": {}}]}}
    found, notes = read(own, answer, text("Done"))

    message = found.choices[0].message
    assert (message.tool_calls, message.content) == (None, "Done")
    assert notes == [
        "output.message.content[0]: toolUse, left in response.raw",
        "output.message.content[1]: toolResult, left in response.raw",
    ]


def test_a_trace_of_a_guardrail_is_noted() -> None:
    _, notes = read(text("a"), trace={"guardrail": {}}, additionalModelResponseFields={"x": 1})

    assert notes == [
        "trace: left in response.raw",
        "additionalModelResponseFields: left in response.raw",
    ]


def test_an_answer_without_content_is_empty() -> None:
    assert read()[0].choices[0].message.content == ""
    assert read(call())[0].choices[0].message.content is None


@pytest.mark.parametrize("body", [b"", b"{", b"busy"])
def test_a_body_that_is_no_json_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedResponseError) as raised:
        decode_bedrock_reply(body, "bedrock", "m", 1)

    assert raised.value.code == "not_json"


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"5", b'{"output": {}}', b'{"output": {"message": 5}}']
)
def test_a_body_without_a_message_is_no_reply(body: bytes) -> None:
    with pytest.raises(MalformedResponseError) as raised:
        decode_bedrock_reply(body, "bedrock", "m", 1)

    assert raised.value.code == "no_choice"


@pytest.mark.parametrize(
    ("block", "arguments", "note"),
    [
        ({"toolUse": {"name": "f", "input": None, "toolUseId": "t"}}, "{}", "input: null"),
        ({"toolUse": {"name": "f", "input": "", "toolUseId": "t"}}, "{}", "input: "),
        ({"toolUse": {"name": "f", "input": [1], "toolUseId": "t"}}, "[1]", "input: not an object"),
        ({"toolUse": {"name": "f", "input": {}, "toolUseId": 5}}, "{}", "not as documented"),
        ({"toolUse": {"name": "f", "input": {}}}, "{}", "toolUseId: missing"),
    ],
)
def test_a_call_that_deviates_is_read_with_a_note(block: Any, arguments: str, note: str) -> None:
    found, notes = read(block)

    [made] = found.choices[0].message.tool_calls
    assert made.function.arguments == arguments
    assert made.id
    assert any(note in each for each in notes)


@pytest.mark.parametrize(
    "changed",
    [
        {"stopReason": 5}, {"usage": 5}, {"usage": {"inputTokens": []}}, {"serviceTier": "a"},
        {"trace": 5}, {"metrics": 5}, {"output": {"message": {"content": [5, {"text": "a"}]}}},
        {"output": {"message": {"content": "a"}}}, {"performanceConfig": 5},
    ],
)  # fmt: skip
def test_what_deviates_costs_only_itself(changed: Any) -> None:
    body = json.dumps({**reply(text("a")), **changed}).encode()

    found, _ = decode_bedrock_reply(body, "bedrock", "m", 1)

    assert found.choices[0].message.content == "a"


def test_a_reply_has_the_id_of_its_header() -> None:
    from bedrock_facts import own
    from specado.dialects.errors import ReplySource
    from specado.dialects.registry import DIALECTS
    from specado.dialects.replies import read_reply
    from specado.transport import WireReply

    source = ReplySource(own(), "m", DIALECTS["bedrock_converse"])
    wire = WireReply(200, {"x-amzn-requestid": "r1"}, json.dumps(reply(text("a"))).encode())

    found = read_reply(source, wire, answer_tool=None, now_s=1)

    assert isinstance(found, specado.ChatCompletionResponse)
    assert found.id == "r1"
