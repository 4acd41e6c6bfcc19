"""Cost of a reply: each token is counted once, at its price; certainty of the sum."""

from __future__ import annotations

import asyncio
import datetime as dt
import json

import pytest
from msgspec.structs import replace

import specado
from example_inputs import KEYS
from played_calls import call, drive, ok, refused
from specado._core import AnthropicStream, OpenAIStream
from specado.catalog.lookup import find_model
from specado.catalog.manifests import LongContextPricing, PriceChange, Pricing
from specado.catalog.prices import cost_of, usd_of
from specado.errors import StreamInterruptedError
from specado.transport import TransportFailure, WireReply
from specado.types import (
    ChatCompletionResponse,
    Choice,
    CompletionTokensDetails,
    Extensions,
    Message,
    PromptTokensDetails,
    Usage,
)

PRICES = Pricing(
    input=10.0,
    output=100.0,
    cached_input=1.0,
    cache_write=12.5,
    cache_write_1h=20.0,
    audio_input=40.0,
    audio_output=400.0,
)
LONG = Pricing(
    input=10.0,
    output=100.0,
    cached_input=1.0,
    long_context=LongContextPricing(200_000, input=20.0, output=150.0, cached_input=2.0),
)


def usage(prompt=0, completion=0, *, reasoning=None, spoken=None, **prompt_details):
    return Usage(
        prompt,
        completion,
        prompt + completion,
        PromptTokensDetails(**prompt_details),
        CompletionTokensDetails(reasoning_tokens=reasoning, audio_tokens=spoken),
    )


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (Usage(1000, 50, 1050), 0.015),
        (usage(1000), 0.01),
        (usage(1000, cached_tokens=1000), 0.001),
        (usage(1000, cached_tokens=600), 0.0046),
        (usage(1000, cache_write_tokens=1000), 0.0125),
        (usage(1000, cache_write_tokens=1000, cache_write_1h_tokens=1000), 0.02),
        (
            usage(1000, cached_tokens=300, cache_write_tokens=500, cache_write_1h_tokens=200),
            0.01005,
        ),
        (usage(0, 1000, reasoning=900), 0.1),
        (usage(0, 1000, spoken=600), 0.28),
        (usage(1000, audio_tokens=250), 0.0175),
        (usage(0, 0), 0.0),
        (usage(1, 0, cached_tokens=1), 0.000001),
    ],
)
def test_every_token_is_counted_once(tokens, expected):
    assert usd_of(tokens, PRICES) == expected


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (usage(200_000, 10), 2.001),
        (usage(200_001, 10), 4.00152),
        (usage(300_000, 0, cached_tokens=100_000), 4.2),
        (usage(300_000, 0, cache_write_tokens=1), None),
    ],
)
def test_a_long_prompt_has_the_prices_of_one(tokens, expected):
    assert usd_of(tokens, LONG) == expected


@pytest.mark.parametrize(
    "tokens",
    [
        usage(10, cached_tokens=11),
        usage(10, cache_write_tokens=5, cache_write_1h_tokens=6),
        usage(0, 10, spoken=11),
        usage(10, cached_tokens=5, audio_tokens=5),
    ],
)
def test_counts_that_do_not_add_up_have_no_price(tokens):
    assert usd_of(tokens, PRICES) is None


@pytest.mark.parametrize(
    ("tokens", "known", "missing"),
    [
        (usage(10), {"output": 1.0}, "input"),
        (usage(0, 10), {"input": 1.0}, "output"),
        (usage(10, cached_tokens=1), {"input": 1.0}, "cached_input"),
        (usage(10, cache_write_tokens=1), {"input": 1.0}, "cache_write"),
        (usage(10, audio_tokens=1), {"input": 1.0}, "audio_input"),
        (usage(0, 10, spoken=1), {"output": 1.0}, "audio_output"),
    ],
)
def test_a_price_that_is_needed_and_not_known_leaves_the_sum_unknown(tokens, known, missing):
    assert usd_of(tokens, Pricing(**known)) is None
    assert usd_of(tokens, Pricing(**known, **{missing: 2.0})) is not None


# Recorded usage, by the manifests' prices

