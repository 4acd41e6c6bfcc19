"""The official packages' clients against the simulator's socket."""

from __future__ import annotations

import asyncio
import json

import anthropic
import openai
import pytest

QUESTION = [{"role": "user", "content": "What is the weather in Paris?"}]
WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "unit": {"enum": ["celsius", "fahrenheit"]}},
    "required": ["city", "unit"],
    "additionalProperties": False,
}
OPENAI_TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": WEATHER}}
ANTHROPIC_TOOL = {"name": "get_weather", "input_schema": WEATHER}
OPENAI_ERRORS = {
    "rate-limit-test-model": openai.RateLimitError,
    "quota-test-model": openai.RateLimitError,
    "server-error-test-model": openai.InternalServerError,
    "overloaded-test-model": openai.InternalServerError,
    "bad-gateway-test-model": openai.InternalServerError,
    "auth-error-test-model": openai.AuthenticationError,
    "permission-test-model": openai.PermissionDeniedError,
    "not-found-test-model": openai.NotFoundError,
    "context-length-test-model": openai.BadRequestError,
    "content-policy-test-model": openai.BadRequestError,
    "connection-refused-test-model": openai.APIConnectionError,
    "connection-reset-test-model": openai.APIConnectionError,
    "truncated-test-model": openai.APIConnectionError,
}


def test_openai_chat(openai_client):
    reply = openai_client.chat.completions.create(model="gpt-4o", messages=QUESTION)

    assert reply.choices[0].message.content == "Simulated reply to: What is the weather in Paris?"
    assert reply.choices[0].finish_reason == "stop"
    assert reply.id.startswith("chatcmpl-sim-")
    assert reply._request_id.startswith("req_")


def test_openai_tool_round_trip(openai_client):
    asked = openai_client.chat.completions.create(
        model="gpt-4o", messages=QUESTION, tools=[OPENAI_TOOL], tool_choice="required"
    )
    call = asked.choices[0].message.tool_calls[0]
    result = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
    answered = openai_client.chat.completions.create(
        model="gpt-4o",
        messages=[*QUESTION, asked.choices[0].message.model_dump(exclude_none=True), result],
        tools=[OPENAI_TOOL],
    )

    assert asked.choices[0].finish_reason == "tool_calls"
    assert json.loads(call.function.arguments) == {"city": "example", "unit": "celsius"}
    assert answered.choices[0].message.content == "The tool answered: sunny"


def test_openai_structured_output_is_parsed(openai_client):
    import pydantic

    class Weather(pydantic.BaseModel):
        city: str
        degrees: float

    reply = openai_client.chat.completions.parse(
        model="gpt-4o", messages=QUESTION, response_format=Weather
    )

    assert reply.choices[0].message.parsed == Weather(city="example", degrees=1)


@pytest.mark.parametrize("model", OPENAI_ERRORS)
def test_openai_errors_get_their_class(openai_client, model):
    with pytest.raises(OPENAI_ERRORS[model]):
        openai_client.chat.completions.create(model=model, messages=QUESTION)


def test_openai_timeout(openai_client):
    with pytest.raises(openai.APITimeoutError):
        openai_client.chat.completions.create(
            model="timeout-test-model", messages=QUESTION, timeout=0.2
        )


def test_openai_wrong_key(server):
    with (
        openai.OpenAI(api_key="wrong", base_url=server.openai_base_url, max_retries=0) as client,
        pytest.raises(openai.AuthenticationError) as caught,
    ):
        client.models.list()

    assert caught.value.code == "invalid_api_key"


def test_openai_models(openai_client):
    listed = {model.id for model in openai_client.models.list()}

    assert {"gpt-4o", "gpt-5-mini"} <= listed
    assert openai_client.models.retrieve("gpt-4").id == "gpt-4"
    with pytest.raises(openai.NotFoundError):
        openai_client.models.retrieve("gpt-none")


def test_openai_async_many_at_once(server):
    async def ask() -> list[str]:
        async with openai.AsyncOpenAI(api_key="k", base_url=server.openai_base_url) as client:
            replies = await asyncio.gather(
                *(
                    client.chat.completions.create(
                        model="gpt-4o", messages=[{"role": "user", "content": str(number)}]
                    )
                    for number in range(64)
                )
            )
            return [reply.choices[0].message.content for reply in replies]

    assert asyncio.run(ask()) == [f"Simulated reply to: {number}" for number in range(64)]


def test_anthropic_messages(anthropic_client):
    reply = anthropic_client.messages.create(
        model="claude-sonnet-4-6", max_tokens=100, messages=QUESTION
    )

    assert reply.content[0].text == "Simulated reply to: What is the weather in Paris?"
    assert reply.stop_reason == "end_turn"
    assert reply.id.startswith("msg_sim_")
    assert reply._request_id.startswith("req_")


