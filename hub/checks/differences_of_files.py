"""What differs between two files that were rewritten for release: cells of tables, lines of texts, pixels.

Runs in the confined child (`hub.checks.comparing` asks for it). Both files were written by this room, but
what they say came from a researcher: every value is answered as text with hidden characters revealed.
"""

from __future__ import annotations

import difflib
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops

from hub.checks.canonical import take_in
from hub.checks.contents import bounds_of, read_parts
from hub.checks.images import MalformedImage, reencode
from hub.checks.intake import EXTENSIONS, Kind, extension_of, matches, sniff
from hub.checks.notebooks import MalformedNotebook, read_notebook
from hub.checks.tables import Table, UnreadableTable, delimited_table, number_of
from hub.checks.texts import decode, reveal
from hub.checks.thresholds import Thresholds

MAX_SHOWN = 400  # rows or lines of a comparison; what is beyond is counted
MAX_TABLES = 20  # of a file that are compared with those of another
_CONTEXT = 2  # unchanged rows or lines around a change
_MAX_SEQUENCE = 20_000  # rows or lines that are aligned; longer files are compared position by position
_CELL = 200  # characters of a cell or line that are shown
_PICTURES = (Kind.PNG, Kind.JPEG)
_TABLES = (Kind.CSV, Kind.TSV)

Json = dict[str, Any]


def compare(older: Path, older_name: str, newer: Path, newer_name: str, thresholds: Thresholds) -> Json:
    """The difference from `older` to `newer`: `{"kind": "same" | "table" | "text" | "image" | "other", …}`.

    `table`: `columns` [[older, newer]] (None: has none), `rows`, `changed` and `cut` (numbers of rows). A row
    is `{"change", "older", "newer", "cells": [[older, newer]], "differs": [bool]}`, numbered from 0, `change`
    one of same, changed, added, removed. Of files of two formats, the two tables that are most alike are
    compared. `text`: `lines` of `{"change", "older", "newer", "text"}`. `image`:
    sizes and the share of pixels that differ (None where the sizes differ).
    """
    kinds = (_kind(older, older_name, thresholds), _kind(newer, newer_name, thresholds))
    if None in kinds:
        return {"kind": "other"}
    first, second = older.read_bytes(), newer.read_bytes()
    if first == second:
        return {"kind": "same"}
    if all(kind in _PICTURES for kind in kinds):
        return _compare_pictures(first, second, thresholds)
    if all(kind in _TABLES for kind in kinds):
        tables = (_table(first, kinds[0], thresholds), _table(second, kinds[1], thresholds))
        if tables[0] is not None and tables[1] is not None:
            return _compare_tables(tables[0], tables[1])
    if any(kind in _PICTURES for kind in kinds):
        return {"kind": "other"}
    if kinds[0] is not kinds[1]:
        pairs = [
            (_alike(a, b), a, b)
            for a in _tables_of(first, older_name, thresholds)
            for b in _tables_of(second, newer_name, thresholds)
        ]
        if pairs:
            _, one, other = max(pairs, key=lambda pair: pair[0])
            return _compare_tables(one, other)
    return _compare_lines(_lines(first, kinds[0]), _lines(second, kinds[1]))


def relate(file: Path, name: str, others: Sequence[tuple[Path, str]], thresholds: Thresholds) -> list[Json]:
    """For each of `others`, how far it holds a table of `file`: `{"columns", "labels"}`, shares (0 to 1) of
    column names and of row labels in common, of the two tables that are most alike. A file without tables, or
    not a readable one, has 0."""
    tables = _read_tables(file, name, thresholds)
    related = []
    for path, other_name in others:
        found = _read_tables(path, other_name, thresholds) if tables else []
        columns, labels = max((_alike(a, b) for a in tables for b in found), default=(0.0, 0.0))
        related.append({"columns": columns, "labels": labels})
    return related


def _read_tables(file: Path, name: str, thresholds: Thresholds) -> list[Table]:
    kind = _kind(file, name, thresholds)
    return _tables_of(file.read_bytes(), name, thresholds) if kind not in (None, *_PICTURES) else []


