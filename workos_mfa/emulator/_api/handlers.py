"""The handlers of the API's calls: validate the request, change the state, return the result."""

from __future__ import annotations

import attrs

from workos_mfa.emulator._api import serialization
from workos_mfa.emulator._api.body_fields import body_fields, read_create, read_enroll, read_template
from workos_mfa.emulator._api.pagination import page_of, read_query
from workos_mfa.emulator._api.router import Arguments, Result, Route
from workos_mfa.emulator._domain import error_responses
from workos_mfa.emulator._domain.lifecycle import Lifecycle, is_malformed
from workos_mfa.emulator._settings import Settings

_CREATED = 201
_CHALLENGE_2022 = "/auth/factors/challenge"
_VERIFY_2022 = "/auth/factors/verify"


class Handlers:
    """One method for each call. All raise :class:`ErrorResponse` where the API responds with an error."""

    def __init__(self, lifecycle: Lifecycle, settings: Settings) -> None:
        self._lifecycle = lifecycle
        self._settings = settings
        self._for_users = attrs.evolve(settings, validation_errors=settings.user_validation_errors)

    def routes(self) -> list[Route]:
        factor, user = "/auth/factors/{id}", "/user_management/users/{id}/auth_factors"
        return [
            Route("POST", "/auth/factors/enroll", self.enroll_factor, "enroll_factor"),
            Route("GET", factor, self.get_factor, "get_factor"),
            Route("DELETE", factor, self.delete_factor, "delete_factor"),
            Route("POST", f"{factor}/challenge", self.challenge_factor, "challenge_factor"),
            Route("POST", "/auth/challenges/{id}/verify", self.verify_challenge, "verify_challenge"),
            Route("POST", user, self.create_user_auth_factor, "create_user_auth_factor"),
            Route("GET", user, self.list_user_auth_factors, "list_user_auth_factors", has_query=True),
            # The paths of 2022 have no id; it is in the body.
            Route("POST", _CHALLENGE_2022, self.challenge_factor_2022, "challenge_factor"),
            Route("POST", _VERIFY_2022, self.verify_challenge_2022, "verify_challenge"),
        ]

    def enroll_factor(self, arguments: Arguments) -> Result:
        new = read_enroll(arguments.body, self._settings, self._lifecycle.new_secret)
        record = self._lifecycle.enroll(new)
        return Result(_CREATED, serialization.factor(record, new))

    def get_factor(self, arguments: Arguments) -> Result:
        return Result(200, serialization.factor(self._lifecycle.factor(arguments.id)))

    def delete_factor(self, arguments: Arguments) -> Result:
        self._lifecycle.delete(arguments.id)
        return Result(204)

    def challenge_factor(self, arguments: Arguments) -> Result:
        return self._challenge(arguments.id, arguments.body, ("sms_template",))

    def verify_challenge(self, arguments: Arguments) -> Result:
        return self._verify(arguments.id, arguments.body, ("code",))

    def create_user_auth_factor(self, arguments: Arguments) -> Result:
        email = self._lifecycle.check_user(arguments.id)
        new = read_create(arguments.body, arguments.id, email, self._for_users, self._lifecycle.new_secret)
        record = self._lifecycle.enroll(new)
        challenge = self._lifecycle.challenge(record.id)
        body = {
            "authentication_factor": serialization.factor_of_user(record, new),
            "authentication_challenge": serialization.challenge(challenge, self._settings),
        }
        return Result(_CREATED, body)

    def list_user_auth_factors(self, arguments: Arguments) -> Result:
        factors = self._lifecycle.factors_of_user(arguments.id)
        items, before, after = page_of(factors, read_query(arguments.query, self._for_users))
        return Result(200, serialization.factor_list(items, before, after))

    def challenge_factor_2022(self, arguments: Arguments) -> Result:
        self._check_2022(_CHALLENGE_2022)
        name = "authentication_factor_id"
        known = (name, "sms_template")
        return self._challenge(self._id_in_body(arguments, name, known), arguments.body, known)

    def verify_challenge_2022(self, arguments: Arguments) -> Result:
        self._check_2022(_VERIFY_2022)
        name = "authentication_challenge_id"
        known = (name, "code")
        return self._verify(self._id_in_body(arguments, name, known), arguments.body, known)

    def _challenge(self, factor_id: str, body: bytes, known: tuple[str, ...]) -> Result:
        factor = self._lifecycle.factor(factor_id)
        fields = body_fields(body, known, self._settings)
        template = read_template(fields, self._settings, is_sms=factor.type == "sms")
        fields.check()
        challenge = self._lifecycle.challenge(factor_id, template)
        return Result(_CREATED, serialization.challenge(challenge, self._settings))

    def _verify(self, challenge_id: str, body: bytes, known: tuple[str, ...]) -> Result:
        # An unknown challenge is reported before a bad body; the lifecycle looks again when it acts.
        self._lifecycle.open_challenge(challenge_id)
        fields = body_fields(body, known, self._settings)
        code = fields.code("code")
        if code and is_malformed(code) and self._settings.malformed_code == "refused":
            fields.problem("code", "code must be a string of six digits")
            self._lifecycle.count_malformed(challenge_id)
        fields.check()
        challenge, valid = self._lifecycle.verify(challenge_id, code)
        return Result(_CREATED, {"challenge": serialization.challenge(challenge, self._settings), "valid": valid})

    def _check_2022(self, path: str) -> None:
        if self._settings.routes_of_2022 == "gone":
            raise error_responses.no_longer_there(path)

    def _id_in_body(self, arguments: Arguments, name: str, known: tuple[str, ...]) -> str:
        fields = body_fields(arguments.body, known, self._settings)
        found = fields.required(name)
        fields.check()
        return found
