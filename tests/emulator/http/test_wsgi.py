"""The emulator as a WSGI application, on servers that know nothing of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.validate import validator

import pytest
from werkzeug.test import Client as WSGIClient
from werkzeug.test import EnvironBuilder

from tests.emulator.http.client import Client
from workos_mfa.emulator import Emulator

HEADERS = {"Authorization": "Bearer sk_test_default"}


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def standard_server(app: Any) -> Iterator[str]:
    """The standard library's server, which gives no raw path."""
    with make_server("127.0.0.1", 0, app, handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.005,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_on_the_standard_librarys_server(emulator: Emulator) -> None:
    """The application keeps the rules of WSGI, and works where the path comes decoded."""
    app = validator(_without_a_length_of_nothing(emulator.wsgi_app))
    with standard_server(app) as url, closing(Client(url, "sk_test_default")) as client:
        factor = client.post("/auth/factors/enroll", {"type": "generic_otp"}).json
        assert client.get(f"/auth/factors/{factor['id']}").json == factor
        assert client.get("/auth/factors/a%20b%C3%A9").json["entity_id"] == "a b\xe9"
        assert client.delete(f"/auth/factors/{factor['id']}").status == 204
        assert client.send("HEAD", "/auth/factors/x").status == 405


def _without_a_length_of_nothing(app: Any) -> Any:
    """The validator objects to a length on a response that has no body, which the API sends all the same."""

    def wrapped(environ: dict[str, Any], start_response: Any) -> Any:
        def start(status: str, headers: list[tuple[str, str]], *more: object) -> Any:
            if status.startswith("204"):
                headers = [(name, value) for name, value in headers if name not in {"Content-Length", "Content-Type"}]
            return start_response(status, headers, *more)

        return app(environ, start)

    return wrapped


def test_below_another_application(emulator: Emulator) -> None:
    """Mounted under a prefix, it takes the path below that."""
    client = WSGIClient(emulator.wsgi_app)
    for raw in (
        {},
        {"RAW_URI": "/mfa/auth/factors/x%2Fy?limit=1"},
        {"RAW_URI": "", "REQUEST_URI": "/mfa/auth/factors/x%2Fy"},
    ):
        reply = client.get("/auth/factors/x/y", base_url="http://localhost/mfa", headers=HEADERS, environ_overrides=raw)
        assert reply.status_code == (404 if raw else 501)


def test_its_key_can_be_chosen(emulator: Emulator) -> None:
    """``with_api_key`` gives the same emulator under another key, and has the rules for keys."""
    app = emulator.wsgi_app.with_api_key("sk_test_mine")
    assert app.api_key == "sk_test_mine"
    client = WSGIClient(app)
    assert client.get("/auth/factors/x", headers=HEADERS).status_code == 401
    assert client.get("/auth/factors/x", headers={"Authorization": "Bearer sk_test_mine"}).status_code == 404
    with pytest.raises(ValueError, match="sk_live_"):
        emulator.wsgi_app.with_api_key("sk_live_1")


@pytest.mark.parametrize("fault", ["refuse_connection", "lose_request", "lose_response"])
def test_a_lost_response_leaves_the_ending_to_the_server(emulator: Emulator, fault: str) -> None:
    """A server that can't be told to break a connection gets an exception, and no response that could be believed."""
    getattr(emulator.faults, fault)()
    with pytest.raises(ConnectionError):
        WSGIClient(emulator.wsgi_app).get("/auth/factors/x", headers=HEADERS)


def test_a_cut_body_leaves_the_ending_to_the_server(emulator: Emulator) -> None:
    """Half of the body comes under the length of the whole, and then the same exception."""
    emulator.faults.cut_body()
    begun: list[tuple[str, dict[str, str]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: object = None, /) -> Callable[[bytes], object]:
        begun.append((status, dict(headers)))
        return bytearray().extend

    with closing(EnvironBuilder("/auth/factors/x", headers=list(HEADERS.items()))) as builder:
        parts = iter(emulator.wsgi_app(builder.get_environ(), start_response))
    half = next(parts)
    [(status, headers)] = begun
    assert status == "404 Not Found"
    assert len(half) == int(headers["Content-Length"]) // 2
    with pytest.raises(ConnectionError):
        next(parts)


def test_a_delay_is_waited_for(emulator: Emulator) -> None:
    """On any server a late response is late."""
    emulator.faults.delay(0.002)
    reply = WSGIClient(emulator.wsgi_app).get("/auth/factors/x", headers=HEADERS)
    assert json.loads(reply.data)["code"] == "entity_not_found"


def test_a_status_without_a_name(emulator: Emulator) -> None:
    """A status that HTTP has no words for is sent with some."""
    emulator.faults.respond(599)
    assert WSGIClient(emulator.wsgi_app).get("/auth/factors/x", headers=HEADERS).status == "599 Status 599"
