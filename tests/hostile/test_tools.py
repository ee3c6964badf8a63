"""No secret in what other people's tools make of an error, whatever way it took to them."""

from __future__ import annotations

import builtins
import contextlib
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, NoReturn

import pytest

from tests.hostile.lenses import LENSES, printed_by_rich, shown, with_captured_locals, with_rich, with_sentry
from tests.leaks import error_of
from tests.loopback import serving
from tests.transports.api import CODE, KEY, SECRET, SENTINELS, WITH_SECRETS, TransportFactory, all_calls
from tests.transports.test_secrets_in_io import FAULTS
from workos_mfa import (
    MFA,
    MFAError,
    Page,
    Request,
    Response,
    RetryingTransport,
    RetryPolicy,
    UserEnrollment,
)
from workos_mfa.testing import (
    make_challenge,
    make_factor,
    make_sms_factor,
    make_totp_factor,
    make_verification,
)


def fail(text: str) -> NoReturn:
    """Raise an error."""
    raise MFAError(text)


def seen_by(lenses: Mapping[str, Callable[[BaseException], str]], error: BaseException) -> dict[str, list[str]]:
    """The sentinels that each tool shows; tools that show none are left out."""
    found = {name: shown(lens(error)) for name, lens in lenses.items()}
    return {name: sentinels for name, sentinels in found.items() if sentinels}


@contextlib.contextmanager
def failing(fault: str, transport_class: TransportFactory) -> Iterator[MFA]:
    """A client whose calls meet a fault."""
    with serving(FAULTS[fault]) as server:
        transport = transport_class(KEY, base_url=server.url)
        yield MFA(transport=RetryingTransport(transport, RetryPolicy(max_attempts=2, backoff=0)), timeout=0.1)
        transport.close()


@pytest.mark.parametrize("call", WITH_SECRETS)
@pytest.mark.parametrize("fault", FAULTS)
def test_every_tool_after_every_fault(fault: str, call: str, transport_class: TransportFactory) -> None:
    """Crash reporters, tracebacks with locals, logs and copies show no key, code, secret, URI or QR code."""
    with failing(fault, transport_class) as mfa:
        error = error_of(all_calls(mfa)[call])
        assert seen_by(LENSES, error) == {}


def through_a_context_manager(error: MFAError) -> BaseException:
    """The error, raised again through a context manager of the app's."""

    @contextlib.contextmanager
    def managed() -> Iterator[None]:
        yield

    with pytest.raises(MFAError) as caught, managed(), contextlib.ExitStack():
        raise error
    assert caught.value is error
    return error


def as_a_cause(error: MFAError) -> BaseException:
    """An error of the app's, raised from it."""
    with pytest.raises(LookupError) as caught:
        raise LookupError("not signed in") from error
    return caught.value


def as_a_context(error: MFAError) -> BaseException:
    """An error of the app's, raised while it was handled."""
    try:
        raise error
    except MFAError:
        with pytest.raises(LookupError) as caught:
            raise LookupError  # noqa: B904 - on purpose
    assert caught.value.__context__ is error
    return caught.value


def in_a_group(error: MFAError) -> BaseException:
    """A group of errors, as task groups raise it, with this one in it twice."""
    group: Any = vars(builtins)["ExceptionGroup"]  # which Python 3.10 does not have
    grouped: BaseException = group("two failed", [error, group("inner", [error])])
    return grouped


WAYS = [through_a_context_manager, as_a_cause, as_a_context]
WAYS += [in_a_group] * hasattr(builtins, "ExceptionGroup")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("fault", "call"), [("lost", "verify_challenge"), ("echo", "create_user_auth_factor")])
def test_every_way_to_a_tool(
    way: Callable[[MFAError], BaseException], fault: str, call: str, transport_class: TransportFactory
) -> None:
    """An error that is wrapped, grouped, or raised again shows no more than it does by itself."""
    with failing(fault, transport_class) as mfa:
        reported = way(error_of(all_calls(mfa)[call]))
        assert "SENTINEL" not in str(reported)
        texts = [with_captured_locals(reported), with_rich(reported), with_sentry(reported)]
        texts.append("".join(traceback.format_exception(reported)))
        assert [shown(text) for text in texts] == [[], [], [], []]


def fail_in_a_process(url: str, transport: str, call: str) -> object:
    """Make a call in a worker process; its error is what crosses."""
    import workos_mfa

    made = getattr(workos_mfa, transport)(KEY, base_url=url)
    try:
        return all_calls(MFA(transport=made, timeout=5, retry=RetryPolicy(max_attempts=2, backoff=0)))[call]()
    finally:
        made.close()


def test_a_process_pool(transport_class: type) -> None:
    """An error that crosses from a worker process keeps what it says, and brings no more along."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        for fault in ("lost", "echo", "half an enrolment"):
            with serving(FAULTS[fault]) as server:
                for call in ("verify_challenge", "create_user_auth_factor", "get_factor"):
                    crossed = pool.submit(fail_in_a_process, server.url, transport_class.__name__, call).exception()
                    here = error_of(lambda: fail_in_a_process(server.url, transport_class.__name__, call))  # noqa: B023
                    assert type(crossed) is type(here)
                    assert isinstance(crossed, MFAError)
                    assert (crossed.outcome_unknown, crossed.needs_new_challenge) == (
                        here.outcome_unknown,
                        here.needs_new_challenge,
                    )
                    assert len(crossed.attempts) == len(here.attempts) > 0
                    assert shown("".join(traceback.format_exception(crossed))) == []
                    assert seen_by(FOR_CROSSED, crossed) == {}


FOR_CROSSED = {name: lens for name, lens in LENSES.items() if name in {"copies", "notes", "rich.print"}}


def test_rich_prints_no_secret_of_a_model() -> None:
    """``rich.print`` of every model, and of what holds one, walks the fields and shows no hidden one."""
    factor = make_totp_factor(secret="SENTINELSECRET")
    challenge = make_challenge(code=CODE)
    values: list[object] = [
        factor,
        factor.totp,
        challenge,
        make_factor(),
        make_sms_factor(phone_number="+15005550006"),
        make_verification(challenge=challenge),
        UserEnrollment(factor=factor, challenge=challenge),
        Page(items=(factor,)),
        Request("verify_challenge", "POST", "/", "/", json={"code": CODE, "totp_secret": SECRET}),
        Response(200, {"x": KEY}, SECRET.encode()),
        MFA(KEY),
    ]
    text = printed_by_rich(*values, values, {"all": values})
    assert [sentinel for sentinel in (*SENTINELS, "5005550006") if sentinel in text] == []
    assert text.count("TOTPFactor(") >= 3


def test_each_lens_finds_a_secret() -> None:
    """Each way of looking finds a secret that is really there: in the text, and in a local of a frame."""
    in_text = error_of(lambda: fail(KEY))
    assert set(seen_by(LENSES, in_text)) == {*LENSES} - {"notes"}
    in_locals = error_of(holding_a_local)
    assert set(seen_by(LENSES, in_locals)) == {"sentry-sdk", "rich traceback", "capture_locals"}


def holding_a_local() -> None:
    """Hold a secret, and fail."""
    held = CODE
    raise MFAError(str(len(held)))
