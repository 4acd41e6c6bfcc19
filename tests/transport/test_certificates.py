"""Certificates that one side refuses: told apart from other failures, and never sent."""

from __future__ import annotations

import asyncio
import re
import ssl

import httpx
import pytest

import sockets
from certificates import server_context
from specado import Client, ConnectionFailedError
from specado import transport as t

LIMITS = t.Limits(connect_timeout_s=5.0)
KEY = (("x-api-key", "sk-secret"),)


@pytest.fixture(params=["sync", "async"])
def fail(request):
    """Return what sends a request that fails, and gives its `TransportFailure`."""

    def send_sync(url, settings, body=b"{}"):
        wire = t.WireRequest("POST", url, KEY, body)
        return t.shared_transport(settings).send(wire, 5, LIMITS)

    def send_async(url, settings, body=b"{}"):
        wire = t.WireRequest("POST", url, KEY, body)

        async def main():
            return await t.shared_async_transport(settings).send(wire, 5, LIMITS)

        return asyncio.run(main())

    return failing(send_sync if request.param == "sync" else send_async)


@pytest.fixture(params=["sync", "async"])
def fail_through_own(request):
    """Return the same through an httpx client of the caller's own."""

    def send_sync(url, verify):
        with httpx.Client(verify=verify) as client:
            wire = t.WireRequest("POST", url, KEY, b"{}")
            return t.client_transport(client).send(wire, 5, LIMITS)

    def send_async(url, verify):
        async def main():
            async with httpx.AsyncClient(verify=verify) as client:
                wire = t.WireRequest("POST", url, KEY, b"{}")
                return await t.async_client_transport(client).send(wire, 5, LIMITS)

        return asyncio.run(main())

    return failing(send_sync if request.param == "sync" else send_async)


def failing(send):
    def fail(*arguments):
        with pytest.raises(t.TransportFailure) as caught:
            send(*arguments)
        return caught.value

    return fail


def trusting(certificates):
    return t.TransportSettings(ca_bundle=str(certificates / "ca.pem"))


def test_a_server_that_nobody_vouches_for(fail, server_tls):
    with sockets.ScriptedServer(sockets.echoes, tls=server_tls) as server:
        failure = fail(server.url, t.TransportSettings())

    assert (failure.kind, failure.sent, failure.is_written) == ("certificate", False, False)
    assert str(failure) == (
        "the certificate of 127.0.0.1 does not verify: unable to get local issuer certificate "
        "(trusted are the system's certificates); "
        "if its certificate authority is your own, name it in the setting ca_bundle"
    )
    assert server.requests == []


def test_a_server_with_another_name(fail, certificates):
    tls = server_context(certificates, "other.pem")
    with sockets.ScriptedServer(sockets.echoes, tls=tls) as server:
        by_address = fail(server.url, trusting(certificates))
        by_name = fail(f"https://localhost:{server.port}", trusting(certificates))

    assert (by_address.kind, by_address.sent) == ("certificate", False)
    assert str(by_address) == (
        "the certificate of 127.0.0.1 does not verify: IP address mismatch, certificate is not "
        "valid for '127.0.0.1'; correct the address"
    )
    assert (by_name.kind, by_name.sent) == ("certificate", False)
    assert str(by_name) == (
        "the certificate of localhost does not verify: Hostname mismatch, certificate is not valid "
        "for 'localhost'; correct the address"
    )
    assert server.requests == []


def test_a_server_whose_certificate_has_expired(fail, certificates):
    tls = server_context(certificates, "expired.pem")
    with sockets.ScriptedServer(sockets.echoes, tls=tls) as server:
        failure = fail(server.url, trusting(certificates))

    assert (failure.kind, failure.sent) == ("certificate", False)
    assert str(failure) == (
        "the certificate of 127.0.0.1 does not verify: certificate has expired; look at this "
        "machine's clock, and have the server's certificate renewed"
    )


def test_in_a_tunnel_the_server_is_named_and_not_the_proxy(fail, server_tls):
    def tunnels(peer):
        while not peer.request().startswith(b"CONNECT"):
            pass
        peer.send(b"HTTP/1.1 200 Connected\r\n\r\n")
        server_tls.wrap_socket(peer.sock, server_side=True)

    with sockets.ScriptedServer(tunnels) as proxy:
        settings = t.TransportSettings(proxies=(("https", proxy.url),))
        failure = fail("https://provider.test", settings)

    assert failure.kind == "certificate"
    assert str(failure).startswith("the certificate of provider.test does not verify: ")


def demands_a_certificate(certificates, version):
    """Refuse a client without a certificate by an alert, after all that it sends was read."""
    tls = server_context(certificates)
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(certificates / "ca.pem")
    tls.minimum_version = tls.maximum_version = version

    def script(peer):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = tls.wrap_bio(incoming, outgoing, server_side=True)
        is_refused = False
        while not is_refused:
            try:
                session.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:
                is_refused = True
            peer.send(outgoing.read())
            if not is_refused:
                incoming.write(peer.take(1))
        peer.wait_until_gone()

    return script


