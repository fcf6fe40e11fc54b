"""The gate with a real JupyterHub: spawn, OAuth with PKCE, XSRF, shares, activity, stop."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
import requests

from tests.integration.gate.harness import ROOT, Desk, Rig, free_port, reply, wait_for

# A spawner that starts nothing and a proxy that routes nothing: the test's browser does the proxy's part.
_CONFIG = """
import json, os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from jupyterhub.proxy import Proxy
from jupyterhub.spawner import Spawner

given = json.loads(os.environ["GATE_TEST"])
KEYS = ["JUPYTERHUB_" + name for name in ("API_TOKEN", "CLIENT_ID", "OAUTH_ACCESS_SCOPES", "SERVER_NAME")]

class NoProxy(Proxy):
    should_start = False
    routes = {}
    async def add_route(self, routespec, target, data):
        self.routes[routespec] = {"routespec": routespec, "target": target, "data": data}
    async def delete_route(self, routespec):
        self.routes.pop(routespec, None)
    async def get_all_routes(self):
        return self.routes

class FileSpawner(Spawner):
    def write(self, **changes):
        ends = datetime.now(timezone.utc) + timedelta(hours=1)
        content = {"version": 1, "session": "h1", "username": self.user.name, "tier": "open", "state": "OPEN",
                   "prefix": self.server.base_url, "ends_at": ends.isoformat(), "reason": None,
                   "bytes_out_limit": 10**8, "hub_env": {key: self.get_env()[key] for key in KEYS}}
        path = Path(given["sessions"]) / "h1.json"
        aside = path.with_name("aside")
        aside.write_text(json.dumps({**content, **changes}))
        aside.replace(path)
    async def start(self):
        self.write()
        return given["gate"]
    async def stop(self, now=False):
        self.write(state="ENDED", reason="stopped", hub_env={})
    async def poll(self):
        return None if (Path(given["sessions"]) / "h1.json").exists() else 0

c = get_config()
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = FileSpawner
c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.allow_named_servers = True
c.JupyterHub.default_url = "/hub/home"
c.JupyterHub.hub_bind_url = given["hub"]
c.JupyterHub.bind_url = given["public"]
c.JupyterHub.db_url = "sqlite://"
c.JupyterHub.cookie_secret = os.urandom(32)
c.JupyterHub.services = [{"name": "tests", "api_token": given["token"]}]
c.JupyterHub.load_roles = [{"name": "tests", "services": ["tests"],
    "scopes": ["servers", "admin:users", "shares", "read:users", "list:users"]}]
"""


class Browser:
    """A browser behind a proxy: `/hub` goes to the Hub, everything else to the gate; one cookie jar."""

    def __init__(self, hub: int, gate: int) -> None:
        self._hub, self._gate = hub, gate
        self.session = requests.Session()

    def go(self, method: str, path: str, **arguments: object) -> requests.Response:
        """One request, then its redirects, as a navigation."""
        for _ in range(10):
            port = self._hub if path.startswith("/hub") else self._gate
            answer = self.session.request(
                method,
                f"http://127.0.0.1:{port}{path}",
                allow_redirects=False,
                timeout=20,
                **arguments,  # type: ignore[arg-type]
            )
            if answer.status_code not in {302, 303}:
                return answer
            target = urlsplit(urljoin(path, answer.headers["Location"]))
            path, method, arguments = target.path + (f"?{target.query}" if target.query else ""), "GET", {}
        raise AssertionError("redirected for ever")

    def sign_in(self, name: str) -> None:
        self.go("GET", "/hub/login")
        xsrf = self.cookie("_xsrf", "/hub/")
        form = {"username": name, "password": "x", "_xsrf": xsrf}
        assert self.go("POST", "/hub/login", data=form).status_code in {200, 403, 404}
        assert "jupyterhub-session-id" in self.session.cookies

    def cookie(self, name: str, path: str) -> str:
        return next(str(c.value) for c in self.session.cookies if c.name == name and c.path == path)


class RealHub:
    """A JupyterHub process."""

    def __init__(self, rig: Rig, folder: Path) -> None:
        self.port = free_port()
        self.api = f"http://127.0.0.1:{self.port}/hub/api"
        self.token = secrets.token_hex(16)
        given = {
            "sessions": str(rig.settings.sessions),
            "gate": f"http://127.0.0.1:{rig.port}",
            "hub": f"http://127.0.0.1:{self.port}",
            "public": f"http://127.0.0.1:{rig.port}",
            "token": self.token,
        }
        (folder / "config.py").write_text(_CONFIG)
        self.log = folder / "hub.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", "-f", str(folder / "config.py")],
                cwd=folder,
                env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "GATE_TEST": json.dumps(given)},
                stdout=log,
                stderr=log,
            )
        wait_for(self._answers, 60)

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return requests.get(self.api, timeout=5).ok
        except requests.ConnectionError:
            return False

    def call(self, method: str, path: str, **arguments: object) -> requests.Response:
        headers = {"Authorization": f"token {self.token}"}
        return requests.request(method, f"{self.api}{path}", headers=headers, timeout=30, **arguments)  # type: ignore[arg-type]

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture(scope="module")
def with_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Rig, RealHub, Desk]]:
    """Hub and gate, and ana's server `wages`, spawned: its desk listened only after the Hub had asked."""
    rig = Rig()
    hub = RealHub(rig, tmp_path_factory.mktemp("hub"))
    try:
        rig.settings = type(rig.settings)(**{**vars(rig.settings), "hub_api_url": hub.api})
        rig.write_session("h1", state="ENDED", reason="stopped", hub_env={})
        rig.start()
        for name in ("ana", "bob"):
            assert hub.call("POST", f"/users/{name}").status_code == 201
        spawning = threading.Thread(target=hub.call, args=("POST", "/users/ana/servers/wages"))
        spawning.start()
        wait_for(lambda: "desk_unreachable" in rig.log(), 30)
        desk = rig.open_desk("h1", _answer)
        spawning.join()
        wait_for(lambda: hub.call("GET", "/users/ana").json()["servers"]["wages"]["ready"], 30)
        yield rig, hub, desk
    finally:
        rig.close()
        hub.close()


