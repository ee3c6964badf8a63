"""Recovery codes: hard to guess, easy to type, and each of them opens once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

pytest.importorskip("sqlalchemy", reason="sqlalchemy is not installed")

from sqlalchemy import create_engine

from tests.race import THREADS, race
from workos_mfa.flask import MemoryStore, SQLAlchemyStore, Store
from workos_mfa.flask._second_factor import changes, recovery
from workos_mfa.flask._second_factor.accounts import Accounts
from workos_mfa.flask._second_factor.document import Document, KnownFactor
from workos_mfa.flask._second_factor.refusals import Refused
from workos_mfa.flask._second_factor.steps import Step

CODE = "7k2m-x9qd-0wtr-15hz"


def test_a_code_has_80_bits() -> None:
    """Sixteen letters of 32, none of which looks like another one, in groups of four; and each code is another one."""
    codes = {recovery.new_code() for _ in range(1000)}
    assert len(codes) == 1000
    assert all(re.fullmatch(r"[0-9a-z]{4}(-[0-9a-z]{4}){3}", code) for code in codes)
    letters = Counter("".join(codes).replace("-", ""))
    assert len(letters) == 32
    assert not letters.keys() & set("oilu")


@pytest.mark.parametrize("separator", ["-", "", " ", "\t", " - ", "\u2011", "\u2013", "\u00a0", "\r\n"])
@pytest.mark.parametrize(
    "typed", ["7k2m-x9qd-0wtr-15hz", "7K2M-X9QD-0WTR-15HZ", "7k2m-x9qd-owtr-l5hz", "7K2M-X9QD-OWTR-I5HZ"]
)
def test_a_code_however_it_is_typed(typed: str, separator: str) -> None:
    """Case, spaces and dashes do not matter, and what looks like 0 or 1 is taken for it."""
    assert recovery.hashed("ada", f" {typed} ".replace("-", separator)) == recovery.hashed("ada", CODE)


@pytest.mark.parametrize(
    ("account_id", "code"), [("alan", CODE), ("ada", CODE[:-1]), ("ada", CODE[::-1]), ("ada", ""), ("ada\0", CODE)]
)
def test_another_code_or_account(account_id: str, code: str) -> None:
    """What is kept of a code belongs to one code of one account."""
    assert recovery.hashed(account_id, code) != recovery.hashed("ada", CODE)


def test_what_is_kept_is_a_hash() -> None:
    """The code can't be read off it, and it stays the same: stored codes work with the next release."""
    assert recovery.hashed("ada", CODE) == "9ac59982557c5b4d708996500266b7b483e1fd92bf4669008cbbc2d440d67a69"


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Each store in turn, empty."""
    if request.param == "memory":
        yield MemoryStore()
        return
    engine = create_engine(f"sqlite:///{tmp_path / 'app.db'}", connect_args={"timeout": 60})
    yield SQLAlchemyStore(engine)
    engine.dispose()


@pytest.mark.parametrize("is_by_support", [False, True])
def test_many_threads_with_one_code(store: Store, is_by_support: bool) -> None:  # noqa: FBT001 - from a table
    """Of 32 browsers that give the same recovery code at once, one gets in."""
    hashed = recovery.hashed("ada", CODE)
    document = Document(factors=(KnownFactor(id="auth_factor_1", type="totp"),), recovery_codes=("another",))
    if is_by_support:
        document = changes.issue_support_code(document, hashed, 0)
    else:
        document = attrs.evolve(document, recovery_codes=("another", hashed))
    accounts = Accounts(store, dict)
    accounts.change("ada", lambda _: (document, None))
    step = Step(
        purpose="sign_in", account_id="ada", generation=document.generation, at=0, next="/", factor_id="auth_factor_1"
    )

    def get_in(_: int) -> str:
        try:
            accounts.change("ada", lambda found: changes.accept_recovery_code(found, step, None, hashed, 1))
        except Refused as refused:
            return refused.reason
        return "in"

    assert Counter(race(get_in)) == {"in": 1, "recovery_code_wrong": THREADS - 1}
    after = accounts.load("ada")
    assert len(after.sessions) == 1
    assert after.recovery_codes == ("another",)
    assert after.support_code is None
