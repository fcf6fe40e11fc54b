"""A portal on real records, vault and checks; only the Hub is left out: a cookie names the person."""

from __future__ import annotations

import csv
import io
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx
import polars as pl
import uvicorn
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.testclient import TestClient

from hub.actions import people
from hub.actions.audits import verify_chain
from hub.actions.ports import Office
from hub.adapters.catalogue import FileCatalogue
from hub.adapters.vaults import FileVault
from hub.checks import Thresholds
from hub.documents.policies import load_policies
from hub.domain.lifecycle import PersonState
from hub.domain.permissions import Role
from hub.portal.app import create_app
from hub.portal.ports import Portal, SignedIn
from hub.portal.signin import form_token_of
from tests import factories

P = "/services/portal"
GATE_TOKEN = "g" * 40
PUBLIC_URL = "http://vitrine.test"
COOKIE = "test-person"
FORM = {
    "what": "Mean wage by age group",
    "population": "Working people of 18 to 64",
    "variables": "wage, age_group",
    "counts": "All cells above 30",
    "purpose": "Table 2 of the paper",
    "note": "",
}
TABLE = "age_group,n,mean_wage\n18-34,1204,31200.5\n35-49,1530,41877.1\n50-64,987,43310.9\n"


class CookieSignIn:
    """`SignIn` where the cookie is the user name, and an Authorization header says `token <name>`."""

    async def visitor(self, request: Request) -> SignedIn | None:
        header = request.headers.get("authorization")
        if header is not None:
            return SignedIn(header.removeprefix("token "), None)
        name = request.cookies.get(COOKIE)
        return SignedIn(name, form_token_of(f"session of {name}")) if name else None

    def begin(self, request: Request) -> Response:
        return RedirectResponse(f"/hub/login?next={request.url.path}", 302)

    async def complete(self, request: Request) -> Response:
        return RedirectResponse(f"{P}/", 302)

    async def close(self) -> None:
        """Nothing was opened."""


@dataclass
class Stage:
    """A portal and ways to visit it."""

    app: FastAPI
    portal: Portal
    folder: Path

    @property
    def office(self) -> Office:
        return self.portal.office

    def visit(self, username: str | None, language: str = "en") -> TestClient:
        """A browser in which this person is signed in (None: nobody)."""
        client = TestClient(
            self.app, base_url=PUBLIC_URL, follow_redirects=False, raise_server_exceptions=False
        )
        client.headers["accept-language"] = language
        client.headers["origin"] = PUBLIC_URL
        if username is not None:
            client.cookies.set(COOKIE, username)
        return client

    def post(self, who: str, path: str, /, **fields: object) -> httpx.Response:
        """Send a form as the portal's own pages do."""
        data = {"form_token": token_of(who), **fields}
        return self.visit(who).post(f"{P}{path}", data=data)

    def gate(self) -> TestClient:
        """The gate."""
        client = TestClient(self.app, base_url="http://portal:8080", raise_server_exceptions=False)
        client.headers.update({"authorization": f"Bearer {GATE_TOKEN}", "accept-language": "en"})
        return client

    def submit(self, session: str, *files: tuple[str, bytes], **form: object) -> str:
        """A submission through the gate's door; answers its id."""
        answer = self.gate().post(
            f"/internal/sessions/{session}/submissions", files=parts({**FORM, **form}, *files)
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def ticks(self, submission: str) -> dict[str, list[str]]:
        """The ticks of an approval: what was judged, and every control."""
        grounds = factories.grounds(self.office, submission)
        return {"judged": sorted(grounds.judged), "control": sorted(grounds.confirmed)}

    def approve(self, submission: str) -> None:
        """Both checkers approve."""
        for checker in ("chloe", "denis"):
            answer = self.post(
                checker, f"/review/{submission}/vote", decision="approve", **self.ticks(submission)
            )
            assert answer.status_code == 303, answer.body


def token_of(username: str) -> str:
    """What the forms of this person's session carry."""
    return form_token_of(f"session of {username}")


def parts(form: object, *files: tuple[str, bytes]) -> list[tuple[str, tuple[str | None, bytes]]]:
    """The parts of an upload: the form first, then the files."""
    body = json.dumps(form).encode() if not isinstance(form, bytes) else form
    return [("form", (None, body)), *(("file", (name, content)) for name, content in files)]


def make_stage(folder: Path, *, clock: object = None, filled: bool = True) -> Stage:
    """A portal whose clock stands at factories.NOW, with everybody of factories.PEOPLE and two projects:
    ana's `wages` and rosa's `health`."""
    office = factories.make_office(folder)
    policies = load_policies(factories.ROOT / "policies")
    vault = FileVault(folder / "vault")
    vault.clear_staging()
    documents = FileVault(folder / "documents")
    documents.clear_staging()
    portal = Portal(
        office=office,
        vault=vault,
        documents=documents,
        catalogue=FileCatalogue(folder / "catalogue"),
        extracts=folder / "extracts",
        meters=folder / "meters",
        sign_in=CookieSignIn(),
        gate_token=GATE_TOKEN,
        public_url=PUBLIC_URL,
        thresholds=Thresholds.of(policies.outputs, max_bytes=policies.submissions.max_bytes),
        verify_chain=lambda: verify_chain(office.units, factories.KEY),
        tiers={tier.value: limits.title for tier, limits in policies.tiers.tiers.items()},
        roles={name: role.title for name, role in policies.roles.roles.items()},
        schemes=policies.classes,
        clock=clock or (lambda: factories.NOW),  # type: ignore[arg-type]  # a test's clock
    )
    if filled:
        fill(office)
        for slug, person in (("wages", "ana"), ("health", "rosa")):
            factories.add_project(office, slug, people=[person], title=f"Project {slug}")
            write_extract(folder / "extracts" / slug / "v1")
    return Stage(create_app(portal), portal, folder)


def fill(office: Office, now: datetime = factories.NOW) -> None:
    """Everybody of factories.PEOPLE, and a suspended researcher `sam`."""
    factories.fill(office, now=now)
    people.add_person(
        office,
        username="sam",
        name="Sam",
        email="sam@example.org",
        roles=frozenset(Role),
        by=factories.SYSTEM,
        now=now,
    )
    people.set_person_state(office, username="sam", state=PersonState.SUSPENDED, by=factories.SYSTEM, now=now)


def write_extract(folder: Path) -> None:
    """A small extract."""
    folder.mkdir(parents=True, exist_ok=True)
    pl.DataFrame({"wage": [float(n) * 7.3 for n in range(200)], "age": list(range(200))}).write_parquet(
        folder / "data.parquet"
    )


def table(rows: int) -> bytes:
    """A CSV with this many rows."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["group", "n", "mean"])
    for n in range(rows):
        writer.writerow([f"g{n}", 100 + n, f"{n * 1.5:.1f}"])
    return out.getvalue().encode()


def form_tokens(page: str) -> list[str]:
    """The form tokens in a page."""
    return re.findall(r'name="form_token" value="([0-9a-f]+)"', page)


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """The address of the portal on a socket of this machine, for a browser."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(20)
