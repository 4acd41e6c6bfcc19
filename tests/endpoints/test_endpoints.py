"""Endpoints: URLs, headers and credentials of providers."""

from __future__ import annotations

import ssl

import pytest

from specado import __version__, register_manifest
from specado.catalog import lookup as catalog
from specado.catalog.lookup import provider
from specado.endpoints.access import Access, has_access, resolve_endpoint
from specado.endpoints.request import wire_request
from specado.errors import ConfigurationError
from specado.routing.dialect_routes import dialect_routes
from specado.settings.client_settings import resolve

STATIC = {
    "content-type": "application/json",
    "accept": "application/json",
    "user-agent": f"specado/{__version__}",
}


def endpoint(name="openai", **entry):
    return resolve_endpoint(catalog.provider(name), resolve({"providers": {name: entry}}))


def request(name="openai", model="gpt-4o", extra=(), **entry):
    access = Access(resolve({"providers": {name: entry}}))
    found = access.endpoint(catalog.provider(name))
    route, *_ = dialect_routes(found.provider, model, None, found, access)
    return wire_request(found, route.url, b"{}", *extra)


def headers(found):
    """The headers of a request beyond those that each has."""
    return {name: text for name, text in found.headers if STATIC.get(name) != text}


# The two providers


def test_openai_is_asked_at_its_address_with_a_bearer_token():
    found = request(api_key="sk-key")

    assert found.method == "POST"
    assert found.url == "https://api.openai.com/v1/chat/completions"
    assert dict(found.headers) == {**STATIC, "Authorization": "Bearer sk-key"}
    assert found.body == b"{}"


def test_anthropic_is_asked_at_its_address_with_its_key_and_version():
    found = request("anthropic", api_key="sk-ant")

    assert found.url == "https://api.anthropic.com/v1/messages"
    assert dict(found.headers) == {
        **STATIC,
        "x-api-key": "sk-ant",
        "anthropic-version": "2023-06-01",
    }


@pytest.mark.parametrize("slash", ["", "/", "//"])
def test_openais_base_url_ends_in_the_version(slash):
    found = request(api_key="k", base_url=f"http://localhost:8089/v1{slash}")

    assert found.url == "http://localhost:8089/v1/chat/completions"


@pytest.mark.parametrize("slash", ["", "/"])
def test_anthropics_base_url_does_not(slash):
    found = request("anthropic", api_key="k", base_url=f"http://localhost:8089{slash}")

    assert found.url == "http://localhost:8089/v1/messages"


# The environment


@pytest.mark.parametrize(
    ("name", "variables", "url", "expected"),
    [
        (
            "openai",
            {"OPENAI_API_KEY": " sk-env\n", "OPENAI_BASE_URL": "http://a/v1/"},
            "http://a/v1/chat/completions",
            {"Authorization": "Bearer sk-env"},
        ),
        (
            "openai",
            {"OPENAI_API_KEY": "k", "OPENAI_ORG_ID": "org-1", "OPENAI_PROJECT_ID": " p-1 "},
            "https://api.openai.com/v1/chat/completions",
            {
                "Authorization": "Bearer k",
                "OpenAI-Organization": "org-1",
                "OpenAI-Project": "p-1",
            },
        ),
        (
            "anthropic",
            {"ANTHROPIC_API_KEY": "sk-env", "ANTHROPIC_BASE_URL": "http://b"},
            "http://b/v1/messages",
            {"x-api-key": "sk-env", "anthropic-version": "2023-06-01"},
        ),
    ],
)
def test_the_environment_gives_what_the_config_does_not(
    monkeypatch, name, variables, url, expected
):
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)

    found = request(name)

    assert found.url == url
    assert headers(found) == expected


def test_the_config_counts_before_the_environment(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-“broken”")
    monkeypatch.setenv("OPENAI_BASE_URL", "broken")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-env")

    found = request(
        api_key="sk-mine", base_url="http://mine/v1", headers={"openai-organization": "org-mine"}
    )

    assert found.url == "http://mine/v1/chat/completions"
    assert headers(found) == {"Authorization": "Bearer sk-mine", "openai-organization": "org-mine"}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OPENAI_API_KEY", "sk-a\nb"),
        ("OPENAI_BASE_URL", "localhost:8089"),
        ("OPENAI_ORG_ID", "órg"),
        ("OPENAI_PROJECT_ID", "a\tb"),
    ],
)
def test_a_variable_that_cannot_be_sent_is_named(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)

    with pytest.raises(ConfigurationError, match=variable) as caught:
        endpoint()

    assert caught.value.key == variable


