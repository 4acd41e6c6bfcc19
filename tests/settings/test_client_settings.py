"""Client settings: defaults, environment, precedence, refused values, repr."""

from __future__ import annotations

import json
import ssl
import warnings

import pytest

from specado.errors import ConfigurationError, ConfigurationWarning
from specado.settings.client_settings import environment_proxies, resolve

DEFAULTS = {
    "primary_provider": "openai",
    "fallback_provider": "anthropic",
    "fallback_providers": None,
    "enable_fallback": True,
    "max_retries": 2,
    "timeout_seconds": 600,
    "attempt_timeout_seconds": None,
    "breaker": True,
    "retry_budget": True,
    "connect_timeout_seconds": 5,
    "first_token_timeout_seconds": None,
    "idle_timeout_seconds": 60,
    "content_timeout_seconds": 600,
    "strictness": "warn",
    "model_map": {},
    "simulate": "auto",
    "providers": {},
    "fallback_on_content_policy": False,
    "max_reply_bytes": 64_000_000,
    "max_frame_bytes": 16_000_000,
    "max_error_bytes": 64_000,
    "transport": "auto",
    "hooks": {},
    "proxy": None,
    "ca_bundle": None,
    "client_certificate": None,
    "ssl_context": None,
    "max_connections": 1000,
    "keepalive_seconds": 90,
}
SECONDS = [key for key in DEFAULTS if key.endswith("_seconds")]
COUNTS = ["max_reply_bytes", "max_frame_bytes", "max_error_bytes", "max_connections"]
FLAGS = ["enable_fallback", "fallback_on_content_policy"]


def effective(key, config=None):
    return getattr(resolve(config), key)


def refused(config):
    with pytest.raises(ConfigurationError) as caught:
        resolve(config)
    return caught.value


# Where a value comes from


@pytest.mark.parametrize(("key", "default"), DEFAULTS.items())
def test_each_key_has_its_default(key, default):
    assert effective(key) == default


def test_there_is_no_other_key():
    assert list(resolve(None).__struct_fields__) == [*DEFAULTS, "is_fallback_named"]
    assert resolve(None).as_text("is_fallback_named") is None


@pytest.mark.parametrize("config", [None, {}, dict.fromkeys(DEFAULTS)])
def test_what_is_none_is_not_given(config):
    assert resolve(config) == resolve(None)


@pytest.mark.parametrize(
    ("primary", "fallback"), [("anthropic", "openai"), ("openai", "anthropic"), ("x", None)]
)
def test_the_default_fallback_is_the_other_provider(primary, fallback):
    assert effective("fallback_provider", {"primary_provider": primary}) == fallback


@pytest.mark.parametrize("primary", ["anthropic", "openai"])
def test_there_is_no_default_fallback_for_an_address_of_its_own(monkeypatch, primary):
    other = {"anthropic": "openai", "openai": "anthropic"}[primary]
    config = {"primary_provider": primary}
    at = {"base_url": "https://gateway.example"}

    assert effective("fallback_provider", {**config, "providers": {primary: at}}) is None
    assert effective("fallback_provider", {**config, "providers": {other: at}}) == other
    monkeypatch.setenv(f"{other.upper()}_BASE_URL", "https://gateway.example")
    assert effective("fallback_provider", config) == other
    monkeypatch.setenv(f"{primary.upper()}_BASE_URL", "https://gateway.example")
    assert effective("fallback_provider", config) is None
    assert effective("fallback_provider", {**config, "fallback_provider": other}) == other


ENVIRONMENT = [
    ("SPECADO_PRIMARY_PROVIDER", "primary_provider", "anthropic", "anthropic", "openai"),
    ("SPECADO_FALLBACK_PROVIDER", "fallback_provider", "openai", "openai", "anthropic"),
    ("SPECADO_STRICTNESS", "strictness", "strict", "strict", "coerce"),
    ("SPECADO_SIMULATE", "simulate", "true", True, "auto"),
    ("SPECADO_TRANSPORT", "transport", "httpx", "httpx", "auto"),
]


