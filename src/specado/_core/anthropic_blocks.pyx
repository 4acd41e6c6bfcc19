"""Anthropic request encoder: content blocks.

Shapes from anthropic.types 0.125.0 (2026-11-22). Content without a counterpart, or in another
form, is reported by a row of `specado.losses.rows`.
"""

from specado._core.conversation cimport AUDIO, IMAGE, REFUSAL, TEXT, Call, Part, Turn
from specado._core.encoder cimport Encoder, call_field, content_field, is_blank_text
from specado._core.json_scan cimport Scan, skip_value
from specado._core.encoder cimport is_name, is_plain, renamed

from libc.string cimport memcpy, memmove

import json
from base64 import b64decode

import msgspec

from specado.errors import MessageFormatError

cdef extern from "Python.h":
    bint PyUnicode_IS_COMPACT_ASCII(object text)
    const char* PyUnicode_1BYTE_DATA(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)

cdef dict IMAGE_TYPES = {
    "image/jpg": "image/jpeg", "image/jpeg": "image/jpeg", "image/png": "image/png",
    "image/gif": "image/gif", "image/webp": "image/webp",
}
cdef str PDF = "application/pdf"
# Text by another name; all of `text/` is too.
cdef frozenset TEXT_TYPES = frozenset({"application/json", "application/xml"})
# "A maximum of 4 blocks with cache_control may be provided" (2026-11-22).
cdef int MAX_CACHED = 4
cdef bytes HOUR = b'"ttl":"1h"'
# A renamed id has this many characters at most; one that is taken there may have more.
cdef Py_ssize_t RENAMED_ID = 64
# The longest name of a tool: `^[a-zA-Z0-9_-]{1,128}$` (error bodies that users report, 2026-11-22).
cdef Py_ssize_t LONGEST_NAME = 128


