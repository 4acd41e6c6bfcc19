"""Facts of manifests against the simulated providers: each fact makes a request succeed.

The simulator's table is written from recordings and documentation, so that a wrong fact is seen: a
request that the shipped manifest makes acceptable is refused, or understood otherwise, without it.
"""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

import specado
from reference_files import REPOSITORY
from specado.simulator import handle
from specado.simulator.family import FAMILY, as_openai, reasoning_read

MODEL = "llama-3.3-70b-versatile"  # served by each, listed by no manifest
USER = {"role": "user", "content": "Hello"}
SCHEMA = {"type": "object", "properties": {}}
TOOL = {"type": "function", "function": {"name": "f", "parameters": SCHEMA}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLED = {"role": "assistant", "content": None, "tool_calls": [CALL]}
ANSWER = {"role": "tool", "tool_call_id": "call_1", "content": "done"}
FORMAT = {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}
DEVELOPER = {"messages": [{"role": "developer", "content": "Be brief."}, USER]}
CUSTOM = {"tools": [TOOL, {"type": "custom", "custom": {"name": "g"}}]}
NAMED = {"messages": [{**USER, "name": "Ann"}]}

# A request for which the fact is needed, by provider and fact.
NEEDED: dict[tuple[str, str], dict[str, Any]] = {
    ("groq", "refused_members.logit_bias"): {"logit_bias": {"1": 1}},
    ("groq", "traits.logprobs"): {"logprobs": True, "top_logprobs": 2},
    ("groq", "refused_members.messages[].name"): NAMED,
    ("groq", "traits.system_role"): DEVELOPER,
    ("groq", "traits.max_choices"): {"n": 2},
    ("groq", "traits.custom_tools"): CUSTOM,
    ("mistral", "members"): {"logit_bias": {"1": 1}},
    ("mistral", "cache_control"): {"messages": [{**USER, "cache_control": {"type": "ephemeral"}}]},
    ("mistral", "refused_members.messages[].name"): NAMED,
    ("mistral", "renamed_members.seed"): {"seed": 7},
    ("mistral", "call_id_length"): {"messages": [USER, CALLED, ANSWER]},
    ("mistral", "traits.max_tokens_parameter"): {"max_completion_tokens": 5},
    ("mistral", "traits.system_role"): DEVELOPER,
    ("mistral", "traits.custom_tools"): CUSTOM,
    ("deepseek", "renamed_members.user"): {"user": "ann"},
    ("deepseek", "traits.max_tokens_parameter"): {"max_completion_tokens": 5},
    ("deepseek", "traits.system_role"): DEVELOPER,
    ("deepseek", "traits.custom_tools"): CUSTOM,
    ("deepseek", "traits.structured_output"): {"response_format": FORMAT},
    ("deepseek", "traits.effort_members"): {"reasoning_effort": "none"},
    ("deepseek", "traits.empty_reasoning"): {"messages": [USER, CALLED, ANSWER]},
    ("xai", "refused_members.logit_bias"): {"logit_bias": {"1": 1}},
    ("cerebras", "traits.system_role"): DEVELOPER,
    ("perplexity", "refused_members.tools"): {"tools": [TOOL]},
    ("perplexity", "refused_members.tool_choice"): {"tool_choice": "none"},
    ("perplexity", "refused_members.parallel_tool_calls"): {"parallel_tool_calls": True},
    ("perplexity", "traits.max_tokens_parameter"): {"max_completion_tokens": 5},
    ("perplexity", "traits.system_role"): DEVELOPER,
    ("zai", "renamed_members.user"): {"user": "ann-lee"},
    ("zai", "max_stops"): {"stop": ["a", "b"]},
    ("zai", "member_ranges.temperature"): {"temperature": 1.5},
    ("zai", "traits.max_tokens_parameter"): {"max_completion_tokens": 5},
    ("zai", "traits.system_role"): DEVELOPER,
    ("zai", "traits.structured_output"): {"response_format": FORMAT},
    ("zai", "traits.forced_tool_choice"): {"tools": [TOOL], "tool_choice": "required"},
}
# Azure serves OpenAI's models with their rules; the others of the family are not recorded.
LONG_NAME = {"type": "function", "function": {"name": "f" * 80, "parameters": SCHEMA}}
LONG_CALL = {**CALL, "id": "call_" + "1" * 60}
BARE = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
CACHED = {"type": "text", "text": "Hello", "cache_control": {"type": "ephemeral"}}
NEEDED |= {
    ("azure", "cache_control"): {"messages": [{"role": "user", "content": [CACHED]}]},
    ("azure", "media_in_user_messages_only"): {
        "messages": [USER, CALLED, {**ANSWER, "content": [IMAGE]}]
    },
    ("azure", "complete_schemas"): {"tools": [BARE]},
    ("azure", "tool_name_characters"): {"tools": [LONG_NAME]},
    ("azure", "call_id_characters"): {
        "messages": [
            USER,
            {**CALLED, "tool_calls": [LONG_CALL]},
            {**ANSWER, "tool_call_id": LONG_CALL["id"]},
        ]
    },
    ("azure", "user_characters"): {"user": "a" * 80},
    ("together", "traits.max_tokens_parameter"): {"max_completion_tokens": 5},
    ("together", "traits.system_role"): DEVELOPER,
    ("moonshot", "member_ranges.temperature"): {"temperature": 1.5},
    ("moonshot", "traits.system_role"): DEVELOPER,
    ("dashscope", "traits.max_tokens_parameter"): {"max_completion_tokens": 5},
    ("dashscope", "traits.system_role"): DEVELOPER,
    ("nvidia", "traits.max_tokens_parameter"): {"max_completion_tokens": 5},
    ("nvidia", "traits.system_role"): DEVELOPER,
    ("lmstudio", "traits.max_tokens_parameter"): {"max_completion_tokens": 5},
}

# Facts that no simulated provider shows, and why.
UNSEEN = {
    ("groq", "stream_usage"): "the usage comes unasked, stream_options is ignored",
    ("mistral", "member_values.tool_choice.required"): "both words are taken (mistralai 3.7.0)",
    ("mistral", "stream_usage"): "stream_options is none of the members",
    ("deepseek", "traits.default_effort"): "without effect of its own",
    ("deepseek", "traits.forced_tool_choice_while_reasoning"): "reported; no recording",
    ("openrouter", "traits.effort_members"): "reasoning_effort is taken too",
    ("xai", "traits.system_role"): "both roles are taken",
    ("cerebras", "traits.max_tokens_parameter"): "both names are taken",
    ("together", "traits.strict_tools"): "not recorded whether it is refused or ignored",
    ("fireworks", "traits.max_tokens_parameter"): "both names are taken",
    ("ollama", "refused_members.logit_bias"): "ignored: left out so that it is reported",
    ("ollama", "refused_members.n"): "ignored: left out so that it is reported",
    ("ollama", "traits.forced_tool_choice"): "ignored: left out so that it is reported",
    ("ollama", "refused_members.user"): "ignored: left out so that it is reported",
    ("ollama", "traits.max_tokens_parameter"): "both names are taken",
}


def shipped(name: str) -> dict[str, Any]:
    path = REPOSITORY / "src" / "specado" / "catalog" / "providers" / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    del found["dialects"][1:]  # else a request goes to the API that takes it whole
    return found


def facts_of(name: str) -> list[str]:
    """Return the facts that a manifest states on requests."""
    manifest = shipped(name)
    found = []
    for rule, value in manifest.get("request_rules", {}).items():
        if rule == "member_values":
            found += [f"{rule}.{member}.{word}" for member in value for word in value[member]]
        elif rule in ("refused_members", "renamed_members", "member_ranges", "traits"):
            found += [f"{rule}.{member}" for member in value]
        else:
            found.append(rule)
    if manifest["dialects"][0].get("stream_usage") is False:
        found.append("stream_usage")
    return found


def without(manifest: dict[str, Any], fact: str) -> dict[str, Any]:
    """Return a manifest without a fact."""
    made = copy.deepcopy(manifest)
    if fact == "stream_usage":
        del made["dialects"][0]["stream_usage"]
        return made
    rule, _, member = fact.partition(".")
    rules = made["request_rules"]
    if not member:
        del rules[rule]
    elif isinstance(rules[rule], list):
        rules[rule].remove(member)
    else:
        del rules[rule][member]
    return made


def outcome(name: str, request: dict[str, Any]) -> tuple[int, dict[str, Any], bool]:
    """Return the status of the simulated answer, what was understood, and if the model thought."""
    given = {"model": MODEL, "messages": [USER], **request}
    sent = specado.translate(given, f"{name}/{MODEL}", strictness="coerce")
    family = FAMILY[name]
    body = json.loads(sent.body)
    return sent_to(name, sent.body).status, as_openai(family, body), family.thinks(body)


def sent_to(name: str, body: bytes) -> Any:
    url = f"{FAMILY[name].address}/chat/completions"
    return handle("POST", url, {}, body, any_prefix=True)


@pytest.mark.parametrize(("name", "fact"), NEEDED)
def test_a_manifest_without_the_fact_fails(name: str, fact: str) -> None:
    request = NEEDED[name, fact]
    specado.register_manifest(shipped(name), name=name, replace=True)

    good = outcome(name, request)
    specado.register_manifest(without(shipped(name), fact), name=name, replace=True)
    bad = outcome(name, request)

    assert good[0] == 200
    assert bad != good


@pytest.mark.parametrize("name", FAMILY)
def test_each_fact_has_a_request_or_a_reason(name: str) -> None:
    stated = {(name, fact) for fact in facts_of(name)}

    known = {key for key in (*NEEDED, *UNSEEN) if key[0] == name}
    assert known == stated


FAULTS = {
    "rate-limit-test-model": specado.RateLimitError,
    "quota-test-model": specado.QuotaExceededError,
    "auth-error-test-model": specado.AuthenticationError,
    "not-found-test-model": specado.ModelNotFoundError,
    "context-length-test-model": specado.ContextLengthError,
    "server-error-test-model": specado.ServerError,
    "overloaded-test-model": specado.OverloadedError,
}


# A request that is answered with a call and the reasoning that led to it.
CALLING: Any = {"messages": [{**USER, "content": "Call function"}], "reasoning_effort": "high"}
CALLING["tools"] = [{"type": "function", "function": {"name": "function", "parameters": SCHEMA}}]
REASONED = {
    "groq": {},
    "mistral": {},
    "deepseek": {},
    "openrouter": {"reasoning": {"effort": "high"}},
}


def reasoning_sent_back(name: str) -> list[str]:
    """Return the reasoning that a provider reads in the history with its own answer."""
    asked = json.dumps({"model": MODEL, **CALLING, **REASONED[name]}).encode()
    message: Any = specado.parse_response(sent_to(name, asked).body, name).choices[0].message
    result = {**ANSWER, "tool_call_id": message.tool_calls[0].id}
    request: Any = {"model": MODEL, "messages": [USER, message, result]}
    sent = specado.translate(request, f"{name}/{MODEL}", strictness="coerce")
    return reasoning_read(FAMILY[name], json.loads(sent.body))


@pytest.mark.parametrize("name", REASONED)
def test_reasoning_goes_back_as_the_manifest_says(name: str) -> None:
    members = shipped(name)["dialects"][0]["returns"]
    specado.register_manifest(shipped(name), name=name, replace=True)
    good = reasoning_sent_back(name)

    assert len(good) == len(members)
    for member in members:
        changed = shipped(name)
        changed["dialects"][0]["returns"].remove(member)
        specado.register_manifest(changed, name=name, replace=True)
        assert len(reasoning_sent_back(name)) == len(good) - 1


def test_each_provider_that_gets_reasoning_back_is_played() -> None:
    stated = {name for name in FAMILY if shipped(name)["dialects"][0].get("returns")}

    assert stated == set(REASONED)


# An error for whose class the fact is needed.
ERRORS = {
    ("moonshot", "statuses", "403"): "quota-test-model",
}


def class_of(name: str, model: str) -> type[Exception]:
    body = json.dumps({"model": model, "messages": [USER]}).encode()
    reply = sent_to(name, body)
    return type(specado.parse_error(reply.status, dict(reply.headers), reply.body, name))


@pytest.mark.parametrize(("name", "table", "key"), ERRORS)
def test_an_error_without_the_fact_has_another_class(name: str, table: str, key: str) -> None:
    model = ERRORS[name, table, key]
    changed = shipped(name)
    del changed["errors"][table][key]
    specado.register_manifest(shipped(name), name=name, replace=True)

    good = class_of(name, model)
    specado.register_manifest(changed, name=name, replace=True)

    assert good is FAULTS[model]
    assert class_of(name, model) is not good


def test_each_fact_on_errors_has_an_error() -> None:
    stated = {
        (name, table, key)
        for name in FAMILY
        for table, keys in shipped(name).get("errors", {}).items()
        for key in keys
    }

    assert stated == set(ERRORS)


@pytest.mark.parametrize("model", FAULTS)
@pytest.mark.parametrize("name", FAMILY)
def test_an_error_in_the_providers_form_has_its_class(name: str, model: str) -> None:
    assert class_of(name, model) is FAULTS[model]


@pytest.mark.parametrize(
    "name", ["groq", "mistral", "deepseek", "openrouter", "azure", "dashscope", "zai", "moonshot"]
)
def test_refused_content_has_its_class(name: str) -> None:
    assert class_of(name, "content-policy-test-model") is specado.ContentPolicyError
