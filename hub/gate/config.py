"""What the gate is told when it starts."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class GateSettings:
    """Folders, addresses and the one secret of the gate.

    `sessions`, `run` and `meters` are the folders of docs/architecture.md §2. `hub_api_url` ends in
    `/hub/api`; `portal_url` is the portal's internal address; `public_url` is what people open.
    `gate_token` is shared with the portal. `desk_uid` owns every `lab.sock`.
    """

    sessions: Path
    run: Path
    meters: Path
    hub_api_url: str
    portal_url: str
    gate_token: str = field(repr=False)
    public_url: str
    bind: str = "0.0.0.0"  # noqa: S104 - inside the gate's own container, which publishes no port
    port: int = 8888
    desk_uid: int = 1000

    def cookie_secret(self) -> bytes:
        """The key that signs the gate's cookies: the same after a restart, so open pages go on."""
        return hmac.new(self.gate_token.encode(), b"vitrine gate cookies v1", hashlib.sha256).digest()
