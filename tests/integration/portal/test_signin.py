"""Signing in through a real JupyterHub: OAuth with state and PKCE, scopes, and the end of a session."""

from __future__ import annotations

import dataclasses
import os
import re
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from starlette.testclient import TestClient

from hub.portal import signin
from hub.portal.app import create_app
from hub.portal.signin import COOKIE, HubSignIn
from tests.integration.portal.stage import PUBLIC_URL, P, make_stage

CONFIG = """
from jupyterhub.proxy import Proxy

class NoProxy(Proxy):
    should_start = False
    async def add_route(self, routespec, target, data): pass
    async def delete_route(self, routespec): pass
    async def get_all_routes(self): return {}

c = get_config()
c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.hub_ip = "127.0.0.1"
c.JupyterHub.hub_port = PORT
c.JupyterHub.db_url = "sqlite://"
c.JupyterHub.cookie_secret = bytes.fromhex("SECRET")
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.services = [
    {"name": "portal", "url": "http://127.0.0.1:1", "api_token": "TOKEN", "oauth_client_id": "service-portal",
     "oauth_no_confirm": True, "oauth_redirect_uri": "/services/portal/oauth_callback"},
    {"name": "maker", "api_token": "MAKER"},
]
c.JupyterHub.load_roles = [
    {"name": "user", "scopes": ["access:services!service=portal", "read:users:name!user",
     "read:users:groups!user"]},
    {"name": "maker", "scopes": ["admin:users", "tokens"], "services": ["maker"]},
]
"""


@dataclass
class Hub:
    """A running hub, its address and the tokens of its two services."""

    url: str
    token: str
    maker: str
    clients: list[httpx.Client] = field(default_factory=list)

    def door(self, public_url: str = PUBLIC_URL) -> HubSignIn:
        """The portal's side of signing in."""
        return HubSignIn(
            api_url=f"{self.url}/hub/api",
            api_token=self.token,
            client_id="service-portal",
            service="portal",
            public_url=public_url,
        )

    def sign_in(self, username: str) -> httpx.Client:
        """A browser that is signed in to the hub."""
        client = httpx.Client(base_url=self.url, follow_redirects=False, timeout=30)
        self.clients.append(client)
        client.get("/hub/login")
        form = {"username": username, "password": "x", "_xsrf": client.cookies["_xsrf"]}
        assert client.post("/hub/login", data=form).status_code == 302
        return client


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("hub")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token, maker = secrets.token_hex(32), secrets.token_hex(32)
    text = CONFIG.replace("PORT", str(port)).replace("TOKEN", token).replace("MAKER", maker)
    config = folder / "config.py"
    config.write_text(text.replace("SECRET", secrets.token_hex(32)))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", str(config)],
            cwd=folder,
            stdout=log,
            stderr=log,
            env={**os.environ, "JUPYTERHUB_CRYPT_KEY": secrets.token_hex(32)},
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url, process, folder / "log")
        made = Hub(url, token, maker)
        yield made
        for client in made.clients:
            client.close()
    finally:
        process.terminate()
        process.wait(30)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/hub/api/", timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    pytest.fail(f"the hub did not start:\n{log.read_text()[-3000:]}")


