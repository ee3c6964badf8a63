"""The calls of the API by hand: ``workos-mfa enroll``, ``challenge``, ``verify``, ``get``, ``delete`` and ``users``."""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
from collections.abc import Callable, Generator, Mapping
from typing import cast

from workos_mfa._cli import output, prompts
from workos_mfa._cli.authenticator import secret_of
from workos_mfa._client.mfa import MFA
from workos_mfa._core.models import Model, TOTPFactor, UserEnrollment
from workos_mfa._core.redaction import masked_phone

_ID = re.compile(r"\w[\w-]*", re.ASCII)
_KEY = "The key is taken from WORKOS_API_KEY, or asked for at a terminal."
_HIDDEN = (
    "The secret, the URI and the QR code are hidden, and the API shows them this once. To have them, delete the factor "
    "and enroll again with --show-secrets: workos-mfa delete {}"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    command = cast("str", parser.get_default("command"))
    _ADD[command](parser)
    parser.description = f"{parser.description} {_KEY}"
    parser.epilog = f"{parser.epilog}\n\n{output.STATUSES}"


def run(options: argparse.Namespace) -> int:
    name = " ".join(filter(None, (options.command, getattr(options, "which", None))))
    with MFA(prompts.api_key()) as mfa:
        return _RUN[name](mfa, options)


def _add_enroll(parser: argparse.ArgumentParser) -> None:
    parser.description = "Enroll a factor."
    parser.epilog = (
        "examples:\n"
        "  workos-mfa enroll totp --issuer 'Foo Corp' --user alan --show-secrets\n"
        "  workos-mfa enroll sms --phone +15005550006\n"
        "  workos-mfa enroll sms --phone - < number.txt"
    )
    which = parser.add_subparsers(dest="which", metavar="totp|sms", required=True)
    totp = _leaf(which.add_parser, "totp", "an authenticator app, which scans the QR code")
    totp.add_argument("--issuer", required=True, help="the name of the service, which the app shows")
    totp.add_argument("--user", required=True, help="the name of the account, which the app shows")
    sms = _leaf(which.add_parser, "sms", "a phone, which gets text messages")
    sms.add_argument(
        "--phone",
        required=True,
        metavar="NUMBER",
        help="in E.164 form, such as +15005550006; - to read it from standard input or a prompt",
    )
    for each in (totp, sms):
        each.add_argument("--user-id", metavar="USER", help="the WorkOS user that the factor is to belong to")
        _add_output(each)


def _add_challenge(parser: argparse.ArgumentParser) -> None:
    parser.description = "Challenge a factor. A phone gets a text message each time."
    parser.epilog = (
        "examples:\n"
        "  workos-mfa challenge auth_factor_...\n"
        "  workos-mfa challenge auth_factor_... --sms-template 'Your code is {{code}}'"
    )
    parser.add_argument("factor", metavar="FACTOR", help="the factor's id")
    parser.add_argument("--sms-template", metavar="TEXT", help="the text message, with {{code}} where the code goes")
    _add_output(parser)


def _add_verify(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Verify a challenge with a code, which comes from standard input or a prompt that does not show it. The exit "
        "status is 0 if it is valid and 1 if it is not."
    )
    parser.epilog = (
        "examples:\n"
        "  workos-mfa verify auth_challenge_...\n"
        "  workos-mfa verify auth_challenge_... --factor auth_factor_...\n"
        "  workos-mfa code < secret.txt | workos-mfa verify auth_challenge_..."
    )
    parser.add_argument("challenge", metavar="CHALLENGE", help="the challenge's id")
    parser.add_argument("--factor", metavar="FACTOR", help="the factor that it must belong to; otherwise status 1")
    _add_output(parser)


def _add_get(parser: argparse.ArgumentParser) -> None:
    parser.description = "Show a factor."
    parser.epilog = "examples:\n  workos-mfa get auth_factor_...\n  workos-mfa get auth_factor_... --json"
    parser.add_argument("factor", metavar="FACTOR", help="the factor's id")
    _add_output(parser)


def _add_delete(parser: argparse.ArgumentParser) -> None:
    parser.description = "Delete a factor, for good. It asks first."
    parser.epilog = "examples:\n  workos-mfa delete auth_factor_...\n  workos-mfa delete auth_factor_... --yes"
    parser.add_argument("factor", metavar="FACTOR", help="the factor's id")
    parser.add_argument("--yes", action="store_true", help="do not ask; needed where there is no terminal")
    parser.add_argument("--json", action="store_true", help='print {"id": "...", "deleted": true}')


def _add_users(parser: argparse.ArgumentParser) -> None:
    parser.description = "List the factors of a WorkOS user, or enroll an authenticator app for one."
    parser.epilog = (
        "examples:\n"
        "  workos-mfa users list user_...\n"
        "  workos-mfa users enroll user_... --show-secrets\n"
        "  workos-mfa users enroll user_... --with-secret < secret.txt"
    )
    which = parser.add_subparsers(dest="which", metavar="list|enroll", required=True)
    listing = _leaf(which.add_parser, "list", "all factors of the user")
    listing.add_argument(
        "--order", choices=("desc", "asc"), default="desc", help="newest first (desc, the default) or oldest first"
    )
    enroll = _leaf(which.add_parser, "enroll", "a new authenticator app for the user")
    enroll.add_argument("--issuer", help="the name of the service; your WorkOS team's if left out")
    enroll.add_argument(
        "--user", dest="account", metavar="NAME", help="the name of the account; the user's e-mail address if left out"
    )
    enroll.add_argument(
        "--with-secret",
        action="store_true",
        help="take over a secret, in Base32 or an otpauth:// URI, from standard input or a prompt",
    )
    for each in (listing, enroll):
        each.add_argument("user_id", metavar="USER", help="the user's id")
        _add_output(each)


def _leaf(add_parser: Callable[..., argparse.ArgumentParser], name: str, summary: str) -> argparse.ArgumentParser:
    return add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}. {_KEY}",
        epilog=output.STATUSES,
        formatter_class=output.HelpFormatter,
        allow_abbrev=False,
    )


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON, with the API's own field names")
    parser.add_argument("--show-secrets", action="store_true", help="show secrets, codes and whole phone numbers")


