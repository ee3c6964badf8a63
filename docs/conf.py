"""How the documentation is built: ``nox -s docs``, or ``sphinx-build -n -W docs build/docs``."""

from __future__ import annotations

import os

from workos_mfa import __version__

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
autodoc_typehints_description_target = "documented"
autodoc_class_signature = "mixed"
python_use_unqualified_type_names = True
nitpicky = True
# The names of types that only type checkers see, and of type variables: they have no page.
nitpick_ignore = [
    ("py:class", name)
    for name in (
        *("_AnyFactor", "Effect", "Replay", "Selectors", "SettingsDict", "T", "Trouble", "WSGIApp"),
        *("workos_mfa.flask._extension._View",),
        *("workos_mfa.emulator._base.clock.Clock", "workos_mfa.emulator._base.log.Calls"),
        *("workos_mfa.emulator._base.log.Outbox",),
    )
]
nitpick_ignore += [("py:data", "Replay")]
if os.environ.get("DOCS_ONLINE") != "1":
    # Other people's pages are not there to be linked to.
    nitpick_ignore += [
        ("py:class", name)
        for name in (
            *("collections.abc.Callable", "collections.abc.Mapping", "collections.abc.Sequence", "datetime"),
            *("os.PathLike", "ssl.SSLContext", "requests.Session", "Engine", "FlaskClient"),
            *("flask.app.Flask", "flask.wrappers.Response"),
        )
    ]

html_theme = "furo"
html_title = f"workos_mfa {__version__}"

if os.environ.get("DOCS_ONLINE") == "1":
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        "python": ("https://docs.python.org/3", None),
        "requests": ("https://requests.readthedocs.io/en/latest", None),
        "urllib3": ("https://urllib3.readthedocs.io/en/stable", None),
        "flask": ("https://flask.palletsprojects.com/en/stable", None),
        "sqlalchemy": ("https://docs.sqlalchemy.org/en/20", None),
    }
