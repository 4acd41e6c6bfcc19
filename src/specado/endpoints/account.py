"""Account: identity of an API key at an address, without the key itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from specado.settings.client_settings import HealthSettings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from specado.catalog.manifests import Authentication

__all__ = ["Account", "authenticating", "digest_of"]


_SALT = os.urandom(16)


class Account(msgspec.Struct, frozen=True, cache_hash=True):
    """Identity of an API key at an address; calls of one account share their health state.

    `digest` is a keyed hash of the key and the authenticating headers. `settings` are those of
    breaker and retry budget: clients with different settings share no health state.
    """

    base_url: str
    digest: str
    settings: HealthSettings = HealthSettings()
    address: str = ""  # scheme, host and port of the base URL

    def __post_init__(self) -> None:
        address = "/".join(self.base_url.split("/", 3)[:3]).lower()
        msgspec.structs.force_setattr(self, "address", address)

    def with_headers(
        self, headers: tuple[tuple[str, str], ...], authentication: Authentication
    ) -> Account:
        """Return the account of a call with *headers* of its own, which may authenticate it."""
        own = authenticating(headers, authentication)
        return replace(self, digest=digest_of(self.digest, own)) if own else self


# Headers that select the billed account, in lower case. Other headers (request id, trace id) may
# differ between the calls of one account.
_ACCOUNT_HEADERS = frozenset(
    {
        "anthropic-workspace-id",
        "api-key",
        "authorization",
        "openai-organization",
        "openai-project",
        "proxy-authorization",
        "x-api-key",
        "x-goog-api-key",
        "x-goog-user-project",
    }
)


def authenticating(
    headers: Iterable[tuple[str, str]], authentication: Authentication
) -> list[tuple[str, str]]:
    """Return those of *headers* that authenticate or select the billed account."""
    own = (authentication.name, *(header.name for header in authentication.optional_headers))
    names = _ACCOUNT_HEADERS.union(map(str.lower, own))
    return sorted((name.lower(), text) for name, text in headers if name.lower() in names)


def digest_of(*secrets: Any) -> str:
    """Return a keyed hash of *secrets*; the hash key is new in each process."""
    # Imported here: it loads OpenSSL, which a client that makes no call does not need.
    import hashlib

    plain = [tuple(each) if isinstance(each, tuple) else each for each in secrets]
    text = repr(plain).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=12, key=_SALT).hexdigest()
