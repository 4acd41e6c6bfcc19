"""The smallest requests of OpenAI's chat API that lose a row only where they go to Responses."""

from __future__ import annotations

from example_inputs import USER
from lossy_parts import FUNCTION, PDF, Lost, file, messages, user

__all__ = ["FROM_OPENAI_TO_RESPONSES"]

_TO = "openai_responses/gpt-4o"
_VIDEO = "data:video/mp4;base64,AAAA"

FROM_OPENAI_TO_RESPONSES: dict[str, Lost] = {
    "file.name": Lost(user(file(file_data=PDF)), _TO, "messages[0].content[0].file.filename"),
    "input.video": Lost(
        user(file(file_data=_VIDEO, filename="a.mp4"), {"type": "text", "text": "a"}),
        _TO,
        "messages[0].content[0]",
    ),
    "strict.default": Lost(
        {**messages(USER), "tools": [FUNCTION]}, _TO, "tools[0].function.strict"
    ),
    "web_search.tool": Lost(
        {**messages(USER), "web_search_options": {}}, _TO, "web_search_options"
    ),
    "max_tokens.below_limit": Lost({**messages(USER), "max_tokens": 5}, _TO, "max_tokens"),
    "stop": Lost({**messages(USER), "stop": ["END"]}, _TO, "stop"),
    "store.default": Lost(messages(USER), _TO, "store"),
}
