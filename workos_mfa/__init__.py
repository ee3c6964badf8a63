"""The WorkOS Multi-Factor Auth API for sync Python, with an emulator that needs no account.

Each name is loaded when it is first asked for: a program that imports this and uses little of it pays for little.
"""

from __future__ import annotations

import importlib

from workos_mfa._version import __version__

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

# Where each name is defined; the errors are all in one module.
_HOMES = {
    "MFA": "_client.mfa",
    **dict.fromkeys(("SMS", "SMSFactor", "TOTP", "TOTPEnrollment", "TOTPFactor"), "_core.models"),
    **dict.fromkeys(("Challenge", "Factor", "Page", "UserEnrollment", "Verification"), "_core.models"),
    **dict.fromkeys(("MAX_BODY", "Attempt", "Options", "Request", "Response", "Transport"), "_core.transport"),
    **dict.fromkeys(("RetryPolicy", "RetryingTransport"), "_transports.retry"),
    "RequestsTransport": "_transports.requests",
    "Urllib3Transport": "_transports.urllib3",
    "Emulator": "emulator",
}

TYPE_CHECKING = False  # type checkers take it for true, and importing typing would cost as much as all of this
if TYPE_CHECKING:
    from workos_mfa._client.mfa import MFA
    from workos_mfa._core.errors import (
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
    from workos_mfa._core.models import (
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
    from workos_mfa._core.transport import MAX_BODY, Attempt, Options, Request, Response, Transport
    from workos_mfa._transports.requests import RequestsTransport
    from workos_mfa._transports.retry import RetryingTransport, RetryPolicy
    from workos_mfa._transports.urllib3 import Urllib3Transport
    from workos_mfa.emulator import Emulator
else:
    # Not for type checkers, to whom every misspelt name would be an object.
    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        home = importlib.import_module(f"{__name__}.{_HOMES.get(name, '_core.errors')}")
        return globals().setdefault(name, getattr(home, name))

    def __dir__() -> list[str]:
        return [*__all__]
