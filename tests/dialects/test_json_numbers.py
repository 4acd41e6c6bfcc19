"""Numbers in requests given as JSON text: sent exactly as written."""

from __future__ import annotations

import json
from typing import Any

import pytest

import specado

LONG = '{"z":1.10,"big":0.12345678901234567890123,"n":[1e400, -1E+999]}'


def translated(more: str, to: str = "openai", source: str = "openai", **given: Any) -> Any:
    model = "gpt-4.1" if source == "openai" else "claude-opus-4-5"
    text = (
        f'{{"model":"{model}","max_tokens":9,"messages":[{{"role":"user","content":"q"}}]{more}}}'
    )
    return specado.translate(text, to, source=source, **given)


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_an_unknown_parameter_keeps_its_numbers(provider: str) -> None:
    made = translated(f',"zz":{LONG}', provider, provider)

    assert f'"zz":{LONG}'.encode() in made.body
    assert made.report.items == []


@pytest.mark.parametrize("text", ["1e400", "[1e400]", '{"a":-1e400}'])
def test_a_number_past_the_range_of_floats_is_json(text: str) -> None:
    assert (
        f'"metadata":{{"a":{text}}}'.encode()
        in translated(f',"metadata":{{"a":{text}}}', "openai").body
    )


def test_such_a_number_in_a_part_of_a_message_is_passed_on() -> None:
    part = '{"type":"text","text":"q","zz":1e400}'
    text = f'{{"model":"gpt-4.1","messages":[{{"role":"user","content":[{part}]}}]}}'

    assert part.encode() in specado.translate(text, "openai").body


def test_an_unknown_parameter_that_is_lost_is_shown_as_a_value() -> None:
    (item,) = translated(',"zz":{"a": [1.10]}', "anthropic").report.items[-1:]

    assert (item.path, item.before) == ("zz", {"a": [1.1]})


def test_one_past_the_range_of_floats_is_shown_as_text() -> None:
    report = translated(',"zz":{"a": 1e400}', "anthropic").report

    assert report.items[-1].before == '{"a": 1e400}'
    assert json.loads(json.dumps(report.to_dict()))["items"][-1]["before"] == '{"a": 1e400}'


@pytest.mark.parametrize("name", ["temperature", "top_p", "max_tokens", "n", "seed"])
def test_such_a_number_is_none_for_a_parameter(name: str) -> None:
    text = f'{{"model":"gpt-4.1","messages":[{{"role":"user","content":"q"}}],"{name}":1e400}}'

    with pytest.raises(specado.SpecadoError, match=f"{name} must be .*, not inf"):
        specado.translate(text, "openai")


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e", "1e400x", '{"a":'])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(specado.MessageFormatError, match="request is not JSON"):
        translated(f',"zz":{text},"yy":1e400')


def test_a_deep_request_beside_such_a_number_is_refused() -> None:
    with pytest.raises(specado.MessageFormatError, match="request is not JSON"):
        translated(f',"yy":1e400,"zz":{"[" * 100_000}')


def test_the_input_of_a_tool_keeps_such_numbers() -> None:
    use = '{"type":"tool_use","id":"c","name":"f","input":{"a": 1e400}}'
    answer = '{"type":"tool_result","tool_use_id":"c"}'
    text = (
        '{"model":"claude-opus-4-5","max_tokens":9,"messages":[{"role":"user","content":"q"},'
        f'{{"role":"assistant","content":[{use}]}},{{"role":"user","content":[{answer}]}}]}}'
    )

    body = json.loads(specado.translate(text, "openai", source="anthropic").body)

    assert body["messages"][1]["tool_calls"][0]["function"]["arguments"] == '{"a": 1e400}'


def test_a_member_that_is_too_deep_is_refused() -> None:
    with pytest.raises(specado.MessageFormatError, match="nested deeper than 200 levels"):
        translated(f',"zz":{"[" * 300}{"]" * 300}')
