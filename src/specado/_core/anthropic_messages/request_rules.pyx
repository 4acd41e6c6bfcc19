"""Rules of Anthropic's API for a request body that is adapted to a model, not encoded again.

Each method applies the same rule as the request encoder.
"""

cimport cython

from specado._core.anthropic_messages.accepted_forms cimport (
    IMAGE_TYPES, accepted_id, is_image, is_pdf, is_refused_user, is_tool_name,
)
from specado._core.anthropic_messages.request_decisions cimport RequestDecisions, system_places
from specado._core.encoder cimport CallIds, digest_of, free_name, true_media

from specado._core.anthropic_messages.loss_rows import TOOL_CALL_ID


def places_of_roles(list roles not None):
    """Return where the API takes messages of these roles: `(places, moved, demoted)`.

    See `system_places` of the request's decisions.
    """
    return system_places(roles)


def user_to_send(str user not None):
    """Return an end user's id as the API takes it: as it is, or its SHA-256."""
    return digest_of(user) if is_refused_user(user) else user


def media_type_of(str label not None, str data not None):
    """Return the type of a block's base64 *data*, "image" or "document", and its media type.

    The first bytes count before the *label*. The type is `None` for another media type.
    """
    cdef str media = true_media(IMAGE_TYPES.get(label, label), data, 0)
    if is_image(media):
        return "image", media
    return ("document" if is_pdf(media) else None), media


@cython.final
cdef class RequestRules:
    """Ids, names and strict schemas of one request. Not for two threads at once.

    *taken* are the names of the request's tools. `tool_names` maps the written name of each renamed
    tool to the caller's name.
    """

    cdef CallIds _ids
    cdef RequestDecisions _decisions
    cdef set _taken
    cdef dict _made
    cdef readonly dict tool_names

    def __init__(self, taken):
        self._ids = CallIds()
        self._decisions = RequestDecisions.__new__(RequestDecisions)
        self._taken = set(taken)
        self._made = {}
        self.tool_names = {}

    def begin_calls(self):
        """Begin the calls of a message: results answer those of the last message with calls."""
        self._ids.begin()

    def call_id(self, str given not None):
        """Return the id to write for a call, and the loss row if the id was changed (else None)."""
        return self._ids.opened(given, accepted_id(given), TOOL_CALL_ID)

    def answered_id(self, str given not None):
        """Return the written id of the call of a result, and the loss row if it was changed."""
        return self._ids.answered(given)

    def tool_name(self, str given not None):
        """Return the name of a tool as the API takes it."""
        if is_tool_name(given):
            return given
        if given not in self._made:
            made = free_name(given, self._taken)
            self._taken.add(made)
            self._made[given] = made
            self.tool_names[made] = given
        return self._made[given]

    def another_tool_name(self, str given not None):
        """Return a name for a further tool of a name that the request has already."""
        made = free_name(given, self._taken)
        self._taken.add(made)
        self.tool_names[made] = given
        return made

    def has_room_for(self, schema, *, bint of_tool):
        """Count a strict schema if the request's limits leave room; return whether they do."""
        return self._decisions.has_room_for(schema, of_tool)
