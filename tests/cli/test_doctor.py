"""``workos-mfa doctor``: with each thing broken in turn, by real sockets, TLS and proxies on loopback."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timezone
from email.utils import formatdate
from pathlib import Path
from typing import Any, Protocol

import pytest
import trustme

from tests.loopback import Behaviour, Line, Received, serving, unused_port
from tests.operations import GENERIC_FACTOR
from tests.transports.stages import (
    ESTABLISHED,
    World,
    authority,
    connecting_hangs,
    context_of,
    over_tls,
    reset,
    resolve,
    send_and_hang_up,
    tls_never_begins,
    trust,
    tunnel,
)
from workos_mfa._cli import main
from workos_mfa._cli.certificate import issuer_of
from workos_mfa._cli.doctor import show
from workos_mfa._cli.network_checks import Finding

KEY = "sk_test_sentinelkey"
PASSWORD = "sentinel%2Fpass"
SENTINELS = (KEY, "sentinelkey", PASSWORD, "sentinel/pass")
NOT_FOUND = {"code": "entity_not_found", "message": "Authentication Factor not found: 'x'.", "entity_id": "x"}

Setting = Callable[[World], AbstractContextManager[str]]


def api(_: Received, line: Line) -> None:
    """Respond as the API does to the call, with the right time."""
    line.respond(404, NOT_FOUND, {"Date": formatdate(usegmt=True)})


class Examine(Protocol):
    """Runs the command, and gives its findings by the names of the checks, and whether all is good."""

    def __call__(self) -> tuple[dict[str, Any], bool]:
        """Run it."""
        ...


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    """A key is in the environment, and nothing else that matters."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("WORKOS_API_KEY", KEY)
    return World(monkeypatch, tmp_path)


@pytest.fixture
def examine(capsys: pytest.CaptureFixture[str]) -> Examine:
    """Run the command. Neither the key nor a password is ever in what it says."""

    def run() -> tuple[dict[str, Any], bool]:
        status = main.main(["doctor", "--json"])
        said = capsys.readouterr()
        assert [value for value in SENTINELS if value in said.out + said.err] == []
        report = json.loads(said.out)
        assert status == (0 if report["good"] else 1)
        return {finding["check"]: finding for finding in report["checks"]}, report["good"]

    return run


def at(behaviour: Behaviour) -> Setting:
    """The API, in plain http on this machine, does this."""

    @contextlib.contextmanager
    def setting(_: World) -> Iterator[str]:
        with serving(behaviour) as server:
            yield server.url

    return setting


def secured(certificate: Callable[[], trustme.LeafCert] | None = None, *, bundle: str | None = None) -> Setting:
    """The API has this certificate, and the client this bundle in place of the one that fits."""

    @contextlib.contextmanager
    def setting(world: World) -> Iterator[str]:
        with over_tls(api, certificate)(world) as stage:
            if bundle is not None:
                world.monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
            yield stage.url

    return setting


def behind_a_proxy(behaviour: Behaviour, *, user: str = "") -> Setting:
    """A proxy that does this with a CONNECT stands before the API."""

    @contextlib.contextmanager
    def setting(world: World) -> Iterator[str]:
        with over_tls(api)(world) as stage, serving(behaviour) as proxy:
            world.monkeypatch.setenv("HTTPS_PROXY", f"http://{user}localhost:{proxy.port}")
            yield stage.url

    return setting


def with_variables(url: str = "https://localhost", **variables: str | None) -> Setting:
    """These variables are set, or, if None, are not."""

    @contextlib.contextmanager
    def setting(world: World) -> Iterator[str]:
        for name, value in variables.items():
            if value is None:
                world.monkeypatch.delenv(name)
            else:
                world.monkeypatch.setenv(name, value)
        yield url

    return setting


def staged(setting: Callable[[World], AbstractContextManager[Any]]) -> Setting:
    """A stage of the fault table, with so little time that a test need not wait."""

    @contextlib.contextmanager
    def setting_of_a_url(world: World) -> Iterator[str]:
        world.monkeypatch.setenv("WORKOS_REQUEST_TIMEOUT", "0.3")
        with setting(world) as stage:
            yield stage.url

    return setting_of_a_url


