"""The dictionary in the words of others: structure, both languages, nothing but what is public."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from hub.documents import parse, read
from hub.documents.base import Text
from hub.documents.dictionaries import Dictionary
from hub.documents.exports import dcat, ddi_codebook, table_schema
from tests import factories
from tests.conftest import ROOT
from tests.ddi import schema_errors

PAGE = "http://vitrine.test/services/portal/dictionary/register"
DDI = "{ddi:codebook:2_5}"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
# The schema's sequence for a variable, as far as we write it.
VAR_ORDER = ["labl", "security", "valrng", "txt", "stdCatgry", "catgry", "varFormat", "notes"]


def cps() -> Dictionary:
    return read(Dictionary, ROOT / "examples" / "cps" / "dictionary.yaml").public


def codebook(dictionary: Dictionary) -> ET.Element:
    return ET.fromstring(ddi_codebook(dictionary, page=PAGE))  # noqa: S314  # our own output


def variables(root: ET.Element) -> dict[str, ET.Element]:
    return {str(var.get("name")): var for var in root.iter(f"{DDI}var")}


def texts(element: ET.Element, tag: str) -> dict[str | None, str | None]:
    return {found.get(LANG): found.text for found in element.findall(f"{DDI}{tag}")}


@pytest.mark.parametrize("secret", ["7411", "9422", "BE-0417", "Secrète", "Secret Works"])
def test_no_export_of_the_public_dictionary_has_values_of_identifiers(secret: str) -> None:
    public = factories.dictionary().public
    written = [
        ddi_codebook(public, page=PAGE).decode(),
        json.dumps(table_schema(public, "fr"), ensure_ascii=False),
        json.dumps(dcat(public, page=PAGE), ensure_ascii=False),
    ]
    assert [secret in text for text in written] == [False] * 3


def test_what_xml_cannot_hold_does_not_break_the_codebook() -> None:
    dictionary = factories.dictionary()
    strange = Text(fr="a\x00b\x1b\ufffec ]]> <x>", en="\x08")
    wage = dictionary.variables["wage"].model_copy(update={"label": strange})
    changed = dictionary.model_copy(update={"variables": {**dictionary.variables, "wage": wage}})
    labels = texts(variables(codebook(changed))["wage"], "labl")
    assert labels == {"fr": "a\ufffdb\ufffd\ufffdc ]]> <x>", "en": "\ufffd"}


def test_the_codebook_has_its_parts_in_the_order_of_the_schema() -> None:
    root = codebook(cps())
    assert root.tag == f"{DDI}codeBook"
    assert root.get("version") == "2.5"
    assert [part.tag.removeprefix(DDI) for part in root] == ["stdyDscr", "fileDscr", "dataDscr"]
    for var in variables(root).values():
        order = [VAR_ORDER.index(child.tag.removeprefix(DDI)) for child in var]
        assert order == sorted(order)
        assert len(var.findall(f"{DDI}security")) <= 1  # the schema allows one only
    ids = [element.get("ID") for element in root.iter() if element.get("ID")]
    assert len(set(ids)) == len(ids) == 69


def test_the_codebook_says_what_the_dictionary_says() -> None:
    dictionary = factories.dictionary().public
    root = codebook(dictionary)
    title = root.find(f"{DDI}stdyDscr/{DDI}citation/{DDI}titlStmt")
    assert title is not None
    assert texts(title, "titl") == {"fr": "Registre d’essai"}
    assert texts(title, "parTitl") == {"en": "Test register"}
    found = variables(root)
    assert list(found) == list(dictionary.variables)
    assert texts(found["wage"], "labl") == {"fr": "Salaire élevé & <brut>", "en": "High & <gross> wage"}
    limits = found["wage"].find(f"{DDI}valrng/{DDI}range")
    assert limits is not None
    assert limits.attrib == {"UNITS": "REAL", "min": "0.5"}
    categories = found["sex"].findall(f"{DDI}catgry")
    assert [(c.findtext(f"{DDI}catValu"), texts(c, "labl")) for c in categories] == [
        ("1", {"fr": "homme", "en": "man"}),
        ("2", {"fr": "femme", "en": "woman"}),
    ]
    assert found["number"].findtext(f"{DDI}security", "").startswith("Identifiant direct, jamais remis.")
    assert found["sex"].get("intrvl") == "discrete"
    assert found["wage"].get("intrvl") == "contin"
    assert found["number"].find(f"{DDI}valrng") is None
    assert [(t.get("event"), t.get("date")) for t in root.iter(f"{DDI}timePrd")] == [
        ("start", "2020-01-01"),
        ("end", "2020-03-31"),
    ]


@pytest.mark.parametrize(("language", "title"), [("fr", "Sexe"), ("en", "Sex")])
def test_the_table_schema_in_each_language(language: str, title: str) -> None:
    schema = table_schema(factories.dictionary().public, language)
    fields: dict[str, dict[str, Any]] = {field["name"]: field for field in schema["fields"]}
    assert schema["$schema"] == "https://datapackage.org/profiles/2.0/tableschema.json"
    assert schema["primaryKey"] == ["number"]
    assert {name: field["type"] for name, field in fields.items()} == {
        "number": "integer",
        "employer": "string",
        "wage": "number",
        "sex": "integer",
        "born": "date",
    }
    assert fields["sex"]["title"] == title
    assert fields["sex"]["titles"] == {"fr": "Sexe", "en": "Sex"}
    assert fields["sex"]["constraints"] == {"required": True, "enum": [1, 2]}
    assert [category["value"] for category in fields["sex"]["categories"]] == [1, 2]
    assert fields["wage"]["constraints"] == {"required": False, "minimum": 0.5}
    assert fields["number"]["constraints"] == {"required": True}
    assert [name for name, field in fields.items() if not field["deliverable"]] == ["number", "employer"]


def test_the_dataset_as_a_catalogue_wants_it() -> None:
    told = dcat(factories.dictionary().public, page=PAGE)
    prefixes = told["@context"]
    assert all(":" not in key or key.partition(":")[0] in prefixes for key in told)
    assert told["@type"] == "dcat:Dataset"
    assert told["@id"] == f"{PAGE}#dataset"
    assert {t["@language"]: t["@value"] for t in told["dct:title"]} == {
        "fr": "Registre d’essai",
        "en": "Test register",
    }
    assert {t["@language"] for t in told["dct:description"]} == {"fr", "en"}
    assert told["dct:publisher"] == {"@type": "foaf:Agent", "foaf:name": "The office"}
    assert [language["@id"][-3:] for language in told["dct:language"]] == ["FRA", "ENG"]
    assert told["dct:accessRights"]["@id"].endswith("/access-right/RESTRICTED")
    assert "dcat:distribution" not in told  # the data cannot be downloaded


@pytest.mark.parametrize(
    ("words", "licence"),
    [
        ("CC0-1.0", {"@id": "http://publications.europa.eu/resource/authority/licence/CC0"}),
        ("Restricted", {"rdfs:label": "Restricted"}),
    ],
)
def test_a_licence_has_its_address_or_its_words(words: str, licence: dict[str, str]) -> None:
    dictionary = factories.dictionary().model_copy(update={"licence": words})
    assert dcat(dictionary, page=PAGE)["dct:license"] == {"@type": "dct:LicenseDocument", **licence}


def german() -> Dictionary:
    """The test register with a German title and one German label."""
    dictionary = factories.dictionary().public
    variables = dict(dictionary.variables)
    label = variables["sex"].label.model_copy(update={"de": "Geschlecht"})
    variables["sex"] = variables["sex"].model_copy(update={"label": label})
    title = dictionary.title.model_copy(update={"de": "Testregister"})
    return dictionary.model_copy(update={"title": title, "variables": variables})


def test_german_stands_where_the_dictionary_has_it_and_nowhere_else() -> None:
    root = codebook(german())
    title = root.find(f"{DDI}stdyDscr/{DDI}citation/{DDI}titlStmt")
    assert title is not None
    assert texts(title, "parTitl") == {"en": "Test register", "de": "Testregister"}
    found = variables(root)
    assert texts(found["sex"], "labl") == {"fr": "Sexe", "en": "Sex", "de": "Geschlecht"}
    assert set(texts(found["wage"], "labl")) == {"fr", "en"}
    told = dcat(german(), page=PAGE)
    assert {"@value": "Testregister", "@language": "de"} in told["dct:title"]
    assert [language["@id"][-3:] for language in told["dct:language"]] == ["FRA", "ENG", "DEU"]
    fields = {field["name"]: field for field in table_schema(german(), "de")["fields"]}
    assert fields["sex"]["title"] == "Geschlecht"
    assert fields["sex"]["titles"] == {"fr": "Sexe", "en": "Sex", "de": "Geschlecht"}
    assert fields["born"]["title"] == "Date of birth"


OFFERED = """\
name: register
title: {fr: "Registre", en: "Register"}
description: {fr: "d", en: "d"}
licence: CC0-1.0
access: open
origin: made
reference_period: {first: 2005-01-01, last: 2005-12-31}
file: {format: parquet}
version: "2005.2"
code_lists:
  sexes:
    title: {fr: "Sexes", en: "Sexes"}
    version: "ISO 5218:2004"
    codes: [{value: 1, label: {fr: h, en: m}}]
