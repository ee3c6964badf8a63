"""WorkOS' own SDKs, unchanged, run the whole flow against ``workos-mfa emulate``, with the tools of a real phone."""

from __future__ import annotations

import base64
import contextlib
import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.emulator.http import tools
from tests.emulator.http.process import Running, emulating
from tests.emulator.http.sdks import HOW, SDK, NodeSDK, PythonSDK, SDKError
from tests.emulator.http.tools import oathtool, zbarimg
from tests.loopback import wait_until
from workos_mfa import MFA, Emulator

pytestmark = pytest.mark.sdk

PHONE = "+15005550006"


@attrs.frozen
class World:
    """An SDK, and the emulator that it talks to."""

    sdk: SDK
    running: Running

    def control(self, path: str, body: object = None) -> Any:
        """Ask the control plane."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.running.api_key}"}
        request = urllib.request.Request(f"{self.running.base_url}/_emulate/{path}", data, headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310
            return json.load(reply)

    def refused(self, name: str, **options: Any) -> SDKError:
        """The error that a call raises."""
        with pytest.raises(SDKError) as caught:
            self.sdk.call(name, **options)
        assert caught.value.request_id
        return caught.value

    def totp(self) -> Any:
        """A new TOTP factor."""
        return self.sdk.call("enroll", type="totp", totp_issuer="Foo Corp", totp_user="alan.turing@example.com")


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """The command, once for all of these tests."""
    with emulating() as found:
        yield found
    assert found.status == 0


@pytest.fixture(params=[PythonSDK, NodeSDK], ids=["python", "node"])
def world(request: pytest.FixtureRequest, running: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Each SDK."""
    monkeypatch.setenv("WORKOS_API_KEY", running.api_key)
    monkeypatch.setenv("WORKOS_BASE_URL", running.base_url)
    with contextlib.closing(request.param(running)) as sdk:
        yield World(sdk, running)


def test_totp(world: World, tmp_path: Path) -> None:
    """An enrolment is scanned, and its codes come from a program that knows nothing of the emulator."""
    factor = world.totp()
    totp = factor["totp"]
    image = tmp_path / "qr.png"
    kind, _, data = totp["qr_code"].partition(",")
    assert kind == "data:image/png;base64"
    image.write_bytes(base64.b64decode(data))
    assert zbarimg(image) == totp["uri"]
    assert f"secret={totp['secret']}" in totp["uri"]

    challenge = world.sdk.call("challenge", id=factor["id"])
    assert challenge["authentication_factor_id"] == factor["id"]
    # The program reads the computer's clock, which the emulator's follows.
    code = oathtool(totp["secret"])
    wrong = world.control(f"factors/{factor['id']}/wrong_code")["code"]
    assert world.sdk.call("verify", id=challenge["id"], code=wrong)["valid"] is False
    right = world.sdk.call("verify", id=challenge["id"], code=code)
    assert right["valid"] is True
    assert right["challenge"]["id"] == challenge["id"]
    error = world.refused("verify", id=challenge["id"], code=code)
    assert (error.status, error.code) == (422, "authentication_challenge_previously_verified")


def test_sms(world: World) -> None:
    """A text message in the app's own words is in the outbox, and told on the terminal."""
    factor = world.sdk.call("enroll", type="sms", phone_number=PHONE)
    assert factor["sms"]["phone_number"] == PHONE
    challenge = world.sdk.call("challenge", id=factor["id"], sms_template="Foo Corp: {{code}}.")
    message = world.control(f"outbox/latest?challenge_id={challenge['id']}")
    assert message["text"] == f"Foo Corp: {message['code']}."
    assert world.sdk.call("verify", id=challenge["id"], code=message["code"])["valid"] is True
    # Told by a thread of its own, so a moment after the response.
    wait_until(lambda: challenge["id"] in {event.get("challenge_id") for event in world.running.events})


