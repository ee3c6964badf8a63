"""The example app on an emulator, served on this machine."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator
from pathlib import Path

from flask import Flask
from sqlalchemy import create_engine, text
from werkzeug.serving import WSGIRequestHandler, make_server

from examples.flask_app.app import create_app
from workos_mfa import MFA, Emulator


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """Log nothing."""


@contextlib.contextmanager
def example(emulator: Emulator, folder: Path, **config: object) -> Generator[Flask, None, None]:
    """The app, with its database in a folder, and with more settings."""
    engine = create_engine(f"sqlite:///{folder}/app.db")
    try:
        yield create_app(
            MFA(transport=emulator),
            engine,
            clock=lambda: emulator.clock.now().timestamp(),
            PHONE="http://127.0.0.1:9/",
            SECRET_KEY="only for tests",
            SESSION_COOKIE_SECURE=False,
            DEBUG=True,
            **config,
        )
    finally:
        engine.dispose()


def spoil(folder: Path) -> None:
    """Make what the app keeps of second factors unreadable."""
    engine = create_engine(f"sqlite:///{folder}/app.db")
    with engine.begin() as connection:
        connection.execute(text("UPDATE workos_mfa_accounts SET document = ''"))
    engine.dispose()


@contextlib.contextmanager
def served(app: Flask) -> Generator[str, None, None]:
    """An app's address on this machine, as long as it is served."""
    with make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
