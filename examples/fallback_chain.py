"""Three candidates: OpenAI, Anthropic, and a registered provider that helps out last.

All of them are on this machine, so the program needs neither key nor network: the first two
refuse connections, the third answers.
"""

import socket

import specado
from specado.simulator.server import running


def main() -> None:
    with running() as server, socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # nobody listens there, so connections are refused
        # A server of one's own that speaks OpenAI's chat completions.
        specado.register_manifest(
            {"name": "inhouse", "base_url": server.openai_base_url, "api_key_env": "INHOUSE_KEY"}
        )
        client = specado.Client(
            {
                "fallback_providers": ["anthropic", "inhouse"],
                "model_map": {
                    "gpt-5.4": {"anthropic": "claude-opus-5-5", "inhouse": "gpt-5.4"},
                },
                "providers": {
                    "openai": {
                        "base_url": f"http://127.0.0.1:{deaf.getsockname()[1]}/v1",
                        "api_key": "any-key",
                    },
                    "anthropic": {
                        "base_url": f"http://127.0.0.1:{deaf.getsockname()[1]}",
                        "api_key": "any-key",
                    },
                    "inhouse": {"api_key": "any-key"},
                },
                "max_retries": 0,
                "timeout_seconds": 30,
            }
        )

        response = client.chat.completions.create(model="gpt-5.4", messages="Who is there?")

    extensions = response.extensions
    print(f"answer    {response.choices[0].message.content}")
    print(f"from      {extensions.provider_used}, {response.model}")
    print(f"fallback  number {extensions.metadata['fallback_index']}, counted from 0")
    print(f"requests  {extensions.attempts}")
    for error in extensions.metadata["provider_errors"]:
        print(f"failed    {error}")


if __name__ == "__main__":
    main()
