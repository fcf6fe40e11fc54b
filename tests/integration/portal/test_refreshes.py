"""New data reach a project: a new edition of its source, a refresh in the portal, a version in desks."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from hub.actions import extracts, projects
from hub.documents import parse
from hub.documents.dictionaries import Dictionary
from hub.documents.policies import load_policies
from hub.domain.lifecycle import ExtractState
from hub.extraction import SourceRecord, register, verify_extract
from hub.sweeper import worker
from hub.sweeper.worker import Rooms
from tests import factories
from tests.integration.portal.stage import P, Stage
from tests.unit.extraction import registers

TWO = "reference_period: {first: 2005-01-01, last: 2005-02-28}"
THREE = "reference_period: {first: 2005-01-01, last: 2005-03-31}"


def _edition(rooms: Rooms, folder: Path, months: int, *, replace: bool) -> tuple[Dictionary, SourceRecord]:
    """The persons in the first months; a number nobody had before only in the third."""
    rows = registers.persons().filter(pl.col("month") <= registers.MONTHS[months - 1])
    if months == 3:
        new = rows.filter(pl.col("month") == date(2005, 3, 1)).head(1).with_columns(nr=pl.lit(9999, pl.Int64))
        rows = pl.concat([rows, new])
    text = registers.PERSONS.replace(THREE, TWO) if months == 2 else registers.PERSONS
    dictionary = parse(Dictionary, text, name="persons.yaml")
    rows.write_parquet(folder / f"{months}.parquet")
    record = register(
        folder / f"{months}.parquet", dictionary, warehouse=rooms.warehouse, now=datetime.now(UTC),
        schemes=rooms.schemes, replace=replace,
    )  # fmt: skip
    return dictionary, record


def _note(stage: Stage, record: SourceRecord) -> None:
    with stage.office.units.read() as unit:
        known = unit.sources.get("cps")
    assert known is not None
    variables = {name: {"fr": name, "en": name, "deliverable": True} for name in ("month", "age")}
    source = dataclasses.replace(
        known, name=record.name, sha256=record.file_sha256, dictionary_sha256=record.dictionary_sha256,
        variables=variables,
    )  # fmt: skip
    extracts.note_source(stage.office, source=source, by=factories.SYSTEM, now=datetime.now(UTC))


def _page(stage: Stage) -> str:
    return str(stage.visit("bob").get(f"{P}/projects/panel").text)


def test_a_new_month_and_a_new_person_reach_the_desk(stage: Stage, tmp_path: Path) -> None:
    policies = load_policies(factories.ROOT / "policies")
    rooms = Rooms(
        tmp_path / "warehouse",
        tmp_path / "extracts",
        bytes(range(32)),
        schemes=registers.SCHEMES,
        areas=registers.LIMITS,
        maps=tmp_path / "maps",
        thresholds=policies.risks.thresholds,
    )
    rooms.warehouse.mkdir()
    _, first = _edition(rooms, tmp_path, 2, replace=False)
    _note(stage, first)
    now = datetime.now(UTC)
    plan = {"source": "persons", "columns": ["month", "age"]}
    new = factories.new_project("panel", starts_at=now, ends_at=now + timedelta(days=1), plan=plan)
    projects.create_project(stage.office, new=new, by=factories.actor("bob"), now=now)
    worker.work(stage.office, rooms, rounds=3)
    with stage.office.units.read() as unit:
        made = extracts.get_extract(unit, "panel/v1")
    assert made.state is ExtractState.SEALED, made.error

    # The portal's own clock stands at another day: what it decides by time is in test_pages.
    _, second = _edition(rooms, tmp_path, 3, replace=True)
    _note(stage, second)
    assert "Sources with a new edition since the newest version: persons." in _page(stage)
    assert stage.post("bob", "/admin/projects/panel/refresh-extract").status_code == 303
    assert "version 1 in /data" in _page(stage)
    worker.work(stage.office, rooms, rounds=3)
    assert "version 2 in /data" in _page(stage)

    before, after = (
        pl.read_parquet(tmp_path / "extracts" / "panel" / v / "persons.parquet") for v in ("v1", "v2")
    )
    assert (before["month"].n_unique(), after["month"].n_unique()) == (2, 3)
    assert before.sort(pl.all()).equals(after.filter(pl.col("month") < date(2005, 3, 1)).sort(pl.all()))
    assert len(set(after["person_id"]) - set(before["person_id"])) == 1
    manifests = [verify_extract(tmp_path / "extracts" / "panel" / v) for v in ("v1", "v2")]
    assert [one.sources[0].file_sha256 for one in manifests] == [first.file_sha256, second.file_sha256]
    with stage.office.units.read() as unit:
        actions = [event.action for event in unit.events(object="source:persons")]
    assert actions == ["source.registered", "source.replaced"]
