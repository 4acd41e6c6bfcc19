"""An answer of Gemini goes back as it came: its parts, its signatures, the caller's edits."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

import official_gemini
import specado
from specado import FunctionCall, Message, ToolCall
from specado._core import GeminiStream, normalize
from specado.dialects.registry import DIALECTS, encode
from specado.dialects.replies import add_tag

OLD, NEW = "gemini-2.5-flash", "gemini-3.5-flash"
BASE = "https://generativelanguage.googleapis.com"
USER = {"role": "user", "content": "Hello"}
STAND_IN = "skip_thought_signature_validator"
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"text": words, **more}


def thought(words: str, **more: Any) -> dict[str, Any]:
    return {"text": words, "thought": True, **more}


def call(q: int = 1, signature: str | None = None, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"functionCall": {"name": "f", "args": {"q": q}, **more}}
    if signature is not None:
        found["thoughtSignature"] = signature
    return found


SIGNED = [thought("hm"), text("Let me see"), call(1, "czE=", id="own1"), call(2, id="own2")]
CODE = {"executableCode": {"language": "PYTHON", "code": "1"}}
ANSWERS = {
    "calls": SIGNED,
    "calls without ids": [call(1, "czE="), call(2)],
    "text with an empty signed part": [text("Hello"), text("", thoughtSignature="czE=")],
    "signed text": [text("Hello", thoughtSignature="czE=")],
    "a signed thought": [thought("hm", thoughtSignature="czE="), text("Hello")],
    "text after calls": [call(1, "czE="), text("Done")],
    "server tools": [CODE, text("Hello")],
    "several texts": [text("a"), thought("hm"), text("b", thoughtSignature="czE=")],
}
EACH_ANSWER = pytest.mark.parametrize("parts", ANSWERS.values(), ids=list(ANSWERS))


def reply(*parts: Any, model: str = NEW) -> dict[str, Any]:
    content = {"role": "model", "parts": list(parts)}
    candidates = [{"content": content, "finishReason": "STOP", "index": 0}]
    return {"candidates": candidates, "modelVersion": model, "responseId": "r1",
            "usageMetadata": {"promptTokenCount": 1, "totalTokenCount": 1}}  # fmt: skip


def said(*parts: Any) -> Message:
    """Return the message of a whole reply, indented as Google's servers do."""
    body = json.dumps(reply(*parts), indent=2)
    return specado.parse_response(body, "gemini").choices[0].message


def streamed(*parts: Any) -> Message:
    stream = GeminiStream("gemini", NEW, 1, max_frame_bytes=10**6, max_reply_bytes=10**6)
    for part in parts:
        event = reply(part)
        del event["candidates"][0]["finishReason"]
        stream.feed(f"data: {json.dumps(event)}\r\n\r\n".encode())
    stream.feed(f"data: {json.dumps(reply())}\r\n\r\n".encode())
    stream.finish()
    assert stream.is_over
    found, _ = stream.response()
    add_tag(found, BASE)
    return found.choices[0].message


def results(message: Message) -> list[Any]:
    return [
        {"role": "tool", "tool_call_id": each.id, "content": "done"}
        for each in message.tool_calls or ()
    ]


def sent(message: Any, *after: Any, model: str = NEW) -> specado.Translation:
    request = {"model": model, "messages": [USER, message, *after], "tools": TOOLS}
    found = specado.translate(request, f"gemini/{model}")
    assert official_gemini.problems(found.body) == []
    return found


def parts_of(translation: specado.Translation, place: int = 1) -> list[Any]:
    return list(json.loads(translation.body)["contents"][place]["parts"])


def messages_of(translation: specado.Translation) -> list[str]:
    """Return the losses but those that every request has."""
    return [f"{i.severity} {i.code} {i.path}" for i in translation.report.items]


def stored(message: Message) -> Any:
    return json.loads(json.dumps(message.to_dict(native=True)))


READINGS = pytest.mark.parametrize("read", [said, streamed])
FORMS = pytest.mark.parametrize(
    "form",
    [lambda m: m, stored, lambda m: Message(**stored(m)), copy.deepcopy],
    ids=["itself", "stored", "read back", "copied"],
)


@FORMS
@READINGS
@EACH_ANSWER
def test_an_answer_goes_back_as_it_came(parts: Any, read: Any, form: Any) -> None:
    message = read(*parts)

    found = sent(form(message), *(results(message) or [USER]))

    expected = [
        {key: part[key] for key in sorted(part, key=lambda name: name == "thoughtSignature")}
        for part in parts
    ]
    assert parts_of(found) == expected
    assert messages_of(found) == []


