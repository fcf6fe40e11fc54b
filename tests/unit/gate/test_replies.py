"""What of a reply goes on; the same through a real gate is in tests/integration/gate/test_relay.py."""

from __future__ import annotations

import pytest
from tornado.httputil import HTTPHeaders

from hub.gate.refusals import GateRefused
from hub.gate.replies import (
    CACHED,
    CONTENT_SECURITY_POLICY,
    is_hashed,
    relayed_headers,
    request_headers,
    static_type,
)
from hub.gate.routes import Route, find_route

PREFIX = ("user", "ana", "p")


def route(path: str) -> Route:
    found = find_route("GET", tuple(path.split("/")))
    assert found is not None
    return found


def relay(path: str, code: int, headers: dict[str, str], query: tuple[str, ...] = ()) -> dict[str, str]:
    name = path.rpartition("/")[2]
    return relayed_headers(route(path), code, HTTPHeaders(headers), name=name, query=query, prefix=PREFIX)


def test_the_sandbox_lets_nothing_be_downloaded() -> None:
    sandbox = CONTENT_SECURITY_POLICY.partition(";")[0].split()
    assert sandbox == ["sandbox", "allow-scripts", "allow-same-origin", "allow-forms"]


@pytest.mark.parametrize("code", [101, 203, 205, 206, 300, 304 + 1, 401, 407, 418 + 1, 600, 999])
def test_statuses_refused(code: int) -> None:
    with pytest.raises(GateRefused) as caught:
        relay("api/status", code, {"Content-Type": "application/json"})
    assert caught.value.code == "reply_refused"


@pytest.mark.parametrize(
    "location",
    [
        "",
        "lab",
        "//x/",
        "http://x/user/ana/p/lab",
        "/user/ana/",
        "/user/ana/p",
        "/user/bob/p/lab",
        "/user/ana/p/%2e%2e/",
        "/user/ana/p/a\\b",
        "/user/ana/p/#x",
        "javascript:1",
    ],
)
def test_redirects_refused(location: str) -> None:
    with pytest.raises(GateRefused) as caught:
        relay("lab", 302, {"Location": location})
    assert caught.value.code == "reply_refused"


@pytest.mark.parametrize(
    "name",
    [
        "a.csv",
        "a.html",
        "a.htm",
        "a.xhtml",
        "a.xml",
        "a.pdf",
        "a.zip",
        "a",
        "js",
        "a.js.csv",
        "a.",
        "a.parquet",
    ],
)
def test_static_types_refused(name: str) -> None:
    with pytest.raises(GateRefused) as caught:
        static_type(name)
    assert caught.value.code == "type_refused"


@pytest.mark.parametrize(
    ("name", "query", "hashed"),
    [
        ("main.efd36b46f3b45eb8.js", (), True),
        ("0031b1860ea4ad75.woff", (), True),
        ("main.js", ("v=efd36b46f3b45eb8",), True),
        ("main.js", ("v=1",), False),
        ("main.js", (), False),
        ("style.css", ("w=efd36b46f3b45eb8",), False),
        ("data2024.csv.js", (), False),
    ],
)
def test_only_hashed_files_are_kept(name: str, query: tuple[str, ...], hashed: bool) -> None:
    assert is_hashed(name, query) == hashed
    passed = relay(f"static/lab/{name}", 200, {"Content-Length": "1"}, query)
    assert (passed.get("Cache-Control") == CACHED) == hashed


@pytest.mark.parametrize("path", ["api/status", "lab"])
def test_hashes_in_other_routes_are_not_kept(path: str) -> None:
    kind = "text/html" if path == "lab" else "application/json"
    assert "Cache-Control" not in relay(path, 200, {"Content-Type": kind}, ("v=efd36b46f3b45eb8",))


def test_an_etag_carries_no_data() -> None:
    assert relay("static/lab/a.js", 200, {"Etag": '"abc"'})["Etag"] == '"abc"'
    assert "Etag" not in relay("static/lab/a.js", 200, {"Etag": '"' + "a" * 200 + '"'})
    assert "Etag" not in relay("api/status", 200, {"Etag": '"abc"', "Content-Type": "application/json"})


def test_request_headers_are_an_allow_list() -> None:
    given = HTTPHeaders(
        dict.fromkeys(("Cookie", "Authorization", "Host", "Origin", "Te", "Upgrade", "Accept"), "x")
    )
    assert dict(request_headers(given, "3")) == {
        "Host": "localhost",
        "Connection": "keep-alive",
        "Accept": "x",
        "Content-Length": "3",
    }