@pytest.mark.parametrize(("variable", "key", "text", "value", "other"), ENVIRONMENT)
def test_config_counts_before_environment_before_default(
    monkeypatch, variable, key, text, value, other
):
    monkeypatch.setenv(variable, f" {text}\n")

    assert effective(key) == value
    assert effective(key, {key: other}) == other
    assert effective(key, {key: None}) == value


@pytest.mark.parametrize("blank", ["", "  ", "\n"])
@pytest.mark.parametrize(("variable", "key"), [case[:2] for case in ENVIRONMENT])
def test_a_blank_variable_is_not_set(monkeypatch, variable, key, blank):
    monkeypatch.setenv(variable, blank)

    assert effective(key) == DEFAULTS[key]


@pytest.mark.parametrize(
    "variable", ["SPECADO_STRICTNESS", "SPECADO_SIMULATE", "SPECADO_TRANSPORT"]
)
def test_a_wrong_variable_is_named(monkeypatch, variable):
    monkeypatch.setenv(variable, "nonsense")

    error = refused(None)

    assert str(error).startswith(f"Configuration error: {variable} is 'nonsense'; allowed: ")
    assert error.key == variable


def test_a_wrong_variable_does_no_harm_where_the_config_counts(monkeypatch):
    monkeypatch.setenv("SPECADO_STRICTNESS", "nonsense")

    assert effective("strictness", {"strictness": "coerce"}) == "coerce"


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", True), ("TRUE", True), ("0", False), ("False", False), ("Auto", "auto")],
)
def test_simulate_from_the_environment(monkeypatch, text, value):
    monkeypatch.setenv("SPECADO_SIMULATE", text)

    assert effective("simulate") is value or effective("simulate") == value == "auto"


# What is refused


@pytest.mark.parametrize("value", [0, -1, -0.0, float("nan"), float("inf"), 864_001, 10**400, True])
@pytest.mark.parametrize("key", SECONDS)
def test_seconds_are_above_zero_and_bounded(key, value):
    error = refused({key: value})

    assert str(error).startswith(f"Configuration error: {key} is ")
    assert str(error).endswith("allowed: a number of seconds above 0, at most 864,000")
    assert error.key == key


@pytest.mark.parametrize("value", [1, 0.001, 864_000])
@pytest.mark.parametrize("key", SECONDS)
def test_seconds_may_be_whole_or_fractions(key, value):
    assert effective(key, {key: value}) == value


@pytest.mark.parametrize("value", [0, -1, 1.5, "7", True, float("nan")])
@pytest.mark.parametrize("key", COUNTS)
def test_counts_are_whole_numbers_from_one(key, value):
    expected = f"Configuration error: {key} is {value!r}; allowed: a whole number from 1 up"

    assert str(refused({key: value})) == expected


def test_retries_may_be_none_at_all():
    assert effective("max_retries", {"max_retries": 0}) == 0
    assert "max_retries is -1; allowed: a whole number from 0 up" in str(
        refused({"max_retries": -1})
    )


@pytest.mark.parametrize("value", [1, 0, "true", "False", []])
@pytest.mark.parametrize("key", FLAGS)
def test_flags_are_true_or_false(key, value):
    assert str(refused({key: value})).endswith("; allowed: True or False")


