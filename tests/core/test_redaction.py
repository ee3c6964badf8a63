"""Hidden values, and the texts of others: masked, and on one line."""

from __future__ import annotations

import pickle

import pytest

from workos_mfa._core.redaction import Hidden, masked, printable

SENTINEL = "SENTINEL"


def test_a_hidden_value_shows_nothing() -> None:
    """Whoever prints the locals of a frame does not see it; whoever asks for it does."""
    hidden = Hidden(SENTINEL)
    assert repr(hidden) == str(hidden) == f"{hidden}" == "<hidden>"
    assert hidden.value == SENTINEL


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_hidden_value_is_not_pickled(protocol: int) -> None:
    """It would come out of the pickle for anybody to read."""
    with pytest.raises(TypeError, match="a hidden value is not pickled"):
        pickle.dumps(Hidden(SENTINEL), protocol)


@pytest.mark.parametrize(
    ("text", "sent", "left"),
    [
        ("code 123456 is wrong", ["123456"], "code *** is wrong"),
        ("123456123456", ["123456"], "******"),
        ("Secret abcd, ABCD", ["aBcD"], "Secret ***, ***"),
        ("15005550006 and +15005550006", ["+15005550006"], "*** and +***"),
        ("ab.cd abxcd", ["ab.cd"], "*** abxcd"),
        ("jbswy3dpehpk3pxp is bad", ["JBSW Y3DP-EHPK 3PXP==\n"], "*** is bad"),
        ("421\x00337, 421\u200b337 and (4)2.1-3 3\n7!", ["421337"], "***, *** and (***!"),
        ("Straße STRASSE strasse", ["straße"], "*** *** ***"),
        ("---- or ----", ["----"], "---- or ----"),
        ("a code of 123", ["123", "a"], "a code of 123"),
        ("nothing here", ["", "123456"], "nothing here"),
        ("the key sk_live_abc123.", [], "the key ***."),
        ("task_force sk_ sk_abc", [], "task_force sk_ sk_abc"),
        ("SK_TEST_1, \u017f\u212a_live_1 and Sk_abcd", [], "***, *** and ***"),
        ("JBSW-Y3DP and jbswy3dpehpk", ["jbswy3dp", "jbswy3dpehpk", "jbswy3dp"], "*** and ***"),
    ],
)
def test_what_was_sent_is_masked(text: str, sent: list[str], left: str) -> None:
    """In any case of its letters, wherever and however often it stands; and what looks like a key, always.

    A value of three characters is no secret.
    """
    assert masked(text, sent) == left


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain é 漢 \U0001f600", "plain é 漢 \U0001f600"),
        ("a\nb\r\tc\x00d\x1be", "a b  c d e"),
        ("a\u2028b\u2029c\u202ed\u200be", "a b c d e"),
        ("\ud800", " "),
        ("0123456789", "0123456789"),
        ("0123456789a", "012345678…"),
    ],
)
def test_a_text_becomes_one_short_line(text: str, line: str) -> None:
    """No control character, no line break, no change of writing direction, and no more than the limit."""
    assert printable(text, limit=10 if text[:1] == "0" else 100) == line


def test_a_long_text_is_searched_but_not_mended() -> None:
    """Where it repeats what was sent, nothing of it is kept; where it does not, all of it is."""
    padding = "1" * 1_000_000
    assert masked(f"{padding} 42 13 37", ["421337"]) == "***"
    assert masked(padding, ["1" * 500 + "2"]) == padding
