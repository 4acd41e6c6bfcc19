"""Field table of OpenAI Responses requests: the canonical counterpart of each field, and losses.

Source: `openai.types.responses.ResponseCreateParams` (3.57, read 2026-11-30).
"""

from __future__ import annotations

from specado.losses.field import SAME, Field, FieldTable

__all__ = ["SOURCE_FIELDS", "SOURCE_MEMBERS", "SOURCE_PARAMETERS"]

_PART = "messages[user].content"
_ANSWER = "messages[assistant]"
_CALL = f"{_ANSWER}.tool_calls"
_FORMAT = "response_format[json_schema].json_schema"
_FACTS = Field(None, ("responses.item_facts",))
_PHASE = Field(None, ("responses.phase",))
_OPTION = Field(None, ("responses.call_option",), whole=True)
_DIRECT = Field(implied=True, whole=True)
_STORED = Field(None, ("conversation.stored",), whole=True)
_SERVER_ITEM = Field(None, ("responses.server_item",), whole=True)
_SERVER_TOOL = Field(None, ("responses.server_tool",), whole=True)
_TOOL_OPTION = Field(None, ("responses.tool_option",), whole=True)
_SEARCH_OPTION = Field(None, ("responses.web_search_option",), whole=True)
_CHOICE = Field(None, ("tool_choice.unknown",), whole=True)
_UNKNOWN = Field(None, ("param.unknown",), whole=True)
_REASONING_OPTION = Field(
    None, ("responses.reasoning_option",), model_rows=("responses.reasoning_option",)
)
_LOGPROBS = ("logprobs.model", "logprobs.thinking")


def _input_parts(path: str, to: str) -> dict[str, Field]:
    """Return the fields of the input's content parts at *path*, which go to messages at *to*."""
    image, file = f"{path}[input_image]", f"{path}[input_file]"
    return {
        f"{path}[input_text]": Field(to),
        f"{path}[input_text].text": Field(to),
        image: Field(f"{to}[image_url]", ("file.id",), model_rows=("input.image",)),
        f"{image}.image_url": Field(f"{to}[image_url].image_url.url"),
        f"{image}.detail": Field(f"{to}[image_url].image_url.detail"),
        f"{image}.file_id": Field(None, ("file.id",)),
        file: Field(f"{to}[file]", ("responses.file_url",), model_rows=("input.document",)),
        f"{file}.file_data": Field(f"{to}[file].file.file_data"),
        f"{file}.file_id": Field(f"{to}[file].file.file_id"),
        f"{file}.filename": Field(f"{to}[file].file.filename"),
        f"{file}.file_url": Field(None, ("responses.file_url",)),
        f"{file}.detail": Field(None, ("part.unknown_key",)),
    }


def _call(kind: str, text: str, function: str) -> dict[str, Field]:
    """Return the fields of a call's item, whose input is the member *text*."""
    path, to = f"input[{kind}]", f"{_CALL}[{function}]"
    canonical = "input" if function == "custom" else "arguments"
    return {
        path: Field(to, ("responses.item_order",)),
        f"{path}.call_id": Field(f"{to}.id"),
        f"{path}.name": Field(f"{to}.{function}.name"),
        f"{path}.{text}": Field(f"{to}.{function}.{canonical}"),
        f"{path}.id": _FACTS,
        f"{path}.caller": _OPTION,
        f"{path}.caller[direct]": _DIRECT,
        f"{path}.namespace": _OPTION,
        f"{path}.async": _OPTION,
    }


def _output(kind: str) -> dict[str, Field]:
    """Return the fields of the item with a call's output."""
    path = f"input[{kind}]"
    return {
        path: Field(
            "messages[tool]",
            ("responses.item_order", "conversation.stored", "responses.server_item"),
        ),
        f"{path}.call_id": Field("messages[tool].tool_call_id"),
        f"{path}.output": Field("messages[tool].content"),
        **_input_parts(f"{path}.output", "messages[tool].content"),
        f"{path}.id": _FACTS,
        f"{path}.caller": _OPTION,
        f"{path}.caller[direct]": _DIRECT,
    }


def _search(kind: str) -> dict[str, Field]:
    """Return the fields of a web search tool."""
    path, to = f"tools[{kind}]", "web_search_options"
    place = f"{to}.user_location.approximate"
    return {
        path: Field(to, ("responses.web_search", "responses.server_tool")),
        f"{path}.search_context_size": Field(f"{to}.search_context_size"),
        f"{path}.user_location": Field(f"{to}.user_location"),
        **{
            f"{path}.user_location.{name}": Field(f"{place}.{name}")
            for name in ("city", "country", "region", "timezone")
        },
    }


