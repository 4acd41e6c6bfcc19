"""What the simulated model says: fixed by the conversation, and about it."""

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
    """A tool that the request offers; `schema` is `None` for one that takes free text."""

    name: str
    schema: Optional[Any]


class PromptFacts(msgspec.Struct):
    """What an answer depends on, whichever API it came by.

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
    """Return 24 hexadecimal digits that stand for *body*."""
    return hashlib.blake2b(body, digest_size=12).hexdigest()


def tokens_of(text: str) -> int:
    """Return the estimated number of tokens of *text*."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def answer(talk: PromptFacts, number: int = 0) -> SimulatedAnswer:
    """Return answer *number* (0 for the first choice) to the conversation."""
    tool = _tool_to_call(talk)
    if tool is not None:
        return _call(talk, tool)
    if talk.schema is not None:
        text = msgspec.json.encode(example(talk.schema)).decode()
    else:
        text = _sentence(talk, number)
    text, ended, stop = _cut(text, talk)
    return SimulatedAnswer(text, ended, tokens_of(text), stop_sequence=stop)


def _sentence(talk: PromptFacts, number: int) -> str:
    if talk.last_result is not None:
        said = f"The tool answered: {talk.last_result[:MAX_QUOTED_CHARACTERS]}"
    else:
        turn = f" {talk.user_turns}" if talk.user_turns > 1 else ""
        said = f"Simulated reply{turn} to: {talk.user_text[:MAX_QUOTED_CHARACTERS]}"
    if talk.attachments:
        said += f" (with {talk.attachments} attachment{'s' if talk.attachments > 1 else ''})"
    if number:
        said += f" (choice {number + 1})"
    return said


def _tool_to_call(talk: PromptFacts) -> ToolOffer | None:
    if not talk.tools or talk.choice == "none":
        return None
    if talk.named is not None:
        return next((tool for tool in talk.tools if tool.name == talk.named), None)
    if talk.choice == "required":
        return _mentioned(talk) or talk.tools[0]
    return None if talk.last_result is not None else _mentioned(talk)


def _mentioned(talk: PromptFacts) -> ToolOffer | None:
    said = {word.lower() for word in _WORD.findall(talk.user_text)}
    for tool in talk.tools:
        telling = {
            word.lower() for word in _WORD.findall(tool.name) if len(word) >= MIN_TELLING_LETTERS
        }
        if telling & said:
            return tool
    return None


def _call(talk: PromptFacts, tool: ToolOffer) -> SimulatedAnswer:
    if tool.schema is None:
        arguments = talk.user_text[:MAX_QUOTED_CHARACTERS]
    else:
        arguments = msgspec.json.encode(example(tool.schema)).decode()
    used = tokens_of(tool.name) + tokens_of(arguments)
    if talk.max_tokens is not None and used > talk.max_tokens:
        kept = max(talk.max_tokens - tokens_of(tool.name), 0) * CHARACTERS_PER_TOKEN
        return SimulatedAnswer("", "length", talk.max_tokens, tool, arguments[:kept])
    return SimulatedAnswer("", "tool_calls", used, tool, arguments)


def _cut(text: str, talk: PromptFacts) -> tuple[str, str, Optional[str]]:
    ended, found = "stop", None
    for stop in talk.stops:
        place = text.find(stop) if stop else -1
        if place >= 0:
            text, ended, found = text[:place], "stop_sequence", stop
    limit = talk.max_tokens
    if limit is not None and len(text) > limit * CHARACTERS_PER_TOKEN:
        return text[: limit * CHARACTERS_PER_TOKEN], "length", None
    return text, ended, found
