"""The packages of Groq, Mistral and Azure OpenAI against the simulator's socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from specado.simulator.server import Server

QUESTION = "What is the weather in Paris?"
ANSWER = f"Simulated reply to: {QUESTION}"
ASKED: Any = [{"role": "user", "content": QUESTION}]
TOOL: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


class TestGroq:
    """Chat completions of the `groq` package."""

    MODEL = "openai/gpt-oss-120b"

    @pytest.fixture
    def groq(self, server: Server) -> Iterator[Any]:
        module = pytest.importorskip("groq", reason="groq needs Python 3.10 or newer")
        with module.Groq(api_key="k", base_url=f"{server.url}/groq", max_retries=0) as client:
            yield client

    def test_a_whole_answer(self, groq: Any) -> None:
        reply = groq.chat.completions.create(
            model=self.MODEL, messages=ASKED, reasoning_effort="low"
        )

        assert reply.choices[0].message.content == ANSWER
        assert reply.choices[0].message.reasoning == "Simulated reasoning."
        assert reply.usage.queue_time == 0.1

    def test_a_stream_has_its_usage(self, groq: Any) -> None:
        chunks = list(groq.chat.completions.create(model=self.MODEL, messages=ASKED, stream=True))

        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == ANSWER
        assert chunks[-1].x_groq.usage.total_tokens > 0

    def test_a_tool_round_trip(self, groq: Any) -> None:
        asked = groq.chat.completions.create(
            model=self.MODEL, messages=ASKED, tools=[TOOL], tool_choice="required"
        )
        message = asked.choices[0].message
        (call,) = message.tool_calls
        result = {"role": "tool", "tool_call_id": call.id, "content": "rain"}
        history = [*ASKED, message.model_dump(exclude_none=True), result]
        answered = groq.chat.completions.create(model=self.MODEL, messages=history, tools=[TOOL])

        assert asked.choices[0].finish_reason == "tool_calls"
        assert answered.choices[0].message.content == "The tool answered: rain"

    def test_errors(self, groq: Any) -> None:
        module = pytest.importorskip("groq", reason="groq needs Python 3.10 or newer")
        create = groq.chat.completions.create

        with pytest.raises(module.RateLimitError):
            create(model="rate-limit-test-model", messages=ASKED)
        with pytest.raises(module.NotFoundError):
            create(model="llama-3.3-70b-versatlie", messages=ASKED)
        with pytest.raises(module.BadRequestError):
            create(model=self.MODEL, messages=ASKED, logprobs=True)
        with pytest.raises(module.APIError):
            list(create(model="stream-error-test-model", messages=ASKED, stream=True))


class TestMistral:
    """Chat completions of the `mistralai` package."""

    MODEL = "mistral-large-latest"

    @pytest.fixture
    def mistral(self, server: Server) -> Iterator[Any]:
        module = pytest.importorskip("mistralai.client", reason="mistralai needs Python 3.10")
        with module.Mistral(api_key="k", server_url=f"{server.url}/mistral") as client:
            yield client

    def test_a_whole_answer(self, mistral: Any) -> None:
        reply = mistral.chat.complete(model=self.MODEL, messages=ASKED, random_seed=7)

        assert reply.choices[0].message.content == ANSWER
        assert reply.choices[0].finish_reason == "stop"

    def test_a_stream_has_its_usage(self, mistral: Any) -> None:
        with mistral.chat.stream(model=self.MODEL, messages=ASKED) as events:
            chunks = [event.data for event in events]

        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == ANSWER
        assert chunks[-1].usage.total_tokens > 0

    def test_thinking_is_a_part_of_the_content(self, mistral: Any) -> None:
        reply = mistral.chat.complete(model=self.MODEL, messages=ASKED, reasoning_effort="high")
        thought, text = reply.choices[0].message.content

        assert thought.thinking[0].text == "Simulated reasoning."
        assert text.text == ANSWER

    def test_a_call_has_an_id_of_nine_characters(self, mistral: Any) -> None:
        reply = mistral.chat.complete(
            model=self.MODEL, messages=ASKED, tools=[TOOL], tool_choice="any"
        )
        (call,) = reply.choices[0].message.tool_calls

        assert len(call.id) == 9
        assert reply.choices[0].finish_reason == "tool_calls"


class TestAzure:
    """Chat completions of the `openai` package's client for Azure OpenAI."""

    MODEL = "my-deployment"

    @pytest.fixture
    def azure(self, server: Server) -> Iterator[openai.AzureOpenAI]:
        with openai.AzureOpenAI(
            azure_endpoint=f"{server.url}/azure",
            api_key="k",
            api_version="2024-12-01-preview",
            max_retries=0,
        ) as client:
            yield client

    def test_a_whole_answer(self, azure: openai.AzureOpenAI) -> None:
        reply: Any = azure.chat.completions.create(model=self.MODEL, messages=ASKED)

        assert reply.choices[0].message.content == ANSWER
        assert reply.choices[0].content_filter_results["hate"] == {
            "filtered": False,
            "severity": "safe",
        }
        assert reply.prompt_filter_results[0]["prompt_index"] == 0

    def test_the_first_chunk_has_no_choices(self, azure: openai.AzureOpenAI) -> None:
        chunks = list(azure.chat.completions.create(model=self.MODEL, messages=ASKED, stream=True))

        assert (chunks[0].choices, chunks[0].model) == ([], "")
        told = [choice.delta.content or "" for chunk in chunks for choice in chunk.choices]
        assert "".join(told) == ANSWER

    def test_a_filtered_prompt(self, azure: openai.AzureOpenAI) -> None:
        with pytest.raises(openai.BadRequestError) as caught:
            azure.chat.completions.create(model="content-policy-test-model", messages=ASKED)

        body: Any = caught.value.body
        assert body["code"] == "content_filter"
        assert body["innererror"]["content_filter_result"]["hate"]["filtered"] is True

    def test_the_newer_address_and_a_wrong_key(self, server: Server) -> None:
        url = f"{server.url}/azure/openai/v1"
        with openai.OpenAI(api_key="k", base_url=url, max_retries=0) as client:
            reply = client.chat.completions.create(model=self.MODEL, messages=ASKED)
        with (
            openai.OpenAI(api_key="wrong", base_url=url, max_retries=0) as client,
            pytest.raises(openai.AuthenticationError),
        ):
            client.chat.completions.create(model=self.MODEL, messages=ASKED)

        assert reply.choices[0].message.content == ANSWER
