"""No call that acts is sent twice: each fault meets one call of each kind of replay, and the server counts.

The table is in ``tests/transports/faults.py``, and for readers in ``docs/faults.md``.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator

import attrs
import pytest

from tests.loopback import wait_until
from tests.transports.api import IDEMPOTENT, KEY, SAFE, TRANSPORTS, SessionTransport, TransportFactory, all_calls
from tests.transports.fault_page import PAGE, page
from tests.transports.faults import FAULTS, ON_A_SESSION, Fault
from tests.transports.stages import Setting, Stage, World, no_such_host, nobody_listens
from workos_mfa import (
    MFA,
    ConnectError,
    MFAError,
    Request,
    Response,
    RetryingTransport,
    RetryPolicy,
    Transport,
    TransportTimeoutError,
)

TABLES: dict[TransportFactory, dict[str, Fault]] = {
    **dict.fromkeys(TRANSPORTS, FAULTS),
    SessionTransport: {**FAULTS, **ON_A_SESSION},
}
ONE_OF_EACH_KIND = ("verify_challenge", SAFE[0], *IDEMPOTENT)
"""Calls of one kind of replay are repeated alike: ``tests/client/test_operations.py`` has each call's kind."""


@attrs.frozen
class Cell:
    """One fault, met by one call over one transport."""

    name: str
    fault: Fault
    call: str
    transport_class: TransportFactory

    @property
    def leaves_open(self) -> bool:
        """Whether older releases of urllib3 leave a socket open: that of a tunnel which a proxy refused."""
        return self.transport_class is SessionTransport and "proxy" in self.name

    def met(self, stage: Stage, sleep: Callable[[float], object], patience: float | None = None) -> MFAError | None:
        """The error of a call that meets the fault, or None where it works; what arrived before it is forgotten.

        :param patience: the time of each attempt but the first, which has the fault's; None for the same.
        """
        transport = Impatient(self.transport_class(KEY, base_url=stage.url), patience)
        policy = RetryPolicy(backoff=0, max_backoff=0)
        mfa = MFA(transport=RetryingTransport(transport, policy, sleep=sleep), timeout=self.fault.timeout)
        if self.fault.is_warm:
            mfa.get_factor("auth_factor_of_an_earlier_call")
            stage.server.received.clear()
            if self.fault.error is None:
                stage.server.wait_for_hang_ups()
        with found_here() if self.leaves_open else contextlib.nullcontext(), contextlib.closing(transport):
            try:
                all_calls(mfa)[self.call]()
            except MFAError as error:
                return error
        return None

    def check(self, error: MFAError | None) -> MFAError:
        """The error is the one of the table, and says what the table says."""
        assert self.fault.error is not None
        assert isinstance(error, self.fault.error)
        assert error.outcome_unknown is (self.fault.unclear and self.call not in SAFE)
        is_used_up = self.call == "verify_challenge" and (self.fault.unclear or self.name == "404")
        assert error.needs_new_challenge is is_used_up
        assert ("WorkOS may have acted on the call. " in str(error)) is error.outcome_unknown
        return error


@contextlib.contextmanager
def found_here() -> Iterator[None]:
    """What is left open in here is found here, and not in another test; what was there before is not gone through."""
    gc.freeze()
    try:
        yield
    finally:
        gc.collect()
        gc.unfreeze()


class Impatient:
    """A transport that has little time for the first attempt of a call, as a fault wants it, and more for the next.

    On a busy machine the next one would run out of so little time, although the fault is over.
    """

    def __init__(self, transport: Transport, patience: float | None) -> None:
        self._transport = transport
        self._patience = patience
        self._last = ""
        self.close = transport.close

    def send(self, request: Request, /) -> Response:
        """Make an attempt."""
        if request.path == self._last and self._patience is not None:
            request = attrs.evolve(request, options=attrs.evolve(request.options, timeout=self._patience))
        self._last = request.path
        return self._transport.send(request)


LEFT_OPEN = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
CELLS = [
    pytest.param(
        cell,
        id=f"{transport_class.__name__}-{name}-{call}",
        marks=LEFT_OPEN if cell.leaves_open else (),
    )
    for transport_class, faults in TABLES.items()
    for name, fault in faults.items()
    for call in ONE_OF_EACH_KIND
    if fault.deletes or call not in IDEMPOTENT
    for cell in [Cell(name, fault, call, transport_class)]
]


@pytest.mark.parametrize("cell", CELLS)
def test_a_fault_that_passes(cell: Cell, world: World) -> None:
    """After a fault that is over, what may be repeated works at the second attempt; nothing else is sent again."""
    fault = cell.fault
    with fault.setting(world) as stage:
        error = cell.met(stage, lambda _: stage.heal(), patience=10)
        arrived = len(stage.server.received)
    if fault.repeated(cell.call):
        assert error is None
        assert arrived == 1 + fault.arrives
    elif fault.error is None:
        assert error is None
        assert arrived == 1
    else:
        assert len(cell.check(error).attempts) == 1
        assert arrived == fault.arrives


@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell.values[0].fault.error is not None])  # type: ignore[union-attr]
def test_a_fault_that_stays(cell: Cell, world: World) -> None:
    """A fault that stays ends in its error after three attempts, or after the only one there may be."""
    with cell.fault.setting(world) as stage:
        error = cell.check(cell.met(stage, lambda _: None))
        assert [attempt.number for attempt in error.attempts] == ([1, 2, 3] if cell.fault.repeated(cell.call) else [1])
        arrived = len(error.attempts) if cell.fault.arrives else 0
        # An attempt may be over before a busy server has read its request.
        wait_until(lambda: len(stage.server.received) >= arrived)
        assert len(stage.server.received) == arrived


def test_the_page_says_the_same() -> None:
    """docs/faults.md is what the table prints; if not: ``python -m tests.transports.print_faults``."""
    assert PAGE.read_text("utf-8") == page()


@pytest.mark.parametrize(
    ("setting", "reason"), [(nobody_listens, "Connection refused"), (no_such_host, "Name or service not known")]
)
def test_the_error_without_a_connection(
    setting: Setting, reason: str, transport_class: TransportFactory, world: World
) -> None:
    """Host, port and the system's reason are named, and that nothing was sent."""
    with setting(world) as stage, pytest.raises(ConnectError) as caught:
        MFA(transport=transport_class(KEY, base_url=stage.url)).get_factor("auth_factor_1")
    assert not isinstance(caught.value, TransportTimeoutError)
    assert f"no connection to localhost:{stage.server.port}" in str(caught.value)
    assert reason in str(caught.value)
    assert "Nothing was sent" in str(caught.value)
