"""`Client` and `AsyncClient`, with `chat.completions` as in the `openai` package."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Mapping
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Optional,
    TypeVar,
    Union,
    get_type_hints,
    overload,
)

from specado.calls.call import check_providers, planned
from specado.calls.driver import Driver
from specado.client_options import checked_keywords, merge_options, unknown_keyword
from specado.endpoints.access import Access
from specado.routing.candidates import configured_fallbacks
from specado.settings.client_settings import Settings, effective_settings
from specado.settings.parameters import OPTIONS, PARAMETERS, CompletionParams
from specado.settings.validators import HiddenArguments

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Literal

    from typing_extensions import Never, Self, Unpack

    from specado.calls.streams import AsyncStream, Stream
    from specado.routing.plan import PlannedCandidate
    from specado.settings.parameters import TimeoutParts
    from specado.types import ChatCompletionResponse, Message

    Messages = Union[str, Iterable[Union[Message, Mapping[str, Any]]]]

__all__ = ["AsyncClient", "Client"]


_SECRET = {"extra_headers", "extra_query"}
_KNOWN = PARAMETERS.keys() | OPTIONS.keys()
Method = TypeVar("Method", bound=Callable[..., Any])


def spelled_out(method: Method) -> Method:
    """Give *method* a signature with the completion parameters instead of `**params`."""
    signature = inspect.signature(method)
    shown = [each for each in signature.parameters.values() if each.kind is not each.VAR_KEYWORD]
    shown += [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Optional[type_],
        )
        for name, type_ in get_type_hints(CompletionParams).items()
    ]
    method.__signature__ = signature.replace(parameters=shown)  # type: ignore[attr-defined]
    return method


def without_unknown(method: Method) -> Method:
    """Give *method* a signature without `**unknown`, which exists only for helpful errors."""
    signature = inspect.signature(method)
    shown = [each for each in signature.parameters.values() if each.kind is not each.VAR_KEYWORD]
    method.__signature__ = signature.replace(parameters=shown)  # type: ignore[attr-defined]
    return method


class _Shared:
    """Base of a client and its namespaces: each does not change and is shared.

    It is therefore its own copy, as in a dataclass that `asdict` copies, or in a pydantic model
    that is copied deeply.
    """

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: Any) -> Self:
        return self


class _BaseClient(_Shared):
    """Base of `Client` and `AsyncClient`: settings, driver, `with_options`."""

    _settings = Settings()  # for the `repr` of a client whose `__init__` failed

    @without_unknown
    def __init__(
        self,
        config: Optional[Mapping[str, Any]] = None,
        *,
        api_key: Union[str, Callable[[], str], Callable[[], Awaitable[str]], None] = None,
        base_url: Optional[str] = None,
        timeout: Union[float, TimeoutParts, None] = None,
        max_retries: Optional[int] = None,
        http_client: Any = None,
        async_http_client: Any = None,
        **unknown: Never,
    ) -> None:
        given = HiddenArguments(
            config=config,
            keywords=HiddenArguments(
                api_key=api_key, base_url=base_url, timeout=timeout, max_retries=max_retries
            ),
            unknown=list(unknown),
        )
        # They hold keys: not in a traceback that shows locals.
        del config, api_key, base_url, unknown
        for name in given["unknown"]:
            unknown_keyword(type(self).__name__, name)
        self._http_client = http_client
        self._async_http_client = async_http_client
        self._configure(checked_keywords(given["config"], given["keywords"]))

    def _configure(self, given: HiddenArguments) -> None:
        """Apply the settings *given*, completed by the environment and the defaults."""
        self._given = given
        self._settings = effective_settings(given)
        check_providers(self._settings)
        self._driver = Driver(self._settings, Access(self._settings), *self._own_http_clients())

    def _own_http_clients(self) -> tuple[Any, Any]:
        """Return the caller's own HTTP clients for threads and for event loops."""
        return self._http_client, self._async_http_client

    def get_config(self, key: str) -> Optional[str]:
        """Return the effective value of a setting as text, `None` if it has none.

        Secrets are shown as `***`.
        """
        return self._settings.as_text(key)

    def config_keys(self) -> list[str]:
        """Return the names of the settings that have a value, defaults included."""
        return self._settings.keys()

    def with_options(self, **options: Any) -> Self:
        """Return a copy of the client with *options* changed; cheap, shares connections.

        Options are the client's keywords and its settings. One that is `None` goes back to the
        environment or the default. `providers` are merged deeply: what is absent is inherited,
        and `None` removes. A new key, in a header too, drops the inherited key and the inherited
        authorization, organisation and project headers.

        Raises:
            ConfigurationError: a value is wrong, a provider's setting is not known, or a provider
                gets another host without a key.
            TypeError: an option is not known; the nearest known one is named.
        """
        given = HiddenArguments(options)
        del options  # they may hold keys: not in a traceback that shows locals
        other = type(self).__new__(type(self))
        vars(other).update(vars(self))
        vars(other).pop("_chat", None)
        other._http_client = given.pop("http_client", self._http_client)
        other._async_http_client = given.pop("async_http_client", self._async_http_client)
        other._configure(merge_options(self._given, given))
        return other

    def close(self) -> None:
        """Do nothing: connections belong to the process (see `specado.shutdown`)."""

    async def aclose(self) -> None:
        """Do nothing, as `close`."""

    def __repr__(self) -> str:
        names = [self._settings.primary_provider]
        if self._settings.enable_fallback:
            names += configured_fallbacks(self._settings)
        return f"{type(self).__name__}(providers={list(dict.fromkeys(names))!r})"

    def __reduce__(self) -> Any:
        raise TypeError(
            f"a {type(self).__name__} holds keys and is not pickled: make one in the other process"
        )


