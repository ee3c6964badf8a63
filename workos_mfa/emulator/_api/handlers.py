"""The seven calls: read what is asked, let the engine act, show the result."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from workos_mfa.emulator._api import serialization
from workos_mfa.emulator._api.pagination import page_of, read_query
from workos_mfa.emulator._api.serialization import JSONObject
from workos_mfa.emulator._domain.enrolment import read_create, read_enroll
from workos_mfa.emulator._domain.fields import body_fields
from workos_mfa.emulator._domain.lifecycle import Lifecycle
from workos_mfa.emulator._domain.sms import read_template
from workos_mfa.emulator._settings import Settings

_CREATED = 201


@attrs.frozen(eq=False)
class Asked:
    """What one request brings: the id in its path, decoded, its query and its body."""

    id: str = attrs.field(repr=False)
    query: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)


@attrs.frozen(eq=False)
class Answer:
    """A status and the JSON of the body, or None for an answer without one."""

    status: int
    body: JSONObject | None = attrs.field(repr=False)


class Handlers:
    """One method for each call; all raise :class:`ErrorResponse` where the API answers with an error."""

    def __init__(self, engine: Lifecycle, settings: Settings) -> None:
        self._lifecycle = engine
        self._settings = settings

    def enroll_factor(self, asked: Asked) -> Answer:
        """Make a factor."""
        enrolment = read_enroll(asked.body, self._settings, self._lifecycle.new_secret)
        record = self._lifecycle.enroll(enrolment)
        return Answer(_CREATED, serialization.factor(record, enrolment.totp))

    def get_factor(self, asked: Asked) -> Answer:
        """Show a factor, without its secret."""
        return Answer(200, serialization.factor(self._lifecycle.factor(asked.id)))

    def delete_factor(self, asked: Asked) -> Answer:
        """Delete a factor."""
        self._lifecycle.delete(asked.id)
        return Answer(204, None)

    def challenge_factor(self, asked: Asked) -> Answer:
        """Make a challenge, and send its text message if it has one."""
        return self._challenge(asked.id, asked.body, ("sms_template",))

    def verify_challenge(self, asked: Asked) -> Answer:
        """Hold a code against a challenge."""
        return self._verify(asked.id, asked.body, ("code",))

    def create_user_auth_factor(self, asked: Asked) -> Answer:
        """Make a TOTP factor for a user, and a challenge with it."""
        email = self._lifecycle.email_of(asked.id)
        enrolment = read_create(asked.body, asked.id, email, self._settings, self._lifecycle.new_secret)
        record = self._lifecycle.enroll(enrolment)
        challenge = self._lifecycle.challenge(record.id)
        shown = {
            "authentication_factor": serialization.factor_of_user(record, enrolment.totp),
            "authentication_challenge": serialization.challenge(challenge, self._settings),
        }
        return Answer(_CREATED, shown)

    def list_user_auth_factors(self, asked: Asked) -> Answer:
        """Show a page of a user's factors."""
        factors = self._lifecycle.factors_of_user(asked.id)
        page = page_of(factors, read_query(asked.query, self._settings))
        return Answer(200, serialization.factor_list(page))

    def challenge_factor_2022(self, asked: Asked) -> Answer:
        """Make a challenge the old way, with the factor's id in the body."""
        name = "authentication_factor_id"
        known = (name, "sms_template")
        return self._challenge(self._id_in_body(asked, name, known), asked.body, known)

    def verify_challenge_2022(self, asked: Asked) -> Answer:
        """Hold a code against a challenge the old way, with the challenge's id in the body."""
        name = "authentication_challenge_id"
        known = (name, "code")
        return self._verify(self._id_in_body(asked, name, known), asked.body, known)

    def _challenge(self, factor_id: str, body: bytes, known: tuple[str, ...]) -> Answer:
        factor = self._lifecycle.factor(factor_id)
        fields = body_fields(body, known, self._settings)
        template = read_template(fields, self._settings, is_sms=factor.type == "sms")
        fields.refuse_if_wrong()
        challenge = self._lifecycle.challenge(factor_id, template)
        return Answer(_CREATED, serialization.challenge(challenge, self._settings))

    def _verify(self, challenge_id: str, body: bytes, known: tuple[str, ...]) -> Answer:
        # An unknown challenge is told before a bad body; the engine looks again when it acts.
        self._lifecycle.open_challenge(challenge_id)
        fields = body_fields(body, known, self._settings)
        code = fields.code("code")
        fields.refuse_if_wrong()
        challenge, valid = self._lifecycle.verify(challenge_id, code)
        shown = {"challenge": serialization.challenge(challenge, self._settings), "valid": valid}
        return Answer(_CREATED, shown)

    def _id_in_body(self, asked: Asked, name: str, known: tuple[str, ...]) -> str:
        fields = body_fields(asked.body, known, self._settings)
        found = fields.required(name)
        fields.refuse_if_wrong()
        return found
