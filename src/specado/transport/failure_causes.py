"""Recognises connection failures that a retry cannot cure: certificates, local resources.

No I/O, but for the sockets that are opened to see whether one can be.
"""

from __future__ import annotations

import contextlib
import errno
import re
import socket
import ssl
from typing import Any

from specado.errors import redact

__all__ = [
    "RefusedCertificateError",
    "certificate_cause",
    "has_local_address",
    "plain_http_cause",
    "resource_cause",
]

MAX_REASON_CHARACTERS = 200
MAX_PEER_CHARACTERS = 255

_RESOURCES = {
    errno.EMFILE: "this process has no file descriptor left (EMFILE); close what it does not "
    "use, send fewer requests at once, or raise its limit (ulimit -n)",
    errno.ENFILE: "this system has no file descriptor left (ENFILE); close what it does not "
    "use, or raise its limit",
    errno.ENOBUFS: "this system has no memory for another socket (ENOBUFS)",
    errno.ENOMEM: "this system has no memory for another connection (ENOMEM)",
    errno.EADDRNOTAVAIL: "this machine has no free local port left (EADDRNOTAVAIL); send fewer "
    "requests at once, or let connections be reused",
}
# OpenSSL's reasons for an alert that came, as Python's `ssl` names them, such as
# SSLV3_ALERT_BAD_CERTIFICATE, TLSV1_UNRECOGNIZED_NAME and TLSV13_ALERT_CERTIFICATE_REQUIRED. The
# alerts' names are those of RFC 8446, section 6, and RFC 6066, section 9.
_ALERT = re.compile(r"(?:SSLV3|TLSV1|TLSV13)_(?:ALERT_)?(\w+)")
_ALERTS = frozenset(
    {
        "access_denied",
        "bad_certificate",
        "bad_certificate_hash_value",
        "bad_certificate_status_response",
        "certificate_expired",
        "certificate_required",
        "certificate_revoked",
        "certificate_unknown",
        "certificate_unobtainable",
        "no_certificate",
        "unknown_ca",
        "unrecognized_name",
        "unsupported_certificate",
    }
)
# X509_V_ERR_* of OpenSSL's x509_vfy.h (3.0): of the dates, and of the name that was asked for.
_WRONG_DATES = frozenset({9, 10, 11, 12})
_WRONG_NAMES = frozenset({62, 63, 64})


class RefusedCertificateError(OSError):
    """One side rejects the other's certificate; the text says which, and what to do."""


def certificate_cause(
    error: BaseException,
    peer: str,
    *,
    is_agreed: bool = False,
    trusted: str = "",
    trust: str = "the setting ca_bundle",
    certificate: str = "the setting client_certificate",
) -> str | None:
    """Return what to say of *error* if it is about a certificate, `None` for any other error.

    *peer* is the server's host or URL, *trusted* says which certificates are trusted, *trust*
    which setting names others, *certificate* which names a client certificate. *is_agreed* says
    that both sides had agreed on a cipher: a server that then refuses the handshake wants a client
    certificate (before TLS 1.3 there is no other alert for it: RFC 5246, 7.4.6).
    """
    peer = peer[:MAX_PEER_CHARACTERS]
    if isinstance(error, ssl.SSLCertVerificationError):
        return _verification_cause(error, peer, trusted, trust)
    if not isinstance(error, ssl.SSLError):
        return None
    found = _ALERT.fullmatch(_reason_of(error))
    alert = found[1].lower() if found is not None else ""
    if alert == "unrecognized_name":
        return f"{peer} has no certificate for this name (TLS alert {alert}); correct the address"
    if alert in _ALERTS or (alert == "handshake_failure" and is_agreed):
        return (
            f"{peer} demands a client certificate, or rejects the one it got (TLS alert {alert}); "
            f"name one that the server accepts in {certificate}"
        )
    return None


def plain_http_cause(error: BaseException) -> str | None:
    """Return what to say of *error* if the peer answered TLS with anything else, else `None`."""
    if not isinstance(error, ssl.SSLError) or _reason_of(error) != "WRONG_VERSION_NUMBER":
        return None
    return (
        "it answered without TLS, and seems to speak plain HTTP (WRONG_VERSION_NUMBER); "
        "if it does, its URL begins with http://"
    )


def _reason_of(error: ssl.SSLError) -> str:
    return getattr(error, "reason", None) or ""  # one that OpenSSL did not raise has none


def _verification_cause(
    error: ssl.SSLCertVerificationError, peer: str, trusted: str, trust: str
) -> str:
    reason = redact(str(getattr(error, "verify_message", None) or _reason_of(error) or "not valid"))
    said = (
        f"the certificate of {peer} does not verify: {reason[:MAX_REASON_CHARACTERS].rstrip('.')}"
    )
    code = getattr(error, "verify_code", None)
    if code in _WRONG_NAMES:
        return f"{said}; correct the address"
    if code in _WRONG_DATES:
        return f"{said}; look at this machine's clock, and have the server's certificate renewed"
    if trusted:
        said = f"{said} (trusted are {trusted})"
    return f"{said}; if its certificate authority is your own, name it in {trust}"


def resource_cause(error: BaseException) -> str | None:
    """Return what to say of *error* if this machine lacks a resource, `None` for any other error.

    Without a file descriptor some systems say of every name that it is unknown (glibc 2.36, seen
    2026-11-30): after such an error one is tried for.
    """
    if isinstance(error, socket.gaierror):
        if error.errno == getattr(socket, "EAI_MEMORY", None):
            return _RESOURCES[errno.ENOMEM]
        return _missing_now()
    if not isinstance(error, OSError) or isinstance(error, ssl.SSLError):
        return None  # an SSLError's number is none of errno's
    return _RESOURCES.get(error.errno or 0)


def _missing_now() -> str | None:
    try:
        socket.socket().close()
    except OSError as error:
        return _RESOURCES.get(error.errno or 0)
    return None


def has_local_address(family: int, address: Any) -> bool:
    """Tell whether this machine has an address from which *address* can be reached.

    Nothing is sent: a datagram socket only looks up the way.
    """
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(address)
        except OSError as error:
            return error.errno != errno.EADDRNOTAVAIL
    return True
