"""Request parameters: the keyword arguments of `create`, their types and checks.

Names and meanings are OpenAI's (`openai.types.chat.completion_create_params` 3.54,
2026-11-22). `OPTIONS` control the call (time limits, retries) and are sent to no provider.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any, Callable, Optional, Protocol, TypedDict, Union

from specado._core import write_format_schema, write_tool_schemas
from specado.errors import ConfigurationError, MessageFormatError
from specado.settings.client_settings import SETTINGS
from specado.settings.validators import (
    STRICTNESSES,
    HiddenArguments,
    checked_headers,
    closest,
    count,
    duplicate_option,
    invalid_value,
    one_of,
    seconds,
    short_repr,
    timeouts,
)

__all__ = [
    "OPTIONS",
    "PARAMETERS",
    "SUGGESTIONS",
    "CompletionParams",
    "TimeoutParts",
    "check",
]


class TimeoutParts(Protocol):
    """Attributes of an `httpx.Timeout`: limits in seconds, `None` for no limit."""

    connect: Optional[float]
    read: Optional[float]
    write: Optional[float]
    pool: Optional[float]


class CompletionOptions(TypedDict, total=False):
    """Options of one call; the page "Completions" explains each."""

    timeout: Union[float, TimeoutParts]
    timeout_seconds: float
    attempt_timeout_seconds: float
    content_timeout_seconds: float
    max_retries: int
    strictness: str
    fallback_models: list[str]
    extra_headers: Mapping[str, str]
    extra_query: Mapping[str, str]
    extra_body: Mapping[str, Any]


class CompletionParams(CompletionOptions, total=False):
    """Types of the keyword arguments of `create` beyond those in its signature."""

    audio: dict[str, Any]
    frequency_penalty: float
    function_call: Union[str, dict[str, Any]]
    functions: list[dict[str, Any]]
    logit_bias: dict[str, int]
    logprobs: bool
    max_completion_tokens: int
    metadata: dict[str, str]
    modalities: list[str]
    moderation: dict[str, Any]
    n: int
    parallel_tool_calls: bool
    prediction: dict[str, Any]
    presence_penalty: float
    prompt_cache_key: str
    prompt_cache_options: dict[str, Any]
    prompt_cache_retention: str
    reasoning_effort: str
    response_format: dict[str, Any]
    safety_identifier: str
    seed: int
    service_tier: str
    stop: Union[str, list[str]]
    store: bool
    stream_options: dict[str, Any]
    tool_choice: Union[str, dict[str, Any]]
    tools: list[dict[str, Any]]
    top_logprobs: int
    top_p: float
    user: str
    verbosity: str
    web_search_options: dict[str, Any]


def _wrong(name: str, value: Any, wanted: str) -> MessageFormatError:
    shown = short_repr(value, f"a {type(value).__name__}")
    return MessageFormatError(f"{name} must be {wanted}, not {shown}", field=name)


def _number(name: str, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _wrong(name, value, "a finite number")
    if not -sys.float_info.max <= value <= sys.float_info.max:
        raise _wrong(name, value, "a finite number")
    return value


def _whole(name: str, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(name, value, "a whole number")
    return value


def _count(name: str, value: Any) -> Any:
    if _whole(name, value) < 1:
        raise _wrong(name, value, "1 or more")
    return value


def _text(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        raise _wrong(name, value, "a str")
    return value


def _flag(name: str, value: Any) -> Any:
    if not isinstance(value, bool):
        raise _wrong(name, value, "True or False")
    return value


def _dict(name: str, value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise _wrong(name, value, "a dict")
    return value if isinstance(value, dict) else dict(value)


def _text_or_dict(name: str, value: Any) -> Any:
    return value if isinstance(value, str) else _dict(name, value)


def _texts(name: str, value: Any) -> Any:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise _wrong(name, value, "a list of str")
    return [_text(f"{name}[{place}]", item) for place, item in enumerate(value)]


def _stop(name: str, value: Any) -> Any:
    return value if isinstance(value, str) else _texts(name, value)


def _dicts(name: str, value: Any) -> Any:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise _wrong(name, value, "a list of dicts")
    return [_dict(f"{name}[{place}]", item) for place, item in enumerate(value)]


def _tools(name: str, value: Any) -> Any:
    return write_tool_schemas(_dicts(name, value))


def _format(name: str, value: Any) -> Any:
    return write_format_schema(_dict(name, value))


PARAMETERS: dict[str, Callable[[str, Any], Any]] = {
    "temperature": _number,
    "max_tokens": _count,
    "audio": _dict,
    "frequency_penalty": _number,
    "function_call": _text_or_dict,
    "functions": _dicts,
    "logit_bias": _dict,
    "logprobs": _flag,
    "max_completion_tokens": _count,
    "metadata": _dict,
    "modalities": _texts,
    "moderation": _dict,
    "n": _count,
    "parallel_tool_calls": _flag,
    "prediction": _dict,
    "presence_penalty": _number,
    "prompt_cache_key": _text,
    "prompt_cache_options": _dict,
    "prompt_cache_retention": _text,
    "reasoning_effort": _text,
    "response_format": _format,
    "safety_identifier": _text,
    "seed": _whole,
    "service_tier": _text,
    "stop": _stop,
    "store": _flag,
    "stream": _flag,
    "stream_options": _dict,
    "tool_choice": _text_or_dict,
    "tools": _tools,
    "top_logprobs": _whole,
    "top_p": _number,
    "user": _text,
    "verbosity": _text,
    "web_search_options": _dict,
}


def _models(name: str, value: Any) -> list[str]:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise invalid_value(name, value, "a list of models, such as ['anthropic/claude-opus-4-5']")
    models = list(value)
    for place, model in enumerate(models):
        if not isinstance(model, str):
            raise invalid_value(f"{name}[{place}]", model, "a model's name")
    return [str.__str__(model) for model in models]


def _members(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise invalid_value(name, value, "{name: value}")
    return dict(value)


def _is_unicode(value: Any) -> bool:
    """Return whether *value* is text that UTF-8 can encode: without lone surrogates."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _query(name: str, value: Any) -> dict[str, str]:
    found = HiddenArguments(_members(name, value))
    for key, item in found.items():
        if not _is_unicode(key) or not _is_unicode(item):
            raise invalid_value(f"{name}[{key!r}]", item, "text under a name that is text")
    return found


