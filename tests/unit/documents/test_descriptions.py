"""Descriptions of variables: in the languages of labels, or plain text, which is English."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from hub.documents import parse, read
from hub.documents.dictionaries import Dictionary, Variable
from hub.documents.exports import ddi_codebook, table_schema
from hub.domain.errors import DocumentError
from hub.portal.searching import find
from tests import factories
from tests.conftest import ROOT

PLAIN = 'description: "Per month."'
EACH = 'description: {fr: "Par mois.", en: "Per month.", de: "Pro Monat."}'
EXAMPLES = [
    *sorted(ROOT.glob("examples/*/dictionaries/*.yaml")),
    ROOT / "examples" / "cps" / "dictionary.yaml",
]


def dictionary(description: str) -> Dictionary:
    assert PLAIN in factories.DICTIONARY
    return parse(Dictionary, factories.DICTIONARY.replace(PLAIN, description), name="register.yaml").public


def wage(description: str) -> Variable:
    return dictionary(description).variables["wage"]


@pytest.mark.parametrize(
    ("description", "code"),
    [
        ('description: {fr: "Par mois."}', "missing_key"),
        ('description: {fr: "a", en: "b", nl: "c"}', "unknown_key"),
        ('description: {fr: "", en: "b"}', "bad_value"),
        ("description: 12", "wrong_type"),
        (f'description: {{fr: "a", en: "{"x" * 2001}"}}', "bad_value"),
        (f'description: "{"x" * 2001}"', "bad_value"),
    ],
)
def test_what_is_no_description_is_refused(description: str, code: str) -> None:
    with pytest.raises(DocumentError) as refused:
        wage(description)
    assert refused.value.code == code
    assert refused.value.key is not None
    assert refused.value.key.startswith("variables.wage.description")


@pytest.mark.parametrize(
    ("description", "language", "told"),
    [
        (PLAIN, "fr", ("Per month.", "en")),
        (PLAIN, "en", ("Per month.", "en")),
        (EACH, "fr", ("Par mois.", "fr")),
        (EACH, "de", ("Pro Monat.", "de")),
        ('description: {fr: "Par mois.", en: "Per month."}', "de", ("Per month.", "en")),
        ("missing_allowed: true", "fr", ("", "en")),
    ],
)
def test_a_reader_gets_their_language_or_english_and_is_told_which(
    description: str, language: str, told: tuple[str, str]
) -> None:
    text = factories.DICTIONARY.replace(f"{PLAIN}, missing_allowed: true", description)
    assert text != factories.DICTIONARY or description == PLAIN
    found = parse(Dictionary, text, name="register.yaml").variables["wage"]
    assert found.described(language) == told


def test_plain_text_keeps_the_hash_that_it_had() -> None:
    """Registered sources are known by the hash of their dictionary."""
    assert json.loads(dictionary(PLAIN).to_json())["variables"]["wage"]["description"] == "Per month."
    again = Dictionary.model_validate_json(dictionary(EACH).to_json())
    assert again == dictionary(EACH)


@pytest.mark.parametrize("words", ["par mois", "PER MONTH", "pro Monat"])
def test_a_search_finds_it_in_every_language(words: str) -> None:
    assert list(find(dictionary(EACH), words)) == ["wage"]


def test_exports_have_every_language() -> None:
    root = ET.fromstring(ddi_codebook(dictionary(EACH), page="http://x.test"))  # noqa: S314  # our own output
    texts = {
        e.get("{http://www.w3.org/XML/1998/namespace}lang"): e.text
        for e in root.iter("{ddi:codebook:2_5}txt")
    }
    assert texts == {"fr": "Par mois.", "en": "Per month.", "de": "Pro Monat."}
    (field,) = (one for one in table_schema(dictionary(EACH), "de")["fields"] if one["name"] == "wage")
    assert (field["description"], field["descriptions"]) == ("Pro Monat.", texts)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_described_in_three_languages(path: Path) -> None:
    for name, variable in read(Dictionary, path).variables.items():
        assert set(variable.descriptions) in (set(), {"fr", "en", "de"}), name
