"""Filters: what makes no sense is refused with its place; the rest chooses what a plain reading does."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from hub.documents import parse
from hub.documents.dictionaries import Dictionary
from hub.documents.filters import Filter, Operator
from hub.domain.errors import Refused
from hub.extraction.filtering import check_filter, expression
from tests.unit.extraction.conftest import DICTIONARY

FILTER: TypeAdapter[Filter] = TypeAdapter(Filter)
TOY = parse(Dictionary, DICTIONARY, name="toy.yaml")


def _comparison(field: str, operator: str, *values: object) -> dict[str, Any]:
    return {"field": field, "operator": operator, "values": list(values)}


def _filter(document: dict[str, Any]) -> Filter:
    return FILTER.validate_json(json.dumps(document), by_alias=True, by_name=False)


@pytest.mark.parametrize(
    ("document", "code", "field"),
    [
        (_comparison("pay", "==", 1), "unknown_variable", "f"),
        (_comparison("id", "==", 7), "direct_identifier", "f"),
        (_comparison("house", "is missing"), "direct_identifier", "f"),
        ({"not": _comparison("id", "is present")}, "direct_identifier", "f.not"),
        ({"and": [_comparison("sex", "==", 1), {"or": [_comparison("id", "<", 9)]}]},
         "direct_identifier", "f.and[1].or[0]"),
        (_comparison("works", "<", True), "operator_does_not_fit", "f"),
        (_comparison("sex", "==", "1"), "value_does_not_fit", "f"),
        (_comparison("sex", "==", True), "value_does_not_fit", "f"),
        (_comparison("sex", "==", 1.0), "value_does_not_fit", "f"),
        (_comparison("sex", "in", 1, 3), "unknown_code", "f"),
        (_comparison("year", ">", 2**63), "value_does_not_fit", "f"),
        (_comparison("wage", ">", "10 OR 1=1"), "value_does_not_fit", "f"),
        (_comparison("wage", ">", True), "value_does_not_fit", "f"),
        (_comparison("wage", "==", 2**53 + 1), "value_does_not_fit", "f"),
        (_comparison("works", "==", 1), "value_does_not_fit", "f"),
        (_comparison("born", ">", "2026-02-30"), "value_does_not_fit", "f"),
        (_comparison("born", ">", "20260101"), "value_does_not_fit", "f"),
        (_comparison("born", ">", 2026), "value_does_not_fit", "f"),
    ],
)  # fmt: skip
def test_refuses(document: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(Refused) as refused:
        check_filter(_filter(document), TOY, path="f")
    assert (refused.value.code, refused.value.field) == (code, field)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"and": []},
        {"and": [], "or": []},
        {"not": []},
        {"field": "sex", "operator": "==", "values": [1], "and": []},
        {"field": "sex", "operator": "like", "values": [1]},
        {"field": "sex", "operator": "=="},
        {"field": "sex", "operator": "==", "values": [1, 2]},
        {"field": "sex", "operator": "==", "values": 1},
        {"field": "sex", "operator": "==", "values": [None]},
        {"field": "sex", "operator": "in", "values": []},
        {"field": "sex", "operator": "between", "values": [1]},
        {"field": "sex", "operator": "is missing", "values": [1]},
        {"terms": [{"field": "sex", "operator": "==", "values": [1]}]},
        "sex == 1",
    ],
)
def test_malformed_filters_are_no_documents(document: Any) -> None:
    with pytest.raises(ValidationError):
        _filter(document)


_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "year": st.integers(2023, 2028),
    "sex": st.sampled_from([1, 2]),
    "wage": st.one_of(st.integers(-2, 4), st.floats(-2, 4)),
    "born": st.dates(date(2000, 1, 1), date(2000, 1, 9)).map(str),
    "works": st.booleans(),
}
_ORDERED = ["year", "sex", "wage", "born"]


@st.composite
def _comparisons(draw: st.DrawFn) -> dict[str, Any]:
    operator = draw(st.sampled_from(list(Operator)))
    ordering = operator in {"<", "<=", ">", ">=", "between"}
    field = draw(st.sampled_from(_ORDERED if ordering else list(_VALUES)))
    fewest, most = {"in": (1, 4), "not in": (1, 4), "between": (2, 2)}.get(operator, (1, 1))
    if operator in {"is missing", "is present"}:
        fewest = most = 0
    values = draw(st.lists(_VALUES[field], min_size=fewest, max_size=most))
    return _comparison(field, str(operator), *values)


_FILTERS = st.recursive(
    _comparisons(),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda terms: {"and": terms}),
        st.lists(inner, min_size=1, max_size=3).map(lambda terms: {"or": terms}),
        inner.map(lambda term: {"not": term}),
    ),
    max_leaves=8,
)
_ROWS = st.lists(
    st.fixed_dictionaries({name: st.one_of(st.none(), values) for name, values in _VALUES.items()}),
    max_size=12,
)


def _holds(document: dict[str, Any], row: dict[str, Any]) -> bool:
    """What the filter says, in the plainest words."""
    if "and" in document:
        return all(_holds(term, row) for term in document["and"])
    if "or" in document:
        return any(_holds(term, row) for term in document["or"])
    if "not" in document:
        return not _holds(document["not"], row)
    value, values, operator = row[document["field"]], document["values"], document["operator"]
    if operator == "is missing":
        return value is None
    if value is None:
        return False
    return {
        "is present": lambda: True,
        "==": lambda: value == values[0],
        "!=": lambda: value != values[0],
        "<": lambda: value < values[0],
        "<=": lambda: value <= values[0],
        ">": lambda: value > values[0],
        ">=": lambda: value >= values[0],
        "in": lambda: value in values,
        "not in": lambda: value not in values,
        "between": lambda: values[0] <= value <= values[1],
    }[operator]()  # type: ignore[no-untyped-call]


@settings(max_examples=150, deadline=None)
@given(_FILTERS, _ROWS)
def test_chooses_what_a_plain_reading_chooses(document: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    condition = _filter(document)
    check_filter(condition, TOY, path="f")
    schema = {"year": pl.Int64, "sex": pl.Int64, "wage": pl.Float64, "born": pl.String, "works": pl.Boolean}
    typed = [{**row, "wage": None if row["wage"] is None else float(row["wage"])} for row in rows]
    table = pl.DataFrame(typed, schema=schema).with_columns(pl.col("born").str.to_date("%Y-%m-%d"))
    chosen = table.lazy().select(expression(condition, TOY).alias("chosen")).collect()["chosen"].to_list()
    expected = [_holds(document, row) for row in typed]
    assert chosen == expected
