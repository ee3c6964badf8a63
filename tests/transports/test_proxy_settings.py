"""Which proxy the environment means, to every transport and to requests itself, and what is refused of it."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Mapping

import pytest
import requests

from tests.leaks import shows
from tests.loopback import Line, Received, Server, carry, serving
from tests.transports.api import KEY, SessionTransport, TransportFactory, answer_rightly, on_every_connection
from workos_mfa import MFA, ConfigurationError, ConnectError, RequestsTransport, Urllib3Transport

PROXY = "proxy.example"
OTHER = "other-proxy.example"


@pytest.fixture
def asked_for(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The hosts whose address is asked for: the first of a call is the proxy's, or else the API's."""
    asked_for: list[object] = []

    def resolve(host: object, *_: object) -> None:
        asked_for.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", resolve)
    return asked_for


def first_hosts(base_url: str, asked_for: list[object]) -> list[object]:
    """Where each transport goes first; the last of them is requests with its own rules."""
    for transport_class in (Urllib3Transport, RequestsTransport, SessionTransport):
        with pytest.raises(ConnectError):
            MFA(transport=transport_class(KEY, base_url=base_url, allow_http=True)).get_factor("auth_factor_1")
    return asked_for


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
    excepted: str, direct: set[str], asked_for: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What NO_PROXY takes out, requests' own rules take out, odd as some of them are."""
    monkeypatch.setenv("HTTP_PROXY", f"http://{PROXY}")
    monkeypatch.setenv("NO_PROXY", excepted)
    reached = {host: first_hosts(f"http://{host}", asked_for)[-3:] for host in HOSTS}
    assert reached == {host: [name_of(host) if host in direct else PROXY] * 3 for host in HOSTS}


@pytest.mark.parametrize("excepted", ["workos.com", ".workos.com"])
def test_no_proxy_ends_at_a_dot(
    excepted: str, transport_class: TransportFactory, asked_for: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that only ends in the same letters is not taken out; older releases of requests do so."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://{PROXY}")
    monkeypatch.setenv("NO_PROXY", excepted)
    with pytest.raises(ConnectError):
        MFA(transport=transport_class(KEY, base_url="https://myworkos.com")).get_factor("auth_factor_1")
    assert asked_for == [PROXY]


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
    asked_for: list[object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever the case of the variables, and with ALL_PROXY for what has none of its own."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert first_hosts(f"{scheme}://{API}", asked_for) == [first] * 3


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


@on_every_connection
@pytest.mark.parametrize("proxy", UNREADABLE, ids=ascii)
def test_a_proxy_that_can_not_be_read(
    proxy: str, transport_class: TransportFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused when the transport is made, by the variable's name and without a part of its value."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(ConfigurationError, match=r"^the proxy in HTTPS_PROXY can't be read: .*%2F") as caught:
        transport_class(KEY)
    assert not shows(caught.value, "SENT", "INEL")


@on_every_connection
@pytest.mark.parametrize("scheme", ["socks", "ftp", "SOCKS6", "", "sk_SENTINEL"])
def test_a_proxy_of_an_unknown_kind(
    scheme: str, transport_class: TransportFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kinds that there are stand in the error."""
    monkeypatch.setenv("https_proxy", f"{scheme}://user:SENTINEL@127.0.0.1:3128")
    with pytest.raises(ConfigurationError, match=r"^the proxy in https_proxy must begin with http://, .* socks5h://"):
        transport_class(KEY)


@on_every_connection
@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks4", "socks4a", "SOCKS5"])
def test_a_socks_proxy_without_pysocks(
    scheme: str, transport_class: TransportFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says what to install, when the transport is made."""
    monkeypatch.setitem(sys.modules, "socks", None)
    monkeypatch.setenv("ALL_PROXY", f"{scheme}://user:SENTINEL@127.0.0.1:3128")
    with pytest.raises(
        ConfigurationError, match=r"^the proxy in ALL_PROXY .*pip install 'requests\[socks\]'"
    ) as caught:
        transport_class(KEY)
    assert not shows(caught.value, "SENTINEL")


def test_two_variables_with_the_same_proxy(transport_class: TransportFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that have to be mended are named."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:port")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:port")
    with pytest.raises(ConfigurationError, match=r"^the proxy in HTTPS?_PROXY and HTTPS?_PROXY can't be read"):
        transport_class(KEY)


def test_a_proxy_that_is_not_on_the_way(transport_class: TransportFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is used for other hosts, or other schemes, is not looked at."""
    monkeypatch.setenv("HTTP_PROXY", "socks://nonsense")
    monkeypatch.setenv("HTTPS_PROXY", "socks://nonsense")
    monkeypatch.setenv("NO_PROXY", "api.workos.com")
    transport_class(KEY).close()


def test_a_proxy_of_the_system(transport_class: TransportFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """There are settings besides the variables on macOS and Windows."""
    monkeypatch.setattr("sys.platform", "darwin")
    for place in ("urllib.request", "requests.utils"):
        monkeypatch.setattr(f"{place}.getproxies", lambda: {"https": "socks://SENTINEL"})
        monkeypatch.setattr(f"{place}.proxy_bypass", lambda _: False)
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


def forward(request: Received, line: Line) -> None:
    """Be a forwarding proxy that asks for nothing."""
    assert request.path.startswith("http://api.example/auth/")
    answer_rightly(request, line)


def test_a_socks_proxy_of_a_session() -> None:
    """PySocks, which speaks to it, sends any password."""
    with requests.Session() as session:
        session.proxies["https"] = "socks5h://user:%E2%82%AC@127.0.0.1:1080"
        RequestsTransport(KEY, session=session)


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("us%40er:p%2Fa%23s%3As", "dXNAZXI6cC9hI3M6cw=="),
        ("user:p@ss:word", "dXNlcjpwQHNzOndvcmQ="),
        ("user", "dXNlcjo="),
        ("user:%E2%82%AC", "dXNlcjrigqw="),
        ("user:100%", "dXNlcjoxMDAl"),
    ],
)
def test_a_password_is_sent_as_it_is_written(
    written: str, sent: str, transport_class: TransportFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was percent-encoded reaches the proxy as those bytes, from both transports alike."""
    with serving(forward) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://{written}@localhost:{proxy.port}")
        transport = transport_class(KEY, base_url="http://api.example", allow_http=True)
        assert MFA(transport=transport).verify_challenge("auth_challenge_1", code="123456")
        transport.close()
        assert proxy.received[0].headers["proxy-authorization"] == f"Basic {sent}"


def socks_with_a_password(listener: socket.socket, port: int, told: list[bytes]) -> None:
    """Be a SOCKS5 proxy for one connection, to a port here, that asks for a password."""
    client, _ = listener.accept()
    with client, socket.create_connection(("127.0.0.1", port)) as far:
        client.recv(64)
        client.sendall(b"\x05\x02")
        told.append(client.recv(256))
        client.sendall(b"\x01\x00")
        client.recv(256)
        client.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
        carry(client, far)


def test_a_password_for_a_socks_proxy(
    transport_class: TransportFactory, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is decoded there as well."""
    told: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        arguments = (listener, server.port, told)
        thread = threading.Thread(target=socks_with_a_password, args=arguments)
        thread.start()
        monkeypatch.setenv("ALL_PROXY", f"socks5h://user:p%2Fss@127.0.0.1:{listener.getsockname()[1]}")
        transport = transport_class(KEY, base_url="http://api.example", allow_http=True)
        assert MFA(transport=transport).verify_challenge("auth_challenge_1", code="123456")
        transport.close()
        thread.join()
    assert told == [b"\x01\x04user\x04p/ss"]
