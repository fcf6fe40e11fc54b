"""A researcher who puts a server of their own behind the gate, in a real desk of the running stack."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import Stack, wait_for
from tests.e2e.desks import DESK_PYTHON, Desk, Visitor, attempt, make_projects, newest_session, signed_in

pytestmark = pytest.mark.containers

HOSTILE = r"""
import os, socket, threading
LOOT = b"salaire;1000\n" * 1000
def reply(status, kind, *headers, body=LOOT):
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "Connection: close", *headers]).encode() + b"\r\n\r\n" + body
ATTACHED = 'Content-Disposition: attachment; filename="loot.csv"'
PAGES = {
    "lab": reply("200 OK", "text/html", "Set-Cookie: jupyterhub-session-id=stolen; Path=/", "X-Evil: 1",
        "Content-Security-Policy: sandbox allow-downloads", "Access-Control-Allow-Origin: *",
        "Service-Worker-Allowed: /", "Refresh: 0; url=http://evil.example/", body=b"<p>hostile</p>"),
    "lab/tree/attached": reply("200 OK", "text/html", ATTACHED),
    "lab/tree/binary": reply("200 OK", "application/octet-stream"),
    "lab/tree/away": reply("302 Found", "text/html", "Location: http://evil.example/?loot"),
    "lab/tree/files": reply("302 Found", "text/html", "Location: /user/ana/attack/files/loot.csv"),
    "lab/tree/ask": reply("401 Unauthorized", "text/html", 'WWW-Authenticate: Basic realm="Vitrine"'),
    "api/contents/attached": reply("200 OK", "application/json", ATTACHED),
    "api/contents/csv": reply("200 OK", "text/csv"),
    "api/contents/page": reply("200 OK", "text/html"),
    "static/lab/loot.csv": reply("200 OK", "text/csv"),
    "static/lab/loot.html": reply("200 OK", "text/html"),
    "static/lab/attached.js": reply("200 OK", "text/javascript", ATTACHED),
}
def serve(client):
    with client:
        try:
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(65536) or b"\r\n\r\n"
            path = head.split(b" ")[1].decode().partition("?")[0].removeprefix("/user/ana/hostile/")
            with open("/run/desk/asked", "a") as asked:
                asked.write(path + "\n")
            client.sendall(PAGES.get(path, reply("200 OK", "application/octet-stream", ATTACHED)))
        except OSError:
            pass
listening = socket.socket(socket.AF_UNIX)
listening.bind("/run/desk/hostile.sock")
os.chmod("/run/desk/hostile.sock", 0o666)
listening.listen(64)
os.rename("/run/desk/hostile.sock", "/run/desk/lab.sock")
open("/run/desk/replaced", "w").close()
while True:
    threading.Thread(target=serve, args=(listening.accept()[0],), daemon=True).start()
"""


@pytest.fixture(scope="module")
def ana(stack: Stack) -> Iterator[Visitor]:
    with signed_in(stack, "ana", "bob") as (ana, bob):
        make_projects(bob, "hostile", "victim")
        yield ana


@pytest.fixture(scope="module")
def victim(ana: Visitor) -> Desk:
    return ana.open_desk("victim")


@pytest.fixture(scope="module")
def hostile(ana: Visitor) -> Desk:
    """A desk whose server was replaced before anybody visited it."""
    assert ana.ask_for_desk("hostile")["state"] == "running"
    desk = Desk(ana, "hostile", newest_session(ana.stack, "hostile"))
    inside = ["docker", "exec", "-d", "-u", "1000", desk.container(), DESK_PYTHON, "-c", HOSTILE]
    subprocess.run(inside, check=True, capture_output=True)
    wait_for((desk.run / "replaced").exists, 20, "the hostile server")
    return desk


def asked(desk: Desk) -> list[str]:
    """What the hostile server was asked for."""
    path = desk.run / "asked"
    return path.read_text().splitlines() if path.exists() else []


def test_a_hostile_page_is_shown_in_a_sandbox_without_its_headers(hostile: Desk) -> None:
    page = hostile.get("lab")
    assert (page.status_code, page.text) == (200, "<p>hostile</p>")
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox ")
    assert "allow-downloads" not in policy
    assert "stolen" not in str(page.headers)
    refused = {"x-evil", "access-control-allow-origin", "service-worker-allowed", "refresh"}
    assert refused & {name.lower() for name in page.headers} == set()


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("lab/tree/attached", "attachment_refused"),
        ("lab/tree/binary", "type_refused"),
        ("lab/tree/away", "reply_refused"),
        ("lab/tree/files", "reply_refused"),
        ("lab/tree/ask", "reply_refused"),
        ("api/contents/attached", "attachment_refused"),
        ("api/contents/csv", "type_refused"),
        ("api/contents/page", "type_refused"),
        ("static/lab/loot.csv", "type_refused"),
        ("static/lab/loot.html", "type_refused"),
        ("static/lab/attached.js", "attachment_refused"),
    ],
)
def test_what_a_hostile_server_answers_is_refused(hostile: Desk, path: str, code: str) -> None:
    hostile.get("lab")
    answer = hostile.get(path, Accept="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, code)
    assert "salaire" not in answer.text
    assert asked(hostile)[-1] == path


@pytest.mark.parametrize(
    "path",
    [
        "files/loot.csv",
        "nbconvert/html/loot.ipynb",
        "view/loot.html",
        "api/contents/loot.csv?download=1",
        "proxy/8080/loot.csv",
        "custom/custom.css",
        "kernelspecs/python3/loot.csv",
        "loot.csv",
        "oauth_callback/loot",
    ],
)
def test_a_hostile_server_is_not_even_asked(hostile: Desk, path: str) -> None:
    hostile.get("lab")
    before = asked(hostile)
    answer = hostile.get(path, Accept="application/json")
    assert answer.status_code == 403
    assert "salaire" not in answer.text
    assert asked(hostile) == before


@pytest.mark.parametrize(
    "target",
    ["submit.sock", "/run/desk/submit.sock", "../{other}/lab.sock", "/srv/vitrine/run/{other}/lab.sock"],
)
def test_lab_sock_as_a_link_leads_nowhere(hostile: Desk, victim: Desk, target: str) -> None:
    """Last: it takes the hostile server's place."""
    place = target.format(other=victim.session)
    done = attempt(
        hostile,
        "os.symlink(sys.argv[1], '/run/desk/link'); os.rename('/run/desk/link', '/run/desk/lab.sock')",
        place,
    )
    assert done == "SUCCESS"
    answer = hostile.get("api/status", Accept="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "desk_unreachable")
