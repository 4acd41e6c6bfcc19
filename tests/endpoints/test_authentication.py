"""Authentication flows: changes to the finished request, and secrets for redaction."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar

import httpx
import pytest
from msgspec.structs import replace

import specado
from specado import register_manifest
from specado.catalog import lookup as catalog
from specado.endpoints.access import Access
from specado.endpoints.authentication import flow_of
from specado.endpoints.request import RequestSecrets, wire_request
from specado.errors import AuthenticationError, RateLimitError
from specado.settings.client_settings import resolve
from specado.transport import WireRequest

URL = "https://mine.example/v1/chat/completions"
REQUEST = WireRequest("POST", f"{URL}?a=1&key=old", (("Accept", "x"),), b"{}")
FLOWS: dict[str, dict[str, Any]] = {
    "header": {"name": "Authorization", "prefix": "Bearer ", "env": ["MINE_KEY"]},
    "query": {"name": "key", "env": ["MINE_KEY"]},
    "none": {},
}
EACH_FLOW = pytest.mark.parametrize("kind", FLOWS)


def register(kind: str) -> None:
    register_manifest(
        {
            "name": "mine",
            "base_url": "https://mine.example/v1",
            "authentication": {"kind": kind, **FLOWS[kind]},
        }
    )


def asking(answer: Any, key: Any, **config: Any) -> specado.Client:
    transport = httpx.MockTransport(answer)
    settings = {"simulate": False, "providers": {"mine": {"api_key": key}}, **config}
    return specado.Client(settings, http_client=httpx.Client(transport=transport))


def endpoint(kind: str, **entry: Any) -> Any:
    register(kind)
    provider = catalog.provider("mine")
    assert provider is not None
    return Access(resolve({"providers": {"mine": entry}})).endpoint(provider)


@EACH_FLOW
@pytest.mark.parametrize("key", ["k3y", "sk-a-longer-key-0123456789"])
def test_an_error_that_echoes_the_key_does_not_show_it(kind: str, key: str) -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        sent = request.url.params.get("key") or request.headers["authorization"]
        assert key in sent
        return httpx.Response(401, json={"error": {"message": f"no such key: {sent}"}})

    register(kind)

    with pytest.raises(AuthenticationError) as caught:
        asking(echo, key).chat.completions.create("mine/m", "Hello")

    assert "no such key" in str(caught.value)
    assert key not in str(caught.value)


@EACH_FLOW
def test_a_header_of_the_caller_replaces_the_key_and_is_secret_too(kind: str) -> None:
    sent: list[tuple[str | None, str | None]] = []

    def echo(request: httpx.Request) -> httpx.Response:
        sent.append((request.url.params.get("key"), request.headers.get("authorization")))
        return httpx.Response(401, json={"error": {"message": str(sent)}})

    register(kind)

    with pytest.raises(AuthenticationError) as caught:
        asking(echo, "the-settings-key").chat.completions.create(
            "mine/m", "Hello", extra_headers={"authorization": "Bearer the-callers-key"}
        )

    assert sent == [(None, "Bearer the-callers-key")]
    assert "the-callers-key" not in str(caught.value)


@EACH_FLOW
def test_a_callable_is_asked_at_each_send(kind: str) -> None:
    keys = iter(["first-key", "second-key", "third-key"])
    sent: list[str] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        sent.append(request.url.params.get("key") or request.headers["authorization"][7:])
        return httpx.Response(429, headers={"retry-after": "0"}, json={})

    register(kind)

    with pytest.raises(RateLimitError):
        asking(refuse, lambda: next(keys), max_retries=2).chat.completions.create("mine/m", "Hi")

    assert sent == ["first-key", "second-key", "third-key"]


@EACH_FLOW
def test_only_what_is_the_same_for_every_request_is_common(kind: str) -> None:
    header = (("Authorization", "Bearer a-key"),)

    with_text = endpoint(kind, api_key="a-key").flow.common_headers
    with_callable = endpoint(kind, api_key=lambda: "a-key").flow.common_headers

    assert with_text == (None if kind == "query" else header)
    assert with_callable is None


@EACH_FLOW
def test_the_common_headers_are_made_once(kind: str) -> None:
    found = endpoint(kind, api_key="a-key", headers={"X-A": "1"})

    first, second = (wire_request(found, URL, body) for body in (b"1", b"2"))

    assert first.headers is second.headers
    assert first.carries_key


@EACH_FLOW
def test_without_its_key_a_flow_changes_nothing(kind: str) -> None:
    flow = endpoint(kind, api_key="a-key").flow.with_key(None)

    assert flow.authenticate(REQUEST) is REQUEST
    assert flow.common_headers == ()
    assert "a-key" not in repr(endpoint(kind, api_key="a-key").flow)


def test_a_key_in_the_query_replaces_one_of_its_name() -> None:
    flow = endpoint("query", api_key="new&key").flow

    assert flow.authenticate(REQUEST).url == f"{URL}?a=1&key=new%26key"
    assert list(flow.secrets(flow.authenticate(REQUEST))) == ["new&key"]


@pytest.mark.parametrize(("kind", "needed"), [("header", True), ("query", True), ("none", False)])
def test_a_flow_says_whether_it_needs_a_key(kind: str, needed: bool) -> None:
    register(kind)
    provider = catalog.provider("mine")

    assert provider is not None
    assert flow_of(provider.authentication).needs_key is needed
    assert (endpoint(kind).missing is not None) is needed


class Signature:
    """A flow that signs the body of each request."""

    needs_key: ClassVar[bool] = True
    common_headers = None

    def authenticate(self, request: WireRequest) -> WireRequest:
        text = f"{request.method} {request.url} {len(request.headers)}".encode() + request.body
        signed = ("x-signature", hashlib.sha256(text).hexdigest())
        return replace(request, headers=(*request.headers, signed))

    def secrets(self, request: WireRequest) -> Any:
        return iter([dict(request.headers)["x-signature"]])

    def key_headers(self, headers: Any) -> set[tuple[str, str]]:
        return set()

    def without_key(self) -> Any:
        return self


def test_a_signature_sees_the_finished_request() -> None:
    found = replace(
        endpoint("none"), flow=Signature(), authenticates_each=True, common_headers=None
    )

    request = wire_request(found, URL, b'{"a":1}', (("X-B", "2"),), {"q": "1"})

    text = b"POST " + f"{URL}?q=1 4".encode() + b'{"a":1}'
    signature = hashlib.sha256(text).hexdigest()
    assert dict(request.headers)["x-signature"] == signature
    assert signature in list(RequestSecrets(found, request))