cdef class AnthropicBlocks(Encoder):
    """Writes blocks; each writer takes and returns whether the list is still empty."""

    cdef int block(self, bint first, bytes start) except -1:
        self.cached = False
        if not first:
            self.out.byte(b",")
        return self.out.literal(start)

    cdef bint write_text(self, str text, dict extra, str field, bint first) except -1:
        if is_blank_text(text):
            self.lose("text.blank", f"messages[{self.index}].{field}", text)
            return first
        self.field = field
        self.block(first, b'{"type":"text","text":')
        self.out.string(text)
        self.block_extra(extra, field)
        self.out.byte(b"}")
        return False

    cdef int block_extra(self, dict extra, str field) except -1:
        """Write a part's `cache_control`; report every other key."""
        if extra is None:
            return 0
        self.cached = self.write_cache(
            extra.get("cache_control"), f"messages[{self.index}].{field}.cache_control"
        )
        return self.lose_keys(extra, "part.unknown_key", field)

    cdef bint write_cache(self, object value, str path) except -1:
        """Write a block's `cache_control`; return whether there is one."""
        cdef Py_ssize_t start = self.out.size
        if value is None:
            return False
        if not is_cache_control(value):
            self.lose("cache_control.unknown", path, value)
            return False
        self.out.key(b"cache_control")
        self.out.value(value, 0)
        if self.marks is None:
            self.marks = []
        self.marks.append((start, self.out.size, path, value))
        return True

    cdef int settle_cache(self) except -1:
        """Take out the first of too many `cache_control`s, in the order of the prompt."""
        cdef list marks = self.marks or []
        cdef Py_ssize_t start
        cdef Py_ssize_t end
        if len(marks) < 2:
            return 0
        marks = sorted(marks, key=outside_of_tools)  # tools lead a prompt, whose body they end
        self.order_cache(marks[-MAX_CACHED:])
        for start, end, path, value in sorted(marks[:-MAX_CACHED], reverse=True):
            memmove(self.out.data + start, self.out.data + end, self.out.size - end)
            self.out.size -= end - start
        for start, end, path, value in marks[:-MAX_CACHED]:
            self.lose("cache_control.most", path, value)
        return 0

    cdef int order_cache(self, list marks) except -1:
        """Cut to five minutes what would be cached for an hour after what is not.

        "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block", in the
        order tools, system, messages (error bodies that users report, 2026-11-22).
        """
        cdef bint short = False
        cdef Py_ssize_t start
        cdef Py_ssize_t end
        cdef Py_ssize_t at
        for start, end, path, value in marks:
            if value.get("ttl") != "1h":
                short = True
            elif short:
                at = start + self.out.data[start:end].index(HOUR) + len(HOUR) - 3
                memcpy(self.out.data + at, b"5m", 2)
                self.lose("cache_control.order", f"{path}.ttl", "1h", "5m")
        return 0

    cdef bint write_part(self, Part part, Py_ssize_t place, bint first) except -1:
        cdef str field = content_field(place)
        cdef str path
        cdef Turn turn
        self.field = field
        if part.kind == TEXT:
            text = part.text
            if self.index == self.last and not is_blank_text(text):
                turn = self.conversation.turns[self.index]
                if place == len(turn.parts) - 1:
                    text = self.check_last(text, field)
            return self.write_text(text, part.extra, field, first)
        path = f"messages[{self.index}].{field}"
        if part.kind == REFUSAL:
            self.lose("assistant.refusal", path)
            return self.write_text(part.text, part.extra, field, first)
        if self.refuses(part):
            self.lose_media(part, path)
            return first
        if part.kind == IMAGE:
            self.block(first, b'{"type":"image","source":')
            self.write_image_source(part)
            if part.detail is not None and part.detail != "auto":
                self.lose("image.detail", f"{path}.image_url.detail", part.detail)
        else:
            if part.file_id is not None:
                self.lose("file.id_beside_data", f"{path}.file.file_id", part.file_id)
            self.block(first, b'{"type":"document","source":')
            self.write_document_source(part, path)
            if part.detail is not None:
                self.out.key(b"title")
                self.out.string(part.detail)
        if part.media_extra is not None:
            self.lose_keys(part.media_extra, "part.unknown_key",
                           f"{field}.image_url" if part.kind == IMAGE else f"{field}.file")
        self.block_extra(part.extra, field)
        self.out.byte(b"}")
        return False

    cdef object bad(self, str field, str what):
        return MessageFormatError(f"messages[{self.index}].{field}: {what}",
                                  index=self.index, field=field)

    cdef str refused_row(self, Part part):
        """Return the row of a medium that is not taken there, `None` if it is taken."""
        cdef str media
        if part.kind == AUDIO:
            return "input.audio"
        if part.kind == IMAGE:
            if self.lacks_input("Image"):
                return "input.image"
            if part.media is not None and part.media not in IMAGE_TYPES:
                return "image.media_type"
            return None
        if part.text is None:
            return "file.id"
        if self.lacks_input("Document"):
            return "input.document"
        media = file_type(part)
        if media != PDF and (not is_text(media) or text_in(part) is None):
            return "file.media_type"
        return None

    cdef bint refuses(self, Part part):
        return self.refused_row(part) is not None

    cdef int lose_media(self, Part part, str path) except -1:
        """Report a medium that is left out."""
        cdef str row = self.refused_row(part)
        if row == "image.media_type" or row == "file.media_type":
            return self.lose(row, path, part.media)
        return self.lose(row, path, part.file_id if row == "file.id" else None)

    cdef int write_image_source(self, Part part) except -1:
        if part.media is None:
            if not part.text.startswith(("https://", "http://")):
                raise self.bad(
                    f"{self.field}.image_url.url", "must be an http(s) URL or a data URI"
                )
            self.out.literal(b'{"type":"url","url":')
            self.out.string(part.text)
            return self.out.byte(b"}")
        self.out.literal(b'{"type":"base64","media_type":')
        self.out.string(IMAGE_TYPES[part.media])
        self.out.literal(b',"data":')
        self.out.plain_tail(part.text, part.start)
        return self.out.byte(b"}")

    cdef int write_document_source(self, Part part, str path) except -1:
        cdef str media = file_type(part)
        if media == PDF:
            self.out.literal(b'{"type":"base64","media_type":"application/pdf","data":')
            self.out.plain_tail(part.text, part.start)
        else:
            self.lose("file.text", f"{path}.file.file_data", media, "text/plain")
            self.out.literal(b'{"type":"text","media_type":"text/plain","data":')
            self.out.string(text_in(part))
        return self.out.byte(b"}")

    cdef str refused_reasoning(self, object item):
        """Return the row of a reasoning block that cannot go back, `None` if it can."""
        if item.model is None or family_of(item.model) != family_of(self.model):
            return "reasoning.foreign"
        if item.type == "thinking" and item.signature is not None:
            return None
        if item.type == "redacted_thinking" and item.data is not None:
            return None
        return "reasoning.unsigned"

    cdef bint write_reasoning(self, list blocks, bint first) except -1:
        cdef Py_ssize_t place = 0
        cdef str path
        cdef str row
        for item in blocks:
            path = f"messages[{self.index}].reasoning_details[{place}]"
            self.field = f"reasoning_details[{place}]"
            place += 1
            row = self.refused_reasoning(item)
            if row is not None:
                self.lose(row, path, item.model if row == "reasoning.foreign" else None)
                continue
            if item.type == "thinking":
                self.block(first, b'{"type":"thinking","thinking":')
                self.out.string(item.text or "")
                self.out.key(b"signature")
                self.out.string(item.signature)
            else:
                self.block(first, b'{"type":"redacted_thinking","data":')
                self.out.string(item.data)
            self.out.byte(b"}")
            first = False
        return first

    cdef bint write_calls(self, list calls, bint first) except -1:
        cdef Call call
        cdef Py_ssize_t place = 0
        for call in calls:
            self.field = call_field(place)
            self.block(first, b'{"type":"tool_use","id":')
            first = False
            self.out.string(
                call.id if is_plain(call.id) else self.call_id(call.id, f"{self.field}.id")
            )
            self.out.key(b"name")
            self.out.string(self.call_name(call))
            self.out.key(b"input")
            if call.custom:
                self.lose("tool.custom_call", f"messages[{self.index}].{self.field}.custom.input")
                self.out.literal(b'{"input":')
                self.out.string(call.text)
                self.out.byte(b"}")
            else:
                self.write_arguments(call)
            if call.body_extra is not None:
                kind = "custom" if call.custom else "function"
                self.lose_keys(call.body_extra, "part.unknown_key", f"{self.field}.{kind}")
            self.block_extra(call.extra, self.field)
            self.out.byte(b"}")
            place += 1
        return first

    cdef str call_id(self, str given, str field):
        """Return a call's id as it is taken there: `^[a-zA-Z0-9_-]+$` (2026-11-22)."""
        cdef str id_there
        if is_plain(given):
            return given
        id_there = renamed(given, RENAMED_ID)
        self.lose("tool_call.id", f"messages[{self.index}].{field}", given, id_there)
        return id_there

    cdef str call_name(self, Call call):
        """Return the name of the tool that was called, as it is taken there."""
        cdef str name_there = taken_name(call.name)
        if name_there is not call.name:
            kind = "custom" if call.custom else "function"
            self.lose("tool_call.name", f"messages[{self.index}].{self.field}.{kind}.name",
                      call.name, name_there)
        return name_there

    cdef int write_arguments(self, Call call) except -1:
        """Write a call's arguments as they stand, once they are known to be a JSON object."""
        cdef str text = call.text.strip(" \t\r\n")
        if not text:
            return self.out.literal(b"{}")
        if is_object_text(text):
            return self.out.raw(PyUnicode_1BYTE_DATA(text), PyUnicode_GET_LENGTH(text))
        try:
            found = msgspec.json.decode(text.encode())
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as error:
            found = with_large_numbers(text) if "out of range" in str(error) else None
            if found is None:
                raise self.bad(
                    f"{self.field}.function.arguments",
                    f"the arguments of call {call.id!r} ({call.name}) are not JSON",
                ) from None
        if not isinstance(found, dict):
            raise self.bad(
                f"{self.field}.function.arguments",
                f"the arguments of call {call.id!r} ({call.name}) are not a JSON object",
            )
        return self.out.literal(text.encode())

    cdef str check_last(self, str text, str field):
        """Return the last text of an assistant message at the end without its trailing space."""
        cdef str kept = text.rstrip()
        if kept != text:
            self.lose("assistant.trailing_space", f"messages[{self.index}].{field}")
        return kept

    cdef int lose_keys(self, dict extra, str row, str field) except -1:
        """Report the keys that are not known there; `None` is as good as no key."""
        cdef str path
        if extra is None:
            return 0
        path = f"messages[{self.index}]" + (f".{field}" if field else "")
        for name, value in extra.items():
            if name == "annotations" and not field:
                if value:
                    self.lose("message.annotations", f"{path}.{name}")
            elif name == "prompt_cache_breakpoint" and value is not None:
                self.lose("prompt_cache", f"{path}.{name}", value)
            elif name != "cache_control" and value is not None:
                self.lose(row, f"{path}.{name}", value)
        return 0