RECORDED = {
    "openai": {
        "555de67cc5777baf": 0.00341125,  # 329 in, 300 out, 256 of them reasoning
        "cb78334a57c5da91": 0.020172,  # 4012 of 4020 written to the cache
        "938eed0287048f15": 0.0017168,  # and read from it
    },
    "anthropic": {
        "36ce880741588d54": 0.005583,  # 4 in, 6 written, 8845 read, 193 out
        "e78159fbbbabbffe": 0.0104256,  # 6 in, 574 written, 20443 read, 489 out, 77 thinking
        "3f47b0ac56c58640": 0.000905,  # 2 in, 1590 read, 4 out
    },
}


@pytest.mark.parametrize("provider", RECORDED)
def test_recorded_usage_is_priced(reference, provider):
    found = {}
    lines = (reference / "recordings" / f"{provider}.jsonl").read_text("utf-8").splitlines()
    for recording in map(json.loads, lines):
        if recording["id"] in RECORDED[provider]:
            reply = specado.parse_response(recording["response"]["json"], provider)
            found[recording["id"]] = cost_of(reply, find_model(provider, reply.model))

    assert found == {
        key: {"usd": usd, "certainty": "exact"} for key, usd in RECORDED[provider].items()
    }


# Certainty

UNKNOWN = {"usd": None, "certainty": "unknown"}
# gpt-4o, one token in at 2.50 and one out at 10 dollars a million
ONE_AND_ONE_USD = 0.0000125


def cost(*replies, config=KEYS, model="gpt-4o"):
    quick = {**config, "max_retries": 1}
    return drive(call(model, quick), replies).extensions.metadata["cost"]


def completion(**changes):
    """Return a reply of gpt-4o with some members of its body changed."""
    return WireReply(200, {}, json.dumps({**json.loads(ok().body), **changes}).encode())


def message(*, model="claude-haiku-4-5-20251001", **more):
    body = {
        "id": "msg_1",
        "model": model,
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 100, "output_tokens": 10, **more},
    }
    return WireReply(200, {}, json.dumps(body).encode())


def test_a_reply_at_the_first_attempt_is_exact():
    assert cost(ok()) == {"usd": ONE_AND_ONE_USD, "certainty": "exact"}


@pytest.mark.parametrize(
    ("failure", "certainty"),
    [
        (TransportFailure("connect", "refused", sent=False), "exact"),
        (TransportFailure("reset", "reset", sent=True), "at_least"),
        (TransportFailure("truncated", "cut", sent=True), "at_least"),
        (TransportFailure("too_large", "too large", sent=True), "at_least"),
        (refused(429), "exact"),
        (refused(503), "exact"),
        (refused(529), "exact"),
        (refused(500), "at_least"),
        (refused(502), "at_least"),
        (refused(504), "at_least"),
        (refused(408), "at_least"),
        (refused(409), "at_least"),
        (WireReply(200, {}, b"<html>"), "at_least"),
    ],
)
def test_an_attempt_before_that_may_have_been_billed_makes_it_a_lower_bound(failure, certainty):
    assert cost(failure, ok()) == {"usd": ONE_AND_ONE_USD, "certainty": certainty}


@pytest.mark.parametrize(
    ("failure", "certainty"),
    [
        (TransportFailure("timeout", "no reply", sent=True), "at_least"),
        (TransportFailure("timeout", "no connection", sent=False), "exact"),
        (refused(402), "exact"),
        (WireReply(200, {}, b'{"choices": []}'), "at_least"),
    ],
)
def test_a_fallback_is_priced_as_itself(failure, certainty):
    config = {**KEYS, "model_map": {"gpt-4o": {"anthropic": "claude-haiku-4-5"}}}

    # 100 in at 1 dollar, 10 out at 5 dollars a million
    assert cost(failure, message(), config=config) == {"usd": 0.00015, "certainty": certainty}


def test_a_refusal_that_went_to_the_next_candidate_was_billed():
    config = {**KEYS, "fallback_on_content_policy": True}
    refusal = ok(None, message={"role": "assistant", "content": None, "refusal": "No."})

    assert cost(refusal, message(), config=config)["certainty"] == "at_least"


