"""A request through a real gate process: who passes, what the desk is told, what comes back."""

from __future__ import annotations

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from hub.gate.replies import CONTENT_SECURITY_POLICY
from tests.integration.gate.harness import Desk, Rig, reply, wait_for

LAB = "/user/ana/wages/lab"
STATUS = "/user/ana/wages/api/status"


def test_health_needs_no_session(rig: Rig) -> None:
    assert rig.request("GET", "/health", cookie=None).status == 200


def test_stranger_is_sent_to_sign_in_with_pkce(rig: Rig, desk: Desk) -> None:
    answer = rig.request("GET", LAB, cookie=None)
    assert answer.status == 302
    assert answer.headers["Location"].startswith("/hub/api/oauth2/authorize?")
    for part in ("client_id=jupyterhub-user-ana-wages", "code_challenge_method=S256", "state="):
        assert part in answer.headers["Location"]
    assert desk.asked == []


@pytest.mark.parametrize(
    ("cookie", "code"),
    [
        (None, "sign_in_needed"),
        ("jupyterhub-user-ana-wages=forged", "sign_in_needed"),
        ("unknown-token", "sign_in_needed"),
        ("bob", "not_yours"),
        ("service", "not_yours"),
        ("no-scope", "not_yours"),
    ],
)
def test_nobody_else_passes(rig: Rig, desk: Desk, cookie: str | None, code: str) -> None:
    # Bob was even given a share of ana's server: the Hub's scopes would let him in.
    share = ["access:servers!server=ana/wages"]
    rig.hub.users["bob"] = {"name": "bob", "kind": "user", "scopes": share}
    rig.hub.users["service"] = {"name": "ana", "kind": "service", "scopes": share}
    rig.hub.users["no-scope"] = {"name": "ana", "kind": "user", "scopes": ["access:servers!server=ana/other"]}
    sent = cookie if cookie is None or "=" in cookie else rig.cookie(token=cookie)
    answer = rig.request("GET", STATUS, cookie=sent)
    assert (answer.status, answer.code) == (403, code)
    assert desk.asked == []


@pytest.mark.parametrize("where", ["header", "query"])
def test_tokens_outside_the_cookie_do_not_count(rig: Rig, desk: Desk, where: str) -> None:
    headers = (
        {"Authorization": "token token-of-ana"} if where == "header" else {"Sec-Fetch-Mode": "websocket"}
    )
    path = STATUS if where == "header" else f"{STATUS}?token=token-of-ana"
    assert rig.request("GET", path, cookie=None, headers=headers).code == "sign_in_needed"
    assert desk.asked == []


def test_the_desk_learns_nothing_about_the_person(rig: Rig, desk: Desk) -> None:
    headers = {
        "Authorization": "Bearer x",
        "X-Forwarded-For": "10.1.2.3",
        "X-XSRFToken": "t",
        "Referer": "http://elsewhere/",
        "Origin": "http://elsewhere",
        "Accept-Language": "fr",
        "Range": "bytes=0-1",
    }
    answer = rig.request("GET", f"{STATUS}?a=1&token=t&_xsrf=x&b=2", headers=headers)
    assert answer.status == 200
    asked = desk.asked[0]
    assert asked.line == "GET /user/ana/wages/api/status?a=1&b=2 HTTP/1.1"
    assert asked.headers == {"host": "localhost", "connection": "keep-alive", "accept-language": "fr"}


