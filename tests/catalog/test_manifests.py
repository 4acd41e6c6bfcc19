"""Shipped manifests: rules for every fact; the generator writes the same files."""

from __future__ import annotations

import datetime as dt
import importlib.util
import json
import runpy

import pytest

from reference_files import REPOSITORY
from shipped_providers import SHIPPED
from specado.catalog.index import outline_of
from specado.catalog.lookup import (
    get_manifest,
    list_providers,
    outlines,
    provider,
    providers_with,
)
from specado.catalog.manifests import FOLDER

FACTS_READ_ON = dt.date(2026, 11, 22)
NEWEST_FACTS_READ_ON = dt.date(2026, 11, 30)
# Those whose models stand in the tables of facts.
TABLED = ["anthropic", "gemini", "openai", "vertex"]

ENTRIES = [
    pytest.param(name, model_id, entry, id=f"{name}/{model_id}")
    for name in TABLED
    for model_id, entry in get_manifest(name)["models"].items()
]


@pytest.fixture(scope="module")
def make():
    """The script that writes the manifests."""
    script = REPOSITORY / "scripts" / "make_manifests.py"
    spec = importlib.util.spec_from_file_location("make", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_providers_are_shipped():
    assert list_providers() == SHIPPED


def test_the_manifests_regenerate_to_the_same_bytes(make, reference):
    made = make.make_manifests(reference / "model-facts.json", reference / "models-dev.json")

    assert sorted(made) == [f"{name}.json" for name in SHIPPED]
    for name, content in made.items():
        assert (FOLDER / name).read_bytes() == content


def test_the_manifests_by_hand_need_no_table(make):
    made = make.make_manifests(None, None)

    assert made.keys() >= {"groq.json", "ollama.json"}
    assert "openai.json" not in made
    for name, content in made.items():
        assert (FOLDER / name).read_bytes() == content


def test_the_index_regenerates_to_the_same_bytes(make):
    manifests = {path.stem: json.loads(path.read_bytes()) for path in FOLDER.glob("*.json")}

    made = make.make_index(manifests)

    assert sorted(made) == ["model_index.json", "provider_index.json"]
    for name, content in made.items():
        assert (FOLDER.parent / name).read_bytes() == content


def test_the_tables_of_the_page_on_providers_are_current():
    page = (REPOSITORY / "docs" / "providers.md").read_text(encoding="utf-8")
    script = runpy.run_path(str(REPOSITORY / "scripts" / "make_provider_table.py"))

    assert script["make_page"](page) == page
    for name in SHIPPED:
        assert page.count(f"\n| `{name}` | ") == 2


def test_the_index_says_what_the_manifests_say():
    assert outlines() == [outline_of(provider(name)) for name in SHIPPED]
    for name in SHIPPED:
        for model_id, entry in get_manifest(name)["models"].items():
            for each in (model_id, *entry.get("aliases", ())):
                assert name in [having.name for having in providers_with(each)]


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        (
            "openai",
            ["gpt-4", "gpt-4-turbo", "gpt-3.5-turbo", "gpt-4o", "gpt-5", "gpt-5.4", "gpt-6-astra"],
        ),
        (
            "anthropic",
            ["claude-3-opus", "claude-3-haiku", "claude-sonnet-4-6", "claude-opus-5-5"],
        ),
    ],
)
def test_the_models_users_know_are_there(name, ids):
    assert set(ids) <= set(provider(name).models)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_manifest_says_where_it_is_from(name):
    info = get_manifest(name)["info"]

    assert info["source"].startswith("https://")
    assert dt.date.fromisoformat(info["date"]) <= NEWEST_FACTS_READ_ON


@pytest.mark.parametrize(("name", "model_id", "entry"), ENTRIES)
def test_each_fact_has_source_and_date(name, model_id, entry):
    assert entry["source"]
    assert dt.date.fromisoformat(entry["date"]) <= NEWEST_FACTS_READ_ON


@pytest.mark.parametrize(("name", "model_id", "entry"), ENTRIES)
def test_numbers_make_sense(name, model_id, entry):
    tokens = entry["capabilities"]["constraints"]["tokens"]
    prices = entry["pricing"]

    assert 0 < tokens["max_output_tokens"] <= tokens["max_context_window"]
    assert entry["capabilities"]["parameters"]["max_tokens"]["max"] == tokens["max_output_tokens"]
    assert 0 < prices["input"] <= prices["output"]
    assert prices.get("cached_input", 0) <= prices["input"]
    for date in (entry["release_date"], entry["deprecation_date"]):
        assert date is None or dt.date.fromisoformat(date)
    if entry["release_date"] and entry["deprecation_date"]:
        assert entry["release_date"] < entry["deprecation_date"]


