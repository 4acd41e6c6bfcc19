"""Azure OpenAI over a real socket: both forms of its URLs, keys and tokens, its content filter.

The official package's Azure client is the oracle for URLs, queries and headers.
"""

from __future__ import annotations

import asyncio
import json

import openai
import pytest

import specado
from json_server import serving
from specado.catalog.lookup import find_model, provider
from specado.errors import ConfigurationError, ContentPolicyError, ModelNotFoundError

HELLO = [{"role": "user", "content": "Hello"}]
FILTERED = {"hate": {"filtered": False, "severity": "safe"}}
REPLY = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-2024-11-20",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hi"},
            "finish_reason": "stop",
            "content_filter_results": FILTERED,
        }
    ],
    "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": FILTERED}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "status": "completed",
    "model": "gpt-5",
    "content_filters": [],
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


def events(*chunks):
    lines = [f"data: {json.dumps(each)}\n\n" for each in chunks]
    return "".join([*lines, "data: [DONE]\n\n"]).encode()


STREAM = events(
    # The first chunk has the filter's results of the prompt, and no choice.
    {
        "id": "",
        "model": "",
        "object": "",
        "created": 0,
        "choices": [],
        "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": FILTERED}],
    },
    {"id": "c", "model": "gpt-4o", "choices": [{"index": 0, "delta": {"content": "Hi"}}]},
    # The asynchronous filter's results come behind the text, without a delta.
    {
        "id": "",
        "model": "",
        "choices": [
            {
                "index": 0,
                "finish_reason": None,
                "content_filter_results": FILTERED,
                "content_filter_offsets": {"check_offset": 0, "start_offset": 0, "end_offset": 2},
            }
        ],
    },
    {
        "id": "c",
        "model": "gpt-4o",
        "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
    },
)


def client(address, **own):
    return specado.Client({"providers": {"azure": {"base_url": address, **own}}, "max_retries": 0})


def ask(address, model="azure/my-gpt", more=(), **own):
    return client(address, **own).chat.completions.create(model, HELLO, **dict(more))


def shown(seen):
    """What a request has that depends on the provider."""
    names = ("api-key", "authorization")
    return seen.target, {name: seen.headers[name] for name in names if name in seen.headers}


# URLs


@pytest.mark.parametrize("end", ["", "/", "/openai", "/openai/v1", "/openai/v1/"])
def test_the_v1_api_has_no_version(end):
    with serving(REPLY) as (address, seen):
        reply = ask(address + end, api_key="a-key")

    assert reply.choices[0].message.content == "Hi"
    assert shown(seen[0]) == ("/openai/v1/chat/completions", {"api-key": "a-key"})
    assert seen[0].body == {"model": "my-gpt", "messages": HELLO}


def test_a_dated_version_puts_the_deployment_into_the_path():
    with serving(REPLY) as (address, seen):
        ask(address, "azure/my gpt", api_key="a-key", api_version="2024-10-21")

    assert seen[0].target == "/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21"


@pytest.mark.parametrize("version", ["preview", "latest", "v1"])
def test_a_version_that_is_a_word_goes_with_the_v1_api(version):
    with serving(REPLY) as (address, seen):
        ask(address, api_key="a-key", api_version=version)

    assert seen[0].target == f"/openai/v1/chat/completions?api-version={version}"


def test_the_environment_says_address_key_and_version(monkeypatch):
    with serving(REPLY) as (address, seen):
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", f"{address}/")
        monkeypatch.setenv("AZURE_OPENAI_API_KEY", "a-key")
        monkeypatch.setenv("OPENAI_API_VERSION", "2025-04-01-preview")
        specado.Client().chat.completions.create("azure/my-gpt", HELLO)

    assert shown(seen[0]) == (
        "/openai/deployments/my-gpt/chat/completions?api-version=2025-04-01-preview",
        {"api-key": "a-key"},
    )


@pytest.mark.parametrize("version", [None, "2025-04-01-preview"])
def test_responses_are_asked_for_in_both_forms(version):
    with serving(RESPONSE) as (address, seen):
        reply = ask(
            address,
            more={"extra_body": {"include": ["reasoning.encrypted_content"]}},
            api_key="a-key",
            api_version=version,
        )

    assert reply.choices[0].message.content == "Hi"
    assert reply.extensions.metadata["dialect"] == "openai_responses"
    assert seen[0].target == (
        "/openai/v1/responses" if version is None else f"/openai/responses?api-version={version}"
    )
    assert seen[0].body["model"] == "my-gpt"


def test_a_query_of_the_call_goes_behind_the_version():
    with serving(REPLY) as (address, seen):
        ask(address, more={"extra_query": {"a": "b"}}, api_key="a-key", api_version="2024-10-21")

    assert seen[0].target.endswith("/chat/completions?api-version=2024-10-21&a=b")


