"""Index of the shipped manifests: what is asked of every provider, without reading its manifest.

`scripts/make_manifests.py` writes its two files with the manifests. Each is read at its first use,
which a call whose providers are named and have their keys never comes to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from specado.catalog.manifests import FOLDER, Authentication

if TYPE_CHECKING:
    from specado.catalog.manifests import Provider

__all__ = ["ProviderOutline", "outline_of", "shipped_outlines", "shipped_with_model"]

PROVIDERS = FOLDER.with_name("provider_index.json")
MODELS = FOLDER.with_name("model_index.json")


class ProviderOutline(Struct, frozen=True):
    """A provider as its manifest describes it, without models: a part of `Provider`.

    `dialects` are names, the default first.
    """

    name: str
    base_url: str
    dialects: tuple[str, ...]
    authentication: Authentication
    ids_have_slashes: bool = False
    hosts_others: bool = False


# Set once by an assignment: two threads that come first do the same work twice.
_outlines: dict[str, ProviderOutline] = {}
_by_model: dict[str, tuple[str, ...]] = {}


def outline_of(provider: Provider) -> ProviderOutline:
    """Return the outline of a provider."""
    return ProviderOutline(
        provider.name,
        provider.base_url,
        tuple(each.name for each in provider.dialects),
        provider.authentication,
        provider.ids_have_slashes,
        provider.hosts_others,
    )


def shipped_outlines() -> dict[str, ProviderOutline]:
    """Return the outlines of all shipped providers by name."""
    global _outlines
    if not _outlines:
        listed = msgspec.json.decode(PROVIDERS.read_bytes(), type=list[ProviderOutline])
        _outlines = {each.name: each for each in listed}
    return _outlines


def shipped_with_model(model_id: str) -> tuple[str, ...]:
    """Return the names of the shipped providers that list a model by this id or alias."""
    global _by_model
    if not _by_model:
        _by_model = msgspec.json.decode(MODELS.read_bytes(), type=dict[str, tuple[str, ...]])
    return _by_model.get(model_id, ())
