"""No repr, text, pickle, error or traceback shows a key, a header's value or a password."""

from __future__ import annotations

import copy
import pickle
import traceback
from collections import UserDict
from datetime import date

import pytest
import rich.pretty

from specado._core import normalize
from specado.catalog import lookup as catalog
from specado.endpoints.access import Access, resolve_endpoint
from specado.endpoints.request import wire_request
from specado.errors import ConfigurationError, ConfigurationWarning
from specado.routing.plan import Request, make_plan
from specado.settings.client_settings import resolve
from specado.settings.secrets import Secret

HIDDEN = "hush-4711"
CONFIG = {
    "proxy": f"http://user:{HIDDEN}@proxy:8080",
    "providers": {
        "openai": {
            "api_key": f"sk-{HIDDEN}",
            "base_url": "https://example.com/v1",
            "headers": {"X-Token": HIDDEN},
        },
        "anthropic": {"api_key": lambda: HIDDEN},
    },
}


def shown_with_locals(error):
    """The traceback of *error* with the locals of each frame but the caller's."""
    lines = []
    found = traceback.TracebackException.from_exception(error, capture_locals=True)
    while found is not None:
        inner = [frame for frame in found.stack if frame.filename != __file__]
        lines += [f"{frame.name}: {frame.locals}" for frame in inner]
        lines += found.format_exception_only()
        found = found.__cause__ or found.__context__
    return "\n".join(lines)


def objects():
    settings = resolve(CONFIG)
    access = Access(settings)
    endpoint = access.endpoint(catalog.provider("openai"))
    request = Request("gpt-4o", normalize("Hi"), {}, {"extra_headers": (("x-gateway", HIDDEN),)})
    plan = make_plan(request, settings, access, date(2026, 1, 1), simulated=False)
    return {
        "settings": settings,
        "provider settings": settings.providers["openai"],
        "key": settings.providers["openai"].api_key,
        "callable key": settings.providers["anthropic"].api_key,
        "endpoint": endpoint,
        "request": request,
        "candidate": plan.candidates[0],
        "transport settings": access.transport_settings,
        "wire request": plan.candidates[0].wire_request(),
    }


PICKLED_NEVER = ("settings", "provider settings", "key", "callable key", "endpoint")


@pytest.mark.parametrize("name", list(objects()))
def test_nothing_that_holds_a_secret_shows_it(name):
    held = objects()[name]

    shown = [repr(held), str(held), f"{held}", repr([held]), rich.pretty.pretty_repr(held)]

    assert HIDDEN not in "".join(shown)


@pytest.mark.parametrize("name", PICKLED_NEVER)
def test_nothing_that_holds_a_secret_is_pickled(name):
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(objects()[name])


@pytest.mark.parametrize("key", ["proxy", "providers", "primary_provider"])
def test_no_setting_as_text_shows_a_secret(key):
    assert HIDDEN not in resolve(CONFIG).as_text(key)


def test_settings_may_be_copied_where_they_are():
    settings = resolve(CONFIG)

    assert copy.copy(settings.providers) == settings.providers


BROKEN = {
    "key with a line break": {"providers": {"openai": {"api_key": f"{HIDDEN}\nx"}}},
    "key with a typographic quote": {"providers": {"openai": {"api_key": f"“{HIDDEN}”"}}},
    "key of bytes": {"providers": {"openai": {"api_key": HIDDEN.encode()}}},
    "key in a list": {"providers": {"openai": {"api_key": [HIDDEN]}}},
    "key in the place of an entry": {"providers": {"openai": HIDDEN}},
    "key in the place of the address": {"providers": {"openai": {"base_url": HIDDEN}}},
    "header with a line break": {"providers": {"openai": {"headers": {"A": f"{HIDDEN}\r\nB: c"}}}},
    "password in an address": {
        "providers": {"openai": {"base_url": f"https://u:{HIDDEN}@example.com"}}
    },
    "password in a proxy": {"proxy": f"http://u:{HIDDEN}/@p"},
    "a wrong value beside a key": {
        "providers": {"openai": {"api_key": HIDDEN, "timeout_seconds": "x"}}
    },
    "another wrong setting": {"providers": {"openai": {"api_key": HIDDEN}}, "max_retries": -1},
}


@pytest.mark.parametrize("config", BROKEN.values(), ids=list(BROKEN))
def test_no_error_about_a_setting_shows_a_secret(config):
    with pytest.raises(ConfigurationError) as caught:
        resolve(config)

    assert HIDDEN not in shown_with_locals(caught.value)
    assert HIDDEN.encode() not in pickle.dumps(caught.value)
    assert "allowed: " in str(caught.value) or "URL" in str(caught.value)