def _tool_options(kind: str) -> dict[str, Field]:
    names = ("allowed_callers", "async", "defer_loading")
    return {f"tools[{kind}].{name}": _TOOL_OPTION for name in names}


# What becomes of each field of a Responses request in the canonical form.
SOURCE_FIELDS = FieldTable(
    {
        "model": Field(SAME),
        # The conversation.
        "input": Field("messages", ("messages.blank",)),
        "input[message]": Field("messages"),
        "input[message].role": Field("messages[].role"),
        "input[message].content": Field("messages[].content"),
        **_input_parts("input[message].content", _PART),
        "input[message].status": _FACTS,
        "input[message].phase": _PHASE,
        # The message of an answer is told from the others by its role.
        "input[assistant]": Field(_ANSWER, ("responses.item_order",)),
        "input[assistant].id": _FACTS,
        "input[assistant].status": _FACTS,
        "input[assistant].phase": _PHASE,
        "input[assistant].type": Field(implied=True),
        "input[assistant].content": Field(f"{_ANSWER}.content"),
        "input[assistant].content[output_text]": Field(f"{_ANSWER}.content"),
        "input[assistant].content[output_text].text": Field(f"{_ANSWER}.content"),
        "input[assistant].content[output_text].annotations": Field(
            None, ("message.annotations",), whole=True
        ),
        "input[assistant].content[output_text].logprobs": Field(
            None, ("responses.item_facts",), whole=True
        ),
        "input[assistant].content[refusal]": Field(f"{_ANSWER}.content[refusal]"),
        "input[assistant].content[refusal].refusal": Field(f"{_ANSWER}.content[refusal].refusal"),
        "input[reasoning]": Field(
            f"{_ANSWER}.reasoning_details",
            ("responses.item_order",),
            model_rows=("reasoning.foreign",),
            whole=True,
        ),
        "input[reasoning].status": _FACTS,
        **_call("function_call", "arguments", "function"),
        "input[function_call].status": _FACTS,
        **_call("custom_tool_call", "input", "custom"),
        **_output("function_call_output"),
        "input[function_call_output].name": _OPTION,
        "input[function_call_output].namespace": _OPTION,
        "input[function_call_output].status": _FACTS,
        **_output("custom_tool_call_output"),
        "input[item_reference]": _STORED,
        # Items with tools; they too are told from the others by their role.
        "input[developer]": _SERVER_ITEM,
        **{
            f"input[{name}]": _SERVER_ITEM
            for name in (
                "file_search_call",
                "computer_call",
                "computer_call_output",
                "web_search_call",
                "tool_search_call",
                "tool_search_output",
                "configuration_update",
                "compaction",
                "compaction_trigger",
                "image_generation_call",
                "code_interpreter_call",
                "local_shell_call",
                "local_shell_call_output",
                "shell_call",
                "shell_call_output",
                "apply_patch_call",
                "apply_patch_call_output",
                "mcp_list_tools",
                "mcp_approval_request",
                "mcp_approval_response",
                "mcp_call",
                "program",
                "program_output",
            )
        },
        "instructions": Field("messages[system].content"),
        "previous_response_id": _STORED,
        "conversation": _STORED,
        "prompt": _STORED,
        "*.prompt_cache_breakpoint": Field(SAME, whole=True),
        "(another key of an item or a part)": Field(None, ("part.unknown_key",)),
        # Tools.
        "tools": Field(SAME, model_rows=("tools.unsupported",)),
        "tools[function]": Field("tools[function]"),
        "tools[function].name": Field("tools[function].function.name"),
        "tools[function].description": Field("tools[function].function.description"),
        "tools[function].parameters": Field("tools[function].function.parameters", whole=True),
        "tools[function].strict": Field(
            "tools[function].function.strict",
            ("responses.tool_strict", "responses.tool_loose"),
            model_rows=("tool.strict",),
        ),
        "tools[function].output_schema": _TOOL_OPTION,
        **_tool_options("function"),
        "tools[custom]": Field("tools[custom]"),
        "tools[custom].name": Field("tools[custom].custom.name"),
        "tools[custom].description": Field("tools[custom].custom.description"),
        "tools[custom].format": Field("tools[custom].custom.format"),
        "tools[custom].format[text]": Field("tools[custom].custom.format", whole=True),
        "tools[custom].format[grammar]": Field("tools[custom].custom.format[grammar]"),
        **{
            f"tools[custom].format[grammar].{name}": Field(
                f"tools[custom].custom.format[grammar].grammar.{name}"
            )
            for name in ("definition", "syntax")
        },
        **_tool_options("custom"),
        **_search("web_search"),
        "tools[web_search].external_web_access": _SEARCH_OPTION,
        "tools[web_search].filters": _SEARCH_OPTION,
        **_search("web_search_preview"),
        "tools[web_search_preview].search_content_types": _SEARCH_OPTION,
        **{
            f"tools[{name}]": _SERVER_TOOL
            for name in (
                "file_search",
                "computer",
                "computer_use_preview",
                "mcp",
                "code_interpreter",
                "programmatic_tool_calling",
                "image_generation",
                "local_shell",
                "shell",
                "namespace",
                "tool_search",
                "apply_patch",
            )
        },
        "tool_choice": Field(SAME, ("tool_choice.without_tools",), ("tool_choice.thinking",)),
        "tool_choice[allowed_tools]": Field("tool_choice[allowed_tools]"),
        "tool_choice[allowed_tools].mode": Field("tool_choice[allowed_tools].allowed_tools.mode"),
        "tool_choice[allowed_tools].tools": Field(
            "tool_choice[allowed_tools].allowed_tools.tools", ("tool_choice.unknown",)
        ),
        "tool_choice[function]": Field("tool_choice[function]"),
        "tool_choice[function].name": Field("tool_choice[function].function.name"),
        "tool_choice[custom]": Field("tool_choice[custom]"),
        "tool_choice[custom].name": Field("tool_choice[custom].custom.name"),
        **{
            f"tool_choice[{name}]": _CHOICE
            for name in ("file_search", "mcp", "programmatic_tool_calling", "apply_patch", "shell")
        },
        "parallel_tool_calls": Field(
            SAME, model_rows=("parallel_tool_calls.unsupported", "parallel_tool_calls.never")
        ),
        "max_tool_calls": Field(None, ("responses.max_tool_calls",)),
        # The answer's form and length.
        "max_output_tokens": Field("max_completion_tokens", model_rows=("max_tokens.above_limit",)),
        "text": Field(implied=True),
        "text.format": Field("response_format", model_rows=("response_format.unsupported",)),
        "text.format[text]": Field(implied=True),
        "text.format[json_object]": Field("response_format[json_object]"),
        "text.format[json_schema]": Field("response_format[json_schema]"),
        "text.format[json_schema].name": Field(f"{_FORMAT}.name"),
        "text.format[json_schema].description": Field(f"{_FORMAT}.description"),
        "text.format[json_schema].schema": Field(f"{_FORMAT}.schema", whole=True),
        "text.format[json_schema].strict": Field(f"{_FORMAT}.strict"),
        "text.verbosity": Field("verbosity"),
        "include": Field("logprobs", ("responses.include",), ("responses.include", *_LOGPROBS)),
        "top_logprobs": Field(SAME, model_rows=_LOGPROBS),
        "truncation": Field(None, ("responses.truncation",), neutral="disabled"),
        "context_management": Field(None, ("responses.truncation",), neutral=[], whole=True),
        # Sampling and reasoning.
        "temperature": Field(SAME, model_rows=("sampling.unsupported", "sampling.thinking")),
        "top_p": Field(SAME, model_rows=("sampling.unsupported", "sampling.thinking")),
        "reasoning": Field(implied=True),
        "reasoning.effort": Field(
            "reasoning_effort",
            model_rows=(
                "reasoning_effort.unsupported",
                "reasoning_effort.none",
                "reasoning_effort.level",
            ),
        ),
        "reasoning.summary": _REASONING_OPTION,
        "reasoning.generate_summary": _REASONING_OPTION,
        "reasoning.mode": _REASONING_OPTION,
        "reasoning.context": _REASONING_OPTION,
        # The rest.
        "stream": Field(SAME),
        "stream_options": Field(SAME),
        "stream_options.include_obfuscation": Field(SAME),
        "background": Field(None, ("responses.background",), neutral=False),
        "background_options": Field(None, ("responses.background",), whole=True),
        "store": Field(SAME),
        "metadata": Field(SAME),
        "moderation": Field(SAME, whole=True),
        "user": Field(SAME),
        "safety_identifier": Field(SAME),
        "service_tier": Field(SAME),
        "prompt_cache_key": Field(SAME),
        "prompt_cache_retention": Field(SAME),
        "prompt_cache_options": Field(SAME, whole=True),
        "prompt_cache_options.comparison_response_id": Field(None, ("responses.prompt_cache",)),
        "prompt_cache_options.prewarm": Field(None, ("responses.prompt_cache",)),
        "access_programs": _UNKNOWN,
        "image": _UNKNOWN,
        "(another parameter)": Field(None, ("param.unknown",)),
    }
)

# What the decoder does with each parameter: `None`, or the loss row of one that it drops.
SOURCE_PARAMETERS = SOURCE_FIELDS.parameters()
# Members that the decoder knows; those of JSON text that it does not know stay raw JSON.
SOURCE_MEMBERS = frozenset(
    name for name, dropped in SOURCE_PARAMETERS.items() if dropped != ("param.unknown", None)
)
