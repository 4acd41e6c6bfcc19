"""Gemini request encoder: a conversation and its parameters to a `generateContent` body.

Shapes from google.genai.types 3.6.1 (2026-11-30). Content or parameters without a counterpart, or
with another form, are reported by a row of `specado.losses.rows`.
"""

cimport cython

from specado._core.conversation cimport (
    ASSISTANT, AUDIO, DEVELOPER, FUNCTION, IMAGE, OTHER, REFUSAL, SYSTEM, TEXT, TOOL, Call, Conversation,
    Details, Part, Turn,
)
from specado._core.encoder cimport (
    RENAMED, Encoder, call_field, content_field, is_blank_text, is_same_json, renamed,
)
from specado._core.gemini.media cimport Medium, medium_of
from specado._core.json_writer cimport exact
from specado._core.reply_fields cimport field, offset_of

import msgspec

from specado._core.gemini.loss_rows import (
    ASSISTANT_AUDIO, ASSISTANT_LAST, ASSISTANT_REFUSAL, AUDIO_OUTPUT, CACHE_CONTROL_OPENAI, CONTENT_JOINED,
    FILE_ID_BESIDE_DATA, FILE_UNNAMED, FILE_TEXT, FUNCTIONS, IMAGE_DETAIL, IMAGE_RESOLUTION,
    LOGPROBS_MODEL, MAX_TOKENS_ABOVE_LIMIT, MAX_TOKENS_TWICE, MEDIA_MOVED, MEDIA_TYPE_CORRECTED,
    MEDIA_URI, MEDIA_URI_TYPE, MESSAGES_BLANK, MESSAGE_ANNOTATIONS, MESSAGE_NAME,
    MESSAGE_UNKNOWN_KEY, MODEL_ASSUMED, N_LIMIT, PARALLEL_TOOL_CALLS_MANY,
    PARALLEL_TOOL_CALLS_NEVER, PARAM_UNKNOWN, PART_UNKNOWN_KEY, PENALTY_UNSUPPORTED,
    PROMPT_CACHE_IMPLICIT, REASONING_EFFORT_LEVEL, REASONING_EFFORT_NONE,
    REASONING_EFFORT_THINKING, REASONING_EFFORT_UNSUPPORTED, REASONING_ENDPOINT, REASONING_FOREIGN,
    REASONING_STAND_IN, REASONING_UNSIGNED, RESPONSE_FORMAT_CONFLICT, RESPONSE_FORMAT_STRICT,
    RESPONSE_FORMAT_TITLED, RESPONSE_FORMAT_UNSUPPORTED, ROLE_UNKNOWN, SAMPLING_UNSUPPORTED,
    SERVICE_TIER, STOP_BLANK, STOP_MOST, STOP_UNSUPPORTED, STREAM_OPTIONS, SYSTEM_ALONE,
    SYSTEM_INSTRUCTION, SYSTEM_LATER, SYSTEM_PART, TEXT_BLANK, TOOLS_UNSUPPORTED, TOOL_ANNOTATION,
    TOOL_CALL_NAME, TOOL_CHOICE_ALLOWED, TOOL_CHOICE_THINKING, TOOL_CHOICE_UNKNOWN,
    TOOL_CHOICE_WITHOUT_TOOLS, TOOL_CUSTOM, TOOL_CUSTOM_CALL, TOOL_HINT, TOOL_NAME,
    TOOL_RESULT_LATE, TOOL_RESULT_MISSING, TOOL_RESULT_TWICE, TOOL_SCHEMA, TOOL_STRICT,
    TOOL_STRICT_ALL, TOOL_STRICT_MODE, TURNS_MERGED, WEB_SEARCH_GOOGLE, WEB_SEARCH_MODEL,
    WEB_SEARCH_TOOLS,
)
from specado._core.gemini.native import DIALECT, SIGNATURE, SIGNATURE_FORMAT, STAND_IN
from specado._core.gemini.schema_form import ANNOTATIONS, gemini_form
from specado._core.loss_rows import NATIVE_FOREIGN, NATIVE_ORDER, REASONING_EDITED
from specado._core.native import has_own_order, split_text
from specado._core.parameters import nearest_effort
from specado._core.schema import row_of_moved
from specado.errors import MessageFormatError
from specado.types import NativeBlock, NativeContent, ReasoningBlock

cdef Py_ssize_t NATIVE_BLOCKS = offset_of(NativeContent, "blocks")
cdef Py_ssize_t BLOCK_KIND = offset_of(NativeBlock, "kind")
cdef Py_ssize_t BLOCK_RAW = offset_of(NativeBlock, "raw")
cdef Py_ssize_t BLOCK_VALUES = offset_of(NativeBlock, "values")
# Where the values of a reasoning block have its type and its data.
cdef Py_ssize_t TYPE_PLACE = ReasoningBlock.__struct_fields__.index("type")
cdef Py_ssize_t DATA_PLACE = ReasoningBlock.__struct_fields__.index("data")

# A parameter that the field table does not have: its loss row, and the value that is no loss.
cdef tuple UNKNOWN = (PARAM_UNKNOWN, None)

