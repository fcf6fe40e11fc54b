"""Every route × every kind of visitor, against the table below. A route that is not in the table fails.

All act on ana's project `wages` and ana's submissions, so *own* and *foreign* are columns: ana is the
author, mia a colleague in the same project, rosa a researcher of another one, cora a checker who is a
member of the project.
"""

from __future__ import annotations

import dataclasses
import io
import shutil
from datetime import date
from pathlib import Path

import pytest
from PIL import Image
from starlette.routing import Mount

from hub.actions import conditions, people, publications
from hub.domain.permissions import Role
from hub.portal.permissions import declared_access
from tests import factories, requests
from tests.integration.portal.stage import TABLE, P, Stage, make_stage, token_of
from tests.unit.checks.samples import pdf

CSV = TABLE.encode()
VISITORS = {
    "nobody": None,
    "unknown": "zoe",
    "suspended": "sam",
    "author": "ana",
    "colleague": "mia",
    "foreign": "rosa",
    "checker": "chloe",
    "insider": "cora",
    "admin": "bob",
    "auditor": "eve",
}
OFFICE = "author colleague foreign checker insider admin auditor"
MEMBERS = "author colleague insider"
RESEARCHERS = "author colleague foreign insider"
READERS = "author colleague checker insider admin auditor"  # who may see the project
PUBLIC = "nobody unknown suspended " + OFFICE

