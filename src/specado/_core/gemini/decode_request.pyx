"""Gemini request decoder: a `generateContent` request to the canonical form.

Every member of `google.genai.types` 3.6.1 (2026-11-30) has a branch here; content without a
canonical form is reported by a row of `specado.losses.rows`, with its path in the request as it was
given. Names may be in camelCase or in snake_case, as the API's own JSON parser takes them.
"""

cimport cython

from specado._core.conversation cimport (
    ASSISTANT, AUDIO, FILE, IMAGE, SYSTEM, TEXT, TOOL, USER, Call, Details, Part, Turn,
)
from specado._core.encoder cimport is_name
from specado._core.normalize cimport is_base64, keep_uri
from specado._core.json_writer cimport JsonWriter
from specado._core.source_reader cimport SourceReader

import msgspec

from specado._core.gemini.loss_rows import (
    FILE_ID, GEMINI_AUDIO_FORMAT, GEMINI_CALL_ID, GEMINI_CALL_ORDER, GEMINI_FILE_NAME,
    GEMINI_FILE_URI, GEMINI_FORMAT_NAME, GEMINI_FORMAT_ROOT, GEMINI_FORMAT_STRICT,
    GEMINI_INCLUDE_THOUGHTS, GEMINI_MEDIA_RESOLUTION, GEMINI_MODALITIES, GEMINI_MODEL_MEDIA,
    GEMINI_PART_OPTION, GEMINI_RESULT, GEMINI_RESULT_MEDIA, GEMINI_SCHEMA, GEMINI_SEARCH_OPTION,
    GEMINI_SERVER_PART, GEMINI_SERVER_TOOL, GEMINI_THINKING_BUDGET, GEMINI_TOOL_OPTION,
    GEMINI_TOOL_STRICT, GEMINI_VALIDATED, GEMINI_VIDEO, MESSAGES_BLANK, PARAM_UNKNOWN,
    RESPONSE_FORMAT_CLOSED, RESPONSE_FORMAT_UNSUPPORTED, SERVICE_TIER, STOP_TOO_MANY, SYSTEM_PART,
    TOOL_CHOICE_WITHOUT_TOOLS,
)
from specado._core.gemini.native import SIGNATURE_FORMAT, STAND_IN
from specado._core.gemini.openapi_schema import closed_schema, json_schema
from specado._core.json_writer import NotJson, locate
from specado._core.loss_rows import NATIVE_ORDER, PART_UNKNOWN_KEY
from specado._core.parameters import MAX_STOPS
from specado._core.schema import openai_enforces, openai_form
from specado.errors import MessageFormatError
from specado.types import ReasoningBlock

# The kinds of a part's data: a part has one of them.
cdef tuple KINDS = (
    "text", "functionCall", "functionResponse", "inlineData", "fileData", "executableCode",
    "codeExecutionResult", "toolCall", "toolResponse",
)
cdef frozenset MEDIA = frozenset({"inlineData", "fileData"})
# What may stand beside the data, and is not read where there is no place for it.
cdef frozenset PART_OPTIONS = frozenset({
    "audioMetadata", "audioTranscription", "documentMetadata", "mediaProcessing",
    "mediaResolution", "partMetadata", "speechMetadata", "spreadsheetMetadata", "videoMetadata",
})
cdef frozenset NO_NAMES = frozenset()
cdef frozenset SIGNED = frozenset({"thought", "thoughtSignature"})
cdef frozenset BLOB_KEYS = frozenset({"data", "mimeType", "displayName"})
cdef frozenset FILE_KEYS = frozenset({"fileUri", "mimeType", "displayName"})
cdef frozenset CALL_KEYS = frozenset({"id", "name", "args"})
cdef frozenset RESULT_KEYS = frozenset({"id", "name", "response", "parts"})
cdef frozenset CONTENT_KEYS = frozenset({"parts", "role"})
cdef dict AUDIO_FORMATS = {
    "audio/wav": "wav", "audio/x-wav": "wav", "audio/wave": "wav", "audio/vnd.wave": "wav",
    "audio/mp3": "mp3", "audio/mpeg": "mp3",
}
cdef dict FILE_NAMES = {"application/pdf": "document.pdf", "text/plain": "document.txt"}
cdef tuple IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".heic", ".heif")
# URIs of files that are stored with Google.
cdef tuple STORED = ("gs://", "https://generativelanguage.googleapis.com/", "files/")
cdef tuple YOUTUBE = ("https://www.youtube.com/", "https://youtube.com/", "https://youtu.be/")
cdef dict DETAILS = {
    "MEDIA_RESOLUTION_LOW": "low", "MEDIA_RESOLUTION_HIGH": "high",
    "MEDIA_RESOLUTION_ULTRA_HIGH": "original",
}
# The longest name of an answer's schema in OpenAI's API; a title may serve as one.
cdef Py_ssize_t LONGEST_FORMAT_NAME = 64
# The order of an answer's parts in the canonical form.
cdef enum:
    REASONING = 0
    WORDS = 1
    CALLS = 2
