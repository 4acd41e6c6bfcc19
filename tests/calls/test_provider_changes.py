"""Conversations that change the provider after every turn, against the strict simulator."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest

import specado
from specado import Message
from specado.simulator.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from specado.simulator.server import Server

CHAT, RESPONSES, MESSAGES, GEMINI = (
    "openai_chat",
    "openai_responses",
    "anthropic_messages",
    "gemini",
)
# Each reasons, and calls tools while it does. Chat completions do not show the reasoning.
MODELS = {
    CHAT: "openai/gpt-5",
    RESPONSES: "openai/gpt-5.6",
    MESSAGES: "anthropic/claude-opus-4-8",
    GEMINI: "gemini/gemini-3.8-flash",
}
ORDERS = list(itertools.permutations(MODELS, 3))
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"name": "get_weather", "description": "The weather in a city", "parameters": CITY}
TOOLS = [{"type": "function", "function": WEATHER}]
TURNS = 8


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as found:
        yield found


def clients(server: Server) -> dict[str, specado.Client]:
    """Return a client for each dialect; the server takes OpenAI's two at one address."""
    addresses = {
        "openai": server.openai_base_url,
        "anthropic": server.anthropic_base_url,
        "gemini": server.gemini_base_url,
    }
    found = {}
    for dialect, model in MODELS.items():
        name = model.partition("/")[0]
        own: dict[str, Any] = {"api_key": "any-key", "base_url": addresses[name]}
        if name == "openai":
            own["dialects"] = [dialect]
        config = {"simulate": False, "max_retries": 0, "primary_provider": name}
        found[dialect] = specado.Client({**config, "providers": {name: own}})
    return found


def ask(client: specado.Client, dialect: str, messages: list[Message], way: str) -> Any:
    given: dict[str, Any] = {"tools": TOOLS, "reasoning_effort": "low"}
    sent: list[Any] = messages
    if way == "stored":
        sent = json.loads(json.dumps([each.to_dict(native=True) for each in messages]))
    if way != "stream":
        return client.chat.completions.create(MODELS[dialect], sent, **given)
    with client.chat.completions.create(MODELS[dialect], sent, stream=True, **given) as stream:
        list(stream)
    return stream.response()


@pytest.mark.parametrize("way", ["whole", "stream", "stored"])
@pytest.mark.parametrize("order", ORDERS, ids=["-".join(order) for order in ORDERS])
def test_a_conversation_goes_on_with_another_provider_after_every_turn(
    order: tuple[str, ...], way: str, server: Server
) -> None:
    asked = clients(server)
    messages: list[Message] = []
    authors: dict[int, str] = {}  # of the answers, by their place

    for turn in range(TURNS):
        dialect = order[turn % len(order)]
        if not messages or messages[-1].role != "tool":
            messages.append(Message("user", f"What is the weather in city {turn}?"))
        reply = ask(asked[dialect], dialect, messages, way)  # under "warn": no contract is lost

        message = reply.choices[0].message
        is_call = turn % 2 == 0
        assert reply.extensions.metadata["dialect"] == dialect
        assert reply.choices[0].finish_reason == ("tool_calls" if is_call else "stop")
        assert (message.content == "The tool answered: sunny") is not is_call
        check_losses(reply, dialect, messages, authors)
        authors[len(messages)] = dialect
        messages.append(message)
        messages += [
            Message("tool", "sunny", tool_call_id=call.id) for call in message.tool_calls or ()
        ]

    assert len(authors) == TURNS


def check_losses(
    reply: Any, dialect: str, messages: list[Message], authors: dict[int, str]
) -> None:
    """Check that the only losses are the reasoning of other providers' answers."""
    report = reply.extensions.metadata.get("lossiness")
    lossy = [item for item in report.items if item.severity != "None"] if report else []
    answers = {place for place, author in authors.items() if shows_reasoning(author)}
    foreign = {place for place in answers if authors[place] != dialect}

    lost = {
        int(item.path.split("[")[1].split("]")[0]) for item in lossy if ".reasoning" in item.path
    }
    assert lost == foreign
    # Gemini wants a signature beside the call that the last message answers.
    call = len(messages) - 2
    wanted = dialect == GEMINI and messages[-1].role == "tool" and authors[call] != GEMINI
    stood_in = [item.path for item in lossy if ".tool_calls" in item.path]
    assert stood_in == ([f"messages[{call}].tool_calls[0]"] if wanted else [])
    assert {item.kind for item in lossy} <= {"tuning"}


