"""What must hold for anything that anybody sends."""

from __future__ import annotations

import json
from datetime import datetime, timezone

from hypothesis import example, given, settings
from hypothesis import strategies as st

from workos_mfa._core.transport import Request
from workos_mfa.emulator import Emulator

NOW = datetime(2026, 8, 21, 12, tzinfo=timezone.utc)
EMULATOR = Emulator(now=NOW)


anything = st.text(st.characters(exclude_categories=[]), max_size=20)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | anything
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(anything, inner))
names = st.sampled_from(["type", "phone_number", "totp_issuer", "totp_user", "user_id", "code", "sms_template"])
types = st.sampled_from(["totp", "sms", "generic_otp", "webauthn"])
bodies = st.none() | st.dictionaries(names | anything, types | values, max_size=4)
segments = st.sampled_from(["auth", "factors", "challenges", "enroll", "verify", "challenge", "x", ""]) | anything
paths = st.lists(segments, max_size=5).map("/".join) | st.sampled_from(
    [
        "/auth/factors/enroll",
        "/auth/factors/x",
        "/auth/factors/x/challenge",
        "/auth/challenges/x/verify",
        "/user_management/users/x/auth_factors",
    ]
)


@settings(deadline=None)
@given(st.sampled_from(["GET", "POST", "DELETE", "PUT"]), paths, bodies, st.dictionaries(anything, anything))
def test_anything_is_answered_in_json(
    method: str, path: str, body: dict[str, object] | None, query: dict[str, str]
) -> None:
    """Random methods, paths, bodies and queries raise nothing and get JSON, or nothing with a 204."""
    response = EMULATOR.send(Request("any", method, path, path, json=body, query=query))
    assert response.status in {200, 201, 400, 404, 405, 422, 501}
    assert isinstance(json.loads(response.body), dict)
    assert response.headers["x-request-id"]


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_answered(body: bytes) -> None:
    """Random bytes in place of JSON raise nothing either."""
    response = EMULATOR._dispatcher.dispatch("POST", "/auth/factors/enroll", {}, body).response
    assert response is not None
    assert response.status in {201, 400, 422}


@settings(max_examples=25, deadline=None)
@example("half a pair: \ud800")
@given(st.text(st.characters(exclude_categories=[]), min_size=1, max_size=20))
def test_names_come_back_as_they_were_sent(name: str) -> None:
    """Issuer and user come back unchanged, half surrogates included."""
    body = {"type": "totp", "totp_issuer": name, "totp_user": name}
    response = EMULATOR.send(Request("any", "POST", "/auth/factors/enroll", "", json=body))
    assert json.loads(response.body)["totp"]["issuer"] == name


steps = st.one_of(
    st.tuples(st.just("advance"), st.sampled_from([0.0, 1.0, 15.0, 30.0, 60.0, 599.0, 601.0])),
    st.tuples(st.just("back"), st.sampled_from([1.0, 30.0, 90.0])),
    st.tuples(st.just("challenge"), st.integers(0, 1)),
    st.tuples(st.just("verify"), st.integers(0, 5)),
    st.tuples(st.just("wrong"), st.integers(0, 5)),
)


class _Model:
    """Makes random steps and keeps what was accepted."""

    def __init__(self) -> None:
        self.emulator = Emulator(now=NOW)
        bodies_of_two: tuple[dict[str, object], ...] = (
            {"type": "totp", "totp_issuer": "Foo", "totp_user": "alan"},
            {"type": "generic_otp"},
        )
        self.factors = [self.post("/auth/factors/enroll", body)["id"] for body in bodies_of_two]
        self.challenges: list[dict[str, str]] = []
        self.accepted: list[tuple[str, str, int]] = []

    def post(self, path: str, body: dict[str, object]) -> dict[str, str]:
        response = self.emulator.send(Request("any", "POST", path, path, json=body))
        answer: dict[str, str] = json.loads(response.body)
        return answer

    def verify(self, number: int, *, wrong: bool) -> None:
        if not self.challenges:
            return
        challenge = self.challenges[number % len(self.challenges)]
        factor_id = challenge["authentication_factor_id"]
        now = self.emulator.clock.now()
        code = challenge.get("code") or self.emulator.totp_code(factor_id)
        answer = self.post(f"/auth/challenges/{challenge['id']}/verify", {"code": "wrong" if wrong else code})
        if answer.get("valid"):
            assert not wrong
            assert now < datetime.fromisoformat(challenge["expires_at"].replace("Z", "+00:00"))
            self.accepted.append((challenge["id"], factor_id, int(now.timestamp()) // 30))

    def do(self, what: str, value: float) -> None:
        clock = self.emulator.clock
        if what == "advance":
            clock.advance(value)
        elif what == "back":
            clock.set(datetime.fromtimestamp(clock.now().timestamp() - value, timezone.utc))
        elif what == "challenge":
            self.challenges.append(self.post(f"/auth/factors/{self.factors[int(value)]}/challenge", {}))
        else:
            self.verify(int(value), wrong=what == "wrong")


@settings(max_examples=60, deadline=None)
@example([("verify", 0), ("challenge", 0), ("wrong", 0), ("verify", 0), ("back", 30.0), ("advance", 1.0)])
@given(st.lists(steps, max_size=25))
def test_a_code_is_accepted_at_most_once(script: list[tuple[str, float]]) -> None:
    """Whatever is done in whatever order: no challenge twice, no TOTP step of a factor twice, none late."""
    model = _Model()
    for what, value in script:
        model.do(what, value)
    challenges = [challenge for challenge, _, _ in model.accepted]
    totp_steps = [step for _, factor, step in model.accepted if factor == model.factors[0]]
    assert len(challenges) == len(set(challenges))
    assert len(totp_steps) == len(set(totp_steps))