@contextlib.contextmanager
def nobody_listens(_: World) -> Iterator[str]:
    """No server is there."""
    yield f"http://127.0.0.1:{unused_port()}"


@contextlib.contextmanager
def no_such_name(world: World) -> Iterator[str]:
    """The name stands for nothing."""
    resolve(world, "name.invalid")
    yield "https://name.invalid"


@contextlib.contextmanager
def no_such_proxy(world: World) -> Iterator[str]:
    """The proxy's name stands for nothing."""
    resolve(world, "proxy.invalid")
    world.monkeypatch.setenv("all_proxy", f"http://me:{PASSWORD}@proxy.invalid:3128")
    yield "https://localhost"


@contextlib.contextmanager
def no_proxy_listens(world: World) -> Iterator[str]:
    """Nobody listens where the proxy should be."""
    world.monkeypatch.setenv("https_proxy", f"http://me:{PASSWORD}@127.0.0.1:{unused_port()}")
    yield "https://localhost"


@contextlib.contextmanager
def a_mail_server(_: World) -> Iterator[str]:
    """The port is that of a server which speaks first and in plain text."""

    def greet_all() -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = listener.accept()
                with sock, contextlib.suppress(OSError):  # who only looks has gone by now
                    sock.sendall(b"220 mail.example ready\r\n")
                    sock.recv(65536)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        greeter = threading.Thread(target=greet_all)
        greeter.start()
        yield f"https://localhost:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        greeter.join()


@contextlib.contextmanager
def a_stranger_behind_a_closing_door(world: World) -> Iterator[str]:
    """A certificate that nobody trusts, from a server that takes one connection."""
    with over_tls(api)(world) as stage:
        world.monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        handshake = ssl.SSLSocket.do_handshake

        def once(self: ssl.SSLSocket, *arguments: Any) -> None:
            if self.context.verify_mode is ssl.CERT_NONE and not self.server_side:
                raise ConnectionResetError
            handshake(self, *arguments)

        world.monkeypatch.setattr(ssl.SSLSocket, "do_handshake", once)
        yield stage.url


def expired() -> trustme.LeafCert:
    """A certificate whose time is over."""
    return authority().issue_cert("localhost", not_after=datetime(2020, 1, 1, tzinfo=timezone.utc))


def says(status: int, body: object, *, seconds_off: float = 0) -> Setting:
    """The API responds with this, by a clock that is so far from right."""

    def behave(_: Received, line: Line) -> None:
        line.respond(status, body, {"Date": formatdate(time.time() + seconds_off, usegmt=True)})

    return at(behave)


WITH_A_USER = f"me:{PASSWORD}@"
HTML = b"<html><title>Please log in</title></html>"
FOUND = {**GENERIC_FACTOR, "id": f"auth_factor_{'0' * 26}"}