@pytest.mark.parametrize("version", ["", "a b", "2024&x=1", "2024/10", 2024])
def test_a_wrong_version_is_refused(version):
    with pytest.raises(ConfigurationError, match="api_version"):
        client("https://corp.openai.azure.com", api_version=version)


def test_only_a_provider_with_versions_takes_one():
    with pytest.raises(ConfigurationError, match=r"\['api_version'\] is not a setting"):
        specado.Client(
            {"providers": {"openai": {"api_key": "k", "api_version": "2024-10-21"}}}
        ).chat.completions.create("gpt-4o", HELLO)


def test_without_an_address_the_error_names_the_variable():
    with pytest.raises(ConfigurationError) as caught:
        specado.Client({"providers": {"azure": {"api_key": "k"}}}).chat.completions.create(
            "azure/my-gpt", HELLO
        )

    assert str(caught.value) == (
        "Configuration error: no address for 'azure': set AZURE_OPENAI_ENDPOINT, or "
        "providers['azure']['base_url']"
    )


# Keys and tokens


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({"api_key": "a-key"}, {"api-key": "a-key"}),
        ({"credentials": "a-token"}, {"authorization": "Bearer a-token"}),
        ({"credentials": lambda: "a-token"}, {"authorization": "Bearer a-token"}),
        ({"api_key": lambda: "a-token"}, {"authorization": "Bearer a-token"}),
        ({"credentials": "a-token", "api_key": "a-key"}, {"authorization": "Bearer a-token"}),
        ({"headers": {"Authorization": "Bearer mine"}}, {"authorization": "Bearer mine"}),
    ],
)
def test_a_key_goes_into_its_header_and_a_token_into_another(own, expected):
    with serving(REPLY) as (address, seen):
        ask(address, **own)

    assert shown(seen[0])[1] == expected


def test_a_token_is_asked_for_at_each_request():
    tokens = iter(["first", "second"])
    with serving(REPLY, REPLY) as (address, seen):
        one = client(address, credentials=lambda: next(tokens))
        for _ in range(2):
            one.chat.completions.create("azure/my-gpt", HELLO)

    assert [each.headers["authorization"] for each in seen] == ["Bearer first", "Bearer second"]


def test_an_asynchronous_callable_gives_tokens_too():
    async def token():
        return "a-token"

    async def run(address):
        config = {"providers": {"azure": {"base_url": address, "credentials": token}}}
        return await specado.AsyncClient(config).chat.completions.create("azure/my-gpt", HELLO)

    with serving(REPLY) as (address, seen):
        asyncio.run(run(address))

    assert shown(seen[0])[1] == {"authorization": "Bearer a-token"}


def test_a_token_in_the_environment_counts_before_a_key(monkeypatch):
    monkeypatch.setenv("AZURE_OPENAI_AD_TOKEN", "a-token")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "a-key")
    with serving(REPLY) as (address, seen):
        ask(address)

    assert shown(seen[0])[1] == {"authorization": "Bearer a-token"}


# The official package


@pytest.mark.parametrize("version", ["2024-10-21", "2025-04-01-preview"])
@pytest.mark.parametrize("token", [None, "a-token"])
@pytest.mark.parametrize("call", ["chat", "responses"])
def test_requests_are_those_of_the_official_azure_client(version, token, call):
    with serving(REPLY, RESPONSE, REPLY, RESPONSE) as (address, seen):
        own = {"api_key": "a-key"} if token is None else {"credentials": token}
        more = {} if call == "chat" else {"extra_body": {"include": []}}
        try:
            ask(address, "azure/my.gpt-4o_1", more, api_version=version, **own)
        except specado.ProviderError:
            assert call == "responses"  # the first body is a completion
        official = openai.AzureOpenAI(
            azure_endpoint=address,
            api_version=version,
            max_retries=0,
            **({"api_key": "a-key"} if token is None else {"azure_ad_token": token}),
        )
        with official:
            if call == "chat":
                official.chat.completions.create(model="my.gpt-4o_1", messages=HELLO)
            else:
                official.responses.create(model="my.gpt-4o_1", input="Hello")

    assert shown(seen[0]) == shown(seen[1])


def test_the_v1_api_is_that_of_the_official_client():
    with serving(REPLY, REPLY) as (address, seen):
        ask(address, api_key="a-key")
        with openai.OpenAI(base_url=f"{address}/openai/v1/", api_key="a-key") as official:
            official.chat.completions.create(model="my-gpt", messages=HELLO)

    assert seen[0].target == seen[1].target
    assert seen[0].body == seen[1].body


# The content filter


def test_what_the_filter_found_is_in_the_raw_reply():
    with serving(REPLY) as (address, _):
        reply = ask(address, api_key="a-key")

    raw = json.loads(reply.raw)
    assert raw["prompt_filter_results"][0]["content_filter_results"] == FILTERED
    assert raw["choices"][0]["content_filter_results"] == FILTERED


