"""Resolves a provider's URL, credentials and headers from manifest, settings and environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from msgspec.structs import replace

from specado.catalog import lookup as catalog
from specado.catalog.lookup import NO_HOST
from specado.endpoints.account import Account, authenticating, digest_of
from specado.endpoints.authentication import flow_of, key_headers, needs_key, takes_tokens
from specado.endpoints.endpoint import Endpoint
from specado.endpoints.request import request_headers
from specado.errors import ConfigurationError
from specado.settings.aws_credentials import VARIABLES as AWS_VARIABLES
from specado.settings.aws_credentials import default_aws_source, has_botocore
from specado.settings.client_settings import (
    BreakerSettings,
    HealthSettings,
    ProviderSettings,
    RetryBudgetSettings,
    Settings,
    environment_proxies,
    environment_value,
)
from specado.settings.google_tokens import default_google_tokens, has_google_auth
from specado.settings.secrets import Secret
from specado.settings.validators import (
    api_version,
    checked_header_value,
    checked_url,
    cloud_location,
    cloud_project,
)
from specado.transport import (
    CommonHeaders,
    Limits,
    TransportSettings,
    library_for,
)

if TYPE_CHECKING:
    from specado.catalog.lookup import CloudAddress, Provider, ProviderOutline

__all__ = [
    "Access",
    "address_of",
    "has_access",
    "has_own_address",
    "key_setting",
    "needs_no_key",
    "resolve_endpoint",
]


# Ambient credentials of a cloud account. Other programs use them too, so they do not show that the
# user wants to call a model.
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


def _key_of(provider: Provider, own: ProviderSettings) -> tuple[Optional[Secret], bool]:
    """Return the key of a provider, and whether it is a cloud's credentials."""
    if key_headers(own.headers, provider.authentication):
        return None, False
    has_tokens = takes_tokens(provider.authentication)
    if own.credentials is not None:
        return own.credentials, True
    if own.api_key is not None:
        key: Secret = own.api_key
        # Keys do not change where there are tokens: a callable returns an access token.
        return key, has_tokens and not key.is_text
    tokens = provider.authentication.token_env
    for variable in (*tokens, *provider.authentication.env):
        value = environment_value(variable)
        if value is not None:
            return Secret(checked_header_value(value, variable)), variable in tokens
    if provider.authentication.kind == "google" and has_google_auth():
        return Secret(default_google_tokens, "credentials"), True
    if provider.authentication.kind == "aws":
        found = _aws_credentials()
        return found, found is not None
    return None, False


def _aws_credentials() -> Optional[Secret]:
    """Return the credentials of AWS in the environment, else those that botocore finds."""
    access_key_id, secret, token = map(environment_value, AWS_VARIABLES)
    if access_key_id is not None and secret is not None:
        text = ":".join(filter(None, (access_key_id, secret, token)))
        return Secret(checked_header_value(text, AWS_VARIABLES[0]), "credentials")
    return Secret(default_aws_source, "credentials") if has_botocore() else None


def _has_key(provider: Provider | ProviderOutline, own: ProviderSettings) -> bool:
    """Return whether a key is configured, or a header that replaces it."""
    return (
        own.api_key is not None
        or own.credentials is not None
        or bool(key_headers(own.headers, provider.authentication))
    )


def key_setting(provider: Provider | ProviderOutline, settings: Settings) -> Optional[str]:
    """Return the name of the setting or variable that holds a provider's key, `None` without one.

    Ambient credentials of a cloud account (`AWS_ACCESS_KEY_ID` and the like) do not count.
    """
    own = settings.providers.get(provider.name, _NOTHING)
    for name in ("api_key", "credentials"):
        if getattr(own, name) is not None:
            return f"providers[{provider.name!r}][{name!r}]"
    variables = (*provider.authentication.token_env, *provider.authentication.env)
    return next(
        (
            name
            for name in variables
            if not name.startswith(_AMBIENT_PREFIXES) and environment_value(name) is not None
        ),
        None,
    )


def has_own_address(provider: Provider | ProviderOutline, settings: Settings) -> bool:
    """Return whether a setting or a variable overrides the provider's base URL."""
    if settings.providers.get(provider.name, _NOTHING).base_url is not None:
        return True
    return _address_variable(provider) is not None


def _address_variable(provider: Provider | ProviderOutline) -> Optional[str]:
    """Return the variable that gives the provider's base URL or its host, `None` without one."""
    authentication = provider.authentication
    for variable in (authentication.base_url_env, authentication.host_env):
        if variable is not None and environment_value(variable) is not None:
            return variable
    return None


