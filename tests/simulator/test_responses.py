"""OpenAI's Responses API: recorded requests, refusals, and stored responses."""

from __future__ import annotations

import json
from pathlib import Path

import openai
import pydantic
import pytest
from openai.types.responses import Response, ResponseStreamEvent

from specado.simulator import FAULTS, handle
from specado.simulator.models import ModelRules
from specado.simulator.responses_state import seal_reasoning

DATA = Path(__file__).parents[1] / "data" / "recorded_responses_requests.jsonl"
RECORDED = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
REPLY = pydantic.TypeAdapter(Response)
EVENT = pydantic.TypeAdapter(ResponseStreamEvent)
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "unit": {"enum": ["celsius", "fahrenheit"]}},
    "required": ["city", "unit"],
    "additionalProperties": False,
}
TOOL = {"type": "function", "name": "get_weather", "parameters": SCHEMA, "strict": True}
CALL = {"type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "sunny"}
USER = {"role": "user", "content": "What is the weather in Paris?"}
STATELESS = {"store": False, "include": ["reasoning.encrypted_content"]}


def ask(request, key="k", path="/v1/responses", method="POST"):
    headers = {"authorization": f"Bearer {key}"}
    reply = handle(method, path, headers, json.dumps(request).encode(), now_s=0)
    return reply.status, json.loads(reply.body)


def answer(**request):
    status, body = ask({"model": "gpt-5", "input": "Hello", **request})
    assert status == 200, body
    return body


def refusal(**request):
    status, body = ask({"model": "gpt-5", "input": "Hello", **request})
    assert status >= 400, body
    error = body["error"]
    return status, error["code"], error["param"], error["message"]


def events_of(request):
    body = json.dumps({"model": "gpt-5", "input": "Hello", "stream": True, **request}).encode()
    reply = handle("POST", "/v1/responses", {}, body, now_s=0)
    lines = reply.body.decode().split("\n\n")
    pairs = [event.split("\ndata: ", 1) for event in lines if event.startswith("event: ")]
    return [(name[len("event: ") :], json.loads(data)) for name, data in pairs]


def playable(request):
    """Return a recorded request with what the simulator itself keeps and seals."""
    request = json.loads(json.dumps(request))
    for item in request["input"] if isinstance(request["input"], list) else ():
        if item.get("type") == "reasoning":
            item["encrypted_content"] = seal_reasoning(item["id"], "k", request["model"])
    if request.get("previous_response_id"):
        request["previous_response_id"] = answer(model=request["model"])["id"]
    if request.get("conversation"):
        request["conversation"] = ask({}, path="/v1/conversations")[1]["id"]
    return request


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda row: row["id"])
def test_recorded_requests_get_the_recorded_status_and_error(recorded):
    status, body = ask({**playable(recorded["request"]), "stream": False})

    assert status == recorded["status"]
    assert body.get("error") == recorded.get("error")


@pytest.mark.skipif(
    int(openai.__version__.partition(".")[0]) < 3,
    reason="the types of openai 2 lack values that the API has today",
)
@pytest.mark.parametrize("recorded", RECORDED, ids=lambda row: row["id"])
def test_replies_to_recorded_requests_are_of_the_official_types(recorded):
    request = playable(recorded["request"])
    _, body = ask({**request, "stream": False})
    if "error" in body and body["error"] is not None:
        return

    reply = REPLY.validate_json(json.dumps(body), strict=True)
    events = events_of(request)

    assert reply.status in ("completed", "queued")
    for name, event in events:
        assert EVENT.validate_json(json.dumps(event), strict=True).type == name


def test_a_reply_that_asks_for_nothing_special():
    body = answer(model="gpt-4o")

    assert body["output"] == [
        {
            "id": body["output"][0]["id"],
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [
                {
                    "type": "output_text",
                    "text": "Simulated reply to: Hello",
                    "annotations": [],
                    "logprobs": [],
                }
            ],
        }
    ]
    assert body["status"] == "completed"
    assert body["store"] is True
    assert body["usage"] == {
        "input_tokens": 6,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 13,
    }


