"""Choice of the dialect for a provider that lists two."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

import specado
from specado import register_manifest
from specado.catalog import lookup as catalog
from specado.cli import main
from specado.dialects.registry import DIALECTS
from specado.errors import (
    ConfigurationError,
    LossyTranslationError,
    MessageFormatError,
    RateLimitError,
)
from specado.simulator.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from specado.simulator.server import Server

CHAT, MESSAGES = "openai_chat", "anthropic_messages"
PATHS = {CHAT: "/v1/chat/completions", MESSAGES: "/v1/messages"}
WAYS = ("sync", "sync stream", "async", "async stream")
KEY = {"api_key": "any-key"}
HELLO = [{"role": "user", "content": "Hello"}]
FREE_TEXT_TOOL = {"type": "custom", "custom": {"name": "note"}}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as found:
        yield found


@pytest.fixture
def bodies(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The dialects of all bodies that are written from now on."""
    written: list[str] = []

    def counting(name: str, encode: Any) -> Any:
        def encode_and_count(*args: Any) -> Any:
            written.append(name)
            return encode(*args)

        return encode_and_count

    for name, dialect in DIALECTS.items():
        counted = msgspec.structs.replace(
            dialect, encode_request=counting(name, dialect.encode_request)
        )
        monkeypatch.setitem(DIALECTS.loaded, name, counted)
    return written


def speak(url: str, *names: str, name: str = "both", **more: Any) -> None:
    """Register a provider at *url* that speaks the named dialects, in that order."""
    manifest = {
        "name": name,
        "base_url": url,
        "dialects": [{"name": each, "path": PATHS[each]} for each in names],
        "authentication": {"kind": "none", "headers": {"anthropic-version": "2023-06-01"}},
        "models": {"m": {}},
        **more,
    }
    register_manifest(manifest)


def finish(way: str, model: str = "both/m", config: Any = None, **given: Any) -> Any:
    """Make a call in one of four ways, to its end; return its text and its extensions."""
    keys = {name: KEY for name in ("both", "more") if catalog.is_registered(name)}
    settings = {"simulate": False, "max_retries": 0, "providers": keys, **(config or {})}
    client = specado.Client(settings)
    given = {"messages": "Hello", "max_tokens": 50, "stream": way.endswith("stream"), **given}

    async def in_the_loop() -> Any:
        found = await client.chat.completions.create_async(model, **given)
        if given["stream"]:
            [_ async for _ in found]
            found = found.response()
        return found

    if way.startswith("async"):
        found = asyncio.run(in_the_loop())
    else:
        found = client.chat.completions.create(model, **given)
        if given["stream"]:
            list(found)
            found = found.response()
    return found.choices[0].message.content, found.extensions


def planned(**given: Any) -> list[specado.PlannedCandidate]:
    client = specado.Client(given.pop("config", None))
    return client.chat.completions.plan(
        given.pop("model", "both/m"), given.pop("messages", "Hello"), **given
    )


def dialect_of(**given: Any) -> str | None:
    return planned(**given)[0].dialect


# The choice


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("order", "given", "expected"),
    [
        ((CHAT, MESSAGES), {}, CHAT),
        ((MESSAGES, CHAT), {}, MESSAGES),
        ((CHAT, MESSAGES), {"extra_body": {"top_k": 5}}, MESSAGES),
        ((MESSAGES, CHAT), {"extra_body": {"seed": 5}}, CHAT),
        ((MESSAGES, CHAT), {"seed": 5}, CHAT),
        ((MESSAGES, CHAT), {"tools": [FREE_TEXT_TOOL]}, CHAT),
    ],
    ids=["chat first", "messages first", "member", "other member", "parameter", "contract loss"],
)
def test_the_request_goes_in_the_dialect_that_is_for_it(
    way: str, order: Any, given: Any, expected: str, server: Server
) -> None:
    speak(server.url, *order)

    text, extensions = finish(way, **given)

    assert extensions.metadata["dialect"] == expected
    assert extensions.provider_used == "both"
    assert text == "Simulated reply to: Hello" or "tools" in given


