"""Pseudonyms, however they are written; and numbers that only look like them."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from hub.checks import Severity, Verdict
from hub.checks.identifiers import tokens_of
from hub.domain.pseudonyms import compose
from tests.unit.checks.conftest import Check
from tests.unit.checks.samples import TAG, chunk, encoded, notebook, png, printed, shown


def thousands(token: str, mark: str) -> str:
    return mark.join(token[at : at + 3] for at in range(0, 15, 3))


def cell_of_table(content: str) -> dict[str, Any]:
    return shown(text_html=f"<table><tr><td>{content}</td></tr></table>")


def escaped(token: str) -> str:
    return "".join(f"\\u{ord(digit):04x}" for digit in token)


WAYS: list[tuple[str, str, Callable[[str], str | bytes]]] = [
    ("a cell", "t.csv", lambda t: f"id,x\n{t},20\n"),
    ("a float", "t.csv", lambda t: f"id,x\n{t}.0,20\n"),
    ("scientific", "t.csv", lambda t: f"id,x\n{t[0]}.{t[1:]}e+14,20\n"),
    ("scientific, shifted", "t.csv", lambda t: f"id,x\n{t[:3]}.{t[3:]}E12,20\n"),
    ("thousands with blanks", "t.txt", lambda t: f"see {thousands(t, ' ')} there"),
    ("thousands with commas", "t.csv", lambda t: f'id,x\n"{thousands(t, ",")}",20\n'),
    ("thousands with no-break spaces", "t.txt", lambda t: thousands(t, "\u202f")),
    ("thousands with points", "t.txt", lambda t: thousands(t, ".")),
    ("thousands with apostrophes", "t.txt", lambda t: thousands(t, "’")),
    ("underscores as in Python", "t.py", lambda t: f"df[df.id == {thousands(t, '_')}]"),
    ("groups of five", "t.txt", lambda t: f"{t[:5]}-{t[5:10]}-{t[10:]}"),
    ("in the middle of more digits", "t.txt", lambda t: f"99{t}77"),
    ("after a decimal point", "t.csv", lambda t: f"x,y\n0.{t},20\n"),
    ("zero-width characters inside", "t.txt", "\u200b".join),
    ("full-width digits", "t.txt", lambda t: t.translate({48 + n: 0xFF10 + n for n in range(10)})),
    ("Arabic digits", "t.txt", lambda t: t.translate({48 + n: 0x660 + n for n in range(10)})),
    ("hexadecimal", "t.csv", lambda t: f"id,x\n{int(t):x},20\n"),
    ("hexadecimal as in C", "t.txt", lambda t: f"see 0x{int(t):X} there"),
    ("hexadecimal of its digits", "t.txt", lambda t: t.encode().hex()),
    ("base64 of its digits", "t.md", lambda t: f"key {base64.b64encode(t.encode()).decode()}"),
    ("base64 without padding", "t.md", lambda t: base64.b64encode(t.encode()).decode().rstrip("=")),
    ("base64 of an array", "t.md", lambda t: base64.b64encode(struct.pack("<3q", 5, int(t), 7)).decode()),
    ("base64 of a float", "t.md", lambda t: base64.b64encode(struct.pack(">d", float(t))).decode()),
    ("backwards", "t.csv", lambda t: f"id,x\n{t[::-1]},20\n"),
    ("a power cut short", "t.csv", lambda t: f"id,x\n{float(t):.11e},20\n"),
    ("UTF-16", "t.txt", lambda t: t.encode("utf-16")),
    ("Latin-1 around it", "t.txt", lambda t: f"élève {t}".encode("latin-1")),
    ("code", "t.R", lambda t: f"x <- {t}\n"),
    ("a row in Markdown", "t.md", lambda t: f"| a | {t} |\n"),
    ("JSON", "t.json", lambda t: json.dumps({"a": [{"b": int(t)}]})),
    ("JSON escapes", "t.json", lambda t: '{"a": "' + escaped(t) + '"}'),
    ("broken JSON", "t.json", lambda t: '{"a": ' + t),
    ("a printed output", "n.ipynb", lambda t: notebook(printed(f"unit {t}"))),
    ("an HTML output", "n.ipynb", lambda t: notebook(cell_of_table(t))),
    ("split over tags", "n.ipynb", lambda t: notebook(cell_of_table(f"{t[:7]}<b>{t[7:]}</b>"))),
    ("an error output", "n.ipynb",
     lambda t: notebook({"output_type": "error", "ename": "KeyError", "evalue": t, "traceback": []})),
    ("a source", "n.ipynb", lambda t: notebook(source=f"df.loc[{t}]")),
    ("metadata of the notebook", "n.ipynb", lambda t: notebook(metadata={"note": t})),
    ("a cell's id", "n.ipynb", lambda t: notebook().replace('"a1"', f'"{t}"')),
    ("escapes in a notebook", "n.ipynb", lambda t: notebook(printed("@@")).replace("@@", escaped(t))),
    ("a malformed notebook", "n.ipynb", lambda t: '{"nbformat": 4, "cells": [' + t),
    ("a text chunk", "p.png", lambda t: png(extra=chunk(b"tEXt", b"Comment\0" + t.encode()))),
    ("a packed text chunk", "p.png",
     lambda t: png(extra=chunk(b"zTXt", b"c\0\0" + zlib.compress(t.encode())))),
    ("an international text chunk", "p.png",
     lambda t: png(extra=chunk(b"iTXt", b"c\0\1\0\0\0" + zlib.compress(t.encode())))),
    ("after the image", "p.png", lambda t: png(after=t.encode())),
    ("an image in a notebook", "n.ipynb",
     lambda t: notebook({"output_type": "display_data",
                         "data": {"image/png": encoded(png(extra=chunk(b"tEXt", b"c\0" + t.encode())))}})),
]  # fmt: skip


@pytest.mark.parametrize(("name", "write"), [row[1:] for row in WAYS], ids=[row[0] for row in WAYS])
@pytest.mark.parametrize("column", ["unit_id", "household_id"])
def test_found_and_never_repeated(
    check: Check, frame: pl.DataFrame, column: str, name: str, write: Callable[[str], str | bytes]
) -> None:
    token = str(frame.get_column(column)[11])
    report = check(name, write(token))
    assert "pseudonym" in {one.rule for one in report.findings if one.severity is Severity.BLOCK}
    assert report.verdict is Verdict.BLOCK
    shown_in_metadata = {"image_metadata"}  # the checker must read what an image hides
    rest = [one for one in report.findings if one.rule not in shown_in_metadata]
    assert not any(token in json.dumps(one.to_json()) for one in rest)


def test_line_and_column_of_the_extract_are_named(check: Check, frame: pl.DataFrame) -> None:
    report = check("t.csv", f"a,b\n20,30\n{frame.get_column('unit_id')[5]},40\n")
    (found,) = [one for one in report.findings if one.rule == "pseudonym"]
    assert (found.place.line, found.evidence["variables"]) == (2, ["unit_id"])


def stranger(frame: pl.DataFrame) -> str:
    known = set(frame.get_column("unit_id"))
    return next(
        str(compose(TAG, body)) for body in range(10**11, 10**11 + 99) if compose(TAG, body) not in known
    )


def test_the_form_alone_is_reviewed(check: Check, frame: pl.DataFrame) -> None:
    report = check("t.txt", f"see {stranger(frame)}")
    assert [(one.rule, one.severity) for one in report.findings] == [("pseudonym_like", Severity.REVIEW)]


def test_the_form_is_reviewed_without_an_extract(check: Check, frame: pl.DataFrame) -> None:
    report = check("t.txt", f"see {stranger(frame)}", against=None)
    assert [one.rule for one in report.findings] == ["pseudonym_like"]


@pytest.mark.parametrize(
    "content",
    [
        "3.141592653589793",
        "0.123456789012345",
        "123456789012345",
        "a 1.5e+14 b",
        "2014,2015,2016,1,2,3,4",
        "1e99999",
    ],
)
def test_numbers_are_not_identifiers(check: Check, content: str) -> None:
    assert [one.rule for one in check("t.txt", content).findings] == ["nothing_made_again"]


def test_a_wrong_digit_is_not_found(check: Check, frame: pl.DataFrame) -> None:
    token = str(frame.get_column("unit_id")[0])
    wrong = token[:5] + str((int(token[5]) + 1) % 10) + token[6:]
    assert [one.rule for one in check("t.txt", wrong).findings] == ["nothing_made_again"]


@pytest.mark.parametrize("dtype", [pl.String, pl.Float64, pl.UInt64])
def test_identifiers_are_known_in_every_type(
    check: Check, frame: pl.DataFrame, tmp_path: Path, dtype: type[pl.DataType]
) -> None:
    directory = tmp_path / "other"
    directory.mkdir()
    frame.select(pl.col("unit_id").cast(pl.Int64).cast(dtype)).write_parquet(directory / "a.parquet")
    report = check("t.txt", f"see {frame.get_column('unit_id')[3]}", against=directory)
    assert report.verdict is Verdict.BLOCK


@pytest.mark.parametrize("content", [None, b"", b"PAR1 not Parquet"])
def test_an_unreadable_extract_is_said(check: Check, tmp_path: Path, content: bytes | None) -> None:
    directory = tmp_path / "other"
    directory.mkdir()
    if content is not None:
        (directory / "a.parquet").write_bytes(content)
    report = check("t.csv", "x,n\na,30\n", against=directory)
    assert [one.rule for one in report.findings] == ["extract_unread"]
    assert report.summary["compared_with_extract"] is False


def test_long_rows_of_digits_are_read_to_the_end(frame: pl.DataFrame) -> None:
    token = str(frame.get_column("unit_id")[0])
    assert token in {one.digits for one in tokens_of("1" * 50_000 + token)}
