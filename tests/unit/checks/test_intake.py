"""What may come in: refusals by name, content and size; and nothing is ever PASS."""

from __future__ import annotations

import gzip
import pickle
import zlib
from pathlib import Path

import pytest

from hub.checks import Report, Severity, Thresholds, Verdict
from tests.unit.checks.conftest import Check
from tests.unit.checks.samples import FULL_FORM, chunk, jpeg, notebook, png, shown


def rules(report: Report) -> dict[str, Severity]:
    found: dict[str, Severity] = {}
    for one in report.findings:
        if found.get(one.rule) is not Severity.BLOCK:
            found[one.rule] = one.severity
    return found


GOOD_CSV = "state,n,mean\nA,120,30100\nB,340,28400\n"
BOMB = zlib.compress(bytes(200_000_000))
DEEP = "[" * 100_000 + "]" * 100_000

BLOCKED: list[tuple[str, str, bytes | str, str]] = [
    ("no extension", "table", GOOD_CSV, "type_unlisted"),
    ("a container of data", "model.pkl", pickle.dumps([1]), "type_model"),
    ("a container of rows", "rows.parquet", b"PAR1", "type_data"),
    ("no drawing", "plot.svg", "<svg", "drawing_malformed"),
    ("a page", "plot.html", "<html></html>", "type_page"),
    ("a tar", "all.tar.gz", b"\x1f\x8brest", "type_archive"),
    ("a document", "paper.docx", b"PK\x03\x04rest", "type_document"),
    ("an unknown type", "t.xyz", b"1", "type_unlisted"),
    ("no archive", "all.zip", b"PK\x03\x04rest", "archive_malformed"),
    ("no workbook", "t.xlsx", b"PK\x03\x04rest", "workbook_malformed"),
    ("no PDF", "t.pdf", b"%PDF-1.7 junk", "pdf_malformed"),
    ("a pickle called csv", "t.csv", pickle.dumps([1], protocol=4), "type_mismatch"),
    ("Parquet called csv", "t.csv", b"PAR1" + b"\x00" * 40, "type_mismatch"),
    ("gzip called txt", "t.txt", gzip.compress(b"1,2"), "type_mismatch"),
    ("PDF called txt", "t.txt", b"%PDF-1.7 /JavaScript", "type_mismatch"),
    ("xlsx called csv", "t.csv", b"PK\x03\x04[Content_Types].xml", "type_mismatch"),
    ("a page called csv", "t.csv", "<html><script>1</script></html>", "type_mismatch"),
    ("a page called json", "t.json", " <!DOCTYPE html><p>", "type_mismatch"),
    ("zero bytes in a text", "t.txt", b"abc\x00def", "type_mismatch"),
    ("a text called png", "t.png", "a,b\n1,2\n", "type_mismatch"),
    ("a JPEG called png", "t.png", jpeg(), "type_mismatch"),
    ("a PNG called jpg", "t.jpg", png(), "type_mismatch"),
    ("nothing", "t.csv", b"", "empty"),
    ("blanks only", "t.csv", b" \n\t\n", "empty"),
    ("100,000 columns", "t.csv", ",".join(["1"] * 100_000), "too_wide"),
    ("100,000 columns, quoted", "t.tsv", "\t".join(['"a"'] * 100_000) + "\n", "too_wide"),
    ("a cell that cannot be shown", "t.csv", "a,b\n1," + "x" * 10_001 + "\n", "long_cell"),
    ("50,000 × 50,000 pixels", "p.png", png(width=50_000, height=50_000), "image_too_large"),
    ("bytes after the image", "p.png", png(after=b"a,b\n1,2"), "trailing_bytes"),
    ("bytes after a JPEG", "p.jpg", jpeg() + b"1,2", "trailing_bytes"),
    ("a private chunk", "p.png", png(extra=chunk(b"daTa", b"1,2,3")), "hidden_content"),
    ("a second picture", "p.png", png(extra=chunk(b"acTL", bytes(8))), "hidden_content"),
    ("pixels beyond the picture", "p.png", png(more_pixels=b"1,2,3" * 9), "hidden_content"),
    ("a long text in a PNG", "p.png", png(extra=chunk(b"tEXt", b"c\0" + b"x" * 900)), "image_metadata"),
    ("a PNG cut short", "p.png", png()[:40], "image_malformed"),
    ("a bad checksum", "p.png", png().replace(b"IDAT", b"IDAX"), "image_malformed"),
    ("a broken packed text", "p.png", png(extra=chunk(b"zTXt", b"c\0\0\x78\x9c junk")), "image_malformed"),
    ("a bomb in a packed text", "p.png", png(extra=chunk(b"zTXt", b"c\0\0" + BOMB)), "image_metadata"),
    ("a bomb in the pixels", "p.png", png(more_pixels=bytes(50_000_000)), "hidden_content"),
    ("a JPEG cut short", "p.jpg", jpeg()[:-30], "image_malformed"),
    ("a notebook that is no JSON", "n.ipynb", "{", "notebook_malformed"),
    ("a notebook of another format", "n.ipynb", '{"nbformat": 3, "worksheets": []}', "notebook_malformed"),
    ("a notebook too deep", "n.ipynb", DEEP, "notebook_malformed"),
    ("a notebook whose cells are text", "n.ipynb", '{"nbformat": 4, "cells": "x"}', "notebook_malformed"),
    ("an unknown output", "n.ipynb", notebook({"output_type": "update"}), "notebook_malformed"),
    ("an image that is no base64", "n.ipynb",
     notebook({"output_type": "display_data", "data": {"image/png": "?"}}), "notebook_malformed"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "rule"), [row[1:] for row in BLOCKED], ids=[row[0] for row in BLOCKED]
)
def test_blocked(check: Check, name: str, content: bytes | str, rule: str) -> None:
    report = check(name, content)
    assert rules(report).get(rule) is Severity.BLOCK
    assert report.verdict is Verdict.BLOCK


