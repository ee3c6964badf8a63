"""The Flask example as an app of its own; the flow of the second factor is tested in tests/flask."""

from __future__ import annotations

import re
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

pytest.importorskip("flask_login", reason="flask-login is not installed")
pytest.importorskip("flask_wtf", reason="the extra flask is not installed")

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from examples.flask_app import __main__ as command
from tests.examples.site import example, spoil
from workos_mfa import Emulator

Ran = list[tuple[Flask, tuple[object, ...], dict[str, object], str]]

ACCOUNT = {"email": "ada@example.com", "password": "correct horse"}


@pytest.fixture
def app(workos_mfa_emulator: Emulator, tmp_path: Path) -> Iterator[Flask]:
    """The example app on an emulator."""
    with example(workos_mfa_emulator, tmp_path) as app:
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser on it."""
    return app.test_client()


def send(client: FlaskClient, form_on: str, *, to: str | None = None, **fields: str) -> TestResponse:
    """Fill in the first form of a page and send it."""
    page = client.get(form_on).text
    token = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', page)
    assert token
    data = {"csrf_token": token[1], **fields}
    return client.post(to or form_on, data=data, follow_redirects=True)


def add_factor(client: FlaskClient, emulator: Emulator) -> None:
    """Add an authenticator app to the account of a browser that has just signed in."""
    page = send(client, "/second-factor/new", to="/second-factor/new/totp").text
    hidden = dict(re.findall(r'<input type="hidden" name="(csrf_token|step)" value="([^"]+)">', page))
    code = emulator.totp_codes()[0].code
    assert "protects" in client.post("/second-factor/code", data={**hidden, "code": code}, follow_redirects=True).text


def test_sign_up(client: FlaskClient) -> None:
    """An account is made once, however its address is written, and is signed in."""
    assert "signed in as <strong>ada@example.com</strong>" in send(client, "/sign-up", **ACCOUNT).text
    send(client, "/", to="/sign-out")
    page = send(client, "/sign-up", **{**ACCOUNT, "email": "Ada@Example.COM"})
    assert "This address is taken." in page.text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"password": "another horse"}, "Address or password is not right."),
        ({"email": "grace@example.com"}, "Address or password is not right."),
        ({"password": "short"}, "A password has at least 8 characters."),
        ({"csrf_token": "another"}, "The CSRF token is invalid."),
    ],
)
def test_refused(client: FlaskClient, fields: dict[str, str], said: str) -> None:
    """A wrong password opens nothing, nor does a form of another site; the page does not say which part was wrong."""
    send(client, "/sign-up", **ACCOUNT)
    send(client, "/", to="/sign-out")
    assert said in send(client, "/sign-in", **{**ACCOUNT, **fields}).text
    assert client.get("/").location == "/sign-in?next=%2F"


def test_second_factor(client: FlaskClient, app: Flask, workos_mfa_emulator: Emulator) -> None:
    """The password alone opens no page of an account with a factor, and the remembered user neither."""
    send(client, "/sign-up", **ACCOUNT)
    add_factor(client, workos_mfa_emulator)
    other = app.test_client()
    assert "Enter your code" in send(other, "/sign-in", **ACCOUNT).text
    assert other.get("/").status_code == 302
    with client.session_transaction() as signed_in, other.session_transaction() as half:
        half["_user_id"] = signed_in["_user_id"]
    assert other.get("/").status_code == 302
    assert client.get("/").status_code == 200


def test_payouts(client: FlaskClient, workos_mfa_emulator: Emulator) -> None:
    """The form is for those with a code from the last five minutes, and may be sent in the ten after them."""
    send(client, "/sign-up", **ACCOUNT)
    assert client.get("/payouts").location == "/second-factor/new?next=/payouts"
    add_factor(client, workos_mfa_emulator)
    assert "It can be 1 to 1000 dollars." in send(client, "/payouts", amount="5000").text
    assert "7 dollars are on their way." in send(client, "/payouts", amount="7").text
    workos_mfa_emulator.clock.advance(300)
    assert client.get("/payouts").location == "/second-factor/code"


def test_mail(client: FlaskClient, workos_mfa_emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    """The person is told that a factor was added."""
    send(client, "/sign-up", **ACCOUNT)
    add_factor(client, workos_mfa_emulator)
    assert "e-mail to ada@example.com: factor_added" in caplog.messages


def test_unreadable_store(client: FlaskClient, tmp_path: Path) -> None:
    """Where it can't be known who has a factor, nobody is let in, and Flask-Login's own question is no 500."""
    send(client, "/sign-up", **ACCOUNT)
    spoil(tmp_path)
    response = client.get("/")
    assert response.status_code == 503
    assert "Nothing is lost" in response.text


class TestCommand:
    """``python examples/flask_app``."""

    @pytest.fixture
    def ran(self, monkeypatch: pytest.MonkeyPatch) -> Ran:
        """What was run in place of the development server: the app, how, and what its phone showed meanwhile."""
        ran: Ran = []

        def run(app: Flask, *address: object, **options: object) -> None:
            assert "/sign-in" in app.test_client().get("/").location
            phone = app.config.get("PHONE")
            ran.append((app, address, options, requests.get(phone, timeout=10).text if phone else ""))

        monkeypatch.setattr(Flask, "run", run)
        monkeypatch.setattr(sys, "path", list(sys.path))
        for name in ("DATABASE_URL", "SECRET_KEY", "PORT"):
            monkeypatch.delenv(name, raising=False)
        return ran

    def test_on_the_emulator(
        self,
        ran: Ran,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """It runs by its folder's name, for this machine only, beside the emulator's page, and without the debugger."""
        runpy.run_path(str(Path(command.__file__).parent), run_name="__main__")
        ((app, address, options, phone),) = ran
        assert address == ("127.0.0.1", 5000)
        assert options == {"use_debugger": False, "use_reloader": False}
        assert "Authenticator apps" in phone
        assert app.config["PHONE"] in capsys.readouterr().out

    def test_on_workos(
        self,
        ran: Ran,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        tmp_path: Path,
    ) -> None:
        """With a key it goes to WorkOS, and does not show the key; what it keeps, it can keep for longer."""
        settings = {"SECRET_KEY": "kept", "DATABASE_URL": f"sqlite:///{tmp_path}/kept.db", "PORT": "5001"}
        for name, value in {**settings, "WORKOS_API_KEY": "sk_example_123456789"}.items():
            monkeypatch.setenv(name, value)
        command.main()
        ((app, address, _, phone),) = ran
        assert (app.secret_key, address, phone) == ("kept", ("127.0.0.1", 5001), "")
        assert (tmp_path / "kept.db").exists()
        said = capsys.readouterr().out
        assert "WorkOS" in said
        assert "sk_example" not in said
