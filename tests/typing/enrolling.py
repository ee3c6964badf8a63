# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""What a type checker says of ``enroll_factor``; these files are checked and never run.

Each line that must be refused is marked, once for all checkers. A mark that nothing needs is an error itself,
so that a wrong call which becomes right for the checker is noticed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from workos_mfa import MFA, SMS, TOTP, Factor, SMSFactor, TOTPEnrollment, TOTPFactor

if TYPE_CHECKING:
    from typing_extensions import assert_type


def each_type_has_its_own_factor(mfa: MFA) -> None:
    """By overload, so that the block of the type is never None."""
    totp = mfa.enroll_factor(type="totp", issuer="Foo Corp", user="alan.turing@example.com")
    assert_type(totp, TOTPFactor)
    assert_type(totp.totp, TOTPEnrollment)
    assert_type(totp.totp.secret, str)
    assert_type(totp.totp.qr_code, str)
    assert_type(totp.totp.uri, str)
    assert_type(totp.totp.issuer, str | None)
    assert_type(mfa.enroll_factor(type="totp", issuer="Foo", user="alan", user_id="user_1"), TOTPFactor)
    sms = mfa.enroll_factor(type="sms", phone_number="+15005550006")
    assert_type(sms, SMSFactor)
    assert_type(sms.sms, SMS)
    assert_type(sms.sms.phone_number, str)
    assert_type(mfa.enroll_factor(type="sms", phone_number="+15005550006", user_id=None), SMSFactor)
    generic = mfa.enroll_factor(type="generic_otp")
    assert_type(generic, Factor)
    assert_type(generic.totp, TOTP | None)
    assert_type(generic.sms, SMS | None)
    assert_type(mfa.enroll_factor(type="generic_otp", user_id="user_1"), Factor)


def an_enrolled_factor_is_a_factor(totp: TOTPFactor, sms: SMSFactor) -> list[Factor]:
    """Wherever a factor will do, one with its block will."""
    assert_type(totp.without_secrets(), Factor)
    assert_type(sms.without_secrets(), Factor)
    return [totp, sms]


def wrong_combinations_are_refused(mfa: MFA, kind: str, either: Literal["totp", "sms"]) -> None:
    """As they are at run time, and before it."""
    mfa.enroll_factor()  # type: ignore[call-overload]
    mfa.enroll_factor("totp", "Foo", "alan")  # type: ignore[call-overload]
    mfa.enroll_factor(type="totp")  # type: ignore[call-overload]
    mfa.enroll_factor(type="totp", issuer="Foo")  # type: ignore[call-overload]
    mfa.enroll_factor(type="totp", user="alan")  # type: ignore[call-overload]
    mfa.enroll_factor(type="totp", issuer=None, user="alan")  # type: ignore[call-overload]
    mfa.enroll_factor(type="totp", phone_number="+1")  # type: ignore[call-overload]
    mfa.enroll_factor(type="sms")  # type: ignore[call-overload]
    mfa.enroll_factor(type="sms", phone_number=15005550006)  # type: ignore[call-overload]
    mfa.enroll_factor(type="sms", phone_number="+1", issuer="Foo")  # type: ignore[call-overload]
    mfa.enroll_factor(type="generic_otp", issuer="Foo", user="alan")  # type: ignore[call-overload]
    mfa.enroll_factor(type="generic_otp", phone_number="+1")  # type: ignore[call-overload]
    mfa.enroll_factor(type="webauthn")  # type: ignore[call-overload]
    mfa.enroll_factor(type=kind)  # type: ignore[call-overload]
    mfa.enroll_factor(type=either, phone_number="+1")  # type: ignore[arg-type]
    mfa.enroll_factor(type="generic_otp", user_id=7)  # type: ignore[call-overload]


def a_plain_factor_may_lack_its_block(factor: Factor) -> None:
    """Get and list do not promise it."""
    assert factor.totp.issuer  # type: ignore[union-attr]
    assert factor.sms.phone_number  # type: ignore[union-attr]
    assert factor.totp is not None
    assert factor.totp.secret  # type: ignore[attr-defined]
