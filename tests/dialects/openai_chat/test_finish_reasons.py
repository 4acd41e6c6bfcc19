"""Finish reasons of all vendors in whole replies and in streams, and errors beside answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

import specado
from finish_words import FAILED, READ
from specado.errors import (
    AuthenticationError,
    ContentPolicyError,
    InvalidRequestError,
    MalformedResponseError,
    OverloadedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)
from stream_readers import read, sse

MEANT = [(word, reason) for reason, words in READ.items() for word in words]


def whole(reason: Any = "stop", message: Any = None, **more: Any) -> dict[str, Any]:
    found = {"role": "assistant", "content": "Hi"} if message is None else message
    choice = {"index": 0, "message": found, "finish_reason": reason, **more.pop("choice", {})}
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    facts = {"id": "c1", "model": "m", "created": 5, "object": "chat.completion", "usage": usage}
    return {**facts, "choices": [choice], **more}


def chunk(text: str | None = None, reason: Any = None, **more: Any) -> dict[str, Any]:
    delta = {} if text is None else {"content": text}
    choice = {"index": 0, "delta": delta, "finish_reason": reason, **more.pop("choice", {})}
    return {"id": "c1", "model": "m", "created": 5, "choices": [choice], **more}


def parsed(body: Any) -> Any:
    return specado.parse_response(body, "openai")


def class_in_stream(stream: Any) -> type[ProviderError]:
    """Return the class of the error that a stream reports, as that of a reply of status 200."""
    assert stream.failure is not None
    return type(specado.parse_error(200, {}, stream.failure, "openai"))


@pytest.mark.parametrize(("word", "reason"), MEANT)
def test_each_vendors_finish_reason_is_read_as_openais_with_a_note(word: str, reason: str) -> None:
    reply = parsed(whole(word))
    stream, chunks = read("openai", sse(chunk("Hi"), chunk(None, word)))
    streamed, notes = stream.response()

    note = f"choices[0].finish_reason: {word!r}, read as {reason!r}"
    assert reply.choices[0].finish_reason == reason
    assert reply.to_dict()["choices"][0]["finish_reason"] == reason
    assert reply.extensions.metadata["reply_notes"] == [note]
    assert streamed.choices[0].finish_reason == reason
    assert chunks[-1].to_dict()["choices"][0]["finish_reason"] == reason
    assert note in notes


@pytest.mark.parametrize(("word", "kind"), FAILED)
def test_a_finish_reason_of_a_failure_is_an_error(word: str, kind: type[ProviderError]) -> None:
    stream, chunks = read("openai", sse(chunk("Hi"), chunk(" there", word)))

    with pytest.raises(ProviderError) as caught:
        parsed(whole(word))
    assert type(caught.value) is kind
    assert repr(word) in str(caught.value)
    assert class_in_stream(stream) is kind
    assert len(chunks) == 1
    assert not stream.is_over


@pytest.mark.parametrize("word", ["error", "sensitive", "MAX_TOKENS", "content_filter"])
@pytest.mark.parametrize("message", [..., None, {}, {"role": "assistant"}])
def test_an_answer_that_did_not_end_well_may_have_no_message(word: str, message: Any) -> None:
    body = whole(word)
    del body["choices"][0]["message"]
    if message is not ...:
        body["choices"][0]["message"] = message

    if word == "error":
        with pytest.raises(ServerError):
            parsed(body)
        return
    reply = parsed(body)

    assert reply.choices[0].message.content is None
    assert reply.choices[0].finish_reason in ("content_filter", "length")


@pytest.mark.parametrize("word", ["stop", "zzz", None])
def test_an_answer_that_ended_otherwise_without_a_message_is_malformed(word: Any) -> None:
    body = whole(word)
    del body["choices"][0]["message"]

    with pytest.raises(MalformedResponseError) as caught:
        parsed(body)
    assert caught.value.code == "no_choice"


@pytest.mark.parametrize("word", ["zzz", "OTHER", "NO_IMAGE", "load"])
def test_a_finish_reason_that_nobody_defines_is_kept_and_noted(word: str) -> None:
    reply = parsed(whole(word))
    stream, chunks = read("openai", sse(chunk("Hi"), chunk(None, word)))
    streamed, notes = stream.response()

    note = f"choices[0].finish_reason: {word!r} is not known, kept as it is"
    assert reply.choices[0].finish_reason == word
    assert reply.to_dict()["choices"][0]["finish_reason"] == word
    assert reply.extensions.metadata["reply_notes"] == [note]
    assert streamed.to_dict()["choices"][0]["finish_reason"] == word
    assert chunks[-1].to_dict()["choices"][0]["finish_reason"] == word
    assert note in notes


@pytest.mark.parametrize("word", ["null", "none", "not_finished", "FINISH_REASON_UNSPECIFIED"])
def test_a_word_for_no_finish_reason_does_not_end_a_choice(word: str) -> None:
    stream, chunks = read("openai", sse(chunk("Hi", word), chunk(None, "stop")))

    assert [found.choices[0].finish_reason for found in chunks] == [None, "stop"]
    assert stream.response()[0].choices[0].finish_reason == "stop"


def test_a_reply_or_a_stream_without_a_finish_reason_is_noted() -> None:
    streamed, notes = read("openai", sse(chunk("Hi")))[0].response()

    for given in (whole(None), whole()):
        if given["choices"][0]["finish_reason"]:
            del given["choices"][0]["finish_reason"]
        reply = parsed(given)
        assert reply.to_dict()["choices"][0]["finish_reason"] is None
        assert reply.extensions.metadata["reply_notes"] == ["choices[0].finish_reason: missing"]
    assert streamed.choices[0].finish_reason is None
    assert "choices[0].finish_reason: missing" in notes


def test_the_part_of_an_interrupted_answer_has_no_finish_reason() -> None:
    stream, _ = read("openai", sse(chunk("Hi"), done=False))

    assert stream.response()[0].to_dict()["choices"][0]["finish_reason"] is None


# The error, and the class that it means. Each comes at each place of a reply and of a chunk.
ERRORS: list[tuple[Any, type[ProviderError]]] = [
    ({"code": 502, "message": "no"}, ServerError),
    ({"code": "429", "message": "no"}, RateLimitError),
    ({"code": 503, "message": "no", "metadata": {"raw": "x"}}, OverloadedError),
    ({"type": "overloaded_error", "message": "no"}, OverloadedError),
    ({"code": 403, "message": "no", "metadata": {"flagged_input": "x"}}, ContentPolicyError),
    ({"message": "Model is overloaded"}, OverloadedError),
    ("rate limit exceeded", RateLimitError),
]


@pytest.mark.parametrize(("error", "kind"), ERRORS)
@pytest.mark.parametrize("reason", ["error", "stop", "length", None])
def test_an_error_on_a_choice_or_beside_choices_is_an_error(
    reason: Any, error: Any, kind: type[ProviderError]
) -> None:
    said = {"role": "assistant", "content": "Hi"}
    part = {"type": "error", "error": error}
    for body in (
        whole(reason, error=error),
        whole(reason, choice={"error": error}),
        whole(reason, message={**said, "error": error}),
        whole(reason, message={**said, "content": [{"type": "text", "text": "Hi"}, part]}),
    ):
        with pytest.raises(ProviderError) as caught:
            parsed(body)
        assert type(caught.value) is kind


@pytest.mark.parametrize(("error", "kind"), ERRORS)
@pytest.mark.parametrize(
    "chunks",
    [
        [chunk("Hi")],
        [chunk("Hi"), chunk(None, "stop")],
        [chunk("Hi"), chunk(None, "length")],
        [],
    ],
    ids=["after content", "after stop", "after length", "first"],
)
@pytest.mark.parametrize("reason", ["error", "stop", None])
def test_an_error_in_any_chunk_is_the_streams_failure(
    chunks: list[Any], reason: Any, error: Any, kind: type[ProviderError]
) -> None:
    for bad in (
        chunk("", reason, error=error),
        chunk(None, reason, error=error),
        chunk("x", reason, choice={"error": error}),
        {"choices": [], "error": error},
        {"choices": [{"delta": {}, "error": error}]},
        {"choices": [{"index": 0, "delta": {"content": "x", "error": error}}]},
        {"choices": [{"index": 0, "delta": {"content": [{"type": "error", "error": error}]}}]},
        {"error": error},
    ):
        stream, found = read("openai", sse(*chunks, bad))

        assert class_in_stream(stream) is kind
        assert len(found) == len(chunks)
        assert not stream.is_over
        assert stream.has_content == bool(chunks)


@pytest.mark.parametrize(
    "data",
    [
        {"message": "busy", "code": 503},
        {"detail": "The model is overloaded"},
        {"object": "error", "message": "busy", "type": "overloaded_error", "code": None},
        {"type": "overloaded_error", "message": "busy"},
    ],
)
def test_an_error_event_without_a_member_error_is_the_streams_failure(data: Any) -> None:
    stream, _ = read("openai", sse(chunk("Hi"), data))

    assert class_in_stream(stream) is OverloadedError


@pytest.mark.parametrize("error", [None, "", {}, False, {"code": None, "message": ""}])
def test_an_empty_error_is_not_an_error(error: Any) -> None:
    reply = parsed(whole(error=error, choice={"error": error}))
    stream, _ = read("openai", sse(chunk("Hi", error=error), chunk(None, "stop", error=error)))

    assert reply.choices[0].message.content == "Hi"
    assert stream.is_over
    assert stream.failure is None


# What servers write beside choices of an answer that failed, with the status 200.
BESIDE: list[tuple[dict[str, Any], type[ProviderError]]] = [
    ({"base_resp": {"status_code": 1002, "status_msg": "slow down"}}, RateLimitError),
    ({"base_resp": {"status_code": 1004, "status_msg": "login fail"}}, AuthenticationError),
    ({"base_resp": {"status_code": 1008, "status_msg": "balance"}}, QuotaExceededError),
    ({"base_resp": {"status_code": 1027, "status_msg": "sensitive"}}, ContentPolicyError),
    ({"base_resp": {"status_code": 2013, "status_msg": "wrong"}}, InvalidRequestError),
    ({"base_resp": {"status_code": 1000}}, ServerError),
    ({"errors": [{"message": "the model is overloaded"}]}, OverloadedError),
    ({"errors": ["rate limit exceeded"]}, RateLimitError),
    ({"status": "failed"}, ServerError),
    ({"status": "error", "message": "no"}, ServerError),
]


@pytest.mark.parametrize(("beside", "kind"), BESIDE)
def test_a_whole_reply_that_says_that_it_failed_is_an_error(
    beside: dict[str, Any], kind: type[ProviderError]
) -> None:
    for body in (whole("stop", **beside), {"choices": None, **beside}, {"choices": [], **beside}):
        with pytest.raises(ProviderError) as caught:
            parsed(body)
        assert type(caught.value) is kind


@pytest.mark.parametrize(("beside", "kind"), BESIDE)
def test_a_chunk_without_content_that_says_that_it_failed_is_the_streams_failure(
    beside: dict[str, Any], kind: type[ProviderError]
) -> None:
    for bad in (chunk(None, "stop", **beside), {"choices": [], **beside}, beside):
        stream, _ = read("openai", sse(chunk("Hi"), bad))

        assert class_in_stream(stream) is kind
        assert not stream.is_over


@pytest.mark.parametrize(
    "beside",
    [
        {"base_resp": {"status_code": 0, "status_msg": ""}},
        {"base_resp": None},
        {"errors": []},
        {"errors": None},
        {"status": "completed"},
        {"status": 200},
    ],
)
def test_a_reply_that_says_that_it_did_not_fail_is_an_answer(beside: dict[str, Any]) -> None:
    stream, _ = read("openai", sse(chunk("Hi"), chunk(None, "stop", **beside)))

    assert parsed(whole("stop", **beside)).choices[0].message.content == "Hi"
    assert stream.is_over
    assert stream.failure is None


def test_words_about_errors_within_an_answer_are_no_error() -> None:
    text = 'say "error": {"code": 500}'
    filtered = {"content_filter_results": {"error": {"code": "content_filter_error"}}}
    stream, _ = read("openai", sse(chunk(text, choice=filtered), chunk(None, "stop")))
    reply = parsed(whole(message={"role": "assistant", "content": text}, choice=filtered))

    assert reply.choices[0].message.content == text
    assert stream.response()[0].choices[0].message.content == text


@pytest.mark.parametrize(
    "event",
    [
        b"data: null\n\n",
        b"data: {}\n\n",
        b"data: []\n\n",
        b'data: ""\n\n',
        b"data: ping\n\n",
        b"data: keep-alive\n\n",
        b"event: ping\ndata: 5\n\n",
        b"event: keepalive\ndata: \n\n",
        b'data: {"type": "ping"}\n\n',
        b'event: ping\ndata: {"type": "ping"}\n\n',
    ],
)
def test_a_keep_alive_event_is_left_out_and_noted_once(event: bytes) -> None:
    pieces = [sse(each, done=False) for each in (chunk("Hel"), chunk("lo"), chunk(None, "stop"))]
    stream, chunks = read("openai", event + event.join(pieces) + event + b"data: [DONE]\n\n")
    reply, notes = stream.response()

    assert stream.is_over
    assert len(chunks) == 3
    assert reply.choices[0].message.content == "Hello"
    assert len([note for note in notes if "left out of the stream" in note]) == 1


@pytest.mark.parametrize("event", [b": comment\n\n", b":\n", b"data:\n\n", b"event: x\n\n", b"\n"])
def test_comments_and_empty_events_say_nothing(event: bytes) -> None:
    pieces = [sse(each, done=False) for each in (chunk("Hel"), chunk("lo"), chunk(None, "stop"))]
    plain, _ = read("openai", b"".join(pieces) + b"data: [DONE]\n\n")
    stream, chunks = read("openai", event.join(pieces) + event + b"data: [DONE]\n\n")

    assert stream.is_over
    assert len(chunks) == 3
    assert stream.response()[1] == plain.response()[1]


def a_call(index: int = 0) -> dict[str, Any]:
    function = {"name": "f", "arguments": "{}"}
    return {"index": index, "id": f"c{index}", "type": "function", "function": function}


@pytest.mark.parametrize("word", ["stop", "eos_token", "STOP"])
def test_stop_beside_tool_calls_is_read_as_tool_calls_where_the_server_means_it(word: str) -> None:
    calling = chunk(choice={"delta": {"tool_calls": [a_call()]}})
    both = chunk(None, word, choice={"delta": {"tool_calls": [a_call()]}})
    note = "choices[0].finish_reason: 'stop' beside tool calls, read as 'tool_calls'"

    for events in ([calling, chunk(None, word)], [both], [chunk(None, word), calling]):
        stream, chunks = read("openai", sse(*events), stop_means_calls=True)
        kept, _ = read("openai", sse(*events))
        reply, notes = stream.response()
        assert reply.choices[0].finish_reason == "tool_calls"
        assert note in notes
        assert kept.response()[0].choices[0].finish_reason == "stop"
        if events[-1] is not calling:  # else the delivered chunk came before the call
            assert chunks[-1].choices[0].finish_reason == "tool_calls"


@pytest.mark.parametrize("word", ["length", "content_filter", "zzz"])
def test_another_finish_reason_beside_tool_calls_stays(word: str) -> None:
    calling = chunk(choice={"delta": {"tool_calls": [a_call()]}})
    stream, _ = read("openai", sse(calling, chunk(None, word)), stop_means_calls=True)

    assert stream.response()[0].choices[0].finish_reason == word


def test_stop_without_tool_calls_stays() -> None:
    stream, _ = read("openai", sse(chunk("Hi"), chunk(None, "stop")), stop_means_calls=True)

    assert stream.response()[0].choices[0].finish_reason == "stop"


# What proves that a stream is whole

USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
BARE = [chunk("Hi"), chunk(None, "stop")]
WITH_USAGE = [*BARE, {"choices": [], "usage": USAGE}]
UNFINISHED = [chunk("Hi"), {"choices": [], "usage": USAGE}]
ENDS = ["", "sentinel", "terminal_event", "finish_reason", "finish_and_usage", "unknown"]


@pytest.mark.parametrize("stream_end", ENDS)
@pytest.mark.parametrize(
    ("events", "proves"),
    [
        (BARE, {"finish_reason"}),
        (WITH_USAGE, {"finish_reason", "finish_and_usage", "unknown"}),
        ([*BARE[:1], chunk(None, "stop", usage=USAGE)], {"finish_reason", "finish_and_usage", "unknown"}),  # noqa: E501
        (UNFINISHED, set()),
        ([], set()),
    ],
)  # fmt: skip
def test_what_proves_that_a_stream_without_a_sentinel_is_whole(
    events: list[Any], proves: set[str], stream_end: str
) -> None:
    data = sse(*events, done=False)
    stream, _ = read("openai", data, stream_end=stream_end)
    noted = any("[DONE]" in note for note in stream.response()[1])
    closed, _ = read("openai", b"", stream_end=stream_end)
    closed.feed(data)
    closed.finish(is_clean=False)

    assert stream.is_over == (stream_end in proves)
    assert noted == (stream_end == "unknown" and stream_end in proves)
    assert not closed.is_over


@pytest.mark.parametrize("rest", [b"d", b"data", b"data:", b"data: [DO", b'data: {"id"'])
def test_a_stream_that_is_cut_within_an_event_is_not_whole(rest: bytes) -> None:
    for stream_end in ENDS:
        stream, _ = read("openai", sse(*WITH_USAGE, done=False) + rest, stream_end=stream_end)
        assert not stream.is_over


def test_the_reply_as_a_dict_is_json_with_the_word_that_the_server_gave() -> None:
    assert json.loads(parsed(whole("zzz")).to_json())["choices"][0]["finish_reason"] == "zzz"
