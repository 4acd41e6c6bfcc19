"""Validators for the JSON Schema keyword `format`.

Widely accepted deviations from an RFC are accepted too: a time without seconds or offset, other
scripts in mail addresses and URIs, a duration with a sign or a fraction.

Sources: JSON Schema 2020-12 validation, section 7.3, and the RFCs that it names (read 2026-11-30).
"""

from __future__ import annotations

import ipaddress
import re
from typing import Callable

__all__ = ["FORMATS"]

_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(
    r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]+)?)?(?:[Zz]|[+-]([0-9]{2}):([0-9]{2}))?"
)
_NUMBER = r"[0-9]+(?:[.,][0-9]+)?"
_DURATION = re.compile(
    rf"[+-]?P(?=.)(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}W)?(?:{_NUMBER}D)?"
    rf"(?:T(?=.)(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?"
)
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_LABEL = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?")
_LOCAL = re.compile(r"[^\x00-\x20\x7f\"(),.:;<>@\[\\\]]+(?:\.[^\x00-\x20\x7f\"(),.:;<>@\[\\\]]+)*")
_QUOTED = re.compile(r"\"(?:[^\"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*\"")
_DOMAIN = re.compile(r"[^\x00-\x20\x7f\"(),.:;<>@\[\\\]]+(?:\.[^\x00-\x20\x7f\"(),.:;<>@\[\\\]]+)*")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
# No part of a URI, encoded or not (RFC 3986, section 2).
_NOT_IN_URIS = re.compile(r"[\x00-\x20\x7f\"<>\\^`{|}]|%(?![0-9A-Fa-f]{2})")
_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _is_date(text: str) -> bool:
    found = _DATE.fullmatch(text)
    if found is None:
        return False
    year, month, day = map(int, found.groups())
    if not 1 <= month <= 12 or not 1 <= day <= _MONTHS[month - 1]:
        return False
    return (month, day) != (2, 29) or (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0))


def _is_time(text: str) -> bool:
    found = _TIME.fullmatch(text)
    if found is None:
        return False
    hour, minute, second, away_hours, away_minutes = (int(part or 0) for part in found.groups())
    # A leap second is taken at any time: where the offset puts it is not looked at.
    return hour <= 23 and minute <= 59 and second <= 60 and away_hours <= 23 and away_minutes <= 59


def _is_date_time(text: str) -> bool:
    return text[10:11] in ("T", "t", " ") and _is_date(text[:10]) and _is_time(text[11:])


def _is_hostname(text: str) -> bool:
    labels = text[:-1].split(".") if text.endswith(".") else text.split(".")
    return len(text) <= 254 and all(_LABEL.fullmatch(label) is not None for label in labels)


def _is_email(text: str) -> bool:
    local, _, domain = text.rpartition("@")
    if _LOCAL.fullmatch(local) is None and _QUOTED.fullmatch(local) is None:
        return False
    literal = domain.startswith("[") and domain.endswith("]") and len(domain) > 2
    return literal or _DOMAIN.fullmatch(domain) is not None


def _is_uri(text: str) -> bool:
    return _SCHEME.match(text) is not None and _NOT_IN_URIS.search(text) is None


def _is_address(read: Callable[[str], object]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            read(text)
        except ValueError:
            return False
        return "%" not in text  # a zone is no part of an address (RFC 4291)

    return check


FORMATS: dict[str, Callable[[str], bool]] = {
    "date": _is_date,
    "time": _is_time,
    "date-time": _is_date_time,
    "duration": lambda text: _DURATION.fullmatch(text) is not None,
    "uuid": lambda text: _UUID.fullmatch(text) is not None,
    "email": _is_email,
    "hostname": _is_hostname,
    "uri": _is_uri,
    "ipv4": _is_address(ipaddress.IPv4Address),
    "ipv6": _is_address(ipaddress.IPv6Address),
}
