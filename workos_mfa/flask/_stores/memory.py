"""A store in memory, for tests and for looking at it."""

from __future__ import annotations

import threading


class MemoryStore:
    """Keeps the documents as long as the process lives. Outside of debugging and testing, ``init_app`` refuses it."""

    __module__ = "workos_mfa.flask"

    def __init__(self) -> None:
        self._documents: dict[str, str] = {}
        self._lock = threading.Lock()

    def load(self, account_id: str, /) -> str | None:
        """The account's document, or None if there is none."""
        return self._documents.get(account_id)

    def save(self, account_id: str, document: str, /, *, replaces: str | None) -> bool:
        """Save the account's document, if the one that is there now is ``replaces``; whether it was saved."""
        with self._lock:
            if self._documents.get(account_id) != replaces:
                return False
            self._documents[account_id] = document
            return True
