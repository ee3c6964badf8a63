"""The import itself, on the emulator in this process: what is lost, refused or late, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import attrs
import pytest

from tests.leaks import shows
from tests.migration.people import secret_of, user_of, write_people
from workos_mfa import MFA, ConnectionLostError, Emulator, InvalidInputError, MFAError, Request, Response
from workos_mfa._migration import importer as module
from workos_mfa._migration import journal as journal_module
from workos_mfa._migration.check import check
from workos_mfa._migration.importer import UNSETTLED, Importer
from workos_mfa._migration.journal import Journal
from workos_mfa._migration.pace import Pace
from workos_mfa._migration.table import open_table
from workos_mfa._migration.tally import Counts

CREATE, LIST = "create_user_auth_factor", "list_user_auth_factors"


@attrs.define(eq=False)
class World:
    """An emulator, a file with people, and a journal."""

    folder: Path
    emulator: Emulator = attrs.field(factory=Emulator)
    before: Callable[[Request], None] = lambda _: None
    after: Callable[[Request], None] = lambda _: None
    waiting: Callable[[], None] = lambda: None
    sent: list[str] = attrs.field(factory=list)
    importer: Importer = attrs.field(init=False)

    def send(self, request: Request, /) -> Response:
        """Be a transport, around the emulator."""
        self.sent.append(request.operation)
        self.before(request)
        response = self.emulator.send(request)
        self.after(request)
        return response

    def close(self) -> None:
        """Be a transport."""

    def run(self, people: int, *, workers: int = 1, settle: float = 0.01) -> Importer:
        """Import so many people, to the end. Waiting takes no time."""
        file = self.folder / "people.csv"
        if not file.exists():
            write_people(file, people)
        checked = check(open_table(file))
        with closing(Journal(self.folder / "journal")) as journal:
            journal.begin(file, "sk_test_x", "http://x", key_changed=False)
            moment = [1000.0]

            def wait(seconds: float) -> None:
                moment[0] += seconds
                self.waiting()

            pace = Pace(1000, 4, wait, lambda: moment[0])
            self.importer = Importer(MFA(transport=self), checked, journal, pace=pace, settle=settle, workers=workers)
            self.importer.start()
            while not self.importer.wait(60):
                pass
        return self.importer

    def factors(self, number: int) -> list[str]:
        """The ids of a person's factors."""
        return [factor.id for factor in MFA(transport=self.emulator).list_user_auth_factors(user_of(number))]

    def owners(self) -> list[str]:
        """Whose factors there are, one for each, in order."""
        return sorted(code.user for code in self.emulator.totp_codes())


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A new world."""
    return World(tmp_path)


def _everybody(count: int) -> list[str]:
    return [user_of(number) for number in range(count)]


def test_everybody_is_imported(world: World) -> None:
    """Many threads bring everybody once, with the own secret; a second run has nothing to do, and sends nothing."""
    assert world.run(50, workers=8).tally.counts == Counts(rows=50, already=0, done=50, refused=0, unknown=0)
    assert world.owners() == _everybody(50)
    sent = len(world.sent)
    assert world.run(50).tally.counts == Counts(rows=50, already=50, done=0, refused=0, unknown=0)
    assert len(world.sent) == sent


@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize(
    "trouble",
    [
        {"fault": "lose_response", "operation": CREATE},
        {"fault": "lose_request", "operation": CREATE},
        {"fault": "cut_body", "operation": CREATE},
        {"fault": "respond", "status": 503, "operation": CREATE},
        {"fault": "respond", "status": 408, "operation": CREATE},
        {"fault": "respond", "status": 302, "operation": CREATE},
        {"fault": "refuse_connection", "operation": CREATE},
        {"fault": "respond", "status": 429, "operation": CREATE},
        {"fault": "respond", "status": 429, "retry_after": 9, "operation": LIST},
        {"fault": "refuse_connection", "operation": LIST},
        {"fault": "lose_response", "operation": LIST},
        {"fault": "respond", "status": 500, "operation": LIST},
    ],
)
def test_a_trouble_that_passes(
    world: World, monkeypatch: pytest.MonkeyPatch, trouble: dict[str, object], after: int
) -> None:
    """Whatever happens to a call, at the first person or later: all are there once in the end."""
    monkeypatch.setattr(module, "_BETWEEN_LISTS", 0.0)
    world.emulator.faults.from_json({**trouble, "after": after})
    assert world.run(3).tally.counts == Counts(rows=3, already=0, done=3, refused=0, unknown=0)
    assert world.owners() == _everybody(3)
    world.emulator.faults.assert_all_used()


def test_what_is_refused_is_tried_again_by_the_next_run(world: World) -> None:
    """The API's reason is told, on one line and without the secret; the others are imported."""
    body = {"message": f"no\nuser for {secret_of(1)}", "code": "entity_not_found"}
    world.emulator.faults.respond(404, body, operation=CREATE, after=1)
    first = world.run(3)
    assert first.tally.counts == Counts(rows=3, already=0, done=2, refused=1, unknown=0)
    (problem,) = first.tally.failed
    assert (problem.line, problem.user_id) == (3, user_of(1))
    assert problem.reason.startswith("404 entity_not_found: no user for *** (request id ")
    assert world.run(3).tally.counts == Counts(rows=3, already=2, done=1, refused=0, unknown=0)
    assert world.owners() == _everybody(3)


