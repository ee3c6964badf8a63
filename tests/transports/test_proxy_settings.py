"""Which proxy the environment means, to every transport and to requests itself, and what is refused of it."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import pytest
import requests

from tests.leaks import shows
from tests.loopback import unused_port
from tests.transports.api import KEY, SessionTransport, TransportFactory, on_every_connection
from workos_mfa import MFA, ConfigurationError, ConnectError, RequestsTransport, Urllib3Transport

PROXY = "proxy.example"
OTHER = "other-proxy.example"


def first_hosts(base_url: str, looked_up: list[tuple[object, ...]], *, session: bool = True) -> list[object]:
    """The host that each transport wants to connect to; the last of them is requests with its own rules."""
    looked_up.clear()
    for transport_class in (Urllib3Transport, RequestsTransport, *[SessionTransport] * session):
        with pytest.raises(ConnectError):
            MFA(transport=transport_class(KEY, base_url=base_url, allow_http=True)).get_factor("auth_factor_1")
    return [host for host, _ in looked_up]


HOSTS = (
    "api.workos.com",
    "api.workos.com:8443",
    "workos.com",
    "10.1.2.3",
    "10.1.2.3:8443",
    "[2001:db8::1]",
    "[2001:db8::1]:8443",
)
API, API_8443, DOMAIN, IPV4, IPV4_8443, IPV6, IPV6_8443 = HOSTS
OF_THE_DOMAIN = {API, API_8443, DOMAIN}


@pytest.mark.parametrize(
    ("excepted", "direct"),
    [
        ("", set()),
        (",, .", set()),
        ("*", set(HOSTS)),
        (" * ", set()),
        ("*, workos.com", OF_THE_DOMAIN),
        ("*.workos.com", set()),
        ("workos.com", OF_THE_DOMAIN),
        (".workos.com", OF_THE_DOMAIN),
        (" a.example , .workos.com ", OF_THE_DOMAIN),
        ("a.example workos.com", set()),
        ("WorkOS.com", OF_THE_DOMAIN),
        ("com", OF_THE_DOMAIN),
        ("api.workos.com", {API, API_8443}),
        ("api.workos.com:8443", {API_8443}),
        (".workos.com:8443", {API_8443}),
        ("api.workos.com:80", set()),
        ("https://api.workos.com", set()),
        ("10.1.2.3", {IPV4, IPV4_8443}),
        ("10.1.2.3:8443", set()),
        ("10.0.0.0/8", {IPV4, IPV4_8443}),
        ("10.9.9.9/8", {IPV4, IPV4_8443}),
        ("11.0.0.0/8, 10.1.2.2/31", {IPV4, IPV4_8443}),
        ("10.1.2.4/31", set()),
        ("10.0.0.0/0", set()),
        ("10.0.0.0/33", set()),
        ("10.0.0.0/255.0.0.0", set()),
        ("10.0.0.0/8/8", set()),
        ("nonsense/8", set()),
        ("2.3", {IPV4, IPV4_8443}),
        ("2001:db8::1", {IPV6, IPV6_8443}),
        ("2001:db8::1:8443", {IPV6_8443}),
        ("[2001:db8::1]", set()),
        ("2001:db8::/32", set()),
    ],
)
def test_no_proxy_means_the_same_to_all(
    excepted: str, direct: set[str], looked_up: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What NO_PROXY takes out, requests' own rules take out, odd as some of them are."""
    monkeypatch.setenv("HTTP_PROXY", f"http://{PROXY}")
    monkeypatch.setenv("NO_PROXY", excepted)
    reached = {host: first_hosts(f"http://{host}", looked_up) for host in HOSTS}
    assert reached == {host: [name_of(host) if host in direct else PROXY] * 3 for host in HOSTS}


@pytest.mark.parametrize("excepted", ["workos.com", ".workos.com"])
def test_no_proxy_ends_at_a_dot(
    excepted: str, looked_up: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that only ends in the same letters is not taken out; older releases of requests do so."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://{PROXY}")
    monkeypatch.setenv("NO_PROXY", excepted)
    assert first_hosts("https://myworkos.com", looked_up, session=False) == [PROXY, PROXY]


