"""What differs between two rewritten files; a hostile one only fails its own comparison."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from hub.checks import Thresholds, compare_in_subprocess, relate_in_subprocess
from hub.checks.comparing import KINDS
from hub.checks.differences_of_files import MAX_SHOWN, compare, relate
from hub.documents.policies import load_policies
from tests.conftest import ROOT

OLD = "region,n,mean\nnorth,120,1459.2\nsouth,90,1517.6\nwest,150,1476.4\n"


@pytest.fixture(scope="module")
def thresholds() -> Thresholds:
    policies = load_policies(ROOT / "policies")
    return Thresholds.of(policies.outputs, max_bytes=policies.submissions.max_bytes)


def differ(
    folder: Path, thresholds: Thresholds, older: Any, newer: Any, name: str = "a.csv"
) -> dict[str, Any]:
    files = []
    for which, content in (("older", older), ("newer", newer)):
        file = folder / which
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        files.append(file)
    return compare(files[0], name, files[1], name, thresholds)


def notebook(*sources: str) -> str:
    cells = [
        {
            "cell_type": "code",
            "source": s,
            "metadata": {},
            "outputs": [],
            "execution_count": None,
            "id": f"c{n}",
        }
        for n, s in enumerate(sources)
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def picture(colour: str, size: tuple[int, int] = (20, 10)) -> bytes:
    out = io.BytesIO()
    image = Image.new("RGB", size, "white")
    image.paste(colour, (0, 0, 5, 10))
    image.save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("newer", "changes"),
    [
        (OLD.replace("90", "89"), [("changed", 1, 1)]),
        (OLD + "east,40,9\n", [("added", None, 3)]),
        (OLD.replace("south,90,1517.6\n", ""), [("removed", 1, None)]),
        (OLD.replace("south", "centre"), [("removed", 1, None), ("added", None, 1)]),
    ],
)
def test_rows_are_compared_by_their_labels(
    tmp_path: Path, thresholds: Thresholds, newer: str, changes: list[tuple[Any, ...]]
) -> None:
    found = differ(tmp_path, thresholds, OLD, newer)
    told = [(r["change"], r["older"], r["newer"]) for r in found["rows"] if r["change"] != "same"]
    assert told == changes
    assert found["changed"] == len(changes)


def test_a_changed_cell_says_what_it_was(tmp_path: Path, thresholds: Thresholds) -> None:
    found = differ(tmp_path, thresholds, OLD, OLD.replace("90", "89"))
    (row,) = [r for r in found["rows"] if r["change"] == "changed"]
    assert row["cells"] == [["south", "south"], ["90", "89"], ["1517.6", "1517.6"]]
    assert row["differs"] == [False, True, False]


def test_columns_that_came_went_or_were_renamed(tmp_path: Path, thresholds: Thresholds) -> None:
    assert differ(tmp_path, thresholds, OLD, OLD.replace("mean", "median"))["columns"][2] == [
        "mean",
        "median",
    ]
    fewer = "\n".join(line.rpartition(",")[0] for line in OLD.splitlines()) + "\n"
    assert differ(tmp_path, thresholds, OLD, fewer)["columns"] == [["region"] * 2, ["n"] * 2, ["mean", None]]


def test_a_difference_at_the_end_of_a_long_cell_is_one(tmp_path: Path, thresholds: Thresholds) -> None:
    long = "x" * 900
    found = differ(tmp_path, thresholds, f"a,b\nk,{long}1\n", f"a,b\nk,{long}2\n")
    assert [row["change"] for row in found["rows"]] == ["removed", "added"]


def test_lines_of_code_and_of_notebooks(tmp_path: Path, thresholds: Thresholds) -> None:
    found = differ(tmp_path, thresholds, "a\nb\nc\n", "a\nB\u200b\nc\n", "a.py")
    assert [(one["change"], one["text"]) for one in found["lines"]] == [
        ("same", "a"),
        ("removed", "b"),
        ("added", "B⟨U+200B⟩"),
        ("same", "c"),
    ]
    found = differ(tmp_path, thresholds, notebook("x = 1"), notebook("x = 1", "y = 2"), "a.ipynb")
    assert [one["text"] for one in found["lines"] if one["change"] == "added"] == ["# [2]", "y = 2"]


def test_pictures_by_their_pixels(tmp_path: Path, thresholds: Thresholds) -> None:
    found = differ(tmp_path, thresholds, picture("navy"), picture("teal"), "a.png")
    assert found["differs"] == pytest.approx(50 / 200)
    found = differ(tmp_path, thresholds, picture("navy"), picture("navy", (30, 10)), "a.png")
    assert found == {"kind": "image", "older": [20, 10], "newer": [30, 10], "differs": None}


def test_the_same_bytes_are_the_same(tmp_path: Path, thresholds: Thresholds) -> None:
    assert differ(tmp_path, thresholds, OLD, OLD) == {"kind": "same"}


def test_what_cannot_be_compared_is_said_to_be(tmp_path: Path, thresholds: Thresholds) -> None:
    assert differ(tmp_path, thresholds, picture("navy"), b"no picture", "a.png") == {"kind": "other"}
    assert differ(tmp_path, thresholds, "a", "b", "a.exe") == {"kind": "other"}


def test_changes_beyond_what_is_shown_are_counted(tmp_path: Path, thresholds: Thresholds) -> None:
    lines = [f"{n}" for n in range(2_000)]
    found = differ(tmp_path, thresholds, "\n".join(lines), "\n".join(f"{n}!" for n in lines), "a.txt")
    assert found["changed"] == 4_000
    assert len(found["lines"]) == MAX_SHOWN
    assert found["cut"] == 4_000 - MAX_SHOWN


def test_the_same_table_is_known_by_columns_and_labels(tmp_path: Path, thresholds: Thresholds) -> None:
    names = {"now.csv": OLD, "same.csv": OLD.replace("90", "95"), "other.csv": "sector,k\nx,1\n", "t.py": "x"}
    for name, content in names.items():
        (tmp_path / name).write_text(content)
    others = [(tmp_path / name, name) for name in ("same.csv", "other.csv", "t.py")]
    assert relate(tmp_path / "now.csv", "now.csv", others, thresholds) == [
        {"columns": 1.0, "labels": 1.0},
        {"columns": 0.0, "labels": 0.0},
        {"columns": 0.0, "labels": 0.0},
    ]
    assert relate_in_subprocess(tmp_path / "now.csv", "now.csv", others, thresholds)[0] == (1.0, 1.0)


FORMATS = {
    "a.tsv": OLD.replace(",", "\t"),
    "a.md": "| region | n | mean |\n|---|---|---|\n| north | 120 | 1459.2 |\n| south | 90 | 1517.6 |\n"
    "| west | 150 | 1476.4 |\n",
    "a.txt": "region    n    mean\n north  120  1459.2\n south   90  1517.6\n  west  150  1476.4\n",
    "a.json": json.dumps(
        [
            {"region": "north", "n": 120, "mean": 1459.2},
            {"region": "south", "n": 90, "mean": 1517.6},
            {"region": "west", "n": 150, "mean": 1476.4},
        ]
    ),
    "a.tex": "\\begin{tabular}{lrr}\n\\hline\nregion & n & mean \\\\\n\\hline\nnorth & 120 & 1459.2 \\\\\n"
    "south & 90 & 1517.6 \\\\\nwest & 150 & 1476.4 \\\\\n\\hline\n\\end{tabular}\n",
}


@pytest.mark.parametrize("name", [*FORMATS, "a.ipynb"])
def test_tables_of_all_formats_are_compared(tmp_path: Path, thresholds: Thresholds, name: str) -> None:
    text = FORMATS.get(name) or json.dumps(
        {
            "cells": [
                {"cell_type": "markdown", "source": FORMATS["a.md"], "metadata": {}, "id": "c0"},
            ],
            "metadata": {},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )
    older, newer = tmp_path / name, tmp_path / "new.csv"
    older.write_text(text)
    newer.write_text(OLD.replace("90", "89"))
    assert relate(newer, newer.name, [(older, name)], thresholds) == [{"columns": 1.0, "labels": 1.0}]
    assert relate(older, name, [(newer, newer.name)], thresholds) == [{"columns": 1.0, "labels": 1.0}]
    found = compare(older, name, newer, newer.name, thresholds)
    assert found["kind"] == "table"
    (row,) = [r for r in found["rows"] if r["change"] != "same"]
    assert row["cells"][:2] == [["south", "south"], ["90", "89"]]
    assert compare(newer, newer.name, older, name, thresholds)["changed"] == 1


def test_of_several_tables_the_one_most_alike_is_compared(tmp_path: Path, thresholds: Thresholds) -> None:
    older, newer = tmp_path / "a.md", tmp_path / "new.csv"
    other = "| sector | k |\n|---|---|\n| mining | 4711 |\n| trade | 4712 |\n\n"
    older.write_text(other + FORMATS["a.md"] + "\n" + other)
    newer.write_text(OLD)
    found = compare(older, older.name, newer, newer.name, thresholds)
    assert (found["kind"], found["changed"]) == ("table", 0)


def test_the_confined_child_reads_both_files_and_its_death_is_an_answer(
    tmp_path: Path, thresholds: Thresholds
) -> None:
    older, newer = tmp_path / "older", tmp_path / "newer"
    older.write_text(OLD)
    newer.write_text(OLD.replace("90", "89"))
    assert compare_in_subprocess(older, "a.csv", newer, "a.csv", thresholds)["changed"] == 1
    assert compare_in_subprocess(tmp_path / "none", "a.csv", newer, "a.csv", thresholds) == {"kind": "failed"}
    assert "failed" not in KINDS  # the child itself never says so
