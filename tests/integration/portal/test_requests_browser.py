"""The pages of requests in Debian's Chromium: narrow and wide, light and dark, as one types."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from hub.actions import assessments, extracts, projects, request_reviews
from hub.actions import requests as actions
from hub.actions.ports import Office
from hub.actions.request_reviews import Verdict
from hub.documents import read
from hub.documents.dictionaries import Dictionary
from hub.domain.lifecycle import AssessmentState
from hub.domain.requests import RemarkKind
from tests import factories, requests
from tests.conftest import ROOT
from tests.integration.portal.stage import COOKIE, P, Stage, make_stage, serving

pytestmark = pytest.mark.browser

# r1 is under review; r2 is a draft with everything still to say but a long title; r3 a draft ready to send.
DRAFT = f"""
title: "{"Une demande au titre très long " * 8}"
people: [{{username: ana}}]
populations:
  - name: actifs
    source: cps
    unit: tax_unit
    filter:
      and:
        - {{field: age_head, operator: ">", values: [17]}}
        - or:
            - not: {{field: MARS, operator: in, values: [1, 2]}}
            - and:
                - {{field: fips, operator: "==", values: [999]}}
                - or: [{{field: e00200, operator: ">", values: [1]}}]
            - and: []
datasets:
  - {{name: salaires, source: cps, of: [actifs], units: [tax_unit], columns: [MARS, age_head, e00200]}}
"""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return make_stage(tmp_path_factory.mktemp("portal"))


@pytest.fixture
def office(stage: Stage) -> Office:
    return stage.office


@pytest.fixture(scope="module")
def address(stage: Stage) -> Iterator[str]:
    """The portal on a socket; forms are accepted from the address that the browser sees."""
    catalogue, office = stage.portal.catalogue, stage.office
    catalogue.publish(requests.dictionary())
    catalogue.publish(read(Dictionary, ROOT / "examples" / "cps" / "dictionary.yaml"))
    requests.sent(office, catalogue)
    verdicts = [Verdict("pay.wage", RemarkKind.ASK, None, "Des tranches ne suffiraient-elles pas ?")]
    request_reviews.review_variables(
        office,
        catalogue,
        request_id="r1",
        version=1,
        verdicts=verdicts,
        by=factories.actor("bob"),
        now=factories.NOW,
    )
    actions.start_request(office, catalogue, text=DRAFT, by=factories.actor("ana"), now=factories.NOW)
    requests.draft(office, catalogue)
    with serving(stage.app) as origin:
        object.__setattr__(stage.portal, "public_url", origin)
        yield origin


def visit(chromium: Browser, address: str, who: str, path: str, **options: object) -> Page:
    context = chromium.new_context(locale="fr-FR", **options)  # type: ignore[arg-type]  # Playwright's own
    context.add_cookies([{"name": COOKIE, "value": who, "url": address}])
    page = context.new_page()
    page.goto(f"{address}{P}{path}")
    return page


@pytest.mark.parametrize("width", [320, 820, 1280])
@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("bob", "/requests?show=all"),
        ("ana", "/requests/new"),
        ("ana", "/requests/r1"),
        ("ana", "/requests/r2"),
        ("ana", "/requests/r2/edit"),
        ("bob", "/requests/r1/review"),
    ],
)
def test_no_page_is_wider_than_its_window(
    chromium: Browser, address: str, who: str, path: str, width: int
) -> None:
    page = visit(chromium, address, who, path, viewport={"width": width, "height": 800})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.reload()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert complaints == []
    page.context.close()


def test_a_finer_level_warns_as_one_chooses_it(chromium: Browser, address: str) -> None:
    page = visit(chromium, address, "ana", "/requests/r2/edit")
    row = page.locator("[id='datasets.0.columns.2']")
    warning, reason = row.locator("[data-warning]"), row.get_by_label("Justification")
    assert not warning.is_visible()
    assert reason.get_attribute("required") is None
    row.get_by_label("Niveau").select_option("raw")
    assert warning.is_visible()
    assert reason.get_attribute("required") is not None
    row.get_by_label("Niveau").select_option("class")
    assert not warning.is_visible()
    page.context.close()


def test_the_dictionary_is_searched_as_one_types_and_a_variable_added(
    chromium: Browser, address: str
) -> None:
    page = visit(chromium, address, "ana", "/requests/r2/edit")
    aside = page.get_by_role("complementary")
    before = aside.locator("[data-offer]:visible").count()
    aside.get_by_role("searchbox").fill("etat de residence")
    offers = aside.locator("[data-offer]:visible")
    assert 0 < offers.count() < before
    aside.get_by_role("button", name="Ajouter fips").click()
    page.wait_for_load_state()
    assert page.locator("[id='datasets.0.columns.3']").get_by_text("fips", exact=True).is_visible()
    assert page.url.endswith("/requests/r2/edit#datasets.0")
    page.context.close()


def test_an_estimate_appears_beside_what_is_being_written(
    chromium: Browser, address: str, office: Office
) -> None:
    """The worker's part is played by its actions; what is typed meanwhile stays."""
    page = visit(chromium, address, "ana", "/requests/r3/edit")
    page.get_by_test_id("save-estimate").click()
    panel = page.locator("[data-estimate-url]")
    panel.get_by_role("status").wait_for()
    page.get_by_label("Titre").fill("Un autre titre")
    with office.units.read() as unit:
        (asked,) = unit.assessments.find(state=AssessmentState.WAITING)
    by, now = factories.SYSTEM, factories.NOW
    assessments.begin_assessment(office, assessment_id=asked.id, by=by, now=now)
    result = {"rows": {"pay": 234_939}, "populations": {}, "report": None}
    assessments.finish_assessment(
        office, assessment_id=asked.id, result=result, light="amber", by=by, now=now
    )
    panel.get_by_text("Orange : proche des limites").wait_for()
    assert panel.get_by_test_id("estimated-rows").inner_text() == "environ 230\u202f000 lignes"
    assert page.get_by_label("Titre").input_value() == "Un autre titre"
    page.context.close()


