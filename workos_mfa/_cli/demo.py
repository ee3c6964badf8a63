"""A whole MFA flow, told as it happens: the tour behind ``workos-mfa demo``.

The same steps run on the embedded emulator, where the demo holds the phone or, with ``--interactive``, a person does,
and with ``--live`` on the real API.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Generator, Iterable, Iterator
from typing import Protocol, TextIO

from workos_mfa._cli import terminal_qr
from workos_mfa._client.mfa import MFA
from workos_mfa._core.errors import APIError, MFAError, NotFoundError
from workos_mfa._core.models import Factor, SMSFactor, TOTPFactor, Verification

_TEMPLATE = "Your Foo Corp code is {{code}}."
_HARD_SPACE = "\xa0"  # where a line must not be broken
_CODE = re.compile(r"[0-9]{6}")
_MORE_TRIES = 2
_CLOSED_PIPE = 128 + 13  # the status that a shell gives a program which SIGPIPE has ended


class Person(Protocol):
    """Whoever holds the phone."""

    def phone_number(self) -> str | None:
        """The number for text messages, or None to leave them out."""
        ...

    def codes(self, factor: TOTPFactor | SMSFactor) -> Iterator[str]:
        """The code that the app shows or the message has; more of them where a person may mistype it."""
        ...

    def wrong_code(self, factor: TOTPFactor, right: str) -> str:
        """A code that the app does not show."""
        ...


class UnexpectedResult(Exception):  # noqa: N818 - not an error of the package: the API did not do what the tour tells
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
        self._write("", self._painted(f"{self._steps}. {title}", "1"))

    def call(self, code: str) -> None:
        """Show the call that is made, broken between its arguments where it is too long."""
        unbroken = code.replace(" ", _HARD_SPACE).replace(f",{_HARD_SPACE}", ", ")
        for line in self.wrapped(unbroken, first="   >>> ", then="   ...     "):
            self._write(self._painted(line.replace(_HARD_SPACE, " "), "36"))

    def result(self, *texts: str) -> None:
        """Show what came of it."""
        for text in texts:
            self._write(*self.wrapped(text, first="   ", then="   "))

    def qr_code(self, text: str) -> None:
        """Show a QR code, unless the terminal would break its lines."""
        drawn = list(terminal_qr.lines(text, inverted=not self._colours, unicode=self._unicode))
        needed, there = len(drawn[0]) + 3, shutil.get_terminal_size().columns
        if needed > there:
            self.result(
                f"[The QR code needs {needed} columns, and this window has {there}. Make it wider and begin again, or "
                "type the secret below into the app.]"
            )
        else:
            self._write(*(f"   {self._painted(line, '30;107')}" for line in drawn))

    def say(self, *texts: str) -> None:
        """Write paragraphs; an empty one is an empty line."""
        for text in texts:
            self._write(*self.wrapped(text))

    @staticmethod
    def wrapped(text: str, *, first: str = "", then: str = "") -> list[str]:
        """The lines of a paragraph, broken between words, at the width of the terminal."""
        wrapper = textwrap.TextWrapper(
            shutil.get_terminal_size().columns,
            initial_indent=first,
            subsequent_indent=then,
            break_long_words=False,
            break_on_hyphens=False,
        )
        return wrapper.wrap(text) or [""]

    def _write(self, *lines: str) -> None:
        for line in lines:
            print(line, file=self._out, flush=True)

    def _painted(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._colours else text


def run(mfa: MFA, person: Person, stage: Stage) -> None:
    """Tell the tour.

    :raises UnexpectedResult: if a step goes otherwise than the tour says.
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
        with _deleted_in_the_end(mfa, sms, stage):
            stage.result(f"{sms.id}")
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
    codes = person.codes(factor)
    code = next(codes)
    result = _verified(mfa, challenge.id, person.wrong_code(factor, code), factor, stage)
    _expect("a wrong code is refused", is_so=not result)
    stage.result("A Verification is as true as its .valid, so `if result:` can't be got wrong.")

    stage.step("The right code")
    code = _accepted(mfa, challenge.id, itertools.chain([code], codes), factor, stage)

    stage.step("The same code a second time")
    try:
        _verified(mfa, challenge.id, code, factor, stage)
    except APIError as error:
        stage.result(f"{type(error).__name__}: {error}", f"error.needs_new_challenge is {error.needs_new_challenge}")
    else:
        raise UnexpectedResult("a challenge that was verified was verified again")
    stage.call("challenge = mfa.challenge_factor(factor.id)")
    challenge = mfa.challenge_factor(factor.id)
    result = _verified(mfa, challenge.id, code, factor, stage)
    _expect("a code counts once, for a new challenge too", is_so=not result)
    stage.result(
        "Refused, as it should be: each code of the app counts once, so whoever has watched you type it can't use it "
        "again, not even for a new challenge. The app's next code, within 30 seconds, would be accepted."
    )


