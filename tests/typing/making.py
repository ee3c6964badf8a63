# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""What a type checker says of how clients, transports and test objects are made."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import workos_mfa
from workos_mfa import (
    MFA,
    Attempt,
    Challenge,
    Emulator,
    Factor,
    Options,
    Request,
    RequestsTransport,
    Response,
    RetryingTransport,
    RetryPolicy,
    SMSFactor,
    TOTPFactor,
    Transport,
    Verification,
)
from workos_mfa.testing import (
    StubTransport,
    emulated,
    json_response,
    make_challenge,
    make_factor,
    make_sms_factor,
    make_totp_factor,
    make_verification,
)

if TYPE_CHECKING:
    from typing_extensions import assert_type


class OwnMFA(MFA):
    """An app's own client."""


class OwnTransport:
    """A transport without a base class: its methods are what makes it one."""

    def send(self, request: Request, /) -> Response:
        """Respond."""
        return Response(200, {"X-Method": request.method}, b"{}")

    def close(self) -> None:
        """Nothing is held."""


class CallsItOtherwise:
    """The name of send's parameter is its own business."""

    def send(self, asked: Request) -> Response:
        """Respond."""
        return Response(200, {"X-Path": asked.path})

    def close(self) -> None:
        """Nothing is held."""


class WithoutClose:
    """Half a transport."""

    def send(self, request: Request, /) -> Response:
        """Respond."""
        return Response(200, {"X-Path": request.path})


def count(attempt: Attempt) -> int:
    """A hook may return what it likes."""
    return attempt.number


def clients_are_made_like_this() -> None:
    """With a key, with limits, on a transport."""
    assert_type(MFA(), MFA)
    assert_type(MFA("sk_1", base_url="https://a.example", timeout=1, deadline=2.5, allow_http=True), MFA)
    assert_type(MFA(api_key="sk_1", retry=RetryPolicy(max_attempts=1), on_attempt=count), MFA)
    assert_type(MFA(transport=OwnTransport()), MFA)
    assert_type(MFA(transport=CallsItOtherwise(), retry=RetryPolicy(), on_attempt=print), MFA)
    assert_type(MFA(transport=RequestsTransport("sk_1")), MFA)
    assert_type(OwnMFA("sk_1").with_options(timeout=1, deadline=2.5, max_attempts=1), OwnMFA)
    with OwnMFA("sk_1") as own:
        assert_type(own, OwnMFA)


def transports_fit_the_protocol(inner: Transport) -> list[Transport]:
    """All of ours, a stub, and anybody's own."""
    retrying = RetryingTransport(inner, RetryPolicy(), on_attempt=count, clock=lambda: 0.0, sleep=lambda _: None)
    request = Request("op", "GET", "/p", "/p", options=Options(timeout=1.0))
    assert_type(inner.send(request), Response)
    assert_type(retrying.send(request).request_id, str | None)
    assert_type(retrying.send(request).attempts, tuple[Attempt, ...])
    return [retrying, RequestsTransport("sk_1"), StubTransport(lambda _: Response(200)), OwnTransport()]


def test_objects_are_typed() -> None:
    """What the factories make."""
    assert_type(json_response(200, {"a": [1, None]}), Response)
    assert_type(json_response(200, make_totp_factor()), Response)
    assert_type(make_factor(type="webauthn"), Factor)
    assert_type(make_totp_factor(secret="ABC"), TOTPFactor)
    assert_type(make_sms_factor(), SMSFactor)
    assert_type(make_challenge(expires_at=None), Challenge)
    assert_type(make_verification(valid=False), Verification)
    assert_type(StubTransport(lambda _: Response(200)).requests, list[Request])


def wrong_ways_are_refused(mfa: MFA) -> None:
    """Half a transport, a key that is not text, a policy by position."""
    MFA(7)  # type: ignore[arg-type]
    MFA("sk_1", "https://a.example")  # type: ignore[call-arg]
    MFA("sk_1", timeout="10")  # type: ignore[arg-type]
    MFA("sk_1", retry=3)  # type: ignore[arg-type]
    MFA(transport=WithoutClose())  # type: ignore[arg-type]
    MFA(transport=OwnTransport)  # type: ignore[arg-type]
    RetryPolicy(3)  # type: ignore[call-arg]
    RetryPolicy(max_attempts=2.5)  # type: ignore[arg-type]
    StubTransport(lambda _: None)  # type: ignore[arg-type,return-value]
    mfa.with_options(1)  # type: ignore[call-arg]
    mfa.with_options(api_key="sk_2")  # type: ignore[call-arg]
    Request("op", "GET", "/p", "/p", replay="always")  # type: ignore[arg-type]


def emulators_are_made_like_this(number: int) -> None:
    """With settings by name, in a test's own words too."""
    assert_type(Emulator(max_wrong_codes=3, totp_uri="full", users="seeded"), Emulator)
    assert_type(Emulator(max_wrong_codes=None, state="emulator.db", random_seed=number), Emulator)
    emulator = Emulator()
    emulator.clock.advance(number)
    emulator.clock.advance(timedelta(minutes=1.5))
    RetryingTransport(emulator, sleep=emulator.clock.advance)
    with emulated(now=None, max_wrong_codes=3) as inside:
        assert_type(inside, Emulator)


def wrong_emulators_are_refused() -> None:
    """A name that there is not, a value that a setting can't have, a time that is text."""
    Emulator(max_wrong_code=3)  # type: ignore[call-arg]
    Emulator(max_wrong_codes="3")  # type: ignore[arg-type]
    Emulator(totp_uri="long")  # type: ignore[arg-type]
    Emulator(now="2026")  # type: ignore[arg-type]
    emulated(max_wrong_code=3)  # type: ignore[call-arg]
    emulated(state="emulator.db")  # type: ignore[call-arg]


def a_misspelt_name_is_refused() -> None:
    """The names come when they are asked for, and a type checker knows which there are all the same."""
    workos_mfa.MFa  # type: ignore[attr-defined]  # noqa: B018
