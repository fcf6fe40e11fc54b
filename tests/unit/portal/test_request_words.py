"""Filters and samples as sentences."""

from __future__ import annotations

import pytest

from hub.portal.languages import Words
from hub.portal.request_words import filter_in_words, sample_in_words
from tests import factories

WAGE = {"field": "wage", "operator": ">", "values": [10.5]}
WOMEN = {"field": "sex", "operator": "==", "values": [2]}


@pytest.mark.parametrize(
    ("filter_", "fr", "en"),
    [
        (WOMEN, "sex est égal à 2 (femme)", "sex is 2 (woman)"),
        ({"and": [WOMEN, WAGE]}, "sex est égal à 2 (femme) et wage est supérieur à 10,5", None),
        (
            {"and": [{"or": [WOMEN, WAGE]}, {"not": WAGE}]},
            None,
            "(sex is 2 (woman) or wage is more than 10.5) and not (wage is more than 10.5)",
        ),
        (
            {"field": "wage", "operator": "between", "values": [1, 2]},
            "wage est compris entre 1 et 2",
            None,
        ),
        ({"field": "wage", "operator": "is missing"}, "wage est manquant", "wage is missing"),
        ("wage > 3", "wage > 3", "wage > 3"),
        ({"field": "wage", "operator": "like", "values": ["a"]}, "wage like a", None),
    ],
)
def test_a_filter_is_said(filter_: object, fr: str | None, en: str | None) -> None:
    for language, sentence in (("fr", fr), ("en", en)):
        if sentence is not None:
            assert filter_in_words(filter_, Words(language), factories.dictionary()) == sentence


def test_a_sample_is_said() -> None:
    assert sample_in_words({"share": 0.025, "per": "sex"}, Words("fr")) == (
        "2,5 % des unités, pour chaque valeur de sex"
    )
    assert sample_in_words({"count": 60000}, Words("en")) == "60000 units"
