"""The tests that every store has to pass: :class:`workos_mfa.testing.StoreContract`, to be subclassed.

They need neither pytest nor unittest: a broken promise is an AssertionError.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from workos_mfa.flask import Store

T = TypeVar("T")

_THREADS = 32
_ATTEMPTS = 1000
_PATIENCE = 60
_SIMILAR_IDS = (
    *("ada", "Ada", "ada ", " ada", "ada\t"),
    *("ad\u00e4", "ada\u0308"),  # two ways to write one letter
    *("stra\u00dfe", "strasse"),
    *("1", "01", "1.0", "+1"),
    *("a_a", "a%", "a*"),  # what stands for other letters in a pattern
    *("a'--", 'a"', "a\\", "a/b", "../ada", "None", "null"),
)


class StoreContract:
    """What every store promises, as tests. Subclass it to test yours.

    ::

        class TestMyStore(StoreContract):
            def store(self):
                return MyStore(a_new_empty_database())

    """

    __module__ = "workos_mfa.testing"

    def store(self) -> Store:
        """Make a store in which there is nothing yet. Each test has one of its own."""
        raise NotImplementedError("a subclass of StoreContract gives its store, with nothing in it")

    def another(self, store: Store) -> Store:
        """Make one more store of what is in this one, as another process of the app has; the same one by default."""
        return store

    def test_an_unknown_account_has_no_document(self) -> None:
        """It is None, and not an empty text or an error."""
        document = self.store().load("ada")
        assert document is None, repr(document)

    def test_it_gives_back_what_was_saved(self) -> None:
        """The text is the same to the last character, and is there for the other processes at once."""
        store = self.store()
        other = self.another(store)
        for document, replaces in (('{"a":"1"}', None), (' {"a":"\\u00e9"}\n', '{"a":"1"}')):
            store.save("ada", document, replaces=replaces)
            for each in (store, other):
                assert each.load("ada") == document, repr(each.load("ada"))

    def test_it_says_whether_it_was_saved(self) -> None:
        """With True and False, since whatever else is true may have been meant otherwise."""
        store = self.store()
        calls = [("1", "0", False), ("1", None, True), ("2", None, False), ("2", "1", True), ("3", "1", False)]
        for document, replaces, expected in calls:
            saved = store.save("ada", document, replaces=replaces)
            assert saved is expected, f"save({document!r}, replaces={replaces!r}) gave {saved!r}"

    def test_a_first_document_is_saved_once(self) -> None:
        """Where there is one already, another first one is refused, in each process."""
        store = self.store()
        store.save("ada", "1", replaces=None)
        for each in (store, self.another(store)):
            each.save("ada", "2", replaces=None)
            assert store.load("ada") == "1", "a document was replaced by a first one"

    def test_where_nothing_is_nothing_is_replaced(self) -> None:
        """A document that is gone does not come back by a change that was made to it."""
        store = self.store()
        store.save("ada", "2", replaces="1")
        assert store.load("ada") is None

    def test_it_replaces_only_the_exact_text(self) -> None:
        """A document that differs in one character, its case or a space is another one, and stays."""
        store = self.store()
        document = '{"a":"b c"}'
        store.save("ada", document, replaces=None)
        for almost in (document.upper(), document + " ", " " + document, document[:-1], '{"a":"_ c"}', "%", ""):
            store.save("ada", "2", replaces=almost)
            assert store.load("ada") == document, f"it was replaced as if it were {almost!r}"
        store.save("ada", "2", replaces=document)
        assert store.load("ada") == "2"

    def test_it_compares_nothing_but_the_text(self) -> None:
        """A text that was replaced and came back is the same text: no two documents of ours are."""
        store = self.store()
        for document, replaces in (("1", None), ("2", "1"), ("1", "2"), ("3", "1")):
            store.save("ada", document, replaces=replaces)
        assert store.load("ada") == "3"

    def test_a_change_of_another_process_is_seen(self) -> None:
        """Who has loaded a document before another process has replaced it does not replace that one."""
        store = self.store()
        other = self.another(store)
        store.save("ada", "1", replaces=None)
        assert other.load("ada") == "1", "a change of another process is not seen"
        store.save("ada", "2", replaces="1")
        other.save("ada", "3", replaces="1")
        assert store.load("ada") == "2", "a change of another process was lost"

    def test_a_document_may_be_long(self) -> None:
        """With 200,000 characters it is kept and replaced as any other, and compared to its end."""
        store = self.store()
        long = "0123456789" * 20_000
        store.save("ada", long, replaces=None)
        assert store.load("ada") == long
        store.save("ada", "2", replaces=long[:-1] + "0")
        assert store.load("ada") == long, "it was not compared to its end"
        store.save("ada", "2", replaces=long)
        assert store.load("ada") == "2"

    def test_an_id_may_be_long(self) -> None:
        """With 255 characters it is an account's, and another one's if only the last character differs."""
        self._are_different(("a" * 254 + "b", "a" * 254 + "c", "\u00e4" * 255))

    def test_similar_ids_are_different_accounts(self) -> None:
        """Ids that differ in case, a space, or how a letter is written do not share a document."""
        self._are_different(_SIMILAR_IDS)

    def test_a_change_is_one_of_one_account(self) -> None:
        """The documents of all others stay as they are, even if they are the same."""
        store = self.store()
        for account_id in ("ada", "alan", "grace"):
            store.save(account_id, "1", replaces=None)
        store.save("alan", "2", replaces="1")
        assert [store.load(account_id) for account_id in ("ada", "alan", "grace")] == ["1", "2", "1"]

    def test_one_of_many_is_the_first(self) -> None:
        """Of 32 threads that save a first document at once, one does."""
        store = self.store()
        stores = (store, self.another(store))
        saved = _at_once(lambda number: stores[number % 2].save("ada", str(number), replaces=None))
        assert [number for number, each in enumerate(saved) if each] == [int(store.load("ada") or -1)], saved

    def test_no_change_is_lost(self) -> None:
        """32 threads change one document at once, each as often as it takes, and at the end all of it is there."""
        store = self.store()
        stores = (store, self.another(store))
        store.save("ada", "", replaces=None)

        all_have_loaded = threading.Barrier(_THREADS, timeout=_PATIENCE)

        def add(number: int) -> bool:
            mine = stores[number % 2]
            for attempt in range(_ATTEMPTS):
                before = mine.load("ada")
                if attempt == 0:
                    all_have_loaded.wait()
                if mine.save("ada", f"{before},{number}", replaces=before):
                    return True
            return False

        assert all(_at_once(add)), f"a document was not saved in {_ATTEMPTS} attempts"
        added = sorted(map(int, (store.load("ada") or "").split(",")[1:]))
        assert added == list(range(_THREADS)), f"of 32 changes there are {len(added)}"

    def _are_different(self, account_ids: tuple[str, ...]) -> None:
        store = self.store()
        for account_id in account_ids:
            document = store.load(account_id)
            assert document is None, f"{account_id!r} has the document {document!r}"
            store.save(account_id, f"of {account_id!a}", replaces=None)
        for account_id in account_ids:
            document = store.load(account_id)
            assert document == f"of {account_id!a}", f"{account_id!r} has the document {document!r}"


def _at_once(function: Callable[[int], T]) -> list[T]:
    """What the function gives in each of 32 threads that start at once; what it raises is raised."""
    barrier = threading.Barrier(_THREADS)
    results: dict[int, T] = {}
    errors: list[BaseException] = []

    def run(number: int) -> None:
        barrier.wait()
        try:
            results[number] = function(number)
        except BaseException as error:  # noqa: BLE001 - it is raised in the thread of the test
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return [results[number] for number in range(_THREADS)]
