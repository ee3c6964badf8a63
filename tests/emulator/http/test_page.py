"""The page for people: what it shows, where it is, and what it can't do."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re

from tests.emulator.caller import Reply
from tests.emulator.http.client import Client
from workos_mfa import MFA
from workos_mfa.emulator import Emulator, EmulatorServer

PHONE = "+15005550006"
HOSTILE = "<script>alert('x')</script>&\"'{{code}}"


def _page(server: EmulatorServer) -> Reply:
    """What somebody without a key gets."""
    with contextlib.closing(Client(server.base_url, None)) as browser:
        reply = browser.get("/")
    assert reply.status == 200
    return reply


def test_it_shows_messages_and_codes(server: EmulatorServer, emulator: Emulator) -> None:
    """Each message with its number, text and code, the newest first, and each authenticator app with its code."""
    mfa = MFA(transport=emulator)
    totp = mfa.enroll_factor(type="totp", issuer="Foo Corp", user="alan.turing@example.com")
    sms = mfa.enroll_factor(type="sms", phone_number=PHONE)
    for text in ("First: {{code}}", "Second: {{code}}"):
        mfa.challenge_factor(sms.id, sms_template=text)
    calls = len(emulator.calls)
    page = _page(server).body.decode()
    assert len(emulator.calls) == calls
    texts = [message.text for message in reversed(emulator.outbox)]
    assert re.findall(r"<p>(\w+: [0-9]{6})</p>", page) == texts
    codes = [text[-6:] for text in texts]
    assert re.findall(r"<code>([0-9]{6})</code>", page) == [*codes, emulator.totp_code(totp.id)]
    for shown in (PHONE, "Foo Corp", "alan.turing@example.com", totp.id, "2026-08-21 12:00:00 UTC", "stands still"):
        assert shown in page
    assert totp.totp.secret not in page
    assert server.api_key not in page


def test_an_emulator_with_nothing_in_it(server: EmulatorServer, emulator: Emulator) -> None:
    """What is not there yet is told how to get there."""
    emulator.clock.unfreeze()
    page = _page(server).body.decode()
    assert "challenge an sms factor" in page
    assert "enroll a totp factor" in page
    assert "stands still" not in page


def test_a_long_outbox_is_not_shown_in_full(server: EmulatorServer, emulator: Emulator) -> None:
    """The newest fifty are there, and where the others are."""
    mfa = MFA(transport=emulator)
    factor = mfa.enroll_factor(type="sms", phone_number=PHONE)
    for _ in range(53):
        mfa.challenge_factor(factor.id)
    page = _page(server).body.decode()
    assert page.count("<code>") == 50
    assert "3 older ones are not shown: GET /_emulate/outbox" in page


def test_nothing_in_it_can_run_or_load(server: EmulatorServer, emulator: Emulator) -> None:
    """Whatever an app has sent is text; the browser is told to run nothing, load nothing, and keep nothing."""
    mfa = MFA(transport=emulator)
    mfa.enroll_factor(type="totp", issuer=HOSTILE, user=HOSTILE)
    mfa.challenge_factor(mfa.enroll_factor(type="sms", phone_number=PHONE).id, sms_template=HOSTILE)
    reply = _page(server)
    page = reply.body.decode()
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;&amp;&quot;&#x27;") == 3
    assert not re.search(r"\b(src|href|style|on\w+)=", page)
    style = re.findall(r"<style>(.*)</style>", page, re.DOTALL)[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert reply.headers["content-security-policy"] == (
        f"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'sha256-{digest}'"
    )
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["x-frame-options"] == "DENY"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["content-type"] == "text/html; charset=utf-8"


def test_a_client_of_the_api_does_not_get_it(client: Client, server: EmulatorServer, emulator: Emulator) -> None:
    """Who comes with a key is told what the API's clients are told, and another method finds nothing."""
    assert client.get("/").status == 501
    with contextlib.closing(Client(server.base_url, "sk_test_other")) as other:
        assert other.get("/").status == 401
    with contextlib.closing(Client(server.base_url, None)) as other:
        assert other.post("/").status == 401
    assert len(emulator.calls) == 3
