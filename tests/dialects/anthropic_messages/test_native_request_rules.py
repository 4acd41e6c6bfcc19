"""An Anthropic request for another Claude model keeps the rules that an encoded one keeps."""

from __future__ import annotations

import copy
import hashlib
import json
import re
from typing import Any

import pytest

import specado
from example_inputs import USER
from specado.simulator import handle

NEW, OLD, UNKNOWN = "claude-opus-4-8", "claude-opus-4-5", "claude-next-9"
EACH_MODEL = pytest.mark.parametrize("to", [NEW, OLD, UNKNOWN])
RULE = {"role": "system", "content": "rule"}
SAID = {"role": "assistant", "content": "a"}
MARKED = "functions_f_0-d6bdd4de328a22ed"  # what the encoder makes of "functions.f:0"
PNG, JPEG, PDF = "iVBORw0KGgo=", "/9j/4AAQSkZJRg==", "JVBERi0xLjQK"
WEBP, GIF = "UklGRiQAAABXRUJQVlA4IA==", "R0lGODlhAQABAA=="
LONG = "f" * 129


def sent(to: str, *messages: Any, **members: Any) -> tuple[dict[str, Any], list[Any]]:
    request = {"model": OLD, "max_tokens": 99, "messages": list(messages), **members}
    before = copy.deepcopy(request)
    found = specado.translate(request, f"anthropic/{to}", source="anthropic")
    if to != UNKNOWN:
        reply = handle("POST", "/v1/messages", {"anthropic-version": "2023-06-01"}, found.body)
        assert reply.status == 200, reply.body
    assert request == before
    losses = [(i.severity, i.path, i.before, i.after) for i in found.report.items]
    return json.loads(found.body), losses


def use(id_: str, name: str = "f") -> dict[str, Any]:
    return {"type": "tool_use", "id": id_, "name": name, "input": {}}


def called(*ids: str, name: str = "f") -> dict[str, Any]:
    return {"role": "assistant", "content": [use(id_, name) for id_ in ids]}


def answered(*ids: str) -> dict[str, Any]:
    blocks = [{"type": "tool_result", "tool_use_id": id_, "content": "r"} for id_ in ids]
    return {"role": "user", "content": blocks}


def tool(name: str = "f", **more: Any) -> dict[str, Any]:
    return {"name": name, "input_schema": {"type": "object"}, **more}


def ids_in(body: Any) -> list[str]:
    return [
        block.get("id") or block["tool_use_id"]
        for message in body["messages"]
        if isinstance(message["content"], list)
        for block in message["content"]
    ]


@EACH_MODEL
def test_an_id_that_is_refused_is_renamed_on_call_and_result(to: str) -> None:
    body, losses = sent(
        to, USER, called("functions.f:0"), answered("functions.f:0"), tools=[tool()]
    )

    assert ids_in(body) == [MARKED, MARKED]
    assert losses == [
        ("None", "messages[1].content[0].id", "functions.f:0", MARKED),
        ("None", "messages[2].content[0].tool_use_id", "functions.f:0", MARKED),
    ]


@EACH_MODEL
def test_repeated_ids_become_distinct_as_in_an_encoded_request(to: str) -> None:
    turns = [called("c"), answered("c"), called("c", "c"), answered("c", "c")]
    body, losses = sent(to, USER, *turns, tools=[tool()])

    function = {"name": "f", "arguments": "{}"}
    calls = [{"id": "c", "type": "function", "function": function}]
    result = {"role": "tool", "tool_call_id": "c", "content": "r"}
    one = {"role": "assistant", "tool_calls": calls}
    two = {"role": "assistant", "tool_calls": calls * 2}
    messages = [USER, one, result, two, result, result]
    encoded = specado.translate({"model": "gpt-4.1", "messages": messages}, f"anthropic/{NEW}")
    found = ids_in(body)
    assert found[0] == found[1] == "c"
    assert found[2:4] == found[4:6]
    assert len(set(found)) == 3
    wanted = json.loads(encoded.body)["messages"]
    assert found == ids_in({"messages": wanted})
    assert len(losses) == 4


@EACH_MODEL
def test_names_of_tools_are_shortened_everywhere_and_restored(to: str) -> None:
    request = {
        "model": OLD,
        "max_tokens": 9,
        "messages": [USER, called("c", name=LONG), answered("c")],
        "tools": [tool(LONG), tool("g h"), tool()],
        "tool_choice": {"type": "tool", "name": "g h"},
    }
    found = specado.translate(request, f"anthropic/{to}", source="anthropic")
    body = json.loads(found.body)

    names = [each["name"] for each in body["tools"]]
    assert names[2] == "f"
    assert all(re.fullmatch("[a-zA-Z0-9_-]{1,128}", name) for name in names)
    assert len(set(names)) == 3
    assert body["messages"][1]["content"][0]["name"] == names[0]
    assert body["tool_choice"]["name"] == names[1]
    assert [(item.path, item.before, item.after) for item in found.report.items] == [
        ("messages[1].content[0].name", LONG, names[0]),
        ("tools[0].name", LONG, names[0]),
        ("tools[1].name", "g h", names[1]),
        ("tool_choice.name", "g h", names[1]),
    ]


