"""The study of parental leave in a real desk: both notebooks run top to bottom on a sealed extract, without a
network, and find the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from tests.acceptance.examples import ROOT, Example
from tests.acceptance.test_lmp_parental_leave import AREAS, PERSONS
from tests.desks.containers import Container

pytestmark = pytest.mark.containers

STUDY = ROOT / "examples" / "lmp-parental-leave"
# In one desk, one after the other; the executed notebooks land in the home like everything a desk writes.
COMMAND = """
set -e
for language in python r; do
  mkdir -p /home/researcher/$language; cd /home/researcher/$language
  cp /study/analysis-$language.ipynb .
  jupyter nbconvert --to notebook --execute --inplace analysis-$language.ipynb
done
echo BOTH-RAN
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a desk in which both notebooks have run on an extract."""
    work = tmp_path_factory.mktemp("study")
    example = Example.generated("lmp-parental-leave", work, "--persons", str(PERSONS), areas=AREAS)
    extract = example.extract(example.plan())
    home, data, study = work / "home", work / "sealed", work / "notebooks"
    shutil.copytree(extract.directory, data)
    shutil.copytree(STUDY, study, ignore=shutil.ignore_patterns("dictionaries", "__pycache__"))
    home.mkdir()
    for path in (work, *work.parents[:2], data, study):
        path.chmod(0o755)
    home.chmod(0o777)
    container = Container.start(
        240,
        ["bash", "-c", COMMAND],
        f"--volume={data}:/data:ro",
        f"--volume={study}:/study:ro",
        f"--volume={home}:/home/researcher",
    )
    try:
        status = container.wait(240)
        assert status == 0, container.output()[-4000:]
        assert "BOTH-RAN" in container.output()
    finally:
        container.remove()
    return home


@pytest.mark.parametrize("language", ["python", "r"])
def test_the_table_is_whole_and_stands_on_ten_women_or_more(home: Path, language: str) -> None:
    study = pl.read_csv(home / language / "event_study.csv")
    assert study["quarter"].to_list() == list(range(-8, 16))
    for column in ("women", "women_at_work"):
        assert study[column].drop_nulls().min() >= 10  # type: ignore[operator]
    assert study["mean_wage"].drop_nulls().len() > 0


def test_both_languages_find_the_same(home: Path) -> None:
    python, r = (pl.read_csv(home / language / "event_study.csv") for language in ("python", "r"))
    assert python.columns == r.columns
    for column in python.columns:
        # The two round halves differently: by one in the last digit that is printed.
        off = {"share_at_work": 0.001, "mean_hours": 0.1, "mean_wage": 10.0}.get(column, 0.0)
        one, other = python[column].cast(pl.Float64), r[column].cast(pl.Float64)
        assert one.is_null().to_list() == other.is_null().to_list(), column
        assert ((one - other).abs().fill_null(0.0) <= off + 1e-9).all(), column


def test_the_figure_is_a_picture(home: Path) -> None:
    assert (home / "python" / "event_study.png").read_bytes().startswith(b"\x89PNG")
