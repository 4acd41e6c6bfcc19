"""Anthropic request decoder: content blocks to canonical parts.

Every content block of `anthropic.types` 0.125.0 (2026-11-22) has a branch here or in
`anthropic_history`; what the canonical form cannot say is reported by a row of `specado.losses.rows`,
with its path in the request as it was given.
"""

from specado._core.conversation cimport FILE, IMAGE, TEXT, Call, Part
from specado._core.normalize cimport is_base64, keep_uri
from specado._core.json_writer cimport JsonWriter, freeze, plain_copy, written

import msgspec

from specado._core.json_writer import NotJson, locate
from specado.errors import MessageFormatError, type_and_beginning
from specado.types import ReasoningBlock

cdef tuple SERVER_BLOCKS = (
    "server_tool_use", "web_search_tool_result", "web_fetch_tool_result",
    "code_execution_tool_result", "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result", "tool_search_tool_result", "mcp_tool_use",
    "mcp_tool_result", "container_upload", "compaction", "advisor_tool_result",
    "tool_reference", "tool_addition", "tool_removal", "browser_state", "fallback",
)
cdef frozenset SOURCE_KEYS = frozenset({
    "type", "media_type", "data", "url", "file_id", "content",
})
cdef frozenset REASONING_KEYS = frozenset({"type", "thinking", "signature", "data"})
cdef frozenset CALL_KEYS = frozenset({
    "type", "id", "name", "input", "cache_control", "caller", "toolset_name",
})
cdef frozenset BLOCK_KEYS = frozenset({"type", "text", "cache_control", "citations"})


