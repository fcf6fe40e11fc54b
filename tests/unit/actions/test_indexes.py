"""What the portal keeps of an extract goes when no desk can submit from it any more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from hub.actions import extracts, projects
from hub.actions.indexes import remove_unneeded
from hub.actions.ports import ExtractFiles, Office
from hub.checks.prepared import Indexes
from tests import factories
from tests.factories import NOW, SYSTEM, actor

LATER = NOW + timedelta(hours=1)
NAME = "wages/v1"


@pytest.fixture
def indexes(office: Office, tmp_path: Path) -> Indexes:
    """An index and numbers of the extracts of two running projects."""
    made = Indexes(tmp_path / "indexes", bytes(32), least_rows=1)
    for slug in ("wages", "health"):
        factories.add_project(office, slug)
        keep(office, made, tmp_path, f"{slug}/v1")
    return made


def keep(office: Office, indexes: Indexes, folder: Path, name: str) -> None:
    directory = folder / "extracts" / name
    directory.mkdir(parents=True)
    pl.DataFrame({"pid": range(40), "wage": range(40)}).write_parquet(directory / "data.parquet")
    (directory / "manifest.json").write_text('{"pseudonyms": {"columns": {"person": "pid"}}}')
    assert indexes.made(directory, name) is not None
    assert office.checking is not None
    assert office.checking.ledger.number(ExtractFiles(name, directory))


def left(office: Office, indexes: Indexes) -> tuple[list[str], list[str]]:
    assert office.checking is not None
    return indexes.names(), office.checking.ledger.extracts()


def recorded(office: Office, name: str = NAME) -> int:
    with office.units.read() as unit:
        events = [e for e in unit.events(object=f"extract:{name}") if e.action == "extract.index_removed"]
    assert all(event.actor == "system:clock" for event in events)
    return len(events)


def suspend(office: Office) -> None:
    projects.suspend_project(office, slug="wages", by=actor("bob"), now=NOW)


def plan_the_next(office: Office) -> None:
    extracts.refresh_extract(office, project="wages", by=actor("bob"), now=NOW)


@pytest.mark.parametrize("happens", [lambda _: None, suspend, plan_the_next])
def test_what_a_running_project_needs_stays(
    happens: Callable[[Office], object], office: Office, indexes: Indexes
) -> None:
    happens(office)
    assert remove_unneeded(office, indexes, now=LATER) == []
    assert left(office, indexes) == ([f"{slug}/v1" for slug in ("health", "wages")],) * 2
    assert recorded(office) == 0


def end(office: Office) -> None:
    projects.end_project(office, slug="wages", by=actor("bob"), now=NOW)


def shorten(office: Office) -> None:
    """Its time is over, though the sweeper has not said so yet."""
    projects.set_project_end(
        office, slug="wages", ends_at=LATER - timedelta(minutes=1), by=actor("bob"), now=NOW
    )


def supersede(office: Office) -> None:
    plan_the_next(office)
    factories.assess(office, "wages/v2")
    extracts.begin_extract(office, extract_id="wages/v2", by=SYSTEM, now=NOW)
    extracts.seal_extract(office, extract_id="wages/v2", manifest={"rows": 10}, by=SYSTEM, now=NOW)


@pytest.mark.parametrize("happens", [end, shorten, supersede])
def test_what_nobody_can_submit_from_is_removed_and_recorded(
    happens: Callable[[Office], object], office: Office, indexes: Indexes
) -> None:
    happens(office)
    assert remove_unneeded(office, indexes, now=LATER) == [NAME]
    assert left(office, indexes) == (["health/v1"],) * 2
    assert recorded(office) == 1
    assert not [path for path in indexes.directory.rglob("*") if "wages/v1" in path.as_posix()]
    assert remove_unneeded(office, indexes, now=LATER) == []
    assert recorded(office) == 1


def test_an_extract_that_nobody_knows_has_none(office: Office, indexes: Indexes, tmp_path: Path) -> None:
    keep(office, indexes, tmp_path, "wages/v7")
    assert remove_unneeded(office, indexes, now=LATER) == ["wages/v7"]
    assert recorded(office, "wages/v7") == 1


@pytest.mark.parametrize(
    "cut",
    [
        ("v1.seal",),
        ("v1.seal", "v1/index.json"),
        ("v1/index.json",),
    ],
)
def test_a_removal_that_was_cut_short_is_finished(
    cut: tuple[str, ...], office: Office, indexes: Indexes
) -> None:
    """However much of an index is gone already, the rest is found."""
    end(office)
    for name in cut:
        (indexes.directory / "wages" / name).unlink()
    again = Indexes(indexes.directory, bytes(32), least_rows=1)
    assert remove_unneeded(office, again, now=LATER) == [NAME]
    assert left(office, again) == (["health/v1"],) * 2


@pytest.mark.parametrize("aside", ["v3.part/00000.bin", "v3.seal", "v3.seal.new"])
def test_what_was_on_its_way_when_the_process_ended_is_removed(
    aside: str, office: Office, indexes: Indexes
) -> None:
    path = indexes.directory / "wages" / aside
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"half")
    assert remove_unneeded(office, indexes, now=LATER) == ["wages/v3"]
    assert left(office, indexes)[0] == ["health/v1", "wages/v1"]


def test_a_removal_that_fails_is_recorded_and_tried_again(
    office: Office, indexes: Indexes, monkeypatch: pytest.MonkeyPatch
) -> None:
    end(office)

    def killed(*_: object) -> None:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr("hub.checks.prepared.shutil.rmtree", killed)
        with pytest.raises(OSError):
            remove_unneeded(office, indexes, now=LATER)
    assert recorded(office) == 1
    assert indexes.of(indexes.directory.parent / "extracts" / NAME, NAME) is None  # nothing is believed
    indexes.await_made()  # a file that came meanwhile had it made again
    assert remove_unneeded(office, indexes, now=LATER) == [NAME]
    assert left(office, indexes) == (["health/v1"],) * 2
    assert recorded(office) == 2


def test_nothing_is_kept_of_nothing(office: Office, tmp_path: Path) -> None:
    assert remove_unneeded(office, Indexes(tmp_path / "none", bytes(32)), now=datetime.now(NOW.tzinfo)) == []