def test_a_user_whose_factors_can_not_be_listed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent for this one; after a few tries the import goes on."""
    monkeypatch.setattr(module, "_BETWEEN_LISTS", 0.0)
    world.emulator.faults.respond(500, path=f"*/{user_of(0)}/*", count=None)
    counts = world.run(2)
    assert counts.tally.counts == Counts(rows=2, already=0, done=1, refused=1, unknown=0)
    assert counts.tally.failed[0].reason.startswith("the user's factors could not be listed: 500")
    assert world.sent.count(CREATE) == 1


def test_unclear_and_then_unlisted(world: World) -> None:
    """A row that may have arrived, and whose user can't be listed, is unknown, and not sent again."""
    world.emulator.faults.lose_response(operation=CREATE)
    world.emulator.faults.respond(404, operation=LIST, after=1)
    first = world.run(1)
    assert first.tally.counts == Counts(rows=1, already=0, done=0, refused=0, unknown=1)
    assert world.run(1).tally.counts == Counts(rows=1, already=0, done=1, refused=0, unknown=0)
    assert world.sent.count(CREATE) == 1


def test_where_lists_do_not_show_new_factors(world: World) -> None:
    """In an environment that hides what nobody has used yet, a list proves nothing, so nothing is repeated."""
    world.emulator = Emulator(unverified_factors_listed=False)
    world.emulator.faults.lose_response(operation=CREATE, after=1)
    first = world.run(3)
    assert first.tally.counts == Counts(rows=3, already=0, done=2, refused=0, unknown=1)
    assert [problem.reason for problem in first.tally.failed] == [UNSETTLED]
    assert world.owners() == _everybody(3)
    assert world.run(3).tally.counts.unknown == 1
    assert world.sent.count(CREATE) == 3


def _of_their_own(world: World) -> None:
    """The first person enrolls an app of their own, and uses it."""
    app = MFA(transport=world.emulator)
    factor = app.create_user_auth_factor(user_of(0), user="somebody").factor
    assert app.verify_challenge(app.challenge_factor(factor.id).id, code=world.emulator.totp_code(factor.id))


def test_an_app_of_their_own_proves_nothing(world: World) -> None:
    """A new factor of which nobody knows whose it is does not tell that lists show those that nobody has used."""
    world.emulator = Emulator(unverified_factors_listed=False)

    def lose(request: Request) -> None:
        if request.operation == CREATE and world.sent.count(CREATE) <= 6:
            if world.sent.count(CREATE) == 1:
                _of_their_own(world)
            raise ConnectionLostError("the connection broke")

    world.after = lose
    for _ in range(2):
        assert world.run(6).tally.counts.unknown == 5
    assert world.sent.count(CREATE) == 6
    assert world.owners() == ["somebody", *_everybody(6)]


