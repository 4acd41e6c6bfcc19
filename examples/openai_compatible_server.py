"""Using a server that speaks OpenAI's chat completions: register it, then name it.

The server is specado's simulator on this machine; vLLM, llama.cpp, Ollama, a gateway or a hosted
service is registered in the same way.
"""

import os

import specado
from specado.simulator.server import running


def main() -> None:
    os.environ["LOCAL_API_KEY"] = "any-key"  # a server without keys needs no variable
    with running() as server:
        specado.register_manifest(
            {
                "name": "local",
                "base_url": server.openai_base_url,  # such as http://127.0.0.1:8000/v1
                "api_key_env": "LOCAL_API_KEY",
                # Optional: what the server's models can do, for choosing and for translation.
                "models": {
                    "gpt-5.4": {
                        "general": True,
                        "capabilities": {"features": {"function_calling": True}},
                    }
                },
            }
        )

        # By a prefix, with any client ...
        response = specado.Client().chat.completions.create(
            model="local/gpt-5.4", messages="Hello by prefix"
        )
        print(response.extensions.provider_used, "|", response.choices[0].message.content)

        # ... or as the first provider of all calls.
        client = specado.Client({"primary_provider": "local", "enable_fallback": False})
        response = client.chat.completions.create(model="gpt-5.4", messages="Hello by setting")
        print(response.extensions.provider_used, "|", response.choices[0].message.content)

        # Models that the manifest does not list can be called as well.
        response = client.chat.completions.create(model="gpt-5.4-mini", messages="Hello, unlisted")
        print(response.extensions.provider_used, "|", response.choices[0].message.content)


if __name__ == "__main__":
    main()
