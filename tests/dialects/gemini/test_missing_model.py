"""A Gemini request, whose address names the model, needs it as a member here; the error says so."""

from __future__ import annotations

import pytest

import specado


def test_the_error_for_a_missing_model_says_where_to_write_it() -> None:
    request = {"contents": [{"parts": [{"text": "Hello"}]}]}

    with pytest.raises(specado.ConfigurationError, match="a member, 'model'"):
        specado.translate(request, "openai", source="gemini")
