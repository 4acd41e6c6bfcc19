"""The error tree, its messages, its round trips, and the table that gives an error its class."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest

from raised_errors import full, raise_one
from specado import errors
from specado.errors import (
    ConfigurationError,
    DeadlineExceededError,
    LossyTranslationError,
    MessageFormatError,
    ProviderError,
    ServerError,
    SpecadoError,
    redact,
)

TREE = sorted(
    (
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, SpecadoError)
    ),
    key=lambda kind: kind.__name__,
)
PREFIXES = {
    ConfigurationError: "Configuration error: ",
    MessageFormatError: "Message format error: ",
    ProviderError: "Provider error: ",
}
BUILT_IN = [
    (ConfigurationError, ValueError),
    (MessageFormatError, TypeError),
    (ProviderError, RuntimeError),
    (DeadlineExceededError, TimeoutError),
]


@pytest.mark.parametrize(("kind", "built_in"), BUILT_IN)
def test_the_documented_built_in_classes_are_bases(kind: type, built_in: type) -> None:
    assert issubclass(kind, (built_in, SpecadoError))
    assert issubclass(kind, built_in)


@pytest.mark.parametrize("kind", TREE)
def test_every_message_begins_with_its_prefix(kind: type[SpecadoError]) -> None:
    prefix = next((text for base, text in PREFIXES.items() if issubclass(kind, base)), "")

    error = kind("what happened")

    assert str(error) == f"{prefix}what happened"
    assert error.message == "what happened"


def attempted(provider: str, model: str = "m") -> ProviderError:
    return ServerError("failed", provider=provider, model=model)


@pytest.mark.parametrize(
    ("errors_before", "facts", "routing_failed"),
    [
        ([], {}, False),
        ([attempted("a")], {}, False),
        ([attempted("a"), attempted("a")], {}, False),
        ([attempted("a"), attempted("b")], {}, True),
        ([attempted("a"), attempted("a", "other")], {}, True),
        ([], {"attempts": 0}, True),
        ([attempted("a")], {"attempts": 1}, False),
    ],
)
@pytest.mark.parametrize("kind", [each for each in TREE if issubclass(each, ProviderError)])
def test_routing_failed_where_several_candidates_were_asked_or_none(
    kind: type[ProviderError], errors_before: Any, facts: Any, routing_failed: bool
) -> None:
    error = kind("what happened", errors=tuple(errors_before), **facts)

    is_said = routing_failed and kind is not errors.StreamInterruptedError
    said = "Routing failed: " if is_said else ""
    assert (
        str(error)
        == str(pickle.loads(pickle.dumps(error)))
        == (f"Provider error: {said}what happened")
    )
    assert error.message == "what happened"


def facts_of(error: Any) -> Any:
    facts = {name: value for name, value in vars(error).items() if name != "errors"}
    return type(error), error.args, facts, [str(inner) for inner in error.errors]


@pytest.mark.parametrize("kind", TREE)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_errors_survive_pickle(kind: type[SpecadoError], protocol: int) -> None:
    error = full(kind)

    assert facts_of(pickle.loads(pickle.dumps(error, protocol))) == facts_of(error)


@pytest.mark.parametrize("kind", TREE)
def test_errors_survive_copies(kind: type[SpecadoError]) -> None:
    error = full(kind)

    assert facts_of(copy.copy(error)) == facts_of(error)
    assert facts_of(copy.deepcopy(error)) == facts_of(error)


def test_errors_survive_a_process_pool() -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        for kind in (DeadlineExceededError, LossyTranslationError, MessageFormatError):
            error = pool.submit(raise_one, kind).exception(60)

            assert facts_of(error) == facts_of(full(kind))


@pytest.mark.parametrize(
    ("text", "secrets", "expected"),
    [
        ("Incorrect API key provided: sk-abcd1234", [], "Incorrect API key provided: ***"),
        ("sk-ant-api03-aa_bb-cc", [], "***"),
        ("sk-proj-****wxyz.", [], "***"),
        ("Authorization: Bearer abc.def", [], "Authorization: Bearer ***"),
        ("key is hunter2!", ["hunter2"], "key is ***!"),
        ("abcdef abc", ["abc", "abcdef"], "*** ***"),
        ("nothing here, task-1234 asks", ["", None], "nothing here, task-1234 asks"),
    ],
)
def test_keys_are_masked(text: str, secrets: Any, expected: str) -> None:
    assert redact(text, secrets) == expected