@pytest.mark.parametrize(
    ("model", "phase"),
    [("gpt-4o", None), ("gpt-5", None), ("gpt-5.4", "final_answer"), ("gpt-5.5", "final_answer")],
)
def test_newer_models_say_which_message_is_the_answer(model, phase):
    body = answer(model=model)
    again = answer(model=model, input=[USER, *body["output"], USER], include=None)

    assert body["output"][-1].get("phase") == phase
    assert again["status"] == "completed"


def test_instructions_are_no_part_of_the_conversation():
    first = answer(instructions="Be brief.")
    second = answer(previous_response_id=first["id"], input="Again")

    assert second["instructions"] is None
    assert second["output"][-1]["content"][0]["text"] == "Simulated reply 2 to: Again"


def test_a_response_that_is_not_stored_is_not_found():
    made = answer(store=False)

    assert refusal(previous_response_id=made["id"]) == (
        400,
        "previous_response_not_found",
        "previous_response_id",
        f"Previous response with id '{made['id']}' not found.",
    )
    assert ask({}, path=f"/v1/responses/{made['id']}", method="GET")[0] == 404


def test_a_stored_response_is_retrieved_and_deleted():
    made = answer(input="To be kept")
    path = f"/v1/responses/{made['id']}"

    assert ask({}, path=path, method="GET") == (200, made)
    assert ask({}, path=path, method="DELETE")[1] == {
        "id": made["id"],
        "object": "response",
        "deleted": True,
    }
    assert ask({}, path=path, method="GET")[0] == 404


def test_a_response_in_the_background_is_queued_and_then_there():
    made = answer(background=True, input="Take your time")
    status, later = ask({}, path=f"/v1/responses/{made['id']}", method="GET")

    assert (made["status"], made["output"], made["usage"]) == ("queued", [], None)
    assert (status, later["status"]) == (200, "completed")
    assert later["output"][-1]["content"][0]["text"] == "Simulated reply to: Take your time"


def test_a_conversation_remembers_its_items():
    made = ask({"items": [{"type": "message", **USER}]}, path="/v1/conversations")[1]
    first = answer(conversation=made["id"], input="And in Rome?")
    second = answer(conversation={"id": made["id"]}, input="And in Oslo?")

    assert first["output"][-1]["content"][0]["text"] == "Simulated reply 2 to: And in Rome?"
    assert second["output"][-1]["content"][0]["text"] == "Simulated reply 3 to: And in Oslo?"
    assert second["conversation"] == {"id": made["id"]}
    assert refusal(conversation="conv_none")[0] == 404


def test_an_item_reference_stands_for_a_stored_item():
    made = answer(model="gpt-4o", input="To be referred to")
    reference = {"type": "item_reference", "id": made["output"][0]["id"]}
    again = answer(model="gpt-4o", input=[USER, reference, {"role": "user", "content": "More"}])

    assert again["output"][0]["content"][0]["text"] == "Simulated reply 2 to: More"
    assert refusal(input=[USER, {"type": "item_reference", "id": "msg_none"}]) == (
        404,
        None,
        "input",
        (
            "Item with id 'msg_none' not found. Items are not persisted when `store` is set to "
            "false. Try again with `store` set to true, or remove this item from your input."
        ),
    )


def test_reasoning_comes_back_encrypted_with_its_message():
    first = answer(**STATELESS, reasoning={"effort": "low", "summary": "auto"})
    reasoning, message = first["output"]
    second = answer(**STATELESS, input=[USER, reasoning, message, USER])

    assert reasoning["summary"][0]["text"].startswith("**Considering the request**")
    assert reasoning["encrypted_content"].startswith("gAAAAA")
    assert first["usage"]["output_tokens_details"]["reasoning_tokens"] == 19
    assert second["output"][-1]["content"][0]["text"].startswith("Simulated reply 2 to: What")
    assert "input_transformations" not in second


