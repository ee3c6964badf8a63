"""Nothing twice: each fault, each call, with what happened counted on the server.

The table is in ``tests/transports/faults.py``, and for readers in ``docs/faults.md``.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from tests.loopback import Line, Received, Server, serving, wait_until
from tests.transports.api import (
    ALL,
    FACTOR,
    IDEMPOTENT,
    KEY,
    NON_IDEMPOTENT,
    SAFE,
    SessionTransport,
    TransportFactory,
    all_calls,
    first_then,
)
from tests.transports.fault_page import PAGE, page
from tests.transports.faults import (
    FAULTS,
    ON_A_SESSION,
    Fault,
    Setting,
    Stage,
    World,
    lose_response,
    no_such_host,
    nobody_listens,
    status,
)
from workos_mfa import (
    MFA,
    ConnectError,
    MFAError,
    NotFoundError,
    Request,
    RequestsTransport,
    Response,
    RetryingTransport,
    RetryPolicy,
    Transport,
    TransportTimeoutError,
    Urllib3Transport,
)

TABLES: dict[TransportFactory, dict[str, Fault]] = {
    RequestsTransport: FAULTS,
    Urllib3Transport: FAULTS,
    SessionTransport: {**FAULTS, **ON_A_SESSION},
}
ONE_OF_EACH_KIND = (*NON_IDEMPOTENT[2:3], *SAFE[:1], *IDEMPOTENT)
"""Calls of one kind of replay are repeated alike: ``tests/unit/test_calls.py`` has each call's kind."""
CELLS = [
    (fault, name, call, transport_class)
    for transport_class, faults in TABLES.items()
    for name, fault in faults.items()
    for call in ONE_OF_EACH_KIND
    if fault.deletes or call not in IDEMPOTENT
]


def of_cells(cells: list[tuple[Fault, str, str, TransportFactory]]) -> pytest.MarkDecorator:
    """A test of each cell of the tables."""
    params = [
        pytest.param(
            fault,
            name,
            call,
            transport_class,
            id=f"{transport_class.__name__}-{name}-{call}",
            marks=LEFT_OPEN if leaves_open(name, transport_class) else (),
        )
        for fault, name, call, transport_class in cells
    ]
    return pytest.mark.parametrize(("fault", "name", "call", "transport_class"), params)


LEFT_OPEN = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


def leaves_open(name: str, transport_class: TransportFactory) -> bool:
    """Whether older releases of urllib3 leave a socket open: that of a tunnel which was refused, where it is theirs."""
    return transport_class is SessionTransport and "proxy" in name


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    """What a fault may change."""
    return World(monkeypatch, tmp_path)


def client(server: Server, transport_class: TransportFactory) -> MFA:
    """A client that does not wait between attempts."""
    return MFA(transport=retrying(transport_class(KEY, base_url=server.url), lambda _: None))


def retrying(transport: Transport, sleep: Callable[[float], object]) -> RetryingTransport:
    """Repetitions without a wait."""
    return RetryingTransport(transport, RetryPolicy(backoff=0, max_backoff=0), sleep=sleep)


def outcome(call: Callable[[], object]) -> MFAError | None:
    """The error of a call, or None where it worked."""
    try:
        call()
    except MFAError as error:
        return error
    return None


class Impatient:
    """A transport that has little time for the first attempt of a call, as a fault wants it, and more for the next.

    On a busy machine the next one would run out of so little time, although the fault is over.
    """

    def __init__(self, transport: Transport, patience: float | None) -> None:
        self._transport = transport
        self._patience = patience
        self._last = ""

    def send(self, request: Request, /) -> Response:
        """Make an attempt."""
        if request.path == self._last and self._patience is not None:
            request = attrs.evolve(request, options=attrs.evolve(request.options, timeout=self._patience))
        self._last = request.path
        return self._transport.send(request)

    def close(self) -> None:
        """Close the transport."""
        self._transport.close()


def made(
    fault: Fault,
    name: str,
    call: str,
    stage: Stage,
    transport_class: TransportFactory,
    sleep: Callable[[float], object],
    patience: float | None = None,
) -> MFAError | None:
    """The outcome of a call that meets a fault, with what arrived before it forgotten.

    :param patience: the time of each attempt but the first, which has the fault's; None for the same.
    """
    transport = Impatient(transport_class(KEY, base_url=stage.url), patience)
    mfa = MFA(transport=retrying(transport, sleep), timeout=fault.timeout)
    if fault.is_warm:
        mfa.get_factor("auth_factor_of_an_earlier_call")
        stage.server.received.clear()
        wait_for_what_the_server_closes(stage.server, fault)
    try:
        return outcome(all_calls(mfa)[call])
    finally:
        transport.close()
        if leaves_open(name, transport_class):
            gc.collect()  # so that it is found here, and not in another test


