"""Differencing over projects and over time: what was released, by whomever, counts."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pyroaring import BitMap

from hub.actions import ledgers, reviews, submissions
from hub.actions.ledgers import NamedSets
from hub.actions.ports import ExtractFiles, Office
from hub.checks.cells import Cell, dump_checked, load_checked
from hub.checks.findings import Finding, Place, Report, Severity, Verdict
from hub.domain.errors import Conflict, IntegrityError
from hub.domain.lifecycle import SubmissionState
from hub.domain.records import Decision, StagedFile, StagedSets, Submission
from hub.extraction.maps import PSEUDONYM
from hub.extraction.registers import write_register
from tests import factories
from tests.factories import NOW, actor

PEOPLE = range(500)
Stage = Callable[..., tuple[StagedFile, list[Finding]]]


@pytest.fixture(autouse=True)
def _projects(office: Office, tmp_path: Path) -> None:
    """Two projects, of ana and of rosa, on the same five hundred persons under other pseudonyms."""
    for slug, person, first in (("wages", "ana", 10_000), ("health", "rosa", 90_000)):
        factories.add_project(office, slug, people=[person])
        units = pl.DataFrame({"key": PEOPLE, PSEUDONYM: range(first, first + 500)})
        write_register(
            {"register people": units},
            extract=f"{slug}/v1",
            master_key=bytes(32),
            into=tmp_path / "ledger" / "units",
        )


def cell(positions: Sequence[int], statistic: str = "persons", variable: str | None = None) -> Cell:
    units = BitMap(positions)
    return Cell(
        0, 1, "people", statistic, variable, 1.0, len(units), None, None, units=units, place=Place(table=0)
    )


def extract(folder: Path, slug: str, homes: int | None = None, count: int = 500) -> ExtractFiles:
    """The project's extract of the first so many persons; everybody in a household of so many, if any is
    known, in the order of their pseudonyms."""
    directory = folder / "extracts" / slug / "v1"
    directory.mkdir(parents=True, exist_ok=True)
    first = {"wages": 10_000, "health": 90_000}[slug]
    columns = {"person": "pid"}
    table = pl.DataFrame({"pid": range(first, first + count)})
    if homes is not None:
        columns["household"] = "hid"
        table = table.with_columns(hid=pl.int_range(count) // homes + 7_000)
    table.write_parquet(directory / "people.parquet")
    (directory / "manifest.json").write_text(json.dumps({"pseudonyms": {"columns": columns}}))
    return ExtractFiles(f"{slug}/v1", directory)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    def stage(
        office: Office,
        slug: str,
        *cells: Cell,
        homes: int | None = None,
        count: int = 500,
        beside: Sequence[NamedSets] = (),
    ) -> tuple[StagedFile, list[Finding]]:
        files = extract(tmp_path, slug, homes, count)
        sets, found = staged(office, files, cells, beside)
        return dataclasses.replace(factories.staged(sha256=f"{len(sets)}" * 64), sets=sets), found

    return stage


def staged(
    office: Office, files: ExtractFiles, cells: Sequence[Cell], beside: Sequence[NamedSets] = ()
) -> tuple[tuple[StagedSets, ...], list[Finding]]:
    """The cells and their sets, handed over as a check does, and staged."""
    report = Report(Verdict.REVIEW, (), "text/csv", None, {}, cells)
    head, *rest = dump_checked(report, with_cells=True)
    with tempfile.TemporaryFile() as sets:
        sets.write(b"".join(rest)[1:])
        sets.flush()
        cells = load_checked(head).cells
        return ledgers.stage_sets(office, extract=files, cells=cells, sets=sets, beside=beside)


def submit(office: Office, slug: str, *files: StagedFile) -> Submission:
    username = {"wages": "ana", "health": "rosa"}[slug]
    session = factories.open_session(office, slug, username).session.id
    return submissions.submit(
        office, session_id=session, form=factories.FORM, supersedes=None, files=files, now=NOW
    )


def decide(office: Office, made: Submission, decision: Decision = Decision.APPROVE) -> Submission:
    for checker in ("chloe", "denis"):
        made = reviews.cast_vote(
            office,
            submission_id=made.id,
            decision=decision,
            comment="x",
            by=actor(checker),
            now=NOW,
            grounds=factories.grounds(office, made.id),
        )
    return made


def test_another_project_on_the_same_source_is_seen(office: Office, stage: Stage) -> None:
    file, found = stage(office, "wages", cell(range(100)))
    assert found == []
    decide(office, submit(office, "wages", file))
    _, found = stage(office, "health", cell(range(97)))
    assert [(f.rule, f.severity, f.evidence["release"]) for f in found] == [
        ("differencing", Severity.BLOCK, 1)
    ]
    assert stage(office, "health", cell(range(80)))[1] == []
    assert stage(office, "health", cell(range(100)))[1] == []


def test_twelve_persons_of_one_household_are_seen_across_projects(office: Office, stage: Stage) -> None:
    """Two tables, each about hundreds of persons and dozens of households; the attack that persons hide."""
    file, found = stage(office, "wages", cell(range(500)), homes=13)
    assert found == []
    decide(office, submit(office, "wages", file))
    fewer = cell(range(12, 500))
    for slug in ("wages", "health"):
        _, found = stage(office, slug, fewer, homes=13)
        told = [(f.rule, f.severity, f.evidence["unit_type"], f.evidence["units_known"]) for f in found]
        assert told == [("differencing", Severity.BLOCK, "household", True)]
        assert "fewer than 10 households" in found[0].message["en"]
        assert stage(office, slug, cell(range(130, 500)), homes=13)[1] == []
    # A project that does not have the households is compared by what the release knows.
    assert [f.evidence["unit_type"] for f in stage(office, "health", fewer)[1]] == ["household"]


def test_what_was_kept_before_households_were_stays_readable(office: Office, stage: Stage) -> None:
    made = decide(office, submit(office, "wages", stage(office, "wages", cell(range(500)))[0]))
    with office.units.read() as unit:
        (old,) = unit.ledger_files.find(submission=made.id)
    assert {"relation", "having"}.isdisjoint(old.cells[0])  # as it was written then
    assert [f.evidence["unit_type"] for f in stage(office, "health", cell(range(497)))[1]] == ["person"]
    # The new extract knows who lives with whom.
    _, found = stage(office, "health", cell(range(12, 500)), homes=13)
    assert [(f.severity, f.evidence["unit_type"]) for f in found] == [(Severity.BLOCK, "household")]
    # Where it knows only those of its own number, the difference is feared and said to be.
    file, found = stage(office, "health", cell(range(400)), homes=13, count=400)
    assert [(f.severity, f.evidence["units_known"]) for f in found] == [(Severity.REVIEW, False)]
    assert len(file.sets) == 1


def test_two_that_waited_together_do_not_both_leave_one_household_apart(office: Office, stage: Stage) -> None:
    first = submit(office, "wages", stage(office, "wages", cell(range(500)), homes=13)[0])
    second = submit(office, "health", stage(office, "health", cell(range(12, 500)), homes=13)[0])
    decide(office, first)
    with pytest.raises(Conflict) as refused:
        decide(office, second)
    assert refused.value.code == "differs_from_release"


def test_damaged_memberships_are_a_finding(office: Office, stage: Stage, tmp_path: Path) -> None:
    file, _ = stage(office, "wages", cell(range(500)), homes=13)
    decide(office, submit(office, "wages", file))
    relation = str(file.sets[0].cells[0]["relation"])
    path = tmp_path / "ledger" / "cells" / relation[:2] / relation
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1])
    again = dataclasses.replace(office, checking=factories.checking(tmp_path))
    _, found = stage(again, "health", cell(range(12, 500)), homes=2)
    assert [f.rule for f in found] == ["ledger_unread"]


def test_a_release_is_compared_before_its_transaction(
    office: Office, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While children compare, others can write; within the transaction nothing is left to compare."""
    first, second = (
        submit(office, slug, stage(office, slug, cell(range(size)))[0])
        for slug, size in (("wages", 100), ("health", 60))
    )
    decide(office, first)
    assert office.checking is not None
    ledger, asked = office.checking.ledger, []
    differ = ledger.differ

    def differ_and_write(*args: Any, **more: Any) -> list[tuple[int, bool, bool]]:
        with office.units.write() as unit:  # would wait for a transaction that is open
            unit.record(by=factories.SYSTEM, action="test.wrote", object="test", now=NOW)
        asked.append(more)
        return differ(*args, **more)

    monkeypatch.setattr(ledger, "differ", differ_and_write)
    assert decide(office, second).state is SubmissionState.RELEASED
    assert len(asked) == 2  # once for each checker's vote


