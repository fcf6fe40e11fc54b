"""Every route says who may use it, in one place, and is checked before anything else runs.

`Routes.add` is the only way to add a route; `refuse_undeclared` stops the program if one came another way.
What a route declares is checked here; the action behind it checks again with the record in its hands.
"""

from __future__ import annotations

import dataclasses
import hmac
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.routing import BaseRoute, Mount, Route

from hub.actions.people import actor_for
from hub.actions.ports import Unit
from hub.actions.projects import get_project
from hub.actions.publications import get_publication
from hub.actions.publications import subject_of as publication_subject
from hub.actions.requests import get_request
from hub.actions.submissions import get_submission, subject_of
from hub.domain.errors import Conflict, IntegrityError, NotFound, PermissionDenied, Refused
from hub.domain.lifecycle import PersonState
from hub.domain.permissions import OFFICE, Permission, Reach, Subject, reach_of, require
from hub.domain.records import Person
from hub.portal import forgeries, languages
from hub.portal.ports import Portal, SignedIn
from hub.portal.visits import Upload, Visit


class SignInNeeded(Exception):
    """Nobody is signed in: a page sends the browser to sign in, anything else answers 401."""


class Door(StrEnum):
    """Who a route opens to before its permission is looked at."""

    PUBLIC = "public"  # anyone: health, static files, the way back from sign-in
    GATE = "gate"  # the gate, by its token; never a browser
    OFFICE = "office"  # an active person of the office


class About(StrEnum):
    """What the permission is required for."""

    OFFICE = "office"  # the office as a whole
    PROJECT = "project"  # the project named by {slug}
    SUBMISSION = "submission"  # the submission named by {id}
    PUBLICATION = "publication"  # the project of the publication named by {id}
    REQUEST = "request"  # the request named by {id}
    LISTING = "listing"  # a list that shows only what the actor may see


@dataclass(frozen=True)
class Access:
    """What a route declares."""

    door: Door
    permission: Permission | None = None
    about: About = About.OFFICE
    largest_file: int = 200_000  # bytes of an uploaded file


PUBLIC = Access(Door.PUBLIC)
GATE = Access(Door.GATE)
ANYONE_OF_THE_OFFICE = Access(Door.OFFICE)  # home and "who am I": shows only what the roles allow


def needs(
    permission: Permission, about: About = About.OFFICE, *, largest_file: int = Access.largest_file
) -> Access:
    """An active person with this permission."""
    return Access(Door.OFFICE, permission, about, largest_file)


class Routes:
    """Adds routes to the application, each with its declared access."""

    def __init__(self, app: FastAPI, portal: Portal) -> None:
        self.app = app
        self.portal = portal

    def add(
        self, method: str, path: str, access: Access, endpoint: Callable[..., Any], **options: Any
    ) -> None:
        """A route, its access checked before anything else. Pages are left out of the OpenAPI document."""
        options.setdefault("include_in_schema", False)
        if not options["include_in_schema"]:
            options["response_model"] = None
        guards = [] if access.door is Door.PUBLIC else [Depends(_guard(self.portal, access))]
        self.app.add_api_route(path, endpoint, methods=[method], dependencies=guards, **options)
        _declare(self.app.routes[-1], access)

    def static(self, path: str, files: Any) -> None:
        """Files of ours that anyone may have."""
        self.app.mount(path, files, name="static")
        _declare(self.app.routes[-1], PUBLIC)


def _declare(route: BaseRoute, access: Access) -> None:
    route.vitrine_access = access  # type: ignore[attr-defined]  # read back by declared_access only


def declared_access(route: BaseRoute) -> Access | None:
    """What the route declared, or None."""
    access = getattr(route, "vitrine_access", None)
    return access if isinstance(access, Access) else None


def is_public(request: Request) -> bool:
    """Whether the request came to a route that anyone may use."""
    route = request.scope.get("route")
    return isinstance(route, BaseRoute) and declared_access(route) == PUBLIC


def refuse_undeclared(routes: Iterable[BaseRoute]) -> None:
    """RuntimeError naming the first route without a declared permission, or that is open but need not be.

    A route that cannot be looked into (an included router, say) counts as undeclared.
    """
    for route in routes:
        name = f"{'/'.join(sorted(getattr(route, 'methods', None) or ['*']))} {getattr(route, 'path', route)}"
        access = declared_access(route)
        if access is None or not isinstance(route, APIRoute | Mount | Route):
            raise RuntimeError(f"the route {name} declares no permission")
        if access.door is Door.PUBLIC and not str(getattr(route, "path", "")).endswith(_MAY_BE_PUBLIC):
            raise RuntimeError(f"the route {name} must not be public")


_MAY_BE_PUBLIC = (
    "/health",
    "/static",
    "/oauth_callback",
    "/dictionary",
    "/dictionary/{source}",
    "/dictionary/{source}/table-schema.json",
    "/dictionary/{source}/ddi.xml",
    "/dictionary/{source}/dcat.jsonld",
    "/publications",
    "/release-key",
)


