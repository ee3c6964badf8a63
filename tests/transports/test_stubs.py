"""What stubs, records or instruments requests keeps seeing every call."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import requests_mock
import responses
import vcr
from vcr.record_mode import RecordMode

from tests.leaks import shows
from tests.loopback import Server, http_response
from tests.transports.api import CHALLENGE, CHALLENGE_ID, CODE, FACTOR, FACTOR_ID, KEY, on_every_connection
from workos_mfa import (
    MFA,
    ConnectError,
    ConnectionLostError,
    ConnectTimeoutError,
    NotFoundError,
    RequestsTransport,
    RetryPolicy,
    TLSError,
    Transport,
    TransportError,
    TransportTimeoutError,
)

URL = "https://api.workos.com"


@pytest.fixture
def mfa() -> Iterator[MFA]:
    """A client made before anything is stubbed."""
    with MFA(KEY, retry=RetryPolicy(max_attempts=1)) as mfa:
        yield mfa


@responses.activate
def test_responses(mfa: MFA) -> None:
    """The responses library answers, and matches what was sent."""
    responses.post(
        f"{URL}/auth/challenges/{CHALLENGE_ID}/verify",
        json={"challenge": CHALLENGE, "valid": False},
        status=201,
        match=[
            responses.matchers.json_params_matcher({"code": "123456"}),
            responses.matchers.header_matcher({"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}),
        ],
    )
    responses.get(f"{URL}/auth/factors/auth_factor_1", json={"code": "entity_not_found"}, status=404)
    responses.delete(f"{URL}/auth/factors/auth_factor_1", status=204)
    assert not mfa.verify_challenge(CHALLENGE_ID, code="123456")
    with pytest.raises(NotFoundError):
        mfa.get_factor("auth_factor_1")
    mfa.delete_factor("auth_factor_1")
    assert len(responses.calls) == 3


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (requests.exceptions.ConnectTimeout(), ConnectTimeoutError),
        (requests.exceptions.InvalidProxyURL("no host"), ConnectError),
        (requests.exceptions.ReadTimeout(), TransportTimeoutError),
        (requests.exceptions.Timeout(), TransportTimeoutError),
        # A broken tunnel is a ProxyError too, so that one must not be taken for "nothing was sent".
        (requests.exceptions.ProxyError(), ConnectionLostError),
        (requests.exceptions.SSLError("bad record"), TLSError),
        (requests.exceptions.ConnectionError("gone"), ConnectionLostError),
        (requests.exceptions.ChunkedEncodingError("cut"), ConnectionLostError),
    ],
)
@responses.activate
def test_responses_raises(raised: Exception, expected: type[TransportError], mfa: MFA) -> None:
    """An exception of requests' own, raised by a stub, means what it means when requests raises it."""
    responses.post(f"{URL}/auth/factors/auth_factor_1/challenge", body=raised)
    with pytest.raises(expected) as caught:
        mfa.challenge_factor("auth_factor_1")
    assert type(caught.value) is expected
    assert caught.value.outcome_unknown is not isinstance(caught.value, ConnectError)


@pytest.mark.parametrize(
    ("matcher", "reason"),
    [
        (responses.matchers.json_params_matcher({"code": "1"}), "{'code': '***'} doesn't match {'code': '1'}"),
        (responses.matchers.body_matcher("x"), """doesn't match x doesn't match {"code": "***"}"""),
        (responses.matchers.header_matcher({"Authorization": "x"}), "{'Authorization': 'Bearer ***'} doesn't match"),
        (responses.matchers.query_param_matcher({"a": "b"}), "Parameters do not match. {} doesn't match {'a': 'b'}"),
    ],
)
@responses.activate
def test_responses_without_a_match(matcher: Callable[..., object], reason: str, mfa: MFA) -> None:
    """A call that no stub answers says that this is why, what stubs there are, and nothing of what it sent."""
    url = f"{URL}/auth/challenges/auth_challenge_1/verify"
    responses.post(url, match=[matcher])
    responses.get(f"{URL}/auth/factors/auth_factor_1")
    with pytest.raises(ConnectionLostError) as caught:
        mfa.verify_challenge("auth_challenge_1", code=CODE)
    first, *rest = str(caught.value).splitlines()
    assert "Connection refused by Responses - the call doesn't match any registered mock" in first
    assert rest[:5] == ["", "Request: ", f"- POST {url}", "", "Available matches:"]
    assert rest[5].startswith(f"- POST {url} ")
    assert reason in rest[5]
    assert rest[6] == f"- GET {URL}/auth/factors/auth_factor_1 Method does not match"
    assert not shows(caught.value, KEY, CODE)


@responses.activate
def test_responses_without_a_match_for_a_session() -> None:
    """The same on a session of the user's."""
    responses.get(f"{URL}/auth/factors/auth_factor_1")
    with requests.Session() as session, pytest.raises(ConnectionLostError, match="Available matches:\n- GET") as caught:
        MFA(transport=RequestsTransport(KEY, session=session)).verify_challenge("auth_challenge_1", code=CODE)
    assert not shows(caught.value, KEY, CODE)


