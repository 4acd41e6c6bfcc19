"""Where a provider takes a role or a medium, and the limits of a request as a whole."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

import specado
from example_inputs import USER
from specado.simulator import handle

NEW, OLD = "claude-opus-4-8", "claude-opus-4-5"
SAID = {"role": "assistant", "content": "a"}
RULE = {"role": "system", "content": "rule"}
CALLED = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {"id": made, "type": "function", "function": {"name": "look", "arguments": "{}"}}
        for made in ("c1", "c2")
    ],
}
PNG = "iVBORw0KGgo="
JPEG = "/9j/4AAQSkZJRg=="
GIF = "R0lGODlhAQABAA=="
WEBP = "UklGRiQAAABXRUJQVlA4IA=="
PDF = "JVBERi0xLjQK"


def result(made: str, content: Any = "r") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": made, "content": content}


def image(data: str, label: str = "image/png") -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": f"data:{label};base64,{data}"}}


def sent(to: str, messages: Any, **params: Any) -> tuple[dict[str, Any], specado.Translation]:
    request = {"model": "gpt-4.1", "messages": messages, **params}
    found = specado.translate(request, to)
    path = found.url.partition(".com")[2]
    reply = handle("POST", path, {"anthropic-version": "2023-06-01"}, found.body)
    assert reply.status == 200, reply.body
    return json.loads(found.body), found


def roles(to: str, *messages: Any) -> tuple[list[str], list[tuple[str, str]]]:
    body, found = sent(f"anthropic/{to}", list(messages))
    losses = [(i.severity, i.path) for i in found.report.items if "system" in i.message]
    return [turn["role"] for turn in body["messages"]], losses


@pytest.mark.parametrize(
    ("messages", "expected", "moved"),
    [
        ([USER, RULE], ["user", "system"], []),
        ([USER, RULE, SAID, USER], ["user", "system", "assistant", "user"], []),
        ([USER, RULE, USER], ["user", "system"], [1]),
        ([USER, SAID, RULE, USER], ["user", "assistant", "user", "system"], [2]),
        ([USER, RULE, RULE], ["user", "system"], []),
        (
            [USER, CALLED, RULE, result("c1"), result("c2")],
            ["user", "assistant", "user", "system"],
            [2],
        ),
        (
            [USER, CALLED, result("c1"), RULE, result("c2"), SAID, USER],
            ["user", "assistant", "user", "system", "assistant", "user"],
            [3],
        ),
        (
            [USER, CALLED, result("c1"), result("c2"), RULE],
            ["user", "assistant", "user", "system"],
            [],
        ),
    ],
)
def test_later_system_messages_stand_where_anthropic_takes_them(
    messages: Any, expected: list[str], moved: list[int]
) -> None:
    found, losses = roles(NEW, *messages)

    assert found == expected
    assert losses == [("Low", f"messages[{place}]") for place in moved]


def test_a_system_message_without_a_later_place_becomes_user_text() -> None:
    found, losses = roles(NEW, USER, SAID, RULE)

    assert found == ["user", "assistant", "user"]
    assert losses == [("Low", "messages[2].role")]


@pytest.mark.parametrize(
    "after", [[SAID, USER], [CALLED, result("c1"), result("c2")], [RULE, SAID, USER]]
)
def test_a_system_message_between_answers_stays_between_them(after: Any) -> None:
    messages = [USER, SAID, RULE]
    short, _ = sent(f"anthropic/{NEW}", messages)
    body, found = sent(f"anthropic/{NEW}", [*messages, *after])

    assert body["messages"][:2] == short["messages"][:2]
    assert [turn["role"] for turn in body["messages"]] == [
        *("user", "assistant", "user", "assistant", "user")
    ]
    places = [place for place, each in enumerate([*messages, *after]) if each is RULE]
    assert [(i.severity, i.path) for i in found.report.items if "system" in i.message] == [
        ("Low", f"messages[{place}].role") for place in places
    ]


def test_a_blank_message_behind_a_system_message_changes_no_turn_before_it() -> None:
    messages = [SAID, RULE, {"role": "system", "content": ""}]

    short, _ = sent(f"anthropic/{NEW}", [USER, *messages[:2]])
    long, _ = sent(f"anthropic/{NEW}", [USER, *messages])

    assert short["messages"][:2] == long["messages"][:2]
    assert [turn["role"] for turn in long["messages"]] == ["user", "assistant", "user"]


def test_an_older_model_gets_user_text_in_place() -> None:
    found, losses = roles(OLD, USER, SAID, RULE, USER)

    assert found == ["user", "assistant", "user"]
    assert losses == [("Low", "messages[2].role")]


def test_media_of_tool_results_move_to_a_user_message_after_them() -> None:
    text = {"type": "text", "text": "seen"}
    messages = [
        USER,
        CALLED,
        result("c1", [text, image(PNG)]),
        result("c2", [image(JPEG, "image/jpeg")]),
        SAID,
        USER,
    ]

    body, found = sent("openai/gpt-4.1", messages)

    assert body["messages"][2:5] == [
        result("c1", [text]),
        result("c2", ""),
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "From the result of the tool call c1 (look):"},
                image(PNG),
                {"type": "text", "text": "From the result of the tool call c2 (look):"},
                image(JPEG, "image/jpeg"),
            ],
        },
    ]
    assert body["messages"][5:] == [SAID, USER]
    assert [(item.severity, item.path) for item in found.report.items] == [
        ("Low", "messages[2].content[1]"),
        ("Low", "messages[3].content[0]"),
    ]


@pytest.mark.parametrize("role", ["system", "assistant"])
def test_media_of_other_roles_move_too(role: str) -> None:
    messages = [USER, {"role": role, "content": [{"type": "text", "text": "t"}, image(PNG)]}, USER]

    body, _ = sent("openai/gpt-4.1", messages)

    line = {"type": "text", "text": f"From the {role} message before:"}
    assert body["messages"][2] == {"role": "user", "content": [line, image(PNG)]}


def test_an_image_that_is_not_fetched_by_https_is_a_high_loss() -> None:
    part = {"type": "image_url", "image_url": {"url": "http://example.org/a.png"}}
    text = {"type": "text", "text": "t"}

    body, found = sent(f"anthropic/{OLD}", [{"role": "user", "content": [part, text]}])

    assert [block["type"] for block in body["messages"][0]["content"]] == ["text"]
    assert ("High", "messages[0].content[0]") in [(i.severity, i.path) for i in found.report.items]


@pytest.mark.parametrize(
    ("data", "actual"),
    [(PNG, "image/png"), (JPEG, "image/jpeg"), (GIF, "image/gif"), (WEBP, "image/webp")],
)
@pytest.mark.parametrize("label", ["image/png", "image/jpeg", "image/gif", "image/tiff"])
def test_an_image_has_the_media_type_of_its_bytes(data: str, actual: str, label: str) -> None:
    body, found = sent(f"anthropic/{OLD}", [{"role": "user", "content": [image(data, label)]}])

    assert body["messages"][0]["content"][0]["source"]["media_type"] == actual
    notes = [(i.severity, i.before, i.after) for i in found.report.items if i.path != "max_tokens"]
    assert notes == ([] if label == actual else [("None", label, actual)])


@pytest.mark.parametrize("label", ["text/plain", "application/octet-stream"])
def test_a_pdf_with_another_label_is_a_pdf(label: str) -> None:
    file = {"type": "file", "file": {"file_data": f"data:{label};base64,{PDF}"}}

    body, _ = sent(f"anthropic/{OLD}", [{"role": "user", "content": [file]}])

    source = body["messages"][0]["content"][0]["source"]
    assert source == {"type": "base64", "media_type": "application/pdf", "data": PDF}


@pytest.mark.parametrize("name", ["user", "safety_identifier"])
@pytest.mark.parametrize(
    ("to", "given", "is_hashed"),
    [
        (f"anthropic/{OLD}", "ann@example.org", True),
        (f"anthropic/{OLD}", "+49 (0)30 123 4567", True),
        (f"anthropic/{OLD}", "555-0100-22", True),
        (f"anthropic/{OLD}", "u" * 513, True),
        (f"anthropic/{OLD}", "u" * 512, False),
        (f"anthropic/{OLD}", "user-17", False),
        ("openai/gpt-4.1", "u" * 65, True),
        ("openai/gpt-4.1", "u" * 64, False),
        ("openai/gpt-4.1", "ann@example.org", False),
    ],
)
def test_an_end_user_whose_id_is_refused_is_hashed(
    name: str, to: str, given: str, is_hashed: bool
) -> None:
    body, found = sent(to, [USER], **{name: given})

    written = body["metadata"]["user_id"] if to.startswith("anthropic") else body[name]
    assert written == (hashlib.sha256(given.encode()).hexdigest() if is_hashed else given)
    losses = [(i.code, i.severity, i.path) for i in found.report.items if i.path != "max_tokens"]
    assert losses == ([("Relocate", "Low", name)] if is_hashed else [])


def strict(name: str, optional: int = 0, unions: int = 0) -> dict[str, Any]:
    plain = {f"p{place}": {"type": "string"} for place in range(optional)}
    either = {f"u{place}": {"type": ["string", "null"]} for place in range(unions)}
    schema = {
        "type": "object",
        "properties": {**plain, **either},
        "required": list(either),
        "additionalProperties": False,
    }
    return {"type": "function", "function": {"name": name, "strict": True, "parameters": schema}}


@pytest.mark.parametrize(
    ("tools", "expected"),
    [
        ([strict("f", 12), strict("g", 12)], [True, True]),
        ([strict("f", 13), strict("g", 13)], [True, False]),
        ([strict("f", 13), strict("g", 13), strict("h", 11)], [True, False, True]),
        ([strict("f", 0, 8), strict("g", 0, 8)], [True, True]),
        ([strict("f", 0, 9), strict("g", 0, 8)], [True, False]),
        ([strict(f"f{place}") for place in range(22)], [True] * 20 + [False] * 2),
    ],
)
def test_strict_schemas_are_counted_for_the_request(tools: Any, expected: list[bool]) -> None:
    body, found = sent(f"anthropic/{OLD}", [USER], tools=tools)

    assert [tool["strict"] for tool in body["tools"]] == expected
    lost = [place for place, is_strict in enumerate(expected) if not is_strict]
    assert [i.path for i in found.report.items if i.severity == "Low"] == [
        f"tools[{place}].function.strict" for place in lost
    ]


def test_the_schema_of_the_answer_counts_too() -> None:
    answer = {"name": "a", "strict": True, "schema": strict("a", 13)["function"]["parameters"]}

    body, _ = sent(
        f"anthropic/{OLD}",
        [USER],
        tools=[strict("f", 13), strict("g", 11)],
        response_format={"type": "json_schema", "json_schema": answer},
    )

    assert "format" in body["output_config"]
    assert [tool["strict"] for tool in body["tools"]] == [False, True]


@pytest.mark.parametrize(
    ("schema", "made", "added"),
    [
        ({"type": "object"}, {"type": "object", "properties": {}}, [".properties"]),
        (
            {"type": "object", "properties": {"a": {"type": "array"}}},
            {"type": "object", "properties": {"a": {"type": "array", "items": {}}}},
            [".properties.a.items"],
        ),
        (
            {"type": "object", "properties": {"a": {"anyOf": [{"type": "object"}]}}},
            {
                "type": "object",
                "properties": {"a": {"anyOf": [{"type": "object", "properties": {}}]}},
            },
            [".properties.a.anyOf[0].properties"],
        ),
        ({"type": "object", "properties": {}}, {"type": "object", "properties": {}}, []),
    ],
)
def test_openai_gets_schemas_with_properties_and_items(schema: Any, made: Any, added: Any) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}

    body, found = sent("openai/gpt-4.1", [USER], tools=[tool])

    assert body["tools"][0]["function"]["parameters"] == made
    assert [(item.severity, item.path) for item in found.report.items] == [
        ("None", f"tools[0].function.parameters{path}") for path in added
    ]


def test_a_claude_model_that_no_manifest_has_follows_the_newest_family() -> None:
    answer = {"name": "a", "strict": True, "schema": strict("a")["function"]["parameters"]}
    request = {
        "model": "gpt-4.1",
        "messages": [USER],
        "reasoning_effort": "high",
        "temperature": 0.5,
        "tools": [strict("f")],
        "tool_choice": "required",
        "response_format": {"type": "json_schema", "json_schema": answer},
    }

    found = specado.translate(request, "anthropic/claude-opus-99", strictness="warn")
    body = json.loads(found.body)

    assert body["output_config"]["effort"] == "high"
    assert "format" in body["output_config"]
    assert body["tools"][0]["strict"] is True
    assert body["tool_choice"] == {"type": "any"}
    assert body["temperature"] == 0.5
    assert body["max_tokens"] == 21_333
    assert not found.report.is_lossy
    assert [item.path for item in found.report.items][:2] == ["model", "max_tokens"]


def test_the_newest_familys_limit_is_not_that_of_an_unknown_model() -> None:
    request = {"model": "gpt-4.1", "messages": [USER], "max_tokens": 10**6}

    body = json.loads(specado.translate(request, "anthropic/claude-opus-99").body)

    assert body["max_tokens"] == 10**6
