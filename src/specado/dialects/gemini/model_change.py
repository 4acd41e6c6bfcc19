"""Changes the model of a Gemini request, and adapts the body to the new model.

Unknown members, members without a loss row, and every member that the model is not known to refuse
are sent unchanged. Sources as for `specado.losses.rows`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from specado._core import NotJson, dumps, nearest_effort
from specado._core.gemini.loss_rows import (
    GEMINI_MEDIA_RESOLUTION,
    GEMINI_RESULT_MEDIA,
    GEMINI_THINKING_BUDGET,
    INPUT_AUDIO,
    INPUT_DOCUMENT,
    INPUT_IMAGE,
    LOGPROBS_MODEL,
    MAX_TOKENS_ABOVE_LIMIT,
    MEDIA_URI_UNSUPPORTED,
    PARAM_UNKNOWN,
    PENALTY_UNSUPPORTED,
    REASONING_EFFORT_LEVEL,
    REASONING_EFFORT_THINKING,
    REASONING_EFFORT_UNSUPPORTED,
    REASONING_STAND_IN,
    RESPONSE_FORMAT_CONFLICT,
    RESPONSE_FORMAT_UNSUPPORTED,
    SAMPLING_UNSUPPORTED,
    STOP_UNSUPPORTED,
    TOOL_STRICT,
    WEB_SEARCH_MODEL,
)
from specado._core.gemini.native import STAND_IN
from specado.catalog.lookup import NO_RULES
from specado.dialects.contract import Encoded
from specado.errors import MessageFormatError

if TYPE_CHECKING:
    from specado._core import Reported
    from specado.catalog.lookup import Model, RequestRules
    from specado.dialects.contract import DecodedRequest

__all__ = ["change_model"]

# Parts of the URL, and no members of the body.
_OF_THE_URL = ("model", "stream")
_SAMPLING = ("temperature", "topP", "topK")
_PENALTIES = ("presencePenalty", "frequencyPenalty")
_FORMAT = ("responseSchema", "responseJsonSchema")
_SEARCH = ("googleSearch", "googleSearchRetrieval")
# The beginning of a medium's type, its modality, and the row of a medium that the model lacks.
_MEDIA = (
    ("image/", "Image", INPUT_IMAGE),
    ("audio/", "Audio", INPUT_AUDIO),
    ("application/pdf", "Document", INPUT_DOCUMENT),
)
# The thinking budgets of Google's own OpenAI-compatible endpoint (its guide, read 2026-11-30).
_BUDGETS = {"minimal": 1024, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 24576}


def change_model(
    source: DecodedRequest,
    model: str,  # noqa: ARG001 - the URL names it
    facts: Model | None,
    rules: RequestRules = NO_RULES,
) -> Encoded:
    """Return the request of *source* adapted to a model and its servers, and the losses."""
    body = {name: value for name, value in source.native.items() if name not in _OF_THE_URL}
    _write_lists(body)
    losses = _without_unknown(body, rules.unknown_members)
    losses += _without_addresses(body, rules.media_uri_schemes)
    losses += [] if facts is None else _adapt(body, facts)
    try:
        return Encoded(dumps(body), losses)
    except NotJson as error:
        raise MessageFormatError(f"request: {error}", field="request") from None


def _without_unknown(body: dict[str, Any], unknown: tuple[str, ...]) -> list[Reported]:
    """Drop the members that the servers do not know, and return the losses."""
    losses: list[Reported] = []
    for path in unknown:
        first, *rest = path.split(".")
        name = _spelled(body, first.replace("[]", ""))
        if name is None:
            continue
        known = len(losses)
        if not rest:
            losses.append((PARAM_UNKNOWN, name, body.pop(name), None))
        elif first.endswith("[]"):
            items = body[name] if isinstance(body[name], (list, tuple)) else [body[name]]
            made = [
                _without(item, rest, f"{name}[{place}]", losses) for place, item in enumerate(items)
            ]
            body[name] = [item for item in made if item]
        else:
            body[name] = _without(body[name], rest, name, losses)
        if len(losses) > known and not body.get(name):
            body.pop(name, None)
    return losses


def _without(
    given: dict[str, Any], steps: list[str], path: str, losses: list[Reported]
) -> dict[str, Any]:
    """Return a copy of an object without the member at *steps*; report it."""
    name = _spelled(given, steps[0])
    if name is None:
        return given
    if len(steps) == 1:
        losses.append((PARAM_UNKNOWN, f"{path}.{name}", given[name], None))
        return {key: value for key, value in given.items() if key != name}
    return {**given, name: _without(given[name], steps[1:], f"{path}.{name}", losses)}


def _without_addresses(body: dict[str, Any], schemes: tuple[str, ...] | None) -> list[Reported]:
    """Drop files at addresses that the servers do not fetch, and return the losses."""
    losses: list[Reported] = []
    if schemes is None:
        return losses
    contents = []
    for index, content in enumerate(body["contents"]):
        kept = []
        for place, part in enumerate(content.get("parts") or ()):
            name = _spelled(part, "fileData")
            uri = "" if name is None else str(part[name].get(_spelled(part[name], "fileUri")))
            scheme, mark, _ = uri.partition("://")
            if mark and scheme.lower() not in schemes:
                losses.append(
                    (MEDIA_URI_UNSUPPORTED, f"contents[{index}].parts[{place}]", uri, None)
                )
            else:
                kept.append(part)
        if kept or not content.get("parts"):
            contents.append({**content, "parts": kept} if kept else content)
    body["contents"] = contents
    return losses


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _spelled(given: dict[str, Any], name: str) -> str | None:
    """Return the name of a member as the caller spelled it, `None` if there is no such member."""
    for each in (name, _snake(name)):
        if given.get(each) is not None:
            return each
    return None


def _write_lists(body: dict[str, Any]) -> None:
    """Write contents and the system instruction in the full form, as lists of parts."""
    body["contents"] = _contents(body["contents"])
    system = _spelled(body, "systemInstruction")
    if system is not None:
        value = body[system]
        body[system] = _content(value if _is_content(value) else {"parts": value})


def _contents(given: Any) -> list[Any]:
    """Return contents as a list; parts without a content are one of the user's."""
    found: list[Any] = []
    loose: list[Any] | None = None
    for item in given if isinstance(given, (list, tuple)) else [given]:
        if _is_content(item):
            found.append(_content(item))
            loose = None
            continue
        if loose is None:
            loose = []
            found.append({"role": "user", "parts": loose})
        loose.append(_part(item))
    return found


