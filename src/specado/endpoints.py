"""Resolves a provider's URL, credentials and headers from manifest, settings, environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Optional
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import msgspec
from msgspec.structs import replace

from specado import capabilities
from specado._version import __version__
from specado.capabilities import Provider
from specado.checks import checked_header_value, checked_url
from specado.config import (
    BreakerSettings,
    HealthSettings,
    ProviderSettings,
    RetryBudgetSettings,
    Secret,
    Settings,
    environment_proxies,
    environment_value,
)
from specado.errors import REDACTED, ConfigurationError
from specado.transport import (
    CommonHeaders,
    Limits,
    TransportSettings,
    WireRequest,
    library_for,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from specado.manifests import Authentication


__all__ = [
    "Access",
    "Account",
    "Endpoint",
    "SecretsIn",
    "address_of",
    "has_access",
    "has_own_address",
    "key_headers",
    "key_setting",
    "needs_no_key",
    "preview",
    "resolve_endpoint",
    "wire_request",
]

# A shorter header value is no secret, and masking it would garble messages.
MIN_SECRET_CHARACTERS = 8
_SALT = os.urandom(16)
# Credentials of a cloud account: they are there for other programs too, and say nothing about
# whether somebody wants to ask a model.
_AMBIENT_PREFIXES = (
    "AWS_",
    "AZURE_CLIENT_",
    "AZURE_FEDERATED_",
    "AZURE_TENANT_",
    "CLOUDSDK_",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_CLOUD_",
)
_NOTHING = ProviderSettings()
_STATIC_HEADERS = (
    ("content-type", "application/json"),
    ("accept", "application/json"),
    ("user-agent", f"specado/{__version__}"),
)
_STATIC_NAMES = frozenset(name for name, _ in _STATIC_HEADERS)


class Account(msgspec.Struct, frozen=True, cache_hash=True):
    """Identity of a key at an address: calls of one account share what the process remembers.

    `digest` stands for the key and the headers that authenticate, and shows nothing of them.
    `settings` has the numbers of breaker and retry budget: who sets others shares with nobody
    but those who set the same.
    """

    base_url: str
    digest: str
    settings: HealthSettings = HealthSettings()
    address: str = ""  # scheme, host and port of the base URL

    def __post_init__(self) -> None:
        address = "/".join(self.base_url.split("/", 3)[:3]).lower()
        msgspec.structs.force_setattr(self, "address", address)

    def with_headers(
        self, headers: tuple[tuple[str, str], ...], authentication: Authentication
    ) -> Account:
        """Return the account of a call with *headers* of its own, which may authenticate it."""
        own = _authenticating(headers, authentication)
        return replace(self, digest=digest_of(self.digest, own)) if own else self


# Headers that say whom a provider bills, in lower case. Others (a request's id, a trace) may
# differ in each call of one account.
_ACCOUNT_HEADERS = frozenset(
    {
        "anthropic-workspace-id",
        "api-key",
        "authorization",
        "openai-organization",
        "openai-project",
        "proxy-authorization",
        "x-api-key",
        "x-goog-api-key",
        "x-goog-user-project",
    }
)


def _authenticating(
    headers: Iterable[tuple[str, str]], authentication: Authentication
) -> list[tuple[str, str]]:
    """Return those of *headers* that say whom a provider bills."""
    own = (authentication.name, *(header.name for header in authentication.optional_headers))
    names = _ACCOUNT_HEADERS.union(map(str.lower, own))
    return sorted((name.lower(), text) for name, text in headers if name.lower() in names)


class Endpoint(msgspec.Struct, frozen=True):
    """One provider as one client reaches it. `api_key` is `None` where none is needed or known."""

    provider: Provider
    base_url: str
    api_key: Optional[Secret]
    headers: tuple[tuple[str, str], ...]
    attempt_timeout_s: Optional[float]
    missing: Optional[str]  # why it cannot be asked, naming what to set
    account: Account = Account("", "")
    # What every request has in common, the key included; `None` where it has to be made anew.
    common_headers: Optional[CommonHeaders] = None

    def without_key(self) -> Endpoint:
        """Return the endpoint as one that asks for no key."""
        return replace(self, api_key=None, common_headers=None)

    def __repr__(self) -> str:
        return f"Endpoint({self.provider.name!r}, base_url={self.base_url!r})"

    def __rich_repr__(self) -> list[Any]:  # rich shows every field of a tuple otherwise
        return [self.provider.name, ("base_url", self.base_url)]


def key_headers(
    headers: Iterable[tuple[str, Optional[str]]], authentication: Authentication
) -> set[tuple[str, str]]:
    """Return those of *headers* that carry a key, names in lower case: they replace any other."""
    names = {authentication.name.lower(), "authorization"}
    lowered = ((name.lower(), text) for name, text in headers)
    return {(name, text) for name, text in lowered if name in names and text is not None}


def _key_of(provider: Provider, own: ProviderSettings) -> Optional[Secret]:
    if key_headers(own.headers, provider.authentication):
        return None
    if own.api_key is not None:
        key: Secret = own.api_key
        return key
    if provider.authentication.kind == "none":
        return None
    for variable in provider.authentication.env:
        value = environment_value(variable)
        if value is not None:
            return Secret(checked_header_value(value, variable))
    return None


def _has_key(provider: Provider, own: ProviderSettings) -> bool:
    """Return whether a key is configured, or a header that takes its place."""
    return own.api_key is not None or bool(key_headers(own.headers, provider.authentication))


def key_setting(provider: Provider, settings: Settings) -> Optional[str]:
    """Return the setting or variable that holds a model provider's key, `None` if none does.

    The ambient credentials of a cloud account (`AWS_ACCESS_KEY_ID` and the like) are none.
    """
    if settings.providers.get(provider.name, _NOTHING).api_key is not None:
        return f"providers[{provider.name!r}]['api_key']"
    variables = provider.authentication.env
    return next(
        (
            name
            for name in variables
            if not name.startswith(_AMBIENT_PREFIXES) and environment_value(name) is not None
        ),
        None,
    )


def has_own_address(provider: Provider, settings: Settings) -> bool:
    """Return whether a setting or a variable gives a provider another address than its manifest."""
    if settings.providers.get(provider.name, _NOTHING).base_url is not None:
        return True
    variable = provider.authentication.base_url_env
    return variable is not None and environment_value(variable) is not None


def has_access(provider: Provider, settings: Settings) -> bool:
    """Return whether a provider has a credential or an address of its own.

    A provider that needs no key, or takes the ambient credentials of a cloud account, has access
    where the settings name it: its variables and its default address may be there by chance.
    """
    own = settings.providers.get(provider.name, _NOTHING)
    if _has_key(provider, own) or key_setting(provider, settings) is not None:
        return True
    if own.base_url is not None:
        return True
    if needs_no_key(provider):
        return provider.name in _named(settings)
    return has_own_address(provider, settings)


def needs_no_key(provider: Provider) -> bool:
    """Return whether a provider is reached without a key of its own.

    It asks for none, or the environment holds ambient credentials that it takes.
    """
    authentication = provider.authentication
    return authentication.kind == "none" or any(
        name.startswith(_AMBIENT_PREFIXES) and environment_value(name) is not None
        for name in authentication.env
    )


def _named(settings: Settings) -> set[str]:
    """Return the providers that settings name."""
    fallbacks = settings.fallback_providers or (settings.fallback_provider,)
    return {settings.primary_provider, *settings.providers, *filter(None, fallbacks)}


def resolve_endpoint(provider: Provider, settings: Settings) -> Endpoint:
    """Return how *provider* is reached; `missing` says what to set where it cannot be.

    Raises:
        ConfigurationError: a key or an address in the environment cannot be one.
    """
    try:
        return _resolved_endpoint(provider, settings)
    except ConfigurationError as error:
        # The frames below hold the key: none of them in a traceback that shows locals.
        raise error.with_traceback(None) from None


def address_of(provider: Provider, own: ProviderSettings) -> str:
    """Return a provider's base URL: the setting's, else the environment's, else the manifest's.

    Raises:
        ConfigurationError: the environment's cannot be one.
    """
    if own.base_url is not None:
        return own.base_url
    variable = provider.authentication.base_url_env
    value = None if variable is None else environment_value(variable)
    if variable is None or value is None:
        return provider.base_url
    return checked_url(variable, value)


def _resolved_endpoint(provider: Provider, settings: Settings) -> Endpoint:
    own = settings.providers.get(provider.name, _NOTHING)
    authentication = provider.authentication
    base_url = address_of(provider, own)
    api_key = _key_of(provider, own)
    own_headers = tuple((name, text) for name, text in own.headers if text is not None)
    missing = None
    if api_key is None and authentication.kind != "none" and not _has_key(provider, own):
        variable = authentication.env[0] if authentication.env else None
        named = f"set {variable}, or " if variable else "give "
        missing = (
            f"no API key for {provider.name!r}: {named}providers[{provider.name!r}]['api_key']"
        )
    not_sent = {name.lower() for name, text in own.headers if text is None}
    fixed = authentication.headers.items()
    headers = [(name, text) for name, text in fixed if name.lower() not in not_sent]
    for header in authentication.optional_headers:
        if header.env is None or header.name.lower() in not_sent:
            continue
        value = environment_value(header.env)
        if value is not None:
            headers.append((header.name, checked_header_value(value, header.env)))
    key = None if api_key is None else api_key.identity()
    endpoint = Endpoint(
        provider=provider,
        base_url=base_url,
        api_key=api_key,
        headers=(*headers, *own_headers),
        account=Account(
            base_url,
            digest_of(key, _authenticating((*headers, *own_headers), authentication)),
            _health_settings(settings, own),
        ),
        attempt_timeout_s=own.timeout_seconds,
        missing=missing,
    )
    if api_key is None or api_key.is_text:
        endpoint = replace(endpoint, common_headers=CommonHeaders(_headers(endpoint)))
    return endpoint


def _health_settings(settings: Settings, own: ProviderSettings) -> HealthSettings:
    """Return the numbers of breaker and retry budget, a provider's own before the client's."""
    breaker = settings.breaker if own.breaker is None else own.breaker
    retry_budget = settings.retry_budget if own.retry_budget is None else own.retry_budget
    if breaker is True and retry_budget is True:
        return HealthSettings()
    return HealthSettings(
        (BreakerSettings() if breaker else None) if isinstance(breaker, bool) else breaker,
        (RetryBudgetSettings() if retry_budget else None)
        if isinstance(retry_budget, bool)
        else retry_budget,
    )


class Access:
    """What one client can reach, and how; looked up when it is first needed, then kept.

    May be shared by threads: what two of them look up at once is the same.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._endpoints: dict[str, Endpoint] = {}
        # Not `cached_property`: before Python 3.12 it holds a lock that all instances share, and
        # that a fork in another thread's look-up would leave held in the child.
        self._is_real: Optional[tuple[int, bool]] = None
        self._own_addresses: dict[str, bool] = {}
        self._transport_settings: Optional[TransportSettings] = None
        self._wire_limits: Optional[Limits] = None
        # For whoever finds a call's routes: the same model leads to the same ones.
        self.known_routes: dict[Any, Any] = {}

    def endpoint(self, provider: Provider) -> Endpoint:
        """Return how *provider* is reached.

        Raises:
            ConfigurationError: a key or an address in the environment cannot be one.
        """
        found = self._endpoints.get(provider.name)
        if found is None or found.provider is not provider:
            found = self._endpoints[provider.name] = resolve_endpoint(provider, self._settings)
        return found

    @property
    def is_real(self) -> bool:
        """Whether any provider has a credential or an address of its own."""
        registrations = capabilities.registrations()
        if self._is_real is None or self._is_real[0] != registrations:
            found = (capabilities.provider(name) for name in capabilities.list_providers())
            is_real = any(each is not None and has_access(each, self._settings) for each in found)
            self._is_real = registrations, is_real
        return self._is_real[1]

    def has_own_address(self, provider: Provider) -> bool:
        """Return whether a setting or a variable gives *provider* an address."""
        found = self._own_addresses.get(provider.name)
        if found is None:
            found = has_own_address(provider, self._settings)
            self._own_addresses[provider.name] = found
        return found

    @property
    def transport_settings(self) -> TransportSettings:
        """What the connections are made from."""
        if self._transport_settings is None:
            self._transport_settings = _transport_settings(self._settings)
        return self._transport_settings

    def wire_limits(self, connect_timeout_s: Optional[float] = None) -> Limits:
        """Return the bounds of every exchange, a call's own limit for connecting among them."""
        if self._wire_limits is None:
            settings = self._settings
            self._wire_limits = Limits(
                connect_timeout_s=settings.connect_timeout_seconds,
                max_reply_bytes=settings.max_reply_bytes,
                max_error_bytes=settings.max_error_bytes,
            )
        if connect_timeout_s is None:
            return self._wire_limits
        return replace(self._wire_limits, connect_timeout_s=connect_timeout_s)


