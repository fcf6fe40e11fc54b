"""What the portal needs of the world. bootstrap wires it; tests wire their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from hub.actions.ports import Catalogue, Office, OutputVault
from hub.checks.prepared import Indexes
from hub.checks.thresholds import Thresholds
from hub.documents.base import Text
from hub.documents.classes import ClassSchemes
from hub.domain.audit import ChainFault

PREFIX = "/services/portal"


@dataclass(frozen=True)
class SignedIn:
    """Who is there. `form_token` ties forms to this browser session; None for a token in a header,
    which no browser sends by itself and which therefore needs no protection against forged forms."""

    username: str
    form_token: str | None


class SignIn(Protocol):
    """Knows who sends a request. Says nothing about what they may do."""

    async def visitor(self, request: Request) -> SignedIn | None:
        """Who is signed in; None for nobody. Raises Refused `hub_unreachable` when that cannot be known."""

    def begin(self, request: Request) -> Response:
        """Send the browser to sign in and back to where it wanted to go."""

    async def complete(self, request: Request) -> Response:
        """The way back from signing in. Raises Refused `signin_failed`."""

    async def close(self) -> None:
        """Let go of connections; called when the portal stops."""


@dataclass(frozen=True)
class Portal:
    """Everything the pages need. `clock` answers aware UTC; `tiers` and `roles` are their titles.

    `documents` keeps the files of recorded conditions.
    `indexes`: those of large extracts, by which the checks answer sooner; without them as surely.
    `schemes`: class schemes, for their titles.
    `extracts` and `meters` are the directories of docs/architecture.md §2. `public_url` is the address
    people open; forms are accepted from there only.
    """

    office: Office
    vault: OutputVault
    documents: OutputVault
    catalogue: Catalogue
    extracts: Path
    meters: Path
    sign_in: SignIn
    gate_token: str
    public_url: str
    thresholds: Thresholds
    verify_chain: Callable[[], tuple[int, ChainFault | None]]
    tiers: Mapping[str, Text]
    roles: Mapping[str, Text]
    indexes: Indexes | None = None
    schemes: ClassSchemes = field(default_factory=dict)
    prefix: str = PREFIX
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def __post_init__(self) -> None:
        if len(self.gate_token) < 32:  # an empty or guessable token would open the gate's door to anyone
            raise ValueError("the gate's token must have at least 32 characters")