def name_of(host: str) -> str:
    """A host without its port, as it is looked up."""
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]


@pytest.mark.parametrize(
    ("scheme", "variables", "first"),
    [
        ("https", {"HTTPS_PROXY": PROXY}, PROXY),
        ("https", {"https_proxy": f"http://{PROXY}:3128/"}, PROXY),
        ("https", {"Https_Proxy": f"HTTP://user:p%40ss@{PROXY}"}, PROXY),
        ("https", {"HTTPS_PROXY": OTHER, "https_proxy": PROXY}, PROXY),
        ("https", {"HTTPS_PROXY": PROXY, "https_proxy": ""}, API),
        ("https", {"HTTP_PROXY": PROXY}, API),
        ("https", {"ALL_PROXY": PROXY}, PROXY),
        ("https", {"all_proxy": PROXY, "ALL_PROXY": OTHER}, PROXY),
        ("https", {"all_proxy": OTHER, "HTTPS_PROXY": PROXY}, PROXY),
        ("https", {"ALL_PROXY": PROXY, "HTTPS_PROXY": ""}, PROXY),
        ("https", {"HTTPS_PROXY": PROXY, "NO_PROXY": "workos.com"}, API),
        ("https", {"HTTPS_PROXY": PROXY, "NO_PROXY": "workos.com", "no_proxy": "a.example"}, PROXY),
        ("https", {"HTTPS_PROXY": PROXY, "NO_PROXY": "workos.com", "no_proxy": ""}, API),
        ("http", {"HTTPS_PROXY": PROXY}, API),
        ("http", {"http_proxy": PROXY, "all_proxy": OTHER}, PROXY),
        # In a CGI script, HTTP_PROXY is a header of whoever calls it.
        ("http", {"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}, API),
        ("http", {"http_proxy": PROXY, "REQUEST_METHOD": "GET"}, PROXY),
    ],
)
def test_the_same_proxy_is_used_by_all(
    scheme: str,
    variables: Mapping[str, str],
    first: str,
    looked_up: list[tuple[object, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever the case of the variables, and with ALL_PROXY for what has none of its own."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert first_hosts(f"{scheme}://{API}", looked_up) == [first] * 3


UNREADABLE = [
    "http://user:SENT/INEL@127.0.0.1:3128",
    "http://user:12/SENTINEL@127.0.0.1:3128",
    "http://user/SENTINEL@127.0.0.1:3128",
    "http://user:SENT#INEL@127.0.0.1:3128",
    "http://user:12?SENTINEL@127.0.0.1:3128",
    "http://user:SENT\\INEL@127.0.0.1:3128",
    "http://user:SENT€INEL@127.0.0.1:3128",
    "http://user:SENT INEL@127.0.0.1:3128",
    "http://user:SENTINEL@127.0.0.1:3128\n",
    "http://user:SENTINEL@127.0.0.1:99999",
    "http://user:SENTINEL@127.0.0.1:0",
    "http://user:SENTINEL@127.0.0.1:port",
    "http://user:SENTINEL@",
    "http://user:SENTINEL@[127.0.0.1]:3128",
    "http:/SENTINEL:3128",
    "socks5h://user:SENT/INEL@127.0.0.1:3128",
    "user:SENT/INEL@127.0.0.1:3128",
    "http://",
]


SAME = "http://127.0.0.1:port"
REFUSED: list[tuple[Mapping[str, str], str]] = [
    *(({"HTTPS_PROXY": proxy}, r"HTTPS_PROXY can't be read: .*%2F") for proxy in UNREADABLE),
    *(
        (
            {"https_proxy": f"{scheme}://user:SENTINEL@127.0.0.1:3128"},
            r"https_proxy must begin with http://, .* socks5h://",
        )
        for scheme in ("socks", "ftp", "SOCKS6", "", "sk_SENTINEL")
    ),
    *(
        ({"ALL_PROXY": f"{scheme}://user:SENTINEL@127.0.0.1:3128"}, r"ALL_PROXY .*pip install 'requests\[socks\]'")
        for scheme in ("socks5", "socks5h", "socks4", "socks4a", "SOCKS5")
    ),
    ({"HTTP_PROXY": SAME, "HTTPS_PROXY": SAME}, r"HTTPS?_PROXY and HTTPS?_PROXY can't be read"),
]


@on_every_connection
@pytest.mark.parametrize(("variables", "text"), REFUSED, ids=ascii)
def test_a_proxy_that_is_refused(
    variables: Mapping[str, str], text: str, transport_class: TransportFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is when the transport is made: all variables that hold it are named, without a part of the value.

    The error says which kinds there are, or what to install where PySocks is missing.
    """
    monkeypatch.setitem(sys.modules, "socks", None)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=f"^the proxy in {text}") as caught:
        transport_class(KEY)
    assert not shows(caught.value, "SENT", "INEL")


def test_a_proxy_that_is_not_on_the_way(looked_up: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is used for other hosts, or other schemes, is not looked at."""
    monkeypatch.setenv("HTTP_PROXY", "socks://nonsense")
    monkeypatch.setenv("HTTPS_PROXY", "socks://nonsense")
    monkeypatch.setenv("NO_PROXY", "api.workos.com")
    assert first_hosts("https://api.workos.com", looked_up) == ["api.workos.com"] * 3


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_a_proxy_of_the_system(
    platform: str, looked_up: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On macOS and Windows there are settings besides the variables: they are used, and refused, as those are."""
    found = {"https": f"{PROXY}:3128"}
    monkeypatch.setattr("sys.platform", platform)
    for place in ("urllib.request", "requests.utils"):
        monkeypatch.setattr(f"{place}.getproxies", lambda: found)
        monkeypatch.setattr(f"{place}.proxy_bypass", lambda _: False)
    assert first_hosts("https://api.workos.com", looked_up) == [PROXY] * 3
    found["https"] = "socks://SENTINEL"
    for transport_class in (Urllib3Transport, RequestsTransport, SessionTransport):
        with pytest.raises(ConfigurationError, match=r"^the proxy of the session or the system must begin with http:"):
            transport_class(KEY)


@pytest.mark.parametrize(
    ("proxy", "why"),
    [
        ("http://user:SENT/INEL@127.0.0.1:3128", "of the session or the system can't be read"),
        ("socks://127.0.0.1:3128", "of the session or the system must begin with"),
        ("http://user:SENTINEL%E2%82%AC@127.0.0.1:3128", "has a user name or a password that requests can't send"),
        ("us%40er:SENTINEL%E2%82%AC@127.0.0.1:3128", "has a user name or a password that requests can't send"),
    ],
)
def test_a_proxy_of_a_session(proxy: str, why: str) -> None:
    """A session's own proxy is held to the same, at once or, if it is set later, before anything is sent."""
    with requests.Session() as session:
        transport = RequestsTransport(KEY, session=session)
        session.proxies["https"] = proxy
        with pytest.raises(ConfigurationError, match=f"^the proxy {why}") as made:
            RequestsTransport(KEY, session=session)
        with pytest.raises(ConfigurationError, match=f"^the proxy {why}") as called:
            MFA(transport=transport).challenge_factor("auth_factor_1")
    assert not shows(made.value, "SENT")
    assert not shows(called.value, "SENT")


def test_a_socks_proxy_of_a_session() -> None:
    """PySocks, which speaks to it, sends any password, so that it is taken."""
    with requests.Session() as session:
        session.proxies["https"] = f"socks5h://user:%E2%82%AC@127.0.0.1:{unused_port()}"
        transport = RequestsTransport(KEY, session=session)
        with pytest.raises(ConnectError, match="no connection"):
            MFA(transport=transport).challenge_factor("auth_factor_1")
