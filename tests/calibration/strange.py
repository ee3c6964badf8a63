"""APIs that behave in ways that no setting describes: an emulator, and something between that bends a call."""

from __future__ import annotations

import json
import random
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeAlias

import attrs

from workos_mfa import Emulator, Request, Response
from workos_mfa._calibration.question import Value
from workos_mfa._core.one_time_codes import STEP_SECONDS, code_for, key_of

Json: TypeAlias = dict[str, Any]


def reply(status: int, **body: Any) -> Response:
    """A response with this JSON."""
    return Response(status, {"content-type": "application/json"}, json.dumps(body).encode())


class Strange(ABC):
    """An API that is an emulator until a method bends a call.

    :cvar settings: those of the emulator.
    :cvar unsure: settings of which the calibration can't say anything, since none describes the API; with the values
        that it may take for true all the same.
    :cvar stops: whether the canary dies of it.
    """

    settings: ClassVar[Mapping[str, Value]] = {}
    unsure: ClassVar[Mapping[str, tuple[Value, ...]]] = {}
    stops: ClassVar[bool] = False

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.chance = random.Random(7)  # noqa: S311  (no secret)
        self.counts: Counter[str] = Counter()
        self.secrets: dict[str, bytes] = {}
        self.factors: dict[str, str] = {}

    def send(self, request: Request, /) -> Response:
        """Bend the call."""
        response = self.bend(request, lambda: self.emulator.send(request))
        made = json.loads(response.body or b"{}") if response.status == 201 else {}
        for shown in (made, made.get("authentication_factor", {})):
            if "totp" in shown:
                self.secrets[shown["id"]] = key_of(shown["totp"]["secret"])
        for shown in (made, made.get("authentication_challenge", {})):
            if "authentication_factor_id" in shown:
                self.factors[shown["id"]] = shown["authentication_factor_id"]
        return response

    def close(self) -> None:  # noqa: B027
        """Nothing: there is nothing to close."""

    @abstractmethod
    def bend(self, request: Request, act: Callable[[], Response]) -> Response:
        """The response to a call."""
        ...

    def step(self) -> int:
        """The present step of TOTP."""
        return int(self.emulator.clock.now().timestamp()) // STEP_SECONDS

    def distance(self, request: Request) -> int | None:
        """How many steps from now a TOTP code is; None for any other code."""
        key = self.secrets.get(self.factors.get(request.path.split("/")[3], ""))
        code = (request.json or {}).get("code")
        near = range(-25, 26)
        return next((far for far in near if key and code_for(key, self.step() + far) == code), None)


def edited(response: Response, edit: Callable[[Json], object]) -> Response:
    """A response whose JSON is changed."""
    body = json.loads(response.body or b"{}")
    edit(body)
    return attrs.evolve(response, body=json.dumps(body).encode()) if response.body else response


class AcceptsWrongCodes(Strange):
    """Of ten wrong codes one is accepted."""

    def bend(self, _: Request, act: Callable[[], Response]) -> Response:
        """The response to a call."""
        response = act()
        if b'"valid":false' in response.body and self.chance.random() < 0.1:
            return attrs.evolve(response, body=response.body.replace(b'"valid":false', b'"valid":true'))
        return response


class RefusesRightCodes(Strange):
    """Of five right codes one is called wrong."""

    stops = True

    def bend(self, _: Request, act: Callable[[], Response]) -> Response:
        """The response to a call."""
        response = act()
        if b'"valid":true' in response.body and self.chance.random() < 0.2:
            return attrs.evolve(response, body=response.body.replace(b'"valid":true', b'"valid":false'))
        return response


class LocksTheAccount(Strange):
    """Too many wrong codes lock everything for half a minute."""

    stops = True

    def bend(self, request: Request, act: Callable[[], Response]) -> Response:
        """The response to a call."""
        now = self.emulator.clock.now().timestamp()
        if request.operation == "verify_challenge" and now < self.counts["until"]:
            return reply(400, code="one_time_code_too_many_attempts", message="no")
        response = act()
        if b"too_many_attempts" in response.body:
            self.counts["until"] = int(now) + 30
        return response


class CountsOverAll(Strange):
    """Wrong codes are counted for all factors together: after eight none is looked at."""

    stops = True

    def bend(self, request: Request, act: Callable[[], Response]) -> Response:
        """The response to a call."""
        if request.operation == "verify_challenge" and self.counts["wrong"] >= 8:
            return reply(400, code="one_time_code_too_many_attempts", message="no")
        response = act()
        self.counts["wrong"] += b'"valid":false' in response.body
        return response


