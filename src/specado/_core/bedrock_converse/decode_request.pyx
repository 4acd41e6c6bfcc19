"""Bedrock request decoder: a Converse request to the canonical form.

Every member of botocore 1.44.8 (`data/bedrock-runtime/2023-09-30`, read 2026-11-30) has a branch
here; content without a canonical form is reported by a row of `specado.losses.rows`, with its path
in the request as it was given.
"""

cimport cython

from specado._core.conversation cimport (
    ASSISTANT, AUDIO, FILE, IMAGE, SYSTEM, TEXT, TOOL, USER, Call, Details, Part, Turn,
)
from specado._core.encoder cimport is_name
from specado._core.json_writer cimport JsonWriter
from specado._core.normalize cimport is_base64, keep_uri
from specado._core.source_reader cimport SourceReader

import binascii

import msgspec

from specado._core.bedrock_converse.loss_rows import (
    BEDROCK_AUDIO_FORMAT, BEDROCK_BLOCK, BEDROCK_BLOCK_ORDER, BEDROCK_CACHE_POINT,
    BEDROCK_CACHE_POINT_ALONE, BEDROCK_CITATIONS, BEDROCK_DOCUMENT_CONTEXT,
    BEDROCK_DOCUMENT_TEXT, BEDROCK_EFFORT_DISABLED, BEDROCK_EFFORT_TWICE, BEDROCK_FORMAT_NAME,
    BEDROCK_FORMAT_ROOT, BEDROCK_FORMAT_STRICT, BEDROCK_GUARD_CONTENT, BEDROCK_MODEL_FIELD,
    BEDROCK_PERFORMANCE, BEDROCK_PREFILL, BEDROCK_PROMPT, BEDROCK_RESULT_JSON,
    BEDROCK_RESULT_MEDIA, BEDROCK_RESULT_STATUS, BEDROCK_S3, BEDROCK_SEARCH_RESULT,
    BEDROCK_SYSTEM_TOOL, BEDROCK_THINKING_ADAPTIVE, BEDROCK_THINKING_BUDGET,
    BEDROCK_TOOL_STRICT, BEDROCK_TOP_K, BEDROCK_VIDEO, MESSAGES_BLANK, PARAM_UNKNOWN,
    PART_UNKNOWN_KEY, SERVICE_TIER, STOP_TOO_MANY, TOOL_CHOICE_WITHOUT_TOOLS,
)
from specado._core.json_writer import NotJson, locate
from specado._core.parameters import MAX_STOPS, effort_for
from specado._core.schema import openai_enforces, openai_form
from specado.errors import MessageFormatError
from specado.types import ReasoningBlock

