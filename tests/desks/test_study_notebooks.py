"""The study of parental leave in a real desk: both notebooks run top to bottom on a sealed extract, without a
network, and find the same."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
import polars as pl
import pytest
from nbformat import NotebookNode

from tests.acceptance.parental_leave import STUDY, parental_leave
from tests.desks.started import empty_folders, remove, start_desk

pytestmark = pytest.mark.containers

LANGUAGES = ("python", "r")
FEWEST = 10  # women behind a number
PIXELS = (1350, 480)
# From a cell, so as the researcher and with the environment and limits that their own work has.
RUN = """
import pathlib, subprocess
folder = pathlib.Path.home() / "{language}"
command = ["jupyter", "nbconvert", "--to", "notebook", "--execute", "--inplace", "analysis-{language}.ipynb"]
done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
print(done.returncode, done.stderr[-4000:])
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of a desk in which both notebooks have run on the study's extract."""
    example = parental_leave(tmp_path_factory.mktemp("study"))
    extract = example.extract(example.plan())
    folder = empty_folders()
    shutil.copytree(extract.directory, folder / "data", dirs_exist_ok=True)
    for path in (folder / "data", *(folder / "data").rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    for language in LANGUAGES:
        place = folder / "home" / language
        place.mkdir()
        place.chmod(0o777)
        notebook = place / f"analysis-{language}.ipynb"
        shutil.copyfile(STUDY / notebook.name, notebook)
        notebook.chmod(0o666)
    desk = start_desk(folder)
    try:
        for language in LANGUAGES:
            said = desk.run(RUN.format(language=language))
            assert said.startswith("0 "), said
        yield folder / "home"
    finally:
        remove(desk)


def cells(home: Path, language: str) -> list[NotebookNode]:
    """The executed cells of code."""
    notebook = nbformat.read(home / language / f"analysis-{language}.ipynb", as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def printed(home: Path, language: str) -> str:
    """All that the cells show as text."""
    outputs = [output for cell in cells(home, language) for output in cell.outputs]
    return "\n".join(output.get("data", {}).get("text/plain", "") for output in outputs)


def table(home: Path, language: str) -> pl.DataFrame:
    return pl.read_csv(home / language / "event_study.csv")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_cell_ran_in_order_and_none_failed_or_warned(home: Path, language: str) -> None:
    ran = cells(home, language)
    assert [cell.execution_count for cell in ran] == list(range(1, len(ran) + 1))
    kinds = {output.output_type for cell in ran for output in cell.outputs}
    assert kinds <= {"execute_result", "display_data"}  # no error, no stream


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_is_whole_and_stands_on_ten_women_or_more(home: Path, language: str) -> None:
    study = table(home, language)
    assert study["quarter"].to_list() == list(range(-8, 16))
    for column in ("women", "women_at_work"):
        assert study[column].dtype == pl.Int64
        assert study[column].drop_nulls().min() >= FEWEST  # type: ignore[operator]
    shown = study.drop_nulls("share_at_work")
    assert (shown["women"] - shown["women_at_work"]).min() >= FEWEST  # type: ignore[operator]
    assert shown.height > 0
    assert study["mean_wage"].drop_nulls().len() > len(shown)


def test_the_notebooks_show_the_number_of_women_behind_all_else(home: Path) -> None:
    assert printed(home, "python").startswith("True\n")  # enough leaves
    shown = printed(home, "r")
    assert shown.startswith("[1] TRUE\n")
    names, numbers = shown.strip().splitlines()[-2:]
    change = dict(zip(names.split(), map(float, numbers.split()), strict=True))
    assert change["women"] >= FEWEST
    assert change["change"] < -2  # hours a week: one woman in three comes back to half


def test_both_languages_find_the_same(home: Path) -> None:
    python, r = (table(home, language) for language in LANGUAGES)
    assert python.columns == r.columns
    for column in python.columns:
        # The two round halves differently: by one in the last digit that is printed.
        off = {"share_at_work": 0.001, "mean_hours": 0.1, "mean_wage": 10.0}.get(column, 0.0)
        one, other = python[column].cast(pl.Float64), r[column].cast(pl.Float64)
        assert one.is_null().to_list() == other.is_null().to_list(), column
        assert ((one - other).abs().fill_null(0.0) <= off + 1e-9).all(), column


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_figure_is_a_picture_and_is_shown(home: Path, language: str) -> None:
    picture = (home / language / "event_study.png").read_bytes()
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert tuple(int.from_bytes(picture[at : at + 4]) for at in (16, 20)) == PIXELS
    assert any(
        "image/png" in output.get("data", {}) for cell in cells(home, language) for output in cell.outputs
    )
