"""The life of a server: it answers when it is there, and nothing is left of it afterwards."""

from __future__ import annotations

import contextlib
import errno
import gc
import socket
import socketserver
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.http.client import Client
from tests.loopback import wait_until
from workos_mfa import MFA, Emulator
from workos_mfa.emulator import EmulatorServer


def _threads() -> set[threading.Thread]:
    return set(threading.enumerate())


def test_the_client_works_with_it(emulator: Emulator, server: EmulatorServer) -> None:
    """What the README shows: base URL and key of the server are those that a client takes."""
    with MFA(server.api_key, base_url=server.base_url) as mfa:
        factor = mfa.enroll_factor(type="totp", issuer="Foo Corp", user="alan.turing@example.com")
        challenge = mfa.challenge_factor(factor.id)
        assert mfa.verify_challenge(challenge.id, code=emulator.totp_code(factor.id))
    assert [call.status for call in emulator.calls] == [201, 201, 201]


@pytest.mark.parametrize(
    ("host", "shown"),
    [("127.0.0.1", "127.0.0.1"), ("localhost", "localhost"), ("0.0.0.0", "127.0.0.1"), ("::1", "[::1]")],  # noqa: S104
)
def test_it_says_where_it_is(emulator: Emulator, host: str, shown: str) -> None:
    """Address, port and key can be read off it, and the base URL be used as it is; closing it twice is no error."""
    if ":" in host and not _has_ipv6():  # pragma: no cover
        pytest.skip("this machine has no IPv6 loopback")
    with emulator.serve(host=host, api_key="sk_test_mine") as server:
        assert server.base_url == f"http://{shown}:{server.port}"
        assert (server.host, server.api_key) == (shown.strip("[]"), "sk_test_mine")
        assert repr(server) == f"<EmulatorServer at {server.base_url}>"
        with contextlib.closing(Client(server.base_url, "sk_test_mine")) as client:
            assert client.get("/auth/factors/x").status == 404
    server.close()


def _has_ipv6() -> bool:
    with contextlib.suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        return True
    return False  # pragma: no cover


def test_one_emulator_may_have_several_servers(emulator: Emulator, server: EmulatorServer) -> None:
    """Two servers before one emulator show the same factors."""
    with emulator.serve() as other:
        one = Client(server.base_url, server.api_key)
        two = Client(other.base_url, other.api_key)
        with contextlib.closing(one), contextlib.closing(two):
            factor = one.post("/auth/factors/enroll", {"type": "generic_otp"}).json
            assert two.get(f"/auth/factors/{factor['id']}").json == factor


def test_nothing_is_left_behind(emulator: Emulator) -> None:
    """After closing there is no thread, no socket and nobody on the port, open connections or not."""
    before = _threads()
    server = emulator.serve()
    clients = [Client(server.base_url, server.api_key) for _ in range(5)]
    for client in clients:
        assert client.get("/health").status == 200
    started = time.monotonic()
    server.close()
    assert time.monotonic() - started < 5
    assert _threads() == before
    for client in clients:
        assert client.socket is not None
        assert client.socket.recv(1) == b""
        client.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=5)
    # A socket that nobody closed would warn here, and a warning is an error.
    gc.collect()


def test_a_port_can_be_had_again_at_once(emulator: Emulator) -> None:
    """A server that was closed leaves its port free, used connections or not."""
    with emulator.serve() as first, contextlib.closing(Client(first.base_url, first.api_key)) as client:
        assert client.get("/health").status == 200
    with emulator.serve(port=first.port) as second:
        assert second.port == first.port


def test_closing_does_not_wait_for_a_delay(emulator: Emulator) -> None:
    """A response that is to come in an hour is not waited for."""
    emulator.faults.delay(3600)
    lost: list[type[BaseException]] = []
    with emulator.serve() as server:
        client = Client(server.base_url, server.api_key)

        def ask() -> None:
            try:
                client.get("/auth/factors/x")
            except OSError as error:
                lost.append(type(error))
            finally:
                client.close()

        thread = threading.Thread(target=ask)
        thread.start()
        wait_until(lambda: len(emulator.calls) == 1)
    thread.join(5)
    assert not thread.is_alive()
    assert len(lost) == 1


