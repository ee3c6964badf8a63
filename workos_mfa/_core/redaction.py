"""What keeps keys, codes and secrets out of reprs, error texts, comparisons and stack frames.

A secret leaks where somebody else's tool looks: a crash reporter reads the locals of every frame,
pytest takes apart two objects that differ, a server's error text repeats what it was sent. Each
piece below prevents one of these.
"""

from __future__ import annotations

import functools
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, TypeVar, cast

import attrs

if TYPE_CHECKING:
    from types import FrameType, TracebackType

T = TypeVar("T")
_F = TypeVar("_F", bound=Callable[..., Any])
_Same = TypeVar("_Same", bound="CopyReturnsSelf")

MASK = "***"

_SHORTEST_SECRET = 4
_LONGEST_SEARCHED = 65_536
_NO_LETTERS = re.compile(r"[\W_]+")

_PACKAGE = "workos_mfa."
_IS_GENERATOR = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR

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


def hide_locals(function: _F) -> _F:
    """Let no exception leave a function with the local variables of the frames that it came through.

    A crash reporter reads them, and below a public method they hold the key, the code and the response. The exception
    keeps its type, its text and its traceback. The frames are emptied, those of a library and of a user's transport
    too. What cannot be emptied is left out of the traceback: this function's own frame, and a generator, which may
    be a user's, and emptying would end it.

    A signal handler's exception may come at any moment, also while another one is dealt with here. So the cleaning up
    stands in two places, and the second one covers the first.
    """

    @functools.wraps(function)
    def guarded(*args: object, **kwargs: object) -> object:
        handled: BaseException | None = None
        try:
            try:
                handled = sys.exc_info()[1]
                return function(*args, **kwargs)
            except BaseException as error:
                _empty_frames(error, handled)
                raise
            finally:
                args, kwargs = (), {}
        except BaseException as error:
            args, kwargs = (), {}
            _empty_frames(error, handled)
            raise

    return cast("_F", guarded)


def without_context(error: BaseException) -> BaseException:
    """The same exception, cut off from those that a library was handling: their texts and attributes hold anything."""
    for link in _tied_to(error):
        _set(link, "__context__", None)
    return error


def _empty_frames(error: BaseException, handled: BaseException | None) -> None:
    # What the caller was handling when it called us is the caller's own.
    apart = None if error is handled else handled
    for link in _tied_to(error, apart_from=apart):
        _set(link, "__traceback__", _emptied(link.__traceback__))
        if link.__context__ is not apart and _was_caught_here(link.__context__):
            _set(link, "__context__", apart if link is error else None)


def _set(error: BaseException, name: str, value: object) -> None:
    # A user's exception may be a frozen dataclass, whose own way refuses it.
    BaseException.__setattr__(error, name, value)


def _tied_to(error: BaseException, *, apart_from: BaseException | None = None) -> Iterator[BaseException]:
    """The exception, its causes and contexts, and those in a group, as they are when their turn comes."""
    pending, seen = [error], {id(error), id(apart_from)}
    while pending:
        link = pending.pop()
        yield link
        grouped: object = getattr(link, "exceptions", ())
        inside = cast("tuple[object, ...]", grouped) if isinstance(grouped, tuple) else ()
        for tied in (link.__cause__, link.__context__, *inside):
            if isinstance(tied, BaseException) and id(tied) not in seen:
                seen.add(id(tied))
                pending.append(tied)


def _emptied(trace: TracebackType | None) -> TracebackType | None:
    traces: list[TracebackType] = []
    while trace is not None:
        traces.append(trace)
        trace = trace.tb_next
    # Python 3.10 raises again with the first of them, even where it is left out: each is linked to what is kept.
    for each in reversed(traces):
        each.tb_next = trace
        if _is_empty(each.tb_frame):
            trace = each
    return trace


def _is_empty(frame: FrameType) -> bool:
    if frame.f_code.co_flags & _IS_GENERATOR:
        return False
    try:
        frame.clear()
    except RuntimeError:  # it is running
        return False
    return True


def _was_caught_here(error: BaseException | None) -> bool:
    """Whether this package caught an exception, such as a JSON parser's, which holds the body."""
    trace = None if error is None else error.__traceback__
    return trace is not None and str(trace.tb_frame.f_globals.get("__name__")).startswith(_PACKAGE)