# "METHOD path" → the status that those named get; everybody else is refused.
MATRIX: dict[str, dict[int, str]] = {
    "GET /health": {200: PUBLIC},
    f"GET {P}/health": {200: PUBLIC},
    f"GET {P}/oauth_callback": {302: PUBLIC},
    f"MOUNT {P}/static": {200: PUBLIC},
    f"GET {P}/": {200: OFFICE},
    f"GET {P}": {200: OFFICE},
    f"GET {P}/projects": {200: OFFICE},
    f"GET {P}/projects/{{slug}}": {200: READERS},
    f"GET {P}/projects/{{slug}}/extract": {200: READERS},
    f"GET {P}/projects/{{slug}}/desk": {200: MEMBERS},
    f"POST {P}/projects/{{slug}}/desk": {303: MEMBERS},
    f"POST {P}/projects/{{slug}}/desk/stop": {303: f"{MEMBERS} admin"},
    f"GET {P}/submissions": {200: "author colleague foreign checker insider auditor"},
    f"GET {P}/submissions/{{id}}": {200: "author checker insider auditor"},
    f"POST {P}/submissions/{{id}}/withdraw": {303: "author"},
    f"GET {P}/submissions/{{id}}/files/{{n}}": {200: "checker auditor"},
    f"GET {P}/submissions/{{id}}/files/{{n}}/image/{{k}}": {200: "checker auditor"},
    f"GET {P}/submissions/{{id}}/files/{{n}}/download": {200: "author"},
    f"GET {P}/api/submissions/{{id}}/files/{{n}}/download": {200: "author"},
    # Output checking: record, key, remarks, figures, publications
    f"GET {P}/submissions/{{id}}/record": {200: "author checker insider auditor"},
    f"GET {P}/api/submissions/{{id}}/record": {200: "author checker insider auditor"},
    f"GET {P}/submissions/{{id}}/files/{{n}}/original": {200: "auditor"},
    f"GET {P}/submissions/{{id}}/files/{{n}}/rewritten": {200: "auditor"},
    f"GET {P}/api/submissions/{{id}}/files/{{n}}/original": {200: "auditor"},
    f"GET {P}/api/submissions/{{id}}/files/{{n}}/rewritten": {200: "auditor"},
    f"GET {P}/release-key": {200: PUBLIC},
    f"POST {P}/review/{{id}}/comments": {303: "checker"},
    f"GET {P}/api/review/{{id}}/comments": {200: "checker"},
    f"POST {P}/api/review/{{id}}/comments": {201: "checker"},
    f"GET {P}/review/statistics": {200: "checker insider admin auditor"},
    f"GET {P}/api/review-statistics": {200: "checker insider admin auditor"},
    f"GET {P}/publications": {200: PUBLIC},
    f"GET {P}/api/publications": {200: OFFICE},
    f"GET {P}/api/publications/{{id}}": {200: READERS},
    f"GET {P}/api/publications/{{id}}/file": {200: READERS},
    f"POST {P}/api/publications/{{id}}/vote": {200: "checker"},
    f"GET {P}/manuscripts": {200: OFFICE},
    f"GET {P}/manuscripts/new": {200: RESEARCHERS},
    f"POST {P}/manuscripts/new": {422: RESEARCHERS},
    f"GET {P}/manuscripts/{{id}}": {200: READERS},
    f"GET {P}/manuscripts/{{id}}/file": {200: READERS},
    f"GET {P}/manuscripts/{{id}}/pages/{{n}}": {200: READERS},
    f"POST {P}/manuscripts/{{id}}/vote": {303: "checker"},
    f"POST {P}/manuscripts/{{id}}/withdraw": {303: "author"},
    f"GET {P}/requests": {200: "author colleague foreign insider admin auditor"},
    f"GET {P}/requests/new": {200: RESEARCHERS},
    f"POST {P}/requests/new": {303: RESEARCHERS},
    f"GET {P}/requests/{{id}}": {200: "author colleague admin auditor"},
    f"GET {P}/requests/{{id}}/edit": {303: "author colleague"},  # it is sent: to the page that says so
    f"POST {P}/requests/{{id}}/edit": {409: "author colleague"},
    f"GET {P}/requests/{{id}}/differences": {200: "author colleague admin auditor"},
    f"GET {P}/requests/{{id}}/versions/{{n}}/request.yaml": {200: "author colleague admin auditor"},
    f"GET {P}/requests/{{id}}/estimate": {200: "author colleague admin auditor"},
    f"POST {P}/requests/{{id}}/estimate": {303: "author colleague admin"},
    f"POST {P}/requests/{{id}}/send": {409: "author colleague"},
    f"POST {P}/requests/{{id}}/withdraw": {303: "author", 409: "colleague"},
    f"POST {P}/requests/{{id}}/remarks": {303: "author colleague admin"},
    f"GET {P}/requests/{{id}}/review": {200: "admin"},
    f"POST {P}/requests/{{id}}/review": {303: "admin"},
    f"POST {P}/requests/{{id}}/conditions": {303: "admin"},
    f"POST {P}/requests/{{id}}/conditions/{{k}}/revoke": {303: "admin"},
    f"GET {P}/requests/{{id}}/conditions/{{k}}/file": {200: "admin auditor"},
    f"POST {P}/requests/{{id}}/provision": {409: "admin"},
    f"POST {P}/requests/{{id}}/reopen": {422: "admin"},  # gives no reason
    f"POST {P}/requests/{{id}}/risk": {404: "admin"},
    f"GET {P}/requests/{{id}}/risk/{{n}}/{{name}}.svg": {404: "admin auditor"},
    f"GET {P}/api/requests": {200: "author colleague foreign insider admin auditor"},
    f"POST {P}/api/requests": {201: RESEARCHERS},
    f"GET {P}/api/requests/{{id}}": {200: "author colleague admin auditor"},
    f"POST {P}/api/requests/{{id}}": {422: "author colleague"},  # says no base version
    f"POST {P}/api/requests/{{id}}/send": {409: "author colleague"},
    f"POST {P}/api/requests/{{id}}/withdraw": {200: "author", 409: "colleague"},
    f"POST {P}/api/requests/{{id}}/estimate": {200: "author colleague admin"},
    f"POST {P}/api/requests/{{id}}/review": {200: "admin"},
    f"POST {P}/api/requests/{{id}}/conditions": {201: "admin"},
    f"POST {P}/api/requests/{{id}}/reopen": {422: "admin"},
    f"POST {P}/api/requests/{{id}}/risk": {404: "admin"},
    f"POST {P}/api/requests/{{id}}/provision": {409: "admin"},
    f"GET {P}/api/requests/{{id}}/progress": {200: "author colleague admin auditor"},
    f"GET {P}/review": {200: "checker insider"},
    f"GET {P}/review/{{id}}": {200: "checker"},
    f"GET {P}/review/{{id}}/files/{{n}}/image/{{k}}": {200: "checker"},
    f"POST {P}/review/{{id}}/vote": {303: "checker"},
    f"GET {P}/admin/projects": {200: "admin"},
    f"GET {P}/admin/projects/new": {200: "admin"},
    f"POST {P}/admin/projects/new": {303: "admin"},
    f"POST {P}/admin/projects/{{slug}}/suspend": {303: "admin"},
    f"POST {P}/admin/projects/{{slug}}/resume": {409: "admin"},
    f"POST {P}/admin/projects/{{slug}}/end": {303: "admin"},
    f"POST {P}/admin/projects/{{slug}}/move-end": {303: "admin"},
    f"POST {P}/admin/projects/{{slug}}/retry-extract": {409: "admin"},
    f"POST {P}/admin/projects/{{slug}}/renew-pseudonyms": {303: "admin"},
    f"POST {P}/admin/projects/{{slug}}/refresh-extract": {303: "admin"},
    f"POST {P}/api/projects/{{slug}}/refresh-extract": {200: "admin"},
    f"GET {P}/admin/people": {200: "admin auditor"},
    f"POST {P}/admin/people": {303: "admin"},
    f"POST {P}/admin/people/{{username}}/suspend": {303: "admin"},
    f"POST {P}/admin/people/{{username}}/readmit": {409: "admin"},
    f"GET {P}/admin/sources": {200: "admin auditor"},
    f"GET {P}/audit": {200: "auditor"},
    f"GET {P}/dictionary": {200: PUBLIC},
    f"GET {P}/dictionary/{{source}}": {200: PUBLIC},
    f"GET {P}/dictionary/{{source}}/table-schema.json": {200: PUBLIC},
    f"GET {P}/dictionary/{{source}}/ddi.xml": {200: PUBLIC},
    f"GET {P}/dictionary/{{source}}/dcat.jsonld": {200: PUBLIC},
    f"GET {P}/api/openapi.json": {200: OFFICE},
    f"GET {P}/api/me": {200: OFFICE},
    f"GET {P}/api/projects": {200: OFFICE},
    f"POST {P}/api/projects": {201: "admin"},
    f"GET {P}/api/projects/{{slug}}": {200: READERS},
    f"GET {P}/api/projects/{{slug}}/desk": {200: MEMBERS},
    f"POST {P}/api/projects/{{slug}}/desk": {202: MEMBERS},
    f"POST {P}/api/projects/{{slug}}/desk/stop": {200: f"{MEMBERS} admin"},
    f"POST {P}/api/projects/{{slug}}/suspend": {200: "admin"},
    f"POST {P}/api/projects/{{slug}}/resume": {409: "admin"},
    f"POST {P}/api/projects/{{slug}}/end": {200: "admin"},
    f"POST {P}/api/projects/{{slug}}/move-end": {200: "admin"},
    f"GET {P}/api/submissions": {200: "author colleague foreign checker insider auditor"},
    f"GET {P}/api/submissions/{{id}}": {200: "author checker insider auditor"},
    f"POST {P}/api/submissions/{{id}}/withdraw": {200: "author"},
    f"GET {P}/api/review": {200: "checker insider"},
    f"GET {P}/api/review/{{id}}": {200: "checker"},
    f"GET {P}/api/review/{{id}}/files/{{n}}/differences": {200: "checker"},
    f"GET {P}/api/review/{{id}}/files/{{n}}": {200: "checker"},
    f"GET {P}/api/review/{{id}}/files/{{n}}/image/{{k}}": {200: "checker"},
    f"POST {P}/api/review/{{id}}/vote": {200: "checker"},
    f"GET {P}/api/audit": {200: "auditor"},
    "GET /internal/sessions/{sid}": {},
    "GET /internal/sessions/{sid}/submissions": {},
    "POST /internal/sessions/{sid}/submissions": {},
    "POST /internal/sessions/{sid}/prechecks": {},
    "POST /internal/sessions/{sid}/submissions/{id}/withdraw": {},
}
PROJECT_FORM = {
    "slug": "new-one",
    "title": "New",
    "kind": "open-data",
    "purpose": "To test.",
    "people": "ana",
    "tier": "open",
    "starts_at": "2026-03-01",
    "ends_at": "2026-12-31",
    "extract.source": "cps",
    "extract.columns": "wage",
}
PROJECT_DOCUMENT = {
    **{
        name: PROJECT_FORM[name]
        for name in ("slug", "title", "kind", "purpose", "tier", "starts_at", "ends_at")
    },
    "people": ["ana"],
    "extract": {"source": "cps", "columns": ["wage"]},
}
FORMS: dict[str, dict[str, str]] = {
    f"POST {P}/admin/projects/new": PROJECT_FORM,
    f"POST {P}/admin/projects/{{slug}}/move-end": {"ends_at": "2026-11-30T17:00:00"},
    f"POST {P}/admin/projects/{{slug}}/retry-extract": {"version": "1"},
    f"POST {P}/admin/projects/{{slug}}/renew-pseudonyms": {"reason": "Some leaked."},
    f"POST {P}/admin/people": {
        "username": "new",
        "name": "New",
        "email": "n@example.org",
        "roles": "auditor",
    },
    f"POST {P}/review/{{id}}/vote": {"decision": "return", "comment": "Group the cells."},
    f"POST {P}/review/{{id}}/comments": {"text": "Look at row 3."},
    f"POST {P}/manuscripts/{{id}}/vote": {"decision": "approve"},
    f"POST {P}/requests/{{id}}/remarks": {"text": "A word."},
    f"POST {P}/requests/{{id}}/review": {"version": "1", "verdict.pay.sex": "accept"},
    f"POST {P}/requests/{{id}}/conditions": {"need": "licence:", "document": "CC0", "dated": "2026-01-01"},
    f"POST {P}/requests/{{id}}/risk": {"version": "1", "choice": "proceed", "reason": "Yes."},
}
BODIES: dict[str, dict[str, object]] = {
    f"POST {P}/api/projects": PROJECT_DOCUMENT,
    f"POST {P}/api/projects/{{slug}}/move-end": {"ends_at": "2026-11-30T17:00:00Z"},
    f"POST {P}/api/requests": {"title": "Mine"},
    f"POST {P}/api/requests/{{id}}/review": {
        "version": 1,
        "verdicts": [{"about": "pay.sex", "verdict": "accept"}],
    },
    f"POST {P}/api/requests/{{id}}/conditions": {
        "condition": "licence",
        "document": "CC0",
        "dated": "2026-01-01",
    },
    f"POST {P}/api/requests/{{id}}/risk": {"version": 1, "choice": "proceed", "reason": "Yes."},
    f"POST {P}/api/publications/{{id}}/vote": {"decision": "APPROVE"},
    f"POST {P}/api/review/{{id}}/vote": {"decision": "RETURN", "comment": "Group the cells."},
    f"POST {P}/api/review/{{id}}/comments": {"file": 0, "text": "Look at row 3.", "place": {"row": 2}},
}


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A stage's folder with a waiting and a released submission of ana, to be copied for each route."""
    folder = tmp_path_factory.mktemp("furnished")
    stage = make_stage(folder)
    stage.portal.catalogue.publish(requests.dictionary())
    for username, roles in (("mia", {Role.RESEARCHER}), ("cora", {Role.RESEARCHER, Role.CHECKER})):
        people.add_person(
            stage.office,
            username=username,
            name=username.title(),
            email="",
            roles=frozenset(roles),
            by=factories.SYSTEM,
            now=factories.NOW,
        )
    with stage.office.units.write() as unit:
        project = unit.projects.get("wages")
        assert project is not None
        unit.projects.save(dataclasses.replace(project, members=frozenset({"ana", "mia", "cora"})))
        unit.record(by=factories.SYSTEM, action="test.members", object="project:wages", now=factories.NOW)
    _add_request(stage)
    session = factories.open_session(stage.office).session.id
    png = _png()
    released = stage.submit(session, ("released.csv", CSV))
    stage.approve(released)
    waiting = stage.submit(session, ("figure.png", png))
    manuscript = publications.register_publication(
        stage.office,
        stage.portal.vault,
        new=publications.NewPublication("wages", "Project wages", "Ana", "Review", True, [released]),
        manuscript=publications.Manuscript("paper.pdf", pdf("Mean wage")),
        by=factories.actor("ana"),
        now=factories.NOW,
    )
    return folder, {
        "sid": session,
        "released": released,
        "waiting": waiting,
        "manuscript": manuscript.id,
    }


