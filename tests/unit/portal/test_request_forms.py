"""The form and the document are two ways of writing the same request."""

from __future__ import annotations

import pytest

from hub.documents.dictionaries import Dictionary
from hub.portal import request_forms
from tests import factories

DICTIONARY = factories.dictionary()


def lookup(name: str) -> Dictionary | None:
    return DICTIONARY if name == "register" else None


def read(**fields: str | list[str]) -> dict[str, object]:
    form = {name.replace("__", "."): [v] if isinstance(v, str) else v for name, v in fields.items()}
    return request_forms.read_form(form, lookup)


def test_an_empty_form_holds_nothing_but_what_is_always_delivered() -> None:
    assert read() == {"formats": ["parquet"]}


@pytest.mark.parametrize(
    ("sample", "size"),
    [({"share": 0.025}, "2.5"), ({"count": 500}, "500"), ({"share": 0.05, "per": "sex"}, "5")],
)
def test_a_sample_comes_back_from_the_form_as_it_was(sample: dict[str, object], size: str) -> None:
    shown = request_forms.sample_of(sample)
    assert shown["size"] == size
    form = {f"populations.0.sample.{name}": [text] for name, text in shown.items()}
    assert request_forms.read_form(form, lookup)["populations"] == [{"sample": sample}]


def test_a_join_comes_back_from_the_form_as_it_was() -> None:
    wage = {"variable": "wage", "level": "raw", "justification": "Needed."}
    part = {"source": "atlas", "unit": "sector", "columns": [wage, "sex"]}
    form = {
        "datasets.0.source": ["register"],
        "datasets.0.through.0.source": ["atlas"],
        "datasets.0.through.0.unit": ["sector"],
        **{f"datasets.0.through.0.columns.0.{name}": [text] for name, text in wage.items()},
        "datasets.0.through.0.columns.1.variable": ["sex"],
        "datasets.0.through.1.unit": ["employer"],
    }
    content = request_forms.read_form(form, lookup)
    assert content["datasets"] == [{"source": "register", "through": [part, {"unit": "employer"}]}]


def test_what_is_removed_is_gone_and_the_rest_keeps_its_order() -> None:
    tree = request_forms.tree_of({f"people.{n}.username": [f"p{n}"] for n in (10, 2, 1)})
    request_forms.remove(tree, "people.2")
    people = request_forms.content_of_tree(tree, lookup)["people"]
    assert people == [{"username": "p1"}, {"username": "p10"}]


@pytest.mark.parametrize(
    "name", ["a", "people.x.username", "datasets.0.columns.0.variable.0.0.0.0.0.0.0", "people.0"]
)
def test_names_that_no_form_of_ours_has_hold_nothing(name: str) -> None:
    content = request_forms.read_form({name: ["x"]}, lookup)
    assert "people" not in content
    assert "datasets" not in content


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("datasets[0].columns[12].level", "datasets.0.columns.12.level"),
        ("populations[1].filter.and[0].field", "populations.1.where.terms.0"),
        ("populations[1].filter.not.or[2].not.and[0].values", "populations.1.where.terms.2.terms.0"),
        ("datasets[0].filter.not.field", "datasets.0.where"),
        ("datasets[0].filter", "datasets.0.where"),
        ("datasets[0].filter.and[1].or[0].and[2].or[3].field", "datasets.0.where.terms.1.terms.0.terms.2"),
        ("datasets[0].through[1].columns[2].level", "datasets.0.through.1.columns.2.level"),
        ("slug", "slug"),
    ],
)
def test_a_problem_finds_its_field(field: str, name: str) -> None:
    assert request_forms.field_id(field) == name
