"""A state machine: two people, three browsers, two processes, and everything that can go wrong.

Without more it plays some dozens of runs of up to 40 steps, the same ones each time.
``WORKOS_MFA_MODEL_EXAMPLES=5000`` in the environment plays so many, chosen anew each time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.flask.model_people import People, Window
from tests.flask.model_rules import RULES, Rule, old_example, take_over
from tests.flask.model_site import PREFIX, Site

_EXAMPLES = os.environ.get("WORKOS_MFA_MODEL_EXAMPLES")
_SITE = Site()
_SMALL = st.integers(0, 3)
_WAITS = (1, 31, 31, 150, 150, 301, 301, 599, 601, 12 * 3600)
_OPERATIONS = ("enroll_factor", "challenge_factor", "verify_challenge", "delete_factor")
_FAULTS = ("refuse_connection", "lose_request", "lose_response", "cut_body", "respond_broken_json", "rate_limit")

ACTIONS: dict[str, Callable[[People], object]] = {
    "ada signs in": lambda people: people.sign_in(people.desk),
    "ada adds a factor": lambda people: people.enroll(people.desk),
    "ada adds a factor in the shared browser": lambda people: people.enroll(people.shared, "sms"),
    "ada removes a factor": lambda people: people.remove(people.desk),
    "ada replaces a factor": lambda people: people.recover_and_replace(people.desk),
    "ada leaves the shared browser": lambda people: people.sign_out(people.shared),
    "ada changes the password": lambda people: people.change_password(people.desk),
    "ada gets a new password": People.reset_password,
    "eve gives the password": lambda people: people.sign_in(people.attic, choice=0),
    "eve adds a factor": lambda people: people.enroll(people.attic),
    "eve removes a factor": lambda people: people.remove(people.attic),
    "eve uses a recovery code": lambda people: people.recover(people.attic),
    "eve answers": lambda people: people.answer(people.attic),
}


class World(RuleBasedStateMachine):
    """Ada uses her account; eve has the password, keeps all cookies and forms, and phishes one code."""

    @initialize(mandatory=st.booleans(), kinds=st.sampled_from([(), (), ("totp",), ("totp", "sms")]))
    def begin(self, mandatory: bool, kinds: Sequence[str]) -> None:  # noqa: FBT001
        """Begin with two accounts; ada's has only a password, or a factor or two."""
        _SITE.reset(mandatory=mandatory)
        self.people = People(_SITE)
        for kind in kinds:
            self.people.enroll(self.people.desk, kind)

    @invariant()
    def nobody_sees_what_is_not_proved(self) -> None:
        """No browser has got a page, a session, a factor or recovery codes that it has not proved enough for."""
        assert not self.people.model.violations, self.people.model.violations
        assert not _SITE.store.unfinished
        self.people.keep()

    def teardown(self) -> None:
        """Ada can come back, and lock eve out."""
        if not self.people.model.violations:
            self.people.ada_comes_back()
        assert not self.people.model.violations, self.people.model.violations

    def _window(self, number: int) -> Window:
        return (self.people.desk, self.people.shared, self.people.attic)[number]

    @rule(window=st.integers(0, 1))
    def ada_signs_in(self, window: int) -> None:
        """With her phone."""
        self.people.sign_in(self._window(window))

    @rule(window=st.integers(0, 1), kind=st.sampled_from(["totp", "sms"]))
    def ada_enrolls(self, window: int, kind: str) -> None:
        """A factor, the first or another one."""
        self.people.enroll(self._window(window), kind)

    @rule(window=st.integers(0, 1), nth=st.integers(0, 1))
    def ada_removes(self, window: int, nth: int) -> None:
        """A factor."""
        self.people.remove(self._window(window), nth)

    @rule(window=st.integers(0, 1), nth=st.integers(0, 1))
    def ada_recovers(self, window: int, nth: int) -> None:
        """With a recovery code; and she replaces what she has lost."""
        self.people.recover_and_replace(self._window(window), nth)

    @rule(window=st.integers(0, 1))
    def ada_makes_recovery_codes(self, window: int) -> None:
        """A new set."""
        self.people.new_recovery_codes(self._window(window))

    @rule(window=st.integers(0, 1))
    def ada_signs_out(self, window: int) -> None:
        """In one of her browsers."""
        self.people.sign_out(self._window(window))

    @rule(action=st.sampled_from([*ACTIONS]))
    def act(self, action: str) -> None:
        """One of the things that also happen at the same time as others."""
        ACTIONS[action](self.people)

    @rule(action=st.sampled_from([*ACTIONS]), faster=st.sampled_from([*ACTIONS]))
    def two_at_once(self, action: str, faster: str) -> None:
        """Something is decided, and before it is saved something else happens."""
        _SITE.store.meanwhile = lambda: ACTIONS[faster](self.people)
        ACTIONS[action](self.people)
        _SITE.store.meanwhile = None

    @rule(
        window=st.integers(0, 2),
        path=st.sampled_from(["/members", "/private", "/payouts", f"{PREFIX}/", f"{PREFIX}/new"]),
    )
    def visit(self, window: int, path: str) -> None:
        """Go to a page."""
        self._window(window).get(path)

    @rule(window=st.integers(0, 2), nth=_SMALL, choice=_SMALL)
    def click(self, window: int, nth: int, choice: int) -> None:
        """Send any form of the page."""
        self.people.click(self._window(window), nth, choice)

    @rule(account=st.sampled_from(["ada", "ada", "eve"]), choice=_SMALL)
    def eve_signs_in(self, account: str, choice: int) -> None:
        """To ada's account or her own, with any code that she has."""
        self.people.sign_in(self.people.attic, account, choice)

    @rule(nth=st.integers(0, 9))
    def eve_puts_a_cookie_back(self, nth: int) -> None:
        """A copy that she has kept, and looks at what it opens."""
        self.people.put_back(nth)
        self.people.attic.get("/members")

    @rule(nth=st.integers(0, 9), choice=_SMALL)
    def eve_sends_an_old_form(self, nth: int, choice: int) -> None:
        """One that she has kept."""
        self.people.repost(nth, choice)

    @precondition(lambda self: not self.people.phished)
    @rule()
    def eve_phishes(self) -> None:
        """One code in the whole run."""
        self.people.phish()

    @rule()
    def support(self) -> None:
        """The support gives ada a code."""
        self.people.support()

    @rule()
    def password_leaks(self) -> None:
        """Eve learns ada's new password."""
        self.people.leak_password()

    @rule()
    def nobody_is_forgotten(self) -> None:
        """Another account is deleted."""
        self.people.forget_nobody()

    @rule(seconds=st.sampled_from(_WAITS))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.people.wait(seconds)

    @rule(operation=st.sampled_from(_OPERATIONS), fault=st.sampled_from(_FAULTS))
    def workos_fails(self, operation: str, fault: str) -> None:
        """The next call of a kind fails, is one too many, or is done and seems to fail."""
        limit = {"calls": 0, "seconds": 60, "count": 1} if fault == "rate_limit" else {}
        getattr(_SITE.emulator.faults, fault)(operation=operation, **limit)

    @rule(trouble=st.sampled_from(["lost", "fails", "unclear", "load"]))
    def store_fails(self, trouble: str) -> None:
        """The next save or load fails, is done and seems to fail, or somebody else was faster."""
        _SITE.store.troubles.append(trouble)


