"""The default transport, over requests. No other file imports requests.

Each attempt is one ``Session.send``, so that whatever stubs or instruments requests sees every call. An auth callable
sets the key, which ~/.netrc can't replace. Redirects are not followed and cookies are not kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import requests
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar
from requests.structures import CaseInsensitiveDict
from requests.utils import get_auth_from_url, select_proxy
from urllib3.poolmanager import PoolManager
from urllib3.util.retry import Retry

from workos_mfa._core.errors import ConfigurationError, ConnectError, TransportError
from workos_mfa._core.redaction import hide_locals
from workos_mfa._core.transport import DEFAULT_TIMEOUT, Request, Response
from workos_mfa._transports import config
from workos_mfa._transports.deadline import time_limit, use_deadline_pools
from workos_mfa._transports.http import (
    LIBRARY_ERRORS,
    URLLIB3_FAILURES,
    FailureTypes,
    HTTPTransport,
    encode_body,
    headers_for,
)
from workos_mfa._transports.response import make_strict, read_body

_NO_HOOKS: dict[str, list[Any]] = {"response": []}


# A real exception tells as much by what it was made from; a stub's was made from nothing.
_FAILURES = FailureTypes(
    nothing_sent=(
        *URLLIB3_FAILURES.nothing_sent,
        requests.exceptions.ConnectTimeout,
        requests.exceptions.InvalidURL,
        requests.exceptions.InvalidSchema,
        requests.exceptions.MissingSchema,
    ),
    timed_out=(*URLLIB3_FAILURES.timed_out, requests.exceptions.Timeout),
    in_tls=(*URLLIB3_FAILURES.in_tls, requests.exceptions.SSLError),
)


class RequestsTransport(HTTPTransport):
    """One attempt of a call over requests.

    Proxies, ``REQUESTS_CA_BUNDLE`` and ``CURL_CA_BUNDLE`` are taken from the environment once, when the
    transport is made. It may be shared by threads and made before a fork.

    :param api_key: the API key; ``WORKOS_API_KEY`` if left out.
    :param base_url: where the API is; ``WORKOS_BASE_URL`` if left out, else ``https://api.workos.com``.
    :param session: a session of yours, for client certificates, proxies or adapters of your own. It is used
        but never changed or closed. Its cookies and its hooks apply, the time limit is then one of silence, as
        requests has it, rather than one of the wall clock, an idle connection is used however long it rested,
        and the transport can't be carried over a fork.
    :param allow_http: allow plain http to other machines than this one; see :class:`workos_mfa.MFA`.
    :param max_idle: seconds for which an idle connection is kept for the next call, 120 unless given; not for a
        session of yours.
    :raises ConfigurationError: if there is no key, the base URL is not one that a key may be sent to, the
        environment's bundle of certificates is missing, the proxy on the way can't be used, or the session's
        adapter repeats requests by itself, which would repeat calls that must happen once.
    :raises InvalidInputError: if ``max_idle`` is zero, negative, NaN or over a day.
    :raises TypeError: if an argument has the wrong type, or ``max_idle`` stands beside a session of yours.
    """

    __module__ = "workos_mfa"

    _failure_types = _FAILURES

    @hide_locals
    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        session: requests.Session | None = None,
        allow_http: bool = False,
        max_idle: float | None = None,
    ) -> None:
        super().__init__(api_key, base_url, allow_http=allow_http, max_idle=max_idle)
        if session is not None and max_idle is not None:
            raise TypeError("max_idle goes with the transport's own session: a session of yours keeps its connections")
        self._given_session = session
        if session is None:
            self._renew()
        else:
            _refuse_repeating(session, self._endpoint.url)
            _refuse_unusable_proxy(self._settings_of(session, self._endpoint.url), self._endpoint.url)

    def close(self) -> None:
        """Close the connections of the session that this transport made; one of yours is left alone."""
        if self._given_session is None:
            self._session.close()

    def _renew(self) -> None:
        if self._given_session is not None:
            raise ConfigurationError(
                "this transport was made in another process, and the connections of its session are that one's: "
                "make the session and the transport in each process, after the fork"
            )
        config.ca_bundle()  # refused here if it is missing, and not at the first call
        proxy = config.proxy_url(self._endpoint)
        session = _OwnSession()
        adapter = _DeadlineAdapter(self._max_idle)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        settings = self._settings_of(session, self._endpoint.url)
        settings["proxies"] = {self._endpoint.url.partition(":")[0]: proxy}
        self._session, self._settings = session, settings

    def _exchange(self, request: Request) -> Response:
        if self._given_session is None:
            response = self._send_on_own_session(request)
        else:
            response = self._send_on_given_session(self._given_session, request)
        # A hook of the user's session may have read the body; what it read is kept by requests.
        read_already = vars(response).get("_content")
        body = read_already if isinstance(read_already, bytes) else read_body(response.raw)
        return self._response(response.status_code, response.headers.lower_items(), body)

    def _surfacing(self, caught: BaseException, request: Request) -> BaseException:
        error = super()._surfacing(caught, request)
        carried = vars(error).get("request")
        headers = getattr(carried, "headers", None)
        if isinstance(headers, Mapping) and self._authorization.value in headers.values():
            _cut_down(error, carried)
        return error

    def _details(self, caught: BaseException) -> str:
        # The package responses lists its stubs below the first line of an error that was made from nothing.
        is_a_stubs = type(caught) is requests.exceptions.ConnectionError and not any(
            isinstance(part, Exception) for part in caught.args
        )
        return str(caught).partition("\n")[2].rstrip() if is_a_stubs else ""

    def _send_on_own_session(self, request: Request) -> requests.Response:
        prepared = requests.PreparedRequest()
        prepared.method = request.method
        prepared.url = self._endpoint.url + self._target(request)
        prepared.hooks = _NO_HOOKS
        prepared.body = encode_body(request)
        prepared.headers = CaseInsensitiveDict(headers_for(request))
        if prepared.body is not None:
            prepared.headers["Content-Length"] = str(len(prepared.body))
        return self._session.send(
            self._authorize(prepared),
            allow_redirects=False,
            # requests takes urllib3's own object, though its types do not say so.
            timeout=cast("float", time_limit(request.options.timeout or DEFAULT_TIMEOUT)),
            **self._settings,
        )

    def _send_on_given_session(self, session: requests.Session, request: Request) -> requests.Response:
        url = self._endpoint.url + self._target(request)
        headers = headers_for(request)
        prepared = session.prepare_request(
            requests.Request(request.method, url, headers=headers, data=encode_body(request), auth=self._authorize)
        )
        _refuse_repeating(session, prepared.url or url)
        settings = self._settings_of(session, url)
        _refuse_missing_files(settings)
        _refuse_unusable_proxy(settings, url)
        has_arrived = False

        def check(response: requests.Response, **_: object) -> None:
            nonlocal has_arrived
            make_strict(response.raw)
            has_arrived = True
            if 300 <= response.status_code < 400:
                # With it, requests would read the whole body to prepare the next request, however long.
                response.headers.pop("location", None)

        prepared.hooks = {"response": [check, *prepared.hooks["response"]]}
        try:
            return session.send(
                prepared, allow_redirects=False, timeout=request.options.timeout or DEFAULT_TIMEOUT, **settings
            )
        except LIBRARY_ERRORS as error:
            if not has_arrived:
                raise
            name = type(error).__name__
        raise TransportError(
            f"WorkOS has responded, but a hook of the session, or its reading of the response, failed with {name}"
        )

    def _authorize(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        prepared.headers["Authorization"] = self._authorization.value
        return prepared

    def _settings_of(self, session: requests.Session, url: str) -> dict[str, Any]:
        settings = dict(session.merge_environment_settings(url, {}, stream=True, verify=None, cert=None))
        if self._endpoint.is_plain_loopback:
            settings["proxies"] = {}
        return settings


class _NoCookies(RequestsCookieJar):
    def extract_cookies(self, response: object, request: object) -> None:
        pass


class _OwnSession(requests.Session):
    """A session that keeps no cookies and does not so much as read where a redirect leads."""

    def __init__(self) -> None:
        super().__init__()
        self.cookies = _NoCookies()

    def get_redirect_target(self, resp: requests.Response) -> None:
        pass  # to find one, requests would read the whole response, however long


class _DeadlineAdapter(HTTPAdapter):
    """requests' adapter on pools whose connections keep to the clock."""

    def __init__(self, max_idle: float) -> None:
        self._max_idle = max_idle
        self._pool: Any = None
        # A pool without a size keeps as many connections as there were threads at once.
        super().__init__(pool_maxsize=0)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        # There is one: endpoint, proxies and certificates are the same for every call. It is looked at once, since
        # another thread may close it between two looks.
        pool = self._pool
        if pool is None:
            pool = self._pool = super().get_connection_with_tls_context(*args, **kwargs)
        return pool

    def close(self) -> None:
        """Let go of the pools; the next call makes new ones, and a call that is under way finishes on its own."""
        self._pool = None
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            manager.clear()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        use_deadline_pools(self.poolmanager, self._max_idle)

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        return config.proxy_headers(proxy)  # requests sends no password but in Latin-1

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> PoolManager:
        manager: PoolManager = super().proxy_manager_for(*args, **kwargs)
        use_deadline_pools(manager, self._max_idle)
        return manager


