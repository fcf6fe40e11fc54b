"""Hostile bytes into every parser: no crash, no PASS, no end without an answer."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hub.checks import Severity, Verdict, dump_report, load_report
from hub.checks.canonical import take_in
from hub.checks.engine import run_checks
from hub.checks.renderings import render
from tests.unit.checks.samples import FULL_FORM, THRESHOLDS, jpeg, make_frame, notebook, pdf, png

FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

NAMES = st.sampled_from(
    [
        "t.csv",
        "t.tsv",
        "t.txt",
        "t.md",
        "t.tex",
        "t.json",
        "t.py",
        "t.ipynb",
        "t.png",
        "t.jpg",
        "t.svg",
        "t.pdf",
        "t.xlsx",
        "t.zip",
        "t.html",
        "t.R",
        "t.do",
        "t.pkl",
        "t",
        ".csv",
    ]
)
TABLE_TEXT = st.text(
    alphabet=st.sampled_from(list("0123456789abn,;|\t\n\r\" '.=+-eE&\\%\u200b\u202e٣é\ud7ff")), max_size=400
)


@pytest.fixture(scope="module")
def small_extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("extract")
    make_frame(300).write_parquet(directory / "a.parquet")
    return directory


def survive(tmp_path: Path, extract: Path, name: str, content: bytes) -> None:
    """Both doors answer; the answer is never PASS and survives its own JSON."""
    file = tmp_path / "object"
    file.write_bytes(content)
    report = run_checks(file, name=name, form=FULL_FORM, extract=extract, thresholds=THRESHOLDS)
    assert report.verdict in (Verdict.REVIEW, Verdict.BLOCK)
    assert load_report(dump_report(report)).verdict is report.verdict
    made = take_in(content, name, THRESHOLDS)
    assert made.parts or any(one.severity is Severity.BLOCK for one in made.changes) or not content.strip()
    for part in made.parts:
        again = take_in(part.data, part.name, THRESHOLDS)
        assert [(one.name, one.data) for one in again.parts] == [(part.name, part.data)]
    rendering = render(file, name=name, thresholds=THRESHOLDS)
    assert json.loads(json.dumps(rendering.to_json(), allow_nan=False))["pages"] >= 1


@FEW
@given(name=NAMES, content=st.binary(max_size=500))
def test_any_bytes_under_any_name(tmp_path: Path, small_extract: Path, name: str, content: bytes) -> None:
    survive(tmp_path, small_extract, name, content)


@FEW
@given(name=NAMES, content=TABLE_TEXT)
def test_table_like_text(tmp_path: Path, small_extract: Path, name: str, content: str) -> None:
    survive(tmp_path, small_extract, name, content.encode())


@FEW
@given(
    row=st.lists(st.text(alphabet="0123456789.,-+eE%nNaif \u202f", max_size=12), min_size=1, max_size=5),
    count=st.integers(20, 60),
)
def test_tables_of_odd_numbers(tmp_path: Path, small_extract: Path, row: list[str], count: int) -> None:
    lines = [";".join(f"{cell}{at if at % 3 else ''}" for cell in row) for at in range(count)]
    survive(tmp_path, small_extract, "t.csv", ("n;a;b;c;d\n" + "\n".join(lines)).encode())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=25,
)


@FEW
@given(value=JSON)
def test_any_json(tmp_path: Path, small_extract: Path, value: Any) -> None:
    survive(tmp_path, small_extract, "t.json", json.dumps(value).encode())


KEYS = st.sampled_from(
    [
        "cells",
        "metadata",
        "nbformat",
        "cell_type",
        "source",
        "outputs",
        "output_type",
        "data",
        "text",
        "text/html",
        "image/png",
        "traceback",
        "id",
        "execution_count",
        "name",
        "evalue",
    ]
)
WORDS = st.sampled_from(
    ["code", "markdown", "stream", "error", "display_data", "execute_result", "4", "AAAA", "<td>1"]
)
NOTEBOOK = st.recursive(
    st.none() | st.integers() | st.text(max_size=5) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@FEW
@example(cells=[{"cell_type": []}], outputs=[], metadata={})
@given(cells=st.lists(NOTEBOOK, max_size=3), outputs=st.lists(NOTEBOOK, max_size=3), metadata=NOTEBOOK)
def test_notebook_like_json(
    tmp_path: Path, small_extract: Path, cells: Any, outputs: Any, metadata: Any
) -> None:
    good = json.loads(notebook())["cells"][0]
    raw = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": metadata,
        "cells": [{**good, "outputs": outputs}, *cells],
    }
    survive(tmp_path, small_extract, "t.ipynb", json.dumps(raw).encode())


@FEW
@given(
    html=st.lists(
        st.sampled_from(
            [
                "<table>",
                "</table>",
                "<tr>",
                "<td>",
                "<td rowspan=3>",
                "<th colspan=2>",
                "</td>",
                "<thead>",
                "</thead>",
                "<!--",
                "<![",
                "<!",
                "<?",
                "&#",
                "3",
                "n",
                "<style>",
                "</style>",
                "<script>",
                "<td rowspan=99999 colspan=999>",
                "\x00",
            ]
        ),
        max_size=40,
    )
)
def test_html_like_text(tmp_path: Path, small_extract: Path, html: list[str]) -> None:
    output = {"output_type": "display_data", "metadata": {}, "data": {"text/html": "".join(html)}}
    survive(tmp_path, small_extract, "t.ipynb", notebook(output).encode())


@pytest.mark.parametrize(("name", "good"), [("t.png", png(width=9, height=9)), ("t.jpg", jpeg())])
@settings(parent=FEW, max_examples=150)
@given(
    changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=6),
    cut=st.integers(0, 10_000),
)
def test_damaged_images(
    tmp_path: Path, small_extract: Path, name: str, good: bytes, changes: list[tuple[int, int]], cut: int
) -> None:
    data = bytearray(good)
    for at, value in changes:
        data[at % len(data)] = value
    survive(tmp_path, small_extract, name, bytes(data[: cut % len(data) or None]))


def workbook() -> bytes:
    book = openpyxl.Workbook()
    for row in (["age", "n", "mean"], ["18-34", 120, 31200.5], ["35-49", 153, "=1+1"]):
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def archive(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, content in members:
            made.writestr(name, content)
    return out.getvalue()


DRAWING = (
    b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><defs><circle id='a' r='1'/></defs>"
    b"<g transform='scale(2)'><use href='#a' x='3'/><path d='M0 0L3 3'/><text x='1' y='5'>n</text></g></svg>"
)
CONTAINERS = [
    ("t.svg", DRAWING),
    ("t.pdf", pdf("Table 1")),
    ("t.xlsx", workbook()),
    ("t.zip", archive(("t.csv", b"a,n\nx,20\n"), ("f/p.png", png()))),
]


@pytest.mark.parametrize(("name", "good"), CONTAINERS, ids=[row[0] for row in CONTAINERS])
@settings(parent=FEW, max_examples=40)
@given(
    changes=st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 255)), max_size=6),
    cut=st.integers(0, 40_000),
)
def test_damaged_containers(
    tmp_path: Path, small_extract: Path, name: str, good: bytes, changes: list[tuple[int, int]], cut: int
) -> None:
    data = bytearray(good)
    for at, value in changes:
        data[at % len(data)] = value
    survive(tmp_path, small_extract, name, bytes(data[:cut]) if cut < len(data) else bytes(data))


PARTS = st.sampled_from(
    ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml", "xl/_rels/workbook.xml.rels"]
)
MARKUP = st.sampled_from(
    [
        b"", b"<a/>", b"<c r='A1'/>", b"<c r='ZZZZ1' t='s'><v>9</v></c>", b"<v>x</v>", b"<row hidden='1'>",
        b"</row>", b"<col min='1' max='x' hidden='1'/>", b"<numFmt numFmtId='x'/>", b"<sheet name='a'/>",
        b"<c r='B2' s='-1'><v>1e999</v></c>", b"<c r='A9' s='1'><v>99999999999</v></c>", b"&x;", b"\xff",
    ]
)  # fmt: skip


@settings(parent=FEW, max_examples=100)
@given(part=PARTS, markup=MARKUP, at=st.integers(0, 40))
def test_damaged_parts_of_a_workbook(
    tmp_path: Path, small_extract: Path, part: str, markup: bytes, at: int
) -> None:
    with zipfile.ZipFile(io.BytesIO(workbook())) as source:
        members = {name: source.read(name) for name in source.namelist()}
    places = [n for n, byte in enumerate(members[part]) if byte == ord("<")]
    place = places[at % len(places)]
    members[part] = members[part][:place] + markup + members[part][place:]
    survive(tmp_path, small_extract, "t.xlsx", archive(*members.items()))


SHAPES = st.lists(
    st.sampled_from(
        [
            "<g>", "</g>", "<rect width='1e9' height='1e9'/>", "<use href='#a'/>", "<g id='a'>", "<a:b/>",
            "<svg width='1e30' viewBox='0 0 0 0'>",
            "<filter id='f'><feGaussianBlur stdDeviation='1e9'/></filter>",
            "<rect filter='url(#f)' width='9' height='9'/>", "<image href='data:image/png;base64,AAAA'/>",
            "<text>&amp;</text>", "<!-- -->", "<![CDATA[x]]>", "<?x?>", "<style>@import 'http://x'</style>",
            "<pattern id='p' width='1e-9' height='1e-9'/>", "<rect fill='url(#p)' width='9' height='9'/>",
        ]
    ),
    max_size=8,
)  # fmt: skip


@settings(parent=FEW, max_examples=20)
@given(shapes=SHAPES)
def test_odd_drawings(tmp_path: Path, small_extract: Path, shapes: list[str]) -> None:
    source = f"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'>{''.join(shapes)}</svg>"
    survive(tmp_path, small_extract, "t.svg", source.encode())
