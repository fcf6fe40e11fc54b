"""Rows distributed over numbered places on disk, and read again place by place: memory stays flat.

The files lie in a staging directory, hold nothing but the rows given, and are removed as they are read. At
most FAN_OUT are open at a time; with more places than that, rows first go to groups of neighbouring places,
about as many as places in each, and from there to their own: the number of blocks written grows with the
rows and not with their square.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
import polars as pl
import pyarrow as pa
from pyarrow import ipc

PLACE = " place"  # no variable can be called this
FAN_OUT = 512
_BUFFER = 1 << 16  # bytes per open file
# Texts copied row by row: as views, each part would write the texts of the whole piece it was cut from.
_ROWS_ONLY = pl.CompatLevel.oldest()

Compression = Literal["lz4", "zstd"]


def distributed(
    pieces: Iterable[pl.DataFrame],
    *,
    places: int,
    staging: Path,
    piece_rows: int,
    compression: Compression | None = None,
    fan_out: int = FAN_OUT,
) -> Iterator[tuple[int, pl.DataFrame]]:
    """The rows of all `pieces`, which say their PLACE (0 to `places` - 1, without missing values), place by
    place and without it; places without rows are left out. Within a place rows keep their order.

    All pieces are taken before this returns. `piece_rows`: about how many rows are held while they are
    distributed a second time.
    """
    width = 1 if places <= fan_out else max(-(-places // fan_out), math.isqrt(places))
    held = _spread(ahead(pieces), width, staging, "place", compression)
    return _by_place(held, width, staging, piece_rows, compression)


T = TypeVar("T")


def ahead(pieces: Iterable[T]) -> Iterator[T]:
    """The same pieces (none is None), each made by a thread while the one before it is worked on."""
    making = iter(pieces)
    with ThreadPoolExecutor(max_workers=1) as thread:
        following = thread.submit(next, making, None)
        # In a list and not in a variable, which would hold it while it is worked on.
        while held := [one for one in [following.result()] if one is not None]:
            following = thread.submit(next, making, None)
            yield held.pop()


def _by_place(
    held: dict[int, Path], width: int, staging: Path, piece_rows: int, compression: Compression | None
) -> Iterator[tuple[int, pl.DataFrame]]:
    for group in sorted(held):
        if width == 1:
            yield group, _read(held[group])
            continue
        gathered = _gathered(held[group], piece_rows)
        inner = _spread(gathered, 1, staging, f"place-{group}", compression)
        held[group].unlink()
        for place in sorted(inner):
            yield place, _read(inner[place])


def _spread(
    pieces: Iterable[pl.DataFrame], width: int, staging: Path, name: str, compression: Compression | None
) -> dict[int, Path]:
    """One Arrow stream per `width` neighbouring places that have any row; a stream of more than one place
    keeps the rows' PLACE."""
    held: dict[int, Path] = {}
    writers: dict[int, ipc.RecordBatchStreamWriter] = {}
    # Blocks are too small for a thread to each of their columns.
    options = ipc.IpcWriteOptions(compression=compression, use_threads=False)
    with contextlib.ExitStack() as stack:
        for piece in pieces:
            groups = (piece[PLACE] // width).cast(pl.UInt16).to_numpy()
            rows = piece.clone() if width > 1 else piece.drop(PLACE)
            del piece  # nothing else is to hold what is taken out of `rows`
            order = pl.Series(np.argsort(groups, kind="stable")).cast(pl.UInt32)
            arrow = taken_in_order(rows, order).to_arrow(compat_level=_ROWS_ONLY)
            start = 0
            for number, count in enumerate(np.bincount(groups).tolist()):
                if count == 0:
                    continue
                if number not in writers:
                    held[number] = staging / f"{name}-{number}.stream"
                    opened = stack.enter_context(pa.OSFile(str(held[number]), "wb"))
                    file = stack.enter_context(pa.BufferedOutputStream(opened, _BUFFER))
                    writers[number] = stack.enter_context(ipc.new_stream(file, arrow.schema, options=options))
                writers[number].write_table(arrow.slice(start, count))
                start += count
            del arrow  # not to be held while the next piece is waited for
    return held


def taken_in_order(rows: pl.DataFrame, order: pl.Series) -> pl.DataFrame:
    """The rows numbered `order`. They are taken out of `rows` column by column, which has none in the end: so
    they are not there twice, if nobody else holds them."""
    return pl.DataFrame([rows.drop_in_place(name).gather(order) for name in rows.columns])


def _read(path: Path) -> pl.DataFrame:
    rows = pl.read_ipc_stream(path)
    path.unlink()
    return rows


def _gathered(path: Path, piece_rows: int) -> Iterator[pl.DataFrame]:
    """The rows of a stream in pieces of about so many."""
    batches: list[pa.RecordBatch] = []
    rows = 0
    with path.open("rb") as file, ipc.open_stream(file) as stream:
        for batch in stream:
            batches.append(batch)
            rows += batch.num_rows
            if rows >= piece_rows:
                piece, batches, rows = _frame(batches), [], 0
                yield piece
                del piece  # neither it nor its batches are to be held while the next one is made
        if batches:
            yield _frame(batches)


def _frame(batches: list[pa.RecordBatch]) -> pl.DataFrame:
    frame = pl.from_arrow(pa.Table.from_batches(batches), rechunk=False)
    if not isinstance(frame, pl.DataFrame):  # a table is never a single column
        raise TypeError(type(frame))
    return frame
