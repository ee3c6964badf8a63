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

from workos_mfa.emulator._api.body_fields import Fields
from workos_mfa.emulator._base import ids
from workos_mfa.emulator._settings import Settings
from workos_mfa.emulator._state.records import FactorRecord

_DEFAULT_LIMIT = 10
_GREATEST_LIMIT = 100
_AFTER_ALL_TIME = 1 << 48
_WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")


@attrs.frozen(kw_only=True)
class PageQuery:
    """Which page is asked for. A cursor is the id of a factor that is not on the page."""

    before: str | None
    after: str | None
    limit: int
    order: str


def read_query(query: Mapping[str, str], settings: Settings) -> PageQuery:
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


def page_of(factors: Sequence[FactorRecord], asked: PageQuery) -> tuple[Sequence[FactorRecord], str | None, str | None]:
    """The factors of a page, and its cursors ``before`` and ``after`` where there is more."""
    if asked.order == "normal":
        turned = attrs.evolve(asked, order="desc", before=asked.after, after=asked.before)
        items, after, before = page_of(factors, turned)
        return items, before, after
    ascending = asked.order == "asc"
    ordered = sorted(factors, key=_place, reverse=not ascending)
    places = {factor.id: _place(factor) for factor in ordered}

    def count_before(cursor: str) -> int:
        place = places.get(cursor) or _place_of_deleted(cursor, ascending=ascending)
        return sum(other < place if ascending else other > place for other in places.values())

    start = 0 if asked.after is None else count_before(asked.after) + (asked.after in places)
    end = len(ordered) if asked.before is None else count_before(asked.before)
    if asked.before is not None and asked.after is None:
        start = max(start, end - asked.limit)
    end = min(end, start + asked.limit)
    items = ordered[start:end]
    before = items[0].id if items and start > 0 else None
    after = items[-1].id if items and end < len(ordered) else None
    return items, before, after


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
