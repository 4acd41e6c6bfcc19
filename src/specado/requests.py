"""Requests as callers hold them, in a provider's own shape, read into the canonical form."""

from __future__ import annotations

import re
from typing import Any, Optional

import msgspec

from specado._core import normalize, read_anthropic_request
from specado.errors import ConfigurationError, MessageFormatError
from specado.params import PARAMETERS

__all__ = ["READERS", "SourceRequest", "as_dict"]

_TURN = re.compile(r"messages\[(\d+)\].*")


class SourceRequest(msgspec.Struct, frozen=True):
    """A request in the canonical form.

    `losses` is what reading lost; `origins` says where in the caller's request each turn stands,
    `None` where turns and messages are the same, and `names` where parameters stand that are
    called otherwise there.
    """

    model: str
    conversation: Any  # a Conversation
    parameters: dict[str, Any]
    losses: list[Any]  # of Reported
    origins: Optional[list[str]] = None
    names: dict[str, str] = {}

    def path(self, path: str) -> str:
        """Return where in the caller's request *path* of the canonical one comes from."""
        if self.origins is None:
            return path
        turn = _TURN.fullmatch(path)
        if turn is not None:
            return self.origins[int(turn.group(1))]
        name, dot, rest = path.partition(".")
        head, bracket, tail = name.partition("[")
        found = self.names.get(name) or self.names.get(head, head) + bracket + tail
        return found if head != "tools" or not dot else found + dot + rest.replace("function.", "")


def as_dict(request: Any) -> dict[str, Any]:
    """Return a request given as a dict or as JSON text.

    Raises:
        MessageFormatError: it is not a JSON object.
    """
    if isinstance(request, dict):
        return request
    if not isinstance(request, (str, bytes, bytearray)):
        raise MessageFormatError(
            f"request must be a dict or JSON text, not {type(request).__name__}", field="request"
        )
    try:
        found = msgspec.json.decode(request)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise MessageFormatError(f"request is not JSON: {error}", field="request") from None
    if not isinstance(found, dict):
        raise MessageFormatError("request must be a JSON object", field="request")
    return found


def _read_openai(request: dict[str, Any]) -> SourceRequest:
    parameters: dict[str, Any] = {}
    for name, value in request.items():
        if not isinstance(name, str):
            raise MessageFormatError(f"request: the key {name!r} is not text", field="request")
        if name in ("model", "messages") or value is None:
            continue
        check = PARAMETERS.get(name)
        parameters[name] = value if check is None else check(name, value)
    if "messages" not in request:
        raise MessageFormatError("request: messages is missing", field="messages")
    return SourceRequest(_model(request), normalize(request["messages"]), parameters, [])


def _read_anthropic(request: dict[str, Any]) -> SourceRequest:
    conversation, parameters, losses, origins, names = read_anthropic_request(request)
    for name, value in parameters.items():
        check = PARAMETERS.get(name)
        if check is not None:
            parameters[name] = check(names.get(name, name), value)
    return SourceRequest(_model(request), conversation, parameters, losses, origins, names)


def _model(request: dict[str, Any]) -> str:
    model = request.get("model")
    if not isinstance(model, str) or not model.strip():
        raise ConfigurationError("request: model is missing, or not text", key="model")
    return model


READERS = {"openai_chat": _read_openai, "anthropic_messages": _read_anthropic}
