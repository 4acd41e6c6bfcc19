"""Anthropic request encoder: the whole body and its parameters (anthropic.types 0.125.0).

What has no counterpart, or another form, is reported by a row of `specado.losses.rows`.
"""

cimport cython

from specado._core.anthropic_blocks cimport family_of
from specado._core.anthropic_tools cimport AnthropicTools
from specado._core.conversation cimport ASSISTANT, TOOL, Conversation, Turn
from specado._core.encoder cimport is_blank_text

from specado._core.emulation import EMULATION_TOOL
from specado._core.parameters import nearest_effort

UNKNOWN_MODEL_MAX_TOKENS = 4096
# Above this the API wants a stream: a reply may take longer than ten minutes (anthropic 0.125.0).
MAX_TOKENS_WITHOUT_STREAM = 21_333
MIN_THINKING_BUDGET = 1024
# Thousandths of max_tokens that may go into thinking, by effort.
cdef dict BUDGET_SHARES = {
    "minimal": 100, "low": 200, "medium": 500, "high": 800, "xhigh": 900, "max": 950,
}
# Parameters that have no counterpart: name -> (row, value that means the same as leaving it out).
cdef dict DROPPED = {
    "n": ("n", 1),
    "seed": ("seed", None),
    "frequency_penalty": ("penalty", 0),
    "presence_penalty": ("penalty", 0),
    "logit_bias": ("logit_bias", {}),
    "logprobs": ("logprobs", False),
    "top_logprobs": ("logprobs", 0),
    "audio": ("audio.output", None),
    "store": ("store", False),
    "metadata": ("metadata", {}),
    "prediction": ("prediction", None),
    "prompt_cache_key": ("prompt_cache", None),
    "prompt_cache_retention": ("prompt_cache", None),
    "prompt_cache_options": ("prompt_cache", None),
    "verbosity": ("verbosity", None),
    "web_search_options": ("web_search", None),
    "moderation": ("moderation", None),
    "functions": ("functions", None),
    "function_call": ("functions", None),
}
cdef frozenset WRITTEN = frozenset({
    "max_tokens", "max_completion_tokens", "temperature", "top_p", "stop", "user",
    "safety_identifier", "tools", "tool_choice", "parallel_tool_calls", "response_format",
    "reasoning_effort", "modalities", "service_tier", "stream", "stream_options",
})


