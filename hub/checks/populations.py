"""Tables of one file whose rows are nearly the same: their difference shows those few that are not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from hub.checks.explanations import Recomputed
from hub.checks.groups import Mask
from hub.checks.tables import Table
from hub.checks.thresholds import Thresholds


def _distinct(found: Recomputed, kind: str, keep: Mask) -> int:
    codes, total = found.panel.unit(kind)
    inside = codes[keep]
    return int(np.count_nonzero(np.bincount(inside[inside >= 0], minlength=total)))


def _population(found: Recomputed) -> Mask:
    """The rows that a table is of: those its filter keeps, with a value of the variable that all its numbers
    are of."""
    kept = found.cube.kept()
    rows = np.ones(found.panel.rows, dtype=np.bool_) if kept is None else kept
    names = {fit.measure.variable for fit in found.fits if fit is not None}
    only = next(iter(names)) if len(names) == 1 else None
    values = found.panel.numbers(only) if only is not None else None
    return rows & ~np.isnan(values) if values is not None else rows


def differing_pairs(
    explained: Sequence[tuple[Recomputed, Table]], thresholds: Thresholds
) -> Iterator[tuple[Table, int]]:
    """Tables of one file whose rows differ by fewer units than a cell needs: the difference shows them."""
    for (one, _), (two, table) in combinations(explained, 2):
        if one.panel is not two.panel or (one.cube.is_whole and two.cube.is_whole):
            continue
        kinds = list(one.panel.units)
        a, b = _population(one), _population(two)
        for keep in (a & ~b, b & ~a):
            least = min((_distinct(one, kind, keep) for kind in kinds), default=0)
            if keep.any() and least < thresholds.min_units:
                yield table, least
                break