def _is_content(value: Any) -> bool:
    return isinstance(value, dict) and ("parts" in value or "role" in value)


def _content(given: dict[str, Any]) -> dict[str, Any]:
    """Return a content whose parts are a list of objects."""
    parts = given.get("parts")
    if parts is None or (isinstance(parts, (list, tuple)) and not any(map(_is_text, parts))):
        return given
    items = parts if isinstance(parts, (list, tuple)) else [parts]
    return {**given, "parts": [_part(item) for item in items]}


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _part(value: Any) -> Any:
    return {"text": value} if isinstance(value, str) else value


def _adapt(body: dict[str, Any], facts: Model) -> list[Reported]:
    """Adapt a body in place to a model, and return the losses."""
    change = _ModelChange(body, facts)
    change.contents()
    change.signatures()
    change.limit()
    change.sampling()
    change.thinking()
    change.tools()
    change.answer_format()
    change.write()
    return change.losses


class _ModelChange:
    """Adapts one body in place; nested values belong to the caller and are copied first."""

    def __init__(self, body: dict[str, Any], facts: Model) -> None:
        self._body = body
        self._facts = facts
        self._traits = facts.traits
        self.losses: list[Reported] = []
        self._config_name = _spelled(body, "generationConfig") or "generationConfig"
        self._config: dict[str, Any] = dict(body.get(self._config_name) or {})

    def write(self) -> None:
        """Put the adapted settings into the body."""
        if self._config:
            self._body[self._config_name] = self._config
        elif self._body.get(self._config_name):
            del self._body[self._config_name]

    def _lose(self, row: str, path: str, before: Any = None, after: Any = None) -> None:
        self.losses.append((row, path, before, after))

    def _drop(self, row: str, *names: str) -> None:
        """Drop settings that the request has."""
        for name in names:
            found = _spelled(self._config, name)
            if found is not None:
                self._lose(row, f"{self._config_name}.{found}", self._config.pop(found))

    # Contents.

    def contents(self) -> None:
        """Remove media that the model does not take, and move media out of results."""
        if self._facts.input_modalities is None and self._traits.media_in_tool_results is not False:
            return
        kept = []
        for index, content in enumerate(self._body["contents"]):
            parts = content.get("parts")
            if parts is None:
                kept.append(content)
                continue
            left = self._parts(parts, f"contents[{index}].parts")
            if left or not parts:
                kept.append({**content, "parts": left})
        self._body["contents"] = kept

    def _parts(self, parts: Any, path: str) -> list[Any]:
        kept: list[Any] = []
        moved: list[Any] = []
        for place, part in enumerate(parts):
            where = f"{path}[{place}]"
            name = _spelled(part, "functionResponse")
            if name is not None:
                kept.append({**part, name: self._result(part[name], f"{where}.{name}", moved)})
            elif not self._is_refused(part, where):
                kept.append(part)
        return kept + moved

    def _result(self, result: Any, path: str, moved: list[Any]) -> Any:
        """Return a function's result; media that it may not have are added to *moved*."""
        media = result.get("parts")
        if not media:
            return result
        left = [
            part
            for place, part in enumerate(media)
            if not self._is_refused(part, f"{path}.parts[{place}]")
        ]
        if self._traits.media_in_tool_results is not False:
            return {**result, "parts": left}
        for place in range(len(left)):
            self._lose(GEMINI_RESULT_MEDIA, f"{path}.parts[{place}]", "media", "user turn")
        moved += left
        return {name: value for name, value in result.items() if name != "parts"}

    def signatures(self) -> None:
        """Sign the first call of each step of the current turn, if the model wants it signed."""
        if self._traits.signed_calls is not True:
            return
        contents = list(self._body["contents"])
        for index in range(len(contents) - 1, -1, -1):
            parts = contents[index].get("parts") or []
            calls = [place for place, part in enumerate(parts) if _spelled(part, "functionCall")]
            if contents[index].get("role") != "model":
                if not all(_spelled(part, "functionResponse") for part in parts):
                    break  # the turn began here
            elif calls and _spelled(parts[calls[0]], "thoughtSignature") is None:
                path = f"contents[{index}].parts[{calls[0]}]"
                self._lose(REASONING_STAND_IN, path, None, STAND_IN)
                signed = {**parts[calls[0]], "thoughtSignature": STAND_IN}
                made = [*parts[: calls[0]], signed, *parts[calls[0] + 1 :]]
                contents[index] = {**contents[index], "parts": made}
        self._body["contents"] = contents

    def _is_refused(self, part: dict[str, Any], path: str) -> bool:
        """Return whether a part is a medium that the model is known not to take."""
        known = self._facts.input_modalities
        name = _spelled(part, "inlineData") or _spelled(part, "fileData")
        if known is None or name is None:
            return False
        media = str(part[name].get("mimeType") or part[name].get("mime_type") or "")
        for beginning, modality, row in _MEDIA:
            if media.lower().startswith(beginning) and modality not in known:
                self._lose(row, path, media)
                return True
        return False

    # Settings.

    def limit(self) -> None:
        name = _spelled(self._config, "maxOutputTokens")
        most = self._facts.max_output_tokens
        if name is not None and most is not None and self._config[name] > most:
            path = f"{self._config_name}.{name}"
            self._lose(MAX_TOKENS_ABOVE_LIMIT, path, self._config[name], most)
            self._config[name] = most

    def sampling(self) -> None:
        traits = self._traits
        if traits.sampling is False:
            self._drop(SAMPLING_UNSUPPORTED, *_SAMPLING)
        if traits.penalties is False:
            self._drop(PENALTY_UNSUPPORTED, *_PENALTIES)
        if traits.logprobs is False:
            self._drop(LOGPROBS_MODEL, "responseLogprobs", "logprobs")
        if traits.stop is False:
            self._drop(STOP_UNSUPPORTED, "stopSequences")
        if traits.media_resolution is False:
            self._drop(GEMINI_MEDIA_RESOLUTION, "mediaResolution")

    def thinking(self) -> None:
        """Express thinking as the model takes it: by a level, or by a budget of tokens."""
        if self._traits.thinking == "none":
            self._drop(REASONING_EFFORT_UNSUPPORTED, "thinkingConfig")
        name = _spelled(self._config, "thinkingConfig")
        if name is None:
            return
        given = self._config[name]
        path = f"{self._config_name}.{name}"
        level, budget = _spelled(given, "thinkingLevel"), _spelled(given, "thinkingBudget")
        if level is not None:
            self._level(name, level, f"{path}.{level}")
        elif budget is not None and self._traits.thinking == "level":
            effort = _effort_for(given[budget])
            rest = {key: value for key, value in given.items() if key != budget}
            if effort is not None:
                rest["thinkingLevel"] = (self._nearest(effort) or effort).upper()
            after = rest.get("thinkingLevel")
            self._lose(GEMINI_THINKING_BUDGET, f"{path}.{budget}", given[budget], after)
            self._config[name] = rest

    def _level(self, name: str, level: str, path: str) -> None:
        """Change a level to one that the model has, or to a budget."""
        given = self._config[name]
        wanted = str(given[level]).lower()
        nearest = self._nearest(wanted) or wanted
        if self._traits.thinking == "budget" and nearest in _BUDGETS:
            rest = {key: value for key, value in given.items() if key != level}
            self._config[name] = {**rest, "thinkingBudget": _BUDGETS[nearest]}
            self._lose(REASONING_EFFORT_THINKING, path, given[level], _BUDGETS[nearest])
        elif nearest != wanted:
            self._config[name] = {**given, level: nearest.upper()}
            self._lose(REASONING_EFFORT_LEVEL, path, given[level], nearest.upper())

    def _nearest(self, wanted: str) -> str | None:
        levels = [each for each in self._traits.reasoning_efforts or () if each != "none"]
        return nearest_effort(wanted, levels)

    # Tools and the answer's form.

    def tools(self) -> None:
        traits = self._traits
        if traits.web_search is False:
            self._without_search()
        name = _spelled(self._body, "toolConfig")
        if traits.strict_tools is not False or name is None:
            return
        calling = _spelled(self._body[name], "functionCallingConfig")
        given = self._body[name][calling] if calling is not None else {}
        if given.get("mode") == "VALIDATED":
            path = f"{name}.{calling}.mode"
            self._lose(TOOL_STRICT, path, "VALIDATED", "AUTO")
            self._body[name] = {**self._body[name], str(calling): {**given, "mode": "AUTO"}}

    def _without_search(self) -> None:
        given = self._body.get("tools")
        if not isinstance(given, (list, tuple)):
            return
        kept = []
        for place, tool in enumerate(given):
            refused = [found for name in _SEARCH if (found := _spelled(tool, name)) is not None]
            for name in refused:
                self._lose(WEB_SEARCH_MODEL, f"tools[{place}].{name}", tool[name])
            left = {name: value for name, value in tool.items() if name not in refused}
            if left:
                kept.append(left)
        self._body["tools"] = kept
        if not kept:
            del self._body["tools"]

    def answer_format(self) -> None:
        row = None
        if self._traits.structured_output is False:
            row = RESPONSE_FORMAT_UNSUPPORTED
        elif self._traits.schema_with_tools is False and self._body.get("tools"):
            row = RESPONSE_FORMAT_CONFLICT
        if row is None or not any(_spelled(self._config, name) for name in _FORMAT):
            return
        self._drop(row, *_FORMAT)
        media = _spelled(self._config, "responseMimeType")
        if media is not None:
            del self._config[media]


def _effort_for(budget: Any) -> str | None:
    """Return the effort of a thinking budget, `None` where the model decides itself."""
    if budget < 0:
        return None
    return next((name for name in ("low", "medium") if budget <= _BUDGETS[name]), "high")
