"""One request of a signed-in person of the office, and what a page needs to know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from hub.actions.ports import Office
from hub.domain.permissions import OFFICE, Actor, Permission, Reach, Subject, may, reach_of
from hub.domain.records import Person
from hub.portal.languages import Words
from hub.portal.ports import Portal


@dataclass(frozen=True)
class Upload:
    """A file that came with a form, as its sender named it."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Visit:
    """Who asks, as what, in which language, when. Made by `permissions` only after its checks held."""

    portal: Portal
    request: Request
    person: Person
    actor: Actor
    words: Words
    now: datetime
    form_token: str
    form: Mapping[str, list[str]] = field(default_factory=dict)
    upload: Upload | None = None

    @property
    def office(self) -> Office:
        return self.portal.office

    def value(self, name: str) -> str:
        """A field of the submitted form, stripped; empty if absent."""
        return (self.form.get(name) or [""])[0].strip()

    def may(self, permission: Permission, subject: Subject = OFFICE) -> bool:
        """To show or hide a button."""
        return may(self.office.rules.roles, self.actor, permission, subject)

    def reach(self, permission: Permission) -> Reach | None:
        """How far the actor's permission goes; None without it."""
        return reach_of(self.office.rules.roles, self.actor.roles, permission)

    def url(self, path: str) -> str:
        """An address inside the portal."""
        return f"{self.portal.prefix}{path}"


def current_visit(request: Request) -> Visit:
    """The visit that the route's declared permission let in."""
    visit = getattr(request.state, "visit", None)
    if not isinstance(visit, Visit):
        raise RuntimeError("a route asked for the visitor without declaring a permission")
    return visit


CurrentVisit = Annotated[Visit, Depends(current_visit)]
