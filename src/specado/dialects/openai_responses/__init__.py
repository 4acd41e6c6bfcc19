"""OpenAI Responses dialect."""
