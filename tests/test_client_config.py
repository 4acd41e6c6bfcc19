"""`Client.get_config` and the repr of a client: shown settings, hidden secrets."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import traceback

import pydantic
import pytest

from specado import AsyncClient, Client, ConfigurationError, ConfigurationWarning

HIDDEN = "hush-4711"
PROVIDERS = {"openai": {"api_key": f"sk-{HIDDEN}", "headers": {"X-Token": HIDDEN}}}
BROKEN = {"providers": PROVIDERS, "max_retries": -1}


@pytest.fixture(params=[Client, AsyncClient])
def make(request):
    return request.param


def shown_with_locals(error):
    found = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "\n".join(str(frame.locals) for frame in found.stack if frame.filename != __file__)


def test_the_documented_look_at_the_configuration(make):
    client = make({"timeout_seconds": 30})

    assert client.get_config("primary_provider") == "openai"
    assert client.get_config("timeout_seconds") == "30"
    assert client.get_config("proxy") is None
    assert client.get_config("nonsense") is None
    assert client.config_keys()[:2] == ["primary_provider", "fallback_provider"]
    assert "proxy" not in client.config_keys()


def test_with_options_changes_what_it_names_and_nothing_else(make):
    client = make({"timeout_seconds": 30, "max_retries": 7})

    other = client.with_options(max_retries=1)

    assert type(other) is make
    assert (other.get_config("timeout_seconds"), other.get_config("max_retries")) == ("30", "1")
    assert client.get_config("max_retries") == "7"


def test_with_options_of_none_goes_back_to_the_default(make):
    assert make({"max_retries": 7}).with_options(max_retries=None).get_config("max_retries") == "2"


def test_a_client_shows_no_secret(make):
    client = make({"providers": PROVIDERS})

    shown = [repr(client), str(client), client.get_config("providers"), str(vars(client))]

    assert HIDDEN not in "".join(shown)


def test_a_client_is_its_own_copy(make):
    client = make({"providers": PROVIDERS})

    assert copy.copy(client) is client
    assert copy.deepcopy({"client": [client]})["client"][0] is client
    for namespace in (client.chat, client.chat.completions):
        assert copy.copy(namespace) is namespace
        assert copy.deepcopy([namespace])[0] is namespace


def test_a_dataclass_or_pydantic_model_with_a_client_is_copied(make):
    client = make({"providers": PROVIDERS})
    holder = dataclasses.make_dataclass("Holder", ["client"])(client)
    model = pydantic.create_model(
        "Model", __config__={"arbitrary_types_allowed": True}, client=(object, ...)
    )(client=client)

    assert dataclasses.asdict(holder)["client"] is client
    assert model.model_copy(deep=True).client is client


def test_a_client_is_not_pickled(make):
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(make({"providers": PROVIDERS}))


@pytest.mark.parametrize("config", [BROKEN, f"sk-{HIDDEN}", [HIDDEN]], ids=["dict", "str", "list"])
def test_a_client_that_cannot_be_made_shows_no_secret(make, config):
    with pytest.raises(ConfigurationError) as caught:
        make(config)

    assert HIDDEN not in shown_with_locals(caught.value)
    assert HIDDEN not in str(caught.value)


def test_options_that_are_wrong_show_no_secret(make):
    client = make()

    with pytest.raises(ConfigurationError) as caught:
        client.with_options(**BROKEN)

    assert HIDDEN not in shown_with_locals(caught.value)


def test_a_provider_that_is_not_registered_shows_no_secret(make):
    with pytest.raises(ConfigurationError, match="'opnai' is not a provider") as caught:
        make({"providers": {"opnai": PROVIDERS["openai"]}})

    assert HIDDEN not in shown_with_locals(caught.value)


def test_an_unknown_key_warns_in_the_callers_file(make):
    with pytest.warns(ConfigurationWarning, match="Did you mean 'max_retries'") as caught:
        make({"max_retry": 1})

    assert caught[0].filename == __file__


def test_a_client_does_not_follow_the_callers_dict(make):
    config = {"max_retries": 7}
    client = make(config)

    config["max_retries"] = 1

    assert client.get_config("max_retries") == "7"
    assert client.with_options(timeout_seconds=1).get_config("max_retries") == "7"