WRONG = [
    ("primary_provider", "", "''; allowed: text that is not empty"),
    ("primary_provider", 5, "5; allowed: text that is not empty"),
    ("fallback_provider", ["anthropic"], "a list; allowed: text that is not empty"),
    ("fallback_providers", "anthropic", "'anthropic'; allowed: a list of provider names"),
    ("fallback_providers", {"anthropic"}, "a set; allowed: a list of provider names"),
    ("strictness", "Strict", "'Strict'; allowed: 'strict', 'warn', 'coerce'"),
    ("strictness", None.__class__, "a type; allowed: 'strict', 'warn', 'coerce'"),
    ("transport", "carrier pigeon", "'carrier pigeon'; allowed: 'auto', "),
    ("simulate", "perhaps", "'perhaps'; allowed: 'auto', True or False"),
    ("simulate", 2, "2; allowed: 'auto', True or False"),
    ("model_map", ["gpt-4"], "a list; allowed: {model: {provider: model}}"),
    ("providers", ["openai"], "a list; allowed: {provider: "),
    ("providers", "sk-secret", "a str; allowed: {provider: "),
    ("hooks", ["on_reply"], "a list; allowed: {name: callable}"),
    ("hooks", {"on_fire": print}, "'on_fire'; allowed: on_attempt, on_fallback, on_reply"),
    ("ca_bundle", "", "''; allowed: text that is not empty"),
    (
        "client_certificate",
        ("a.pem", "a.key", 5),
        "a tuple; allowed: a file's path, (certificate, key) or (certificate, key, password)",
    ),
    ("ssl_context", True, "True; allowed: an ssl.SSLContext"),
]


@pytest.mark.parametrize(("key", "value", "said"), WRONG)
def test_a_wrong_value_is_named_with_what_is_allowed(key, value, said):
    error = refused({key: value})

    assert f"Configuration error: {key} is {said}" in str(error)
    assert error.key == key
    assert isinstance(error, ValueError)


INSIDE = [
    ({"fallback_providers": ["a", 5]}, "fallback_providers[1] is 5"),
    ({"model_map": {"m": "x"}}, "model_map['m'] is 'x'"),
    ({"model_map": {"m": {"openai": 4}}}, "model_map['m']['openai'] is 4"),
    ({"hooks": {"on_reply": "print"}}, "hooks['on_reply'] is 'print'; allowed: a callable"),
    (
        {"providers": {"openai": "sk-secret"}},
        "providers['openai'] is a str; allowed: a dict of any",
    ),
    (
        {"providers": {"openai": {"timeout_seconds": -3}}},
        "providers['openai']['timeout_seconds'] is -3",
    ),
    ({"providers": {"openai": {"headers": "x"}}}, "providers['openai']['headers'] is a str"),
    ({"providers": {"openai": {"headers": []}}}, "providers['openai']['headers'] is a list"),
    ({"providers": {"openai": {"headers": {"a b": "x"}}}}, "'a b' is not a header name"),
    ({"providers": {"openai": {"headers": {"a": 5}}}}, "['headers']['a'] is a int; allowed: text"),
    ({"providers": {"openai": {"api_key": 5}}}, "providers['openai']['api_key'] is a int"),
]


@pytest.mark.parametrize(("config", "said"), INSIDE)
def test_a_wrong_value_inside_is_named_by_its_path(config, said):
    assert said in str(refused(config))


@pytest.mark.parametrize(
    "url",
    [
        "api.example.com/v1",
        "ftp://example.com",
        "https://",
        "https:///v1",
        "https://exa mple.com",
        "https://example.com:99999",
        "https://example.com:port",
        "https://[::1",
        "https://exämple.com",
        "https://example.com/\nv1",
        "https://example.com/v1?key=secret",
        "https://example.com/v1#top",
        "https://user:secret@example.com/v1",
        "",
        5,
    ],
)
def test_an_address_that_cannot_be_one_is_refused_and_not_shown(url):
    error = refused({"providers": {"openai": {"base_url": url}}})

    assert error.key == "providers['openai']['base_url']"
    assert "secret" not in str(error)


@pytest.mark.parametrize("url", ["https://example.com/v1", " http://[::1]:8089/v1//\n"])
def test_an_address_loses_its_final_slashes(url):
    found = effective("providers", {"providers": {"openai": {"base_url": url}}})["openai"].base_url

    assert found == url.strip().rstrip("/")


