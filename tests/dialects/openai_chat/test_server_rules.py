"""What a compatible provider's servers take, refuse and call by other names, by its manifest."""

from __future__ import annotations

import json

import httpx
import pytest

import specado

USER = {"role": "user", "content": "Hello"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
CUSTOM = {"type": "custom", "custom": {"name": "grep"}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}}}


def sent(rules, *messages, models=None, **parameters):
    """Return the body that a server with these rules gets, and the losses as (code, path)."""
    manifest = {"name": "other", "base_url": "https://llm.example/v1", "request_rules": rules}
    if models is not None:
        manifest["models"] = models
    specado.register_manifest(manifest, replace=True)
    request = {"model": "m", "messages": list(messages) or [USER], **parameters}
    found = specado.translate(request, "other/m")
    losses = [(item.code, item.kind, item.severity, item.path) for item in found.report.items]
    return json.loads(found.body), losses


def test_without_rules_a_request_goes_as_it_is():
    parameters = {"seed": 1, "logit_bias": {"5": 1}, "n": 2, "max_completion_tokens": 9}

    body, losses = sent({}, {**USER, "name": "Ann"}, **parameters)

    assert body == {"model": "m", "messages": [{**USER, "name": "Ann"}], **parameters}
    assert losses == []


@pytest.mark.parametrize(
    ("name", "value", "loss"),
    [
        ("seed", 1, ("Drop", "tuning", "Low")),
        ("user", "ann", ("Drop", "tuning", "Low")),
        ("logit_bias", {"5": 1}, ("Drop", "tuning", "Low")),
        ("logprobs", True, ("Unsupported", "contract", "Medium")),
        ("n", 2, ("Unsupported", "contract", "High")),
        ("stop", ["a"], ("Drop", "contract", "Medium")),
        ("tools", [FUNCTION], ("Unsupported", "contract", "High")),
        ("tool_choice", "required", ("Drop", "contract", "High")),
        ("parallel_tool_calls", False, ("Drop", "contract", "Medium")),
        ("response_format", {"type": "json_object"}, ("Unsupported", "contract", "Medium")),
    ],
)
@pytest.mark.parametrize("rule", ["refused_members", "members"])
def test_a_refused_member_is_left_out_and_reported(rule, name, value, loss):
    stated = [name] if rule == "refused_members" else ["model", "messages", "temperature"]

    body, losses = sent({rule: stated}, temperature=0.5, **{name: value})

    assert body == {"model": "m", "messages": [USER], "temperature": 0.5}
    assert losses == [(*loss, name)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", 1),
        ("logprobs", False),
        ("presence_penalty", 0),
        ("logit_bias", {}),
        ("tool_choice", "auto"),
        ("parallel_tool_calls", True),
        ("response_format", {"type": "text"}),
    ],
)
def test_a_refused_member_that_asks_for_nothing_is_no_loss(name, value):
    body, losses = sent({"refused_members": [name]}, **{name: value})

    assert (body, losses) == ({"model": "m", "messages": [USER]}, [])


def test_members_have_the_servers_names():
    rules = {
        "members": ["model", "messages", "random_seed", "max_tokens"],
        "renamed_members": {"seed": "random_seed"},
        "traits": {"max_tokens_parameter": "max_tokens"},
    }

    body, losses = sent(rules, seed=1, max_completion_tokens=9)

    assert body == {"model": "m", "messages": [USER], "random_seed": 1, "max_tokens": 9}
    assert losses == [
        ("Relocate", "tuning", "None", "max_completion_tokens"),
        ("Relocate", "tuning", "None", "seed"),
    ]


def test_both_limits_are_sent_as_the_one_that_the_servers_take():
    rules = {"traits": {"max_tokens_parameter": "max_tokens"}}

    body, losses = sent(rules, max_tokens=5, max_completion_tokens=9)

    assert body["max_tokens"] == 9
    assert "max_completion_tokens" not in body
    assert [(code, path) for code, _, _, path in losses] == [
        ("Conflict", "max_tokens"),
        ("Relocate", "max_completion_tokens"),
    ]


def test_values_have_the_servers_words_and_lie_in_their_range():
    rules = {
        "member_values": {"tool_choice": {"required": "any"}},
        "member_ranges": {"temperature": [0, 1]},
    }

    body, losses = sent(rules, tools=[FUNCTION], tool_choice="required", temperature=1.5)

    assert (body["tool_choice"], body["temperature"]) == ("any", 1)
    assert sorted(losses) == [
        ("Clamp", "tuning", "Low", "temperature"),
        ("Relocate", "tuning", "None", "tool_choice"),
    ]
    assert sent(rules, temperature=1)[1] == []


def test_names_of_messages_are_left_out():
    body, losses = sent({"refused_members": ["messages[].name"]}, USER, {**USER, "name": "Ann"})

    assert body["messages"] == [USER, USER]
    assert losses == [("Drop", "tuning", "Low", "messages[1].name")]


def test_ids_of_calls_have_the_servers_form_also_where_they_repeat():
    calls = [CALL, {**CALL, "id": "AbCdEf123"}, CALL]
    answers = [{"role": "tool", "tool_call_id": each["id"], "content": "1"} for each in calls]
    history = [USER, {"role": "assistant", "tool_calls": calls}, *answers]

    body, losses = sent({"call_id_length": 9}, *history)

    made = [each["id"] for each in body["messages"][1]["tool_calls"]]
    assert made[1] == "AbCdEf123"
    assert len(set(made)) == 3
    assert all(len(each) == 9 and each.isascii() and each.isalnum() for each in made)
    assert [each["tool_call_id"] for each in body["messages"][2:]] == made
    assert sent({"call_id_length": 9}, *history)[0] == body
    assert {path for _, _, _, path in losses} == {
        "messages[1].tool_calls[0].id",
        "messages[1].tool_calls[2].id",
        "messages[2].tool_call_id",
        "messages[4].tool_call_id",
    }