@pytest.mark.parametrize("blank", ["", " ", "\n"])
def test_a_blank_variable_is_no_key(monkeypatch, blank):
    monkeypatch.setenv("OPENAI_API_KEY", blank)
    monkeypatch.setenv("OPENAI_BASE_URL", blank)

    assert endpoint().missing is not None
    assert endpoint().base_url == "https://api.openai.com/v1"


# Credentials that are missing


def test_what_is_missing_names_the_variable_and_the_setting():
    assert endpoint().missing == (
        "no API key for 'openai': set OPENAI_API_KEY, or providers['openai']['api_key']"
    )
    assert endpoint("anthropic").missing == (
        "no API key for 'anthropic': set ANTHROPIC_API_KEY, or providers['anthropic']['api_key']"
    )


def test_without_a_variable_the_setting_is_named():
    register_manifest(
        {
            "name": "mine",
            "base_url": "https://mine.example",
            "authentication": {"name": "x-key", "prefix": ""},
        }
    )

    assert endpoint("mine").missing == ("no API key for 'mine': give providers['mine']['api_key']")


def test_with_a_key_nothing_is_missing():
    assert endpoint(api_key="k").missing is None


# Callable keys


def test_a_callable_key_is_asked_for_each_request_and_checked():
    answers = iter([" one ", "two", "th\nree"])
    found = endpoint(api_key=lambda: next(answers))

    first, second = (wire_request(found, "https://api.openai.com/v1/x", b"{}") for _ in "ab")

    assert headers(first) == {"Authorization": "Bearer one"}
    assert headers(second) == {"Authorization": "Bearer two"}
    with pytest.raises(ConfigurationError, match="api_key"):
        wire_request(found, "https://api.openai.com/v1/x", b"{}")


# Other ways to authenticate, other addresses


def register(**more):
    manifest = {"name": "mine", "base_url": "https://mine.example/api/", **more}
    register_manifest(manifest)


def test_a_key_may_go_into_the_query():
    register(authentication={"kind": "query", "name": "key", "prefix": "", "env": ["MINE_KEY"]})

    found = request("mine", api_key="a b&c=d")

    assert found.url == "https://mine.example/api/chat/completions?key=a+b%26c%3Dd"
    assert headers(found) == {}
    assert "a+b" not in repr(found)


def test_a_key_in_the_query_has_no_bearer_before_it():
    register(authentication={"kind": "query", "name": "key", "env": ["MINE_KEY"]})

    assert request("mine", api_key="k").url.endswith("?key=k")


def test_a_key_may_go_into_a_header_of_any_name(monkeypatch):
    monkeypatch.setenv("SECOND", "k2")
    register(authentication={"name": "api-key", "prefix": "Key ", "env": ["FIRST", "SECOND"]})

    assert headers(request("mine")) == {"api-key": "Key k2"}


def test_a_server_without_keys_is_sent_none():
    register()

    found = endpoint("mine")

    assert found.missing is None
    assert headers(wire_request(found, "https://api.openai.com/v1/x", b"{}")) == {}


@pytest.mark.parametrize(
    "more", [{}, {"authentication": {"kind": "none"}}, {"authentication": {"env": []}}]
)
def test_a_key_that_is_configured_is_sent_though_the_manifest_names_no_variable(more):
    register(**more)

    assert headers(request("mine", api_key="k")) == {"Authorization": "Bearer k"}


def test_a_header_that_is_none_is_not_sent(monkeypatch):
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    version = {"Anthropic-Version": None, "X-A": None, "X-B": "1"}

    openai = request(api_key="k", headers={"openai-organization": None})

    assert headers(openai) == {"Authorization": "Bearer k"}
    assert headers(request("anthropic", headers=version)) == {"x-api-key": "k", "X-B": "1"}


