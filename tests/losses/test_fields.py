"""Every field of the providers' request types: it has an entry, and goes where that says."""

from __future__ import annotations

import functools
import json
import re
import runpy
from typing import Any, Optional

import pytest

import official
import specado
from example_inputs import USER
from field_tables import REQUEST_TABLES, SOURCE_TABLES, counterpart, entry_for, find_field
from lossy_requests import FROM_OPENAI
from reference_files import REPOSITORY
from request_fields import (
    CLOSED,
    AnthropicRequest,
    BetaRequest,
    OpenAIRequest,
    example,
    fields_of,
    paths,
)
from specado.losses.field import Field, FieldTable
from specado.losses.rows import ROWS, check_row_ids

CALL = {"id": "marker-id", "type": "function", "function": {"name": "f", "arguments": "{}"}}
NO_PARAMETERS = {"type": "object", "properties": {}}
FUNCTION = {
    "type": "function",
    "function": {"name": "marker-name", "parameters": NO_PARAMETERS},
}
TOOL = {"name": "marker-name", "input_schema": {"type": "object"}}
# Canonical message fields and keys beyond OpenAI's own.
CANONICAL = {
    "messages[assistant].reasoning",
    "messages[assistant].reasoning_details",
    "messages[assistant].annotations",
    "*.cache_control",
}
BETA_ONLY = {*fields_of(BetaRequest)} - {*fields_of(AnthropicRequest)}
# Sent as headers: no part of a body.
HEADERS = {"betas", "user_profile_id"}
OPENAI_PATHS = paths(OpenAIRequest)
ANTHROPIC_PATHS = [path for path in paths(AnthropicRequest) if path not in HEADERS]
BETA_PATHS = [
    path
    for path in paths(BetaRequest)
    if path not in ANTHROPIC_PATHS
    and (
        path in BETA_ONLY - HEADERS
        or re.fullmatch(r"messages\[\]\.content\[\w+\]|tools\[\w+\]|output_config\.\w+", path)
    )
]


def is_named(path: str, known: list[str]) -> bool:
    """Return whether an entry of the table names a field that is there."""
    if path.startswith("("):
        return True
    pattern = re.escape(path).replace(r"\*", ".*")
    return any(re.fullmatch(pattern, each) for each in known)


# The fields of the requests of each dialect, and those of the canonical form. Those of Gemini:
# tests/dialects/gemini/test_source_fields.py.
CANONICAL_PATHS = [*OPENAI_PATHS, *sorted(CANONICAL)]
SOURCE_PATHS = {
    "openai_chat": CANONICAL_PATHS,
    "anthropic_messages": [*ANTHROPIC_PATHS, *BETA_PATHS],
}
TABLES = [
    *((f"to {name}", table, CANONICAL_PATHS) for name, table in REQUEST_TABLES.items()),
    *((f"from {name}", SOURCE_TABLES[name], known) for name, known in SOURCE_PATHS.items()),
]
EACH_TABLE = pytest.mark.parametrize(
    ("table", "known"), [case[1:] for case in TABLES], ids=[case[0] for case in TABLES]
)


@EACH_TABLE
def test_every_field_has_an_entry(table: FieldTable, known: list[str]) -> None:
    assert [path for path in known if find_field(table, path) is None] == []


@EACH_TABLE
def test_every_entry_names_a_field(table: FieldTable, known: list[str]) -> None:
    assert [path for path in table if not is_named(path, known)] == []


@EACH_TABLE
def test_a_lost_field_has_a_row(table: FieldTable, known: list[str]) -> None:
    silent = [
        path
        for path, field in table.items()
        if field.is_lost and not field.rows and not field.model_rows
    ]

    assert silent == []


def test_every_row_of_requests_belongs_to_a_field() -> None:
    used = {
        row
        for table in (*REQUEST_TABLES.values(), *SOURCE_TABLES.values())
        for field in table.values()
        for row in (*field.rows, *field.model_rows)
    }

    # A call reports it for the candidates after the first: no field of a request is lost.
    of_calls = {"conversation.stored"}
    assert used | of_calls == {row for row in ROWS if not row.startswith("reply.")}


def test_a_table_with_an_unknown_row_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the field 'seed' names .*: \['sed'\]"):
        FieldTable({"seed": Field(None, ("seed", "sed"))})
    with pytest.raises(ValueError, match=r"here names .*: \['sed', 'nn'\]"):
        check_row_ids(["n", "sed", "nn"], "here")


def test_the_field_matrix_is_the_tables() -> None:
    script = runpy.run_path(str(REPOSITORY / "scripts" / "make_field_matrix.py"))

    shown = (REPOSITORY / "docs" / "fields.md").read_text(encoding="utf-8")

    assert shown == script["page"]()


