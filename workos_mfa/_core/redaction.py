"""What keeps keys, codes and secrets out of reprs, error texts, comparisons and stack frames.

A secret leaks where somebody else's tool looks: a crash reporter reads the locals of every frame,
pytest takes apart two objects that differ, a server's error text repeats what it was sent. Each
piece below closes one of those doors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import ClassVar, Generic, NoReturn, TypeVar, cast

import attrs

T = TypeVar("T")
_Same = TypeVar("_Same", bound="CopyReturnsSelf")

MASK = "***"

_SHORTEST_SECRET = 4
_LONGEST_SEARCHED = 65_536
_NO_LETTERS = re.compile(r"[\W_]+")

_START_OF_KEY = "sk_"
_ANY_KEY = re.compile(r"sk_(?:live|test)_[A-Za-z0-9_]+|(?<![A-Za-z0-9_])sk_[A-Za-z0-9_]{4,}", re.IGNORECASE)


class Hidden(Generic[T]):
    """A value that a frame may hold as a local variable without showing it to a crash reporter."""

    __slots__ = ("value",)

    value: T

    def __init__(self, value: T) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "<hidden>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a hidden value is not pickled")


class NoDiffEquality:
    """Equality by value for attrs classes with hidden fields.

    pytest shows the differing fields of two attrs objects if attrs wrote their ``__eq__``, whether
    or not a field's repr is hidden. It leaves a hand-written ``__eq__`` alone.
    """

    __slots__ = ()

    __attrs_attrs__: ClassVar[tuple[attrs.Attribute[object], ...]]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NoDiffEquality) or type(other) is not type(self):
            return NotImplemented
        return _values(self) == _values(other)

    def __hash__(self) -> int:
        return hash(_values(self))


class CopyReturnsSelf(NoDiffEquality):
    """What may be handed about in a process, copied or not, and refuses to be pickled where it holds a secret."""

    __slots__ = ()

    def __copy__(self: _Same) -> _Same:
        return self

    def __deepcopy__(self: _Same, memo: dict[int, object]) -> _Same:
        return self


def _values(instance: NoDiffEquality) -> tuple[object, ...]:
    return tuple(getattr(instance, field.name) for field in instance.__attrs_attrs__ if field.eq)


def printable(text: str, *, limit: int) -> str:
    """The text on one line, without control characters, no longer than ``limit`` characters.

    A server's text goes into logs and terminals; a line break in it would forge a log line.
    """
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def masked(text: str, sent: Iterable[str]) -> str:
    """The text with every value of ``sent``, and whatever looks like a key, replaced by a mask.

    A value is found by its letters and digits, however it is grouped and whatever the case: a code comes back as
    "123 456" too, and a secret without the spaces it was typed with. A value of a few characters is no secret, and
    masking it would only spoil the text.
    """
    for value in sorted(sent, key=len, reverse=True):
        letters = _letters(value)
        if len(letters) >= _SHORTEST_SECRET:
            text = _without(text, letters)
    return _ANY_KEY.sub(MASK, text) if _START_OF_KEY in text.casefold() else text


def _letters(text: str) -> str:
    # Most of what comes here has nothing but hyphens between its letters, and a pattern would cost three times as much.
    letters = text.casefold().replace("-", "")
    return letters if letters.isalnum() else _NO_LETTERS.sub("", letters)


def _without(text: str, letters: str) -> str:
    found = _letters(text)
    start = found.find(letters)
    if start < 0:
        return text
    if len(text) > _LONGEST_SEARCHED:
        return MASK
    places = [place for place, character in enumerate(text) for _ in _letters(character)]
    parts, done = [""], 0
    while start >= 0:
        end = start + len(letters)
        parts += text[done : places[start]], MASK
        done = places[end - 1] + 1
        start = found.find(letters, end)
    return "".join([*parts, text[done:]])


def masked_phone(number: str) -> str:
    """A phone number that a person can recognise and nobody else can call."""
    return repr(f"{number[:2]}{MASK}{number[-4:]}" if len(number) > 8 else MASK)


def without_frames(error: BaseException) -> BaseException:
    """The same exception, cut off from the frames and exceptions of the library it came through.

    A worker's time limit or Ctrl-C that arrives inside I/O passes through frames of an HTTP library
    whose locals hold the headers and the body. The exception keeps its type and its text.
    """
    pending, seen = [error], set[int]()
    while pending:
        link = pending.pop()
        if id(link) not in seen:
            seen.add(id(link))
            link.__traceback__ = link.__context__ = None
            grouped: object = getattr(link, "exceptions", ())
            inside = (link.__cause__, *(cast("tuple[object, ...]", grouped) if isinstance(grouped, tuple) else ()))
            pending.extend(part for part in inside if isinstance(part, BaseException))
    return error


def unseen(work: Callable[[], T]) -> T:
    """What comes of some work with secrets in its frames; whatever is raised meanwhile leaves those frames behind."""
    try:
        return work()
    except BaseException as caught:  # noqa: BLE001 - raised again below, out of reach of those frames
        surfacing = without_frames(caught)
    try:
        raise surfacing
    finally:
        del surfacing
