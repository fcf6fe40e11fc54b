"""Large sources row by row, found without holding their units or their keys: in which bucket each row lies,
and whether a key stands twice.

A unit's bucket takes an HMAC, far more than a row may cost, so that it is reckoned once for each unit; but a
table of all units, and looking every row up in it, take memory and time that grow with them. So the keys of
the rows first go to groups on disk, those that are alike all to the same. The buckets of a group's units are
reckoned without the other groups, and written in the order of its rows. When the rows are read again, each
takes the next bucket of its group.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from hub.extraction.distributions import PLACE, distributed

_GROUP_ROWS = 1_500_000  # whose keys are held at a time, on average, of up to so many times _MOST_GROUPS rows
_MOST_GROUPS = 256  # files open beside those of the buckets
_STORED = np.dtype("<u4")
_ROW = " row"  # no variable can be called this


def placed(
    pieces: Iterable[pl.DataFrame],
    keys: Iterable[pl.DataFrame],
    places_of: Callable[[pl.DataFrame], pl.Series],
    *,
    names: Sequence[str],
    rows: int,
    staging: Path,
    group_rows: int = _GROUP_ROWS,
) -> Iterator[pl.DataFrame]:
    """The pieces with the PLACE of each row. `names`: the columns of the unit's key, without missing values;
    `keys`: these columns of the same `rows` rows, in pieces of any size; `places_of`: the places (UInt32) of
    distinct units. `staging` holds what is found, until it is taken.

    OSError where the second reading has other rows than the first. Not every such change is seen here: who
    registers a file compares its hash afterwards.
    """
    groups = _groups(rows, group_rows)
    found = [staging / f"group-{group}.places" for group in range(groups)]
    for path in found:
        path.touch()
    for group, of_group in _grouped(keys, names, groups, staging):
        places = _places(of_group, names, places_of)
        found[group].write_bytes(places.to_numpy().astype(_STORED).tobytes())
        del of_group, places  # not to be held while the next one is read
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(path.open("rb")) for path in found]
        for path in found:
            path.unlink()
        for piece in pieces:
            group_of = _group(piece, names, groups).to_numpy()
            counts = np.bincount(group_of, minlength=groups)
            taken = b"".join(
                file.read(int(count) * _STORED.itemsize) for file, count in zip(files, counts, strict=True)
            )
            if len(taken) != piece.height * _STORED.itemsize:
                raise OSError("the file changed while it was read")
            in_order = np.empty(piece.height, _STORED)
            in_order[np.argsort(group_of, kind="stable")] = np.frombuffer(taken, _STORED)
            yield piece.with_columns(pl.Series(PLACE, in_order))
            del piece  # not to be held while the next one is made


def first_repeated(
    keys: Iterable[pl.DataFrame],
    names: Sequence[str],
    *,
    rows: int,
    staging: Path,
    group_rows: int = _GROUP_ROWS,
) -> int | None:
    """The number, from 1, of the first row whose key an earlier row has, if any. `keys`: the columns `names`
    of about so many `rows`."""
    found = []
    for _, of_group in _grouped(_numbered(keys), names, _groups(rows, group_rows), staging):
        repeated = of_group.select(pl.struct(names).is_first_distinct().not_()).to_series()
        found += of_group[_ROW].filter(repeated).head(1).to_list()  # rows of a group are in their order
        del of_group
    return min(found, default=None)


def _numbered(pieces: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    row = 1
    for piece in pieces:
        yield piece.with_columns(pl.int_range(row, row + piece.height, dtype=pl.UInt64).alias(_ROW))
        row += piece.height


def _groups(rows: int, group_rows: int) -> int:
    return min(_MOST_GROUPS, max(1, -(-rows // group_rows)))


def _group(rows: pl.DataFrame, names: Sequence[str], groups: int) -> pl.Series:
    """The group of each row, the same for all rows with the same key."""
    return (rows.select(names).hash_rows(seed=0) % groups).cast(pl.UInt16)


def _grouped(
    pieces: Iterable[pl.DataFrame], names: Sequence[str], groups: int, staging: Path
) -> Iterator[tuple[int, pl.DataFrame]]:
    """The rows group by group, in each in their order."""
    with_group = (piece.with_columns(_group(piece, names, groups).alias(PLACE)) for piece in pieces)
    return distributed(
        with_group,
        places=groups,
        staging=staging,
        piece_rows=_GROUP_ROWS,
        compression="lz4",
        fan_out=_MOST_GROUPS,
    )


def _places(
    rows: pl.DataFrame, names: Sequence[str], places_of: Callable[[pl.DataFrame], pl.Series]
) -> pl.Series:
    units = rows.select(names).unique()
    units = units.with_columns(places_of(units).alias(PLACE))
    return rows.join(units, on=names, how="left", maintain_order="left")[PLACE]