unit_types:
  person: {title: {fr: p, en: p}, key: [nr], pseudonym: person_id, registry: national_register}
  sector: {title: {fr: s, en: s}, key: [nr], pseudonym: sector_id}
record: {unit: person, key: [nr]}
variables:
  nr: {type: integer, label: {fr: n, en: n}, identifying: direct}
  sex: {type: integer, label: {fr: s, en: s}, code_list: sexes, identifying: indirect, last: 2005-06}
  rent:
    type: integer
    label: {fr: r, en: r}
    describes: sector
    first: 2005-02
    levels: {raw: ~, band: tens, class: halves}
"""


def offered() -> Dictionary:
    return parse(Dictionary, OFFERED, name="register.yaml").public


def notes(element: ET.Element) -> dict[str | None, str | None]:
    return {note.get("type"): note.text for note in element.findall(f"{DDI}notes")}


def test_the_codebook_says_what_may_be_asked_for() -> None:
    written = ddi_codebook(offered(), page=PAGE)
    assert schema_errors(written) == []
    root = codebook(offered())
    assert root.findtext(f"{DDI}stdyDscr/{DDI}citation/{DDI}verStmt/{DDI}version") == "2005.2"
    units = root.findall(f"{DDI}fileDscr/{DDI}notes")
    assert [(note.get("subject"), note.text) for note in units] == [
        ("person", "key: nr; pseudonym: person_id; register: national_register"),
        ("sector", "key: nr; pseudonym: sector_id"),
    ]
    found = variables(root)
    assert notes(found["nr"]) == {"identifying": "direct"}
    assert notes(found["sex"]) == {
        "identifying": "indirect",
        "last": "2005-06",
        "levels": "raw",
        "default": "raw",
    }
    assert notes(found["rent"]) == {
        "describes": "sector",
        "first": "2005-02",
        "levels": "raw, band tens, class halves",
        "default": "class",
    }
    assert found["sex"].findtext(f"{DDI}stdCatgry") == "sexes, ISO 5218:2004"


def test_the_table_schema_says_what_may_be_asked_for() -> None:
    schema = table_schema(offered(), "en")
    assert (schema["version"], schema["recordUnit"]) == ("2005.2", "person")
    assert schema["unitTypes"]["person"]["register"] == "national_register"
    assert "register" not in schema["unitTypes"]["sector"]
    fields = {field["name"]: field for field in schema["fields"]}
    assert "levels" not in fields["nr"]
    assert [field["identifying"] for field in fields.values()] == ["direct", "indirect", "none"]
    assert fields["sex"]["codeList"] == {"name": "sexes", "title": "Sexes", "version": "ISO 5218:2004"}
    assert fields["sex"]["lastMonth"] == "2005-06"
    assert (fields["rent"]["firstMonth"], fields["rent"]["describes"]) == ("2005-02", "sector")
    assert fields["rent"]["levels"] == [
        {"level": "raw", "default": False},
        {"level": "band", "default": False, "scheme": "tens"},
        {"level": "class", "default": True, "scheme": "halves"},
    ]


def test_open_data_are_public_in_a_catalogue_and_others_are_not() -> None:
    told = dcat(offered(), page=PAGE)
    assert told["dct:accessRights"]["@id"].endswith("/access-right/PUBLIC")
    assert told["dcat:version"] == "2005.2"
    closed = offered().model_copy(update={"access": None, "version": None})
    assert dcat(closed, page=PAGE)["dct:accessRights"]["@id"].endswith("/access-right/RESTRICTED")
    assert "dcat:version" not in dcat(closed, page=PAGE)
