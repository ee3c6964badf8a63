"""The transport of a calibration: its pace, and the evidence that it keeps."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.calibration.strange import reply
from tests.calibration.world import EVERYTHING, world
from workos_mfa import Request, Response
from workos_mfa._calibration.wire import CALLS_A_SECOND, Exchange, Wire
from workos_mfa.testing import StubTransport

CODE = "424242"


def test_ten_calls_a_second() -> None:
    """No two calls of a run are nearer to each other than a tenth of a second, those at the end included."""
    made = world({})
    made.calibrate(EVERYTHING)
    gaps = [(later.at - call.at).total_seconds() for call, later in pairwise(made.emulator.calls)]
    assert len(gaps) > 500
    assert min(gaps) > 1 / CALLS_A_SECOND - 0.001


@pytest.mark.parametrize(
    ("response", "got"),
    [
        (reply(201, code=CODE, id="auth_challenge_1"), "201"),
        (reply(201, challenge={"code": CODE}, valid=False), "201 valid: false"),
        (reply(400, code="one_time_code_too_many_attempts", message=CODE), "400 one_time_code_too_many_attempts"),
        (reply(400, code=f"bad code: {CODE}", message=CODE), "400"),
        (
            reply(422, message=CODE, errors=[{"field": "code", "code": CODE}, {"other": CODE}]),
            "422 errors with code and field",
        ),
        (reply(422, errors=[{"code": "x", f"{CODE} is wrong": 1, "\x1b[2J": 2}]), "422 errors with code"),
        (Response(204), "204"),
        (Response(502, {}, f"<html>{CODE}</html>".encode()), "502, no JSON object"),
        (Response(200, {}, b"[]"), "200, no JSON object"),
    ],
)
def test_evidence_is_redacted(response: Response, got: str) -> None:
    """A code, a number and an id are never in it: ``code`` is the name of an error in a 4xx alone."""
    wire = Wire(StubTransport(lambda _: response), clock=lambda: 0.0, sleep=lambda _: None)
    body = {"code": CODE, "number": int(CODE), "type": "totp", "phone_number": "+15005550006"}
    headers = {"Idempotency-Key": "key"}
    wire.send(
        Request("own", "POST", "/auth/challenges/x/verify", "/auth/challenges/{id}/verify", {}, body, headers=headers)
    )
    sent = "code, number=(int), type=totp, phone_number, Idempotency-Key"
    assert wire.evidence == [Exchange("POST /auth/challenges/{id}/verify", sent, got)]
    assert CODE not in repr(wire.last)
    wire.close()
