"""A row of the file: a WorkOS user and the secret that this person's app holds."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from workos_mfa._migration.otpauth import BadRowError, normalised_secret, read_uri

COLUMNS = ("user_id", "secret", "uri", "issuer", "account")
IGNORED = ("line", "reason")
"""The columns of a ``--failed`` file, which may be mended and read again."""

START_OF_USER_ID = "user_"


@attrs.frozen(eq=False)
class Row:
    """A row that can be imported.

    :param line: the line of the file on which it begins.
    :param user_id: the WorkOS user.
    :param secret: in Base32, normalised.
    :param issuer: the name that the person's app shows; None for the API's own choice.
    :param account: the account's name that the app shows; None for the API's own choice.
    """

    line: int
    user_id: str
    secret: str = attrs.field(repr=False)
    issuer: str | None
    account: str | None


@attrs.frozen
class Problem:
    """A row that is not imported, and why. It holds no secret.

    :param line: the line of the file on which the row begins.
    :param user_id: the WorkOS user; empty where the row has nothing that looks like one.
    :param reason: why, in a sentence without a full stop.
    """

    line: int
    user_id: str
    reason: str


def row_of(line: int, fields: Mapping[str, str]) -> Row | Problem:
    """The row that these fields make, or what is wrong with them."""
    user_id = fields.get("user_id", "").strip()
    # Anything else may be a secret in the wrong column, and a problem must not show it.
    shown = user_id if user_id.startswith(START_OF_USER_ID) and user_id.isprintable() else ""
    try:
        return _row(line, user_id, {name: value.strip() for name, value in fields.items()})
    except BadRowError as error:
        return Problem(line, shown, str(error))


def _row(line: int, user_id: str, fields: Mapping[str, str]) -> Row:
    if not user_id:
        raise BadRowError("user_id is empty")
    if not user_id.startswith(START_OF_USER_ID):
        raise BadRowError(f"user_id is not that of a WorkOS user, which begins with {START_OF_USER_ID}")
    for name in ("user_id", "uri", "issuer", "account"):
        if not fields.get(name, "").isprintable():
            raise BadRowError(f"{name} holds a control character, or bytes that are not UTF-8")
    secret, uri = fields.get("secret", ""), fields.get("uri", "")
    if secret and uri:
        raise BadRowError("there are a secret and a uri: one of them is enough")
    if not secret and not uri:
        raise BadRowError("there is neither a secret nor a uri")
    issuer, account = fields.get("issuer", ""), fields.get("account", "")
    if uri:
        read = read_uri(uri)
        secret, issuer, account = read.secret, issuer or read.issuer, account or read.account
        if not f"{issuer}{account}".isprintable():
            raise BadRowError("the URI's issuer or account holds a control character")
    else:
        secret = normalised_secret(secret)
    return Row(line, user_id, secret, issuer or None, account or None)
