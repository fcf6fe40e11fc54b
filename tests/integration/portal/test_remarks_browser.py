"""In Chromium: every table of a notebook by keys, remarks on its cells, and what is being written is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
import pytest
from playwright.sync_api import Browser, Page

from tests import factories
from tests.integration.portal.stage import COOKIE, P, Stage, serving
from tests.integration.portal.test_ledger import write_people
from tests.unit.checks.samples import notebook, printed, shown

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class House:
    """A portal on a socket, and a submission of a notebook and a note."""

    stage: Stage
    address: str
    submission: str


def fill(stage: Stage) -> str:
    """A notebook with a line of text and two tables: of regions, and one with a small cell."""
    write_people(stage.folder / "extracts" / "wages" / "v1")
    people = pl.read_parquet(stage.folder / "extracts/wages/v1/data.parquet")

    def table(variable: str) -> str:
        rows = people.group_by(variable).agg(pl.len().alias("n")).sort(variable).rows()
        lines = "".join(f"<tr><td>{name}</td><td>{n}</td></tr>" for name, n in rows)
        return f"<table><tr><th>{variable}</th><th>n</th></tr>{lines}</table>"

    small = "<table><tr><th>zone</th><th>n</th></tr><tr><td>x</td><td>3</td></tr></table>"
    book = notebook(printed("Counts by region\n"), shown(text_html=table("region")), shown(text_html=small))
    session = factories.open_session(stage.office).session.id
    return stage.submit(session, ("a.ipynb", book.encode()), ("note.txt", b"All groups are large.\n"))


@pytest.fixture
def house(stage: Stage) -> Iterator[House]:
    submission = fill(stage)
    with serving(stage.app) as address:
        yield House(stage, address, submission)


def visit(chromium: Browser, house: House) -> Page:
    """The submission as chloe sees it."""
    context = chromium.new_context(locale="en-GB")
    context.add_cookies([{"name": COOKIE, "value": "chloe", "url": house.address}])
    page = context.new_page()
    page.goto(f"{house.address}{P}/review/{house.submission}")
    return page


def test_each_table_of_a_notebook_is_reached_by_keys_and_its_cells_remarked_on(
    chromium: Browser, house: House
) -> None:
    page = visit(chromium, house)
    beside = page.locator(".beside")
    for key in ("g", "ArrowRight"):
        page.keyboard.press(key)
    assert "120 persons" in beside.inner_text()
    for key in ("g", "ArrowRight"):  # the second table, whose number nobody could make again
        page.keyboard.press(key)
    assert "below 10" in beside.inner_text()
    page.keyboard.press("Escape")
    page.keyboard.press("j")  # the finding leads to the number itself
    assert page.locator(".pointed").get_attribute("id") == "n-0-2-0-0-1"
    page.locator("#n-0-2-0-0-1").focus()
    page.locator("table[data-cells]").nth(0).locator("td").nth(3).hover()
    assert "90 persons" in beside.inner_text()
    page.keyboard.press("c")
    filled = [page.locator(f"#remark-{name}").input_value() for name in ("cell", "output", "table")]
    assert filled == ["1", "3", "1"]
    page.keyboard.type("Whose are these three?")
    page.get_by_test_id("remark-add").click()
    page.wait_for_url("**done=remarked**")
    assert "notebook cell 1, output 3, row 1, column 2" in page.get_by_test_id("remark").inner_text()
    remarked = page.locator("td.remarked")
    assert [one.inner_text().split()[0] for one in remarked.all()] == ["3"]
    assert page.locator("#remark").input_value() == ""
    page.context.close()


def test_what_is_being_written_outlives_a_look_at_another_file_and_ends_with_the_vote(
    chromium: Browser, house: House
) -> None:
    page = visit(chromium, house)
    page.locator("#comment").fill("Group the zones.")
    page.locator("#control-description").check()
    page.locator("#remark").fill("half a rem")
    page.get_by_test_id("file-1").click()
    page.wait_for_url("**file=1")
    assert page.locator("#comment").input_value() == "Group the zones."
    assert page.locator("#control-description").is_checked()
    assert page.locator("#remark").input_value() == ""  # that was about the other file
    page.get_by_test_id("file-0").click()
    page.wait_for_url("**file=0")
    assert page.locator("#remark").input_value() == "half a rem"
    page.get_by_test_id("vote-return").click()
    page.wait_for_url("**done=voted")
    assert "Group the zones." not in str(page.evaluate("JSON.stringify(sessionStorage)"))
    page.context.close()


def test_who_signs_in_next_in_the_same_tab_finds_nothing(chromium: Browser, house: House) -> None:
    page = visit(chromium, house)
    page.locator("#comment").fill("Reject it.")
    page.context.add_cookies([{"name": COOKIE, "value": "denis", "url": house.address}])
    page.reload()
    assert page.locator("#comment").input_value() == ""
    assert "Reject it." not in str(page.evaluate("JSON.stringify(sessionStorage)"))
    page.context.close()


def test_an_output_named_on_one_page_is_named_wherever_the_vote_is_cast(
    chromium: Browser, house: House
) -> None:
    page = visit(chromium, house)
    page.get_by_test_id("name-0-1").check()
    page.get_by_test_id("name-0-2").check()
    page.get_by_test_id("file-1").click()
    page.wait_for_url("**file=1")
    listed = page.locator("#elsewhere label")
    assert listed.all_inner_texts() == ["a.ipynb, cell 1, output 2", "a.ipynb, cell 1, output 3"]
    page.locator("#withhold-0-0-1").uncheck()
    page.reload()
    assert listed.all_inner_texts() == ["a.ipynb, cell 1, output 3"]
    page.get_by_test_id("vote-return").click()  # the reason is missing: the form is shown again
    page.wait_for_url("**/vote")
    assert listed.all_inner_texts() == ["a.ipynb, cell 1, output 3"]
    page.locator("#comment").fill("Leave it out.")
    page.get_by_test_id("vote-return").click()
    page.wait_for_url("**done=voted")
    with house.stage.office.units.read() as unit:
        (vote,) = unit.votes.find(submission=house.submission)
    assert "a.ipynb, notebook cell 1, output 3" in vote.comment
    assert "output 2" not in vote.comment
    page.context.close()
