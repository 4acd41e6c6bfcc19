"""Python examples of the interface document, and those that are no programs.

Nine are signatures or fragments.
"""

from __future__ import annotations

from markdown_examples import examples
from reference_files import REFERENCE

DOCUMENT = REFERENCE / "python-api.md" if REFERENCE else None
FRAGMENTS = (
    "class Client:",
    "class Message:",
    "class ChatCompletionResponse:",
    "response = client.chat.completions.create(...)",
    "class Choice:",
    "class Extensions:",
    "def create(",
    "async def create_async(",
    "# Check type compatibility\nisinstance(msg, specado.Message)",
)

EXAMPLES = examples(DOCUMENT) if DOCUMENT else []
FRAGMENT_AT = {
    start: example
    for start in FRAGMENTS
    for example in EXAMPLES
    if example.source.startswith(start)
}
FRAGMENT_LINES = {example.line for example in FRAGMENT_AT.values()}
