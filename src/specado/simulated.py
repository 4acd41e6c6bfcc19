"""Whether a call is answered by the simulator in this process, and how time passes in one."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING

from specado import capabilities
from specado.errors import SimulatedReplyWarning, levels_to_caller
from specado.simulator.faults import FAULT_MODELS

if TYPE_CHECKING:
    from specado.config import Settings
    from specado.endpoints import Access
    from specado.routing.plan import Request

__all__ = ["SimulatedClock", "is_simulated"]

logger = logging.getLogger("specado")

# Logged once a process; a second thread that logs it too does no harm.
_logged: set[str] = set()


def _is_reserved(model: str) -> bool:
    """Return whether a model is one of the simulator's faults, with or without a provider."""
    if model in FAULT_MODELS:
        return True
    prefix, _, rest = model.partition("/")
    return rest in FAULT_MODELS and capabilities.provider(prefix) is not None


def _needs_no_key(model: str) -> bool:
    """Return whether a model is named with a provider that asks for no key."""
    found = capabilities.provider(model.partition("/")[0]) if "/" in model else None
    return found is not None and found.authentication.kind == "none"


def is_simulated(request: Request, settings: Settings, access: Access) -> bool:
    """Return whether a call is answered by the simulator in this process."""
    models = (request.model, *request.options.get("fallback_models", ()))
    if any(map(_is_reserved, models)):
        return True
    if settings.simulate != "auto":
        return bool(settings.simulate)
    if access.is_real or any(map(_needs_no_key, models)):
        return False
    text = (
        "no provider has an API key or an address: replies are simulated in this process. "
        "Set OPENAI_API_KEY or ANTHROPIC_API_KEY; simulate=True or False decides for good."
    )
    warnings.warn(text, SimulatedReplyWarning, stacklevel=levels_to_caller())
    if "simulated" not in _logged:
        _logged.add("simulated")
        logger.warning("%s", text)
    return True


class SimulatedClock:
    """Time in a simulated call: it passes by what a real call would have waited."""

    def __init__(self) -> None:
        self._now_s = 0.0

    def now(self) -> float:
        """Return the seconds that have passed."""
        return self._now_s

    def pass_time(self, seconds: float) -> None:
        """Let *seconds* pass."""
        self._now_s += seconds
