"""Forms that only our own pages can send: Flask-WTF, whose token stands in the session."""

from __future__ import annotations

from typing import cast

from flask import current_app, request

# Neither has types.
from flask_wtf.csrf import generate_csrf, validate_csrf  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]
from wtforms.validators import ValidationError  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

from workos_mfa.flask._second_factor.refusals import Refused


def new_token() -> str:
    """The token that a form has to bring along."""
    return str(generate_csrf())


def check_token() -> None:
    """Check the token of a form. Flask-WTF's own switch ``WTF_CSRF_ENABLED`` is for tests.

    :raises Refused: if it is missing, too old or another browser's.
    """
    config = cast("dict[str, object]", current_app.config)
    if not config.get("WTF_CSRF_ENABLED", True):
        return
    try:
        validate_csrf(request.form.get("csrf_token"))
    except ValidationError:
        refused = Refused("csrf")
    else:
        return
    raise refused
