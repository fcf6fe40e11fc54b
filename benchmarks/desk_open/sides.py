"""What both sides of `make bench-desk_open` use: the machine, a person's browser, and the measure."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
PERSON, PROJECT, TIER = "ana", "cps-wages", "open"
PAGE = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
SCRIPT = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Accept": "application/json"}
"""What a browser says of its requests: a page that is opened, a question of the page's script."""
AGAIN = 0.05  # seconds between two questions where no page says how often to ask
PATIENCE = 120.0  # seconds until a desk that does not open ends the run
SETTLE = 1.0  # seconds of rest before each click


class DeskNotOpened(Exception):
    """A click that led to no Lab, and why."""


def run(*command: str, check: bool = True, environment: Mapping[str, str] | None = None) -> str:
    """Run a program; its standard output. It ends with us, and an interrupt reaches us first."""
    program = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if check else subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        env={**os.environ, **(environment or {})},
    )
    try:
        output, _ = program.communicate()
    except BaseException:
        os.killpg(program.pid, signal.SIGTERM)
        program.wait()
        raise
    if check and program.returncode:
        raise RuntimeError(f"{' '.join(command[:3])}: status {program.returncode}\n{output[-2000:]}")
    return output


def docker(*arguments: str, check: bool = True, environment: Mapping[str, str] | None = None) -> str:
    return run("docker", *arguments, check=check, environment=environment)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], object], what: str) -> None:
    """Ask every AGAIN seconds until the condition holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise DeskNotOpened(f"not within {PATIENCE:.0f} s: {what}")
        time.sleep(AGAIN)


def containers(name: str) -> list[str]:
    """Ids of the containers whose name begins so, running or not."""
    return docker("ps", "-aq", "--filter", f"name=^/?{name}").split()


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def found(pattern: str, text: str) -> str:
    """The first group of a pattern that must be there."""
    match = re.search(pattern, text)
    if match is None:
        raise DeskNotOpened(f"no {pattern} on the page")
    return match[1]


class Browser:
    """Follows redirects and keeps cookies, as the person's browser does."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = httpx.Client(base_url=url, follow_redirects=True, timeout=PATIENCE, trust_env=False)

    def visit(self, path: str) -> httpx.Response:
        """Go to a page; where it leads must be a page too."""
        answer = self.client.get(path, headers=PAGE)
        answer.raise_for_status()
        return answer

    def sign_in(self, path: str, password: str) -> httpx.Response:
        """Go to a page that asks to sign in, and do."""
        page = self.visit(path)
        form = {"_xsrf": self.xsrf(page.url.path), "username": PERSON, "password": password}
        answer = self.client.post(page.url, data=form, headers=PAGE)
        answer.raise_for_status()
        if "/hub/login" in answer.url.path:
            raise DeskNotOpened(f"{PERSON} could not sign in at {self.url}")
        return answer

    def xsrf(self, path: str) -> str:
        """The `_xsrf` cookie that a script on this page reads."""
        mine = [c for c in self.client.cookies.jar if c.name == "_xsrf" and path.startswith(c.path)]
        return max(mine, key=lambda cookie: len(cookie.path)).value or "" if mine else ""

    def forget(self, prefix: str) -> None:
        """Drop the desks' cookies, as in a browser opened anew: each way to the Lab leads through OAuth."""
        jar = self.client.cookies.jar
        for cookie in [one for one in jar if one.path.startswith(prefix)]:
            jar.clear(cookie.domain, cookie.path, cookie.name)

    def script(self, path: str) -> dict[str, str]:
        """What a script of Jupyter's says with a request."""
        return {**SCRIPT, "X-XSRFToken": self.xsrf(path)}

    def status(self, prefix: str) -> datetime:
        """Ask the Lab's `api/status` until it answers with the Lab's own JSON; when that Lab started."""
        path = f"{prefix}api/status"
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            answer = self.client.get(path, headers=self.script(path), follow_redirects=False)
            kind = answer.headers.get("content-type", "")
            if answer.status_code == 200 and kind.startswith("application/json"):
                return datetime.fromisoformat(answer.json()["started"])
            time.sleep(AGAIN)
        raise DeskNotOpened(f"not within {PATIENCE:.0f} s: {path}")


def signs_in(page: httpx.Response) -> bool:
    """Whether the way to this page led through OAuth."""
    return any("/oauth_callback" in step.url.path for step in page.history)


@dataclass
class Side:
    """One stack with a signed-in person, and what was measured there."""

    name: str
    open: Callable[[], tuple[str, Callable[[], httpx.Response]]]
    """Clicks and waits; the Lab's prefix, and how the browser goes there."""
    close: Callable[[], None]
    browser: Browser
    seconds: list[float] = field(default_factory=list)
    waiting: list[float] = field(default_factory=list)

    def measure(self) -> str:
        """One click; what it took, in words."""
        self.browser.forget(f"/user/{PERSON}/")
        time.sleep(SETTLE)
        moment, clicked = datetime.now(UTC), time.perf_counter()
        prefix, go = self.open()
        told = time.perf_counter()
        page = go()
        arrived = time.perf_counter()
        started = self.browser.status(prefix)
        done = time.perf_counter()
        if not signs_in(page) or not page.url.path.endswith("/lab"):
            raise DeskNotOpened(f"{self.name}: unexpected way to the Lab, ending at {page.url.path}")
        if started < moment:
            raise DeskNotOpened(f"{self.name}: a Lab answered that had started before the click")
        self.seconds.append(done - clicked)
        self.waiting.append(told - clicked)
        self.close()
        return (
            f"{self.name} {done - clicked:.2f} s (told open after {told - clicked:.2f}, "
            f"to the Lab {arrived - told:.2f}, api/status {done - arrived:.2f})"
        )
