"""The ledger's files: what is kept comes back, and what was changed is not used."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
from pyroaring import BitMap

from hub.actions.ports import ExtractFiles
from hub.adapters.ledgers import FileLedger
from hub.checks.cells import Cell
from hub.checks.findings import Severity
from hub.checks.numbers import numbers_from
from hub.checks.placing import BadLedger, Store
from hub.checks.sets import BadSets, SetsFile, packed
from hub.domain.errors import IntegrityError
from hub.domain.records import LedgerFile, StagedSets
from hub.extraction.maps import PSEUDONYM
from hub.extraction.registers import write_register

SETS = [BitMap([1, 5, 7]), BitMap(), BitMap(range(40))]
MASTER = bytes(range(32))


@pytest.fixture
def ledger(tmp_path: Path) -> FileLedger:
    return FileLedger(tmp_path / "ledger")


def extract(
    root: Path, name: str, persons: Sequence[int], homes: Sequence[int] | None = None
) -> ExtractFiles:
    directory = root / "extracts" / name
    directory.mkdir(parents=True, exist_ok=True)
    columns = {"person": "pid", **({"household": "hid"} if homes is not None else {})}
    table = pl.DataFrame({"pid": persons, **({"hid": homes} if homes is not None else {})})
    table.write_parquet(directory / "people.parquet")
    (directory / "manifest.json").write_text(json.dumps({"pseudonyms": {"columns": columns}}))
    return ExtractFiles(name, directory)


def place(ledger: FileLedger, files: ExtractFiles, sets: Sequence[BitMap] = SETS) -> StagedSets:
    cells = [Cell(k, 0, "people", "count", None, 1.0, 1, None, None, held=k) for k in range(len(sets))]
    with ledger.aside() as stream:
        stream.write(b"".join(packed([one.serialize() for one in sets])))
        stream.flush()
        (staged,), _ = ledger.place(
            ledger.number(files), cells, stream, {}, {}, min_units=10, severity=Severity.BLOCK
        )
    return staged


def released(staged: StagedSets) -> LedgerFile:
    return LedgerFile("s/0/0", "s", 0, 1, "t.csv", staged.space, staged.sha256, staged.cells)


def test_sets_come_back_equal(ledger: FileLedger, tmp_path: Path) -> None:
    files = extract(tmp_path, "wages/v1", range(100, 140))
    staged = place(ledger, files)
    assert place(ledger, files) == staged
    path = tmp_path / "ledger" / "cells" / staged.sha256[:2] / staged.sha256
    assert path.stat().st_mode & 0o777 == 0o400
    with Store(tmp_path / "ledger" / "cells") as store:
        assert [store.set(staged.sha256, k) for k in range(3)] == SETS  # without a register, positions
    ledger.verify(released(staged))


@pytest.mark.parametrize("damage", [b"", b"VITRINE LEDGER 1\n", b"x" * 400])
def test_a_changed_file_is_not_used(ledger: FileLedger, tmp_path: Path, damage: bytes) -> None:
    staged = place(ledger, extract(tmp_path, "wages/v1", range(100, 140)))
    path = tmp_path / "ledger" / "cells" / staged.sha256[:2] / staged.sha256
    path.chmod(0o600)
    path.write_bytes(damage)
    with Store(tmp_path / "ledger" / "cells") as store, pytest.raises(BadLedger):
        store.set(staged.sha256, 0)
    for asked in (
        lambda: ledger.verify(released(staged)),
        lambda: ledger.differ(released(staged), [released(staged)], min_units=10),
    ):
        with pytest.raises(IntegrityError) as refused:
            asked()
        assert refused.value.code == "ledger_damaged"


@pytest.mark.parametrize("sha256", ["0" * 64, "../../etc/passwd", "", "A" * 64])
def test_what_was_never_kept_is_refused(tmp_path: Path, sha256: str) -> None:
    with Store(tmp_path) as store, pytest.raises(BadLedger):
        store.set(sha256, 0)


@pytest.mark.parametrize("position", [3, -1, 70_000])
def test_no_other_bytes_are_taken_for_a_set(position: int) -> None:
    file = SetsFile(io.BytesIO(b"".join(packed([one.serialize() for one in SETS]))))
    assert [file[k] for k in range(len(file))] == SETS
    with pytest.raises(BadSets):
        file[position]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"VITRINE LEDGER 1\n",
        b"VITRINE LEDGER 1\n\xff\xff\xff\xff",
        b"VITRINE LEDGER 1\n\1\0\0\0\5\0\0\0abc",
    ],
)
def test_what_is_no_file_of_sets_is_refused(content: bytes) -> None:
    with pytest.raises(BadSets):
        SetsFile(io.BytesIO(content))


def test_a_position_beyond_the_table_is_refused(ledger: FileLedger, tmp_path: Path) -> None:
    files = extract(tmp_path, "wages/v1", range(100, 140))
    with pytest.raises(IntegrityError):
        place(ledger, files, [BitMap([40])])


def test_an_extract_is_numbered_once(ledger: FileLedger, tmp_path: Path) -> None:
    files = extract(tmp_path, "wages/v1", range(100, 140), [k // 4 for k in range(40)])
    (first,) = ledger.number(files).values()
    made = first.numbers.stat().st_mtime_ns
    assert ledger.number(files) == {"people": first}
    assert FileLedger(tmp_path / "ledger").number(files)["people"].numbers.stat().st_mtime_ns == made
    # Another extract under the same name, or a register that came later, is numbered again.
    extract(tmp_path, "wages/v1", range(100, 130))
    (second,) = ledger.number(files).values()
    assert (second.persons, second.relation) == (30, None)
    register(tmp_path, "wages/v1", list(range(30)), 100)
    (third,) = ledger.number(files).values()
    assert (third.space, third.persons) == ("register people", 30)
    assert [path.name for path in third.numbers.parent.glob("*.numbers")] == [third.numbers.name]


@pytest.mark.parametrize("lost", ["numbers", "relation", "record"])
def test_what_is_lost_of_the_numbers_is_made_again(ledger: FileLedger, tmp_path: Path, lost: str) -> None:
    files = extract(tmp_path, "wages/v1", range(100, 140), [k // 4 for k in range(40)])
    (first,) = ledger.number(files).values()
    assert first.relation is not None
    gone = {
        "numbers": first.numbers,
        "relation": tmp_path / "ledger" / "cells" / first.relation[:2] / first.relation,
        "record": first.numbers.parent / "tables.json",
    }[lost]
    gone.unlink()
    assert ledger.number(files) == {"people": first}
    assert gone.is_file()


def test_changed_numbers_are_not_used(ledger: FileLedger, tmp_path: Path) -> None:
    files = extract(tmp_path, "wages/v1", range(100, 140))
    (first,) = ledger.number(files).values()
    first.numbers.chmod(0o600)
    content = first.numbers.read_bytes()
    first.numbers.write_bytes(content[:-4] + b"\0\0\0\0")
    with pytest.raises(IntegrityError):
        place(ledger, files)


def test_the_numbers_of_an_extract_go_with_it(ledger: FileLedger, tmp_path: Path) -> None:
    files = extract(tmp_path, "wages/v1", range(100, 140))
    staged = place(ledger, files)
    ledger.forget("wages/v1")
    assert not (tmp_path / "ledger" / "cells" / "extracts" / "wages" / "v1").exists()
    ledger.verify(released(staged))  # what was released from it stays
    ledger.forget("wages/v1")


def test_nothing_is_left_of_what_was_on_its_way(ledger: FileLedger, tmp_path: Path) -> None:
    place(ledger, extract(tmp_path, "wages/v1", range(100, 140)))
    assert [path.name for path in (tmp_path / "ledger").iterdir()] == ["cells"]  # what the portal may write
    assert not [path for path in (tmp_path / "ledger").rglob("*") if path.name.startswith(".")]


def register(root: Path, name: str, keys: list[int], first: int) -> None:
    """Register units whose pseudonyms count up from `first`."""
    tables = {
        "register people": pl.DataFrame({"number": keys, PSEUDONYM: range(first, first + len(keys))}),
        # One household has the pseudonym of a person: another unit, another key.
        "cps.household": pl.DataFrame({"number": [77, 78], PSEUDONYM: [first, 1]}),
    }
    write_register(tables, extract=name, master_key=MASTER, into=root / "ledger" / "units")


def test_two_projects_find_the_same_persons_under_the_same_numbers(
    ledger: FileLedger, tmp_path: Path
) -> None:
    register(tmp_path, "wages/v1", [10, 20, 30, 40], 100)
    register(tmp_path, "health/v1", [40, 50, 10], 900)
    wages = ledger.number(extract(tmp_path, "wages/v1", [103, 100, 101, 102]))["people"]
    health = ledger.number(extract(tmp_path, "health/v1", [900, 901, 902]))["people"]
    assert wages.space == health.space == "register people"
    ours, theirs = numbers_from(wages.numbers).tolist(), numbers_from(health.numbers).tolist()
    assert sorted(ours) == [0, 1, 2, 3]
    assert (theirs[0], theirs[2]) == (ours[3], ours[0])
    assert theirs[1] == 4  # a new unit gets the next number


def test_a_person_without_a_number_is_refused(ledger: FileLedger, tmp_path: Path) -> None:
    register(tmp_path, "wages/v1", [10, 20], 100)
    files = extract(tmp_path, "wages/v1", [100, 555])
    with pytest.raises(IntegrityError):
        ledger.number(files)
    (tmp_path / "ledger" / "units" / "wages" / "v1.parquet").write_bytes(b"PAR1")
    with pytest.raises(IntegrityError):
        ledger.number(extract(tmp_path, "wages/v1", [100]))


def test_sets_kept_before_they_were_shared_stay_readable(ledger: FileLedger, tmp_path: Path) -> None:
    """An index without `set`: each number has a set of its own, in order."""
    files = extract(tmp_path, "wages/v1", range(100, 140))
    sets = ([BitMap(range(5)), BitMap(range(20))], [BitMap(range(36)), BitMap(range(18))])
    old, new = (
        dataclasses.replace(
            file, cells=tuple({k: v for k, v in cell.items() if k != "set"} for cell in file.cells)
        )
        for file in (released(place(ledger, files, each)) for each in sets)
    )
    assert ledger.differ(new, [old], min_units=10) == [(1, True, True)]
    assert ledger.differ(old, [old], min_units=10) == []
