"""The account under test: enrols, challenges, verifies and deletes, and tells each outcome in a word.

Whatever can't be used voids the question. No call is repeated inside of one.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, TypeVar, cast
from urllib.parse import quote

import attrs

from workos_mfa import MFA, APIError, Challenge, MFAError, Request, TransportError
from workos_mfa._calibration.factor_journal import Journal
from workos_mfa._calibration.wire import Reply, StoppedError, VoidError, Wire
from workos_mfa._core.one_time_codes import STEP_SECONDS, code_for, key_of

ISSUER = "workos-mfa calibrate"
"""The issuer of every TOTP factor that a calibration makes, by which it can be recognised."""

OF_USER = "user-"
"""What is in the name of a factor that belongs to a user, so that its list shows it even if its response is lost."""

MOST_LOCKS = 20
_POLLS = 6
_CANARIES = 10
_FAR = 40
_OUTCOMES = {
    "one_time_code_too_many_attempts": "locked",
    "one_time_code_previously_used": "used",
    "authentication_challenge_expired": "expired",
    "authentication_challenge_previously_verified": "verified before",
}

Kind = Literal["totp", "generic_otp"]
T = TypeVar("T")


class OddError(Exception):
    """The API does something that no setting describes; the text says what."""


class RefusedError(OddError):
    """An enrolment is refused that nothing is wrong with."""


class NoLocksLeftError(Exception):
    """As many challenges were locked as a run may lock."""


@attrs.frozen
class Subject:
    """A factor of the calibration's own."""

    id: str
    key: bytes = attrs.field(default=b"", repr=False)
    uri: str = attrs.field(default="", repr=False)
    issuer: str = ""

    def code(self, step: int) -> str:
        """Its TOTP code for a step."""
        return code_for(self.key, max(step, 0))


@attrs.define
class Tally:
    """What a run has done so far."""

    factors: int = 0
    locks: int = 0
    messages: int = 0


