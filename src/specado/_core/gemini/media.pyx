"""Media in Gemini's requests: the media types and URIs that the API accepts.

Types from Google's "Image", "Document", "Audio" and "Video understanding" guides (read 2026-11-30).
"""

cimport cython

from specado._core.conversation cimport AUDIO, FILE, IMAGE, Part
from specado._core.encoder cimport Encoder, true_media

from specado._core.gemini.loss_rows import (
    AUDIO_FORMAT, FILE_ID, FILE_MEDIA_TYPE, IMAGE_FORMAT, IMAGE_HTTP, INPUT_AUDIO, INPUT_DOCUMENT,
    INPUT_IMAGE, INPUT_VIDEO, MEDIA_URI_UNSUPPORTED,
)

# Media types in the API's spelling, by those that callers write.
cdef dict IMAGES = {
    "image/png": "image/png", "image/jpeg": "image/jpeg", "image/jpg": "image/jpeg",
    "image/webp": "image/webp", "image/heic": "image/heic", "image/heif": "image/heif",
}
cdef dict SOUNDS = {
    "audio/wav": "audio/wav", "audio/x-wav": "audio/wav", "audio/wave": "audio/wav",
    "audio/mp3": "audio/mp3", "audio/mpeg": "audio/mp3", "audio/aiff": "audio/aiff",
    "audio/x-aiff": "audio/aiff", "audio/aac": "audio/aac", "audio/ogg": "audio/ogg",
    "audio/flac": "audio/flac", "audio/x-flac": "audio/flac",
}
cdef dict VIDEOS = {
    "video/quicktime": "video/mov", "video/x-msvideo": "video/avi", "video/x-flv": "video/x-flv",
}
# Text files whose media type does not begin with `text/`.
cdef frozenset TEXTS = frozenset({
    "application/json", "application/xml", "application/javascript", "application/x-javascript",
    "application/x-python", "application/x-yaml", "application/yaml", "application/rtf",
})
cdef str PDF = "application/pdf"
# The media type of an address, by the end of its path.
cdef dict BY_SUFFIX = {
    "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp",
    "heic": "image/heic", "heif": "image/heif", "gif": "image/gif", "pdf": PDF,
    "mp4": "video/mp4", "m4v": "video/mp4", "mov": "video/mov", "mpeg": "video/mpeg",
    "mpg": "video/mpg", "avi": "video/avi", "wmv": "video/wmv", "webm": "video/webm",
    "flv": "video/x-flv", "3gp": "video/3gpp", "3gpp": "video/3gpp",
    "wav": "audio/wav", "mp3": "audio/mp3", "aiff": "audio/aiff", "aac": "audio/aac",
    "ogg": "audio/ogg", "flac": "audio/flac",
    "txt": "text/plain", "md": "text/markdown", "csv": "text/csv", "html": "text/html",
    "htm": "text/html", "css": "text/css", "xml": "text/xml", "json": "text/plain",
}
cdef tuple YOUTUBE = ("https://www.youtube.com/", "https://youtube.com/", "https://youtu.be/")


@cython.final
@cython.freelist(8)
cdef class Medium:
    """Form in which an image, a sound or a file is sent, or the reason why it is not.

    It belongs to one encoder.
    """


cdef Medium medium_of(Encoder encoder, Part part, object schemes):
    """Decide how a media part is sent; *schemes* are the URI schemes that the servers fetch."""
    cdef Medium found = Medium.__new__(Medium)
    if part.kind == AUDIO:
        found.labelled = found.media = SOUNDS.get(f"audio/{(part.detail or '').lower()}")
        if encoder.lacks_input("Audio"):
            found.row = INPUT_AUDIO
        elif found.media is None:
            found.row = AUDIO_FORMAT
            found.labelled = part.detail
        return found
    if part.text is None:
        if "://" not in part.file_id:
            found.row = FILE_ID
            found.labelled = part.file_id
            return found
        found.uri = part.file_id
    elif part.kind == IMAGE and part.media is None:
        found.uri = part.text
    if found.uri is not None:
        return address(encoder, part, found, schemes)
    found.labelled = PDF if part.media is None else part.media
    found.media = true_media(
        "image/jpeg" if found.labelled == "image/jpg" else found.labelled, part.text, part.start
    )
    return accepted(encoder, found)


cdef Medium address(Encoder encoder, Part part, Medium found, object schemes):
    """Complete the facts of a medium that is given by its address."""
    cdef str scheme = found.uri.partition(":")[0].lower()
    given = None if part.media_extra is None else part.media_extra.get("format")
    if isinstance(given, str) and "/" in given:
        found.labelled = given
    elif found.uri.startswith(YOUTUBE):
        found.labelled = "video/mp4"
    else:
        path = found.uri.partition("?")[0].partition("#")[0]
        found.labelled = BY_SUFFIX.get(path.rpartition("/")[2].rpartition(".")[2].lower())
    found.is_assumed = found.labelled is None
    found.media = "image/jpeg" if found.is_assumed else found.labelled
    if scheme == "http":
        found.row = IMAGE_HTTP
        return found
    if schemes is not None and scheme not in schemes:
        found.row = MEDIA_URI_UNSUPPORTED
        return found
    return accepted(encoder, found)


cdef Medium accepted(Encoder encoder, Medium found):
    """Complete the facts of a medium by its type, and the row of one that is not accepted."""
    cdef str media = found.media
    if media in IMAGES:
        found.media = IMAGES[media]
        found.row = INPUT_IMAGE if encoder.lacks_input("Image") else None
    elif media.startswith("image/"):
        found.row = INPUT_IMAGE if encoder.lacks_input("Image") else IMAGE_FORMAT
    elif media.startswith("audio/"):
        found.media = SOUNDS.get(media, media)
        found.row = INPUT_AUDIO if encoder.lacks_input("Audio") else (
            None if media in SOUNDS else AUDIO_FORMAT
        )
    elif media.startswith("video/"):
        found.media = VIDEOS.get(media, media)
        found.row = INPUT_VIDEO if encoder.lacks_input("Video") else None
    elif encoder.lacks_input("Document"):
        found.row = INPUT_DOCUMENT
    elif media in TEXTS:
        found.media = "text/plain"
        found.is_text = True
    elif media == PDF or media.startswith("text/"):
        found.is_text = media != PDF
    else:
        found.row = FILE_MEDIA_TYPE
    return found
