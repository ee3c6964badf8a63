"""Every check of this project, a session each; ``.ci/run`` runs them all.

The build comes first, since the tests run on the wheel that it makes, from where the source is out of reach; on the
newest Python they run on the source, and are measured. A session works on a copy of the tree: neither the checkout nor
what another session left behind has a part in it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import nox
from nox.command import CommandFailed

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv"
nox.options.error_on_missing_interpreters = True

ROOT = Path(__file__).parent

ASKED_OF_A_PYTHON = """
import ensurepip, sys, venv
v = sys.version_info
of_a_venv = sys.prefix != sys.base_prefix
if v >= (3, 10) and v.releaselevel == "final" and sys.implementation.name == "cpython" and not of_a_venv:
    print(v[1], v[2], sys.executable)
"""


def find_pythons() -> dict[str, str]:
    """The path of each CPython from 3.10 on, oldest first: each one that really runs and can make a venv.

    A version manager may put names on PATH that run nothing, so each one is asked.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders = [*map(Path, os.get_exec_path()), *pyenv.glob("versions/*/bin")]
    paths = {path for folder in folders for path in folder.glob("python3*")}
    found: list[tuple[int, int, str]] = []
    for path in (path for path in paths if re.fullmatch(r"python3(\.\d+)?", path.name)):
        asked = subprocess.run([path, "-c", ASKED_OF_A_PYTHON], check=False, capture_output=True, text=True)  # noqa: S603
        if asked.stdout:
            minor, patch, executable = asked.stdout.strip().split(" ", 2)
            found.append((int(minor), int(patch), executable))
    # Of each version the newest release: it comes last.
    return {f"3.{minor}": executable for minor, _, executable in sorted(found)}


PYTHONS = find_pythons()
if not PYTHONS:
    raise SystemExit("no CPython from 3.10 on that can make a venv was found")
OLDEST, NEWEST = next(iter(PYTHONS)), next(reversed(PYTHONS))


@nox.session(python=PYTHONS[NEWEST])
def build(session: nox.Session) -> None:
    """Build sdist and wheel without warnings; check what they hold, and the wheel as it is without extras."""
    shutil.rmtree(wheels(session), ignore_errors=True)
    tree = copy_of_the_tree(session)
    session.install("build[uv]")
    build_without_warnings(session, tree, "--sdist", "--wheel")
    (sdist,) = tree.glob("dist/*.tar.gz")
    (wheel,) = tree.glob("dist/*.whl")
    unpacked = tree.parent / "unpacked" / sdist.name.removesuffix(".tar.gz")
    shutil.unpack_archive(sdist, unpacked.parent)
    build_without_warnings(session, unpacked, "--wheel")
    (wheel_of_sdist,) = unpacked.glob("dist/*.whl")
    session.run("python", ".ci/check_wheel.py", str(wheel), str(wheel_of_sdist), str(sdist))
    session.install(str(wheel))
    session.run("python", "-W", "error", ".ci/check_installed.py")
    wheels(session).mkdir()
    shutil.move(wheel, wheels(session))


@nox.session(python=PYTHONS[NEWEST])
def lint(session: nox.Session) -> None:
    """Run ``ruff check`` and ``ruff format --check``."""
    copy_of_the_tree(session)
    session.install("ruff")
    report(session, failures(session, "ruff check .", "ruff format --check ."))


@nox.session(python=PYTHONS[NEWEST])
def types(session: nox.Session) -> None:
    """Run mypy and pyright, both strict, and ``pyright --verifytypes`` on the wheel."""
    tree = copy_of_the_tree(session)
    session.install(f"{built_wheel(session)}[lint]")
    session.env["PYTHONPATH"] = str(tree)
    failed = failures(session, "mypy", "python .ci/check_page.py docs/limits.md")
    del session.env["PYTHONPATH"]
    failed += failures(session, "pyright")
    # From a directory where only the installed package is in reach, as it is for users.
    elsewhere = tree.parent / "elsewhere"
    elsewhere.mkdir()
    session.chdir(elsewhere)
    report(session, failed + failures(session, "pyright --verifytypes workos_mfa --ignoreexternal"))


@nox.session(python=PYTHONS[NEWEST])
def workflows(session: nox.Session) -> None:
    """Check the workflows of GitHub against their schema, and with zizmor for what an attacker could use."""
    copy_of_the_tree(session)
    session.install("check-jsonschema", "zizmor")
    files = " ".join(str(path) for path in sorted(Path(".github/workflows").glob("*.yml")))
    checks = [
        f"check-jsonschema --builtin-schema vendor.github-workflows {files}",
        "check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml",
        "zizmor --offline --no-progress --persona pedantic .github",
    ]
    report(session, failures(session, *checks))


@nox.session(python=PYTHONS[NEWEST])
def docs(session: nox.Session) -> None:
    """Check the page on the package index, and build the documentation, in which every link has a target."""
    copy_of_the_tree(session)
    session.install(f"{built_wheel(session)}[docs]", "twine")
    session.run("twine", "check", "--strict", str(built_wheel(session)))
    session.run("sphinx-build", "-q", "-n", "-W", "--keep-going", "docs", "build/docs")


@nox.session(name="readme-1", python=False)
def readme_1(session: nox.Session) -> None:
    """Run the README's first command in a fresh clone of the last commit, as a newcomer does."""
    run_block(session, 1)


@nox.session(name="readme-2", python=False)
def readme_2(session: nox.Session) -> None:
    """Run the README's second command in a fresh clone of the last commit, as a newcomer does."""
    run_block(session, 2)


