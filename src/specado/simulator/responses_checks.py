"""Validation of OpenAI's Responses requests beyond their types, with OpenAI's error messages.

Wording: recorded error bodies and those that users of the API report, read 2026-11-30.
"""

from __future__ import annotations

from mimetypes import guess_type
from typing import TYPE_CHECKING, Any

import msgspec

from specado.simulator.openai_checks import check_image_url, check_schema, decoded, unsupported
from specado.simulator.reply import SimulatedError
from specado.simulator.responses_requests import (
    AllowedChoice,
    CustomCall,
    CustomCallOutput,
    CustomTool,
    FunctionCall,
    FunctionCallOutput,
    FunctionTool,
    InputFile,
    InputImage,
    InputText,
    ItemReference,
    JsonObjectFormat,
    JsonSchemaFormat,
    Message,
    OtherItem,
    OutputText,
    ReasoningItem,
    Refusal,
    read_choice,
    read_tool,
)
from specado.simulator.responses_state import (
    STORED,
    follows_reasoning,
    seal_problem,
)
from specado.simulator.schema_checks import incomplete_problem, malformed_problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from specado.simulator.models import ModelRules
    from specado.simulator.responses_requests import HostedTool, InputItem, ResponsesRequest

__all__ = ["Tools", "check_items", "check_request", "effort_of", "read_tools", "texts_of"]

# Only a model that reasons takes these words of `reasoning`.
_REASONING_ONLY = ("effort", "summary", "generate_summary", "context", "mode")
_ID_PREFIXES = {
    "message": "msg",
    "function_call": "fc",
    "custom_tool_call": "ctc",
    "reasoning": "rs",
}


class Tools(msgspec.Struct):
    """The tools of a request: as they were read, and as the reply repeats them."""

    own: list[Any]
    shown: list[dict[str, Any]]
    choice: Any = None


def check_request(request: ResponsesRequest, rules: ModelRules) -> None:
    """Raise the `SimulatedError` that OpenAI would answer for a parameter, if any."""
    _check_limits(request, rules)
    _check_reasoning(request, rules)
    _check_sampling(request, rules)
    _check_state(request, rules)
    _check_format(request, rules)


def effort_of(request: ResponsesRequest, rules: ModelRules) -> str:
    """Return the effort with which the model reasons, "none" where it does not."""
    if not rules.efforts:
        return "none"
    asked = request.reasoning.effort if request.reasoning is not None else None
    # A model that can leave off reasoning has a default; without one it always reasons.
    return asked or rules.default_effort or "medium"


def _check_limits(request: ResponsesRequest, rules: ModelRules) -> None:
    wanted = request.max_output_tokens
    if wanted is not None and wanted > (rules.max_output_tokens or wanted):
        raise SimulatedError(
            f"max_output_tokens is too large: {wanted}. This model supports at most "
            f"{rules.max_output_tokens} output tokens, whereas you provided {wanted}.",
            param="max_output_tokens",
            code="invalid_value",
        )
    if request.stream_options is not None and not request.stream:
        raise SimulatedError(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            param="stream_options",
        )


def _check_reasoning(request: ResponsesRequest, rules: ModelRules) -> None:
    asked = request.reasoning
    if asked is not None and rules.efforts == ():
        for name in _REASONING_ONLY:
            if getattr(asked, name) is not None:
                raise unsupported(f"reasoning.{name}")
    effort = asked.effort if asked is not None else None
    if effort is not None and rules.efforts is not None and effort not in rules.efforts:
        known = [f"'{level}'" for level in rules.efforts]
        last = ", and " if len(known) > 2 else " and "
        raise SimulatedError(
            f"Unsupported value: '{effort}' is not supported with the '{rules.id}' model. "
            f"Supported values are: {last.join(filter(None, (', '.join(known[:-1]), known[-1])))}.",
            param="reasoning.effort",
            code="unsupported_value",
        )
    if request.has_encrypted_reasoning and rules.efforts == ():
        raise SimulatedError("Encrypted content is not supported with this model.", param="include")


def _check_sampling(request: ResponsesRequest, rules: ModelRules) -> None:
    refused = [name for name in ("parallel_tool_calls",) if name in rules.unsupported]
    reasons = effort_of(request, rules) != "none"
    if not rules.takes_sampling or (reasons and not rules.sampling_while_reasoning):
        refused += ["temperature", "top_p", "top_logprobs"]
    elif "logprobs" in rules.unsupported:
        refused.append("top_logprobs")
    for name in refused:
        if getattr(request, name) not in (None, False, 0):
            raise unsupported(name)


