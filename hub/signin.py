"""Demo sign-in: generated passwords, kept as scrypt hashes in a secret file. For one machine only.

An office signs its people in through its own identity provider; this exists so that `make demo`
needs none. It refuses to serve a public address (hub.deployment).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from pathlib import Path
from typing import Any

from jupyterhub.auth import Authenticator
from traitlets import Unicode

_N, _R, _P = 2**14, 8, 1
_TRIES, _PAUSE = 5, 30.0


def hash_password(password: str) -> dict[str, str]:
    """A salted scrypt hash of a password, for the secret file."""
    salt = os.urandom(16)
    return {"salt": salt.hex(), "hash": _scrypt(password, salt).hex()}


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode("utf-8"), salt=salt, n=_N, r=_R, p=_P)


class DemoAuthenticator(Authenticator):  # type: ignore[misc]  # jupyterhub ships no types
    """Signs in the people of the password file; everyone else is refused."""

    password_file = Unicode(config=True, help="JSON of {username: {salt, hash}}, mode 0600.")

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._failures: dict[str, tuple[int, float]] = {}

    def _known(self) -> dict[str, dict[str, str]]:
        people: dict[str, dict[str, str]] = json.loads(Path(self.password_file).read_text(encoding="utf-8"))
        return people

    async def authenticate(self, handler: Any, data: dict[str, str]) -> str | None:  # noqa: ARG002
        """The user name if the password is right; None otherwise, and for 30 s after five wrong ones."""
        username: str = self.normalize_username(data.get("username", ""))
        count, since = self._failures.get(username, (0, 0.0))
        if count >= _TRIES and time.monotonic() - since < _PAUSE:
            return None
        known = self._known().get(username)
        entry = known or {"salt": "00" * 16, "hash": "00" * 64}  # as much work for unknown names
        given = _scrypt(data.get("password", ""), bytes.fromhex(entry["salt"]))
        if known is not None and hmac.compare_digest(given, bytes.fromhex(entry["hash"])):
            self._failures.pop(username, None)
            return username
        self._failures[username] = (count + 1 if count < _TRIES else 1, time.monotonic())
        if len(self._failures) > 10_000:
            self._failures.clear()
        return None
