"""Who is compared: for each, the lines of Python that make a client and verify one code.

They are text, so that the same lines run here, in a fresh interpreter whose start is measured, and on the page.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from typing import cast

import attrs

KEY = "sk_test_benchmark"
PATH = "/auth/challenges/auth_challenge_01FVYZWQTZQ5VB6BC5MPG2EYC5/verify"
CHALLENGE = PATH.split("/")[3]


@attrs.frozen
class Contender:
    """One way to verify a code.

    :param name: what it is called in tables.
    :param distribution: what is installed for it; empty for Python's own.
    :param imports: what it imports.
    :param client: a client, made for ``URL``.
    :param call: an expression that verifies a code and is true.
    :param is_shared: whether threads may share the client.
    """

    name: str
    distribution: str
    imports: str
    client: str
    call: str
    is_shared: bool = True

    @property
    def version(self) -> str | None:
        """The release that is installed, or None."""
        if not self.distribution:
            return "of Python"
        try:
            return importlib.metadata.version(self.distribution)
        except importlib.metadata.PackageNotFoundError:
            return None

    def program(self, url: str, *, until: str = "call") -> str:
        """A program that goes as far as its ``"imports"``, its ``"client"`` or its first ``"call"``."""
        lines = [self.imports, _names(url), self.client, f"assert {self.call}"]
        return "\n".join(lines[: {"imports": 1, "client": 3, "call": 4}[until]])

    def caller(self, url: str) -> Callable[[], object]:
        """A function that makes one call, with a client of its own."""
        names: dict[str, object] = {}
        exec(f"{self.program(url, until='client')}\ndef call():\n    assert {self.call}", names)  # noqa: S102 - the lines below
        return cast("Callable[[], object]", names["call"])


def _names(url: str) -> str:
    return f"URL, KEY, PATH, CHALLENGE = {url!r}, {KEY!r}, {PATH!r}, {CHALLENGE!r}"


_HEADERS = "HEADERS = {'Authorization': f'Bearer {KEY}', 'Content-Type': 'application/json'}"

DEFAULT = Contender(
    name="workos_mfa",
    distribution="workos-mfa",
    imports="import workos_mfa",
    client="client = workos_mfa.MFA(KEY, base_url=URL)",
    call="client.verify_challenge(CHALLENGE, code='123456').valid",
)
LEAN = Contender(
    name="workos_mfa on Urllib3Transport",
    distribution="workos-mfa",
    imports="import workos_mfa",
    client=(
        "transport = workos_mfa.RetryingTransport(workos_mfa.Urllib3Transport(KEY, base_url=URL))\n"
        "client = workos_mfa.MFA(transport=transport)"
    ),
    call="client.verify_challenge(CHALLENGE, code='123456').valid",
)
OFFICIAL = Contender(
    name="workos, the official SDK",
    distribution="workos",
    imports="import workos",
    client="client = workos.WorkOSClient(api_key=KEY, client_id='client_benchmark', base_url=URL + '/')",
    call="client.multi_factor_auth.verify_challenge(CHALLENGE, code='123456').valid",
)
REQUESTS = Contender(
    name="requests.Session.post",
    distribution="requests",
    imports="import requests",
    client=f"session = requests.Session()\n{_HEADERS}",
    call="session.post(URL + PATH, json={'code': '123456'}, headers=HEADERS, timeout=10).json()['valid']",
)
URLLIB3 = Contender(
    name="urllib3",
    distribution="urllib3",
    imports="import json, urllib3",
    client=f"pool = urllib3.PoolManager(timeout=10)\n{_HEADERS}",
    call="pool.request('POST', URL + PATH, body=json.dumps({'code': '123456'}), headers=HEADERS).json()['valid']",
)
BARE = Contender(
    name="http.client",
    distribution="",
    imports="import http.client, json",
    client=f"""connection = http.client.HTTPConnection(URL.removeprefix('http://'))
{_HEADERS}
def post():
    connection.request('POST', PATH, body=json.dumps({{'code': '123456'}}), headers=HEADERS)
    return json.loads(connection.getresponse().read())""",
    call="post()['valid']",
    is_shared=False,
)
HTTPX = Contender(
    name="httpx",
    distribution="httpx",
    imports="import httpx",
    client=f"client = httpx.Client(timeout=10)\n{_HEADERS}",
    call="client.post(URL + PATH, json={'code': '123456'}, headers=HEADERS).json()['valid']",
)

ALL = (DEFAULT, LEAN, OFFICIAL, REQUESTS, URLLIB3, BARE, HTTPX)


def installed() -> list[Contender]:
    """Those that can be measured here."""
    return [contender for contender in ALL if contender.version is not None]


def missing() -> list[Contender]:
    """Those that can't."""
    return [contender for contender in ALL if contender.version is None]
