"""JSON Schema keyword `format`: valid and invalid values of each format."""

from __future__ import annotations

import pytest

from specado.json_schema.formats import FORMATS

CASES = {
    "date": (
        ["2026-11-30", "2024-02-29", "2000-02-29", "0001-01-01"],
        ["", "2026-11-31", "2026-13-01", "2023-02-29", "1900-02-29", "20261130", "2026-1-1",
         "2026-11-00", "٢٠٢٦-11-30", "2026-11-30 ", "2026-W48-1"],
    ),
    "time": (
        ["10:20:30Z", "10:20:30.5+05:30", "23:59:60Z", "10:20:30z", "10:20:30",
         "10:20", "10:20Z"],
        ["", "24:00:00Z", "10:60:00Z", "10:20:61Z", "10", "10:2", "10:20:30+24:00", "10:20:30+0530",
         "10:20:30.Z"],
    ),
    "date-time": (
        ["2026-11-30T10:20:30Z", "2026-11-30t10:20:30.123-08:00", "2026-11-30 10:20:30",
         "2026-11-30T10:20:30", "2026-11-30T10:20Z"],
        ["", "2026-11-30", "2026-11-31T10:20:30Z", "2026-11-30T", "30.11.2026",
         "2026-11-30X10:20:30Z", "1764497630"],
    ),
    "duration": (
        ["P1Y2M3DT4H5M6S", "PT0S", "P2W", "P1D", "-P1D", "PT1.5S"],
        ["", "P", "PT", "P1DT", "1 day", "P1S", "PT1D", "P1H"],
    ),
    "uuid": (
        ["123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000"],
        ["", "123e4567e89b12d3a456426614174000", "123e4567-e89b-12d3-a456-42661417400g",
         "{123e4567-e89b-12d3-a456-426614174000}"],
    ),
    "email": (
        ["ada@example.com", "ada.b+c@sub.example.com", '"a b"@example.com', "a@[127.0.0.1]",
         "a@localhost", "jörg@müller.de"],
        ["", "ada", "@example.com", "ada@", "a da@example.com", ".a@example.com", "a..b@c.de",
         "a@b..c", "Ada <ada@example.com>", "a@b@c.de"],
    ),
    "hostname": (
        ["example.com", "localhost", "a-b.c", "xn--mller-kva.de", "example.com.", "1.2"],
        ["", ".", "-a.com", "a-.com", "a..b", "a_b.com", "müller.de", "a" * 64 + ".com", "a b",
         "https://example.com"],
    ),
    "uri": (
        ["https://example.com/a?b=c#d", "mailto:ada@example.com", "urn:isbn:1", "a:",
         "http://[::1]/", "https://example.com/%20", "https://example.com/ü"],
        ["", "example.com", "/a/b", "//example.com", "https://example.com/a b", "http://a/%zz",
         "1a:b", "http://a/<b>"],
    ),
    "ipv4": (
        ["127.0.0.1", "255.255.255.255"],
        ["", "256.0.0.1", "1.2.3", "1.2.3.4.5", "1.2.3.4/8", "::1", "a.b.c.d"],
    ),
    "ipv6": (
        ["::1", "2001:db8::ff00:42:8329", "::ffff:1.2.3.4"],
        ["", "1.2.3.4", ":::", "12345::", "fe80::1%eth0", "::1/64"],
    ),
}  # fmt: skip


def test_each_format_has_its_cases() -> None:
    assert set(CASES) == set(FORMATS)


@pytest.mark.parametrize("name", CASES)
def test_a_format_takes_what_is_one_and_refuses_what_is_none(name: str) -> None:
    taken, refused = CASES[name]

    assert [text for text in taken if not FORMATS[name](text)] == []
    assert [text for text in refused if FORMATS[name](text)] == []
