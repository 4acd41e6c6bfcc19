"""Credentials of AWS that sign requests: given ones, those of the environment, or botocore's.

botocore is imported only where it has to find or refresh credentials (`pip install
"specado[bedrock]"`). A `Secret` is text, so that credentials are one text here: the access key id,
the secret access key and, for temporary ones, the session token, joined by colons.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import threading
from collections.abc import Mapping
from typing import Any, NamedTuple, Optional

from specado.errors import REDACTED, ConfigurationError

__all__ = [
    "VARIABLES",
    "AwsCredentials",
    "AwsSource",
    "aws_text",
    "credentials_in",
    "default_aws_source",
    "has_botocore",
    "is_aws_credentials",
]

# The variables that AWS's command line and packages read ("Environment variables", 2026-12-01).
VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
# The members of a dict, also by the names that STS's replies and boto3's functions have.
_MEMBERS = (
    ("access_key_id", "AccessKeyId", "aws_access_key_id"),
    ("secret_access_key", "SecretAccessKey", "aws_secret_access_key"),
    ("session_token", "SessionToken", "aws_session_token"),
)
MAX_QUOTED_CHARACTERS = 300


class AwsCredentials(NamedTuple):
    """An access key and its secret; `session_token` belongs to temporary ones."""

    access_key_id: str
    secret_access_key: str
    session_token: Optional[str] = None

    def __repr__(self) -> str:
        return f"AwsCredentials({REDACTED})"


def has_botocore() -> bool:
    """Return whether botocore is installed; it is not imported."""
    return importlib.util.find_spec("botocore") is not None


def is_aws_credentials(value: object) -> bool:
    """Return whether a value has credentials of AWS: a dict, botocore's object, or a session."""
    if isinstance(value, Mapping):
        return any(name in value for name in _MEMBERS[0])
    return hasattr(value, "get_frozen_credentials") or hasattr(value, "get_credentials")


def credentials_in(text: str) -> AwsCredentials:
    """Return the credentials in a text.

    Raises:
        ConfigurationError: it is not two or three words with colons between them.
    """
    parts = text.split(":")
    if len(parts) not in (2, 3) or not all(parts):
        raise ConfigurationError(
            "credentials: must be access key id and secret access key, for temporary ones with a "
            "session token: a dict with access_key_id, secret_access_key and session_token",
            key="credentials",
        )
    return AwsCredentials(*parts)


def aws_text(given: Any) -> Any:
    """Return credentials as one text; what has none is returned as it is.

    Raises:
        ConfigurationError: a session has no credentials, or botocore cannot refresh them.
    """
    if not is_aws_credentials(given):
        return given
    if isinstance(given, Mapping):
        found = [next((given[each] for each in names if each in given), None) for names in _MEMBERS]
    else:
        found = list(_frozen(given))
    stated = found if found[2] else found[:2]
    if not all(isinstance(each, str) for each in stated):
        raise ConfigurationError(
            "credentials: access key id, secret access key and session token must be text",
            key="credentials",
        )
    return ":".join(map(str, stated))


def _frozen(given: Any) -> tuple[Any, Any, Any]:
    """Return the access key id, the secret and the token of botocore's object or session."""
    try:
        if not hasattr(given, "get_frozen_credentials"):
            given = given.get_credentials()
        if given is None:
            raise ConfigurationError(
                "AWS has no credentials here: configure a profile or a role, or give credentials",
                key="credentials",
            )
        found = given.get_frozen_credentials()
    except ConfigurationError:
        raise
    except Exception as error:  # noqa: BLE001 - botocore has many kinds of its own
        raise ConfigurationError(
            f"AWS's credentials cannot be had: {str(error)[:MAX_QUOTED_CHARACTERS]}",
            key="credentials",
        ) from None
    return found.access_key, found.secret_key, found.token


class AwsSource:
    """Callable that returns the credentials of *given* as one text, refreshed where they expire.

    The default is what botocore finds: environment, profiles, SSO, roles, the machine. Threads may
    share one object: one asks, the others wait. Two objects with the same *given* are equal.
    """

    def __init__(self, given: Optional[Any] = None) -> None:
        self._given = given
        self._found = given
        self._lock = threading.Lock()
        self._process = os.getpid()

    def __call__(self) -> str:
        """Return the credentials as one text.

        Raises:
            ConfigurationError: there are none.
        """
        if self._process != os.getpid():  # another thread may have held the lock at the fork
            self._lock, self._process = threading.Lock(), os.getpid()
        with self._lock:
            found = self._found  # another thread may forget it meanwhile
            if found is None:
                found = self._found = _default_credentials()
            text: str = aws_text(found)
        return text

    def forget_credentials(self) -> None:
        """Look for the credentials again at the next request: a profile may have newer ones."""
        self._found = self._given

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AwsSource) and self._given is other._given

    def __hash__(self) -> int:
        return hash((AwsSource, id(self._given)))

    def __repr__(self) -> str:
        return "AwsSource()"

    def __reduce__(self) -> Any:
        raise TypeError("credentials are not pickled: configure them again in the other process")


# One for all clients of a process: they share the credentials and the health of deployments.
default_aws_source = AwsSource()


def _default_credentials() -> Any:
    """Return botocore's credentials object, which refreshes itself.

    Raises:
        ConfigurationError: botocore is not installed, or finds none.
    """
    try:
        session: Any = importlib.import_module("botocore.session")
    except ImportError:
        raise ConfigurationError(
            'AWS\'s profiles and roles need botocore: pip install "specado[bedrock]", or give '
            "credentials",
            key="credentials",
        ) from None
    found = session.Session().get_credentials()
    if found is None:
        raise ConfigurationError(
            "AWS has no credentials here: configure a profile or a role, or give credentials",
            key="credentials",
        )
    return found
