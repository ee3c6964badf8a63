"""The app of the tests as a server's workers have it: a database, a Redis, and WorkOS over HTTP."""

from __future__ import annotations

import os

from flask import Flask, request
from sqlalchemy import create_engine

from tests.flask.app import SETTINGS, add_pages
from workos_mfa import MFA
from workos_mfa.flask import SecondFactor, SQLAlchemyStore

NOW = float(os.environ["NOW"])

app = Flask("Foo Corp")
app.config.update(
    SETTINGS,
    WORKOS_MFA_LIMITS_URI=os.environ["REDIS"],
    WORKOS_MFA_ADDRESS=lambda: request.headers["X-Address"],
)
second_factor = SecondFactor(clock=lambda: NOW)
second_factor.init_app(
    app,
    store=SQLAlchemyStore(create_engine(os.environ["DATABASE"])),
    mfa=MFA(os.environ["KEY"], base_url=os.environ["API"]),
)
add_pages(app, second_factor)
