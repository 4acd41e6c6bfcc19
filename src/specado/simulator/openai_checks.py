"""Validation of OpenAI requests beyond their types, with OpenAI's error messages.

Wording: error bodies that users of the API report, read 2026-11-22. Path notation differs from
rule to rule because it does so there.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any

from specado.simulator.openai_requests import (
    AssistantMessage,
    AudioPart,
    ChatRequest,
    CustomChoice,
    CustomTool,
    FilePart,
    FunctionChoice,
    ImagePart,
    JsonObjectFormat,
    JsonSchemaFormat,
    ToolMessage,
    UserMessage,
)
from specado.simulator.reply import SimulatedError
from specado.simulator.schema_checks import incomplete_problem, malformed_problem, openai_problem

if TYPE_CHECKING:
    from specado.simulator.models import ModelRules
    from specado.simulator.openai_requests import AnyMessage

__all__ = [
    "check_chat_request",
    "check_image_url",
    "check_schema",
    "decoded",
    "texts_of",
    "unsupported",
]

_DATA_URI = re.compile(r"data:([\w.+-]+/[\w.+-]+)?;base64,(.*)", re.S)
_IMAGE_TYPES = ("image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp")
_DEFAULT_ONLY = {
    "temperature": 1,
    "top_p": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
}


def check_chat_request(request: ChatRequest, rules: ModelRules) -> None:
    """Raise the `SimulatedError` that OpenAI would answer, if any."""
    _check_limits(request, rules)
    _check_sampling(request, rules)
    _check_together(request)
    _check_tools(request, rules)
    _check_format(request, rules)
    _check_messages(request.messages, rules)


def _check_limits(request: ChatRequest, rules: ModelRules) -> None:
    if request.max_tokens is not None and not rules.takes_max_tokens:
        raise SimulatedError(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
            "'max_completion_tokens' instead.",
            param="max_tokens",
            code="unsupported_parameter",
        )
    if request.max_tokens is not None and request.max_completion_tokens is not None:
        raise SimulatedError(
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            param="max_tokens",
            code="invalid_parameter_combination",
        )
    for name in ("max_tokens", "max_completion_tokens"):
        wanted = getattr(request, name)
        if wanted is not None and wanted > (rules.max_output_tokens or wanted):
            raise SimulatedError(
                f"{name} is too large: {wanted}. This model supports at most "
                f"{rules.max_output_tokens} completion tokens, whereas you provided {wanted}.",
                param=name,
                code="invalid_value",
            )


def _check_sampling(request: ChatRequest, rules: ModelRules) -> None:
    for name in rules.unsupported:
        if getattr(request, name) not in (None, False, 0):
            raise unsupported(name)
    effort = request.reasoning_effort
    reasons = (effort or rules.default_effort or "none") != "none"
    if not rules.takes_sampling or (reasons and not rules.sampling_while_reasoning):
        for name, default in _DEFAULT_ONLY.items():
            value = getattr(request, name)
            if value is not None and value != default:
                raise SimulatedError(
                    f"Unsupported value: '{name}' does not support {value:g} with this model. "
                    f"Only the default ({default}) value is supported.",
                    param=name,
                    code="unsupported_value",
                )
        for name in ("logprobs", "top_logprobs", "logit_bias"):
            if getattr(request, name):
                raise unsupported(name)
    if effort is not None and rules.efforts is not None and effort not in rules.efforts:
        if not rules.efforts:
            raise SimulatedError("Unrecognized request argument supplied: reasoning_effort")
        known = ", ".join(f"'{level}'" for level in rules.efforts)
        raise SimulatedError(
            f"Unsupported value: 'reasoning_effort' does not support '{effort}' with this model. "
            f"Supported values are: {known}.",
            param="reasoning_effort",
            code="unsupported_value",
        )
    if request.web_search_options is not None and not rules.web_search_options:
        raise SimulatedError(
            "Web search options not supported with this model.", param="web_search_options"
        )


def unsupported(name: str) -> SimulatedError:
    """Return the error for a parameter that the model does not take."""
    return SimulatedError(
        f"Unsupported parameter: '{name}' is not supported with this model.",
        param=name,
        code="unsupported_parameter",
    )


def _check_together(request: ChatRequest) -> None:
    if request.stream_options is not None and not request.stream:
        raise SimulatedError(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            param="stream_options",
        )
    if request.top_logprobs is not None and not request.logprobs:
        raise SimulatedError(
            "Invalid value for 'top_logprobs': 'logprobs' must be set to true to use "
            "'top_logprobs'.",
            param="top_logprobs",
        )
    audio = request.modalities is not None and "audio" in request.modalities
    if audio and request.audio is None:
        raise SimulatedError(
            "Missing required parameter: 'audio'.",
            param="audio",
            code="missing_required_parameter",
        )


def _check_tools(request: ChatRequest, rules: ModelRules) -> None:
    if request.tools is not None and rules.lacks("function_calling"):
        raise unsupported("tools")
    if request.tools is None:
        for name in ("tool_choice", "parallel_tool_calls"):
            if getattr(request, name) is not None:
                raise SimulatedError(
                    f"Invalid value for '{name}': '{name}' is only allowed when 'tools' are "
                    "specified.",
                    param=name,
                )
        return
    # A model that can leave off reasoning has a default; without one it always reasons.
    effort = request.reasoning_effort or rules.default_effort or "medium"
    if request.tools and not rules.tools_while_reasoning and effort != "none":
        raise SimulatedError(
            f"Function tools with reasoning_effort are not supported for {rules.id} in "
            "/v1/chat/completions. To use function tools, use /v1/responses or set "
            "reasoning_effort to 'none'.",
            param="reasoning_effort",
        )
    names: set[tuple[str, str]] = set()
    for place, tool in enumerate(request.tools):
        if isinstance(tool, CustomTool):
            names.add(("custom", tool.custom.name))
            continue
        function = tool.function
        names.add(("function", function.name))
        check_schema(
            function.parameters,
            strict=bool(function.strict),
            what=f"function '{function.name}'",
            param=f"tools[{place}].function.parameters",
            code="invalid_function_parameters",
        )
        problem = incomplete_problem(function.parameters)
        if problem is not None:
            raise SimulatedError(
                f"Invalid schema for function '{function.name}': {problem}",
                param=f"tools[{place}].function.parameters",
                code="invalid_function_parameters",
            )
    choice = request.tool_choice
    named = None
    if isinstance(choice, FunctionChoice):
        named = ("function", choice.function.name)
    elif isinstance(choice, CustomChoice):
        named = ("custom", choice.custom.name)
    if named is not None and named not in names:
        raise SimulatedError(
            f"Tool choice '{named[1]}' not found in 'tools' parameter.", param="tool_choice"
        )


def check_schema(
    schema: dict[str, Any] | None, *, strict: bool, what: str, param: str, code: str | None
) -> None:
    """Raise the `SimulatedError` for a JSON Schema that OpenAI would not take."""
    if schema is None:
        return
    if schema and schema.get("type", "object") != "object":
        raise SimulatedError(
            f"Invalid schema for {what}: schema must be a JSON Schema of 'type: \"object\"', got "
            f"'type: \"{schema.get('type')}\"'.",
            param=param,
            code=code,
        )
    problem = malformed_problem(schema) or (openai_problem(schema) if strict else None)
    if problem:
        raise SimulatedError(f"Invalid schema for {what}: {problem}", param=param, code=code)


def _check_format(request: ChatRequest, rules: ModelRules) -> None:
    wanted = request.response_format
    refused = (isinstance(wanted, JsonSchemaFormat) and not rules.structured_output) or (
        isinstance(wanted, JsonObjectFormat) and rules.lacks("json_mode")
    )
    if wanted is not None and refused:
        kind = wanted.__struct_config__.tag
        raise SimulatedError(
            f"Invalid parameter: 'response_format' of type '{kind}' is not supported with this "
            "model.",
            param="response_format",
        )
    if isinstance(wanted, JsonSchemaFormat):
        spec = wanted.json_schema
        check_schema(
            spec.schema,
            strict=bool(spec.strict),
            what=f"response_format '{spec.name}'",
            param="response_format",
            code=None,
        )
    elif isinstance(wanted, JsonObjectFormat) and not any(
        "json" in text.lower() for message in request.messages for text in texts_of(message)
    ):
        raise SimulatedError(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of "
            "type 'json_object'.",
            param="messages",
        )


def texts_of(message: AnyMessage) -> list[str]:
    """Return the texts of a message."""
    content = message.content
    if isinstance(content, str):
        return [content]
    return [part.text for part in content or () if hasattr(part, "text")]


def _check_messages(messages: list[AnyMessage], rules: ModelRules) -> None:
    refused = rules.refused_roles
    open_calls: list[str] = []
    for place, message in enumerate(messages):
        if isinstance(message, ToolMessage):
            if message.tool_call_id not in open_calls:
                raise SimulatedError(
                    "Invalid parameter: messages with role 'tool' must be a response to a "
                    "preceeding message with 'tool_calls'.",
                    param=f"messages.[{place}].role",
                )
            open_calls.remove(message.tool_call_id)
            continue
        _all_answered(open_calls, place)
        if isinstance(message, UserMessage):
            if message.content.__class__ is list:
                _check_parts(message.content, place, rules)
        elif isinstance(message, AssistantMessage):
            open_calls = _calls_of(message, place)
        elif refused and (role := message.__struct_config__.tag) in refused:
            where = f"messages[{place}].role"
            raise SimulatedError(
                f"Unsupported value: '{where}' does not support '{role}' with this model.",
                param=where,
                code="unsupported_value",
            )
    _all_answered(open_calls, len(messages))


def _all_answered(open_calls: list[str], place: int) -> None:
    if open_calls:
        raise SimulatedError(
            "An assistant message with 'tool_calls' must be followed by tool messages responding "
            "to each 'tool_call_id'. The following tool_call_ids did not have response messages: "
            + ", ".join(open_calls),
            param=f"messages.[{place}].role",
        )


def _calls_of(message: AssistantMessage, place: int) -> list[str]:
    if message.tool_calls:
        ids = [call.id for call in message.tool_calls]
        repeated = next((made for made in ids if ids.count(made) > 1), None)
        if repeated is not None:
            raise SimulatedError(
                f"Duplicate value for 'tool_call_id' of '{repeated}' in message[{place}].",
                param=f"messages.[{place}].tool_calls",
            )
        return ids
    contents = (message.content, message.refusal, message.function_call, message.audio)
    if all(value is None for value in contents):
        raise SimulatedError(
            "Invalid value for 'content': expected a string, got null.",
            param=f"messages.[{place}].content",
        )
    return []


def _check_parts(parts: Any, place: int, rules: ModelRules) -> None:
    for number, part in enumerate(parts):
        where = f"messages[{place}].content[{number}]"
        if isinstance(part, ImagePart):
            if rules.lacks("vision"):
                raise SimulatedError(
                    "Invalid content type. image_url is only supported by certain models.",
                    param=f"messages.[{place}].content.[{number}].type",
                )
            check_image_url(part.image_url.url, f"{where}.image_url.url")
        elif isinstance(part, AudioPart):
            decoded(part.input_audio.data, f"{where}.input_audio.data", "audio")
        elif isinstance(part, FilePart):
            data = part.file.file_data
            if data is None and part.file.file_id is None:
                raise SimulatedError(
                    f"Missing required parameter: '{where}.file.file_id'.",
                    param=f"{where}.file.file_id",
                    code="missing_required_parameter",
                )
            found = None if data is None else _DATA_URI.fullmatch(data)
            if data is not None and found is None:
                raise SimulatedError(
                    f"Invalid '{where}.file.file_data'. Expected a base64-encoded data URL with a "
                    f"MIME type (e.g. 'data:application/pdf;base64,...'), but got a value without "
                    "the 'data:' prefix.",
                    param=f"{where}.file.file_data",
                    code="invalid_value",
                )
            if found is not None:
                decoded(found[2], f"{where}.file.file_data", "file")


def check_image_url(url: str, where: str) -> None:
    """Raise the `SimulatedError` for an image's URL that OpenAI would not take."""
    if url.startswith(("https://", "http://")):
        return
    found = _DATA_URI.fullmatch(url)
    if found is None:
        raise SimulatedError(
            f"Invalid '{where}'. Expected a base64-encoded data URL with an image "
            "MIME type (e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), but got unsupported "
            "or malformed value.",
            param=where,
            code="invalid_value",
        )
    if found[1] not in _IMAGE_TYPES:
        raise SimulatedError(
            f"Invalid MIME type. Only image types are supported, got '{found[1]}'.",
            param=where,
            code="invalid_image_format",
        )
    decoded(found[2], where, "image_url")


def decoded(data: str, where: str, what: str) -> bytes:
    """Return *data* decoded; raises the `SimulatedError` if it is not base64."""
    try:
        decoded = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if not decoded:
        raise SimulatedError(f"Invalid base64 {what}.", param=where, code="invalid_base64")
    return decoded