@pytest.mark.parametrize(("name", "model_id", "entry"), ENTRIES)
def test_abilities_agree_with_one_another(name, model_id, entry):
    capability, traits = entry["capabilities"], entry["traits"]
    features, inputs = capability["features"], capability["modalities"]["input"]
    parameters = capability["parameters"]

    assert features["vision"] is ("Image" in inputs)
    assert "Text" in inputs
    assert "Text" in capability["modalities"]["output"]
    assert features["structured_output"] is traits["structured_output"]
    assert features["function_calling"] is capability["roles"]["tool"]
    if "sampling" in traits:
        assert parameters["temperature"]["supported"] is traits["sampling"]
    else:
        assert "temperature" not in parameters
    if traits.get("reasoning_efforts") is not None:
        assert features["reasoning"] is bool(traits["reasoning_efforts"])
        default = traits.get("default_effort")
        assert default is None or default in traits["reasoning_efforts"]


@pytest.mark.parametrize("name", TABLED)
def test_fallbacks_name_current_models_of_this_provider_for_others(name):
    shipped = provider(name)

    assert shipped.fallback_for
    for original, target in shipped.fallback_for.items():
        model = shipped.models[target]
        assert original not in shipped.models
        assert model.status(FACTS_READ_ON) == "current"
        assert model.general


@pytest.mark.parametrize(("name", "model_id", "entry"), ENTRIES)
def test_a_model_with_a_last_day_has_a_current_successor(name, model_id, entry):
    shipped = provider(name)
    successor = shipped.successor(shipped.models[model_id], FACTS_READ_ON)

    assert entry["deprecation_date"] or "successor" not in entry
    assert shipped.models[successor].status(FACTS_READ_ON) == "current"


@pytest.mark.parametrize(
    ("name", "model_id", "successor"),
    [
        ("openai", "gpt-4o", "gpt-6-luna"),
        ("openai", "gpt-5", "gpt-6.1-sol"),
        ("openai", "gpt-4-turbo", "gpt-5.6-sol"),
        ("openai", "gpt-3.5-turbo-16k", "gpt-6.1-terra"),  # not stated: 3 + 4 is nearest to 1 + 5
        ("anthropic", "claude-3-opus", "claude-opus-4-8"),
        ("anthropic", "claude-3-5-haiku", "claude-haiku-4-5"),
        ("anthropic", "claude-sonnet-4-5", "claude-sonnet-5-5"),
    ],
)
def test_successors_that_the_providers_recommend(name, model_id, successor):
    shipped = provider(name)

    assert shipped.successor(shipped.models[model_id], FACTS_READ_ON) == successor


@pytest.mark.parametrize(("name", "other"), [("openai", "anthropic"), ("anthropic", "openai")])
def test_every_general_model_has_a_counterpart(name, other):
    for model in provider(name).models.values():
        if model.general:
            assert provider(other).counterpart(model.id, model) is not None, model.id


def test_special_models_never_stand_in():
    special = ["gpt-audio", "gpt-4o-search-preview", "gpt-5.6-cyber", "daybreak-red-latest"]

    assert not any(provider("openai").models[model_id].general for model_id in special)
    assert not provider("anthropic").models["claude-mythos-5"].general


@pytest.mark.parametrize(
    ("name", "model_id", "trait", "value"),
    [
        ("openai", "gpt-4o", "max_tokens_parameter", None),
        ("openai", "gpt-5", "max_tokens_parameter", "max_completion_tokens"),
        ("openai", "o3", "sampling", False),
        ("openai", "gpt-4.1", "sampling", True),
        ("openai", "gpt-5.2", "sampling_while_reasoning", False),
        ("openai", "gpt-5", "reasoning_efforts", ("minimal", "low", "medium", "high")),
        ("openai", "gpt-4o", "reasoning_efforts", ()),
        ("openai", "gpt-6-astra", "reasoning_efforts", ("low", "medium", "high", "xhigh", "max")),
        ("openai", "gpt-5.4", "tools_while_reasoning", False),
        ("openai", "o3-mini", "parallel_tool_calls", False),
        ("openai", "gpt-4-turbo", "structured_output", False),
        ("anthropic", "claude-3-opus", "thinking", "none"),
        ("anthropic", "claude-sonnet-4-5", "thinking", "budget"),
        ("anthropic", "claude-opus-4-6", "thinking", "adaptive"),
        ("anthropic", "claude-opus-5-5", "thinking", "always"),
        ("anthropic", "claude-opus-4-1", "temperature_with_top_p", False),
        ("anthropic", "claude-3-5-sonnet", "temperature_with_top_p", True),
        ("anthropic", "claude-opus-4-7", "sampling", False),
        ("anthropic", "claude-opus-4-5", "effort_parameter", True),
        ("anthropic", "claude-haiku-4-5", "effort_parameter", False),
        ("anthropic", "claude-opus-4-8", "mid_conversation_system", True),
        ("anthropic", "claude-opus-4-7", "mid_conversation_system", False),
        ("anthropic", "claude-opus-5-5", "forced_tool_choice", False),
        ("anthropic", "claude-haiku-5-5", "forced_tool_choice", True),
        ("anthropic", "claude-sonnet-4-5", "assistant_prefill", True),
        ("anthropic", "claude-sonnet-4-6", "assistant_prefill", False),
        ("anthropic", "claude-haiku-4-5", "structured_output", True),
    ],
)
def test_traits_the_encoders_rely_on(name, model_id, trait, value):
    assert getattr(provider(name).models[model_id].traits, trait) == value
