"""Access tokens of Google Cloud from google-auth's credentials, refreshed before they expire.

google-auth is imported only where a token is needed: `pip install "specado[vertex]"`.
"""

from __future__ import annotations

import importlib.util
import os
import threading
from typing import Any, Optional

from specado.errors import ConfigurationError

__all__ = ["GoogleTokens", "default_google_tokens", "has_google_auth", "is_google_credentials"]

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
TOKEN_TIMEOUT_S = 30.0
MAX_QUOTED_CHARACTERS = 300


def has_google_auth() -> bool:
    """Return whether google-auth is installed; it is not imported."""
    try:
        return importlib.util.find_spec("google.auth") is not None
    except ModuleNotFoundError:
        return False


def is_google_credentials(value: object) -> bool:
    """Return whether a value has the members of a google-auth credentials object."""
    return all(hasattr(value, name) for name in ("token", "valid", "refresh"))


class GoogleTokens:
    """Callable that returns an access token of *credentials*.

    The default is Google's application default credentials. Threads may share one object: one
    thread refreshes the token, the others wait. Two objects with the same credentials are equal.
    """

    def __init__(self, credentials: Optional[Any] = None) -> None:
        self._given = credentials
        self._found = credentials
        self._lock = threading.Lock()
        self._process = os.getpid()

    def __call__(self) -> str:
        """Return a token that has not expired.

        Raises:
            ConfigurationError: there are no credentials, or they give no token.
        """
        if self._process != os.getpid():  # another thread may have held the lock at the fork
            self._lock, self._process = threading.Lock(), os.getpid()
        with self._lock:
            return self._token()

    def _token(self) -> str:
        try:
            from google.auth import exceptions
        except ImportError:
            raise ConfigurationError(
                'Google\'s credentials need google-auth: pip install "specado[vertex]", or give '
                "credentials as a callable that returns an access token",
                key="credentials",
            ) from None
        try:
            if self._found is None:
                self._found = _application_default()
            if not self._found.valid:
                self._found.refresh(_send)
        except exceptions.GoogleAuthError as error:
            raise ConfigurationError(
                f"Google's credentials give no access token: {str(error)[:MAX_QUOTED_CHARACTERS]}",
                key="credentials",
            ) from None
        token: str = self._found.token
        return token

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GoogleTokens) and self._given is other._given

    def __hash__(self) -> int:
        return hash((GoogleTokens, id(self._given)))

    def __repr__(self) -> str:
        return "GoogleTokens()"

    def __reduce__(self) -> Any:
        raise TypeError("credentials are not pickled: configure them again in the other process")


# One for all clients of a process: they share the token and the health of deployments.
default_google_tokens = GoogleTokens()


def _application_default() -> Any:
    """Return the application default credentials: of a key file, of gcloud, or of the machine."""
    from google import auth

    default: Any = auth.default
    found, _ = default(scopes=SCOPES, request=_send)
    return found


class _Reply:
    """Reply of a token server, with the members that google-auth reads."""

    def __init__(self, status: int, headers: Any, data: bytes) -> None:
        self.status = status
        self.headers = headers
        self.data = data


def _send(
    url: str,
    method: str = "GET",
    body: Optional[Any] = None,
    headers: Optional[Any] = None,
    timeout: Optional[float] = None,
    **_more: Any,
) -> _Reply:
    """Send a request of google-auth to a token server: its `Request` interface, without requests.

    Raises:
        google.auth.exceptions.TransportError: there was no reply.
    """
    import urllib.error
    import urllib.request

    from google.auth.exceptions import TransportError

    no_reply: Any = TransportError
    if not url.startswith(("https://", "http://")):
        raise no_reply("the address of the token server is no URL")
    data = body.encode() if isinstance(body, str) else body
    request = urllib.request.Request(url, data, dict(headers or {}), method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=timeout or TOKEN_TIMEOUT_S) as reply:  # noqa: S310
            return _Reply(reply.status, reply.headers, reply.read())
    except urllib.error.HTTPError as error:
        with error:
            return _Reply(error.code, error.headers, error.read())
    except OSError as error:
        raise no_reply(error) from error
