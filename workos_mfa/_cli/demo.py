"""``workos-mfa demo``: a whole MFA flow that explains itself.

The same steps run on the embedded emulator, which also holds the phone; with ``--interactive`` a person has the
authenticator app; with ``--live`` they run on the real API.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import re
import sys
from collections.abc import Generator, Iterable, Iterator

import attrs

from workos_mfa._cli.console import Console
from workos_mfa._client.mfa import MFA
from workos_mfa._core.errors import APIError, MFAError, NotFoundError
from workos_mfa._core.models import Challenge, Factor, SMSFactor, TOTPFactor, Verification
from workos_mfa.emulator import Emulator

_TEMPLATE = "Your Foo Corp code is {{code}}."
_CODE = re.compile(r"[0-9]{6}")
_MORE_TRIES = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Run a whole MFA flow and tell what happens. It needs no account, no key and no network."
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--interactive",
        action="store_true",
        help="scan the QR code with the app on your phone, and type the code that it shows",
    )
    where.add_argument(
        "--live",
        action="store_true",
        help="run it on the real API with the key in WORKOS_API_KEY; it asks you for the codes",
    )


class UnexpectedResult(Exception):  # noqa: N818 - it is no error of the package: the API did not do what the demo says
    """The result of a step is not what the demo says."""


@attrs.frozen
class Demo:
    """The steps of the demo.

    :param emulator: where codes and messages are read; None if the person types all codes.
    :param has_app: with an emulator: whether the person types the codes of the authenticator app.
    """

    mfa: MFA
    console: Console
    emulator: Emulator | None = None
    has_app: bool = False

    def run(self) -> None:
        """Run all steps.

        :raises UnexpectedResult: if a result is not what the demo says.
        :raises MFAError: if a call fails that should not.
        """
        self.console.step("Enroll an authenticator app")
        self.console.call('factor = mfa.enroll_factor(type="totp", issuer="Foo Corp", user="alan.turing@example.com")')
        totp = self.mfa.enroll_factor(type="totp", issuer="Foo Corp", user="alan.turing@example.com")
        with self._deleted_at_the_end(totp):
            self._show_enrollment(totp)
            self._verify_totp(totp)
        number = self._phone_number()
        if number:
            self.console.step("Enroll a phone for text messages")
            self.console.call(f'factor = mfa.enroll_factor(type="sms", phone_number="{number}")')
            sms = self.mfa.enroll_factor(type="sms", phone_number=number)
            with self._deleted_at_the_end(sms):
                self.console.result(sms.id)
                self._verify_sms(sms)

    def _phone_number(self) -> str:
        if self.emulator is not None:
            return "+15005550006"
        return self.console.ask("A phone number in E.164 form for a text message (empty: leave this out):")

    def _show_enrollment(self, factor: TOTPFactor) -> None:
        self.console.result(
            f"{factor.id}: keep this id with your user's record, it can't be listed later.",
            "factor.totp.qr_code is a data: URI for an <img>; factor.totp.uri, the text in it, drawn here:",
        )
        self.console.qr_code(factor.totp.uri)
        self.console.result(
            f"For people who can't scan, factor.totp.secret: {factor.totp.secret}",
            "The API shows these three once. No repr, log or error of this package ever does:",
            f"{factor.totp!r}",
        )

    def _verify_totp(self, factor: TOTPFactor) -> None:
        self.console.step("Challenge it, and try a wrong code")
        challenge = self._challenge(factor)
        self.console.result(f"{challenge.id}: keep this id on the server side.")
        codes = self._codes(factor)
        code = next(codes)
        _expect("a wrong code is refused", is_so=not self._verify(challenge, self._wrong_code(factor, code), factor))
        self.console.result("A Verification is as true as its .valid, so `if result:` can't be got wrong.")

        self.console.step("The right code")
        code = self._accepted(challenge, itertools.chain([code], codes), factor)

        self.console.step("The same code a second time")
        try:
            self._verify(challenge, code, factor)
        except APIError as error:
            needs_new = f"error.needs_new_challenge is {error.needs_new_challenge}"
            self.console.result(f"{type(error).__name__}: {error}", needs_new)
        else:
            raise UnexpectedResult("a challenge that was verified was verified again")
        challenge = self._challenge(factor)
        _expect("a code counts once, for a new challenge too", is_so=not self._verify(challenge, code, factor))
        self.console.result(
            "Refused, as it should be: each code of the app counts once, so whoever has watched you type it can't use "
            "it again, not even for a new challenge. The app's next code, within 30 seconds, would be accepted."
        )

    def _verify_sms(self, factor: SMSFactor) -> None:
        self.console.step("Challenge it, in your own words")
        challenge = self._challenge(factor, sms_template=_TEMPLATE)
        self._accepted(challenge, self._codes(factor), factor)

    def _challenge(self, factor: Factor, sms_template: str | None = None) -> Challenge:
        template = f', sms_template="{sms_template}"' if sms_template else ""
        self.console.call(f"challenge = mfa.challenge_factor(factor.id{template})")
        return self.mfa.challenge_factor(factor.id, sms_template=sms_template)

    def _accepted(self, challenge: Challenge, codes: Iterable[str], factor: Factor) -> str:
        """The first of the codes that is accepted."""
        for code in codes:
            if self._verify(challenge, code, factor):
                return code
        wrong_clock = "a phone whose clock is wrong shows wrong codes"
        raise UnexpectedResult(f"the demo says that the right code is accepted, and it was not so; {wrong_clock}")

    def _verify(self, challenge: Challenge, code: str, factor: Factor) -> Verification:
        self.console.call(f'result = mfa.verify_challenge(challenge.id, code="{code}", expected_factor_id=factor.id)')
        result = self.mfa.verify_challenge(challenge.id, code=code, expected_factor_id=factor.id)
        self.console.result(f"bool(result) is {bool(result)}")
        return result

    def _codes(self, factor: TOTPFactor | SMSFactor) -> Iterator[str]:
        """The code of the app or of the text message. A person who mistypes it has more tries."""
        is_app = isinstance(factor, TOTPFactor)
        if self.emulator is None or (is_app and self.has_app):
            app = "Scan the QR code with an authenticator app, wait for a fresh code, and type it:"
            again = "That was not right. The same challenge may be tried again. Type the newest code:"
            questions = [app if is_app else "Type the code of the text message:", *[again] * _MORE_TRIES]
            yield from map(self._six_digits, questions)
        elif is_app:
            code = self.emulator.totp_code(factor.id)
            self.console.result(f"(The authenticator app shows {code} now: emulator.totp_code(factor.id))")
            yield code
        else:
            message = self.emulator.outbox.latest(factor_id=factor.id)
            self.console.result(f"SMS to {message.to}: {message.text}", "(emulator.outbox has every message)")
            yield message.code

    def _wrong_code(self, factor: TOTPFactor, right: str) -> str:
        if self.emulator is None:
            # The codes before and after may be accepted too, and are not known here: a chance of three in a million.
            return "000000" if right != "000000" else "000001"
        code = self.emulator.wrong_code(factor.id)
        self.console.result(f"({code} is surely wrong now: emulator.wrong_code(factor.id))")
        return code

    def _six_digits(self, question: str) -> str:
        code = self.console.ask(question)
        while not _CODE.fullmatch(code):
            code = self.console.ask("A code has six digits. Once more:")
        return code

    @contextlib.contextmanager
    def _deleted_at_the_end(self, factor: Factor) -> Generator[None, None, None]:
        """Delete the factor, however the demo ends."""
        try:
            yield
        finally:
            # Delete first, then write: standard output may be a closed pipe.
            self._delete(factor)
            self.console.step("Delete it")
            self.console.call("mfa.delete_factor(factor.id)")
            self.console.call("mfa.get_factor(factor.id)")
            try:
                self.mfa.get_factor(factor.id)
            except NotFoundError as error:
                self.console.result(f"NotFoundError: {error}")

    def _delete(self, factor: Factor) -> None:
        try:
            self.mfa.delete_factor(factor.id)
        except (MFAError, KeyboardInterrupt) as error:
            why = f"{type(error).__name__}: {error}"
            raise UnexpectedResult(f"{factor.id} is still there, or may be; delete it by hand. {why}") from None


def _expect(what: str, *, is_so: bool) -> None:
    if not is_so:
        raise UnexpectedResult(f"the demo says that {what}, and it was not so")


def run(options: argparse.Namespace) -> int:
    """Run the demo in the terminal.

    :returns: the exit status: 0 if all went well, 1 if not.
    """
    console = Console(sys.stdout)
    try:
        if options.live:
            with MFA() as mfa:
                console.say(f"On the real API ({mfa!r}). What is made is deleted again.")
                Demo(mfa, console).run()
        else:
            emulator = Emulator()
            console.say("On the embedded emulator: no account, no key, no network.", "")
            console.call("emulator = Emulator()")
            console.call("mfa = MFA(transport=emulator)")
            console.result("With an account it is MFA('sk_...'), and all that follows stays the same.")
            Demo(MFA(transport=emulator), console, emulator, has_app=options.interactive).run()
    except (MFAError, UnexpectedResult, ImportError) as error:
        return _stopped(f"{type(error).__name__}: {error}")
    except (EOFError, KeyboardInterrupt):
        return _stopped("stopped")
    console.say("", "That was the whole API for sign-in. Next, beside the README:")
    console.result("workos-mfa demo --interactive", "   the same with the authenticator app on your own phone")
    console.result("workos-mfa demo --live", "   the same on the real API, with your key in WORKOS_API_KEY")
    return 0


def _stopped(why: str) -> int:
    Console(sys.stderr).say("", f"workos-mfa demo: {why}")
    return 1