def _tables_of(data: bytes, name: str, thresholds: Thresholds) -> list[Table]:
    """The tables of a file of any format, as the checks read them; the first MAX_TABLES."""
    return read_parts(take_in(data, name, thresholds), thresholds).tables[:MAX_TABLES]


def _alike(first: Table, second: Table) -> tuple[float, float]:
    """Shares of column names and of labels in common."""
    columns = _shared(_heads(first), _heads(second))
    return columns, _shared(_labels(first), _labels(second))


def _kind(file: Path, name: str, thresholds: Thresholds) -> Kind | None:
    kind = EXTENSIONS.get(extension_of(name))
    if kind is None or file.stat().st_size > thresholds.max_bytes:
        return None
    return kind if matches(kind, sniff(file.read_bytes())) else None


def _table(data: bytes, kind: Kind | None, thresholds: Thresholds) -> Table | None:
    delimiter = "\t" if kind is Kind.TSV else None
    try:
        return delimited_table(decode(data)[0], bounds_of(thresholds), delimiter=delimiter)
    except UnreadableTable:
        return None


def _heads(table: Table) -> set[str]:
    return {head.strip().casefold() for head in table.columns}


def _labels(table: Table) -> set[str]:
    """The texts of the columns that are not numbers: what the rows are about."""
    return {cell.strip().casefold() for row in table.rows for cell in row if cell and number_of(cell) is None}


def _shared(first: set[str], second: set[str]) -> float:
    return len(first & second) / len(first | second) if first | second else 0.0


def _shown(text: str) -> str:
    return reveal(text[:_CELL]) + ("…" if len(text) > _CELL else "")


# Tables


def _compare_tables(older: Table, newer: Table) -> Json:
    """Columns are those of the same name, rows those with the same labels."""
    pairs = _pair_columns(older.columns, newer.columns)
    both = [(a, b) for a, b in pairs if a is not None and b is not None]
    labels = [(a, b) for a, b in both if _is_label(older.column(a) + newer.column(b))]
    keys = (_keys(older, [a for a, _ in labels]), _keys(newer, [b for _, b in labels]))
    rows = [_row(change, a, b, older, newer, pairs) for change, a, b in _align(*keys)]
    changed = sum(row["change"] != "same" for row in rows)
    shown, cut = _near_changes(rows)
    return {
        "kind": "table",
        "columns": [
            [
                _shown(older.columns[a]) if a is not None else None,
                _shown(newer.columns[b]) if b is not None else None,
            ]
            for a, b in pairs
        ],
        "rows": shown,
        "changed": changed,
        "cut": cut,
    }


Pair = tuple[int | None, int | None]


def _pair_columns(older: Sequence[str], newer: Sequence[str]) -> list[Pair]:
    """By name, the nth of a name with the nth; a column under a new name at the same place is paired too."""
    free = dict.fromkeys(range(len(older)))
    pairs: list[Pair] = []
    for b, head in enumerate(newer):
        a = next((a for a in free if older[a] == head), None)
        if a is not None:
            del free[a]
        pairs.append((a, b))
    if len(older) == len(newer):
        for at, (paired, _) in enumerate(pairs):  # the place in `newer` is the place in the list
            if paired is None and at in free:
                del free[at]
                pairs[at] = (at, at)
    return pairs + [(a, None) for a in free]


def _is_label(cells: Sequence[str]) -> bool:
    """Whether most of what stands there is no number."""
    filled = [cell for cell in cells if cell]
    return bool(filled) and sum(number_of(cell) is None for cell in filled) * 2 > len(filled)


def _keys(table: Table, labels: Sequence[int]) -> list[tuple[str, ...]]:
    """What a row is about; without labels its place is all there is, and then the first column."""
    columns = labels or [0]
    return [tuple(row[at] for at in columns if at < len(row)) for row in table.rows]


def _row(
    change: str, a: int | None, b: int | None, older: Table, newer: Table, pairs: Sequence[Pair]
) -> Json:
    cells = [
        (
            older.rows[a][x] if a is not None and x is not None else None,
            newer.rows[b][y] if b is not None and y is not None else None,
        )
        for x, y in pairs
    ]
    if change == "same" and any(first != second for first, second in cells):
        change = "changed"
    return {
        "change": change,
        "older": a,
        "newer": b,
        "cells": [[_shown(one) if one is not None else None for one in cell] for cell in cells],
        "differs": [first != second for first, second in cells],
    }


