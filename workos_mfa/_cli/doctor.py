"""``workos-mfa doctor``: finds out what is wrong between here and the API, and says what to do."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import textwrap
import time
from collections.abc import Iterator
from urllib.parse import unquote

import attrs

from workos_mfa._cli import output
from workos_mfa._cli.network_checks import Finding, Way, along, find_proxy
from workos_mfa._client.mfa import MFA
from workos_mfa._core.errors import (
    AuthenticationError,
    AuthorizationError,
    ConfigurationError,
    MFAError,
    NotFoundError,
    RateLimitExceededError,
    ServerError,
    TransportError,
)
from workos_mfa._core.redaction import masked
from workos_mfa._core.transport import Request, Response, Transport
from workos_mfa._transports import config
from workos_mfa._version import __version__

_LIBRARIES = ("requests", "urllib3", "certifi", "attrs")
_EXTRAS = {"segno": "emulator", "werkzeug": "emulator", "rich": "cli"}
_NOBODY = f"auth_factor_{'0' * 26}"
_MOST_SECONDS_OFF = 10
_MARKS = {True: ("good", output.GREEN), False: ("bad ", output.RED), None: ("-   ", output.DIM)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Look at all that a call needs: versions, the key, the base URL, a proxy, DNS, TCP, TLS, one harmless call "
        "(it asks for a factor that can't exist) and the clock. Each line says good or bad, and what to do. Neither "
        "the key nor a proxy's password is shown. The exit status is 1 if something is bad."
    )
    parser.epilog = "examples:\n  workos-mfa doctor\n  workos-mfa doctor --json"
    parser.add_argument("--json", action="store_true", help='print {"good": ..., "checks": [...]}')


def run(options: argparse.Namespace) -> int:
    secrets = tuple(_secrets())
    findings: list[Finding] = []
    for finding in _findings():
        safe = attrs.evolve(finding, found=masked(finding.found, secrets), advice=masked(finding.advice, secrets))
        findings.append(safe)
        if not options.json:
            show(safe)
    is_good = all(finding.good is not False for finding in findings)
    if options.json:
        output.print_json({"good": is_good, "checks": [attrs.asdict(finding) for finding in findings]})
    return output.DONE if is_good else output.NOT_VALID


def _findings() -> Iterator[Finding]:
    yield from _versions()
    key = _key()
    yield key
    endpoint, finding = _base_url()
    yield finding
    timeout, finding = _timeout()
    yield finding
    if endpoint is None or timeout is None:
        return
    try:
        proxy, finding = find_proxy(endpoint)
    except ConfigurationError as error:
        yield Finding("proxy", good=False, found=str(error), advice="correct the variable, or unset it")
        return
    yield finding
    on_the_way = list[Finding]()
    for finding in along(Way(endpoint, proxy, timeout)):
        on_the_way.append(finding)
        yield finding
    if key.good is False or on_the_way[-1].good is False:
        yield Finding("call", good=None, found="not made, since something above is bad")
        return
    yield from _call()


def _versions() -> Iterator[Finding]:
    libraries = [f"{name} {_version(name) or 'missing'}" for name in _LIBRARIES]
    found = f"workos-mfa {__version__}, Python {platform.python_version()}, {', '.join(libraries)}"
    are_there = all(map(_version, _LIBRARIES))
    yield Finding("versions", good=are_there, found=found, advice="" if are_there else "pip install workos-mfa")
    extras = [f"{name} {_version(name) or 'not installed'} ({extra})" for name, extra in _EXTRAS.items()]
    yield Finding("extras", good=True, found=", ".join(extras))


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _key() -> Finding:
    try:
        key = config.read_api_key(None)
    except ConfigurationError:
        if os.environ.get("WORKOS_API_KEY"):
            found = "WORKOS_API_KEY holds white space or another character that no key has"
            return Finding("key", good=False, found=found, advice="set it again, without quotes and line breaks")
        advice = "export WORKOS_API_KEY=sk_...; the WorkOS dashboard has it, under API Keys"
        return Finding("key", good=False, found="WORKOS_API_KEY is not set", advice=advice)
    if not key.startswith("sk_"):
        advice = "take the API key of the WorkOS dashboard: a client id, or a quotation mark before it, is none"
        return Finding("key", good=False, found="WORKOS_API_KEY does not begin with sk_", advice=advice)
    kinds = {"sk_test_": "a test key", "sk_live_": "a live key: calls reach real people"}
    kind = next((kind for start, kind in kinds.items() if key.startswith(start)), "a key that names no kind")
    return Finding("key", good=True, found=f"{kind}, in WORKOS_API_KEY")


def _base_url() -> tuple[config.Endpoint | None, Finding]:
    try:
        endpoint = config.read_endpoint(None, allow_http=False)
    except ConfigurationError as error:
        return None, Finding("base url", good=False, found=str(error), advice="correct or unset WORKOS_BASE_URL")
    origin = "by WORKOS_BASE_URL" if os.environ.get("WORKOS_BASE_URL") else "WorkOS' own"
    return endpoint, Finding("base url", good=True, found=f"{endpoint.url}, {origin}")


def _timeout() -> tuple[float | None, Finding]:
    try:
        seconds = config.read_timeout(None)
    except ConfigurationError as error:
        return None, Finding("timeout", good=False, found=str(error), advice="correct or unset WORKOS_REQUEST_TIMEOUT")
    return seconds, Finding("timeout", good=True, found=f"{seconds:g} s for an attempt")


class _Recorder:
    """A transport that keeps the response and when it came."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.date = ""
        self.came_at = 0.0

    def send(self, request: Request, /) -> Response:
        sent_at = time.time()
        response = self._inner.send(request)
        self.came_at = (sent_at + time.time()) / 2
        self.date = response.headers.get("date", "")
        return response

    def close(self) -> None:
        self._inner.close()


