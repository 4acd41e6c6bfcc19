"""TLS contexts and the certificates that they trust, shared by the process."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from specado.errors import ConfigurationError
from specado.transport.contract import TransportFailure
from specado.transport.failure_causes import resource_cause

if TYPE_CHECKING:
    from specado.transport.contract import TransportSettings

__all__ = ["Trust", "tls_context"]

# How OpenSSL names a certificate in a folder (openssl-rehash).
_HASHED_NAME = re.compile(r"[0-9a-f]{8}\.\d+")


class Trust(NamedTuple):
    """A TLS context; `source` names the trusted certificates, for errors."""

    context: ssl.SSLContext
    source: str


def tls_context(settings: TransportSettings) -> Trust:
    """Return the TLS context for *settings*: the caller's own, else one that the process shares.

    Trusted are the certificates of `ca_bundle`, else the system's, else certifi's if the system
    has none.

    Raises:
        ConfigurationError: a file or folder that the settings name is not usable.
        TransportFailure: this machine lacks a resource to read the files now.
    """
    if settings.ssl_context is not None:
        return Trust(settings.ssl_context, "what the setting ssl_context trusts")
    try:
        return _shared(settings.ca_bundle, settings.client_certificate)
    except (ConfigurationError, TransportFailure) as error:
        raise error.with_traceback(None) from None  # the inner frames hold the key's password


@functools.lru_cache(maxsize=64)
def _shared(ca_bundle: str | None, client_certificate: tuple[str, ...] | None) -> Trust:
    with _reading("ca_bundle", ca_bundle, "trusted certificates"):
        trust = _system_trust() if ca_bundle is None else _bundle_trust(ca_bundle)
    if client_certificate is not None:
        file, *key = client_certificate
        key_file, password, *_ = *key, None, ""
        with _reading("client_certificate", file, "client certificate"):
            # Without a password OpenSSL would ask for one at the terminal.
            trust.context.load_cert_chain(file, key_file, password or "")
    trust.context.set_alpn_protocols(["http/1.1"])
    return trust


@contextlib.contextmanager
def _reading(key: str, path: str | None, what: str) -> Any:
    try:
        yield
    except (OSError, ValueError) as error:
        lacking = resource_cause(error)
        if lacking is not None:
            message = f"the {what} cannot be read: {lacking}"
            raise TransportFailure("resources", message, sent=False) from None
        where = "this system" if path is None else repr(path)
        message = f"{key}: {where} has no usable {what}: {error}"
        raise ConfigurationError(message, key=key) from None


def _bundle_trust(ca_bundle: str) -> Trust:
    source = f"the certificates in {ca_bundle!r}"
    if Path(ca_bundle).is_dir():
        return Trust(ssl.create_default_context(capath=ca_bundle), source)
    return Trust(ssl.create_default_context(cafile=ca_bundle), source)


def _system_trust() -> Trust:
    folder = _complete_folder()
    # From a folder OpenSSL reads only the certificates that it needs: at once, where a file of
    # all of them takes 30 ms.
    context = ssl.create_default_context(capath=folder)
    if folder is not None or context.cert_store_stats()["x509_ca"]:
        return Trust(context, "the system's certificates")
    if _certificates_in(ssl.get_default_verify_paths().capath):
        return Trust(context, "the system's certificates")
    try:
        import certifi
    except ImportError:
        return Trust(context, "no certificates: the system has none, and certifi is not installed")
    context.load_verify_locations(certifi.where())
    return Trust(context, "the certificates of the package certifi")


def _complete_folder() -> str | None:
    """Return the system's folder of certificates if it has all that the system's file has."""
    paths = ssl.get_default_verify_paths()
    if os.environ.keys() & {paths.openssl_cafile_env, paths.openssl_capath_env}:
        return None
    with contextlib.suppress(OSError):
        in_file = Path(paths.openssl_cafile).read_bytes().count(b"-----BEGIN CERTIFICATE-----")
        if 0 < in_file <= len(_certificates_in(paths.capath)):
            return paths.capath
    return None


def _certificates_in(folder: str | None) -> set[int]:
    """Return the files (inodes) of a folder that OpenSSL finds: one may have several names."""
    found: set[int] = set()
    with contextlib.suppress(OSError):
        for each in os.scandir(folder) if folder else ():
            if _HASHED_NAME.fullmatch(each.name):
                found.add(each.stat().st_ino)
    return found
