"""Questions about requests that no client sends by itself: numbers, unknown properties, mistakes, keys, old routes."""

from __future__ import annotations

import secrets
from urllib.parse import quote

from workos_mfa._calibration.account import Account, OddError, told
from workos_mfa._calibration.question import Answer, Found, Question
from workos_mfa._calibration.wire import Reply, VoidError, named_in

_EXTRA = {"calibration_unknown": "calibration"}
_ULID = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

# For fiction in their countries, so that they are nobody's. libphonenumber calls the British ones invalid: if they
# alone are refused, that says nothing about other countries.
_US = "+12025550123"
_ABROAD = ("+447700900123", "+61491570156", "+46701740605")
_NATIONAL = ("2025550123", "12025550123")
_PUNCTUATED = ("(202) 555-0123", "+1 202-555.0123")


def _number_as_code(account: Account, _: Found) -> Answer:
    challenge = account.challenge(account.enroll("generic_otp"))
    code = account.code_of(challenge)
    if code.startswith("0"):
        raise VoidError("a number has no leading zeros")
    outcome = account.verify_raw(challenge, {"code": int(code)})
    if outcome == "invalid request" and account.verify(challenge, code) == "valid":
        return Answer("a number is refused", (("number_as_code", "refused"),))
    if outcome != "valid":
        raise OddError(f"the right code as a number is {outcome}")
    return Answer("a number is read", (("number_as_code", "read"),))


def _unknown_properties(account: Account, _: Found) -> Answer:
    challenge = account.challenge(account.enroll("generic_otp"))
    outcomes = {_accepted(account.enroll_raw({"type": "generic_otp", **_EXTRA})[1])}
    route = "/auth/factors/{id}/challenge"
    path = route.replace("{id}", quote(challenge.authentication_factor_id, safe=""))
    outcome = account.verify_raw(challenge, {"code": account.code_of(challenge), **_EXTRA})
    outcomes.add({"valid": "ignored", "invalid request": "refused"}.get(outcome, outcome))
    outcomes.add(_accepted(account.raw("challenge_factor", path, route, dict(_EXTRA))))
    if len(outcomes) > 1 or not outcomes <= {"ignored", "refused"}:
        raise OddError(f"an unknown property is {' or '.join(sorted(outcomes))}")
    [meaning] = outcomes
    return Answer(f"an unknown property is {meaning}", (("unknown_properties", meaning),))


def _accepted(reply: Reply) -> str:
    if reply.status < 400:
        return "ignored"
    return "refused" if reply.is_invalid_request else told(reply)


def _validation(account: Account, _: Found) -> Answer:
    replies = [account.enroll_raw({"type": kind})[1] for kind in ("calibration", "totp")]
    return _shape(replies, "validation_errors")


def _user_validation(account: Account, _: Found) -> Answer:
    user_id = account.user_id or unknown_user()
    reply = account.create_raw(user_id, {"type": "calibration"})[1]
    if reply.is_unknown(user_id):
        raise OddError("an unknown user is refused first (with --user it can be asked)")
    return _shape([reply], "user_validation_errors")


def _shape(replies: list[Reply], setting: str) -> Answer:
    shapes = {_shape_of(reply) for reply in replies}
    if len(shapes) > 1 or not shapes <= {"by_field", "by_code", "bad_request"}:
        raise OddError(f"a validation error is {' or '.join(sorted(shapes))}")
    [shape] = shapes
    return Answer(f"a validation error is {shape}", ((setting, shape),))


def _shape_of(reply: Reply) -> str:
    names = {name for problem in reply.problems for name in named_in(problem)}
    if reply.status == 422 and {"field", "code"} <= names:
        return "by_field"
    if reply.status in {400, 422} and {"code", "message"} <= names and "field" not in names:
        return "by_code" if reply.status == 422 else "bad_request"
    return f"{told(reply)} with {' and '.join(sorted(names)) or 'no list'}"


def _idempotency_key(account: Account, _: Found) -> Answer:
    headers = {"Idempotency-Key": f"calibration-{secrets.token_hex(8)}"}
    first, second = (account.enroll_raw({"type": "generic_otp"}, headers) for _ in range(2))
    for factor_id, reply in (first, second):
        if not factor_id:
            raise OddError(f"an enrolment with an Idempotency-Key gets {told(reply)}")
    meaning = "honoured" if first[0] == second[0] else "ignored"
    return Answer(f"the key is {meaning}", (("idempotency_key", meaning),))


