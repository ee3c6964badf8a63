"""``workos-mfa calibrate``: find out what your WorkOS does where nobody knows, and make settings for the emulator."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import cast

from workos_mfa import RequestsTransport
from workos_mfa._calibration.account import Account
from workos_mfa._calibration.calibration import (
    Outcome,
    Plan,
    Surroundings,
    UserHasFactorsError,
    calibrate,
    clean,
)
from workos_mfa._calibration.comparison import Comparison, compare
from workos_mfa._calibration.factor_journal import Journal, JournalError, Owner
from workos_mfa._calibration.replay import Replay, replay
from workos_mfa._calibration.report import leftovers, report, settings_file
from workos_mfa._calibration.result_files import ResultFileError, check_files, write_file
from workos_mfa._calibration.wire import Wire
from workos_mfa._cli import output, prompts
from workos_mfa._cli.output import UsageError
from workos_mfa._transports.config import read_api_key, read_endpoint

_TEST_KEY = "sk_test_"

_DESCRIPTION = (
    "Find out what your WorkOS does where nobody knows: how many wrong codes lock a challenge, how old a TOTP code may "
    "be, how errors look. It enrolls factors of its own, asks its questions, deletes the factors, and writes what it "
    "found as settings for the emulator. First it says what it will do, and asks. The key is in WORKOS_API_KEY."
)
_EPILOG = """\
examples:
  workos-mfa calibrate --settings workos.json --report workos.md
  workos-mfa calibrate --check workos.json --yes    # for a weekly job: status 1 if something has changed
  workos-mfa calibrate --settings workos.json --clean    # after a kill -9
  workos-mfa emulate --settings workos.json

exit status:
  0  done; with --check no change is seen
  1  something has changed, or the emulator with these settings does something else, or nothing was found,
     or a result could not be written
  2  wrong usage or settings: nothing was sent
  3  refused by the API
  4  no response that can be used, and nothing was made
  5  something could not be deleted: run it again with --clean
  130  stopped by Ctrl-C; what was made is deleted"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG
    parser.add_argument("--settings", type=Path, metavar="FILE", help="where the settings found are written, as JSON")
    parser.add_argument("--report", type=Path, metavar="FILE", help="where the report is written, as Markdown")
    parser.add_argument("--check", type=Path, metavar="FILE", help="compare with the settings of an earlier run")
    parser.add_argument("--yes", action="store_true", help="do not ask before it begins")
    parser.add_argument("--slow", action="store_true", help="ask what takes ten minutes too")
    parser.add_argument(
        "--user", metavar="ID", help="ask about the factors of this WorkOS user too, who must have none"
    )
    parser.add_argument(
        "--phone",
        metavar="NUMBER",
        help="ask about text messages too, which go to this number and cost money; - to be asked for the number",
    )
    parser.add_argument("--clean", action="store_true", help="delete what a run has left that was killed, and end")
    parser.add_argument(
        "--live-environment",
        action="store_true",
        help="take a key that does not begin with sk_test_; then no challenge is locked",
    )


def run(given: argparse.Namespace) -> int:
    """Run the command."""
    files = [path for path in (given.settings, given.check, given.report) if path is not None]
    if not files:
        raise UsageError("say where the result goes: --settings FILE, --report FILE, --check FILE, or all of them")
    before = None if given.check is None else _settings_in(given.check)
    journal_path = Path(f"{files[0]}.journal")
    key = prompts.api_key()
    _check_key(key or os.environ.get("WORKOS_API_KEY", ""), live=given.live_environment)
    owner = Owner(read_api_key(key), read_endpoint(None, allow_http=False).url)
    with _transport(key) as transport:
        if given.clean:
            return _clean(transport, journal_path, owner)
        _check_files(given, journal_path)
        with _journal(journal_path, owner) as journal:
            if not journal.is_empty:
                raise UsageError(
                    f"{journal_path}: a run before this one has left factors; delete them with --clean first"
                )
            phone = prompts.secret("The phone number") if given.phone == "-" else given.phone
            plan = Plan(slow=given.slow, user_id=given.user, phone=phone, locks=not given.live_environment)
            output.print_lines(*plan.described())
            if not given.yes and not prompts.confirm("Begin?"):
                raise UsageError("nothing was done")
            outcome = _calibrated(transport, plan, journal)
    return _finish(given, outcome, before, owner.base_url)


def _check_files(given: argparse.Namespace, journal_path: Path) -> None:
    results = [path for path in (given.settings, given.report) if path is not None]
    try:
        check_files(results, [journal_path] if given.check is None else [given.check, journal_path])
    except ResultFileError as error:
        raise UsageError(str(error)) from None


@contextmanager
def _journal(path: Path, owner: Owner) -> Generator[Journal, None, None]:
    try:
        journal = Journal(path, owner)
    except JournalError as error:
        raise UsageError(str(error)) from None
    with closing(journal):
        yield journal


def _check_key(key: str, *, live: bool) -> None:
    if key and not key.startswith(_TEST_KEY) and not live:
        raise UsageError(
            f"the API key does not begin with {_TEST_KEY}. Take one of a test environment, or add "
            "--live-environment if you want to ask a live one"
        )


