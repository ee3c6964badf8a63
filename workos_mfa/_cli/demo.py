"""``workos-mfa demo``: a whole MFA flow that explains itself.

The same steps run on the embedded emulator, which also holds the phone; with ``--interactive`` a person has the
authenticator app; with ``--live`` they run on the real API.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import sys
from collections.abc import Generator, Iterable, Iterator

import attrs

from workos_mfa._cli.console import Console
from workos_mfa._client.mfa import MFA
from workos_mfa._core.errors import APIError, MFAError, NotFoundError
from workos_mfa._core.models import Factor, SMSFactor, TOTPFactor, Verification
from workos_mfa.emulator import Emulator

_TEMPLATE = "Your Foo Corp code is {{code}}."
_CODE = re.compile(r"[0-9]{6}")
_MORE_TRIES = 2
_CLOSED_PIPE = 128 + 13  # the exit status that a shell reports for SIGPIPE


class UnexpectedResult(Exception):  # noqa: N818 - it is no error of the package: the API did not do what the demo says
    """The result of a step is not what the demo says."""


@attrs.frozen
class Person:
    """Who holds the phone.

    :param console: where the person is asked.
    :param emulator: where codes and messages are read; None if the person types all codes.
    :param has_app: with an emulator: whether the person types the codes of the authenticator app.
    """

    console: Console
    emulator: Emulator | None = None
    has_app: bool = False

    def phone_number(self) -> str | None:
        """The number for text messages; None to leave them out."""
        if self.emulator is not None:
            return "+15005550006"
        return self.console.ask("A phone number in E.164 form for a text message (empty: leave this out):") or None

    def codes(self, factor: TOTPFactor | SMSFactor) -> Iterator[str]:
        """The code of the app or of the text message. A person who mistypes it has more tries."""
        is_app = isinstance(factor, TOTPFactor)
        if self.emulator is None or (is_app and self.has_app):
            yield from self._typed(is_app=is_app)
        elif is_app:
            code = self.emulator.totp_code(factor.id)
            self.console.result(f"(The authenticator app shows {code} now: emulator.totp_code(factor.id))")
            yield code
        else:
            message = self.emulator.outbox.latest(factor_id=factor.id)
            self.console.result(f"SMS to {message.to}: {message.text}", "(emulator.outbox has every message)")
            yield message.code

    def wrong_code(self, factor: TOTPFactor, right: str) -> str:
        """A code that the app does not show."""
        if self.emulator is None:
            # The codes before and after may be accepted too, and are not known here: a chance of three in a million.
            return "000000" if right != "000000" else "000001"
        code = self.emulator.wrong_code(factor.id)
        self.console.result(f"({code} is surely wrong now: emulator.wrong_code(factor.id))")
        return code

    def _typed(self, *, is_app: bool) -> Iterator[str]:
        if is_app:
            yield self._six_digits("Scan the QR code with an authenticator app, wait for a fresh code, and type it:")
        else:
            yield self._six_digits("Type the code of the text message:")
        for _ in range(_MORE_TRIES):
            yield self._six_digits("That was not right. The same challenge may be tried again. Type the newest code:")

    def _six_digits(self, question: str) -> str:
        code = self.console.ask(question)
        while not _CODE.fullmatch(code):
            code = self.console.ask("A code has six digits. Once more:")
        return code


def run(mfa: MFA, person: Person, console: Console) -> None:
    """Run the demo.

    :raises UnexpectedResult: if a result is not what the demo says.
    :raises MFAError: if a call fails that should not.
    """
    console.step("Enroll an authenticator app")
    console.call('factor = mfa.enroll_factor(type="totp", issuer="Foo Corp", user="alan.turing@example.com")')
    totp = mfa.enroll_factor(type="totp", issuer="Foo Corp", user="alan.turing@example.com")
    with _deleted_at_the_end(mfa, totp, console):
        _show_enrollment(totp, console)
        _verify_totp(mfa, person, totp, console)
    number = person.phone_number()
    if number is not None:
        console.step("Enroll a phone for text messages")
        console.call(f'factor = mfa.enroll_factor(type="sms", phone_number="{number}")')
        sms = mfa.enroll_factor(type="sms", phone_number=number)
        with _deleted_at_the_end(mfa, sms, console):
            console.result(f"{sms.id}")
            _verify_sms(mfa, person, sms, console)


def _show_enrollment(factor: TOTPFactor, console: Console) -> None:
    console.result(
        f"{factor.id}: keep this id with your user's record, it can't be listed later.",
        "factor.totp.qr_code is a data: URI for an <img>; factor.totp.uri, the text in it, drawn here:",
    )
    console.qr_code(factor.totp.uri)
    console.result(
        f"For people who can't scan, factor.totp.secret: {factor.totp.secret}",
        "The API shows these three once. No repr, log or error of this package ever does:",
        f"{factor.totp!r}",
    )


def _verify_totp(mfa: MFA, person: Person, factor: TOTPFactor, console: Console) -> None:
    console.step("Challenge it, and try a wrong code")
    console.call("challenge = mfa.challenge_factor(factor.id)")
    challenge = mfa.challenge_factor(factor.id)
    console.result(f"{challenge.id}: keep this id on the server side.")
    codes = person.codes(factor)
    code = next(codes)
    result = _verified(mfa, challenge.id, person.wrong_code(factor, code), factor, console)
    _expect("a wrong code is refused", is_so=not result)
    console.result("A Verification is as true as its .valid, so `if result:` can't be got wrong.")

    console.step("The right code")
    code = _accepted(mfa, challenge.id, itertools.chain([code], codes), factor, console)

    console.step("The same code a second time")
    try:
        _verified(mfa, challenge.id, code, factor, console)
    except APIError as error:
        console.result(f"{type(error).__name__}: {error}", f"error.needs_new_challenge is {error.needs_new_challenge}")
    else:
        raise UnexpectedResult("a challenge that was verified was verified again")
    console.call("challenge = mfa.challenge_factor(factor.id)")
    challenge = mfa.challenge_factor(factor.id)
    result = _verified(mfa, challenge.id, code, factor, console)
    _expect("a code counts once, for a new challenge too", is_so=not result)
    console.result(
        "Refused, as it should be: each code of the app counts once, so whoever has watched you type it can't use it "
        "again, not even for a new challenge. The app's next code, within 30 seconds, would be accepted."
    )


def _verify_sms(mfa: MFA, person: Person, factor: SMSFactor, console: Console) -> None:
    console.step("Challenge it, in your own words")
    console.call(f'challenge = mfa.challenge_factor(factor.id, sms_template="{_TEMPLATE}")')
    challenge = mfa.challenge_factor(factor.id, sms_template=_TEMPLATE)
    _accepted(mfa, challenge.id, person.codes(factor), factor, console)


def _accepted(mfa: MFA, challenge_id: str, codes: Iterable[str], factor: Factor, console: Console) -> str:
    for code in codes:
        if _verified(mfa, challenge_id, code, factor, console):
            return code
    wrong_clock = "a phone whose clock is wrong shows wrong codes"
    raise UnexpectedResult(f"the tour says that the right code is accepted, and it was not so; {wrong_clock}")


def _verified(mfa: MFA, challenge_id: str, code: str, factor: Factor, console: Console) -> Verification:
    console.call(f'result = mfa.verify_challenge(challenge.id, code="{code}", expected_factor_id=factor.id)')
    result = mfa.verify_challenge(challenge_id, code=code, expected_factor_id=factor.id)
    console.result(f"bool(result) is {bool(result)}")
    return result


def _expect(what: str, *, is_so: bool) -> None:
    if not is_so:
        raise UnexpectedResult(f"the tour says that {what}, and it was not so")


@contextlib.contextmanager
def _deleted_at_the_end(mfa: MFA, factor: Factor, console: Console) -> Generator[None, None, None]:
    """Delete the factor, however the demo ends."""
    try:
        yield
    finally:
        # Delete first, then write: standard output may be a closed pipe.
        _delete(mfa, factor)
        console.step("Delete it")
        console.call("mfa.delete_factor(factor.id)")
        console.call("mfa.get_factor(factor.id)")
        try:
            mfa.get_factor(factor.id)
        except NotFoundError as error:
            console.result(f"NotFoundError: {error}")


def _delete(mfa: MFA, factor: Factor) -> None:
    try:
        mfa.delete_factor(factor.id)
    except (MFAError, KeyboardInterrupt) as error:
        why = f"{factor.id} is still there, or may be; delete it by hand. {type(error).__name__}: {error}"
    else:
        return
    raise UnexpectedResult(why)


def main(*, live: bool, interactive: bool) -> int:
    """Run the demo in the terminal.

    :param live: run it against the real API, with the key in ``WORKOS_API_KEY``, and ask the person for codes.
    :param interactive: run it on the emulator, and ask the person for the codes of the authenticator app.
    :returns: the exit status: 0 if all went well, 1 if not, 141 if standard output was closed.
    """
    try:
        return _run(live=live, interactive=interactive)
    except BrokenPipeError:
        # Python writes what is left in its buffer at exit, and that would fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _CLOSED_PIPE


def _run(*, live: bool, interactive: bool) -> int:
    console = Console(sys.stdout)
    try:
        if live:
            with MFA() as mfa:
                console.say(f"On the real API ({mfa!r}). What is made is deleted again.")
                run(mfa, Person(console), console)
        else:
            emulator = Emulator()
            console.say("On the embedded emulator: no account, no key, no network.", "")
            console.call("emulator = Emulator()")
            console.call("mfa = MFA(transport=emulator)")
            console.result("With an account it is MFA('sk_...'), and all that follows stays the same.")
            run(MFA(transport=emulator), Person(console, emulator, has_app=interactive), console)
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
