"""On which part of the rows a model may have been fitted: two conditions that leave as many as it says.

A researcher fits a model on the employed of one year, or of one region up to an age. The summary names
neither. The part is searched by its size alone; whether it is the one, the numbers of the model say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hub.checks.panels import Panel

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]
Counts = npt.NDArray[np.int64]

MOST_WORK = 100_000_000  # rows counted, over all pairs of variables: half a second
_MOST_VALUES = 40
_MOST_BOUNDS = 400
_MOST_VARIABLES = 40
_MOST_FOUND = 24
_LEAST_PAIRS = 20  # of many rows, none are tried rather than fewer


@dataclass(frozen=True)
class _Coded:
    """A variable whose values part the rows: `codes` of the kept rows (−1: none). `ordered`: its conditions
    are bounds, else single values."""

    codes: npt.NDArray[np.int32]
    size: int
    ordered: bool


def parts_of(panel: Panel, keep: Mask, wanted: int, used: Sequence[str]) -> Iterator[Rows]:
    """Sets of `wanted` of the kept rows: those with a value of one variable, or up or down to a value of one
    that the model has (`used`), and with a value of another. The first few."""
    rows = np.flatnonzero(keep)
    if rows.size > MOST_WORK // _LEAST_PAIRS or not 0 < wanted < rows.size:
        return
    coded = _coded(panel, rows, used)
    found = work = 0
    for k, one in enumerate(coded):
        for other in coded[k + 1 :]:
            work += rows.size
            if work > MOST_WORK:
                return
            for chosen in _of_size(one, other, wanted):
                yield rows[chosen]
                found += 1
                if found >= _MOST_FOUND:
                    return


def _coded(panel: Panel, rows: Rows, used: Sequence[str]) -> list[_Coded]:
    """Bounds of the model's variables first: with them a part is likelier than by two others."""
    found = []
    for name in used:
        values = panel.numbers(name)
        if values is None:
            continue
        distinct, codes = np.unique(values[rows], return_inverse=True)
        if 2 < distinct.size <= _MOST_BOUNDS and bool(np.isfinite(distinct).all()):
            found.append(_Coded(codes.ravel().astype(np.int32), distinct.size, ordered=True))
    for name in list(panel.variables)[:_MOST_VARIABLES]:
        known = panel.categories(name)
        if known is not None and 2 <= len(known.values) <= _MOST_VALUES:
            own = known.codes[rows].astype(np.int32)
            found.append(_Coded(own, len(known.values), ordered=False))
    return found


def _of_size(one: _Coded, other: _Coded, wanted: int) -> Iterator[Mask]:
    """The rows that meet a condition on each of two variables, where they are so many."""
    both = (one.codes >= 0) & (other.codes >= 0)
    pairs = one.codes[both] * other.size + other.codes[both]
    counts = np.bincount(pairs, minlength=one.size * other.size).reshape(one.size, other.size)
    for first in _directions(one):
        for second in _directions(other):
            summed = _cumulated(_cumulated(counts, 0, first), 1, second)
            for a, b in np.argwhere(summed == wanted).tolist():
                yield both & _meets(one.codes, a, first) & _meets(other.codes, b, second)


def _directions(coded: _Coded) -> tuple[str, ...]:
    return ("up to", "from") if coded.ordered else ("is",)


def _cumulated(counts: Counts, axis: int, direction: str) -> Counts:
    if direction == "is":
        return counts
    if direction == "up to":
        return np.cumsum(counts, axis=axis)
    return np.flip(np.cumsum(np.flip(counts, axis), axis=axis), axis)


def _meets(codes: npt.NDArray[np.int32], at: int, direction: str) -> Mask:
    if direction == "is":
        return np.asarray(codes == at)
    return np.asarray(codes <= at if direction == "up to" else codes >= at)