# Members of `generationConfig` with a counterpart of the same type.
cdef dict SAME_TYPE = {
    "temperature": "temperature", "topP": "top_p", "presencePenalty": "presence_penalty",
    "frequencyPenalty": "frequency_penalty", "responseLogprobs": "logprobs",
}
# Whole numbers, which the API takes as floats too.
cdef dict WHOLE_NUMBERS = {
    "maxOutputTokens": "max_tokens", "candidateCount": "n", "seed": "seed",
    "logprobs": "top_logprobs",
}
cdef dict TIERS = {"standard": "default", "flex": "flex", "priority": "priority"}
# The most tokens of the efforts `low` and `medium`; their own budgets at Google's
# OpenAI-compatible address ("Thinking" guide, read 2026-11-30).
cdef enum:
    LOW_BUDGET = 1024
    MEDIUM_BUDGET = 8192
# A parameter that the field table does not have: its loss row, and the value that is no loss.
cdef tuple UNKNOWN = (PARAM_UNKNOWN, None)
cdef tuple FORMAT_NAMES = ("responseJsonSchema", "responseSchema", "responseMimeType")


cdef str camel(str name):
    """Return a member's name in camelCase; `_responseJsonSchema` has an underscore in the API."""
    cdef list words = name.lstrip("_").split("_")
    return words[0] + "".join([word[:1].upper() + word[1:] for word in words[1:]])


@cython.final
@cython.freelist(64)
cdef class Node:
    """A JSON object of the request: its members by their camelCase names, and its path."""

    cdef dict given     # as the caller wrote it
    cdef dict members   # the same object where no name needs another spelling
    cdef str path       # "" for the request itself

    cdef object get(self, str name):
        return self.members.get(name)

    cdef str at(self, str name):
        """Return the path of a member, as the caller spelled it."""
        if name not in self.given:
            for key in self.given:
                if isinstance(key, str) and "_" in <str>key and camel(<str>key) == name:
                    name = key
                    break
        return f"{self.path}.{name}" if self.path else name