World.TestCase.settings = settings(
    max_examples=int(_EXAMPLES or 60),
    stateful_step_count=40,
    deadline=None,
    derandomize=not _EXAMPLES,
    phases=[Phase.generate, Phase.shrink] if _EXAMPLES else [Phase.generate],
    suppress_health_check=[*HealthCheck],
)
TestWorld = World.TestCase


def _people(**settings: bool) -> People:
    _SITE.reset(**{"mandatory": False, **settings})
    return People(_SITE)


_of_rules = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.text)


@_of_rules
def test_a_rule_that_is_switched_off_is_missed(rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the rule, somebody gets what is not hers, and the model says so; with it, nobody does."""
    kept = _people()
    rule.scenario(kept)
    assert not kept.model.violations
    rule.off(monkeypatch)
    people = _people()
    rule.scenario(people)
    assert rule.finds in str(people.model.violations)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.by_chance], ids=lambda rule: rule.text)
def test_the_machine_misses_a_rule(rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the rule the machine comes upon a violation by itself."""
    rule.off(monkeypatch)
    with pytest.raises(AssertionError, match="of ada"):
        run_state_machine_as_test(World, settings=settings(World.TestCase.settings, max_examples=100))


def test_all_that_people_do() -> None:
    """Each thing that the machine does, once and in order, with its own result: the machine does what it says."""
    people = _people(mandatory=True)
    desk, shared, attic = people.desk, people.shared, people.attic
    people.put_back(0)
    people.repost(0, 0)
    people.support()
    people.forget_nobody()
    people.click(desk, 0, 0)
    people.sign_in(attic, "eve")
    assert attic.path == f"{PREFIX}/new"
    people.enroll(desk)
    people.enroll(shared, "sms")
    assert len(_SITE.store.factors("ada")) == 2
    people.sign_in(desk)
    people.change_password(desk)
    people.wait(301)
    desk.get("/payouts")
    people.answer(desk)
    assert desk.text == "the payouts page of ada"
    people.new_recovery_codes(desk)
    people.keep()
    people.repost(0, 0)
    people.sign_out(desk)
    people.change_password(desk)
    assert desk.path == "/login"
    people.remove(desk)
    assert len(_SITE.store.factors("ada")) == 1
    people.support()
    people.recover_and_replace(desk)
    people.enroll(desk, "sms")
    _SITE.store.troubles.extend(["load", "fails", "lost", "unclear"])
    desk.get("/private")
    assert desk.status == 503
    people.reset_password()
    people.sign_out(desk)
    assert desk.status == 503
    _SITE.store.troubles.append("fails")
    people.support()
    people.reset_password()
    people.sign_in(attic)
    assert attic.text == "that is not the password"
    people.leak_password()
    people.phish()
    people.ada_comes_back()
    assert not people.model.violations


def test_a_sign_out_that_failed_is_done_the_second_time() -> None:
    """Who is told that she could not be signed out tries again, and then all copies of her cookie have ended."""
    people = _people()
    people.enroll(people.shared)
    people.keep()
    _SITE.store.troubles.append("fails")
    people.sign_out(people.shared)
    assert people.shared.status == 503
    people.sign_out(people.shared)
    assert people.shared.path == "/login"
    people.put_back(0)
    people.attic.get("/members")
    assert not people.model.violations


def test_the_old_example_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the rules of the example of before, who was signed in before ada enrolled takes her account over."""
    old_example(monkeypatch)
    people = _people()
    take_over(people)
    found = set(people.model.violations)
    assert {
        "a factor of ada was added without a code for that",
        "a factor of ada was removed without a code for that",
        "a browser that is not signed in has seen the private page of ada",
    } <= found
