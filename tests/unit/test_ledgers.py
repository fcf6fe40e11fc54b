"""The ledger's files: what is kept comes back, and what was changed is not used."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from pyroaring import BitMap

from hub.adapters import ledgers
from hub.adapters.ledgers import FileLedger
from hub.domain.errors import IntegrityError
from hub.extraction.maps import PSEUDONYM
from hub.extraction.registers import write_register

SETS = [BitMap([1, 5, 70_000]), BitMap(), BitMap(range(1_000_000))]
MASTER = bytes(range(32))


@pytest.fixture
def ledger(tmp_path: Path) -> FileLedger:
    return FileLedger(tmp_path)


def stored(root: Path) -> Path:
    (path,) = [path for path in (root / "cells").rglob("*") if path.is_file()]
    return path


def test_sets_come_back_equal(ledger: FileLedger, tmp_path: Path) -> None:
    sha256 = ledger.keep(SETS)
    assert ledger.keep(SETS) == sha256
    assert list(FileLedger(tmp_path).sets(sha256)) == SETS
    assert stored(tmp_path).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("damage", [b"", b"VITRINE LEDGER 1\n", b"x" * 400])
def test_a_changed_file_is_not_used(ledger: FileLedger, tmp_path: Path, damage: bytes) -> None:
    sha256 = ledger.keep(SETS)
    path = stored(tmp_path)
    path.chmod(0o600)
    path.write_bytes(damage)
    with pytest.raises(IntegrityError) as refused:
        ledger.sets(sha256)
    assert refused.value.code == "ledger_damaged"


@pytest.mark.parametrize("sha256", ["0" * 64, "../../etc/passwd", "", "A" * 64])
def test_what_was_never_kept_is_refused(ledger: FileLedger, sha256: str) -> None:
    with pytest.raises(IntegrityError):
        ledger.sets(sha256)


def test_memory_is_bounded(ledger: FileLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledgers, "_KEPT_BYTES", 1_000)
    files = [ledger.keep([BitMap(range(k, 3_000, 7))]) for k in range(5)]
    for sha256 in files * 2:
        ledger.sets(sha256)
    assert len(ledger._kept) == 1


def test_without_a_register_an_extract_is_a_space_of_its_own(ledger: FileLedger) -> None:
    space, numbers = ledger.numbers("wages/v1", table="people", persons=[7, 8, 9])
    assert space == "wages/v1/people"
    assert list(numbers) == [0, 1, 2]


def register(root: Path, extract: str, keys: list[int], first: int) -> None:
    """Register units whose pseudonyms count up from `first`."""
    tables = {
        "register people": pl.DataFrame({"number": keys, PSEUDONYM: range(first, first + len(keys))}),
        # One household has the pseudonym of a person: another unit, another key.
        "cps.household": pl.DataFrame({"number": [77, 78], PSEUDONYM: [first, 1]}),
    }
    write_register(tables, extract=extract, master_key=MASTER, into=root / "units")


def test_two_projects_find_the_same_persons_under_the_same_numbers(
    ledger: FileLedger, tmp_path: Path
) -> None:
    register(tmp_path, "wages/v1", [10, 20, 30, 40], 100)
    register(tmp_path, "health/v1", [40, 50, 10], 900)
    space, wages = ledger.numbers("wages/v1", table="a", persons=[100, 101, 102, 103])
    other, health = ledger.numbers("health/v1", table="b", persons=[900, 901, 902])
    assert space == other == "register people"
    assert sorted(wages) == [0, 1, 2, 3]
    assert (health[0], health[2]) == (wages[3], wages[0])
    assert health[1] == 4  # a new unit gets the next number


def test_a_person_without_a_number_is_refused(ledger: FileLedger, tmp_path: Path) -> None:
    register(tmp_path, "wages/v1", [10, 20], 100)
    with pytest.raises(IntegrityError):
        ledger.numbers("wages/v1", table="a", persons=[100, 555])
    (tmp_path / "units" / "wages" / "v1.parquet").write_bytes(b"PAR1")
    with pytest.raises(IntegrityError):
        ledger.numbers("wages/v1", table="a", persons=[100])