def wait_for_what_the_server_closes(server: Server, fault: Fault) -> None:
    """Wait until the connection is closed at the other end, where it is."""
    if fault.error is None:
        # Not for the socket, which is without a number a moment before it is closed: for the threads that close it.
        _accepting, *serving_one = server._threads
        wait_until(lambda: not any(thread.is_alive() for thread in serving_one))


def check(error: MFAError | None, fault: Fault, name: str, call: str) -> MFAError:
    """The error is the one of the table, and says what the table says."""
    assert fault.error is not None
    assert isinstance(error, fault.error)
    assert error.outcome_unknown is (fault.unclear and call not in SAFE)
    is_used_up = call == "verify_challenge" and (fault.unclear or name == "404")
    assert error.needs_new_challenge is is_used_up
    assert ("WorkOS may have acted on the call. " in str(error)) is error.outcome_unknown
    return error


@of_cells(CELLS)
def test_a_fault_that_passes(
    fault: Fault, name: str, call: str, transport_class: TransportFactory, world: World
) -> None:
    """After a fault that is over, what may be repeated works at the second attempt; nothing else is sent again."""
    with fault.setting(world) as stage:
        error = made(fault, name, call, stage, transport_class, lambda _: stage.heal(), patience=10)
        if fault.repeated(call):
            assert error is None
            assert len(stage.server.received) == 1 + fault.arrives
        elif fault.error is None:
            assert error is None
            assert len(stage.server.received) == 1
        else:
            assert len(check(error, fault, name, call).attempts) == 1
            assert len(stage.server.received) == fault.arrives


@of_cells([cell for cell in CELLS if cell[0].error is not None])
def test_a_fault_that_stays(
    fault: Fault, name: str, call: str, transport_class: TransportFactory, world: World
) -> None:
    """A fault that stays ends in its error after three attempts, or after the only one there may be."""
    with fault.setting(world) as stage:
        error = check(made(fault, name, call, stage, transport_class, lambda _: None), fault, name, call)
        assert [attempt.number for attempt in error.attempts] == ([1, 2, 3] if fault.repeated(call) else [1])
        arrived = len(error.attempts) if fault.arrives else 0
        # An attempt may be over before a busy server has read its request.
        wait_until(lambda: len(stage.server.received) >= arrived)
        assert len(stage.server.received) == arrived


def test_the_page_says_the_same() -> None:
    """docs/faults.md is what the table prints; if not: ``python -m tests.transports.print_faults``."""
    assert PAGE.read_text("utf-8") == page()


@pytest.mark.parametrize(
    ("setting", "reason"), [(nobody_listens, "Connection refused"), (no_such_host, "Name or service not known")]
)
def test_what_no_connection_says(
    setting: Setting, reason: str, transport_class: TransportFactory, world: World
) -> None:
    """Host, port and the system's reason are named, and that nothing was sent."""
    with setting(world) as stage:
        error = outcome(lambda: MFA(transport=transport_class(KEY, base_url=stage.url)).get_factor("auth_factor_1"))
        assert isinstance(error, ConnectError)
        assert not isinstance(error, TransportTimeoutError)
        assert f"no connection to localhost:{stage.server.port}" in str(error)
        assert reason in str(error)
        assert "Nothing was sent" in str(error)


def test_a_delete_whose_reply_was_lost(transport_class: TransportFactory) -> None:
    """A factor that an unclear attempt deleted, and the next does not find, was deleted."""

    def gone(_: Received, line: Line) -> None:
        line.answer(404, {"code": "entity_not_found", "message": "gone"})

    with serving(first_then(lose_response, gone)) as server:
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
    assert "Nothing was sent. WorkOS may have acted on an earlier attempt of the call. Delete" in str(caught.value)


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
    assert set(ALL) == {*NON_IDEMPOTENT, *SAFE, *IDEMPOTENT}
    assert set(all_calls(MFA("sk_test_x"))) == set(ALL)