@pytest.fixture
def browser(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr(signin, "CACHE_SECONDS", 1)  # the tests do not wait for the real one
    stage = make_stage(tmp_path)
    door = hub.door()
    app = create_app(dataclasses.replace(stage.portal, sign_in=door))
    with TestClient(app, base_url=PUBLIC_URL, follow_redirects=False) as client:
        yield client


def round_trip(
    browser: TestClient, at_hub: httpx.Client, path: str = f"{P}/projects/wages"
) -> httpx.Response:
    """From the portal to the hub and back; answers the portal's last reply."""
    away = browser.get(path)
    assert away.status_code == 302
    back = at_hub.get(away.headers["location"])
    assert back.status_code == 302, back.text
    return browser.get(back.headers["location"])  # type: ignore[return-value]  # the same interface


def test_the_way_to_the_hub_and_back(browser: TestClient, hub: Hub) -> None:
    done = round_trip(browser, hub.sign_in("ana"), f"{P}/projects/wages?page=1")
    assert (done.status_code, done.headers["location"]) == (302, f"{P}/projects/wages?page=1")
    cookie = next(h for h in done.headers.get_list("set-cookie") if h.startswith(f"{COOKIE}="))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/services/portal" in cookie
    page = browser.get(f"{P}/projects/wages")
    assert page.status_code == 200
    assert "Ana" in page.text


def test_the_hub_says_who_but_not_what(browser: TestClient, hub: Hub) -> None:
    round_trip(browser, hub.sign_in("stranger"))
    answer = browser.get(f"{P}/")
    assert answer.status_code == 403
    assert 'data-code="unknown_here"' in answer.text


def test_a_secure_address_has_secure_cookies(hub: Hub, tmp_path: Path) -> None:
    stage = make_stage(tmp_path, filled=False)
    door = hub.door("https://vitrine.test")
    client = TestClient(create_app(dataclasses.replace(stage.portal, sign_in=door)), follow_redirects=False)
    assert "Secure" in client.get(f"{P}/").headers["set-cookie"]


def test_the_request_to_the_hub_has_state_and_challenge(browser: TestClient) -> None:
    query = parse_qs(urlsplit(browser.get(f"{P}/").headers["location"]).query)
    assert query["code_challenge_method"] == ["S256"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", query["code_challenge"][0])
    assert query["redirect_uri"] == [f"{P}/oauth_callback"]
    assert len(query["state"][0]) >= 20


@pytest.mark.parametrize("change", ["no cookie", "other state", "no state", "no code", "wrong code", "twice"])
def test_a_wrong_way_back_is_refused(browser: TestClient, hub: Hub, change: str) -> None:
    away = browser.get(f"{P}/")
    back = hub.sign_in("ana").get(away.headers["location"]).headers["location"]
    query = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
    if change == "no cookie":
        browser.cookies.clear()
    elif change == "other state":
        query["state"] = "x" * 22
    elif change in ("no state", "no code"):
        del query[change.removeprefix("no ")]
    elif change == "wrong code":
        query["code"] = "x" * 30
    else:
        assert browser.get(f"{P}/oauth_callback", params=query).status_code == 302
        browser.cookies.delete(COOKIE)
    answer = browser.get(f"{P}/oauth_callback", params=query)
    assert answer.status_code == 403
    assert 'data-code="signin_failed"' in answer.text
    assert COOKIE not in browser.cookies


def test_another_browser_cannot_finish_what_this_one_began(browser: TestClient, hub: Hub) -> None:
    """Signing a victim in as somebody else: the code is good, but the state is not this browser's."""
    away = browser.get(f"{P}/")
    back = hub.sign_in("bob").get(away.headers["location"]).headers["location"]
    victim = TestClient(browser.app, base_url=PUBLIC_URL, follow_redirects=False)
    assert victim.get(back).status_code == 403
    assert not victim.cookies


def _new_token(hub: Hub, username: str, scopes: list[str] | None) -> dict[str, str]:
    body = {} if scopes is None else {"scopes": scopes}
    answer = httpx.post(
        f"{hub.url}/hub/api/users/{username}/tokens",
        json=body,
        headers={"authorization": f"token {hub.maker}"},
        timeout=30,
    )
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_an_api_token_works_for_this_service_only(browser: TestClient, hub: Hub) -> None:
    hub.sign_in("ana")
    good = _new_token(hub, "ana", ["access:services!service=portal", "read:users:name!user"])
    other = _new_token(hub, "ana", ["read:users:name!user"])
    path = f"{P}/api/me"
    assert browser.get(path, headers={"authorization": f"token {good['token']}"}).json()["username"] == "ana"
    for value in (
        f"token {other['token']}",
        "token wrong",
        "token ",
        "Basic eDp4",
        hub.token,
        f"token {hub.token}",
    ):
        assert browser.get(path, headers={"authorization": value}).status_code == 401


def test_an_answer_of_the_hub_is_believed_for_a_short_while_only(hub: Hub) -> None:
    assert hub.door()._auth.cache_max_age == signin.CACHE_SECONDS <= 15


def test_a_revoked_token_ends(browser: TestClient, hub: Hub) -> None:
    hub.sign_in("ana")
    made = _new_token(hub, "ana", ["access:services!service=portal", "read:users:name!user"])
    headers = {"authorization": f"token {made['token']}"}
    assert browser.get(f"{P}/api/me", headers=headers).status_code == 200
    gone = httpx.delete(
        f"{hub.url}/hub/api/users/ana/tokens/{made['id']}",
        headers={"authorization": f"token {hub.maker}"},
        timeout=30,
    )
    assert gone.status_code == 204
    deadline = time.monotonic() + 15
    while browser.get(f"{P}/api/me", headers=headers).status_code == 200:
        assert time.monotonic() < deadline, "a revoked token still works after 15 s"
        time.sleep(0.5)


def test_signing_out_of_the_hub_ends_the_portal_session(browser: TestClient, hub: Hub) -> None:
    at_hub = hub.sign_in("ana")
    round_trip(browser, at_hub)
    assert browser.get(f"{P}/").status_code == 200
    at_hub.get("/hub/logout")
    deadline = time.monotonic() + 15
    while browser.get(f"{P}/").status_code == 200:
        assert time.monotonic() < deadline, "the session still works 15 s after signing out"
        time.sleep(0.5)


def test_a_hub_that_is_gone_is_told_in_words(tmp_path: Path) -> None:
    stage = make_stage(tmp_path, filled=False)
    door = HubSignIn(
        api_url="http://127.0.0.1:9/hub/api",
        api_token="t" * 32,
        client_id="service-portal",
        service="portal",
        public_url=PUBLIC_URL,
    )
    app = create_app(dataclasses.replace(stage.portal, sign_in=door))
    with TestClient(app, base_url=PUBLIC_URL) as client:
        client.cookies.set(COOKIE, "some-token")
        answer = client.get(f"{P}/api/me", headers={"accept-language": "fr"})
    assert answer.status_code == 503
    assert answer.json()["error"]["message"].startswith("Le service de connexion ne répond pas")
