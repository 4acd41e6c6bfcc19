"""Random Gemini requests, well formed, for tests of round trips."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from anthropic_conversations import TEXT
from conversations import JSON, SCHEMA

PNG = "iVBORw0KGgo="
SIGNATURE = "c2lnbmVk"


def part(**given: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Parts that hold *given*, some with what may stand beside it."""
    return st.fixed_dictionaries(
        given,
        optional={"partMetadata": st.just({"a": 1})},
    )


TEXT_PART = part(text=TEXT)
IMAGE = part(inlineData=st.just({"mimeType": "image/png", "data": PNG}))
SIZED = st.fixed_dictionaries({
    "inlineData": st.just({"mimeType": "image/png", "data": PNG}),
    "mediaResolution": st.sampled_from([
        {"level": "MEDIA_RESOLUTION_LOW"}, {"level": "MEDIA_RESOLUTION_HIGH"},
        {"level": "MEDIA_RESOLUTION_MEDIUM"}]),
})  # fmt: skip
MEDIA = part(inlineData=st.sampled_from([
    {"mimeType": "application/pdf", "data": "JVBERg==", "displayName": "a.pdf"},
    {"mimeType": "application/pdf", "data": "JVBERg=="},
    {"mimeType": "text/plain", "data": "aGVsbG8="},
    {"mimeType": "audio/wav", "data": "UklGRg=="},
    {"mimeType": "audio/flac", "data": "ZkxhQw=="},
    {"mimeType": "video/mp4", "data": "AAAA"},
]))  # fmt: skip
FILE = part(fileData=st.sampled_from([
    {"fileUri": "https://example.org/a.png", "mimeType": "image/png"},
    {"fileUri": "gs://bucket/a.png", "mimeType": "image/png"},
    {"fileUri": "https://example.org/a.pdf", "mimeType": "application/pdf"},
    {"fileUri": "https://youtu.be/a", "mimeType": "video/mp4"},
]))  # fmt: skip
CODE = st.sampled_from([
    {"executableCode": {"language": "PYTHON", "code": "1"}},
    {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
])  # fmt: skip
SAID = st.one_of(
    TEXT_PART,
    st.fixed_dictionaries({"text": TEXT, "thoughtSignature": st.just(SIGNATURE)}),
    st.just({"text": "", "thoughtSignature": SIGNATURE}),
)
THOUGHT = st.fixed_dictionaries(
    {"text": TEXT, "thought": st.just(True)}, optional={"thoughtSignature": st.just(SIGNATURE)}
)
RESPONSE = st.one_of(
    TEXT.map(lambda text: {"output": text}),
    st.dictionaries(st.sampled_from(["result", "error", "output"]), JSON, max_size=2),
)


@st.composite
def tool_rounds(draw: Any) -> list[dict[str, Any]]:
    """A model's content with calls, with ids or without, and a content that answers them."""
    has_ids = draw(st.booleans())
    names = draw(st.lists(st.sampled_from(["f", "g"]), min_size=1, max_size=3))
    start = draw(st.integers(0, 1000))
    calls = []
    for place, name in enumerate(names):
        call: dict[str, Any] = {"name": name, "args": draw(st.dictionaries(TEXT, JSON, max_size=2))}
        if has_ids:
            call = {"id": f"call_{start}_{place}", **call}
        signed = {"thoughtSignature": SIGNATURE} if draw(st.booleans()) else {}
        calls.append({"functionCall": call, **signed})
    said = draw(st.lists(st.one_of(SAID, THOUGHT, CODE), max_size=2))
    said = draw(st.permutations([*said, *calls]))
    answers = []
    for call in [each for each in said if "functionCall" in each]:
        answer = {"name": call["functionCall"]["name"], "response": draw(RESPONSE)}
        if has_ids:
            answer["id"] = call["functionCall"]["id"]
        if draw(st.booleans()):
            answer["parts"] = [draw(IMAGE | FILE)]
        answers.append({"functionResponse": answer})
    also = draw(st.lists(st.one_of(TEXT_PART, IMAGE), max_size=2))
    return [
        {"role": "model", "parts": said},
        {"role": "user", "parts": [*answers, *also]},
    ]


def content(role: str, *parts: Any) -> st.SearchStrategy[list[dict[str, Any]]]:
    made = st.lists(st.one_of(*parts), min_size=1, max_size=3)
    return made.map(lambda found: [{"role": role, "parts": found}])


USER = content("user", TEXT_PART, IMAGE, SIZED, MEDIA, FILE, CODE)
MODEL = content("model", SAID, THOUGHT, CODE, IMAGE)
CONTENTS = st.lists(
    st.one_of(USER, USER, MODEL, tool_rounds()), min_size=1, max_size=4
).map(lambda rounds: [turn for found in rounds for turn in found])  # fmt: skip

OPENAPI = {
    "type": "OBJECT",
    "properties": {
        "b": {"type": "INTEGER", "minimum": 1},
        "a": {"type": "STRING", "nullable": True, "enum": ["x", "y"]},
    },
    "required": ["a"],
    "propertyOrdering": ["a", "b"],
}
FUNCTION = st.one_of(
    *[
        st.fixed_dictionaries(
            {"name": st.sampled_from(["f", "g"]), **schema},
            optional={"description": TEXT, "behavior": st.just("BLOCKING")},
        )
        for schema in (
            {},
            {"parameters": st.just(OPENAPI)},
            {"parametersJsonSchema": st.just(SCHEMA)},
        )
    ]
)
TOOL = st.one_of(
    st.lists(FUNCTION, min_size=1, max_size=2, unique_by=lambda each: each["name"]).map(
        lambda found: {"functionDeclarations": found}
    ),
    st.sampled_from([{"googleSearch": {}}, {"codeExecution": {}}]),
)
CHOICE = st.fixed_dictionaries(
    {"mode": st.sampled_from(["AUTO", "ANY", "NONE", "VALIDATED"])},
)
CONFIG = st.fixed_dictionaries({}, optional={
    "temperature": st.sampled_from([0, 0.5, 1]), "topP": st.sampled_from([0.2, 1]),
    "topK": st.just(5), "seed": st.just(3), "candidateCount": st.sampled_from([1, 2]),
    "maxOutputTokens": st.sampled_from([1, 5000, 100000]),
    "stopSequences": st.lists(TEXT, max_size=6, unique=True),
    "presencePenalty": st.just(0.5), "frequencyPenalty": st.just(0.5),
    "responseLogprobs": st.booleans(),
    "thinkingConfig": st.sampled_from([
        {"thinkingBudget": 0}, {"thinkingBudget": -1}, {"thinkingBudget": 4000},
        {"thinkingLevel": "LOW"}, {"thinkingLevel": "HIGH", "includeThoughts": True}]),
    "mediaResolution": st.just("MEDIA_RESOLUTION_LOW"),
    "responseModalities": st.sampled_from([["TEXT"], ["TEXT", "IMAGE"]]),
    "speechConfig": st.just({"languageCode": "en-US"}),
})  # fmt: skip
FORMAT = st.sampled_from([
    {}, {"responseMimeType": "application/json"}, {"responseMimeType": "text/x.enum"},
    {"responseMimeType": "application/json", "responseSchema": OPENAPI},
    {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA},
    {"responseMimeType": "application/json",
     "responseSchema": {"type": "ARRAY", "items": {"type": "STRING"}}},
])  # fmt: skip
REQUESTS = st.fixed_dictionaries(
    {"model": st.just("gemini-3-pro"), "contents": CONTENTS},
    optional={
        "systemInstruction": st.lists(TEXT_PART, min_size=1, max_size=2).map(
            lambda parts: {"parts": parts}
        ),
        "generationConfig": st.builds(lambda one, two: {**one, **two}, CONFIG, FORMAT),
        "tools": st.lists(TOOL, min_size=1, max_size=1),
        "toolConfig": CHOICE.map(lambda choice: {"functionCallingConfig": choice}),
        "safetySettings": st.just(
            [{"category": "HARM_CATEGORY_HATE_SPEECH", "threshold": "BLOCK_NONE"}]
        ),
        "labels": st.just({"team": "a"}), "cachedContent": st.just("cachedContents/a"),
        "serviceTier": st.sampled_from(["flex", "standard", "priority"]),
        "store": st.booleans(), "zzUnknown": JSON.filter(bool),
    },
)  # fmt: skip
