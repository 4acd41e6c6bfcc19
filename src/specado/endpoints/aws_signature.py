"""AWS Signature Version 4: signs a finished request ("Signing AWS API requests", 2026-12-01)."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from typing import TYPE_CHECKING, ClassVar, Optional
from urllib.parse import quote, urlsplit

import msgspec
from msgspec.structs import replace

from specado.settings.aws_credentials import AwsCredentials, credentials_in
from specado.settings.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from typing_extensions import Self

    from specado.transport import WireRequest

__all__ = ["AwsSignature", "signed_headers"]

ALGORITHM = "AWS4-HMAC-SHA256"
_UNRESERVED = "-_.~"
_DEFAULT_PORTS = {"http": 80, "https": 443}
# The headers that carry a signature, in lower case.
_HEADERS = ("authorization", "x-amz-date", "x-amz-security-token")


class AwsSignature(msgspec.Struct, frozen=True):
    """Authentication by a signature over each request, for a service in a region."""

    needs_key: ClassVar[bool] = True
    service: str
    region: str
    key: Optional[Secret] = None

    @property
    def common_headers(self) -> Optional[tuple[tuple[str, str], ...]]:
        """`None`: each request has a signature of its own."""
        return () if self.key is None else None

    def authenticate(self, request: WireRequest) -> WireRequest:
        """Return the request with its date and signature, over the bytes that are sent."""
        if self.key is None:
            return request
        kept = tuple(each for each in request.headers if each[0].lower() not in _HEADERS)
        own = replace(request, headers=kept)
        now = dt.datetime.now(dt.timezone.utc)
        credentials = credentials_in(self.key.reveal())
        added = signed_headers(own, credentials, self.region, self.service, now)
        return replace(own, headers=(*kept, *added))

    def secrets(self, request: WireRequest) -> Iterator[str]:
        """Yield the session token and the signature of a request."""
        for name, text in request.headers:
            lowered = name.lower()
            if lowered == "x-amz-security-token":
                yield text
            elif lowered == "authorization":
                yield text.rpartition("Signature=")[2]

    def key_headers(self, headers: Iterable[tuple[str, Optional[str]]]) -> set[tuple[str, str]]:
        """Return those of *headers* that are called Authorization."""
        lowered = ((name.lower(), text) for name, text in headers)
        return {
            (name, text) for name, text in lowered if name == "authorization" and text is not None
        }

    def with_key(self, key: Optional[Secret]) -> Self:
        """Return a copy of the flow with other credentials, or without any."""
        return replace(self, key=key)

    def __repr__(self) -> str:
        return f"AwsSignature(service={self.service!r}, region={self.region!r})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("service", self.service), ("region", self.region)]


def signed_headers(
    request: WireRequest,
    credentials: AwsCredentials,
    region: str,
    service: str,
    now: dt.datetime,
) -> list[tuple[str, str]]:
    """Return the headers that sign a *request* at *now* (UTC): date, token and Authorization."""
    date = now.strftime("%Y%m%dT%H%M%SZ")
    added = [("X-Amz-Date", date)]
    if credentials.session_token is not None:
        added.append(("X-Amz-Security-Token", credentials.session_token))
    parts = urlsplit(request.url)
    headers = {
        name.lower(): text
        for name, text in (*request.headers, *added)
        # AWS wants the signature to cover all headers of its own.
        if name.lower().startswith(("content-type", "x-amz-"))
    }
    headers["host"] = _host(parts.scheme, parts.hostname or "", parts.port)
    names = ";".join(sorted(headers))
    canonical = "\n".join(
        (
            request.method,
            # The path as it is sent, encoded once more: so all services but S3 want it.
            quote(parts.path or "/", safe=f"/{_UNRESERVED}"),
            _canonical_query(parts.query),
            *(f"{name}:{' '.join(headers[name].split())}" for name in sorted(headers)),
            "",
            names,
            hashlib.sha256(request.body).hexdigest(),
        )
    )
    scope = f"{date[:8]}/{region}/{service}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{credentials.secret_access_key}".encode()
    for word in scope.split("/"):
        key = _hmac(key, word)
    signature = _hmac(key, "\n".join((ALGORITHM, date, scope, digest))).hex()
    named = f"Credential={credentials.access_key_id}/{scope}"
    text = f"{ALGORITHM} {named}, SignedHeaders={names}, Signature={signature}"
    return [*added, ("Authorization", text)]


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _host(scheme: str, host: str, port: Optional[int]) -> str:
    """Return the header Host as it is sent: without the port that the scheme has by default."""
    shown = f"[{host}]" if ":" in host else host
    return shown if port in (None, _DEFAULT_PORTS.get(scheme)) else f"{shown}:{port}"


def _canonical_query(query: str) -> str:
    """Return the parameters in order, encoded as they are sent."""
    pairs = sorted(part.partition("=")[::2] for part in query.split("&") if part)
    return "&".join(f"{name}={value}" for name, value in pairs)
