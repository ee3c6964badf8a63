"""What each browser has proved, and what it may therefore see: the model that the state machine holds the app against.

It judges by what browsers get: a page, a redirect, recovery codes. It never asks a document who may see what.
"""

from __future__ import annotations

import re
from typing import Any

import attrs

from tests.flask.model_site import PREFIX, Save, Site
from workos_mfa.flask._texts import DEFAULT_TEXTS

_LIFETIME = 600
_SESSION_LIFETIME = 12 * 3600
_PAGE = re.compile(r"the (member|private|payouts) page of (\w+)")
_PURPOSES = {purpose: DEFAULT_TEXTS[f"for_{purpose}"] for purpose in ("add", "remove", "recovery_codes")}


@attrs.frozen
class Code:
    """A code, and the factor that it is of."""

    factor_id: str
    text: str


@attrs.define(eq=False)
class Session:
    """A browser's sign-in, shared by all copies of its cookie until its token changes.

    :param password_at: when the password was given.
    :param proved: when the last code was given; None if none was.
    :param permit: the change of factors that a code was given for, or ``replace``.
    :param until: when the permit ends.
    :param target: the factor that is to be replaced.
    :param lasting: the same under each of its tokens: a sign-out with any of them ends it.
    """

    account: str
    since: float
    password_at: float
    proved: float | None = None
    permit: str | None = None
    until: float = 0
    target: str | None = None
    alive: bool = True
    lasting: object = attrs.field(factory=object)


@attrs.frozen
class Half:
    """A password that was given, and by which the browser waits for a code."""

    account: str
    at: float
    password: str


@attrs.frozen
class Standing:
    """What a cookie is worth; copies of the cookie have copies of it.

    :param half: the password that was given last.
    :param session: the sign-in.
    :param target: the factor whose removal was asked for.
    """

    half: Half | None = None
    session: Session | None = None
    target: str | None = None


@attrs.frozen
class Sent:
    """A request: where it went, with what fields, and which code was typed."""

    path: str
    fields: dict[str, str]
    code: Code | None = None


@attrs.frozen
class Came:
    """The response to one request, before redirects are followed, and what was saved in the course of it.

    :param location: where it leads, or an empty text.
    :param has_cookie: whether it has a new cookie.
    """

    status: int
    location: str
    text: str
    has_cookie: bool
    saves: list[Save]

    @property
    def went_on(self) -> bool:
        """Whether it leads to another page."""
        return 300 <= self.status < 400


