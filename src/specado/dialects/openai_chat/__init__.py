"""OpenAI chat completions dialect, which is the canonical form."""
