"""A provider in a cloud: its address by location and project, access tokens, keys, errors."""

from __future__ import annotations

import asyncio
import builtins
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import specado
from played_streams import reply_json
from specado import register_manifest
from specado.errors import ConfigurationError, SimulatedReplyWarning
from specado.settings import google_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROJECT = {"project": "my-project"}
PATH = "/v1{parent}/models/{model}/chat/completions"


def manifest(**cloud: Any) -> dict[str, Any]:
    return {
        "name": "cloudy",
        "dialects": [
            {"name": "openai_chat", "path": "/v1{parent}/models/{model}/chat/completions"}
        ],
        "authentication": {
            "kind": "google",
            "name": "x-goog-api-key",
            "prefix": "",
            "env": ["CLOUDY_API_KEY"],
            "ambient_env": ["GOOGLE_APPLICATION_CREDENTIALS"],
            "base_url_env": "CLOUDY_BASE_URL",
        },
        "endpoints": {
            "base_url": "https://cloud.example",
            "cloud": {
                "base_urls": {
                    "global": "https://cloud.example",
                    "eu": "https://cloud.eu.rep.example",
                    "*": "https://{location}-cloud.example",
                },
                "default_location": "global",
                "project_env": ["GOOGLE_CLOUD_PROJECT"],
                "location_env": ["GOOGLE_CLOUD_LOCATION"],
                **cloud,
            },
        },
    }


@pytest.fixture(autouse=True)
def _cloudy(monkeypatch: pytest.MonkeyPatch) -> None:
    register_manifest(manifest())
    tokens = google_tokens.GoogleTokens()
    monkeypatch.setattr("specado.endpoints.access.default_google_tokens", tokens)


