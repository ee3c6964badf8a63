"""Outbox and calls are sequences that can be read while they grow."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from workos_mfa.emulator import Call, SMSMessage
from workos_mfa.emulator._base.log import Calls, Outbox

NOW = datetime(2026, 8, 21, 12, tzinfo=timezone.utc)


def _message(number: int, to: str = "+15005550006") -> SMSMessage:
    return SMSMessage(
        to=to,
        text=f"Your code is 12345{number}",
        code=f"12345{number}",
        factor_id=f"auth_factor_{number}",
        challenge_id=f"auth_challenge_{number}",
        sent_at=NOW,
    )


def test_is_a_sequence() -> None:
    """Length, index, slice, iteration and containment are those of a sequence."""
    outbox = Outbox()
    assert not outbox
    messages = [_message(n) for n in range(3)]
    for message in messages:
        outbox.append(message)
    assert list(outbox) == messages
    assert list(reversed(outbox)) == messages[::-1]
    assert (outbox[0], outbox[-1], outbox[1:]) == (messages[0], messages[2], tuple(messages[1:]))
    assert messages[1] in outbox
    assert repr(outbox) == "<Outbox: 3>"
    with pytest.raises(IndexError, match="no entry 3; there are 3"):
        outbox[3]
    outbox.clear()
    assert len(outbox) == 0


def test_iteration_sees_what_was_there() -> None:
    """Entries that come in during an iteration do not disturb it."""
    outbox = Outbox()
    outbox.append(_message(0))
    seen = 0
    for message in outbox:
        outbox.append(message)
        seen += 1
    assert (seen, len(outbox)) == (1, 2)


def test_finds_the_latest() -> None:
    """The newest message is found, by number, factor and challenge; none is an error that helps."""
    outbox = Outbox()
    for number, to in enumerate(["+15005550006", "+15005550007", "+15005550006"]):
        outbox.append(_message(number, to))
    assert outbox.latest() is outbox[2]
    assert outbox.latest(to="+15005550007") is outbox[1]
    assert outbox.latest(factor_id="auth_factor_0") is outbox[0]
    assert outbox.latest(challenge_id="auth_challenge_1") is outbox[1]
    with pytest.raises(LookupError, match="the outbox holds 3"):
        outbox.latest(to="+15005550006", factor_id="auth_factor_1")


def test_reprs_hide_what_is_secret() -> None:
    """A message's repr shows neither code nor text nor the whole number; a call's not the path."""
    assert repr(_message(7)) == (
        "SMSMessage(to='+1***0006', factor_id='auth_factor_7', challenge_id='auth_challenge_7', "
        "sent_at=datetime.datetime(2026, 8, 21, 12, 0, tzinfo=datetime.timezone.utc))"
    )
    call = Call(
        operation="get_factor",
        method="GET",
        route="/auth/factors/{id}",
        path="/auth/factors/JBSWY3DPEHPK3PXP",
        status=404,
        error_code="entity_not_found",
        request_id="r",
        at=NOW,
    )
    calls = Calls()
    calls.append(call)
    assert "JBSWY" not in f"{call!r} {calls!r}"
