"""What an error shows to whoever looks: a log, a crash reporter, a debugger, a queue that pickles it."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable, Iterator

import pytest

from workos_mfa import MFAError


def error_of(call: Callable[[], object]) -> MFAError:
    """The error of a call, with its traceback."""
    with pytest.raises(MFAError) as caught:
        call()
    return caught.value


def shows(error: BaseException, *values: str) -> list[str]:
    """Which of the values an error shows anywhere."""
    texts = [*texts_of(error)]
    return [value for value in values if any(value in text for text in texts)]


def texts_of(error: BaseException) -> Iterator[str]:
    """Everything that can be read from an error, its causes and contexts, and the locals of their frames."""
    yield str(error)
    yield repr(error)
    yield repr(error.args)
    yield repr(vars(error))
    yield "".join(traceback.format_exception_only(error))
    yield pickle.dumps(error).decode("latin-1")
    yield from locals_below(error)
    for other in (error.__cause__, error.__context__):
        if other is not None:
            yield from texts_of(other)


def locals_below(error: BaseException) -> Iterator[str]:
    """The locals of the package's frames, and of all frames that these called.

    The frames above are the caller's own, and what they hold is the caller's business.
    """
    is_below = False
    for frame, _ in traceback.walk_tb(error.__traceback__):
        is_below = is_below or frame.f_globals["__name__"].partition(".")[0] == "workos_mfa"
        if is_below:
            yield from map(repr, frame.f_locals.values())
