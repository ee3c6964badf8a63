"""Which keys and which places the client can be made with."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from urllib3.util import parse_url

from workos_mfa import MFA, ConfigurationError, RequestsTransport
from workos_mfa._core.redaction import Hidden
from workos_mfa._transports.config import Endpoint, read_api_key, read_endpoint

KEY = "sk_example_123456789"


def refusal_of(base_url: str, *, allow_http: bool = False) -> str:
    """The text of the error that a base URL raises, through the transport, the client and the environment alike."""
    makers: list[Callable[[], object]] = [
        lambda: RequestsTransport(KEY, base_url=base_url, allow_http=allow_http),
        lambda: MFA(KEY, base_url=base_url, allow_http=allow_http),
        lambda: read_endpoint(base_url, allow_http=allow_http),
    ]
    texts: set[str] = set()
    for make in makers:
        with pytest.raises(ConfigurationError) as caught:
            make()
        assert caught.value.__context__ is None
        texts.add(str(caught.value))
    (text,) = texts
    return text


def url_of(base_url: str, *, allow_http: bool = False) -> str:
    """The URL that a transport talks to."""
    transport = RequestsTransport(KEY, base_url=base_url, allow_http=allow_http)
    transport.close()
    return repr(transport).removeprefix("RequestsTransport('").removesuffix("')")


# Keys.


@pytest.mark.parametrize("key", [KEY, "sk_live_a2V5XzAx", "sk_test_default", "x", "~!@#$%^&*()"])
def test_a_key_is_any_visible_ascii(key: str) -> None:
    """WorkOS may give its keys another form one day."""
    assert read_api_key(Hidden(key)).value == key


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


def test_a_given_key_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An argument always does."""
    monkeypatch.setenv("WORKOS_API_KEY", "sk_of_the_environment")
    assert read_api_key(Hidden(KEY)).value == KEY
    assert read_api_key(Hidden(None)).value == "sk_of_the_environment"


# Places.


@pytest.mark.parametrize(
    ("base_url", "endpoint"),
    [
        (None, Endpoint("https://api.workos.com", "api.workos.com", 443, is_plain_loopback=False)),
        ("https://api.workos.com", Endpoint("https://api.workos.com", "api.workos.com", 443, is_plain_loopback=False)),
        ("https://api.workos.com/", Endpoint("https://api.workos.com", "api.workos.com", 443, is_plain_loopback=False)),
        (
            "HTTPS://gateway.example:8443/workos/",
            Endpoint("https://gateway.example:8443/workos", "gateway.example", 8443, is_plain_loopback=False),
        ),
        (
            "https://gateway.example/a/b//",
            Endpoint("https://gateway.example/a/b", "gateway.example", 443, is_plain_loopback=False),
        ),
        (
            "https://gateway.example:",
            Endpoint("https://gateway.example", "gateway.example", 443, is_plain_loopback=False),
        ),
        ("http://localhost:4100", Endpoint("http://localhost:4100", "localhost", 4100, is_plain_loopback=True)),
        ("http://LOCALHOST", Endpoint("http://LOCALHOST", "localhost", 80, is_plain_loopback=True)),
        ("http://127.0.0.1:4100/", Endpoint("http://127.0.0.1:4100", "127.0.0.1", 4100, is_plain_loopback=True)),
        (
            "http://127.255.255.254/v1",
            Endpoint("http://127.255.255.254/v1", "127.255.255.254", 80, is_plain_loopback=True),
        ),
        ("http://[::1]:4100", Endpoint("http://[::1]:4100", "::1", 4100, is_plain_loopback=True)),
        ("http://[0:0:0:0:0:0:0:1]", Endpoint("http://[0:0:0:0:0:0:0:1]", "::1", 80, is_plain_loopback=True)),
        ("https://localhost:1", Endpoint("https://localhost:1", "localhost", 1, is_plain_loopback=False)),
        ("https://[2001:db8::1]", Endpoint("https://[2001:db8::1]", "2001:db8::1", 443, is_plain_loopback=False)),
        (
            "https://xn--bcher-kva.example",
            Endpoint("https://xn--bcher-kva.example", "xn--bcher-kva.example", 443, is_plain_loopback=False),
        ),
        (
            "https://my_host.internal:65535",
            Endpoint("https://my_host.internal:65535", "my_host.internal", 65535, is_plain_loopback=False),
        ),
    ],
)
def test_a_base_url_is_read_into_an_endpoint(base_url: str | None, endpoint: Endpoint) -> None:
    """The trailing slash is dropped, a prefix and a port are kept."""
    assert read_endpoint(base_url, allow_http=False) == endpoint
    if base_url is not None:
        assert url_of(base_url) == endpoint.url