def test_a_factor_of_the_last_run_tells_what_lists_show(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a run ended before it saw its factor in a list, the next one looks; unless the person may have used it."""
    world.emulator.faults.respond(500, operation=LIST, after=1)
    world.emulator.faults.lose_request(operation=CREATE, after=1)
    world.before = lambda _: world.importer.stop() if world.sent.count(CREATE) == 2 else None
    assert world.run(2).tally.counts.left == 1
    world.before = lambda _: None
    with monkeypatch.context() as patch:
        patch.setattr(journal_module, "_FRESH", -1.0)
        assert world.run(2).tally.counts.unknown == 1
    assert world.run(2).tally.counts == Counts(rows=2, already=1, done=1, refused=0, unknown=0)
    assert world.owners() == _everybody(2)


def _also_enrolls(world: World, *, number: int, when: int, phone: str | None = None) -> Callable[[Request], None]:
    """Somebody who adds a factor to a person, at the time of a call."""

    def act(_: Request) -> None:
        if len(world.sent) == when:
            app = MFA(transport=world.emulator)
            if phone is None:
                app.create_user_auth_factor(user_of(number), user="somebody")
            else:
                app.enroll_factor(type="sms", phone_number=phone, user_id=user_of(number))

    return act


def test_a_factor_of_somebody_else_beside_ours(world: World) -> None:
    """If a user has two new factors, a person has to look: both are named, and nothing is repeated."""
    world.emulator.faults.lose_response(operation=CREATE)
    world.before = _also_enrolls(world, number=0, when=3)
    first = world.run(1)
    assert first.tally.counts == Counts(rows=1, already=0, done=0, refused=0, unknown=1)
    (problem,) = first.tally.failed
    assert [factor_id in problem.reason for factor_id in world.factors(0)] == [True, True]


def test_an_id_moves_no_cursor(world: World) -> None:
    """What is told of a row goes to a terminal and into a file, and an id is what a server says it is."""
    made = MFA(transport=Emulator()).create_user_auth_factor(user_of(0)).factor.to_dict()
    factors = [{**made, "id": f"auth_factor_{number}\x1b[2J\x9b"} for number in range(2)]
    body = {"object": "list", "data": factors, "list_metadata": {"before": None, "after": None}}
    world.emulator.faults.lose_response(operation=CREATE)
    world.emulator.faults.respond(200, body, operation=LIST, after=1)
    (problem,) = world.run(1).tally.failed
    assert "auth_factor_1 [2J" in problem.reason
    assert problem.reason.isprintable()


def test_a_new_phone_is_not_ours(world: World) -> None:
    """What settles a row is a TOTP factor: a phone that the user adds meanwhile is something else."""
    world.emulator.faults.lose_request(operation=CREATE, after=1)
    world.before = _also_enrolls(world, number=1, when=5, phone="+15005550006")
    assert world.run(2).tally.counts.done == 2
    assert world.sent.count(CREATE) == 3
    assert len(world.factors(1)) == 2


def test_a_row_that_never_arrives(world: World) -> None:
    """After a few times it is given up, and the others are imported; the next run tries it again."""
    world.emulator.faults.respond(500, path=f"*/{user_of(1)}/*", method="POST", count=3)
    first = world.run(3)
    assert first.tally.counts == Counts(rows=3, already=0, done=2, refused=1, unknown=0)
    assert first.tally.failed[0].reason.startswith("it was sent 3 times and did not arrive; the last time: 500")
    assert world.run(3).tally.counts.done == 1
    assert world.owners() == _everybody(3)


def test_a_factor_added_while_the_rate_was_limited(world: World) -> None:
    """The user's factors are listed anew before each time a row is sent, so this one is not taken for ours."""
    world.emulator.faults.respond(429, operation=CREATE)
    world.before = _also_enrolls(world, number=0, when=3)
    assert world.run(1).tally.counts.done == 1
    assert world.owners() == ["somebody", user_of(0)]


@attrs.define(eq=False)
class Late:
    """A network that holds a call back, says that it is lost, and delivers it when later calls are made."""

    world: World
    at: int
    held: list[Request] = attrs.field(factory=list)

    def __call__(self, request: Request) -> None:
        """Meet a call, before the emulator does."""
        if self.held and len(self.world.sent) == self.at:
            self.world.emulator.send(self.held.pop())
        if request.operation == CREATE and self.world.sent.count(CREATE) == 2:
            self.held.append(request)
            raise ConnectionLostError("the connection broke")


@pytest.mark.parametrize(
    ("at", "counts", "creates"),
    [
        (6, Counts(rows=2, already=0, done=2, refused=0, unknown=0), 2),  # before it is looked for
        (7, Counts(rows=2, already=0, done=2, refused=0, unknown=0), 2),  # just before it would be sent again
        (8, Counts(rows=2, already=0, done=1, refused=0, unknown=1), 3),  # when it has been sent again
    ],
)
def test_a_call_that_arrives_late(world: World, at: int, counts: Counts, creates: int) -> None:
    """It is found whenever it arrives; where it is too late, the user is named so that a person takes one away."""
    world.before = Late(world, at)
    done = world.run(2)
    assert done.tally.counts == counts
    assert world.sent.count(CREATE) == creates
    named = [factor_id in problem.reason for problem in done.tally.failed for factor_id in world.factors(1)]
    assert named == [True, True] * counts.unknown


@pytest.mark.parametrize(
    ("operation", "status", "creates"), [(CREATE, 401, 1), (LIST, 401, 0), (CREATE, 403, 1), (LIST, 403, 0)]
)
def test_a_key_that_is_refused_ends_it(world: World, operation: str, status: int, creates: int) -> None:
    """There is no use in asking for the other people, and no row is at fault."""
    world.emulator.faults.respond(status, operation=operation, count=None)
    ended = world.run(5)
    assert ended.stopped is not None
    assert ended.stopped.error is not None
    assert shows(ended.stopped.error, *map(secret_of, range(5))) == []
    assert ended.tally.counts == Counts(rows=5, already=0, done=0, refused=0, unknown=0)
    assert world.sent.count(CREATE) == creates
    world.emulator.faults.clear()
    assert world.run(5).tally.counts.done == 5


@pytest.mark.parametrize(
    "trouble",
    [
        {"fault": "refuse_connection"},
        {"fault": "lose_request"},
        {"fault": "lose_response", "operation": CREATE},
        {"fault": "respond", "status": 500, "operation": CREATE},
    ],
)
def test_an_api_that_is_gone_ends_it(world: World, monkeypatch: pytest.MonkeyPatch, trouble: dict[str, object]) -> None:
    """After some minutes without a response it stops, and a later run brings all along."""
    monkeypatch.setattr(module, "_BETWEEN_LISTS", 0.0)
    monkeypatch.setattr(module, "_MOST_TRIES", 1000)
    world.emulator.faults.from_json({**trouble, "count": None})
    ended = world.run(40)
    assert ended.stopped is not None
    assert ended.stopped.reason == "the API does not respond"
    world.emulator.faults.clear()
    world.run(40)
    assert world.owners() == _everybody(40)


def test_stopping_lets_calls_come_back(world: World) -> None:
    """A call that is out when it is stopped is finished and noted; no other is made."""

    def stop(request: Request) -> None:
        if request.operation == CREATE and world.sent.count(CREATE) == 2:
            world.importer.stop()

    world.before = stop
    stopped = world.run(5)
    assert stopped.tally.counts == Counts(rows=5, already=0, done=2, refused=0, unknown=0)
    assert stopped.tally.counts.left == 3
    assert world.sent.count(CREATE) == 2
    assert world.run(5).tally.counts == Counts(rows=5, already=2, done=3, refused=0, unknown=0)


def test_stopping_while_a_row_is_looked_for(world: World) -> None:
    """It may be stopped before it is known whether a row has arrived; the next run finds it, when it is time."""
    world.emulator.faults.lose_response(operation=CREATE)
    world.emulator.faults.respond(429, operation=LIST, after=1)

    def stop() -> None:
        if world.sent.count(LIST) == 2:
            world.importer.stop()

    world.waiting = stop
    assert world.run(1).tally.counts.left == 1
    assert world.sent == [LIST, CREATE, LIST]
    world.waiting = lambda: None
    assert world.run(1, settle=0.5).tally.counts.done == 1
    assert world.sent == [LIST, CREATE, LIST, LIST]


def test_an_error_of_our_own_ends_it(world: World) -> None:
    """What no thread can deal with is raised where the import is waited for."""

    def fail(_: Request) -> None:
        raise ZeroDivisionError

    world.before = fail
    with pytest.raises(ZeroDivisionError):
        world.run(5, workers=3)


def test_a_row_that_our_own_check_refuses(world: World) -> None:
    """What is refused before anything is sent is refused as if by the API."""

    def refuse(request: Request) -> None:
        if request.operation == CREATE and world.sent.count(CREATE) == 1:
            raise InvalidInputError("it can't be sent", parameter="issuer")

    world.before = refuse
    assert world.run(2).tally.counts == Counts(rows=2, already=0, done=1, refused=1, unknown=0)


def test_an_unusual_error_of_a_transport(world: World) -> None:
    """An error that says nothing of the outcome may mean that the call has arrived."""

    def fail(request: Request) -> None:
        if request.operation == CREATE and world.sent.count(CREATE) == 1:
            raise MFAError("a transport of somebody's own")

    world.after = fail
    assert world.run(2).tally.counts.done == 2
    assert world.owners() == _everybody(2)