@pytest.mark.parametrize("config", ["sk-secret", ["a"], 5])
def test_a_config_is_a_dict(config):
    assert str(refused(config)).startswith("Configuration error: config must be a dict, not ")
    assert "secret" not in str(refused(config))


# Keys that are not known


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("primary_provder", "primary_provider"),
        ("timeout_sec", "timeout_seconds"),
        ("fallback_provider ", "fallback_provider"),
        ("MAX_RETRIES", "max_retries"),
    ],
)
def test_an_unknown_key_warns_and_names_the_nearest(name, near):
    with pytest.warns(ConfigurationWarning) as caught:
        settings = resolve({name: 1})

    assert str(caught[0].message) == (
        f"config key {name!r} is not a known setting and has no effect. Did you mean {near!r}?"
    )
    assert caught[0].filename == __file__
    assert settings == resolve(None)


@pytest.mark.parametrize("name", ["zzz", 5, None, ("a",)])
def test_an_unknown_key_that_is_near_to_none_names_all(name):
    with pytest.warns(
        ConfigurationWarning, match=r"Known: primary_provider, .*keepalive_seconds\."
    ):
        resolve({name: 1})


PLACES = {
    "api_key": "it belongs to a provider: providers={'openai': {'api_key': …}}; or the client "
    "takes it as a keyword: Client(api_key=…)",
    "base_url": "it belongs to a provider: providers={'openai': {'base_url': …}}; or the client "
    "takes it as a keyword: Client(base_url=…)",
    "timeout": "write 'timeout_seconds'; or the client takes it as a keyword: Client(timeout=…)",
    "http_client": "the client takes it as a keyword: Client(http_client=…)",
    "async_http_client": "the client takes it as a keyword: Client(async_http_client=…)",
    "headers": "it belongs to a provider: providers={'openai': {'headers': {…}}}",
    "api_base": "it belongs to a provider: providers={'openai': {'base_url': …}}",
    "organization": "it belongs to a provider: "
    "providers={'openai': {'headers': {'OpenAI-Organization': …}}}",
    "num_retries": "write 'max_retries'",
    "apiKey": "it belongs to a provider: providers={'openai': {'api_key': …}}; or the client "
    "takes it as a keyword: Client(api_key=…)",
    "baseUrl": "it belongs to a provider: providers={'openai': {'base_url': …}}; or the client "
    "takes it as a keyword: Client(base_url=…)",
    "Timeout": "write 'timeout_seconds'; or the client takes it as a keyword: Client(timeout=…)",
}


@pytest.mark.parametrize(("name", "place"), PLACES.items())
@pytest.mark.parametrize("value", ["sk-secret", None])
def test_a_key_that_belongs_elsewhere_is_an_error_that_says_where(name, place, value):
    error = refused({name: value})

    assert str(error) == f"Configuration error: config key {name!r} is not a setting: {place}"
    assert error.key == name


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("api_base", "write 'base_url'"),
        ("baseurl", "write 'base_url'"),
        ("url", "write 'base_url'"),
        ("apikey", "write 'api_key'"),
        ("api-key", "write 'api_key'"),
        ("key", "write 'api_key'"),
        ("token", "write 'api_key', or 'credentials' for an access token of a cloud"),
        ("timeout", "write 'timeout_seconds'"),
        ("organization", "write 'headers': {'OpenAI-Organization': …}"),
        ("max_retries", "it is a setting of the client"),
    ],
)
def test_a_key_of_a_provider_under_another_name_is_an_error(name, place):
    error = refused({"providers": {"openai": {name: "sk-secret"}}})

    path = f"providers['openai'][{name!r}]"
    assert str(error) == f"Configuration error: {path} is not a setting: {place}"
    assert error.key == path


def test_a_provider_of_none_is_not_given():
    assert effective("providers", {"providers": {"openai": None}}) == {}


