"""Form of a simulated OpenAI-compatible provider: where it differs from OpenAI."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Optional

import msgspec

from specado.simulator.openai_stream import STREAM
from specado.simulator.stream_faults import StreamFormat

__all__ = [
    "DEVELOPER",
    "REASONING",
    "FamilyApi",
    "Object",
    "add_reasoning",
    "add_reasoning_tokens",
    "asks_effort",
    "deltas_of",
    "messages_of",
    "never",
    "object_of",
    "objects_of",
    "openai_error",
    "plain",
    "plain_chunk",
    "rename_delta",
]

Object = dict[str, Any]
Shape = Callable[[Object, Object], None]

REASONING = "Simulated reasoning."
DEVELOPER = frozenset({"developer"})
_REASONING_TOKENS = 5


class FamilyApi(msgspec.Struct, frozen=True, kw_only=True):
    """Chat completions of one provider, as far as they differ from OpenAI's.

    Attributes:
        name: the provider; also the prefix of its paths at the simulator's server.
        host: the host of its address.
        host_suffixes: ends of other hosts that are the provider's.
        root: the path before `/chat/completions`.
        roots: all such paths, where there are several.
        versioned: such paths that are served only with an `api-version`.
        served: the ids of models that are served; `None` for any.
        source: where the facts come from: recordings, documentation.
        serves_openai: whether the models are OpenAI's own, with all their rules.
        members: the only top-level members that are taken; `None` if others are ignored.
        refused: top-level members that are refused; `messages[].name` too.
        refused_values: words that a member may not have.
        roles: roles of messages that are refused.
        ignored: members that are taken, and have no effect.
        renamed: OpenAI's name of a member, by the provider's; OpenAI's has no effect.
        values: OpenAI's word for a value of a member, by the provider's.
        call_id: the form of the ids of tool calls; `None` for any.
        empty_tools: whether an empty list of tools is taken.
        custom_tools: whether tools need not be functions.
        max_choices: the largest `n`.
        max_stops: the most stop sequences.
        ranges: the least and the greatest value of a number.
        thinks: says whether a request is answered with reasoning.
        reads: members of assistant messages in which reasoning comes back.
        needs_reasoning: whether the calls of this turn must have it while the model thinks.
        shape: changes a whole reply to the provider's form; takes the request too.
        shape_chunk: the same of a chunk of a stream.
        opening: what a stream begins with.
        stream: how a stream tells an error, and keeps the connection open.
        has_usage: whether a stream has its usage unasked.
        sends_done: whether a stream ends with `[DONE]`.
        joins_usage: whether the usage stands in the chunk with the finish reason.
        error: returns the body of an error.
        needs_key: whether a key is asked for.
        key_header: a header that a key may come in, beside `Authorization`.
        wrong_key, out_of_quota: the status and code of these errors.
        moderated: the status of a request whose content is refused.
        overloaded: the status and code of a lack of capacity; `None` for OpenAI's.
        status_of_refusal: the status of a refused request.
        headers: headers of every reply.
    """

    name: str
    host: str
    host_suffixes: tuple[str, ...] = ()
    root: str
    roots: Optional[re.Pattern[str]] = None
    versioned: Optional[re.Pattern[str]] = None
    served: Optional[re.Pattern[str]] = None
    source: str
    serves_openai: bool = False
    members: Optional[frozenset[str]] = None
    refused: frozenset[str] = frozenset()
    refused_values: Mapping[str, tuple[str, ...]] = {}
    roles: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()
    renamed: Mapping[str, str] = {}
    values: Mapping[str, Mapping[str, str]] = {}
    call_id: Optional[re.Pattern[str]] = None
    empty_tools: bool = True
    custom_tools: bool = True
    max_choices: Optional[int] = None
    max_stops: Optional[int] = None
    ranges: Mapping[str, tuple[float, float]] = {}
    thinks: Callable[[Object], bool]
    reads: tuple[str, ...] = ()
    needs_reasoning: bool = False
    shape: Shape
    shape_chunk: Shape
    opening: bytes = b""
    stream: StreamFormat = STREAM
    has_usage: bool = False
    sends_done: bool = True
    joins_usage: bool = False
    error: Callable[[Object, int], Object]
    needs_key: bool = True
    key_header: str = ""
    wrong_key: tuple[int, Optional[str]] = (401, "invalid_api_key")
    out_of_quota: tuple[int, Optional[str]] = (429, "insufficient_quota")
    moderated: int = 400
    overloaded: Optional[tuple[int, Optional[str]]] = None
    status_of_refusal: int = 400
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def address(self) -> str:
        """The base URL of the provider."""
        scheme = "http" if self.host.startswith("localhost") else "https"
        return f"{scheme}://{self.host}{self.root}"


def asks_effort(request: Object) -> bool:
    """Return whether a request asks for reasoning by `reasoning_effort`."""
    return request.get("reasoning_effort") not in (None, "none")


def object_of(value: Any) -> Object:
    """Return a value that is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def objects_of(value: Any) -> list[Object]:
    """Return the objects of a value that is a list of them, else none."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def never(_request: Object) -> bool:
    """Return false: the provider answers without reasoning."""
    return False


def messages_of(whole: Object) -> list[Object]:
    """Return the messages of a whole reply."""
    return [choice["message"] for choice in whole["choices"]]


def deltas_of(chunk: Object) -> list[Object]:
    """Return the deltas of a chunk."""
    return [choice["delta"] for choice in chunk["choices"]]


def add_reasoning(whole: Object, name: str) -> None:
    """Add reasoning to each message, as the member *name*."""
    for message in messages_of(whole):
        message[name] = REASONING


def rename_delta(chunk: Object, name: str) -> None:
    """Rename the reasoning in a chunk."""
    for delta in deltas_of(chunk):
        if name != "reasoning" and "reasoning" in delta:
            delta[name] = delta.pop("reasoning")


def add_reasoning_tokens(usage: Object, *, inside: bool = True) -> None:
    """Add reasoning to the usage: a part of the completion, or beside it."""
    usage["completion_tokens_details"] = {"reasoning_tokens": _REASONING_TOKENS}
    usage["total_tokens"] += _REASONING_TOKENS
    if inside:
        usage["completion_tokens"] += _REASONING_TOKENS


def openai_error(fields: Object, _status: int) -> Object:
    """Return the body of an error in OpenAI's form."""
    return {"error": {name: fields[name] for name in ("message", "type", "param", "code")}}


def plain(request: Object, whole: Object) -> None:
    """Add reasoning as `reasoning` where it is asked for."""
    if asks_effort(request):
        add_reasoning(whole, "reasoning")


def plain_chunk(_request: Object, _chunk: Object) -> None:
    """Leave a chunk as it is: reasoning is `reasoning` already."""
    return
