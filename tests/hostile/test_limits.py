"""The recipe of ``docs/limits.md``, on each storage: so many tries for an account, however many come at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.documents import read_blocks
from tests.race import race
from tests.servers import redis_url  # noqa: F401 - a fixture
from workos_mfa import MFA, Emulator

PAGE = Path(__file__).parent.parent.parent / "docs" / "limits.md"
limits_storage: Any = pytest.importorskip("limits.storage", reason="limits is not installed")


@pytest.fixture(params=["memory", "redis"])
def storage(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Each storage in turn, empty."""
    url = "memory://" if request.param == "memory" else request.getfixturevalue("redis_url")
    made = limits_storage.storage_from_string(url)
    made.reset()
    yield made
    if request.param == "redis":
        made.storage.close()


@pytest.fixture(scope="module")
def recipe() -> Any:
    """What the page's first two blocks define."""
    names: dict[str, object] = {}
    for block in read_blocks("limits.md", PAGE.read_text("utf-8"))[:2]:
        exec(compile(block.in_place, block.page, "exec", dont_inherit=True), names)  # noqa: S102
    return SimpleNamespace(**names)


def test_a_hundred_at_once(recipe: Any, storage: Any) -> None:
    """Of a hundred parallel guesses five reach the API, from however many addresses and for however many challenges."""
    emulator = Emulator()
    mfa = MFA(transport=emulator)
    factor = mfa.enroll_factor(type="totp", issuer="Foo Corp", user="alan.turing@example.com")
    wrong = emulator.wrong_code(factor.id)
    attempts = recipe.Attempts(storage)
    challenges = [mfa.challenge_factor(factor.id).id for _ in range(20)]
    outcomes: list[str] = []

    def guess(thread: int) -> None:
        for number in range(5):
            arguments = {"account": "alan", "address": f"192.0.2.{thread}_{number}", "challenge_id": challenges[thread]}
            outcomes.append(outcome(recipe, mfa, attempts, **arguments, factor_id=factor.id, code=wrong))

    race(guess, len(challenges))
    assert Counter(outcomes) == {"False": 5, "TooMany": 95}
    assert [call.operation for call in emulator.calls].count("verify_challenge") == 5


def outcome(recipe: Any, mfa: MFA, attempts: object, **arguments: str) -> str:
    """What a guess comes to."""
    try:
        return str(recipe.verify(mfa, attempts, **arguments))
    except recipe.TooMany:
        return "TooMany"


def test_one_address(recipe: Any, storage: Any) -> None:
    """One address has ten tries, whichever accounts it tries them on."""
    attempts = recipe.Attempts(storage)
    waits = [attempts.take(recipe.ATTEMPTS_FROM_AN_ADDRESS, "verify", "192.0.2.1") for _ in range(11)]
    assert waits[:10] == [0.0] * 10
    assert 0 < waits[10] <= 300


def test_a_blocked_address_locks_nobody_out(recipe: Any, storage: Any) -> None:
    """What comes from an address without tries takes none of the accounts that it names."""
    emulator = Emulator()
    mfa = MFA(transport=emulator)
    factor = mfa.enroll_factor(type="totp", issuer="Foo Corp", user="alan.turing@example.com")
    challenge = mfa.challenge_factor(factor.id)
    attempts = recipe.Attempts(storage)
    code = emulator.totp_code(factor.id)
    rest = {"challenge_id": challenge.id, "factor_id": factor.id, "code": code}
    assert [attempts.take(recipe.ATTEMPTS_FROM_AN_ADDRESS, "verify", "192.0.2.1") for _ in range(10)] == [0.0] * 10
    blocked = [outcome(recipe, mfa, attempts, account="alan", address="192.0.2.1", **rest) for _ in range(100)]
    assert set(blocked) == {"TooMany"}
    assert outcome(recipe, mfa, attempts, account="alan", address="192.0.2.2", **rest) == "True"


def test_messages_have_a_count_of_their_own(recipe: Any, storage: Any) -> None:
    """Asking for messages uses up no tries, and a proof gives no messages back."""
    attempts = recipe.Attempts(storage)
    assert [attempts.take(recipe.MESSAGES_TO_AN_ACCOUNT, "message", "alan") for _ in range(5)] == [0.0] * 5
    assert attempts.take(recipe.ATTEMPTS_OF_AN_ACCOUNT, "verify", "alan") == 0.0
    attempts.forget(recipe.ATTEMPTS_OF_AN_ACCOUNT, "verify", "alan")
    assert 0 < attempts.take(recipe.MESSAGES_TO_AN_ACCOUNT, "message", "alan") <= 3600
    assert [bool(attempts.take(recipe.ATTEMPTS_OF_AN_ACCOUNT, "verify", "alan")) for _ in range(6)] == [False] * 5 + [
        True
    ]
