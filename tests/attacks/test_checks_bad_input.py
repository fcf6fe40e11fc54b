"""What a hostile or clumsy researcher submits, through the real doors with their real limits."""

from __future__ import annotations

import io
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from hub.checks import (
    Limits,
    Severity,
    Thresholds,
    Verdict,
    check_in_subprocess,
    render_in_subprocess,
    rewrite_in_subprocess,
)
from tests.unit.checks.samples import FULL_FORM, notebook, pdf, png

THRESHOLDS = Thresholds(min_units=10, row_level_min_rows=20)
SCRIPTS = b"/Names<</JavaScript<</Names[(a)<</S/JavaScript/JS(app.alert(1))>>]>>>>"

OPENING = b"/OpenAction<</S/J#61vaScript/JS(app.alert\\(1\\))>>"
LAUNCHING = b"/OpenAction<</S /Launch/F(a.exe)>>"


def packed() -> bytes:
    """Objects as newer programs write them: many in one packed stream."""
    content = zlib.compress(b"9 0 <</S/JavaScript/JS(app.alert(1))>>")
    return b"20 0 obj<</Type/ObjStm/N 1/Length %d>>stream\n%b\nendstream endobj\n" % (len(content), content)


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("t.csv", bytes(90_000_000))
    return out.getvalue()


def nested() -> bytes:
    content = b"a,n\nx,20\n"
    for depth in range(5):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr(f"{depth}.{'zip' if depth else 'csv'}", content)
        content = out.getvalue()
    return content


def linked() -> bytes:
    book = openpyxl.Workbook()
    book.active.append(["a", "=[1]other!A1"])
    out = io.BytesIO()
    book.save(out)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("xl/externalLinks/externalLink1.xml", "<externalLink/>")
    return out.getvalue()


CASES: list[tuple[str, str, Callable[[], bytes], str, bool]] = [
    ("a zip bomb", "t.zip", bomb, "archive_limit", False),
    ("zips in zips", "t.zip", nested, "archive_member", False),
    ("a zip bomb called xlsx", "t.xlsx", bomb, "workbook_malformed", False),
    ("100,000 columns", "t.csv", lambda: b",".join([b"1"] * 100_000), "too_wide", False),
    ("NaN and infinity", "t.csv", lambda: b"a,m\nx,NaN\ny,inf\n", "not_a_number", True),
    ("mixed encodings", "t.txt", lambda: "é".encode() + "é".encode("latin-1"), "encoding", True),
    ("a malformed notebook", "t.ipynb", lambda: b"{" + notebook().encode(), "notebook_malformed", False),
    ("50,000 × 50,000 pixels", "t.png", lambda: png(width=50_000, height=50_000), "image_too_large", False),
    ("a PDF with scripts", "t.pdf", lambda: pdf("Table", extra=SCRIPTS), "pdf_active", True),
    ("a PDF that opens with a script", "t.pdf", lambda: pdf("Table", extra=OPENING), "pdf_active", True),
    ("a PDF whose script is packed away", "t.pdf", lambda: pdf("Table") + packed(), "pdf_active", True),
    ("a PDF that starts a program", "t.pdf", lambda: pdf("Table", extra=LAUNCHING), "pdf_active", True),
    ("a workbook with links", "t.xlsx", linked, "workbook_hidden", True),
    ("JSON nested too deep", "t.json", lambda: b"[" * 100_000 + b"]" * 100_000, "json_malformed", True),
    ("a drawing nested too deep", "t.svg", lambda: b"<svg>" + b"<g>" * 100_000, "drawing_malformed", False),
]


@pytest.mark.parametrize(
    ("name", "make", "rule", "leaves"), [row[1:] for row in CASES], ids=[row[0] for row in CASES]
)
def test_bad_input_is_answered_with_a_sentence(
    tmp_path: Path, name: str, make: Callable[[], bytes], rule: str, leaves: bool
) -> None:
    file = tmp_path / "object"
    file.write_bytes(make())
    made = rewrite_in_subprocess(file, name=name, thresholds=THRESHOLDS)
    report = check_in_subprocess(file, name=name, form=FULL_FORM, extract=None, thresholds=THRESHOLDS)
    (told, *_) = [one for one in report.findings if one.rule == rule]
    assert told.severity in (Severity.REVIEW, Severity.BLOCK)
    assert all(len(told.message[language]) > 30 for language in ("fr", "en"))
    assert report.verdict in (Verdict.REVIEW, Verdict.BLOCK)
    assert bool(made.parts) is leaves


def test_two_gigabytes_are_not_read(tmp_path: Path) -> None:
    file = tmp_path / "big"
    with file.open("wb") as stream:
        stream.truncate(2 * 10**9)
    begun = time.monotonic()
    made = rewrite_in_subprocess(file, name="big.csv", thresholds=THRESHOLDS)
    assert [(one.rule, one.severity) for one in made.changes] == [("too_large", Severity.BLOCK)]
    assert made.parts == ()
    rendering = render_in_subprocess(file, name="big.csv", thresholds=THRESHOLDS)
    assert rendering["view"]["kind"] == "raw"
    assert time.monotonic() - begun < 15


def test_a_drawing_that_never_ends_is_cut_off(tmp_path: Path) -> None:
    file = tmp_path / "object"
    blurs = "<feGaussianBlur stdDeviation='5000'/>" * 300
    file.write_text(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'>"
        f"<filter id='f'>{blurs}</filter><rect filter='url(#f)' width='9' height='9'/></svg>"
    )
    limits = Limits(wall_seconds=2.0)
    made = rewrite_in_subprocess(file, name="t.svg", thresholds=THRESHOLDS, limits=limits)
    assert (made.parts, [one.rule for one in made.changes]) == ((), ["parser_lost"])
    assert made.changes[0].evidence["how"] in ("timeout", "killed")