def test_an_unknown_key_of_a_provider_warns_too():
    with pytest.warns(ConfigurationWarning) as caught:
        resolve({"providers": {"openai": {"header": "sk-secret"}}})

    assert "providers['openai']['header'] is not a known setting" in str(caught[0].message)
    assert "Did you mean 'headers'?" in str(caught[0].message)
    assert "secret" not in str(caught[0].message)
    assert caught[0].filename == __file__


def test_known_keys_do_not_warn():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        resolve({**DEFAULTS, "proxy": "http://localhost:1"})

    assert caught == []


# Variables that set nothing


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("SPECADO_SIMULTE", "did you mean SPECADO_SIMULATE?"),
        ("SPECADO_SIMULATED", "did you mean SPECADO_SIMULATE?"),
        ("SPECADO_PRIMARY_PROVIDERS", "did you mean SPECADO_PRIMARY_PROVIDER?"),
        ("SPECADO_MAX_RETRIES", "'max_retries' is set in the client's config only"),
    ],
)
def test_a_variable_that_looks_like_a_setting_and_is_none_warns_once(monkeypatch, variable, hint):
    monkeypatch.setattr("specado.settings.client_settings._environment_checked", set())
    monkeypatch.setenv(variable, "0")

    with pytest.warns(ConfigurationWarning) as caught:
        resolve(None)
    resolve(None)  # where a warning is an error

    said = [str(warning.message) for warning in caught]
    assert said == [f"the environment variable {variable} has no effect: {hint}"]
    assert caught[0].filename == __file__


def test_other_variables_do_not_warn(monkeypatch):
    monkeypatch.setattr("specado.settings.client_settings._environment_checked", set())
    monkeypatch.setenv("SPECADO_HOME", "/opt")
    monkeypatch.setenv("SPECADO_SIMULATE", "0")

    assert resolve(None).simulate is False


# What later happens to the caller's dict


def test_settings_do_not_follow_the_callers_dict():
    config = {
        "model_map": {"m": {"openai": "a"}},
        "providers": {"openai": {"headers": {"A": "1"}}},
        "fallback_providers": ["openai"],
    }
    settings = resolve(config)

    config["model_map"]["m"]["openai"] = "b"
    config["providers"]["openai"]["headers"]["A"] = "2"
    config["fallback_providers"].append("anthropic")

    assert settings.model_map == {"m": {"openai": "a"}}
    assert settings.providers["openai"].headers == (("A", "1"),)
    assert settings.fallback_providers == ("openai",)


# As text


@pytest.mark.parametrize(
    ("config", "key", "text"),
    [
        ({}, "primary_provider", "openai"),
        ({}, "enable_fallback", "True"),
        ({}, "max_retries", "2"),
        ({}, "timeout_seconds", "600"),
        ({"timeout_seconds": 1.5}, "timeout_seconds", "1.5"),
        ({}, "simulate", "auto"),
        ({"simulate": False}, "simulate", "False"),
        ({}, "fallback_providers", None),
        ({"fallback_providers": ["a", "b"]}, "fallback_providers", '["a", "b"]'),
        ({}, "model_map", "{}"),
        ({"model_map": {"m": {"p": "n"}}}, "model_map", '{"m": {"p": "n"}}'),
        (
            {"hooks": {"on_reply": print, "on_attempt": print}},
            "hooks",
            '["on_attempt", "on_reply"]',
        ),
        ({}, "proxy", None),
        ({"proxy": "http://user:pass@proxy:1"}, "proxy", "http://***@proxy:1"),
        ({"proxy": "user:pass@proxy:1"}, "proxy", "http://***@proxy:1"),
        ({}, "nonsense", None),
        ({}, "", None),
        ({}, "as_text", None),
    ],
)
def test_a_setting_as_text(config, key, text):
    assert resolve(config).as_text(key) == text