@cython.final
cdef class AnthropicMessagesEncoder(AnthropicTools):
    """Writes a messages request.

    The order of members is model, system, messages, then the rest: the same leading messages
    give the same leading bytes. The last turn alone may be written otherwise once more follows
    (a message joins it, so that its text becomes a block): prompt caches compare what a body
    says, of which a string is the shorthand for one text block.
    """

    cdef object max_tokens
    cdef str effort

    cdef int write(self) except -1:
        self.decide()
        self.field = "model"
        self.out.literal(b'{"model":')
        self.out.string(self.model)
        self.write_system()
        self.out.literal(b',"messages":[')
        self.write_turns()
        self.index = -1
        self.out.literal(b'],"max_tokens":')
        self.out.value(self.max_tokens, 0)
        self.write_params()
        self.settle_cache()
        return self.out.byte(b"}")

    # What depends on more than one parameter is decided before anything is written.

    cdef int decide(self) except -1:
        self.begin()
        self.decide_max_tokens()
        self.decide_thinking()
        self.decide_response_format()
        return 0

    cdef int decide_max_tokens(self) except -1:
        cdef object limit = None if self.facts is None else self.facts.max_output_tokens
        cdef object wanted = self.params.get("max_completion_tokens")
        cdef str name = "max_completion_tokens"
        if wanted is None:
            wanted = self.params.get("max_tokens")
            name = "max_tokens"
        elif self.params.get("max_tokens") is not None:
            self.lose("max_tokens.twice", "max_tokens", self.params["max_tokens"])
        if wanted is None:
            if limit is None:
                wanted = UNKNOWN_MODEL_MAX_TOKENS
            elif self.params.get("stream"):
                wanted = limit
            else:
                wanted = min(limit, MAX_TOKENS_WITHOUT_STREAM)
            self.lose("max_tokens.default", "max_tokens", None, wanted)
        elif limit is not None and wanted > limit:
            self.lose("max_tokens.above_limit", name, wanted, limit)
            wanted = limit
        self.max_tokens = wanted
        return 0

    cdef int decide_thinking(self) except -1:
        cdef object way = self.trait("thinking")
        cdef object effort = self.params.get("reasoning_effort")
        cdef object levels = self.trait("reasoning_efforts")
        cdef object nearest
        self.thinking = way == "always"
        if effort is None:
            return 0
        if effort == "none":
            if way == "always":
                self.lose("reasoning_effort.unsupported", "reasoning_effort", effort)
            elif way != "adaptive":
                self.lose("reasoning_effort.none", "reasoning_effort", effort)
            return 0
        if way is None or way == "none" or effort not in BUDGET_SHARES or (
            way != "budget" and self.trait("effort_parameter") is False
        ):
            return self.lose("reasoning_effort.unsupported", "reasoning_effort", effort)
        if self.params.get("tools") and self.trait("tools_while_reasoning") is False:
            return self.lose("reasoning_effort.tools", "reasoning_effort", effort)
        if way == "budget" and self.max_tokens <= MIN_THINKING_BUDGET:
            self.lose("reasoning_effort.no_room", "reasoning_effort", effort)
            return 0
        if way == "budget" and not self.may_think():
            return self.lose("reasoning_effort.history", "reasoning_effort", effort)
        if way != "budget" and levels:
            nearest = nearest_effort(effort, [level for level in levels if level != "none"])
            if nearest is not None and nearest != effort:
                self.lose("reasoning_effort.level", "reasoning_effort", effort, nearest)
                effort = nearest
        self.thinking = True
        self.effort = effort
        self.lose("reasoning_effort.thinking", "reasoning_effort", effort, way)
        return 0

    cdef bint may_think(self) except -1:
        """Return whether no answer goes on, after tool results or a prefill, that has no thinking.

        A model with a thinking budget refuses to think in the midst of an answer that did not
        begin so (Anthropic's "Extended thinking" guide, read 2026-11-22).
        """
        cdef Turn turn
        cdef bint answers = False   # whether the turn before is an assistant's
        cdef bint goes_on = False   # whether the answer before waits for what tools return
        cdef bint thinks = True     # whether the answer that goes on has thinking
        for turn in self.turns:
            if self.is_blank(turn):
                continue
            if turn.role != ASSISTANT:
                goes_on = turn.role == TOOL or (goes_on and not answers)
                answers = False
            elif not answers:
                thinks = (goes_on and thinks) or self.begins_thinking(turn)
                answers = True
        return thinks or not (goes_on or answers)

    cdef bint begins_thinking(self, Turn turn) except -1:
        """Return whether an assistant's turn is written with a thinking block at its start."""
        if turn.more is None or turn.more.reasoning_details is None:
            return False
        for item in turn.more.reasoning_details:
            if item.model is not None and family_of(item.model) == family_of(self.model) and (
                (item.type == "thinking" and item.signature is not None)
                or (item.type == "redacted_thinking" and item.data is not None)
            ):
                return True
        return False

    cdef int decide_response_format(self) except -1:
        cdef object wanted = self.params.get("response_format")
        cdef object kind = wanted.get("type") if isinstance(wanted, dict) else None
        if kind == "json_object":
            self.instruction = "Answer with one JSON object and nothing else."
            self.lose("response_format.json_object", "response_format", kind, self.instruction)
        elif kind == "json_schema":
            if self.is_native():
                return 0
            if self.params.get("tools") or not self.may_force():
                self.lose("response_format.conflict", "response_format", kind)
            elif self.stand_in_schema() is None:
                self.lose("response_format.unsupported", "response_format", kind)
            else:
                self.answer_tool = EMULATION_TOOL
                self.lose("response_format.tool", "response_format", kind, EMULATION_TOOL)
        elif wanted is not None and kind != "text":
            self.lose("response_format.unsupported", "response_format", kind)
        return 0

    # Parameters.

    cdef int write_params(self) except -1:
        for name, value in self.params.items():
            self.field = name
            if name in WRITTEN:
                continue
            if name not in DROPPED:
                if value is not None:
                    self.lose("param.unknown", name, value)
                continue
            row, neutral = DROPPED[name]
            if value != neutral:
                self.lose(row, name, value)
        self.write_sampling()
        self.write_stop()
        self.write_user()
        self.write_service_tier()
        self.check_modalities()
        self.check_stream_options()
        self.write_thinking()
        self.write_tools()
        if self.params.get("stream"):
            self.out.literal(b',"stream":true')
        return self.check_unwritten()

    cdef int check_unwritten(self) except -1:
        """Check the parameters that are not written whole, where their losses do not hold them."""
        if self.form is None and "response_format" in self.params:
            self.check("response_format", self.params["response_format"])
        if "tool_choice" in self.params:
            self.check("tool_choice", self.params["tool_choice"])
        if "tools" in self.params and any(path.startswith("tool") for _, path, _, _ in self.losses):
            self.check("tools", self.params["tools"])
        return 0

    cdef int write_sampling(self) except -1:
        cdef object temperature = self.params.get("temperature")
        cdef object top_p = self.params.get("top_p")
        if self.trait("sampling") is False:
            if temperature is not None and temperature != 1:
                self.lose("sampling.unsupported", "temperature", temperature)
            if top_p is not None and top_p != 1:
                self.lose("sampling.unsupported", "top_p", top_p)
            return 0
        if self.thinking and self.trait("sampling_while_reasoning") is False:
            if temperature is not None and temperature != 1:
                self.lose("sampling.thinking", "temperature", temperature)
                temperature = None
            if top_p is not None and top_p < 0.95:
                self.lose("sampling.thinking", "top_p", top_p)
                top_p = None
        if temperature is not None and top_p is not None and (
            self.trait("temperature_with_top_p") is False
        ):
            if temperature == 1 and top_p != 1:
                temperature = None
            else:
                if top_p != 1:
                    self.lose("sampling.both", "top_p", top_p)
                top_p = None
        if temperature is not None:
            if temperature > 1:
                self.lose("temperature.above_one", "temperature", temperature, 1)
                temperature = 1
            self.member("temperature", temperature)
        if top_p is not None:
            self.member("top_p", top_p)
        return 0

    cdef int write_stop(self) except -1:
        cdef object stop = self.params.get("stop")
        cdef bint single = isinstance(stop, str)
        cdef list kept = []
        if stop is None:
            return 0
        if self.trait("stop") is False:
            return self.lose("stop.unsupported", "stop", stop)
        if single:
            stop = [stop]
        for place, text in enumerate(stop):
            if not is_blank_text(text):
                kept.append(text)
            else:
                self.lose("stop.blank", "stop" if single else f"stop[{place}]", text)
        if kept:
            self.field = "stop"
            self.out.key(b"stop_sequences")
            self.out.value(kept, 0)
        return 0

    cdef int write_user(self) except -1:
        cdef object user = self.params.get("safety_identifier")
        if user is None:
            user = self.params.get("user")
        elif self.params.get("user") is not None and self.params["user"] != user:
            self.lose("user.twice", "user", self.params["user"])
        if user is not None:
            self.field = "user"
            self.out.literal(b',"metadata":{"user_id":')
            self.out.value(user, 0)
            self.out.byte(b"}")
        return 0

    cdef int write_service_tier(self) except -1:
        cdef object tier = self.params.get("service_tier")
        if tier == "auto":
            self.out.literal(b',"service_tier":"auto"')
        elif tier == "default":
            self.out.literal(b',"service_tier":"standard_only"')
        elif tier is not None:
            self.lose("service_tier", "service_tier", tier)
        return 0

    cdef int check_modalities(self) except -1:
        cdef object modalities = self.params.get("modalities")
        if modalities is not None and "audio" in modalities:
            self.lose("audio.output", "modalities", modalities)
        return 0

    cdef int check_stream_options(self) except -1:
        cdef object options = self.params.get("stream_options")
        if isinstance(options, dict):
            for name, value in options.items():
                if name != "include_usage" and value is not None:  # usage is always sent there
                    self.lose("stream_options", f"stream_options.{name}", value)
        return 0

    cdef int write_thinking(self) except -1:
        cdef object way = self.trait("thinking")
        cdef bint effort = self.effort is not None and way != "budget"
        if self.effort is not None:
            if way == "budget":
                self.out.literal(b',"thinking":{"type":"enabled","budget_tokens":')
                self.out.value(thinking_budget(self.max_tokens, self.effort), 0)
                self.out.byte(b"}")
            elif way == "adaptive":
                self.out.literal(b',"thinking":{"type":"adaptive"}')
        elif self.params.get("reasoning_effort") == "none" and way == "adaptive":
            self.out.literal(b',"thinking":{"type":"disabled"}')
        if not effort and self.form is None:
            return 0
        self.out.literal(b',"output_config":{')
        if effort:
            self.out.literal(b'"effort":')
            self.out.string(self.effort)
        if self.form is not None:
            self.field = "response_format"
            if effort:
                self.out.byte(b",")
            self.out.literal(b'"format":{"type":"json_schema","schema":')
            self.out.value(self.form, 0)
            self.out.byte(b"}")
        return self.out.byte(b"}")


def thinking_budget(max_tokens, effort):
    """Return the tokens of *max_tokens*, over 1,024, that an effort gives to thinking.

    An effort that is not known counts as the highest.
    """
    # In thousandths: a share of any whole number, however large.
    share = max_tokens * BUDGET_SHARES.get(effort, BUDGET_SHARES["max"]) // 1000
    return min(max(share, MIN_THINKING_BUDGET), max_tokens - 1)


def encode_request(Conversation conversation not None, model, dict params not None, facts):
    """Return `(body, losses, answer_tool)`; *facts* is the target's `Model` or None."""
    return AnthropicMessagesEncoder(conversation, model, params, facts).encode()
