"""What is measured: every case, its sides, and which of them a quick run takes."""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

__all__ = ["CASES", "FOOTPRINTS", "HERE", "Case", "Side"]

HERE = "specado"
UVLOOP = "specado-uvloop"


class Side(NamedTuple):
    """One library in one case: a function of a module in `sides`, and its arguments."""

    label: str
    environment: str
    module: str
    function: str
    arguments: dict[str, Any]
    quick: bool
    most: Optional[int] = None  # the largest point that it is measured at

    def takes(self, point: Optional[int]) -> bool:
        """Return whether it is measured at *point*."""
        return self.most is None or point is None or point <= self.most


class Case(NamedTuple):
    """One comparison. *points* are the values of *axis* where cost is to be seen growing."""

    key: str
    title: str
    sides: tuple[Side, ...]
    unit: str = "µs per call"
    per: int = 1  # what one call's cost is divided by
    at_once: int = 1
    needs_server: bool = True
    axis: Optional[str] = None
    argument: Optional[str] = None  # of a side's function, that takes the point
    points: tuple[int, ...] = ()
    quick_points: tuple[int, ...] = ()
    kind: str = "cpu"  # or "memory" of calls that wait, or "told": a figure that the sides take
    fresh: bool = False  # each point is measured once, in a process of its own
    requests: Optional[int] = None  # what one call sends, checked
    quick: bool = True


def _side(
    label: str,
    environment: str,
    module: str,
    function: str,
    *,
    quick: bool = False,
    most: Optional[int] = None,
    **arguments: Any,
) -> Side:
    return Side(label, environment, module, function, arguments, quick, most)


def _specado(function: str, label: str = "specado", **arguments: Any) -> Side:
    return _side(label, HERE, "specado_here", function, quick=True, **arguments)


def _over_httpx(function: str) -> Side:
    return _side("specado, over httpx", HERE, "specado_here", function, transport="httpx")


def _on_uvloop(function: str) -> Side:
    return Side(
        "specado, on uvloop", UVLOOP, "specado_here", function, {"loop": "uvloop"}, quick=True
    )


def _calls(kind: str) -> tuple[Side, ...]:
    return (
        _specado(kind),
        *([_on_uvloop(kind)] if kind == "call_async" else []),
        _over_httpx(kind),
        _specado(kind, "specado, to Anthropic", provider="anthropic"),
        _side("raw socket + orjson (the limit)", "httpx", "raw_socket", kind, quick=True),
        _side("specado 0.2.2", "specado-0.2.2", "specado_release", kind, quick=True),
        _side("httpx", "httpx", "http_clients", kind, quick=True, library="httpx"),
        _side("httpx2", "httpx2", "http_clients", kind, library="httpx2"),
        _side("anthropic", "anthropic", "official", f"anthropic_{kind}"),
        _side("openai", "openai", "official", f"openai_{kind}", quick=True),
        _side("any-llm", "any-llm", "any_llm_side", kind),
        _side("langchain-anthropic", "langchain-anthropic", "langchain", kind),
        _side("litellm", "litellm", "litellm_side", kind, quick=kind == "call"),
        _side("litellm Router", "litellm", "litellm_side", f"router_{kind}"),
    )


def _streams(kind: str) -> tuple[Side, ...]:
    raw = _side("raw socket + msgspec (the limit)", "httpx", "raw_socket", kind, quick=True)
    langchain = _side("langchain-anthropic", "langchain-anthropic", "langchain", kind)
    return (
        _specado(kind),
        _over_httpx(kind),
        _specado(kind, "specado, to Anthropic", provider="anthropic"),
        *([raw] if kind == "stream" else []),
        _side("httpx + split + json", "httpx", "http_clients", kind, quick=True, library="httpx"),
        _side("httpx2 + split + json", "httpx2", "http_clients", kind, library="httpx2"),
        _side("anthropic", "anthropic", "official", f"anthropic_{kind}", quick=True),
        *([langchain] if kind == "stream" else []),
        _side("openai", "openai", "official", f"openai_{kind}", quick=True),
        _side("any-llm", "any-llm", "any_llm_side", kind),
        _side("litellm", "litellm", "litellm_side", kind),
    )


def _translators(**arguments: Any) -> tuple[Side, ...]:
    return (
        _specado("translate", "specado.translate", **arguments),
        _side("litellm", "litellm", "litellm_side", "translate", quick=True, **arguments),
        _side("llm-rosetta", "llm-rosetta", "rosetta", "translate", **arguments),
        _side("langchain-anthropic", "langchain-anthropic", "langchain", "translate", **arguments),
    )


def _through(by: str, **arguments: Any) -> Side:
    label = f"{by}, untranslated"
    return _side(label, HERE, "plain", "through", quick=True, by=by, **arguments)