def test_a_config_of_another_kind_of_mapping_is_not_shown_either():
    with pytest.raises(ConfigurationError) as caught:
        resolve(UserDict(BROKEN["another wrong setting"]))

    assert HIDDEN not in shown_with_locals(caught.value)


@pytest.mark.filterwarnings("error")
def test_a_warning_that_is_made_an_error_shows_no_secret():
    with pytest.raises(ConfigurationWarning) as caught:
        resolve({"providers": {"openai": {"api_key": HIDDEN, "header": HIDDEN}}})

    assert HIDDEN not in shown_with_locals(caught.value)


@pytest.mark.parametrize("variable", ["OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID"])
def test_no_error_about_the_environment_shows_a_secret(monkeypatch, variable):
    monkeypatch.setenv(variable, f"“{HIDDEN}”")

    with pytest.raises(ConfigurationError, match=variable) as caught:
        resolve_endpoint(catalog.provider("openai"), resolve(None))

    assert HIDDEN not in shown_with_locals(caught.value)


def test_a_callable_that_gives_no_key_shows_nothing_of_it():
    config = {"providers": {"openai": {"api_key": lambda: f"{HIDDEN}\n{HIDDEN}"}}}
    endpoint = resolve_endpoint(catalog.provider("openai"), resolve(config))

    with pytest.raises(ConfigurationError) as caught:
        wire_request(endpoint, "https://api.openai.com/v1/chat/completions", b"{}")

    assert "providers['openai']['api_key'] has characters" in str(caught.value)
    assert HIDDEN not in shown_with_locals(caught.value)


@pytest.mark.parametrize("given", [None, 5, b"bytes", ""])
def test_a_callable_must_give_text(given):
    with pytest.raises(ConfigurationError, match="allowed: "):
        Secret(lambda: given).reveal()


def test_what_a_callable_raises_comes_out_as_it_is():
    def unreachable():
        raise ConnectionError("the vault does not answer")

    with pytest.raises(ConnectionError, match="vault"):
        Secret(unreachable).reveal()


def test_a_callable_is_asked_each_time_and_its_answer_stripped():
    answers = iter([" first\n", "second"])
    key = Secret(lambda: next(answers))

    assert key.reveal() == "first"
    assert key.reveal() == "second"


def test_a_callable_is_not_asked_before_it_is_needed():
    asked = []

    resolve({"providers": {"openai": {"api_key": lambda: asked.append(1)}}})

    assert asked == []


@pytest.mark.parametrize("key", [" sk-key\n", "\tsk-key", "sk-key\u00a0"])
def test_keys_are_stripped(key):
    assert (
        resolve({"providers": {"openai": {"api_key": key}}}).providers["openai"].api_key.reveal()
        == "sk-key"
    )


def test_headers_are_stripped():
    settings = resolve({"providers": {"openai": {"headers": {"X-A": " v w\n"}}}})

    assert settings.providers["openai"].headers == (("X-A", "v w"),)


@pytest.mark.parametrize(
    "name", ["OpenAI-Organization", "openai-project", "Authorization", "X-Api-Key"]
)
def test_accounts_differ_by_the_headers_that_authenticate(name):
    def account(value):
        config = {"providers": {"openai": {"api_key": "k", "headers": {name: value}}}}
        return resolve_endpoint(catalog.provider("openai"), resolve(config)).account

    assert account("one") == account("one")
    assert account("one") != account("two")


def test_a_call_of_its_own_headers_has_its_clients_account():
    config = resolve({"providers": {"openai": {"api_key": "k"}}})
    provider = catalog.provider("openai")
    account = resolve_endpoint(provider, config).account
    authentication = provider.authentication

    assert account.with_headers((("X-Request-Id", "1"),), authentication) is account
    assert account.with_headers((("traceparent", "00-1-2-01"),), authentication) is account
    assert account.with_headers((("authorization", "Bearer x"),), authentication) != account


def test_a_callable_counts_as_one_key_whatever_it_gives():
    class Vault:
        def key(self):
            return "k"

    def account(source):
        config = resolve({"providers": {"openai": {"api_key": source}}})
        return resolve_endpoint(catalog.provider("openai"), config).account

    vault, other = Vault(), Vault()
    assert account(vault.key) == account(vault.key)
    assert account(vault.key) != account(other.key)
    assert account(vault.key) != account("k")
    assert account(lambda: "k") != account(lambda: "k")