# The longest name of a function: a letter or `_`, then `[A-Za-z0-9_.:-]`.
cdef Py_ssize_t LONGEST_NAME = 128
MAX_STOPS = 5
# The thinking budgets of Google's own OpenAI-compatible endpoint (its guide, read 2026-11-30).
cdef dict BUDGETS = {"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24576}
cdef tuple LEVELS = ("minimal", "low", "medium", "high")
cdef dict MODALITIES = {"text": "TEXT", "image": "IMAGE"}
cdef dict RESOLUTIONS = {
    "low": b"MEDIA_RESOLUTION_LOW", "high": b"MEDIA_RESOLUTION_HIGH",
    "original": b"MEDIA_RESOLUTION_ULTRA_HIGH",
}
cdef dict TIERS = {"default": "standard", "flex": "flex", "priority": "priority"}


cdef bint is_function_name(str name):
    """Return whether a function may have this name."""
    cdef Py_UCS4 c
    cdef bint is_first = True
    if not 0 < len(name) <= LONGEST_NAME:
        return False
    for c in name:
        if not (u"a" <= c <= u"z" or u"A" <= c <= u"Z" or c == u"_"):
            if is_first or not (u"0" <= c <= u"9" or c == u"." or c == u":" or c == u"-"):
                return False
        is_first = False
    return True


@cython.final
@cython.freelist(16)
cdef class OpenCall:
    """A call that waits for its result. Belongs to one encoder."""
    cdef str given      # the caller's id of it
    cdef str name       # as it is written
    cdef str own_id     # the provider's id of it, None without one
    cdef str path
    cdef bint is_answered


@cython.final
cdef class GenerateContentEncoder(Encoder):
    """Writes a `generateContent` body. One per body; not for two threads at once.

    The system instruction comes first, then the contents, then the rest: the same leading messages
    give the same leading bytes. The model stands in the URL.
    """

    cdef dict parameters    # name -> `(row, neutral value)` if it is dropped, None if it is written
    cdef object schemes     # of the addresses that the servers fetch, None if they are not known
    cdef Py_ssize_t leading     # system messages at the start
    cdef Py_ssize_t last_user   # the last written message of the user, -1 without one
    cdef Py_ssize_t end         # messages that are sent: all but the model's at the end, if refused
    cdef bint is_assumed        # whether the facts are those of the model's generation
    cdef bint is_alone          # whether there is only system text
    cdef bint has_changed_tools     # whether tools or tool_choice are not written whole
    cdef bint has_changed_format    # the same of response_format
    cdef bint is_step_signed    # whether the first call of the content is written
    cdef list waiting_calls     # of OpenCall, those of the content before; None without any
    cdef list moved             # (message, place, Part) of media of tool results

    cdef int write(self) except -1:
        if self.is_assumed:
            self.lose(MODEL_ASSUMED, "model", self.model, self.facts.id)
        self.divide()
        self.out.byte(b"{")
        self.write_system()
        self.out.key(b"contents")
        self.out.byte(b"[")
        self.write_contents()
        self.out.byte(b"]")
        self.write_config()
        self.write_tools()
        self.write_rest()
        self.out.byte(b"}")
        return self.check_unwritten()

    cdef int divide(self) except -1:
        """Find the leading system messages, and the last message of the user."""
        cdef list turns = self.conversation.turns
        cdef Turn turn
        cdef Py_ssize_t at
        self.leading = 0
        self.last_user = -1
        for turn in turns:
            if turn.role != SYSTEM and turn.role != DEVELOPER:
                break
            self.leading += 1
        self.is_alone = self.leading == len(turns)
        for at in range(len(turns) - 1, self.leading - 1, -1):
            turn = turns[at]
            if turn.role == ASSISTANT or turn.role == TOOL or turn.role == FUNCTION:
                continue
            if self.is_written(turn):
                self.last_user = at
                break
        self.end = len(turns)
        if self.trait("assistant_prefill") is False:
            self.leave_out_last()
        return 0

    cdef int leave_out_last(self) except -1:
        """Leave out the model's messages at the end, which the model refuses to continue."""
        cdef Turn turn
        while self.end > max(self.leading, 1):
            turn = self.conversation.turns[self.end - 1]
            if turn.role != ASSISTANT or (turn.more is not None and turn.more.calls is not None):
                break
            self.end -= 1
            self.index = self.end
            self.lose(ASSISTANT_LAST, f"messages[{self.end}]")
            self.lose_details(turn)
        self.index = -1
        return 0

    cdef bint is_written(self, Turn turn) except -1:
        """Return whether a message of the user has a part that is sent."""
        cdef Part part
        if turn.text is not None:
            return not is_blank_text(turn.text)
        for part in turn.parts or ():
            if part.kind == TEXT or part.kind == REFUSAL:
                if not is_blank_text(part.text):
                    return True
            elif medium_of(self, part, self.schemes).row is None:
                return True
        return False

    # Reports.

    cdef int lose_tool(self, str row, str path, object before=None, object after=None) except -1:
        """Report a loss in tools or tool_choice."""
        self.has_changed_tools = True
        return self.lose(row, path, before, after)

    cdef int lose_keys(self, dict extra, str row, str name_of_field) except -1:
        """Report the unknown keys of a message (*name_of_field* is empty then) or a part."""
        cdef str path
        if extra is None:
            return 0
        path = f"messages[{self.index}]" + (f".{name_of_field}" if name_of_field else "")
        for name, value in extra.items():
            if value is None or (name == "thinking_blocks" and not name_of_field):
                continue    # the second is read as reasoning
            if name == "annotations" and not name_of_field:
                if value:
                    self.lose(MESSAGE_ANNOTATIONS, f"{path}.{name}")
            elif name == "cache_control":
                self.lose(CACHE_CONTROL_OPENAI, f"{path}.{name}", value)
            elif name == "prompt_cache_breakpoint":
                self.lose(PROMPT_CACHE_IMPLICIT, f"{path}.{name}", value)
            elif name == "extra_content":
                self.lose(NATIVE_FOREIGN, f"{path}.{name}")
            else:
                self.lose(row, f"{path}.{name}", value)
        return 0

    cdef int lose_details(self, Turn turn) except -1:
        """Report the keys of a message that have no counterpart."""
        cdef Details more = turn.more
        if more is None:
            return 0
        if more.name is not None and turn.role != FUNCTION:
            self.lose(MESSAGE_NAME, f"messages[{self.index}].name", more.name)
        if more.audio is not None:
            self.lose(ASSISTANT_AUDIO, f"messages[{self.index}].audio")
        if more.function_call is not None:
            self.lose(FUNCTIONS, f"messages[{self.index}].function_call")
        if more.reasoning is not None and more.reasoning_details is None:
            self.lose(REASONING_UNSIGNED, f"messages[{self.index}].reasoning")
        return self.lose_keys(more.extra, MESSAGE_UNKNOWN_KEY, "")

    # System text.

    cdef int write_system(self) except -1:
        cdef Turn turn
        cdef Py_ssize_t mark = self.out.size
        if not self.leading or self.is_alone:
            return 0
        self.out.literal(b'"systemInstruction":{"parts":[')
        for self.index in range(self.leading):
            turn = self.conversation.turns[self.index]
            self.lose(SYSTEM_INSTRUCTION, f"messages[{self.index}].role", turn.role_name,
                      "systemInstruction")
            self.write_system_text(turn)
        self.index = -1
        if self.out.just_opened():
            self.out.size = mark
            return 0
        return self.out.literal(b"]}")

    cdef int write_system_text(self, Turn turn) except -1:
        cdef Part part
        cdef Py_ssize_t place = 0
        self.lose_details(turn)
        if turn.text is not None:
            self.write_text(turn.text, None, "content", None)
        for part in turn.parts or ():
            if part.kind == TEXT:
                self.write_text(part.text, part.extra, content_field(place), None)
            else:
                self.lose(SYSTEM_PART, f"messages[{self.index}].content[{place}]")
            place += 1
        return 0

    # Contents: the messages between two of the model are one turn of the user, and its results.

    cdef int write_contents(self) except -1:
        cdef list turns = self.conversation.turns
        cdef Py_ssize_t count = self.end
        cdef Py_ssize_t at = 0 if self.is_alone else self.leading
        cdef Py_ssize_t end
        cdef bint is_models
        while at < count:
            is_models = (<Turn>turns[at]).role == ASSISTANT
            end = at + 1
            while end < count and ((<Turn>turns[end]).role == ASSISTANT) == is_models:
                end += 1
            if is_models:
                self.write_models_content(at, end)
            else:
                self.write_section(at, end)
            at = end
        self.index = -1
        if self.out.just_opened():
            self.lose(MESSAGES_BLANK, f"messages[{0 if self.is_alone else self.leading}]")
            self.out.literal(b'{"role":"user","parts":[{"text":""}]}')
        return 0

    cdef int write_section(self, Py_ssize_t start, Py_ssize_t end) except -1:
        """Write the messages turns[start:end], none of which is the model's."""
        cdef list turns = self.conversation.turns
        cdef Turn turn
        cdef list results = None
        cdef bint has_users = False
        cdef Py_ssize_t at
        for at in range(start, end):
            turn = turns[at]
            if turn.role == TOOL:
                if has_users:
                    self.lose(TOOL_RESULT_LATE, f"messages[{at}]")
                if results is None:
                    results = []
                results.append(at)
            elif turn.role == FUNCTION:
                self.lose(FUNCTIONS, f"messages[{at}]")
            else:
                has_users = True
        if results is not None or self.waiting_calls is not None:
            self.write_results(results or [])
        if has_users or self.moved is not None:
            self.write_users_content(start, end)
        return 0

    cdef int write_users_content(self, Py_ssize_t start, Py_ssize_t end) except -1:
        """Write the user's messages in turns[start:end], after media of tool results."""
        cdef Turn turn
        cdef Part part
        cdef Py_ssize_t mark = self.out.size
        cdef bint is_first = True
        self.out.item()
        self.out.literal(b'{"role":"user","parts":[')
        if self.moved is not None:
            for index, place, moved in self.moved:
                self.index = index
                part = moved
                self.write_medium(part, content_field(place))
            self.moved = None
        for self.index in range(start, end):
            turn = self.conversation.turns[self.index]
            if turn.role == TOOL or turn.role == FUNCTION:
                continue
            if not is_first and not is_blank(turn):
                self.lose(TURNS_MERGED, f"messages[{self.index}].role")
            is_first = False
            self.report_role(turn)
            self.write_content(turn)
        return self.end_content(mark)

    cdef int end_content(self, Py_ssize_t mark) except -1:
        """End a content, or leave it out if it has no parts."""
        if self.out.just_opened():
            self.out.size = mark
            return 0
        return self.out.literal(b"]}")

    cdef int report_role(self, Turn turn) except -1:
        """Report a role that becomes the user's."""
        cdef str path
        if turn.role != OTHER and turn.role != SYSTEM and turn.role != DEVELOPER:
            return 0
        path = f"messages[{self.index}].role"
        if turn.role == OTHER:
            return self.lose(ROLE_UNKNOWN, path, turn.role_name, "user")
        return self.lose(
            SYSTEM_ALONE if self.is_alone else SYSTEM_LATER, path, turn.role_name, "user"
        )

    cdef int write_content(self, Turn turn) except -1:
        """Write the parts of a message's content."""
        cdef Part part
        cdef Py_ssize_t place = 0
        self.lose_details(turn)
        if turn.text is not None:
            return self.write_text(turn.text, None, "content", None)
        for part in turn.parts or ():
            self.write_part(part, content_field(place))
            place += 1
        return 0

    # Parts.

    cdef int write_text(self, str text, dict extra, str name_of_field, object signature) except -1:
        self.field = name_of_field
        if signature is None and is_blank_text(text):
            return self.lose(TEXT_BLANK, f"messages[{self.index}].{name_of_field}", text)
        self.out.item()
        self.out.literal(b'{"text":')
        self.out.string(text)
        self.write_signature(signature)
        self.lose_keys(extra, PART_UNKNOWN_KEY, name_of_field)
        return self.out.byte(b"}")

    cdef int write_signature(self, object signature) except -1:
        if signature is not None:
            self.out.key(b"thoughtSignature")
            self.out.string(signature)
        return 0

    cdef int write_part(self, Part part, str name_of_field) except -1:
        if part.kind == TEXT:
            return self.write_text(part.text, part.extra, name_of_field, None)
        if part.kind == REFUSAL:
            self.lose(ASSISTANT_REFUSAL, f"messages[{self.index}].{name_of_field}")
            return self.write_text(part.text, part.extra, name_of_field, None)
        return self.write_medium(part, name_of_field)

    cdef int write_medium(self, Part part, str name_of_field) except -1:
        cdef Medium medium = medium_of(self, part, self.schemes)
        cdef str path = f"messages[{self.index}].{name_of_field}"
        self.field = name_of_field
        if medium.uri is not None and part.kind == IMAGE and not medium.uri.startswith(
            ("https://", "http://", "gs://")
        ):
            raise self.malformed(
                f"{name_of_field}.image_url.url", "must be an http(s) URL or a data URI"
            )
        if medium.row is not None:
            return self.lose(medium.row, path, medium.labelled)
        self.out.item()
        if medium.uri is not None:
            self.write_address(medium, path)
        else:
            self.write_data(part, medium, path)
        self.write_medium_details(part, path)
        return self.out.byte(b"}")

    cdef int write_address(self, Medium medium, str path) except -1:
        self.lose(MEDIA_URI_TYPE if medium.is_assumed else MEDIA_URI, path, None, medium.media)
        self.out.literal(b'{"fileData":{"fileUri":')
        self.out.string(medium.uri)
        self.out.key(b"mimeType")
        self.out.string(medium.media)
        return self.out.byte(b"}")

    cdef int write_data(self, Part part, Medium medium, str path) except -1:
        if medium.is_text and medium.media != medium.labelled:
            self.lose(FILE_TEXT, path, medium.labelled, medium.media)
        elif medium.media.partition("/")[0] != medium.labelled.partition("/")[0] or (
            medium.media.startswith("image/") and medium.labelled not in (
                medium.media, "image/jpg",
            )
        ):
            self.lose(MEDIA_TYPE_CORRECTED, path, medium.labelled, medium.media)
        self.out.literal(b'{"inlineData":{"mimeType":')
        self.out.string(medium.media)
        self.out.key(b"data")
        self.out.plain_tail(part.text, part.start)
        return self.out.byte(b"}")

    cdef int write_medium_details(self, Part part, str path) except -1:
        """Write or report what a part says beside its data: an image's detail, a file's name."""
        cdef dict extra = part.media_extra
        if part.kind == IMAGE:
            if part.detail is not None and part.detail != "auto":
                resolution = RESOLUTIONS.get(part.detail)
                if resolution is None or self.trait("media_resolution") is not True:
                    self.lose(IMAGE_DETAIL, f"{path}.image_url.detail", part.detail)
                else:
                    self.lose(IMAGE_RESOLUTION, f"{path}.image_url.detail", part.detail,
                              resolution.decode())
                    self.out.literal(b',"mediaResolution":{"level":"')
                    self.out.literal(resolution)
                    self.out.literal(b'"}')
        elif part.kind != AUDIO:
            if part.file_id is not None and part.text is not None:
                self.lose(FILE_ID_BESIDE_DATA, f"{path}.file.file_id", part.file_id)
            if part.detail is not None:
                self.lose(FILE_UNNAMED, f"{path}.file.filename", part.detail)
        if extra is not None:
            if "format" in extra:    # the media type of an address, which was read
                extra = {name: value for name, value in extra.items() if name != "format"}
            self.lose_keys(extra, PART_UNKNOWN_KEY, path.partition(".")[2])
        return self.lose_keys(part.extra, PART_UNKNOWN_KEY, path.partition(".")[2])

    # The model's messages.

    cdef int write_models_content(self, Py_ssize_t start, Py_ssize_t end) except -1:
        cdef Turn turn
        cdef Py_ssize_t mark = self.out.size
        self.waiting_calls = None
        self.is_step_signed = False
        self.out.item()
        self.out.literal(b'{"role":"model","parts":[')
        for self.index in range(start, end):
            turn = self.conversation.turns[self.index]
            if self.index > start and not is_blank(turn):
                self.lose(TURNS_MERGED, f"messages[{self.index}].role")
            if turn.more is None:
                self.write_content(turn)
            else:
                self.write_answer(turn)
        return self.end_content(mark)

    cdef int write_answer(self, Turn turn) except -1:
        """Write a message of the model that has more than content."""
        cdef Details more = turn.more
        cdef Part part
        cdef Py_ssize_t place = 0
        cdef dict signatures = None
        cdef object signature = None
        self.lose_details(turn)
        if more.native is not None and self.write_native(turn):
            return 0
        if more.reasoning_details is not None:
            signatures = self.signatures_of(turn)
            signature = signatures.get(None)
        if turn.text is not None and (turn.text or signature is not None):
            self.write_text(turn.text, None, "content", signature)
            signature = None
        for part in turn.parts or ():
            if part.kind == TEXT and place == len(turn.parts) - 1:
                self.write_text(part.text, part.extra, content_field(place), signature)
            else:
                self.write_part(part, content_field(place))
            place += 1
        self.write_refusal(more)
        place = 0
        for call in more.calls or ():
            self.write_call(call, place, None, signatures)
            place += 1
        return 0

    cdef int write_refusal(self, Details more) except -1:
        if more.refusal is not None:
            self.lose(ASSISTANT_REFUSAL, f"messages[{self.index}].refusal")
            self.write_text(more.refusal, None, "refusal", None)
        return 0

    cdef dict signatures_of(self, Turn turn):
        """Return the thought signatures of an answer by the ids of its calls, None for its text.

        Only blocks in Google's format that no other provider's record holds are used; the others
        are reported.
        """
        cdef dict found = {}
        cdef Details more = turn.more
        cdef Py_ssize_t place = 0
        cdef bint is_taken = more.native is None or self.is_from_target(more.native)
        for block in more.reasoning_details:
            if is_taken and block.format == SIGNATURE_FORMAT and block.data is not None:
                found.setdefault(block.id, block.data)
            else:
                row = REASONING_FOREIGN
                if block.format == SIGNATURE_FORMAT:
                    row = REASONING_UNSIGNED if is_taken else REASONING_ENDPOINT
                self.lose(row, f"messages[{self.index}].reasoning_details[{place}]",
                          block.model if row == REASONING_FOREIGN else None)
            place += 1
        if None in found and more.calls is not None and not turn.text and turn.parts is None:
            # Of an answer that only calls: it is the first call's.
            found.setdefault((<Call>more.calls[0]).id, found.pop(None))
        return found

    # Answers as the provider wrote them.

    cdef bint write_native(self, Turn turn) except -1:
        """Write the parts of an answer as they came, with the caller's edits.

        Return `False` if nothing is written: the parts are another dialect's, or no longer map to
        the content.
        """
        cdef Details more = turn.more
        cdef object native = more.native
        cdef bint is_own
        cdef list contents
        cdef list left
        cdef object signature = None
        cdef Py_ssize_t texts = 0
        cdef Py_ssize_t thoughts = 0
        cdef Py_ssize_t place = 0
        cdef str kind
        if native.dialect != DIALECT:
            self.report_native(native)
            return False
        is_own = self.is_from_target(native)
        contents = contents_of_blocks(turn, native)
        if contents is None:
            if has_own_order(native):
                self.lose(NATIVE_ORDER, f"messages[{self.index}].native")
            return False
        left = list(range(0 if more.calls is None else len(more.calls)))
        for block in <tuple>field(native, NATIVE_BLOCKS):
            kind = <str>field(block, BLOCK_KIND)
            if kind == "reasoning":
                signature = self.write_thought(more, block, thoughts, is_own)
                thoughts += 1
            elif kind == "text":
                self.write_native_text(turn, block, contents[texts], is_own, signature)
                signature = None
                texts += 1
            elif kind == "call":
                self.write_native_call(more, block, left, is_own, signature)
                signature = None
            elif is_own:
                self.write_raw(<bytes>field(block, BLOCK_RAW), signature)
                signature = None
            else:
                self.lose(NATIVE_FOREIGN, f"messages[{self.index}].native.blocks[{place}]")
            place += 1
        self.write_refusal(more)
        for place in left:
            self.write_call(more.calls[place], place, None, None)
        return True

    cdef int write_raw(self, bytes raw, object signature) except -1:
        """Write a part of a record, with its signature."""
        self.out.item()
        if signature is None:
            return self.out.literal(raw)
        self.out.literal(raw[:-1])
        self.write_signature(signature)
        return self.out.byte(b"}")

    cdef object write_thought(self, Details more, object block, Py_ssize_t place, bint is_own):
        """Write a thought; return the signature of the next part if the block is one."""
        cdef tuple values = <tuple>field(block, BLOCK_VALUES)
        cdef Py_ssize_t at = place
        if more.kept is not None:
            if not more.kept[place]:
                return None    # reported where the messages were read
            at = more.kept[:place].count(True)
        if not is_own:
            self.lose(REASONING_ENDPOINT, f"messages[{self.index}].reasoning_details[{at}]")
            return None
        if values[TYPE_PLACE] == SIGNATURE:
            return values[DATA_PLACE]
        self.out.item()
        self.out.literal(<bytes>field(block, BLOCK_RAW))
        return None

    cdef int write_native_text(self, Turn turn, object block, object content, bint is_own,
                               object signature) except -1:
        """Write the current content of a text part: as it came, if the text is unchanged."""
        cdef tuple values = <tuple>field(block, BLOCK_VALUES)
        cdef str given = <str>values[0]
        cdef str text = None
        cdef Part part
        cdef dict extra = None
        cdef str name_of_field = "content"
        if type(content) is str:
            text = content
        elif len(<list>content) == 1:
            part = turn.parts[content[0]]
            name_of_field = content_field(content[0])
            if part.kind == TEXT:
                text = part.text
                extra = part.extra
        if text is not None and text == given:
            if is_own and (signature is not None or not is_blank_text(text)):
                self.write_raw(<bytes>field(block, BLOCK_RAW), signature)
                return self.lose_keys(extra, PART_UNKNOWN_KEY, name_of_field)
            return self.write_text(text, extra, name_of_field, None) if text else 0
        if signature is not None:
            self.lose(REASONING_EDITED, f"messages[{self.index}].reasoning_details")
        if type(content) is str:
            return self.write_text(content, None, "content", None) if content else 0
        for at in content:
            self.write_part(turn.parts[at], content_field(at))
        return 0

    cdef int write_native_call(self, Details more, object block, list left, bint is_own,
                               object signature) except -1:
        """Write the call of a block as it is now; one that the caller removed is not written."""
        cdef tuple values = <tuple>field(block, BLOCK_VALUES)
        cdef Call call
        cdef Py_ssize_t place
        cdef str own_id = values[3] if is_own else None
        for place in left:
            call = more.calls[place]
            if call.custom or (
                values[0] is not None and call.id != <str>values[0]
                or values[0] is None and self.accepted_name(call.name) != <str>values[1]
            ):
                continue
            left.remove(place)
            if self.accepted_name(call.name) == <str>values[1] and call.body_extra is None and (
                is_same_json(values[2], call.text)
            ):
                if is_own:
                    self.field = call_field(place)
                    self.open_call(call, values[1], own_id)
                    self.lose_keys(call.extra, PART_UNKNOWN_KEY, self.field)
                    return self.write_raw(
                        <bytes>field(block, BLOCK_RAW), self.signature_for(signature)
                    )
                return self.write_call(call, place, None, None)
            if signature is not None:
                self.lose(REASONING_EDITED, f"messages[{self.index}].reasoning_details")
            return self.write_call(call, place, own_id, None)
        if signature is not None:
            self.lose(REASONING_EDITED, f"messages[{self.index}].reasoning_details")
        return 0

    # Calls and results.

    cdef str plain_name(self, str given):
        """Return a name that begins as the API wants it: with a letter or `_`."""
        cdef str made = renamed(given, RENAMED)
        return made if is_function_name(made) else renamed(f"_{given}", RENAMED)

    cdef str accepted_name(self, str given):
        """Return the name of a function, or its replacement."""
        return given if is_function_name(given) else self.short_name(given)

    cdef int open_call(self, Call call, str name, str own_id) except -1:
        """Begin a call: it waits for its result."""
        cdef OpenCall found = OpenCall.__new__(OpenCall)
        found.given, found.name, found.own_id = call.id, name, own_id
        found.path = f"messages[{self.index}].{self.field}"
        if self.waiting_calls is None:
            self.waiting_calls = []
        self.waiting_calls.append(found)
        return 0

    cdef object signature_for(self, object signature):
        """Return the signature to write for a call: a placeholder where the model requires one."""
        cdef bint is_first = not self.is_step_signed
        self.is_step_signed = True
        if (
            signature is None and is_first and self.index > self.last_user
            and self.trait("signed_calls") is True
        ):
            self.lose(REASONING_STAND_IN, f"messages[{self.index}].{self.field}", None, STAND_IN)
            return STAND_IN
        return signature

    cdef int write_call(self, Call call, Py_ssize_t place, str own_id,
                        dict signatures) except -1:
        cdef str name
        cdef object signature = None
        cdef str kind = "custom" if call.custom else "function"
        self.field = call_field(place)
        name = self.accepted_name(call.name)
        if name is not call.name:
            self.lose(TOOL_CALL_NAME, f"messages[{self.index}].{self.field}.{kind}.name",
                      call.name, name)
        self.open_call(call, name, own_id)
        self.out.item()
        self.out.literal(b'{"functionCall":{')
        if own_id is not None:
            self.out.key(b"id")
            self.out.string(own_id)
        self.out.key(b"name")
        self.out.string(name)
        self.out.key(b"args")
        if call.custom:
            self.lose(TOOL_CUSTOM_CALL, f"messages[{self.index}].{self.field}.custom.input")
            self.out.literal(b'{"input":')
            self.out.string(call.text)
            self.out.byte(b"}")
        else:
            self.write_arguments(call)
        self.out.byte(b"}")
        if signatures is not None:
            signature = signatures.get(call.id)
        if call.extra is not None:
            signature = self.signature_beside(call, signature)
        self.write_signature(self.signature_for(signature))
        if call.body_extra is not None:
            self.lose_keys(call.body_extra, PART_UNKNOWN_KEY, f"{self.field}.{kind}")
        return self.out.byte(b"}")

    cdef object signature_beside(self, Call call, object signature):
        """Return the signature of a call in the forms of Google's compatible endpoint and LiteLLM.

        The other keys of the call are reported.
        """
        cdef dict rest = {}
        for name, value in call.extra.items():
            given = None
            if isinstance(value, dict):
                if name == "extra_content" and isinstance(value.get("google"), dict):
                    given = value["google"].get("thought_signature")
                elif name == "provider_specific_fields":
                    given = value.get("thought_signature")
            if isinstance(given, str) and given:
                signature = given
            else:
                rest[name] = value
        self.lose_keys(rest, PART_UNKNOWN_KEY, self.field)
        return signature

    cdef int write_results(self, list results) except -1:
        """Write the results of the calls before, in the order of the calls, as one content."""
        cdef OpenCall call
        cdef Turn turn
        cdef dict by_id = {}
        cdef Py_ssize_t mark = self.out.size
        for at in results:
            turn = self.conversation.turns[at]
            by_id.setdefault(turn.more.tool_call_id, []).append(at)
        self.out.item()
        self.out.literal(b'{"role":"user","parts":[')
        for call in self.waiting_calls or ():
            found = by_id.get(call.given)
            if found:
                self.index = found.pop(0)
                self.write_result(self.conversation.turns[self.index], call)
            else:
                self.lose(TOOL_RESULT_MISSING, call.path)
                self.begin_result(call)
                self.out.literal(b'{"error":"no result"}}}')
        for rest in by_id.values():
            for at in rest:
                self.lose(TOOL_RESULT_TWICE, f"messages[{at}]")
        self.waiting_calls = None
        return self.end_content(mark)

    cdef int begin_result(self, OpenCall call) except -1:
        self.out.item()
        self.out.literal(b'{"functionResponse":{')
        if call.own_id is not None:
            self.out.key(b"id")
            self.out.string(call.own_id)
        self.out.key(b"name")
        self.out.string(call.name)
        return self.out.key(b"response")

    cdef int write_result(self, Turn turn, OpenCall call) except -1:
        """Write a tool message: its text always as a member, so that no text means anything else.
        """
        cdef Part part
        cdef list texts = []
        cdef Py_ssize_t place = 0
        self.lose_details(turn)
        self.begin_result(call)
        self.out.literal(b'{"output":')
        self.field = "content"
        if turn.text is not None:
            self.out.string(turn.text)
        else:
            for part in turn.parts or ():
                if part.kind == TEXT or part.kind == REFUSAL:
                    texts.append(part.text)
                    self.lose_keys(part.extra, PART_UNKNOWN_KEY, content_field(place))
                place += 1
            if len(texts) > 1:
                self.lose(CONTENT_JOINED, f"messages[{self.index}].content")
            self.out.string("\n".join(texts))
        self.out.byte(b"}")
        if turn.parts is not None:
            self.write_result_media(turn.parts)
        return self.out.literal(b"}}")

    cdef int write_result_media(self, list parts) except -1:
        """Write the media of a result, or keep them for the content that follows."""
        cdef Part part
        cdef Py_ssize_t place = 0
        cdef Py_ssize_t mark = self.out.size
        cdef bint is_taken = self.trait("media_in_tool_results") is True
        self.out.literal(b',"parts":[')
        for part in parts:
            if part.kind != TEXT and part.kind != REFUSAL:
                if is_taken and is_result_medium(medium_of(self, part, self.schemes)):
                    self.write_medium(part, content_field(place))
                else:
                    self.lose(MEDIA_MOVED, f"messages[{self.index}].{content_field(place)}")
                    if self.moved is None:
                        self.moved = []
                    self.moved.append((self.index, place, part))
            place += 1
        if self.out.just_opened():
            self.out.size = mark
            return 0
        return self.out.byte(b"]")

    # Parameters.

    cdef int put(self, bytes key, str name, object value) except -1:
        """Write a member of the JSON object that is open; *name* is that of the parameter."""
        self.field = name
        self.out.key(key)
        return self.out.value(value, 0)

    cdef int write_config(self) except -1:
        cdef Py_ssize_t mark = self.out.size
        self.report_dropped()
        self.out.literal(b',"generationConfig":{')
        self.write_max_tokens()
        self.write_sampling()
        self.write_penalty("presence_penalty", b"presencePenalty")
        self.write_penalty("frequency_penalty", b"frequencyPenalty")
        if self.params.get("seed") is not None:
            self.put(b"seed", "seed", self.params["seed"])
        self.write_stop()
        self.write_choices()
        self.write_logprobs()
        self.write_modalities()
        self.write_format()
        self.write_thinking()
        if self.out.just_opened():
            self.out.size = mark
            return 0
        return self.out.byte(b"}")

    cdef int report_dropped(self) except -1:
        """Report the parameters without a counterpart, and the unknown ones."""
        for name, value in self.params.items():
            self.field = name
            dropped = self.parameters.get(name, UNKNOWN)
            if dropped is not None:
                row, neutral = dropped
                if value != neutral:
                    self.lose(row, name, value)
        return 0

    cdef int check_unwritten(self) except -1:
        """Check the parameters that are not written whole, unless a loss holds their value."""
        if self.has_changed_format and "response_format" in self.params:
            self.check("response_format", self.params["response_format"])
        if "tool_choice" in self.params:
            self.check("tool_choice", self.params["tool_choice"])
        if self.has_changed_tools and "tools" in self.params:
            self.check("tools", self.params["tools"])
        return 0

    cdef int write_max_tokens(self) except -1:
        cdef object limit = None if self.facts is None else self.facts.max_output_tokens
        cdef object wanted = self.params.get("max_completion_tokens")
        cdef str name = "max_completion_tokens"
        if wanted is None:
            wanted = self.params.get("max_tokens")
            name = "max_tokens"
        elif self.params.get("max_tokens") is not None:
            self.lose(MAX_TOKENS_TWICE, "max_tokens", self.params["max_tokens"])
        if wanted is None:
            return 0
        if limit is not None and wanted > limit and not self.is_assumed:
            self.lose(MAX_TOKENS_ABOVE_LIMIT, name, wanted, limit)
            wanted = limit
        return self.put(b"maxOutputTokens", name, wanted)

    cdef int write_sampling(self) except -1:
        cdef bint is_refused = self.trait("sampling") is False
        for name, key in (("temperature", b"temperature"), ("top_p", b"topP")):
            value = self.params.get(name)
            if value is None:
                continue
            if not is_refused:
                self.put(key, name, value)
            elif value != 1:
                self.lose(SAMPLING_UNSUPPORTED, name, value)
        return 0

    cdef int write_penalty(self, str name, bytes key) except -1:
        cdef object value = self.params.get(name)
        if value is None:
            return 0
        if self.trait("penalties") is False:
            return self.lose(PENALTY_UNSUPPORTED, name, value) if value else 0
        return self.put(key, name, value)

    cdef int write_stop(self) except -1:
        cdef object stop = self.params.get("stop")
        cdef bint is_single = isinstance(stop, str)
        cdef list kept = []
        if stop is None:
            return 0
        if self.trait("stop") is False:
            return self.lose(STOP_UNSUPPORTED, "stop", stop)
        if is_single:
            stop = [stop]
        for place, text in enumerate(stop):
            path = "stop" if is_single else f"stop[{place}]"
            if not text:
                self.lose(STOP_BLANK, path, text)
            elif len(kept) == MAX_STOPS:
                self.lose(STOP_MOST, path, text)
            else:
                kept.append(text)
        return self.put(b"stopSequences", "stop", kept) if kept else 0

    cdef int write_choices(self) except -1:
        cdef object wanted = self.params.get("n")
        cdef object limit = self.trait("max_choices")
        if wanted is None or wanted == 1:
            return 0
        if self.params.get("stream"):
            limit = 1
        if limit is not None and wanted > limit:
            return self.lose(N_LIMIT, "n", wanted, limit)
        return self.put(b"candidateCount", "n", wanted)

    cdef int write_logprobs(self) except -1:
        cdef object wanted = self.params.get("logprobs")
        cdef object top = self.params.get("top_logprobs")
        if not wanted and not top:
            return 0
        if self.trait("logprobs") is False:
            if wanted:
                self.lose(LOGPROBS_MODEL, "logprobs", wanted)
            return self.lose(LOGPROBS_MODEL, "top_logprobs", top) if top else 0
        self.out.key(b"responseLogprobs")
        self.out.literal(b"true")
        return self.put(b"logprobs", "top_logprobs", top) if top else 0

    cdef int write_modalities(self) except -1:
        cdef object wanted = self.params.get("modalities")
        cdef list kept = []
        for modality in wanted or ():
            found = MODALITIES.get(modality)
            if found is None:
                self.lose(AUDIO_OUTPUT, "modalities", wanted)
            else:
                kept.append(found)
        if not kept or kept == ["TEXT"]:
            return 0
        return self.put(b"responseModalities", "modalities", kept)

    # The form of the answer.

    cdef int write_format(self) except -1:
        cdef object wanted = self.params.get("response_format")
        cdef object kind = wanted.get("type") if isinstance(wanted, dict) else None
        if wanted is None or kind == "text":
            return 0
        self.field = "response_format"
        self.has_changed_format = True
        if kind != "json_schema" and kind != "json_object" or (
            self.trait("structured_output") is False
        ):
            return self.lose(RESPONSE_FORMAT_UNSUPPORTED, "response_format", kind)
        if self.params.get("tools") and self.trait("schema_with_tools") is False:
            return self.lose(RESPONSE_FORMAT_CONFLICT, "response_format", kind)
        self.out.literal(
            b'"responseMimeType":"application/json"' if self.out.just_opened()
            else b',"responseMimeType":"application/json"'
        )
        return self.write_schema(wanted) if kind == "json_schema" else 0

    cdef int write_schema(self, dict wanted) except -1:
        """Write the schema of the answer, with its name and description."""
        cdef str path = "response_format.json_schema"
        cdef object asked = wanted.get("json_schema")
        if not isinstance(asked, dict):
            raise MessageFormatError(
                f"{path}: must be a dict with name and schema", field=path
            )
        given = asked.get("schema") or {"type": "object"}
        form, moved = gemini_form(given, f"{path}.schema")
        for place, name, value, hint in moved:
            row = TOOL_ANNOTATION if name in ANNOTATIONS else row_of_moved(name, value)
            self.lose(row, place, value, hint)
        for name, key in (("name", "title"), ("description", "description")):
            value = asked.get(name)
            if value is None:
                continue
            self.lose(RESPONSE_FORMAT_TITLED, f"{path}.{name}", value)
            if isinstance(form, dict) and not form.get(key) and "$ref" not in form:
                form = {key: value, **form}
        for name, value in asked.items():
            if value is not None and name not in ("name", "description", "schema", "strict"):
                self.lose(PARAM_UNKNOWN, f"{path}.{name}", value)
        if asked.get("strict") is not True:
            self.lose(RESPONSE_FORMAT_STRICT, path, asked.get("strict"), True)
        return self.put(b"responseJsonSchema", "response_format", form)

    # Thinking.

    cdef int write_thinking(self) except -1:
        cdef object effort = self.params.get("reasoning_effort")
        cdef object way = self.trait("thinking")
        cdef object levels = self.trait("reasoning_efforts")
        cdef str nearest
        if effort is None:
            return 0
        self.field = "reasoning_effort"
        if way != "budget" and way != "level":
            if effort == "none" and way == "none":
                return self.lose(REASONING_EFFORT_NONE, "reasoning_effort", effort)
            return self.lose(REASONING_EFFORT_UNSUPPORTED, "reasoning_effort", effort)
        if way == "budget":
            if effort == "minimal" and levels and "low" in levels:
                effort = "low"    # the same budget
            nearest = nearest_effort(effort, [each for each in levels or BUDGETS
                                              if each in BUDGETS])
        else:
            nearest = nearest_effort(effort, [each for each in levels or LEVELS
                                              if each != "none"])
        if nearest is None:
            return self.lose(REASONING_EFFORT_UNSUPPORTED, "reasoning_effort", effort)
        if nearest != effort:
            self.lose(REASONING_EFFORT_LEVEL, "reasoning_effort", effort, nearest)
        self.out.key(b"thinkingConfig")
        self.out.byte(b"{")
        if way == "budget":
            self.put(b"thinkingBudget", "reasoning_effort", BUDGETS[nearest])
        else:
            self.put(b"thinkingLevel", "reasoning_effort", nearest.upper())
        if nearest != "none":
            self.out.literal(b',"includeThoughts":true')
        self.lose(REASONING_EFFORT_THINKING, "reasoning_effort", effort, nearest)
        return self.out.byte(b"}")

    # Tools.

    cdef int write_tools(self) except -1:
        cdef object tools = self.params.get("tools")
        cdef object choice = self.params.get("tool_choice")
        cdef Py_ssize_t mark = self.out.size
        cdef list strict = []
        cdef bint has_functions = False
        cdef set allowed = None
        cdef str mode = None
        self.out.literal(b',"tools":[')
        if tools:
            self.field = "tools"
            if self.lacks("tool_use") and self.lacks("function_calling"):
                self.lose_tool(TOOLS_UNSUPPORTED, "tools")
            allowed, choice, mode = self.allowed_tools(choice)
            self.out.literal(b'{"functionDeclarations":[')
            for place, tool in enumerate(tools):
                self.write_tool(tool, f"tools[{place}]", None if mode is not None else allowed,
                                strict)
            has_functions = not self.out.just_opened()
            if has_functions:
                self.out.literal(b"]}")
            else:
                self.out.size = mark
                self.out.literal(b',"tools":[')
        self.write_web_search(has_functions)
        if self.out.just_opened():
            self.out.size = mark
        else:
            self.out.byte(b"]")
        if has_functions:
            return self.write_tool_choice(choice, mode, allowed, strict)
        if choice is not None and choice != "none" and choice != "auto":
            self.lose_tool(TOOL_CHOICE_WITHOUT_TOOLS, "tool_choice", choice)
        return 0

    cdef int write_web_search(self, bint has_functions) except -1:
        cdef object wanted = self.params.get("web_search_options")
        if wanted is None:
            return 0
        if self.trait("web_search") is False:
            return self.lose(WEB_SEARCH_MODEL, "web_search_options", wanted)
        if has_functions:
            return self.lose(WEB_SEARCH_TOOLS, "web_search_options", wanted)
        self.lose(WEB_SEARCH_GOOGLE, "web_search_options", wanted)
        return self.out.literal(b'{"googleSearch":{}}')

    cdef tuple allowed_tools(self, object choice):
        """Return the allowed names, the tool choice and the mode for a choice of `allowed_tools`.

        The mode is "ANY" if the request can name the allowed functions; else only these tools are
        sent. Without a choice of `allowed_tools` the names and the mode are None.
        """
        cdef object given
        cdef set names = set()
        if not isinstance(choice, dict) or choice.get("type") != "allowed_tools":
            return None, choice, None
        given = choice.get("allowed_tools")
        if not isinstance(given, dict) or not isinstance(given.get("tools"), list):
            raise MessageFormatError(
                "tool_choice.allowed_tools: must be a dict with mode and tools",
                field="tool_choice.allowed_tools",
            )
        for tool in given["tools"]:
            function = tool.get("function") if isinstance(tool, dict) else None
            if isinstance(function, dict) and isinstance(function.get("name"), str):
                names.add(exact(function["name"]))
        if given.get("mode") == "required":
            return names, "required", "ANY"
        self.lose_tool(TOOL_CHOICE_ALLOWED, "tool_choice.allowed_tools", sorted(names))
        return names, "auto", None

    cdef int write_tool(self, object tool, str path, set allowed, list strict) except -1:
        """Declare a function; *allowed* has the names of those that are sent, None for all.

        Whether it is strict is added to *strict*, with its path.
        """
        cdef dict function
        kind = tool.get("type")
        if kind is not None and not (isinstance(kind, str) and kind == "function"):
            return self.lose_tool(TOOL_CUSTOM, path)
        found = tool.get("function")
        if not isinstance(found, dict) or not isinstance((<dict>found).get("name"), str):
            raise MessageFormatError(
                f"{path}.function: must be a dict with a name", field=f"{path}.function"
            )
        function = <dict>found
        if allowed is not None and function["name"] not in allowed:
            return 0
        given = exact(function["name"])
        made = self.accepted_name(given)
        if made is not given:
            self.lose_tool(TOOL_NAME, path, given, made)
        self.out.item()
        self.out.literal(b'{"name":')
        self.out.string(made)
        if function.get("description") is not None:
            self.out.key(b"description")
            self.out.value(function["description"], 0)
        self.write_parameters(function, f"{path}.function.parameters")
        strict.append((f"{path}.function.strict", function.get("strict") is True))
        for name in function:
            if name not in ("name", "description", "parameters", "strict"):
                self.lose_tool(PARAM_UNKNOWN, f"{path}.function.{name}", function[name])
        for name, value in tool.items():
            if name == "cache_control":
                if value is not None:
                    self.lose_tool(CACHE_CONTROL_OPENAI, f"{path}.{name}", value)
            elif name not in ("type", "function"):
                self.lose_tool(PARAM_UNKNOWN, f"{path}.{name}", value)
        return self.out.byte(b"}")

    cdef int write_parameters(self, dict function, str path) except -1:
        """Write the schema of a function's parameters; one without any is left out."""
        cdef object given = function.get("parameters")
        if not given and not isinstance(given, msgspec.Raw):
            return 0
        if not isinstance(given, (dict, msgspec.Raw)):
            raise MessageFormatError(
                f"{path}: must be a dict, not {type(given).__name__}", field=path
            )
        form, moved = gemini_form(given, path)
        if form is not given:
            self.has_changed_tools = True
        for place, name, value, hint in moved:
            self.lose_tool(TOOL_ANNOTATION if name in ANNOTATIONS else TOOL_HINT, place, value,
                           hint)
        if isinstance(form, dict) and (<dict>form).get("type") != "object":
            form = self.object_form(<dict>form, path)
        self.out.key(b"parametersJsonSchema")
        return self.out.value(form, 0)

    cdef dict object_form(self, dict schema, str path):
        """Return parameters whose root does not say that it is an object's schema as one.

        A root that refers to a definition is written as the definition: a `type` beside `$ref` is
        refused.
        """
        self.has_changed_tools = True
        reference, definitions = schema.get("$ref"), schema.get("$defs")
        if isinstance(reference, str) and isinstance(definitions, dict):
            found = definitions.get(reference.removeprefix("#/$defs/"))
            if isinstance(found, dict) and "$ref" not in found:
                schema = {**found, **{name: value for name, value in schema.items()
                                      if name != "$ref"}}
                if schema.get("type") == "object":
                    return schema
        if "type" in schema:
            self.lose_tool(TOOL_SCHEMA, path, schema["type"], "object")
        return {**schema, "type": "object"}

    cdef int write_tool_choice(self, object choice, str mode, set allowed,
                               list strict) except -1:
        cdef object name = None
        cdef list names = None
        self.report_parallel()
        if allowed is not None and mode is not None:
            names = sorted([self.accepted_name(each) for each in allowed])
        elif choice == "none":
            mode = "NONE"
        elif choice == "required":
            mode = "ANY"
        elif choice == "auto":
            mode = "AUTO"
        elif isinstance(choice, dict) and isinstance(choice.get("function"), dict):
            name = choice["function"].get("name")
            if not isinstance(name, str):
                raise MessageFormatError(
                    "tool_choice.function.name: must be the name of a tool",
                    field="tool_choice.function.name",
                )
            given = exact(name)
            name = self.accepted_name(given)
            if name is not given:
                self.lose_tool(TOOL_NAME, "tool_choice", given, name)
            mode = "ANY"
            names = [name]
        elif choice is not None:
            self.lose_tool(TOOL_CHOICE_UNKNOWN, "tool_choice", choice)
        if mode == "ANY" and self.trait("forced_tool_choice") is False:
            self.lose_tool(TOOL_CHOICE_THINKING, "tool_choice", choice)
            mode = "AUTO"
            names = None
        if mode is None or mode == "AUTO":
            mode = self.strict_mode(strict, mode)
        if mode is None:
            return 0
        self.field = "tool_choice"
        self.out.literal(b',"toolConfig":{"functionCallingConfig":{"mode":')
        self.out.string(mode)
        if names is not None:
            self.out.key(b"allowedFunctionNames")
            self.out.value(names, 0)
        return self.out.literal(b"}}")

    cdef int report_parallel(self) except -1:
        """Report `parallel_tool_calls: false`, which Gemini's API lacks."""
        if self.params.get("parallel_tool_calls") is not False:
            return 0
        return self.lose(
            PARALLEL_TOOL_CALLS_NEVER if self.trait("parallel_tool_calls") is False
            else PARALLEL_TOOL_CALLS_MANY,
            "parallel_tool_calls", False,
        )

    cdef str strict_mode(self, list strict, str mode):
        """Return the mode that enforces the schemas of all tools, if one is strict, else *mode*."""
        cdef bint is_enforced = self.trait("strict_tools") is not False
        cdef bint has_others = False
        cdef bint has_any = False
        for _, is_strict in strict:
            has_any = has_any or is_strict
            has_others = has_others or not is_strict
        if not has_any:
            return mode
        for path, is_strict in strict:
            if not is_strict:
                continue
            if not is_enforced:
                self.lose_tool(TOOL_STRICT, path, True)
            else:
                self.lose_tool(TOOL_STRICT_ALL if has_others else TOOL_STRICT_MODE, path, True,
                               "VALIDATED")
        return "VALIDATED" if is_enforced else mode

    # The rest.

    cdef int write_rest(self) except -1:
        cdef object tier = self.params.get("service_tier")
        cdef object options = self.params.get("stream_options")
        if tier is not None and tier != "auto":
            found = TIERS.get(tier)
            if found is None:
                self.lose(SERVICE_TIER, "service_tier", tier)
            else:
                self.put(b"serviceTier", "service_tier", found)
        if isinstance(options, dict):
            for name, value in options.items():
                if name != "include_usage" and value is not None:  # usage is always sent
                    self.lose(STREAM_OPTIONS, f"stream_options.{name}", value)
        return 0


cdef bint is_blank(Turn turn) except -1:
    """Return whether a message has nothing to be written."""
    return turn.more is None and turn.text is not None and is_blank_text(turn.text)


cdef bint is_result_medium(Medium medium) except -1:
    """Return whether a tool's result takes a medium: images, PDF and text, not sounds or videos."""
    return medium.row is None and not medium.media.startswith(("audio/", "video/"))


cdef list contents_of_blocks(Turn turn, object native):
    """Return the current content for each text block, `None` if blocks and content do not map.

    The content is a text ("" for a removed one), or the indexes of the content parts. Empty texts
    that carry a signature are unchanged.
    """
    cdef list texts = [block.values[0] for block in native.blocks if block.kind == "text"]
    cdef list spoken = [place for place in range(len(texts)) if texts[place]]
    cdef list contents = [""] * len(texts)
    cdef list parts
    if turn.text is None and turn.parts is None:
        return contents
    if turn.parts is not None:
        parts = list(range(len(turn.parts)))
        if len(spoken) == 1:
            contents[spoken[0]] = parts
        elif len(spoken) == len(parts):
            for at, place in zip(parts, spoken):
                contents[place] = [at]
        else:
            return None
        return contents
    if not spoken:
        return None if turn.text else contents
    if len(spoken) == 1:
        contents[spoken[0]] = turn.text
        return contents
    for place, text in zip(spoken, split_text([texts[at] for at in spoken], turn.text)):
        contents[place] = text
    return contents


def encode_request(
    Conversation conversation not None, model, dict params not None, facts,
    dict parameters not None, bint is_assumed=False, schemes=None, target=None,
):
    """Return `(body, losses, answer_tool, tool_names)`; *facts* is the target's `Model` or None.

    With *is_assumed* the facts are those of the model's generation. *parameters* are
    `FieldTable.parameters()` of the dialect's canonical fields. *schemes* are those of the
    addresses that the servers fetch, None if they are not known. *target* is the provider at its
    address, None if it is not known.
    """
    cdef GenerateContentEncoder encoder = GenerateContentEncoder(
        conversation, model, params, facts
    )
    encoder.parameters = parameters
    encoder.is_assumed = is_assumed
    encoder.schemes = schemes
    encoder.target = target
    return encoder.encode()
