"""`translate` and `specado preview` give the exact bytes that a call sends."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import specado
from specado.cli import main

USER = {"role": "user", "content": "Hello"}
TOOL = {
    "type": "function",
    "function": {
        "name": "f",
        "description": "Does it.",
        "parameters": {"type": "object", "properties": {"a": {"type": "string"}}},
    },
}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": "b"}'}}
SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "s",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"a": {"type": "string"}},
            "required": ["a"],
            "additionalProperties": False,
        },
    },
}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
BARE = '{"model": "m", "messages": [{"role": "user", "content": "Hello"}], "stream": true}'
ANSWERS = [
    {"role": "system", "content": "Be brief."},
    USER,
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "c1", "content": "done"},
    {"role": "user", "content": [{"type": "text", "text": "And?"}, IMAGE]},
]
REQUESTS = [
    {},
    {"stream": True},
    {"stream": True, "stream_options": {"include_usage": False}},
    {"stream": True, "stream_options": {"include_usage": True}},
    {"stream": True, "stream_options": {"include_obfuscation": False}},
    {"stream": True, "max_tokens": 50, "temperature": 0.5, "stop": ["a", "b"]},
    {"max_completion_tokens": 50, "top_p": 0.9, "seed": 3, "user": "u1", "n": 1},
    {"messages": ANSWERS, "tools": [TOOL]},
    {"messages": ANSWERS, "tools": [TOOL], "tool_choice": "required", "stream": True},
    {"tools": [TOOL], "parallel_tool_calls": False},
    {"response_format": SCHEMA},
    {"response_format": SCHEMA, "stream": True},
    {"response_format": {"type": "json_object"}},
    {"reasoning_effort": "high", "stream": True},
    {"messages": [{"role": "user", "content": "Grüße, 世界"}], "metadata": {"a": "b"}},
]
MODELS = {
    "openai": ["gpt-4o", "gpt-5.4", "not-listed"],
    "anthropic": ["claude-haiku-4-5", "claude-opus-4-8", "claude-opus-4-5", "not-listed"],
}


@pytest.fixture(scope="module")
def server():
    """Run a server that keeps each body and answers with an error; return its address and them."""
    bodies = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(418)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", bodies
        running.shutdown()
        thread.join(10)


def register(name, base_url, **members):
    """Register the models of a shipped provider at another address."""
    manifest = specado.get_manifest(name)
    manifest["endpoints"]["base_url"] = base_url
    manifest["authentication"] = {"kind": "none"}
    return specado.register_manifest({**manifest, **members}, name=f"{name}-here")


def sent(bodies, target, request):
    """Return the bytes that a call sends."""
    bodies.clear()
    given = {name: value for name, value in request.items() if name != "model"}
    messages = given.pop("messages")
    with pytest.raises(specado.ProviderError), specado.Client({"max_retries": 0}) as client:
        client.chat.completions.create(target, messages, fallback_models=[], **given)
    (body,) = bodies
    return body


@pytest.mark.parametrize(
    ("provider", "model"), [(name, model) for name in MODELS for model in MODELS[name]]
)
def test_a_translation_has_the_bytes_of_the_call(server, provider, model):
    base_url, bodies = server
    target = f"{register(provider, base_url)}/{model}"

    for changes in REQUESTS:
        request = {"model": "gpt-4o", "messages": [USER], **changes}
        expected = sent(bodies, target, request)

        assert specado.translate(request, target).body == expected
        assert specado.translate(json.dumps(request), target).body == expected


def test_a_server_that_refuses_to_be_asked_for_usage_is_not_asked(server):
    base_url, bodies = server
    chat = specado.get_manifest("openai")["dialects"][0]
    dialects = [{**chat, "stream_usage": False}]
    target = f"{register('openai', base_url, dialects=dialects, models={})}/gpt-4o"
    options = {"include_usage": True, "include_obfuscation": False}

    for more in ({}, {"stream_options": options}):
        request = {"model": "gpt-4o", "messages": [USER], "stream": True, **more}
        expected = sent(bodies, target, request)

        assert specado.translate(request, target).body == expected
        assert b"include_usage" not in expected


def test_a_stream_is_asked_for_its_usage():
    body = json.loads(specado.translate(BARE, "openai/gpt-4o").body)

    assert body["stream_options"] == {"include_usage": True}


def test_a_stream_of_anthropics_form_is_asked_for_its_usage():
    request = {"model": "claude-haiku-4-5", "max_tokens": 9, "messages": [USER], "stream": True}
    body = json.loads(specado.translate(request, "openai/gpt-4o", source="anthropic").body)

    assert body["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize("provider", MODELS)
def test_the_preview_shows_the_body_of_the_call(server, provider, tmp_path, capsys):
    base_url, bodies = server
    target = f"{register(provider, base_url)}/{MODELS[provider][0]}"
    path = tmp_path / "request.json"

    for changes in REQUESTS:
        request = {"model": "gpt-4o", "messages": [USER], **changes}
        path.write_text(json.dumps(request), encoding="utf-8")
        assert main(["preview", str(path), "--to", target, "--json"]) == 0

        shown = json.loads(capsys.readouterr().out)["body"]
        assert shown == json.loads(sent(bodies, target, request))


@pytest.mark.parametrize(
    "dialects", [("openai_chat", "anthropic_messages"), ("anthropic_messages", "openai_chat")]
)
def test_a_translation_is_in_the_dialect_of_the_call(server, dialects):
    base_url, bodies = server
    listed = [{"name": each, "path": f"/{each}"} for each in dialects]
    specado.register_manifest({"name": "both", "base_url": base_url, "dialects": listed})

    for changes in [{"max_tokens": 9, **each} for each in REQUESTS]:
        request = {"model": "m", "messages": [USER], **changes}

        assert specado.translate(request, "both/m").body == sent(bodies, "both/m", request)
