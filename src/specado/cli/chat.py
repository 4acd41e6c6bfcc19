"""`specado chat`: prints a completion, and its attempts and losses on stderr."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any, Optional

import msgspec

from specado.calls.streams import Stream
from specado.catalog.lookup import provider, providers_with
from specado.cli import output
from specado.cli.arguments import DEFAULT_MODELS
from specado.client import Client
from specado.endpoints.access import has_access
from specado.errors import ConfigurationError, MessageFormatError, SimulatedReplyWarning
from specado.routing.candidates import ModelResolver
from specado.settings.client_settings import resolve
from specado.types import Message

if TYPE_CHECKING:
    from argparse import Namespace

    from specado.types import ChatCompletionResponse

__all__ = ["run"]

WRONG_USAGE = 2
# OpenAI's names for why an answer ended, where a reader should know of it.
_ENDINGS = {
    "length": "cut off at the token limit",
    "content_filter": "stopped by the content filter",
}


def run(arguments: Namespace) -> int:
    """Call the model, print the answer, and report attempts and losses on stderr."""
    prompt = _prompt(arguments.prompt)
    if prompt is None:
        output.notice('no prompt: give one (specado chat "Hello"), or pipe it in')
        return WRONG_USAGE
    if not prompt.strip():
        raise MessageFormatError("the prompt is empty", field="prompt")
    asked = _ask(arguments, prompt)
    if isinstance(asked, Stream):
        response = _print_stream(asked, as_json=arguments.json)
    else:
        response = asked
        _print_whole(response, as_json=arguments.json)
    for text in _what_happened(response):
        output.notice(text)
    return 0


def _prompt(given: Optional[str]) -> Optional[str]:
    """Return the prompt, from stdin if it is `-` or not given; `None` if there is none."""
    if given is not None and given != "-":
        return given
    if sys.stdin is None or (given is None and sys.stdin.isatty()):
        return None
    buffer = getattr(sys.stdin, "buffer", None)
    if buffer is None:
        return sys.stdin.read().rstrip("\r\n")
    try:
        text: str = buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MessageFormatError(
            f"the prompt on stdin is not UTF-8 text (byte {error.start})", field="prompt"
        ) from None
    return text.rstrip("\r\n")


def _ask(arguments: Namespace, prompt: str) -> ChatCompletionResponse | Stream:
    config = {
        "fallback_providers": arguments.fallback,
        "strictness": arguments.strictness,
        "timeout_seconds": arguments.timeout,
        "simulate": arguments.simulate or None,
    }
    messages = [] if arguments.system is None else [Message("system", arguments.system)]
    messages.append(Message("user", prompt))
    model = _default_model() if arguments.model is None else arguments.model
    if arguments.fallback:
        model = _with_provider(model)
    with Client(config) as client, warnings.catch_warnings():
        if not output.is_on_terminal():
            # A script must not take a simulated reply for a real one.
            warnings.simplefilter("error", SimulatedReplyWarning)
        try:
            return client.chat.completions.create(
                model,
                messages,
                temperature=arguments.temperature,
                max_tokens=arguments.max_tokens,
                stream=bool(arguments.stream),
            )
        except SimulatedReplyWarning as warning:
            raise ConfigurationError(
                f"no provider has an API key or an address: set {warning.key_setting}, or say "
                "--simulate for a simulated reply"
            ) from None
        except ConfigurationError as error:
            if error.key != "api_key":
                raise
            raise error.with_addition("or say --simulate for a simulated reply") from None


def _print_whole(response: ChatCompletionResponse, *, as_json: bool) -> None:
    if as_json:
        output.document(_as_document(response))
    else:
        message = response.choices[0].message
        output.answer(message.text or message.refusal or "")


def _print_stream(stream: Stream, *, as_json: bool) -> ChatCompletionResponse:
    """Print the stream as it arrives; return the complete reply.

    As JSON each chunk is a line, and the whole reply the last one: a stream that broke off has
    no such line.
    """
    with stream:
        if as_json:
            for chunk in stream:
                output.record(chunk.to_dict())
            output.record(_as_document(stream.response()))
        else:
            with output.pieces() as write:
                for chunk in stream:
                    for choice in chunk.choices:
                        write(choice.delta.content or choice.delta.refusal or "")
    return stream.response()


def _default_model() -> str:
    """Return the default model: that of the first provider with a key or a custom address.

    The primary provider comes first. The model has no prefix where routing finds it without one,
    so that the default fallback holds.
    """
    settings = resolve(None)
    configured = ModelResolver(settings).configured()
    names = sorted(DEFAULT_MODELS, key=lambda name: name != settings.primary_provider)
    for name in names:
        known = provider(name)
        if known is not None and has_access(known, settings):
            model = DEFAULT_MODELS[name]
            return model if name in configured else f"{name}/{model}"
    return DEFAULT_MODELS[names[0]]


def _with_provider(model: str) -> str:
    """Return an id with its provider's prefix, if exactly one lists it, hosts left aside.

    Routing looks for a bare id at the configured providers only: a choice of fallbacks must not
    send it elsewhere.
    """
    lookup = ModelResolver(resolve(None))
    if lookup.takes_ids_whole(lookup.primary):
        return model
    having = providers_with(model)
    makers = [each for each in having if not each.hosts_others] or having
    return f"{makers[0].name}/{model}" if len(makers) == 1 else model


def _as_document(response: ChatCompletionResponse) -> dict[str, Any]:
    """Return the reply as plain JSON objects, with the call's metadata under `extensions`."""
    return {**response.to_dict(), "extensions": msgspec.to_builtins(response.extensions)}


def _what_happened(response: ChatCompletionResponse) -> list[str]:
    """Return a line on who answered, then a line for each failure and each loss."""
    extensions = response.extensions
    metadata = extensions.metadata
    attempts = extensions.attempts
    parts = [f"answered by {extensions.provider_used}/{response.model}"]
    answering = provider(extensions.provider_used)
    if answering is not None and metadata["dialect"] != answering.dialect:
        parts[0] += f" in {metadata['dialect']}"
    if extensions.fallback_triggered:
        parts.append(f"fallback from {metadata['primary_provider']}")
    else:
        parts.append("no fallback")
    parts.append("1 attempt" if attempts == 1 else f"{attempts} attempts")
    ending = _ENDINGS.get(response.choices[0].finish_reason or "")
    if ending is not None:
        parts.append(ending)
    if metadata["simulated"]:
        parts.append("simulated")
    lines = [", ".join(parts)]
    errors = metadata.get("provider_errors", ())
    lines += [f"failed: {text}" for text in dict.fromkeys(errors)]
    if extensions.fallback_triggered:
        lines += [
            f"skipped: {each['provider']}/{each['model']}: {each['reason']}"
            for each in metadata.get("skipped", ())
        ]
    report = metadata.get("lossiness")
    if report is not None:
        lines += [f"lost: {detail}" for detail in report.details]
    return lines
