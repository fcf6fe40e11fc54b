"""Home, desks, administration, audit: what each page says, and how refusals look."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from sqlalchemy import text

from hub.actions import extracts, projects, sessions
from hub.domain.errors import Refused
from hub.domain.lifecycle import ExtractState
from hub.portal.app import create_app
from hub.portal.edges import HEADERS
from tests import factories
from tests.integration.portal.stage import P, Stage, make_stage, token_of


def told(stage: Stage, username: str, path: str) -> dict[str, object]:
    answer = stage.visit(username).get(f"{P}/api{path}", headers={"x-vitrine-form": token_of(username)})
    assert answer.status_code == 200
    return dict(answer.json())


# Who is let in at all


@pytest.mark.parametrize(
    ("username", "code", "sentence"),
    [
        ("zoe", "unknown_here", "ne vous connaît pas"),
        ("sam", "person_suspended", "Votre accès est suspendu"),
    ],
)
def test_who_is_signed_in_but_not_let_in_is_told_why(
    stage: Stage, username: str, code: str, sentence: str
) -> None:
    answer = stage.visit(username, "fr").get(f"{P}/")
    assert answer.status_code == 403
    assert f'data-code="{code}"' in answer.text
    assert sentence in answer.text


def test_nobody_is_sent_to_sign_in_and_programs_are_told(stage: Stage) -> None:
    client = stage.visit(None)
    answer = client.get(f"{P}/projects/wages")
    assert (answer.status_code, answer.headers["location"]) == (302, f"/hub/login?next={P}/projects/wages")
    assert client.get(f"{P}/api/me").json()["error"]["code"] == "sign_in_needed"
    assert client.post(f"{P}/projects/wages/desk").status_code == 401


def test_one_who_may_see_only_their_own_learns_nothing_of_what_exists(stage: Stage) -> None:
    known, unknown = (stage.visit("rosa").get(f"{P}/projects/{slug}") for slug in ("wages", "no-such"))
    assert known.status_code == unknown.status_code == 403
    assert known.text.replace("wages", "no-such") == unknown.text
    assert stage.visit("bob").get(f"{P}/projects/no-such").status_code == 404


# Every answer


@pytest.mark.parametrize("path", ["/", "/api/me", "/no-such-page", "/static/portal.css", "/health"])
def test_security_headers_are_on_every_answer(stage: Stage, path: str) -> None:
    answer = stage.visit("ana").get(f"{P}{path}")
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    static = path.startswith("/static/")
    assert answer.headers["cache-control"] == ("public, max-age=3600" if static else "no-store")


@pytest.mark.parametrize("username", ["ana", "bob", "chloe", "eve"])
def test_no_page_needs_what_its_policy_forbids(stage: Stage, username: str) -> None:
    client = stage.visit(username)
    for path in ("/", "/projects/wages", "/submissions", "/review", "/admin/projects/new", "/audit"):
        page = client.get(f"{P}{path}").text
        assert " style=" not in page
        assert "<style" not in page
        assert " onclick=" not in page
        assert page.count("<script") == page.count('<script src="/services/portal/static/portal.js" defer>')


def test_the_language_is_the_browser_s_and_can_be_changed(stage: Stage) -> None:
    client = stage.visit("ana", "de-DE,fr;q=0.4,en;q=0.7")
    assert '<html lang="en">' in client.get(f"{P}/").text
    assert '<html lang="fr">' in stage.visit("ana", "de").get(f"{P}/").text
    answer = client.get(f"{P}/?lang=fr")
    assert '<html lang="fr">' in answer.text
    assert "httponly" in answer.headers["set-cookie"].lower()
    assert '<html lang="fr">' in client.get(f"{P}/projects/wages").text
    assert '<html lang="fr">' in client.get(f"{P}/?lang=%3Cb%3E").text


def test_an_unknown_error_shows_a_number_and_logs_no_data(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    with stage.office.units.engine.begin() as connection:  # type: ignore[attr-defined]  # the adapter's
        connection.execute(text("DROP TABLE submitted_files"))
        connection.execute(text("DROP TABLE submissions"))
    answer = stage.visit("ana", "fr").get(f"{P}/projects/wages?secret=4711")
    assert answer.status_code == 500
    assert "Veuillez communiquer ce numéro" in answer.text
    assert "submissions" not in answer.text.replace(f"{P}/submissions", "")
    assert "error" in caplog.text
    assert "4711" not in caplog.text
    assert "wages" not in caplog.text


def test_a_form_that_is_too_large_is_refused(stage: Stage) -> None:
    answer = stage.visit("bob").post(f"{P}/admin/projects/new", data={"title": "x" * 3_000_000})
    assert answer.status_code == 413


# Desks


def test_the_home_page_says_why_a_desk_is_closed(stage: Stage) -> None:
    page = stage.visit("ana", "fr").get(f"{P}/").text
    assert 'data-testid="open-desk-wages"' in page
    assert "10 jours restants" in page
    assert "open-desk-health" not in page
    projects.end_project(stage.office, slug="wages", by=factories.actor("bob"), now=factories.NOW)
    page = stage.visit("ana", "fr").get(f"{P}/").text
    assert "open-desk-wages" not in page
    assert 'data-testid="closed-reason" data-reason="project_ended"' in page
    assert "Ce projet est terminé" in page
    answer = stage.post("ana", "/projects/wages/desk")
    assert answer.status_code == 403


def test_opening_a_desk_shows_how_far_it_is_and_leads_there(stage: Stage) -> None:
    old = factories.open_session(stage.office).session.id
    sessions.end_session(
        stage.office, session_id=old, reason="stopped", by=factories.SYSTEM, now=factories.NOW
    )
    answer = stage.post("ana", "/projects/wages/desk")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{P}/projects/wages/desk?after={old}"
    assert stage.office.desks.calls == [("start", "ana", "wages")]  # type: ignore[attr-defined]
    poll = f"/projects/wages/desk?after={old}"
    assert told(stage, "ana", poll)["state"] == "none"
    grant = sessions.grant_session(stage.office, slug="wages", by=factories.actor("ana"), now=factories.NOW)
    assert told(stage, "ana", poll)["state"] == "granted"
    sessions.start_session(
        stage.office, session_id=grant.session.id, container="c", by=factories.SYSTEM, now=factories.NOW
    )
    running = told(stage, "ana", poll)
    assert (running["state"], running["url"]) == ("running", "/user/ana/wages/lab")
    assert "data-poll=" in stage.visit("ana").get(f"{P}{poll}").text
    stage.post("ana", "/projects/wages/desk/stop")
    assert stage.office.desks.calls[-1] == ("stop", "ana", "wages")  # type: ignore[attr-defined]
    ended = told(stage, "ana", poll)
    assert (ended["state"], ended["reason"]) == ("ended", "stopped")


def test_a_desk_that_could_not_open_says_so_and_tells_the_admin_the_cause(stage: Stage) -> None:
    grant = sessions.grant_session(stage.office, slug="wages", by=factories.actor("ana"), now=factories.NOW)
    sessions.end_session(
        stage.office,
        session_id=grant.session.id,
        reason="start_failed",
        by=factories.SYSTEM,
        now=factories.NOW,
        details={"cause": "ImageNotFound", "message": "the desk's image is missing"},
    )
    poll = told(stage, "ana", "/projects/wages/desk")
    assert (poll["state"], poll["reason"]) == ("ended", "start_failed")
    assert "the desk's image" not in stage.visit("ana").get(f"{P}/projects/wages").text
    assert "the desk&#39;s image is missing" in stage.visit("bob").get(f"{P}/projects/wages").text


def test_a_hub_that_does_not_answer_is_told_in_words(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(username: str, project: str) -> None:
        raise Refused("hub_unreachable", "The desk service does not answer.", "Le service ne répond pas.")

    monkeypatch.setattr(stage.office.desks, "start", unreachable)
    answer = stage.post("ana", "/projects/wages/desk")
    assert answer.status_code == 503
    assert "The desk service does not answer." in answer.text  # type: ignore[attr-defined]
    assert 'data-testid="desk-again"' in answer.text  # type: ignore[attr-defined]


def test_nobody_closes_the_desk_of_a_colleague(stage: Stage) -> None:
    factories.add_project(stage.office, "both", people=["ana", "rosa"])
    session = factories.open_session(stage.office, "both", "rosa").session.id
    assert stage.post("ana", "/projects/both/desk/stop", username="rosa").status_code == 403
    with stage.office.units.read() as unit:
        kept = unit.sessions.get(session)
        assert kept is not None
        assert kept.ended_at is None
    assert stage.post("bob", "/projects/both/desk/stop", username="rosa").status_code == 303


# Administration

GOOD = {
    "slug": "new-one",
    "title": "A new one",
    "kind": "open-data",
    "purpose": "To test.",
    "people": "ana",
    "tier": "open",
    "starts_at": "2026-03-02",
    "ends_at": "2026-12-31",
    "extract.source": "cps",
    "extract.columns": "wage",
}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"slug": "Not A Slug"}, "slug"),
        ({"slug": "wages"}, "slug"),
        ({"title": ""}, "title"),
        ({"kind": ""}, "kind"),
        ({"kind": "bcss-deliberation"}, "kind"),
        ({"purpose": ""}, "purpose"),
        ({"people": ""}, "people"),
        ({"people": "nobody"}, "people"),
        ({"tier": "sealed"}, "tier"),
        ({"tier": "made-up"}, "tier"),
        ({"starts_at": ""}, "starts_at"),
        ({"ends_at": "2026-03-01"}, "ends_at"),
        ({"starts_at": "2026-01-01", "ends_at": "2026-02-01"}, "ends_at"),
        ({"ends_at": "2026-02-31"}, "ends_at"),
        ({"extract.source": ""}, "extract.source"),
        ({"extract.source": "other"}, "extract.source"),
        ({"extract.columns": ""}, "extract.columns"),
        ({"extract.columns": "wage wage"}, "extract.columns"),
        ({"extract.columns": "wage, salary"}, "extract.columns"),
        ({"extract.columns": "name"}, "extract.columns"),
        ({"extract.filter": "{field: wage"}, "extract.filter"),
        ({"extract.filter": "{field: wage, operator: like, values: [1]}"}, "extract.filter"),
        ({"document": "slug: x\nslug: y\n"}, "document"),
    ],
)
def test_a_wrong_project_is_refused_beside_its_field(
    stage: Stage, changes: dict[str, str], field: str
) -> None:
    answer = stage.post("bob", "/admin/projects/new", **{**GOOD, **changes})
    page = answer.text  # type: ignore[attr-defined]
    assert answer.status_code in (404, 409, 422)
    assert f'id="error-{field}"' in page
    assert page.count('id="error-') == 1
    if "title" not in changes:
        assert 'value="A new one"' in page
    with stage.office.units.read() as unit:
        assert len(unit.projects.find()) == 2


def test_a_project_from_the_form_and_one_from_a_file_are_the_same(stage: Stage) -> None:
    condition = "{field: wage, operator: between, values: [0, 100]}"
    answer = stage.post("bob", "/admin/projects/new", **GOOD, **{"extract.filter": condition})
    assert answer.headers["location"] == f"{P}/projects/new-one?done=project_created"
    document = (
        "slug: by-file\ntitle: A new one\nkind: open-data\npurpose: To test.\npeople: [ana]\ntier: open\n"
        "starts_at: 2026-03-02\nends_at: 2026-12-31\n"
        f"extract:\n  source: cps\n  columns: [wage]\n  filter: {condition}\n"
    )
    data = {"form_token": token_of("bob")}
    files = {"document": ("project.yaml", document.encode())}
    assert stage.visit("bob").post(f"{P}/admin/projects/new", data=data, files=files).status_code == 303
    with stage.office.units.read() as unit:
        form, file = unit.projects.get("new-one"), unit.projects.get("by-file")
    assert form is not None
    assert file is not None
    assert (form.plan, form.starts_at, form.ends_at) == (file.plan, file.starts_at, file.ends_at)


def test_a_project_is_suspended_resumed_moved_and_ended(stage: Stage) -> None:
    session = factories.open_session(stage.office).session.id
    files = stage.office.session_files
    assert stage.post("bob", "/admin/projects/wages/suspend").status_code == 303
    assert session not in files.open_sessions()
    assert stage.post("bob", "/admin/projects/wages/resume").status_code == 303
    answer = stage.post("bob", "/admin/projects/wages/move-end", ends_at="2026-03-02T08:00")
    assert answer.status_code == 422
    assert (
        stage.post("bob", "/admin/projects/wages/move-end", ends_at="2026-03-05T08:00:30").status_code == 303
    )
    with stage.office.units.read() as unit:
        project = unit.projects.get("wages")
        assert project is not None
        assert project.ends_at == factories.NOW + timedelta(days=2, hours=23, seconds=30)
    assert stage.post("bob", "/admin/projects/wages/end").status_code == 303
    assert stage.post("bob", "/admin/projects/wages/end").status_code == 409


def extract_states(stage: Stage) -> list[ExtractState]:
    with stage.office.units.read() as unit:
        return [one.state for one in sorted(unit.extracts.find(project="wages"), key=lambda e: e.version)]


@pytest.mark.parametrize("way", ["page", "api"])
def test_only_an_admin_refreshes_and_only_what_is_sealed(stage: Stage, way: str) -> None:
    def refresh(who: str) -> int:
        if way == "page":
            return stage.post(who, "/admin/projects/wages/refresh-extract").status_code
        headers = {"x-vitrine-form": token_of(who)}
        return stage.visit(who).post(f"{P}/api/projects/wages/refresh-extract", headers=headers).status_code

    for who in ("ana", "chloe", "eve"):
        assert refresh(who) == 403
        assert "confirm-refresh-extract" not in stage.visit(who).get(f"{P}/projects/wages").text
    assert extract_states(stage) == [ExtractState.SEALED]
    assert refresh("bob") == (303 if way == "page" else 200)
    assert refresh("bob") == 409  # it is planned already
    assert extract_states(stage) == [ExtractState.SEALED, ExtractState.PLANNED]
    assert "confirm-refresh-extract" not in stage.visit("bob").get(f"{P}/projects/wages").text


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_refresh_from_its_confirmation_to_the_new_version_in_desks(stage: Stage, language: str) -> None:
    def page(who: str) -> str:
        return str(stage.visit(who, language).get(f"{P}/projects/wages").text)

    def words(en: str, fr: str) -> str:
        return en if language == "en" else fr

    assert words("would be the same", "seraient les mêmes") in page("bob")
    assert words(
        "Desks opened now have version 1", "Les bureaux ouverts maintenant ont la version 1"
    ) in page("ana")
    factories.open_session(stage.office)
    assert stage.post("bob", "/admin/projects/wages/refresh-extract").status_code == 303
    now = factories.NOW + timedelta(hours=1)
    factories.assess(stage.office, "wages/v2", now=now)
    extracts.begin_extract(stage.office, extract_id="wages/v2", by=factories.SYSTEM, now=now)
    stage.office.units.note_progress("wages/v2", step="write", share=0.4, now=now)
    # As the first time, with its progress; desks have the first version still.
    assert "40 %" in page("ana")
    assert words("have version 1", "ont la version 1") in page("ana")
    assert 'data-testid="mounts-older"' not in page("ana")
    extracts.seal_extract(
        stage.office, extract_id="wages/v2", manifest={"rows": 11}, by=factories.SYSTEM, now=now
    )
    assert words("have version 2", "ont la version 2") in page("ana")
    assert f'<time datetime="{now.isoformat()}"' in page("ana").partition('data-testid="mounted"')[2][:200]
    assert words(
        "Your open desk has an earlier version", "Votre bureau ouvert a une version antérieure"
    ) in page("ana")
    assert 'data-testid="mounts-older"' not in page("bob")
    told_now = told(stage, "ana", "/projects/wages")
    assert told_now["mounted"] == {"version": 2, "since": now.isoformat()}
    with stage.office.units.read() as unit:
        planned = [e for e in unit.events(object="extract:wages/v2") if e.action == "extract.planned"]
    assert [event.actor for event in planned] == ["bob"]


def test_the_confirmation_names_the_sources_with_a_new_edition(stage: Stage) -> None:
    stage.post("bob", "/admin/projects/wages/refresh-extract")
    now = factories.NOW
    factories.assess(stage.office, "wages/v2")
    extracts.begin_extract(stage.office, extract_id="wages/v2", by=factories.SYSTEM, now=now)
    made_of = {"name": "cps", "file_sha256": "c" * 64, "dictionary_sha256": "b" * 64}
    extracts.seal_extract(
        stage.office, extract_id="wages/v2", manifest={"sources": [made_of]}, by=factories.SYSTEM, now=now
    )
    assert "Sources with a new edition since the newest version: cps." in (
        stage.visit("bob").get(f"{P}/projects/wages").text
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"username": "Not A Name"}, "username"),
        ({"username": "ana"}, "username"),
        ({"name": ""}, "name"),
        ({"email": ""}, "email"),
        ({"roles": "king"}, "roles"),
    ],
)
def test_a_wrong_person_is_refused_beside_the_field(
    stage: Stage, changes: dict[str, str], field: str
) -> None:
    good = {"username": "new", "name": "New", "email": "new@example.org", "roles": "checker"}
    answer = stage.post("bob", "/admin/people", **{**good, **changes})
    assert f'id="error-{field}"' in answer.text  # type: ignore[attr-defined]
    assert answer.status_code in (409, 422)


def test_a_suspended_person_is_out_at_the_next_request(stage: Stage) -> None:
    client = stage.visit("ana")
    assert client.get(f"{P}/").status_code == 200
    assert stage.post("bob", "/admin/people/ana/suspend").status_code == 303
    assert client.get(f"{P}/").status_code == 403
    assert stage.post("bob", "/admin/people/ana/readmit").status_code == 303
    assert client.get(f"{P}/").status_code == 200
    assert stage.post("bob", "/admin/people/bob/suspend").status_code == 409


# Audit


def test_the_log_is_filtered_paged_and_newest_first(stage: Stage) -> None:
    for n in range(60):
        factories.add_project(stage.office, f"p{n}")
    everything: list[int] = []
    path = "/audit?actor=bob&action=project.created"
    while True:
        page = told(stage, "eve", path)
        entries = page["entries"]
        assert isinstance(entries, list)
        everything += [e["seq"] for e in entries]
        assert all(e["actor"] == "bob" and e["action"] == "project.created" for e in entries)
        if page["next"] is None:
            break
        path = f"/audit?actor=bob&action=project.created&before={page['next']}"
    assert len(everything) == 62
    assert everything == sorted(everything, reverse=True)
    page = stage.visit("eve").get(f"{P}/audit?object=project:p7").text
    assert page.count('data-testid="audit-row"') == 2


def test_a_broken_chain_is_shown_with_its_first_bad_entry(stage: Stage) -> None:
    assert 'data-fault=""' in stage.visit("eve").get(f"{P}/audit").text
    with stage.office.units.engine.begin() as connection:  # type: ignore[attr-defined]  # the adapter's
        connection.execute(text("UPDATE audit_events SET actor = 'mallory' WHERE seq = 5"))
    page = stage.visit("eve", "fr").get(f"{P}/audit?verify=1").text
    assert 'data-fault="5"' in page
    assert "La chaîne est rompue à l’entrée 5." in page


def test_an_empty_office_has_pages_too(tmp_path: object) -> None:
    stage = make_stage(tmp_path, filled=False)  # type: ignore[arg-type]
    factories.fill(stage.office)
    for username, path in (
        ("ana", "/"),
        ("ana", "/submissions"),
        ("chloe", "/review"),
        ("bob", "/admin/projects"),
        ("bob", "/admin/people"),
        ("bob", "/admin/sources"),
        ("eve", "/audit?actor=nobody"),
    ):
        assert stage.visit(username).get(f"{P}{path}").status_code == 200


def test_the_api_describes_itself(stage: Stage) -> None:
    paths = told(stage, "ana", "/openapi.json")["paths"]
    assert isinstance(paths, dict)
    assert f"{P}/api/review/{{id}}/vote" in paths
    assert not [path for path in paths if not path.startswith(f"{P}/api/")]


def test_the_application_is_made_twice_without_sharing(stage: Stage) -> None:
    assert create_app(stage.portal) is not stage.app


def test_the_risk_report_of_open_data_is_shown_to_the_office_only(stage: Stage) -> None:
    text = {"fr": "Peu de monde.", "en": "Few people."}
    measure = {
        "id": "unmeasured", "table": "cps", "unit": "person", "units": 10, "kind": "share", "figure": None,
        "notice": None, "decide": None, "light": "amber", "meaning": text, "advice": text,
    }  # fmt: skip
    report = {"version": 1, "light": "red", "k": 10, "measures": [measure]}
    with stage.office.units.write() as unit:
        (assessment,) = [a for a in unit.assessments.find() if a.id == "project/wages/v1"]
        unit.assessments.save(dataclasses.replace(assessment, result={"report": report}, light="red"))
        unit.record(
            by=factories.SYSTEM, action="extract.assessed", object="extract:wages/v1", now=factories.NOW
        )
    page = stage.visit("bob").get(f"{P}/projects/wages").text
    assert 'data-testid="project-risk"' in page
    assert "Few people." in page
    assert "recorded decision" not in page  # these data are delivered in any case
    assert "does not hold up the extraction" in page
    assert "Data that anyone may have" in page
    assert 'data-testid="project-risk"' not in stage.visit("ana").get(f"{P}/projects/wages").text


def test_how_far_an_extract_is_is_told_to_those_who_see_the_project(stage: Stage) -> None:
    """A sealed one is done; one that waits says for what; the code is the one that the API tells."""
    address = f"{P}/projects/wages/extract"
    assert stage.visit("rosa").get(address).status_code == 403
    told = stage.visit("ana").get(address).json()
    assert (told["state"], told["done"], told["waits"]) == ("SEALED", True, None)
    projects.create_project(
        stage.office, new=factories.new_project("waits"), by=factories.actor("bob"), now=factories.NOW
    )
    told = stage.visit("ana").get(f"{P}/projects/waits/extract").json()
    assert (told["state"], told["done"], told["waits"]) == ("PLANNED", False, "assessment_missing")
    assert "risk report" in told["message"]
    page = stage.visit("ana").get(f"{P}/projects/waits").text
    assert f'data-extract-url="{P}/projects/waits/extract" data-state="PLANNED"' in page
    assert "data-extract-url" not in stage.visit("ana").get(f"{P}/projects/wages").text