def test_reasoning_of_another_family_of_models_is_left_out():
    reasoning, message = answer(**STATELESS)["output"]
    again = answer(**STATELESS, model="o3", input=[USER, reasoning, message, USER])

    assert again["input_transformations"] == [
        {
            "type": "reasoning",
            "action": "removed",
            "id": reasoning["id"],
            "reason": "model_mismatch",
        }
    ]


def test_reasoning_of_another_account_is_refused():
    reasoning, message = answer(**STATELESS)["output"]
    request = {"model": "gpt-5", **STATELESS, "input": [USER, reasoning, message, USER]}
    status, body = ask(request, key="another")

    assert status == 400
    assert body["error"] == {
        "message": f"The encrypted content for item {reasoning['id']} could not be verified. "
        "Reason: Encrypted content organization_id did not match the target organization.",
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_encrypted_content",
    }


@pytest.mark.parametrize("changed", ["gAAAAAunknown", "no base64!", "changed"])
def test_unknown_encrypted_content_is_refused(changed):
    reasoning, message = answer(**STATELESS)["output"]
    if changed == "changed":
        content = reasoning["encrypted_content"]
        changed = f"{content[:60]}{'A' if content[60] != 'A' else 'B'}{content[61:]}"
    spoiled = {**reasoning, "encrypted_content": changed}

    status, code, _, message_text = refusal(input=[USER, spoiled, message, USER])

    assert (status, code) == (400, "invalid_encrypted_content")
    assert message_text.endswith("Encrypted content could not be decrypted or parsed.")


def test_encrypted_content_of_another_item_is_refused():
    first = answer(**STATELESS, input="One")["output"]
    second = answer(**STATELESS, input="Two")["output"]
    mixed = {**first[0], "encrypted_content": second[0]["encrypted_content"]}

    _, code, _, message = refusal(input=[USER, mixed, first[1], USER])

    assert code == "invalid_encrypted_content"
    assert message.endswith("Encrypted content item_id did not match the target item id.")


def test_the_order_of_reasoning_and_its_follower_is_checked():
    reasoning, message = answer(**STATELESS)["output"]
    without = (
        400,
        None,
        "input",
        (
            f"Item '{reasoning['id']}' of type 'reasoning' was provided without its required "
            "following item."
        ),
    )
    alone = (
        400,
        None,
        "input",
        (
            f"Item '{message['id']}' of type 'message' was provided without its required "
            f"'reasoning' item: '{reasoning['id']}'."
        ),
    )

    assert refusal(input=[USER, reasoning]) == without
    assert refusal(input=[USER, reasoning, USER, message]) == without
    assert refusal(input=[USER, message, USER]) == alone
    assert refusal(input=[USER, USER, message, reasoning, USER]) in (without, alone)


def test_both_ids_may_be_left_out():
    reasoning, message = answer(**STATELESS)["output"]
    nameless = {key: value for key, value in message.items() if key != "id"}
    sealed = {key: value for key, value in reasoning.items() if key != "id"}

    assert answer(input=[USER, nameless, USER])["status"] == "completed"
    assert answer(input=[USER, reasoning, nameless, USER])["status"] == "completed"
    assert answer(input=[USER, sealed, nameless, USER])["status"] == "completed"


def test_reasoning_that_was_not_stored_needs_its_content():
    reasoning, message = answer(store=False, input="Not kept")["output"]

    status, code, param, text = refusal(input=[USER, reasoning, message, USER])

    assert (status, code, param) == (404, None, "input")
    assert text.startswith(f"Item with id '{reasoning['id']}' not found.")


def test_items_that_are_known_already_are_duplicates():
    first = answer(input="Kept")

    assert refusal(previous_response_id=first["id"], input=[*first["output"], USER])[3] == (
        f"Duplicate item found with id {first['output'][0]['id']}. Remove duplicate items from "
        "your input and try again."
    )


