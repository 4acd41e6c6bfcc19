"""The smallest requests of OpenAI's chat API that lose a row only where they go to Bedrock."""

from __future__ import annotations

from typing import Any

from example_inputs import USER
from lossy_parts import (
    ANSWER,
    CACHED,
    CALLED,
    FUNCTION,
    PDF,
    SAID,
    Lost,
    file,
    messages,
    user,
)

__all__ = ["BEDROCK_SERVER", "FROM_OPENAI_TO_BEDROCK"]

# A server that speaks Converse, with a model that nothing is known of and one of few abilities.
BEDROCK_SERVER: dict[str, Any] = {
    "name": "converse",
    "base_url": "https://converse.example",
    "dialect": "bedrock_converse",
    "models": {
        "plain": {},
        "nova": {"traits": {"web_search": True}},
        "small": {
            "traits": {
                "tool_choices": [],
                "cache_ttls": [],
                "max_stops": 1,
                "results_alone": True,
            }
        },
    },
}
_PLAIN, _NOVA, _SMALL = "converse/plain", "converse/nova", "converse/small"
_HELLO = {"type": "text", "text": "Hello"}
_SOUND = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "midi"}}
_ZIP = file(file_data="data:application/zip;base64,AAAA", filename="a")

FROM_OPENAI_TO_BEDROCK: dict[str, Lost] = {
    "audio.container": Lost(user(_HELLO, _SOUND), _PLAIN, "messages[0].content[1]"),
    "document.format": Lost(user(_HELLO, _ZIP), _PLAIN, "messages[0].content[1]"),
    "document.name": Lost(
        user(_HELLO, file(file_data=PDF, filename="a_b.pdf")),
        _PLAIN,
        "messages[0].content[1].file.filename",
    ),
    "document.text": Lost(user(file(file_data=PDF, filename="a")), _PLAIN, "messages[0]"),
    "content.stand_in": Lost(messages(USER, {**SAID, "content": " "}, USER), _PLAIN, "messages[1]"),
    "cache_control.point": Lost(user(CACHED), _PLAIN, "messages[0].content[0].cache_control"),
    "cache_control.model": Lost(user(CACHED), _SMALL, "messages[0].content[0].cache_control"),
    "tools.declared": Lost(messages(USER, CALLED, ANSWER), _PLAIN, "tools"),
    "tools.withheld": Lost(messages(USER, tools=[FUNCTION], tool_choice="none"), _PLAIN, "tools"),
    "tool_choice.none": Lost(
        messages(USER, CALLED, ANSWER, tools=[FUNCTION], tool_choice="none"),
        _PLAIN,
        "tool_choice",
    ),
    "tool_choice.model": Lost(
        messages(USER, tools=[FUNCTION], tool_choice="required"), _SMALL, "tool_choice"
    ),
    "tool.result_alone": Lost(
        messages(USER, CALLED, ANSWER, USER, tools=[FUNCTION]), _SMALL, "messages[2]"
    ),
    "stop.model_most": Lost(messages(USER, stop=["a", "b"]), _SMALL, "stop[1]"),
    "metadata.form": Lost(messages(USER, metadata={"a!": "b"}), _PLAIN, "metadata.a!"),
    "web_search.grounding": Lost(
        messages(USER, web_search_options={}), _NOVA, "web_search_options"
    ),
}
