"""Check what is in a wheel and in an sdist, and that the wheel built from the sdist is the same one."""

from __future__ import annotations

import sys
import tarfile
import zipfile


def contents(path: str) -> dict[str, int]:
    """The checksum of each file in a wheel."""
    with zipfile.ZipFile(path) as wheel:
        return {entry.filename: entry.CRC for entry in wheel.infolist()}


def problems(of_tree: dict[str, int], of_sdist: dict[str, int]) -> list[str]:
    """What is wrong with the wheel built from the tree."""
    found = [f"{name} differs, or is in one only" for name, _ in set(of_tree.items()) ^ set(of_sdist.items())]
    data = ("py.typed", "flask/templates/workos_mfa/code.html", "flask/static/style.css")
    found += [f"{name} is missing" for name in data if f"workos_mfa/{name}" not in of_tree]
    if not any(name.endswith("/LICENSE") for name in of_tree):
        found.append("LICENSE is missing")
    tops = {name.partition("/")[0] for name in of_tree}
    found += [f"{top} does not belong in it" for top in tops if top.partition("-")[0] != "workos_mfa"]
    return sorted(found)


def tests_in(sdist: str) -> list[str]:
    """The tests in an sdist: some of them without the rest of the tree would be tests that can't run."""
    with tarfile.open(sdist) as archive:
        return [name for name in archive.getnames() if "/tests/" in name]


if __name__ == "__main__":
    trouble = problems(contents(sys.argv[1]), contents(sys.argv[2]))
    trouble += [f"{name} does not belong in the sdist" for name in tests_in(sys.argv[3])]
    if trouble:
        raise SystemExit("what was built: " + "; ".join(trouble))
    sys.stdout.write("the wheel is complete, and the sdist builds the same one\n")
