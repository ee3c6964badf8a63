"""Nothing twice: each fault, each call, with what happened counted on the server.

The table in ``EXPECTED`` reads like the one in the README.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import attrs
import pytest

from tests.loopback import Behaviour, Line, Received, Server, http_answer, serving, unused_port
from tests.transports.api import (
    ALL,
    CONVERGES,
    FACTOR,
    KEY,
    ONCE,
    SAFE,
    TransportFactory,
    all_calls,
    answer_rightly,
    first_then,
    right_answer,
)
from workos_mfa import (
    MFA,
    ConnectError,
    ConnectionLostError,
    MFAError,
    NotFoundError,
    RateLimitExceededError,
    RetryingTransport,
    RetryPolicy,
    ServerError,
    TransportTimeoutError,
    UnexpectedResponseError,
)

Repeated = Literal["again", "never"]


@attrs.frozen
class Fault:
    """What goes wrong with a request that has arrived, and what must follow from it."""

    behaviour: Behaviour
    safe: Repeated
    converges: Repeated
    once: Repeated
    unclear: bool
    error: type[MFAError]


def status(code: int, headers: Mapping[str, str] | None = None) -> Behaviour:
    """Answer with a status."""
    return lambda _, line: line.answer(code, {"message": "no"}, headers)


def lose_reply(_: Received, line: Line) -> None:
    """Act, and lose the answer."""
    line.hang_up()


def reset(_: Received, line: Line) -> None:
    """Act, and break the connection off."""
    line.reset()


def stall(_: Received, line: Line) -> None:
    """Act, and never answer."""
    line.stall()


def cut_body(request: Received, line: Line) -> None:
    """Act, and send half of the answer."""
    code, body = right_answer(request)
    answer = http_answer(code if body else 200, body or {})
    line.send(answer[:-1])
    line.hang_up()


def cut_chunks(_: Received, line: Line) -> None:
    """Act, and break off in the middle of a chunked answer."""
    line.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{")
    line.hang_up()


def not_http(_: Received, line: Line) -> None:
    """Act, and answer in no language that a client knows."""
    line.send(b"220 smtp ready\r\n")
    line.hang_up()


def unreadable(_: Received, line: Line) -> None:
    """Act, and answer with what is not JSON."""
    line.answer(200, b"<html>fine</html>")


def redirect(_: Received, line: Line) -> None:
    """Answer that the call is elsewhere."""
    line.answer(307, b"", {"Location": "/elsewhere"})


LOST, LATE, FAILED = ConnectionLostError, TransportTimeoutError, ServerError
EXPECTED: dict[str, Fault] = {
    "the reply is lost": Fault(lose_reply, "again", "again", "never", unclear=True, error=LOST),
    "reset": Fault(reset, "again", "again", "never", unclear=True, error=LOST),
    "stall": Fault(stall, "again", "again", "never", unclear=True, error=LATE),
    "cut-off body": Fault(cut_body, "again", "again", "never", unclear=True, error=LOST),
    "cut-off chunk": Fault(cut_chunks, "again", "again", "never", unclear=True, error=LOST),
    "not HTTP": Fault(not_http, "again", "again", "never", unclear=True, error=LOST),
    "429": Fault(status(429), "again", "again", "never", unclear=False, error=RateLimitExceededError),
    "429 with Retry-After": Fault(
        status(429, {"Retry-After": "0"}), "again", "again", "again", unclear=False, error=RateLimitExceededError
    ),
    **{
        str(code): Fault(status(code), "again", "again", "never", unclear=True, error=FAILED)
        for code in (500, 502, 503, 504, 520, 527, 530)
    },
    "501": Fault(status(501), "never", "never", "never", unclear=True, error=FAILED),
    "408": Fault(status(408), "never", "never", "never", unclear=True, error=MFAError),
    "404": Fault(status(404), "never", "never", "never", unclear=False, error=NotFoundError),
    "redirect": Fault(redirect, "never", "never", "never", unclear=True, error=UnexpectedResponseError),
}
CELLS = [(name, call) for name in EXPECTED for call in ALL if not (name.startswith("cut") and call == "delete_factor")]


def client(server: Server, transport_class: TransportFactory, fault: str = "") -> MFA:
    """A client that does not wait between attempts, and not long for an answer that will not come."""
    transport = RetryingTransport(
        transport_class(KEY, base_url=server.url), RetryPolicy(backoff=0, max_backoff=0), sleep=lambda _: None
    )
    return MFA(transport=transport, timeout=0.15 if fault == "stall" else 5)


def expected(fault: Fault, call: str) -> Repeated:
    """What the table says of a call."""
    return {**dict.fromkeys(ONCE, fault.once), **dict.fromkeys(SAFE, fault.safe)}.get(call, fault.converges)


def outcome(call: Callable[[], object]) -> MFAError | None:
    """The error of a call, or None where it worked."""
    try:
        call()
    except MFAError as error:
        return error
    return None


@pytest.mark.parametrize(("name", "call"), CELLS)
def test_a_fault_that_passes(name: str, call: str, transport_class: TransportFactory) -> None:
    """After one fault, what may be repeated works at the second attempt, and nothing else is sent again."""
    fault = EXPECTED[name]
    with serving(first_then(fault.behaviour, answer_rightly)) as server:
        error = outcome(all_calls(client(server, transport_class, name))[call])
        if expected(fault, call) == "again":
            assert error is None
            assert len(server.received) == 2
        else:
            assert isinstance(error, fault.error)
            assert len(server.received) == 1
            assert error.outcome_unknown is (fault.unclear and call not in SAFE)
            assert error.needs_new_challenge is (call == "verify_challenge" and (fault.unclear or name == "404"))
            assert [attempt.number for attempt in error.attempts] == [1]


@pytest.mark.parametrize(("name", "call"), CELLS)
def test_a_fault_that_stays(name: str, call: str, transport_class: TransportFactory) -> None:
    """A fault that stays ends in its error after three attempts, or after the only one there may be."""
    fault = EXPECTED[name]
    with serving(fault.behaviour) as server:
        error = outcome(all_calls(client(server, transport_class, name))[call])
        assert isinstance(error, fault.error)
        assert len(server.received) == len(error.attempts) == (3 if expected(fault, call) == "again" else 1)
        assert error.outcome_unknown is (fault.unclear and call not in SAFE)


@pytest.mark.parametrize("call", ALL)
def test_nobody_listens(call: str, transport_class: TransportFactory) -> None:
    """Where no connection can be made, every call is tried again, and it is clear that nothing was sent."""
    transport = transport_class(KEY, base_url=f"http://127.0.0.1:{unused_port()}")
    mfa = MFA(transport=RetryingTransport(transport, sleep=lambda _: None))
    error = outcome(all_calls(mfa)[call])
    assert isinstance(error, ConnectError)
    assert not isinstance(error, TransportTimeoutError)
    assert len(error.attempts) == 3
    assert not error.outcome_unknown
    assert "127.0.0.1" in str(error)
    assert "Connection refused" in str(error)


def test_no_such_host(transport_class: TransportFactory) -> None:
    """A name that does not resolve is a connection that was not made."""
    mfa = MFA(transport=transport_class(KEY, base_url="https://mfa.invalid"))
    with pytest.raises(ConnectError, match=r"mfa\.invalid:443") as caught:
        mfa.challenge_factor("auth_factor_1")
    assert not caught.value.outcome_unknown


@pytest.mark.parametrize("call", [call for call in ALL if call != "delete_factor"])
def test_an_unreadable_success(call: str, transport_class: TransportFactory) -> None:
    """A success that can't be read is not tried again, and for a call that acts it is unclear."""
    with serving(unreadable) as server:
        error = outcome(all_calls(client(server, transport_class))[call])
        assert isinstance(error, UnexpectedResponseError)
        assert len(server.received) == 1
        assert error.outcome_unknown is (call in ONCE)


