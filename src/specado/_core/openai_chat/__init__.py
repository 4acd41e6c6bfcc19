"""Compiled half of the OpenAI chat-completions dialect: requests and replies, both directions."""