def has_access(provider: Provider | ProviderOutline, settings: Settings) -> bool:
    """Return whether a provider has a configured credential or a configured base URL.

    A provider that needs no key, or takes the ambient credentials of a cloud account, counts only
    if the settings name it: its variables and its default address may exist by chance. So may an
    address in a variable that belongs to such an account.
    """
    own = settings.providers.get(provider.name, _NOTHING)
    if _has_key(provider, own) or key_setting(provider, settings) is not None:
        return True
    if own.base_url is not None:
        return True
    if needs_no_key(provider):
        return provider.name in _named(settings)
    variable = _address_variable(provider)
    return variable is not None and not variable.startswith(_AMBIENT_PREFIXES)


def needs_no_key(provider: Provider | ProviderOutline) -> bool:
    """Return whether a provider can be called without a configured key.

    It requires none, or the environment holds ambient credentials that it accepts.
    """
    authentication = provider.authentication
    ambient = [name for name in authentication.env if name.startswith(_AMBIENT_PREFIXES)]
    return not needs_key(authentication) or any(
        environment_value(name) is not None for name in (*ambient, *authentication.ambient_env)
    )


def _named(settings: Settings) -> set[str]:
    """Return the names of the providers in the settings."""
    fallbacks = settings.fallback_providers or (settings.fallback_provider,)
    return {settings.primary_provider, *settings.providers, *filter(None, fallbacks)}


def resolve_endpoint(provider: Provider, settings: Settings) -> Endpoint:
    """Return the endpoint of *provider*; without a key its `missing` says what to set.

    Raises:
        ConfigurationError: a key or a base URL in the environment is malformed.
    """
    try:
        return _resolved_endpoint(provider, settings)
    except ConfigurationError as error:
        # The inner frames hold the key: keep them out of tracebacks that show locals.
        raise error.with_traceback(None) from None


def address_of(provider: Provider, own: ProviderSettings) -> str:
    """Return a provider's base URL: the setting's, else the environment's, else the manifest's.

    Raises:
        ConfigurationError: the environment's value is malformed.
    """
    address = _given_address(provider, own)
    # A given URL may end with what the paths of the manifest have themselves.
    end = next(filter(address.endswith, provider.left_out), "")
    return address[: len(address) - len(end)]


def _given_address(provider: Provider, own: ProviderSettings) -> str:
    if own.base_url is not None:
        return own.base_url
    variable = _address_variable(provider)
    if variable is not None:
        value = environment_value(variable) or ""
        if variable == provider.authentication.host_env:
            return _at_host(provider.base_url, variable, value)
        return checked_url(variable, value)
    location = None if provider.cloud is None else _location_of(provider.cloud, own)
    if provider.cloud is None or location is None:
        return provider.base_url
    return provider.cloud.base_url(location)


def _at_host(base_url: str, variable: str, value: str) -> str:
    """Return *base_url* at the host that a variable names, with its own scheme, port and prefix.

    What the variable leaves out is as in *base_url*.
    """
    scheme, _, rest = base_url.partition("://")
    default, _, path = rest.partition("/")
    _, colon, port = default.partition(":")
    text = value.strip()
    if "://" not in text:
        if text.startswith(":"):  # a port alone
            text = f"127.0.0.1{text}"
        host, slash, prefix = text.partition("/")
        has_port = ":" in host.rpartition("]")[2]
        text = f"{scheme}://{host}{'' if has_port else colon + port}{slash}{prefix}"
    # Where a server listens on all addresses, it is reached at this one.
    url = checked_url(variable, text.replace("://0.0.0.0", "://127.0.0.1", 1))
    return url if not path or url.endswith(f"/{path}") else f"{url}/{path}"


def _location_of(cloud: CloudAddress, own: ProviderSettings) -> Optional[str]:
    """Return the location: the setting's, else the environment's, else the manifest's."""
    if own.location is not None:
        return own.location
    for variable in cloud.location_env:
        value = environment_value(variable)
        if value is not None:
            return cloud_location(variable, value)
    return cloud.default_location


def _region_of(provider: Provider, settings: Settings, base_url: str) -> Optional[str]:
    """Return the location of a provider in a cloud, also by the host of an address of its own."""
    if provider.cloud is None:
        return None
    found = _location_of(provider.cloud, settings.providers.get(provider.name, _NOTHING))
    if found is None and has_own_address(provider, settings):
        return provider.cloud.location_at(base_url)
    return found


def _project_of(cloud: CloudAddress, own: ProviderSettings) -> Optional[str]:
    """Return the cloud project: the setting's, else the environment's, `None` without one."""
    if own.project is not None:
        return own.project
    for variable in cloud.project_env:
        value = environment_value(variable)
        if value is not None:
            return cloud_project(variable, value)
    return None