def _without_traceback(check: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    """Return *check* with the inner frames, which hold the values, cut from tracebacks."""

    def checked(name: str, value: Any) -> Any:
        try:
            return check(name, value)
        except ConfigurationError as error:
            raise error.with_traceback(None) from None

    return checked


OPTIONS: dict[str, Callable[[str, Any], Any]] = {
    "timeout": timeouts,
    "timeout_seconds": seconds,
    "attempt_timeout_seconds": seconds,
    "content_timeout_seconds": seconds,
    "max_retries": count(0),
    "strictness": one_of(*STRICTNESSES),
    "fallback_models": _models,
    "extra_headers": _without_traceback(checked_headers),
    "extra_query": _without_traceback(_query),
    "extra_body": _members,
}


# Parameters of other libraries and APIs, and what to write here instead.
_BY_CLIENT = "write client.with_options(providers={{'openai': {{{0}: …}}}})"
_SYSTEM = "write a message {'role': 'system', 'content': …}"
_BY_BODY = "write extra_body={{{0!r}: …}}, for a provider that has it"
SUGGESTIONS: dict[str, str] = {
    "api_base": _BY_CLIENT.format("'base_url'"),
    "api_key": _BY_CLIENT.format("'api_key'"),
    "base_url": _BY_CLIENT.format("'base_url'"),
    "default_headers": _BY_CLIENT.format("'headers'"),
    "organization": _BY_CLIENT.format("'headers'"),
    "drop_params": "write strictness='coerce'",
    "fallbacks": "write fallback_models=[…]",
    "headers": "write extra_headers={…}",
    "input": "write messages=…",
    "instructions": _SYSTEM,
    "max_new_tokens": "write max_completion_tokens=…",
    "max_output_tokens": "write max_completion_tokens=…",
    "max_tokens_to_sample": "write max_completion_tokens=…",
    "mock_response": "write client.with_options(simulate=True)",
    "num_retries": "write max_retries=…",
    "prompt": "write messages=…",
    "reasoning": "write reasoning_effort=…",
    "request_timeout": "write timeout_seconds=…",
    "response_schema": "write response_format={…}",
    "retries": "write max_retries=…",
    "stop_sequences": "write stop=[…]",
    "system": _SYSTEM,
    "system_instruction": _SYSTEM,
    "system_prompt": _SYSTEM,
    **{
        name: _BY_BODY.format(name)
        for name in (
            "cache_control", "container", "context_management", "inference_geo", "mcp_servers",
            "min_p", "output_config", "repetition_penalty", "speed", "thinking", "top_k",
        )
    },
}  # fmt: skip


def _unknown(function: str, name: str) -> TypeError:
    """Return the error for an unknown parameter, with a suggestion."""
    known = [*PARAMETERS, *OPTIONS, "model", "messages"]
    near = closest(name, known)
    if name in SUGGESTIONS:
        hint = SUGGESTIONS[name]
    elif name in SETTINGS:
        hint = f"it is a setting of the client: write client.with_options({name}=…)"
    else:
        hint = f"did you mean {near!r}?" if near else ""
    hint = f"; {hint}" if hint else ""
    return TypeError(f"{function}() got an unexpected keyword argument {name!r}{hint}")


def check(
    given: Mapping[str, Any], function: str = "create"
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the checked request parameters and the checked options of a call.

    A value of `None` counts as not given. *function* is the called method, for the
    error. A `timeout` that is an `httpx.Timeout` becomes the options `connect_timeout_seconds` and
    `idle_timeout_seconds`.

    Schemas are serialised to JSON here, once for all candidates of the call.

    Raises:
        TypeError: a name is not known (the error suggests another), or both `timeout` and
            `timeout_seconds` are given.
        MessageFormatError: a value has a wrong type, or a schema no JSON form.
        ConfigurationError: an option has a wrong value.
    """
    parameters: dict[str, Any] = {}
    options: dict[str, Any] = {}
    for name, value in given.items():
        checked = PARAMETERS.get(name)
        if checked is not None:
            if value is not None:
                parameters[name] = checked(name, value)
        elif name == "timeout":
            if value is not None:
                if given.get("timeout_seconds") is not None:
                    raise duplicate_option(function, "timeout", "timeout_seconds")
                options.update(timeouts(name, value))
        elif name in OPTIONS:
            if value is not None:
                options[name] = OPTIONS[name](name, value)
        else:
            raise _unknown(function, name)
    return parameters, options