@pytest.mark.parametrize("inner", ["innererror", "inner_error"])
@pytest.mark.parametrize("code", ["ResponsibleAIPolicyViolation", "ContentFiltered"])
def test_a_filtered_prompt_is_a_policy_error_with_what_was_found(inner, code):
    found = {"jailbreak": {"detected": True, "filtered": True}}
    error = {
        "message": "The response was filtered due to the prompt triggering a policy.",
        "type": None,
        "param": "prompt",
        "code": "content_filter",
        "status": 400,
        inner: {"code": code, "content_filter_result": found},
    }
    with (
        serving({"error": error}, status=400) as (address, _),
        pytest.raises(ContentPolicyError) as caught,
    ):
        ask(address, api_key="a-key")

    assert json.loads(caught.value.body)["error"][inner]["content_filter_result"] == found


def test_an_answer_that_the_filter_cut_says_so():
    choice = {**REPLY["choices"][0], "finish_reason": "content_filter"}
    with serving({**REPLY, "choices": [choice]}) as (address, _):
        reply = ask(address, api_key="a-key")

    assert reply.choices[0].finish_reason == "content_filter"


def test_a_stream_begins_without_a_choice_and_has_filter_chunks_between():
    with serving(STREAM) as (address, seen):
        completions = client(address, api_key="a-key").chat.completions
        with completions.create("azure/my-gpt", HELLO, stream=True) as stream:
            text = "".join(
                choice.delta.content or "" for chunk in stream for choice in chunk.choices
            )
        reply = stream.response()

    assert text == reply.choices[0].message.content == "Hi"
    assert reply.choices[0].finish_reason == "stop"
    assert seen[0].body["stream_options"] == {"include_usage": True}


def test_a_deployment_that_is_not_there_is_an_unknown_model():
    error = {"code": "DeploymentNotFound", "message": "The API deployment does not exist."}
    with serving({"error": error}, status=404) as (address, _), pytest.raises(ModelNotFoundError):
        ask(address, api_key="a-key")


# Deployments and models


def test_a_deployment_named_like_a_model_of_openais_is_taken_for_it():
    own, theirs = find_model("azure", "gpt-5.4"), find_model("openai", "gpt-5.4")

    assert (own.provider, own.id) == ("azure", "gpt-5.4")
    assert own.traits == theirs.traits
    assert own.context_window == theirs.context_window
    assert (own.pricing, own.deprecation_date, own.general) == (None, None, False)
    assert find_model("azure", "gpt-5.4-2026-03-05") is own
    assert find_model("azure", "my-gpt") is None
    assert specado.get_manifest("azure")["models"] == {}


def test_its_traits_shape_the_request():
    with serving(REPLY) as (address, seen):
        ask(address, "azure/gpt-5.4", {"max_tokens": 5}, api_key="a-key")

    assert seen[0].body["max_completion_tokens"] == 5


def test_it_is_no_fallback_unless_a_setting_says_which_deployment():
    config = {"fallback_provider": "azure", "simulate": True}
    completions = specado.Client(config).chat.completions

    same = completions.plan("gpt-5.4", HELLO)
    other = completions.plan("gpt-5.4", HELLO, fallback_models=["azure/my-gpt"])

    assert [(each.provider, each.model) for each in same] == [
        ("openai", "gpt-5.4"),
        ("azure", "gpt-5.4"),
    ]
    assert (other[-1].provider, other[-1].model) == ("azure", "my-gpt")


@pytest.mark.parametrize("model", ["azure/my-gpt", "azure/gpt-5.4"])
def test_every_deployment_answers_in_the_simulator(model):
    simulated = specado.Client({"simulate": True}).chat.completions

    assert simulated.create(model, "Hello").choices[0].message.content == (
        "Simulated reply to: Hello"
    )


@pytest.mark.parametrize("wrong", ["azure", "nobody", 5])
def test_facts_of_names_another_provider(wrong):
    with pytest.raises(ConfigurationError, match="facts_of"):
        specado.register_manifest(
            {"name": "azure", "base_url": "https://corp.example", "facts_of": wrong}, replace=True
        )


def test_a_gateway_of_ones_own_may_take_the_facts_of_a_provider():
    specado.register_manifest(
        {
            "name": "gate",
            "base_url": "https://corp.example/v1",
            "facts_of": "openai",
            "models": {"gpt-5.4": {"pricing": {"input": 9, "output": 9}}},
        }
    )

    assert find_model("gate", "gpt-5.4").pricing.input == 9
    assert find_model("gate", "gpt-4o").traits == find_model("openai", "gpt-4o").traits
    assert provider("gate").find("gpt-4o-2024-08-06").id == "gpt-4o"
