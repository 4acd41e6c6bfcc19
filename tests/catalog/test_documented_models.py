"""The models of the pages, the examples and the defaults: none of them retires soon."""

from __future__ import annotations

import datetime as dt
import re

import pytest

import specado
from reference_files import REPOSITORY
from specado.catalog.lookup import get_manifest, provider
from specado.cli.arguments import DEFAULT_MODELS

SHIPPED = ("anthropic", "openai")
SHORTEST_LIFE = dt.timedelta(days=90)
FILES = [
    REPOSITORY / "README.md",
    *sorted(REPOSITORY.glob("docs/**/*.md")),
    *sorted(REPOSITORY.glob("examples/*.py")),
    REPOSITORY / "src/specado/__init__.py",
    *sorted(REPOSITORY.glob("src/specado/cli/*.py")),
]
# Where a page is about a retired model on purpose.
ABOUT_RETIRED_MODELS = {("docs/fallback.md", "claude-3-opus")}


def day_of_the_release():
    """Return the newest date of the changelog's headings, else that of the manifests' facts.

    Never today: a release that was right must not fail later.
    """
    changelog = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    dates = re.findall(r"^## .*(\d{4}-\d\d-\d\d)", changelog, re.MULTILINE)
    facts = [get_manifest(name)["info"]["date"] for name in SHIPPED]
    return dt.date.fromisoformat(max(dates or facts))


def is_leaving(model):
    """Return whether a model has retired by the day of the release or does so soon after."""
    return model.is_retired(day_of_the_release() + SHORTEST_LIFE)


def models_by_name():
    models = [model for name in SHIPPED for model in provider(name).models.values()]
    return {name: model for model in models for name in (model.id, *model.aliases)}


def names_in(text):
    """Return the ids and aliases of shipped models in a text."""
    longest_first = sorted(models_by_name(), key=len, reverse=True)
    known = "|".join(map(re.escape, longest_first))
    return set(re.findall(rf"(?<![\w.-])(?:{known})(?![\w-]|\.\d)", text))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(REPOSITORY).as_posix())
def test_documented_models_do_not_retire_soon(file):
    page = file.relative_to(REPOSITORY).as_posix()
    known = models_by_name()

    leaving = {name for name in names_in(file.read_text("utf-8")) if is_leaving(known[name])}

    assert leaving == {name for where, name in ABOUT_RETIRED_MODELS if where == page}


def test_the_command_lines_defaults_do_not_retire_soon():
    models = [provider(name).find(model_id) for name, model_id in DEFAULT_MODELS.items()]

    assert [model.id for model in models if is_leaving(model)] == []


@pytest.mark.parametrize("name", SHIPPED)
def test_counterparts_of_other_providers_models_do_not_retire_soon(name):
    shipped = provider(name)

    leaving = {to for to in shipped.fallback_for.values() if is_leaving(shipped.models[to])}

    assert leaving == set()


@pytest.mark.parametrize(("primary", "fallback"), [SHIPPED, SHIPPED[::-1]])
def test_a_model_chosen_by_price_does_not_retire_soon(primary, fallback):
    keys = {name: {"api_key": "k"} for name in SHIPPED}
    client = specado.Client(
        {"primary_provider": primary, "fallback_provider": fallback, "providers": keys}
    )

    first, second = client.chat.completions.plan("in-no-manifest", "Hello")

    assert (first.model, second.provider) == ("in-no-manifest", fallback)
    assert not is_leaving(provider(fallback).find(second.model))


def test_ids_are_found_as_whole_words():
    text = "`gpt-4o`, gpt-4o-mini. openai/gpt-5.4: gpt-4ox my-gpt-5 gpt-5.45 'claude-opus-4-5'"

    assert names_in(text) == {"gpt-4o", "gpt-4o-mini", "gpt-5.4", "claude-opus-4-5"}