def test_a_taken_port_is_an_error_at_once(emulator: Emulator, server: EmulatorServer) -> None:
    """A port that is in use is told so, with what to do, and nothing is started."""
    before = _threads()
    with pytest.raises(OSError, match=rf"can't listen on 127.0.0.1, port {server.port}: .* choose another") as caught:
        emulator.serve(port=server.port)
    assert caught.value.errno == errno.EADDRINUSE
    assert _threads() == before


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"port": -1}, ValueError, "-1 is no port"),
        ({"port": 65536}, ValueError, "65536 is no port"),
        ({"host": "256.0.0.1"}, OSError, "can't listen on 256.0.0.1, port 0: "),
        ({"api_key": ""}, ValueError, "one word"),
        ({"api_key": "sk test"}, ValueError, "one word"),
        ({"api_key": "sk_test\n"}, ValueError, "one word"),
        ({"api_key": "sk_live_sentinel"}, ValueError, "sk_live_ is one of production"),
    ],
)
def test_what_can_not_be_served_is_refused(
    emulator: Emulator, arguments: Any, error: type[Exception], text: str
) -> None:
    """A port, host or key that can't be is refused with a reason, and the key is not shown."""
    with pytest.raises(error, match=text) as caught:
        emulator.serve(**arguments)
    assert "sentinel" not in str(caught.value)


def test_without_werkzeug_it_says_what_to_install(tmp_path: Path) -> None:
    """Where werkzeug is missing, serving names the extra, and the emulator in process works all the same."""
    program = (
        "import sys; sys.modules['werkzeug'] = None\n"
        "from workos_mfa import MFA, Emulator\n"
        "emulator = Emulator()\n"
        "MFA(transport=emulator).enroll_factor(type='generic_otp')\n"
        "for serve in (emulator.serve, lambda: emulator.wsgi_app):\n"
        "    try:\n"
        "        serve()\n"
        "    except ImportError as error:\n"
        "        print(error)\n"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-W", "error", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.count("pip install 'workos-mfa[emulator]'") == 2


def test_without_werkzeug_the_error_has_its_cause(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """For who has werkzeug and wonders."""
    monkeypatch.setitem(sys.modules, "werkzeug", None)
    with pytest.raises(ImportError, match=r"workos-mfa\[emulator\]") as caught:
        emulator.serve()
    assert isinstance(caught.value.__cause__, ImportError)


def test_a_failing_connection_is_told_to_the_log(
    server: EmulatorServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What nobody foresaw in a connection goes to the log, not to the terminal, and the others go on."""
    monkeypatch.setattr(socketserver.BaseServer, "finish_request", _failing)
    client = Client(server.base_url, server.api_key)
    with contextlib.closing(client), pytest.raises(OSError, match=r".*"):
        client.get("/health")
    wait_until(lambda: "the connection from" in caplog.text)
    assert "ZeroDivisionError" in caplog.text


def _failing(*_: object) -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize("numbers", [[errno.ECONNABORTED], [errno.EMFILE, errno.ENFILE]])
def test_what_fails_while_accepting_is_passed_over(
    server: EmulatorServer, monkeypatch: pytest.MonkeyPatch, numbers: list[int]
) -> None:
    """An error while accepting stops nothing, and a connection that there is no descriptor for waits for one."""
    accept = socketserver.TCPServer.get_request
    failures = [OSError(number, "it fails") for number in numbers]

    def get_request(listener: socketserver.TCPServer) -> Any:
        if failures:
            raise failures.pop()
        return accept(listener)

    monkeypatch.setattr(socketserver.TCPServer, "get_request", get_request)
    with contextlib.closing(Client(server.base_url, server.api_key)) as client:
        assert client.get("/health").status == 200
    assert not failures


def test_running_out_of_threads_costs_one_connection(server: EmulatorServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that there is no thread for is closed, and the next one is served."""
    start = threading.Thread.start
    failures = [RuntimeError("can't start new thread")]

    def start_or_fail(thread: threading.Thread) -> None:
        if failures:
            raise failures.pop()
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_or_fail)
    with contextlib.closing(Client(server.base_url, server.api_key)) as client:
        with pytest.raises(ConnectionError):
            client.get("/health")
        client.close()
        assert client.get("/health").status == 200


def test_a_server_that_closes_responds_no_more(emulator: Emulator) -> None:
    """Who closes twice, from two threads, gets back from both when it is over."""
    server = emulator.serve()
    threads = [threading.Thread(target=server.close) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()
