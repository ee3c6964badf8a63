"""Outbox and calls are sequences that can be read while they grow."""

from __future__ import annotations

import pytest

from tests.emulator.caller import Caller


def test_is_a_sequence(caller: Caller) -> None:
    """Length, index, slice, iteration and containment are those of a sequence."""
    outbox = caller.emulator.outbox
    assert not outbox
    factor = caller.sms()
    for _ in range(3):
        caller.challenge(factor)
    messages = list(outbox)
    assert len(messages) == len(outbox) == 3
    assert list(reversed(outbox)) == messages[::-1]
    assert (outbox[0], outbox[-1], outbox[1:]) == (messages[0], messages[2], tuple(messages[1:]))
    assert messages[1] in outbox
    assert repr(outbox) == "<Outbox: 3>"
    with pytest.raises(IndexError, match="no entry 3; there are 3"):
        outbox[3]
    seen = 0
    for _ in outbox:
        # What comes in meanwhile does not disturb it.
        caller.challenge(factor)
        seen += 1
    assert (seen, len(outbox)) == (3, 6)
    outbox.clear()
    assert len(outbox) == 0


def test_finds_the_latest(caller: Caller) -> None:
    """The newest message is found, by number, factor and challenge; none is an error that helps."""
    factors = [caller.sms(number) for number in ("+15005550006", "+15005550007", "+15005550006")]
    challenges = [caller.challenge(factor).json for factor in factors]
    outbox = caller.emulator.outbox
    assert outbox.latest() is outbox[2]
    assert outbox.latest(to="+15005550007") is outbox[1]
    assert outbox.latest(factor_id=factors[0]["id"]) is outbox[0]
    assert outbox.latest(challenge_id=challenges[1]["id"]) is outbox[1]
    with pytest.raises(LookupError, match="the outbox holds 3"):
        outbox.latest(to="+15005550006", factor_id=factors[1]["id"])


def test_reprs_hide_what_is_secret(caller: Caller) -> None:
    """A message's repr shows neither code nor text nor the whole number; a call's not the path."""
    factor = caller.sms()
    challenge = caller.challenge(factor).json
    assert repr(caller.emulator.outbox[0]) == (
        f"SMSMessage(to='+1***0006', factor_id={factor['id']!r}, challenge_id={challenge['id']!r}, "
        "sent_at=datetime.datetime(2026, 8, 21, 12, 0, 0, 432000, tzinfo=datetime.timezone.utc))"
    )
    caller.get("JBSWY3DPEHPK3PXP")
    assert "JBSWY" not in f"{caller.emulator.calls[-1]!r} {caller.emulator.calls!r}"
