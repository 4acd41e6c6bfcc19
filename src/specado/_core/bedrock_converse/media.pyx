"""Media in Bedrock's requests: formats, addresses and document names that the API accepts.

Formats from botocore 1.44.8 (`data/bedrock-runtime/2023-09-30`, read 2026-11-30).
"""

cimport cython

from specado._core.conversation cimport AUDIO, IMAGE, Part
from specado._core.encoder cimport Encoder, true_media

import re

from specado._core.bedrock_converse.loss_rows import (
    AUDIO_CONTAINER, DOCUMENT_FORMAT, FILE_ID, IMAGE_MEDIA_TYPE, INPUT_AUDIO, INPUT_DOCUMENT,
    INPUT_IMAGE, INPUT_VIDEO, MEDIA_URI_UNSUPPORTED,
)

# The format of a medium in the API's spelling, by its media type.
cdef dict IMAGES = {
    "image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif",
    "image/webp": "webp",
}
cdef dict DOCUMENTS = {
    "application/pdf": "pdf", "text/csv": "csv", "application/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html", "application/xhtml+xml": "html", "text/plain": "txt",
    "text/markdown": "md", "text/x-markdown": "md",
}
cdef dict VIDEOS = {
    "video/mp4": "mp4", "video/quicktime": "mov", "video/x-matroska": "mkv", "video/webm": "webm",
    "video/x-flv": "flv", "video/mpeg": "mpeg", "video/mpg": "mpg", "video/x-ms-wmv": "wmv",
    "video/3gpp": "three_gp",
}
cdef frozenset SOUNDS = frozenset({
    "mp3", "opus", "wav", "aac", "flac", "mp4", "ogg", "mkv", "mka", "x-aac", "m4a", "mpeg",
    "mpga", "pcm", "webm",
})
# Text files whose media type does not begin with `text/`.
cdef frozenset TEXTS = frozenset({
    "application/json", "application/xml", "application/javascript", "application/x-yaml",
    "application/yaml",
})
# The media type of an address, by the end of its path.
cdef dict BY_SUFFIX = {
    "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif",
    "webp": "image/webp", "pdf": "application/pdf", "csv": "text/csv", "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html", "htm": "text/html", "txt": "text/plain", "md": "text/markdown",
    "mp4": "video/mp4", "mov": "video/quicktime", "mkv": "video/x-matroska", "webm": "video/webm",
    "flv": "video/x-flv", "mpeg": "video/mpeg", "mpg": "video/mpg", "wmv": "video/x-ms-wmv",
    "3gp": "video/3gpp",
}
cdef str PDF = "application/pdf"

# Names of documents: letters, digits, single spaces, hyphens, parentheses and square brackets
# (the API reference of `DocumentBlock`, read 2026-11-30).
cdef object REFUSED_IN_NAMES = re.compile(r"[^A-Za-z0-9\s()\[\]-]+")
cdef object SPACES = re.compile(r"\s+")
cdef Py_ssize_t LONGEST_NAME = 200
cdef str UNNAMED = "document"


@cython.final
@cython.freelist(8)
cdef class Medium:
    """Form in which an image, a sound or a file is sent, or the reason why it is not.

    It belongs to one encoder.
    """


cdef Medium medium_of(Encoder encoder, Part part):
    """Decide how a media part is sent."""
    cdef Medium found = Medium.__new__(Medium)
    if part.kind == AUDIO:
        found.kind = "audio"
        found.labelled = found.format = (part.detail or "").lower()
        if encoder.lacks_input("Audio"):
            found.row = INPUT_AUDIO
        elif found.format not in SOUNDS:
            found.row = AUDIO_CONTAINER
        return found
    if part.text is None:
        found.uri = part.file_id
    elif part.kind == IMAGE and part.media is None:
        found.uri = part.text
    if found.uri is not None:
        found.labelled = found.uri
        if not found.uri.startswith("s3://"):
            found.row = FILE_ID if part.kind != IMAGE else MEDIA_URI_UNSUPPORTED
            return found
        found.media = media_by_name(found.uri, "image/jpeg" if part.kind == IMAGE else PDF)
        return accepted(encoder, found)
    found.labelled = part.media
    if found.labelled is None:
        found.labelled = media_by_name(part.detail or "", PDF)
    found.media = true_media(found.labelled, part.text, part.start)
    return accepted(encoder, found)


cdef str media_by_name(str name, str default):
    """Return the media type that the end of a file's name or address says."""
    path = name.partition("?")[0].rpartition("/")[2]
    return BY_SUFFIX.get(path.rpartition(".")[2].lower(), default)


cdef Medium accepted(Encoder encoder, Medium found):
    """Complete the facts of a medium by its type, and the row of one that is not accepted."""
    cdef str media = found.media
    if media.startswith("image/"):
        found.kind = "image"
        found.format = IMAGES.get(media)
        if encoder.lacks_input("Image"):
            found.row = INPUT_IMAGE
        elif found.format is None:
            found.row = IMAGE_MEDIA_TYPE
    elif media.startswith("video/"):
        found.kind = "video"
        found.format = VIDEOS.get(media)
        if encoder.lacks_input("Video") or found.format is None:
            found.row = INPUT_VIDEO
    else:
        found.kind = "document"
        found.format = DOCUMENTS.get(media)
        if found.format is None and (media.startswith("text/") or media in TEXTS):
            found.format = "txt"
            found.is_text = True
        if encoder.lacks_input("Document"):
            found.row = INPUT_DOCUMENT
        elif found.format is None:
            found.row = DOCUMENT_FORMAT
    return found


cdef str document_name(str given, object taken):
    """Return a name that the API accepts for a document, and that is not in *taken*."""
    cdef str made = SPACES.sub(" ", REFUSED_IN_NAMES.sub("-", given or UNNAMED)).strip()
    cdef str numbered
    cdef Py_ssize_t count = 1
    made = made[:LONGEST_NAME].rstrip() or UNNAMED
    numbered = made
    while numbered in taken:
        count += 1
        numbered = f"{made[:LONGEST_NAME - 7].rstrip()} {count}"
    return numbered