def _add_request(stage: Stage) -> None:
    """A sent request of ana that names mia too, with a recorded condition."""
    line = (
        '  - {username: ana, institution: "Université du Luxembourg", expertise: "Dix ans d’économétrie."}\n'
    )
    made = requests.sent(
        stage.office, stage.portal.catalogue, requests.TEXT.replace(line, line + line.replace("ana", "mia"))
    )
    with stage.portal.documents.receive() as arrival:
        file = arrival.open(0)
        file.write(b"%PDF-1.7 licence")
        sha256 = arrival.freeze(file)
    conditions.record_condition(
        stage.office,
        request_id=made.id,
        condition="licence",
        about="",
        paper=conditions.Paper(
            "Licence", date(2026, 1, 1), attachment=conditions.Attachment("licence.pdf", sha256, 16)
        ),
        by=factories.actor("bob"),
        now=factories.NOW,
    )


def _png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "navy").save(out, "PNG")
    return out.getvalue()


def _routes(stage: Stage) -> list[str]:
    found = []
    for route in stage.app.routes:
        if isinstance(route, Mount):
            found.append(f"MOUNT {route.path}")
        else:
            found += [f"{method} {route.path}" for method in sorted(route.methods)]  # type: ignore[attr-defined]
    return found


def test_the_table_has_every_route_and_no_other(
    furnished: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    stage = make_stage(tmp_path, filled=False)
    assert sorted(_routes(stage)) == sorted(MATRIX)
    assert all(declared_access(route) is not None for route in stage.app.routes)


# What the checker's pages do, and the API's way to the same.
PAGES_AND_API = {
    f"GET {P}/review": f"GET {P}/api/review",
    f"GET {P}/review/{{id}}": f"GET {P}/api/review/{{id}}",
    f"GET {P}/review/{{id}}/files/{{n}}/image/{{k}}": f"GET {P}/api/review/{{id}}/files/{{n}}/image/{{k}}",
    f"GET {P}/review/statistics": f"GET {P}/api/review-statistics",
    f"POST {P}/review/{{id}}/vote": f"POST {P}/api/review/{{id}}/vote",
    f"POST {P}/review/{{id}}/comments": f"POST {P}/api/review/{{id}}/comments",
}


def test_whatever_a_checker_does_on_a_page_can_be_done_by_api() -> None:
    pages = {route for route in MATRIX if route.split(" ")[1].startswith(f"{P}/review")}
    assert pages == set(PAGES_AND_API)
    for page, api in PAGES_AND_API.items():
        who = [set(" ".join(statuses.values()).split()) for statuses in (MATRIX[page], MATRIX[api])]
        assert who[0] == who[1], page


def _address(route: str, ids: dict[str, str]) -> tuple[str, str]:
    method, _, path = route.partition(" ")
    if method == "MOUNT":
        return "GET", f"{path}/portal.css"
    if path.startswith((f"{P}/requests/", f"{P}/api/requests/")):
        return method, path.format(id="r1", n=1, k=1, name="k")
    submission = ids["released"] if path.endswith(("/download", "/record")) else ids["waiting"]
    if "/manuscripts/" in path or "/api/publications/" in path:
        submission = ids["manuscript"]
    return method, path.format(
        slug="wages",
        source="register",
        id=submission,
        n=1 if "/pages/" in path else 0,
        k=0,
        username="denis",
        sid=ids["sid"],
    )


def _refused(route: str, method: str, visitor: str) -> set[int]:
    if route.split(" ")[1].startswith("/internal/"):
        return {403}
    if visitor == "nobody":
        return {302} if method == "GET" and "/api/" not in route else {401}
    return {403}


@pytest.mark.parametrize("route", MATRIX)
def test_who_may_what(route: str, furnished: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    folder, ids = furnished
    shutil.copytree(folder, tmp_path / "office")
    stage = make_stage(tmp_path / "office", filled=False)
    expected = {name: status for status, names in MATRIX[route].items() for name in names.split()}
    assert set(expected) <= set(VISITORS)
    method, path = _address(route, ids)
    seen: dict[str, int] = {}
    wanted: dict[str, int] = {}
    for visitor, username in VISITORS.items():
        client = stage.visit(username)
        if method == "POST" and route in BODIES:
            headers = {"x-vitrine-form": token_of(username or "")}
            answer = client.post(path, json=BODIES[route], headers=headers)
        elif method == "POST":
            answer = client.post(path, data={"form_token": token_of(username or ""), **FORMS.get(route, {})})
        else:
            answer = client.get(path)
        seen[visitor] = answer.status_code
        refused = _refused(route, method, visitor)
        wanted[visitor] = expected.get(visitor, min(refused))
        if visitor not in expected:
            for told in (b"Project wages", b"Mean wage", b"43310.9", b"figure.png", b"salarial"):
                assert told not in answer.content, visitor
    assert seen == wanted