def _check_state(request: ResponsesRequest, rules: ModelRules) -> None:
    if request.previous_response_id is not None and request.conversation_id is not None:
        raise SimulatedError(
            "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Only one "
            "of them can be set.",
            param="previous_response_id",
            code="mutually_exclusive_parameters",
        )
    # Only a request that asks for storing is refused: the default has been answered with
    # encrypted content in recordings (gpt-5.6-sol, 2026-07).
    if request.has_encrypted_reasoning and request.store is True:
        raise SimulatedError(
            "Encrypted content cannot be requested for persisted responses. Set 'store' to false "
            "to use 'reasoning.encrypted_content'.",
            param="include",
        )
    if request.background and request.store is False:
        raise SimulatedError("Background responses must be stored.", param="store")
    if request.service_tier == "flex" and rules.efforts == ():
        raise SimulatedError("Invalid service_tier argument", param="service_tier")


def _check_format(request: ResponsesRequest, rules: ModelRules) -> None:
    wanted = request.text.format if request.text is not None else None
    refused = (isinstance(wanted, JsonSchemaFormat) and not rules.structured_output) or (
        isinstance(wanted, JsonObjectFormat) and rules.lacks("json_mode")
    )
    if wanted is not None and refused:
        raise SimulatedError(
            f"Invalid parameter: 'text.format' of type '{wanted.__struct_config__.tag}' is not "
            f"supported with model version `{rules.id}`.",
            param="text.format",
        )
    if isinstance(wanted, JsonSchemaFormat):
        check_schema(
            wanted.schema,
            strict=bool(wanted.strict),
            what=f"response_format '{wanted.name}'",
            param="text.format.schema",
            code="invalid_json_schema",
        )


def read_tools(request: ResponsesRequest, rules: ModelRules) -> Tools:
    """Return the tools; raises the `SimulatedError` for those that OpenAI would not take."""
    raw = request.tools or []
    if raw and rules.lacks("function_calling"):
        raise unsupported("tools")
    own = [read_tool(tool, place) for place, tool in enumerate(raw)]
    shown = []
    for place, (tool, given) in enumerate(zip(own, raw)):
        if isinstance(tool, FunctionTool):
            tool.parameters = _parameters(tool, place)
            strict = tool.strict is not False
            given = {**given, "parameters": tool.parameters, "strict": strict}
            given.setdefault("description", None)
        shown.append(given)
    choice: Any = request.tool_choice
    if isinstance(choice, dict):
        choice = read_choice(choice)
    _check_choice(choice, own)
    return Tools(own, shown, choice)


def _parameters(tool: FunctionTool, place: int) -> dict[str, Any] | None:
    """Return the schema that the model obeys: where `strict` is absent, made strict.

    A function is strict by default here ("Function calling" guide, read 2026-11-30).
    """
    schema = tool.parameters
    where = f"tools[{place}].parameters"
    if tool.strict is None and malformed_problem(schema) is None:
        schema = _closed(schema, 0)
    what, code = f"function '{tool.name}'", "invalid_function_parameters"
    check_schema(schema, strict=tool.strict is not False, what=what, param=where, code=code)
    problem = incomplete_problem(schema)
    if problem is not None:
        raise SimulatedError(f"Invalid schema for {what}: {problem}", param=where, code=code)
    return schema


def _closed(schema: Any, depth: int) -> Any:
    """Return *schema* with every object closed and all of its properties required."""
    if depth > 64:
        return schema
    if isinstance(schema, list):
        return [_closed(item, depth + 1) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _closed(value, depth + 1) for name, value in schema.items()}
    if made.get("type") == "object" or isinstance(made.get("properties"), dict):
        made.setdefault("properties", {})
        made.setdefault("additionalProperties", False)
        if isinstance(made["properties"], dict):
            made["required"] = list(made["properties"])
    return made


def _check_choice(choice: Any, own: Sequence[FunctionTool | CustomTool | HostedTool]) -> None:
    if choice not in (None, "none", "auto") and not own:
        raise SimulatedError(
            "Tool choice 'required' must be specified with 'tools' parameter."
            if isinstance(choice, str)
            else "Tool choices other than 'auto' require 'tools' to be specified.",
            param="tool_choice",
        )
    known = {
        (tool.__struct_config__.tag, tool.name)
        for tool in own
        if isinstance(tool, (FunctionTool, CustomTool))
    }
    wanted: list[tuple[Any, Any]] = []
    if isinstance(choice, AllowedChoice):
        wanted = [
            (tool.get("type"), str(tool.get("name")))
            for tool in choice.tools
            if tool.get("type") in ("function", "custom")
        ]
    elif choice is not None and not isinstance(choice, str):
        wanted = [(choice.__struct_config__.tag, choice.name)]
    for kind, name in wanted:
        if (kind, name) not in known:
            raise SimulatedError(
                f"Tool choice '{name}' not found in 'tools' parameter.", param="tool_choice"
            )


