"""Endpoint: a provider's base URL, key, headers and account for one client."""

from __future__ import annotations

from typing import Any, Optional

import msgspec
from msgspec.structs import replace

from specado.catalog.lookup import Provider
from specado.endpoints.account import Account
from specado.settings.secrets import Secret
from specado.transport import (
    CommonHeaders,
)

__all__ = ["Endpoint"]


class Endpoint(msgspec.Struct, frozen=True):
    """A provider's base URL, key and headers for one client.

    `api_key` is `None` where none is needed or none is known.
    """

    provider: Provider
    base_url: str
    api_key: Optional[Secret]
    headers: tuple[tuple[str, str], ...]
    attempt_timeout_s: Optional[float]
    missing: Optional[str]  # why the provider cannot be called, and what to set
    account: Account = Account("", "")
    # Headers of every request, with the key; `None` if they are built for each request.
    common_headers: Optional[CommonHeaders] = None

    def without_key(self) -> Endpoint:
        """Return a copy of the endpoint without its key."""
        return replace(self, api_key=None, common_headers=None)

    def __repr__(self) -> str:
        return f"Endpoint({self.provider.name!r}, base_url={self.base_url!r})"

    def __rich_repr__(self) -> list[Any]:  # rich shows every field of a tuple otherwise
        return [self.provider.name, ("base_url", self.base_url)]
