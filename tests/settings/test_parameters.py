"""Request parameters: names, types, error messages."""

from __future__ import annotations

import collections
import typing

import httpx
import pytest
from openai.types.chat import completion_create_params

from specado.errors import (
    ConfigurationError,
    ConfigurationWarning,
    MessageFormatError,
    SpecadoError,
)
from specado.settings.parameters import OPTIONS, PARAMETERS, SUGGESTIONS, CompletionParams, check

# What `create` spells out itself, and what the official package adds to every call.
SPELLED_OUT = {"model", "messages"}

GOOD = {
    "temperature": [0, 1, 0.5, 2.0],
    "max_tokens": [1, 10**9],
    "audio": [{"voice": "alloy", "format": "mp3"}],
    "frequency_penalty": [-2.0, 0],
    "function_call": ["auto", {"name": "f"}],
    "functions": [[], [{"name": "f"}]],
    "logit_bias": [{"50256": -100}],
    "logprobs": [True, False],
    "max_completion_tokens": [1],
    "metadata": [{"a": "b"}],
    "modalities": [["text", "audio"]],
    "moderation": [{"model": "m"}],
    "n": [1, 8],
    "parallel_tool_calls": [True],
    "prediction": [{"type": "content", "content": "x"}],
    "presence_penalty": [2],
    "prompt_cache_key": ["k"],
    "prompt_cache_options": [{"mode": "x"}],
    "prompt_cache_retention": ["24h"],
    "reasoning_effort": ["low"],
    "response_format": [{"type": "json_object"}],
    "safety_identifier": ["s"],
    "seed": [0, -5, 2**63],
    "service_tier": ["auto"],
    "stop": ["END", ["a", "b"], []],
    "store": [True],
    "stream": [False],
    "stream_options": [{"include_usage": True}],
    "tool_choice": ["required", {"type": "function", "function": {"name": "f"}}],
    "tools": [[{"type": "function", "function": {"name": "f"}}]],
    "top_logprobs": [0, 20],
    "top_p": [0.1, 1],
    "user": ["", "u"],
    "verbosity": ["low"],
    "web_search_options": [{}],
}
NUMBERS = ["temperature", "frequency_penalty", "presence_penalty", "top_p"]
COUNTS = ["max_tokens", "max_completion_tokens", "n"]
WHOLE = [*COUNTS, "seed", "top_logprobs"]
TEXTS = [
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning_effort",
    "safety_identifier",
    "service_tier",
    "user",
    "verbosity",
]
FLAGS = ["logprobs", "parallel_tool_calls", "store", "stream"]
DICTS = [
    "audio",
    "logit_bias",
    "metadata",
    "moderation",
    "prediction",
    "prompt_cache_options",
    "response_format",
    "stream_options",
    "web_search_options",
]
TEXT_OR_DICT = ["function_call", "tool_choice"]
LISTS = ["modalities", "stop", "functions", "tools"]


def wrong(name, value):
    with pytest.raises(SpecadoError) as caught:
        check({name: value})
    return caught.value


# Which there are


def test_every_parameter_of_the_official_package_has_an_entry():
    known = typing.get_type_hints(completion_create_params.CompletionCreateParamsBase)
    known = set(known) | {"stream"}

    assert known - SPELLED_OUT - set(PARAMETERS) == set()
    # The oldest release that the tests run with, 2.0.0, has no fields for these yet.
    newer = {"moderation", "prompt_cache_options", "prompt_cache_retention"}
    assert set(PARAMETERS) - known - newer == set()


def test_the_types_spell_out_what_is_checked():
    spelled_out = set(typing.get_type_hints(CompletionParams))

    assert spelled_out | {"temperature", "max_tokens", "stream"} == {*PARAMETERS, *OPTIONS}


def test_every_parameter_is_tested_here():
    grouped = [*NUMBERS, *WHOLE, *TEXTS, *FLAGS, *DICTS, *TEXT_OR_DICT, *LISTS]

    assert set(GOOD) == set(PARAMETERS)
    assert sorted(grouped) == sorted(PARAMETERS)


# Good values


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in GOOD.items() for value in values]
)
def test_a_good_value_travels_as_it_is(name, value):
    assert check({name: value}) == ({name: value}, {})


@pytest.mark.parametrize("name", [*PARAMETERS, *OPTIONS])
def test_none_is_not_given(name):
    assert check({name: None}) == ({}, {})


def test_nothing_given_is_nothing_checked():
    assert check({}) == ({}, {})


