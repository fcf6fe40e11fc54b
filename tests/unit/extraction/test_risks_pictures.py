"""The pictures of a risk report: safe to put into a page, readable by everyone, true to the numbers."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import pytest
import resvg_py
from lxml import etree

from hub.documents.base import Text
from hub.extraction import risk_drawing
from hub.extraction.risk_pictures import LIGHTS, figure, measure_name, picture_tables, pictures
from hub.extraction.risk_reports import (
    ColumnShare,
    KnownPoints,
    Light,
    Measure,
    MeasureId,
    RiskReport,
    SizeClass,
)

SVG = "{http://www.w3.org/2000/svg}"
PAGES = ("#ffffff", "#f6f6f3", "#1a2225", "#12181a")
TEXT = Text(fr="Sens <b>&", en="Meaning <b>&")


def measure(id_: MeasureId, **content: Any) -> Measure:
    usual: dict[str, Any] = {
        "table": "persons",
        "unit": "person",
        "units": 1000,
        "kind": "share",
        "figure": 0.02,
        "notice": 0.01,
        "decide": 0.05,
        "light": Light.AMBER,
        "meaning": TEXT,
        "advice": TEXT,
    }
    return Measure(id=id_, **usual | content)


CLASSES = (
    SizeClass(lower=1, upper=1, units=20, share=0.02),
    SizeClass(lower=2, upper=4, units=30, share=0.03),
    SizeClass(lower=5, upper=9, units=0, share=0.0),
    SizeClass(lower=10, upper=99, units=950, share=0.95),
    SizeClass(lower=100, upper=None, units=0, share=0.0),
)
POINTS = tuple(
    KnownPoints(known=known, share=share, low=share * 0.9, high=min(1, share * 1.1), people=people)
    for known, share, people in ((1, 0.19, 400), (2, 0.94, 400), (3, 0.9995, 300), (4, 0.0, 0))
)
SIZES: dict[str, Any] = {"kind": "size", "figure": 1.0, "notice": 10.0, "decide": 2.0, "light": Light.RED}
REPORT = RiskReport(
    light=Light.RED,
    k=5,
    measures=(
        measure(MeasureId.SAMPLE_K, classes=CLASSES),
        measure(MeasureId.EMPLOYERS, classes=CLASSES, unit="employer", **SIZES),
        measure(MeasureId.TRAJECTORIES, table="x" * 300, points=POINTS),
        measure(
            MeasureId.MINIMAL_UNIQUES,
            table="a<b>&",
            columns=(ColumnShare(column="c<d>&", share=0.7), ColumnShare(column="e", share=0.0)),
        ),
        measure(MeasureId.POPULATION_L, classes=CLASSES, variable="status", **SIZES),
        measure(MeasureId.CHARACTERISTICS, points=POINTS),
        measure(MeasureId.POPULATION_K, figure=None, units=0),
    ),
)
EVERY = [(language, name) for language, name in product(("fr", "en"), (LIGHTS, *map(measure_name, range(6))))]


def test_there_is_one_picture_per_measure_that_has_something_to_show_and_a_table_for_each() -> None:
    assert set(pictures(REPORT, "fr")) == {LIGHTS, *map(measure_name, range(6))}
    assert set(picture_tables(REPORT, "fr")) == set(pictures(REPORT, "fr"))


@pytest.mark.parametrize(("language", "name"), EVERY)
def test_a_picture_holds_no_script_no_style_and_nothing_from_elsewhere(language: str, name: str) -> None:
    svg = pictures(REPORT, language)[name]
    allowed = {"svg", "title", "desc", "text", "rect", "line", "path", "circle"}
    for element in etree.fromstring(svg).iter():
        assert element.tag.removeprefix(SVG) in allowed
        assert not any(key.startswith("on") or key in ("style", "href") for key in element.attrib)
    assert "url(" not in svg


@pytest.mark.parametrize(("language", "name"), EVERY)
def test_a_picture_says_what_it_is_to_those_who_do_not_see_it(language: str, name: str) -> None:
    root = etree.fromstring(pictures(REPORT, language)[name])
    texts = {element.get("id"): element.text for element in root if element.tag != f"{SVG}text"}
    labels = (root.get("aria-labelledby") or "").split()
    assert root.get("role") == "img"
    assert len(labels) == 2
    assert all(texts[label] for label in labels)


def test_names_in_pictures_are_unique_in_a_page() -> None:
    ids = re.findall(r' id="([^"]+)"', "".join(pictures(REPORT, "fr").values()))
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(("language", "name"), EVERY)
def test_a_picture_can_be_drawn_and_its_text_stays_inside(language: str, name: str) -> None:
    svg = pictures(REPORT, language)[name]
    assert bytes(resvg_py.svg_to_bytes(svg_string=svg)).startswith(b"\x89PNG")
    for text in etree.fromstring(svg).iter(f"{SVG}text"):
        size, anchor, at = (text.get(key) or "0" for key in ("font-size", "text-anchor", "x"))
        width = len(text.text or "") * float(size) * 0.58  # of a usual letter
        left = float(at) - {"start": 0, "middle": width / 2, "end": width}[anchor]
        assert left > -4
        assert left + width < risk_drawing.WIDTH + 12


def _brightness(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("colour", [risk_drawing.ACCENT, *risk_drawing.LIGHTS.values()])
def test_colours_stand_out_on_a_light_and_a_dark_page(colour: str, page: str) -> None:
    low, high = sorted((_brightness(colour), _brightness(page)))
    assert (high + 0.05) / (low + 0.05) >= 3


@pytest.mark.parametrize(
    ("value", "fr", "en"),
    [
        (0.0, "0\u202f%", "0%"),
        (0.0004, "moins de 0,1\u202f%", "less than 0.1%"),
        (0.0501, ">\u202f5\u202f%", ">\u202f5%"),
        (0.0499, "<\u202f5\u202f%", "<\u202f5%"),
        (0.05, "5\u202f%", "5%"),
        (0.1234, "12,3\u202f%", "12.3%"),
        (0.9999, "plus de 99,9\u202f%", "more than 99.9%"),
        (None, "inconnu", "not known"),
    ],
)
def test_a_share_is_never_shown_as_its_limit_when_it_is_not(value: float | None, fr: str, en: str) -> None:
    one = measure(MeasureId.SAMPLE_K, figure=value)
    assert (figure(one, "fr"), figure(one, "en")) == (fr, en)


def test_bars_are_as_high_as_the_shares_say() -> None:
    root = etree.fromstring(pictures(REPORT, "en")[measure_name(0)])
    heights = [float(bar.get("height") or 0) for bar in root.iter(f"{SVG}rect")]
    assert heights[3] / heights[1] == pytest.approx(0.95 / 0.03, rel=0.01)
    assert heights[2] == 0
    colours = [bar.get("fill") for bar in root.iter(f"{SVG}rect")]
    assert colours[1] == risk_drawing.LIGHTS[Light.RED] != colours[3]  # k = 5 lies between them


@pytest.mark.parametrize(
    ("content", "lower", "upper"),
    [
        ({"figure": 0.0, "light": Light.GREEN}, 0, 0),
        ({"figure": 0.01, "light": Light.GREEN}, 1 / 3, 1 / 3),
        ({"figure": 0.02, "light": Light.AMBER}, 1 / 3, 2 / 3),
        ({"figure": 1.0, "light": Light.RED}, 1, 1),
        (SIZES | {"figure": 1000.0, "light": Light.GREEN}, 0, 0.01),
        (SIZES | {"figure": 10.0, "light": Light.GREEN}, 1 / 3, 1 / 3),
        (SIZES | {"figure": 5.0, "light": Light.AMBER}, 1 / 3, 2 / 3),
        (SIZES | {"figure": 1.0}, 2 / 3, 1),
    ],
)
def test_the_mark_lies_in_the_zone_of_the_light(content: dict[str, Any], lower: float, upper: float) -> None:
    one = measure(MeasureId.SAMPLE_K, **content)
    root = etree.fromstring(pictures(RiskReport(light=one.light, k=5, measures=(one,)), "fr")[LIGHTS])
    zones = [float(zone.get("x") or 0) for zone in root.iter(f"{SVG}rect")]
    marks = [shape.get("d") or "" for shape in root.iter(f"{SVG}path") if shape.get("fill") == "currentColor"]
    at = (float(marks[-1].split()[0][1:]) - (zones[0] - 1)) / 230
    assert lower - 0.01 <= at <= upper + 0.01


def placed(svg: str) -> dict[str, tuple[float, float]]:
    """Where each text of a picture stands."""
    return {
        text.text: (float(text.get("x")), float(text.get("y")))
        for text in etree.fromstring(svg).iter(f"{SVG}text")
    }


def test_labels_of_limits_stand_clear_of_each_other_and_of_the_bars_values() -> None:
    curve = placed(pictures(REPORT, "en")[measure_name(2)])
    assert curve["notice 1%"][1] - curve["decision 5%"][1] >= 13
    bars = placed(pictures(REPORT, "en")[measure_name(1)])
    assert bars["95%"][1] - bars["notice 10"][1] >= 13
    assert bars["notice 10"][1] - bars["decision 2"][1] >= 13


def test_almost_everyone_is_not_shown_as_everyone() -> None:
    shown = placed(pictures(REPORT, "en")[measure_name(2)])
    assert "100%" in shown  # of the axis
    assert ">\u202f99.5%" in shown
