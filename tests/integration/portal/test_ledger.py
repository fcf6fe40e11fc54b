"""Through the gate's door: reproduced numbers reach the ledger, and the next table is compared with them."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from hub.actions.submissions import get_submission
from hub.checks import Verdict, check_in_subprocess, report_from_json
from hub.checks.numbering import persons_of_panel
from hub.checks.panels import open_panels
from hub.checks.sets import SetsFile
from hub.domain.pseudonyms import compose
from tests import factories
from tests.integration.portal.stage import P, Stage

GROUPS = {"north": 120, "south": 90, "west": 150}


def write_people(folder: Path) -> None:
    """One row per person: a region, an age, a wage."""
    regions = [region for region, size in GROUPS.items() for _ in range(size)]
    count = len(regions)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "data.parquet").unlink(missing_ok=True)
    table = pl.DataFrame(
        {
            "person_id": [compose(11, 7_919 * k) for k in range(count)],
            "region": regions,
            # Three persons of the north and twenty of the west are counted elsewhere.
            "zone": ["other" if k < 3 or k >= count - 20 else r for k, r in enumerate(regions)],
            "age": [18 + (k * 13) % 60 for k in range(count)],
            "wage": [1_000.0 + (k * 37) % 977 for k in range(count)],
        }
    )
    table.sample(fraction=1.0, shuffle=True, seed=3).write_parquet(folder / "data.parquet")
    (folder / "manifest.json").write_text('{"pseudonyms": {"tag": 11, "columns": {"person": "person_id"}}}')


@pytest.fixture
def session(stage: Stage) -> str:
    for slug in ("wages", "health"):
        write_people(stage.folder / "extracts" / slug / "v1")
    return factories.open_session(stage.office).session.id


def counted(stage: Stage, variable: str) -> bytes:
    people = pl.read_parquet(stage.folder / "extracts/wages/v1/data.parquet")
    people = people.filter(pl.col(variable).is_not_null())
    return people.group_by(variable).agg(pl.len().alias("n")).sort(variable).write_csv().encode()


def rules(stage: Stage, submission: str) -> tuple[Verdict, list[str]]:
    with stage.office.units.read() as unit:
        (file,) = unit.files.find(submission=submission)
    report = report_from_json(dict(file.report))
    return report.verdict, sorted({finding.rule for finding in report.findings})


def test_a_released_table_is_remembered_by_its_persons(stage: Stage, session: str) -> None:
    first = stage.submit(session, ("regions.csv", counted(stage, "region")))
    assert rules(stage, first) == (Verdict.PASS, [])
    with stage.office.units.read() as unit:
        (kept,) = unit.ledger_files.find(submission=first)
    assert kept.released_at is None
    assert sorted(int(str(cell["size"])) for cell in kept.cells) == sorted(GROUPS.values())
    stage.approve(first)
    with stage.office.units.read() as unit:
        (kept,) = unit.ledger_files.find(submission=first)
    assert kept.released_at == factories.NOW


def test_a_table_about_a_few_persons_fewer_is_blocked(stage: Stage, session: str) -> None:
    first = stage.submit(session, ("regions.csv", counted(stage, "region")))
    zones = stage.submit(session, ("zones.csv", counted(stage, "zone")))
    assert rules(stage, zones) == (Verdict.PASS, [])  # nothing is released yet
    stage.approve(first)
    again = stage.submit(session, ("zones again.csv", counted(stage, "zone")))
    assert rules(stage, again) == (Verdict.BLOCK, ["differencing"])
    # What was checked before the release is not released after it either.
    assert (
        stage.post("chloe", f"/review/{zones}/vote", decision="approve", **stage.ticks(zones)).status_code
        == 303
    )
    assert (
        stage.post("denis", f"/review/{zones}/vote", decision="approve", **stage.ticks(zones)).status_code
        == 409
    )


def test_two_files_of_one_submission_are_compared(stage: Stage, session: str) -> None:
    """No release yet: they would tell about three persons together, and the author reads so at once."""
    files = [("regions.csv", counted(stage, "region")), ("zones.csv", counted(stage, "zone"))]
    both = stage.submit(session, *files)
    with stage.office.units.read() as unit:
        reports = [report_from_json(dict(f.report)) for f in unit.files.find(submission=both)]
    assert sorted(one.verdict for one in reports) == [Verdict.BLOCK, Verdict.PASS]
    (blocked,) = [one for one in reports if one.verdict is Verdict.BLOCK]
    assert {(one.rule, one.evidence["beside"]) for one in blocked.findings} == {
        ("differencing", "regions.csv")
    }
    page = stage.visit("ana").get(f"{P}/submissions/{both}").text
    assert 'data-testid="beside"' in page
    assert "zones.csv" in page
    assert "regions.csv" in page
    alone = stage.submit(session, *files[:1])
    assert 'data-testid="beside"' not in stage.visit("ana").get(f"{P}/submissions/{alone}").text


def test_a_released_number_nobody_could_make_again_is_remembered_by_its_headings(
    stage: Stage, session: str
) -> None:
    plain = counted(stage, "region")
    lines = plain.decode().splitlines()
    strange = "\n".join([f"{lines[0]},index", *(f"{line},{17.13 + k}" for k, line in enumerate(lines[1:]))])
    first = stage.submit(session, ("index.csv", strange.encode()))
    assert rules(stage, first)[0] is Verdict.REVIEW
    assert rules(stage, stage.submit(session, ("regions.csv", plain)))[0] is Verdict.PASS
    stage.approve(first)
    again = stage.submit(session, ("regions again.csv", plain))
    assert rules(stage, again) == (Verdict.REVIEW, ["released_unknown"])
    with stage.office.units.read() as unit:
        (file,) = unit.files.find(submission=again)
    (found,) = report_from_json(dict(file.report)).findings
    assert found.evidence["table"] == "index.csv"
    assert "headings" not in file.report["summary"]  # type: ignore[operator]
    other = stage.submit(session, ("zones.csv", counted(stage, "age")))
    assert "released_unknown" not in rules(stage, other)[1]


def indexed(stage: Stage, less: int = 0) -> bytes:
    """Counts by region, `less` so many, beside a number that nobody can make again."""
    lines = counted(stage, "region").decode().splitlines()
    cells = [line.split(",") for line in lines[1:]]
    rows = [f"{name},{int(n) - less},{17.13 + k}" for k, (name, n) in enumerate(cells)]
    return "\n".join([f"{lines[0]},index", *rows]).encode()


def test_numbers_that_nobody_could_make_again_are_compared_one_by_one(stage: Stage, session: str) -> None:
    first = stage.submit(session, ("index.csv", indexed(stage, less=2)))
    stage.approve(first)
    with stage.office.units.read() as unit:
        number = get_submission(unit, first).number
    for name, content in (
        ("regions.csv", counted(stage, "region")),
        ("others.csv", counted(stage, "region").replace(b"region,n", b"gebiet,personen")),
    ):
        verdict, found = rules(stage, again := stage.submit(session, (name, content)))
        assert (verdict, "released_unknown" in found) == (Verdict.REVIEW, True)
        with stage.office.units.read() as unit:
            (file,) = unit.files.find(submission=again)
        (said,) = [f for f in report_from_json(dict(file.report)).findings if f.rule == "released_unknown"]
        assert said.evidence["changed"] + said.evidence["near"] == 3
        assert f"no. {number}" in said.message["en"]
        page = stage.visit("chloe").get(f"{P}/review/{again}").text
        assert said.message["en"].split(";")[0] in page


def test_two_files_of_one_submission_are_compared_where_one_is_unknown(stage: Stage, session: str) -> None:
    both = stage.submit(session, ("index.csv", indexed(stage, less=2)), ("n.csv", counted(stage, "region")))
    with stage.office.units.read() as unit:
        reports = [report_from_json(dict(f.report)) for f in unit.files.find(submission=both)]
    assert [one.verdict for one in reports] == [Verdict.REVIEW, Verdict.REVIEW]
    (said,) = reports[1].findings
    assert (said.rule, said.evidence["beside"], said.evidence["changed"]) == (
        "released_unknown",
        "index.csv",
        3,
    )
    page = stage.visit("ana", "fr").get(f"{P}/submissions/{both}").text
    assert 'data-testid="beside"' in page
    assert "index.csv" in page
    assert "Demandez ce qui les distingue" in page


def test_cells_count_persons_in_the_order_in_which_they_are_numbered(stage: Stage, session: str) -> None:
    directory = stage.folder / "extracts/wages/v1"
    file = stage.folder / "regions.csv"
    file.write_bytes(counted(stage, "region"))
    people = pl.read_parquet(directory / "data.parquet")
    _, (panel,) = open_panels(directory)
    persons = persons_of_panel(panel)
    assert persons is not None
    assert persons.tolist() == sorted(people["person_id"])
    with (stage.folder / "sets").open("w+b") as stream:
        report = check_in_subprocess(
            file,
            name="regions.csv",
            form=None,
            extract=directory,
            thresholds=stage.portal.thresholds,
            sets=stream,
        )
        sets = SetsFile(stream)
        for cell, region in zip(report.cells, sorted(GROUPS), strict=True):
            assert cell.units is None  # they do not pass through this process
            assert cell.held is not None
            members = sorted(people.filter(pl.col("region") == region)["person_id"].to_list())
            assert [persons[position] for position in sets[cell.held]] == members


def test_twelve_persons_of_one_household_are_blocked(stage: Stage, session: str) -> None:
    """Two tables, each of which is safe, whose difference is a household but for one of its members."""
    directory = stage.folder / "extracts/wages/v1"
    people = pl.read_parquet(directory / "data.parquet").sort("region", "person_id")
    # Thirteen of the north live together, everybody else alone; twelve of them are left out of `part`.
    people = people.with_columns(
        household_id=pl.Series([compose(11, 1 + max(k - 12, 0)) for k in range(people.height)]),
        part=pl.Series([None if k < 12 else region for k, region in enumerate(people["region"])]),
    )
    people.write_parquet(directory / "data.parquet")
    (directory / "manifest.json").write_text(
        '{"pseudonyms": {"tag": 11, "columns": {"person": "person_id", "household": "household_id"}}}'
    )
    whole = stage.submit(session, ("whole.csv", counted(stage, "region")))
    part = stage.submit(session, ("part.csv", counted(stage, "part")))
    assert [rules(stage, made) for made in (whole, part)] == [(Verdict.PASS, []), (Verdict.PASS, [])]
    stage.approve(whole)
    again = stage.submit(session, ("part again.csv", counted(stage, "part")))
    assert rules(stage, again) == (Verdict.BLOCK, ["differencing"])
    with stage.office.units.read() as unit:
        (file,) = unit.files.find(submission=again)
    (finding,) = report_from_json(dict(file.report)).findings
    assert finding.evidence["unit_type"] == "household"
