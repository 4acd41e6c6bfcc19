"""Converts names and ids of tools to a form that every provider accepts.

The result depends only on the text, so that a call and its result get the same id in every request.
"""

# Hexadecimal digits of the hash that keeps renamed texts apart.
cdef int DIGITS = 16


cdef inline bint is_plain_character(Py_UCS4 c):
    return u"a" <= c <= u"z" or u"A" <= c <= u"Z" or u"0" <= c <= u"9" or c == u"_" or c == u"-"


cdef bint is_plain(str text):
    """Return whether *text* is ASCII letters, digits, `_` and `-`, one at least."""
    cdef Py_UCS4 c
    for c in text:
        if not is_plain_character(c):
            return False
    return len(text) > 0


cdef bint is_name(str text, Py_ssize_t limit):
    """Return whether *text* is plain and has *limit* characters at most."""
    return len(text) <= limit and is_plain(text)


cdef str renamed(str text, Py_ssize_t limit):
    """Return a plain text of *limit* characters at most: the first of *text* and a hash of all.

    A text with a lone surrogate stays, for the writer to refuse.
    """
    cdef Py_UCS4 c
    cdef list kept = []
    # Imported where it is used: it loads OpenSSL, and hardly any name needs it.
    import hashlib

    try:
        digest = hashlib.sha256(text.encode()).hexdigest()
    except UnicodeEncodeError:
        return text
    for c in text[:limit - DIGITS - 1]:
        kept.append(c if is_plain_character(c) else u"_")
    return f"{''.join(kept)}-{digest[:DIGITS]}"
