"""What must hold for any response: the property that the fuzzer attacks and the corpus replays.

A case is bytes: one that says which call, two that say which status, and the body.
"""

from __future__ import annotations

from tests.operations import CALLS, VERIFY_CHALLENGE
from workos_mfa import MFAError, Response, UnexpectedResponseError, Verification

STATUSES = (200, 201, 204, 301, 400, 401, 404, 408, 422, 429, 500, 503)


def check(case: bytes) -> str:
    """What a call makes of the response: its model's or its error's name. It fails if that breaks a promise.

    The model comes only with a success; the error is one of ours, on one line, cut off from the parser's own, and a
    verification is true only where the body has the word.
    """
    call = CALLS[case[0] % len(CALLS)] if case else VERIFY_CHALLENGE
    status = STATUSES[case[1] % len(STATUSES)] if case[1:] else 200
    body = case[2:]
    headers = {"X-Request-Id": body[:40].decode("latin-1"), "Retry-After": body[:12].decode("latin-1")}
    try:
        model = call.result_of(Response(status, headers, body))
    except MFAError as caught:
        error = caught
    else:
        assert 200 <= status < 300
        assert not isinstance(model, Verification) or not model.valid or b"true" in body
        repr(model)
        return type(model).__name__
    assert not 200 <= status < 300 or isinstance(error, UnexpectedResponseError)
    assert str(error).isprintable()
    assert len(str(error)) < 4000
    assert error.__cause__ is None
    assert error.__context__ is None
    assert call.replay != "safe" or not error.outcome_unknown
    return type(error).__name__
