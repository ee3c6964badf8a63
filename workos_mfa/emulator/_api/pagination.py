"""A page of a list, between two cursors.

``order=normal`` is newest first as ``desc`` is, with the cursors the other way round: ``before`` leads to older
factors and ``after`` to newer ones.

Factors sort by the time at which they were made and by their ids within it. A cursor whose factor has been
deleted meanwhile still has its place, by the time in its id. Only a pinned id of another form has lost it; it
then stands at the end, so that who pages through a list comes to an end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import attrs

from workos_mfa.emulator._api.validation import Fields
from workos_mfa.emulator._base import ids
from workos_mfa.emulator._settings import Settings
from workos_mfa.emulator._state.records import FactorRecord

_DEFAULT_LIMIT = 10
_GREATEST_LIMIT = 100
_AFTER_ALL_TIME = 1 << 48
_WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")


@attrs.frozen(kw_only=True)
class PageQuery:
    """Which page is asked for.

    :param before: the cursor that the page ends before.
    :param after: the cursor that the page begins after.
    :param limit: the greatest number of factors.
    :param order: ``"normal"``, ``"desc"`` or ``"asc"``.
    """

    before: str | None
    after: str | None
    limit: int
    order: str


@attrs.frozen(kw_only=True)
class FactorPage:
    """The factors of one page, and the cursors of its neighbours where there are any."""

    items: Sequence[FactorRecord]
    before: str | None
    after: str | None


def read_query(query: Mapping[str, str], settings: Settings) -> PageQuery:
    """Which page is asked for.

    :raises ErrorResponse: if a parameter is unknown or has a value that makes no sense.
    """
    fields = Fields(query, settings)
    fields.only(("before", "after", "limit", "order"))
    asked = PageQuery(
        before=_cursor(fields, "before"),
        after=_cursor(fields, "after"),
        limit=_limit(fields, query),
        order=fields.one_of("order", ("normal", "desc", "asc")) if "order" in query else settings.list_order,
    )
    fields.check()
    return asked


def page_of(factors: Sequence[FactorRecord], asked: PageQuery) -> FactorPage:
    """The page of these factors that is asked for."""
    if asked.order == "normal":
        page = page_of(factors, attrs.evolve(asked, order="desc", before=asked.after, after=asked.before))
        return attrs.evolve(page, before=page.after, after=page.before)
    ascending = asked.order == "asc"
    ordered = sorted(factors, key=_place, reverse=not ascending)
    places = {factor.id: _place(factor) for factor in ordered}

    def comes_after(factor: FactorRecord, cursor: str) -> bool:
        place = places.get(cursor) or _place_of_deleted(cursor, ascending=ascending)
        return _place(factor) > place if ascending else _place(factor) < place

    start = 0
    end = len(ordered)
    if asked.after is not None:
        start = sum(not comes_after(factor, asked.after) for factor in ordered)
    if asked.before is not None:
        end = sum(factor.id != asked.before and not comes_after(factor, asked.before) for factor in ordered)
    if asked.before is not None and asked.after is None:
        start = max(start, end - asked.limit)
    end = min(end, start + asked.limit)
    items = ordered[start:end]
    return FactorPage(
        items=items,
        before=items[0].id if items and start > 0 else None,
        after=items[-1].id if items and end < len(ordered) else None,
    )


def _place(factor: FactorRecord) -> tuple[int, str]:
    return ids.milliseconds(factor.created_at), factor.id


def _place_of_deleted(cursor: str, *, ascending: bool) -> tuple[int, str]:
    time = ids.time_in(cursor)
    if time is not None:
        return time, cursor
    return (_AFTER_ALL_TIME if ascending else 0), cursor


def _cursor(fields: Fields, name: str) -> str | None:
    cursor = fields.optional(name)
    if cursor and not cursor.startswith(ids.FACTOR):
        fields.problem(name, f"{name} must be the id of an authentication factor")
    return cursor


def _limit(fields: Fields, query: Mapping[str, str]) -> int:
    text = query.get("limit", str(_DEFAULT_LIMIT))
    if _WHOLE_NUMBER.fullmatch(text) and 1 <= int(text) <= _GREATEST_LIMIT:
        return int(text)
    fields.problem("limit", f"limit must be an integer number from 1 to {_GREATEST_LIMIT}")
    return _DEFAULT_LIMIT
