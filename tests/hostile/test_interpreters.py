"""Threads, forks, green threads and other processes: each works, or is refused with a clear error."""

from __future__ import annotations

import functools
import gc
import os
import pickle
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import pytest

from tests.loopback import Line, Received, Server, unused_port, wait_until
from tests.race import race
from tests.transports.api import CHALLENGE, FACTOR, KEY, TransportFactory, respond_rightly
from workos_mfa import MFA, ConnectionLostError, MFAError, RetryingTransport, RetryPolicy, Transport

ROOT = Path(__file__).parent.parent.parent
THREADS = 64


def respond_with_its_id(request: Received, line: Line) -> None:
    """Answer each call with the id it asks for; never response a verification."""
    segments = request.path.split("/")
    if request.method == "GET":
        line.respond(200, {**FACTOR, "id": segments[-1]})
    else:
        line.respond(201, {"challenge": {**CHALLENGE, "id": segments[-2]}, "valid": True})


def respond_with_its_id_or_stall(request: Received, line: Line) -> None:
    """Answer a GET with its id, and nothing else ever."""
    if request.method == "GET":
        respond_with_its_id(request, line)
    else:
        line.stall()


def test_64_threads(server: Server, connect: Callable[[Server], Transport]) -> None:
    """64 threads on one client, each with calls of both kinds, get their own responses and lose none."""
    server.behaviour = respond_with_its_id
    mfa = MFA(transport=RetryingTransport(connect(server)))
    answered: list[tuple[str, str]] = []

    def ask(thread: int) -> None:
        for number in range(10):
            mine = f"{thread}_{number}"
            answered.append((mine, mfa.get_factor(mine).id))
            answered.append((mine, mfa.verify_challenge(mine, code="123456").challenge.id))

    race(ask, THREADS)
    assert [pair for pair in answered if pair[0] != pair[1]] == []
    assert len(answered) == len(server.received) == THREADS * 20
    # One that is looked at while it is idle is nobody's for a moment.
    assert server.connections <= 2 * THREADS


def test_a_thread_that_fails_costs_the_others_nothing(server: Server, connect: Callable[[Server], Transport]) -> None:
    """While half of the calls are reset, the responses of the others are their own."""
    server.behaviour = lambda request, line: (
        line.reset() if request.path.endswith("0") else respond_with_its_id(request, line)
    )
    mfa = MFA(transport=RetryingTransport(connect(server), RetryPolicy(max_attempts=1)))
    wrong: list[str] = []
    failed: list[int] = []

    def ask(thread: int) -> None:
        for number in range(10):
            mine = f"{thread}_{number % 2}"
            try:
                if mfa.get_factor(mine).id != mine:
                    wrong.append(mine)  # pragma: no cover - it never happens
            except ConnectionLostError:
                failed.append(thread)

    race(ask, 16)
    assert wrong == []
    assert len(failed) == 16 * 5


FORKING_IN_USE = """
import os, sys, threading
import workos_mfa
from tests.transports.api import KEY

name, url = sys.argv[1:]
transport = getattr(workos_mfa, name)(KEY, base_url=url)
mfa = workos_mfa.MFA(transport=transport)
going_on, failed = True, []

def use(number):
    while going_on:
        factor_id = f"auth_factor_{os.getpid()}_{number}"
        if mfa.get_factor(factor_id).id != factor_id:
            failed.append(factor_id)

threads = [threading.Thread(target=use, args=(number,)) for number in range(4)]
for thread in threads:
    thread.start()
for number in range(10):
    child = os.fork()
    if child == 0:
        ids = [f"auth_factor_{os.getpid()}_{number}" for number in range(5)]
        os._exit(0 if [mfa.get_factor(mine).id for mine in ids] == ids else 1)
    failed += [child] if os.waitpid(child, 0)[1] else []
going_on = False
for thread in threads:
    thread.join()
transport.close()
sys.exit(1 if failed else 0)
"""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a Python program of ours from the root of the tree."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "no_proxy": "*"}
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done


def test_a_fork_in_the_middle_of_use(server: Server, transport_class: type) -> None:
    """Children forked while four threads are inside calls get their own responses, and so do the threads."""
    server.behaviour = respond_with_its_id
    # Forking with threads is what is tested, and what newer Pythons warn of.
    run("-W", "ignore::DeprecationWarning", "-c", FORKING_IN_USE, transport_class.__name__, server.url)
    assert len(server.received) > 50


