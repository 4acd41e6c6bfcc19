"""A call writes one body: each candidate is encoded and judged when its turn comes."""

from __future__ import annotations

import asyncio
import json
import warnings
from typing import Any

import msgspec
import pytest

import specado
from example_inputs import KEYS
from played_calls import call, drive, ok, refused
from specado import register_manifest
from specado.catalog import lookup as catalog
from specado.dialects.registry import DIALECTS
from specado.errors import ConfigurationError, MessageFormatError, RateLimitError

FAILING = "rate-limit-test-model"
SIMULATED = {"simulate": True, "max_retries": 0}
TOOL = {
    "type": "function",
    "function": {
        "name": "look",
        "description": "Look it up.",
        "parameters": {
            "type": "object",
            "properties": {"word": {"type": "string"}},
            "required": ["word"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}


@pytest.fixture(autouse=True)
def only_shipped_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "_registered", {})


@pytest.fixture
def bodies(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Every body that is written from now on."""
    written: list[dict[str, Any]] = []

    def counting(encode: Any) -> Any:
        def encode_and_count(*args: Any) -> Any:
            found = encode(*args)
            written.append(json.loads(found.body))
            return found

        return encode_and_count

    for name, dialect in DIALECTS.items():
        counted = msgspec.structs.replace(dialect, encode_request=counting(dialect.encode_request))
        monkeypatch.setitem(DIALECTS.loaded, name, counted)
    return written


def models(bodies: list[dict[str, Any]]) -> list[str]:
    return [body["model"] for body in bodies]


def finish(way: str, model: str, messages: str = "Hello", config: Any = None, **given: Any) -> Any:
    """Make a call in one of four ways, to its end; return its extensions."""
    completions = specado.Client({**SIMULATED, **(config or {})}).chat.completions
    given["stream"] = way.endswith("stream")

    async def in_the_loop() -> Any:
        found = await completions.create_async(model, messages, **given)
        if given["stream"]:
            [_ async for _ in found]
        return found.extensions

    if way.startswith("async"):
        return asyncio.run(in_the_loop())
    found = completions.create(model, messages, **given)
    if given["stream"]:
        list(found)
    return found.extensions


WAYS = ("sync", "sync stream", "async", "async stream")


@pytest.mark.parametrize("way", WAYS)
def test_a_call_that_succeeds_at_once_writes_one_body(way: str, bodies: Any) -> None:
    found = finish(way, "gpt-4o", fallback_models=["claude-opus-4-5", "gpt-5.4"])

    assert found.attempts == 1
    assert models(bodies) == ["gpt-4o"]


@pytest.mark.parametrize("way", WAYS)
def test_a_call_that_falls_back_once_writes_two(way: str, bodies: Any) -> None:
    found = finish(way, FAILING, fallback_models=["claude-opus-4-5", "gpt-5.4"])

    assert found.metadata["fallback_index"] == 0
    assert models(bodies) == [FAILING, "claude-opus-4-5"]


def test_retries_send_the_same_body(bodies: Any) -> None:
    finish("sync", FAILING, config={"max_retries": 2}, fallback_models=["gpt-4o"])

    assert models(bodies) == [FAILING, "gpt-4o"]


def test_a_first_candidate_that_is_refused_costs_one_body_more(bodies: Any) -> None:
    finish("sync", "claude-opus-4-5", n=2, fallback_models=["gpt-4o", "gpt-5.4"])

    assert models(bodies) == ["claude-opus-4-5", "gpt-4o"]


def test_a_plan_writes_all(bodies: Any) -> None:
    client = specado.Client(SIMULATED)

    found = client.chat.completions.plan(
        "gpt-4o", "Hello", n=2, fallback_models=["claude-opus-4-5", "gpt-5.4"]
    )

    assert [each.eligible for each in found] == [True, False, True]
    assert models(bodies) == ["gpt-4o", "claude-opus-4-5", "gpt-5.4"]


# The model of an unnamed fallback


def general(price: float, **more: Any) -> dict[str, Any]:
    return {"general": True, "pricing": {"input": price, "output": price}, **more}


def add_two_models() -> dict[str, Any]:
    few = {"penalties": False}
    models = {"lossy": general(1, traits={"sampling": False, **few}), "apt": general(9, traits=few)}
    register_manifest({"name": "mine", "base_url": "https://mine.example", "models": models})
    return {"fallback_provider": "mine"}


def test_the_model_that_loses_least_is_looked_for_only_when_its_turn_comes(bodies: Any) -> None:
    found = finish("sync", "gpt-4o", config=add_two_models(), temperature=0.5)

    assert found.metadata["fallback_provider"] == "mine"
    assert models(bodies) == ["gpt-4o"]


def test_the_model_that_loses_least_is_found_when_its_turn_comes(bodies: Any) -> None:
    config = add_two_models()

    found = finish("sync", FAILING, config=config, temperature=0.5, presence_penalty=1)

    assert found.metadata["fallback_provider"] == "mine"
    assert models(bodies)[0] == FAILING
    assert sorted(models(bodies)[1:-1]) == ["apt", "lossy"]
    assert models(bodies)[-1] == "apt"


# What is told of candidates


def test_a_candidate_that_was_not_reached_is_not_skipped() -> None:
    found = finish("sync", "gpt-4o", n=2, fallback_models=["claude-opus-4-5"])

    assert "skipped" not in found.metadata


def test_a_candidate_that_was_reached_and_refused_is() -> None:
    found = finish("sync", FAILING, n=2, fallback_models=["claude-opus-4-5", "gpt-4o"])

    assert found.metadata["fallback_index"] == 1
    assert found.metadata["skipped"] == [
        {
            "provider": "anthropic",
            "model": "claude-opus-4-5",
            "reason": "strictness 'warn' refuses a loss: n: one answer a request",
        }
    ]


def test_skipped_candidates_are_told_in_their_order() -> None:
    found = finish(
        "sync",
        "claude-opus-4-5",
        n=2,
        fallback_models=[FAILING, "claude-opus-4-6", "gpt-4o"],
    )

    assert [each["model"] for each in found.metadata["skipped"]] == [
        "claude-opus-4-5",
        "claude-opus-4-6",
    ]


def test_where_all_after_the_first_are_refused_its_error_ends_the_call() -> None:
    with pytest.raises(RateLimitError) as caught:
        finish("sync", FAILING, n=2, fallback_models=["claude-opus-4-5", "claude-opus-4-6"])

    assert caught.value.attempts == 1
    assert "claude" not in str(caught.value)


def test_a_request_that_a_later_candidate_cannot_be_sent_skips_it() -> None:
    bad = {"type": "function", "function": {"name": 5}}
    with pytest.raises(MessageFormatError):
        call("claude-opus-4-5", KEYS, tools=[bad])
    given = {"tools": [bad], "max_retries": 0, "fallback_models": ["claude-opus-4-5", "o3"]}

    found = drive(call("gpt-4o", KEYS, **given), [refused(500), ok()])

    assert found.extensions.metadata["fallback_index"] == 1
    assert [each["reason"] for each in found.extensions.metadata["skipped"]] == [
        "tools[0].function: must be a dict with a name"
    ]


def test_the_error_of_a_key_is_kept_where_all_that_follow_are_refused() -> None:
    def no_key() -> str:
        raise OSError("locked")

    keys = {"openai": {"api_key": no_key}, "anthropic": {"api_key": "k"}}
    with pytest.raises(ConfigurationError, match="failed with OSError"):
        specado.Client({"providers": keys}).chat.completions.create(
            "claude-opus-4-5", "Hello", n=2, fallback_models=["gpt-4o", "claude-opus-4-6"]
        )


# A candidate that was left for one that is refused


def test_a_first_candidate_that_was_left_for_a_refused_one_is_asked_again() -> None:
    one = call("gpt-4o", KEYS, n=2)

    found = drive(one, [refused(429, "slow down", retry_after="5"), ok()])

    assert found.extensions.provider_used == "openai"
    assert found.extensions.attempts == 2
    assert found.extensions.fallback_triggered is False
    assert [each["provider"] for each in found.extensions.metadata["skipped"]] == ["anthropic"]


# The request is the one of the call


PARAMETERS: dict[str, Any] = {
    "tools": [TOOL],
    "tool_choice": {"type": "function", "function": {"name": "look"}},
    "metadata": {"a": "b"},
    "logit_bias": {"1": 1},
    "stop": ["END"],
    "response_format": {
        "type": "json_schema",
        "json_schema": {
            "name": "a",
            "strict": True,
            "schema": {
                "type": "object",
                "properties": {"n": {"type": "integer", "minimum": 1}},
                "required": ["n"],
                "additionalProperties": False,
            },
        },
    },
    "prediction": {"type": "content", "content": "x"},
    "web_search_options": {"user_location": {"type": "approximate"}},
}


def spoil(value: Any) -> None:
    """Change every dict and list in *value*, in place."""
    for inner in list(value.values() if isinstance(value, dict) else value):
        if isinstance(inner, (dict, list)):
            spoil(inner)
    if isinstance(value, dict):
        value.clear()
        value["type"] = "spoiled"
    else:
        value[:] = ["spoiled"]


@pytest.mark.parametrize("name", PARAMETERS)
@pytest.mark.parametrize("fallback", ["claude-opus-4-5", "claude-sonnet-4-0", "gpt-4o"])
def test_what_the_caller_changes_after_the_call_began_changes_no_body(
    name: str, fallback: str, bodies: Any
) -> None:
    def copied() -> dict[str, Any]:
        given = {name: json.loads(json.dumps(PARAMETERS[name]))}
        if name == "tool_choice":
            given["tools"] = [json.loads(json.dumps(TOOL))]
        return given

    given, messages = copied(), [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]
    hooks = {"on_attempt": lambda _: (spoil(given), spoil(messages))}
    expected = copied()

    for hooked, parameters, said in ((hooks, given, messages), ({}, expected, None)):
        said = said or [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", specado.RetiredModelWarning)
            specado.Client({**SIMULATED, "hooks": hooked}).chat.completions.create(
                FAILING, said, strictness="coerce", fallback_models=[fallback], **parameters
            )

    assert given != expected
    # What one dialect cannot express is written in the provider's next one too.
    half = len(bodies) // 2
    assert list(dict.fromkeys(models(bodies)[:half])) == [FAILING, fallback]
    assert bodies[:half] == bodies[half:]


def test_what_a_stream_was_asked_for_does_not_change_either() -> None:
    options = {"include_usage": True}
    hooks = {"on_attempt": lambda _: options.clear()}

    chunks = list(
        specado.Client({**SIMULATED, "hooks": hooks}).chat.completions.create(
            FAILING, "Hi", stream=True, stream_options=options, fallback_models=["claude-opus-4-5"]
        )
    )

    assert options == {}
    assert chunks[-1].usage is not None
