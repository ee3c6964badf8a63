"""What a failed test shows of its emulator, without anything that must not be in a CI log."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from workos_mfa._core.redaction import masked_phone, printable

if TYPE_CHECKING:
    from workos_mfa.emulator import Call, Emulator, SMSMessage

_MOST_LISTED = 50
# The code in a fault's response may be anything, a one-time code too.
_API_CODE = re.compile(r"[a-z][a-z0-9_]{0,79}")


def section(emulator: Emulator) -> str:
    """The calls, the text messages and the unused faults of an emulator, a line each."""
    lines = [
        *_listed("call", map(_call_line, emulator.calls)),
        *_listed("text message", map(_message_line, emulator.outbox)),
    ]
    unused = emulator.faults.unused()
    return "\n".join([*lines, *_listed("unused fault", map(str, unused))] if unused else lines)


def _listed(what: str, lines: Iterable[str]) -> list[str]:
    all_lines = [f"  {line}" for line in lines]
    count = len(all_lines)
    if not count:
        return [f"no {what}s"]
    title = f"{count} {what}{'s' if count > 1 else ''}"
    last = f", the last {_MOST_LISTED} of them" if count > _MOST_LISTED else ""
    return [f"{title}{last}:", *all_lines[-_MOST_LISTED:]]


def _call_line(call: Call) -> str:
    # No path, query or body: an app may have put anything there.
    name = call.operation or f"{printable(call.method, limit=20)}, unknown route"
    status = "none" if call.status is None else call.status
    facts = [f"request {call.request_id}"]
    if call.error_code is not None:
        facts.insert(0, call.error_code if _API_CODE.fullmatch(call.error_code) else "a code that is none of the API's")
    if call.fault is not None:
        facts.append(f"fault {call.fault}")
    return f"{call.at:%H:%M:%S}  {name}  {status}  {', '.join(facts)}"


def _message_line(message: SMSMessage) -> str:
    return f"{message.sent_at:%H:%M:%S}  to {masked_phone(message.to)}, for {message.challenge_id}"
