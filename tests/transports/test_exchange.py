"""What is sent, how a response is read, and what goes with threads and processes."""

from __future__ import annotations

import gzip
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.loopback import Server, serving
from tests.race import race
from tests.transports.api import (
    FACTOR,
    FACTOR_ID,
    KEY,
    Connect,
    TransportFactory,
    on_every_connection,
    respond_rightly,
    respond_without_end,
)
from workos_mfa import (
    MFA,
    AuthenticationError,
    InvalidInputError,
    MFAError,
    Request,
    RequestsTransport,
    UnexpectedResponseError,
)

MIB = 1024 * 1024


def test_headers_of_a_request(server: Server, connect: Connect) -> None:
    """A request may have headers of its own; they replace none of the usual ones, however they are written."""
    headers = {"Idempotency-Key": "key_1", "authorization": "Bearer mine", "USER-AGENT": "mine", "Host": "mine"}
    connect(server).send(Request("own", "POST", "/auth/factors/x", "/auth/factors/{id}", json={}, headers=headers))
    sent = server.received[0].headers
    assert sent["idempotency-key"] == "key_1"
    assert "mine" not in "".join(sent.values())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, "hunter2") for name in ("Authorization ", "X\r\nHost", "X:Y", "É", "")),
        *(
            ("X-Own", value)
            for value in ("hunter2\r\nX: y", "hunter2\n folded", "hunter2\0", "hunter2é", "hunter2\x7f")
        ),
        *((name, "hunter2") for name in ("Transfer-Encoding", "CONNECTION", "te", "Trailer", "Upgrade", "Expect")),
        *((name, "hunter2") for name in ("Cookie", "Proxy-Authorization", "Keep-Alive", "Proxy-Connection")),
    ],
)
def test_a_header_that_is_refused(name: str, value: str, server: Server, connect: Connect) -> None:
    """A header that could be read as another one, or is about the connection, is refused before anything is sent."""
    request = Request("own", "POST", "/auth/factors/x", "/auth/factors/{id}", json={}, headers={name: value})
    with pytest.raises(InvalidInputError, match="headers") as caught:
        connect(server).send(request)
    assert "hunter2" not in f"{caught.value!r} {vars(caught.value)}"
    assert (caught.value.parameter, caught.value.__context__) == ("headers", None)
    assert server.connections == 0


@pytest.mark.parametrize("headers", [{"X-Own": 5}, {b"X-Own": "5"}])
def test_a_header_of_another_type(headers: dict[str, str], server: Server, connect: Connect) -> None:
    """A header that is no text is a mistake of the program."""
    with pytest.raises(TypeError, match="headers must be names and values of type str, not"):
        connect(server).send(Request("own", "GET", "/auth/factors/x", "/auth/factors/{id}", headers=headers))


def test_what_is_sent(server: Server, connect: Connect) -> None:
    """The headers and the body of each call, to the last one."""
    transport = connect(server)
    mfa = MFA(transport=transport)
    mfa.enroll_factor(type="generic_otp")
    mfa.challenge_factor("auth_factor_1")
    mfa.get_factor("auth_factor_1")
    mfa.delete_factor("auth_factor_1")
    transport.send(Request(operation="own", method="POST", path="/auth/factors/x", route="/auth/factors/{id}"))
    user_agent = server.received[0].headers["user-agent"]
    assert user_agent.startswith("workos-mfa-python/")
    always = {
        "host": f"localhost:{server.port}",
        "user-agent": user_agent,
        "accept-encoding": "identity",
        "authorization": f"Bearer {KEY}",
    }
    json = {"content-type": "application/json"}
    assert [(sent.body, sent.headers) for sent in server.received] == [
        (b'{"type": "generic_otp"}', {**always, **json, "content-length": "23"}),
        (b"{}", {**always, **json, "content-length": "2"}),
        (b"", always),
        (b"", always),
        # A request of a user's own, whose method has a body, does not make the server wait for one.
        (b"", {**always, "content-length": "0"}),
    ]


