"""Keywords of a client and `with_options`: inheritance, and protection of keys."""

from __future__ import annotations

import asyncio
import inspect
import json
import time
import traceback

import httpx
import pytest

import sockets
from specado import AsyncClient, Client, register_manifest
from specado.errors import ConfigurationError, ConfigurationWarning, DeadlineExceededError

HIDDEN = "hush-4711"
REPLY = {
    "id": "chatcmpl-1",
    "created": 1,
    "model": "gpt-4o",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant"}}],
}
REPLY["choices"][0]["message"]["content"] = "Hi"
ANSWERS = sockets.answers(sockets.reply(json.dumps(REPLY).encode()))


@pytest.fixture
def server():
    with sockets.ScriptedServer(ANSWERS) as found:
        yield found


@pytest.fixture
def other():
    with sockets.ScriptedServer(ANSWERS) as found:
        yield found


@pytest.fixture(params=[Client, AsyncClient])
def make(request):
    return request.param


def sync(client, **given):
    return client.chat.completions.create("gpt-4o", "Hello", **given)


def by_task(client, **given):
    return asyncio.run(client.chat.completions.create_async("gpt-4o", "Hello", **given))


def answered(client, server, ask=by_task, **given):
    """Ask once; return the headers of the request, names in lower case."""
    before = len(server.requests)
    ask(client, **given)
    assert len(server.requests) == before + 1
    lines = server.requests[-1].partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return {name.lower(): text for name, _, text in (line.partition(": ") for line in lines)}


def own(server, **entry):
    return {"providers": {"openai": {"api_key": "one", "base_url": f"{server.url}/v1", **entry}}}


def refused(client, **options):
    with pytest.raises(ConfigurationError) as caught:
        client.with_options(**options)
    return caught.value


# Keywords of the client


@pytest.mark.parametrize("ask", [sync, by_task])
def test_key_and_address_as_keywords_are_the_primary_providers(server, ask):
    client = Client(api_key="one", base_url=f"{server.url}/v1")

    assert answered(client, server, ask)["authorization"] == "Bearer one"


def test_an_async_client_takes_the_same_keywords(server):
    client = AsyncClient(api_key=lambda: "one", base_url=f"{server.url}/v1", max_retries=0)

    assert answered(client, server)["authorization"] == "Bearer one"


@pytest.mark.parametrize("by_variable", [True, False])
def test_keywords_concern_the_primary_provider_whichever_it_is(make, monkeypatch, by_variable):
    config = {} if by_variable else {"primary_provider": "anthropic"}
    if by_variable:
        monkeypatch.setenv("SPECADO_PRIMARY_PROVIDER", "anthropic")

    client = make(config, api_key="one", base_url="http://localhost:1")

    assert json.loads(client.get_config("providers")) == {
        "anthropic": {"api_key": "***", "base_url": "http://localhost:1"}
    }


def test_keywords_stand_beside_the_config_and_count_before_it(make):
    config = {"max_retries": 7, "providers": {"openai": {"api_key": "k", "timeout_seconds": 9}}}

    client = make(config, base_url="http://localhost:1/v1", max_retries=0, timeout=12)

    assert json.loads(client.get_config("providers")) == {
        "openai": {"api_key": "***", "base_url": "http://localhost:1/v1", "timeout_seconds": 9}
    }
    assert client.get_config("max_retries") == "0"
    assert client.get_config("timeout_seconds") == "12"


def test_a_keyword_of_none_is_not_given(make):
    client = make({"max_retries": 7}, api_key=None, base_url=None, timeout=None, max_retries=None)

    assert client.get_config("providers") == "{}"
    assert client.get_config("max_retries") == "7"
    assert client.get_config("timeout_seconds") == "600"


def test_the_environments_key_goes_to_an_address_of_the_same_client(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "from-environment")

    client = Client(base_url=f"{server.url}/v1")

    assert answered(client, server)["authorization"] == "Bearer from-environment"


