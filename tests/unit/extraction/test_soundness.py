"""What dictionaries alone say against a specification: months, links and names, each with its field."""

from __future__ import annotations

import pytest

from hub.documents import parse
from hub.documents.dictionaries import Dictionary
from hub.extraction.soundness import refusals
from tests.unit.extraction import registers
from tests.unit.extraction.registers import specification

CENSUS = (
    registers.MEASURES.replace("name: measures", "name: census")
    .replace("first: 2005-01-01, last: 2005-12-31", "first: 2005-03-01, last: 2005-03-31")
    .replace("kind: {", "late: {type: integer, label: {fr: t, en: t}, first: 2005-04}\n  kind: {")
)
DICTIONARIES = {
    found.name: found
    for text in (registers.PERSONS, registers.MEASURES, registers.JOBS, registers.ATLAS, CENSUS)
    for found in [parse(Dictionary, text, name="d.yaml")]
}


def _asked(
    period: str | None,
    *,
    source: str = "measures",
    unit: str = "child",
    columns: str = "[kind]",
    beside: str = "",
    **more: str,
) -> str:
    """A request for one table of one source, or of `source` for the people of `beside`."""
    whom = f"{{name: all, source: {beside or source}, unit: {'person' if beside else unit}}}"
    keys = {"units": f"[{unit}]", "columns": columns} | more
    head = "" if period is None else f"period: {{first: {period[:7]}, last: {period[8:]}}}\n"
    data = "".join(f"    {key}: {value}\n" for key, value in keys.items())
    table = f"datasets:\n  - name: one\n    source: {source}\n    of: [all]\n{data}"
    return f"{head}populations:\n  - {whom}\n{table}"


def _told(text: str) -> list[tuple[str, str | None]]:
    return [(one.code, one.field) for one in refusals(specification(text), DICTIONARIES)]


@pytest.mark.parametrize(
    ("text", "code", "field"),
    [
        (_asked("2035-01 2035-12"), "outside_coverage", "period"),
        (_asked("2004-12 2005-03"), "outside_coverage", "period"),
        (_asked("2005-12 2006-01"), "outside_coverage", "period"),
        (
            _asked("2004-12 2005-01", source="persons", unit="person", columns="[age]"),
            "outside_coverage",
            "period",
        ),
        # A census of March beside wages of January and February has none of these months.
        (_asked("2005-01 2005-02", source="census", beside="persons"), "outside_coverage", "period"),
        # A source that says who lives together is one of people's.
        (
            _asked(
                "2005-01 2005-03",
                source="persons",
                unit="person",
                columns="[age]",
                members="household",
                households="atlas",
            ),
            "outside_coverage",
            "period",
        ),
        (
            _asked("2005-01 2005-02", source="persons", unit="person", columns="[age, late]"),
            "outside_coverage",
            "datasets[0].columns[1]",
        ),
        (
            _asked("2005-03 2005-03", source="census", columns="[late]"),
            "outside_coverage",
            "datasets[0].columns[0]",
        ),
        (
            _asked(None, source="jobs", unit="employer", columns="[wage]", beside="persons", by="employer"),
            "cannot_link",
            "datasets[0].by",
        ),
        (_asked(None, by="firm"), "unknown_unit", "datasets[0].by"),
        (_asked(None, members="others"), "unknown_unit", "datasets[0].households"),
        (_asked(None, mark="child_id"), "column_twice", "datasets[0].columns"),
        (_asked(None, mark="Kind"), "column_twice", "datasets[0].columns"),
    ],
)
def test_what_no_extraction_could_deliver_is_told_with_its_field(text: str, code: str, field: str) -> None:
    assert (code, field) in _told(text)


def test_everything_is_told_at_once() -> None:
    text = _asked(
        "2035-01 2035-12", source="persons", unit="person", columns="[late]", by="firm", mark="Late"
    )
    assert {code for code, _ in _told(text)} == {"outside_coverage", "unknown_unit", "column_twice"}


@pytest.mark.parametrize(
    "text",
    [
        _asked(None),
        _asked("2005-01 2005-12"),
        _asked("2005-06 2005-06"),
        # A census of March beside people of January to March: delivered whole, about one of the months.
        _asked("2005-01 2005-03", source="census", beside="persons"),
        # Sectors' attributes of 2001 for children of 2005 (deliberation 07/028, 1.8).
        _asked(
            "2005-01 2005-03",
            source="persons",
            unit="person",
            columns="[age]",
            through="[{source: atlas, unit: sector, columns: [rent]}]",
        ),
    ],
)
def test_what_the_dictionaries_have_is_not_refused(text: str) -> None:
    assert _told(text) == []