def _transport_settings(settings: Settings) -> TransportSettings:
    proxies, no_proxy = environment_proxies()
    if settings.proxy is not None:
        proxies, no_proxy = (("all", settings.proxy),), ""
    ca_bundle = settings.ca_bundle
    if ca_bundle is None:
        ca_bundle = environment_value("SSL_CERT_FILE") or environment_value("SSL_CERT_DIR")
    return TransportSettings(
        proxies=proxies,
        no_proxy=no_proxy,
        ca_bundle=ca_bundle,
        max_connections=settings.max_connections,
        keepalive_s=settings.keepalive_seconds,
        library=library_for(settings.transport),
    )


def preview(endpoint: Endpoint, model: str) -> tuple[str, dict[str, str]]:
    """Return the URL and the headers of a request without its secrets."""
    request = wire_request(endpoint.without_key(), model, b"")
    own = {name.lower() for name, _ in endpoint.headers}
    manifest = {name.lower() for name in endpoint.provider.authentication.headers}
    return request.url, {
        name: REDACTED if name.lower() in own - manifest else text for name, text in request.headers
    }


def wire_request(
    endpoint: Endpoint,
    model: str,
    body: bytes,
    extra_headers: tuple[tuple[str, str], ...] = (),
    extra_query: Optional[Mapping[str, str]] = None,
) -> WireRequest:
    """Return the request that carries *body* to the endpoint, its key included."""
    authentication = endpoint.provider.authentication
    if extra_headers and key_headers(extra_headers, authentication):
        endpoint = endpoint.without_key()
    path = endpoint.provider.path
    if "{" in path:
        path = path.replace("{model}", quote(model, safe=""))
    url = endpoint.base_url + path
    headers: Optional[tuple[tuple[str, str], ...]] = endpoint.common_headers
    if headers is None or extra_headers:
        headers = _headers(endpoint, extra_headers)
    if extra_query or authentication.kind == "query":
        query = dict(extra_query or {})
        if endpoint.api_key is not None and authentication.kind == "query":
            query[authentication.name] = endpoint.api_key.reveal()
        if query:
            url += ("&" if "?" in url else "?") + urlencode(query)
    return WireRequest("POST", url, headers, body, endpoint.api_key is not None)