# Texts and notebooks


def _lines(data: bytes, kind: Kind | None) -> list[str]:
    text = decode(data)[0]
    if kind is Kind.NOTEBOOK:
        try:
            cells = read_notebook(text).cells
        except MalformedNotebook:
            return text.splitlines()
        return [line for n, cell in enumerate(cells, 1) for line in (f"# [{n}]", *_cell_lines(cell))]
    return text.splitlines()


def _cell_lines(cell: Any) -> Iterator[str]:
    yield from cell.source.splitlines()
    for output in cell.outputs:
        for part in output.parts:
            if part.data:
                yield f"[{part.media_type}, {len(part.data)} bytes]"
            else:
                yield from part.text.splitlines()


def _compare_lines(older: Sequence[str], newer: Sequence[str]) -> Json:
    lines = []
    for change, a, b in _align(older, newer):
        text = newer[b] if b is not None else older[a] if a is not None else ""
        lines.append({"change": change, "older": a, "newer": b, "text": _shown(text)})
    changed = sum(line["change"] != "same" for line in lines)
    shown, cut = _near_changes(lines)
    return {"kind": "text", "lines": shown, "changed": changed, "cut": cut}


# Both


def _align(older: Sequence[Any], newer: Sequence[Any]) -> list[tuple[str, int | None, int | None]]:
    """("same" | "removed" | "added", place in older, place in newer) in reading order."""
    if max(len(older), len(newer)) > _MAX_SEQUENCE:
        return list(_by_place(older, newer))
    aligned: list[tuple[str, int | None, int | None]] = []
    matcher = difflib.SequenceMatcher(None, older, newer, autojunk=len(older) * len(newer) > 4_000_000)
    for word, a, a_end, b, b_end in matcher.get_opcodes():
        if word == "equal":
            aligned += [("same", x, y) for x, y in zip(range(a, a_end), range(b, b_end), strict=True)]
        else:
            aligned += [("removed", x, None) for x in range(a, a_end)]
            aligned += [("added", None, y) for y in range(b, b_end)]
    return aligned


def _by_place(older: Sequence[Any], newer: Sequence[Any]) -> Iterator[tuple[str, int | None, int | None]]:
    for at in range(max(len(older), len(newer))):
        if at < min(len(older), len(newer)) and older[at] == newer[at]:
            yield "same", at, at
            continue
        if at < len(older):
            yield "removed", at, None
        if at < len(newer):
            yield "added", None, at


def _near_changes(entries: Sequence[Json]) -> tuple[list[Json], int]:
    """The changes with a little around them, and how many changes are beyond MAX_SHOWN."""
    near: set[int] = set()
    for at in _changes(entries):
        near.update(range(max(0, at - _CONTEXT), min(len(entries), at + _CONTEXT + 1)))
        if len(near) > MAX_SHOWN:
            break
    kept = sorted(near)[:MAX_SHOWN]
    left = sum(1 for at in _changes(entries) if kept and at > kept[-1])
    return [entries[at] for at in kept], left


def _changes(entries: Sequence[Json]) -> Iterable[int]:
    return (at for at, entry in enumerate(entries) if entry["change"] != "same")


# Pictures


def _compare_pictures(older: bytes, newer: bytes, thresholds: Thresholds) -> Json:
    try:
        pictures = [reencode(data, thresholds.max_pixels) for data in (older, newer)]
    except MalformedImage:
        return {"kind": "other"}
    sizes = [[width, height] for _, width, height in pictures]
    differs = None
    if sizes[0] == sizes[1]:
        first, second = (Image.open(io.BytesIO(png)).convert("RGBA") for png, _, _ in pictures)
        changed = ImageChops.difference(first, second).convert("RGB").convert("L").point([0, *[255] * 255])
        differs = changed.histogram()[255] / (sizes[0][0] * sizes[0][1])
    return {"kind": "image", "older": sizes[0], "newer": sizes[1], "differs": differs}
