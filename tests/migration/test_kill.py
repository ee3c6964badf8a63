"""A big import that is killed again and again, on an API that loses responses and limits the rate."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
from collections import Counter
from contextlib import closing
from datetime import datetime
from pathlib import Path

from tests.cli.processes import COMMAND, environment_with
from tests.emulator.http.client import Client
from tests.emulator.http.process import emulating
from tests.migration.people import code_of, secret_of, user_of, write_people

PEOPLE = int(os.environ.get("WORKOS_MFA_IMPORTED_ROWS", "10000"))
KILLS = 10
CREATE, LIST = "create_user_auth_factor", "list_user_auth_factors"

# How often each happens, beside the kills.
TROUBLES: list[tuple[int, dict[str, object]]] = [
    (40, {"fault": "lose_response", "operation": CREATE}),
    (10, {"fault": "cut_body", "operation": CREATE}),
    (10, {"fault": "lose_request", "operation": CREATE}),
    (5, {"fault": "refuse_connection", "operation": CREATE}),
    (5, {"fault": "respond", "status": 503, "operation": CREATE}),
    (10, {"fault": "respond", "status": 429, "retry_after": 0.2, "operation": CREATE}),
    (5, {"fault": "respond", "status": 429, "retry_after": 0.2, "operation": LIST}),
    (10, {"fault": "lose_response", "operation": LIST}),
]


def _is_running(process: subprocess.Popen[str]) -> bool:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(0.02)
    return process.returncode is None


def test_nobody_twice_and_nobody_lost(tmp_path: Path) -> None:
    """Whatever is lost and whenever it is killed: everybody has one factor in the end, with the own secret."""
    moments = random.Random()  # noqa: S311
    file = write_people(tmp_path / "people.csv", PEOPLE)
    with emulating() as running, closing(Client(running.base_url, running.api_key)) as client:
        for count, fault in TROUBLES:
            for after in sorted(moments.randrange(PEOPLE * 9 // 10) for _ in range(count)):
                assert client.post("/_emulate/faults", {**fault, "after": after}).status == 201
        env = environment_with(WORKOS_BASE_URL=running.base_url, WORKOS_API_KEY=running.api_key)
        # One in each tenth of the calls, at any moment of what the process does then.
        kills = [2 * PEOPLE * (tenth + moments.random()) / (KILLS + 1) for tenth in range(KILLS)]
        killed = 0
        while True:
            process = subprocess.Popen(  # noqa: S603 - our own
                [*COMMAND, "import-totp", str(file), "--rate", "5000", "--settle", "2"],
                env=env,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            while _is_running(process):
                if killed < KILLS and len(running.events) > kills[killed]:
                    process.kill()
                    process.wait()
                    killed += 1
            out, err = process.communicate()
            if process.returncode != -signal.SIGKILL:
                break
        assert (process.returncode, killed) == (0, KILLS), err
        assert f"{PEOPLE:,} rows: " in out
        assert all(each["used"] for each in client.get("/_emulate/faults").json)
        moment = client.post("/_emulate/clock", {"freeze": True}).json["now"]
        codes = client.get("/_emulate/codes").json
    now = datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()
    assert Counter(each["user"] for each in codes) == Counter(map(user_of, range(PEOPLE)))
    assert {each["user"]: each["code"] for each in codes} == {
        user_of(number): code_of(secret_of(number), now) for number in range(PEOPLE)
    }
    with closing(sqlite3.connect(f"{file}.journal")) as journal:
        ids = {row[0] for row in journal.execute("SELECT factor_id FROM rows WHERE state = 'done'")}
    assert ids == {each["factor_id"] for each in codes}