class LocksSometimesEarlier(Strange):
    """The number of wrong codes is another one for each challenge."""

    unsure: ClassVar = dict.fromkeys(
        ("max_wrong_codes", "wrong_codes_counted_per", "lock_refuses_right_code", "malformed_codes_counted"), ()
    )

    def bend(self, request: Request, act: Callable[[], Response]) -> Response:
        """The response to a call."""
        response = act()
        wrong = b'"valid":false' in response.body
        if wrong:
            self.counts[request.path] += 1
            if self.counts[request.path] > 1 + len(self.counts) % 4:
                return reply(400, code="one_time_code_too_many_attempts", message="no")
        return response


class LocksTOTPEarlier(Strange):
    """A challenge of a TOTP factor may have fewer wrong codes than another one."""

    unsure: ClassVar = {"max_wrong_codes": ()}

    def bend(self, request: Request, act: Callable[[], Response]) -> Response:
        """The response to a call."""
        path = request.path
        is_totp = path.endswith("/verify") and self.factors.get(path.split("/")[3], "") in self.secrets
        if is_totp and self.counts[path] >= 3:
            return reply(400, code="one_time_code_too_many_attempts", message="no")
        response = act()
        self.counts[path] += b'"valid":false' in response.body
        return response


class LocksInOtherWords(Strange):
    """A lock has an error of its own."""

    unsure: ClassVar = dict.fromkeys(
        (
            *("max_wrong_codes", "wrong_codes_counted_per", "lock_refuses_right_code", "malformed_codes_counted"),
            "lock_ends_after",
        ),
        (),
    )

    def bend(self, _: Request, act: Callable[[], Response]) -> Response:
        """The response to a call."""
        response = act()
        return reply(403, code="challenge_locked", message="no") if b"too_many" in response.body else response


class HasAHoleInTheWindow(Strange):
    """The code of the step before is refused, and that of the one before it accepted."""

    settings: ClassVar = {"totp_window_back": 2}
    unsure: ClassVar = {"totp_window_back": ()}

    def bend(self, request: Request, act: Callable[[], Response]) -> Response:
        """The response to a call."""
        if request.operation == "verify_challenge" and self.distance(request) == -1:
            request = attrs.evolve(request, json={"code": "000000"})
            return self.emulator.send(request)
        return act()


class KeepsCodesForTenMinutes(Strange):
    """A TOTP code is good for ten minutes; that is more than what is tried, and a setting agrees with it."""

    unsure: ClassVar = {"totp_window_back": (11,)}

    def bend(self, request: Request, act: Callable[[], Response]) -> Response:
        """The response to a call."""
        distance = self.distance(request) if request.operation == "verify_challenge" else None
        if distance is not None and -20 <= distance < 0:
            key = self.secrets[self.factors[request.path.split("/")[3]]]
            return self.emulator.send(attrs.evolve(request, json={"code": code_for(key, self.step())}))
        return act()


class RefusesUsedCodesInOtherWords(Strange):
    """A used code has an error that no other call has."""

    unsure: ClassVar = dict.fromkeys(("reused_totp_code", "older_totp_code"), ())

    def bend(self, request: Request, act: Callable[[], Response]) -> Response:
        """The response to a call."""
        response = act()
        step = f"{self.factors.get(request.path.split('/')[3], '')} {(request.json or {}).get('code')}"
        if request.operation == "verify_challenge":
            if b'"valid":false' in response.body and self.counts[step]:
                return reply(422, code="code_was_used", message="no")
            self.counts[step] += b'"valid":true' in response.body
        return response


class ListsAtRandom(Strange):
    """A list is in any order."""

    unsure: ClassVar = {"list_order": ()}

    def bend(self, request: Request, act: Callable[[], Response]) -> Response:
        """The response to a call."""
        response = act()
        if request.operation != "list_user_auth_factors":
            return response
        return edited(response, lambda body: self.chance.shuffle(body.get("data", [])))


class ListsWithoutCursors(Strange):
    """A list names no cursor."""

    unsure: ClassVar = {"list_order": ()}

    def bend(self, request: Request, act: Callable[[], Response]) -> Response:
        """The response to a call."""
        response = act()
        if request.operation != "list_user_auth_factors":
            return response
        return edited(response, lambda body: body.update(list_metadata={"before": None, "after": None}))