def _call() -> Iterator[Finding]:
    from workos_mfa._transports.requests import RequestsTransport

    recorder = _Recorder(RequestsTransport())
    try:
        yield _outcome(recorder)
    finally:
        recorder.close()
    if recorder.came_at:
        yield _clock(recorder.date, recorder.came_at)


def _outcome(transport: Transport) -> Finding:
    """What a call for a factor that nobody has says of the key and of who responds."""
    try:
        MFA(transport=transport).get_factor(_NOBODY)
    except NotFoundError as error:
        if error.code == "entity_not_found":
            return Finding("call", good=True, found="404 entity_not_found, as it should be: the key is accepted")
        return Finding("call", good=False, found=_text(error), advice=_NOT_WORKOS)
    except MFAError as error:
        advice = next((advice for kind, advice in _ADVICE.items() if isinstance(error, kind)), _NOT_WORKOS)
        return Finding("call", good=False, found=_text(error), advice=advice)
    return Finding("call", good=False, found="there is a factor of an id that can't exist", advice=_NOT_WORKOS)


_NOT_WORKOS = (
    "this is not what the API says: check WORKOS_BASE_URL, and whether a proxy or a login page of the network responds"
)
_ADVICE: dict[type[MFAError], str] = {
    AuthenticationError: "take the key from the WorkOS dashboard again: it may be revoked, or of another environment",
    AuthorizationError: "the key may not do this: check its permissions in the WorkOS dashboard",
    RateLimitExceededError: "wait a minute and try again; something may be calling the API all the time",
    ServerError: "the API fails: see https://status.workos.com, and try again later",
    TransportError: "try again; if it stays, ask who runs the network or the proxy",
}


def _text(error: MFAError) -> str:
    return output.visible(f"{type(error).__name__}: {error}")


def _clock(date: str, came_at: float) -> Finding:
    from email.utils import parsedate_to_datetime

    try:
        theirs = parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return Finding("clock", good=None, found="not looked at: the response has no Date that can be read")
    # The header has whole seconds: on average the server's clock is half a second further.
    off = came_at - theirs - 0.5
    if abs(off) <= _MOST_SECONDS_OFF:
        return Finding("clock", good=True, found="within a few seconds of the server's")
    which = "ahead of" if off > 0 else "behind"
    return Finding(
        "clock",
        good=False,
        found=f"{abs(off):.0f} s {which} the server's",
        advice="set this machine's clock (NTP): TOTP codes that are made or checked here are wrong",
    )


def _secrets() -> Iterator[str]:
    """What must not be shown: the key, and the proxies' passwords."""
    yield os.environ.get("WORKOS_API_KEY", "").strip()
    for name, value in os.environ.items():
        if name.lower().endswith("_proxy") and "@" in value:
            _, _, password = value.rpartition("@")[0].rpartition("://")[2].partition(":")
            yield from (password, unquote(password))


def show(finding: Finding) -> None:
    """Show what was found to a person."""
    mark, style = _MARKS[finding.good]
    before = f"{mark}  {finding.check:8}  "
    lines = _wrapped(output.visible(finding.found), before)
    lines[0] = output.painted(mark, style) + lines[0][len(mark) :]
    output.print_lines(*lines)
    if finding.advice:
        output.print_lines(*_wrapped(f"-> {output.visible(finding.advice)}", " " * len(before)))


def _wrapped(text: str, before: str) -> list[str]:
    return textwrap.wrap(
        text,
        max(output.width(), 40),
        initial_indent=before,
        subsequent_indent=" " * len(before),
        break_long_words=False,
        break_on_hyphens=False,
    )