def test_a_keyword_does_not_send_a_configured_key_to_another_host(make, server):
    with pytest.raises(ConfigurationError, match="no key that was configured for another host"):
        make(own(server), base_url="https://elsewhere.example/v1")

    make(own(server), base_url=f"{server.url}/v2")
    make(own(server), base_url="https://elsewhere.example/v1", api_key="two")


UNKNOWN = [
    ("max_retry", "; did you mean 'max_retries'?"),
    ("apikey", "; did you mean 'api_key'?"),
    ("timeout_seconds", "; it is a setting: Client({'timeout_seconds': …})"),
    ("organization", "; it belongs to a provider: providers={'openai': {'headers': "),
    ("zzz", ""),
]


@pytest.mark.parametrize(("name", "hint"), UNKNOWN)
def test_an_unknown_keyword_is_a_type_error_that_names_the_nearest(make, name, hint):
    with pytest.raises(TypeError) as caught:
        make(**{name: HIDDEN})

    start = f"{make.__name__}() got an unexpected keyword argument {name!r}{hint}"
    assert str(caught.value).startswith(start)
    assert hint or str(caught.value) == start
    assert HIDDEN not in shown_with_locals(caught.value)


def test_the_signature_spells_out_the_keywords_and_no_others(make):
    assert list(inspect.signature(make).parameters) == [
        "config",
        "api_key",
        "base_url",
        "timeout",
        "max_retries",
        "http_client",
        "async_http_client",
    ]


# Options


@pytest.mark.parametrize("ask", [sync, by_task])
def test_a_tenants_key_goes_to_the_address_of_the_client(server, ask):
    client = Client(own(server))

    tenant = client.with_options(providers={"openai": {"api_key": "two"}})

    assert answered(tenant, server, ask)["authorization"] == "Bearer two"
    assert answered(client, server, ask)["authorization"] == "Bearer one"


def test_options_are_inherited_along_a_chain(server):
    client = AsyncClient(own(server, headers={"X-Team": "search"}, timeout_seconds=9))

    last = (
        client.with_options(max_retries=1)
        .with_options(providers={"openai": {"headers": {"X-Run": "7"}}})
        .with_options(api_key="two")
        .with_options(providers={"anthropic": {"api_key": "three"}}, timeout=30)
    )

    found = answered(last, server)
    assert [found[name] for name in ("authorization", "x-team", "x-run")] == [
        "Bearer two",
        "search",
        "7",
    ]
    assert json.loads(last.get_config("providers")) == {
        "openai": {
            "api_key": "***",
            "base_url": f"{server.url}/v1",
            "headers": {"X-Team": "***", "X-Run": "***"},
            "timeout_seconds": 9,
        },
        "anthropic": {"api_key": "***"},
    }
    assert (last.get_config("max_retries"), last.get_config("timeout_seconds")) == ("1", "30")


def test_none_removes_what_is_inherited(make):
    base = {"api_key": "k", "headers": {"A": "1", "B": "2"}, "timeout_seconds": 9}
    client = make({"providers": {"openai": base, "anthropic": {"api_key": "k"}}})

    def left(change):
        return json.loads(client.with_options(providers=change).get_config("providers"))

    kept = {"anthropic": {"api_key": "***"}}
    shown = {"api_key": "***", "headers": {"A": "***", "B": "***"}, "timeout_seconds": 9}
    assert left({}) == {"openai": shown, **kept}
    assert left({"openai": {}}) == {"openai": shown, **kept}
    assert left({"openai": None}) == kept
    assert left(None) == {}
    without = {name: each for name, each in shown.items() if name != "timeout_seconds"}
    assert left({"openai": {"timeout_seconds": None}}) == {"openai": without, **kept}
    without = {name: each for name, each in shown.items() if name != "headers"}
    assert left({"openai": {"headers": None}}) == {"openai": without, **kept}
    assert left({"openai": {"headers": {"a": None}}})["openai"]["headers"] == {"B": "***"}


