"""In which bucket each row of a large source lies, found without holding the source's units.

A unit's bucket takes an HMAC, far more than a row may cost, so that it is reckoned once for each unit; but a
table of all units, and looking every row up in it, take memory and time that grow with them. So the keys of
the rows first go to groups on disk, those of a unit all to the same. The buckets of a group's units are
reckoned without the other groups, and written in the order of its rows. When the rows are read again, each
takes the next bucket of its group.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from hub.extraction.distributions import FAN_OUT, PLACE, distributed

_GROUP_ROWS = 1_500_000  # whose keys are held at a time, on average at the most
_STORED = np.dtype("<u4")


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
    groups = min(FAN_OUT, max(1, -(-rows // group_rows)))
    grouped = distributed(
        (piece.with_columns(_group(piece, names, groups).alias(PLACE)) for piece in keys),
        places=groups,
        staging=staging,
        piece_rows=group_rows,
        compression="lz4",
    )
    found = [staging / f"group-{group}.places" for group in range(groups)]
    for path in found:
        path.touch()
    for group, of_group in grouped:
        found[group].write_bytes(_places(of_group, names, places_of).to_numpy().astype(_STORED).tobytes())
        del of_group  # not to be held while the next one is read
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
            places = np.empty(piece.height, _STORED)
            places[np.argsort(group_of, kind="stable")] = np.frombuffer(taken, _STORED)
            yield piece.with_columns(pl.Series(PLACE, places))
            del piece  # not to be held while the next one is made


def _group(rows: pl.DataFrame, names: Sequence[str], groups: int) -> pl.Series:
    """The group of each row, the same for all rows of a unit."""
    return (rows.select(names).hash_rows(seed=0) % groups).cast(pl.UInt16)


def _places(
    rows: pl.DataFrame, names: Sequence[str], places_of: Callable[[pl.DataFrame], pl.Series]
) -> pl.Series:
    units = rows.select(names).unique()
    units = units.with_columns(places_of(units).alias(PLACE))
    return rows.join(units, on=names, how="left", maintain_order="left")[PLACE]
