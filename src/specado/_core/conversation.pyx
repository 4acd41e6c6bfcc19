"""Canonical form of a conversation, from which every dialect's encoder writes.

Its parts hold only text and frozen copies, so that they form no reference cycles: they are not
tracked by the garbage collector, which thousands of them would trigger.
"""

cimport cython

import re

from msgspec.structs import replace

from specado._core.loss_rows import REASONING_REFUSED
from specado._core.native import is_bound
from specado._core.repair import given_place

# The beginning of the path of a content part.
cdef object CONTENT_PART = re.compile(r"messages\[(\d+)\]\.content\[(\d+)\]")

# Members of messages and calls that hold reasoning or its signature.
cdef frozenset SIGNED_MEMBERS = frozenset({"thinking_blocks", "extra_content"})
# The kinds of an answer's blocks that have neither a signature nor encrypted content.
cdef frozenset PLAIN_KINDS = frozenset({"text", "call", "member"})


@cython.final
@cython.no_gc
@cython.freelist(256)
cdef class Part:
    """One content part. Immutable once read."""


@cython.final
@cython.no_gc
@cython.freelist(256)
cdef class Call:
    """One tool call of an assistant turn. Immutable once read."""


@cython.final
@cython.no_gc
@cython.freelist(256)
cdef class Details:
    """Members of a message beyond role and content. Immutable once read."""


@cython.final
@cython.no_gc
@cython.freelist(1024)
cdef class Turn:
    """One message in canonical form. Immutable once read."""


@cython.final
cdef class Conversation:
    """Checked messages of one call, which owns all their text; threads may share it."""

    def __cinit__(self):
        self.turns = []
        self.changes = []

    def __len__(self):
        return len(self.turns)

    def origin(self, Py_ssize_t index, name, Py_ssize_t place):
        """Return the path of a turn, or of one of its parts, in the request that it was read from.

        *name* is `None` for the turn itself, else `content`, `tool_calls` or
        `reasoning_details`, and *place* the place there.
        """
        cdef Turn turn = self.turns[index]
        if name == "content" and turn.parts is not None:
            return (<Part?>turn.parts[place]).origin or turn.origin
        if name == "tool_calls" and turn.more is not None and turn.more.calls is not None:
            return (<Call?>turn.more.calls[place]).origin or turn.origin
        if name == "reasoning_details" and turn.more is not None and turn.more.origins is not None:
            return turn.more.origins[place]
        return turn.origin

    def given_path(self, str path not None):
        """Return the path, in the caller's message, of a part of its content.

        A message's parts are without those that are reasoning. Other paths stay as they are.
        """
        cdef Turn turn
        found = CONTENT_PART.match(path)
        if found is None:
            return path
        turn = self.turns[int(found[1])]
        if turn.more is None or turn.more.reasoning_parts is None:
            return path
        place = given_place(int(found[2]), turn.more.reasoning_parts)
        return f"messages[{found[1]}].content[{place}]{path[found.end():]}"

    def native_dialect(self):
        """Return the dialect of the last answer that goes back as it came, `None` without one."""
        cdef Turn turn
        for turn in reversed(self.turns):
            if turn.more is not None and turn.more.native is not None:
                return turn.more.native.dialect
        return None

    def without_signed(self):
        """Return a copy without signed or encrypted content, which reports it as refused.

        Return `None` if there is none.
        """
        cdef Conversation found = Conversation.__new__(Conversation)
        cdef Turn turn
        cdef Py_ssize_t index = 0
        for turn in self.turns:
            if turn.more is not None and is_signed(turn.more):
                found.changes.append((REASONING_REFUSED, f"messages[{index}]"))
                turn = with_details(turn, without_signed_members(turn.more))
            found.turns.append(turn)
            index += 1
        if not found.changes:
            return None
        found.changes += self.changes
        found.has_reasoning = self.has_reasoning
        found.characters, found.extra_bytes = self.characters, self.extra_bytes
        found.images, found.files, found.sounds = self.images, self.files, self.sounds
        return found


cdef bint has_signed_member(dict extra):
    return extra is not None and not SIGNED_MEMBERS.isdisjoint(extra)


cdef dict without_members(dict extra):
    """Return a copy of *extra* without the members that are signed."""
    if not has_signed_member(extra):
        return extra
    return {name: value for name, value in extra.items() if name not in SIGNED_MEMBERS}


cdef bint is_signed(Details more) except -1:
    """Return whether a message has reasoning blocks, or other signed or encrypted content."""
    cdef Call call
    if more.reasoning_details is not None or has_signed_member(more.extra):
        return True
    for call in more.calls or ():
        if has_signed_member(call.extra):
            return True
    if more.native is not None:
        if is_bound(more.native.dialect):
            return True
        for block in more.native.blocks:
            if block.kind not in PLAIN_KINDS:
                return True
    return False


cdef object plain_native(object native):
    """Return a record without signed and encrypted blocks; None if text cites what is left out."""
    cdef list kept = []
    if native is None or is_bound(native.dialect):
        return None
    for block in native.blocks:
        if block.kind == "text" and block.values[1]:
            return None
        if block.kind in PLAIN_KINDS:
            kept.append(block)
    return replace(native, blocks=tuple(kept)) if kept else None


cdef Details without_signed_members(Details more):
    cdef Details found = Details.__new__(Details)
    cdef Call call
    found.name, found.tool_call_id = more.name, more.tool_call_id
    found.refusal, found.reasoning = more.refusal, more.reasoning
    found.reasoning_content, found.is_given = more.reasoning_content, more.is_given
    found.audio, found.function_call = more.audio, more.function_call
    found.extra = without_members(more.extra)
    found.native = plain_native(more.native)
    if found.native is None and more.native is not None:
        found.reasoning = None
    if more.calls is not None:
        found.calls = []
        for call in more.calls:
            found.calls.append(plain_call(call) if has_signed_member(call.extra) else call)
    return found


cdef Call plain_call(Call call):
    cdef Call found = Call.__new__(Call)
    found.id, found.name, found.text = call.id, call.name, call.text
    found.custom, found.origin = call.custom, call.origin
    found.body_extra, found.extra = call.body_extra, without_members(call.extra)
    return found


cdef Turn with_details(Turn turn, Details more):
    cdef Turn found = Turn.__new__(Turn)
    found.role, found.role_name, found.origin = turn.role, turn.role_name, turn.origin
    found.text, found.parts, found.more = turn.text, turn.parts, more
    return found
