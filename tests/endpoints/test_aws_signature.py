"""Requests to AWS: signatures as botocore makes them, credentials, regions, keys, secrets."""

from __future__ import annotations

import asyncio
import copy
import datetime as dt
import json
import logging
import pickle
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sockets
import specado
from specado.endpoints.aws_signature import signed_headers
from specado.settings.aws_credentials import AwsCredentials
from specado.transport import WireRequest

botocore = pytest.importorskip("botocore", reason="botocore needs Python 3.10")

from botocore.auth import SigV4Auth  # noqa: E402
from botocore.awsrequest import AWSRequest  # noqa: E402
from botocore.credentials import Credentials  # noqa: E402

KEY, SECRET, TOKEN = (
    "AKIDEXAMPLE",
    "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "IQoJb3JpZ2luX2VjEXAMPLE==",
)
PROFILE_ARN = (
    "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-v1:0"
)
REPLY = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Hello"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
    "metrics": {"latencyMs": 1},
}


def signed_by_botocore(request, credentials, region, service, date, names):
    """Return the Authorization that botocore makes for a request with the headers *names*."""
    headers = {name: text for name, text in request.headers if name.lower() in names}
    made = AWSRequest(request.method, request.url, headers=headers, data=request.body)
    made.context["timestamp"] = date
    signer = SigV4Auth(Credentials(*credentials), service, region)
    if "X-Amz-Date" in made.headers:
        del made.headers["X-Amz-Date"]
    made.headers["X-Amz-Date"] = date
    if credentials[2]:
        made.headers["X-Amz-Security-Token"] = credentials[2]
    canonical = signer.canonical_request(made)
    signature = signer.signature(signer.string_to_sign(made, canonical), made)
    return (
        f"AWS4-HMAC-SHA256 Credential={signer.scope(made)}, "
        f"SignedHeaders={signer.signed_headers(signer.headers_to_sign(made))}, "
        f"Signature={signature}"
    )


SEGMENT = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="?#%\\."), min_size=1
)
QUERY = st.lists(st.tuples(st.text("abAZ09-_.~", min_size=1), st.text("abAZ 09-_.~&=+/é")))


@given(
    host=st.sampled_from(["bedrock-runtime.eu-central-1.amazonaws.com", "127.0.0.1:8080", "[::1]"]),
    model=SEGMENT,
    query=QUERY,
    body=st.binary(max_size=200),
    token=st.sampled_from([None, TOKEN]),
    when=st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2040, 1, 1)),
)
def test_a_signature_is_botocores(host, model, query, body, token, when):
    path = "/model/" + httpx.QueryParams({"": model}).__str__()[1:] + "/converse"
    url = f"https://{host}{path}"
    if query:
        url += f"?{httpx.QueryParams(query)}"
    request = WireRequest("POST", url, (("content-type", "application/json"),), body, True)
    credentials = AwsCredentials(KEY, SECRET, token)

    added = dict(signed_headers(request, credentials, "eu-central-1", "bedrock", when))

    date = when.strftime("%Y%m%dT%H%M%SZ")
    assert added["X-Amz-Date"] == date
    assert added.get("X-Amz-Security-Token") == token
    assert added["Authorization"] == signed_by_botocore(
        request, credentials, "eu-central-1", "bedrock", date, ("content-type",)
    )


@contextmanager
def server(expired=None):
    """Run a server that answers as Bedrock does; yields its URL and the requests it gets.

    Credentials with the session token *expired* have expired.
    """
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            seen.append(SimpleNamespace(path=self.path, headers=dict(self.headers), body=body))
            if expired is not None and self.headers["x-amz-security-token"] == expired:
                reply = json.dumps({"message": "The security token has expired"}).encode()
                self.send_response(403)
                self.send_header("x-amzn-errortype", "ExpiredTokenException:http://internal/")
            else:
                reply = json.dumps(REPLY).encode()
                self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *_args):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_port}", seen
    finally:
        running.shutdown()
        running.server_close()
        thread.join(10)


def is_valid(url, seen, *, token=None, region="eu-west-1", secret=SECRET):
    """Return whether botocore finds the signature of a received request valid."""
    headers = {name.lower(): text for name, text in seen.headers.items()}
    request = WireRequest(
        "POST", url + seen.path, (("content-type", headers["content-type"]),), seen.body, True
    )
    assert headers["host"] == urlsplit(url).netloc
    assert headers.get("x-amz-security-token") == token
    expected = signed_by_botocore(
        request, (KEY, secret, token), region, "bedrock", headers["x-amz-date"], ("content-type",)
    )
    return headers["authorization"] == expected


