"""Compiled half of the Anthropic messages dialect: requests and replies, both directions."""
