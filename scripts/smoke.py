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
    modules = [
        importlib.import_module(module.name)
        for module in pkgutil.walk_packages(specado._core.__path__, "specado._core.")
    ]
    compiled = [module for module in modules if (module.__file__ or "").endswith(suffixes)]
    if not compiled:
        sys.exit(f"no module of {specado._core.__file__} is compiled")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", specado.SimulatedReplyWarning)
        response = specado.Client({"simulate": True}).chat.completions.create(
            model="gpt-4", messages="Hello"
        )
    if not response.choices[0].message.content:
        sys.exit(f"the simulated reply is empty: {response!r}")

    print(f"specado {installed}: {len(compiled)} compiled modules, {response!r}")


if __name__ == "__main__":
    main()
