"""Field tables of OpenAI chat completions requests, whose fields are the canonical ones.

Source: `openai.types.chat.CompletionCreateParams` (3.54, read 2026-11-22).
"""

from __future__ import annotations

from specado.losses.field import SAME, Field, FieldTable

__all__ = ["REQUEST_FIELDS", "SOURCE_FIELDS"]

# Rows of OpenAI's own servers stand with those of its models: elsewhere none is reported.
_ID = Field(SAME, ("tool_call.repeated_id",), model_rows=("tool_call.id",))
_USER = Field(SAME, model_rows=("user.hashed",))
_CALL_NAME = Field(SAME, model_rows=("tool_call.name",))
_CONTENT = Field(SAME, model_rows=("content.joined",))
# The facts are those of OpenAI: another server takes back what it wrote itself.
_REASONING = Field(None, ("reasoning.openai",), model_rows=("reasoning.empty",), whole=True)
_DETAILS = Field(
    None,
    (
        "reasoning.openai",
        "reasoning.foreign",
        "reasoning.edited",
        "reasoning.refused",
        "native.foreign",
        "native.order",
        "native.unusable",
    ),
    whole=True,
)
_NAMED = ("system", "developer", "user", "assistant")
_NAME = Field(SAME, model_rows=("message.name",))
# What the servers of a compatible provider refuse, or call by other names.
_MEMBER = ("member.refused", "member.renamed", "member.value", "member.range")
_LOGPROBS = Field(SAME, model_rows=("logprobs.model", "logprobs.thinking"))
_AUDIO = Field(SAME, model_rows=("audio.output",))

# What becomes of each canonical field in a chat-completions request.
REQUEST_FIELDS = FieldTable(
    {
        # Every field keeps its name and its meaning, but for these.
        "*": Field(SAME, model_rows=_MEMBER, whole=True),
        "messages": Field(SAME, ("role.unknown",)),
        **{f"messages[{role}].name": _NAME for role in _NAMED},
        "messages[system]": Field(SAME, model_rows=("role.system_name",)),
        "messages[system].content": _CONTENT,
        "messages[developer]": Field(SAME, model_rows=("role.system_name",)),
        "messages[developer].content": _CONTENT,
        "messages[user].content[image_url]": Field(SAME, model_rows=("input.image",), whole=True),
        "messages[user].content[input_audio]": Field(SAME, model_rows=("input.audio",), whole=True),
        "messages[user].content[file]": Field(SAME, model_rows=("input.document",), whole=True),
        "messages[assistant].reasoning": _REASONING,
        "messages[assistant].reasoning_details": _DETAILS,
        "messages[user].content": _CONTENT,
        "messages[assistant].content": _CONTENT,
        "messages[assistant].tool_calls[function].id": _ID,
        "messages[assistant].tool_calls[function].function.name": _CALL_NAME,
        "messages[assistant].tool_calls[function].function.arguments": Field(
            SAME, ("tool_call.arguments",)
        ),
        "messages[assistant].tool_calls[custom].id": _ID,
        "messages[assistant].tool_calls[custom].custom.name": _CALL_NAME,
        "messages[tool].content": Field(
            SAME, model_rows=("content.joined", "media.moved"), whole=True
        ),
        "messages[tool].tool_call_id": _ID,
        "*.cache_control": Field(SAME, model_rows=("cache_control.openai",), whole=True),
        "tools": Field(
            SAME,
            model_rows=(
                "tools.unsupported",
                "tools.reasoning",
                "reasoning_effort.off",
                "tool.custom",
            ),
        ),
        "tools[function].function.name": Field(SAME, model_rows=("tool.name",)),
        "tools[function].function.parameters": Field(
            SAME, model_rows=("tool.schema_completed",), whole=True
        ),
        "tools[function].function.strict": Field(SAME, model_rows=("tool.strict",)),
        "tools[custom].custom.name": Field(SAME, model_rows=("tool.name",)),
        "tool_choice": Field(
            SAME, model_rows=("tool_choice.thinking", "tool_choice.refused", "tool.name")
        ),
        "parallel_tool_calls": Field(
            SAME,
            model_rows=(
                "parallel_tool_calls.unsupported",
                "parallel_tool_calls.never",
                "parallel_tool_calls.many",
            ),
        ),
        "web_search_options": Field(SAME, model_rows=("web_search.model",), whole=True),
        "response_format": Field(
            SAME, model_rows=("response_format.unsupported", "response_format.conflict")
        ),
        "n": Field(SAME, model_rows=("n", "n.limit")),
        "response_format[json_schema].json_schema.schema": Field(
            SAME, model_rows=("response_format.bound", "response_format.hint")
        ),
        "max_tokens": Field(
            SAME,
            model_rows=("max_tokens.renamed", "max_tokens.above_limit", "max_tokens.twice"),
        ),
        "max_completion_tokens": Field(
            SAME, model_rows=("max_tokens.renamed", "max_tokens.above_limit")
        ),
        "user": _USER,
        "safety_identifier": _USER,
        "stop": Field(SAME, model_rows=("stop.unsupported", "stop.too_many", "stop.limit")),
        "modalities": _AUDIO,
        "audio": _AUDIO._replace(whole=True),
        "logprobs": _LOGPROBS,
        "top_logprobs": _LOGPROBS,
        "temperature": Field(SAME, model_rows=("sampling.unsupported", "sampling.thinking")),
        "top_p": Field(
            SAME, model_rows=("sampling.unsupported", "sampling.thinking", "sampling.both")
        ),
        "frequency_penalty": Field(SAME, model_rows=("penalty.unsupported",)),
        "presence_penalty": Field(SAME, model_rows=("penalty.unsupported",)),
        "logit_bias": Field(SAME, model_rows=("logit_bias.unsupported",)),
        "reasoning_effort": Field(
            SAME,
            model_rows=(
                "reasoning_effort.level",
                "reasoning_effort.none",
                "reasoning_effort.unsupported",
                "reasoning_effort.tools",
                "reasoning_effort.members",
            ),
        ),
    }
)

# What becomes of each field of a chat-completions request in the canonical form.
SOURCE_FIELDS = FieldTable({"*": Field(SAME, whole=True)})
