"""Stock JupyterHub's side of `make bench-desk_open`."""

from __future__ import annotations

import html
import json
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import httpx
import yaml
from sides import (
    PERSON,
    ROOT,
    SCRIPT,
    TIER,
    Browser,
    DeskNotOpened,
    Side,
    containers,
    docker,
    found,
    free_port,
    run,
    until,
)

PARTS = Path(__file__).resolve().parent
HUB, NETWORK, STOCK_IMAGE = "vitrine-bench-hub", "vitrine-bench-stock", "vitrine-bench-stock"
STOCK_DESK = "vitrine-bench-desk"
# fmt: off
JUPYTERHUB = (
    "aiodns", "aiohappyeyeballs", "aiohttp", "aiosignal", "alembic", "annotated-types", "certipy",
    "cryptography", "frozenlist", "jupyterhub", "mako", "multidict", "oauthlib", "pamela", "propcache",
    "pycares", "pydantic", "pydantic-core", "sqlalchemy", "typing-inspection", "yarl",
)
# fmt: on
"""JupyterHub and what it needs that the desk's image does not have."""


def locked(lock: str, names: Iterable[str]) -> str:
    """These packages' part of a lock file, hashes and all."""
    entries = re.findall(r"^([a-z0-9-]+)(==[^\n]*(?:\n +--hash[^\n]*)+)", lock, flags=re.MULTILINE)
    known = {name: name + rest for name, rest in entries}
    return "\n".join(known[name].rstrip(" \\") for name in sorted(names)) + "\n"


def build_stock_image() -> None:
    arguments = run("bash", "-c", f'. "{ROOT}/scripts/images.sh"; build_arguments').split()
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(PARTS / "Dockerfile", folder)
        lock = (ROOT / "requirements" / "hub.lock").read_text()
        (Path(folder) / "requirements.txt").write_text(locked(lock, JUPYTERHUB))
        docker("build", "--quiet", "--tag", STOCK_IMAGE, *arguments, folder)


class Stock:
    """JupyterHub with DockerSpawner, `jupyterhub-singleuser` and its default extensions."""

    def __init__(self) -> None:
        self.port = free_port()

    def up(self) -> Side:
        build_stock_image()
        docker("network", "create", NETWORK)
        password = secrets.token_urlsafe(24)
        engine = os.environ.get("VITRINE_DOCKER_SOCKET", "/var/run/docker.sock")
        tier = yaml.safe_load((ROOT / "policies" / "tiers.yaml").read_text())["tiers"][TIER]
        environment = {
            "BENCH_HUB": HUB,
            "BENCH_IMAGE": STOCK_IMAGE,
            "BENCH_NETWORK": NETWORK,
            "BENCH_PREFIX": STOCK_DESK,
            "BENCH_MEMORY": str(tier["memory_bytes"]),
            "BENCH_CPUS": str(tier["cpus"]),
            "BENCH_PASSWORD": password,
        }
        docker(
            *("create", "--name", HUB, "--hostname", HUB, "--network", NETWORK, "--init", "--user", "0:0"),
            *("--publish", f"127.0.0.1:{self.port}:8000", "--workdir", "/srv"),
            *("--volume", f"{engine}:/var/run/docker.sock"),
            *(part for name in environment for part in ("--env", name)),
            *("vitrine-hub", "jupyterhub", "-f", "/srv/jupyterhub_config.py"),
            environment=environment,
        )
        docker("cp", str(PARTS / "jupyterhub_config.py"), f"{HUB}:/srv/jupyterhub_config.py")
        docker("start", HUB)
        self.browser = Browser(f"http://127.0.0.1:{self.port}")
        until(self._healthy, "stock JupyterHub answers")
        self.browser.sign_in("/hub/home", password)
        return Side("stock", self.open, self.close, self.browser)

    def _healthy(self) -> bool:
        try:
            return self.browser.client.get("/hub/health").status_code == 200
        except httpx.TransportError:
            return False

    def open(self) -> tuple[str, Callable[[], httpx.Response]]:
        page = self.browser.visit(f"/hub/spawn/{PERSON}")
        prefix = f"/user/{PERSON}/"
        if page.url.path.startswith(prefix):  # so fast that no page was needed
            return prefix, lambda: page
        stream = html.unescape(found(r'EventSource\("([^"]+)"\)', page.text)).replace("\\u0026", "&")
        with self.browser.client.stream("GET", stream, headers=SCRIPT) as events:
            events.raise_for_status()
            for line in events.iter_lines():
                event = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
                if event.get("failed"):
                    raise DeskNotOpened(f"stock: {event.get('message')}")
                if event.get("ready"):
                    return prefix, lambda: self.browser.visit(page.url.path)  # the page reloads itself
        raise DeskNotOpened("stock: the event stream ended before the server was ready")

    def close(self) -> None:
        path = f"/hub/api/users/{PERSON}"
        script = self.browser.script(path)
        self.browser.client.delete(f"{path}/server", headers=script).raise_for_status()

        def forgotten() -> bool:
            model = self.browser.client.get(path, headers=script).json()
            return not model.get("servers") and not model.get("pending")

        until(lambda: forgotten() and not containers(STOCK_DESK), "stock's desk is gone")

    def down(self) -> None:
        for name in (HUB, STOCK_DESK):
            docker("rm", "--force", "--volumes", *containers(name), check=False)
        docker("network", "rm", NETWORK, check=False)
        docker("image", "rm", "--force", STOCK_IMAGE, check=False)
