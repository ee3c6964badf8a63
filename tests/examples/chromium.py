"""A real browser without a window, in which pages are seen as a person sees them."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from tests.emulator.http import tools

HOW = "run: apt-get install chromium chromium-driver"
SCREENS = {"phone": (390, 844), "desktop": (1280, 800)}
NODE_FOLDER = tools.ROOT / ".ci" / "browser"
"""Where `npm ci` has put axe-core."""

_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
)
# Of each thing that can be clicked: how high it is, and what it says.
_TARGETS = """
return [...document.querySelectorAll("a, button, input:not([type=hidden])")]
  .map(each => [each.getBoundingClientRect().height, each.outerHTML.slice(0, 80)])
"""
_TOO_WIDE = """
return [...document.querySelectorAll("html, section")]
  .filter(each => each.scrollWidth > each.clientWidth).map(each => each.tagName)
"""
_FINDINGS = """
const done = arguments[arguments.length - 1];
axe.run(document, {rules: {"target-size": {enabled: true}}, resultTypes: ["violations"]}).then(
  found => done(found.violations.map(each => each.id + ": " + each.nodes.map(node => node.html).join(" "))),
  error => done([String(error)]),
);
"""


def axe_source(folder: Path = NODE_FOLDER) -> str:
    """The source of axe-core, which looks for what keeps people out."""
    file = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not file.exists():
        tools.missing("axe-core", "run: npm ci --prefix .ci/browser")
    return file.read_text("utf-8")


class Chromium:
    """The browser.

    :param profile: an empty folder for what it keeps.
    """

    def __init__(self, profile: Path) -> None:
        options = webdriver.ChromeOptions()
        # GitHub's machines have the other one.
        options.binary_location = shutil.which("google-chrome") or tools.program("chromium", HOW)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        for argument in (*_ARGUMENTS, f"--user-data-dir={profile}"):
            options.add_argument(argument)
        self.driver = webdriver.Chrome(options, webdriver.ChromeService(tools.program("chromedriver", HOW)))
        self.base_url = ""

    def begin(self, base_url: str) -> None:
        """Begin at another site, as if the browser were new."""
        self.base_url = base_url
        self._command("Network.clearBrowserCookies")
        self.look("desktop", "light")

    def close(self) -> None:
        """End it."""
        self.driver.quit()

    # What a person does

    def go(self, path: str) -> None:
        """Go to a page."""
        self.driver.get(self.base_url + path)

    def type(self, **fields: str) -> None:
        """Type into the fields of these names."""
        for name, text in fields.items():
            field = self.driver.find_element(By.NAME, name)
            field.clear()
            field.send_keys(text)

    def press(self, name: str) -> None:
        """Press a button or follow a link, and wait for the page that comes."""
        quoted = json.dumps(name)
        path = f"//*[self::a or self::button][normalize-space()={quoted} or @aria-label={quoted}]"
        button = self.driver.find_element(By.XPATH, path)
        with self._another_page():
            button.click()

    def enter(self, text: str) -> None:
        """Type into the field that has the focus, and press Enter, as one does who has no mouse."""
        field = self.focused()
        with self._another_page():
            field.send_keys(text + Keys.ENTER)

    # What a person sees

    def focused(self) -> WebElement:
        """The field that has the focus; a page gives it to one when it is drawn, after it was loaded."""
        wait = WebDriverWait(self.driver, 10, poll_frequency=0.01)
        wait.until(lambda driver: driver.switch_to.active_element.tag_name == "input")
        return self.driver.switch_to.active_element

    @property
    def path(self) -> str:
        """Where it is."""
        return self.driver.current_url.removeprefix(self.base_url)

    @property
    def text(self) -> str:
        """What the page says."""
        return " ".join(self.driver.find_element(By.TAG_NAME, "main").text.split())

    def texts(self, selector: str) -> list[str]:
        """What the elements of a CSS selector say."""
        return [element.text for element in self.driver.find_elements(By.CSS_SELECTOR, selector)]

    def look(self, screen: str, scheme: str) -> None:
        """Be on a phone or on a desktop, in light or dark mode."""
        width, height = SCREENS[screen]
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": screen == "phone"}
        self._command("Emulation.setDeviceMetricsOverride", metrics)
        self._command("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def screenshot(self, file: Path) -> Path:
        """What the screen shows, as a picture."""
        file.write_bytes(self.driver.get_screenshot_as_png())
        return file

    def problems(self, axe: str) -> list[str]:
        """What keeps people out, on both screens and in both modes."""
        self.driver.execute_script(axe)
        found: list[str] = []
        for screen in SCREENS:
            for scheme in ("light", "dark"):
                self.look(screen, scheme)
                here: list[str] = self.driver.execute_async_script(_FINDINGS)
                here += [f"{height} px high: {what}" for height, what in self._run(_TARGETS) if height < 44]
                here += [f"wider than its place: {what}" for what in self._run(_TOO_WIDE)]
                found += [f"{self.path}, {screen}, {scheme}: {problem}" for problem in here]
        return found

    def complaints(self) -> list[str]:
        """What the browser refused to load or run since it was asked last."""
        entries: list[dict[str, str]] = self.driver.get_log("browser")  # type: ignore[no-untyped-call]  # it has no types
        return [entry["message"] for entry in entries if "Content Security" in entry["message"]]

    @contextlib.contextmanager
    def _another_page(self) -> Generator[None, None, None]:
        self._run("window.isTheOneBefore = true")
        yield
        # While one page takes the other's place, there may be none that could be asked.
        wait = WebDriverWait(self.driver, 10, poll_frequency=0.01, ignored_exceptions=[WebDriverException])
        wait.until(lambda _: self._run("return !window.isTheOneBefore && document.readyState === 'complete'"))

    def _run(self, script: str) -> Any:
        return self.driver.execute_script(script)

    def _command(self, name: str, parameters: Mapping[str, object] | None = None) -> None:
        self.driver.execute_cdp_cmd(name, dict(parameters or {}))
