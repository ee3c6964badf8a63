"""The WorkOS Multi-Factor Auth API for sync Python, with an emulator that needs no account.

Importing this loads neither requests nor urllib3 nor the emulator: those come with the first client.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from workos_mfa._version import __version__
from workos_mfa.errors import (
    APIError,
    AuthenticationError,
    AuthorizationError,
    BadRequestError,
    ChallengeAlreadyVerifiedError,
    ChallengeExpiredError,
    ConfigurationError,
    ConflictError,
    ConnectError,
    ConnectionLostError,
    ConnectTimeoutError,
    FactorMismatchError,
    InvalidInputError,
    InvalidPhoneNumberError,
    MFAError,
    NotFoundError,
    RateLimitExceededError,
    ServerError,
    SMSQuotaReachedError,
    SMSRateLimitedError,
    TLSError,
    TooManyAttemptsError,
    TransportError,
    TransportTimeoutError,
    UnexpectedResponseError,
    UnprocessableEntityError,
)
from workos_mfa.mfa import MFA
from workos_mfa.models import (
    SMS,
    TOTP,
    Challenge,
    Factor,
    Page,
    SMSFactor,
    TOTPEnrollment,
    TOTPFactor,
    UserEnrollment,
    Verification,
)
from workos_mfa.transport import MAX_BODY, Attempt, Options, Request, Response, Transport

if TYPE_CHECKING:
    from workos_mfa.emulator import Emulator
    from workos_mfa.requests_transport import RequestsTransport
    from workos_mfa.retrying import RetryingTransport, RetryPolicy
    from workos_mfa.urllib3_transport import Urllib3Transport

__all__ = [
    "MAX_BODY",
    "MFA",
    "SMS",
    "TOTP",
    "APIError",
    "Attempt",
    "AuthenticationError",
    "AuthorizationError",
    "BadRequestError",
    "Challenge",
    "ChallengeAlreadyVerifiedError",
    "ChallengeExpiredError",
    "ConfigurationError",
    "ConflictError",
    "ConnectError",
    "ConnectTimeoutError",
    "ConnectionLostError",
    "Emulator",
    "Factor",
    "FactorMismatchError",
    "InvalidInputError",
    "InvalidPhoneNumberError",
    "MFAError",
    "NotFoundError",
    "Options",
    "Page",
    "RateLimitExceededError",
    "Request",
    "RequestsTransport",
    "Response",
    "RetryPolicy",
    "RetryingTransport",
    "SMSFactor",
    "SMSQuotaReachedError",
    "SMSRateLimitedError",
    "ServerError",
    "TLSError",
    "TOTPEnrollment",
    "TOTPFactor",
    "TooManyAttemptsError",
    "Transport",
    "TransportError",
    "TransportTimeoutError",
    "UnexpectedResponseError",
    "UnprocessableEntityError",
    "Urllib3Transport",
    "UserEnrollment",
    "Verification",
    "__version__",
]

_LATER = {
    "Emulator": "workos_mfa.emulator",
    "RequestsTransport": "workos_mfa.requests_transport",
    "RetryPolicy": "workos_mfa.retrying",
    "RetryingTransport": "workos_mfa.retrying",
    "Urllib3Transport": "workos_mfa.urllib3_transport",
}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(_LATER[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _name_the_public_module() -> None:
    # A traceback, a repr of a class and a pickle then say where users import it from.
    for name in __all__:
        value = globals().get(name)
        if isinstance(value, type):
            value.__module__ = __name__


_name_the_public_module()
