"""Run the app on this machine: ``python examples/flask_app``.

Without a key it runs on the embedded emulator, which has a page that is the phone. With ``WORKOS_API_KEY`` it goes to
WorkOS. It forgets all at the end, unless ``DATABASE_URL`` and ``SECRET_KEY`` are set.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
from sqlalchemy import create_engine

if not __package__:  # run by its folder's name, and then Python does not know the folder above
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from examples.flask_app.app import create_app
from workos_mfa import MFA, Emulator


def main() -> None:
    """Run the app with Flask's development server, on the emulator or on WorkOS."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        engine = create_engine(os.environ.get("DATABASE_URL") or f"sqlite:///{folder}/app.db")
        stack.callback(engine.dispose)
        # Debug mode allows cookies over plain HTTP. The debugger, which runs code that a browser sends, stays off.
        config: dict[str, Any] = {
            "DEBUG": True,
            "SESSION_COOKIE_SECURE": False,
            "SECRET_KEY": os.environ.get("SECRET_KEY") or secrets.token_urlsafe(32),
        }
        if os.environ.get("WORKOS_API_KEY"):
            click.echo("WorkOS checks the codes and sends the messages, with the key in WORKOS_API_KEY.")
            app = create_app(MFA(), engine, **config)
        else:
            emulator = Emulator()
            phone = f"{stack.enter_context(emulator.serve()).base_url}/"
            click.echo(f"On the emulator. Its phone, with all codes and text messages: {phone}")
            now = emulator.clock.now
            app = create_app(MFA(transport=emulator), engine, clock=lambda: now().timestamp(), PHONE=phone, **config)
        app.run("127.0.0.1", int(os.environ.get("PORT", "5000")), use_debugger=False, use_reloader=False)


if __name__ == "__main__":
    main()
