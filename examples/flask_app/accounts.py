"""The app's own record of people: what stands in a database in yours.

The MFA API can't list the factors of an account, so their ids are kept here from the moment they exist.
What is kept is an id, a type and a label; the secret of an authenticator app is shown once and kept
nowhere.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone

from werkzeug.security import check_password_hash, generate_password_hash


@dataclass
class OwnFactor:
    """A factor as its owner's account knows it.

    :param id: the API's id.
    :param type: ``totp`` or ``sms``.
    :param label: what the person knows it by; of a phone number only the last digits.
    :param confirmed: whether a first right code was given: until then it protects nothing and opens nothing.
    """

    id: str
    type: str
    label: str
    confirmed: bool = False
    enrolled_at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))


@dataclass
class Account:
    """A person who can sign in."""

    id: str
    email: str
    password_hash: str = field(repr=False)
    factors: dict[str, OwnFactor] = field(default_factory=dict)

    @property
    def confirmed(self) -> list[OwnFactor]:
        """The factors that count, the primary one first."""
        return [factor for factor in self.factors.values() if factor.confirmed]

    @property
    def unconfirmed(self) -> list[OwnFactor]:
        """The factors whose enrolment was begun and not finished."""
        return [factor for factor in self.factors.values() if not factor.confirmed]


class Accounts:
    """All accounts, in memory.

    :param passwords: e-mail addresses and their passwords, to begin with.
    :param method: how passwords are hashed; see ``werkzeug.security.generate_password_hash``.
    """

    def __init__(self, passwords: Mapping[str, str], *, method: str = "scrypt") -> None:
        self._by_id: dict[str, Account] = {}
        for number, (email, password) in enumerate(passwords.items(), start=1):
            account = Account(f"account_{number}", email, generate_password_hash(password, method))
            self._by_id[account.id] = account
        self._nobodys_hash = generate_password_hash(secrets.token_hex(), method)

    def get(self, account_id: str) -> Account | None:
        """The account of this id."""
        return self._by_id.get(account_id)

    def authenticate(self, email: str, password: str) -> Account | None:
        """The account that these belong to.

        An unknown address takes as long as a wrong password, so that time does not tell who has an account.
        """
        wanted = email.strip().lower()
        account = next((account for account in self._by_id.values() if account.email == wanted), None)
        right = check_password_hash(account.password_hash if account else self._nobodys_hash, password)
        return account if right else None
