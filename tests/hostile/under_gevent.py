"""A program on gevent, patched as an app's server patches it: ``python -m tests.hostile.under_gevent NAME URL``.

Two hundred greenlets share one client; then a time limit of gevent's and a KeyboardInterrupt arrive inside I/O.
"""

from __future__ import annotations

import gevent.monkey  # type: ignore[import-untyped]

gevent.monkey.patch_all()

import sys  # noqa: E402 - patched first
import traceback  # noqa: E402

import gevent  # noqa: E402

import workos_mfa  # noqa: E402
from tests.transports.api import CHALLENGE_ID, CODE, KEY  # noqa: E402


def ask(mfa: workos_mfa.MFA, number: int) -> bool:
    """Whether a call gets its own response."""
    factor_id = f"auth_factor_{number}"
    return mfa.get_factor(factor_id).id == factor_id


def interrupted(greenlet: gevent.Greenlet, limit: BaseException) -> None:
    """A call that never ends is ended by an exception from outside: it keeps its type and shows no secret."""
    greenlet.kill(limit)
    caught = greenlet.get()
    assert caught is limit, repr(caught)
    text = "".join(traceback.TracebackException.from_exception(caught, capture_locals=True).format())
    assert KEY not in text, text
    assert CODE not in text, text


def caught_in_a_call(mfa: workos_mfa.MFA) -> BaseException | None:
    """What ends a verification that never gets a response."""
    try:
        mfa.verify_challenge(CHALLENGE_ID, code=CODE)
    except BaseException as error:  # noqa: BLE001 - it is looked into
        return error
    return None


def main(name: str, url: str) -> None:
    """Do all of it."""
    transport = getattr(workos_mfa, name)(KEY, base_url=url)
    mfa = workos_mfa.MFA(transport=workos_mfa.RetryingTransport(transport))
    assert all(greenlet.get() for greenlet in [gevent.spawn(ask, mfa, number) for number in range(200)])
    limits = (gevent.Timeout(1), KeyboardInterrupt("Ctrl-C"), SystemExit(3))
    waiting = [gevent.spawn(caught_in_a_call, mfa) for _ in limits]
    with gevent.Timeout(0.5) as limit:
        assert caught_in_a_call(mfa) is limit
    for greenlet, foreign in zip(waiting, limits, strict=True):
        interrupted(greenlet, foreign)
    transport.close()
    print("all of it")  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
