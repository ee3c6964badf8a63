"""What is promised about the package as a thing: its metadata, its names, what it loads and how it hangs together."""

from __future__ import annotations

import ast
import configparser
import fnmatch
import importlib
import importlib.metadata
import json
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import workos_mfa
from workos_mfa.testing import make_verification

ROOT = Path(__file__).parent.parent
PACKAGE = Path(workos_mfa.__file__).parent

GROUND_FLOOR = {"workos_mfa._version"} | {
    f"workos_mfa._core.{name}" for name in ("errors", "models", "redaction", "transport")
}
OF_THE_CLIENT_ONLY = {
    "workos_mfa._client.parsing",
    "workos_mfa._client.mfa",
    "workos_mfa._core.models",
    "requests",
    "urllib3",
}
ON_TOP = tuple(f"workos_mfa.{room}" for room in ("emulator", "flask", "testing", "_cli.", "__main__"))
GRAB_BAGS = {"common", "helpers", "misc", "types", "util", "utils"}


@pytest.fixture(scope="module")
def setup_cfg() -> configparser.ConfigParser:
    """The file that holds the package's metadata."""
    config = configparser.ConfigParser(interpolation=None)
    config.read_string((ROOT / "setup.cfg").read_text("utf-8"))
    return config


class TestMetadata:
    """setup.cfg, and what became of it."""

    def test_the_version_stands_in_one_place(self, setup_cfg: configparser.ConfigParser) -> None:
        """The installed metadata has the package's version, and no file of the build repeats it."""
        assert importlib.metadata.version("workos-mfa") == workos_mfa.__version__
        assert setup_cfg["metadata"]["version"] == "attr: workos_mfa._version.__version__"
        repeated = [name for name in ("setup.cfg", "pyproject.toml") if workos_mfa.__version__ in text_of(ROOT / name)]
        assert repeated == []

    def test_the_licence_is_named_and_comes_along(self) -> None:
        """The licence is an SPDX expression, with its text in the metadata."""
        metadata = importlib.metadata.metadata("workos-mfa")
        assert metadata["License-Expression"] == "MIT"
        assert metadata.get_all("License-File") == ["LICENSE"]

    def test_requirements_are_lower_bounds(self, setup_cfg: configparser.ConfigParser) -> None:
        """No requirement keeps a newer release out of an app that uses this one."""
        extras = dict(setup_cfg["options.extras_require"])
        requirements = "\n".join([setup_cfg["options"]["install_requires"], *extras.values()]).split()
        theirs = [name for name in requirements if not name.startswith("workos-mfa[")]
        assert [name for name in theirs if not re.fullmatch(r"[\w.-]+(\[\w+\])?>=[\d.]+(b\d+)?", name)] == []

    def test_the_oldest_python_is_the_same_everywhere(self, setup_cfg: configparser.ConfigParser) -> None:
        """The tools check for the oldest Python that the metadata admits, and the classifiers begin with it."""
        oldest = setup_cfg["options"]["python_requires"].removeprefix(">=")
        tools = (ROOT / "pyproject.toml").read_text("utf-8")
        assert set(re.findall(r'^python_?[vV]ersion = "([\d.]+)"', tools, re.MULTILINE)) == {oldest}
        assert f'target-version = "py{oldest.replace(".", "")}"' in tools
        assert re.findall(r":: (3\.\d+)", setup_cfg["metadata"]["classifiers"])[0] == oldest

    def test_it_says_where_it_comes_from(self, setup_cfg: configparser.ConfigParser) -> None:
        """The page on the package index names an author, the source, the changes and where to report a weakness."""
        assert setup_cfg["metadata"]["author"]
        assert project_urls(setup_cfg).keys() == {"Source", "Documentation", "Changelog", "Security"}
        source = project_urls(setup_cfg)["Source"]
        assert [url for url in project_urls(setup_cfg).values() if not url.startswith(source)] == []

    def test_the_readme_can_be_read_elsewhere(self, setup_cfg: configparser.ConfigParser) -> None:
        """The README is the package's page on the index, so its links are whole, and lead to files that are there."""
        readme = re.sub(r"```.*?```|`[^`\n]*`", "", text_of(ROOT / "README.md"), flags=re.DOTALL)
        labels = dict(re.findall(r"^\[([^]]+)\]: (\S+)$", readme, re.MULTILINE))
        targets = [*labels.values(), *re.findall(r"\]\(([^)]*)\)", readme), *project_urls(setup_cfg).values()]
        assert [target for target in targets if not target.startswith("https://")] == []
        ours = re.escape(project_urls(setup_cfg)["Source"])
        files = [found[2] for target in targets if (found := re.match(f"{ours}/(blob|tree)/main/(.+)", target))]
        assert len(files) > 5
        assert [name for name in files if not (ROOT / name).exists()] == []
        used = {label or text for text, label in re.findall(r"\[([^]]+)\](?:\[([^]]+)\])?(?![(:])", readme)}
        assert used == set(labels)

    def test_the_commands_exist(self) -> None:
        """Every entry point leads to something."""
        entries = importlib.metadata.distribution("workos-mfa").entry_points
        assert {entry.name: callable(entry.load()) for entry in entries}["workos-mfa"]

    def test_it_is_typed(self) -> None:
        """Type checkers read the package's own annotations."""
        assert (PACKAGE / "py.typed").is_file()


