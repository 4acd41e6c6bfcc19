"""A call driven on scripted replies: no transport, no clock."""

from __future__ import annotations

import json

from example_inputs import KEYS
from specado.calls.call import CompletionCall
from specado.endpoints.access import Access
from specado.errors import ConfigurationError
from specado.routing.attempts import Send, Wait
from specado.settings.client_settings import resolve
from specado.transport import TransportFailure, WireReply


def call(model="gpt-4o", config=KEYS, **given):
    settings = resolve(config)
    return CompletionCall(settings, Access(settings), model, "Hello", given)


def ok(content="Hi", **more):
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant"}}
    choice["message"]["content"] = content
    choice.update(more)
    body = {"id": "chatcmpl-1", "created": 1, "model": "gpt-4o-2024-08-06", "choices": [choice]}
    body["usage"] = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return WireReply(200, {"x-request-id": "req-1"}, json.dumps(body).encode())


def refused(status, text="no", **headers):
    body = {"error": {"message": text, "type": "x", "code": None}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return WireReply(status, named, json.dumps(body).encode())


def drive(one, replies):
    """Run a call on scripted replies and failures; return what a client would return or raise."""
    steps = one.steps()
    left = list(replies)
    try:
        effect = next(steps)
        while True:
            if isinstance(effect, Wait):
                effect = steps.send(None)
                continue
            request = one.request_of(effect.candidate)
            if isinstance(request, ConfigurationError):
                effect = steps.send(request)
                continue
            reply = left.pop(0)
            if isinstance(effect, Send) and isinstance(reply, TransportFailure):
                failed = one.failed(effect.candidate, request, reply, effect.timeout_s)
                effect = steps.send(failed)
            else:
                effect = steps.send(one.read(effect.candidate, request, reply))
    except StopIteration as stop:
        return one.conclude(stop.value)
