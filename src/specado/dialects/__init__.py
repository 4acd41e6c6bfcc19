"""Dialects (wire formats): translation of requests, replies, streams and errors."""
