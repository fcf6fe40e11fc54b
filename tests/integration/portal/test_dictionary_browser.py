"""The public dictionary in Debian's Chromium: narrow and wide, light and dark, without script."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from hub.documents import read
from hub.documents.dictionaries import Dictionary
from tests.conftest import ROOT
from tests.integration.portal.stage import P, make_stage, serving

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The portal on a socket, with the example's 68 variables and a source of 1,000."""
    stage = make_stage(tmp_path_factory.mktemp("portal"), filled=False)
    cps = read(Dictionary, ROOT / "examples" / "cps" / "dictionary.yaml")
    more = {
        f"v{n}": variable for n, variable in zip(range(932), list(cps.variables.values()) * 14, strict=False)
    }
    stage.portal.catalogue.publish(cps)
    stage.portal.catalogue.publish(
        cps.model_copy(update={"name": "large", "variables": {**cps.variables, **more}})
    )
    with serving(stage.app) as origin:
        yield f"{origin}{P}"


@pytest.mark.parametrize("width", [320, 390, 820, 1280])
@pytest.mark.parametrize(
    "path", ["/dictionary", "/dictionary?q=revenu", "/dictionary/cps", "/dictionary/large"]
)
def test_no_page_is_wider_than_its_window(chromium: Browser, address: str, path: str, width: int) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 800}, locale="fr-FR")
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(address + path)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert complaints == []
    page.close()


def test_a_variable_is_searched_and_reached_without_script(chromium: Browser, address: str) -> None:
    page = chromium.new_page(java_script_enabled=False, locale="fr-FR")
    page.goto(f"{address}/dictionary")
    page.get_by_label("Chercher une variable").fill("etat de residence")
    page.get_by_role("button", name="Chercher").click()
    result = page.get_by_test_id("result").filter(has_text="Unités fiscales").first
    result.get_by_role("link", name="fips").click()
    assert page.url == f"{address}/dictionary/cps#fips"
    row = page.locator("tr#fips")
    row.get_by_text("51 modalités").click()
    assert row.get_by_text("Californie").is_visible()
    assert row.bounding_box()["y"] < 400  # type: ignore[index]  # it is visible
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_quiet_words_stay_readable(chromium: Browser, address: str, scheme: str) -> None:
    page = chromium.new_page(color_scheme=scheme)  # type: ignore[arg-type]  # one of the two words
    page.goto(f"{address}/dictionary/cps#fips")
    ratio = page.evaluate(
        """() => {
          const light = (text) => {
            const [r, g, b] = text.match(/[\\d.]+/g).slice(0, 3).map((part) => {
              const c = part / 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
          const row = document.getElementById("h_seq"), target = document.getElementById("fips");
          const front = light(getComputedStyle(row.querySelector(".quiet")).color);
          const back = light(getComputedStyle(target).backgroundColor);
          return (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05); }"""
    )
    assert ratio >= 4.5  # WCAG AA
    page.close()
