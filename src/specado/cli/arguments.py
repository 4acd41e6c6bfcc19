"""Argument parser and help texts of the command line; imports nothing of the library."""

from __future__ import annotations

import argparse
from typing import Any

from specado._version import __version__

__all__ = ["DEFAULT_MODELS", "STRICTNESSES", "make_parser"]

# By provider; the first is asked where no key says which one a user has.
DEFAULT_MODELS: dict[str, str] = dict(
    model.split("/", 1)
    for model in ("openai/gpt-5.4", "anthropic/claude-sonnet-5", "gemini/gemini-3.8-flash")
)
STRICTNESSES = ("strict", "warn", "coerce")
SIMULATOR_HOST = "127.0.0.1"
SIMULATOR_PORT = 8089
HIGHEST_PORT = 65_535

OVERVIEW = """\
One call to any large language model, with retry and fallback.

Keys come from the environment: OPENAI_API_KEY, ANTHROPIC_API_KEY,
GEMINI_API_KEY; "specado providers" lists the others. Only "chat" and "models
--live" need one: without any key "chat" simulates the reply on a terminal, and
elsewhere with --simulate.
"""
OVERVIEW_EXAMPLES = """\
examples:
  specado chat "Why is the sky blue?"
  specado providers
  specado models anthropic
  specado compare gpt-5.4 claude-opus-5-5
  specado preview request.json --to anthropic
  specado simulate

"specado COMMAND --help" describes a command.
"""
CHAT_EXAMPLES = """\
The answer goes to stdout; what happened (who answered, how many attempts,
what was lost on the way) goes to stderr.

examples:
  specado chat "Why is the sky blue?"
  specado chat --model claude-opus-5-5 --system "Be brief." "What is TLS?"
  specado chat --model anthropic/claude-opus-5-5 --fallback openai "Hello"
  git diff | specado chat --system "Write a commit message for this diff."
  specado chat --stream "Tell me a long story."
  specado chat --simulate --json "Hello" | jq .extensions
"""
MODELS_EXAMPLES = """\
With --live the provider's server is asked which models it serves, also a local
one such as Ollama's; what the manifest knows of them stands beside.

examples:
  specado models
  specado models anthropic --all
  specado models --provider ollama --live
  specado models --json | jq -r '.[] | select(.pricing.input < 1) | .id'
"""
PROVIDERS_EXAMPLES = """\
DIALECT: the API that a call is written in, and how many others the provider
speaks. VERIFIED: what shows that the manifest holds: a recording of its
traffic, its documentation, or reports of others alone; "docs/providers.md"
says it for each part.

examples:
  specado providers
  specado providers --json | jq -r '.[] | select(.has_key) | .provider'
"""
COMPARE_EXAMPLES = """\
A model is named by its id, with or without its provider. The exit code is 0
whether something is lost or not.

examples:
  specado compare gpt-5.4 claude-opus-5-5
  specado compare openai/gpt-6.2-sol anthropic/claude-opus-5-5 --json
"""
PREVIEW_EXAMPLES = """\
Nothing is sent. The exit code is 0 whether something is lost or not, unless
the strictness refuses a loss.

examples:
  specado preview request.json --to anthropic
  specado preview request.json --from anthropic --to openai/gpt-5.4 --json
  cat request.json | specado preview - --to anthropic --strictness strict
"""
SIMULATE_EXAMPLES = """\
Any key but "wrong" is taken. Ctrl-C or SIGTERM stops it.

examples:
  specado simulate
  specado simulate --port 0 --verbose
"""