GIVEN = {
    "a dict": {"access_key_id": KEY, "secret_access_key": SECRET},
    "a dict of STS": {"AccessKeyId": KEY, "SecretAccessKey": SECRET},
    "a callable": lambda: {"aws_access_key_id": KEY, "aws_secret_access_key": SECRET},
    "botocore's object": Credentials(KEY, SECRET),
    "a session": SimpleNamespace(get_credentials=lambda: Credentials(KEY, SECRET)),
    "a text": f"{KEY}:{SECRET}",
}


@pytest.mark.parametrize("transport", ["auto", "httpx"])
@pytest.mark.parametrize("how", GIVEN)
def test_requests_are_signed_whatever_form_the_credentials_have(how, transport):
    with server() as (url, seen):
        settings = {"base_url": url, "credentials": GIVEN[how], "location": "eu-west-1"}
        client = specado.Client({"providers": {"bedrock": settings}, "transport": transport})

        reply = client.chat.completions.create(f"bedrock/{PROFILE_ARN}", "Hello")

        assert reply.choices[0].message.content == "Hello"
        assert seen[0].path == (
            "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2F"
            "us.anthropic.claude-sonnet-4-5-v1%3A0/converse"
        )
        assert is_valid(url, seen[0])


def test_temporary_credentials_have_their_token_in_a_signed_header():
    given = {"access_key_id": KEY, "secret_access_key": SECRET, "session_token": TOKEN}
    with server() as (url, seen):
        settings = {"base_url": url, "credentials": given, "location": "eu-west-1"}
        client = specado.Client({"providers": {"bedrock": settings}})
        client.chat.completions.create("bedrock/amazon.nova-lite-v1:0", "Hello")

        assert is_valid(url, seen[0], token=TOKEN)
        assert not is_valid(url, seen[0], token=TOKEN, secret="another")


def test_headers_of_aws_that_the_caller_sets_are_signed():
    settings = {"credentials": f"{KEY}:{SECRET}", "location": "eu-west-1"}
    mark = "X-Amz-Source-Identity"
    with server() as (url, seen):
        client = specado.Client({"providers": {"bedrock": {**settings, "base_url": url}}})
        client.chat.completions.create(
            "bedrock/amazon.nova-lite-v1:0", "Hello", extra_headers={mark: "a  b", "X-Other": "c"}
        )

    headers = {name.lower(): text for name, text in seen[0].headers.items()}
    signed = "SignedHeaders=content-type;host;x-amz-date;x-amz-source-identity,"
    assert signed in headers["authorization"]
    assert headers["x-other"] == "c"
    sent = (("content-type", headers["content-type"]), (mark, headers[mark.lower()]))
    assert headers["authorization"] == signed_by_botocore(
        WireRequest("POST", url + seen[0].path, sent, seen[0].body, True),
        (KEY, SECRET, None),
        "eu-west-1",
        "bedrock",
        headers["x-amz-date"],
        ("content-type", mark.lower()),
    )


def test_credentials_region_and_address_come_from_the_environment(monkeypatch):
    with server() as (url, seen):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
        monkeypatch.setenv("AWS_REGION", "ap-south-1")
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", url)
        client = specado.Client({"primary_provider": "bedrock"})
        client.chat.completions.create("amazon.nova-lite-v1:0", "Hello")

        assert is_valid(url, seen[0], token=TOKEN, region="ap-south-1")


