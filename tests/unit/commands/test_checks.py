"""`vitrine check` on a real extract: units and labels come from its codebook, nobody names them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from hub.commands.checks import check
from hub.documents import parse
from hub.documents.dictionaries import Dictionary
from hub.documents.projects import ExtractDocument
from hub.extraction import extract, register
from tests.unit.extraction.conftest import DICTIONARY, MASTER_KEY, NOW, plan_short

POLICIES = Path(__file__).parents[3] / "policies"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three hundred persons in households of two, with a dictionary that labels the sexes."""
    scratch = tmp_path_factory.mktemp("toy")
    lines = ["id,year,house,sex,wage,born,works"]
    lines += [
        f"{n},2025,h{n // 2},{2 if n < 150 else 1},{20 + n * 7 % 83}.5,1980-01-31,{str(n % 3 > 0).lower()}"
        for n in range(1, 301)
    ]
    (scratch / "toy.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    warehouse = scratch / "warehouse"
    warehouse.mkdir()
    register(
        scratch / "toy.csv", parse(Dictionary, DICTIONARY, name="toy.yaml"), warehouse=warehouse, now=NOW
    )
    request = ExtractDocument.model_validate(
        {"source": "toy", "columns": ("sex", "wage", "works"), "household": True}
    )
    extract(
        plan_short(request, warehouse),
        warehouse=warehouse,
        master_key=MASTER_KEY,
        into=scratch / "v1",
        now=NOW,
    )
    return scratch / "v1"


def judged(directory: Path, file: Path, content: str) -> dict[str, object]:
    file.write_text(content, encoding="utf-8")
    app = typer.Typer()
    app.command()(check)
    done = CliRunner().invoke(
        app, [str(file), "--extract", str(directory), "--policies", str(POLICIES), "--json"]
    )
    assert done.exit_code == 0, done.output
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("labels", [{1: "f", 2: "h"}, {1: "f", 2: "m"}, {1: "1", 2: "2"}])
def test_labels_of_the_codebook_name_the_groups(
    labels: dict[int, str], directory: Path, tmp_path: Path
) -> None:
    frame = pl.read_parquet(directory / "toy.parquet")
    table = frame.group_by("sex").agg(n=pl.len(), mean_wage=pl.col("wage").mean().round(3)).sort("sex")
    lines = [f"{labels[sex]},{n},{mean}" for sex, n, mean in table.rows()]
    found = judged(directory, tmp_path / "t.csv", "\n".join(["sex,n,mean_wage", *lines]) + "\n")
    assert found["verdict"] == "PASS", found


def test_small_groups_are_blocked(directory: Path, tmp_path: Path) -> None:
    frame = pl.read_parquet(directory / "toy.parquet")
    table = frame.group_by("wage").agg(n=pl.len()).sort("wage").head(20)
    found = judged(directory, tmp_path / "t.csv", table.write_csv())
    assert found["verdict"] == "BLOCK"


def test_a_declaration_that_is_none_is_a_finding_and_the_file_is_judged(
    directory: Path, tmp_path: Path
) -> None:
    table = "sex,n\n1,151\n2,149\n"
    whole = judged(directory, tmp_path / "t.csv", table)
    assert whole["verdict"] == "PASS", whole
    (tmp_path / "t.csv.spec.json").write_text('{"version": 1, "surprise": true', encoding="utf-8")
    found = judged(directory, tmp_path / "t.csv", table)
    assert found["verdict"] == "REVIEW"
    assert [one["rule"] for one in found["findings"]] == ["unread_claim"]  # type: ignore[index, attr-defined]


COUNTS_BY_SEX = {
    "kind": "table",
    "table": "toy",
    "by": [{"variable": "sex"}],
    "measures": [{"stat": "count", "column": "n"}],
}


def test_a_declaration_is_of_the_file_that_it_names(directory: Path, tmp_path: Path) -> None:
    """One declaration for several files would claim things of files that it says nothing of."""
    table = "sex,n\n1,151\n2,149\n"
    spec = tmp_path / "a.csv.spec.json"
    spec.write_text(json.dumps({"version": 1, "file": "a.csv", "output": COUNTS_BY_SEX}), encoding="utf-8")
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(table, encoding="utf-8")
    app = typer.Typer()
    app.command()(check)
    given = ["--extract", str(directory), "--policies", str(POLICIES), "--spec", str(spec)]
    done = CliRunner().invoke(app, [str(tmp_path / "a.csv"), *given])
    assert (done.exit_code, done.stdout.split()[0]) == (0, "PASS"), done.output
    done = CliRunner().invoke(app, [*(str(tmp_path / name) for name in ("a.csv", "b.csv")), *given])
    assert done.exit_code != 0
    assert "a.csv.spec.json" in done.output
    assert "b.csv" in done.output


def test_the_only_file_given_may_be_called_otherwise_on_this_disk(directory: Path, tmp_path: Path) -> None:
    """What a file is called here is not what leaves: neither its declaration nor its numbers depend on it."""
    spec = tmp_path / "said.json"
    spec.write_text(json.dumps({"version": 1, "file": "a.csv", "output": COUNTS_BY_SEX}), encoding="utf-8")
    file = tmp_path / "case-00417.csv"
    app = typer.Typer()
    app.command()(check)
    for table, verdict in (("sex,n\n1,151\n2,149\n", "PASS"), ("sex,n\n1,151\n2,148\n", "BLOCK")):
        file.write_text(table, encoding="utf-8")
        given = ["--extract", str(directory), "--policies", str(POLICIES), "--spec", str(spec)]
        done = CliRunner().invoke(app, [str(file), *given])
        assert (done.exit_code, done.stdout.split()[0]) == (0, verdict), done.output


def test_a_declaration_beside_a_file_that_is_of_another_is_a_finding(directory: Path, tmp_path: Path) -> None:
    said = json.dumps({"version": 1, "file": "other.csv", "output": COUNTS_BY_SEX})
    (tmp_path / "t.csv.spec.json").write_text(said, encoding="utf-8")
    found = judged(directory, tmp_path / "t.csv", "sex,n\n1,151\n2,149\n")
    assert [one["rule"] for one in found["findings"]] == ["unread_claim"]  # type: ignore[index, attr-defined]


def written_zones(directory: Path) -> Path:
    """360 persons in regions; three of the north, and twenty of the west, are counted in another zone."""
    regions = [name for name, size in (("north", 120), ("south", 90), ("west", 150)) for _ in range(size)]
    last = len(regions) - 20
    directory.mkdir()
    pl.DataFrame(
        {
            "pid": [1_000 + 3 * k for k in range(len(regions))],
            "region": regions,
            "zone": ["other" if k < 3 or k >= last else one for k, one in enumerate(regions)],
            "age": [18 + (k * 13) % 60 for k in range(len(regions))],
        }
    ).write_parquet(directory / "units.parquet")
    return directory


def counted_by(directory: Path, variable: str, into: Path) -> Path:
    frame = pl.read_parquet(directory / "units.parquet")
    frame.group_by(variable).agg(n=pl.len()).sort(variable).write_csv(into)
    return into


def judged_together(directory: Path, *files: Path) -> tuple[int, list[dict[str, Any]]]:
    app = typer.Typer()
    app.command()(check)
    given = ["--extract", str(directory), "--policies", str(POLICIES), "--unit", "person=pid", "--json"]
    done = CliRunner().invoke(app, [*map(str, files), *given])
    return done.exit_code, [json.loads(one) for one in done.stdout.splitlines()]


def test_a_table_and_its_twin_are_compared(tmp_path: Path) -> None:
    """Each would leave alone; together they tell about three persons, and the later says with which."""
    directory = written_zones(tmp_path / "extract")
    regions = counted_by(directory, "region", tmp_path / "regions.csv")
    zones = counted_by(directory, "zone", tmp_path / "zones.csv")
    for one in (regions, zones):
        code, (alone,) = judged_together(directory, one)
        assert (code, alone["verdict"]) == (0, "PASS"), alone
    code, (first, second) = judged_together(directory, regions, zones)
    assert (code, first["verdict"], second["verdict"]) == (0, "PASS", "BLOCK")
    assert first.keys() == second.keys() == alone.keys()
    (found,) = second["findings"]
    assert (found["rule"], found["severity"]) == ("differencing", "BLOCK")
    assert found["evidence"]["beside"] == "regions.csv"
    assert "regions.csv" in found["message"]["en"]
    code, told = judged_together(directory, zones, regions)
    assert [one["verdict"] for one in told] == ["PASS", "BLOCK"]


def test_files_about_the_same_or_clearly_different_persons_are_no_twins(tmp_path: Path) -> None:
    directory = written_zones(tmp_path / "extract")
    frame = pl.read_parquet(directory / "units.parquet")
    regions = counted_by(directory, "region", tmp_path / "regions.csv")
    ages = tmp_path / "ages.csv"
    frame.group_by("region").agg(pl.col("age").mean().round(2)).sort("region").write_csv(ages)
    code, told = judged_together(directory, regions, regions, ages)
    assert (code, [one["verdict"] for one in told]) == (0, ["PASS"] * 3), told


def test_files_that_are_missing_or_hold_nothing_to_compare_leave_the_others_judged(tmp_path: Path) -> None:
    directory = written_zones(tmp_path / "extract")
    prose = tmp_path / "note.txt"
    prose.write_text("A note about the regions.\n", encoding="utf-8")
    regions = counted_by(directory, "region", tmp_path / "regions.csv")
    zones = counted_by(directory, "zone", tmp_path / "zones.csv")
    code, told = judged_together(directory, tmp_path / "none.csv", regions, prose, zones)
    assert code == 1  # one file was not there
    assert [Path(one["file"]).name for one in told] == ["regions.csv", "note.txt", "zones.csv"]
    assert [told[0]["verdict"], told[2]["verdict"]] == ["PASS", "BLOCK"]


def test_numbers_that_cannot_be_made_again_are_compared_too(tmp_path: Path) -> None:
    directory = written_zones(tmp_path / "extract")
    regions = counted_by(directory, "region", tmp_path / "regions.csv")
    index = tmp_path / "index.csv"
    index.write_text("region,n,index\nnorth,118,1.713\nsouth,88,2.713\nwest,148,3.713\n", encoding="utf-8")
    code, (first, second) = judged_together(directory, index, regions)
    assert (code, first["verdict"], second["verdict"]) == (0, "REVIEW", "REVIEW")
    (found,) = second["findings"]
    assert (found["rule"], found["evidence"]["beside"]) == ("released_unknown", "index.csv")