def _parent_of(provider: Provider, own: ProviderSettings, *, is_by_key: bool) -> Optional[str]:
    """Return the path of the cloud project and location, `None` if no project is set.

    The path is empty for a provider without a cloud's projects, and with an API key, which belongs
    to one project.
    """
    if provider.cloud is None or not provider.cloud.project_env or is_by_key:
        return ""
    project = _project_of(provider.cloud, own)
    if project is None:
        return None
    return f"/projects/{project}/locations/{_location_of(provider.cloud, own)}"


def _refuse_cloud_settings(provider: Provider, own: ProviderSettings) -> None:
    """Raise if a provider that is not in a cloud has cloud settings."""
    names = [] if provider.cloud else ["location"]
    if provider.cloud is None or not provider.cloud.project_env:
        names.append("project")
    if not takes_tokens(provider.authentication) and provider.authentication.kind != "aws":
        names.append("credentials")
    if provider.version_parameter is None:
        names.append("api_version")
    for name in names:
        if getattr(own, name) is not None:
            key = f"providers[{provider.name!r}][{name!r}]"
            hint = ""
            for header in provider.authentication.optional_headers:
                if header.name.lower().endswith(f"-{name}"):
                    hint = f": write 'headers': {{{header.name!r}: …}}"
            raise ConfigurationError(
                f"{key} is not a setting of this provider, only of one in a cloud{hint}", key=key
            )


def _api_version_of(provider: Provider, own: ProviderSettings) -> str:
    """Return the version of the API that requests name: the setting's, else the environment's."""
    if own.api_version is not None:
        return own.api_version
    for variable in provider.version_env:
        value = environment_value(variable)
        if value is not None:
            return api_version(variable, value)
    return ""


def _missing(
    provider: Provider,
    base_url: str,
    *,
    has_key: bool,
    is_token: bool,
    parent: Optional[str],
    location: Optional[str],
) -> Optional[str]:
    """Return why a provider cannot be called and what to set, `None` if it can be."""
    name, authentication = provider.name, provider.authentication
    if NO_HOST in base_url:
        known = filter(None, (authentication.host_env, authentication.base_url_env))
        variables = " or ".join(known)
        named = f"set {variables}, or " if variables else "give "
        return f"no address for {name!r}: {named}providers[{name!r}]['base_url']"
    if not has_key and needs_key(authentication):
        variables = " or ".join(authentication.env)
        named = f"set {variables}, or " if variables else "give "
        text = f"no API key for {name!r}: {named}providers[{name!r}]['api_key']"
        if takes_tokens(authentication):
            text += f"; or, for access tokens, providers[{name!r}]['credentials']"
        if authentication.kind == "google":
            text += ', or pip install "specado[vertex]" for the application default credentials'
        if authentication.kind == "aws":
            text += (
                f"; or, to sign requests, {' and '.join(AWS_VARIABLES[:2])} or "
                f"providers[{name!r}]['credentials'], or pip install \"specado[bedrock]\" for "
                "profiles, SSO and roles"
            )
        return text
    if provider.cloud is not None and location is None:
        variables = " or ".join(provider.cloud.location_env)
        return f"no region for {name!r}: set {variables}, or providers[{name!r}]['location']"
    if is_token and parent is None and provider.cloud is not None:
        variables = " or ".join(provider.cloud.project_env)
        named = f"set {variables}, or " if variables else "give "
        return f"no project for {name!r}: {named}providers[{name!r}]['project']"
    return None


def _resolved_endpoint(provider: Provider, settings: Settings) -> Endpoint:
    own = settings.providers.get(provider.name, _NOTHING)
    authentication = provider.authentication
    _refuse_cloud_settings(provider, own)
    base_url = address_of(provider, own)
    api_key, is_token = _key_of(provider, own)
    in_headers = {name for name, _ in key_headers(own.headers, authentication)}
    is_by_key = authentication.name.lower() in in_headers or (api_key is not None and not is_token)
    parent = _parent_of(provider, own, is_by_key=is_by_key)
    headers = (*_headers_of(provider, own), *_sent_headers(own))
    key = None if api_key is None else api_key.identity()
    location = _region_of(provider, settings, base_url)
    flow = flow_of(authentication, api_key, is_token=is_token, region=location or "")
    account = authenticating(headers, authentication)
    # A cloud's quotas belong to the project.
    digest = digest_of(key, account, parent) if parent else digest_of(key, account)
    endpoint = Endpoint(
        provider=provider,
        base_url=base_url,
        flow=flow,
        headers=headers,
        account=Account(base_url, digest, _health_settings(settings, own)),
        attempt_timeout_s=own.timeout_seconds,
        missing=_missing(
            provider,
            base_url,
            has_key=api_key is not None or _has_key(provider, own),
            is_token=is_token and not has_own_address(provider, settings),
            parent=parent,
            location="" if has_own_address(provider, settings) and not is_token else location,
        ),
        request_rules=provider.rules_at(base_url),
        parent=parent or "",
        api_version=_api_version_of(provider, own),
    )
    return replace(
        endpoint,
        common_headers=CommonHeaders(request_headers(endpoint)),
        has_key=api_key is not None,
        authenticates_each=flow.common_headers is None,
        key_callable=None if api_key is None or api_key.is_text else api_key,
    )


