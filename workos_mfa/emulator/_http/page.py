"""The page for people: the text messages and the codes of authenticator apps, as a phone would show them.

It needs no key, so it is there only if no other machine can reach the emulator. It runs no script, loads nothing, and
refreshes by itself; a click on a code selects it for copying. Every time on it is in UTC.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime, timezone
from html import escape
from string import Template

from workos_mfa._core.one_time_codes import STEP_SECONDS
from workos_mfa._core.transport import Response
from workos_mfa.emulator._base.clock import Clock
from workos_mfa.emulator._base.log import SMSMessage
from workos_mfa.emulator._domain.totp import TOTPCode, step_at

_MOST_SHOWN = 50

_STYLE = """
:root { color-scheme: light dark; --page: #f6f7f9; --card: #fff; --line: #dfe3e8; --text: #1b1f24; --quiet: #59636e;
  --code: #0b57d0 }
@media (prefers-color-scheme: dark) { :root { --page: #101317; --card: #1a1e24; --line: #2f353d; --text: #e8eaed;
  --quiet: #9aa4af; --code: #8ab4f8 } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 64rem; padding: 1.5rem 1rem 3rem; background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif }
h1 { margin: 0; font-size: 1.4rem }
h2 { margin: 2rem 0 .6rem; font-size: 1.1rem }
p { margin: 0 }
li p + p { font-size: .75rem }
p, time { color: var(--quiet); font-size: .875rem }
ul { margin: 0; padding: 0; list-style: none; display: grid; gap: .75rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 18rem), 1fr)) }
li { padding: .9rem 1rem; background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
  overflow-wrap: anywhere }
.head { display: flex; justify-content: space-between; gap: 0 1rem; flex-wrap: wrap; font-weight: 600 }
.head time { font-weight: 400 }
code { display: block; margin: .15rem 0; width: fit-content; color: var(--code); font: 600 1.9rem/1.3 ui-monospace,
  monospace; letter-spacing: .08em; user-select: all; -webkit-user-select: all }
""".strip()

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="5">
<title>WorkOS MFA emulator</title>
<style>$style</style>
</head>
<body>
<h1>WorkOS MFA emulator</h1>
<p>$now UTC on its clock$stands. This page refreshes every five seconds.</p>
<h2>Text messages</h2>
$messages
<h2>Authenticator apps</h2>
$codes
</body>
</html>
""")

_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        f"style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


def showing(clock: Clock, messages: Sequence[SMSMessage], codes: Sequence[TOTPCode]) -> Response:
    """The page as it is now."""
    now = clock.now()
    until = datetime.fromtimestamp((step_at(now) + 1) * STEP_SECONDS, timezone.utc)
    body = _PAGE.substitute(
        style=_STYLE,
        now=f"{now:%Y-%m-%d %H:%M:%S}",
        stands=", which stands still" if clock.is_frozen else "",
        messages=_list(
            [_card(sms.to, f"{sms.sent_at:%H:%M:%S}", sms.code, sms.text) for sms in reversed(messages)],
            "None yet: challenge an sms factor, and its message is here.",
            "/_emulate/outbox",
        ),
        codes=_list(
            [_card(code.user, f"until {until:%H:%M:%S}", code.code, code.issuer, code.factor_id) for code in codes],
            "None yet: enroll a totp factor, and its code is here.",
            "/_emulate/codes",
        ),
    ).encode("utf-8", "replace")
    return Response(200, {**_HEADERS, "content-length": str(len(body))}, body)


def _list(cards: Sequence[str], if_empty: str, where_all_are: str) -> str:
    if not cards:
        return f"<p>{if_empty}</p>"
    more = len(cards) - _MOST_SHOWN
    note = f"\n<p>{more} older ones are not shown: GET {where_all_are}, with the key, has all</p>" if more > 0 else ""
    return "\n".join(["<ul>", *cards[:_MOST_SHOWN], "</ul>"]) + note


def _card(title: str, note: str, code: str, *texts: str) -> str:
    return (
        f'<li><div class="head"><span>{escape(title)}</span><time>{escape(note)}</time></div>'
        f"<code>{escape(code)}</code>{''.join(f'<p>{escape(text)}</p>' for text in texts)}</li>"
    )