def test_an_id_that_is_not_unicode_is_refused_and_breaks_nothing():
    odd = {**CALL, "id": "\ud800"}
    history = [USER, {"role": "assistant", "tool_calls": [odd]}]

    (made,) = sent({"call_id_length": 9}, *history)[0]["messages"][1]["tool_calls"]

    assert len(made["id"]) == 9


def test_as_many_stop_sequences_as_the_servers_take():
    body, losses = sent({"max_stops": 1}, stop=["a", "b", "c"])

    assert body["stop"] == ["a"]
    assert losses == [
        ("Drop", "contract", "Medium", "stop[1]"),
        ("Drop", "contract", "Medium", "stop[2]"),
    ]


EFFORTS = {
    "none": {"thinking": {"type": "disabled"}},
    "high": {"thinking": {"type": "enabled"}, "reasoning_effort": "high"},
}


@pytest.mark.parametrize("models", [None, {"m": {}}])
@pytest.mark.parametrize(
    ("wanted", "level"), [("none", "none"), ("high", "high"), ("medium", "high")]
)
def test_an_effort_is_asked_for_as_the_servers_have_it(wanted, level, models):
    body, losses = sent(
        {"traits": {"effort_members": EFFORTS}}, models=models, reasoning_effort=wanted
    )

    assert body == {"model": "m", "messages": [USER], **EFFORTS[level]}
    assert ("Emulate", "tuning", "None", "reasoning_effort") in losses
    assert len(losses) == (1 if wanted == level else 2)


def test_a_models_own_traits_count_before_those_of_the_provider():
    rules = {"traits": {"system_role": "system", "max_choices": 1}}
    developer = {"role": "developer", "content": "Be brief"}
    models = {"m": {"traits": {"max_choices": 3}}}

    body, losses = sent(rules, developer, USER, models=models, n=2)

    assert body["messages"][0]["role"] == "system"
    assert body["n"] == 2
    assert losses == [("Relocate", "tuning", "None", "messages[0].role")]


def test_more_answers_than_a_server_gives_are_a_loss():
    body, losses = sent({"traits": {"max_choices": 1}}, n=2)

    assert "n" not in body
    assert losses == [("Unsupported", "contract", "High", "n")]


def test_a_form_beside_tools_is_left_out_where_servers_refuse_it():
    rules = {"traits": {"schema_with_tools": False}}

    assert sent(rules, response_format=SCHEMA)[1] == []
    body, losses = sent(rules, response_format=SCHEMA, tools=[FUNCTION])

    assert "response_format" not in body
    assert losses == [("Unsupported", "contract", "High", "response_format")]


def test_tools_are_functions_where_servers_take_no_others():
    body, losses = sent({"traits": {"custom_tools": False}}, tools=[CUSTOM, FUNCTION])

    assert body["tools"] == [FUNCTION]
    assert losses == [("Unsupported", "contract", "High", "tools[0]")]


def test_an_extra_body_passes_as_it_is():
    rules = {"members": ["model", "messages"]}
    manifest = {"name": "other", "base_url": "https://llm.example/v1", "request_rules": rules}
    specado.register_manifest(manifest)
    bodies = []

    def answer(request):
        bodies.append(json.loads(request.content))
        message = {"role": "assistant", "content": "Hi"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return httpx.Response(200, json={"choices": [choice]})

    client = specado.Client(http_client=httpx.Client(transport=httpx.MockTransport(answer)))
    client.chat.completions.create("other/m", "Hello", seed=1, extra_body={"random_seed": 7})

    assert bodies == [{"model": "m", "messages": [USER], "random_seed": 7}]


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ({"member_ranges": {"temperature": [1, 0]}}, r"member_ranges\.temperature"),
        ({"call_id_length": 1}, r"call_id_length"),
        ({"members": "model"}, r"request_rules\.members"),
        ({"renamed_members": {"seed": 1}}, r"renamed_members"),
        ({"traits": {"effort_members": {"low": 1}}}, r"effort_members"),
    ],
)
def test_wrong_rules_are_named(rules, problem):
    with pytest.raises(specado.ConfigurationError, match=problem):
        sent(rules)


@pytest.mark.parametrize(
    ("effort", "given", "member"),
    [
        ("high", {}, {"reasoning_content": ""}),
        ("high", {"reasoning_content": "Hm."}, {"reasoning_content": "Hm."}),
        ("high", {"reasoning_content": ""}, {"reasoning_content": ""}),
        ("none", {}, {}),
    ],
)
def test_an_answer_with_calls_has_reasoning_where_the_servers_want_some(effort, given, member):
    rules = {"traits": {"empty_reasoning": True}}
    called = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    answer = {"role": "tool", "tool_call_id": "call_1", "content": "1"}
    said = {"role": "assistant", "content": "Hi"}

    body, losses = sent(
        rules, USER, said, USER, {**called, **given}, answer, reasoning_effort=effort
    )

    assert body["messages"][1] == said
    assert body["messages"][3] == {**called, **member}
    made = [("Default", "tuning", "None", "messages[3].reasoning")]
    assert losses == ([] if given or not member else made)