class Client(_BaseClient):
    """Client for all providers, with retry and fallback.

    Cheap to make, safe to share between threads and event loops; the process shares the
    connections.

    Args:
        config: settings by name; the documentation ("Configuration") lists them.
        api_key: the primary provider's key, or a callable that gives it.
        base_url: the primary provider's address.
        timeout: deadline of a whole call in seconds, or an `httpx.Timeout` whose `connect` and
            `read` are the limits for connecting and between two events of a stream.
        max_retries: retries of one candidate.
        http_client: an `httpx.Client` of your own to send through.
        async_http_client: an `httpx.AsyncClient` of your own for `create_async`.

    Raises:
        ConfigurationError: a setting has a wrong type or range.
        TypeError: a keyword is not known.
    """

    _chat: Optional[Chat] = None

    @property
    def chat(self) -> Chat:
        """The chat namespace, as in the `openai` package."""
        if self._chat is None:
            self._chat = Chat(self._driver)
        return self._chat

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()


class AsyncClient(_BaseClient):
    """Asynchronous client for all providers: `chat.completions.create` is a coroutine.

    Args:
        config: settings by name; the documentation ("Configuration") lists them.
        api_key: the primary provider's key, or a callable (async or not) that gives it.
        base_url: the primary provider's address.
        timeout: deadline of a whole call in seconds, or an `httpx.Timeout` whose `connect` and
            `read` are the limits for connecting and between two events of a stream.
        max_retries: retries of one candidate.
        http_client: an `httpx.AsyncClient` of your own to send through.
        async_http_client: the same under the name that `Client` has for it.

    Raises:
        ConfigurationError: a setting has a wrong type or range.
        TypeError: a keyword is not known.
    """

    _chat: Optional[AsyncChat] = None

    @property
    def chat(self) -> AsyncChat:
        """The chat namespace, as in the `openai` package."""
        if self._chat is None:
            self._chat = AsyncChat(self._driver)
        return self._chat

    def _own_http_clients(self) -> tuple[Any, Any]:
        own = self._async_http_client if self._http_client is None else self._http_client
        return None, own

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()


class Chat(_Shared):
    """`client.chat`; `completions` is its one namespace."""

    def __init__(self, driver: Driver) -> None:
        self.completions = Completions(driver)


class AsyncChat(_Shared):
    """`client.chat` of an `AsyncClient`; `completions` is its one namespace."""

    def __init__(self, driver: Driver) -> None:
        self.completions = AsyncCompletions(driver)


def _given(
    temperature: Optional[float],
    max_tokens: Optional[int],
    stream: Any,
    params: Any,
) -> dict[str, Any]:
    """Return the parameters of a call by name; `stream=False`, the default, is left out.

    Arguments that may hold a key are wrapped, in *params* too: a traceback may show locals.
    """
    if params:
        for name in _SECRET.intersection(params):
            if isinstance(params[name], Mapping):
                params[name] = HiddenArguments(params[name])
        for name in params.keys() - _KNOWN:  # an unknown name, which is refused later
            params[name] = None
    stream = None if stream is False else stream
    if temperature is None and max_tokens is None and stream is None:
        return params  # type: ignore[no-any-return]
    return {"temperature": temperature, "max_tokens": max_tokens, "stream": stream, **params}


class _Completions(_Shared):
    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    @spelled_out
    def plan(
        self,
        model: str,
        messages: Messages,
        temperature: Optional[float] = None,
        max_tokens: Optional[int] = None,
        *,
        stream: Optional[bool] = False,
        **params: Unpack[CompletionParams],
    ) -> list[PlannedCandidate]:
        """Return the candidates of a call in order, with reasons why one is not eligible (dry run).

        Arguments and errors are those of `create`, but a candidate that cannot be asked raises
        nothing: its `reasons` say why.
        """
        given = _given(temperature, max_tokens, stream, params)
        return planned(self._driver.settings, self._driver.access, model, messages, given)