cdef class AnthropicContent:
    """Reads the blocks of one request; not for two threads at once."""

    cdef object wrong(self, str path, str what):
        cdef object index = None
        cdef str field = path
        if path.startswith("messages["):
            head, _, field = path.partition("]")
            index = int(head[9:])
            field = field.lstrip(".") or None
        return MessageFormatError(f"{path}: {what}", index=index, field=field)

    cdef str shown(self, object value, str path):
        """Return a value's type; of a message's content also how it begins."""
        if path.startswith("messages["):
            return type_and_beginning(value)
        return type(value).__name__

    cdef int lose(self, str row, str path, object before=None, object after=None) except -1:
        self.losses.append((row, path, before, after))
        return 0

    cdef str text_of(self, object value, str path):
        if type(value) is str:
            return value
        if isinstance(value, str):
            return str.__str__(value)
        raise self.wrong(path, f"must be a str, not {self.shown(value, path)}")

    cdef dict dict_of(self, object value, str path):
        if not isinstance(value, dict):
            raise self.wrong(path, f"must be a dict, not {self.shown(value, path)}")
        # Subclasses may steer what their methods say, and are no `dict` to the compiler.
        return <dict>value if type(value) is dict else plain_copy(<dict>value)

    cdef object frozen(self, object value, str path):
        try:
            return freeze(value, 0)
        except NotJson as error:
            what = str(error)
            if error.value is not None:
                what = f"{self.shown(error.value, path)} has no JSON form"
            raise self.wrong(path + locate(value), what) from None

    cdef object written(self, object value, str path):
        """Return a schema with its JSON text."""
        if not isinstance(value, dict):
            return self.frozen(value, path)
        try:
            return written(<dict>value)
        except NotJson as error:
            raise self.wrong(path + locate(value), str(error)) from None

    cdef str json_of(self, object value, str path):
        """Return a tool's input as JSON text; `msgspec.Raw` as it stands."""
        cdef JsonWriter writer
        if isinstance(value, msgspec.Raw):
            return bytes(value).decode()
        writer = JsonWriter()
        try:
            writer.value(self.dict_of(value, path), 0)
        except NotJson as error:
            raise self.wrong(path + locate(value), str(error)) from None
        return writer.finish().decode()

    cdef str counted(self, str text):
        self.found.characters += len(text)
        return text

    cdef Part text_part(self, dict block, str path):
        cdef Part part = Part.__new__(Part)
        part.origin = path
        part.text = self.counted(self.text_of(block.get("text"), f"{path}.text"))
        if block.get("citations"):
            self.lose("anthropic.citations", f"{path}.citations", None)
        if block.get("cache_control") is not None:
            self.lose("cache_control.openai", f"{path}.cache_control", block["cache_control"])
        self.check_keys(block, BLOCK_KEYS, path)
        return part

    cdef int check_keys(self, dict block, frozenset known, str path) except -1:
        for name in block:
            if name not in known and block[name] is not None:
                self.lose("part.unknown_key", f"{path}.{name}", block[name])
        return 0

    cdef Part user_part(self, dict block, object kind, str path):
        """Return the part that a block is, or `None` (reported) where there is none."""
        if kind == "image":
            return self.image_part(block, path)
        if kind == "document":
            return self.document_part(block, path)
        return self.said_part(block, kind, path, "a user turn")

    cdef Part said_part(self, dict block, object kind, str path, str place):
        """Return the text that a block of any turn is, or `None` (reported) if it is none."""
        if kind == "text":
            return self.text_part(block, path)
        if kind == "search_result":
            return self.search_part(block, path)
        if kind in SERVER_BLOCKS:
            self.lose("anthropic.server_block", path, kind)
            return None
        raise self.wrong(f"{path}.type", f"{kind!r} is not a content block of {place}")

    cdef Part search_part(self, dict block, str path):
        """Return a search result as text: its title, its source, an empty line, its texts."""
        cdef Part part = Part.__new__(Part)
        cdef list lines = [
            self.text_of(block.get("title"), f"{path}.title"),
            self.text_of(block.get("source"), f"{path}.source"),
        ]
        cdef object content = block.get("content")
        self.media_keys(block, ("type", "title", "source", "content"), path)
        if not isinstance(content, (list, tuple)):
            raise self.wrong(f"{path}.content", "must be a list of text blocks")
        if content:
            lines.append("")
        for place, item in enumerate(content):
            where = f"{path}.content[{place}]"
            item = self.dict_of(item, where)
            if item.get("type") != "text":
                raise self.wrong(f"{where}.type", "a search result holds text blocks only")
            lines.append(self.text_part(item, where).text)
        part.origin = path
        part.text = "\n".join(lines)
        self.found.characters += len(<str>lines[0]) + len(<str>lines[1])
        self.lose("anthropic.search_result", path, "search_result", "text")
        return part

    cdef int media_keys(self, dict block, tuple known, str path) except -1:
        if block.get("cache_control") is not None:
            self.lose("cache_control.openai", f"{path}.cache_control", block["cache_control"])
        for name, value in block.items():
            if name not in known and name != "cache_control" and value is not None:
                if name == "citations":
                    if self.dict_of(value, f"{path}.citations").get("enabled"):
                        self.lose("anthropic.citations", f"{path}.citations", value)
                elif name == "transformations":
                    self.lose("anthropic.image_transformations", f"{path}.{name}", value)
                else:
                    self.lose("part.unknown_key", f"{path}.{name}", value)
        return 0

    cdef str data_of(self, dict source, str path):
        data = self.text_of(source.get("data"), f"{path}.data")
        if not is_base64(data, 0):
            raise self.wrong(f"{path}.data", "the data is not base64")
        return data

    cdef int take_data(self, Part part, str media, dict source, str path) except -1:
        cdef str data = self.data_of(source, f"{path}.source")
        keep_uri(part, f"data:{media};base64,{data}")
        part.start = len(part.text) - len(data)  # a media type may have a comma too
        self.found.extra_bytes += len(part.text)
        return 0

    cdef Part image_part(self, dict block, str path):
        cdef Part part = Part.__new__(Part)
        cdef dict source = self.dict_of(block.get("source"), f"{path}.source")
        self.media_keys(block, ("type", "source"), path)
        self.check_keys(source, SOURCE_KEYS, f"{path}.source")
        part.kind = IMAGE
        part.origin = path
        kind = source.get("type")
        if kind == "base64":
            media = self.text_of(source.get("media_type"), f"{path}.source.media_type")
            self.take_data(part, media, source, path)
        elif kind == "url":
            part.text = self.text_of(source.get("url"), f"{path}.source.url")
        elif kind == "file":
            self.lose("file.id", path, source.get("file_id"))
            return None
        else:
            raise self.wrong(f"{path}.source.type", f"{kind!r} is not a source of an image")
        self.found.images += 1
        return part

    cdef Part document_part(self, dict block, str path):
        cdef Part part = Part.__new__(Part)
        cdef dict source = self.dict_of(block.get("source"), f"{path}.source")
        kind = source.get("type")
        self.media_keys(block, ("type", "source", "title", "context"), path)
        self.check_keys(source, SOURCE_KEYS, f"{path}.source")
        part.origin = path
        if block.get("context") is not None:
            self.lose("anthropic.document_context", f"{path}.context", block["context"])
        if kind == "base64":
            media = self.text_of(source.get("media_type"), f"{path}.source.media_type")
            part.kind = FILE
            self.take_data(part, media, source, path)
            part.detail = "document.pdf"
            if block.get("title") is not None:
                part.detail = self.text_of(block["title"], f"{path}.title")
            else:
                self.lose("anthropic.document_name", f"{path}.title", None, part.detail)
            self.found.files += 1
            return part
        if kind == "text":
            part.text = self.counted(self.text_of(source.get("data"), f"{path}.source.data"))
            self.lose("anthropic.document_text", path, "document", "text")
            return part
        if kind == "content":
            part.text = self.counted(self.texts_of(source.get("content"), f"{path}.source.content"))
            self.lose("anthropic.document_text", path, "document", "text")
            return part
        if kind == "url" or kind == "file":
            self.lose("anthropic.document_source", path, kind)
            return None
        raise self.wrong(f"{path}.source.type", f"{kind!r} is not a source of a document")

    cdef str texts_of(self, object content, str path):
        """Return the text of a string or of text blocks; report what else there is."""
        cdef list texts = []
        if isinstance(content, str):
            return content
        if not isinstance(content, (list, tuple)):
            raise self.wrong(path, "must be a str or a list of content blocks")
        for place, block in enumerate(content):
            where = f"{path}[{place}]"
            block = self.dict_of(block, where)
            part = self.user_part(block, block.get("type"), where)
            if part is None:
                continue
            if (<Part>part).kind == TEXT:
                texts.append((<Part>part).text)
            else:
                self.lose("anthropic.document_source", where, block.get("type"))
        return "".join(texts)

    cdef object reasoning_of(self, dict block, str kind, str path):
        self.check_keys(block, REASONING_KEYS, path)
        if kind == "redacted_thinking":
            data = self.text_of(block.get("data"), f"{path}.data")
            return ReasoningBlock(kind, None, None, data, self.model)
        text = self.text_of(block.get("thinking"), f"{path}.thinking")
        signature = self.text_of(block.get("signature"), f"{path}.signature")
        return ReasoningBlock(kind, text, signature, None, self.model)

    cdef Call call_of(self, dict block, str path):
        cdef Call call = Call.__new__(Call)
        cdef object caller = block.get("caller")
        call.origin = path
        if caller is not None and self.dict_of(caller, f"{path}.caller").get("type") != "direct":
            self.lose("anthropic.server_block", f"{path}.caller", caller)
        call.id = self.text_of(block.get("id"), f"{path}.id")
        call.name = self.text_of(block.get("name"), f"{path}.name")
        call.text = self.counted(self.json_of(block.get("input"), f"{path}.input"))
        if block.get("cache_control") is not None:
            self.lose("cache_control.openai", f"{path}.cache_control", block["cache_control"])
        if block.get("toolset_name") is not None:
            self.lose("anthropic.toolset", f"{path}.toolset_name", block["toolset_name"])
        self.check_keys(block, CALL_KEYS, path)
        return call
