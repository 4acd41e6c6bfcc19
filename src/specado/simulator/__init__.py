"""OpenAI's and Anthropic's APIs, simulated: in process, or on a socket for any client.

Answers are fixed by the request. What it is sent is checked as strictly as the provider does it,
and refused in the provider's words. The names in `FAULT_MODELS` fail, each in its own way.
"""

from __future__ import annotations

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