def _headers_of(provider: Provider, own: ProviderSettings) -> list[tuple[str, str]]:
    """Return the headers of the manifest and the environment that the settings do not remove."""
    authentication = provider.authentication
    not_sent = {name.lower() for name, text in own.headers if text is None}
    fixed = authentication.headers.items()
    headers = [(name, text) for name, text in fixed if name.lower() not in not_sent]
    for header in authentication.optional_headers:
        if header.env is None or header.name.lower() in not_sent:
            continue
        value = environment_value(header.env)
        if value is not None:
            headers.append((header.name, checked_header_value(value, header.env)))
    return headers


def _sent_headers(own: ProviderSettings) -> list[tuple[str, str]]:
    """Return the headers of the settings without those that are not to be sent."""
    return [(name, text) for name, text in own.headers if text is not None]


def _health_settings(settings: Settings, own: ProviderSettings) -> HealthSettings:
    """Return the settings of breaker and retry budget: the provider's, else the client's."""
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


def _is_real(settings: Settings) -> bool:
    """Return whether any provider has a configured credential or base URL.

    The primary one comes first: with a key for it no other is looked at.
    """
    primary = catalog.provider(settings.primary_provider)
    if primary is not None and has_access(primary, settings):
        return True
    return any(has_access(each, settings) for each in catalog.outlines())


class Access:
    """Endpoints, transport settings and limits of one client, resolved lazily and cached.

    Safe between threads: two that resolve the same thing at once get equal results.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._endpoints: dict[str, Endpoint] = {}
        # Not `cached_property`: before Python 3.12 it has a lock that all instances share. A fork
        # during another thread's lookup would leave the lock held in the child.
        self._is_real: Optional[tuple[int, bool]] = None
        self._own_addresses: dict[str, bool] = {}
        self._transport_settings: Optional[TransportSettings] = None
        self._wire_limits: Optional[Limits] = None
        # Cache of the routes of a model, filled by `routing.plan`.
        self.known_routes: dict[Any, Any] = {}

    def endpoint(self, provider: Provider) -> Endpoint:
        """Return the endpoint of *provider*.

        Raises:
            ConfigurationError: a key or a base URL in the environment is malformed.
        """
        found = self._endpoints.get(provider.name)
        if found is None or found.provider is not provider:
            found = self._endpoints[provider.name] = resolve_endpoint(provider, self._settings)
        return found

    @property
    def is_real(self) -> bool:
        """True if any provider has a configured credential or base URL."""
        registrations = catalog.registrations()
        if self._is_real is None or self._is_real[0] != registrations:
            self._is_real = registrations, _is_real(self._settings)
        return self._is_real[1]

    def has_own_address(self, provider: Provider | ProviderOutline) -> bool:
        """Return whether a setting or a variable overrides the base URL of *provider*."""
        found = self._own_addresses.get(provider.name)
        if found is None:
            found = has_own_address(provider, self._settings)
            self._own_addresses[provider.name] = found
        return found

    def own_dialects(self, provider: Provider) -> Optional[tuple[str, ...]]:
        """Return the names in the setting `providers[…]["dialects"]`, `None` without one."""
        return self._settings.providers.get(provider.name, _NOTHING).dialects

    @property
    def transport_settings(self) -> TransportSettings:
        """Settings of the connection pool."""
        if self._transport_settings is None:
            self._transport_settings = _transport_settings(self._settings)
        return self._transport_settings

    def wire_limits(self, connect_timeout_s: Optional[float] = None) -> Limits:
        """Return the size and time limits of a request, with a call's own connect time-out."""
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
    if ca_bundle is None and settings.ssl_context is None:
        ca_bundle = environment_value("SSL_CERT_FILE") or environment_value("SSL_CERT_DIR")
    return TransportSettings(
        proxies=proxies,
        no_proxy=no_proxy,
        ca_bundle=ca_bundle,
        max_connections=settings.max_connections,
        keepalive_s=settings.keepalive_seconds,
        library=library_for(settings.transport),
        client_certificate=settings.client_certificate,
        ssl_context=settings.ssl_context,
    )