# What is broken, the check that says so, what it says and what it advises.
BROKEN: dict[str, tuple[Setting, str, str, str]] = {
    "no key": (with_variables(WORKOS_API_KEY=None), "key", "WORKOS_API_KEY is not set", "export WORKOS_API_KEY"),
    "a key with a line break": (with_variables(WORKOS_API_KEY=f"{KEY}\n"), "key", "white space", "set it again"),
    "a client id": (with_variables(WORKOS_API_KEY="client_sentinelkey"), "key", "does not begin with sk_", "dashboard"),
    "a base URL with a password": (
        with_variables(f"https://me:{PASSWORD}@localhost"),
        "base url",
        "must not hold a user name or a password",
        "WORKOS_BASE_URL",
    ),
    "a timeout that is none": (
        with_variables(WORKOS_REQUEST_TIMEOUT="soon"),
        "timeout",
        "must be a number of seconds",
        "WORKOS_REQUEST_TIMEOUT",
    ),
    "a proxy that is none": (
        with_variables(HTTPS_PROXY=f"ftp://{WITH_A_USER}localhost"),
        "proxy",
        "the proxy in HTTPS_PROXY must begin with http://",
        "unset it",
    ),
    "a name that nobody has": (no_such_name, "dns", "name.invalid has no address: Name or serv", "WORKOS_BASE_URL"),
    "a name that can't be one": (with_variables("https://a..b"), "base url", "no host", "WORKOS_BASE_URL"),
    "a proxy that nobody has": (no_such_proxy, "dns", "the proxy's name proxy.invalid has no address", "all_proxy"),
    "no server": (nobody_listens, "tcp", "Connection refused", "HTTPS_PROXY"),
    "a server that is silent": (staged(connecting_hangs), "tcp", "no response in time", "a firewall"),
    "no proxy": (no_proxy_listens, "tcp", "Connection refused", "https_proxy: is the proxy running?"),
    "an authority that nobody knows": (
        secured(lambda: trustme.CA(organization_name="Acme Proxies").issue_cert("localhost")),
        "tls",
        "unable to get local issuer certificate; signed by Acme Proxies",
        "REQUESTS_CA_BUNDLE",
    ),
    "and who signed can't be told": (a_stranger_behind_a_closing_door, "tls", "signed by unknown", "in between"),
    "a certificate that has expired": (secured(expired), "tls", "has expired; signed by trustme", "clock of this"),
    "another host's certificate": (
        secured(lambda: authority().issue_cert("other.example")),
        "tls",
        "not valid for 'localhost'",
        "another host's",
    ),
    "a bundle that is missing": (
        secured(bundle="/no/such/bundle.pem"),
        "tls",
        "REQUESTS_CA_BUNDLE names '/no/such/bundle.pem'",
        "unset it",
    ),
    "a bundle of something else": (secured(bundle=__file__), "tls", "holds no certificates", "PEM"),
    "no TLS there": (a_mail_server, "tls", "the handshake failed: WRONG_VERSION", "the port for https"),
    "TLS that never begins": (staged(tls_never_begins), "tls", "failed: no response in time", "the port for https"),
    "a proxy that wants a password": (
        behind_a_proxy(lambda _, line: line.respond(407)),
        "tunnel",
        "the proxy refused: 407 Proxy Authentication Required",
        "give HTTPS_PROXY a user name and a password",
    ),
    "a proxy that refuses": (
        behind_a_proxy(send_and_hang_up(f"HTTP/1.1 403 not for {PASSWORD}\r\n\r\n".encode()), user=WITH_A_USER),
        "tunnel",
        "the proxy refused: 403 Forbidden",
        "let localhost through",
    ),
    "a proxy that says nonsense": (
        behind_a_proxy(send_and_hang_up(b"220 mail.example\r\n")),
        "tls",
        "the handshake failed: BadStatusLine",
        "the port for https",
    ),
    "a proxy that closes the tunnel": (
        behind_a_proxy(send_and_hang_up(ESTABLISHED)),
        "tls",
        "the handshake failed",
        "the port for https",
    ),
    "a key that is refused": (says(401, {"message": "Unauthorized"}), "call", "AuthenticationError: 401", "revoked"),
    "a key that may not": (says(403, {"message": "Forbidden"}), "call", "AuthorizationError: 403", "permissions"),
    "too many calls": (says(429, {"message": "Slow down"}), "call", "429", "wait a minute"),
    "a server that fails": (says(503, {"message": "Oh"}), "call", "ServerError: 503", "status.workos.com"),
    "a web page": (says(200, HTML), "call", "UnexpectedResponseError", "a login page of the network"),
    "a web page that is not found": (says(404, HTML), "call", "NotFoundError: 404", "check WORKOS_BASE_URL"),
    "a factor that can't be": (says(200, FOUND), "call", "a factor of an id that can't exist", "check WORKOS_BASE_URL"),
    "a key that is repeated": (says(400, {"message": f"no {KEY}\x1b[2J"}), "call", "400: no ***", "WORKOS_BASE_URL"),
    "a connection that breaks": (at(reset), "call", "ConnectionLostError", "who runs the network"),
    "a clock that is behind": (says(404, NOT_FOUND, seconds_off=100), "clock", " s behind the server's", "NTP"),
    "a clock that is ahead": (says(404, NOT_FOUND, seconds_off=-100), "clock", " s ahead of the server's", "NTP"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_what_is_broken_is_found(broken: str, world: World, examine: Examine) -> None:
    """One line is bad, and says what is wrong and what to do; all before it are good, and the status is 1."""
    setting, check, found, advice = BROKEN[broken]
    with setting(world) as url:
        world.monkeypatch.setenv("WORKOS_BASE_URL", url)
        findings, is_good = examine()
    bad = {name: finding for name, finding in findings.items() if finding["good"] is False}
    # Without a key all the rest is looked at, and here nobody listens.
    assert next(iter(bad)) == check
    assert set(bad) == {check} or check == "key"
    assert found in bad[check]["found"]
    assert advice.lower() in bad[check]["advice"].lower()
    assert "\x1b" not in bad[check]["found"]
    assert not is_good


@contextlib.contextmanager
def through_tls(world: World) -> Iterator[str]:
    """The API over TLS, with an authority that is in a folder."""
    with over_tls(api)(world) as stage:
        yield stage.url


@contextlib.contextmanager
def trusted_by_a_proxy_over_tls(world: World) -> Iterator[str]:
    """A proxy that itself speaks TLS."""
    with over_tls(api)(world) as stage, serving(tunnel, tls=context_of()) as proxy:
        world.monkeypatch.setenv("HTTPS_PROXY", f"https://localhost:{proxy.port}")
        yield stage.url


@contextlib.contextmanager
def excepted(world: World) -> Iterator[str]:
    """A proxy is set, but not for this host."""
    world.monkeypatch.setenv("NO_PROXY", "localhost")
    world.monkeypatch.setenv("HTTPS_PROXY", f"http://me:{PASSWORD}@127.0.0.1:1")
    with over_tls(api)(world) as stage:
        yield stage.url


@contextlib.contextmanager
def plain_http_elsewhere(world: World) -> Iterator[str]:
    """Plain http to a network of one's own, through a proxy."""

    def forward(request: Received, line: Line) -> None:
        assert request.path.startswith("http://api.internal/")
        api(request, line)

    with serving(forward) as proxy:
        world.monkeypatch.setenv("WORKOS_ALLOW_HTTP", "1")
        world.monkeypatch.setenv("HTTP_PROXY", f"localhost:{proxy.port}")
        yield "http://api.internal"


def with_key(key: str) -> Setting:
    """The API takes another key."""

    def setting(world: World) -> AbstractContextManager[str]:
        world.monkeypatch.setenv("WORKOS_API_KEY", key)
        return at(api)(world)

    return setting


GOOD: dict[str, tuple[Setting, dict[str, str]]] = {
    "plain http to this machine": (
        at(api),
        {
            "key": "a test key, in WORKOS_API_KEY",
            "proxy": "none: plain http to this machine",
            "dns": "localhost is 127.0.0.1",
            "tcp": "connected to 127.0.0.1, port",
            "tls": "none: the base URL is plain http",
            "call": "404 entity_not_found, as it should be",
            "clock": "within a few seconds",
            "timeout": "10 s",
            "base url": "by WORKOS_BASE_URL",
        },
    ),
    "TLS": (through_tls, {"tls": "signed by trustme", "proxy": "none: no variable sets one"}),
    "a proxy": (
        behind_a_proxy(tunnel, user=WITH_A_USER),
        {"proxy": "by HTTPS_PROXY, with a user name", "tls": "signed by trustme"},
    ),
    "a proxy over TLS": (trusted_by_a_proxy_over_tls, {"proxy": "https://localhost:", "tls": "not looked at through"}),
    "a proxy that is not for this host": (excepted, {"proxy": "HTTPS_PROXY is set, but NO_PROXY excepts this host"}),
    "plain http elsewhere": (plain_http_elsewhere, {"proxy": "http://localhost:", "tls": "none"}),
    "a live key": (
        with_key("sk_live_sentinelkey"),
        {"key": "a live key: calls reach real people"},
    ),
    "a key of no kind": (
        with_key("sk_sentinelkey"),
        {"key": "a key that names no kind"},
    ),
    "a response without a date": (at(lambda _, line: line.respond(404, NOT_FOUND)), {"clock": "not looked at"}),
}


@pytest.mark.parametrize("good", GOOD)
def test_what_is_good_is_told(good: str, world: World, examine: Examine) -> None:
    """If all is well the status is 0, and each line says what there is."""
    setting, expected = GOOD[good]
    with setting(world) as url:
        world.monkeypatch.setenv("WORKOS_BASE_URL", url)
        findings, is_good = examine()
    assert is_good, findings
    for check, found in expected.items():
        assert found in findings[check]["found"]
        assert findings[check]["advice"] == ""


def test_who_is_trusted(world: World, examine: Examine) -> None:
    """The file or the folder of certificates is named, with the variable that sets it."""
    file = trust(world)
    with over_tls(api)(world) as stage:
        world.monkeypatch.setenv("WORKOS_BASE_URL", stage.url)
        assert f"trusted is {file} (REQUESTS_CA_BUNDLE)" in examine()[0]["tls"]["found"]
        world.monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        assert "trusted is certifi's bundle" in examine()[0]["tls"]["found"]
        folder = world.folder / "empty"
        folder.mkdir()
        world.monkeypatch.setenv("CURL_CA_BUNDLE", str(folder))
        assert f"trusted is {folder} (CURL_CA_BUNDLE)" in examine()[0]["tls"]["found"]


def test_workos_is_the_default(world: World, examine: Examine) -> None:
    """Without a base URL it is WorkOS' own that is looked at."""
    resolve(world, "api.workos.com")
    findings, _ = examine()
    assert findings["base url"]["found"] == "https://api.workos.com, WorkOS' own"
    assert findings["call"] == {
        "check": "call",
        "good": None,
        "found": "not made, since something above is bad",
        "advice": "",
    }


def test_the_versions(world: World, examine: Examine) -> None:
    """What runs is named; an extra may be missing, and a library may not."""
    as_usual = importlib.metadata.version
    missing = {"segno"}

    def version(name: str) -> str:
        if name in missing:
            raise importlib.metadata.PackageNotFoundError(name)
        return as_usual(name)

    resolve(world, "api.workos.com")
    world.monkeypatch.setattr(importlib.metadata, "version", version)
    findings, _ = examine()
    assert f"requests {as_usual('requests')}, urllib3 {as_usual('urllib3')}" in findings["versions"]["found"]
    assert findings["versions"]["good"]
    assert "segno not installed (emulator)" in findings["extras"]["found"]
    assert findings["extras"]["good"]
    missing.add("certifi")
    findings, _ = examine()
    assert not findings["versions"]["good"]
    assert "certifi missing" in findings["versions"]["found"]


def test_a_person_reads_it_in_60_columns(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """In text each line has its mark, what is bad has its advice below it, and no line is longer than the window."""
    world.monkeypatch.setenv("COLUMNS", "60")
    with says(401, {"message": "Unauthorized"})(world) as url:
        world.monkeypatch.setenv("WORKOS_BASE_URL", url)
        assert main.main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "\nbad   call      AuthenticationError: 401" in said
    assert "\n                -> take the key from the WorkOS dashboard" in said
    assert "\ngood  clock     within a few seconds" in said
    assert max(map(len, said.splitlines())) <= 60
    assert KEY not in said


@pytest.mark.parametrize(
    "certificate", [b"", b"\x30", b"\x30\x03\x30\x01\x02", b"\x30\x82\xff", b"\x30\x04\x30\x02\x02\x00"]
)
def test_what_is_no_certificate_was_signed_by_nobody_known(certificate: bytes) -> None:
    """Bytes that can't be read as a certificate are no traceback."""
    assert issuer_of(certificate) == "unknown"


@pytest.mark.parametrize("name", ["Acme\x1b]0;x\x07Proxies", "Acme\x9b2JProxies", "Acme\u202eProxies", "Acme\nProxies"])
def test_an_authority_moves_no_cursor(name: str) -> None:
    """Whoever stands in between chooses the names in a certificate, also in one that is refused."""
    pem = trustme.CA(organization_name=name).cert_pem.bytes().decode()
    said = issuer_of(ssl.PEM_cert_to_DER_cert(pem))
    assert said.isprintable()
    assert said.startswith("Acme ")


def test_a_finding_moves_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever was found, the only control characters are those of our colours."""
    show(Finding("call", good=False, found="x\x1b[2J\x9by", advice="z\x1b[2J"))
    assert capsys.readouterr().out == "bad   call      x [2J y\n                -> z [2J\n"