def test_hostile_headers_are_dropped(rig: Rig, desk: Desk) -> None:
    hostile = [
        "Set-Cookie: jupyterhub-hub-login=stolen; Path=/",
        "Content-Security-Policy: default-src *",
        "Service-Worker-Allowed: /",
        "Clear-Site-Data: *",
        "Refresh: 0; url=/services/portal/",
        "Link: </x>; rel=preload",
        "Location: /services/portal/",
        "Access-Control-Allow-Origin: *",
        "Access-Control-Allow-Credentials: true",
        "X-Frame-Options: ALLOWALL",
        "Cache-Control: public, max-age=99",
        "Content-Encoding: gzip",
        "Content-Language: xx",
        "SourceMap: /x",
        "Alt-Svc: h3=:443",
        "X-Anything: data",
    ]
    desk.answer = lambda _: reply(b"{}", "200 OK", "application/json", *hostile)
    answer = rig.request("GET", STATUS)
    assert answer.status == 200
    assert answer.cookies == []
    assert {name.lower() for name in answer.headers} == {
        "content-type",
        "content-length",
        "date",
        "content-security-policy",
        "x-content-type-options",
        "referrer-policy",
        "cross-origin-resource-policy",
        "x-frame-options",
        "cache-control",
        "x-jupyterhub-version",
    }
    assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    ("path", "answer", "status", "code"),
    [
        ("api/status", reply(b"x", "200 OK", "text/html"), 403, "type_refused"),
        ("api/contents/a", reply(b"x", "200 OK", "application/octet-stream"), 403, "type_refused"),
        ("api/status", reply(b"x", "200 OK", None), 403, "type_refused"),
        ("lab", reply(b"{}", "200 OK", "application/pdf"), 403, "type_refused"),
        ("static/lab/data.csv", reply(b"1,2", "200 OK", "text/javascript"), 403, "type_refused"),
        ("lab", reply(b"", "302 Found", None, "Location: https://elsewhere/"), 403, "reply_refused"),
        ("lab", reply(b"", "302 Found", None, "Location: /services/portal/"), 403, "reply_refused"),
        ("lab", reply(b"", "302 Found", None, "Location: //elsewhere/"), 403, "reply_refused"),
        ("lab", reply(b"", "302 Found", None, "Location: /user/ana/wages/../x"), 403, "reply_refused"),
        ("api/status", reply(b"", "302 Found", None, "Location: /user/ana/wages/lab"), 403, "reply_refused"),
        ("api/status", reply(b"{}", "401 Unauthorized"), 403, "reply_refused"),
        ("api/status", reply(b"{}", "299 Odd"), 403, "reply_refused"),
        ("api/status", reply(b"<b>", "500 Oops", "text/html"), 500, "desk_error"),
        (
            "api/status",
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
            403,
            "reply_refused",
        ),
        ("api/status", b"nonsense\r\n\r\n", 502, "desk_error"),
        ("api/status", None, 502, "desk_error"),
    ],
)
def test_hostile_replies_are_refused(
    rig: Rig, desk: Desk, path: str, answer: bytes | None, status: int, code: str
) -> None:
    desk.answer = lambda _: answer
    got = rig.request("GET", f"/user/ana/wages/{path}")
    assert (got.status, got.code) == (status, code)


def test_pages_redirect_only_within_the_desk(rig: Rig, desk: Desk) -> None:
    desk.answer = lambda _: reply(b"", "302 Found", "text/html", "Location: /user/ana/wages/lab?x=1")
    answer = rig.request("GET", "/user/ana/wages/lab/")
    assert (answer.status, answer.headers["Location"]) == (302, "/user/ana/wages/lab?x=1")


def test_prefix_leads_to_lab(rig: Rig) -> None:
    answer = rig.request("GET", "/user/ana/wages/")
    assert (answer.status, answer.headers["Location"]) == (302, LAB)


def test_hashed_static_files_are_kept_and_others_are_not(rig: Rig, desk: Desk) -> None:
    desk.answer = lambda _: reply(b"x=1", "200 OK", "text/html")
    hashed = rig.request("GET", "/user/ana/wages/static/lab/main.efd36b46f3b45eb8.js")
    plain = rig.request("GET", "/user/ana/wages/static/lab/main.js")
    assert hashed.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert hashed.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert plain.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_changes_need_the_xsrf_token(rig: Rig, desk: Desk, method: str) -> None:
    body = None if method == "DELETE" else b"{}"
    answer = rig.request(method, "/user/ana/wages/api/contents/a.ipynb", body=body)
    assert (answer.status, answer.code) == (403, "sign_in_needed")
    desk.answer = lambda asked: (
        reply(b"<html>", kind="text/html") if " /user/ana/wages/lab " in asked.line else reply()
    )
    headers = rig.xsrf()
    desk.asked.clear()
    assert (
        rig.request(method, "/user/ana/wages/api/contents/a.ipynb", headers=headers, body=body).status == 200
    )
    assert desk.asked[0].line == f"{method} /user/ana/wages/api/contents/a.ipynb HTTP/1.1"
    assert desk.asked[0].body == (body or b"")
    forged = headers | {"X-XSRFToken": "2|forged"}
    assert (
        rig.request(method, "/user/ana/wages/api/contents/a.ipynb", headers=forged, body=body).status == 403
    )


