"""`translate`: requests in either shape, to any provider, without sending."""

from __future__ import annotations

import json
from typing import Any

import pytest

import official
import specado
from specado import register_manifest
from specado.errors import ConfigurationError, LossyTranslationError, MessageFormatError

OPENAI = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}
ANTHROPIC = {
    "model": "claude-opus-4-6",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hi"}],
}
EXACT = '{"big": 123456789012345678901234567890,  "float": 1.0e5, "big": 1}'


def body_of(made: specado.Translation) -> Any:
    return json.loads(made.body)


@pytest.mark.parametrize(
    "given", [OPENAI, json.dumps(OPENAI), json.dumps(OPENAI).encode(), bytearray(b"%b" % b"")]
)
def test_a_request_is_a_dict_or_json_text(given: Any) -> None:
    if given == b"":
        given = bytearray(json.dumps(OPENAI).encode())

    made = specado.translate(given, "anthropic")

    assert (made.provider, made.model) == ("anthropic", "claude-sonnet-4-6")
    assert body_of(made) == {
        "model": "claude-sonnet-4-6",
        "messages": [{"role": "user", "content": "Hi"}],
        "max_tokens": 21333,
    }
    assert made.url == "https://api.anthropic.com/v1/messages"
    assert made.report.is_lossy is False
    assert [item.path for item in made.report.items] == ["max_tokens"]


@pytest.mark.parametrize(
    ("to", "model", "expected"),
    [
        ("anthropic", None, "claude-sonnet-4-6"),
        ("anthropic/claude-haiku-4-5", None, "claude-haiku-4-5"),
        ("anthropic", "claude-opus-5", "claude-opus-5"),
        ("anthropic/claude-haiku-4-5", "claude-opus-5", "claude-opus-5"),
        ("anthropic/a/b", None, "a/b"),
        ("openai", None, "gpt-4o"),
        ("openai/gpt-4o-mini", None, "gpt-4o-mini"),
    ],
)
def test_the_model_is_named_or_stands_in(to: str, model: str | None, expected: str) -> None:
    made = specado.translate(OPENAI, to, model=model)

    assert (made.model, body_of(made)["model"]) == (expected, expected)


def test_anthropic_requests_become_openais() -> None:
    request = {**ANTHROPIC, "system": "s", "stop_sequences": ["END"], "top_k": 5}

    made = specado.translate(request, "openai", source="anthropic")

    assert made.model == "gpt-5.4"
    assert body_of(made) == {
        "model": "gpt-5.4",
        "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "Hi"}],
        "max_completion_tokens": 100,
        "stop": ["END"],
    }
    assert official.problems("openai-request", made.body) == []
    assert made.url == "https://api.openai.com/v1/chat/completions"
    assert [(loss.code, loss.path, loss.severity) for loss in made.report.items] == [
        ("Drop", "top_k", "Low"),
        ("Relocate", "max_tokens", "None"),
    ]


def test_a_registered_provider_is_a_source_and_a_target() -> None:
    register_manifest({"name": "mine", "base_url": "https://mine.example/v1"})

    there = specado.translate(ANTHROPIC, "mine/m", source="anthropic")
    back = specado.translate(there.body, "anthropic/claude-opus-4-6", source="mine")

    assert there.url == "https://mine.example/v1/chat/completions"
    assert body_of(back) == ANTHROPIC


@pytest.mark.parametrize("source", ["openai", "anthropic"])
def test_a_provider_of_the_same_dialect_gets_every_key(source: str) -> None:
    request = {
        **(OPENAI if source == "openai" else ANTHROPIC),
        "zz_unknown": {"deep": [1, None]},
        "messages": [
            {
                "role": "user",
                "zz": {"a": 1},
                "content": [{"type": "text", "text": "t", "zz_part": 1.5}],
            }
        ],
    }

    made = specado.translate(request, source, source=source)

    assert body_of(made) == request
    assert made.report.items == []