def test_results_name_the_providers_own_ids() -> None:
    message = said(*SIGNED)

    found = sent(message, *results(message))

    assert [each["functionResponse"].get("id") for each in parts_of(found, 2)] == ["own1", "own2"]


def test_a_made_up_id_is_not_sent_back() -> None:
    message = said(call(1, "czE="))

    found = sent(message, *results(message))

    assert "id" not in parts_of(found)[0]["functionCall"]
    assert "id" not in parts_of(found, 2)[0]["functionResponse"]


def test_plain_text_needs_no_record() -> None:
    assert said(text("Hello")).native is None
    assert said(text("Hello"), call()).native is None
    assert said(call()).native is None


# Edits


def test_text_that_was_changed_goes_without_its_signature() -> None:
    message = said(text("Hello", thoughtSignature="czE="))
    message.content = "Goodbye"

    found = sent(message, USER)

    assert parts_of(found) == [{"text": "Goodbye"}]
    assert messages_of(found) == ["Low Drop messages[1].reasoning_details"]


def test_a_removed_call_removes_its_signature() -> None:
    message = said(*SIGNED)
    message.tool_calls = [message.tool_calls[1]]

    found = sent(message, *results(message))

    assert parts_of(found) == [
        SIGNED[0],
        SIGNED[1],
        {**SIGNED[3], "thoughtSignature": STAND_IN},
    ]
    assert messages_of(found) == [
        "Low Drop messages[1].reasoning_details",
        "Low Emulate messages[1].tool_calls[0]",
    ]


def test_a_call_that_was_changed_goes_without_its_signature() -> None:
    message = said(call(1, "czE=", id="own1"))
    message.tool_calls[0].function.arguments = '{"q": 5}'

    found = sent(message, *results(message))

    assert parts_of(found) == [{**call(5, id="own1"), "thoughtSignature": STAND_IN}]


def test_a_call_that_was_added_is_sent_last() -> None:
    message = said(call(1, "czE=", id="own1"))
    message.tool_calls.append(ToolCall("mine", FunctionCall("f", '{"q":9}')))

    found = sent(message, *results(message))

    assert parts_of(found) == [call(1, "czE=", id="own1"), call(9)]


def test_removed_reasoning_is_not_sent() -> None:
    message = said(*SIGNED)
    message.reasoning = message.reasoning_details = None

    found = sent(message, *results(message))

    assert "hm" not in found.body.decode()
    assert "czE=" not in found.body.decode()
    assert parts_of(found)[1]["thoughtSignature"] == STAND_IN


def test_removed_text_is_not_sent() -> None:
    message = said(*SIGNED)
    message.content = None

    found = sent(message, *results(message))

    assert parts_of(found) == [SIGNED[0], SIGNED[2], SIGNED[3]]
    assert "Let me see" not in json.dumps(stored(message))


def test_content_parts_take_the_place_of_the_text() -> None:
    message = said(text("Hello"), text("", thoughtSignature="czE="))
    message.content = [{"type": "text", "text": "Hello"}]

    assert parts_of(sent(message, USER)) == [
        text("Hello"), {"text": "", "thoughtSignature": "czE="},
    ]  # fmt: skip


# Foreign answers


def test_signatures_of_another_endpoint_are_not_sent() -> None:
    answer = specado.parse_response(json.dumps(reply(*SIGNED)), "gemini")
    add_tag(answer, "https://other.example")
    foreign = answer.choices[0].message

    found = sent(foreign, *results(foreign))

    assert parts_of(found) == [
        text("Let me see"),
        {**call(1), "thoughtSignature": STAND_IN},
        call(2),
    ]
    assert messages_of(found) == [
        "Low Drop messages[1].reasoning_details[0]",
        "Low Drop messages[1].reasoning_details[1]",
        "Low Emulate messages[1].tool_calls[0]",
    ]


CALLED = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
}
DONE = {"role": "tool", "tool_call_id": "a", "content": "done"}


