"""``workos-mfa emulate``: the emulator as a process, for apps in any language."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import TextIO, TypeAlias, cast

import attrs

from workos_mfa._cli.background_writer import BackgroundWriter
from workos_mfa._cli.output import UsageError
from workos_mfa._core.redaction import Hidden, printable
from workos_mfa.emulator import Call, Emulator, EmulatorServer, Settings, SMSMessage
from workos_mfa.emulator._domain.seeding import settings_in
from workos_mfa.emulator._http.control import record_as_json
from workos_mfa.emulator._http.hosts import is_this_machine
from workos_mfa.emulator._http.server import DEFAULT_API_KEY
from workos_mfa.emulator._settings import SettingsDict, listed, settings_from, value_in

_LONGEST_LINE = 500
_LONGEST_SLEEP = 0.5
# What stops this command: Ctrl-C, or the end of a service.
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Serve the WorkOS MFA API over HTTP, until Ctrl-C. It needs no account and no network."
    parser.epilog = f"settings, each with its default, and with what it takes:\n{listed()}"
    parser.add_argument("--host", default="127.0.0.1", help="the name or address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=4100, help="the port, or 0 for one that is free (%(default)s)")
    parser.add_argument(
        "--api-key",
        type=Hidden,
        default=DEFAULT_API_KEY,
        metavar="KEY",
        help="the key that calls must have (%(default)s)",
    )
    parser.add_argument("--seed", type=Path, metavar="FILE", help="JSON with factors and settings to begin with")
    parser.add_argument(
        "--settings", type=Path, metavar="FILE", help="JSON with settings, as workos-mfa calibrate writes it"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="change a setting, listed below; may be given several times, and goes before those of files",
    )
    parser.add_argument("--state", type=Path, metavar="FILE", help="remember everything in this file, made if missing")
    parser.add_argument("--json", action="store_true", help="tell what happens in JSON, one object a line")
    parser.add_argument(
        "--allow-remote",
        action="store_true",
        help="let others reach it, at any --host and under any name; needs an --api-key of your own",
    )


@attrs.frozen(kw_only=True)
class ServeOptions:
    """The options of the command line."""

    host: str
    port: int
    api_key: Hidden[str]
    seed: Path | None
    settings: Path | None
    set: Sequence[str]
    state: Path | None
    json: bool
    allow_remote: bool


class TextDisplay:
    """Shows people what happens: a line for each call and each text message."""

    def __init__(self, out: TextIO) -> None:
        self._lines = BackgroundWriter(out, lambda count: f"({count} lines are left out here: nobody read them)")

    def started(self, server: EmulatorServer) -> None:
        url, key = server.base_url, server.api_key
        page = " (in a browser: messages and codes)" if server.page_url else ""
        self._lines.write(
            f"The WorkOS MFA emulator answers at {url}{page}. Ctrl-C stops it.",
            "",
            "  workos_mfa, workos (Python):",
            f"    export WORKOS_API_KEY={key} WORKOS_BASE_URL={url}",
            "  @workos-inc/node:",
            f'    new WorkOS("{key}", {{ apiHostname: "{server.host}", port: {server.port}, https: false }})',
            "  any other:",
            f"    base URL {url}, header Authorization: Bearer {key}",
            "  text messages, TOTP codes, clock, faults, calls:",
            f"    curl -H 'Authorization: Bearer {key}' {url}/_emulate/outbox",
            "",
        )

    def call(self, call: Call) -> None:
        status = "no response" if call.status is None else str(call.status)
        notes = [note for note in (call.error_code, call.fault and f"fault: {call.fault}") if note]
        suffix = f" ({', '.join(notes)})" if notes else ""
        self._lines.write(
            printable(f"{call.at:%H:%M:%S} {call.method} {call.path} {status}{suffix}", limit=_LONGEST_LINE)
        )

    def message(self, message: SMSMessage) -> None:
        text = printable(message.text, limit=_LONGEST_LINE)
        self._lines.write(f"{message.sent_at:%H:%M:%S} SMS to {message.to}: {text}")

    def stopped(self) -> None:
        self._lines.close("", "The emulator has stopped.")


class JSONDisplay:
    """Shows programs what happens: a JSON object in each line. Its ``event`` says what it is."""

    def __init__(self, out: TextIO) -> None:
        self._lines = BackgroundWriter(out, lambda count: _event("left_out", {"lines": count}))

    def started(self, server: EmulatorServer) -> None:
        values = {"base_url": server.base_url, "api_key": server.api_key, "pid": os.getpid()}
        self._lines.write(_event("started", values))

    def call(self, call: Call) -> None:
        self._lines.write(_event("call", record_as_json(call)))

    def message(self, message: SMSMessage) -> None:
        self._lines.write(_event("sms", record_as_json(message)))

    def stopped(self) -> None:
        self._lines.close(_event("stopped", {}))


Display: TypeAlias = TextDisplay | JSONDisplay


def _event(event: str, values: Mapping[str, object]) -> str:
    return json.dumps({"event": event, **values})


def run(given: argparse.Namespace) -> int:
    """Run an emulator until a signal stops it.

    :returns: the exit status: 0 if a signal stopped it, 2 if it could not start.
    """
    options = ServeOptions(**{field.name: getattr(given, field.name) for field in attrs.fields(ServeOptions)})
    display: Display = JSONDisplay(sys.stdout) if options.json else TextDisplay(sys.stdout)
    try:
        with _stoppable():
            _serve(options, display)
    except (UsageError, OSError, ValueError, ImportError) as error:
        sys.stderr.write(f"workos-mfa emulate: {_text_of(error)}\n")
        return 2
    return 0


def _serve(options: ServeOptions, display: Display) -> None:
    """Serve until a KeyboardInterrupt."""
    if not options.allow_remote and not is_this_machine(options.host):
        raise UsageError(
            f"{options.host} can be reached by other machines, and whoever reaches an emulator can read its codes; "
            "add --allow-remote and an --api-key of your own if that is what you want"
        )
    if options.allow_remote and options.api_key.value == DEFAULT_API_KEY:
        raise UsageError(
            f"--allow-remote needs an --api-key of your own: {DEFAULT_API_KEY} is known to all, and whoever has the "
            "key can read the codes"
        )
    seed: Mapping[str, object] = {} if options.seed is None else _read_seed(options.seed)
    settings = cast("SettingsDict", attrs.asdict(_settings(options, seed)))
    emulator = Emulator(state=options.state, **settings)
    emulator.seed({name: value for name, value in seed.items() if name != "settings"})
    emulator.outbox.watch(display.message)
    emulator.calls.watch(display.call)
    try:
        app = emulator.wsgi_app.with_api_key(options.api_key.value)
        if options.allow_remote:
            app = app.with_hosts("*")
        with EmulatorServer(app, port=options.port, host=options.host) as server:
            with contextlib.suppress(KeyboardInterrupt):
                display.started(server)
                # In short sleeps, since a signal that another thread receives does not interrupt this one.
                while True:
                    time.sleep(_LONGEST_SLEEP)
            # A second Ctrl-C must not interrupt the closing.
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_IGN)
    finally:
        emulator.close()
    display.stopped()


@contextlib.contextmanager
def _stoppable() -> Generator[None, None, None]:
    """Turn the signals that stop the command into a KeyboardInterrupt; restore their handlers at the end."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in _SIGNALS}
    try:
        with contextlib.suppress(KeyboardInterrupt):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _read_seed(path: Path) -> Mapping[str, object]:
    try:
        seed: object = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: it is not JSON: {error}") from None
    if not isinstance(seed, dict):
        raise UsageError(f"{path}: a seed is a JSON object")
    return cast("dict[str, object]", seed)


def _settings(options: ServeOptions, seed: Mapping[str, object]) -> Settings:
    """The settings: those of the command line, then the seed, then the file of settings, then the defaults."""
    values: dict[str, object] = {}
    for text in options.set:
        name, sign, value = text.partition("=")
        if not sign:
            raise UsageError("--set takes NAME=VALUE, such as --set max_wrong_codes=3")
        if name in values:
            raise UsageError(f"--set {name}: it is there twice; say it once")
        values[name] = value_in(name, value)
    return settings_from(
        values, settings_in(seed, None if options.settings is None else Settings.from_file(options.settings))
    )


def _text_of(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
