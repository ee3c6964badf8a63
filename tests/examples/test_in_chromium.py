"""The pages in a real browser: they can be used from end to end, by everybody, and look as the docs show them.

``PICTURES=docs/pictures python -m pytest tests/examples/test_in_chromium.py`` makes the pictures of the docs anew.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Generator, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest

pytest.importorskip("selenium", reason="selenium is not installed")
pytest.importorskip("flask_wtf", reason="the extra flask is not installed")

from tests.emulator.http import tools
from tests.examples.chromium import SCREENS, Chromium, axe_source
from tests.examples.site import example, served, spoil
from workos_mfa import MFA, Emulator

EMAIL, PASSWORD, NUMBER = "ada@example.com", "correct horse", "+1 212 555 0100"
PICTURES = tools.ROOT / "docs" / "pictures"
"""The pictures that the docs show."""
EMULATOR_PICTURE = "emulator-phone"
"""The one that is not of the example app."""


@attrs.frozen
class World:
    """The example app in front of a browser.

    :param chromium: the browser.
    :param emulator: the API, and the phone.
    :param folder: where the database is, and room for files.
    """

    chromium: Chromium
    emulator: Emulator
    folder: Path

    def sign_up(self) -> None:
        """Make an account."""
        self.chromium.go("/sign-up")
        self.chromium.type(email=EMAIL, password=PASSWORD)
        self.chromium.press("Sign up")

    def sign_in(self) -> None:
        """Give the password, with the keyboard alone."""
        self.chromium.go("/sign-in")
        self.chromium.type(email=EMAIL, password="")
        self.chromium.enter(PASSWORD)

    def scan(self) -> str:
        """The secret in the QR code that the screen shows."""
        uri = tools.zbarimg(self.chromium.screenshot(self.folder / "screen.png"))
        return parse_qs(urlsplit(uri).query)["secret"][0]

    def app_code(self, secret: str) -> str:
        """What an authenticator app shows for a secret now. No code is accepted twice, so time goes on before."""
        self.emulator.clock.advance(150)
        command = [tools.program("oathtool", "run: apt-get install oathtool"), "--totp", "--base32", secret]
        now = f"--now={self.emulator.clock.now():%Y-%m-%d %H:%M:%S} UTC"
        return subprocess.run([*command, now], check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603

    def wrong_code(self) -> str:
        """A code that is not right."""
        return self.emulator.wrong_code(self.emulator.totp_codes()[0].factor_id)

    def message_code(self) -> str:
        """The code in the newest text message."""
        return self.emulator.outbox.latest().code

    def enroll(self) -> tuple[str, list[str]]:
        """Add an authenticator app where the pages lead to; its secret, and the recovery codes."""
        self.chromium.press("Use an authenticator app")
        secret = self.scan()
        self.chromium.type(code=self.app_code(secret))
        self.chromium.press("Continue")
        self.chromium.press("Show my recovery codes")
        codes = self.chromium.texts(".workos-mfa-codes code")
        self.chromium.press("Continue")
        return secret, codes


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Generator[Chromium, None, None]:
    """One browser for all tests: to start it takes longer than most of them."""
    browser = Chromium(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture(params=["layout.html"])
def world(
    request: pytest.FixtureRequest, chromium: Chromium, workos_mfa_emulator: Emulator, tmp_path: Path
) -> Iterator[World]:
    """The example app, which nobody has used yet. The parameter is the layout of the second factor's pages."""
    site = example(workos_mfa_emulator, tmp_path, WORKOS_MFA_LAYOUT=request.param)
    with site as app, served(app) as base_url:
        chromium.begin(base_url)
        yield World(chromium, workos_mfa_emulator, tmp_path)
        assert chromium.complaints() == []


