"""Builds the HTTP request to an endpoint, authenticated; lists its secrets for redaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional
from urllib.parse import urlencode

import msgspec

from specado._version import __version__
from specado.errors import REDACTED
from specado.transport import (
    WireRequest,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from specado.endpoints.endpoint import Endpoint


__all__ = ["RequestSecrets", "preview", "request_headers", "wire_request"]


# A shorter header value is no secret, and redacting it would garble messages.
MIN_SECRET_CHARACTERS = 8


_STATIC_HEADERS = (
    ("content-type", "application/json"),
    ("accept", "application/json"),
    ("user-agent", f"specado/{__version__}"),
)


_STATIC_NAMES = frozenset(name for name, _ in _STATIC_HEADERS)


def preview(endpoint: Endpoint, url: str) -> tuple[str, dict[str, str]]:
    """Return the URL and the headers of a request to *url*, secrets left out or redacted."""
    request = wire_request(endpoint.without_key(), url, b"")
    own = {name.lower() for name, _ in endpoint.headers}
    manifest = {name.lower() for name in endpoint.provider.authentication.headers}
    return request.url, {
        name: REDACTED if name.lower() in own - manifest else text for name, text in request.headers
    }


def wire_request(
    endpoint: Endpoint,
    url: str,
    body: bytes,
    extra_headers: tuple[tuple[str, str], ...] = (),
    extra_query: Optional[Mapping[str, str]] = None,
    *,
    method: str = "POST",
) -> WireRequest:
    """Return the request that carries *body* to a *url* of the endpoint, authenticated."""
    if extra_headers and endpoint.flow.key_headers(extra_headers):
        endpoint = endpoint.without_key()
    headers: Optional[tuple[tuple[str, str], ...]] = endpoint.common_headers
    if headers is None or extra_headers:
        headers = request_headers(endpoint, extra_headers)
    if extra_query:
        url += ("&" if "?" in url else "?") + urlencode(extra_query)
    request = WireRequest(method, url, headers, body, endpoint.has_key)
    return endpoint.flow.authenticate(request) if endpoint.authenticates_each else request


def request_headers(
    endpoint: Endpoint, extra_headers: tuple[tuple[str, str], ...] = ()
) -> tuple[tuple[str, str], ...]:
    """Return the headers of a request to *endpoint*, the common ones of its flow included."""
    headers: dict[str, tuple[str, str]] = {name: (name, text) for name, text in _STATIC_HEADERS}
    of_flow = endpoint.flow.common_headers or ()
    for name, text in (*of_flow, *endpoint.headers, *extra_headers):
        headers[name.lower()] = (name, text)
    return tuple(headers.values())


class RequestSecrets(msgspec.Struct, eq=False):
    """The secrets of a request, to be redacted in errors: its key and configured headers.

    They are computed at the first iteration: most replies are no errors.
    """

    endpoint: Any  # an Endpoint
    request: WireRequest
    found: Optional[tuple[str, ...]] = None

    def __iter__(self) -> Iterator[str]:
        if self.found is None:
            self.found = tuple(dict.fromkeys(self._find()))
        return iter(self.found)

    def _find(self) -> Iterator[str]:
        yield from self.endpoint.flow.secrets(self.request)
        authentication = self.endpoint.provider.authentication
        public = _STATIC_NAMES.union(map(str.lower, authentication.headers))
        for name, text in self.request.headers:
            if name.lower() in public or not text.strip():
                continue
            # The whole value, and what follows a scheme such as "Bearer".
            for each in {text, text.split()[-1]}:
                if len(each) >= MIN_SECRET_CHARACTERS:
                    yield each

    def __repr__(self) -> str:
        return REDACTED

    def __rich_repr__(self) -> list[tuple[str, Any]]:  # msgspec's own shows the secrets
        return [("secrets", REDACTED)]
