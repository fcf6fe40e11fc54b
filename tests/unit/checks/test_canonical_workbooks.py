"""Workbooks: values of what is visible leave as CSV, and everything that hides is named."""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import Callable

import openpyxl
import pytest

from hub.checks import Severity
from hub.checks.canonical import take_in
from hub.checks.rewriting import Canonical
from tests.unit.checks.samples import THRESHOLDS

Book = openpyxl.Workbook


def saved(change: Callable[[Book], None] = lambda _: None) -> bytes:
    book = Book()
    sheet = book.active
    sheet.title = "Table 1"
    for row in (["age", "n", "mean"], ["18-34", 120, 31200.5], ["35-49", 153, 41877.1]):
        sheet.append(row)
    change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def with_part(data: bytes, path: str, content: bytes) -> bytes:
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr(path, content)
    return out.getvalue()


def with_changed(data: bytes, path: str, old: bytes, new: bytes) -> bytes:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(out, "w") as target,
    ):
        for name in source.namelist():
            content = source.read(name)
            if name == path:
                assert old in content
                content = content.replace(old, new)
            target.writestr(name, content)
    return out.getvalue()


def rewrite(data: bytes) -> Canonical:
    return take_in(data, "book.xlsx", THRESHOLDS)


def told(made: Canonical) -> dict[str, Severity]:
    return {one.rule: one.severity for one in made.changes}


PLAIN = "age,n,mean\n18-34,120,31200.5\n35-49,153,41877.1\n"


def test_one_sheet_is_one_table() -> None:
    made = rewrite(saved())
    assert [(part.name, part.data.decode()) for part in made.parts] == [("book.csv", PLAIN)]
    assert told(made) == {"workbook_rewritten": Severity.NOTE}


def add_sheet(book: Book) -> None:
    book.create_sheet("Été 2").append(["x", datetime.date(2020, 1, 31), True, 0.1 + 0.2])


def test_each_visible_sheet_is_a_table() -> None:
    made = rewrite(saved(add_sheet))
    assert [part.name for part in made.parts] == ["book - Table 1.csv", "book - Été 2.csv"]
    assert made.parts[1].data.decode() == "x,2020-01-31T00:00:00,TRUE,0.3\n"


def hide(state: str) -> Callable[[Book], None]:
    def change(book: Book) -> None:
        sheet = book.create_sheet("raw")
        sheet.append(["secret"])
        sheet.sheet_state = state

    return change


def hide_column(book: Book) -> None:
    book.active["E2"] = "secret"
    book.active.column_dimensions["E"].hidden = True


def hide_row(book: Book) -> None:
    book.active.append(["secret", 1, 2])
    book.active.row_dimensions[4].hidden = True


@pytest.mark.parametrize("change", [hide("hidden"), hide("veryHidden"), hide_column, hide_row])
def test_what_is_hidden_is_charged_and_stays_behind(change: Callable[[Book], None]) -> None:
    made = rewrite(saved(change))
    assert told(made)["workbook_hidden"] is Severity.BLOCK
    assert [part.data.decode() for part in made.parts] == [PLAIN]
    assert any("secret" in text.content for text in made.seen)


@pytest.mark.parametrize(
    "path",
    [
        "xl/vbaProject.bin",
        "xl/externalLinks/externalLink1.xml",
        "xl/pivotCache/pivotCacheRecords1.xml",
        "xl/embeddings/Microsoft_Excel_Sheet1.xlsx",
        "xl/embeddings/oleObject1.bin",
        "xl/activeX/activeX1.xml",
        "xl/connections.xml",
        "xl/model/item.data",
    ],
)
def test_parts_that_hide_data_are_charged(path: str) -> None:
    made = rewrite(with_part(saved(), path, b"secret"))
    assert told(made)["workbook_hidden"] is Severity.BLOCK
    assert b"secret" not in b"".join(part.data for part in made.parts)


