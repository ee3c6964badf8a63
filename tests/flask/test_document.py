"""An account's document as a text: what was written is read, and nothing else is."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.flask.texts import FULL, FULL_TEXT, UNREADABLE
from workos_mfa.flask._second_factor.document import Document, DocumentError, read, write


@pytest.mark.parametrize("document", [Document(), FULL])
def test_what_was_written_is_read(document: Document) -> None:
    """All of it comes back, of whatever there is."""
    assert read(write(document)) == document


def test_the_text_of_this_release_is_read() -> None:
    """What an app has stored can be read by the next release: its form does not change unnoticed."""
    assert read(FULL_TEXT) == FULL
    written, stored = json.loads(write(FULL)), json.loads(FULL_TEXT)
    assert {**written, "revision": ""} == {**stored, "revision": ""}


def test_no_two_texts_are_the_same() -> None:
    """A document that was changed and changed back is another text, so that a store that compares texts sees it."""
    assert len({write(FULL) for _ in range(100)}) == 100


def test_no_two_generations_are_the_same() -> None:
    """A document that nobody has saved yet has a generation that nobody guesses."""
    assert len({Document().generation for _ in range(100)}) == 100
    assert len(Document().generation) == 32


@pytest.mark.parametrize(("factor_id", "found"), [("auth_factor_1", True), ("auth_factor_9", False), (None, False)])
def test_a_factor_by_its_id(factor_id: str | None, found: bool) -> None:  # noqa: FBT001 - from a table
    """Only one that counts is found; the one that waits for its first code does not count yet."""
    assert (FULL.factor(factor_id) is not None) is found


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_is_not_ours_is_not_read(text: str) -> None:
    """Damaged, of another release or something else: it is an error, and never an account without a factor."""
    with pytest.raises(DocumentError):
        read(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("not JSON", "the document can't be read: JSONDecodeError"),
        (FULL_TEXT.replace('"version": 1', '"version": 2'), "the document is not one of this release"),
        (FULL_TEXT.replace('"to_delete"', '"deleted"'), "this is no Document of this release"),
        (FULL_TEXT.replace('"step"', '"steps"'), "this is no Enrolment of this release"),
    ],
)
def test_the_error_says_what_is_wrong(text: str, problem: str) -> None:
    """So that whoever reads the log knows where to look."""
    with pytest.raises(DocumentError, match=f"^{problem}$"):
        read(text)


def test_a_cut_text_is_not_read() -> None:
    """Wherever it was cut, as by a column that is too short."""
    for length in range(len(FULL_TEXT)):
        with pytest.raises(DocumentError):
            read(FULL_TEXT[:length])


def test_the_error_does_not_show_the_document() -> None:
    """It is logged, and hashes are nobody's business."""
    with pytest.raises(DocumentError) as caught:
        read(FULL_TEXT.replace('"since": 1.0', '"since": "the hash"'))
    assert "the hash" not in str(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths to all that is in a JSON value."""
    yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in pairs:
        yield from places(each, (*path, key))


def changed(path: tuple[str | int, ...], value: object) -> Any:
    """The text's JSON value with another one at this place."""
    root = {"": copy.deepcopy(json.loads(FULL_TEXT))}
    *way, last = ("", *path)
    there: Any = root
    for key in way:
        there = there[key]
    there[last] = value
    return root[""]


PLACES = [path for path in places(json.loads(FULL_TEXT)) if path != ("revision",)]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda each: st.lists(each, max_size=2) | st.dictionaries(st.text(), each, max_size=2),
    max_leaves=4,
)


def at(path: tuple[str | int, ...]) -> Any:
    """What the text has in this place."""
    value = json.loads(FULL_TEXT)
    for key in path:
        value = value[key]
    return value


CAN_BE_NONE = {"enrolment", "permit", "proved", "support_code", "target"}
KINDS: dict[type, list[object]] = {
    # what is none of a kind
    str: [None, True, 1, [], ["text"], {}],
    int: [None, True, "1", [], [1], {}],
    float: [None, True, "1", [], [1], {}],
    list: [None, True, 1, "text", [None], [1], [[]], [["text"]], [{}], {}, {"0": "text"}],
    dict: [None, True, 1, "text", [], [{}], {}, {"0": "text"}],
}


@pytest.mark.parametrize("path", [path for path in PLACES if path and at(path) is not None], ids=str)
def test_a_value_of_another_type_is_not_read(path: tuple[str | int, ...]) -> None:
    """In whatever place it is."""
    for value in KINDS[type(at(path))]:
        if value is None and path[-1] in CAN_BE_NONE:
            read(json.dumps(changed(path, value)))
            continue
        with pytest.raises(DocumentError):
            read(json.dumps(changed(path, value)))


@given(path=st.sampled_from(PLACES), value=JSON)
def test_a_value_is_read_as_it_is_or_not_at_all(path: tuple[str | int, ...], value: object) -> None:
    """Whatever stands in a place is read as it is, or the whole document is not: nothing is dropped or taken for
    something else.
    """
    wanted = changed(path, value)
    try:
        document = read(json.dumps(wanted))
    except DocumentError:
        return
    assert json.dumps({**json.loads(write(document)), "revision": ""}) == json.dumps({**wanted, "revision": ""})


@pytest.mark.parametrize("path", [path for path in PLACES if path and isinstance(path[-1], str)])
def test_a_name_that_is_missing_or_new_is_not_read(path: tuple[str | int, ...]) -> None:
    """Each name is there and no other: one that this release does not know may be a rule that it would break."""
    *way, last = path
    for has_new in (False, True):
        value = json.loads(FULL_TEXT)
        there = value
        for key in way:
            there = there[key]
        there["unknown"] = there[last]
        if not has_new:
            del there["unknown"], there[last]
        with pytest.raises(DocumentError):
            read(json.dumps(value))


def test_a_number_that_is_no_time_is_not_read() -> None:
    """A session that never ends can't be made of a number that has no end."""
    for number in ("NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400, "true"):
        with pytest.raises(DocumentError):
            read(FULL_TEXT.replace('"since": 1.0', f'"since": {number}'))


def test_nothing_in_a_document_can_be_changed_in_place() -> None:
    """A rule gives a new document, so what was loaded stays what it was if the rule refuses."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        FULL.generation = ""  # type: ignore[misc]
