"""A transport straight on urllib3: the contract of the default transport, in less time."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from urllib3 import PoolManager, ProxyManager
from urllib3.util import parse_url
from urllib3.util.retry import Retry
from urllib3.util.ssl_ import create_urllib3_context

from workos_mfa._core.redaction import hide_locals
from workos_mfa._core.transport import DEFAULT_TIMEOUT, Request, Response
from workos_mfa._transports import config
from workos_mfa._transports.deadline import time_limit, use_deadline_pools
from workos_mfa._transports.http import HTTPTransport, encode_body, headers_for
from workos_mfa._transports.response import read_body

if TYPE_CHECKING:
    from urllib3.connectionpool import HTTPConnectionPool


# What urllib3 makes of ``retries=False``, made once.
_NEVER = Retry(total=False, redirect=False)


class Urllib3Transport(HTTPTransport):
    """One attempt of a call, straight over urllib3.

    Proxies, ``REQUESTS_CA_BUNDLE`` and ``CURL_CA_BUNDLE`` are taken from the environment once, when the
    transport is made. It may be shared by threads and made before a fork.

    :param api_key: the API key; ``WORKOS_API_KEY`` if left out.
    :param base_url: where the API is; ``WORKOS_BASE_URL`` if left out, else ``https://api.workos.com``.
    :param allow_http: allow plain http to other machines than this one; see :class:`workos_mfa.MFA`.
    :param ssl_context: what TLS is made with, for a client certificate or an authority of yours; the
        environment's bundle is not read then.
    :param max_idle: seconds for which an idle connection is kept for the next call, 120 unless given.
    :raises ConfigurationError: if there is no key, the base URL is not one that a key may be sent to, or the
        environment's bundle of certificates is missing or its proxy can't be used.
    :raises InvalidInputError: if ``max_idle`` is zero, negative, NaN or over a day.
    :raises OSError: if that bundle can't be read.
    :raises TypeError: if an argument has the wrong type.
    """

    __module__ = "workos_mfa"

    @hide_locals
    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        allow_http: bool = False,
        ssl_context: ssl.SSLContext | None = None,
        max_idle: float | None = None,
    ) -> None:
        super().__init__(api_key, base_url, allow_http=allow_http, max_idle=max_idle)
        self._ssl_context = ssl_context
        self._renew()

    def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        self._manager.clear()
        self._pool = self._pool_for_all_calls()

    def _renew(self) -> None:
        proxy = config.proxy_url(self._endpoint)
        # A pool without a size keeps as many connections as there were threads at once.
        settings: dict[str, Any] = {"maxsize": 0}
        if self._endpoint.url.startswith("https:"):
            settings["ssl_context"] = self._ssl_context or _context_of_the_environment()
        self._manager = PoolManager(**settings) if proxy is None else _proxy_manager(proxy, settings)
        use_deadline_pools(self._manager, self._max_idle)
        self._pool = self._pool_for_all_calls()
        # A proxy that forwards plain http is asked for the whole URL; all others are asked for the path.
        is_forwarded = proxy is not None and self._endpoint.url.startswith("http:")
        self._base_of_targets = self._endpoint.url if is_forwarded else urlsplit(self._endpoint.url).path

    def _pool_for_all_calls(self) -> HTTPConnectionPool:
        scheme = self._endpoint.url.partition(":")[0]
        return self._manager.connection_from_host(self._endpoint.host, self._endpoint.port, scheme)

    def _exchange(self, request: Request) -> Response:
        body = encode_body(request)
        response = self._pool.urlopen(
            request.method,
            self._base_of_targets + self._target(request),
            body=body,
            headers={**headers_for(request), "Authorization": self._authorization.value},
            retries=_NEVER,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
            timeout=time_limit(request.options.timeout or DEFAULT_TIMEOUT),
        )
        return self._response(response.status, dict(response.headers).items(), read_body(response))


def _context_of_the_environment() -> ssl.SSLContext:
    context = create_urllib3_context()
    bundle = config.ca_bundle()
    if bundle is None:
        # requests brings it, and trusts it too.
        import certifi

        bundle = certifi.where()
    is_folder = Path(bundle).is_dir()
    context.load_verify_locations(cafile=None if is_folder else bundle, capath=bundle if is_folder else None)
    return context


def _proxy_manager(proxy: str, settings: dict[str, Any]) -> PoolManager:
    if proxy.startswith("socks"):
        from urllib3.contrib.socks import SOCKSProxyManager

        user, _, password = (parse_url(proxy).auth or "").partition(":")
        return SOCKSProxyManager(proxy, username=unquote(user), password=unquote(password), **settings)
    if proxy.startswith("https:"):
        settings = {**settings, "proxy_ssl_context": _context_of_the_environment()}
    return ProxyManager(proxy, proxy_headers=config.proxy_headers(proxy), **settings)
