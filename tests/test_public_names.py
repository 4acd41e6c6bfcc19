"""Public names of `specado`, import time, and compiled modules."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.metadata
import subprocess
import sys
import types

import pytest

import specado
from reference_files import REPOSITORY

DOCUMENTED = {
    "ChatCompletionResponse",
    "Choice",
    "Client",
    "Extensions",
    "Message",
    "__version__",
    "compare_capabilities",
    "get_anthropic_manifest",
    "get_model_capabilities",
    "get_openai_manifest",
    "version",
}
HEAVY = {"anyio", "asyncio", "h11", "httptools", "httpx", "rich", "ssl", "typer", "unittest"}
COMPILED = sorted(
    ".".join(path.relative_to(REPOSITORY / "src").with_suffix("").parts)
    for path in (REPOSITORY / "src/specado/_core").rglob("*.pyx")
)


def is_public(name):
    """Tell whether *name* of the package is there for users: not a module, not an import's rest."""
    value = getattr(specado, name)
    if isinstance(value, types.ModuleType) or name in ("TYPE_CHECKING", "annotations"):
        return False
    return name == "__version__" or not name.startswith("_")


def test_all_equals_the_public_names():
    assert sorted(specado.__all__) == sorted(filter(is_public, dir(specado)))


def test_all_holds_every_documented_name():
    assert set(specado.__all__) >= DOCUMENTED


def test_all_names_nothing_twice():
    assert len(specado.__all__) == len(set(specado.__all__))


@pytest.mark.parametrize("name", specado.__all__)
def test_a_public_name_is_documented_and_says_that_it_is_specados(name):
    value = getattr(specado, name)

    if isinstance(value, type) or callable(value):
        assert value.__doc__
        assert value.__module__.partition(".")[0] == "specado"


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        specado.no_such_name  # noqa: B018 - looking it up is what is tested


def test_the_version_is_stated_once():
    assert specado.version() == specado.__version__ == importlib.metadata.version("specado")


@pytest.mark.parametrize("name", COMPILED)
def test_the_compiled_module_is_the_one_loaded(name):
    module = importlib.import_module(name)

    assert module.__file__.endswith(tuple(importlib.machinery.EXTENSION_SUFFIXES))


def test_importing_specado_and_making_a_client_load_no_http_library_and_no_event_loop():
    program = "import sys, specado; specado.Client({}); print(*sorted(sys.modules), sep='\\n')"

    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()

    assert "specado" in loaded
    assert HEAVY & set(loaded) == set()
