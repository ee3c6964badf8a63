"""Sends the rows, so that each is there once, whatever happens.

For each row: take a token, list the user's factors, note them in the journal, create the factor, note that it is done.
What has no clear response is never sent again before the user's factors were listed once more, some seconds later:
one new factor is ours. None means that nothing arrived, if it was seen in this environment that a list has a factor
that was just made. Anything else is left to a person.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

import attrs

from workos_mfa import (
    MFA,
    APIError,
    AuthenticationError,
    AuthorizationError,
    ConnectError,
    InvalidInputError,
    MFAError,
    RateLimitExceededError,
    ServerError,
    TransportError,
    UnexpectedResponseError,
)
from workos_mfa._migration.check import Checked
from workos_mfa._migration.journal import Journal
from workos_mfa._migration.pace import Pace
from workos_mfa._migration.row import Problem
from workos_mfa._migration.tally import Tally
from workos_mfa._migration.work import Job, Work

_PAGE = 100
_MOST_TRIES = 8
_MOST_SENDS = 3
_MOST_LOOKS = 3  # at what can't be settled as long as lists are not trusted
_BETWEEN_LISTS = 0.5

UNSETTLED = (
    "there was no response, and the list of the user's factors does not tell whether it arrived: look at the user in "
    "the dashboard, delete what is new there, and import the row from a file of its own"
)
_SEVERAL = "the user has several new factors, and one at most is this row's: look which of them is to stay"


@attrs.frozen
class Stop:
    """Why an import ended early.

    :param reason: in a sentence; empty where a person stopped it.
    :param error: the error that did, if one did.
    """

    reason: str
    error: MFAError | None = None


class Importer:
    """An import: many threads that share the work, the pace and the journal.

    :param mfa: the client; it must not repeat calls by itself.
    :param checked: the rows.
    :param journal: a journal that belongs to them.
    :param pace: the pace of all threads.
    :param settle: seconds after which a call without a response can no longer arrive.
    :param workers: how many threads.
    """

    def __init__(
        self, mfa: MFA, checked: Checked, journal: Journal, *, pace: Pace, settle: float, workers: int
    ) -> None:
        self.pace = pace
        self.tally = Tally(checked.good)
        # One attempt: what may be repeated is decided here, at the pace of all.
        self._mfa = mfa.with_options(max_attempts=1)
        self._journal = journal
        self._settle = settle
        self._lists_are_trusted = journal.lists_are_trusted
        # A user, and a factor that was made for this one of late. It must be one whose id a response gave: a person may
        # have used any other, and an environment may list those alone.
        self._witness = journal.witness()
        self._work = Work(self._jobs(checked))
        self._stop: Stop | None = None
        self._crash: BaseException | None = None
        self._threads = [threading.Thread(target=self._work_on, name=f"import {n + 1}") for n in range(workers)]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait so long at most; whether all threads have ended.

        :raises BaseException: whatever ended one of them.
        """
        for thread in self._threads:
            if thread.is_alive():
                thread.join(seconds)
                return False
        if self._crash is not None:
            raise self._crash
        return True

    def stop(self, reason: str = "", error: MFAError | None = None) -> None:
        """End it: calls that are out are finished, and no other is made."""
        self._stop = self._stop or Stop(reason, error)
        self.pace.stop()
        self._work.stop()

    @property
    def stopped(self) -> Stop | None:
        """Why it ended early; None if it did not."""
        return self._stop

    def _jobs(self, checked: Checked) -> Iterator[Job]:
        for row in checked.rows():
            entry = self._journal.entry(row.line)
            if entry is None or entry.state == "refused":
                yield Job(row)
            elif entry.state == "done":
                self.tally.already()
            else:
                # The clock may have been changed since.
                wait = min(self._settle, max(0.0, entry.sent_at + self._settle - time.time()))
                yield Job(row, entry.before, is_unclear=True, wait=wait)

    def _work_on(self) -> None:
        try:
            while (job := self._work.next()) is not None:
                self._turn(job)
        except BaseException as error:  # noqa: BLE001 - it is raised by ``wait``
            self._crash = self._crash or error
            self.stop()

    def _turn(self, job: Job) -> None:
        if job.wait:
            wait, job.wait = job.wait, 0.0
            self._work.again(job, wait)
        elif job.is_unclear:
            self._look(job)
        else:
            self._send(job)

    def _send(self, job: Job) -> None:
        if not self.pace.for_a_write() or (there := self._factors(job)) is None:
            return
        row = job.row
        if job.before is not None and there - job.before:
            self._settled(job, there - job.before)  # what was sent before has arrived at last
            return
        is_repeated, job.before = job.before is not None, there
        self._journal.sending(row.line, row.user_id, there)
        began = self.pace.now()
        try:
            made = self._mfa.create_user_auth_factor(
                row.user_id, issuer=row.issuer, user=row.account, secret=row.secret
            )
        except MFAError as error:
            self._failed(job, began, error)
        else:
            self.pace.good()
            self._journal.done(row.line, made.factor.id)
            self._check_lists(job, made.factor.id, is_repeated=is_repeated)

    def _failed(self, job: Job, began: float, error: MFAError) -> None:
        """A row was sent, and there is an error."""
        if _is_refusal(error):
            self.pace.good()
            self._refused(job, str(error))
        elif error.outcome_unknown or not isinstance(error, APIError | TransportError):
            job.is_unclear = True
            job.sends, job.error = job.sends + 1, str(error)
            self.pace.unclear(began)
            self._work.again(job, self._settle)
            self._give_up_if_hopeless(error)
        else:
            self._journal.not_sent(job.row.line)
            job.before = None  # what the user adds meanwhile is no factor of ours
            self._hold(job, began, error)

    def _hold(self, job: Job, began: float, error: MFAError) -> None:
        """A call certainly did nothing, and can't do anything now."""
        if isinstance(error, AuthenticationError | AuthorizationError):
            self.stop("the API refused the key", error)
        elif isinstance(error, RateLimitExceededError):
            self.pace.limited(began, error.retry_after)
        else:
            self.pace.unreachable(began)
        self._work.again(job)
        self._give_up_if_hopeless(error)

    def _factors(self, job: Job) -> frozenset[str] | None:
        """The ids of the user's TOTP factors; None if the job's turn has ended with this."""
        if not self.pace.for_a_read():
            return None
        began = self.pace.now()
        try:
            return self._list(job.row.user_id)
        except MFAError as error:
            self._list_failed(job, began, error)
            return None

    def _list(self, user_id: str) -> frozenset[str]:
        page = self._mfa.list_user_auth_factors(user_id, limit=_PAGE)
        return frozenset(factor.id for factor in page.auto_paging_iter() if factor.type == "totp")

    def _list_failed(self, job: Job, began: float, error: MFAError) -> None:
        job.tries += 1
        is_passing = isinstance(error, ServerError | TransportError | UnexpectedResponseError)
        if _is_refusal(error) or (is_passing and job.tries >= _MOST_TRIES and not isinstance(error, ConnectError)):
            reason = f"the user's factors could not be listed: {error}"
            if job.is_unclear:
                self._unknown(job, reason)
            else:
                self._refused(job, reason)
        elif is_passing and not isinstance(error, ConnectError):
            self.pace.unclear(began)
            self._work.again(job, _BETWEEN_LISTS)
            self._give_up_if_hopeless(error)
        else:
            self._hold(job, began, error)

    def _look(self, job: Job) -> None:
        """Find out whether a row has arrived."""
        there = self._factors(job)
        if there is not None:
            self._settled(job, there - (job.before or frozenset()))

    def _settled(self, job: Job, new: frozenset[str]) -> None:
        """These factors are new since a row was sent of which nobody knows whether it arrived."""
        if len(new) == 1:
            (factor_id,) = new
            self._journal.found(job.row.line, factor_id)
            self._done()
        elif new:
            self._unknown(job, f"{_SEVERAL}: {', '.join(sorted(new))}")
        elif self._lists_are_trusted or self._witness_is_listed():
            self._arrived_not(job)
        elif job.looks < _MOST_LOOKS:
            job.looks += 1
            self._work.again(job, self._settle)
        else:
            self._unknown(job, UNSETTLED)

    def _arrived_not(self, job: Job) -> None:
        """It is certain that a row has not arrived."""
        if job.sends >= _MOST_SENDS:
            self._refused(job, f"it was sent {job.sends} times and did not arrive; the last time: {job.error}")
            return
        self._journal.not_sent(job.row.line)
        job.is_unclear = False
        self._work.again(job)

    def _check_lists(self, job: Job, factor_id: str, *, is_repeated: bool) -> None:
        """A row is done. Look at the user's factors if it was sent twice, or if lists are not trusted yet."""
        if not self._lists_are_trusted:
            # The newest one, since its person has hardly used it. Only the first one costs a call.
            is_first, self._witness = self._witness is None, (job.row.user_id, factor_id)
            if is_first:
                self._witness_is_listed()
        others: frozenset[str] = frozenset()
        if is_repeated:
            with contextlib.suppress(MFAError):
                others = self._list(job.row.user_id) - (job.before or frozenset()) - {factor_id}
        if others:
            self._unknown(job, f"{_SEVERAL}: {', '.join(sorted({factor_id, *others}))}")
        else:
            self._done()

    def _witness_is_listed(self) -> bool:
        """Whether a list has a factor that was just made."""
        if self._witness is None:
            return False
        user_id, factor_id = self._witness
        with contextlib.suppress(MFAError):
            if factor_id in self._list(user_id):
                self._lists_are_trusted = True
                self._journal.trust_lists()
        return self._lists_are_trusted

    def _done(self) -> None:
        self.tally.done()
        self._work.finished()

    def _refused(self, job: Job, reason: str) -> None:
        problem = _problem(job, reason)
        self._journal.refused(problem.line, problem.user_id, problem.reason)
        self.tally.refused(problem)
        self._work.finished()

    def _unknown(self, job: Job, reason: str) -> None:
        # The journal keeps it as it is: the next run looks once more.
        self.tally.unknown(_problem(job, reason))
        self._work.finished()

    def _give_up_if_hopeless(self, error: MFAError) -> None:
        if self.pace.is_hopeless:
            self.stop("the API does not respond", error)


def _problem(job: Job, reason: str) -> Problem:
    # It holds what a server says, and goes to a terminal.
    printable = "".join(character if character.isprintable() else " " for character in reason)
    return Problem(job.row.line, job.row.user_id, " ".join(printable.split()))


def _is_refusal(error: MFAError) -> bool:
    """Whether the API, or our own check, has refused this row, and would do so again."""
    if isinstance(error, AuthenticationError | AuthorizationError | RateLimitExceededError):
        return False
    is_clear = isinstance(error, APIError) and 400 <= error.status_code < 500 and error.status_code != 408
    return is_clear or isinstance(error, InvalidInputError)