REVIEWED: list[tuple[str, str, bytes | str, str]] = [
    ("Latin-1", "t.csv", "région,n\nÉtat,120\n".encode("latin-1"), "encoding"),
    ("mixed encodings", "t.txt", "é".encode() + "é".encode("latin-1"), "encoding"),
    ("UTF-16", "t.csv", GOOD_CSV.encode("utf-16"), "encoding"),
    ("NaN and infinity", "t.csv", "a,mean\nx,NaN\ny,-inf\n", "not_a_number"),
    ("zero-width characters", "t.csv", "a,b\nx\u200b,20\n", "hidden_characters"),
    ("bidirectional controls", "t.md", "safe \u202etxet", "hidden_characters"),
    ("a formula", "t.csv", 'a,b\n"=HYPERLINK(""http://x"")",20\n', "formula"),
    ("a formula after a blank", "t.csv", "a,b\n @SUM(1),20\n", "formula"),
    ("ragged rows", "t.csv", "a,b\n20,30,40\n50\n", "ragged"),
    ("too many rows to read", "t.csv", "a,b\n" + "20,x\n" * 5_001, "many_rows"),
    ("data in letters", "t.txt", "see " + "QWxsIHRoZSBkYXRhIGFyZSBoZXJl" * 10, "encoded_blob"),
    ("broken JSON", "t.json", '{"a": ', "json_malformed"),
    ("JSON too deep", "t.json", DEEP, "json_malformed"),
    ("a number of 5,000 digits", "t.json", "[" + "9" * 5_000 + "]", "json_malformed"),
    ("a text in a PNG", "p.png", png(extra=chunk(b"tEXt", b"Comment\0wage 12345")), "image_metadata"),
    ("a comment in a JPEG", "p.jpg", jpeg(comment=b"wage 12345"), "image_metadata"),
    ("widgets in a notebook", "n.ipynb", notebook(metadata={"widgets": {"a": 1}}), "notebook_extra"),
    ("a script in a notebook", "n.ipynb",
     notebook({"output_type": "display_data", "data": {"application/javascript": "1"}}), "notebook_extra"),
    ("hidden HTML", "n.ipynb",
     notebook(shown(text_html="<p data-x='1'>a</p>")), "notebook_extra"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "rule"), [row[1:] for row in REVIEWED], ids=[row[0] for row in REVIEWED]
)
def test_reviewed(check: Check, name: str, content: bytes | str, rule: str) -> None:
    report = check(name, content)
    assert rules(report).get(rule) is Severity.REVIEW
    assert report.verdict is Verdict.REVIEW


def test_too_large_is_refused_without_reading(check: Check) -> None:
    thresholds = Thresholds(min_units=10, row_level_min_rows=20, max_bytes=100)
    report = check("t.csv", "a" * 101, thresholds=thresholds)
    assert rules(report) == {"too_large": Severity.BLOCK}
    assert report.sha256 is None


def test_two_gigabytes_are_refused_at_once(tmp_path: Path) -> None:
    from hub.checks.engine import run_checks

    file = tmp_path / "big.csv"
    with file.open("wb") as stream:
        stream.truncate(2 * 10**9)
    thresholds = Thresholds(min_units=10, row_level_min_rows=20)
    report = run_checks(file, name="big.csv", form=FULL_FORM, extract=None, thresholds=thresholds)
    assert report.verdict is Verdict.BLOCK


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", GOOD_CSV),
        ("t.md", "# Results\n\nWages rose.\n"),
        ("t.py", "print(1)\n"),
        (
            "plot.png",
            png(extra=chunk(b"tEXt", b"Software\0Matplotlib version3.10.1, https://matplotlib.org/")),
        ),
        ("photo.jpg", jpeg()),
        ("n.ipynb", notebook()),
    ],
)
def test_in_a_good_file_nothing_is_found_but_that_people_must_read_it(
    check: Check, name: str, content: bytes | str
) -> None:
    report = check(name, content)
    assert {one.rule for one in report.findings} <= {"unreproduced", "unit_plot", "nothing_made_again"}
    assert any(one.severity is Severity.REVIEW for one in report.findings)
    assert report.verdict is Verdict.REVIEW


@pytest.mark.parametrize("field", ["what", "population", "variables", "counts", "purpose"])
@pytest.mark.parametrize("value", [None, "", "  \n"])
def test_each_missing_context_is_named(check: Check, field: str, value: str | None) -> None:
    form = (
        {**FULL_FORM, field: value}
        if value is not None
        else {k: v for k, v in FULL_FORM.items() if k != field}
    )
    report = check("t.csv", GOOD_CSV, form=form)
    missing = [one for one in report.findings if one.rule == "missing_context"]
    assert [one.evidence.get("name") for one in missing] == [field]
    assert missing[0].message["fr"] != missing[0].message["en"]


def test_many_findings_of_a_rule_are_counted_not_listed(check: Check) -> None:
    report = check("t.csv", "label,n\n" + "".join(f"x{at},3\n" for at in range(300)))
    small = [one for one in report.findings if one.rule == "small_count"]
    more = [one for one in report.findings if one.rule == "more_of_the_same"]
    assert len(small) == 50
    assert [(one.severity, one.evidence["count"]) for one in more] == [(Severity.BLOCK, 250)]
