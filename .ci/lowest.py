"""Print the lowest releases that setup.cfg allows, as pins for pip.

The lower bounds stand in setup.cfg alone; what is printed here is what they claim to work with.
"""

from __future__ import annotations

import configparser
import re
import sys
from pathlib import Path

_BOUND = re.compile(r"([\w.-]+)>=([\d.]+)")


def lowest(setup_cfg: str) -> list[str]:
    """A pin for each runtime requirement, those of the emulator extra included."""
    config = configparser.ConfigParser(interpolation=None)
    config.read_string(setup_cfg)
    lines = config["options"]["install_requires"] + config["options.extras_require"]["emulator"]
    return [_pin(line) for line in lines.split()]


def _pin(requirement: str) -> str:
    bound = _BOUND.fullmatch(requirement)
    if bound is None:
        raise SystemExit(f"setup.cfg: {requirement!r} is not a lower bound, written name>=version")
    return f"{bound[1]}=={bound[2]}"


if __name__ == "__main__":
    sys.stdout.write("".join(f"{pin}\n" for pin in lowest(Path(sys.argv[1]).read_text("utf-8"))))
