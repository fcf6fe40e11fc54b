"""Hostile bytes into every parser: no crash, no PASS, no end without an answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hub.checks import Verdict, dump_report, load_report
from hub.checks.engine import run_checks
from hub.checks.renderings import render
from tests.unit.checks.samples import FULL_FORM, THRESHOLDS, jpeg, make_frame, notebook, png

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
