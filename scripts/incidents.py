"""Plays incidents of a provider against specado and the openai package, side by side.

    python scripts/incidents.py --only reset,storm
    python scripts/incidents.py --write

Each library runs in a process of its own, with a server of its own on loopback. The table says
for each incident how many calls failed, how many requests arrived, and how long it took; --write
puts it into docs/incidents.md. The whole run takes some two minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable, NamedTuple, Optional

REPOSITORY = Path(__file__).parent.parent
sys.path.insert(0, str(REPOSITORY / "tests" / "helpers"))

import incident_server as s  # noqa: E402 - found in the tests' folder
from incident_server import Action, Arrival, IncidentServer, Rule  # noqa: E402

PAGE = REPOSITORY / "docs" / "incidents.md"
BEGIN = "<!-- measured: begin -->"
END = "<!-- measured: end -->"
RUN_LIMIT_S = 240.0
MODEL = "gpt-4.1"
OTHER_MODEL = "gpt-4.1-mini"
OTHER_PROVIDERS_MODEL = "claude-sonnet-4-6"
WRONG_KEY = "sk-wrong"
OUTAGE_S = 3.0
THROTTLED_S = 2.0


# The incidents


class Incident(NamedTuple):
    """What the server does (`rule`), and which calls are made meanwhile.

    Without `lasts_s` there are `calls` calls from as many threads as `at_once` says, beginning
    within `spread_s`; with it each of `at_once` threads makes calls for that long. `fallback` is
    `"model"` (another model of the provider) or `"wrong key"` (another provider).
    """

    name: str
    title: str
    rule: Rule
    calls: int = 20
    at_once: int = 20
    max_retries: int = 2
    timeout_s: float = 60.0
    spread_s: float = 0.0
    lasts_s: float = 0.0
    refuses_s: float = 0.0
    together: int = 0
    fallback: Optional[str] = None
    has_request_ids: bool = False
    is_async: bool = False
    remark: Optional[Callable[[IncidentServer, int, float], str]] = None


def once(action: Action) -> Rule:
    """Return the rule that answers the first request of each call with *action*."""
    return lambda arrival: action if arrival.nth == 1 else s.answer(arrival)


def while_lasts(seconds: float, action: Action) -> Rule:
    """Return the rule that answers with *action* for so long after the first request."""
    return lambda arrival: action if arrival.since_s < seconds else s.answer(arrival)


def every_fourth_fails(arrival: Arrival) -> Action:
    """Answer every fourth request, whoever sends it, with a 500."""
    return s.failure(500) if arrival.number % 4 == 0 else s.answer(arrival)


def overloaded_model(arrival: Arrival) -> Action:
    """Answer 529 for one model and well for every other."""
    return s.failure(529) if arrival.model == MODEL else s.answer(arrival)


def loses_connections(arrival: Arrival) -> Action:
    """Close some connections after an answer, and some when they are used again.

    The latter is what a client sees of a load balancer that forgot an idle connection.
    """
    if arrival.on_connection > 1 and arrival.number % 15 == 0:
        return s.RESET if arrival.number % 2 else s.CLOSE
    answer = s.answer(arrival)
    return answer._replace(end="close") if arrival.number % 5 == 0 else answer


def unavailable_or_wrong_key(arrival: Arrival) -> Action:
    """Answer 401 at the fallback, 503 at the provider that was meant."""
    return s.failure(503 if arrival.model == MODEL else 401)


def asked_of_overloaded(server: IncidentServer, _calls: int, _took_s: float) -> str:
    """Say how often the overloaded model was asked."""
    return f"the overloaded model was asked {len(server.of_model(MODEL))} times"


def allowed_requests(_server: IncidentServer, calls: int, took_s: float) -> str:
    """Say how many requests the retry budget allows."""
    return f"the budget allows {2 * calls + 500 + 10 * took_s:,.0f} requests"


def spread_of_returns(server: IncidentServer, calls: int, _took_s: float) -> str:
    """Say when the callers came back that had been told to wait."""
    told_s = server.arrivals[calls - 1].at_s
    back_s = [arrival.at_s - told_s for arrival in server.arrivals if arrival.nth == 2]
    if not back_s:
        return "nobody came back"
    return f"{len(back_s)} came back {min(back_s):.2f} to {max(back_s):.2f} s later"


INCIDENTS = [
    Incident("reset", "20 calls in flight, each reset once", once(s.RESET), together=20),
    Incident(
        "bad-gateway",
        "20 calls in flight, each answered 502 once",
        once(s.failure(502)),
        together=20,
    ),
    Incident(
        "refused",
        "connections refused for 3 s, 40 calls meanwhile, 5 retries",
        s.answer,
        calls=40,
        at_once=40,
        max_retries=5,
        spread_s=OUTAGE_S / 2,
        refuses_s=OUTAGE_S,
    ),
    Incident(
        "unavailable",
        "503 for 3 s, 40 calls meanwhile, 5 retries",
        while_lasts(OUTAGE_S, s.failure(503)),
        calls=40,
        at_once=40,
        max_retries=5,
        spread_s=OUTAGE_S / 2,
    ),
    Incident(
        "rate-limit",
        "429 with `retry-after: 1` for 2 s, 20 calls, 8 retries",
        while_lasts(THROTTLED_S, s.failure(429, retry_after=1)),
        max_retries=8,
    ),
    Incident(
        "every-fourth",
        "every fourth request a 500, 2,000 calls from 16 threads, 3 retries",
        every_fourth_fails,
        calls=2000,
        at_once=16,
        max_retries=3,
    ),
    Incident(
        "one-model",
        "529 from one model, its fallback at the same provider is well, 16 calls",
        overloaded_model,
        calls=16,
        at_once=4,
        fallback="model",
        remark=asked_of_overloaded,
    ),
    Incident(
        "request-ids",
        "the same, each call with an `X-Request-Id` of its own",
        overloaded_model,
        calls=16,
        at_once=4,
        fallback="model",
        has_request_ids=True,
        remark=asked_of_overloaded,
    ),
    Incident(
        "idle",
        "idle connections closed without a word, 300 calls in sequence",
        loses_connections,
        calls=300,
        at_once=1,
    ),
    Incident(
        "storm",
        "500 for 20 s, 200 callers, 3 retries",
        lambda _: s.failure(500),
        at_once=200,
        max_retries=3,
        timeout_s=8.0,
        lasts_s=20.0,
        remark=allowed_requests,
    ),
    Incident(
        "wrong-key",
        "503, and the fallback's key is wrong, 1 retry",
        unavailable_or_wrong_key,
        calls=1,
        at_once=1,
        max_retries=1,
        fallback="wrong key",
    ),
    Incident(
        "herd",
        "50 tasks told `retry-after: 1` at the same moment",
        once(s.failure(429, retry_after=1)),
        calls=50,
        at_once=50,
        together=50,
        is_async=True,
        remark=spread_of_returns,
    ),
]


# The libraries


class SpecadoSide:
    """Calls through specado, with its own fallback."""

    def __init__(self, incident: Incident, url: str) -> None:
        import specado

        specado.reset_state()
        self.failures: type[Exception] = specado.SpecadoError
        openai = {"api_key": s.KEY, "base_url": url}
        anthropic = {"api_key": WRONG_KEY, "base_url": url.removesuffix("/v1")}
        settings = {
            "fallback_provider": "anthropic",
            "simulate": False,
            "max_retries": incident.max_retries,
            "timeout_seconds": incident.timeout_s,
            "providers": {"openai": openai, "anthropic": anthropic},
        }
        self._completions = specado.Client(settings).chat.completions
        self._fallback_models = {
            None: [],
            "model": [f"openai/{OTHER_MODEL}"],
            "wrong key": [OTHER_PROVIDERS_MODEL],
        }[incident.fallback]

    def ask(self, call: str, headers: dict[str, str]) -> None:
        """Make one call, or raise its error."""
        self._completions.create(**self._arguments(call, headers))

    async def ask_async(self, call: str, headers: dict[str, str]) -> None:
        """Make one call, or raise its error."""
        await self._completions.create_async(**self._arguments(call, headers))

    def _arguments(self, call: str, headers: dict[str, str]) -> dict[str, Any]:
        return {
            "model": f"openai/{MODEL}",
            "messages": call,
            "extra_headers": headers,
            "fallback_models": self._fallback_models,
        }


class OpenAISide:
    """Calls through the openai package; where there is a fallback, a loop over the models."""

    def __init__(self, incident: Incident, url: str) -> None:
        import openai

        self.failures: type[Exception] = openai.OpenAIError
        settings = {
            "api_key": s.KEY,
            "base_url": url,
            "max_retries": incident.max_retries,
            "timeout": incident.timeout_s,
        }
        client: Any = openai.OpenAI(**settings)
        self._async_client = openai.AsyncOpenAI(**settings)
        self._candidates = [(client, MODEL)]
        if incident.fallback == "model":
            self._candidates.append((client, OTHER_MODEL))
        elif incident.fallback == "wrong key":
            self._candidates.append((client.copy(api_key=WRONG_KEY), OTHER_PROVIDERS_MODEL))

    def ask(self, call: str, headers: dict[str, str]) -> None:
        """Make one call, or raise the error of the last candidate."""
        *others, last = self._candidates
        for candidate in others:
            with contextlib.suppress(self.failures):
                return self._ask(candidate, call, headers)
        return self._ask(last, call, headers)

    def _ask(self, candidate: tuple[Any, str], call: str, headers: dict[str, str]) -> None:
        client, model = candidate
        messages = [{"role": "user", "content": call}]
        client.chat.completions.create(model=model, messages=messages, extra_headers=headers)

    async def ask_async(self, call: str, headers: dict[str, str]) -> None:
        """Make one call, or raise its error; there is no fallback here."""
        await self._async_client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": call}], extra_headers=headers
        )


SIDES: dict[str, Any] = {"specado": SpecadoSide, "openai": OpenAISide}


# One incident, one library


class Row(NamedTuple):
    """How an incident ended for one library."""

    name: str
    title: str
    library: str
    calls: int
    failed: int
    requests: int
    took_s: float
    remark: str


def play(incident: Incident, library: str) -> Row:
    """Play one incident; return what came of it."""
    server = IncidentServer(incident.rule, refuses_s=incident.refuses_s, together=incident.together)
    with server:
        side = SIDES[library](incident, server.url)
        began_s = time.monotonic()
        if incident.is_async:
            ended = asyncio.run(play_tasks(incident, side))
        else:
            ended = play_threads(incident, side)
        took_s = time.monotonic() - began_s
    failures = Counter(type(error).__name__ for error in ended if error is not None)
    remarks = [f"{count:,} {name}" for name, count in failures.most_common()]
    if incident.remark is not None:
        remarks.append(incident.remark(server, len(ended), took_s))
    return Row(
        name=incident.name,
        title=incident.title,
        library=library,
        calls=len(ended),
        failed=sum(failures.values()),
        requests=len(server.arrivals),
        took_s=took_s,
        remark="; ".join(remarks),
    )


def headers_of(incident: Incident, call: str) -> dict[str, str]:
    """Return the headers of one call."""
    return {"X-Request-Id": call.replace(" ", "-")} if incident.has_request_ids else {}


def play_threads(incident: Incident, side: Any) -> list[Optional[Exception]]:
    """Make the calls of an incident from threads; return the error of each."""
    ended: list[Optional[Exception]] = []
    began_s = time.monotonic()

    def ask(call: str) -> None:
        try:
            side.ask(call, headers_of(incident, call))
        except side.failures as error:
            ended.append(error)
        else:
            ended.append(None)

    def caller(number: int) -> None:
        if not incident.lasts_s:
            time.sleep(incident.spread_s * number / incident.calls)
            ask(f"call {number}")
        while time.monotonic() - began_s < incident.lasts_s:
            ask(f"caller {number}")

    count = incident.at_once if incident.lasts_s else incident.calls
    with ThreadPoolExecutor(incident.at_once) as threads:
        list(threads.map(caller, range(count)))
    return ended


async def play_tasks(incident: Incident, side: Any) -> list[Optional[Exception]]:
    """Make the calls of an incident from tasks of one loop; return the error of each."""

    async def caller(number: int) -> Optional[Exception]:
        call = f"call {number}"
        try:
            await side.ask_async(call, headers_of(incident, call))
        except side.failures as error:
            return error
        return None

    return list(await asyncio.gather(*[caller(number) for number in range(incident.calls)]))


def play_all(library: str, names: list[str], *, is_quiet: bool) -> None:
    """Play incidents against one library; print each row as a line of JSON."""
    for incident in INCIDENTS:
        if incident.name not in names:
            continue
        row = play(incident, library)
        print(json.dumps(row._asdict()), flush=True)
        if not is_quiet:
            sys.stderr.write(f"{library}: {row.name}, {row.took_s:.1f} s\n")


# The table


def play_both(names: list[str], *, is_quiet: bool) -> list[Row]:
    """Play incidents against both libraries at the same time, each in its own process."""
    quiet = ["--quiet"] if is_quiet else []
    command = [sys.executable, __file__, "--only", ",".join(names), *quiet, "--library"]
    running = [
        subprocess.Popen([*command, library], stdout=subprocess.PIPE, text=True)  # noqa: S603
        for library in SIDES
    ]
    rows = []
    until_s = time.monotonic() + RUN_LIMIT_S
    try:
        for process in running:
            output, _ = process.communicate(timeout=max(1.0, until_s - time.monotonic()))
            if process.returncode:
                raise SystemExit(process.returncode)
            rows += [Row(**json.loads(line)) for line in output.splitlines()]
    finally:
        for process in running:
            process.kill()
            process.wait()
    order = [(incident.name, library) for incident in INCIDENTS for library in SIDES]
    return sorted(rows, key=lambda row: order.index((row.name, row.library)))


def table(rows: list[Row]) -> str:
    """Return the rows as a Markdown table, with what they were measured on."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in SIDES)
    date = datetime.now(timezone.utc).date().isoformat()
    python = f"{platform.python_implementation()} {platform.python_version()}"
    lines = [
        f"Measured {date} on {os.cpu_count()} cores with {python}, {versions}.",
        "",
        "| incident | library | calls | failed | requests | seconds | remarks |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        name = f"**{row.library}**" if row.library == "specado" else row.library
        numbers = f"{row.calls:,} | {row.failed:,} | {row.requests:,} | {row.took_s:.1f}"
        lines.append(f"| {row.title} | {name} | {numbers} | {row.remark} |")
    return "\n".join(lines)


def write(text: str) -> None:
    """Put the table between the markers of the page."""
    page = PAGE.read_text(encoding="utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{PAGE} lacks {BEGIN} … {END}")
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def main() -> int:
    """Run what the command line says; return the exit status."""
    known = [incident.name for incident in INCIDENTS]
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", metavar="NAMES", help=f"some of: {','.join(known)}")
    parser.add_argument("--write", action="store_true", help=f"write the table into {PAGE.name}")
    parser.add_argument("--quiet", action="store_true", help="no line for each incident")
    parser.add_argument("--library", choices=SIDES, help="rows of this one alone, as JSON")
    given = parser.parse_args()
    names = given.only.split(",") if given.only else known
    unknown = sorted(set(names) - set(known))
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")
    if given.write and given.only:
        parser.error("--write takes all incidents: the table is written as a whole")
    if given.library:
        play_all(given.library, names, is_quiet=given.quiet)
        return 0
    text = table(play_both(names, is_quiet=given.quiet))
    print(text)
    if given.write:
        write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