@cython.final
cdef class RequestReader(SourceReader):
    """Reads one Gemini request."""

    cdef dict settings      # as `parameters`, of the members of `generationConfig`
    cdef list open_calls    # the calls that a result may answer, in order
    cdef Py_ssize_t calls_without_id
    cdef str strict_path    # of the mode that enforces the schemas of all functions

    cdef object malformed(self, str path, str what):
        """Return the error of a malformed member at *path*."""
        cdef object index = None
        cdef str field = path
        if path.startswith("contents["):
            head, _, field = path.partition("]")
            index = int(head[9:])
            field = field.lstrip(".") or None
        return MessageFormatError(f"{path}: {what}", index=index, field=field)

    cdef Node node(self, object value, str path):
        """Return a JSON object by its camelCase names; anything else is an error."""
        cdef Node made = Node.__new__(Node)
        made.given = self.dict_of(value, path)
        made.members = made.given
        made.path = path
        for name in made.given:
            if isinstance(name, str) and "_" in <str>name:
                made.members = {
                    camel(<str>key) if isinstance(key, str) else key: item
                    for key, item in made.given.items()
                }
                break
        return made

    cdef Node inner(self, Node outer, str name):
        """Return the object in a member."""
        return self.node(outer.get(name), outer.at(name))

    cdef list items(self, object value, str path):
        """Return the items of a list with their paths; another value counts as one item."""
        if isinstance(value, (list, tuple)):
            return [(item, f"{path}[{place}]") for place, item in enumerate(value)]
        return [(value, path)]

    cdef object schema(self, object value, str path, bint is_openapi):
        """Return a schema together with its JSON text, written once for all candidates."""
        cdef object made = value
        if is_openapi:
            try:
                made = json_schema(value)
            except NotJson as error:
                raise self.malformed(path + locate(value), str(error)) from None
            if made != value:
                self.lose(GEMINI_SCHEMA, path)
        return self.written(made, path)

    cdef str json_of(self, object value, str path):
        """Return an object as JSON text; `msgspec.Raw` stays as it is, and nothing is `{}`."""
        cdef JsonWriter writer
        if value is None:
            return "{}"
        if isinstance(value, msgspec.Raw):
            return bytes(value).decode()
        if not isinstance(value, dict):
            raise self.malformed(path, f"must be a dict, not {self.shown(value, path)}")
        writer = JsonWriter()
        try:
            writer.value(value, 0)
        except NotJson as error:
            raise self.malformed(path + locate(value), str(error)) from None
        return writer.finish().decode()

    cdef int check_members(self, Node node, frozenset known, frozenset also=NO_NAMES) except -1:
        """Report members of a part or what it holds that are not among the *known* ones."""
        for name, value in node.members.items():
            if value is None or name in known or name in also:
                continue
            if name in PART_OPTIONS:
                self.lose(GEMINI_PART_OPTION, node.at(name), value)
            else:
                self.lose(PART_UNKNOWN_KEY, node.at(name), value)
        return 0

    # Parts.

    cdef str kind_of(self, Node part):
        """Return the kind of a part's data; one without any is an empty text if it is signed."""
        cdef str found = None
        for kind in KINDS:
            if part.members.get(kind) is not None:
                if found is not None:
                    raise self.malformed(part.path, f"has {found} and {kind}: a part has one")
                found = kind
        if found is None:
            if part.get("thoughtSignature") is None:
                raise self.malformed(part.path, f"has no data; known: {', '.join(KINDS)}")
            return "text"
        return found

    cdef Part text_part(self, str text, str path):
        cdef Part part = Part.__new__(Part)
        part.origin = path
        part.text = self.counted(text)
        return part

    cdef str words_of(self, Node part):
        if part.get("text") is None:
            return ""
        return self.text_of(part.members["text"], part.at("text"))

    cdef Part user_part(self, Node given, str kind):
        """Return a part of a user's content; `None` (reported) if it has no canonical form."""
        cdef Part part = None
        if kind == "text":
            part = self.text_part(self.words_of(given), given.path)
        elif kind == "inlineData":
            part = self.inline_part(self.inner(given, kind), given.path)
        elif kind == "fileData":
            part = self.file_part(self.inner(given, kind), given.path)
        elif kind == "functionCall":
            raise self.malformed(given.at(kind), "a user makes no function calls")
        else:
            self.lose(GEMINI_SERVER_PART, given.path, kind)
        if part is not None:
            self.read_options(given, kind, part)
        return part

    cdef int read_options(self, Node given, str kind, Part part) except -1:
        """Read what stands beside the data: the resolution of an image is its detail."""
        cdef Node resolution
        if part.kind == IMAGE and given.get("mediaResolution") is not None:
            resolution = self.inner(given, "mediaResolution")
            part.detail = DETAILS.get(resolution.get("level"))
            if part.detail is None or len(resolution.members) > 1:
                self.lose(
                    GEMINI_MEDIA_RESOLUTION, resolution.path, resolution.given, part.detail
                )
            return self.check_members(given, frozenset({kind, "mediaResolution"}))
        return self.check_members(given, frozenset({kind}))

    cdef str base64_of(self, Node blob):
        """Return data with base64's own alphabet and padding; the API takes the URL-safe one."""
        cdef str path = blob.at("data")
        cdef str data = standard_base64(self.text_of(blob.get("data"), path))
        if not is_base64(data, 0):
            raise self.malformed(path, "the data is not base64")
        return data

    cdef Part inline_part(self, Node blob, str path):
        cdef Part part = Part.__new__(Part)
        cdef str media = self.text_of(blob.get("mimeType"), blob.at("mimeType"))
        cdef str base = media.partition(";")[0].strip().lower()
        cdef str data = self.base64_of(blob)
        self.check_members(blob, BLOB_KEYS)
        part.origin = path
        if base.startswith("video/"):
            self.lose(GEMINI_VIDEO, path, media)
            return None
        if base.startswith("audio/"):
            if base not in AUDIO_FORMATS:
                self.lose(GEMINI_AUDIO_FORMAT, path, media)
                return None
            part.kind, part.text, part.detail = AUDIO, data, AUDIO_FORMATS[base]
            self.conversation.sounds += 1
            self.conversation.extra_bytes += len(data)
            return self.named_part(part, blob)
        keep_uri(part, f"data:{base};base64,{data}")
        part.start = len(part.text) - len(data)  # a media type may have a comma too
        self.conversation.extra_bytes += len(part.text)
        if base.startswith("image/"):
            part.kind = IMAGE
            self.conversation.images += 1
            return self.named_part(part, blob)
        part.kind = FILE
        self.conversation.files += 1
        if blob.get("displayName") is not None:
            part.detail = self.text_of(blob.members["displayName"], blob.at("displayName"))
        else:
            part.detail = FILE_NAMES.get(base, "document")
            self.lose(GEMINI_FILE_NAME, blob.path, None, part.detail)
        return part

    cdef Part named_part(self, Part part, Node data):
        """Report the name of data that has none in the canonical form."""
        if data.get("displayName") is not None:
            self.lose(PART_UNKNOWN_KEY, data.at("displayName"), data.members["displayName"])
        return part

    cdef Part file_part(self, Node file, str path):
        cdef Part part = Part.__new__(Part)
        cdef str uri = self.text_of(file.get("fileUri"), file.at("fileUri"))
        cdef object given = file.get("mimeType")
        cdef str media = "" if given is None else self.text_of(given, file.at("mimeType")).lower()
        cdef str head = uri.lower()
        self.check_members(file, FILE_KEYS)
        if media.startswith("video/") or head.startswith(YOUTUBE):
            self.lose(GEMINI_VIDEO, path, uri)
            return None
        if head.startswith(STORED):
            self.lose(FILE_ID, path, uri)
            return None
        is_image = media.startswith("image/") if media else is_image_path(head)
        if not is_image or not head.startswith(("http://", "https://")):
            self.lose(GEMINI_FILE_URI, path, uri)
            return None
        part.kind, part.text, part.origin = IMAGE, uri, path
        self.conversation.images += 1
        return self.named_part(part, file)

    cdef str signature_of(self, Node part):
        """Return a part's signature, `None` without one or for what stands in for one."""
        cdef str path
        if part.get("thoughtSignature") is None:
            return None
        path = part.at("thoughtSignature")
        found = self.text_of(part.members["thoughtSignature"], path)
        if found == STAND_IN:
            return None
        found = standard_base64(found)
        if not is_base64(found, 0):
            raise self.malformed(path, "the signature is not base64")
        return found

    # Contents.

    cdef Node part_node(self, object value, str path):
        """Return a part; a str is a text, as in Google's Python package."""
        if isinstance(value, str):
            return self.node({"text": value}, path)
        return self.node(value, path)

    cdef list parts_in(self, Node content):
        """Return the parts of a content, which the API takes as a list or alone."""
        cdef object parts = content.get("parts")
        if parts is None:
            return []
        return [self.part_node(item, path) for item, path in self.items(parts, content.at("parts"))]

    cdef int read_system(self, object system, str path) except -1:
        cdef list parts = []
        cdef list found = []
        cdef Node node
        for item, where in self.items(system, path):
            node = self.part_node(item, where)
            if "parts" in node.members or "role" in node.members:
                self.check_members(node, CONTENT_KEYS)
                found += self.parts_in(node)
            else:
                found.append(node)
        for node in found:
            if self.kind_of(node) != "text":
                self.lose(SYSTEM_PART, node.path, self.kind_of(node))
                continue
            parts.append(self.text_part(self.words_of(node), node.path))
            self.check_members(node, frozenset({"text"}))
        if len(parts) == 1:
            return self.add(SYSTEM, "system", (<Part>parts[0]).text, None, None, (<Part>parts[0]).origin)
        if parts:
            self.add(SYSTEM, "system", None, parts, None, path)
        return 0

    cdef int read_contents(self, object contents, str path) except -1:
        """Read contents: a list, or one alone; parts without a content are one of the user's."""
        cdef list loose = []
        cdef Node node
        for item, where in self.items(contents, path):
            node = self.part_node(item, where)
            if "parts" not in node.members and "role" not in node.members:
                loose.append(node)
                continue
            if loose:
                self.read_user(loose, (<Node>loose[0]).path)
                loose = []
            self.read_content(node)
        if loose:
            self.read_user(loose, (<Node>loose[0]).path)
        return 0

    cdef int read_content(self, Node content) except -1:
        cdef object role = content.get("role")
        self.check_members(content, CONTENT_KEYS)
        if role == "model":
            return self.read_model(self.parts_in(content), content.path)
        # Older models took results under the role `function`.
        if role is None or role in ("user", "function", "tool"):
            return self.read_user(self.parts_in(content), content.path)
        raise self.malformed(content.at("role"), f"must be user or model, not {role!r}")

    cdef int read_user(self, list given, str path) except -1:
        """Read results as tool messages, and other parts as one user message after them."""
        cdef list parts = []
        cdef list moved = []
        cdef Node node
        cdef Part part
        for node in given:
            kind = self.kind_of(node)
            if kind == "functionResponse":
                self.read_result(self.inner(node, kind), node, moved)
                continue
            part = self.user_part(node, kind)
            if part is not None:
                parts.append(part)
        parts = moved + parts
        if len(parts) == 1 and (<Part>parts[0]).kind == TEXT:
            return self.add(USER, "user", (<Part>parts[0]).text, None, None, path)
        if parts:
            self.add(USER, "user", None, parts, None, path)
        return 0

    cdef int read_result(self, Node result, Node outer, list moved) except -1:
        """Read a `functionResponse` as a tool message; its media are added to *moved*.

        The user message after it gets them, after a line that names the call.
        """
        cdef Details more = Details.__new__(Details)
        cdef list media = []
        cdef Node item
        cdef Part part
        cdef str text
        self.check_members(outer, frozenset({"functionResponse"}))
        self.check_members(result, RESULT_KEYS)
        more.tool_call_id = self.answered_call(result)
        text = self.counted(self.result_text(result))
        self.add(TOOL, "tool", text, None, more, outer.path)
        if result.get("parts") is None:
            return 0
        for value, where in self.items(result.members["parts"], result.at("parts")):
            item = self.node(value, where)
            kind = self.kind_of(item)
            if kind not in MEDIA:
                raise self.malformed(where, "a result's parts are inlineData or fileData")
            part = self.user_part(item, kind)
            if part is not None:
                self.lose(GEMINI_RESULT_MEDIA, where, kind, "user turn")
                media.append(part)
        if media:
            said = f"From the result of the tool call {more.tool_call_id}:"
            moved += [self.text_part(said, outer.path), *media]
        return 0

    cdef str answered_call(self, Node result):
        """Return the canonical id of the call that a result answers: by its id, else its name."""
        cdef str name = self.text_of(result.get("name"), result.at("name"))
        cdef object id_ = result.get("id")
        cdef Call call
        cdef list named = [call for call in self.open_calls if (<Call>call).name == name]
        for call in self.open_calls:
            if id_ not in (None, "") and call.id == id_:
                if call.name != name:
                    raise self.malformed(
                        result.at("name"), f"the call {id_!r} is one of {call.name!r}"
                    )
                self.open_calls.remove(call)
                return call.id
        if not named:
            raise self.malformed(result.path, f"answers no call of {name!r} before it")
        if len(named) > 1 or id_ is not None:
            self.lose(GEMINI_CALL_ORDER, result.path, id_, (<Call>named[0]).id)
        self.open_calls.remove(named[0])
        return (<Call>named[0]).id

    cdef str result_text(self, Node result):
        """Return a result as text: that of `output` if it has no other member, else its JSON."""
        cdef object response = result.get("response")
        cdef str path
        if response is None:
            return ""
        path = result.at("response")
        if isinstance(response, dict) and len(<dict>response) == 1:
            output = (<dict>response).get("output")
            if isinstance(output, str):
                return output
        self.lose(GEMINI_RESULT, path)
        return self.json_of(response, path)

    cdef int read_model(self, list given, str path) except -1:
        cdef list parts = []
        cdef list calls = []
        cdef list reasoning = []
        cdef list origins = []
        cdef Node node
        cdef int rank, last = REASONING
        for node in given:
            kind = self.kind_of(node)
            signature = self.signature_of(node)
            call_id = None
            rank = WORDS
            if kind == "text":
                text = self.words_of(node)
                if node.get("thought"):
                    rank = REASONING
                    reasoning.append(self.thought(self.counted(text), signature))
                    origins.append(node.path)
                    signature = None
                elif text or signature is None:
                    parts.append(self.text_part(text, node.path))
                else:
                    rank = last  # an empty text, which holds a signature
            elif kind == "functionCall":
                rank = CALLS
                calls.append(self.call_of(self.inner(node, kind), node))
                call_id = (<Call>calls[-1]).id
            elif kind == "functionResponse":
                raise self.malformed(node.at(kind), "a model gives no function responses")
            else:
                row = GEMINI_MODEL_MEDIA if kind in MEDIA else GEMINI_SERVER_PART
                self.lose(row, node.path, kind)
                continue
            self.check_members(node, SIGNED, frozenset({kind}))
            if signature is not None:
                reasoning.append(self.signed(signature, call_id))
                origins.append(node.path)
            if rank < last:
                self.lose(NATIVE_ORDER, node.path)
            last = max(rank, last)
        return self.add_assistant(parts, calls, reasoning, origins, path)

    cdef object thought(self, str text, object signature):
        return ReasoningBlock(
            "reasoning.text", text, signature, None, self.model, None, SIGNATURE_FORMAT
        )

    cdef object signed(self, str signature, object call_id):
        """Return the block of a signature beside a call, or beside a text: the id is `None`."""
        return ReasoningBlock(
            "reasoning.encrypted", None, None, signature, self.model, call_id, SIGNATURE_FORMAT
        )

    cdef Call call_of(self, Node given, Node outer):
        cdef Call call = Call.__new__(Call)
        call.origin = outer.path
        call.name = self.text_of(given.get("name"), given.at("name"))
        call.text = self.counted(self.json_of(given.get("args"), given.at("args")))
        self.check_members(given, CALL_KEYS)
        if given.get("id") not in (None, ""):
            call.id = self.text_of(given.members["id"], given.at("id"))
        else:
            # Made from the call's position: the same history gets the same ids on every turn.
            self.calls_without_id += 1
            call.id = f"call_gemini_{self.calls_without_id}"
            self.lose(GEMINI_CALL_ID, given.path, None, call.id)
        return call

    cdef int add_assistant(self, list parts, list calls, list reasoning, list origins,
                           str path) except -1:
        """Add an assistant message, or continue one that calls: its results come after it."""
        cdef Turn turn
        cdef Details more = None
        cdef list turns = self.conversation.turns
        if turns and (<Turn>turns[-1]).role == ASSISTANT:
            turn = turns[-1]
            if turn.more is not None and turn.more.calls is not None:
                turns.pop()
                path = turn.origin
                if parts:
                    self.lose(NATIVE_ORDER, (<Part>parts[0]).origin)
                parts = self.parts_of(turn) + parts
                calls = turn.more.calls + calls
                reasoning = (turn.more.reasoning_details or []) + reasoning
                origins = (turn.more.origins or []) + origins
        self.open_calls = list(calls)
        if calls or reasoning:
            more = Details.__new__(Details)
            more.calls = calls or None
            more.reasoning_details = reasoning or None
            more.origins = origins
        if len(parts) == 1:  # the content is the text itself
            return self.add(ASSISTANT, "assistant", (<Part>parts[0]).text, None, more, path)
        if parts or more is not None:
            self.add(ASSISTANT, "assistant", None, parts or None, more, path)
        return 0

    cdef list parts_of(self, Turn turn):
        if turn.text is None:
            return turn.parts or []
        part = Part.__new__(Part)
        (<Part>part).text = turn.text
        (<Part>part).origin = turn.origin
        return [part]

    # Parameters.

    cdef int read_params(self, Node request) except -1:
        for name, value in request.members.items():
            if value is None or name in ("model", "contents", "systemInstruction"):
                continue
            dropped = self.parameters.get(name, UNKNOWN)
            if dropped is not None:
                if value or isinstance(value, bool):
                    self.lose(dropped[0], request.at(name), value)
            elif name == "generationConfig":
                self.read_config(self.inner(request, name))
            elif name == "serviceTier":
                self.read_tier(value, request.at(name))
            elif name in ("store", "stream"):
                self.params[name] = value
        if request.get("toolConfig") is not None:
            self.read_tool_config(self.inner(request, "toolConfig"))
        if request.get("tools") is not None:
            self.read_tools(request.members["tools"], request.at("tools"))
        if "tools" not in self.params:
            # OpenAI refuses a choice without tools.
            choice = self.params.pop("tool_choice", None)
            if choice is not None and choice != "auto" and choice != "none":
                self.lose(TOOL_CHOICE_WITHOUT_TOOLS, self.places["tool_choice"], choice)
        return 0

    cdef int keep(self, str name, object value, str path) except -1:
        """Keep a canonical parameter, and where the caller wrote it."""
        self.params[name] = value
        self.places[name] = path
        return 0

    cdef int read_tier(self, object value, str path) except -1:
        tier = self.text_of(value, path).lower()
        if tier in TIERS:
            return self.keep("service_tier", TIERS[tier], path)
        if tier != "unspecified":
            self.lose(SERVICE_TIER, path, value)
        return 0

    cdef int read_config(self, Node config) except -1:
        for name, value in config.members.items():
            if value is None or name in FORMAT_NAMES:
                continue
            path = config.at(name)
            dropped = self.settings.get(name, UNKNOWN)
            if name in SAME_TYPE:
                self.keep(SAME_TYPE[name], value, path)
            elif name in WHOLE_NUMBERS:
                self.keep(WHOLE_NUMBERS[name], whole(value), path)
            elif name == "stopSequences":
                self.read_stops(value, path)
            elif name == "thinkingConfig":
                self.read_thinking(self.inner(config, name))
            elif name == "responseModalities":
                self.read_modalities(value, path)
            elif dropped is not None:
                if value or isinstance(value, bool):
                    self.lose(dropped[0], path, value)
        return self.read_format(config)

    cdef int read_stops(self, object stops, str path) except -1:
        if isinstance(stops, str) or not isinstance(stops, (list, tuple)):
            raise self.malformed(path, "must be a list of str")
        found = [self.text_of(stop, f"{path}[{place}]") for place, stop in enumerate(stops)]
        for place in range(MAX_STOPS, len(found)):
            self.lose(STOP_TOO_MANY, f"{path}[{place}]", found[place])
        if found:
            self.keep("stop", found[:MAX_STOPS], path)
        return 0

    cdef int read_modalities(self, object value, str path) except -1:
        if isinstance(value, str) or not isinstance(value, (list, tuple)):
            raise self.malformed(path, "must be a list of str")
        if [each for each in value if each not in ("TEXT", "text")]:
            self.lose(GEMINI_MODALITIES, path, value, ["text"])
        return 0

    cdef int read_thinking(self, Node config) except -1:
        cdef object budget = config.get("thinkingBudget")
        cdef object level = config.get("thinkingLevel")
        for name, value in config.members.items():
            if name == "includeThoughts":
                if value:
                    self.lose(GEMINI_INCLUDE_THOUGHTS, config.at(name), value)
            elif name not in ("thinkingBudget", "thinkingLevel") and value is not None:
                self.lose(PARAM_UNKNOWN, config.at(name), value)
        if level is not None and budget is not None:
            raise self.malformed(config.path, "thinkingBudget or thinkingLevel, not both")
        if level is not None:
            path = config.at("thinkingLevel")
            level = self.text_of(level, path).lower()
            if level != "thinking_level_unspecified":
                self.keep("reasoning_effort", level, path)
        if budget is not None:
            path = config.at("thinkingBudget")
            budget = whole(budget)
            if isinstance(budget, bool) or not isinstance(budget, int):
                raise self.malformed(path, "must be a whole number of tokens")
            effort = effort_for(budget)
            if effort is not None:
                self.keep("reasoning_effort", effort, path)
            self.lose(GEMINI_THINKING_BUDGET, path, budget, effort)
        return 0

    cdef int read_format(self, Node config) except -1:
        """Read the form of the answer: a schema in one of two forms, or any JSON."""
        cdef object media = config.get("responseMimeType")
        cdef bint is_openapi = config.get("responseJsonSchema") is None
        cdef str name = "responseSchema" if is_openapi else "responseJsonSchema"
        cdef str media_path = config.at("responseMimeType")
        if media is not None:
            media = self.text_of(media, media_path).lower()
        if not is_openapi and config.get("responseSchema") is not None:
            raise self.malformed(config.path, "responseSchema or responseJsonSchema, not both")
        if media is not None and media not in ("text/plain", "application/json"):
            return self.lose(RESPONSE_FORMAT_UNSUPPORTED, media_path, media)
        if config.get(name) is not None:
            return self.read_schema(config.members[name], config.at(name), is_openapi)
        if media == "application/json":
            self.keep("response_format", {"type": "json_object"}, media_path)
        return 0

    cdef int read_schema(self, object given, str path, bint is_openapi) except -1:
        cdef object schema = self.schema(given, path, is_openapi)
        if not isinstance(schema, dict):
            raise self.malformed(path, f"must be a dict, not {type(schema).__name__}")
        if schema.get("type", "object") != "object":
            return self.lose(GEMINI_FORMAT_ROOT, path, schema["type"])
        strict = openai_form(schema, path)[0] is not None
        if not strict:
            closed = closed_schema(schema)
            strict = openai_form(closed, path)[0] is not None
            if strict:
                self.lose(RESPONSE_FORMAT_CLOSED, path, None, False)
                schema = self.written(closed, path)
        name = schema.get("title")
        if not isinstance(name, str) or not is_name(name, LONGEST_FORMAT_NAME):
            name = "response"
            self.lose(GEMINI_FORMAT_NAME, path, None, name)
        for member in ("", ".json_schema", ".json_schema.schema", ".json_schema.name",
                       ".json_schema.strict"):
            self.places["response_format" + member] = path
        self.params["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": name, "schema": schema, "strict": strict},
        }
        if not strict:
            self.lose(GEMINI_FORMAT_STRICT, path, True, False)
        return 0

    cdef int read_tools(self, object tools, str path) except -1:
        cdef list found = []
        cdef Node tool
        for item, where in self.items(tools, path):
            tool = self.node(item, where)
            for name, value in tool.members.items():
                if value is None:
                    continue
                if name == "functionDeclarations":
                    for given, place in self.items(value, tool.at(name)):
                        self.read_function(self.node(given, place), found)
                elif name == "googleSearch" or name == "googleSearchRetrieval":
                    self.read_search(self.inner(tool, name))
                else:
                    self.lose(GEMINI_SERVER_TOOL, tool.at(name), name)
        if found:
            self.params["tools"] = found
        return 0

    cdef int read_search(self, Node search) except -1:
        self.keep("web_search_options", {}, search.path)
        for name, value in search.members.items():
            if value is not None:
                self.lose(GEMINI_SEARCH_OPTION, search.at(name), value)
        return 0

    cdef int read_function(self, Node given, list found) except -1:
        cdef dict function = {"name": self.text_of(given.get("name"), given.at("name"))}
        cdef str place = f"tools[{len(found)}]"
        self.places[place] = self.places[f"{place}.function"] = given.path
        for name, value in given.members.items():
            if name == "name" or value is None:
                continue
            path = given.at(name)
            if name == "description":
                function[name] = self.text_of(value, path)
            elif name == "parameters" or name == "parametersJsonSchema":
                if "parameters" in function:
                    raise self.malformed(
                        given.path, "parameters or parametersJsonSchema, not both"
                    )
                function["parameters"] = self.schema(value, path, name == "parameters")
                self.places[f"{place}.function.parameters"] = path
            else:
                self.lose(GEMINI_TOOL_OPTION, path, value)
        if self.strict_path is not None:
            function["strict"] = openai_enforces(function.get("parameters"))
            self.places[f"{place}.function.strict"] = self.strict_path
            if not function["strict"]:
                self.lose(GEMINI_TOOL_STRICT, given.path, True, False)
        found.append({"type": "function", "function": function})
        return 0

    cdef int read_tool_config(self, Node config) except -1:
        for name, value in config.members.items():
            if value is None:
                continue
            if name == "functionCallingConfig":
                self.read_choice(self.inner(config, name))
            elif name in ("retrievalConfig", "includeServerSideToolInvocations"):
                self.lose(GEMINI_TOOL_OPTION, config.at(name), value)
            else:
                self.lose(PARAM_UNKNOWN, config.at(name), value)
        return 0

    cdef int read_choice(self, Node config) except -1:
        cdef str path = config.at("mode")
        cdef object mode = config.get("mode")
        cdef object names = config.get("allowedFunctionNames")
        mode = "AUTO" if mode is None else self.text_of(mode, path).upper()
        for name, value in config.members.items():
            if name not in ("mode", "allowedFunctionNames") and value:
                self.lose(GEMINI_TOOL_OPTION, config.at(name), value)
        if mode not in ("AUTO", "ANY", "NONE", "VALIDATED", "MODE_UNSPECIFIED"):
            raise self.malformed(path, f"must be AUTO, ANY, NONE or VALIDATED, not {mode!r}")
        if mode == "VALIDATED":
            self.strict_path = path
            self.lose(GEMINI_VALIDATED, path, mode, "strict")
        if names is not None:
            names = self.names_in(names, config.at("allowedFunctionNames"))
        if mode == "NONE":
            return self.keep("tool_choice", "none", path)
        if names:
            self.places["tool_choice.allowed_tools"] = config.at("allowedFunctionNames")
            return self.choose(names, mode == "ANY", config.path)
        if mode == "ANY" or mode == "AUTO":
            self.keep("tool_choice", "required" if mode == "ANY" else "auto", path)
        return 0

    cdef list names_in(self, object given, str path):
        if isinstance(given, str) or not isinstance(given, (list, tuple)):
            raise self.malformed(path, "must be a list of function names")
        return [self.text_of(name, f"{path}[{place}]") for place, name in enumerate(given)]

    cdef int choose(self, list names, bint is_required, str path) except -1:
        """Keep a choice among the functions of some names."""
        cdef list chosen = [{"type": "function", "function": {"name": name}} for name in names]
        if is_required and len(chosen) == 1:
            return self.keep("tool_choice", chosen[0], path)
        return self.keep("tool_choice", {
            "type": "allowed_tools",
            "allowed_tools": {"mode": "required" if is_required else "auto", "tools": chosen},
        }, path)