def test_only_calls_of_the_current_turn_get_a_placeholder_signature() -> None:
    calls = {**CALLED, "tool_calls": [*CALLED["tool_calls"], {
        "id": "b", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}  # fmt: skip
    messages = [USER, CALLED, DONE, USER, calls, DONE, {**DONE, "tool_call_id": "b"}, CALLED, DONE]

    found = specado.translate({"model": NEW, "messages": messages}, f"gemini/{NEW}")

    contents = json.loads(found.body)["contents"]
    signatures = [
        part.get("thoughtSignature")
        for content in contents
        for part in content["parts"]
        if "functionCall" in part
    ]
    assert official_gemini.problems(found.body) == []
    assert signatures == [None, STAND_IN, None, STAND_IN]
    assert messages_of(found) == [
        "Low Emulate messages[4].tool_calls[0]",
        "Low Emulate messages[7].tool_calls[0]",
    ]


@pytest.mark.parametrize("content", [" ", [{"type": "file", "file": {"file_id": "file-1"}}]])
def test_the_current_turn_does_not_begin_with_what_is_not_sent(content: Any) -> None:
    messages = [USER, CALLED, DONE, {"role": "user", "content": content}]

    found = specado.translate({"model": NEW, "messages": messages}, f"gemini/{NEW}")

    assert official_gemini.problems(found.body) == []
    assert parts_of(found)[0]["thoughtSignature"] == STAND_IN


def test_an_older_model_gets_no_placeholder_signature() -> None:
    found = sent(CALLED, DONE, model=OLD)

    assert parts_of(found) == [{"functionCall": {"name": "f", "args": {}}}]
    assert messages_of(found) == []


SIGNATURE_FORMS = {
    "OpenRouter": {
        "reasoning_details": [
            {"type": "reasoning.encrypted", "format": "google-gemini-v1", "data": "czE=", "id": "a"}
        ]
    },
    "Google's compatible endpoint": {
        "tool_calls": [
            {**CALLED["tool_calls"][0], "extra_content": {"google": {"thought_signature": "czE="}}}
        ]
    },
    "LiteLLM": {
        "tool_calls": [
            {
                **CALLED["tool_calls"][0],
                "provider_specific_fields": {"thought_signature": "czE="},
            }
        ]
    },
}


@pytest.mark.parametrize("form", SIGNATURE_FORMS)
def test_a_signature_in_the_form_of_another_library_is_kept(form: str) -> None:
    found = sent({**CALLED, **SIGNATURE_FORMS[form]}, DONE)

    assert parts_of(found)[0]["thoughtSignature"] == "czE="
    assert messages_of(found) == []


def test_reasoning_of_another_provider_is_reported() -> None:
    thinking = {"type": "thinking", "text": "hm", "signature": "s", "model": "claude-opus-4-5"}

    found = sent({"role": "assistant", "content": "Hi", "reasoning_details": [thinking]}, USER)

    assert parts_of(found) == [text("Hi")]
    assert messages_of(found) == ["Low Drop messages[1].reasoning_details[0]"]


def test_another_provider_gets_the_canonical_fields() -> None:
    message = said(*SIGNED)
    request = {"model": "gpt-4o", "messages": [USER, message, *results(message)]}

    found = specado.translate(request, "openai/gpt-4o")

    assert json.loads(found.body)["messages"][1] == {
        "role": "assistant",
        "content": "Let me see",
        "tool_calls": [each.to_dict() for each in message.tool_calls],
    }
    assert found.report.severity == "Low"


def test_the_repeat_after_a_refused_signature_has_the_placeholder() -> None:
    message = said(*SIGNED)
    plain = normalize([USER, message, *results(message)]).without_signed()

    found = encode("gemini", plain, "gemini-3-pro", {}, None)

    assert official_gemini.problems(found.body) == []
    assert json.loads(found.body)["contents"][1]["parts"] == [
        text("Let me see"), {**call(1), "thoughtSignature": STAND_IN}, call(2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "blocks",
    [
        [{"thoughtSignature": "a"}],
        [{"thoughtSignature": "a"}, {"thoughtSignature": "b"}, {"text": "x"}],
        [{"text": "x", "functionCall": {"name": "f", "args": {}}}],
        [{"functionResponse": {"name": "f", "response": {}}}],
        [{"functionCall": {"name": "f", "args": []}}],
        [{"text": 5}],
        [{}],
        [{"text": "x", "thoughtSignature": "a"}],
    ],
)
def test_a_stored_record_that_is_no_answer_is_ignored(blocks: Any) -> None:
    entry = {"type": "specado.native", "version": 1, "dialect": "gemini", "provider": "gemini",
             "tag": "0", "model": NEW, "blocks": blocks}  # fmt: skip
    message = {"role": "assistant", "content": "Hi", "reasoning_details": [entry]}

    found = sent(message, USER)

    assert parts_of(found) == [text("Hi")]
    assert messages_of(found) == ["None Drop messages[1].reasoning_details[0]"]


def test_the_dialect_is_known_by_its_record() -> None:
    assert "gemini" in DIALECTS
    assert normalize([USER, said(*SIGNED)]).native_dialect() == "gemini"