def test_a_delete_whose_reply_was_lost(transport_class: TransportFactory) -> None:
    """A factor that an unclear attempt deleted, and the next does not find, was deleted."""

    def gone(_: Received, line: Line) -> None:
        line.answer(404, {"code": "entity_not_found", "message": "gone"})

    with serving(first_then(lose_reply, gone)) as server:
        client(server, transport_class).delete_factor("auth_factor_1")
        assert len(server.received) == 2


def test_a_delete_that_was_only_refused(transport_class: TransportFactory) -> None:
    """A factor that no attempt can have deleted is still not found."""

    def gone(_: Received, line: Line) -> None:
        line.answer(404, {"code": "entity_not_found", "message": "gone"})

    with serving(first_then(status(429), gone)) as server, pytest.raises(NotFoundError) as caught:
        client(server, transport_class).delete_factor("auth_factor_1")
    assert not caught.value.outcome_unknown


def test_the_whole_series_counts(transport_class: TransportFactory) -> None:
    """A delete whose reply was lost, and which then finds the port closed, is unclear."""
    with serving(lambda _, line: line.reset()) as server:
        inner = transport_class(KEY, base_url=server.url)

        def close_the_door(_: float) -> None:
            inner.close()
            server.close()

        mfa = MFA(transport=RetryingTransport(inner, sleep=close_the_door))
        with pytest.raises(ConnectError) as caught:
            mfa.delete_factor("auth_factor_1")
    assert [attempt.outcome_unknown for attempt in caught.value.attempts] == [True, False, False]
    assert caught.value.outcome_unknown


def test_interim_answers_are_passed_over(server: Server, transport_class: TransportFactory) -> None:
    """An early hint is not the answer, and does not shift the answers of the calls that follow."""

    def hint(request: Received, line: Line) -> None:
        line.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n")
        line.answer(200, {**FACTOR, "id": request.path.rpartition("/")[2]})

    server.behaviour = hint
    mfa = client(server, transport_class)
    for number in range(5):
        assert mfa.get_factor(f"auth_factor_{number}").id == f"auth_factor_{number}"
    assert server.connections == 1


def test_the_calls_are_all_there() -> None:
    """The table speaks of every call."""
    assert set(ALL) == {*ONCE, *SAFE, *CONVERGES}
    assert set(all_calls(MFA("sk_test_x"))) == set(ALL)
