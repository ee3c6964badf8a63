"""``workos-mfa code`` and ``workos-mfa qr``: what an authenticator app does with a secret, without an account."""

from __future__ import annotations

import argparse
import sys
import time

from workos_mfa._cli import output, prompts
from workos_mfa._core import one_time_codes

_ASKED_FOR = "The secret in Base32, or its otpauth:// URI"
_TAKEN = (
    "The secret is in Base32, or in an otpauth:// URI, with SHA-1, 6 digits and 30 seconds, as WorkOS has it. It comes "
    "from standard input or from a prompt that does not show it: never from an argument, which others can see."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    if parser.get_default("command") == "code":
        parser.description = f"Show the code that an authenticator app shows now, and how long it lasts.\n\n{_TAKEN}"
        parser.epilog = (
            "examples:\n"
            "  workos-mfa code\n"
            "  workos-mfa code < secret.txt\n"
            "  workos-mfa code < secret.txt | workos-mfa verify auth_challenge_..."
        )
        parser.add_argument("--json", action="store_true", help='print {"code": "...", "seconds_left": ...}')
    else:
        parser.description = f"Draw the QR code that an authenticator app scans.\n\n{_TAKEN}"
        parser.epilog = "examples:\n  workos-mfa qr\n  workos-mfa qr --issuer 'Foo Corp' < secret.txt"
        parser.add_argument(
            "--issuer", default="workos-mfa", help="beside a Base32 secret: the name of the service (%(default)s)"
        )
        parser.add_argument(
            "--user", default="secret", help="beside a Base32 secret: the name of the account (%(default)s)"
        )
        parser.add_argument(
            "--light", action="store_true", help="the terminal is light: this matters where NO_COLOR is set"
        )
        parser.add_argument("--json", action="store_true", help='print {"uri": "..."} instead')


def run(options: argparse.Namespace) -> int:
    given = prompts.secret(_ASKED_FOR)
    secret = secret_of(given)
    if options.command == "code":
        _show_code(secret, as_json=options.json)
    else:
        is_uri = given.lower().startswith("otpauth:")
        _show_qr(given if is_uri else _uri(secret, options), is_light=options.light, as_json=options.json)
    return output.DONE


def _show_code(secret: str, *, as_json: bool) -> None:
    step, passed = divmod(time.time(), one_time_codes.STEP_SECONDS)
    code = one_time_codes.code_for(one_time_codes.key_of(secret), int(step))
    left = one_time_codes.STEP_SECONDS - int(passed)
    if as_json:
        output.print_json({"code": code, "seconds_left": left})
    else:
        # The code has a line of its own, so that it can be piped on.
        output.print_lines(code, output.painted(f"{left} seconds left", output.DIM))


def _show_qr(uri: str, *, is_light: bool, as_json: bool) -> None:
    if as_json:
        output.print_json({"uri": uri})
        return
    from workos_mfa._cli.terminal_qr import NotDrawnError, drawn

    try:
        output.print_lines(*drawn(uri, sys.stdout, is_light=is_light))
    except NotDrawnError as error:
        raise output.UsageError(str(error)) from None


def _uri(secret: str, options: argparse.Namespace) -> str:
    from workos_mfa.emulator._domain import totp

    return totp.uri(issuer=options.issuer, user=options.user, secret=secret, form="short")


def secret_of(text: str) -> str:
    """The bare Base32 secret of what a person gave: Base32, however it is grouped, or an ``otpauth://`` URI.

    :raises UsageError: if it is neither, or one of another kind than WorkOS'. Nothing of it is shown.
    """
    grouped = _secret_in(text) if text.lower().startswith("otpauth:") else text
    letters = "".join(grouped.split()).replace("-", "").upper()
    bare = one_time_codes.bare_secret(letters)
    if bare is None:
        raise output.UsageError(
            "the secret is not Base32 of 80 bits or more: at least 16 of the letters A to Z and the digits 2 to 7, and "
            "none missing"
        )
    return bare


def _secret_in(uri: str) -> str:
    # Not at the top: it takes longer to load than the code takes to be found.
    from urllib.parse import parse_qsl, urlsplit

    try:
        parts = urlsplit(uri)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        raise output.UsageError("the otpauth:// URI can't be read") from None
    fields = {name.lower(): value for name, value in pairs}
    if parts.netloc.lower() != "totp":
        raise output.UsageError("the otpauth:// URI is not one of type totp, the only one that WorkOS has")
    if len(fields) < len(pairs):
        raise output.UsageError("the otpauth:// URI says something twice")
    for name, allowed in _ONLY.items():
        if fields.get(name, allowed[0]).upper() not in allowed:
            raise output.UsageError(f"the otpauth:// URI has another {name} than WorkOS', which is {allowed[0]}")
    if "secret" not in fields:
        raise output.UsageError("the otpauth:// URI has no secret")
    return fields["secret"]


_ONLY = {
    "algorithm": ("SHA1", "SHA-1", "HMACSHA1"),
    "digits": (str(one_time_codes.DIGITS),),
    "period": (str(one_time_codes.STEP_SECONDS),),
}