def test_a_base_url_may_be_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An argument wins, and an empty variable is none."""
    monkeypatch.setenv("WORKOS_BASE_URL", "https://gateway.example/workos/")
    assert read_endpoint(None, allow_http=False).url == "https://gateway.example/workos"
    assert read_endpoint("https://other.example", allow_http=False).url == "https://other.example"
    monkeypatch.setenv("WORKOS_BASE_URL", "")
    assert read_endpoint(None, allow_http=False).url == "https://api.workos.com"


@pytest.mark.parametrize("base_url", [b"https://api.workos.com", 7, ["https://api.workos.com"]], ids=repr)
def test_a_base_url_is_text(base_url: object) -> None:
    """The error shows what it looks like."""
    for make in (RequestsTransport, MFA):
        with pytest.raises(TypeError, match=r"^base_url must be a str such as 'https://api\.workos\.com'$"):
            make(KEY, base_url=base_url)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "base_url",
    [
        "https://user:SENTINEL@api.workos.com",
        "https://SENTINEL@api.workos.com",
        "https://@api.workos.com",
        "https://api.workos.com@SENTINEL.example",
        "https://api.workos.com\\@SENTINEL.example",
        "http://localhost@SENTINEL.example",
        "http://127.0.0.1:80@SENTINEL.example/",
    ],
)
def test_a_base_url_has_no_user(base_url: str) -> None:
    """A password there is in the wrong place, and what looks like a host before the @ is none."""
    assert refusal_of(base_url) == ("the base URL must not hold a user name or a password: the API key is all it takes")


@pytest.mark.parametrize(
    "base_url", ["https://api.workos.com?SENTINEL", "https://api.workos.com/#SENTINEL", "https://a.example/b?c=d#e"]
)
def test_a_base_url_ends_with_its_path(base_url: str) -> None:
    """A query would be cut in two by what is added to it."""
    assert refusal_of(base_url) == "the base URL must end with its path: take away what follows ? or #"


@pytest.mark.parametrize(
    "base_url",
    [
        "api.workos.com",
        "//api.workos.com",
        "ftp://SENTINEL",
        "file:///etc/passwd",
        "localhost:4100",
        "/auth",
        "a:b",
        "httpss://api.workos.com",
        "http+unix://x",
        "javascript://x",
    ],
)
def test_a_base_url_begins_with_https(base_url: str) -> None:
    """Nothing is guessed."""
    assert refusal_of(base_url) == "the base URL must begin with https://"


@pytest.mark.parametrize(
    "base_url",
    [
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
    ],
    ids=ascii,
)
def test_a_base_url_that_cannot_be_read_is_refused(base_url: str) -> None:
    """Spaces, other scripts, ports that are none: the error shows what one looks like."""
    text = refusal_of(base_url)
    assert text.startswith("the base URL can't be read: it must look like https://api.workos.com, in ASCII")
    assert "SENTINEL" not in text


@pytest.mark.parametrize(
    "base_url",
    [
        "https:",
        "https://",
        "https:///path",
        "https:/api.workos.com",
        "https://:443",
        "https://.",
        "https://a..example-",
        "https://-a.example",
        "https://a.example.",
        "https://SENTINEL%2eexample",
        "https://SENTINEL\\.workos.com",
        "https://a,b",
        "https://*.a",
        "https://<host>",
        "https://[SENTINEL]",
        "https://[v1.SENTINEL]",
        "https://[v1.SENTINEL:1]",
        "http://[localhost]",
        "http://[127.0.0.1]",
        "http://localhost.",
        "http://SENTINEL.example[::1]",
        "http://[::1]SENTINEL.example",
        "http://SENTINEL.example:80[::1]",
        "http://SENTINEL.example\\[::1]",
        "http://[::1]\\SENTINEL.example",
        "http://localhost\\.SENTINEL.example",
        "http://localhost:80\\.SENTINEL.example",
        "http://localhost%00.SENTINEL.example",
        "http://[[::1]]",
        "http://[::1]]",
        "http://[::1][::1]",
        "http://[::1%25SENTINEL]",
        "http://[::1]:80:80",
        "http:localhost",
        "http:\\\\localhost",
        "http:///localhost",
    ],
)
def test_a_base_url_has_a_host(base_url: str) -> None:
    """One that no library reads in another way."""
    text = refusal_of(base_url)
    assert text.startswith(("the base URL has no host that can be used", "the base URL can't be read"))
    assert "SENTINEL" not in text


@settings(max_examples=1000)
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


@pytest.mark.parametrize(
    "path",
    ["/..", "/../admin", "/a/../b", "/a/.", "/./a", "/a\\b", "/a|b", '/a"b', "/a<b>", "/{id}", "/a^b", "/`a`", "/[a]"],
)
def test_a_base_urls_path_is_plain(path: str) -> None:
    """A prefix that would lead somewhere else once it is put together is no prefix."""
    assert refusal_of(f"https://SENTINEL.example{path}") == (
        "the base URL's path has a character or a dot segment in it that can't be used"
    )


ELSEWHERE = [
    "http://api.workos.com",
    "http://api.workos.com:443",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example",
    "http://evil.example/localhost",
    "http://127.1",
    "http://127.0.1",
    "http://0x7f.1",
    "http://0x7f000001",
    "http://2130706433",
    "http://0177.0.0.1",
    "http://127.0.0.01",
    "http://0.0.0.0",
    "http://[::]",
    "http://[::ffff:127.0.0.1]",
    "http://[::ffff:7f00:1]",
    "http://[::127.0.0.1]",
    "http://[::2]",
    "http://128.0.0.1",
    "http://126.255.255.255",
    "http://192.168.0.1",
    "http://10.0.0.1:4100",
    "http://my-localhost",
    "http://localhost6",
    "http://foo.localhost",
]


@pytest.mark.parametrize("base_url", ELSEWHERE)
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


def test_a_port_of_zero_is_no_port() -> None:
    """Nobody listens there; the library would connect to it all the same."""
    assert "can't be" in refusal_of("https://gateway.example:0")
