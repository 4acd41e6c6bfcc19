"""Simulated OpenAI API: responses, stored responses and conversations."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

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
from specado.simulator.models import ModelRules
from specado.simulator.openai_api import (
    FILE_TOKENS,
    IMAGE_TOKENS,
    LOW_DETAIL_TOKENS,
    NOT_JSON,
    headers_of,
    logprobs_of,
)
from specado.simulator.openai_wording import refusal_for
from specado.simulator.reply import SimulatedError, SimulatedReply, streamed
from specado.simulator.responses_checks import (
    Tools,
    check_items,
    check_request,
    effort_of,
    read_tools,
    texts_of,
)
from specado.simulator.responses_requests import (
    RESPONSES_DECODER,
    AllowedChoice,
    CustomCall,
    CustomTool,
    FunctionCall,
    FunctionTool,
    InputImage,
    InputItem,
    JsonObjectFormat,
    JsonSchemaFormat,
    Message,
    ResponsesRequest,
    read_item,
)
from specado.simulator.responses_state import STORED, StoredResponse, item_id, seal_reasoning
from specado.simulator.responses_stream import STREAM, events_of
from specado.simulator.stream_faults import play, without_answer
from specado.simulator.violations import Broken, read

if TYPE_CHECKING:
    from specado.simulator.faults import Fault
    from specado.simulator.models import ModelLookup

__all__ = ["begin_conversation", "broken_stream", "complete", "delete", "empty", "retrieve"]

DIALECT = "openai_responses"
THOUGHT = "**Considering the request**\n\nThe request is answered by a simulated model."
# The models whose messages say whether they are the answer (recorded from gpt-5.4 on).
_PHASED = re.compile(r"gpt-(?:5\.(?:[4-9]|\d\d)|[6-9]|\d\d)")
_NO_RULES = ModelRules("", efforts=())
_ECHOED = (
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "previous_response_id",
    "prompt_cache_key",
    "safety_identifier",
    "user",
)


class _Asked(msgspec.Struct):
    """An accepted request, and the facts derived from it."""

    request: ResponsesRequest
    rules: ModelRules
    prompt: PromptFacts
    tools: Tools
    history: tuple[dict[str, Any], ...]
    effort: str
    removed: list[str]


def read_request(body: bytes, models: ModelLookup, url: str, account: str) -> _Asked:
    """Return the request in *body*; raises `SimulatedError` where OpenAI refuses.

    *account* stands for the organization, to which encrypted reasoning is bound.
    """
    try:
        request = read(body, RESPONSES_DECODER)
    except Broken as broken:
        if broken.violation is None:
            raise SimulatedError(NOT_JSON) from None
        raise refusal_for(broken.violation) from None
    rules = _rules(request, models, url)
    check_request(request, rules)
    tools = read_tools(request, rules)
    known = _known(request)
    history = (*known, *_given(request))
    items = [read_item(item, place - len(known)) for place, item in enumerate(history)]
    removed = check_items(items, len(known), request, rules, account)
    prompt = _conversation(request, items, tools)
    window = rules.context_window
    if window is not None and prompt.prompt_tokens > window and request.truncation != "auto":
        raise SimulatedError(
            "Your input exceeds the context window of this model. Please adjust your input and "
            "try again.",
            param="input",
            code="context_length_exceeded",
        )
    return _Asked(request, rules, prompt, tools, history, effort_of(request, rules), removed)


def _rules(request: ResponsesRequest, models: ModelLookup, url: str) -> ModelRules:
    if request.model is None:
        raise SimulatedError(
            "Missing required parameter: 'model'.", param="model", code="missing_required_parameter"
        )
    rules = models(DIALECT, request.model, url)
    if rules is None:
        raise SimulatedError(
            f"The requested model '{request.model}' does not exist.",
            param="model",
            code="model_not_found",
        )
    if not rules.is_served:
        raise SimulatedError(
            f"The model `{request.model}` is not supported with the Responses API.", param="model"
        )
    return rules


def _known(request: ResponsesRequest) -> tuple[dict[str, Any], ...]:
    """Return the items that the API has stored for the request."""
    previous = request.previous_response_id
    if previous is not None:
        stored = STORED.find(previous)
        if stored is None:
            raise SimulatedError(
                f"Previous response with id '{previous}' not found.",
                param="previous_response_id",
                code="previous_response_not_found",
            )
        return stored.history
    conversation = request.conversation_id
    if conversation is not None:
        items = STORED.conversation(conversation)
        if items is None:
            raise SimulatedError(f"Conversation with id '{conversation}' not found.", status=404)
        return items
    return ()


def _given(request: ResponsesRequest) -> list[dict[str, Any]]:
    """Return the items of the request; item references are replaced by their items."""
    given = request.input
    if given is None:
        if request.prompt is None and not (request.previous_response_id or request.conversation):
            raise SimulatedError(
                'One of "input" or "previous_response_id" or "prompt" or "conversation" must be '
                "provided.",
                param="input",
                code="missing_required_parameter",
            )
        return []
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}]
    return [_resolved(item) for item in given]


def _resolved(item: dict[str, Any]) -> dict[str, Any]:
    is_reference = item.get("type") == "item_reference" or set(item) == {"id"}
    if is_reference and isinstance(item.get("id"), str):
        return STORED.item(item["id"]) or item
    return item


def _conversation(request: ResponsesRequest, items: list[InputItem], tools: Tools) -> PromptFacts:
    prompt = PromptFacts(messages=len(items), max_tokens=request.max_output_tokens)
    prompt.characters = len(request.instructions or "")
    for item in items:
        texts = texts_of(item)
        prompt.characters += sum(map(len, texts))
        if isinstance(item, Message):
            if item.role == "user":
                prompt.user_text = "\n".join(texts)
                prompt.user_turns += 1
                prompt.last_result = None
                prompt.attachments = 0
                _count_parts(item.content, prompt)
        elif isinstance(item, FunctionCall):
            prompt.characters += len(item.name) + len(item.arguments)
        elif isinstance(item, CustomCall):
            prompt.characters += len(item.name) + len(item.input)
        elif hasattr(item, "output"):
            prompt.last_result = "\n".join(texts)
            _count_parts(item.output, prompt)
    _read_choice(request, tools, prompt)
    wanted = request.text.format if request.text is not None else None
    if isinstance(wanted, JsonSchemaFormat):
        prompt.schema = wanted.schema
    elif isinstance(wanted, JsonObjectFormat):
        prompt.schema = {
            "properties": {"answer": {"const": f"Simulated: {prompt.user_text[:200]}"}}
        }
    return prompt


def _count_parts(content: Any, prompt: PromptFacts) -> None:
    for part in () if isinstance(content, str) else content:
        kind = part.__struct_config__.tag
        if kind in ("input_image", "input_file"):
            prompt.attachments += 1
            low = isinstance(part, InputImage) and part.detail == "low"
            size = IMAGE_TOKENS if kind == "input_image" else FILE_TOKENS
            prompt.image_tokens += LOW_DETAIL_TOKENS if low else size


def _read_choice(request: ResponsesRequest, tools: Tools, prompt: PromptFacts) -> None:
    choice = tools.choice
    allowed: set[str] | None = None
    if isinstance(choice, str):
        prompt.choice = choice
    elif isinstance(choice, AllowedChoice):
        prompt.choice = choice.mode
        allowed = {str(tool.get("name")) for tool in choice.tools}
    elif choice is not None:
        prompt.named = choice.name
    offers = []
    for tool in tools.own:
        if isinstance(tool, CustomTool):
            offers.append(ToolOffer(tool.name, None))
        elif isinstance(tool, FunctionTool):
            offers.append(ToolOffer(tool.name, tool.parameters or {}))
    prompt.characters += len(msgspec.json.encode(request.tools)) if request.tools else 0
    prompt.tools = [tool for tool in offers if allowed is None or tool.name in allowed]


def complete(
    body: bytes,
    models: ModelLookup,
    url: str,
    now_s: float,
    account: str,
    fault: Fault | None = None,
) -> SimulatedReply:
    """Return the answer to `POST …/responses`; *fault* applies to a streamed request."""
    asked = read_request(body, models, url, account)
    mark = digest(body)
    request = asked.request
    output, simulated, thought = _output(asked, mark, account)
    reply = _reply(asked, mark, now_s, output, simulated, thought)
    if request.is_stored:
        history = (*asked.history, *output)
        STORED.keep(reply["id"], StoredResponse(reply, history))
        if request.conversation_id is not None:
            STORED.extend_conversation(request.conversation_id, history)
    if not request.stream:
        if request.background:
            waiting: dict[str, Any] = {
                "status": "queued",
                "output": [],
                "usage": None,
                "completed_at": None,
            }
            reply = {**reply, **waiting}
        return SimulatedReply(200, headers_of(mark), orjson.dumps(reply))
    options = request.stream_options
    obfuscated = options is None or options.include_obfuscation is not False
    events = events_of(reply, obfuscated=obfuscated)
    return streamed(headers_of(mark), play(events, fault, STREAM, mark))


def _output(
    asked: _Asked, mark: str, account: str
) -> tuple[list[dict[str, Any]], SimulatedAnswer, int]:
    """Return the output items, the answer in them, and the number of reasoning tokens."""
    request, prompt = asked.request, asked.prompt
    output: list[dict[str, Any]] = []
    thought = 0
    if asked.effort != "none":
        made_id = item_id("rs", mark, 0)
        item: dict[str, Any] = {"id": made_id, "type": "reasoning", "summary": []}
        asks = request.reasoning
        if asks is not None and (asks.summary or asks.generate_summary):
            item["summary"] = [{"type": "summary_text", "text": THOUGHT}]
        if request.has_encrypted_reasoning:
            item["encrypted_content"] = seal_reasoning(made_id, account, asked.rules.id)
        output.append(item)
        thought = tokens_of(THOUGHT)
        if prompt.max_tokens is not None:
            thought = min(thought, prompt.max_tokens)
            prompt.max_tokens -= thought
    simulated = answer(prompt)
    if prompt.max_tokens != 0:
        output.append(_item(asked, simulated, mark, len(output)))
    return output, simulated, thought


def _item(asked: _Asked, simulated: SimulatedAnswer, mark: str, place: int) -> dict[str, Any]:
    status = "incomplete" if simulated.ended == "length" else "completed"
    follows = place > 0
    tool = simulated.tool
    if tool is None:
        request = asked.request
        text: dict[str, Any] = {
            "type": "output_text",
            "text": simulated.text,
            "annotations": [],
            "logprobs": [],
        }
        if "message.output_text.logprobs" in (request.include or ()) or request.top_logprobs:
            text["logprobs"] = _logprobs(simulated.text, request.top_logprobs or 0)
        message = {
            "id": item_id("msg", mark, place, follows_reasoning=follows),
            "type": "message",
            "role": "assistant",
            "status": status,
            "content": [text],
        }
        return {**message, "phase": "final_answer"} if _PHASED.match(asked.rules.id) else message
    is_custom = tool.schema is None
    prefix, kind, grown = (
        ("ctc", "custom_tool_call", "input") if is_custom else ("fc", "function_call", "arguments")
    )
    return {
        "id": item_id(prefix, mark, place, follows_reasoning=follows),
        "type": kind,
        "status": status,
        grown: simulated.arguments,
        "call_id": f"call_{mark}",
        "name": tool.name,
    }


def _logprobs(text: str, rivals: int) -> list[dict[str, Any]]:
    """Return token probabilities as this API writes them: bytes are never null."""
    tokens = logprobs_of(text, rivals)
    for token in tokens:
        for rival in token["top_logprobs"]:
            rival["bytes"] = list(rival["token"].encode())
    return tokens


def _reply(
    asked: _Asked,
    mark: str,
    now_s: float,
    output: list[dict[str, Any]],
    simulated: SimulatedAnswer,
    thought: int,
) -> dict[str, Any]:
    request, rules = asked.request, asked.rules
    is_whole = simulated.ended != "length" and asked.prompt.max_tokens != 0
    used = thought + (simulated.tokens if asked.prompt.max_tokens != 0 else 0)
    conversation = request.conversation_id
    reply = {
        "id": f"resp_sim_{mark}",
        "object": "response",
        "created_at": int(now_s),
        "completed_at": int(now_s) if is_whole else None,
        "status": "completed" if is_whole else "incomplete",
        "background": request.background is True,
        "error": None,
        "incomplete_details": None if is_whole else {"reason": "max_output_tokens"},
        **{name: getattr(request, name) for name in _ECHOED},
        "conversation": None if conversation is None else {"id": conversation},
        "metadata": request.metadata or {},
        "model": request.model,
        "output": output,
        "parallel_tool_calls": request.parallel_tool_calls is not False,
        "reasoning": _reasoning(asked),
        "service_tier": _tier(request),
        "store": request.is_stored,
        "temperature": 1.0 if request.temperature is None else request.temperature,
        "text": _text(request),
        "tool_choice": request.tool_choice or "auto",
        "tools": asked.tools.shown,
        "top_logprobs": request.top_logprobs or 0,
        "top_p": 1.0 if request.top_p is None else request.top_p,
        "truncation": request.truncation or "disabled",
        "usage": _usage(asked.prompt.prompt_tokens, used, thought),
    }
    if asked.removed:
        reply["input_transformations"] = [
            {"type": "reasoning", "action": "removed", "id": made, "reason": "model_mismatch"}
            for made in asked.removed
        ]
    if rules.efforts == ():
        reply["reasoning"] = {"effort": None, "summary": None}
    return reply


def _usage(prompt_tokens: int, used: int, thought: int) -> dict[str, Any]:
    """Return the usage; the *used* tokens include those of the reasoning."""
    return {
        "input_tokens": prompt_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": used,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": prompt_tokens + used,
    }


def _tier(request: ResponsesRequest) -> str:
    asked = request.service_tier
    return "default" if asked is None or asked == "auto" else asked


def _reasoning(asked: _Asked) -> dict[str, Any]:
    asks = asked.request.reasoning
    summary = None if asks is None else asks.summary or asks.generate_summary
    return {"effort": asked.effort, "summary": summary}


def _text(request: ResponsesRequest) -> dict[str, Any]:
    wanted = request.text
    shown: Any = {"type": "text"}
    if wanted is not None and wanted.format is not None:
        shown = msgspec.to_builtins(wanted.format)
        if isinstance(wanted.format, JsonSchemaFormat):
            shown["strict"] = bool(wanted.format.strict)
    verbosity = None if wanted is None else wanted.verbosity
    return {"format": shown, "verbosity": verbosity or "medium"}


def empty(model: str, mark: str, now_s: float, *, streams: bool) -> SimulatedReply:
    """Return a reply of status 200 without an output item."""
    request = ResponsesRequest(model=model, input="", store=False)
    used = tokens_of(model)
    prompt = PromptFacts(characters=len(model))
    asked = _Asked(request, _NO_RULES, prompt, Tools([], []), (), "none", [])
    reply = _reply(asked, mark, now_s, [], SimulatedAnswer("", "stop", 0), 0)
    reply["usage"].update(input_tokens=used, total_tokens=used)
    if streams:
        return streamed(headers_of(mark), play(events_of(reply), None, STREAM, mark))
    return SimulatedReply(200, headers_of(mark), orjson.dumps(reply))


def broken_stream(kind: str, mark: str) -> SimulatedReply:
    """Return a stream without an answer in it: `malformed` or `truncated`."""
    return streamed(headers_of(mark), without_answer(kind, STREAM))


def retrieve(wanted: str, mark: str) -> SimulatedReply:
    """Return the answer to `GET …/responses/{id}`."""
    stored = STORED.find(wanted)
    if stored is None:
        raise _no_response(wanted)
    return SimulatedReply(200, headers_of(mark), orjson.dumps(stored.reply))


def delete(wanted: str, mark: str) -> SimulatedReply:
    """Return the answer to `DELETE …/responses/{id}`."""
    if not STORED.drop(wanted):
        raise _no_response(wanted)
    deleted = {"id": wanted, "object": "response", "deleted": True}
    return SimulatedReply(200, headers_of(mark), orjson.dumps(deleted))


def _no_response(wanted: str) -> SimulatedError:
    return SimulatedError(f"Response with id '{wanted}' not found.", status=404)


class _ConversationRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The body of `POST …/conversations`."""

    items: list[dict[str, Any]] = []
    metadata: dict[str, str] = {}


_CONVERSATION_DECODER = msgspec.json.Decoder(_ConversationRequest)


def begin_conversation(body: bytes, now_s: float) -> SimulatedReply:
    """Return the answer to `POST …/conversations`."""
    try:
        request = read(body or b"{}", _CONVERSATION_DECODER)
    except Broken as broken:
        if broken.violation is None:
            raise SimulatedError(NOT_JSON) from None
        raise refusal_for(broken.violation) from None
    for place, item in enumerate(request.items):
        read_item(item, place)
    made = {
        "id": STORED.begin_conversation(tuple(request.items)),
        "object": "conversation",
        "created_at": int(now_s),
        "metadata": request.metadata,
    }
    return SimulatedReply(200, headers_of(digest(body)), orjson.dumps(made))
