"""The faults that there are, one method each.

The selectors stand in every signature, so that an editor shows them and a type checker knows them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from workos_mfa.emulator._faults import effects
from workos_mfa.emulator._faults.fault import Fault, Selectors


class MakesFaults(ABC):
    """The methods of ``emulator.faults`` that make a fault."""

    @abstractmethod
    def _add(self, effect: effects.Effect, selectors: Selectors) -> Fault:
        """Keep a new fault."""

    def refuse_connection(
        self,
        *,
        operation: str | None = None,
        method: str | None = None,
        path: str | None = None,
        count: int | None = 1,
        after: int = 0,
    ) -> Fault:
        """No connection is made, so nothing is done: a :class:`workos_mfa.ConnectError`."""
        return self._add(effects.Effect(kind="refuse_connection"), Selectors(operation, method, path, count, after))

    def lose_request(
        self,
        *,
        operation: str | None = None,
        method: str | None = None,
        path: str | None = None,
        count: int | None = 1,
        after: int = 0,
    ) -> Fault:
        """The connection breaks before anything is done; the client can't tell it from :meth:`lose_response`."""
        return self._add(effects.Effect(kind="lose_request"), Selectors(operation, method, path, count, after))

    def lose_response(
        self,
        *,
        operation: str | None = None,
        method: str | None = None,
        path: str | None = None,
        count: int | None = 1,
        after: int = 0,
    ) -> Fault:
        """The call is done and the connection breaks before the answer: who repeats it now does it twice."""
        return self._add(effects.Effect(kind="lose_response"), Selectors(operation, method, path, count, after))

    def cut_body(
        self,
        *,
        operation: str | None = None,
        method: str | None = None,
        path: str | None = None,
        count: int | None = 1,
        after: int = 0,
    ) -> Fault:
        """The call is done and the connection breaks in the middle of the answer's body."""
        return self._add(effects.Effect(kind="cut_body"), Selectors(operation, method, path, count, after))

    def delay(
        self,
        seconds: float,
        *,
        operation: str | None = None,
        method: str | None = None,
        path: str | None = None,
        count: int | None = 1,
        after: int = 0,
    ) -> Fault:
        """The call is done and the answer comes late.

        :param seconds: how late. In process a clock that stands is moved by them, and with one that runs they are
            waited for; if they reach the timeout of the call, that much passes and the call times out.
        """
        return self._add(effects.delay(seconds), Selectors(operation, method, path, count, after))

    def answer(
        self,
        status: int,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        retry_after: float | None = None,
        operation: str | None = None,
        method: str | None = None,
        path: str | None = None,
        count: int | None = 1,
        after: int = 0,
    ) -> Fault:
        """Nothing is done, and this is the answer.

        :param status: the HTTP status.
        :param body: what is sent as JSON; a string is sent as it is. None for what the API says with this status.
        :param headers: headers beside, or in place of, the usual ones.
        :param retry_after: seconds, for ``Retry-After``.
        """
        effect = effects.answer(status, body, headers, retry_after)
        return self._add(effect, Selectors(operation, method, path, count, after))

    def answer_html(
        self,
        status: int = 502,
        *,
        operation: str | None = None,
        method: str | None = None,
        path: str | None = None,
        count: int | None = 1,
        after: int = 0,
    ) -> Fault:
        """Nothing is done, and a page of HTML is the answer, as from a proxy on the way.

        :param status: the HTTP status.
        """
        return self._add(effects.answer_html(status), Selectors(operation, method, path, count, after))

    def answer_broken_json(
        self,
        status: int = 200,
        *,
        operation: str | None = None,
        method: str | None = None,
        path: str | None = None,
        count: int | None = 1,
        after: int = 0,
    ) -> Fault:
        """Nothing is done, and the answer is whole as far as HTTP goes, but no JSON.

        :param status: the HTTP status.
        """
        return self._add(effects.answer_broken_json(status), Selectors(operation, method, path, count, after))

    def rate_limit(
        self,
        calls: int,
        seconds: float,
        *,
        operation: str | None = None,
        method: str | None = None,
        path: str | None = None,
        count: int | None = None,
        after: int = 0,
    ) -> Fault:
        """So many calls go through in a while; the others are answered 429 with ``Retry-After``.

        :param calls: how many go through.
        :param seconds: in how many seconds, by the emulator's clock, from the first of them.
        :param count: how many calls it refuses; None, unless given, for all.
        """
        return self._add(effects.rate_limit(calls, seconds), Selectors(operation, method, path, count, after))