def called(name: str, file: StagedFile) -> StagedFile:
    return dataclasses.replace(file, name=name, canonical_name=name)


@pytest.mark.parametrize("fewer", [range(97), range(3, 100)])
def test_two_files_of_one_submission_are_compared(office: Office, stage: Stage, fewer: Sequence[int]) -> None:
    first, found = stage(office, "wages", cell(range(100)))
    assert found == []
    beside = [NamedSets("a.csv", first.sets)]
    second, found = stage(office, "wages", cell(fewer), beside=beside)
    assert [(f.rule, f.severity, f.evidence["beside"]) for f in found] == [
        ("differencing", Severity.BLOCK, "a.csv")
    ]
    assert "the file “a.csv” of the same submission" in found[0].message["en"]
    assert "fichier « a.csv » de la même soumission" in found[0].message["fr"]
    assert "release" not in found[0].evidence
    for alike in (cell(range(100)), cell(range(80)), cell(range(200, 300))):
        assert stage(office, "wages", alike, beside=beside)[1] == []
    # What was found was answered: the submission is not refused for being like itself.
    made = submit(office, "wages", called("a.csv", first), called("b.csv", second))
    assert decide(office, made).state is SubmissionState.RELEASED


def test_a_number_that_another_file_repeats_is_still_compared_with_releases(
    office: Office, stage: Stage
) -> None:
    decide(office, submit(office, "wages", stage(office, "wages", cell(range(100)))[0]))
    first, found = stage(office, "health", cell(range(97)))
    assert [f.evidence.get("release") for f in found] == [1]
    _, found = stage(office, "health", cell(range(97)), beside=[NamedSets("a.csv", first.sets)])
    assert [f.evidence.get("release") for f in found] == [1]


