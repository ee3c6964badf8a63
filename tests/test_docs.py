"""Every example of the README and of docs/ runs, and the runner of the examples is right itself."""

from __future__ import annotations

import importlib
import inspect
import re
from collections import Counter
from pathlib import Path

import attrs
import pytest

import workos_mfa
from tests.documents import DocumentError, read_blocks, read_page, run_page
from workos_mfa import MFA
from workos_mfa._core.errors import api_error_class
from workos_mfa.emulator._faults.fault import OPERATIONS
from workos_mfa.flask import DEFAULT_LIMITS, SecondFactor
from workos_mfa.flask._app_settings import Settings
from workos_mfa.flask._second_factor.events import EVENT_NAMES

ROOT = Path(__file__).parent.parent
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md"))]


def not_run() -> list[object]:
    """A skipped case for each block that says it isn't run, so that pytest lists them with their reasons."""
    blocks = [block for page in PAGES for block in read_page(page, ROOT)]
    return [
        pytest.param(None, marks=pytest.mark.skip(f"{block.place} is not run: {block.not_run}"), id=block.place)
        for block in blocks
        if block.not_run
    ]


@pytest.mark.parametrize("page", [*(pytest.param(page, id=page.name) for page in PAGES), *not_run()])
def test_page(page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a page shows works when it is pasted."""
    run_page(read_page(page, ROOT), monkeypatch, tmp_path)


def test_the_readme_is_one_of_the_pages() -> None:
    """There is a README, and its first two sh blocks are the two commands that .ci/run runs."""
    readme = (ROOT / "README.md").read_text("utf-8")
    assert readme.count("\n```sh\n") >= 2
    assert len(read_page(ROOT / "README.md", ROOT)) > 0


class TestReference:
    """The pages of ``docs/api``."""

    def test_each_public_name_is_there_once(self) -> None:
        """What can be imported has one place in the reference, and nothing else has any."""
        pages = [file.read_text("utf-8") for file in sorted(ROOT.glob("docs/api/*.md"))]
        assert misplaced(pages) == {}

    @pytest.mark.parametrize(
        ("name", "line", "said"),
        [
            ("workos_mfa.MFA", "", "missing"),
            ("workos_mfa.MFA", ".. autoclass:: MFA\n\n.. autoclass:: workos_mfa.MFA", "2 times"),
            ("workos_mfa.Mfa", ".. autoclass:: Mfa", "not a public name"),
        ],
    )
    def test_a_wrong_reference_is_noticed(self, name: str, line: str, said: str) -> None:
        """A name that is left out, is there twice, or that there is not, is told."""
        assert misplaced([f".. currentmodule:: workos_mfa\n\n{line}\n"])[name] == said


PUBLIC_PACKAGES = ("workos_mfa", "workos_mfa.emulator", "workos_mfa.flask", "workos_mfa.testing")
HELD_BY_AN_EMULATOR = {f"workos_mfa.emulator.{name}" for name in ("Calls", "Clock", "Outbox")}
"""The classes that the reference explains and nobody imports."""


def misplaced(pages: list[str]) -> dict[str, str]:
    """What is wrong with the places that public names have on the pages of the reference, by name."""
    places = Counter(place for page in pages for place in places_of(page))
    public = {f"{package}.{name}" for package in PUBLIC_PACKAGES for name in importlib.import_module(package).__all__}
    public.remove("workos_mfa.emulator.Emulator")  # two packages export it, and it says that it is the first one's
    wrong = dict.fromkeys(public - set(places), "missing")
    wrong |= {name: f"{number} times" for name, number in places.items() if number > 1}
    return wrong | dict.fromkeys(set(places) - public - HELD_BY_AN_EMULATOR, "not a public name")


def places_of(page: str) -> list[str]:
    """The full names of what a page of the reference describes."""
    found: list[str] = []
    package = ""
    for directive, name in re.findall(r"^\.\. (?:py:)?(\w+):: (\S+)$", page, re.MULTILINE):
        if directive == "currentmodule":
            package = name
        else:
            found.append(name if "." in name else f"{package}.{name}")
    return found


class TestTables:
    """The tables of the pages, which say again what the code says."""

    def test_the_calls(self) -> None:
        """Each has a row with its parameters, and the client is shown with its own."""
        page = (ROOT / "docs" / "calls.md").read_text("utf-8")
        rows = re.findall(r"^\| `(\w+)` \| (.*?) \| `\w", page, re.MULTILINE)
        told = {call: re.findall(r"`([a-z_]+)`", parameters) for call, parameters in rows}
        assert told == {name: list(inspect.signature(getattr(MFA, name)).parameters)[1:] for name in OPERATIONS}
        signature = inspect.signature(MFA)
        plain = [each.replace(annotation=each.empty) for each in signature.parameters.values()]
        shown = signature.replace(parameters=plain, return_annotation=signature.empty)
        assert f"`MFA{shown}`" in " ".join(page.split())

    def test_the_settings_of_a_flask_app(self) -> None:
        """Each has a row, and no other name has any."""
        told = re.findall(r"^\| `WORKOS_MFA_(\w+)` \|", section("flask.md", "Settings"), re.MULTILINE)
        assert sorted(told) == sorted(field.name.upper() for field in attrs.fields(Settings))

    def test_the_limits_of_a_flask_app(self) -> None:
        """Each has a row with its numbers."""
        told = re.findall(r"^\| `(\w+)` \| ([^;|]*\w)", section("flask.md", "Limits"), re.MULTILINE)
        assert dict(told) == DEFAULT_LIMITS

    def test_what_a_flask_app_calls_and_gives(self) -> None:
        """All that is public of ``SecondFactor`` has a row, and each event too."""
        calls = re.findall(r"^\| `@?second_factor\.(\w+)", section("flask.md", "What the app calls"), re.MULTILINE)
        given = section("flask.md", "What the app gives")
        callbacks = re.findall(r"^\| `(\w+)\(", given, re.MULTILINE)
        public = {name for name in vars(SecondFactor) if not name.startswith("_")}
        assert {*calls, *callbacks, "init_app"} == public
        events = re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", given, re.MULTILINE)))
        assert sorted(events) == sorted(EVENT_NAMES)

    def test_the_tree_of_errors(self) -> None:
        """It has every error, below the one that it is a kind of."""
        above: list[str] = []
        told: dict[str, str] = {}
        for lead, name in re.findall(r"^([│├└─ ]*)(\w+Error)\b", section("errors.md", "The tree"), re.MULTILINE):
            depth = len(lead) // 4
            above[depth:] = [name]
            told[name] = "".join(above[depth - 1 : depth])
        public = [getattr(workos_mfa, name) for name in workos_mfa.__all__ if name.endswith("Error")]
        assert told == {kind.__name__: kind.__bases__[0].__name__ for kind in public} | {"MFAError": ""}

    def test_the_table_of_errors(self) -> None:
        """Each class that a program may meet has a row, and a status with a code is the class of its row."""
        page = (ROOT / "docs" / "errors.md").read_text("utf-8")
        rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| ")]
        told = {name for row in rows for name in re.findall(r"`(\w+Error)`", row[1])}
        public = {name for name in workos_mfa.__all__ if name.endswith("Error")}
        assert told == public - {"MFAError", "TransportError", "APIError"}
        coded = re.findall(r"^\| (\d+) `(\w+)` \| `(\w+)`", page, re.MULTILINE)
        assert [api_error_class(int(status), code).__name__ for status, code, _ in coded] == [row[2] for row in coded]


def section(page: str, title: str) -> str:
    """What stands under a heading of a page of the documentation."""
    return (ROOT / "docs" / page).read_text("utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]


class TestRunner:
    """The runner, on small pages."""

    @pytest.fixture(autouse=True)
    def _world(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self.monkeypatch = monkeypatch
        self.folder = tmp_path

    def run(self, *lines: str) -> None:
        """Run a page of these lines."""
        run_page(read_blocks("page.md", "\n".join(lines)), self.monkeypatch, self.folder)

    def refusal(self, *lines: str) -> str:
        """Why a page of these lines is refused."""
        with pytest.raises(DocumentError) as caught:
            self.run(*lines)
        return str(caught.value)

    def test_blocks_share_a_module(self) -> None:
        """A block sees the names of those above it, whatever their kind."""
        self.run(
            *("# A page", "```python", "x = 20", "```"),
            *("1. in a list", "   ```pycon", "   >>> y = x + 1", "   >>> y", "   21", "   ```"),
            *("~~~python", "assert (x, y, __name__) == (20, 21, 'page')", "~~~"),
        )

    def test_other_languages_are_left_alone(self) -> None:
        """A block of another language, or of none, is not Python."""
        assert read_blocks("page.md", "```sh\nexit 1\n```\n\n```\n```text in it\n```\n") == []

    def test_a_failing_block_leads_to_its_line(self) -> None:
        """The traceback of an example names the page and the line in it."""
        with pytest.raises(ZeroDivisionError) as caught:
            self.run("# A page", "", "```python", "x = 1", "x / 0", "```")
        last = caught.traceback[-1]
        assert (Path(str(last.path)).name, last.lineno + 1) == ("page.md", 5)

    def test_a_wrong_result_is_refused(self) -> None:
        """A session that prints something else than the page says names the line, and what came."""
        said = self.refusal("", "```pycon", ">>> 1 + 1", "3", "```")
        assert "page.md" in said
        assert "line 3" in said
        assert "Got:\n    2" in said

    def test_ellipsis_stands_for_anything(self) -> None:
        """Ids and times may be left out of what a session prints."""
        self.run("```pycon", ">>> 'auth_factor_' + 'x' * 26", "'auth_factor_...'", "```")

    def test_tests_are_run(self) -> None:
        """A block that defines tests is run by pytest, fixtures and all, with the blocks above in reach."""
        self.run(
            *("```python", "def double(x):", "    return 2 * x", "```"),
            *("```python", "def test_double(tmp_path):", "    assert double(2) == 4", "```"),
        )

    def test_failing_tests_are_refused(self) -> None:
        """A test of the page that fails, fails the page."""
        said = self.refusal("```python", "class TestSum:", "    def test_it(self):", "        assert 1 + 1 == 3", "```")
        assert said.startswith("page.md: its tests do not pass")
        assert "test_line_2.py" in said
        assert "assert (1 + 1) == 3" in said

    def test_settings_are_taken_away(self) -> None:
        """An example can't live off what the machine happens to have set."""
        self.monkeypatch.setenv("WORKOS_API_KEY", "sk_example_123456789")
        self.run("```python", "import os", "assert 'WORKOS_API_KEY' not in os.environ", "```")

    def test_the_network_is_refused(self) -> None:
        """An example that asks for another machine fails, even if it catches every error."""
        said = self.refusal(
            *("```python", "import socket, contextlib", "with contextlib.suppress(OSError):"),
            *("    socket.create_connection(('api.workos.com', 443))", "```"),
        )
        assert said == "page.md:2: it talks to api.workos.com; the emulator answers without a network"

    def test_a_call_to_the_real_api_is_refused(self) -> None:
        """An example that would call the real API is told so."""
        with pytest.raises(Exception, match="no network"):
            self.run(
                *("```python", "from workos_mfa import MFA, RetryPolicy"),
                *("MFA('sk_example_123456789', retry=RetryPolicy(max_attempts=1)).get_factor('auth_factor_1')", "```"),
            )

    def test_loopback_is_no_network(self) -> None:
        """A server of the example's own may be asked."""
        self.run(
            *("```python", "import socket", "with socket.create_server(('127.0.0.1', 0)) as server:"),
            *("    socket.create_connection(server.getsockname()).close()", "```"),
        )

    def test_a_marked_block_is_not_run(self) -> None:
        """A block with a reason right above it is left out, and the rest of the page is run."""
        lines = ["<!-- not run: it waits for a person -->", "```python", "input()", "```", "```python", "x = 1", "```"]
        self.run(*lines)
        assert [block.not_run for block in read_blocks("page.md", "\n".join(lines))] == ["it waits for a person", None]

    def test_a_marked_block_is_python_all_the_same(self) -> None:
        """Not being run is no reason for not being Python."""
        with pytest.raises(SyntaxError):
            self.run("<!-- not run: it waits for a person -->", "```python", "input(", "```")

    @pytest.mark.parametrize(
        ("lines", "why"),
        [
            (["<!-- not run: -->", "```python", "x = 1", "```"], "page.md:3: say why it is not run"),
            (["<!-- not run: x -->", "", "```python", "x = 1", "```"], "page.md:2: a 'not run' comment"),
            (["<!-- not run: x -->", "```sh", "true", "```"], "page.md:2: a 'not run' comment"),
            (["<!-- not run: x -->", "<!-- not run: y -->"], "page.md:2: a 'not run' comment"),
            (["```py", "x = 1", "```"], "page.md:1: write python"),
            (["```Python3", "x = 1", "```"], "page.md:1: write python"),
            (["```python", "x = 1"], "page.md:1: the block has no end"),
            (["```pycon", "x = 1", "```"], "page.md:2: a pycon block has lines that begin with >>>"),
        ],
    )
    def test_nothing_is_passed_over(self, lines: list[str], why: str) -> None:
        """A page on which a block would be left out by mistake is refused, with its line."""
        assert self.refusal(*lines).startswith(why)
