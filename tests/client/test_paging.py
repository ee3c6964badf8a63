"""A user's list is whole under every order, whatever order the API has for its own.

The API here is a second reading of what WorkOS publishes: ``normal`` is newest first with the cursors the other way
round, so that ``before`` fetches older factors and ``after`` newer ones.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.loopback import Behaviour, Line, Received, serving
from workos_mfa import MFA, RequestsTransport, Response, UnexpectedResponseError
from workos_mfa.testing import StubTransport, json_response

Order = Literal["normal", "desc", "asc"]

IDS = [f"auth_factor_{number:02}" for number in range(25)]
"""The ids of a user's factors, oldest first."""


def api_with(default: str) -> Behaviour:
    """An API that lists in this order where none is asked for."""

    def behave(request: Received, line: Line) -> None:
        query = dict(parse_qsl(urlsplit(request.path).query))
        line.answer(200, page_of(query.get("order", default), query))

    return behave


def page_of(order: str, query: dict[str, str]) -> dict[str, object]:
    """The page that a query asks for."""
    ids = IDS if order == "asc" else IDS[::-1]
    onward, back = ("before", "after") if order == "normal" else ("after", "before")
    size = int(query.get("limit", "10"))
    if back in query:
        end = ids.index(query[back])
        start = max(0, end - size)
    else:
        start = ids.index(query[onward]) + 1 if onward in query else 0
        end = min(start + size, len(ids))
    cursors = {onward: ids[end - 1] if end < len(ids) else None, back: ids[start] if start else None}
    return {"object": "list", "data": list(map(listed, ids[start:end])), "list_metadata": cursors}


def listed(id: str) -> dict[str, object]:
    """A factor as it stands in a list."""
    at = "2026-01-15T12:00:00.000Z"
    return {"object": "authentication_factor", "id": id, "type": "generic_otp", "created_at": at, "updated_at": at}


@pytest.fixture(params=["normal", "desc"])
def mfa(request: pytest.FixtureRequest) -> Iterator[MFA]:
    """A client on an API with either default."""
    with serving(api_with(request.param)) as server:
        transport = RequestsTransport("sk_test_1", base_url=server.url)
        yield MFA(transport=transport)
        transport.close()


orders = pytest.mark.parametrize("order", ["normal", "desc", "asc"])


@orders
@pytest.mark.parametrize("limit", [None, 1, 5, 24, 25, 26])
def test_a_list_is_whole_under_every_order(mfa: MFA, order: Order, limit: int | None) -> None:
    """Every factor once, in the order that was asked for."""
    page = mfa.list_user_auth_factors("user_1", order=order, limit=limit)
    assert [factor.id for factor in page.auto_paging_iter()] == (IDS if order == "asc" else IDS[::-1])


def test_a_list_without_an_order_is_newest_first(mfa: MFA) -> None:
    """And whole: which order the API has for its own does not matter, since one is always sent."""
    assert [factor.id for factor in mfa.list_user_auth_factors("user_1").auto_paging_iter()] == IDS[::-1]


@orders
def test_a_list_goes_on_from_any_of_its_pages(mfa: MFA, order: Order) -> None:
    """From one that a cursor fetched, on either side of it, as from the first."""
    expected = IDS if order == "asc" else IDS[::-1]
    onward = "before" if order == "normal" else "after"
    for cursor in ("before", "after"):
        page = mfa.list_user_auth_factors("user_1", order=order, limit=4, **{cursor: expected[9]})
        rest = expected[10:] if cursor == onward else expected[5:]
        assert [factor.id for factor in page.auto_paging_iter()] == rest


CURSORS: list[tuple[Order, str]] = [("normal", "before"), ("desc", "after")]


def listing(order: Order, *cursors: dict[str, str | None]) -> Callable[[], list[object]]:
    """What iterates over pages that have these cursors and nothing else."""
    left: Iterator[Response] = iter(
        [json_response(200, {"object": "list", "data": [], "list_metadata": each}) for each in cursors]
    )
    page = MFA(transport=StubTransport(lambda _: next(left))).list_user_auth_factors("user_1", order=order)
    return lambda: list(page.auto_paging_iter())


@pytest.mark.parametrize(("order", "cursor"), CURSORS)
def test_a_cursor_that_is_wrong_is_named(order: Order, cursor: str) -> None:
    """One that comes twice, which would never end, and one that is none."""
    with pytest.raises(UnexpectedResponseError, match=rf"twice at \$\.list_metadata\.{cursor}$"):
        listing(order, {cursor: "a"}, {cursor: "a"})()
    with pytest.raises(UnexpectedResponseError, match=rf"that is none at \$\.list_metadata\.{cursor}$"):
        listing(order, {cursor: ".."})()


@pytest.mark.parametrize(("order", "cursor"), CURSORS)
def test_a_page_without_its_client_says_how_to_go_on(mfa: MFA, order: Order, cursor: str) -> None:
    """One that was stored knows its place in the list, and does not pass for the last one."""
    page = pickle.loads(pickle.dumps(mfa.list_user_auth_factors("user_1", order=order)))  # noqa: S301
    items = page.auto_paging_iter()
    assert [next(items).id for _ in range(10)] == IDS[:14:-1]
    with pytest.raises(RuntimeError, match=rf"in the same order, with .*\(\.\.\., {cursor}=page\.{cursor}\)$"):
        next(items)