def _enroll_totp(mfa: MFA, options: argparse.Namespace) -> int:
    with _acting("a factor may be there; nobody knows its secret, so it does no harm"):
        factor = mfa.enroll_factor(type="totp", issuer=options.issuer, user=options.user, user_id=options.user_id)
    _show_new_totp(factor, factor, options)
    return output.DONE


def _enroll_sms(mfa: MFA, options: argparse.Namespace) -> int:
    asked = "The phone number, such as +15005550006"
    number = cast("str", prompts.secret(asked) if options.phone == "-" else options.phone)
    with _acting("a factor may be there; it does no harm"):
        factor = mfa.enroll_factor(type="sms", phone_number=number, user_id=options.user_id)
    _show(factor, options)
    return output.DONE


def _challenge(mfa: MFA, options: argparse.Namespace) -> int:
    with _acting("a text message may be on its way"):
        challenge = mfa.challenge_factor(options.factor, sms_template=options.sms_template)
    _show(challenge, options)
    # What is to be pasted into a shell must be an id, whatever the server says.
    if sys.stdout.isatty() and not options.json and _ID.fullmatch(challenge.id):
        output.print_lines("", f"Next: workos-mfa verify {challenge.id}")
    return output.DONE


def _verify(mfa: MFA, options: argparse.Namespace) -> int:
    expected = {} if options.factor is None else {"expected_factor_id": cast("str", options.factor)}
    code = prompts.secret("The code")
    with _acting("the challenge may be used up"):
        result = mfa.verify_challenge(options.challenge, code=code, **expected)
    if options.json:
        _show(result, options)
    else:
        output.print_lines(output.painted("valid", output.GREEN) if result else output.painted("not valid", output.RED))
    return output.DONE if result else output.NOT_VALID


def _get(mfa: MFA, options: argparse.Namespace) -> int:
    _show(mfa.get_factor(options.factor), options)
    return output.DONE


