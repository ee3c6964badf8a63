"""The app: sign up, sign in, a page, and a sensitive page."""

from __future__ import annotations

import time
from collections.abc import Callable

from flask import Flask, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user, login_required, login_user, logout_user
from flask_wtf import CSRFProtect, FlaskForm
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from wtforms import EmailField, IntegerField, PasswordField
from wtforms.validators import InputRequired, Length, NumberRange

from examples.flask_app.people import Base, User, check_password, sign_up
from workos_mfa import MFA
from workos_mfa.flask import Event, SecondFactor, SQLAlchemyStore


class AccountForm(FlaskForm):
    """What one signs up and in with."""

    email = EmailField("E-mail address", [InputRequired(), Length(max=200)])
    password = PasswordField("Password", [InputRequired(), Length(8, 200, "A password has at least 8 characters.")])


class PayoutForm(FlaskForm):
    """What is to be paid out."""

    amount = IntegerField("Dollars", [InputRequired(), NumberRange(1, 1000, "It can be 1 to 1000 dollars.")])


def create_app(mfa: MFA, engine: Engine, *, clock: Callable[[], float] = time.time, **config: object) -> Flask:
    """Make the app. The clock gives the time in seconds; ``config`` is Flask's, and has a ``SECRET_KEY`` at least."""
    app = Flask(__name__)
    app.config.update(
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WORKOS_MFA_ISSUER="Foo Corp",
        WORKOS_MFA_LAYOUT="layout.html",
        WORKOS_MFA_LOGIN_VIEW="sign_in",
        WORKOS_MFA_METHODS=("totp", "sms"),
    )
    app.config.update(config)
    Base.metadata.create_all(engine)
    CSRFProtect(app)
    second_factor = SecondFactor(clock=clock)
    second_factor.init_app(app, store=SQLAlchemyStore(engine), mfa=mfa)
    add_login(app, engine, second_factor)
    add_pages(app, engine, second_factor)
    return app


def add_login(app: Flask, engine: Engine, second_factor: SecondFactor) -> None:
    """Have Flask-Login know the person that the second factor has let in."""
    login_manager = LoginManager(app)
    login_manager.login_view = "sign_in"

    def user_of(account_id: str) -> User:
        with Session(engine) as session:
            return session.get_one(User, int(account_id))

    @login_manager.user_loader
    def load_user(account_id: str) -> User | None:
        return user_of(account_id) if second_factor.live(account_id) else None

    @second_factor.signed_in
    def signed_in(account_id: str) -> bool:
        return login_user(user_of(account_id))

    @second_factor.current_account
    def current_account() -> str | None:
        return current_user.get_id()

    @second_factor.account_name
    def account_name(account_id: str) -> str:
        return user_of(account_id).email

    @second_factor.notify
    def notify(account_id: str, event: Event) -> None:
        app.logger.warning("e-mail to %s: %s", account_name(account_id), event.name)  # send one in your app


def add_pages(app: Flask, engine: Engine, second_factor: SecondFactor) -> None:
    """Add the app's own pages. A password leads to the second factor, which leads on to where the person wanted to."""

    @app.route("/sign-up", methods=["GET", "POST"], endpoint="sign_up", defaults={"new": True})
    @app.route("/sign-in", methods=["GET", "POST"], endpoint="sign_in", defaults={"new": False})
    def sign_in(*, new: bool) -> ResponseReturnValue:
        form = AccountForm()
        if form.validate_on_submit():
            with Session(engine, expire_on_commit=False) as session:
                user = (sign_up if new else check_password)(session, form.email.data, form.password.data)
            if user:
                return second_factor.sign_in(user.id, next=request.args.get("next"))
            form.password.errors = ["This address is taken." if new else "Address or password is not right."]
        return render_template("account.html", form=form, new=new)

    @app.post("/sign-out")
    def sign_out() -> ResponseReturnValue:
        second_factor.sign_out()
        logout_user()
        return redirect(url_for("sign_in"))

    @app.get("/")
    @login_required
    def home() -> ResponseReturnValue:
        return render_template("home.html")

    @app.route("/payouts", methods=["GET", "POST"])
    @second_factor.required(max_age=300, grace=600)  # a code from the last five minutes; ten more for the form
    def payouts() -> ResponseReturnValue:
        form = PayoutForm()
        if form.validate_on_submit():
            flash(f"{form.amount.data} dollars are on their way.")
            return redirect(url_for("home"))
        return render_template("payouts.html", form=form)