def test_headers_show_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-one")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-secret-two")

    made = [specado.translate(OPENAI, to) for to in ("openai", "anthropic")]

    for each in made:
        assert "secret" not in repr(each)
        assert "secret" not in str(each.headers) + each.url
    assert made[1].headers["anthropic-version"] == "2023-06-01"
    assert made[1].headers["content-type"] == "application/json"


def test_an_address_in_the_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "https://proxy.example")

    assert specado.translate(OPENAI, "anthropic").url == "https://proxy.example/v1/messages"


@pytest.mark.parametrize(
    ("more", "strictness", "setting"),
    [
        ({"seed": 5}, "strict", "strictness='warn'"),
        ({"n": 2}, "strict", "strictness='coerce'"),
        ({"n": 2}, "warn", "strictness='coerce'"),
    ],
)
def test_strictness_refuses_with_the_setting_that_lets_through(
    more: dict[str, Any], strictness: str, setting: str
) -> None:
    with pytest.raises(LossyTranslationError) as caught:
        specado.translate({**OPENAI, **more}, "anthropic", strictness=strictness)

    assert caught.value.setting == setting
    assert setting in str(caught.value)
    assert next(iter(more)) in [loss.path for loss in caught.value.report.items]
    milder = setting.split("'")[1]
    specado.translate({**OPENAI, **more}, "anthropic", strictness=milder)


def test_what_reading_loses_is_refused_too() -> None:
    with pytest.raises(LossyTranslationError, match="container: there are no containers"):
        specado.translate(
            {**ANTHROPIC, "container": "c"}, "openai", source="anthropic", strictness="warn"
        )


@pytest.mark.parametrize("strictness", ["strict", "warn", "coerce"])
def test_notes_never_refuse(strictness: str) -> None:
    made = specado.translate(OPENAI, "anthropic", strictness=strictness)

    assert made.report.severity == "None"


@pytest.mark.parametrize(
    ("given", "index", "field", "text"),
    [
        (5, None, "request", "must be a dict or JSON text, not int"),
        ("{", None, "request", "is not JSON"),
        (b"[1]", None, "request", "must be a JSON object"),
        (b"\xff", None, "request", "is not JSON"),
        ({1: 2}, None, "request", "the key 1 is not text"),
        ({"model": "m"}, None, "messages", "messages is missing"),
        ({**OPENAI, "messages": []}, None, "messages", "messages is empty"),
        ({**OPENAI, "messages": [5]}, 0, None, "must be a Message or a dict"),
        ({**OPENAI, "messages": [{"role": 5, "content": "a"}]}, 0, "role", "must be a str"),
        ({**OPENAI, "messages": [{"role": "user", "content": 5}]}, 0, "content", "must be a str"),
        (
            {
                **OPENAI,
                "messages": [
                    *OPENAI["messages"],
                    {"role": "tool", "tool_call_id": "c", "content": ""},
                ],
            },
            1,
            "tool_call_id",
            "answers no call",
        ),
        (
            {**OPENAI, "messages": [{"role": "user", "content": [{"type": "zz"}]}]},
            0,
            "content[0].type",
            "'zz' is not a part type",
        ),
        (
            {
                **OPENAI,
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {
                                "type": "image_url",
                                "image_url": {"url": "data:image/png;base64,!"},
                            }
                        ],
                    }
                ],
            },
            0,
            "content[0].image_url.url",
            "not base64",
        ),
        ({**OPENAI, "messages": [{"role": "user", "content": "\ud800"}]}, 0, "content", "surrog"),
        ({**OPENAI, "temperature": "hot"}, None, "temperature", "must be a finite number"),
        ({**OPENAI, "temperature": float("nan")}, None, "temperature", "must be a finite number"),
        ({**OPENAI, "max_tokens": 1.5}, None, "max_tokens", "must be a whole number"),
        ({**OPENAI, "tools": "f"}, None, "tools", "must be a list of dicts"),
        ({**OPENAI, "tools": [{"type": "function"}]}, None, "tools[0].function", "a dict with"),
    ],
)
def test_bad_requests_are_refused_by_place(
    given: Any, index: int | None, field: str | None, text: str
) -> None:
    with pytest.raises(MessageFormatError, match=text.replace("[", r"\[")) as caught:
        specado.translate(given, "anthropic")

    assert (caught.value.index, caught.value.field) == (index, field)


