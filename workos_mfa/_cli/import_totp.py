"""``workos-mfa import-totp``: bring people's TOTP secrets along from another provider."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import combinations
from pathlib import Path
from typing import cast

import attrs

from workos_mfa._cli import output
from workos_mfa._cli.output import UsageError
from workos_mfa._migration.check import Checked, check
from workos_mfa._migration.failed_file import why_unwritable, write_failed
from workos_mfa._migration.importer import Importer
from workos_mfa._migration.journal import Journal, JournalError
from workos_mfa._migration.pace import Pace
from workos_mfa._migration.progress import duration, shown
from workos_mfa._migration.row import Problem
from workos_mfa._migration.table import FileError, open_table
from workos_mfa._migration.tally import Counts

_DESCRIPTION = """\
Give WorkOS the TOTP secrets that people's authenticator apps hold already, so that nobody has to scan a QR code again.

Every row is checked before anything is sent. A journal makes the import restartable after any end: give the same \
command again, and nobody is imported twice. The key is read from WORKOS_API_KEY."""
_EPILOG = """\
FILE is CSV with a header, or JSON lines, with these fields:
  user_id  the WorkOS user, user_...
  secret  in Base32, or
  uri  otpauth://totp/..., with SHA-1, 6 digits and 30 seconds
  issuer  the name that the app shows, if wanted
  account  the account that the app shows, if wanted

examples:
  workos-mfa import-totp users.csv --dry-run
  workos-mfa import-totp users.csv --failed failed.csv

