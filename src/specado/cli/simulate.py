"""`specado simulate`: runs the simulator as an HTTP server until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
from typing import TYPE_CHECKING

from specado.cli import output
from specado.errors import ConfigurationError
from specado.simulator.server import serve

if TYPE_CHECKING:
    from argparse import Namespace

    from specado.simulator.server import Server

__all__ = ["run"]

HOW_TO_USE = """\
Simulating OpenAI     {openai}
Simulating Anthropic  {anthropic}
Simulating Gemini     {gemini}
Simulating Bedrock    {bedrock}
Simulating others below their names: {groq}, {mistral}, ...

For specado and the official packages (any key but "wrong" will do):

  export OPENAI_BASE_URL={openai} OPENAI_API_KEY=any
  export ANTHROPIC_BASE_URL={anthropic} ANTHROPIC_API_KEY=any
  export GOOGLE_GEMINI_BASE_URL={gemini} GEMINI_API_KEY=any
  export AWS_ENDPOINT_URL_BEDROCK_RUNTIME={bedrock} AWS_DEFAULT_REGION=us-east-1
  export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any
  export SPECADO_FALLBACK_PROVIDER=anthropic

or in Python:

  openai.OpenAI(base_url="{openai}", api_key="any")
  anthropic.Anthropic(base_url="{anthropic}", api_key="any")
  genai.Client(api_key="any", http_options={{"base_url": "{gemini}"}})
  specado.Client({{"fallback_provider": "anthropic", "providers": {{
      "openai": {{"base_url": "{openai}", "api_key": "any"}},
      "anthropic": {{"base_url": "{anthropic}", "api_key": "any"}},
  }}}})

Ctrl-C stops it."""


def run(arguments: Namespace) -> int:
    """Serve until SIGINT or SIGTERM; both are the usual way to stop, and no failure."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(arguments.host, arguments.port, verbose=arguments.verbose))
    return 0


async def _serve(host: str, port: int, *, verbose: bool) -> None:
    started = False

    def on_start(server: Server) -> None:
        nonlocal started
        started = True
        output.line(
            HOW_TO_USE.format(
                openai=server.openai_base_url,
                anthropic=server.anthropic_base_url,
                gemini=server.gemini_base_url,
                bedrock=server.bedrock_base_url,
                groq=server.base_url("groq"),
                mistral=server.base_url("mistral"),
            )
        )
        # Whoever waits for the address in a pipe gets it now.
        output.flush()

    task = asyncio.ensure_future(
        serve(host, port, on_start=on_start, on_request=_print_request if verbose else None)
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Windows has no such handlers, a thread may set none: there Ctrl-C interrupts the loop.
        with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
            loop.add_signal_handler(number, task.cancel)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await task
    except OSError as error:
        if started:
            raise
        raise ConfigurationError(_why_not(host, port, error)) from None


def _print_request(method: str, target: str, status: int) -> None:
    # The request is answered whether or not anybody still reads of it.
    with contextlib.suppress(OSError):
        output.notice(f"{method} {target} {status}")


def _why_not(host: str, port: int, error: OSError) -> str:
    """Return why the server cannot listen, and what to do."""
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use: choose another with --port (0: a free one)"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"port {port} on {host} is not permitted: choose one above 1023 with --port"
    # asyncio in Python 3.13 passes over addresses that are not this machine's, and then raises an
    # error without a number.
    if isinstance(error, socket.gaierror) or error.errno in (errno.EADDRNOTAVAIL, None):
        return f"{host!r} is not an address of this machine: choose one with --host"
    return f"cannot listen on {host}, port {port}: {error.strerror or error}"