@pytest.mark.parametrize(
    ("given", "options", "key"),
    [
        ({**OPENAI, "model": ""}, {}, "model"),
        ({"messages": []}, {}, None),
        (OPENAI, {"to": "nobody"}, "to"),
        (OPENAI, {"source": "nobody"}, "source"),
        (OPENAI, {"strictness": "loose"}, "strictness"),
    ],
)
def test_wrong_settings_are_named(given: Any, options: dict[str, Any], key: str | None) -> None:
    with pytest.raises((ConfigurationError, MessageFormatError)) as caught:
        specado.translate(given, **{"to": "anthropic", **options})

    if key is not None:
        assert isinstance(caught.value, ConfigurationError)
        assert caught.value.key == key


def test_a_provider_without_a_stand_in_wants_a_model() -> None:
    register_manifest({"name": "mine", "base_url": "https://mine.example/v1"})

    with pytest.raises(ConfigurationError, match="to='mine/…'"):
        specado.translate(ANTHROPIC, "mine", source="anthropic")


def test_arguments_travel_verbatim_to_anthropic() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": EXACT}}
    messages = [*OPENAI["messages"], {"role": "assistant", "content": None, "tool_calls": [call]}]

    made = specado.translate(json.dumps({**OPENAI, "messages": messages}), "anthropic")

    assert b'"input":' + EXACT.encode() + b"}" in made.body


@pytest.mark.parametrize("kind", [str, str.encode])
def test_inputs_in_json_text_travel_verbatim_to_openai(kind: Any) -> None:
    text = json.dumps(
        {
            **ANTHROPIC,
            "messages": [
                {"role": "user", "content": "q"},
                {
                    "role": "assistant",
                    "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"x": 1}}],
                },
            ],
        }
    ).replace('{"x": 1}', EXACT)

    made = specado.translate(kind(text), "openai", source="anthropic")
    back = specado.translate(made.body, "anthropic")
    same = specado.translate(kind(text), "anthropic/claude-opus-5", source="anthropic")

    (call,) = body_of(made)["messages"][1]["tool_calls"]
    assert call["function"]["arguments"] == EXACT
    assert b'"input":' + EXACT.encode() in back.body
    assert b'"input":' + EXACT.encode() in same.body


def test_numbers_in_schemas_keep_their_value() -> None:
    schema = {"type": "integer", "maximum": 123456789012345678901234567890, "minimum": 1.5}
    tool = {"name": "f", "input_schema": schema}

    made = specado.translate(
        json.dumps({**ANTHROPIC, "tools": [tool]}), "openai", source="anthropic"
    )

    assert body_of(made)["tools"][0]["function"]["parameters"] == schema


def test_what_the_caller_does_to_the_request_later_changes_nothing() -> None:
    request = json.loads(json.dumps(OPENAI))
    made = specado.translate(request, "anthropic")
    body = made.body

    request["messages"][0]["content"] = "changed"

    assert made.body == body
    assert request["model"] == "gpt-4o"


@pytest.mark.parametrize(
    ("model", "to", "expected"),
    [
        ("openai/gpt-4.1", "openai", "gpt-4.1"),
        ("anthropic/claude-opus-4-5", "anthropic", "claude-opus-4-5"),
        ("anthropic/claude-opus-4-5", "openai/gpt-4o", "gpt-4o"),
        ("zz/gpt-4.1", "openai", "zz/gpt-4.1"),
    ],
)
def test_a_model_may_be_named_with_its_provider(model: str, to: str, expected: str) -> None:
    made = specado.translate({**OPENAI, "model": model}, to)

    assert made.model == body_of(made)["model"] == expected