def _translations() -> list[Case]:
    sizes: list[tuple[str, str, dict[str, Any]]] = [
        ("10", "10 messages", {"count": 10}),
        ("1000", "1,000 messages", {"count": 1000}),
        ("rich", "1,000 messages with tools, results and images", {"count": 1000, "rich": True}),
    ]
    cases = []
    for key, named, size in sizes:
        sides = (
            _specado("body", "specado, as in a call", **size),
            *_translators(**size),
            *(_through(by, **size) for by in ("orjson dumps", "msgspec encode")),
        )
        cases.append(
            Case(
                f"translate-{key}",
                f"OpenAI's dicts to Anthropic's body: {named}",
                sides,
                needs_server=False,
                quick=key != "1000",
            )
        )
        pairs = ("orjson loads + dumps", "msgspec decode + encode")
        texts = (*_translators(**size, text=True), *(_through(by, **size) for by in pairs))
        cases.append(
            Case(
                f"translate-text-{key}",
                f"JSON text to the other's JSON text: {named}",
                texts,
                needs_server=False,
                quick=key != "1000",
            )
        )
    return cases


def _concurrent(kind: str) -> tuple[Side, ...]:
    return (
        _specado(kind),
        _side("httpx", "httpx", "http_clients", kind, quick=True, library="httpx"),
        _side("httpx2", "httpx2", "http_clients", kind, library="httpx2"),
        _side("openai", "openai", "official", f"openai_{kind}"),
        _side("litellm", "litellm", "litellm_side", kind, most=64),
    )


def _alone(kind: str, *, at_once: int = 1) -> Case:
    labels = {
        f"call{kind}": "a call",
        f"two_calls{kind}": "two calls, one to each provider",
        f"failover{kind}": "a 503, and the other provider's reply",
    }
    return Case(
        f"alone{kind.replace('_', '-')}",
        f"specado without its transport{', async' if kind else ''}",
        tuple(
            _side(label, HERE, "specado_alone", function, quick=True)
            for function, label in labels.items()
        ),
        needs_server=False,
        at_once=at_once,
    )


def _many(kind: str, most: int) -> tuple[Side, ...]:
    # Peers make a pool and a TLS context for each client: a thousand take half a minute.
    peers = (
        _side("httpx", "httpx", "http_clients", kind, most=most, library="httpx"),
        _side("openai", "openai", "official", f"openai_{kind}", most=most),
    )
    return (_specado(kind), *peers)


def _holder(*named: str, **arguments: Any) -> Side:
    # Each request looks through all of the pool's connections: 10,000 would take many minutes.
    return _side(*named, most=1000, **arguments)


def _strained(kind: str) -> tuple[Side, ...]:
    return (
        _specado(kind),
        _specado(kind, "specado, to Anthropic", provider="anthropic"),
        _side("httpx", "httpx", "http_clients", kind, quick=True, library="httpx"),
    )


