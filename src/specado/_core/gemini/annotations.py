"""Reads citations and grounding as annotations in OpenAI's form (google-genai 3.6.1).

Gemini counts the bytes of UTF-8, OpenAI the characters: each offset is converted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from specado._core.replies import Notes

__all__ = ["annotations_of", "note_citations", "note_grounding"]


class _Source(msgspec.Struct):
    """A page on the web, or a document, that an answer is grounded in."""

    uri: Optional[str] = None
    title: Optional[str] = None


class _Chunk(msgspec.Struct, rename="camel"):
    web: Optional[_Source] = None
    maps: Optional[_Source] = None
    retrieved_context: Optional[_Source] = None
    image: msgspec.Raw = msgspec.Raw(b"")

    @property
    def source(self) -> _Source | None:
        """The source, whatever its kind; `None` without an address."""
        found = self.web or self.maps or self.retrieved_context
        return found if found is not None and found.uri else None


class _Segment(msgspec.Struct, rename="camel"):
    start_index: int = 0
    end_index: int = 0
    part_index: int = 0
    text: Optional[str] = None


class _Support(msgspec.Struct, rename="camel"):
    segment: Optional[_Segment] = None
    grounding_chunk_indices: list[int] = []


class _Grounding(msgspec.Struct, rename="camel"):
    grounding_chunks: list[_Chunk] = []
    grounding_supports: list[_Support] = []
    search_entry_point: msgspec.Raw = msgspec.Raw(b"")
    web_search_queries: list[str] = []
    image_search_queries: list[str] = []


class _Citation(msgspec.Struct, rename="camel"):
    start_index: int = 0
    end_index: int = 0
    uri: Optional[str] = None
    title: Optional[str] = None


class _Citations(msgspec.Struct):
    citations: list[_Citation] = []
    citation_sources: list[_Citation] = msgspec.field(default_factory=list, name="citationSources")


_decode_grounding = msgspec.json.Decoder(_Grounding).decode
_decode_citations = msgspec.json.Decoder(_Citations).decode
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Content:
    """The text of an answer, in which places are found by their bytes.

    *texts* are those of its parts, `None` for a thought, which is no part of the content.
    """

    def __init__(self, texts: list[Optional[str]]) -> None:
        self.text = "".join(text or "" for text in texts)
        self._bytes = self.text.encode("utf-8", "replace")
        self._starts = []
        start = 0
        for text in texts:
            self._starts.append(start)
            start += len((text or "").encode("utf-8", "replace"))

    def characters(self, start: int, end: int, part: int, text: str | None) -> tuple[int, int]:
        """Convert a byte range within a part to a character range of the whole text.

        *text* is the cited text, if the provider gives it.
        """
        base = self._starts[part] if 0 <= part < len(self._starts) else 0
        first, last = base + max(start, 0), base + max(end, 0)
        if text and self._bytes[first:last] != text.encode("utf-8", "replace"):
            found = self.text.find(text)
            if found >= 0:
                return found, found + len(text)
        return self._place(first), self._place(last)

    def _place(self, at: int) -> int:
        return len(self._bytes[:at].decode("utf-8", "ignore"))


def annotations_of(
    texts: list[Optional[str]], groundings: Iterable[bytes], citations: Iterable[bytes]
) -> list[Any] | None:
    """Return the annotations of an answer, `None` without any; what cannot be read is left out.

    *texts* are those of its parts, `None` for a thought. *groundings* and *citations* are the
    JSON of each `groundingMetadata` and `citationMetadata`; a stream may have several.
    """
    content = _Content(texts)
    found: list[Any] = []
    for raw in groundings:
        found += _of_grounding(raw, content)
    for raw in citations:
        found += _of_citations(raw, content)
    distinct = [each for place, each in enumerate(found) if each not in found[:place]]
    return distinct or None


def _of_grounding(raw: bytes, content: _Content) -> Iterator[dict[str, Any]]:
    given = _read(raw)
    if given is None:
        return
    chunks = given.grounding_chunks
    for support in given.grounding_supports:
        segment = support.segment
        if segment is None:
            continue
        start, end = content.characters(
            segment.start_index, segment.end_index, segment.part_index, segment.text
        )
        for place in support.grounding_chunk_indices:
            source = chunks[place].source if 0 <= place < len(chunks) else None
            if source is not None:
                yield _annotation(start, end, source.uri, source.title)


def _of_citations(raw: bytes, content: _Content) -> Iterator[dict[str, Any]]:
    if not raw or raw == b"null":
        return
    try:
        given = _decode_citations(raw)
    except _UNREADABLE:
        return
    for each in (*given.citations, *given.citation_sources):
        if each.uri:
            start, end = content.characters(each.start_index, each.end_index, 0, None)
            yield _annotation(start, end, each.uri, each.title)


def _annotation(start: int, end: int, url: str | None, title: str | None) -> dict[str, Any]:
    return {
        "type": "url_citation",
        "url_citation": {
            "start_index": start,
            "end_index": end,
            "url": url,
            "title": title or "",
        },
    }


def _read(raw: bytes) -> _Grounding | None:
    if not raw or raw == b"null":
        return None
    try:
        return _decode_grounding(raw)
    except _UNREADABLE:
        return None


def note_citations(raw: bytes, path: str, notes: Notes) -> None:
    """Note what of a `citationMetadata` has no place in the annotations."""
    if not raw or raw == b"null":
        return
    try:
        given = _decode_citations(raw)
    except _UNREADABLE:
        notes.append(f"{path}: not as documented, left in response.raw")
        return
    if not all(each.uri for each in (*given.citations, *given.citation_sources)):
        notes.append(f"{path}: a citation without an address, left in response.raw")


def note_grounding(raw: bytes, path: str, notes: Notes) -> None:
    """Note what of a `groundingMetadata` has no place in the annotations, and what is billed."""
    if not raw or raw == b"null":
        return
    given = _read(raw)
    if given is None:
        notes.append(f"{path}: not as documented, left in response.raw")
        return
    if len(given.search_entry_point):
        notes.append(f"{path}.searchEntryPoint: left in response.raw")
    if any(chunk.source is None for chunk in given.grounding_chunks):
        notes.append(f"{path}.groundingChunks: without an address, left in response.raw")
    if given.web_search_queries or given.image_search_queries:
        notes.append(f"{path}.webSearchQueries: not priced")
        notes.bill("at_least")
