"""Common parts of the reply encoders: losses, texts, the end of a call, fields of Structs."""

cimport cython
from cpython.unicode cimport PyUnicode_DATA, PyUnicode_GET_LENGTH, PyUnicode_KIND, PyUnicode_READ

from specado._core.reply_fields cimport offset_of

from specado._core.loss_rows import REPLY_CONTENT_PART
from specado.types import (
    ChatCompletionChunk, ChatCompletionResponse, Choice, ChoiceDelta, ChoiceDeltaToolCall,
    ChoiceDeltaToolCallFunction, ChunkChoice, CompletionTokensDetails, FunctionCall, Message,
    PromptTokensDetails, ReasoningBlock, ToolCall, Usage,
)

# Every encoder reads the same fields; a C variable of a shared module costs no look-up.
RESPONSE = ChatCompletionResponse
CHOICE = Choice
MESSAGE = Message
TOOL_CALL = ToolCall
FUNCTION_CALL = FunctionCall
BLOCK = ReasoningBlock
USAGE = Usage
PROMPT_TOKENS = PromptTokensDetails
COMPLETION_TOKENS = CompletionTokensDetails
CHUNK = ChatCompletionChunk
CHUNK_CHOICE = ChunkChoice
DELTA = ChoiceDelta
CALL_PIECE = ChoiceDeltaToolCall
FUNCTION_PIECE = ChoiceDeltaToolCallFunction

RESPONSE_ID = offset_of(RESPONSE, "id")
RESPONSE_MODEL = offset_of(RESPONSE, "model")
RESPONSE_CHOICES = offset_of(RESPONSE, "choices")
RESPONSE_CREATED = offset_of(RESPONSE, "created")
RESPONSE_USAGE = offset_of(RESPONSE, "usage")
RESPONSE_FINGERPRINT = offset_of(RESPONSE, "system_fingerprint")
RESPONSE_TIER = offset_of(RESPONSE, "service_tier")
CHOICE_INDEX = offset_of(CHOICE, "index")
CHOICE_MESSAGE = offset_of(CHOICE, "message")
CHOICE_REASON = offset_of(CHOICE, "finish_reason")
CHOICE_LOGPROBS = offset_of(CHOICE, "logprobs")
MESSAGE_ROLE = offset_of(MESSAGE, "role")
MESSAGE_CONTENT = offset_of(MESSAGE, "content")
MESSAGE_CALLS = offset_of(MESSAGE, "tool_calls")
MESSAGE_REASONING = offset_of(MESSAGE, "reasoning")
MESSAGE_DETAILS = offset_of(MESSAGE, "reasoning_details")
MESSAGE_REFUSAL = offset_of(MESSAGE, "refusal")
MESSAGE_ANNOTATIONS = offset_of(MESSAGE, "annotations")
MESSAGE_AUDIO = offset_of(MESSAGE, "audio")
MESSAGE_NATIVE = offset_of(MESSAGE, "native")
CALL_ID = offset_of(TOOL_CALL, "id")
CALL_FUNCTION = offset_of(TOOL_CALL, "function")
CALL_CUSTOM = offset_of(TOOL_CALL, "custom")
FUNCTION_NAME = offset_of(FUNCTION_CALL, "name")
FUNCTION_ARGUMENTS = offset_of(FUNCTION_CALL, "arguments")
USAGE_PROMPT = offset_of(USAGE, "prompt_tokens")
USAGE_COMPLETION = offset_of(USAGE, "completion_tokens")
USAGE_TOTAL = offset_of(USAGE, "total_tokens")
USAGE_PROMPT_DETAILS = offset_of(USAGE, "prompt_tokens_details")
USAGE_COMPLETION_DETAILS = offset_of(USAGE, "completion_tokens_details")
WRITTEN_1H = offset_of(PROMPT_TOKENS, "cache_write_1h_tokens")
CACHED_TOKENS = offset_of(PROMPT_TOKENS, "cached_tokens")
WRITTEN_TOKENS = offset_of(PROMPT_TOKENS, "cache_write_tokens")
REASONING_TOKENS = offset_of(COMPLETION_TOKENS, "reasoning_tokens")
CHUNK_ID = offset_of(CHUNK, "id")
CHUNK_MODEL = offset_of(CHUNK, "model")
CHUNK_CHOICES = offset_of(CHUNK, "choices")
CHUNK_CREATED = offset_of(CHUNK, "created")
CHUNK_USAGE = offset_of(CHUNK, "usage")
CHUNK_FINGERPRINT = offset_of(CHUNK, "system_fingerprint")
CHUNK_TIER = offset_of(CHUNK, "service_tier")
CHUNK_INDEX = offset_of(CHUNK_CHOICE, "index")
CHUNK_DELTA = offset_of(CHUNK_CHOICE, "delta")
CHUNK_REASON = offset_of(CHUNK_CHOICE, "finish_reason")
CHUNK_LOGPROBS = offset_of(CHUNK_CHOICE, "logprobs")
DELTA_CONTENT = offset_of(DELTA, "content")
DELTA_ROLE = offset_of(DELTA, "role")
DELTA_CALLS = offset_of(DELTA, "tool_calls")
DELTA_REASONING = offset_of(DELTA, "reasoning")
DELTA_DETAILS = offset_of(DELTA, "reasoning_details")
DELTA_REFUSAL = offset_of(DELTA, "refusal")
DELTA_ANNOTATIONS = offset_of(DELTA, "annotations")
DELTA_AUDIO = offset_of(DELTA, "audio")
PIECE_INDEX = offset_of(CALL_PIECE, "index")
PIECE_ID = offset_of(CALL_PIECE, "id")
PIECE_FUNCTION = offset_of(CALL_PIECE, "function")
PIECE_CUSTOM = offset_of(CALL_PIECE, "custom")
PIECE_NAME = offset_of(FUNCTION_PIECE, "name")
PIECE_ARGUMENTS = offset_of(FUNCTION_PIECE, "arguments")


