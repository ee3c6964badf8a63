"""Requests and responses as values, and what a response reads from its headers."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPHeaderDict

from workos_mfa import MAX_BODY, Options, Request, Response

NOON = "Thu, 15 Jan 2026 12:00:00 GMT"


@pytest.mark.parametrize("mapping", [dict, CaseInsensitiveDict, HTTPHeaderDict])
def test_any_mapping_of_headers_comes_in(mapping: type[dict[str, str]]) -> None:
    """The names are lower-cased inside, whatever an HTTP library has for headers."""
    headers: Mapping[str, str] = mapping({"X-Request-ID": "req_1", "RETRY-after": "2"})
    response = Response(429, headers)
    assert response.headers == {"x-request-id": "req_1", "retry-after": "2"}
    assert (response.request_id, response.retry_after) == ("req_1", 2.0)


def test_a_response_may_be_its_status_alone() -> None:
    """A stub need not say more."""
    response = Response(204)
    assert (response.headers, response.body, response.attempts) == ({}, b"", ())
    assert (response.request_id, response.retry_after) == (None, None)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "120"}, 120.0),
        ({"Retry-After": " 5 "}, 5.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "Thu, 15 Jan 2026 12:00:30 GMT", "Date": NOON}, 30.0),
        ({"Retry-After": "Thu, 15 Jan 2026 13:00:30 +0100", "Date": NOON}, 30.0),
        ({"Retry-After": "Thursday, 15-Jan-26 12:00:30 GMT", "Date": NOON}, 30.0),
        ({"Retry-After": "Thu, 15 Jan 2026 11:00:00 GMT", "Date": NOON}, 0.0),
        ({"Retry-After": "Mon, 01 Jan 2001 00:00:00 GMT"}, 0.0),
    ],
)
def test_retry_after_in_seconds_or_as_a_date(headers: dict[str, str], seconds: float) -> None:
    """A date counts from the response's own Date, so that a clock that is wrong here does not matter."""
    assert Response(429, headers).retry_after == seconds


def test_a_retry_after_date_without_a_date_header_counts_from_now() -> None:
    """A server without Date leaves only our clock."""
    seconds = Response(429, {"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"}).retry_after
    assert seconds is not None
    assert seconds > 3600


UNREADABLE = [
    "", " ", "soon", "-1", "+1", "1e3", "0x10", "1.2.3", ".", "nan", "inf", "1_000", "٣", "²", "9" * 400,
    "Thu, 99 Jan 2026 12:00:00 GMT", "Thu, 15 Jan 2026 12:00:00 -0000", "Thu, 15 Jan 99999 12:00:00 GMT",
    "Thu, 15 Jan 2026 12:00:00 +9999",
]  # fmt: skip


@pytest.mark.parametrize("value", UNREADABLE)
def test_a_retry_after_that_cannot_be_read_is_none(value: str) -> None:
    """A header that makes no sense is as good as none, and so is a date that counts from an unreadable one."""
    assert Response(429, {"Retry-After": value, "Date": NOON}).retry_after is None
    assert (
        Response(429, {"Retry-After": "Thu, 15 Jan 2026 12:00:30 GMT", "Date": value or "yesterday"}).retry_after
        is None
    )


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        (b'{"retry_after": 30}', 30.0),
        (b'{"message": "Too many requests.", "retry_after": 1.5}', 1.5),
        (b'{"retry_after": 0}', 0.0),
        (b'{"retry_after": -1}', None),
        (b'{"retry_after": -0.5}', None),
        (b'{"retry_after": true}', None),
        (b'{"retry_after": "30"}', None),
        (b'{"retry_after": null}', None),
        (b'{"retry_after": [30]}', None),
        (b'{"retry_after": NaN}', None),
        (b'{"retry_after": Infinity}', None),
        (b'{"retry_after": 1e999}', None),
        (b'{"retry_after": 1%s}' % (b"0" * 400), None),
        (b'{"retry_after": 1%s}' % (b"0" * 5000), None),
        (b'{"error": {"retry_after": 30}}', None),
        (b'{"retry_after": 30', None),
        (b"[30]", None),
        (b"30", None),
        (b'"Ratelimited"', None),
        (b"<html>", None),
        (b"\xff", None),
        (b"[" * 100_000, None),
        (b"", None),
        (b'{"retry_after": 30}'.ljust(MAX_BODY), 30.0),
        (b'{"retry_after": 30}'.ljust(MAX_BODY + 1), None),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_429_may_say_it_in_its_body(body: bytes, seconds: float | None) -> None:
    """Where there is no header, and only in a number that one can wait for; other responses may mean something else."""
    assert Response(429, {}, body).retry_after == seconds
    assert Response(429, {"Retry-After": "7"}, body).retry_after == 7.0
    assert Response(429, {"Retry-After": "soon"}, body).retry_after is None
    assert Response(503, {}, body).retry_after is None


@given(st.text(max_size=60), st.one_of(st.none(), st.text(max_size=60)))
def test_no_header_breaks_a_response(retry_after: str, date: str | None) -> None:
    """A header is the server's to write, and nobody else's to fail on."""
    headers = {"Retry-After": retry_after} if date is None else {"Retry-After": retry_after, "Date": date}
    seconds = Response(429, headers).retry_after
    assert seconds is None or seconds >= 0


DATE_LIKE = st.lists(
    st.sampled_from(
        ["Thu", ",", " ", "15", "Jan", "-", "2026", "12:00:00", ":", "GMT", "+0100", "(", ")", "\\", "99999"]
    )
).map("".join)


@given(DATE_LIKE, DATE_LIKE)
def test_no_date_like_header_breaks_a_response(retry_after: str, date: str) -> None:
    """The parts of a date in any order are read or not, and never fail."""
    seconds = Response(429, {"Retry-After": retry_after, "Date": date}).retry_after
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("7f6a2c1e-0000", "7f6a2c1e-0000"),
        ("", None),
        ("a\r\nX-Forged: b", "a  X-Forged: b"),
        ("\x1b[31mred", " [31mred"),
        ("sk_live_abcdef123", "***"),
        ("x" * 200, "x" * 127 + "…"),
    ],
)
def test_a_request_id_is_one_short_line(value: str, shown: str | None) -> None:
    """It stands at the end of texts and in logs, so nothing that a server puts there can forge a line."""
    assert Response(500, {"X-Request-Id": value}).request_id == shown


def test_a_request_acts_once_unless_it_says_otherwise() -> None:
    """Who makes a request by hand gets the careful default."""
    request = Request("op", "POST", "/p", "/p")
    assert (request.replay, request.query, request.json, request.options) == ("non_idempotent", {}, None, Options())
    assert Options() == Options(timeout=None, deadline=None, max_attempts=None)
