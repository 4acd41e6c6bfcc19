"""`plan`, and routing by what a request loses: seen through a client, nothing is sent."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

import pytest

import specado
from example_inputs import KEYS
from specado import register_manifest
from specado.errors import ContextLengthError, LossyTranslationError, MessageFormatError

IMAGE = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
LONG = "word " * 60_000  # about 75,000 tokens by rule of thumb


def model(price: float, **more: Any) -> dict[str, Any]:
    return {"general": True, "pricing": {"input": price, "output": price}, **more}


def add_provider(name: str, models: dict[str, Any], **more: Any) -> None:
    register_manifest(
        {"name": name, "base_url": f"https://{name}.example/v1", "models": models, **more}
    )


def plan(asked: str = "gpt-4o", messages: Any = "Hello", config: Any = KEYS, **given: Any) -> Any:
    return specado.Client(config).chat.completions.plan(asked, messages, **given)


def create(asked: str, messages: Any = "Hello", config: Any = None, **given: Any) -> Any:
    client = specado.Client({"simulate": True, **(config or {})})
    return client.chat.completions.create(asked, messages, **given)


def shown(found: Any) -> list[tuple[str, bool]]:
    return [(f"{each.provider}/{each.model}", each.eligible) for each in found]


# What a plan shows


def test_every_candidate_is_shown_in_order() -> None:
    first, second = plan(seed=5)

    assert (first.provider, first.model, first.eligible, first.reasons) == (
        "openai", "gpt-4o", True, [])  # fmt: skip
    assert (second.provider, second.model, second.eligible) == (
        "anthropic", "claude-sonnet-4-6", True)  # fmt: skip
    assert first.losses.items == []
    assert [(loss.path, loss.severity) for loss in second.losses.items] == [
        ("max_tokens", "None"),
        ("seed", "Low"),
    ]


def test_tokens_and_price_are_estimated() -> None:
    (found,) = plan(messages="word " * 4000, config={**KEYS, "enable_fallback": False})

    assert 4500 < found.estimated_tokens < 5500
    assert found.estimated_price_usd == pytest.approx(found.estimated_tokens * 2.5e-6)
    assert plan("unheard-of")[0].estimated_price_usd is None


def test_the_asynchronous_client_plans_too() -> None:
    client = specado.AsyncClient(KEYS)

    assert shown(client.chat.completions.plan("gpt-4o", "Hi")) == shown(plan(messages="Hi"))


def test_an_unknown_option_of_plan_is_its_own() -> None:
    with pytest.raises(TypeError, match=r"plan\(\) got an unexpected keyword argument 'foo'"):
        plan(foo=1)


def test_a_missing_key_is_a_reason_and_no_error() -> None:
    found = plan(config={"providers": {"anthropic": {"api_key": "k"}}})

    assert shown(found) == [("openai/gpt-4o", False), ("anthropic/claude-sonnet-4-6", True)]
    assert "OPENAI_API_KEY" in found[0].reasons[0]


def test_what_strictness_refuses_is_a_reason() -> None:
    found = plan(n=2, strictness="warn")

    assert shown(found) == [("openai/gpt-4o", True), ("anthropic/claude-sonnet-4-6", False)]
    assert found[1].reasons == ["strictness 'warn' refuses a loss: n: one answer a request"]
    assert found[1].losses.severity == "High"


def test_a_retired_stand_in_is_a_reason_but_a_named_model_none() -> None:
    retired = {"old": model(1, deprecation_date="2020-01-01")}
    add_provider("mine", retired, fallback_for={"gpt-4o": "old"})
    config = {**KEYS, "fallback_provider": "mine"}

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        named = plan("mine/old", config=config)
        mapped = plan(config={**config, "model_map": {"gpt-4o": {"mine": "old"}}})
    left = plan(config=config)

    assert shown(left) == [("openai/gpt-4o", True), ("mine/old", False)]
    assert left[1].reasons == ["'old' was retired on 2020-01-01"]
    assert shown(named)[0] == ("mine/old", True)
    assert shown(mapped)[1] == ("mine/old", True)


def test_a_provider_without_a_model_is_shown() -> None:
    add_provider("mine", {})

    found = plan(config={**KEYS, "fallback_provider": "mine"})

    assert (found[1].model, found[1].eligible, found[1].losses) == (None, False, None)
    assert "model_map" in found[1].reasons[0]


def test_a_malformed_request_is_refused() -> None:
    with pytest.raises(MessageFormatError):
        plan(messages=[{"role": "user", "content": 5}])


def test_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise AssertionError("a plan opens no connection")

    monkeypatch.setattr("socket.socket.connect", fail)
    monkeypatch.setattr("specado.simulator.endpoints.handle", fail)

    assert len(plan()) == 2
    assert len(plan(config={"simulate": True})) == 2


def test_no_key_is_shown() -> None:
    assert "key-one" not in repr(plan())


# Context windows


def windowed(tokens: int) -> dict[str, Any]:
    return {"capabilities": {"constraints": {"tokens": {"max_context_window": tokens}}}}


SMALL_AND_LARGE = {"small": windowed(1000), "large": windowed(10**6)}


def test_a_window_that_is_too_small_is_left_out() -> None:
    add_provider("mine", SMALL_AND_LARGE)

    reply = create("mine/small", LONG, fallback_models=["mine/large"])

    assert reply.extensions.fallback_triggered is True
    assert reply.extensions.attempts == 1
    (skipped,) = reply.extensions.metadata["skipped"]
    assert (skipped["provider"], skipped["model"]) == ("mine", "small")
    assert "the context window of 'small' 1,000" in skipped["reason"]


def test_the_next_one_that_is_large_enough_answers() -> None:
    models = {f"m{size}": windowed(size) for size in (1000, 2000, 10**6)}
    add_provider("mine", models)

    found = plan("mine/m1000", LONG, fallback_models=["mine/m2000", "mine/m1000000"])

    assert shown(found) == [("mine/m1000", False), ("mine/m2000", False), ("mine/m1000000", True)]


def test_a_request_that_is_too_long_for_all_is_an_error_before_sending() -> None:
    add_provider("mine", SMALL_AND_LARGE)

    with pytest.raises(ContextLengthError) as caught:
        create("mine/small", LONG, {"enable_fallback": False})

    assert str(caught.value).startswith(
        "Provider error: Routing failed: mine/small: the prompt has"
    )
    assert caught.value.attempts == 0
    assert (caught.value.provider, caught.value.model) == ("mine", "small")


@pytest.mark.parametrize("window", [None, 60_000])
def test_a_window_counts_only_beyond_doubt(window: int | None) -> None:
    add_provider("mine", {"m": {} if window is None else windowed(window)})

    assert shown(plan("mine/m", LONG, fallback_models=[])) == [("mine/m", True)]


# The model that loses least


def test_of_models_that_could_stand_in_the_one_that_loses_least_does() -> None:
    models = {
        "blind": model(1, capabilities={"modalities": {"input": ["Text"], "output": ["Text"]}}),
        "seeing": model(
            50, capabilities={"modalities": {"input": ["Text", "Image"], "output": ["Text"]}}
        ),
    }
    add_provider("mine", models)
    config = {**KEYS, "fallback_provider": "mine"}
    seen = [{"role": "user", "content": [{"type": "text", "text": "What?"}, IMAGE]}]

    assert shown(plan("unheard-of", "Hi", config))[1] == ("mine/blind", True)
    assert shown(plan("unheard-of", seen, config))[1] == ("mine/seeing", True)


def test_one_severe_loss_is_worse_than_many_mild_ones() -> None:
    models = {
        "few": model(1, traits={"structured_output": False}),
        "many": model(50, traits={"sampling": False, "penalties": False}),
    }
    add_provider("mine", models)
    given = {
        "temperature": 0.5,
        "frequency_penalty": 0.5,
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}},
    }

    found = plan("unheard-of", config={**KEYS, "fallback_provider": "mine"}, **given)

    assert found[1].model == "many"


def test_the_number_of_losses_counts_where_they_are_as_severe() -> None:
    models = {
        "two": model(1, traits={"sampling": False, "penalties": False}),
        "one": model(50, traits={"penalties": False}),
    }
    add_provider("mine", models)
    config = {**KEYS, "fallback_provider": "mine"}

    found = plan("unheard-of", config=config, temperature=0.5, presence_penalty=1)

    assert found[1].model == "one"


# Strictness


@pytest.mark.parametrize("how", ["client", "call"])
def test_strictness_is_set_per_client_and_per_call(how: str) -> None:
    config = {"strictness": "strict"} if how == "client" else {"strictness": "coerce"}
    given = {"strictness": "strict"} if how == "call" else {}

    reply = create(
        "rate-limit-test-model",
        config={**config, "max_retries": 0},
        seed=5,
        **given,
        fallback_models=["anthropic/claude-opus-4-6", "gpt-4o"],
    )
    with pytest.raises(LossyTranslationError) as caught:
        create("anthropic/claude-opus-4-6", config=config, seed=5, fallback_models=[], **given)

    assert reply.extensions.provider_used == "openai"
    assert reply.extensions.metadata["skipped"] == [
        {
            "provider": "anthropic",
            "model": "claude-opus-4-6",
            "reason": "strictness 'strict' refuses a loss: seed: there is no seed",
        }
    ]
    assert caught.value.setting == "strictness='warn'"
    assert [loss.path for loss in caught.value.report.items if loss.severity != "None"] == ["seed"]


def test_the_first_candidate_is_passed_over_too() -> None:
    reply = create("claude-opus-4-6", n=2)

    assert reply.extensions.provider_used == "openai"
    assert reply.extensions.fallback_triggered is True
    assert reply.extensions.metadata["primary_provider"] == "anthropic"
    assert len(reply.choices) == 2


def test_coerce_lets_everything_through_and_says_what_was_lost() -> None:
    reply = create("claude-opus-4-6", n=2, strictness="coerce", fallback_models=[])

    report = reply.extensions.metadata["lossiness"]
    assert (report.is_lossy, report.severity) == (True, "High")
    assert "High  Unsupported  n: one answer a request" in str(report)


def test_when_every_candidate_is_refused_the_error_says_what_would_help() -> None:
    async def ask() -> Any:
        client = specado.AsyncClient({"simulate": True, "primary_provider": "anthropic"})
        return await client.chat.completions.create(
            "claude-opus-4-6", "Hi", n=2, fallback_models=["claude-haiku-4-5"]
        )

    with pytest.raises(LossyTranslationError, match="strictness='coerce'") as caught:
        asyncio.run(ask())

    assert caught.value.setting == "strictness='coerce'"
    assert caught.value.report.severity == "High"
