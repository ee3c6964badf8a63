"""A whole calibration: what it will do, the questions in their order, and the deleting at the end."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import TypeVar

import attrs

from workos_mfa import (
    MFAError,
    NotFoundError,
    RateLimitExceededError,
    ServerError,
    Transport,
    TransportError,
    UnexpectedResponseError,
)
from workos_mfa._calibration import (
    challenge_questions,
    lock_questions,
    request_questions,
    slow_questions,
    totp_questions,
    user_questions,
)
from workos_mfa._calibration.account import ISSUER, MOST_LOCKS, Account, OddError, Tally
from workos_mfa._calibration.factor_journal import Journal
from workos_mfa._calibration.message_questions import MESSAGES, ReadMessage, message_questions
from workos_mfa._calibration.question import Question, Value, Verdict, ask
from workos_mfa._calibration.wire import CALLS_A_SECOND, StoppedError, VoidError, Wire

_DELETIONS = 8
_CHECKS = 4
_T = TypeVar("_T")


class UserHasFactorsError(Exception):
    """The user of ``--user`` has factors: a calibration could harm them, and they would be in its lists."""


@attrs.frozen(kw_only=True)
class Plan:
    """What is to be asked.

    :param locks: whether challenges may be locked.
    """

    slow: bool = False
    user_id: str | None = None
    phone: str | None = attrs.field(default=None, repr=False)
    locks: bool = True

    def questions(self, read_message: ReadMessage) -> list[Question]:
        """All questions, in the order in which they are asked."""
        return [
            *lock_questions.QUESTIONS,
            *totp_questions.QUESTIONS,
            *challenge_questions.QUESTIONS,
            *request_questions.QUESTIONS,
            *user_questions.QUESTIONS,
            *message_questions(read_message),
            *slow_questions.QUESTIONS,
        ]

    def why_not(self, question: Question) -> str:
        """Why a question is not asked; empty where it is."""
        if question.locks and not self.locks:
            return "it locks challenges, which is not done in a live environment"
        given = {"key": True, "slow": self.slow, "user": self.user_id is not None, "phone": self.phone is not None}
        words = {"slow": "it needs --slow", "user": "it needs --user", "phone": "it needs --phone"}
        return "" if given[question.needs] else words[question.needs]

    def described(self) -> list[str]:
        """What a run will do, for the person who is asked."""
        asked = [question for question in self.questions(str) if not self.why_not(question)]
        calls = sum(question.calls for question in asked)
        more = ", and ten minutes for --slow" if self.slow else ""
        seconds = calls // CALLS_A_SECOND + 10
        lines = [
            f"It asks {len(asked)} questions in about {calls} calls, at most {CALLS_A_SECOND} in a second.",
            f"That takes some {seconds} seconds{more}.",
            f"It enrolls factors of its own (TOTP factors have the issuer {ISSUER!r}) and deletes them at the end.",
            f"It locks at most {MOST_LOCKS} challenges of these factors." if self.locks else "It locks no challenge.",
        ]
        if self.user_id:
            lines.append("It makes and deletes factors of the user, who must have none.")
        messages = f"It sends {MESSAGES} text messages, more if responses are lost." if self.phone else ""
        return [*lines, messages or "It sends no text message."]


@attrs.define
class Outcome:
    """What became of a run.

    :ivar stopped: why it ended before all was asked; empty where it did not.
    :ivar left: ids of factors that could not be deleted.
    :ivar may_remain: names of factors that may be there, though nobody knows their ids.
    """

    plan: Plan
    verdicts: list[Verdict] = attrs.field(factory=list[Verdict])
    stopped: str = ""
    left: Sequence[str] = ()
    may_remain: Sequence[str] = ()
    tally: Tally = attrs.field(factory=Tally)
    calls: int = 0
    seconds: float = 0.0

    @property
    def settings(self) -> dict[str, Value]:
        """All settings that are learnt."""
        return {name: value for verdict in self.verdicts for name, value in verdict.settings.items()}


@attrs.frozen(kw_only=True)
class Surroundings:
    """What a run needs of the world.

    :param clock: seconds.
    :param sleep: waits so many seconds.
    :param read_message: asks the person for the text of a message.
    :param is_stopped: whether the person wants an end.
    :param tell: is told of each question that is asked.
    """

    clock: Callable[[], float]
    sleep: Callable[[float], object]
    read_message: ReadMessage = str
    is_stopped: Callable[[], bool] = lambda: False
    tell: Callable[[str], object] = lambda _: None


def calibrate(transport: Transport, plan: Plan, journal: Journal, around: Surroundings) -> Outcome:
    """Ask everything, and delete what was made, whatever happens.

    :raises UserHasFactorsError: if the user has factors already.
    :raises MFAError: if the first call of all is refused, or gets no response: nothing was made.
    """
    wire = Wire(transport, clock=around.clock, sleep=around.sleep, is_stopped=around.is_stopped)
    account = Account(wire, journal, user_id=plan.user_id, phone=plan.phone)
    outcome = Outcome(plan, tally=account.tally)
    began = around.clock()
    try:
        _check_key(account)
        _check_user(account)
        _ask_all(account, outcome, around)
    except StoppedError as error:
        outcome.stopped = str(error)
    finally:
        outcome.left = clean(account)
        outcome.may_remain = journal.unknown
        outcome.calls = len(wire.evidence)
        outcome.seconds = around.clock() - began
        journal.close()
    return outcome


def clean(account: Account) -> list[str]:
    """Delete all that is in the journal; what is left after several attempts."""
    account.wire.is_cleaning = True
    for attempt in range(_DELETIONS):
        if account.user_id is not None:
            with contextlib.suppress(VoidError, OddError):
                user_questions.listed(account, limit="100", order="desc")
        for factor_id in list(account.journal.factors):
            if _is_gone(account, factor_id):
                account.journal.deleted(factor_id)
        if account.journal.is_empty:
            break
        account.wire.recover(attempt)
    return list(account.journal.factors)


def _is_gone(account: Account, factor_id: str) -> bool:
    try:
        account.mfa.delete_factor(factor_id)
    except NotFoundError:
        return account.wire.last.is_unknown(factor_id)
    except MFAError:
        return False
    # A page of a proxy is no deletion, whatever its status.
    return account.wire.last.is_empty


def _check_key(account: Account) -> None:
    """A harmless call, whose refusal is about the key."""
    with contextlib.suppress(NotFoundError):
        _patiently(account, lambda: account.mfa.get_factor(f"auth_factor_{account.run_name}"))


def _check_user(account: Account) -> None:
    user_id = account.user_id
    if user_id is not None and _patiently(account, lambda: account.mfa.list_user_auth_factors(user_id)).items:
        raise UserHasFactorsError(f"the user {user_id} has factors: take one without, such as a new one for this")


def _patiently(account: Account, act: Callable[[], _T]) -> _T:
    """What a call gives that changes nothing; it is made again if its response is lost or can't be used."""
    for attempt in range(_CHECKS):
        with contextlib.suppress(TransportError, UnexpectedResponseError, RateLimitExceededError, ServerError):
            return act()
        account.wire.recover(attempt)
    return act()


def _ask_all(account: Account, outcome: Outcome, around: Surroundings) -> None:
    plan = outcome.plan
    found: dict[str, Value] = {}
    slow: list[Question] = []
    for question in plan.questions(around.read_message):
        why = plan.why_not(question) or question.hidden(found)
        if why:
            outcome.verdicts.append(Verdict(question, open_because=why))
        elif question.needs == "slow":
            slow.append(question)
        else:
            around.tell(question.title)
            verdict = ask(question, account, found)
            outcome.verdicts.append(verdict)
            _agree(outcome.verdicts, verdict, found)
    if slow:
        around.tell(" ".join(question.title for question in slow))
        outcome.verdicts += slow_questions.ask_together(slow, account, found)


def _agree(verdicts: Sequence[Verdict], new: Verdict, found: dict[str, Value]) -> None:
    """Take over what a verdict says; where an earlier one says otherwise, both are open."""
    for name, value in new.settings.items():
        if found.setdefault(name, value) != value:
            for verdict in verdicts:
                if verdict.answer is not None and name in verdict.settings:
                    verdict.open_because = f"no setting describes it: here {verdict.answer.seen}, and elsewhere not"
                    verdict.is_odd = True
                    verdict.answer = None