def _refuse_missing_files(settings: dict[str, Any]) -> None:
    # requests finds out too, but says so in the way in which a hook fails that has no room on its disk.
    cert: Any = settings["cert"]
    paths: list[object] = [settings["verify"], *(cert if isinstance(cert, tuple) else [cert])]
    for path in paths:
        if isinstance(path, str) and not Path(path).exists():
            raise ConnectError(f"the session's certificate file {path!r} does not exist. Nothing was sent")


def _refuse_unusable_proxy(settings: dict[str, Any], url: str) -> None:
    proxy = select_proxy(url, settings["proxies"])
    if not proxy or (usable := config.usable_proxy(proxy)).startswith("socks"):
        return
    if any(character > "\xff" for part in get_auth_from_url(usable) for character in part):
        raise ConfigurationError(
            "the proxy has a user name or a password that requests can't send, since it is not in Latin-1: leave out "
            "session=, or give the proxy another password"
        )


def _cut_down(error: BaseException, carried: Any) -> None:
    """Take the key and the body out of a request that an exception carries: requests-mock's has one, for its text."""
    bare = requests.PreparedRequest()
    bare.method, bare.url = carried.method, carried.url
    vars(error)["request"] = bare
    error.args = tuple(bare if argument is carried else argument for argument in error.args)


def _refuse_repeating(session: requests.Session, url: str) -> None:
    if not isinstance(session, requests.Session):
        raise TypeError("session must be a requests.Session")
    # A session finds its adapter by the beginning of the whole URL, which the base URL may be too short for.
    adapters = (session.get_adapter(url), session.get_adapter(f"{url}/"))
    if any(map(_repeats, adapters)):
        raise ConfigurationError(
            "the session's adapter repeats requests by itself, and a repeated enroll, challenge or verify acts "
            "twice: mount an HTTPAdapter without max_retries; RetryingTransport repeats what is safe"
        )


def _repeats(adapter: object) -> bool:
    # What is no Retry, urllib3 makes one of, and of None its own three times. Only an adapter without any has none.
    retries = getattr(adapter, "max_retries", 0)
    return (retries.total if isinstance(retries, Retry) else retries) != 0