class Model:
    """What the browsers have proved.

    :ivar violations: what must not have happened, and has.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._sessions: list[Session] = []
        self._asked: dict[str, tuple[str, str | None]] = {}
        self._used: dict[Code | None, float] = {}
        self._recovery: dict[str, set[str]] = {"ada": set(), "eve": set()}
        self._support: dict[str, tuple[str, float]] = {}
        self.violations: list[str] = []

    def live(self, standing: Standing) -> Session | None:
        """The sign-in that a cookie is worth, if it has not ended."""
        session = standing.session
        if session is None or not session.alive or self._site.now - session.since >= _SESSION_LIFETIME:
            return None
        return session

    def support_issued(self, account: str, code: str) -> None:
        """The support has made a code."""
        self._support[account] = code, self._site.now + 24 * 3600

    def password_changed(self, account: str) -> None:
        """All sessions have ended."""
        self._end_sessions(account)

    def after(self, standing: Standing, sent: Sent, came: Came) -> Standing:
        """What a cookie is worth after a response."""
        handle = {
            "/login": self._login,
            "/logout": self._logout,
            "/password": self._password,
            f"{PREFIX}/code": self._code,
            f"{PREFIX}/recovery": self._recover,
            f"{PREFIX}/remove": self._remove,
            f"{PREFIX}/replace": self._replace,
            f"{PREFIX}/recovery-codes": self._codes,
        }.get(sent.path)
        # Our own pages may have saved something and failed then.
        has_acted = came.went_on or (came.saves and sent.path.startswith(PREFIX))
        if handle is not None and sent.fields and has_acted:
            standing = handle(standing, sent, came)
        self._look(standing, sent.path, came.text)
        return standing

    # What a browser sees

    def _look(self, standing: Standing, path: str, text: str) -> None:
        session = self.live(standing)
        for kind, account in _PAGE.findall(text):
            self._check_page(session, kind, account)
        shown = frozenset(re.findall(r'name="factor" value="([^"]+)"', text)) if path == f"{PREFIX}/" else frozenset()
        for account in ("ada", "eve"):
            if shown & self._site.store.factors(account):
                self._check_page(session, "factors", account)
        for step, purpose in _asked_on(text):
            self._asked.setdefault(step, (purpose, standing.target))

    def _check_page(self, session: Session | None, kind: str, account: str) -> None:
        if session is None or session.account != account:
            self._violated(f"a browser that is not signed in has seen the {kind} page of {account}")
        elif session.proved is None and (kind != "member" or self._site.store.factors(account)):
            self._violated(f"a browser that has proved no factor has seen the {kind} page of {account}")
        elif kind == "payouts" and self._site.now - (session.proved or 0) >= 300:
            self._violated(f"a browser has seen the payouts page of {account} too long after its code")

    def _violated(self, what: str) -> None:
        self.violations.append(what)

    # What its requests have done

    def _login(self, standing: Standing, sent: Sent, came: Came) -> Standing:
        account, now = sent.fields["account"], self._site.now
        if came.location.startswith(PREFIX):
            return attrs.evolve(standing, half=Half(account, now, self._site.passwords[account]))
        return self._signed_in(standing, Session(account, now, now))

    def _logout(self, standing: Standing, sent: Sent, came: Came) -> Standing:  # noqa: ARG002
        self._signed_in(standing, None)
        return Standing()

    def _password(self, standing: Standing, sent: Sent, came: Came) -> Standing:  # noqa: ARG002
        session = self.live(standing)
        if session is None or not came.saves:
            return standing
        self.password_changed(session.account)
        permit = "replace" if session.permit == "replace" else None
        return self._renewed(standing, session, password_at=self._site.now, permit=permit)

    def _remove(self, standing: Standing, sent: Sent, came: Came) -> Standing:  # noqa: ARG002
        return attrs.evolve(standing, target=sent.fields.get("factor"))

    def _replace(self, standing: Standing, sent: Sent, came: Came) -> Standing:  # noqa: ARG002
        session, target = self.live(standing), sent.fields.get("factor")
        may = session is not None and self._may(session, "replace")
        return self._renewed(standing, session, target=target) if session is not None and may else standing

    def _codes(self, standing: Standing, sent: Sent, came: Came) -> Standing:  # noqa: ARG002
        if not came.saves:
            return standing
        session, account = self.live(standing), came.saves[0].account
        self._recovery[account] = set(re.findall("<code>([^<]+)</code>", came.text))
        if session is None or not self._may(session, "recovery_codes"):
            self._violated(f"a browser has got recovery codes of {account} without a code for them")
            return standing
        return self._renewed(standing, session, permit=None)

    def _recover(self, standing: Standing, sent: Sent, came: Came) -> Standing:
        account = came.saves[0].account if came.saves else ""
        if not self._use_recovery_code(account, sent.fields["code"]):
            return attrs.evolve(standing, session=None)
        purpose = self._asked.get(sent.fields["step"], ("", None))[0]
        permit = {"proved": self._site.now, "permit": "replace", "until": self._site.now + _SESSION_LIFETIME}
        return self._proved(standing, came, account, purpose, permit)

    def _code(self, standing: Standing, sent: Sent, came: Came) -> Standing:
        save = came.saves[0] if came.saves else Save("", frozenset(), frozenset())
        purpose, target = self._asked.get(sent.fields["step"], ("", None))
        added, removed = save.after - save.before, save.before - save.after
        right = self._use(sent.code, save.before | added)
        if added or removed:
            return self._changed(standing, save, right, target if right and purpose == "remove" else None)
        if not right:
            return attrs.evolve(standing, session=None)
        permit: dict[str, Any] = {"proved": self._site.now}
        if purpose in {"add", "recovery_codes"}:
            permit |= {"permit": purpose, "until": self._site.now + _LIFETIME}
        return self._proved(standing, came, save.account, purpose, permit)

    def _proved(self, standing: Standing, came: Came, account: str, purpose: str, permit: dict[str, Any]) -> Standing:
        """A right code was given: for a sign-in it needs a password, for anything else a session."""
        session, half = self.live(standing), self._half(standing, account)
        if purpose == "sign_in" and not came.went_on:
            return standing  # the session before could not be ended, so it goes on
        if purpose == "sign_in":
            begun = Session(account, self._site.now, half.at, **permit) if half is not None else None
            return self._signed_in(attrs.evolve(standing, half=None), begun)
        is_hers = session is not None and session.account == account
        return self._renewed(standing, session if is_hers else None, **permit)

    def _changed(self, standing: Standing, save: Save, right: bool, target: str | None) -> Standing:  # noqa: FBT001
        """Factors have come or gone: judge it, and give what the browser that has done it is worth now."""
        account, now = save.account, self._site.now
        added, removed = save.after - save.before, save.before - save.after
        session, half = self.live(standing), self._half(standing, account)
        session = session if session is not None and session.account == account else None
        password_at = max([each for each in (session and session.password_at, half and half.at) if each], default=None)
        is_first = not save.before and password_at is not None and now - password_at < _LIFETIME
        allowed = is_first
        if session is not None and added and not removed:
            allowed |= self._may(session, "add")
        elif session is not None and added:
            allowed |= self._may(session, "replace") and removed == {session.target}
        elif session is not None:
            allowed |= target is not None and removed == {target}
        if not allowed or not right:
            self._violated(f"a factor of {account} was {'added' if added else 'removed'} without a code for that")
        if removed and (added or not save.after):
            self._recovery[account] = set()
            self._support.pop(account, None)
        self._end_sessions(account)
        if not allowed or not right:
            return attrs.evolve(standing, session=None)
        begun = session or Session(account, now, password_at or now)
        wanted = "recovery_codes" if added and not self._recovery[account] else None
        return self._renewed(standing, begun, proved=now, permit=wanted, until=now + _LIFETIME, target=None)

    def _half(self, standing: Standing, account: str) -> Half | None:
        half = standing.half
        if half is None or half.account != account or half.password != self._site.passwords[account]:
            return None
        return half if self._site.now - half.at < _LIFETIME else None

    def _may(self, session: Session, change: str) -> bool:
        return session.permit == change and self._site.now < session.until

    def _use(self, code: Code | None, counting: frozenset[str]) -> bool:
        """Whether a code was right, and used for the first time."""
        now = self._site.now
        is_new = now - self._used.get(code, -now) >= 120
        self._used[code] = now
        return is_new and code is not None and code.factor_id in counting

    def _use_recovery_code(self, account: str, code: str) -> bool:
        support, until = self._support.get(account, ("", 0.0))
        if code == support:
            del self._support[account]
            return self._site.now < until
        codes = self._recovery.get(account, set())
        known = code in codes
        codes.discard(code)
        return known

    def _signed_in(self, standing: Standing, session: Session | None) -> Standing:
        if standing.session is not None:
            for each in self._sessions:
                each.alive &= each.lasting is not standing.session.lasting
        if session is not None:
            self._sessions.append(session)
        return attrs.evolve(standing, session=session)

    def _renewed(self, standing: Standing, session: Session | None, **changes: Any) -> Standing:
        """Another token, for a session that is there."""
        return self._signed_in(standing, attrs.evolve(session, alive=True, **changes) if session is not None else None)

    def _end_sessions(self, account: str) -> None:
        for session in [each for each in self._sessions if each.account == account]:
            session.alive = False


def _asked_on(text: str) -> list[tuple[str, str]]:
    """The step that a page asks a code for, and its purpose."""
    step = re.search(r'name="step" value="([^"]+)"', text)
    if step is None:
        return []
    for purpose, words in _PURPOSES.items():
        if words in text:
            return [(step[1], purpose)]
    return [(step[1], "confirm" if DEFAULT_TEXTS["title_confirm"] in text else "sign_in")]