def _answer(asked: object) -> bytes:
    line = getattr(asked, "line", "")
    return reply(b"<html>Lab</html>", kind="text/html") if "/lab " in line else reply(b'{"of": "ana"}')


LAB = "/user/ana/wages/lab"
CONTENTS = "/user/ana/wages/api/contents/a.txt"


def test_ana_signs_in_and_works(with_hub: tuple[Rig, RealHub, Desk]) -> None:
    rig, hub, desk = with_hub
    ana = Browser(hub.port, rig.port)
    ana.sign_in("ana")
    page = ana.go("GET", LAB)
    assert (page.status_code, page.text) == (200, "<html>Lab</html>")
    assert page.headers["X-JupyterHub-Version"] == requests.get(hub.api, timeout=5).json()["version"]
    assert ana.go("PUT", CONTENTS, json={}).status_code == 403
    xsrf = ana.cookie("_xsrf", "/user/ana/wages/")
    assert ana.go("PUT", CONTENTS, json={}, headers={"X-XSRFToken": xsrf}).json() == {"of": "ana"}
    # The pages of other people's browsers carry other tokens.
    assert ana.go("PUT", CONTENTS, json={}, headers={"X-XSRFToken": xsrf[:-2] + "aa"}).status_code == 403
    asked = [request for request in desk.asked if request.line.startswith("PUT")]
    assert len(asked) == 1
    assert "cookie" not in asked[0].headers


def test_sign_in_survives_a_restart_of_the_gate(with_hub: tuple[Rig, RealHub, Desk]) -> None:
    rig, hub, _ = with_hub
    ana = Browser(hub.port, rig.port)
    ana.sign_in("ana")
    assert ana.go("GET", LAB).status_code == 200
    rig.stop(9)
    rig.start()
    xsrf = ana.cookie("_xsrf", "/user/ana/wages/")
    assert ana.go("PUT", CONTENTS, json={}, headers={"X-XSRFToken": xsrf}).status_code == 200


def test_bob_is_refused_by_the_hub_and_with_a_share_by_the_gate(with_hub: tuple[Rig, RealHub, Desk]) -> None:
    rig, hub, desk = with_hub
    desk.asked.clear()
    bob = Browser(hub.port, rig.port)
    bob.sign_in("bob")
    assert bob.go("GET", LAB).status_code == 403
    shared = hub.call("POST", "/shares/ana/wages", json={"user": "bob"})
    assert shared.status_code == 200, shared.text
    # The Hub asks bob whether ana's server may know who he is; he agrees.
    page = bob.go("GET", LAB)
    assert page.status_code == 200
    form = {"_xsrf": bob.cookie("_xsrf", "/hub/"), "scopes": ["access:servers!server=ana/wages"]}
    asked = urlsplit(page.url)
    answer = bob.go("POST", f"{asked.path}?{asked.query}", data=form)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "not_yours"
    assert desk.asked == []


def test_a_foreign_state_does_not_sign_in(with_hub: tuple[Rig, RealHub, Desk]) -> None:
    rig, hub, _ = with_hub
    stranger = Browser(hub.port, rig.port)
    answer = stranger.go("GET", "/user/ana/wages/oauth_callback?code=x&state=y")
    assert (answer.status_code, "sign_in_failed" in answer.text) == (403, True)
    assert "code=x" not in rig.log()


def test_activity_reaches_the_hub(with_hub: tuple[Rig, RealHub, Desk]) -> None:
    rig, hub, _ = with_hub
    ana = Browser(hub.port, rig.port)
    ana.sign_in("ana")
    before = hub.call("GET", "/users/ana").json()["servers"]["wages"]["last_activity"]
    rig.stop()
    rig.start()  # a fresh minute
    assert ana.go("GET", LAB).status_code == 200
    wait_for(lambda: hub.call("GET", "/users/ana").json()["servers"]["wages"]["last_activity"] > before)
    assert [line for line in rig.events("fault") if line["kind"] == "activity"] == []


def test_stopping_the_server_closes_the_desk(with_hub: tuple[Rig, RealHub, Desk]) -> None:
    rig, hub, _ = with_hub
    ana = Browser(hub.port, rig.port)
    ana.sign_in("ana")
    assert ana.go("GET", LAB).status_code == 200
    assert hub.call("DELETE", "/users/ana/servers/wages").status_code in {202, 204}
    wait_for(lambda: ana.go("GET", CONTENTS).status_code == 403)
    assert ana.go("GET", CONTENTS).json()["error"]["code"] == "stopped"
