"""A session that the user passes: it is used as it is, and never changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from tests.loopback import Server
from tests.transports.api import FACTOR_ID, KEY, respond_without_end
from workos_mfa import (
    MFA,
    ConfigurationError,
    ConnectError,
    ConnectionLostError,
    RequestsTransport,
    RetryingTransport,
    TransportError,
    UnexpectedResponseError,
)

REPEATS = "mount an HTTPAdapter without max_retries"


def set_on_the_adapter(session: requests.Session, url: str, retries: object) -> None:
    """Change the adapter that is there: requests hands on what is no Retry, and urllib3 makes one of it."""
    vars(session.get_adapter(url))["max_retries"] = retries


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """The session."""
    with requests.Session() as session:
        yield session


@pytest.fixture
def mfa(session: requests.Session, server: Server) -> MFA:
    """A client on it."""
    return MFA(transport=RequestsTransport(KEY, base_url=server.url, session=session))


def test_it_is_never_changed(session: requests.Session, server: Server) -> None:
    """Nothing of the session is changed, and closing the transport does not close it."""

    def state() -> tuple[object, ...]:
        return dict(session.headers), dict(session.adapters), session.auth, session.verify, session.trust_env

    session.headers["X-Company"] = "Foo"
    session.params = {"tenant": "foo"}
    before = state()
    transport = RequestsTransport(KEY, base_url=server.url, session=session)
    MFA(transport=transport).get_factor("auth_factor_1")
    transport.close()
    MFA(transport=transport).challenge_factor("auth_factor_1")
    assert before == state()
    assert server.connections == 1
    assert [(sent.path, sent.headers["x-company"], sent.body) for sent in server.received] == [
        ("/auth/factors/auth_factor_1?tenant=foo", "Foo", b""),
        ("/auth/factors/auth_factor_1/challenge?tenant=foo", "Foo", b"{}"),
    ]


def test_its_hooks_may_read_the_body(session: requests.Session, mfa: MFA) -> None:
    """A hook that reads the response does not take it away."""
    read: list[dict[str, Any]] = []
    session.hooks["response"].append(lambda response, **_: read.append(response.json()))
    assert mfa.get_factor(FACTOR_ID).id == FACTOR_ID
    assert [body["id"] for body in read] == [FACTOR_ID]


@pytest.mark.parametrize("mounted_at", ["https://api.workos.com", "https://api.workos.com/", "https://"])
@pytest.mark.parametrize("retries", [1, Retry(total=None, connect=1), Retry(3, status_forcelist=[503])])
def test_one_that_repeats_is_refused_at_once(retries: int | Retry, mounted_at: str, session: requests.Session) -> None:
    """An adapter with retries of its own would send a call twice."""
    session.mount(mounted_at, HTTPAdapter(max_retries=retries))
    with pytest.raises(ConfigurationError, match=REPEATS):
        RequestsTransport(KEY, session=session)


@pytest.mark.parametrize("retries", [3, None, True, 2.0, "3"])
def test_one_that_was_set_to_repeat_is_refused(
    retries: object, session: requests.Session, server: Server, mfa: MFA
) -> None:
    """Whatever urllib3 makes retries of; None is its own three, and no zero."""
    set_on_the_adapter(session, server.url, retries)
    with pytest.raises(ConfigurationError, match=REPEATS):
        RequestsTransport(KEY, base_url=server.url, session=session)
    with pytest.raises(ConfigurationError, match=REPEATS):
        mfa.challenge_factor("auth_factor_1")
    assert server.received == []


@pytest.mark.parametrize("mounted_at", ["{url}/", "{url}/auth/", "http://localhost"])
def test_one_that_repeats_is_refused_wherever_it_is_mounted(
    mounted_at: str, session: requests.Session, server: Server, mfa: MFA
) -> None:
    """However long the prefix, and also if it is mounted later: before anything is sent."""
    session.mount(mounted_at.format(url=server.url), HTTPAdapter(max_retries=Retry(3, allowed_methods=None)))
    with pytest.raises(ConfigurationError, match=REPEATS):
        mfa.challenge_factor("auth_factor_1")
    assert server.received == []


@pytest.mark.parametrize("retries", [0, False, Retry(0)])
def test_one_that_does_not_repeat_is_taken(
    retries: object, session: requests.Session, server: Server, mfa: MFA
) -> None:
    """A zero in any form is none, and adapters for other hosts don't matter: the call is sent once."""
    session.mount("https://elsewhere.example", HTTPAdapter(max_retries=5))
    set_on_the_adapter(session, server.url, retries)
    server.behaviour = lambda _, line: line.reset()
    with pytest.raises(ConnectionLostError):
        mfa.challenge_factor("auth_factor_1")
    assert len(server.received) == 1


@pytest.mark.parametrize(
    "failure",
    [
        OSError(28, "No space left on device"),
        requests.exceptions.ConnectTimeout("the audit host"),
        requests.exceptions.InvalidURL("the audit host"),
    ],
)
def test_a_hook_that_fails_is_no_connection_that_was_not_made(
    failure: OSError, session: requests.Session, server: Server
) -> None:
    """A hook runs when the response is there: what fails in it is unclear, and nothing is sent again."""

    def fail(*_: object, **__: object) -> None:
        raise failure

    session.hooks["response"].append(fail)
    transport = RetryingTransport(RequestsTransport(KEY, base_url=server.url, session=session))
    with pytest.raises(TransportError, match="a hook of the session") as caught:
        MFA(transport=transport).challenge_factor("auth_factor_1")
    assert caught.value.outcome_unknown
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("setting", "files"),
    [("cert", ("/no/such/certificate.pem", "/no/such/key.pem")), ("verify", "/no/such/certificate.pem")],
)
def test_a_certificate_that_is_missing(
    setting: str, files: object, session: requests.Session, server: Server, mfa: MFA
) -> None:
    """A client certificate or a bundle that is not there is told before anything is sent."""
    setattr(session, setting, files)
    with pytest.raises(ConnectError, match=r"certificate\.pem") as caught:
        mfa.challenge_factor("auth_factor_1")
    assert not caught.value.outcome_unknown
    assert server.received == []


def test_it_is_not_carried_over_a_fork(server: Server, mfa: MFA, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parent and child would read each other's responses from the session's connections."""
    mfa.get_factor("auth_factor_1")
    monkeypatch.setattr("os.getpid", lambda: -1)
    with pytest.raises(ConfigurationError, match="in each process"):
        mfa.get_factor("auth_factor_1")
    assert len(server.received) == 1


def test_a_redirect_is_not_read(server: Server, mfa: MFA) -> None:
    """Looking for where a redirect leads, requests would read its whole body, however long."""
    server.behaviour = respond_without_end(b"HTTP/1.1 307 Elsewhere\r\nLocation: http://[bad")
    with pytest.raises(UnexpectedResponseError, match="307"):
        mfa.get_factor("auth_factor_1")


def test_what_is_no_session_is_refused() -> None:
    """A session must be one of requests'."""
    with pytest.raises(TypeError, match=r"requests\.Session"):
        RequestsTransport(KEY, session=object())  # type: ignore[arg-type]
