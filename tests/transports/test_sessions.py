"""Sessions: the transport's own keeps nothing, the user's is used as it is; and what goes with a process."""

from __future__ import annotations

import pickle
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from tests.loopback import Line, Received, Server, serving
from tests.race import race
from tests.transports.api import FACTOR, FACTOR_ID, KEY, TransportFactory, answer_rightly, on_every_connection
from workos_mfa import (
    MFA,
    AuthenticationError,
    ConfigurationError,
    ConnectError,
    ConnectionLostError,
    Request,
    RequestsTransport,
    RetryingTransport,
    Transport,
    TransportError,
    UnexpectedResponseError,
)
from workos_mfa._core.transport import MAX_BODY

Connect = Callable[[Server], Transport]


def test_what_is_sent(server: Server, connect: Connect) -> None:
    """The headers of a call, to the last one."""
    MFA(transport=connect(server)).enroll_factor(type="generic_otp")
    (sent,) = server.received
    assert sent.headers == {
        "host": f"localhost:{server.port}",
        "user-agent": sent.headers["user-agent"],
        "accept-encoding": "identity",
        "content-type": "application/json",
        "content-length": str(len(sent.body)),
        "authorization": f"Bearer {KEY}",
    }
    assert sent.headers["user-agent"].startswith("workos-mfa-python/")
    assert sent.json == {"type": "generic_otp"}


def test_a_call_without_a_body(server: Server, connect: Connect) -> None:
    """A GET and a DELETE send no body and no content type."""
    mfa = MFA(transport=connect(server))
    mfa.get_factor("auth_factor_1")
    mfa.delete_factor("auth_factor_1")
    for sent in server.received:
        assert sent.body == b""
        assert "content-type" not in sent.headers


def test_a_challenge_without_a_template(server: Server, connect: Connect) -> None:
    """The body that the API requires is there, empty."""
    MFA(transport=connect(server)).challenge_factor("auth_factor_1")
    assert server.received[0].body == b"{}"


def test_a_post_without_a_body(server: Server, connect: Connect) -> None:
    """A request of a user's own, with a method that has a body but none in it, does not wait for one."""
    request = Request(operation="own", method="POST", path="/auth/factors/x", route="/auth/factors/{id}")
    assert connect(server).send(request).status == 200
    assert server.received[0].headers["content-length"] == "0"


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
    assert {sent.headers["authorization"] for sent in server.received} == {f"Bearer {KEY}"}


def test_cookies_are_not_kept(server: Server, connect: Connect) -> None:
    """A cookie of the edge in front of the API is not sent back."""
    server.behaviour = lambda _, line: line.answer(200, FACTOR, {"Set-Cookie": "__cf_bm=x; Path=/"})
    mfa = MFA(transport=connect(server))
    mfa.get_factor(FACTOR_ID)
    mfa.get_factor(FACTOR_ID)
    assert "cookie" not in server.received[1].headers


@on_every_connection
def test_a_redirect_never_gets_the_key(server: Server, connect: Connect) -> None:
    """A redirect to another host ends in an error, and that host hears nothing; its long body is not read."""
    with serving(answer_rightly) as elsewhere:
        server.behaviour = lambda _, line: line.answer(307, b"x" * 5_000_000, {"Location": elsewhere.url})
        with pytest.raises(UnexpectedResponseError, match="307"):
            MFA(transport=connect(server)).get_factor("auth_factor_1")
        assert elsewhere.received == []


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate"])
def test_a_compressed_answer(encoding: str, server: Server, connect: Connect) -> None:
    """An answer that comes compressed, though nobody asked for it, is read."""
    body = compressed(b'{"code": "nope"}' + b" " * 100, 15 if encoding == "deflate" else 31)
    server.behaviour = lambda _, line: line.answer(401, body, {"Content-Encoding": encoding})
    with pytest.raises(AuthenticationError, match="nope"):
        MFA(transport=connect(server)).get_factor("auth_factor_1")


def compressed(body: bytes, window_bits: int) -> bytes:
    """The body in one piece, in zlib's or gzip's form."""
    compressor = zlib.compressobj(9, wbits=window_bits)
    return compressor.compress(body) + compressor.flush()


def test_a_decompression_bomb(server: Server, connect: Connect) -> None:
    """A small answer that would unpack to a gigabyte is refused, unpacked to no more than the limit."""
    bomb = compressed(b"\0" * 100_000_000, 31)
    server.behaviour = lambda _, line: line.answer(200, bomb, {"Content-Encoding": "gzip"})
    with pytest.raises(UnexpectedResponseError, match="longer than 1 MiB"):
        MFA(transport=connect(server)).get_factor("auth_factor_1")