def test_a_server_tool_keeps_its_name() -> None:
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 2}
    body, losses = sent(NEW, USER, tools=[search])

    assert body["tools"] == [search]
    assert losses == []


def media(kind: str, data: str, label: str, **more: Any) -> dict[str, Any]:
    source = {"type": "base64", "media_type": label, "data": data}
    return {"type": kind, "source": source, **more}


@EACH_MODEL
@pytest.mark.parametrize("is_in_result", [False, True])
@pytest.mark.parametrize(
    ("block", "kind", "label"),
    [
        (media("image", JPEG, "image/png"), "image", "image/jpeg"),
        (media("image", PNG, "image/jpeg"), "image", "image/png"),
        (media("image", WEBP, "image/gif"), "image", "image/webp"),
        (media("image", GIF, "image/webp"), "image", "image/gif"),
        (media("image", JPEG, "image/jpg"), "image", "image/jpeg"),
        (media("image", PNG, "image/bmp"), "image", "image/png"),
        (media("image", PDF, "image/png"), "document", "application/pdf"),
        (media("document", PNG, "application/pdf"), "image", "image/png"),
    ],
)
def test_a_wrong_label_of_data_is_corrected(
    block: Any, kind: str, label: str, is_in_result: bool, to: str
) -> None:
    given, path = [block], "messages[0].content[0]"
    turns: list[Any] = [{"role": "user", "content": given}]
    if is_in_result:
        result = {**answered("c")["content"][0], "content": given}
        turns = [USER, called("c"), {"role": "user", "content": [result]}]
        path = "messages[2].content[0].content[0]"
    body, losses = sent(to, *turns, tools=[tool()])

    found = body["messages"][-1]["content"][0]
    found = found["content"][0] if is_in_result else found
    assert (found["type"], found["source"]["media_type"]) == (kind, label)
    before = block["source"]["media_type"]
    assert losses == [("None", f"{path}.source.media_type", before, label)]


def test_what_an_image_cannot_say_of_itself_is_reported() -> None:
    block = media("document", PNG, "application/pdf", title="t", cache_control=None)
    body, losses = sent(NEW, {"role": "user", "content": [block]})

    assert set(body["messages"][0]["content"][0]) == {"type", "source", "cache_control"}
    assert [path for _, path, *_ in losses] == [
        "messages[0].content[0].source.media_type",
        "messages[0].content[0].title",
    ]


@EACH_MODEL
@pytest.mark.parametrize("kind", ["image", "document"])
def test_a_url_that_is_not_https_is_left_out(kind: str, to: str) -> None:
    def at(scheme: str) -> dict[str, Any]:
        return {"type": kind, "source": {"type": "url", "url": f"{scheme}://example.com/a"}}

    text = {"type": "text", "text": "x"}
    content = [text, at("http"), at("https"), at("HTTP")]
    body, losses = sent(to, {"role": "user", "content": content})

    assert body["messages"][0]["content"] == [text, at("https")]
    assert losses == [("High", f"messages[0].content[{place}]", None, None) for place in (1, 3)]


@EACH_MODEL
def test_an_image_of_another_media_type_is_left_out(to: str) -> None:
    text = {"type": "text", "text": "x"}
    content = [text, media("image", "Qk0=", "image/bmp")]
    body, losses = sent(to, {"role": "user", "content": content})

    assert body["messages"][0]["content"] == [text]
    assert losses == [("High", "messages[0].content[1]", "image/bmp", None)]


@pytest.mark.parametrize("given", ["a@example.com", "+49 30 123456", "u" * 513])
@EACH_MODEL
def test_a_user_id_that_is_refused_is_hashed(given: str, to: str) -> None:
    body, losses = sent(to, USER, metadata={"user_id": given})

    made = hashlib.sha256(given.encode()).hexdigest()
    assert body["metadata"] == {"user_id": made}
    assert losses == [("Low", "metadata.user_id", given, made)]


def strict(name: str, optional: int = 0, unions: int = 0) -> dict[str, Any]:
    plain = {f"p{place}": {"type": "string"} for place in range(optional)}
    either = {f"u{place}": {"type": ["string", "null"]} for place in range(unions)}
    schema = {
        "type": "object",
        "properties": {**plain, **either},
        "required": list(either),
        "additionalProperties": False,
    }
    return {"name": name, "input_schema": schema, "strict": True}


