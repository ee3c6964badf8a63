"""Several processes: they share what is counted and what is stored."""

from __future__ import annotations

import contextlib
import html
import os
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path

import pytest
import requests

pytest.importorskip("gunicorn", reason="gunicorn is not installed")
pytest.importorskip("sqlalchemy", reason="sqlalchemy is not installed")

from tests.flask.browser import PREFIX
from tests.servers import redis_url  # noqa: F401 - a fixture
from workos_mfa import Emulator

ROOT = Path(__file__).parent.parent.parent
GUESSES = 200
KEY = "sk_test_of_the_workers"


class Visitor:
    """A browser on the workers, with an address of its own."""

    def __init__(self, url: str, address: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["X-Address"] = address
        self.page = requests.Response()

    def sign_in(self) -> None:
        """Give the password."""
        self.page = self.session.post(f"{self.url}/login", data={"account": "ada"}, timeout=60)

    def send(self, path: str, **fields: str) -> requests.Response:
        """Send a form with what the page's own has hidden in it."""
        found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', self.page.text)
        hidden = {name: html.unescape(value) for name, value in found}
        self.page = self.session.post(f"{self.url}{PREFIX}{path}", data={**hidden, **fields}, timeout=60)
        return self.page

    def close(self) -> None:
        """Close the connections."""
        self.page.close()
        self.session.close()


@contextlib.contextmanager
def workers(**environment: str) -> Iterator[str]:
    """The URL of the app on four workers, which are forked after it was made."""
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--preload",
        "--workers=4",
        "--bind=127.0.0.1:0",
        "--no-control-socket",
    ]
    with subprocess.Popen(  # noqa: S603 - our own
        [*command, "tests.flask.workers_app:app"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stderr=subprocess.PIPE,
        text=True,
    ) as gunicorn:
        assert gunicorn.stderr is not None
        try:
            yield next(found[0] for line in gunicorn.stderr if (found := re.findall(r"Listening at: (\S+)", line)))
        finally:
            gunicorn.terminate()
            gunicorn.communicate()


def test_many_guesses_at_once(redis_url: str, tmp_path: Path) -> None:  # noqa: F811
    """Of 200 wrong codes that come at once, from as many addresses, WorkOS is asked for five."""
    now = datetime(2026, 1, 1, tzinfo=timezone.utc)
    emulator = Emulator(now=now)
    database = f"sqlite:///{tmp_path / 'app.db'}"
    environment = {"DATABASE": database, "REDIS": redis_url, "NOW": str(now.timestamp()), "KEY": KEY}
    with emulator.serve(api_key=KEY) as api, workers(**environment, API=api.base_url) as site:
        owner = Visitor(site, "192.0.2.1")
        owner.sign_in()
        owner.page = owner.session.get(f"{site}{PREFIX}/new", timeout=60)
        owner.send("/new/totp")
        factor_id = emulator.totp_codes()[0].factor_id
        assert "protects your account now" in owner.send("/code", code=emulator.totp_code(factor_id)).text
        wrong = emulator.wrong_code(factor_id)
        guessers = [Visitor(site, f"198.51.100.{number}") for number in range(GUESSES)]
        all_are_ready = threading.Barrier(GUESSES)

        def guess(guesser: Visitor) -> tuple[int, bool]:
            all_are_ready.wait(60)
            answer = guesser.send("/code", code=wrong)
            return answer.status_code, "not right" in answer.text

        with ThreadPoolExecutor(GUESSES) as pool:
            list(pool.map(Visitor.sign_in, guessers))
            answers = Counter(pool.map(guess, guessers))
        for each in (owner, *guessers):
            each.close()
    assert answers == {(422, True): 5, (429, False): GUESSES - 5}
    assert [call.operation for call in emulator.calls].count("verify_challenge") == 1 + 5
