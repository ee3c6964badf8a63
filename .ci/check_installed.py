"""Check the installed package as it is without any extra."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import workos_mfa

where = Path(workos_mfa.__file__)
if where.parent.parent.name != "site-packages":
    raise SystemExit(f"not the installed package: {where}")
if extras := [name for name in ("segno", "werkzeug", "pytest") if importlib.util.find_spec(name)]:
    raise SystemExit(f"only an extra may bring {extras}")

with workos_mfa.MFA("sk_example_123456789") as mfa:
    sys.stdout.write(f"{mfa!r}\n")
try:
    workos_mfa.Emulator()
except ImportError as error:
    if "workos-mfa[emulator]" not in str(error):
        raise
    sys.stdout.write(f"{error}\n")
else:
    raise SystemExit("Emulator() worked without its extra")
