"""Random Anthropic requests, well formed, for tests of round trips."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from answer_schemas import answer_schemas
from conversations import CACHE, JSON, SCHEMA

TEXT = st.sampled_from(["Hello", "trailing ", '\u2028 \x00 \x1f " \\ é 𝄞', "plain", "42"])
CACHED = st.just({}) | CACHE.map(lambda control: {"cache_control": control})


def block(kind: str, keys: dict[str, Any], **optional: Any) -> st.SearchStrategy[dict[str, Any]]:
    made = st.fixed_dictionaries({"type": st.just(kind), **keys}, optional=optional)
    return st.builds(lambda left, right: {**left, **right}, made, CACHED)


TEXT_BLOCK = block("text", {"text": TEXT})
CITED = block("text", {"text": TEXT}, citations=st.just([{"type": "char_location"}]))
IMAGE = block("image", {"source": st.sampled_from([
    {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="},
    {"type": "url", "url": "https://example.org/a.png"},
    {"type": "file", "file_id": "file_1"},
])})  # fmt: skip
DOCUMENT = block("document", {"source": st.sampled_from([
    {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="},
    {"type": "text", "media_type": "text/plain", "data": "a text"},
    {"type": "content", "content": [{"type": "text", "text": "a part"}]},
    {"type": "content", "content": "a text too"},
    {"type": "url", "url": "https://example.org/a.pdf"},
])}, title=TEXT, context=TEXT,
    citations=st.sampled_from([{"enabled": True}, {"enabled": False}]))  # fmt: skip
SERVER_USE = st.just({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}})
SERVER_RESULT = st.just({"type": "web_search_tool_result", "tool_use_id": "s", "content": []})
SEARCH_RESULT = block("search_result", {
    "source": TEXT, "title": TEXT, "content": st.lists(TEXT_BLOCK, max_size=2),
}, citations=st.sampled_from([{"enabled": True}, {"enabled": False}]))  # fmt: skip
UPLOAD = st.just({"type": "container_upload", "file_id": "file_1"})
THOUGHT = st.sampled_from([
    {"type": "thinking", "thinking": "hm", "signature": "sig"},
    {"type": "redacted_thinking", "data": "xx"},
])  # fmt: skip
CALLER = st.sampled_from([{"type": "direct"}, {"type": "code_execution_20250825", "tool_id": "s"}])


@st.composite
def tool_rounds(draw: Any) -> list[dict[str, Any]]:
    """An assistant turn with calls in any order, and a user turn that answers them first."""
    ids = [f"toolu_{place}" for place in range(draw(st.integers(1, 3)))]
    asked = [
        draw(block("tool_use", {
            "id": st.just(id_), "name": st.sampled_from(["f", "g"]),
            "input": st.dictionaries(TEXT, JSON, max_size=2)}, caller=CALLER))
        for id_ in ids
    ]  # fmt: skip
    said = draw(st.lists(st.one_of(CITED, THOUGHT, SERVER_USE, SERVER_RESULT), max_size=2))
    said = draw(st.permutations([*said, *asked]))
    answers = [
        draw(block("tool_result", {"tool_use_id": st.just(id_)},
                   content=TEXT | st.lists(
                       st.one_of(TEXT_BLOCK, IMAGE, DOCUMENT, SEARCH_RESULT), max_size=3),
                   is_error=st.booleans()))
        for id_ in ids
    ]  # fmt: skip
    also = draw(st.lists(st.one_of(TEXT_BLOCK, IMAGE), max_size=2))
    return [{"role": "assistant", "content": said}, {"role": "user", "content": answers + also}]


USER_BLOCKS = st.one_of(TEXT_BLOCK, CITED, IMAGE, DOCUMENT, SEARCH_RESULT, UPLOAD)
USER = st.fixed_dictionaries(
    {"role": st.just("user"), "content": TEXT | st.lists(USER_BLOCKS, min_size=1, max_size=3)}
)
ASSISTANT = st.fixed_dictionaries({
    "role": st.just("assistant"),
    "content": TEXT | st.lists(
        st.one_of(CITED, THOUGHT, SERVER_USE, SERVER_RESULT), min_size=1, max_size=3),
})  # fmt: skip
SYSTEM = st.fixed_dictionaries({"role": st.just("system"), "content": TEXT})
MESSAGES = st.lists(
    st.one_of(
        USER.map(lambda turn: [turn]), USER.map(lambda turn: [turn]),
        ASSISTANT.map(lambda turn: [turn]), SYSTEM.map(lambda turn: [turn]), tool_rounds(),
    ), min_size=1, max_size=5,
).map(lambda rounds: [turn for found in rounds for turn in found])  # fmt: skip

TOOL = st.fixed_dictionaries(
    {"name": st.sampled_from(["f", "g"]), "input_schema": st.just(SCHEMA)},
    optional={
        "type": st.just("custom"), "description": TEXT, "strict": st.booleans(),
        "cache_control": CACHE, "defer_loading": st.booleans(),
        "input_examples": st.just([{"a": 1}]),
    },
) | st.sampled_from([
    {"type": "web_search_20250305", "name": "web_search"},
    {"type": "bash_20250124", "name": "bash"},
])  # fmt: skip
REQUESTS = st.fixed_dictionaries(
    {
        "model": st.just("claude-opus-4-6"),
        "max_tokens": st.sampled_from([1, 1000, 5000, 10**6]),
        "messages": MESSAGES,
    },
    optional={
        "system": TEXT | st.lists(CITED, min_size=1, max_size=2),
        "temperature": st.sampled_from([0, 0.5, 1]), "top_p": st.sampled_from([0.2, 1]),
        "top_k": st.just(5), "stream": st.booleans(),
        "stop_sequences": st.lists(TEXT, max_size=6, unique=True),
        "metadata": st.sampled_from([{}, {"user_id": "u"}, {"user_id": None}]),
        "service_tier": st.sampled_from(["auto", "standard_only"]),
        "output_config": st.fixed_dictionaries({}, optional={
            "effort": st.sampled_from(["low", "medium", "high", "max"]),
            "format": st.fixed_dictionaries({"type": st.just("json_schema"),
                                             "schema": st.just(SCHEMA) | answer_schemas()})}),
        "thinking": st.sampled_from([
            {"type": "enabled", "budget_tokens": 1024}, {"type": "disabled"},
            {"type": "adaptive"}, {"type": "adaptive", "display": "omitted"}]),
        "tools": st.lists(TOOL, min_size=1, max_size=3),
        "tool_choice": st.sampled_from([
            {"type": "auto"}, {"type": "any", "disable_parallel_tool_use": True},
            {"type": "none"}, {"type": "tool", "name": "f"},
            {"type": "auto", "disable_parallel_tool_use": True}]),
        "container": st.just("container_1"), "inference_geo": st.just("us"),
        "cache_control": CACHE, "mcp_servers": st.just([{"name": "m", "url": "u"}]),
        "context_management": st.just({"edits": []}), "speed": st.just("fast"),
        "zz_unknown": JSON,
    },
).filter(lambda made: (made.get("thinking") or {}).get("type") != "disabled"
         or "effort" not in (made.get("output_config") or {}))  # fmt: skip
