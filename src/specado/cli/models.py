"""`specado models`: lists each provider's models, with prices and abilities.

With `--live` the servers are asked which models they serve.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from specado.calls.served_models import ServedModel, served_models
from specado.catalog.lookup import get_manifest, list_providers, outlines, provider
from specado.cli import output
from specado.cli.output import Column
from specado.endpoints.access import Access, has_access
from specado.errors import ConfigurationError, SpecadoError
from specado.settings.client_settings import resolve

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
    wanted = arguments.provider or arguments.provider_option
    if arguments.live:
        return _run_live(wanted, as_json=arguments.json)
    names = list_providers() if wanted is None else [wanted]
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


def _run_live(wanted: Optional[str], *, as_json: bool) -> int:
    """Print the models that servers list; those that cannot be asked are told on stderr."""
    access = Access(resolve(None))
    entries: list[dict[str, Any]] = []
    failed = 0
    names = _reachable() if wanted is None else [wanted]
    for name in names:
        try:
            served = _served(name, access)
        except SpecadoError as error:
            if wanted is not None:
                raise
            output.notice(error.message)
            failed = 1
            continue
        entries += served
        if not as_json:
            _print_models(f"{name}, live", served)
    if as_json:
        output.document(entries)
    elif entries:
        output.line(LEGEND)
    return failed


def _reachable() -> list[str]:
    """Return the providers that have a key or an address in the environment."""
    settings = resolve(None)
    names = [each.name for each in outlines() if has_access(each, settings)]
    if not names:
        raise ConfigurationError(
            "no provider has an API key or an address: set one, or name a provider, as in "
            "--live --provider ollama",
            key="provider",
        )
    return names


def _served(name: str, access: Access) -> list[dict[str, Any]]:
    """Return the entries of the models that a server lists, with what its manifest knows."""
    manifest = get_manifest(name)  # refuses an unknown name
    known = provider(name)
    if known is None:
        raise LookupError(f"{name!r} has a manifest and no provider")
    entries = []
    for served in served_models(known, access):
        found = known.find(served.id)
        entry = {} if found is None else manifest["models"][found.id]
        entries.append(_live_entry(name, served, entry))
    return entries


def _live_entry(name: str, served: ServedModel, entry: dict[str, Any]) -> dict[str, Any]:
    """Return a manifest's entry with the limits that the server states."""
    capabilities = {**(entry.get("capabilities") or {})}
    constraints = {**(capabilities.get("constraints") or {})}
    stated = {
        "max_context_window": served.context_window,
        "max_output_tokens": served.max_output_tokens,
    }
    tokens = {**(constraints.get("tokens") or {})}
    tokens.update((key, value) for key, value in stated.items() if value is not None)
    capabilities["constraints"] = {**constraints, "tokens": tokens}
    own = {**entry, "capabilities": capabilities, "is_known": bool(entry), "listed": served.listed}
    return {"provider": name, "id": served.id, **own}


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