def test_requests_mock_without_a_match(mfa: MFA) -> None:
    """Its own error says which call no stub answers, and holds nothing of what was sent, in a pickle neither."""
    with requests_mock.Mocker() as mocker:
        with pytest.raises(requests_mock.NoMockAddress, match=f"No mock address: POST {URL}/auth") as caught:
            mfa.verify_challenge("auth_challenge_1", code=CODE)
        assert mocker.request_history[0].headers["authorization"] == f"Bearer {KEY}"
    assert caught.value.request.url == f"{URL}/auth/challenges/auth_challenge_1/verify"
    assert not shows(caught.value, KEY, CODE)


def test_requests_mock(mfa: MFA) -> None:
    """requests-mock answers, and sees what was sent."""
    with requests_mock.Mocker() as mocker:
        mocker.post(f"{URL}/auth/factors/enroll", json=FACTOR, status_code=201)
        assert mfa.enroll_factor(type="generic_otp").id == FACTOR["id"]
        (sent,) = mocker.request_history
    assert sent.json() == {"type": "generic_otp"}
    assert sent.headers["authorization"] == f"Bearer {KEY}"


def test_requests_mock_on_a_session() -> None:
    """An adapter that requests-mock mounts on a session of the user's answers."""
    with requests.Session() as session:
        adapter = requests_mock.Adapter()
        session.mount("https://", adapter)
        adapter.register_uri("GET", f"{URL}/auth/factors/{FACTOR_ID}", json=FACTOR)
        transport = RequestsTransport(KEY, session=session)
        assert MFA(transport=transport).get_factor(FACTOR_ID).id == FACTOR_ID


# vcrpy puts the connection that is open from before aside without closing it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@on_every_connection
def test_vcrpy(server: Server, connect: Callable[[Server], Transport], tmp_path: Path) -> None:
    """A call is recorded by vcrpy and played back, with a client that has a connection open from before."""
    cassette = str(tmp_path / "calls.json")
    with MFA(transport=connect(server)) as mfa:
        mfa.get_factor("auth_factor_0")
        recorder = vcr.VCR(serializer="json", filter_headers=["Authorization"])
        with recorder.use_cassette(cassette):
            recorded = mfa.enroll_factor(type="generic_otp")
        assert len(server.received) == 2
        with recorder.use_cassette(cassette, record_mode=RecordMode.NONE) as played:
            assert mfa.enroll_factor(type="generic_otp") == recorded
            assert played.play_count == 1
    assert len(server.received) == 2
    assert KEY not in Path(cassette).read_text()
    assert len(json.loads(Path(cassette).read_text())["interactions"]) == 1
    gc.collect()  # so that what vcrpy left open is found here, and not in another test


STUBBED = {
    "vcrpy": "import vcr; stub = vcr.use_cassette(path, record_mode='none')",
    "responses": "import responses; stub = responses.RequestsMock()",
    "requests-mock": "import requests_mock; stub = requests_mock.Mocker()",
}
FIRST_LOADED = """
import contextlib, os, sys, time
url, path, stub_first = sys.argv[1:]

def seconds_of_a_call(name, stage):
    def make():
        return workos_mfa.MFA(transport=getattr(workos_mfa, name)("sk_test_x", base_url=url), timeout=0.3)

    with stub:
        import workos_mfa
        getattr(workos_mfa, name)
        mfa = make() if stage != "loaded" else None
        if stage == "used":
            with contextlib.suppress(Exception):  # each stub has its own for a call that it does not know
                mfa.get_factor("auth_factor_1")
    mfa = mfa or make()
    started = time.monotonic()
    try:
        mfa.get_factor("auth_factor_1")
    except workos_mfa.TransportTimeoutError:
        return time.monotonic() - started

exec(stub_first)
for name in ("RequestsTransport", "Urllib3Transport"):
    for stage in ("loaded", "made", "used"):
        if os.fork() == 0:
            try:
                os.write(1, f"{name} {stage} {seconds_of_a_call(name, stage)}\\n".encode())
            finally:
                os._exit(0)
for _ in range(6):  # all of them wait at once
    os.wait()
"""


@pytest.mark.parametrize("stub", STUBBED.values(), ids=STUBBED)
def test_first_loaded_under_a_stub(stub: str, server: Server, tmp_path: Path) -> None:
    """A client that is first loaded while something stands in for urllib3 keeps its time once that is gone."""
    # Each byte comes well within the time limit.
    server.behaviour = lambda _, line: line.drip(http_response(200, FACTOR), 0.01)
    command = [sys.executable, "-c", FIRST_LOADED, server.url, str(tmp_path / "none.yaml"), stub]
    run = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    took = [line.split() for line in run.stdout.splitlines()]
    assert sorted((name, stage) for name, stage, _ in took) == [
        (name, stage) for name in ("RequestsTransport", "Urllib3Transport") for stage in ("loaded", "made", "used")
    ], run.stderr
    assert all(0.2 < float(seconds) < 2 for _, _, seconds in took), run.stdout
