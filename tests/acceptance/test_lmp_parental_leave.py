"""Parental leave and women's careers: generator, request, extract and analysis, at 6,000 persons.

The notebooks themselves run in a desk; here the Python one's cells run, but for those tagged `desk`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import polars as pl
import pytest

from hub.documents.exports import ddi_codebook
from hub.documents.projects import ColumnRequest
from hub.domain.errors import Refused
from hub.domain.levels import Level
from tests.acceptance.examples import Example, Extract
from tests.acceptance.parental_leave import PERSONS, STUDY, parental_leave
from tests.ddi import schema_errors

MONTHS = 16 * 12
FULL, PART = 2, 3


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Example:
    return parental_leave(tmp_path_factory.mktemp("lmp"))


@pytest.fixture(scope="module")
def extract(example: Example) -> Extract:
    return example.extract(example.plan())


def test_the_panel_is_one_file_per_month_from_2002_on(example: Example) -> None:
    names = sorted(path.stem for path in (example.data / "lmp_jobs").iterdir())
    assert (names[0], names[-1], len(names)) == ("2002-01", "2017-12", MONTHS)
    for name in ("lmp_jobs", "lmp_residence", "lmp_unemployment", "lmp_benefits"):
        assert example.source(name)["month"].n_unique() == MONTHS


def test_the_same_seed_gives_the_same_panel_and_another_seed_another(tmp_path: Path) -> None:
    tables = []
    for seed in ("1", "1", "2"):
        directory = tmp_path / str(len(tables))
        generator = str(STUDY / "generate.py")
        command = [sys.executable, generator, str(directory), "--persons", "200", "--seed", seed]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        tables.append(pl.read_parquet(directory / "lmp_jobs" / "2010-05.parquet"))
    assert tables[0].equals(tables[1])
    assert not tables[0].equals(tables[2])


def test_flows_are_those_of_people_and_not_of_dice(example: Example) -> None:
    jobs = example.source("lmp_jobs").sort("matricule", "month")
    benefits = example.source("lmp_benefits")
    stays = (
        jobs.with_columns(
            following=pl.col("month").shift(-1).over("matricule"),
            same=pl.col("employer_number").shift(-1).over("matricule") == pl.col("employer_number"),
        )
        .filter(pl.col("following") == pl.col("month").dt.offset_by("1mo"))["same"]
        .mean()
    )
    assert isinstance(stays, float)
    assert 0.97 < stays < 0.999
    spells = benefits.filter(kind=FULL).group_by("matricule").len()["len"]
    assert (spells % 6 == 0).mean() > 0.8  # type: ignore[operator]  # full leaves have six months
    away = benefits.filter(pl.col("kind") == FULL).join(jobs, on=["matricule", "month"], how="inner")
    assert away.is_empty()


def test_the_extract_is_a_quarter_of_the_women_with_the_columns_asked(
    example: Example, extract: Extract
) -> None:
    assert extract.table("persons").height == PERSONS / 2 * 0.25
    assert {name: table.columns for name, table in extract.tables().items()} == {
        "persons": ["person_id", "birth_year", "nationality"],
        "jobs": ["person_id", "month", "gross_wage", "weekly_hours", "contract", "nace_section", "employees"],
        "leaves": ["person_id", "month", "kind"],
        "unemployment": ["person_id", "month", "months_registered"],
        "homes": ["person_id", "month", "commune", "children"],
    }
    women = set(extract.table("persons")["person_id"])
    for name, table in extract.tables().items():
        assert set(table["person_id"]) <= women, name
    assert set(extract.table("leaves")["kind"]) <= {1, FULL, PART}
    numbers = extract.numbers("lu_matricule", "person_id", "matricule")
    jobs = example.source("lmp_jobs").join(numbers, on="matricule")
    assert extract.table("jobs").height == jobs.height


def test_employers_stay_unknown_while_what_they_do_is_there(example: Example, extract: Extract) -> None:
    jobs = extract.table("jobs")
    assert set(jobs["nace_section"].drop_nulls()) <= {1, 2, 3, 4}
    assert set(jobs["employees"].drop_nulls()) <= {1, 10, 50, 250}
    employers = set(example.source("lmp_employers")["employer_number"])
    for column in jobs.select(pl.selectors.integer()).iter_columns():
        assert not employers & set(column)


@pytest.mark.parametrize(
    ("column", "code"),
    [
        (ColumnRequest(variable="gross_wage", level=Level.RAW), "justification_needed"),
        (ColumnRequest(variable="gross_wage", level=Level.GROUP, justification="x"), "unknown_level"),
        (ColumnRequest(variable="employer_number"), "direct_identifier"),
        (ColumnRequest(variable="matricule"), "direct_identifier"),
    ],
)
def test_more_than_needed_is_refused(example: Example, column: ColumnRequest, code: str) -> None:
    (dataset,) = [one for one in example.request.datasets if one.name == "jobs"]
    asked = dataset.model_copy(update={"columns": (column,), "through": None})
    with pytest.raises(Refused) as refused:
        example.plan(example.request.specification.model_copy(update={"datasets": (asked,)}))
    assert refused.value.code == code


def test_the_python_analysis_finds_the_leave_again_in_cells_of_ten_women_or_more(
    extract: Extract, tmp_path: Path
) -> None:
    notebook = STUDY / "analysis-python.ipynb"
    cells = nbformat.read(notebook, as_version=4).cells
    code = [c.source for c in cells if c.cell_type == "code" and "desk" not in c.metadata.get("tags", [])]
    environment = os.environ | {"VITRINE_EXTRACT": str(extract.directory)}
    command = [sys.executable, "-c", "\n".join(code)]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, timeout=120)
    study = pl.read_csv(tmp_path / "event_study.csv")
    assert study["quarter"].to_list() == list(range(-8, 16))
    for column in ("women", "women_at_work"):
        assert study[column].drop_nulls().min() >= 10  # type: ignore[operator]
    shares = dict(zip(study["quarter"], study["share_at_work"], strict=True))
    hours = dict(zip(study["quarter"], study["mean_hours"], strict=True))
    assert shares[-8] > 0.6
    assert shares[1] < shares[-8] / 2
    assert hours[12] < hours[-8] - 1


@pytest.mark.parametrize("name", ["analysis-python.ipynb", "analysis-r.ipynb"])
def test_notebooks_are_kept_without_results(name: str) -> None:
    notebook = nbformat.read(STUDY / name, as_version=4)
    nbformat.validate(notebook)
    assert all(not cell.outputs for cell in notebook.cells if cell.cell_type == "code")


def test_the_codebooks_are_valid_ddi(example: Example, extract: Extract) -> None:
    for dictionary in example.dictionaries.values():
        assert schema_errors(ddi_codebook(dictionary, page="https://example.org/d")) == []
    assert schema_errors((extract.directory / "codebook.xml").read_bytes()) == []