def test_botocore_finds_the_credentials_of_a_profile(monkeypatch, tmp_path):
    (tmp_path / "credentials").write_text(
        f"[work]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n"
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setattr(specado.settings.aws_credentials.default_aws_source, "_found", None)
    with server() as (url, seen):
        settings = {"base_url": url, "location": "eu-west-1"}
        client = specado.Client({"providers": {"bedrock": settings}})
        client.chat.completions.create("bedrock/amazon.nova-lite-v1:0", "Hello")

        assert is_valid(url, seen[0])


def test_each_async_call_awaits_its_credentials():
    given = iter([TOKEN, "second=="])

    async def credentials():
        await asyncio.sleep(0)
        return {
            "access_key_id": KEY,
            "secret_access_key": SECRET,
            "session_token": next(given),
        }

    async def calls(url):
        settings = {"base_url": url, "credentials": credentials, "location": "eu-west-1"}
        async with specado.AsyncClient({"providers": {"bedrock": settings}}) as client:
            for _ in range(2):
                await client.chat.completions.create("bedrock/amazon.nova-lite-v1:0", "Hello")

    with server() as (url, seen):
        asyncio.run(calls(url))

        assert is_valid(url, seen[0], token=TOKEN)
        assert is_valid(url, seen[1], token="second==")


def temporary(token):
    return {"access_key_id": KEY, "secret_access_key": SECRET, "session_token": token}


def test_a_call_is_repeated_once_with_new_credentials_after_the_old_have_expired():
    tokens = iter([TOKEN, "second==", TOKEN, TOKEN, "never=="])
    settings = {"credentials": lambda: temporary(next(tokens)), "location": "eu-west-1"}
    with server(expired=TOKEN) as (url, seen):
        client = specado.Client({"providers": {"bedrock": {**settings, "base_url": url}}})
        reply = client.chat.completions.create("bedrock/amazon.nova-lite-v1:0", "Hello")

        assert reply.choices[0].message.content == "Hello"
        assert [each.headers["X-Amz-Security-Token"] for each in seen] == [TOKEN, "second=="]
        assert is_valid(url, seen[1], token="second==")
        with pytest.raises(specado.AuthenticationError, match="has expired") as caught:
            client.chat.completions.create("bedrock/amazon.nova-lite-v1:0", "Hello")

    assert (caught.value.code, caught.value.attempts) == ("ExpiredTokenException", 2)
    assert next(tokens) == "never=="


def test_an_async_call_is_repeated_with_new_credentials():
    tokens = iter([TOKEN, "second=="])

    async def credentials():
        return temporary(next(tokens))

    async def call(url):
        settings = {"base_url": url, "credentials": credentials, "location": "eu-west-1"}
        async with specado.AsyncClient({"providers": {"bedrock": settings}}) as client:
            await client.chat.completions.create("bedrock/amazon.nova-lite-v1:0", "Hello")

    with server(expired=TOKEN) as (url, seen):
        asyncio.run(call(url))

        assert is_valid(url, seen[1], token="second==")


def test_given_credentials_that_have_expired_are_not_sent_again():
    with server(expired=TOKEN) as (url, seen):
        settings = {"base_url": url, "credentials": temporary(TOKEN), "location": "eu-west-1"}
        client = specado.Client({"providers": {"bedrock": settings}})
        with pytest.raises(specado.AuthenticationError) as caught:
            client.chat.completions.create("bedrock/amazon.nova-lite-v1:0", "Hello")

    assert len(seen) == 1
    shown = f"{caught.value!r} {caught.value.headers} {caught.value.body}"
    assert SECRET not in shown
    assert TOKEN not in shown


def test_a_profile_is_read_again_when_its_credentials_have_expired(monkeypatch, tmp_path):
    def write(token):
        (tmp_path / "credentials").write_text(
            f"[work]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n"
            f"aws_session_token = {token}\n"
        )

    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setattr(specado.settings.aws_credentials.default_aws_source, "_found", None)
    with server(expired=TOKEN) as (url, seen):
        settings = {"base_url": url, "location": "eu-west-1"}
        client = specado.Client({"providers": {"bedrock": settings}})
        write(TOKEN)
        with pytest.raises(specado.AuthenticationError):
            client.chat.completions.create("bedrock/amazon.nova-lite-v1:0", "Hello")
        write("second==")
        client.chat.completions.create("bedrock/amazon.nova-lite-v1:0", "Hello")

        assert is_valid(url, seen[-1], token="second==")


@pytest.mark.parametrize("as_setting", [True, False])
def test_a_key_of_bedrock_is_a_bearer_token_and_nothing_is_signed(as_setting, monkeypatch):
    with server() as (url, seen):
        settings = {"base_url": url}
        if as_setting:
            settings["api_key"] = "bedrock-api-key-1"
        else:
            monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "bedrock-api-key-1")
        client = specado.Client({"providers": {"bedrock": settings}})
        client.chat.completions.create("bedrock/amazon.nova-lite-v1:0", "Hello")

        headers = {name.lower(): text for name, text in seen[0].headers.items()}
        assert headers["authorization"] == "Bearer bedrock-api-key-1"
        assert "x-amz-date" not in headers


def test_a_header_of_the_callers_own_replaces_the_signature():
    with server() as (url, seen):
        settings = {"base_url": url, "credentials": f"{KEY}:{SECRET}", "location": "eu-west-1"}
        client = specado.Client({"providers": {"bedrock": settings}})
        client.chat.completions.create(
            "bedrock/amazon.nova-lite-v1:0", "Hello", extra_headers={"Authorization": "Bearer x"}
        )

        assert seen[0].headers["Authorization"] == "Bearer x"


@pytest.mark.parametrize("region", ["eu-west-1", "us-gov-west-1"])
def test_the_address_is_that_of_the_region(region):
    urls = []

    def answer(request):
        urls.append(str(request.url))
        return httpx.Response(200, json=REPLY)

    settings = {"credentials": f"{KEY}:{SECRET}", "location": region}
    client = specado.Client(
        {"providers": {"bedrock": settings}},
        http_client=httpx.Client(transport=httpx.MockTransport(answer)),
    )
    client.chat.completions.create("bedrock/amazon.nova-lite-v1:0", "Hello")

    host = f"bedrock-runtime.{region}.amazonaws.com"
    assert urls == [f"https://{host}/model/amazon.nova-lite-v1%3A0/converse"]


