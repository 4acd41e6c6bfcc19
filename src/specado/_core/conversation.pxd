cdef enum Role:
    SYSTEM = 0
    DEVELOPER = 1
    USER = 2
    ASSISTANT = 3
    TOOL = 4
    FUNCTION = 5
    OTHER = 6

cdef enum PartKind:
    TEXT = 0
    IMAGE = 1
    FILE = 2
    AUDIO = 3
    REFUSAL = 4

cdef class Part:
    cdef readonly int kind
    cdef readonly str text      # text or refusal; an image's URL; a file's or a sound's base64 data
    cdef readonly str detail    # an image's detail; a file's name; a sound's format
    cdef readonly str file_id   # a file that lies with a provider
    cdef str media      # the media type of a data URI
    cdef Py_ssize_t start   # where its data begins in the text
    cdef dict extra    # keys beyond the documented ones, cache_control among them
    cdef dict media_extra   # the same one level down, in image_url, input_audio or file
    cdef readonly str origin    # its path in a request of another dialect

cdef class Call:
    cdef readonly str id
    cdef readonly str name
    cdef readonly str text      # a function's arguments as JSON text, or a custom tool's input
    cdef readonly bint custom
    cdef dict extra
    cdef dict body_extra    # the same one level down, in function or custom
    cdef readonly str origin

cdef class Details:
    cdef readonly str name
    cdef readonly str tool_call_id
    cdef list calls          # of Call
    cdef readonly str refusal
    cdef readonly str reasoning
    cdef str reasoning_content    # what stood under this name, as many servers call `reasoning`
    cdef list reasoning_details
    cdef str details_name    # where the blocks stood: reasoning_details or thinking_blocks
    cdef list given_details    # frozen copies of the blocks as they were given
    cdef list reasoning_parts    # [(place, part)] of reasoning in the content; None without any
    cdef bint is_given       # whether a history told the reasoning, not a decoded answer
    cdef object native       # the `NativeContent` of an answer, None without one
    cdef list kept           # of its reasoning blocks: whether each is unchanged; None if all are
    cdef list origins        # of reasoning_details, in a request of another dialect
    cdef readonly object audio        # {"id": …} of an earlier audio answer
    cdef readonly object function_call
    cdef dict extra

cdef class Turn:
    cdef readonly int role
    cdef readonly str role_name
    cdef readonly str text      # the content where it is a string
    cdef list parts    # of Part, where it is a list
    cdef readonly Details more  # None for the usual message of a role and a content
    cdef readonly str origin

cdef class Conversation:
    cdef list turns
    cdef list changes      # (loss row, path) of reasoning that was changed, and unusable records
    cdef readonly bint has_reasoning
    cdef readonly Py_ssize_t characters   # of all text, for estimates
    cdef Py_ssize_t extra_bytes    # bytes of a body for media, calls and parts, estimated
    cdef readonly Py_ssize_t images
    cdef readonly Py_ssize_t files
    cdef readonly Py_ssize_t sounds
