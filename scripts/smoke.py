"""Try an installed specado: the version, the compiled core, and a completion without a key.

    python scripts/smoke.py

Knows nothing of the source tree: it is run from another directory, on an installed wheel.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import pkgutil
import sys
import warnings
from importlib import metadata

import specado
import specado._core


def main() -> None:
    """Print what was tried; fail with an error that names what does not hold."""
    installed = metadata.version("specado")
    if specado.version() != installed:
        sys.exit(f"specado.version() is {specado.version()!r}, the package's is {installed!r}")

    suffixes = tuple(importlib.machinery.EXTENSION_SUFFIXES)
    modules = [module.name for module in pkgutil.iter_modules(specado._core.__path__)]
    for name in modules:
        path = importlib.import_module(f"specado._core.{name}").__file__ or ""
        if not path.endswith(suffixes):
            sys.exit(f"specado._core.{name} is not compiled: {path}")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", specado.SimulatedReplyWarning)
        response = specado.Client({"simulate": True}).chat.completions.create(
            model="gpt-4", messages="Hello"
        )
    if not response.choices[0].message.content:
        sys.exit(f"the simulated reply is empty: {response!r}")

    print(f"specado {installed}: {len(modules)} compiled modules, {response!r}")


if __name__ == "__main__":
    main()