def test_netrc_does_not_replace_the_key(
    server: Server, transport_class: TransportFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ~/.netrc that knows the host is not asked."""
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine localhost login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for transport in (
        transport_class(KEY, base_url=server.url),
        RequestsTransport(KEY, base_url=server.url, session=requests.Session()),
    ):
        MFA(transport=transport).get_factor("auth_factor_1")
    assert [sent.headers["authorization"] for sent in server.received] == [f"Bearer {KEY}"] * 2


def test_cookies_are_not_kept(server: Server, mfa: MFA) -> None:
    """A cookie of the edge in front of the API is not sent back."""
    server.behaviour = lambda _, line: line.respond(200, FACTOR, {"Set-Cookie": "__cf_bm=x; Path=/"})
    mfa.get_factor(FACTOR_ID)
    mfa.get_factor(FACTOR_ID)
    assert "cookie" not in server.received[1].headers


@on_every_connection
def test_a_redirect_never_gets_the_key(server: Server, mfa: MFA) -> None:
    """A redirect to another host ends in an error, and that host hears nothing; its long body is not read."""
    with serving(respond_rightly) as elsewhere:
        server.behaviour = lambda _, line: line.respond(307, b"x" * 5_000_000, {"Location": elsewhere.url})
        with pytest.raises(UnexpectedResponseError, match="307"):
            mfa.get_factor("auth_factor_1")
        assert elsewhere.received == []


COMPRESSED = gzip.compress(b'{"valid": true}')


@pytest.mark.parametrize(
    ("status", "body", "encoding", "error", "text"),
    [
        # Compressed, though the request asks for a response that is not.
        pytest.param(200, COMPRESSED, "gzip", UnexpectedResponseError, "it is compressed", id="gzip"),
        pytest.param(200, COMPRESSED, "br", UnexpectedResponseError, "it is compressed", id="br"),
        pytest.param(200, COMPRESSED, "gzip, gzip", UnexpectedResponseError, "it is compressed", id="twice"),
        # An error stays the error that its status says, compressed or however long.
        pytest.param(401, COMPRESSED, "gzip", AuthenticationError, "401", id="a compressed error"),
        pytest.param(401, b" " * (MIB + 2), "identity", AuthenticationError, "longer than 1 MiB", id="a long error"),
    ],
)
def test_a_body(
    status: int, body: bytes, encoding: str, error: type[MFAError], text: str, server: Server, mfa: MFA
) -> None:
    """It is read if it is not compressed, and at most 1 MiB long."""
    server.behaviour = lambda _, line: line.respond(status, body, {"Content-Encoding": encoding})
    with pytest.raises(error, match=text):
        mfa.get_factor("auth_factor_1")


def test_a_body_without_end(server: Server, mfa: MFA) -> None:
    """An endless body is left after the limit, and its connection is closed."""
    server.behaviour = respond_without_end(b"HTTP/1.1 200 OK")
    with pytest.raises(UnexpectedResponseError, match="longer than 1 MiB"):
        mfa.get_factor("auth_factor_1")
    server.behaviour = respond_rightly
    mfa.get_factor("auth_factor_1")
    assert server.connections == 2


@pytest.mark.parametrize("key", [KEY, "k&4711+x", "plainwords"])
def test_an_echoed_key(key: str, server: Server, transport_class: TransportFactory) -> None:
    """A key that the server repeats in its error, or in its id for the request, is masked, whatever it looks like."""
    echo = {"message": f"bad key {key}", "code": key}
    server.behaviour = lambda _, line: line.respond(401, echo, {"X-Request-Id": f"req-{key}-1"})
    transport = transport_class(key, base_url=server.url)
    with pytest.raises(AuthenticationError) as caught:
        MFA(transport=transport).get_factor("auth_factor_1")
    transport.close()
    assert key not in str(vars(caught.value))
    assert caught.value.message == "bad key ***"
    assert caught.value.request_id == "req-***-1"


@on_every_connection
@pytest.mark.parametrize(
    ("factor_id", "segment"),
    [
        ("../x", "..%2Fx"),
        ("..%2fx", "..%252fx"),
        ("%2e%2e", "%252e%252e"),
        ("a?b#c;d", "a%3Fb%23c%3Bd"),
        ("a\\b c", "a%5Cb%20c"),
        ("é", "%C3%A9"),
    ],
)
def test_an_id_on_the_wire(factor_id: str, segment: str, server: Server, mfa: MFA) -> None:
    """What the server is asked for is the one segment that the id makes, whichever library sends it."""
    mfa.get_factor(factor_id)
    assert [sent.path for sent in server.received] == [f"/auth/factors/{segment}"]


def test_a_base_url_with_a_prefix(server: Server, connect: Connect) -> None:
    """A path prefix of the base URL is kept."""
    server.behaviour = lambda _, line: line.respond(200, {"object": "list", "data": [], "list_metadata": {}})
    mfa = MFA(transport=connect(f"{server.url}/mock/workos/"))
    mfa.list_user_auth_factors("user 1", limit=2, after="auth_factor_a&b")
    expected = "/mock/workos/user_management/users/user%201/auth_factors?after=auth_factor_a%26b&limit=2&order=desc"
    assert [sent.path for sent in server.received] == [expected]


def test_threads_keep_their_connections(server: Server, mfa: MFA) -> None:
    """Threads at once get each their own response, and open no more connections than there are threads."""

    def ask(thread: int) -> None:
        for number in range(10):
            factor_id = f"auth_factor_{thread}_{number}"
            assert mfa.get_factor(factor_id).id == factor_id

    race(ask, 32)
    assert len(server.received) == 320
    assert server.connections <= 32


FORKING = """
import os, sys
import workos_mfa

name, url = sys.argv[1:]
transport = getattr(workos_mfa, name)("sk_test_forked", base_url=url)
mfa = workos_mfa.MFA(transport=transport)
mfa.get_factor("auth_factor_of_the_parent")
child = os.fork()
if child == 0:
    os._exit(0 if mfa.verify_challenge("auth_challenge_of_the_child", code="123456") else 1)
assert os.waitpid(child, 0)[1] == 0
mfa.get_factor("auth_factor_of_the_parent_again")
transport.close()
"""


def test_a_fork(server: Server, transport_class: type[object]) -> None:
    """A child made by a fork opens a connection of its own and leaves the parent's alone."""
    arguments = [transport_class.__name__, server.url]
    subprocess.run([sys.executable, "-W", "error", "-c", FORKING, *arguments], check=True)  # noqa: S603 - our own
    assert len(server.received) == 3
    assert server.connections == 2


def test_the_first_call_in_another_process(server: Server, mfa: MFA, monkeypatch: pytest.MonkeyPatch) -> None:
    """It makes a connection of its own."""
    mfa.get_factor("auth_factor_1")
    monkeypatch.setattr("os.getpid", lambda: -1)
    mfa.get_factor("auth_factor_1")
    assert server.connections == 2


def test_a_closed_transport_connects_again(server: Server, connect: Connect) -> None:
    """A closed transport opens a new connection when it is used again."""
    transport = connect(server)
    MFA(transport=transport).get_factor("auth_factor_1")
    transport.close()
    MFA(transport=transport).get_factor("auth_factor_1")
    assert server.connections == 2


def test_it_is_not_pickled(connect: Connect, server: Server) -> None:
    """A transport holds a key and refuses to be pickled."""
    with pytest.raises(TypeError, match="holds a key"):
        pickle.dumps(connect(server))
