"""The application: every room of the portal behind one set of checks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles

from hub.domain.errors import NotFound, Refused
from hub.portal import (
    admin,
    api,
    audit,
    comments,
    desks,
    dictionaries,
    forgeries,
    internal,
    languages,
    projects,
    publication_api,
    publications,
    releases,
    request_api,
    request_edits,
    request_reviews,
    requests,
    review_api,
    review_queue,
    reviews,
    risk_pages,
    statistics,
    submissions,
    upkeep,
)
from hub.portal.edges import SecurityHeaders, UnknownErrors
from hub.portal.pages import show_plain
from hub.portal.permissions import PUBLIC, Routes, SignInNeeded, is_public, refuse_undeclared, status_of
from hub.portal.ports import Portal

_FORM_BYTES = 2_000_000  # the longest form is a project document; uploads have their own limit


def create_app(portal: Portal) -> FastAPI:
    """The portal's application. RuntimeError if any route has not declared who may use it."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:  # noqa: ARG001  # FastAPI passes it
        async with upkeep.running(portal):
            yield
        await portal.sign_in.close()

    app = FastAPI(
        lifespan=lifespan,
        title="Vitrine",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        max_body_size=_FORM_BYTES,
        middleware=[
            Middleware(SecurityHeaders, static=f"{portal.prefix}/static/"),
            Middleware(UnknownErrors, answer=_unknown_error(portal)),
        ],
    )
    routes = Routes(app, portal)
    _add_public(routes)
    # `new` before `{id}`, and the figures before the page of one review, whose address would match theirs.
    for room in (request_edits, requests, request_reviews, request_api, risk_pages):
        room.register(routes)
    for room in (statistics, comments, publications, publication_api, review_queue, review_api):
        room.register(routes)
    for room in (projects, desks, submissions, releases, reviews, admin, audit, dictionaries, api, internal):
        room.register(routes)
    _answer_errors(app, portal)
    refuse_undeclared(app.routes)
    return app


def _add_public(routes: Routes) -> None:
    portal = routes.portal

    def health() -> Response:
        return PlainTextResponse("ok")

    async def complete(request: Request) -> Response:
        return await portal.sign_in.complete(request)

    for prefix in ("", portal.prefix):
        routes.add("GET", f"{prefix}/health", PUBLIC, health)
    routes.add("GET", f"{portal.prefix}/oauth_callback", PUBLIC, complete)
    routes.static(f"{portal.prefix}/static", StaticFiles(directory=Path(__file__).parent / "static"))


def wants_json(request: Request, portal: Portal) -> bool:
    """Whether the answer is for a program."""
    path = request.url.path
    return path.startswith(("/internal/", f"{portal.prefix}/api/"))


def _refusal(request: Request, portal: Portal, error: Refused, status: int) -> Response:
    language = languages.choose(request)
    sentence = error.message(language)
    if wants_json(request, portal):
        body = {"error": {"code": error.code, "message": sentence, "field": error.field}}
        # A refused upload may go on coming: the connection is not kept for it.
        unread = request.method == "POST" and request.url.path.startswith("/internal/")
        return JSONResponse(body, status, headers={"Connection": "close"} if unread else None)
    return show_plain(
        request,
        portal,
        "message.html",
        status=status,
        public=is_public(request),
        code=error.code,
        sentence=sentence,
    )


def _answer_errors(app: FastAPI, portal: Portal) -> None:
    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)  # noqa: S101  # registered for Refused only
        return _refusal(request, portal, error, status_of(error))

    async def sign_in_needed(request: Request, error: Exception) -> Response:  # noqa: ARG001
        navigation = request.headers.get("sec-fetch-mode", "navigate") == "navigate"
        if forgeries.is_safe(request) and navigation and not wants_json(request, portal):
            return portal.sign_in.begin(request)
        needed = Refused("sign_in_needed", "Please sign in.", "Veuillez vous connecter.")
        return _refusal(request, portal, needed, 401)

    async def bad_request(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        first = next(iter(error.errors()), {"loc": ()})
        field = ".".join(str(part) for part in first["loc"][1:]) or None
        refusal = Refused(
            "bad_request", "The request is not well formed.", "La demande est mal formée.", field=field
        )
        return _refusal(request, portal, refusal, 422)

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        if error.status_code in (404, 405):
            missing = NotFound("no_page", "There is no such page.", "Cette page n’existe pas.")
            return _refusal(request, portal, missing, error.status_code)
        plain = Refused("bad_request", "The request is not well formed.", "La demande est mal formée.")
        return _refusal(request, portal, plain, error.status_code)

    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(SignInNeeded, sign_in_needed)
    app.add_exception_handler(RequestValidationError, bad_request)
    app.add_exception_handler(HTTPException, http_error)


def _unknown_error(portal: Portal) -> Callable[[Request, str], Awaitable[Response]]:
    async def answer(request: Request, number: str) -> Response:
        refusal = Refused(
            "internal",
            f"Something went wrong on our side. Please tell the unit this number: {number}",
            f"Une erreur s’est produite de notre côté. Veuillez communiquer ce numéro à l’unité : {number}",
        )
        return _refusal(request, portal, refusal, 500)

    return answer