def shows_reasoning(dialect: str) -> bool:
    return dialect != CHAT


@pytest.mark.parametrize("dialect", [RESPONSES, MESSAGES, GEMINI])
def test_an_answer_goes_back_unchanged_to_its_own_provider(dialect: str, server: Server) -> None:
    asked = clients(server)
    messages = [Message("user", "What is the weather in Rome?")]
    first = ask(asked[dialect], dialect, messages, "whole").choices[0].message
    result = Message("tool", "sunny", tool_call_id=first.tool_calls[0].id)
    between = ask(asked[CHAT], CHAT, [*messages, first, result], "whole").choices[0].message
    messages = [*messages, first, result, between, Message("user", "And is that usual?")]

    plan = asked[dialect].chat.completions.plan(
        MODELS[dialect], messages, tools=TOOLS, reasoning_effort="low"
    )
    reply = ask(asked[dialect], dialect, messages, "whole")

    (candidate,) = plan
    assert candidate.losses is None or "messages[1]" not in str(candidate.losses)
    assert reply.choices[0].message.content.startswith("Simulated reply")


@pytest.mark.parametrize("way", ["whole", "stream", "stored"])
def test_encrypted_reasoning_of_another_key_is_left_out_once(way: str, server: Server) -> None:
    before = clients(server)[RESPONSES]
    after = before.with_options(
        providers={"openai": {"api_key": "another-key", "base_url": server.openai_base_url}}
    )
    messages = [Message("user", "What is the weather in Rome?")]
    first = ask(before, RESPONSES, messages, way).choices[0].message
    result = Message("tool", "sunny", tool_call_id=first.tool_calls[0].id)

    reply = ask(after, RESPONSES, [*messages, first, result], way)

    assert reply.choices[0].message.content == "The tool answered: sunny"
    assert reply.extensions.attempts == 2
    (note,) = reply.extensions.metadata["reply_notes"]
    assert note.startswith("reasoning: the provider refused a signature")
    items = reply.extensions.metadata["lossiness"].items
    assert ("messages[1]", "Low") in [(item.path, item.severity) for item in items]


@pytest.mark.parametrize("way", ["whole", "stream", "stored"])
@pytest.mark.parametrize(("here", "there"), [("gemini", "vertex"), ("vertex", "gemini")])
def test_a_conversation_moves_between_ai_studio_and_vertex(
    here: str, there: str, way: str, server: Server
) -> None:
    own = {"base_url": server.gemini_base_url}
    providers: dict[str, Any] = {
        "gemini": {**own, "api_key": "any-key"},
        "vertex": {**own, "credentials": "a-token", "project": "my-project"},
    }
    given: dict[str, Any] = {"tools": TOOLS, "reasoning_effort": "low"}

    def asked(name: str, messages: list[Message]) -> Any:
        config = {"simulate": False, "max_retries": 0, "primary_provider": name}
        client = specado.Client({**config, "providers": providers})
        sent: list[Any] = messages
        if way == "stored":
            sent = [each.to_dict(native=True) for each in messages]
        model = f"{name}/gemini-3.8-flash"
        if way != "stream":
            return client.chat.completions.create(model, sent, **given)
        with client.chat.completions.create(model, sent, stream=True, **given) as stream:
            list(stream)
        return stream.response()

    messages = [Message("user", "What is the weather in Rome?")]
    first = asked(here, messages).choices[0].message
    messages += [first, Message("tool", "sunny", tool_call_id=first.tool_calls[0].id)]
    at_home, elsewhere = asked(here, messages), asked(there, messages)

    for reply in (at_home, elsewhere):
        assert reply.choices[0].message.content == "The tool answered: sunny"
        assert reply.extensions.attempts == 1
    paths = [item.path for item in elsewhere.extensions.metadata["lossiness"].items]
    assert "messages[1].tool_calls[0]" in paths
    home_losses = at_home.extensions.metadata.get("lossiness")
    assert home_losses is None or "messages[1]" not in str(home_losses)
