"""Deterministic answers of the simulated model, computed from the request."""

from __future__ import annotations

import hashlib
import re
from typing import Any, Optional

import msgspec

from specado.simulator.schema_example import example

__all__ = ["PromptFacts", "SimulatedAnswer", "ToolOffer", "answer", "digest", "tokens_of"]

CHARACTERS_PER_TOKEN = 4
MAX_QUOTED_CHARACTERS = 1000
MESSAGE_TOKENS = 4
MIN_TELLING_LETTERS = 4

_WORD = re.compile(r"[^\W_]+")


class ToolOffer(msgspec.Struct):
    """A tool of the request; `schema` is `None` for a tool with free-text input."""

    name: str
    schema: Optional[Any]


class PromptFacts(msgspec.Struct):
    """The facts of a request that determine its answer, for both APIs.

    `choice` is `none`, `auto` or `required`; `named` the tool that must be called; `schema` the
    JSON Schema the answer must obey (`{}`: any object); `last_result` the newest tool result where
    the last turn brought one.
    """

    user_text: str = ""
    user_turns: int = 0
    characters: int = 0
    messages: int = 0
    image_tokens: int = 0
    attachments: int = 0
    last_result: Optional[str] = None
    prefill: str = ""
    tools: list[ToolOffer] = []
    choice: str = "auto"
    named: Optional[str] = None
    schema: Optional[Any] = None
    stops: list[str] = []
    max_tokens: Optional[int] = None

    @property
    def prompt_tokens(self) -> int:
        """The estimated size of the prompt."""
        return (
            -(-self.characters // CHARACTERS_PER_TOKEN)
            + self.messages * MESSAGE_TOKENS
            + self.image_tokens
        )


class SimulatedAnswer(msgspec.Struct):
    """One answer: text, or one tool call with its arguments as JSON text (or free text).

    `ended` is `stop`, `length`, `tool_calls` or `stop_sequence`.
    """

    text: str
    ended: str
    tokens: int
    tool: Optional[ToolOffer] = None
    arguments: str = ""
    stop_sequence: Optional[str] = None


def digest(body: bytes) -> str:
    """Return a hash of *body* as 24 hexadecimal digits."""
    return hashlib.blake2b(body, digest_size=12).hexdigest()


def tokens_of(text: str) -> int:
    """Return the estimated number of tokens of *text*."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def answer(prompt: PromptFacts, number: int = 0) -> SimulatedAnswer:
    """Return answer *number* (0 for the first choice) to the conversation."""
    tool = _tool_to_call(prompt)
    if tool is not None:
        return _call(prompt, tool)
    if prompt.schema is not None:
        text = msgspec.json.encode(example(prompt.schema)).decode()
    else:
        text = _sentence(prompt, number)
    text, ended, stop = _cut(text, prompt)
    return SimulatedAnswer(text, ended, tokens_of(text), stop_sequence=stop)


def _sentence(prompt: PromptFacts, number: int) -> str:
    if prompt.last_result is not None:
        said = f"The tool answered: {prompt.last_result[:MAX_QUOTED_CHARACTERS]}"
    else:
        turn = f" {prompt.user_turns}" if prompt.user_turns > 1 else ""
        said = f"Simulated reply{turn} to: {prompt.user_text[:MAX_QUOTED_CHARACTERS]}"
    if prompt.attachments:
        said += f" (with {prompt.attachments} attachment{'s' if prompt.attachments > 1 else ''})"
    if number:
        said += f" (choice {number + 1})"
    return said


def _tool_to_call(prompt: PromptFacts) -> ToolOffer | None:
    if not prompt.tools or prompt.choice == "none":
        return None
    if prompt.named is not None:
        return next((tool for tool in prompt.tools if tool.name == prompt.named), None)
    if prompt.choice == "required":
        return _mentioned(prompt) or prompt.tools[0]
    return None if prompt.last_result is not None else _mentioned(prompt)


def _mentioned(prompt: PromptFacts) -> ToolOffer | None:
    said = {word.lower() for word in _WORD.findall(prompt.user_text)}
    for tool in prompt.tools:
        telling = {
            word.lower() for word in _WORD.findall(tool.name) if len(word) >= MIN_TELLING_LETTERS
        }
        if telling & said:
            return tool
    return None


def _call(prompt: PromptFacts, tool: ToolOffer) -> SimulatedAnswer:
    if tool.schema is None:
        arguments = prompt.user_text[:MAX_QUOTED_CHARACTERS]
    else:
        arguments = msgspec.json.encode(example(tool.schema)).decode()
    used = tokens_of(tool.name) + tokens_of(arguments)
    if prompt.max_tokens is not None and used > prompt.max_tokens:
        kept = max(prompt.max_tokens - tokens_of(tool.name), 0) * CHARACTERS_PER_TOKEN
        return SimulatedAnswer("", "length", prompt.max_tokens, tool, arguments[:kept])
    return SimulatedAnswer("", "tool_calls", used, tool, arguments)


def _cut(text: str, prompt: PromptFacts) -> tuple[str, str, Optional[str]]:
    ended, found = "stop", None
    for stop in prompt.stops:
        place = text.find(stop) if stop else -1
        if place >= 0:
            text, ended, found = text[:place], "stop_sequence", stop
    limit = prompt.max_tokens
    if limit is not None and len(text) > limit * CHARACTERS_PER_TOKEN:
        return text[: limit * CHARACTERS_PER_TOKEN], "length", None
    return text, ended, found
