"""Validation of Gemini requests beyond their messages, with Google's error messages.

Wording: recorded error bodies and those that users of the API report, read 2026-11-30.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from specado.simulator.gemini_requests import PART_DATA, Backend, invalid_argument
from specado.simulator.gemini_schemas import check_json_schema, check_schema
from specado.simulator.gemini_signatures import STAND_INS, is_genuine

if TYPE_CHECKING:
    from specado.simulator.gemini_models import GeminiRules
    from specado.simulator.models import ModelRules
    from specado.simulator.reply import SimulatedError

__all__ = ["calls_of", "check_content", "check_request", "functions_of", "responses_of"]

MAX_STOPS = 5
MAX_CHOICES = 8
_FUNCTION_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}")
_IMAGES = ("image/png", "image/jpeg", "image/webp", "image/heic", "image/heif")
_MIME_TYPE = re.compile(r"(image|audio|video|text|application)/[\w.+-]+")
_JSON = "application/json"
_FORMATS = ("text/plain", _JSON, "text/x.enum")
_RANGES = {"temperature": (0, 2), "topP": (0, 1), "logprobs": (0, 20)}
_BUILT_IN = (
    "googleSearch",
    "googleSearchRetrieval",
    "urlContext",
    "codeExecution",
    "computerUse",
    "fileSearch",
    "googleMaps",
)


def check_request(
    request: dict[str, Any],
    rules: GeminiRules,
    limits: ModelRules,
    backend: Backend,
    *,
    streams: bool,
) -> None:
    """Raise the `SimulatedError` that Google would answer, if any."""
    check_content(request, rules, backend)
    config = request.get("generationConfig", {})
    _check_sampling(config, rules, limits, backend, streams=streams)
    _check_thinking(config.get("thinkingConfig", {}), rules, limits)
    _check_tools(request, rules, backend)
    _check_choice(request)
    _check_format(request, config, rules)
    if "cachedContent" in request and any(
        name in request for name in ("systemInstruction", "tools", "toolConfig")
    ):
        raise invalid_argument(
            "CachedContent can not be used with GenerateContent request setting "
            "system_instruction, tools or tool_config.\n\nProposed fix: move those values to "
            "CachedContent from GenerateContent request."
        )


def check_content(request: dict[str, Any], rules: GeminiRules, backend: Backend) -> None:
    """Raise the `SimulatedError` for contents that Google would refuse."""
    contents = request.get("contents") or []
    if not contents:
        raise invalid_argument("* GenerateContentRequest.contents: contents is not specified\n")
    for place, content in enumerate(contents):
        _check_parts(content, f"GenerateContentRequest.contents[{place}]", rules, backend)
        roles = ("user", "model") if rules.is_newest else ("user", "model", "function")
        if content.get("role") not in (None, "", *roles):
            raise invalid_argument("Please use a valid role: user, model.")
    for part in request.get("systemInstruction", {}).get("parts", ()):
        if "text" not in part:
            raise invalid_argument("System instruction must contain text parts only.")
    turns = _turns(contents)
    _check_turns(turns)
    if rules.ends_with_user and turns[-1]["role"] == "model":
        raise invalid_argument(
            "The last turn of contents must not be of role model: prefilling the answer is not "
            "supported by this model."
        )
    _check_signatures(contents, rules, backend)


def _check_parts(content: dict[str, Any], where: str, rules: GeminiRules, backend: Backend) -> None:
    parts = content.get("parts") or []
    if not parts:
        raise invalid_argument(f"* {where}.parts: contents.parts must not be empty.\n")
    for place, part in enumerate(parts):
        at = f"{where}.parts[{place}]"
        if not any(name in part for name in PART_DATA):
            raise invalid_argument(
                f"* {at}.data: required oneof field 'data' must have one initialized field\n"
            )
        if "inlineData" in part:
            _check_blob(part["inlineData"], f"{at}.inline_data")
        if "fileData" in part:
            _check_file(part["fileData"], f"{at}.file_data", backend)
        if "functionCall" in part:
            _check_name(part["functionCall"], f"{at}.function_call")
        if "functionResponse" in part:
            _check_name(part["functionResponse"], f"{at}.function_response")
            _check_media(part["functionResponse"], at, rules, backend)


def _check_blob(blob: dict[str, Any], at: str) -> None:
    media = blob.get("mimeType", "")
    if not media:
        raise invalid_argument(f"* {at}.mime_type: must not be empty.\n")
    if not _MIME_TYPE.fullmatch(media) or (media.startswith("image/") and media not in _IMAGES):
        raise invalid_argument(f"Unsupported MIME type: {media}")
    if not blob.get("data"):
        raise invalid_argument(f"* {at}.data: must not be empty.\n")


def _check_file(data: dict[str, Any], at: str, backend: Backend) -> None:
    address = data.get("fileUri", "")
    if not address:
        raise invalid_argument(f"* {at}.file_uri: must not be empty.\n")
    if backend == "vertex" and not data.get("mimeType"):
        raise invalid_argument(
            "Unable to submit request because it has an empty mimeType parameter in fileData."
        )
    if backend == "studio" and address.startswith("gs://"):
        raise invalid_argument(f"Invalid or unsupported file uri: {address}")


def _check_name(call: dict[str, Any], at: str) -> None:
    if not call.get("name"):
        raise invalid_argument(f"* {at}.name: Name cannot be empty.\n")


def _check_media(response: dict[str, Any], at: str, rules: GeminiRules, backend: Backend) -> None:
    parts = response.get("parts") or ()
    if parts and not rules.is_newest:
        raise invalid_argument("Multimodal function responses are not supported by this model.")
    for part in parts:
        if "inlineData" in part:
            _check_blob(part["inlineData"], f"{at}.function_response.parts.inline_data")
        if "fileData" in part:
            _check_file(part["fileData"], f"{at}.function_response.parts.file_data", backend)


def calls_of(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the parts of a content that are function calls."""
    return [part for part in content.get("parts") or () if "functionCall" in part]