def test_calls_and_outputs_are_paired_by_call_id():
    asked = answer(tools=[TOOL], tool_choice="required", input="Kept call")
    call = asked["output"][-1]
    output = {**OUTPUT, "call_id": call["call_id"]}
    answered = answer(tools=[TOOL], previous_response_id=asked["id"], input=[output])

    assert json.loads(call["arguments"]) == {"city": "example", "unit": "celsius"}
    assert answered["output"][-1]["content"][0]["text"] == "The tool answered: sunny"
    assert answer(input=[USER, CALL, OUTPUT])["status"] == "completed"
    assert refusal(previous_response_id=asked["id"])[3] == (
        f"No tool output found for function call {call['call_id']}."
    )


SCHEMA_OPEN = {"type": "object", "properties": {"city": {"type": "string"}}}
REFUSED = {
    "an output without its call": (
        {"input": [USER, OUTPUT]},
        (None, "input", "No tool call found for function call output with call_id call_1."),
    ),
    "a call without its output": (
        {"input": [USER, CALL, USER]},
        (None, "input", "No tool output found for function call call_1."),
    ),
    "too few tokens": (
        {"max_output_tokens": 15},
        (
            "integer_below_min_value",
            "max_output_tokens",
            (
                "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, "
                "but got 15 instead."
            ),
        ),
    ),
    "a temperature for a model that reasons": (
        {"model": "o3", "temperature": 1},
        (
            "unsupported_parameter",
            "temperature",
            "Unsupported parameter: 'temperature' is not supported with this model.",
        ),
    ),
    "an effort for a model that does not reason": (
        {"model": "gpt-4o", "reasoning": {"effort": "low"}},
        (
            "unsupported_parameter",
            "reasoning.effort",
            "Unsupported parameter: 'reasoning.effort' is not supported with this model.",
        ),
    ),
    "encrypted reasoning of a model that does not reason": (
        {"model": "gpt-4o", **STATELESS},
        (None, "include", "Encrypted content is not supported with this model."),
    ),
    "encrypted reasoning of a response that is to be stored": (
        {"store": True, "include": ["reasoning.encrypted_content"]},
        (
            None,
            "include",
            (
                "Encrypted content cannot be requested for persisted responses. Set 'store' to "
                "false to use 'reasoning.encrypted_content'."
            ),
        ),
    ),
    "an unknown effort": (
        {"model": "o3", "reasoning": {"effort": "minimal"}},
        (
            "unsupported_value",
            "reasoning.effort",
            (
                "Unsupported value: 'minimal' is not supported with the 'o3' model. Supported "
                "values are: 'low', 'medium', and 'high'."
            ),
        ),
    ),
    "JSON without the word": (
        {"text": {"format": {"type": "json_object"}}, "instructions": "Answer in JSON."},
        (
            None,
            "input",
            (
                "Response input messages must contain the word 'json' in some form to use "
                "'text.format' of type 'json_object'."
            ),
        ),
    ),
    "a strict schema that is open": (
        {"tools": [{**TOOL, "parameters": SCHEMA_OPEN}]},
        (
            "invalid_function_parameters",
            "tools[0].parameters",
            (
                "Invalid schema for function 'get_weather': In context=(), 'additionalProperties' "
                "is required to be supplied and to be false."
            ),
        ),
    ),
    "chat's form of a tool": (
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        ("unknown_parameter", "tools[0].function", "Unknown parameter: 'tools[0].function'."),
    ),
    "chat's parameters": (
        {"messages": []},
        ("unknown_parameter", "messages", "Unknown parameter: 'messages'."),
    ),
    "chat's parts": (
        {"input": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]},
        (
            "invalid_value",
            "input[0].content[0].type",
            (
                "Invalid value: 'text'. Supported values are: 'input_text', 'input_image', "
                "'input_file', 'output_text', and 'refusal'."
            ),
        ),
    ),
    "an assistant's input text": (
        {
            "input": [
                USER,
                {"role": "assistant", "content": [{"type": "input_text", "text": "hi"}]},
            ]
        },
        (
            "invalid_value",
            "input[1].content[0]",
            "Invalid value: 'input_text'. Supported values are: 'output_text' and 'refusal'.",
        ),
    ),
    "an id of another kind of item": (
        {"input": [USER, {**CALL, "id": "call_1"}, OUTPUT]},
        (
            "invalid_value",
            "input[1].id",
            "Invalid 'input[1].id': 'call_1'. Expected an ID that begins with 'fc'.",
        ),
    ),
    "a choice that is no tool": (
        {"tools": [TOOL], "tool_choice": {"type": "function", "name": "other"}},
        (None, "tool_choice", "Tool choice 'other' not found in 'tools' parameter."),
    ),
    "stream options without a stream": (
        {"stream_options": {"include_obfuscation": False}},
        (
            None,
            "stream_options",
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
        ),
    ),
    "two histories": (
        {"previous_response_id": "resp_1", "conversation": "conv_1"},
        (
            "mutually_exclusive_parameters",
            "previous_response_id",
            (
                "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Only "
                "one of them can be set."
            ),
        ),
    ),
    "nothing to answer": (
        {"input": None},
        (
            "missing_required_parameter",
            "input",
            (
                'One of "input" or "previous_response_id" or "prompt" or "conversation" must be '
                "provided."
            ),
        ),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    request, expected = REFUSED[name]

    assert refusal(**request) == (400, *expected)


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/v1/responses", 400, "The model `own` is not supported with the Responses API."),
        (
            "/v1/chat/completions",
            404,
            "This model is only supported in v1/responses and not in v1/chat/completions.",
        ),
    ],
)
def test_a_model_of_the_other_api_only(path, status, message):
    body = {"model": "own", "input": "Hello", "messages": [USER]}
    body.pop("messages" if path.endswith("responses") else "input")
    rules = ModelRules("own", is_served=False)
    reply = handle("POST", path, {}, json.dumps(body).encode(), models=lambda *_: rules)

    assert reply.status == status
    assert json.loads(reply.body)["error"]["message"] == message


