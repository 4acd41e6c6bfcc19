"""An answer as it comes, one that another provider gives, and one that breaks off.

Needs no key: `simulate` has specado answer from its simulator, whatever keys there are.
"""

import specado


def show(client: specado.Client, model: str) -> None:
    """Print an answer as it comes, and how it ended."""
    print(f"{model}: ", end="", flush=True)
    try:
        # `create` raises what fails before the first content, the iteration what breaks off after.
        with client.chat.completions.create(
            model=model, messages="Tell me about the sea.", stream=True
        ) as stream:
            for chunk in stream:
                for choice in chunk.choices:
                    print(choice.delta.content or "", end="", flush=True)
    except specado.StreamInterruptedError as error:
        part = error.partial.choices[0].message.text
        print(f"\n  broke off after {len(part)} characters ({error.code}): not an answer")
    else:
        response = stream.response()
        tokens = response.usage.total_tokens if response.usage else "unknown"
        metadata = stream.extensions.metadata
        print(f"\n  from {stream.extensions.provider_used}, {stream.extensions.attempts} requests,")
        print(f"  first content after {metadata['time_to_first_content_ms']:.1f} ms,", end=" ")
        print(f"the whole after {metadata['latency_ms']:.1f} ms, tokens: {tokens}")


def main() -> None:
    client = specado.Client(
        {"primary_provider": "openai", "fallback_provider": "anthropic", "simulate": True}
    )

    show(client, "gpt-5.4")
    show(client, "stream-error-test-model")  # fails before its first content
    show(client, "stream-cut-test-model")  # is cut after it


if __name__ == "__main__":
    main()