def _verify_sms(mfa: MFA, person: Person, factor: SMSFactor, stage: Stage) -> None:
    stage.step("Challenge it, in your own words")
    stage.call(f'challenge = mfa.challenge_factor(factor.id, sms_template="{_TEMPLATE}")')
    challenge = mfa.challenge_factor(factor.id, sms_template=_TEMPLATE)
    _accepted(mfa, challenge.id, person.codes(factor), factor, stage)


def _accepted(mfa: MFA, challenge_id: str, codes: Iterable[str], factor: Factor, stage: Stage) -> str:
    for code in codes:
        if _verified(mfa, challenge_id, code, factor, stage):
            return code
    wrong_clock = "a phone whose clock is wrong shows wrong codes"
    raise UnexpectedResult(f"the tour says that the right code is accepted, and it was not so; {wrong_clock}")


def _verified(mfa: MFA, challenge_id: str, code: str, factor: Factor, stage: Stage) -> Verification:
    stage.call(f'result = mfa.verify_challenge(challenge.id, code="{code}", expected_factor_id=factor.id)')
    result = mfa.verify_challenge(challenge_id, code=code, expected_factor_id=factor.id)
    stage.result(f"bool(result) is {bool(result)}")
    return result


def _expect(what: str, *, is_so: bool) -> None:
    if not is_so:
        raise UnexpectedResult(f"the tour says that {what}, and it was not so")


@contextlib.contextmanager
def _deleted_in_the_end(mfa: MFA, factor: Factor, stage: Stage) -> Generator[None, None, None]:
    """Leave no factor behind, however the tour ends."""
    try:
        yield
    finally:
        # Before a word of it is said, since nobody may be listening any more.
        _delete(mfa, factor)
        stage.step("Delete it")
        stage.call("mfa.delete_factor(factor.id)")
        stage.call("mfa.get_factor(factor.id)")
        try:
            mfa.get_factor(factor.id)
        except NotFoundError as error:
            stage.result(f"NotFoundError: {error}")


def _delete(mfa: MFA, factor: Factor) -> None:
    try:
        mfa.delete_factor(factor.id)
    except (MFAError, KeyboardInterrupt) as error:
        why = f"{factor.id} is still there, or may be; delete it by hand. {type(error).__name__}: {error}"
    else:
        return
    raise UnexpectedResult(why)


class _EmulatedPerson:
    """The phone in the emulator's world."""

    def __init__(self, stage: Stage) -> None:
        from workos_mfa.emulator import Emulator

        self.emulator = Emulator()
        self._stage = stage

    def phone_number(self) -> str:
        return "+15005550006"

    def codes(self, factor: TOTPFactor | SMSFactor) -> Iterator[str]:
        if isinstance(factor, TOTPFactor):
            code = self.emulator.totp_code(factor.id)
            self._stage.result(f"(The authenticator app shows {code} now: emulator.totp_code(factor.id))")
        else:
            message = self.emulator.outbox.latest(factor_id=factor.id)
            code = message.code
            self._stage.result(f"SMS to {message.to}: {message.text}", "(emulator.outbox has every message)")
        yield code

    def wrong_code(self, factor: TOTPFactor, right: str) -> str:
        del right
        code = self.emulator.wrong_code(factor.id)
        self._stage.result(f"({code} is surely wrong now: emulator.wrong_code(factor.id))")
        return code


