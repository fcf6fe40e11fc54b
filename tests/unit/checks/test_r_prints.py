"""What R prints of a real panel: each print has its verdict, and none passes with a changed number."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hub.checks import Report, Severity
from hub.checks.r_forms import Rows
from hub.checks.r_prints import find_prints
from tests.unit.checks.surveys import judged, rules_of

HERE = Path(__file__).parent / "r_prints"


def _prints() -> dict[str, str]:
    """Verdict and name → text."""
    parts = re.split(r"^===== (\w+) (\S+)\n", (HERE / "prints.txt").read_text(), flags=re.MULTILINE)[1:]
    return {f"{verdict} {name}": text for verdict, name, text in zip(*[iter(parts)] * 3, strict=True)}


PRINTS = _prints()
PASSING = [name for name in PRINTS if name.startswith("pass ")]


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wagepan")
    (directory / "units.parquet").symlink_to(HERE / "wagepan.parquet")
    return directory


def judged_print(extract: Path, scratch: Path, text: str, name: str) -> Report:
    suffix = "csv" if "csv" in name else "txt"
    return judged(extract, scratch, text, name=f"{name.split()[1]}.{suffix}", units={"person": "nr"})


@pytest.mark.parametrize("name", PRINTS)
def test_each_print_has_its_verdict(name: str, extract: Path, tmp_path: Path) -> None:
    report = judged_print(extract, tmp_path, PRINTS[name], name)

    assert report.verdict.value.lower() == name.split(maxsplit=1)[0], rules_of(report)


def _with_another_digit(text: str, seed: str) -> str:
    """The text with one digit of a decimal number changed by more than rounding could."""
    hits = [
        hit for hit in re.finditer(r"\d+\.\d{2,}", text) if "<" not in text[hit.start() - 2 : hit.start()]
    ]
    hits = hits or list(re.finditer(r"\b\d{2,}\b", text))
    hit = hits[len(seed) % len(hits)]
    at = hit.start() + (hit.group().index(".") + 1 if "." in hit.group() else 0)
    other = str((int(text[at]) + 4) % 9 + 1)
    return text[:at] + (other if other != text[at] else "5") + text[at + 1 :]


@pytest.mark.parametrize("name", PASSING)
def test_a_changed_digit_does_not_pass(name: str, extract: Path, tmp_path: Path) -> None:
    changed = _with_another_digit(PRINTS[name], name)
    report = judged_print(extract, tmp_path, changed, name)

    assert report.verdict.value != "PASS"
    assert any(one.severity is not Severity.NOTE for one in report.findings)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("pass count", "  occupation   n\n", "9417 persons\n  occupation   n\n"),
        ("pass summarise", "2 × 3", "9417 × 3"),
        ("pass summarise-grouped", "union [4]", "union [9417]"),
        ("pass summarise", "# A tibble: 2 × 3", "# A tibble: 2 × 3\n# Groups:   union [9417]"),
        ("pass mean", "[1] 5.9", "[9417] 5.9"),
        ("pass table-one", "3296", "3296\n9417"),
        ("pass print-lm", "Coefficients:", "Coefficients: 9417"),
    ],
)
def test_numbers_beside_a_print_do_not_pass(
    name: str, before: str, after: str, extract: Path, tmp_path: Path
) -> None:
    text = PRINTS[name]
    assert before in text
    report = judged_print(extract, tmp_path, text.replace(before, after, 1), name)

    assert report.verdict.value != "PASS"


def test_a_print_in_the_source_of_a_cell_stays_text(extract: Path, tmp_path: Path) -> None:
    import json

    text = PRINTS["pass summarise"]
    cell = {"cell_type": "code", "metadata": {}, "execution_count": 1}
    output = {"output_type": "stream", "name": "stdout", "text": text}
    for source, verdict in (("d |> summarise(n())", "PASS"), (f"# {text}".replace("\n", "\n# "), "REVIEW")):
        notebook = {
            "nbformat": 4, "nbformat_minor": 5, "metadata": {},
            "cells": [{**cell, "id": "a", "source": source, "outputs": [output]}],
        }  # fmt: skip
        report = judged(extract, tmp_path, json.dumps(notebook), name="n.ipynb", units={"person": "nr"})

        assert report.verdict.value == verdict, source


FORMS: dict[str, tuple[str, Rows | None]] = {
    "a frame": (
        "       region  n  wage\n1  North East 40  5.25\n2       South 38 12.10",
        [["", "region", "n", "wage"], ["1", "North East", "40", "5.25"], ["2", "South", "38", "12.10"]],
    ),
    "a tibble of words with blanks": (
        "# A tibble: 2 × 2\n  region         n\n  <chr>      <int>\n1 North East    40\n2 South         38",
        [["", "region", "n"], ["1", "North East", "40"], ["2", "South", "38"]],
    ),
    "named numbers over two lines": (
        "  a   bb\n1.5 22.0\n  c\n3.0",
        [["label", "value"], ["a", "1.5"], ["bb", "22.0"], ["c", "3.0"]],
    ),
    "names that stand over no number": ("a     bb   c\n1.5 22.0", None),
    "two lines of numbers of other length": ("1 2 3\n4 5", None),
    "a series of pandas": ("union\n0    3296\n1    1064", None),
    "a vector that is not counted on": ("[1] 3.3 4.4\n[9] 5.5", [["value"], ["3.3"], ["4.4"]]),
    "prose": ("The mean is 5.3 of 100 persons.\nIt was 4.1 before.", None),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_forms(form: str) -> None:
    text, rows = FORMS[form]
    found = find_prints(text.splitlines())

    assert [one.rows for one in found] == ([rows] if rows is not None else [])


def test_a_long_text_is_read_in_time() -> None:
    """Lines that could begin any form, and end none."""
    lines = [" a b", "1 2 x", ", , a = 1", "$a", "[1] 3", "# A tibble: 3 × 3", " $ a: int 3"] * 2_000
    found = find_prints(lines)

    assert all(one.end > one.first for one in found)