def _unknown_user(account: Account, _: Found) -> Answer:
    user_id = unknown_user()
    factor_id, reply = account.enroll_raw({"type": "generic_otp", "user_id": user_id})
    if factor_id:
        return Answer("an unknown user is accepted", (("users", "any"),))
    if reply.is_unknown(user_id):
        return Answer("an unknown user is a 404", (("users", "seeded"),))
    raise OddError(f"an unknown user gets {told(reply)}")


def unknown_user() -> str:
    """The id of no user."""
    return "user_01" + "".join(secrets.choice(_ULID) for _ in range(24))


def _routes(account: Account, _: Found) -> Answer:
    subject = account.enroll("generic_otp")
    challenge = account.challenge(subject)
    # In this order, since a new challenge may cancel the one that is verified.
    bodies = {
        "/auth/factors/verify": {"authentication_challenge_id": challenge.id, "code": account.code_of(challenge)},
        "/auth/factors/challenge": {"authentication_factor_id": subject.id},
    }
    replies = [account.raw("route_of_2022", route, route, body) for route, body in bodies.items()]
    if all(reply.status == 201 for reply in replies):
        return Answer("they are served", (("routes_of_2022", "served"),))
    if all(reply.status in {404, 405} and not reply.text("entity_id") for reply in replies):
        return Answer("they are gone", (("routes_of_2022", "gone"),))
    raise OddError(f"they get {' and '.join(map(told, replies))}")


def _numbers(account: Account, _: Found) -> Answer:
    def accepts(number: str) -> bool:
        factor_id, reply = account.enroll_raw({"type": "sms", "phone_number": number})
        if not factor_id and reply.code != "invalid_phone_number" and not reply.is_invalid_request:
            raise OddError(f"a phone number gets {told(reply)}")
        sms = (reply.body or {}).get("sms")
        if factor_id and number not in _ABROAD and sms != {"phone_number": _US}:
            raise OddError("a number of the USA is not shown in the form +1...")
        return bool(factor_id)

    if not all(map(accepts, (_US, *_NATIONAL))):
        raise OddError("a number of the USA is refused, so that nothing can be said of others")
    punctuated = {accepts(number) for number in _PUNCTUATED}
    if len(punctuated) > 1:
        raise OddError("some punctuation in a number is dropped, and other is refused")
    abroad = {accepts(number) for number in _ABROAD}
    punctuation = "dropped" if True in punctuated else "refused"
    others = "accepted" if True in abroad else "refused"
    return Answer(
        f"numbers of other countries are {others}, punctuation is {punctuation}",
        (("non_us_numbers", others), ("phone_punctuation", punctuation)),
    )


QUESTIONS = [
    Question(
        name="number as code",
        title="May a code be a JSON number?",
        settings=("number_as_code",),
        calls=10,
        sample=_number_as_code,
    ),
    Question(
        name="unknown property",
        title="What happens to a property that a call does not have?",
        settings=("unknown_properties",),
        calls=12,
        sample=_unknown_properties,
    ),
    Question(
        name="validation errors",
        title="What does a validation error of /auth look like?",
        settings=("validation_errors",),
        calls=4,
        sample=_validation,
    ),
    Question(
        name="validation errors of users",
        title="What does a validation error of /user_management look like?",
        settings=("user_validation_errors",),
        calls=2,
        sample=_user_validation,
    ),
    Question(
        name="phone numbers",
        title="Which forms of a phone number are accepted, and which countries?",
        settings=("non_us_numbers", "phone_punctuation"),
        calls=16,
        sample=_numbers,
    ),
    Question(
        name="idempotency key",
        title="Is an Idempotency-Key honoured?",
        settings=("idempotency_key",),
        calls=4,
        sample=_idempotency_key,
    ),
    Question(
        name="unknown user",
        title="Can a factor be enrolled for a user that does not exist?",
        settings=("users",),
        calls=2,
        sample=_unknown_user,
    ),
    Question(
        name="routes of 2022",
        title="Are the paths of 2022 still there?",
        settings=("routes_of_2022",),
        calls=10,
        sample=_routes,
    ),
]
