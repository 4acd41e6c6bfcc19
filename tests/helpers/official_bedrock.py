"""Hold Converse bodies against botocore's model of the service, strictly, and read its replies.

botocore refuses unknown members, unions with several members and missing ones. What its validator
leaves out is checked here by a walk over the same model: words of an enum, patterns, maxima. Rules
that AWS states only in prose are checked last: blank text, alternating roles, names of documents.
"""

from __future__ import annotations

import base64
import functools
import json
import re
from typing import Any, NamedTuple, Optional

import pytest

__all__ = ["Events", "events_of", "member_paths", "problems", "reply_of", "request_of"]

_DOCUMENT_NAME = re.compile(r"(?!.*\s\s)[A-Za-z0-9\s()\[\]-]{1,200}")


@functools.cache
def _service() -> Any:
    pytest.importorskip("botocore", reason="botocore needs Python 3.10")
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2"))


def _parameters(shape: Any, value: Any) -> Any:
    """Return a JSON value as botocore takes it: blobs as bytes."""
    if shape.type_name == "blob":
        # Leniently: generated requests have data that is none.
        return base64.b64decode(f"{value}==") if isinstance(value, str) else value
    if shape.type_name == "structure" and isinstance(value, dict):
        if getattr(shape, "is_document_type", False):
            return value
        return {
            name: _parameters(shape.members[name], each) if name in shape.members else each
            for name, each in value.items()
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [_parameters(shape.member, each) for each in value]
    return value


def _broken_limits(shape: Any, value: Any, path: str) -> list[str]:
    """Return what the validator does not check: enums, patterns, maxima."""
    if shape.type_name == "structure" and isinstance(value, dict):
        if getattr(shape, "is_document_type", False):
            return []
        return [
            each
            for name, member in value.items()
            if name in shape.members
            for each in _broken_limits(shape.members[name], member, f"{path}.{name}")
        ]
    if shape.type_name == "list" and isinstance(value, list):
        found = [
            each
            for place, item in enumerate(value)
            for each in _broken_limits(shape.member, item, f"{path}[{place}]")
        ]
        most = shape.metadata.get("max")
        return [*found, f"{path}: more than {most}"] if most and len(value) > most else found
    if shape.type_name == "map" and isinstance(value, dict):
        most = shape.metadata.get("max")
        found = [f"{path}: more than {most}"] if most and len(value) > most else []
        for name, member in value.items():
            found += _broken_limits(shape.key, name, f"{path} (key)")
            found += _broken_limits(shape.value, member, f"{path}.{name}")
        return found
    return _broken_scalar(shape, value, path)


def _broken_scalar(shape: Any, value: Any, path: str) -> list[str]:
    limits = shape.metadata
    if isinstance(value, str):
        words = getattr(shape, "enum", None)
        if words and value not in words:
            return [f"{path}: {value!r} is no word of its enum"]
        pattern = limits.get("pattern")
        if pattern and re.fullmatch(pattern, value) is None:
            return [f"{path}: {value!r} has another form than {pattern}"]
        if limits.get("max") and len(value) > limits["max"]:
            return [f"{path}: longer than {limits['max']}"]
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        if limits.get("max") is not None and value > limits["max"]:
            return [f"{path}: above {limits['max']}"]
        if limits.get("min") is not None and value < limits["min"]:
            return [f"{path}: below {limits['min']}"]
    return []


def _broken_rules(body: dict[str, Any]) -> list[str]:
    """Return the broken rules that AWS states in prose."""
    found = []
    messages = body.get("messages", [])
    roles = [message["role"] for message in messages]
    names: list[str] = []
    has_tools = False
    for place, message in enumerate(messages):
        kinds = [next(iter(block)) for block in message["content"]]
        has_tools = has_tools or "toolUse" in kinds or "toolResult" in kinds
        if not kinds:
            found.append(f"messages[{place}]: no content")
        for block in message["content"]:
            if "text" in block and not block["text"].strip():
                found.append(f"messages[{place}]: a blank text")
            if "document" in block:
                names.append(block["document"]["name"])
        if "document" in kinds and "text" not in kinds:
            found.append(f"messages[{place}]: a document without a text")
        if place and roles[place - 1] == roles[place]:
            alone = {next(iter(b)) for b in messages[place - 1]["content"]} == {"toolResult"}
            if not (alone and message["role"] == "user"):
                found.append(f"messages[{place}]: two of one role")
    found += [f"{name!r}: no name of a document" for name in names
              if not _DOCUMENT_NAME.fullmatch(name)]  # fmt: skip
    if len(set(names)) != len(names):
        found.append("two documents of one name")
    if has_tools and "toolConfig" not in body:
        found.append("tool blocks without toolConfig")
    return found


def problems(body: bytes, *, is_stream: bool = False) -> list[str]:
    """Return what is wrong with a request body; skips where botocore is missing."""
    from_json: dict[str, Any] = json.loads(body)
    service = _service()
    from botocore.validate import ParamValidator

    shape = service.operation_model("ConverseStream" if is_stream else "Converse").input_shape
    given = _parameters(shape, from_json)
    report = ParamValidator().validate({"modelId": "a", **given}, shape)
    found = report.generate_report().splitlines() if report.has_errors() else []
    return [*found, *_broken_limits(shape, from_json, "body"), *_broken_rules(from_json)]


def request_of(model: str, body: bytes, *, is_stream: bool = False) -> tuple[str, Any]:
    """Return the path and the body that botocore sends for these parameters."""
    service = _service()
    from botocore.serialize import create_serializer

    operation = service.operation_model("ConverseStream" if is_stream else "Converse")
    given = _parameters(operation.input_shape, json.loads(body))
    made = create_serializer("rest-json").serialize_to_request(
        {"modelId": model, **given}, operation
    )
    return str(made["url_path"]), json.loads(made["body"])


def reply_of(body: bytes, status: int = 200, headers: Optional[dict[str, str]] = None) -> Any:
    """Return what botocore reads from a whole reply, or from an error."""
    service = _service()
    from botocore.parsers import create_parser

    shape = service.operation_model("Converse").output_shape
    answer = {"body": body, "headers": headers or {}, "status_code": status}
    return create_parser("rest-json").parse(answer, shape)


class Events(NamedTuple):
    """What botocore reads from a stream: its events, and the error that ended it."""

    events: list[dict[str, Any]]
    error: Optional[tuple[str, str]]


class _Raw:
    """A stream's body as botocore takes it."""

    def __init__(self, body: bytes, size: int) -> None:
        self._body, self._size = body, size

    def stream(self) -> Any:
        for start in range(0, len(self._body), self._size):
            yield self._body[start : start + self._size]

    def close(self) -> None:
        """Do nothing: no connection is open."""


def events_of(body: bytes, size: int = 1 << 20) -> Events:
    """Return what botocore reads from the bytes of a stream."""
    service = _service()
    from botocore.eventstream import EventStream
    from botocore.exceptions import EventStreamError
    from botocore.parsers import create_parser

    operation = service.operation_model("ConverseStream")
    shape = operation.output_shape.members["stream"]
    parser = create_parser("rest-json")._event_stream_parser
    events: list[dict[str, Any]] = []
    try:
        events.extend(EventStream(_Raw(body, size), shape, parser, "ConverseStream"))
    except EventStreamError as error:
        told = error.response["Error"]
        return Events(events, (told["Code"], told["Message"]))
    return Events(events, None)


def member_paths() -> list[str]:
    """Return the path of each member of a streamed request, `[]` for the items of a list."""
    found: list[str] = []
    _add_paths(_service().operation_model("ConverseStream").input_shape, "", (), found)
    return found


def _add_paths(shape: Any, path: str, above: tuple[str, ...], found: list[str]) -> None:
    if shape.type_name == "list":
        _add_paths(shape.member, f"{path}[]", above, found)
    elif shape.type_name == "structure" and shape.name not in above:
        for name, member in shape.members.items():
            here = f"{path}.{name}" if path else name
            found.append(here)
            _add_paths(member, here, (*above, shape.name), found)