class Servers:
    """Answers of the cloud, and what was sent to it."""

    def __init__(self) -> None:
        self.urls: list[str] = []
        self.keys: list[tuple[str | None, str | None]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.urls.append(str(request.url))
        headers = request.headers
        self.keys.append((headers.get("authorization"), headers.get("x-goog-api-key")))
        return httpx.Response(200, content=reply_json())


def ask(**own: Any) -> Servers:
    """Make a call with the settings of the provider; return what its servers were sent."""
    servers = Servers()
    client = specado.Client(
        {"simulate": False, "max_retries": 0, "providers": {"cloudy": own}},
        http_client=httpx.Client(transport=httpx.MockTransport(servers)),
    )
    client.chat.completions.create("cloudy/big-1", "Hello")
    return servers


def refused(**own: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        ask(**own)
    return str(caught.value)


@pytest.mark.parametrize(
    ("location", "host"),
    [
        (None, "cloud.example"),
        ("global", "cloud.example"),
        ("eu", "cloud.eu.rep.example"),
        ("europe-west4", "europe-west4-cloud.example"),
    ],
)
def test_the_location_makes_the_address(location: str | None, host: str) -> None:
    servers = ask(credentials="a-token", project="my-project", location=location)

    path = f"/v1/projects/my-project/locations/{location or 'global'}/models/big-1/chat/completions"
    assert servers.urls == [f"https://{host}{path}"]
    assert servers.keys == [("Bearer a-token", None)]


def test_project_and_location_come_from_the_environment_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "of-the-environment")
    monkeypatch.setenv("GOOGLE_CLOUD_LOCATION", "us-central1")

    by_environment = ask(credentials="a-token").urls
    by_setting = ask(credentials="a-token", location="eu", **PROJECT).urls

    path = "/v1/projects/{}/locations/{}/models/big-1/chat/completions"
    assert by_environment == [
        "https://us-central1-cloud.example" + path.format("of-the-environment", "us-central1")
    ]
    assert by_setting == ["https://cloud.eu.rep.example" + path.format("my-project", "eu")]


@pytest.mark.parametrize("setting", ["credentials", "api_key"])
def test_a_callable_gives_the_token_of_each_request(setting: str) -> None:
    tokens = iter(["first", "second"])
    servers = Servers()
    client = specado.Client(
        {"simulate": False, "providers": {"cloudy": {setting: lambda: next(tokens), **PROJECT}}},
        http_client=httpx.Client(transport=httpx.MockTransport(servers)),
    )

    for _ in range(2):
        client.chat.completions.create("cloudy/big-1", "Hello")

    assert servers.keys == [("Bearer first", None), ("Bearer second", None)]


def test_an_async_callable_gives_the_token_of_an_async_call() -> None:
    async def token() -> str:
        return "awaited"

    servers = Servers()
    client = specado.AsyncClient(
        {"simulate": False, "providers": {"cloudy": {"credentials": token, **PROJECT}}},
        http_client=httpx.AsyncClient(transport=httpx.MockTransport(servers)),
    )

    asyncio.run(client.chat.completions.create("cloudy/big-1", "Hello"))

    assert servers.keys == [("Bearer awaited", None)]


def test_a_key_needs_no_project(monkeypatch: pytest.MonkeyPatch) -> None:
    by_setting = ask(api_key="a-key")
    monkeypatch.setenv("CLOUDY_API_KEY", "key-of-the-environment")
    by_environment = ask(location="us-central1", **PROJECT)
    by_header = ask(headers={"X-Goog-Api-Key": "key-of-a-header"}, **PROJECT)

    assert by_setting.urls == ["https://cloud.example/v1/models/big-1/chat/completions"]
    assert by_setting.keys == [(None, "a-key")]
    assert by_environment.urls == [
        "https://us-central1-cloud.example/v1/models/big-1/chat/completions"
    ]
    assert by_environment.keys == [(None, "key-of-the-environment")]
    assert by_header.urls == ["https://cloud.example/v1/models/big-1/chat/completions"]
    assert by_header.keys == [(None, "key-of-a-header")]


def test_a_gateway_of_the_callers_own_needs_no_project() -> None:
    servers = ask(credentials="a-token", base_url="https://gateway.example")

    assert servers.urls == ["https://gateway.example/v1/models/big-1/chat/completions"]
    assert servers.keys == [("Bearer a-token", None)]


def test_an_error_names_what_is_missing_and_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    no_project = refused(credentials="a-token")
    monkeypatch.setattr("specado.endpoints.access.has_google_auth", lambda: False)
    no_key = refused(**PROJECT)

    assert no_project == (
        "Configuration error: no project for 'cloudy': set GOOGLE_CLOUD_PROJECT, or "
        "providers['cloudy']['project']"
    )
    assert no_key == (
        "Configuration error: no API key for 'cloudy': set CLOUDY_API_KEY, or "
        "providers['cloudy']['api_key']; or, for access tokens, "
        "providers['cloudy']['credentials'], or pip install \"specado[vertex]\" for the "
        "application default credentials"
    )


@pytest.mark.parametrize(
    ("own", "problem"),
    [
        ({"project": "a/b"}, "project'] is a str; allowed: the id of a project"),
        ({"location": "evil.example/x"}, "location'] is a str; allowed: the name of a location"),
        ({"location": 5}, "location'] is 5; allowed"),
        ({"credentials": 5}, "credentials'] is 5; allowed: an access token, a callable"),
    ],
)
def test_a_wrong_value_of_a_setting_is_an_error(own: dict[str, Any], problem: str) -> None:
    assert problem in refused(**own)


def test_a_wrong_value_of_a_variable_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_LOCATION", "evil.example/x")

    assert "GOOGLE_CLOUD_LOCATION is 'evil.example/x'; allowed: the name of" in refused(
        credentials="t"
    )


@pytest.mark.parametrize("name", ["project", "location", "credentials"])
def test_a_provider_that_is_in_no_cloud_has_no_such_setting(name: str) -> None:
    client = specado.Client({"providers": {"openai": {"api_key": "k", name: "global"}}})

    with pytest.raises(ConfigurationError) as caught:
        client.chat.completions.create("openai/gpt-4.1", "Hello")

    text = (
        f"providers['openai']['{name}'] is not a setting of this provider, only of one in a cloud"
    )
    assert text in str(caught.value)
    assert ("'OpenAI-Project'" in str(caught.value)) is (name == "project")


def test_settings_show_no_token_and_are_merged() -> None:
    client = specado.Client({"providers": {"cloudy": {"credentials": "a-token", **PROJECT}}})

    elsewhere = client.with_options(providers={"cloudy": {"location": "europe-west4"}})
    by_key = elsewhere.with_options(providers={"cloudy": {"api_key": "a-key"}})

    shown = json.loads(elsewhere.get_config("providers") or "")["cloudy"]
    assert shown == {"credentials": "***", "project": "my-project", "location": "europe-west4"}
    assert "credentials" not in json.loads(by_key.get_config("providers") or "")["cloudy"]


def test_an_error_does_not_show_the_token() -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        message = f"no: {request.headers['authorization']}"
        return httpx.Response(401, json={"error": {"message": message}})

    own = {"credentials": lambda: "ya29.a-secret-token", **PROJECT}
    client = specado.Client(
        {"simulate": False, "providers": {"cloudy": own}},
        http_client=httpx.Client(transport=httpx.MockTransport(echo)),
    )

    with pytest.raises(specado.AuthenticationError) as caught:
        client.chat.completions.create("cloudy/big-1", "Hello")

    assert "no: " in str(caught.value)
    assert "a-secret-token" not in str(caught.value)


def test_a_provider_without_any_credential_is_simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    client = specado.Client()

    with pytest.warns(SimulatedReplyWarning):
        reply = client.chat.completions.create("cloudy/big-1", "Hello")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/no/such/file.json")
    with pytest.raises(ConfigurationError, match="no project for 'cloudy'"):
        client.chat.completions.create("cloudy/big-1", "Hello")

    assert reply.extensions.metadata["simulated"] is True


@pytest.mark.parametrize(
    ("cloud", "problem"),
    [
        ({"base_urls": {"eu": "https://a.example"}}, "must have a base URL for '*'"),
        ({"base_urls": {"*": "ftp://{location}.example"}}, "must begin with http"),
        ({"project_env": ["NOT A NAME"]}, "is not the name of an environment variable"),
    ],
)
def test_a_manifest_with_a_wrong_address_is_refused(cloud: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem.replace("*", r"\*")):
        register_manifest(manifest(**cloud), replace=True)


# google-auth


class TokenServer:
    """A token server on loopback: it answers each request for a token, and counts them."""

    def __init__(self) -> None:
        self.asked = 0
        self.status = 200

    def handler(self) -> type[BaseHTTPRequestHandler]:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                owner.asked += 1
                found = {"access_token": f"token-{owner.asked}", "expires_in": 3600}
                if owner.status != 200:
                    found = {"error": "invalid_grant", "error_description": "no such account"}
                body = json.dumps({**found, "token_type": "Bearer"}).encode()
                self.send_response(owner.status)
                self.send_header("content-length", str(len(body)))
                self.send_header("content-type", "application/json")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


@pytest.fixture
def token_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[TokenServer]:
    """A token server, and a key file of a service account that names it."""
    pytest.importorskip("google.auth")
    rsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.rsa")
    from cryptography.hazmat.primitives import serialization

    found = TokenServer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), found.handler())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    account = {
        "type": "service_account",
        "project_id": "my-project",
        "private_key_id": "1",
        "private_key": pem.decode(),
        "client_email": "robot@my-project.example",
        "client_id": "1",
        "token_uri": f"http://127.0.0.1:{server.server_port}/token",
    }
    path = tmp_path / "account.json"
    path.write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield found
    server.shutdown()
    server.server_close()
    thread.join(10)