def test_a_member_of_the_body_counts_before_a_parameter() -> None:
    speak("https://both.example", CHAT, MESSAGES)

    assert dialect_of(seed=5, extra_body={"top_k": 5}, strictness="coerce") == MESSAGES


@pytest.mark.parametrize(
    "extra_body",
    [
        {"temperature": 0.5},  # known to both
        {"no_such_member": 1},  # known to none
        {"top_k": 5, "logprobs": True},  # each known to another one
    ],
)
def test_members_that_do_not_decide_leave_the_first(extra_body: Any) -> None:
    speak("https://both.example", MESSAGES, CHAT)

    assert dialect_of(extra_body=extra_body) == MESSAGES


def test_a_member_selects_for_the_first_candidate_alone() -> None:
    speak("https://both.example", CHAT, MESSAGES)
    speak("https://more.example", CHAT, MESSAGES, name="more")

    first, second = planned(extra_body={"top_k": 5}, fallback_models=["more/m"])

    assert (first.dialect, second.dialect) == (MESSAGES, CHAT)


def test_a_parameter_selects_for_each() -> None:
    speak("https://both.example", MESSAGES, CHAT)
    speak("https://more.example", MESSAGES, CHAT, name="more")

    assert [each.dialect for each in planned(seed=1, fallback_models=["more/m"])] == [CHAT, CHAT]


def test_a_tuning_loss_does_not_move_a_request() -> None:
    speak("https://both.example", MESSAGES, CHAT)
    speaker = {"role": "user", "content": "Hello", "name": "Ann"}

    (found,) = planned(messages=[speaker])

    assert found.dialect == MESSAGES
    assert found.losses is not None
    assert "messages[0].name" in [item.path for item in found.losses.items]


def test_where_each_has_a_contract_loss_the_least_one_counts() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    models = {"blind": {"capabilities": {"modalities": {"input": ["Text"], "output": ["Text"]}}}}
    speak("https://both.example", MESSAGES, CHAT, models=models)
    messages = [{"role": "user", "content": [{"type": "text", "text": "What?"}, image]}]

    (both,) = planned(model="both/blind", messages=messages)
    (less,) = planned(model="both/blind", messages=messages, tools=[FREE_TEXT_TOOL])

    assert (both.dialect, both.eligible) == (MESSAGES, False)
    assert (less.dialect, less.eligible) == (CHAT, False)


def test_a_request_that_the_first_cannot_express_goes_in_the_next() -> None:
    unnamed = {"type": "function", "function": {"name": 5}}
    speak("https://both.example", MESSAGES, CHAT)
    speak("https://one.example", MESSAGES, name="one")

    assert dialect_of(tools=[unnamed]) == CHAT
    with pytest.raises(MessageFormatError, match="must be a dict with a name"):
        planned(model="one/m", tools=[unnamed])


# One body a call


@pytest.mark.parametrize(
    ("order", "given", "expected"),
    [
        ((CHAT,), {"tools": [FREE_TEXT_TOOL]}, [CHAT]),
        ((CHAT, MESSAGES), {}, [CHAT]),
        ((MESSAGES, CHAT), {}, [MESSAGES]),
        ((MESSAGES, CHAT), {"seed": 1}, [CHAT]),
        ((MESSAGES, CHAT), {"extra_body": {"seed": 1}}, [CHAT]),
        ((CHAT, MESSAGES), {"tools": [FREE_TEXT_TOOL]}, [CHAT]),
        ((MESSAGES, CHAT), {"tools": [FREE_TEXT_TOOL]}, [MESSAGES, CHAT]),
    ],
)
def test_the_next_dialect_is_written_only_after_a_contract_loss(
    order: Any, given: Any, expected: list[str], server: Server, bodies: list[str]
) -> None:
    speak(server.url, *order)

    finish("sync", **given)

    assert bodies == expected


# Strictness


def test_strict_refuses_a_loss_of_the_dialect_that_was_chosen() -> None:
    speak("https://both.example", CHAT, MESSAGES)
    client = specado.Client({"simulate": False})
    ask = {"model": "both/m", "messages": "Hello", "strictness": "strict"}

    with pytest.raises(LossyTranslationError, match="seed"):
        client.chat.completions.create(**ask, seed=1, extra_body={"top_k": 1})


