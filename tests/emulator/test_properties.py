"""What must hold for anything that anybody sends."""

from __future__ import annotations

import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.emulator.caller import NOW
from workos_mfa._core.transport import Request
from workos_mfa.emulator import Emulator

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
def test_every_response_is_json(method: str, path: str, body: dict[str, object] | None, query: dict[str, str]) -> None:
    """Random methods, paths, bodies and queries raise nothing and get JSON, or nothing with a 204."""
    response = EMULATOR.send(Request("any", method, path, path, json=body, query=query))
    assert response.status in {200, 201, 400, 404, 405, 422, 501}
    assert isinstance(json.loads(response.body), dict)
    assert response.headers["x-request-id"]


@settings(max_examples=25, deadline=None)
@example("half a pair: \ud800")
@given(st.text(st.characters(exclude_categories=[]), min_size=1, max_size=20))
def test_names_come_back_as_they_were_sent(name: str) -> None:
    """Issuer and user come back unchanged, half surrogates included."""
    body = {"type": "totp", "totp_issuer": name, "totp_user": name}
    response = EMULATOR.send(Request("any", "POST", "/auth/factors/enroll", "", json=body))
    assert json.loads(response.body)["totp"]["issuer"] == name