@nox.session(python=PYTHONS[OLDEST])
def lowest(session: nox.Session) -> None:
    """Run the tests with the lowest releases that ``setup.cfg`` allows, on the oldest Python."""
    tree = copy_of_the_tree(session)
    session.install("uv")
    pins = str(tree.parent / "pins.txt")
    options = ["--resolution", "lowest-direct", "--no-deps", "--no-header", "--no-annotate"]
    options += ["--extra", "emulator", "--extra", "flask", "--extra", "cli"]
    session.run("uv", "pip", "compile", *options, "--output-file", pins, "setup.cfg")
    leave_the_source(session)
    session.install("--requirement", pins, f"{built_wheel(session)}[test]")
    run_tests(session)


def add_tests(version: str) -> None:
    """A session that runs the tests on one Python."""

    @nox.session(name=f"tests-{version}", python=PYTHONS[version])
    def tests(session: nox.Session) -> None:
        """Run the tests on the wheel; on the newest Python on the source, with coverage and with WorkOS' own SDKs."""
        copy_of_the_tree(session)
        if version == NEWEST:
            # Coverage finds ``workos_mfa/__main__.py`` only where it is told a folder, and not a package.
            session.install("--editable", ".[test]", "--requirement", ".ci/sdks/requirements.txt")
            for folder in (".ci/sdks", ".ci/browser"):
                session.run("npm", "ci", "--prefix", folder, "--silent", external=True)
            measure_tests(session)
        else:
            leave_the_source(session)
            session.install(f"{built_wheel(session)}[test]")
            run_tests(session)


for each in PYTHONS:
    add_tests(each)


def run_tests(session: nox.Session) -> None:
    """Run the tests, several at a time: most of them wait for a clock or a socket."""
    session.run("python", "-m", "pytest", "--quiet", "-n", "3", "--dist", "worksteal", env={"CI": None})


def measure_tests(session: nox.Session) -> None:
    """Run the tests with coverage, and then the check of the coverage itself."""
    # Here nothing may be missing: oathtool and zbarimg, node, curl.
    session.run("coverage", "run", "-m", "pytest", env={"CI": "true"})
    session.run("coverage", "report")
    # Something was measured of each of the two, or these fail.
    session.run("coverage", "report", "--include", "workos_mfa/*", "--format", "total")
    session.run("coverage", "report", "--include", "tests/*", "--format", "total")
    # A gate that refuses nothing is no gate: with a branch never taken it must say no, and with both taken yes.
    gate = Path.cwd().parent / "gate"
    gate.mkdir()
    program = gate / "branch.py"
    program.write_text('import sys\nif sys.argv[1:]:\n    print("an argument")\nprint("the end")\n', encoding="utf-8")
    session.env["COVERAGE_FILE"] = str(gate / "data")
    session.run("coverage", "run", "--source", str(gate), str(program), "argument")
    session.run("coverage", "report", success_codes=[2])
    session.run("coverage", "run", "--append", "--source", str(gate), str(program))
    session.run("coverage", "report")


def build_without_warnings(session: nox.Session, tree: Path, *what: str) -> None:
    """Build into ``dist``, and fail on a warning."""
    said = session.run("python", "-m", "build", "--installer", "uv", *what, str(tree), silent=True)
    if warnings := re.findall(r"^(?:.*Warning.*|warning:.*)$", str(said), re.MULTILINE):
        session.error("a build gives no warnings: " + "; ".join(warnings))


def run_block(session: nox.Session, number: int) -> None:
    """Run an ``sh`` block of the README in a fresh clone, and in an environment that helps as little as one may."""
    clone = session.cache_dir / session.name / "clone"
    shutil.rmtree(clone, ignore_errors=True)
    session.run("git", "clone", "--quiet", str(ROOT), str(clone), external=True)
    session.chdir(clone)
    blocks = re.findall(r"^```sh\n(.*?)^```$", Path("README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    block = blocks[number - 1]
    assert block.strip()
    # Only what finds programs and the person's home, and the way to the package index.
    kept = re.compile(r"PATH|HOME|LANG|TMPDIR|PIP_\w+|SSL_CERT_\w+|\w+_CA_BUNDLE|\w+_proxy|\w+_PROXY")
    bare = {name: value for name, value in os.environ.items() if kept.fullmatch(name)}
    session.run("bash", "-eo", "pipefail", "-c", block, env=bare, include_outer_env=False, external=True)


def copy_of_the_tree(session: nox.Session) -> Path:
    """Copy the files that git knows or would take, and work there."""
    tree = session.cache_dir / session.name / "tree"
    shutil.rmtree(tree.parent, ignore_errors=True)
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.check_output(command, cwd=ROOT)  # noqa: S603
    for name in listed.decode().rstrip("\0").split("\0"):
        if (ROOT / name).exists():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tree / name)
    session.chdir(tree)
    return tree


def leave_the_source(session: nox.Session) -> None:
    """Remove from the copy what could be imported in place of the wheel; tests and pages stay."""
    for folder in (Path("workos_mfa"), *Path().glob("*.egg-info"), Path("build")):
        shutil.rmtree(folder, ignore_errors=True)
    session.log("the source is out of reach")


def wheels(session: nox.Session) -> Path:
    """The folder of the wheel, which all sessions share."""
    return session.cache_dir / "wheel"


def built_wheel(session: nox.Session) -> Path:
    """The wheel that the session ``build`` has made."""
    for wheel in wheels(session).glob("*.whl"):
        return wheel
    session.error("there is no wheel yet: run the session `build` first")


def failures(session: nox.Session, *commands: str) -> list[str]:
    """Run all of the commands, whichever fails; those that failed."""
    failed: list[str] = []
    for command in commands:
        try:
            session.run(*command.split())
        except CommandFailed:  # noqa: PERF203 - all of them speak
            failed.append(command)
    return failed


def report(session: nox.Session, failed: list[str]) -> None:
    """Fail if something has."""
    if failed:
        session.error("failed: " + "; ".join(failed))
