# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""What a type checker says of the other calls, the models and the errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from workos_mfa import (
    MFA,
    APIError,
    Attempt,
    Challenge,
    Factor,
    InvalidInputError,
    MFAError,
    Page,
    TOTPFactor,
    UnexpectedResponseError,
    UserEnrollment,
    Verification,
)

if TYPE_CHECKING:
    from typing_extensions import assert_type


def each_call_returns_its_model(mfa: MFA) -> None:
    """With ids by position or by name."""
    assert_type(mfa.challenge_factor("auth_factor_1"), Challenge)
    assert_type(mfa.challenge_factor(authentication_factor_id="auth_factor_1", sms_template="{{code}}"), Challenge)
    assert_type(mfa.challenge_factor("auth_factor_1", sms_template=None), Challenge)
    assert_type(mfa.verify_challenge("auth_challenge_1", code="123456"), Verification)
    assert_type(
        mfa.verify_challenge(authentication_challenge_id="c", code="123456", expected_factor_id="f"), Verification
    )
    assert_type(mfa.get_factor("auth_factor_1"), Factor)
    assert_type(mfa.get_factor(authentication_factor_id="auth_factor_1"), Factor)
    assert_type(mfa.create_user_auth_factor("user_1"), UserEnrollment)
    assert_type(mfa.create_user_auth_factor(user_id="user_1", issuer="Foo", user="alan", secret="ABC"), UserEnrollment)
    assert_type(mfa.list_user_auth_factors("user_1"), Page[Factor])
    assert_type(
        mfa.list_user_auth_factors(user_id="user_1", limit=10, before="a", after="b", order="asc"), Page[Factor]
    )
    mfa.delete_factor("auth_factor_1")
    mfa.delete_factor(authentication_factor_id="auth_factor_1")


def the_fields_of_the_models_are_typed(enrollment: UserEnrollment, verification: Verification) -> None:
    """So that an editor knows them."""
    assert_type(enrollment.factor, TOTPFactor)
    assert_type(enrollment.challenge, Challenge)
    assert_type(enrollment.factor.totp.secret, str)
    assert_type(verification.valid, bool)
    assert_type(verification.challenge.id, str)
    assert_type(verification.challenge.code, str | None)
    assert_type(verification.challenge.expires_at, datetime | None)
    assert_type(verification.challenge.created_at, datetime)
    assert_type(verification.challenge.without_secrets(), Challenge)
    assert_type(enrollment.factor.user_id, str | None)
    assert_type(enrollment.to_dict(secrets=True), dict[str, object])
    assert_type(enrollment.factor.totp.to_dict(), dict[str, object])


def a_page_knows_its_items(page: Page[Factor]) -> None:
    """However it is iterated."""
    assert_type(page.items, tuple[Factor, ...])
    assert_type(page.after, str | None)
    assert_type(page.to_dict(), dict[str, object])
    assert_type(len(page), int)
    assert_type(list(page), list[Factor])
    assert_type(page.auto_paging_iter(), Iterator[Factor])
    for factor in page:
        assert_type(factor, Factor)


def the_attributes_of_errors_are_typed(
    any_error: MFAError, api: APIError, invalid: InvalidInputError, unexpected: UnexpectedResponseError
) -> None:
    """What a handler decides on."""
    assert_type(any_error.attempts, tuple[Attempt, ...])
    assert_type(any_error.outcome_unknown, bool)
    assert_type(any_error.needs_new_challenge, bool)
    assert_type(any_error.advice, str)
    assert_type(api.status_code, int)
    assert_type(api.code, str | None)
    assert_type(api.message, str | None)
    assert_type(api.errors, tuple[Mapping[str, str], ...])
    assert_type(api.request_id, str | None)
    assert_type(api.retry_after, float | None)
    assert_type(invalid.parameter, str)
    assert_type(unexpected.status_code, int | None)


def wrong_calls_are_refused(mfa: MFA, found: str | None, order: str) -> None:
    """A number for a code, a None that a lookup gave, an argument by position that is a secret."""
    mfa.verify_challenge("c")  # type: ignore[call-arg]
    mfa.verify_challenge("c", "123456")  # type: ignore[call-arg]
    mfa.verify_challenge("c", code=123456)  # type: ignore[arg-type]
    mfa.verify_challenge("c", code=found)  # type: ignore[arg-type]
    mfa.verify_challenge("c", code="1", expected_factor_id=found)  # type: ignore[arg-type]
    mfa.verify_challenge("c", code="1", expected_factor_id=None)  # type: ignore[arg-type]
    mfa.verify_challenge(found, code="1")  # type: ignore[arg-type]
    mfa.challenge_factor("f", "{{code}}")  # type: ignore[call-arg]
    mfa.challenge_factor(found)  # type: ignore[arg-type]
    mfa.get_factor()  # type: ignore[call-arg]
    mfa.get_factor(7)  # type: ignore[arg-type]
    mfa.delete_factor(found)  # type: ignore[arg-type]
    mfa.create_user_auth_factor("u", "Foo")  # type: ignore[call-arg]
    mfa.create_user_auth_factor("u", secret=b"ABC")  # type: ignore[arg-type]
    mfa.list_user_auth_factors("u", 10)  # type: ignore[call-arg]
    mfa.list_user_auth_factors("u", limit="10")  # type: ignore[arg-type]
    mfa.list_user_auth_factors("u", order="newest")  # type: ignore[arg-type]
    mfa.list_user_auth_factors("u", order=order)  # type: ignore[arg-type]
    mfa.list_user_auth_factors("u", order=None)  # type: ignore[arg-type]


def nothing_is_written_to_a_value(challenge: Challenge, verification: Verification, attempt: Attempt) -> None:
    """The models are frozen, for the checker as well."""
    challenge.code = None  # type: ignore[misc]
    verification.valid = True  # type: ignore[misc]
    attempt.number = 2  # type: ignore[misc]
