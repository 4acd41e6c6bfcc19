"""The shipped providers by name, as tests expect them, and as messages list them."""

from __future__ import annotations

__all__ = ["FAMILY", "KNOWN", "LOCAL", "SHIPPED"]

# Servers on the machine of the user: they need no key.
LOCAL = ["llamacpp", "lmstudio", "ollama", "sglang", "vllm"]
# Those whose API is one like OpenAI's.
FAMILY = sorted(
    [
        *LOCAL,
        "azure",
        "cerebras",
        "cohere",
        "dashscope",
        "databricks",
        "deepinfra",
        "deepseek",
        "fireworks",
        "groq",
        "huggingface",
        "mistral",
        "moonshot",
        "nvidia",
        "openrouter",
        "perplexity",
        "sambanova",
        "together",
        "xai",
        "zai",
    ]
)
SHIPPED = sorted([*FAMILY, "anthropic", "bedrock", "gemini", "openai", "vertex"])
KNOWN = ", ".join(SHIPPED)