exit status:
  0  all rows are there, or with --dry-run good
  1  there are bad rows, or the journal or FILE of --failed can't be written
  2  wrong usage or settings: nothing was sent
  3  the API refused rows, or the key
  4  the API does not respond
  5  of some rows nobody knows whether they arrived
  74  the summary could not be written; all else was done
  130  stopped by Ctrl-C"""

_DEFAULT_RATE = 40.0
_DEFAULT_SETTLE = 30.0
_LEAST, _MOST = 0.001, 86_400.0  # a row in a quarter of an hour, and a day
_MOST_SHOWN = 20
_BETWEEN_LOOKS = 0.1
_BESIDE_JOURNAL = ("-wal", "-shm", "-journal")  # what SQLite puts there
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@attrs.frozen
class _Given:
    """The options of the command line."""

    file: Path
    journal: Path
    failed: Path | None
    dry_run: bool
    skip_bad_rows: bool
    key_changed: bool
    rate: float
    concurrency: int
    settle: float
    json: bool


@attrs.frozen
class _Ended:
    """An import that has ended.

    :param trouble: what is wrong with our files, if that has ended it.
    """

    checked: Checked
    importer: Importer
    seconds: float
    trouble: str

    @property
    def why(self) -> str | None:
        """Why it ended early; None if it did not."""
        stop = self.importer.stopped
        if stop is None:
            return self.trouble or None
        return self.trouble or (f"{stop.reason}: {stop.error}" if stop.error else "interrupted")

    @property
    def status(self) -> int:
        """The exit status."""
        counts, stop = self.importer.tally.counts, self.importer.stopped
        if self.trouble:
            return output.NOT_VALID
        if stop is not None and stop.error is None:
            return output.INTERRUPTED
        if counts.unknown:
            return output.OUTCOME_UNKNOWN
        if stop is not None and stop.error is not None:
            return output.status_of(stop.error)
        if counts.refused:
            return output.REFUSED
        return output.NOT_VALID if self.checked.problems else output.DONE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG
    parser.add_argument("file", type=Path, metavar="FILE", help="the rows")
    parser.add_argument("--dry-run", action="store_true", help="check the rows, and send nothing")
    parser.add_argument(
        "--journal", type=Path, metavar="FILE", help="what became of each row; FILE.journal, beside FILE, if left out"
    )
    parser.add_argument("--failed", type=Path, metavar="FILE", help="write the rows that failed here, without secrets")
    parser.add_argument("--skip-bad-rows", action="store_true", help="import the good rows if others are bad")
    parser.add_argument(
        "--rate",
        type=_within_reason,
        default=_DEFAULT_RATE,
        metavar="N",
        help="writes a second (%(default)g); WorkOS allows 500 in 10 seconds for an environment, your app's included",
    )
    parser.add_argument("--concurrency", type=_threads, default=16, metavar="N", help="threads (%(default)s)")
    parser.add_argument(
        "--settle",
        type=_within_reason,
        default=_DEFAULT_SETTLE,
        metavar="SECONDS",
        help="after so long a call without a response can no longer arrive, and is looked for (%(default)g)",
    )
    parser.add_argument(
        "--key-changed",
        action="store_true",
        help="the API key or the base URL is another one, but of the journal's environment",
    )
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")


def run(options: argparse.Namespace) -> int:
    values = {field.name: getattr(options, field.name) for field in attrs.fields(_Given)}
    file = cast("Path", options.file)
    values["journal"] = options.journal or file.with_name(f"{file.name}.journal")
    given = _Given(**values)
    _check_paths(given.file, given.journal, given.failed)
    try:
        checked = check(open_table(given.file))
        if given.dry_run:
            return _dry_run(given, checked)
        if checked.problems and not given.skip_bad_rows:
            _write_failed(given, checked, ())
            _tell_problems(given, checked.problems)
            output.tell("import-totp", f"{_counted(checked)}. Nothing was sent: mend them, or add --skip-bad-rows")
            return output.NOT_VALID
        return _import(given, checked)
    except (FileError, JournalError) as error:
        text = str(error)
    raise UsageError(text)


def _dry_run(given: _Given, checked: Checked) -> int:
    is_written = _write_failed(given, checked, ())
    if given.json:
        problems = [attrs.asdict(problem) for problem in checked.problems]
        output.print_json({"good": checked.good, "bad": len(problems), "problems": problems})
    else:
        _tell_problems(given, checked.problems)
        output.print_lines(f"{_counted(checked)}. Nothing was sent.")
    return output.NOT_VALID if checked.problems or not is_written else output.DONE


def _import(given: _Given, checked: Checked) -> int:
    # The HTTP library takes a while to load.
    from workos_mfa import MFA, Urllib3Transport
    from workos_mfa._transports import config

    with closing(Urllib3Transport()) as transport, closing(Journal(given.journal)) as journal:
        base_url = config.read_endpoint(None, allow_http=False).url
        journal.begin(given.file, os.environ["WORKOS_API_KEY"], base_url, key_changed=given.key_changed)
        importer = Importer(
            MFA(transport=transport),
            checked,
            journal,
            pace=Pace(given.rate, given.concurrency),
            settle=given.settle,
            workers=given.concurrency,
        )
        _tell_start(given, checked, journal.finished())
        began = time.monotonic()
        trouble = _run_to_the_end(importer, journal)
    ended = _Ended(checked, importer, time.monotonic() - began, trouble)
    # First, since what is told may have nowhere to go.
    is_written = _write_failed(given, checked, importer.tally.failed)
    _tell_end(given, ended)
    return ended.status if is_written else output.NOT_VALID


def _run_to_the_end(importer: Importer, journal: Journal) -> str:
    """Run it. Gives what is wrong with our files, if that has ended it."""
    try:
        with _stopping(importer), shown(importer.tally, importer.pace, sys.stderr) as update:
            importer.start()
            while not importer.wait(_BETWEEN_LOOKS):
                update()
        journal.close()
    except (FileError, JournalError) as error:
        with suppress(JournalError):  # it would say the same once more
            journal.close()
        return str(error)
    return ""


@contextmanager
def _stopping(importer: Importer) -> Generator[None, None, None]:
    """Within it, Ctrl-C and SIGTERM let the calls that are out come back; the second one ends the process at once."""

    def stop(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        importer.stop()

    before = [(number, signal.signal(number, stop)) for number in _SIGNALS]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _tell_start(given: _Given, checked: Checked, finished: int) -> None:
    left = checked.good - finished
    parts = [
        _counted(checked),
        *([f"{finished:,} done by earlier runs"] if finished else []),
        *([f"{left:,} to do, in {duration(left / given.rate)} at {given.rate:g} a second"] if left else []),
        f"journal {given.journal}",
    ]
    output.tell("import-totp", "; ".join(parts))


def _tell_end(given: _Given, ended: _Ended) -> None:
    counts, problems = ended.importer.tally.counts, ended.importer.tally.failed
    if given.json:
        output.print_json(
            {
                **attrs.asdict(counts),
                "left": counts.left,
                "bad": len(ended.checked.problems),
                "seconds": round(ended.seconds, 1),
                "stopped": ended.why,
                "failed": [attrs.asdict(problem) for problem in problems],
            }
        )
    else:
        _tell_problems(given, problems)
        output.print_lines(_summary(counts, len(ended.checked.problems), ended.seconds))
    if ended.why is not None:
        output.tell("import-totp", f"{ended.why}. To go on, give the same command again: nobody is imported twice")


def _summary(counts: Counts, bad: int, seconds: float) -> str:
    parts = [
        f"{counts.done:,} imported in {duration(seconds)}",
        *([f"{counts.already:,} by earlier runs"] if counts.already else []),
        *([f"{counts.refused:,} refused"] if counts.refused else []),
        *([f"{counts.unknown:,} unknown"] if counts.unknown else []),
        *([f"{bad:,} bad"] if bad else []),
        *([f"{counts.left:,} left"] if counts.left else []),
    ]
    return f"{_rows(counts.rows + bad)}: {', '.join(parts)}."


def _tell_problems(given: _Given, problems: Sequence[Problem]) -> None:
    for problem in problems[:_MOST_SHOWN]:
        who = f" ({problem.user_id})" if problem.user_id else ""
        output.complain(f"{output.visible(str(given.file))}, line {problem.line}{who}: {problem.reason}\n")
    if len(problems) > _MOST_SHOWN:
        more = "" if given.failed else "; --failed FILE lists them all"
        output.complain(f"and {len(problems) - _MOST_SHOWN:,} more{more}\n")


def _counted(checked: Checked) -> str:
    bad = len(checked.problems)
    return f"{_rows(checked.good + bad)}, {f'{bad:,} bad' if bad else 'all good'}"


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _write_failed(given: _Given, checked: Checked, failed: Sequence[Problem]) -> bool:
    """Write the rows that failed, if that is wanted. Whether it went well; if not, the reason is told."""
    if given.failed is None:
        return True
    problems = sorted([*checked.problems, *failed], key=lambda problem: problem.line)
    try:
        write_failed(given.failed, problems, checked.table.format)
    except OSError as error:
        output.tell("import-totp", f"{given.failed} could not be written: {error.strerror}")
        return False
    return True


def _check_paths(file: Path, journal: Path, failed: Path | None) -> None:
    beside = [Path(f"{journal}{end}") for end in _BESIDE_JOURNAL]
    taken = [file, journal, *([failed] if failed else [])]
    if any(_is_same(one, other) for one, other in combinations([*taken, *beside], 2)):
        raise UsageError("FILE, --journal and --failed must be different files")
    for path in taken:
        if not path.parent.is_dir():
            raise UsageError(f"{path}: there is no such folder")
    if failed is not None and (reason := why_unwritable(failed)):
        raise UsageError(f"{failed}: {reason}")


def _is_same(one: Path, other: Path) -> bool:
    with suppress(OSError):  # one of them is not there
        if one.samefile(other):
            return True
    return os.path.realpath(one) == os.path.realpath(other)


def _within_reason(text: str) -> float:
    value = float(text)
    if not _LEAST <= value <= _MOST:
        raise ValueError
    return value


def _threads(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 256:
        raise ValueError
    return value