@pytest.mark.parametrize(
    "path", ["xl/comments1.xml", "xl/media/image1.png", "customXml/item1.xml", "stash.xml"]
)
def test_other_parts_are_doubts(path: str) -> None:
    made = rewrite(with_part(saved(), path, b"<a/>"))
    assert told(made)["workbook_part"] is Severity.REVIEW


def test_a_name_for_a_range_is_a_doubt() -> None:
    def change(book: Book) -> None:
        book.defined_names["x"] = openpyxl.workbook.defined_name.DefinedName("x", attr_text='"secret"')

    assert told(rewrite(saved(change)))["workbook_part"] is Severity.REVIEW


def test_formulas_are_their_stored_values() -> None:
    def change(book: Book) -> None:
        book.active.append(["sum", "=1+1", 5])

    made = rewrite(saved(change))
    assert told(made)["workbook_no_value"] is Severity.REVIEW
    assert made.parts[0].data.decode().endswith("sum,,5\n")
    stored = with_changed(saved(change), "xl/worksheets/sheet1.xml", b"<v></v>", b"<v>2</v>")
    assert rewrite(stored).parts[0].data.decode().endswith("sum,2,5\n")


def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe() -> None:
    def change(book: Book) -> None:
        book.active.append(["x", 1, 2])
        book.active["A4"].value = "=cmd"
        book.active["A4"].data_type = "s"

    made = rewrite(saved(change))
    assert made.parts[0].data.decode().endswith("'=cmd,1,2\n")
    assert told(made)["formula"] is Severity.REVIEW


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (b'r="C3"', b'r="XFD3"', "too_wide"),
        (b'r="C3"', b'r="A3"', "workbook_malformed"),
        (b"<sheetData>", b"<sheetData>" + b'<row r="1"><c r="A1"/></row>' * 300_001, "too_many_cells"),
        (b"<sheetData>", b"<sheetData><broken>", "workbook_malformed"),
        (b't="n"', b't="n" s="9999999999999999999999"', None),
        (b"<worksheet", b"<!DOCTYPE a [<!ENTITY b 'c'>]><worksheet", None),
    ],
)
def test_a_sheet_beyond_the_bounds_does_not_leave(old: bytes, new: bytes, rule: str | None) -> None:
    made = rewrite(with_changed(saved(), "xl/worksheets/sheet1.xml", old, new))
    if rule is not None:
        assert told(made)[rule] is Severity.BLOCK
        assert made.parts == ()
    else:
        assert made.parts == () or b"c" not in made.parts[0].data[:1]


def test_a_merge_of_all_cells_costs_nothing() -> None:
    data = with_changed(
        saved(),
        "xl/worksheets/sheet1.xml",
        b"</sheetData>",
        b'</sheetData><mergeCells count="1"><mergeCell ref="A1:XFD1048576"/></mergeCells>',
    )
    assert rewrite(data).parts[0].data.decode() == PLAIN


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + bytes(18), saved()[:400]])
def test_what_is_no_workbook_does_not_leave(content: bytes) -> None:
    made = rewrite(content)
    assert made.parts == ()
    assert any(one.severity is Severity.BLOCK for one in made.changes)


def test_a_bomb_is_not_unpacked() -> None:
    out = io.BytesIO(saved())
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet9.xml", bytes(90_000_000))
    made = rewrite(out.getvalue())
    assert told(made) == {"workbook_malformed": Severity.BLOCK}


def test_a_sheet_of_invisible_characters_leaves_no_empty_file() -> None:
    def add(book: Book) -> None:
        book.create_sheet("blank").append(["\u200b", "\u2800"])

    made = rewrite(saved(add))
    assert [part.name for part in made.parts] == ["book - Table 1.csv"]
    assert told(made)["hidden_characters"] is Severity.REVIEW
    alone = openpyxl.Workbook()
    alone.active.append(["\u200b"])
    out = io.BytesIO()
    alone.save(out)
    refused = rewrite(out.getvalue())
    assert (refused.parts, told(refused)["empty"]) == ((), Severity.BLOCK)