def test_the_application_default_credentials_give_the_token(token_server: TokenServer) -> None:
    first, second = ask(**PROJECT), ask(**PROJECT)

    assert first.keys == second.keys == [("Bearer token-1", None)]
    assert token_server.asked == 1


def test_credentials_of_google_auth_are_taken_as_they_are(token_server: TokenServer) -> None:
    from google import auth

    credentials, project = auth.default(scopes=google_tokens.SCOPES)

    servers = ask(credentials=credentials, project=project)

    assert servers.keys == [("Bearer token-1", None)]
    assert "/projects/my-project/" in servers.urls[0]


def test_threads_share_one_token(token_server: TokenServer) -> None:
    tokens = google_tokens.GoogleTokens()

    with ThreadPoolExecutor(16) as threads:
        found = set(threads.map(lambda _: tokens(), range(64)))

    assert found == {"token-1"}
    assert token_server.asked == 1


def test_a_refusal_of_the_token_server_is_a_configuration_error(token_server: TokenServer) -> None:
    token_server.status = 400

    assert "Google's credentials give no access token" in refused(**PROJECT)
    assert "invalid_grant" in refused(**PROJECT)


def test_no_credentials_at_all_are_a_configuration_error(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("google.auth")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/no/such/file.json")

    assert "Google's credentials give no access token" in refused(**PROJECT)


def test_without_google_auth_its_credentials_name_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = builtins.__import__

    def without_google(name: str, *more: Any) -> Any:
        if name.startswith("google"):
            raise ImportError(name)
        return real(name, *more)

    class Credentials:
        token = None
        valid = False

        def refresh(self, _request: Any) -> None:
            pass

    monkeypatch.setattr(builtins, "__import__", without_google)

    assert 'pip install "specado[vertex]"' in refused(credentials=Credentials(), **PROJECT)


def test_two_projects_are_two_accounts() -> None:
    from specado.catalog import lookup as catalog
    from specado.endpoints.access import Access
    from specado.settings.client_settings import resolve

    def account(project: str) -> Any:
        own = {"credentials": "a-token", "project": project}
        provider = catalog.provider("cloudy")
        assert provider is not None
        return Access(resolve({"providers": {"cloudy": own}})).endpoint(provider).account

    assert account("one") != account("two")
    assert account("one") == account("one")
