"""Vitrine's side of `make bench-desk_open`."""

from __future__ import annotations

import html
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import httpx
from sides import (
    PAGE,
    PERSON,
    PROJECT,
    ROOT,
    SCRIPT,
    Browser,
    DeskNotOpened,
    Side,
    containers,
    found,
    free_port,
    run,
    until,
)

from hub.spawner.container import Layout

COMPOSE = "vitrine-bench"
DATA_PREFIX = "vitrine-bench-"


def polling_seconds() -> float:
    """How long the portal's own page waits between two questions."""
    script = (ROOT / "hub" / "portal" / "static" / "portal.js").read_text()
    found = re.search(r"const ASK_AGAIN = (\d+);", script)
    if found is None:
        raise RuntimeError("portal.js does not say how often it asks (const ASK_AGAIN = milliseconds)")
    return int(found[1]) / 1000


class Vitrine:
    """The product's stack, as `make demo` makes it, in a data directory and on a port of its own."""

    def __init__(self) -> None:
        self.data = Path(tempfile.mkdtemp(prefix=DATA_PREFIX))
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.environment = {
            "VITRINE_HOST_DATA": str(self.data),
            "VITRINE_PROJECT": COMPOSE,
            "VITRINE_PORT": str(port),
            "VITRINE_BIND": "127.0.0.1",
            "VITRINE_PUBLIC_URL": self.url,
            "VITRINE_SIGNIN": "demo",
        }
        self.desk = f"vitrine-desk-{Layout(PurePosixPath(self.data), '').mark}-{PERSON}--{PROJECT}"
        self.pause = polling_seconds()

    def up(self) -> Side:
        downloads = ROOT / "var" / "downloads"
        if downloads.is_dir():
            shutil.copytree(downloads, self.data / "downloads")
        run(str(ROOT / "scripts" / "demo.sh"), environment=self.environment)
        logins = (self.data / "secrets" / "demo-logins.txt").read_text().splitlines()
        password = dict(line.split()[:2] for line in logins if line.strip())[PERSON]
        browser = Browser(self.url)
        home = browser.sign_in("/services/portal/", password)
        form_token = found(r'name="form_token" value="([^"]+)"', home.text)
        self.click = {"form_token": form_token}
        self.script = {**SCRIPT, "X-Vitrine-Form": form_token}
        self.browser = browser
        return Side("vitrine", self.open, self.close, browser)

    def open(self) -> tuple[str, Callable[[], httpx.Response]]:
        page = self.browser.client.post(
            f"/services/portal/projects/{PROJECT}/desk",
            data=self.click,
            headers=PAGE,
        )
        page.raise_for_status()
        poll = html.unescape(found('data-poll="([^"]+)"', page.text))
        lab = self._wait(poll)
        return lab.removesuffix("lab"), lambda: self.browser.visit(lab)

    def _wait(self, poll: str) -> str:
        """Ask as the page does; where the page then goes."""
        while True:
            answer = self.browser.client.get(poll, headers=self.script)
            answer.raise_for_status()
            told = answer.json()
            if told["state"] == "running":
                return str(told["url"])
            if told["state"] == "ended":
                raise DeskNotOpened(f"vitrine: {told['message']}")
            time.sleep(self.pause)

    def close(self) -> None:
        answer = self.browser.client.post(
            f"/services/portal/api/projects/{PROJECT}/desk/stop", headers=self.script
        )
        answer.raise_for_status()
        token = (self.data / "secrets" / "portal.token").read_text().strip()

        def forgotten() -> bool:
            headers = {"Authorization": f"token {token}"}
            model = httpx.get(f"{self.url}/hub/api/users/{PERSON}", headers=headers, trust_env=False).json()
            return PROJECT not in model["servers"]

        until(lambda: forgotten() and not containers(self.desk), "vitrine's desk is gone")

    def down(self) -> None:
        _remove(self.data)

    @staticmethod
    def clear_remains() -> None:
        """Remove what runs that were killed have left: their desks are known by their data directory."""
        for data in Path(tempfile.gettempdir()).glob(f"{DATA_PREFIX}*"):
            _remove(data)


def _remove(data: Path) -> None:
    environment = {"VITRINE_HOST_DATA": str(data), "VITRINE_PROJECT": COMPOSE}
    run(str(ROOT / "scripts" / "stack.sh"), "down", check=False, environment=environment)
    shutil.rmtree(data, ignore_errors=True)