def test_get_and_delete(world: World) -> None:
    """A factor is shown without its secret, deleted, and then not found."""
    factor = world.totp()
    shown = world.sdk.call("get", id=factor["id"])
    assert (shown["id"], shown["totp"]) == (factor["id"], {"issuer": "Foo Corp", "user": "alan.turing@example.com"})
    assert world.sdk.call("delete", id=factor["id"]) is None
    error = world.refused("get", id=factor["id"])
    assert (error.status, error.code) == (404, "entity_not_found")
    assert f"Authentication Factor not found: '{factor['id']}'." in error.message


def test_refusals(world: World) -> None:
    """What is wrong arrives as the SDK's error of that kind."""
    error = world.refused("enroll", type="sms", phone_number="foo")
    assert (error.status, error.code) == (422, "invalid_phone_number")
    factor = world.sdk.call("enroll", type="generic_otp")
    challenge = world.sdk.call("challenge", id=factor["id"])
    for _ in range(5):
        assert world.sdk.call("verify", id=challenge["id"], code="wrong")["valid"] is False
    error = world.refused("verify", id=challenge["id"], code=challenge["code"])
    assert (error.status, error.code) == (400, "one_time_code_too_many_attempts")
    assert world.refused("verify", id="auth_challenge_x", code="123456").status == 404


def test_users_factors(world: World) -> None:
    """A user's factors are made, listed page by page, and all together."""
    user = f"user_{time.monotonic_ns()}"
    made = []
    # More than one page has unless it is told otherwise.
    for number in range(12):
        enrolled = world.sdk.call(
            "create", userland_user_id=user, type="totp", totp_issuer="Foo Corp", totp_user=f"device {number}"
        )
        made.append(enrolled["authentication_factor"]["id"])
        assert enrolled["authentication_challenge"]["authentication_factor_id"] == made[-1]
    code = oathtool(enrolled["authentication_factor"]["totp"]["secret"])
    assert world.sdk.call("verify", id=enrolled["authentication_challenge"]["id"], code=code)["valid"] is True
    newest_first = made[::-1]
    first = world.sdk.call("list", userland_user_id=user, limit=7)
    assert [factor["id"] for factor in first["data"]] == newest_first[:7]
    second = world.sdk.call("list", userland_user_id=user, limit=7, after=first["after"])
    assert ([factor["id"] for factor in second["data"]], second["after"]) == (newest_first[7:], None)
    everything = world.sdk.call("list_all", userland_user_id=user)
    assert [factor["id"] for factor in everything] == newest_first
    assert all(factor["user_id"] == user and "secret" not in factor["totp"] for factor in everything)


def test_a_challenge_ends_after_ten_minutes(world: World) -> None:
    """The clock of the running emulator is moved from outside, and its challenges age."""
    factor = world.sdk.call("enroll", type="generic_otp")
    challenge = world.sdk.call("challenge", id=factor["id"])
    before = world.control("clock")["now"]
    world.control("clock", {"advance": 601})
    error = world.refused("verify", id=challenge["id"], code=challenge["code"])
    assert (error.status, error.code) == (422, "authentication_challenge_expired")
    world.control("clock", {"set": before})
    assert world.sdk.call("verify", id=challenge["id"], code=challenge["code"])["valid"] is True


def test_what_the_official_sdk_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each lost response is followed by another text message, as README and docs/migrating.md say."""
    emulator = Emulator()
    number = MFA(transport=emulator).enroll_factor(type="sms", phone_number=PHONE)
    for _ in range(6):
        emulator.faults.lose_response(operation="challenge_factor")
    with emulator.serve() as server:
        monkeypatch.setenv("WORKOS_API_KEY", server.api_key)
        monkeypatch.setenv("WORKOS_BASE_URL", server.base_url)
        workos = tools.package("workos", HOW)
        with pytest.raises(workos.WorkOSError):
            workos.WorkOSClient().multi_factor_auth.challenge_factor(number.id)
    assert len(emulator.outbox) == 4
