"""One call to any large language model, and nothing lost silently between providers."""
