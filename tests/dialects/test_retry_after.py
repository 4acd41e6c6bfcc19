"""Parsing of the headers `retry-after` and `retry-after-ms`."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from specado import parse_error
from specado.dialects.errors import ReplySource, error_from_reply, parse_retry_after_s
from specado.dialects.registry import DIALECTS
from specado.dialects.replies import read_reply
from specado.transport import WireReply

OPENAI = ReplySource("openai", "gpt-4o", DIALECTS["openai_chat"])
NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=timezone.utc)


def asked_for_s(**headers):
    """What an error says of a 429 with these headers (underscores stand for hyphens)."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    reply = WireReply(429, named, b'{"error": {"message": "slow down", "type": "requests"}}')
    return error_from_reply(OPENAI, reply, NOW).retry_after_s


@pytest.mark.parametrize(
    ("text", "expected_s"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("1.5", 1.5),
        (".5", 0.5),
        ("3.", 3.0),
        (" 20 ", 20.0),
        ("+4", 4.0),
        ("1e2", 100.0),
        ("4294967", 4294967.0),
    ],
)
def test_seconds_are_read_with_fractions(text, expected_s):
    assert parse_retry_after_s(text, NOW) == expected_s


@pytest.mark.parametrize(
    ("text", "expected_s"),
    [
        ("Sun, 22 Nov 2026 12:00:30 GMT", 30.0),
        ("Sunday, 22-Nov-26 12:00:30 GMT", 30.0),
        ("Sun Nov 22 12:00:30 2026", 30.0),
        ("Sun, 22 Nov 2026 14:00:30 +0200", 30.0),
        ("Sun, 22 Nov 2026 12:00:30 -0000", 30.0),
        ("Sun, 22 Nov 2026 12:00:30", 30.0),
    ],
    ids=["RFC 9110", "RFC 850", "asctime", "other zone", "unknown zone", "no zone"],
)
def test_a_date_means_the_time_until_then(text, expected_s):
    assert parse_retry_after_s(text, NOW) == expected_s


@pytest.mark.parametrize(
    "text",
    ["Sat, 21 Nov 2026 12:00:00 GMT", "Thu Jan  1 00:00:00 1970", "Sun, 22 Nov 2026 12:00:00"],
)
def test_a_date_that_is_not_ahead_means_no_wait(text):
    assert parse_retry_after_s(text, NOW) == 0.0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "-1",
        "-0.001",
        "nan",
        "inf",
        "-inf",
        "Infinity",
        "1e400",
        "9" * 400,
        "9" * 100_000,
        "1_000",
        "0x10",
        "١٢",
        "soon",
        "5 seconds",
        "5,5",
        "Sun, 99 Nov 2026 12:00:00 GMT",
        "Sun, 22 Nov 99999 12:00:00 GMT",
        "Sun, 22 Nov 2026 12:00:00 +9999",
        "Sun, 22 Nov 2026 " + "1" * 100_000,
        "\x00",
        "\x1c0",
        "🕛",
    ],
    ids=lambda text: ascii(text)[:24],
)
def test_what_is_no_wait_gives_none(text):
    assert parse_retry_after_s(text, NOW) is None


def test_milliseconds_count_before_seconds():
    assert asked_for_s(retry_after_ms="250", retry_after="9") == 0.25


@pytest.mark.parametrize("milliseconds", ["-5", "nan", "inf", "1e400", "", "soon", "1_000"])
def test_milliseconds_that_are_none_leave_it_to_the_seconds(milliseconds):
    assert asked_for_s(retry_after_ms=milliseconds, retry_after="9") == 9.0


def test_milliseconds_of_zero_are_a_wait_of_zero():
    assert asked_for_s(retry_after_ms="0", retry_after="9") == 0.0


def test_a_date_is_read_from_the_header():
    assert asked_for_s(retry_after="Sun, 22 Nov 2026 12:00:30 GMT") == 30.0


@pytest.mark.parametrize("headers", [{}, {"retry_after": "nonsense"}, {"retry_after_ms": "nan"}])
def test_without_a_usable_header_there_is_no_wait_asked_for(headers):
    assert asked_for_s(**headers) is None


IN_30_S = "Sun, 22 Nov 2026 12:00:30 GMT"


@pytest.mark.parametrize(
    ("date", "retry_after"),
    [
        ("Sun, 22 Nov 2026 11:00:00 GMT", "Sun, 22 Nov 2026 11:00:30 GMT"),
        ("Sun, 22 Nov 2026 13:00:00 GMT", "Sun, 22 Nov 2026 13:00:30 GMT"),
        ("Sunday, 22-Nov-26 13:00:00 GMT", "Sun Nov 22 13:00:30 2026"),
    ],
    ids=["an hour behind", "an hour ahead", "obsolete forms"],
)
def test_a_date_is_measured_by_the_clock_of_the_server(date, retry_after):
    assert asked_for_s(date=date, retry_after=retry_after) == 30.0


def test_a_date_in_the_past_of_the_server_means_no_wait():
    assert asked_for_s(date="Sun, 22 Nov 2026 13:00:00 GMT", retry_after=IN_30_S) == 0.0


@pytest.mark.parametrize(
    "date",
    [
        "",
        "now",
        "1763812800",
        "Sun, 99 Nov 2026 11:00:00 GMT",
        "Sun, 22 Nov 2026 11:00:00 +9999",
        "Sun, 22 Nov 2026 11:00:00 GMT" + " " * 100,
        "Sun, 22 Nov 2026 " + "1" * 100_000,
        "🕛",
    ],
    ids=lambda text: ascii(text)[:34],
)
def test_a_date_is_measured_by_our_clock_where_the_server_tells_no_time(date):
    assert asked_for_s(date=date, retry_after=IN_30_S) == 30.0


def test_the_clock_of_the_server_does_not_count_for_seconds():
    date = "Sun, 22 Nov 2026 11:00:00 GMT"

    assert asked_for_s(date=date, retry_after="7") == 7.0
    assert asked_for_s(date=date, retry_after_ms="250", retry_after=IN_30_S) == 0.25


def test_an_error_that_is_read_without_a_call_is_measured_by_the_clock_of_the_server():
    headers = {
        "Date": "Sun, 22 Nov 2026 11:00:00 GMT",
        "Retry-After": "Sun, 22 Nov 2026 11:00:30 GMT",
    }

    assert parse_error(429, headers, b"{}", "openai").retry_after_s == 30.0


def test_an_error_in_a_reply_is_measured_by_the_clock_of_the_server():
    headers = {
        "date": "Sun, 22 Nov 2026 11:00:00 GMT",
        "retry-after": "Sun, 22 Nov 2026 11:00:30 GMT",
    }
    found = read_reply(OPENAI, WireReply(429, headers, b""), answer_tool=None, now_s=0.0)

    assert found.retry_after_s == 30.0
