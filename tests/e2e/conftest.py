"""The whole stack as `make demo` makes it, beside any other on this machine, and a real browser."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests.conftest import ROOT, _free_port

REPORT = ROOT / "tests" / "report"
PROJECT = os.environ.get("VITRINE_TEST_PROJECT", "vitrine-test")


@dataclass(frozen=True)
class Stack:
    """A running stack: where it is and how to reach into it."""

    url: str
    data: Path
    environment: dict[str, str]

    def script(self, *arguments: str, check: bool = True, stdin: str | None = None) -> str:
        """Run a script of scripts/ against this stack; its standard output."""
        done = subprocess.run(
            [str(ROOT / "scripts" / arguments[0]), *arguments[1:]],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )
        if check and done.returncode:
            raise AssertionError(f"{arguments} failed ({done.returncode}):\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def compose(self, *arguments: str) -> str:
        return self.script("compose.sh", *arguments)

    def vitrine(
        self, *arguments: str, service: str = "portal", stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """The `vitrine` command inside a service, as an operator runs it."""
        return subprocess.run(
            ["docker", "exec", "-i", self.container(service), "vitrine", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def container(self, service: str) -> str:
        """Id of a service's container, running or not."""
        labels = [f"com.docker.compose.project={PROJECT}", f"com.docker.compose.service={service}"]
        filters = [part for label in labels for part in ("--filter", f"label={label}")]
        found = docker("ps", "-aq", *filters, "--filter", "label=com.docker.compose.oneoff=False").split()
        assert len(found) == 1, f"{service}: {found}"
        return found[0]

    def desks(self) -> list[str]:
        """Ids of this stack's running desks."""
        found = docker("ps", "-q", "--filter", "label=vitrine.desk").split()
        return [
            one
            for one in found
            if str(self.data) in docker("inspect", "--format", "{{json .HostConfig.Binds}}", one, check=False)
        ]

    def desk_name(self, desk: str) -> str:
        """The name of a desk's container; empty if it is gone."""
        return docker("inspect", "--format", "{{.Name}}", desk, check=False).strip()

    def desk_names(self) -> list[str]:
        """Names of this stack's running desks."""
        return [self.desk_name(one) for one in self.desks()]

    def in_desk(self, desk: str, *command: str) -> subprocess.CompletedProcess[str]:
        """A command inside a desk, as the researcher."""
        return subprocess.run(
            ["docker", "exec", "-u", "1000", "-w", "/home/researcher", desk, *command],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def sql(self, statements: str) -> str:
        """SQL in the stack's database, as somebody who can write it."""
        return docker(
            "exec", self.container("db"), "sh", "-c",
            'PGPASSWORD="$(cat /run/secrets/vitrine/db.password)" exec psql -h 127.0.0.1 -U vitrine '
            '-d vitrine -v ON_ERROR_STOP=1 -c "$0"',
            statements,
        )  # fmt: skip

    def kill(self, *services: str) -> None:
        """SIGKILL these services; they stay down until `start`."""
        for service in services:
            docker("update", "--restart=no", self.container(service))
            docker("kill", "--signal=KILL", self.container(service), check=False)

    def start(self, *services: str) -> None:
        """Start them again and wait until they are healthy."""
        for service in services:
            docker("update", "--restart=unless-stopped", self.container(service))
            docker("start", self.container(service))
        for service in services:
            wait_for(lambda s=service: self.health(s) == "healthy", 90, f"{service} healthy")  # type: ignore[misc]

    def health(self, service: str) -> str:
        return docker("inspect", "--format", "{{.State.Health.Status}}", self.container(service)).strip()

    def logins(self) -> dict[str, str]:
        """Passwords of the demo's people."""
        lines = (self.data / "secrets" / "demo-logins.txt").read_text().splitlines()
        return {line.split()[0]: line.split()[1] for line in lines if line.strip()}

    def audit(self, newest: int = 1000) -> list[dict[str, object]]:
        """The audit log, oldest first."""
        done = self.vitrine("audit", "show", "--newest", str(newest))
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]


def docker(*arguments: str, check: bool = True) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, timeout=120)
    if check and done.returncode:
        raise AssertionError(f"docker {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def wait_for(condition: Callable[[], object], seconds: float, what: str) -> float:
    """Wait until the condition holds; how long it took. Fails after so many seconds."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > seconds:
            pytest.fail(f"not within {seconds} s: {what}")
        time.sleep(0.1)
    return time.monotonic() - begun


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    data = Path(tempfile.mkdtemp(prefix="vitrine-stack-"))
    downloads = ROOT / "var" / "downloads"
    if downloads.is_dir():
        shutil.copytree(downloads, data / "downloads")
    port = _free_port()
    environment = {
        **os.environ,
        "VITRINE_HOST_DATA": str(data),
        "VITRINE_PROJECT": PROJECT,
        "VITRINE_PORT": str(port),
        "VITRINE_BIND": "127.0.0.1",
        "VITRINE_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "VITRINE_SIGNIN": "demo",
    }
    made = Stack(environment["VITRINE_PUBLIC_URL"], data, environment)
    try:
        made.script("demo.sh")
        yield made
        logs = REPORT / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        (logs / "services.log").write_text(made.compose("logs", "--no-color", "--timestamps"))
    finally:
        made.script("stack.sh", "down", check=False)
        shutil.rmtree(data, ignore_errors=True)


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Closed with its module: while it is open, no other test of this process can run an event loop."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    path = os.environ.get("VITRINE_CHROMIUM") or shutil.which("chromium")
    if not path:
        pytest.fail("no Chromium; `make test` installs it")
    launched = playwright.chromium.launch(
        executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    )
    yield launched
    launched.close()


def sign_in(browser: Browser, stack: Stack, username: str) -> tuple[BrowserContext, Page]:
    """A browser of their own, signed in through the Hub, at the portal's first page, in French."""
    context = browser.new_context(
        locale="fr-FR", viewport={"width": 1280, "height": 860}, accept_downloads=True
    )
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.goto(f"{stack.url}/services/portal/")
    page.fill("#username_input", username)
    page.fill("#password_input", stack.logins()[username])
    page.click("#login_submit")
    page.wait_for_url(f"{stack.url}/services/portal/**")
    return context, page


def shot(page: Page, name: str) -> None:
    """A screenshot into the test report."""
    folder = REPORT / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(folder / f"{name}.png"))
