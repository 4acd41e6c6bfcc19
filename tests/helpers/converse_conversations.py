"""Random Converse requests, well formed, for tests of round trips."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from anthropic_conversations import TEXT
from conversations import JSON, SCHEMA

MODEL = "anthropic.claude-sonnet-4-5-20250929-v1:0"
SAID = st.fixed_dictionaries({"text": TEXT.filter(str.strip)})
POINT = st.sampled_from([
    {"cachePoint": {"type": "default"}}, {"cachePoint": {"type": "default", "ttl": "1h"}},
])  # fmt: skip
IMAGE = st.sampled_from([
    {"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}},
    {"image": {"format": "png", "source": {"s3Location": {"uri": "s3://bucket/a.png"}}}},
])  # fmt: skip
PDF = {"format": "pdf", "name": "doc", "source": {"bytes": "JVBERg=="}}
DOCUMENT = st.sampled_from([
    {"document": PDF},
    {"document": {**PDF, "citations": {"enabled": True}}},
    {"document": {**PDF, "context": "c"}},
    {"document": {"format": "txt", "name": "note", "source": {"bytes": "aGVsbG8="}}},
    {"document": {"format": "txt", "name": "note", "source": {"text": "hello"}}},
])  # fmt: skip
MEDIA = st.sampled_from([
    {"audio": {"format": "wav", "source": {"bytes": "UklGRg=="}}},
    {"audio": {"format": "flac", "source": {"bytes": "ZkxhQw=="}}},
    {"video": {"format": "mp4", "source": {"bytes": "AAAA"}}},
    {"guardContent": {"text": {"text": "watch me"}}},
    {"searchResult": {"title": "t", "source": "s", "content": [{"text": "found"}]}},
])  # fmt: skip
SIGNED = {"reasoningText": {"text": "hm", "signature": "c2lnbmVk"}}
THOUGHT = st.sampled_from([
    {"reasoningContent": SIGNED},
    {"reasoningContent": {"redactedContent": "ZGF0YQ=="}},
    {"reasoningContent": {"reasoningText": {"text": "open"}}},
])  # fmt: skip


@st.composite
def tool_rounds(draw: Any) -> list[dict[str, Any]]:
    """A model's message with calls, and the user's with their results."""
    start = draw(st.integers(0, 1000))
    calls = [
        {
            "toolUse": {
                "toolUseId": f"call_{start}_{place}",
                "name": name,
                "input": draw(st.dictionaries(TEXT, JSON, max_size=2)),
            }
        }
        for place, name in enumerate(
            draw(st.lists(st.sampled_from(["f", "g"]), min_size=1, max_size=3))
        )
    ]
    thoughts = draw(st.lists(THOUGHT, max_size=1))
    said = draw(st.permutations([*draw(st.lists(SAID, max_size=1)), *calls]))
    content = st.one_of(
        SAID, st.dictionaries(TEXT, JSON, max_size=2).map(lambda found: {"json": found}), IMAGE
    )
    answers = []
    for call in calls:
        result = {
            "toolUseId": call["toolUse"]["toolUseId"],
            "content": draw(st.lists(content, min_size=1, max_size=2)),
        }
        if draw(st.booleans()):
            result["status"] = draw(st.sampled_from(["success", "error"]))
        answers.append({"toolResult": result})
    also = draw(st.lists(SAID, max_size=1))
    return [
        {"role": "assistant", "content": [*thoughts, *said]},
        {"role": "user", "content": [*answers, *also]},
    ]


def message(role: str, *blocks: Any) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Messages of a role: a text, and blocks after it."""
    made = st.lists(st.one_of(*blocks), max_size=2)
    return st.tuples(SAID, made).map(
        lambda found: [{"role": role, "content": [found[0], *found[1]]}]
    )


USER = message("user", SAID, IMAGE, DOCUMENT, MEDIA, POINT)
ROUND = st.one_of(
    USER,
    st.tuples(USER, message("assistant", SAID)).map(lambda found: [*found[0], *found[1]]),
    st.tuples(USER, tool_rounds()).map(lambda found: [*found[0], *found[1]]),
)
MESSAGES = st.lists(ROUND, min_size=1, max_size=3).map(
    lambda rounds: [turn for found in rounds for turn in found]
)
SPEC = st.fixed_dictionaries(
    {"name": st.sampled_from(["f", "g"]), "inputSchema": st.just({"json": SCHEMA})},
    optional={"description": TEXT.filter(bool), "strict": st.booleans()},
)
TOOLS = st.lists(SPEC, min_size=1, max_size=2, unique_by=lambda each: each["name"]).map(
    lambda found: [{"toolSpec": each} for each in found]
)
CHOICE = st.sampled_from([{"auto": {}}, {"any": {}}])
FAMILY = st.sampled_from([
    {"thinking": {"type": "enabled", "budget_tokens": 2000}},
    {"thinking": {"type": "adaptive"}},
    {"top_k": 5}, {"anthropic_beta": ["a"]}, {"reasoning_effort": "low"},
    {"inferenceConfig": {"topK": 5}},
])  # fmt: skip
CONFIG = st.fixed_dictionaries({}, optional={
    "temperature": st.sampled_from([0, 0.5, 1]), "topP": st.sampled_from([0.2, 1]),
    "maxTokens": st.sampled_from([1, 5000, 100_000]),
    "stopSequences": st.lists(TEXT.filter(str.strip), max_size=6, unique=True),
})  # fmt: skip
FORMAT = st.sampled_from(
    [
        {
            "textFormat": {
                "type": "json_schema",
                "structure": {
                    "jsonSchema": {
                        "name": "answer",
                        "schema": '{"type":"object","properties":{"a":{"type":"string"}},'
                        '"required":["a"],"additionalProperties":false}',
                    }
                },
            }
        },
        {"effort": "low"},
    ]
)
REQUESTS = st.fixed_dictionaries(
    {"model": st.just(MODEL), "messages": MESSAGES},
    optional={
        "system": st.lists(SAID, min_size=1, max_size=2),
        "inferenceConfig": CONFIG,
        "toolConfig": st.fixed_dictionaries({"tools": TOOLS}, optional={"toolChoice": CHOICE}),
        "additionalModelRequestFields": FAMILY,
        "outputConfig": FORMAT,
        "requestMetadata": st.just({"team": "a"}),
        "serviceTier": st.sampled_from([{"type": "flex"}, {"type": "priority"}]),
        "performanceConfig": st.sampled_from([{"latency": "standard"}, {"latency": "optimized"}]),
        "guardrailConfig": st.just({"guardrailIdentifier": "a", "guardrailVersion": "1"}),
        "projectIdentifier": st.just("p"),
        "zzUnknown": JSON.filter(bool),
    },
)