@pytest.mark.parametrize("way", WAYS)
def test_strict_takes_the_dialect_without_the_loss(way: str, server: Server) -> None:
    speak(server.url, MESSAGES, CHAT)

    _, extensions = finish(way, seed=1, strictness="strict")

    assert extensions.metadata["dialect"] == CHAT
    assert "lossiness" not in extensions.metadata


# Fallback


@pytest.mark.parametrize("way", WAYS)
def test_a_fallback_is_written_in_its_own_dialect(way: str, server: Server) -> None:
    speak(server.url, CHAT, MESSAGES)
    speak(server.url, MESSAGES, CHAT, name="more")

    _, extensions = finish(way, "both/rate-limit-test-model", fallback_models=["more/m"])

    assert extensions.metadata["fallback_index"] == 0
    assert extensions.metadata["dialect"] == MESSAGES


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("first", [CHAT, MESSAGES])
def test_an_error_is_read_as_the_dialect_writes_it(way: str, first: str, server: Server) -> None:
    other = MESSAGES if first == CHAT else CHAT
    speak(server.url, first, other)

    with pytest.raises(RateLimitError) as caught:
        finish(way, "both/rate-limit-test-model")

    assert caught.value.status_code == 429
    assert caught.value.request_id


def test_a_hint_names_the_path_of_the_dialect(server: Server) -> None:
    speak(f"{server.url}/nowhere", CHAT, MESSAGES)

    with pytest.raises(specado.ProviderError, match="check base_url: /v1/messages is added to it"):
        finish("sync", "both/unlisted-1", extra_body={"top_k": 5})


# What narrows the choice

NARROWED = {"chatty": {"dialects": [CHAT]}, "both": {}, "m": {}}


def test_a_model_narrows_its_dialects(server: Server) -> None:
    speak(server.url, MESSAGES, CHAT, models=NARROWED)

    assert dialect_of(model="both/chatty") == CHAT
    assert dialect_of(model="both/chatty", extra_body={"top_k": 1}) == CHAT
    assert dialect_of(model="both/both") == MESSAGES
    assert finish("sync", "both/chatty")[1].metadata["dialect"] == CHAT


def test_the_model_of_an_unnamed_fallback_narrows_too() -> None:
    priced = {"general": True, "pricing": {"input": 1, "output": 1}}
    models = {"chatty": {"dialects": [CHAT], **priced}}
    speak("https://both.example", MESSAGES, CHAT, models=models)

    *_, last = planned(
        model="gpt-4o", config={"fallback_provider": "both", "providers": {"openai": KEY}}
    )

    assert (last.provider, last.model, last.dialect) == ("both", "chatty", CHAT)


def own(url: str, **more: Any) -> dict[str, Any]:
    return {"providers": {"both": {"base_url": url, **KEY, **more}}}


def test_an_address_of_its_own_speaks_only_the_first(server: Server) -> None:
    speak("https://both.example", CHAT, MESSAGES, models=NARROWED)
    config = own(server.url)

    assert dialect_of(config=config, extra_body={"top_k": 1}) == CHAT
    assert finish("sync", config=config)[1].metadata["dialect"] == CHAT


def test_unless_the_setting_says_otherwise(server: Server) -> None:
    speak("https://both.example", CHAT, MESSAGES, models=NARROWED)
    both, other = own(server.url, dialects=[MESSAGES, CHAT]), own(server.url, dialects=[MESSAGES])

    assert dialect_of(config=both) == MESSAGES
    assert dialect_of(config=both, seed=1) == CHAT
    assert dialect_of(config=both, model="both/chatty") == CHAT
    assert dialect_of(config=other, seed=1) == MESSAGES
    assert dialect_of(config=other, model="both/chatty") == MESSAGES
    assert finish("sync stream", config=other)[1].metadata["dialect"] == MESSAGES


def test_the_setting_holds_at_the_usual_address_too() -> None:
    speak("https://both.example", CHAT, MESSAGES)
    config = {"providers": {"both": {**KEY, "dialects": [MESSAGES]}}}

    assert dialect_of(config=config) == MESSAGES
    client = specado.Client(config)
    assert json.loads(client.get_config("providers") or "")["both"]["dialects"] == [MESSAGES]
    changed = client.with_options(providers={"both": {"dialects": None}})
    assert changed.chat.completions.plan("both/m", "Hello")[0].dialect == CHAT


