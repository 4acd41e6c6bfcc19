"""Simulated Bedrock API: Converse, ConverseStream and the lists of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

import msgspec
import orjson

from specado.simulator.answers import (
    PromptFacts,
    SimulatedAnswer,
    ToolOffer,
    answer,
    digest,
    tokens_of,
)
from specado.simulator.bedrock_checks import asked_schema, check_converse, thinking_of
from specado.simulator.bedrock_models import FamilyRules, family_of
from specado.simulator.bedrock_requests import read_converse, refused
from specado.simulator.bedrock_signatures import sign_reasoning
from specado.simulator.bedrock_stream import broken_frames, events_of, play_frames
from specado.simulator.faults import FAULT_MODELS
from specado.simulator.models import ModelRules
from specado.simulator.reply import SimulatedError, SimulatedReply, streamed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from specado.simulator.faults import Fault, WireError
    from specado.simulator.models import ListedModel, ModelLookup

__all__ = [
    "BedrockCall",
    "broken_stream",
    "complete",
    "empty",
    "error_reply",
    "list_models",
]

DIALECT = "bedrock_converse"
THOUGHT = "The request is answered by a simulated model, which thinks about it first."
BLOCKED = "Sorry, the model cannot answer this question."
IMAGE_TOKENS = 765
FILE_TOKENS = 1000
EVENT_STREAM = "application/vnd.amazon.eventstream"
_STOPS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}
_NAMES = {
    404: "ResourceNotFoundException",
    405: "UnknownOperationException",
    413: "ValidationException",
}


class BedrockCall(msgspec.Struct, frozen=True):
    """The fact in the URL of a request: the model's id, a profile's, or an ARN."""

    model: str


class _Asked(msgspec.Struct):
    """An accepted request, and the facts derived from it."""

    request: dict[str, Any]
    rules: FamilyRules
    prompt: PromptFacts
    mark: str
    thinks: bool


def _read(body: bytes, call: BedrockCall, models: ModelLookup, url: str) -> _Asked:
    """Return the request in *body*; raises `SimulatedError` where Bedrock refuses."""
    limits = models(DIALECT, call.model, url)
    rules = family_of(call.model)
    if rules is None and (limits is not None or call.model in FAULT_MODELS):
        rules = FamilyRules()
    if rules is None:
        raise refused("The provided model identifier is invalid.")
    limits = limits or ModelRules(call.model)
    request = read_converse(body)
    check_converse(request, rules, limits)
    prompt = _conversation(request)
    window = limits.context_window
    if window is not None and prompt.prompt_tokens > window:
        raise refused("Input is too long for requested model.")
    thinks = rules.always_reasons or (bool(rules.thinking) and thinking_of(request) is not None)
    return _Asked(request, rules, prompt, digest(body), thinks)


def _conversation(request: dict[str, Any]) -> PromptFacts:
    """Return the facts of the request that determine its answer."""
    config = request.get("inferenceConfig", {})
    prompt = PromptFacts(
        messages=len(request["messages"]),
        stops=config.get("stopSequences") or [],
        max_tokens=config.get("maxTokens"),
        schema=asked_schema(request),
    )
    prompt.characters = sum(len(block.get("text", "")) for block in request.get("system") or ())
    for message in request["messages"]:
        blocks = message["content"]
        texts = [block["text"] for block in blocks if isinstance(block.get("text"), str)]
        results = [block["toolResult"] for block in blocks if "toolResult" in block]
        prompt.characters += sum(map(len, texts))
        if message["role"] == "assistant":
            calls = [block["toolUse"] for block in blocks if "toolUse" in block]
            prompt.characters += sum(len(msgspec.json.encode(one)) for one in calls)
        elif results:
            prompt.last_result = "\n".join(_result(one) for one in results)
            prompt.characters += len(prompt.last_result)
        else:
            prompt.user_text = "\n".join(texts)
            prompt.user_turns += 1
            prompt.last_result = None
            prompt.attachments = 0
            _count_media(blocks, prompt)
    _read_choice(request.get("toolConfig"), prompt)
    return prompt


def _result(result: dict[str, Any]) -> str:
    """Return the texts and JSON values of a tool result."""
    said = []
    for block in result["content"]:
        if "text" in block:
            said.append(block["text"])
        elif "json" in block:
            said.append(msgspec.json.encode(block["json"]).decode())
    return "\n".join(said)


def _count_media(blocks: list[dict[str, Any]], prompt: PromptFacts) -> None:
    for block in blocks:
        kind = next(iter(block))
        if kind in ("image", "document", "video", "audio"):
            prompt.attachments += 1
            prompt.image_tokens += IMAGE_TOKENS if kind == "image" else FILE_TOKENS


def _read_choice(config: Optional[dict[str, Any]], prompt: PromptFacts) -> None:
    if config is None:
        return
    choice = config.get("toolChoice") or {"auto": {}}
    if "any" in choice:
        prompt.choice = "required"
    elif "tool" in choice:
        prompt.named = choice["tool"]["name"]
    for tool in config["tools"]:
        spec = tool.get("toolSpec")
        if spec is not None:
            prompt.characters += len(msgspec.json.encode(spec))
            prompt.tools.append(ToolOffer(spec["name"], spec["inputSchema"]["json"]))


def complete(
    body: bytes,
    call: BedrockCall,
    models: ModelLookup,
    url: str,
    *,
    streams: bool,
    fault: Fault | None = None,
) -> SimulatedReply:
    """Return the answer to `…/converse` and `…/converse-stream`.

    *fault* applies to a streamed request.
    """
    asked = _read(body, call, models, url)
    thought = tokens_of(THOUGHT) if asked.thinks else 0
    limit = asked.prompt.max_tokens
    if limit is not None:
        thought = min(thought, limit)
        asked.prompt.max_tokens = limit - thought
    simulated = answer(asked.prompt)
    reply: dict[str, Any] = {
        "metrics": {"latencyMs": 1},
        "output": {"message": {"content": _blocks(asked, simulated), "role": "assistant"}},
        "stopReason": _ended(asked, simulated),
        "usage": _usage(asked, simulated.tokens + thought),
    }
    found = _found_fields(asked, simulated)
    if found:
        reply["additionalModelResponseFields"] = found
    for name in ("performanceConfig", "serviceTier"):
        if name in asked.request:
            reply[name] = asked.request[name]
    if not streams:
        return _reply(200, reply, asked.mark)
    frames = play_frames(events_of(reply), fault, asked.mark)
    return streamed(_headers(asked.mark), frames, EVENT_STREAM)


def _blocks(asked: _Asked, simulated: SimulatedAnswer) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    if asked.thinks:
        text: dict[str, Any] = {"text": THOUGHT}
        if asked.rules.family == "claude":
            text["signature"] = sign_reasoning(THOUGHT)
        blocks.append({"reasoningContent": {"reasoningText": text}})
    tool = simulated.tool
    if tool is None:
        blocks.append({"text": simulated.text})
    elif simulated.ended != "length":  # a call that is cut off is left out
        arguments = msgspec.json.decode(simulated.arguments)
        use = {"toolUseId": f"tooluse_{asked.mark[:22]}", "name": tool.name, "input": arguments}
        blocks.append({"toolUse": use})
    return blocks


def _ended(asked: _Asked, simulated: SimulatedAnswer) -> str:
    if simulated.ended == "stop_sequence":
        # Recorded: Nova says `end_turn`.
        return "end_turn" if asked.rules.family == "nova" else "stop_sequence"
    return _STOPS[simulated.ended]


def _found_fields(asked: _Asked, simulated: SimulatedAnswer) -> dict[str, Any]:
    """Return the members of the model's own reply that the request asks for."""
    wanted = asked.request.get("additionalModelResponseFieldPaths") or ()
    if "/stop_sequence" in wanted and asked.rules.family == "claude":
        return {"stop_sequence": simulated.stop_sequence}
    return {}


