"""A browser that sees pages as a person does: it follows redirects, and fills in the forms that are there."""

from __future__ import annotations

import html
import re
from http.cookies import SimpleCookie

from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

from tests.flask.app import App

PREFIX = "/second-factor"


def our_key(what: str, issuer: str = "Foo Corp") -> str:
    """The key under which Flask's session has what is ours: ``session`` or ``step``."""
    return f"workos_mfa.{issuer}.{what}"


class Browser:
    """One browser on an app.

    :ivar page: the page that it shows.
    """

    def __init__(self, app: App, *, address: str = "192.0.2.1") -> None:
        self.app = app
        self.client = app.flask.test_client()
        self.client.environ_base["REMOTE_ADDR"] = address
        self.page: TestResponse | None = None

    @property
    def html(self) -> str:
        """The page as it was sent."""
        assert self.page is not None
        return self.page.get_data(as_text=True)

    @property
    def text(self) -> str:
        """What the page says, without its markup."""
        return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", self.html))).strip()

    @property
    def path(self) -> str:
        """The path of the page."""
        assert self.page is not None
        return self.page.request.full_path.removesuffix("?")

    @property
    def status(self) -> int:
        """The status of the page."""
        assert self.page is not None
        return self.page.status_code

    @property
    def headers(self) -> Headers:
        """The headers of the page."""
        assert self.page is not None
        return self.page.headers

    def get(self, path: str) -> str:
        """Go to a page, and see what it says."""
        self.page = self.client.get(path, follow_redirects=True)
        return self.text

    def post(self, path: str, **fields: str) -> str:
        """Send a form with what the page's forms have hidden in them, and see what comes."""
        self.page = self.client.post(path, data={**self.hidden_fields(), **fields}, follow_redirects=True)
        return self.text

    def hidden_fields(self) -> dict[str, str]:
        """The token, the step and the next path that stand in the page's first forms."""
        if self.page is None:
            return {}
        found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', self.html)
        return {name: html.unescape(value) for name, value in reversed(found) if name != "factor"}

    def sign_in(self, account: str = "ada", *, next_path: str | None = None) -> str:
        """Give the password, which is the first step."""
        query = {} if next_path is None else {"next": next_path}
        self.page = self.client.post("/login", query_string=query, data={"account": account}, follow_redirects=True)
        return self.text

    def code(self, code: str) -> str:
        """Give a code on the page that asks for it."""
        return self.post(f"{PREFIX}/code", code=code)

    def enroll_totp(self) -> str:
        """Add an authenticator app and give its first code; its id. The page offers recovery codes then."""
        self.get(f"{PREFIX}/new")
        self.post(f"{PREFIX}/new/totp")
        factor_id = newest_factor(self.app)
        self.code(self.app.emulator.totp_code(factor_id))
        return factor_id

    def recovery_codes(self) -> list[str]:
        """Have a new set of recovery codes shown, where the page offers one."""
        self.post(f"{PREFIX}/recovery-codes")
        return re.findall(r"<code>([^<]+)</code>", self.html)

    def cookies(self) -> str:
        """A copy of its cookies, as somebody keeps who looks for them."""
        cookie = self.client.get_cookie("session")
        return "" if cookie is None else cookie.value

    def take_cookies(self, copy: str) -> None:
        """Go on with somebody's copy of cookies."""
        self.client.set_cookie("session", SimpleCookie({"session": copy})["session"].value)


def newest_factor(app: App) -> str:
    """The id of the authenticator app that was enrolled last."""
    return app.emulator.totp_codes()[0].factor_id
