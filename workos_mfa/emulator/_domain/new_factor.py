"""A factor that is about to be made."""

from __future__ import annotations

import attrs

from workos_mfa._core.redaction import NoDiffEquality


@attrs.frozen(kw_only=True, eq=False)
class NewFactor(NoDiffEquality):
    """What an enrolment asks for. The fields from ``issuer`` on are for type ``totp``.

    :param uri: the secret as an ``otpauth`` URI; shown once.
    :param qr_code: the URI as a QR code; shown once.
    :param listed: whether the factor is in its user's list.
    """

    type: str
    user_id: str | None
    phone_number: str | None = attrs.field(default=None, repr=False)
    listed: bool = True
    issuer: str | None = None
    user: str | None = None
    secret: str | None = attrs.field(default=None, repr=False)
    uri: str | None = attrs.field(default=None, repr=False)
    qr_code: str | None = attrs.field(default=None, repr=False)
