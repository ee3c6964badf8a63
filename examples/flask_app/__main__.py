"""Run the app on this machine: ``python examples/flask_app``.

Without a key it runs on the embedded emulator, and this terminal is the phone: it shows the text
messages. For the authenticator app scan the QR code with a real one, since the emulator's codes are real.
With ``WORKOS_API_KEY`` set it uses the real API.

This is Flask's development server; for others to use, give ``create_app`` to a WSGI server behind HTTPS.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

import click
from flask import Flask

if not __package__:  # run by its folder's name, and then Python does not know the folder above
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from examples.flask_app.accounts import Accounts
from examples.flask_app.app import create_app
from workos_mfa import MFA, Emulator, Request, Response

PEOPLE = {"ada@example.com": "correct horse", "grace@example.com": "battery staple"}


class Phone:
    """The emulator, with the text messages shown in the terminal: a transport is easy to wrap."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def send(self, request: Request, /) -> Response:
        """Respond as the emulator does."""
        already_there = len(self._emulator.outbox)
        response = self._emulator.send(request)
        for message in self._emulator.outbox[already_there:]:
            click.echo(f"[phone {message.to}] {message.text}")
        return response

    def close(self) -> None:
        """Close the emulator."""
        self._emulator.close()


def make_app() -> Flask:
    """The app on the emulator, or on the real API if there is a key for it."""
    if os.environ.get("WORKOS_API_KEY"):
        mfa = MFA()
        click.echo("On the real API, with the key in WORKOS_API_KEY.")
    else:
        mfa = MFA(transport=Phone(Emulator()))
        click.echo("On the embedded emulator. Text messages appear here; scan the QR code with a real app.")
    for email, password in PEOPLE.items():
        click.echo(f"Sign in as {email} with the password {password!r}.")
    secret_key = os.environ.get("SECRET_KEY") or secrets.token_urlsafe(32)
    return create_app(mfa, Accounts(PEOPLE), secret_key=secret_key, cookie_secure=False)


if __name__ == "__main__":
    make_app().run(host="127.0.0.1", port=int(os.environ.get("PORT", "5000")))
