"""Imports point down: the layers of the package, and who may import httpx."""

from __future__ import annotations

import ast
import functools
import re
from typing import TYPE_CHECKING

import pytest

from reference_files import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOURCES = REPOSITORY / "src"

# From the bottom up. A module belongs to the longest name here that it equals or lies under.
LAYERS = [
    {"specado._version", "specado.types", "specado.errors", "specado.json_schema"},
    {"specado._core"},
    {"specado.settings"},
    {"specado.transport"},
    {"specado.catalog"},
    {"specado.endpoints"},
    {"specado.losses"},
    {"specado.dialects"},
    {"specado.routing"},
    {"specado.simulator"},
    {"specado.calls"},
    {"specado.translation", "specado.client", "specado.client_options"},
    {"specado"},
    {"specado.cli", "specado.__main__", "specado.integrations", "specado.simulator.server"},
]
HEIGHTS = {name: height for height, names in enumerate(LAYERS) for name in names}
EDGE = len(LAYERS) - 1
CORE_MAY_IMPORT = ("specado._core", "specado.types", "specado.errors", "specado.json_schema")

_CYTHON_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(?P<module>[\w.]+)[ \t]+c?import[ \t]+(?P<names>[^\n#]+)"
    r"|c?import[ \t]+(?P<plain>[^\n#]+))",
    re.MULTILINE,
)


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCES).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PYTHON = {module_name(path): path for path in sorted(SOURCES.rglob("*.py"))}
CYTHON = {
    f"{module_name(path)}{path.suffix}": path for path in sorted(SOURCES.rglob("*.p[yx][xd]"))
}
KNOWN = set(PYTHON) | {module_name(path) for path in CYTHON.values()}


def layer(module: str) -> str | None:
    """Return the name in `LAYERS` that *module* belongs to, or None."""
    if module == "specado":
        return module
    while module not in HEIGHTS:
        module = module.rpartition(".")[0]
        if module in ("", "specado"):
            return None
    return module


def resolve(module: str, name: str) -> str:
    """Return what `from module import name` loads: the submodule if there is one."""
    return f"{module}.{name}" if f"{module}.{name}" in KNOWN else module


@functools.cache
def python_imports(module: str, path: Path) -> tuple[tuple[int, str], ...]:
    """Return (line, imported module), in functions and under TYPE_CHECKING too."""
    return tuple(_read_python_imports(module, path))


def _read_python_imports(module: str, path: Path) -> Iterator[tuple[int, str]]:
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *filter(None, [node.module])])
            for alias in node.names:
                yield node.lineno, resolve(base, alias.name)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield node.lineno, argument.value


@functools.cache
def cython_imports(path: Path) -> tuple[tuple[int, str], ...]:
    """Return (line, imported module) of a .pyx or .pxd."""
    return tuple(_read_cython_imports(path))


def _read_cython_imports(path: Path) -> Iterator[tuple[int, str]]:
    text = path.read_text(encoding="utf-8")
    for match in _CYTHON_IMPORT.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        if match["module"]:
            for name in match["names"].strip("() ").split(","):
                yield line, resolve(match["module"], name.split()[0] if name.split() else "")
        else:
            for name in match["plain"].split(","):
                yield line, name.split()[0]


def own(name: str) -> bool:
    return name == "specado" or name.startswith("specado.")


@pytest.mark.parametrize("module", PYTHON)
def test_every_module_belongs_to_a_layer(module):
    assert layer(module) is not None, f"{module}: give it a place in LAYERS"


@pytest.mark.parametrize("module", PYTHON)
def test_imports_point_down(module):
    here = HEIGHTS[layer(module) or "specado"]

    upward = [
        f"{module}:{line} imports {name}"
        for line, name in python_imports(module, PYTHON[module])
        if own(name) and HEIGHTS[layer(name) or "specado"] > here
    ]

    assert upward == []


@pytest.mark.parametrize("module", PYTHON)
def test_nothing_below_the_edges_imports_an_edge(module):
    edges = [
        f"{module}:{line} imports {name}"
        for line, name in python_imports(module, PYTHON[module])
        if own(name) and HEIGHTS[layer(name) or "specado"] == EDGE
    ]

    assert edges == [] or HEIGHTS[layer(module) or "specado"] == EDGE


# Who may import which HTTP library; `transport` itself loads both of them late.
HTTP_LIBRARIES = {
    "httptools": {"specado.transport.http1"},
    "httpx": {"specado.transport.httpx_client"},
    **{name: set() for name in ("anyio", "httpcore", "httpx2")},
}


