"""The smallest requests of OpenAI's API that lose each row of the table of losses, and where to."""

from __future__ import annotations

from example_inputs import USER
from lossy_parts import (
    ANSWER,
    CACHE,
    CACHED,
    CALL,
    CALLED,
    CUSTOM,
    FORMAT,
    FUNCTION,
    NEW,
    OLD,
    OPUS,
    PDF,
    PHONE,
    PNG,
    RANGED,
    SAID,
    SCHEMA,
    SONNET,
    SOUND,
    STORED,
    STRICT,
    THINKING,
    Lost,
    file,
    function,
    image,
    many_options,
    messages,
    reasoning,
    schema_format,
    user,
)

FROM_OPENAI: dict[str, Lost] = {
    "system.top_level": Lost(
        messages({"role": "system", "content": "s"}, USER), OPUS, "messages[0].role"
    ),
    "system.later": Lost(
        messages(USER, {"role": "system", "content": "s"}), OPUS, "messages[1].role"
    ),
    "system.moved": Lost(
        messages(USER, SAID, {"role": "system", "content": "s"}, USER), NEW, "messages[2]"
    ),
    "system.alone": Lost(messages({"role": "system", "content": "s"}), OPUS, "messages[0].role"),
    "system.part": Lost(
        messages({"role": "system", "content": [image(PNG)]}, USER), OPUS, "messages[0].content[0]"
    ),
    "role.unknown": Lost(
        messages({"role": "critic", "content": "a"}), "gpt-4o", "messages[0].role"
    ),
    "turns.merged": Lost(messages(USER, USER), OPUS, "messages[1].role"),
    "messages.blank": Lost(messages({"role": "user", "content": " "}), OPUS, "messages[0]"),
    "message.name": Lost(messages({**USER, "name": "Ann"}), OPUS, "messages[0].name"),
    "message.annotations": Lost(
        messages(USER, {**SAID, "annotations": [{"url": "u"}]}, USER),
        OPUS,
        "messages[1].annotations",
    ),
    "message.unknown_key": Lost(messages({**USER, "mood": 1}), OPUS, "messages[0].mood"),
    "text.blank": Lost(
        messages(USER, {"role": "user", "content": " "}), OPUS, "messages[1].content"
    ),
    "assistant.last": Lost(messages(USER, SAID), NEW, "messages[1]"),
    "assistant.trailing_space": Lost(
        messages(USER, {"role": "assistant", "content": "Hi "}), OPUS, "messages[1].content"
    ),
    "assistant.refusal": Lost(
        messages(USER, {"role": "assistant", "content": None, "refusal": "no"}, USER),
        OPUS,
        "messages[1].refusal",
    ),
    "assistant.audio": Lost(
        messages(USER, {"role": "assistant", "content": "Hi", "audio": {"id": "a"}}, USER),
        OPUS,
        "messages[1].audio",
    ),
    "part.unknown_key": Lost(
        user({"type": "text", "text": "a", "mood": 1}), OPUS, "messages[0].content[0].mood"
    ),
    "input.image": Lost(user(image(PNG)), "gpt-4", "messages[0].content[0]"),
    "input.audio": Lost(user(SOUND, {"type": "text", "text": "a"}), OPUS, "messages[0].content[0]"),
    "input.document": Lost(user(file(file_data=PDF)), "gpt-4", "messages[0].content[0]"),
    "image.detail": Lost(
        user(image(PNG, detail="low")), OPUS, "messages[0].content[0].image_url.detail"
    ),
    "image.media_type": Lost(
        user(image("data:image/tiff;base64,AAAA"), {"type": "text", "text": "a"}),
        OPUS,
        "messages[0].content[0]",
    ),
    "image.http": Lost(
        user(image("http://x.org/a.png"), {"type": "text", "text": "a"}),
        OPUS,
        "messages[0].content[0]",
    ),
    "media_type.corrected": Lost(
        user(image("data:image/jpeg;base64,iVBORw0KGgo=")),
        OPUS,
        "messages[0].content[0].image_url.url",
    ),
    "media.moved": Lost(
        messages(USER, CALLED, {**ANSWER, "content": [image(PNG)]}),
        "gpt-4o",
        "messages[2].content[0]",
    ),
    "file.id": Lost(
        user(file(file_id="f"), {"type": "text", "text": "a"}),
        OPUS,
        "messages[0].content[0]",
    ),
    "file.id_beside_data": Lost(
        user(file(file_id="f", file_data=PDF)), OPUS, "messages[0].content[0].file.file_id"
    ),
    "file.media_type": Lost(
        user(file(file_data="data:application/zip;base64,AAAA"), {"type": "text", "text": "a"}),
        OPUS,
        "messages[0].content[0]",
    ),
    "file.text": Lost(
        user(file(file_data="data:text/csv;base64,YSxiCg==")),
        OPUS,
        "messages[0].content[0].file.file_data",
    ),
    "cache_control.openai": Lost(
        messages({**USER, "cache_control": CACHE}), "gpt-4o", "messages[0].cache_control"
    ),
    "cache_control.blank": Lost(
        messages(USER, {"role": "user", "content": "", "cache_control": CACHE}),
        OPUS,
        "messages[1].cache_control",
    ),
    "cache_control.most": Lost(user(*[CACHED] * 5), OPUS, "messages[0].content[0].cache_control"),
    "cache_control.order": Lost(
        user(CACHED, {**CACHED, "cache_control": {"type": "ephemeral", "ttl": "1h"}}),
        OPUS,
        "messages[0].content[1].cache_control.ttl",
    ),
    "cache_control.unknown": Lost(
        messages({**USER, "cache_control": {"type": "lasting"}}), OPUS, "messages[0].cache_control"
    ),
    "cache_control.twice": Lost(
        messages({"role": "user", "content": [CACHED], "cache_control": CACHE}),
        OPUS,
        "messages[0].cache_control",
    ),
    "reasoning.openai": Lost(
        messages(USER, {**SAID, "reasoning": "hm"}, USER), "gpt-5", "messages[1].reasoning"
    ),
    "reasoning.unsigned": Lost(
        reasoning(type="thinking", text="hm", model=OPUS), OPUS, "messages[1].reasoning_details[0]"
    ),
    "reasoning.foreign": Lost(reasoning(**THINKING), SONNET, "messages[1].reasoning_details[0]"),
    "reasoning.edited": Lost(
        messages(
            USER,
            {"role": "assistant", "content": "a", "reasoning": "x", "reasoning_details": [STORED]},
            USER,
        ),
        OPUS,
        "messages[1].reasoning_details",
    ),
    "native.foreign": Lost(
        messages(USER, {**CALLED, "tool_calls": [{**CALL, "extra_content": {"a": 1}}]}, ANSWER),
        OPUS,
        "messages[1].tool_calls[0].extra_content",
    ),
    "native.order": Lost(
        messages(USER, {"role": "assistant", "content": "ab", "reasoning_details": [STORED]}, USER),
        "gpt-4o",
        "messages[1].native",
    ),
    "native.unusable": Lost(
        messages(USER, {**SAID, "reasoning_details": [{**STORED, "version": 9}]}, USER),
        OPUS,
        "messages[1].reasoning_details[0]",
    ),
    "tools.unsupported": Lost(messages(USER, tools=[FUNCTION]), "gpt-5-chat", "tools"),
    # `seed` keeps what Responses would take on chat completions.
    "tools.reasoning": Lost(messages(USER, tools=[FUNCTION], seed=1), "gpt-6-astra", "tools"),
    "tools.called": Lost(messages(USER, CALLED, ANSWER), OPUS, "tools"),
    "tool.custom": Lost(
        messages(USER, tools=[{"type": "custom", "custom": {"name": "f"}}]), OPUS, "tools[0]"
    ),
    "tool.custom_call": Lost(
        messages(USER, {**CALLED, "tool_calls": [CUSTOM]}, ANSWER),
        OPUS,
        "messages[1].tool_calls[0].custom.input",
    ),
    "tool.strict": Lost(messages(USER, tools=[STRICT]), OLD, "tools[0].function.strict"),
    "tool.name": Lost(
        messages(USER, tools=[FUNCTION, {"type": "function", "function": {"name": "a.b"}}]),
        OPUS,
        "tools[1]",
    ),
    "tool_call.name": Lost(
        messages(
            USER,
            {**CALLED, "tool_calls": [{**CALL, "function": {"name": "a.b", "arguments": "{}"}}]},
            ANSWER,
        ),
        OPUS,
        "messages[1].tool_calls[0].function.name",
    ),
    "tool_call.arguments": Lost(
        messages(
            USER,
            {**CALLED, "tool_calls": [{**CALL, "function": {"name": "f", "arguments": " "}}]},
            ANSWER,
        ),
        OPUS,
        "messages[1].tool_calls[0].function.arguments",
    ),
    "tool_call.id": Lost(
        messages(
            USER,
            {**CALLED, "tool_calls": [{**CALL, "id": "functions.f:0"}]},
            {**ANSWER, "tool_call_id": "functions.f:0"},
        ),
        OPUS,
        "messages[1].tool_calls[0].id",
    ),
    "tool_call.repeated_id": Lost(
        messages(USER, CALLED, ANSWER, CALLED, ANSWER), OPUS, "messages[4].tool_call_id"
    ),
    "tool.schema_completed": Lost(
        messages(USER, tools=[function({"type": "object"})]),
        "gpt-4o",
        "tools[0].function.parameters.properties",
    ),
    "tool.strict_limit": Lost(
        messages(USER, tools=[many_options("f", 13), many_options("g", 13)]),
        OPUS,
        "tools[1].function.strict",
    ),
    "tool.strict_schema": Lost(
        messages(USER, tools=[function({"properties": {"a": {}}}, strict=True)]),
        OPUS,
        "tools[0].function.strict",
    ),
    "tool.hint": Lost(
        messages(USER, tools=[function({"anyOf": [SCHEMA, {"type": "object"}]})]),
        OPUS,
        "tools[0].function.parameters.anyOf",
    ),
    "tool.schema": Lost(
        messages(USER, tools=[function({"type": "array", "items": SCHEMA})]),
        OPUS,
        "tools[0].function.parameters",
    ),
    "tool.result_late": Lost(
        messages(USER, CALLED, USER, ANSWER, tools=[FUNCTION]), OPUS, "messages[3]"
    ),
    "tool_choice.thinking": Lost(
        messages(USER, tools=[FUNCTION], tool_choice="required", reasoning_effort="high"),
        OPUS,
        "tool_choice",
    ),
    "tool_choice.unknown": Lost(
        messages(USER, tools=[FUNCTION], tool_choice={"type": "custom", "custom": {"name": "f"}}),
        OPUS,
        "tool_choice",
    ),
    "tool_choice.allowed": Lost(
        messages(
            USER,
            tools=[FUNCTION],
            tool_choice={
                "type": "allowed_tools",
                "allowed_tools": {"mode": "auto", "tools": [FUNCTION]},
            },
        ),
        OPUS,
        "tool_choice.allowed_tools",
    ),
    "tool_choice.without_tools": Lost(messages(USER, tool_choice="required"), OPUS, "tool_choice"),
    "parallel_tool_calls.unsupported": Lost(
        messages(USER, tools=[FUNCTION], parallel_tool_calls=True), "o3", "parallel_tool_calls"
    ),
    "parallel_tool_calls.never": Lost(
        messages(USER, tools=[FUNCTION], parallel_tool_calls=False), "o3", "parallel_tool_calls"
    ),
    "functions": Lost(messages(USER, functions=[{"name": "f"}]), OPUS, "functions"),
    "web_search": Lost(messages(USER, web_search_options={}), OPUS, "web_search_options"),
    "web_search.model": Lost(
        messages(USER, web_search_options={}, seed=1), "gpt-4o", "web_search_options"
    ),
    "response_format.closed": Lost(
        messages(USER, response_format=schema_format({"a": {"type": "string"}}, shut=None)),
        OPUS,
        "response_format.json_schema.schema",
    ),
    "response_format.bound": Lost(
        messages(USER, response_format=schema_format({"a": RANGED}, strict=True)),
        OPUS,
        "response_format.json_schema.schema.properties.a.minimum",
    ),
    "response_format.hint": Lost(
        messages(USER, response_format=schema_format({"a": PHONE}, strict=True)),
        "gpt-4o",
        "response_format.json_schema.schema.properties.a.format",
    ),
    "response_format.tool": Lost(messages(USER, response_format=FORMAT), OLD, "response_format"),
    "response_format.json_object": Lost(
        messages(USER, response_format={"type": "json_object"}), OPUS, "response_format"
    ),
    "response_format.conflict": Lost(
        messages(USER, response_format=FORMAT, tools=[FUNCTION]), OLD, "response_format"
    ),
    "response_format.unsupported": Lost(
        messages(USER, response_format=FORMAT), "gpt-4", "response_format"
    ),
    "response_format.name": Lost(
        messages(USER, response_format=FORMAT), OPUS, "response_format.json_schema.name"
    ),
    "response_format.description": Lost(
        messages(
            USER,
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "a", "description": "b", "schema": SCHEMA},
            },
        ),
        OPUS,
        "response_format.json_schema.description",
    ),
    "response_format.strict": Lost(
        messages(
            USER,
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "a", "strict": False, "schema": SCHEMA},
            },
        ),
        OPUS,
        "response_format.json_schema",
    ),
    "max_tokens.default": Lost(messages(USER), OPUS, "max_tokens"),
    "max_tokens.above_limit": Lost(messages(USER, max_tokens=10**6), OPUS, "max_tokens"),
    "max_tokens.renamed": Lost(messages(USER, max_tokens=9), "gpt-5", "max_tokens"),
    "max_tokens.twice": Lost(
        messages(USER, max_tokens=9, max_completion_tokens=9), "gpt-4o", "max_tokens"
    ),
    "temperature.above_one": Lost(messages(USER, temperature=1.5), OPUS, "temperature"),
    "sampling.unsupported": Lost(messages(USER, temperature=0.5), "gpt-5", "temperature"),
    "sampling.thinking": Lost(
        messages(USER, temperature=0.5, reasoning_effort="low"), "gpt-5.1", "temperature"
    ),
    "sampling.both": Lost(messages(USER, temperature=0.5, top_p=0.5), OPUS, "top_p"),
    "penalty": Lost(messages(USER, presence_penalty=1), OPUS, "presence_penalty"),
    "penalty.unsupported": Lost(messages(USER, frequency_penalty=1), "o3", "frequency_penalty"),
    "seed": Lost(messages(USER, seed=1), OPUS, "seed"),
    "logit_bias": Lost(messages(USER, logit_bias={"1": 1}), OPUS, "logit_bias"),
    "logit_bias.unsupported": Lost(messages(USER, logit_bias={"1": 1}), "gpt-5", "logit_bias"),
    "stop.blank": Lost(messages(USER, stop=["\n", "END"]), OPUS, "stop[0]"),
    "stop.too_many": Lost(messages(USER, stop=list("abcde")), "gpt-4o", "stop[4]"),
    "stop.unsupported": Lost(messages(USER, stop=["END"]), "o3", "stop"),
    "n": Lost(messages(USER, n=2), OPUS, "n"),
    "logprobs": Lost(messages(USER, logprobs=True), OPUS, "logprobs"),
    "logprobs.model": Lost(messages(USER, logprobs=True), "gpt-5", "logprobs"),
    "logprobs.thinking": Lost(messages(USER, logprobs=True), "gpt-5.6", "logprobs"),
    "reasoning_effort.thinking": Lost(
        messages(USER, reasoning_effort="low"), OPUS, "reasoning_effort"
    ),
    "reasoning_effort.level": Lost(
        messages(USER, reasoning_effort="minimal"), "o3", "reasoning_effort"
    ),
    "reasoning_effort.none": Lost(
        messages(USER, reasoning_effort="none"), "gpt-4o", "reasoning_effort"
    ),
    "reasoning_effort.unsupported": Lost(
        messages(USER, reasoning_effort="low"), "gpt-4o", "reasoning_effort"
    ),
    "reasoning_effort.off": Lost(messages(USER, tools=[FUNCTION]), "gpt-5.6", "reasoning_effort"),
    "reasoning_effort.tools": Lost(
        messages(USER, tools=[FUNCTION], reasoning_effort="low", seed=1),
        "gpt-5.4",
        "reasoning_effort",
    ),
    "reasoning_effort.no_room": Lost(
        messages(USER, reasoning_effort="low", max_tokens=9), OPUS, "reasoning_effort"
    ),
    "reasoning_effort.history": Lost(
        messages(USER, CALLED, ANSWER, reasoning_effort="high", tools=[FUNCTION], max_tokens=8000),
        OPUS,
        "reasoning_effort",
    ),
    "audio.output": Lost(
        messages(USER, modalities=["text", "audio"], audio={"voice": "ash", "format": "wav"}),
        OPUS,
        "modalities",
    ),
    "model.assumed": Lost(messages(USER), "claude-opus-99", "model"),
    "user.hashed": Lost(messages(USER, user="ann@example.org"), OPUS, "user"),
    "user.twice": Lost(messages(USER, user="a", safety_identifier="b"), OPUS, "user"),
    "service_tier": Lost(messages(USER, service_tier="flex"), OPUS, "service_tier"),
    "store": Lost(messages(USER, store=True), OPUS, "store"),
    "stream_options": Lost(
        messages(USER, stream_options={"include_obfuscation": True}),
        OPUS,
        "stream_options.include_obfuscation",
    ),
    "metadata": Lost(messages(USER, metadata={"a": "b"}), OPUS, "metadata"),
    "prediction": Lost(
        messages(USER, prediction={"type": "content", "content": "a"}), OPUS, "prediction"
    ),
    "prompt_cache": Lost(messages(USER, prompt_cache_key="k"), OPUS, "prompt_cache_key"),
    "verbosity": Lost(messages(USER, verbosity="low"), OPUS, "verbosity"),
    "moderation": Lost(messages(USER, moderation={"model": "m"}), OPUS, "moderation"),
    "param.unknown": Lost(messages(USER, mood=1), OPUS, "mood"),
}
