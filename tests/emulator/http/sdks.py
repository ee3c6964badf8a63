"""WorkOS' own SDKs behind one interface: each call returns plain dictionaries with the API's field names."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import attrs

from tests.emulator.http import tools
from tests.emulator.http.process import Running

HOW = "run: pip install -r .ci/sdks/requirements.txt"


@attrs.frozen
class SDKError(Exception):
    """What an SDK makes of a refusal."""

    status: int
    code: str | None
    message: str
    request_id: str | None


class SDK(Protocol):
    """The calls of one SDK."""

    def call(self, name: str, **options: Any) -> Any:
        """Make a call."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


class PythonSDK:
    """The package ``workos``, which finds the emulator through the environment."""

    def __init__(self, running: Running) -> None:
        workos = tools.package("workos", HOW)
        del running
        self._error = workos.WorkOSError
        self._client = workos.WorkOSClient()

    def call(self, name: str, **options: Any) -> Any:
        """Make a call."""
        mfa = self._client.multi_factor_auth
        methods = {
            "enroll": mfa.enroll_factor,
            "challenge": mfa.challenge_factor,
            "verify": mfa.verify_challenge,
            "get": mfa.get_factor,
            "delete": mfa.delete_factor,
            "create": mfa.create_user_auth_factor,
            "list": mfa.list_user_auth_factors,
            "list_all": mfa.list_user_auth_factors,
        }
        try:
            result = methods[name](**options)
            if name == "list_all":
                return [factor.to_dict() for factor in result.auto_paging_iter()]
            if name == "list":
                return {"data": [factor.to_dict() for factor in result.data], "after": result.list_metadata.after}
            return result and result.to_dict()
        except self._error as error:
            raise SDKError(error.status_code, error.code, str(error), error.request_id) from None

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()


_NODE_NAMES = {"totp_issuer": "issuer", "totp_user": "user", "userland_user_id": "userId"}
_NODE_IDS = {"challenge": "authenticationFactorId", "verify": "authenticationChallengeId"}


class NodeSDK:
    """The package ``@workos-inc/node``, in a process of its own."""

    def __init__(self, running: Running) -> None:
        node = tools.program("node", "it comes from https://nodejs.org")
        script = Path(__file__).parent / "node_sdk.mjs"
        command = [node, script, tools.node_folder(), running.api_key, "127.0.0.1", str(running.port)]
        self._process = subprocess.Popen(  # noqa: S603
            [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def call(self, name: str, **options: Any) -> Any:
        """Make a call."""
        # The two kinds of enrolment have names of their own for the same things there.
        names = {"userland_user_id": "userId"} if name == "create" else _NODE_NAMES
        sent = {names.get(key) or _camel(key): value for key, value in options.items()}
        if "id" in sent and name in _NODE_IDS:
            sent[_NODE_IDS[name]] = sent.pop("id")
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"call": _camel(name), "options": sent}) + "\n")
        self._process.stdin.flush()
        reply = json.loads(self._process.stdout.readline())
        if "error" in reply:
            error = reply["error"]
            raise SDKError(error["status"], error.get("code"), error["message"], error.get("requestID"))
        result = _snake(reply["result"])
        if name == "list":
            return {"data": result["data"], "after": result["list_metadata"]["after"]}
        return result

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=30)


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)


def _snake(value: Any) -> Any:
    if isinstance(value, list):
        return [_snake(each) for each in value]
    if isinstance(value, Mapping):
        return {
            re.sub(r"[A-Z]", lambda found: f"_{found[0].lower()}", key): _snake(each) for key, each in value.items()
        }
    return value