VERSIONS = [
    (ssl.TLSVersion.TLSv1_2, "handshake_failure"),
    (ssl.TLSVersion.TLSv1_3, "certificate_required"),
]


@pytest.mark.parametrize(("version", "alert"), VERSIONS)
@pytest.mark.parametrize("body", [b"{}", b"x" * 3_000_000], ids=["small", "large"])
def test_a_server_that_demands_a_client_certificate(fail, certificates, version, alert, body):
    with sockets.ScriptedServer(demands_a_certificate(certificates, version)) as server:
        failure = fail(f"https://localhost:{server.port}", trusting(certificates), body)

    assert (failure.kind, failure.sent) == ("certificate", False)
    assert str(failure) == (
        f"localhost demands a client certificate, or rejects the one it got (TLS alert {alert}); "
        "name one that the server accepts in the setting client_certificate"
    )


def alerts(code):
    """Answer the client's greeting with a fatal alert (RFC 8446, section 6)."""

    def script(peer):
        head = peer.take(5)
        peer.take(int.from_bytes(head[3:], "big"))
        peer.send(b"\x15\x03\x03\x00\x02\x02" + bytes([code]))
        peer.wait_until_gone()

    return script


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (42, "bad_certificate"),
        (43, "unsupported_certificate"),
        (44, "certificate_revoked"),
        (45, "certificate_expired"),
        (46, "certificate_unknown"),
        (48, "unknown_ca"),
        (49, "access_denied"),
        (111, "certificate_unobtainable"),
        (112, "unrecognized_name"),
        (113, "bad_certificate_status_response"),
        (114, "bad_certificate_hash_value"),
        (116, "certificate_required"),
    ],
)
def test_each_alert_about_certificates_is_told(fail, code, name):
    with sockets.ScriptedServer(alerts(code)) as server:
        failure = fail(f"https://127.0.0.1:{server.port}", t.TransportSettings())

    assert (failure.kind, failure.sent) == ("certificate", False)
    assert re.search(rf"^127\.0\.0\.1 .*\(TLS alert {name}\); ", str(failure))


@pytest.mark.parametrize("code", [10, 20, 40, 47, 50, 70, 71, 80, 86, 115, 120])
def test_other_alerts_are_failures_to_connect(fail, code):
    with sockets.ScriptedServer(alerts(code)) as server:
        failure = fail(f"https://127.0.0.1:{server.port}", t.TransportSettings())

    assert (failure.kind, failure.sent) == ("connect", False)


def test_a_certificate_that_a_client_of_the_callers_own_refuses(fail_through_own, server_tls):
    with sockets.ScriptedServer(sockets.echoes, tls=server_tls) as server:
        failure = fail_through_own(f"{server.url}/v1?key=sk-secret", ssl.create_default_context())

    assert (failure.kind, failure.sent) == ("certificate", False)
    assert str(failure) == (
        "the HTTP client failed with ConnectError: the certificate of "
        f"{server.url}/v1 does not verify: unable to get local issuer certificate; if its "
        "certificate authority is your own, name it in the verify of your HTTP client"
    )


def test_a_client_of_the_callers_own_without_the_certificate_that_is_demanded(
    fail_through_own, certificates
):
    verify = ssl.create_default_context(cafile=certificates / "ca.pem")
    script = demands_a_certificate(certificates, ssl.TLSVersion.TLSv1_3)
    with sockets.ScriptedServer(script) as server:
        failure = fail_through_own(f"https://localhost:{server.port}", verify)

    assert (failure.kind, failure.sent) == ("certificate", False)
    assert "(TLS alert certificate_required)" in str(failure)


def test_a_certificate_that_the_caller_handles_already_is_no_cause(fail_through_own):
    with sockets.ScriptedServer(sockets.answers_then_closes(b"", reset=True)) as server:
        try:
            raise ssl.SSLCertVerificationError("another server's")
        except ssl.SSLCertVerificationError:
            failure = fail_through_own(server.url, True)

    assert (failure.kind, failure.sent) == ("reset", True)


def test_a_call_ends_with_an_error_that_is_not_passing(server_tls):
    with sockets.ScriptedServer(sockets.echoes, tls=server_tls) as server:
        openai = {"api_key": "sk-secret", "base_url": server.url}
        settings = {"max_retries": 0, "providers": {"openai": openai}}
        with pytest.raises(ConnectionFailedError) as caught:
            Client(settings).chat.completions.create("gpt-4.1", "hi", fallback_models=[])
    error = caught.value

    assert (error.code, error.retryable, error.sent) == ("certificate", False, False)
    assert "ca_bundle" in error.message