def test_a_header_for_the_key_stands_in_for_it():
    assert endpoint(headers={"authorization": "Basic x"}).missing is None
    assert endpoint("anthropic", headers={"X-Api-Key": "k"}).missing is None
    assert endpoint(headers={"X-Team": "a", "Authorization": None}).missing is not None


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("gpt-4o", "gpt-4o"),
        ("org/model", "org%2Fmodel"),
        ("../admin", "..%2Fadmin"),
        ("a?b#c d", "a%3Fb%23c%20d"),
        ("模", "%E6%A8%A1"),
    ],
)
def test_a_path_may_hold_the_model(model, path):
    register(endpoints={"chat": "/models/{model}:chat"})

    assert request("mine", model).url == f"https://mine.example/api/models/{path}:chat"


def test_a_path_with_a_query_takes_more_of_it():
    register(endpoints={"chat": "/chat?version=1"})

    found = request("mine", extra=((), {"a": "b c"}))

    assert found.url == "https://mine.example/api/chat?version=1&a=b+c"


# Headers and query of the caller


def test_headers_of_the_provider_and_the_call_are_added():
    found = request(api_key="k", headers={"X-A": "1"}, extra=((("X-B", "2"),), {"q": "ü"}))

    assert headers(found) == {"Authorization": "Bearer k", "X-A": "1", "X-B": "2"}
    assert found.url == "https://api.openai.com/v1/chat/completions?q=%C3%BC"


def test_a_later_header_replaces_an_earlier_one_whatever_its_case():
    found = request(
        api_key="k",
        headers={"AUTHORIZATION": "Basic x", "User-Agent": "mine", "x-a": "1"},
        extra=((("X-A", "2"),), None),
    )

    assert dict(found.headers) == {
        "content-type": "application/json",
        "accept": "application/json",
        "User-Agent": "mine",
        "AUTHORIZATION": "Basic x",
        "X-A": "2",
    }


def test_the_providers_own_timeout_is_kept():
    assert endpoint(api_key="k", timeout_seconds=9).attempt_timeout_s == 9
    assert endpoint(api_key="k", attempt_timeout_seconds=9).attempt_timeout_s == 9
    assert endpoint(api_key="k").attempt_timeout_s is None


# Whether a provider can be reached at all


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({}, False),
        ({"timeout_seconds": 5}, False),
        ({"headers": {"A": "b"}}, False),
        ({"headers": {"Authorization": None}}, False),
        ({"headers": {"authorization": "Basic x"}}, True),
        ({"api_key": "k"}, True),
        ({"api_key": lambda: "k"}, True),
        ({"base_url": "http://localhost:1"}, True),
    ],
)
def test_a_credential_or_an_address_is_access(entry, expected):
    settings = resolve({"providers": {"openai": entry}})

    assert has_access(catalog.provider("openai"), settings) is expected
    assert Access(settings).is_real is expected


