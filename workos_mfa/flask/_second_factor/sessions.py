"""Sessions: from the password on, to the sign-out."""

from __future__ import annotations

import attrs

from workos_mfa.flask._second_factor import changes
from workos_mfa.flask._second_factor.backend import Backend
from workos_mfa.flask._second_factor.document import Document, Session
from workos_mfa.flask._second_factor.steps import Step


@attrs.frozen(kw_only=True)
class Status:
    """What an account has.

    :param factors: type and last two digits of each factor.
    :param recovery_codes: how many are left.
    :param support_code: whether support staff has issued a code that was not used yet.
    :param sessions: how many browsers are signed in.
    """

    __module__ = "workos_mfa.flask"

    factors: tuple[tuple[str, str], ...]
    recovery_codes: int
    support_code: bool
    sessions: int


def begin_sign_in(backend: Backend, account_id: str, next_path: str) -> Step | str:
    """Somebody has given the account's password: the step that is left, or a token if there is none."""
    now = backend.clock()

    def decide(document: Document) -> tuple[Document, Step | str]:
        if document.factors or backend.rules.mandatory(account_id):
            return document, _first_step(backend, account_id, document, next_path)
        return changes.start_session(document, Session(token="", since=now, password=now), now)

    document = backend.accounts.load(account_id)
    if document.factors:
        return decide(document)[1]
    # Saved in any case, since a step belongs to a generation, and a new document has one that is not saved yet.
    return backend.accounts.change(account_id, decide)[1]


def session(backend: Backend, account_id: str, token: str | None) -> Session | None:
    """The live session of this token."""
    return changes.session_of(backend.accounts.load(account_id), token, backend.clock())


def sign_out(backend: Backend, account_id: str, token: str) -> None:
    """End the session of this token, wherever a copy of it is."""
    document = backend.accounts.load(account_id)
    if changes.end_session(document, token) != document:
        backend.accounts.change(account_id, lambda document: (changes.end_session(document, token), None))


def change_password(backend: Backend, account_id: str, token: str | None) -> str | None:
    """End all sessions but the one of this token, which gets a new one."""
    now = backend.clock()
    document, renewed = backend.accounts.change(
        account_id, lambda document: changes.change_password(document, token, now)
    )
    backend.clean_up(account_id, document)
    return renewed


def forget(backend: Backend, account_id: str) -> None:
    """Delete all that there is of an account."""
    document, _ = backend.accounts.change(account_id, lambda document: (changes.forget(document), None))
    backend.clean_up(account_id, document)


def status(backend: Backend, account_id: str) -> Status:
    """What an account has."""
    document = backend.accounts.load(account_id)
    now = backend.clock()
    return Status(
        factors=tuple((factor.type, factor.digits) for factor in document.factors),
        recovery_codes=len(document.recovery_codes),
        support_code=document.support_code is not None and now < document.support_code.until,
        sessions=sum(now - session.since < changes.SESSION_LIFETIME for session in document.sessions),
    )


def _first_step(backend: Backend, account_id: str, document: Document, next_path: str) -> Step:
    return Step(
        purpose="sign_in",
        account_id=account_id,
        generation=document.generation,
        at=backend.clock(),
        next=next_path,
        factor_id=document.factors[0].id if document.factors else None,
    )