@pytest.mark.parametrize(
    ("dialects", "message"),
    [
        (["openai_chatt"], "'openai_chatt' is not a dialect of 'both'.*did you mean 'openai_chat'"),
        (["soap"], "'soap' is not a dialect of 'both'; it speaks: openai_chat, anthropic_messages"),
        ([], "at least one dialect name"),
        (CHAT, "a list of dialect names"),
        ([5], r"dialects'\]\[0\]"),
    ],
)
def test_a_wrong_setting_is_refused_when_the_client_is_made(dialects: Any, message: str) -> None:
    speak("https://both.example", CHAT, MESSAGES)

    with pytest.raises(ConfigurationError, match=message):
        specado.Client({"providers": {"both": {"dialects": dialects}}})


# What is shown


def test_a_plan_names_the_dialect_of_each_candidate() -> None:
    found = planned(
        model="gpt-4o",
        config={"providers": {"openai": KEY, "anthropic": KEY}},
        fallback_models=["claude-opus-4-5"],
    )

    assert [each.dialect for each in found] == [CHAT, MESSAGES]


def test_a_conversation_keeps_the_dialect_of_what_was_said() -> None:
    speak("https://both.example", CHAT, MESSAGES)
    blocks = [
        {"type": "thinking", "thinking": "a", "signature": "s"},
        {"type": "text", "text": "x"},
    ]
    body = {"id": "a", "model": "m", "content": blocks, "stop_reason": "end_turn", "usage": {}}
    said = specado.parse_response(body, "anthropic").choices[0].message

    (first,) = planned(messages=[*HELLO, said, *HELLO])
    (with_loss,) = planned(messages=[*HELLO, said, *HELLO], tools=[FREE_TEXT_TOOL])

    assert first.dialect == MESSAGES
    assert with_loss.dialect == CHAT


@pytest.mark.parametrize(("first", "other"), [(CHAT, MESSAGES), (MESSAGES, CHAT)])
def test_a_translation_is_for_the_path_of_its_dialect(first: str, other: str) -> None:
    speak("https://both.example", first, other)

    found = specado.translate({"model": "m", "messages": HELLO, "max_tokens": 9}, "both/m")

    assert found.dialect == first
    assert found.url == f"https://both.example{PATHS[first]}"


def test_the_command_line_says_in_which_dialect_but_the_usual_it_was_answered(
    capsys: pytest.CaptureFixture[str],
) -> None:
    speak("https://both.example", CHAT, MESSAGES, models={"m": {"dialects": [MESSAGES]}, "n": {}})
    asked = ["chat", "--simulate", "--max-tokens", "9", "Hello", "--model"]

    assert main([*asked, "both/m"]) == 0
    other = capsys.readouterr().err
    assert main([*asked, "both/n"]) == 0
    usual = capsys.readouterr().err

    assert "answered by both/m in anthropic_messages, no fallback" in other
    assert "answered by both/n, no fallback" in usual


# Paths


def test_a_stream_may_have_a_path_of_its_own() -> None:
    dialects = [{"name": CHAT, "path": "/m/{model}/whole", "stream_path": "/m/{model}/stream"}]
    register_manifest({"name": "both", "base_url": "https://x.example", "dialects": dialects})
    request = {"model": "a b", "messages": HELLO}

    whole = specado.translate(request, "both", model="a b")
    streamed = specado.translate({**request, "stream": True}, "both", model="a b")

    assert whole.url == "https://x.example/m/a%20b/whole"
    assert streamed.url == "https://x.example/m/a%20b/stream"


@pytest.mark.parametrize(
    ("name", "path"), [(CHAT, "/chat/completions"), (MESSAGES, "/v1/messages")]
)
def test_without_a_path_the_usual_one_of_the_dialect_holds(name: str, path: str) -> None:
    register_manifest({"name": "x", "base_url": "https://x.example", "dialects": [{"name": name}]})

    found = specado.translate({"model": "m", "messages": HELLO, "max_tokens": 9}, "x/m")

    assert found.url == f"https://x.example{path}"


