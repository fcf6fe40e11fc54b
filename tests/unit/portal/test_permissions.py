"""The application does not start with a route that says nothing about who may use it."""

from __future__ import annotations

import pytest
from fastapi import APIRouter, FastAPI
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute

from hub.domain import errors
from hub.domain.permissions import Permission
from hub.portal.permissions import PUBLIC, Routes, needs, refuse_undeclared, status_of


def page() -> Response:
    return PlainTextResponse("x")


def with_decorator(app: FastAPI) -> None:
    app.get("/bare")(page)


def with_router(app: FastAPI) -> None:
    router = APIRouter()
    router.get("/bare")(page)
    app.include_router(router)


def with_route(app: FastAPI) -> None:
    app.router.routes.append(Route("/bare", page))


def with_mount(app: FastAPI) -> None:
    app.router.routes.append(Mount("/bare", FastAPI()))


def with_websocket(app: FastAPI) -> None:
    app.router.routes.append(WebSocketRoute("/bare", page))


def with_documentation(app: FastAPI) -> None:
    app.openapi_url = "/bare"
    app.setup()


@pytest.mark.parametrize(
    "add", [with_decorator, with_router, with_route, with_mount, with_websocket, with_documentation]
)
def test_a_route_without_a_declaration_stops_the_start(add: object) -> None:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    Routes(app, None).add("GET", "/health", PUBLIC, page)  # type: ignore[arg-type]  # no portal needed here
    refuse_undeclared(app.routes)
    add(app)  # type: ignore[operator]
    with pytest.raises(RuntimeError, match="declares no permission"):
        refuse_undeclared(app.routes)


def test_the_error_names_the_route() -> None:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    with_decorator(app)
    with pytest.raises(RuntimeError, match="GET /bare"):
        refuse_undeclared(app.routes)


def test_only_a_few_routes_may_be_public() -> None:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    Routes(app, None).add("GET", "/projects", PUBLIC, page)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="must not be public"):
        refuse_undeclared(app.routes)


def test_a_permission_is_kept_with_its_route() -> None:
    assert needs(Permission.AUDIT_READ).permission is Permission.AUDIT_READ


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.PermissionDenied("x", "x"), 403),
        (errors.NotFound("x", "x"), 404),
        (errors.Conflict("x", "x"), 409),
        (errors.IntegrityError("x", "x"), 500),
        (errors.Refused("hub_unreachable", "x"), 503),
        (errors.Refused("x", "x"), 422),
        (errors.DocumentError("x", "x", file="f", line=1, key="k"), 422),
    ],
)
def test_the_status_of_a_refusal(error: errors.Refused, status: int) -> None:
    assert status_of(error) == status