cdef bint is_object_text(str text):
    """Return whether a scan finds that *text* is a JSON object in ASCII; `False` may be wrong."""
    cdef Scan scan
    if not PyUnicode_IS_COMPACT_ASCII(text) or text[0] != u"{":
        return False
    scan.at = <const unsigned char*>PyUnicode_1BYTE_DATA(text)
    scan.end = scan.at + PyUnicode_GET_LENGTH(text)
    return skip_value(&scan, 0) and scan.at == scan.end


def refuse_constant(name):
    raise ValueError(f"{name} is not JSON")


cdef object with_large_numbers(str text):
    """Return JSON whose numbers may be past any float's range, `None` for what is not JSON."""
    try:
        return json.loads(text, parse_float=str, parse_int=str, parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        return None


def outside_of_tools(mark):
    return not mark[2].startswith("tools[")


cdef bint is_tool_name(str text):
    return is_name(text, LONGEST_NAME)


cdef str taken_name(str name):
    """Return the name of a tool in a form that is taken there."""
    return name if is_name(name, LONGEST_NAME) else renamed(name, RENAMED_ID)


cdef bint is_cache_control(object value):
    return (
        isinstance(value, dict)
        and value.get("type") == "ephemeral"
        and value.get("ttl") in (None, "5m", "1h")
    )


cdef str file_type(Part part):
    """Return the media type of a file's data; alone it is a PDF's."""
    return PDF if part.media is None else part.media


cdef bint is_text(str media):
    return media.startswith("text/") or media in TEXT_TYPES


cdef str text_in(Part part):
    """Return the text in a data URI, `None` if it is not UTF-8."""
    try:
        return b64decode(part.text[part.start:]).decode()
    except ValueError:
        return None


cdef str family_of(str model):
    """Return a model id without its date, the unit that thinking signatures are good for."""
    head, _, tail = model.rpartition("-")
    return head if head and len(tail) == 8 and tail.isdigit() else model
