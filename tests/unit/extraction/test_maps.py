"""The map of pseudonyms: unreadable without the key, bound to its project, and kept through a refresh."""

from __future__ import annotations

import stat
from pathlib import Path

import polars as pl
import pytest

from hub.domain.errors import IntegrityError, Refused
from hub.extraction import extract
from hub.extraction.keys import assign, canonical, pseudonym_key
from hub.extraction.maps import PSEUDONYM, earlier_map, read_map, write_map
from tests.unit.extraction import registers
from tests.unit.extraction.conftest import MASTER_KEY, NOW
from tests.unit.extraction.registers import LIMITS, SCHEMES, planned

UNITS = pl.DataFrame({" key 0": [7, 8, 9], PSEUDONYM: [1, 2, 3]})
TEXT = """\
populations:
  - {name: all, source: persons, unit: person, sample: {count: 20}}
datasets:
  - {name: people, source: persons, of: [all], units: [person, household], columns: [month, age]}
"""


def _write(path: Path, **changes: object) -> None:
    values: dict[str, object] = {"project": "study", "key_version": 1, "master_key": MASTER_KEY} | changes
    write_map(path, {"register people": UNITS}, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize("damage", ["bit", "cut", "empty", "other project", "other key"])
def test_a_map_opens_only_whole_and_for_its_own_project_and_key(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "v1.map"
    _write(path)
    content = path.read_bytes()
    path.chmod(0o600)
    project, key = "study", MASTER_KEY
    match damage:
        case "bit":
            path.write_bytes(content[:-30] + bytes([content[-30] ^ 1]) + content[-29:])
        case "cut":
            path.write_bytes(content[:-1])
        case "empty":
            path.write_bytes(b"")
        case "other project":
            project = "studi"
        case "other key":
            key = bytes(32)
    with pytest.raises(IntegrityError) as refused:
        read_map(path, project=project, master_key=key)
    assert refused.value.code == "map_damaged"


def test_a_map_holds_what_was_put_in_and_shows_nothing(tmp_path: Path) -> None:
    path = tmp_path / "maps" / "v1.map"
    _write(path)
    _write(path)  # a second run after a kill writes over it
    version, tables = read_map(path, project="study", master_key=MASTER_KEY)
    assert version == 1
    assert tables["register people"].equals(UNITS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert b"PAR1" not in path.read_bytes()
    assert [entry.name for entry in path.parent.iterdir()] == ["v1.map"]


def test_only_an_earlier_map_of_the_same_keys_counts(tmp_path: Path) -> None:
    def found(name: str, version: int = 1) -> int:
        return len(earlier_map(tmp_path / name, project="study", key_version=version, master_key=MASTER_KEY))

    _write(tmp_path / "v2.map")
    assert [found("v1.map"), found("v2.map"), found("v3.map"), found("v10.map")] == [0, 0, 1, 1]
    assert found("v3.map", version=2) == 0
    _write(tmp_path / "v10.map", key_version=2)
    assert (found("v11.map"), found("v11.map", version=2)) == (0, 1)


def test_units_that_are_new_never_take_a_known_pseudonym() -> None:
    key = pseudonym_key(MASTER_KEY, project="study", unit_type="person", version=1)
    units = pl.DataFrame({"id": range(40)})
    first = assign(canonical(units[:20]), key, tag=12, space=60)
    later = assign(canonical(units[20:]), key, tag=12, taken=first, space=60)
    assert len({*first, *later}) == 40
    with pytest.raises(Refused):
        assign(canonical(units[20:]), key, tag=12, taken=first, space=40)


def test_a_refresh_keeps_the_pseudonyms_and_the_map_grows(tmp_path: Path) -> None:
    warehouse = registers.register_all(tmp_path)

    def made(name: str, text: str) -> pl.DataFrame:
        plan = planned(warehouse, text)
        extract(
            plan, warehouse=warehouse, master_key=MASTER_KEY, into=tmp_path / "x" / name, now=NOW,
            schemes=SCHEMES, areas=LIMITS, maps=tmp_path / "maps" / f"{name}.map",
        )  # fmt: skip
        return pl.read_parquet(tmp_path / "x" / name / "people.parquet")

    first, second = made("v1", TEXT), made("v2", TEXT.replace("20", "40"))
    assert set(first["person_id"]) < set(second["person_id"])
    _, tables = read_map(tmp_path / "maps" / "v2.map", project="study", master_key=MASTER_KEY)
    known = tables["register national_register"]
    assert set(known[PSEUDONYM]) == set(second["person_id"])
    # The trustee finds the person behind a pseudonym.
    ages = second.select("person_id", "age").unique()
    named = ages.join(known, left_on="person_id", right_on=PSEUDONYM)
    truth = registers.persons().select(pl.col("nr").alias(" key 0"), pl.col("age").alias("true")).unique()
    assert named.join(truth, on=" key 0").filter(pl.col("age") != pl.col("true")).is_empty()
    assert not list((tmp_path / "x" / "v2").glob("*.map"))


def test_what_a_map_says_counts_more_than_the_key(tmp_path: Path) -> None:
    """A collision that was resolved once stays resolved alike."""
    warehouse = registers.register_all(tmp_path)
    plan = planned(warehouse, TEXT)
    everybody = registers.persons().select(pl.col("nr").alias(" key 0")).unique()
    forced = everybody.with_row_index("n").select(
        " key 0", (pl.col("n").cast(pl.Int64) + 10**14).alias(PSEUDONYM)
    )
    write_map(
        tmp_path / "maps" / "v1.map", {"register national_register": forced}, project="study",
        key_version=1, master_key=MASTER_KEY,
    )  # fmt: skip
    extract(
        plan, warehouse=warehouse, master_key=MASTER_KEY, into=tmp_path / "v2", now=NOW, schemes=SCHEMES,
        areas=LIMITS, maps=tmp_path / "maps" / "v2.map",
    )  # fmt: skip
    table = pl.read_parquet(tmp_path / "v2" / "people.parquet")
    assert set(table["person_id"]) <= set(forced[PSEUDONYM])
