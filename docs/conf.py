"""How the documentation is built: ``nox -s docs``, or ``sphinx-build -n -W docs build/docs``."""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Callable
from typing import Any, Protocol

import attrs

from workos_mfa import __version__, emulator
from workos_mfa.emulator._base.clock import Clock
from workos_mfa.emulator._base.log import Calls, Outbox

# Type checkers run where there is no Sphinx, so this is not imported, and its app is told to them below.
ModuleAnalyzer: Any = importlib.import_module("sphinx.pycode").ModuleAnalyzer

project = "workos_mfa"
author = "The workos_mfa maintainers"
project_copyright = author
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["README.md"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_typehints_format = "short"
autodoc_class_signature = "mixed"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 68
# What a private name of the annotations stands for.
autodoc_type_aliases = {
    "_AnyFactor": "workos_mfa.TOTPFactor | workos_mfa.SMSFactor | workos_mfa.Factor",
    "_Client": "workos_mfa.MFA",
    "_Function": "collections.abc.Callable",
    "_View": "collections.abc.Callable",
}
nitpicky = True
# The names of types that only type checkers see, and of type variables: they have no page.
nitpick_ignore_regex = [
    ("py:(class|data)", rf"([\w.]+\.)?{name}")
    for name in ("Effect", "EventName", "Replay", "Selectors", "SettingsDict", "T", "Trouble", "WSGIApp", "_View")
]
nitpick_ignore: list[tuple[str, str]] = []
if os.environ.get("DOCS_ONLINE") != "1":
    # Other people's pages are not there to be linked to.
    nitpick_ignore += [
        ("py:class", name)
        for name in (
            *("collections.abc.Callable", "collections.abc.Iterator", "collections.abc.Mapping"),
            *("collections.abc.Sequence", "contextlib.AbstractContextManager", "os.PathLike"),
            *("datetime", "datetime.datetime", "datetime.timedelta"),
            *("ssl.SSLContext", "requests.Session", "Engine", "FlaskClient"),
            *("flask.app.Flask", "flask.wrappers.Response"),
        )
    ]

html_theme = "furo"
html_title = f"workos_mfa {__version__}"
html_static_path = ["_static"]
html_css_files = ["pages.css"]

if os.environ.get("DOCS_ONLINE") == "1":
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        "python": ("https://docs.python.org/3", None),
        "requests": ("https://requests.readthedocs.io/en/latest", None),
        "urllib3": ("https://urllib3.readthedocs.io/en/stable", None),
        "flask": ("https://flask.palletsprojects.com/en/stable", None),
        "sqlalchemy": ("https://docs.sqlalchemy.org/en/20", None),
    }


def read_the_sources() -> None:
    """Let autodoc find overloads and the order of methods, though classes name the module they are imported from."""
    parts = ("workos_mfa", "workos_mfa.emulator", "workos_mfa.flask", "workos_mfa.testing")
    packages = [importlib.import_module(name) for name in parts]
    for package in packages:
        for name in package.__all__:
            getattr(package, name)  # each loads the module that it is written in
    for package in packages:
        public = ModuleAnalyzer.for_module(package.__name__)
        public.analyze()
        for name in sorted(sys.modules):
            here = f"{package.__name__}._"
            # The emulator is a public name of the first package.
            if not name.startswith(here) and (here, name) != ("workos_mfa._", "workos_mfa.emulator._emulator"):
                continue
            written = ModuleAnalyzer.for_module(name)
            written.analyze()
            public.overloads.update(written.overloads)
            public.attr_docs.update(written.attr_docs)
            later = len(public.tagorder)
            public.tagorder.update({tag: later + place for tag, place in written.tagorder.items()})


def show_what_an_emulator_holds() -> None:
    """Give a place in the reference to the classes that nobody makes, and so nobody imports."""
    for kind in (Clock, Outbox, Calls):
        kind.__module__ = emulator.__name__
        setattr(emulator, kind.__name__, kind)


def fields_for_parameters(_app: object, what: str, _name: str, thing: type, _options: object, lines: list[str]) -> None:
    """Show what a class of attrs is made of as its fields, so that each can be linked to and has its type."""
    if what != "class" or not attrs.has(thing):
        return
    types = {field.name: field.type for field in attrs.fields(thing)}
    shown: list[str] = []
    in_field = False
    for line in lines:
        param = re.fullmatch(r":param (\w+): (.*)", line)
        if param:
            # As a target, a field of this name would be what every annotation of "object" leads to.
            hidden = ["   :no-index:"] if param[1] == "object" else []
            shown += ["", f".. attribute:: {param[1]}", *hidden, f"   :type: {types[param[1]]}", "", f"   {param[2]}"]
            in_field = True
        elif in_field and line.startswith(" "):
            shown.append(f"   {line.strip()}")
        else:
            if in_field:
                shown.append("")
            in_field = False
            shown.append(line)
    for name in [field.name for field in attrs.fields(thing) if not field.inherited]:
        if not name.startswith("_") and f".. attribute:: {name}" not in shown:
            shown += ["", f".. attribute:: {name}", f"   :type: {types[name]}", ""]
    lines[:] = shown


def named_defaults(
    _app: object, _what: str, _name: str, _thing: object, _options: object, args: str | None, returned: str | None
) -> tuple[str | None, str | None]:
    """Show a default that is a function by its name."""
    return args and re.sub(r"=<[a-z-]+ (?:function|method) ([\w.]+)[^>]*>+", r"=\1", args), returned


def public_bases(_app: object, _name: str, _thing: type, _options: object, bases: list[type]) -> None:
    """Of the bases of a class, show those that the reference has."""
    bases[:] = [base for base in bases if "._" not in getattr(base, "__module__", "")]


class App(Protocol):
    """What is needed of Sphinx' own."""

    def connect(self, event: str, callback: Callable[..., object], /) -> object:
        """Call a function at an event."""
        ...


def setup(app: App) -> None:
    """Connect all this."""
    read_the_sources()
    show_what_an_emulator_holds()
    app.connect("autodoc-process-docstring", fields_for_parameters)
    app.connect("autodoc-process-signature", named_defaults)
    app.connect("autodoc-process-bases", public_bases)
