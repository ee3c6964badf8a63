"""A user's list is whole under every order, whatever order the API has for its own.

The API here is a second reading of what WorkOS publishes: ``normal`` is newest first with the cursors the other way
round, so that ``before`` fetches older factors and ``after`` newer ones.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.loopback import Behaviour, Line, Received, serving
from workos_mfa import MFA, Factor, Page, RequestsTransport, Response, UnexpectedResponseError
from workos_mfa.testing import StubTransport, json_response

Order = Literal["normal", "desc", "asc"]

IDS = [f"auth_factor_{number:02}" for number in range(25)]
"""The ids of a user's factors, oldest first."""


def api_with(default: str) -> Behaviour:
    """An API that lists in this order where none is asked for."""

    def behave(request: Received, line: Line) -> None:
        query = dict(parse_qsl(urlsplit(request.path).query))
        line.respond(200, page_of(query.get("order", default), query))

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


def listing(order: Order, cursor: str, *cursors: str | None) -> tuple[StubTransport, Page[Factor]]:
    """The first of several pages with these cursors and two factors each, and the transport that has the others."""
    pages = enumerate(cursors)
    stub = StubTransport(lambda _: page_with(cursor, *next(pages)))
    return stub, MFA(transport=stub).list_user_auth_factors("user_1", limit=2, order=order)


def page_with(cursor: str, number: int, value: str | None) -> Response:
    """The page of this number."""
    factors = list(map(listed, IDS[2 * number : 2 * number + 2]))
    return json_response(200, {"object": "list", "data": factors, "list_metadata": {cursor: value}})


def test_each_page_is_asked_for_when_it_is_reached() -> None:
    """With the arguments of the first and the cursor of the last; the page itself stays as it is."""
    stub, page = listing("asc", "after", "cursor_1", "cursor_2", None)
    items = page.auto_paging_iter()
    assert [next(items).id, next(items).id] == IDS[:2]
    assert len(stub.requests) == 1
    assert [factor.id for factor in items] == IDS[2:6]
    common = {"limit": "2", "order": "asc"}
    cursors: list[dict[str, str]] = [{}, {"after": "cursor_1"}, {"after": "cursor_2"}]
    assert [request.query for request in stub.requests] == [{**common, **each} for each in cursors]
    assert [factor.id for factor in page] == IDS[:2]


def test_a_list_can_be_iterated_again(mfa: MFA) -> None:
    """Iterating leaves nothing behind in the page."""
    page = mfa.list_user_auth_factors("user_1")
    assert list(page.auto_paging_iter()) == list(page.auto_paging_iter())


def test_an_empty_page_is_no_end() -> None:
    """The cursor says if there is more, not the number of items."""
    pages = iter([page_with("after", len(IDS), "cursor_1"), page_with("after", 0, None)])
    page = MFA(transport=StubTransport(lambda _: next(pages))).list_user_auth_factors("user_1")
    assert [factor.id for factor in page.auto_paging_iter()] == IDS[:2]


@pytest.mark.parametrize(
    ("cursors", "problem"),
    [
        pytest.param(["a", "a"], "the API gave the same page cursor twice", id="twice"),
        pytest.param(["a", "b", "a"], "the API gave the same page cursor twice", id="in a circle"),
        *[
            pytest.param([cursor], "the API gave a page cursor that is not valid", id=ascii(cursor))
            for cursor in ("", " ", "..", "auth_factor_\n", "\ud800")
        ],
    ],
)
@pytest.mark.parametrize(("order", "cursor"), CURSORS)
def test_a_cursor_that_is_wrong_is_the_responses_fault(
    order: Order, cursor: str, cursors: list[str], problem: str
) -> None:
    """A circle would never end, and the caller passed no cursor to correct; what came up to then is handed on."""
    _, page = listing(order, cursor, *cursors)
    seen: list[Factor] = []
    with pytest.raises(UnexpectedResponseError) as caught:
        seen.extend(page.auto_paging_iter())
    assert [factor.id for factor in seen] == IDS[: 2 * len(cursors)]
    assert str(caught.value) == f"{problem} at $.list_metadata.{cursor}"
    assert caught.value.status_code is None
    assert not caught.value.outcome_unknown


@pytest.mark.parametrize(("order", "cursor"), CURSORS)
def test_a_page_without_its_client_says_how_to_go_on(mfa: MFA, order: Order, cursor: str) -> None:
    """One that was stored knows its place in the list, and does not pass for the last one."""
    page = pickle.loads(pickle.dumps(mfa.list_user_auth_factors("user_1", order=order)))  # noqa: S301
    items = page.auto_paging_iter()
    assert [next(items).id for _ in range(10)] == IDS[:14:-1]
    with pytest.raises(RuntimeError, match=rf"in the same order, with .*\(\.\.\., {cursor}=page\.{cursor}\)$"):
        next(items)