def _guard(portal: Portal, access: Access) -> Callable[[Request], Awaitable[None]]:
    if access.door is Door.GATE:

        async def check_gate(request: Request) -> None:
            given = request.headers.get("authorization", "")
            expected = f"Bearer {portal.gate_token}"
            if not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
                raise PermissionDenied(
                    "gate_only", "This is for the gate.", "Ceci est réservé à la passerelle."
                )

        return check_gate

    async def check_person(request: Request) -> None:
        visitor = await portal.sign_in.visitor(request)
        if visitor is None:
            raise SignInNeeded
        form, upload = ({}, None) if forgeries.is_safe(request) else await _form(request, access.largest_file)
        _refuse_forged(request, portal, visitor, form)
        visit = await run_in_threadpool(_enter, portal, access, request, visitor)
        request.state.visit = dataclasses.replace(visit, form=form, upload=upload)

    return check_person


def _refuse_forged(
    request: Request, portal: Portal, visitor: SignedIn, form: Mapping[str, list[str]]
) -> None:
    """A request authenticated by cookie must be one that its owner meant (see hub.portal.forgeries)."""
    if visitor.form_token is None:
        return
    if forgeries.is_safe(request):
        forgeries.refuse_script(request, form_token=visitor.form_token)
        return
    forgeries.refuse_foreign(request, public_url=portal.public_url)
    given = request.headers.get(forgeries.HEADER)
    if given is None:
        given = form.get(forgeries.FIELD, [""])[0]
    forgeries.require_token(given, form_token=visitor.form_token)


async def _form(request: Request, largest_file: int) -> tuple[dict[str, list[str]], Upload | None]:
    """The fields of a submitted form, and the file in it; a text file counts as a field too. Empty for
    other bodies. A file longer than `largest_file` is cut one byte beyond it, which whoever takes it sees."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return {}, None
    fields: dict[str, list[str]] = {}
    upload: Upload | None = None
    async with request.form(max_files=1, max_fields=5000, max_part_size=200_000) as form:
        for name, value in form.multi_items():
            if isinstance(value, str):
                text = value
            else:
                await value.seek(0)
                content = await value.read(largest_file + 1)
                upload = Upload(value.filename or "", content) if value.filename else None
                text = content[:200_000].decode("utf-8", "replace")
            fields.setdefault(name, []).append(text)
    return fields, upload


def _enter(portal: Portal, access: Access, request: Request, visitor: SignedIn) -> Visit:
    """The visit, if person, role and subject allow; raises PermissionDenied or NotFound otherwise."""
    with portal.office.units.read() as unit:
        person = unit.people.get(visitor.username)
        _require_person(person)
        assert person is not None  # noqa: S101  # _require_person raised otherwise
        actor = actor_for(unit, visitor.username)
        if access.permission is not None:
            roles = portal.office.rules.roles
            if access.about is About.LISTING:
                _require_any_reach(portal, actor.roles, access.permission)
            else:
                try:
                    subject, missing = _subject(unit, access.about, request), None
                except NotFound as error:
                    subject, missing = Subject("unknown"), error
                # Somebody who may only see their own learns nothing about what exists elsewhere.
                require(roles, actor, access.permission, subject)
                if missing is not None:
                    raise missing
    words = languages.Words(languages.choose(request))
    return Visit(portal, request, person, actor, words, portal.clock(), visitor.form_token or "")


def _require_person(person: Person | None) -> None:
    if person is None:
        raise PermissionDenied(
            "unknown_here",
            "You are signed in, but the data-access unit does not know you. Please contact the unit.",
            "Vous êtes connecté·e, mais l’unité d’accès aux données ne vous connaît pas. "
            "Veuillez contacter l’unité.",
        )
    if person.state is not PersonState.ACTIVE:
        raise PermissionDenied(
            "person_suspended",
            "Your access is suspended. Please contact the data-access unit.",
            "Votre accès est suspendu. Veuillez contacter l’unité d’accès aux données.",
        )


def _require_any_reach(portal: Portal, roles: Iterable[Any], permission: Permission) -> None:
    if reach_of(portal.office.rules.roles, roles, permission) is None:
        raise PermissionDenied(
            "no_permission", "Your role does not allow this.", "Votre rôle ne le permet pas."
        )


def _subject(unit: Unit, about: About, request: Request) -> Subject:
    if about is About.PROJECT:
        return get_project(unit, request.path_params["slug"]).subject
    if about is About.PUBLICATION:
        return publication_subject(unit, get_publication(unit, request.path_params["id"]))
    if about is About.REQUEST:
        return get_request(unit, request.path_params["id"]).subject
    if about is About.SUBMISSION:
        return subject_of(unit, get_submission(unit, request.path_params["id"]))
    return OFFICE


def refuse_members(visit: Visit, subject: Subject) -> None:
    """Unreleased content is shown outside the desk only to people who have no part in the project."""
    own = visit.actor.username == subject.author or visit.actor.username in subject.members
    if own or visit.reach(Permission.SUBMISSION_READ) is not Reach.ANY:
        raise PermissionDenied(
            "own_submission",
            "What is not released can be seen in the desk only.",
            "Ce qui n’est pas libéré ne se voit que dans le bureau.",
        )


def status_of(error: Refused) -> int:
    """The HTTP status of a refusal."""
    if error.code == "hub_unreachable":
        return 503
    for kind, status in ((PermissionDenied, 403), (NotFound, 404), (Conflict, 409), (IntegrityError, 500)):
        if isinstance(error, kind):
            return status
    return 422