# A request with the field, sent each way.


def pattern_of(path: str) -> str:
    """Return a path without its indexes and variants."""
    return re.sub(r"\[[^\]]*\]", "", path)


def reported(report: specado.LossinessReport, rows: tuple[str, ...], path: str) -> bool:
    """Return whether one of *rows* is reported at the field, above it or below it."""
    texts = {(ROWS[row].code, ROWS[row].message) for row in rows}
    wanted = pattern_of(path)
    for item in report.items:
        found = pattern_of(item.path)
        near = f"{wanted}.".startswith(f"{found}.") or f"{found}.".startswith(f"{wanted}.")
        if (item.code, item.message) in texts and near:
            return True
    return False


def values_at(value: Any, steps: list[str]) -> list[Any]:
    """Return what stands at a path of the table; a string is as good as its one text block."""
    if not steps:
        return [] if value is None else [value]
    step, rest = steps[0], steps[1:]
    if step.startswith("["):
        if isinstance(value, str):
            value = [{"type": "text", "text": value}]
        items = value if isinstance(value, list) else [value]
        tags = (step[1:-1], "custom") if step == "[custom]" else (step[1:-1],)
        return [
            found
            for item in items
            if step == "[]" or (isinstance(item, dict) and
                                {item.get("type"), item.get("role")} & set(tags))
            for found in values_at(item, rest)
        ]  # fmt: skip
    if isinstance(value, list):
        return [found for item in value for found in values_at(item, steps)]
    if isinstance(value, dict) and step in value:
        return values_at(value[step], rest)
    return []


def steps_of(path: str) -> list[str]:
    return re.findall(r"\[[^\]]*\]|[^.\[]+", path)


def openai_example(path: str) -> dict[str, Any]:
    """Return a request with the field, and around it what makes it well formed."""
    request: dict[str, Any] = example(OpenAIRequest, path)
    models = {
        "reasoning_effort": "gpt-5",
        "audio": "gpt-audio",
        "modalities": "gpt-audio",
        "web_search_options": "gpt-5-search-api",
    }
    request["model"] = models.get(path.partition(".")[0], "gpt-4o")
    if "input_audio" in path:
        request["model"] = "gpt-audio"
    message = request["messages"][0]
    if not path.startswith("messages["):
        message = USER
    before: list[Any] = []
    if message["role"] == "tool":
        before = [USER, {"role": "assistant", "content": None, "tool_calls": [CALL]}]
        message["tool_call_id"] = "marker-id"
    elif message["role"] == "assistant":
        before = [USER]
        message.setdefault("content", None)
        if not {"tool_calls", "audio", "refusal", "function_call"} & message.keys():
            message["content"] = message["content"] or "Hello"
    elif path.startswith("messages[user].content[file]") and not path.endswith("file_id"):
        message["content"][0]["file"]["file_data"] = "data:application/pdf;base64,JVBERi0xLjQK"
    answers = [
        {"role": "tool", "tool_call_id": call["id"], "content": "done"}
        for call in message.get("tool_calls", ())
    ]
    request["messages"] = [*before, message, *(answers or [USER])]
    if path.startswith(("tool_choice", "parallel_tool_calls")):
        request["tools"] = [FUNCTION]
    if path.startswith("response_format[json_schema].json_schema"):
        request["response_format"]["json_schema"].setdefault("schema", CLOSED)
    if path == "tools[function].function.strict":
        request["tools"][0]["function"]["parameters"] = CLOSED
    if path == "top_logprobs":
        request["logprobs"] = True
    if path == "audio" or path.startswith("audio."):
        request["modalities"] = ["text", "audio"]
    return request


def anthropic_example(path: str, kind: Any = AnthropicRequest) -> dict[str, Any]:
    request: dict[str, Any] = example(kind, path)
    request["model"] = "claude-sonnet-4-5"
    message = request["messages"][0]
    block = message["content"][0] if isinstance(message["content"], list) else {}
    before, after = [], [USER]
    if block.get("type") == "tool_result":
        use = {"type": "tool_use", "id": "marker-id", "name": "marker-name", "input": {}}
        before = [USER, {"role": "assistant", "content": [use]}]
        block["tool_use_id"] = "marker-id"
    elif block.get("type") in ("tool_use", "thinking", "redacted_thinking"):
        before = [USER]
        message["role"] = "assistant"
    request["messages"] = [*before, message, *after]
    if path.startswith("tool_choice"):
        request["tools"] = [TOOL]
    if path.startswith("tools[") and not path.startswith("tools[custom]"):
        request["tools"].append(TOOL)
    return request


