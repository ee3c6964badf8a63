"""``flask workos-mfa``: what support staff needs of an account."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from workos_mfa.flask._second_factor import factors, sessions
from workos_mfa.flask._second_factor.refusals import Refused
from workos_mfa.flask._state import current_state

commands = AppGroup("workos-mfa", help="The second factor of an account.")


def not_blank(_: click.Context, __: click.Parameter, value: str) -> str:
    """Refuse an option that says nothing."""
    if not value.strip():
        raise click.BadParameter("it says nothing")
    return value


@commands.command("status")
@click.argument("account")
def status(account: str) -> None:
    """Show what ACCOUNT, an account's id, has."""
    found = sessions.status(current_state().backend, account)
    for factor_type, digits in found.factors:
        click.echo(f"factor: {factor_type}" + (f", a number that ends in {digits}" if digits else ""))
    if not found.factors:
        click.echo("no factor: the password alone lets this account in")
    click.echo(f"recovery codes left: {found.recovery_codes}")
    click.echo(f"code of the support not used yet: {'yes' if found.support_code else 'no'}")
    click.echo(f"browsers signed in: {found.sessions}")


@commands.command("issue-recovery-code")
@click.argument("account")
@click.option("--by", required=True, callback=not_blank, help="Who of the support staff issues it.")
@click.option("--reason", required=True, callback=not_blank, help="Why, such as how the person was identified.")
def issue_recovery_code(account: str, by: str, reason: str) -> None:
    """Make a code with which ACCOUNT can sign in once, within a day, beside the password.

    Find out who asks before you give it to anybody. The person is notified.
    """
    backend = current_state().backend
    try:
        code = factors.issue_recovery_code(backend, account, by=by, reason=reason)
    except Refused as refused:
        raise click.ClickException(current_state().texts(refused.reason)) from None
    click.echo(code)
