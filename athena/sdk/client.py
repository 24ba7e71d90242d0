"""The one HTTP client of Athena's API: synchronous, thread-safe, contract models out, ``athena.errors`` raised."""

import weakref
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Self, TypeVar, cast, overload

import httpx
from pydantic import TypeAdapter, ValidationError

from athena import __version__
from athena.contract.base import Problem, Wire
from athena.contract.events import Event, EventPage
from athena.errors import AthenaError, Invalid, Unavailable, by_code

T = TypeVar("T")
W = TypeVar("W", bound=Wire)
Query = Mapping[str, str | int | float | bool | Sequence[str] | None]

TIMEOUT_S = 60.0
POLL_WAIT_S = 25.0
"""How long one request for events waits at the API. Proxies tend to cut requests after 30 or 60 s."""
CONNECTIONS = 32
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
CODE_BY_STATUS = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    413: "too_large",
    422: "invalid",
}
"""For error answers that are no Problem (a proxy's, say)."""


class Client:
    """Requests to one instance on behalf of one token.

    Paths are those of the API, ``/api/runs/…``; the ``/api`` may be left out. Every method raises the class of
    ``athena.errors`` that the API answered with, and Unavailable when it does not answer at all. It can be pickled (a
    Dask worker opens its own connections).

    Parameters
    ----------
    url : address of the API, with or without ``/api``.
    token : bearer token; empty for the open health route alone.
    """

    def __init__(self, url: str, token: str = "", *, timeout: float = TIMEOUT_S) -> None:
        self.url = url.rstrip("/").removesuffix("/api")
        self._token = token
        self._timeout = timeout
        headers = {"User-Agent": f"athena-sdk/{__version__}"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._http = httpx.Client(
            base_url=f"{self.url}/api/",
            headers=headers,
            timeout=httpx.Timeout(timeout, connect=10.0),
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            # an instance on this machine is never behind the site's proxy, whatever HTTP_PROXY says
            trust_env=httpx.URL(self.url).host not in LOOPBACK,
        )

        # copies that Dask or a store unpickled are closed by nobody
        weakref.finalize(self, self._http.close)

    def __repr__(self) -> str:
        return f"Client({self.url!r})"  # never the token: notebooks are shared

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Client) and (self.url, self._token) == (other.url, other._token)

    def __hash__(self) -> int:
        return hash((self.url, self._token))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.url, self._token)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def environment(self) -> dict[str, str]:
        """Variables that let a process of one's own ``athena.connect()`` as this client. They hold the token."""
        return {"ATHENA_URL": self.url, "ATHENA_TOKEN": self._token}

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    @overload
    def get(self, path: str, model: type[T], *, params: Query | None = None) -> T: ...
    @overload
    def get(self, path: str, model: None, *, params: Query | None = None) -> None: ...
    def get(self, path: str, model: type[T] | None, *, params: Query | None = None) -> T | None:
        """``GET`` into a contract model (or ``list`` or ``tuple`` of one)."""
        return _parsed(self._send("GET", path, params=params), model)

    @overload
    def post(self, path: str, body: Wire | None, model: type[T]) -> T: ...
    @overload
    def post(self, path: str, body: Wire | None, model: None) -> None: ...
    def post(self, path: str, body: Wire | None, model: type[T] | None) -> T | None:
        """``POST`` a contract model; what comes back as another."""
        return _parsed(self._send("POST", path, body=body), model)

    @overload
    def put(self, path: str, body: Wire | None, model: type[T]) -> T: ...
    @overload
    def put(self, path: str, body: Wire | None, model: None) -> None: ...
    def put(self, path: str, body: Wire | None, model: type[T] | None) -> T | None:
        """``PUT`` a contract model; what comes back as another."""
        return _parsed(self._send("PUT", path, body=body), model)

    @overload
    def patch(self, path: str, body: Wire | None, model: type[T]) -> T: ...
    @overload
    def patch(self, path: str, body: Wire | None, model: None) -> None: ...
    def patch(self, path: str, body: Wire | None, model: type[T] | None) -> T | None:
        """``PATCH`` with a contract model; what comes back as another."""
        return _parsed(self._send("PATCH", path, body=body), model)

    @overload
    def delete(self, path: str, model: type[T], *, params: Query | None = None) -> T: ...
    @overload
    def delete(self, path: str, model: None = None, *, params: Query | None = None) -> None: ...
    def delete(self, path: str, model: type[T] | None = None, *, params: Query | None = None) -> T | None:
        """``DELETE``; what comes back as a contract model, if anything."""
        return _parsed(self._send("DELETE", path, params=params), model)

    def get_bytes(self, path: str, *, params: Query | None = None) -> bytes:
        """``GET`` a picture or any other body as it is."""
        return self._send("GET", path, params=params).content

    def exchange(
        self, method: str, path: str, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """One exchange, answer as it comes: (status, headers, body).

        Absence (404) and range answers (206, 416) are the caller's to read; any other error is raised.
        """
        answer = self._request(method, path, headers=dict(headers or {}))
        if answer.is_error and answer.status_code not in (404, 416):
            raise _error(answer)
        return answer.status_code, answer.headers, answer.content

    def send(
        self, method: str, path: str, *, headers: Mapping[str, str], content: bytes | Iterable[bytes] | None = None
    ) -> Mapping[str, str]:
        """One exchange with a body of bytes (in pieces: say its Content-Length); gives the headers of the answer."""
        answer = self._request(method, path, headers=headers, content=content)
        if answer.is_error:
            raise _error(answer)
        return answer.headers

    @contextmanager
    def stream(
        self, path: str, *, params: Any = None, headers: Mapping[str, str] | None = None
    ) -> Iterator[httpx.Response]:
        """``GET`` an answer that is read piece by piece, with ``iter_bytes`` or ``iter_raw``."""
        place = path.lstrip("/").removeprefix("api/")
        try:
            with self._http.stream("GET", place, params=params, headers=dict(headers or {})) as answer:
                if answer.is_error:
                    answer.read()
                    raise _error(answer)
                yield answer
        except httpx.TransportError as problem:
            raise Unavailable(f"Athena at {self.url} stopped answering ({problem}).", hint="Try again.") from problem

    def events(self, after: int = -1, *, wait: float = 0.0) -> EventPage:
        """Events after a number; with ``wait`` (s) the API answers as soon as there is one.

        ``after=-1`` gives no events, only the number to go on from.
        """
        params = {"after": after, "wait": wait}
        answer = self._send("GET", "/events", params=params, timeout=self._timeout + wait)
        return _parsed(answer, EventPage)

    def follow(self, after: int = -1, *, wait: float = POLL_WAIT_S) -> Iterator[tuple[Event, ...]]:
        """Give the events page by page without end, by long poll; an empty page when a wait ended without news."""
        if after < 0:
            after = self.events(-1).last_seq
        while True:
            page = self.events(after, wait=wait)
            after = page.last_seq
            yield page.events

    def _send(
        self,
        method: str,
        path: str,
        *,
        params: Query | None = None,
        body: Wire | None = None,
        timeout: float | None = None,
    ) -> httpx.Response:
        headers, content = {}, None
        if body is not None:
            headers["Content-Type"] = "application/json"
            # only what was said: a patch that leaves a field out must not set it to its default
            content = body.model_dump_json(exclude_unset=method == "PATCH").encode()
        answer = self._request(method, path, headers=headers, params=params, content=content, timeout=timeout)
        if answer.is_error:
            raise _error(answer)
        return answer

    def _request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        params: Query | None = None,
        content: bytes | Iterable[bytes] | None = None,
        timeout: float | None = None,
    ) -> httpx.Response:
        given = {key: value for key, value in (params or {}).items() if value is not None}
        try:
            return self._http.request(
                method,
                path.lstrip("/").removeprefix("api/"),
                headers=dict(headers),
                params=given or None,
                content=content,
                timeout=self._timeout if timeout is None else timeout,
            )
        except httpx.TimeoutException as problem:
            raise Unavailable(
                f"Athena at {self.url} took too long to answer {method} {path}.", hint="Try again in a while."
            ) from problem
        except httpx.TransportError as problem:
            raise Unavailable(
                f"Athena at {self.url} does not answer ({problem}).", hint="Is it running? 'athena status' tells."
            ) from problem


