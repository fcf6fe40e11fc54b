"""Registering: whatever differs is named by column and row, nothing is registered, nothing is left."""

from __future__ import annotations

import gzip
import stat
from datetime import date
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from hub.documents import parse
from hub.documents.dictionaries import Dictionary
from hub.domain.errors import Conflict, DocumentError, IntegrityError, NotFound, Refused
from hub.extraction import SourceDiffers, load_dictionary, load_source, register
from tests.unit.extraction.conftest import DICTIONARY, NOW, ROWS


def _left_behind(warehouse: Path) -> list[Path]:
    return list(warehouse.iterdir())


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("wage,born", "pay,born", [("missing_column", "wage", None), ("unexpected_column", "pay", None)]),
        ("wage,born", "wage,wage", [("missing_column", "born", None), ("unexpected_column", None, None)]),
        ("3,2026,a,2,,", "x4711,2026,a,2,,", [("wrong_type", "id", 2)]),
        ("3,2026,a,2,,", "3.0,2026,a,2,,", [("wrong_type", "id", 2)]),
        ("3,2026,a,2,,", "99999999999999999999,2026,a,2,,", [("wrong_type", "id", 2)]),
        ("3,2026,a,2,,", ",2026,a,2,,", [("missing_value", "id", 2)]),
        ("3,2026,a,2,,", "3,2027,a,2,,", [("outside_domain", "year", 2)]),
        ("3,2026,a,2,,", "3,2026,a,4711,,", [("outside_domain", "sex", 2)]),
        ("3,2026,a,2,,", "3,2026,a,2,-0.5,", [("outside_domain", "wage", 2)]),
        ("3,2026,a,2,,", "3,2026,a,2,NaN,", [("wrong_type", "wage", 2)]),
        ("3,2026,a,2,,", "3,2026,a,2,inf,", [("wrong_type", "wage", 2)]),
        ("1990-12-01", "1990-13-01", [("wrong_type", "born", 2)]),
        ("1990-12-01", "1990-2-1", [("wrong_type", "born", 2)]),
        ("false", "no", [("wrong_type", "works", 2)]),
        ("3,2026,a,2,,", "7,2026,a,2,,", [("duplicate_key", "id", 2)]),
        ("9,2025,b,1,0,,1", "9,2024,b,3,0,,", [
            ("outside_domain", "year", 3), ("outside_domain", "sex", 3), ("missing_value", "works", 3)
        ]),
    ],
)  # fmt: skip
def test_names_what_differs(
    dictionary: Dictionary, tmp_path: Path, warehouse: Path, old: str, new: str, expected: list[object]
) -> None:
    path = tmp_path / "bad.csv"
    text = "\n".join(ROWS) + "\n"
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(SourceDiffers) as refused:
        register(path, dictionary, warehouse=warehouse, now=NOW)
    found = [(d.code, d.column, d.row) for d in refused.value.differences]
    if new == "wage,wage":  # what the reader calls the second column is its own affair
        found = [(code, None if code == "unexpected_column" else column, row) for code, column, row in found]
    assert found == expected
    assert "4711" not in refused.value.en + refused.value.fr
    assert _left_behind(warehouse) == []


@pytest.mark.parametrize(
    ("file_line", "code"),
    [
        (f"file: {{format: csv, sha256: {'0' * 64}}}", "wrong_hash"),
        ("file: {format: csv, rows: 6}", "wrong_row_count"),
    ],
)
def test_hash_and_row_count_are_checked(csv: Path, warehouse: Path, file_line: str, code: str) -> None:
    strict = parse(Dictionary, DICTIONARY.replace("file: {format: csv}", file_line), name="d")
    with pytest.raises(SourceDiffers) as refused:
        register(csv, strict, warehouse=warehouse, now=NOW)
    assert [difference.code for difference in refused.value.differences] == [code]
    assert _left_behind(warehouse) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        ROWS[0].encode(),
        "\n".join([*ROWS, "8,2025,d,1,1,1980-01-01,true,extra4711"]).encode(),
        "\n".join([*ROWS, "8,2025"]).encode(),
        "\n".join([*ROWS, "8,2025,é,1,1,,true"]).encode("latin-1"),
        gzip.compress("\n".join(ROWS).encode())[:-20],
        b"\x1f\x8b broken",
    ],
    ids=["empty", "blank", "header", "too wide", "too narrow", "not utf-8", "cut gzip", "no gzip"],
)
def test_unreadable_files_are_refused(
    dictionary: Dictionary, tmp_path: Path, warehouse: Path, content: bytes
) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(Refused) as refused:
        register(path, dictionary, warehouse=warehouse, now=NOW)
    assert refused.value.code in {"unreadable_data", "source_differs"}
    assert "4711" not in refused.value.en
    assert _left_behind(warehouse) == []


def test_a_missing_file_or_bad_dictionary_is_refused(
    dictionary: Dictionary, csv: Path, warehouse: Path, tmp_path: Path
) -> None:
    with pytest.raises(Refused) as missing:
        register(tmp_path / "none.csv", dictionary, warehouse=warehouse, now=NOW)
    assert missing.value.code == "unreadable_file"
    document = tmp_path / "d.yaml"
    document.write_text(DICTIONARY + "surprise: 1\n", encoding="utf-8")
    with pytest.raises(DocumentError) as unknown:
        register(csv, document, warehouse=warehouse, now=NOW)
    assert (unknown.value.code, unknown.value.key) == ("unknown_key", "surprise")
    assert _left_behind(warehouse) == []


