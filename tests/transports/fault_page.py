"""``docs/faults.md``, made from the table that the tests run."""

from __future__ import annotations

from pathlib import Path

from tests.transports.api import IDEMPOTENT, NON_IDEMPOTENT, SAFE
from tests.transports.faults import FAULTS, ON_A_SESSION, Fault

PAGE = Path(__file__).parent.parent.parent / "docs" / "faults.md"

_TEXT = """\
# When something goes wrong

What the client does when a call fails, fault by fault. Each row is a test: the fault is made with real sockets, TLS and
proxies on loopback, with one call of each column and for both transports, once as a fault that is over by the second
attempt and once as one that stays, and the server counts what arrives. This page is printed from the table that those
tests read (`tests/transports/faults.py`), and a test fails if they differ.

How to read it: **again** means that a call is tried again within its deadline, up to three attempts unless a
`RetryPolicy` says otherwise; **never** that there is one attempt. The number is how many requests have reached the API
when the fault stays: 3 is harmless in the columns that have it, and no call of the last column ever has more than 1
unless the API itself refused it and said when to come back. `outcome_unknown` is the error's answer to "may WorkOS have
acted?"; for get and list, which change nothing, it is always False.

{table}

**On a session of yours**, passed as `RequestsTransport(session=...)`, connecting and reading are requests' own, and
these rows are different: a handshake that breaks is not told from a response that is lost, one that is cut off in its
headers passes for whole, and an interim response passes for the final one, whose connection is then closed.

{on_a_session}

A verification whose outcome is unknown has `needs_new_challenge` True, and so has one that met a 404: make a new
challenge and ask for a new code. A delete with an unclear attempt that then meets 404 `entity_not_found` has worked.
The error of a call speaks for the whole series: a delete whose response was lost, and which then finds the port closed,
is unclear, though its last attempt is not.

A name that the operating system takes long to resolve is outside the time limit; everything else in this table is
inside it.
"""


def page() -> str:
    """The whole page."""
    columns = ["what happens", "get, list", "delete", "enroll, challenge, verify, create", "`outcome_unknown`", "error"]
    header = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    table, on_a_session = (
        "\n".join([*header, *(_row(name, fault) for name, fault in faults.items())])
        for faults in (FAULTS, ON_A_SESSION)
    )
    return _TEXT.format(table=table, on_a_session=on_a_session)


def _row(name: str, fault: Fault) -> str:
    cells = [
        _cell(fault, SAFE[0]),
        _cell(fault, IDEMPOTENT[0]) if fault.deletes else "works",
        _cell(fault, NON_IDEMPOTENT[0]),
    ]
    error = f"`{fault.error.__name__}`" if fault.error else "none"
    return f"| {name} | {' | '.join(cells)} | {fault.unclear} | {error} |"


def _cell(fault: Fault, call: str) -> str:
    if fault.error is None:
        return "works, 1"
    repeated = fault.repeated(call)
    return f"{'again' if repeated else 'never'}, {(3 if repeated else 1) * fault.arrives}"
