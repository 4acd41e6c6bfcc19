"""What the simulator answers: a reply, or the refusal that becomes one."""

from __future__ import annotations

from typing import Optional

import msgspec

from specado.simulator.faults import Fault

__all__ = ["Refusal", "SimulatedReply"]


class SimulatedReply(msgspec.Struct, frozen=True):
    """A whole reply; a `fault` says what to do to the exchange instead of, or while, sending it."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    fault: Optional[Fault] = None


class Refusal(Exception):  # noqa: N818 - an answer of the provider, not an error of ours
    """The provider would answer *status* with this error.

    `type` and `code` are OpenAI's and Anthropic's words for the error; `param` and `code` go into
    OpenAI's body only.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",  # noqa: A002 - the wire's name
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.type = type
        self.param = param
        self.code = code
