"""Compiled half of the Google Gemini dialect: requests and replies, both directions."""
