"""The people of the state machine and their browsers: ada, whose account it is, and eve, who wants to get into it."""

from __future__ import annotations

import html
import re
from urllib.parse import urlsplit

import attrs

from tests.flask.model import Came, Code, Model, Sent, Standing
from tests.flask.model_site import PREFIX, Site
from workos_mfa._core.one_time_codes import STEP_SECONDS, code_for, key_of
from workos_mfa.flask import SecondFactor
from workos_mfa.flask._texts import DEFAULT_TEXTS

_FORM = re.compile(r'<form method="post" action="([^"]+)">(.*?)</form>', re.DOTALL)
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
_KEPT = 30


@attrs.frozen
class Form:
    """A form of a page, with what is hidden in it."""

    path: str
    fields: dict[str, str]


class Person:
    """Somebody with a phone, and with what she knows.

    :ivar account: her own account.
    :ivar number: her phone number.
    :ivar passwords: the passwords that she knows.
    :ivar secrets: those in her authenticator app, by factor.
    :ivar recovery_codes: those on her sheet of paper.
    :ivar others: codes that are not from her own phone.
    """

    def __init__(self, site: Site, account: str, number: str) -> None:
        self._site = site
        self.account = account
        self.number = number
        self.passwords = dict.fromkeys(["ada", "eve"], "a guess") | {account: site.passwords[account]}
        self.secrets: dict[str, str] = {}
        self.recovery_codes: list[str] = []
        self.others: list[Code] = []

    def codes(self, *, sms: bool, enrolling: bool) -> list[Code]:
        """The codes that she can give, those that are most likely right first, and a wrong one at the end.

        :param sms: whether the page asks for that of a text message.
        :param enrolling: whether it asks for that of a new factor.
        """
        store, step = self._site.store, int(self._site.now) // STEP_SECONDS
        counting = store.factors("ada") | store.factors("eve")
        own = [Code(factor, code_for(key_of(each), step)) for factor, each in self.secrets.items()]
        own.reverse()
        if not enrolling:
            own.sort(key=lambda code: code.factor_id not in counting)
        messages = [Code(each.factor_id, each.code) for each in self._site.emulator.outbox if each.to == self.number]
        newest = messages[-1:]
        return [*(newest + own if sms else own + newest), *self.others, Code("", self._site.wrong_code())]

    def learn(self, text: str) -> None:
        """Keep what a page shows only once."""
        for shown in re.findall(r'<code class="workos-mfa-secret">(.*?)</code>', text, re.DOTALL):
            secret = re.sub(r"<[^>]*>|\s", "", shown)
            code = code_for(key_of(secret), int(self._site.now) // STEP_SECONDS)
            factor = next(each for each in self._site.emulator.totp_codes() if each.code == code)
            self.secrets[factor.factor_id] = secret
        self.recovery_codes += re.findall("<code>([^<]+)</code>", text)


class Window:
    """A browser: what it shows, its cookie, and what that is worth.

    :ivar person: who sits in front of it.
    :ivar spy: who sees the codes that were accepted, after they were.
    :ivar path: the path of the page that it shows.
    :ivar text: the page.
    :ivar status: the page's status.
    """

    def __init__(self, site: Site, model: Model, person: Person, address: str, spy: Person) -> None:
        self._site = site
        self._model = model
        self._address = address
        self._turn = 0
        self.person = person
        self.spy = spy
        self.cookie = ""
        self.standing = Standing()
        self.path = ""
        self.text = ""
        self.status = 0

    @property
    def forms(self) -> list[Form]:
        """The forms of the page."""
        return [
            Form(path, {name: html.unescape(value) for name, value in _HIDDEN.findall(inner)})
            for path, inner in _FORM.findall(self.text)
        ]

    def form(self, path: str, nth: int = 0) -> Form | None:
        """One of the page's forms that go to one of our paths."""
        found = [form for form in self.forms if form.path == PREFIX + path]
        return found[nth % len(found)] if found else None

    def get(self, path: str) -> None:
        """Go to a page."""
        self._go("GET", Sent(path, {}))

    def post(self, path: str, **fields: str) -> None:
        """Send what the app's own pages send."""
        self._go("POST", Sent(path, fields))

    def send(self, form: Form | None, choice: int = 0) -> None:
        """Fill in a form and send it.

        :param choice: which of the codes that the person has.
        """
        if form is None:
            return
        fields, code = dict(form.fields), None
        if form.path == f"{PREFIX}/code":
            enrolling = DEFAULT_TEXTS["title_totp"] in self.text or DEFAULT_TEXTS["title_enroll"] in self.text
            codes = self.person.codes(sms=self.form("/code/send") is not None, enrolling=enrolling)
            code = codes[choice % len(codes)]
            fields["code"] = code.text
        elif form.path == f"{PREFIX}/recovery":
            codes_left = [*reversed(self.person.recovery_codes), "0000-0000-0000-0000"]
            fields["code"] = codes_left[choice % len(codes_left)]
        elif form.path == f"{PREFIX}/new/sms":
            fields["phone_number"] = self.person.number
        self._go("POST", Sent(form.path, fields, code))

    def _go(self, method: str, sent: Sent) -> None:
        before = self.standing
        came = self._request(method, sent)
        after = self._model.after(before, sent, came)
        # In another tab something may have happened in the meantime: the cookie that comes last stays.
        self.standing = after if came.has_cookie or self.standing is before else self.standing
        self.path, self.text, self.status = sent.path, came.text, came.status
        self.person.learn(came.text)
        if came.went_on:
            self._was_right(sent)
            self._go("GET", Sent(urlsplit(came.location).path, {}))

    def _was_right(self, sent: Sent) -> None:
        # Who looked over her shoulder has seen it.
        self.spy.others = [*filter(None, [sent.code]), *self.spy.others][:3]
        if sent.path == f"{PREFIX}/recovery":
            self.spy.recovery_codes.append(sent.fields["code"])
            mine = self.person.recovery_codes
            mine[:] = [code for code in mine if code != sent.fields["code"] or self.person is self.spy]

    def _request(self, method: str, sent: Sent) -> Came:
        # Each request meets the other process.
        self._turn += 1
        client = self._site.clients[self._turn % 2]
        self._site.store.saves.append([])
        response = client.open(
            sent.path,
            method=method,
            data=sent.fields if method == "POST" else None,
            headers={"Cookie": f"session={self.cookie}"},
            environ_overrides={"REMOTE_ADDR": self._address},
        )
        saves = self._site.store.saves.pop()
        cookies = response.headers.getlist("Set-Cookie")
        for cookie in cookies:
            self.cookie = cookie.removeprefix("session=").partition(";")[0]
        return Came(
            status=response.status_code,
            location=response.headers.get("Location", ""),
            text=response.get_data(as_text=True),
            has_cookie=bool(cookies),
            saves=saves,
        )


class People:
    """What the two can do, each with a name and no parameters but numbers, so that a machine can choose.

    :ivar desk: ada's own browser.
    :ivar shared: a browser that ada uses and that eve can get at afterwards.
    :ivar attic: eve's browser.
    :ivar phished: whether eve has got a code of ada's; she gets no other one.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.model = Model(site)
        self.ada = Person(site, "ada", "+12024560001")
        self.eve = Person(site, "eve", "+12024560002")
        self.eve.passwords["ada"] = site.passwords["ada"]
        self.desk = Window(site, self.model, self.ada, "192.0.2.1", self.eve)
        self.shared = Window(site, self.model, self.ada, "192.0.2.2", self.eve)
        self.attic = Window(site, self.model, self.eve, "192.0.2.3", self.eve)
        self._cookies: list[tuple[str, Standing, Window]] = []
        self._forms: list[Form] = []
        self.phished = False

    # Ada

    def sign_in(self, window: Window, account: str = "ada", choice: int = 0) -> None:
        """Give the password, and a code where one is asked for."""
        window.post("/login", account=account, password=window.person.passwords[account])
        self.answer(window, choice)

    def answer(self, window: Window, choice: int = 0) -> None:
        """Give a code on the page that asks for one; where it is sent first, have it sent.

        Who has used her code already waits for another one.
        """
        if window.form("/code") is None:
            window.send(window.form("/code/send"))
        window.send(window.form("/code"), choice)
        if DEFAULT_TEXTS["code_used"] in window.text:
            self.wait(150)
            window.send(window.form("/code"), choice)

    def at_home(self, window: Window) -> None:
        """Go to the page of her factors, and sign in for it if she has to."""
        window.get(f"{PREFIX}/")
        if window.status != 200:
            self.sign_in(window)
            window.get(f"{PREFIX}/")

    def enroll(self, window: Window, kind: str = "totp") -> None:
        """Add a factor, after a code if there is one already, and have recovery codes shown if they are offered."""
        self.sign_in(window)
        if window.form("/new/totp") is None:
            window.get(f"{PREFIX}/")
            window.send(window.form("/add"))
            self.answer(window)
        self.enroll_here(window, kind)

    def enroll_here(self, window: Window, kind: str = "totp") -> None:
        """Add a factor where the page offers to."""
        window.send(window.form(f"/new/{kind}"))
        self.answer(window)
        window.send(window.form("/recovery-codes"))

    def remove(self, window: Window, nth: int = 0, choice: int = 0) -> None:
        """Remove a factor."""
        self.at_home(window)
        window.send(window.form("/remove", nth))
        self.answer(window, choice)

    def new_recovery_codes(self, window: Window) -> None:
        """Make new recovery codes."""
        self.at_home(window)
        window.send(window.form("/recovery-codes"))
        self.answer(window)
        window.send(window.form("/recovery-codes"))

    def recover(self, window: Window, account: str = "ada", choice: int = 0) -> None:
        """Sign in with a recovery code."""
        window.post("/login", account=account, password=window.person.passwords[account])
        window.get(f"{PREFIX}/recovery")
        window.send(window.form("/recovery"), choice)

    def recover_and_replace(self, window: Window, nth: int = 0) -> None:
        """Sign in with a recovery code, and replace a factor that is lost."""
        self.recover(window)
        self.replace(window, nth)

    def replace(self, window: Window, nth: int = 0) -> None:
        """Replace a factor that is lost."""
        window.get(f"{PREFIX}/")
        window.send(window.form("/replace", nth))
        self.enroll_here(window)

    def sign_out(self, window: Window) -> None:
        """Leave."""
        window.post("/logout", please="yes")

    def change_password(self, window: Window) -> None:
        """Change the password where she is signed in."""
        new = f"{self.site.passwords['ada']}!"
        window.post("/password", password=new)
        self.ada.passwords["ada"] = self.site.passwords["ada"]

    def click(self, window: Window, nth: int, choice: int) -> None:
        """Send any form of the page."""
        forms = window.forms
        window.send(forms[nth % len(forms)] if forms else None, choice)

    # Eve

    def keep(self) -> None:
        """Keep cookie and forms of the browsers that eve gets at."""
        for window in (self.attic, self.shared):
            self._cookies.append((window.cookie, window.standing, window))
            self._forms += window.forms
        self._cookies = list(dict.fromkeys(self._cookies))[-_KEPT:]
        self._forms = self._forms[-_KEPT:]

    def put_back(self, nth: int) -> None:
        """Go on with a cookie that was kept, the newest being the first.

        One of the shared browser waits until ada has left it: what eve does while ada is signed in, ada has done.
        """
        kept = [
            (cookie, standing)
            for cookie, standing, window in reversed(self._cookies)
            if window is self.attic or self.model.live(standing) is None
        ]
        if kept:
            self.attic.cookie, self.attic.standing = kept[nth % len(kept)]

    def repost(self, nth: int, choice: int) -> None:
        """Send a form that was kept."""
        if self._forms:
            self.attic.send(self._forms[-1 - nth % len(self._forms)], choice)

    def phish(self) -> None:
        """Get one code out of ada, in the whole run."""
        sms = self.attic.form("/code/send") is not None
        self.eve.others = [self.ada.codes(sms=sms, enrolling=False)[0], *self.eve.others]
        self.phished = True

    # Others

    def support(self) -> None:
        """The support gives ada a recovery code, if she has a factor."""
        if not self.site.store.factors("ada"):
            return
        code = self.site.outside(lambda sf: sf.issue_recovery_code("ada", by="ann", reason="she lost it"))
        if code is not None:
            self.model.support_issued("ada", str(code))
            self.ada.recovery_codes.append(str(code))

    def reset_password(self) -> None:
        """Ada chooses a new password by e-mail, which eve does not know."""
        if self.site.outside(self._say_password_changed):
            self.site.passwords["ada"] += "?"
            self.ada.passwords["ada"] = self.site.passwords["ada"]
            self.model.password_changed("ada")

    @staticmethod
    def _say_password_changed(second_factor: SecondFactor) -> bool:
        second_factor.password_changed("ada")
        return True

    def leak_password(self) -> None:
        """Eve learns the password again."""
        self.eve.passwords["ada"] = self.site.passwords["ada"]

    def forget_nobody(self) -> None:
        """An account that never was is deleted."""
        self.site.outside(lambda sf: sf.forget("nobody"))

    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.site.emulator.clock.advance(seconds)

    # The end

    def ada_comes_back(self) -> None:
        """With everything working again, ada gets back in, and eve is locked out, whatever has happened.

        :raises AssertionError: if not.
        """
        self.site.store.calm()
        self.site.emulator.faults.clear()
        self.wait(25 * 3600)
        self.reset_password()
        self.support()
        window = Window(self.site, self.model, self.ada, "192.0.2.9", self.eve)
        self.recover(window)
        window.get(f"{PREFIX}/" if self.site.store.factors("ada") else f"{PREFIX}/new")
        window.send(window.form("/replace"))
        self.enroll_here(window)
        mine = next(reversed(self.ada.secrets), "")
        while others := self.site.store.factors("ada") - {mine}:
            self.wait(300)
            window.get(f"{PREFIX}/")
            self._send_for(window, "/remove", min(others))
            self._send_for(window, "/code/switch", mine)
            self.answer(window)
            assert min(others) not in self.site.store.factors("ada"), window.text
        window.get("/private")
        assert "the private page of ada" in window.text, window.text
        self._eve_tries_everything()

    @staticmethod
    def _send_for(window: Window, path: str, factor: str) -> None:
        """Send the form that is for a factor."""
        window.send(
            next(
                (each for each in window.forms if each.path == PREFIX + path and each.fields["factor"] == factor), None
            )
        )

    def _eve_tries_everything(self) -> None:
        self.leak_password()
        for cookie, standing, _ in self._cookies[-12:]:
            self.attic.cookie, self.attic.standing = cookie, standing
            self.attic.get("/private")
            self.attic.get("/members")
        self.wait(25 * 3600)
        for choice in range(2):
            self.recover(self.attic, choice=choice)
            self.sign_in(self.attic, choice=choice)
