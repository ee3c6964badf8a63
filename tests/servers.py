"""A PostgreSQL and a Redis of the tests' own, on loopback."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.loopback import unused_port

# Debian does not put the programs of the server into the path.
_POSTGRESQL = shutil.which("initdb") or max(glob.glob("/usr/lib/postgresql/*/bin/initdb"), default=None)  # noqa: PTH207
# What would make it slow, or its log long.
_SETTINGS = ("fsync=off", "synchronous_commit=off", "max_connections=200", "log_min_messages=log")


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """The URL of an empty PostgreSQL, for SQLAlchemy."""
    if _POSTGRESQL is None:
        pytest.skip("initdb is not installed; run: apt-get install postgresql")  # pragma: no cover
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    programs = Path(_POSTGRESQL).parent
    port = unused_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # It refuses to run as root.
        as_root = os.geteuid() == 0
        as_whom = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups") if as_root else ()
        shutil.chown(folder, "postgres" if as_root else os.geteuid())
        data, log = folder / "data", folder / "log"
        options = " ".join(f"-c {each}" for each in _SETTINGS)

        def run(program: str, *arguments: str | Path) -> None:
            command = [*as_whom, programs / program, "-D", data, *arguments]
            subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own

        run("initdb", "--auth=trust", "--username=test", "--encoding=UTF8", "--locale=C", "--no-sync")
        run("pg_ctl", "-w", "-l", log, "-o", f"-h 127.0.0.1 -p {port} -k {folder} {options}", "start")
        try:
            yield f"postgresql+psycopg://test@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an empty Redis."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed; run: apt-get install redis-server")  # pragma: no cover
    pytest.importorskip("redis", reason="redis is not installed")
    port = unused_port()
    folder = tmp_path_factory.mktemp("redis")
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:  # noqa: S603 - our own
        assert server.stdout is not None
        assert next(line for line in server.stdout if b"Ready to accept connections" in line)
        yield f"redis://127.0.0.1:{port}/0"
        server.terminate()
