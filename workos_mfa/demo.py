"""A whole MFA flow, told as it happens: the tour behind ``workos-mfa demo``.

The same steps run on the embedded emulator, where the demo holds the phone, and with ``--live`` on
the real API, where a person does.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Generator
from typing import Protocol, TextIO

from workos_mfa import terminal_qr
from workos_mfa.errors import APIError, MFAError, NotFoundError
from workos_mfa.mfa import MFA
from workos_mfa.models import Factor, SMSFactor, TOTPFactor, Verification

_TEMPLATE = "Your Foo Corp code is {{code}}."


class Person(Protocol):
    """Whoever holds the phone."""

    def phone_number(self) -> str | None:
        """The number for text messages, or None to leave them out."""
        ...

    def totp_code(self, factor: TOTPFactor) -> str:
        """The code that the authenticator app shows."""
        ...

    def wrong_code(self, factor: TOTPFactor, right: str) -> str:
        """A code that the app does not show."""
        ...

    def sms_code(self, factor: SMSFactor) -> str:
        """The code in the newest text message."""
        ...


class Surprise(Exception):  # noqa: N818 - not an error of the package: the API did not do what the tour tells
    """A step went otherwise than the tour says."""


class Stage:
    """Where the tour is told."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._colours = out.isatty() and "NO_COLOR" not in os.environ
        self._unicode = (out.encoding or "").lower().startswith("utf")
        self._steps = 0

    def step(self, title: str) -> None:
        """Begin a step."""
        self._steps += 1
        self.say("", self._painted(f"{self._steps}. {title}", "1"))

    def call(self, code: str) -> None:
        """Show the call that is made."""
        self.say(self._painted(f"   >>> {code}", "36"))

    def result(self, *texts: str) -> None:
        """Show what came of it."""
        self.say(*(f"   {text}" for text in texts))

    def qr_code(self, text: str) -> None:
        """Show a QR code."""
        for line in terminal_qr.lines(text, colours=self._colours, unicode=self._unicode):
            self.say(f"   {line}")

    def say(self, *texts: str) -> None:
        """Write lines."""
        for text in texts:
            print(text, file=self._out, flush=True)

    def _painted(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._colours else text


def run(mfa: MFA, person: Person, stage: Stage) -> None:
    """Tell the tour.

    :raises Surprise: if a step goes otherwise than the tour says.
    :raises MFAError: if a call fails that should not.
    """
    stage.step("Enroll an authenticator app")
    stage.call('factor = mfa.enroll_factor(type="totp", issuer="Foo Corp", user="alan.turing@example.com")')
    totp = mfa.enroll_factor(type="totp", issuer="Foo Corp", user="alan.turing@example.com")
    with _deleted_in_the_end(mfa, totp, stage):
        _show_enrollment(totp, stage)
        _verify_totp(mfa, person, totp, stage)
    number = person.phone_number()
    if number is not None:
        stage.step("Enroll a phone for text messages")
        stage.call(f'factor = mfa.enroll_factor(type="sms", phone_number="{number}")')
        sms = mfa.enroll_factor(type="sms", phone_number=number)
        stage.result(f"{sms.id}")
        with _deleted_in_the_end(mfa, sms, stage):
            _verify_sms(mfa, person, sms, stage)


def _show_enrollment(factor: TOTPFactor, stage: Stage) -> None:
    stage.result(
        f"{factor.id}: keep this id with your user's record, it can't be listed later.",
        "factor.totp.qr_code is a data: URI for an <img>; factor.totp.uri, the text in it, drawn here:",
    )
    stage.qr_code(factor.totp.uri)
    stage.result(
        f"For people who can't scan, factor.totp.secret: {factor.totp.secret}",
        "The API shows these three once. No repr, log or error of this package ever does:",
        f"{factor.totp!r}",
    )


def _verify_totp(mfa: MFA, person: Person, factor: TOTPFactor, stage: Stage) -> None:
    stage.step("Challenge it, and try a wrong code")
    stage.call("challenge = mfa.challenge_factor(factor.id)")
    challenge = mfa.challenge_factor(factor.id)
    stage.result(f"{challenge.id}: keep this id on the server side.")
    code = person.totp_code(factor)
    result = _verified(mfa, challenge.id, person.wrong_code(factor, code), factor, stage)
    _expect("a wrong code is refused", is_so=not result)
    stage.result("A Verification is as true as its .valid, so `if result:` can't be got wrong.")

    stage.step("The right code")
    result = _verified(mfa, challenge.id, code, factor, stage)
    _expect("the right code is accepted", is_so=bool(result))

    stage.step("The same code a second time")
    try:
        _verified(mfa, challenge.id, code, factor, stage)
    except APIError as error:
        stage.result(f"{type(error).__name__}: {error}", f"error.needs_new_challenge is {error.needs_new_challenge}")
    else:
        raise Surprise("a challenge that was verified was verified again")
    stage.call("challenge = mfa.challenge_factor(factor.id)")
    challenge = mfa.challenge_factor(factor.id)
    result = _verified(mfa, challenge.id, code, factor, stage)
    _expect("a code counts once, for a new challenge too", is_so=not result)


def _verify_sms(mfa: MFA, person: Person, factor: SMSFactor, stage: Stage) -> None:
    stage.step("Challenge it, in your own words")
    stage.call(f'challenge = mfa.challenge_factor(factor.id, sms_template="{_TEMPLATE}")')
    challenge = mfa.challenge_factor(factor.id, sms_template=_TEMPLATE)
    result = _verified(mfa, challenge.id, person.sms_code(factor), factor, stage)
    _expect("the code of the text message is accepted", is_so=bool(result))


def _verified(mfa: MFA, challenge_id: str, code: str, factor: Factor, stage: Stage) -> Verification:
    stage.call(f'result = mfa.verify_challenge(challenge.id, code="{code}", expected_factor_id=factor.id)')
    result = mfa.verify_challenge(challenge_id, code=code, expected_factor_id=factor.id)
    stage.result(f"bool(result) is {bool(result)}")
    return result


def _expect(what: str, *, is_so: bool) -> None:
    if not is_so:
        raise Surprise(f"the tour says that {what}, and it was not so")


@contextlib.contextmanager
def _deleted_in_the_end(mfa: MFA, factor: Factor, stage: Stage) -> Generator[None, None, None]:
    """Leave no factor behind, however the tour ends."""
    try:
        yield
    finally:
        stage.step("Delete it")
        stage.call("mfa.delete_factor(factor.id)")
        mfa.delete_factor(factor.id)
        stage.call("mfa.get_factor(factor.id)")
        try:
            mfa.get_factor(factor.id)
        except NotFoundError as error:
            stage.result(f"NotFoundError: {error}")


class _EmulatedPerson:
    """The phone in the emulator's world."""

    def __init__(self, stage: Stage) -> None:
        from workos_mfa.emulator import Emulator

        self.emulator = Emulator()
        self._stage = stage

    def phone_number(self) -> str:
        return "+15005550006"

    def totp_code(self, factor: TOTPFactor) -> str:
        code = self.emulator.totp_code(factor.id)
        self._stage.result(f"(The authenticator app shows {code} now: emulator.totp_code(factor.id))")
        return code

    def wrong_code(self, factor: TOTPFactor, right: str) -> str:
        del right
        code = self.emulator.wrong_code(factor.id)
        self._stage.result(f"({code} is surely wrong now: emulator.wrong_code(factor.id))")
        return code

    def sms_code(self, factor: SMSFactor) -> str:
        message = self.emulator.outbox.latest(factor_id=factor.id)
        self._stage.result(f"SMS to {message.to}: {message.text}", "(emulator.outbox has every message)")
        return message.code


class _RealPerson:
    """The person at the keyboard."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def phone_number(self) -> str | None:
        return self._asked("A phone number in E.164 form for a text message (empty: leave this out): ") or None

    def totp_code(self, factor: TOTPFactor) -> str:
        del factor
        return self._asked("Scan the QR code, wait for a fresh code, and type it: ")

    def wrong_code(self, factor: TOTPFactor, right: str) -> str:
        del factor
        # The codes before and after it may count too, and nobody here knows them: the chance is three in a million.
        return "000000" if right != "000000" else "000001"

    def sms_code(self, factor: SMSFactor) -> str:
        del factor
        return self._asked("Type the code of the text message: ")

    def _asked(self, question: str) -> str:
        self._stage.say("")
        return input(f"   {question}").strip()


def main(*, live: bool) -> int:
    """Run the demo in the terminal.

    :param live: run it against the real API, with the key in ``WORKOS_API_KEY``, asking the person for codes.
    :returns: the exit status: 0 if all went as told, 1 if not.
    """
    stage = Stage(sys.stdout)
    try:
        if live:
            with MFA() as mfa:
                stage.say(f"On the real API ({mfa!r}). What is made is deleted again.")
                run(mfa, _RealPerson(stage), stage)
        else:
            person = _EmulatedPerson(stage)
            stage.say("On the embedded emulator: no account, no key, no network.", "", "   >>> emulator = Emulator()")
            stage.say("   >>> mfa = MFA(transport=emulator)      # with an account: MFA('sk_...')")
            run(MFA(transport=person.emulator), person, stage)
    except (MFAError, Surprise, ImportError) as error:
        sys.stderr.write(f"\nworkos-mfa demo: {type(error).__name__}: {error}\n")
        return 1
    except (EOFError, KeyboardInterrupt):
        sys.stderr.write("\nworkos-mfa demo: stopped\n")
        return 1
    stage.say("", "That was the whole API for sign-in. Next: the README, or `workos-mfa demo --live` with your key.")
    return 0
