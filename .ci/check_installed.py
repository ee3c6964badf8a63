"""Check the installed package as it is without any extra."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import workos_mfa
import workos_mfa.flask

where = Path(workos_mfa.__file__)
if where.parent.parent.name != "site-packages":
    raise SystemExit(f"not the installed package: {where}")
OF_THE_EXTRAS = ("flask", "limits", "pytest", "rich", "segno", "werkzeug")
if extras := [name for name in OF_THE_EXTRAS if importlib.util.find_spec(name)]:
    raise SystemExit(f"only an extra may bring {extras}")

with workos_mfa.MFA("sk_example_123456789") as mfa:
    sys.stdout.write(f"{mfa!r}\n")


def check_extra(use: Callable[[], object], extra: str) -> None:
    """Without its extra, a part says which one it needs."""
    try:
        use()
    except ImportError as error:
        if extra not in str(error):
            raise
        sys.stdout.write(f"{error}\n")
    else:
        raise SystemExit(f"it worked without {extra}")


check_extra(workos_mfa.Emulator, "workos-mfa[emulator]")
check_extra(lambda: workos_mfa.flask.SecondFactor, "workos-mfa[flask]")
