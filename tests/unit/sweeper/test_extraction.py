"""The worker over real sources: a specification becomes a sealed extract, and a refresh the next."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from hub.actions import extracts, projects
from hub.actions.ports import Office
from hub.documents import parse
from hub.documents.dictionaries import Dictionary
from hub.documents.policies import load_policies
from hub.domain.errors import Conflict, PermissionDenied, Refused
from hub.domain.lifecycle import ExtractState
from hub.domain.pseudonyms import looks_like_pseudonym
from hub.extraction import register, verify_extract
from hub.extraction.maps import read_map
from hub.sweeper import worker
from hub.sweeper.worker import Rooms
from tests import factories
from tests.factories import actor
from tests.unit.extraction import registers

PLANS = {
    "long form": """\
populations: [{name: some, source: persons, unit: person, sample: {count: 20}}]
datasets:
  - name: persons
    source: persons
    of: [some]
    units: [person]
    columns: [month, age]
    through: [{source: atlas, unit: sector, columns: [rent]}]
""",
    "short form": {"source": "persons", "columns": ["month", "age"], "sample": {"count": 20}},
}


def _note_open(office: Office, *names: str) -> None:
    """Sources that anyone may have, as their dictionaries are said to say."""
    with office.units.read() as unit:
        known = unit.sources.get("cps")
    assert known is not None
    for name in names:
        source = dataclasses.replace(known, name=name)
        extracts.note_source(office, source=source, by=factories.SYSTEM, now=factories.NOW)


@pytest.mark.parametrize("form", PLANS)
def test_made_and_refreshed_with_the_same_pseudonyms(tmp_path: Path, form: str) -> None:
    office = factories.make_office(tmp_path)
    factories.fill(office)
    _note_open(office, "persons", "atlas")
    rooms = Rooms(
        registers.register_all(tmp_path),
        tmp_path / "extracts",
        bytes(range(32)),
        schemes=registers.SCHEMES,
        areas=registers.LIMITS,
        maps=tmp_path / "maps",
        thresholds=load_policies(factories.ROOT / "policies").risks.thresholds,
    )
    asked = PLANS[form]
    plan = (
        asked
        if isinstance(asked, dict)
        else registers.specification(str(asked)).model_dump(mode="json", by_alias=True)
    )
    now = datetime.now(UTC)
    new = factories.new_project(starts_at=now, ends_at=now + timedelta(days=1))
    projects.create_project(office, new=new, by=actor("bob"), now=now)
    with office.units.write() as unit:
        first = extracts.get_extract(unit, "wages/v1")
        unit.extracts.save(dataclasses.replace(first, plan=plan))
        unit.record(by=actor("bob"), action="extract.planned", object="extract:wages/v1", now=now)
    worker.work(office, rooms, rounds=3)  # plans the risk report, makes it, makes the extract
    extracts.refresh_extract(office, project="wages", by=actor("bob"), now=datetime.now(UTC))
    worker.work(office, rooms, rounds=3)
    with office.units.read() as unit:
        found = [extracts.get_extract(unit, f"wages/v{version}") for version in (1, 2)]
    assert [extract.state for extract in found] == [ExtractState.SEALED] * 2, [e.error for e in found]
    tables = [pl.read_parquet(tmp_path / "extracts" / "wages" / v / "persons.parquet") for v in ("v1", "v2")]
    assert tables[0].equals(tables[1])
    assert tables[0]["person_id"].n_unique() == 20
    assert verify_extract(tmp_path / "extracts" / "wages" / "v2").rows == 60
    assert sorted(path.name for path in (tmp_path / "maps" / "wages").iterdir()) == ["v1.map", "v2.map"]
    office.units.engine.dispose()  # type: ignore[attr-defined]  # SqlUnits


def test_a_new_edition_makes_no_version_finer_that_can_be_put_beside_the_one_before(tmp_path: Path) -> None:
    """Until the project has new pseudonyms."""
    office = factories.make_office(tmp_path)
    factories.fill(office)
    _note_open(office, "persons", "atlas")
    rooms = Rooms(
        registers.register_all(tmp_path),
        tmp_path / "extracts",
        bytes(range(32)),
        schemes=registers.SCHEMES,
        areas=registers.LIMITS,
        maps=tmp_path / "maps",
        thresholds=load_policies(factories.ROOT / "policies").risks.thresholds,
    )
    text = str(PLANS["long form"]).replace("[rent]", "[{variable: cars, level: raw, justification: x}]")
    plan = registers.specification(text).model_dump(mode="json", by_alias=True)
    now = datetime.now(UTC)
    new = factories.new_project(starts_at=now, ends_at=now + timedelta(days=1))
    projects.create_project(office, new=new, by=actor("bob"), now=now)
    with office.units.write() as unit:
        first = extracts.get_extract(unit, "wages/v1")
        unit.extracts.save(dataclasses.replace(first, plan=plan))
        unit.record(by=actor("bob"), action="extract.planned", object="extract:wages/v1", now=now)
    worker.work(office, rooms, rounds=3)
    # In the new edition so few values of it are left that it might come as it is.
    atlas = registers.atlas().with_columns(cars=pl.col("cars") // 60 * 60)
    atlas.write_parquet(tmp_path / "new.parquet")
    dictionary = parse(Dictionary, registers.ATLAS, name="atlas.yaml")
    register(
        tmp_path / "new.parquet", dictionary, warehouse=rooms.warehouse, now=now, schemes=rooms.schemes,
        replace=True,
    )  # fmt: skip
    extracts.refresh_extract(office, project="wages", by=actor("bob"), now=datetime.now(UTC))
    worker.work(office, rooms, rounds=3)
    extracts.renew_pseudonyms(
        office, project="wages", reason="Finer.", by=actor("bob"), now=datetime.now(UTC)
    )
    worker.work(office, rooms, rounds=3)
    manifests = [verify_extract(tmp_path / "extracts" / "wages" / v) for v in ("v1", "v2", "v3")]
    assert [one.levels["persons"]["cars"].level for one in manifests] == ["class", "class", "raw"]
    office.units.engine.dispose()  # type: ignore[attr-defined]  # SqlUnits


def test_new_pseudonyms_from_the_next_version_on_and_old_ones_are_still_known(tmp_path: Path) -> None:
    office = factories.make_office(tmp_path)
    factories.fill(office)
    _note_open(office, "persons", "atlas")
    key = bytes(range(32))
    rooms = Rooms(
        registers.register_all(tmp_path),
        tmp_path / "extracts",
        key,
        schemes=registers.SCHEMES,
        areas=registers.LIMITS,
        maps=tmp_path / "maps",
        thresholds=load_policies(factories.ROOT / "policies").risks.thresholds,
    )
    now = datetime.now(UTC)
    plan = {"source": "persons", "columns": ["month", "age"], "sample": {"count": 20}}
    with office.units.write() as unit:
        source = unit.sources.get("persons")
        assert source is not None
        variables = {name: {"fr": name, "en": name, "deliverable": True} for name in ("month", "age")}
        unit.sources.save(dataclasses.replace(source, variables=variables))
        unit.record(by=actor("bob"), action="source.registered", object="source:persons", now=now)
    new = factories.new_project(starts_at=now, ends_at=now + timedelta(days=1), plan=plan)
    made = projects.create_project(office, new=new, by=actor("bob"), now=now)
    worker.work(office, rooms, rounds=3)
    with pytest.raises(Refused, match="why"):
        extracts.renew_pseudonyms(office, project="wages", reason=" ", by=actor("bob"), now=now)
    with pytest.raises(PermissionDenied):
        extracts.renew_pseudonyms(office, project="wages", reason="Leaked.", by=actor("ana"), now=now)
    extracts.renew_pseudonyms(office, project="wages", reason="Leaked.", by=actor("bob"), now=now)
    with pytest.raises(Conflict):  # the newest is planned only
        extracts.renew_pseudonyms(office, project="wages", reason="Again.", by=actor("bob"), now=now)
    worker.work(office, rooms, rounds=3)
    extracts.refresh_extract(office, project="wages", by=actor("bob"), now=datetime.now(UTC))
    worker.work(office, rooms, rounds=3)
    first, second, third = (
        set(pl.read_parquet(tmp_path / "extracts" / "wages" / v / "persons.parquet")["person_id"])
        for v in ("v1", "v2", "v3")
    )
    assert (len(first), first & second, second) == (20, set(), third)
    assert all(looks_like_pseudonym(str(one), made.tag) for one in first | second)
    maps = [
        read_map(tmp_path / "maps" / "wages" / f"{v}.map", project="wages", master_key=key)
        for v in ("v1", "v2", "v3")
    ]
    assert [version for version, _ in maps] == [1, 2, 2]
    ((people, old),) = maps[0][1].items()
    now_called = maps[1][1][people]
    assert set(old[" key 0"]) == set(now_called[" key 0"])  # the same sample, for the trustee to link
    with office.units.read() as unit:
        (event,) = [
            e for e in unit.events(object="project:wages") if e.action == "project.pseudonyms_renewed"
        ]
    assert event.details == {"key_version": 2, "from": "wages/v2", "reason": "Leaked."}
    office.units.engine.dispose()  # type: ignore[attr-defined]  # SqlUnits
