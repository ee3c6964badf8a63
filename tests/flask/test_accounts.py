"""The documents of all accounts on a store: they are changed in one step, and a store that fails lets nobody in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import attrs
import pytest

from tests.flask.texts import UNREADABLE
from workos_mfa.flask import MemoryStore, StoreError
from workos_mfa.flask._second_factor.accounts import Accounts, Cache
from workos_mfa.flask._second_factor.document import Document, KnownFactor, read, write

FACTOR = KnownFactor(id="auth_factor_1", type="totp")


class Watched(MemoryStore):
    """A store that counts what it is asked for.

    :ivar calls: how often it was asked to load and to save.
    :ivar before_saving: done once, before the next save.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()
        self.before_saving: Callable[[], object] | None = None

    def load(self, account_id: str, /) -> str | None:
        """Count, and load."""
        self.calls["load"] += 1
        return super().load(account_id)

    def save(self, account_id: str, document: str, /, *, replaces: str | None) -> bool:
        """Count, and save."""
        self.calls["save"] += 1
        if self.before_saving is not None:
            happens, self.before_saving = self.before_saving, None
            happens()
        return super().save(account_id, document, replaces=replaces)


def accounts(store: MemoryStore) -> Accounts:
    """The documents, as one request sees them."""
    cache: Cache = {}
    return Accounts(store, lambda: cache)


def deleting(factor_id: str) -> Callable[[Document], tuple[Document, str]]:
    """Decides that a factor is to be deleted."""
    return lambda document: (attrs.evolve(document, to_delete=(*document.to_delete, factor_id)), factor_id)


def test_an_account_without_a_document() -> None:
    """It has no factor, and what is decided on it is saved as its first document."""
    store = MemoryStore()
    mine = accounts(store)
    assert mine.load("ada").factors == ()
    assert store.load("ada") is None
    document, result = mine.change("ada", deleting("auth_factor_1"))
    assert result == "auth_factor_1"
    assert document.to_delete == ("auth_factor_1",)
    assert read(store.load("ada") or "") == document == mine.load("ada") == accounts(store).load("ada")


def test_a_document_is_loaded_once_a_request() -> None:
    """Whatever is read and changed in one request, and another request loads it anew."""
    store = Watched()
    mine = accounts(store)
    mine.load("ada")
    mine.change("ada", deleting("auth_factor_1"))
    mine.change("ada", deleting("auth_factor_2"))
    assert mine.load("ada").to_delete == ("auth_factor_1", "auth_factor_2")
    assert store.calls == {"load": 1, "save": 2}
    accounts(store).load("ada")
    assert store.calls["load"] == 2


def test_it_is_decided_again_on_what_others_have_saved() -> None:
    """If somebody else was faster, the change is made to their document, and nothing of it is lost."""
    store = Watched()
    others = accounts(store)
    store.before_saving = lambda: others.change("ada", deleting("auth_factor_1"))
    seen: list[Document] = []

    def decide(document: Document) -> tuple[Document, None]:
        seen.append(document)
        return deleting("auth_factor_2")(document)[0], None

    accounts(store).change("ada", decide)
    assert [document.to_delete for document in seen] == [(), ("auth_factor_1",)]
    assert accounts(store).load("ada").to_delete == ("auth_factor_1", "auth_factor_2")


def test_what_a_decision_raises_passes() -> None:
    """Then nothing is saved."""
    store = Watched()
    with pytest.raises(ZeroDivisionError):
        accounts(store).change("ada", lambda document: (document, 1 / 0))
    assert store.calls == {"load": 1}


def test_a_change_that_is_always_too_late() -> None:
    """After a hundred attempts it is an error."""

    class Busy(Watched):
        def save(self, account_id: str, document: str, /, *, replaces: str | None) -> bool:
            super().save(account_id, document, replaces=replaces)
            return False

    store = Busy()
    with pytest.raises(StoreError, match="changed by others all the time"):
        accounts(store).change("ada", deleting("auth_factor_1"))
    assert store.calls == {"load": 100, "save": 100}


@pytest.mark.parametrize("answer", [None, 1, "yes", "False"])
def test_only_true_is_saved(answer: object) -> None:
    """A store that answers with something else has not said that it has saved."""

    class Vague(MemoryStore):
        def save(self, account_id: str, document: str, /, *, replaces: str | None) -> bool:
            del account_id, document, replaces
            return answer  # type: ignore[return-value]

    with pytest.raises(StoreError):
        accounts(Vague()).change("ada", deleting("auth_factor_1"))


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_cant_be_read_is_an_error(text: str) -> None:
    """It is never an account without a factor: nothing is decided, and the text stays for whoever repairs it."""
    store = MemoryStore()
    store.save("ada", text, replaces=None)
    mine = accounts(store)
    for call in (lambda: mine.load("ada"), lambda: mine.change("ada", lambda document: (document, 1 / 0))):
        with pytest.raises(StoreError):
            call()
    assert store.load("ada") == text


class FailsToLoad(MemoryStore):
    """A store whose database is out of reach."""

    def load(self, account_id: str, /) -> str | None:
        """Fail."""
        raise OSError(f"no route to the database of {account_id}")


class FailsToSave(MemoryStore):
    """A store whose database is out of reach when it is to say that it has saved."""

    def save(self, account_id: str, document: str, /, *, replaces: str | None) -> bool:
        """Save, and fail to say so."""
        super().save(account_id, document, replaces=replaces)
        raise OSError(f"no route to the database of {account_id}")


@pytest.mark.parametrize(("store", "verb"), [(FailsToLoad(), "load"), (FailsToSave(), "save")])
def test_a_store_that_fails_is_an_error(store: MemoryStore, verb: str) -> None:
    """The error names the kind of the store's own, which is its cause, and says nothing of the account."""
    with pytest.raises(StoreError) as caught:
        accounts(store).change("ada", deleting("auth_factor_1"))
    assert str(caught.value) == f"the store could not {verb} a document: OSError"
    assert isinstance(caught.value.__cause__, OSError)


def test_a_store_that_has_saved_and_fails() -> None:
    """What was loaded before is not relied on any more: the next look sees what is there."""
    mine = accounts(FailsToSave())
    mine.load("ada")
    with pytest.raises(StoreError):
        mine.change("ada", deleting("auth_factor_1"))
    assert mine.load("ada").to_delete == ("auth_factor_1",)


def test_accounts_do_not_share_a_document() -> None:
    """What is decided on one account is nothing to the others, in one request too."""
    mine = accounts(MemoryStore())
    mine.change("ada", lambda document: (attrs.evolve(document, factors=(FACTOR,)), None))
    assert mine.load("alan").factors == ()
    assert mine.load("ada").factors == (FACTOR,)


def test_a_text_is_replaced_by_another_one() -> None:
    """Even if nothing in the document changes, so that a store can tell the one from the other."""
    store = MemoryStore()
    store.save("ada", write(Document()), replaces=None)
    before = store.load("ada")
    accounts(store).change("ada", lambda document: (document, None))
    assert store.load("ada") != before