def test_headers_are_merged_without_regard_to_case(server):
    client = Client(own(server, headers={"X-Team": "a", "x-other": "b"}))

    changed = client.with_options(providers={"openai": {"headers": {"x-TEAM": "c"}}})
    removed = client.with_options(providers={"openai": {"headers": {"X-TEAM": None}}})

    assert answered(changed, server)["x-team"] == "c"
    assert server.requests[-1].lower().count(b"x-team:") == 1
    found = answered(removed, server)
    assert "x-team" not in found
    assert found["x-other"] == "b"


def test_a_header_of_none_keeps_the_environments_from_being_sent(server, monkeypatch):
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    without = own(server, headers={"openai-organization": None})

    assert answered(Client(own(server)), server)["openai-organization"] == "org-1"
    assert "openai-organization" not in answered(Client(without), server)


ACCOUNT = {"Authorization": "Basic x", "openai-organization": "org", "OpenAI-Project": "p"}


@pytest.mark.parametrize("from_environment", [True, False])
def test_a_new_key_drops_the_headers_of_the_old_account(server, monkeypatch, from_environment):
    headers = {"X-Team": "a"} if from_environment else {"X-Team": "a", **ACCOUNT}
    if from_environment:
        monkeypatch.setenv("OPENAI_ORG_ID", "org")
        monkeypatch.setenv("OPENAI_PROJECT_ID", "p")
    client = Client(own(server, headers=headers))

    same = answered(client.with_options(api_key="one"), server)
    new = answered(client.with_options(api_key="two"), server)
    given = {"api_key": "two", "headers": {"OpenAI-Organization": "mine"}}
    stated = answered(client.with_options(providers={"openai": given}), server)

    assert (same["openai-organization"], same["openai-project"]) == ("org", "p")
    assert new["authorization"] == stated["authorization"] == "Bearer two"
    assert "openai-organization" not in new
    assert "openai-project" not in new
    assert new["x-team"] == "a"
    assert stated["openai-organization"] == "mine"
    assert "openai-project" not in stated


def test_a_key_does_not_follow_to_another_unix_socket(make):
    config = {"providers": {"openai": {"base_url": "http+unix://%2Frun%2Fa.sock", "api_key": "k"}}}
    client = make(config)

    client.with_options(base_url="http+unix://%2Frun%2Fa.sock/v1")
    with pytest.raises(ConfigurationError, match="no key that was configured for another host"):
        client.with_options(base_url="http+unix://%2Frun%2FA.sock")


def test_anthropics_own_key_header_belongs_to_the_old_key(server):
    entry = {"base_url": server.url, "api_key": "one", "headers": {"X-API-Key": "old"}}
    client = Client({"primary_provider": "anthropic", "providers": {"anthropic": entry}})

    other = client.with_options(api_key="two").with_options(max_retries=0)

    assert "X-API-Key" not in other.get_config("providers")


# Where no key may go


@pytest.mark.parametrize(
    "change",
    [
        {"providers": {"openai": {"base_url": "https://elsewhere.example/v1"}}},
        {"base_url": "https://elsewhere.example/v1"},
        {"providers": {"openai": {"base_url": None}}},
        {"base_url": None},
        {"providers": {"openai": {"base_url": "https://elsewhere.example", "api_key": None}}},
    ],
)
@pytest.mark.parametrize("key", ["configured", "from the environment", "callable"])
def test_a_key_does_not_follow_to_another_host(make, server, monkeypatch, change, key):
    config = own(server)
    if key == "from the environment":
        monkeypatch.setenv("OPENAI_API_KEY", "from-environment")
        config["providers"]["openai"]["api_key"] = None
        if change in ({"base_url": None}, {"providers": {"openai": {"base_url": None}}}):
            # Key and address are then those of the environment, as of any new client.
            assert make(config).with_options(**change)
            return
    elif key == "callable":
        config["providers"]["openai"]["api_key"] = lambda: "one"

    error = refused(make(config), **change)

    assert error.key == "providers['openai']['base_url']"
    assert "give providers['openai']['api_key'] with it" in str(error)


def test_the_environments_key_does_not_take_the_place_of_a_removed_one(make, server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "from-environment")

    refused(make(own(server)), api_key=None)