class RepeatsAChallenge(Strange):
    """A second challenge of a factor is the first one."""

    unsure: ClassVar = dict.fromkeys(
        (
            *("new_challenge_cancels_older", "wrong_codes_counted_per", "reused_totp_code", "older_totp_code"),
            *("totp_window_back", "totp_window_ahead", "enrolled_factors_listed"),
            *("list_order", "totp_challenges_expire", "sms_rate_limit"),
        ),
        (),
    )

    def __init__(self, emulator: Emulator) -> None:
        super().__init__(emulator)
        self.first: dict[str, Response] = {}

    def bend(self, request: Request, act: Callable[[], Response]) -> Response:
        """The response to a call."""
        if request.operation != "challenge_factor":
            return act()
        return self.first.setdefault(request.path, act())


class ShowsFactorsLate(Strange):
    """A factor can be got a second after it was made."""

    def bend(self, request: Request, act: Callable[[], Response]) -> Response:
        """The response to a call."""
        response = act()
        if request.operation == "get_factor" and response.status == 200:
            self.counts[request.path] += 1
            if self.counts[request.path] < 3:
                return reply(404, code="entity_not_found", message="no", entity_id=request.path.rpartition("/")[2])
        return response


class VerifiesDeletedFactors(Strange):
    """A challenge is verified though its factor is deleted."""

    unsure: ClassVar = {"deleted_factor_reply": ()}

    def bend(self, request: Request, act: Callable[[], Response]) -> Response:
        """The response to a call."""
        response = act()
        if b"Challenge not found" in response.body:
            challenge = self.challenge_in(request)
            return reply(201, challenge=challenge, valid=True)
        return response

    def challenge_in(self, request: Request) -> Json:
        """A challenge that looks like the one in a path."""
        name = request.path.split("/")[3]
        at = "2026-08-01T12:00:00.000Z"
        return {
            "object": "authentication_challenge",
            "id": name,
            "created_at": at,
            "updated_at": at,
            "authentication_factor_id": self.factors[name],
        }


class EndsEarly(Strange):
    """A challenge of a TOTP factor says that it ends after five minutes."""

    unsure: ClassVar = {"totp_expires_at_sent": ()}

    def bend(self, request: Request, act: Callable[[], Response]) -> Response:
        """The response to a call."""
        response = act()
        if request.operation != "challenge_factor":
            return response
        return edited(response, lambda body: body.update(expires_at=body.get("created_at")))


class ListsMistakesOtherwise(Strange):
    """A validation error is a list of sentences."""

    unsure: ClassVar = dict.fromkeys(("validation_errors", "user_validation_errors", "number_as_code"), ())

    def bend(self, _: Request, act: Callable[[], Response]) -> Response:
        """The response to a call."""
        response = act()
        if b"Validation failed" in response.body:
            return reply(400, message=["type must be a valid enum value"], error="Bad Request", code="bad_request")
        return response


class KeepsOneOldRoute(Strange):
    """Of the two routes of 2022 one is gone."""

    unsure: ClassVar = {"routes_of_2022": ()}

    def bend(self, request: Request, act: Callable[[], Response]) -> Response:
        """The response to a call."""
        return reply(404, message="Cannot POST it") if request.path == "/auth/factors/verify" else act()


class RefusesTheKeyTwice(Strange):
    """A second call with an Idempotency-Key is a conflict."""

    unsure: ClassVar = {"idempotency_key": ()}

    def bend(self, request: Request, act: Callable[[], Response]) -> Response:
        """The response to a call."""
        key = request.headers.get("Idempotency-Key")
        self.counts[key or ""] += 1
        return reply(409, code="key_in_use", message="no") if key and self.counts[key] > 1 else act()


class KnowsNoUser(Strange):
    """An unknown user is a validation error."""

    unsure: ClassVar = {"users": ()}

    def bend(self, request: Request, act: Callable[[], Response]) -> Response:
        """The response to a call."""
        user_id = (request.json or {}).get("user_id")
        if user_id is not None and "CALIBRATION" not in str(user_id):
            return reply(422, code="user_unknown", message="no")
        return act()


class IsExhausted(Strange):
    """After three hundred calls there is nothing but 429."""

    def bend(self, request: Request, act: Callable[[], Response]) -> Response:
        """The response to a call."""
        self.counts["calls"] += 1
        if self.counts["calls"] > 300 and request.method != "DELETE":
            return reply(429, code="rate_limit_exceeded", message="Too many requests.")
        return act()


STRANGE = sorted(Strange.__subclasses__(), key=lambda kind: kind.__name__)