@pytest.mark.parametrize("encoding", ["gzip", "br", "gzip, gzip"])
def test_an_encoding_that_is_none(encoding: str, server: Server, connect: Connect) -> None:
    """A body that is not what its encoding says, or in one that nobody asked for, can't be read."""
    server.behaviour = lambda _, line: line.answer(200, b"not packed", {"Content-Encoding": encoding})
    with pytest.raises(UnexpectedResponseError, match="not JSON"):
        MFA(transport=connect(server)).get_factor("auth_factor_1")


@pytest.mark.parametrize("damage", ["cut", "two in one"])
def test_a_compressed_answer_that_is_not_whole(damage: str, server: Server, connect: Connect) -> None:
    """What its checksum has not covered is not read, though it may look like a whole answer."""
    whole = compressed(b'{"valid": true}', 31)
    body = whole[:-4] if damage == "cut" else whole + whole
    server.behaviour = lambda _, line: line.answer(200, body, {"Content-Encoding": "gzip"})
    with pytest.raises(ConnectionLostError):
        MFA(transport=connect(server)).verify_challenge("auth_challenge_1", code="123456")


def test_a_body_without_end(server: Server, connect: Connect) -> None:
    """An endless body is left after the limit, and its connection is closed."""

    def flood(_: Received, line: Line) -> None:
        line.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            line.send(b"10000\r\n" + b" " * 65536 + b"\r\n")

    server.behaviour = flood
    mfa = MFA(transport=connect(server))
    with pytest.raises(UnexpectedResponseError, match="longer than 1 MiB"):
        mfa.get_factor("auth_factor_1")
    server.behaviour = answer_rightly
    mfa.get_factor("auth_factor_1")
    assert server.connections == 2


def test_an_endless_body_of_an_error(server: Server, connect: Connect) -> None:
    """An error stays the error that its status says, however long its body."""
    server.behaviour = lambda _, line: line.answer(401, b" " * (MAX_BODY + 2))
    with pytest.raises(AuthenticationError, match="longer than 1 MiB"):
        MFA(transport=connect(server)).get_factor("auth_factor_1")


@pytest.mark.parametrize("key", [KEY, "k&4711+x", "plainwords"])
def test_an_echoed_key(key: str, server: Server, transport_class: TransportFactory) -> None:
    """A key that the server repeats in its error, or in its id for the request, is masked, whatever it looks like."""
    echo = {"message": f"bad key {key}", "code": key}
    server.behaviour = lambda _, line: line.answer(401, echo, {"X-Request-Id": f"req-{key}-1"})
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
def test_an_id_on_the_wire(factor_id: str, segment: str, server: Server, connect: Connect) -> None:
    """What the server is asked for is the one segment that the id makes, whichever library sends it."""
    MFA(transport=connect(server)).get_factor(factor_id)
    assert [sent.path for sent in server.received] == [f"/auth/factors/{segment}"]


def test_a_base_url_with_a_prefix(server: Server, transport_class: TransportFactory) -> None:
    """A path prefix of the base URL is kept."""
    transport = transport_class(KEY, base_url=f"{server.url}/mock/workos/")
    MFA(transport=transport).list_user_auth_factors("user 1", limit=2, after="auth_factor_a&b")
    transport.close()
    expected = "/mock/workos/user_management/users/user%201/auth_factors?after=auth_factor_a%26b&limit=2&order=desc"
    assert [sent.path for sent in server.received] == [expected]


def test_threads_keep_their_connections(server: Server, connect: Connect) -> None:
    """Threads at once get each their own answer, and open no more connections than there are threads."""

    def answer_its_id(request: Received, line: Line) -> None:
        line.answer(200, {**FACTOR, "id": request.path.rpartition("/")[2]})

    server.behaviour = answer_its_id
    mfa = MFA(transport=connect(server))
    wrong: list[str] = []

    def ask(thread: int) -> None:
        for number in range(10):
            factor_id = f"auth_factor_{thread}_{number}"
            wrong.extend({mfa.get_factor(factor_id).id} - {factor_id})

    race(ask, 32)
    assert wrong == []
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


