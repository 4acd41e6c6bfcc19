cdef object message_of(list blocks, str model, notes)
cdef int note_members(found, notes) except -1