def test_the_environments_pair_of_key_and_address_stays_together(make, server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "from-environment")
    monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")

    refused(make(), base_url="https://elsewhere.example/v1")
    removed = make({"providers": {"openai": {"api_key": "k", "base_url": "http://localhost:1"}}})

    found = answered(removed.with_options(providers={"openai": None}), server)
    assert found["authorization"] == "Bearer from-environment"


@pytest.mark.parametrize("url", ["{}/v2", "{}/", "{}/v1?"])
def test_another_path_of_the_same_host_needs_no_new_key(make, server, url):
    url = url.format(server.url).rstrip("?")

    assert make(own(server)).with_options(base_url=url)


def test_a_default_port_is_the_same_host(make):
    client = make(api_key="k", base_url="https://gateway.example/v1")

    assert client.with_options(base_url="https://GATEWAY.example:443/v1")
    refused(client, base_url="http://gateway.example/v1")
    refused(client, base_url="https://gateway.example:8443/v1")


def test_a_key_of_its_own_goes_to_the_new_host_and_no_secret_of_the_old(server, other):
    headers = {"X-Team": "a", "X-Gateway-Token": HIDDEN, "Cookie": HIDDEN, **ACCOUNT}
    client = Client(own(server, headers=headers))

    moved = client.with_options(api_key="two", base_url=f"{other.url}/v1")

    found = answered(moved, other)
    assert found["authorization"] == "Bearer two"
    assert found["x-team"] == "a"
    assert HIDDEN not in str(found)
    assert server.requests == []


def test_a_server_without_keys_may_move(server, other):
    register_manifest({"name": "mine", "base_url": f"{server.url}/v1"})
    client = Client({"primary_provider": "mine"})

    moved = client.with_options(base_url=f"{other.url}/v1")

    assert "authorization" not in answered(moved, other)


def test_a_key_for_a_server_without_a_variable_is_sent(server):
    register_manifest({"name": "mine", "base_url": f"{server.url}/v1"})

    client = Client({"primary_provider": "mine"}, api_key="one")

    assert answered(client, server)["authorization"] == "Bearer one"
    refused(client, base_url="https://elsewhere.example/v1")


def test_an_authorization_header_stands_in_for_a_key(server):
    entry = {"base_url": f"{server.url}/v1", "headers": {"Authorization": "Basic x"}}

    assert answered(Client({"providers": {"openai": entry}}), server)["authorization"] == "Basic x"


AUTHORIZATION = {"Authorization": "Bearer theirs"}


def of_anthropic(entry):
    """Return a client of Anthropic, and the list of the headers of its requests."""
    seen = []

    def answer(request):
        seen.append({**request.headers, "host": request.url.host})
        message = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-opus-5-5",
        }
        content = [{"type": "text", "text": "Hi"}]
        usage = {"input_tokens": 1, "output_tokens": 1}
        more = {"content": content, "stop_reason": "end_turn", "usage": usage}
        return httpx.Response(200, json={**message, **more})

    config = {"primary_provider": "anthropic", "providers": {"anthropic": entry}}
    transport = httpx.MockTransport(answer)
    return Client(config, http_client=httpx.Client(transport=transport)), seen


def test_a_key_as_keyword_counts_before_a_header_of_the_config(server):
    entry = {"headers": {**AUTHORIZATION, "OpenAI-Organization": "org"}}

    client = Client({"providers": {"openai": entry}}, api_key="one", base_url=f"{server.url}/v1")

    headers = answered(client, server)
    assert (headers["authorization"], headers["openai-organization"]) == ("Bearer one", "org")


def test_a_keyword_does_not_send_a_configured_header_with_a_key_to_another_host(make):
    entry = {"base_url": "https://mine.example", "headers": AUTHORIZATION}

    with pytest.raises(ConfigurationError, match="no key that was configured for another host"):
        make({"providers": {"openai": entry}}, base_url="https://elsewhere.example/v1")


