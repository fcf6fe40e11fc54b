"""What a file judged against a large extract needs of it, made once and mapped into memory: small codes,
sorted values with their rows, the units in order.

An index follows from the extract alone and says nothing more. It is written aside and moved into place, lies
where no desk reaches, and is only believed when the process that starts the check has compared it
(`seal_of`): a missing, damaged or other index is none, and the file is judged by the Parquet files.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

VERSION = 2
LEAST_ROWS = 100_000  # of an extract for which an index is made: below, reading the columns takes no longer
MAX_CODES = 3_000  # values of a variable that is kept as codes; as hub.checks.panels.MAX_CATEGORIES
_ENDS = 100
_CONTENT = "index.json"
_BLOCK = 1 << 22
_MOST_PAIRS = 400
_PAIRED_CODES = 200  # values of a variable that is counted together with others
Array = npt.NDArray[Any]


class UnreadableIndex(Exception):
    """The index is not there, not whole, or of another extract."""


@dataclass(frozen=True)
class Sealed:
    """An index that was compared, and what tells that it was not touched since (`seal_of`)."""

    directory: Path
    seal: str


@dataclass
class Stored:
    """What an index holds of one Parquet file, by column. Arrays are mapped, not read."""

    directory: Path
    columns: Mapping[str, Mapping[str, Any]]
    identifiers: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()  # of all identifiers of the extract
    pairs: Mapping[str, Any] = field(default_factory=dict)
    _arrays: dict[str, Array] = field(default_factory=dict)

    def told(self, name: str) -> Mapping[str, Any] | None:
        """`kind` (codes, wide, unit), `span`, `complete`, `top` and `bottom` of a column."""
        return self.columns.get(name)

    def array(self, name: str, what: str) -> Array:
        """codes (-1: missing) · values (all rows, NaN: missing), distinct (sorted), before (rows with a
        smaller one, one more at the end), order (the rows by value; none: as they stand) · units
        (-1: missing), place, and distinct, before, order."""
        return self._mapped(*self.columns[name]["arrays"][what])

    def _mapped(self, file: str, kind: str, size: int) -> Array:
        if file not in self._arrays:
            if size == 0:
                self._arrays[file] = np.zeros(0, dtype=kind)
            else:
                mapped = np.memmap(self.directory / file, dtype=kind, mode="r", shape=(size,))
                self._arrays[file] = mapped.view(np.ndarray)
        return self._arrays[file]

    def has(self, name: str, what: str) -> bool:
        """Whether the index has that array of the column."""
        told = self.columns.get(name)
        return told is not None and what in told["arrays"]

    def rows_of_pair(self, one: str, two: str) -> Array | None:
        """The rows by the values of two variables kept as codes: a matrix, the missing ones first; None where
        they were not counted."""
        for names, turned in ((f"{one}\0{two}", False), (f"{two}\0{one}", True)):
            if names in self.pairs.get("starts", {}):
                start, shape = self.pairs["starts"][names]
                found = self._mapped(*self.pairs["array"])[start : start + shape[0] * shape[1]]
                return found.reshape(shape).T if turned else found.reshape(shape)
        return None

    def values(self, name: str) -> tuple[list[Any], list[int]]:
        """The sorted values of a column kept as codes, and the rows of each."""
        known = json.loads((self.directory / self.columns[name]["values"]).read_text(encoding="utf-8"))
        return known["values"], known["rows"]


def identity_of(extract: Path) -> dict[str, Any]:
    """What an index is of: the extract's manifest, which names the hashes of its files, and the files as they
    stand. Raises OSError."""
    manifest = extract / "manifest.json"
    files = [
        [path.relative_to(extract).as_posix(), path.stat().st_size, path.stat().st_mtime_ns]
        for path in sorted(extract.rglob("*.parquet"))
    ]
    told = hashlib.sha256(manifest.read_bytes()).hexdigest() if manifest.is_file() else None
    return {"manifest": told, "files": files}


def rows_of(extract: Path) -> int:
    """Rows of the largest table, by the footers; 0 where there is none."""
    counts = [0]
    for path in extract.rglob("*.parquet"):
        counts.append(int(pl.scan_parquet(path).select(pl.len()).collect().item()))
    return max(counts)


def make_index(extract: Path, directory: Path, units: Mapping[str, str] | None = None) -> None:
    """Write the index of `extract` into `directory`, which is made again if it is there. What is interrupted
    leaves only a directory `….part`, which the next one removes. Raises OSError, UnreadableExtract."""
    from hub.checks.panels import open_panels

    aside = directory.with_name(directory.name + ".part")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True, mode=0o700)
    identity = identity_of(extract)
    read, panels = open_panels(extract, units)
    writer = _Writer(aside)
    parts: dict[str, Any] = {}
    for panel in panels:
        hidden = {*panel.units.values(), *panel.part.identifiers}
        columns = {}
        for name in panel.part.schema:
            told = writer.unit(panel.part, name) if name in hidden else writer.variable(panel.part, name)
            if told is not None:
                columns[name] = told
            panel.part.forget()
        parts[panel.part.path.relative_to(extract).as_posix()] = {
            "columns": columns, "pairs": writer.pairs(columns), "identifiers": panel.part.identifiers,
            "tags": sorted(read.tags),
        }  # fmt: skip
    content = {"version": VERSION, "extract": identity, "parts": parts, "sha256": writer.hashes}
    writer.text(_CONTENT, content)
    if identity_of(extract) != identity:
        raise UnreadableIndex("the extract changed meanwhile")
    shutil.rmtree(directory, ignore_errors=True)
    aside.rename(directory)


class _Writer:
    """Files of an index, each with its hash."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.hashes: dict[str, str] = {}

    def text(self, name: str, content: object) -> str:
        data = json.dumps(content, ensure_ascii=True, allow_nan=False).encode()
        return self._write(name, memoryview(data))

    def array(self, values: Array) -> list[Any]:
        name = f"{len(self.hashes):05d}.bin"
        whole = np.ascontiguousarray(values)
        self._write(name, memoryview(whole.tobytes()))
        return [name, whole.dtype.str, whole.size]

    def _write(self, name: str, data: memoryview) -> str:
        digest = hashlib.sha256()
        with (self.directory / name).open("xb") as file:
            for at in range(0, len(data), _BLOCK):
                digest.update(data[at : at + _BLOCK])
                file.write(data[at : at + _BLOCK])
        self.hashes[name] = digest.hexdigest()
        return name

    def pairs(self, columns: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """How often the values of each two variables with few of them stand together: which filters and
        groups a table can be of is asked of many."""
        from hub.checks.crossings import Crossing

        stored = Stored(self.directory, columns)
        few = {
            name: size
            for name, told in columns.items()
            if told["kind"] == "codes" and told["categories"]
            and (size := len(stored.values(name)[0])) <= _PAIRED_CODES
        }  # fmt: skip
        names = sorted(few, key=lambda name: few[name])
        counted, starts, at = [np.zeros(0, dtype=np.int64)], {}, 0
        for one, two in list(combinations(names, 2))[:_MOST_PAIRS]:
            shape = (few[one] + 1, few[two] + 1)
            crossing = Crossing([stored.array(name, "codes") for name in (one, two)], shape, (one, two))
            counted.append(crossing.total("rows").astype(np.int64))
            starts[f"{one}\0{two}"] = [at, shape]
            at += counted[-1].size
        return {"starts": starts, "array": self.array(np.concatenate(counted))}

    def unit(self, part: Any, name: str) -> dict[str, Any] | None:
        """A column of identifiers: its distinct values, per row the place of its own, the rows by unit."""
        from hub.checks.codes import unit_codes
        from hub.checks.runs import runs_of

        if not part.schema[name].is_integer():
            return None
        codes, distinct = unit_codes(part.column(name))
        rows = np.bincount(codes[codes >= 0], minlength=distinct.size)
        arrays = {
            "units": self.array(codes),
            "distinct": self.array(distinct),
            "before": self.array(np.append(0, np.cumsum(rows)).astype(np.uint32)),
        }
        runs = runs_of(codes)
        if runs is not None:
            arrays["place"] = self.array(runs.place)
        if runs is None:
            by_unit = np.argsort(codes, kind="stable")[codes.size - rows.sum() :]
            arrays["order"] = self.array(by_unit.astype(np.int32))
        elif runs.order is not None:
            arrays["order"] = self.array(runs.order)
        longest = runs.longest if runs is not None else None
        return {"kind": "unit", "arrays": arrays, "longest": longest, "total": int(distinct.size)}

    def variable(self, part: Any, name: str) -> dict[str, Any] | None:
        """A variable as codes, or sorted; None where it is neither (lists, long texts, infinite numbers)."""
        kind = part.schema[name]
        known = kind.is_integer() or kind in (pl.Float32, pl.Float64, pl.String, pl.Boolean)
        if not known:
            return None
        column = part.column(name)
        column = column.fill_nan(None) if kind.is_float() else column
        if kind.is_float() and bool(column.is_infinite().any()):
            return None
        distinct = part.distinct(name)
        if distinct.len() <= MAX_CODES:
            return self._coded(part, name, column)
        return self._wide(column) if kind.is_numeric() else None

    def _coded(self, part: Any, name: str, column: pl.Series) -> dict[str, Any]:
        from hub.checks.codes import positions, too_many_at_first

        counted = part.counted(name).sort("value")
        small = np.int8 if counted.height < 1 << 7 else np.int16
        codes = positions(column, counted.get_column("value"), small)
        rows = counted.get_column("rows").to_list()
        file = self.text(
            f"{len(self.hashes):05d}.json", {"values": counted.get_column("value").to_list(), "rows": rows}
        )
        told: dict[str, Any] = {
            "kind": "codes", "values": file, "arrays": {"codes": self.array(codes)},
            "complete": column.null_count() == 0, "categories": not too_many_at_first(part.column(name)),
        }  # fmt: skip
        if column.dtype.is_numeric() or column.dtype == pl.Boolean:
            numbers = counted.get_column("value").cast(pl.Float64).to_numpy()
            many = np.minimum(np.array(rows, dtype=np.int64), _ENDS)
            held = np.repeat(numbers, many)
            told |= _ends(held)
        return told

    def _wide(self, column: pl.Series) -> dict[str, Any] | None:
        if column.dtype.is_integer() and column.null_count():
            column = column.cast(pl.Float64)
        values = column.to_numpy()
        if column.dtype.is_integer():
            values = values.astype(np.min_scalar_type(-int(np.abs(values).max()) - 1))
        order = np.argsort(values, kind="stable").astype(np.int32)
        order = order[: values.size - int(np.isnan(values).sum())] if values.dtype.kind == "f" else order
        held = values[order]
        starts = np.flatnonzero(np.diff(held, prepend=held[0] - 1)) if held.size else np.zeros(0, np.int64)
        arrays = {
            "values": self.array(values),
            "order": self.array(order),
            "distinct": self.array(held[starts]),
            "before": self.array(np.append(starts, held.size).astype(np.uint32)),
        }
        return {"kind": "wide", "arrays": arrays, "complete": held.size == values.size, **_ends(held)}


def _ends(held: Array) -> dict[str, Any]:
    """Span, largest and smallest of sorted numbers."""
    if not held.size:
        return {"span": [0.0, 0.0], "top": [], "bottom": []}
    top, bottom = held[-_ENDS:][::-1], held[:_ENDS][::-1]
    return {
        "span": [float(held[0]), float(held[-1])],
        "top": [float(one) for one in top],
        "bottom": [float(one) for one in bottom],
    }


def verify(directory: Path, extract: Path) -> str:
    """The SHA-256 of what an index says, where every byte of it is as it says and it is of `extract` as that
    is now. Reads all of it. Raises UnreadableIndex. Whoever trusts the answer must know that hash to be one
    that `make_index` wrote: an index that somebody else made whole is whole too."""
    try:
        data = (directory / _CONTENT).read_bytes()
        content = _parsed(data)
        if content["extract"] != identity_of(extract):
            raise UnreadableIndex("of another extract")
        if {one.name for one in directory.iterdir()} != {_CONTENT, *content["sha256"]}:
            raise UnreadableIndex("other files")
        for name, sha256 in content["sha256"].items():
            with (directory / name).open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                    raise UnreadableIndex("damaged")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnreadableIndex("unreadable") from error
    return hashlib.sha256(data).hexdigest()


def _parsed(data: bytes) -> dict[str, Any]:
    content = json.loads(data)
    if not isinstance(content, dict) or content.get("version") != VERSION:
        raise UnreadableIndex("of another version")
    return content


def seal_of(directory: Path) -> str:
    """What tells that a verified index was not touched since: its content, and inode, size and times of each
    of its files. Raises UnreadableIndex."""
    try:
        digest = hashlib.sha256((directory / _CONTENT).read_bytes())
        for path in sorted(directory.iterdir()):
            said = path.stat()
            digest.update(
                f"{path.name} {said.st_ino} {said.st_size} {said.st_mtime_ns} {said.st_ctime_ns}\n".encode()
            )
    except OSError as error:
        raise UnreadableIndex("unreadable") from error
    return digest.hexdigest()


def open_index(index: Sealed, extract: Path) -> dict[Path, Stored]:
    """Parquet file → what the index holds of it; nothing where it is not the one that was sealed."""
    directory = index.directory
    try:
        if seal_of(directory) != index.seal:
            return {}
        content = _parsed((directory / _CONTENT).read_bytes())
        if content["extract"] != identity_of(extract):
            return {}
        return {
            extract / name: Stored(
                directory, part["columns"], tuple(part["identifiers"]), tuple(part["tags"]), part["pairs"]
            )
            for name, part in content["parts"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, UnreadableIndex):
        return {}


def _main(extract: str, directory: str, units: str = "{}", memory: str = "0") -> None:
    if int(memory):
        resource.setrlimit(resource.RLIMIT_AS, (int(memory),) * 2)
    os.umask(0o077)
    make_index(Path(extract), Path(directory), json.loads(units))


if __name__ == "__main__":
    _main(*sys.argv[1:])
