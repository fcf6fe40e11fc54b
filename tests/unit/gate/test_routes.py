"""The table of routes × methods: what is open, and that nothing else is."""

from __future__ import annotations

import pytest

from hub.gate.routes import ROUTES, Answer, find_route

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "get")
UUID = "1b671a64-40d5-491e-99b0-da01ff1f3341"

# path: the methods that pass
OPEN: dict[str, set[str]] = {
    "lab": {"GET"},
    "lab/": {"GET"},
    "lab/tree/a/b.ipynb": {"GET"},
    "lab/workspaces/auto-x": {"GET"},
    "lab/workspaces/auto-x/tree/a.ipynb": {"GET"},
    "doc": {"GET"},
    "doc/tree/a.ipynb": {"GET"},
    "static/lab/main.js": {"GET"},
    "static/lab/a/b.woff2": {"GET"},
    "static/favicons/favicon-busy-1.ico": {"GET"},
    "static/favicon.ico": {"GET"},
    "lab/extensions/@scope/name/static/x.js": {"GET"},
    "lab/api/themes/@jupyterlab/theme/index.css": {"GET"},
    "kernelspecs/python3/logo-64x64.png": {"GET"},
    "kernelspecs/ir/logo-svg.svg": {"GET"},
    "lab/api/settings": {"GET"},
    "lab/api/settings/@jupyterlab/x:plugin": {"GET", "PUT"},
    "lab/api/translations": {"GET"},
    "lab/api/translations/fr_FR": {"GET"},
    "lab/api/workspaces": {"GET"},
    "lab/api/workspaces/default": {"GET", "PUT", "DELETE"},
    "api": {"GET"},
    "api/": {"GET"},
    "api/status": {"GET"},
    "api/me": {"GET"},
    "api/kernelspecs": {"GET"},
    "api/kernelspecs/python3": {"GET"},
    "api/kernels": {"GET", "POST"},
    f"api/kernels/{UUID}": {"GET", "DELETE"},
    f"api/kernels/{UUID}/interrupt": {"POST"},
    f"api/kernels/{UUID}/restart": {"POST"},
    f"api/kernels/{UUID}/channels": {"GET"},
    "api/sessions": {"GET", "POST"},
    f"api/sessions/{UUID}": {"GET", "PATCH", "DELETE"},
    "api/contents": {"GET", "POST"},
    "api/contents/": {"GET", "POST"},
    "api/contents/a b/été.ipynb": {"GET", "PUT", "POST", "PATCH", "DELETE"},
    "api/contents/a.ipynb/checkpoints": {"GET", "PUT", "POST", "PATCH", "DELETE"},
    "api/contents/a.ipynb/checkpoints/1": {"GET", "PUT", "POST", "PATCH", "DELETE"},
    "api/terminals": {"GET", "POST"},
    "api/terminals/1": {"GET", "DELETE"},
    "terminals/websocket/1": {"GET"},
    "api/events/subscribe": {"GET"},
    "vitrine/session": {"GET"},
    "vitrine/submissions": {"GET", "POST"},
    "vitrine/submissions/ab12/withdraw": {"POST"},
    "vitrine/prechecks": {"POST"},
    "vitrine/mendings": {"POST"},
}

CLOSED = [
    "",
    "files",
    "files/a.csv",
    "Files/a.csv",
    "lab/files/a.csv",
    "labs",
    "lab/x",
    "lab/tree",
    "lab/api",
    "lab/api/x",
    "lab/api/news",
    "lab/api/update",
    "lab/api/build",
    "lab/api/extensions",
    "lab/api/plugins",
    "lab/api/licenses/",
    "lab/api/listings/x",
    "lab/workspaces",
    "static/x.js",
    "static/lab",
    "static/lab/",
    "static/lab/dir/",
    "static/logo/logo.png",
    "static/favicons/a/b",
    "lab/extensions",
    "custom/custom.css",
    "nbconvert/html/a.ipynb",
    "api/nbconvert",
    "view/a.html",
    "tree",
    "notebooks/a.ipynb",
    "edit/a.txt",
    "proxy/8080",
    "lsp/ws/pylsp",
    "lsp/status",
    "metrics",
    "login",
    "hub/home",
    "services/portal",
    "user/bob/x/lab",
    "kernelspecs/python3",
    "kernelspecs/python3/kernel.json",
    "kernelspecs/python3/kernel.js",
    "kernelspecs/python3/logo-64x64.csv",
    "kernelspecs/mine/logo-64x64.png",
    "kernelspecs/python3/x/logo-64x64.png",
    "api/kernels/not-a-uuid",
    f"api/kernels/{UUID}/execute",
    f"api/kernels/{UUID}x",
    f"api/sessions/{UUID}/x",
    "api/config/notebook",
    "api/shutdown",
    "api/spec.yaml",
    "api/security/csp-report",
    "api/events",
    "api/events/subscribe/",
    "api/terminals/a/b",
    "terminals/1",
    "terminals/websocket/a/b",
    "terminals/websocket/..",
    "vitrine",
    "vitrine/submissions/ab12",
    "vitrine/submissions/ab12/approve",
    "vitrine/x",
]


@pytest.mark.parametrize("path", CLOSED)
@pytest.mark.parametrize("method", METHODS)
def test_closed(method: str, path: str) -> None:
    assert find_route(method, tuple(path.split("/"))) is None


@pytest.mark.parametrize("path", OPEN)
@pytest.mark.parametrize("method", METHODS)
def test_open(method: str, path: str) -> None:
    assert (find_route(method, tuple(path.split("/"))) is not None) == (method in OPEN[path])


def test_every_row_is_walked_above() -> None:
    walked = {
        route
        for path, methods in OPEN.items()
        for method in methods
        if (route := find_route(method, tuple(path.split("/"))))
    }
    assert {route.pattern for route in ROUTES} - {route.pattern for route in walked} == {
        "doc/workspaces/{id}",
        "doc/workspaces/{id}/tree/**",
    }


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.pattern)
def test_rows_are_explained_and_sound(route: object) -> None:
    assert isinstance(route, type(ROUTES[0]))
    assert len(route.reason) > 8
    assert set(route.methods) <= {"GET", "POST", "PUT", "PATCH", "DELETE"}
    if route.answer in {Answer.PAGE, Answer.STATIC, Answer.LOGO, Answer.SOCKET}:
        assert route.methods == ("GET",)