cdef str standard_base64(str data):
    """Return base64 in the standard alphabet, with the padding that the URL-safe one may lack."""
    if "-" in data or "_" in data:
        data = data.replace("-", "+").replace("_", "/")
    if len(data) % 4:
        data += "=" * (4 - len(data) % 4)
    return data


cdef bint is_image_path(str uri):
    """Return whether an address without a media type names an image by its ending."""
    return uri.partition("?")[0].partition("#")[0].endswith(IMAGE_ENDINGS)


cdef object whole(object value):
    """Return a float that is a whole number as an int; another value as it is."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


cdef object effort_for(object budget):
    """Return the reasoning effort of a thinking budget; None where the model decides itself."""
    if budget < 0:
        return None
    if budget == 0:
        return "none"
    if budget <= LOW_BUDGET:
        return "low"
    return "medium" if budget <= MEDIUM_BUDGET else "high"


def read_request(request, dict parameters not None, dict settings not None, str model not None):
    """Return `(conversation, params, losses, places)` of a `generateContent` request.

    *parameters* are `FieldTable.parameters()` of the dialect's own fields, *settings* the same of
    the members of `generationConfig`; *model* is the one that the request is for. *places* maps
    each parameter to its path in *request*; turns, parts and calls have their paths in `origin`.
    Raises `MessageFormatError` with the path of the malformed value.
    """
    cdef RequestReader reader = RequestReader.__new__(RequestReader)
    cdef Node root
    reader.content_member = "contents"
    reader.parameters = parameters
    reader.settings = settings
    reader.open_calls = []
    reader.model = model
    root = reader.node(request, "")
    contents = root.get("contents")
    if contents is None or (isinstance(contents, (list, tuple)) and not contents):
        raise MessageFormatError("contents must have at least one content", field="contents")
    if root.get("systemInstruction") is not None:
        reader.read_system(root.members["systemInstruction"], root.at("systemInstruction"))
    reader.read_contents(contents, root.at("contents"))
    reader.read_params(root)
    if not reader.conversation.turns:
        reader.lose(MESSAGES_BLANK, root.at("contents"))
        reader.add(USER, "user", "", None, None, root.at("contents"))
    reader.check_losses()
    return reader.conversation, reader.params, reader.losses, reader.places
