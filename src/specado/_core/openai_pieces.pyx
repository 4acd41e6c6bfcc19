"""OpenAI chat stream decoder: assembles the reply from its chunks."""

cimport cython

from specado._core.streams cimport Pieces
from specado.types import Choice, FunctionCall, Message, ReasoningBlock, ToolCall


@cython.final
cdef class CallPieces:
    """One tool call so far; `place` is the index that it is delivered under."""

    cdef object whole(self, notes):
        """Return the `ToolCall` that the pieces add up to, None (with a note) without a name."""
        path = f"tool_calls[{self.place}]"
        if not self.name:
            notes.append(f"{path}: not a tool call, left out")
            return None
        name = self.name + (_text_of(self.rest_of_name) or "")
        text = _text_of(self.arguments)
        if self.is_custom:
            custom = {"name": name, "input": text or ""}
            return ToolCall(self.id, type="custom", custom=custom)
        if text is None:
            text = "{}"
            notes.append(f"{path}.function.arguments: missing, read as {text}")
        return ToolCall(self.id, FunctionCall(name, text))


@cython.final
cdef class Thoughts:
    """One block of `reasoning_details` so far."""


@cython.final
cdef class ChoicePieces:
    """One choice so far."""

    cdef bint add_thoughts(self, list blocks) except -1:
        """Join pieces of reasoning blocks, which end with a signature; return if one has any."""
        cdef Thoughts last
        cdef bint has_any = False
        if self.thoughts is None:
            self.thoughts = []
        for block in blocks:
            last = self.thoughts[-1] if self.thoughts else None
            if (
                last is None or last.type != block.type
                or last.signature is not None or last.data is not None or block.data is not None
            ):
                last = Thoughts()
                last.type = block.type
                self.thoughts.append(last)
            if block.text is not None:
                if last.text is None:
                    last.text = Pieces()
                last.text.add(block.text)
            last.signature = block.signature
            last.data = block.data
            if block.text or block.data:
                has_any = True
        return has_any

    cdef int add_annotations(self, list annotations) except -1:
        if self.annotations is None:
            self.annotations = []
        self.annotations.extend(annotations)
        return 0

    cdef int add_sound(self, dict sound) except -1:
        if self.sounds is None:
            self.sounds = []
        self.sounds.append(sound)
        return 0

    cdef int add_logprobs(self, dict logprobs) except -1:
        if self.logprobs is None:
            self.logprobs = {}
        for name, value in logprobs.items():
            kept = self.logprobs.get(name)
            if isinstance(kept, list) and isinstance(value, list):
                kept.extend(value)
            elif kept is None:
                self.logprobs[name] = list(value) if isinstance(value, list) else value
        return 0

    cdef object whole(self, notes):
        """Return the `Choice` that the pieces add up to."""
        cdef CallPieces call
        cdef Thoughts block
        calls = []
        for call in self.calls or ():
            found = call.whole(notes)
            if found is not None:
                calls.append(found)
        details = None
        content, refusal = _text_of(self.content), _text_of(self.refusal)
        if not content and (refusal or calls):
            content = None  # as in a reply that is no stream: the first delta's is empty
        if self.thoughts is not None:
            details = [
                ReasoningBlock(block.type, _text_of(block.text), block.signature, block.data)
                for block in self.thoughts
            ]
        return Choice(
            index=self.index,
            message=Message(
                role=self.role or "assistant",
                content=content,
                tool_calls=calls or None,
                reasoning=_text_of(self.reasoning),
                reasoning_details=details,
                refusal=refusal,
                annotations=self.annotations,
                audio=None if self.sounds is None else _sound_of(self.sounds),
            ),
            finish_reason=self.finish_reason,
            logprobs=self.logprobs,
        )


cdef object _text_of(Pieces pieces):
    return None if pieces is None else pieces.whole()


cdef dict _sound_of(list sounds):
    """Return the audio answer that the pieces add up to: texts are joined, the rest is the last."""
    whole = {}
    for name in dict.fromkeys([name for piece in sounds for name in piece]):
        values = [piece[name] for piece in sounds if piece.get(name) is not None]
        if name in ("data", "transcript") and all([isinstance(value, str) for value in values]):
            whole[name] = "".join(values)
        else:
            whole[name] = values[-1] if values else None
    return whole
