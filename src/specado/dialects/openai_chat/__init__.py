"""OpenAI chat completions dialect: its field table."""
