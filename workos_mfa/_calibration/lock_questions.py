"""Questions about wrong codes: how many there may be, what they are counted for, and what is locked then."""

from __future__ import annotations

from collections.abc import Iterator

from workos_mfa import Challenge
from workos_mfa._calibration.account import Account, Kind, OddError, Subject
from workos_mfa._calibration.question import Answer, Found, Question

MOST_WRONG_CODES = 25
"""How many wrong codes are tried before there is said to be no limit."""

_MALFORMED = ("12345", "1234567", "abcdef")


def lock(account: Account, limit: int, kind: Kind = "generic_otp") -> tuple[Subject, Challenge, Iterator[str]]:
    """A challenge that is locked, after as many wrong codes as were counted before."""
    account.reserve_lock()
    subject = account.enroll(kind)
    challenge = account.challenge(subject)
    wrong = account.wrong_codes(subject, challenge)
    outcomes = [account.verify(challenge, next(wrong)) for _ in range(limit + 1)]
    if outcomes != ["invalid"] * limit + ["locked"]:
        raise OddError(f"a challenge was locked after {limit} wrong codes, and another one was not")
    return subject, challenge, wrong


def _count(kind: Kind, account: Account) -> Answer:
    account.reserve_lock()
    subject = account.enroll(kind)
    challenge = account.challenge(subject)
    wrong = account.wrong_codes(subject, challenge)
    for count in range(MOST_WRONG_CODES + 1):
        outcome = account.verify(challenge, next(wrong))
        if outcome == "locked" and count:
            return Answer(f"{count} wrong codes are invalid, the next one is too many", (("max_wrong_codes", count),))
        if outcome != "invalid":
            raise OddError(f"wrong code number {count + 1} is {outcome}")
    return Answer(f"more than {MOST_WRONG_CODES} wrong codes are invalid", (("max_wrong_codes", None),), is_bound=True)


def _counted_per(account: Account, found: Found) -> Answer:
    subject, first, _ = lock(account, _limit(found))
    second = account.challenge(subject)
    outcome = account.verify(second, next(account.wrong_codes(subject, first, second)))
    counted = {"invalid": "challenge", "locked": "factor"}.get(outcome)
    if counted is None:
        raise OddError(f"once a challenge is locked, a wrong code for another one is {outcome}")
    return Answer(f"another challenge: {outcome}", (("wrong_codes_counted_per", counted),))


def _right_code(account: Account, found: Found) -> Answer:
    _, challenge, _ = lock(account, _limit(found))
    outcome = account.verify(challenge, account.code_of(challenge))
    if outcome not in {"valid", "locked"}:
        raise OddError(f"once a challenge is locked, its right code is {outcome}")
    return Answer(f"the right code is {outcome}", (("lock_refuses_right_code", outcome == "locked"),))


def _malformed(account: Account, _: Found) -> Answer:
    outcomes: set[str] = set()
    for code in _MALFORMED:
        outcomes.add(account.verify(account.challenge(account.enroll("generic_otp")), code))
    meaning = {"invalid": "invalid", "invalid request": "refused"}.get(" or ".join(sorted(outcomes)))
    if meaning is None:
        raise OddError(f"codes that are not six digits are {' or '.join(sorted(outcomes))}")
    return Answer(f"a malformed code is {meaning}", (("malformed_code", meaning),))


def _malformed_counted(account: Account, found: Found) -> Answer:
    account.reserve_lock()
    subject = account.enroll("generic_otp")
    challenge = account.challenge(subject)
    expected = "invalid" if found["malformed_code"] == "invalid" else "invalid request"
    for _ in range(_limit(found)):
        outcome = account.verify(challenge, _MALFORMED[0])
        if outcome != expected:
            raise OddError(f"a malformed code is {expected}, and then {outcome}")
    outcome = account.verify(challenge, next(account.wrong_codes(subject, challenge)))
    if outcome not in {"invalid", "locked"}:
        raise OddError(f"after malformed codes, a wrong one is {outcome}")
    return Answer(f"after them a wrong code is {outcome}", (("malformed_codes_counted", outcome == "locked"),))


def _limit(found: Found) -> int:
    limit = found["max_wrong_codes"]
    assert isinstance(limit, int)
    return limit


def without_lock(found: Found) -> str:
    """Why nothing can be found out about a lock; empty where it can."""
    if isinstance(found.get("max_wrong_codes"), int):
        return ""
    return "there was no lock to look at" if "max_wrong_codes" in found else "it is not known what locks a challenge"


QUESTIONS = [
    Question(
        name="wrong codes, generic_otp",
        title="How many wrong codes may a challenge of a generic_otp factor have?",
        settings=("max_wrong_codes",),
        calls=30,
        sample=lambda account, _: _count("generic_otp", account),
        locks=True,
    ),
    Question(
        name="wrong codes counted",
        title="Are wrong codes counted for each challenge, or for the factor?",
        settings=("wrong_codes_counted_per",),
        calls=28,
        sample=_counted_per,
        hidden=without_lock,
        locks=True,
    ),
    Question(
        name="right code",
        title="Is the right code refused too, once there were too many wrong ones?",
        settings=("lock_refuses_right_code",),
        calls=26,
        sample=_right_code,
        hidden=without_lock,
        locks=True,
    ),
    Question(
        name="malformed code",
        title="What is the response to a code that is not six digits?",
        settings=("malformed_code",),
        calls=24,
        sample=_malformed,
    ),
    Question(
        name="malformed code counted",
        title="Does a code that is not six digits count as a wrong one?",
        settings=("malformed_codes_counted",),
        calls=26,
        sample=_malformed_counted,
        hidden=lambda found: (
            without_lock(found)
            or ("" if "malformed_code" in found else "it is not known what the response to such a code is")
        ),
        locks=True,
    ),
    Question(
        name="wrong codes, totp",
        title="How many wrong codes may a challenge of a TOTP factor have?",
        settings=("max_wrong_codes",),
        calls=30,
        sample=lambda account, _: _count("totp", account),
        locks=True,
    ),
]