def test_files_that_leave_the_rest_of_another_one_s_total_are_seen(office: Office, stage: Stage) -> None:
    whole, _ = stage(office, "wages", cell(range(100)))
    parts = [cell(range(50)), cell(range(50, 96))]
    _, found = stage(office, "wages", *parts, beside=[NamedSets("all.csv", whole.sets)])
    assert [(f.evidence["beside"], f.evidence["with_other_cells"]) for f in found] == [("all.csv", True)]


def test_what_was_staged_before_siblings_were_compared_is_refused_at_release(
    office: Office, stage: Stage
) -> None:
    old = []
    for name, of in (("a.csv", range(100)), ("b.csv", range(97))):
        file, _ = stage(office, "wages", cell(of))
        kept = {key: value for key, value in file.sets[0].cells[0].items() if key != "set"}
        sets = (dataclasses.replace(file.sets[0], cells=(kept,)),)
        old.append(called(name, dataclasses.replace(file, sets=sets)))
    with pytest.raises(Conflict) as refused:
        decide(office, submit(office, "wages", *old))
    assert refused.value.code == "differs_beside"


@pytest.mark.parametrize("decision", [Decision.RETURN, Decision.REJECT, None])
def test_what_was_not_released_tells_nothing(office: Office, stage: Stage, decision: Decision | None) -> None:
    made = submit(office, "wages", stage(office, "wages", cell(range(100)))[0])
    if decision is not None:
        decide(office, made, decision)
    assert stage(office, "health", cell(range(97)))[1] == []


def test_two_that_waited_together_do_not_both_leave(office: Office, stage: Stage) -> None:
    first = submit(office, "wages", stage(office, "wages", cell(range(100)))[0])
    second = submit(office, "health", stage(office, "health", cell(range(97)))[0])
    decide(office, first)
    with pytest.raises(Conflict) as refused:
        decide(office, second)
    assert refused.value.code == "differs_from_release"
    with office.units.read() as unit:
        kept = unit.submissions.get(second.id)
        assert kept is not None
        assert kept.state is SubmissionState.UNDER_REVIEW
        assert [vote.checker for vote in unit.votes.find(submission=second.id)] == ["chloe"]
    returned = reviews.cast_vote(
        office,
        submission_id=second.id,
        decision=Decision.RETURN,
        comment="Differs from another release.",
        by=actor("denis"),
        now=NOW,
    )
    assert returned.state is SubmissionState.RETURNED


def test_a_damaged_ledger_is_a_finding_and_stops_a_release(
    office: Office, stage: Stage, tmp_path: Path
) -> None:
    made = submit(office, "wages", stage(office, "wages", cell(range(100)))[0])
    waiting = submit(office, "health", stage(office, "health", cell(range(50)))[0])
    decide(office, made)
    for path in (tmp_path / "ledger" / "cells").rglob("*"):
        if path.is_file():
            path.chmod(0o600)
            path.write_bytes(b"x")
    factories_office = dataclasses.replace(office, checking=factories.checking(tmp_path))
    _, found = stage(factories_office, "health", cell(range(97)))
    assert [(f.rule, f.severity) for f in found] == [("ledger_unread", Severity.REVIEW)]
    with pytest.raises(IntegrityError):
        decide(factories_office, waiting)


def test_a_table_whose_persons_are_not_known_is_a_finding(office: Office, tmp_path: Path) -> None:
    files = extract(tmp_path, "wages")
    elsewhere = dataclasses.replace(cell(range(50)), table="firms")
    sets, found = staged(office, files, [elsewhere])
    assert sets == ()
    assert [f.rule for f in found] == ["ledger_unread"]


def test_the_audit_log_says_how_many_cells_were_released(office: Office, stage: Stage) -> None:
    file, _ = stage(office, "wages", cell(range(100)), cell(range(50), "mean", "wage"))
    made = decide(office, submit(office, "wages", file))
    with office.units.read() as unit:
        (told,) = [
            e for e in unit.events(object=f"submission:{made.id}") if e.action == "submission.released"
        ]
        rows = unit.ledger_files.find(submission=made.id)
    assert told.details["ledger_cells"] == 2
    assert [row.released_at for row in rows] == [NOW]
