"""Simulator of the APIs of OpenAI, Anthropic, Google, AWS Bedrock and compatible providers.

It runs in process, or as an HTTP server. The same request always gets the same answer, but for what
the Responses API stores. Requests are checked as strictly as the provider checks them, and refused
with the provider's error messages. Each model in `FAULT_MODELS` fails in its own way.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from specado.simulator.endpoints import handle
    from specado.simulator.faults import FAULT_MODELS, FAULTS, Fault
    from specado.simulator.inprocess import AsyncInProcessTransport, InProcessTransport
    from specado.simulator.reply import SimulatedReply

__all__ = [
    "FAULTS",
    "FAULT_MODELS",
    "AsyncInProcessTransport",
    "Fault",
    "InProcessTransport",
    "SimulatedReply",
    "handle",
]

# Loaded when first used: a process with keys needs the names of the faults and nothing else.
_MODULE_OF = {
    "FAULTS": "faults",
    "FAULT_MODELS": "faults",
    "AsyncInProcessTransport": "inprocess",
    "Fault": "faults",
    "InProcessTransport": "inprocess",
    "SimulatedReply": "reply",
    "handle": "endpoints",
}


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{module}"), name)