@pytest.mark.parametrize("module", PYTHON)
def test_only_the_transport_imports_an_http_library(module):
    imported = {name.partition(".")[0] for _, name in python_imports(module, PYTHON[module])}
    found = imported & set(HTTP_LIBRARIES)

    assert [name for name in found if module not in HTTP_LIBRARIES[name]] == []


def test_the_transport_does_import_them():
    imported = {name for module in PYTHON for _, name in python_imports(module, PYTHON[module])}

    assert {"httptools", "httpx"} <= imported


@pytest.mark.parametrize("module", CYTHON)
def test_the_compiled_core_imports_only_what_needs_nothing_itself(module):
    outside = [
        f"{module}:{line} imports {name}"
        for line, name in cython_imports(CYTHON[module])
        if own(name) and not name.startswith(CORE_MAY_IMPORT)
    ]

    assert outside == []


def test_an_import_in_a_function_and_a_relative_one_are_seen(tmp_path):
    source = tmp_path / "errors.py"
    source.write_text(
        "from __future__ import annotations\n"
        "def late():\n"
        "    from . import client\n"
        "    from .routing import attempts\n"
        "    import specado.cli as cli\n"
        "    import importlib\n"
        "    importlib.import_module('specado.translation')\n"
    )

    found = set(python_imports("specado.errors", source))

    late = {(4, "specado.routing.attempts"), (5, "specado.cli"), (7, "specado.translation")}
    assert late <= found
    assert {line for line, name in found if own(name)} == {3, 4, 5, 7}


# Circles, and the independence of the simulator


@functools.cache
def imports_of(module: str) -> frozenset[str]:
    """Return the modules of the package that a module imports, compiled ones included."""
    found = set()
    if module in PYTHON:
        found |= {name for _, name in python_imports(module, PYTHON[module])}
    for suffix in (".pyx", ".pxd"):
        path = CYTHON.get(f"{module}{suffix}")
        if path is not None:
            found |= {name for _, name in cython_imports(path)}
    known = {name if name in KNOWN else name.rpartition(".")[0] for name in filter(own, found)}
    return frozenset(known - {module})


def reached_from(module: str) -> set[str]:
    """Return every module that *module* imports, directly or through others."""
    reached: set[str] = set()
    left = [module]
    while left:
        for name in imports_of(left.pop()) - reached:
            reached.add(name)
            left.append(name)
    return reached


@pytest.mark.parametrize("module", sorted(KNOWN - {"specado"}))
def test_no_module_imports_itself_through_others(module):
    assert module not in reached_from(module)


SIMULATED_SIDE = [name for name in PYTHON if name.startswith("specado.simulator")]
COMPILED_DIALECTS = ("specado._core.anthropic_messages", "specado._core.openai_chat")


@pytest.mark.parametrize("module", SIMULATED_SIDE)
def test_the_simulator_is_independent_of_the_dialects(module):
    shared = ("specado.dialects", *COMPILED_DIALECTS)

    assert [name for name in imports_of(module) if name.startswith(shared)] == []


@pytest.mark.parametrize("module", [name for name in PYTHON if ".dialects" in name])
def test_no_dialect_imports_the_simulator(module):
    assert not [name for name in imports_of(module) if name.startswith("specado.simulator")]


# Dialects

DIALECTS = {
    path.name
    for path in (SOURCES / "specado" / "dialects").iterdir()
    if (path / "fields.py").exists()
}
# The registry lists the dialects; a manifest that names no dialect gets the default one; the
# command line names a provider that is called as its dialect.
MAY_NAME_DIALECTS = {
    "specado.dialects.registry",
    "specado.catalog.manifests",
    "specado.cli.arguments",
}


def dialects_named_in(module: str) -> set[str]:
    """Return the dialects whose names stand in a module's text, or whose folders it imports."""
    tree = ast.parse(PYTHON[module].read_text(encoding="utf-8"))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    folders = {name: f"specado.dialects.{name}" for name in DIALECTS}
    imported = imports_of(module)
    return {
        name
        for name, folder in folders.items()
        if name in texts
        or any(each == folder or each.startswith(f"{folder}.") for each in imported)
    }


@pytest.mark.parametrize("module", [name for name in PYTHON if name not in MAY_NAME_DIALECTS])
def test_only_a_dialect_itself_names_it(module):
    own = {
        name
        for name in DIALECTS
        if module.startswith((f"specado.dialects.{name}", f"specado._core.{name}."))
    }

    assert module in SIMULATED_SIDE or dialects_named_in(module) <= own


def test_the_dialects_are_found():
    assert {
        "anthropic_messages",
        "bedrock_converse",
        "gemini",
        "openai_chat",
        "openai_responses",
    } == DIALECTS
    assert dialects_named_in("specado.dialects.registry") == DIALECTS