def responses_of(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the function responses of a content."""
    return [
        part["functionResponse"]
        for part in content.get("parts") or ()
        if "functionResponse" in part
    ]


def _turns(contents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the contents with neighbours of one role joined: recorded requests have both."""
    turns: list[dict[str, Any]] = []
    for content in contents:
        role = "model" if content.get("role") == "model" else "user"
        parts = list(content.get("parts") or ())
        if turns and turns[-1]["role"] == role:
            turns[-1]["parts"] += parts
        else:
            turns.append({"role": role, "parts": parts})
    return turns


def _check_turns(turns: list[dict[str, Any]]) -> None:
    for place, turn in enumerate(turns):
        calls, responses = calls_of(turn), responses_of(turn)
        if calls and turn["role"] == "model":
            if place == 0:
                raise invalid_argument(
                    "Please ensure that function call turn comes immediately after a user turn or "
                    "after a function response turn."
                )
            following = turns[place + 1] if place + 1 < len(turns) else None
            if following is not None and len(responses_of(following)) != len(calls):
                raise invalid_argument(
                    "Please ensure that the number of function response parts is equal to the "
                    "number of function call parts of the function call turn."
                )
        elif responses and (place == 0 or not calls_of(turns[place - 1])):
            raise invalid_argument(
                "Please ensure that function response turn comes immediately after a function "
                "call turn."
            )


def _check_signatures(contents: list[dict[str, Any]], rules: GeminiRules, backend: Backend) -> None:
    """Check the thought signatures of the current turn, from the last real user message on."""
    start = max(
        (
            place
            for place, content in enumerate(contents)
            if content.get("role") != "model" and not responses_of(content)
        ),
        default=0,
    )
    for place in range(start, len(contents)):
        content = contents[place]
        if content.get("role") != "model":
            continue
        calls = calls_of(content)
        for part in content.get("parts") or ():
            signature = part.get("thoughtSignature")
            if signature and signature not in STAND_INS:
                _check_signature(signature, part, rules, backend)
        if rules.is_newest and calls and not calls[0].get("thoughtSignature"):
            name = calls[0]["functionCall"]["name"]
            raise invalid_argument(
                "Function call is missing a thought_signature in functionCall parts. This is "
                "required for tools to work correctly, and missing thought_signature may lead to "
                "degraded model performance. Additional data, function call "
                f"`default_api:{name}` , position {place + 1}. Please refer to "
                "https://ai.google.dev/gemini-api/docs/thought-signatures for more details."
            )


def _check_signature(
    signature: str, part: dict[str, Any], rules: GeminiRules, backend: Backend
) -> None:
    if not rules.thinks or is_genuine(signature, part, backend):
        return
    if backend == "vertex":
        raise invalid_argument("Thought signature is not valid.")
    raise invalid_argument("Corrupted thought signature.")


def _check_sampling(
    config: dict[str, Any],
    rules: GeminiRules,
    limits: ModelRules,
    backend: Backend,
    *,
    streams: bool,
) -> None:
    where = "* GenerateContentRequest.generation_config"
    for name, (low, high) in _RANGES.items():
        value = config.get(name)
        if value is not None and not low <= value <= high:
            snake = "top_p" if name == "topP" else name
            raise invalid_argument(
                f"{where}.{snake}: {snake} must be in the range [{low:.1f}, {high:.1f}].\n"
            )
    if len(config.get("stopSequences") or ()) > MAX_STOPS:
        raise invalid_argument(f"{where}.stop_sequences: at most {MAX_STOPS} are allowed.\n")
    if any(not stop for stop in config.get("stopSequences") or ()):
        raise invalid_argument(f"{where}.stop_sequences: must not be empty.\n")
    _check_lengths(config, rules, limits, backend, streams=streams)
    if rules.is_newest and (config.get("presencePenalty") or config.get("frequencyPenalty")):
        raise invalid_argument(f"Penalty is not enabled for models/{limits.id}")
    if config.get("logprobs") is not None and not config.get("responseLogprobs"):
        raise invalid_argument("Logprobs are set, but response_logprobs is not true.")


def _check_lengths(
    config: dict[str, Any],
    rules: GeminiRules,
    limits: ModelRules,
    backend: Backend,
    *,
    streams: bool,
) -> None:
    wanted = config.get("maxOutputTokens")
    most = limits.max_output_tokens
    if wanted is not None and wanted < 1:
        raise invalid_argument(
            "* GenerateContentRequest.generation_config.max_output_tokens: max_output_tokens must "
            "be positive.\n"
        )
    if wanted is not None and most is not None and wanted > most and backend == "vertex":
        raise invalid_argument(
            f"Unable to submit request because it has a maxOutputTokens value of {wanted} but the "
            f"supported range is from 1 (inclusive) to {most + 1} (exclusive). Update the value "
            "and try again."
        )
    choices = config.get("candidateCount") or 1
    if not 1 <= choices <= MAX_CHOICES:
        raise invalid_argument(
            f"* GenerateContentRequest.generation_config.candidate_count: must be between 1 and "
            f"{MAX_CHOICES}.\n"
        )
    # Vertex AI takes more than one of Gemini 3 (googleapis/python-genai#1723, 2026-04), AI Studio
    # does not (googleapis/js-genai#1609, 2026-05).
    if choices > 1 and (streams or (rules.is_newest and backend == "studio")):
        raise invalid_argument("Multiple candidates is not enabled for this model")


def _check_thinking(config: dict[str, Any], rules: GeminiRules, limits: ModelRules) -> None:
    budget, level = config.get("thinkingBudget"), config.get("thinkingLevel")
    if budget is not None and level is not None:
        raise invalid_argument("You can only set only one of thinking budget and thinking level.")
    if rules.budget is None:
        # A budget of 0 asks for what the model does anyway: it was answered in recordings.
        if budget or level is not None or config.get("includeThoughts"):
            raise invalid_argument(f"Thinking is not enabled for models/{limits.id}")
        return
    if level is not None and level not in rules.levels:
        raise invalid_argument(
            f"Thinking level {level} is not supported for this model. Please retry with other "
            "thinking level."
            if rules.levels
            else "Thinking level is not supported for this model."
        )
    can_be_off, low, high = rules.budget
    if budget is None or budget == -1 or (budget == 0 and can_be_off):
        return
    if budget == 0:
        raise invalid_argument("Budget 0 is invalid. This model only works in thinking mode.")
    if not low <= budget <= high:
        raise invalid_argument(
            f"The thinking budget ({budget}) is invalid. Please choose a value between {low} and "
            f"{high}."
        )


def functions_of(request: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the function declarations of all tools."""
    return [
        function
        for tool in request.get("tools") or ()
        for function in tool.get("functionDeclarations") or ()
    ]


def _check_tools(request: dict[str, Any], rules: GeminiRules, backend: Backend) -> None:
    names: set[str] = set()
    for place, tool in enumerate(request.get("tools") or ()):
        for number, function in enumerate(tool.get("functionDeclarations") or ()):
            at = f"GenerateContentRequest.tools[{place}].function_declarations[{number}]"
            name = function.get("name", "")
            if not _FUNCTION_NAME.fullmatch(name):
                raise invalid_argument(
                    f"* {at}.name: [FIELD_INVALID] Invalid function name. Must start with a letter "
                    "or an underscore. Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots "
                    "(.), colons (:), or dashes (-), with a maximum length of 128.\n"
                )
            if name in names:
                raise invalid_argument(f"Duplicate function declaration found: {name}")
            names.add(name)
            if "parameters" in function and "parametersJsonSchema" in function:
                raise invalid_argument(
                    f"* {at}: only one of parameters and parameters_json_schema can be set.\n"
                )
            if "parameters" in function:
                check_schema(function["parameters"], f"{at}.parameters")
            elif "parametersJsonSchema" in function:
                check_json_schema(function["parametersJsonSchema"], f"{at}.parameters_json_schema")
    built_in = [name for tool in request.get("tools") or () for name in _BUILT_IN if name in tool]
    if names and built_in:
        _check_mixed(request, rules, backend)


def _check_mixed(request: dict[str, Any], rules: GeminiRules, backend: Backend) -> None:
    if not rules.is_newest:
        raise invalid_argument("Tool use with function calling is unsupported")
    config = request.get("toolConfig", {})
    if backend == "studio" and not config.get("includeServerSideToolInvocations"):
        raise invalid_argument(
            "Please enable tool_config.include_server_side_tool_invocations to use Built-in tools "
            "with Function calling."
        )


def _check_choice(request: dict[str, Any]) -> None:
    config = request.get("toolConfig", {}).get("functionCallingConfig")
    if config is None:
        return
    names = {function["name"] for function in functions_of(request)}
    if not names and not request.get("tools"):
        raise invalid_argument("Function calling config is set without function_declarations.")
    allowed = config.get("allowedFunctionNames") or []
    if allowed and config.get("mode") not in ("ANY", "VALIDATED"):
        raise invalid_argument(
            "Allowed function names are only supported when the function calling mode is ANY or "
            "VALIDATED."
        )
    unknown = next((name for name in allowed if name not in names), None)
    if unknown is not None:
        raise invalid_argument(
            f"Allowed function name '{unknown}' is not one of the function_declarations."
        )


def _check_format(request: dict[str, Any], config: dict[str, Any], rules: GeminiRules) -> None:
    media = config.get("responseMimeType", "")
    if media not in ("", *_FORMATS):
        raise invalid_argument(
            "* GenerateContentRequest.generation_config.response_mime_type: allowed mimetypes are "
            "`text/plain`, `application/json`, `application/xml`, `application/yaml` and "
            "`text/x.enum`.\n"
        )
    if "responseSchema" in config and "responseJsonSchema" in config:
        raise invalid_argument("Only one of response_schema and response_json_schema can be set.")
    where = "GenerateContentRequest.generation_config"
    if "responseSchema" in config:
        check_schema(config["responseSchema"], f"{where}.response_schema")
    if "responseJsonSchema" in config:
        check_json_schema(config["responseJsonSchema"], f"{where}.response_json_schema")
    has_schema = "responseSchema" in config or "responseJsonSchema" in config
    if has_schema and media not in (_JSON, "text/x.enum"):
        raise invalid_argument(
            f"* {where}.response_schema: only allowed when response_mime_type is "
            "`application/json`.\n"
        )
    if media == _JSON and functions_of(request) and not rules.is_newest:
        raise invalid_argument(
            f"Function calling with a response mime type: '{_JSON}' is unsupported"
        )


def too_long(tokens: int, window: int) -> SimulatedError:
    """Return the error for a prompt that is longer than the context window."""
    return invalid_argument(
        f"The input token count ({tokens}) exceeds the maximum number of tokens allowed ({window})."
    )
