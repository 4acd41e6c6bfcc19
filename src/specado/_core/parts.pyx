"""Decodes and checks the content parts of messages in OpenAI's shape."""

from specado._core.conversation cimport AUDIO, FILE, IMAGE, REFUSAL, Part
from specado._core.data_uris cimport is_base64, keep_uri
from specado._core.json_text cimport exact, freeze

from specado._core.json_text import NotJson, locate
from specado.errors import MessageFormatError, type_and_beginning

PART_TYPES = ("text", "image_url", "input_audio", "file", "refusal")
cdef frozenset IMAGE_KEYS = frozenset({"url", "detail"})
cdef frozenset AUDIO_KEYS = frozenset({"data", "format"})
cdef frozenset FILE_KEYS = frozenset({"file_data", "filename", "file_id"})
# What a part takes of a body beside its text, about.
cdef Py_ssize_t PART_BYTES = 80


cdef class PartReader:
    """Reads what is in messages; keeps the place for error messages."""

    cdef object wrong(self, str field, str what):
        where = f"messages[{self.index}]" + (f".{field}" if field else "")
        return MessageFormatError(f"{where}: {what}", index=self.index, field=field or None)

    cdef str text_of(self, object value, str field, bint optional):
        """Return *value* as an exact `str`; a wrong type is an error naming the field."""
        if type(value) is str:
            return value
        if value is None and optional:
            return None
        if isinstance(value, str):
            return exact(value)
        raise self.wrong(field, f"must be a str, not {type_and_beginning(value)}")

    cdef object frozen(self, object value, str field):
        try:
            return freeze(value, 0)
        except NotJson as error:
            what = str(error)
            if error.value is not None:
                what = f"{type_and_beginning(error.value)} has no JSON form"
            raise self.wrong(field + locate(value), what) from None

    cdef dict read_extra(self, dict given, frozenset known, str field):
        cdef dict extra = None
        for name, value in given.items():
            if name in known:
                continue
            if not isinstance(name, str):
                raise self.wrong(field, f"a key of type {type(name).__name__}: keys are text")
            if extra is None:
                extra = {}
            name = self.frozen(name, field)
            extra[name] = self.frozen(value, f"{field}.{name}" if field else name)
        return extra

    cdef list read_parts(self, object parts):
        cdef list found = []
        for place, part in enumerate(parts):
            found.append(self.read_part(part, place))
        if not found:
            raise self.wrong("content", "is an empty list: give at least one content part")
        return found

    cdef Part read_part(self, object given, Py_ssize_t place):
        cdef Part part = Part.__new__(Part)
        cdef dict source
        if isinstance(given, str):
            part.text = exact(given)
            self.count_part(part.text)
            return part
        if not isinstance(given, dict):
            raise self.wrong(
                f"content[{place}]",
                f"must be a dict with a type, not {type_and_beginning(given)}",
            )
        source = <dict>given
        kind = source.get("type")
        if isinstance(kind, str):
            kind = exact(kind)
        if type(kind) is str and kind == "text":
            text = source.get("text")
            part.text = (
                <str>text if type(text) is str
                else self.text_of(text, f"content[{place}].text", False)
            )
            self.count_part(part.text)
            if len(source) > 2:
                part.extra = self.read_extra(
                    source, frozenset({"type", "text"}), f"content[{place}]"
                )
            return part
        if type(kind) is str and kind == "image_url":
            self.count_part("")
            self.read_image(part, source.get("image_url"), place)
            if len(source) > 2:
                part.extra = self.read_extra(
                    source, frozenset({"type", "image_url"}), f"content[{place}]"
                )
            return part
        field = f"content[{place}]"
        if type(kind) is not str or kind not in PART_TYPES:
            shown = f"{kind!r:.80}" if type(kind) is str else f"a {type(kind).__name__}"
            raise self.wrong(
                f"{field}.type",
                f"{shown} is not a part type; known: {', '.join(PART_TYPES)}",
            )
        if kind == "refusal":
            part.kind = REFUSAL
            part.text = self.text_of(source.get("refusal"), f"{field}.refusal", False)
            self.count_part(part.text)
        else:
            self.count_part("")
            self.read_media(part, kind, source.get(kind), f"{field}.{kind}")
        if len(source) > 2:
            part.extra = self.read_extra(source, frozenset({"type", kind}), field)
        return part

    cdef int count_part(self, str text) except -1:
        self.found.characters += len(text)
        self.found.beside += PART_BYTES
        return 0

    cdef str refused_data(self, Part part, str text):
        """Keep base64 data, a data URI or, of an image, any URL; return what is wrong with it."""
        keep_uri(part, text)
        if part.media is not None:
            if not part.start:
                return "a data URI must read data:<media type>;base64,<data>"
        elif part.kind == IMAGE:
            return None
        if not is_base64(part.text, part.start):
            return "the data is not base64"
        self.found.beside += len(part.text)
        return None

    cdef int read_data(self, Part part, str text, str field) except -1:
        cdef str what = self.refused_data(part, text)
        if what is not None:
            raise self.wrong(field, what)
        return 0

    cdef int read_image(self, Part part, object media, Py_ssize_t place) except -1:
        """Read what an image part holds; its paths are made only where they are told."""
        cdef object url = media
        cdef str what
        if isinstance(media, dict):
            url = (<dict>media).get("url")
        elif not isinstance(media, str):
            raise self.wrong(
                f"content[{place}].image_url", f"must be a dict, not {type_and_beginning(media)}"
            )
        if type(url) is not str:
            url = self.text_of(url, f"content[{place}].image_url.url", False)
        part.kind = IMAGE
        what = self.refused_data(part, <str>url)
        if what is not None:
            raise self.wrong(f"content[{place}].image_url.url", what)
        self.found.images += 1
        if isinstance(media, dict) and len(<dict>media) > 1:
            part.detail = self.text_of(
                (<dict>media).get("detail"), f"content[{place}].image_url.detail", True
            )
            part.media_extra = self.read_extra(
                <dict>media, IMAGE_KEYS, f"content[{place}].image_url"
            )
        return 0

    cdef int read_media(self, Part part, str kind, object media, str field) except -1:
        cdef frozenset known
        cdef dict source
        if not isinstance(media, dict):
            raise self.wrong(field, f"must be a dict, not {type_and_beginning(media)}")
        source = <dict>media
        if kind == "input_audio":
            part.kind = AUDIO
            known = AUDIO_KEYS
            self.read_data(part, self.text_of(source.get("data"), f"{field}.data", False),
                           f"{field}.data")
            part.detail = self.text_of(source.get("format"), f"{field}.format", False)
            self.found.sounds += 1
        else:
            part.kind = FILE
            known = FILE_KEYS
            part.text = self.text_of(source.get("file_data"), f"{field}.file_data", True)
            part.detail = self.text_of(source.get("filename"), f"{field}.filename", True)
            part.file_id = self.text_of(source.get("file_id"), f"{field}.file_id", True)
            if part.text is None and part.file_id is None:
                raise self.wrong(field, "needs file_data or file_id")
            if part.text is not None:
                self.read_data(part, part.text, f"{field}.file_data")
            self.found.files += 1
        if len(source) > 1:
            part.media_extra = self.read_extra(source, known, field)
        return 0
