"""Which lines of a table to hide: those of too few units, and as many more as stop subtraction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

_MOST_SOLVED = 500  # hidden lines of which each is solved for; of more the platform says what is left
Lines = np.ndarray[Any, np.dtype[np.bool_]]
Together = Callable[[Sequence[int]], float]


@dataclass(frozen=True)
class _Family:
    """Lines that differ in one grouping alone, and the line that is their total (None: none is printed)."""

    parts: np.ndarray[Any, Any]
    total: int | None


def suppressed_lines(
    lines: pd.DataFrame,
    keys: Sequence[str],
    counts: pd.Series,
    *,
    below: int,
    secondary: bool,
    total: str | None = None,
    together: Together | None = None,
) -> Lines:
    """True where a line is hidden. `total`: what stands for a total in a key. `together`: how many units
    stand behind several lines taken together (None: as many as behind each, added).

    Primary: fewer than `below` units. Secondary, until all hold: (1) of the lines that differ in one grouping
    alone none is hidden by itself, and those hidden have `below` units together, since their total gives
    back what they are together; (2) what all totals say leaves each hidden line a range of `below` at least.
    The smallest line goes first; a total goes where nothing else is left.

    Empty groups are no lines here; whoever releases them as zeros must look again.
    """
    units = counts.to_numpy(dtype="float64")
    hidden = units < below
    if not secondary or not keys or not hidden.any():
        return hidden
    families = list(_families(lines, keys, total))
    added = together or (lambda positions: float(units[list(positions)].sum()))
    while True:
        while any(_protect(family, hidden, units, below, added) for family in families):
            pass
        known = _known(families, hidden, units, below) if len(keys) > 1 else []
        if not known or not _hide_beside(known, families, hidden, units):
            return hidden


def _protect(
    family: _Family, hidden: Lines, units: np.ndarray[Any, Any], below: int, together: Together
) -> bool:
    """Hide one more line of the family where it needs one; whether it did."""
    inside = family.parts[hidden[family.parts]]
    if family.total is not None and hidden[family.total]:
        return len(inside) == 0 and _hide_one(family, hidden, units)
    if len(inside) == 0 or (len(family.parts) == 1 and family.total is None):
        return False
    if len(inside) > 1 and together([int(at) for at in inside]) >= below:
        return False
    return _hide_one(family, hidden, units)


def _hide_one(family: _Family, hidden: Lines, units: np.ndarray[Any, Any]) -> bool:
    """Hide the smallest part that is shown, else the total; False where all is hidden."""
    shown = family.parts[~hidden[family.parts]]
    if len(shown):
        hidden[shown[np.argmin(units[shown])]] = True
        return True
    if family.total is not None and not hidden[family.total]:
        hidden[family.total] = True
        return True
    return False


def _hide_beside(
    known: Sequence[int], families: Sequence[_Family], hidden: Lines, units: np.ndarray[Any, Any]
) -> bool:
    """Hide one more line beside each that is known; False where there is none left."""
    done = False
    for line in known:
        near = [each for each in families if each.total is not None and line in (*each.parts, each.total)]
        for each in near:
            done = _hide_one(each, hidden, units) or done
    return done


def _known(families: Sequence[_Family], hidden: Lines, units: np.ndarray[Any, Any], below: int) -> list[int]:
    """The hidden lines that printed totals leave a range of less than `below`: two linear programs each."""
    from scipy.optimize import linprog

    where = {int(line): at for at, line in enumerate(np.flatnonzero(hidden))}
    if len(where) > _MOST_SOLVED:
        return []
    rows, rests = [], []
    for family in families:
        if family.total is None:
            continue
        row = np.zeros(len(where))
        row[[where[int(part)] for part in family.parts if hidden[part]]] = 1.0
        if hidden[family.total]:
            row[where[family.total]] = -1.0
        if row.any():
            rows.append(row)
            rests.append(float(row @ units[list(where)]))
    if not rows:
        return []
    found = []
    for line, at in where.items():
        goal = np.zeros(len(where))
        goal[at] = 1.0
        ends = [linprog(sign * goal, A_eq=np.array(rows), b_eq=rests, method="highs") for sign in (1, -1)]
        if all(end.status == 0 for end in ends) and -ends[1].fun - ends[0].fun < below - 1e-6:
            found.append(line)
    return found


def _families(lines: pd.DataFrame, keys: Sequence[str], total: str | None) -> Iterator[_Family]:
    """Lines that agree on all groupings but one."""
    for key in keys:
        others = [each for each in keys if each != key]
        is_total = (
            (lines[key] == total).to_numpy(dtype=bool) if total is not None else np.zeros(len(lines), bool)
        )
        for positions in _alike(lines, others):
            totals = positions[is_total[positions]]
            parts = positions[~is_total[positions]]
            if len(parts):
                yield _Family(parts, int(totals[0]) if len(totals) else None)


def _alike(lines: pd.DataFrame, others: Sequence[str]) -> list[np.ndarray[Any, Any]]:
    """Positions of the lines that agree on all of `others`."""
    if not others:
        return [np.arange(len(lines))]
    named = lines[list(others)].astype(str).agg("\0".join, axis=1).to_numpy()
    return [np.flatnonzero(named == name) for name in dict.fromkeys(named)]
