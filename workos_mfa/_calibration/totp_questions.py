"""Questions about TOTP: the window, used codes, the end of a challenge, the URI."""

from __future__ import annotations

from workos_mfa._calibration.account import Account, OddError, Subject
from workos_mfa._calibration.question import Answer, Found, Question
from workos_mfa._calibration.wire import VoidError

WIDEST_WINDOW = 10
"""How many steps before and after the present one are tried."""

_LIFETIME = 600
_SLACK = 5


def _fresh(account: Account) -> Subject:
    """A TOTP factor; its codes are checked to be different ones."""
    return account.enroll("totp")


def _accepts(account: Account, step: int, distance: int) -> bool:
    subject = _fresh(account)
    codes = {subject.code(step + near) for near in range(-WIDEST_WINDOW - 2, WIDEST_WINDOW + 3)}
    if len(codes) < 2 * WIDEST_WINDOW + 5:
        raise VoidError("two steps have the same code")
    outcome = account.verify(account.challenge(subject), subject.code(step + distance))
    if outcome not in {"valid", "invalid"}:
        raise OddError(f"the code of {_place(distance)} is {outcome}")
    return outcome == "valid"


def _place(distance: int) -> str:
    return "the present step" if not distance else f"{abs(distance)} steps {'before' if distance < 0 else 'after'} it"


def _width(account: Account, step: int, sign: int) -> int:
    """How many steps are accepted on one side; the one beyond the first that is refused is tried too."""
    for width in range(WIDEST_WINDOW + 1):
        if not _accepts(account, step, sign * (width + 1)):
            if width < WIDEST_WINDOW and _accepts(account, step, sign * (width + 2)):
                raise OddError(f"the code of {_place(sign * (width + 2))} is valid, and a nearer one is not")
            return width
    return WIDEST_WINDOW + 1


def _window(account: Account, sign: int, setting: str) -> Answer:
    def look(step: int) -> int:
        if not _accepts(account, step, 0):
            raise OddError("the code of the present step is invalid")
        return _width(account, step, sign)

    width = account.within_step(16, look)
    side = "before" if sign < 0 else "after"
    if width > WIDEST_WINDOW:
        return Answer(
            f"more than {WIDEST_WINDOW} steps {side} are accepted", ((setting, WIDEST_WINDOW + 1),), is_bound=True
        )
    return Answer(f"{width} steps {side} are accepted", ((setting, width),))


def _reused(account: Account, _: Found) -> Answer:
    subject = _fresh(account)

    def look(step: int) -> str:
        first = account.verify(account.challenge(subject), subject.code(step))
        if first != "valid":
            raise OddError(f"the code of the present step is {first}")
        return account.verify(account.challenge(subject), subject.code(step))

    outcome = account.within_step(4, look)
    meaning = {"invalid": "invalid", "used": "refused", "valid": "accepted"}.get(outcome)
    if meaning is None:
        raise OddError(f"a code that was accepted before is {outcome}")
    return Answer(f"a used code is {meaning}", (("reused_totp_code", meaning),))


def _older(account: Account, found: Found) -> Answer:
    subject = _fresh(account)
    newer = 1 if found["totp_window_ahead"] else 0

    def look(step: int) -> str:
        first = account.verify(account.challenge(subject), subject.code(step + newer))
        if first != "valid":
            raise OddError(f"the code of {_place(newer)} is {first}")
        return account.verify(account.challenge(subject), subject.code(step + newer - 1))

    outcome = account.within_step(4, look)
    as_reused = {"invalid": "invalid", "refused": "used"}.get(str(found["reused_totp_code"]))
    if outcome not in {"valid", as_reused}:
        raise OddError(f"the code of an older step than one that was accepted is {outcome}")
    meaning = "accepted" if outcome == "valid" else "as_reused"
    return Answer(f"an older code is {meaning}", (("older_totp_code", meaning),))


def _without_older(found: Found) -> str:
    back, ahead, reused = map(found.get, ("totp_window_back", "totp_window_ahead", "reused_totp_code"))
    if back is None or ahead is None or reused is None:
        return "it is not known which codes are accepted"
    if reused == "accepted":
        return "used codes are accepted, so that this can't be seen"
    return "" if back or ahead else "codes of other steps are not accepted, so that this can't be seen"


def _shown(account: Account, _: Found) -> Answer:
    subject = _fresh(account)
    challenge = account.challenge(subject)
    sent = challenge.expires_at is not None
    if challenge.expires_at is not None:
        lasts = (challenge.expires_at - challenge.created_at).total_seconds()
        if abs(lasts - _LIFETIME) > _SLACK:
            raise OddError(f"expires_at is {lasts:.0f} seconds after created_at")
    return Answer(f"expires_at is {'there' if sent else 'not there'}", (("totp_expires_at_sent", sent),))


def _uri(account: Account, _: Found) -> Answer:
    uri = _fresh(account).uri
    parts = [part for part in ("algorithm=SHA1", "digits=6", "period=30") if part in uri]
    form = {0: "short", 3: "full"}.get(len(parts))
    if form is None:
        raise OddError(f"the URI has of algorithm, digits and period only {' and '.join(parts)}")
    return Answer(f"the URI is {form}", (("totp_uri", form),))


QUESTIONS = [
    Question(
        name="window back",
        title="How many steps of 30 seconds may a TOTP code be old?",
        settings=("totp_window_back",),
        calls=32,
        sample=lambda account, _: _window(account, -1, "totp_window_back"),
    ),
    Question(
        name="window ahead",
        title="How many steps of 30 seconds may a TOTP code be early?",
        settings=("totp_window_ahead",),
        calls=32,
        sample=lambda account, _: _window(account, 1, "totp_window_ahead"),
    ),
    Question(
        name="used code",
        title="What is the response to a TOTP code that was accepted before?",
        settings=("reused_totp_code",),
        calls=16,
        sample=_reused,
    ),
    Question(
        name="older code",
        title="Is the code of an older step accepted after that of a newer one?",
        settings=("older_totp_code",),
        calls=16,
        sample=_older,
        hidden=_without_older,
    ),
    Question(
        name="expires_at",
        title="Does a challenge of a TOTP factor say when it ends?",
        settings=("totp_expires_at_sent",),
        calls=6,
        sample=_shown,
    ),
    Question(name="uri", title="How is the otpauth URI written?", settings=("totp_uri",), calls=4, sample=_uri),
]