def texts_of(item: InputItem) -> list[str]:
    """Return the texts of a message or of a tool's output."""
    if isinstance(item, Message):
        content = item.content
    elif isinstance(item, (FunctionCallOutput, CustomCallOutput)):
        content = item.output  # type: ignore[assignment]
    else:
        return []
    if isinstance(content, str):
        return [content]
    return [part.text for part in content if isinstance(part, (InputText, OutputText))]


def check_items(
    items: list[InputItem], known: int, request: ResponsesRequest, rules: ModelRules, account: str
) -> list[str]:
    """Raise the `SimulatedError` for input items that OpenAI would refuse.

    The first *known* items are those of a stored response or conversation. Returns the ids of
    reasoning items that are left out because another family of models made them.
    """
    removed = []
    for place, item in enumerate(items):
        if place >= known:
            _check_id(item, place - known)
            if isinstance(item, Message):
                _check_parts(item, place - known, rules)
            elif isinstance(item, (FunctionCallOutput, CustomCallOutput)):
                _check_media(item.output, f"input[{place - known}].output", rules)
            elif isinstance(item, ItemReference):
                raise _not_found(item.id)
            elif isinstance(item, ReasoningItem) and _check_seal(item, account, rules):
                removed.append(item.id or "")
        _check_order(items, place)
    _check_duplicates(items)
    _check_pairs(items)
    _check_json_word(items, request)
    return removed


def _check_id(item: InputItem, place: int) -> None:
    made = item.id
    kind = "" if isinstance(item, OtherItem) else str(item.__struct_config__.tag)
    begins = _ID_PREFIXES.get(kind)
    if begins is None or made is None or (isinstance(item, Message) and item.role != "assistant"):
        return
    if not made.startswith(begins):
        raise SimulatedError(
            f"Invalid 'input[{place}].id': '{made}'. Expected an ID that begins with '{begins}'.",
            param=f"input[{place}].id",
            code="invalid_value",
        )


def _check_parts(message: Message, place: int, rules: ModelRules) -> None:
    if isinstance(message.content, str):
        return
    where = f"input[{place}].content"
    is_assistant = message.role == "assistant"
    allowed = (OutputText, Refusal) if is_assistant else (InputText, InputImage, InputFile)
    names = " and ".join(f"'{each.__struct_config__.tag}'" for each in allowed[-2:])
    if not is_assistant:
        names = "'input_text', 'input_image', and 'input_file'"
    for number, part in enumerate(message.content):
        if not isinstance(part, allowed):
            raise SimulatedError(
                f"Invalid value: '{part.__struct_config__.tag}'. Supported values are: {names}.",
                param=f"{where}[{number}]",
                code="invalid_value",
            )
    if message.role in ("system", "developer"):
        for number, part in enumerate(message.content):
            if isinstance(part, (InputImage, InputFile)):
                raise SimulatedError(
                    f"Invalid value: '{part.__struct_config__.tag}'. Supported values are: "
                    "'input_text'.",
                    param=f"{where}[{number}]",
                    code="invalid_value",
                )
    _check_media(message.content, where, rules)


def _check_media(content: Any, where: str, rules: ModelRules) -> None:
    if isinstance(content, str):
        return
    for number, part in enumerate(content):
        if isinstance(part, InputImage):
            if rules.lacks("vision"):
                raise SimulatedError(
                    "Invalid content type. image_url is only supported by certain models.",
                    param="input",
                )
            if part.image_url is not None:
                check_image_url(part.image_url, f"{where}[{number}].image_url")
            elif part.file_id is None:
                raise _missing(f"{where}[{number}].image_url")
        elif isinstance(part, InputFile):
            _check_file(part, f"{where}[{number}]")


def _check_file(part: InputFile, where: str) -> None:
    given = [value for value in (part.file_data, part.file_id, part.file_url) if value is not None]
    if not given:
        raise _missing(f"{where}.file_id")
    if len(given) > 1:
        raise SimulatedError(
            "Mutually exclusive parameters: 'file_data', 'file_id' and 'file_url'. Only one of "
            "them can be set.",
            param=where,
            code="mutually_exclusive_parameters",
        )
    media, _ = guess_type(part.file_url or "")
    if part.file_data is None:
        _check_file_type(media or "")
        return
    if part.filename is None:
        raise _missing(f"{where}.filename")
    head, comma, data = part.file_data.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        raise SimulatedError(
            f"Invalid '{where}.file_data'. Expected a base64-encoded data URL with a MIME type "
            "(e.g. 'data:application/pdf;base64,aW1nIGJ5dGVzIGhlcmU='), but got a value without "
            "the 'data:' prefix.",
            param=f"{where}.file_data",
            code="invalid_value",
        )
    _check_file_type(head[len("data:") : -len(";base64")])
    decoded(data, f"{where}.file_data", "file")


