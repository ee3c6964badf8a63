"""Questions that take ten minutes. They wait together, so that all of them take ten."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import attrs

from workos_mfa import Challenge
from workos_mfa._calibration.account import Account, NoLocksLeftError, OddError, Subject
from workos_mfa._calibration.lock_questions import lock, without_lock
from workos_mfa._calibration.question import EQUAL_ANSWERS, Answer, Found, Question, Verdict, judged
from workos_mfa._calibration.wire import VoidError

MOMENTS = (10, 30, 60, 120, 300, 570)
"""Seconds after which it is looked whether a lock has ended; a challenge itself ends after ten minutes."""

_LATE = 3
_LIFETIME = 602
_SAMPLES = 3
_MOST_ROUNDS = 3

_Waiting = Generator[float, None, Answer]


def _lock_ends(account: Account, found: Found) -> _Waiting:
    limit = found["max_wrong_codes"]
    assert isinstance(limit, int)
    _, challenge, wrong = lock(account, limit)
    began = account.wire.now()
    before = 0
    for moment in MOMENTS:
        yield began + moment
        if account.wire.now() > began + moment + _LATE:
            raise VoidError("the moment to look has passed")
        outcome = account.verify(challenge, next(wrong))
        if outcome == "invalid":
            seen = f"a lock ends between {before} and {moment} seconds"
            return Answer(seen, (("lock_ends_after", moment),), is_bound=True)
        if outcome != "locked":
            raise OddError(f"{moment} seconds after the lock, a wrong code is {outcome}")
        before = moment
    return Answer(f"a lock lasts more than {before} seconds", (("lock_ends_after", None),), is_bound=True)


def _totp_ends(account: Account, _: Found) -> _Waiting:
    subject = account.enroll("totp")
    challenge = account.challenge(subject)
    yield account.wire.now() + _LIFETIME
    outcome = account.within_step(1, lambda step: _right(account, subject, challenge, step))
    if outcome not in {"valid", "expired"}:
        raise OddError(f"after ten minutes, the right code is {outcome}")
    return Answer(f"after ten minutes, it is {outcome}", (("totp_challenges_expire", outcome == "expired"),))


def _right(account: Account, subject: Subject, challenge: Challenge, step: int) -> str:
    return account.verify(challenge, subject.code(step))


@attrs.define
class _Run:
    verdict: Verdict
    waiting: _Waiting
    resume_at: float


def ask_together(questions: Sequence[Question], account: Account, found: Found) -> list[Verdict]:
    """Ask questions whose samples wait, all samples at once."""
    verdicts = [Verdict(question) for question in questions]
    answers: dict[str, list[Answer]] = {question.name: [] for question in questions}
    for _ in range(_MOST_ROUNDS):
        missing = [verdict for verdict in verdicts if len(answers[verdict.question.name]) < EQUAL_ANSWERS]
        runs = [run for verdict in missing for run in _begun(verdict, account, found)]
        begin = len(account.wire.evidence)
        while runs:
            run = min(runs, key=lambda run: run.resume_at)
            account.wire.wait(run.resume_at - account.wire.now())
            answer = _step(run, account)
            if run.resume_at < 0:
                runs.remove(run)
                answers[run.verdict.question.name] += [] if answer is None else [answer]
        for verdict in missing:
            verdict.evidence = account.wire.evidence[begin:]
    return [judged(verdict, answers[verdict.question.name]) for verdict in verdicts]


def _begun(verdict: Verdict, account: Account, found: Found) -> list[_Run]:
    sample = verdict.question.slow_sample
    assert sample is not None
    return [_Run(verdict, sample(account, found), 0.0) for _ in range(_SAMPLES)]


def _step(run: _Run, account: Account) -> Answer | None:
    """Go on with a sample until it waits again; ``resume_at`` is -1 once it is over."""
    answer = None
    try:
        run.resume_at = next(run.waiting)
    except StopIteration as end:
        answer = end.value
        run.resume_at = -1.0
    except OddError as error:
        answer = Answer(str(error), odd=str(error))
        run.resume_at = -1.0
    except (VoidError, NoLocksLeftError):
        run.verdict.voided += 1
        run.resume_at = -1.0
    account.canary()
    return answer


QUESTIONS = [
    Question(
        name="end of a lock",
        title="Does a lock end by itself?",
        settings=("lock_ends_after",),
        calls=48,
        slow_sample=_lock_ends,
        needs="slow",
        hidden=without_lock,
        locks=True,
    ),
    Question(
        name="end of a TOTP challenge",
        title="Does a challenge of a TOTP factor end after ten minutes?",
        settings=("totp_challenges_expire",),
        calls=18,
        slow_sample=_totp_ends,
        needs="slow",
    ),
]