@pytest.mark.parametrize("place", ["config", "variable", "with_options", "call"])
def test_no_other_key_goes_beside_an_authorization_header(monkeypatch, place):
    entry = {"base_url": "https://mine.example", "api_key": "one"}
    if place == "variable":
        monkeypatch.setenv("ANTHROPIC_API_KEY", entry.pop("api_key"))
    if place in ("config", "variable"):
        entry["headers"] = AUTHORIZATION
    client, seen = of_anthropic(entry)
    if place == "with_options":
        client = client.with_options(providers={"anthropic": {"headers": AUTHORIZATION}})
    extra = AUTHORIZATION if place == "call" else None

    client.chat.completions.create("claude-opus-5-5", "Hello", extra_headers=extra)

    assert seen[0]["authorization"] == "Bearer theirs"
    assert "x-api-key" not in seen[0]


def test_a_key_in_a_header_of_with_options_is_a_new_key(server, monkeypatch):
    monkeypatch.setenv("OPENAI_PROJECT_ID", "p")
    client = Client(own(server, headers={"X-Team": "a", "OpenAI-Organization": "org"}))

    tenant = client.with_options(providers={"openai": {"headers": AUTHORIZATION}})
    same = tenant.with_options(providers={"openai": {"headers": AUTHORIZATION, "api_key": None}})

    for each in (tenant, same):
        headers = answered(each, server)
        assert (headers["authorization"], headers["x-team"]) == ("Bearer theirs", "a")
        assert "openai-organization" not in headers
        assert "openai-project" not in headers


def test_a_key_in_a_header_goes_to_a_new_host_and_no_other_key_does(server):
    client, seen = of_anthropic({"base_url": "https://mine.example", "api_key": "one"})
    entry = {"base_url": "https://theirs.example", "headers": AUTHORIZATION}

    moved = client.with_options(providers={"anthropic": entry})
    moved.chat.completions.create("claude-opus-5-5", "Hello")

    assert (seen[0]["host"], seen[0]["authorization"]) == ("theirs.example", "Bearer theirs")
    assert "x-api-key" not in seen[0]


@pytest.mark.parametrize("change", [{"headers": None}, {"headers": {"authorization": None}}])
def test_the_environments_key_does_not_take_the_place_of_a_removed_header(
    make, server, monkeypatch, change
):
    monkeypatch.setenv("OPENAI_API_KEY", "from-environment")
    client = make(own(server)).with_options(providers={"openai": {"headers": AUTHORIZATION}})

    refused(client, providers={"openai": change})


# What an option may be


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("max_retry", "; did you mean 'max_retries'?"),
        ("time_out", "; did you mean 'timeout'?"),
        ("http_clients", "; did you mean 'http_client'?"),
        ("config", ""),
        ("headers", "; it belongs to a provider: providers={'openai': {'headers': {…}}}"),
        ("zzz", ""),
    ],
)
def test_an_unknown_option_is_a_type_error_that_names_the_nearest(make, name, hint):
    with pytest.raises(TypeError) as caught:
        make().with_options(**{name: HIDDEN})

    assert str(caught.value) == f"with_options() got an unexpected keyword argument {name!r}{hint}"
    assert HIDDEN not in shown_with_locals(caught.value)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("apikey", "not a setting: write 'api_key'"),
        ("header", "not a setting; did you mean 'headers'?"),
        ("secret", "not a setting; known: api_key, base_url, headers, timeout_seconds, breaker"),
    ],
)
def test_an_unknown_option_of_a_provider_is_refused_too(make, name, hint):
    """Ignored, a tenant's key would be the client's."""
    error = refused(make(), providers={"openai": {name: SECRET}})

    assert f"providers['openai'][{name!r}] is {hint}" in str(error)
    assert HIDDEN not in str(error) + shown_with_locals(error)


def test_an_option_that_is_given_twice_is_refused(make):
    with pytest.raises(TypeError, match=r"got both 'api_key' and .* two names of one option"):
        make().with_options(api_key="one", providers={"openai": {"api_key": "two"}})