@pytest.mark.parametrize(
    "reply",
    [
        completion(usage=None),
        completion(service_tier="flex"),
        completion(service_tier="priority"),
        completion(usage={"prompt_tokens": "many", "completion_tokens": 1, "total_tokens": 2}),
    ],
)
def test_what_cannot_be_priced_is_unknown(reply):
    assert cost(reply) == UNKNOWN


@pytest.mark.parametrize("tier", ["default", "auto", None])
def test_the_listed_prices_are_for_the_default_tier(tier):
    assert cost(completion(service_tier=tier))["certainty"] == "exact"


def test_a_model_that_is_in_no_manifest_has_no_price():
    assert cost(completion(model="my-own"), model="my-own") == UNKNOWN


def test_the_model_that_answered_is_priced_not_the_one_that_was_asked():
    mini = completion(model="gpt-4o-mini-2024-07-18")

    assert cost(mini) == {"usd": 0.00000075, "certainty": "exact"}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, {"usd": 0.00015, "certainty": "exact"}),
        (
            {
                "cache_creation_input_tokens": 100,
                "cache_creation": {"ephemeral_1h_input_tokens": 60},
            },
            {"usd": 0.00032, "certainty": "exact"},  # 40 at 1.25, 60 at 2 dollars
        ),
        (
            {"server_tool_use": {"web_search_requests": 2}},
            {"usd": 0.00015, "certainty": "at_least"},
        ),
        ({"inference_geo": "us"}, {"usd": 0.00015, "certainty": "at_least"}),
        ({"service_tier": "standard"}, {"usd": 0.00015, "certainty": "exact"}),
        ({"service_tier": "batch"}, UNKNOWN),
    ],
)
def test_what_anthropic_bills_beside_the_tokens(more, expected):
    assert cost(message(**more), model="anthropic/claude-haiku-4-5") == expected


def read(body, provider):
    return specado.parse_response(json.loads(body), provider).usage_certainty


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}, "exact"),
        ({"prompt_tokens": 1, "completion_tokens": 1}, "exact"),
        ({"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": "x"}, "exact"),
        ({"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2.0}, "exact"),
        ({"prompt_tokens": 1, "total_tokens": 2}, "unknown"),
        ({"completion_tokens": 1, "total_tokens": 2}, "unknown"),
        ({"prompt_tokens": "1", "completion_tokens": 1, "total_tokens": 2}, "unknown"),
        (
            {
                "prompt_tokens": 1,
                "completion_tokens": 1,
                "total_tokens": 2,
                "prompt_tokens_details": {"cached_tokens": "x"},
            },
            "unknown",
        ),
        (
            {
                "prompt_tokens": 1,
                "completion_tokens": 1,
                "total_tokens": 2,
                "completion_tokens_details": 5,
            },
            "unknown",
        ),
        ("two", "unknown"),
        (None, "exact"),
    ],
)
def test_how_certain_openais_usage_is(counts, expected):
    assert read(completion(usage=counts).body, "openai") == expected


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({}, "exact"),
        ({"input_tokens": None}, "unknown"),
        ({"input_tokens": "many"}, "unknown"),
        ({"output_tokens": -1}, "unknown"),
        ({"cache_creation": {"ephemeral_1h_input_tokens": "x"}}, "unknown"),
        ({"server_tool_use": {"web_fetch_requests": 1}}, "at_least"),
        ({"server_tool_use": {"web_fetch_requests": 0}}, "exact"),
        ({"inference_geo": "us"}, "at_least"),
        ({"inference_geo": "global"}, "exact"),
        ({"iterations": [{}]}, "at_least"),
        ({"inference_geo": "us", "output_tokens": -1}, "unknown"),
    ],
)
def test_how_certain_anthropics_usage_is(counts, expected):
    assert read(message(**counts).body, "anthropic") == expected


def test_a_note_decides_nothing():
    """The price goes by what was counted, whatever the notes say."""
    reply = specado.parse_response(json.loads(ok().body), "openai")
    reply.extensions.metadata["reply_notes"] = ["usage.prompt_tokens: missing, read as 0"]

    assert cost_of(reply, find_model("openai", "gpt-4o"))["certainty"] == "exact"


