"""The emulator is a second reading of the API: it stands apart from the client, and loads fast."""

from __future__ import annotations

import ast
import pickle
import subprocess
import sys
from pathlib import Path

import workos_mfa.emulator

FOLDER = Path(workos_mfa.emulator.__file__).parent
SHARED = {"workos_mfa._version", "workos_mfa._core.transport", "workos_mfa._core.redaction", "workos_mfa._core.errors"}


def _imported(source: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        if isinstance(node, ast.Import):
            found.update(name.name for name in node.names)
    return found


def test_shares_only_the_seam_with_the_client() -> None:
    """No module of the emulator imports the client's knowledge of the API, or an HTTP library."""
    imported = {name for path in FOLDER.rglob("*.py") for name in _imported(path.read_text("utf-8"))}
    ours = {name for name in imported if name.startswith("workos_mfa")}
    assert {name for name in ours if not name.startswith("workos_mfa.emulator")} <= SHARED
    assert not {name.partition(".")[0] for name in imported} & {"requests", "urllib3"}


def test_only_http_needs_werkzeug() -> None:
    """An emulator in process goes without it."""
    needing = [path.name for path in FOLDER.rglob("*.py") if "\nfrom werkzeug" in path.read_text("utf-8")]
    assert sorted(needing) == ["app.py", "listener.py"]


def test_importing_loads_nothing_heavy(tmp_path: Path) -> None:
    """Importing the emulator loads neither segno nor SQLite nor an HTTP library."""
    code = (
        "import sys, workos_mfa.emulator\n"
        "heavy = {'sqlite3', 'segno', 'requests', 'urllib3', 'werkzeug'} & set(sys.modules)\n"
        "raise SystemExit(str(heavy) if heavy else 0)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)  # noqa: S603
    assert (done.returncode, done.stderr) == (0, "")


def test_public_names_are_sorted() -> None:
    """Everything that users import is listed, in order."""
    constants_first = sorted(workos_mfa.emulator.__all__, key=lambda name: (not name.isupper(), name))
    assert workos_mfa.emulator.__all__ == constants_first
    assert all(hasattr(workos_mfa.emulator, name) for name in workos_mfa.emulator.__all__)


def test_public_classes_name_their_public_module() -> None:
    """A class says where users import it from, and can be pickled by that name where it is a value."""
    public = [getattr(workos_mfa.emulator, name) for name in workos_mfa.emulator.__all__]
    modules = {thing.__name__: thing.__module__ for thing in public if isinstance(thing, type)}
    # The one that is exported at the top as well.
    assert modules.pop("Emulator") == "workos_mfa"
    assert set(modules.values()) == {"workos_mfa.emulator"}
    settings = workos_mfa.emulator.Settings(totp_window=0, users="seeded")
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301