def test_gevent(server: Server, transport_class: type) -> None:
    """Patched by gevent, 200 greenlets share a client, and a time limit inside I/O keeps its type and shows nothing."""
    pytest.importorskip("gevent", reason="gevent is not installed")
    server.behaviour = respond_with_its_id_or_stall
    done = run("-m", "tests.hostile.under_gevent", transport_class.__name__, server.url)
    assert done.stdout == "all of it\n", done.stderr
    posted = [request for request in server.received if request.method == "POST"]
    assert len(posted) == 4


def test_gunicorn(server: Server, transport_class: type) -> None:
    """A client made and used before gunicorn forks its two workers serves both of them."""
    pytest.importorskip("gunicorn", reason="gunicorn is not installed")
    port = unused_port()
    command = [sys.executable, "-m", "gunicorn", "--preload", "--workers=2", f"--bind=127.0.0.1:{port}"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "API": server.url, "TRANSPORT": transport_class.__name__}
    with subprocess.Popen(  # noqa: S603 - our own
        [*command, "--no-control-socket", "tests.hostile.preloaded_app:app"],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.PIPE,
    ) as gunicorn:
        try:
            responses = asked_until_two_have_responded(f"http://127.0.0.1:{port}/")
        finally:
            gunicorn.terminate()
            gunicorn.communicate()
    assert {verified for verified, _ in responses} == {"True"}
    paths = [request.path for request in server.received]
    assert paths.count("/auth/factors/auth_factor_of_the_parent") == 1
    assert len(paths) == 1 + len(responses)


def asked_until_two_have_responded(url: str) -> list[tuple[str, str]]:
    """Ask an app until both of its workers have answered, each with its result and process."""
    responses: list[tuple[str, str]] = []
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def two_have_responded() -> bool:
        try:
            with opener.open(url, timeout=10) as response:
                verified, process = response.read().decode().split()
        except OSError:
            time.sleep(0.05)
            return False
        responses.append((verified, process))
        return len({process for _, process in responses}) == 2

    wait_until(two_have_responded, 30)
    return responses


def unused(transport: object) -> None:
    """What a spawned process would do."""
    raise AssertionError(transport)  # pragma: no cover - it never gets there


def test_spawning_is_refused(server: Server, connect: Callable[[Server], Transport]) -> None:
    """A client or transport given to a spawned process is refused before there is one, with what to do instead."""
    transport = connect(server)
    for given in (transport, MFA(transport=transport), MFA(transport=RetryingTransport(transport)), MFA(KEY)):
        process = get_context("spawn").Process(target=unused, args=(given,))
        with pytest.raises(TypeError, match="holds a key") as caught:
            process.start()
        assert KEY not in str(caught.value)
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with pytest.raises(TypeError, match="holds a key"):
                pickle.dumps(given, protocol)


def open_sockets() -> int:
    """How many sockets this process has open."""
    links = (link(path) for path in Path("/proc/self/fd").iterdir())
    return sum(target.startswith("socket:") for target in links)


def link(path: Path) -> str:
    """Where a descriptor leads; one that is closed by now leads nowhere."""
    try:
        return str(path.readlink())
    except OSError:
        return ""


def fails(call: Callable[[], object]) -> bool:
    """Whether a call fails."""
    try:
        call()
    except MFAError:
        return True
    return False


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="there is no /proc to count sockets in")
def test_nothing_is_left_open(server: Server, transport_class: TransportFactory) -> None:
    """After calls that work and calls that fail, a closed transport has no socket left."""
    behaviours = [respond_rightly, lambda _, line: line.reset(), lambda _, line: line.respond(200, b"x" * 2_000_000)]
    gc.collect()
    before = open_sockets()
    for behaviour in behaviours:
        server.behaviour = behaviour
        transport = transport_class(KEY, base_url=server.url)
        mfa = MFA(transport=RetryingTransport(transport, RetryPolicy(max_attempts=2, backoff=0)), timeout=5)
        assert [fails(functools.partial(mfa.get_factor, "auth_factor_1")) for _ in range(3)] == [
            behaviour is not respond_rightly
        ] * 3
        transport.close()
        wait_until(lambda: open_sockets() <= before)
