"""Search results in Anthropic requests, seen as the text that OpenAI gets."""

from __future__ import annotations

import json
from typing import Any

import pytest

import specado
from anthropic_core import read_anthropic_request
from specado.errors import MessageFormatError

TEXTS = [{"type": "text", "text": "It rains."}, {"type": "text", "text": "A lot.\n"}]
FOUND = {
    "type": "search_result",
    "title": "Rain",
    "source": "https://example.org",
    "content": TEXTS,
}
SAID = "Rain\nhttps://example.org\n\nIt rains.\nA lot.\n"
CACHE = {"type": "ephemeral"}
USE = {"type": "tool_use", "id": "t1", "name": "f", "input": {}}
Losses = list[tuple[str, str, str, str]]


def request(*messages: Any) -> dict[str, Any]:
    return {"model": "claude-opus-4-6", "max_tokens": 4000, "messages": list(messages)}


def translated(*messages: Any) -> tuple[Any, Losses]:
    made = specado.translate(request(*messages), "openai/unheard-of", source="anthropic")
    losses = [(loss.code, loss.kind, loss.severity, loss.path) for loss in made.report.items]
    return json.loads(made.body)["messages"], losses


def relocated(path: str) -> tuple[str, str, str, str]:
    return ("Relocate", "tuning", "Low", path)


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def test_a_search_result_becomes_text_in_its_place() -> None:
    asked = {"type": "text", "text": "Will it?"}

    messages, losses = translated(user(FOUND, asked))

    assert messages == [{"role": "user", "content": [{"type": "text", "text": SAID}, asked]}]
    assert losses == [relocated("messages[0].content[0]")]


def test_a_search_result_without_text_is_its_title_and_source() -> None:
    messages, _ = translated(user({**FOUND, "content": []}))

    assert messages[0]["content"] == [{"type": "text", "text": "Rain\nhttps://example.org"}]


def test_search_results_of_a_tool_are_what_it_said() -> None:
    answer = {"type": "tool_result", "tool_use_id": "t1", "content": [FOUND]}
    both = {**answer, "content": [FOUND, {"type": "text", "text": "b"}], "is_error": True}
    start = (user({"type": "text", "text": "q"}), {"role": "assistant", "content": [USE]})
    path = "messages[2].content[0].content[0]"

    one, losses = translated(*start, user(answer))
    two, more = translated(*start, user(both))

    assert one[2] == {"role": "tool", "tool_call_id": "t1", "content": SAID}
    assert losses == [relocated(path)]
    assert two[2]["content"] == [
        {"type": "text", "text": f"Error: {SAID}"},
        {"type": "text", "text": "b"},
    ]
    assert more == [
        relocated(path),
        ("Relocate", "contract", "Medium", "messages[2].content[0].is_error"),
    ]


@pytest.mark.parametrize("role", ["assistant", "system"])
def test_search_results_of_other_turns_are_text_too(role: str) -> None:
    messages, losses = translated(user(FOUND), {"role": role, "content": [FOUND]})

    content = messages[1]["content"]
    assert content in (SAID, [{"type": "text", "text": SAID}])
    assert losses[1] == relocated("messages[1].content[0]")


@pytest.mark.parametrize(
    ("more", "losses"),
    [
        ({"citations": {"enabled": True}}, [("Drop", "contract", "Medium", "citations")]),
        ({"citations": {"enabled": False}}, []),
        ({"citations": None, "cache_control": None}, []),
        ({"cache_control": CACHE}, [("Drop", "tuning", "Low", "cache_control")]),
        ({"zz": 1}, [("Drop", "contract", "Medium", "zz")]),
        (
            {"content": [{**TEXTS[0], "cache_control": CACHE}]},
            [("Drop", "tuning", "Low", "content[0].cache_control")],
        ),
    ],
)
def test_what_a_search_result_has_besides_is_reported(more: Any, losses: Losses) -> None:
    _, found = translated(user({**FOUND, **more}))

    path = "messages[0].content[0]"
    expected = [(code, kind, severity, f"{path}.{at}") for code, kind, severity, at in losses]
    assert sorted(found) == sorted([*expected, relocated(path)])


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"title": None}, "title"),
        ({"title": 5}, "title"),
        ({"source": {}}, "source"),
        ({"content": None}, "content"),
        ({"content": "text"}, "content"),
        ({"content": ["text"]}, "content[0]"),
        ({"content": [{"type": "image"}]}, "content[0].type"),
        ({"content": [{"type": "text", "text": 5}]}, "content[0].text"),
        ({"citations": True}, "citations"),
    ],
)
def test_a_malformed_search_result_is_refused_by_its_place(more: Any, field: str) -> None:
    with pytest.raises(MessageFormatError) as caught:
        translated(user({**FOUND, **more}))

    assert (caught.value.index, caught.value.field) == (0, f"content[0].{field}")


def test_the_characters_of_a_search_result_are_counted_once() -> None:
    conversation, _, _, _ = read_anthropic_request(request(user(FOUND)))

    assert conversation.characters == len("Rainhttps://example.orgIt rains.A lot.\n")


def test_a_search_result_to_anthropic_stays_one() -> None:
    given = request(user(FOUND))

    made = specado.translate(given, "anthropic/claude-opus-5", source="anthropic")

    assert json.loads(made.body)["messages"] == given["messages"]
    assert made.report.items == []
