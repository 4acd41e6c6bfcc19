"""Fields of Gemini's requests: each has an entry in the field table, and a lost one is reported."""

from __future__ import annotations

import copy
import re

import pytest

import gemini_types
import specado
from field_tables import SOURCE_TABLES, entry_for, find_field
from lossy_gemini import CALLED, DECLARED, contents, inline, user
from specado.losses.rows import ROWS

TABLE = SOURCE_TABLES["gemini"]
# Members that Google's package lacks, and those that stand in the URL.
OTHERS = {"generationConfig.imageConfig", "model", "stream"}
PART = "contents[].parts[]."
FUNCTION = "tools[].functionDeclarations[]."
# What a field must hold where its type alone does not say.
VALUES = {
    "contents[].parts[].inlineData": {"mimeType": "image/png", "data": "AAAA"},
    "contents[].parts[].fileData": {"fileUri": "https://a.example/b.png", "mimeType": "image/png"},
    "contents[].parts[].functionResponse.parts": [inline("image/png")],
    "generationConfig.imageConfig": {"aspectRatio": "1:1"},
    "generationConfig.responseMimeType": "text/x.enum",
    "generationConfig.responseModalities": ["IMAGE"],
}
LOST = [path for path, field in TABLE.items() if field.is_lost and not path.startswith("(")]


def known_paths():
    gemini_types.genai_types()
    return gemini_types.request_paths()


def test_every_field_has_an_entry():
    assert [path for path in known_paths() if find_field(TABLE, path) is None] == []


def test_every_entry_names_a_field():
    known = {*known_paths(), *OTHERS}

    assert [path for path in TABLE if path not in known and not path.startswith("(")] == []


def with_field(path):
    """Return a request that has the field, and what makes it well formed."""
    value = VALUES.get(path)
    if value is None:
        value = gemini_types.example(gemini_types.type_at(path))
    if path.startswith(FUNCTION):
        declared = {**DECLARED, path[len(FUNCTION) :]: value}
        if path.endswith(".parameters"):
            del declared["parametersJsonSchema"]
        return user(tools=[{"functionDeclarations": [declared]}])
    if path.startswith("tools[]."):
        return user(tools=[{path[len("tools[].") :]: value}])
    if not path.startswith(PART):
        request = user()
        at = request
        *above, name = path.split(".")
        for step in above:
            at = at.setdefault(step, {})
        at[name] = value
        return request
    kind, _, rest = path[len(PART) :].partition(".")
    called = copy.deepcopy(CALLED)
    answer = {"functionResponse": {"id": "c1", "name": "f", "response": {"output": "done"}}}
    if kind == "functionCall" and rest:
        called["parts"][0][kind][rest] = value
    elif kind == "functionResponse" and rest:
        answer[kind][rest] = value
    elif kind not in gemini_types.KINDS:
        return user({"text": "Hi", kind: value})
    elif rest:
        return user({kind: {**VALUES[f"{PART}{kind}"], rest: value}})
    else:
        return user({kind: value})
    hello = {"role": "user", "parts": [{"text": "Hello"}]}
    tools = [{"functionDeclarations": [DECLARED]}]
    return contents(hello, called, {"role": "user", "parts": [answer]}, tools=tools)


def without_places(path):
    return re.sub(r"\[\d*\]", "", path)


def is_above(path, other):
    return f"{other}.".startswith(f"{path}.")


@pytest.mark.parametrize("path", LOST)
def test_a_lost_field_is_reported_where_it_stands(path):
    gemini_types.genai_types()
    request = {"model": "gemini-2.5-flash", **with_field(path)}

    items = specado.translate(request, "openai/gpt-4o", source="gemini").report.items

    messages = {ROWS[row].message for row in entry_for(TABLE, path).rows}
    found = [without_places(item.path) for item in items if item.message in messages]
    wanted = without_places(path)
    assert [each for each in found if is_above(each, wanted) or is_above(wanted, each)]
