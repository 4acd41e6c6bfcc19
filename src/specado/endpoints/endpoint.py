"""Endpoint: one provider as one client reaches it."""

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
    """One provider as one client reaches it. `api_key` is `None` where none is needed or known."""

    provider: Provider
    base_url: str
    api_key: Optional[Secret]
    headers: tuple[tuple[str, str], ...]
    attempt_timeout_s: Optional[float]
    missing: Optional[str]  # why it cannot be asked, naming what to set
    account: Account = Account("", "")
    # What every request has in common, the key included; `None` where it has to be made anew.
    common_headers: Optional[CommonHeaders] = None

    def without_key(self) -> Endpoint:
        """Return the endpoint as one that asks for no key."""
        return replace(self, api_key=None, common_headers=None)

    def __repr__(self) -> str:
        return f"Endpoint({self.provider.name!r}, base_url={self.base_url!r})"

    def __rich_repr__(self) -> list[Any]:  # rich shows every field of a tuple otherwise
        return [self.provider.name, ("base_url", self.base_url)]