class TestImporting:
    """What is not loaded where nobody needs it; ``test_import_cost.py`` has what is."""

    def test_a_client_with_a_transport_loads_no_http(self) -> None:
        """With a transport of one's own, requests is never loaded."""
        loaded = loaded_by("import workos_mfa as w, workos_mfa.testing as t; w.MFA(transport=t.StubTransport(print))")
        assert loaded.isdisjoint({"requests", "urllib3", "werkzeug", "segno"})

    def test_the_emulator_loads_no_http(self) -> None:
        """The emulator in process needs no HTTP library."""
        loaded = loaded_by("from workos_mfa import Emulator; Emulator()")
        assert "segno" in loaded
        assert loaded.isdisjoint({"requests", "urllib3", "werkzeug"})


class TestNames:
    """The public names."""

    def test_they_are_sorted(self) -> None:
        """The names stand in the order of the linter's rule: constants, classes, the rest."""
        assert sorted(workos_mfa.__all__, key=sorting_key) == workos_mfa.__all__
        assert len(set(workos_mfa.__all__)) == len(workos_mfa.__all__)

    def test_all_has_what_the_package_imports(self) -> None:
        """What the package takes from its modules is public, and nothing else is."""
        tree = ast.parse((PACKAGE / "__init__.py").read_text("utf-8"))
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        ours = [node for node in imports if (node.module or "").startswith("workos_mfa")]
        assert {alias.name for node in ours for alias in node.names} == set(workos_mfa.__all__)

    @pytest.mark.parametrize("name", workos_mfa.__all__)
    def test_each_can_be_imported(self, name: str) -> None:
        """A name of ``__all__`` is there, and a class says that it is public."""
        value = getattr(workos_mfa, name)
        assert getattr(value, "__module__", "workos_mfa") == "workos_mfa"
        assert getattr(value, "__name__", name) == name

    @pytest.mark.parametrize("package", ["emulator", "flask", "testing"])
    def test_classes_say_where_they_are_imported_from(self, package: str) -> None:
        """Tracebacks, reprs and pickles name a class by its public module, not by the one that it is written in."""
        module = importlib.import_module(f"workos_mfa.{package}")
        things = {name: getattr(module, name) for name in module.__all__}
        classes = {name: thing for name, thing in things.items() if isinstance(thing, type)}
        said = {name: f"{kind.__module__}.{kind.__qualname__}" for name, kind in classes.items()}
        # What is exported at the top as well, says so.
        assert said == {name: f"{'workos_mfa' if name == 'Emulator' else module.__name__}.{name}" for name in classes}
        assert len(said) > 4

    @pytest.mark.parametrize("name", ["workos_mfa", "workos_mfa.emulator", "workos_mfa.flask", "workos_mfa.testing"])
    def test_completion_shows_what_is_public(self, name: str) -> None:
        """``dir()`` lists a module's public names alone: no room, and nothing that a module itself imports."""
        module = importlib.import_module(name)
        assert dir(module) == sorted(module.__all__)

    def test_star_brings_all(self) -> None:
        """What comes late comes with a star import too."""
        names: dict[str, object] = {}
        exec("from workos_mfa import *", names)  # noqa: S102
        assert set(workos_mfa.__all__) <= set(names)

    def test_no_module_takes_a_name_away(self) -> None:
        """Python sets a module as an attribute of its package once it is loaded, so none is named as a public name."""
        assert {module.removeprefix("workos_mfa.") for module in MODULES}.isdisjoint(workos_mfa.__all__)

    def test_an_unpickled_object_brings_its_name(self) -> None:
        """A process that has used no name of the package yet can read what another one has pickled, by any protocol."""
        values = [make_verification(), workos_mfa.NotFoundError, workos_mfa.RetryPolicy()]
        pickled = [pickle.dumps(values, protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
        program = "import pickle, sys; print(*(pickle.load(sys.stdin.buffer) for _ in range({})))"
        shown = output_of(program.format(len(pickled)), b"".join(pickled))
        assert shown.count("Verification(") == len(pickled)
        assert shown.count("<class 'workos_mfa.NotFoundError'>, RetryPolicy(") == len(pickled)

    def test_tools_that_look_find_the_names(self) -> None:
        """``help``, completion in a shell and ``inspect`` show what nobody has asked for yet."""
        program = "import inspect, rlcompleter, workos_mfa; "
        completed = output_of(f"{program} print(rlcompleter.Completer(globals()).attr_matches('workos_mfa.Retr'))")
        assert "workos_mfa.RetryingTransport(" in completed
        inspected = output_of(f"{program} print(inspect.getmembers(workos_mfa, inspect.isclass))")
        helped = output_of(f"{program} help(workos_mfa)")
        for name in ("MFA", "Emulator", "TLSError", "RetryPolicy"):
            assert f"'{name}'" in inspected
            assert f"class {name}(" in helped

    def test_another_name_is_an_attribute_error(self) -> None:
        """A misspelt name fails as in any module."""
        with pytest.raises(AttributeError, match="module 'workos_mfa' has no attribute 'MFa'"):
            getattr(workos_mfa, "MFa")  # noqa: B009 - type checkers know better


class TestStructure:
    """How the modules hang together, whether they import at the top, late or for the types alone."""

    def test_there_is_no_circle(self) -> None:
        """The modules can be put in an order in which each imports earlier ones only."""
        order = list(TopologicalSorter(IMPORTS).static_order())
        assert set(MODULES) <= set(order)

    def test_rooms_stand_on_each_other_downwards_too(self) -> None:
        """The folders can be put in an order as well, each on those that it imports from."""
        rooms: dict[str, set[str]] = {}
        for name, imported in IMPORTS.items():
            above = {room_of(other) for other in imported & set(MODULES)}
            rooms.setdefault(room_of(name), set()).update(above - {room_of(name)})
        order = list(TopologicalSorter(rooms).static_order())
        assert order.index("workos_mfa._transports") < order.index("workos_mfa._client")

    def test_the_ground_floor_stands_on_nothing(self) -> None:
        """Errors, models and the transport protocol import each other and attrs, and nothing else of other people's."""
        for name in GROUND_FLOOR:
            assert {above for above in IMPORTS[name] if above.startswith("workos_mfa")} <= GROUND_FLOOR
            assert third_party(IMPORTS[name]) <= {"attrs"}

    def test_requests_is_imported_in_one_place(self) -> None:
        """One file could be deleted, and requests with it."""
        users = {name for name, imported in IMPORTS.items() if "requests" in third_party(imported)}
        assert users == {"workos_mfa._transports.requests"}

    def test_the_emulator_reads_the_api_by_itself(self) -> None:
        """The emulator and the client share the transport protocol and no reading of the API: each checks the other."""
        emulator = [name for name in MODULES if name.startswith("workos_mfa.emulator")]
        reached = {above for name in emulator for above in closure(name)}
        assert {name for name in reached if name.startswith("workos_mfa.")} > set(emulator)
        assert (reached | third_party(reached)).isdisjoint(OF_THE_CLIENT_ONLY)

    def test_the_client_stands_below_the_rest(self) -> None:
        """Nothing that the client needs imports what stands on top."""
        reached = closure("workos_mfa._client.mfa")
        assert "workos_mfa._core.transport" in reached
        assert {name for name in reached if name.startswith(ON_TOP)} == set()

    def test_the_flask_extension_stands_on_public_names(self) -> None:
        """An app could have written it: of the package it imports the public names alone."""
        flask = [name for name in MODULES if name.startswith("workos_mfa.flask")]
        imported = {above for name in flask for above in IMPORTS[name] if above.startswith("workos_mfa")}
        assert {name for name in imported if not name.startswith("workos_mfa.flask")} == {"workos_mfa"}

    def test_the_decisions_need_no_flask(self) -> None:
        """What is decided about a second factor can be used in any app."""
        decisions = [name for name in MODULES if name.startswith("workos_mfa.flask._second_factor.")]
        assert len(decisions) > 5
        assert third_party({above for name in decisions for above in IMPORTS[name]}) == {"attrs", "limits"}

    def test_a_module_has_one_idea(self) -> None:
        """No module is longer than a person reads at once, or a bag for what has no place."""
        assert {name: path for name, path in MODULES.items() if len(text_of(path).splitlines()) > 400} == {}
        assert {name for name in MODULES if name.rpartition(".")[2] in GRAB_BAGS} == set()

    def test_a_name_means_one_thing(self) -> None:
        """No two files have the same name, so that an editor's tab says which one it is."""
        names = [path.name for path in MODULES.values() if path.name != "__init__.py"]
        assert [name for name in names if names.count(name) > 1] == []


def test_no_file_names_a_machine() -> None:
    """No path of somebody's home or of a temporary file is in what comes with the project: it is wrong elsewhere."""
    home = re.compile(rb"(?<![\w.~-])/(?:home|root|Users)/[\w.]")
    files = {path.relative_to(ROOT): path.read_bytes() for path in files_of(ROOT)}
    assert [str(path) for path, content in files.items() if home.search(content)] == []
    # The tests have such paths as values, which are no files of anybody's.
    others = {path: content for path, content in files.items() if path.parts[0] != "tests"}
    assert [str(path) for path, content in others.items() if b"/tmp/" in content] == []


def project_urls(setup_cfg: configparser.ConfigParser) -> dict[str, str]:
    """The URLs of the metadata, by their labels."""
    lines = setup_cfg["metadata"]["project_urls"].strip().splitlines()
    return {label.strip(): url.strip() for label, _, url in (line.partition("=") for line in lines)}


def text_of(path: Path) -> str:
    """The text of a file."""
    return path.read_text("utf-8")


def files_of(folder: Path) -> Iterator[Path]:
    """The files of the tree, hidden ones too, without what git leaves out: a copy of the tree has no git to ask."""
    left_out = [".git", *(line.rstrip("/") for line in text_of(ROOT / ".gitignore").splitlines())]
    for path in sorted(folder.iterdir()):
        if any(fnmatch.fnmatch(path.name, pattern) for pattern in left_out):
            continue
        if path.is_dir():
            yield from files_of(path)
        else:
            yield path


def output_of(program: str, stdin: bytes = b"") -> str:
    """What a program prints in a fresh interpreter."""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, input=stdin, check=True, capture_output=True).stdout.decode()  # noqa: S603


def loaded_by(statement: str, *, after: str = "pass") -> set[str]:
    """The modules that a statement loads in a fresh interpreter."""
    found = "print(json.dumps([*set(sys.modules) - there]))"
    return set(json.loads(output_of(f"import json, sys; {after}; there = set(sys.modules); {statement}; {found}")))


def sorting_key(name: str) -> tuple[int, list[tuple[int, str]]]:
    """The order of isort, which the linter asks for in ``__all__``: constants, classes, the rest; numbers by value."""
    kind = 0 if name.isupper() else 1 if name[0].isupper() else 2
    parts = re.findall(r"\d+|\D+", name)
    return kind, [(int(part), "") if part.isdigit() else (0, part) for part in parts]


def module_name(path: Path) -> str:
    """The name by which a file of the package is imported."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(name: str) -> str:
    """The folder that a module stands in; what stands on top of the rooms is a room for itself."""
    folder = name if MODULES[name].name == "__init__.py" else name.rpartition(".")[0]
    return name if folder in {"workos_mfa", "workos_mfa.emulator"} else folder


def imports_of(path: Path) -> set[str]:
    """The modules that a file imports anywhere, as full names; not the packages that they lie in."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.module is not None, f"{path}: a relative import"
            inside = {f"{node.module}.{alias.name}" for alias in node.names} & set(MODULES)
            found.update(inside or {node.module})
    return found


def third_party(names: set[str]) -> set[str]:
    """The packages among these modules that are neither ours nor Python's."""
    return {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"workos_mfa"}


def closure(name: str) -> set[str]:
    """A module, and all that it imports directly or not."""
    reached: set[str] = set()
    waiting = {name}
    while waiting:
        reached |= waiting
        waiting = {above for each in waiting for above in IMPORTS.get(each, set())} - reached
    return reached


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
IMPORTS = {name: imports_of(path) for name, path in MODULES.items()}
