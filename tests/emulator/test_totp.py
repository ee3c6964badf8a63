"""The one-time passwords are those of RFC 6238, by three independent measures."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
from datetime import datetime, timedelta, timezone

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workos_mfa._core import one_time_codes
from workos_mfa.emulator._base.randomness import Randomness
from workos_mfa.emulator._domain import totp

KEY = b"12345678901234567890"
# The SHA-1 rows of the RFC's appendix B; it has eight digits, of which six are the last six.
VECTORS = {
    59: "94287082",
    1111111109: "07081804",
    1111111111: "14050471",
    1234567890: "89005924",
    2000000000: "69279037",
    20000000000: "65353130",
}


def _at(seconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=seconds)


@pytest.mark.parametrize(("seconds", "code"), VECTORS.items())
def test_rfc_vectors(seconds: int, code: str) -> None:
    """Every SHA-1 vector of RFC 6238 comes out."""
    assert one_time_codes.code_for(KEY, totp.step_at(_at(seconds))) == code[-6:]


@given(st.binary(min_size=20, max_size=64), st.integers(min_value=0, max_value=4_000_000_000))
def test_agrees_with_pyotp(key: bytes, seconds: int) -> None:
    """For any secret and time the code is pyotp's."""
    secret = base64.b32encode(key).decode()
    expected = pyotp.TOTP(secret).at(seconds)
    assert one_time_codes.code_for(one_time_codes.key_of(secret), totp.step_at(_at(seconds))) == expected


@pytest.mark.parametrize("secret", ["JBSWY3DPEHPK3PXP", "NAGCCFS3EYRB422HNAKAKY3XDUORMSRF"])
def test_agrees_with_oathtool(secret: str) -> None:
    """The code is that of a tool written by somebody else; 80-bit secrets included."""
    tool = shutil.which("oathtool")
    if tool is None:
        pytest.skip("oathtool is not installed")  # pragma: no cover
    command = [tool, "--totp", "--base32", "--now=2026-08-21 12:00:00 UTC", secret]
    expected = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603
    moment = datetime(2026, 8, 21, 12, tzinfo=timezone.utc)
    assert one_time_codes.code_for(one_time_codes.key_of(secret), totp.step_at(moment)) == expected


def test_secrets_are_160_bits_and_differ() -> None:
    """A new secret is 20 random bytes in Base32 without padding."""
    made = {totp.new_secret(Randomness()) for _ in range(50)}
    assert len(made) == 50
    assert all(re.fullmatch(r"[A-Z2-7]{32}", secret) for secret in made)
    assert all(len(one_time_codes.key_of(secret)) == 20 for secret in made)


def test_padding_does_not_matter() -> None:
    """A secret is the same with and without its padding."""
    assert one_time_codes.key_of("JBSWY3DPEHPK3PXPAA") == one_time_codes.key_of("JBSWY3DPEHPK3PXPAA======")


def test_finds_the_steps_of_a_code() -> None:
    """A code's steps are found within the window and not beyond it, even at the beginning of time."""
    moment = _at(3000)
    codes = {distance: one_time_codes.code_for(KEY, 100 + distance) for distance in (-2, -1, 0, 1, 2)}
    found = {
        distance: list(totp.steps_of(code, key=KEY, moment=moment, back=1, ahead=1)) for distance, code in codes.items()
    }
    assert found == {-2: [], -1: [99], 0: [100], 1: [101], 2: []}
    assert list(totp.steps_of(one_time_codes.code_for(KEY, 0), key=KEY, moment=_at(0), back=2, ahead=2)) == [0]


class AllOnes(Randomness):
    """Randomness that throws ones only."""

    def bits(self, count: int) -> int:
        """So many of them."""
        return (1 << count) - 1


def test_all_of_a_new_secret_is_random() -> None:
    """From its first bit to its 160th."""
    assert totp.new_secret(AllOnes()) == "7" * 32


@pytest.mark.parametrize("length", range(40))
def test_what_is_a_secret(length: int) -> None:
    """Base32 of 80 bits or more, of a length that bytes can have; padding does not matter, and case does."""
    text = "A2" * 20
    is_one = length >= 16 and length % 8 in {0, 2, 4, 5, 7}
    expected = text[:length] if is_one else None
    assert one_time_codes.bare_secret(text[:length]) == expected
    assert one_time_codes.bare_secret(text[:length] + "=" * (-length % 8)) == expected
    assert one_time_codes.bare_secret(text[:length].lower()) is None
    assert one_time_codes.bare_secret(f"{text[:length]}1") is None
    assert one_time_codes.bare_secret(f"1{text[:length]}") is None
    assert one_time_codes.bare_secret(f"{text[:length]}=======") is None


def test_padding_alone_is_stripped() -> None:
    """A secret may end in any letter of Base32, an X too."""
    for letter in "XA7":
        secret = "A" * 15 + letter
        assert one_time_codes.bare_secret(secret) == secret
        assert base64.b32encode(one_time_codes.key_of(secret)).decode() == secret
