"""Which keys and which places the client can be made with."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from urllib3.util import parse_url

from tests.loopback import Server
from workos_mfa import MFA, ConfigurationError, ConnectError, RequestsTransport, Urllib3Transport
from workos_mfa._transports.config import read_endpoint

KEY = "sk_example_123456789"


def refusal_of(base_url: str, *, allow_http: bool = False) -> str:
    """The text of the error that a base URL raises, through the transport and the client alike."""
    makers: list[Callable[[], object]] = [
        lambda: RequestsTransport(KEY, base_url=base_url, allow_http=allow_http),
        lambda: MFA(KEY, base_url=base_url, allow_http=allow_http),
    ]
    texts: set[str] = set()
    for make in makers:
        with pytest.raises(ConfigurationError) as caught:
            make()
        assert caught.value.__context__ is None
        texts.add(str(caught.value))
    (text,) = texts
    return text


def url_of(base_url: str | None, *, allow_http: bool = False) -> str:
    """The URL that a transport talks to."""
    transport = RequestsTransport(KEY, base_url=base_url, allow_http=allow_http)
    transport.close()
    return repr(transport).removeprefix("RequestsTransport('").removesuffix("')")


# Keys.


@pytest.mark.parametrize("key", [KEY, "sk_live_a2V5XzAx", "sk_test_default", "x", "~!@#$%^&*()"])
def test_a_key_is_any_visible_ascii(key: str, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """WorkOS may give its keys another form one day; one that is given wins over the environment's."""
    monkeypatch.setenv("WORKOS_API_KEY", "sk_of_the_environment")
    for argument in (key, None):
        with MFA(argument, base_url=server.url) as mfa:
            mfa.get_factor("auth_factor_1")
    sent = [request.headers["authorization"] for request in server.received]
    assert sent == [f"Bearer {key}", "Bearer sk_of_the_environment"]


BAD_KEYS = [
    " ",
    "\n",
    f"{KEY}\n",
    f"{KEY}\r\nX-Forged: 1",
    f" {KEY}",
    "sk_example 123456789",
    f"{KEY}\t",
    f"{KEY}\x00",
    f"{KEY}\x7f",
    f"{KEY}é",
    f"{KEY}\u2028",
    f"{KEY}\u00a0",
    f"\ufeff{KEY}",
    f"{KEY}\ud800",
    "ключ",
]


