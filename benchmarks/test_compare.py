"""Guard: what a comparison costs, beside its twin in plain Python."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from specado.capabilities import compare_capabilities, get_model_capabilities

TWIN = Path(__file__).parent.parent / "tests" / "reference.py"
SOURCE = get_model_capabilities("openai", "gpt-4-turbo")
TARGET = get_model_capabilities("anthropic", "claude-3-opus")


def reference_compare(source, target):
    return _reference.compare_capabilities(source, target)


_spec = importlib.util.spec_from_file_location("compare_twin", TWIN)
_reference = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_reference)


@pytest.mark.benchmark(group="compare gpt-4-turbo with claude-3-opus, dict to dict")
@pytest.mark.parametrize(
    "compare", [compare_capabilities, reference_compare], ids=["core", "reference"]
)
def test_compare(benchmark, compare):
    assert compare(SOURCE, TARGET)["lossiness_report"]["severity"] == "Medium"

    benchmark(compare, SOURCE, TARGET)


@pytest.mark.benchmark(group="look up a model's capabilities")
def test_get_model_capabilities(benchmark):
    assert get_model_capabilities("openai", "gpt-4-turbo") == SOURCE

    benchmark(get_model_capabilities, "openai", "gpt-4-turbo")
