"""Which lines of a table to hide: those of too few units, and as many more as stop subtraction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd


def suppressed_lines(
    lines: pd.DataFrame, keys: Sequence[str], counts: pd.Series, *, below: int, secondary: bool
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """True where a line is hidden.

    Primary: fewer than `below` units. Secondary: where only one of the lines that differ in one grouping
    alone is hidden, a total would give it back, so the next smallest goes too, until no line stands alone.
    Empty groups are no lines here; whoever releases them as zeros must look again.
    """
    units = counts.to_numpy(dtype="float64")
    hidden = units < below
    if not secondary or not keys:
        return hidden
    families = [family for key in keys for family in _families(lines, [k for k in keys if k != key])]
    changed = True
    while changed:
        changed = False
        for family in families:
            if len(family) > 1 and hidden[family].sum() == 1:
                shown = family[~hidden[family]]
                hidden[shown[np.argmin(units[shown])]] = True
                changed = True
    return hidden


def _families(lines: pd.DataFrame, others: Sequence[str]) -> list[np.ndarray[Any, Any]]:
    """Positions of the lines that agree on all other groupings."""
    if not others:
        return [np.arange(len(lines))]
    named = lines[list(others)].astype(str).agg("\0".join, axis=1).to_numpy()
    return [np.flatnonzero(named == name) for name in dict.fromkeys(named)]
