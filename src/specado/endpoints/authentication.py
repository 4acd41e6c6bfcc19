"""Authentication flows: add the provider's key to a finished request.

`authenticate` is called at each send, when method, URL, headers and body are final, and returns
the request with its key. A flow with the same headers for every request has them as
`common_headers`; they are then made once for all requests to an endpoint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Optional, Protocol
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

import msgspec
from msgspec.structs import replace

from specado.settings.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from typing_extensions import Self

    from specado.catalog.manifests import Authentication
    from specado.transport import WireRequest

__all__ = ["AuthenticationFlow", "flow_of", "key_headers", "needs_key", "takes_tokens"]


class AuthenticationFlow(Protocol):
    """Authentication flow of an endpoint: adds the key to each finished request."""

    needs_key: ClassVar[bool]

    @property
    def common_headers(self) -> Optional[tuple[tuple[str, str], ...]]:
        """Headers that authenticate every request; `None` if only `authenticate` does."""

    def authenticate(self, request: WireRequest) -> WireRequest:
        """Return the finished *request* with its key or signature."""

    def secrets(self, request: WireRequest) -> Iterator[str]:
        """Yield the secrets of an authenticated *request*, to be redacted in errors."""

    def key_headers(self, headers: Iterable[tuple[str, Optional[str]]]) -> set[tuple[str, str]]:
        """Return those of *headers* that carry a key, names in lower case: they replace it."""

    def with_key(self, key: Optional[Secret]) -> Self:
        """Return a copy of the flow with another key, or without one."""


class HeaderKey(msgspec.Struct, frozen=True):
    """Authentication by a key in the header *name*, after *prefix*."""

    needs_key: ClassVar[bool] = True
    name: str
    prefix: str
    key: Optional[Secret] = None

    @property
    def common_headers(self) -> Optional[tuple[tuple[str, str], ...]]:
        """The header, unless a callable gives the key of each request."""
        if self.key is None:
            return ()
        return (self._header(self.key),) if self.key.is_text else None

    def authenticate(self, request: WireRequest) -> WireRequest:
        """Return the request with the header."""
        if self.key is None:
            return request
        return replace(request, headers=(*request.headers, self._header(self.key)))

    def _header(self, key: Secret) -> tuple[str, str]:
        return self.name, self.prefix + key.reveal()

    def secrets(self, request: WireRequest) -> Iterator[str]:
        """Yield the key in the header, whoever set it."""
        wanted = self.name.lower()
        for name, text in request.headers:
            if (name == self.name or name.lower() == wanted) and text.strip():
                yield text.removeprefix(self.prefix)

    def key_headers(self, headers: Iterable[tuple[str, Optional[str]]]) -> set[tuple[str, str]]:
        """Return those of *headers* with this name, or called Authorization."""
        return _named((self.name.lower(), "authorization"), headers)

    def with_key(self, key: Optional[Secret]) -> Self:
        """Return a copy of the flow with another key, or without one."""
        return replace(self, key=key)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("name", self.name)]


class NoKey(HeaderKey, frozen=True):
    """Authentication that requires no key; a configured key goes into the header *name*."""

    needs_key: ClassVar[bool] = False


class QueryKey(msgspec.Struct, frozen=True):
    """Authentication by a key in the query parameter *name*; replaces one of that name."""

    needs_key: ClassVar[bool] = True
    name: str
    prefix: str = ""
    key: Optional[Secret] = None

    @property
    def common_headers(self) -> Optional[tuple[tuple[str, str], ...]]:
        """`None`: the key is in the URL of each request."""
        return () if self.key is None else None

    def authenticate(self, request: WireRequest) -> WireRequest:
        """Return the request with the parameter in its URL."""
        if self.key is None:
            return request
        path, _, query = request.url.partition("?")
        kept = [part for part in query.split("&") if part and not self._is_mine(part)]
        kept.append(urlencode({self.name: self.key.reveal()}))
        return replace(request, url=f"{path}?{'&'.join(kept)}")

    def _is_mine(self, part: str) -> bool:
        return unquote_plus(part.partition("=")[0]) == self.name

    def secrets(self, request: WireRequest) -> Iterator[str]:
        """Yield the parameter's value, whoever set it."""
        yield from parse_qs(urlsplit(request.url).query).get(self.name, ())

    def key_headers(self, headers: Iterable[tuple[str, Optional[str]]]) -> set[tuple[str, str]]:
        """Return those of *headers* with the parameter's name, or called Authorization."""
        return _named((self.name.lower(), "authorization"), headers)

    def with_key(self, key: Optional[Secret]) -> Self:
        """Return a copy of the flow with another key, or without one."""
        return replace(self, key=key)

    def __repr__(self) -> str:
        return f"QueryKey(name={self.name!r})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("name", self.name)]


def _named(
    names: tuple[str, ...], headers: Iterable[tuple[str, Optional[str]]]
) -> set[tuple[str, str]]:
    lowered = ((name.lower(), text) for name, text in headers)
    return {(name, text) for name, text in lowered if name in names and text is not None}


# The flow of each `authentication.kind` of a manifest.
_FLOWS: dict[str, type[HeaderKey] | type[QueryKey]] = {
    "header": HeaderKey,
    "query": QueryKey,
    "none": NoKey,
    "google": HeaderKey,
    "aws": HeaderKey,
    "key_or_token": HeaderKey,
}


def flow_of(
    authentication: Authentication,
    key: Optional[Secret] = None,
    *,
    is_token: bool = False,
    region: str = "",
) -> AuthenticationFlow:
    """Return the flow that a manifest's *authentication* describes, with its key.

    *is_token*: the key is a cloud's credentials: an access token, which goes into the header
    Authorization, or those of AWS, which sign requests to a *region*.
    """
    if is_token and authentication.kind == "aws":
        # Imported here: it loads OpenSSL, and few programs sign requests.
        from specado.endpoints.aws_signature import AwsSignature

        return AwsSignature(authentication.service, region, key)
    if is_token:
        return HeaderKey("Authorization", "Bearer ", key)
    made: AuthenticationFlow = _FLOWS[authentication.kind](
        authentication.name, authentication.prefix, key
    )
    return made


def takes_tokens(authentication: Authentication) -> bool:
    """Return whether a provider takes access tokens beside keys that do not change."""
    return authentication.kind in ("google", "key_or_token")


def needs_key(authentication: Authentication) -> bool:
    """Return whether a provider with this *authentication* can only be called with a key."""
    return _FLOWS[authentication.kind].needs_key


def key_headers(
    headers: Iterable[tuple[str, Optional[str]]], authentication: Authentication
) -> set[tuple[str, str]]:
    """Return those of *headers* that carry a key, names in lower case: they replace any other."""
    return flow_of(authentication).key_headers(headers)