@pytest.mark.parametrize("path", ["/projects/{slug}", "/"])
def test_an_extraction_is_followed_without_reading_the_page_again(
    chromium: Browser, address: str, stage: Stage, path: str
) -> None:
    """The worker's part is played by its actions; the page itself is loaded once."""
    slug = "followed" if path == "/" else "watched"
    office, by, now, extract = stage.office, factories.SYSTEM, factories.NOW, f"{slug}/v1"
    projects.create_project(office, new=factories.new_project(slug), by=factories.actor("bob"), now=now)
    page = visit(chromium, address, "ana", path.format(slug=slug))
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.evaluate("window.once = true")
    panel = page.locator(f"[data-extract-url$='/{slug}/extract']")
    status = panel.get_by_role("status")
    assert status.get_attribute("aria-live") == "polite"
    panel.get_by_text("En attente d’extraction").first.wait_for()
    factories.assess(office, extract)
    extracts.begin_extract(office, extract_id=extract, by=by, now=now)
    panel.get_by_text("Extraction en cours").first.wait_for()
    assert status.inner_text() == "Extraction en cours"
    office.units.note_progress(extract, step="write", share=0.42, now=now)
    panel.get_by_text("42 %").wait_for()
    extracts.seal_extract(office, extract_id=extract, manifest={"rows": 10}, by=by, now=now)
    panel.get_by_text("Données prêtes").first.wait_for()
    assert status.inner_text() == "Données prêtes"
    assert page.evaluate("window.once") is True
    assert complaints == []
    page.context.close()


@pytest.mark.parametrize("script", [True, False])
def test_a_draft_is_saved_by_keyboard_alone(chromium: Browser, address: str, script: bool) -> None:
    page = visit(chromium, address, "ana", "/requests/r2/edit", java_script_enabled=script)
    page.get_by_label("Titre").fill(f"Au clavier {script}")
    page.keyboard.press("Enter")
    page.wait_for_load_state()
    assert page.get_by_test_id("done").inner_text().startswith("Le brouillon est enregistré")
    assert page.get_by_label("Titre").input_value() == f"Au clavier {script}"
    page.context.close()


@pytest.mark.parametrize("script", [True, False])
def test_a_condition_is_added_and_written_by_keyboard_alone(
    chromium: Browser, address: str, script: bool
) -> None:
    """The new condition has the focus, wherever in the filter it stands."""
    page = visit(chromium, address, "ana", "/requests/r2/edit", java_script_enabled=script)
    group = page.get_by_role("group", name="Groupe 2", exact=True)
    group.get_by_role("button", name="Ajouter un groupe").last.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/edit#populations.0.where.terms.1.terms.3.terms.0.field")
    page.keyboard.type("e00200")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("5")
    added = page.get_by_role("group", name="Condition 2.4.1", exact=True)
    assert added.get_by_label("Variable").input_value() == "e00200"
    assert added.get_by_label("Valeurs").input_value() == "5"
    page.locator("[id='populations.0.where']").get_by_role("button", name="Relire le filtre").focus()
    page.keyboard.press("Enter")
    page.get_by_text("ou e00200 est égal à 5").wait_for()
    page.context.close()


def test_every_field_has_a_name_for_those_who_do_not_see_it(chromium: Browser, address: str) -> None:
    for who, path in (("ana", "/requests/r2/edit"), ("bob", "/requests/r1/review")):
        page = visit(chromium, address, who, path)
        nameless = page.evaluate(
            """() => [...document.querySelectorAll("input:not([type=hidden]), select, textarea")]
                 .filter((f) => !f.labels.length && !f.getAttribute("aria-label")).map((f) => f.outerHTML)"""
        )
        doubled = page.evaluate(
            """() => { const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
                 return ids.filter((id, n) => ids.indexOf(id) !== n); }"""
        )
        assert (nameless, doubled) == ([], [])
        page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_warnings_stay_readable(chromium: Browser, address: str, scheme: str) -> None:
    page = visit(chromium, address, "ana", "/requests/r1", color_scheme=scheme)
    ratio = page.evaluate(
        """() => {
          const light = (text) => {
            const [r, g, b] = text.match(/[\\d.]+/g).slice(0, 3).map((part) => {
              const c = part / 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
          const front = light(getComputedStyle(document.querySelector(".asked .state-return")).color);
          const around = document.querySelector(".asked").closest(".scroll");
          const back = light(getComputedStyle(around).backgroundColor);
          return (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05); }"""
    )
    assert ratio >= 4.5  # WCAG AA
    page.context.close()
