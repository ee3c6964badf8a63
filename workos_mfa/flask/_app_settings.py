"""The settings: ``app.config["WORKOS_MFA_..."]``, read and checked when the app starts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import attrs
from attrs.validators import deep_iterable, in_, instance_of, is_callable, optional
from flask import Flask

from workos_mfa.flask._browser import is_path_here
from workos_mfa.flask._second_factor.us_numbers import US_PREFIXES

_PREFIX = "WORKOS_MFA_"
_CSP = (
    "default-src 'none'; img-src 'self' data:; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


def _tuple(values: Iterable[str]) -> tuple[str, ...]:
    # A text is iterable too, and never meant. The validator refuses it, and what is not iterable.
    is_collection = isinstance(values, Iterable) and not isinstance(values, str)
    return tuple(values) if is_collection else cast("tuple[str, ...]", values)


def _are_texts(_: object, attribute: attrs.Attribute[Mapping[str, str]], value: Mapping[str, str]) -> None:
    if not isinstance(value, Mapping) or not all(isinstance(each, str) for each in (*value, *value.values())):
        raise TypeError(f"{attribute.name} has names and texts, and both are str")


def _is_rule(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if not (isinstance(value, bool) or callable(value)):
        raise TypeError(f"{attribute.name} is True, False or a function of an account's id")


@attrs.frozen(kw_only=True)
class Settings:
    """What an app can set. Each field is a key of ``app.config``, in capitals and behind ``WORKOS_MFA_``.

    :param address: called for the address of a request; ``request.remote_addr`` if left out.
    :param after_sign_in: the path to go to after a sign-in, where the app named none.
    :param csp: the Content-Security-Policy of the pages, or None for none of ours.
    :param issuer: your app's name, as authenticator apps show it; ``app.name`` if left out.
    :param layout: the template that the pages extend; it has a block ``content`` and may have a block ``title``.
    :param limits: other limits, by name, such as ``{"codes_by_account": "5 per 5 minutes"}``.
    :param limits_uri: where the limits are counted: ``memory://``, or as ``redis://localhost:6379/0``.
    :param login_view: the endpoint of your login page.
    :param mandatory: whether an account must have a factor: True, False, or a function of the account's id.
    :param methods: the kinds of factors that can be enrolled: ``totp``, ``sms``.
    :param sms_prefixes: how a phone number may begin. The default is all area codes of the US, without
        the Caribbean and premium ones.
    :param sms_template: the text message, with ``{{code}}`` in it, at most 160 characters.
    :param texts: other sentences, by name.
    :param url_prefix: the path that the pages are under.
    """

    address: Callable[[], str | None] | None = attrs.field(default=None, validator=optional(is_callable()))
    after_sign_in: str = attrs.field(default="/", validator=instance_of(str))
    csp: str | None = attrs.field(default=_CSP, validator=instance_of((str, type(None))))
    issuer: str = attrs.field(validator=instance_of(str))
    layout: str = attrs.field(default="workos_mfa/layout.html", validator=instance_of(str))
    limits: Mapping[str, str] = attrs.field(factory=dict[str, str], validator=_are_texts)
    limits_uri: str = attrs.field(default="memory://", validator=instance_of(str))
    login_view: str = attrs.field(validator=instance_of(str))
    mandatory: bool | Callable[[str], bool] = attrs.field(default=False, validator=_is_rule)
    methods: tuple[str, ...] = attrs.field(
        default=("totp",), converter=_tuple, validator=deep_iterable(in_(("totp", "sms")), instance_of(tuple))
    )
    sms_prefixes: tuple[str, ...] = attrs.field(
        default=US_PREFIXES, converter=_tuple, validator=deep_iterable(instance_of(str), instance_of(tuple))
    )
    sms_template: str = attrs.field(validator=instance_of(str))
    texts: Mapping[str, str] = attrs.field(factory=dict[str, str], validator=_are_texts)
    url_prefix: str = attrs.field(default="/second-factor", validator=instance_of(str))

    def is_mandatory(self, account_id: str) -> bool:
        """Whether this account must have a factor."""
        return self.mandatory if isinstance(self.mandatory, bool) else bool(self.mandatory(account_id))


def read_settings(app: Flask) -> Settings:
    """The settings of an app.

    :raises RuntimeError: if a setting is missing, unknown, or of the wrong kind, or the session cookie is not safe.
    """
    config = cast("dict[str, Any]", app.config)
    given = {key.removeprefix(_PREFIX).lower(): value for key, value in config.items() if key.startswith(_PREFIX)}
    known = {field.name for field in attrs.fields(Settings)}
    if unknown := given.keys() - known:
        raise RuntimeError("there are no settings of these names: " + ", ".join(sorted(map(_key, unknown))))
    if not app.secret_key:
        raise RuntimeError("set SECRET_KEY: the second factor keeps its state in Flask's session")
    if "login_view" not in given:
        raise RuntimeError(f"set {_key('login_view')} to the endpoint of your login page, such as 'login'")
    issuer: object = given.setdefault("issuer", config.setdefault(_key("issuer"), app.name))
    given.setdefault("sms_template", f"Your {issuer} code is {{{{code}}}}. We never call to ask for it.")
    try:
        settings = Settings(**given)
    except (TypeError, ValueError) as error:
        raise RuntimeError(f"a setting can't be right: {error.args[0]}") from None
    if "{{code}}" not in settings.sms_template or len(settings.sms_template) > 160:
        raise RuntimeError(f"{_key('sms_template')} needs {{{{code}}}}, and has at most 160 characters")
    if not is_path_here(settings.after_sign_in):
        raise RuntimeError(f"{_key('after_sign_in')} is a path of this site, such as '/account'")
    if not settings.methods or not all(prefix.startswith("+") for prefix in settings.sms_prefixes):
        raise RuntimeError(
            f"{_key('methods')} names one kind at least, and each of {_key('sms_prefixes')} begins with +"
        )
    if not (app.debug or app.testing):
        _check_safety(config)
    return settings


def _key(name: str) -> str:
    return _PREFIX + name.upper()


def _check_safety(config: Mapping[str, object]) -> None:
    wrong = [
        name
        for name, right in (
            ("SESSION_COOKIE_SECURE = True", config["SESSION_COOKIE_SECURE"]),
            ("SESSION_COOKIE_HTTPONLY = True", config["SESSION_COOKIE_HTTPONLY"]),
            ("SESSION_COOKIE_SAMESITE = 'Lax'", config["SESSION_COOKIE_SAMESITE"] in {"Lax", "Strict"}),
            ("WTF_CSRF_ENABLED = True", config.get("WTF_CSRF_ENABLED", True)),
        )
        if not right
    ]
    if wrong:
        raise RuntimeError(
            f"the session is not safe: set {', '.join(wrong)}. On your own machine, run Flask in debug mode"
        )
