"""The smallest requests of OpenAI's chat API that lose a row only where they go to Gemini."""

from __future__ import annotations

from example_inputs import USER
from lossy_parts import (
    ANSWER,
    CALLED,
    FORMAT,
    FUNCTION,
    PDF,
    PNG,
    SAID,
    STRICT,
    Lost,
    file,
    function,
    image,
    messages,
    user,
)

__all__ = ["FROM_OPENAI_TO_GEMINI"]

_OLD, _NEW = "gemini/gemini-2.5-flash", "gemini/gemini-3.5-flash"
_HELLO = {"type": "text", "text": "Hello"}
_PART = "messages[0].content[1]"
_SOUND = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "midi"}}
# A stored answer from another address of the provider.
_ELSEWHERE = {
    "type": "specado.native",
    "version": 1,
    "dialect": "gemini",
    "provider": "gemini",
    "tag": "elsewhere",
    "model": "gemini-3.5-flash",
    "blocks": [{"text": "hm", "thought": True}, {"text": "Hi"}],
}
_DEFAULT = function({"type": "object", "properties": {"a": {"type": "string", "default": "b"}}})
_SEARCH = {"web_search_options": {}}

FROM_OPENAI_TO_GEMINI: dict[str, Lost] = {
    "system.instruction": Lost(
        messages({"role": "system", "content": "s"}, USER), _NEW, "messages[0].role"
    ),
    "image.format": Lost(user(_HELLO, image("data:image/gif;base64,R0lGOD==")), _NEW, _PART),
    "media.uri": Lost(user(image("https://a.example/b.png")), _NEW, "messages[0].content[0]"),
    "media.uri_type": Lost(user(image("https://a.example/b")), _NEW, "messages[0].content[0]"),
    "media.uri_unsupported": Lost(user(_HELLO, image("gs://a/b.png")), _NEW, _PART),
    "audio.format": Lost(user(_HELLO, _SOUND), _NEW, _PART),
    "file.unnamed": Lost(
        user(file(file_data=PDF, filename="a.pdf")), _NEW, "messages[0].content[0].file.filename"
    ),
    "media.moved": Lost(
        messages(USER, CALLED, {**ANSWER, "content": [image(PNG)]}), _OLD, "messages[2].content[0]"
    ),
    "reasoning.endpoint": Lost(
        messages(USER, {**SAID, "reasoning_details": [_ELSEWHERE]}, USER),
        _NEW,
        "messages[1].reasoning_details[0]",
    ),
    "reasoning.stand_in": Lost(messages(USER, CALLED, ANSWER), _NEW, "messages[1].tool_calls[0]"),
    "tool.annotation": Lost(
        {**messages(USER), "tools": [_DEFAULT]},
        _NEW,
        "tools[0].function.parameters.properties.a.default",
    ),
    "tool.result_missing": Lost(messages(USER, CALLED, USER), _OLD, "messages[1].tool_calls[0]"),
    "tool.result_twice": Lost(messages(USER, CALLED, ANSWER, ANSWER), _OLD, "messages[3]"),
    "tool.strict_mode": Lost(
        {**messages(USER), "tools": [STRICT]}, _NEW, "tools[0].function.strict"
    ),
    "tool.strict_all": Lost(
        {**messages(USER), "tools": [STRICT, {**FUNCTION, "function": {"name": "g"}}]},
        _NEW,
        "tools[0].function.strict",
    ),
    "parallel_tool_calls.many": Lost(
        {**messages(USER), "tools": [FUNCTION], "parallel_tool_calls": False},
        _NEW,
        "parallel_tool_calls",
    ),
    "web_search.google": Lost({**messages(USER), **_SEARCH}, _NEW, "web_search_options"),
    "web_search.tools": Lost(
        {**messages(USER), **_SEARCH, "tools": [FUNCTION]}, _NEW, "web_search_options"
    ),
    "response_format.titled": Lost(
        {**messages(USER), "response_format": FORMAT}, _NEW, "response_format.json_schema.name"
    ),
    "stop.most": Lost({**messages(USER), "stop": list("abcdef")}, _NEW, "stop[5]"),
    "n.limit": Lost({**messages(USER), "n": 2, "stream": True}, _NEW, "n"),
    "user.none": Lost({**messages(USER), "user": "a"}, _NEW, "user"),
    "metadata.none": Lost({**messages(USER), "metadata": {"a": "b"}}, _NEW, "metadata"),
    "prompt_cache.implicit": Lost(
        {**messages(USER), "prompt_cache_key": "a"}, _NEW, "prompt_cache_key"
    ),
}