def test_mappings_and_iterables_become_dicts_and_lists():
    chain = collections.ChainMap({"type": "text"})
    parameters, _ = check(
        {"response_format": chain, "stop": iter(["a", "b"]), "tools": (dict(chain) for _ in "x")}
    )

    assert type(parameters["response_format"]) is dict
    assert parameters["stop"] == ["a", "b"]
    assert parameters["tools"] == [{"type": "text"}]


# Wrong values


@pytest.mark.parametrize("value", ["1", True, [1], {}, float("nan"), float("inf"), -(10**400)])
@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_is_finite(name, value):
    error = wrong(name, value)

    assert isinstance(error, MessageFormatError)
    assert str(error).startswith(f"Message format error: {name} must be a finite number, not ")
    assert error.field == name


@pytest.mark.parametrize("value", ["1", 1.0, True, None.__class__, float("nan")])
@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_number_is_an_int(name, value):
    assert str(wrong(name, value)).startswith(
        f"Message format error: {name} must be a whole number, not "
    )


@pytest.mark.parametrize("value", [0, -1, -(10**400)])
@pytest.mark.parametrize("name", COUNTS)
def test_a_count_is_one_or_more(name, value):
    assert f"{name} must be 1 or more, not " in str(wrong(name, value))


@pytest.mark.parametrize("value", [5, b"low", ["low"], {}, True])
@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_a_str(name, value):
    assert f"{name} must be a str, not " in str(wrong(name, value))


@pytest.mark.parametrize("value", [1, 0, "true", [], {}])
@pytest.mark.parametrize("name", FLAGS)
def test_a_flag_is_true_or_false(name, value):
    assert f"{name} must be True or False, not " in str(wrong(name, value))


@pytest.mark.parametrize("value", [[("a", 1)], 5, b"x", True])
@pytest.mark.parametrize("name", [*DICTS, *TEXT_OR_DICT])
def test_a_dict_is_a_mapping(name, value):
    assert f"{name} must be a dict, not " in str(wrong(name, value))


@pytest.mark.parametrize("name", DICTS)
def test_a_dict_is_no_text(name):
    assert str(wrong(name, "x")) == f"Message format error: {name} must be a dict, not 'x'"


@pytest.mark.parametrize("value", [5, {"a": 1}, True])
@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_iterable(name, value):
    assert f"{name} must be a list of " in str(wrong(name, value))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("stop", ["a", 5], "stop[1] must be a str, not 5"),
        ("modalities", [None], "modalities[0] must be a str, not a NoneType"),
        ("modalities", "text", "modalities must be a list of str, not 'text'"),
        ("tools", [{}, "f"], "tools[1] must be a dict, not 'f'"),
        ("tools", "f", "tools must be a list of dicts, not 'f'"),
        ("functions", [[]], "functions[0] must be a dict, not a list"),
        ("stop", b"END", "stop must be a list of str, not a bytes"),
    ],
)
def test_what_is_wrong_in_a_list_is_named_by_its_place(name, value, said):
    assert str(wrong(name, value)) == f"Message format error: {said}"


def test_a_long_value_is_cut_in_the_error():
    assert len(str(wrong("metadata", "x" * 100_000))) < 200


# The options of a call


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("timeout_seconds", 5, 5),
        ("timeout_seconds", 0.5, 0.5),
        ("max_retries", 0, 0),
        ("strictness", "coerce", "coerce"),
        ("fallback_models", ["a", "b"], ["a", "b"]),
        ("fallback_models", (), []),
        ("extra_headers", {"X-A": " v "}, (("X-A", "v"),)),
        ("extra_query", {"a": "b"}, {"a": "b"}),
        ("extra_body", {"a": [1]}, {"a": [1]}),
    ],
)
def test_an_option_of_the_call_does_not_travel(name, value, expected):
    assert check({name: value}) == ({}, {name: expected})


def test_a_timeout_is_the_deadline_under_its_other_name():
    assert check({"timeout": 5}) == ({}, {"timeout_seconds": 5})
    assert check({"timeout": 5, "timeout_seconds": None}) == ({}, {"timeout_seconds": 5})
    assert check({"timeout": None, "timeout_seconds": 5}) == ({}, {"timeout_seconds": 5})


@pytest.mark.parametrize("function", ["create", "plan"])
def test_a_timeout_under_both_of_its_names_is_a_type_error(function):
    with pytest.raises(TypeError) as caught:
        check({"timeout": 5, "timeout_seconds": 5}, function)

    assert str(caught.value) == (
        f"{function}() got both 'timeout' and 'timeout_seconds', two names of one option: give one"
    )


