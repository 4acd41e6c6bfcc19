"""Finds an active tool of tests that mocks HTTP, and that specado's own connections pass by."""

from __future__ import annotations

import sys
from typing import Any, Optional

__all__ = ["passed_by_tool"]


def passed_by_tool(library: str) -> Optional[str]:
    """Return the name of an active mocking tool that does not see a call, `None` if there is none.

    *library* is the HTTP library of the call's own connections. No tool is imported here: one that
    nobody has imported is not active.
    """
    if _module_of("http.client", "HTTPSConnection") == "vcr":
        return "vcrpy"
    if _module_of("httpx", "HTTPTransport", "handle_request") == "pytest_httpx":
        return "pytest-httpx"
    mocker = _attribute("respx.mocks", "Mocker")
    for target, each in dict(getattr(mocker, "registry", {})).items():
        is_seen = target == "httpcore" and library == "httpx"
        if getattr(each, "routers", None) and not is_seen:
            return "respx"
    return None


def _attribute(module: str, *names: str) -> Any:
    found: Any = sys.modules.get(module)
    for name in names:
        found = getattr(found, name, None)
    return found


def _module_of(module: str, *names: str) -> str:
    """Return the top-level module that defines what now stands under these names."""
    defined_in = getattr(_attribute(module, *names), "__module__", None)
    return str(defined_in).partition(".")[0]
