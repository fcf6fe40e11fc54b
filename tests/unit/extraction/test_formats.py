"""CSV and Stata beside Parquet hold the same; the codebooks say what the columns mean."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from xml.etree import ElementTree as ET

import pandas as pd
import polars as pl
import pytest

from hub.domain.errors import Refused
from hub.extraction import extract, verify_extract
from hub.extraction.codebook_ddi import codebook_ddi
from hub.extraction.formats import write_stata
from tests.unit.extraction import registers
from tests.unit.extraction.conftest import MASTER_KEY, NOW
from tests.unit.extraction.registers import LIMITS, SCHEMES, planned

TEXT = """\
formats: [parquet, csv, stata]
populations:
  - {name: all, source: persons, unit: person, sample: {count: 30}}
  - {name: rest, source: persons, unit: person}
datasets:
  - name: people
    source: persons
    of: [all, rest]
    units: [person, household]
    mark: part
    columns: [month, age, sex]
    through: [{source: atlas, unit: sector, columns: [rent]}]
  - {name: jobs, source: jobs, of: [all], units: [person, employer], columns: [month, wage]}
"""
DDI = "{ddi:codebook:2_5}"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("formats")
    warehouse = registers.register_all(directory)
    extract(
        planned(warehouse, TEXT), warehouse=warehouse, master_key=MASTER_KEY, into=directory / "v1",
        now=NOW, schemes=SCHEMES, areas=LIMITS,
    )  # fmt: skip
    return directory / "v1"


@pytest.mark.parametrize(
    ("column", "values"), [("big", [2**53 + 1]), ("text", ["x" * 3000]), ("big", [None, -(2**60)])]
)
def test_what_stata_cannot_hold_is_refused_with_its_column(
    tmp_path: Path, column: str, values: list[object]
) -> None:
    pl.DataFrame({column: values}).write_parquet(tmp_path / "t.parquet")
    described = {
        "name": "t",
        "title": {"fr": "t"},
        "columns": [{"name": column, "type": "integer", "label": {"fr": "x"}}],
    }
    with pytest.raises(Refused) as refused:
        write_stata(tmp_path / "t.parquet", tmp_path / "t.dta", described)
    assert (refused.value.code, refused.value.field) == ("unwritable_in_stata", "formats")
    assert column in refused.value.en


@pytest.mark.parametrize("name", ["people", "jobs"])
def test_every_format_holds_the_same_rows(made: Path, name: str) -> None:
    table = pl.read_parquet(made / f"{name}.parquet")
    text = pl.read_csv(made / f"{name}.csv", try_parse_dates=True)
    assert text.cast(table.schema).equals(table)  # type: ignore[arg-type]
    stata = pd.read_stata(made / f"{name}.dta", convert_categoricals=False)
    assert list(stata.columns) == table.columns
    for column in table.columns:
        found = stata[column].tolist()
        if table.schema[column] == pl.Date:
            found = [moment.date() for moment in found]
        assert found == table[column].to_list()


def test_stata_has_the_labels(made: Path) -> None:
    with pd.read_stata(made / "people.dta", iterator=True) as reader:
        assert reader.variable_labels()["age"] == "age"
        assert reader.value_labels()["part"] == {1: "all", 2: "rest"}
        assert reader.value_labels()["rent"] == {0: "bas", 50: "haut"}
        assert reader.data_label == "Personnes"


def test_missing_values_are_missing_in_every_format(tmp_path: Path) -> None:
    table = pl.DataFrame(
        {
            "n": pl.Series([1, None], dtype=pl.Int16),
            "f": [None, 1.5],
            "b": [True, None],
            "d": [date(2026, 1, 31), None],
            "s": ["a", None],
        }
    )
    table.write_parquet(tmp_path / "t.parquet")
    kinds = {"n": "integer", "f": "float", "b": "boolean", "d": "date", "s": "string"}
    columns = [{"name": name, "type": kind, "label": {"fr": name}} for name, kind in kinds.items()]
    write_stata(
        tmp_path / "t.parquet",
        tmp_path / "t.dta",
        {"name": "t", "title": {"fr": "t"}, "columns": columns},
    )
    stata = pd.read_stata(tmp_path / "t.dta")
    assert stata.isna().to_numpy().tolist() == [
        [False, True, False, False, False],
        [True, False, True, True, False],
    ]
    assert stata["s"].tolist() == ["a", ""]  # Stata's missing text is the empty one


def test_all_files_are_listed_and_sealed(made: Path) -> None:
    manifest = verify_extract(made)
    assert {file.name for file in manifest.files} == {
        *(f"{name}.{form}" for name in ("people", "jobs") for form in ("parquet", "csv", "dta")),
        "codebook.json",
        "codebook.html",
        "codebook.xml",
    }
    assert manifest.rows == sum(
        pl.read_parquet(made / f"{name}.parquet").height for name in ("people", "jobs")
    )


def test_the_ddi_codebook_has_every_column_of_every_table(made: Path) -> None:
    content = json.loads((made / "codebook.json").read_text())
    assert codebook_ddi(content) == (made / "codebook.xml").read_bytes()
    root = ET.fromstring((made / "codebook.xml").read_bytes())  # noqa: S314  # our own output
    found = [(var.get("files"), var.get("name")) for var in root.iter(f"{DDI}var")]
    expected = [
        (f"F{number}", column["name"])
        for number, table in enumerate(content["tables"], start=1)
        for column in table["columns"]
    ]
    assert found == expected
    language = "{http://www.w3.org/XML/1998/namespace}lang"
    titles = [
        [
            (title.tag.removeprefix(DDI), title.get(language))
            for title in citation.iter()
            if title.get(language)
        ]
        for citation in root.iter(f"{DDI}fileCitation")
    ]
    two = [("titl", "fr"), ("parTitl", "en")]
    assert sorted(titles, key=len) == [two, [*two, ("parTitl", "de")]]
    assert [len(text.findall(f"{DDI}fileCont")) for text in root.iter(f"{DDI}fileTxt")] == [0, 0]


CODES = frozenset(["integer", "float", "string", "boolean", "raw", "class", "band", "group"])


def test_the_page_has_the_signs_and_words_of_each_language(made: Path) -> None:
    """Types and levels are words in French and German; French has a narrow space before a colon."""
    page = (made / "codebook.html").read_text(encoding="utf-8")
    parts = {language: page[page.index(f'<section id="{language}"') :] for language in ("fr", "en", "de")}
    parts = {language: part.partition("</section>")[0] for language, part in parts.items()}
    cells = {language: set(re.findall(r"<td>([^<]+)", part)) for language, part in parts.items()}
    assert "entier" in cells["fr"]
    assert "ganze Zahl" in cells["de"]
    assert any(cell.startswith(("valeur brute", "classes\u202f: ")) for cell in cells["fr"])
    assert any(cell.startswith(("Rohwert", "Klassen: ")) for cell in cells["de"])
    for language in ("fr", "de"):
        assert not cells[language] & CODES
    assert re.search(r"Source\u202f: \w", parts["fr"])
    assert not re.search(r"[^\u202f\d]: ", re.sub(r"<[^>]+>", "", parts["fr"]))


def test_the_page_speaks_german_where_the_dictionary_does(made: Path) -> None:
    page = (made / "codebook.html").read_text(encoding="utf-8")
    assert '<section id="de" lang="de">' in page
    assert "über eine nicht gelieferte Einheit verknüpft" in page
    assert "Personen" in page
