"""What is known of OpenAI's servers holds there only: elsewhere everything is passed on."""

from __future__ import annotations

import json
from typing import Any

import pytest

import specado
from example_inputs import USER

CACHE = {"type": "ephemeral"}
PART = {"type": "text", "text": "a", "cache_control": CACHE}
PNG = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
CALL = {
    "id": "c" * 50,
    "type": "function",
    "function": {"name": "a.b", "arguments": "{}"},
    "cache_control": CACHE,
}
REQUEST: dict[str, Any] = {
    "model": "gpt-4.1",
    "messages": [
        {"role": "system", "content": [PART]},
        {"role": "user", "content": [PART], "cache_control": CACHE},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c" * 50, "content": [PNG]},
    ],
    "tools": [
        {
            "type": "function",
            "function": {"name": "a.b", "parameters": {"type": "object"}},
            "cache_control": CACHE,
        }
    ],
    "user": "u" * 100,
}
HERE = "http://127.0.0.1:9/v1"


def sent(to: str) -> tuple[dict[str, Any], list[str]]:
    found = specado.translate(REQUEST, to)
    return json.loads(found.body), [item.path for item in found.report.items]


def test_a_compatible_server_gets_everything() -> None:
    specado.register_manifest({"name": "corp", "base_url": HERE})

    body, losses = sent("corp/m")

    assert body == {**REQUEST, "model": "m"}
    assert losses == []


@pytest.mark.parametrize("model", ["gpt-4.1", "unheard-of"])
def test_openai_at_another_host_is_a_compatible_server(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", HERE)

    body, losses = sent(f"openai/{model}")

    assert body == {**REQUEST, "model": model}
    assert losses == []


def test_what_is_known_of_an_id_still_renames_at_another_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", HERE)
    request = {"model": "gpt-5", "messages": [USER], "max_tokens": 9}

    body = json.loads(specado.translate(request, "openai").body)

    assert body["max_completion_tokens"] == 9


@pytest.mark.parametrize(
    "address",
    [
        None,
        "https://eu.api.openai.com/v1",
        "https://API.openai.com:443/v1",
        "https://api.openai.com./v1",
    ],
)
@pytest.mark.parametrize("model", ["gpt-4.1", "unheard-of"])
def test_openais_own_servers_get_what_they_take(
    model: str, address: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if address is not None:
        monkeypatch.setenv("OPENAI_BASE_URL", address)

    body, losses = sent(f"openai/{model}")

    assert "cache_control" not in json.dumps(body)
    assert losses == [
        "messages[0].content[0].cache_control",
        "messages[1].content[0].cache_control",
        "messages[1].cache_control",
        "messages[2].tool_calls[0].id",
        "messages[2].tool_calls[0].function.name",
        "messages[2].tool_calls[0].cache_control",
        "messages[3].content[0]",
        "messages[3].tool_call_id",
        "tools[0]",
        "tools[0].cache_control",
        "tools[0].function.parameters.properties",
        "user",
    ]


@pytest.mark.parametrize(
    "address",
    [
        "https://notapi.openai.com.example.org/v1",
        "https://api.openai.com.example.org/v1",
        "https://notapi.openai.com/v1",
        "https://example.org/api.openai.com/v1",
    ],
)
def test_an_address_that_only_looks_alike_is_not_openais(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", address)

    assert sent("openai/gpt-4.1")[1] == []


@pytest.mark.parametrize(
    ("rules", "losses"),
    [
        ({"cache_control": True}, 0),
        ({"cache_control": False}, 5),
        ({"tool_name_characters": 64}, 2),
        ({"call_id_characters": 40}, 2),
        ({"user_characters": 64}, 1),
        ({"complete_schemas": True}, 1),
        ({"media_in_user_messages_only": True}, 1),
    ],
)
def test_a_manifest_says_otherwise_field_by_field(rules: dict[str, Any], losses: int) -> None:
    specado.register_manifest({"name": "corp", "base_url": HERE, "request_rules": rules})

    assert len(sent("corp/m")[1]) == losses


@pytest.mark.parametrize(
    ("rules", "where"),
    [
        ({"cache": False}, "request_rules"),
        ({"cache_control": "no"}, "request_rules.cache_control"),
        ({"tool_name_characters": 3}, "request_rules.tool_name_characters"),
    ],
)
def test_rules_that_are_wrong_are_refused(rules: dict[str, Any], where: str) -> None:
    with pytest.raises(specado.ConfigurationError, match=where.replace(".", r"\.")):
        specado.register_manifest({"name": "corp", "base_url": HERE, "request_rules": rules})


def test_cache_control_of_an_anthropic_request_goes_to_a_compatible_server() -> None:
    specado.register_manifest({"name": "corp", "base_url": HERE})
    use = {"type": "tool_use", "id": "c", "name": "f", "input": {}, "cache_control": CACHE}
    result = {"type": "tool_result", "tool_use_id": "c", "content": "r", "cache_control": CACHE}
    request = {
        "model": "claude-opus-4-5",
        "max_tokens": 9,
        "system": [PART],
        "messages": [
            {"role": "user", "content": [PART]},
            {"role": "assistant", "content": [use]},
            {"role": "user", "content": [result]},
        ],
        "tools": [{"name": "f", "input_schema": {"type": "object"}, "cache_control": CACHE}],
    }

    corp = specado.translate(request, "corp/m", source="anthropic")
    openai = specado.translate(request, "openai/gpt-4.1", source="anthropic")

    assert corp.body.count(b'"cache_control":{"type":"ephemeral"}') == 5
    assert corp.report.items == []
    assert b"cache_control" not in openai.body
    assert [item.path for item in openai.report.items] == [
        "system[0].cache_control",
        "messages[0].content[0].cache_control",
        "messages[1].content[0].cache_control",
        "messages[2].content[0].cache_control",
        "tools[0].cache_control",
        "tools[0].input_schema.properties",
    ]