def _check_file_type(media: str) -> None:
    if media.partition("/")[0] in ("image", "audio", "video"):
        raise SimulatedError(
            "The file type you uploaded is not supported. Please try again with a pdf",
            param="input",
            code="unsupported_file",
        )


def _missing(where: str) -> SimulatedError:
    return SimulatedError(
        f"Missing required parameter: '{where}'.", param=where, code="missing_required_parameter"
    )


def _not_found(wanted: str) -> SimulatedError:
    return SimulatedError(
        f"Item with id '{wanted}' not found. Items are not persisted when `store` is set to "
        "false. Try again with `store` set to true, or remove this item from your input.",
        status=404,
        param="input",
    )


def _check_seal(item: ReasoningItem, account: str, rules: ModelRules) -> bool:
    """Check a reasoning item's content; return whether the item is left out of the prompt."""
    content = item.encrypted_content
    if content is None:
        if item.id is not None and STORED.item(item.id) is None:
            raise _not_found(item.id)
        if item.id is None:
            raise _missing("input.id")
        return False
    problem = seal_problem(content, item.id, account, rules.id)
    if problem is None or problem == "model":
        return problem == "model"
    reason = {
        "unreadable": "could not be decrypted or parsed",
        "item": "item_id did not match the target item id",
        "organization": "organization_id did not match the target organization",
    }[problem]
    what = f"{content[:4]}...{content[-4:]}" if item.id is None else f"for item {item.id}"
    raise SimulatedError(
        f"The encrypted content {what} could not be verified. Reason: Encrypted content {reason}.",
        code="invalid_encrypted_content",
    )


def _check_order(items: list[InputItem], place: int) -> None:
    """Check the pairs of a reasoning item and what the model wrote after it."""
    item = items[place]
    if isinstance(item, ReasoningItem):
        following = items[place + 1] if place + 1 < len(items) else None
        if not _is_output(following):
            raise SimulatedError(
                f"Item '{item.id}' of type 'reasoning' was provided without its required following "
                "item.",
                param="input",
            )
        return
    made = getattr(item, "id", None)
    needed = follows_reasoning(made) if isinstance(made, str) else None
    if needed is not None:
        before = items[place - 1] if place else None
        if not isinstance(before, ReasoningItem) or before.id not in (needed, None):
            kind = item.kind if isinstance(item, OtherItem) else item.__struct_config__.tag
            raise SimulatedError(
                f"Item '{made}' of type '{kind}' was provided without its required 'reasoning' "
                f"item: '{needed}'.",
                param="input",
            )


def _is_output(item: InputItem | None) -> bool:
    """Return whether the model may have written *item* after its reasoning.

    An assistant's message in the short form (a string, and no id) is the caller's: refused in a
    recording of 2025-09, while an output message without an id is taken.
    """
    if isinstance(item, Message):
        return item.role == "assistant" and (item.id is not None or isinstance(item.content, list))
    if isinstance(item, OtherItem):
        return not item.kind.endswith(("_output", "_response"))
    return isinstance(item, (FunctionCall, CustomCall, ReasoningItem, ItemReference))


def _check_duplicates(items: list[InputItem]) -> None:
    seen: set[str] = set()
    for item in items:
        made = item.id
        if made is None:
            continue
        if made in seen:
            raise SimulatedError(
                f"Duplicate item found with id {made}. Remove duplicate items from your input and "
                "try again.",
                param="input",
            )
        seen.add(made)


def _check_pairs(items: list[InputItem]) -> None:
    for call, output, what in (
        (FunctionCall, FunctionCallOutput, "function call"),
        (CustomCall, CustomCallOutput, "custom tool call"),
    ):
        open_calls: list[str] = []
        for item in items:
            if isinstance(item, call):
                open_calls.append(item.call_id)
            elif isinstance(item, output):
                if item.call_id not in open_calls:
                    raise SimulatedError(
                        f"No tool call found for {what} output with call_id {item.call_id}.",
                        param="input",
                    )
                open_calls.remove(item.call_id)
        if open_calls:
            raise SimulatedError(f"No tool output found for {what} {open_calls[0]}.", param="input")


def _check_json_word(items: list[InputItem], request: ResponsesRequest) -> None:
    wanted = request.text.format if request.text is not None else None
    if isinstance(wanted, JsonObjectFormat) and not any(
        "json" in text.lower()
        for item in items
        if isinstance(item, Message)
        for text in texts_of(item)
    ):
        raise SimulatedError(
            "Response input messages must contain the word 'json' in some form to use "
            "'text.format' of type 'json_object'.",
            param="input",
        )
