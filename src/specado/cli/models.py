"""`specado models`: lists each provider's models, with prices and abilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from specado.catalog.lookup import get_manifest, list_providers
from specado.cli import output
from specado.cli.output import Column

if TYPE_CHECKING:
    from argparse import Namespace

__all__ = ["run"]

UNKNOWN = "-"
COLUMNS = (
    Column("MODEL"),
    Column("CONTEXT", is_number=True),
    Column("OUTPUT", is_number=True),
    Column("$ IN", is_number=True),
    Column("$ OUT", is_number=True),
    Column("ABILITIES"),
    Column("RETIRES"),
)
LEGEND = """\
CONTEXT, OUTPUT: the most tokens in all, and in an answer. $: US dollars per
million tokens. RETIRES: the provider stops serving the model on that day.
ABILITIES: T tools, J JSON mode, S schemas, I images, D documents, A audio,
R reasoning."""

# The letters of an ability, and the features or modalities of which any one gives it.
_ABILITIES = (
    ("T", ("function_calling", "tool_use")),
    ("J", ("json_mode",)),
    ("S", ("structured_output",)),
    ("I", ("vision", "Image")),
    ("D", ("Document",)),
    ("A", ("Audio",)),
    ("R", ("reasoning",)),
)


def run(arguments: Namespace) -> int:
    """Print each provider's models, the retired ones only if they are asked for."""
    names = list_providers() if arguments.provider is None else [arguments.provider]
    entries = [
        {"provider": name, "id": model_id, **entry}
        for name in names
        for model_id, entry in get_manifest(name)["models"].items()
        if arguments.all or entry["status"] != "retired"
    ]
    if arguments.json:
        output.document(entries)
        return 0
    for name in names:
        own = [entry for entry in entries if entry["provider"] == name]
        _print_models(name, [entry for entry in own if entry["status"] != "retired"])
        if arguments.all:
            _print_models(f"{name}, retired", [e for e in own if e["status"] == "retired"])
    output.line(LEGEND)
    return 0


def _print_models(title: str, entries: list[dict[str, Any]]) -> None:
    count = "1 model" if len(entries) == 1 else f"{len(entries)} models"
    output.line(f"{title}: {count}")
    if entries:
        output.table(COLUMNS, map(_row, entries))
    output.line()


def _row(entry: dict[str, Any]) -> list[str]:
    capabilities = entry["capabilities"]
    tokens = (capabilities.get("constraints") or {}).get("tokens") or {}
    pricing = entry.get("pricing") or {}
    return [
        entry["id"],
        _count(tokens.get("max_context_window")),
        _count(tokens.get("max_output_tokens")),
        _price(pricing.get("input")),
        _price(pricing.get("output")),
        _abilities(capabilities),
        entry.get("deprecation_date") or UNKNOWN,
    ]


def _count(value: Optional[int]) -> str:
    return UNKNOWN if value is None else str(value)


def _price(value: Optional[float]) -> str:
    """Return a price with two decimals, or with as many as it has; from 100 without ".00"."""
    if value is None:
        return UNKNOWN
    if value >= 100 and value == int(value):
        return str(int(value))
    return max(f"{value:.2f}", f"{value:.12f}".rstrip("0"), key=len)


def _abilities(capabilities: dict[str, Any]) -> str:
    """Return one letter for each ability that a model has, and a dash for each other."""
    features = capabilities.get("features") or {}
    modalities = capabilities.get("modalities") or {}
    has = {name for name, present in features.items() if present}
    has.update(*(modalities.get(way) or () for way in ("input", "output")))
    return "".join(letter if has.intersection(any_of) else "-" for letter, any_of in _ABILITIES)
