"""Compiled half of the OpenAI Responses dialect: requests and replies, both directions."""