def test_without_region_or_credentials_an_error_says_what_to_set(monkeypatch):
    monkeypatch.setattr(specado.endpoints.access, "has_botocore", lambda: False)
    client = specado.Client({"primary_provider": "bedrock", "simulate": False})
    with pytest.raises(
        specado.ConfigurationError, match=r"AWS_BEARER_TOKEN_BEDROCK.*AWS_ACCESS_KEY"
    ):
        client.chat.completions.create("amazon.nova-lite-v1:0", "Hello")

    settings = {"credentials": f"{KEY}:{SECRET}"}
    client = specado.Client({"providers": {"bedrock": settings}})
    with pytest.raises(specado.ConfigurationError, match="no region for 'bedrock': set AWS_REGION"):
        client.chat.completions.create("bedrock/amazon.nova-lite-v1:0", "Hello")


def ask_with(credentials):
    settings = {
        "credentials": credentials,
        "location": "eu-west-1",
        "base_url": "http://127.0.0.1:9",
    }
    client = specado.Client({"providers": {"bedrock": settings}})
    client.chat.completions.create("bedrock/amazon.nova-lite-v1:0", "Hello")


@pytest.mark.parametrize("given", [f"{KEY}", "a:b:c:d", ":b", {"access_key_id": KEY}, 7])
def test_what_is_no_credentials_is_an_error_that_shows_nothing(given):
    with pytest.raises(specado.ConfigurationError) as caught:
        ask_with(given)

    assert KEY not in str(caught.value)


def test_a_wrong_region_is_an_error_that_shows_a_right_one(monkeypatch):
    monkeypatch.setenv("AWS_REGION", "us-east-1@evil.example")
    settings = {"credentials": f"{KEY}:{SECRET}"}
    client = specado.Client({"providers": {"bedrock": settings}})

    with pytest.raises(specado.ConfigurationError, match=r"region, such as .* 'us-east-1'"):
        client.chat.completions.create("bedrock/amazon.nova-lite-v1:0", "Hello")


def test_credentials_of_the_machine_do_not_end_simulation(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")

    with pytest.warns(specado.SimulatedReplyWarning):
        specado.Client().chat.completions.create("gpt-4.1", "Hello")


@pytest.mark.parametrize("transport", ["auto", "httpx"])
def test_a_canonical_request_in_an_error_shows_no_token_and_no_signature(transport):
    with sockets.ScriptedServer(refuse_with_what_was_sent) as peer:
        settings = {"credentials": temporary(TOKEN), "location": "eu-west-1", "base_url": peer.url}
        client = specado.Client({"providers": {"bedrock": settings}, "transport": transport})
        with pytest.raises(specado.AuthenticationError) as caught:
            client.chat.completions.create("bedrock/amazon.nova-lite-v1:0", "Hello")

    signature = peer.requests[0].partition(b"Signature=")[2].partition(b"\r\n")[0].decode()
    error = caught.value
    shown = f"{error} {error!r} {error.body} {error.headers}" + pickle.dumps(error).decode(
        "latin-1"
    )
    assert error.code == "InvalidSignatureException"
    assert "The Canonical String for this request should have been" in error.message
    assert len(signature) == 64
    assert signature not in shown
    assert TOKEN not in shown


def refuse_with_what_was_sent(peer):
    """Answer as AWS does to a wrong signature: with the headers that it has got."""
    head = peer.request().partition(b"\r\n\r\n")[0].decode()
    text = f"The Canonical String for this request should have been '{head}'"
    peer.send(
        sockets.reply(
            json.dumps({"message": text}).encode(),
            403,
            "x-amzn-ErrorType: InvalidSignatureException\r\n",
        )
    )


def test_no_secret_is_shown(caplog):
    given = {"access_key_id": KEY, "secret_access_key": SECRET, "session_token": TOKEN}
    settings = {"base_url": "http://127.0.0.1:9", "credentials": given, "location": "eu-west-1"}
    client = specado.Client({"providers": {"bedrock": settings}, "max_retries": 0})
    with caplog.at_level(logging.DEBUG), pytest.raises(specado.ConnectionFailedError) as caught:
        client.chat.completions.create("bedrock/amazon.nova-lite-v1:0", "Hello")

    shown = "".join(
        [
            repr(client),
            repr(client.with_options(max_retries=1)),
            caplog.text,
            str(caught.value),
            repr(caught.value),
        ]
    )
    shown += repr(AwsCredentials(KEY, SECRET, TOKEN)) + pickle.dumps(caught.value).decode("latin-1")
    assert SECRET not in shown
    assert TOKEN not in shown
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(copy.copy(client))