@pytest.mark.parametrize("to", [NEW, UNKNOWN])
@pytest.mark.parametrize(
    ("tools", "expected"),
    [
        ([strict(f"f{place}") for place in range(22)], [True] * 20 + [False] * 2),
        ([strict("f", 13), strict("g", 13), strict("h", 11)], [True, False, True]),
        ([strict("f", 0, 9), strict("g", 0, 9)], [True, False]),
        ([strict("f", 25)], [False]),
        ([tool("f"), strict("g")], [False, True]),
    ],
)
def test_limits_of_strict_tools_count_for_the_request(
    tools: Any, expected: list[bool], to: str
) -> None:
    body, losses = sent(to, USER, tools=tools)

    assert [bool(each.get("strict")) for each in body["tools"]] == expected
    lost = [at for at, each in enumerate(tools) if each.get("strict") and not expected[at]]
    assert losses == [("Low", f"tools[{at}].strict", True, False) for at in lost]


def test_the_answers_schema_counts_with_the_strict_tools() -> None:
    schema = strict("f", 20)["input_schema"]
    config = {"format": {"type": "json_schema", "schema": schema}}
    body, losses = sent(NEW, USER, tools=[strict("f", 5)], output_config=config)

    assert body["tools"][0]["strict"] is False
    assert body["output_config"] == config
    assert [path for _, path, *_ in losses] == ["tools[0].strict"]


def test_a_model_without_strict_tools_has_one_report_for_each() -> None:
    _, losses = sent("claude-opus-4-1", USER, tools=[strict(f"f{place}") for place in range(22)])

    assert [path for _, path, *_ in losses] == [f"tools[{place}].strict" for place in range(22)]


@pytest.mark.parametrize("to", [NEW, UNKNOWN])
@pytest.mark.parametrize(
    ("messages", "expected", "moved"),
    [
        ([USER, RULE], "us", []),
        ([USER, RULE, SAID, USER], "usau", []),
        ([USER, RULE, USER], "uus", [1]),
        ([USER, SAID, RULE, USER], "uaus", [2]),
        ([USER, called("c"), RULE, answered("c")], "uaus", [2]),
        ([USER, called("c"), answered("c"), RULE, SAID, USER], "uausau", []),
        ([RULE, USER], "us", [0]),
    ],
)
def test_system_messages_stand_where_the_api_takes_them(
    messages: Any, expected: str, moved: list[int], to: str
) -> None:
    body, losses = sent(to, *messages, tools=[tool()])

    assert "".join(message["role"][0] for message in body["messages"]) == expected
    assert [loss[:2] for loss in losses] == [("Low", f"messages[{place}]") for place in moved]


def test_a_system_message_without_a_later_place_becomes_user_text() -> None:
    body, losses = sent(NEW, USER, SAID, RULE)

    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    assert losses == [("Low", "messages[2].role", "system", "user")]


def test_a_system_message_of_an_older_model_never_parts_a_call_and_its_result() -> None:
    body, losses = sent(OLD, USER, called("c"), RULE, answered("c"), RULE, tools=[tool()])

    assert [message["role"] for message in body["messages"]] == [
        "user", "assistant", "user", "user", "user"
    ]  # fmt: skip
    assert body["messages"][2] == answered("c")
    assert [loss[:2] for loss in losses] == [
        ("Low", "messages[2]"),
        ("Low", "messages[2].role"),
        ("Low", "messages[4].role"),
    ]


@EACH_MODEL
def test_a_request_that_keeps_every_rule_is_sent_as_it_is(to: str) -> None:
    image = media("image", PNG, "image/png", cache_control={"type": "ephemeral"})
    messages = [{"role": "user", "content": [image]}, called("toolu_1"), answered("toolu_1")]
    members = {"tools": [tool()], "metadata": {"user_id": "u-1"}}
    body, losses = sent(to, *messages, **members)

    assert body == {"model": to, "max_tokens": 99, "messages": messages, **members}
    assert losses == []


@EACH_MODEL
def test_a_further_tool_of_the_same_name_gets_one_of_its_own(to: str) -> None:
    tool = {"name": "f", "input_schema": {"type": "object"}}
    more = [tool, {**tool, "description": "again"}, {**tool, "description": "and again"}]
    choice = {"type": "tool", "name": "f"}

    body, losses = sent(to, USER, tools=more, tool_choice=choice)

    names = [each["name"] for each in body["tools"]]
    assert names[0] == "f"
    assert len(set(names)) == 3
    assert body["tool_choice"]["name"] == "f"
    assert [each for each in losses if each[1].startswith("tools")] == [
        ("None", "tools[1].name", "f", names[1]),
        ("None", "tools[2].name", "f", names[2]),
    ]