def chunk(**more):
    data = {"id": "c", "created": 1, "model": "gpt-4o", "choices": [], **more}
    return b"data: " + json.dumps(data).encode() + b"\n\n"


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([{"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}], "exact"),
        ([{"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": "2"}], "exact"),
        ([{"prompt_tokens": 1, "completion_tokens": "1", "total_tokens": 2}], "unknown"),
        (
            [
                {"prompt_tokens": "x", "completion_tokens": 1, "total_tokens": 2},
                {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
            ],
            "unknown",
        ),
    ],
)
def test_how_certain_a_streams_usage_is(counts, expected):
    stream = OpenAIStream("openai", "gpt-4o", 1, max_frame_bytes=9999, max_reply_bytes=9999)
    said = {"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}

    stream.feed(chunk(choices=[said]) + b"".join(chunk(usage=each) for each in counts))
    stream.feed(b"data: [DONE]\n\n")

    assert stream.response()[0].usage_certainty == expected


@pytest.mark.parametrize(
    ("start", "delta", "expected"),
    [
        ({"input_tokens": 1, "output_tokens": 0}, {"output_tokens": 1}, "exact"),
        ({"input_tokens": "x", "output_tokens": 0}, {"output_tokens": 1}, "unknown"),
        ({"input_tokens": 1, "output_tokens": 0}, {"output_tokens": "1"}, "unknown"),
        ({"input_tokens": 1, "output_tokens": 0}, {"output_tokens": -1}, "unknown"),
        (
            {"input_tokens": 1, "output_tokens": 0, "inference_geo": "us"},
            {"output_tokens": 1},
            "at_least",
        ),
    ],
)
def test_how_certain_the_usage_of_anthropics_stream_is(start, delta, expected):
    stream = AnthropicStream("anthropic", "m", 1, max_frame_bytes=9999, max_reply_bytes=9999)
    begun = {"id": "m", "type": "message", "role": "assistant", "content": [], "model": "m"}
    events = [
        {"type": "message_start", "message": {**begun, "usage": start}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": delta},
        {"type": "message_stop"},
    ]

    for event in events:
        stream.feed(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())

    assert stream.response()[0].usage_certainty == expected


def test_a_model_that_searches_bills_its_searches_too():
    reply = specado.parse_response(json.loads(ok().body), "openai")

    assert cost_of(reply, find_model("openai", "gpt-5-search-api"))["certainty"] == "at_least"


def test_an_hours_cache_write_is_not_in_openais_shape():
    told = usage(10, cache_write_tokens=5, cache_write_1h_tokens=5)

    assert told.to_dict()["prompt_tokens_details"] == {"cache_write_tokens": 5}


# Streams

SIMULATED = {"simulate": True, "max_retries": 0}


def streamed(model, **given):
    """Read a simulated stream to its end; return what it came to and its stream."""
    stream = specado.Client(SIMULATED).chat.completions.create(model, "Hi", stream=True, **given)
    try:
        for _ in stream:
            pass
    except StreamInterruptedError as error:
        return error.partial, stream
    return stream.response(), stream


def test_a_stream_has_its_cost_at_the_end_as_the_whole_reply_has():
    client = specado.Client(SIMULATED)
    whole = client.chat.completions.create("claude-haiku-4-5", "Hi")
    stream = client.chat.completions.create("claude-haiku-4-5", "Hi", stream=True)
    before = dict(stream.extensions.metadata)

    list(stream)

    assert "cost" not in before
    assert stream.extensions.metadata["cost"] == whole.extensions.metadata["cost"]
    assert stream.response().extensions.metadata["cost"]["certainty"] == "exact"


def test_usage_that_was_not_asked_for_is_priced_all_the_same():
    reply, stream = streamed("gpt-4o")

    assert stream.extensions.metadata["cost"] == {"usd": 7.25e-05, "certainty": "exact"}
    assert reply.usage is not None


def test_an_attempt_before_the_stream_counts():
    _, stream = streamed("stream-error-test-model", fallback_models=["claude-haiku-4-5"])

    assert stream.extensions.metadata["cost"] == {"usd": 3.5e-05, "certainty": "at_least"}


def test_a_stream_that_broke_off_before_its_usage_has_no_known_cost():
    partial, stream = streamed("stream-cut-test-model", fallback_models=[])

    assert partial.extensions.metadata["cost"] == UNKNOWN
    assert stream.extensions.metadata["cost"] == UNKNOWN


def test_a_stream_that_was_left_may_have_cost_more():
    async def leave():
        client = specado.AsyncClient(SIMULATED)
        stream = await client.chat.completions.create("claude-haiku-4-5", "Hi", stream=True)
        async with stream:
            await stream.__anext__()
        return stream

    stream = asyncio.run(leave())

    # Anthropic tells the prompt's tokens first: 5 at 1 dollar, and 1 of the answer's at 5.
    assert stream.extensions.metadata["cost"] == {"usd": 1e-05, "certainty": "at_least"}


# Counts and prices of servers that speak OpenAI's dialect

COUNTED = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}


@pytest.fixture
def server():
    """Register a server with a price list; return its name."""
    prices = {"input": 1.25, "output": 2.5, "cached_input": 0.2, "cache_write": 2.0}
    specado.register_manifest(
        {
            "name": "priced",
            "base_url": "http://127.0.0.1:1/v1",
            "models": {"m": {"pricing": prices}},
        }
    )
    return "priced"


def whole_reply(provider, counts, **more):
    said = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
    body = {"id": "c", "created": 1, "model": "m", "choices": [said], "usage": counts, **more}
    return specado.parse_response(body, provider)


def streamed_reply(provider, *chunks):
    """Return the reply of a stream that says "Hi", and of what these chunks hold."""
    stream = OpenAIStream(provider, "m", 1, max_frame_bytes=9999, max_reply_bytes=9999)
    said = {"index": 0, "delta": {"content": "Hi"}}
    for each in [{"choices": [said]}, *chunks]:
        data = {"id": "c", "created": 1, "model": "m", "choices": [], **each}
        stream.feed(b"data: " + json.dumps(data).encode() + b"\n\n")
    stream.feed(b"data: [DONE]\n\n")
    return stream.response()


def cost_at(reply, **more):
    return cost_of(reply, find_model(reply.extensions.provider_used, "m"), **more)


def both_costs(provider, counts):
    """Return what a reply with these counts costs, the same whole and streamed."""
    whole = cost_at(whole_reply(provider, counts))
    reply, _ = streamed_reply(provider, {"usage": counts})
    assert cost_at(reply) == whole
    partial = cost_at(reply, is_whole=False)
    assert partial["certainty"] != "exact"
    assert partial["usd"] == whole["usd"]
    return whole


OTHER_COUNTS = [
    # 1000 at 1.25, 100 at 2.50 dollars a million
    ({}, 0.0015, "exact"),
    ({"queue_time": 0.1, "latency_checkpoint": {"engine_ttft_ms": 30}}, 0.0015, "exact"),
    ({"citation_tokens": 0, "service_tier": "default"}, 0.0015, "exact"),
    # totals that do not add up
    ({"total_tokens": 1200}, 0.0015, "at_least"),
    ({"total_tokens": 1050}, None, "unknown"),
    (
        {"total_tokens": 1150, "completion_tokens_details": {"reasoning_tokens": 60}},
        0.0015,
        "at_least",
    ),
    ({"completion_tokens_details": {"reasoning_tokens": 101}}, 0.0015, "at_least"),
    # 200 of reasoning inside the completion, and 60 beside it
    ({"completion_tokens_details": {"reasoning_tokens": 60}}, 0.0015, "exact"),
    (
        {"total_tokens": 1160, "completion_tokens_details": {"reasoning_tokens": 60}},
        0.00165,
        "exact",
    ),
    ({"total_tokens": 1160, "reasoning_tokens": 60}, 0.00165, "exact"),
    # 900 cached at 0.20, 100 at 1.25 and 100 at 2.50 dollars a million
    ({"prompt_cache_hit_tokens": 900, "prompt_cache_miss_tokens": 100}, 0.000555, "exact"),
    ({"prompt_cache_hit_tokens": 900}, 0.000555, "exact"),
    ({"cached_tokens": 900}, 0.000555, "exact"),
    ({"num_cached_tokens": 900}, 0.000555, "exact"),
    ({"cache_read_input_tokens": 900}, 0.000555, "exact"),
    ({"cached_tokens": 900, "prompt_tokens_details": {"cached_tokens": 900}}, 0.000555, "exact"),
    ({"cached_tokens": 900, "prompt_tokens_details": {"cached_tokens": 0}}, 0.000555, "exact"),
    ({"cached_tokens": 900, "prompt_tokens_details": {"cached_tokens": 5}}, 0.000555, "at_least"),
    ({"prompt_cache_hit_tokens": 900, "prompt_cache_miss_tokens": 50}, 0.000555, "at_least"),
    ({"cached_tokens": "x"}, None, "unknown"),
    # 100 written at 2 dollars a million
    ({"cache_creation_input_tokens": 100}, 0.001575, "exact"),
    # what else is counted
    ({"citation_tokens": 7}, 0.0015, "at_least"),
    ({"num_search_queries": 2}, 0.0015, "at_least"),
    ({"num_sources_used": 3}, 0.0015, "at_least"),
    ({"server_tool_use": {"web_search_requests": 1}}, 0.0015, "at_least"),
    ({"prompt_tokens_details": {"video_tokens": 4}}, 0.0015, "at_least"),
    ({"completion_tokens_details": {"image_tokens": 4}}, 0.0015, "at_least"),
    (
        {"usage_breakdown": {"models": [{"model": "m", "usage": {"total_tokens": 4}}]}},
        0.0015,
        "at_least",
    ),
    ({"service_tier": "flex"}, None, "unknown"),
    ({"speed": "turbo"}, None, "unknown"),
]


@pytest.mark.parametrize(("counts", "usd", "certainty"), OTHER_COUNTS)
def test_a_cost_is_exact_only_where_every_count_is_read_and_adds_up(server, counts, usd, certainty):
    assert both_costs(server, {**COUNTED, **counts}) == {"usd": usd, "certainty": certainty}


def test_reasoning_beside_the_completion_is_priced_as_completion(server):
    counts = {
        "prompt_tokens": 10120,
        "completion_tokens": 1499,
        "total_tokens": 14428,
        "prompt_tokens_details": {"cached_tokens": 128},
        "completion_tokens_details": {"reasoning_tokens": 2809},
    }

    assert both_costs(server, counts) == {"usd": 0.0232856, "certainty": "exact"}


def test_a_count_under_another_name_is_noted(server):
    reply = whole_reply(server, {**COUNTED, "prompt_cache_hit_tokens": 900})

    assert reply.usage.prompt_tokens_details.cached_tokens == 900
    assert reply.extensions.metadata["reply_notes"] == [
        "usage.prompt_cache_hit_tokens: read as prompt_tokens_details.cached_tokens"
    ]


def test_members_of_usage_without_a_place_are_kept(server):
    counts = {**COUNTED, "queue_time": 0.1, "citation_tokens": 7}
    streamed, notes = streamed_reply(server, {"choices": [ENDED], "usage": counts})

    assert whole_reply(server, counts).other_usage == {"queue_time": 0.1, "citation_tokens": 7}
    assert streamed.other_usage == {"queue_time": 0.1, "citation_tokens": 7}
    assert notes == ["usage.citation_tokens: not priced"]


TOLD_COSTS = [
    ({"cost": 0.0123, "is_byok": False}, 0.0123, "exact", "usage.cost"),
    ({"cost": 0.0123, "is_byok": True}, 0.0123, "at_least", "usage.cost"),
    ({"cost": 0.0123}, 0.0123, "at_least", "usage.cost"),
    ({"cost": 0, "is_byok": False}, 0.0, "exact", "usage.cost"),
    (
        {"cost": 0.0123, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.01}},
        0.0123,
        "exact",
        "usage.cost",
    ),
    (
        {"cost": {"input_tokens_cost": 0.001, "total_cost": 0.006}, "num_search_queries": 2},
        0.006,
        "exact",
        "usage.cost.total_cost",
    ),
    ({"cost_in_usd_ticks": 158500000}, 0.01585, "exact", "usage.cost_in_usd_ticks"),
    ({"cost_in_usd_ticks": 158500000, "total_tokens": 1200}, 0.01585, "exact", None),
]


@pytest.mark.parametrize("name", ["priced", "unlisted"])
@pytest.mark.parametrize(("counts", "usd", "certainty", "source"), TOLD_COSTS)
def test_the_providers_own_cost_is_taken(server, name, counts, usd, certainty, source):
    specado.register_manifest({"name": "unlisted", "base_url": "http://127.0.0.1:1/v1"})
    source = source or "usage.cost_in_usd_ticks"

    found = both_costs(name, {**COUNTED, **counts})

    assert found == {"usd": usd, "certainty": certainty, "source": source}


@pytest.mark.parametrize("told", [None, "0.01", True, -1, {}, {"total_cost": None}])
def test_a_cost_that_is_no_price_is_left_aside(server, told):
    counts = {**COUNTED, "cost": told, "is_byok": False}

    assert both_costs(server, counts) == {"usd": 0.0015, "certainty": "exact"}


@pytest.mark.parametrize(
    ("stated", "usd"),
    [
        ({"member": "cost_in_usd_ticks", "per_usd": 10000000000}, 0.0001),
        ({"member": "price.cents", "per_usd": 100}, 0.02),
        ({"member": "credits"}, 3.0),
    ],
)
def test_a_manifest_states_the_member_and_the_unit_of_a_providers_cost(stated, usd):
    manifest = {"name": "told", "base_url": "http://127.0.0.1:1/v1"}
    specado.register_manifest({**manifest, "usage_cost": {**stated, "source": "its page"}})
    counts = {**COUNTED, "cost_in_usd_ticks": 1e6, "price": {"cents": 2}, "credits": 3}

    assert both_costs("told", counts) == {
        "usd": usd,
        "certainty": "exact",
        "source": f"usage.{stated['member']}",
    }


@pytest.mark.parametrize(
    ("stated", "path"),
    [
        ({"per_usd": 1}, "usage_cost"),
        ({"member": "cost", "per_usd": 0}, "usage_cost.per_usd"),
        ({"member": "cost", "unit": "usd"}, "usage_cost"),
    ],
)
def test_a_wrong_unit_in_a_manifest_is_refused(stated, path):
    with pytest.raises(specado.ConfigurationError) as refused:
        specado.register_manifest(
            {"name": "told", "base_url": "http://127.0.0.1:1/v1", "usage_cost": stated}
        )
    assert refused.value.key == path


def test_an_attempt_before_may_have_been_billed_beside_the_providers_cost(server):
    reply = whole_reply(server, {**COUNTED, "cost": 0.01, "is_byok": False})
    earlier = [specado.ServerError("failed", provider=server, status_code=500)]

    assert cost_at(reply, earlier=earlier)["certainty"] == "at_least"


ENDED = {"index": 0, "delta": {}, "finish_reason": "stop"}


@pytest.mark.parametrize(
    ("last", "noted"),
    [
        ({"choices": [ENDED], "x_groq": {"id": "r", "usage": COUNTED}}, "x_groq.usage"),
        ({"choices": [{**ENDED, "usage": COUNTED}]}, "choices[0].usage"),
        ({"choices": [ENDED], "usage": None, "x_groq": {"usage": COUNTED}}, "x_groq.usage"),
        ({"x_groq": {"id": "r", "usage": COUNTED}}, "x_groq.usage"),
    ],
)
def test_a_streams_usage_is_read_where_some_servers_put_it(server, last, noted):
    reply, notes = streamed_reply(server, last)

    assert reply.usage == Usage(1000, 100, 1100)
    assert notes[0] == f"{noted}: read as usage"
    assert set(notes[1:]) <= {"choices[0].finish_reason: missing"}
    assert cost_at(reply) == {"usd": 0.0015, "certainty": "exact"}


# Anthropic's speed, and what a later usage of it may hold

FAST = [
    # 100 in at 10, 10 out at 50 dollars a million
    ("claude-opus-4-8", {"speed": "fast"}, 0.0015, "exact"),
    ("claude-opus-4-8", {"speed": "fast", "cache_read_input_tokens": 100}, 0.0016, "exact"),
    ("claude-opus-4-8", {"speed": "standard"}, 0.00075, "exact"),
    ("claude-opus-4-8", {"speed": None}, 0.00075, "exact"),
    ("claude-opus-4-8", {"speed": "slow"}, None, "unknown"),
    ("claude-haiku-4-5-20251001", {"speed": "fast"}, 0.00015, "at_least"),
    ("claude-haiku-4-5-20251001", {"new_tokens": 5}, 0.00015, "at_least"),
    ("claude-haiku-4-5-20251001", {"new_tokens": 0}, 0.00015, "exact"),
    ("claude-haiku-4-5-20251001", {"new_tier": "cheap"}, None, "unknown"),
    (
        "claude-haiku-4-5-20251001",
        {"cache_creation": {"ephemeral_1d_input_tokens": 4}},
        0.00015,
        "at_least",
    ),
    (
        "claude-haiku-4-5-20251001",
        {"server_tool_use": {"code_execution_requests": 1}},
        0.00015,
        "at_least",
    ),
    (
        "claude-haiku-4-5-20251001",
        {"new_tokens": 0, "server_tool_use": {"web_search_requests": 1}},
        0.00015,
        "at_least",
    ),
]


@pytest.mark.parametrize(("model", "more", "usd", "certainty"), FAST)
def test_anthropics_usage_is_priced_exactly_only_if_all_of_it_is_read(model, more, usd, certainty):
    reply = specado.parse_response(message(model=model, **more).body, "anthropic")
    stream = AnthropicStream("anthropic", model, 1, max_frame_bytes=9999, max_reply_bytes=9999)
    begun = {"id": "m", "type": "message", "role": "assistant", "content": [], "model": model}
    events = [
        {"type": "message_start", "message": {**begun, "usage": {"input_tokens": 100, **more}}},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn"},
            "usage": {"output_tokens": 10, **more},
        },
        {"type": "message_stop"},
    ]
    for event in events:
        stream.feed(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
    facts = find_model("anthropic", model)

    assert cost_of(reply, facts) == {"usd": usd, "certainty": certainty}
    assert cost_of(stream.response()[0], facts) == {"usd": usd, "certainty": certainty}
    assert cost_of(stream.response()[0], facts, is_whole=False)["certainty"] != "exact"


AS_TEXT = Pricing(
    input=10.0,
    output=100.0,
    cached_input=1.0,
    audio_input=10.0,
    long_context=LongContextPricing(200_000, input=20.0, output=150.0, cached_input=2.0),
)


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (usage(1000, audio_tokens=400), 0.01),
        (usage(1000, audio_tokens=400, cached_tokens=500), 0.0055),
        (usage(300_000, audio_tokens=400), 6.0),
    ],
)
def test_audio_at_the_price_of_text_is_counted_as_text(tokens, expected):
    assert usd_of(tokens, AS_TEXT) == pytest.approx(expected)


