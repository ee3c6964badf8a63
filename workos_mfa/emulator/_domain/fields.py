"""Reads what a request brings, property by property, and collects everything that is wrong with it.

The sentences are in the words of the validation library that the API is built with, as far as other
calls of the API have shown them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import cast

from workos_mfa.emulator._domain import error_responses
from workos_mfa.emulator._settings import Settings


def _refuse_constant(name: str) -> None:
    # Python reads NaN and Infinity, which JSON does not have.
    raise ValueError(name)


_JSON = json.JSONDecoder(parse_constant=_refuse_constant)


class Fields:
    """The properties of one request; ``refuse_if_wrong`` ends the reading.

    :param values: names and values.
    :param settings: what counts as wrong.
    """

    def __init__(self, values: Mapping[str, object], settings: Settings) -> None:
        self._values = values
        self._settings = settings
        self._problems: list[error_responses.Problem] = []

    def only(self, known: Collection[str]) -> None:
        """Object to every property that is not among these."""
        for name in self._values:
            if name not in known:
                self.object_to(name, f"property {name} should not exist")

    def required(self, name: str, *, longest: int | None = None) -> str:
        """A string that must be there; an empty one in its place where it is not."""
        value = self._values.get(name)
        if isinstance(value, str):
            return self._not_empty(name, value, longest)
        self.object_to(name, f"{name} must be a string")
        return ""

    def optional(self, name: str, *, longest: int | None = None) -> str | None:
        """A string that may be missing or null."""
        return None if self._values.get(name) is None else self.required(name, longest=longest)

    def optional_or_empty(self, name: str, *, longest: int | None = None) -> str | None:
        """A string that may be missing, null or empty, as the official Go SDK sends what it does not use."""
        return None if self._values.get(name) == "" else self.optional(name, longest=longest)

    def one_of(self, name: str, choices: Collection[str]) -> str:
        """One of some strings; an empty one in its place where it is not."""
        value = self._values.get(name)
        if isinstance(value, str) and value in choices:
            return value
        self.object_to(name, f"{name} must be a valid enum value")
        return ""

    def phone(self, name: str, *, needed: bool) -> str:
        """A phone number as it was written; an empty one where none is needed or there is none.

        An empty string that was sent passes here: it is a bad number rather than a missing one.
        """
        value = self._values.get(name)
        if isinstance(value, str):
            return value
        if needed or value is not None:
            self.object_to(name, f"{name} must be a string")
        return ""

    def code(self, name: str) -> str:
        """A one-time code."""
        value = self._values.get(name)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if is_number and self._settings.number_as_code == "read":
            return str(value)
        return self.required(name)

    def object_to(self, name: str, sentence: str) -> None:
        """Note that something is wrong with a property."""
        self._problems.append(error_responses.Problem(name, sentence))

    def refuse_if_wrong(self) -> None:
        """End the reading.

        :raises ErrorResponse: if anything was wrong.
        """
        if self._problems:
            raise error_responses.invalid(self._problems, self._settings)

    def _not_empty(self, name: str, value: str, longest: int | None) -> str:
        if not value:
            self.object_to(name, f"{name} should not be empty")
        elif longest is not None and len(value) > longest:
            self.object_to(name, f"{name} must be shorter than or equal to {longest} characters")
        return value


def body_fields(body: bytes, known: Collection[str], settings: Settings) -> Fields:
    """The properties of a JSON body; an empty body has none, as with the API.

    :raises ErrorResponse: if it is not a JSON object.
    """
    fields = Fields(_json_object(body) if body else {}, settings)
    if settings.unknown_properties == "refused":
        fields.only(known)
    return fields


def _json_object(body: bytes) -> Mapping[str, object]:
    try:
        value: object = _JSON.decode(body.decode())
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise error_responses.unreadable()
    return cast("dict[str, object]", value)
