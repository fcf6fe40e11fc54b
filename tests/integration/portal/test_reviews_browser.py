"""The checker's page in Debian's Chromium: keys alone, narrow and dark, without script, hostile content."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import polars as pl
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from hub.domain.lifecycle import SubmissionState
from hub.domain.records import Submission
from tests import factories
from tests.integration.portal.stage import COOKIE, FORM, P, Stage, make_stage, parts, serving
from tests.integration.portal.test_ledger import write_people

pytestmark = pytest.mark.browser

LONG = "Mean_wages_by_region_and_zone_definitive_" + "x" * 100 + ".csv"
HOSTILE = "<img src=x onerror=\"document.title='taken'\">"
MANY = 1_000


@dataclass(frozen=True)
class House:
    """A portal on a socket, and a submission with three files that replaces another."""

    stage: Stage
    address: str
    submission: str


def picture(colour: str) -> bytes:
    out = io.BytesIO()
    image = Image.new("RGB", (300, 180), "white")
    image.paste(colour, (40, 40, 120, 140))
    image.save(out, "PNG")
    return out.getvalue()


def fill(stage: Stage) -> str:
    """A resubmission with a small cell, and a thousand others that wait."""
    write_people(stage.folder / "extracts" / "wages" / "v1")
    session = factories.open_session(stage.office).session.id
    people = pl.read_parquet(stage.folder / "extracts/wages/v1/data.parquet")
    zones = (
        people.group_by("region", "zone").agg(pl.len().alias("n")).sort("region", "zone").write_csv().encode()
    )
    first = stage.submit(
        session, (LONG, zones), ("note.txt", f"{HOSTILE}\n".encode()), ("plot.png", picture("navy"))
    )
    for checker in ("chloe", "denis"):
        stage.post(checker, f"/review/{first}/vote", decision="return", comment="Group the cells.")
    body = parts(
        {
            **FORM,
            "population": "",
            "what": f"{HOSTILE} {'a very long description ' * 9}",
            "supersedes": first,
        },
        (LONG, b"\n".join(zones.splitlines()[:-1]) + b"\n"),
        ("note.txt", f"{HOSTILE} again\n".encode()),
        ("plot.png", picture("teal")),
    )
    answer = stage.gate().post(f"/internal/sessions/{session}/submissions", files=body)
    row = Submission(
        "", 0, "wages", "ana", None, SubmissionState.SUBMITTED, {"what": "One of many"}, factories.NOW
    )
    with stage.office.units.write() as unit:
        for n in range(10, 10 + MANY):
            unit.submissions.add(replace(row, id=f"o{n}", number=n, verdict="REVIEW"))
        unit.record(by=factories.SYSTEM, action="test.put", object="submission:many", now=factories.NOW)
    return str(answer.json()["id"])


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    stage = make_stage(tmp_path_factory.mktemp("portal"))
    submission = fill(stage)
    with serving(stage.app) as address:
        yield House(stage, address, submission)


def visit(chromium: Browser, house: House, path: str, **options: object) -> Page:
    """A page seen by chloe."""
    context = chromium.new_context(**{"locale": "en-GB", **options})  # type: ignore[arg-type]  # playwright's own
    context.add_cookies([{"name": COOKIE, "value": "chloe", "url": house.address}])
    page = context.new_page()
    page.goto(house.address + P + path.replace("{id}", house.submission))
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize(
    "path", ["/review", "/review/{id}", "/review/{id}?tab=differences", "/review/statistics"]
)
def test_no_page_is_wider_than_its_window(
    chromium: Browser, house: House, path: str, width: int, scheme: str
) -> None:
    size = {"width": width, "height": 800}
    page = visit(chromium, house, path, viewport=size, color_scheme=scheme, locale="fr-FR")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()


def test_keys_alone_lead_through_findings_cells_files_and_to_the_vote(
    chromium: Browser, house: House
) -> None:
    page = visit(chromium, house, "/review/{id}")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.dataset.testid") == "finding"
    assert page.locator(".pointed").count() == 1
    page.keyboard.press("g")
    for key in ("ArrowDown", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.id") == "c-1-2"
    assert "3 persons" in page.locator(".beside").inner_text()
    page.keyboard.press("Escape")
    assert page.locator(".beside").is_hidden()
    page.keyboard.press("c")
    assert page.locator("#remark-row").input_value() == "2"
    assert page.locator("#remark-column").input_value() == "3"
    page.keyboard.type("ajx")  # in a field, keys are letters
    assert page.locator("#remark").input_value() == "ajx"
    page.keyboard.press("Escape")
    for key, button in (("a", "vote-approve"), ("r", "vote-return"), ("x", "vote-reject")):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.dataset.testid") == button
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none"
    page.keyboard.press("?")
    assert page.get_by_text("Next finding and its place").is_visible()
    page.keyboard.press("n")
    page.wait_for_url("**file=1")
    page.keyboard.press("d")
    page.wait_for_url("**tab=differences**")
    page.context.close()


def test_by_keys_every_tick_is_reached_and_what_is_missing_is_said_beside_the_vote(
    chromium: Browser, house: House
) -> None:
    page = visit(chromium, house, "/review/{id}")
    ticks = page.locator(".vote input[type=checkbox]")
    assert ticks.count() > len(house.stage.office.rules.review.controls)
    for n in range(ticks.count()):
        page.keyboard.press("t")
        page.keyboard.press("Space")
        assert page.locator(".vote input[type=checkbox]:checked").count() == n + 1
    page.keyboard.press("t")
    assert page.evaluate("document.activeElement.dataset.testid") == "vote-approve"
    page.keyboard.press("Enter")
    page.wait_for_url("**/vote")
    assert "the population" in page.locator("#error-context").inner_text()
    assert page.locator(".vote input[type=checkbox]:not(:checked)").count() == 0
    page.context.close()


def test_the_keys_can_be_switched_off_and_tab_leaves_the_table(chromium: Browser, house: House) -> None:
    page = visit(chromium, house, "/review/{id}")
    page.keyboard.press("?")
    page.locator("#keys-on").uncheck()
    page.reload()
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.dataset.testid") != "finding"
    page.locator("#c-0-0").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('table') === null")
    page.context.close()


def test_hovering_tells_the_units_and_the_finding(chromium: Browser, house: House) -> None:
    page = visit(chromium, house, "/review/{id}")
    page.locator("#c-1-2").hover()
    told = page.locator(".beside").inner_text()
    assert "3 persons" in told
    assert "Finding" in told
    page.context.close()


def test_without_script_the_units_are_shown_by_a_tick_and_a_finding_leads_to_its_cell(
    chromium: Browser, house: House
) -> None:
    page = visit(chromium, house, "/review/{id}", java_script_enabled=False)
    behind = page.locator("#c-1-2 .behind")
    assert (behind.bounding_box() or {})["width"] <= 1
    page.locator("#show-behind").check()
    assert (behind.bounding_box() or {})["width"] > 20
    page.locator("a.to-place").first.click()
    assert page.url.endswith("#c-1-2")
    page.get_by_test_id("tab-differences").click()
    assert page.get_by_test_id("difference-table").is_visible()
    page.context.close()


def test_nothing_a_researcher_wrote_runs(chromium: Browser, house: House) -> None:
    for path in ("/review/{id}?file=1", "/review/{id}?file=1&tab=differences", "/review"):
        complaints: list[str] = []
        page = visit(chromium, house, "/")
        page.on("console", lambda message, told=complaints: told.append(message.text))
        page.goto(house.address + P + path.replace("{id}", house.submission))
        assert page.title() != "taken"
        assert page.locator("img[src=x]").count() == 0
        assert complaints == []  # not even something that the browser had to refuse
        page.context.close()


def test_two_images_stand_side_by_side(chromium: Browser, house: House) -> None:
    page = visit(chromium, house, "/review/{id}?file=2&tab=differences")
    widths = page.evaluate("[...document.querySelectorAll('.side-by-side img')].map((i) => i.naturalWidth)")
    assert widths == [300, 300]
    page.context.close()


def test_a_thousand_waiting_submissions_come_in_pages(chromium: Browser, house: House) -> None:
    began = time.monotonic()
    page = visit(chromium, house, "/review")
    assert time.monotonic() - began < 5
    assert page.get_by_test_id("queue-row").count() == 50
    assert "1,001" in page.get_by_test_id("lane-waiting").inner_text()
    page.get_by_role("link", name="Next page").click()
    assert page.get_by_test_id("queue-row").count() == 50
    page.context.close()
