"""Settings: what each takes, as an argument, as JSON, as a text and in a file, and the list of them for people."""

from __future__ import annotations

import json
import math
import pickle
import re
from pathlib import Path
from typing import Any, get_args, get_type_hints

import attrs
import pytest

from workos_mfa.emulator import Emulator, Settings, _settings
from workos_mfa.emulator._settings import SettingsDict, listed, settings_from, value_in

FIELDS = attrs.fields(Settings)


def _from_text(name: str, text: str) -> object:
    return getattr(settings_from({name: value_in(name, text)}), name)


def test_is_a_value() -> None:
    """Settings compare, hash and are pickled by value."""
    settings = Settings(totp_window_back=0, users="seeded")
    assert settings == Settings(totp_window_back=0, users="seeded") != Settings()
    assert hash(Settings()) == hash(Settings())
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301


def test_every_setting_is_an_argument() -> None:
    """What the emulator's arguments are for a type checker is what the settings are."""
    assert get_type_hints(SettingsDict) == get_type_hints(Settings, vars(_settings))


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_every_setting_is_told(field: Any) -> None:
    """It is documented, listed with its meaning and its default, and that can be given, as a text and as JSON."""
    assert f":param {field.name}:" in (Settings.__doc__ or "")
    lines = listed().splitlines()
    [place] = [place for place, line in enumerate(lines) if line.startswith(f"  {field.name}=")]
    assert lines[place + 1].startswith("      ")
    assert "``" not in listed()
    text = lines[place].partition("=")[2].rpartition("  (")[0]
    assert _from_text(field.name, text) == field.default
    shown = json.loads(json.dumps(attrs.asdict(Settings())))
    assert settings_from({field.name: shown[field.name]}) == Settings()


def test_every_choice_can_be_given() -> None:
    """Each of the values that a setting names is taken, as a text and as JSON."""
    hints = get_type_hints(Settings, _settings.__dict__)
    choices = [(field.name, choice) for field in FIELDS for choice in get_args(hints[field.name])]
    given = [(name, choice) for name, choice in choices if isinstance(choice, (str, int))]
    assert len(given) > 20
    for name, choice in given:
        assert _from_text(name, str(choice)) == choice
        assert getattr(settings_from({name: choice}), name) == choice


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("max_wrong_codes", "7", 7),
        ("max_wrong_codes", "none", None),
        ("max_wrong_codes", "None", None),
        ("lock_refuses_right_code", "False", False),
        ("lock_refuses_right_code", "true", True),
        ("default_sms_text", "true", "true"),
        ("default_sms_text", "", ""),
        ("team_name", "none", "none"),
        ("users", "seeded", "seeded"),
    ],
)
def test_what_a_text_means(name: str, text: str, value: object) -> None:
    """A text is read as what the setting takes, in JSON's words and in Python's."""
    found = _from_text(name, text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("max_wrong_codes", "5", "max_wrong_codes takes a whole number from 1 to 999999999 or none"),
        ("max_wrong_codes", True, "max_wrong_codes takes a whole number from 1 to 999999999 or none"),
        ("max_wrong_codes", 0, "max_wrong_codes takes a whole number from 1 "),
        ("totp_window_back", None, "totp_window_back takes a whole number"),
        ("lock_refuses_right_code", 1, "lock_refuses_right_code takes true or false"),
        ("totp_window_back", 10**9, "totp_window_back takes a whole number from 0 to 999999999"),
        ("totp_window_back", -1, "totp_window_back takes a whole number"),
        ("totp_window_back", 1.5, "totp_window_back takes a whole number"),
        ("totp_window_back", math.nan, "totp_window_back takes a whole number"),
        ("totp_uri", "long", "totp_uri takes short or full"),
        ("team_name", 7, "team_name takes a text"),
        ("users", {"user_1": "ada@example.com"}, "users takes any or seeded"),
        ("max_wrong_code", 3, "there is no setting 'max_wrong_code'; did you mean max_wrong_codes?"),
        ("maxWrongCodes", 3, "there is no setting 'maxWrongCodes'; did you mean max_wrong_codes?"),
        ("colour", 3, "there is no setting 'colour'; workos-mfa emulate --help lists them all."),
    ],
)
def test_what_a_setting_does_not_take(name: str, value: Any, problem: str) -> None:
    """A wrong value or name is refused with the setting, and with what it takes or is called."""
    with pytest.raises(ValueError, match=f"^{re.escape(problem)}"):
        settings_from({"team_name": "Foo Corp", name: value})
    with pytest.raises((ValueError, TypeError), match=name):
        Emulator(**{name: value})


@pytest.mark.parametrize("text", ["many", "1.5", "", "9" * 5000, "[" * 100_000, "1 2"])
def test_a_text_that_means_nothing(text: str) -> None:
    """Whatever is typed for a number, it is a number or refused."""
    with pytest.raises(ValueError, match="totp_window_back takes a whole number"):
        _from_text("totp_window_back", text)


def test_the_others_stay_as_they_are() -> None:
    """What is not among the values is as it was."""
    others = Settings(totp_window_back=3, team_name="Foo Corp")
    assert settings_from({"totp_window_back": 2}, others) == Settings(totp_window_back=2, team_name="Foo Corp")


def test_a_file_of_settings(tmp_path: Path) -> None:
    """A file has names and values; an emulator takes what its arguments do not say, and the rest has its default."""
    path = tmp_path / "settings.json"
    path.write_text('{"max_wrong_codes": 3, "totp_window_back": 2}', "utf-8")
    assert Settings.from_file(path) == Settings(max_wrong_codes=3, totp_window_back=2)
    emulator = Emulator(settings_file=str(path), totp_window_back=0)
    assert emulator.settings == Settings(max_wrong_codes=3, totp_window_back=0)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "a settings file is a JSON object of settings and their values"),
        ("[]", "a settings file is a JSON object of settings and their values"),
        ('{"max_wrong_codes": "3"}', "max_wrong_codes takes a whole number from 1 to 999999999 or none"),
        ('{"colour": 3}', "there is no setting 'colour'; workos-mfa emulate --help lists them all."),
    ],
)
def test_a_file_that_is_none_of_settings(tmp_path: Path, text: str, problem: str) -> None:
    """What is wrong with a file is told with its name."""
    path = tmp_path / "settings.json"
    path.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=f"^{re.escape(f'{path}: {problem}')}$"):
        Settings.from_file(path)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        Emulator(settings_file=path)