def check(
    path: str, field: Field, rows: tuple[str, ...], to: Optional[str], sent: Any, given: Any
) -> None:
    """Hold one field against its entry: kept where the table says, or reported by its row."""
    report, body = sent.report, json.loads(sent.body)
    if to is None:
        assert field.implied or reported(report, rows, path)
        return
    found = values_at(body, steps_of(to))
    assert found or reported(report, rows, path)
    if found and not field.whole and is_marker(given):
        assert given in json.dumps(found)


def is_marker(given: Any) -> bool:
    return isinstance(given, str) and given.startswith("marker-")


def rows_of(field: Field) -> tuple[str, ...]:
    return (*field.rows, *field.model_rows)


@functools.cache
def official_problems(kind: str, body: bytes) -> list[str]:
    return official.problems(kind, body)


@pytest.mark.parametrize("path", OPENAI_PATHS)
def test_a_canonical_field_goes_to_anthropic_as_the_table_says(path: str) -> None:
    request = openai_example(path)
    entry = entry_for(REQUEST_TABLES["anthropic_messages"], path)
    given = (values_at(request, steps_of(path)) or [None])[0]

    sent = specado.translate(request, "anthropic/claude-sonnet-4-5")

    check(path, entry, rows_of(entry), counterpart(entry, path), sent, given)
    assert official_problems("anthropic-request", sent.body) == []


@pytest.mark.parametrize("path", OPENAI_PATHS)
def test_an_openai_field_goes_to_openai_unchanged(path: str) -> None:
    request = openai_example(path)
    entry = entry_for(REQUEST_TABLES["openai_chat"], path)

    sent = specado.translate(request, f"openai/{request['model']}")

    expected = dict(request)
    if request.get("stream"):  # as a call asks for the usage
        expected["stream_options"] = {**request.get("stream_options", {}), "include_usage": True}
    assert json.loads(sent.body) == expected
    assert sent.report.items == [] or reported(sent.report, rows_of(entry), path)
    assert official_problems("openai-request", sent.body) == []


def check_decoded(path: str, kind: Any) -> None:
    """Hold an Anthropic field against its entry, and its canonical counterpart against OpenAI's."""
    request = anthropic_example(path, kind)
    entry = entry_for(SOURCE_TABLES["anthropic_messages"], path)
    given = (values_at(request, steps_of(path)) or [None])[0] if kind is AnthropicRequest else None
    to, rows = counterpart(entry, path), entry.rows
    if to is not None:
        rows += rows_of(entry_for(REQUEST_TABLES["openai_chat"], to))
    model = "gpt-5" if to == "reasoning_effort" else "gpt-4o"

    sent = specado.translate(request, f"openai/{model}", source="anthropic")

    check(path, entry, rows, to, sent, given)
    assert official_problems("openai-request", sent.body) == []


@pytest.mark.parametrize("path", ANTHROPIC_PATHS)
def test_an_anthropic_field_goes_to_openai_as_the_tables_say(path: str) -> None:
    check_decoded(path, AnthropicRequest)


@pytest.mark.parametrize("path", BETA_PATHS)
def test_a_beta_field_goes_to_openai_as_the_tables_say(path: str) -> None:
    check_decoded(path, BetaRequest)


@pytest.mark.parametrize("model", ["claude-haiku-4-5", "claude-opus-4-8", "claude-opus-5-5"])
@pytest.mark.parametrize("path", ANTHROPIC_PATHS)
def test_an_anthropic_field_goes_to_another_model_as_the_table_says(path: str, model: str) -> None:
    request = anthropic_example(path)
    table = SOURCE_TABLES["anthropic_messages"]
    allowed = {
        (pattern_of(name).rstrip("."), ROWS[row].message)
        for name, field in table.items()
        for row in field.model_rows
    }

    sent = specado.translate(request, f"anthropic/{model}", source="anthropic")

    found = {(pattern_of(item.path), item.message) for item in sent.report.items}
    assert found <= allowed


# Rows that depend on the model


@pytest.mark.parametrize("dialect", REQUEST_TABLES)
@pytest.mark.parametrize("row", FROM_OPENAI)
def test_a_model_that_nothing_is_known_of_has_no_losses_of_a_model(row: str, dialect: str) -> None:
    table = REQUEST_TABLES[dialect]
    always = {each for field in table.values() for each in field.rows}
    specado.register_manifest(
        {"name": "own", "base_url": "https://own.example", "dialect": dialect, "models": {}}
    )

    sent = specado.translate({**FROM_OPENAI[row].request, "model": "m"}, "own/m")

    assert {item.message for item in sent.report.items} <= {ROWS[each].message for each in always}