def _usage(asked: _Asked, used: int) -> dict[str, Any]:
    prompt = asked.prompt.prompt_tokens
    made: dict[str, Any] = {
        "inputTokens": prompt,
        "outputTokens": used,
        "serverToolUsage": {},
        "totalTokens": prompt + used,
    }
    if asked.rules.family == "claude":
        # Recorded: each count stands under two names.
        for name in ("cacheReadInputToken", "cacheWriteInputToken"):
            made[f"{name}Count"] = made[f"{name}s"] = 0
    return made


def _headers(mark: str) -> tuple[tuple[str, str], ...]:
    request_id = f"{mark[:8]}-{mark[8:12]}-4{mark[12:15]}-8{mark[15:18]}-{mark[:12]}"
    return (("content-type", "application/json"), ("x-amzn-requestid", request_id))


def _reply(status: int, value: Any, mark: str) -> SimulatedReply:
    return SimulatedReply(status, _headers(mark), orjson.dumps(value))


def error_reply(error: WireError | SimulatedError, mark: str) -> SimulatedReply:
    """Return an error as AWS writes it: its name in a header, its message in the body."""
    name = error.type
    if name == "invalid_request_error":
        name = _NAMES.get(error.status, "ValidationException")
    reply = _reply(error.status, {"message": error.message}, mark)
    headers = (*reply.headers, ("x-amzn-errortype", name))
    return msgspec.structs.replace(reply, headers=headers)


def empty(mark: str, *, streams: bool, reason: str = "end_turn") -> SimulatedReply:
    """Return a reply of status 200 without content; a guardrail's *reason* has its text."""
    content = [] if reason == "end_turn" else [{"text": BLOCKED}]
    reply: dict[str, Any] = {
        "metrics": {"latencyMs": 1},
        "output": {"message": {"content": content, "role": "assistant"}},
        "stopReason": reason,
        "usage": {"inputTokens": 1, "outputTokens": 0, "totalTokens": 1},
    }
    if streams:
        frames = play_frames(events_of(reply), None, mark)
        return streamed(_headers(mark), frames, EVENT_STREAM)
    return _reply(200, reply, mark)


def broken_stream(kind: str, mark: str) -> SimulatedReply:
    """Return a stream without an answer in it: `malformed` or `truncated`."""
    return streamed(_headers(mark), broken_frames(kind), EVENT_STREAM)


def list_models(models: Sequence[ListedModel], mark: str) -> SimulatedReply:
    """Return the answer to `GET /foundation-models`."""
    rows = [
        {
            "modelId": model.id,
            "modelName": model.id,
            "modelArn": f"arn:aws:bedrock:us-east-1::foundation-model/{model.id}",
            "inputModalities": ["TEXT"],
            "outputModalities": ["TEXT"],
            "responseStreamingSupported": True,
            "inferenceTypesSupported": ["ON_DEMAND"],
            "modelLifecycle": {"status": "ACTIVE" if model.lifecycle == "active" else "LEGACY"},
        }
        for model in models
    ]
    return _reply(200, {"modelSummaries": rows}, mark)
