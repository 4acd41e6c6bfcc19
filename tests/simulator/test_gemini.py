"""Google's Gemini API: recorded requests, refusals, signatures and streams."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from specado.simulator import FAULTS, handle

DATA = Path(__file__).parents[1] / "data" / "recorded_gemini_requests.jsonl"
RECORDED = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
STAND_IN = "skip_thought_signature_validator"
VERTEX = "/v1beta1/projects/p/locations/global/publishers/google"
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "unit": {"enum": ["celsius", "fahrenheit"]}},
    "required": ["city", "unit"],
}
TOOL = {"functionDeclarations": [{"name": "get_weather", "parametersJsonSchema": SCHEMA}]}
FORCED = {"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}}


def user(*parts):
    made = [{"text": part} if isinstance(part, str) else part for part in parts]
    return {"role": "user", "parts": made}


def model(*parts):
    return {**user(*parts), "role": "model"}


def call(signature=None, name="get_weather"):
    part = {"functionCall": {"name": name, "args": {}}}
    return part if signature is None else {**part, "thoughtSignature": signature}


def result(name="get_weather"):
    return {"functionResponse": {"name": name, "response": {"output": "sunny"}}}


QUESTION = user("What is the weather in Paris?")


def send(request, name="gemini-2.5-flash", prefix="/v1beta", method="generateContent"):
    path = f"{prefix}/models/{name}:{method}"
    return handle("POST", path, {}, json.dumps(request).encode(), now_s=0)


def ask(contents=(QUESTION,), *, name="gemini-2.5-flash", prefix="/v1beta", **request):
    reply = send({"contents": list(contents), **request}, name, prefix)
    assert reply.status == 200, reply.body
    return json.loads(reply.body)


def refusal(contents=(QUESTION,), *, name="gemini-2.5-flash", prefix="/v1beta", **request):
    reply = send({"contents": list(contents), **request}, name, prefix)
    error = json.loads(reply.body)["error"]
    assert error["code"] == reply.status
    return reply.status, error["status"], error["message"]


def parts_of(reply):
    return reply["candidates"][0]["content"]["parts"]


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda row: row["id"])
def test_recorded_requests_get_the_recorded_status_and_error(recorded):
    body = json.dumps(recorded["request"]).replace('"recorded"', f'"{STAND_IN}"')
    reply = handle("POST", recorded["path"], {}, body.encode(), now_s=0)

    assert reply.status == recorded["status"]
    if recorded["status"] != 200:
        assert json.loads(reply.body)["error"] == recorded["error"]


def test_a_reply_that_asks_for_nothing_special():
    assert ask([user("Hello")], name="gemini-2.0-flash") == {
        "candidates": [
            {
                "content": {"parts": [{"text": "Simulated reply to: Hello"}], "role": "model"},
                "finishReason": "STOP",
                "index": 0,
            }
        ],
        "usageMetadata": {
            "promptTokenCount": 6,
            "candidatesTokenCount": 7,
            "totalTokenCount": 13,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 6}],
        },
        "modelVersion": "gemini-2.0-flash",
        "responseId": "sim-fcbe23a5697e3e335a8a02b8",
    }


def test_a_reply_of_vertex_ai():
    reply = ask([user("Hello")], name="gemini-2.0-flash", prefix=VERTEX)

    assert "index" not in reply["candidates"][0]
    assert reply["createTime"] == "1970-01-01T00:00:00.000000Z"
    assert reply["usageMetadata"]["trafficType"] == "ON_DEMAND"
    assert reply["usageMetadata"]["candidatesTokensDetails"] == [
        {"modality": "TEXT", "tokenCount": 7}
    ]


@pytest.mark.parametrize(
    ("name", "config", "thoughts"),
    [
        ("gemini-2.0-flash", {}, None),
        ("gemini-2.5-flash", {}, 19),
        ("gemini-2.5-flash", {"thinkingBudget": 0}, None),
        ("gemini-2.5-flash-lite", {}, None),
        ("gemini-2.5-flash-lite", {"thinkingBudget": 512}, 19),
        ("gemini-2.5-pro", {"thinkingBudget": -1}, 19),
        ("gemini-3-flash-preview", {}, 19),
        ("gemini-3-flash-preview", {"thinkingLevel": "minimal"}, None),
        ("gemini-3-pro-preview", {"thinkingLevel": "LOW"}, 19),
    ],
)
def test_thinking_is_counted_apart(name, config, thoughts):
    usage = ask(name=name, generationConfig={"thinkingConfig": config})["usageMetadata"]

    assert usage.get("thoughtsTokenCount") == thoughts
    assert usage["totalTokenCount"] == (
        usage["promptTokenCount"] + usage["candidatesTokenCount"] + (thoughts or 0)
    )


def test_thoughts_are_shown_when_asked_for():
    config = {"thinkingConfig": {"includeThoughts": True}}
    thought, text = parts_of(ask(generationConfig=config))

    assert thought["thought"] is True
    assert thought["text"].startswith("**Considering the request**")
    assert text == {"text": "Simulated reply to: What is the weather in Paris?"}


@pytest.mark.parametrize("prefix", ["/v1beta", VERTEX])
def test_a_tool_round_trip_with_its_signature(prefix):
    name = "gemini-3-flash-preview"
    asked = ask(name=name, prefix=prefix, tools=[TOOL], **FORCED)
    content = asked["candidates"][0]["content"]
    made = content["parts"][0]["functionCall"]
    answered = ask([QUESTION, content, user(result())], name=name, prefix=prefix, tools=[TOOL])
    text = parts_of(answered)[0]

    assert made["args"] == {"city": "example", "unit": "celsius"}
    assert ("id" in made) is (prefix == "/v1beta")
    assert base64.b64decode(content["parts"][0]["thoughtSignature"])
    assert text["text"] == "The tool answered: sunny"
    assert text["thoughtSignature"] != content["parts"][0]["thoughtSignature"]


MISSING = (
    400,
    "INVALID_ARGUMENT",
    (
        "Function call is missing a thought_signature in functionCall parts. This is required for "
        "tools to work correctly, and missing thought_signature may lead to degraded model "
        "performance. Additional data, function call `default_api:get_weather` , position 2. "
        "Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details."
    ),
)
CORRUPTED = (400, "INVALID_ARGUMENT", "Corrupted thought signature.")


def signed(prefix="/v1beta", name="gemini-3-flash-preview"):
    return parts_of(ask(name=name, prefix=prefix, tools=[TOOL], **FORCED))[0]["thoughtSignature"]


@pytest.mark.parametrize("name", ["gemini-3-flash-preview", "gemini-3.5-flash"])
def test_the_first_call_of_each_step_of_the_turn_needs_its_signature(name):
    first = [QUESTION, model(call()), user(result())]
    later = [QUESTION, model(call(signed())), user(result()), model(call()), user(result())]

    assert refusal(first, name=name) == MISSING
    assert "position 4" in refusal(later, name=name)[2]


@pytest.mark.parametrize(
    "contents",
    [
        [QUESTION, model(call(STAND_IN)), user(result())],
        [QUESTION, model(call("context_engineering_is_the_way_to_go")), user(result())],
        [QUESTION, model(call(STAND_IN), call()), user(result(), result())],
        [QUESTION, model(call()), user(result()), model("It is sunny."), QUESTION],
        [QUESTION, model(call("AAAA")), user(result()), model("It is sunny."), QUESTION],
    ],
    ids=["stand-in", "other stand-in", "parallel", "earlier turn", "corrupted earlier turn"],
)
def test_histories_that_need_no_signature_of_its_own(contents):
    assert ask(contents, name="gemini-3-flash-preview")["candidates"]


def test_older_models_need_no_signature():
    contents = [QUESTION, model(call()), user(result())]

    assert ask(contents, name="gemini-2.5-flash")["candidates"]


def test_a_changed_signature_is_refused():
    good = signed()
    spoiled = good[:40] + ("A" if good[40] != "A" else "B") + good[41:]
    contents = [QUESTION, model(call(spoiled)), user(result())]

    assert refusal(contents, name="gemini-3-flash-preview") == CORRUPTED
    assert refusal(contents, name="gemini-2.5-flash") == CORRUPTED


def test_a_signature_of_another_call_is_refused():
    contents = [QUESTION, model(call(signed(), name="get_time")), user(result("get_time"))]

    assert refusal(contents, name="gemini-3-flash-preview") == CORRUPTED


def test_each_endpoint_refuses_the_signatures_of_the_other():
    name = "gemini-3-flash-preview"
    of_vertex = [QUESTION, model(call(signed(VERTEX))), user(result())]
    of_studio = [QUESTION, model(call(signed())), user(result())]

    assert ask(of_vertex, name=name, prefix=VERTEX)["candidates"]
    assert refusal(of_vertex, name=name) == CORRUPTED
    assert refusal(of_studio, name=name, prefix=VERTEX)[2] == "Thought signature is not valid."


COUNT = (
    "Please ensure that the number of function response parts is equal to the number of function "
    "call parts of the function call turn."
)
TURNS = {
    "one result for two calls": ([QUESTION, model(call(), call()), user(result())], COUNT),
    "no result": ([QUESTION, model(call()), user("Go on")], COUNT),
    "a result without a call": (
        [QUESTION, model("Hm."), user(result())],
        "Please ensure that function response turn comes immediately after a function call turn.",
    ),
    "a call at the beginning": (
        [model(call()), user(result())],
        (
            "Please ensure that function call turn comes immediately after a user turn or after a "
            "function response turn."
        ),
    ),
    "nothing": ([], "* GenerateContentRequest.contents: contents is not specified\n"),
    "no parts": (
        [{"role": "user", "parts": []}],
        "* GenerateContentRequest.contents[0].parts: contents.parts must not be empty.\n",
    ),
    "an empty part": (
        [user({"thought": True})],
        (
            "* GenerateContentRequest.contents[0].parts[0].data: required oneof field 'data' must "
            "have one initialized field\n"
        ),
    ),
    "another role": (
        [{**QUESTION, "role": "assistant"}],
        "Please use a valid role: user, model.",
    ),
    "a GIF": (
        [user({"inlineData": {"mimeType": "image/gif", "data": "R0lGODlh"}})],
        "Unsupported MIME type: image/gif",
    ),
    "a bucket": (
        [user({"fileData": {"mimeType": "image/png", "fileUri": "gs://bucket/a.png"}})],
        "Invalid or unsupported file uri: gs://bucket/a.png",
    ),
}


@pytest.mark.parametrize("case", TURNS)
def test_contents_that_are_refused(case):
    contents, message = TURNS[case]

    assert refusal(contents) == (400, "INVALID_ARGUMENT", message)


def test_results_may_stand_in_contents_of_their_own():
    contents = [QUESTION, model(call(), call()), user(result()), user(result())]

    assert parts_of(ask(contents))[0]["text"] == "The tool answered: sunny"


NEEDS_SERVER_SIDE = (
    "Please enable tool_config.include_server_side_tool_invocations to use Built-in tools with "
    "Function calling."
)
JSON_MODE = {"generationConfig": {"responseMimeType": "application/json"}}
REFUSED = {
    "temperature": (
        {"generationConfig": {"temperature": 2.5}},
        (
            "* GenerateContentRequest.generation_config.temperature: temperature must be in the "
            "range [0.0, 2.0].\n"
        ),
    ),
    "stop sequences": (
        {"generationConfig": {"stopSequences": list("abcdef")}},
        "* GenerateContentRequest.generation_config.stop_sequences: at most 5 are allowed.\n",
    ),
    "two candidates of the newest": (
        {"name": "gemini-3-flash-preview", "generationConfig": {"candidateCount": 2}},
        "Multiple candidates is not enabled for this model",
    ),
    "a last turn of the model": (
        {"name": "gemini-3.6-flash", "contents": [QUESTION, model("It is")]},
        (
            "The last turn of contents must not be of role model: prefilling the answer is not "
            "supported by this model."
        ),
    ),
    "penalties on the newest": (
        {"name": "gemini-3-flash-preview", "generationConfig": {"presencePenalty": 1}},
        "Penalty is not enabled for models/gemini-3-flash-preview",
    ),
    "level and budget": (
        {
            "name": "gemini-3-flash-preview",
            "generationConfig": {"thinkingConfig": {"thinkingBudget": 1, "thinkingLevel": "LOW"}},
        },
        "You can only set only one of thinking budget and thinking level.",
    ),
    "a level of an older model": (
        {"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}}},
        "Thinking level is not supported for this model.",
    ),
    "a level of a professional model": (
        {
            "name": "gemini-3-pro-preview",
            "generationConfig": {"thinkingConfig": {"thinkingLevel": "MINIMAL"}},
        },
        (
            "Thinking level MINIMAL is not supported for this model. Please retry with other "
            "thinking level."
        ),
    ),
    "a budget out of range": (
        {"generationConfig": {"thinkingConfig": {"thinkingBudget": 52428}}},
        "The thinking budget (52428) is invalid. Please choose a value between 0 and 24576.",
    ),
    "a professional model without thinking": (
        {
            "name": "gemini-2.5-pro",
            "generationConfig": {"thinkingConfig": {"thinkingBudget": 0}},
        },
        "Budget 0 is invalid. This model only works in thinking mode.",
    ),
    "thinking of a model that does not": (
        {
            "name": "gemini-2.0-flash",
            "generationConfig": {"thinkingConfig": {"includeThoughts": True}},
        },
        "Thinking is not enabled for models/gemini-2.0-flash",
    ),
    "JSON beside functions": (
        {**JSON_MODE, "tools": [TOOL]},
        "Function calling with a response mime type: 'application/json' is unsupported",
    ),
    "built-in tools beside functions": (
        {"tools": [TOOL, {"googleSearch": {}}]},
        "Tool use with function calling is unsupported",
    ),
    "built-in tools beside functions of the newest": (
        {"name": "gemini-3-flash-preview", "tools": [TOOL, {"googleSearch": {}}]},
        NEEDS_SERVER_SIDE,
    ),
    "a choice without functions": (
        FORCED,
        "Function calling config is set without function_declarations.",
    ),
    "a function's name": (
        {"tools": [{"functionDeclarations": [{"name": "1st"}]}]},
        (
            "* GenerateContentRequest.tools[0].function_declarations[0].name: [FIELD_INVALID] "
            "Invalid function name. Must start with a letter or an underscore. Must be "
            "alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), "
            "with a maximum length of 128.\n"
        ),
    ),
    "a function twice": (
        {"tools": [TOOL, TOOL]},
        "Duplicate function declaration found: get_weather",
    ),
    "an array without items": (
        {
            "tools": [
                {
                    "functionDeclarations": [
                        {
                            "name": "f",
                            "parameters": {
                                "type": "OBJECT",
                                "properties": {"a": {"type": "ARRAY"}},
                            },
                        }
                    ]
                }
            ]
        },
        (
            "* GenerateContentRequest.tools[0].function_declarations[0].parameters.properties[a]"
            ".items: missing field.\n"
        ),
    ),
    "an endless schema": (
        {
            "generationConfig": {
                "responseMimeType": "application/json",
                "responseJsonSchema": {
                    "type": "object",
                    "properties": {"self": {"$ref": "#"}},
                    "required": ["self"],
                },
            }
        },
        (
            "* GenerateContentRequest.generation_config.response_json_schema: schema has a "
            "reference cycle through required properties\n"
        ),
    ),
    "a cache with tools": (
        {"cachedContent": "cachedContents/a", "tools": [TOOL]},
        (
            "CachedContent can not be used with GenerateContent request setting "
            "system_instruction, tools or tool_config.\n\nProposed fix: move those "
            "values to CachedContent from GenerateContent request."
        ),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case):
    request, message = REFUSED[case]

    assert refusal(**request) == (400, "INVALID_ARGUMENT", message)


def unknown(name, where="", why="Cannot find field."):
    at = f" at '{where}'" if where else ""
    return f'Invalid JSON payload received. Unknown name "{name}"{at}: {why}'


PARAMETERS = "tools[0].function_declarations[0].parameters"
FORMS = {
    "a member of another API": ({"messages": []}, unknown("messages")),
    "a misspelt member": (
        {"generationConfig": {"max_tokens": 5}},
        unknown("max_tokens", "generation_config"),
    ),
    "a keyword of JSON Schema": (
        {
            "tools": [
                {
                    "functionDeclarations": [
                        {
                            "name": "f",
                            "parameters": {
                                "type": "OBJECT",
                                "properties": {"a": {"type": "STRING", "const": "x"}},
                            },
                        }
                    ]
                }
            ]
        },
        unknown("const", f"{PARAMETERS}.properties[0].value"),
    ),
    "a list of types": (
        {
            "tools": [
                {
                    "functionDeclarations": [
                        {"name": "f", "parameters": {"type": ["string", "null"]}}
                    ]
                }
            ]
        },
        unknown("type", PARAMETERS, "Proto field is not repeating, cannot start list."),
    ),
    "a wrong type": (
        {"generationConfig": {"temperature": "warm"}},
        "Invalid value at 'generation_config.temperature' (TYPE_FLOAT), \"warm\"",
    ),
    "an unknown mode": (
        {"toolConfig": {"functionCallingConfig": {"mode": "SOMETIMES"}}},
        (
            "Invalid value at 'tool_config.function_calling_config.mode' "
            '(type.googleapis.com/google.ai.generativelanguage.v1beta.Mode), "SOMETIMES"'
        ),
    ),
    "a part of two kinds": (
        {
            "contents": [
                user({"text": "a", "inlineData": {"mimeType": "image/png", "data": "AA=="}})
            ]
        },
        (
            "Invalid value at 'contents[0].parts[0]' (oneof), oneof field 'data' is already set. "
            "Cannot set 'inlineData'"
        ),
    ),
    "a signature that is not base64": (
        {"contents": [QUESTION, model(call("so so!")), user(result())]},
        (
            "Invalid value at 'contents[1].parts[0].thought_signature' (TYPE_BYTES), Base64 "
            'decoding failed for "so so!"'
        ),
    ),
    "a text as content": (
        {"systemInstruction": "Be brief."},
        (
            "Invalid value at 'system_instruction' "
            '(type.googleapis.com/google.ai.generativelanguage.v1beta.Content), "Be brief."'
        ),
    ),
    "labels": ({"labels": {"team": "a"}}, unknown("labels")),
}


@pytest.mark.parametrize("case", FORMS)
def test_bodies_of_another_form_are_refused(case):
    request, message = FORMS[case]
    reply = send({"contents": [QUESTION], **request})
    error = json.loads(reply.body)["error"]

    assert (reply.status, error["status"], error["message"]) == (400, "INVALID_ARGUMENT", message)
    assert error["details"][0]["fieldViolations"][0]["description"] == message


def test_every_unknown_member_is_named():
    reply = send({"contents": [QUESTION], "first": 1, "second": 2})
    error = json.loads(reply.body)["error"]

    assert error["message"] == f"{unknown('first')}\n{unknown('second')}"
    assert len(error["details"][0]["fieldViolations"]) == 2


def test_a_body_that_is_not_json():
    reply = handle("POST", "/v1beta/models/gemini-2.5-flash:generateContent", {}, b"{", now_s=0)

    assert reply.status == 400
    assert json.loads(reply.body)["error"]["message"].startswith("Invalid JSON payload received.")


def test_what_only_vertex_ai_knows():
    assert ask(prefix=VERTEX, labels={"team": "a"})["candidates"]
    assert refusal(prefix=VERTEX, store=True)[2] == unknown("store")
    with_id = [QUESTION, model({"functionCall": {"name": "f", "id": "1"}}), user(result("f"))]
    v1 = VERTEX.replace("v1beta1", "v1")
    assert refusal(with_id, prefix=v1)[2] == unknown("id", "contents[1].parts[0].function_call")
    assert ask(with_id, prefix=VERTEX)["candidates"]


def test_names_in_snake_case_and_single_objects_are_taken():
    request = {
        "contents": {"parts": {"text": "Hello"}},
        "generation_config": {"max_output_tokens": 3, "thinking_config": {"thinking_budget": 0}},
        "tools": {"function_declarations": {"name": "f", "parameters": None}},
    }
    reply = json.loads(send(request).body)

    assert parts_of(reply) == [{"text": "Simulated re"}]
    assert reply["candidates"][0]["finishReason"] == "MAX_TOKENS"


def test_thoughts_may_leave_no_token_for_the_answer():
    reply = ask(generationConfig={"maxOutputTokens": 5})

    assert reply["candidates"][0] == {
        "content": {"role": "model"},
        "finishReason": "MAX_TOKENS",
        "index": 0,
    }
    assert "candidatesTokenCount" not in reply["usageMetadata"]


def test_answers_obey_both_kinds_of_schema():
    old = {
        "type": "OBJECT",
        "properties": {"city": {"type": "STRING"}, "days": {"type": "INTEGER", "minimum": 3}},
        "required": ["city", "days"],
    }
    config = {"responseMimeType": "application/json"}
    by_schema = ask(generationConfig={**config, "responseSchema": old})
    by_json_schema = ask(generationConfig={**config, "responseJsonSchema": SCHEMA})

    assert json.loads(parts_of(by_schema)[0]["text"]) == {"city": "example", "days": 3}
    assert json.loads(parts_of(by_json_schema)[0]["text"]) == {"city": "example", "unit": "celsius"}


def test_a_choice_limits_the_functions():
    tools = [{"functionDeclarations": [{"name": "one"}, {"name": "two"}]}]
    config = {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["two"]}}

    assert parts_of(ask(tools=tools, toolConfig=config))[0]["functionCall"] == {
        "name": "two",
        "args": {},
    }


def test_candidates_and_log_probabilities():
    config = {"candidateCount": 2, "responseLogprobs": True, "logprobs": 2}
    first, second = ask([user("Hi")], name="gemini-2.0-flash", generationConfig=config)[
        "candidates"
    ]

    assert second["content"]["parts"][0]["text"] == "Simulated reply to: Hi (choice 2)"
    assert second["index"] == 1
    tokens = first["logprobsResult"]["chosenCandidates"]
    assert "".join(token["token"] for token in tokens) == "Simulated reply to: Hi"
    assert len(first["logprobsResult"]["topCandidates"][0]["candidates"]) == 2


@pytest.mark.parametrize(
    ("name", "prefix"), [("gemini-2.5-flash", "/v1beta"), ("gemini-3-flash-preview", VERTEX)]
)
def test_models_that_take_several_candidates(name, prefix):
    config = {"candidateCount": 8}
    path = f"/v1beta/models/{name}:streamGenerateContent?alt=sse"
    body = json.dumps({"contents": [QUESTION], "generationConfig": config}).encode()

    assert len(ask(name=name, prefix=prefix, generationConfig=config)["candidates"]) == 8
    assert handle("POST", path, {}, body).status == 400


def test_an_older_model_continues_a_last_turn_of_its_own():
    assert ask([QUESTION, model("It is")])["candidates"]


def test_a_search_grounds_the_answer_by_bytes():
    reply = ask([user("Wétter in Paris")], tools=[{"googleSearch": {}}])
    text = parts_of(reply)[0]["text"]
    support = reply["candidates"][0]["groundingMetadata"]["groundingSupports"][0]
    segment = support["segment"]

    assert text.encode()[segment["startIndex"] : segment["endIndex"]].decode() == "Paris"
    assert segment["text"] == "Paris"


def test_tokens_are_counted():
    reply = send({"contents": [user("Hello")]}, method="countTokens")
    wrapped = {"generateContentRequest": {"contents": [user("Hello")]}}

    assert json.loads(reply.body) == {
        "totalTokens": 6,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 6}],
    }
    assert send(wrapped, method="countTokens").body == reply.body


def chunks_of(request, name="gemini-2.5-flash"):
    path = f"/v1beta/models/{name}:streamGenerateContent?alt=sse"
    reply = handle("POST", path, {}, json.dumps(request).encode(), now_s=0)
    assert dict(reply.headers)["content-type"] == "text/event-stream"
    events = reply.body.decode().split("\r\n\r\n")
    return [json.loads(event[len("data: ") :]) for event in events if event.startswith("data: ")]


STREAMED = {
    "text": ("gemini-2.0-flash", {}),
    "thoughts": (
        "gemini-2.5-pro",
        {"generationConfig": {"thinkingConfig": {"includeThoughts": True}}},
    ),
    "signed text": ("gemini-3-flash-preview", {}),
    "call": ("gemini-2.0-flash", {"tools": [TOOL], **FORCED}),
    "signed call": ("gemini-3-flash-preview", {"tools": [TOOL], **FORCED}),
    "cut": ("gemini-2.5-flash", {"generationConfig": {"maxOutputTokens": 22}}),
    "nothing": ("gemini-2.5-flash", {"generationConfig": {"maxOutputTokens": 2}}),
}


@pytest.mark.parametrize("case", STREAMED)
def test_a_stream_adds_up_to_the_whole_answer(case):
    name, request = STREAMED[case]
    request = {"contents": [QUESTION], **request}
    whole = json.loads(send(request, name).body)
    chunks = chunks_of(request, name)

    def told(replies):
        parts = [
            part for one in replies for part in one["candidates"][0]["content"].get("parts", [])
        ]
        return {
            "text": "".join(part.get("text", "") for part in parts if not part.get("thought")),
            "thought": "".join(part["text"] for part in parts if part.get("thought")),
            "calls": [part["functionCall"] for part in parts if "functionCall" in part],
            "signed": sum("thoughtSignature" in part for part in parts),
        }

    assert told(chunks) == told([whole])
    assert chunks[-1]["candidates"][0]["finishReason"] == whole["candidates"][0]["finishReason"]
    assert all("finishReason" not in chunk["candidates"][0] for chunk in chunks[:-1])
    assert chunks[-1]["usageMetadata"] == whole["usageMetadata"]
    totals = [chunk["usageMetadata"]["totalTokenCount"] for chunk in chunks]
    assert totals == sorted(totals)


def test_without_sse_a_stream_is_one_array():
    request = {"contents": [QUESTION]}
    path = "/v1beta/models/gemini-2.5-flash:streamGenerateContent"
    reply = handle("POST", path, {}, json.dumps(request).encode(), now_s=0)
    refused = handle("POST", path, {}, b"{}", now_s=0)

    assert json.loads(reply.body) == chunks_of(request)
    assert json.loads(refused.body)[0]["error"]["status"] == "INVALID_ARGUMENT"


def streamed_fault(name):
    path = f"/v1beta/models/{name}:streamGenerateContent?alt=sse"
    body = json.dumps({"contents": [QUESTION]}).encode()
    return handle("POST", path, {}, body, now_s=0)


def test_an_error_before_the_first_chunk_is_an_event():
    for name, status in (("stream-error", "INTERNAL"), ("stream-overloaded", "UNAVAILABLE")):
        reply = streamed_fault(f"{name}-test-model")

        assert reply.status == 200
        assert reply.body.startswith(b"data: {")
        assert json.loads(reply.body[len("data: ") :])["error"]["status"] == status


def test_a_late_error_is_plain_json_after_the_events():
    events, _, error = streamed_fault("stream-late-error-test-model").body.partition(b"\r\n\r\n{\n")

    assert events.startswith(b"data: {")
    assert json.loads(b"{" + error)["error"] == {
        "code": 500,
        "message": FAULTS["stream-late-error-test-model"].gemini.message,
        "status": "INTERNAL",
    }


def test_an_unterminated_stream_has_no_finish_reason():
    reply = streamed_fault("stream-unterminated-test-model")

    assert b"Simulated reply" in reply.body
    assert b"finishReason" not in reply.body


def test_a_blocked_prompt_has_no_candidates():
    reply = json.loads(send({"contents": [QUESTION]}, "content-policy-test-model").body)
    event = streamed_fault("content-policy-test-model").body

    assert reply["promptFeedback"] == {"blockReason": "PROHIBITED_CONTENT"}
    assert "candidates" not in reply
    assert json.loads(event[len("data: ") :])["promptFeedback"] == reply["promptFeedback"]


@pytest.mark.parametrize(
    ("name", "quota", "delay"),
    [("rate-limit-test-model", "PerMinute", "1s"), ("quota-test-model", "PerDay", "48s")],
)
def test_quota_errors_name_a_retry_delay(name, quota, delay):
    reply = send({"contents": [QUESTION]}, name)
    details = {
        row["@type"].rpartition(".")[2]: row for row in json.loads(reply.body)["error"]["details"]
    }

    assert (reply.status, "retry-after" in dict(reply.headers)) == (429, False)
    assert details["RetryInfo"]["retryDelay"] == delay
    assert quota in details["QuotaFailure"]["violations"][0]["quotaId"]


@pytest.mark.parametrize(
    ("name", "status", "word"),
    [
        ("auth-error-test-model", 400, "INVALID_ARGUMENT"),
        ("permission-test-model", 403, "PERMISSION_DENIED"),
        ("server-error-test-model", 500, "INTERNAL"),
        ("overloaded-test-model", 503, "UNAVAILABLE"),
        ("context-length-test-model", 400, "INVALID_ARGUMENT"),
        ("not-found-test-model", 404, "NOT_FOUND"),
        ("rate-limit-test-model", 429, "RESOURCE_EXHAUSTED"),
    ],
)
def test_faults_are_errors_of_this_api(name, status, word):
    error = json.loads(send({"contents": [QUESTION]}, name).body)["error"]

    assert (error["code"], error["status"]) == (status, word)


@pytest.mark.parametrize(
    ("name", "status", "word", "begin"),
    [
        ("rate-limit-test-model", 429, "RESOURCE_EXHAUSTED", "Resource exhausted. Please try"),
        ("auth-error-test-model", 401, "UNAUTHENTICATED", "Request had invalid authentication"),
        ("not-found-test-model", 404, "NOT_FOUND", "Publisher Model `publishers/google"),
        ("overloaded-test-model", 503, "UNAVAILABLE", "The model is overloaded."),
    ],
)
def test_faults_of_vertex_ai(name, status, word, begin):
    found = refusal(name=name, prefix=VERTEX)

    assert found[:2] == (status, word)
    assert found[2].startswith(begin)


def test_an_empty_reply_has_no_candidates():
    assert "candidates" not in ask(name="empty-test-model")


@pytest.mark.parametrize(
    ("path", "headers", "status", "reason"),
    [
        ("/v1beta/models", {"x-goog-api-key": "k"}, 200, None),
        ("/v1beta/models?key=k", {}, 200, None),
        ("/v1beta/models", {"authorization": "Bearer t"}, 200, None),
        ("/v1beta/models", {}, 403, None),
        ("/v1beta/models", {"x-goog-api-key": "wrong"}, 400, "API_KEY_INVALID"),
        ("/v1beta/models?key=wrong", {}, 400, "API_KEY_INVALID"),
        (f"{VERTEX}/models", {"authorization": "Bearer t"}, 200, None),
        ("/v1/publishers/google/models", {"x-goog-api-key": "k"}, 200, None),
        (f"{VERTEX}/models", {}, 401, "CREDENTIALS_MISSING"),
        (f"{VERTEX}/models", {"authorization": "Bearer wrong"}, 401, "ACCESS_TOKEN_INVALID"),
    ],
)
def test_keys(path, headers, status, reason):
    reply = handle("GET", path, headers, b"", now_s=0, keys=True)
    error = json.loads(reply.body).get("error", {})

    assert reply.status == status
    assert [row["reason"] for row in error.get("details", ())] == ([reason] if reason else [])


def test_models_are_listed_in_pages():
    first = json.loads(handle("GET", "/v1beta/models?pageSize=2", {}, b"").body)
    token = first["nextPageToken"]
    path = f"/v1beta/models?pageSize=1000&pageToken={token}"
    rest = json.loads(handle("GET", path, {}, b"").body)
    names = {row["name"] for row in first["models"] + rest["models"]}

    assert len(first["models"]) == 2
    assert "nextPageToken" not in rest
    assert {"models/gemini-2.5-flash", "models/gemini-3-pro-preview"} <= names


def test_a_model_is_found_and_an_unknown_one_is_not():
    found = json.loads(handle("GET", "/v1beta/models/gemini-2.5-pro", {}, b"").body)
    missing = handle("GET", "/v1beta/models/gemini-none", {}, b"")

    assert (found["name"], found["thinking"]) == ("models/gemini-2.5-pro", True)
    assert missing.status == 404
    assert refusal(name="gemini-none")[:2] == (404, "NOT_FOUND")
    assert refusal(name="gemini-none", prefix=VERTEX)[2].startswith("Publisher Model")


def test_an_unknown_method_is_not_found():
    reply = send({}, method="embedContent")

    assert reply.status == 404
    assert json.loads(reply.body)["error"]["status"] == "NOT_FOUND"