def test_a_function_without_strict_is_made_strict():
    tool = {"type": "function", "name": "get_weather", "parameters": SCHEMA_OPEN}
    body = answer(tools=[tool], tool_choice="required")
    loose = answer(tools=[{**tool, "strict": False}], tool_choice="required")

    assert body["tools"][0]["strict"] is True
    assert body["tools"][0]["parameters"] == {
        **SCHEMA_OPEN,
        "required": ["city"],
        "additionalProperties": False,
    }
    assert loose["tools"][0]["strict"] is False
    assert loose["tools"][0]["parameters"] == SCHEMA_OPEN


def test_an_answer_obeys_the_format():
    form = {"type": "json_schema", "name": "weather", "schema": SCHEMA, "strict": True}
    body = answer(text={"format": form})

    assert json.loads(body["output"][-1]["content"][0]["text"]) == {
        "city": "example",
        "unit": "celsius",
    }
    assert body["text"]["format"] == {**form, "description": None}


def test_a_custom_tool_gets_free_text():
    tool = {"type": "custom", "name": "run_code"}
    choice = {"type": "custom", "name": "run_code"}
    body = answer(tools=[tool], tool_choice=choice, input="print(1)")

    item = body["output"][-1]
    assert (item["type"], item["name"], item["input"]) == (
        "custom_tool_call",
        "run_code",
        "print(1)",
    )


@pytest.mark.parametrize(("limit", "kinds"), [(16, ["reasoning"]), (20, ["reasoning", "message"])])
def test_a_response_that_is_cut_is_incomplete(limit, kinds):
    body = answer(max_output_tokens=limit)

    assert body["status"] == "incomplete"
    assert body["incomplete_details"] == {"reason": "max_output_tokens"}
    assert [item["type"] for item in body["output"]] == kinds
    assert body["usage"]["output_tokens"] == limit