def checked(model: type[W], **values: Any) -> W:
    """Request body from a user's values; Invalid, in words, when the contract refuses them."""
    try:
        return model.model_validate(values)
    except ValidationError as problem:
        wrong = "; ".join(f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in problem.errors())
        raise Invalid(f"{wrong}.") from problem


@cache
def _adapter(model: Any) -> TypeAdapter[Any]:
    """Validator of a model; cached, since making one for a list costs a millisecond."""
    return TypeAdapter(model)


@overload
def _parsed(answer: httpx.Response, model: type[T]) -> T: ...
@overload
def _parsed(answer: httpx.Response, model: type[T] | None) -> T | None: ...
def _parsed(answer: httpx.Response, model: type[T] | None) -> T | None:
    if model is None:
        return None
    try:
        value: T = _adapter(cast(Hashable, model)).validate_json(answer.content)
    except ValidationError as problem:
        request = answer.request
        raise AthenaError(
            f"This SDK ({__version__}) does not understand the answer to {request.method} {request.url.path}.",
            hint="SDK and server may differ in version: install the server's version here.",
        ) from problem
    return value


def _error(answer: httpx.Response) -> AthenaError:
    """The API's Problem as the exception it was; for any other error answer the class that fits its status."""
    try:
        problem = Problem.model_validate_json(answer.content)
    except ValidationError:
        code = CODE_BY_STATUS.get(answer.status_code, "unavailable" if answer.status_code >= 500 else "error")
        request = answer.request
        return by_code(code)(f"{request.method} {request.url.path} was answered with HTTP {answer.status_code}.")
    return by_code(problem.code)(problem.message, hint=problem.hint)
