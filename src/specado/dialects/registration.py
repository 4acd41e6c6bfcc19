"""Registers a provider's manifest, after a check that its dialects exist."""

from __future__ import annotations

from typing import Any

from specado.catalog import lookup as catalog
from specado.dialects.registry import DIALECTS

__all__ = ["register_manifest"]


def register_manifest(
    manifest: dict[str, Any], *, name: str | None = None, replace: bool = False
) -> str:
    """Register a provider's manifest, or replace a registered one; return the provider's name.

    A server that speaks chat completions needs only `name` and `base_url`, and `api_key_env` if it
    requires a key. *name* is the provider's name in settings and in a model's prefix
    (`name/model`), by default the manifest's name in lower case. The manifest is copied. A shipped
    provider is replaced only with *replace*.

    Raises:
        ConfigurationError: something in the manifest is missing or wrong, at the path named.
    """
    return catalog.register(manifest, name, tuple(DIALECTS), replace=replace)