@pytest.mark.parametrize(
    ("path", "mode", "site", "status"),
    [
        ("static/lab/font.woff2", "cors", "same-origin", 200),
        ("lab/extensions/x/static/worker.js", "same-origin", "same-origin", 200),
        ("static/lab/font.woff2", "cors", "cross-site", 403),
        ("static/lab/font.woff2", "no-cors", "cross-site", 403),
        ("api/status", "cors", "same-origin", 403),
        ("api/status", "no-cors", "same-origin", 200),
    ],
)
def test_fetch_metadata(rig: Rig, desk: Desk, path: str, mode: str, site: str, status: int) -> None:
    headers = {"Sec-Fetch-Mode": mode, "Sec-Fetch-Site": site}
    assert rig.request("GET", f"/user/ana/wages/{path}", headers=headers).status == status
    assert len(desk.asked) == (status == 200)


def test_simultaneous_requests_ask_the_hub_once(rig: Rig, desk: Desk) -> None:
    token = rig.sign_in("ana", "wages") + "-of-another-browser"
    rig.hub.users[token] = rig.hub.users["token-of-ana"]
    before = rig.hub.asked
    with ThreadPoolExecutor(8) as browsers:
        answers = browsers.map(
            lambda _: rig.request("GET", STATUS, cookie=rig.cookie(token=token)), range(16)
        )
        assert [answer.status for answer in answers] == [200] * 16
    assert rig.hub.asked - before == 1


def test_connections_to_the_desk_are_used_again(rig: Rig, desk: Desk) -> None:
    for _ in range(5):
        assert rig.request("GET", STATUS).status == 200
    assert len({asked.connection.fileno() for asked in desk.asked}) == 1


def test_a_desk_that_closed_its_idle_connection_is_asked_again(rig: Rig, desk: Desk) -> None:
    assert rig.request("GET", STATUS).status == 200
    desk.asked[0].connection.shutdown(socket.SHUT_RDWR)
    assert rig.request("GET", STATUS).status == 200


def test_the_hub_waits_until_the_desk_listens(rig: Rig) -> None:
    assert rig.request("GET", "/user/ana/wages/api", cookie=None).status == 503
    rig.open_desk()
    assert rig.request("GET", "/user/ana/wages/api", cookie=None).status == 403


def test_hub_down_fails_closed(own_rig: Rig) -> None:
    rig, desk = own_rig, own_rig.open_desk()
    rig.hub.close()
    assert rig.request("GET", STATUS).code == "hub_unreachable"
    assert desk.asked == []


def test_upload_cut_by_the_browser_never_completes(rig: Rig, desk: Desk) -> None:
    desk.answer = lambda _: reply(b"<html>", kind="text/html")
    headers = rig.xsrf()
    head = "PUT /user/ana/wages/api/contents/big HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
    with socket.create_connection(("127.0.0.1", rig.port)) as connection:
        connection.sendall(head.encode() + b"x" * 500_000)
        connection.shutdown(socket.SHUT_WR)
    wait_for(lambda: desk.cut_uploads == 1)
    assert len(desk.asked) == 1


def test_request_with_body_where_none_belongs(rig: Rig, desk: Desk) -> None:
    assert rig.request("GET", STATUS, body=b"x").code == "body_refused"
    assert desk.asked == []


def test_large_bodies_are_refused_by_route(rig: Rig, desk: Desk) -> None:
    desk.answer = lambda _: reply(b"<html>", kind="text/html")
    headers = rig.xsrf()
    answer = rig.request("POST", "/user/ana/wages/api/kernels", headers=headers, body=b"x" * (1 << 20) + b"y")
    assert (answer.status, answer.code) == (413, "too_large")


def test_large_answers_pass_whole(rig: Rig, desk: Desk) -> None:
    payload = json.dumps({"content": "x" * 20_000_000}).encode()
    desk.answer = lambda _: reply(payload)
    assert rig.request("GET", "/user/ana/wages/api/contents/big").body == payload


def test_a_browser_that_does_not_read_holds_the_desk_back(rig: Rig, desk: Desk) -> None:
    """Back-pressure: of 200 MB no more than socket and stream buffers leave the desk."""
    sent = 0

    def answer(asked: object) -> bytes | None:
        nonlocal sent
        connection = desk.asked[-1].connection
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 200000000\r\n\r\n"
        )
        for _ in range(200):
            connection.sendall(b"x" * 1_000_000)
            sent += 1_000_000
        return None

    desk.answer = answer
    with socket.socket() as browser:
        browser.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        browser.connect(("127.0.0.1", rig.port))
        browser.sendall(f"GET {STATUS} HTTP/1.1\r\nHost: x\r\nCookie: {rig.cookie()}\r\n\r\n".encode())
        assert browser.recv(15) == b"HTTP/1.1 200 OK"
        time.sleep(1.0)  # for the desk to send what it must not be able to send
        assert sent < 20_000_000