class Account:
    """Makes the calls that questions consist of."""

    def __init__(self, wire: Wire, journal: Journal, *, user_id: str | None = None, phone: str | None = None) -> None:
        self.wire = wire
        self.journal = journal
        self.user_id = user_id
        self.phone = phone
        self.tally = Tally()
        self.run_name = secrets.token_hex(4)
        self.mfa = MFA(transport=wire)
        self._challenges: set[str] = set()
        self._locked: set[str] = set()
        self._watch: Subject | None = None
        self._needs_canary = False
        self._needs_whole_step = False

    # Factors

    def enroll(self, kind: Kind, user_id: str | None = None) -> Subject:
        """A fresh factor, once it can be seen."""
        if kind == "generic_otp":
            made = self._made(kind, lambda: self.mfa.enroll_factor(type="generic_otp", user_id=user_id))
            return self.seen(Subject(made.id))
        name = f"{self.run_name}-{OF_USER if user_id else ''}{self.tally.factors + 1}"
        totp = self._made(name, lambda: self.mfa.enroll_factor(type="totp", issuer=ISSUER, user=name, user_id=user_id))
        return self.seen(Subject(totp.id, key_of(totp.totp.secret), totp.totp.uri))

    def create(self, *, issuer: str | None = ISSUER) -> tuple[Subject, Challenge]:
        """A fresh factor of the user, with its challenge."""
        name = f"{self.run_name}-{OF_USER}{self.tally.factors + 1}"
        user_id = self.user_id or ""
        made = self._made(
            name,
            lambda: self.mfa.create_user_auth_factor(user_id, issuer=issuer, user=name),
            lambda made: made.factor.id,
        )
        totp = made.factor.totp
        subject = Subject(made.factor.id, key_of(totp.secret), totp.uri, totp.issuer or "")
        return self.seen(subject), made.challenge

    def enroll_raw(self, body: Mapping[str, object], headers: Mapping[str, str] | None = None) -> tuple[str, Reply]:
        """Enrol by a body that no method of the client sends; the id is empty where it was refused."""
        name = f"a factor of type {body.get('type')}"
        path = "/auth/factors/enroll"
        return self._raw_enrolment(name, lambda: self.raw("enroll_factor", path, path, body, headers=headers))

    def create_raw(self, user_id: str, body: Mapping[str, object]) -> tuple[str, Reply]:
        """The same for a user's factor."""
        route = "/user_management/users/{id}/auth_factors"
        path = route.replace("{id}", quote(user_id, safe=""))
        name = f"a factor of {user_id}"
        return self._raw_enrolment(name, lambda: self.raw("create_user_auth_factor", path, route, body))

    def seen(self, subject: Subject) -> Subject:
        """The factor, once it can be got: it may appear late."""
        for _ in range(_POLLS):
            if self.appears(subject):
                return subject
            self.wire.wait(0.5)
        raise VoidError("a factor that was made does not appear")

    def appears(self, subject: Subject) -> bool:
        """Whether a factor can be got."""
        found = self.settled(lambda: self.mfa.get_factor(subject.id))
        if isinstance(found, Reply) and not found.is_unknown(subject.id):
            raise VoidError("a response to a get that can't be used")
        return not isinstance(found, Reply)

    def delete(self, subject: Subject) -> None:
        """Delete a factor, as a question of its own wants it."""
        found = self.settled(lambda: self.mfa.delete_factor(subject.id))
        if isinstance(found, Reply) or not self.wire.last.is_empty:
            raise VoidError("a factor that was made can't be deleted")
        self.journal.deleted(subject.id)

    # Challenges

    def challenge(self, subject: Subject, template: str | None = None) -> Challenge:
        """A challenge, which must be a new one."""
        made = self.settled(lambda: self.mfa.challenge_factor(subject.id, sms_template=template))
        if isinstance(made, Reply):
            raise OddError(f"a challenge gets {told(made)}")
        return self.is_new(made)

    def is_new(self, challenge: Challenge) -> Challenge:
        """The challenge, if none before it had its id."""
        if challenge.id in self._challenges:
            raise OddError("a second challenge has the id of an earlier one")
        self._challenges.add(challenge.id)
        return challenge

    def verify(self, challenge: Challenge, code: str) -> str:
        """What becomes of a code: ``valid``, ``invalid``, or the word for an error."""
        made = self.settled(lambda: self.mfa.verify_challenge(challenge.id, code=code))
        if not isinstance(made, Reply):
            return "valid" if made.valid else "invalid"
        return self._outcome(challenge, made)

    def verify_raw(self, challenge: Challenge, body: Mapping[str, object]) -> str:
        """The same for a body that no method of the client sends."""
        route = "/auth/challenges/{id}/verify"
        reply = self.raw("verify_challenge", route.replace("{id}", quote(challenge.id, safe="")), route, body)
        if reply.status < 400:
            return _valid_in(reply)
        return self._outcome(challenge, reply)

    def code_of(self, challenge: Challenge) -> str:
        """The code of a ``generic_otp`` challenge, which its response has."""
        if challenge.code is None:
            raise OddError("a challenge of a generic_otp factor has no code")
        return challenge.code

    def wrong_codes(self, subject: Subject, *challenges: Challenge) -> Iterator[str]:
        """Codes that are wrong, each another one; none of any step near."""
        right = {challenge.code for challenge in challenges}
        if subject.key:
            step = int(challenges[0].created_at.timestamp()) // STEP_SECONDS
            right |= {subject.code(step + distance) for distance in range(-_FAR, _FAR + 1)}
        begin = secrets.randbelow(10**6)
        codes = (f"{(begin + 7919 * number) % 10**6:06d}" for number in itertools.count())
        yield from (code for code in codes if code not in right)

    # Time

    def server_time(self) -> float:
        """The server's time now, by a challenge of a factor that is there for this alone."""
        if self._watch is None:
            self._watch = self.enroll("generic_otp")
        watch = self._watch
        # If that is lost, the next question has a fresh one.
        self._watch = None
        challenge = self.challenge(watch)
        self._watch = watch
        return challenge.created_at.timestamp()

    def within_step(self, calls: int, act: Callable[[int], T]) -> T:
        """Do something that takes so many calls while one step of TOTP lasts; void if the step ends meanwhile."""
        before = self.server_time()
        left = STEP_SECONDS - before % STEP_SECONDS
        if left < self.wire.seconds_for(calls + 2) + 1 or self._needs_whole_step:
            self.wire.wait(left + 0.5)
            before = self.server_time()
        step = int(before) // STEP_SECONDS
        self._needs_whole_step = True
        result = act(step)
        if int(self.server_time()) // STEP_SECONDS != step:
            raise VoidError("the step of the TOTP code ended meanwhile")
        self._needs_whole_step = False
        return result

    # Locks

    def reserve_lock(self) -> None:
        """Make sure that one more challenge may be locked."""
        if self.tally.locks >= MOST_LOCKS:
            raise NoLocksLeftError

    def canary(self) -> None:
        """After a lock: a fresh factor must work. If it does not, more than our own challenge may be locked."""
        if self._needs_canary:
            for attempt in range(_CANARIES):
                try:
                    challenge = self.challenge(self.enroll("generic_otp"))
                    outcome = self.verify(challenge, self.code_of(challenge))
                except VoidError:
                    self.wire.recover(attempt)
                    continue
                except OddError as error:
                    outcome = str(error)
                if outcome != "valid":
                    raise StoppedError(f"after a lock, a fresh factor no longer works: {outcome}")
                self._needs_canary = False
                return
            raise StoppedError("after a lock, no fresh factor could be tried: its responses are lost or can't be used")

    # Calls

    def raw(
        self,
        operation: str,
        path: str,
        route: str,
        body: Mapping[str, object] | None,
        *,
        method: str = "POST",
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """A call that no method of the client can express, by the same transport."""
        request = Request(operation, method, path, route, json=body, query=query or {}, headers=headers or {})
        try:
            self.wire.send(request)
        except TransportError as error:
            is_unknown = error.outcome_unknown
            raise VoidError("no response", outcome_unknown=is_unknown) from None
        return usable(self.wire.last)

    def settled(self, act: Callable[[], T]) -> T | Reply:
        """What a call gives, or the reply that refuses it."""
        try:
            return act()
        except APIError:
            pass
        except MFAError as error:
            problem = type(error).__name__
            raise VoidError(problem) from None
        return usable(self.wire.last)

    def _made(self, name: str, act: Callable[[], T], id_of: Callable[[T], str] | None = None) -> T:
        self.tally.factors += 1
        number = str(self.tally.factors)
        self.journal.begin(number, name)
        try:
            made = act()
        except StoppedError:
            self.journal.not_made(number)
            raise
        except MFAError as error:
            if not error.outcome_unknown:
                self.journal.not_made(number)
            refused = isinstance(error, APIError)
        else:
            self.journal.made(number, id_of(made) if id_of else str(getattr(made, "id", "")))
            return made
        if refused:
            raise RefusedError(f"an enrolment gets {told(usable(self.wire.last))}")
        raise VoidError("an enrolment was lost")

    def _raw_enrolment(self, name: str, act: Callable[[], Reply]) -> tuple[str, Reply]:
        self.tally.factors += 1
        number = str(self.tally.factors)
        self.journal.begin(number, name)
        try:
            reply = act()
        except StoppedError:
            self.journal.not_made(number)
            raise
        except VoidError as error:
            if not error.outcome_unknown:
                self.journal.not_made(number)
            raise
        if reply.status >= 400:
            self.journal.not_made(number)
            return "", reply
        inner = (reply.body or {}).get("authentication_factor")
        shown = cast("Mapping[str, object]", inner) if isinstance(inner, dict) else reply.body or {}
        factor_id = str(shown.get("id") or "")
        if not factor_id:
            raise VoidError("a factor without an id")
        self.journal.made(number, factor_id)
        return factor_id, reply

    def _outcome(self, challenge: Challenge, reply: Reply) -> str:
        if reply.status == 404:
            if reply.is_unknown(challenge.id):
                return "challenge gone"
            if reply.is_unknown(challenge.authentication_factor_id):
                return "factor gone"
            raise VoidError("a 404 that names none of our ids")
        outcome = _OUTCOMES.get(reply.code) or ("invalid request" if reply.is_invalid_request else told(reply))
        if outcome == "locked" and challenge.authentication_factor_id not in self._locked:
            self._locked.add(challenge.authentication_factor_id)
            self.tally.locks += 1
            self._needs_canary = True
        return outcome


def usable(reply: Reply) -> Reply:
    """The reply, if it is one of the API that can be used: not 429, 5xx, HTML or a refusal of the key."""
    has_words = bool(reply.text("message") or reply.code or reply.problems)
    is_error = 400 <= reply.status < 500 and reply.status not in {401, 403, 408, 429}
    is_success = 200 <= reply.status < 300 and (reply.body is not None or reply.is_empty)
    if (is_error and has_words) or is_success or is_throttle(reply):
        return reply
    is_refusal = 400 <= reply.status < 500 and reply.status != 408
    raise VoidError(f"a response that can't be used: {reply.status}", outcome_unknown=not is_refusal)


def is_throttle(reply: Reply) -> bool:
    """Whether it is the 429 that only messages get; any other is about our own pace."""
    return reply.status == 429 and reply.code in {"sms_challenge_rate_limited", "sms_challenge_quota_reached"}


def told(reply: Reply) -> str:
    """An error in a few words."""
    return f"{reply.status} {reply.code}".strip()


def _valid_in(reply: Reply) -> str:
    valid = (reply.body or {}).get("valid")
    if not isinstance(valid, bool):
        raise VoidError("a verification without valid")
    return "valid" if valid else "invalid"
