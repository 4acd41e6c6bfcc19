"""The documented examples on a machine whose environment holds keys and cloud credentials.

A page's examples run as they are shown, whatever foreign variables there are. With a key that a
manifest names they would really ask a provider, which is what a key is for; the example programs
and `make demo` never do.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import closing

import pytest

import specado
from interface_document import DOCUMENT, FRAGMENT_LINES
from markdown_examples import ExamplePage
from reference_files import REPOSITORY
from specado.catalog import lookup as catalog

README = REPOSITORY / "README.md"
PROGRAMS = sorted((REPOSITORY / "examples").glob("*.py"))
PROGRAM_TIMEOUT_S = 60

AMBIENT = {
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "any-secret",
    "AWS_SESSION_TOKEN": "any-token",
    "AWS_PROFILE": "default",
    "AWS_REGION": "us-east-1",
    "AWS_BEARER_TOKEN_BEDROCK": "any-token",
    "AZURE_CLIENT_ID": "any-id",
    "AZURE_CLIENT_SECRET": "any-secret",
    "AZURE_TENANT_ID": "any-id",
    "GOOGLE_APPLICATION_CREDENTIALS": "/nowhere/credentials.json",
    "GOOGLE_CLOUD_PROJECT": "any-project",
    "CLOUDSDK_CONFIG": "/nowhere",
    "OLLAMA_HOST": "127.0.0.1:11434",
    "OPENAI_ORG_ID": "org-any",
}
KEY_VARIABLES = [
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "AZURE_OPENAI_API_KEY",
    "COHERE_API_KEY",
    "DEEPSEEK_API_KEY",
    "FIREWORKS_API_KEY",
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "GROQ_API_KEY",
    "HF_TOKEN",
    "MISTRAL_API_KEY",
    "OPENROUTER_API_KEY",
    "TOGETHER_API_KEY",
    "XAI_API_KEY",
]


def known_keys():
    """The variables that the manifests name: with one of them a call is meant to be real."""
    providers = map(catalog.provider, specado.list_providers())
    return {name for provider in providers for name in provider.authentication.env}


FOREIGN = {**AMBIENT, **{name: "any-key" for name in KEY_VARIABLES if name not in known_keys()}}


def run_page(page, scratch, fragments=()):
    """Run a page's examples; return those that print something else than the page shows."""
    runner = ExamplePage(page, scratch, fragments=fragments)
    outcomes = [(example, runner.outcome(example.line)) for example in runner.runnable]
    return [
        (example.line, outcome.output)
        for example, outcome in outcomes
        if example.shown is not None and outcome.output != example.shown
    ]


@pytest.fixture
def nowhere():
    """The URL of a proxy that nobody serves: a call that leaves the machine fails at once."""
    with closing(socket.socket()) as deaf:
        deaf.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{deaf.getsockname()[1]}"


@pytest.mark.parametrize("variable", FOREIGN)
def test_the_readme_runs_with_a_foreign_variable(monkeypatch, tmp_path, variable):
    monkeypatch.setenv(variable, FOREIGN[variable])

    assert run_page(README, tmp_path) == []


@pytest.mark.usefixtures("reference")
def test_the_interface_document_runs_with_all_of_them(monkeypatch, tmp_path):
    for name, value in FOREIGN.items():
        monkeypatch.setenv(name, value)

    assert run_page(DOCUMENT, tmp_path, FRAGMENT_LINES) == []


@pytest.mark.usefixtures("reference")
def test_it_runs_with_every_key_where_the_environment_says_to_simulate(
    monkeypatch, tmp_path, nowhere
):
    for name in KEY_VARIABLES:
        monkeypatch.setenv(name, "any-key")
    monkeypatch.setenv("HTTPS_PROXY", nowhere)
    monkeypatch.setenv("SPECADO_SIMULATE", "true")

    assert run_page(DOCUMENT, tmp_path, FRAGMENT_LINES) == []


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.name)
def test_an_example_program_calls_no_provider_whatever_keys_there_are(program, tmp_path, nowhere):
    environment = {
        **os.environ,
        **AMBIENT,
        **dict.fromkeys(KEY_VARIABLES, "any-key"),
        "HTTPS_PROXY": nowhere,
        "PYTHONIOENCODING": "utf-8",
    }

    finished = subprocess.run(
        [sys.executable, str(program)],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=PROGRAM_TIMEOUT_S,
    )

    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.strip()
    assert finished.stderr == ""


def test_make_demo_runs_that_program():
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")

    assert "/python examples/demo.py\n" in makefile