class Completions(_Completions):
    """`client.chat.completions`: `create`, `create_async` and `plan`."""

    @overload
    def create(
        self,
        model: str,
        messages: Messages,
        temperature: Optional[float] = None,
        max_tokens: Optional[int] = None,
        *,
        stream: Optional[Literal[False]] = False,
        **params: Unpack[CompletionParams],
    ) -> ChatCompletionResponse: ...

    @overload
    def create(
        self,
        model: str,
        messages: Messages,
        temperature: Optional[float] = None,
        max_tokens: Optional[int] = None,
        *,
        stream: Literal[True],
        **params: Unpack[CompletionParams],
    ) -> Stream: ...

    @overload
    def create(
        self,
        model: str,
        messages: Messages,
        temperature: Optional[float] = None,
        max_tokens: Optional[int] = None,
        *,
        stream: bool,
        **params: Unpack[CompletionParams],
    ) -> ChatCompletionResponse | Stream: ...

    @spelled_out
    def create(
        self,
        model: str,
        messages: Messages,
        temperature: Optional[float] = None,
        max_tokens: Optional[int] = None,
        *,
        stream: Optional[bool] = False,
        **params: Unpack[CompletionParams],
    ) -> ChatCompletionResponse | Stream:
        """Create a chat completion and return the reply, or a stream with `stream=True`.

        Args:
            model: the model's id, with or without its provider (`anthropic/claude-opus-4-5`).
            messages: `Message`s, dicts in OpenAI's shape, or one string as the user's turn.
            temperature: randomness, from 0 to 2 (1 is Anthropic's highest).
            max_tokens: the most tokens to generate.
            stream: give a `Stream` of chunks instead, as soon as the first content has come.
            **params: OpenAI's parameters, and options of the call (`timeout_seconds`,
                `max_retries`, `strictness`, `fallback_models`, `extra_headers`, …).

        Raises:
            ProviderError: no candidate gave a reply; each class calls for another reaction.
            ConfigurationError: a setting is wrong, or the first candidate has no key.
            LossyTranslationError: `strictness` refuses what every candidate would lose.
            MessageFormatError: the messages or a parameter are not well formed.
            TypeError: a parameter is not known.
        """
        given = _given(temperature, max_tokens, stream, params)
        return self._driver.run(model, messages, given)

    @overload
    async def create_async(
        self,
        model: str,
        messages: Messages,
        temperature: Optional[float] = None,
        max_tokens: Optional[int] = None,
        *,
        stream: Optional[Literal[False]] = False,
        **params: Unpack[CompletionParams],
    ) -> ChatCompletionResponse: ...

    @overload
    async def create_async(
        self,
        model: str,
        messages: Messages,
        temperature: Optional[float] = None,
        max_tokens: Optional[int] = None,
        *,
        stream: Literal[True],
        **params: Unpack[CompletionParams],
    ) -> AsyncStream: ...

    @overload
    async def create_async(
        self,
        model: str,
        messages: Messages,
        temperature: Optional[float] = None,
        max_tokens: Optional[int] = None,
        *,
        stream: bool,
        **params: Unpack[CompletionParams],
    ) -> ChatCompletionResponse | AsyncStream: ...

    @spelled_out
    async def create_async(
        self,
        model: str,
        messages: Messages,
        temperature: Optional[float] = None,
        max_tokens: Optional[int] = None,
        *,
        stream: Optional[bool] = False,
        **params: Unpack[CompletionParams],
    ) -> ChatCompletionResponse | AsyncStream:
        """Create a chat completion without blocking the event loop; otherwise as `create`."""
        given = _given(temperature, max_tokens, stream, params)
        return await self._driver.run_async(model, messages, given)


class AsyncCompletions(_Completions):
    """`client.chat.completions` of an `AsyncClient`: `create` and `plan`."""

    @overload
    async def create(
        self,
        model: str,
        messages: Messages,
        temperature: Optional[float] = None,
        max_tokens: Optional[int] = None,
        *,
        stream: Optional[Literal[False]] = False,
        **params: Unpack[CompletionParams],
    ) -> ChatCompletionResponse: ...

    @overload
    async def create(
        self,
        model: str,
        messages: Messages,
        temperature: Optional[float] = None,
        max_tokens: Optional[int] = None,
        *,
        stream: Literal[True],
        **params: Unpack[CompletionParams],
    ) -> AsyncStream: ...

    @overload
    async def create(
        self,
        model: str,
        messages: Messages,
        temperature: Optional[float] = None,
        max_tokens: Optional[int] = None,
        *,
        stream: bool,
        **params: Unpack[CompletionParams],
    ) -> ChatCompletionResponse | AsyncStream: ...

    @spelled_out
    async def create(
        self,
        model: str,
        messages: Messages,
        temperature: Optional[float] = None,
        max_tokens: Optional[int] = None,
        *,
        stream: Optional[bool] = False,
        **params: Unpack[CompletionParams],
    ) -> ChatCompletionResponse | AsyncStream:
        """Create a chat completion; arguments and errors are those of `Completions.create`."""
        given = _given(temperature, max_tokens, stream, params)
        return await self._driver.run_async(model, messages, given)

    create_async = create