def test_without_axe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where axe-core is missing the pages are not looked at, and it is said how to get it."""
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"axe-core is missing; run: npm ci"):
        axe_source(tmp_path)


def test_from_enrolment_to_sign_out(world: World) -> None:
    """An app that has scanned the screen gives the code that opens a page, and after the sign-out nothing does."""
    chromium = world.chromium
    world.sign_up()
    chromium.press("Pay out")
    assert chromium.path == "/second-factor/new?next=/payouts"
    chromium.press("Use an authenticator app")
    secret = world.scan()
    assert "".join(chromium.texts(".workos-mfa-secret span")) == secret
    chromium.type(code=world.app_code(secret))
    chromium.press("Continue")
    assert "protects your account now" in chromium.text
    chromium.press("Show my recovery codes")
    assert len(chromium.texts(".workos-mfa-codes code")) == 10
    chromium.press("Continue")
    assert chromium.path == "/payouts"

    kept = chromium.driver.get_cookie("session")
    assert kept is not None
    chromium.press("Sign out")
    chromium.driver.delete_all_cookies()
    chromium.driver.add_cookie(kept)
    chromium.go("/payouts")
    assert chromium.path == "/sign-in?next=/payouts"

    world.sign_in()
    chromium.enter(world.app_code(secret))
    assert EMAIL in chromium.text


def test_locked_out_and_back(world: World) -> None:
    """After five wrong codes no code helps, but a recovery code does, and with it the lost factor is replaced."""
    chromium = world.chromium
    world.sign_up()
    chromium.press("Pay out")
    lost, recovery_codes = world.enroll()
    chromium.press("Sign out")
    world.sign_in()
    for _ in range(5):
        chromium.enter(world.wrong_code())
        assert "That code is not right." in chromium.text
    described = chromium.focused().get_attribute("aria-describedby")
    assert "not right" in chromium.texts(f"#{described}")[0]
    chromium.enter(world.wrong_code())
    assert "too many wrong codes" in chromium.text
    chromium.press("I can't get a code: use a recovery code")
    chromium.enter(recovery_codes[0])
    assert "That recovery code is used up." in chromium.text
    chromium.press("Your second factor")
    chromium.press("I have lost this: replace it: Authenticator app")
    world.emulator.clock.advance(300)
    found, _ = world.enroll()
    assert found != lost
    assert len(world.emulator.totp_codes()) == 1


def test_a_form_that_comes_late(world: World) -> None:
    """Who sends a form long after the last code gives another one, is told, and fills the form in again."""
    chromium = world.chromium
    world.sign_up()
    chromium.press("Pay out")
    secret, _ = world.enroll()
    world.emulator.clock.advance(1000)
    chromium.type(amount="7")
    chromium.press("Pay out")
    assert chromium.path == "/second-factor/code"
    assert "was not carried out" in chromium.text
    chromium.enter(world.app_code(secret))
    assert chromium.path == "/payouts"
    chromium.type(amount="7")
    chromium.press("Pay out")
    assert "7 dollars are on their way." in chromium.text


def test_the_page_of_the_emulator(chromium: Chromium, workos_mfa_emulator: Emulator, tmp_path: Path) -> None:
    """The emulator's own page has a person's code and message; its picture is small."""
    mfa = MFA(transport=workos_mfa_emulator)
    app = mfa.enroll_factor(type="totp", issuer="Foo Corp", user=EMAIL)
    mfa.challenge_factor(mfa.enroll_factor(type="sms", phone_number=NUMBER.replace(" ", "")).id)
    folder = Path(os.environ.get("PICTURES", tmp_path))
    with workos_mfa_emulator.serve() as server:
        chromium.begin(server.base_url)
        chromium.go("/")
        shown = " ".join(chromium.texts("body"))
        assert workos_mfa_emulator.totp_code(app.id) in shown
        assert workos_mfa_emulator.outbox.latest().code in shown
        chromium.look("phone", "light")
        assert chromium.screenshot(folder / f"{EMULATOR_PICTURE}.png").stat().st_size < 60_000


@pytest.mark.parametrize("world", ["workos_mfa/layout.html"], indirect=True)  # how they look without an app's style
def test_every_page(world: World) -> None:
    """On no page finds axe-core anything, light or dark, on phone or desktop; the pictures are small, and of today."""
    axe, shown = axe_source(), {file.stem for file in PICTURES.glob("*.png")} - {EMULATOR_PICTURE}
    folder = Path(os.environ.get("PICTURES", world.folder))
    problems: list[str] = []
    made: set[str] = set()
    for page in walk(world):
        problems += world.chromium.problems(axe)
        for screen in SCREENS:
            name = f"{page}-{screen}"
            if name in shown or "PICTURES" in os.environ:
                world.chromium.look(screen, "light")
                assert world.chromium.screenshot(folder / f"{name}.png").stat().st_size < 60_000
                made.add(name)
        world.chromium.look("desktop", "light")
    assert problems == []
    assert shown <= made


def walk(world: World) -> Generator[str, None, None]:
    """Go through all pages, and name each when it is there."""
    yield from walk_in(world)
    secret, recovery_code = yield from walk_enrolment(world)
    yield from walk_changes(world, secret)
    yield from walk_back(world, recovery_code)


def walk_in(world: World) -> Iterator[str]:
    """The app's own pages."""
    chromium = world.chromium
    chromium.go("/sign-in")
    yield "sign-in"
    chromium.type(email=EMAIL, password=PASSWORD)
    chromium.press("Sign in")
    yield "sign-in-wrong"
    chromium.press("I have no account yet: sign up")
    yield "sign-up"
    world.sign_up()
    yield "home"