def test_a_taken_name_is_not_overwritten(
    dictionary: Dictionary, csv: Path, warehouse: Path, tmp_path: Path
) -> None:
    first = register(csv, dictionary, warehouse=warehouse, now=NOW)
    other = tmp_path / "other.csv"
    other.write_text("\n".join(ROWS[:-1]) + "\n", encoding="utf-8")
    with pytest.raises(Conflict) as taken:
        register(other, dictionary, warehouse=warehouse, now=NOW)
    assert taken.value.code == "source_exists"
    assert load_source(warehouse, "toy") == first


def test_registering_again_changes_nothing(dictionary: Dictionary, csv: Path, warehouse: Path) -> None:
    first = register(csv, dictionary, warehouse=warehouse, now=NOW)
    again = register(csv, dictionary, warehouse=warehouse, now=NOW.replace(year=2027))
    assert again == first
    assert [path.name for path in warehouse.iterdir()] == ["toy"]
    assert stat.S_IMODE((warehouse / "toy").stat().st_mode) == 0o550
    assert {stat.S_IMODE(path.stat().st_mode) for path in (warehouse / "toy").iterdir()} == {0o440}


def test_a_damaged_source_is_not_taken_for_registered(
    dictionary: Dictionary, csv: Path, warehouse: Path
) -> None:
    register(csv, dictionary, warehouse=warehouse, now=NOW)
    data = warehouse / "toy" / "data.parquet"
    data.chmod(0o600)
    data.write_bytes(data.read_bytes() + b"x")
    with pytest.raises(IntegrityError):
        register(csv, dictionary, warehouse=warehouse, now=NOW)


@pytest.mark.parametrize("name", ["none", "..", ".", "", "../warehouse/toy", ".toy.staging", "/etc"])
def test_only_registered_names_are_found(
    dictionary: Dictionary, csv: Path, warehouse: Path, name: str
) -> None:
    register(csv, dictionary, warehouse=warehouse, now=NOW)
    with pytest.raises(NotFound):
        load_source(warehouse, name)


def _expected() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "id": [7, 3, 9, 1, 2],
            "year": [2025, 2026, 2025, 2025, 2026],
            "house": ["a", "a", "b", "a", "c"],
            "sex": [1, 2, 1, 2, 2],
            "wage": [100.5, None, 0.0, 2500.0, 31.25],
            "born": [date(1980, 1, 31), date(1990, 12, 1), None, date(2001, 2, 28), date(1975, 7, 14)],
            "works": [True, False, True, False, True],
        }
    )


@pytest.mark.parametrize("form", ["csv", "csv.gz", "parquet", "dta"])
def test_all_formats_give_the_same_source(
    dictionary: Dictionary, csv: Path, warehouse: Path, tmp_path: Path, form: str
) -> None:
    path = tmp_path / f"source [1]*.{form}"  # brackets and stars are letters here, not patterns
    if form == "csv":
        path.write_bytes(csv.read_bytes())
    elif form == "csv.gz":
        path.write_bytes(gzip.compress(csv.read_bytes()))
    elif form == "parquet":
        _expected().write_parquet(path)
    else:
        frame = _expected().to_pandas()
        frame["born"] = pd.to_datetime(frame["born"])
        frame["works"] = frame["works"].astype("int8")
        frame.to_stata(path, write_index=False, convert_dates={"born": "td"})
    kind = {"csv": "csv", "csv.gz": "csv", "parquet": "parquet", "dta": "stata"}[form]
    described = DICTIONARY.replace("format: csv", f"format: {kind}")
    record = register(path, parse(Dictionary, described, name="d"), warehouse=warehouse, now=NOW)
    assert record.rows == 5
    assert pl.read_parquet(warehouse / "toy" / "data.parquet").equals(_expected())
    assert load_dictionary(warehouse, "toy").digest == record.dictionary_sha256
    assert sorted(p.name for p in (warehouse / "toy").iterdir()) == [
        "data.parquet", "dictionary.json", "source.json"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("column", "values", "row"),
    [
        ("id", ["7", "3", "9", "1", "2"], None),
        ("id", [7.0, 3.0, 9.0, 1.0, 2.0], None),
        ("wage", [1.0, float("nan"), 0.0, 1.0, 1.0], 2),
        ("works", [1, 0, 1, 0, 1], None),
    ],
)
def test_a_parquet_file_has_the_declared_types(
    warehouse: Path, tmp_path: Path, column: str, values: list[object], row: int | None
) -> None:
    path = tmp_path / "bad.parquet"
    _expected().with_columns(pl.Series(column, values)).write_parquet(path)
    described = parse(Dictionary, DICTIONARY.replace("format: csv", "format: parquet"), name="d")
    with pytest.raises(SourceDiffers) as refused:
        register(path, described, warehouse=warehouse, now=NOW)
    assert [(d.code, d.column, d.row) for d in refused.value.differences] == [("wrong_type", column, row)]


@pytest.mark.parametrize("kind", ["parquet", "stata"])
def test_a_file_of_another_format_is_refused(csv: Path, warehouse: Path, kind: str) -> None:
    described = parse(Dictionary, DICTIONARY.replace("format: csv", f"format: {kind}"), name="d")
    with pytest.raises(Refused) as refused:
        register(csv, described, warehouse=warehouse, now=NOW)
    assert refused.value.code == "unreadable_data"
    assert _left_behind(warehouse) == []
