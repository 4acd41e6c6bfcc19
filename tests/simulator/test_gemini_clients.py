"""The official `google-genai` package's client against the simulator's socket."""

from __future__ import annotations

import asyncio

import pydantic
import pytest

genai = pytest.importorskip("google.genai", reason="google-genai needs Python 3.10 or newer")

from google.genai import errors, types  # noqa: E402
from google.oauth2.credentials import Credentials  # noqa: E402

QUESTION = "What is the weather in Paris? It has been raining for days."
ANSWER = f"Simulated reply to: {QUESTION}"
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "unit": {"enum": ["celsius", "fahrenheit"]}},
    "required": ["city", "unit"],
}
DECLARED = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(name="get_weather", parameters_json_schema=SCHEMA)
    ]
)
FORCED = types.ToolConfig(
    function_calling_config=types.FunctionCallingConfig(mode=types.FunctionCallingConfigMode.ANY)
)
MODELS = ["gemini-2.0-flash", "gemini-2.5-pro", "gemini-3-flash-preview", "gemini-3.5-flash"]
ERRORS = {
    "rate-limit-test-model": (errors.ClientError, 429),
    "quota-test-model": (errors.ClientError, 429),
    "auth-error-test-model": (errors.ClientError, 400),
    "permission-test-model": (errors.ClientError, 403),
    "context-length-test-model": (errors.ClientError, 400),
    "not-found-test-model": (errors.ClientError, 404),
    "server-error-test-model": (errors.ServerError, 500),
    "overloaded-test-model": (errors.ServerError, 503),
    "bad-gateway-test-model": (errors.ServerError, 502),
    "stream-error-test-model": (errors.ServerError, 500),
    "stream-overloaded-test-model": (errors.ServerError, 503),
    "stream-late-error-test-model": (errors.ServerError, 500),
}
# The package reads no comments within a stream: `stream-ping-test-model` is not for it.
GOOD = [
    "slow-test-model",
    "stream-bytewise-test-model",
    "stream-crlf-test-model",
    "stream-cr-test-model",
]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("specado.simulator.server.SLOW_REPLY_S", 0.01)


def options(server, version):
    return types.HttpOptions(base_url=server.gemini_base_url, api_version=version)


@pytest.fixture(scope="module")
def studio(server):
    with genai.Client(api_key="k", http_options=options(server, "v1beta")) as client:
        yield client


@pytest.fixture(scope="module")
def vertex(server):
    with genai.Client(
        vertexai=True,
        project="p",
        location="global",
        credentials=Credentials(token="t"),
        http_options=options(server, "v1beta1"),
    ) as client:
        yield client