CASES: tuple[Case, ...] = (
    Case("call", "A call, one after another", _calls("call"), requests=1),
    Case("call-async", "Calls, async, 64 at a time", _calls("call_async"), at_once=64),
    Case(
        "call-tls",
        "A call over TLS on a connection of its own",
        (
            _specado("call_tls"),
            _side("httpx", "httpx", "http_clients", "call_tls", quick=True, library="httpx"),
            _side("httpx2", "httpx2", "http_clients", "call_tls", library="httpx2"),
        ),
        needs_server=False,
    ),
    Case(
        "stream",
        "A stream of 500 chunks",
        _streams("stream"),
        unit="µs per content chunk",
        per=500,
        requests=1,
    ),
    Case(
        "stream-async",
        "A stream of 500 chunks, async",
        _streams("stream_async"),
        unit="µs per content chunk",
        per=500,
        requests=1,
    ),
    Case(
        "failover",
        "A call that meets a 503 and is answered by the other provider",
        (
            _specado("failover"),
            _side("litellm Router", "litellm", "litellm_side", "failover", quick=True),
        ),
        requests=2,
    ),
    _alone(""),
    _alone("_async", at_once=64),
    Case(
        "alone-stream",
        "specado without its transport: a stream of 500 chunks",
        (_side("specado", HERE, "specado_alone", "stream", quick=True, chunks=500),),
        unit="µs per content chunk",
        per=500,
        needs_server=False,
    ),
    Case(
        "stall",
        "How long a request of 10 MB holds up the other tasks of a loop",
        (
            *_strained("stall"),
            _side("msgspec encode, alone", HERE, "plain", "encode_ms", quick=True),
        ),
        unit="ms, longest wait",
        kind="told",
    ),
    Case(
        "peak",
        "Memory that a request of 100 MB takes at its peak",
        (*_strained("peak"), _side("openai", "openai", "official", "openai_peak")),
        unit="times its size",
        kind="told",
    ),
    *_translations(),
    Case(
        "reply",
        "A reply's bytes to a response",
        (
            _specado("reply"),
            _side("msgspec into Structs", HERE, "plain", "reply", quick=True),
        ),
        needs_server=False,
    ),
    Case(
        "compare",
        "compare_capabilities, dict to dict",
        (
            _specado("compare"),
            _side("the tests' twin in Python", HERE, "plain", "compare", quick=True),
        ),
        needs_server=False,
    ),
    Case("client", "Client(), after the first", (_specado("client"),), needs_server=False),
    Case(
        "growth-messages",
        "OpenAI's dicts to Anthropic's body",
        (
            _specado("body", "specado, as in a call"),
            *_translators(),
            _side("msgspec encode, untranslated", HERE, "plain", "through", by="msgspec encode"),
        ),
        unit="µs per request",
        needs_server=False,
        axis="messages",
        argument="count",
        points=(1, 10, 100, 1000, 10_000),
        quick_points=(1, 100),
    ),
    Case(
        "growth-reply",
        "A reply's bytes to a response, by the length of its text",
        (
            _specado("reply"),
            _side("msgspec into Structs", HERE, "plain", "reply", quick=True),
        ),
        unit="µs per reply",
        needs_server=False,
        axis="characters",
        argument="length",
        points=(100, 1000, 10_000, 100_000, 1_000_000),
        quick_points=(100, 10_000),
    ),
    Case(
        "growth-chunks",
        "A whole stream",
        (
            _specado("stream"),
            _side("raw socket + msgspec (the limit)", "httpx", "raw_socket", "stream"),
            _side("httpx + split + json", "httpx", "http_clients", "stream", library="httpx"),
            _side("anthropic", "anthropic", "official", "anthropic_stream"),
            _side("openai", "openai", "official", "openai_stream", most=1000),
        ),
        unit="µs per stream",
        axis="chunks",
        points=(1, 10, 100, 1000, 10_000),
        quick_points=(10, 1000),
    ),
    Case(
        "growth-threads",
        "Calls from so many threads",
        _concurrent("call"),
        axis="threads",
        points=(1, 16, 64, 256),
        quick_points=(1, 64),
    ),
    Case(
        "growth-tasks",
        "Calls from so many tasks of one loop",
        _concurrent("call_async"),
        axis="tasks",
        points=(1, 16, 64, 256),
        quick_points=(1, 64),
    ),
    Case(
        "growth-clients",
        "Calls through so many clients in turn",
        _many("clients", 100),
        axis="clients",
        argument="count",
        points=(1, 10, 100, 1000),
        quick_points=(1, 100),
    ),
    Case(
        "growth-clients-memory",
        "Memory for clients that have made a call",
        _many("clients_memory", 300),
        unit="KiB per client",
        axis="clients",
        argument="count",
        points=(100, 300, 1000),
        quick_points=(100,),
        kind="told",
        fresh=True,
    ),
    Case(
        "growth-in-flight",
        "Memory for calls that wait for their reply",
        (
            _specado("call_async"),
            _side("raw socket (the limit)", "httpx", "raw_socket", "call_async"),
            _holder("httpx", "httpx", "http_clients", "call_async", library="httpx"),
            _holder("httpx2", "httpx2", "http_clients", "call_async", library="httpx2"),
            _holder("openai", "openai", "official", "openai_call_async"),
        ),
        unit="KiB per call",
        axis="in flight",
        points=(100, 1000, 10_000),
        quick_points=(1000,),
        kind="memory",
        fresh=True,
    ),
)

# label, environment, what is imported, whether a quick run takes it
FOOTPRINTS: tuple[tuple[str, str, str, bool], ...] = (
    ("specado", HERE, "specado", True),
    ("specado, with a client", HERE, "specado; specado.Client({})", True),
    ("specado, with a client and httpx", HERE, "specado, httpx; specado.Client({})", True),
    ("msgspec + orjson", "httpx", "msgspec, orjson", True),
    ("httpx", "httpx", "httpx", True),
    ("httpx2", "httpx2", "httpx2", False),
    ("specado 0.2.2", "specado-0.2.2", "specado", True),
    ("llm-rosetta", "llm-rosetta", "llm_rosetta", False),
    ("any-llm", "any-llm", "any_llm", False),
    ("openai", "openai", "openai", True),
    ("anthropic", "anthropic", "anthropic", False),
    ("langchain-anthropic", "langchain-anthropic", "langchain_anthropic", False),
    ("litellm", "litellm", "litellm", True),
)