# A parameter that the field table does not have: its loss row, and the value that is no loss.
cdef tuple UNKNOWN = (PARAM_UNKNOWN, None)
cdef frozenset SOURCES = frozenset({"bytes", "s3Location", "text", "content"})
cdef frozenset CALL_KEYS = frozenset({"toolUseId", "name", "input", "type"})
cdef frozenset RESULT_KEYS = frozenset({"toolUseId", "content", "status", "type"})
# The media types of documents, by their format; those of texts come first.
cdef frozenset TEXT_FORMATS = frozenset({"csv", "html", "txt", "md"})
cdef dict DOCUMENTS = {
    "csv": "text/csv",
    "html": "text/html",
    "txt": "text/plain",
    "md": "text/markdown",
    "pdf": "application/pdf",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# Sounds that the canonical form has.
cdef frozenset SOUNDS = frozenset({"wav", "mp3"})
cdef dict CHOICES = {"auto": "auto", "any": "required"}
cdef frozenset TIERS = frozenset({"default", "flex", "priority"})
cdef str GROUNDING = "nova_grounding"
# The longest name of an answer's schema in OpenAI's API.
cdef Py_ssize_t LONGEST_FORMAT_NAME = 64
cdef str FIELDS = "additionalModelRequestFields"


@cython.final
cdef class RequestReader(SourceReader):
    """Reads one Converse request. One per request; not for two threads at once."""

    cdef set open_calls     # the ids that a tool result may answer
    cdef object cached      # the Part, Call, Details or tool that a cache point after it belongs to
    cdef str cached_path
    cdef object budget      # the thinking budget and its path, None without one
    cdef str disabled       # the path of thinking that is switched off, None without one

    cdef str json_of(self, object value, str path):
        """Return an object as JSON text; `msgspec.Raw` stays as it is."""
        cdef JsonWriter writer
        if isinstance(value, msgspec.Raw):
            return bytes(value).decode()
        writer = JsonWriter()
        try:
            writer.value(value, 0)
        except NotJson as error:
            raise self.malformed(path + locate(value), str(error)) from None
        return writer.finish().decode()

    cdef list list_of(self, object value, str path):
        """Return the items of a list with their paths."""
        if not isinstance(value, (list, tuple)):
            raise self.malformed(path, f"must be a list, not {self.shown(value, path)}")
        return [(item, f"{path}[{place}]") for place, item in enumerate(value)]

    cdef tuple member_of(self, object value, str path):
        """Return the name and the value of the one member of a union."""
        cdef list found = [
            (name, item) for name, item in self.dict_of(value, path).items() if item is not None
        ]
        if len(found) != 1 or not isinstance(found[0][0], str):
            names = ", ".join([str(name) for name, _ in found]) or "none"
            raise self.malformed(path, f"must have one member, not {names}")
        return found[0]

    cdef Part text_part(self, object text, str path, str origin):
        """Return a text, which stands at *path*, as a part."""
        cdef Part part = Part.__new__(Part)
        part.origin = origin
        part.text = self.counted(self.text_of(text, path))
        return part

    # Media.

    cdef str data_of(self, dict source, str path):
        """Return a medium's data; `None` (reported) for one that lies in S3."""
        if source.get("s3Location") is not None:
            location = self.dict_of(source["s3Location"], f"{path}.source.s3Location")
            self.lose(BEDROCK_S3, path, location.get("uri"))
            return None
        path = f"{path}.source.bytes"
        data = self.text_of(source.get("bytes"), path)
        if not is_base64(data, 0):
            raise self.malformed(path, "the data is not base64")
        return data

    cdef dict source_of(self, dict given, str path):
        cdef dict source = self.dict_of(given.get("source"), f"{path}.source")
        self.check_keys(source, SOURCES, f"{path}.source")
        return source

    cdef int take_data(self, Part part, str media, str data) except -1:
        keep_uri(part, f"data:{media};base64,{data}")
        part.start = len(part.text) - len(data)
        self.conversation.extra_bytes += len(part.text)
        return 0

    cdef Part image_part(self, dict given, str path):
        cdef Part part = Part.__new__(Part)
        cdef dict source = self.source_of(given, path)
        cdef str data
        self.check_keys(given, frozenset({"format", "source"}), path)
        form = self.text_of(given.get("format"), f"{path}.format")
        data = self.data_of(source, path)
        if data is None:
            return None
        part.kind = IMAGE
        part.origin = path
        self.take_data(part, f"image/{form}", data)
        self.conversation.images += 1
        return part

    cdef Part audio_part(self, dict given, str path):
        """Return a sound as a part: WAV and MP3 have a canonical form."""
        cdef Part part = Part.__new__(Part)
        cdef dict source = self.source_of(given, path)
        cdef str data
        self.check_keys(given, frozenset({"format", "source"}), path)
        form = self.text_of(given.get("format"), f"{path}.format")
        if form not in SOUNDS:
            self.lose(BEDROCK_AUDIO_FORMAT, path, form)
            return None
        data = self.data_of(source, path)
        if data is None:
            return None
        part.kind, part.text, part.detail, part.origin = AUDIO, data, form, path
        self.conversation.sounds += 1
        self.conversation.extra_bytes += len(data)
        return part

    cdef Part document_part(self, dict given, str path):
        """Return a document as a file, a text document as text."""
        cdef Part part = Part.__new__(Part)
        cdef dict source = self.source_of(given, path)
        cdef str name = self.text_of(given.get("name"), f"{path}.name")
        cdef str text = None
        cdef str data
        self.note_citations(given, path)
        self.check_keys(
            given, frozenset({"format", "name", "source", "context", "citations"}), path
        )
        if given.get("context") is not None:
            self.lose(BEDROCK_DOCUMENT_CONTEXT, f"{path}.context", given["context"])
        if source.get("text") is not None or source.get("content") is not None:
            self.lose(BEDROCK_DOCUMENT_TEXT, path, "document", "text")
            if source.get("content") is not None:
                where = f"{path}.source.content"
                return self.text_part(self.texts_of(source["content"], where), where, path)
            return self.text_part(source["text"], f"{path}.source.text", path)
        form = self.text_of(given.get("format"), f"{path}.format")
        if form not in DOCUMENTS:
            raise self.malformed(f"{path}.format", f"{form!r} is not a format of documents")
        data = self.data_of(source, path)
        if data is None:
            return None
        if form in TEXT_FORMATS:
            text = decoded_text(data)
        if text is not None:
            self.lose(BEDROCK_DOCUMENT_TEXT, path, "document", "text")
            return self.text_part(text, path, path)
        part.kind, part.detail, part.origin = FILE, name, path
        self.take_data(part, DOCUMENTS[form], data)
        self.conversation.files += 1
        return part

    cdef int note_citations(self, dict given, str path) except -1:
        """Report that the model shall cite a document or a search result."""
        if given.get("citations") is None:
            return 0
        path = f"{path}.citations"
        if self.dict_of(given["citations"], path).get("enabled"):
            self.lose(BEDROCK_CITATIONS, path, given["citations"])
        return 0

    cdef str texts_of(self, object content, str path):
        """Return the joined text of a list of `{"text"}`."""
        return "".join([
            self.text_of(self.dict_of(item, where).get("text"), f"{where}.text")
            for item, where in self.list_of(content, path)
        ])

    cdef Part search_part(self, dict given, str path):
        """Return a search result as text: its title, its source, an empty line, its texts."""
        cdef list lines = [
            self.text_of(given.get("title"), f"{path}.title"),
            self.text_of(given.get("source"), f"{path}.source"),
        ]
        cdef str text = self.texts_of(given.get("content"), f"{path}.content")
        self.note_citations(given, path)
        self.check_keys(given, frozenset({"title", "source", "content", "citations"}), path)
        if text:
            lines += ["", text]
        self.lose(BEDROCK_SEARCH_RESULT, path, "searchResult", "text")
        return self.text_part("\n".join(lines), path, path)

    cdef Part guarded_part(self, object given, str path):
        """Return content for a guardrail as the text or the image that it is."""
        kind, value = self.member_of(given, path)
        path = f"{path}.{kind}"
        self.lose(BEDROCK_GUARD_CONTENT, path, kind)
        if kind == "image":
            return self.image_part(self.dict_of(value, path), path)
        if kind != "text":
            raise self.malformed(path, "a guardrail takes text or an image")
        value = self.dict_of(value, path)
        self.check_keys(value, frozenset({"text", "qualifiers"}), path)
        return self.text_part(value.get("text"), f"{path}.text", path)

    cdef Part content_part(self, str kind, object value, str path):
        """Return what a block holds as a part; `None` (reported) if it has no canonical form."""
        path = f"{path}.{kind}"
        if kind == "text":
            return self.text_part(value, path, path)
        if kind == "guardContent":
            return self.guarded_part(value, path)
        if kind == "citationsContent":
            return self.cited_part(self.dict_of(value, path), path)
        if kind == "image":
            return self.image_part(self.dict_of(value, path), path)
        if kind == "document":
            return self.document_part(self.dict_of(value, path), path)
        if kind == "audio":
            return self.audio_part(self.dict_of(value, path), path)
        if kind == "searchResult":
            return self.search_part(self.dict_of(value, path), path)
        self.lose(BEDROCK_VIDEO if kind == "video" else BEDROCK_BLOCK, path, kind)
        return None

    cdef Part cited_part(self, dict given, str path):
        """Return a text with citations as text."""
        where = f"{path}.content"
        content = given.get("content")
        if given.get("citations"):
            self.lose(BEDROCK_CITATIONS, f"{path}.citations")
        return self.text_part("" if content is None else self.texts_of(content, where), where, path)

    cdef int may_cache(self, object owner, str path) except -1:
        """Remember what a cache point after it belongs to."""
        self.cached, self.cached_path = owner, path
        return 0

    cdef int take_cache_point(self, object value, str path) except -1:
        """Put a cache point on what stands before it."""
        cdef dict given = self.dict_of(value, path)
        cdef dict made = {"type": "ephemeral"}
        cdef object owner = self.cached
        if given.get("ttl") is not None:
            made["ttl"] = self.text_of(given["ttl"], f"{path}.ttl")
        self.check_keys(given, frozenset({"type", "ttl"}), path)
        if owner is None:
            return self.lose(BEDROCK_CACHE_POINT_ALONE, path, given)
        self.lose(BEDROCK_CACHE_POINT, path, given, made)
        self.places[f"{self.cached_path}.cache_control"] = path
        extra = {"cache_control": made}
        if isinstance(owner, Part):
            (<Part>owner).extra = extra
        elif isinstance(owner, Call):
            (<Call>owner).extra = extra
        elif isinstance(owner, Details):
            (<Details>owner).extra = extra
        else:
            (<dict>owner).update(extra)
        return 0

    # Messages.

    cdef int read_system(self, object system) except -1:
        cdef list parts = []
        cdef Part part
        self.cached = None
        for item, path in self.list_of(system, "system"):
            kind, value = self.member_of(item, path)
            if kind == "cachePoint":
                self.take_cache_point(value, f"{path}.{kind}")
                continue
            if kind != "text" and kind != "guardContent":
                raise self.malformed(path, f"{kind!r} is not a block of the system text")
            part = self.content_part(kind, value, path)
            if part is None:
                continue
            if part.kind != TEXT:
                raise self.malformed(path, "the system text takes no images")
            parts.append(part)
            self.may_cache(part, part.origin)
        return self.add_parts(SYSTEM, "system", parts, None, "system")

    cdef int add_parts(self, int role, str name, list parts, Details more, str path) except -1:
        """Add a message, if there is anything in it; one text without a cache point is a str."""
        if len(parts) == 1 and (<Part>parts[0]).kind == TEXT and (<Part>parts[0]).extra is None:
            return self.add(role, name, (<Part>parts[0]).text, None, more, path)
        if parts or more is not None:
            self.add(role, name, None, parts or None, more, path)
        return 0

    cdef int read_message(self, object message, str path) except -1:
        cdef dict given = self.dict_of(message, path)
        cdef object role = given.get("role")
        self.check_keys(given, frozenset({"role", "content"}), path)
        if role not in ("user", "assistant", "system"):
            raise self.malformed(f"{path}.role", f"must be user, assistant or system, not {role!r}")
        blocks = self.list_of(given.get("content"), f"{path}.content")
        self.cached = None
        if role == "assistant":
            return self.read_assistant(blocks, path)
        return self.read_said(USER if role == "user" else SYSTEM, role, blocks, path)

    cdef int read_said(self, int role, str name, list blocks, str path) except -1:
        """Read results as tool messages, and other blocks as one message after them."""
        cdef list parts = []
        cdef list moved = []
        cdef Part part
        for item, where in blocks:
            kind, value = self.member_of(item, where)
            if kind == "cachePoint":
                self.take_cache_point(value, f"{where}.{kind}")
                continue
            if kind == "toolResult" and role == USER:
                where = f"{where}.{kind}"
                self.read_result(self.dict_of(value, where), where, moved)
                continue
            if kind in ("toolUse", "toolResult", "reasoningContent"):
                raise self.malformed(where, f"{kind!r} is no block of a {name} message")
            part = self.content_part(kind, value, where)
            if part is not None:
                parts.append(part)
                self.may_cache(part, part.origin)
        return self.add_parts(role, name, moved + parts, None, path)

    cdef int read_result(self, dict given, str path, list moved) except -1:
        """Read a tool's result as a tool message; its media are added to *moved*.

        They become part of the user message after it, behind a line that says whose they are.
        """
        cdef Details more = Details.__new__(Details)
        cdef list texts = []
        cdef list media = []
        cdef Part part
        self.check_keys(given, RESULT_KEYS, path)
        more.tool_call_id = self.text_of(given.get("toolUseId"), f"{path}.toolUseId")
        if self.open_calls is None or more.tool_call_id not in self.open_calls:
            raise self.malformed(
                f"{path}.toolUseId", f"{more.tool_call_id!r} answers no toolUse before it"
            )
        for item, where in self.list_of(given.get("content"), f"{path}.content"):
            kind, value = self.member_of(item, where)
            if kind == "json":
                self.lose(BEDROCK_RESULT_JSON, f"{where}.json")
                text = self.json_of(value, f"{where}.json")
                part = self.text_part(text, f"{where}.json", f"{where}.json")
            else:
                part = self.content_part(kind, value, where)
            if part is None:
                continue
            if part.kind == TEXT:
                texts.append(part)
            else:
                self.lose(BEDROCK_RESULT_MEDIA, part.origin, kind, "user turn")
                media.append(part)
        if media:
            said = f"From the result of the tool call {more.tool_call_id}:"
            moved += [self.text_part(said, path, path), *media]
        if given.get("status") == "error":
            self.lose(BEDROCK_RESULT_STATUS, f"{path}.status", "error", "text")
            if not texts:
                texts.append(self.text_part("", path, path))
            (<Part>texts[0]).text = "Error: " + (<Part>texts[0]).text
        self.may_cache(more, path)
        if len(texts) > 1:
            return self.add(TOOL, "tool", None, texts, more, path)
        return self.add(TOOL, "tool", (<Part>texts[0]).text if texts else "", None, more, path)

    cdef int read_assistant(self, list blocks, str path) except -1:
        cdef list parts = []
        cdef list calls = []
        cdef list reasoning = []
        cdef list origins = []
        cdef Part part
        for item, where in blocks:
            kind, value = self.member_of(item, where)
            block_path = f"{where}.{kind}"
            if kind == "cachePoint":
                self.take_cache_point(value, block_path)
            elif kind == "toolUse":
                if self.dict_of(value, block_path).get("type") == "server_tool_use":
                    self.lose(BEDROCK_BLOCK, block_path, kind)
                    continue
                calls.append(self.call_of(value, block_path))
                self.may_cache(calls[-1], block_path)
            elif kind == "reasoningContent":
                reasoning.append(self.reasoning_of(value, block_path))
                origins.append(block_path)
            elif kind in ("text", "citationsContent", "guardContent", "searchResult"):
                part = self.content_part(kind, value, where)
                if part is None:
                    continue
                if calls:
                    self.lose(BEDROCK_BLOCK_ORDER, block_path)
                parts.append(part)
                self.may_cache(part, part.origin)
            else:
                self.lose(BEDROCK_BLOCK, block_path, kind)
        return self.add_assistant(parts, calls, reasoning, origins, path)

    cdef object reasoning_of(self, object given, str path):
        kind, value = self.member_of(given, path)
        path = f"{path}.{kind}"
        if kind == "redactedContent":
            data = self.text_of(value, path)
            if not is_base64(data, 0):
                raise self.malformed(path, "the data is not base64")
            return ReasoningBlock("redacted_thinking", None, None, data, self.model)
        if kind != "reasoningText":
            raise self.malformed(path, "reasoning is reasoningText or redactedContent")
        value = self.dict_of(value, path)
        self.check_keys(value, frozenset({"text", "signature"}), path)
        signature = value.get("signature")
        if signature is not None:
            signature = self.text_of(signature, f"{path}.signature")
        text = self.counted(self.text_of(value.get("text"), f"{path}.text"))
        return ReasoningBlock("thinking", text, signature, None, self.model)

    cdef Call call_of(self, dict given, str path):
        cdef Call call = Call.__new__(Call)
        cdef object input = given.get("input")
        self.check_keys(given, CALL_KEYS, path)
        call.origin = path
        call.id = self.text_of(given.get("toolUseId"), f"{path}.toolUseId")
        call.name = self.text_of(given.get("name"), f"{path}.name")
        if not isinstance(input, (dict, msgspec.Raw)):
            raise self.malformed(f"{path}.input", f"must be a dict, not {self.shown(input, path)}")
        call.text = self.counted(self.json_of(input, f"{path}.input"))
        return call

    cdef int add_assistant(self, list parts, list calls, list reasoning, list origins,
                           str path) except -1:
        """Add an assistant message, or continue the one before: a turn is one message."""
        cdef Turn turn
        cdef Details more = None
        if self.conversation.turns and (<Turn>self.conversation.turns[-1]).role == ASSISTANT:
            turn = self.conversation.turns.pop()
            path = turn.origin
            if parts and turn.more is not None and turn.more.calls is not None:
                self.lose(BEDROCK_BLOCK_ORDER, (<Part>parts[0]).origin)
            parts = self.parts_of(turn) + parts
            if turn.more is not None:
                calls = (turn.more.calls or []) + calls
                reasoning = (turn.more.reasoning_details or []) + reasoning
                origins = (turn.more.origins or []) + origins
        self.open_calls = {call.id for call in calls}
        if calls or reasoning:
            more = Details.__new__(Details)
            more.calls = calls or None
            more.reasoning_details = reasoning or None
            more.origins = origins
        return self.add_parts(ASSISTANT, "assistant", parts, more, path)

    cdef list parts_of(self, Turn turn):
        cdef Part part
        if turn.text is None:
            return turn.parts or []
        part = Part.__new__(Part)
        part.text = turn.text
        part.origin = turn.origin
        return [part]

    cdef int check_prefill(self, object messages) except -1:
        """Report an assistant message at the end: the model continues it."""
        cdef Turn turn = self.conversation.turns[-1]
        if turn.role == ASSISTANT and (turn.more is None or turn.more.calls is None):
            self.lose(BEDROCK_PREFILL, f"messages[{len(messages) - 1}].content")
        return 0

    # Parameters.

    cdef int read_params(self, dict request) except -1:
        for name, value in request.items():
            if value is None or name in ("model", "modelId", "messages", "system"):
                continue
            dropped = self.parameters.get(name, UNKNOWN)
            if dropped is not None:
                if value or isinstance(value, bool):
                    self.lose(dropped[0], name, value)
            elif name == "stream":
                self.params[name] = value
            elif name == "inferenceConfig":
                self.read_config(self.dict_of(value, name))
            elif name == "toolConfig":
                self.read_tool_config(self.dict_of(value, name))
            elif name == "outputConfig":
                self.read_output_config(self.dict_of(value, name))
            elif name == FIELDS:
                self.read_model_fields(self.dict_of(value, name))
            elif name == "requestMetadata":
                if value:
                    self.keep("metadata", self.frozen(self.dict_of(value, name), name), name)
            elif name == "serviceTier":
                self.read_tier(self.dict_of(value, name))
            elif name == "performanceConfig":
                latency = self.dict_of(value, name).get("latency")
                if latency not in (None, "standard"):
                    self.lose(BEDROCK_PERFORMANCE, f"{name}.latency", latency)
        self.end_thinking()
        if "tools" not in self.params:
            # OpenAI refuses either without tools.
            self.params.pop("parallel_tool_calls", None)
            choice = self.params.pop("tool_choice", None)
            if choice is not None and choice != "auto":
                self.lose(TOOL_CHOICE_WITHOUT_TOOLS, self.places["tool_choice"], choice)
        return 0

    cdef int keep(self, str name, object value, str path) except -1:
        """Keep a canonical parameter, and where the caller wrote it."""
        self.params[name] = value
        self.places[name] = path
        return 0

    cdef int lose_unknown(self, dict given, tuple known, str path) except -1:
        """Report members of a parameter that are not known."""
        for name, value in given.items():
            if name not in known and value is not None:
                self.lose(PARAM_UNKNOWN, f"{path}.{name}", value)
        return 0

    cdef int read_tier(self, dict given) except -1:
        tier = self.text_of(given.get("type"), "serviceTier.type")
        self.lose_unknown(given, ("type",), "serviceTier")
        if tier not in TIERS:
            return self.lose(SERVICE_TIER, "serviceTier.type", tier)
        return self.keep("service_tier", tier, "serviceTier.type")

    cdef int read_config(self, dict config) except -1:
        for name, value in config.items():
            path = f"inferenceConfig.{name}"
            if value is None:
                continue
            if name == "maxTokens":
                self.keep("max_tokens", value, path)
            elif name == "temperature":
                self.keep("temperature", value, path)
            elif name == "topP":
                self.keep("top_p", value, path)
            elif name == "stopSequences":
                self.read_stops(value, path)
            else:
                self.lose(PARAM_UNKNOWN, path, value)
        return 0

    cdef int read_stops(self, object stops, str path) except -1:
        found = [self.text_of(stop, where) for stop, where in self.list_of(stops, path)]
        for place in range(MAX_STOPS, len(found)):
            self.lose(STOP_TOO_MANY, f"{path}[{place}]", found[place])
        if found:
            self.keep("stop", found[:MAX_STOPS], path)
        return 0

    # Tools.

    cdef int read_tool_config(self, dict config) except -1:
        cdef list found = []
        self.cached = None
        self.lose_unknown(config, ("tools", "toolChoice"), "toolConfig")
        for item, path in self.list_of(config.get("tools") or (), "toolConfig.tools"):
            kind, value = self.member_of(item, path)
            path = f"{path}.{kind}"
            if kind == "toolSpec":
                self.read_function(self.dict_of(value, path), path, found)
                self.may_cache(found[-1], f"tools[{len(found) - 1}]")
            elif kind == "cachePoint":
                self.take_cache_point(value, path)
            elif kind == "systemTool":
                name = self.text_of(self.dict_of(value, path).get("name"), f"{path}.name")
                if name == GROUNDING:
                    self.keep("web_search_options", {}, path)
                else:
                    self.lose(BEDROCK_SYSTEM_TOOL, path, name)
            else:
                self.lose(BEDROCK_SYSTEM_TOOL, path, kind)
        if found:
            self.params["tools"] = found
        if config.get("toolChoice") is not None:
            self.read_choice(config["toolChoice"], "toolConfig.toolChoice")
        return 0

    cdef int read_function(self, dict given, str path, list found) except -1:
        cdef dict function = {"name": self.text_of(given.get("name"), f"{path}.name")}
        self.lose_unknown(given, ("name", "description", "inputSchema", "strict"), path)
        if given.get("description") is not None:
            function["description"] = self.text_of(given["description"], f"{path}.description")
        if given.get("inputSchema") is not None:
            schema = self.dict_of(given["inputSchema"], f"{path}.inputSchema")
            where = f"{path}.inputSchema.json"
            function["parameters"] = self.written(schema.get("json"), where)
        if given.get("strict") is not None:
            strict = given["strict"]
            if not isinstance(strict, bool):
                raise self.malformed(f"{path}.strict", "must be True or False")
            if strict and not openai_enforces(function.get("parameters")):
                self.lose(BEDROCK_TOOL_STRICT, f"{path}.strict", True, False)
                strict = False
            function["strict"] = strict
        self.places[f"tools[{len(found)}]"] = path
        found.append({"type": "function", "function": function})
        return 0

    cdef int read_choice(self, object given, str path) except -1:
        kind, value = self.member_of(given, path)
        where = f"{path}.{kind}"
        if kind in CHOICES:
            return self.keep("tool_choice", CHOICES[kind], path)
        if kind != "tool":
            raise self.malformed(path, f"must be auto, any or tool, not {kind!r}")
        name = self.text_of(self.dict_of(value, where).get("name"), f"{where}.name")
        self.keep("tool_choice", {"type": "function", "function": {"name": name}}, path)
        self.places["tool_choice.function.name"] = f"{where}.name"
        return 0

    # The form of the answer, and reasoning.

    cdef int keep_effort(self, str effort, str path) except -1:
        """Keep a reasoning effort; of several the first counts."""
        known = self.params.get("reasoning_effort")
        if known is None:
            return self.keep("reasoning_effort", effort, path)
        if known != effort:
            self.lose(BEDROCK_EFFORT_TWICE, path, effort, known)
        return 0

    cdef int read_output_config(self, dict config) except -1:
        self.lose_unknown(config, ("textFormat", "effort"), "outputConfig")
        if config.get("effort") is not None:
            path = "outputConfig.effort"
            self.keep_effort(self.text_of(config["effort"], path), path)
        if config.get("textFormat") is not None:
            path = "outputConfig.textFormat"
            self.read_format(self.dict_of(config["textFormat"], path), path)
        return 0

    cdef int read_format(self, dict given, str path) except -1:
        """Read the form of the answer: its schema is JSON text."""
        cdef str where = f"{path}.structure.jsonSchema"
        cdef dict structure = self.dict_of(given.get("structure"), f"{path}.structure")
        cdef dict asked = self.dict_of(structure.get("jsonSchema"), where)
        cdef dict made = {}
        if given.get("type") != "json_schema":
            raise self.malformed(f"{path}.type", f"must be json_schema, not {given.get('type')!r}")
        self.lose_unknown(given, ("type", "structure"), path)
        self.lose_unknown(asked, ("schema", "name", "description"), where)
        schema = self.schema_of(asked.get("schema"), f"{where}.schema")
        if schema.get("type", "object") != "object":
            return self.lose(BEDROCK_FORMAT_ROOT, f"{where}.schema", schema["type"])
        strict = openai_form(schema, f"{where}.schema")[0] is not None
        if not strict:
            self.lose(BEDROCK_FORMAT_STRICT, f"{where}.schema", True, False)
        name = asked.get("name")
        if not isinstance(name, str) or not is_name(name, LONGEST_FORMAT_NAME):
            self.lose(BEDROCK_FORMAT_NAME, f"{where}.name", name, "response")
            name = "response"
        made = {"name": name, "schema": schema, "strict": strict}
        if asked.get("description") is not None:
            made["description"] = self.text_of(asked["description"], f"{where}.description")
        self.keep("response_format", {"type": "json_schema", "json_schema": made}, path)
        self.places["response_format.json_schema"] = where
        self.places["response_format.json_schema.schema"] = f"{where}.schema"
        self.places["response_format.json_schema.strict"] = where
        return 0

    cdef object schema_of(self, object text, str path):
        """Return the schema in a JSON text."""
        try:
            schema = msgspec.json.decode(self.text_of(text, path))
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
            raise self.malformed(path, f"must be JSON text: {error}") from None
        return self.written(self.dict_of(schema, path), path)

    cdef int read_model_fields(self, dict fields) except -1:
        """Read the members for the model's family: how to ask for reasoning differs."""
        for name, value in fields.items():
            path = f"{FIELDS}.{name}"
            if value is None:
                continue
            if name == "thinking" or name == "reasoning_config":
                self.read_thinking(self.dict_of(value, path), path)
            elif name == "reasoning_effort":
                self.keep_effort(self.text_of(value, path), path)
            elif name == "reasoningConfig":
                self.read_reasoning(self.dict_of(value, path), path)
            elif name == "output_config":
                self.read_effort(self.dict_of(value, path), path)
            elif name == "top_k" or name == "topK":
                self.lose(BEDROCK_TOP_K, path, value)
            elif name == "inferenceConfig":
                self.read_family_config(self.dict_of(value, path), path)
            elif name == "tool_choice":
                self.read_parallel(self.dict_of(value, path), path)
            else:
                self.lose(BEDROCK_MODEL_FIELD, path, value)
        return 0

    cdef int lose_fields(self, dict given, tuple known, str path) except -1:
        for name, value in given.items():
            if name not in known and value is not None:
                self.lose(BEDROCK_MODEL_FIELD, f"{path}.{name}", value)
        return 0

    cdef int read_family_config(self, dict config, str path) except -1:
        """Read the settings of Nova."""
        self.lose_fields(config, ("topK",), path)
        if config.get("topK") is not None:
            self.lose(BEDROCK_TOP_K, f"{path}.topK", config["topK"])
        return 0

    cdef int read_parallel(self, dict choice, str path) except -1:
        """Read Claude's own choice of tools, which can forbid parallel calls."""
        name = "disable_parallel_tool_use"
        self.lose_fields(choice, (name, "type", "name"), path)
        if choice.get(name) is not None:
            self.keep("parallel_tool_calls", not choice[name], f"{path}.{name}")
        return 0

    cdef int read_effort(self, dict config, str path) except -1:
        """Read Claude's `output_config`."""
        self.lose_fields(config, ("effort",), path)
        if config.get("effort") is not None:
            path = f"{path}.effort"
            self.keep_effort(self.text_of(config["effort"], path), path)
        return 0

    cdef int read_reasoning(self, dict config, str path) except -1:
        """Read Nova's `reasoningConfig`."""
        self.lose_fields(config, ("type", "maxReasoningEffort"), path)
        if config.get("type") == "disabled":
            return self.keep_effort("none", path)
        if config.get("maxReasoningEffort") is not None:
            path = f"{path}.maxReasoningEffort"
            self.keep_effort(self.text_of(config["maxReasoningEffort"], path), path)
        return 0

    cdef int read_thinking(self, dict thinking, str path) except -1:
        """Read Claude's thinking; how it is asked for is decided with the effort, at the end."""
        kind = thinking.get("type")
        budget = thinking.get("budget_tokens")
        self.lose_fields(thinking, ("type", "budget_tokens"), path)
        if kind == "disabled":
            self.disabled = path
        elif kind == "adaptive":
            self.lose(BEDROCK_THINKING_ADAPTIVE, path, kind, None)
        elif kind == "enabled":
            if isinstance(budget, bool) or not isinstance(budget, int):
                raise self.malformed(f"{path}.budget_tokens", "must be a whole number of tokens")
            self.budget = (budget, f"{path}.budget_tokens")
        else:
            raise self.malformed(
                f"{path}.type", f"must be enabled, adaptive or disabled, not {kind!r}"
            )
        return 0

    cdef int end_thinking(self) except -1:
        """Express thinking as a reasoning effort; an effort that was given counts before it."""
        cdef object effort = self.params.get("reasoning_effort")
        if self.disabled is not None:
            if effort is not None:
                path = self.places["reasoning_effort"]
                self.lose(BEDROCK_EFFORT_DISABLED, path, effort, "none")
            return self.keep("reasoning_effort", "none", self.disabled)
        if self.budget is not None:
            budget, path = self.budget
            if effort is None:
                effort = effort_for(budget, self.params.get("max_tokens"))
                self.keep("reasoning_effort", effort, path)
            self.lose(BEDROCK_THINKING_BUDGET, path, budget, effort)
        return 0


cdef str decoded_text(str data):
    """Return the text in base64 data, `None` if it is not in UTF-8."""
    try:
        return binascii.a2b_base64(data).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def read_request(dict request not None, dict parameters not None, str model not None):
    """Return `(conversation, params, losses, places)` of a Converse request.

    *parameters* are `FieldTable.parameters()` of the dialect's own fields; *model* is the one that
    the request is for. *places* maps each parameter to its path in *request*; turns, parts and
    calls have their paths in `origin`. Raises `MessageFormatError` with the path of the malformed
    value.
    """
    cdef RequestReader reader = RequestReader.__new__(RequestReader)
    reader.parameters = parameters
    reader.model = model
    messages = request.get("messages")
    is_prompt = ":prompt/" in model
    if is_prompt:
        reader.lose(BEDROCK_PROMPT, "model", model)
    elif not isinstance(messages, (list, tuple)) or not messages:
        raise MessageFormatError(
            "messages must be a list of at least one message", field="messages"
        )
    if request.get("system") is not None:
        reader.read_system(request["system"])
    for message, path in reader.list_of(messages or (), "messages"):
        reader.read_message(message, path)
    reader.read_params(request)
    if not reader.conversation.turns:
        reader.lose(MESSAGES_BLANK, "messages")
        reader.add(USER, "user", "", None, None, "messages")
    if messages:
        reader.check_prefill(messages)
    reader.check_losses()
    return reader.conversation, reader.params, reader.losses, reader.places
