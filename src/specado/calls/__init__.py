"""One call from its arguments to its reply or stream."""
