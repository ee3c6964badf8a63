"""What a WSGI server hands over, read once: the request in HTTP's own terms.

The path is kept percent-encoded as it came, since ``%2F`` in an id is not a slash. WSGI decodes it, but most
servers give the original beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

from werkzeug.exceptions import BadRequest, RequestEntityTooLarge
from werkzeug.wrappers import Request

from workos_mfa.emulator._http import error_responses

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# Everything that a path may hold as it is.
_PATH_SAFE = "/:@!$&'()*+,;=-._~"


class Incoming:
    """One request.

    :param environ: the environment that the WSGI server made.
    """

    def __init__(self, environ: WSGIEnvironment) -> None:
        self._request = Request(environ, populate_request=False)
        self.method: str = self._request.method
        self.host: str
        self.path: str
        self.host, self.path, self._raw_query = _target(environ)

    @property
    def query(self) -> Mapping[str, str]:
        """The query parameters. One that is given twice has both values, as one that no call accepts."""
        values: dict[str, str] = {}
        for name, value in parse_qsl(self._raw_query, keep_blank_values=True):
            values[name] = f"{values[name]},{value}" if name in values else value
        return values

    @property
    def bearer(self) -> bytes:
        """What stands after ``Authorization: Bearer``, or nothing."""
        # As bytes, since a comparison in constant time takes no other characters than ASCII.
        scheme, _, token = self._request.headers.get("Authorization", "").partition(" ")
        return token.strip().encode("latin-1", "replace") if scheme.lower() == "bearer" else b""

    def body(self, limit: int) -> bytes:
        """The body.

        :param limit: how many bytes are read at most.
        :raises ErrorResponse: if it is longer.
        :raises ConnectionError: if the client went away before it was whole.
        """
        # One more, since a body in chunks is not refused there but cut.
        self._request.max_content_length = limit + 1
        try:
            body = self._request.get_data(cache=False)
        except RequestEntityTooLarge:
            body = None
        except (BadRequest, OSError):
            raise ConnectionAbortedError("the body of the request did not arrive as a whole") from None
        if body is None or len(body) > limit:
            raise error_responses.too_large(limit)
        return body

    def check_json(self) -> None:
        """Make sure that the body is said to be JSON.

        :raises ErrorResponse: if it is not.
        """
        coding = self._request.headers.get("Content-Encoding", "identity")
        charset = self._request.mimetype_params.get("charset", "utf-8")
        if (self._request.mimetype, charset.lower(), coding.lower()) != ("application/json", "utf-8", "identity"):
            raise error_responses.not_json()


def _target(environ: WSGIEnvironment) -> tuple[str, str, str]:
    """The host that is addressed, the path below the application's own, and the query."""
    raw: object = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    root = quote(environ.get("SCRIPT_NAME", ""), safe=_PATH_SAFE, encoding="latin-1")
    query = str(environ.get("QUERY_STRING", ""))
    host = str(environ.get("HTTP_HOST", ""))
    if not isinstance(raw, str):
        return host, quote(environ.get("PATH_INFO", ""), safe=_PATH_SAFE, encoding="latin-1"), query
    path = raw.partition("?")[0]
    if not path.startswith("/") and "://" in path:
        # In full, as a client writes it that takes this for a proxy; no web page can make a browser do that.
        host = ""
        path = "/" + path.partition("://")[2].partition("/")[2]
    return host, path.removeprefix(root), query
