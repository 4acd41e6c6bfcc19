"""Which error calls for what: one handler, and the faults that the simulator plays.

Needs no key: `simulate` has specado answer from its simulator, whatever keys there are.
"""

import specado


def advice(error: specado.SpecadoError) -> str:
    """Return what a service might do about an error; the narrower classes come first."""
    if isinstance(error, specado.LossyTranslationError):
        return f"drop the parameter, or use {error.setting}"
    if isinstance(error, (specado.ConfigurationError, specado.MessageFormatError)):
        return "mend the program or its configuration"
    if isinstance(error, (specado.AuthenticationError, specado.QuotaExceededError)):
        return "call whoever looks after the account"
    if isinstance(error, specado.RateLimitError):
        return f"put it back into the queue for {error.retry_after_s or 1:g} s"
    if isinstance(error, specado.ProviderError) and error.retryable:
        return "put it back into the queue"
    return "give the user an apology"


def show(client: specado.Client, request: dict) -> None:
    try:
        client.chat.completions.create(**request)
    except specado.SpecadoError as error:
        attempts = getattr(error, "attempts", 0)
        print(f"{type(error).__name__:24} {attempts} sent  -> {advice(error)}")


def main() -> None:
    client = specado.Client({"enable_fallback": False, "simulate": True})
    requests = [
        {"model": "rate-limit-test-model", "messages": "Hello"},
        {"model": "quota-test-model", "messages": "Hello"},
        {"model": "overloaded-test-model", "messages": "Hello"},
        {"model": "timeout-test-model", "messages": "Hello", "timeout_seconds": 5},
        {"model": "context-length-test-model", "messages": "Hello"},
        {"model": "connection-reset-test-model", "messages": "Hello"},
        {"model": "anthropic/claude-opus-5-5", "messages": "Hello", "n": 2},
        {"model": "gpt-5.4", "messages": []},
    ]

    for request in requests:
        show(client, request)


if __name__ == "__main__":
    main()