def test_an_httpx_timeout_becomes_the_limits_that_it_has_counterparts_of():
    given = httpx.Timeout(None, connect=2, read=3)

    assert check({"timeout": given}) == (
        {},
        {"connect_timeout_seconds": 2, "idle_timeout_seconds": 3},
    )
    assert check({"timeout": httpx.Timeout(None)}) == ({}, {})


def test_parts_of_an_httpx_timeout_without_a_counterpart_warn():
    with pytest.warns(ConfigurationWarning, match="write and pool of an httpx.Timeout have no"):
        _, options = check({"timeout": httpx.Timeout(10)})

    assert options == {"connect_timeout_seconds": 10, "idle_timeout_seconds": 10}


def test_every_option_is_known():
    assert set(OPTIONS) == {
        "timeout",
        "timeout_seconds",
        "attempt_timeout_seconds",
        "content_timeout_seconds",
        "max_retries",
        "strictness",
        "fallback_models",
        "extra_headers",
        "extra_query",
        "extra_body",
    }


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("timeout", 0, "timeout is 0; allowed: a number of seconds above 0"),
        ("timeout_seconds", float("inf"), "timeout_seconds is inf; allowed: a number of seconds"),
        ("max_retries", -1, "max_retries is -1; allowed: a whole number from 0 up"),
        ("max_retries", 1.5, "max_retries is 1.5; allowed: a whole number from 0 up"),
        ("max_retries", True, "max_retries is True; allowed: a whole number from 0 up"),
        ("strictness", "lax", "strictness is 'lax'; allowed: 'strict', 'warn', 'coerce'"),
        ("fallback_models", "gpt-4o", "fallback_models is 'gpt-4o'; allowed: a list of models"),
        ("fallback_models", [5], "fallback_models[0] is 5; allowed: a model's name"),
        ("extra_headers", {"A": "b\r\nC: d"}, "extra_headers['A'] has characters"),
        ("extra_headers", {"A:": "b"}, "extra_headers: 'A:' is not a header name"),
        ("extra_headers", [("A", "b")], "extra_headers is a list; allowed: {name: text}"),
        ("extra_query", {"a": 1}, "extra_query['a'] is 1; allowed: text"),
        ("extra_query", {"a": "\ud800"}, "extra_query['a'] is '\\ud800'; allowed: text"),
        ("extra_query", "a=b", "extra_query is 'a=b'; allowed: {name: value}"),
        ("extra_body", [1], "extra_body is a list; allowed: {name: value}"),
    ],
)
def test_a_wrong_option_is_a_configuration_error(name, value, said):
    error = wrong(name, value)

    assert isinstance(error, ConfigurationError)
    assert str(error).startswith(f"Configuration error: {said}")


# Unknown names


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("temprature", "; did you mean 'temperature'?"),
        ("max_token", "; did you mean 'max_tokens'?"),
        ("Top_P", "; did you mean 'top_p'?"),
        ("extra_header", "; did you mean 'extra_headers'?"),
        ("fallback_model", "; did you mean 'fallback_models'?"),
        ("message", "; did you mean 'messages'?"),
        ("enable_fallback", "; it is a setting of the client: write client.with_options("),
        ("proxy", "; it is a setting of the client: write client.with_options(proxy=…)"),
        ("num_retries", "; write max_retries=…"),
        ("api_base", "; write client.with_options(providers={'openai': {'base_url': …}})"),
        ("base_url", "; write client.with_options(providers={'openai': {'base_url': …}})"),
        ("api_key", "; write client.with_options(providers={'openai': {'api_key': …}})"),
        ("fallbacks", "; write fallback_models=[…]"),
        ("drop_params", "; write strictness='coerce'"),
        ("system", "; write a message {'role': 'system', 'content': …}"),
        ("instructions", "; write a message {'role': 'system', 'content': …}"),
        ("top_k", "; write extra_body={'top_k': …}, for a provider that has it"),
        ("thinking", "; write extra_body={'thinking': …}, for a provider that has it"),
        ("stop_sequences", "; write stop=[…]"),
        ("zzz", ""),
    ],
)
@pytest.mark.parametrize("value", [1, None])
def test_an_unknown_name_is_a_type_error_that_names_the_nearest(name, hint, value):
    with pytest.raises(TypeError) as caught:
        check({name: value})

    text = str(caught.value)
    assert text.startswith(f"create() got an unexpected keyword argument {name!r}{hint}")
    assert hint or text == f"create() got an unexpected keyword argument {name!r}"


def test_no_counterpart_is_a_parameter():
    assert set(SUGGESTIONS).isdisjoint({*PARAMETERS, *OPTIONS, "model", "messages"})
