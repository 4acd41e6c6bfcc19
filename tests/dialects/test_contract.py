"""The contract that every dialect keeps, and the generic code that relies on it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

import specado
from specado.catalog import lookup as catalog
from specado.dialects.anthropic_messages.fields import REQUEST_FIELDS
from specado.dialects.contract import ErrorFacts
from specado.dialects.errors import ReplySource, error_from_reply
from specado.dialects.framing import FRAMINGS
from specado.dialects.registry import DIALECTS
from specado.errors import RateLimitError
from specado.settings.parameters import PARAMETERS
from specado.transport import WireReply

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=timezone.utc)


@pytest.mark.parametrize("name", DIALECTS)
def test_a_dialect_is_spoken_by_the_provider_that_defines_it(name: str) -> None:
    provider = catalog.provider(DIALECTS[name].provider)

    assert provider is not None
    assert DIALECTS[name].name == name
    assert name in [each.name for each in provider.dialects]


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("openai", "https://api.openai.com/v1/chat/completions"),
        ("anthropic", "https://api.anthropic.com/v1/messages"),
    ],
)
def test_a_request_goes_to_the_path_of_its_dialect(name: str, url: str) -> None:
    request = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}
    made = specado.translate(request, f"{name}/some-model")
    provider = catalog.provider(name)

    assert made.url == url
    assert provider is not None
    assert url.endswith(DIALECTS[provider.dialect].path("some-model", False))


@pytest.mark.parametrize(
    ("headers", "expected_s"), [({}, 7.5), ({"retry-after": "2"}, 2.0), ({"retry-after": "x"}, 7.5)]
)
def test_a_wait_in_the_body_counts_where_no_header_names_one(
    headers: dict[str, str], expected_s: float
) -> None:
    def decode_error(_status: int, _headers: Mapping[str, str], _body: bytes) -> ErrorFacts:
        return ErrorFacts("rate_limit_error", message="slow down", retry_after_s=7.5)

    dialect = replace(DIALECTS["openai_chat"], decode_error=decode_error)

    error = error_from_reply(ReplySource("p", "m", dialect), WireReply(429, headers, b""), NOW)

    assert type(error) is RateLimitError
    assert error.retry_after_s == expected_s


@pytest.mark.parametrize(("name", "expected"), [("openai", "proxy"), ("anthropic", "own")])
def test_the_header_of_the_dialect_itself_names_the_request(name: str, expected: str) -> None:
    headers = {"x-request-id": "proxy", "request-id": "own"}

    assert specado.parse_error(500, headers, b"", name).request_id == expected


def test_the_source_of_a_reply_shows_no_secret() -> None:
    source = ReplySource("openai", "gpt-4o", DIALECTS["openai_chat"], ("hunter2hunter2",))

    assert repr(source) == "ReplySource(openai/gpt-4o, openai_chat)"
    assert source.redacted("key hunter2hunter2") == "key ***"


def test_a_dialect_knows_the_parameters_that_have_a_counterpart_in_it() -> None:
    fields = {name: REQUEST_FIELDS[name] for name in PARAMETERS}
    counterparts = {name for name, each in fields.items() if each.to is not None or each.implied}

    assert DIALECTS["openai_chat"].parameters == set(PARAMETERS)
    assert DIALECTS["anthropic_messages"].parameters == counterparts


@pytest.mark.parametrize("name", DIALECTS)
def test_the_framing_of_a_dialect_is_known(name: str) -> None:
    assert FRAMINGS[DIALECTS[name].framing].is_stream(200, {"content-type": "text/event-stream"})


@pytest.mark.parametrize(
    ("status", "content_type", "expected"),
    [
        (200, "text/event-stream; charset=utf-8", True),
        (200, "text/plain", True),
        (200, "", True),
        (200, "application/json", False),
        (200, "Application/JSON; charset=utf-8", False),
        (200, "text/html", False),
        (404, "text/event-stream", False),
    ],
)
def test_a_framing_tells_a_stream_from_a_whole_reply(
    status: int, content_type: str, expected: bool
) -> None:
    assert FRAMINGS["sse"].is_stream(status, {"content-type": content_type}) is expected
