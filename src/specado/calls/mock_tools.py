"""Finds an active tool of tests that mocks HTTP, and that specado's own connections pass by."""

from __future__ import annotations

import sys
from typing import Any, Optional

__all__ = ["passed_by_tool"]


def passed_by_tool() -> Optional[str]:
    """Return the name of an active mocking tool, `None` if there is none.

    No tool is imported here: one that nobody has imported is not active.
    """
    if _module_of("http.client", "HTTPSConnection") == "vcr":
        return "vcrpy"
    if _module_of("httpx", "HTTPTransport", "handle_request") == "pytest_httpx":
        return "pytest-httpx"
    mocker = _attribute("respx.mocks", "Mocker")
    registry = dict(getattr(mocker, "registry", {}))
    return "respx" if any(getattr(each, "routers", None) for each in registry.values()) else None


def _attribute(module: str, *names: str) -> Any:
    found: Any = sys.modules.get(module)
    for name in names:
        found = getattr(found, name, None)
    return found


def _module_of(module: str, *names: str) -> str:
    """Return the top-level module that defines what now stands under these names."""
    defined_in = getattr(_attribute(module, *names), "__module__", None)
    return str(defined_in).partition(".")[0]
