"""Certificates for servers of the tests, made with the command openssl."""

from __future__ import annotations

import shutil
import ssl
import subprocess

import pytest

_NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """Give a folder with ca.pem and what it signed.

    That is server.pem for 127.0.0.1 and localhost, other.pem for another name, and expired.pem.
    """
    if shutil.which("openssl") is None:
        pytest.skip("the command openssl is missing")
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*arguments):
        command = ["openssl", *arguments]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=30)

    openssl(
        "req", "-x509", *_NEW_KEY, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
        "-subj", "/CN=Test CA", "-addext", "keyUsage=critical,keyCertSign",
    )  # fmt: skip
    openssl("req", *_NEW_KEY, "-keyout", "key.pem", "-out", "s.csr", "-subj", "/CN=server")
    key = (folder / "key.pem").read_text()
    here = "DNS:localhost,IP:127.0.0.1"
    for name, names, days in (
        ("server", here, "2"),
        ("other", "DNS:other.test", "2"),
        ("expired", here, "-1"),
    ):
        (folder / "names").write_text(f"subjectAltName={names}\n")
        openssl(
            "x509", "-req", "-in", "s.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-out", "signed.pem", "-days", days, "-extfile", "names",
        )  # fmt: skip
        (folder / f"{name}.pem").write_text((folder / "signed.pem").read_text() + key)
    return folder


def server_context(certificates, name="server.pem"):
    """Return what a server with that certificate speaks TLS with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / name)
    return context


@pytest.fixture
def server_tls(certificates):
    return server_context(certificates)
