"""Schemas of tools and of answers: written once for a call, the same for every candidate."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
from collections import OrderedDict
from datetime import date
from typing import Any

import msgspec
import pytest

import specado
from scripted_attempts import judge_all
from specado._core import dumps, normalize, write_format_schema, write_tool_schemas
from specado.endpoints.access import Access
from specado.errors import MessageFormatError
from specado.routing.plan import Request, make_plan
from specado.settings.client_settings import resolve
from specado.settings.parameters import check

CLIENT = {"simulate": True}
BOTH = {"providers": {"openai": {"api_key": "sk-openai"}, "anthropic": {"api_key": "sk-ant-key"}}}
NAN = float("nan")


def tool(schema: Any, **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "f", "parameters": schema, **more}}


def answer(schema: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}


def bodies(parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """The bodies for OpenAI and for Anthropic of a call with checked parameters."""
    settings = resolve(BOTH)
    request = Request("gpt-4o", normalize("Hello"), parameters, {})
    plan = make_plan(request, settings, Access(settings), date(2026, 11, 22), simulated=False)
    judge_all(plan)
    return [json.loads(candidate.encoded.body) for candidate in plan.candidates]


def test_a_tools_schema_is_that_of_the_check_for_every_candidate() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    checked, _ = check({"tools": [tool(schema)]})

    schema["properties"]["a"]["type"] = "number"  # type: ignore[index]

    openai, anthropic = bodies(checked)
    expected = {"type": "object", "properties": {"a": {"type": "string"}}}
    assert openai["tools"][0]["function"]["parameters"] == expected
    assert anthropic["tools"][0]["input_schema"] == expected


def test_an_answers_schema_is_that_of_the_check_for_every_candidate() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    expected = copy.deepcopy(schema)
    checked, _ = check({"response_format": answer(schema)})

    schema["properties"]["a"]["type"] = "number"  # type: ignore[index]

    openai, anthropic = bodies(checked)
    assert openai["response_format"]["json_schema"]["schema"] == expected
    assert anthropic["output_config"]["format"]["schema"] == expected


def test_the_callers_tools_stay_as_they_are() -> None:
    schema = {"type": "object"}
    given = [tool(schema)]
    before = copy.deepcopy(given)

    (made,) = write_tool_schemas(given)

    assert given == before
    assert given[0]["function"]["parameters"] is schema
    assert type(schema) is dict
    assert made == before[0]


@pytest.mark.parametrize("schema", [{}, None, [], "x", 5, msgspec.Raw(b'{"type": "object"}')])
def test_what_is_no_schema_in_a_dict_is_left_to_the_encoders(schema: Any) -> None:
    assert write_tool_schemas([tool(schema)]) == [tool(schema)]
    assert write_format_schema(answer(schema)) == answer(schema)


def test_raw_schemas_travel_as_they_were_written() -> None:
    raw = msgspec.Raw(b'{"type": "object",  "x": 1.50}')
    checked, _ = check({"tools": [tool(raw)]})

    settings = resolve(BOTH)
    request = Request("gpt-4o", normalize("Hello"), checked, {})
    plan = make_plan(request, settings, Access(settings), date(2026, 11, 22), simulated=False)
    judge_all(plan)

    # OpenAI requires an object's properties.
    assert [bytes(raw) in each.encoded.body for each in plan.candidates] == [False, True]


@pytest.mark.parametrize(
    "given",
    [
        [],
        [{}],
        [{"type": "custom", "custom": {"name": "c"}}],
        [{"type": "function", "function": None}],
        [{"type": "function", "function": "f"}],
        [{"type": "function", "function": {"name": "f"}}],
    ],
)
def test_tools_without_a_schema_pass(given: Any) -> None:
    assert write_tool_schemas(given) == given


@pytest.mark.parametrize(
    "wanted", [{}, {"type": "text"}, {"type": "json_schema"}, {"json_schema": "x"}]
)
def test_formats_without_a_schema_pass(wanted: Any) -> None:
    assert write_format_schema(wanted) == wanted


BAD = [
    ({"a": {"b": [1, NAN]}}, ".a.b[1]", "nan is not a JSON number"),
    ({"title": "\ud800"}, ".title", "a lone surrogate (U+D800) at character 0"),
    ({"enum": {1, 2}}, ".enum", "a value of type set has no JSON form"),
    ({2.5: "x"}, "", "a key of type float: keys are text"),
]
OPENAI_TOOLS = "tools[1].function.parameters"


@pytest.mark.parametrize(("schema", "rest", "why"), BAD)
@pytest.mark.parametrize("model", ["gpt-4o", "claude-opus-4-5"])
@pytest.mark.parametrize("entry", ["create", "create_async", "plan"])
def test_a_call_refuses_a_bad_schema_by_its_place(
    entry: str, model: str, schema: Any, rest: str, why: str
) -> None:
    completions = specado.Client(CLIENT).chat.completions
    tools = [tool({}), tool(schema)]

    def call() -> None:
        made = getattr(completions, entry)(model, "Hello", tools=tools)
        if entry == "create_async":
            asyncio.run(made)

    with pytest.raises(MessageFormatError) as caught:
        call()

    assert (caught.value.index, caught.value.field) == (None, OPENAI_TOOLS + rest)
    assert str(caught.value).startswith(f"Message format error: {OPENAI_TOOLS}{rest}: {why}")


@pytest.mark.parametrize(("schema", "rest", "why"), BAD)
@pytest.mark.parametrize("to", ["openai", "anthropic/claude-opus-4-5"])
def test_a_translation_refuses_a_bad_schema_by_its_place(
    to: str, schema: Any, rest: str, why: str
) -> None:
    given = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}

    with pytest.raises(MessageFormatError) as caught:
        specado.translate({**given, "tools": [tool({}), tool(schema)]}, to)
    assert caught.value.field == OPENAI_TOOLS + rest
    assert why in str(caught.value)

    with pytest.raises(MessageFormatError) as caught:
        specado.translate({**given, "response_format": answer(schema)}, to)
    assert caught.value.field == "response_format.json_schema.schema" + rest


@pytest.mark.parametrize(("schema", "rest", "why"), BAD)
def test_an_anthropic_request_refuses_a_bad_schema_by_its_place(
    schema: Any, rest: str, why: str
) -> None:
    given = {
        "model": "claude-opus-4-5",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": "Hello"}],
    }
    tools = [{"name": "f", "input_schema": schema}]
    config = {"format": {"type": "json_schema", "schema": schema}}

    with pytest.raises(MessageFormatError) as caught:
        specado.translate({**given, "tools": tools}, "openai", source="anthropic")
    assert caught.value.field == "tools[0].input_schema" + rest
    assert why in str(caught.value)

    with pytest.raises(MessageFormatError) as caught:
        specado.translate({**given, "output_config": config}, "openai", source="anthropic")
    assert caught.value.field == "output_config.format.schema" + rest


def test_a_schema_that_is_nested_too_deeply_is_refused() -> None:
    schema: Any = {}
    for _ in range(100_000):
        schema = {"items": schema}

    with pytest.raises(MessageFormatError, match="nested deeper than 200 levels"):
        check({"tools": [tool(schema)]})


class Steered(dict):  # type: ignore[type-arg]
    """A dict whose methods say something else than it holds."""

    def items(self) -> Any:
        raise AssertionError

    keys = values = __iter__ = get = items


def test_a_schema_is_what_its_dict_holds() -> None:
    (made,) = write_tool_schemas([tool(Steered(type="object"))])

    assert dumps(made["function"]["parameters"]) == b'{"type":"object"}'


def test_subclasses_of_dict_are_as_good_as_dicts() -> None:
    tools = [OrderedDict(tool(OrderedDict(type="object")))]
    checked, _ = check({"tools": tools, "response_format": OrderedDict(answer({"a": 1}))})

    assert dumps(checked) == (
        b'{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],'
        b'"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{"a":1}}}}'
    )


def test_anthropic_requests_of_ordered_dicts_are_read() -> None:
    block = OrderedDict(type="text", text="Hello")
    given = {
        "model": "claude-opus-4-5",
        "max_tokens": 100,
        "messages": [OrderedDict(role="user", content=[block])],
        "tools": [OrderedDict(name="f", input_schema=OrderedDict(type="object"))],
    }

    body = json.loads(specado.translate(given, "openai", source="anthropic").body)

    assert body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]
    assert body["tools"] == [tool({"type": "object", "properties": {}})]


def test_a_written_schema_is_a_dict_like_any_other() -> None:
    (made,) = write_tool_schemas([tool({"a": 1})])
    written = made["function"]["parameters"]
    again = write_tool_schemas([made])[0]["function"]["parameters"]
    copied = copy.deepcopy(written)
    copied["b"] = 2

    assert again is written
    assert dumps(copied) == b'{"a":1,"b":2}'
    assert dumps({**written, "b": 2}) == b'{"a":1,"b":2}'
    assert pickle.loads(pickle.dumps(written)) == {"a": 1}
    assert dumps(type(written)()) == b"{}"
    assert repr(written) == "{'a': 1}"
