"""Random requests of the Responses API, well formed, for tests of round trips."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from answer_schemas import answer_schemas
from conversations import JSON, SCHEMA

TEXT = st.sampled_from(["Hello", "trailing ", '\u2028 \x1f " \\ é 𝄞', "plain", "42"])
MARK = st.just({"mode": "explicit"})
PDF = "data:application/pdf;base64,JVBERg=="


def made(required: dict[str, Any], **optional: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(required, optional=optional)


def named(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": st.just(kind), **fields}


INPUT_TEXT = made(named("input_text", text=TEXT), prompt_cache_breakpoint=MARK)
INPUT_IMAGE = made(
    named("input_image", detail=st.sampled_from(["auto", "low", "high"])),
    image_url=st.sampled_from(["data:image/png;base64,iVBORw0KGgo=", "https://example.org/a.png"]),
    file_id=st.just("file_1"),
).filter(lambda part: "image_url" in part or "file_id" in part)
INPUT_FILE = made(
    named("input_file"),
    file_data=st.just(PDF),
    file_id=st.just("file_1"),
    file_url=st.just("https://example.org/a.pdf"),
    filename=st.just("a.pdf"),
    detail=st.just("low"),
).filter(lambda part: {"file_data", "file_id", "file_url"} & part.keys())
# A file that is stored or elsewhere has no data beside it.
INPUT_FILE = INPUT_FILE.filter(
    lambda part: "file_data" not in part or not {"file_id", "file_url"} & part.keys()
)
PARTS = st.lists(st.one_of(INPUT_TEXT, INPUT_TEXT, INPUT_IMAGE, INPUT_FILE), min_size=1, max_size=3)
OUTPUT_TEXT = made(
    named("output_text", text=TEXT, annotations=st.just([]) | st.just([{
        "type": "url_citation", "start_index": 0, "end_index": 1, "title": "T", "url": "https://a",
    }]))
)  # fmt: skip
REFUSAL = made(named("refusal", refusal=TEXT))
PHASE = st.sampled_from(["commentary", "final_answer"])
STATUS = st.just("completed")


@st.composite
def answers(draw: Any) -> list[dict[str, Any]]:
    """The items of an answer in any order, and the outputs of its calls."""
    ids = [
        f"call_{draw(st.integers(0, 10**9))}_{place}" for place in range(draw(st.integers(0, 3)))
    ]
    items = [draw(_calls(id_)) for id_ in ids]
    items += draw(st.lists(st.one_of(REASONING, MESSAGE, EASY_ANSWER, HOSTED), max_size=3))
    items = draw(st.permutations(items))
    outputs = [draw(_outputs(item)) for item in items if "call_id" in item]
    return [*items, *draw(st.permutations(outputs))]


def _calls(id_: str) -> st.SearchStrategy[dict[str, Any]]:
    fields = {"call_id": st.just(id_), "name": st.sampled_from(["f", "g"])}
    options: dict[str, Any] = {
        "namespace": st.just("n"),
        "caller": st.sampled_from([{"type": "direct"}, {"type": "program", "caller_id": "p"}]),
    }
    arguments = st.sampled_from(["{}", '{"a": 1.50}', '{"a": {"b": [1e300]}}'])
    return st.one_of(
        made(named("function_call", **fields, arguments=arguments), id=st.just("fc_1"),
             status=STATUS, **options),
        made(named("custom_tool_call", **fields, input=TEXT), id=st.just("ctc_1"), **options),
    )  # fmt: skip


def _outputs(call: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    kind = f"{call['type']}_output"
    return made(
        named(kind, call_id=st.just(call["call_id"]), output=TEXT | PARTS),
        **({"status": STATUS} if kind == "function_call_output" else {}),
    )


REASONING = made(
    named(
        "reasoning",
        id=st.just("rs_1"),
        summary=st.lists(made(named("summary_text", text=TEXT)), max_size=2),
    ),
    encrypted_content=st.just("gAAAA"),
    status=STATUS,
)
MESSAGE = made(
    named(
        "message",
        id=st.just("msg_1"),
        role=st.just("assistant"),
        status=STATUS,
        content=st.lists(OUTPUT_TEXT, min_size=1, max_size=2) | REFUSAL.map(lambda part: [part]),
    ),
    phase=PHASE,
)  # fmt: skip
EASY_ANSWER = made({"role": st.just("assistant"), "content": TEXT}, phase=PHASE)
HOSTED = st.sampled_from([
    {"type": "compaction", "id": "cmp_1", "encrypted_content": "x"},
    {"type": "file_search_call", "id": "fs_1", "queries": ["a"], "status": "completed"},
    {"type": "item_reference", "id": "msg_9"},
])  # fmt: skip
USER = made(
    {"role": st.sampled_from(["user", "user", "system", "developer"]), "content": TEXT | PARTS},
    type=st.just("message"),
)
INPUTS = st.lists(st.one_of(USER.map(lambda item: [item]), answers()), max_size=4).map(
    lambda groups: [item for group in groups for item in group]
)

TOOL = st.one_of(
    made(
        named("function", name=st.sampled_from(["f", "g"]), parameters=st.just(SCHEMA)),
        strict=st.booleans(),
        description=TEXT,
        defer_loading=st.booleans(),
        output_schema=st.just({"type": "object"}),
    ),
    made(
        named("custom", name=st.just("c")),
        description=TEXT,
        format=st.sampled_from([
            {"type": "text"}, {"type": "grammar", "syntax": "lark", "definition": "start: /a/"},
        ]),
    ),
    st.sampled_from([
        {"type": "web_search", "search_context_size": "low"},
        {"type": "web_search", "user_location": {"type": "approximate", "city": "Paris"},
         "filters": {"allowed_domains": ["a.example"]}},
        {"type": "file_search", "vector_store_ids": ["vs_1"]},
    ]),
)  # fmt: skip
FORMAT = st.one_of(
    st.just({"type": "text"}),
    st.just({"type": "json_object"}),
    made(
        named("json_schema", name=st.just("a"), schema=st.just(SCHEMA) | answer_schemas()),
        strict=st.booleans(),
        description=TEXT,
    ),
)
REQUESTS = made(
    {"model": st.just("gpt-5.4"), "input": TEXT | st.builds(
        lambda items, last: [*items, last], INPUTS, USER)},
    instructions=TEXT,
    max_output_tokens=st.sampled_from([16, 1000, 10**6]),
    temperature=st.sampled_from([0, 0.5, 1]),
    top_p=st.sampled_from([0.2, 1]),
    stream=st.booleans(),
    store=st.booleans(),
    reasoning=made(
        {}, effort=st.sampled_from(["none", "low", "high"]), summary=st.just("auto"),
        context=st.sampled_from(["auto", "all_turns"]),
    ),
    text=made({}, format=FORMAT, verbosity=st.sampled_from(["low", "high"])),
    tools=st.lists(TOOL, min_size=1, max_size=3),
    tool_choice=st.sampled_from([
        "auto", "none", "required", {"type": "function", "name": "f"},
        {"type": "custom", "name": "c"}, {"type": "mcp", "server_label": "m"},
        {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
    ]),
    parallel_tool_calls=st.booleans(),
    include=st.lists(st.sampled_from([
        "reasoning.encrypted_content", "message.output_text.logprobs", "file_search_call.results",
    ]), max_size=2, unique=True),
    top_logprobs=st.sampled_from([0, 3]),
    truncation=st.sampled_from(["auto", "disabled"]),
    background=st.booleans(),
    max_tool_calls=st.just(3),
    metadata=st.sampled_from([{}, {"a": "b"}]),
    user=st.just("u"),
    safety_identifier=st.just("u"),
    service_tier=st.sampled_from(["auto", "flex"]),
    prompt_cache_key=st.just("k"),
    prompt_cache_options=st.sampled_from([{"mode": "explicit"}, {"ttl": "30m", "prewarm": True}]),
    previous_response_id=st.just("resp_1"),
    context_management=st.just([{"type": "compaction"}]),
    zz_unknown=JSON,
)  # fmt: skip
