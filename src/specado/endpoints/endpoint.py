"""Endpoint: a provider's base URL, key, headers and account for one client."""

from __future__ import annotations

from typing import Any, Optional

import msgspec
from msgspec.structs import replace

from specado.catalog.lookup import NO_RULES, Provider, RequestRules
from specado.endpoints.account import Account
from specado.endpoints.authentication import AuthenticationFlow
from specado.settings.secrets import Secret
from specado.transport import (
    CommonHeaders,
)

__all__ = ["Endpoint"]


class Endpoint(msgspec.Struct, frozen=True):
    """A provider's base URL, authentication and headers for one client.

    `flow` has no key where none is needed or none is known.
    """

    provider: Provider
    base_url: str
    flow: AuthenticationFlow
    headers: tuple[tuple[str, str], ...]
    attempt_timeout_s: Optional[float]
    missing: Optional[str]  # why the provider cannot be called, and what to set
    account: Account = Account("", "")
    # Headers of every request, those of the flow included; `None` if they are made for each.
    common_headers: Optional[CommonHeaders] = None
    has_key: bool = False
    # Whether the flow authenticates each request, beyond the common headers.
    authenticates_each: bool = False
    # The callable that gives the key of each request.
    key_callable: Optional[Secret] = None
    # What the servers at this address refuse in any request.
    request_rules: RequestRules = NO_RULES
    # Path of the cloud's project and location, "" without one.
    parent: str = ""
    # Version of the API that the URLs name, "" for none.
    api_version: str = ""

    def with_fetched(self, key: Secret) -> Endpoint:
        """Return a copy of the endpoint with the key that its callable gave for one request."""
        return replace(self, flow=self.flow.with_key(key), key_callable=None)

    def without_key(self) -> Endpoint:
        """Return a copy of the endpoint without its key."""
        return replace(
            self,
            flow=self.flow.with_key(None),
            common_headers=None,
            has_key=False,
            authenticates_each=False,
            key_callable=None,
        )

    def __repr__(self) -> str:
        return f"Endpoint({self.provider.name!r}, base_url={self.base_url!r})"

    def __rich_repr__(self) -> list[Any]:  # rich shows every field of a tuple otherwise
        return [self.provider.name, ("base_url", self.base_url)]
