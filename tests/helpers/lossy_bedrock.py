"""The smallest requests of Bedrock's API that lose each row of `specado.losses.rows`."""

from __future__ import annotations

import json
from typing import Any

from lossy_parts import SCHEMA, Lost

GPT = "gpt-4o"
SPEC = {"name": "f", "inputSchema": {"json": SCHEMA}}
TOOLS = {"tools": [{"toolSpec": SPEC}]}
USE = {"toolUse": {"toolUseId": "c1", "name": "f", "input": {}}}
CALLED = {"role": "assistant", "content": [USE]}
IMAGE = {"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}}
POINT = {"cachePoint": {"type": "default"}}
SEARCH = {"title": "T", "source": "https://a.example", "content": [{"text": "found"}]}
LOOSE = {"type": "object", "patternProperties": {"^a": {"type": "string"}}}
PROMPT_ARN = "arn:aws:bedrock:us-east-1:123456789012:prompt/ABCDEFGHIJ:1"


def turns(*given: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"messages": list(given), **more}


def said(*blocks: dict[str, Any], role: str = "user") -> dict[str, Any]:
    return {"role": role, "content": list(blocks)}


def user(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a request in which the user says something before *blocks*."""
    return turns(said({"text": "Hello"}, *blocks), **more)


def family(**fields: Any) -> dict[str, Any]:
    """Return a request with members for the model's family."""
    return user(additionalModelRequestFields=fields)


def document(**members: Any) -> dict[str, Any]:
    """Return a block with a PDF document, or with what *members* say."""
    pdf = {"format": "pdf", "name": "doc", "source": {"bytes": "JVBERi0xLjQK"}}
    return {"document": {**pdf, **members}}


def answered(*content: dict[str, Any], **result: Any) -> dict[str, Any]:
    """Return a request in which a tool's result answers a call."""
    given = {"toolUseId": "c1", "content": list(content), **result}
    return turns(said({"text": "Hello"}), CALLED, said({"toolResult": given}), toolConfig=TOOLS)


def formatted(schema: Any, **more: Any) -> dict[str, Any]:
    """Return a request for an answer of this schema."""
    given = {"schema": json.dumps(schema), "name": "answer", **more}
    text = {"type": "json_schema", "structure": {"jsonSchema": given}}
    return user(outputConfig={"textFormat": text})


BLOCK = "messages[0].content[1]"
RESULT = "messages[2].content[0].toolResult"
ASKED = "outputConfig.textFormat.structure.jsonSchema"
FIELDS = "additionalModelRequestFields"

FROM_BEDROCK: dict[str, Lost] = {
    "bedrock.audio_format": Lost(
        user({"audio": {"format": "flac", "source": {"bytes": "AAAA"}}}),
        "gpt-4o-audio-preview",
        f"{BLOCK}.audio",
    ),
    "bedrock.block": Lost(
        user({"toolAddition": {"tool": {"name": "f"}}}), GPT, f"{BLOCK}.toolAddition"
    ),
    "bedrock.block_order": Lost(
        turns(
            said({"text": "Hello"}),
            said(USE, {"text": "I call."}, role="assistant"),
            said({"toolResult": {"toolUseId": "c1", "content": [{"text": "done"}]}}),
            toolConfig=TOOLS,
        ),
        GPT,
        "messages[1].content[1].text",
    ),
    "bedrock.cache_point": Lost(user(POINT), GPT, f"{BLOCK}.cachePoint"),
    "bedrock.cache_point_alone": Lost(
        turns(said(POINT, {"text": "Hello"})), GPT, "messages[0].content[0].cachePoint"
    ),
    "bedrock.citations": Lost(
        user(document(citations={"enabled": True})), GPT, f"{BLOCK}.document.citations"
    ),
    "bedrock.document_context": Lost(
        user(document(context="The report of May.")), GPT, f"{BLOCK}.document.context"
    ),
    "bedrock.document_text": Lost(
        user(document(format="txt", source={"text": "Dear all"})), GPT, f"{BLOCK}.document"
    ),
    "bedrock.effort_disabled": Lost(
        user(
            outputConfig={"effort": "low"},
            additionalModelRequestFields={"thinking": {"type": "disabled"}},
        ),
        "gpt-5.1",
        "outputConfig.effort",
    ),
    "bedrock.effort_twice": Lost(
        user(
            outputConfig={"effort": "low"},
            additionalModelRequestFields={"reasoning_effort": "high"},
        ),
        "gpt-5.1",
        f"{FIELDS}.reasoning_effort",
    ),
    "bedrock.format_name": Lost(formatted(SCHEMA, name=None), GPT, f"{ASKED}.name"),
    "bedrock.format_root": Lost(
        formatted({"type": "array", "items": {"type": "string"}}), GPT, f"{ASKED}.schema"
    ),
    "bedrock.format_strict": Lost(formatted(LOOSE), GPT, f"{ASKED}.schema"),
    "bedrock.guard_content": Lost(
        user({"guardContent": {"text": {"text": "Is it safe?"}}}), GPT, f"{BLOCK}.guardContent.text"
    ),
    "bedrock.guardrail": Lost(
        user(guardrailConfig={"guardrailIdentifier": "a", "guardrailVersion": "1"}),
        GPT,
        "guardrailConfig",
    ),
    "bedrock.model_field": Lost(family(anthropic_beta=["a"]), GPT, f"{FIELDS}.anthropic_beta"),
    "bedrock.performance": Lost(
        user(performanceConfig={"latency": "optimized"}), GPT, "performanceConfig.latency"
    ),
    "bedrock.prefill": Lost(
        turns(said({"text": "Hello"}), said({"text": "I"}, role="assistant")),
        GPT,
        "messages[1].content",
    ),
    "bedrock.project": Lost(user(projectIdentifier="p"), GPT, "projectIdentifier"),
    "bedrock.prompt": Lost(user(promptVariables={"a": {"text": "b"}}), GPT, "promptVariables"),
    "bedrock.response_fields": Lost(
        user(additionalModelResponseFieldPaths=["/stop_sequence"]),
        GPT,
        "additionalModelResponseFieldPaths",
    ),
    "bedrock.result_json": Lost(answered({"json": {"a": 1}}), GPT, f"{RESULT}.content[0].json"),
    "bedrock.result_media": Lost(answered(IMAGE), GPT, f"{RESULT}.content[0].image"),
    "bedrock.result_status": Lost(
        answered({"text": "no"}, status="error"), GPT, f"{RESULT}.status"
    ),
    "bedrock.s3": Lost(
        user({"image": {"format": "png", "source": {"s3Location": {"uri": "s3://a/b.png"}}}}),
        GPT,
        f"{BLOCK}.image",
    ),
    "bedrock.search_result": Lost(user({"searchResult": SEARCH}), GPT, f"{BLOCK}.searchResult"),
    "bedrock.system_tool": Lost(
        user(toolConfig={"tools": [{"systemTool": {"name": "nova_code_interpreter"}}]}),
        GPT,
        "toolConfig.tools[0].systemTool",
    ),
    "bedrock.thinking_adaptive": Lost(
        family(thinking={"type": "adaptive"}), GPT, f"{FIELDS}.thinking"
    ),
    "bedrock.thinking_budget": Lost(
        family(thinking={"type": "enabled", "budget_tokens": 2048}),
        "gpt-5",
        f"{FIELDS}.thinking.budget_tokens",
    ),
    "bedrock.tool_strict": Lost(
        user(
            toolConfig={
                "tools": [
                    {"toolSpec": {"name": "f", "inputSchema": {"json": LOOSE}, "strict": True}}
                ]
            }
        ),
        GPT,
        "toolConfig.tools[0].toolSpec.strict",
    ),
    "bedrock.top_k": Lost(family(top_k=40), GPT, f"{FIELDS}.top_k"),
    "bedrock.video": Lost(
        user({"video": {"format": "mp4", "source": {"bytes": "AAAA"}}}), GPT, f"{BLOCK}.video"
    ),
}
