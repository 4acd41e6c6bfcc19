"""Simulation mode: decides whether the simulator answers a call; the clock of such a call."""

from __future__ import annotations

import logging
import warnings
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from specado.endpoints.access import needs_no_key
from specado.errors import ConfigurationError, SimulatedReplyWarning, caller_stacklevel
from specado.routing.candidates import ModelResolver
from specado.routing.plan import call_routes
from specado.simulator.faults import FAULT_MODELS

if TYPE_CHECKING:
    from specado.catalog.lookup import Provider
    from specado.endpoints.access import Access
    from specado.routing.candidates import Route
    from specado.routing.plan import Request
    from specado.settings.client_settings import Settings

__all__ = ["SimulatedClock", "is_simulated"]

logger = logging.getLogger("specado")

# Messages that this process has logged: each is logged once. Two threads may both log one.
_logged: set[str] = set()


def is_simulated(request: Request, settings: Settings, access: Access) -> bool:
    """Return whether the simulator in this process answers a call (setting `simulate`).

    Raises:
        ConfigurationError: the first model is real, and a fallback is a reserved fault name.
    """
    if settings.simulate != "auto":
        return bool(settings.simulate)
    may_be_reserved = _may_be_reserved(request, settings)
    if access.is_real and not may_be_reserved:
        return False
    first, *following = call_routes(request, settings, access, datetime.now(timezone.utc).date())
    if may_be_reserved:
        lookup = ModelResolver(settings, access.has_own_address)
        if _stands_for_a_fault(first, lookup):
            return True
        for route in following:
            if _stands_for_a_fault(route, lookup):
                raise _mixed(first, route)
    if access.is_real or any(needs_no_key(route.provider) for route in (first, *following)):
        return False
    if "simulated" not in _logged:
        key_setting = _wanted_key(first.provider)
        text = (
            "no provider has an API key or an address: replies are simulated in this process. "
            f"Set {key_setting}; simulate=True or False decides for good."
        )
        warning = SimulatedReplyWarning(text)
        warning.key_setting = key_setting
        warnings.warn(warning, stacklevel=caller_stacklevel())
        _logged.add("simulated")  # after the warning: a filter may raise it each time
        logger.warning("%s", text)
    return True


def _may_be_reserved(request: Request, settings: Settings) -> bool:
    """Return whether a name in the call or in `model_map` ends in a reserved fault name."""
    if request.model.rpartition("/")[2] in FAULT_MODELS:
        return True
    named = request.options.get("fallback_models")
    if not named and not settings.model_map:
        return False
    names = [*(named or ())]
    for targets in settings.model_map.values():
        names += targets.values()
    return any(name.rpartition("/")[2] in FAULT_MODELS for name in names)


def _stands_for_a_fault(route: Route, lookup: ModelResolver) -> bool:
    """Return whether a route's model is a reserved fault name; never on a caller's own server."""
    return route.model in FAULT_MODELS and not lookup.is_own(route.provider)


def _mixed(first: Route, reserved: Route) -> ConfigurationError:
    return ConfigurationError(
        f"{reserved.provider.name}/{reserved.model} is a reserved name, which stands for a fault "
        f"of the simulator, and {first.provider.name}/{first.model} is none: one call is "
        "simulated as a whole or not at all. simulate=True simulates all of it, simulate=False "
        "sends the name as it is",
        key="simulate",
    )


def _wanted_key(provider: Provider) -> str:
    """Return the environment variable, or else the setting, that takes a provider's key."""
    variables = provider.authentication.env
    return variables[0] if variables else f"providers[{provider.name!r}]['api_key']"


class SimulatedClock:
    """Virtual clock of a simulated call: it advances by the waits of a real call."""

    def __init__(self) -> None:
        self._now_s = 0.0

    def now(self) -> float:
        """Return the virtual seconds since the start of the call."""
        return self._now_s

    def pass_time(self, seconds: float) -> None:
        """Advance the clock by *seconds*."""
        self._now_s += seconds
