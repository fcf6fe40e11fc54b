"""Registers of units: stable, keyed, and without anything that tells who is who."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from hub.domain.errors import IntegrityError
from hub.extraction.maps import PSEUDONYM
from hub.extraction.registers import NUMBERS, write_register

KEY = bytes(range(32))


def write(
    into: Path, keys: list[str], *, extract: str = "p/v1", key: bytes = KEY, space: str = "register people"
) -> None:
    units = pl.DataFrame({"a": keys, "b": [len(k) for k in keys], PSEUDONYM: range(len(keys))})
    write_register({space: units}, extract=extract, master_key=key, into=into)


def numbers(into: Path, extract: str = "p/v1") -> list[int]:
    return pl.read_parquet(into / f"{extract}.parquet").sort("pseudonym")["number"].to_list()


KEYS = [f"person {k}" for k in range(200)]


def test_numbers_are_dense_and_not_in_the_order_of_the_keys(tmp_path: Path) -> None:
    write(tmp_path, KEYS)
    found = numbers(tmp_path)
    assert sorted(found) == list(range(200))
    assert found != sorted(found)


def test_the_order_depends_on_key_and_space(tmp_path: Path) -> None:
    write(tmp_path / "a", KEYS)
    write(tmp_path / "b", KEYS, key=bytes(32))
    write(tmp_path / "c", KEYS, space="register firms")
    assert len({tuple(numbers(tmp_path / name)) for name in "abc"}) == 3


def test_the_same_again_gives_the_same_bytes(tmp_path: Path) -> None:
    write(tmp_path, KEYS)
    before = (tmp_path / "p" / "v1.parquet").read_bytes()
    write(tmp_path, KEYS)
    assert (tmp_path / "p" / "v1.parquet").read_bytes() == before


def test_a_source_delivered_anew_keeps_its_numbers(tmp_path: Path) -> None:
    write(tmp_path, KEYS[:150])
    write(tmp_path, KEYS[50:], extract="q/v1")
    first, second = numbers(tmp_path), numbers(tmp_path, "q/v1")
    assert second[:100] == first[50:]
    assert sorted(second[100:]) == list(range(150, 200))


def test_no_key_value_and_no_pseudonym_beside_the_numbers(tmp_path: Path) -> None:
    write(tmp_path, KEYS)
    (path,) = (tmp_path / NUMBERS).glob("*.parquet")
    assert pl.read_parquet(path).columns == ["hash", "number"]
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert b"person 1" not in file.read_bytes()
            assert file.stat().st_mode & 0o077 == 0 or file.name == ".lock"


def test_damaged_numbers_are_refused_rather_than_given_anew(tmp_path: Path) -> None:
    write(tmp_path, KEYS)
    (path,) = (tmp_path / NUMBERS).glob("*.parquet")
    path.write_bytes(b"PAR1 and nothing")
    with pytest.raises(IntegrityError) as refused:
        write(tmp_path, KEYS, extract="q/v1")
    assert refused.value.code == "register_damaged"