def _headers(
    endpoint: Endpoint, extra_headers: tuple[tuple[str, str], ...] = ()
) -> tuple[tuple[str, str], ...]:
    authentication = endpoint.provider.authentication
    headers: dict[str, tuple[str, str]] = {name: (name, text) for name, text in _STATIC_HEADERS}
    given: list[Any] = [*endpoint.headers, *extra_headers]
    if endpoint.api_key is not None and authentication.kind != "query":
        key = endpoint.api_key.reveal()
        given.insert(0, (authentication.name, authentication.prefix + key))
    for name, text in given:
        headers[name.lower()] = (name, text)
    return tuple(headers.values())


def digest_of(*secrets: Any) -> str:
    """Return what tells *secrets* from others and shows nothing of them; new in each process."""
    # Imported where it is used: it loads OpenSSL, which a client that makes no call can do without.
    import hashlib

    plain = [tuple(each) if isinstance(each, tuple) else each for each in secrets]
    text = repr(plain).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=12, key=_SALT).hexdigest()


class SecretsIn:
    """The texts of a request that no message may show: its key, and what was configured.

    Found when it is iterated: most replies are no errors.
    """

    __slots__ = ("_endpoint", "_request")

    def __init__(self, endpoint: Endpoint, request: WireRequest) -> None:
        self._endpoint = endpoint
        self._request = request

    def __iter__(self) -> Iterator[str]:
        authentication = self._endpoint.provider.authentication
        public = _STATIC_NAMES.union(map(str.lower, authentication.headers))
        for name, text in self._request.headers:
            if name.lower() in public or not text.strip():
                continue
            if name.lower() == authentication.name.lower():
                yield text.removeprefix(authentication.prefix)
            # The whole value, and what follows a scheme such as "Bearer".
            for each in {text, text.split()[-1]}:
                if len(each) >= MIN_SECRET_CHARACTERS:
                    yield each
        if authentication.kind == "query":
            query = urlsplit(self._request.url).query
            yield from parse_qs(query).get(authentication.name, ())

    def __repr__(self) -> str:
        return REDACTED