def test_an_option_replaces_the_http_client(server, other):
    with httpx.Client() as one, httpx.Client(headers={"x-own": "2"}) as two:
        client = Client(own(server), http_client=one)

        assert "x-own" not in answered(client.with_options(max_retries=1), server, sync)
        assert answered(client.with_options(http_client=two), server, sync)["x-own"] == "2"
        assert "x-own" not in answered(client.with_options(http_client=None), server, sync)


def test_a_variant_has_its_own_namespace_and_the_attributes_of_a_subclass(server):
    class Mine(Client):
        def __init__(self, name):
            super().__init__(own(server))
            self.name = name

    client = Mine("a")
    client.chat.completions.create("gpt-4o", "Hello")

    variant = client.with_options(api_key="two")

    assert (type(variant), variant.name) == (Mine, "a")
    assert answered(variant, server)["authorization"] == "Bearer two"


def test_a_client_does_not_follow_the_providers_of_the_callers_dict(server):
    config = own(server, headers={"X-Team": "a"})
    client = Client(config)

    config["providers"]["openai"]["headers"]["X-Team"] = "b"
    config["providers"]["openai"]["api_key"] = "two"

    found = answered(client.with_options(max_retries=1), server)
    assert (found["x-team"], found["authorization"]) == ("a", "Bearer one")


def test_an_unknown_setting_warns_once_and_not_for_each_variant(make):
    with pytest.warns(ConfigurationWarning):
        client = make({"max_retry": 1})

    assert client.with_options(max_retries=1).get_config("max_retries") == "1"


def shown_with_locals(error):
    found = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "\n".join(str(frame.locals) for frame in found.stack if frame.filename != __file__)


SECRET = f"sk-{HIDDEN}"


@pytest.mark.parametrize(
    "options",
    [
        {"api_key": f"{SECRET}\n\x00"},
        {"api_key": SECRET, "max_retries": -1},
        {"providers": {"openai": {"api_key": SECRET, "timeout_seconds": -1}}},
        {"providers": {"openai": {"api_key": SECRET}}, "api_key": SECRET},
        {"providers": {"openai": {"headers": {"X-Token": SECRET}}}, "base_url": "http://b/v1"},
        {"timeout": 1, "timeout_seconds": 1, "api_key": SECRET},
        {"nonsense": SECRET},
    ],
)
def test_options_that_are_refused_show_no_secret(make, options):
    client = make(api_key=SECRET, base_url="http://a/v1")

    with pytest.raises((ConfigurationError, TypeError)) as caught:
        client.with_options(**options)

    assert HIDDEN not in shown_with_locals(caught.value)
    assert HIDDEN not in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        {"api_key": SECRET},
        {"apikey": SECRET},
        {"openai_api_key": SECRET},
        {"base_url": f"https://user:{SECRET}@a/v1"},
        {"headers": {"Authorization": SECRET}},
        {"providers": {"openai": {"api_key": SECRET}}},
    ],
)
@pytest.mark.parametrize("function", ["create", "create_async", "plan"])
def test_a_key_that_is_given_to_a_call_is_refused_and_not_shown(make, function, given):
    async def ask():
        found = getattr(make().chat.completions, function)("gpt-5.4", "Hello", **given)
        return await found if inspect.isawaitable(found) else found

    with pytest.raises(TypeError, match="unexpected keyword argument") as caught:
        asyncio.run(ask())

    assert HIDDEN not in shown_with_locals(caught.value)


def test_a_key_that_is_given_to_a_call_belongs_to_the_client(make):
    with pytest.raises(TypeError, match=r"write client\.with_options"):
        by_task(make(), api_key=SECRET)


# Time-outs


def test_a_timeout_is_the_deadline_of_the_whole_call(make):
    assert make(timeout=5).get_config("timeout_seconds") == "5"
    assert make().with_options(timeout=5.5).get_config("timeout_seconds") == "5.5"
    assert make(timeout=5).with_options(timeout_seconds=6).get_config("timeout_seconds") == "6"
    assert make(timeout=5).with_options(timeout=None).get_config("timeout_seconds") == "600"


