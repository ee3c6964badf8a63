"""The documents of all accounts, on whatever store the app has."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Protocol, TypeAlias, TypeVar

from workos_mfa.flask._second_factor.document import Document, DocumentError, read, write

T = TypeVar("T")

Cache: TypeAlias = "MutableMapping[str, tuple[str | None, Document]]"

_ATTEMPTS = 100


class Store(Protocol):
    """Where the documents of the accounts are kept: one text each.

    It may be shared by threads and processes. Whatever it raises is taken for a failure: the person gets an error page,
    and is never treated as somebody who has no second factor.
    """

    def load(self, account_id: str, /) -> str | None:
        """The account's document as it was saved last, or None if there is none."""
        ...

    def save(self, account_id: str, document: str, /, *, replaces: str | None) -> bool:
        """Save the account's document, if the one that is there now is exactly ``replaces``, in one step.

        :param account_id: whose document it is; at most 255 characters.
        :param document: the new text.
        :param replaces: the text that was loaded, or None if there was none.
        :returns: whether it was saved; False if another one is there by now.
        """
        ...


Store.__module__ = "workos_mfa.flask"  # inside of it, this would be a member of the protocol


class StoreError(Exception):
    """A document could not be loaded or saved, or not be read. Nothing was decided."""

    __module__ = "workos_mfa.flask"


class Accounts:
    """The documents, read and changed in one step each.

    :param store: the app's store.
    :param cache: gives what was loaded already, by account, for the request that is served.
    """

    def __init__(self, store: Store, cache: Callable[[], Cache]) -> None:
        self._store = store
        self._cache = cache

    def load(self, account_id: str) -> Document:
        """The account's document; an empty one if there is none.

        :raises StoreError: if the store fails, or what it has can't be read.
        """
        return self._load(account_id, self._cache())[1]

    def change(self, account_id: str, decide: Callable[[Document], tuple[Document, T]]) -> tuple[Document, T]:
        """Decide on the account's document as it is now, and save what comes of it.

        :param decide: gives the new document and a result; it is called again if somebody else was faster, so it has
            no effects. What it raises passes, and nothing is saved.
        :returns: the document that was saved, and the result.
        :raises StoreError: if the store fails, or somebody else is always faster.
        """
        cache = self._cache()
        for _ in range(_ATTEMPTS):
            replaced, document = self._load(account_id, cache)
            document, result = decide(document)
            text = write(document)
            # Whatever comes of it, what was loaded is old now.
            del cache[account_id]
            if self._save(account_id, text, replaced):
                cache[account_id] = text, document
                return document, result
        raise StoreError("the account's document is changed by others all the time")

    def _load(self, account_id: str, cache: Cache) -> tuple[str | None, Document]:
        if account_id not in cache:
            try:
                text = self._store.load(account_id)
            except Exception as error:
                raise StoreError(f"the store could not load a document: {type(error).__name__}") from error
            cache[account_id] = text, _document(text)
        return cache[account_id]

    def _save(self, account_id: str, document: str, replaces: str | None) -> bool:
        try:
            return self._store.save(account_id, document, replaces=replaces) is True
        except Exception as error:
            raise StoreError(f"the store could not save a document: {type(error).__name__}") from error


def _document(text: str | None) -> Document:
    try:
        return Document() if text is None else read(text)
    except DocumentError as error:
        raise StoreError(str(error)) from None