def test_providers_as_text_show_no_secret():
    entry = {
        "api_key": "sk-secret",
        "base_url": "https://example.com/v1",
        "headers": {"X-Token": "secret"},
        "timeout_seconds": 9,
    }

    text = resolve({"providers": {"openai": entry, "anthropic": {}}}).as_text("providers")

    assert json.loads(text) == {
        "openai": {
            "api_key": "***",
            "base_url": "https://example.com/v1",
            "headers": {"X-Token": "***"},
            "timeout_seconds": 9,
        },
        "anthropic": {},
    }


def test_the_keys_are_those_with_a_value():
    without_value = {key for key, default in DEFAULTS.items() if default is None}

    assert resolve(None).keys() == [key for key in DEFAULTS if key not in without_value]
    assert resolve({"proxy": "localhost:1"}).keys().count("proxy") == 1


# Proxies


@pytest.mark.parametrize(
    "value", ["http://", "http://proxy:x", "http://proxy/path", "pro xy", 5, ""]
)
def test_a_proxy_that_cannot_be_one_is_refused(value):
    assert refused({"proxy": value}).key == "proxy"


@pytest.mark.parametrize("value", ["http://u:se?cret@proxy", "http://u:se/cret@proxy", b"secret"])
def test_a_wrong_proxy_is_not_shown(value):
    assert "cret" not in str(refused({"proxy": value}))


PROXY_CASES = [
    ({}, (), ""),
    ({"HTTPS_PROXY": "http://p:1"}, (("https", "http://p:1"),), ""),
    (
        {"https_proxy": "http://low:1", "HTTPS_PROXY": "http://up:1"},
        (("https", "http://low:1"),),
        "",
    ),
    ({"ALL_PROXY": "socks5://p:1", "NO_PROXY": " a,b "}, (("all", "socks5://p:1"),), "a,b"),
    ({"HTTP_PROXY": "p:1"}, (("http", "http://p:1"),), ""),
    ({"HTTP_PROXY": "p:1", "REQUEST_METHOD": "GET"}, (), ""),
    ({"http_proxy": "p:1", "REQUEST_METHOD": "GET"}, (("http", "http://p:1"),), ""),
    ({"HTTPS_PROXY": " "}, (), ""),
    ({"no_proxy": "low", "NO_PROXY": "up"}, (), "low"),
]


@pytest.mark.parametrize(("variables", "proxies", "no_proxy"), PROXY_CASES)
def test_the_proxies_of_the_environment(monkeypatch, variables, proxies, no_proxy):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert environment_proxies() == (proxies, no_proxy)


def test_a_client_certificate_is_shown_without_its_password():
    one = resolve({"client_certificate": "a.pem"})
    three = resolve({"client_certificate": ["a.pem", "a.key", "sk-secret"]})

    assert one.as_text("client_certificate") == '["a.pem"]'
    assert three.client_certificate == ("a.pem", "a.key", "sk-secret")
    assert three.as_text("client_certificate") == '["a.pem", "a.key", "***"]'


@pytest.mark.parametrize("other", ["ca_bundle", "client_certificate"])
def test_an_ssl_context_has_all_that_the_other_settings_name(other):
    context = ssl.create_default_context()

    assert resolve({"ssl_context": context}).ssl_context is context
    assert f"{other} has no effect beside ssl_context" in str(
        refused({"ssl_context": context, other: "x.pem"})
    )


@pytest.mark.parametrize(
    "url", ["http+unix://%2Frun%2Fllm.sock/v1/", "HTTP+UNIX://%2Frun%2Fllm.sock/v1"]
)
def test_a_base_url_may_name_a_unix_socket(url):
    settings = resolve({"providers": {"openai": {"base_url": url}}})

    assert settings.providers["openai"].base_url == url.rstrip("/")


@pytest.mark.parametrize("url", ["http+unix:///run/llm.sock", "http+unix://llm.sock/v1"])
def test_a_socket_without_its_whole_path_is_refused(url):
    error = refused({"providers": {"openai": {"base_url": url}}})

    assert error.key == "providers['openai']['base_url']"
