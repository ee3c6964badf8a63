"""Questions, and how one is asked: until two answers are equal, or it stays open."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Literal, TypeAlias

import attrs

from workos_mfa._calibration.account import Account, NoLocksLeftError, OddError
from workos_mfa._calibration.wire import Exchange, VoidError

Value: TypeAlias = str | int | bool | None
Found: TypeAlias = Mapping[str, Value]
"""The settings that are found so far, by their names."""

Needs: TypeAlias = Literal["key", "slow", "user", "phone"]

EQUAL_ANSWERS = 2
MOST_ATTEMPTS = 12


@attrs.frozen
class Answer:
    """What the API did.

    :param seen: in words, without any value of this one run, so that answers can be compared.
    :param settings: the settings that it means.
    :param is_bound: whether the true value may be greater than what was tried.
    :param odd: why no setting describes it; empty where one does.
    """

    seen: str
    settings: tuple[tuple[str, Value], ...] = ()
    is_bound: bool = False
    odd: str = ""


Sample: TypeAlias = Callable[[Account, Found], Answer]
SlowSample: TypeAlias = Callable[[Account, Found], Generator[float, None, Answer]]


@attrs.frozen(kw_only=True)
class Question:
    """One thing to find out.

    :param name: for programs.
    :param title: for people.
    :param settings: the settings that an answer may mean.
    :param sample: asks once, on fresh factors. The sample of a slow question yields seconds from its start, and goes
        on when they have passed.
    :param calls: about how many calls it takes to ask twice.
    :param hidden: why it can't be asked, given what is found; empty where it can.
    :param locks: whether it locks challenges.
    """

    name: str
    title: str
    settings: tuple[str, ...]
    calls: int
    sample: Sample | None = None
    slow_sample: SlowSample | None = None
    needs: Needs = "key"
    hidden: Callable[[Found], str] = lambda _: ""
    locks: bool = False


@attrs.define
class Verdict:
    """What became of a question.

    :ivar answer: what two samples agree on; None while it is open.
    :ivar open_because: why it is open.
    :ivar is_odd: whether it is open since no setting describes what the API does, or since it does not always do the
        same; not since responses were lost.
    :ivar voided: how often it had to start again.
    :ivar evidence: the calls of the last sample.
    """

    question: Question
    answer: Answer | None = None
    open_because: str = ""
    is_odd: bool = False
    voided: int = 0
    evidence: Sequence[Exchange] = ()

    @property
    def settings(self) -> dict[str, Value]:
        """The settings that are learnt."""
        return dict(self.answer.settings) if self.answer else {}


def ask(question: Question, account: Account, found: Found) -> Verdict:
    """Ask until two answers are equal. It is open if they differ, or if too many samples are void."""
    verdict = Verdict(question)
    answers: list[Answer] = []
    sample = question.sample
    assert sample is not None
    for _ in range(MOST_ATTEMPTS):
        begin = len(account.wire.evidence)
        try:
            answers.append(sampled(lambda: sample(account, found)))
        except VoidError:
            verdict.voided += 1
            account.wire.recover(verdict.voided)
        except NoLocksLeftError:
            verdict.open_because = "as many challenges as a run may lock are locked already"
            break
        finally:
            verdict.evidence = account.wire.evidence[begin:]
        account.canary()
        if len(answers) == EQUAL_ANSWERS:
            break
    return judged(verdict, answers)


def sampled(act: Callable[[], Answer]) -> Answer:
    """The answer of one sample; what no setting describes is an answer too."""
    try:
        return act()
    except OddError as error:
        return Answer(str(error), odd=str(error))


def judged(verdict: Verdict, answers: Sequence[Answer]) -> Verdict:
    """The verdict on these answers."""
    if len(set(answers)) > 1:
        seen = "; or: ".join(sorted({answer.seen for answer in answers}))
        verdict.open_because = f"the answers differ: {seen}"
        verdict.is_odd = True
    elif len(answers) < EQUAL_ANSWERS:
        verdict.open_because = verdict.open_because or "too many responses were lost or could not be used"
    elif answers[0].odd:
        verdict.open_because = f"no setting describes it: {answers[0].odd}"
        verdict.is_odd = True
    else:
        verdict.answer = answers[0]
    return verdict