def test_audio_at_the_price_of_text_follows_an_announced_price():
    later = PriceChange("2027-01-01", "a page", "2026-11-30", input=15.0, output=150.0)
    pricing = replace(AS_TEXT, changes=(later,))

    before, after = pricing.on(dt.date(2026, 12, 31)), pricing.on(dt.date(2027, 1, 1))

    assert (before.input, before.audio_input, before.output) == (10.0, 10.0, 100.0)
    assert (after.input, after.audio_input, after.output) == (15.0, 15.0, 150.0)
    assert after.cached_input == 1.0


@pytest.mark.parametrize(
    ("annotations", "certainty"),
    [
        (None, "exact"),
        ([{"type": "file_citation", "file_id": "f"}], "exact"),
        ([{"type": "url_citation", "url_citation": {"url": "https://x.example"}}], "at_least"),
    ],
)
def test_an_answer_that_cites_the_web_may_have_cost_a_search_too(annotations, certainty):
    message = Message("assistant", "Hi", annotations=annotations)
    reply = ChatCompletionResponse(
        id="r-1",
        model="gemini-3.8-flash",
        created=1_790_000_000,
        choices=[Choice(0, message, "stop")],
        usage=Usage(1000, 50, 1050),
        extensions=Extensions("gemini"),
    )

    found = cost_of(reply, find_model("gemini", "gemini-3.8-flash"))

    assert found["certainty"] == certainty
    assert found["usd"] == pytest.approx((1000 * 0.75 + 50 * 3.75) / 1_000_000)