def walk_enrolment(world: World) -> Generator[str, None, tuple[str, str]]:
    """The pages up to the first factor; the secret of the app, and a recovery code."""
    chromium = world.chromium
    chromium.press("Your second factor")
    yield "factors-none"
    chromium.press("Add a second factor")
    yield "new-factor"
    chromium.type(phone_number="12")
    chromium.press("Use text messages")
    yield "new-factor-wrong"
    chromium.press("Use an authenticator app")
    yield "scan"
    secret = world.scan()
    chromium.type(code=world.wrong_code())
    chromium.press("Continue")
    yield "first-code-wrong"
    chromium.enter(world.app_code(secret))
    yield "recovery-codes-offered"
    chromium.press("Show my recovery codes")
    yield "recovery-codes"
    recovery_code = chromium.texts(".workos-mfa-codes code")[0]
    chromium.press("Continue")
    yield "factors-one"
    return secret, recovery_code


def walk_changes(world: World, secret: str) -> Iterator[str]:
    """The pages that ask for a code of who is signed in."""
    chromium = world.chromium
    chromium.press("Add another factor")
    yield "code-for-change"
    chromium.enter(world.app_code(secret))
    chromium.type(phone_number=NUMBER)
    chromium.press("Use text messages")
    yield "first-message-sent"
    chromium.enter(world.message_code())
    yield "factors"
    chromium.go("/payouts")
    yield "payouts"
    chromium.type(amount="7000")
    chromium.driver.execute_script("document.querySelector('main form').noValidate = true")
    chromium.press("Pay out")
    yield "payouts-wrong"
    world.emulator.clock.advance(1000)
    chromium.type(amount="7")
    chromium.press("Pay out")
    yield "code-after-form"
    chromium.press("Cancel")


def walk_back(world: World, recovery_code: str) -> Iterator[str]:
    """The pages of the next sign-in, and what goes wrong at the end."""
    chromium = world.chromium
    chromium.press("Done")
    chromium.press("Sign out")
    world.sign_in()
    yield "code"
    chromium.press("Text message to the number that ends in 00")
    yield "send-message"
    chromium.press("Send me a code")
    yield "message-sent"
    chromium.press("Authenticator app")
    for _ in range(6):
        chromium.enter(world.wrong_code())
    yield "locked"
    chromium.press("I can't get a code: use a recovery code")
    yield "recovery"
    chromium.enter("wrong")
    yield "recovery-wrong"
    chromium.enter(recovery_code)
    yield "home-recovered"
    chromium.press("Your second factor")
    yield "factors-replace"
    chromium.go("/second-factor/code")
    yield "notice"
    spoil(world.folder)
    chromium.go("/")
    yield "unavailable"