def test_anthropic_tool_round_trip(anthropic_client):
    asked = anthropic_client.messages.create(
        model="claude-sonnet-4-6",
        max_tokens=100,
        messages=QUESTION,
        tools=[ANTHROPIC_TOOL],
        tool_choice={"type": "tool", "name": "get_weather"},
    )
    use = asked.content[0]
    result = {"type": "tool_result", "tool_use_id": use.id, "content": "sunny"}
    answered = anthropic_client.messages.create(
        model="claude-sonnet-4-6",
        max_tokens=100,
        messages=[
            *QUESTION,
            {"role": "assistant", "content": [use.model_dump(exclude_none=True)]},
            {"role": "user", "content": [result]},
        ],
        tools=[ANTHROPIC_TOOL],
    )

    assert asked.stop_reason == "tool_use"
    assert use.input == {"city": "example", "unit": "celsius"}
    assert answered.content[0].text == "The tool answered: sunny"


def test_anthropic_thinking_goes_back(anthropic_client):
    thinking = {"type": "enabled", "budget_tokens": 1024}
    first = anthropic_client.messages.create(
        model="claude-sonnet-4-6", max_tokens=2000, messages=QUESTION, thinking=thinking
    )
    second = anthropic_client.messages.create(
        model="claude-sonnet-4-6",
        max_tokens=2000,
        messages=[
            *QUESTION,
            {"role": "assistant", "content": first.content},
            {"role": "user", "content": "And in Rome?"},
        ],
        thinking=thinking,
    )

    assert [block.type for block in first.content] == ["thinking", "text"]
    assert first.content[0].signature
    assert second.content[1].text == "Simulated reply 2 to: And in Rome?"


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("rate-limit-test-model", anthropic.RateLimitError),
        ("server-error-test-model", anthropic.InternalServerError),
        ("overloaded-test-model", anthropic.APIStatusError),
        ("auth-error-test-model", anthropic.AuthenticationError),
        ("permission-test-model", anthropic.PermissionDeniedError),
        ("not-found-test-model", anthropic.NotFoundError),
        ("quota-test-model", anthropic.BadRequestError),
        ("connection-reset-test-model", anthropic.APIConnectionError),
        ("claude-none", anthropic.NotFoundError),
    ],
)
def test_anthropic_errors_get_their_class(anthropic_client, model, error):
    with pytest.raises(error):
        anthropic_client.messages.create(model=model, max_tokens=9, messages=QUESTION)


def test_anthropic_takes_a_bearer_token_with_either_version(server):
    with anthropic.Anthropic(auth_token="k", base_url=server.anthropic_base_url) as client:
        for sent in ("2023-06-01", "2026-10-21"):
            reply = client.messages.create(
                model="claude-sonnet-4-6",
                max_tokens=100,
                messages=QUESTION,
                extra_headers={"anthropic-version": sent},
            )

            assert reply.stop_reason == "end_turn"


def test_anthropic_refuses_sampling_parameters_since_2026_10_21(anthropic_client):
    request = {"model": "claude-sonnet-4-6", "max_tokens": 100, "messages": QUESTION}
    sampled = {**request, "extra_body": {"temperature": 1.0}}

    with pytest.raises(anthropic.BadRequestError, match="temperature: Extra inputs are not perm"):
        anthropic_client.messages.create(
            **sampled, extra_headers={"anthropic-version": "2026-10-21"}
        )
    old = anthropic_client.messages.create(
        **sampled, extra_headers={"anthropic-version": "2023-06-01"}
    )
    assert old.stop_reason == "end_turn"


def test_anthropic_count_and_usage_agree(anthropic_client):
    counted = anthropic_client.messages.count_tokens(model="claude-sonnet-4-6", messages=QUESTION)
    reply = anthropic_client.messages.create(
        model="claude-sonnet-4-6", max_tokens=100, messages=QUESTION
    )

    assert counted.input_tokens == reply.usage.input_tokens > 0


def test_anthropic_models_say_where_they_stand_in_their_life(anthropic_client):
    found = anthropic_client.models.retrieve("claude-3-opus").to_dict(mode="json")

    assert found["lifecycle"] == "retired"
    assert found["retires_at"] == "2026-01-05T00:00:00Z"
    assert found["line"] == "opus"
    assert anthropic_client.models.retrieve("claude-sonnet-4-6").to_dict()["lifecycle"] in (
        "active",
        "deprecated",
    )


def test_anthropic_models_are_paged(anthropic_client):
    page = anthropic_client.models.list(limit=2)
    listed = [model.id for model in page]

    assert len(page.data) == 2
    assert page.has_more
    assert len(listed) == len(set(listed)) > 2
    assert anthropic_client.models.retrieve(listed[0]).id == listed[0]


def test_anthropic_async(server):
    async def ask() -> str:
        async with anthropic.AsyncAnthropic(
            api_key="k", base_url=server.anthropic_base_url
        ) as client:
            reply = await client.messages.create(
                model="claude-sonnet-4-6", max_tokens=100, messages=QUESTION
            )
            return reply.content[0].text

    assert asyncio.run(ask()) == "Simulated reply to: What is the weather in Paris?"
