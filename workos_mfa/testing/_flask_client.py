"""Sign a test client in, so that the tests of an app's own pages need no codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from workos_mfa.flask._second_factor.backend import Backend
    from workos_mfa.flask._second_factor.document import Document


def sign_in(client: FlaskClient, account_id: object, age: float | None = 0) -> None:
    """Sign the test client of a Flask app in, as if the person had given password and code.

    ::

        def test_payouts(client):
            sign_in(client, "ada", age=301)
            assert client.get("/payouts").location == "/second-factor/code"  # required(max_age=300)

    An account without a factor gets an authenticator app, by the app's own client, so let that be on an emulator. The
    session is a real one: it is in the app's store, ends as others do, and the app's ``signed_in`` was called for it.
    What the client had in its session before is gone.

    :param client: the app's ``test_client()``. The request in which ``signed_in`` is called has its ``environ_base``.
    :param account_id: the account's id, as for :meth:`workos_mfa.flask.SecondFactor.sign_in`.
    :param age: how many seconds ago both were given. None for the password alone: an account that needs no second
        factor is signed in, any other one is in the middle of its sign-in.
    :raises RuntimeError: if the app has no :class:`workos_mfa.flask.SecondFactor` or is not in testing mode, or its
        ``signed_in`` refuses the account.
    :raises ValueError: if the id's text is empty or over 255 characters, or ``age`` is negative.
    :raises MFAError: if no factor can be enrolled.
    """
    # Flask is an extra, and those who don't use it have no need to wait for it.
    from flask import session

    from workos_mfa.flask._browser import keep_step
    from workos_mfa.flask._extension import checked_id
    from workos_mfa.flask._second_factor.refusals import Refused
    from workos_mfa.flask._second_factor.sessions import begin_sign_in
    from workos_mfa.flask._sign_in import end
    from workos_mfa.flask._state import current_state, has_state

    app = client.application
    if not has_state(app):
        raise RuntimeError("the app has no SecondFactor: call its init_app first")
    if not (app.testing or app.debug):
        raise RuntimeError("sign_in is for tests: set app.testing")
    account = checked_id(account_id)
    if age is not None and not age >= 0:
        raise ValueError("age is in seconds, and not negative")
    with app.test_request_context(environ_base=client.environ_base):
        backend = current_state().backend
        begun = begin_sign_in(backend, account, "/") if age is None else _token(backend, account, age)
        if isinstance(begun, str):
            try:
                end(account, begun, "/")
            except Refused:
                raise RuntimeError(f"signed_in refuses the account {account!r}") from None
        else:
            keep_step(begun)
        made = dict(session)
    with client.session_transaction() as kept:
        kept.clear()
        kept.update(made)


def _token(backend: Backend, account_id: str, age: float) -> str:
    from workos_mfa.flask._second_factor.changes import new_generation, start_session
    from workos_mfa.flask._second_factor.document import KnownFactor, Session

    now = backend.clock()
    then = now - age
    given = Session(token="", since=then, password=then, proved=then)
    has_factor = bool(backend.accounts.load(account_id).factors)
    added = () if has_factor else (KnownFactor(id=_enrolled(backend, account_id), type="totp"),)

    def decide(document: Document) -> tuple[Document, str]:
        if added:
            document = new_generation(attrs.evolve(document, factors=(*document.factors, *added)))
        return start_session(document, given, now)

    return backend.accounts.change(account_id, decide)[1]


def _enrolled(backend: Backend, account_id: str) -> str:
    return backend.mfa.enroll_factor(type="totp", issuer=backend.rules.issuer, user=account_id).id