class _Parser(argparse.ArgumentParser):
    """A parser that takes no abbreviations: they would change meaning as options are added."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **options)


def make_parser() -> argparse.ArgumentParser:
    """Return the parser; its result has `command`, the name of the module to run."""
    parser = _Parser(prog="specado", description=OVERVIEW, epilog=OVERVIEW_EXAMPLES)
    parser.add_argument("--version", action="version", version=f"specado {__version__}")
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", required=True, title="commands"
    )
    _add_chat(commands)
    _add_providers(commands)
    _add_models(commands)
    _add_compare(commands)
    _add_preview(commands)
    _add_simulate(commands)
    return parser


def _add_chat(commands: Any) -> None:
    parser = commands.add_parser(
        "chat",
        help="ask a model, with retry and fallback",
        description="Ask a model, and print its answer.",
        epilog=CHAT_EXAMPLES,
    )
    parser.add_argument(
        "prompt",
        nargs="?",
        metavar="PROMPT",
        help="what to ask; read from stdin if it is - or absent",
    )
    parser.add_argument(
        "-m",
        "--model",
        metavar="MODEL",
        help="the model's id, with or without its provider (default: "
        f"{' or '.join(DEFAULT_MODELS.values())}, by the primary provider and the keys)",
    )
    parser.add_argument("-s", "--system", metavar="TEXT", help="the system's instructions")
    parser.add_argument(
        "-t", "--temperature", type=float, metavar="NUMBER", help="randomness, from 0 to 2"
    )
    parser.add_argument(
        "--max-tokens", type=int, metavar="COUNT", help="the most tokens to generate"
    )
    parser.add_argument(
        "--fallback",
        action="append",
        metavar="PROVIDER",
        help="the provider to ask if the first fails; again for a further one",
    )
    parser.add_argument(
        "--strictness",
        choices=STRICTNESSES,
        help="what may be lost on the way to a provider: nothing, nothing that the answer "
        "relies on, or anything (default: warn)",
    )
    parser.add_argument(
        "--timeout",
        type=float,
        metavar="SECONDS",
        help="the time for the whole call; with --stream, until the answer begins",
    )
    parser.add_argument(
        "--simulate",
        action="store_true",
        help="answer from the simulator in this process, whatever keys there are; without any "
        "key a script must say so",
    )
    parser.add_argument(
        "--stream",
        action="store_true",
        help="print the answer as it comes; with --json each chunk as a line, the whole reply "
        "as the last one",
    )
    _add_json(parser, "print the reply, and its extensions, as JSON")


def _add_providers(commands: Any) -> None:
    parser = commands.add_parser(
        "providers",
        help="list the providers with their APIs and the variables of their keys",
        description="List the providers: API, the variable of the key, whether a key is set.",
        epilog=PROVIDERS_EXAMPLES,
    )
    _add_json(parser, "print the providers, with addresses and evidence, as a JSON list")


def _add_models(commands: Any) -> None:
    parser = commands.add_parser(
        "models",
        help="list the models with their limits, prices and abilities",
        description="List each provider's models: limits, prices, abilities, and the day of "
        "their\nretirement where one is announced.",
        epilog=MODELS_EXAMPLES,
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "provider", nargs="?", metavar="PROVIDER", help="only this provider's models"
    )
    which.add_argument(
        "-p", "--provider", dest="provider_option", metavar="PROVIDER", help="the same"
    )
    parser.add_argument(
        "-l", "--live", action="store_true", help="ask the server which models it serves"
    )
    parser.add_argument("-a", "--all", action="store_true", help="retired models too")
    _add_json(parser, "print the models' entries in the manifests as a JSON list")


def _add_compare(commands: Any) -> None:
    parser = commands.add_parser(
        "compare",
        help="show the losses of a move from one model to another",
        description="Show the losses of a move from one model to another, with recommendations.",
        epilog=COMPARE_EXAMPLES,
    )
    parser.add_argument("source", metavar="SOURCE", help="the model to move from")
    parser.add_argument("target", metavar="TARGET", help="the model to move to")
    _add_json(parser, "print the comparison as JSON")


def _add_preview(commands: Any) -> None:
    parser = commands.add_parser(
        "preview",
        help="show a request as another provider would get it",
        description="Show a request as another provider would get it, and what that loses.",
        epilog=PREVIEW_EXAMPLES,
    )
    parser.add_argument("request", metavar="FILE", help="the request's JSON; - reads stdin")
    parser.add_argument(
        "--to", required=True, metavar="TARGET", help="a provider, or a provider/model"
    )
    parser.add_argument(
        "--from",
        dest="source",
        default="openai",
        metavar="PROVIDER",
        help="whose API the request is written for, or a dialect (default: %(default)s)",
    )
    parser.add_argument(
        "--strictness",
        default="coerce",
        choices=STRICTNESSES,
        help="which losses to refuse (default: %(default)s, none)",
    )
    _add_json(parser, "print the translation and its report as JSON")


def _add_simulate(commands: Any) -> None:
    parser = commands.add_parser(
        "simulate",
        help="serve the providers' APIs, simulated, on a local port",
        description="Serve the APIs of OpenAI, Anthropic and Gemini, simulated, until stopped.",
        epilog=SIMULATE_EXAMPLES,
    )
    parser.add_argument(
        "--host",
        type=_host,
        default=SIMULATOR_HOST,
        metavar="ADDRESS",
        help="the address to listen on (default: %(default)s)",
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=SIMULATOR_PORT,
        metavar="PORT",
        help="the port to listen on; 0 takes a free one (default: %(default)s)",
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="print each request to stderr")


def _add_json(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--json", action="store_true", help=text)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= HIGHEST_PORT):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to {HIGHEST_PORT}")
    return int(text)


def _host(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("an address must not be empty; 0.0.0.0 means all")
    return text.strip()