def _delete(mfa: MFA, options: argparse.Namespace) -> int:
    if not options.yes and not prompts.confirm(f"Delete {output.visible(options.factor)} for good?"):
        output.tell("delete", "not deleted")
        return output.NOT_VALID
    with _acting("the factor may be gone"):
        mfa.delete_factor(options.factor)
    if options.json:
        output.print_json({"id": options.factor, "deleted": True})
    else:
        output.print_lines(f"deleted {output.visible(options.factor)}")
    return output.DONE


def _list_of_user(mfa: MFA, options: argparse.Namespace) -> int:
    page = mfa.list_user_auth_factors(options.user_id, limit=100, order=options.order)
    factors = [_as_shown(factor.to_dict(secrets=options.show_secrets), options) for factor in page.auto_paging_iter()]
    if options.json:
        output.print_json({"object": "list", "data": factors, "list_metadata": {"before": None, "after": None}})
        return output.DONE
    for number, factor in enumerate(factors):
        output.print_lines(*[""][:number])
        output.print_fields(factor)
    if not factors:
        output.print_lines("no factors")
    return output.DONE


def _enroll_for_user(mfa: MFA, options: argparse.Namespace) -> int:
    asked = "The secret in Base32, or its otpauth:// URI"
    secret = secret_of(prompts.secret(asked)) if options.with_secret else None
    with _acting("a factor may be there; list the user's factors before anything is repeated"):
        made = mfa.create_user_auth_factor(options.user_id, issuer=options.issuer, user=options.account, secret=secret)
    if secret is None or options.show_secrets:
        _show_new_totp(made, made.factor, options)
    else:
        _show(made, options)
    return output.DONE


def _show_new_totp(made: TOTPFactor | UserEnrollment, factor: TOTPFactor, options: argparse.Namespace) -> None:
    """Show what was made, with the QR code; or say that it is hidden, which people would miss too late."""
    _show(made, options)
    if not options.show_secrets:
        output.tell(options.command, _HIDDEN.format(factor.id))
    elif not options.json:
        from workos_mfa._cli.terminal_qr import NotDrawnError, drawn

        try:
            output.print_lines("", *drawn(factor.totp.uri, sys.stdout))
        except NotDrawnError as error:
            output.tell(options.command, f"{error}, or type the secret into the app")


def _show(made: Model, options: argparse.Namespace) -> None:
    fields = _as_shown(made.to_dict(secrets=options.show_secrets), options)
    if options.json:
        output.print_json(fields)
    else:
        output.print_fields(_without_pictures(fields))


def _as_shown(fields: Mapping[str, object], options: argparse.Namespace) -> dict[str, object]:
    """The fields with the phone number masked, unless all is to be shown."""
    shown: dict[str, object] = {}
    for name, value in fields.items():
        if isinstance(value, Mapping):
            shown[name] = _as_shown(cast("Mapping[str, object]", value), options)
        elif name == "phone_number" and not options.show_secrets:
            shown[name] = masked_phone(str(value)).strip("'")
        else:
            shown[name] = value
    return shown


def _without_pictures(fields: Mapping[str, object]) -> dict[str, object]:
    return {
        name: _without_pictures(cast("Mapping[str, object]", value)) if isinstance(value, Mapping) else value
        for name, value in fields.items()
        if name != "qr_code"
    }


@contextlib.contextmanager
def _acting(doubt: str) -> Generator[None, None, None]:
    """If Ctrl-C stops a call that acts, say what may have happened."""
    try:
        yield
    except KeyboardInterrupt:
        output.complain(f"\nWorkOS may have acted: {doubt}.\n")
        raise


_ADD: dict[str, Callable[[argparse.ArgumentParser], None]] = {
    "enroll": _add_enroll,
    "challenge": _add_challenge,
    "verify": _add_verify,
    "get": _add_get,
    "delete": _add_delete,
    "users": _add_users,
}
_RUN: dict[str, Callable[[MFA, argparse.Namespace], int]] = {
    "enroll totp": _enroll_totp,
    "enroll sms": _enroll_sms,
    "challenge": _challenge,
    "verify": _verify,
    "get": _get,
    "delete": _delete,
    "users list": _list_of_user,
    "users enroll": _enroll_for_user,
}
