"""The report of a calibration, in Markdown: question by question, with the calls, and with what stays open and why."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

from workos_mfa._calibration.account import ISSUER
from workos_mfa._calibration.calibration import Outcome
from workos_mfa._calibration.question import Value, Verdict
from workos_mfa._calibration.replay import Replay
from workos_mfa._calibration.wire import Exchange

_MOST_CALLS = 30
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


def settings_file(outcome: Outcome) -> str:
    """The settings found, as the emulator reads them."""
    lines = [f"  {_json(name)}: {_json(value)}" for name, value in sorted(outcome.settings.items())]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _json(value: Value) -> str:
    """A value in JSON, with its letters as they are, unless one of them would move the cursor of a terminal."""
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(value)


def report(outcome: Outcome, replayed: Replay | None, *, at: datetime, base_url: str) -> str:
    """The whole report."""
    done = outcome.tally
    parts = [
        "# What the WorkOS MFA API does",
        f"Asked on {at:%Y-%m-%d %H:%M} UTC at {base_url}: {outcome.calls} calls in {outcome.seconds:.0f} seconds.",
        f"{done.factors} factors were made, {done.locks} challenges locked, {done.messages} text messages sent.",
        *_ending(outcome),
        *_of_replay(replayed),
        "## Settings",
        "\n".join(_table(outcome.verdicts)),
        "## Open",
        "\n".join(
            [*_open(outcome.verdicts), "- How many text messages has an account? It is not asked: it would spend them."]
        ),
        "## Questions",
        *(part for verdict in outcome.verdicts if verdict.evidence for part in _question(verdict)),
    ]
    return "\n\n".join(parts) + "\n"


def leftovers(outcome: Outcome) -> list[str]:
    """What is still there, or may be."""
    lines: list[str] = []
    if outcome.left:
        ids = ", ".join(map(_shown_id, outcome.left))
        lines.append(f"{len(outcome.left)} factors could not be deleted; run it again with --clean: {ids}")
    if outcome.may_remain:
        totp = [name for name in outcome.may_remain if not name.startswith(("generic_otp", "a factor of"))]
        names = f" TOTP factors have the issuer {ISSUER!r} and these users: {', '.join(totp)}." if totp else ""
        lines.append(
            f"{len(outcome.may_remain)} may remain: the responses to their enrolments were lost, and factors without a "
            f"user can't be listed.{names}"
        )
    return lines


def _shown_id(factor_id: str) -> str:
    """An id, as far as it looks like one: it is a server's text, and goes to a terminal."""
    return factor_id if _ID.fullmatch(factor_id) else "one whose id can't be shown"


def _ending(outcome: Outcome) -> list[str]:
    stopped = [f"**The run was stopped: {outcome.stopped}.**"] if outcome.stopped else []
    return [*stopped, *(leftovers(outcome) or ["All that it made is deleted."])]


def _of_replay(replayed: Replay | None) -> list[str]:
    if replayed is None:
        return ["There was no replay on the emulator."]
    if not replayed.differences:
        return [
            f"Replay: the same questions to the emulator with these settings gave the same {replayed.compared} answers."
        ]
    lines = "\n".join(f"- {difference}" for difference in replayed.differences)
    return [f"**Replay: the emulator with these settings does something else.**\n\n{lines}"]


def _table(verdicts: Sequence[Verdict]) -> Iterator[str]:
    yield "| setting | value | |"
    yield "| --- | --- | --- |"
    rows = {
        name: (value, f"agrees with: {verdict.answer.seen}" if verdict.answer and verdict.answer.is_bound else "")
        for verdict in verdicts
        for name, value in verdict.settings.items()
    }
    for name, (value, bound) in rows.items():
        yield f"| `{name}` | `{_json(value)}` | {bound} |"


def _open(verdicts: Sequence[Verdict]) -> Iterator[str]:
    for verdict in verdicts:
        if verdict.answer is None:
            yield f"- {verdict.question.title} {_sentence(verdict.open_because)}"


def _question(verdict: Verdict) -> Iterator[str]:
    yield f"### {verdict.question.title}"
    said = verdict.answer.seen if verdict.answer else f"open: {verdict.open_because}"
    again = f" It started again {verdict.voided} times." if verdict.voided else ""
    yield f"{_sentence(said)}{again}"
    yield "\n".join(["| call | sent | response |", "| --- | --- | --- |", *_calls(verdict.evidence)])


def _calls(evidence: Sequence[Exchange]) -> Iterator[str]:
    shown = [(exchange, len(list(same))) for exchange, same in groupby(evidence)]
    for exchange, count in shown[:_MOST_CALLS]:
        times = f" ({count} times)" if count > 1 else ""
        yield f"| `{exchange.call}`{times} | {exchange.sent} | {exchange.got} |"
    if len(shown) > _MOST_CALLS:
        yield f"| {len(shown) - _MOST_CALLS} more | | |"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