class _PersonWithAnApp(_EmulatedPerson):
    """The person at the keyboard has the authenticator app; the phone for text messages is the emulator's."""

    def codes(self, factor: TOTPFactor | SMSFactor) -> Iterator[str]:
        return _typed(factor, self._stage) if isinstance(factor, TOTPFactor) else super().codes(factor)


class _RealPerson:
    """The person at the keyboard."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def phone_number(self) -> str | None:
        question = "A phone number in E.164 form for a text message (empty: leave this out):"
        return _asked(question, self._stage) or None

    def codes(self, factor: TOTPFactor | SMSFactor) -> Iterator[str]:
        return _typed(factor, self._stage)

    def wrong_code(self, factor: TOTPFactor, right: str) -> str:
        del factor
        # The codes before and after it may count too, and nobody here knows them: the chance is three in a million.
        return "000000" if right != "000000" else "000001"


def _typed(factor: TOTPFactor | SMSFactor, stage: Stage) -> Iterator[str]:
    if isinstance(factor, TOTPFactor):
        question = "Scan the QR code with an authenticator app, wait for a fresh code, and type it:"
    else:
        question = "Type the code of the text message:"
    yield _six_digits(question, stage)
    for _ in range(_MORE_TRIES):
        yield _six_digits("That was not right. The same challenge may be tried again. Type the newest code:", stage)


def _six_digits(question: str, stage: Stage) -> str:
    code = _asked(question, stage)
    while not _CODE.fullmatch(code):
        code = _asked("A code has six digits. Once more:", stage)
    return code


def _asked(question: str, stage: Stage) -> str:
    stage.say("")
    lines = stage.wrapped(question, first="   ", then="   ")
    return input("\n".join([*lines, "   > "])).strip().replace(" ", "")


def main(*, live: bool, interactive: bool) -> int:
    """Run the demo in the terminal.

    :param live: run it against the real API, with the key in ``WORKOS_API_KEY``, asking the person for codes.
    :param interactive: run it on the emulator, asking the person for the authenticator app's code.
    :returns: the exit status: 0 if all went as told, 1 if not, 141 if nobody listened to the end.
    """
    try:
        return _told(live=live, interactive=interactive)
    except BrokenPipeError:
        # What Python still holds for the pipe would fail once more at the end, where nothing can catch it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _CLOSED_PIPE


def _told(*, live: bool, interactive: bool) -> int:
    stage = Stage(sys.stdout)
    try:
        if live:
            with MFA() as mfa:
                stage.say(f"On the real API ({mfa!r}). What is made is deleted again.")
                run(mfa, _RealPerson(stage), stage)
        else:
            person = _PersonWithAnApp(stage) if interactive else _EmulatedPerson(stage)
            stage.say("On the embedded emulator: no account, no key, no network.", "")
            stage.call("emulator = Emulator()")
            stage.call("mfa = MFA(transport=emulator)")
            stage.result("With an account it is MFA('sk_...'), and all that follows stays the same.")
            run(MFA(transport=person.emulator), person, stage)
    except (MFAError, UnexpectedResult, ImportError) as error:
        return _stopped(f"{type(error).__name__}: {error}")
    except (EOFError, KeyboardInterrupt):
        return _stopped("stopped")
    stage.say("", "That was the whole API for sign-in. Next, beside the README:")
    stage.result("workos-mfa demo --interactive", "   the same with the authenticator app on your own phone")
    stage.result("workos-mfa demo --live", "   the same on the real API, with your key in WORKOS_API_KEY")
    return 0


def _stopped(why: str) -> int:
    Stage(sys.stderr).say("", f"workos-mfa demo: {why}")
    return 1
