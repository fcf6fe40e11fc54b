"""The form and the document are two ways of writing the same request."""

from __future__ import annotations

import pytest

from hub.portal import request_forms
from tests import factories

DICTIONARY = factories.dictionary()


def lookup(name: str) -> object:
    return DICTIONARY if name == "register" else None


def read(**fields: str | list[str]) -> dict[str, object]:
    form = {name.replace("__", "."): [v] if isinstance(v, str) else v for name, v in fields.items()}
    return request_forms.read_form(form, lookup)  # type: ignore[arg-type]  # the fixed dictionary


def test_an_empty_form_holds_nothing_but_what_is_always_delivered() -> None:
    assert read() == {"formats": ["parquet"]}


@pytest.mark.parametrize(
    ("filter_", "rows", "yaml"),
    [
        ({"field": "wage", "operator": ">", "values": [10]}, 1, False),
        ({"and": [{"field": "sex", "operator": "==", "values": [1]}] * 2}, 2, False),
        ({"or": [{"field": "wage", "operator": "is missing"}] * 3}, 3, False),
        ({"not": {"field": "wage", "operator": "is missing"}}, 0, True),
        ({"and": [{"not": {"field": "sex", "operator": "in", "values": [1, 2]}}]}, 0, True),
        ("and: [", 0, True),
    ],
)
def test_a_filter_comes_back_from_the_form_as_it_was(filter_: object, rows: int, yaml: bool) -> None:
    shown = request_forms.where_of(filter_)
    assert len(shown["rows"]) == rows
    assert bool(shown["yaml"]) is yaml
    fields = {"where.join": shown["join"], "where.yaml": shown["yaml"]}
    for n, row in enumerate(shown["rows"]):
        fields |= {f"where.rows.{n}.{name}": text for name, text in row.items()}
    form = {f"populations.0.{name}": [text] for name, text in fields.items()}
    form["populations.0.source"] = ["register"]
    content = request_forms.read_form(form, lookup)  # type: ignore[arg-type]
    assert content["populations"][0]["filter"] == filter_


@pytest.mark.parametrize(
    ("sample", "size"),
    [({"share": 0.025}, "2.5"), ({"count": 500}, "500"), ({"share": 0.05, "per": "sex"}, "5")],
)
def test_a_sample_comes_back_from_the_form_as_it_was(sample: dict[str, object], size: str) -> None:
    shown = request_forms.sample_of(sample)
    assert shown["size"] == size
    form = {f"populations.0.sample.{name}": [text] for name, text in shown.items()}
    assert request_forms.read_form(form, lookup)["populations"] == [{"sample": sample}]  # type: ignore[arg-type]


def test_what_is_removed_is_gone_and_the_rest_keeps_its_order() -> None:
    tree = request_forms.tree_of({f"people.{n}.username": [f"p{n}"] for n in (10, 2, 1)})
    request_forms.remove(tree, "people.2")
    people = request_forms.content_of_tree(tree, lookup)["people"]  # type: ignore[arg-type]
    assert people == [{"username": "p1"}, {"username": "p10"}]


@pytest.mark.parametrize(
    "name", ["a", "people.x.username", "datasets.0.columns.0.variable.0.0.0.0", "people.0"]
)
def test_names_that_no_form_of_ours_has_hold_nothing(name: str) -> None:
    content = request_forms.read_form({name: ["x"]}, lookup)  # type: ignore[arg-type]
    assert "people" not in content
    assert "datasets" not in content


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("datasets[0].columns[12].level", "datasets.0.columns.12.level"),
        ("populations[1].filter.and[0].field", "populations.1.where"),
        ("slug", "slug"),
    ],
)
def test_a_problem_finds_its_field(field: str, name: str) -> None:
    assert request_forms.field_id(field) == name
