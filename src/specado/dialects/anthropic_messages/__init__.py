"""Anthropic messages dialect: its field table, and the change of a request's model."""