@cython.final
cdef class Losses:
    """Collects the losses of one reply; with `seen`, for a stream, each loss is added once."""

    def __cinit__(self):
        self.reported = []

    cdef int add(self, str row, str path, before, after) except -1:
        if self.seen is not None:
            if (row, path) in self.seen:
                return 0
            self.seen.add((row, path))
        self.reported.append((row, path, before, after))
        return 0

    cdef int drop(self, str row, str path, value) except -1:
        """Report a value that is left out, unless there is none."""
        if value is not None:
            self.add(row, path, value, None)
        return 0


@cython.final
cdef class JsonProgress:
    """Follows the JSON text of a call's input, which comes in pieces.

    `is_whole` once its object has ended. One per call; not for two threads at once.
    """

    cdef int add(self, str text) except -1:
        cdef Py_ssize_t at
        cdef Py_UCS4 c
        cdef int kind = PyUnicode_KIND(text)
        cdef void* data = PyUnicode_DATA(text)
        for at in range(PyUnicode_GET_LENGTH(text)):
            c = PyUnicode_READ(kind, data, at)
            if self.in_string:
                if self.is_escaped:
                    self.is_escaped = False
                elif c == 0x5C:
                    self.is_escaped = True
                elif c == 0x22:
                    self.in_string = False
            elif c == 0x22:
                self.in_string = True
            elif c == 0x7B or c == 0x5B:
                self.depth += 1
            elif c == 0x7D or c == 0x5D:
                self.depth -= 1
                if self.depth == 0:
                    self.is_whole = True
        return 0


cdef str text_of_parts(list parts, str path, Losses losses):
    """Return the text of content parts; parts of another type are reported."""
    texts = []
    for place, part in enumerate(parts):
        text = part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None
        if isinstance(text, str):
            texts.append(text)
        else:
            losses.add(REPLY_CONTENT_PART, f"{path}[{place}]", part, None)
    return "".join(texts)