@pytest.mark.parametrize("key", BAD_KEYS, ids=ascii)
def test_a_key_that_cannot_stand_in_a_header_is_refused(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    """A key from a file has a line break at its end more often than not, and the error says what to do."""
    with pytest.raises(ConfigurationError, match=r"read it with \.strip\(\) if it comes from a file") as caught:
        RequestsTransport(key)
    assert KEY not in str(caught.value)
    if "\x00" not in key and "\ud800" not in key:
        monkeypatch.setenv("WORKOS_API_KEY", key)
        with pytest.raises(ConfigurationError, match=r"read it with \.strip\(\)"):
            RequestsTransport()


def test_a_client_without_a_key_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing and empty alike; and an empty argument is a mistake, not a wish for the environment's key."""
    for make in (RequestsTransport, MFA):
        with pytest.raises(ConfigurationError, match="there is no API key"):
            make()
    monkeypatch.setenv("WORKOS_API_KEY", "")
    with pytest.raises(ConfigurationError, match="there is no API key"):
        RequestsTransport()
    monkeypatch.setenv("WORKOS_API_KEY", KEY)
    with pytest.raises(ConfigurationError, match="there is no API key"):
        RequestsTransport("")


@pytest.mark.parametrize(
    "key", [b"sk_example_123456789", 7, ["sk"], True, object()], ids=lambda key: type(key).__name__
)
def test_a_key_is_text(key: object) -> None:
    """Bytes from a file are not turned into text in silence."""
    for make in (RequestsTransport, MFA):
        with pytest.raises(TypeError, match=r"^api_key must be a str, such as the one the WorkOS dashboard shows$"):
            make(key)  # type: ignore[arg-type]


# Places.


@pytest.mark.parametrize(
    ("base_url", "url", "host", "port"),
    [
        (None, "https://api.workos.com", "api.workos.com", 443),
        ("https://api.workos.com", "https://api.workos.com", "api.workos.com", 443),
        ("https://api.workos.com/", "https://api.workos.com", "api.workos.com", 443),
        ("HTTPS://gateway.example:8443/workos/", "https://gateway.example:8443/workos", "gateway.example", 8443),
        ("https://gateway.example/a/b//", "https://gateway.example/a/b", "gateway.example", 443),
        ("https://gateway.example:", "https://gateway.example", "gateway.example", 443),
        ("http://localhost:4100", "http://localhost:4100", "localhost", 4100),
        ("http://LOCALHOST", "http://LOCALHOST", "localhost", 80),
        ("http://127.0.0.1:4100/", "http://127.0.0.1:4100", "127.0.0.1", 4100),
        ("http://127.255.255.254/v1", "http://127.255.255.254/v1", "127.255.255.254", 80),
        ("http://[::1]:4100", "http://[::1]:4100", "::1", 4100),
        ("http://[0:0:0:0:0:0:0:1]", "http://[0:0:0:0:0:0:0:1]", "::1", 80),
        ("https://localhost:1", "https://localhost:1", "localhost", 1),
        ("https://[2001:db8::1]", "https://[2001:db8::1]", "2001:db8::1", 443),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example", "xn--bcher-kva.example", 443),
        ("https://my_host.internal:65535", "https://my_host.internal:65535", "my_host.internal", 65535),
    ],
)
def test_a_base_url_is_read_into_an_endpoint(
    base_url: str | None, url: str, host: str, port: int, looked_up: list[tuple[object, ...]]
) -> None:
    """The trailing slash is dropped, a prefix and a port are kept; and that is where a call goes."""
    assert url_of(base_url) == url
    with pytest.raises(ConnectError):
        MFA(transport=Urllib3Transport(KEY, base_url=base_url)).get_factor("auth_factor_1")
    assert looked_up == [(host, port)]


def test_a_base_url_may_be_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An argument wins, and an empty variable is none."""
    monkeypatch.setenv("WORKOS_BASE_URL", "https://gateway.example/workos/")
    assert url_of(None) == "https://gateway.example/workos"
    assert url_of("https://other.example") == "https://other.example"
    monkeypatch.setenv("WORKOS_BASE_URL", "")
    assert url_of(None) == "https://api.workos.com"


@pytest.mark.parametrize("base_url", [b"https://api.workos.com", 7, ["https://api.workos.com"]], ids=repr)
def test_a_base_url_is_text(base_url: object) -> None:
    """The error shows what it looks like."""
    for make in (RequestsTransport, MFA):
        with pytest.raises(TypeError, match=r"^base_url must be a str such as 'https://api\.workos\.com'$"):
            make(KEY, base_url=base_url)  # type: ignore[arg-type]


NOT_HTTPS = """
    api.workos.com //api.workos.com ftp://SENTINEL file:///etc/passwd localhost:4100 /auth a:b
    httpss://api.workos.com http+unix://x javascript://x
"""
NOT_PLAIN = r"""/.. /../admin /a/../b /a/. /./a /a\b /a|b /a"b /a<b> /{id} /a^b /`a` /[a]"""
REFUSED: dict[str, list[str]] = {
    # A password there is in the wrong place, and what looks like a host before the @ is none.
    "the base URL must not hold a user name or a password: the API key is all it takes": [
        "https://user:SENTINEL@api.workos.com",
        "https://SENTINEL@api.workos.com",
        "https://@api.workos.com",
        "https://api.workos.com@SENTINEL.example",
        "https://api.workos.com\\@SENTINEL.example",
        "http://localhost@SENTINEL.example",
        "http://127.0.0.1:80@SENTINEL.example/",
    ],
    # A query would be cut in two by what is added to it.
    "the base URL must end with its path: take away what follows ? or #": [
        "https://api.workos.com?SENTINEL",
        "https://api.workos.com/#SENTINEL",
        "https://a.example/b?c=d#e",
    ],
    # Nothing is guessed.
    "the base URL must begin with https://": NOT_HTTPS.split(),
    # Spaces, other scripts, ports that are none.
    "the base URL can't be read: it must look like https://api.workos.com, in ASCII and without spaces "
    "(a name in another script goes in as its xn-- form)": [
        "",
        " ",
        "https://api.workos.com ",
        " https://api.workos.com",
        "https://api.workos.com\n",
        "https://a\tb.example",
        "http://local\thost",
        "http://localhost\r\n.evil.example",
        "https://a.example\x00",
        "https://bücher.example",
        "https://api.workos.com/é",
        "https://api\u3002workos.com",
        "https://\u212apple.example",
        "https://api.workos.com:port",
        "https://api.workos.com:99999",
        "https://api.workos.com:-1",
        "https://api.workos.com:80:80",
        "https://[::1",
        "https://::1]",
        "https://gateway.example:0",
    ],
    # A prefix that would lead somewhere else once it is put together is no prefix.
    "the base URL's path has a character or a dot segment in it that can't be used": [
        f"https://SENTINEL.example{path}" for path in NOT_PLAIN.split()
    ],
}
"""Base URLs that are refused, by what the error says."""
NO_HOST = r"""
    https: https:// https:///path https:/api.workos.com https://:443 https://. https://a..example-
    https://-a.example https://a.example. https://SENTINEL%2eexample https://SENTINEL\.workos.com https://a,b
    https://*.a https://<host> https://[SENTINEL] https://[v1.SENTINEL] https://[v1.SENTINEL:1]
    http://[localhost] http://[127.0.0.1] http://localhost. http://SENTINEL.example[::1]
    http://[::1]SENTINEL.example http://SENTINEL.example:80[::1] http://SENTINEL.example\[::1]
    http://[::1]\SENTINEL.example http://localhost\.SENTINEL.example http://localhost:80\.SENTINEL.example
    http://localhost%00.SENTINEL.example http://[[::1]] http://[::1]] http://[::1][::1]
    http://[::1%25SENTINEL] http://[::1]:80:80 http:localhost http:\\localhost http:///localhost
"""


@pytest.mark.parametrize(
    ("base_url", "text"),
    [pytest.param(base_url, text, id=ascii(base_url)) for text, urls in REFUSED.items() for base_url in urls],
)
def test_a_base_url_that_is_refused(base_url: str, text: str) -> None:
    """The error says what is wrong, in the same words wherever the URL was given, and repeats nothing of it."""
    assert refusal_of(base_url) == text


@pytest.mark.parametrize("base_url", NO_HOST.split())
def test_a_base_url_has_a_host(base_url: str) -> None:
    """One that no library reads in another way."""
    text = refusal_of(base_url)
    assert text.startswith(("the base URL has no host that can be used", "the base URL can't be read"))
    assert "SENTINEL" not in text


@settings(max_examples=300)
@given(st.text("[]:@/\\#?%.;1ae", max_size=6), st.sampled_from(["localhost", "[::1]", "127.0.0.1"]), st.data())
def test_no_library_reads_loopback_as_another_machine(noise: str, host: str, data: st.DataObject) -> None:
    """What counts as this machine is this machine for the library that connects too, whatever stands around it."""
    cut = data.draw(st.integers(0, len(noise)))
    url = f"http://{noise[:cut]}{host}{noise[cut:]}"
    try:
        endpoint = read_endpoint(url, allow_http=False)
    except ConfigurationError:
        return
    assert endpoint.is_plain_loopback
    connects_to = (parse_url(endpoint.url).host or "").strip("[]")
    assert connects_to == "localhost" or ipaddress.ip_address(connects_to).is_loopback


ELSEWHERE = r"""
    http://api.workos.com http://api.workos.com:443 http://localhost.evil.example
    http://127.0.0.1.evil.example http://evil.example/localhost http://127.1 http://127.0.1 http://0x7f.1
    http://0x7f000001 http://2130706433 http://0177.0.0.1 http://127.0.0.01 http://0.0.0.0 http://[::]
    http://[::ffff:127.0.0.1] http://[::ffff:7f00:1] http://[::127.0.0.1] http://[::2] http://128.0.0.1
    http://126.255.255.255 http://192.168.0.1 http://10.0.0.1:4100 http://my-localhost http://localhost6
    http://foo.localhost
"""


@pytest.mark.parametrize("base_url", ELSEWHERE.split())
def test_plain_http_stays_on_this_machine(monkeypatch: pytest.MonkeyPatch, base_url: str) -> None:
    """Anybody on the way could read the key: only what is certainly loopback will do, whatever a resolver takes."""
    assert "the base URL is plain http, over which the key and the codes can be read" in refusal_of(base_url)
    assert read_endpoint(base_url, allow_http=True).is_plain_loopback is False
    assert url_of(base_url, allow_http=True) == base_url
    monkeypatch.setenv("WORKOS_ALLOW_HTTP", "0")
    assert "plain http" in refusal_of(base_url)
    monkeypatch.setenv("WORKOS_ALLOW_HTTP", "1")
    assert url_of(base_url) == base_url


@pytest.mark.parametrize("value", ["true", "yes", "2", "on", " 1", "1 ", "False", "SENTINEL"])
def test_http_is_allowed_by_1_and_nothing_else(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """What might mean yes and might mean no is asked back."""
    monkeypatch.setenv("WORKOS_ALLOW_HTTP", value)
    assert refusal_of("http://gateway.example") == ("WORKOS_ALLOW_HTTP must be 1 to allow plain http, or be left out")
    assert url_of("http://gateway.example", allow_http=True) == "http://gateway.example"


@pytest.mark.parametrize("name", ["WORKOS_API_KEY", "WORKOS_BASE_URL"])
def test_no_message_repeats_what_the_environment_holds(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """It may be the other variable's value: a key in WORKOS_BASE_URL, a URL with a password in WORKOS_API_KEY."""
    monkeypatch.setenv("WORKOS_API_KEY", KEY)
    monkeypatch.setenv(name, "SENTINEL SENTINEL")
    with pytest.raises(ConfigurationError) as caught:
        MFA()
    assert "SENTINEL" not in str(caught.value)
