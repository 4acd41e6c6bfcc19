"""Forms that Anthropic's Messages API accepts: media types, tool names, ids.

Functions without state, for the request encoder. Shapes from anthropic.types 0.125.0 (2026-11-22);
limits that are not in the types come from error bodies that users report (2026-11-22).
"""

from specado._core.conversation cimport AUDIO, IMAGE, Part
from specado._core.encoder cimport Encoder, is_name, is_plain, renamed, true_media

import re
from base64 import b64decode

from specado._core.anthropic_messages.loss_rows import (
    FILE_ID, FILE_MEDIA_TYPE, IMAGE_HTTP, IMAGE_MEDIA_TYPE, INPUT_AUDIO, INPUT_DOCUMENT, INPUT_IMAGE,
    REASONING_FOREIGN, REASONING_UNSIGNED,
)
from specado._core.native import model_family

cdef dict IMAGE_TYPES = {
    "image/jpg": "image/jpeg", "image/jpeg": "image/jpeg", "image/png": "image/png",
    "image/gif": "image/gif", "image/webp": "image/webp",
}
cdef str PDF = "application/pdf"
# Types of text files, in addition to all that begin with `text/`.
cdef frozenset TEXT_TYPES = frozenset({"application/json", "application/xml"})
# The longest name of a tool: `^[a-zA-Z0-9_-]{1,128}$`.
cdef Py_ssize_t LONGEST_NAME = 128
# The longest id of an end user; one that looks like an e-mail address or a phone number is refused.
cdef Py_ssize_t LONGEST_USER = 512
cdef object EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
cdef object PHONE = re.compile(r"[+(]?[0-9][0-9 ().-]{5,18}[0-9]")


# Names, cache_control, reasoning.

cdef bint is_tool_name(str name):
    """Return whether a tool may have this name."""
    return is_name(name, LONGEST_NAME)


cdef str accepted_id(str given):
    """Return the id of a call as the API takes it: `^[a-zA-Z0-9_-]+$` (2026-11-22)."""
    return given if is_plain(given) else renamed(given, RENAMED_ID)


cdef bint is_refused_user(str user):
    """Return whether an end user's id is too long, an e-mail address or a telephone number."""
    return len(user) > LONGEST_USER or bool(EMAIL.search(user)) or bool(PHONE.fullmatch(user))


cdef bint is_cache_control(object value):
    """Return whether *value* is a `cache_control` that the API knows."""
    return (
        isinstance(value, dict)
        and value.get("type") == "ephemeral"
        and value.get("ttl") in (None, "5m", "1h")
    )


cdef str reasoning_refusal(object block, str model):
    """Return the loss row of a reasoning block that *model* does not accept, `None` if it does."""
    if block.model is None or model_family(block.model) != model_family(model):
        return REASONING_FOREIGN
    if block.type == "thinking" and block.signature is not None:
        return None
    if block.type == "redacted_thinking" and block.data is not None:
        return None
    return REASONING_UNSIGNED


# Media.

cdef str media_refusal(Encoder encoder, Part part):
    """Return the loss row of a medium that the target does not accept, `None` if it does."""
    cdef str media
    if part.kind == AUDIO:
        return INPUT_AUDIO
    if part.kind == IMAGE and part.media is None:
        if encoder.lacks_input("Image"):
            return INPUT_IMAGE
        return IMAGE_HTTP if part.text.startswith("http://") else None
    if part.text is None:
        return FILE_ID
    media = data_media_type(part)
    if is_image(media):
        return INPUT_IMAGE if encoder.lacks_input("Image") else None
    if part.kind == IMAGE and not is_pdf(media):
        return INPUT_IMAGE if encoder.lacks_input("Image") else IMAGE_MEDIA_TYPE
    if encoder.lacks_input("Document"):
        return INPUT_DOCUMENT
    if not is_pdf(media) and (not is_text(media) or file_text(part) is None):
        return FILE_MEDIA_TYPE
    return None


cdef str labelled_media_type(Part part):
    """Return the media type that data is labelled with; a file without one counts as a PDF."""
    if part.media is None:
        return PDF
    return IMAGE_TYPES.get(part.media, part.media)


cdef str data_media_type(Part part):
    """Return the media type of data in the API's spelling, by its first bytes or its label."""
    return true_media(labelled_media_type(part), part.text, part.start)


cdef bint is_image(str media):
    """Return whether *media* is the media type of an accepted image."""
    return media in IMAGE_TYPES


cdef bint is_pdf(str media):
    """Return whether *media* is the media type of a PDF."""
    return media == PDF


cdef bint is_text(str media):
    return media.startswith("text/") or media in TEXT_TYPES


cdef str file_text(Part part):
    """Return the text of a file in a data URI, `None` if it is not UTF-8."""
    try:
        return b64decode(part.text[part.start:]).decode()
    except ValueError:
        return None