@contextmanager
def _transport(key: str | None) -> Generator[RequestsTransport, None, None]:
    # Without repetitions: a question has to know of each call.
    transport = RequestsTransport(key)
    try:
        yield transport
    finally:
        transport.close()


@contextmanager
def _interruptible() -> Generator[threading.Event, None, None]:
    """An event that Ctrl-C sets, in place of an exception in the middle of a call."""
    wanted = threading.Event()

    def stop(_number: int, _frame: object) -> None:
        if not wanted.is_set():
            output.tell("calibrate", "it stops after this call, and deletes what it made ...")
        wanted.set()

    numbers = (signal.SIGINT, signal.SIGTERM)
    handlers = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield wanted
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _calibrated(transport: RequestsTransport, plan: Plan, journal: Journal) -> Outcome:
    with _interruptible() as wanted:
        around = Surroundings(
            clock=time.monotonic,
            sleep=lambda seconds: pause(wanted, seconds),
            read_message=_read_message,
            is_stopped=wanted.is_set,
            tell=lambda title: output.tell("calibrate", title),
        )
        try:
            return calibrate(transport, plan, journal, around)
        except UserHasFactorsError as error:
            raise UsageError(str(error)) from None


def pause(wanted: threading.Event, seconds: float) -> None:
    """Wait so long, or until the person wants an end.

    :param wanted: once it is set it ends no more waits: those between the deletions at the end are needed.
    """
    if wanted.is_set():
        time.sleep(seconds)
    else:
        wanted.wait(seconds)


def _read_message(question: str) -> str:
    sys.stderr.write(f"{question}\n> ")
    sys.stderr.flush()
    return sys.stdin.readline()


def _clean(transport: RequestsTransport, path: Path, owner: Owner) -> int:
    if not os.path.lexists(path):
        raise UsageError(f"there is no journal {path}: give the same files as the run that was killed")
    with _journal(path, owner) as journal:
        count = len(journal.factors)
        wire = Wire(transport, clock=time.monotonic, sleep=time.sleep)
        left = clean(Account(wire, journal))
        outcome = Outcome(Plan(), left=left, may_remain=journal.unknown)
        output.print_lines(f"{count - len(left)} of {count} factors are deleted.", *leftovers(outcome))
    return output.OUTCOME_UNKNOWN if left else output.DONE


def _finish(given: argparse.Namespace, outcome: Outcome, before: Mapping[str, object] | None, base_url: str) -> int:
    replayed = _replayed(outcome)
    lines = [f"{len(outcome.settings)} settings are found.", *_words_of(replayed), *leftovers(outcome)]
    unwritten = _written(given, outcome, replayed, base_url)
    comparison = Comparison([], []) if before is None else compare(before, outcome)
    if before is not None:
        same = "What could be compared has not changed." if comparison.unknown else "Nothing has changed."
        lines += [f"changed: {line}" for line in comparison.changed] or [same]
        lines += [f"open this time: {name}" for name in comparison.unknown]
    if outcome.stopped:
        lines.append(f"The run was stopped: {outcome.stopped}. No settings are written.")
    output.print_lines(*lines, *unwritten)
    if outcome.left:
        return output.OUTCOME_UNKNOWN
    if outcome.stopped == "it was interrupted":
        return output.INTERRUPTED
    differs = comparison.changed or (replayed is not None and replayed.differences)
    return output.NOT_VALID if differs or unwritten or outcome.stopped or not outcome.settings else output.DONE


def _written(given: argparse.Namespace, outcome: Outcome, replayed: Replay | None, base_url: str) -> list[str]:
    """Write the results; a line for each that could not be written."""
    texts: dict[Path, str] = {}
    if given.settings is not None and outcome.settings and not outcome.stopped:
        texts[given.settings] = settings_file(outcome)
    if given.report is not None:
        texts[given.report] = report(outcome, replayed, at=datetime.now(timezone.utc), base_url=base_url)
    return [problem for path, text in texts.items() if (problem := _problem_of_writing(path, text))]


def _problem_of_writing(path: Path, text: str) -> str:
    try:
        write_file(path, text)
    except ResultFileError as error:
        return str(error)
    return ""


def _replayed(outcome: Outcome) -> Replay | None:
    """The replay, or None where the emulator can't be had."""
    try:
        return replay(outcome)
    except ImportError:
        return None


def _words_of(replayed: Replay | None) -> list[str]:
    if replayed is None:
        return ["There was no replay: pip install 'workos-mfa[emulator]'."]
    if not replayed.differences:
        return [f"The emulator with these settings gives the same {replayed.compared} answers."]
    return ["The emulator with these settings does something else:", *replayed.differences]


def _settings_in(path: Path) -> Mapping[str, object]:
    from workos_mfa.emulator import Settings

    try:
        Settings.from_file(path)
        return cast("dict[str, object]", json.loads(path.read_text("utf-8")))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(str(error)) from None