@pytest.fixture(params=["studio", "vertex"])
def client(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("model", MODELS)
def test_a_whole_answer(client, model):
    reply = client.models.generate_content(model=model, contents=QUESTION)

    assert reply.text == ANSWER
    assert reply.candidates[0].finish_reason is types.FinishReason.STOP
    assert reply.model_version == model


@pytest.mark.parametrize("model", [*MODELS, *GOOD])
def test_a_stream_adds_up(client, model):
    chunks = list(client.models.generate_content_stream(model=model, contents=QUESTION))
    reasons = [chunk.candidates[0].finish_reason for chunk in chunks]

    assert "".join(chunk.text or "" for chunk in chunks) == ANSWER
    assert reasons == [None] * (len(chunks) - 1) + [types.FinishReason.STOP]


def test_thoughts_are_parts_of_their_own(studio):
    config = types.GenerateContentConfig(
        thinking_config=types.ThinkingConfig(include_thoughts=True)
    )
    reply = studio.models.generate_content(
        model="gemini-2.5-flash", contents=QUESTION, config=config
    )
    thought, text = reply.candidates[0].content.parts

    assert (thought.thought, text.thought) == (True, None)
    assert reply.usage_metadata.thoughts_token_count == 19


@pytest.mark.parametrize("model", MODELS)
def test_a_tool_round_trip(client, model):
    question = types.Content(role="user", parts=[types.Part(text=QUESTION)])
    asked = client.models.generate_content(
        model=model,
        contents=[question],
        config=types.GenerateContentConfig(tools=[DECLARED], tool_config=FORCED),
    )
    called = asked.function_calls[0]
    result = types.Part(
        function_response=types.FunctionResponse(
            id=called.id, name=called.name, response={"output": "sunny"}
        )
    )
    answered = client.models.generate_content(
        model=model,
        contents=[
            question,
            asked.candidates[0].content,
            types.Content(role="user", parts=[result]),
        ],
        config=types.GenerateContentConfig(tools=[DECLARED]),
    )

    assert called.args == {"city": "example", "unit": "celsius"}
    assert answered.text == "The tool answered: sunny"


def test_functions_are_called_by_the_package_itself(studio):
    asked = []

    def get_weather(city: str) -> str:
        """Return the weather of a city."""
        asked.append(city)
        return "sunny"

    reply = studio.models.generate_content(
        model="gemini-3-flash-preview",
        contents=QUESTION,
        config=types.GenerateContentConfig(tools=[get_weather]),
    )

    assert asked == ["example"]
    assert reply.text == 'The tool answered: {"result":"sunny"}'


def test_a_chat_sends_back_what_it_got(client):
    chat = client.chats.create(model="gemini-3-flash-preview")
    first = chat.send_message("Hello")
    streamed = "".join(chunk.text or "" for chunk in chat.send_message_stream("And now?"))
    third = chat.send_message("Good")

    assert first.text == "Simulated reply to: Hello"
    assert streamed == "Simulated reply 2 to: And now?"
    assert third.text == "Simulated reply 3 to: Good"


def test_structured_output_is_parsed(client):
    class Weather(pydantic.BaseModel):
        city: str
        degrees: float

    config = types.GenerateContentConfig(
        response_mime_type="application/json", response_schema=Weather
    )
    reply = client.models.generate_content(
        model="gemini-3-flash-preview", contents=QUESTION, config=config
    )

    assert reply.parsed == Weather(city="example", degrees=1)


def test_images_are_counted_apart(studio):
    image = types.Part.from_bytes(data=b"\x89PNG", mime_type="image/png")
    reply = studio.models.generate_content(
        model="gemini-2.5-flash", contents=["What is this?", image]
    )
    details = {
        row.modality.value: row.token_count for row in reply.usage_metadata.prompt_tokens_details
    }

    assert reply.text == "Simulated reply to: What is this? (with 1 attachment)"
    assert details["IMAGE"] == 258


def test_a_blocked_prompt_has_no_candidates(studio):
    model = "content-policy-test-model"
    reply = studio.models.generate_content(model=model, contents=QUESTION)
    (chunk,) = studio.models.generate_content_stream(model=model, contents=QUESTION)

    assert reply.candidates is None
    assert reply.prompt_feedback.block_reason is types.BlockedReason.PROHIBITED_CONTENT
    assert chunk.prompt_feedback.block_reason is types.BlockedReason.PROHIBITED_CONTENT


@pytest.mark.parametrize("model", ERRORS)
def test_errors_get_their_class(studio, model):
    kind, code = ERRORS[model]
    ask = studio.models.generate_content
    if model.startswith("stream-"):

        def ask(**request):
            return list(studio.models.generate_content_stream(**request))

    with pytest.raises(kind) as caught:
        ask(model=model, contents=QUESTION)

    assert caught.value.code == code


@pytest.mark.parametrize("model", ["stream-cut-test-model", "stream-early-cut-test-model"])
def test_a_stream_that_is_cut_fails(studio, model):
    with pytest.raises(Exception, match=r"peer closed connection|incomplete"):
        list(studio.models.generate_content_stream(model=model, contents=QUESTION))


def test_an_unterminated_stream_is_not_noticed(studio):
    chunks = list(
        studio.models.generate_content_stream(
            model="stream-unterminated-test-model", contents=QUESTION
        )
    )

    assert chunks[-1].candidates[0].finish_reason is None


def test_a_wrong_key(server):
    with (
        genai.Client(api_key="wrong", http_options=options(server, "v1beta")) as client,
        pytest.raises(errors.ClientError, match="API key not valid"),
    ):
        client.models.generate_content(model="gemini-2.5-flash", contents=QUESTION)


def test_models_and_token_counts(studio):
    names = {model.name for model in studio.models.list()}
    counted = studio.models.count_tokens(model="gemini-2.5-flash", contents="Hello")

    assert "models/gemini-2.5-pro" in names
    assert studio.models.get(model="gemini-2.5-pro").name == "models/gemini-2.5-pro"
    assert counted.total_tokens == 6


def test_async_answers_and_streams(server):
    async def ask():
        client = genai.Client(api_key="k", http_options=options(server, "v1beta")).aio
        try:
            replies = await asyncio.gather(
                *(
                    client.models.generate_content(model="gemini-2.5-flash", contents=str(number))
                    for number in range(20)
                )
            )
            stream = await client.models.generate_content_stream(
                model="gemini-3-flash-preview", contents=QUESTION
            )
            streamed = "".join([chunk.text or "" async for chunk in stream])
        finally:
            await client.aclose()
        return [reply.text for reply in replies], streamed

    texts, streamed = asyncio.run(ask())

    assert texts == [f"Simulated reply to: {number}" for number in range(20)]
    assert streamed == ANSWER
