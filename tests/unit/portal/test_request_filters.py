"""Filters in the form: what is refused or kept, and that nothing is lost on the way through its fields."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from hub.documents.filters import Filter, Operator
from hub.portal import request_forms
from hub.portal.request_filters import (
    DEEPEST,
    Condition,
    Group,
    Kept,
    Node,
    add_to_filter,
    filter_of,
    places_of,
    read_number,
    read_values,
    read_where,
    show_filter,
)
from tests import factories

DICTIONARY = factories.dictionary()
FILTERS: TypeAdapter[Any] = TypeAdapter(Filter)
WAGE = {"field": "wage", "operator": ">", "values": [10]}
WOMEN = {"field": "sex", "operator": "==", "values": [2]}
GONE = {"field": "wage", "operator": "is missing"}


def fields(node: Node, path: str = "where") -> dict[str, str]:
    """What a browser sends of a node, as the page writes it."""
    if isinstance(node, Kept):
        return {f"{path}.yaml": node.yaml}
    if isinstance(node, Condition):
        sent = {f"{path}.field": node.field, f"{path}.operator": node.operator, f"{path}.values": node.values}
        return sent | ({f"{path}.not": "1"} if node.negated else {})
    sent = {f"{path}.group": "1"} if node.explicit else {}
    if path != "where" or len(node.terms) > 1 or node.explicit or node.join.startswith("not"):
        sent[f"{path}.join"] = node.join
    for position, term in enumerate(node.terms):
        sent |= fields(term, f"{path}.terms.{position}")
    return sent


def through_form(filter_: Any) -> Any:
    """The filter as a form that shows it gives it back."""
    sent = fields(show_filter(filter_, DICTIONARY))
    form = {f"populations.0.{name}": [text] for name, text in sent.items()}
    form["populations.0.source"] = ["register"]
    content = request_forms.read_form(form, lambda name: DICTIONARY if name == "register" else None)
    return content["populations"][0].get("filter")


def depth(node: Node) -> int:
    return 1 + max((depth(term) for term in node.terms), default=0) if isinstance(node, Group) else 0


def kept(node: Node) -> int:
    return sum(kept(term) for term in node.terms) if isinstance(node, Group) else isinstance(node, Kept)


VALUES = st.one_of(
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=8),
    st.sampled_from(["1", "2,5", "a; b", " x", "true", "1e400", "NaN", "2020-01-31"]),
)
NAMES = st.sampled_from(["wage", "sex", "born", "employer", "unknown", "", "a b"])


@st.composite
def comparisons(draw: st.DrawFn) -> dict[str, Any]:
    operator = draw(st.sampled_from(list(Operator)))
    fewest, most = {
        Operator.IN: (1, 4),
        Operator.NOT_IN: (1, 4),
        Operator.BETWEEN: (2, 2),
        Operator.MISSING: (0, 0),
        Operator.PRESENT: (0, 0),
    }.get(operator, (1, 1))
    values = draw(st.lists(VALUES, min_size=fewest, max_size=most))
    found: dict[str, Any] = {"field": draw(NAMES), "operator": operator.value}
    return found | ({"values": values} if values or draw(st.booleans()) else {})


def filters() -> st.SearchStrategy[Any]:
    """Filters of any form and depth that the document allows."""

    def deeper(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        terms = st.lists(inner, min_size=1, max_size=4)
        return st.one_of(
            terms.map(lambda found: {"and": found}),
            terms.map(lambda found: {"or": found}),
            inner.map(lambda found: {"not": found}),
        )

    return st.recursive(comparisons(), deeper, max_leaves=12)


@settings(max_examples=400, deadline=None)
@given(filters())
@example({"field": "wage", "operator": "==", "values": ["\xa0"]})
@example({"field": "wage", "operator": "in", "values": ["\u2003", "a\xa0"]})
def test_any_filter_comes_back_from_the_form_as_the_same_document(filter_: Any) -> None:
    before = FILTERS.validate_json(json.dumps(filter_))
    after = FILTERS.validate_json(json.dumps(through_form(filter_)))
    assert after == before
    assert FILTERS.dump_json(after) == FILTERS.dump_json(
        before
    )  # 1, 1.0 and true are equal, but not the same


@settings(max_examples=100, deadline=None)
@given(filters())
def test_a_form_shown_again_shows_the_same(filter_: Any) -> None:
    shown = show_filter(filter_, DICTIONARY)
    assert show_filter(filter_of(shown, DICTIONARY), DICTIONARY) == shown
    assert depth(shown) <= DEEPEST


@pytest.mark.parametrize(
    "broken", ["and: [", {"and": []}, {"and": [], "or": []}, {"not": []}, {"x": 1}, [1], 5]
)
def test_what_is_no_filter_is_kept_for_the_document_to_refuse(broken: Any) -> None:
    shown = show_filter(broken, DICTIONARY)
    assert kept(shown) == 1
    found = through_form(broken)
    assert found is not None
    assert found == broken or isinstance(found, str)


@pytest.mark.parametrize(
    ("filter_", "shape"),
    [
        (WAGE, Group("and", (Condition("wage", ">", "10"),))),
        ({"not": WAGE}, Group("and", (Condition("wage", ">", "10", negated=True),))),
        ({"not": {"not": WAGE}}, Group("not and", (Condition("wage", ">", "10", negated=True),))),
        ({"and": [WAGE]}, Group("and", (Condition("wage", ">", "10"),), explicit=True)),
        (
            {"not": {"or": [WOMEN, GONE]}},
            Group("not or", (Condition("sex", "==", "2"), Condition("wage", "is missing"))),
        ),
        (
            {"and": [WOMEN, {"or": [WAGE, {"not": {"and": [GONE]}}]}]},
            Group(
                "and",
                (
                    Condition("sex", "==", "2"),
                    Group(
                        "or",
                        (Condition("wage", ">", "10"), Group("not and", (Condition("wage", "is missing"),))),
                    ),
                ),
            ),
        ),
    ],
)
def test_groups_are_shown_in_fields(filter_: Any, shape: Group) -> None:
    assert show_filter(filter_, DICTIONARY) == shape
    assert through_form(filter_) == filter_


def test_a_fourth_level_is_kept_where_it_stands() -> None:
    filter_ = {"and": [WOMEN, {"or": [WAGE, {"and": [GONE, {"or": [WAGE, WOMEN]}]}]}]}
    shown = show_filter(filter_, DICTIONARY)
    assert (depth(shown), kept(shown)) == (DEEPEST, 1)
    assert through_form(filter_) == filter_
    assert places_of(shown, "w") >= {"w.terms.0", "w.terms.1.terms.1.terms.1"}


def test_conditions_in_which_nothing_is_written_count_for_nothing_half_of_one_does() -> None:
    where = {"join": "or", "terms": {"0": {}, "1": {"field": "wage", "operator": ">", "values": "10"}}}
    assert filter_of(read_where(where), DICTIONARY) == WAGE
    assert filter_of(read_where({"terms": {"0": {"field": "", "operator": "=="}}}), DICTIONARY) is None
    half = {"terms": {"0": {"field": "", "operator": "==", "values": "2"}}}
    assert filter_of(read_where(half), DICTIONARY) == {"field": "", "operator": "==", "values": [2]}


def test_a_group_of_which_nothing_is_left_stays_to_be_refused() -> None:
    where = {
        "terms": {"0": {"field": "wage", "operator": "is missing"}, "1": {"join": "or", "terms": {"0": {}}}}
    }
    assert filter_of(read_where(where), DICTIONARY) == {"and": [GONE, {"or": []}]}


@pytest.mark.parametrize(
    ("text", "field", "values"),
    [
        ("1; 2", "sex", [1, 2]),
        ("1, 2", "sex", [1, 2]),
        ("1,2", "sex", [1, 2]),
        ("10,5", "wage", [10.5]),
        ("10,5; 20", "wage", [10.5, 20]),
        ("10, 20", "wage", [10, 20]),
        ("1\u202f000", "wage", [1000]),
        ("2020-01-31", "born", ["2020-01-31"]),
        ("a; b", "employer", ["a", "b"]),
        ("nan", "wage", ["nan"]),
        (" ; ", "sex", []),
    ],
)
def test_values_are_read_as_the_variable_has_them(text: str, field: str, values: list[object]) -> None:
    assert read_values(text, field, DICTIONARY) == values


@pytest.mark.parametrize("text", ["1e999", "inf", "-Infinity", "NaN", "x"])
def test_what_is_no_number_stays_text(text: str) -> None:
    assert read_number(text) == text


def test_terms_and_groups_are_added_down_to_the_deepest() -> None:
    tree: dict[str, Any] = {"populations": {"0": {"name": "a"}}}
    path = "populations.0.where"
    for level in range(DEEPEST):
        add_to_filter(tree, path, group=True)
        path = f"{path}.terms.0" if level == 0 else f"{path}.terms.1"
    # The first group holds a condition and the next one; that is as deep as groups go.
    where = read_where(tree["populations"]["0"]["where"])
    assert where == Group("and", (Group("or", (Condition(), Group("and", (Condition(),)))),))
    add_to_filter(tree, "populations.0.where.terms.0.terms.1", group=False)
    where = read_where(tree["populations"]["0"]["where"])
    assert where == Group("and", (Group("or", (Condition(), Group("and", (Condition(), Condition())))),))


@pytest.mark.parametrize(
    "path",
    [
        "populations.9.where",
        "people.0.where",
        "populations.0.where.terms.7",
        "populations.0.where.terms.0",  # a condition holds no terms
        "populations.0.where.terms.0.terms.0.terms.0",
        "populations.0.name",
        "",
    ],
)
@pytest.mark.parametrize("group", [True, False])
def test_a_path_that_no_page_has_adds_nothing(path: str, group: bool) -> None:
    tree: dict[str, Any] = {
        "populations": {"0": {"name": "a", "where": {"terms": {"0": {"field": "sex"}}}}},
        "people": {"0": {}},
    }
    before = json.dumps(tree)
    add_to_filter(tree, path, group=group)
    assert json.dumps(tree) == before