@pytest.mark.parametrize("variable", ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OPENAI_BASE_URL"])
def test_a_variable_is_access(monkeypatch, variable):
    monkeypatch.setenv(variable, "https://x.example")

    assert Access(resolve(None)).is_real


@pytest.mark.parametrize("variable", ["OPENAI_ORG_ID", "OPENAI_PROJECT_ID"])
def test_an_organization_is_no_access(monkeypatch, variable):
    monkeypatch.setenv(variable, "org-1")

    assert not Access(resolve(None)).is_real


def test_an_endpoint_is_looked_up_once_until_its_provider_changes():
    register()
    access = Access(resolve(None))
    first = access.endpoint(catalog.provider("mine"))

    again = access.endpoint(catalog.provider("mine"))
    register(base_url="https://moved.example")
    moved = access.endpoint(catalog.provider("mine"))

    assert again is first
    assert moved.base_url == "https://moved.example"


# What the connections are made from


def test_a_configured_proxy_stands_for_all_and_ignores_the_environment(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://env:1")
    monkeypatch.setenv("NO_PROXY", "api.openai.com")

    found = Access(resolve({"proxy": "mine:2"})).transport_settings

    assert found.proxies == (("all", "http://mine:2"),)
    assert found.no_proxy == ""


def test_the_environments_proxies_and_certificates_count(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://env:1")
    monkeypatch.setenv("NO_PROXY", "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", "/env.pem")

    from_environment = Access(resolve(None)).transport_settings
    from_config = Access(resolve({"ca_bundle": "/mine.pem"})).transport_settings

    assert from_environment.proxies == (("https", "http://env:1"),)
    assert from_environment.no_proxy == "localhost"
    assert from_environment.ca_bundle == "/env.pem"
    assert from_config.ca_bundle == "/mine.pem"


def test_certificates_of_ones_own_come_from_the_config(monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "/env.pem")
    context = ssl.create_default_context()

    by_file = Access(resolve({"client_certificate": ["a.pem", "a.key"]})).transport_settings
    by_context = Access(resolve({"ssl_context": context})).transport_settings

    assert (by_file.ca_bundle, by_file.client_certificate) == ("/env.pem", ("a.pem", "a.key"))
    assert by_file.ssl_context is None
    assert by_context.ssl_context is context
    assert by_context.ca_bundle is None


def test_limits_of_the_connections_come_from_the_config():
    settings = resolve({"max_connections": 7, "keepalive_seconds": 3})

    found = Access(settings).transport_settings

    assert (found.max_connections, found.keepalive_s) == (7, 3)


# Addresses that a variable gives by the host alone, and providers without a default one


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("box", "http://box:11434/v1"),
        ("box:8080", "http://box:8080/v1"),
        (":8080", "http://127.0.0.1:8080/v1"),
        ("0.0.0.0", "http://127.0.0.1:11434/v1"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080/v1"),
        ("[::1]", "http://[::1]:11434/v1"),
        ("[::1]:8080", "http://[::1]:8080/v1"),
        ("http://box", "http://box/v1"),
        ("https://box.example/", "https://box.example/v1"),
        ("https://box.example/ollama", "https://box.example/ollama/v1"),
        ("https://box.example/v1/", "https://box.example/v1"),
    ],
)
def test_a_variable_may_name_the_host_alone(monkeypatch, host, expected):
    monkeypatch.setenv("OLLAMA_HOST", host)

    assert resolve_endpoint(provider("ollama"), resolve(None)).base_url == expected


@pytest.mark.parametrize("host", ["a b", "http://", "box:port", "me:secret@box", "box?key=1"])
def test_a_host_that_is_none_is_refused_and_not_shown(monkeypatch, host):
    monkeypatch.setenv("OLLAMA_HOST", host)

    with pytest.raises(ConfigurationError, match="OLLAMA_HOST") as caught:
        resolve_endpoint(provider("ollama"), resolve(None))

    assert "secret" not in str(caught.value)


def test_a_base_url_counts_before_a_host(monkeypatch):
    monkeypatch.setenv("OLLAMA_HOST", "box")
    settings = resolve({"providers": {"ollama": {"base_url": "http://shed:1/v1"}}})

    assert resolve_endpoint(provider("ollama"), settings).base_url == "http://shed:1/v1"


def test_a_provider_without_a_default_address_says_what_to_set(monkeypatch):
    monkeypatch.setenv("DATABRICKS_TOKEN", "any-key")

    assert resolve_endpoint(provider("databricks"), resolve(None)).missing == (
        "no address for 'databricks': set DATABRICKS_HOST, or providers['databricks']['base_url']"
    )
    monkeypatch.setenv("DATABRICKS_HOST", "https://adb-1.azuredatabricks.net/")
    endpoint = resolve_endpoint(provider("databricks"), resolve(None))
    assert endpoint.missing is None
    assert endpoint.base_url == "https://adb-1.azuredatabricks.net/serving-endpoints"


@pytest.mark.parametrize("name", ["ollama", "vllm", "databricks"])
def test_what_is_known_of_self_hosted_servers_holds_at_every_address(name):
    assert provider(name).is_at("https://anywhere.example/v1")
    assert not provider("groq").is_at("https://anywhere.example/v1")


@pytest.mark.parametrize("name", ["ollama", "vllm", "lmstudio", "llamacpp", "sglang"])
def test_a_key_of_a_server_that_needs_none_is_sent_where_it_is_set(monkeypatch, name):
    (variable,) = provider(name).authentication.env
    assert not resolve_endpoint(provider(name), resolve(None)).has_key

    monkeypatch.setenv(variable, "any-key")
    endpoint = resolve_endpoint(provider(name), resolve(None))

    assert dict(endpoint.common_headers)["Authorization"] == "Bearer any-key"
    assert endpoint.missing is None
