"""The page of fields is what the tables say."""

from __future__ import annotations

import importlib.util

import pytest

from reference_files import REPOSITORY
from specado.fields import ANTHROPIC_FIELDS, OPENAI_FIELDS
from specado.losses import ROWS

SCRIPT = REPOSITORY / "scripts" / "make_field_matrix.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("make_field_matrix", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_committed_page_is_the_generated_one(script):
    committed = (REPOSITORY / "docs" / "fields.md").read_text(encoding="utf-8")

    assert committed == script.page(), "run: python scripts/make_field_matrix.py"


def test_every_field_and_every_row_stands_on_it(script):
    page = script.page()

    names = [*OPENAI_FIELDS, *ANTHROPIC_FIELDS, *ROWS]
    assert [name for name in names if f"`{name}`" not in page] == []