# Streams


def test_the_end_and_the_usage_of_streams_belong_to_the_dialect() -> None:
    dialects = [
        {"name": CHAT, "stream_usage": False, "stream_end": "finish_reason"},
        {"name": MESSAGES},
    ]
    register_manifest({"name": "both", "base_url": "https://x.example", "dialects": dialects})

    found = catalog.provider("both")

    assert found is not None
    assert [each.stream_usage for each in found.dialects] == [False, True]
    assert [each.stream_end for each in found.dialects] == ["finish_reason", None]


# Manifests


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dialects": []}, "dialects must be a list of at least one dialect"),
        ({"dialects": CHAT}, "dialects must be a list of at least one dialect"),
        ({"dialects": [CHAT]}, r"dialects\[0\] is not right: expected `object`, got `str`"),
        ({"dialects": [{}]}, r"dialects\[0\] is not right.*name"),
        ({"dialects": [{"name": "soap"}]}, "dialect 'soap' is not known; known: openai_chat"),
        (
            {"dialects": [{"name": CHAT}, {"name": "anthropic_message"}]},
            r"dialects\[1\].name .* is not known.*did you mean 'anthropic_messages'",
        ),
        ({"dialects": [{"name": CHAT}, {"name": CHAT}]}, r"dialects\[1\].name .* is listed twice"),
        ({"dialects": [{"name": CHAT, "paths": "/x"}]}, r"dialects\[0\] is not right.*paths"),
        ({"dialects": [{"name": CHAT, "path": "x"}]}, r"dialects\[0\].path 'x' must be a path"),
        (
            {"dialects": [{"name": CHAT, "stream_path": "/{id}"}]},
            r"dialects\[0\].stream_path .* no placeholder but {model}",
        ),
        ({"dialects": [{"name": CHAT, "stream_end": "soon"}]}, r"dialects\[0\].stream_end"),
        ({"dialects": [{"name": CHAT, "stream_usage": 1}]}, r"dialects\[0\].stream_usage"),
        (
            {"dialects": [{"name": CHAT}], "dialect": CHAT},
            r"dialect is given in addition to dialects",
        ),
        (
            {"dialects": [{"name": CHAT}], "stream_usage": False},
            r"stream_usage is given in addition to dialects: use dialects\[\].stream_usage",
        ),
        (
            {"dialects": [{"name": CHAT}], "endpoints": {"chat": "/x"}},
            r"endpoints.chat is given in addition to dialects: use dialects\[\].path",
        ),
        (
            {"models": {"m": {"dialects": [MESSAGES]}}},
            "models.m.dialects 'anthropic_messages' is not a dialect of the provider; it speaks:",
        ),
        ({"models": {"m": {"dialects": []}}}, "models.m.dialects is empty"),
        ({"models": {"m": {"dialects": CHAT}}}, "models.m.dialects is not right"),
    ],
)
def test_a_wrong_manifest_is_refused_at_its_path(change: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        register_manifest({"name": "x", "base_url": "https://x.example", **change})


def test_the_dialects_come_back_as_given() -> None:
    speak("https://both.example", CHAT, MESSAGES, models=NARROWED)

    found = specado.get_manifest("both")

    assert found["dialects"] == [{"name": each, "path": PATHS[each]} for each in (CHAT, MESSAGES)]
    assert found["models"]["chatty"]["dialects"] == [CHAT]


@pytest.mark.parametrize("name", ["anthropic", "openai"])
def test_the_dialects_of_shipped_manifests_are_known(name: str) -> None:
    found = catalog.provider(name)

    assert found is not None
    assert {each.name for each in found.dialects} <= DIALECTS.keys()


def test_a_translation_keeps_the_dialect_of_its_request_where_the_provider_speaks_it() -> None:
    speak("https://both.example", CHAT, MESSAGES)
    request = {"model": "m", "messages": HELLO, "max_tokens": 9, "top_k": 3}

    found = specado.translate(request, "both/m", source="anthropic")

    assert (found.dialect, found.report.items) == (MESSAGES, [])
    assert json.loads(found.body)["top_k"] == 3
