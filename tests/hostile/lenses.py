"""What other people's tools make of an error: each gives all the text that it would show or send."""

from __future__ import annotations

import copy
import io
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any

import pytest
import rich.console
import rich.traceback

from tests.transports.api import SENTINELS

Trace = tuple[type[BaseException], BaseException, TracebackType | None]


def trace_of(error: BaseException) -> Trace:
    """The three parts that older interfaces take an error in."""
    return type(error), error, error.__traceback__


def with_sentry(error: BaseException) -> str:
    """The event that Sentry's SDK would send, with the locals of every frame; nothing is sent."""
    sentry = pytest.importorskip("sentry_sdk", reason="sentry-sdk is not installed")
    sent: list[Any] = []

    class Captured(sentry.transport.Transport):  # type: ignore[name-defined,misc]
        def capture_envelope(self, envelope: Any) -> None:
            sent.append(envelope)

    settings = {"include_local_variables": True, "max_value_length": 100_000}
    client = sentry.Client(
        dsn="http://key@localhost/1",
        transport=Captured,
        default_integrations=False,
        auto_session_tracking=False,
        **settings,
    )
    event, hint = sentry.utils.event_from_exception(trace_of(error), client_options=client.options)
    client.capture_event(event, hint)
    client.close()
    (envelope,) = sent
    return json.dumps(envelope.get_event())


def with_rich(error: BaseException) -> str:
    """A traceback of rich's, with locals as long as they are."""
    shown = rich.traceback.Traceback.from_exception(
        *trace_of(error),
        show_locals=True,
        locals_max_length=100_000,
        locals_max_string=100_000,
        locals_hide_dunder=False,
        locals_hide_sunder=False,
    )
    console = rich.console.Console(file=io.StringIO(), width=2000)
    console.print(shown)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def with_captured_locals(error: BaseException) -> str:
    """The standard library's traceback, with locals."""
    return "".join(traceback.TracebackException(*trace_of(error), capture_locals=True).format())


def with_logging(error: BaseException) -> str:
    """What ``logging.exception`` writes, and every attribute of its record."""
    stream = io.StringIO()
    logger = logging.Logger("app")  # noqa: LOG001 - one that nobody else has
    logger.addHandler(logging.StreamHandler(stream))
    try:
        raise error
    except type(error):
        logger.exception("a call failed: %s, %r", error, error)
    return stream.getvalue()


def with_copies(error: BaseException) -> str:
    """A copy, a deep copy and an unpickled one; each is as good as the original."""
    copies = [copy.copy(error), copy.deepcopy(error)]
    copies += [pickle.loads(pickle.dumps(error, protocol)) for protocol in range(6)]  # noqa: S301 - our own
    for twin in copies:
        assert type(twin) is type(error)
        assert (str(twin), twin.args, vars(twin)) == (str(error), error.args, vars(error))
    return "".join(f"{twin!r} {vars(twin)}" for twin in copies) + pickle.dumps(error).decode("latin-1")


def with_notes(error: BaseException) -> str:
    """Its notes, on the Pythons that have them."""
    return repr(getattr(error, "__notes__", ""))


def with_rich_repr(error: BaseException) -> str:
    """The error, its attributes and its attempts, as ``rich.print`` shows them."""
    return printed_by_rich(error, vars(error), getattr(error, "attempts", ()))


def printed_by_rich(*values: object) -> str:
    """What ``rich.print`` shows of values."""
    console = rich.console.Console(file=io.StringIO(), width=2000)
    console.print(*values)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


LENSES: dict[str, Callable[[BaseException], str]] = {
    "sentry-sdk": with_sentry,
    "rich traceback": with_rich,
    "capture_locals": with_captured_locals,
    "logging.exception": with_logging,
    "copies": with_copies,
    "notes": with_notes,
    "rich.print": with_rich_repr,
}


def shown(text: str) -> list[str]:
    """The sentinels in a text."""
    return [sentinel for sentinel in SENTINELS if sentinel in text]
