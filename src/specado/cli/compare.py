"""`specado compare`: compares the capabilities of two models."""

from __future__ import annotations

import datetime as dt
import textwrap
from typing import TYPE_CHECKING, Any, NamedTuple

from specado.catalog.lookup import (
    compare_capabilities,
    find_model,
    get_model_capabilities,
    is_provider,
    list_providers,
    provider,
    providers_with,
)
from specado.cli import output
from specado.cli.output import Column
from specado.errors import ConfigurationError
from specado.settings.validators import closest

if TYPE_CHECKING:
    from argparse import Namespace

__all__ = ["run"]

LINE_WIDTH = 79
LABEL_WIDTH = 12
COLUMNS = (Column("CONSTRAINED"), Column("SOURCE"), Column("TARGET"), Column("IMPACT"))


class _ModelCapabilities(NamedTuple):
    """A model and its capabilities in the manifest."""

    provider: str
    id: str
    capabilities: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.provider}/{self.id}"


def run(arguments: Namespace) -> int:
    """Compare two models and print the outcome."""
    source, target = _find(arguments.source), _find(arguments.target)
    comparison = compare_capabilities(source.capabilities, target.capabilities)
    if arguments.json:
        models = {"source": _as_document(source), "target": _as_document(target)}
        output.document({**models, **comparison})
    else:
        _print(source, target, comparison)
    return 0


def _find(name: str) -> _ModelCapabilities:
    """Return the model that *name* means, an id or an alias, with or without its provider.

    Raises:
        ConfigurationError: no provider has it, or several have.
    """
    prefix, slash, rest = name.partition("/")
    if slash and is_provider(prefix):
        providers, model_id = [prefix], rest
    else:
        having, model_id = providers_with(name), name
        # A maker that lists the model is meant, whoever else hosts it.
        makers = [each for each in having if not each.hosts_others]
        providers = [each.name for each in makers or having]
    found = [
        _ModelCapabilities(each, model.id, get_model_capabilities(each, model.id) or {})
        for each in providers
        if (model := find_model(each, model_id)) is not None
    ]
    if not found:
        raise _unknown(name, model_id, providers or list_providers())
    if len(found) > 1:
        raise ConfigurationError(f"{name!r} could be {' or '.join(map(str, found))}: name one")
    return found[0]


def _unknown(name: str, model_id: str, providers: list[str]) -> ConfigurationError:
    known = {}
    for each in providers:
        manifest = provider(each)
        if manifest is not None:
            for known_id in (*manifest.models, *manifest.by_alias):
                known[known_id] = known[f"{each}/{known_id}"] = each
    near = closest(name, known) or closest(model_id, known)
    hint = f"did you mean {near!r}?" if near else '"specado models" lists those that are'
    return ConfigurationError(f"{name!r} is not a known model; {hint}")


def _as_document(model: _ModelCapabilities) -> dict[str, str]:
    return {"provider": model.provider, "id": model.id}


def _print(
    source: _ModelCapabilities, target: _ModelCapabilities, comparison: dict[str, Any]
) -> None:
    report = comparison["lossiness_report"]
    _print_names("Source", [_title(source)])
    _print_names("Target", [_title(target)])
    _print_names("Severity", [report["severity"]])
    _print_names("Missing", comparison["missing_capabilities"])
    _print_names("Additional", comparison["additional_capabilities"])
    constrained = comparison["constrained_capabilities"]
    if constrained:
        output.line()
        output.table(COLUMNS, map(_row, constrained))
    # Each detail is next to its recommendation; parts that could not be compared come after them.
    advice = report["recommendations"]
    _print_list("Recommendations", advice)
    _print_list("Not compared", report["details"][len(advice) :])


def _title(model: _ModelCapabilities) -> str:
    facts = find_model(model.provider, model.id)
    today = dt.datetime.now(dt.timezone.utc).date()
    if facts is None or not facts.is_retired(today):
        return str(model)
    return f"{model} (retired {facts.deprecation_date})"


def _print_names(label: str, names: list[str]) -> None:
    output.line(_filled(", ".join(names) or "none", label.ljust(LABEL_WIDTH), " " * LABEL_WIDTH))


def _filled(text: str, first_indent: str, indent: str) -> str:
    return textwrap.fill(
        text,
        LINE_WIDTH,
        initial_indent=first_indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _print_list(title: str, sentences: list[str]) -> None:
    if not sentences:
        return
    output.line()
    output.line(title)
    for sentence in sentences:
        output.line(_filled(sentence, "- ", "  "))


def _row(item: dict[str, Any]) -> list[str]:
    return [
        item["capability"],
        _shown(item["source_value"]),
        f"-> {_shown(item['target_value'])}",
        item["impact"],
    ]


def _shown(value: Any) -> str:
    """Return a capability's value as text; a range as its two ends."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        if set(value) == {"min", "max"}:
            low, high = (_shown(value[end]) for end in ("min", "max"))
            return f"{low} to {high}"
        return ", ".join(f"{key} {_shown(each)}" for key, each in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_shown, value)) or "none"
    return str(value)
