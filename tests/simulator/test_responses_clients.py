"""The official `openai` package's Responses client against the simulator's socket."""

from __future__ import annotations

import asyncio
import json

import openai
import pydantic
import pytest

QUESTION = "What is the weather in Paris?"
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "unit": {"enum": ["celsius", "fahrenheit"]}},
    "required": ["city", "unit"],
    "additionalProperties": False,
}
TOOL = {"type": "function", "name": "get_weather", "parameters": SCHEMA, "strict": True}
STATELESS = {"store": False, "include": ["reasoning.encrypted_content"]}
ERRORS = {
    "rate-limit-test-model": openai.RateLimitError,
    "quota-test-model": openai.RateLimitError,
    "server-error-test-model": openai.InternalServerError,
    "overloaded-test-model": openai.InternalServerError,
    "bad-gateway-test-model": openai.InternalServerError,
    "auth-error-test-model": openai.AuthenticationError,
    "permission-test-model": openai.PermissionDeniedError,
    "not-found-test-model": openai.BadRequestError,
    "context-length-test-model": openai.BadRequestError,
    "content-policy-test-model": openai.BadRequestError,
    "connection-refused-test-model": openai.APIConnectionError,
    "connection-reset-test-model": openai.APIConnectionError,
    "truncated-test-model": openai.APIConnectionError,
}
GOOD = [
    "slow-test-model",
    "stream-bytewise-test-model",
    "stream-crlf-test-model",
    "stream-cr-test-model",
    "stream-ping-test-model",
]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("specado.simulator.server.SLOW_REPLY_S", 0.01)


def test_a_whole_response(openai_client):
    reply = openai_client.responses.create(model="gpt-4o", input=QUESTION)

    assert reply.output_text == "Simulated reply to: What is the weather in Paris?"
    assert reply.status == "completed"
    assert reply.id.startswith("resp_sim_")
    assert openai_client.responses.retrieve(reply.id).output_text == reply.output_text
    openai_client.responses.delete(reply.id)
    with pytest.raises(openai.NotFoundError):
        openai_client.responses.retrieve(reply.id)


def test_a_stateless_conversation_with_tools_and_reasoning(openai_client):
    history = [{"role": "user", "content": QUESTION}]
    asked = openai_client.responses.create(
        model="gpt-5", input=history, tools=[TOOL], tool_choice="required", **STATELESS
    )
    reasoning, call = asked.output
    history += [item.model_dump(exclude_none=True) for item in asked.output]
    history.append(
        {"type": "function_call_output", "call_id": call.call_id, "output": "sunny, 20 °C"}
    )
    answered = openai_client.responses.create(
        model="gpt-5", input=history, tools=[TOOL], **STATELESS
    )
    history += [item.model_dump(exclude_none=True) for item in answered.output]
    history.append({"role": "user", "content": "Thanks"})
    closed = openai_client.responses.create(model="gpt-5", input=history, **STATELESS)

    assert reasoning.type == "reasoning"
    assert json.loads(call.arguments) == {"city": "example", "unit": "celsius"}
    assert answered.output_text == "The tool answered: sunny, 20 °C"
    assert closed.output_text == "Simulated reply 2 to: Thanks"


def test_a_stored_conversation(openai_client):
    first = openai_client.responses.create(model="gpt-5", input=QUESTION)
    second = openai_client.responses.create(
        model="gpt-5", input="And in Rome?", previous_response_id=first.id
    )

    assert second.output_text == "Simulated reply 2 to: And in Rome?"
    assert second.previous_response_id == first.id


def test_structured_output_is_parsed(openai_client):
    class Weather(pydantic.BaseModel):
        city: str
        degrees: float

    reply = openai_client.responses.parse(model="gpt-4o", input=QUESTION, text_format=Weather)

    assert reply.output_parsed == Weather(city="example", degrees=1)


@pytest.mark.parametrize(
    "request_",
    [
        {"model": "gpt-4o"},
        {"model": "gpt-5", "reasoning": {"effort": "low", "summary": "auto"}, **STATELESS},
        {"model": "gpt-4o", "tools": [TOOL], "tool_choice": "required"},
        {"model": "gpt-5", "max_output_tokens": 20},
        *({"model": model} for model in GOOD),
    ],
    ids=lambda request: ",".join(request if len(request) > 1 else request.values()),
)
def test_a_stream_adds_up(openai_client, request_):
    whole = openai_client.responses.create(input=QUESTION, **request_)
    texts: dict[int, str] = {}
    with openai_client.responses.create(input=QUESTION, stream=True, **request_) as stream:
        for event in stream:
            if event.type in (
                "response.output_text.delta",
                "response.function_call_arguments.delta",
            ):
                texts[event.output_index] = texts.get(event.output_index, "") + event.delta
    last = event.response

    item = whole.output[-1]
    expected = item.arguments if item.type == "function_call" else whole.output_text
    assert last.status == whole.status
    assert last.output_text == whole.output_text
    assert list(texts.values()) == ([expected] if expected else [])


def test_the_stream_helper_gives_the_final_response(openai_client):
    with openai_client.responses.stream(model="gpt-5", input=QUESTION) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_response()

    assert "response.output_text.delta" in kinds
    assert final.output_text == "Simulated reply to: What is the weather in Paris?"


@pytest.mark.parametrize("model", ERRORS)
def test_errors_get_their_class(openai_client, model):
    with pytest.raises(ERRORS[model]):
        openai_client.responses.create(model=model, input=QUESTION)


@pytest.mark.parametrize("model", ["stream-overloaded-test-model", "stream-late-error-test-model"])
def test_an_error_event_comes_last(openai_client, model):
    with openai_client.responses.create(model=model, input=QUESTION, stream=True) as stream:
        *_, last = stream

    assert last.type == "error"
    assert last.code in ("server_is_overloaded", "server_error")


def test_a_failed_response_says_why(openai_client):
    model = "stream-error-test-model"
    with openai_client.responses.create(model=model, input=QUESTION, stream=True) as stream:
        *_, last = stream

    assert last.type == "response.failed"
    assert last.response.error.code == "server_error"


def test_async_responses_run_at_once(server):
    async def ask() -> list[str]:
        async with openai.AsyncOpenAI(
            api_key="k", base_url=server.openai_base_url, max_retries=0
        ) as client:
            replies = await asyncio.gather(
                *(client.responses.create(model="gpt-4o", input=str(n)) for n in range(20))
            )
            stream = await client.responses.create(model="gpt-4o", input="x", stream=True)
            kinds = [event.type async for event in stream]
        return [*(reply.output_text for reply in replies), kinds[-1]]

    assert asyncio.run(ask()) == [
        *(f"Simulated reply to: {n}" for n in range(20)),
        "response.completed",
    ]
