# ruff: noqa: D101, D102 - the name of each breach says what is wrong
"""The stores: each keeps the contract, and the contract finds a store that does not."""

from __future__ import annotations

import re
import sqlite3
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, TypeVar

import pytest

pytest.importorskip("sqlalchemy", reason="sqlalchemy is not installed")

from sqlalchemy import Engine, MetaData, Table, create_engine, event, inspect, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.pool import StaticPool

import workos_mfa.flask
from tests.loopback import wait_until
from tests.servers import postgresql  # noqa: F401 - a fixture
from workos_mfa.flask import MemoryStore, SQLAlchemyStore, Store
from workos_mfa.testing import StoreContract

LEVELS = ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]


class Engines:
    """Makes engines, and lets go of them at the end."""

    def __init__(self) -> None:
        self._made: list[Engine] = []

    def __call__(self, url: str, **options: Any) -> Engine:
        """An engine with these options."""
        self._made.append(create_engine(url, **options))
        return self._made[-1]

    def dispose(self) -> None:
        """Close all connections."""
        for each in self._made:
            each.dispose()


@pytest.fixture
def engines() -> Iterator[Engines]:
    """Makes engines."""
    made = Engines()
    yield made
    made.dispose()


def in_memory(engines: Engines) -> Engine:
    """An engine on a database in memory."""
    return engines("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})


class TestMemoryStore(StoreContract):
    """The store in memory."""

    def store(self) -> Store:
        """A new one."""
        return MemoryStore()


class TestSQLiteInMemory(StoreContract):
    """SQLite in memory, with one connection for all threads."""

    @pytest.fixture(autouse=True)
    def _with(self, engines: Engines) -> None:
        self.engines = engines

    def store(self) -> Store:
        """One on a new database."""
        return SQLAlchemyStore(in_memory(self.engines))


class TestSQLite(StoreContract):
    """SQLite in a file, by two engines."""

    @pytest.fixture(autouse=True)
    def _with(self, engines: Engines, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path / 'app.db'}"
        self.make: Callable[[], Store] = lambda: SQLAlchemyStore(engines(url, connect_args={"timeout": 60}))

    def store(self) -> Store:
        """One on a new file."""
        return self.make()

    def another(self, store: Store) -> Store:
        """Another one on this file."""
        del store
        return self.make()


@pytest.mark.parametrize("level", LEVELS, scope="class")
class TestPostgreSQL(StoreContract):
    """PostgreSQL at each level of isolation, by two engines."""

    @pytest.fixture(autouse=True)
    def _with(self, engines: Engines, postgresql: str, level: str) -> None:  # noqa: F811
        empty(engines(postgresql))
        options = {"isolation_level": level, "pool_size": 20, "max_overflow": 20}
        self.make: Callable[[], Store] = lambda: SQLAlchemyStore(engines(postgresql, **options))

    def store(self) -> Store:
        """One on an empty database."""
        return self.make()

    def another(self, store: Store) -> Store:
        """Another one on this database."""
        del store
        return self.make()


def empty(engine: Engine) -> None:
    """Drop all tables."""
    found = MetaData()
    found.reflect(engine)
    found.drop_all(engine)


def test_memory_compares_and_saves_in_one_step() -> None:
    """Whatever another thread does in between, it does before or after."""
    store = MemoryStore()
    store.save("ada", "1", replaces=None)
    others: list[Future[bool]] = []

    class Interrupted(str):
        """A text at whose comparison another thread comes."""

        __slots__ = ()

        def __ne__(self, other: object) -> bool:
            others.append(pool.submit(store.save, "ada", "3", replaces="1"))
            wait(others, timeout=0.2)  # it has to wait for us
            return super().__ne__(other)

    with ThreadPoolExecutor() as pool:
        assert store.save("ada", "2", replaces=Interrupted("1"))
    assert [each.result() for each in others] == [False]
    assert store.load("ada") == "2"


# SQLAlchemyStore


def waits_for_a_lock(engine: Engine) -> bool:
    """Whether a statement in PostgreSQL waits for another transaction."""
    with engine.begin() as connection:
        return bool(connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


@pytest.mark.parametrize("level", LEVELS)
def test_a_change_that_came_too_late_is_not_saved(engines: Engines, postgresql: str, level: str) -> None:  # noqa: F811
    """If another transaction has changed the document and commits, that is False at each level, and no error."""
    other = engines(postgresql)
    empty(other)
    store = SQLAlchemyStore(engines(postgresql, isolation_level=level))
    store.save("ada", "1", replaces=None)
    with ThreadPoolExecutor() as pool, other.connect() as connection:
        connection.execute(store.table.update().values(document="2"))
        saved = pool.submit(store.save, "ada", "3", replaces="1")
        wait_until(lambda: waits_for_a_lock(other))
        connection.commit()
        assert saved.result() is False
    assert store.load("ada") == "2"


def test_a_deadlock_is_not_saved(engines: Engines, postgresql: str) -> None:  # noqa: F811
    """Who is the victim of a deadlock has saved nothing, and may try again."""
    other = engines(postgresql)
    empty(other)
    engine = engines(postgresql)
    store = SQLAlchemyStore(engine)
    store.save("ada", "1", replaces=None)
    event.listen(engine, "begin", lambda connection: connection.execute(text("SELECT pg_advisory_xact_lock(1)")))
    with ThreadPoolExecutor() as pool, other.connect() as connection:
        connection.execute(text("SET deadlock_timeout = '60s'"))  # so that the store's is the victim
        connection.execute(store.table.update().values(document="2"))
        saved = pool.submit(store.save, "ada", "3", replaces="1")
        wait_until(lambda: waits_for_a_lock(other))
        connection.execute(text("SELECT pg_advisory_xact_lock(1)"))
        connection.commit()
        assert saved.result() is False
    assert store.load("ada") == "2"


@pytest.mark.parametrize("is_save", [False, True])
def test_a_lost_connection_is_an_error(engines: Engines, postgresql: str, is_save: bool) -> None:  # noqa: F811, FBT001
    """It is raised, since nobody knows what has become of it, and the next operation has a new connection."""
    other = engines(postgresql)
    empty(other)
    store = SQLAlchemyStore(engines(postgresql))
    store.save("ada", "1", replaces=None)
    with other.begin() as connection:
        ended = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        connection.execute(text(f"{ended} AND backend_type = 'client backend'"))
    with pytest.raises(OperationalError):
        _ = store.save("ada", "2", replaces="1") if is_save else store.load("ada")
    assert store.load("ada") == "1"


class Conflict(sqlite3.OperationalError):
    """A conflict as a driver reports it."""

    def __init__(self, attribute: str) -> None:
        setattr(self, attribute, "40001")


@pytest.mark.parametrize("attribute", ["sqlstate", "pgcode"])
def test_a_conflict_by_any_driver(engines: Engines, attribute: str) -> None:
    """A load that lost against a change is made again, ten times at most, and a save is False."""
    engine = in_memory(engines)
    store = SQLAlchemyStore(engine)
    store.save("ada", "1", replaces=None)
    conflicts: list[Conflict] = []

    @event.listens_for(engine, "do_execute")
    def lose(*_: object) -> None:
        if conflicts:
            raise conflicts.pop()

    conflicts[:] = [Conflict(attribute)] * 9
    assert store.load("ada") == "1"
    conflicts[:] = [Conflict(attribute)] * 10
    with pytest.raises(OperationalError):
        store.load("ada")
    conflicts[:] = [Conflict(attribute)]
    assert store.save("ada", "2", replaces="1") is False
    assert store.load("ada") == "1"


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_processes_that_start_at_once(
    engines: Engines, database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Four processes see that the table is missing, and create it: all of them go on."""
    url = f"sqlite:///{tmp_path / 'app.db'}" if database == "sqlite" else request.getfixturevalue("postgresql")
    empty(engines(url))
    all_have_looked = threading.Barrier(4)
    made = [engines(url) for _ in range(4)]

    def wait_for_all(*_: object, **__: object) -> None:
        all_have_looked.wait(10)

    event.listen(Table, "before_create", wait_for_all)
    try:
        with ThreadPoolExecutor() as pool:
            stores = list(pool.map(SQLAlchemyStore, made))
    finally:
        event.remove(Table, "before_create", wait_for_all)
    assert [store.save("ada", "1", replaces=None) for store in stores] == [True, False, False, False]


def test_a_table_that_cant_be_created(engines: Engines, tmp_path: Path) -> None:
    """An error that has another reason is raised when the app starts."""
    (tmp_path / "app.db").touch()
    with pytest.raises(OperationalError, match="readonly"):
        SQLAlchemyStore(engines(f"sqlite:///file:{tmp_path / 'app.db'}?mode=ro&uri=true"))


def test_a_table_by_migration(engines: Engines) -> None:
    """With ``create=False`` nothing is created: the app does it, from the description of the table."""
    engine = in_memory(engines)
    store = SQLAlchemyStore(engine, table="second_factors", create=False)
    assert not inspect(engine).has_table("second_factors")
    of_the_app = MetaData()
    store.table.to_metadata(of_the_app)
    of_the_app.create_all(engine)
    assert store.save("ada", "1", replaces=None)
    assert inspect(engine).get_table_names() == ["second_factors"]


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_no_connection_is_left_open(
    engines: Engines, database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """A server that makes the store and then forks does not share a connection among its workers."""
    url = f"sqlite:///{tmp_path / 'app.db'}" if database == "sqlite" else request.getfixturevalue("postgresql")
    engine = engines(url)
    opened: list[object] = []
    event.listen(engine, "connect", lambda connection, _: opened.append(connection))
    event.listen(engine, "close_detached", opened.remove)
    SQLAlchemyStore(engine)
    assert opened == []


def test_one_connection_has_one_transaction(engines: Engines) -> None:
    """Where all threads have one connection, as with SQLite in memory, none undoes what another one has saved."""
    engine = in_memory(engines)
    store = SQLAlchemyStore(engine)
    store.save("ada", "1", replaces=None)
    refused: list[Future[bool]] = []
    with ThreadPoolExecutor() as pool:

        @event.listens_for(engine, "after_cursor_execute")
        def come_between(*arguments: Any) -> None:
            if arguments[2].startswith("UPDATE"):
                refused.append(pool.submit(store.save, "ada", "3", replaces=None))
                wait(refused, timeout=0.2)  # it has to wait for us

        assert store.save("ada", "2", replaces="1")
    assert [each.result() for each in refused] == [False]
    assert store.load("ada") == "2"


def test_a_database_for_each_thread_is_refused(engines: Engines) -> None:
    """SQLite in memory has one for each thread unless it is told otherwise; the error says how."""
    with pytest.raises(ValueError, match="poolclass=StaticPool"):
        SQLAlchemyStore(engines("sqlite://"))


def test_two_accounts_are_never_taken_for_one(engines: Engines) -> None:
    """Where the database does not tell upper from lower case, nobody gets the document of somebody else."""
    engine = in_memory(engines)
    with engine.begin() as connection:
        connection.execute(
            text("CREATE TABLE workos_mfa_accounts (account_id TEXT PRIMARY KEY COLLATE NOCASE, document TEXT)")
        )
    store = SQLAlchemyStore(engine)
    store.save("ada", "1", replaces=None)
    for call in (lambda: store.load("Ada"), lambda: store.save("Ada", "2", replaces=None)):
        with pytest.raises(RuntimeError, match="binary collation"):
            call()
    assert store.load("ada") == "1"


@pytest.mark.parametrize("replaces", [None, "1"])
def test_a_rule_of_the_app_is_an_error(engines: Engines, replaces: str | None) -> None:
    """What the table refuses for another reason is raised, since it would be refused again."""
    engine = in_memory(engines)
    with engine.begin() as connection:
        rule = "CHECK (document <> 'no')"
        connection.execute(
            text(f"CREATE TABLE workos_mfa_accounts (account_id TEXT PRIMARY KEY, document TEXT {rule})")
        )
    store = SQLAlchemyStore(engine)
    if replaces is not None:
        store.save("ada", replaces, replaces=None)
    with pytest.raises(IntegrityError):
        store.save("ada", "no", replaces=replaces)


def test_without_sqlalchemy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    monkeypatch.delitem(sys.modules, "workos_mfa.flask._stores.database")
    monkeypatch.delitem(vars(workos_mfa.flask), "SQLAlchemyStore")
    with pytest.raises(ImportError, match="pip install sqlalchemy"):
        _ = workos_mfa.flask.SQLAlchemyStore


# The contract


class Wrong(MemoryStore):
    """A store that keeps the contract, but for what a subclass does otherwise."""

    def load(self, account_id: str, /) -> str | None:
        """The account's document."""
        return self._documents.get(self.key(account_id))

    def save(self, account_id: str, document: str, /, *, replaces: str | None) -> bool:
        """Save it, if the one that is there is the same as ``replaces``."""
        with self._lock:
            is_same = self.is_same(self._documents.get(self.key(account_id)), replaces)
            if is_same:
                self.put(self.key(account_id), document, replaces)
        return is_same

    def put(self, key: str, document: str, replaces: str | None) -> None:
        """Keep it."""
        del replaces
        self._documents[key] = document

    def key(self, account_id: str) -> str:
        """What an account's document is found by."""
        return account_id

    def is_same(self, there: str | None, replaces: str | None) -> bool:
        """Whether the document that is there is the one to be replaced."""
        return there == replaces


BREACHES: dict[type[Wrong], set[str]] = {}
_Breach = TypeVar("_Breach", bound="type[Wrong]")
LOSES = [
    "a_change_of_another_process_is_seen",
    "it_replaces_only_the_exact_text",
    "it_says_whether_it_was_saved",
    "no_change_is_lost",
]


def breaks(*tests: str) -> Callable[[_Breach], _Breach]:
    """A breach of the contract, and the tests that fail with it; ``test_`` is left out of their names."""

    def add(breach: _Breach) -> _Breach:
        BREACHES[breach] = {f"test_{name}" for name in tests}
        return breach

    return add


@breaks(
    *LOSES,
    "a_document_may_be_long",
    "a_first_document_is_saved_once",
    "one_of_many_is_the_first",
    "where_nothing_is_nothing_is_replaced",
)
class ComparesNothing(Wrong):
    def is_same(self, there: str | None, replaces: str | None) -> bool:
        del there, replaces
        return True


@breaks(
    "a_change_is_one_of_one_account",
    "a_document_may_be_long",
    "it_compares_nothing_but_the_text",
    "it_gives_back_what_was_saved",
    "it_replaces_only_the_exact_text",
    "it_says_whether_it_was_saved",
    "a_change_of_another_process_is_seen",
    "no_change_is_lost",
)
class ReplacesNothing(Wrong):
    def is_same(self, there: str | None, replaces: str | None) -> bool:
        return there is replaces is None


@breaks("it_replaces_only_the_exact_text")
class IgnoresCase(Wrong):
    def is_same(self, there: str | None, replaces: str | None) -> bool:
        return (there and there.lower()) == (replaces and replaces.lower())


@breaks("it_replaces_only_the_exact_text")
class IgnoresSpaceAtTheEnd(Wrong):
    def is_same(self, there: str | None, replaces: str | None) -> bool:
        return (there and there.rstrip()) == (replaces and replaces.rstrip())


@breaks("it_replaces_only_the_exact_text")
class ComparesByAPattern(Wrong):
    def is_same(self, there: str | None, replaces: str | None) -> bool:
        if there is None or replaces is None or len(there) > 100:
            return there == replaces
        pattern = re.escape(replaces).replace("_", ".").replace("%", ".*")
        return re.fullmatch(pattern, there) is not None


@breaks("a_document_may_be_long")
class ComparesTheBeginning(Wrong):
    def is_same(self, there: str | None, replaces: str | None) -> bool:
        return (there and there[:100_000]) == (replaces and replaces[:100_000])


@breaks("a_first_document_is_saved_once", "it_says_whether_it_was_saved", "one_of_many_is_the_first")
class SavesAFirstDocumentAgain(Wrong):
    def is_same(self, there: str | None, replaces: str | None) -> bool:
        return replaces is None or there == replaces


@breaks("it_says_whether_it_was_saved", "where_nothing_is_nothing_is_replaced")
class ReplacesWhatIsGone(Wrong):
    def is_same(self, there: str | None, replaces: str | None) -> bool:
        return there is None or there == replaces


@breaks("it_compares_nothing_but_the_text")
class TakesATextOnce(Wrong):
    def is_same(self, there: str | None, replaces: str | None) -> bool:
        seen = vars(self).setdefault("seen", set())
        is_same = there == replaces and replaces not in seen
        seen.update({replaces} - {None})
        return is_same


@breaks("no_change_is_lost", "one_of_many_is_the_first")
class ComparesBeforeItSaves(Wrong):
    """All threads compare, and then all of them save."""

    def __init__(self) -> None:
        super().__init__()
        self.all_have_compared = threading.Barrier(32)

    def save(self, account_id: str, document: str, /, *, replaces: str | None) -> bool:
        is_same = self.load(account_id) == replaces
        if threading.current_thread() is not threading.main_thread():
            self.all_have_compared.wait(10)
        if is_same:
            self._documents[account_id] = document
        return is_same


@breaks("it_says_whether_it_was_saved")
class AnswersWithANumber(Wrong):
    def save(self, account_id: str, document: str, /, *, replaces: str | None) -> bool:
        return int(super().save(account_id, document, replaces=replaces))  # type: ignore[return-value]


@breaks(
    "an_id_may_be_long",
    "an_unknown_account_has_no_document",
    "similar_ids_are_different_accounts",
    "where_nothing_is_nothing_is_replaced",
)
class GivesAnEmptyDocument(Wrong):
    def load(self, account_id: str, /) -> str | None:
        return super().load(account_id) or ""


@breaks("it_gives_back_what_was_saved")
class ChangesTheText(Wrong):
    def load(self, account_id: str, /) -> str | None:
        document = super().load(account_id)
        return document and document.strip()


@breaks("a_document_may_be_long")
class CutsTheText(Wrong):
    def load(self, account_id: str, /) -> str | None:
        document = super().load(account_id)
        return document and document[:65535]


@breaks("a_change_is_one_of_one_account")
class ChangesAllThatAreTheSame(Wrong):
    def put(self, key: str, document: str, replaces: str | None) -> None:
        for each, there in self._documents.items():
            self._documents[each] = document if there == replaces else there
        super().put(key, document, replaces)


@breaks("an_id_may_be_long")
class CutsTheId(Wrong):
    def key(self, account_id: str) -> str:
        return account_id[:254]


@breaks("similar_ids_are_different_accounts")
class IgnoresTheCaseOfAnId(Wrong):
    def key(self, account_id: str) -> str:
        return account_id.lower()


@breaks("similar_ids_are_different_accounts")
class IgnoresSpaceAfterAnId(Wrong):
    def key(self, account_id: str) -> str:
        return account_id.rstrip()


@breaks("similar_ids_are_different_accounts")
class NormalizesAnId(Wrong):
    def key(self, account_id: str) -> str:
        return unicodedata.normalize("NFC", account_id)


@breaks("similar_ids_are_different_accounts")
class TakesAnIdForANumber(Wrong):
    def key(self, account_id: str) -> str:
        try:
            return str(float(account_id))
        except ValueError:
            return account_id


@breaks(
    "a_change_of_another_process_is_seen",
    "it_gives_back_what_was_saved",
    "no_change_is_lost",
    "one_of_many_is_the_first",
)
class SeesNoOtherProcess(Wrong):
    """Another process goes on with what was there when it has started."""


def contract_of(breach: type[Wrong]) -> StoreContract:
    """The contract over a store with such a breach."""

    class Contract(StoreContract):
        def store(self) -> Store:
            return breach()

        def another(self, store: Store) -> Store:
            if breach is not SeesNoOtherProcess:
                return super().another(store)
            return breach()

    return Contract()


def fails(breach: type[Wrong], test: str) -> bool:
    """Whether a test of the contract fails over such a store."""
    try:
        getattr(contract_of(breach), test)()
    except AssertionError:
        return True
    return False


CONTRACT_TESTS = {name for name in dir(StoreContract) if name.startswith("test_")}


@pytest.mark.parametrize("breach", [Wrong, *BREACHES])
def test_a_breach_is_found(breach: type[Wrong]) -> None:
    """Exactly the tests fail that are there for it; without a breach none."""
    assert {test for test in CONTRACT_TESTS if fails(breach, test)} == BREACHES.get(breach, set())


def test_every_test_of_the_contract_finds_a_breach() -> None:
    """None of them passes whatever a store does."""
    assert set().union(*BREACHES.values()) == CONTRACT_TESTS


def test_what_a_store_raises_in_a_thread_is_raised() -> None:
    """It is the store's own error that the person sees, from whichever thread."""

    class Broken(MemoryStore):
        def save(self, account_id: str, document: str, /, *, replaces: str | None) -> bool:
            raise LookupError(f"{account_id}, {document}, {replaces}")

    class Contract(StoreContract):
        def store(self) -> Store:
            return Broken()

    with pytest.raises(LookupError):
        Contract().test_one_of_many_is_the_first()


def test_a_contract_without_a_store_says_what_is_missing() -> None:
    """Whoever subclasses it reads this first."""
    with pytest.raises(NotImplementedError, match="a subclass of StoreContract gives its store"):
        StoreContract().test_an_unknown_account_has_no_document()
