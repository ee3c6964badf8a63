"""Questions about a user's factors. The user has none before, and none afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast
from urllib.parse import quote

from workos_mfa import Challenge
from workos_mfa._calibration.account import OF_USER, Account, OddError, RefusedError, Subject, told
from workos_mfa._calibration.question import Answer, Found, Question
from workos_mfa._calibration.wire import VoidError

MOST_FACTORS = 20
"""How many factors are made before a user is said to have no limit."""

_IN_A_LIST = 4
_POLLS = 6
_ROUTE = "/user_management/users/{id}/auth_factors"


def listed(account: Account, **query: str) -> tuple[list[str], Mapping[str, object]]:
    """The ids of a user's factors, and the cursors; without ``order`` unless it is given."""
    path = _ROUTE.replace("{id}", quote(account.user_id or "", safe=""))
    reply = account.raw("list_user_auth_factors", path, _ROUTE, None, method="GET", query=query)
    data, cursors = (reply.body or {}).get("data"), (reply.body or {}).get("list_metadata")
    if not isinstance(data, list) or not isinstance(cursors, dict):
        raise OddError(f"a list gets {told(reply)}")
    items = cast("list[Mapping[str, object]]", data)
    for item in items:
        totp = item.get("totp")
        if isinstance(totp, dict):
            account.journal.found(str(cast("Mapping[str, object]", totp).get("user")), str(item.get("id")))
    return [str(item.get("id")) for item in items], cast("Mapping[str, object]", cursors)


def clear(account: Account, found: Found, *, all_of_it: bool = False) -> None:
    """Delete what an earlier sample may have left to the user, also where its response was lost.

    :param all_of_it: it matters that nothing is left that is not in the list.
    """
    for _ in range(_POLLS if _lost(account) else 1):
        listed(account, limit="100", order="desc")
        if _lost(account):
            account.wire.wait(0.5)
    for factor_id, name in list(account.journal.factors.items()):
        if OF_USER in name:
            account.delete(Subject(factor_id))
    if all_of_it and _lost(account):
        if not (found.get("unverified_factors_listed") and found.get("enrolled_factors_listed")):
            raise VoidError("the user may have a factor that nobody knows of")
        # It would be in the list if it were there.
        for name in _lost(account):
            account.journal.not_found(name)


def _lost(account: Account) -> list[str]:
    return [name for name in account.journal.unknown if OF_USER in name]


def _is_listed(account: Account, subject: Subject) -> bool:
    """Whether a factor is in the list; it may appear late."""
    for _ in range(_POLLS):
        if subject.id in listed(account, limit="100", order="desc")[0]:
            return True
        account.wire.wait(0.5)
    return False


def _verify(account: Account, subject: Subject, challenge: Challenge) -> None:
    outcome = account.within_step(1, lambda step: account.verify(challenge, subject.code(step)))
    if outcome != "valid":
        raise OddError(f"the first code of a factor is {outcome}")


def _most(account: Account, found: Found) -> Answer:
    clear(account, found, all_of_it=True)
    for count in range(MOST_FACTORS + 1):
        refusal = _refusal(account)
        if refusal is None:
            continue
        clear(account, found)
        if not count:
            raise refusal
        return Answer(f"{count} factors, and then {refusal}", (("max_factors_per_user", count),))
    clear(account, found)
    return Answer(f"more than {MOST_FACTORS} factors", (("max_factors_per_user", None),), is_bound=True)


def _refusal(account: Account) -> RefusedError | None:
    """Why the user gets no further factor; None if there is one more now."""
    try:
        account.create()
    except RefusedError as error:
        return error
    return None


def _order(account: Account, found: Found) -> Answer:
    clear(account, found, all_of_it=True)
    most = found["max_factors_per_user"]
    made: list[str] = []
    for _ in range(min(_IN_A_LIST, most if isinstance(most, int) else _IN_A_LIST)):
        subject, challenge = account.create()
        _verify(account, subject, challenge)
        if not _is_listed(account, subject):
            raise OddError("a factor with a right code is not in its user's list")
        made.append(subject.id)
        account.wire.wait(1.1)
    pages = [listed(account, limit=str(len(made) - 1)) for _ in range(3)]
    if any(page != pages[0] for page in pages):
        raise OddError("a list is in another order each time")
    order, onward = _order_of(made, *pages[0])
    rest = listed(account, **{onward: pages[0][0][-1]})[0]
    if rest != [made[-1] if order == "asc" else made[0]]:
        raise OddError("the cursor does not lead to the rest of a list")
    clear(account, found)
    return Answer(f"lists are {order}", (("list_order", order),))


def _order_of(made: Sequence[str], shown: Sequence[str], cursors: Mapping[str, object]) -> tuple[str, str]:
    """The order of a first page, and the cursor that leads on."""
    newest_first = list(shown) == list(made[:0:-1])
    oldest_first = list(shown) == list(made[:-1])
    named = [name for name in ("before", "after") if cursors.get(name) == shown[-1]]
    if newest_first and named == ["before"]:
        return "normal", "before"
    if (newest_first or oldest_first) and named == ["after"]:
        return ("desc" if newest_first else "asc"), "after"
    way = "newest first" if newest_first else "oldest first" if oldest_first else "in another order"
    raise OddError(f"a first page is {way}, and names {' and '.join(named) or 'no cursor'}")


def _without_order(found: Found) -> str:
    if "max_factors_per_user" not in found:
        return "it is not known how many factors a user may have"
    return "a user may have one factor, so that there is no order" if found["max_factors_per_user"] == 1 else ""


def _unverified(account: Account, found: Found) -> Answer:
    clear(account, found)
    subject, challenge = account.create()
    there = _is_listed(account, subject)
    if not there:
        _verify(account, subject, challenge)
        if not _is_listed(account, subject):
            raise OddError("a factor is not in its user's list, not even after a right code")
    clear(account, found)
    return Answer(f"it is {'' if there else 'not '}listed", (("unverified_factors_listed", there),))


def _enrolled(account: Account, found: Found) -> Answer:
    clear(account, found)
    subject = account.enroll("totp", account.user_id)
    _verify(account, subject, account.challenge(subject))
    there = _is_listed(account, subject)
    clear(account, found)
    return Answer(f"it is {'' if there else 'not '}listed", (("enrolled_factors_listed", there),))


def _team_name(account: Account, found: Found) -> Answer:
    clear(account, found)
    subject, _challenge = account.create(issuer=None)
    clear(account, found)
    if not subject.issuer:
        raise OddError("a factor without totp_issuer has no issuer")
    return Answer("there is a default", (("team_name", subject.issuer),))


QUESTIONS = [
    Question(
        name="unverified factors",
        title="Is a factor in its user's list before its first right code?",
        settings=("unverified_factors_listed",),
        calls=20,
        sample=_unverified,
        needs="user",
    ),
    Question(
        name="enrolled factors",
        title="Is a factor of /auth/factors/enroll in its user's list?",
        settings=("enrolled_factors_listed",),
        calls=24,
        sample=_enrolled,
        needs="user",
    ),
    Question(
        name="team name",
        title="Which issuer has a user's factor if none is given?",
        settings=("team_name",),
        calls=12,
        sample=_team_name,
        needs="user",
    ),
    Question(
        name="most factors",
        title="How many factors may a user have?",
        settings=("max_factors_per_user",),
        calls=70,
        sample=_most,
        needs="user",
    ),
    Question(
        name="list order",
        title="In which order are a user's factors listed, and which cursor leads on?",
        settings=("list_order",),
        calls=80,
        sample=_order,
        needs="user",
        hidden=_without_order,
    ),
]