STREAMED = {
    "text": {"model": "gpt-4o"},
    "reasoning": {**STATELESS, "reasoning": {"summary": "auto"}},
    "tool": {"tools": [TOOL], "tool_choice": "required"},
    "custom": {"tools": [{"type": "custom", "name": "run"}], "tool_choice": "required"},
    "logprobs": {"model": "gpt-4o", "top_logprobs": 2},
    "cut": {"max_output_tokens": 20},
    "background": {"background": True},
}


@pytest.mark.parametrize("name", STREAMED)
def test_a_stream_adds_up_to_its_last_event(name):
    events = events_of(STREAMED[name])
    whole = events[-1][1]["response"]
    grown: dict[int, str] = {}
    for kind, event in events:
        assert event["type"] == kind
        if kind.endswith(".delta"):
            place = event["output_index"]
            grown[place] = grown.get(place, "") + event["delta"]

    texts = {}
    for place, item in enumerate(whole["output"]):
        parts = item.get("content") or item.get("summary") or ()
        text = item.get("arguments") or item.get("input") or "".join(p["text"] for p in parts)
        if text:
            texts[place] = text
    done = [event["item"] for kind, event in events if kind == "response.output_item.done"]
    assert [event["sequence_number"] for _, event in events] == list(range(len(events)))
    assert events[-1][0] == ("response.incomplete" if name == "cut" else "response.completed")
    assert grown == texts
    assert done == whole["output"]
    assert events[0][1]["response"]["usage"] is None


def test_encrypted_content_is_complete_only_when_its_item_is_done():
    events = events_of(STATELESS)
    added = next(event["item"] for kind, event in events if kind.endswith("item.added"))
    done = next(event["item"] for kind, event in events if kind.endswith("item.done"))

    assert len(added["encrypted_content"]) == 64
    assert len(done["encrypted_content"]) == 252


@pytest.mark.parametrize("obfuscated", [True, False])
def test_deltas_are_obfuscated_unless_that_is_ruled_out(obfuscated):
    options = {} if obfuscated else {"stream_options": {"include_obfuscation": False}}
    deltas = [event for kind, event in events_of(options) if kind.endswith(".delta")]

    assert all(("obfuscation" in event) is obfuscated for event in deltas)


@pytest.mark.parametrize(
    ("model", "kind", "code"),
    [
        ("stream-error-test-model", "response.failed", "server_error"),
        ("stream-overloaded-test-model", "error", "server_is_overloaded"),
        ("stream-late-error-test-model", "error", "server_error"),
    ],
)
def test_an_error_within_a_stream(model, kind, code):
    events = events_of({"model": model})
    name, event = events[-1]
    error = event["response"]["error"] if kind == "response.failed" else event

    assert name == kind
    assert error["code"] == code
    assert event["sequence_number"] == len(events) - 1
    assert EVENT.validate_json(json.dumps(event), strict=True).type == kind


def test_a_stream_that_ends_without_its_terminal_event():
    events = events_of({"model": "stream-unterminated-test-model"})

    assert events[-1][0] == "response.output_item.done"


def test_an_empty_response_has_no_output():
    _, body = ask({"model": "empty-test-model", "input": "Hello"})
    events = events_of({"model": "empty-test-model"})

    assert (body["status"], body["output"]) == ("completed", [])
    assert [kind for kind, _ in events] == [
        "response.created",
        "response.in_progress",
        "response.completed",
    ]


@pytest.mark.parametrize(
    "model", [name for name, fault in FAULTS.items() if fault.openai and "stream" not in name]
)
def test_errors_are_those_of_this_api(model):
    status, body = ask({"model": model, "input": "Hello"})
    fault = FAULTS[model]
    expected = fault.responses or fault.openai

    assert (status, body["error"]["code"]) == (expected.status, expected.code)