@pytest.mark.parametrize("ask", [sync, by_task])
@pytest.mark.parametrize("place", ["client", "options", "call"])
def test_a_timeout_ends_a_call(ask, place):
    with sockets.ScriptedServer(sockets.never_answers) as server:
        client = Client(own(server), timeout=0.2 if place == "client" else None)
        client = client.with_options(timeout=0.2) if place == "options" else client
        started_s = time.monotonic()

        with pytest.raises(DeadlineExceededError):
            ask(client, **({"timeout": 0.2} if place == "call" else {}))

    assert time.monotonic() - started_s < sockets.SLACK_S


def test_both_names_of_the_deadline_in_one_place_are_refused(make):
    with pytest.raises(TypeError, match="both 'timeout' and 'timeout_seconds'"):
        make({"timeout_seconds": 5}, timeout=5)
    with pytest.raises(TypeError, match="both 'timeout' and 'timeout_seconds'"):
        make().with_options(timeout=5, timeout_seconds=5)
    with pytest.raises(TypeError, match="both 'timeout' and 'timeout_seconds'"):
        by_task(make(), timeout=5, timeout_seconds=5)
    assert make().with_options(timeout=5, timeout_seconds=None).get_config("timeout_seconds") == "5"


def test_an_httpx_timeout_sets_the_limits_that_it_has_counterparts_of(make):
    given = httpx.Timeout(None, connect=2, read=3)

    for client in (make(timeout=given), make().with_options(timeout=given)):
        found = [client.get_config(f"{name}timeout_seconds") for name in ("", "connect_", "idle_")]
        assert found == ["600", "2", "3"]


@pytest.mark.parametrize(
    ("given", "ignored"),
    [
        (httpx.Timeout(10), "write and pool of an httpx.Timeout have no effect"),
        (httpx.Timeout(None, write=1), "write of an httpx.Timeout has no effect"),
        (httpx.Timeout(None, pool=1), "pool of an httpx.Timeout has no effect"),
    ],
)
def test_the_parts_of_an_httpx_timeout_without_a_counterpart_warn(make, given, ignored):
    with pytest.warns(ConfigurationWarning, match=f"^timeout: {ignored}") as of_client:
        make(timeout=given)
    with pytest.warns(ConfigurationWarning, match=ignored) as of_options:
        make().with_options(timeout=given)

    assert [of_client[0].filename, of_options[0].filename] == [__file__, __file__]


@pytest.mark.parametrize("given", [0, -1, True, "5", (1, 2), float("nan"), 864_001])
def test_a_timeout_that_is_none_is_refused(make, given):
    for called in (make, make().with_options):
        with pytest.raises(ConfigurationError, match=r"^Configuration error: timeout is "):
            called(timeout=given)


def test_a_wrong_part_of_an_httpx_timeout_is_named(make):
    with pytest.raises(ConfigurationError, match=r"timeout\.read is -1"):
        make(timeout=httpx.Timeout(None, read=-1))


def stalls_after_its_first_content(peer):
    peer.request()
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    chunk["choices"] = [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": None}]
    event = f"data: {json.dumps(chunk)}\n\n".encode()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + event)
    peer.wait_until_gone()


def test_the_read_limit_of_a_call_is_the_one_between_two_events():
    with sockets.ScriptedServer(stalls_after_its_first_content) as server:
        client = Client(own(server), max_retries=0)
        started_s = time.monotonic()

        with pytest.raises(RuntimeError, match="the answer is not whole"):
            list(sync(client, stream=True, timeout=httpx.Timeout(None, read=0.2)))

    assert time.monotonic() - started_s < sockets.SLACK_S


def test_the_connect_limit_of_a_call_is_the_transports(server):
    class Limits(httpx.HTTPTransport):
        def handle_request(self, request):
            seen.append(request.extensions["timeout"]["connect"])
            return super().handle_request(request)

    seen = []
    with httpx.Client(transport=Limits()) as http_client:
        client = Client(own(server), http_client=http_client)
        sync(client, timeout=httpx.Timeout(None, connect=1.5))

    assert seen[0] <= 1.5