@pytest.mark.parametrize("to", ["anthropic", "openai"])
def test_a_stand_in_does_not_depend_on_how_the_model_is_named(to: str) -> None:
    for provider, model in (("openai", "gpt-4.1"), ("anthropic", "claude-opus-4-5")):
        bare = specado.translate({**OPENAI, "model": model}, to, source="openai")
        named = specado.translate({**OPENAI, "model": f"{provider}/{model}"}, to)

        if provider == "openai" or to == "anthropic":
            assert named.body == bare.body
        else:
            assert named.model.startswith("gpt-")


def test_the_target_model_may_be_named_with_its_provider() -> None:
    made = specado.translate(OPENAI, "anthropic", model="anthropic/claude-opus-4-5")

    assert made.model == "claude-opus-4-5"


def test_thinking_goes_back_to_a_model_that_is_named_with_its_provider() -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": "s"}
    said = {"role": "assistant", "content": [thought, {"type": "text", "text": "a"}]}
    turns = [{"role": "user", "content": "q"}, said, {"role": "user", "content": "r"}]
    request = {"model": "anthropic/claude-opus-4-5", "max_tokens": 9, "messages": turns}

    made = specado.translate(request, "anthropic", source="anthropic")

    assert body_of(made) == {**request, "model": "claude-opus-4-5"}
    assert made.report.items == []


def test_a_server_of_your_own_may_have_models_with_slashes() -> None:
    register_manifest({"name": "mine", "base_url": "https://mine.example/v1"})
    request = {**OPENAI, "model": "anthropic/claude-opus-4-5"}

    assert specado.translate(request, "mine", source="mine").model == "anthropic/claude-opus-4-5"


def test_a_target_that_is_no_text_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="to is 5; allowed: a provider's name"):
        specado.translate(OPENAI, 5)  # type: ignore[arg-type]


@pytest.mark.parametrize("mark", ["\ufeff", b"\xef\xbb\xbf"])
def test_a_byte_order_mark_is_passed_over(mark: Any) -> None:
    text: Any = json.dumps(OPENAI)
    text = mark + (text if isinstance(mark, str) else text.encode())

    assert specado.translate(text, "openai").body == specado.translate(OPENAI, "openai").body


# One of several dialects

RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "status": "completed",
    "model": "gpt-5.6",
    "output": [
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Hi", "annotations": []}],
        }
    ],
    "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2},
}
COMPLETION = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-5.6",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
    ],
}


@pytest.mark.parametrize("body", [RESPONSE, COMPLETION], ids=["response", "completion"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "marked"])
def test_the_dialect_of_a_reply_is_recognised_by_its_members(body, mark):
    text = (mark + json.dumps(body)).encode()

    assert specado.parse_response(text, "openai").choices[0].message.content == "Hi"


def test_a_dialect_may_be_named():
    request = {"model": "gpt-5.6", "messages": [{"role": "user", "content": "Hello"}]}

    usual = specado.translate(request, "openai")
    other = specado.translate(request, "openai", dialect="openai_responses")
    reply = specado.parse_response(RESPONSE, "openai", dialect="openai_responses")
    error = specado.parse_error(
        404, {}, {"error": {"message": "x"}}, "openai", dialect="openai_chat"
    )

    assert (usual.dialect, usual.url) == (
        "openai_chat",
        "https://api.openai.com/v1/chat/completions",
    )
    assert (other.dialect, other.url) == (
        "openai_responses",
        "https://api.openai.com/v1/responses",
    )
    assert reply.choices[0].message.content == "Hi"
    assert isinstance(error, specado.ModelNotFoundError)


def test_a_dialect_that_the_provider_does_not_speak_is_an_error():
    with pytest.raises(specado.ConfigurationError) as caught:
        specado.parse_response(RESPONSE, "openai", dialect="openai_response")

    assert str(caught.value) == (
        "Configuration error: dialect: 'openai_response' is not a dialect of 'openai'; it speaks: "
        "openai_chat, openai_responses; did you mean 'openai_responses'?"
    )
