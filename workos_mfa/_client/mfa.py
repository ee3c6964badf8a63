"""The client: one method for each documented call.

A method checks its arguments and makes a request of them (``operations``), sends it (the transport), and makes a
model or an error of the response (``outcomes``, ``parsing``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NoReturn, TypeVar, overload

from workos_mfa._client import operations, outcomes, parsing
from workos_mfa._core import validation
from workos_mfa._core.errors import FactorMismatchError, TransportError
from workos_mfa._core.redaction import hide_locals
from workos_mfa._core.transport import DEFAULT_DEADLINE, Options, Request, Response, Transport
from workos_mfa._transports.config import read_timeout

if TYPE_CHECKING:
    from types import TracebackType

    from workos_mfa._core.models import Challenge, Factor, Page, SMSFactor, TOTPFactor, UserEnrollment, Verification
    from workos_mfa._core.transport import Attempt
    from workos_mfa._transports.retry import RetryPolicy

    _AnyFactor = TOTPFactor | SMSFactor | Factor

_Client = TypeVar("_Client", bound="MFA")


class MFA:
    """The WorkOS Multi-Factor Auth API.

    One client serves a whole program: it may be shared by threads and made before a fork.

    Every call can raise these errors; each method names only those that it has besides them:

    - ``TypeError`` if an argument has the wrong type, and :class:`InvalidInputError` if its value can't be right:
      nothing was sent.
    - :class:`APIError` if the API refuses; ``outcome_unknown`` is True for a 5xx.
    - :class:`TransportError` if no complete response came; ``outcome_unknown`` says if the server may have acted.
    - :class:`UnexpectedResponseError` if the response can't be read, or names another object than was asked for; the
      server may have acted.

    Where ``outcome_unknown`` is True, each method says what to do. It is never True for a call that changes nothing.

    :param api_key: the API key; ``WORKOS_API_KEY`` if left out.
    :param base_url: where the API is; ``WORKOS_BASE_URL`` if left out, else ``https://api.workos.com``.
    :param timeout: seconds that one attempt may take, from connecting to the last byte of the response (name
        resolution is the operating system's and not counted); ``WORKOS_REQUEST_TIMEOUT`` if left out, else 10.
        An attempt never takes longer than ``deadline``.
    :param deadline: seconds that a whole call may take, with its attempts and the waits between; 20 if left out.
    :param retry: what is repeated and how often; see :class:`workos_mfa.RetryPolicy`.
    :param allow_http: allow plain http to other machines than this one, where anybody on the way can read the
        key and the codes; ``WORKOS_ALLOW_HTTP=1`` does the same.
    :param on_attempt: called with an :class:`workos_mfa.Attempt` after each attempt; for metrics.
    :param transport: what carries the requests, in place of the default. It is used exactly as it is, one
        ``send`` for one call, unless ``retry`` asks for repetitions around it.
    :raises ConfigurationError: if there is no key, or the base URL is not one that a key may be sent to.
    :raises InvalidInputError: if ``timeout`` or ``deadline`` is zero, negative, NaN or over a day.
    :raises TypeError: if a key or a transport is something else, or something is given that ``transport`` would leave
        unused.
    """

    __module__ = "workos_mfa"

    @hide_locals
    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        retry: RetryPolicy | None = None,
        allow_http: bool = False,
        on_attempt: Callable[[Attempt], object] | None = None,
        transport: Transport | None = None,
    ) -> None:
        self._timeout = read_timeout(timeout)
        self._deadline = DEFAULT_DEADLINE if deadline is None else validation.seconds("deadline", deadline)
        self._max_attempts: int | None = None
        self._owns_transport = transport is None
        if transport is None:
            from workos_mfa._transports.requests import RequestsTransport
            from workos_mfa._transports.retry import RetryingTransport

            default = RequestsTransport(api_key, base_url=base_url, allow_http=allow_http)
            self._transport: Transport = RetryingTransport(default, retry, on_attempt=on_attempt)
        else:
            _refuse_unused(api_key=api_key is not None, base_url=base_url is not None, allow_http=allow_http)
            self._transport = _given(transport, retry, on_attempt)
        self._options = self._limits()

    def __repr__(self) -> str:
        # A crash reporter may ask while the making of it is refused.
        return f"<MFA on {vars(self).get('_transport')!r}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an MFA client holds a key and is not pickled: make one in each process, or before a fork")

    def __enter__(self: _Client) -> _Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that this client made.

        A transport that was passed in is its maker's to close, and so is the client behind a copy from
        :meth:`with_options`: there this does nothing.
        """
        if self._owns_transport:
            self._transport.close()

    def with_options(
        self: _Client, *, timeout: float | None = None, deadline: float | None = None, max_attempts: int | None = None
    ) -> _Client:
        """A client with other limits that shares this one's transport and its connections.

        :param timeout: seconds that one attempt may take; as it is in this client if left out.
        :param deadline: seconds that a whole call may take; as it is in this client if left out.
        :param max_attempts: at most this many attempts; it lowers the retry policy's number, never raises it.
        :raises InvalidInputError: if a number is zero, negative, NaN or over a day.
        :raises TypeError: if it is not a number.
        """
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__)
        copy._owns_transport = False
        if timeout is not None:
            copy._timeout = validation.seconds("timeout", timeout)
        if deadline is not None:
            copy._deadline = validation.seconds("deadline", deadline)
        if max_attempts is not None:
            copy._max_attempts = validation.attempts("max_attempts", max_attempts)
        copy._options = copy._limits()
        return copy

    @overload
    def enroll_factor(
        self, *, type: Literal["totp"], issuer: str, user: str, user_id: str | None = None
    ) -> TOTPFactor: ...

    @overload
    def enroll_factor(self, *, type: Literal["sms"], phone_number: str, user_id: str | None = None) -> SMSFactor: ...

    @overload
    def enroll_factor(self, *, type: Literal["generic_otp"], user_id: str | None = None) -> Factor: ...

    @hide_locals
    def enroll_factor(
        self,
        *,
        type: str,
        issuer: str | None = None,
        user: str | None = None,
        phone_number: str | None = None,
        user_id: str | None = None,
    ) -> _AnyFactor:
        """Enroll a factor. Each call makes a new one, so it is never repeated once it may have arrived.

        See https://workos.com/docs/reference/mfa/enroll-factor

        :param type: ``"totp"`` for an authenticator app, ``"sms"`` for text messages, ``"generic_otp"`` for
            codes that your app delivers itself.
        :param issuer: for ``totp``: the name of your application or company, shown by the app.
        :param user: for ``totp``: the account's name, shown by the app.
        :param phone_number: for ``sms``: the number in E.164 form, such as ``+15005550006``.
        :param user_id: the WorkOS user that the factor is to belong to, if any.
        :returns: a :class:`TOTPFactor` with its secret, QR code and URI, which are shown only now; an
            :class:`SMSFactor`; or a plain :class:`Factor`. Keep its ``id``: it can't be listed later.
        :raises TypeError: also if an argument is missing or does not go with the type; nothing was sent.
        :raises InvalidPhoneNumberError: if messages can't be sent to the number; nothing was enrolled.
        :raises MFAError: see :class:`MFA`. Where ``outcome_unknown`` is True, a factor may exist: enroll again. A
            factor that nobody knows of does no harm.
        """
        request = operations.enroll_factor(
            {"type": type, "issuer": issuer, "user": user, "phone_number": phone_number, "user_id": user_id},
            self._options,
        )
        parse = parsing.ENROLLED_FACTORS[type]
        return outcomes.read(request, self._send(request), parse, {} if user_id is None else {"user_id": user_id})

    @hide_locals
    def challenge_factor(self, authentication_factor_id: str, *, sms_template: str | None = None) -> Challenge:
        """Challenge a factor. For an SMS factor each call sends a message, so it is never repeated once it may
        have arrived.

        See https://workos.com/docs/reference/mfa/challenge-factor

        :param authentication_factor_id: the factor's id.
        :param sms_template: for SMS factors: the message, at most 160 characters, with ``{{code}}`` where the
            code goes (in an f-string ``{{{{code}}}}``). The API has a text of its own if it is left out, and
            takes no notice of it for factors of other types.
        :returns: the challenge. Keep its ``id`` on the server side, for example in the session.
        :raises NotFoundError: if there is no such factor.
        :raises SMSRateLimitedError: if the number got too many messages; none was sent, and it is not tried again.
        :raises SMSQuotaReachedError: if the account's messages are used up, which does not pass by waiting; none
            was sent.
        :raises MFAError: see :class:`MFA`. Where ``outcome_unknown`` is True, a message may be on its way: challenge
            again. Two messages may arrive, and only the code of the new challenge counts: nobody knows the other's.
        """
        request = operations.challenge_factor(authentication_factor_id, sms_template, self._options)
        response = self._send(request)
        return outcomes.read(
            request, response, parsing.challenge, {"authentication_factor_id": authentication_factor_id}
        )

    @hide_locals
    def verify_challenge(
        self, authentication_challenge_id: str, *, code: str, expected_factor_id: str = validation.NOT_CHECKED
    ) -> Verification:
        """Verify a challenge with a code. A right code uses the challenge up, so it is never repeated once it
        may have arrived.

        See https://workos.com/docs/reference/mfa/verify-challenge

        :param authentication_challenge_id: the challenge's id, from where you kept it: never from a form.
        :param code: the code as the person typed it; spaces and hyphens in it do not matter. Whatever is left is
            sent, and counts as an attempt: let your form ask for six digits.
        :param expected_factor_id: the id of the factor that this person has to prove. Pass it whenever you
            know it: without it a challenge of another person's factor would count. Leave it out for no check.
        :returns: a :class:`Verification`, which is true only if the code was right. After a wrong code the same
            challenge may be tried again.
        :raises TypeError: also for an int as ``code``, which has lost its leading zeros; nothing was sent.
        :raises FactorMismatchError: if the challenge belongs to another factor, whatever the code was; the
            challenge may be used up.
        :raises TooManyAttemptsError: after too many wrong codes; make a new challenge.
        :raises ChallengeExpiredError: if the challenge's time is over; make a new challenge.
        :raises ChallengeAlreadyVerifiedError: if it was verified before; make a new challenge.
        :raises NotFoundError: if there is no such challenge, or no longer its factor; make a new challenge.
        :raises MFAError: see :class:`MFA`. Where ``outcome_unknown`` is True, the challenge may be used up, and
            ``needs_new_challenge`` is True as well: go on with a new challenge.
        """
        request = operations.verify_challenge(authentication_challenge_id, code, self._options)
        expected = None
        if expected_factor_id is not validation.NOT_CHECKED:
            expected = validation.identifier("expected_factor_id", expected_factor_id)
        response = self._send(request)
        about = {"challenge.id": authentication_challenge_id}
        verification = outcomes.read(request, response, parsing.verification, about)
        if expected is not None and verification.challenge.authentication_factor_id != expected:
            mismatch = FactorMismatchError(
                "the challenge belongs to another factor than expected_factor_id: this person has proved nothing. "
                "Make a new challenge for the expected factor, and find out where the challenge's id came from"
            )
            mismatch.attempts = response.attempts
            raise mismatch
        return verification

    @hide_locals
    def get_factor(self, authentication_factor_id: str) -> Factor:
        """Get a factor. It changes nothing and may be repeated.

        See https://workos.com/docs/reference/mfa/get-factor

        :param authentication_factor_id: the factor's id.
        :returns: the factor, without its secret: the API shows that only when the factor is enrolled.
        :raises NotFoundError: if there is no such factor.
        :raises MFAError: see :class:`MFA`.
        """
        request = operations.get_factor(authentication_factor_id, self._options)
        return outcomes.read(request, self._send(request), parsing.factor, {"id": authentication_factor_id})

    @hide_locals
    def delete_factor(self, authentication_factor_id: str) -> None:
        """Delete a factor, for good. It may be repeated, since it ends in the same state.

        See https://workos.com/docs/reference/mfa/delete-factor

        :param authentication_factor_id: the factor's id.
        :raises NotFoundError: if there is no such factor (and no attempt of this call can have deleted it).
        :raises MFAError: see :class:`MFA`. Where ``outcome_unknown`` is True, the factor may be gone: delete again. A
            NotFoundError then means that it is done.
        """
        request = operations.delete_factor(authentication_factor_id, self._options)
        error = outcomes.error_of(request, self._send(request))
        if error is not None and not outcomes.is_already_deleted(error):
            raise error

    @hide_locals
    def create_user_auth_factor(
        self, user_id: str, *, issuer: str | None = None, user: str | None = None, secret: str | None = None
    ) -> UserEnrollment:
        """Enroll a TOTP factor for a WorkOS user. Each call makes a new one, so it is never repeated once it may
        have arrived.

        See https://workos.com/docs/reference/authkit/mfa/enroll-auth-factor

        :param user_id: the WorkOS user's id.
        :param issuer: the name that the app shows; your WorkOS team's name if left out.
        :param user: the account's name that the app shows; the user's e-mail address if left out.
        :param secret: a TOTP secret in Base32 to be taken over (SHA-1, 6 digits, 30 seconds); a new one if left out.
        :returns: the factor with its secret, and a challenge that the API makes with it.
        :raises MFAError: see :class:`MFA`. Where ``outcome_unknown`` is True, a factor may exist: look for a new one
            with :meth:`list_user_auth_factors`, delete it if there is one, since its secret is lost, and create again.
        """
        request = operations.create_user_auth_factor(user_id, issuer, user, secret, self._options)
        about = {"authentication_factor.user_id": user_id}
        return outcomes.read(request, self._send(request), parsing.user_enrollment, about)

    @hide_locals
    def list_user_auth_factors(
        self,
        user_id: str,
        *,
        limit: int | None = None,
        before: str | None = None,
        after: str | None = None,
        order: Literal["normal", "desc", "asc"] = "desc",
    ) -> Page[Factor]:
        """List the factors of a WorkOS user, a page at a time. It changes nothing and may be repeated.

        See https://workos.com/docs/reference/authkit/mfa/list-auth-factors

        :param user_id: the WorkOS user's id.
        :param limit: the most factors on a page, 1 to 100; the API's number (10) if left out.
        :param before: a cursor: the page before this factor.
        :param after: a cursor: the page after this factor.
        :param order: by time of creation: ``"desc"`` is newest first, ``"asc"`` oldest first. ``"normal"`` is newest
            first as well, with the cursors the other way round: ``before`` leads to older factors and ``after`` to
            newer ones.
        :returns: a page; its ``auto_paging_iter()`` goes through all pages, whatever the order.
        :raises MFAError: see :class:`MFA`.
        """
        request = operations.list_user_auth_factors(
            user_id, limit=limit, before=before, after=after, order=order, options=self._options
        )
        page = outcomes.read(request, self._send(request), parsing.factor_page)
        onward: Literal["before", "after"] = "before" if order == "normal" else "after"

        def following(cursor: str) -> Page[Factor]:
            return self.list_user_auth_factors(user_id, limit=limit, order=order, **{onward: cursor})

        return page.fetched_by(following, onward=onward)

    def _limits(self) -> Options:
        return Options(min(self._timeout, self._deadline), self._deadline, self._max_attempts)

    def _send(self, request: Request) -> Response:
        try:
            response = self._transport.send(request)
        except TransportError as error:
            outcomes.for_the_whole_call(error, request)
            raise
        if not isinstance(response, Response):  # pyright: ignore[reportUnnecessaryIsInstance] - users' transports
            raise TypeError(
                f"the transport's send returned {type(response).__name__}: it must return a workos_mfa.Response"
            )
        return response


def _refuse_unused(**given: bool) -> None:
    unused = sorted(name for name, is_given in given.items() if is_given)
    if unused:
        raise TypeError(
            f"{' and '.join(unused)} would have no effect beside transport=: pass them to the transport instead"
        )


def _given(
    transport: Transport, retry: RetryPolicy | None, on_attempt: Callable[[Attempt], object] | None
) -> Transport:
    validation.transport("transport", transport)
    if retry is None and on_attempt is None:
        return transport
    from workos_mfa._transports.retry import RetryingTransport, RetryPolicy

    return RetryingTransport(transport, retry or RetryPolicy(max_attempts=1), on_attempt=on_attempt)
