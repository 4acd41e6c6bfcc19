"""Signatures of the simulated Bedrock: those of requests (SigV4), and those of reasoning.

Source: AWS's "Create a signed API request" page, read 2026-11-30.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from specado.simulator.bedrock_requests import refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from specado.simulator.reply import SimulatedError

__all__ = ["ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "check_access", "is_genuine", "sign_reasoning"]

# Credentials whose secret the simulator knows: their signatures are verified.
ACCESS_KEY_ID = "AKIASIMULATEDEXAMPLE"
SECRET_ACCESS_KEY = "simulated/secret/access/key"  # noqa: S105 - opens nothing
MOST_SKEW_S = 300.0
SERVICE = "bedrock"
_ALGORITHM = "AWS4-HMAC-SHA256"
_HEADER = re.compile(
    rf"{_ALGORITHM} Credential=(?P<id>[^/,\s]+)/(?P<date>\d{{8}})/(?P<region>[a-z0-9-]+)/"
    r"(?P<service>[a-z0-9-]+)/aws4_request, ?SignedHeaders=(?P<names>[a-z0-9;-]+), ?"
    r"Signature=(?P<signature>[0-9a-f]{64})"
)
_REASONING = b"specado simulator reasoning"
# How the simulated Anthropic API's signatures begin: Claude takes them on each of its platforms
# (Anthropic's "Extended thinking" page, read 2026-11-30).
_OF_ANTHROPIC = base64.b64encode(b"simulated:")[:13].decode()


def _not_allowed(name: str, message: str) -> SimulatedError:
    return refused(message, name, 403)


def check_access(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now_s: float,
    wrong: str,
) -> None:
    """Check a request's bearer key or signature; *wrong* is the key that is refused."""
    given = headers.get("authorization", "")
    scheme, _, rest = given.partition(" ")
    if not given:
        raise _not_allowed("MissingAuthenticationTokenException", "Missing Authentication Token")
    if scheme.lower() == "bearer":
        if rest.strip() in ("", wrong):
            raise _not_allowed(
                "AccessDeniedException",
                "Authentication failed: Please make sure your API Key is valid.",
            )
        return
    found = _HEADER.fullmatch(given)
    if found is None:
        raise _not_allowed(
            "IncompleteSignatureException",
            "Authorization header requires 'Credential' parameter. Authorization header requires "
            "'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. "
            f"Authorization={scheme}",
        )
    _check_scope(found, headers, now_s)
    if found["id"] == wrong:
        raise _not_allowed(
            "UnrecognizedClientException", "The security token included in the request is invalid."
        )
    if found["id"] == ACCESS_KEY_ID:
        wanted = _signature(found, method, url, headers, body)
        if not hmac.compare_digest(wanted, found["signature"]):
            raise _not_allowed(
                "InvalidSignatureException",
                "The request signature we calculated does not match the signature you provided. "
                "Check your AWS Secret Access Key and signing method. Consult the service "
                "documentation for details.",
            )


def _check_scope(found: re.Match[str], headers: Mapping[str, str], now_s: float) -> None:
    names = found["names"].split(";")
    date = headers.get("x-amz-date", "")
    if "host" not in names or names != sorted(names) or "x-amz-date" not in names:
        raise _not_allowed(
            "InvalidSignatureException", "'Host' or ':authority' must be a 'SignedHeader'."
        )
    if "x-amz-security-token" in headers and "x-amz-security-token" not in names:
        raise _not_allowed(
            "InvalidSignatureException", "'X-Amz-Security-Token' must be a 'SignedHeader'."
        )
    if found["service"] != SERVICE:
        raise _not_allowed(
            "InvalidSignatureException",
            f"Credential should be scoped to correct service: '{SERVICE}'.",
        )
    try:
        moment = dt.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.timezone.utc)
    except ValueError:
        raise _not_allowed(
            "IncompleteSignatureException",
            f"Date must be in ISO-8601 'basic format'. Got '{date}'.",
        ) from None
    if not date.startswith(found["date"]):
        raise _not_allowed(
            "InvalidSignatureException",
            f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
            f"HTTP: '{found['date']}' != '{date[:8]}'.",
        )
    if abs(moment.timestamp() - now_s) > MOST_SKEW_S:
        raise _not_allowed(
            "InvalidSignatureException",
            f"Signature expired: {date} is more than 5 minutes away from the server's time.",
        )


def _signature(
    found: re.Match[str], method: str, url: str, headers: Mapping[str, str], body: bytes
) -> str:
    """Return the signature that the known secret gives."""
    path, _, query = url.partition("?")
    if "://" in path:
        path = "/" + path.split("://", 1)[1].partition("/")[2]
    pairs = sorted(part.partition("=")[::2] for part in query.split("&") if part)
    names = found["names"].split(";")
    payload = hashlib.sha256(body).hexdigest()
    canonical = "\n".join(
        (
            method,
            # The path is encoded again, as it stands on the wire.
            quote(path, safe="/-_.~"),
            "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in pairs),
            *(f"{name}:{' '.join(headers.get(name, '').split())}" for name in names),
            "",
            found["names"],
            payload,
        )
    )
    scope = f"{found['date']}/{found['region']}/{found['service']}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"{_ALGORITHM}\n{headers.get('x-amz-date', '')}\n{scope}\n{digest}"
    key = f"AWS4{SECRET_ACCESS_KEY}".encode()
    for step in scope.split("/"):
        key = hmac.digest(key, step.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def _encoded(text: str) -> str:
    return quote(unquote(text), safe="-_.~")


def sign_reasoning(text: str) -> str:
    """Return the signature of a reasoning text."""
    data = text.encode("utf-8", "surrogatepass")
    made = hashlib.blake2b(data, key=_REASONING, digest_size=48).digest()
    return base64.b64encode(b"\x12\x30" + made).decode()


def is_genuine(signature: str, text: str) -> bool:
    """Return whether the simulated Claude made the signature for this text."""
    if signature.startswith(_OF_ANTHROPIC):
        return True
    return hmac.compare_digest(signature.encode(), sign_reasoning(text).encode())
