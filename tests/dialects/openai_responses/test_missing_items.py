"""Errors about what a request names: stored items, conversations, prompts and responses."""

from __future__ import annotations

import json

import pytest

import specado
from specado.dialects.errors import refuses_signed


def error_of(status: int, message: str) -> specado.ProviderError:
    body = json.dumps({"error": {"message": message, "type": "invalid_request_error"}})
    return specado.parse_error(status, {}, body, "openai_responses")


@pytest.mark.parametrize("kind", ["Conversation", "Item", "Prompt", "Response"])
def test_what_is_not_stored_is_an_error_of_the_request_and_no_unknown_model(kind: str) -> None:
    error = error_of(404, f"{kind} with id 'x_123' not found.")

    assert type(error) is specado.InvalidRequestError
    assert "base_url" not in str(error)


def test_reasoning_that_was_not_stored_is_sent_once_more_without_it() -> None:
    message = (
        "Item with id 'rs_123' not found. Items are not persisted when `store` is set to false."
    )

    assert refuses_signed(error_of(404, message))


def test_asking_for_encryption_of_what_is_stored_refuses_no_signature() -> None:
    message = "Encrypted content cannot be requested for persisted responses."

    assert not refuses_signed(error_of(400, message))
