"""The emulator: in process, when it holds much, and over HTTP beside the vendor's."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Generator
from typing import IO, cast

import attrs
import urllib3

from benchmarks import vendor
from benchmarks.rounds import Rounds, take_turns, turn_of
from workos_mfa import MFA, Emulator

_SERVING = """
import sys
from workos_mfa import Emulator
with Emulator().serve(api_key="sk_test_default") as server:
    print(server.base_url, flush=True)
    sys.stdin.read()
"""
OURS, THEIRS = "workos-mfa emulate", "workos emulate"


@attrs.frozen
class Emulated:
    """Microseconds a call.

    :param in_process: by call, on an emulator that holds little.
    :param by_size: by number of factors held, then by call.
    :param over_http: by call, of each emulator; the vendor's is left out where it is not installed.
    """

    in_process: Rounds[str]
    by_size: dict[int, Rounds[str]]
    over_http: dict[str, Rounds[str]]


def measure(*, sizes: tuple[int, ...], rounds: int, calls: int) -> Emulated:
    """Rounds of so many calls of each kind."""
    return Emulated(
        in_process=_rounds(_calls_in_process(Emulator()), rounds, max(calls // 5, 1)),
        by_size={size: _rounds(_calls_that_look(_filled(size)), rounds, calls) for size in sizes},
        over_http=_over_http(rounds, calls),
    )


def _calls_in_process(emulator: Emulator) -> dict[str, Callable[[], object]]:
    mfa = MFA(transport=emulator)
    factor = mfa.enroll_factor(type="sms", phone_number="+12015550100")

    def flow() -> None:
        challenge = mfa.challenge_factor(factor.id)
        code = emulator.outbox[-1].code
        assert mfa.verify_challenge(challenge.id, code=code)

    return {
        "enroll_factor (totp, with its QR code)": lambda: mfa.enroll_factor(type="totp", issuer="Foo", user="a@b.c"),
        "challenge_factor and verify_challenge (sms)": flow,
        "get_factor": lambda: mfa.get_factor(factor.id),
    }


def _filled(size: int) -> Emulator:
    emulator = Emulator()
    factors = [{"id": f"auth_factor_{number}", "type": "generic_otp"} for number in range(size)]
    emulator.seed({"factors": factors})
    return emulator


def _calls_that_look(emulator: Emulator) -> dict[str, Callable[[], object]]:
    mfa = MFA(transport=emulator)

    def flow() -> None:
        challenge = mfa.challenge_factor("auth_factor_0")
        mfa.verify_challenge(challenge.id, code="000000")

    return {"get_factor": lambda: mfa.get_factor("auth_factor_0"), "challenge_factor and verify_challenge": flow}


def _over_http(rounds: int, calls: int) -> dict[str, Rounds[str]]:
    with contextlib.ExitStack() as stack:
        urls = {OURS: stack.enter_context(_our_own())}
        if vendor.version() is not None:
            urls[THEIRS] = stack.enter_context(vendor.running())
        clients = {name: _calls_over_http(url) for name, url in urls.items()}
        kinds = next(iter(clients.values())).keys()
        return {
            kind: _rounds({name: client[kind] for name, client in clients.items()}, rounds, max(calls // 5, 1))
            for kind in kinds
        }


@contextlib.contextmanager
def _our_own() -> Generator[str]:
    command = [sys.executable, "-c", _SERVING]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - the lines above
        yield cast("IO[str]", process.stdout).readline().strip()


def _calls_over_http(url: str) -> dict[str, Callable[[], object]]:
    # Not our client: it refuses some responses of the vendor's emulator.
    pool = urllib3.PoolManager()
    headers = {"Authorization": "Bearer sk_test_default", "Content-Type": "application/json"}

    def send(method: str, path: str, body: object = None) -> dict[str, object]:
        content = None if body is None else json.dumps(body)
        response = pool.request(method, url + path, body=content, headers=headers, retries=False)
        assert response.status in {200, 201}, response.data
        return cast("dict[str, object]", response.json())

    factor = send("POST", "/auth/factors/enroll", {"type": "generic_otp"})["id"]
    totp = {"type": "totp", "totp_issuer": "Foo", "totp_user": "a@b.c"}
    return {
        "enroll (totp)": lambda: send("POST", "/auth/factors/enroll", totp),
        "challenge": lambda: send("POST", f"/auth/factors/{factor}/challenge", {}),
        "get": lambda: send("GET", f"/auth/factors/{factor}"),
    }


def _rounds(calls_by_name: dict[str, Callable[[], object]], rounds: int, calls: int) -> Rounds[str]:
    wall, _ = take_turns({name: turn_of(call, calls) for name, call in calls_by_name.items()}, rounds)
    return wall
