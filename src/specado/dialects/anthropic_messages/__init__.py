"""Anthropic messages dialect."""
