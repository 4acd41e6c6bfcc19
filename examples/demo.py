"""The main job: a completion, then one whose first provider fails.

Needs no key: `simulate` has specado answer from its simulator, whatever keys there are.
"""

import specado


def show(title: str, response: specado.ChatCompletionResponse) -> None:
    metadata = response.extensions.metadata
    print(f"\n{title}")
    print(f"  answer      {response.choices[0].message.content}")
    print(f"  model       {response.model}, from {response.extensions.provider_used}")
    print(f"  attempts    {response.extensions.attempts}")
    print(f"  fallback    {response.extensions.fallback_triggered}")
    for error in metadata.get("provider_errors", []):
        print(f"  failed      {error}")
    print(f"  simulated   {metadata['simulated']}")


def main() -> None:
    client = specado.Client(
        {
            "primary_provider": "openai",
            "fallback_provider": "anthropic",
            "simulate": True,  # without this line the providers are asked, with your keys
        }
    )

    response = client.chat.completions.create(
        model="gpt-5.4",
        messages=[
            specado.Message("system", "You are a helpful assistant."),
            specado.Message("user", "What is a fallback?"),
        ],
        temperature=0.7,
        max_tokens=150,
    )
    show("A completion", response)

    # A reserved name: its provider never answers in time, so the next one is asked.
    response = client.chat.completions.create(
        model="timeout-test-model", messages="What is a fallback?"
    )
    show("The same, with a first provider that does not answer", response)


if __name__ == "__main__":
    main()
