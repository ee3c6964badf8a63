"""A page of a list, between two cursors.

Ids sort in the order in which they were made, so a cursor is compared, not looked up: the page after a
factor that has been deleted meanwhile is still the right one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import attrs

from workos_mfa.emulator import ids
from workos_mfa.emulator.fields import Fields
from workos_mfa.emulator.settings import Settings
from workos_mfa.emulator.state import FactorRecord

_DEFAULT_LIMIT = 10
_GREATEST_LIMIT = 100
_WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")


@attrs.frozen(kw_only=True)
class PageQuery:
    """Which page is asked for."""

    before: str | None
    after: str | None
    limit: int
    ascending: bool


@attrs.frozen(kw_only=True)
class FactorPage:
    """The factors of one page, and the cursors of its neighbours where there are any."""

    items: Sequence[FactorRecord]
    before: str | None
    after: str | None


def read_query(query: Mapping[str, str], settings: Settings) -> PageQuery:
    """Which page is asked for.

    :raises Refusal: if a parameter is unknown or has a value that makes no sense.
    """
    fields = Fields(query, settings)
    fields.only(("before", "after", "limit", "order"))
    order = fields.one_of("order", ("normal", "desc", "asc")) if "order" in query else "normal"
    asked = PageQuery(
        before=_cursor(fields, "before"),
        after=_cursor(fields, "after"),
        limit=_limit(fields, query),
        ascending=order == "asc",
    )
    fields.refuse_if_wrong()
    return asked


def page_of(factors: Sequence[FactorRecord], asked: PageQuery) -> FactorPage:
    """The page of these factors that is asked for."""
    ordered = sorted(factors, key=lambda factor: factor.id, reverse=not asked.ascending)

    def comes_after(factor: FactorRecord, cursor: str) -> bool:
        return factor.id > cursor if asked.ascending else factor.id < cursor

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


def _cursor(fields: Fields, name: str) -> str | None:
    cursor = fields.optional(name)
    if cursor and not cursor.startswith(ids.FACTOR):
        fields.object_to(name, f"{name} must be the id of an authentication factor")
    return cursor


def _limit(fields: Fields, query: Mapping[str, str]) -> int:
    text = query.get("limit", str(_DEFAULT_LIMIT))
    if _WHOLE_NUMBER.fullmatch(text) and 1 <= int(text) <= _GREATEST_LIMIT:
        return int(text)
    fields.object_to("limit", f"limit must be an integer number from 1 to {_GREATEST_LIMIT}")
    return _DEFAULT_LIMIT
