"""Random conversations and parameters, well formed, for tests that compare with a twin."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from answer_schemas import answer_schemas

CACHE = st.sampled_from([{"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}])
TOOL_NAME = st.sampled_from(["f", "g", "a.b", "f" * 65])
TEXT = st.one_of(
    st.sampled_from(["", " ", "\n", "Hello", "trailing ", '\u2028 \x00 \x1f " \\ é 𝄞', "plain"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXT
)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3)
)
EXTRA = st.fixed_dictionaries({}, optional={"cache_control": CACHE, "zz_custom": JSON})
OBJECTS = st.dictionaries(TEXT, JSON, max_size=3)


def with_extra(base: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(lambda made, extra: {**made, **extra}, base, st.just({}) | EXTRA)


TEXT_PART = with_extra(st.fixed_dictionaries({"type": st.just("text"), "text": TEXT}))
IMAGE = with_extra(
    st.fixed_dictionaries(
        {
            "type": st.just("image_url"),
            "image_url": st.fixed_dictionaries(
                {"url": st.sampled_from(
                    ["https://example.org/a.png", "data:image/png;base64,iVBORw0KGgo=",
                     "data:image/webp;base64,AAAA", "data:image/bmp;base64,AAAA"])},
                optional={"detail": st.sampled_from(["auto", "low", "high"])},
            ),
        }
    )
)  # fmt: skip
FILE = with_extra(
    st.fixed_dictionaries(
        {
            "type": st.just("file"),
            "file": st.sampled_from(
                [{"file_data": "data:application/pdf;base64,JVBERg=="}, {"file_id": "file-1"},
                 {"file_data": "JVBERi0x", "filename": "a.pdf"},
                 {"file_data": "data:text/plain;base64,w6ku"},
                 {"file_data": "data:application/zip;base64,AAAA"}]
            ),
        }
    )
)  # fmt: skip
AUDIO = st.just({"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}})
REFUSAL = st.fixed_dictionaries({"type": st.just("refusal"), "refusal": TEXT})
ARGUMENTS = st.sampled_from(
    ['{"b": 1,  "a": 123456789012345678901234567890}', "{}", "", '{"x":[1.0,1e2,"\\u00e9"]}']
)
CALL_BODY = with_extra(st.fixed_dictionaries({"name": TOOL_NAME, "arguments": ARGUMENTS}))
REASONING = st.lists(
    st.sampled_from(
        [{"type": "thinking", "text": "hm", "signature": "sig", "model": "m"},
         {"type": "thinking", "text": "hm", "model": "m"},
         {"type": "redacted_thinking", "data": "xx", "model": "m"},
         {"type": "thinking", "text": "hm", "signature": "sig", "model": "other"}]
    ), min_size=1, max_size=3,
)  # fmt: skip


def content(*parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return TEXT | st.lists(st.one_of(*parts), min_size=1, max_size=3)


def named(role: str, content: st.SearchStrategy[Any], **optional: Any) -> st.SearchStrategy[Any]:
    keys = {"name": TEXT, "cache_control": CACHE, "zz_custom": JSON, **optional}
    full = st.fixed_dictionaries({"role": st.just(role), "content": content}, optional=keys)
    return full | st.fixed_dictionaries({"role": st.just(role), "content": content})


@st.composite
def tool_rounds(draw: Any) -> list[dict[str, Any]]:
    """An assistant message with calls, and every answer to them."""
    count = draw(st.integers(1, 3))
    start = draw(st.sampled_from(["call_", "call_", "functions.f:", "é ", "a" * 50, ""]))
    calls = [
        {"id": f"{start}{place}", "type": "function", "function": {
            k: v for k, v in draw(CALL_BODY).items() if k != "cache_control"}}
        | draw(st.just({}) | EXTRA)
        for place in range(count)
    ]  # fmt: skip
    said = draw(st.none() | content(TEXT_PART))
    asked = {"role": "assistant", "content": said, "tool_calls": calls, **draw(st.just({}) | EXTRA)}
    answers = [
        {"role": "tool", "tool_call_id": call["id"], "content": draw(content(TEXT_PART, IMAGE))}
        | draw(st.just({}) | EXTRA)
        for call in calls
    ]
    return [asked, *answers]


SYSTEM = named("system", content(TEXT_PART)) | named("developer", content(TEXT_PART))
USER = named("user", content(TEXT_PART, IMAGE, FILE, AUDIO, TEXT))
ASSISTANT = named(
    "assistant", content(TEXT_PART, REFUSAL), refusal=TEXT, reasoning=TEXT,
    reasoning_details=REASONING, annotations=st.just([{"type": "url_citation"}]),
    audio=st.just({"id": "audio_1"}),
)  # fmt: skip
OTHER = named("critic", content(TEXT_PART))
MESSAGES = st.lists(
    st.one_of(
        SYSTEM.map(lambda m: [m]), USER.map(lambda m: [m]), USER.map(lambda m: [m]),
        ASSISTANT.map(lambda m: [m]), OTHER.map(lambda m: [m]), tool_rounds(),
    ), min_size=1, max_size=6,
).map(lambda rounds: [message for found in rounds for message in found])  # fmt: skip

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
TOOL = st.fixed_dictionaries(
    {"type": st.just("function"), "function": st.fixed_dictionaries(
        {"name": TOOL_NAME},
        optional={"description": TEXT, "parameters": st.just(SCHEMA) | answer_schemas(),
                  "strict": st.booleans()})},
    optional={"cache_control": CACHE},
) | st.just({"type": "custom", "custom": {"name": "c"}})  # fmt: skip
PARAMS = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.sampled_from([0, 0.5, 1, 1.0, 1.7]),
        "top_p": st.sampled_from([0.2, 0.95, 1]),
        "max_tokens": st.sampled_from([1, 1000, 5000, 10**6, 10**25]),
        "max_completion_tokens": st.sampled_from([2, 2000]),
        "stop": st.sampled_from(["END", " ", ["a", "\n", "b"], [], list("abcdef")]),
        "n": st.sampled_from([1, 2]), "seed": st.integers(), "store": st.booleans(),
        "frequency_penalty": st.sampled_from([0, 0.5]), "logprobs": st.booleans(),
        "top_logprobs": st.sampled_from([0, 3]), "logit_bias": st.sampled_from([{}, {"5": 1}]),
        "user": TEXT, "safety_identifier": TEXT, "metadata": st.sampled_from([{}, {"a": "b"}]),
        "service_tier": st.sampled_from(["auto", "default", "flex"]),
        "reasoning_effort": st.sampled_from(["none", "minimal", "low", "medium", "high", "xhigh"]),
        "tools": st.lists(TOOL, min_size=1, max_size=3), "parallel_tool_calls": st.booleans(),
        "tool_choice": st.sampled_from(
            ["auto", "none", "required", {"type": "function", "function": {"name": "f"}},
             {"type": "function", "function": {"name": "a.b"}}]),
        "response_format": st.sampled_from(
            [{"type": "text"}, {"type": "json_object"},
             {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}])
        | st.fixed_dictionaries({"type": st.just("json_schema"), "json_schema":
             st.fixed_dictionaries({"name": st.just("x"), "schema": answer_schemas()},
                                   optional={"strict": st.booleans()})}),
        "modalities": st.sampled_from([["text"], ["text", "audio"]]),
        "stream": st.booleans(), "stream_options": st.just({"include_usage": True}),
        "verbosity": st.just("low"), "zz_unknown": JSON,
    },
)  # fmt: skip


def with_tools_told_apart(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return parameters whose tools have a name each, and whose choice is one of them."""
    made = dict(parameters)
    if made.get("tools"):
        made["tools"] = list({str(name_of(tool)): tool for tool in made["tools"]}.values())
    choice = made.get("tool_choice")
    offered = [name_of(tool) for tool in made.get("tools") or ()]
    if isinstance(choice, dict) and "function" in choice and name_of(choice) not in offered:
        del made["tool_choice"]
    return made


def name_of(tool: dict[str, Any]) -> Any:
    """Return the name in a tool, or in the choice of one."""
    return (tool.get("function") or tool.get("custom") or {}).get("name")
