"""Whatever a server sends back, a call gives its model or raises an MFAError, and nothing is true that is not."""

from __future__ import annotations

import copy
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.client.damage import Path, changed, paths_in
from tests.operations import CALLS, CHALLENGE, VERIFY_CHALLENGE, Call
from workos_mfa import MFAError, Response, UnexpectedResponseError, Verification
from workos_mfa.testing import json_response

STATUSES = st.one_of(st.sampled_from([200, 201, 204, 400, 404, 422, 429, 500]), st.integers(-10, 1000))
HEADERS = st.dictionaries(
    st.sampled_from(["X-Request-Id", "Retry-After", "Date", "Content-Type", "Location"]), st.text(max_size=20)
)
NAMES = st.sampled_from(
    [
        *("object", "id", "type", "totp", "sms", "message", "code", "errors", "error", "error_description", "data"),
        *("challenge", "valid", "list_metadata", "authentication_factor", "created_at", "before", "secret"),
    ]
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=6),
    max_leaves=12,
)
BODIES = st.one_of(st.binary(max_size=60), ANY_JSON.map(lambda value: json.dumps(value).encode()))


def checked(call: Call, response: Response) -> object:
    """What the call makes of the response: the model, or None where it raised an error that is whole."""
    try:
        return call.result_of(response)
    except MFAError as caught:
        error = caught
    assert not 200 <= response.status < 300 or isinstance(error, UnexpectedResponseError)
    assert str(error).startswith(str(response.status))
    assert str(error).isprintable()
    assert error.outcome_unknown is False or call.replay != "safe"
    assert (error.__cause__, error.__context__) == (None, None)
    assert str(copy.deepcopy(error)) == str(error)
    return None


@given(STATUSES, HEADERS, BODIES)
def test_no_response_breaks_a_call(status: int, headers: dict[str, str], body: bytes) -> None:
    """Any status, any headers, any bytes, any JSON, to each of the calls."""
    for call in CALLS:
        result = checked(call, Response(status, headers, body))
        assert result is None or 200 <= status < 300


PLACES = st.sampled_from([(call, path) for call in CALLS for path in paths_in(call.body)])


@settings(max_examples=300)
@given(PLACES, STATUSES, st.just(...) | ANY_JSON)
def test_no_damaged_response_breaks_a_call(place: tuple[Call, Path], status: int, value: object) -> None:
    """A response that is right but for one value, which is another or is not there."""
    call, path = place
    checked(call, json_response(status, changed(call.body, path, value)))


@given(STATUSES, ANY_JSON, st.booleans())
def test_a_verification_is_true_only_if_the_response_says_true(status: int, valid: object, is_challenge: bool) -> None:  # noqa: FBT001
    """Not 1, not "true", not a list of them; and not by the body of a response that is no success."""
    body = {"challenge": CHALLENGE if is_challenge else valid, "valid": valid}
    result = checked(VERIFY_CHALLENGE, json_response(status, body))
    expected = valid is True and is_challenge and 200 <= status < 300
    assert bool(result) is expected
    assert isinstance(result, Verification) or not expected