def test_a_fork(server: Server, transport_class: type[Transport]) -> None:
    """A child made by a fork opens a connection of its own and leaves the parent's alone."""
    arguments = [transport_class.__name__, server.url]
    subprocess.run([sys.executable, "-W", "error", "-c", FORKING, *arguments], check=True)  # noqa: S603 - our own
    assert len(server.received) == 3
    assert server.connections == 2


def test_a_new_session_in_another_process(server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first call in a process that is not the maker's takes a new session."""
    transport = connect(server)
    MFA(transport=transport).get_factor("auth_factor_1")
    monkeypatch.setattr("os.getpid", lambda: -1)
    MFA(transport=transport).get_factor("auth_factor_1")
    assert server.connections == 2


def test_closing_is_not_the_end(server: Server, connect: Connect) -> None:
    """A closed transport opens a new connection when it is used again."""
    transport = connect(server)
    mfa = MFA(transport=transport)
    mfa.get_factor("auth_factor_1")
    transport.close()
    mfa.get_factor("auth_factor_1")
    assert server.connections == 2


def test_it_is_not_pickled(connect: Connect, server: Server) -> None:
    """A transport holds a key and refuses to be pickled."""
    with pytest.raises(TypeError, match="holds a key"):
        pickle.dumps(connect(server))


class TestAGivenSession:
    """A session that the user passes."""

    def test_it_is_never_changed(self, server: Server) -> None:
        """Nothing of the session is changed, and closing the transport does not close it."""
        with requests.Session() as session:
            session.headers["X-Company"] = "Foo"
            session.params = {"tenant": "foo"}
            before = (dict(session.headers), dict(session.adapters), session.auth, session.verify, session.trust_env)
            transport = RequestsTransport(KEY, base_url=server.url, session=session)
            mfa = MFA(transport=transport)
            mfa.get_factor("auth_factor_1")
            transport.close()
            mfa.challenge_factor("auth_factor_1")
            after = (dict(session.headers), dict(session.adapters), session.auth, session.verify, session.trust_env)
        assert before == after
        assert server.connections == 1
        assert {sent.headers["x-company"] for sent in server.received} == {"Foo"}
        assert [sent.path for sent in server.received] == [
            "/auth/factors/auth_factor_1?tenant=foo",
            "/auth/factors/auth_factor_1/challenge?tenant=foo",
        ]
        assert server.received[1].body == b"{}"

    def test_its_hooks_may_read_the_body(self, server: Server) -> None:
        """A hook that reads the answer does not take it away."""
        read: list[object] = []
        with requests.Session() as session:
            session.hooks["response"].append(lambda response, **_: read.append(response.json()))
            transport = RequestsTransport(KEY, base_url=server.url, session=session)
            assert MFA(transport=transport).get_factor(FACTOR_ID).id == FACTOR_ID
        assert read == [FACTOR]

    @pytest.mark.parametrize("retries", [1, Retry(total=None, connect=1), Retry(3, status_forcelist=[503])])
    def test_one_that_repeats_is_refused(self, retries: int | Retry) -> None:
        """An adapter with retries of its own would send a call twice, and is refused."""
        with requests.Session() as session:
            session.mount("https://api.workos.com", HTTPAdapter(max_retries=retries))
            with pytest.raises(ConfigurationError, match="mount an HTTPAdapter without max_retries"):
                RequestsTransport(KEY, session=session)

    @pytest.mark.parametrize("retries", [3, None, True, 2.0, "3"])
    def test_one_that_was_set_to_repeat_is_refused(self, retries: object, server: Server) -> None:
        """What is no Retry, requests hands on and urllib3 makes one of; None is urllib3's own three, and no zero."""
        with requests.Session() as session:
            transport = RequestsTransport(KEY, base_url=server.url, session=session)
            vars(session.get_adapter(server.url))["max_retries"] = retries
            with pytest.raises(ConfigurationError, match="mount an HTTPAdapter without max_retries"):
                RequestsTransport(KEY, base_url=server.url, session=session)
            with pytest.raises(ConfigurationError, match="mount an HTTPAdapter without max_retries"):
                MFA(transport=transport).challenge_factor("auth_factor_1")
        assert server.received == []

    @pytest.mark.parametrize("retries", [0, False])
    def test_one_that_was_set_not_to_repeat_is_taken(self, retries: int, server: Server) -> None:
        """A plain zero is none."""
        with requests.Session() as session:
            vars(session.get_adapter(server.url))["max_retries"] = retries
            transport = RequestsTransport(KEY, base_url=server.url, session=session)
            server.behaviour = lambda _, line: line.reset()
            with pytest.raises(ConnectionLostError):
                MFA(transport=transport).challenge_factor("auth_factor_1")
        assert len(server.received) == 1

    @pytest.mark.parametrize("mounted_at", ["{url}/", "{url}/auth/", "http://localhost"])
    def test_one_that_repeats_is_refused_wherever_it_is_mounted(self, mounted_at: str, server: Server) -> None:
        """However long the prefix, and also if it is mounted later: before anything is sent."""
        with requests.Session() as session:
            transport = RequestsTransport(KEY, base_url=server.url, session=session)
            repeating = Retry(3, allowed_methods=None, status_forcelist=[503])
            session.mount(mounted_at.format(url=server.url), HTTPAdapter(max_retries=repeating))
            with pytest.raises(ConfigurationError, match="mount an HTTPAdapter without max_retries"):
                MFA(transport=transport).challenge_factor("auth_factor_1")
        assert server.received == []

    @pytest.mark.parametrize("mounted_at", ["https://api.workos.com/", "https://"])
    def test_one_that_repeats_is_refused_at_once(self, mounted_at: str) -> None:
        """Where it can be seen before the first call, it is."""
        with requests.Session() as session:
            session.mount(mounted_at, HTTPAdapter(max_retries=2))
            with pytest.raises(ConfigurationError):
                RequestsTransport(KEY, session=session)

    @pytest.mark.parametrize(
        "failure",
        [
            OSError(28, "No space left on device"),
            requests.exceptions.ConnectTimeout("the audit host"),
            requests.exceptions.InvalidURL("the audit host"),
        ],
    )
    def test_a_hook_that_fails_is_no_connection_that_was_not_made(self, failure: OSError, server: Server) -> None:
        """A hook runs when the answer is there: what fails in it is unclear, and nothing is sent again."""

        def fail(*_: object, **__: object) -> None:
            raise failure

        with requests.Session() as session:
            session.hooks["response"].append(fail)
            transport = RetryingTransport(RequestsTransport(KEY, base_url=server.url, session=session))
            with pytest.raises(TransportError, match="a hook of the session") as caught:
                MFA(transport=transport).challenge_factor("auth_factor_1")
        assert caught.value.outcome_unknown
        assert len(server.received) == 1

    def test_a_certificate_that_is_missing(self, server: Server) -> None:
        """A client certificate that is not there is told before anything is sent."""
        with requests.Session() as session:
            session.cert = ("/no/such/certificate.pem", "/no/such/key.pem")
            transport = RequestsTransport(KEY, base_url=server.url, session=session)
            with pytest.raises(ConnectError, match=r"certificate\.pem"):
                MFA(transport=transport).get_factor("auth_factor_1")
        assert server.received == []

    def test_it_is_not_carried_over_a_fork(self, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        """Parent and child would read each other's answers from the session's connections."""
        with requests.Session() as session:
            transport = RequestsTransport(KEY, base_url=server.url, session=session)
            MFA(transport=transport).get_factor("auth_factor_1")
            monkeypatch.setattr("os.getpid", lambda: -1)
            with pytest.raises(ConfigurationError, match="in each process"):
                MFA(transport=transport).get_factor("auth_factor_1")
        assert len(server.received) == 1

    def test_a_redirect_is_not_read(self, server: Server) -> None:
        """Looking for where a redirect leads, requests would read its whole body, however long."""

        def flood(_: Received, line: Line) -> None:
            line.send(b"HTTP/1.1 307 Elsewhere\r\nLocation: http://[bad\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                line.send(b"10000\r\n" + b" " * 65536 + b"\r\n")

        server.behaviour = flood
        with requests.Session() as session:
            transport = RequestsTransport(KEY, base_url=server.url, session=session)
            with pytest.raises(UnexpectedResponseError, match="307"):
                MFA(transport=transport).get_factor("auth_factor_1")

    def test_one_that_does_not_repeat_is_taken(self) -> None:
        """An adapter without retries is fine, and so is one for other hosts."""
        with requests.Session() as session:
            session.mount("https://api.workos.com", HTTPAdapter(max_retries=Retry(0)))
            session.mount("https://elsewhere.example", HTTPAdapter(max_retries=5))
            RequestsTransport(KEY, session=session)

    def test_what_is_no_session_is_refused(self) -> None:
        """A session must be one of requests'."""
        with pytest.raises(TypeError, match=r"requests\.Session"):
            RequestsTransport(KEY, session=object())  # type: ignore[arg-type]
