"""The project's own pages: their Python examples run, their links lead somewhere."""

from __future__ import annotations

import ast
import io
import os
import re
import shlex
import subprocess
import sys

import msgspec
import pytest

import specado
from markdown_examples import ExamplePage, examples
from reference_files import REPOSITORY
from specado.cli import main
from specado.cli.arguments import make_parser
from specado.settings.client_settings import resolve
from specado.settings.parameters import OPTIONS, PARAMETERS

PAGES = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md")])
EXAMPLES = sorted((REPOSITORY / "examples").glob("*.py"))
PROGRAM_TIMEOUT_S = 60
# Packages of others that a page shows how to use; their examples run where they are installed.
TEST_TOOLS = {"respx", "vcr"}

_CONSOLE = re.compile(r"^```(?:console|bash|)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_FENCE = re.compile(r"^ *(```|~~~).*?^ *\1", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
_HEADING = re.compile(r"^#+\s+(.+?)\s*#*$", re.MULTILINE)


def named(path):
    return path.relative_to(REPOSITORY).as_posix()


def blocks():
    return [
        pytest.param(page, example, id=f"{named(page)}:{example.line}")
        for page in PAGES
        for example in examples(page)
    ]


@pytest.fixture(scope="session")
def run_page(tmp_path_factory):
    """Give the one runner of a page, so that its examples share a namespace."""
    runners = {}

    def runner(page):
        if page not in runners:
            runners[page] = ExamplePage(page, tmp_path_factory.mktemp(page.stem))
        return runners[page]

    return runner


@pytest.mark.parametrize(("page", "example"), blocks())
def test_example_on_a_page_runs_and_prints_what_the_page_shows(page, example, run_page):
    try:
        outcome = run_page(page).outcome(example.line)
    except ModuleNotFoundError as error:
        if error.name not in TEST_TOOLS:
            raise
        pytest.skip(f"{error.name} is not installed")

    assert outcome.error is None
    if example.shown is not None:
        assert outcome.output == example.shown


def test_configuration_page_lists_every_setting_with_its_default():
    page = (REPOSITORY / "docs/configuration.md").read_text(encoding="utf-8")
    section = page.partition("\n## Settings\n")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| `([^|]*)` \|", section, re.MULTILINE))
    effective = msgspec.structs.asdict(resolve(None))
    del effective["is_fallback_named"]  # no setting

    shown = {key: ast.literal_eval(default) for key, default in rows.items()}

    assert shown == effective


def test_completions_page_lists_every_parameter_and_option():
    page = (REPOSITORY / "docs/completions.md").read_text(encoding="utf-8")

    missing = [name for name in [*PARAMETERS, *OPTIONS] if f"`{name}`" not in page]

    assert missing == []


def test_errors_page_names_every_class():
    page = (REPOSITORY / "docs/errors.md").read_text(encoding="utf-8")

    missing = [name for name in specado.__all__ if name.endswith("Error") and name not in page]

    assert missing == []


@pytest.mark.parametrize("program", EXAMPLES, ids=named)
def test_example_program_runs_without_keys(program, tmp_path):
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}

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
    assert "Traceback" not in finished.stderr


def test_there_are_examples():
    assert "examples/demo.py" in {named(program) for program in EXAMPLES}


class Terminal(io.StringIO):
    def isatty(self):
        return True


def console_commands():
    """Return each line of the pages that runs `specado`: the line, and the output shown below."""
    lines = []
    for page in PAGES:
        for block in _CONSOLE.findall(page.read_text(encoding="utf-8")):
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE):
                line, _, shown = part.partition("\n")
                if re.search(r"(^|\| )specado ", line):
                    lines.append(pytest.param(line, shown.splitlines(), id=line))
    return lines


def programs_of(line):
    """Return the words of each program on a shell's line, without redirections."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|>")
    lexer.whitespace_split = True
    programs = [[]]
    for word in lexer:
        if word == "|":
            programs.append([])
        else:
            programs[-1].append(word)
    return [words[: words.index(">")] if ">" in words else words for words in programs]


@pytest.mark.parametrize(("line", "_shown"), console_commands())
def test_command_on_a_page_is_one_that_the_command_line_takes(line, _shown):
    taken = [
        make_parser().parse_args(words[1:]) for words in programs_of(line) if words[0] == "specado"
    ]

    assert taken


@pytest.mark.parametrize(
    ("line", "shown"),
    [param for param in console_commands() if param.values[1] and "|" not in param.values[0]],
)
def test_command_on_a_page_prints_what_the_page_shows(line, shown, monkeypatch, capsys):
    [words] = programs_of(line)
    monkeypatch.setitem(sys.modules, "rich.console", None)
    terminal = Terminal()
    if " > " not in line:
        monkeypatch.setattr(sys, "stdout", terminal)

    main(words[1:])

    captured = capsys.readouterr()
    printed = iter([*terminal.getvalue().splitlines(), *captured.err.splitlines()])
    missing = [
        text for text in filter(None, shown) if not any(shows(text, each) for each in printed)
    ]
    assert missing == []


def shows(text, printed):
    """Return whether a page's line stands for a printed one; an ellipsis leaves its end out."""
    if text.endswith("…"):
        return printed.startswith(text[:-1].rstrip())
    return " ".join(printed.split()) == " ".join(text.split())


def anchors(text):
    """Return the anchors of a page's headings, as GitHub makes them."""
    found = set()
    for heading in _HEADING.findall(_FENCE.sub("", text)):
        plain = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower())
        found.add(plain.replace(" ", "-"))
    return found


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_to_a_file_and_a_heading_that_are_there(page):
    text = page.read_text(encoding="utf-8")
    broken = []

    for target in _LINK.findall(_FENCE.sub("", text)):
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        inside = file.exists() and REPOSITORY in (file, *file.parents)
        if not inside or (anchor and anchor not in anchors(file.read_text(encoding="utf-8"))):
            broken.append(target)

    assert broken == []
