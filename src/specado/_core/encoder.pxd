from specado._core.json_writer cimport JsonWriter
from specado._core.conversation cimport Call, Conversation

cdef inline bint is_blank_text(str text):
    """Return whether a text is nothing but space."""
    # The first character tells for most; stripping would copy a text that ends in a space.
    return not text or (not u" " < text[0] < u"\x7f" and text[0].isspace() and not text.strip())


cdef str call_field(Py_ssize_t place)
cdef str content_field(Py_ssize_t place)

cdef class CallIds:
    cdef set written         # the ids of the calls so far
    cdef dict open           # given id -> [(written id, row)], of the last message with calls

    cdef int begin(self) except -1
    cdef tuple opened(self, str given, str accepted, str row)
    cdef tuple answered(self, str given)

cdef class Encoder:
    cdef JsonWriter out
    cdef Conversation conversation
    cdef str model
    cdef dict params
    cdef object facts        # the target's capabilities.Model, None if unknown
    cdef object target       # the `Target` that is asked, None if it is not known
    cdef str target_provider, target_tag, family    # of the target; None until one is asked for
    cdef object traits       # facts.traits, None if unknown
    cdef list losses         # (row id, path, before, after)
    cdef str answer_tool     # the forced tool whose input is the answer, None without one
    cdef Py_ssize_t index    # the message that is being written, -1 outside of messages
    cdef str field           # what is being written there
    cdef CallIds call_ids    # the ids of the calls written so far, None before the first
    cdef dict tool_names     # written name -> the caller's, of renamed tools; None without one
    cdef dict short_names    # the same the other way round

    cdef int lose(self, str row, str path, object before=*, object after=*) except -1
    cdef bint is_from_target(self, object native)
    cdef int report_native(self, object native) except -1
    cdef int write(self) except -1
    cdef int member(self, str name, object value) except -1
    cdef object trait(self, str name)
    cdef bint lacks(self, str feature)
    cdef bint lacks_input(self, str modality)
    cdef bint lacks_output(self, str modality)
    cdef bytes escaped(self, str name)
    cdef int check(self, str field, object value) except -1
    cdef object refusal(self, object error)
    cdef int begin_calls(self) except -1
    cdef str opened_id(self, str given, str accepted, str row, str field)
    cdef str answered_id(self, str given, str field)
    cdef str arguments_of(self, Call call, str field)
    cdef int write_arguments(self, Call call) except -1
    cdef object malformed(self, str field, str problem)
    cdef str short_name(self, str given)
    cdef str plain_name(self, str given)
    cdef object hashed(self, str name, object value)

cdef enum:
    RENAMED = 64   # the most characters of a name that is replaced
    REPEATED_ID = 40   # the same of the id of a call that an earlier one has

cdef bint is_plain(str text)
cdef str renamed(str text, Py_ssize_t limit)
cdef bint is_name(str text, Py_ssize_t limit)
cdef str free_name(str given, object taken)
cdef str digest_of(str value)
cdef str name_of(object tool)
cdef bint is_json_object(str text) except -1
cdef bint is_same_json(str one, str other) except -1
cdef str true_media(str media, str text, Py_ssize_t start)
