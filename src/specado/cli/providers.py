"""`specado providers`: lists the providers, their APIs, and the variables of their keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from specado.catalog.lookup import get_manifest, outlines
from specado.cli import output
from specado.cli.output import Column
from specado.endpoints.access import has_own_address, key_setting
from specado.settings.client_settings import resolve

if TYPE_CHECKING:
    from argparse import Namespace

__all__ = ["run"]

COLUMNS = (
    Column("PROVIDER"),
    Column("DIALECT"),
    Column("KEY"),
    Column("SET"),
    Column("VERIFIED"),
)
# From the strongest evidence to the weakest.
_EVIDENCE = ("recording", "documentation", "reported")


def run(arguments: Namespace) -> int:
    """Print what is known of each provider."""
    entries = _entries()
    if arguments.json:
        output.document(entries)
    else:
        output.table(COLUMNS, map(_row, entries))
    return 0


def _entries() -> list[dict[str, Any]]:
    settings = resolve(None)
    entries = []
    for each in outlines():
        manifest = get_manifest(each.name)
        authentication = each.authentication
        entries.append(
            {
                "provider": each.name,
                "name": manifest["info"]["name"],
                "dialects": list(each.dialects),
                "base_url": each.base_url,
                "base_url_env": authentication.base_url_env,
                "host_env": authentication.host_env,
                "has_own_address": has_own_address(each, settings),
                "key_env": list(authentication.env),
                "needs_key": authentication.kind != "none",
                "has_key": key_setting(each, settings) is not None,
                "models": len(manifest["models"]),
                "ids_have_slashes": each.ids_have_slashes,
                "verification": manifest.get("verification", {}),
            }
        )
    return entries


def _row(entry: dict[str, Any]) -> list[str]:
    first, *others = entry["dialects"]
    key = entry["key_env"][0] if entry["key_env"] else "-"
    by = {evidence["by"] for evidence in entry["verification"].values()}
    return [
        entry["provider"],
        first + (f" +{len(others)}" if others else ""),
        key if entry["needs_key"] else f"({key})",
        "yes" if entry["has_key"] else "-",
        next((each for each in _EVIDENCE if each in by), "-"),
    ]
