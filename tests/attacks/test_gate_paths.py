"""Addresses with two readings, sent as raw bytes: none reaches the desk, all are answered 403."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.gate.harness import Desk, Rig

PREFIX = "/user/ana/wages"
TRICKS = [
    "//files/../data.csv",
    f"{PREFIX}//files/data.csv",
    f"{PREFIX}/files/data.csv",
    f"{PREFIX}/%66iles/data.csv",
    f"{PREFIX}/%66iles/../data.csv",
    f"{PREFIX}/lab/../files/data.csv",
    f"{PREFIX}/lab/%2e%2e/files/data.csv",
    f"{PREFIX}/lab/.%2e/files/data.csv",
    f"{PREFIX}/lab/./files/data.csv",
    f"{PREFIX}/files%2f../data.csv",
    f"{PREFIX}/files%2fdata.csv",
    f"{PREFIX}/lab/tree/%252e%252e/files/data.csv",
    f"{PREFIX}/lab/tree/..%252ffiles",
    f"{PREFIX}/lab/tree/%c0%ae%c0%ae/files",
    f"{PREFIX}/lab/tree/%c0%af../files",
    f"{PREFIX}/lab/tree/%e0%80%af",
    f"{PREFIX}/lab/tree/a%00b",
    f"{PREFIX}/lab/tree/a%0d%0aX-Evil:1",
    f"{PREFIX}/lab/tree/a\\..\\files",
    f"{PREFIX}/lab/tree/a%5c..%5cfiles",
    f"{PREFIX}/lab/tree/%",
    f"{PREFIX}/lab/tree/%zz",
    f"{PREFIX}/lab;/../files",
    f"{PREFIX}/files;x=1/data.csv",
    f"{PREFIX}/static/lab/../../files/data.csv",
    f"{PREFIX}/static/lab//etc/passwd.js",
    f"{PREFIX}/FILES/data.csv",
    f"{PREFIX}/files",
    f"{PREFIX}/lab/files/x",
    f"{PREFIX}/api/contents/x?download=1",
    f"{PREFIX}/api/contents/x?%64ownload=1",
    f"{PREFIX}/lab#/../files",
    f"http://127.0.0.1{PREFIX}/files/data.csv",
    f"http://127.0.0.1{PREFIX}/api/status",
    f"{PREFIX}/nbconvert/html/a.ipynb",
    f"{PREFIX}/api/nbconvert",
    f"{PREFIX}/view/a.html",
    f"{PREFIX}/proxy/8080/",
    f"{PREFIX}/lsp/ws/pylsp",
    f"{PREFIX}/custom/custom.css",
    f"{PREFIX}/kernelspecs/python3/kernel.json",
    f"{PREFIX}/kernelspecs/stolen/logo-64x64.png",
    f"{PREFIX}/kernelspecs/python3/../stolen/logo-64x64.png",
    f"{PREFIX}/api/config/notebook",
    f"{PREFIX}/tree",
    f"{PREFIX}/metrics",
    f"{PREFIX}x/lab",
    "/user/ana/wages",
    "/user/ana/",
    "/",
    "/hub/home",
    "/services/portal/",
]


@pytest.fixture(scope="module")
def attacked() -> Iterator[Rig]:
    rig = Rig()
    try:
        rig.write_session()
        rig.start()
        yield rig
    finally:
        rig.close()


@pytest.fixture(scope="module")
def hostile(attacked: Rig) -> Desk:
    """A desk that would give everything away."""
    return attacked.open_desk()


@pytest.mark.parametrize("trick", TRICKS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_path_tricks(attacked: Rig, hostile: Desk, trick: str, method: str) -> None:
    hostile.asked.clear()
    head = f"{method} {trick} HTTP/1.1\r\nHost: x\r\nCookie: {attacked.cookie()}\r\nContent-Length: 0\r\n"
    answer = attacked.raw(f"{head}Connection: close\r\n\r\n".encode("latin-1"))
    assert answer.startswith(b"HTTP/1.1 403 "), answer[:300]
    assert hostile.asked == []


@pytest.mark.parametrize(
    "smuggled",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x",
        b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"Content-Length: +5\r\n\r\nabcde",
        b"X: a\r\n folded\r\nContent-Length : 3\r\n\r\nabc",
    ],
)
def test_requests_with_two_ends(attacked: Rig, hostile: Desk, smuggled: bytes) -> None:
    hostile.asked.clear()
    head = f"POST {PREFIX}/api/kernels HTTP/1.1\r\nHost: x\r\nCookie: {attacked.cookie()}\r\n".encode()
    answer = attacked.raw(head + smuggled)
    assert answer.split(b" ")[1] in {b"400", b"403"}
    assert hostile.asked == []


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "get"])
def test_other_methods_on_a_page(attacked: Rig, hostile: Desk, method: str) -> None:
    hostile.asked.clear()
    head = f"{method} {PREFIX}/lab HTTP/1.1\r\nHost: x\r\nCookie: {attacked.cookie()}\r\n"
    assert attacked.raw(f"{head}Connection: close\r\n\r\n".encode()).startswith(b"HTTP/1.1 403 ")
    assert hostile.asked == []


def test_refusals_are_logged_without_secrets(attacked: Rig, hostile: Desk) -> None:
    attacked.request("GET", f"{PREFIX}/files/salaries-of-everyone.csv?token=geheim&x=geheim")
    line = attacked.events("refused")[-1]
    assert {key: line[key] for key in ("code", "session", "route", "method", "status")} == {
        "code": "route_refused",
        "session": "s1",
        "route": "unlisted:files",
        "method": "GET",
        "status": 403,
    }
    for secret in ("geheim", "salaries", "token-of-ana", "jupyterhub-user-ana", "server-token", "gate-token"):
        assert secret not in attacked.log()
