"""Words find variables in both languages, accents or not."""

from __future__ import annotations

import pytest

from hub.portal.searching import find, fold
from tests import factories

EVERYTHING = ["number", "employer", "wage", "sex", "born"]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("absent", []),
        ("salaire absent", []),
        ("Secrète", []),  # the values of an identifier are not public
        ("", EVERYTHING),
        ("   ", EVERYTHING),
        ("ELEVE", ["wage"]),
        ("élevé", ["wage"]),
        ("Salaire HIGH", ["wage"]),
        ("femme", ["sex"]),
        ("woman", ["sex"]),
        ("month", ["wage"]),
        ("number", ["number"]),
        ("wa", ["wage"]),
        ("de", ["born"]),
        ("&", ["wage"]),
        ("sex", ["sex"]),
        ("x" * 100_000, []),
    ],
)
def test_what_is_found(words: str, names: list[str]) -> None:
    assert list(find(factories.dictionary().public, words)) == names


def test_a_name_comes_before_a_label_and_a_label_before_a_category() -> None:
    dictionary = factories.dictionary()
    variables = dictionary.variables
    mixed = dictionary.model_copy(
        update={"variables": {"a": variables["sex"], "b": variables["born"], "sex": variables["wage"]}}
    )
    assert list(find(mixed, "sex")) == ["sex", "a"]


@pytest.mark.parametrize(("text", "folded"), [("Été", "ete"), ("L’âge", "l'age"), ("Straße", "strasse")])
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded
