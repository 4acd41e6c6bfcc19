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

CHAT, RESPONSES, MESSAGES, GEMINI, BEDROCK = (
    "openai_chat",
    "openai_responses",
    "anthropic_messages",
    "gemini",
    "bedrock_converse",
)
CLAUDE_ON_BEDROCK = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
CLAUDE_IN_EUROPE = CLAUDE_ON_BEDROCK.replace("us.", "eu.")
# Each reasons, and calls tools while it does. Chat completions do not show the reasoning.
MODELS = {
    CHAT: "openai/gpt-5",
    RESPONSES: "openai/gpt-5.6",
    MESSAGES: "anthropic/claude-opus-4-8",
    GEMINI: "gemini/gemini-3.8-flash",
    BEDROCK: f"bedrock/{CLAUDE_ON_BEDROCK}",
}
# In every run: all orders without Bedrock, and some with it.
OFTEN = [
    *itertools.permutations([CHAT, RESPONSES, MESSAGES, GEMINI], 3),
    (BEDROCK, CHAT, MESSAGES),
    (BEDROCK, RESPONSES, GEMINI),
    (MESSAGES, BEDROCK, RESPONSES),
    (GEMINI, BEDROCK, CHAT),
]
ORDERS = [
    pytest.param(order, id="-".join(order), marks=() if order in OFTEN else pytest.mark.heavy)
    for order in [*itertools.permutations(MODELS, 3), *itertools.permutations(MODELS)]
]
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
        "bedrock": server.bedrock_base_url,
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
@pytest.mark.parametrize("order", ORDERS)
def test_a_conversation_goes_on_with_another_provider_after_every_turn(
    order: tuple[str, ...], way: str, server: Server
) -> None:
    asked = clients(server)
    messages: list[Message] = []
    authors: dict[int, str] = {}  # of the answers that show their reasoning, by their place
    count = 0

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
        count += 1
        if shows_reasoning(dialect, message):
            authors[len(messages)] = dialect
        messages.append(message)
        messages += [
            Message("tool", "sunny", tool_call_id=call.id) for call in message.tool_calls or ()
        ]

    assert count == TURNS


def check_losses(
    reply: Any, dialect: str, messages: list[Message], authors: dict[int, str]
) -> None:
    """Check that the only losses are the reasoning of other providers' answers."""
    report = reply.extensions.metadata.get("lossiness")
    lossy = [item for item in report.items if item.severity != "None"] if report else []
    foreign = {place for place, author in authors.items() if author != dialect}

    lost = {
        int(item.path.split("[")[1].split("]")[0]) for item in lossy if ".reasoning" in item.path
    }
    assert lost == foreign
    # Gemini wants a signature beside the call that the last message answers.
    call = len(messages) - 2
    wanted = dialect == GEMINI and messages[-1].role == "tool" and authors.get(call) != GEMINI
    stood_in = [item.path for item in lossy if ".tool_calls" in item.path]
    assert stood_in == ([f"messages[{call}].tool_calls[0]"] if wanted else [])
    assert {item.kind for item in lossy} <= {"tuning"}


def shows_reasoning(dialect: str, message: Message) -> bool:
    """Return whether an answer shows its reasoning; on Bedrock Claude continues none without."""
    if dialect == BEDROCK:
        return message.reasoning is not None
    return dialect != CHAT


@pytest.mark.parametrize("dialect", [RESPONSES, MESSAGES, GEMINI, BEDROCK])
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
def test_claude_goes_on_with_its_reasoning_in_another_region_of_bedrock(
    way: str, server: Server
) -> None:
    client = clients(server)[BEDROCK]
    messages = [Message("user", "What is the weather in Rome?")]
    first = ask(client, BEDROCK, messages, way).choices[0].message
    messages += [first, Message("tool", "sunny", tool_call_id=first.tool_calls[0].id)]

    given: dict[str, Any] = {"tools": TOOLS, "reasoning_effort": "low"}
    reply = client.chat.completions.create(f"bedrock/{CLAUDE_IN_EUROPE}", messages, **given)

    assert first.reasoning_details[0].signature
    assert reply.choices[0].message.content == "The tool answered: sunny"
    assert reply.choices[0].message.reasoning  # an answer that began with it may go on so
    assert "lossiness" not in reply.extensions.metadata


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
