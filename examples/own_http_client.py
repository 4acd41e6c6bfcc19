"""Sending through an `httpx.Client` of your own, here to log and time each request.

The other side is a simulated server on this machine: no key and no network are needed.
"""

import time

import httpx

import specado
from specado.simulator.server import running


def note_start(request: httpx.Request) -> None:
    request.extensions["started_s"] = time.perf_counter()


def note_end(response: httpx.Response) -> None:
    request = response.request
    taken_ms = 1000 * (time.perf_counter() - request.extensions["started_s"])
    print(f"{request.method} {request.url.path} -> {response.status_code} in {taken_ms:.0f} ms")


def main() -> None:
    hooks = {"request": [note_start], "response": [note_end]}
    with running() as server, httpx.Client(event_hooks=hooks) as http_client:
        client = specado.Client(
            {
                "fallback_provider": "anthropic",
                "providers": {
                    "openai": {"base_url": server.openai_base_url, "api_key": "any-key"},
                    "anthropic": {"base_url": server.anthropic_base_url, "api_key": "any-key"},
                },
            },
            http_client=http_client,
        )

        for model in ("gpt-5.4", "claude-opus-5-5"):
            response = client.chat.completions.create(model=model, messages="Hello")
            print(f"{response.extensions.provider_used}: {response.choices[0].message.content}")


if __name__ == "__main__":
    main()
